/* SPDX-License-Identifier: MIT */
/* net */
/* inet_tcp.c - streams of AF_INET: connecting, transfer, the end and its many forms. */
/* calls: socket bind listen accept accept4 connect shutdown getsockname getpeername
 * sendto recvfrom */
#include "inet.h"

static void names_are_told(void)
{
	struct sockaddr_in a;
	socklen_t len = sizeof(a);
	int fd[2];

	tcp_pair(fd);
	CHECK(getpeername(fd[0], (struct sockaddr *)&a, &len) == 0);
	CHECK(len == sizeof(a) && a.sin_family == AF_INET);
	CHECK(a.sin_addr.s_addr == htonl(INADDR_LOOPBACK));
	CHECK(ntohs(a.sin_port) == port_of(fd[1]));
	len = 4; /* cut, and the true length told */
	memset(&a, 0xee, sizeof(a));
	CHECK(getsockname(fd[0], (struct sockaddr *)&a, &len) == 0);
	CHECK(len == sizeof(a) && ntohs(a.sin_port) == port_of(fd[0]));
	CHECK(a.sin_addr.s_addr == 0xeeeeeeee);
	len = (socklen_t)-1;
	FAILS(EINVAL, getsockname(fd[0], (struct sockaddr *)&a, &len));
	close_pair(fd);
	fd[0] = socket_at(SOCK_STREAM, 0);
	len = sizeof(a);
	FAILS(ENOTCONN, getpeername(fd[0], (struct sockaddr *)&a, &len));
	FAILS(EFAULT, getsockname(fd[0], (struct sockaddr *)16, &len));
	close(fd[0]);
}

static void accept_tells_the_peer(void)
{
	struct sockaddr_in a;
	socklen_t len = sizeof(a);
	int l = listener();
	int c = socket(AF_INET, SOCK_STREAM, 0);
	int s;

	CHECK(connect_to(c, port_of(l)) == 0);
	s = accept4(l, (struct sockaddr *)&a, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
	CHECK(s >= 0 && len == sizeof(a) && ntohs(a.sin_port) == port_of(c));
	CHECK(fcntl(s, F_GETFD) == FD_CLOEXEC);
	CHECK(fcntl(s, F_GETFL) == (O_RDWR | O_NONBLOCK));
	FAILS(EAGAIN, recv(s, &a, 1, 0));
	close(s);
	s = -1;
	FAILS(EINVAL, accept4(l, NULL, NULL, 1));
	FAILS(EOPNOTSUPP, accept(socket(AF_INET, SOCK_DGRAM, 0), NULL, NULL));
	FAILS(EINVAL, accept(c, NULL, NULL)); /* does not listen */
	set_nonblock(l, true);
	FAILS(EAGAIN, accept(l, NULL, NULL));
	close(c);
	close(l);
}

static void bytes_go_both_ways(void)
{
	char buf[64] = {0};
	int fd[2];

	tcp_pair(fd);
	CHECK(write(fd[0], "hello", 5) == 5);
	CHECK(read(fd[1], buf, sizeof(buf)) == 5 && !memcmp(buf, "hello", 5));
	CHECK(send(fd[1], "world", 5, 0) == 5);
	CHECK(recv(fd[0], buf, 2, MSG_PEEK) == 2 && !memcmp(buf, "wo", 2));
	CHECK(recv(fd[0], buf, 2, MSG_TRUNC) == 2); /* thrown away */
	CHECK(recv(fd[0], buf, sizeof(buf), 0) == 3 && !memcmp(buf, "rld", 3));
	FAILS(EAGAIN, recv(fd[0], buf, sizeof(buf), MSG_DONTWAIT));
	CHECK(send(fd[0], "", 0, 0) == 0);
	CHECK(read(fd[0], buf, 0) == 0);
	close_pair(fd);
}

static void vectors_are_gathered_and_scattered(void)
{
	struct iovec v[40];
	char data[40];
	char back[41] = {0};
	int fd[2];

	tcp_pair(fd);
	for (int i = 0; i < 40; i++) {
		data[i] = (char)('0' + i);
		v[i] = (struct iovec){&data[i], 1};
	}
	CHECK(writev(fd[0], v, 40) == 40);
	CHECK(recv(fd[1], back, 40, MSG_WAITALL) == 40 && !memcmp(data, back, 40));
	for (int i = 0; i < 40; i++)
		v[i].iov_base = &back[39 - i];
	CHECK(write(fd[1], data, 40) == 40);
	CHECK(ready(fd[0], POLLIN, 5000) == POLLIN);
	CHECK(readv(fd[0], v, 40) == 40);
	for (int i = 0; i < 40; i++)
		CHECK(back[i] == data[39 - i]);
	close_pair(fd);
}

static int slow_fd;

static void send_in_parts(void)
{
	for (int i = 0; i < 5; i++) {
		sleep_ms(20);
		CHECK(write(slow_fd, "part!", 5) == 5);
	}
}

static void waitall_waits_for_all(void)
{
	char buf[64];
	int fd[2];
	pid_t pid;

	tcp_pair(fd);
	slow_fd = fd[0];
	pid = child_start(send_in_parts);
	CHECK(recv(fd[1], buf, 25, MSG_WAITALL) == 25 && !memcmp(buf + 20, "part!", 5));
	CHECK(child_wait(pid) == 0);
	CHECK(write(fd[0], "end", 3) == 3);
	CHECK(shutdown(fd[0], SHUT_WR) == 0);
	CHECK(recv(fd[1], buf, 25, MSG_WAITALL) == 3); /* the end comes first */
	CHECK(recv(fd[1], buf, 25, MSG_WAITALL) == 0);
	close_pair(fd);
}

static void a_large_send_blocks_until_it_is_all_taken(void)
{
	enum { SIZE = 8 << 20 };
	char *data = malloc(SIZE);
	int fd[2];
	pid_t pid;

	CHECK(data);
	for (size_t i = 0; i < SIZE; i++)
		data[i] = (char)(i * 31 >> 7);
	tcp_pair(fd);
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		char *got = malloc(SIZE);

		sleep_ms(50);
		CHECK(recv(fd[1], got, SIZE, MSG_WAITALL) == SIZE);
		CHECK(!memcmp(got, data, SIZE));
		_exit(0);
	}
	CHECK(send(fd[0], data, SIZE, 0) == SIZE);
	CHECK(child_wait(pid) == 0);
	close_pair(fd);
	free(data);
}

