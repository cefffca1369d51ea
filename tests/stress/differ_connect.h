/* SPDX-License-Identifier: MIT */
/* differ_connect.h - differ_socket.c's calls that make sockets, name and connect them. */
#pragma once
#include "differ_transfer.h"

static int fresh_port; /* the next that was never used */

/* ---- making and closing ---- */

HELPER void do_socket(struct slot *s)
{
	static const int odd_types[] = {0,	     SOCK_RDM, SOCK_STREAM, 7,
					SOCK_PACKET, SOCK_RAW, -1};
	static const int odd_domains[] = {0, AF_UNIX, AF_INET, AF_INET6, 46, -1, 200};
	char family = run.families[pick((unsigned)strlen(run.families))];
	struct slot like = {.domain = one_in(2) ? AF_INET : AF_INET6, .type = SOCK_DGRAM};
	int fd;

	switch (family) {
	case 'u':
		like.domain = AF_UNIX;
		like.type = one_in(3)	? SOCK_STREAM
			    : one_in(2) ? SOCK_DGRAM
					: SOCK_SEQPACKET;
		break;
	case 't':
		like.type = SOCK_STREAM;
		break;
	case 'i':
		like.protocol = like.domain == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6;
		break;
	case 'r':
		like.type = SOCK_RAW;
		like.protocol = 253 + (int)pick(2);
		break;
	case 'n':
		like.domain = AF_NETLINK;
		like.type = SOCK_RAW;
		break;
	case 'p':
		like.domain = AF_PACKET;
		like.type = one_in(2) ? SOCK_DGRAM : SOCK_RAW;
		break;
	default:
		break;
	}
	if (one_in(12)) {
		int domain = ONE_OF(odd_domains), type = ONE_OF(odd_types);
		int protocol = (int)pick(3) * 100;

		/* no sockets that see others' packets; a family may have a module to load
		 */
		if (type == SOCK_PACKET || type == SOCK_RAW)
			type = SOCK_RDM;
		say(" socket %d %d %d", domain, type, protocol);
		fd = (int)say_result(socket(domain, type, protocol));
		if (fd >= 0)
			close(fd);
		return;
	}
	say(" socket %d %d %d", like.domain, like.type, like.protocol);
	fd = (int)socket(like.domain, like.type | SOCK_NONBLOCK | SOCK_CLOEXEC,
			 like.protocol);
	say("%s", fd < 0 ? strerrorname_np(errno) : "");
	if (fd < 0)
		return;
	slot_fill(s, fd, &like);
	say(".%d", s->serial);
	if (like.domain == AF_PACKET && !one_in(4)) {
		struct target t;

		target_family(&t, AF_PACKET);
		say_result(bind(fd, &t.a.any, t.len));
	}
}

HELPER void do_socketpair(struct slot *s)
{
	static const int types[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET, SOCK_RAW, 9};
	struct slot like = {.domain = strchr(run.families, 'u') && !one_in(8) ? AF_UNIX
									      : AF_INET,
			    .type = ONE_OF(types)};
	int fd[2] = {-1, -1};
	long r;

	say(" socketpair %d %d", like.domain, like.type);
	r = socketpair(like.domain, like.type | (one_in(30) ? 64 : 0), one_in(12) ? 6 : 0,
		       place(fd, sizeof(fd), false));
	if (say_result(r) || fd[0] < 0)
		return;
	if (like.type == SOCK_RAW)
		like.type = SOCK_DGRAM;
	slot_fill(s, fd[0], &like);
	s = slot_free();
	if (s) {
		slot_fill(s, fd[1], &like);
		say(" s%td", s - slots);
	} else {
		close(fd[1]);
	}
}

