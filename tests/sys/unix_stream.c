/* SPDX-License-Identifier: MIT */
/* files */
/* AF_UNIX streams: ends, room, blocking, poll, signals, peeking, waiting for all. */
/* calls: socketpair connect accept recvfrom sendto */
#include "unix_socket.h"

#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/un.h>

static int s[2];

static void pair(int flags)
{
	CHECK(socketpair(AF_UNIX, SOCK_STREAM | flags, 0, s) == 0);
}

static void shut(void)
{
	CHECK(close(s[0]) == 0 && close(s[1]) == 0);
}

static void end_of_file_comes_after_the_data(void)
{
	char b[8];

	pair(0);
	CHECK(write(s[0], "xyz", 3) == 3 && close(s[0]) == 0);
	CHECK(poll_bits(s[1]) == (READABLE | WRITABLE | POLLHUP | POLLRDHUP));
	CHECK(read(s[1], b, 2) == 2 && read(s[1], b, 8) == 1 && b[0] == 'z');
	CHECK(read(s[1], b, 8) == 0 && read(s[1], b, 8) == 0);
	signal(SIGPIPE, SIG_IGN);
	FAILS(EPIPE, write(s[1], "q", 1));
	signal(SIGPIPE, SIG_DFL);
	FAILS(EPIPE, send(s[1], "q", 1, MSG_NOSIGNAL));
	CHECK(close(s[1]) == 0);
}

static void unread_data_is_a_reset(void)
{
	int err = -1;
	socklen_t len = sizeof(err);
	char b[8];

	pair(0);
	CHECK(write(s[1], "lost", 4) == 4 && write(s[0], "kept", 4) == 4);
	CHECK(close(s[0]) == 0);
	CHECK(poll_bits(s[1]) == (READABLE | WRITABLE | POLLHUP | POLLRDHUP | POLLERR));
	CHECK(read(s[1], b, 8) == 4);
	FAILS(ECONNRESET, read(s[1], b, 8));
	CHECK(read(s[1], b, 8) == 0);
	CHECK(getsockopt(s[1], SOL_SOCKET, SO_ERROR, &err, &len) == 0 && err == 0);
	CHECK(close(s[1]) == 0);
	pair(0);
	CHECK(write(s[1], "lost", 4) == 4 && close(s[0]) == 0);
	CHECK(getsockopt(s[1], SOL_SOCKET, SO_ERROR, &err, &len) == 0);
	CHECK(err == ECONNRESET && read(s[1], b, 8) == 0 && close(s[1]) == 0);
}

static void write_to_the_dead(void)
{
	signal(SIGPIPE, SIG_DFL);
	CHECK(close(s[0]) == 0);
	CHECK(write(s[1], "x", 1) == -1);
}

static void a_write_to_the_dead_is_sigpipe(void)
{
	int status;

	pair(0);
	CHECK(close(s[0]) == 0);
	s[0] = dup(0);
	status = in_child(write_to_the_dead);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE);
	shut();
}

static void poll_tells_the_state(void)
{
	static char b[300000];
	int alone = socket(AF_UNIX, SOCK_STREAM, 0);
	ssize_t n;

	CHECK(poll_bits(alone) == (WRITABLE | POLLHUP) && close(alone) == 0);
	pair(SOCK_NONBLOCK);
	CHECK(poll_bits(s[0]) == WRITABLE && poll_bits(s[1]) == WRITABLE);
	CHECK(write(s[0], "a", 1) == 1);
	CHECK(poll_bits(s[0]) == WRITABLE && poll_bits(s[1]) == (READABLE | WRITABLE));
	while (write(s[0], b, sizeof(b)) > 0)
		;
	CHECK(errno == EAGAIN && poll_bits(s[0]) == 0);
	/* Half empty is not yet writable. */
	for (long got = 0; got < 100000; got += n)
		CHECK((n = read(s[1], b, 10000)) > 0);
	CHECK(poll_bits(s[0]) == 0);
	while (read(s[1], b, sizeof(b)) > 0)
		;
	CHECK(errno == EAGAIN && poll_bits(s[0]) == WRITABLE);
	shut();
}

