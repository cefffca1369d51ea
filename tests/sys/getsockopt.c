/* SPDX-License-Identifier: MIT */
/* getsockopt: what a socket is, who its peer is, and the length that goes both ways. */
#include "unix_socket.h"

#ifndef SO_PEERGROUPS
#define SO_PEERGROUPS 59
#endif

static void what_it_is(void)
{
	int d = socket(AF_UNIX, SOCK_DGRAM, 0);

	CHECK(int_option(d, SO_TYPE) == SOCK_DGRAM &&
	      int_option(d, SO_DOMAIN) == AF_UNIX);
	CHECK(int_option(d, SO_PROTOCOL) == 0 && int_option(d, SO_ERROR) == 0);
	CHECK(int_option(d, SO_SNDBUF) > 100000 && int_option(d, SO_RCVBUF) > 100000);
	CHECK(int_option(d, SO_SNDLOWAT) == 1 && int_option(d, SO_ACCEPTCONN) == 0);
	CHECK(int_option(d, SO_REUSEPORT) == 0 && int_option(d, SO_PEEK_OFF) == -1);
	CHECK(close(d) == 0);
}

static void the_length_goes_both_ways(void)
{
	int d = socket(AF_UNIX, SOCK_SEQPACKET, 0), fd;
	unsigned char b[16];
	socklen_t len = 16;

	memset(b, 0x77, sizeof(b));
	CHECK(getsockopt(d, SOL_SOCKET, SO_TYPE, b, &len) == 0 && len == 4 &&
	      b[4] == 0x77);
	len = 1;
	memset(b, 0x77, sizeof(b));
	CHECK(getsockopt(d, SOL_SOCKET, SO_TYPE, b, &len) == 0 && len == 1);
	CHECK(b[0] == SOCK_SEQPACKET && b[1] == 0x77);
	len = 0;
	CHECK(getsockopt(d, SOL_SOCKET, SO_TYPE, NULL, &len) == 0 && len == 0);
	len = (socklen_t)-1;
	FAILS(EINVAL, getsockopt(d, SOL_SOCKET, SO_TYPE, b, &len));
	len = 4;
	FAILS(ENOPROTOOPT, getsockopt(d, SOL_SOCKET, 9999, b, &len));
	FAILS(EOPNOTSUPP, getsockopt(d, 6, 1, b, &len));
	FAILS(EFAULT, getsockopt(d, SOL_SOCKET, SO_TYPE, bad_address(1), &len));
	FAILS(EFAULT, getsockopt(d, SOL_SOCKET, SO_TYPE, b, bad_address(1)));
	FAILS(EBADF, getsockopt(-1, SOL_SOCKET, SO_TYPE, b, &len));
	fd = open("/dev/null", O_RDONLY);
	FAILS(ENOTSOCK, getsockopt(fd, SOL_SOCKET, SO_TYPE, b, &len));
	CHECK(close(fd) == 0 && close(d) == 0);
}

static struct ucred peer_of(int fd)
{
	struct ucred u = {-7, 7, 7};
	socklen_t len = sizeof(u);

	CHECK(getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &u, &len) == 0 && len == sizeof(u));
	return u;
}

static void connect_as_child(void)
{
	struct ucred u;
	int c;
	char b;

	c = client("l", SOCK_STREAM);
	u = peer_of(c);
	CHECK(u.pid == getppid() && u.uid == geteuid() && u.gid == getegid());
	CHECK(read(c, &b, 1) == 0);
}

static void who_the_peer_is(void)
{
	int l = listener("l", SOCK_STREAM, 1), lone = socket(AF_UNIX, SOCK_STREAM, 0), a;
	struct ucred u = peer_of(lone);
	pid_t pid;
	int s[2];

	CHECK(u.pid == 0 && u.uid == (uid_t)-1 && u.gid == (gid_t)-1);
	u = peer_of(l);
	CHECK(u.pid == getpid());
	CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, s) == 0);
	u = peer_of(s[1]);
	CHECK(u.pid == getpid() && u.uid == geteuid() && u.gid == getegid());
	pid = child_start(connect_as_child);
	a = accept(l, NULL, NULL);
	CHECK(a >= 0);
	u = peer_of(a);
	CHECK(u.pid == pid && u.uid == geteuid() && u.gid == getegid());
	CHECK(close(a) == 0 && child_wait(pid) == 0 && unlink("l") == 0);
	CHECK(close(l) == 0 && close(lone) == 0 && close(s[0]) == 0 && close(s[1]) == 0);
}

static void its_groups(void)
{
	gid_t own[256], got[256] = {0};
	int n = getgroups(256, own), s[2], lone = socket(AF_UNIX, SOCK_STREAM, 0);
	socklen_t len = sizeof(got);

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0);
	CHECK(getsockopt(s[0], SOL_SOCKET, SO_PEERGROUPS, got, &len) == 0);
	CHECK(len == (socklen_t)n * sizeof(gid_t));
	for (int i = 0; i < n; i++) {
		int found = 0;

		for (int j = 0; j < n; j++)
			found |= own[i] == got[j];
		CHECK(found);
	}
	if (n > 0) {
		len = 2;
		FAILS(ERANGE, getsockopt(s[0], SOL_SOCKET, SO_PEERGROUPS, got, &len));
		CHECK(len == (socklen_t)n * sizeof(gid_t));
	}
	len = sizeof(got);
	FAILS(ENODATA, getsockopt(lone, SOL_SOCKET, SO_PEERGROUPS, got, &len));
	CHECK(close(s[0]) == 0 && close(s[1]) == 0 && close(lone) == 0);
}

static void its_name(void)
{
	int l = listener("name", SOCK_STREAM, 1), c = client("name", SOCK_STREAM);
	char b[32];
	socklen_t len = 4;

	CHECK(getsockopt(c, SOL_SOCKET, SO_PEERNAME, b, &len) == 0 && len == 4);
	CHECK(memcmp(b, "\1\0na", 4) == 0);
	len = 30;
	FAILS(EINVAL, getsockopt(c, SOL_SOCKET, SO_PEERNAME, b, &len));
	len = 4;
	FAILS(ENOTCONN, getsockopt(l, SOL_SOCKET, SO_PEERNAME, b, &len));
	CHECK(close(l) == 0 && close(c) == 0 && unlink("name") == 0);
}

RUN(TEST(what_it_is), TEST(the_length_goes_both_ways), TEST(who_the_peer_is),
    TEST(its_groups), TEST(its_name))
