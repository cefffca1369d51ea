/* SPDX-License-Identifier: MIT */
/* net */
/* netfilter.c - tables of packet filters, as programs read, check and replace them:
 * iptables(8). What they do is netfilter_effect.c's. */
/* calls: setsockopt getsockopt */
#include "netfilter.h"

#include <linux/capability.h>
#include <sys/syscall.h>

static struct table t;

static void there_is_a_network(void)
{
	enter_filtered();
}

static void fresh_tables_let_all_pass(void)
{
	struct ipt_getinfo info;

	CHECK(filter_info(false, "filter", &info) == 0);
	CHECK(info.valid_hooks == 14 && info.num_entries == 4 && info.size == 632);
	CHECK(info.hook_entry[NF_INET_FORWARD] == 152);
	CHECK(info.underflow[NF_INET_LOCAL_OUT] == 304);
	CHECK(filter_info(false, "mangle", &info) == 0);
	CHECK(info.valid_hooks == 31 && info.num_entries == 6 && info.size == 936);
	CHECK(filter_info(true, "raw", &info) == 0);
	CHECK(info.valid_hooks == 9 && info.num_entries == 3 && info.size == 648);
	FAILS(ENOENT, filter_info(false, "nosuch", &info));
	FAILS(ENOENT, filter_info(true, "", &info));
	if (access("/proc/net/ip_tables_names", R_OK) != 0)
		return;
	CHECK(strstr(file_get("/proc/net/ip_tables_names"), "filter\n"));
	CHECK(strstr(file_get("/proc/net/ip6_tables_names"), "raw\n"));
	CHECK(strstr(file_get("/proc/net/ip_tables_matches"), "udp\n"));
	CHECK(strstr(file_get("/proc/net/ip6_tables_targets"), "REJECT\n"));
}

static void sizes_are_checked(void)
{
	struct ipt_getinfo info = {.name = "filter"};
	struct ipt_get_entries get = {.name = "filter", .size = 632};
	socklen_t len = 1;
	int fd = filter_fd(false);

	FAILS(EINVAL, getsockopt(fd, SOL_IP, IPT_SO_GET_INFO, &info, &len));
	len = sizeof(info) + 1;
	FAILS(EINVAL, getsockopt(fd, SOL_IP, IPT_SO_GET_INFO, &info, &len));
	len = sizeof(info);
	FAILS(EFAULT, getsockopt(fd, SOL_IP, IPT_SO_GET_INFO, bad_address(0), &len));
	len = sizeof(get) - 1;
	FAILS(EINVAL, getsockopt(fd, SOL_IP, IPT_SO_GET_ENTRIES, &get, &len));
	len = sizeof(get);
	FAILS(EINVAL, getsockopt(fd, SOL_IP, IPT_SO_GET_ENTRIES, &get, &len));
	get.size = 0;
	FAILS(EAGAIN, getsockopt(fd, SOL_IP, IPT_SO_GET_ENTRIES, &get, &len));
	len = 3;
	FAILS(EINVAL, getsockopt(fd, SOL_IP, IPT_SO_GET_REVISION_MATCH, &get, &len));
	FAILS(EINVAL, setsockopt(fd, SOL_IP, IPT_SO_SET_ADD_COUNTERS, &get, 3));
	FAILS(EINVAL, setsockopt(fd, SOL_IP, IPT_SO_SET_ADD_COUNTERS, &get, sizeof(get)));
	/* A table is never that short. */
	FAILS(EINVAL, setsockopt(fd, SOL_IP, IPT_SO_SET_REPLACE, &t, 1));
	FAILS(EINVAL, setsockopt(fd, SOL_IP, IPT_SO_SET_REPLACE, &t, -1));
	FAILS(EFAULT, setsockopt(fd, SOL_IP, IPT_SO_SET_REPLACE, bad_address(0), 500));
	CHECK(close(fd) == 0);
}

