/* SPDX-License-Identifier: MIT */
/* net */
/* calls: socket sendmsg recvmsg */
/* sock_diag: NETLINK_SOCK_DIAG and /proc/net tell of one's own sockets. */
#include "inet.h"

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <sys/un.h>

enum { MANY = 480 };

static char answer[1 << 17];

static int diag_socket(void)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);

	CHECK(fd >= 0);
	return fd;
}

static ino_t inode_of(int fd)
{
	struct stat st;

	CHECK(fstat(fd, &st) == 0);
	return st.st_ino;
}

/* Calls seen for each message until the answer is done; returns the error. */
static int read_answer(int fd, bool is_dump, void (*seen)(const struct nlmsghdr *))
{
	int result = 1;

	while (result == 1) {
		ssize_t got = recv(fd, answer, sizeof(answer), 0);
		unsigned left = (unsigned)got;

		CHECK(got > 0);
		for (struct nlmsghdr *a = (void *)answer; NLMSG_OK(a, left);
		     a = NLMSG_NEXT(a, left)) {
			CHECK(a->nlmsg_seq == 7);
			if (a->nlmsg_type == NLMSG_DONE || a->nlmsg_type == NLMSG_ERROR)
				result = *(int *)NLMSG_DATA(a);
			else
				seen(a);
		}
		if (!is_dump && result == 1)
			result = 0;
	}
	return result;
}

static void send_query(int fd, struct nlmsghdr *h)
{
	h->nlmsg_seq = 7;
	CHECK(send(fd, h, h->nlmsg_len, 0) == (ssize_t)h->nlmsg_len);
}

static int ask(struct nlmsghdr *h, void (*seen)(const struct nlmsghdr *))
{
	int fd = diag_socket(), result;

	send_query(fd, h);
	result = read_answer(fd, h->nlmsg_flags & NLM_F_DUMP, seen);
	CHECK(close(fd) == 0);
	return result;
}

struct inet_query {
	struct nlmsghdr h;
	struct inet_diag_req_v2 q;
};

static struct inet_query inet_query(int flags, int protocol, unsigned states)
{
	struct inet_query q = {
		{sizeof(q), SOCK_DIAG_BY_FAMILY, 0, 0, 0},
		{.sdiag_family = AF_INET, .idiag_states = states},
	};

	q.h.nlmsg_flags = (unsigned short)(NLM_F_REQUEST | flags);
	q.q.sdiag_protocol = (unsigned char)protocol;
	return q;
}

static ino_t wanted;
static int found, state, rqueue;

static void inet_seen(const struct nlmsghdr *h)
{
	const struct inet_diag_msg *m = NLMSG_DATA(h);

	CHECK(h->nlmsg_type == SOCK_DIAG_BY_FAMILY && m->idiag_family == AF_INET);
	if (m->idiag_inode != wanted)
		return;
	found++;
	state = m->idiag_state;
	rqueue = (int)m->idiag_rqueue;
	CHECK(m->idiag_uid == geteuid());
}

static void tcp(void)
{
	struct inet_query q = inet_query(NLM_F_DUMP, IPPROTO_TCP, 1U << TCP_LISTEN);
	int l = listener(), pair[2];

	wanted = inode_of(l);
	found = 0;
	CHECK(ask(&q.h, inet_seen) == 0 && found == 1 && state == TCP_LISTEN);
	tcp_pair(pair);
	CHECK(send(pair[0], "xyz", 3, 0) == 3 && ready(pair[1], POLLIN, 20000) == POLLIN);
	wanted = inode_of(pair[1]);
	CHECK(ask(&q.h, inet_seen) == 0 && found == 1); /* not one that listens */
	q = inet_query(NLM_F_DUMP, IPPROTO_TCP, 1U << TCP_ESTABLISHED);
	found = 0;
	CHECK(ask(&q.h, inet_seen) == 0 && found == 1 && state == TCP_ESTABLISHED);
	CHECK(rqueue == 3);
	close_pair(pair);
	CHECK(close(l) == 0);
}

static void udp(void)
{
	struct inet_query q = inet_query(NLM_F_DUMP, IPPROTO_UDP, ~0U);
	int fd = socket_at(SOCK_DGRAM, 0);

	wanted = inode_of(fd);
	found = 0;
	CHECK(ask(&q.h, inet_seen) == 0 && found == 1 && state == TCP_CLOSE);
	CHECK(close(fd) == 0);
}

static ino_t peer;
static char name[16];

static void unix_seen(const struct nlmsghdr *h)
{
	const struct unix_diag_msg *m = NLMSG_DATA(h);
	const struct nlattr *a = (const void *)(m + 1);
	int left = (int)(h->nlmsg_len - NLMSG_LENGTH(sizeof(*m)));

	CHECK(m->udiag_family == AF_UNIX);
	if (m->udiag_ino != wanted)
		return;
	found++;
	state = m->udiag_state;
	while (left >= (int)sizeof(*a) && a->nla_len >= sizeof(*a)) {
		if (a->nla_type == UNIX_DIAG_PEER)
			peer = *(const unsigned *)(a + 1);
		if (a->nla_type == UNIX_DIAG_NAME)
			memcpy(name, a + 1, (size_t)a->nla_len - sizeof(*a));
		left -= (int)NLA_ALIGN(a->nla_len);
		a = (const void *)((const char *)a + NLA_ALIGN(a->nla_len));
	}
}

