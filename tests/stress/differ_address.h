/* SPDX-License-Identifier: MIT */
/* differ_address.h - the addresses, lengths and places in memory that differ_socket.c's
 * calls are made with. */
#pragma once
#include "differ_socket.h"

union address {
	struct sockaddr any;
	struct sockaddr_storage all;
	struct sockaddr_un un;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	struct sockaddr_nl nl;
	struct sockaddr_ll ll;
	char bytes[256];
};

struct target {
	union address a;
	socklen_t len;
	bool bad; /* its length or family is none that the socket knows */
};

/* ---- memory ---- */

static char *edge;   /* the end of a page of memory; what comes after it is not there */
static char *locked; /* may be read only */

HELPER void memory_open(void)
{
	edge = page_edge();
	locked = page_with(PROT_READ);
}

/* Where size bytes are handed to a call: mostly at p itself. */
HELPER void *place(void *p, size_t size, bool is_input)
{
	size_t out = size ? 1 + pick((unsigned)size) : 0;

	switch (pick(120)) {
	case 0:
		say("(null)");
		return NULL;
	case 1:
		say("(nowhere)");
		/* Not what is a program's on Linux alone: the guest's addresses end
		 * sooner. */
		return bad_address(one_in(2) ? 1 : 5 + pick(BAD_COUNT - 5));
	case 2:
		if (size > PAGE / 2 || is_input)
			break;
		say("(edge-%zu)", out);
		return edge - out;
	case 3:
		if (is_input)
			break;
		say("(locked)");
		return locked;
	default:
		break;
	}
	return p;
}

/* ---- ports ---- */

HELPER uint16_t port_of_slot(const struct slot *s)
{
	union address a = {0};
	socklen_t len = sizeof(a);

	if (getsockname(s->fd, &a.any, &len))
		return 0;
	return a.any.sa_family == AF_INET || a.any.sa_family == AF_INET6
		       ? ntohs(a.in.sin_port)
		       : 0;
}

/* ---- addresses ---- */

HELPER void target_unix(struct target *t)
{
	static const char *const paths[] = {"u0",   "u1",	"u2",	   "u0",
					    "u1",   "plain",	"no/such", "dir",
					    "link", "locked/u3"};
	const char *path = ONE_OF(paths);

	t->a.un = (struct sockaddr_un){.sun_family = AF_UNIX};
	switch (pick(12)) {
	case 0: /* no NUL */
		memset(t->a.bytes + 2, 'l', 120);
		t->len = 110;
		return;
	case 1:
		t->len = 2;
		return;
	case 2:
	case 3:
	case 4:
	case 5:
		t->len = 4;
		t->a.un.sun_path[1] = (char)('a' + pick(3));
		return;
	default:
		strcpy(t->a.un.sun_path, path);
		t->len = (socklen_t)(2 + strlen(path) + pick(2));
	}
}

HELPER uint16_t some_port(void)
{
	const struct slot *s = &slots[pick(SLOTS)];
	uint16_t port = s->fd >= 0 && !one_in(3) ? port_of_slot(s) : 0;

	/* The host knows that nobody may have it, also of a socket that is connected. */
	if (one_in(40) && !run.in_host)
		return 80;
	return port ? port : (uint16_t)(first_port + pick(PORTS));
}

HELPER void target_inet(struct target *t)
{
	static const char *const addresses[] = {
		"127.0.0.1", "127.0.0.1", "127.0.0.1", "127.0.0.1",
		"127.0.0.1", "127.0.0.2", "0.0.0.0",   "127.255.255.255"};
	/* these lead out of the machine, in a network that is the host's */
	static const char *const beyond[] = {"239.1.1.1", "10.1.1.1", "255.255.255.255"};

	t->a.in = (struct sockaddr_in){.sin_family = AF_INET,
				       .sin_port = htons(some_port())};
	inet_pton(AF_INET, run.own && one_in(12) ? ONE_OF(beyond) : ONE_OF(addresses),
		  &t->a.in.sin_addr);
	t->len = sizeof(t->a.in);
}

HELPER void target_inet6(struct target *t)
{
	static const char *const addresses[] = {"::1",
						"::1",
						"::1",
						"::1",
						"::",

						"::ffff:127.0.0.1",
						"::ffff:127.0.0.1",
						"::ffff:0.0.0.0"};
	static const char *const beyond[] = {"ff02::1", "fe80::1", "2001:db8::1",
					     "ff01::1"};

	t->a.in6 = (struct sockaddr_in6){.sin6_family = AF_INET6,
					 .sin6_port = htons(some_port())};
	inet_pton(AF_INET6, run.own && one_in(12) ? ONE_OF(beyond) : ONE_OF(addresses),
		  &t->a.in6.sin6_addr);
	if (one_in(16) && !t->a.in6.sin6_addr.s6_addr[0])
		t->a.in6.sin6_scope_id = 1 + pick(run.in_host ? 1 : 2);
	t->len = sizeof(t->a.in6);
}

