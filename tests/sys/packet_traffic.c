/* SPDX-License-Identifier: MIT */
/* calls: socket bind sendto recvfrom */
/* packet_traffic: what a packet socket sees of the internet sockets on the same loopback
 * device, and what it can send them. */
#include "packet_net.h"

#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/ip_icmp.h>
#include <netinet/udp.h>

static uint8_t buf[4096];

static struct sockaddr_in loopback(uint16_t port)
{
	return (struct sockaddr_in){.sin_family = AF_INET,
				    .sin_port = htons(port),
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static int udp_bound(uint16_t port)
{
	struct sockaddr_in a = loopback(port);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	CHECK(fd >= 0);
	CHECK(bind(fd, (void *)&a, sizeof(a)) == 0);
	return fd;
}

/* The next frame in buf, of that kind. */
static size_t next_frame(int fd, int type, int protocol)
{
	struct sockaddr_ll from;
	socklen_t len = sizeof(from);
	ssize_t size;

	CHECK(is_readable(fd, 10000));
	size = recvfrom(fd, buf, sizeof(buf), 0, (void *)&from, &len);
	CHECK(size > 0);
	CHECK(from.sll_pkttype == type);
	CHECK(from.sll_protocol == htons((uint16_t)protocol));
	return (size_t)size;
}

static void check_udp4(size_t size, uint16_t from, uint16_t to, const char *data)
{
	struct iphdr *ip = (void *)(buf + ETH_HLEN);
	struct udphdr *udp = (void *)(ip + 1);
	size_t len = strlen(data);

	CHECK(size == ETH_HLEN + sizeof(*ip) + sizeof(*udp) + len);
	CHECK(buf[12] == 8 && buf[13] == 0);
	for (int i = 0; i < 12; i++)
		CHECK(buf[i] == 0);
	CHECK(ip->version == 4 && ip->ihl == 5 && ip->protocol == IPPROTO_UDP);
	CHECK(ip->ttl == 64 && ntohs(ip->tot_len) == size - ETH_HLEN);
	CHECK(ip->saddr == htonl(INADDR_LOOPBACK) && ip->daddr == ip->saddr);
	CHECK(ntohs(udp->source) == from && ntohs(udp->dest) == to);
	CHECK(ntohs(udp->len) == sizeof(*udp) + len);
	CHECK(!memcmp(udp + 1, data, len));
}

static void datagrams_are_seen(void)
{
	int tap = packet_socket(SOCK_RAW, ETH_P_ALL);
	int a = udp_bound(1111);
	int b = udp_bound(2222);
	struct sockaddr_in to = loopback(2222);

	CHECK(sendto(a, "hello", 5, 0, (void *)&to, sizeof(to)) == 5);
	CHECK(recv(b, buf, sizeof(buf), 0) == 5);
	check_udp4(next_frame(tap, PACKET_OUTGOING, ETH_P_IP), 1111, 2222, "hello");
	check_udp4(next_frame(tap, PACKET_HOST, ETH_P_IP), 1111, 2222, "hello");
	to = loopback(1111);
	CHECK(sendto(b, "answer", 6, 0, (void *)&to, sizeof(to)) == 6);
	CHECK(recv(a, buf, sizeof(buf), 0) == 6);
	check_udp4(next_frame(tap, PACKET_OUTGOING, ETH_P_IP), 2222, 1111, "answer");
	check_udp4(next_frame(tap, PACKET_HOST, ETH_P_IP), 2222, 1111, "answer");
	CHECK(!is_readable(tap, 0));
	CHECK(close(a) == 0 && close(b) == 0 && close(tap) == 0);
}

static void datagrams_of_ipv6_are_seen(void)
{
	int tap = packet_socket(SOCK_RAW, ETH_P_IPV6);
	int fd = socket(AF_INET6, SOCK_DGRAM, 0);
	struct sockaddr_in6 to = {.sin6_family = AF_INET6,
				  .sin6_port = htons(3333),
				  .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	struct ip6_hdr *ip = (void *)(buf + ETH_HLEN);
	struct udphdr *udp = (void *)(ip + 1);

	CHECK(fd >= 0);
	CHECK(bind(fd, (void *)&to, sizeof(to)) == 0);
	CHECK(sendto(fd, "six", 3, 0, (void *)&to, sizeof(to)) == 3);
	CHECK(next_frame(tap, PACKET_HOST, ETH_P_IPV6) == ETH_HLEN + 40 + 8 + 3);
	CHECK(ip->ip6_vfc >> 4 == 6 && ip->ip6_nxt == IPPROTO_UDP);
	CHECK(ntohs(ip->ip6_plen) == 11 && ip->ip6_hlim == 64);
	CHECK(!memcmp(&ip->ip6_src, &to.sin6_addr, 16));
	CHECK(!memcmp(&ip->ip6_dst, &to.sin6_addr, 16));
	CHECK(udp->source == htons(3333) && udp->dest == htons(3333));
	CHECK(!memcmp(udp + 1, "six", 3));
	CHECK(close(fd) == 0 && close(tap) == 0);
}

static uint16_t sum(const void *data, size_t size)
{
	const uint8_t *p = data;
	uint32_t total = 0;

	for (size_t i = 0; i < size; i++)
		total += i & 1 ? p[i] : (uint32_t)p[i] << 8;
	while (total >> 16)
		total = (total & 0xffff) + (total >> 16);
	return htons((uint16_t)~total);
}

static void check_echo(size_t size, int type)
{
	struct iphdr *ip = (void *)(buf + ETH_HLEN);
	struct icmphdr *icmp = (void *)(ip + 1);

	CHECK(size == ETH_HLEN + sizeof(*ip) + sizeof(*icmp) + 4);
	CHECK(ip->protocol == IPPROTO_ICMP);
	CHECK(sum(ip, sizeof(*ip)) == 0);
	CHECK(icmp->type == type && icmp->un.echo.id == htons(77));
	CHECK(sum(icmp, sizeof(*icmp) + 4) == 0);
}

static void pings_are_seen(void)
{
	int tap = packet_socket(SOCK_RAW, ETH_P_ALL);
	int fd = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
	struct sockaddr_in to = loopback(0);
	struct {
		struct icmphdr h;
		char data[4];
	} m = {.h = {.type = ICMP_ECHO, .un.echo.id = htons(77)}, .data = "abc"};

	CHECK(fd >= 0);
	m.h.checksum = sum(&m, sizeof(m));
	CHECK(sendto(fd, &m, sizeof(m), 0, (void *)&to, sizeof(to)) == sizeof(m));
	check_echo(next_frame(tap, PACKET_OUTGOING, ETH_P_IP), ICMP_ECHO);
	check_echo(next_frame(tap, PACKET_HOST, ETH_P_IP), ICMP_ECHO);
	check_echo(next_frame(tap, PACKET_OUTGOING, ETH_P_IP), ICMP_ECHOREPLY);
	check_echo(next_frame(tap, PACKET_HOST, ETH_P_IP), ICMP_ECHOREPLY);
	CHECK(close(fd) == 0 && close(tap) == 0);
}

/* A packet with its checksum, or with what is to be added to it. */
static size_t udp_frame(uint8_t *to, uint16_t port, bool is_whole)
{
	struct ip6_hdr *ip = (void *)(to + ETH_HLEN);
	struct udphdr *udp = (void *)(ip + 1);
	struct {
		struct in6_addr from, to;
		uint32_t len, protocol;
		uint8_t udp[12];
	} pseudo = {IN6ADDR_LOOPBACK_INIT,
		    IN6ADDR_LOOPBACK_INIT,
		    htonl(12),
		    htonl(IPPROTO_UDP),
		    {0}};

	frame_fill(to, ETH_HLEN + 52, ETH_P_IPV6, 0);
	memset(ip, 0, sizeof(*ip));
	ip->ip6_vfc = 0x60;
	ip->ip6_plen = htons(12);
	ip->ip6_nxt = IPPROTO_UDP;
	ip->ip6_hlim = 9;
	ip->ip6_src = pseudo.from;
	ip->ip6_dst = pseudo.to;
	*udp = (struct udphdr){
		.source = htons(4444), .dest = htons(port), .len = htons(12)};
	memcpy(udp + 1, "data", 4);
	memcpy(pseudo.udp, udp, 12);
	udp->check = sum(&pseudo, is_whole ? sizeof(pseudo) : 40);
	if (!is_whole)
		udp->check = (uint16_t)~udp->check;
	return ETH_HLEN + 52;
}

static int udp6_bound(uint16_t port)
{
	struct sockaddr_in6 a = {.sin6_family = AF_INET6,
				 .sin6_port = htons(port),
				 .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	int fd = socket(AF_INET6, SOCK_DGRAM, 0);

	CHECK(fd >= 0);
	CHECK(bind(fd, (void *)&a, sizeof(a)) == 0);
	return fd;
}

static void frames_reach_internet_sockets(void)
{
	struct {
		struct virtio_net_hdr h;
		uint8_t frame[100];
	} __attribute__((packed)) m = {.h = {.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
					     .csum_start = 54,
					     .csum_offset = 6}};
	int out = packet_socket(SOCK_RAW, 0);
	int fd = udp6_bound(5555);
	struct sockaddr_in6 from;
	socklen_t len = sizeof(from);
	size_t size = udp_frame(m.frame, 5555, true);

	CHECK(frame_send(out, m.frame, size) == (ssize_t)size);
	CHECK(is_readable(fd, 10000));
	CHECK(recvfrom(fd, buf, sizeof(buf), 0, (void *)&from, &len) == 4);
	CHECK(!memcmp(buf, "data", 4) && from.sin6_port == htons(4444));
	/* One with a wrong checksum does not, nor one for somebody else. */
	m.frame[ETH_HLEN + 46] ^= 1;
	CHECK(frame_send(out, m.frame, size) == (ssize_t)size);
	m.frame[0] = 2;
	m.frame[ETH_HLEN + 46] ^= 1;
	CHECK(frame_send(out, m.frame, size) == (ssize_t)size);
	CHECK(!is_readable(fd, 20));
	/* One whose checksum is yet to be made does. */
	CHECK(packet_option(out, PACKET_VNET_HDR, 1) == 0);
	size = udp_frame(m.frame, 5555, false) + sizeof(m.h);
	CHECK(frame_send(out, (void *)&m, size) == (ssize_t)size);
	CHECK(is_readable(fd, 10000));
	CHECK(recv(fd, buf, sizeof(buf), 0) == 4);
	CHECK(close(fd) == 0 && close(out) == 0);
}

/* Of IPv4, what says it comes from the host itself is not believed: it has not been
 * routed. */
static void martians_are_dropped(void)
{
	int out = packet_socket(SOCK_RAW, 0);
	int a = udp_bound(6666);
	int tap = packet_socket(SOCK_RAW, ETH_P_IP);
	struct sockaddr_in to = loopback(6666);
	static uint8_t frame[4096];
	ssize_t size;

	CHECK(sendto(a, "data", 4, 0, (void *)&to, sizeof(to)) == 4);
	CHECK(recv(a, buf, sizeof(buf), 0) == 4);
	size = recv(tap, frame, sizeof(frame), 0);
	CHECK(size == ETH_HLEN + 32);
	CHECK(frame_send(out, frame, (size_t)size) == size);
	CHECK(!is_readable(a, 20));
	CHECK(close(a) == 0 && close(out) == 0 && close(tap) == 0);
}

int main(void)
{
	const struct test all[] = {
		TEST(datagrams_are_seen),   TEST(datagrams_of_ipv6_are_seen),
		TEST(pings_are_seen),	    TEST(frames_reach_internet_sockets),
		TEST(martians_are_dropped),
	};

	enter_network();
	return test_main(all, sizeof(all) / sizeof(all[0]));
}
