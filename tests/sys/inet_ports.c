/* SPDX-License-Identifier: MIT */
/* net */
/* inet_ports.c - who may have which port, who gets a connection, and what a socket is
 * after one that failed. */
/* calls: bind listen connect getsockname setsockopt */
#include "inet.h"

#include <net/if.h>
#include <sys/utsname.h>

union address {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

static union address at(int family, const char *text, int port)
{
	union address a;

	memset(&a, 0, sizeof a);
	a.sa.sa_family = (sa_family_t)family;
	if (family == AF_INET) {
		a.in.sin_port = htons((uint16_t)port);
		CHECK(inet_pton(family, text, &a.in.sin_addr) == 1);
	} else {
		a.in6.sin6_port = htons((uint16_t)port);
		CHECK(inet_pton(family, text, &a.in6.sin6_addr) == 1);
	}
	return a;
}

static socklen_t size_of(const union address *a)
{
	return a->sa.sa_family == AF_INET ? sizeof a->in : sizeof a->in6;
}

static int try_bind(int fd, const char *text, int port)
{
	union address a = at(strchr(text, ':') ? AF_INET6 : AF_INET, text, port);

	return bind(fd, &a.sa, size_of(&a));
}

static int make(int family, int type, int option)
{
	int fd = socket(family, type, 0);
	int on = 1;

	CHECK(fd >= 0);
	if (option)
		CHECK(setsockopt(fd, SOL_SOCKET, option, &on, sizeof on) == 0);
	return fd;
}

static void set_v6only(int fd, int on)
{
	CHECK(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) == 0);
}

static int connect_at(int fd, const char *text, int port)
{
	union address a = at(strchr(text, ':') ? AF_INET6 : AF_INET, text, port);

	return connect(fd, &a.sa, size_of(&a));
}

static int make_v6only(void)
{
	int fd = make(AF_INET6, SOCK_STREAM, 0);

	set_v6only(fd, 1);
	return fd;
}

/* Binds b to text and the port that a gets at first: 0 or errno. */
static int try_both(int a, const char *first, int b, const char *second)
{
	CHECK(try_bind(a, first, 0) == 0);
	return try_bind(b, second, port_of(a)) ? errno : 0;
}

/* The machine's other programs may have that port at second, if only by connections that
 * have ended: another try tells. */
#define TRIES 100

/* May a second socket have the port of the first, at these addresses? */
static void two(const char *first, const char *second, int option, int want)
{
	static const int types[] = {SOCK_STREAM, SOCK_DGRAM};

	for (int k = 0; k < 2; k++) {
		int err = -1;

		for (int i = 0; i < TRIES && (!i || (err == EADDRINUSE && !want)); i++) {
			int a = make(strchr(first, ':') ? AF_INET6 : AF_INET, types[k],
				     option);
			int b = make(strchr(second, ':') ? AF_INET6 : AF_INET, types[k],
				     option);

			err = try_both(a, first, b, second);
			close(a);
			close(b);
		}
		CHECK(err == want);
	}
}

static void names_that_overlap_conflict(void)
{
	two("127.0.0.1", "127.0.0.1", 0, EADDRINUSE);
	two("127.0.0.1", "127.0.0.2", 0, 0);
	two("0.0.0.0", "127.0.0.2", 0, EADDRINUSE);
	two("127.0.0.2", "0.0.0.0", 0, EADDRINUSE);
	two("127.0.0.1", "::1", 0, 0);
	two("::1", "127.0.0.1", 0, 0);
	two("::1", "0.0.0.0", 0, 0);
	two("::", "127.0.0.1", 0, EADDRINUSE);
	two("127.0.0.1", "::", 0, EADDRINUSE);
	two("::", "::1", 0, EADDRINUSE);
	two("::ffff:127.0.0.1", "127.0.0.1", 0, EADDRINUSE);
	two("::ffff:127.0.0.1", "127.0.0.2", 0, 0);
	two("127.0.0.1", "127.0.0.1", SO_REUSEADDR, 0);
	two("0.0.0.0", "127.0.0.1", SO_REUSEADDR, 0);
	two("127.0.0.1", "127.0.0.1", SO_REUSEPORT, 0);
	two("::", "0.0.0.0", SO_REUSEPORT, 0);
}