static void small_writes_fill_it(void)
{
	static char b[1000];
	long n = 0, m = 0;
	ssize_t r;

	pair(SOCK_NONBLOCK);
	while ((r = write(s[0], b, sizeof(b))) > 0)
		n += r;
	CHECK(errno == EAGAIN && n >= 50000 && n < 500000);
	while ((r = read(s[1], b, sizeof(b))) > 0)
		m += r;
	CHECK(m == n);
	shut();
}

static void *write_much(void *arg)
{
	static char b[1000003];

	(void)arg;
	for (size_t i = 0; i < sizeof(b); i++)
		b[i] = (char)(i * 7 + i / 251);
	CHECK(write(s[0], b, sizeof(b)) == (ssize_t)sizeof(b));
	CHECK(shutdown(s[0], SHUT_WR) == 0);
	return NULL;
}

static void a_blocked_writer_goes_on(void)
{
	static char b[20000];
	size_t at = 0;
	pthread_t t;
	ssize_t n;

	pair(0);
	CHECK(pthread_create(&t, NULL, write_much, NULL) == 0);
	sleep_ms(20);
	while ((n = read(s[1], b, 1 + at % sizeof(b))) > 0)
		for (ssize_t i = 0; i < n; i++, at++)
			CHECK(b[i] == (char)(at * 7 + at / 251));
	CHECK(n == 0 && at == 1000003 && pthread_join(t, NULL) == 0);
	shut();
}

static void wait_for_all_waits_for_more_than_fits(void)
{
	static char b[1000003];
	pthread_t t;

	pair(0);
	CHECK(pthread_create(&t, NULL, write_much, NULL) == 0);
	CHECK(recv(s[1], b, sizeof(b), MSG_WAITALL) == (ssize_t)sizeof(b));
	CHECK(b[1000002] == (char)(1000002 * 7 + 1000002 / 251));
	CHECK(recv(s[1], b, 10, MSG_WAITALL) == 0 && pthread_join(t, NULL) == 0);
	shut();
	pair(0);
	CHECK(write(s[0], "abc", 3) == 3 && close(s[0]) == 0);
	CHECK(recv(s[1], b, 10, MSG_WAITALL) == 3 && close(s[1]) == 0);
	pair(0);
	CHECK(write(s[0], "abc", 3) == 3);
	CHECK(recv(s[1], b, 10, MSG_WAITALL | MSG_DONTWAIT) == 3);
	FAILS(EAGAIN, recv(s[1], b, 10, MSG_WAITALL | MSG_DONTWAIT));
	shut();
}

static void peeking_leaves_it_there(void)
{
	char b[8];
	int off;
	socklen_t len = sizeof(off);

	pair(SOCK_NONBLOCK);
	FAILS(EAGAIN, recv(s[1], b, 8, MSG_PEEK));
	CHECK(write(s[0], "abc", 3) == 3 && write(s[0], "def", 3) == 3);
	CHECK(recv(s[1], b, 8, MSG_PEEK) == 6 && memcmp(b, "abcdef", 6) == 0);
	CHECK(recv(s[1], b, 2, MSG_PEEK) == 2 && memcmp(b, "ab", 2) == 0);
	CHECK(getsockopt(s[1], SOL_SOCKET, SO_PEEK_OFF, &off, &len) == 0 && off == -1);
	off = 1;
	CHECK(setsockopt(s[1], SOL_SOCKET, SO_PEEK_OFF, &off, sizeof(off)) == 0);
	CHECK(recv(s[1], b, 2, MSG_PEEK) == 2 && memcmp(b, "bc", 2) == 0);
	CHECK(recv(s[1], b, 2, MSG_PEEK) == 2 && memcmp(b, "de", 2) == 0);
	CHECK(recv(s[1], b, 1, 0) == 1 && b[0] == 'a');
	CHECK(recv(s[1], b, 8, MSG_PEEK) == 1 && b[0] == 'f');
	FAILS(EAGAIN, recv(s[1], b, 8, MSG_PEEK));
	CHECK(recv(s[1], b, 8, 0) == 5);
	shut();
}

