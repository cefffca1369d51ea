/* SPDX-License-Identifier: MIT */
/* net */
/* calls: socket sendmsg recvmsg */
/* netlink_route: what NETLINK_ROUTE tells of interfaces, addresses and routes. The
 * loopback interface is everywhere; nothing is changed. */
#include "netlink.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <linux/capability.h>
#include <linux/fib_rules.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

struct query {
	struct nlmsghdr h;
	union {
		struct ifinfomsg link;
		struct ifaddrmsg addr;
		struct rtmsg route;
		struct ndmsg neigh;
		char head[32];
	};
	char attributes[64];
};

static char answer[1 << 17];

static struct query query(int type, int flags, size_t head)
{
	return (struct query){
		.h = {.nlmsg_len = NLMSG_LENGTH(head),
		      .nlmsg_type = (unsigned short)type,
		      .nlmsg_flags = (unsigned short)(flags | NLM_F_REQUEST),
		      .nlmsg_seq = 4711}};
}

static void attribute(struct query *q, int type, const void *data, size_t size)
{
	struct rtattr *a = (void *)((char *)q + NLMSG_ALIGN(q->h.nlmsg_len));

	a->rta_len = (unsigned short)RTA_LENGTH(size);
	a->rta_type = (unsigned short)type;
	memcpy(RTA_DATA(a), data, size);
	q->h.nlmsg_len = (unsigned)(NLMSG_ALIGN(q->h.nlmsg_len) + RTA_LENGTH(size));
}

