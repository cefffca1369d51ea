/* SPDX-License-Identifier: MIT */
/* route_one.c - NETLINK_ROUTE: one address, neighbour, queue, setting or number of a
 * namespace, which is looked for in a dump of all. */
#include "abi/errno.h"
#include "abi/rtnetlink.h"
#include "base/slab.h"
#include "lib/string.h"
#include "net/net_ns.h"
#include "net/netlink/internal.h"
#include "net/netlink/route.h"

enum { NSID_NONE = -1 };

/* A namespace's number as another knows it: none has been given one. */
int netlink_get_nsid(struct netlink_request *r)
{
	const uint8_t head[4] = {0};
	const int32_t none = NSID_NONE;
	size_t start, size, len;
	const void *data = netlink_payload(r, &size);
	bool is_named = netlink_find_attribute(data, size, 4, NETNSA_PID, &len) ||
			netlink_find_attribute(data, size, 4, NETNSA_FD, &len);

	if (!is_named)
		return netlink_find_attribute(data, size, 4, NETNSA_NSID, &len) ? -ENOENT
										: -EINVAL;
	start = netlink_message_begin(&r->out, RTM_NEWNSID, 0, r);
	netlink_buffer_put(&r->out, head, sizeof(head));
	netlink_attribute(&r->out, NETNSA_NSID, &none, sizeof(none));
	netlink_message_end(&r->out, start);
	return 0;
}

static bool message_is_of(const struct linux_nlmsghdr *h, size_t head, int type,
			  const void *value, size_t size)
{
	size_t len;
	const void *data = netlink_find_attribute(h + 1, h->nlmsg_len - sizeof(*h), head,
						  type, &len);

	return data && len == size && !memcmp(data, value, size);
}

/* What is looked for in a dump of all. */
struct one {
	uint8_t family;
	int attribute;
	const void *value;
	size_t size;
	uint32_t index; /* of the device, or 0 */
	int missing;	/* -errno: there is none */
};

static int get_one(struct netlink_request *r, const struct one *o)
{
	uint16_t type = r->header->nlmsg_type;
	size_t head = netlink_route_head(type), off = 0;
	struct netlink_buffer found;
	struct linux_nlmsghdr *h;
	int err = netlink_dump(r->from->net, type, o->family, &found);

	if (!err)
		err = o->missing;
	while (err == o->missing && (h = netlink_next_message(&found, &off))) {
		const struct linux_ifaddrmsg *m = (const void *)(h + 1);

		if (!netlink_route_is_sound(h) || m->ifa_family != o->family ||
		    (o->value &&
		     !message_is_of(h, head, o->attribute, o->value, o->size)) ||
		    (o->index && m->ifa_index != o->index))
			continue;
		netlink_route_hand_on(r, h, 0);
		err = 0;
	}
	kfree(found.data);
	return err;
}

/* Of IPv6 alone. */
int netlink_get_address(struct netlink_request *r)
{
	size_t size, len = 0;
	const struct linux_ifaddrmsg *m = netlink_payload(r, &size);
	struct one o = {.family = AF_INET6,
			.attribute = IFA_ADDRESS,
			.size = 16,
			.missing = -EADDRNOTAVAIL};

	if (size < sizeof(*m))
		return -EINVAL;
	o.index = m->ifa_index;
	o.value = netlink_find_attribute(m, size, sizeof(*m), IFA_LOCAL, &len);
	if (!o.value)
		o.value = netlink_find_attribute(m, size, sizeof(*m), IFA_ADDRESS, &len);
	return o.value && len >= o.size ? get_one(r, &o) : -EINVAL;
}

int netlink_get_neighbour(struct netlink_request *r)
{
	size_t size, len = 0;
	const struct linux_ndmsg *m = netlink_payload(r, &size);
	struct one o = {.attribute = NDA_DST, .missing = -ENOENT};

	if (size < sizeof(*m) || m->ndm_state || m->ndm_type)
		return -EINVAL;
	o.family = m->ndm_family;
	o.size = o.family == AF_INET ? 4 : 16;
	o.value = netlink_find_attribute(m, size, sizeof(*m), NDA_DST, &len);
	if (!o.value)
		return -EINVAL;
	if (o.family != AF_INET && o.family != AF_INET6)
		return -EAFNOSUPPORT;
	if (len != o.size || m->ndm_ifindex <= 0)
		return -EINVAL;
	/* What is asked of the device is the index, which lies where an address has it.
	 */
	o.index = (uint32_t)m->ndm_ifindex;
	return get_one(r, &o);
}

/* That of a device, by its index; those of classes there are not. */
int netlink_get_queue(struct netlink_request *r)
{
	size_t size;
	const struct linux_tcmsg *m = netlink_payload(r, &size);
	struct one o = {.missing = -ENODEV};

	if (size < sizeof(*m))
		return -EINVAL;
	if (m->tcm_ifindex <= 0)
		return -ENODEV;
	o.index = (uint32_t)m->tcm_ifindex;
	return get_one(r, &o);
}

int netlink_get_setting(struct netlink_request *r, uint8_t family)
{
	size_t size, len;
	const void *data = netlink_payload(r, &size);
	struct one o = {.family = family,
			.attribute = NETCONFA_IFINDEX,
			.size = sizeof(int32_t),
			.missing = -ENODEV};

	if ((family != AF_INET && family != AF_INET6) || r->from->net->is_host)
		return -EOPNOTSUPP;
	o.value = netlink_find_attribute(data, size, 4, NETCONFA_IFINDEX, &len);
	return o.value && len == o.size ? get_one(r, &o) : -EINVAL;
}
