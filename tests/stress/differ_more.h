/* SPDX-License-Identifier: MIT */
/*
 * differ_more.h - differ_socket.c's calls on sockets of one step alone: groups that share
 * a port, multicast, TCP_FASTOPEN, small timeouts, shutdown in each state, and bytes that
 * go from socket to socket by way of pipes.
 */
#pragma once
#include "differ_connect.h"

struct own_socket {
	int fd;
	struct target at;
};

HELPER uint16_t port_fresh(void)
{
	return (uint16_t)(first_port + PORTS + fresh_port++ % 300);
}

HELPER void target_loopback(struct target *t, bool is6, uint16_t port)
{
	memset(t, 0, sizeof(*t));
	t->a.any.sa_family = is6 ? AF_INET6 : AF_INET;
	t->a.in.sin_port = htons(port);
	t->len = is6 ? sizeof(t->a.in6) : sizeof(t->a.in);
	if (is6)
		t->a.in6.sin6_addr = in6addr_loopback;
	else
		t->a.in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
}

HELPER int socket_own(bool is6, int type)
{
	int fd = socket(is6 ? AF_INET6 : AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	CHECK(fd >= 0);
	return fd;
}

HELPER void option_int(int fd, int level, int name, int value)
{
	say_result(setsockopt(fd, level, name, &value, sizeof(value)));
}

/* ---- groups that share a port ---- */

/* Who gets what is hashed: only the sum is told. */
HELPER void do_reuseport(struct slot *unused)
{
	bool is6 = one_in(2), is_tcp = one_in(2);
	int n = 2 + (int)pick(2), sent = 0, got = 0, fd[3], from[6];
	struct target t;

	(void)unused;
	target_loopback(&t, is6, port_fresh());
	say(" group%d %s%d", n, is_tcp ? "tcp" : "udp", is6 ? 6 : 4);
	for (int i = 0; i < n; i++) {
		fd[i] = socket_own(is6, is_tcp ? SOCK_STREAM : SOCK_DGRAM);
		option_int(fd[i], SOL_SOCKET, SO_REUSEPORT, !one_in(8));
		say_result(bind(fd[i], &t.a.any, t.len));
		if (is_tcp)
			say_result(listen(fd[i], 16));
	}
	for (int i = 0; i < 6; i++) {
		from[i] = socket_own(is6, is_tcp ? SOCK_STREAM : SOCK_DGRAM);
		sent += (connect(from[i], &t.a.any, t.len) == 0 ||
			 errno == EINPROGRESS) &&
			(is_tcp || send(from[i], "x", 1, 0) == 1);
	}
	settle();
	for (int i = 0; i < n; i++) {
		char c;
		int new;

		while ((new = is_tcp ? accept(fd[i], NULL, NULL)
				     : (int)recv(fd[i], &c, 1, 0)) >= 0) {
			got++;
			if (is_tcp)
				close(new);
		}
		setsockopt(fd[i], SOL_SOCKET, SO_LINGER, &(struct linger){1, 0},
			   sizeof(struct linger));
		close(fd[i]);
	}
	for (int i = 0; i < 6; i++)
		close(from[i]);
	say(" sent%d got%d", sent, got);
}

/* ---- multicast ---- */

HELPER void say_one(int fd)
{
	char data[64], control_in[256];
	struct sockaddr_storage from;
	struct iovec v = {data, sizeof(data)};
	struct msghdr h = {.msg_name = &from,
			   .msg_namelen = sizeof(from),
			   .msg_iov = &v,
			   .msg_iovlen = 1,
			   .msg_control = control_in,
			   .msg_controllen = sizeof(control_in)};

	if (say_result(recvmsg(fd, &h, MSG_DONTWAIT)) < 0)
		return;
	say_control(&h);
	/* the sender's port is the kernel's choice */
	((struct sockaddr_in *)&from)->sin_port = 0;
	say(" from ");
	say_address(&from, h.msg_namelen);
}

HELPER void join4(int fd, uint32_t group)
{
	struct ip_mreqn m = {.imr_ifindex = (int)pick(3)};
	struct ip_mreq_source source = {.imr_multiaddr.s_addr = htonl(group)};

	m.imr_multiaddr.s_addr = htonl(group);
	m.imr_address.s_addr = htonl(one_in(2) ? INADDR_LOOPBACK : 0);
	source.imr_interface.s_addr = htonl(INADDR_LOOPBACK);
	source.imr_sourceaddr.s_addr = htonl(one_in(2) ? INADDR_LOOPBACK : 0x7f000002);
	say(" join%d", m.imr_ifindex);
	if (one_in(3))
		say_result(setsockopt(fd, SOL_IP, IP_ADD_SOURCE_MEMBERSHIP, &source,
				      sizeof(source)));
	else
		say_result(setsockopt(fd, SOL_IP, IP_ADD_MEMBERSHIP, &m, sizeof(m)));
	if (one_in(4))
		say_result(
			setsockopt(fd, SOL_IP, IP_BLOCK_SOURCE, &source, sizeof(source)));
	if (one_in(6))
		say_result(setsockopt(fd, SOL_IP, IP_DROP_MEMBERSHIP, &m, sizeof(m)));
}

HELPER void multicast4(void)
{
	uint32_t group = 0xef010101 + pick(2), joined = one_in(4) ? 0xef010101 : group;
	int to[2], from = socket_own(false, SOCK_DGRAM);
	struct ip_mreqn m = {.imr_ifindex = (int)pick(3)};
	uint16_t port = port_fresh();
	struct target t;

	target_loopback(&t, false, port);
	for (int i = 0; i < 2; i++) {
		to[i] = socket_own(false, SOCK_DGRAM);
		option_int(to[i], SOL_SOCKET, SO_REUSEADDR, 1);
		option_int(to[i], SOL_IP, IP_PKTINFO, 1);
		t.a.in.sin_addr.s_addr = htonl(one_in(2) ? 0 : group);
		say_result(bind(to[i], &t.a.any, t.len));
		if (!one_in(4))
			join4(to[i], joined);
		option_int(to[i], SOL_IP, IP_MULTICAST_ALL, (int)pick(2));
	}
	say(" if%d", m.imr_ifindex);
	if (!one_in(4))
		say_result(setsockopt(from, SOL_IP, IP_MULTICAST_IF, &m, sizeof(m)));
	option_int(from, SOL_IP, IP_MULTICAST_TTL, (int)pick(3));
	option_int(from, SOL_IP, IP_MULTICAST_LOOP, !one_in(4));
	t.a.in.sin_addr.s_addr = htonl(group);
	say(" send");
	say_result(sendto(from, "abc", 3, 0, &t.a.any, t.len));
	settle();
	for (int i = 0; i < 2; i++) {
		say_one(to[i]);
		close(to[i]);
	}
	close(from);
}

HELPER void multicast6(void)
{
	static const char *const groups[] = {"ff02::77", "ff01::77", "ff05::77"};
	struct ipv6_mreq m = {.ipv6mr_interface = pick(3)};
	int to[2], from = socket_own(true, SOCK_DGRAM);
	struct target t;

	target_loopback(&t, true, port_fresh());
	inet_pton(AF_INET6, ONE_OF(groups), &m.ipv6mr_multiaddr);
	for (int i = 0; i < 2; i++) {
		to[i] = socket_own(true, SOCK_DGRAM);
		option_int(to[i], SOL_SOCKET, SO_REUSEADDR, 1);
		option_int(to[i], SOL_IPV6, IPV6_RECVPKTINFO, 1);
		t.a.in6.sin6_addr = one_in(2) ? in6addr_any : m.ipv6mr_multiaddr;
		t.a.in6.sin6_scope_id = pick(2);
		say_result(bind(to[i], &t.a.any, t.len));
		say(" join%u", m.ipv6mr_interface);
		if (!one_in(4))
			say_result(setsockopt(to[i], SOL_IPV6, IPV6_ADD_MEMBERSHIP, &m,
					      sizeof(m)));
		option_int(to[i], SOL_IPV6, IPV6_MULTICAST_ALL, (int)pick(2));
	}
	if (!one_in(4))
		option_int(from, SOL_IPV6, IPV6_MULTICAST_IF, (int)pick(3));
	option_int(from, SOL_IPV6, IPV6_MULTICAST_HOPS, (int)pick(3));
	option_int(from, SOL_IPV6, IPV6_MULTICAST_LOOP, !one_in(4));
	t.a.in6.sin6_addr = m.ipv6mr_multiaddr;
	t.a.in6.sin6_scope_id = pick(2);
	say(" send");
	say_result(sendto(from, "abc", 3, 0, &t.a.any, t.len));
	settle();
	for (int i = 0; i < 2; i++) {
		say_one(to[i]);
		close(to[i]);
	}
	close(from);
}

HELPER void do_multicast(struct slot *unused)
{
	(void)unused;
	if (!run.own) /* elsewhere it is the host's business */
		return;
	say(" multicast");
	(one_in(2) ? multicast4 : multicast6)();
}

/* ---- TCP_FASTOPEN: without a cookie, as nobody gives one ---- */

HELPER void do_fastopen(struct slot *unused)
{
	bool is6 = one_in(2), has_listener = !one_in(4);
	int to = socket_own(is6, SOCK_STREAM), from = socket_own(is6, SOCK_STREAM), new;
	struct target t;
	char data[16];
	int one = 1;

	(void)unused;
	target_loopback(&t, is6, port_fresh());
	say(" fastopen%s", is6 ? "6" : "");
	say_result(bind(to, &t.a.any, t.len));
	if (one_in(2))
		option_int(to, SOL_TCP, TCP_FASTOPEN, (int)pick(6));
	if (has_listener)
		say_result(listen(to, 5));
	setsockopt(from, SOL_TCP, TCP_NODELAY, &one, sizeof(one));
	fcntl(from, F_SETFL, 0);
	/* of nothing at all Linux makes no request */
	say_result(sendto(from, "abcde", 1 + pick(5),
			  MSG_FASTOPEN | (one_in(4) ? 0 : MSG_NOSIGNAL), &t.a.any,
			  one_in(8) ? pick(16) : t.len));
	settle();
	new = accept4(to, NULL, NULL, SOCK_NONBLOCK);
	say_result(new < 0 ? -1 : 0);
	if (new >= 0) {
		say_result(recv(new, data, sizeof(data), 0));
		/* connected, it is a send as any other, to no other name */
		say_result(sendto(from, "xyz", 3, MSG_FASTOPEN | MSG_NOSIGNAL, &t.a.any,
				  t.len));
		settle();
		say_result(recv(new, data, sizeof(data), 0));
		close(new);
	}
	close(from);
	close(to);
}

/* ---- timeouts ---- */

/* What is there comes at once, and what is not there does not come in a while. */
HELPER void do_timeout(struct slot *unused)
{
	static const int types[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET};
	struct timeval limit = {.tv_usec = 1 + (int)pick(4000)}, read_back;
	socklen_t len = sizeof(read_back);
	bool has_some = one_in(2);
	char data[8];
	int fd[2];

	(void)unused;
	say(" timeout");
	CHECK(socketpair(AF_UNIX, ONE_OF(types), 0, fd) == 0);
	if (one_in(8))
		limit.tv_usec = 1000000;
	say_result(setsockopt(fd[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)));
	CHECK(getsockopt(fd[0], SOL_SOCKET, SO_RCVTIMEO, &read_back, &len) == 0);
	if (limit.tv_usec == 1000000) /* it waits for ever */
		has_some = true;
	if (has_some)
		say_result(send(fd[1], "abc", 3, 0));
	say_result(recv(fd[0], data, 3, one_in(2) ? MSG_WAITALL : 0));
	if (limit.tv_usec != 1000000)
		say_result(recv(fd[0], data, 3, one_in(2) ? MSG_PEEK : MSG_TRUNC));
	setsockopt(fd[1], SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	if (limit.tv_usec != 1000000 && one_in(2)) {
		memset(data_out, 'x', 1000);
		while (send(fd[1], data_out, 1000, 0) > 0)
			;
		say(" %s", strerrorname_np(errno));
	}
	close(fd[0]);
	close(fd[1]);
}

/* ---- shutdown, in each state ---- */

HELPER void say_state(int fd)
{
	struct pollfd p = {.fd = fd, .events = 0x27ff};
	char data[8];

	CHECK(poll(&p, 1, 0) >= 0);
	say(" ");
	say_events((unsigned)p.revents);
	say_result(recv(fd, data, 2, MSG_DONTWAIT));
	say_result(send(fd, "q", 1, MSG_DONTWAIT | MSG_NOSIGNAL));
	settle();
}

HELPER void do_shutdowns(struct slot *unused)
{
	bool is6 = one_in(2), is_tcp = !one_in(4);
	unsigned state = pick(is_tcp ? 6 : 3);
	int fd[3] = {-1, -1, -1}, of;
	struct target t;

	(void)unused;
	target_loopback(&t, is6, port_fresh());
	say(" shutdowns%u %s%d", state, is_tcp ? "tcp" : "udp", is6 ? 6 : 4);
	for (int i = 0; i < 2; i++)
		fd[i] = socket_own(is6, is_tcp ? SOCK_STREAM : SOCK_DGRAM);
	if (state >= 1)
		say_result(bind(fd[0], &t.a.any, t.len));
	if (is_tcp && state >= 2)
		say_result(listen(fd[0], 5));
	if (state >= (is_tcp ? 3 : 2))
		say_result(connect(fd[1], &t.a.any, t.len));
	settle();
	if (is_tcp && state >= 4) {
		fd[2] = accept4(fd[0], NULL, NULL, SOCK_NONBLOCK);
		CHECK(fd[2] >= 0);
		say_result(send(fd[2], "abc", 3, 0));
		settle();
	}
	if (is_tcp && state == 5) { /* reset */
		setsockopt(fd[2], SOL_SOCKET, SO_LINGER, &(struct linger){1, 0},
			   sizeof(struct linger));
		close(fd[2]);
		fd[2] = -1;
		settle();
	}
	for (int i = 0; i < 3; i++) {
		of = fd[pick(3)];
		if (of < 0)
			continue;
		/* Linux's listener that is shut for reading is one no more, but keeps
		 * its port. */
		say(" %d", of == fd[0] ? 0 : of == fd[1] ? 1 : 2);
		say_result(shutdown(of, (int)pick(3)));
		settle();
		say_state(of);
	}
	for (int i = 0; i < 3; i++)
		if (fd[i] >= 0)
			close(fd[i]);
}

/* ---- looking at the first message in several ways ---- */

HELPER void do_peeks(struct slot *s)
{
	static const int ways[] = {MSG_PEEK, MSG_PEEK | MSG_TRUNC, MSG_TRUNC, MSG_PEEK};

	if (is_tcp(s) && notes->urgent_sent_tcp)
		return;
	say(" peeks");
	for (int i = 0; i < 4; i++) {
		size_t size = size_of_buffer(s, pick(2) ? pick(12) : pick(1000));
		int how = ONE_OF(ways) | MSG_DONTWAIT;
		long r;

		memset(data_in, 0, 1000);
		say(" %zu/%x", size, how);
		r = say_size(s, recv(s->fd, data_in, size, how));
		if (r > 0)
			say_received(s, data_in, r > (long)size ? (long)size : r);
	}
}

/* ---- from socket to socket, by way of pipes ---- */

HELPER void do_relay(struct slot *s)
{
	struct slot *to = &slots[pick(SLOTS)];
	size_t size = 1 + pick(300);
	int p[2], q[2];
	long r, copied;

	if (to->fd < 0 || (is_tcp(s) && notes->urgent_sent_tcp) || !may_send(to) ||
	    (notes->urgent_sent && s->domain == AF_UNIX) || is_ping(s) || is_ping(to) ||
	    to->domain == AF_NETLINK || s->domain == AF_NETLINK ||
	    s->domain == AF_PACKET || s->type == SOCK_RAW || to->domain == AF_PACKET)
		return;
	say(" relay s%td %zu", to - slots, size);
	CHECK(pipe2(p, O_NONBLOCK) == 0 && pipe2(q, O_NONBLOCK) == 0);
	r = say_result(splice(s->fd, NULL, p[1], NULL, size, SPLICE_F_NONBLOCK));
	if (r > 0) {
		copied = say_result(tee(p[0], q[1], (size_t)r, SPLICE_F_NONBLOCK));
		say_result(
			splice(p[0], NULL, to->fd, NULL, (size_t)r, SPLICE_F_NONBLOCK));
		if (copied > 0 && read(q[0], data_in, (size_t)copied) == copied)
			say_bytes(data_in, (size_t)copied);
	}
	for (int i = 0; i < 2; i++) {
		close(p[i]);
		close(q[i]);
	}
}
