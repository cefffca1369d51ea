/* SPDX-License-Identifier: MIT */
/* net */
/* netlink_dump.c - a list that the kernel tells in parts: each tells what is there when
 * it is made, and says so if what was told before has changed. */
/* calls: sendmsg recvmsg */
#include "netlink.h"
#include "own_net.h"

#include <linux/inet_diag.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <sys/resource.h>

enum {
	SMALL = 4096,
	SOCKETS = 700,
	ADDRESSES = 400,
	WAITS = 150,
	PATIENCE = 20000 /* ms */
};

static char part[SMALL];

/* ---- reading ---- */

struct told {
	int count;
	bool is_over, was_interrupted;
};

/* The next part; seen is called for each message. */
static void read_part(int fd, struct told *t, void (*seen)(const struct nlmsghdr *))
{
	ssize_t got = recv(fd, part, sizeof(part), 0);
	unsigned left = (unsigned)got;

	CHECK(got > 0);
	for (struct nlmsghdr *h = (void *)part; NLMSG_OK(h, left);
	     h = NLMSG_NEXT(h, left)) {
		CHECK(!t->is_over && h->nlmsg_type != NLMSG_ERROR);
		CHECK(h->nlmsg_flags & NLM_F_MULTI);
		t->was_interrupted |= (h->nlmsg_flags & NLM_F_DUMP_INTR) != 0;
		t->is_over = h->nlmsg_type == NLMSG_DONE;
		if (!t->is_over) {
			t->count++;
			seen(h);
		}
	}
}

static void read_all(int fd, struct told *t, void (*seen)(const struct nlmsghdr *))
{
	while (!t->is_over)
		read_part(fd, t, seen);
}

/* ---- AF_UNIX sockets ---- */

static struct {
	ino_t ino;
	int fd, count;
} own[SOCKETS];

static void unix_seen(const struct nlmsghdr *h)
{
	const struct unix_diag_msg *m = NLMSG_DATA(h);

	for (int i = 0; i < SOCKETS; i++)
		own[i].count += own[i].ino == m->udiag_ino;
}

static int own_told(void)
{
	int n = 0;

	for (int i = 0; i < SOCKETS; i++) {
		CHECK(own[i].count <= 1);
		n += own[i].count;
		own[i].count = 0;
	}
	return n;
}

static int ask_unix(uint32_t show)
{
	struct {
		struct nlmsghdr h;
		struct unix_diag_req q;
	} r = {{sizeof(r), SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST | NLM_F_DUMP, 7, 0},
	       {.sdiag_family = AF_UNIX, .udiag_states = ~0U, .udiag_show = show}};
	int fd = nl_socket(NETLINK_SOCK_DIAG);

	CHECK(send(fd, &r, sizeof(r), 0) == (ssize_t)sizeof(r));
	return fd;
}

static void fill_own(void)
{
	struct rlimit most;
	struct stat st;

	CHECK(getrlimit(RLIMIT_NOFILE, &most) == 0);
	most.rlim_cur = most.rlim_max;
	CHECK(setrlimit(RLIMIT_NOFILE, &most) == 0);
	for (int i = 0; i < SOCKETS; i++) {
		own[i].fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		CHECK(own[i].fd >= 0 && fstat(own[i].fd, &st) == 0);
		own[i].ino = st.st_ino;
	}
}

static void close_own(void)
{
	for (int i = 0; i < SOCKETS; i++)
		CHECK(close(own[i].fd) == 0);
}

static void who_has_gone_is_not_told(void)
{
	struct told t = {0};
	int fd, told;

	fill_own();
	fd = ask_unix(0);
	read_all(fd, &t, unix_seen);
	CHECK(close(fd) == 0 && own_told() == SOCKETS);

	t = (struct told){0};
	fd = ask_unix(0);
	read_part(fd, &t, unix_seen);
	CHECK(!t.is_over);
	close_own();
	read_all(fd, &t, unix_seen);
	told = own_told();
	CHECK(told > 0 && told < SOCKETS);
	FAILS(EAGAIN, recv(fd, part, sizeof(part), MSG_DONTWAIT));
	CHECK(close(fd) == 0);
}