static void ipv6_alone_leaves_ipv4(void)
{
	int a = make_v6only();
	int b = make(AF_INET, SOCK_STREAM, 0);
	int on = 0;
	socklen_t len = sizeof on;
	int err = try_both(a, "::", b, "0.0.0.0");

	for (int i = 1; i < TRIES && err == EADDRINUSE; i++) {
		close(a);
		a = make_v6only();
		err = try_both(a, "::", b, "0.0.0.0");
	}
	CHECK(err == 0);
	FAILS(EINVAL, setsockopt(a, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on));
	FAILS(EINVAL, try_bind(a, "::", 0));
	close(a);
	close(b);
	/* An address of IPv6 makes it one of IPv6 only. */
	a = make(AF_INET6, SOCK_STREAM, 0);
	CHECK(try_bind(a, "::1", 0) == 0);
	CHECK(getsockopt(a, IPPROTO_IPV6, IPV6_V6ONLY, &on, &len) == 0 && on == 1);
	FAILS(ENETUNREACH, connect_at(a, "::ffff:127.0.0.1", 1));
	close(a);
}

static void one_alone_listens(void)
{
	int a = make(AF_INET, SOCK_STREAM, SO_REUSEADDR);
	int b = make(AF_INET, SOCK_STREAM, SO_REUSEADDR);
	int c = make(AF_INET, SOCK_STREAM, SO_REUSEADDR);

	CHECK(try_bind(a, "127.0.0.1", 0) == 0);
	CHECK(try_bind(b, "127.0.0.1", port_of(a)) == 0);
	CHECK(listen(a, 1) == 0);
	FAILS(EADDRINUSE, listen(b, 1));
	FAILS(EADDRINUSE, try_bind(c, "127.0.0.1", port_of(a)));
	CHECK(listen(a, 5) == 0);
	close(a);
	CHECK(listen(b, 1) == 0);
	close(b);
	close(c);
}

static void addresses_of_others_are_not_to_be_had(void)
{
	int fd = make(AF_INET, SOCK_STREAM, 0);
	int fd6 = make(AF_INET6, SOCK_STREAM, 0);
	int on = 1;

	FAILS(EADDRNOTAVAIL, try_bind(fd, "192.0.2.1", 0));
	FAILS(EADDRNOTAVAIL, try_bind(fd6, "2001:db8::1", 0));
	FAILS(EADDRNOTAVAIL, try_bind(fd6, "::ffff:192.0.2.1", 0));
	FAILS(EINVAL, try_bind(fd6, "ff02::1", 0));
	FAILS(EINVAL, try_bind(fd6, "127.0.0.1", 0));
	FAILS(EAFNOSUPPORT, try_bind(fd, "::1", 0));
	CHECK(setsockopt(fd, IPPROTO_IP, IP_FREEBIND, &on, sizeof on) == 0);
	CHECK(try_bind(fd, "192.0.2.1", 0) == 0);
	close(fd);
	close(fd6);
}

static void who_shares_a_port_shares_connections(void)
{
	int listeners[3];
	int got[3] = {0};
	int clients[60];
	int port = 0;

	for (int k = 0; k < 3; k++) {
		listeners[k] = make(AF_INET, SOCK_STREAM, SO_REUSEPORT);
		CHECK(try_bind(listeners[k], "127.0.0.1", port) == 0);
		port = port_of(listeners[k]);
		CHECK(listen(listeners[k], 100) == 0);
	}
	for (int k = 0; k < 60; k++) {
		clients[k] = make(AF_INET, SOCK_STREAM, 0);
		CHECK(connect_at(clients[k], "127.0.0.1", port) == 0);
	}
	for (int k = 0; k < 3; k++) {
		struct pollfd p = {.fd = listeners[k], .events = POLLIN};

		while (poll(&p, 1, 0) == 1) {
			int fd = accept(listeners[k], NULL, NULL);

			CHECK(fd >= 0);
			close(fd);
			got[k]++;
		}
		close(listeners[k]);
	}
	CHECK(got[0] && got[1] && got[2] && got[0] + got[1] + got[2] == 60);
	for (int k = 0; k < 60; k++)
		close(clients[k]);
}

