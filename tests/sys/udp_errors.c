/* SPDX-License-Identifier: MIT */
/* net */
/* udp_errors.c - what a datagram that nobody wants, or that does not fit, leads to: of
 * IPv4, IPv6 and mapped addresses. */
/* calls: bind sendto sendmsg recvmsg getsockopt setsockopt */
#include "own_net.h"

#include <linux/errqueue.h>
#include <pthread.h>

enum { CLOSED = 9, RACES = 500 };

static bool is_alone;

static struct sock_extended_err *error_of(struct received *r, int level, int type)
{
	return control_of(r, level, type);
}

static void refusals_are_queued(void)
{
	struct received r;
	struct sock_extended_err *e;
	struct sockaddr_in *who;
	int fd = udp4();

	CHECK(set_option(fd, SOL_IP, IP_RECVERR, 1) == 0);
	CHECK(send4(fd, "127.0.0.1", CLOSED, "hello") == 5);
	CHECK(ready(fd, POLLIN, 20000) == POLLERR);
	CHECK(receive(fd, &r, MSG_ERRQUEUE) == 5 && !memcmp(r.data, "hello", 5));
	CHECK(r.h.msg_flags == MSG_ERRQUEUE);
	e = error_of(&r, SOL_IP, IP_RECVERR);
	CHECK(e && e->ee_errno == ECONNREFUSED && e->ee_origin == SO_EE_ORIGIN_ICMP);
	CHECK(e->ee_type == 3 && e->ee_code == 3);
	who = (struct sockaddr_in *)SO_EE_OFFENDER(e);
	CHECK(who->sin_family == AF_INET &&
	      who->sin_addr.s_addr == htonl(INADDR_LOOPBACK));
	who = (struct sockaddr_in *)&r.name;
	CHECK(ntohs(who->sin_port) == CLOSED);
	FAILS(EAGAIN, receive(fd, &r, MSG_ERRQUEUE));
	CHECK(option(fd, SOL_SOCKET, SO_ERROR) == 0);
	CHECK(close(fd) == 0);
}

/* A call that answers with the error leaves the queue as it is. */
static void errors_are_told_once(void)
{
	struct received r;
	int fd = udp4();

	CHECK(set_option(fd, SOL_IP, IP_RECVERR, 1) == 0);
	CHECK(send4(fd, "127.0.0.1", CLOSED, "1") == 1);
	FAILS(ECONNREFUSED, send4(fd, "127.0.0.1", CLOSED, "2"));
	CHECK(send4(fd, "127.0.0.1", CLOSED, "3") == 1);
	FAILS(ECONNREFUSED, recv(fd, &r, 1, MSG_DONTWAIT));
	FAILS(EAGAIN, recv(fd, &r, 1, MSG_DONTWAIT));
	CHECK(receive(fd, &r, MSG_ERRQUEUE) == 1 && r.data[0] == '1');
	CHECK(option(fd, SOL_SOCKET, SO_ERROR) == ECONNREFUSED); /* the next one's */
	CHECK(option(fd, SOL_SOCKET, SO_ERROR) == 0);
	CHECK(set_option(fd, SOL_IP, IP_RECVERR, 0) == 0);
	FAILS(EAGAIN, receive(fd, &r, MSG_ERRQUEUE));
	CHECK(close(fd) == 0);
}

static void quotes_are_cut(void)
{
	static char big[2000];
	struct sockaddr_in a = loopback(CLOSED);
	struct sockaddr_in6 a6 = loopback6(CLOSED);
	struct received r;
	int fd = udp4();
	int six = udp6();

	CHECK(set_option(fd, SOL_IP, IP_RECVERR, 1) == 0);
	CHECK(sendto(fd, big, sizeof(big), 0, (void *)&a, sizeof(a)) == sizeof(big));
	CHECK(receive(fd, &r, MSG_ERRQUEUE) == 520);
	CHECK(set_option(six, SOL_IPV6, IPV6_RECVERR, 1) == 0);
	CHECK(sendto(six, big, sizeof(big), 0, (void *)&a6, sizeof(a6)) == sizeof(big));
	CHECK(receive(six, &r, MSG_ERRQUEUE) == 1184);
	CHECK(close(fd) == 0 && close(six) == 0);
}