static void one_at_a_time(void)
{
	struct told t = {0};
	struct {
		struct nlmsghdr h;
		struct unix_diag_req q;
	} r = {{sizeof(r), SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST | NLM_F_DUMP, 8, 0},
	       {.sdiag_family = AF_UNIX, .udiag_states = ~0U}};
	const struct nlmsghdr *h = (void *)part;
	int fd;

	fill_own();
	fd = ask_unix(0);
	CHECK(send(fd, &r, sizeof(r), 0) == (ssize_t)sizeof(r));
	read_part(fd, &t, unix_seen);
	do { /* the refusal lies between parts */
		CHECK(recv(fd, part, sizeof(part), MSG_PEEK) > 0);
		if (h->nlmsg_type != NLMSG_ERROR)
			read_part(fd, &t, unix_seen);
	} while (h->nlmsg_type != NLMSG_ERROR);
	CHECK(recv(fd, part, sizeof(part), 0) > 0 && h->nlmsg_seq == 8);
	CHECK(((struct nlmsgerr *)NLMSG_DATA(h))->error == -EBUSY);
	read_all(fd, &t, unix_seen);
	CHECK(own_told() == SOCKETS);
	t = (struct told){0}; /* now it may */
	CHECK(send(fd, &r, sizeof(r), 0) == (ssize_t)sizeof(r));
	read_all(fd, &t, unix_seen);
	CHECK(own_told() == SOCKETS);
	CHECK(send(fd, &r, sizeof(r), 0) == (ssize_t)sizeof(r)); /* nobody reads it */
	CHECK(close(fd) == 0);
	close_own();
}

static void any_seen(const struct nlmsghdr *h)
{
	CHECK(h->nlmsg_type == SOCK_DIAG_BY_FAMILY);
}

/* More come than a part tells of, again and again. */
static void who_comes_does_not_prolong_it(void)
{
	enum { MORE = 150 };
	struct told t = {0};
	int more[MORE];
	int parts = 0;
	int fd;

	fill_own();
	for (int i = 0; i < MORE; i++)
		CHECK((more[i] = socket(AF_UNIX, SOCK_DGRAM, 0)) >= 0);
	fd = ask_unix(0);
	while (!t.is_over) {
		CHECK(parts++ < 500);
		read_part(fd, &t, any_seen);
		for (int i = 0; i < MORE; i++) {
			CHECK(close(more[i]) == 0);
			CHECK((more[i] = socket(AF_UNIX, SOCK_DGRAM, 0)) >= 0);
		}
	}
	for (int i = 0; i < MORE; i++)
		CHECK(close(more[i]) == 0);
	CHECK(close(fd) == 0);
	close_own();
}

static uid_t who;
static int who_told;

static void user_seen(const struct nlmsghdr *h)
{
	const struct unix_diag_msg *m = NLMSG_DATA(h);
	const struct rtattr *a = (const void *)(m + 1);
	unsigned left = (unsigned)(h->nlmsg_len - NLMSG_LENGTH(sizeof(*m)));
	bool is_own = false;

	for (int i = 0; i < SOCKETS; i++)
		is_own |= own[i].ino == m->udiag_ino;
	for (; is_own && RTA_OK(a, left); a = RTA_NEXT(a, left)) {
		if (a->rta_type != UNIX_DIAG_UID)
			continue;
		CHECK(*(const uid_t *)RTA_DATA(a) == who);
		who_told++;
	}
}

static void users_are_who_the_asker_sees(void)
{
	struct told t = {0};
	pid_t pid;
	int status;
	int fd;

	fill_own();
	who = getuid();
	fd = ask_unix(UDIAG_SHOW_UID);
	read_part(fd, &t, user_seen);
	CHECK(!t.is_over);
	fflush(stdout);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) { /* who sees nobody */
		if (unshare(CLONE_NEWUSER))
			_exit(77);
		who_told = 0;
		read_all(fd, &t, user_seen);
		CHECK(getuid() != who && who_told > SOCKETS / 2);
		_exit(0);
	}
	status = child_wait(pid);
	CHECK(WIFEXITED(status));
	CHECK(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 77);
	CHECK(close(fd) == 0);
	close_own();
}

/* ---- addresses ---- */

static void change_address(int type, uint32_t number)
{
	struct {
		struct nlmsghdr h;
		struct ifaddrmsg m;
		struct rtattr a;
		uint32_t addr;
	} r = {{sizeof(r), (uint16_t)type,
		NLM_F_REQUEST | NLM_F_ACK | (type == RTM_NEWADDR ? NLM_F_CREATE : 0), 9,
		0},
	       {.ifa_family = AF_INET, .ifa_prefixlen = 32, .ifa_index = 1},
	       {RTA_LENGTH(4), IFA_LOCAL},
	       htonl(0x0a000001 + number)};
	struct nlmsghdr *h = (void *)part;
	int fd = nl_socket(NETLINK_ROUTE);

	CHECK(send(fd, &r, sizeof(r), 0) == (ssize_t)sizeof(r));
	CHECK(recv(fd, part, sizeof(part), 0) > 0 && h->nlmsg_type == NLMSG_ERROR);
	CHECK(((struct nlmsgerr *)NLMSG_DATA(h))->error == 0);
	CHECK(close(fd) == 0);
}

