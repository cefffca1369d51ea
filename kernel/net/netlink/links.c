/* SPDX-License-Identifier: MIT */
/* links.c - the host's interfaces as structures, for /proc/net/dev and /sys/class/net. */
#include "abi/errno.h"
#include "abi/rtnetlink.h"
#include "base/slab.h"
#include "fs/proc/host_links.h"
#include "lib/string.h"
#include "net/net_ns.h"
#include "net/netlink/internal.h"

enum { LINKS_MAX = 4096 };

static const void *attribute(const struct linux_nlmsghdr *h, int type, size_t *len)
{
	return netlink_find_attribute(h + 1, h->nlmsg_len - sizeof(*h),
				      sizeof(struct linux_ifinfomsg), type, len);
}

/* Up to size bytes; what is missing stays 0. Returns how many there are. */
static size_t read_bytes(const struct linux_nlmsghdr *h, int type, void *to, size_t size)
{
	size_t len;
	const void *data = attribute(h, type, &len);

	if (!data)
		return 0;
	len = MIN(len, size);
	memcpy(to, data, len);
	return len;
}

static void read_string(const struct linux_nlmsghdr *h, int type, char *to, size_t size)
{
	size_t len = read_bytes(h, type, to, size - 1);

	to[len] = 0;
}

static void read_link(const struct linux_nlmsghdr *h, struct host_link *l)
{
	const struct linux_ifinfomsg *m = (const void *)(h + 1);

	memset(l, 0, sizeof(*l));
	l->index = l->lower = (uint32_t)m->ifi_index;
	l->type = m->ifi_type;
	l->flags = m->ifi_flags;
	read_string(h, IFLA_IFNAME, l->name, sizeof(l->name));
	read_string(h, IFLA_IFALIAS, l->alias, sizeof(l->alias));
	(void)read_bytes(h, IFLA_LINK, &l->lower, sizeof(l->lower));
	(void)read_bytes(h, IFLA_MTU, &l->mtu, sizeof(l->mtu));
	(void)read_bytes(h, IFLA_TXQLEN, &l->queue_length, sizeof(l->queue_length));
	(void)read_bytes(h, IFLA_GROUP, &l->group, sizeof(l->group));
	(void)read_bytes(h, IFLA_CARRIER_CHANGES, &l->carrier_changes, 4);
	(void)read_bytes(h, IFLA_CARRIER_UP_COUNT, &l->carrier_up, 4);
	(void)read_bytes(h, IFLA_CARRIER_DOWN_COUNT, &l->carrier_down, 4);
	(void)read_bytes(h, IFLA_OPERSTATE, &l->operstate, 1);
	(void)read_bytes(h, IFLA_LINKMODE, &l->link_mode, 1);
	(void)read_bytes(h, IFLA_CARRIER, &l->carrier, 1);
	(void)read_bytes(h, IFLA_PROTO_DOWN, &l->proto_down, 1);
	(void)read_bytes(h, IFLA_BROADCAST, l->broadcast, sizeof(l->broadcast));
	(void)read_bytes(h, IFLA_STATS64, &l->stats, sizeof(l->stats));
	l->address_len =
		(uint8_t)read_bytes(h, IFLA_ADDRESS, l->address, sizeof(l->address));
}

static bool is_link(const struct linux_nlmsghdr *h)
{
	return h->nlmsg_type == RTM_NEWLINK &&
	       h->nlmsg_len >= sizeof(*h) + sizeof(struct linux_ifinfomsg);
}

/* Names go into paths: whatever the host says, they are no paths themselves. */
static bool is_name(const char *name)
{
	return name[0] && !strchr(name, '/') && strcmp(name, ".") != 0 &&
	       strcmp(name, "..") != 0;
}

int netlink_links_get(bool is_readers, struct host_link **out, size_t *count)
{
	struct netlink_buffer found;
	const struct linux_nlmsghdr *h;
	struct host_link *links = NULL;
	size_t off = 0;
	size_t n = 0;
	int err = netlink_dump(is_readers ? current_net_ns() : &first_net_ns, RTM_GETLINK,
			       0, &found);

	while (!err && (h = netlink_next_message(&found, &off)))
		n += is_link(h);
	if (!err) {
		n = MIN(n, (size_t)LINKS_MAX);
		links = kmalloc_array(n + 1, sizeof(*links));
		err = links ? 0 : -ENOMEM;
	}
	if (!err) {
		*count = off = 0;
		while (*count < n && (h = netlink_next_message(&found, &off))) {
			if (!is_link(h))
				continue;
			read_link(h, &links[*count]);
			*count += is_name(links[*count].name);
		}
		*out = links;
	}
	kfree(found.data);
	return err;
}
