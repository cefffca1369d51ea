/* SPDX-License-Identifier: MIT */
/* net */
/* raw_socket.c - raw sockets and those of ICMP echo, in a network where they may be had.
 */
/* calls: socket bind connect sendto recvfrom setsockopt getsockopt */
#include "own_net.h"

#include <netinet/icmp6.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <sys/ioctl.h>

#ifndef ICMP_FILTER
#define ICMP_FILTER 1
#endif

static int raw(int family, int protocol)
{
	int fd = socket(family, SOCK_RAW | SOCK_CLOEXEC, protocol);

	CHECK(fd >= 0);
	return fd;
}

static ssize_t send_to(int fd, const char *addr, const void *data, size_t size)
{
	struct sockaddr_in a = name4(addr, 0);

	return sendto(fd, data, size, 0, (struct sockaddr *)&a, sizeof(a));
}

static ssize_t send_to6(int fd, uint16_t port, const void *data, size_t size)
{
	struct sockaddr_in6 a = loopback6(port);

	return sendto(fd, data, size, 0, (struct sockaddr *)&a, sizeof(a));
}

static void requests_are_answered(void)
{
	struct icmphdr q = {.type = ICMP_ECHO, .un.echo = {htons(5), htons(6)}};
	unsigned char buf[256];
	const struct iphdr *ip = (void *)buf;
	const struct icmphdr *in = (void *)(buf + 20);
	int fd = raw(AF_INET, IPPROTO_ICMP);
	unsigned filter = 1U << ICMP_ECHO;

	q.checksum = sum_of(&q, sizeof(q));
	CHECK(send_to(fd, "127.0.0.1", &q, sizeof(q)) == 8);
	CHECK(recv(fd, buf, sizeof(buf), 0) == 28);
	CHECK(ip->version == 4 && ip->ihl == 5 && ntohs(ip->tot_len) == 28);
	CHECK(ip->protocol == IPPROTO_ICMP && ip->ttl == 64 && !sum_of(buf, 20));
	CHECK(in->type == ICMP_ECHO);
	CHECK(recv(fd, buf, sizeof(buf), 0) == 28);
	CHECK(in->type == ICMP_ECHOREPLY && in->un.echo.id == htons(5) && !sum_of(in, 8));
	CHECK(setsockopt(fd, SOL_RAW, ICMP_FILTER, &filter, sizeof(filter)) == 0);
	CHECK(send_to(fd, "127.0.0.1", &q, sizeof(q)) == 8);
	CHECK(recv(fd, buf, sizeof(buf), 0) == 28 && in->type == ICMP_ECHOREPLY);
	q.checksum = 1; /* wrong */
	CHECK(send_to(fd, "127.0.0.1", &q, sizeof(q)) == 8 && gets_nothing(fd));
	FAILS(EDESTADDRREQ, send(fd, &q, sizeof(q), 0));
	FAILS(EOPNOTSUPP, recv(fd, buf, 1, MSG_OOB));
	CHECK(close(fd) == 0);
}

static void datagrams_are_seen(void)
{
	unsigned char buf[256];
	const struct udphdr *udp = (void *)(buf + 20);
	struct udphdr own = {.source = htons(1234)};
	struct sockaddr_in from;
	socklen_t len = sizeof(from);
	int to = socket_at(SOCK_DGRAM, 0);
	int fd = udp4();
	int all = raw(AF_INET, IPPROTO_UDP);
	int icmp = raw(AF_INET, IPPROTO_ICMP);

	CHECK(send4(fd, "127.0.0.1", port_of(to), "hello") == 5);
	CHECK(recv(all, buf, sizeof(buf), 0) == 33 && !memcmp(buf + 28, "hello", 5));
	CHECK(ntohs(udp->dest) == port_of(to) && ntohs(udp->len) == 13);
	CHECK(gets(to, "hello"));
	CHECK(send4(fd, "127.0.0.1", 9, "closed") == 6);
	CHECK(recv(all, buf, sizeof(buf), 0) == 34);
	CHECK(recv(icmp, buf, sizeof(buf), 0) == 20 + 8 + 34);
	CHECK(buf[20] == ICMP_DEST_UNREACH && buf[21] == ICMP_PORT_UNREACH);
	own.dest = htons(port_of(to));
	own.len = htons(sizeof(own));
	CHECK(send_to(all, "127.0.0.1", &own, sizeof(own)) == sizeof(own));
	CHECK(recvfrom(to, buf, sizeof(buf), 0, (void *)&from, &len) == 0);
	CHECK(ntohs(from.sin_port) == 1234);
	CHECK(close(to) == 0 && close(fd) == 0 && close(all) == 0 && close(icmp) == 0);
}

