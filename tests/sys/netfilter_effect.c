/* SPDX-License-Identifier: MIT */
/* net */
/* netfilter_effect.c - what packet filters do to datagrams and echo requests: of IPv4 and
 * IPv6. TCP's are netfilter_tcp.c's. */
/* calls: sendto sendmsg recvmsg setsockopt */
#include "netfilter.h"

#include <linux/errqueue.h>
#include <netinet/ip_icmp.h>
#include <pthread.h>

enum { RACES = 300, CONNECTIONS = 1000, SOON = 20000 /* ms */ };

static int to, from; /* UDP */

static void there_is_a_network(void)
{
	enter_filtered();
	to = socket_at(SOCK_DGRAM, 0);
	from = socket_at(SOCK_DGRAM, 0);
}

static ssize_t say(const char *text)
{
	return send4(from, "127.0.0.1", port_of(to), text);
}

/* What is sent later comes later: so nothing came before. */
static void only_this_comes(const char *text)
{
	CHECK(say(text) == (ssize_t)strlen(text));
	CHECK(gets(to, text));
}

static void what_goes_out_is_dropped(void)
{
	RULES(false, {.hook = NF_INET_LOCAL_OUT,
		      .protocol = IPPROTO_UDP,
		      .to = port_of(to),
		      .verdict = DROPS});
	FAILS(EPERM, say("lost"));
	CHECK(send4(from, "127.0.0.1", port_of(from), "other") == 5);
	CHECK(gets(from, "other"));
	no_rules(false);
	only_this_comes("found");
}

static void what_comes_in_is_dropped(void)
{
	RULES(false, {.hook = NF_INET_LOCAL_IN,
		      .protocol = IPPROTO_UDP,
		      .from = port_of(from),
		      .verdict = DROPS});
	CHECK(say("lost") == 4);
	no_rules(false);
	only_this_comes("found");
}

static void interfaces_are_told_apart(void)
{
	RULES(false, {.hook = NF_INET_LOCAL_IN, .in = "eth0", .verdict = DROPS});
	only_this_comes("not by eth0");
	RULES(false, {.hook = NF_INET_LOCAL_IN, .in = "lo", .verdict = DROPS});
	CHECK(say("lost") == 4);
	no_rules(false);
	only_this_comes("found");
}

static void check_rejection(bool is_v6, int hook, uint32_t with, int type, int code,
			    int error)
{
	struct sock_extended_err *e;
	struct received r;
	int fd = is_v6 ? udp6() : udp4();

	RULES(is_v6, {.hook = hook,
		      .protocol = IPPROTO_UDP,
		      .to = 7777,
		      .target = "REJECT",
		      .with = with});
	CHECK(set_option(fd, level_of(is_v6), is_v6 ? IPV6_RECVERR : IP_RECVERR, 1) == 0);
	if (hook == NF_INET_LOCAL_OUT)
		FAILS(EPERM, is_v6 ? send6(fd, "::1", 7777, "hello")
				   : send4(fd, "127.0.0.1", 7777, "hello"));
	else
		CHECK((is_v6 ? send6(fd, "::1", 7777, "hello")
			     : send4(fd, "127.0.0.1", 7777, "hello")) == 5);
	CHECK(ready(fd, POLLIN, SOON) & POLLERR);
	CHECK(receive(fd, &r, MSG_ERRQUEUE) == 5 && !memcmp(r.data, "hello", 5));
	e = control_of(&r, level_of(is_v6), is_v6 ? IPV6_RECVERR : IP_RECVERR);
	CHECK(e && (int)e->ee_errno == error);
	CHECK(e->ee_type == type && e->ee_code == code);
	CHECK(close(fd) == 0);
	no_rules(is_v6);
}

static void rejections_are_told(void)
{
	check_rejection(false, NF_INET_LOCAL_IN, IPT_ICMP_PORT_UNREACHABLE, 3, 3,
			ECONNREFUSED);
	check_rejection(false, NF_INET_LOCAL_IN, IPT_ICMP_HOST_UNREACHABLE, 3, 1,
			EHOSTUNREACH);
	check_rejection(false, NF_INET_LOCAL_OUT, IPT_ICMP_ADMIN_PROHIBITED, 3, 13,
			EHOSTUNREACH);
	check_rejection(true, NF_INET_LOCAL_IN, IP6T_ICMP6_PORT_UNREACH, 1, 4,
			ECONNREFUSED);
	check_rejection(true, NF_INET_LOCAL_OUT, IP6T_ICMP6_ADM_PROHIBITED, 1, 1, EACCES);
	check_rejection(true, NF_INET_LOCAL_IN, IP6T_ICMP6_NOT_NEIGHBOUR, 1, 2,
			EHOSTUNREACH);
}

