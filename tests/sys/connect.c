/* SPDX-License-Identifier: MIT */
/* net */
/* connect: streams to listeners, datagram peers, what is refused and what waits. */
#include "unix_socket.h"

static void a_stream_connects_before_it_is_accepted(void)
{
	int l = listener("stream", SOCK_STREAM, 3), a, c = client("stream", SOCK_STREAM);
	char b[8];

	CHECK(write(c, "early", 5) == 5 && name_is(getpeername, c, "stream"));
	FAILS(EISCONN, connect_to(c, "stream"));
	a = accept(l, NULL, NULL);
	CHECK(a >= 0 && read(a, b, 8) == 5 && write(a, "late", 4) == 4);
	CHECK(read(c, b, 8) == 4 && name_is(getpeername, a, ""));
	CHECK(name_is(getsockname, a, "stream"));
	FAILS(EINVAL, connect_to(l, "stream"));
	CHECK(close(a) == 0 && close(c) == 0 && close(l) == 0 && unlink("stream") == 0);
}

static void what_refuses(void)
{
	int s = socket(AF_UNIX, SOCK_STREAM, 0), d = socket(AF_UNIX, SOCK_DGRAM, 0);
	int q = socket(AF_UNIX, SOCK_SEQPACKET, 0), l = listener("it", SOCK_STREAM, 1);

	FAILS(ENOENT, connect_to(s, "nothing"));
	FAILS(ENOTDIR, connect_to(s, "it/x"));
	file_put("file", "");
	FAILS(ECONNREFUSED, connect_to(s, "file"));
	FAILS(ECONNREFUSED, connect_to(s, "."));
	FAILS(EPROTOTYPE, connect_to(d, "it"));
	FAILS(EPROTOTYPE, connect_to(q, "it"));
	FAILS(ECONNREFUSED, connect_to(s, "@nobody-is-called-this"));
	CHECK(bind_to(d, "dgram") == 0);
	FAILS(EPROTOTYPE, connect_to(s, "dgram"));
	CHECK(bind_to(q, "idle") == 0);
	FAILS(ECONNREFUSED, connect_to(socket(AF_UNIX, SOCK_SEQPACKET, 0), "idle"));
	CHECK(close(l) == 0);
	FAILS(ECONNREFUSED, connect_to(s, "it"));
	CHECK(unlink("it") == 0 && unlink("file") == 0 && unlink("dgram") == 0);
	CHECK(unlink("idle") == 0 && close(s) == 0 && close(d) == 0 && close(q) == 0);
}

static void a_link_leads_there_and_a_rename_keeps_it(void)
{
	int l = listener("first", SOCK_STREAM, 5);

	CHECK(symlink("first", "sym") == 0 && link("first", "hard") == 0);
	CHECK(close(client("sym", SOCK_STREAM)) == 0);
	CHECK(close(client("hard", SOCK_STREAM)) == 0);
	CHECK(rename("first", "second") == 0);
	CHECK(close(client("second", SOCK_STREAM)) == 0);
	CHECK(close(client("hard", SOCK_STREAM)) == 0);
	CHECK(unlink("second") == 0 && unlink("hard") == 0 && unlink("sym") == 0);
	CHECK(close(l) == 0);
}

static void may_not_write(void)
{
	int s = socket(AF_UNIX, SOCK_STREAM, 0);

	become_user();
	FAILS(EACCES, connect_to(s, "shut"));
	CHECK(connect_to(s, "open") == 0);
}

static void write_permission_is_needed(void)
{
	int l = listener("shut", SOCK_STREAM, 1), m = listener("open", SOCK_STREAM, 1);

	CHECK(chmod("shut", 0555) == 0 && chmod("open", 0222) == 0 &&
	      chmod(".", 0755) == 0);
	CHECK(in_child(may_not_write) == 0 && unlink("shut") == 0 && unlink("open") == 0);
	CHECK(close(l) == 0 && close(m) == 0);
}

static void *accept_later(void *arg)
{
	int a;

	sleep_ms(30);
	a = accept(*(int *)arg, NULL, NULL);
	CHECK(a >= 0 && close(a) == 0);
	return NULL;
}

