/* SPDX-License-Identifier: MIT */
/* net */
/* socket_details.c - what tests/stress/differ_socket.c has found to be otherwise than on
 * Linux: which error comes first, and what is left behind. Where Linux has changed its
 * mind lately, both answers pass. */
/* calls: connect sendto recvfrom sendfile splice recvmmsg getsockopt setsockopt fcntl */
#include "own_net.h"

#include <linux/sockios.h>
#include <sys/sendfile.h>
#include <sys/un.h>

#define FAILS_EITHER(a, b, call) CHECK((call) == -1 && (errno == (a) || errno == (b)))

static int pair_of(int fd[2])
{
	int l = listener();

	fd[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK(connect_to(fd[0], port_of(l)) == 0);
	fd[1] = accept4(l, NULL, NULL, SOCK_CLOEXEC);
	CHECK(fd[1] >= 0);
	return l;
}

static void close_all(const int *fd, int count)
{
	for (int i = 0; i < count; i++)
		CHECK(close(fd[i]) == 0);
}

static void unix_orders(void)
{
	int d = socket(AF_UNIX, SOCK_DGRAM, 0), q = socket(AF_UNIX, SOCK_SEQPACKET, 0);
	int n, fd[2];
	char c;
	struct sockaddr_un name;
	socklen_t len = sizeof(name);

	CHECK(shutdown(d, SHUT_WR) == 0);
	FAILS_EITHER(EPIPE, ENOTCONN, send(d, "a", 1, 0));
	FAILS(ENOTCONN, recv(q, &c, 1, MSG_OOB));
	n = ioctl(d, SIOCATMARK, &n);
	CHECK(n == 0 || errno == EOPNOTSUPP);
	FAILS(EOPNOTSUPP, setsockopt(d, SOL_TCP, 1, NULL, 4));
	FAILS(EOPNOTSUPP, getsockopt(d, SOL_IP, 1, &n, NULL));
	CHECK(close(d) == 0 && close(q) == 0);

	/* Who reads nothing of something is told whose it is. */
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, fd) == 0);
	name = (struct sockaddr_un){.sun_family = AF_UNIX, .sun_path = "name"};
	CHECK(bind(fd[0], (struct sockaddr *)&name, sizeof(name)) == 0);
	CHECK(write(fd[0], "a", 1) == 1);
	CHECK(recvfrom(fd[1], &c, 0, 0, (struct sockaddr *)&name, &len) == 0 && len > 2);
	close_all(fd, 2);
	CHECK(unlink("name") == 0);
}

static void sockets_are_not_direct(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	FAILS(EINVAL, fcntl(fd, F_SETFL, O_DIRECT | O_APPEND));
	CHECK(close(fd) == 0);
}

static void a_pipe_takes_one_packet(void)
{
	int s[2], p[2];
	char c[8];

	CHECK(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, s) == 0 && pipe(p) == 0);
	FAILS(EAGAIN, sendfile(p[1], s[1], NULL, 10));
	for (int i = 0; i < 3; i++)
		CHECK(write(s[0], "abc", 3) == 3);
	CHECK(sendfile(p[1], s[1], NULL, 10) == 3);
	CHECK(splice(s[1], NULL, p[1], NULL, 10, 0) == 3);
	CHECK(read(p[0], c, 8) == 6);
	FAILS(EINVAL, sendfile(s[0], s[1], NULL, 10));
	close_all(s, 2);
	close_all(p, 2);
}

static void options(void)
{
	int four = socket(AF_INET, SOCK_DGRAM, 0), six = socket(AF_INET6, SOCK_DGRAM, 0);
	int n = 1, fd[2], l = pair_of(fd);
	socklen_t len = sizeof(n);

	FAILS(EOPNOTSUPP, getsockopt(four, 999, 1, &n, &len));
	FAILS(ENOPROTOOPT, getsockopt(six, 999, 1, &n, &len));
	CHECK(getsockopt(four, SOL_SOCKET, SO_ACCEPTCONN, &n, &len) == 0 && n == 0);
	if (setsockopt(four, SOL_SOCKET, SO_PASSCRED, &n, sizeof(n)))
		CHECK(errno == EOPNOTSUPP);
	CHECK(set_option(six, SOL_IPV6, IPV6_V6ONLY, 1) == 0);
	close_all(fd, 2);
	CHECK(close(l) == 0 && close(four) == 0 && close(six) == 0);
	six = socket(AF_INET6, SOCK_STREAM, 0);
	CHECK(bind6(six, "::1", 0) == 0 && listen(six, 5) == 0);
	fd[0] = socket(AF_INET6, SOCK_STREAM, 0);
	CHECK(connect(fd[0],
		      (struct sockaddr *)&(struct sockaddr_in6){
			      .sin6_family = AF_INET6,
			      .sin6_port = htons(port_of(six)),
			      .sin6_addr = IN6ADDR_LOOPBACK_INIT},
		      sizeof(struct sockaddr_in6)) == 0);
	FAILS(EINVAL, set_option(fd[0], SOL_IPV6, IPV6_V6ONLY, 1));
	CHECK(getsockopt(fd[0], SOL_IPV6, IPV6_ADDRFORM, &n, &len) == 0 && n == AF_INET6);
	CHECK(close(fd[0]) == 0 && close(six) == 0);
}

