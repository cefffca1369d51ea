/* SPDX-License-Identifier: MIT */
/* net */
/* udp_control.c - what travels beside a datagram's data, and datagrams that are put
 * together from parts, or cut into them: corks, UDP_SEGMENT, UDP_GRO. */
/* calls: sendmsg recvmsg setsockopt getsockopt ioctl */
#include "own_net.h"

#include <linux/errqueue.h>
#include <linux/filter.h>
#include <linux/net_tstamp.h>
#include <linux/sockios.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#define UDP_GRO	    104
#endif
#ifndef SCM_TIMESTAMPING
#define SCM_TIMESTAMPING SO_TIMESTAMPING
#endif

static void ipv4_tells(void)
{
	struct received r;
	struct in_pktinfo *info;
	struct sockaddr_in *to;
	int fd[2];

	udp_pair(fd);
	CHECK(set_option(fd[1], SOL_IP, IP_PKTINFO, 1) == 0);
	CHECK(set_option(fd[1], SOL_IP, IP_RECVTTL, 1) == 0);
	CHECK(set_option(fd[1], SOL_IP, IP_RECVTOS, 1) == 0);
	CHECK(set_option(fd[1], SOL_IP, IP_RECVORIGDSTADDR, 1) == 0);
	CHECK(set_option(fd[0], SOL_IP, IP_TTL, 9) == 0);
	CHECK(set_option(fd[0], SOL_IP, IP_TOS, 0x10) == 0);
	CHECK(send(fd[0], "x", 1, 0) == 1 && receive(fd[1], &r, 0) == 1);
	info = control_of(&r, SOL_IP, IP_PKTINFO);
	CHECK(info && info->ipi_ifindex == 1);
	CHECK(info->ipi_addr.s_addr == htonl(INADDR_LOOPBACK));
	CHECK(info->ipi_spec_dst.s_addr == htonl(INADDR_LOOPBACK));
	CHECK(control_int(&r, SOL_IP, IP_TTL) == 9);
	CHECK(*(unsigned char *)control_of(&r, SOL_IP, IP_TOS) == 0x10);
	to = control_of(&r, SOL_IP, IP_ORIGDSTADDR);
	CHECK(to && ntohs(to->sin_port) == port_of(fd[1]));
	CHECK(send(fd[0], "y", 1, 0) == 1 && receive(fd[1], &r, MSG_PEEK) == 1);
	CHECK(control_int(&r, SOL_IP, IP_TTL) == 9);
	close_pair(fd);
}

static void ipv6_tells(void)
{
	struct received r;
	struct in6_pktinfo *info;
	struct sockaddr_in6 a = loopback6(0);
	int to = udp6();
	int fd = udp6();

	CHECK(bind6(to, "::", 0) == 0);
	a.sin6_port = htons(port_of(to));
	CHECK(set_option(to, SOL_IPV6, IPV6_RECVPKTINFO, 1) == 0);
	CHECK(set_option(to, SOL_IPV6, IPV6_RECVHOPLIMIT, 1) == 0);
	CHECK(set_option(to, SOL_IPV6, IPV6_RECVTCLASS, 1) == 0);
	CHECK(set_option(to, SOL_IP, IP_RECVTTL, 1) == 0);
	CHECK(set_option(fd, SOL_IPV6, IPV6_UNICAST_HOPS, 7) == 0);
	CHECK(set_option(fd, SOL_IPV6, IPV6_TCLASS, 0x20) == 0);
	CHECK(sendto(fd, "x", 1, 0, (void *)&a, sizeof(a)) == 1 &&
	      receive(to, &r, 0) == 1);
	info = control_of(&r, SOL_IPV6, IPV6_PKTINFO);
	CHECK(info && info->ipi6_ifindex == 1);
	CHECK(!memcmp(&info->ipi6_addr, &in6addr_loopback, 16));
	CHECK(control_int(&r, SOL_IPV6, IPV6_HOPLIMIT) == 7);
	CHECK(control_int(&r, SOL_IPV6, IPV6_TCLASS) == 0x20);
	CHECK(send4(fd, "127.0.0.1", port_of(to), "four") == 4);
	CHECK(receive(to, &r, 0) == 4);
	info = control_of(&r, SOL_IPV6, IPV6_PKTINFO);
	CHECK(info && IN6_IS_ADDR_V4MAPPED(&info->ipi6_addr));
	CHECK(control_of(&r, SOL_IPV6, IPV6_HOPLIMIT) == NULL);
	CHECK(control_of(&r, SOL_IP, IP_TTL) != NULL);
	CHECK(close(fd) == 0 && close(to) == 0);
}

