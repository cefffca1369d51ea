/* SPDX-License-Identifier: MIT */
/* net */
/* udp_groups.c - datagrams for many: broadcast, multicast groups with their sources, and
 * sockets that share a port. */
/* calls: sendto setsockopt getsockopt bind connect */
#include "own_net.h"

static int member(const char *addr, uint16_t port)
{
	int fd = udp4();

	CHECK(set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1) == 0);
	CHECK(bind4(fd, addr, port) == 0);
	return fd;
}

static struct ip_mreq mreq(const char *group, const char *own)
{
	struct ip_mreq m;

	CHECK(inet_pton(AF_INET, group, &m.imr_multiaddr) == 1);
	CHECK(inet_pton(AF_INET, own, &m.imr_interface) == 1);
	return m;
}

static int join(int fd, const char *group)
{
	struct ip_mreq m = mreq(group, "127.0.0.1");

	return setsockopt(fd, SOL_IP, IP_ADD_MEMBERSHIP, &m, sizeof(m));
}

static int leave(int fd, const char *group)
{
	struct ip_mreq m = mreq(group, "127.0.0.1");

	return setsockopt(fd, SOL_IP, IP_DROP_MEMBERSHIP, &m, sizeof(m));
}

static int sender(void)
{
	struct in_addr own = {htonl(INADDR_LOOPBACK)};
	int fd = udp4();

	CHECK(setsockopt(fd, SOL_IP, IP_MULTICAST_IF, &own, sizeof(own)) == 0);
	return fd;
}

static void broadcasts_are_for_all(void)
{
	int a = member("0.0.0.0", 0);
	uint16_t port = port_of(a);
	int b = member("127.255.255.255", port);
	int c = member("127.0.0.1", port);
	int fd = udp4();

	FAILS(EACCES, send4(fd, "127.255.255.255", port, "x"));
	FAILS(EACCES, connect4(fd, "127.255.255.255", port));
	CHECK(set_option(fd, SOL_SOCKET, SO_BROADCAST, 1) == 0);
	CHECK(send4(fd, "127.255.255.255", port, "all") == 3);
	CHECK(gets(a, "all") && gets(b, "all") && gets_nothing(c));
	CHECK(close(a) == 0 && close(b) == 0 && close(c) == 0 && close(fd) == 0);
}

static void groups_are_for_members(void)
{
	int a = member("0.0.0.0", 0);
	uint16_t port = port_of(a);
	int b = member("0.0.0.0", port);
	int c = member("127.0.0.1", port);
	int fd = sender();

	CHECK(send4(fd, "239.1.2.3", port, "nobody") == 6);
	CHECK(gets_nothing(a) && gets_nothing(b));
	CHECK(join(a, "239.1.2.3") == 0);
	CHECK(send4(fd, "239.1.2.3", port, "1") == 1);
	CHECK(gets(a, "1") && gets(b, "1") && gets_nothing(c));
	CHECK(set_option(b, SOL_IP, IP_MULTICAST_ALL, 0) == 0);
	CHECK(send4(fd, "239.1.2.3", port, "2") == 1);
	CHECK(gets(a, "2") && gets_nothing(b));
	CHECK(join(b, "239.1.2.3") == 0);
	CHECK(leave(a, "239.1.2.3") == 0);
	CHECK(set_option(fd, SOL_IP, IP_MULTICAST_TTL, 0) == 0);
	CHECK(send4(fd, "239.1.2.3", port, "3") == 1);
	CHECK(gets(b, "3") && gets(a, "3"));
	CHECK(leave(b, "239.1.2.3") == 0);
	CHECK(send4(fd, "239.1.2.3", port, "4") == 1);
	CHECK(gets_nothing(a) && gets_nothing(b));
	CHECK(close(a) == 0 && close(b) == 0 && close(c) == 0 && close(fd) == 0);
}