/* Two that are connected, at once. */
HELPER void do_connected(struct slot *s)
{
	struct target t = {0};
	bool is6 = one_in(2), is_tcp = strchr(run.families, 't') && !one_in(3);
	struct slot like = {.domain = is6 ? AF_INET6 : AF_INET,
			    .type = is_tcp ? SOCK_STREAM : SOCK_DGRAM};
	int fd[3] = {-1, -1, -1};
	struct slot *to;

	if (!strchr(run.families, is_tcp ? 't' : 'd')) {
		do_socketpair(s);
		return;
	}
	for (int i = 0; i < 2; i++)
		fd[i] = socket(like.domain, like.type | SOCK_CLOEXEC, 0);
	t.len = is6 ? sizeof(t.a.in6) : sizeof(t.a.in);
	t.a.any.sa_family = (sa_family_t)like.domain;
	if (is6)
		t.a.in6.sin6_addr = in6addr_loopback;
	else
		t.a.in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	CHECK(bind(fd[0], &t.a.any, t.len) == 0);
	if (is_tcp)
		CHECK(listen(fd[0], 5) == 0);
	CHECK(getsockname(fd[0], &t.a.any, &t.len) == 0);
	CHECK(connect(fd[1], &t.a.any, t.len) == 0);
	if (is_tcp) {
		fd[2] = accept4(fd[0], NULL, NULL, SOCK_CLOEXEC);
		close(fd[0]);
		fd[0] = fd[2];
	} else if (one_in(2)) {
		CHECK(getsockname(fd[1], &t.a.any, &t.len) == 0);
		CHECK(connect(fd[0], &t.a.any, t.len) == 0);
	}
	say(" connected %d.%d", like.domain, like.type);
	slot_fill(s, fd[1], &like);
	to = slot_free();
	if (to) {
		slot_fill(to, fd[0], &like);
		say(" s%td", to - slots);
	} else {
		close(fd[0]);
	}
}

HELPER void do_close(struct slot *s)
{
	say(" close");
	if (is_listener(s))
		*unaccepted_at(port_of_slot(s)) = 0;
	slot_close(s);
}

HELPER void do_dup(struct slot *s)
{
	struct slot *to = slot_free();

	if (!to)
		return;
	say(" dup s%td", to - slots);
	slot_fill(to, dup(s->fd), s);
	to->listens = s->listens;
	to->origin = s->origin;
	to->is_low = s->is_low;
}

/* ---- names and connections ---- */

HELPER void do_bind(struct slot *s)
{
	struct target t;
	long r;

	/* Linux lets a connection that was reset be bound again, which then leads
	 * nowhere. */
	if (is_tcp(s) && (s->polled & POLLHUP) && port_of_slot(s))
		return;
	target_for(&t, s);
	/* Connected from there, Linux calls it by another name in the end, or goes on
	 * from another. */
	if (s->type == SOCK_RAW && s->domain == AF_INET && t.a.any.sa_family == AF_INET &&
	    t.a.in.sin_addr.s_addr && t.a.bytes[4] != 127)
		return;
	if ((is_tcp(s) || s->type == SOCK_RAW) &&
	    t.a.in.sin_addr.s_addr == htonl(0x7fffffff))
		return;
	/* In the host's network a connection may still keep it. */
	if (is_tcp(s) && run.in_host && t.a.any.sa_family != AF_UNIX &&
	    port_of_target(&t) >= first_port + 400)
		return;
	if (is_inet_dgram(s) && one_in(3))
		t.a.in.sin_port = 0;
	say(" bind");
	say_target(&t);
	r = bind(s->fd, place(&t.a, t.len, true), t.len);
	say_result(r);
}

/* A datagram socket of Linux that cannot be connected any more goes on half connected.
 * And one that is bound to what means many is called by another name inside. */