static void half_closed_connections_go_on(void)
{
	char c;
	int fd[2];

	tcp_pair(fd);
	CHECK(shutdown(fd[0], SHUT_WR) == 0);
	CHECK(read(fd[1], &c, 1) == 0);
	CHECK(write(fd[1], "x", 1) == 1);
	CHECK(read(fd[0], &c, 1) == 1 && c == 'x');
	CHECK(ready(fd[1], POLLIN | POLLRDHUP, 0) == (POLLIN | POLLRDHUP));
	CHECK(shutdown(fd[1], SHUT_RDWR) == 0);
	CHECK(read(fd[0], &c, 1) == 0);
	FAILS(EINVAL, shutdown(fd[0], 7));
	close_pair(fd);
	fd[0] = socket(AF_INET, SOCK_STREAM, 0);
	FAILS(ENOTCONN, recv(fd[0], &c, 1, 0));
	FAILS(ENOTCONN, shutdown(fd[0], SHUT_RD));
	close(fd[0]);
}

static volatile sig_atomic_t pipes;

static void count_pipes(int sig)
{
	(void)sig;
	pipes++;
}

static void sigpipe_is_the_writers(void)
{
	int fd[2];

	signal(SIGPIPE, count_pipes);
	pipes = 0;
	tcp_pair(fd);
	CHECK(shutdown(fd[0], SHUT_WR) == 0);
	FAILS(EPIPE, write(fd[0], "x", 1));
	CHECK(pipes == 1);
	FAILS(EPIPE, send(fd[0], "x", 1, MSG_NOSIGNAL));
	CHECK(pipes == 1);
	FAILS(EPIPE, send(fd[0], "x", 1, MSG_DONTWAIT));
	CHECK(pipes == 2);
	close_pair(fd);
	fd[0] = socket(AF_INET, SOCK_STREAM, 0);
	FAILS(EPIPE, send(fd[0], "x", 1, 0)); /* not connected */
	CHECK(pipes == 3);
	close(fd[0]);
	signal(SIGPIPE, SIG_DFL);
}