/* All messages of the answer lie one after another in answer[]; returns their size. */
static size_t ask(int fd, struct query *q)
{
	int is_dump = (q->h.nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP;
	size_t size = 0;

	CHECK(send(fd, q, q->h.nlmsg_len, 0) == (ssize_t)q->h.nlmsg_len);
	for (;;) {
		ssize_t got = recv(fd, answer + size, sizeof(answer) - size, 0);
		struct nlmsghdr *h = (void *)(answer + size);
		unsigned left = (unsigned)got;

		CHECK(got > 0);
		size += (size_t)got;
		for (; NLMSG_OK(h, left); h = NLMSG_NEXT(h, left)) {
			CHECK(h->nlmsg_seq == 4711);
			CHECK(h->nlmsg_pid == nl_name(fd).nl_pid);
			if (h->nlmsg_type == NLMSG_DONE || h->nlmsg_type == NLMSG_ERROR)
				return size;
			CHECK(!is_dump || (h->nlmsg_flags & NLM_F_MULTI));
		}
		if (!is_dump)
			return size;
	}
}

static int error_of(int fd, struct query *q)
{
	struct nlmsghdr *h = (void *)answer;

	ask(fd, q);
	return h->nlmsg_type == NLMSG_ERROR ? ((struct nlmsgerr *)(h + 1))->error : 1;
}

static void *find(const struct nlmsghdr *h, size_t head, int type)
{
	struct rtattr *a = (void *)((char *)(h + 1) + NLMSG_ALIGN(head));
	int left = (int)(h->nlmsg_len - NLMSG_LENGTH(head));

	for (; RTA_OK(a, left); a = RTA_NEXT(a, left))
		if (a->rta_type == type)
			return RTA_DATA(a);
	return NULL;
}

static int count(size_t size, int type)
{
	unsigned left = (unsigned)size;
	int n = 0;

	for (struct nlmsghdr *h = (void *)answer; NLMSG_OK(h, left);
	     h = NLMSG_NEXT(h, left))
		n += h->nlmsg_type == type;
	return n;
}

static void loopback_is_a_link(const struct nlmsghdr *h)
{
	const struct ifinfomsg *m = (const void *)(h + 1);

	CHECK(m->ifi_index == 1 && m->ifi_type == 772 && (m->ifi_flags & IFF_LOOPBACK));
	CHECK(strcmp(find(h, sizeof(*m), IFLA_IFNAME), "lo") == 0);
	CHECK(*(unsigned *)find(h, sizeof(*m), IFLA_MTU) == 65536);
	CHECK(find(h, sizeof(*m), IFLA_ADDRESS) && find(h, sizeof(*m), IFLA_STATS64));
}

static void all_links(void)
{
	struct query q = query(RTM_GETLINK, NLM_F_DUMP, sizeof(struct ifinfomsg));
	int fd = nl_socket(NETLINK_ROUTE);
	struct if_nameindex *list = if_nameindex();
	size_t size = ask(fd, &q), n = 0;

	loopback_is_a_link((void *)answer);
	while (list[n].if_index)
		n++;
	CHECK(count(size, RTM_NEWLINK) == (int)n && count(size, NLMSG_DONE) == 1);
	if_freenameindex(list);
	q = query(RTM_GETLINK, NLM_F_DUMP, 1); /* a family alone is enough */
	CHECK(count(ask(fd, &q), RTM_NEWLINK) == (int)n);
	CHECK(close(fd) == 0);
}

static void one_link(void)
{
	int fd = nl_socket(NETLINK_ROUTE);
	struct query q = query(RTM_GETLINK, 0, sizeof(struct ifinfomsg));

	CHECK(error_of(fd, &q) == -EINVAL);
	q.link.ifi_index = 1;
	CHECK(ask(fd, &q) > 100);
	loopback_is_a_link((void *)answer);
	CHECK(((struct nlmsghdr *)answer)->nlmsg_flags == 0);
	FAILS(EAGAIN, recv(fd, answer, 100, MSG_DONTWAIT));
	q.link.ifi_index = 12345678;
	CHECK(error_of(fd, &q) == -ENODEV);
	q = query(RTM_GETLINK, 0, sizeof(struct ifinfomsg));
	attribute(&q, IFLA_IFNAME, "lo", 3);
	CHECK(ask(fd, &q) > 100);
	loopback_is_a_link((void *)answer);
	q = query(RTM_GETLINK, 0, sizeof(struct ifinfomsg));
	attribute(&q, IFLA_IFNAME, "nosuch0", 8);
	CHECK(error_of(fd, &q) == -ENODEV);
	q = query(RTM_GETLINK, 0, 4);
	CHECK(error_of(fd, &q) == -EINVAL);
	CHECK(close(fd) == 0);
}

static int has_loopback(size_t size, int family, const void *addr, size_t len)
{
	unsigned left = (unsigned)size;
	int n = 0;

	for (struct nlmsghdr *h = (void *)answer; NLMSG_OK(h, left);
	     h = NLMSG_NEXT(h, left)) {
		const struct ifaddrmsg *m = NLMSG_DATA(h);

		if (h->nlmsg_type != RTM_NEWADDR)
			continue;
		CHECK(!family || m->ifa_family == family);
		n += m->ifa_index == 1 &&
		     memcmp(find(h, sizeof(*m), IFA_ADDRESS), addr, len) == 0;
	}
	return n;
}

static void addresses(void)
{
	struct query q = query(RTM_GETADDR, NLM_F_DUMP, sizeof(struct ifaddrmsg));
	struct in_addr lo = {htonl(INADDR_LOOPBACK)};
	int fd = nl_socket(NETLINK_ROUTE);
	size_t all = ask(fd, &q), some;

	CHECK(has_loopback(all, 0, &lo, 4) == 1);
	q.addr.ifa_family = AF_INET;
	some = ask(fd, &q);
	CHECK(some <= all && has_loopback(some, AF_INET, &lo, 4) == 1);
	q.addr.ifa_family = AF_INET6;
	some = ask(fd, &q);
	CHECK(has_loopback(some, AF_INET6, &in6addr_loopback, 16) <= 1);
	/* An index chooses only for who wants strictness. */
	q.addr.ifa_family = AF_INET;
	q.addr.ifa_index = 1;
	CHECK(nl_option(fd, NETLINK_GET_STRICT_CHK, 1) == 0);
	some = ask(fd, &q);
	CHECK(has_loopback(some, AF_INET, &lo, 4) == 1);
	CHECK(((struct nlmsghdr *)answer)->nlmsg_flags & NLM_F_DUMP_FILTERED);
	q = query(RTM_GETADDR, NLM_F_DUMP, 4);
	CHECK(ask(fd, &q) == 20 && count(20, NLMSG_DONE) == 1);
	CHECK(*(int *)NLMSG_DATA((struct nlmsghdr *)answer) == -EINVAL);
	CHECK(close(fd) == 0);
}

static void the_c_library_agrees(void)
{
	struct ifaddrs *list;
	int inet = 0, packet = 0;

	CHECK(getifaddrs(&list) == 0);
	for (struct ifaddrs *i = list; i; i = i->ifa_next) {
		if (strcmp(i->ifa_name, "lo"))
			continue;
		CHECK(i->ifa_flags & IFF_LOOPBACK);
		inet += i->ifa_addr->sa_family == AF_INET;
		packet += i->ifa_addr->sa_family == AF_PACKET;
	}
	CHECK(inet == 1 && packet == 1);
	freeifaddrs(list);
	CHECK(if_nametoindex("lo") == 1);
}

static void routes(void)
{
	struct query q = query(RTM_GETROUTE, 0, sizeof(struct rtmsg));
	struct in_addr lo = {htonl(INADDR_LOOPBACK)};
	struct nlmsghdr *h = (void *)answer;
	const struct rtmsg *m = NLMSG_DATA(h);
	int fd = nl_socket(NETLINK_ROUTE);

	q.route.rtm_family = AF_INET;
	q.route.rtm_dst_len = 32;
	attribute(&q, RTA_DST, &lo, 4);
	CHECK(ask(fd, &q) > 40 && h->nlmsg_type == RTM_NEWROUTE);
	CHECK(m->rtm_type == RTN_LOCAL && *(int *)find(h, sizeof(*m), RTA_OIF) == 1);
	CHECK(memcmp(find(h, sizeof(*m), RTA_DST), &lo, 4) == 0);
	CHECK(memcmp(find(h, sizeof(*m), RTA_PREFSRC), &lo, 4) == 0);
	CHECK(*(uid_t *)find(h, sizeof(*m), RTA_UID) == getuid());
	q = query(RTM_GETROUTE, NLM_F_DUMP, sizeof(struct rtmsg));
	q.route.rtm_family = AF_INET;
	CHECK(count(ask(fd, &q), RTM_NEWROUTE) >= 1); /* the table "local" */
	CHECK(nl_option(fd, NETLINK_GET_STRICT_CHK, 1) == 0);
	q.route.rtm_flags = RTM_F_CLONED;
	CHECK(count(ask(fd, &q), RTM_NEWROUTE) == 0);
	q = query(RTM_GETRULE, NLM_F_DUMP, sizeof(struct fib_rule_hdr));
	q.head[0] = AF_INET;
	CHECK(count(ask(fd, &q), RTM_NEWRULE) >= 1);
	q = query(RTM_GETNEIGH, NLM_F_DUMP, sizeof(struct ndmsg));
	CHECK(count(ask(fd, &q), NLMSG_DONE) == 1);
	CHECK(close(fd) == 0);
}

/* ---- tables of neighbours ---- */

static const struct rtattr *inner(const struct rtattr *a, int size, int type)
{
	for (; RTA_OK(a, size); a = RTA_NEXT(a, size))
		if (a->rta_type == type)
			return a;
	return NULL;
}

static uint64_t number_in(const struct rtattr *nest, int type)
{
	const struct rtattr *a = inner(RTA_DATA(nest), (int)RTA_PAYLOAD(nest), type);
	uint64_t wide = 0;

	CHECK(a && RTA_PAYLOAD(a) <= sizeof(wide));
	memcpy(&wide, RTA_DATA(a), RTA_PAYLOAD(a));
	return wide;
}

/* What each table, and each device's share of it, says about how it is kept. */
static void parameters_are_sound(const struct rtattr *p)
{
	uint64_t base = number_in(p, NDTPA_BASE_REACHABLE_TIME);
	uint64_t now = number_in(p, NDTPA_REACHABLE_TIME);

	CHECK(number_in(p, NDTPA_REFCNT) >= 1);
	CHECK(base && now >= base / 2 && now <= base + base / 2 + 1);
	CHECK(number_in(p, NDTPA_RETRANS_TIME) && number_in(p, NDTPA_GC_STALETIME));
	CHECK(number_in(p, NDTPA_DELAY_PROBE_TIME) && number_in(p, NDTPA_QUEUE_LENBYTES));
	CHECK(number_in(p, NDTPA_QUEUE_LEN) && number_in(p, NDTPA_UCAST_PROBES) <= 100);
	number_in(p, NDTPA_MCAST_PROBES);
	number_in(p, NDTPA_APP_PROBES);
	number_in(p, NDTPA_ANYCAST_DELAY);
	number_in(p, NDTPA_PROXY_DELAY);
	number_in(p, NDTPA_PROXY_QLEN);
	number_in(p, NDTPA_LOCKTIME);
}

struct tables {
	int whole, of_loopback;
};

static void look_at_table(const struct nlmsghdr *h, const char *name, struct tables *t)
{
	const size_t head = sizeof(struct ndtmsg);
	const uint32_t *first = find(h, head, NDTA_THRESH1);
	const struct ndt_config *config = find(h, head, NDTA_CONFIG);
	const struct ndtmsg *m = (const void *)(h + 1);
	const char *told = find(h, head, NDTA_NAME);
	const struct rtattr *p = find(h, head, NDTA_PARMS);

	CHECK(told && strcmp(told, name) == 0 && p);
	p = (const void *)((const char *)p - RTA_LENGTH(0));
	parameters_are_sound(p);
	if (!first) {
		t->of_loopback += number_in(p, NDTPA_IFINDEX) == 1;
		return;
	}
	t->whole++;
	CHECK(*(uint32_t *)find(h, head, NDTA_THRESH2) >= *first);
	CHECK(*(uint32_t *)find(h, head, NDTA_THRESH3) >= *first);
	CHECK(*(uint64_t *)find(h, head, NDTA_GC_INTERVAL) && find(h, head, NDTA_STATS));
	CHECK(config && config->ndtc_key_len == (m->ndtm_family == AF_INET ? 4 : 16));
}

static struct tables tables_of(int family, const char *name, size_t size)
{
	unsigned left = (unsigned)size;
	struct tables t = {0, 0};

	for (struct nlmsghdr *h = (void *)answer; NLMSG_OK(h, left);
	     h = NLMSG_NEXT(h, left))
		if (h->nlmsg_type == RTM_NEWNEIGHTBL && *(uint8_t *)(h + 1) == family)
			look_at_table(h, name, &t);
	return t;
}

static void neighbours_have_tables(void)
{
	struct query q = query(RTM_GETNEIGHTBL, NLM_F_DUMP, sizeof(struct ndtmsg));
	int fd = nl_socket(NETLINK_ROUTE);
	size_t size = ask(fd, &q);
	struct tables t = tables_of(AF_INET, "arp_cache", size);
	bool has_ipv6 = access("/proc/net/if_inet6", F_OK) == 0;

	CHECK(t.whole == 1 && t.of_loopback == 1);
	t = tables_of(AF_INET6, "ndisc_cache", size);
	CHECK(!has_ipv6 || (t.whole == 1 && t.of_loopback == 1));
	q.head[0] = AF_INET;
	size = ask(fd, &q);
	CHECK(tables_of(AF_INET6, "ndisc_cache", size).whole == 0);
	CHECK(tables_of(AF_INET, "arp_cache", size).whole == 1);
	q.head[0] = AF_APPLETALK;
	CHECK(count(ask(fd, &q), RTM_NEWNEIGHTBL) == 0);
	q.h.nlmsg_flags = NLM_F_REQUEST; /* all, or nothing */
	CHECK(error_of(fd, &q) == -EOPNOTSUPP);

	CHECK(nl_option(fd, NETLINK_GET_STRICT_CHK, 1) == 0);
	q = query(RTM_GETNEIGHTBL, NLM_F_DUMP, sizeof(struct ndtmsg));
	CHECK(tables_of(AF_INET, "arp_cache", ask(fd, &q)).whole == 1);
	q.head[1] = 1;
	CHECK(count(ask(fd, &q), RTM_NEWNEIGHTBL) == 0);
	q = query(RTM_GETNEIGHTBL, NLM_F_DUMP, sizeof(struct ndtmsg));
	attribute(&q, NDTA_NAME, "arp_cache", 10);
	CHECK(count(ask(fd, &q), RTM_NEWNEIGHTBL) == 0);
	CHECK(close(fd) == 0);
}

/* A message that would change nothing: there is no interface 0. */
static void who_has_no_right_changes_nothing(void)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];
	struct query q = query(RTM_DELADDR, 0, sizeof(struct ifaddrmsg));
	int fd = nl_socket(NETLINK_ROUTE), status;
	pid_t child = fork();

	if (child == 0) {
		CHECK(syscall(SYS_capget, &head, data) == 0);
		data[0].effective &= ~(1U << CAP_NET_ADMIN);
		CHECK(syscall(SYS_capset, &head, data) == 0);
		CHECK(error_of(fd, &q) == -EPERM);
		q.h.nlmsg_type = RTM_NEWLINK;
		CHECK(error_of(fd, &q) == -EPERM);
		q.h.nlmsg_type = RTM_DELROUTE;
		CHECK(error_of(fd, &q) == -EPERM);
		_exit(0);
	}
	CHECK(waitpid(child, &status, 0) == child && status == 0);
	q = query(250, NLM_F_DUMP, 16);
	CHECK(error_of(fd, &q) == -EOPNOTSUPP);
	q = query(RTM_DELADDR, NLM_F_ACK, 0); /* without even a family */
	CHECK(error_of(fd, &q) == 0);
	CHECK(close(fd) == 0);
}

