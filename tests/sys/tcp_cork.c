/* SPDX-License-Identifier: MIT */
/* net */
/* timeout: 120 */
/* tcp_cork.c - TCP_CORK of connections that have TCP_NODELAY too: what is sent while it
 * is not set is never held, however often it was set before.
 *
 * What is held shows in SIOCOUTQNSD: bytes that were never sent. It is looked at before
 * the time after which Linux sends what is held, or not at all. No pacing: the sockets
 * have reno. */
/* calls: setsockopt getsockopt sendfile writev sendto sendmsg splice */
#include "inet.h"

#include <linux/sockios.h>
#include <sys/sendfile.h>

enum { QUICK_MS = 150, /* of 200 */ ROUNDS = 300 };

static int count(int fd, unsigned long cmd)
{
	int n = -1;

	CHECK(ioctl(fd, cmd, &n) == 0);
	return n;
}

static int unsent(int fd)
{
	return count(fd, SIOCOUTQNSD);
}

/* Nothing is under way any more, so that nothing else keeps what is sent next. */
static void wait_for_acks(int fd)
{
	long start = now_ms();

	while (count(fd, SIOCOUTQ) && now_ms() - start < 20000)
		sched_yield();
	CHECK(count(fd, SIOCOUTQ) == 0);
}

static void reno(int fd)
{
	CHECK(setsockopt(fd, SOL_TCP, TCP_CONGESTION, "reno", 4) == 0);
}

/* [1] was accepted, and has TCP_NODELAY. on_host: not in memory, in a sandbox. */
static void pair(bool on_host, int fd[2])
{
	struct sockaddr_in a = loopback(0);
	int l = socket(AF_INET, SOCK_STREAM, 0);

	CHECK(l >= 0);
	if (on_host)
		CHECK(set_option(l, SOL_SOCKET, SO_REUSEPORT, 1) == 0);
	reno(l);
	CHECK(bind(l, (struct sockaddr *)&a, sizeof(a)) == 0 && listen(l, 4) == 0);
	fd[0] = socket(AF_INET, SOCK_STREAM, 0);
	reno(fd[0]);
	CHECK(fd[0] >= 0 && connect_to(fd[0], port_of(l)) == 0);
	fd[1] = accept(l, NULL, NULL);
	CHECK(fd[1] >= 0 && close(l) == 0);
	CHECK(set_option(fd[1], SOL_TCP, TCP_NODELAY, 1) == 0);
}

static void cork(int fd, int value)
{
	CHECK(set_option(fd, SOL_TCP, TCP_CORK, value) == 0);
	CHECK(option(fd, SOL_TCP, TCP_CORK) == !!value);
	CHECK(option(fd, SOL_TCP, TCP_NODELAY) == 1);
}

static void expect(int fd, const char *text)
{
	size_t len = strlen(text);
	char buf[64];

	CHECK(recv(fd, buf, len, MSG_WAITALL) == (ssize_t)len);
	CHECK(memcmp(buf, text, len) == 0);
}

static void put(int fd, const char *text)
{
	CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
}

/* An answer of two parts, as a web server sends it. */
static void answer(const int fd[2], int file)
{
	off_t at = 0;
	long start;
	int held;

	wait_for_acks(fd[1]);
	cork(fd[1], 1);
	start = now_ms();
	put(fd[1], "head ");
	held = unsent(fd[1]);
	if (now_ms() - start < QUICK_MS)
		CHECK(held == 5);
	CHECK(sendfile(fd[1], file, &at, 4) == 4 && at == 4);
	held = unsent(fd[1]);
	if (now_ms() - start < QUICK_MS)
		CHECK(held == 9);
	cork(fd[1], 0);
	CHECK(unsent(fd[1]) == 0);
	expect(fd[0], "head body");
}

static void answers(bool on_host)
{
	int file;
	int fd[2];

	file_put("body", "body");
	file = open("body", O_RDONLY);
	pair(on_host, fd);
	for (int i = 0; i < 20; i++)
		answer(fd, file);
	cork(fd[1], 0); /* twice */
	cork(fd[1], 7);
	cork(fd[1], 1);
	answer(fd, file);
	close(file);
	close_pair(fd);
}

static void what_is_held_is_sent(void)
{
	answers(true);
	answers(false);
}

