/* SPDX-License-Identifier: MIT */
/* host.c - asking the monitor about the host's network. */
#include "abi/errno.h"
#include "host/monitor.h"
#include "net/netlink/internal.h"
#include "process/monitor.h"

/* The part of the answer that is whole messages. */
static size_t whole_size(const struct netlink_buffer *b)
{
	size_t off = 0;

	while (netlink_next_message(b, &off))
		;
	return off;
}

int netlink_host_ask(const struct monitor_query *q, struct netlink_buffer *out)
{
	void *data;
	size_t size;
	int err;

	*out = (struct netlink_buffer){0};
	err = monitor_ask(q, &data, &size);
	if (err || !data)
		return err;
	out->data = data;
	out->room = size;
	out->len = size;
	out->len = whole_size(out);
	return 0;
}

int netlink_host_dump(uint16_t type, uint8_t family, struct netlink_buffer *out)
{
	struct monitor_query q = {
		.question = MONITOR_DUMP, .type = type, .family = family};

	return netlink_host_ask(&q, out);
}

struct linux_nlmsghdr *netlink_next_message(const struct netlink_buffer *b, size_t *off)
{
	struct linux_nlmsghdr *h;

	if (b->len < *off || b->len - *off < sizeof(*h))
		return NULL;
	h = (void *)(b->data + *off);
	if (h->nlmsg_len < sizeof(*h) || NLMSG_ALIGN_OF(h->nlmsg_len) > b->len - *off)
		return NULL;
	*off += NLMSG_ALIGN_OF(h->nlmsg_len);
	return h;
}