/* Many ask at once, some of whom die of it. */
/* The type of the next message, and its error if it tells of one. */
static int next_type(int fd, int *error)
{
	struct nlmsghdr *h = (void *)answer;
	ssize_t got = recv(fd, answer, sizeof(answer), 0);

	CHECK(got >= (ssize_t)sizeof(*h));
	*error = h->nlmsg_type == NLMSG_ERROR || h->nlmsg_type == NLMSG_DONE
			 ? *(int *)NLMSG_DATA(h)
			 : 0;
	return h->nlmsg_type;
}

static void a_dump_is_told_as_it_is_read(void)
{
	struct query q = query(RTM_GETLINK, NLM_F_DUMP, sizeof(q.link));
	int fd = nl_socket(NETLINK_ROUTE), error, busy = 0, type;

	CHECK(send(fd, &q, q.h.nlmsg_len, 0) == (ssize_t)q.h.nlmsg_len);
	CHECK(send(fd, &q, q.h.nlmsg_len, 0) == (ssize_t)q.h.nlmsg_len);
	CHECK(next_type(fd, &error) == RTM_NEWLINK);
	while ((type = next_type(fd, &error)) != NLMSG_DONE) {
		CHECK(type == RTM_NEWLINK || (type == NLMSG_ERROR && error == -EBUSY));
		busy += type == NLMSG_ERROR;
	}
	CHECK(busy == 1 && !error);
	FAILS(EAGAIN, recv(fd, answer, sizeof(answer), MSG_DONTWAIT));
	CHECK(close(fd) == 0);
}