static void memberships_are_checked(void)
{
	struct ip_mreq m = mreq("239.1.2.3", "127.0.0.1");
	struct ip_mreqn n = {.imr_multiaddr = m.imr_multiaddr, .imr_ifindex = 1};
	char name[32];
	int fd = udp4();

	CHECK(join(fd, "239.1.2.3") == 0);
	FAILS(EADDRINUSE, join(fd, "239.1.2.3"));
	FAILS(EADDRNOTAVAIL, leave(fd, "239.9.9.9"));
	FAILS(EINVAL, join(fd, "127.0.0.1"));
	FAILS(EINVAL, setsockopt(fd, SOL_IP, IP_ADD_MEMBERSHIP, &m, 4));
	m = mreq("239.1.2.4", "9.9.9.9");
	FAILS(ENODEV, setsockopt(fd, SOL_IP, IP_ADD_MEMBERSHIP, &m, sizeof(m)));
	CHECK(setsockopt(fd, SOL_IP, IP_DROP_MEMBERSHIP, &n, sizeof(n)) == 0);
	n.imr_ifindex = 9999;
	FAILS(ENODEV, setsockopt(fd, SOL_IP, IP_ADD_MEMBERSHIP, &n, sizeof(n)));
	for (int i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), "239.1.1.%d", i);
		CHECK(join(fd, name) == 0);
	}
	FAILS(ENOBUFS, join(fd, "239.1.1.99"));
	CHECK(close(fd) == 0);
}

static int source(int fd, int name, const char *group, const char *from)
{
	struct ip_mreq_source s = {.imr_interface.s_addr = htonl(INADDR_LOOPBACK)};

	CHECK(inet_pton(AF_INET, group, &s.imr_multiaddr) == 1);
	CHECK(inet_pton(AF_INET, from, &s.imr_sourceaddr) == 1);
	return setsockopt(fd, SOL_IP, name, &s, sizeof(s));
}

static void sources_are_chosen(void)
{
	int a = member("0.0.0.0", 0);
	uint16_t port = port_of(a);
	int fd = sender();

	CHECK(source(a, IP_ADD_SOURCE_MEMBERSHIP, "239.2.2.2", "127.0.0.9") == 0);
	CHECK(send4(fd, "239.2.2.2", port, "other") == 5 && gets_nothing(a));
	FAILS(EINVAL, source(a, IP_BLOCK_SOURCE, "239.2.2.2", "1.1.1.1"));
	CHECK(source(a, IP_ADD_SOURCE_MEMBERSHIP, "239.2.2.2", "127.0.0.1") == 0);
	CHECK(send4(fd, "239.2.2.2", port, "own") == 3 && gets(a, "own"));
	CHECK(source(a, IP_DROP_SOURCE_MEMBERSHIP, "239.2.2.2", "127.0.0.1") == 0);
	FAILS(EADDRNOTAVAIL,
	      source(a, IP_DROP_SOURCE_MEMBERSHIP, "239.2.2.2", "127.0.0.1"));
	CHECK(source(a, IP_DROP_SOURCE_MEMBERSHIP, "239.2.2.2", "127.0.0.9") == 0);
	FAILS(EINVAL, source(a, IP_DROP_SOURCE_MEMBERSHIP, "239.2.2.2", "127.0.0.9"));
	CHECK(join(a, "239.2.2.2") == 0);
	CHECK(source(a, IP_BLOCK_SOURCE, "239.2.2.2", "127.0.0.1") == 0);
	FAILS(EADDRNOTAVAIL, source(a, IP_BLOCK_SOURCE, "239.2.2.2", "127.0.0.1"));
	CHECK(send4(fd, "239.2.2.2", port, "blocked") == 7 && gets_nothing(a));
	CHECK(source(a, IP_UNBLOCK_SOURCE, "239.2.2.2", "127.0.0.1") == 0);
	CHECK(send4(fd, "239.2.2.2", port, "heard") == 5 && gets(a, "heard"));
	FAILS(EINVAL, source(a, IP_ADD_SOURCE_MEMBERSHIP, "239.2.2.2", "127.0.0.1"));
	CHECK(close(a) == 0 && close(fd) == 0);
}

