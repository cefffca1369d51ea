/* SPDX-License-Identifier: MIT */
/* The loopback device of a new network namespace: down and without addresses; what
 * rtnetlink(7) and netdevice(7) change of it, and whom they tell. */
/* calls: socket ioctl */
#include "net_ns.h"

#include <arpa/inet.h>
#include <linux/if_addr.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if_arp.h>
#include <poll.h>

static int route_socket(void)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	CHECK(fd >= 0);
	return fd;
}

struct request {
	struct nlmsghdr h;
	char body[256];
};

static void begin(struct request *r, int type, int flags, const void *head, size_t size)
{
	memset(r, 0, sizeof(*r));
	r->h.nlmsg_type = (uint16_t)type;
	r->h.nlmsg_flags = (uint16_t)(flags | NLM_F_REQUEST);
	r->h.nlmsg_len = (uint32_t)NLMSG_LENGTH(size);
	memcpy(NLMSG_DATA(&r->h), head, size);
}

static void add(struct request *r, int type, const void *data, size_t size)
{
	struct rtattr *a = (void *)((char *)r + NLMSG_ALIGN(r->h.nlmsg_len));

	a->rta_type = (uint16_t)type;
	a->rta_len = (uint16_t)RTA_LENGTH(size);
	memcpy(RTA_DATA(a), data, size);
	r->h.nlmsg_len = NLMSG_ALIGN(r->h.nlmsg_len) + RTA_ALIGN(a->rta_len);
}

/* Sends it and returns what the acknowledgement says. */
static int ask(struct request *r)
{
	char answer[4096];
	struct nlmsghdr *h = (void *)answer;
	int fd = route_socket();
	int err;

	r->h.nlmsg_flags |= NLM_F_ACK;
	CHECK(send(fd, r, r->h.nlmsg_len, 0) == (ssize_t)r->h.nlmsg_len);
	CHECK(recv(fd, answer, sizeof(answer), 0) > 0);
	CHECK(h->nlmsg_type == NLMSG_ERROR);
	err = ((struct nlmsgerr *)NLMSG_DATA(h))->error;
	CHECK(close(fd) == 0);
	return -err;
}

static int set_link(int index, unsigned flags, unsigned change)
{
	struct ifinfomsg m = {
		.ifi_index = index, .ifi_flags = flags, .ifi_change = change};
	struct request r;

	begin(&r, RTM_NEWLINK, 0, &m, sizeof(m));
	return ask(&r);
}

static int change_address(int type, int flags, const char *text, int prefix, int index)
{
	int family = strchr(text, ':') ? AF_INET6 : AF_INET;
	struct ifaddrmsg m = {.ifa_family = (uint8_t)family,
			      .ifa_prefixlen = (uint8_t)prefix,
			      .ifa_index = (uint32_t)index};
	size_t size = family == AF_INET ? 4 : 16;
	struct request r;
	char addr[16];

	CHECK(inet_pton(family, text, addr) == 1);
	begin(&r, type, flags, &m, sizeof(m));
	add(&r, IFA_LOCAL, addr, size);
	add(&r, IFA_ADDRESS, addr, size);
	return ask(&r);
}

static int add_address(const char *text, int prefix)
{
	return change_address(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, text, prefix, 1);
}

/* A dump: how many messages of a type there are in it. */
static int count(int type, int family, int want)
{
	struct rtmsg m = {.rtm_family = (uint8_t)family};
	struct request r;
	char answer[16384];
	int fd = route_socket();
	int found = 0;

	begin(&r, type, NLM_F_DUMP, &m, type == RTM_GETLINK ? 16 : sizeof(m));
	CHECK(send(fd, &r, r.h.nlmsg_len, 0) > 0);
	for (;;) {
		ssize_t got = recv(fd, answer, sizeof(answer), 0);
		struct nlmsghdr *h = (void *)answer;

		CHECK(got > 0);
		for (; NLMSG_OK(h, got); h = NLMSG_NEXT(h, got)) {
			if (h->nlmsg_type == NLMSG_DONE) {
				CHECK(close(fd) == 0);
				return found;
			}
			CHECK(h->nlmsg_type == want);
			found++;
		}
	}
}

static int addresses(int family)
{
	return count(RTM_GETADDR, family, RTM_NEWADDR);
}

