/* SPDX-License-Identifier: MIT */
/* net */
/* inet_options.c - socket options of internet sockets, and what interfaces there are. */
/* calls: setsockopt getsockopt */
#include "inet.h"

#include <net/if.h>

static void flags_are_set_and_told(void)
{
	static const int names[] = {SO_REUSEADDR, SO_KEEPALIVE, SO_BROADCAST,
				    SO_OOBINLINE, SO_REUSEPORT, SO_DONTROUTE};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		CHECK(option(fd, SOL_SOCKET, names[i]) == 0);
		CHECK(set_option(fd, SOL_SOCKET, names[i], 1) == 0);
		CHECK(option(fd, SOL_SOCKET, names[i]) == 1);
		CHECK(set_option(fd, SOL_SOCKET, names[i], 0) == 0);
		CHECK(option(fd, SOL_SOCKET, names[i]) == 0);
	}
	CHECK(option(fd, SOL_SOCKET, SO_ACCEPTCONN) == 0);
	CHECK(listen(fd, 1) == 0);
	CHECK(option(fd, SOL_SOCKET, SO_ACCEPTCONN) == 1);
	close(fd);
}

static void tcp_options(void)
{
	static const struct {
		int name, value;
	} all[] = {
		{TCP_NODELAY, 1},	{TCP_CORK, 1},	       {TCP_KEEPIDLE, 77},
		{TCP_KEEPINTVL, 11},	{TCP_KEEPCNT, 3},      {TCP_SYNCNT, 2},
		{TCP_USER_TIMEOUT, 99}, {TCP_QUICKACK, 1},     {TCP_LINGER2, 20},
		{TCP_NODELAY, 0},	{TCP_DEFER_ACCEPT, 1},
	};
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	char name[16] = {0};
	struct tcp_info info;
	socklen_t len = sizeof(name);

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		CHECK(set_option(fd, SOL_TCP, all[i].name, all[i].value) == 0);
		CHECK(option(fd, SOL_TCP, all[i].name) == all[i].value);
	}
	CHECK(getsockopt(fd, SOL_TCP, TCP_CONGESTION, name, &len) == 0 && name[0]);
	CHECK(setsockopt(fd, SOL_TCP, TCP_CONGESTION, name, (socklen_t)strlen(name)) ==
	      0);
	len = sizeof(info);
	CHECK(getsockopt(fd, SOL_TCP, TCP_INFO, &info, &len) == 0);
	CHECK(len == sizeof(info) && info.tcpi_state == TCP_CLOSE);
	len = 1;
	info.tcpi_ca_state = 0x5a;
	CHECK(getsockopt(fd, SOL_TCP, TCP_INFO, &info, &len) == 0 && len == 1);
	CHECK(info.tcpi_ca_state == 0x5a);
	FAILS(ENOPROTOOPT, set_option(fd, SOL_TCP, 9999, 1));
	close(fd);
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	CHECK(set_option(fd, SOL_TCP, TCP_NODELAY, 1) < 0);
	CHECK(errno == EOPNOTSUPP || errno == ENOPROTOOPT);
	close(fd);
}

static void ip_options(void)
{
	static const struct {
		int name, value;
	} all[] = {
		{IP_TTL, 7},
		{IP_TOS, 8},
		{IP_RECVTTL, 1},
		{IP_RECVERR, 1},
		{IP_PKTINFO, 1},
		{IP_MTU_DISCOVER, IP_PMTUDISC_DO},
		{IP_MULTICAST_TTL, 3},
		{IP_MULTICAST_LOOP, 0},
		{IP_FREEBIND, 1},
		{IP_RECVTOS, 1},
		{IP_BIND_ADDRESS_NO_PORT, 1},
	};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	uint8_t one = 9;
	socklen_t len = 1;

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		CHECK(set_option(fd, SOL_IP, all[i].name, all[i].value) == 0);
		CHECK(option(fd, SOL_IP, all[i].name) == all[i].value);
	}
	CHECK(setsockopt(fd, SOL_IP, IP_TTL, &one, 1) == 0);
	one = 0;
	CHECK(getsockopt(fd, SOL_IP, IP_TTL, &one, &len) == 0 && len == 1 && one == 9);
	FAILS(EINVAL, set_option(fd, SOL_IP, IP_TTL, 300));
	FAILS(ENOPROTOOPT, set_option(fd, SOL_IP, 62, 1));
	CHECK(connect_to(fd, 9) == 0);
	CHECK(option(fd, SOL_IP, IP_MTU) >= 1500);
	close(fd);
}

