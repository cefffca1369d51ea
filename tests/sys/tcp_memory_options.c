/* SPDX-License-Identifier: MIT */
/* net */
/* tcp_memory_options.c - TCP between processes of one machine: the options and names of
 * its connections. */
/* calls: connect accept getsockopt setsockopt getpeername getsockname recvmsg */
#include "inet.h"

static void low_water(void)
{
	char buf[16];
	int fd[2];

	tcp_pair(fd);
	CHECK(set_option(fd[1], SOL_SOCKET, SO_RCVLOWAT, 4) == 0);
	CHECK(option(fd[1], SOL_SOCKET, SO_RCVLOWAT) == 4);
	CHECK(send(fd[0], "abc", 3, 0) == 3);
	CHECK(ready(fd[1], POLLIN, 50) == 0);
	CHECK(send(fd[0], "d", 1, 0) == 1);
	CHECK(ready(fd[1], POLLIN, 20000) == POLLIN);
	CHECK(recv(fd[1], buf, sizeof(buf), 0) == 4);
	close_pair(fd);
}

#ifndef TCP_INQ
#define TCP_INQ 36
#endif

/* How much TCP_INQ says is left after size bytes more. */
static int left_after(int fd, size_t size, int flags)
{
	char buf[16], control[64];
	struct msghdr h = {.msg_iov = &(struct iovec){buf, size},
			   .msg_iovlen = 1,
			   .msg_control = control,
			   .msg_controllen = sizeof(control)};
	struct cmsghdr *c;
	int left;

	CHECK(recvmsg(fd, &h, flags) >= 0);
	c = CMSG_FIRSTHDR(&h);
	CHECK(c && c->cmsg_level == IPPROTO_TCP && c->cmsg_type == TCP_INQ);
	memcpy(&left, CMSG_DATA(c), sizeof(left));
	return left;
}

/* The end is one more. */
static void what_is_left(void)
{
	int fd[2];

	tcp_pair(fd);
	CHECK(set_option(fd[1], IPPROTO_TCP, TCP_INQ, 1) == 0);
	CHECK(send(fd[0], "abcde", 5, 0) == 5);
	CHECK(left_after(fd[1], 1, MSG_WAITALL) == 4);
	CHECK(shutdown(fd[0], SHUT_WR) == 0);
	CHECK(ready(fd[1], POLLRDHUP, 20000) & POLLRDHUP);
	CHECK(left_after(fd[1], 1, MSG_PEEK) == 5);
	CHECK(left_after(fd[1], 2, 0) == 3);
	CHECK(left_after(fd[1], 5, 0) == 1);
	CHECK(left_after(fd[1], 5, 0) == 1);
	close_pair(fd);
}

static void sizes_are_kept(void)
{
	int l = socket_at(SOCK_STREAM, 0);
	int c = socket(AF_INET, SOCK_STREAM, 0);
	int s;

	CHECK(set_option(l, SOL_SOCKET, SO_RCVBUF, 8192) == 0);
	CHECK(set_option(l, IPPROTO_TCP, TCP_NODELAY, 1) == 0);
	CHECK(set_option(l, SOL_SOCKET, SO_KEEPALIVE, 1) == 0);
	CHECK(set_option(l, IPPROTO_TCP, TCP_KEEPIDLE, 33) == 0);
	CHECK(listen(l, 1) == 0);
	CHECK(set_option(c, SOL_SOCKET, SO_SNDBUF, 8192) == 0);
	CHECK(connect_to(c, port_of(l)) == 0);
	s = accept(l, NULL, NULL);
	close(l);
	CHECK(option(s, SOL_SOCKET, SO_RCVBUF) == 16384);
	CHECK(option(s, IPPROTO_TCP, TCP_NODELAY) == 1);
	CHECK(option(s, SOL_SOCKET, SO_KEEPALIVE) == 1);
	CHECK(option(s, IPPROTO_TCP, TCP_KEEPIDLE) == 33);
	CHECK(option(s, SOL_SOCKET, SO_ACCEPTCONN) == 0);
	CHECK(option(c, SOL_SOCKET, SO_SNDBUF) == 16384);
	CHECK(option(c, IPPROTO_TCP, TCP_NODELAY) == 0);
	CHECK(set_option(s, IPPROTO_TCP, TCP_KEEPIDLE, 34) == 0);
	CHECK(option(s, IPPROTO_TCP, TCP_KEEPIDLE) == 34);
	CHECK(fill_up(c) < 400000);
	close(c);
	close(s);
}