static int routes(int family)
{
	return count(RTM_GETROUTE, family, RTM_NEWROUTE);
}

static int set_up(void)
{
	return set_link(1, IFF_UP, IFF_UP);
}

/* ---- what there is ---- */

static void fresh(void)
{
	CHECK(count(RTM_GETLINK, AF_UNSPEC, RTM_NEWLINK) == 1);
	CHECK(addresses(AF_UNSPEC) == 0 && routes(AF_UNSPEC) == 0);
	CHECK(if_nametoindex("lo") == 1);
	CHECK(count(RTM_GETNEIGH, AF_UNSPEC, RTM_NEWNEIGH) == 0);
	CHECK(count(RTM_GETRULE, AF_INET, RTM_NEWRULE) == 3);
	CHECK(count(RTM_GETRULE, AF_INET6, RTM_NEWRULE) == 2);
}

static void a_new_one_has_a_bare_loopback(void)
{
	in_new_network(fresh);
}

static void up(void)
{
	CHECK(set_up() == 0);
	CHECK(addresses(AF_INET) == 1 && addresses(AF_INET6) == 1);
	CHECK(routes(AF_INET) == 3 && routes(AF_INET6) == 1);
	CHECK(set_up() == 0);
	CHECK(set_link(1, 0, IFF_UP) == 0);
	CHECK(addresses(AF_INET) == 1 && addresses(AF_INET6) == 0);
	/* What leads to its own addresses stays. */
	CHECK(routes(AF_INET) == 2 && routes(AF_INET6) == 0);
	CHECK(set_up() == 0);
	CHECK(addresses(AF_UNSPEC) == 2 && routes(AF_UNSPEC) == 4);
}

static void setting_it_up_gives_it_addresses(void)
{
	in_new_network(up);
}

/* ---- addresses ---- */

static void address_changes(void)
{
	CHECK(set_up() == 0);
	CHECK(add_address("10.1.1.1", 24) == 0);
	CHECK(routes(AF_INET) == 6);
	CHECK(add_address("10.1.1.1", 24) == EEXIST);
	CHECK(add_address("10.1.1.2", 24) == 0); /* a secondary one */
	CHECK(routes(AF_INET) == 7 && addresses(AF_INET) == 3);
	CHECK(add_address("10.1.1.1", 33) == EINVAL);
	CHECK(change_address(RTM_NEWADDR, NLM_F_CREATE, "10.1.1.9", 24, 9) == ENODEV);
	CHECK(change_address(RTM_DELADDR, 0, "10.1.1.7", 24, 1) == EADDRNOTAVAIL);
	CHECK(change_address(RTM_DELADDR, 0, "10.1.1.1", 24, 1) == 0);
	CHECK(add_address("fd00::5", 64) == 0);
	CHECK(add_address("fd00::5", 64) == EEXIST);
	CHECK(add_address("ff02::5", 64) == EADDRNOTAVAIL);
	CHECK(add_address("::", 64) == EADDRNOTAVAIL);
	/* Linux adds the last of them when it knows that nobody else has the address. */
	for (int i = 0; i < 2000 && routes(AF_INET6) != 3; i++)
		usleep(10000);
	CHECK(routes(AF_INET6) == 3);
	CHECK(change_address(RTM_DELADDR, 0, "fd00::5", 64, 1) == 0);
	CHECK(change_address(RTM_DELADDR, 0, "fd00::5", 64, 1) == EADDRNOTAVAIL);
	CHECK(change_address(RTM_DELADDR, 0, "127.0.0.1", 8, 1) == 0);
}

/* Linux takes any number of addresses; each brings its routes, and those once. */
static void many_addresses(void)
{
	char text[32];
	int n = 0;
	int err = 0;

	CHECK(set_up() == 0);
	for (; n < 1200 && !err; n += !err) {
		snprintf(text, sizeof(text), "10.%d.%d.1", n * 7 % 256, n / 256);
		err = add_address(text, 24);
	}
	CHECK(n == 1200 || (n > 1000 && err == ENOBUFS));
	CHECK(addresses(AF_INET) == n + 1 && routes(AF_INET) == 3 + 3 * n);
	CHECK(add_address("10.0.0.1", 24) == EEXIST);
}

static void addresses_may_be_many(void)
{
	in_new_network(many_addresses);
}