static ssize_t with(int fd, uint16_t port, int level, int type, int value, size_t size)
{
	struct sockaddr_in a = loopback(port);

	return send_with(fd, &a, sizeof(a), "text", level, type, &value, size);
}

static void senders_choose(void)
{
	struct in_pktinfo info = {.ipi_spec_dst.s_addr = htonl(0x7f000009)};
	struct sockaddr_in *from;
	struct sockaddr_in a;
	struct received r;
	int to = socket_at(SOCK_DGRAM, 0);
	uint16_t port = port_of(to);
	int fd = udp4();

	a = loopback(port);
	CHECK(set_option(to, SOL_IP, IP_RECVTTL, 1) == 0);
	CHECK(set_option(to, SOL_IP, IP_RECVTOS, 1) == 0);
	CHECK(send_with(fd, &a, sizeof(a), "x", SOL_IP, IP_PKTINFO, &info,
			sizeof(info)) == 1);
	CHECK(receive(to, &r, 0) == 1);
	from = (struct sockaddr_in *)&r.name;
	CHECK(from->sin_addr.s_addr == htonl(0x7f000009));
	CHECK(with(fd, port, SOL_IP, IP_TTL, 3, 4) == 4 && receive(to, &r, 0) == 4);
	CHECK(control_int(&r, SOL_IP, IP_TTL) == 3);
	CHECK(with(fd, port, SOL_IP, IP_TOS, 8, 1) == 4 && receive(to, &r, 0) == 4);
	CHECK(*(unsigned char *)control_of(&r, SOL_IP, IP_TOS) == 8);
	FAILS(EINVAL, with(fd, port, SOL_IP, IP_TTL, 0, 4));
	FAILS(EINVAL, with(fd, port, SOL_IP, IP_TTL, 256, 4));
	FAILS(EINVAL, with(fd, port, SOL_IP, IP_TTL, 3, 1));
	FAILS(EINVAL, with(fd, port, SOL_IP, IP_TOS, 256, 4));
	FAILS(EINVAL, with(fd, port, SOL_IP, 99, 1, 4));
	FAILS(EINVAL, with(fd, port, SOL_SOCKET, 99, 1, 4));
	FAILS(EINVAL, with(fd, port, IPPROTO_UDP, 1, 1, 2));
	CHECK(with(fd, port, 99, 1, 1, 4) == 4 && gets(to, "text"));
	info.ipi_spec_dst.s_addr = htonl(0xe0000001);
	FAILS(EINVAL,
	      send_with(fd, &a, sizeof(a), "x", SOL_IP, IP_PKTINFO, &info, sizeof(info)));
	info.ipi_spec_dst.s_addr = 0;
	info.ipi_ifindex = 9999;
	FAILS(ENODEV,
	      send_with(fd, &a, sizeof(a), "x", SOL_IP, IP_PKTINFO, &info, sizeof(info)));
	CHECK(close(fd) == 0 && close(to) == 0);
}

/* From a mapped address there is no way to one that is none, but from another one. */
static void another_source_leads_elsewhere(void)
{
	struct in6_pktinfo info = {.ipi6_addr = in6addr_loopback};
	struct sockaddr_in6 a = loopback6(0);
	int fd = socket(AF_INET6, SOCK_DGRAM, 0), to = socket(AF_INET6, SOCK_DGRAM, 0);

	CHECK(bind(to, (void *)&a, sizeof(a)) == 0);
	CHECK(inet_pton(AF_INET6, "::ffff:127.0.0.1", &a.sin6_addr) == 1);
	CHECK(bind(fd, (void *)&a, sizeof(a)) == 0);
	a = loopback6(port_of(to));
	FAILS(EAFNOSUPPORT, sendto(fd, "x", 1, 0, (void *)&a, sizeof(a)));
	CHECK(send_with(fd, &a, sizeof(a), "x", SOL_IPV6, IPV6_PKTINFO, &info,
			sizeof(info)) == 1);
	CHECK(close(fd) == 0 && close(to) == 0);
}

