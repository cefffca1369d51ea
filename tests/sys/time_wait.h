/* SPDX-License-Identifier: MIT */
/* time_wait.h - connections, and what /proc/net tells of those that are over, for the
 * tests of that. Ports are of a range that no connect and no other bind chooses from. */
#pragma once
#include "own_net.h"

enum { PATIENCE = 20000 /* ms */ };

/* ---- what /proc/net tells ---- */

struct row {
	unsigned state, timer, uid;
	unsigned long when, inode;
};

/* The row of those two ports: without a socket, or of one. False: there is none. */
HELPER bool row_find(const char *table, unsigned local, unsigned remote, struct row *r)
{
	char line[512];
	unsigned l;
	unsigned p;
	bool found = false;
	FILE *f = fopen(table, "re");

	CHECK(f);
	while (!found && fgets(line, sizeof(line), f))
		found = sscanf(line,
			       " %*[0-9]: %*[0-9A-F]:%X %*[0-9A-F]:%X %X %*[0-9A-F:] "
			       "%X:%lX "
			       "%*X %u %*u %lu",
			       &l, &p, &r->state, &r->timer, &r->when, &r->uid,
			       &r->inode) == 7 &&
			l == local && p == remote;
	CHECK(fclose(f) == 0);
	return found;
}

HELPER unsigned state_at(const char *table, unsigned local, unsigned remote)
{
	struct row r;

	return row_find(table, local, remote, &r) ? r.state : 0;
}

/* It comes to that state, 0: nothing, soon. */
HELPER bool settles_in(const char *table, unsigned local, unsigned remote, unsigned state)
{
	long end = now_ms() + PATIENCE;

	while (state_at(table, local, remote) != state && now_ms() < end)
		sleep_ms(5);
	return state_at(table, local, remote) == state;
}

HELPER bool settles(unsigned local, unsigned remote, unsigned state)
{
	return settles_in("/proc/net/tcp", local, remote, state);
}

/* ---- connections ---- */

HELPER uint16_t client, server; /* ports of the last one */

HELPER int tcp(bool reuses)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	CHECK(fd >= 0 && set_option(fd, SOL_SOCKET, SO_REUSEADDR, reuses) == 0);
	return fd;
}

HELPER int try_bind(bool reuses, const char *addr, uint16_t port)
{
	int fd = tcp(reuses);
	int err = bind4(fd, addr, port) ? errno : 0;

	CHECK(close(fd) == 0);
	return err;
}

HELPER int try_bind6(bool v6only, const char *addr, uint16_t port)
{
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int err;

	CHECK(fd >= 0 && set_option(fd, SOL_IPV6, IPV6_V6ONLY, v6only) == 0);
	err = bind6(fd, addr, port) ? errno : 0;
	CHECK(close(fd) == 0);
	return err;
}

enum { APART_FIRST = 3000, APART_COUNT = 7000 };

/* Binds fd to a port that no connect and no other bind would choose, and that nobody has
 * at any other address. */
HELPER int bind_apart(int fd)
{
	static unsigned next;
	uint16_t port;

	do {
		CHECK(next < APART_COUNT);
		port = (uint16_t)(APART_FIRST +
				  ((unsigned)getpid() * 37 + next++) % APART_COUNT);
	} while (try_bind(false, "0.0.0.0", port) == EADDRINUSE ||
		 try_bind6(true, "::", port) == EADDRINUSE ||
		 (bind4(fd, "127.0.0.1", port) != 0 && errno == EADDRINUSE));
	CHECK(port_of(fd) == port);
	return fd;
}

HELPER int listener_apart(bool reuses)
{
	int fd = bind_apart(tcp(reuses));

	CHECK(listen(fd, 16) == 0);
	return fd;
}

HELPER void pair_by(int l, int from, int fd[2])
{
	fd[0] = from;
	server = port_of(l);
	CHECK(connect_to(fd[0], server) == 0);
	fd[1] = accept4(l, NULL, NULL, SOCK_CLOEXEC);
	CHECK(fd[1] >= 0);
	client = port_of(fd[0]);
}

/* [0] has connected; nobody listens any more. Whether both have SO_REUSEADDR. */
HELPER void pair(int fd[2], bool reuses)
{
	int l = listener_apart(reuses);

	pair_by(l, bind_apart(tcp(reuses)), fd);
	CHECK(close(l) == 0);
}

/* The first one ends it first, and both know. */
HELPER void end_in_order(int first, int second)
{
	char c;

	CHECK(close(first) == 0);
	CHECK(recv(second, &c, 1, 0) == 0);
	CHECK(close(second) == 0);
}

HELPER void abort_on_close(int fd)
{
	const struct linger now = {.l_onoff = 1};

	CHECK(setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now)) == 0);
	CHECK(close(fd) == 0);
}

/* What the table does not show any more may be still on its way out. */
HELPER bool becomes_free(uint16_t port)
{
	long end = now_ms() + PATIENCE;
	int err;

	while ((err = try_bind(false, "127.0.0.1", port)) != 0 && now_ms() < end)
		sleep_ms(5);
	return err == 0;
}
