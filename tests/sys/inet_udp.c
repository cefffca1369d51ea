/* SPDX-License-Identifier: MIT */
/* net */
/* inet_udp.c - datagrams of AF_INET: connected or not, cut, refused, many at once, and
 * what travels beside the data. */
/* calls: socket sendto recvfrom sendmsg recvmsg sendmmsg recvmmsg */
#include "inet.h"

#include <linux/errqueue.h>

#ifndef SCM_TIMESTAMPNS
#define SCM_TIMESTAMPNS SO_TIMESTAMPNS
#endif

static void datagrams_keep_their_borders(void)
{
	struct sockaddr_in from, to;
	socklen_t len = sizeof(from);
	char buf[16];
	int a = socket_at(SOCK_DGRAM, 0);
	int b = socket_at(SOCK_DGRAM, 0);

	to = loopback(port_of(b));
	CHECK(sendto(a, "one", 3, 0, (struct sockaddr *)&to, sizeof(to)) == 3);
	CHECK(sendto(a, "", 0, 0, (struct sockaddr *)&to, sizeof(to)) == 0);
	CHECK(sendto(a, "three", 5, 0, (struct sockaddr *)&to, sizeof(to)) == 5);
	CHECK(recvfrom(b, buf, sizeof(buf), MSG_PEEK, (struct sockaddr *)&from, &len) ==
	      3);
	CHECK(len == sizeof(from) && ntohs(from.sin_port) == port_of(a));
	CHECK(recv(b, buf, sizeof(buf), 0) == 3 && !memcmp(buf, "one", 3));
	CHECK(recv(b, buf, sizeof(buf), 0) == 0);
	CHECK(recv(b, buf, 2, MSG_TRUNC) == 5 && !memcmp(buf, "th", 2));
	FAILS(EAGAIN, recv(b, buf, 1, MSG_DONTWAIT));
	FAILS(EDESTADDRREQ, send(a, "x", 1, 0));
	to.sin_family = AF_INET6;
	FAILS(EAFNOSUPPORT, sendto(a, "x", 1, 0, (struct sockaddr *)&to, sizeof(to)));
	FAILS(EINVAL, sendto(a, "x", 1, 0, (struct sockaddr *)&to, 4));
	FAILS(EOPNOTSUPP, listen(a, 1));
	FAILS(EOPNOTSUPP, sendto(a, "x", 1, MSG_OOB, (struct sockaddr *)&to, sizeof(to)));
	close(a);
	close(b);
}

static void connected_sockets_hear_one_peer(void)
{
	struct sockaddr_in none = {.sin_family = AF_UNSPEC};
	struct sockaddr_in to;
	char buf[16];
	int stranger = socket_at(SOCK_DGRAM, 0);
	int fd[2];

	udp_pair(fd);
	to = loopback(port_of(fd[1]));
	CHECK(sendto(stranger, "no", 2, 0, (struct sockaddr *)&to, sizeof(to)) == 2);
	CHECK(write(fd[0], "yes", 3) == 3);
	CHECK(read(fd[1], buf, sizeof(buf)) == 3 && !memcmp(buf, "yes", 3));
	FAILS(EAGAIN, recv(fd[1], buf, 1, MSG_DONTWAIT));
	CHECK(connect(fd[1], (struct sockaddr *)&none, sizeof(none)) == 0);
	FAILS(EDESTADDRREQ, write(fd[1], "x", 1));
	close_pair(fd);
	close(stranger);
}