static void addresses_come_and_go(void)
{
	in_new_network(address_changes);
}

/* As a socket that is connected tells it. */
static int path_mtu(int family)
{
	struct sockaddr_in6 a = {.sin6_family = AF_INET6,
				 .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	struct sockaddr_in a4 = {.sin_family = AF_INET};
	bool is_v4 = family == AF_INET;
	int fd = socket(family, SOCK_DGRAM, 0), mtu = -1;
	socklen_t len = sizeof(mtu);

	a.sin6_port = a4.sin_port = htons(9);
	a4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	CHECK(is_v4 ? connect(fd, (void *)&a4, sizeof(a4)) == 0
		    : connect(fd, (void *)&a, sizeof(a)) == 0);
	CHECK(getsockopt(fd, is_v4 ? SOL_IP : SOL_IPV6, is_v4 ? IP_MTU : IPV6_MTU, &mtu,
			 &len) == 0);
	CHECK(close(fd) == 0);
	return mtu;
}

static void paths_change(void)
{
	const uint32_t mtu[] = {65536, 70000, 1500};
	struct ifinfomsg m = {.ifi_index = 1};
	struct request r;

	CHECK(set_up() == 0);
	for (int i = 0; i < 3; i++) {
		begin(&r, RTM_SETLINK, 0, &m, sizeof(m));
		add(&r, IFLA_MTU, &mtu[i], sizeof(mtu[i]));
		CHECK(ask(&r) == 0);
		CHECK(path_mtu(AF_INET) == (int)(mtu[i] < 65535 ? mtu[i] : 65535));
		CHECK(path_mtu(AF_INET6) == (int)mtu[i]);
	}
}

static void sockets_tell_of_the_mtu(void)
{
	in_new_network(paths_change);
}

static void mtu_changes(void)
{
	struct ifinfomsg m = {.ifi_index = 1};
	struct request r;
	uint32_t mtu = 1000;

	CHECK(set_up() == 0);
	begin(&r, RTM_SETLINK, 0, &m, sizeof(m));
	add(&r, IFLA_MTU, &mtu, sizeof(mtu));
	CHECK(ask(&r) == 0);
	/* Too little for IPv6 */
	CHECK(addresses(AF_INET6) == 0 && addresses(AF_INET) == 1);
	mtu = 20;
	begin(&r, RTM_NEWLINK, 0, &m, sizeof(m));
	add(&r, IFLA_MTU, &mtu, sizeof(mtu));
	CHECK(ask(&r) == 0 && addresses(AF_INET) == 0);
	CHECK(add_address("10.1.1.1", 24) == ENOBUFS);
}

static void a_small_mtu_has_no_room_for_addresses(void)
{
	in_new_network(mtu_changes);
}

/* ---- mistakes ---- */

static void refusals(void)
{
	struct ifinfomsg m = {0};
	struct request r;

	CHECK(set_link(77, IFF_UP, IFF_UP) == ENODEV);
	CHECK(set_link(-1, IFF_UP, IFF_UP) == EINVAL);
	begin(&r, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &m, sizeof(m));
	add(&r, IFLA_IFNAME, "lo", 3);
	CHECK(ask(&r) == EEXIST);
	begin(&r, RTM_NEWLINK, 0, &m, sizeof(m));
	add(&r, IFLA_IFNAME, "nosuch", 7);
	CHECK(ask(&r) == ENODEV);
	m.ifi_index = 1;
	begin(&r, RTM_DELLINK, 0, &m, sizeof(m));
	CHECK(ask(&r) == EOPNOTSUPP);
	m.ifi_index = 77;
	begin(&r, RTM_DELLINK, 0, &m, sizeof(m));
	CHECK(ask(&r) == ENODEV);
	become_user_here();
	CHECK(set_up() == EPERM);
	CHECK(add_address("10.1.1.1", 24) == EPERM);
	CHECK(count(RTM_GETLINK, AF_UNSPEC, RTM_NEWLINK) == 1);
}

static void mistakes_are_told(void)
{
	in_new_network(refusals);
}

/* ---- notices ---- */

/* Linux tells nobody whose port is 0, the kernel's own: who is not bound hears nothing.
 */
static int join(int group, bool is_bound)
{
	struct sockaddr_nl a = {.nl_family = AF_NETLINK};
	int fd = route_socket();

	CHECK(!is_bound || bind(fd, (void *)&a, sizeof(a)) == 0);
	CHECK(setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group,
			 sizeof(group)) == 0);
	return fd;
}