static void ipv6_has_its_own(void)
{
	struct received r;
	struct sock_extended_err *e;
	struct sockaddr_in6 *who;
	int fd = udp6();

	CHECK(set_option(fd, SOL_IPV6, IPV6_RECVERR, 1) == 0);
	CHECK(send6(fd, "::1", CLOSED, "six") == 3);
	CHECK(receive(fd, &r, MSG_ERRQUEUE) == 3);
	e = error_of(&r, SOL_IPV6, IPV6_RECVERR);
	CHECK(e && e->ee_origin == SO_EE_ORIGIN_ICMP6 && e->ee_type == 1 &&
	      e->ee_code == 4);
	CHECK(send6(fd, "::ffff:127.0.0.1", CLOSED, "four") == 4);
	FAILS(EAGAIN, receive(fd, &r, MSG_ERRQUEUE)); /* that is IPv4's */
	CHECK(set_option(fd, SOL_IP, IP_RECVERR, 1) == 0);
	CHECK(send6(fd, "::ffff:127.0.0.1", CLOSED, "four") == 4);
	CHECK(receive(fd, &r, MSG_ERRQUEUE) == 4);
	e = error_of(&r, SOL_IPV6, IPV6_RECVERR);
	CHECK(e && e->ee_origin == SO_EE_ORIGIN_ICMP && e->ee_type == 3);
	who = (struct sockaddr_in6 *)SO_EE_OFFENDER(e);
	CHECK(who->sin6_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&who->sin6_addr));
	CHECK(close(fd) == 0);
}

static void sizes_have_limits(void)
{
	static char big[65536];
	struct sockaddr_in a;
	struct sockaddr_in6 a6;
	struct sock_extended_err *e;
	struct received r;
	int to = socket_at(SOCK_DGRAM, 0);
	int to6 = udp6();
	int fd = udp4();
	int fd6 = udp6();

	a = loopback(port_of(to));
	CHECK(bind6(to6, "::1", 0) == 0);
	a6 = loopback6(port_of(to6));
	CHECK(sendto(fd, big, 65507, 0, (void *)&a, sizeof(a)) == 65507);
	CHECK(recv(to, big, sizeof(big), 0) == 65507);
	FAILS(EMSGSIZE, sendto(fd, big, 65508, 0, (void *)&a, sizeof(a)));
	CHECK(sendto(fd6, big, 65527, 0, (void *)&a6, sizeof(a6)) == 65527);
	CHECK(recv(to6, big, sizeof(big), 0) == 65527);
	FAILS(EMSGSIZE, sendto(fd6, big, 65528, 0, (void *)&a6, sizeof(a6)));
	CHECK(set_option(fd, SOL_IP, IP_RECVERR, 1) == 0);
	FAILS(EMSGSIZE, sendto(fd, big, 65508, 0, (void *)&a, sizeof(a)));
	CHECK(option(fd, SOL_SOCKET, SO_ERROR) == 0);
	CHECK(receive(fd, &r, MSG_ERRQUEUE) == 0);
	e = error_of(&r, SOL_IP, IP_RECVERR);
	CHECK(e && e->ee_errno == EMSGSIZE && e->ee_origin == SO_EE_ORIGIN_LOCAL);
	CHECK(e->ee_info == 65535);
	CHECK(close(fd) == 0 && close(fd6) == 0 && close(to) == 0 && close(to6) == 0);
}

