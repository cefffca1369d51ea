/* SPDX-License-Identifier: MIT */
/* calls: sendto recvfrom ioctl poll */
/* unix_urgent: MSG_OOB on streams of AF_UNIX. */
#include "unix_socket.h"

#include <linux/sockios.h>
#include <poll.h>
#include <signal.h>

static int fd[2];
static char buf[16];

static void begin(void)
{
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, fd) == 0);
	memset(buf, 0, sizeof(buf));
}

static void end(void)
{
	CHECK(close(fd[0]) == 0 && close(fd[1]) == 0);
}

static ssize_t take(int flags)
{
	memset(buf, 0, sizeof(buf));
	return recv(fd[1], buf, sizeof(buf), flags | MSG_DONTWAIT);
}

static int at_mark(void)
{
	int n = -1;

	CHECK(ioctl(fd[1], SIOCATMARK, &n) == 0);
	return n;
}

static int waiting(void)
{
	int n = -1;

	CHECK(ioctl(fd[1], FIONREAD, &n) == 0);
	return n;
}

static void it_comes_apart(void)
{
	struct iovec v = {buf, sizeof(buf)};
	struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1};

	begin();
	FAILS(EINVAL, take(MSG_OOB));
	CHECK(send(fd[0], "hello", 5, MSG_OOB) == 5);
	CHECK(poll_bits(fd[1]) & POLLPRI);
	CHECK(take(MSG_OOB | MSG_PEEK) == 1 && buf[0] == 'o');
	CHECK(recvmsg(fd[1], &m, MSG_OOB) == 1 && buf[0] == 'o' &&
	      m.msg_flags == MSG_OOB);
	FAILS(EINVAL, take(MSG_OOB));
	CHECK(!(poll_bits(fd[1]) & POLLPRI));
	CHECK(take(0) == 4 && strcmp(buf, "hell") == 0);
	FAILS(EAGAIN, take(0));
	end();
}

static void reads_stop_at_it(void)
{
	begin();
	CHECK(send(fd[0], "ab", 2, MSG_OOB) == 2 && send(fd[0], "cd", 2, 0) == 2);
	CHECK(at_mark() == 0 && waiting() == 4);
	CHECK(take(0) == 1 && buf[0] == 'a');
	CHECK(at_mark() == 1);
	CHECK(take(0) == 2 && strcmp(buf, "cd") == 0); /* it was passed over */
	FAILS(EINVAL, take(MSG_OOB));
	CHECK(at_mark() == 0);
	end();
	begin(); /* Read first, its place stays a mark. */
	CHECK(send(fd[0], "ab", 2, MSG_OOB) == 2 && send(fd[0], "cd", 2, 0) == 2);
	CHECK(take(MSG_OOB) == 1 && buf[0] == 'b' && waiting() == 3);
	CHECK(take(0) == 1 && buf[0] == 'a');
	CHECK(take(0) == 2 && strcmp(buf, "cd") == 0);
	end();
}

static void peeking_passes_it_over(void)
{
	begin();
	CHECK(send(fd[0], "x", 1, MSG_OOB) == 1 && send(fd[0], "yz", 2, 0) == 2);
	CHECK(take(MSG_PEEK) == 2 && strcmp(buf, "yz") == 0);
	CHECK(take(MSG_OOB) == 1 && buf[0] == 'x');
	CHECK(take(0) == 2 && strcmp(buf, "yz") == 0);
	end();
}

static void a_second_one(void)
{
	begin();
	CHECK(send(fd[0], "ab", 2, MSG_OOB) == 2 && send(fd[0], "cd", 2, MSG_OOB) == 2);
	CHECK(take(MSG_OOB) == 1 && buf[0] == 'd');
	CHECK(take(0) == 3 && strcmp(buf, "abc") == 0); /* the first is plain now */
	end();
}

static void inline_it_is_data(void)
{
	begin();
	CHECK(set_option(fd[1], SO_OOBINLINE, 1) == 0);
	CHECK(send(fd[0], "ab", 2, MSG_OOB) == 2 && send(fd[0], "cd", 2, 0) == 2);
	FAILS(EINVAL, take(MSG_OOB));
	CHECK(take(0) == 1 && buf[0] == 'a' && at_mark() == 1);
	CHECK(take(0) == 3 && strcmp(buf, "bcd") == 0);
	end();
}

static volatile int urgent;

static void on_urgent(int signo)
{
	urgent += signo == SIGURG;
}

static void the_owner_is_told(void)
{
	begin();
	signal(SIGURG, on_urgent);
	CHECK(fcntl(fd[1], F_SETOWN, getpid()) == 0);
	CHECK(send(fd[0], "a", 1, 0) == 1 && urgent == 0);
	CHECK(send(fd[0], "b", 1, MSG_OOB) == 1 && urgent == 1);
	signal(SIGURG, SIG_DFL);
	end();
}

static void what_is_refused(void)
{
	int pair[2];

	begin();
	FAILS(EOPNOTSUPP, send(fd[0], "", 0, MSG_OOB));
	CHECK(close(fd[1]) == 0);
	FAILS(EPIPE, send(fd[0], "a", 1, MSG_OOB | MSG_NOSIGNAL));
	CHECK(close(fd[0]) == 0);
	CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) == 0);
	FAILS(EOPNOTSUPP, send(pair[0], "a", 1, MSG_OOB));
	FAILS(EOPNOTSUPP, recv(pair[0], buf, 1, MSG_OOB));
	CHECK(close(pair[0]) == 0 && close(pair[1]) == 0);
	pair[0] = socket(AF_UNIX, SOCK_STREAM, 0);
	FAILS(EINVAL, recv(pair[0], buf, 1, MSG_OOB));
	FAILS(ENOTCONN, send(pair[0], "a", 1, MSG_OOB));
	CHECK(close(pair[0]) == 0);
}

/* What was taken apart is not lost when the socket goes. */
static void the_peer_of_who_has_read_all(void)
{
	struct pollfd p;

	begin();
	CHECK(send(fd[0], "abc", 3, MSG_OOB) == 3);
	CHECK(recv(fd[1], buf, 1, MSG_OOB) == 1 && recv(fd[1], buf, 8, 0) == 2);
	CHECK(close(fd[1]) == 0);
	p = (struct pollfd){.fd = fd[0], .events = POLLIN};
	CHECK(poll(&p, 1, 0) == 1 && !(p.revents & POLLERR));
	CHECK(close(fd[0]) == 0);
}

RUN(TEST(it_comes_apart), TEST(reads_stop_at_it), TEST(peeking_passes_it_over),
    TEST(a_second_one), TEST(inline_it_is_data), TEST(the_owner_is_told),
    TEST(what_is_refused), TEST(the_peer_of_who_has_read_all))