static void corks_hold_back(void)
{
	char buf[16];
	int size = -1;
	int fd[2];

	udp_pair(fd);
	CHECK(send(fd[0], "one ", 4, MSG_MORE) == 4 && gets_nothing(fd[1]));
	CHECK(ioctl(fd[0], SIOCOUTQ, &size) == 0 && size > 0);
	CHECK(send(fd[0], "two", 3, 0) == 3 && gets(fd[1], "one two"));
	CHECK(set_option(fd[0], IPPROTO_UDP, UDP_CORK, 1) == 0);
	CHECK(send(fd[0], "a", 1, 0) == 1 && send(fd[0], "b", 1, 0) == 1);
	CHECK(gets_nothing(fd[1]));
	CHECK(set_option(fd[0], IPPROTO_UDP, UDP_CORK, 0) == 0 && gets(fd[1], "ab"));
	CHECK(send(fd[0], "", 0, MSG_MORE) == 0 && send(fd[0], "", 0, 0) == 0);
	CHECK(recv(fd[1], buf, sizeof(buf), 0) == 0 && gets_nothing(fd[1]));
	CHECK(ioctl(fd[0], SIOCOUTQ, &size) == 0 && size == 0);
	CHECK(send(fd[0], "lost", 4, MSG_MORE) == 4);
	close_pair(fd);
}

/* Whatever goes wrong with a part, what was held back goes with it. */
static void errors_discard_what_is_held_back(void)
{
	static char big[70000];
	struct sockaddr_in6 a = {.sin6_family = AF_INET6};
	int fd[2];

	udp_pair(fd);
	CHECK(send(fd[0], "abc", 3, MSG_MORE) == 3);
	FAILS(EFAULT, send(fd[0], (void *)16, 4, 0));
	CHECK(send(fd[0], "de", 2, 0) == 2 && gets(fd[1], "de"));
	CHECK(send(fd[0], "abc", 3, MSG_MORE) == 3);
	FAILS(EMSGSIZE, send(fd[0], big, 65507, 0));
	CHECK(send(fd[0], "fg", 2, 0) == 2 && gets(fd[1], "fg"));
	CHECK(send(fd[0], "abc", 3, MSG_MORE) == 3); /* that is refused before */
	FAILS(EMSGSIZE, send(fd[0], big, 65536, 0));
	CHECK(send(fd[0], "hi", 2, 0) == 2 && gets(fd[1], "abchi"));
	/* It grows. */
	CHECK(send(fd[0], "abc", 3, MSG_MORE) == 3);
	CHECK(send(fd[0], big, 50000, MSG_MORE) == 50000);
	CHECK(send(fd[0], big, 15504, 0) == 15504);
	CHECK(recv(fd[1], big, sizeof(big), 0) == 65507);
	close_pair(fd);

	fd[0] = udp6();
	fd[1] = udp6();
	a.sin6_addr = in6addr_loopback;
	if (bind(fd[1], (void *)&a, sizeof(a)) == 0) {
		a.sin6_port = htons(port_of(fd[1]));
		CHECK(connect(fd[0], (void *)&a, sizeof(a)) == 0);
		CHECK(send(fd[0], "abc", 3, MSG_MORE) == 3);
		FAILS(EMSGSIZE, send(fd[0], (void *)16, 1 << 26, 0)); /* unread */
		CHECK(send(fd[0], "de", 2, 0) == 2 && gets(fd[1], "de"));
	}
	close_pair(fd);
}

static void segments_are_messages(void)
{
	struct received r;
	uint16_t size = 4;
	struct sockaddr_in a;
	int fd[2];

	udp_pair(fd);
	CHECK(set_option(fd[0], IPPROTO_UDP, UDP_SEGMENT, 3) == 0);
	CHECK(send(fd[0], "abcdefgh", 8, 0) == 8);
	CHECK(gets(fd[1], "abc") && gets(fd[1], "def") && gets(fd[1], "gh"));
	CHECK(set_option(fd[1], IPPROTO_UDP, UDP_GRO, 1) == 0);
	CHECK(send(fd[0], "abcdefgh", 8, 0) == 8 && receive(fd[1], &r, 0) == 8);
	CHECK(control_int(&r, IPPROTO_UDP, UDP_GRO) == 3);
	CHECK(set_option(fd[0], IPPROTO_UDP, UDP_SEGMENT, 0) == 0);
	a = loopback(port_of(fd[1]));
	CHECK(send_with(fd[0], &a, sizeof(a), "12345678", IPPROTO_UDP, UDP_SEGMENT, &size,
			2) == 8);
	CHECK(receive(fd[1], &r, 0) == 8 && control_int(&r, IPPROTO_UDP, UDP_GRO) == 4);
	CHECK(send(fd[0], "x", 1, 0) == 1 && receive(fd[1], &r, 0) == 1);
	CHECK(control_of(&r, IPPROTO_UDP, UDP_GRO) == NULL);
	FAILS(EINVAL, set_option(fd[0], IPPROTO_UDP, UDP_SEGMENT, 65536));
	CHECK(set_option(fd[0], IPPROTO_UDP, UDP_SEGMENT, 1) == 0);
	{
		static char big[4000];

		FAILS(EINVAL, send(fd[0], big, sizeof(big), 0)); /* too many */
	}
	close_pair(fd);
}

