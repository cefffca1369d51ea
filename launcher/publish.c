/* SPDX-License-Identifier: MIT */
/* publish.c - see publish.h: what -p asks for, and listening for it.
 *
 * The launcher listens in the network that it was started in. A process of its own then
 * enters the sandbox's network namespace, where it connects to the port on loopback: it
 * has both ends, and no one in the sandbox has either. It ends with the launcher. */
#include "publish.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "descriptors.h"
#include "forward.h"
#include "message.h"
#include "options.h"
#include "wall.h"

enum { BACKLOG = 4096, TRIES = 20, PORT_MAX = 65535 };

/* ---- the command line ---- */

struct range {
	uint16_t first, last;
};

static bool parse_range(const char *text, size_t len, struct range *r)
{
	char copy[16], *end;
	unsigned long first, last;

	if (len == 0 || len >= sizeof copy)
		return false;
	memcpy(copy, text, len);
	copy[len] = '\0';
	if (copy[strspn(copy, "0123456789-")])
		return false;
	first = strtoul(copy, &end, 10);
	last = first;
	if (end == copy)
		return false;
	if (*end == '-') {
		char *from = end + 1;

		last = strtoul(from, &end, 10);
		if (end == from)
			return false;
	}
	if (*end || first > last || last > PORT_MAX)
		return false;
	*r = (struct range){(uint16_t)first, (uint16_t)last};
	return true;
}

static bool parse_address(const char *text, size_t len, struct sockaddr_storage *out)
{
	struct sockaddr_in *in = (struct sockaddr_in *)out;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)out;
	char copy[INET6_ADDRSTRLEN];
	bool has_brackets = len > 1 && text[0] == '[' && text[len - 1] == ']';

	if (has_brackets) {
		text++;
		len -= 2;
	}
	if (len >= sizeof copy)
		return false;
	memcpy(copy, text, len);
	copy[len] = '\0';
	if (!has_brackets && inet_pton(AF_INET, copy, &in->sin_addr) == 1) {
		in->sin_family = AF_INET;
		return true;
	}
	in6->sin6_family = AF_INET6;
	return has_brackets && inet_pton(AF_INET6, copy, &in6->sin6_addr) == 1;
}

static void set_port(struct sockaddr_storage *a, uint16_t port)
{
	if (a->ss_family == AF_INET)
		((struct sockaddr_in *)a)->sin_port = htons(port);
	else
		((struct sockaddr_in6 *)a)->sin6_port = htons(port);
}

static struct published *publish_add(struct options *o)
{
	struct published *grown =
		reallocarray(o->published, o->published_count + 1, sizeof *grown);

	if (!grown)
		fail("out of memory");
	o->published = grown;
	grown += o->published_count++;
	memset(grown, 0, sizeof *grown);
	grown->fd[0] = grown->fd[1] = -1;
	return grown;
}

/* The protocol behind the last slash is cut off. */
static bool cut_protocol(const char *text, size_t *len, bool *is_udp)
{
	const char *slash = strrchr(text, '/');

	*len = slash ? (size_t)(slash - text) : strlen(text);
	*is_udp = slash && !strcmp(slash, "/udp");
	return !slash || *is_udp || !strcmp(slash, "/tcp");
}

/* The last colon of the first len bytes, or NULL. */
static const char *last_colon(const char *text, size_t len)
{
	return memrchr(text, ':', len);
}

struct wish {
	struct sockaddr_storage host;
	struct range outside, inside;
	bool is_anywhere, is_udp;
};

/* [[ADDRESS:]HOST:]GUEST[/udp] */
static bool parse_wish(const char *text, struct wish *w)
{
	size_t len;

	memset(w, 0, sizeof *w);
	w->host.ss_family = AF_INET;
	w->is_anywhere = true;
	if (!cut_protocol(text, &len, &w->is_udp))
		return false;
	const char *guest = last_colon(text, len);
	size_t rest = guest ? (size_t)(guest - text) : 0;
	guest = guest ? guest + 1 : text;
	if (!parse_range(guest, len - (size_t)(guest - text), &w->inside) ||
	    w->inside.first == 0)
		return false;
	if (guest == text)
		return true; /* any port of the host's */
	const char *outside = last_colon(text, rest);
	size_t address = outside ? (size_t)(outside - text) : 0;
	outside = outside ? outside + 1 : text;
	if (outside != text) {
		w->is_anywhere = false;
		if (!parse_address(text, address, &w->host))
			return false;
	}
	rest -= (size_t)(outside - text);
	return (rest == 0 && outside != text) || parse_range(outside, rest, &w->outside);
}

void publish_parse(struct options *o, const char *text)
{
	struct wish w;

	if (!parse_wish(text, &w))
		fail("-p %s: [[ADDRESS:]HOST:]GUEST[/udp] is wanted, with ports or "
		     "ranges of ports (an IPv6 address in brackets)",
		     text);
	if (w.outside.first &&
	    w.outside.last - w.outside.first != w.inside.last - w.inside.first)
		fail("-p %s: the two ranges are not as long as each other", text);
	for (unsigned int i = 0; i <= (unsigned int)(w.inside.last - w.inside.first);
	     i++) {
		struct published *p = publish_add(o);

		p->text = text;
		p->host = w.host;
		p->is_anywhere = w.is_anywhere;
		p->is_udp = w.is_udp;
		p->guest = (uint16_t)(w.inside.first + i);
		if (w.outside.first)
			set_port(&p->host, (uint16_t)(w.outside.first + i));
	}
}