static void the_better_address_gets_it(void)
{
	int any = make(AF_INET, SOCK_STREAM, SO_REUSEPORT);
	int one = make(AF_INET, SOCK_STREAM, SO_REUSEPORT);
	int c = make(AF_INET, SOCK_STREAM, 0);
	int d = make(AF_INET, SOCK_STREAM, 0);
	struct pollfd p = {.events = POLLIN};

	CHECK(try_bind(any, "0.0.0.0", 0) == 0 && listen(any, 5) == 0);
	CHECK(try_bind(one, "127.0.0.2", port_of(any)) == 0 && listen(one, 5) == 0);
	CHECK(connect_at(c, "127.0.0.2", port_of(any)) == 0);
	p.fd = any;
	CHECK(poll(&p, 1, 0) == 0);
	p.fd = one;
	CHECK(poll(&p, 1, 20000) == 1);
	CHECK(connect_at(d, "127.0.0.3", port_of(any)) == 0);
	p.fd = any;
	CHECK(poll(&p, 1, 20000) == 1);
	close(any);
	close(one);
	close(c);
	close(d);
}

static void a_refused_socket_may_try_again(void)
{
	int fd = make(AF_INET, SOCK_STREAM, 0);
	int l = make(AF_INET, SOCK_STREAM, 0);
	int port;

	CHECK(try_bind(l, "127.0.0.1", 0) == 0);
	port = port_of(l);
	for (int k = 0; k < 200; k++)
		FAILS(ECONNREFUSED, connect_at(fd, "127.0.0.1", port));
	CHECK(listen(l, 1) == 0);
	CHECK(connect_at(fd, "127.0.0.1", port) == 0);
	FAILS(EISCONN, connect_at(fd, "127.0.0.1", port));
	close(fd);
	close(l);
}

static void refusal_is_told_to_who_does_not_wait(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	int l = make(AF_INET, SOCK_STREAM, 0);
	struct pollfd p = {.fd = fd, .events = POLLIN | POLLOUT};
	int err;
	socklen_t len = sizeof err;

	CHECK(fd >= 0 && try_bind(l, "127.0.0.1", 0) == 0);
	CHECK(poll(&p, 1, 0) == 1 && p.revents == (POLLOUT | POLLHUP));
	FAILS(EINPROGRESS, connect_at(fd, "127.0.0.1", port_of(l)));
	CHECK(poll(&p, 1, 20000) == 1);
	CHECK(p.revents == (POLLIN | POLLOUT | POLLERR | POLLHUP));
	CHECK(getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len) == 0);
	CHECK(err == ECONNREFUSED);
	FAILS(ECONNABORTED, connect_at(fd, "127.0.0.1", port_of(l)));
	FAILS(EINPROGRESS, connect_at(fd, "127.0.0.1", port_of(l)));
	CHECK(poll(&p, 1, 20000) == 1);
	FAILS(ECONNREFUSED, connect_at(fd, "127.0.0.1", port_of(l)));
	close(fd);
	close(l);
}

static void a_socket_may_connect_to_itself(void)
{
	int fd = make(AF_INET, SOCK_STREAM, 0);
	union address a;
	union address b;
	socklen_t len = sizeof a;
	char got[8] = {0};

	CHECK(try_bind(fd, "127.0.0.1", 0) == 0);
	CHECK(connect_at(fd, "127.0.0.1", port_of(fd)) == 0);
	CHECK(getsockname(fd, &a.sa, &len) == 0);
	CHECK(getpeername(fd, &b.sa, &len) == 0);
	CHECK(a.in.sin_port == b.in.sin_port);
	CHECK(send(fd, "hello", 5, 0) == 5);
	CHECK(recv(fd, got, sizeof got, 0) == 5 && !memcmp(got, "hello", 5));
	CHECK(send(fd, "bye", 3, 0) == 3);
	CHECK(shutdown(fd, SHUT_WR) == 0);
	CHECK(recv(fd, got, sizeof got, 0) == 3);
	CHECK(recv(fd, got, sizeof got, 0) == 0);
	FAILS(EPIPE, send(fd, "x", 1, MSG_NOSIGNAL));
	close(fd);
}