static void write_and_die(void)
{
	int fd[2];

	tcp_pair(fd);
	CHECK(shutdown(fd[0], SHUT_WR) == 0);
	(void)!write(fd[0], "x", 1);
}

static void sigpipe_kills(void)
{
	int status = in_child(write_and_die);

	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE);
}

static void a_reset_is_told_once(void)
{
	struct linger hard = {1, 0};
	char c;
	int fd[2];

	signal(SIGPIPE, SIG_IGN);
	tcp_pair(fd);
	CHECK(setsockopt(fd[0], SOL_SOCKET, SO_LINGER, &hard, sizeof(hard)) == 0);
	CHECK(close(fd[0]) == 0);
	CHECK(ready(fd[1], POLLIN, 5000) == (POLLIN | POLLERR | POLLHUP));
	FAILS(ECONNRESET, recv(fd[1], &c, 1, 0));
	CHECK(recv(fd[1], &c, 1, 0) == 0);
	FAILS(EPIPE, send(fd[1], &c, 1, 0));
	CHECK(close(fd[1]) == 0);
	/* data that nobody has read make a close a reset, too */
	tcp_pair(fd);
	CHECK(write(fd[1], "unread", 6) == 6);
	CHECK(ready(fd[0], POLLIN, 5000) == POLLIN);
	CHECK(close(fd[0]) == 0);
	CHECK(ready(fd[1], POLLIN, 5000) & POLLERR);
	CHECK(option(fd[1], SOL_SOCKET, SO_ERROR) == ECONNRESET);
	CHECK(option(fd[1], SOL_SOCKET, SO_ERROR) == 0);
	CHECK(close(fd[1]) == 0);
	signal(SIGPIPE, SIG_DFL);
}

static void lingering_waits_for_the_peer(void)
{
	struct linger wait = {1, 1};
	int fd[2];
	long start;

	tcp_pair(fd);
	CHECK(setsockopt(fd[0], SOL_SOCKET, SO_LINGER, &wait, sizeof(wait)) == 0);
	fill_up(fd[0]);
	start = now_ms();
	CHECK(close(fd[0]) == 0); /* nobody reads: all of the second */
	CHECK(now_ms() - start >= 900 && now_ms() - start < 20000);
	CHECK(close(fd[1]) == 0);
	tcp_pair(fd);
	wait.l_linger = 40;
	CHECK(setsockopt(fd[0], SOL_SOCKET, SO_LINGER, &wait, sizeof(wait)) == 0);
	start = now_ms();
	CHECK(shutdown(fd[1], SHUT_WR) == 0);
	CHECK(close(fd[0]) == 0); /* all is sent */
	CHECK(now_ms() - start < 30000);
	CHECK(close(fd[1]) == 0);
}

static void nobody_listens(void)
{
	int l = socket_at(SOCK_STREAM, 0); /* keeps its port, but does not listen */
	int c = socket(AF_INET, SOCK_STREAM, 0);

	FAILS(ECONNREFUSED, connect_to(c, port_of(l)));
	close(c);
	c = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	FAILS(EINPROGRESS, connect_to(c, port_of(l)));
	CHECK(ready(c, POLLOUT, 5000) & POLLOUT);
	CHECK(option(c, SOL_SOCKET, SO_ERROR) == ECONNREFUSED);
	CHECK(option(c, SOL_SOCKET, SO_ERROR) == 0);
	close(c);
	close(l);
}

