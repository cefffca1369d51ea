/* SPDX-License-Identifier: MIT */
/* own_net.h - a network of a test's own, with nothing but its loopback; where none may be
 * made, tests use the loopback of the one that they are in. */
#pragma once
#include "inet.h"

#include <net/if.h>
#include <sched.h>

/* The Internet checksum (RFC 1071), as packets have it; of an even size. */
HELPER uint16_t sum_of(const void *data, size_t size)
{
	const uint8_t *at = data;
	uint32_t sum = 0;

	for (size_t i = 0; i + 1 < size; i += 2)
		sum += (uint32_t)(at[i] << 8 | at[i + 1]);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

/* In a user namespace of one's own one is its root. */
HELPER void be_root(uid_t uid, gid_t gid)
{
	char text[64];

	snprintf(text, sizeof(text), "0 %u 1", (unsigned)uid);
	file_put("/proc/self/uid_map", text);
	file_put("/proc/self/setgroups", "deny");
	snprintf(text, sizeof(text), "0 %u 1", (unsigned)gid);
	file_put("/proc/self/gid_map", text);
}

/* True: there is one now, and its loopback is up. */
HELPER bool own_network(void)
{
	struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	bool is_up;
	int fd;

	/* Not in this process, if the loopback can then not be set up. */
	pid_t pid = fork();
	uid_t uid = geteuid();
	gid_t gid = getegid();
	int flags = uid ? CLONE_NEWUSER | CLONE_NEWNET : CLONE_NEWNET;

	CHECK(pid >= 0);
	if (pid == 0) {
		if (unshare(flags))
			_exit(1);
		fd = socket(AF_INET, SOCK_DGRAM, 0);
		_exit(fd < 0 || ioctl(fd, SIOCSIFFLAGS, &lo) != 0);
	}
	if (child_wait(pid) != 0)
		return false;
	CHECK(unshare(flags) == 0);
	if (uid)
		be_root(uid, gid);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	CHECK(fd >= 0);
	is_up = ioctl(fd, SIOCSIFFLAGS, &lo) == 0;
	CHECK(is_up && close(fd) == 0);
	return true;
}

HELPER int udp4(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	CHECK(fd >= 0);
	return fd;
}

HELPER int udp6(void)
{
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	CHECK(fd >= 0);
	return fd;
}

HELPER struct sockaddr_in name4(const char *addr, uint16_t port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};

	CHECK(inet_pton(AF_INET, addr, &a.sin_addr) == 1);
	return a;
}

HELPER struct sockaddr_in6 name6(const char *addr, uint16_t port)
{
	struct sockaddr_in6 a = {.sin6_family = AF_INET6, .sin6_port = htons(port)};

	CHECK(inet_pton(AF_INET6, addr, &a.sin6_addr) == 1);
	return a;
}

HELPER int bind4(int fd, const char *addr, uint16_t port)
{
	struct sockaddr_in a = name4(addr, port);

	return bind(fd, (struct sockaddr *)&a, sizeof(a));
}

HELPER int bind6(int fd, const char *addr, uint16_t port)
{
	struct sockaddr_in6 a = name6(addr, port);

	return bind(fd, (struct sockaddr *)&a, sizeof(a));
}

HELPER ssize_t send4(int fd, const char *addr, uint16_t port, const char *text)
{
	struct sockaddr_in a = name4(addr, port);

	return sendto(fd, text, strlen(text), 0, (struct sockaddr *)&a, sizeof(a));
}

HELPER ssize_t send6(int fd, const char *addr, uint16_t port, const char *text)
{
	struct sockaddr_in6 a = name6(addr, port);

	return sendto(fd, text, strlen(text), 0, (struct sockaddr *)&a, sizeof(a));
}

HELPER int connect4(int fd, const char *addr, uint16_t port)
{
	struct sockaddr_in a = name4(addr, port);

	return connect(fd, (struct sockaddr *)&a, sizeof(a));
}

/* Is that what comes next? */
HELPER bool gets(int fd, const char *text)
{
	char buf[256];
	ssize_t n = recv(fd, buf, sizeof(buf), 0);

	return n == (ssize_t)strlen(text) && !memcmp(buf, text, (size_t)n);
}

HELPER bool gets_nothing(int fd)
{
	char c;

	return recv(fd, &c, 1, MSG_DONTWAIT) == -1 && errno == EAGAIN;
}

/* One message with what travels beside it. */
struct received {
	struct msghdr h;
	struct iovec v;
	struct sockaddr_storage name;
	char data[2048];
	char control[512] __attribute__((aligned(8)));
};

HELPER ssize_t receive(int fd, struct received *r, int flags)
{
	memset(r, 0, sizeof(*r));
	r->v = (struct iovec){r->data, sizeof(r->data)};
	r->h = (struct msghdr){.msg_name = &r->name,
			       .msg_namelen = sizeof(r->name),
			       .msg_iov = &r->v,
			       .msg_iovlen = 1,
			       .msg_control = r->control,
			       .msg_controllen = sizeof(r->control)};
	return recvmsg(fd, &r->h, flags);
}

/* The data of its control message of that kind, or NULL. */
HELPER void *control_of(struct received *r, int level, int type)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&r->h); c; c = CMSG_NXTHDR(&r->h, c))
		if (c->cmsg_level == level && c->cmsg_type == type)
			return CMSG_DATA(c);
	return NULL;
}

HELPER int control_int(struct received *r, int level, int type)
{
	int value = -1;
	void *at = control_of(r, level, type);

	if (at)
		memcpy(&value, at, sizeof(value));
	return value;
}

/* Sends text with one control message. */
HELPER ssize_t send_with(int fd, const void *name, socklen_t len, const char *text,
			 int level, int type, const void *data, size_t size)
{
	char control[128] __attribute__((aligned(8))) = {0};
	struct iovec v = {(void *)(uintptr_t)text, strlen(text)};
	struct msghdr h = {.msg_name = (void *)(uintptr_t)name,
			   .msg_namelen = len,
			   .msg_iov = &v,
			   .msg_iovlen = 1,
			   .msg_control = control,
			   .msg_controllen = CMSG_SPACE(size)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&h);

	c->cmsg_level = level;
	c->cmsg_type = type;
	c->cmsg_len = CMSG_LEN(size);
	memcpy(CMSG_DATA(c), data, size);
	return sendmsg(fd, &h, 0);
}