static void revisions_are_known(void)
{
	static const struct {
		const char *name;
		int revision, error, error6;
	} asked[] = {
		{"tcp", 0, 0, 0},
		{"udp", 0, 0, 0},
		{"udp", 1, EPROTONOSUPPORT, EPROTONOSUPPORT},
		{"icmp", 0, 0, ENOENT},
		{"icmp6", 0, ENOENT, 0},
		{"multiport", 1, 0, 0},
		{"multiport", 0, EPROTONOSUPPORT, EPROTONOSUPPORT},
		{"state", 0, 0, 0},
		{"conntrack", 3, 0, 0},
		{"owner", 1, 0, 0},
		{"limit", 0, 0, 0},
		{"mark", 1, 0, 0},
		{"nosuch", 0, ENOENT, ENOENT},
	};

	for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
		for (int is_v6 = 0; is_v6 < 2; is_v6++) {
			struct xt_get_revision q = {.revision =
							    (uint8_t)asked[i].revision};
			int error = is_v6 ? asked[i].error6 : asked[i].error;
			socklen_t len = sizeof(q);
			int fd = filter_fd(is_v6);
			int r;

			strcpy(q.name, asked[i].name);
			r = getsockopt(fd, level_of(is_v6),
				       is_v6 ? IP6T_SO_GET_REVISION_MATCH
					     : IPT_SO_GET_REVISION_MATCH,
				       &q, &len);
			CHECK(error ? r == -1 && errno == error : r == 0);
			CHECK(close(fd) == 0);
		}
	}
}

/* What was put in comes out, but for what the kernel keeps of it. */
static void rules_are_read_back(bool is_v6)
{
	static char back[TABLE_MAX];
	struct ipt_get_entries *get = (void *)back;
	const struct xt_state_info state = {8};
	const struct rule rules[] = {
		{.hook = NF_INET_LOCAL_IN,
		 .protocol = IPPROTO_TCP,
		 .to = 5432,
		 .match = "state",
		 .data = &state,
		 .size = sizeof(state),
		 .target = "REJECT",
		 .with = 3},
		{.hook = NF_INET_LOCAL_OUT, .protocol = IPPROTO_UDP, .jumps = true},
		{.hook = CHAIN, .protocol = IPPROTO_UDP, .to = 53, .verdict = DROPS},
	};
	struct ipt_getinfo info;
	socklen_t len;
	int fd = filter_fd(is_v6);
	size_t head;

	memset(back, 0, sizeof(back));
	table_make(&t, is_v6, rules, 3);
	CHECK(table_set(&t) == 0);
	CHECK(filter_info(is_v6, "filter", &info) == 0);
	CHECK(info.num_entries == t.q.num_entries && info.size == t.q.size);
	CHECK(!memcmp(info.hook_entry + 1, t.q.hook_entry + 1, 12));
	CHECK(!memcmp(info.underflow + 1, t.q.underflow + 1, 12));
	strcpy(get->name, "filter");
	get->size = info.size;
	len = (socklen_t)(sizeof(*get) + info.size);
	CHECK(getsockopt(fd, level_of(is_v6), IPT_SO_GET_ENTRIES, get, &len) == 0);
	CHECK(len == sizeof(*get) + info.size);
	head = head_size(&t);
	/* The first rule: its addresses and so on, then matches and target. */
	CHECK(!memcmp(get->entrytable, table_at(&t, 0),
		      is_v6 ? sizeof(struct ip6t_ip6) : sizeof(struct ipt_ip)));
	CHECK(!memcmp((char *)get->entrytable + head, table_at(&t, (uint32_t)head),
		      48 + 40 + 40));
	len--;
	FAILS(EINVAL, getsockopt(fd, level_of(is_v6), IPT_SO_GET_ENTRIES, get, &len));
	CHECK(close(fd) == 0);
	no_rules(is_v6);
}

static void rules_of_ipv4_are_read_back(void)
{
	rules_are_read_back(false);
}