static void nothing_is_not_end_of_file(void)
{
	char b;

	pair(SOCK_NONBLOCK);
	CHECK(read(s[1], &b, 0) == 0 && write(s[0], "", 0) == 0);
	FAILS(EAGAIN, recv(s[1], &b, 0, 0));
	FAILS(EAGAIN, recv(s[1], &b, 1, 0));
	CHECK(write(s[0], "a", 1) == 1 && recv(s[1], &b, 0, 0) == 0);
	CHECK(recv(s[1], &b, 1, 0) == 1);
	shut();
}

static void timeouts_end_a_wait(void)
{
	struct timeval tv = {0, 30000}, got;
	socklen_t len = sizeof(got);
	static char b[300000];
	struct interrupter in;
	long start = now_ms();

	pair(0);
	CHECK(setsockopt(s[1], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)) == 0);
	CHECK(getsockopt(s[1], SOL_SOCKET, SO_RCVTIMEO, &got, &len) == 0);
	CHECK(got.tv_sec == 0 && got.tv_usec >= 28000 && got.tv_usec <= 32000);
	FAILS(EAGAIN, read(s[1], b, 1));
	CHECK(now_ms() - start >= 25);
	CHECK(setsockopt(s[0], SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv)) == 0);
	CHECK(write(s[0], b, sizeof(b)) < (ssize_t)sizeof(b));
	FAILS(EAGAIN, write(s[0], b, 1));
	shut();
	/* With a timeout a handler ends it, SA_RESTART or not. */
	pair(0);
	tv.tv_sec = 5;
	CHECK(setsockopt(s[1], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)) == 0);
	interrupt_start(&in, SA_RESTART, -1);
	FAILS(EINTR, read(s[1], b, 1));
	interrupt_stop(&in);
	shut();
}

static void signals_interrupt_or_restart(void)
{
	static char b[300000];
	struct interrupter in;
	ssize_t n;

	pair(0);
	interrupt_start(&in, 0, -1);
	FAILS(EINTR, read(s[1], b, 1));
	n = write(s[0], b, sizeof(b));
	CHECK(n > 0 && n < (ssize_t)sizeof(b));
	FAILS(EINTR, write(s[0], b, 1000));
	interrupt_stop(&in);
	shut();
	pair(0);
	interrupt_start(&in, SA_RESTART, s[0]);
	CHECK(read(s[1], b, 1) == 1 && interrupts >= 1); /* some came as one */
	interrupt_stop(&in);
	shut();
}

static void bad_memory(void)
{
	char *edge = page_edge();
	char b[8];

	pair(SOCK_NONBLOCK);
	FAILS(EFAULT, write(s[0], edge, 1));
	FAILS(EFAULT, write(s[0], edge - 3, 8));
	FAILS(EAGAIN, read(s[1], b, 1));
	CHECK(write(s[0], "abcdef", 6) == 6);
	FAILS(EFAULT, read(s[1], edge, 4));
	CHECK(read(s[1], b, 8) == 6 && memcmp(b, "abcdef", 6) == 0);
	shut();
}

static volatile sig_atomic_t ios;

static void on_io(int sig)
{
	(void)sig;
	ios++;
}

static void sigio_is_sent(void)
{
	signal(SIGIO, on_io);
	pair(0);
	ios = 0;
	CHECK(fcntl(s[1], F_SETOWN, getpid()) == 0);
	CHECK(fcntl(s[1], F_SETFL, O_ASYNC) == 0);
	CHECK(write(s[0], "a", 1) == 1 && ios == 1);
	CHECK(write(s[0], "a", 1) == 1 && ios == 2);
	CHECK(shutdown(s[0], SHUT_WR) == 0 && ios == 3);
	CHECK(close(s[0]) == 0 && ios == 4);
	CHECK(close(s[1]) == 0);
	signal(SIGIO, SIG_DFL);
}

