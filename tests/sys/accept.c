/* SPDX-License-Identifier: MIT */
/* accept: order, names, waiting, and what is left of those who have gone. */
#include "unix_socket.h"

static void in_order_and_with_names(void)
{
	int l = listener("l", SOCK_STREAM, 5), c[3], a[3];
	struct sockaddr_un n;
	socklen_t len;
	char b[4];

	for (int i = 0; i < 3; i++) {
		c[i] = socket(AF_UNIX, SOCK_STREAM, 0);
		if (i == 1)
			CHECK(bind_to(c[i], "c1") == 0);
		CHECK(connect_to(c[i], "l") == 0 &&
		      write(c[i], &(char){'0' + i}, 1) == 1);
	}
	for (int i = 0; i < 3; i++) {
		len = sizeof(n);
		a[i] = accept(l, (void *)&n, &len);
		CHECK(a[i] >= 0 && read(a[i], b, 4) == 1 && b[0] == '0' + i);
		CHECK(len == (i == 1 ? 5 : 2) && n.sun_family == AF_UNIX);
		CHECK(fcntl(a[i], F_GETFD) == 0 && fcntl(a[i], F_GETFL) == O_RDWR);
	}
	for (int i = 0; i < 3; i++)
		CHECK(close(a[i]) == 0 && close(c[i]) == 0);
	CHECK(close(l) == 0 && unlink("l") == 0 && unlink("c1") == 0);
}

static void *connect_later(void *arg)
{
	sleep_ms(30);
	*(int *)arg = client("w", SOCK_STREAM);
	return NULL;
}

static void waiting(void)
{
	int l = listener("w", SOCK_STREAM, 5), a, c = -1;
	struct timeval tv = {0, 20000};
	struct interrupter in;
	pthread_t t;

	CHECK(pthread_create(&t, NULL, connect_later, &c) == 0);
	a = accept(l, NULL, NULL);
	CHECK(a >= 0 && pthread_join(t, NULL) == 0 && close(a) == 0 && close(c) == 0);
	interrupt_start(&in, 0, -1);
	FAILS(EINTR, accept(l, NULL, NULL));
	interrupt_stop(&in);
	CHECK(setsockopt(l, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)) == 0);
	FAILS(EAGAIN, accept(l, NULL, NULL));
	CHECK(fcntl(l, F_SETFL, O_NONBLOCK) == 0);
	FAILS(EAGAIN, accept(l, NULL, NULL));
	c = client("w", SOCK_STREAM);
	a = accept(l, NULL, NULL);
	CHECK(a >= 0 && fcntl(a, F_GETFL) == O_RDWR); /* not inherited */
	CHECK(close(a) == 0 && close(c) == 0 && close(l) == 0 && unlink("w") == 0);
}

static void the_dead_are_accepted_too(void)
{
	int l = listener("d", SOCK_STREAM, 5), a, c = client("d", SOCK_STREAM);
	char b[8];

	CHECK(write(c, "last", 4) == 4 && close(c) == 0);
	a = accept(l, NULL, NULL);
	CHECK(a >= 0 && read(a, b, 8) == 4 && read(a, b, 8) == 0);
	CHECK(close(a) == 0 && close(l) == 0 && unlink("d") == 0);
}

static void *shut_later(void *arg)
{
	sleep_ms(30);
	CHECK(shutdown(*(int *)arg, SHUT_RD) == 0);
	return NULL;
}

static void errors(void)
{
	int s = socket(AF_UNIX, SOCK_STREAM, 0), d = socket(AF_UNIX, SOCK_DGRAM, 0);
	int l = listener("e", SOCK_STREAM, 5), c, before, after;
	char name[4];
	socklen_t len = (socklen_t)-1;
	pthread_t t;

	FAILS(EINVAL, accept(s, NULL, NULL));
	FAILS(EOPNOTSUPP, accept(d, NULL, NULL));
	FAILS(EBADF, accept(-1, NULL, NULL));
	c = client("e", SOCK_STREAM);
	before = dup(0);
	CHECK(close(before) == 0);
	FAILS(EINVAL, accept(l, (void *)name, &len));
	CHECK(close(c) == 0);
	c = client("e", SOCK_STREAM);
	FAILS(EFAULT, syscall(SYS_accept, l, name, bad_address(1)));
	after = dup(0);
	CHECK(before == after && close(after) == 0 && close(c) == 0);
	CHECK(pthread_create(&t, NULL, shut_later, &l) == 0);
	FAILS(EINVAL, accept(l, NULL, NULL));
	CHECK(pthread_join(t, NULL) == 0);
	FAILS(ECONNREFUSED, connect_to(s, "e"));
	CHECK(close(l) == 0 && close(s) == 0 && close(d) == 0 && unlink("e") == 0);
}

static void *accept_one(void *arg)
{
	int a = accept(*(int *)arg, NULL, NULL);

	CHECK(a >= 0);
	return (void *)(long)a;
}

static void several_may_wait(void)
{
	int l = listener("s", SOCK_STREAM, 5), c[4];
	pthread_t t[4];
	void *a;

	for (int i = 0; i < 4; i++)
		CHECK(pthread_create(&t[i], NULL, accept_one, &l) == 0);
	sleep_ms(20);
	for (int i = 0; i < 4; i++)
		c[i] = client("s", SOCK_STREAM);
	for (int i = 0; i < 4; i++) {
		CHECK(pthread_join(t[i], &a) == 0 && close((int)(long)a) == 0);
		CHECK(close(c[i]) == 0);
	}
	CHECK(close(l) == 0 && unlink("s") == 0);
}

RUN(TEST(in_order_and_with_names), TEST(waiting), TEST(the_dead_are_accepted_too),
    TEST(errors), TEST(several_may_wait))