static void groups_are_joined(void)
{
	struct ip_mreqn group = {.imr_multiaddr.s_addr = inet_addr("239.1.2.3"),
				 .imr_address.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	CHECK(setsockopt(fd, SOL_IP, IP_ADD_MEMBERSHIP, &group, sizeof(group)) == 0);
	FAILS(EADDRINUSE,
	      setsockopt(fd, SOL_IP, IP_ADD_MEMBERSHIP, &group, sizeof(group)));
	CHECK(setsockopt(fd, SOL_IP, IP_DROP_MEMBERSHIP, &group, sizeof(group)) == 0);
	FAILS(EADDRNOTAVAIL,
	      setsockopt(fd, SOL_IP, IP_DROP_MEMBERSHIP, &group, sizeof(group)));
	close(fd);
}

static void sizes_and_times(void)
{
	struct timeval t = {1, 500000}, back = {0};
	struct linger l = {1, 30}, l_back = {0};
	socklen_t len = sizeof(back);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	CHECK(set_option(fd, SOL_SOCKET, SO_RCVBUF, 20000) == 0);
	CHECK(option(fd, SOL_SOCKET, SO_RCVBUF) == 40000);
	CHECK(set_option(fd, SOL_SOCKET, SO_SNDBUF, 30000) == 0);
	CHECK(option(fd, SOL_SOCKET, SO_SNDBUF) == 60000);
	CHECK(set_option(fd, SOL_SOCKET, SO_RCVLOWAT, 5) == 0);
	CHECK(option(fd, SOL_SOCKET, SO_RCVLOWAT) == 5);
	CHECK(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t)) == 0);
	CHECK(getsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &back, &len) == 0);
	CHECK(len == sizeof(back) && back.tv_sec == 1 && back.tv_usec == 500000);
	CHECK(getsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &back, &len) == 0);
	CHECK(back.tv_sec == 0 && back.tv_usec == 0);
	CHECK(setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l)) == 0);
	len = sizeof(l_back);
	CHECK(getsockopt(fd, SOL_SOCKET, SO_LINGER, &l_back, &len) == 0);
	CHECK(l_back.l_onoff == 1 && l_back.l_linger == 30);
	close(fd);
}

static void wrong_arguments(void)
{
	int one = 1;
	socklen_t len = sizeof(one);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	FAILS(EINVAL, setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, 1));
	FAILS(EINVAL, setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, (socklen_t)-1));
	FAILS(EFAULT, setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, (void *)16, len));
	FAILS(EFAULT, getsockopt(fd, SOL_SOCKET, SO_REUSEADDR, (void *)16, &len));
	FAILS(EFAULT, getsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, (void *)16));
	len = (socklen_t)-1;
	FAILS(EINVAL, getsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, &len));
	FAILS(ENOPROTOOPT, setsockopt(fd, SOL_SOCKET, 12345, &one, sizeof(one)));
	FAILS(ENOPROTOOPT, setsockopt(fd, SOL_SOCKET, SO_ERROR, &one, sizeof(one)));
	FAILS(ENOPROTOOPT, setsockopt(fd, SOL_SOCKET, SO_TYPE, &one, sizeof(one)));
	FAILS(EBADF, setsockopt(-1, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)));
	FAILS(ENOTSOCK, setsockopt(0, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)));
	one = 0x5a5a5a5a;
	len = 2;
	CHECK(getsockopt(fd, SOL_SOCKET, SO_TYPE, &one, &len) == 0 && len == 2);
	CHECK(one == (0x5a5a0000 | SOCK_STREAM));
	close(fd);
}

