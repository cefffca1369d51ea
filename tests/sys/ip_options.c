/* SPDX-License-Identifier: MIT */
/* net */
/* ip_options.c - options of IPv4 (RFC 791): who a packet passes by is written into it,
 * and who answers sends them back. */
/* calls: sendto recvmsg setsockopt */
#include "own_net.h"

#include <netinet/ip.h>
#include <netinet/ip_icmp.h>

enum { HEAD = 20, MOST = 40, PATIENCE = 20000 /* ms */ };

static int raw_icmp(void)
{
	int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP);

	CHECK(fd >= 0);
	return fd;
}

static int ping_socket(void)
{
	int fd;

	file_put("/proc/sys/net/ipv4/ping_group_range", "0 0");
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_ICMP);
	CHECK(fd >= 0);
	return fd;
}

static int set_options(int fd, const void *options, size_t size)
{
	return setsockopt(fd, SOL_IP, IP_OPTIONS, options, (socklen_t)size);
}

static void send_echo(int fd, const char *addr)
{
	struct icmphdr q = {.type = ICMP_ECHO, .un.echo = {htons(5), htons(6)}};
	struct sockaddr_in a = name4(addr, 0);

	q.checksum = sum_of(&q, sizeof(q));
	CHECK(sendto(fd, &q, sizeof(q), 0, (struct sockaddr *)&a, sizeof(a)) ==
	      sizeof(q));
}

/* The next message of that type which comes to a raw socket, with its header. */
static const struct iphdr *next_of(int fd, int type)
{
	static uint8_t buf[256] __attribute__((aligned(4)));
	const struct iphdr *ip = (void *)buf;

	do {
		CHECK(ready(fd, POLLIN, PATIENCE) & POLLIN);
		CHECK(recv(fd, buf, sizeof(buf), 0) >= HEAD + 8);
	} while (buf[ip->ihl * 4] != type);
	return ip;
}

/* What an echo to addr has for options when it is there, and its answer. */
static void ask(const char *addr, const void *options, size_t size, uint8_t there[MOST],
		uint8_t back[MOST])
{
	const struct iphdr *ip;
	int fd = raw_icmp();

	CHECK(set_options(fd, options, size) == 0);
	send_echo(fd, addr);
	memset(there, 0xee, MOST);
	ip = next_of(fd, ICMP_ECHO);
	memcpy(there, ip + 1, ip->ihl * 4U - HEAD);
	memset(back, 0xee, MOST);
	ip = next_of(fd, ICMP_ECHOREPLY);
	memcpy(back, ip + 1, ip->ihl * 4U - HEAD);
	CHECK(close(fd) == 0);
}

static const uint8_t one[4] = {127, 0, 0, 1}, five[4] = {127, 0, 0, 5};

static void the_way_is_recorded(void)
{
	const uint8_t room[39] = {IPOPT_RR, 39, 4};
	const uint8_t three[16] = {IPOPT_NOP, IPOPT_RR, 15, 4};
	const uint8_t odd[12] = {IPOPT_RR, 12, 4};
	uint8_t there[MOST], back[MOST];
	int fd;

	ask("127.0.0.5", room, sizeof(room), there, back);
	CHECK(there[0] == IPOPT_RR && there[1] == 39 && there[2] == 12);
	CHECK(!memcmp(there + 3, one, 4) && !memcmp(there + 7, five, 4));
	CHECK(back[0] == IPOPT_RR && back[1] == 39 && back[2] == 20);
	CHECK(!memcmp(back + 3, one, 4) && !memcmp(back + 7, five, 4));
	CHECK(!memcmp(back + 11, five, 4) && !memcmp(back + 15, one, 4) && !back[19]);

	ask("127.0.0.1", three, sizeof(three), there, back); /* for two, and one */
	CHECK(there[0] == IPOPT_NOP && there[1] == IPOPT_RR && there[3] == 12);
	CHECK(back[0] == IPOPT_RR && back[1] == 15 && back[2] == 16);
	CHECK(back[15] == 0 && back[16] == 0xee);

	fd = raw_icmp();
	CHECK(set_options(fd, odd, sizeof(odd)) == 0); /* two and a bit: no answer */
	send_echo(fd, "127.0.0.1");
	CHECK(next_of(fd, ICMP_ECHO)->ihl == 8);
	CHECK(gets_nothing(fd) && close(fd) == 0);
}

static unsigned number_at(const uint8_t *at)
{
	return (unsigned)at[0] << 24 | (unsigned)at[1] << 16 | (unsigned)at[2] << 8 |
	       at[3];
}