static void headers_are_ones_own(void)
{
	struct {
		struct iphdr ip;
		char text[4];
	} p = {{.version = 4, .ihl = 5, .ttl = 3, .protocol = 201}, "text"}, in;
	struct sockaddr_in name;
	socklen_t len = sizeof(name);
	int out = raw(AF_INET, IPPROTO_RAW);
	int fd = raw(AF_INET, 201);

	CHECK(option(out, SOL_IP, IP_HDRINCL) == 1 &&
	      option(fd, SOL_IP, IP_HDRINCL) == 0);
	p.ip.daddr = htonl(INADDR_LOOPBACK);
	CHECK(send_to(out, "127.0.0.1", &p, sizeof(p)) == sizeof(p));
	CHECK(recv(fd, &in, sizeof(in), 0) == sizeof(in) && !memcmp(in.text, "text", 4));
	CHECK(in.ip.saddr == htonl(INADDR_LOOPBACK) && in.ip.ttl == 3);
	CHECK(ntohs(in.ip.tot_len) == sizeof(in) && in.ip.id && !sum_of(&in.ip, 20));
	FAILS(EINVAL, send_to(out, "127.0.0.1", &p, 10));
	p.ip.ihl = 15;
	FAILS(EINVAL, send_to(out, "127.0.0.1", &p, sizeof(p)));
	CHECK(getsockname(fd, (void *)&name, &len) == 0 && ntohs(name.sin_port) == 201);
	CHECK(bind4(fd, "127.0.0.1", 5) == 0 && bind4(fd, "127.0.0.2", 5) == 0);
	FAILS(EADDRNOTAVAIL, bind4(fd, "9.9.9.9", 0));
	CHECK(bind4(fd, "0.0.0.0", 0) == 0);
	CHECK(connect4(fd, "127.0.0.1", 0) == 0 && send(fd, "own", 3, 0) == 3);
	CHECK(recv(fd, &in, sizeof(in), 0) == 23);
	CHECK(close(out) == 0 && close(fd) == 0);
}

static void ipv6_sums_up(void)
{
	struct icmp6_hdr q = {.icmp6_type = ICMP6_ECHO_REQUEST};
	struct icmp6_filter filter;
	char buf[64];
	int fd = raw(AF_INET6, 203);
	int icmp = raw(AF_INET6, IPPROTO_ICMPV6);

	CHECK(option(fd, SOL_IPV6, IPV6_CHECKSUM) == -1);
	FAILS(EINVAL, set_option(fd, SOL_IPV6, IPV6_CHECKSUM, 3));
	CHECK(set_option(fd, SOL_IPV6, IPV6_CHECKSUM, 2) == 0);
	CHECK(send_to6(fd, 0, "abcdef", 6) == 6 && recv(fd, buf, sizeof(buf), 0) == 6);
	CHECK(!memcmp(buf, "ab", 2) && memcmp(buf, "abcdef", 6) != 0);
	FAILS(EINVAL, send_to6(fd, 0, "abc", 3));
	FAILS(EINVAL, send_to6(fd, 204, "abcdef", 6));
	CHECK(option(icmp, SOL_IPV6, IPV6_CHECKSUM) == 2);
	FAILS(EINVAL, set_option(icmp, SOL_IPV6, IPV6_CHECKSUM, 4));
	CHECK(set_option(icmp, SOL_RAW, IPV6_CHECKSUM, 2) == 0);
	ICMP6_FILTER_SETBLOCKALL(&filter);
	ICMP6_FILTER_SETPASS(ICMP6_ECHO_REPLY, &filter);
	CHECK(setsockopt(icmp, IPPROTO_ICMPV6, ICMP6_FILTER, &filter, sizeof(filter)) ==
	      0);
	CHECK(send_to6(icmp, 0, &q, sizeof(q)) == sizeof(q));
	CHECK(recv(icmp, buf, sizeof(buf), 0) == sizeof(q));
	CHECK((unsigned char)buf[0] == ICMP6_ECHO_REPLY && gets_nothing(icmp));
	CHECK(close(fd) == 0 && close(icmp) == 0);
}

