/* SPDX-License-Identifier: MIT */
/* cases_net.c - TCP on the loopback address: a byte's round trip between two processes, a
 * buffer's way, a connection made, accepted and closed; a datagram's round trip, and its
 * way through one process's hands, alone and with others. */
#include "ubench.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BUFFER = 65536 };

static pid_t child;
static int listener = -1;
static int end = -1; /* ours */
static struct sockaddr_in at;
static char buf[BUFFER];

static void listen_here(void)
{
	socklen_t len = sizeof(at);

	at = (struct sockaddr_in){.sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	listener = socket(AF_INET, SOCK_STREAM, 0);
	if (listener < 0 || bind(listener, (struct sockaddr *)&at, sizeof(at)) ||
	    listen(listener, 64) || getsockname(listener, (struct sockaddr *)&at, &len))
		die("listen");
}

static int connect_there(void)
{
	const int on = 1;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&at, sizeof(at)))
		die("connect");
	if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)))
		die("TCP_NODELAY");
	return fd;
}

/* A child that does work() with its end of a connection with us. */
static void pair_with(void (*work)(int fd))
{
	int fd;

	listen_here();
	child = fork();
	if (child < 0)
		die("fork");
	if (!child) {
		fd = connect_there();
		close(listener);
		work(fd);
		_exit(0);
	}
	end = accept(listener, NULL, NULL);
	if (end < 0)
		die("accept");
	close(listener);
}

static void pair_end(void)
{
	close(end);
	reap(child, "the other end");
}

static void echo(int fd)
{
	char c;

	while (read(fd, &c, 1) == 1)
		if (write(fd, &c, 1) != 1)
			_exit(1);
}

static void echo_by_epoll(int fd)
{
	struct epoll_event ev = {.events = EPOLLIN};
	int ep = epoll_create1(0);
	char c;

	if (ep < 0 || epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev))
		_exit(1);
	while (epoll_wait(ep, &ev, 1, -1) == 1 && read(fd, &c, 1) == 1)
		if (write(fd, &c, 1) != 1)
			_exit(1);
}

static void swallow(int fd)
{
	while (read(fd, buf, sizeof(buf)) > 0)
		;
}

static void pingpong_setup(void)
{
	pair_with(echo);
}

static void epoll_setup(void)
{
	pair_with(echo_by_epoll);
}

static void pingpong_run(uint64_t n)
{
	char c = 0;

	while (n--)
		if (write(end, &c, 1) != 1 || read(end, &c, 1) != 1)
			die("round trip");
}

static void bulk_setup(void)
{
	pair_with(swallow);
}

static void bulk_run(uint64_t n)
{
	while (n--)
		if (write(end, buf, sizeof(buf)) != (ssize_t)sizeof(buf))
			die("write");
}

static void connect_setup(void)
{
	listen_here();
}

static void connect_teardown(void)
{
	close(listener);
}

/* By one process, that nobody else's time is measured. */
static void connect_run(uint64_t n)
{
	while (n--) {
		int there = connect_there();
		int here = accept(listener, NULL, NULL);

		if (here < 0)
			die("accept");
		close(there);
		close(here);
	}
}

/* ---- datagrams ---- */

static int datagram_socket(struct sockaddr_in *name)
{
	socklen_t len = sizeof(*name);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	*name = (struct sockaddr_in){.sin_family = AF_INET,
				     .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	if (fd < 0 || bind(fd, (struct sockaddr *)name, sizeof(*name)) ||
	    getsockname(fd, (struct sockaddr *)name, &len))
		die("a datagram socket");
	return fd;
}

/* listener: the other end. */
static void datagram_pair(void)
{
	struct sockaddr_in name[2];

	end = datagram_socket(&name[0]);
	listener = datagram_socket(&name[1]);
	if (connect(end, (struct sockaddr *)&name[1], sizeof(name[1])) ||
	    connect(listener, (struct sockaddr *)&name[0], sizeof(name[0])))
		die("connect");
}

/* The child goes by an empty datagram. */
static void udp_setup(void)
{
	datagram_pair();
	child = fork();
	if (child < 0)
		die("fork");
	if (!child) {
		close(end);
		echo(listener);
		_exit(0);
	}
	close(listener);
}

static void udp_teardown(void)
{
	if (send(end, "", 0, 0))
		die("an empty datagram");
	close(end);
	reap(child, "the other end");
}

static void datagram_pair_close(void)
{
	close(end);
	close(listener);
}

static void datagram_run(uint64_t n)
{
	char c = 0;

	while (n--)
		if (write(end, &c, 1) != 1 || read(listener, &c, 1) != 1)
			die("a datagram");
}

enum { BATCH = 32 };

/* A datagram's way in a batch. */
static void batch_run(uint64_t n)
{
	static char data[BATCH];
	static struct mmsghdr m[BATCH];
	static struct iovec v[BATCH];

	for (int i = 0; i < BATCH; i++) {
		v[i] = (struct iovec){data + i, 1};
		m[i].msg_hdr = (struct msghdr){.msg_iov = &v[i], .msg_iovlen = 1};
	}
	while (n) {
		unsigned int count = n < BATCH ? (unsigned int)n : BATCH;

		if (sendmmsg(end, m, count, 0) != (int)count ||
		    recvmmsg(listener, m, count, 0, NULL) != (int)count)
			die("a batch of datagrams");
		n -= count;
	}
}

const struct bench_case net_cases[] = {
	{"tcp-pingpong", pingpong_run, pingpong_setup, pair_end},
	{"tcp-pingpong-epoll", pingpong_run, epoll_setup, pair_end},
	{"tcp-64k", bulk_run, bulk_setup, pair_end},
	{"tcp-connect", connect_run, connect_setup, connect_teardown},
	{"udp-pingpong", pingpong_run, udp_setup, udp_teardown},
	{"udp-datagram", datagram_run, datagram_pair, datagram_pair_close},
	{"udp-batch", batch_run, datagram_pair, datagram_pair_close},
	{.name = NULL},
};