static void who_listens_connects_nowhere(void)
{
	int l = listener(), fd[2];
	struct sockaddr_in a = loopback(port_of(l));

	FAILS(EISCONN, connect(l, (struct sockaddr *)&a, sizeof(a)));
	fd[0] = socket(AF_INET, SOCK_STREAM, 0);
	CHECK(connect_to(fd[0], port_of(l)) == 0);
	CHECK(ready(l, POLLIN, 5000) == POLLIN);
	fd[1] = accept(l, NULL, NULL);
	CHECK(fd[1] >= 0);
	/* Nor who was accepted. */
	FAILS(EISCONN, connect(fd[1], (struct sockaddr *)&a, sizeof(a)));
	close_all(fd, 2);
	CHECK(close(l) == 0);
}

static void data_for_nobody_reset_both(void)
{
	int fd[2], l = pair_of(fd);
	char c;

	CHECK(shutdown(fd[1], SHUT_RDWR) == 0);
	CHECK(recv(fd[0], &c, 1, 0) == 0);
	CHECK(send(fd[0], "a", 1, MSG_NOSIGNAL) == 1);
	CHECK(ready(fd[0], POLLERR, 5000) & POLLERR);
	FAILS(EPIPE, send(fd[0], "a", 1, MSG_NOSIGNAL));
	CHECK(ready(fd[1], POLLERR, 5000) & POLLERR);
	close_all(fd, 2);
	CHECK(close(l) == 0);
	l = pair_of(fd);
	CHECK(close(fd[1]) == 0 && recv(fd[0], &c, 1, 0) == 0);
	FAILS(EFAULT, send(fd[0], bad_address(1), 1, MSG_NOSIGNAL));
	CHECK(send(fd[0], "a", 1, MSG_NOSIGNAL) == 1);
	CHECK(close(fd[0]) == 0 && close(l) == 0);
}

static void nothing_does_not_pass_the_mark(void)
{
	int fd[2], l = pair_of(fd), at = 0;
	char c;

	CHECK(send(fd[0], "a", 1, MSG_OOB) == 1 && send(fd[0], "b", 1, 0) == 1);
	CHECK(ready(fd[1], POLLPRI, 5000) == POLLPRI);
	do
		CHECK(recv(fd[1], &c, 0, 0) == 0);
	while (recv(fd[1], &c, 1, MSG_PEEK) != 1);
	CHECK(c == 'b' && ioctl(fd[1], SIOCATMARK, &at) == 0 && at == 1);
	close_all(fd, 2);
	CHECK(close(l) == 0);
}

static void urgent_data_take_no_error(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), closed = listener();
	struct sockaddr_in a = loopback(port_of(closed));
	char c;
	int err;
	socklen_t len = sizeof(err);

	CHECK(close(closed) == 0);
	FAILS(EINPROGRESS, connect(fd, (struct sockaddr *)&a, sizeof(a)));
	CHECK(ready(fd, POLLIN, 5000) & POLLERR);
	FAILS(EINVAL, recv(fd, &c, 1, MSG_OOB));
	a.sin_family = AF_UNSPEC;
	CHECK(connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0);
	/* nor does who gives the connection up */
	CHECK(getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len) == 0 &&
	      err == ECONNREFUSED);
	CHECK(close(fd) == 0);
}

static void datagram_names(void)
{
	int fd = udp4(), six = udp6();
	struct sockaddr_in a = loopback(0);
	struct mmsghdr m = {0};

	FAILS(EDESTADDRREQ, send(fd, "a", 1, 0));
	CHECK(port_of(fd) != 0);
	CHECK(ready(fd, POLLOUT | POLLWRBAND, 0) == (POLLOUT | POLLWRBAND));
	CHECK(connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0);
	FAILS(ENOTCONN, getpeername(fd, (struct sockaddr *)&a, &(socklen_t){sizeof(a)}));
	a = (struct sockaddr_in){.sin_family = AF_UNSPEC};
	CHECK(connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0 && port_of(fd) == 0);
	FAILS(EAGAIN, recvmmsg(fd, &m, 1, MSG_ERRQUEUE | MSG_DONTWAIT, NULL));
	/* A name that was got by connect(2) does not keep from IPv4. */
	CHECK(bind4(fd, "127.0.0.1", 0) == 0);
	CHECK(connect(six,
		      (struct sockaddr *)&(struct sockaddr_in6){
			      .sin6_family = AF_INET6,
			      .sin6_port = htons(9),
			      .sin6_addr = IN6ADDR_LOOPBACK_INIT},
		      sizeof(struct sockaddr_in6)) == 0);
	CHECK(send6(six, "::ffff:127.0.0.1", port_of(fd), "hello") == 5);
	CHECK(gets(fd, "hello"));
	CHECK(close(fd) == 0 && close(six) == 0);
	six = udp6();
	CHECK(bind6(six, "::ffff:127.0.0.1", 0) == 0);
	FAILS(EAFNOSUPPORT, send6(six, "::1", 9, "hello"));
	CHECK(close(six) == 0);
}

RUN(TEST(unix_orders), TEST(sockets_are_not_direct), TEST(a_pipe_takes_one_packet),
    TEST(options), TEST(who_listens_connects_nowhere), TEST(data_for_nobody_reset_both),
    TEST(nothing_does_not_pass_the_mark), TEST(urgent_data_take_no_error),
    TEST(datagram_names))