static void parts_are_put_together(void)
{
	int fd = raw(AF_INET, 253);
	char data[64];

	CHECK(connect4(fd, "127.0.0.1", 0) == 0);
	CHECK(send(fd, "abc", 3, MSG_MORE) == 3 && gets_nothing(fd));
	CHECK(send(fd, "de", 2, 0) == 2);
	CHECK(recv(fd, data, sizeof(data), 0) == 25 && !memcmp(data + 20, "abcde", 5));
	CHECK(send(fd, "", 0, MSG_PROXY) == 0 && gets_nothing(fd));
	/* what is shut is not looked at, and who is no more connected hears nothing */
	CHECK(shutdown(fd, SHUT_WR) == 0 && send(fd, "f", 1, 0) == 1);
	CHECK(recv(fd, data, sizeof(data), 0) == 21);
	CHECK(connect(fd, &(struct sockaddr){.sa_family = AF_UNSPEC},
		      sizeof(struct sockaddr_in)) == 0);
	CHECK(send_to(fd, "127.0.0.1", "g", 1) == 1 && gets_nothing(fd));
	CHECK(port_of(fd) == 0 && close(fd) == 0);
}

/* Nothing of a message goes out when a part of it cannot; and options take their room. */
static void large_parts_are_refused(void)
{
	static char big[65536];
	uint8_t options[40];
	int fd = raw(AF_INET, 253);

	CHECK(connect4(fd, "127.0.0.1", 0) == 0);
	CHECK(send(fd, "abc", 3, MSG_MORE) == 3);
	FAILS(EFAULT, send(fd, (void *)16, 4, 0));
	CHECK(send(fd, "de", 2, 0) == 2);
	CHECK(recv(fd, big, sizeof(big), 0) == 22 && !memcmp(big + 20, "de", 2));
	CHECK(send(fd, "abc", 3, MSG_MORE) == 3);
	FAILS(EMSGSIZE, send(fd, big, 65516, 0));
	CHECK(send(fd, "fg", 2, 0) == 2);
	CHECK(recv(fd, big, sizeof(big), 0) == 22 && !memcmp(big + 20, "fg", 2));
	CHECK(send(fd, "abc", 3, MSG_MORE) == 3); /* that is refused before */
	FAILS(EMSGSIZE, send(fd, big, 65536, 0));
	CHECK(send(fd, "hi", 2, 0) == 2);
	CHECK(recv(fd, big, sizeof(big), 0) == 25 && !memcmp(big + 20, "abchi", 5));

	memset(options, IPOPT_NOP, sizeof(options));
	CHECK(setsockopt(fd, SOL_IP, IP_OPTIONS, options, sizeof(options)) == 0);
	FAILS(EMSGSIZE, send(fd, big, 65515, 0));
	FAILS(EMSGSIZE, send(fd, big, 65476, 0));
	CHECK(send(fd, big, 65475, 0) == 65475);
	CHECK(recv(fd, big, sizeof(big), 0) == 65535);
	CHECK(close(fd) == 0);
}

static void mapped_addresses_lead_nowhere(void)
{
	struct sockaddr_in6 a = {.sin6_family = AF_INET6};
	int fd = raw(AF_INET6, 253);

	inet_pton(AF_INET6, "::ffff:127.0.0.1", &a.sin6_addr);
	FAILS(EADDRNOTAVAIL, bind(fd, (void *)&a, sizeof(a)));
	FAILS(ENETUNREACH, sendto(fd, "x", 1, 0, (void *)&a, sizeof(a)));
	CHECK(connect(fd, (void *)&a, sizeof(a)) == 0);
	FAILS(ENETUNREACH, send(fd, "x", 1, 0));
	inet_pton(AF_INET6, "fe80::1", &a.sin6_addr);
	CHECK(close(fd) == 0);
	fd = raw(AF_INET6, 253);
	FAILS(EINVAL, bind(fd, (void *)&a, sizeof(a)));
	a.sin6_scope_id = 77;
	FAILS(ENODEV, bind(fd, (void *)&a, sizeof(a)));
	CHECK(close(fd) == 0);
}