static void ipv6_groups_are_joined(void)
{
	struct ipv6_mreq m = {.ipv6mr_interface = 1};
	int fd = udp6();

	CHECK(inet_pton(AF_INET6, "ff02::7", &m.ipv6mr_multiaddr) == 1);
	CHECK(setsockopt(fd, SOL_IPV6, IPV6_JOIN_GROUP, &m, sizeof(m)) == 0);
	FAILS(EADDRINUSE, setsockopt(fd, SOL_IPV6, IPV6_JOIN_GROUP, &m, sizeof(m)));
	m.ipv6mr_interface = 9999;
	FAILS(ENODEV, setsockopt(fd, SOL_IPV6, IPV6_JOIN_GROUP, &m, sizeof(m)));
	m.ipv6mr_interface = 0;
	CHECK(setsockopt(fd, SOL_IPV6, IPV6_LEAVE_GROUP, &m, sizeof(m)) == 0);
	FAILS(EADDRNOTAVAIL, setsockopt(fd, SOL_IPV6, IPV6_LEAVE_GROUP, &m, sizeof(m)));
	m.ipv6mr_multiaddr = in6addr_loopback;
	FAILS(EINVAL, setsockopt(fd, SOL_IPV6, IPV6_JOIN_GROUP, &m, sizeof(m)));
	CHECK(close(fd) == 0);
}

static void ipv6_groups_have_an_end(void)
{
	struct ipv6_mreq m = {.ipv6mr_interface = 1};
	int fd = udp6();
	int count = 0;

	CHECK(inet_pton(AF_INET6, "ff02::8:0", &m.ipv6mr_multiaddr) == 1);
	for (; count < 1 << 16; count++) {
		m.ipv6mr_multiaddr.s6_addr[14] = (uint8_t)(count >> 8);
		m.ipv6mr_multiaddr.s6_addr[15] = (uint8_t)count;
		if (setsockopt(fd, SOL_IPV6, IPV6_JOIN_GROUP, &m, sizeof(m)))
			break;
	}
	CHECK(count >= 100 && count < 1 << 16 && errno == ENOMEM);
	m.ipv6mr_multiaddr.s6_addr[14] = 0;
	m.ipv6mr_multiaddr.s6_addr[15] = 5;
	FAILS(EADDRINUSE, setsockopt(fd, SOL_IPV6, IPV6_JOIN_GROUP, &m, sizeof(m)));
	CHECK(setsockopt(fd, SOL_IPV6, IPV6_LEAVE_GROUP, &m, sizeof(m)) == 0);
	CHECK(setsockopt(fd, SOL_IPV6, IPV6_JOIN_GROUP, &m, sizeof(m)) == 0);
	CHECK(close(fd) == 0);
}

/* A stream may join by one of the ways, and those accepted from it have not. */
static void streams_join(void)
{
	struct ip_mreq m = mreq("239.1.2.3", "127.0.0.1");
	struct group_req g = {.gr_interface = 1};
	struct sockaddr_in *name = (struct sockaddr_in *)&g.gr_group;
	int l = listener();
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	int s;

	*name = name4("239.1.2.3", 0);
	FAILS(EPROTO, setsockopt(l, SOL_IP, IP_ADD_MEMBERSHIP, &m, sizeof(m)));
	CHECK(setsockopt(l, SOL_IP, MCAST_JOIN_GROUP, &g, sizeof(g)) == 0);
	FAILS(EADDRINUSE, setsockopt(l, SOL_IP, MCAST_JOIN_GROUP, &g, sizeof(g)));
	CHECK(connect_to(fd, port_of(l)) == 0);
	s = accept(l, NULL, NULL);
	CHECK(s >= 0);
	FAILS(EADDRNOTAVAIL, setsockopt(s, SOL_IP, MCAST_LEAVE_GROUP, &g, sizeof(g)));
	CHECK(setsockopt(l, SOL_IP, MCAST_LEAVE_GROUP, &g, sizeof(g)) == 0);
	CHECK(setsockopt(l, SOL_IP, MCAST_JOIN_GROUP, &g, sizeof(g)) == 0);
	CHECK(close(s) == 0 && close(fd) == 0 && close(l) == 0);
}