HELPER void target_family(struct target *t, int domain)
{
	memset(t, 0, sizeof(*t));
	switch (domain) {
	case AF_UNIX:
		target_unix(t);
		break;
	case AF_INET:
		target_inet(t);
		break;
	case AF_INET6:
		target_inet6(t);
		break;
	case AF_NETLINK:
		t->a.nl =
			(struct sockaddr_nl){.nl_family = AF_NETLINK,
					     .nl_pid = one_in(4) ? 5000000 + pick(2) : 0,
					     .nl_groups = one_in(3) ? pick(4) : 0};
		t->len = sizeof(t->a.nl);
		break;
	default: /* frames of a type that nobody else sends */
		t->a.ll = (struct sockaddr_ll){.sll_family = AF_PACKET,
					       .sll_protocol = htons(0x88b5),
					       .sll_ifindex = one_in(8) ? 7 : 1,
					       .sll_halen = 6};
		t->len = sizeof(t->a.ll);
	}
}

/* An address for a call on s: mostly one that makes sense. */
HELPER void target_for(struct target *t, const struct slot *s)
{
	static const int families[] = {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK};
	static const socklen_t lengths[] = {
		0,  1,	2,   3,	  7,   8,   15,		16,
		24, 27, 110, 111, 128, 129, 0x7fffffff, (socklen_t)-1};
	union address known_one = {0};
	socklen_t len = sizeof(known_one);
	const struct slot *other = &slots[pick(SLOTS)];

	target_family(t, one_in(24) ? ONE_OF(families) : s->domain);
	if (other->fd >= 0 && other->domain == s->domain && s->domain == AF_UNIX &&
	    !one_in(3) && getsockname(other->fd, &known_one.any, &len) == 0 && len > 2) {
		t->a = known_one;
		t->len = len;
	}
	if (s->domain == AF_NETLINK)
		return;
	if (one_in(30)) {
		t->a.any.sa_family = AF_UNSPEC;
		t->bad = true;
	}
	if (one_in(25)) {
		t->len = lengths[pick(run.in_host ? 15 : 16) + (run.in_host ? 1 : 0)];
		t->bad = true;
	}
}

HELPER void say_target(const struct target *t)
{
	say(" ");
	if (t->bad)
		say("%u!", t->len);
	say_address(&t->a, t->len > sizeof(t->a) ? sizeof(t->a) : t->len);
}

/* ---- what must not be asked for, as its outcome takes time or is left to chance ---- */

static int unaccepted[512]; /* TCP connections per port of the range that may be queued */
static uint16_t pairs[256][2];
static int pair_count;

HELPER int *unaccepted_at(uint16_t port)
{
	uint16_t i = (uint16_t)(port - first_port);

	return i < 400 ? &unaccepted[i] : &unaccepted[400 + port % 100];
}

HELPER uint16_t port_of_target(const struct target *t)
{
	return t->len < 8 ? 0 : ntohs(t->a.in.sin_port);
}

HELPER bool is_listener(const struct slot *s)
{
	int yes = 0;
	socklen_t len = sizeof(yes);

	return getsockopt(s->fd, SOL_SOCKET, SO_ACCEPTCONN, &yes, &len) == 0 && yes;
}

HELPER bool has_listener(uint16_t port)
{
	bool found = false;

	for (int i = 0; i < SLOTS; i++)
		found |= slots[i].fd >= 0 && is_tcp(&slots[i]) &&
			 is_listener(&slots[i]) && port_of_slot(&slots[i]) == port;
	return found;
}

HELPER void note_mapped(const struct slot *s, const struct target *t)
{
	notes->mapped[s->origin] |= is_tcp(s) && t->a.any.sa_family == AF_INET6 &&
				    IN6_IS_ADDR_V4MAPPED(&t->a.in6.sin6_addr);
}

HELPER void note_pair(const struct slot *s, const struct target *t)
{
	if (is_tcp(s)) {
		pairs[pair_count][0] = port_of_slot(s);
		pairs[pair_count++][1] = port_of_target(t);
	}
}

/* May s, of TCP, be asked to connect there? The request that finds a queue full is
 * repeated after a second, and a pair of numbered ports lingers in TIME_WAIT. */
HELPER bool may_connect(const struct slot *s, const struct target *t)
{
	uint16_t from, to = port_of_target(t);
	int *waiting = unaccepted_at(to);

	if (!is_tcp(s))
		return true;
	/* The host's socket comes back without a name; and what family it is, is asked
	 * before what has become of the last connect. */
	if (run.in_host && (t->a.any.sa_family != s->domain ||
			    ((s->polled & POLLHUP) && port_of_slot(s))))
		return false;
	if (t->a.any.sa_family == AF_UNSPEC)
		return true;
	from = port_of_slot(s);
	if (has_listener(to) && ++*waiting > 6)
		return false;
	for (int i = 0; i < pair_count; i++)
		if (from && pairs[i][0] == from && pairs[i][1] == to)
			return false;
	/* What was once to be connected to a mapped address stays IPv4's on Linux. */
	if (notes->mapped[s->origin])
		return false;
	/* shut before it is connected: Linux keeps that in mind, and more */
	if (notes->shut[s->origin] || pair_count > 250)
		return false;
	return true;
}
