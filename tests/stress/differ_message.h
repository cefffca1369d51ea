/* SPDX-License-Identifier: MIT */
/* differ_message.h - differ_socket.c's messages: data, flags and control messages to be
 * sent, and all that is told of those received. */
#pragma once
#include "differ_address.h"

#define MIN(a, b) ((a) < (b) ? (a) : (b))

enum { DATA = 70000, FLOW_INFO = 11 /* IPV6_FLOWINFO */ };
static char data_out[DATA], data_in[DATA];

struct flag {
	int bit;
	const char *name;
};

static const struct flag flags[] = {
	{MSG_PEEK, "PEEK"},
	{MSG_DONTWAIT, "DONTWAIT"},
	{MSG_TRUNC, "TRUNC"},
	{MSG_OOB, "OOB"},
	{MSG_WAITALL, "WAITALL"},
	{MSG_ERRQUEUE, "ERRQUEUE"},
	{MSG_NOSIGNAL, "NOSIGNAL"},
	{MSG_MORE, "MORE"},
	{MSG_CONFIRM, "CONFIRM"},
	{MSG_DONTROUTE, "DONTROUTE"},
	{MSG_EOR, "EOR"},
	{MSG_CTRUNC, "CTRUNC"},
	{MSG_CMSG_CLOEXEC, "CLOEXEC"},
	{MSG_PROXY, "PROBE"},
	{MSG_SYN, "SYN"},
	{MSG_RST, "RST"},
	{MSG_FIN, "FIN"},
};
enum { FLAGS = sizeof(flags) / sizeof(flags[0]) };

HELPER void say_flags(int value)
{
	say(" ");
	for (int i = 0; i < FLAGS; i++)
		if (value & flags[i].bit) {
			say("%s.", flags[i].name);
			value &= ~flags[i].bit;
		}
	if (value)
		say("%x", value);
}

HELPER int flags_in(const struct slot *s)
{
	int value = 0;

	value |= one_in(4) ? MSG_PEEK : 0;
	value |= one_in(6) ? MSG_TRUNC : 0;
	value |= one_in(is_tcp(s) ? 6 : 12) ? MSG_OOB : 0;
	value |= one_in(10) ? MSG_WAITALL : 0;
	value |= one_in(is_inet_dgram(s) ? 4 : 15) ? MSG_ERRQUEUE : 0;
	value |= one_in(12) ? MSG_CMSG_CLOEXEC : 0;
	value |= one_in(40) ? 1 << pick(28) : 0;
	return value | (one_in(2) ? MSG_DONTWAIT : 0);
}

HELPER int flags_out(const struct slot *s)
{
	int value = 0;

	value |= one_in(3) ? MSG_NOSIGNAL : 0;
	value |= one_in(is_tcp(s) || s->domain == AF_UNIX ? 7 : 20) ? MSG_OOB : 0;
	value |= one_in(8) ? MSG_EOR : 0;
	value |= one_in(20) ? MSG_CONFIRM : 0;
	value |= one_in(20) ? MSG_DONTROUTE : 0;
	/* A stream keeps MSG_MORE's data for 200 ms. */
	value |= one_in(8) && !is_tcp(s) ? MSG_MORE : 0;
	if (one_in(40))
		value |= 1 << pick(28) & ~(MSG_FASTOPEN | MSG_ZEROCOPY);
	/* Nor is it asked of echo requests: each part would have a header of its own. */
	if (is_tcp(s) || is_ping(s))
		value &= ~MSG_MORE;
	notes->urgent_sent_tcp |= is_tcp(s) && (value & MSG_OOB);
	notes->urgent_sent |= s->domain == AF_UNIX && (value & MSG_OOB);
	return value | (one_in(2) ? MSG_DONTWAIT : 0);
}

/* ---- control messages to be sent ---- */

static char control[1024] __attribute__((aligned(8)));

HELPER void *control_add(struct msghdr *h, int level, int type, size_t size)
{
	struct cmsghdr *c = (void *)(control + h->msg_controllen);

	memset(c, 0, CMSG_SPACE(size));
	h->msg_control = control;
	h->msg_controllen += CMSG_SPACE(size);
	c->cmsg_level = level;
	c->cmsg_type = type;
	c->cmsg_len = CMSG_LEN(size);
	return CMSG_DATA(c);
}

/* Descriptors: those of Unix sockets could be of themselves, which are collected later.
 */
