/* SPDX-License-Identifier: MIT */
/* unix_socket.h - what the tests of AF_UNIX sockets share. */
#pragma once
#include "fixture.h"

#include <poll.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>

/* An address: of a path, or abstract if it starts with '@'. Returns its length. */
HELPER socklen_t un(struct sockaddr_un *a, const char *name)
{
	memset(a, 0, sizeof(*a));
	a->sun_family = AF_UNIX;
	CHECK(strlen(name) < sizeof(a->sun_path));
	memcpy(a->sun_path, name, strlen(name));
	if (name[0] == '@') {
		a->sun_path[0] = 0;
		return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name));
	}
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name) + 1);
}

HELPER int bind_to(int fd, const char *name)
{
	struct sockaddr_un a;
	socklen_t len = un(&a, name);

	return bind(fd, (void *)&a, len);
}

HELPER int connect_to(int fd, const char *name)
{
	struct sockaddr_un a;
	socklen_t len = un(&a, name);

	return connect(fd, (void *)&a, len);
}

HELPER ssize_t send_to(int fd, const char *text, const char *name)
{
	struct sockaddr_un a;
	socklen_t len = un(&a, name);

	return sendto(fd, text, strlen(text), 0, (void *)&a, len);
}

/* A bound socket that listens; its path is free afterwards. */
HELPER int listener(const char *name, int type, int backlog)
{
	int fd = socket(AF_UNIX, type, 0);

	if (name[0] != '@')
		unlink(name);
	CHECK(fd >= 0 && bind_to(fd, name) == 0 && listen(fd, backlog) == 0);
	return fd;
}

HELPER int client(const char *name, int type)
{
	int fd = socket(AF_UNIX, type, 0);

	CHECK(fd >= 0 && connect_to(fd, name) == 0);
	return fd;
}

HELPER short poll_bits(int fd)
{
	struct pollfd p = {.fd = fd,
			   .events = POLLIN | POLLOUT | POLLPRI | POLLRDHUP | POLLRDNORM |
				     POLLWRNORM | POLLRDBAND | POLLWRBAND};

	CHECK(poll(&p, 1, 0) >= 0);
	return p.revents;
}
#define WRITABLE (POLLOUT | POLLWRNORM | POLLWRBAND)
#define READABLE (POLLIN | POLLRDNORM)

/* Is the name that call gave of fd this one? */
HELPER int name_is(int (*call)(int, struct sockaddr *, socklen_t *), int fd,
		   const char *name)
{
	struct sockaddr_un want, got;
	socklen_t size = un(&want, name), len = sizeof(got);

	memset(&got, 0x55, sizeof(got));
	CHECK(call(fd, (void *)&got, &len) == 0);
	if (!*name)
		return len == 2 && got.sun_family == AF_UNIX;
	return len == size && memcmp(&want, &got, size) == 0;
}

HELPER int int_option(int fd, int name)
{
	int value = -12345;
	socklen_t len = sizeof(value);

	CHECK(getsockopt(fd, SOL_SOCKET, name, &value, &len) == 0 &&
	      len == sizeof(value));
	return value;
}

HELPER int set_option(int fd, int name, int value)
{
	return setsockopt(fd, SOL_SOCKET, name, &value, sizeof(value));
}
