/* SPDX-License-Identifier: MIT */
/* killed_asleep_net.h - the waits of killed_asleep.c on sockets and terminals, and what
 * must be true of those afterwards. */
#pragma once
static void unix_receive(void)
{
	(void)!recv(pair[0], page, 1, 0);
}
static void unix_check(void)
{
	pass(pair[0], pair[1]);
}
static void unix_send(void)
{
	(void)!send(stuffed[0], page, 100, 0);
}
static void stuffed_check(void)
{
	MUST(is_ready(stuffed[1], POLLIN) && recv(stuffed[1], page, sizeof(page), 0) > 0);
	fill(stuffed[0]);
}
static void unix_connect(void)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int s = socket(AF_UNIX, SOCK_STREAM, 0);

	strcpy(a.sun_path, backlog_name);
	(void)!connect(s, (struct sockaddr *)&a, sizeof(a));
}
static void unix_connect_check(void)
{
	int s = accept(backlog, NULL, NULL);

	MUST(s >= 0 && close(s) == 0 && !is_ready(backlog, POLLIN));
	s = socket(AF_UNIX, SOCK_STREAM, 0);
	unix_connect();
	MUST(close(s) == 0 && is_ready(backlog, POLLIN));
}
static void inet_accept(void)
{
	(void)!accept(tcp, NULL, NULL);
}
static void inet_receive(void)
{
	(void)!recv(udp, page, 1, 0);
}
/* Whose memory is not there, amid a copy; where the host lets them, else they do not
 * sleep. */