static void nothing(const struct nlmsghdr *h)
{
	CHECK(h->nlmsg_type == RTM_NEWADDR);
}

static int ask_addresses(void)
{
	struct {
		struct nlmsghdr h;
		struct ifaddrmsg m;
	} r = {{sizeof(r), RTM_GETADDR, NLM_F_REQUEST | NLM_F_DUMP, 10, 0},
	       {.ifa_family = AF_INET}};
	int fd = nl_socket(NETLINK_ROUTE);

	CHECK(send(fd, &r, sizeof(r), 0) == (ssize_t)sizeof(r));
	return fd;
}

static void changes_are_told_of(void)
{
	struct told t = {0};
	int fd;

	for (uint32_t i = 0; i < ADDRESSES; i++)
		change_address(RTM_NEWADDR, i);
	fd = ask_addresses();
	read_all(fd, &t, nothing);
	CHECK(t.count == ADDRESSES + 1 && !t.was_interrupted && close(fd) == 0);

	t = (struct told){0};
	fd = ask_addresses();
	read_part(fd, &t, nothing);
	CHECK(!t.is_over && !t.was_interrupted);
	change_address(RTM_DELADDR, ADDRESSES - 1);
	read_all(fd, &t, nothing);
	CHECK(t.was_interrupted && t.count == ADDRESSES && close(fd) == 0);

	t = (struct told){0};
	fd = ask_addresses();
	read_part(fd, &t, nothing);
	change_address(RTM_NEWADDR, ADDRESSES - 1);
	read_all(fd, &t, nothing);
	CHECK(t.was_interrupted && close(fd) == 0);

	t = (struct told){0};
	fd = ask_addresses();
	read_all(fd, &t, nothing);
	CHECK(t.count == ADDRESSES + 1 && !t.was_interrupted && close(fd) == 0);
}

/* ---- TCP: sockets, and what connections have left ---- */

static int listeners, waiting;

static void tcp_seen(const struct nlmsghdr *h)
{
	const struct inet_diag_msg *m = NLMSG_DATA(h);

	listeners += m->idiag_state == TCP_LISTEN;
	waiting += m->idiag_state == TCP_TIME_WAIT;
}

static void end_one(int l)
{
	char c;
	int from = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int to;

	CHECK(from >= 0 && connect_to(from, port_of(l)) == 0);
	to = accept4(l, NULL, NULL, SOCK_CLOEXEC);
	CHECK(to >= 0 && close(from) == 0);
	CHECK(recv(to, &c, 1, 0) == 0 && close(to) == 0);
}

static void all_of_tcp_are_told_once(void)
{
	struct {
		struct nlmsghdr h;
		struct inet_diag_req_v2 q;
	} r = {{sizeof(r), SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST | NLM_F_DUMP, 7, 0},
	       {.sdiag_family = AF_INET,
		.sdiag_protocol = IPPROTO_TCP,
		.idiag_states = ~0U}};
	long end = now_ms() + PATIENCE;
	int fd = nl_socket(NETLINK_SOCK_DIAG);
	int l[100];

	for (int i = 0; i < 100; i++)
		l[i] = listener();
	for (int i = 0; i < WAITS; i++)
		end_one(l[0]);
	do { /* the last may still be on its way there */
		struct told t = {0};

		listeners = waiting = 0;
		CHECK(send(fd, &r, sizeof(r), 0) == (ssize_t)sizeof(r));
		read_all(fd, &t, tcp_seen);
	} while (waiting < WAITS && now_ms() < end);
	CHECK(listeners == 100 && waiting == WAITS);
	for (int i = 0; i < 100; i++)
		CHECK(close(l[i]) == 0);
	CHECK(close(fd) == 0);
}

int main(void)
{
	const struct test all[] = {
		TEST(who_has_gone_is_not_told),	     TEST(one_at_a_time),
		TEST(who_comes_does_not_prolong_it), TEST(users_are_who_the_asker_sees),
		TEST(changes_are_told_of),	     TEST(all_of_tcp_are_told_once),
	};

	if (!own_network())
		return 77;
	return test_main(all, sizeof(all) / sizeof(all[0]));
}