static void nobody_there_is_told_to_the_connected(void)
{
	struct pollfd p;
	int there = socket_at(SOCK_DGRAM, 0);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	char c;

	CHECK(connect_to(fd, port_of(there)) == 0);
	CHECK(close(there) == 0);
	CHECK(send(fd, "x", 1, 0) == 1);
	p = (struct pollfd){.fd = fd, .events = POLLIN};
	CHECK(poll(&p, 1, 5000) == 1 && (p.revents & POLLERR));
	FAILS(ECONNREFUSED, recv(fd, &c, 1, 0));
	FAILS(EAGAIN, recv(fd, &c, 1, MSG_DONTWAIT));
	CHECK(send(fd, "x", 1, 0) == 1);
	CHECK(ready(fd, POLLIN, 5000) & POLLERR);
	CHECK(option(fd, SOL_SOCKET, SO_ERROR) == ECONNREFUSED);
	CHECK(shutdown(fd, SHUT_WR) == 0);
	FAILS(EPIPE, send(fd, "x", 1, 0)); /* and no SIGPIPE */
	close(fd);
}

static void the_error_queue_is_read(void)
{
	int there = socket_at(SOCK_DGRAM, 0);
	int fd = socket_at(SOCK_DGRAM, 0);
	struct sockaddr_in to = loopback(port_of(there));
	struct sockaddr_in named;
	struct sock_extended_err err;
	char control[256], data[16];
	struct iovec v = {data, sizeof(data)};
	struct msghdr h = {.msg_name = &named,
			   .msg_namelen = sizeof(named),
			   .msg_iov = &v,
			   .msg_iovlen = 1,
			   .msg_control = control,
			   .msg_controllen = sizeof(control)};
	struct cmsghdr *c;

	CHECK(set_option(fd, SOL_IP, IP_RECVERR, 1) == 0);
	CHECK(close(there) == 0);
	CHECK(sendto(fd, "lost", 4, 0, (struct sockaddr *)&to, sizeof(to)) == 4);
	CHECK(ready(fd, POLLIN, 5000) & POLLERR);
	CHECK(recvmsg(fd, &h, MSG_ERRQUEUE) == 4 && !memcmp(data, "lost", 4));
	CHECK((h.msg_flags & MSG_ERRQUEUE) && named.sin_port == to.sin_port);
	c = CMSG_FIRSTHDR(&h);
	CHECK(c && c->cmsg_level == SOL_IP && c->cmsg_type == IP_RECVERR);
	memcpy(&err, CMSG_DATA(c), sizeof(err));
	CHECK(err.ee_errno == ECONNREFUSED && err.ee_origin == SO_EE_ORIGIN_ICMP);
	FAILS(EAGAIN, recvmsg(fd, &h, MSG_ERRQUEUE));
	close(fd);
}

static void long_messages_are_cut(void)
{
	char buf[4];
	char tail[4];
	struct iovec v[2] = {{buf, 3}, {tail, 2}};
	struct msghdr h = {.msg_iov = v, .msg_iovlen = 2};
	struct sockaddr_in from;
	int fd[2];

	udp_pair(fd);
	CHECK(send(fd[0], "0123456789", 10, 0) == 10);
	h.msg_name = &from;
	h.msg_namelen = 4;
	h.msg_flags = -1;
	CHECK(recvmsg(fd[1], &h, 0) == 5 && h.msg_flags == MSG_TRUNC);
	CHECK(h.msg_namelen == sizeof(from));
	CHECK(!memcmp(buf, "012", 3) && !memcmp(tail, "34", 2));
	CHECK(send(fd[0], "0123456789", 10, 0) == 10);
	CHECK(recvmsg(fd[1], &h, MSG_TRUNC) == 10 && h.msg_flags == MSG_TRUNC);
	CHECK(send(fd[0], "012", 3, 0) == 3);
	CHECK(recvmsg(fd[1], &h, MSG_CMSG_CLOEXEC) == 3);
	CHECK(h.msg_flags == MSG_CMSG_CLOEXEC);
	h.msg_iovlen = 1025;
	FAILS(EMSGSIZE, recvmsg(fd[1], &h, 0));
	FAILS(EMSGSIZE, sendmsg(fd[0], &h, 0));
	FAILS(EFAULT, recvmsg(fd[1], (struct msghdr *)16, 0));
	{
		static char big[70000];

		FAILS(EMSGSIZE, send(fd[0], big, sizeof(big), 0));
	}
	close_pair(fd);
}