static char *missing_page(void)
{
	int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
	struct uffdio_api a = {.api = UFFD_API};
	char *p = mmap(NULL, PIPE_SIZE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct uffdio_register r = {
		{(uintptr_t)p + 8192, PIPE_SIZE - 8192}, UFFDIO_REGISTER_MODE_MISSING, 0};

	if (p == MAP_FAILED)
		_exit(1);
	if (fd < 0 || ioctl(fd, UFFDIO_API, &a) != 0 ||
	    ioctl(fd, UFFDIO_REGISTER, &r) != 0)
		pause();
	return p;
}
static void tcp_send_missing(void)
{
	(void)!send(sending[0], missing_page(), PIPE_SIZE, 0);
}
static void tcp_receive_missing(void)
{
	char *p = missing_page();

	for (;;)
		(void)!recv(receiving[1], p, PIPE_SIZE, 0);
}
/* What is taken out of the queue has no descriptor yet, and never gets one. */
static void accept_missing(int listener)
{
	socklen_t len = sizeof(struct sockaddr_in);
	char *p = missing_page();

	memcpy(p, &len, sizeof(len));
	(void)!accept(listener, (struct sockaddr *)(p + 8192), (socklen_t *)p);
}
static void unix_accept_missing(void)
{
	accept_missing(unix_taken[0]);
}
static void tcp_accept_missing(void)
{
	accept_missing(tcp_taken[0]);
}
static void taken_begin(int taken[2])
{
	struct sockaddr_storage a;
	socklen_t len = sizeof(a);

	MUST(getsockname(taken[0], (struct sockaddr *)&a, &len) == 0);
	taken[1] = socket(a.ss_family, SOCK_STREAM, 0);
	MUST(taken[1] >= 0 && connect(taken[1], (struct sockaddr *)&a, len) == 0);
}
/* Who connected learns that it is over. */
static void taken_check(int taken[2])
{
	struct pollfd p = {taken[1], POLLIN, 0};
	int s = accept(taken[0], NULL, NULL); /* the host knew no missing pages */

	MUST(s >= 0 ? close(s) == 0 : errno == EAGAIN);
	MUST(poll(&p, 1, 10000) == 1);
	MUST(recv(taken[1], page, 1, 0) == 0 || errno == ECONNRESET);
	MUST(close(taken[1]) == 0);
	taken_begin(taken);
}
static void unix_taken_check(void)
{
	taken_check(unix_taken);
}
static void tcp_taken_check(void)
{
	taken_check(tcp_taken);
}
static void tcp_begin(void)
{
	MUST(send(receiving[0], page, PIPE_SIZE, 0) == PIPE_SIZE);
}
static void sending_check(void)
{
	MUST(send(sending[0], page, PIPE_SIZE, 0) == PIPE_SIZE);
	MUST(recv(sending[1], page, PIPE_SIZE, MSG_WAITALL) == PIPE_SIZE);
}
static void receiving_check(void)
{
	while (recv(receiving[1], page, PIPE_SIZE, MSG_DONTWAIT) > 0)
		;
	MUST(errno == EAGAIN);
	tcp_begin();
}
/* Vectors and control messages of more pieces and bytes than a call has at hand. */
enum { PIECES = 40 };
static struct msghdr *many_pieces(void)
{
	static struct iovec pieces[PIECES];
	static union {
		struct cmsghdr head;
		char room[2000];
	} control;
	static struct msghdr h = {.msg_iov = pieces,
				  .msg_iovlen = PIECES,
				  .msg_control = &control,
				  .msg_controllen = sizeof(control)};

	for (int i = 0; i < PIECES; i++)
		pieces[i] = (struct iovec){page + i * 16, 10};
	control.head =
		(struct cmsghdr){.cmsg_len = sizeof(control), .cmsg_level = SOL_IP};
	return &h;
}
static void pipe_read_vector(void)
{
	(void)!readv(empty[0], many_pieces()->msg_iov, PIECES);
}
static void unix_send_vector(void)
{
	(void)!sendmsg(stuffed[0], many_pieces(), 0);
}
static void unix_receive_vector(void)
{
	(void)!recvmsg(pair[0], many_pieces(), 0);
}
static void inet_receive_vector(void)
{
	(void)!recvmsg(udp, many_pieces(), 0);
}
static void inet_receive_many(void)
{
	struct mmsghdr h[3];

	for (int i = 0; i < 3; i++)
		h[i].msg_hdr = *many_pieces();
	(void)!recvmmsg(udp, h, 3, 0, NULL);
}
static void option_missing(void)
{
	(void)!setsockopt(udp, SOL_SOCKET, SO_RCVBUF, missing_page() + 8192 - 200, 1000);
	pause(); /* there are no missing pages */
}
/* Packet filters of a network of its own, where there may be one: the page that is
 * missing begins behind `at`, and *fd asks for them. */
static char *filter_missing(int *fd, size_t at)
{
	char *p = missing_page() + 8192 - at;

	if (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
		pause();
	*fd = socket(AF_INET, SOCK_DGRAM, 0);
	return p;
}
static void filter_put(void)
{
	struct ipt_replace q = {
		.name = "filter", .num_entries = 1, .size = 1000, .num_counters = 1};
	int fd;
	char *p = filter_missing(&fd, 512);

	memcpy(p, &q, sizeof(q));
	(void)!setsockopt(fd, SOL_IP, IPT_SO_SET_REPLACE, p, sizeof(q) + q.size);
	pause(); /* there are no filters */
}
static void filter_get(void)
{
	struct ipt_get_entries q = {.name = "filter"};
	struct ipt_getinfo info = {.name = "filter"};
	socklen_t len = sizeof(info);
	int fd;
	char *p = filter_missing(&fd, 128);

	if (getsockopt(fd, SOL_IP, IPT_SO_GET_INFO, &info, &len) != 0)
		pause();
	q.size = info.size;
	len = (socklen_t)sizeof(q) + q.size;
	memcpy(p, &q, sizeof(q));
	(void)!getsockopt(fd, SOL_IP, IPT_SO_GET_ENTRIES, p, &len);
}
static void tty_read(void)
{
	(void)!read(tty_slave, page, 1);
}
static void tty_check(void)
{
	MUST(write(tty, "x\n", 2) == 2 && is_ready(tty_slave, POLLIN));
	MUST(read(tty_slave, page, 2) == 2 && page[0] == 'x');
	MUST(read(tty, page, 8) > 0);
}
static void tty_write(void)
{
	while (write(tty_full_slave, page, 100) > 0)
		;
}
static void tty_full_check(void)
{
	MUST(read(tty_full, page, 4096) > 0);
	fill(tty_full_slave);
}