HELPER void control_rights(struct msghdr *h)
{
	int n = one_in(20) ? 3 : 1 + (int)pick(3);
	int fd = one_in(12) ? -1 : one_in(2) ? 1 : 0;
	int *p;

	for (int i = 0; i < SLOTS && one_in(2); i++)
		if (slots[i].fd >= 0 && slots[i].domain != AF_UNIX)
			fd = slots[i].fd;
	say(" rights%d%s", n, fd < 0 ? "!" : "");
	p = control_add(h, SOL_SOCKET, SCM_RIGHTS, sizeof(int) * (size_t)n);
	for (int i = 0; i < n; i++)
		p[i] = fd;
}

HELPER void control_credentials(struct msghdr *h)
{
	struct ucred *c = control_add(h, SOL_SOCKET, SCM_CREDENTIALS, sizeof(*c));

	*c = (struct ucred){getpid(), geteuid(), getegid()};
	say(" creds");
	if (one_in(4)) {
		c->pid = 1;
		say(".pid");
	}
	/* natively there is a user namespace that does not have this one */
	if (one_in(4) && run.own) {
		c->uid += 1;
		say(".uid");
	}
	if (one_in(6)) {
		c->gid = (gid_t)-1;
		say(".gid");
	}
}

HELPER void control_inet(struct msghdr *h, int domain)
{
	static const int types4[] = {IP_TTL, IP_TOS, IP_PKTINFO, IP_RETOPTS, IP_RECVERR};
	static const int types6[] = {IPV6_HOPLIMIT, IPV6_TCLASS, IPV6_PKTINFO,
				     IPV6_DONTFRAG, FLOW_INFO};
	int type = domain == AF_INET ? ONE_OF(types4) : ONE_OF(types6);
	int level = domain == AF_INET ? SOL_IP : SOL_IPV6;
	int value = one_in(3) ? -1 + (int)pick(300) : (int)pick(256);

	if (one_in(4)) {
		uint16_t *size = control_add(h, SOL_UDP, UDP_SEGMENT, sizeof(*size));

		*size = (uint16_t)(pick(4) ? 1 + pick(600) : 0);
		say(" segment%u", *size);
		return;
	}
	say(" %d.%d", level, type);
	if (level == SOL_IP && type == IP_PKTINFO) {
		struct in_pktinfo *p = control_add(h, level, type, sizeof(*p));

		p->ipi_ifindex = (int)pick(run.in_host ? 2 : 3);
		p->ipi_spec_dst.s_addr = htonl(one_in(2) ? 0 : INADDR_LOOPBACK + pick(3));
		say(".%d.%x", p->ipi_ifindex, ntohl(p->ipi_spec_dst.s_addr));
	} else if (level == SOL_IPV6 && type == IPV6_PKTINFO) {
		struct in6_pktinfo *p = control_add(h, level, type, sizeof(*p));

		p->ipi6_ifindex = pick(run.in_host ? 2 : 3);
		p->ipi6_addr = one_in(2) ? in6addr_any : in6addr_loopback;
		say(".%u", p->ipi6_ifindex);
	} else {
		memcpy(control_add(h, level, type, sizeof(value)), &value, sizeof(value));
		say(".%d", value);
	}
}

HELPER void control_odd(struct msghdr *h)
{
	static const int levels[] = {SOL_SOCKET, SOL_IP, SOL_IPV6, SOL_UDP, SOL_TCP};
	int level = ONE_OF(levels), type = (int)pick(60);
	struct cmsghdr *c;

	/* What is stamped or sent at a time is shown by the time. */
	if (level == SOL_SOCKET && type > 2 && type != 99)
		type = 99;
	control_add(h, level, type, 4);
	c = (void *)control;
	if (one_in(2))
		c->cmsg_len = pick(40);
	say(" odd%d.%d/%zu", level, type, c->cmsg_len);
}

HELPER void control_for(struct msghdr *h, const struct slot *s)
{
	memset(control, 0, sizeof(control));
	h->msg_control = NULL;
	h->msg_controllen = 0;
	/* In the host's network it is looked at before the host is asked. */
	if (one_in(20) && !(run.in_host && s->domain != AF_UNIX))
		control_odd(h);
	else if (s->domain == AF_UNIX && one_in(3))
		(one_in(2) ? control_rights : control_credentials)(h);
	else if (s->domain == AF_UNIX && one_in(20))
		control_inet(h, AF_INET);
	else if (is_inet_dgram(s) && one_in(3))
		control_inet(h, one_in(12) ? AF_INET : s->domain);
	if (h->msg_controllen && one_in(12) && !run.in_host) {
		h->msg_controllen -= 1 + pick(20);
		say("-%zu", h->msg_controllen);
	}
}

/* ---- what came ---- */

