/* SPDX-License-Identifier: MIT */
/* net */
/* sockopt_new.c - options that Linux has got since 6.14, where they are there:
 * SO_RCVPRIORITY, SO_PASSRIGHTS, SO_INQ, TCP_RTO_MAX_MS, TCP_RTO_MIN_US and
 * TCP_DELACK_MAX_US. */
/* calls: setsockopt getsockopt recvmsg */
#define _GNU_SOURCE
#include "inet.h"

#include <sys/un.h>

#define RCVPRIORITY   82
#define PASSRIGHTS    83
#define INQ	      84
#define RTO_MAX_MS    44
#define RTO_MIN_US    45
#define DELACK_MAX_US 46

static bool knows(int fd, int level, int name, int value)
{
	if (set_option(fd, level, name, value) == 0)
		return true;
	CHECK(errno == ENOPROTOOPT);
	return false;
}

/* ---- SO_PASSRIGHTS ---- */

static ssize_t send_rights(int fd)
{
	union {
		char room[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} c = {.align = {CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS}};
	struct iovec iov = {"x", 1};
	struct msghdr m = {.msg_iov = &iov,
			   .msg_iovlen = 1,
			   .msg_control = &c,
			   .msg_controllen = sizeof(c)};

	return sendmsg(fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static int receive_rights(int fd)
{
	union {
		char room[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} c;
	char byte;
	struct iovec iov = {&byte, 1};
	struct msghdr m = {.msg_iov = &iov,
			   .msg_iovlen = 1,
			   .msg_control = &c,
			   .msg_controllen = sizeof(c)};
	int got;

	CHECK(recvmsg(fd, &m, MSG_DONTWAIT) == 1 && !(m.msg_flags & MSG_CTRUNC));
	if (!m.msg_controllen)
		return -1;
	memcpy(&got, CMSG_DATA(&c.align), sizeof(got));
	return got;
}

static void descriptors_may_be_refused(void)
{
	static const int types[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET};

	for (size_t i = 0; i < 3; i++) {
		int fd[2];

		CHECK(socketpair(AF_UNIX, types[i], 0, fd) == 0);
		if (!knows(fd[0], SOL_SOCKET, PASSRIGHTS, 1))
			return;
		CHECK(option(fd[1], SOL_SOCKET, PASSRIGHTS) == 1);
		CHECK(send_rights(fd[0]) == 1); /* before */
		CHECK(set_option(fd[1], SOL_SOCKET, PASSRIGHTS, 0) == 0);
		CHECK(option(fd[1], SOL_SOCKET, PASSRIGHTS) == 0);
		FAILS(EPERM, send_rights(fd[0]));
		CHECK(send(fd[0], "y", 1, 0) == 1);
		CHECK(close(receive_rights(fd[1])) == 0 && receive_rights(fd[1]) == -1);
		CHECK(send_rights(fd[1]) == 1); /* the other way */
		CHECK(set_option(fd[1], SOL_SOCKET, PASSRIGHTS, 7) == 0);
		CHECK(option(fd[1], SOL_SOCKET, PASSRIGHTS) == 1);
		CHECK(send_rights(fd[0]) == 1);
		FAILS(EINVAL, setsockopt(fd[0], SOL_SOCKET, PASSRIGHTS, &fd[0], 3));
		close_pair(fd);
	}
}

static void who_comes_in_has_the_listeners(void)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	socklen_t len = sizeof(a);
	int l = socket(AF_UNIX, SOCK_STREAM, 0);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	int s;

	CHECK(bind(l, (struct sockaddr *)&a, sizeof(a.sun_family)) == 0);
	CHECK(listen(l, 1) == 0 && getsockname(l, (struct sockaddr *)&a, &len) == 0);
	if (!knows(l, SOL_SOCKET, PASSRIGHTS, 0))
		return;
	CHECK(connect(fd, (struct sockaddr *)&a, len) == 0);
	FAILS(EPERM, send_rights(fd));
	CHECK(set_option(l, SOL_SOCKET, PASSRIGHTS, 1) == 0);
	s = accept(l, NULL, NULL);
	CHECK(s >= 0 && option(s, SOL_SOCKET, PASSRIGHTS) == 0);
	FAILS(EPERM, send_rights(fd));
	CHECK(close(l) == 0 && close(fd) == 0 && close(s) == 0);
}

static void others_pass_none(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	int n = 1;
	socklen_t len = sizeof(n);

	if (setsockopt(fd, SOL_SOCKET, PASSRIGHTS, &n, len) == -1 && errno == ENOPROTOOPT)
		return;
	FAILS(EOPNOTSUPP, setsockopt(fd, SOL_SOCKET, PASSRIGHTS, &n, len));
	FAILS(EOPNOTSUPP, getsockopt(fd, SOL_SOCKET, PASSRIGHTS, &n, &len));
	CHECK(close(fd) == 0);
}

/* ---- numbers that come with what is received ---- */

/* -1: none came. */
static int number_with(int fd, int name, size_t size, int flags)
{
	union {
		char room[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} c;
	char bytes[100];
	struct iovec iov = {bytes, size};
	struct msghdr m = {.msg_iov = &iov,
			   .msg_iovlen = 1,
			   .msg_control = &c,
			   .msg_controllen = sizeof(c)};
	int got;

	CHECK(recvmsg(fd, &m, flags) >= 0 && !(m.msg_flags & MSG_CTRUNC));
	if (!m.msg_controllen)
		return -1;
	CHECK(c.align.cmsg_level == SOL_SOCKET && c.align.cmsg_type == name);
	CHECK(c.align.cmsg_len == CMSG_LEN(sizeof(int)));
	memcpy(&got, CMSG_DATA(&c.align), sizeof(got));
	return got;
}

static void a_stream_tells_what_is_left(void)
{
	int fd[2], value = 0;
	socklen_t len = sizeof(value);

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, fd) == 0);
	if (!knows(fd[1], SOL_SOCKET, INQ, 1))
		return;
	CHECK(send(fd[0], "0123456789", 10, 0) == 10);
	CHECK(number_with(fd[1], INQ, 4, MSG_PEEK) == 10);
	CHECK(number_with(fd[1], INQ, 4, 0) == 6);
	CHECK(send(fd[0], "abc", 3, 0) == 3);
	CHECK(number_with(fd[1], INQ, 5, 0) == 4);
	CHECK(number_with(fd[1], INQ, 100, 0) == 0);
	CHECK(set_option(fd[1], SOL_SOCKET, INQ, 0) == 0);
	CHECK(send(fd[0], "abc", 3, 0) == 3);
	CHECK(number_with(fd[1], INQ, 1, 0) == -1);
	FAILS(EINVAL, set_option(fd[1], SOL_SOCKET, INQ, 2));
	FAILS(EINVAL, set_option(fd[1], SOL_SOCKET, INQ, -1));
	FAILS(EINVAL, setsockopt(fd[1], SOL_SOCKET, INQ, "\0\0\0\0\0\0\0", 8));
	FAILS(ENOPROTOOPT, getsockopt(fd[1], SOL_SOCKET, INQ, &value, &len));
	close_pair(fd);
	CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, fd) == 0);
	FAILS(ENOPROTOOPT, set_option(fd[1], SOL_SOCKET, INQ, 1));
	close_pair(fd);
}