static void wrong_ones_are_refused(void)
{
	FAILS(EPROTONOSUPPORT, socket(AF_INET, SOCK_RAW, 0));
	FAILS(EINVAL, socket(AF_INET, SOCK_RAW, 300));
	FAILS(EINVAL, socket(AF_INET, SOCK_RAW, -1));
	FAILS(EPROTONOSUPPORT, socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMPV6));
	FAILS(EACCES, socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP)); /* nobody, by default */
}

static void pings_have_identifiers(void)
{
	struct {
		struct icmphdr h;
		char text[8];
	} q = {{.type = ICMP_ECHO, .un.echo.sequence = htons(1)}, "hello!!"}, a;
	struct sockaddr_in name;
	socklen_t len = sizeof(name);
	int fd;
	int own;

	file_put("/proc/sys/net/ipv4/ping_group_range", "0 0");
	fd = socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP);
	own = socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP);
	CHECK(fd >= 0 && own >= 0);
	FAILS(EDESTADDRREQ, send(fd, &q, sizeof(q), 0));
	CHECK(send_to(fd, "127.0.0.1", &q, sizeof(q)) == sizeof(q));
	CHECK(recvfrom(fd, &a, sizeof(a), 0, (void *)&name, &len) == sizeof(a));
	CHECK(name.sin_addr.s_addr == htonl(INADDR_LOOPBACK) && name.sin_port == 0);
	CHECK(a.h.type == ICMP_ECHOREPLY && !memcmp(a.text, q.text, 8));
	CHECK(a.h.un.echo.id == htons(port_of(fd)) && !sum_of(&a, sizeof(a)));
	CHECK(bind4(own, "127.0.0.1", 777) == 0 && port_of(own) == 777);
	FAILS(EINVAL, bind4(own, "127.0.0.1", 778));
	CHECK(connect4(own, "127.0.0.1", 0) == 0);
	CHECK(send(own, &q, sizeof(q), 0) == sizeof(q));
	CHECK(recv(own, &a, sizeof(a), 0) == sizeof(a) && a.h.un.echo.id == htons(777));
	FAILS(EINVAL, send_to(fd, "127.0.0.1", &q, 7));
	q.h.type = ICMP_ECHOREPLY;
	FAILS(EINVAL, send_to(fd, "127.0.0.1", &q, sizeof(q)));
	q.h.type = ICMP_ECHO;
	q.h.code = 1;
	FAILS(EINVAL, send_to(fd, "127.0.0.1", &q, sizeof(q)));
	FAILS(ENOTTY, ioctl(fd, FIONREAD, &own));
	CHECK(gets_nothing(fd) && close(fd) == 0 && close(own) == 0);
	fd = socket(AF_INET6, SOCK_DGRAM, IPPROTO_ICMPV6);
	FAILS(EAFNOSUPPORT, connect4(fd, "127.0.0.1", 5));
	CHECK(port_of(fd) != 0 && close(fd) == 0);
}

int main(void)
{
	const struct test all[] = {
		TEST(requests_are_answered),   TEST(datagrams_are_seen),
		TEST(headers_are_ones_own),    TEST(ipv6_sums_up),
		TEST(wrong_ones_are_refused),  TEST(pings_have_identifiers),
		TEST(parts_are_put_together),  TEST(mapped_addresses_lead_nowhere),
		TEST(large_parts_are_refused),
	};

	if (!own_network()) {
		FAILS(EPROTONOSUPPORT, socket(AF_INET, SOCK_RAW, 0));
		return 77;
	}
	return test_main(all, sizeof(all) / sizeof(all[0]));
}