static int next_type(int fd)
{
	struct pollfd p = {fd, POLLIN, 0};
	char answer[8192];
	struct nlmsghdr *h = (void *)answer;

	if (poll(&p, 1, 100) != 1)
		return 0;
	CHECK(recv(fd, answer, sizeof(answer), 0) > 0);
	return h->nlmsg_type;
}

static void notices(void)
{
	int link = join(RTNLGRP_LINK, true);
	int address = join(RTNLGRP_IPV4_IFADDR, true);
	int route = join(RTNLGRP_IPV4_ROUTE, true);
	int deaf = join(RTNLGRP_LINK, false);

	CHECK(set_up() == 0);
	CHECK(next_type(link) == RTM_NEWLINK && next_type(deaf) == 0);
	CHECK(next_type(address) == RTM_NEWADDR && next_type(address) == 0);
	for (int i = 0; i < 3; i++)
		CHECK(next_type(route) == RTM_NEWROUTE);
	CHECK(change_address(RTM_DELADDR, 0, "127.0.0.1", 8, 1) == 0);
	CHECK(next_type(address) == RTM_DELADDR);
	for (int i = 0; i < 3; i++)
		CHECK(next_type(route) == RTM_DELROUTE);
	while (next_type(link)) /* Linux may tell of it again a little later */
		;
	CHECK(unshare(CLONE_NEWNET) == 0); /* what happens elsewhere is not told */
	CHECK(set_up() == 0);
	CHECK(next_type(link) == 0 && next_type(address) == 0);
}

static void changes_are_told(void)
{
	in_new_network(notices);
}

/* ---- ioctl ---- */

static struct ifreq named(const char *name)
{
	struct ifreq r = {0};

	strcpy(r.ifr_name, name);
	return r;
}

static void set_ip(struct ifreq *r, const char *text)
{
	struct sockaddr_in *a = (void *)&r->ifr_addr;

	a->sin_family = AF_INET;
	CHECK(inet_pton(AF_INET, text, &a->sin_addr) == 1);
}

static bool is_ip(const struct ifreq *r, const char *text)
{
	const struct sockaddr_in *a = (const void *)&r->ifr_addr;
	struct in_addr want;

	CHECK(inet_pton(AF_INET, text, &want) == 1);
	return a->sin_family == AF_INET && a->sin_addr.s_addr == want.s_addr;
}

static void requests_of(int fd)
{
	struct ifreq r = named("lo");
	struct ifreq list[4];
	struct ifconf c = {.ifc_len = sizeof(list), .ifc_req = list};

	CHECK(ioctl(fd, SIOCGIFFLAGS, &r) == 0 && r.ifr_flags == IFF_LOOPBACK);
	FAILS(EADDRNOTAVAIL, ioctl(fd, SIOCGIFADDR, &r));
	CHECK(ioctl(fd, SIOCGIFCONF, &c) == 0 && c.ifc_len == 0);
	r.ifr_flags = IFF_UP;
	CHECK(ioctl(fd, SIOCSIFFLAGS, &r) == 0);
	CHECK(ioctl(fd, SIOCGIFFLAGS, &r) == 0);
	CHECK(r.ifr_flags == (IFF_LOOPBACK | IFF_UP | IFF_RUNNING));
	CHECK(ioctl(fd, SIOCGIFADDR, &r) == 0 && is_ip(&r, "127.0.0.1"));
	CHECK(ioctl(fd, SIOCGIFNETMASK, &r) == 0 && is_ip(&r, "255.0.0.0"));
	c.ifc_len = sizeof(list);
	CHECK(ioctl(fd, SIOCGIFCONF, &c) == 0 && c.ifc_len == sizeof(struct ifreq));
	CHECK(strcmp(list[0].ifr_name, "lo") == 0 && is_ip(&list[0], "127.0.0.1"));
	CHECK(ioctl(fd, SIOCGIFINDEX, &r) == 0 && r.ifr_ifindex == 1);
	CHECK(ioctl(fd, SIOCGIFNAME, &r) == 0 && strcmp(r.ifr_name, "lo") == 0);
	r.ifr_ifindex = 2;
	FAILS(ENODEV, ioctl(fd, SIOCGIFNAME, &r));
	r = named("lo");
	CHECK(ioctl(fd, SIOCGIFMTU, &r) == 0 && r.ifr_mtu == 65536);
	r.ifr_mtu = 9000;
	CHECK(ioctl(fd, SIOCSIFMTU, &r) == 0);
	CHECK(ioctl(fd, SIOCGIFMTU, &r) == 0 && r.ifr_mtu == 9000);
	CHECK(ioctl(fd, SIOCGIFHWADDR, &r) == 0);
	CHECK(r.ifr_hwaddr.sa_family == ARPHRD_LOOPBACK);
	r = named("eth9");
	FAILS(ENODEV, ioctl(fd, SIOCGIFFLAGS, &r));
	FAILS(ENODEV, ioctl(fd, SIOCSIFFLAGS, &r));
	FOR_BAD(p)
	FAILS(EFAULT, ioctl(fd, SIOCGIFFLAGS, p));
}