/* ---- every way to send ---- */

static void by_write(int fd, int file, int *pipe_end)
{
	(void)file, (void)pipe_end;
	CHECK(write(fd, "body", 4) == 4);
}

static void by_writev(int fd, int file, int *pipe_end)
{
	struct iovec v[2] = {{(void *)"bo", 2}, {(void *)"dy", 2}};

	(void)file, (void)pipe_end;
	CHECK(writev(fd, v, 2) == 4);
}

static void by_send(int fd, int file, int *pipe_end)
{
	(void)file, (void)pipe_end;
	CHECK(send(fd, "body", 4, MSG_NOSIGNAL) == 4);
}

static void by_send_at_once(int fd, int file, int *pipe_end)
{
	(void)file, (void)pipe_end;
	CHECK(send(fd, "body", 4, MSG_DONTWAIT) == 4);
}

static void by_sendmsg(int fd, int file, int *pipe_end)
{
	struct iovec v = {(void *)"body", 4};
	struct msghdr h = {.msg_iov = &v, .msg_iovlen = 1};

	(void)file, (void)pipe_end;
	CHECK(sendmsg(fd, &h, 0) == 4);
}

static void by_sendmmsg(int fd, int file, int *pipe_end)
{
	struct iovec v[2] = {{(void *)"bo", 2}, {(void *)"dy", 2}};
	struct mmsghdr h[2] = {{.msg_hdr = {.msg_iov = &v[0], .msg_iovlen = 1}},
			       {.msg_hdr = {.msg_iov = &v[1], .msg_iovlen = 1}}};

	(void)file, (void)pipe_end;
	CHECK(sendmmsg(fd, h, 2, 0) == 2);
}

static void by_sendfile(int fd, int file, int *pipe_end)
{
	off_t at = 0;

	(void)pipe_end;
	CHECK(sendfile(fd, file, &at, 4) == 4);
}

static void by_splice(int fd, int file, int *pipe_end)
{
	(void)file;
	CHECK(write(pipe_end[1], "body", 4) == 4);
	CHECK(splice(pipe_end[0], NULL, fd, NULL, 4, 0) == 4);
}

static void by_a_child(int fd, int file, int *pipe_end)
{
	pid_t pid = fork();

	(void)file, (void)pipe_end;
	CHECK(pid >= 0);
	if (pid == 0)
		_exit(write(fd, "body", 4) != 4);
	CHECK(child_wait(pid) == 0);
}

static void nothing_is_held_afterwards(void)
{
	static void (*const ways[])(int, int, int *) = {
		by_write,    by_writev, by_send,     by_send_at_once, by_sendmsg,
		by_sendmmsg, by_splice, by_sendfile, by_a_child};
	int pipe_end[2];
	int file;

	file_put("body", "body");
	file = open("body", O_RDONLY);
	CHECK(pipe(pipe_end) == 0);
	for (size_t i = 0; i < 4 * sizeof(ways) / sizeof(*ways); i++) {
		int fd[2];

		pair(i & 1, fd);
		set_nonblock(fd[1], i & 2);
		answer(fd, file);
		wait_for_acks(fd[1]);
		ways[i / 4](fd[1], file, pipe_end);
		CHECK(unsent(fd[1]) == 0);
		expect(fd[0], "body");
		answer(fd, file);
		cork(fd[1], 0);
		wait_for_acks(fd[1]);
		ways[i / 4](fd[1], file, pipe_end);
		CHECK(unsent(fd[1]) == 0);
		expect(fd[0], "body");
		close_pair(fd);
	}
	close(file);
	close(pipe_end[0]);
	close(pipe_end[1]);
}

/* ---- with others ---- */

enum race { UNCORKS, CORKS_AND_UNCORKS };

static int shared_fd;
static enum race what;
static pthread_barrier_t barrier;

static void *corks(void *arg)
{
	(void)arg;
	for (int i = 0; i < ROUNDS; i++) {
		pthread_barrier_wait(&barrier);
		if (what == CORKS_AND_UNCORKS)
			CHECK(set_option(shared_fd, SOL_TCP, TCP_CORK, 1) == 0);
		CHECK(set_option(shared_fd, SOL_TCP, TCP_CORK, 0) == 0);
		pthread_barrier_wait(&barrier);
	}
	return NULL;
}