HELPER bool is_odd_connect(const struct slot *s, const struct target *t)
{
	union address own = {0};
	socklen_t len = sizeof(own);
	const unsigned char *a = (const void *)&t->a.in.sin_addr;

	if (!is_inet_dgram(s) || getsockname(s->fd, &own.any, &len))
		return false;
	if (own.any.sa_family == AF_INET && ((own.bytes[4] & 0xe0) == 0xe0 ||
					     own.in.sin_addr.s_addr == htonl(0x7fffffff)))
		return true;
	if (!has_peer(s))
		return false;
	if (t->a.any.sa_family == AF_INET)
		return (a[0] && a[0] != 127) || a[3] == 255;
	return t->a.any.sa_family == AF_INET6 && t->a.in6.sin6_addr.s6_addr[0];
}

HELPER void do_connect(struct slot *s)
{
	struct target t;

	target_for(&t, s);
	if (is_odd_connect(s, &t))
		return;
	/* Linux sends what is held to whom it is connected with afterwards. */
	if (!may_connect(s, &t) || notes->held[s->origin])
		return;
	/* From an address of IPv6, Linux makes of no mapped address one by chance. */
	if (s->type == SOCK_RAW && t.a.any.sa_family == AF_INET6 &&
	    IN6_IS_ADDR_V4MAPPED(&t.a.in6.sin6_addr) && !t.a.in6.sin6_addr.s6_addr[15])
		return;
	note_mapped(s, &t);
	say(" connect");
	say_target(&t);
	say_result(connect(s->fd, place(&t.a, t.len, true), t.len));
	note_pair(s, &t);
}

HELPER void do_listen(struct slot *s)
{
	static const int unix_backlogs[] = {0, 1, 2, 5, -1};
	int backlog = is_tcp(s) ? 8 + (int)pick(50) : ONE_OF(unix_backlogs);

	/* Linux's connections come from it shut, too. */
	if (is_tcp(s) && notes->shut[s->origin])
		return;
	say(" listen %d", backlog);
	if (say_result(listen(s->fd, backlog)) == 0) {
		s->listens = true;
		*unaccepted_at(port_of_slot(s)) = 0;
	}
}

HELPER void do_accept(struct slot *s)
{
	static const int kinds[] = {0, SOCK_CLOEXEC, SOCK_NONBLOCK, 3};
	union address a = {0};
	socklen_t len = one_in(10) ? pick(30) : one_in(20) ? (socklen_t)-1 : sizeof(a);
	socklen_t room = len > sizeof(a) ? sizeof(a) : len;
	struct slot *to = slot_free();
	int kind = one_in(4) ? ONE_OF(kinds) : 0;
	long r;

	if (!to)
		return;
	say(" accept %d/%d", kind, (int)len);
	r = accept4(s->fd, place(&a, sizeof(a), false), place(&len, sizeof(len), false),
		    kind);
	say("%s", r < 0 ? strerrorname_np(errno) : "=");
	if (is_listener(s) && r >= 0)
		--*unaccepted_at(port_of_slot(s));
	if (r < 0) {
		if (errno == EAGAIN)
			*unaccepted_at(port_of_slot(s)) = 0;
		return;
	}
	slot_fill(to, (int)r, s);
	say("s%td.%d/%u ", to - slots, to->serial, len);
	say_part(&a, len > room ? room : len, len);
}

/* Connections are what most of it needs. */
HELPER void do_meet(struct slot *s)
{
	struct slot *other = &slots[pick(SLOTS)];
	struct target t = {.len = sizeof(t.a)};

	for (int i = 0; i < 4 && (other->domain != s->domain || other->type != s->type);
	     i++)
		other = &slots[pick(SLOTS)];
	if (other->fd < 0 || other->domain != s->domain || other->type != s->type)
		return;
	if (getsockname(other->fd, &t.a.any, &t.len) || !may_connect(s, &t) ||
	    notes->held[s->origin])
		return;
	if (is_inet_dgram(s) && !port_of_target(&t)) /* Linux forgets its errors */
		return;
	if (is_odd_connect(s, &t))
		return;
	note_mapped(s, &t);
	say(" meet s%td", other - slots);
	say_result(connect(s->fd, &t.a.any, t.len));
	note_pair(s, &t);
	settle();
	if (other->listens && other != s)
		do_accept(other);
}