static void what_is_unbound_gets_a_port_of_the_range(void)
{
	int l = make(AF_INET, SOCK_STREAM, 0);
	int fd = make(AF_INET, SOCK_STREAM, 0);
	union address a;
	socklen_t len = sizeof a;

	CHECK(listen(l, 1) == 0);
	CHECK(port_of(l) >= 32768 && port_of(l) <= 60999);
	CHECK(connect_at(fd, "127.0.0.9", port_of(l)) == 0);
	CHECK(port_of(fd) >= 32768 && port_of(fd) <= 60999);
	CHECK(getsockname(fd, &a.sa, &len) == 0);
	CHECK(a.in.sin_addr.s_addr == htonl(INADDR_LOOPBACK));
	/* An end, and it is as it was. */
	a.sa.sa_family = AF_UNSPEC;
	CHECK(connect(fd, &a.sa, sizeof a.sa) == 0);
	CHECK(listen(fd, 1) == 0 && port_of(fd) != 0);
	close(fd);
	close(l);
}

/* Inside, with the host's network, they do not: docs/compat.md. */
static bool is_exact(void)
{
	struct utsname u;

	CHECK(uname(&u) == 0);
	if (!strstr(u.release, "carbyne"))
		return true;
	struct if_nameindex *all = if_nameindex();
	CHECK(all);
	bool is_alone = all[0].if_index && !all[1].if_index;

	if_freenameindex(all);
	return is_alone;
}

static void accepted_sockets_keep_the_port(void)
{
	if (!is_exact())
		return;
	int l = make(AF_INET, SOCK_STREAM, 0);
	int c = make(AF_INET, SOCK_STREAM, 0);
	int again = make(AF_INET, SOCK_STREAM, 0);
	int port;
	int fd;

	CHECK(try_bind(l, "127.0.0.1", 0) == 0 && listen(l, 1) == 0);
	port = port_of(l);
	CHECK(connect_at(c, "127.0.0.1", port) == 0);
	fd = accept(l, NULL, NULL);
	CHECK(fd >= 0);
	close(l);
	FAILS(EADDRINUSE, try_bind(again, "127.0.0.1", port));
	/* The one who ends it first is the client: nothing is left here. */
	close(c);
	CHECK(read(fd, &port, 1) == 0);
	close(fd);
	close(again);
}

static void a_full_queue_makes_others_wait(void)
{
	int l = make(AF_INET, SOCK_STREAM, 0);
	int c[3];
	struct pollfd p = {.events = POLLOUT};

	CHECK(try_bind(l, "127.0.0.1", 0) == 0 && listen(l, 1) == 0);
	for (int k = 0; k < 3; k++) {
		c[k] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		FAILS(EINPROGRESS, connect_at(c[k], "127.0.0.1", port_of(l)));
	}
	p.fd = c[1];
	CHECK(poll(&p, 1, 20000) == 1 && p.revents == POLLOUT);
	p.fd = c[2];
	CHECK(poll(&p, 1, 50) == 0);
	for (int k = 0; k < 3; k++)
		close(c[k]);
	close(l);
}

static void options_come_with_the_connection(void)
{
	int l = make(AF_INET, SOCK_STREAM, SO_KEEPALIVE);
	int c = make(AF_INET, SOCK_STREAM, 0);
	int n = 7;
	int fd;
	socklen_t len = sizeof n;

	CHECK(setsockopt(l, IPPROTO_TCP, TCP_KEEPCNT, &n, sizeof n) == 0);
	CHECK(try_bind(l, "127.0.0.1", 0) == 0 && listen(l, 1) == 0);
	CHECK(connect_at(c, "127.0.0.1", port_of(l)) == 0);
	n = 3;
	CHECK(setsockopt(l, IPPROTO_TCP, TCP_KEEPCNT, &n, sizeof n) == 0);
	fd = accept(l, NULL, NULL);
	CHECK(getsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &n, &len) == 0 && n == 7);
	CHECK(getsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &n, &len) == 0 && n == 1);
	close(fd);
	close(c);
	close(l);
}

RUN(TEST(names_that_overlap_conflict), TEST(ipv6_alone_leaves_ipv4),
    TEST(one_alone_listens), TEST(addresses_of_others_are_not_to_be_had),
    TEST(who_shares_a_port_shares_connections), TEST(the_better_address_gets_it),
    TEST(a_refused_socket_may_try_again), TEST(refusal_is_told_to_who_does_not_wait),
    TEST(a_socket_may_connect_to_itself), TEST(what_is_unbound_gets_a_port_of_the_range),
    TEST(accepted_sockets_keep_the_port), TEST(a_full_queue_makes_others_wait),
    TEST(options_come_with_the_connection))