/* Who has no room loses what comes, and the others get it. */
static void a_full_one_loses_alone(void)
{
	char data[1001] = {0};
	int full = member("0.0.0.0", 0);
	uint16_t port = port_of(full);
	int other = member("0.0.0.0", port);
	int last = member("0.0.0.0", port);
	int fd = sender();
	char buf[sizeof(data)];
	int left = 0;

	memset(data, 'x', sizeof(data) - 1);
	CHECK(set_option(full, SOL_SOCKET, SO_RCVBUF, 4096) == 0);
	CHECK(join(full, "239.7.7.7") == 0);
	for (int i = 0; i < 50; i++) {
		CHECK(send4(fd, "239.7.7.7", port, data) == 1000);
		CHECK(recv(other, buf, sizeof(buf), 0) == 1000);
		CHECK(recv(last, buf, sizeof(buf), 0) == 1000);
	}
	while (recv(full, buf, sizeof(buf), MSG_DONTWAIT) == 1000)
		left++;
	CHECK(left > 0 && left < 20);
	CHECK(close(full) == 0 && close(other) == 0 && close(last) == 0);
	CHECK(close(fd) == 0);
}

/* Each sender comes to one of them, always the same. */
static void shared_ports_are_split(void)
{
	enum { COUNT = 4, SENDERS = 64 };
	int fd[COUNT];
	int got[COUNT] = {0};
	uint16_t port = 0;
	char c;

	for (int i = 0; i < COUNT; i++) {
		fd[i] = udp4();
		CHECK(set_option(fd[i], SOL_SOCKET, SO_REUSEPORT, 1) == 0);
		CHECK(bind4(fd[i], "127.0.0.1", port) == 0);
		port = port_of(fd[i]);
	}
	for (int k = 0; k < SENDERS; k++) {
		int from = udp4();
		int who = -1;

		for (int round = 0; round < 3; round++) {
			CHECK(send4(from, "127.0.0.1", port, "x") == 1);
			for (int i = 0; i < COUNT; i++) {
				if (recv(fd[i], &c, 1, MSG_DONTWAIT) != 1)
					continue;
				CHECK(who < 0 || who == i);
				who = i;
			}
			CHECK(who >= 0);
		}
		got[who]++;
		CHECK(close(from) == 0);
	}
	for (int i = 0; i < COUNT; i++)
		CHECK(got[i] > 0 && close(fd[i]) == 0);
}

static void the_best_fit_gets_it(void)
{
	int any = member("0.0.0.0", 0);
	uint16_t port = port_of(any);
	int own = member("127.0.0.1", port);
	int peer = member("127.0.0.1", port);
	int fd = socket_at(SOCK_DGRAM, 0);
	int other = udp4();

	CHECK(connect_to(peer, port_of(fd)) == 0);
	CHECK(send4(fd, "127.0.0.1", port, "peer") == 4);
	CHECK(send4(other, "127.0.0.1", port, "own") == 3);
	CHECK(send4(other, "127.0.0.2", port, "any") == 3);
	CHECK(gets(peer, "peer") && gets(own, "own") && gets(any, "any"));
	CHECK(gets_nothing(peer) && gets_nothing(own) && gets_nothing(any));
	CHECK(close(any) == 0 && close(own) == 0 && close(peer) == 0);
	CHECK(close(fd) == 0 && close(other) == 0);
}

int main(void)
{
	const struct test all[] = {
		TEST(broadcasts_are_for_all),
		TEST(groups_are_for_members),
		TEST(memberships_are_checked),
		TEST(sources_are_chosen),
		TEST(a_full_one_loses_alone),
		TEST(ipv6_groups_are_joined),
		TEST(ipv6_groups_have_an_end),
		TEST(shared_ports_are_split),
		TEST(streams_join),
		TEST(the_best_fit_gets_it),
	};

	(void)own_network();
	return test_main(all, sizeof(all) / sizeof(all[0]));
}