/* One sends while another uncorks: at the end nothing is held. A kernel may deal with a
 * socket in another way once that has happened, so that each has a few rounds. */
static void race(enum race r, bool on_host, bool nonblock)
{
	pthread_t thread;
	int fd[2];

	what = r;
	pair(on_host, fd);
	CHECK(pthread_barrier_init(&barrier, NULL, 2) == 0);
	CHECK(pthread_create(&thread, NULL, corks, NULL) == 0);
	for (int i = 0; i < ROUNDS; i++) {
		if (i % 3 == 0) {
			close_pair(fd);
			pair(on_host, fd);
			set_nonblock(fd[1], nonblock);
			shared_fd = fd[1];
		}
		wait_for_acks(fd[1]);
		if (r == UNCORKS)
			cork(fd[1], 1);
		pthread_barrier_wait(&barrier);
		put(fd[1], "x");
		pthread_barrier_wait(&barrier);
		CHECK(unsent(fd[1]) == 0);
		expect(fd[0], "x");
	}
	CHECK(pthread_join(thread, NULL) == 0);
	close_pair(fd);
}

static void who_sends_meanwhile_is_heard(void)
{
	for (int i = 0; i < 4; i++) {
		race(UNCORKS, i & 1, i & 2);
		race(CORKS_AND_UNCORKS, i & 1, i & 2);
	}
}

/* ---- ends ---- */

static void without_nodelay(void)
{
	int fd[2];

	pair(true, fd);
	cork(fd[1], 1);
	put(fd[1], "one");
	cork(fd[1], 0);
	expect(fd[0], "one");
	CHECK(set_option(fd[1], SOL_TCP, TCP_NODELAY, 0) == 0);
	CHECK(option(fd[1], SOL_TCP, TCP_NODELAY) == 0);
	CHECK(option(fd[1], SOL_TCP, TCP_CORK) == 0);
	wait_for_acks(fd[1]);
	put(fd[1], "two");
	CHECK(unsent(fd[1]) == 0);
	expect(fd[0], "two");
	CHECK(set_option(fd[1], SOL_TCP, TCP_CORK, 1) == 0);
	put(fd[1], "three");
	CHECK(set_option(fd[1], SOL_TCP, TCP_CORK, 0) == 0);
	CHECK(option(fd[1], SOL_TCP, TCP_CORK) == 0);
	CHECK(option(fd[1], SOL_TCP, TCP_NODELAY) == 0);
	expect(fd[0], "three");
	close_pair(fd);
	/* It goes while corked. */
	pair(true, fd);
	cork(fd[1], 1);
	CHECK(set_option(fd[1], SOL_TCP, TCP_NODELAY, 0) == 0);
	CHECK(option(fd[1], SOL_TCP, TCP_CORK) == 1);
	put(fd[1], "four");
	CHECK(set_option(fd[1], SOL_TCP, TCP_NODELAY, 1) == 0);
	CHECK(unsent(fd[1]) == 0); /* that sends it */
	CHECK(option(fd[1], SOL_TCP, TCP_CORK) == 1);
	expect(fd[0], "four");
	cork(fd[1], 0);
	close_pair(fd);
}

static void the_end_is_sent(void)
{
	int fd[2];
	char c;

	pair(true, fd);
	cork(fd[1], 1);
	cork(fd[1], 0);
	cork(fd[1], 1);
	put(fd[1], "end");
	CHECK(shutdown(fd[1], SHUT_WR) == 0);
	expect(fd[0], "end");
	CHECK(recv(fd[0], &c, 1, 0) == 0);
	close_pair(fd);
	pair(true, fd);
	cork(fd[1], 1);
	cork(fd[1], 0);
	cork(fd[1], 1);
	put(fd[1], "end");
	close(fd[1]);
	expect(fd[0], "end");
	CHECK(recv(fd[0], &c, 1, 0) == 0);
	close(fd[0]);
}