static void questions_are_checked(void)
{
	static const struct {
		int type, flags;
		size_t head;
		int family, error;
	} all[] = {
		{RTM_GETQDISC, NLM_F_DUMP, 16, 0, -EINVAL},
		{RTM_GETQDISC, 0, 20, 0, -ENODEV},
		{RTM_GETRULE, NLM_F_DUMP, 12, AF_UNIX, -EAFNOSUPPORT},
		{RTM_GETNSID, NLM_F_DUMP, 4, 0, 0},
		{RTM_GETNSID, 0, 4, 0, -EINVAL},
		{RTM_GETNEIGH, 0, 12, AF_INET, -EINVAL},
		{RTM_GETADDR, 0, 8, AF_INET6, -EINVAL},
		{RTM_GETADDR, 0, 8, AF_INET, -EOPNOTSUPP},
		{RTM_GETANYCAST, NLM_F_DUMP, 8, AF_INET, -EOPNOTSUPP},
	};
	int fd = nl_socket(NETLINK_ROUTE), error;

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct query q = query(all[i].type, all[i].flags, all[i].head);

		q.head[0] = (char)all[i].family;
		CHECK(send(fd, &q, q.h.nlmsg_len, 0) == (ssize_t)q.h.nlmsg_len);
		CHECK(next_type(fd, &error) >= 0 && error == all[i].error);
	}
	CHECK(close(fd) == 0);
}

static void a_crowd(void)
{
	pid_t child[8];
	int status;

	for (int i = 0; i < 8; i++) {
		child[i] = fork();
		if (child[i] == 0) {
			struct query q =
				query(RTM_GETLINK, NLM_F_DUMP, sizeof(struct ifinfomsg));
			int fd = nl_socket(NETLINK_ROUTE);

			for (int k = 0; k < (i & 1 ? 1000000 : 30); k++)
				CHECK(count(ask(fd, &q), NLMSG_DONE) == 1);
			_exit(0);
		}
	}
	for (int i = 0; i < 8; i++) {
		if (i & 1) {
			usleep(3000);
			CHECK(kill(child[i], SIGKILL) == 0);
		}
		CHECK(waitpid(child[i], &status, 0) == child[i]);
		CHECK(i & 1 ? WIFSIGNALED(status) : status == 0);
	}
}

RUN(TEST(all_links), TEST(one_link), TEST(addresses), TEST(the_c_library_agrees),
    TEST(routes), TEST(neighbours_have_tables), TEST(who_has_no_right_changes_nothing),
    TEST(a_crowd), TEST(a_dump_is_told_as_it_is_read), TEST(questions_are_checked))
