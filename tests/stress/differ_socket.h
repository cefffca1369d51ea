/* SPDX-License-Identifier: MIT */
/*
 * differ_socket.h - the ground of differ_socket.c: chance, the transcript, the sockets
 * that calls are made on, and what can be seen of them after each call.
 *
 * What the kernel is free to choose (ephemeral ports, names given by autobind, process
 * ids) is shown by numbers in the order of its first appearance.
 */
#pragma once
#include "../sys/inet.h"

#include <linux/errqueue.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <sched.h>
#include <stdarg.h>
#include <sys/epoll.h>
#include <sys/sendfile.h>
#include <sys/un.h>

enum {
	SLOTS = 7,
	PORTS = 5,	/* that sockets are bound to by number */
	SENDS_MOST = 50 /* on one TCP socket: its peer's buffer never fills */
};

struct slot {
	int fd; /* or -1 */
	int domain, type, protocol;
	int serial; /* how epoll calls it */
	int sends;  /* calls that sent something */
	bool listens;
	int origin;	  /* the serial of the socket that it is, or a duplicate of */
	bool is_low;	  /* has SO_RCVLOWAT: Linux tells then of less */
	char seen[160];	  /* what was last shown of it */
	unsigned polled;  /* what poll said then */
	unsigned changed; /* what of it, since the step before; all: something else */
};

static struct slot slots[SLOTS];
/* Of the sockets, which children share; per origin. */
static struct notes {
	bool held[1024];   /* has sent with MSG_MORE, or may have */
	bool corked[1024]; /* and goes on so */
	bool shut[1024];   /* of TCP, before it was connected */
	bool mapped[1024]; /* of TCP, was to be connected to a mapped address */
	bool urgent_sent;  /* was sent through a Unix socket */
	bool urgent_sent_tcp;
} * notes;
static struct option_of_run {
	unsigned long seed;
	int steps;
	bool own; /* with all rights over a network of the program's own */
	bool new_network;
	bool all_edges;
	bool in_host; /* datagrams on the loopback are the host's business */
	const char *families;
	const char *skip; /* one character per step: not made where it is 'x' */
} run = {.seed = 1, .steps = 100, .families = "utd"};
static uint16_t first_port = 20000;

/* ---- chance: each step has its own, so that steps can be left out ---- */

static uint64_t chance;

HELPER uint32_t draw(void)
{
	uint64_t z = chance += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return (uint32_t)(z >> 31);
}

HELPER unsigned pick(unsigned n)
{
	return draw() % n;
}

HELPER bool one_in(unsigned n)
{
	return pick(n) == 0;
}

#define ONE_OF(table) ((table)[pick(sizeof(table) / sizeof((table)[0]))])

/* ---- the transcript ---- */

static char line[16384];
static size_t line_size;

HELPER __attribute__((format(printf, 1, 2))) void say(const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(line + line_size, sizeof(line) - line_size, format, args);
	va_end(args);
	if (n > 0)
		line_size += (size_t)n < sizeof(line) - line_size ? (size_t)n : 0;
}

HELPER void say_end(void)
{
	line[line_size++] = '\n';
	for (size_t at = 0; at < line_size;) {
		ssize_t n = write(1, line + at, line_size - at);

		if (n < 0 && errno != EINTR)
			_exit(1);
		at += n > 0 ? (size_t)n : 0;
	}
	line_size = 0;
}

HELPER long say_result(long r)
{
	int e = errno;

	if (r < 0)
		say("=%s", strerrorname_np(e) ? strerrorname_np(e) : "?");
	else
		say("=%ld", r);
	errno = e;
	return r;
}

HELPER void say_bytes(const void *bytes, size_t size)
{
	const unsigned char *p = bytes;
	uint32_t sum = 2166136261u;

	for (size_t i = 0; i < size; i++)
		sum = (sum ^ p[i]) * 16777619u;
	if (size <= 8)
		for (size_t i = 0; i < size; i++)
			say("%s%02x", i ? "" : " x", p[i]);
	else
		say(" #%08x", sum);
}