static void sets_address(int fd)
{
	struct ifreq r = named("lo");

	set_ip(&r, "127.0.0.2");
	CHECK(ioctl(fd, SIOCSIFADDR, &r) == 0);
	CHECK(ioctl(fd, SIOCGIFADDR, &r) == 0 && is_ip(&r, "127.0.0.2"));
	set_ip(&r, "255.255.0.0");
	CHECK(ioctl(fd, SIOCSIFNETMASK, &r) == 0);
	CHECK(ioctl(fd, SIOCGIFNETMASK, &r) == 0 && is_ip(&r, "255.255.0.0"));
	set_ip(&r, "255.0.255.0");
	FAILS(EINVAL, ioctl(fd, SIOCSIFNETMASK, &r));
	CHECK(addresses(AF_INET) == 1);
	r = named("lo");
	r.ifr_addr.sa_family = AF_UNIX;
	FAILS(EINVAL, ioctl(fd, SIOCSIFADDR, &r));
}

static void ioctls(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct ifreq r = named("lo");

	CHECK(fd >= 0);
	requests_of(fd);
	sets_address(fd);
	become_user_here();
	FAILS(EPERM, ioctl(fd, SIOCSIFFLAGS, &r));
	FAILS(EPERM, ioctl(fd, SIOCSIFMTU, &r));
	FAILS(EPERM, ioctl(fd, SIOCSIFADDR, &r));
	CHECK(ioctl(fd, SIOCGIFFLAGS, &r) == 0);
}

static void ioctl_tells_and_sets_too(void)
{
	in_new_network(ioctls);
}

/* ---- /proc/net ---- */

static void proc_is(const char *name, int lines)
{
	char path[64];
	char text[8192];
	ssize_t got;
	int fd;
	int n = 0;

	snprintf(path, sizeof(path), "/proc/self/net/%s", name);
	fd = open(path, O_RDONLY);
	CHECK(fd >= 0);
	got = read(fd, text, sizeof(text));
	CHECK(got >= 0 && close(fd) == 0);
	for (ssize_t i = 0; i < got; i++)
		n += text[i] == '\n';
	CHECK(n == lines);
}

static void tables(void)
{
	proc_is("dev", 3);
	proc_is("if_inet6", 0);
	proc_is("route", 0); /* there has been none: not even a table */
	CHECK(set_up() == 0);
	proc_is("dev", 3);
	proc_is("if_inet6", 1);
	proc_is("route", 1);
	proc_is("tcp", 1);
	proc_is("udp", 1);
	proc_is("unix", 1);
	CHECK(socket(AF_UNIX, SOCK_STREAM, 0) >= 0);
	proc_is("unix", 2);
}

static void proc_net_tells_of_it(void)
{
	in_new_network(tables);
}

RUN(TEST(a_new_one_has_a_bare_loopback), TEST(setting_it_up_gives_it_addresses),
    TEST(addresses_come_and_go), TEST(addresses_may_be_many),
    TEST(a_small_mtu_has_no_room_for_addresses), TEST(sockets_tell_of_the_mtu),
    TEST(mistakes_are_told), TEST(changes_are_told), TEST(ioctl_tells_and_sets_too),
    TEST(proc_net_tells_of_it))