static void rules_of_ipv6_are_read_back(void)
{
	rules_are_read_back(true);
}

/* A table with one thing wrong. */
static struct ipt_entry *fresh(void)
{
	const struct rule r = {.hook = NF_INET_LOCAL_IN,
			       .protocol = IPPROTO_UDP,
			       .to = 53,
			       .verdict = DROPS};

	table_make(&t, false, &r, 1);
	return (void *)table_at(&t, 0);
}

static void offsets_are_checked(void)
{
	struct ipt_entry *e;

	e = fresh();
	e->next_offset = 4;
	FAILS(EINVAL, table_set(&t));
	e = fresh();
	e->next_offset = 0xfff8;
	FAILS(EINVAL, table_set(&t));
	e = fresh();
	e->target_offset = 8;
	FAILS(EINVAL, table_set(&t));
	e = fresh();
	e->target_offset = e->next_offset;
	FAILS(EINVAL, table_set(&t));
	e = fresh();
	((struct xt_entry_match *)(void *)e->elems)->u.match_size = 0;
	FAILS(EINVAL, table_set(&t));
	e = fresh();
	((struct xt_entry_match *)(void *)e->elems)->u.match_size = 0xfff8;
	FAILS(EINVAL, table_set(&t));
	e = fresh();
	ipt_get_target(e)->u.target_size = 8;
	FAILS(EINVAL, table_set(&t));
	e = fresh();
	ipt_get_target(e)->u.target_size = 0xfff8;
	FAILS(EINVAL, table_set(&t));
	e = fresh();
	e->ip.flags = 0x80;
	FAILS(EINVAL, table_set(&t));
	e = fresh();
	e->ip.invflags = 0x80;
	FAILS(EINVAL, table_set(&t));
	e = fresh();
	((struct xt_standard_target *)(void *)ipt_get_target(e))->verdict = -77;
	FAILS(EINVAL, table_set(&t));
}

static void hooks_are_checked(void)
{
	fresh();
	t.q.hook_entry[NF_INET_LOCAL_IN] += 8;
	FAILS(EINVAL, table_set(&t));
	fresh();
	t.q.underflow[NF_INET_LOCAL_IN] = 0; /* not for all packets */
	FAILS(EINVAL, table_set(&t));
	fresh();
	t.q.valid_hooks |= 1 << NF_INET_PRE_ROUTING;
	FAILS(EINVAL, table_set(&t));
	fresh();
	t.q.valid_hooks &= ~(1U << NF_INET_FORWARD);
	FAILS(EINVAL, table_set(&t));
	fresh();
	t.q.num_entries++;
	FAILS(EINVAL, table_set(&t));
	fresh();
	t.q.num_entries = 1 << 20;
	FAILS(EINVAL, table_set(&t));
	fresh();
	t.q.num_counters = 1;
	FAILS(EAGAIN, table_set(&t));
	fresh();
	t.q.num_counters = 1U << 31;
	FAILS(ENOMEM, table_set(&t));
	fresh();
	strcpy(t.q.name, "nosuch");
	FAILS(ENOENT, table_set(&t));
	fresh();
	t.q.counters = bad_address(0); /* it is too late to say so */
	CHECK(table_set(&t) == 0);
	no_rules(false);
}