static void many_pieces_are_one_datagram(void)
{
	struct iovec v[300];
	struct msghdr h = {.msg_iov = v, .msg_iovlen = 300};
	char data[300], back[300];
	int fd[2];

	udp_pair(fd);
	for (int i = 0; i < 300; i++) {
		data[i] = (char)(i * 7);
		v[i] = (struct iovec){&data[i], (size_t)(i != 5)};
	}
	CHECK(sendmsg(fd[0], &h, 0) == 299);
	for (int i = 0; i < 300; i++)
		v[i].iov_base = &back[i];
	back[5] = data[5];
	CHECK(recvmsg(fd[1], &h, 0) == 299 && !memcmp(data, back, 300));
	v[299].iov_base = (void *)16;
	FAILS(EFAULT, sendmsg(fd[0], &h, 0));
	close_pair(fd);
}

static int control_int(struct msghdr *h, int level, int type)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c; c = CMSG_NXTHDR(h, c)) {
		int n = 0;

		if (c->cmsg_level != level || c->cmsg_type != type)
			continue;
		memcpy(&n, CMSG_DATA(c), c->cmsg_len - CMSG_LEN(0) < 4 ? 1 : 4);
		return n;
	}
	return -1;
}

static void control_messages_are_delivered(void)
{
	char data[16], control[256];
	struct iovec v = {data, sizeof(data)};
	struct msghdr h = {.msg_iov = &v,
			   .msg_iovlen = 1,
			   .msg_control = control,
			   .msg_controllen = sizeof(control)};
	struct in_pktinfo info = {0};
	bool has_info = false, has_time = false;
	int fd[2];

	udp_pair(fd);
	CHECK(set_option(fd[1], SOL_IP, IP_PKTINFO, 1) == 0);
	CHECK(set_option(fd[1], SOL_IP, IP_RECVTTL, 1) == 0);
	CHECK(set_option(fd[1], SOL_IP, IP_RECVTOS, 1) == 0);
	CHECK(set_option(fd[1], SOL_SOCKET, SO_TIMESTAMPNS, 1) == 0);
	CHECK(set_option(fd[0], SOL_IP, IP_TTL, 33) == 0);
	CHECK(set_option(fd[0], SOL_IP, IP_TOS, 0x10) == 0);
	CHECK(send(fd[0], "x", 1, 0) == 1);
	CHECK(recvmsg(fd[1], &h, 0) == 1 && h.msg_flags == 0);
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&h); c; c = CMSG_NXTHDR(&h, c)) {
		if (c->cmsg_level == SOL_IP && c->cmsg_type == IP_PKTINFO) {
			memcpy(&info, CMSG_DATA(c), sizeof(info));
			has_info = true;
		}
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
			struct timespec sent, now;

			memcpy(&sent, CMSG_DATA(c), sizeof(sent));
			clock_gettime(CLOCK_REALTIME, &now);
			CHECK(now.tv_sec - sent.tv_sec <= 1);
			has_time = true;
		}
	}
	CHECK(has_info && info.ipi_addr.s_addr == htonl(INADDR_LOOPBACK));
	CHECK(has_time);
	CHECK(control_int(&h, SOL_IP, IP_TTL) == 33);
	CHECK(control_int(&h, SOL_IP, IP_TOS) == 0x10);
	/* no room for all of it */
	CHECK(send(fd[0], "x", 1, 0) == 1);
	h.msg_controllen = CMSG_SPACE(sizeof(struct timespec)) + 4;
	CHECK(recvmsg(fd[1], &h, 0) == 1 && h.msg_flags == MSG_CTRUNC);
	CHECK(h.msg_controllen == CMSG_SPACE(sizeof(struct timespec)));
	CHECK(send(fd[0], "x", 1, 0) == 1);
	h.msg_control = NULL;
	h.msg_controllen = 0;
	CHECK(recvmsg(fd[1], &h, 0) == 1 && h.msg_flags == MSG_CTRUNC);
	close_pair(fd);
}