static void unix_sockets(void)
{
	struct {
		struct nlmsghdr h;
		struct unix_diag_req q;
	} q = {{sizeof(q), SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST | NLM_F_DUMP, 0, 0},
	       {.sdiag_family = AF_UNIX,
		.udiag_states = ~0U,
		.udiag_show = UDIAG_SHOW_PEER | UDIAG_SHOW_NAME}};
	struct sockaddr_un a = {.sun_family = AF_UNIX, .sun_path = "\0diag-test"};
	int fd[2], l = socket(AF_UNIX, SOCK_STREAM, 0);

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, fd) == 0);
	wanted = inode_of(fd[0]);
	found = 0;
	CHECK(ask(&q.h, unix_seen) == 0 && found == 1 && state == TCP_ESTABLISHED);
	CHECK(peer == inode_of(fd[1]));
	q.h.nlmsg_flags = NLM_F_REQUEST; /* that one alone */
	q.q.udiag_ino = (unsigned)wanted;
	q.q.udiag_cookie[0] = q.q.udiag_cookie[1] = ~0U;
	found = 0;
	CHECK(ask(&q.h, unix_seen) == 0 && found == 1);
	q.q.udiag_ino = 0;
	CHECK(ask(&q.h, unix_seen) == -EINVAL);
	CHECK(bind(l, (void *)&a, sizeof(sa_family_t) + 10) == 0 && listen(l, 3) == 0);
	q.h.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	wanted = inode_of(l);
	found = 0;
	CHECK(ask(&q.h, unix_seen) == 0 && found == 1 && state == TCP_LISTEN);
	CHECK(memcmp(name, "\0diag-test", 10) == 0);
	CHECK(close(fd[0]) == 0 && close(fd[1]) == 0 && close(l) == 0);
}

/* However many wait to be read: each comes whole, or is refused for want of memory. */
static void dumps_nobody_reads(void)
{
	struct {
		struct nlmsghdr h;
		struct unix_diag_req q;
	} q = {{sizeof(q), SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST | NLM_F_DUMP, 0, 0},
	       {.sdiag_family = AF_UNIX,
		.udiag_states = ~0U,
		.udiag_show = UDIAG_SHOW_NAME}};
	static int fd[MANY], asks[MANY];
	struct sockaddr_un a = {.sun_family = AF_UNIX};

	for (int i = 0; i < MANY; i++) {
		snprintf(a.sun_path + 1, sizeof(a.sun_path) - 1, "%090d %d", i,
			 (int)getpid());
		fd[i] = socket(AF_UNIX, SOCK_DGRAM, 0);
		CHECK(fd[i] >= 0 && bind(fd[i], (void *)&a, sizeof(a)) == 0);
		asks[i] = diag_socket();
	}
	wanted = 0;
	for (int i = 0; i < MANY; i++)
		send_query(asks[i], &q.h);
	for (int i = 0; i < MANY; i++) {
		int result = read_answer(asks[i], true, unix_seen);

		CHECK(result == 0 || result == -ENOBUFS);
	}
	CHECK(ask(&q.h, unix_seen) == 0);
	for (int i = 0; i < MANY; i++)
		CHECK(close(fd[i]) == 0 && close(asks[i]) == 0);
}

static void errors(void)
{
	struct inet_query q = inet_query(0, IPPROTO_TCP, ~0U);

	q.q.id.idiag_cookie[0] = q.q.id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
	CHECK(ask(&q.h, inet_seen) == -ENOENT);
	q.q.sdiag_family = 200;
	CHECK(ask(&q.h, inet_seen) == -EINVAL);
	q.h.nlmsg_type = 4000;
	CHECK(ask(&q.h, inet_seen) == -EINVAL);
}

/* Is there a line in that table with the inode? */
static int is_listed(const char *path, ino_t ino)
{
	char line[512], word[32];
	FILE *f = fopen(path, "r");
	int n = 0;

	snprintf(word, sizeof(word), " %lu ", (unsigned long)ino);
	CHECK(f);
	while (fgets(line, sizeof(line), f))
		n += strstr(line, word) != NULL;
	CHECK(fclose(f) == 0);
	return n;
}

static void tables(void)
{
	int l = listener(), u = socket_at(SOCK_DGRAM, 0);
	int none = socket(AF_INET, SOCK_STREAM, 0);

	CHECK(is_listed("/proc/net/tcp", inode_of(l)) == 1);
	CHECK(is_listed("/proc/net/udp", inode_of(u)) == 1);
	CHECK(is_listed("/proc/net/tcp", inode_of(none)) == 0);
	CHECK(close(l) == 0 && close(u) == 0 && close(none) == 0);
}

RUN(TEST(tcp), TEST(udp), TEST(unix_sockets), TEST(dumps_nobody_reads), TEST(errors),
    TEST(tables))
