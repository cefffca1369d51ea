/* SPDX-License-Identifier: MIT */
/* accept4: its flags. */
#include "unix_socket.h"

static void flags_are_for_the_new_one(void)
{
	int l = listener("l", SOCK_STREAM, 5), c, a;

	for (int i = 0; i < 4; i++) {
		int flags = (i & 1 ? SOCK_CLOEXEC : 0) | (i & 2 ? SOCK_NONBLOCK : 0);

		c = client("l", SOCK_STREAM);
		a = accept4(l, NULL, NULL, flags);
		CHECK(a >= 0 && fcntl(a, F_GETFD) == (i & 1 ? FD_CLOEXEC : 0));
		CHECK(fcntl(a, F_GETFL) == (i & 2 ? O_RDWR | O_NONBLOCK : O_RDWR));
		CHECK(close(a) == 0 && close(c) == 0);
	}
	FAILS(EINVAL, accept4(l, NULL, NULL, 1));
	FAILS(EINVAL, accept4(l, NULL, NULL, O_APPEND));
	FAILS(EBADF, accept4(-1, NULL, NULL, 1));
	FAILS(EINVAL, accept4(0, NULL, NULL, 1));
	FAILS(ENOTSOCK, accept4(open("/dev/null", O_RDONLY), NULL, NULL, 0));
	FAILS(EBADF, accept4(-1, NULL, NULL, 0));
	CHECK(close(l) == 0 && unlink("l") == 0);
}

#ifndef SO_PASSPIDFD
#define SO_PASSPIDFD 76
#endif

static void options_of_the_listener(void)
{
	int l = listener("o", SOCK_STREAM, 5), c, a;

	CHECK(set_option(l, SO_PASSCRED, 1) == 0);
	c = client("o", SOCK_STREAM);
	a = accept4(l, NULL, NULL, 0);
	CHECK(a >= 0 && int_option(a, SO_PASSCRED) == 1);
	CHECK(int_option(a, SO_ACCEPTCONN) == 0);
	if (set_option(l, SO_PASSPIDFD, 1) == 0) { /* since Linux 6.5 */
		int b, d = client("o", SOCK_STREAM);

		b = accept4(l, NULL, NULL, 0);
		CHECK(b >= 0 && int_option(b, SO_PASSPIDFD) == 1);
		CHECK(int_option(a, SO_PASSPIDFD) == 0);
		CHECK(close(b) == 0 && close(d) == 0);
	}
	CHECK(close(a) == 0 && close(c) == 0 && close(l) == 0 && unlink("o") == 0);
}

RUN(TEST(flags_are_for_the_new_one), TEST(options_of_the_listener))