static void a_full_backlog_makes_it_wait(void)
{
	int l = listener("full", SOCK_STREAM, 1), c[3];
	struct timeval tv = {0, 20000};
	struct interrupter in;
	pthread_t t;

	for (int i = 0; i < 2; i++)
		c[i] = client("full", SOCK_STREAM);
	c[2] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	FAILS(EAGAIN, connect_to(c[2], "full"));
	CHECK(fcntl(c[2], F_SETFL, 0) == 0);
	CHECK(setsockopt(c[2], SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv)) == 0);
	FAILS(EAGAIN, connect_to(c[2], "full"));
	tv.tv_usec = 0;
	CHECK(setsockopt(c[2], SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv)) == 0);
	interrupt_start(&in, 0, -1);
	FAILS(EINTR, connect_to(c[2], "full"));
	interrupt_stop(&in);
	CHECK(pthread_create(&t, NULL, accept_later, &l) == 0);
	CHECK(connect_to(c[2], "full") == 0 && pthread_join(t, NULL) == 0);
	for (int i = 0; i < 3; i++)
		CHECK(close(c[i]) == 0);
	CHECK(close(l) == 0 && unlink("full") == 0);
}

static void *close_later(void *arg)
{
	sleep_ms(30);
	CHECK(close(*(int *)arg) == 0);
	return NULL;
}

static void a_waiter_learns_that_the_listener_went(void)
{
	int l = listener("gone", SOCK_STREAM, 0), c = client("gone", SOCK_STREAM);
	int w = socket(AF_UNIX, SOCK_STREAM, 0);
	pthread_t t;
	char b;

	CHECK(pthread_create(&t, NULL, close_later, &l) == 0);
	FAILS(ECONNREFUSED, connect_to(w, "gone"));
	CHECK(pthread_join(t, NULL) == 0);
	FAILS(ECONNRESET, read(c, &b, 1));
	CHECK(read(c, &b, 1) == 0 && close(c) == 0 && close(w) == 0);
	CHECK(unlink("gone") == 0);
}

static void datagram_peers_can_change(void)
{
	int a = socket(AF_UNIX, SOCK_DGRAM, 0), b = socket(AF_UNIX, SOCK_DGRAM, 0);
	int c = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	struct sockaddr none = {.sa_family = AF_UNSPEC};
	char m[8];

	CHECK(bind_to(a, "a") == 0 && bind_to(b, "b") == 0);
	FAILS(ENOTCONN, write(c, "x", 1));
	CHECK(connect_to(c, "a") == 0 && write(c, "1", 1) == 1);
	CHECK(name_is(getpeername, c, "a") && connect_to(c, "b") == 0);
	CHECK(write(c, "2", 1) == 1 && read(a, m, 8) == 1 && m[0] == '1');
	CHECK(read(b, m, 8) == 1 && m[0] == '2');
	CHECK(connect(c, &none, sizeof(none)) == 0);
	FAILS(ENOTCONN, write(c, "x", 1));
	FAILS(ENOTCONN, getpeername(c, (void *)m, &(socklen_t){8}));
	/* Who is connected takes nothing from others. */
	CHECK(connect_to(a, "b") == 0);
	FAILS(EPERM, connect_to(c, "a"));
	FAILS(EPERM, send_to(c, "x", "a"));
	CHECK(send_to(b, "y", "a") == 1 && read(a, m, 8) == 1);
	CHECK(unlink("a") == 0 && unlink("b") == 0);
	CHECK(close(a) == 0 && close(b) == 0 && close(c) == 0);
}

static void bad_addresses(void)
{
	int s = socket(AF_UNIX, SOCK_STREAM, 0), d = socket(AF_UNIX, SOCK_DGRAM, 0);
	struct sockaddr_un a = {.sun_family = AF_INET, .sun_path = "x"};

	FAILS(EINVAL, connect(s, (void *)&a, sizeof(a)));
	a.sun_family = AF_UNSPEC;
	FAILS(EINVAL, connect(s, (void *)&a, sizeof(a)));
	a.sun_family = AF_UNIX;
	FAILS(EINVAL, connect(s, (void *)&a, 2));
	FAILS(EINVAL, connect(s, (void *)&a, 0));
	FAILS(EINVAL, connect(d, (void *)&a, 1));
	FAILS(EINVAL, connect(d, (void *)&a, 2));
	FAILS(EINVAL, connect(s, (void *)&a, 111));
	FAILS(EINVAL, connect(s, (void *)&a, 129));
	FOR_BAD(p)
	{
		FAILS(EFAULT, syscall(SYS_connect, s, p, sizeof(a)));
	}
	FAILS(EBADF, connect(-1, (void *)&a, sizeof(a)));
	CHECK(close(s) == 0 && close(d) == 0);
}

RUN(TEST(a_stream_connects_before_it_is_accepted), TEST(what_refuses),
    TEST(a_link_leads_there_and_a_rename_keeps_it), TEST(write_permission_is_needed),
    TEST(a_full_backlog_makes_it_wait), TEST(a_waiter_learns_that_the_listener_went),
    TEST(datagram_peers_can_change), TEST(bad_addresses))