HELPER void say_rights(const int *p, size_t n)
{
	say(" rights%zu", n);
	for (size_t i = 0; i < n; i++) {
		struct stat st;
		int like = -1;

		CHECK(fstat(p[i], &st) == 0);
		say(".%o", st.st_mode >> 12);
		for (int j = 0; j < SLOTS; j++) {
			struct stat its;

			if (slots[j].fd >= 0 && fstat(slots[j].fd, &its) == 0 &&
			    its.st_ino == st.st_ino && its.st_dev == st.st_dev &&
			    like < 0)
				like = j;
		}
		say("%s%d", fcntl(p[i], F_GETFD) & FD_CLOEXEC ? "c" : "", like);
		close(p[i]);
	}
}

HELPER void say_error(const struct sock_extended_err *e, size_t size)
{
	say(" err=%s.%d.%d.%d", strerrorname_np((int)e->ee_errno), e->ee_origin,
	    e->ee_type, e->ee_code);
	say(".%u from ", e->ee_info);
	if (size > sizeof(*e))
		say_address(SO_EE_OFFENDER(e), size - sizeof(*e));
}

HELPER void say_control_inet(const struct cmsghdr *c, size_t size)
{
	const void *p = CMSG_DATA(c);
	char text[64], text2[64];
	int value = 0;

	if ((c->cmsg_level == SOL_IP && c->cmsg_type == IP_RECVERR) ||
	    (c->cmsg_level == SOL_IPV6 && c->cmsg_type == IPV6_RECVERR)) {
		say_error(p, size);
	} else if (c->cmsg_level == SOL_IP && c->cmsg_type == IP_PKTINFO) {
		const struct in_pktinfo *i = p;

		inet_ntop(AF_INET, &i->ipi_spec_dst, text, sizeof(text));
		inet_ntop(AF_INET, &i->ipi_addr, text2, sizeof(text2));
		say(" pktinfo.%d.%s.%s", i->ipi_ifindex, text, text2);
	} else if (c->cmsg_level == SOL_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
		const struct in6_pktinfo *i = p;

		inet_ntop(AF_INET6, &i->ipi6_addr, text, sizeof(text));
		say(" pktinfo.%u.%s", i->ipi6_ifindex, text);
	} else if (size >= 16) {
		say(" %d.%d=", c->cmsg_level, c->cmsg_type);
		say_address(p, size); /* IP_ORIGDSTADDR */
	} else {
		memcpy(&value, p, size < 4 ? size : 4);
		say(" %d.%d/%zu=%d", c->cmsg_level, c->cmsg_type, size, value);
	}
}

HELPER void say_control(struct msghdr *h)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c; c = CMSG_NXTHDR(h, c)) {
		size_t size = c->cmsg_len - CMSG_LEN(0);

		if (c->cmsg_level != SOL_SOCKET) {
			say_control_inet(c, size);
		} else if (c->cmsg_type == SCM_RIGHTS) {
			say_rights((void *)CMSG_DATA(c), size / sizeof(int));
		} else if (c->cmsg_type == SCM_CREDENTIALS &&
			   size >= sizeof(struct ucred)) {
			const struct ucred *u = (void *)CMSG_DATA(c);

			say(" creds.");
			say_pid(u->pid);
			say_id(".", u->uid);
			say_id(".", u->gid);
		} else {
			say(" %d/%zu", c->cmsg_type, size);
		}
	}
}

/* A netlink message says when it was made, and lists what is there. */
HELPER void say_netlink(const char *p, size_t size)
{
	const struct nlmsghdr *n = (const void *)p;
	int left = (int)size;

	for (; left > 0 && NLMSG_OK(n, (unsigned)left); n = NLMSG_NEXT(n, left)) {
		say(" nl%u.%x.%u", n->nlmsg_type, n->nlmsg_flags, n->nlmsg_seq);
		if (n->nlmsg_type == NLMSG_ERROR ||
		    (n->nlmsg_type == NLMSG_DONE && n->nlmsg_len >= 20))
			say(".%d", ((const struct nlmsgerr *)NLMSG_DATA(n))->error);
	}
}

/* The packet's number and the sum over it are by chance. */
HELPER void blank_number(char *p, size_t size)
{
	memset(p + 4, 0, size > 4 ? MIN(size - 4, 2) : 0);
	memset(p + 10, 0, size > 10 ? MIN(size - 10, 2) : 0);
}

HELPER void say_received(const struct slot *s, void *p, long r)
{
	if (r > 0 && s->domain == AF_INET && s->type == SOCK_RAW)
		blank_number(p, r > DATA ? DATA : (size_t)r);
	if (r > 2 && is_ping(s)) /* the identifier, and what is summed up */
		memset((char *)p + 2, 0, MIN((size_t)r - 2, 4));
	if (r > 0 && s->domain == AF_NETLINK && r <= DATA)
		say_netlink(p, (size_t)r);
	else if (r > 0)
		say_bytes(p, r > DATA ? DATA : (size_t)r);
}