/* ---- numbers instead of what may be anything ---- */

static uint32_t known[3][512];
static bool port_in_use[512]; /* by a socket of the test, in this step */
enum known_as { KNOWN_PORT, KNOWN_NAME, KNOWN_INODE };

HELPER int number_of(enum known_as kind, uint32_t what)
{
	int i = 0;

	while (i < 511 && known[kind][i] && known[kind][i] != what)
		i++;
	known[kind][i] = what;
	return i;
}

HELPER void say_port(uint16_t port)
{
	bool has_echoes = strchr(run.families, 'i'); /* whose ports are anything */

	if (port >= first_port && port < first_port + (has_echoes ? PORTS : 400))
		say(":p%d", port - first_port);
	else if (port >= 1024 || (port && port != 80 && has_echoes))
		say(":e%d", number_of(KNOWN_PORT, port)),
			port_in_use[number_of(KNOWN_PORT, port)] = true;
	else
		say(":%d", port);
}

/* Ports that nobody has any more may come again, as others. */
HELPER void forget_ports(void)
{
	for (int i = 0; i < 511 && known[KNOWN_PORT][i]; i++)
		if (!port_in_use[i])
			known[KNOWN_PORT][i] = UINT32_MAX;
	memset(port_in_use, 0, sizeof(port_in_use));
}

HELPER void say_pid(pid_t pid)
{
	say("%s", pid == getpid()    ? "me"
		  : pid == getppid() ? "parent"
		  : pid		     ? "other"
				     : "0");
}

HELPER void say_id(const char *what, uid_t id)
{
	if (id == geteuid())
		say("%sme", what);
	else
		say("%s%u", what, id);
}

HELPER void say_unix_name(const struct sockaddr_un *un, size_t size, size_t whole)
{
	size_t n = size > 2 ? size - 2 : 0;
	char digits[6] = "";

	n = n > sizeof(un->sun_path) ? sizeof(un->sun_path) : n;
	memcpy(digits, un->sun_path + 1, 5);
	if (whole == 8 && n < 6)
		say("@auto-%zu", n);
	else if (n >= 6 && !un->sun_path[0] && strspn(digits, "0123456789abcdef") == 5)
		say("@auto%d",
		    number_of(KNOWN_NAME, (uint32_t)strtoul(digits, NULL, 16) + 1));
	else if (n && !un->sun_path[0])
		say("@%.*s", (int)n - 1, un->sun_path + 1);
	else
		say("%.*s", (int)n, un->sun_path);
}

/* An address of which size bytes are known, of as many as it has. */
HELPER void say_part(const void *address, size_t size, size_t whole)
{
	const struct sockaddr_storage *a = address;
	const struct sockaddr_in *in = address;
	const struct sockaddr_in6 *in6 = address;
	const struct sockaddr_nl *nl = address;
	char text[64] = "?";

	if (size < 2) {
		say("<%zu>", size);
		return;
	}
	if (a->ss_family == AF_UNIX) {
		say("u%zu/", size);
		say_unix_name(address, size, whole);
	} else if (a->ss_family == AF_INET && size >= 8) {
		inet_ntop(AF_INET, &in->sin_addr, text, sizeof(text));
		say("%s%s", size == 16 ? "" : "short/", text);
		say_port(ntohs(in->sin_port));
	} else if (a->ss_family == AF_INET6 && size >= 24) {
		inet_ntop(AF_INET6, &in6->sin6_addr, text, sizeof(text));
		say("%s%s%%%u", size == 28 ? "" : "short/", text,
		    size >= 28 ? in6->sin6_scope_id : 0);
		say_port(ntohs(in6->sin6_port));
	} else if (a->ss_family == AF_NETLINK && size >= 12) {
		say("nl/");
		say_pid((pid_t)nl->nl_pid);
		say("/%x", nl->nl_groups);
	} else {
		say("af%d<%zu>", a->ss_family, size);
	}
}

HELPER void say_address(const void *address, size_t size)
{
	say_part(address, size, size);
}