static void nonblocking_connect(void)
{
	struct sockaddr_in none = {.sin_family = AF_UNSPEC};
	int l = listener();
	int c = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	char b;

	CHECK(ready(c, POLLOUT, 0) == (POLLOUT | POLLHUP));
	FAILS(EINPROGRESS, connect_to(c, port_of(l)));
	CHECK(ready(c, POLLOUT, 5000) == POLLOUT);
	CHECK(option(c, SOL_SOCKET, SO_ERROR) == 0);
	CHECK(connect_to(c, port_of(l)) == 0 || errno == EISCONN);
	FAILS(EISCONN, connect_to(c, port_of(l)));
	FAILS(EAGAIN, recv(c, &b, 1, 0));
	set_nonblock(c, false); /* and blocks from then on */
	{
		int s = accept(l, NULL, NULL);

		CHECK(s >= 0);
		slow_fd = s;
		pid_t pid = child_start(send_in_parts);
		char buf[5];

		CHECK(recv(c, buf, 5, MSG_WAITALL) == 5);
		CHECK(child_wait(pid) == 0);
		close(s);
	}
	CHECK(connect(c, (struct sockaddr *)&none, sizeof(none)) == 0);
	FAILS(ENOTCONN,
	      getpeername(c, (struct sockaddr *)&none, &(socklen_t){sizeof(none)}));
	close(c);
	close(l);
}

