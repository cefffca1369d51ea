/* SPDX-License-Identifier: MIT */
/* net */
/* inet_ipv6.c - AF_INET6: streams, datagrams, and both families on one socket. */
/* calls: socket bind connect getsockname getpeername */
#include "inet.h"

static int listener6(const struct in6_addr *at, bool only)
{
	struct sockaddr_in6 a = {.sin6_family = AF_INET6, .sin6_addr = *at};
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

	CHECK(fd >= 0);
	CHECK(set_option(fd, SOL_IPV6, IPV6_V6ONLY, only) == 0);
	CHECK(bind(fd, (struct sockaddr *)&a, sizeof(a)) == 0);
	CHECK(listen(fd, 4) == 0);
	return fd;
}

static void streams(void)
{
	struct sockaddr_in6 to, a;
	socklen_t len = sizeof(a);
	char buf[8];
	int l = listener6(&in6addr_loopback, true);
	int c = socket(AF_INET6, SOCK_STREAM, 0);
	int s;

	to = loopback6(port_of(l));
	CHECK(connect(c, (struct sockaddr *)&to, sizeof(to)) == 0);
	s = accept(l, (struct sockaddr *)&a, &len);
	CHECK(s >= 0 && len == sizeof(a) && a.sin6_family == AF_INET6);
	CHECK(IN6_IS_ADDR_LOOPBACK(&a.sin6_addr) && ntohs(a.sin6_port) == port_of(c));
	CHECK(write(c, "six", 3) == 3);
	CHECK(read(s, buf, sizeof(buf)) == 3 && !memcmp(buf, "six", 3));
	len = sizeof(a);
	CHECK(getpeername(c, (struct sockaddr *)&a, &len) == 0 && len == sizeof(a));
	CHECK(ntohs(a.sin6_port) == port_of(l));
	close(s);
	close(c);
	close(l);
}

static void one_listener_for_both(void)
{
	struct sockaddr_in6 mapped = {.sin6_family = AF_INET6};
	struct sockaddr_in6 a;
	socklen_t len = sizeof(a);
	int l = listener6(&in6addr_any, false);
	int c4 = socket(AF_INET, SOCK_STREAM, 0);
	int c6 = socket(AF_INET6, SOCK_STREAM, 0);
	int s;

	CHECK(connect_to(c4, port_of(l)) == 0);
	s = accept(l, (struct sockaddr *)&a, &len);
	CHECK(s >= 0 && IN6_IS_ADDR_V4MAPPED(&a.sin6_addr));
	close(s);
	mapped.sin6_port = htons(port_of(l));
	CHECK(inet_pton(AF_INET6, "::ffff:127.0.0.1", &mapped.sin6_addr) == 1);
	CHECK(connect(c6, (struct sockaddr *)&mapped, sizeof(mapped)) == 0);
	s = accept(l, NULL, NULL);
	CHECK(s >= 0);
	close(s);
	close(c4);
	close(c6);
	close(l);
	l = listener6(&in6addr_any, true);
	c4 = socket(AF_INET, SOCK_STREAM, 0);
	FAILS(ECONNREFUSED, connect_to(c4, port_of(l)));
	close(c4);
	close(l);
}

static void datagrams_say_where_they_came_to(void)
{
	struct sockaddr_in6 a = loopback6(0), to;
	char data[8], control[128];
	struct iovec v = {data, sizeof(data)};
	struct msghdr h = {.msg_iov = &v,
			   .msg_iovlen = 1,
			   .msg_control = control,
			   .msg_controllen = sizeof(control)};
	struct in6_pktinfo info;
	struct cmsghdr *c;
	int s = socket(AF_INET6, SOCK_DGRAM, 0);
	int from = socket(AF_INET6, SOCK_DGRAM, 0);

	CHECK(bind(s, (struct sockaddr *)&a, sizeof(a)) == 0);
	CHECK(set_option(s, SOL_IPV6, IPV6_RECVPKTINFO, 1) == 0);
	to = loopback6(port_of(s));
	CHECK(sendto(from, "x", 1, 0, (struct sockaddr *)&to, sizeof(to)) == 1);
	CHECK(recvmsg(s, &h, 0) == 1);
	c = CMSG_FIRSTHDR(&h);
	CHECK(c && c->cmsg_level == SOL_IPV6 && c->cmsg_type == IPV6_PKTINFO);
	memcpy(&info, CMSG_DATA(c), sizeof(info));
	CHECK(IN6_IS_ADDR_LOOPBACK(&info.ipi6_addr));
	/* and send from a chosen address */
	CHECK(connect(s, (struct sockaddr *)&to, sizeof(to)) == 0);
	h.msg_controllen = CMSG_SPACE(sizeof(info));
	CHECK(sendmsg(s, &h, 0) == 8);
	CHECK(recv(s, data, sizeof(data), 0) == 8);
	close(s);
	close(from);
}

static void addresses_are_checked(void)
{
	struct sockaddr_in6 a = loopback6(0);
	struct sockaddr_in a4 = loopback(1);
	int fd = socket(AF_INET6, SOCK_STREAM, 0);

	FAILS(EINVAL, bind(fd, (struct sockaddr *)&a, 16));
	FAILS(EINVAL, bind(fd, (struct sockaddr *)&a4, sizeof(a4)));
	a.sin6_family = AF_INET;
	FAILS(EAFNOSUPPORT, bind(fd, (struct sockaddr *)&a, sizeof(a)));
	a = loopback6(0);
	FAILS(EINVAL, connect(fd, (struct sockaddr *)&a, 16));
	a.sin6_addr.s6_addr[15] = 77; /* ::77 is not ours */
	FAILS(EADDRNOTAVAIL, bind(fd, (struct sockaddr *)&a, sizeof(a)));
	close(fd);
}

static void options_of_the_family(void)
{
	int fd = socket(AF_INET6, SOCK_DGRAM, 0);

	CHECK(option(fd, SOL_SOCKET, SO_DOMAIN) == AF_INET6);
	CHECK(set_option(fd, SOL_IPV6, IPV6_UNICAST_HOPS, 9) == 0);
	CHECK(option(fd, SOL_IPV6, IPV6_UNICAST_HOPS) == 9);
	CHECK(set_option(fd, SOL_IPV6, IPV6_TCLASS, 0x20) == 0);
	CHECK(option(fd, SOL_IPV6, IPV6_TCLASS) == 0x20);
	CHECK(set_option(fd, SOL_IP, IP_TTL, 5) == 0); /* for mapped ones */
	CHECK(option(fd, SOL_IP, IP_TTL) == 5);
	FAILS(ENOPROTOOPT, set_option(fd, SOL_IPV6, 63, 1));
	close(fd);
}

int main(void)
{
	const struct test all[] = {
		TEST(streams),
		TEST(one_listener_for_both),
		TEST(datagrams_say_where_they_came_to),
		TEST(addresses_are_checked),
		TEST(options_of_the_family),
	};
	struct sockaddr_in6 a = loopback6(0);
	int fd = socket(AF_INET6, SOCK_STREAM, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
		return 77; /* no IPv6 here */
	close(fd);
	return test_main(all, sizeof(all) / sizeof(*all));
}
