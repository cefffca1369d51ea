/* SPDX-License-Identifier: MIT */
/* network.c - what interfaces, addresses and routes the host has, for the kernel, which
 * cannot ask itself: its filter knows no netlink sockets. Questions about memory go on to
 * pages.c.
 *
 * What lies in the box may be the work of hostile code. It is copied first, and only
 * chooses among questions that we put: dumps of a few types, and the route to an address.
 * What the host says goes back as it is. The box is only ever written to at its own
 * place, up to its own size. */
#include "network.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fib_rules.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include <linux/futex.h>

#include "host/monitor.h"
#include "message.h"
#include "pages.h"
#include "segment.h"

enum { QUERY_MAX = 256, PART_MAX = 65536 };

struct query {
	struct nlmsghdr header;
	char payload[QUERY_MAX];
};

static int pipe_end[2] = {-1, -1};
static int netlink = -1;
static int changes = -1;	/* tells of changes, once somebody wants to know */
static struct monitor_box *box; /* not where the boot parameters may say later */
static uint32_t answered;

void network_begin(void)
{
	struct boot_params *p = boot_params();

	box = (struct monitor_box *)p->monitor_box; /* NOLINT */
	if (pipe2(pipe_end, O_CLOEXEC | O_NONBLOCK) < 0)
		fail("cannot make a pipe: %s", strerror(errno));
	p->monitor_fd = pipe_end[1];
}

void network_close(void)
{
	close(pipe_end[0]);
}

void network_keep(int fd)
{
	int flags = O_NONBLOCK | O_ASYNC;

	if (dup2(pipe_end[0], fd) < 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 ||
	    fcntl(fd, F_SETOWN, getpid()) < 0 || fcntl(fd, F_SETFL, flags) < 0)
		fail("cannot listen for questions: %s", strerror(errno));
	pipe_end[0] = fd;
}

/* ---- questions ---- */

/* The types that may be asked for, and how long the header of each is. */
static size_t head_of(uint32_t type)
{
	switch (type) {
	case RTM_GETLINK:
		return sizeof(struct ifinfomsg);
	case RTM_GETADDR:
	case RTM_GETMULTICAST:
	case RTM_GETANYCAST:
		return sizeof(struct ifaddrmsg);
	case RTM_GETROUTE:
		return sizeof(struct rtmsg);
	case RTM_GETNEIGH:
		return sizeof(struct ndmsg);
	case RTM_GETRULE:
		return sizeof(struct fib_rule_hdr);
	case RTM_GETQDISC:
		return sizeof(struct tcmsg);
	case RTM_GETNEIGHTBL:
		return sizeof(struct ndtmsg);
	default:
		return 0;
	}
}

static void put_attribute(struct query *q, int type, const void *data, size_t size)
{
	struct rtattr a = {(unsigned short)RTA_LENGTH(size), (unsigned short)type};
	char *to = (char *)q + NLMSG_ALIGN(q->header.nlmsg_len);

	memcpy(to, &a, sizeof a);
	memcpy(to + sizeof a, data, size);
	q->header.nlmsg_len = (uint32_t)((size_t)(to - (char *)q) + RTA_LENGTH(size));
}

static int build_dump(struct query *q, const struct monitor_query *m)
{
	size_t head = head_of(m->type);

	if (head == 0)
		return -EOPNOTSUPP;
	q->header.nlmsg_type = (unsigned short)m->type;
	q->header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	q->header.nlmsg_len = (uint32_t)NLMSG_LENGTH(head);
	q->payload[0] = (char)m->family; /* the first byte of each */
	return 0;
}

static void put_route_fields(struct query *q, const struct monitor_query *m, size_t size)
{
	const struct {
		uint32_t field;
		int type;
		const void *data;
		size_t size;
	} all[] = {
		{MONITOR_ROUTE_DST, RTA_DST, m->dst, size},
		{MONITOR_ROUTE_SRC, RTA_SRC, m->src, size},
		{MONITOR_ROUTE_IIF, RTA_IIF, &m->iif, sizeof m->iif},
		{MONITOR_ROUTE_OIF, RTA_OIF, &m->oif, sizeof m->oif},
		{MONITOR_ROUTE_MARK, RTA_MARK, &m->mark, sizeof m->mark},
		{MONITOR_ROUTE_IP_PROTO, RTA_IP_PROTO, &m->ip_proto, 1},
		{MONITOR_ROUTE_SPORT, RTA_SPORT, m->sport, sizeof m->sport},
		{MONITOR_ROUTE_DPORT, RTA_DPORT, m->dport, sizeof m->dport},
	};

	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
		if (m->fields & all[i].field)
			put_attribute(q, all[i].type, all[i].data, all[i].size);
}

