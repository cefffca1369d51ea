/* SPDX-License-Identifier: MIT */
/* sendmmsg: many at once, and how many went before an error. */
#include "unix_socket.h"

#include <netinet/in.h>

enum { MANY = 6 };

static void all_of_them(void)
{
	struct mmsghdr m[MANY] = {0};
	struct iovec v[MANY];
	char b[8];
	int s[2];

	CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, s) == 0);
	for (int i = 0; i < MANY; i++) {
		v[i] = (struct iovec){"abcdef", (size_t)i};
		m[i].msg_hdr = (struct msghdr){.msg_iov = &v[i], .msg_iovlen = 1};
	}
	CHECK(sendmmsg(s[0], m, MANY, 0) == MANY);
	for (int i = 0; i < MANY; i++)
		CHECK(m[i].msg_len == (unsigned)i && read(s[1], b, 8) == i);
	CHECK(sendmmsg(s[0], m, 0, 0) == 0);
	/* The first error ends it. */
	v[3].iov_base = bad_address(1);
	CHECK(sendmmsg(s[0], m, MANY, 0) == 3);
	FAILS(EFAULT, sendmmsg(s[0], m + 3, 2, 0));
	for (int i = 0; i < 3; i++)
		CHECK(read(s[1], b, 8) == i);
	FAILS(EAGAIN, recv(s[1], b, 8, MSG_DONTWAIT));
	CHECK(close(s[0]) == 0 && close(s[1]) == 0);
}

/* A stream that has no room for all of one gets none of the next. */
static void a_short_one_is_the_last(void)
{
	static char large[4 << 20];
	struct iovec v[2] = {{large, sizeof(large)}, {large, 1}};
	struct mmsghdr m[2] = {{.msg_hdr = {.msg_iov = &v[0], .msg_iovlen = 1}},
			       {.msg_hdr = {.msg_iov = &v[1], .msg_iovlen = 1}}};
	int s[2];

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0);
	CHECK(sendmmsg(s[0], m, 2, MSG_DONTWAIT) == 1);
	CHECK(m[0].msg_len > 0 && m[0].msg_len < sizeof(large));
	CHECK(close(s[0]) == 0 && close(s[1]) == 0);
}

/* MSG_PROBE sends nothing, so that something is left of the first. */
static void who_only_asks_asks_once(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
				.sin_port = htons(9),
				.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct iovec v[2] = {{"x", 1}, {"", 0}};
	struct mmsghdr m[2];
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	for (int i = 0; i < 2; i++)
		m[i].msg_hdr = (struct msghdr){.msg_name = &a,
					       .msg_namelen = sizeof(a),
					       .msg_iov = &v[i],
					       .msg_iovlen = 1};
	CHECK(sendmmsg(fd, m, 2, MSG_PROXY) == 1 && m[0].msg_len == 1);
	m[0].msg_hdr.msg_iov = &v[1];
	CHECK(sendmmsg(fd, m, 2, MSG_PROXY) == 2);
	CHECK(close(fd) == 0);
}

static void bad_arguments(void)
{
	int s[2];

	CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, s) == 0);
	FAILS(EFAULT, sendmmsg(s[0], bad_address(1), 1, 0));
	FAILS(EINVAL, syscall(SYS_sendmmsg, s[0], NULL, 0, 0x80000000));
	FAILS(EBADF, sendmmsg(-1, NULL, 0, 0));
	FAILS(ENOTSOCK, sendmmsg(open("/dev/null", O_RDWR), NULL, 0, 0));
	CHECK(close(s[0]) == 0 && close(s[1]) == 0);
}

RUN(TEST(all_of_them), TEST(a_short_one_is_the_last), TEST(who_only_asks_asks_once),
    TEST(bad_arguments))