static void a_full_queue_keeps_connections_waiting(void)
{
	int l = socket_at(SOCK_STREAM, 0);
	int c[8];

	CHECK(listen(l, 0) == 0);
	for (int i = 0; i < 8; i++) {
		c[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		FAILS(EINPROGRESS, connect_to(c[i], port_of(l)));
	}
	FAILS(EALREADY, connect_to(c[7], port_of(l)));
	CHECK(ready(c[0], POLLOUT, 20000) == POLLOUT);
	CHECK(ready(c[7], POLLOUT, 0) == 0);
	for (int i = 0; i < 8; i++)
		close(c[i]);
	close(l);
}

static void urgent_data(void)
{
	char buf[16];
	int mark = -1;
	int fd[2];

	tcp_pair(fd);
	FAILS(EINVAL, recv(fd[1], buf, 1, MSG_OOB));
	CHECK(send(fd[0], "abc", 3, 0) == 3);
	CHECK(send(fd[0], "!", 1, MSG_OOB) == 1);
	CHECK(send(fd[0], "def", 3, 0) == 3);
	CHECK(ready(fd[1], POLLPRI, 5000) == POLLPRI);
	CHECK(ioctl(fd[1], SIOCATMARK, &mark) == 0 && mark == 0);
	CHECK(recv(fd[1], buf, sizeof(buf), MSG_WAITALL) == 3 && !memcmp(buf, "abc", 3));
	CHECK(ioctl(fd[1], SIOCATMARK, &mark) == 0 && mark == 1);
	CHECK(recv(fd[1], buf, sizeof(buf), MSG_OOB) == 1 && buf[0] == '!');
	CHECK(recv(fd[1], buf, sizeof(buf), 0) == 3 && !memcmp(buf, "def", 3));
	CHECK(set_option(fd[1], SOL_SOCKET, SO_OOBINLINE, 1) == 0);
	CHECK(send(fd[0], "?", 1, MSG_OOB) == 1);
	CHECK(ready(fd[1], POLLIN, 5000) & POLLIN);
	CHECK(recv(fd[1], buf, sizeof(buf), 0) == 1 && buf[0] == '?');
	close_pair(fd);
}

static void queues_are_counted(void)
{
	char buf[16];
	int n = -1;
	int fd[2];

	tcp_pair(fd);
	CHECK(ioctl(fd[1], FIONREAD, &n) == 0 && n == 0);
	CHECK(write(fd[0], "12345", 5) == 5);
	CHECK(ready(fd[1], POLLIN, 5000) == POLLIN);
	CHECK(ioctl(fd[1], FIONREAD, &n) == 0 && n == 5);
	CHECK(ioctl(fd[0], TIOCOUTQ, &n) == 0 && n >= 0 && n <= 5);
	FAILS(EFAULT, ioctl(fd[1], FIONREAD, (int *)16));
	FAILS(ENOTTY, ioctl(fd[1], TCGETS, buf));
	n = 1;
	CHECK(ioctl(fd[1], FIONBIO, &n) == 0);
	CHECK(read(fd[1], buf, sizeof(buf)) == 5);
	FAILS(EAGAIN, read(fd[1], buf, sizeof(buf)));
	close_pair(fd);
}

static void kinds_of_sockets(void)
{
	static const struct {
		int domain, type, protocol, error;
	} bad[] = {
		{AF_INET, SOCK_STREAM, IPPROTO_UDP, EPROTONOSUPPORT},
		{AF_INET, SOCK_DGRAM, IPPROTO_TCP, EPROTONOSUPPORT},
		{AF_INET, SOCK_STREAM, -1, EINVAL},
		{AF_INET, SOCK_STREAM, 1000, EINVAL},
		{AF_INET, SOCK_STREAM, 200, EPROTONOSUPPORT},
		{AF_INET, SOCK_SEQPACKET, 0, ESOCKTNOSUPPORT},
		{AF_INET, 9, 0, ESOCKTNOSUPPORT},
		{AF_INET, 11, 0, EINVAL},
		{AF_INET, SOCK_STREAM | 0x100, 0, EINVAL},
		{AF_INET6, SOCK_STREAM, IPPROTO_UDP, EPROTONOSUPPORT},
		{-1, SOCK_STREAM, 0, EAFNOSUPPORT},
		{1000, SOCK_STREAM, 0, EAFNOSUPPORT},
	};
	int fd = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
	int pair[2];

	CHECK(option(fd, SOL_SOCKET, SO_TYPE) == SOCK_STREAM);
	CHECK(option(fd, SOL_SOCKET, SO_DOMAIN) == AF_INET);
	CHECK(option(fd, SOL_SOCKET, SO_PROTOCOL) == IPPROTO_TCP);
	close(fd);
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	CHECK(option(fd, SOL_SOCKET, SO_PROTOCOL) == IPPROTO_UDP);
	close(fd);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		FAILS(bad[i].error, socket(bad[i].domain, bad[i].type, bad[i].protocol));
	FAILS(EOPNOTSUPP, socketpair(AF_INET, SOCK_STREAM, 0, pair));
}

static void addresses_are_checked(void)
{
	struct sockaddr_in a = loopback(0);
	struct sockaddr_storage big = {.ss_family = AF_INET};
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	int other;

	FAILS(EINVAL, bind(fd, (struct sockaddr *)&a, 8));
	FAILS(EINVAL, bind(fd, (struct sockaddr *)&big, sizeof(big) + 1));
	FAILS(EINVAL, bind(fd, (struct sockaddr *)&a, (socklen_t)-1));
	FAILS(EFAULT, bind(fd, (struct sockaddr *)16, sizeof(a)));
	a.sin_family = AF_UNIX;
	FAILS(EAFNOSUPPORT, bind(fd, (struct sockaddr *)&a, sizeof(a)));
	FAILS(EAFNOSUPPORT, connect(fd, (struct sockaddr *)&a, sizeof(a)));
	FAILS(EINVAL, connect(fd, (struct sockaddr *)&a, 1));
	a.sin_family = AF_INET;
	FAILS(EINVAL, connect(fd, (struct sockaddr *)&a, 8));
	a.sin_addr.s_addr = htonl(0x01020304); /* not ours */
	FAILS(EADDRNOTAVAIL, bind(fd, (struct sockaddr *)&a, sizeof(a)));
	a = loopback(0);
	CHECK(bind(fd, (struct sockaddr *)&a, sizeof(a)) == 0);
	FAILS(EINVAL, bind(fd, (struct sockaddr *)&a, sizeof(a))); /* has one */
	CHECK(listen(fd, -1) == 0);
	other = socket(AF_INET, SOCK_STREAM, 0);
	a = loopback(port_of(fd));
	FAILS(EADDRINUSE, bind(other, (struct sockaddr *)&a, sizeof(a)));
	close(other);
	close(fd);
	FAILS(EBADF, listen(fd, 1));
	FAILS(ENOTSOCK, listen(0, 1));
	FAILS(ENOTSOCK, connect_to(1, 1));
}

static void bad_memory_is_refused(void)
{
	char *edge = page_edge();
	int fd[2];

	tcp_pair(fd);
	CHECK(write(fd[0], "0123456789", 10) == 10);
	CHECK(ready(fd[1], POLLIN, 5000) == POLLIN);
	FOR_BAD(p)
	{
		FAILS(EFAULT, send(fd[0], p, 8, 0));
		FAILS(EFAULT, recv(fd[1], p, 8, 0));
	}
	CHECK(recv(fd[1], edge - 4, 4, 0) == 4);
	CHECK(!memcmp(edge - 4, "0123", 4));
	close_pair(fd);
}

static void children_share_sockets(void)
{
	char buf[8];
	int l = listener();
	int s;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		int c = socket(AF_INET, SOCK_STREAM, 0);

		CHECK(connect_to(c, port_of(l)) == 0);
		CHECK(close(l) == 0);
		CHECK(write(c, "child", 5) == 5);
		CHECK(read(c, buf, sizeof(buf)) == 6 && !memcmp(buf, "parent", 6));
		_exit(0);
	}
	s = accept(l, NULL, NULL);
	CHECK(s >= 0);
	CHECK(read(s, buf, sizeof(buf)) == 5 && !memcmp(buf, "child", 5));
	fflush(stdout);
	if (fork() == 0) { /* another child answers on the same connection */
		CHECK(write(s, "parent", 6) == 6);
		_exit(0);
	}
	close(s);
	CHECK(child_wait(pid) == 0);
	CHECK(wait(NULL) > 0);
	close(l);
}