/* What a listener has its connections have. */
static void connections_inherit(void)
{
	struct timeval t = {0, 50000};
	int l = listener();
	int c = socket(AF_INET, SOCK_STREAM, 0);
	int s;
	char b;
	long start;

	CHECK(set_option(l, SOL_TCP, TCP_NODELAY, 1) == 0);
	CHECK(set_option(l, SOL_SOCKET, SO_KEEPALIVE, 1) == 0);
	CHECK(setsockopt(l, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t)) == 0);
	CHECK(connect_to(c, port_of(l)) == 0);
	s = accept(l, NULL, NULL);
	CHECK(option(s, SOL_TCP, TCP_NODELAY) == 1);
	CHECK(option(s, SOL_SOCKET, SO_KEEPALIVE) == 1);
	start = now_ms();
	FAILS(EAGAIN, recv(s, &b, 1, 0));
	CHECK(now_ms() - start >= 45 && now_ms() - start < 20000);
	close(s);
	close(c);
	close(l);
}

/* What was set several times is what accepted sockets begin with. */
static void the_last_value_is_inherited(void)
{
	int l = listener();

	for (int i = 0; i < 4; i++) {
		int c = socket(AF_INET, SOCK_STREAM, 0);
		int s;

		CHECK(set_option(l, SOL_TCP, TCP_NODELAY, i & 1) == 0);
		CHECK(set_option(l, SOL_TCP, TCP_KEEPIDLE, 100 + i) == 0);
		CHECK(set_option(l, SOL_TCP, TCP_NODELAY, !(i & 1)) == 0);
		CHECK(connect_to(c, port_of(l)) == 0);
		/* Not for the one that is connected. */
		CHECK(set_option(l, SOL_TCP, TCP_KEEPIDLE, 200) == 0);
		s = accept(l, NULL, NULL);
		CHECK(s >= 0 && option(s, SOL_TCP, TCP_NODELAY) == !(i & 1));
		CHECK(option(s, SOL_TCP, TCP_KEEPIDLE) == 100 + i);
		close(s);
		close(c);
	}
	close(l);
}

static void interfaces_are_listed(void)
{
	struct ifreq one = {.ifr_name = "lo"};
	struct ifreq many[32];
	struct ifconf all = {.ifc_len = sizeof(many), .ifc_req = many};
	bool has_lo = false;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	CHECK(ioctl(fd, SIOCGIFFLAGS, &one) == 0 && (one.ifr_flags & IFF_LOOPBACK));
	CHECK(ioctl(fd, SIOCGIFADDR, &one) == 0);
	CHECK(((struct sockaddr_in *)&one.ifr_addr)->sin_addr.s_addr ==
	      htonl(INADDR_LOOPBACK));
	CHECK(ioctl(fd, SIOCGIFINDEX, &one) == 0 && one.ifr_ifindex == 1);
	memset(one.ifr_name, 0, sizeof(one.ifr_name));
	CHECK(ioctl(fd, SIOCGIFNAME, &one) == 0 && !strcmp(one.ifr_name, "lo"));
	CHECK(ioctl(fd, SIOCGIFCONF, &all) == 0);
	for (size_t i = 0; i < (size_t)all.ifc_len / sizeof(*many); i++)
		has_lo |= !strcmp(many[i].ifr_name, "lo");
	CHECK(has_lo);
	strcpy(one.ifr_name, "none0");
	FAILS(ENODEV, ioctl(fd, SIOCGIFFLAGS, &one));
	FAILS(EFAULT, ioctl(fd, SIOCGIFFLAGS, (void *)16));
	close(fd);
	CHECK(if_nametoindex("lo") == 1);
	fd = socket(AF_UNIX, SOCK_DGRAM, 0); /* any socket may be asked */
	CHECK(fd >= 0 && ioctl(fd, SIOCGIFINDEX, &one) == -1 && errno == ENODEV);
	strcpy(one.ifr_name, "lo");
	CHECK(ioctl(fd, SIOCGIFINDEX, &one) == 0 && one.ifr_ifindex == 1);
	close(fd);
}

