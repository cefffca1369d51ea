/* SPDX-License-Identifier: MIT */
/* inet.h - sockets of 127.0.0.1 and ::1 for tests: the port is always the host's choice.
 */
#pragma once
#include "asleep.h"
#include "fixture.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>

HELPER struct sockaddr_in loopback(uint16_t port)
{
	return (struct sockaddr_in){.sin_family = AF_INET,
				    .sin_port = htons(port),
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

HELPER struct sockaddr_in6 loopback6(uint16_t port)
{
	return (struct sockaddr_in6){.sin6_family = AF_INET6,
				     .sin6_port = htons(port),
				     .sin6_addr = IN6ADDR_LOOPBACK_INIT};
}

/* The port that a socket of either family has. */
HELPER uint16_t port_of(int fd)
{
	struct sockaddr_in6 a; /* both have the port in one place */
	socklen_t len = sizeof(a);

	CHECK(getsockname(fd, (struct sockaddr *)&a, &len) == 0);
	return ntohs(a.sin6_port);
}

HELPER int socket_at(int type, uint16_t port)
{
	struct sockaddr_in a = loopback(port);
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	CHECK(fd >= 0);
	CHECK(bind(fd, (struct sockaddr *)&a, sizeof(a)) == 0);
	return fd;
}

HELPER int listener(void)
{
	int fd = socket_at(SOCK_STREAM, 0);

	CHECK(listen(fd, 16) == 0);
	return fd;
}

HELPER int connect_to(int fd, uint16_t port)
{
	struct sockaddr_in a = loopback(port);

	return connect(fd, (struct sockaddr *)&a, sizeof(a));
}

/* A connection: [0] is the side that connected. */
HELPER void tcp_pair(int fd[2])
{
	int l = listener();

	fd[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK(fd[0] >= 0);
	CHECK(connect_to(fd[0], port_of(l)) == 0);
	fd[1] = accept4(l, NULL, NULL, SOCK_CLOEXEC);
	CHECK(fd[1] >= 0);
	CHECK(close(l) == 0);
}

/* Of a listener with SO_REUSEPORT: the host's, in a sandbox. from is to be connected, or
 * -1 for a new one. */
HELPER void hosted_pair_of(int from, int fd[2])
{
	const int on = 1;
	struct sockaddr_in a = loopback(0);
	int l = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	CHECK(l >= 0);
	CHECK(setsockopt(l, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) == 0);
	CHECK(bind(l, (struct sockaddr *)&a, sizeof(a)) == 0 && listen(l, 4) == 0);
	fd[0] = from >= 0 ? from : socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK(fd[0] >= 0 && connect_to(fd[0], port_of(l)) == 0);
	fd[1] = accept4(l, NULL, NULL, SOCK_CLOEXEC);
	CHECK(fd[1] >= 0 && close(l) == 0);
}

HELPER void hosted_pair(int fd[2])
{
	hosted_pair_of(-1, fd);
}

HELPER void close_pair(const int fd[2])
{
	CHECK(close(fd[0]) == 0);
	CHECK(close(fd[1]) == 0);
}

/* What waits for data at fd[0] can be stopped, goes on, and can be killed; what is sent
 * then goes to others. */
HELPER void stop_and_kill_a_receiver(const int fd[2])
{
	int status;
	pid_t pid;
	char c;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		(void)!recv(fd[0], &c, 1, 0);
		_exit(0);
	}
	CHECK(pid > 0);
	await_sleep(pid);
	CHECK(kill(pid, SIGSTOP) == 0);
	CHECK(waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status));
	CHECK(kill(pid, SIGCONT) == 0);
	await_sleep(pid);
	CHECK(waitpid(pid, &status, WNOHANG) == 0); /* waits on */
	CHECK(kill(pid, SIGKILL) == 0);
	status = child_wait(pid);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	CHECK(send(fd[1], "x", 1, 0) == 1);
	CHECK(recv(fd[0], &c, 1, 0) == 1);
}

/* Two datagram sockets, connected with each other. */
HELPER void udp_pair(int fd[2])
{
	fd[0] = socket_at(SOCK_DGRAM, 0);
	fd[1] = socket_at(SOCK_DGRAM, 0);
	CHECK(connect_to(fd[0], port_of(fd[1])) == 0);
	CHECK(connect_to(fd[1], port_of(fd[0])) == 0);
}

/* What poll says now, or within ms. */
HELPER int ready(int fd, short events, int ms)
{
	struct pollfd p = {.fd = fd, .events = events};

	CHECK(poll(&p, 1, ms) >= 0);
	return p.revents;
}

HELPER int option(int fd, int level, int name)
{
	int value = -1;
	socklen_t len = sizeof(value);

	CHECK(getsockopt(fd, level, name, &value, &len) == 0);
	CHECK(len == sizeof(value));
	return value;
}

HELPER int set_option(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value));
}

HELPER void set_nonblock(int fd, bool on)
{
	int flags = fcntl(fd, F_GETFL);

	CHECK(flags >= 0);
	CHECK(fcntl(fd, F_SETFL, on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK) == 0);
}

/* Sends until nothing more fits, and says how much that was. */
HELPER size_t fill_up(int fd)
{
	static char junk[65536];
	size_t total = 0;
	ssize_t n;

	while ((n = send(fd, junk, sizeof(junk), MSG_DONTWAIT)) > 0)
		total += (size_t)n;
	CHECK(n == -1 && errno == EAGAIN);
	return total;
}