static int build_route(struct query *q, const struct monitor_query *m)
{
	size_t size = m->family == AF_INET ? 4 : 16;
	struct rtmsg r = {
		.rtm_family = (unsigned char)m->family,
		.rtm_tos = (unsigned char)m->tos,
		.rtm_flags = m->flags & (RTM_F_LOOKUP_TABLE | RTM_F_FIB_MATCH),
	};

	if (m->family != AF_INET && m->family != AF_INET6)
		return -EOPNOTSUPP;
	if (m->fields & MONITOR_ROUTE_DST)
		r.rtm_dst_len = (unsigned char)(size * 8);
	if (m->fields & MONITOR_ROUTE_SRC)
		r.rtm_src_len = (unsigned char)(size * 8);
	q->header.nlmsg_type = RTM_GETROUTE;
	q->header.nlmsg_flags = NLM_F_REQUEST;
	q->header.nlmsg_len = (uint32_t)NLMSG_LENGTH(sizeof r);
	memcpy(q->payload, &r, sizeof r);
	put_route_fields(q, m, size);
	return 0;
}

/* ---- answers ---- */

struct answer {
	uint32_t size;
	int error;
	bool is_dump;
	bool is_over;
};

static void take_message(struct answer *a, const struct nlmsghdr *h, uint32_t sequence)
{
	const char *payload = (const char *)(h + 1);
	uint32_t size = NLMSG_ALIGN(h->nlmsg_len);

	if (h->nlmsg_seq != sequence)
		return; /* of a question that we gave up */
	if (h->nlmsg_type == NLMSG_ERROR || h->nlmsg_type == NLMSG_DONE) {
		if (h->nlmsg_len >= NLMSG_LENGTH(sizeof a->error))
			memcpy(&a->error, payload, sizeof a->error);
		a->is_over = true;
		return;
	}
	if (size <= MONITOR_ANSWER_MAX - a->size) {
		memcpy(box->data + a->size, h, h->nlmsg_len);
		a->size += size;
	} else {
		a->error = -ENOBUFS;
	}
	a->is_over |= !a->is_dump;
}

static void take_part(struct answer *a, const char *part, size_t left, uint32_t sequence)
{
	while (left >= sizeof(struct nlmsghdr) && !a->is_over) {
		const struct nlmsghdr *h = (const void *)part;
		size_t size = NLMSG_ALIGN(h->nlmsg_len);

		if (h->nlmsg_len < sizeof *h || h->nlmsg_len > left)
			break;
		take_message(a, h, sequence);
		part += size < left ? size : left;
		left -= size < left ? size : left;
	}
}

static int open_netlink(void)
{
	struct timeval second = {.tv_sec = 1};

	if (netlink >= 0)
		return 0;
	netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (netlink < 0)
		return -errno;
	(void)setsockopt(netlink, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof second);
	return 0;
}

static void ask_host(struct answer *a, struct query *q, uint32_t sequence)
{
	static _Alignas(8) char part[PART_MAX];

	q->header.nlmsg_seq = sequence;
	a->is_dump = (q->header.nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP;
	a->error = open_netlink();
	if (a->error)
		return;
	if (send(netlink, q, q->header.nlmsg_len, 0) < 0) {
		a->error = -errno;
		return;
	}
	while (!a->is_over) {
		ssize_t got = recv(netlink, part, sizeof part, 0);

		if (got <= 0) {
			a->error = got < 0 ? -errno : -EIO;
			return;
		}
		take_part(a, part, (size_t)got, sequence);
	}
}

/* ---- changes ---- */

/* Links, addresses, routes, rules, neighbours … of all families. */
static int listen_for_changes(void)
{
	static const int groups[] = {
		RTNLGRP_LINK,	     RTNLGRP_NEIGH,	  RTNLGRP_TC,
		RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV4_MROUTE, RTNLGRP_IPV4_ROUTE,
		RTNLGRP_IPV4_RULE,   RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV6_MROUTE,
		RTNLGRP_IPV6_ROUTE,  RTNLGRP_IPV6_IFINFO, RTNLGRP_IPV6_PREFIX,
		RTNLGRP_IPV6_RULE,   RTNLGRP_ND_USEROPT,
	};
	struct sockaddr_nl name = {.nl_family = AF_NETLINK};
	int flags = O_NONBLOCK | O_ASYNC;

	if (changes >= 0)
		return 0;
	changes = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (changes < 0)
		return -errno;
	for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++)
		name.nl_groups |= 1U << (groups[i] - 1);
	if (bind(changes, (struct sockaddr *)&name, sizeof name) < 0 ||
	    fcntl(changes, F_SETOWN, getpid()) < 0 ||
	    fcntl(changes, F_SETFL, flags) < 0) {
		int err = -errno;

		close(changes);
		changes = -1;
		return err;
	}
	return 0;
}