static void what_is_known_of_peers(void)
{
	int fd[2], n = 7;
	struct ucred u = {1, 1, 1};
	struct sockaddr_in name;
	socklen_t len = sizeof(u);

	tcp_pair(fd);
	CHECK(getsockopt(fd[0], SOL_SOCKET, SO_PEERCRED, &u, &len) == 0);
	CHECK(u.pid == 0 && u.uid == (uid_t)-1 && u.gid == (gid_t)-1);
	len = sizeof(name);
	CHECK(getsockopt(fd[0], SOL_SOCKET, 28 /* SO_PEERNAME */, &name, &len) == 0);
	CHECK(len == sizeof(name) && ntohs(name.sin_port) == port_of(fd[1]));
	len = sizeof(n);
	FAILS(ENODATA, getsockopt(fd[0], SOL_SOCKET, 59 /* SO_PEERGROUPS */, &n, &len));
	FAILS(ENOPROTOOPT, getsockopt(fd[0], SOL_SOCKET, SO_PEERSEC, &n, &len));
	CHECK(set_option(fd[0], SOL_SOCKET, SO_BSDCOMPAT, 1) == 0);
	CHECK(option(fd[0], SOL_SOCKET, SO_BSDCOMPAT) == 0);
	FAILS(ENOENT, setsockopt(fd[0], SOL_TCP, 31 /* TCP_ULP */, "nosuch", 6));
	close_pair(fd);
}

static void a_socket_changes_its_family(void)
{
	struct sockaddr_in6 to = {.sin6_family = AF_INET6};
	struct sockaddr_in any = {.sin_family = AF_INET};
	int l = listener(), fd = socket(AF_INET6, SOCK_STREAM, 0);

	if (fd < 0)
		exit(77);
	CHECK(inet_pton(AF_INET6, "::ffff:127.0.0.1", &to.sin6_addr) == 1);
	to.sin6_port = htons(port_of(l));
	CHECK(connect(fd, (void *)&to, sizeof(to)) == 0);
	CHECK(option(fd, SOL_SOCKET, SO_DOMAIN) == AF_INET6);
	CHECK(set_option(fd, SOL_IPV6, IPV6_ADDRFORM, AF_INET) == 0);
	CHECK(option(fd, SOL_SOCKET, SO_DOMAIN) == AF_INET);
	FAILS(EINVAL, bind(fd, (void *)&any, sizeof(any))); /* it has a name */
	any.sin_family = AF_UNSPEC;
	CHECK(connect(fd, (void *)&any, sizeof(any)) == 0);
	any.sin_family = AF_INET;
	CHECK(bind(fd, (void *)&any, sizeof(any)) == 0);
	CHECK(close(fd) == 0 && close(l) == 0);
}

static void interfaces_cannot_be_changed_by_nonsense(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	FAILS(EFAULT, ioctl(fd, SIOCSIFFLAGS, 8));
	FAILS(EFAULT, ioctl(fd, SIOCGIFFLAGS, 8));
	CHECK(close(fd) == 0);
}

/* The list of a group's sources goes both ways in one structure. */
static void source_filters(void)
{
	union {
		struct ip_msfilter f;
		char room[64];
	} m = {.f = {.imsf_fmode = MCAST_INCLUDE, .imsf_numsrc = 1}};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	socklen_t len = sizeof m;

	m.f.imsf_multiaddr.s_addr = inet_addr("239.1.2.3");
	m.f.imsf_interface.s_addr = htonl(INADDR_LOOPBACK);
	m.f.imsf_slist[0].s_addr = inet_addr("10.9.8.7");
	FAILS(EINVAL, setsockopt(fd, SOL_IP, IP_MSFILTER, &m, sizeof m));
	struct ip_mreq_source r = {.imr_multiaddr = m.f.imsf_multiaddr,
				   .imr_interface = m.f.imsf_interface,
				   .imr_sourceaddr.s_addr = inet_addr("10.1.1.1")};
	if (setsockopt(fd, SOL_IP, IP_ADD_SOURCE_MEMBERSHIP, &r, sizeof r) < 0) {
		close(fd); /* no multicast here */
		return;
	}
	CHECK(setsockopt(fd, SOL_IP, IP_MSFILTER, &m, IP_MSFILTER_SIZE(1)) == 0);
	memset(m.f.imsf_slist, 0, 4);
	m.f.imsf_numsrc = 3;
	CHECK(getsockopt(fd, SOL_IP, IP_MSFILTER, &m, &len) == 0);
	CHECK(len == IP_MSFILTER_SIZE(1) && m.f.imsf_numsrc == 1);
	CHECK(m.f.imsf_slist[0].s_addr == inet_addr("10.9.8.7"));
	m.f.imsf_multiaddr.s_addr = inet_addr("239.1.2.4");
	len = sizeof m;
	CHECK(getsockopt(fd, SOL_IP, IP_MSFILTER, &m, &len) < 0);
	len = sizeof m;
	FAILS(EFAULT, getsockopt(fd, SOL_IP, IP_MSFILTER, (void *)8, &len));
	close(fd);
}

