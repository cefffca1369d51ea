/* SPDX-License-Identifier: MIT */
/* netlink.h - what the tests of AF_NETLINK sockets share. */
#pragma once
#include "fixture.h"

#include <linux/netlink.h>
#include <sys/socket.h>

#ifndef SOL_NETLINK
#define SOL_NETLINK 270
#endif

HELPER int nl_socket(int protocol)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);

	CHECK(fd >= 0);
	return fd;
}

HELPER int nl_bind(int fd, unsigned port, unsigned groups)
{
	struct sockaddr_nl a = {
		.nl_family = AF_NETLINK, .nl_pid = port, .nl_groups = groups};

	return bind(fd, (void *)&a, sizeof(a));
}

HELPER struct sockaddr_nl nl_name(int fd)
{
	struct sockaddr_nl a;
	socklen_t len = sizeof(a);

	CHECK(getsockname(fd, (void *)&a, &len) == 0 && len == sizeof(a));
	return a;
}

HELPER ssize_t nl_send_to(int fd, const void *data, size_t size, unsigned port,
			  unsigned groups)
{
	struct sockaddr_nl a = {
		.nl_family = AF_NETLINK, .nl_pid = port, .nl_groups = groups};

	return sendto(fd, data, size, 0, (void *)&a, sizeof(a));
}

HELPER int nl_option(int fd, int name, int value)
{
	return setsockopt(fd, SOL_NETLINK, name, &value, sizeof(value));
}