static void loops_are_refused(void)
{
	const struct rule to_itself[] = {
		{.hook = NF_INET_LOCAL_IN, .jumps = true},
		{.hook = CHAIN, .protocol = IPPROTO_UDP, .jumps = true},
	};
	const struct rule by_goto[] = {
		{.hook = NF_INET_LOCAL_OUT, .is_goto = true},
		{.hook = CHAIN, .protocol = IPPROTO_TCP, .verdict = DROPS},
		{.hook = CHAIN, .is_goto = true},
	};
	const struct rule fine[] = {
		{.hook = NF_INET_LOCAL_IN, .jumps = true},
		{.hook = NF_INET_LOCAL_IN, .is_goto = true},
		{.hook = NF_INET_LOCAL_OUT, .jumps = true},
	};

	table_make(&t, false, to_itself, 2);
	FAILS(ELOOP, table_set(&t));
	table_make(&t, true, by_goto, 3);
	FAILS(ELOOP, table_set(&t));
	table_make(&t, false, fine, 3);
	t.chain += 8; /* between rules */
	for (size_t i = 0; i < t.q.size; i += 4) {
		int at;

		memcpy(&at, table_at(&t, (uint32_t)i), sizeof(at));
		if (at == (int)t.chain - 8)
			memcpy(table_at(&t, (uint32_t)i), &t.chain, sizeof(at));
	}
	FAILS(ELOOP, table_set(&t));
	table_make(&t, false, fine, 3);
	CHECK(table_set(&t) == 0);
	no_rules(false);
}

static int with_match(int protocol, const char *name, int revision, const void *data,
		      size_t size)
{
	const struct rule r = {.hook = NF_INET_LOCAL_IN,
			       .protocol = protocol,
			       .match = name,
			       .revision = revision,
			       .data = data,
			       .size = size,
			       .verdict = DROPS};

	table_make(&t, false, &r, 1);
	return table_set(&t);
}

static int with_target(int hook, int protocol, const char *name, uint32_t with)
{
	const struct rule r = {
		.hook = hook, .protocol = protocol, .target = name, .with = with};

	table_make(&t, false, &r, 1);
	return table_set(&t);
}

static void matches_and_targets_are_checked(void)
{
	const struct xt_multiport_v1 ports = {.flags = 7};
	const struct xt_rateinfo limit = {.avg = 10000};
	const struct xt_owner_match_info owner = {.match = XT_OWNER_UID};
	const struct xt_statistic_info often = {.mode = 9};
	const struct xt_udp udp = {.invflags = 0x80};
	const struct xt_state_info state = {8};

	FAILS(ENOENT, with_match(0, "nosuch", 0, &state, sizeof(state)));
	FAILS(EPROTOTYPE, with_match(0, "state", 5, &state, sizeof(state)));
	FAILS(EINVAL, with_match(0, "state", 0, &limit, sizeof(limit)));
	FAILS(EINVAL, with_match(0, "udp", 0, &udp, sizeof(udp)));
	FAILS(EINVAL, with_match(IPPROTO_TCP, "udp", 0, &udp, sizeof(udp)));
	FAILS(EINVAL, with_match(IPPROTO_UDP, "udp", 0, &udp, sizeof(udp)));
	FAILS(EINVAL, with_match(0, "multiport", 1, &ports, sizeof(ports)));
	FAILS(EINVAL, with_match(IPPROTO_UDP, "multiport", 1, &ports, sizeof(ports)));
	FAILS(ERANGE, with_match(0, "limit", 0, &limit, sizeof(limit)));
	/* Whose it is, is known on the way out alone. */
	FAILS(EINVAL, with_match(0, "owner", 1, &owner, sizeof(owner)));
	FAILS(EINVAL, with_match(0, "statistic", 0, &often, sizeof(often)));
	FAILS(ENOENT, with_target(NF_INET_LOCAL_IN, 0, "NOSUCH", 0));
	FAILS(EINVAL, with_target(NF_INET_LOCAL_IN, 0, "REJECT", IPT_ICMP_ECHOREPLY));
	FAILS(EINVAL, with_target(NF_INET_LOCAL_IN, 0, "REJECT", IPT_TCP_RESET));
	CHECK(with_target(NF_INET_LOCAL_IN, IPPROTO_TCP, "REJECT", IPT_TCP_RESET) == 0);
	no_rules(false);
}