/* Also who listens there is not asked. */
static void the_connected_are_refused(void)
{
	struct sockaddr_in a = loopback(port_of(to));
	int fd = udp4();

	CHECK(connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0);
	RULES(false, {.hook = NF_INET_LOCAL_IN,
		      .protocol = IPPROTO_UDP,
		      .to = port_of(to),
		      .target = "REJECT",
		      .with = IPT_ICMP_PORT_UNREACHABLE});
	CHECK(send(fd, "hello", 5, 0) == 5);
	CHECK(ready(fd, POLLIN, SOON) & POLLERR);
	FAILS(ECONNREFUSED, recv(fd, &a, sizeof(a), 0));
	CHECK(close(fd) == 0);
	no_rules(false);
	only_this_comes("found");
}

static void chains_are_jumped_to(void)
{
	RULES(false, {.hook = NF_INET_LOCAL_IN, .protocol = IPPROTO_UDP, .jumps = true},
	      {.hook = NF_INET_LOCAL_IN,
	       .protocol = IPPROTO_UDP,
	       .to = port_of(to),
	       .verdict = DROPS},
	      {.hook = CHAIN,
	       .protocol = IPPROTO_UDP,
	       .from = port_of(from),
	       .verdict = ACCEPTS});
	only_this_comes("by the chain");
	CHECK(send4(to, "127.0.0.1", port_of(to), "lost") == 4);
	only_this_comes("by the chain again");
	/* With a goto the chain's end is the policy. */
	RULES(false, {.hook = NF_INET_LOCAL_IN, .protocol = IPPROTO_UDP, .is_goto = true},
	      {.hook = NF_INET_LOCAL_IN, .protocol = IPPROTO_UDP, .verdict = DROPS},
	      {.hook = CHAIN, .protocol = IPPROTO_TCP, .verdict = DROPS});
	only_this_comes("by the policy");
	no_rules(false);
}

/* What nobody asked for is dropped at from; the answer to a question comes. */
static void an_answer_is_not_new(void)
{
	const struct xt_state_info is_new = {XT_STATE_BIT(IP_CT_NEW)};

	RULES(false, {.hook = NF_INET_LOCAL_IN,
		      .protocol = IPPROTO_UDP,
		      .to = port_of(from),
		      .match = "state",
		      .data = &is_new,
		      .size = sizeof(is_new),
		      .verdict = DROPS});
	only_this_comes("question");
	CHECK(send4(to, "127.0.0.1", port_of(from), "answer") == 6);
	CHECK(gets(from, "answer"));
}

static void states_are_known(void)
{
	struct sockaddr_in a = loopback(port_of(to));
	int asks = socket_at(SOCK_DGRAM, 0);

	an_answer_is_not_new();
	CHECK(send4(asks, "127.0.0.1", port_of(from), "lost") == 4);
	CHECK(send4(to, "127.0.0.1", port_of(from), "more") == 4);
	CHECK(gets(from, "more"));
	CHECK(close(asks) == 0);
	(void)a;
	no_rules(false);
}

/* An error of ICMP from 127.0.0.1, to which what it quotes is said to have been sent. */
static void send_error(int raw, const char *sent_from, int protocol, int from_port,
		       int to_port, size_t ports_size)
{
	struct {
		struct icmphdr head;
		struct iphdr about;
		uint16_t ports[4];
	} m = {.head = {.type = ICMP_DEST_UNREACH, .code = ICMP_PORT_UNREACH}};
	size_t size = sizeof(m.head) + sizeof(m.about) + ports_size;
	struct sockaddr_in a = loopback(0);
	const uint16_t *at = (const void *)&m;
	uint32_t sum = 0;

	m.about = (struct iphdr){.version = 4, .ihl = 5, .ttl = 64};
	m.about.tot_len = htons(sizeof(m.about) + sizeof(m.ports));
	m.about.protocol = (uint8_t)protocol;
	m.about.saddr = inet_addr(sent_from);
	m.about.daddr = htonl(INADDR_LOOPBACK);
	m.ports[0] = htons((uint16_t)from_port);
	m.ports[1] = htons((uint16_t)to_port);
	for (size_t i = 0; i < size / 2; i++)
		sum += at[i];
	sum = (sum & 0xffff) + (sum >> 16);
	m.head.checksum = (uint16_t) ~(sum + (sum >> 16));
	CHECK(sendto(raw, &m, size, 0, (void *)&a, sizeof(a)) == (ssize_t)size);
}