/* The number of sources that there is room for stands in the value: the length alone does
 * not keep Linux from writing that many. */
static void short_source_filters(void)
{
	enum { SOURCES = 10, SIZE = 20000 };
	struct group_filter *f = calloc(1, SIZE);
	struct group_source_req r = {.gsr_interface = 1};
	struct sockaddr_in *group = (void *)&r.gsr_group, *source = (void *)&r.gsr_source;
	int fd = socket(AF_INET, SOCK_DGRAM, 0), rounds = 200;
	socklen_t len;

	group->sin_family = source->sin_family = AF_INET;
	group->sin_addr.s_addr = inet_addr("239.1.2.5");
	for (uint32_t i = 0; i < SOURCES; i++) {
		source->sin_addr.s_addr = htonl(0x0a010100 + i);
		if (setsockopt(fd, SOL_IP, MCAST_JOIN_SOURCE_GROUP, &r, sizeof r) < 0)
			rounds = 0; /* no multicast here */
	}
	for (; rounds; rounds--) {
		f->gf_interface = 1;
		f->gf_group = r.gsr_group;
		f->gf_numsrc = 100;
		len = GROUP_FILTER_SIZE(0);
		CHECK(getsockopt(fd, SOL_IP, MCAST_MSFILTER, f, &len) == 0);
		CHECK(f->gf_numsrc == SOURCES && f->gf_fmode == MCAST_INCLUDE);
	}
	close(fd);
	free(f);
}

static void repair_is_for_the_privileged(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0), value = 0;
	socklen_t len = 4;

	FAILS(EPERM, set_option(fd, SOL_TCP, 20 /* TCP_REPAIR_QUEUE */, 1));
	FAILS(EINVAL, getsockopt(fd, SOL_TCP, 20, &value, &len));
	close(fd);
}

/* Of a routing header there is no need for rights. */
static void sticky_ipv6_options(void)
{
	int fd = socket(AF_INET6, SOCK_DGRAM, 0);
	char rthdr[24] = {0, 2, 2, 1}, got[64];
	socklen_t len = sizeof got;

	if (fd < 0)
		return;
	CHECK(getsockopt(fd, SOL_IPV6, IPV6_RTHDR, got, &len) == 0 && len == 0);
	CHECK(getsockopt(fd, SOL_IPV6, IPV6_DSTOPTS, got, &len) == 0 && len == 0);
	FAILS(EINVAL, setsockopt(fd, SOL_IPV6, IPV6_RTHDR, rthdr, 3));
	CHECK(setsockopt(fd, SOL_IPV6, IPV6_RTHDR, NULL, 0) == 0);
	close(fd);
}

RUN(TEST(source_filters), TEST(short_source_filters), TEST(repair_is_for_the_privileged),
    TEST(sticky_ipv6_options), TEST(flags_are_set_and_told), TEST(tcp_options),
    TEST(ip_options), TEST(groups_are_joined), TEST(sizes_and_times),
    TEST(wrong_arguments), TEST(connections_inherit), TEST(the_last_value_is_inherited),
    TEST(interfaces_are_listed), TEST(what_is_known_of_peers),
    TEST(a_socket_changes_its_family), TEST(interfaces_cannot_be_changed_by_nonsense))