static void other_addresses(void)
{
	struct sockaddr_in any = {.sin_family = AF_INET};
	struct sockaddr_in a;
	socklen_t len = sizeof(a);
	int l = socket(AF_INET, SOCK_STREAM, 0);
	int c = socket(AF_INET, SOCK_STREAM, 0);
	int s;

	CHECK(bind(l, (struct sockaddr *)&any, sizeof(any)) == 0 && listen(l, 4) == 0);
	a = loopback(port_of(l));
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 8);
	CHECK(connect(c, (struct sockaddr *)&a, sizeof(a)) == 0);
	s = accept(l, (struct sockaddr *)&a, &len);
	CHECK(s >= 0 && a.sin_addr.s_addr == htonl(INADDR_LOOPBACK));
	CHECK(getsockname(s, (struct sockaddr *)&a, &len) == 0);
	CHECK(a.sin_addr.s_addr == htonl(INADDR_LOOPBACK + 8));
	CHECK(getpeername(c, (struct sockaddr *)&a, &len) == 0);
	CHECK(a.sin_addr.s_addr == htonl(INADDR_LOOPBACK + 8));
	close(c);
	close(s);
	/* No address at all is one's own. */
	any.sin_port = htons(port_of(l));
	c = socket(AF_INET, SOCK_STREAM, 0);
	CHECK(connect(c, (struct sockaddr *)&any, sizeof(any)) == 0);
	CHECK(getpeername(c, (struct sockaddr *)&a, &len) == 0);
	CHECK(a.sin_addr.s_addr == htonl(INADDR_LOOPBACK));
	close(c);
	/* One that is bound keeps its name. */
	c = socket_at(SOCK_STREAM, 0);
	a = loopback(port_of(l));
	len = sizeof(a);
	CHECK(connect(c, (struct sockaddr *)&a, sizeof(a)) == 0);
	s = accept(l, NULL, NULL);
	close(s);
	s = accept(l, (struct sockaddr *)&a, &len);
	CHECK(s >= 0 && ntohs(a.sin_port) == port_of(c));
	close(c);
	close(s);
	close(l);
}

static void both_families_meet(void)
{
	struct sockaddr_in6 any = {.sin6_family = AF_INET6};
	struct sockaddr_in6 a;
	struct sockaddr_in b;
	socklen_t len = sizeof(a);
	char text[64];
	int l = socket(AF_INET6, SOCK_STREAM, 0);
	int c, s;

	if (l < 0)
		return;
	CHECK(set_option(l, IPPROTO_IPV6, IPV6_V6ONLY, 0) == 0);
	CHECK(bind(l, (struct sockaddr *)&any, sizeof(any)) == 0 && listen(l, 4) == 0);
	c = socket(AF_INET, SOCK_STREAM, 0);
	CHECK(connect_to(c, port_of(l)) == 0);
	s = accept(l, (struct sockaddr *)&a, &len);
	CHECK(s >= 0 && len == sizeof(a));
	CHECK(!strcmp(inet_ntop(AF_INET6, &a.sin6_addr, text, sizeof(text)),
		      "::ffff:127.0.0.1"));
	close(c);
	close(s);
	c = socket(AF_INET6, SOCK_STREAM, 0);
	a = loopback6(port_of(l));
	CHECK(connect(c, (struct sockaddr *)&a, sizeof(a)) == 0);
	s = accept(l, NULL, NULL);
	len = sizeof(a);
	CHECK(s >= 0 && getpeername(s, (struct sockaddr *)&a, &len) == 0);
	CHECK(!strcmp(inet_ntop(AF_INET6, &a.sin6_addr, text, sizeof(text)), "::1"));
	close(c);
	close(s);
	close(l);
	/* The other way round. */
	l = listener();
	c = socket(AF_INET6, SOCK_STREAM, 0);
	memset(&a, 0, sizeof(a));
	a.sin6_family = AF_INET6;
	a.sin6_port = htons(port_of(l));
	CHECK(inet_pton(AF_INET6, "::ffff:127.0.0.1", &a.sin6_addr) == 1);
	CHECK(connect(c, (struct sockaddr *)&a, sizeof(a)) == 0);
	len = sizeof(b);
	s = accept(l, (struct sockaddr *)&b, &len);
	CHECK(s >= 0 && len == sizeof(b) && ntohs(b.sin_port) == port_of(c));
	len = sizeof(a);
	CHECK(getsockname(c, (struct sockaddr *)&a, &len) == 0);
	CHECK(!strcmp(inet_ntop(AF_INET6, &a.sin6_addr, text, sizeof(text)),
		      "::ffff:127.0.0.1"));
	close(c);
	close(s);
	close(l);
}