static void errors_are_of_what_they_quote(void)
{
	static const uint32_t states[] = {XT_STATE_BIT(IP_CT_RELATED), XT_STATE_INVALID};
	struct sockaddr_in two = loopback(0);
	int raw = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
	int asks = socket_at(SOCK_DGRAM, 0), other = socket(AF_INET, SOCK_DGRAM, 0);
	int tcp[2];

	CHECK(raw >= 0 && other >= 0);
	two.sin_addr.s_addr = inet_addr("127.0.0.2");
	CHECK(bind(other, (void *)&two, sizeof(two)) == 0);
	for (int i = 0; i < 2; i++) {
		const struct xt_state_info is_it = {states[i]};
		const struct {
			const char *sent_from;
			int protocol, from_port, to_port;
			size_t ports_size;
			bool is_related;
		} cases[] = {
			{"127.0.0.1", IPPROTO_UDP, port_of(asks), port_of(to), 8, true},
			{"127.0.0.1", IPPROTO_UDP, port_of(to), port_of(asks), 8, true},
			{"127.0.0.1", IPPROTO_UDP, port_of(asks), 1, 8, false},
			{"127.0.0.1", IPPROTO_UDP, 1, port_of(to), 8, false},
			{"127.0.0.1", IPPROTO_UDP, port_of(asks), port_of(to), 0, false},
			{"127.0.0.1", IPPROTO_TCP, port_of(asks), port_of(to), 8, false},
			{"127.0.0.2", IPPROTO_UDP, port_of(other), port_of(to), 8, false},
			{"127.0.0.3", IPPROTO_UDP, port_of(asks), port_of(to), 8, false},
		};

		RULES(false, {.hook = NF_INET_LOCAL_IN,
			      .protocol = IPPROTO_ICMP,
			      .match = "state",
			      .data = &is_it,
			      .size = sizeof(is_it),
			      .verdict = DROPS});
		CHECK(send4(asks, "127.0.0.1", port_of(to), "asked") == 5);
		CHECK(gets(to, "asked"));
		CHECK(send4(other, "127.0.0.1", port_of(to), "again") == 5);
		CHECK(gets(to, "again"));
		for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
			send_error(raw, cases[k].sent_from, cases[k].protocol,
				   cases[k].from_port, cases[k].to_port,
				   cases[k].ports_size);
			if (cases[k].is_related == !i)
				CHECK(gets_nothing(raw));
			else
				CHECK(recv(raw, tcp, sizeof(tcp), 0) == sizeof(tcp));
		}
		tcp_pair(tcp);
		CHECK(send(tcp[0], "x", 1, 0) == 1);
		send_error(raw, "127.0.0.1", IPPROTO_TCP, port_of(tcp[0]),
			   port_of(tcp[1]), 8);
		if (!i)
			CHECK(gets_nothing(raw));
		else
			CHECK(recv(raw, tcp, 0, 0) == 0);
		close_pair(tcp);
	}
	no_rules(false);
	CHECK(close(raw) == 0 && close(asks) == 0 && close(other) == 0);
}

/* They are let in though nothing else is, and what was sent has begun nothing. */
static void own_errors_are_related(void)
{
	const struct xt_state_info is_related = {XT_STATE_BIT(IP_CT_RELATED)};
	struct sockaddr_in a = loopback(7777);
	int fd = udp4();

	CHECK(connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0);
	RULES(false,
	      {.hook = NF_INET_LOCAL_IN,
	       .match = "state",
	       .data = &is_related,
	       .size = sizeof(is_related),
	       .verdict = ACCEPTS},
	      {.hook = NF_INET_LOCAL_IN, .verdict = DROPS},
	      {.hook = NF_INET_LOCAL_OUT,
	       .protocol = IPPROTO_UDP,
	       .to = 7777,
	       .target = "REJECT",
	       .with = IPT_ICMP_PORT_UNREACHABLE});
	FAILS(EPERM, send(fd, "hello", 5, 0));
	CHECK(ready(fd, POLLIN, SOON) & POLLERR);
	FAILS(ECONNREFUSED, recv(fd, &a, sizeof(a), 0));
	CHECK(close(fd) == 0);
	no_rules(false);
}