/* ---- listening ---- */

static uint16_t port_of(const struct sockaddr_storage *a)
{
	struct sockaddr_in in;

	memcpy(&in, a, sizeof in); /* the port lies at the same place in both */
	return ntohs(in.sin_port);
}

/* A socket that listens there, or -errno. */
static int listen_at(const struct sockaddr_storage *a, bool is_udp)
{
	int type = is_udp ? SOCK_DGRAM : SOCK_STREAM;
	int fd = socket(a->ss_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int on = 1;

	if (fd < 0)
		return -errno;
	if (!is_udp)
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	else if (a->ss_family == AF_INET) /* which address of ours a packet came to */
		(void)setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof on);
	else
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on);
	if (a->ss_family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
	if (bind(fd, (const struct sockaddr *)a,
		 a->ss_family == AF_INET ? sizeof(struct sockaddr_in)
					 : sizeof(struct sockaddr_in6)) < 0 ||
	    (!is_udp && listen(fd, BACKLOG) < 0)) {
		int err = -errno;

		close(fd);
		return err;
	}
	return fd;
}

/* [::] with the port that host has: 0, or -errno; where there is no IPv6, 0 too. */
static int listen_anywhere(struct published *p, uint16_t port)
{
	struct sockaddr_storage any6 = {.ss_family = AF_INET6};
	int fd;

	set_port(&any6, port);
	fd = listen_at(&any6, p->is_udp);
	if (fd == -EADDRINUSE)
		return fd;
	p->fd[1] = fd < 0 ? -1 : fd;
	return 0;
}

static int listen_once(struct published *p)
{
	struct sockaddr_storage name = {0};
	socklen_t len = sizeof name;
	int fd = listen_at(&p->host, p->is_udp);
	int err;

	if (fd < 0)
		return fd;
	if (getsockname(fd, (struct sockaddr *)&name, &len) < 0) {
		err = -errno;
		close(fd);
		return err;
	}
	err = p->is_anywhere ? listen_anywhere(p, port_of(&name)) : 0;
	if (err) {
		close(fd);
		return err;
	}
	p->fd[0] = fd;
	if (port_of(&p->host) == 0)
		warn("port %u/%s is published as %u", p->guest, p->is_udp ? "udp" : "tcp",
		     port_of(&name));
	return 0;
}

void publish_listen(struct options *o)
{
	for (size_t i = 0; i < o->published_count; i++) {
		struct published *p = &o->published[i];
		uint16_t port = port_of(&p->host);
		int err = -EADDRINUSE;

		/* A port of the host's choice may be taken for the other family. */
		for (int tries = 0; err == -EADDRINUSE && tries < (port ? 1 : TRIES);
		     tries++)
			err = listen_once(p);
		if (err == -EACCES && port && port < IPPORT_RESERVED)
			fail("-p %s: port %u of the host is for the privileged", p->text,
			     port);
		if (err)
			fail("-p %s: cannot listen on port %u of the host: %s", p->text,
			     port, strerror(-err));
	}
}

void publish_close(const struct options *o)
{
	for (size_t i = 0; i < o->published_count; i++)
		for (int n = 0; n < 2; n++)
			if (o->published[i].fd[n] >= 0)
				close(o->published[i].fd[n]);
}

/* ---- forwarding ---- */

static void enter_network(pid_t monitor)
{
	int fd = (int)syscall(SYS_pidfd_open, monitor, 0);

	/* One after the other: in the user namespace there is the right for the next. */
	if (fd < 0 || setns(fd, CLONE_NEWUSER) < 0 || setns(fd, CLONE_NEWNET) < 0)
		fail("-p: cannot enter the sandbox's network: %s", strerror(errno));
	close(fd);
}

static void keep_published(const struct options *o)
{
	int *kept = calloc(o->published_count, 2 * sizeof *kept);

	if (!kept)
		fail("out of memory");
	for (size_t i = 0; i < o->published_count; i++) {
		kept[2 * i] = o->published[i].fd[0];
		kept[2 * i + 1] = o->published[i].fd[1];
	}
	descriptors_keep(kept, 2 * o->published_count);
	free(kept);
}

static _Noreturn void publish_main(const struct options *o, pid_t monitor)
{
	keep_published(o);
	enter_network(monitor);
	wall_drop_capabilities();
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	forward_init();
	for (size_t i = 0; i < o->published_count; i++)
		for (int n = 0; n < 2; n++)
			if (o->published[i].fd[n] >= 0)
				forward_add(o->published[i].fd[n], o->published[i].guest,
					    o->published[i].is_udp);
	forward_run();
}

pid_t publish_start(const struct options *o, pid_t monitor)
{
	pid_t launcher = getpid();

	if (o->published_count == 0)
		return 0;
	pid_t pid = fork();
	if (pid < 0)
		fail("-p: cannot start the forwarder: %s", strerror(errno));
	if (pid > 0)
		return pid;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (getppid() != launcher)
		_exit(STATUS_OWN_FAILURE);
	publish_main(o, monitor);
}