static void control_messages_are_sent(void)
{
	union {
		char space[CMSG_SPACE(sizeof(int)) + CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = {0};
	char data[16], got[256];
	struct iovec v = {data, 1};
	struct msghdr h = {.msg_iov = &v,
			   .msg_iovlen = 1,
			   .msg_control = &control,
			   .msg_controllen = sizeof(control)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&h);
	int ttl = 44;
	int file = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int fd[2];

	udp_pair(fd);
	CHECK(set_option(fd[1], SOL_IP, IP_RECVTTL, 1) == 0);
	/* a descriptor, which means nothing here, and the time to live */
	*c = (struct cmsghdr){CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
	memcpy(CMSG_DATA(c), &file, sizeof(int));
	c = CMSG_NXTHDR(&h, c);
	*c = (struct cmsghdr){CMSG_LEN(sizeof(int)), SOL_IP, IP_TTL};
	memcpy(CMSG_DATA(c), &ttl, sizeof(int));
	CHECK(sendmsg(fd[0], &h, 0) == 1);
	h.msg_control = got;
	h.msg_controllen = sizeof(got);
	CHECK(recvmsg(fd[1], &h, 0) == 1);
	CHECK(control_int(&h, SOL_IP, IP_TTL) == 44);
	CHECK(control_int(&h, SOL_SOCKET, SCM_RIGHTS) == -1);
	h.msg_control = &control;
	h.msg_controllen = sizeof(control);
	c->cmsg_type = 12345;
	FAILS(EINVAL, sendmsg(fd[0], &h, 0));
	c->cmsg_len = 4;
	FAILS(EINVAL, sendmsg(fd[0], &h, 0));
	c->cmsg_len = 10000;
	FAILS(EINVAL, sendmsg(fd[0], &h, 0));
	close_pair(fd);
	close(file);
}

static void many_at_once(void)
{
	enum { N = 20 };
	struct timespec limit = {0, 50000000};
	char data[N][8];
	struct iovec v[N];
	struct mmsghdr m[N] = {0};
	int fd[2];
	long start;

	udp_pair(fd);
	for (int i = 0; i < N; i++) {
		snprintf(data[i], sizeof(data[i]), "no%d", i);
		v[i] = (struct iovec){data[i], strlen(data[i])};
		m[i].msg_hdr = (struct msghdr){.msg_iov = &v[i], .msg_iovlen = 1};
	}
	CHECK(sendmmsg(fd[0], m, N, 0) == N);
	CHECK(m[3].msg_len == 3 && m[13].msg_len == 4);
	memset(data, 0, sizeof(data));
	for (int i = 0; i < N; i++)
		v[i].iov_len = sizeof(data[i]);
	CHECK(recvmmsg(fd[1], m, 7, 0, NULL) == 7);
	CHECK(!strcmp(data[6], "no6") && m[6].msg_len == 3);
	CHECK(recvmmsg(fd[1], m, N, MSG_DONTWAIT, NULL) == N - 7);
	CHECK(!strcmp(data[0], "no7"));
	FAILS(EAGAIN, recvmmsg(fd[1], m, N, MSG_DONTWAIT, NULL));
	CHECK(send(fd[0], "a", 1, 0) == 1);
	CHECK(recvmmsg(fd[1], m, N, MSG_WAITFORONE, NULL) == 1);
	/* a limit is looked at after each message only */
	for (int i = 0; i < 3; i++)
		CHECK(send(fd[0], "b", 1, 0) == 1);
	start = now_ms();
	CHECK(recvmmsg(fd[1], m, 3, 0, &limit) == 3);
	CHECK(now_ms() - start < 20000);
	limit.tv_nsec = -1;
	FAILS(EINVAL, recvmmsg(fd[1], m, 1, 0, &limit));
	CHECK(sendmmsg(fd[0], m, 0, 0) == 0);
	m[1].msg_hdr.msg_iov = (struct iovec *)16;
	CHECK(sendmmsg(fd[0], m, N, 0) == 1);
	FAILS(EFAULT, sendmmsg(fd[0], m + 1, N, 0));
	close_pair(fd);
}

static void corked_pieces_are_one(void)
{
	char buf[16];
	int n = -1;
	int fd[2];

	udp_pair(fd);
	CHECK(send(fd[0], "ab", 2, MSG_MORE) == 2);
	CHECK(send(fd[0], "cd", 2, MSG_MORE) == 2);
	FAILS(EAGAIN, recv(fd[1], buf, sizeof(buf), MSG_DONTWAIT));
	CHECK(send(fd[0], "ef", 2, 0) == 2);
	CHECK(ioctl(fd[1], FIONREAD, &n) == 0 && n == 6);
	CHECK(recv(fd[1], buf, sizeof(buf), 0) == 6 && !memcmp(buf, "abcdef", 6));
	close_pair(fd);
}

/* What is too large is told before what is held back is looked at: also by a socket of
 * IPv6 whose datagram goes to IPv4. */
static void what_is_held_back_outlives_refusals(void)
{
	static char large[65536];
	struct sockaddr_in6 a = {.sin6_family = AF_INET6};
	int to = socket_at(SOCK_DGRAM, 0);
	int fd = socket(AF_INET6, SOCK_DGRAM, 0);
	char buf[16];

	CHECK(fd >= 0 && inet_pton(AF_INET6, "::ffff:127.0.0.1", &a.sin6_addr) == 1);
	a.sin6_port = htons(port_of(to));
	CHECK(connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0);
	CHECK(send(fd, "abc", 3, MSG_MORE) == 3);
	FAILS(EMSGSIZE, send(fd, large, sizeof(large), 0));
	FAILS(EMSGSIZE, send(fd, large, sizeof(large), MSG_MORE));
	FAILS(EOPNOTSUPP, send(fd, "x", 1, MSG_OOB));
	CHECK(send(fd, "de", 2, 0) == 2);
	CHECK(recv(to, buf, sizeof(buf), 0) == 5 && !memcmp(buf, "abcde", 5));

	CHECK(send(fd, "abc", 3, MSG_MORE) == 3); /* but not what is found too late */
	FAILS(EMSGSIZE, send(fd, large, 65530, 0));
	CHECK(send(fd, "fg", 2, 0) == 2);
	CHECK(recv(to, buf, sizeof(buf), 0) == 2 && !memcmp(buf, "fg", 2));
	CHECK(close(fd) == 0 && close(to) == 0);
}

static void ping_sockets_are_as_the_host_lets(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP);
	uint8_t echo[12] = {8}, buf[64];
	struct sockaddr_in to = loopback(0);

	if (fd < 0) {
		CHECK(errno == EACCES || errno == EPERM);
		return;
	}
	memcpy(echo + 8, "ping", 4);
	CHECK(sendto(fd, echo, sizeof(echo), 0, (struct sockaddr *)&to, sizeof(to)) ==
	      sizeof(echo));
	CHECK(ready(fd, POLLIN, 5000) == POLLIN);
	CHECK(recv(fd, buf, sizeof(buf), 0) == sizeof(echo));
	CHECK(buf[0] == 0 && !memcmp(buf + 8, "ping", 4));
	close(fd);
}

RUN(TEST(datagrams_keep_their_borders), TEST(connected_sockets_hear_one_peer),
    TEST(nobody_there_is_told_to_the_connected), TEST(the_error_queue_is_read),
    TEST(long_messages_are_cut), TEST(many_pieces_are_one_datagram),
    TEST(control_messages_are_delivered), TEST(control_messages_are_sent),
    TEST(many_at_once), TEST(corked_pieces_are_one),
    TEST(what_is_held_back_outlives_refusals), TEST(ping_sockets_are_as_the_host_lets))