static void counters_go_with_the_rules(void)
{
	static struct {
		struct xt_counters_info info;
		struct xt_counters c[5];
	} add;
	int fd = filter_fd(false);

	no_rules(false);
	strcpy(add.info.name, "filter");
	for (int i = 0; i < 5; i++)
		add.c[i] = (struct xt_counters){(uint64_t)i, 100};
	add.info.num_counters = 4;
	FAILS(EINVAL, setsockopt(fd, SOL_IP, IPT_SO_SET_ADD_COUNTERS, &add, sizeof(add)));
	FAILS(EINVAL, setsockopt(fd, SOL_IP, IPT_SO_SET_ADD_COUNTERS, &add,
				 sizeof(add) - sizeof(add.c[0])));
	/* Three policies, a chain's beginning and end, and the end. */
	add.info.num_counters = 5;
	FAILS(EINVAL, setsockopt(fd, SOL_IP, IPT_SO_SET_ADD_COUNTERS, &add, sizeof(add)));
	CHECK(close(fd) == 0);
}

static void counters_are_told_at_the_end(void)
{
	static struct {
		struct xt_counters_info info;
		struct xt_counters c[6];
	} add = {.info = {.name = "filter", .num_counters = 6}};
	int fd = filter_fd(false);

	no_rules(false);
	for (int i = 0; i < 6; i++)
		add.c[i] = (struct xt_counters){(uint64_t)i + 1000, 77};
	CHECK(setsockopt(fd, SOL_IP, IPT_SO_SET_ADD_COUNTERS, &add, sizeof(add)) == 0);
	fresh();
	CHECK(table_set(&t) == 0);
	CHECK(t.q.num_counters == 6);
	for (uint64_t i = 0; i < 6; i++)
		CHECK(t.old[i].pcnt == i + 1000 && t.old[i].bcnt == 77);
	no_rules(false);
	CHECK(close(fd) == 0);
}

static void without_the_capability(void)
{
	struct __user_cap_header_struct h = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct d[2] = {{0}};
	struct ipt_getinfo info;

	CHECK(syscall(SYS_capset, &h, d) == 0);
	FAILS(EPERM, filter_info(false, "filter", &info));
	FAILS(EPERM, filter_info(true, "nosuch", &info));
	fresh();
	FAILS(EPERM, setsockopt(filter_fd(false), SOL_IP, IPT_SO_SET_REPLACE, &t, 1));
}

static void it_takes_a_capability(void)
{
	CHECK(in_child(without_the_capability) == 0);
}

/* Any of the family will do; but not all levels. */
static void any_socket_will_do(void)
{
	struct ipt_getinfo info = {.name = "filter"};
	socklen_t len = sizeof(info);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	int six = socket(AF_INET6, SOCK_STREAM, 0);
	int local = socket(AF_UNIX, SOCK_STREAM, 0);

	CHECK(getsockopt(fd, SOL_IP, IPT_SO_GET_INFO, &info, &len) == 0);
	CHECK(getsockopt(six, SOL_IP, IPT_SO_GET_INFO, &info, &len) == 0);
	CHECK(getsockopt(six, SOL_IPV6, IPT_SO_GET_INFO, &info, &len) == 0);
	FAILS(EOPNOTSUPP, getsockopt(local, SOL_IP, IPT_SO_GET_INFO, &info, &len));
	CHECK(getsockopt(fd, SOL_IPV6, IPT_SO_GET_INFO, &info, &len) == -1);
	CHECK(close(fd) == 0 && close(six) == 0 && close(local) == 0);
}

RUN(TEST(there_is_a_network), TEST(fresh_tables_let_all_pass), TEST(sizes_are_checked),
    TEST(revisions_are_known), TEST(rules_of_ipv4_are_read_back),
    TEST(rules_of_ipv6_are_read_back), TEST(offsets_are_checked), TEST(hooks_are_checked),
    TEST(loops_are_refused), TEST(matches_and_targets_are_checked),
    TEST(counters_go_with_the_rules), TEST(counters_are_told_at_the_end),
    TEST(it_takes_a_capability), TEST(any_socket_will_do))
