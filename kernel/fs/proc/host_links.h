/* SPDX-License-Identifier: MIT */
/* host_links.h - the network interfaces of a network, mostly the host's, for /proc/net
 * and /sys/class/net.
 *
 * net/, which asks for them, says how: a later folder. */
#pragma once
#include "abi/rtnetlink.h"
#include "abi/types.h"

enum { LINK_NAME_SIZE = 16, LINK_ADDRESS_MAX = 32, LINK_ALIAS_SIZE = 256 };

struct host_link {
	char name[LINK_NAME_SIZE];
	char alias[LINK_ALIAS_SIZE];
	uint32_t index;
	uint32_t lower; /* IFLA_LINK: what it lies on, or index */
	uint32_t flags, mtu, queue_length, group;
	uint32_t carrier_changes, carrier_up, carrier_down;
	uint16_t type; /* ARPHRD_… */
	uint8_t operstate, link_mode, carrier, proto_down;
	uint8_t address_len;
	uint8_t address[LINK_ADDRESS_MAX], broadcast[LINK_ADDRESS_MAX];
	struct linux_link_stats64 stats;
};

/* Sleeps. Those of the first network namespace, or of the current task's: an array in
 * *out, to be freed with kfree(), and how many: 0 or -errno. */
extern int (*host_links_get)(bool is_readers, struct host_link **out, size_t *count);