static void the_time_is_stamped(void)
{
	const unsigned day = 86400000;
	const uint8_t only[24] = {IPOPT_TS, 24, 5, 0};
	const uint8_t full[8] = {IPOPT_TS, 8, 5, 0};
	const uint8_t named[36] = {IPOPT_TS, 36, 5, 1};
	const uint8_t given[20] = {IPOPT_TS, 20, 5, 3, 127, 0, 0, 1,
				   0,	     0,	 0, 0, 9,   9, 9, 9};
	const uint8_t passed[12] = {IPOPT_TS, 12, 13, 0xf3, 127, 0, 0, 1};
	uint8_t there[MOST], back[MOST];

	ask("127.0.0.1", only, sizeof(only), there, back);
	CHECK(there[0] == IPOPT_TS && there[2] == 13 && there[3] == 0);
	CHECK(back[0] == IPOPT_TS && back[2] == 21 && back[3] == 0);
	for (int i = 0; i < 4; i++)
		CHECK(number_at(back + 4 + i * 4) > 0 &&
		      number_at(back + 4 + i * 4) < day);
	CHECK(!number_at(back + 20));

	ask("127.0.0.1", full, sizeof(full), there, back);
	CHECK(there[2] == 9 && there[3] == 0x10 && back[2] == 9 && back[3] == 0x20);

	ask("127.0.0.5", named, sizeof(named), there, back);
	CHECK(there[2] == 21 && !memcmp(there + 4, one, 4) &&
	      !memcmp(there + 12, five, 4));
	CHECK(back[2] == 37 && back[3] == 1 && !memcmp(back + 20, five, 4) &&
	      !memcmp(back + 28, one, 4) && number_at(back + 32) < day);

	ask("127.0.0.1", given, sizeof(given), there, back);
	CHECK(there[2] == 13 && back[2] == 13 && back[3] == 3);
	CHECK(number_at(back + 8) < day && !number_at(back + 16));

	ask("127.0.0.1", passed, sizeof(passed), there, back); /* is not counted */
	CHECK(!memcmp(there, passed, 12) && !memcmp(back, passed, 12));
}

/* Who answers sends back only what is for him to fill. */
static void others_are_not_reflected(void)
{
	const uint8_t alert[4] = {IPOPT_RA, 4, 0, 0};
	const uint8_t both[19] = {IPOPT_NOP, IPOPT_TS, 8, 5,	    0, 0,
				  0,	     0,	       0, IPOPT_RR, 7, 4};
	uint8_t there[MOST], back[MOST];

	ask("127.0.0.1", alert, sizeof(alert), there, back);
	CHECK(!memcmp(there, alert, 4) && back[0] == 0xee);
	ask("127.0.0.1", both, sizeof(both), there, back);
	CHECK(back[0] == IPOPT_RR && back[2] == 8 && back[7] == IPOPT_TS);
	CHECK(back[15] == 0 && back[16] == 0xee);
}

/* Of a socket that wants to know: what the next message has for options. */
static void next_options(int fd, uint8_t out[MOST])
{
	char data[64];
	char control[CMSG_SPACE(MOST)];
	struct iovec v = {data, sizeof(data)};
	struct msghdr h = {.msg_iov = &v,
			   .msg_iovlen = 1,
			   .msg_control = control,
			   .msg_controllen = sizeof(control)};
	const struct cmsghdr *c;

	CHECK(ready(fd, POLLIN, PATIENCE) & POLLIN && recvmsg(fd, &h, 0) > 0);
	c = CMSG_FIRSTHDR(&h);
	CHECK(c && c->cmsg_level == SOL_IP && c->cmsg_type == IP_RECVOPTS);
	memcpy(out, CMSG_DATA(c), c->cmsg_len - CMSG_LEN(0));
}

static void datagrams_have_them(void)
{
	const uint8_t room[19] = {IPOPT_RR, 19, 4};
	uint8_t got[MOST];
	int fd = ping_socket();
	int to = udp4();
	int from = udp4();

	CHECK(set_options(fd, room, sizeof(room)) == 0);
	CHECK(set_option(fd, SOL_IP, IP_RECVOPTS, 1) == 0);
	send_echo(fd, "127.0.0.1");
	next_options(fd, got);
	CHECK(got[0] == IPOPT_RR && got[2] == 20 && !memcmp(got + 15, one, 4));
	CHECK(close(fd) == 0);

	CHECK(bind4(to, "0.0.0.0", 0) == 0 &&
	      set_option(to, SOL_IP, IP_RECVOPTS, 1) == 0);
	CHECK(set_options(from, room, sizeof(room)) == 0);
	CHECK(send4(from, "127.0.0.5", port_of(to), "hello") == 5);
	next_options(to, got);
	CHECK(got[0] == IPOPT_RR && got[2] == 12 && !memcmp(got + 3, one, 4) &&
	      !memcmp(got + 7, five, 4));
	CHECK(close(to) == 0 && close(from) == 0);
}