static void lent_memory_comes_back(void)
{
	union {
		struct cmsghdr h;
		char room[256];
	} control;
	static char data[32768];
	struct msghdr m = {.msg_control = &control, .msg_controllen = sizeof(control)};
	unsigned note[8];
	int fd[2];

	tcp_pair(fd);
	CHECK(set_option(fd[0], SOL_SOCKET, SO_ZEROCOPY, 1) == 0);
	CHECK(send(fd[0], data, sizeof(data), MSG_ZEROCOPY) == (ssize_t)sizeof(data));
	CHECK(recv(fd[1], data, sizeof(data), MSG_WAITALL) == (ssize_t)sizeof(data));
	CHECK(ready(fd[0], POLLERR, 20000) == POLLERR);
	CHECK(recvmsg(fd[0], &m, MSG_ERRQUEUE) == 0);
	CHECK(m.msg_flags & MSG_ERRQUEUE);
	CHECK(control.h.cmsg_level == SOL_IP && control.h.cmsg_type == IP_RECVERR);
	memcpy(note, CMSG_DATA(&control.h), sizeof(note));
	CHECK(note[0] == 0 && (note[1] & 0xff) == 5 && note[2] == 0 && note[3] == 0);
	m.msg_controllen = sizeof(control);
	FAILS(EAGAIN, recvmsg(fd[0], &m, MSG_ERRQUEUE));
	close_pair(fd);
}

static void a_send_that_connects(void)
{
	int l = listener();
	struct sockaddr_in a = loopback(port_of(l));
	int c = socket(AF_INET, SOCK_STREAM, 0);
	ssize_t n = sendto(c, "x", 1, MSG_FASTOPEN, (struct sockaddr *)&a, sizeof(a));
	char b;
	int s;

	if (n == 1) { /* else the machine has that switched off */
		FAILS(EISCONN, connect_to(c, port_of(l)));
		s = accept(l, NULL, NULL);
		CHECK(s >= 0 && recv(s, &b, 1, 0) == 1 && b == 'x');
		CHECK(send(s, "y", 1, 0) == 1 && recv(c, &b, 1, 0) == 1 && b == 'y');
		close(s);
	}
	close(c);
	close(l);
}

static bool is_done; /* atomic */
static int other_fd;

static void *sets_another(void *arg)
{
	(void)arg;
	for (int i = 0; !__atomic_load_n(&is_done, __ATOMIC_ACQUIRE); i++)
		CHECK(set_option(other_fd, IPPROTO_TCP, TCP_CORK, i & 1) == 0);
	return NULL;
}

/* Two threads set two options of one socket: both are set. */
static void both_are_set(bool on_host)
{
	pthread_t thread;
	int fd[2];

	if (on_host)
		hosted_pair(fd);
	else
		tcp_pair(fd);
	other_fd = fd[1];
	__atomic_store_n(&is_done, false, __ATOMIC_RELEASE);
	CHECK(pthread_create(&thread, NULL, sets_another, NULL) == 0);
	for (int i = 0; i < 2000; i++) {
		char buf, control[64];
		struct msghdr h = {.msg_iov = &(struct iovec){&buf, 1},
				   .msg_iovlen = 1,
				   .msg_control = control,
				   .msg_controllen = sizeof(control)};

		CHECK(set_option(fd[1], IPPROTO_TCP, TCP_INQ, i & 1) == 0);
		CHECK(send(fd[0], "x", 1, 0) == 1);
		CHECK(recvmsg(fd[1], &h, 0) == 1);
		CHECK((CMSG_FIRSTHDR(&h) != NULL) == (i % 2));
	}
	__atomic_store_n(&is_done, true, __ATOMIC_RELEASE);
	CHECK(pthread_join(thread, NULL) == 0);
	close_pair(fd);
}

static void what_another_thread_sets(void)
{
	both_are_set(false);
	both_are_set(true);
}

RUN(TEST(low_water), TEST(what_is_left), TEST(sizes_are_kept), TEST(other_addresses),
    TEST(both_families_meet), TEST(lent_memory_comes_back), TEST(a_send_that_connects),
    TEST(what_another_thread_sets))