/* Accepted sockets begin with what their listener has. */
static void a_listener_is_not_corked(void)
{
	const struct sockaddr nothing = {.sa_family = AF_UNSPEC};
	struct sockaddr_in a = loopback(0);
	int fd[2];
	int c, s;

	pair(true, fd);
	cork(fd[1], 1);
	cork(fd[1], 0);
	CHECK(connect(fd[1], &nothing, sizeof(nothing)) == 0);
	cork(fd[1], 1);
	cork(fd[1], 0);
	CHECK(bind(fd[1], (struct sockaddr *)&a, sizeof(a)) == 0);
	CHECK(listen(fd[1], 1) == 0);
	c = socket(AF_INET, SOCK_STREAM, 0);
	CHECK(connect_to(c, port_of(fd[1])) == 0);
	s = accept(fd[1], NULL, NULL);
	CHECK(s >= 0 && option(s, SOL_TCP, TCP_CORK) == 0);
	CHECK(option(s, SOL_TCP, TCP_NODELAY) == 1);
	wait_for_acks(s);
	put(s, "said");
	CHECK(unsent(s) == 0);
	expect(c, "said");
	close(s);
	close(c);
	close_pair(fd);
}

/* s has been tried as the connecting side before. */
static void uncork_listener(int s)
{
	int c = socket(AF_INET, SOCK_STREAM, 0);
	int fd;

	CHECK(c >= 0 && listen(s, 1) == 0);
	reno(s);
	CHECK(set_option(s, SOL_TCP, TCP_NODELAY, 1) == 0);
	for (int i = 0; i < 2; i++) {
		cork(s, 1);
		cork(s, 0);
	}
	CHECK(connect_to(c, port_of(s)) == 0);
	set_nonblock(s, false);
	fd = accept(s, NULL, NULL);
	CHECK(fd >= 0 && option(fd, SOL_TCP, TCP_CORK) == 0);
	CHECK(option(fd, SOL_TCP, TCP_NODELAY) == 1);
	put(fd, "said");
	CHECK(unsent(fd) == 0);
	expect(c, "said");
	close(fd);
	close(c);
}

static void who_listens_later_uncorks(void)
{
	const struct sockaddr nothing = {.sa_family = AF_UNSPEC};
	struct sockaddr_in a = loopback(0);
	int closed = socket(AF_INET, SOCK_STREAM, 0);

	CHECK(closed >= 0 && bind(closed, (struct sockaddr *)&a, sizeof(a)) == 0);
	for (int i = 0; i < 4; i++) {
		int fd[2] = {-1, socket(AF_INET, SOCK_STREAM, 0)};
		struct pollfd p;

		if (i & 1) {
			close(fd[1]);
			pair(true, fd);
			CHECK(connect(fd[1], &nothing, sizeof(nothing)) == 0);
			CHECK(bind(fd[1], (struct sockaddr *)&a, sizeof(a)) == 0);
			close(fd[0]);
		} else {
			set_nonblock(fd[1], true);
			FAILS(EINPROGRESS, connect_to(fd[1], port_of(closed)));
			p = (struct pollfd){.fd = fd[1], .events = POLLOUT};
			CHECK(poll(&p, 1, -1) == 1);
			FAILS(ECONNREFUSED, connect_to(fd[1], port_of(closed)));
		}
		if (i & 2)
			CHECK(set_option(fd[1], SOL_SOCKET, SO_REUSEPORT, 1) == 0);
		uncork_listener(fd[1]);
		close(fd[1]);
	}
	close(closed);
}

static void nonsense_changes_nothing(void)
{
	const int on = 1;
	int fd[2];

	pair(true, fd);
	cork(fd[1], 1);
	cork(fd[1], 0);
	FAILS(EINVAL, setsockopt(fd[1], SOL_TCP, TCP_CORK, &on, 3));
	FAILS(EINVAL, setsockopt(fd[1], SOL_TCP, TCP_CORK, &on, (socklen_t)-1));
	FAILS(EFAULT, setsockopt(fd[1], SOL_TCP, TCP_CORK, (void *)16, sizeof(on)));
	CHECK(option(fd[1], SOL_TCP, TCP_CORK) == 0);
	close_pair(fd);
}

RUN(TEST(what_is_held_is_sent), TEST(nothing_is_held_afterwards),
    TEST(who_sends_meanwhile_is_heard), TEST(without_nodelay), TEST(the_end_is_sent),
    TEST(a_listener_is_not_corked), TEST(who_listens_later_uncorks),
    TEST(nonsense_changes_nothing))