/* Connections that are over take no other's place. */
static void ended_connections_displace_nobody(void)
{
	struct sockaddr_in closed = loopback(7777);
	int tcp[2];

	an_answer_is_not_new();
	for (int i = 0; i < CONNECTIONS; i++) {
		tcp[0] = socket(AF_INET, SOCK_STREAM, 0);
		FAILS(ECONNREFUSED, connect(tcp[0], (void *)&closed, sizeof(closed)));
		CHECK(close(tcp[0]) == 0);
		tcp_pair(tcp);
		close_pair(tcp);
	}
	CHECK(send4(to, "127.0.0.1", port_of(from), "more") == 4);
	CHECK(gets(from, "more"));
	no_rules(false);
}

static void marks_and_owners_are_known(void)
{
	const struct xt_mark_mtinfo1 mark = {.mark = 7, .mask = 0xff};
	const struct xt_owner_match_info own = {.match = XT_OWNER_UID};
	const struct xt_owner_match_info others = {
		.match = XT_OWNER_UID, .invert = XT_OWNER_UID, .uid_max = 0};

	RULES(false, {.hook = NF_INET_LOCAL_OUT,
		      .match = "mark",
		      .revision = 1,
		      .data = &mark,
		      .size = sizeof(mark),
		      .verdict = DROPS});
	only_this_comes("without a mark");
	CHECK(set_option(from, SOL_SOCKET, SO_MARK, 0x107) == 0);
	FAILS(EPERM, say("lost"));
	CHECK(set_option(from, SOL_SOCKET, SO_MARK, 0) == 0);
	RULES(false, {.hook = NF_INET_LOCAL_OUT,
		      .match = "owner",
		      .revision = 1,
		      .data = &others,
		      .size = sizeof(others),
		      .verdict = DROPS});
	only_this_comes("mine");
	RULES(false, {.hook = NF_INET_LOCAL_OUT,
		      .match = "owner",
		      .revision = 1,
		      .data = &own,
		      .size = sizeof(own),
		      .verdict = DROPS});
	FAILS(EPERM, say("lost"));
	no_rules(false);
}

static void some_are_dropped(void)
{
	const struct xt_statistic_info third = {.mode = XT_STATISTIC_MODE_NTH,
						.u.nth = {.every = 2}};
	const struct xt_rateinfo hourly = {.avg = 36000000, .burst = 2};
	const struct xt_multiport_v1 ports = {.flags = XT_MULTIPORT_DESTINATION,
					      .count = 3,
					      .ports = {9, 1, 65535},
					      .pflags = {0, 1, 0}};

	RULES(false, {.hook = NF_INET_LOCAL_OUT,
		      .match = "statistic",
		      .data = &third,
		      .size = sizeof(third),
		      .verdict = DROPS});
	only_this_comes("1");
	only_this_comes("2");
	FAILS(EPERM, say("3"));
	only_this_comes("4");
	RULES(false,
	      {.hook = NF_INET_LOCAL_OUT,
	       .match = "limit",
	       .data = &hourly,
	       .size = sizeof(hourly),
	       .verdict = ACCEPTS},
	      {.hook = NF_INET_LOCAL_OUT, .verdict = DROPS});
	only_this_comes("1");
	only_this_comes("2");
	FAILS(EPERM, say("3"));
	RULES(false, {.hook = NF_INET_LOCAL_OUT,
		      .protocol = IPPROTO_UDP,
		      .match = "multiport",
		      .revision = 1,
		      .data = &ports,
		      .size = sizeof(ports),
		      .verdict = DROPS});
	FAILS(EPERM, say("any port"));
	no_rules(false);
}

static void counters_count(void)
{
	static struct table t;

	RULES(false, {.hook = NF_INET_LOCAL_OUT,
		      .protocol = IPPROTO_UDP,
		      .to = port_of(to),
		      .verdict = ACCEPTS});
	only_this_comes("12345");
	only_this_comes("1234567");
	table_make(&t, false, NULL, 0);
	CHECK(table_set(&t) == 0);
	/* IN, FORWARD, the rule; headers count. */
	CHECK(t.old[2].pcnt == 2 && t.old[2].bcnt == 33 + 35);
	CHECK(t.old[0].pcnt == 2 && t.old[1].pcnt == 0);
}

static void every_second_is_dropped(void)
{
	const struct xt_statistic_info second = {.mode = XT_STATISTIC_MODE_NTH,
						 .u.nth = {.every = 1}};

	RULES(false, {.hook = NF_INET_LOCAL_IN,
		      .protocol = IPPROTO_UDP,
		      .to = port_of(to),
		      .match = "statistic",
		      .data = &second,
		      .size = sizeof(second),
		      .verdict = DROPS});
	only_this_comes("1");
	CHECK(say("2") == 1);
	only_this_comes("3");
	no_rules(false);
}