static void stamps_are_told(void)
{
	struct timespec *three;
	struct timeval tv = {0};
	struct received r;
	int fd[2];

	udp_pair(fd);
	CHECK(ioctl(fd[1], SIOCGSTAMP, &tv) == -1);
	CHECK(errno == ENOENT || errno == ENOTTY); /* of the host's: not known */
	if (errno == ENOENT) {
		CHECK(send(fd[0], "x", 1, 0) == 1 && receive(fd[1], &r, 0) == 1);
		CHECK(ioctl(fd[1], SIOCGSTAMP, &tv) == 0 && tv.tv_sec > 1000000000);
	}
	CHECK(set_option(fd[1], SOL_SOCKET, SO_TIMESTAMP, 1) == 0);
	CHECK(send(fd[0], "x", 1, 0) == 1 && receive(fd[1], &r, 0) == 1);
	CHECK(control_of(&r, SOL_SOCKET, SO_TIMESTAMP) != NULL);
	CHECK(set_option(fd[1], SOL_SOCKET, SO_TIMESTAMP, 0) == 0);
	CHECK(set_option(fd[1], SOL_SOCKET, SO_TIMESTAMPING,
			 SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE) == 0);
	three = NULL;
	for (int i = 0; i < 10000 && !three; i++) { /* Linux begins a moment later */
		CHECK(send(fd[0], "x", 1, 0) == 1 && receive(fd[1], &r, 0) == 1);
		three = control_of(&r, SOL_SOCKET, SCM_TIMESTAMPING);
		usleep(1000);
	}
	CHECK(three && three[0].tv_sec > 1000000000);
	CHECK(set_option(fd[0], SOL_SOCKET, SO_TIMESTAMPING,
			 SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE |
				 SOF_TIMESTAMPING_OPT_TSONLY | SOF_TIMESTAMPING_OPT_ID) ==
	      0);
	for (unsigned i = 0; i < 2; i++) {
		struct sock_extended_err *e;

		CHECK(send(fd[0], "sent", 4, 0) == 4 && gets(fd[1], "sent"));
		CHECK(ready(fd[0], POLLIN, 20000) & POLLERR);
		CHECK(receive(fd[0], &r, MSG_ERRQUEUE) == 0);
		e = control_of(&r, SOL_IP, IP_RECVERR);
		CHECK(e && e->ee_errno == ENOMSG);
		CHECK(e->ee_origin == SO_EE_ORIGIN_TIMESTAMPING &&
		      e->ee_info == SCM_TSTAMP_SND);
		CHECK(e->ee_data == i && control_of(&r, SOL_SOCKET, SCM_TIMESTAMPING));
	}
	close_pair(fd);
}

/* A filter may look at the headers before its socket's own data. */
static void filters_see_headers(void)
{
	struct sock_filter program[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, (unsigned)(SKF_NET_OFF + 8)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 9, 0, 2), /* the TTL */
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 4),
		BPF_STMT(BPF_RET | BPF_A, 0), /* as long as UDP says */
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog p = {sizeof(program) / sizeof(program[0]), program};
	int fd[2];

	udp_pair(fd);
	CHECK(setsockopt(fd[1], SOL_SOCKET, SO_ATTACH_FILTER, &p, sizeof(p)) == 0);
	CHECK(send(fd[0], "dropped", 7, 0) == 7 && gets_nothing(fd[1]));
	CHECK(set_option(fd[0], SOL_IP, IP_TTL, 9) == 0);
	CHECK(send(fd[0], "passed", 6, 0) == 6 && gets(fd[1], "passed"));
	close_pair(fd);
}

static void mtus_are_heeded(void)
{
	int fd[2];

	udp_pair(fd);
	CHECK(option(fd[0], SOL_IP, IP_MTU) >= 1500);
	FAILS(ENOTCONN,
	      getsockopt(udp4(), SOL_IP, IP_MTU, &(int){0}, &(socklen_t){sizeof(int)}));
	CHECK(option(fd[0], SOL_IP, IP_MTU_DISCOVER) == IP_PMTUDISC_WANT);
	close_pair(fd);
}

int main(void)
{
	const struct test all[] = {
		TEST(ipv4_tells),
		TEST(ipv6_tells),
		TEST(senders_choose),
		TEST(another_source_leads_elsewhere),
		TEST(corks_hold_back),
		TEST(errors_discard_what_is_held_back),
		TEST(segments_are_messages),
		TEST(stamps_are_told),
		TEST(mtus_are_heeded),
		TEST(filters_see_headers),
	};

	(void)own_network();
	return test_main(all, sizeof(all) / sizeof(all[0]));
}