/* ---- settling ---- */

static int probe[2] = {-1, -1};

/* Two sockets outside of all that is tested. Packets to the loopback wait in one queue
 * per processor, and this program stays on one: what was sent before a probe has arrived
 * before. */
HELPER void probe_open(void)
{
	struct sockaddr_in a[2];
	struct timeval limit = {.tv_sec = 30};

	for (int i = 0; i < 2; i++) {
		socklen_t len = sizeof(a[i]);

		probe[i] = socket_at(SOCK_DGRAM, 0);
		CHECK(getsockname(probe[i], (void *)&a[i], &len) == 0);
		CHECK(!setsockopt(probe[i], SOL_SOCKET, SO_RCVTIMEO, &limit,
				  sizeof(limit)));
	}
	CHECK(connect(probe[0], (void *)&a[1], sizeof(a[1])) == 0);
	CHECK(connect(probe[1], (void *)&a[0], sizeof(a[0])) == 0);
}

/* An answer's answer has arrived as well: a handshake takes three. */
HELPER void settle(void)
{
	char c;

	for (int i = 0; i < 6; i++) {
		ssize_t r;

		CHECK(send(probe[0], "", 1, 0) == 1);
		do
			r = recv(probe[1], &c, 1, 0);
		while (r < 0 && errno == EINTR);
		CHECK(r == 1);
	}
}

/* ---- what can be seen of a socket ---- */

static int epolls[2]; /* one is told of what can be read, one of room */
static int serials;
static volatile sig_atomic_t signals_seen;
static const char *const signal_names[] = {"PIPE", "IO", "URG"};
static const int signal_numbers[] = {SIGPIPE, SIGIO, SIGURG};

HELPER void on_signal(int number)
{
	for (int i = 0; i < 3; i++)
		signals_seen |= signal_numbers[i] == number ? 1 << i : 0;
}

HELPER bool is_tcp(const struct slot *s)
{
	return (s->domain == AF_INET || s->domain == AF_INET6) && s->type == SOCK_STREAM;
}

HELPER bool is_inet_dgram(const struct slot *s)
{
	return (s->domain == AF_INET || s->domain == AF_INET6) && s->type != SOCK_STREAM;
}

HELPER bool is_ping(const struct slot *s)
{
	return s->type == SOCK_DGRAM &&
	       (s->protocol == IPPROTO_ICMP || s->protocol == IPPROTO_ICMPV6);
}

HELPER void watch(struct slot *s)
{
	struct epoll_event in = {.events = EPOLLIN | EPOLLPRI | EPOLLRDHUP | EPOLLET,
				 .data.u32 = (uint32_t)s->serial};
	struct epoll_event out = {.events = EPOLLOUT | EPOLLET,
				  .data.u32 = (uint32_t)s->serial};

	epoll_ctl(epolls[0], EPOLL_CTL_ADD, s->fd, &in);
	epoll_ctl(epolls[1], EPOLL_CTL_ADD, s->fd, &out);
}

HELPER struct slot *slot_free(void)
{
	for (int i = 0; i < SLOTS; i++)
		if (slots[i].fd < 0)
			return &slots[i];
	return NULL;
}

/* A descriptor that calls have made becomes a socket of the test. All are non-blocking.
 */
HELPER void slot_fill(struct slot *s, int fd, const struct slot *like)
{
	int one = 1;

	*s = (struct slot){.fd = fd,
			   .domain = like->domain,
			   .type = like->type,
			   .protocol = like->protocol,
			   .sends = like->sends,
			   .serial = ++serials};
	s->origin = s->serial;
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	if (is_tcp(s)) {
		/* Nothing waits for an acknowledgement, which comes when it likes; and a
		 * connection that lingers in TIME_WAIT, which comes sooner in memory,
		 * keeps nobody from its port. */
		setsockopt(fd, SOL_TCP, TCP_NODELAY, &one, sizeof(one));
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	}
	watch(s);
}

