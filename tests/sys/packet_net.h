/* SPDX-License-Identifier: MIT */
/* packet_net.h - for the tests of packet sockets: a network of their own, of which only
 * they see the frames. The machine's interfaces are never touched. */
#pragma once
#include "fixture.h"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/rtnetlink.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define LO_INDEX   1
#define PROTO_TEST 0x88b5 /* for local experiments: nobody else uses it */

HELPER void lo_set(bool is_up)
{
	struct {
		struct nlmsghdr h;
		struct ifinfomsg i;
	} ask = {
		.h = {.nlmsg_len = sizeof(ask),
		      .nlmsg_type = RTM_NEWLINK,
		      .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK},
		.i = {.ifi_index = LO_INDEX,
		      .ifi_flags = is_up ? IFF_UP : 0,
		      .ifi_change = IFF_UP},
	};
	struct {
		struct nlmsghdr h;
		struct nlmsgerr e;
		char rest[256];
	} answer;
	int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);

	CHECK(fd >= 0);
	CHECK(send(fd, &ask, sizeof(ask), 0) == sizeof(ask));
	CHECK(recv(fd, &answer, sizeof(answer), 0) > 0);
	CHECK(answer.h.nlmsg_type == NLMSG_ERROR && answer.e.error == 0);
	CHECK(close(fd) == 0);
}

HELPER void skip_all(const char *why)
{
	printf("1..0 # SKIP %s\n", why);
	exit(77);
}

/* A network with a loopback device that is up. 77 where none can be made. */
HELPER void enter_network(void)
{
	if (unshare(CLONE_NEWNET) && unshare(CLONE_NEWUSER | CLONE_NEWNET))
		skip_all("no network namespaces");
	lo_set(true);
}

HELPER int packet_socket(int type, int protocol)
{
	int fd = socket(AF_PACKET, type, htons((uint16_t)protocol));

	CHECK(fd >= 0);
	return fd;
}

HELPER struct sockaddr_ll packet_address(int index, int protocol)
{
	return (struct sockaddr_ll){
		.sll_family = AF_PACKET,
		.sll_protocol = htons((uint16_t)protocol),
		.sll_ifindex = index,
		.sll_halen = ETH_ALEN,
	};
}

HELPER int packet_bind(int fd, int protocol)
{
	struct sockaddr_ll a = packet_address(LO_INDEX, protocol);

	return bind(fd, (void *)&a, sizeof(a));
}

/* A frame of size bytes, header and all, whose payload counts up from seed. */
HELPER size_t frame_fill(uint8_t *to, size_t size, int protocol, uint8_t seed)
{
	memset(to, 0, size);
	to[12] = (uint8_t)(protocol >> 8);
	to[13] = (uint8_t)protocol;
	for (size_t i = ETH_HLEN; i < size; i++)
		to[i] = (uint8_t)(seed + i - ETH_HLEN);
	return size;
}

HELPER ssize_t frame_send(int fd, const uint8_t *frame, size_t size)
{
	struct sockaddr_ll a = packet_address(LO_INDEX, 0);

	return sendto(fd, frame, size, 0, (void *)&a, sizeof(a));
}

HELPER void frame_send_new(int fd, size_t size, uint8_t seed)
{
	uint8_t *frame = malloc(size);

	frame_fill(frame, size, PROTO_TEST, seed);
	CHECK(frame_send(fd, frame, size) == (ssize_t)size);
	free(frame);
}

HELPER int packet_option(int fd, int name, int value)
{
	return setsockopt(fd, SOL_PACKET, name, &value, sizeof(value));
}

HELPER int packet_option_get(int fd, int name)
{
	socklen_t len = sizeof(int);
	int value = -1;

	CHECK(getsockopt(fd, SOL_PACKET, name, &value, &len) == 0);
	CHECK(len == sizeof(int));
	return value;
}

HELPER bool is_readable(int fd, int ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	int n = poll(&p, 1, ms);

	CHECK(n >= 0);
	return n && (p.revents & POLLIN);
}

HELPER struct tpacket_stats packet_stats(int fd)
{
	struct tpacket_stats s;
	socklen_t len = sizeof(s);

	CHECK(getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, &s, &len) == 0);
	CHECK(len == sizeof(s));
	return s;
}
