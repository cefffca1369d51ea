/* SPDX-License-Identifier: MIT */
/* option.c - options of netlink sockets, and who is in which group. */
#include "abi/capability.h"
#include "abi/errno.h"
#include "base/waitq.h"
#include "fs/poll.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "net/net_ns.h"
#include "net/netlink/internal.h"
#include "process/user_ns.h"

uint32_t netlink_receive_size(const struct netlink_socket *n)
{
	const struct socket *s = n->socket;

	return s ? atomic_load_relaxed(&s->receive_size) : 0;
}

static uint32_t option_flag(int name)
{
	switch (name) {
	case NETLINK_PKTINFO:
		return OPTION_PKTINFO;
	case NETLINK_BROADCAST_ERROR:
		return OPTION_BROADCAST_ERROR;
	case NETLINK_NO_ENOBUFS:
		return OPTION_NO_ENOBUFS;
	case NETLINK_LISTEN_ALL_NSID:
		return OPTION_LISTEN_ALL_NSID;
	case NETLINK_CAP_ACK:
		return OPTION_CAP_ACK;
	case NETLINK_EXT_ACK:
		return OPTION_EXT_ACK;
	case NETLINK_GET_STRICT_CHK:
		return OPTION_STRICT;
	default:
		return 0;
	}
}

static void flag_set(struct netlink_socket *n, uint32_t flag, bool on)
{
	if (on)
		(void)atomic_or(&n->options, flag);
	else
		(void)atomic_and(&n->options, ~flag);
}

/* Messages may be lost unsaid from here on: what was lost is forgotten. */
static void forget_losses(struct netlink_socket *n)
{
	lock_take(&n->lock);
	n->is_congested = false;
	lock_drop(&n->lock);
	waitq_wake_all(&n->room, 0);
}

static int membership_set(struct netlink_socket *n, uint32_t group, bool joins)
{
	uint32_t count = n->protocol->group_count;
	int err = 0;

	if (!netlink_may(n, n->protocol->may_receive))
		return -EPERM;
	lock_take(&netlink_lock);
	n->group_count = count;
	lock_drop(&netlink_lock);
	if (!group || group > count)
		return -EINVAL;
	if (joins && n->protocol->join)
		err = n->protocol->join(n, group);
	if (err)
		return err;
	lock_take(&netlink_lock);
	if (joins)
		n->groups[(group - 1) / 32] |= 1U << (group - 1) % 32;
	else
		n->groups[(group - 1) / 32] &= ~(1U << (group - 1) % 32);
	lock_drop(&netlink_lock);
	return 0;
}

static int set_own(struct netlink_socket *n, int name, const void *value, int len)
{
	uint32_t flag = option_flag(name);
	uint32_t value32 = 0;

	if (len >= (int)sizeof(value32))
		memcpy(&value32, value, sizeof(value32));
	switch (name) {
	case NETLINK_ADD_MEMBERSHIP:
	case NETLINK_DROP_MEMBERSHIP:
		return membership_set(n, value32, name == NETLINK_ADD_MEMBERSHIP);
	case NETLINK_LISTEN_ALL_NSID:
		if (!ns_capable(n->net->ns.owner, CAP_NET_BROADCAST))
			return -EPERM;
		break;
	default:
		if (!flag)
			return -ENOPROTOOPT;
		break;
	}
	flag_set(n, flag, value32);
	if (flag == OPTION_NO_ENOBUFS && value32)
		forget_losses(n);
	return 0;
}

int netlink_set_option(struct socket *s, int level, int name, const void *value, int len)
{
	struct netlink_socket *n = netlink_of(s);
	int on;

	if (level == SOL_NETLINK)
		return set_own(n, name, value, len);
	if (level != SOL_SOCKET)
		return -ENOPROTOOPT;
	if (name != SO_PASSCRED)
		return socket_set_plain_option(s, name, value, len);
	if (len < (int)sizeof(on))
		return -EINVAL;
	memcpy(&on, value, sizeof(on));
	flag_set(n, OPTION_PASSCRED, on);
	return 0;
}

/* As many words as there is room for; *len becomes the size of all. */
static void memberships_get(struct netlink_socket *n, uint8_t *value, int *len)
{
	uint32_t count;

	lock_take(&netlink_lock);
	count = (n->group_count + 31) / 32;
	for (uint32_t i = 0; i < count && *len >= (int)((i + 1) * sizeof(uint32_t)); i++)
		memcpy(value + i * sizeof(uint32_t), &n->groups[i], sizeof(uint32_t));
	lock_drop(&netlink_lock);
	*len = (int)(count * sizeof(uint32_t));
}

static int get_own(struct netlink_socket *n, int name, void *value, int *len)
{
	uint32_t flag = option_flag(name);
	int on = (atomic_load_relaxed(&n->options) & flag) != 0;

	if (name == NETLINK_LIST_MEMBERSHIPS) {
		memberships_get(n, value, len);
		return 0;
	}
	if (!flag)
		return -ENOPROTOOPT;
	if (*len < (int)sizeof(on))
		return -EINVAL;
	option_put(value, len, &on, sizeof(on));
	return 0;
}

int netlink_get_option(struct socket *s, int level, int name, void *value, int *len)
{
	struct netlink_socket *n = netlink_of(s);
	struct linux_ucred nobody = {0, UINT32_MAX, UINT32_MAX};
	int value32;

	if (level == SOL_NETLINK)
		return get_own(n, name, value, len);
	if (level != SOL_SOCKET)
		return -ENOPROTOOPT;
	switch (name) {
	case SO_ERROR:
		lock_take(&n->lock);
		value32 = -netlink_take_error(n);
		lock_drop(&n->lock);
		break;
	case SO_ACCEPTCONN:
		value32 = 0;
		break;
	case SO_PASSCRED:
		value32 = (atomic_load_relaxed(&n->options) & OPTION_PASSCRED) != 0;
		break;
	case SO_PEERCRED:
		option_put(value, len, &nobody, sizeof(nobody));
		return 0;
	default:
		return socket_get_plain_option(s, name, value, len);
	}
	option_put(value, len, &value32, sizeof(value32));
	return 0;
}