/* What a name's length and family say. */
static void names_are_checked(void)
{
	struct sockaddr_in6 a6 = loopback6(CLOSED);
	struct sockaddr_in a = loopback(CLOSED);
	struct sockaddr_in none = {.sin_family = AF_UNSPEC,
				   .sin_port = htons(CLOSED),
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = udp4();
	int six = udp6();

	FAILS(EINVAL, sendto(fd, "x", 1, 0, (void *)&a, 15));
	CHECK(sendto(fd, "x", 1, 0, (void *)&none, sizeof(none)) == 1);
	FAILS(EAFNOSUPPORT, sendto(fd, "x", 1, 0, (void *)&a6, sizeof(a6)));
	FAILS(EINVAL, sendto(six, "x", 1, 0, (void *)&a6, 23));
	CHECK(sendto(six, "x", 1, 0, (void *)&a6, 24) == 1);
	CHECK(sendto(six, "x", 1, 0, (void *)&a, sizeof(a)) == 1); /* as mapped */
	FAILS(EDESTADDRREQ, sendto(six, "x", 1, 0, (void *)&none, sizeof(none)));
	a.sin_port = 0;
	FAILS(EINVAL, sendto(fd, "x", 1, 0, (void *)&a, sizeof(a)));
	a6.sin6_port = 0;
	FAILS(EINVAL, sendto(six, "x", 1, 0, (void *)&a6, sizeof(a6)));
	CHECK(set_option(six, SOL_IPV6, IPV6_V6ONLY, 1) < 0); /* it has a port */
	CHECK(close(fd) == 0 && close(six) == 0);
}

/* What does not fit into SO_RCVBUF is lost, and counted. */
static void buffers_overflow(void)
{
	struct received r;
	int fd = udp4();
	int to = socket_at(SOCK_DGRAM, 0);
	int count = 0;
	char buf[1000] = {0};

	CHECK(set_option(to, SOL_SOCKET, SO_RCVBUF, 1) == 0); /* the least */
	CHECK(set_option(to, SOL_SOCKET, SO_RXQ_OVFL, 1) == 0);
	CHECK(connect_to(fd, port_of(to)) == 0);
	for (int i = 0; i < 20; i++)
		CHECK(send(fd, buf, sizeof(buf), 0) == sizeof(buf));
	while (recv(to, buf, sizeof(buf), MSG_DONTWAIT) == sizeof(buf))
		count++;
	CHECK(count >= 1 && count < 10);
	CHECK(send(fd, "x", 1, 0) == 1 && receive(to, &r, 0) == 1);
	CHECK(control_int(&r, SOL_SOCKET, SO_RXQ_OVFL) == 20 - count);
	CHECK(close(fd) == 0 && close(to) == 0);
}

static void peeks_move_on(void)
{
	char buf[8];
	int fd[2];

	udp_pair(fd);
	CHECK(set_option(fd[1], SOL_SOCKET, SO_PEEK_OFF, 1) == 0);
	CHECK(send(fd[0], "abcdef", 6, 0) == 6 && send(fd[0], "gh", 2, 0) == 2);
	CHECK(recv(fd[1], buf, 2, MSG_PEEK) == 2 && !memcmp(buf, "bc", 2));
	CHECK(option(fd[1], SOL_SOCKET, SO_PEEK_OFF) == 3);
	CHECK(recv(fd[1], buf, 8, MSG_PEEK) == 3 && !memcmp(buf, "def", 3));
	CHECK(recv(fd[1], buf, 8, MSG_PEEK) == 2 && !memcmp(buf, "gh", 2));
	CHECK(recv(fd[1], buf, 8, 0) == 6);
	CHECK(option(fd[1], SOL_SOCKET, SO_PEEK_OFF) == 2);
	CHECK(recv(fd[1], buf, 1, MSG_TRUNC) == 2);
	close_pair(fd);
}

/* MSG_TRUNC tells the whole size, also from within, and the offset goes by what is told;
 * back by what a receive tells. */
static void peeks_go_by_what_they_tell(void)
{
	char buf[8];
	int fd[2];

	udp_pair(fd);
	CHECK(set_option(fd[1], SOL_SOCKET, SO_PEEK_OFF, 3) == 0);
	CHECK(send(fd[0], "abcdefghij", 10, 0) == 10);
	CHECK(send(fd[0], "0123456", 7, 0) == 7);
	CHECK(recv(fd[1], buf, 3, MSG_PEEK | MSG_TRUNC) == 10 && !memcmp(buf, "def", 3));
	CHECK(option(fd[1], SOL_SOCKET, SO_PEEK_OFF) == 13);
	CHECK(recv(fd[1], buf, 3, MSG_PEEK) == 3 && !memcmp(buf, "345", 3));
	CHECK(recv(fd[1], buf, 3, 0) == 3);
	CHECK(option(fd[1], SOL_SOCKET, SO_PEEK_OFF) == 13);
	CHECK(recv(fd[1], buf, 3, MSG_TRUNC) == 7);
	CHECK(option(fd[1], SOL_SOCKET, SO_PEEK_OFF) == 6);
	CHECK(set_option(fd[1], SOL_SOCKET, SO_PEEK_OFF, 0) == 0);
	CHECK(send(fd[0], "", 0, 0) == 0 && send(fd[0], "x", 1, 0) == 1);
	CHECK(recv(fd[1], buf, 3, MSG_PEEK) == 0);
	CHECK(recv(fd[1], buf, 3, MSG_PEEK) == 1 && buf[0] == 'x');
	close_pair(fd);
}

/* What is too large is found before an error that waits; MSG_PROBE looks at neither. */
static void a_size_comes_before_an_error(void)
{
	static char large[65530];
	int fd = udp4();

	CHECK(connect4(fd, "127.0.0.1", CLOSED) == 0);
	CHECK(send(fd, "x", 1, 0) == 1);
	CHECK(ready(fd, POLLERR, 20000) == POLLERR);
	FAILS(EMSGSIZE, send(fd, large, sizeof(large), 0));
	CHECK(send(fd, large, sizeof(large), MSG_PROXY) == sizeof(large));
	CHECK(send(fd, "x", 1, MSG_PROXY) == 1);
	FAILS(ECONNREFUSED, send(fd, "x", 1, 0));
	CHECK(shutdown(fd, SHUT_WR) == 0);
	FAILS(EMSGSIZE, send(fd, large, sizeof(large), 0));
	CHECK(send(fd, "x", 1, MSG_PROXY) == 1);
	FAILS(EPIPE, send(fd, "x", 1, MSG_NOSIGNAL));
	CHECK(close(fd) == 0);
}

static int racer;
static pthread_barrier_t start;

static void *send_first(void *arg)
{
	for (int k = 0; k < RACES; k++) {
		pthread_barrier_wait(&start);
		CHECK(send4(racer, "127.0.0.1", CLOSED, "x") == 1);
		pthread_barrier_wait(&start);
	}
	return arg;
}

/* Whoever is first names the socket. */
static void bind_races_with_sending(void)
{
	pthread_t thread;

	if (!is_alone)
		return; /* others may want a port that is taken at all addresses */
	CHECK(pthread_barrier_init(&start, NULL, 2) == 0);
	CHECK(pthread_create(&thread, NULL, send_first, NULL) == 0);
	for (int k = 0; k < RACES; k++) {
		int err;

		racer = udp4();
		pthread_barrier_wait(&start);
		err = bind4(racer, "127.0.0.1", 0) ? errno : 0;
		pthread_barrier_wait(&start);
		CHECK(err == 0 || err == EINVAL);
		CHECK(close(racer) == 0);
	}
	CHECK(pthread_join(thread, NULL) == 0);
	CHECK(pthread_barrier_destroy(&start) == 0);
}

int main(void)
{
	const struct test all[] = {
		TEST(refusals_are_queued),
		TEST(errors_are_told_once),
		TEST(quotes_are_cut),
		TEST(ipv6_has_its_own),
		TEST(sizes_have_limits),
		TEST(names_are_checked),
		TEST(buffers_overflow),
		TEST(peeks_move_on),
		TEST(peeks_go_by_what_they_tell),
		TEST(a_size_comes_before_an_error),
		TEST(bind_races_with_sending),
	};

	is_alone = own_network();
	return test_main(all, sizeof(all) / sizeof(all[0]));
}