/* Who sends has filled it, but for a rest that is too small for who receives. */
static void datagrams_may_go_wrong_on_the_way(void)
{
	const uint8_t one_and_a_bit[8] = {IPOPT_RR, 8, 4};
	int to = udp4();
	int from = udp4();
	int other = udp4();
	char buf[1];

	CHECK(bind4(to, "127.0.0.1", 0) == 0 &&
	      connect4(from, "127.0.0.1", port_of(to)) == 0);
	CHECK(set_options(from, one_and_a_bit, 8) == 0 && send(from, "x", 1, 0) == 1);
	CHECK(ready(from, POLLERR, PATIENCE) & POLLERR);
	FAILS(EPROTO, recv(from, buf, 1, 0));
	CHECK(set_options(other, one_and_a_bit, 8) == 0 &&
	      send4(other, "127.0.0.1", port_of(to), "x") == 1);
	CHECK(gets_nothing(other) && gets_nothing(to));
	CHECK(close(to) == 0 && close(from) == 0 && close(other) == 0);
}

static void wrong_ones_are_not_taken(void)
{
	const uint8_t wrong[][12] = {
		{IPOPT_RR, 2},
		{IPOPT_RR, 11, 3},
		{IPOPT_RR, 11, 9},
		{IPOPT_TS, 3, 5},
		{IPOPT_TS, 12, 4},
		{IPOPT_TS, 12, 10},
		{IPOPT_TS, 8, 5, 1},
		{IPOPT_TS, 8, 9, 0xf0},
		{IPOPT_RR, 3, 4, IPOPT_RR, 3, 4},
		{IPOPT_RR, 13, 4},
		{IPOPT_RR, 1, 4},
	};
	int fd = raw_icmp();

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		FAILS(EINVAL, set_options(fd, wrong[i], sizeof(wrong[i])));
	CHECK(close(fd) == 0);
}

/* A packet with options of one's own. */
static void send_whole(int fd, const uint8_t options[8])
{
	struct {
		struct iphdr ip;
		uint8_t options[8];
		struct icmphdr q;
	} p = {.ip = {.version = 4,
		      .ihl = 7,
		      .ttl = 64,
		      .protocol = IPPROTO_ICMP,
		      .saddr = htonl(INADDR_LOOPBACK),
		      .daddr = htonl(INADDR_LOOPBACK)},
	       .q = {.type = ICMP_ECHO}};
	struct sockaddr_in a = name4("127.0.0.1", 0);

	memcpy(p.options, options, sizeof(p.options));
	p.q.checksum = sum_of(&p.q, sizeof(p.q));
	CHECK(sendto(fd, &p, sizeof(p), 0, (struct sockaddr *)&a, sizeof(a)) ==
	      sizeof(p));
}

static void wrong_ones_that_come_are_told_of(void)
{
	const uint8_t wrong[8] = {IPOPT_NOP, IPOPT_RR, 7, 5};
	const uint8_t route[8] = {IPOPT_LSRR, 7, 4, 127, 0, 0, 5};
	const uint8_t fine[8] = {IPOPT_NOP};
	const struct iphdr *ip;
	int fd = raw_icmp();

	CHECK(set_option(fd, SOL_IP, IP_HDRINCL, 1) == 0);
	send_whole(fd, wrong);
	ip = next_of(fd, ICMP_PARAMETERPROB);
	CHECK(ip->ihl == 5);
	CHECK(((const uint8_t *)(ip + 1))[4] == HEAD + 3); /* where */
	CHECK(gets_nothing(fd));
	if (atoi(file_get("/proc/sys/net/ipv4/conf/all/accept_source_route")) == 0) {
		send_whole(fd, route);
		CHECK(gets_nothing(fd));
	}
	send_whole(fd, fine);
	CHECK(next_of(fd, ICMP_ECHO)->ihl == 7);
	CHECK(next_of(fd, ICMP_ECHOREPLY)->ihl == 5);
	CHECK(close(fd) == 0);
}

int main(void)
{
	const struct test all[] = {
		TEST(the_way_is_recorded),
		TEST(the_time_is_stamped),
		TEST(others_are_not_reflected),
		TEST(datagrams_have_them),
		TEST(datagrams_may_go_wrong_on_the_way),
		TEST(wrong_ones_are_not_taken),
		TEST(wrong_ones_that_come_are_told_of),
	};

	if (!own_network())
		return 77;
	return test_main(all, sizeof(all) / sizeof(all[0]));
}