static void epoll_sees_edges(void)
{
	struct epoll_event e = {.events = EPOLLIN | EPOLLET | EPOLLRDHUP};
	int ep = epoll_create1(0);
	char b[8];

	pair(0);
	CHECK(epoll_ctl(ep, EPOLL_CTL_ADD, s[1], &e) == 0);
	CHECK(epoll_wait(ep, &e, 1, 0) == 0);
	CHECK(write(s[0], "ab", 2) == 2);
	CHECK(epoll_wait(ep, &e, 1, 0) == 1 && e.events == EPOLLIN);
	CHECK(epoll_wait(ep, &e, 1, 0) == 0);
	CHECK(write(s[0], "c", 1) == 1 && epoll_wait(ep, &e, 1, 0) == 1);
	CHECK(read(s[1], b, 1) == 1 && epoll_wait(ep, &e, 1, 0) == 0);
	CHECK(close(s[0]) == 0 && epoll_wait(ep, &e, 1, 0) == 1);
	CHECK(e.events == (EPOLLIN | EPOLLHUP | EPOLLRDHUP));
	CHECK(close(ep) == 0 && close(s[1]) == 0);
}

static void splice_and_sendfile_pass_through(void)
{
	char b[16];
	int p[2], fd;

	file_put("data", "0123456789");
	fd = open("data", O_RDONLY);
	pair(0);
	CHECK(sendfile(s[0], fd, NULL, 10) == 10 && read(s[1], b, 16) == 10);
	CHECK(memcmp(b, "0123456789", 10) == 0 && close(fd) == 0);
	CHECK(pipe(p) == 0 && write(s[0], "spliced", 7) == 7);
	CHECK(splice(s[1], NULL, p[1], NULL, 100, 0) == 7);
	CHECK(splice(p[0], NULL, s[0], NULL, 100, 0) == 7);
	CHECK(read(s[1], b, 16) == 7 && memcmp(b, "spliced", 7) == 0);
	CHECK(close(p[0]) == 0 && close(p[1]) == 0);
	shut();
}

static void *close_later(void *arg)
{
	(void)arg;
	sleep_ms(20);
	CHECK(close(s[0]) == 0);
	return NULL;
}

static void sleepers_see_the_end(void)
{
	static char b[400000];
	pthread_t t;

	pair(0);
	CHECK(pthread_create(&t, NULL, close_later, NULL) == 0);
	CHECK(read(s[1], b, 1) == 0 && pthread_join(t, NULL) == 0 && close(s[1]) == 0);
	signal(SIGPIPE, SIG_IGN);
	pair(0);
	CHECK(pthread_create(&t, NULL, close_later, NULL) == 0);
	CHECK(write(s[1], b, sizeof(b)) < (ssize_t)sizeof(b));
	CHECK(pthread_join(t, NULL) == 0 && close(s[1]) == 0);
	signal(SIGPIPE, SIG_DFL);
}

RUN(TEST(end_of_file_comes_after_the_data), TEST(unread_data_is_a_reset),
    TEST(a_write_to_the_dead_is_sigpipe), TEST(poll_tells_the_state),
    TEST(small_writes_fill_it), TEST(a_blocked_writer_goes_on),
    TEST(wait_for_all_waits_for_more_than_fits), TEST(peeking_leaves_it_there),
    TEST(nothing_is_not_end_of_file), TEST(timeouts_end_a_wait),
    TEST(signals_interrupt_or_restart), TEST(bad_memory), TEST(sigio_is_sent),
    TEST(epoll_sees_edges), TEST(splice_and_sendfile_pass_through),
    TEST(sleepers_see_the_end))
