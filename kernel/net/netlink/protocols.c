/* SPDX-License-Identifier: MIT */
/* protocols.c - which protocols there are, and what each lets whom do.
 *
 * The network belongs to the host: no capability inside is one over it. What needs one
 * there is refused as in a container that has none. */
#include "abi/capability.h"
#include "abi/errno.h"
#include "net/netlink/internal.h"
#include "process/creds.h"

static int join_audit(struct netlink_socket *n, uint32_t group)
{
	(void)n;
	(void)group;
	return capable(CAP_AUDIT_READ) ? 0 : -EPERM;
}

static const struct netlink_protocol protocols[] = {
	{
		.number = NETLINK_ROUTE,
		.group_count = 37,
		.may_receive = true,
		.has_kernel = true,
		.answer = netlink_route_answer,
		.join = netlink_join_route,
	},
	{.number = NETLINK_USERSOCK, .group_count = 32, .may_send = true},
	{
		.number = NETLINK_SOCK_DIAG,
		.group_count = 32,
		.may_receive = true,
		.has_kernel = true,
		.answer = netlink_diag_answer,
	},
	{.number = NETLINK_XFRM,
	 .group_count = 32,
	 .has_kernel = true,
	 .refusal = -EPERM},
	/* In a user namespace of its own a program hears that no audit is there. */
	{
		.number = NETLINK_AUDIT,
		.group_count = 32,
		.may_receive = true,
		.has_kernel = true,
		.refusal = -ECONNREFUSED,
		.join = join_audit,
	},
	{.number = NETLINK_FIB_LOOKUP, .group_count = 32},
	{.number = NETLINK_CONNECTOR, .group_count = 32, .may_receive = true},
	{
		.number = NETLINK_NETFILTER,
		.group_count = 32,
		.has_kernel = true,
		.refusal = -EPERM,
	},
	{
		.number = NETLINK_KOBJECT_UEVENT,
		.group_count = 32,
		.may_receive = true,
		.has_kernel = true,
		.refusal = -EPERM,
	},
	{
		.number = NETLINK_GENERIC,
		.group_count = 64,
		.may_receive = true,
		.has_kernel = true,
		.answer = netlink_generic_answer,
	},
};

const struct netlink_protocol *netlink_protocol_find(int number)
{
	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++)
		if (protocols[i].number == number)
			return &protocols[i];
	return NULL;
}
