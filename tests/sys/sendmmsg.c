/* SPDX-License-Identifier: MIT */
/* sendmmsg: many at once, and how many went before an error. */
#include "unix_socket.h"

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

RUN(TEST(all_of_them), TEST(bad_arguments))