static int taken_by_thread;

static void *receiver(void *arg)
{
	char c;
	int fd = *(int *)arg;

	for (;;) {
		ssize_t n = recv(fd, &c, 1, 0);

		CHECK(n >= 0);
		if (n == 0)
			break;
		__atomic_add_fetch(&taken_by_thread, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

static void many_threads_receive(void)
{
	pthread_t t[4];
	int fd[2];

	tcp_pair(fd);
	for (int i = 0; i < 4; i++)
		CHECK(pthread_create(&t[i], NULL, receiver, &fd[1]) == 0);
	for (int i = 0; i < 2000; i++)
		CHECK(write(fd[0], "x", 1) == 1);
	CHECK(shutdown(fd[0], SHUT_WR) == 0);
	for (int i = 0; i < 4; i++)
		CHECK(pthread_join(t[i], NULL) == 0);
	CHECK(taken_by_thread == 2000);
	close_pair(fd);
}

static void sendfile_and_splice_reach_sockets(void)
{
	char buf[64];
	int fd[2], p[2];

	tcp_pair(fd);
	CHECK(pipe(p) == 0);
	CHECK(write(p[1], "through a pipe", 14) == 14);
	CHECK(splice(p[0], NULL, fd[0], NULL, 14, 0) == 14);
	CHECK(recv(fd[1], buf, 14, MSG_WAITALL) == 14);
	CHECK(!memcmp(buf, "through a pipe", 14));
	CHECK(write(fd[1], "and back", 8) == 8);
	CHECK(ready(fd[0], POLLIN, 5000) == POLLIN);
	CHECK(splice(fd[0], NULL, p[1], NULL, 64, 0) == 8);
	CHECK(read(p[0], buf, sizeof(buf)) == 8 && !memcmp(buf, "and back", 8));
	close_pair(fd);
	close_pair(p);
}

RUN(TEST(names_are_told), TEST(accept_tells_the_peer), TEST(bytes_go_both_ways),
    TEST(vectors_are_gathered_and_scattered), TEST(waitall_waits_for_all),
    TEST(a_large_send_blocks_until_it_is_all_taken), TEST(half_closed_connections_go_on),
    TEST(sigpipe_is_the_writers), TEST(sigpipe_kills), TEST(a_reset_is_told_once),
    TEST(lingering_waits_for_the_peer), TEST(nobody_listens), TEST(nonblocking_connect),
    TEST(a_full_queue_keeps_connections_waiting), TEST(urgent_data),
    TEST(queues_are_counted), TEST(kinds_of_sockets), TEST(addresses_are_checked),
    TEST(bad_memory_is_refused), TEST(children_share_sockets), TEST(many_threads_receive),
    TEST(sendfile_and_splice_reach_sockets))