static ssize_t send_with_priority(int fd, int priority)
{
	union {
		char room[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} c = {.align = {CMSG_LEN(sizeof(int)), SOL_SOCKET, SO_PRIORITY}};
	struct iovec iov = {"x", 1};
	struct msghdr m = {.msg_iov = &iov,
			   .msg_iovlen = 1,
			   .msg_control = &c,
			   .msg_controllen = sizeof(c)};

	memcpy(CMSG_DATA(&c.align), &priority, sizeof(priority));
	return sendmsg(fd, &m, 0);
}

static void users_have_few_priorities(void)
{
	int fd[2];

	become_user();
	udp_pair(fd);
	FAILS(EPERM, set_option(fd[0], SOL_SOCKET, SO_PRIORITY, 7));
	FAILS(EPERM, send_with_priority(fd[0], 7));
	FAILS(EPERM, send_with_priority(fd[0], -1));
	CHECK(send_with_priority(fd[0], 6) == 1);
}

static void datagrams_tell_their_priority(void)
{
	int fd[2];

	udp_pair(fd);
	if (!knows(fd[1], SOL_SOCKET, RCVPRIORITY, 5))
		return;
	CHECK(option(fd[1], SOL_SOCKET, RCVPRIORITY) == 1);
	CHECK(send(fd[0], "x", 1, 0) == 1);
	CHECK(number_with(fd[1], SO_PRIORITY, 1, 0) == 0);
	CHECK(set_option(fd[0], SOL_SOCKET, SO_PRIORITY, 3) == 0);
	CHECK(send(fd[0], "x", 1, 0) == 1);
	CHECK(number_with(fd[1], SO_PRIORITY, 1, 0) == 3);
	CHECK(send_with_priority(fd[0], 5) == 1);
	CHECK(number_with(fd[1], SO_PRIORITY, 1, 0) == 5);
	for (int tos = 0; tos < 256; tos += 4) {
		static const int priorities[] = {0, 2, 6, 4};

		CHECK(set_option(fd[0], IPPROTO_IP, IP_TOS, tos) == 0);
		if (tos)
			CHECK(option(fd[0], SOL_SOCKET, SO_PRIORITY) ==
			      priorities[tos >> 3 & 3]);
	}
	CHECK(set_option(fd[0], IPPROTO_IP, IP_TOS, 0x10) == 0);
	CHECK(send(fd[0], "x", 1, 0) == 1);
	CHECK(number_with(fd[1], SO_PRIORITY, 1, 0) == 6);
	CHECK(set_option(fd[1], SOL_SOCKET, RCVPRIORITY, 0) == 0);
	CHECK(send(fd[0], "x", 1, 0) == 1);
	CHECK(number_with(fd[1], SO_PRIORITY, 1, 0) == -1);
	close_pair(fd);
	CHECK(in_child(users_have_few_priorities) == 0);
}

/* ---- TCP's times ---- */

/* To whole ticks, whatever those are. */
static void ticks_are_kept(int fd, int name)
{
	FAILS(EINVAL, set_option(fd, IPPROTO_TCP, name, 0));
	FAILS(EINVAL, set_option(fd, IPPROTO_TCP, name, -1));
	FAILS(EINVAL, set_option(fd, IPPROTO_TCP, name, 1000));
	FAILS(EINVAL, set_option(fd, IPPROTO_TCP, name, 200001));
	FAILS(EINVAL, set_option(fd, IPPROTO_TCP, name, INT32_MAX));
	CHECK(option(fd, IPPROTO_TCP, name) == 200000);
	CHECK(set_option(fd, IPPROTO_TCP, name, 100000) == 0);
	CHECK(option(fd, IPPROTO_TCP, name) == 100000);
	CHECK(set_option(fd, IPPROTO_TCP, name, 99999) == 0);
	CHECK(option(fd, IPPROTO_TCP, name) == 100000);
	CHECK(set_option(fd, IPPROTO_TCP, name, 200000) == 0);
	FAILS(EINVAL, setsockopt(fd, IPPROTO_TCP, name, &fd, 3));
}

static void times_of_tcp(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (!knows(fd, IPPROTO_TCP, RTO_MAX_MS, 120000))
		return;
	CHECK(set_option(fd, IPPROTO_TCP, RTO_MAX_MS, 1000) == 0);
	CHECK(option(fd, IPPROTO_TCP, RTO_MAX_MS) == 1000);
	FAILS(EINVAL, set_option(fd, IPPROTO_TCP, RTO_MAX_MS, 999));
	FAILS(EINVAL, set_option(fd, IPPROTO_TCP, RTO_MAX_MS, 120001));
	if (!knows(fd, IPPROTO_TCP, RTO_MIN_US, 200000))
		return;
	ticks_are_kept(fd, RTO_MIN_US);
	ticks_are_kept(fd, DELACK_MAX_US);
	CHECK(close(fd) == 0);
}

RUN(TEST(descriptors_may_be_refused), TEST(who_comes_in_has_the_listeners),
    TEST(others_pass_none), TEST(a_stream_tells_what_is_left),
    TEST(datagrams_tell_their_priority), TEST(times_of_tcp))