static void echoes_are_dropped(void)
{
	const struct ipt_icmp request = {.type = ICMP_ECHO, .code = {0, 255}};
	struct sockaddr_in a = loopback(0);
	struct icmphdr ask = {.type = ICMP_ECHO, .un.echo = {htons(77), htons(1)}};
	char answer[100];
	int fd = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);

	ask.checksum = (uint16_t) ~(htons(0x0800 + 77 + 1));
	CHECK(fd >= 0);
	RULES(false, {.hook = NF_INET_LOCAL_IN,
		      .protocol = IPPROTO_ICMP,
		      .match = "icmp",
		      .data = &request,
		      .size = sizeof(request),
		      .verdict = DROPS});
	CHECK(sendto(fd, &ask, sizeof(ask), 0, (void *)&a, sizeof(a)) == sizeof(ask));
	CHECK(gets_nothing(fd));
	no_rules(false);
	CHECK(sendto(fd, &ask, sizeof(ask), 0, (void *)&a, sizeof(a)) == sizeof(ask));
	CHECK(recv(fd, answer, sizeof(answer), 0) == 28 && answer[20] == ICMP_ECHO);
	CHECK(recv(fd, answer, sizeof(answer), 0) == 28 && answer[20] == ICMP_ECHOREPLY);
	RULES(false, {.hook = NF_INET_LOCAL_OUT,
		      .protocol = IPPROTO_ICMP,
		      .match = "icmp",
		      .data = &request,
		      .size = sizeof(request),
		      .verdict = DROPS});
	FAILS(EPERM, sendto(fd, &ask, sizeof(ask), 0, (void *)&a, sizeof(a)));
	no_rules(false);
	CHECK(close(fd) == 0);
}

static void ipv6_has_its_own_rules(void)
{
	struct sockaddr_in6 a = loopback6(0);
	int six = udp6();

	CHECK(bind(six, (struct sockaddr *)&a, sizeof(a)) == 0);
	RULES(true, {.hook = NF_INET_LOCAL_OUT,
		     .protocol = IPPROTO_UDP,
		     .to = port_of(six),
		     .verdict = DROPS});
	FAILS(EPERM, send6(six, "::1", port_of(six), "lost"));
	only_this_comes("IPv4");
	no_rules(true);
	CHECK(send6(six, "::1", port_of(six), "found") == 5 && gets(six, "found"));
	CHECK(close(six) == 0);
}

static bool is_done;

static void *change_rules(void *arg)
{
	(void)arg;
	for (int i = 0; i < RACES; i++) {
		RULES(false,
		      {.hook = NF_INET_LOCAL_OUT,
		       .protocol = IPPROTO_UDP,
		       .to = port_of(to),
		       .jumps = true},
		      {.hook = CHAIN, .protocol = IPPROTO_UDP, .verdict = DROPS});
		no_rules(false);
	}
	__atomic_store_n(&is_done, true, __ATOMIC_RELEASE);
	return NULL;
}

/* Each datagram meets the old rules or the new ones. */
static void rules_change_under_way(void)
{
	pthread_t t;
	size_t sent = 0;
	char c;

	CHECK(pthread_create(&t, NULL, change_rules, NULL) == 0);
	while (!__atomic_load_n(&is_done, __ATOMIC_ACQUIRE)) {
		ssize_t n = say("x");

		CHECK(n == 1 || (n == -1 && errno == EPERM));
		sent += n == 1;
		while (recv(to, &c, 1, MSG_DONTWAIT) == 1)
			sent--;
	}
	CHECK(pthread_join(t, NULL) == 0);
	while (recv(to, &c, 1, MSG_DONTWAIT) == 1)
		sent--;
	CHECK(sent == 0);
}

RUN(TEST(there_is_a_network), TEST(what_goes_out_is_dropped),
    TEST(what_comes_in_is_dropped), TEST(interfaces_are_told_apart),
    TEST(rejections_are_told), TEST(the_connected_are_refused),
    TEST(chains_are_jumped_to), TEST(states_are_known),
    TEST(errors_are_of_what_they_quote), TEST(own_errors_are_related),
    TEST(ended_connections_displace_nobody), TEST(marks_and_owners_are_known),
    TEST(some_are_dropped), TEST(counters_count), TEST(every_second_is_dropped),
    TEST(echoes_are_dropped), TEST(ipv6_has_its_own_rules), TEST(rules_change_under_way))