HELPER void slot_close(struct slot *s)
{
	epoll_ctl(epolls[0], EPOLL_CTL_DEL, s->fd, NULL);
	epoll_ctl(epolls[1], EPOLL_CTL_DEL, s->fd, NULL);
	say_result(close(s->fd));
	s->fd = -1;
}

HELPER void say_events(unsigned events)
{
	static const struct {
		unsigned bit;
		const char *name;
	} names[] = {{POLLIN, "I"},	{POLLPRI, "P"},	   {POLLOUT, "O"},
		     {POLLERR, "E"},	{POLLHUP, "H"},	   {POLLNVAL, "N"},
		     {POLLRDNORM, "r"}, {POLLRDBAND, "b"}, {POLLWRNORM, "w"},
		     {POLLWRBAND, "B"}, {POLLMSG, "m"},	   {POLLRDHUP, "R"}};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		say("%s", events & names[i].bit ? names[i].name : "");
}

HELPER void say_name(const char *what, int (*get)(int, struct sockaddr *, socklen_t *),
		     int fd)
{
	struct sockaddr_storage a = {0};
	socklen_t len = sizeof(a);

	say("%s", what);
	if (get(fd, (void *)&a, &len) == 0)
		say_address(&a, len);
	else
		say("%s", strerrorname_np(errno));
}

HELPER void say_socket(struct slot *s)
{
	struct pollfd p = {.fd = s->fd, .events = 0x27ff};
	size_t from = line_size;
	int n = -1;

	if (poll(&p, 1, 0) < 0)
		say("?");
	s->changed = s->polled ^ (unsigned)p.revents;
	s->polled = (unsigned)p.revents;
	say_events(s->polled);
	/* Linux counts urgent bytes of Unix sockets that were passed over. */
	if (!(notes->urgent_sent && s->domain == AF_UNIX) &&
	    ioctl(s->fd, FIONREAD, &n) == 0)
		say(" q%d", n);
	if (s->domain != AF_PACKET) {
		say_name(" ", getsockname, s->fd);
		say_name(" > ", getpeername, s->fd);
	}
	if (line_size - from < sizeof(s->seen) &&
	    !strncmp(s->seen, line + from, line_size - from) &&
	    !s->seen[line_size - from]) {
		line_size = from;
		return;
	}
	s->changed |= 1u << 31;
	snprintf(s->seen, sizeof(s->seen), "%.*s", (int)(line_size - from), line + from);
}

/* Of the edges those that a change calls for: Linux wakes more often than it must. */
HELPER bool edge_counts(int serial, int which)
{
	unsigned of_room = POLLOUT | POLLERR | POLLHUP;

	for (int i = 0; i < SLOTS; i++)
		if (slots[i].fd >= 0 && slots[i].serial == serial)
			return (which || !slots[i].is_low) &&
			       slots[i].changed & (which ? of_room : ~0u);
	return false;
}

HELPER void say_edges(int which)
{
	struct epoll_event events[64];
	int n = epoll_wait(epolls[which], events, 64, 0);

	/* in the order of the sockets */
	for (int serial = 1; n > 0 && serial <= serials; serial++)
		for (int i = 0; i < n; i++) {
			if (events[i].data.u32 != (uint32_t)serial ||
			    (!run.all_edges && !edge_counts(serial, which)))
				continue;
			say(" %c%d.", which ? 'o' : 'e', serial);
			say_events(events[i].events);
		}
}

/* After each step. */
HELPER void say_all(void)
{
	settle();
	for (int i = 0; i < SLOTS; i++) {
		size_t before = line_size, prefix;

		if (slots[i].fd < 0)
			continue;
		say(" | s%d:", i);
		prefix = line_size;
		say_socket(&slots[i]);
		if (line_size == prefix)
			line_size = before;
	}
	forget_ports();
	say(" ;");
	say_edges(0);
	say_edges(1);
	for (int i = 0; i < 3; i++)
		say("%s%s", signals_seen & 1 << i ? " SIG" : "",
		    signals_seen & 1 << i ? signal_names[i] : "");
	signals_seen = 0;
	say_end();
}