HELPER void do_shutdown(struct slot *s)
{
	static const int ways[] = {SHUT_RD, SHUT_WR, SHUT_WR, SHUT_RDWR, 3, -1};
	int way = ONE_OF(ways);

	notes->shut[s->origin] |= is_tcp(s) && (s->polled & POLLHUP);
	if (notes->held[s->origin] &&
	    is_inet_dgram(s)) /* more of what is held may still be added */
		return;
	say(" shutdown %d", way);
	say_result(shutdown(s->fd, way));
}

HELPER void do_name(struct slot *s)
{
	union address a = {0};
	static const socklen_t lengths[] = {0,	1,   2,		8,
					    16, 110, sizeof(a), (socklen_t)-1};
	socklen_t len = ONE_OF(lengths), had = len;
	bool peer = one_in(2);
	void *to = place(&a, sizeof(a), false), *size = place(&len, sizeof(len), false);

	say(" get%sname %d", peer ? "peer" : "sock", (int)len);
	if (say_result((peer ? getpeername : getsockname)(s->fd, to, size)) == 0 &&
	    s->domain != AF_PACKET) {
		say(".%u ", len);
		say_part(&a, had < len ? had : len, len);
	}
}

/* Who is at the other end. */
HELPER void do_peer(struct slot *s)
{
	struct ucred c = {-1, 0, 0};
	socklen_t len = one_in(6) ? pick(16) : sizeof(c);
	gid_t groups[100];
	socklen_t size = sizeof(groups);

	say(" peer");
	if (say_result(getsockopt(s->fd, SOL_SOCKET, SO_PEERCRED, &c, &len)) == 0 &&
	    len == sizeof(c)) {
		say(".");
		say_pid(c.pid);
		say_id(".", c.uid);
		say_id(".", c.gid);
	}
	say_result(getsockopt(s->fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size));
}

/* Who may have a port beside whom: sockets of this call alone. */
HELPER void do_ports(struct slot *unused)
{
	static const char *const names[] = {
		"127.0.0.1", "0.0.0.0",		 "127.0.0.2",	  "::1",
		"::",	     "::ffff:127.0.0.1", "::ffff:0.0.0.0"};
	int type = one_in(2) ? SOCK_STREAM : SOCK_DGRAM, fd[4];
	/* of all or none: of a mixture Linux looks only at some */
	int is_shared = (int)pick(2);
	uint16_t port = (uint16_t)(first_port + PORTS + fresh_port++ % 300);

	(void)unused;
	say(" ports %d", type);
	for (int i = 0; i < 4; i++) {
		const char *name = ONE_OF(names);
		bool is6 = strchr(name, ':');
		struct target t = {.len = is6 ? sizeof(t.a.in6) : sizeof(t.a.in)};

		t.a.in.sin_family = is6 ? AF_INET6 : AF_INET;
		t.a.in.sin_port = htons(port);
		inet_pton(t.a.in.sin_family, name,
			  is6 ? (void *)&t.a.in6.sin6_addr : (void *)&t.a.in.sin_addr);
		fd[i] = socket(t.a.in.sin_family, type | SOCK_CLOEXEC, 0);
		say(" %s", name);
		for (int j = 0; j < 3; j++) {
			static const int option[][2] = {{SOL_SOCKET, SO_REUSEADDR},
							{SOL_SOCKET, SO_REUSEPORT},
							{SOL_IPV6, IPV6_V6ONLY}};
			int on = j == 1 ? is_shared : (int)pick(2);

			say("%d", on);
			(void)setsockopt(fd[i], option[j][0], option[j][1], &on,
					 sizeof(on));
		}
		if (say_result(bind(fd[i], &t.a.any, t.len)) == 0 && one_in(2))
			say_result(listen(fd[i], 5));
	}
	for (int i = 0; i < 4; i++)
		close(fd[i]);
}