static void put_bytes(uint64_t at, const void *data, size_t size)
{
	size_t off = at % MONITOR_NOTICES_SIZE;
	size_t first = MONITOR_NOTICES_SIZE - off;

	if (first > size)
		first = size;
	memcpy(box->notices + off, data, first);
	memcpy(box->notices, (const char *)data + first, size - first);
}

static void put_notice(uint32_t group, const void *data, size_t size)
{
	struct monitor_notice n = {(uint32_t)size, group};
	uint64_t put = __atomic_load_n(&box->notices_put, __ATOMIC_RELAXED);
	uint64_t taken = __atomic_load_n(&box->notices_taken, __ATOMIC_ACQUIRE);
	uint64_t whole = (sizeof n + size + 7) & ~7UL;

	/* What the other side says may be wrong, but leads nowhere else. */
	if (put - taken > MONITOR_NOTICES_SIZE ||
	    whole > MONITOR_NOTICES_SIZE - (put - taken)) {
		__atomic_store_n(&box->notices_lost, 1, __ATOMIC_RELEASE);
		return;
	}
	put_bytes(put, &n, sizeof n);
	put_bytes(put + sizeof n, data, size);
	__atomic_store_n(&box->notices_put, put + whole, __ATOMIC_RELEASE);
}

/* True: there were some. */
static bool take_changes(void)
{
	static _Alignas(8) char part[PART_MAX / 2];
	bool has_some = false;

	while (changes >= 0) {
		struct sockaddr_nl from = {0};
		socklen_t len = sizeof from;
		ssize_t got = recvfrom(changes, part, sizeof part, 0,
				       (struct sockaddr *)&from, &len);

		if (got < 0 && errno == ENOBUFS)
			__atomic_store_n(&box->notices_lost, 1, __ATOMIC_RELEASE);
		else if (got < 0)
			break;
		else if (from.nl_pid == 0 && from.nl_groups)
			put_notice((uint32_t)__builtin_ffs((int)from.nl_groups), part,
				   (size_t)got);
		has_some = true;
	}
	return has_some;
}

static void give(uint32_t number, const struct answer *a)
{
	box->error = a->error;
	box->size = a->size;
	__atomic_store_n(&box->answered, number, __ATOMIC_RELEASE);
	(void)syscall(SYS_futex, &box->answered, FUTEX_WAKE, 0x7fffffff, NULL, NULL, 0);
}

static void answer_one(uint32_t number)
{
	struct answer a = {0};
	struct query q = {0};
	struct monitor_query m;

	memcpy(&m, &box->query, sizeof m);
	if (m.question == MONITOR_PAGES || m.question == MONITOR_RESET_PEAK) {
		a.error = pages_answer(&m, box->data, MONITOR_ANSWER_MAX, &a.size);
		give(number, &a);
		return;
	}
	a.error = m.question == MONITOR_DUMP	 ? build_dump(&q, &m)
		  : m.question == MONITOR_ROUTE	 ? build_route(&q, &m)
		  : m.question == MONITOR_LISTEN ? listen_for_changes()
						 : -EOPNOTSUPP;
	if (!a.error && m.question != MONITOR_LISTEN)
		ask_host(&a, &q, number);
	give(number, &a);
}

bool network_answer(void)
{
	bool has_news = take_changes();
	char junk[64];
	uint32_t number;

	while (read(pipe_end[0], junk, sizeof junk) > 0)
		;
	number = __atomic_load_n(&box->asked, __ATOMIC_ACQUIRE);
	if (number == answered)
		return has_news;
	answered = number;
	answer_one(number);
	/* Another one in the meantime writes into the pipe again. */
	return has_news;
}
