/* SPDX-License-Identifier: MIT */
/* request.c - what is sent to the kernel, message by message: acknowledgements and
 * errors; lists are told by dump.c. */
#include "abi/errno.h"
#include "base/slab.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "net/netlink/internal.h"

enum {
	BUFFER_MIN = 1024,
	BUFFER_MAX = 8 << 20, /* no answer is larger */
};

/* ---- messages in the making ---- */

static bool buffer_reserve(struct netlink_buffer *b, size_t size)
{
	size_t room = b->room ? b->room : BUFFER_MIN;
	uint8_t *old = b->data;
	uint8_t *data;

	if (b->is_failed || b->len + size <= b->room)
		return !b->is_failed;
	while (room < b->len + size)
		room *= 2;
	/* b may be part of a claim: at no time does it have what is free. */
	data = room <= BUFFER_MAX ? kmalloc(room) : NULL;
	if (!data) {
		b->is_failed = true;
		return false;
	}
	if (old)
		memcpy(data, old, b->len);
	atomic_store_release(&b->data, data);
	b->room = room;
	kfree(old);
	return true;
}

void netlink_buffer_put(struct netlink_buffer *b, const void *data, size_t size)
{
	size_t padded = NLMSG_ALIGN_OF(size);

	if (!buffer_reserve(b, padded))
		return;
	memcpy(b->data + b->len, data, size);
	memset(b->data + b->len + size, 0, padded - size);
	b->len += padded;
}

size_t netlink_message_begin(struct netlink_buffer *b, uint16_t type, uint16_t flags,
			     const struct netlink_request *r)
{
	size_t start = b->len;
	struct linux_nlmsghdr h = {
		.nlmsg_type = type,
		.nlmsg_flags = flags,
		.nlmsg_seq = r ? r->header->nlmsg_seq : 0,
		.nlmsg_pid = r ? r->from->port : 0,
	};

	netlink_buffer_put(b, &h, sizeof(h));
	return start;
}

void netlink_message_end(struct netlink_buffer *b, size_t start)
{
	uint32_t len = (uint32_t)(b->len - start);

	if (!b->is_failed)
		memcpy(b->data + start, &len, sizeof(len));
}

void netlink_attribute(struct netlink_buffer *b, int type, const void *data, size_t size)
{
	struct linux_nlattr a = {(uint16_t)(sizeof(a) + size), (uint16_t)type};

	netlink_buffer_put(b, &a, sizeof(a));
	netlink_buffer_put(b, data, size);
}

void netlink_attribute_u32(struct netlink_buffer *b, int type, uint32_t value)
{
	netlink_attribute(b, type, &value, sizeof(value));
}

void netlink_attribute_u16(struct netlink_buffer *b, int type, uint16_t value)
{
	netlink_attribute(b, type, &value, sizeof(value));
}

void netlink_attribute_u8(struct netlink_buffer *b, int type, uint8_t value)
{
	netlink_attribute(b, type, &value, sizeof(value));
}

void netlink_attribute_string(struct netlink_buffer *b, int type, const char *s)
{
	netlink_attribute(b, type, s, strlen(s) + 1);
}

size_t netlink_nest_begin(struct netlink_buffer *b, int type)
{
	size_t start = b->len;
	struct linux_nlattr a = {0, (uint16_t)type};

	netlink_buffer_put(b, &a, sizeof(a));
	return start;
}

void netlink_nest_end(struct netlink_buffer *b, size_t start)
{
	uint16_t len = (uint16_t)(b->len - start);

	if (!b->is_failed)
		memcpy(b->data + start, &len, sizeof(len));
}

/* ---- attributes of a request ---- */

const struct linux_nlattr *netlink_next_attribute(const void *data, size_t size,
						  size_t *off)
{
	const struct linux_nlattr *a;

	if (*off > size || size - *off < sizeof(*a))
		return NULL;
	a = (const void *)((const uint8_t *)data + *off);
	if (a->nla_len < sizeof(*a) || a->nla_len > size - *off)
		return NULL;
	*off += NLMSG_ALIGN_OF(a->nla_len);
	return a;
}

const void *netlink_find_attribute(const void *data, size_t size, size_t head, int type,
				   size_t *len)
{
	const struct linux_nlattr *found = NULL;
	const struct linux_nlattr *a;
	size_t off = NLMSG_ALIGN_OF(head);

	while ((a = netlink_next_attribute(data, size, &off)))
		if ((a->nla_type & NLA_TYPE_MASK) == type)
			found = a;
	if (!found)
		return NULL;
	*len = found->nla_len - sizeof(*found);
	return found + 1;
}

/* ---- answers ---- */

static void deliver(struct netlink_socket *to, const void *data, size_t size)
{
	struct netlink_packet *p = netlink_packet_create(size);

	if (!p)
		return;
	memcpy(p->data, data, size);
	(void)netlink_deliver(to, p);
}

static void acknowledge(const struct netlink_request *r, int error)
{
	uint32_t len = r->header->nlmsg_len;
	bool is_whole = error && !(r->options & OPTION_CAP_ACK);
	bool has_more = (r->options & OPTION_EXT_ACK) && (r->why || r->bad_offset);
	struct netlink_buffer b = {0};
	uint16_t flags = (uint16_t)((is_whole ? 0 : NLM_F_CAPPED) |
				    (has_more ? NLM_F_ACK_TLVS : 0));
	size_t start = netlink_message_begin(&b, NLMSG_ERROR, flags, r);
	int32_t code = error;

	netlink_buffer_put(&b, &code, sizeof(code));
	netlink_buffer_put(&b, r->header, is_whole ? len : sizeof(*r->header));
	if (has_more && r->why)
		netlink_attribute_string(&b, NLMSGERR_ATTR_MSG, r->why);
	if (has_more && r->bad_offset)
		netlink_attribute_u32(&b, NLMSGERR_ATTR_OFFS, r->bad_offset);
	netlink_message_end(&b, start);
	if (!b.is_failed)
		deliver(r->from, b.data, b.len);
	kfree(b.data);
}

static void answer_one(struct netlink_request *r)
{
	const struct netlink_protocol *p = r->from->protocol;
	const struct linux_nlmsghdr *h = r->header;
	bool is_request =
		(h->nlmsg_flags & NLM_F_REQUEST) && h->nlmsg_type >= NLMSG_MIN_TYPE;
	int err = 0;

	r->out = (struct netlink_buffer){0};
	r->is_dump = r->is_split = false;
	r->dump_error = 0;
	r->more = NULL;
	r->why = NULL;
	r->bad_offset = 0;
	if (is_request)
		err = p->answer ? p->answer(r) : p->refusal;
	if (!err && r->out.is_failed)
		err = -ENOBUFS;
	if (!err && r->is_dump)
		err = netlink_dump_begin(r);
	else if (!err && r->out.len)
		deliver(r->from, r->out.data, r->out.len);
	if (err || (!r->is_dump && (h->nlmsg_flags & NLM_F_ACK)))
		acknowledge(r, err);
	kfree(r->out.data);
}

void netlink_ask_kernel(struct netlink_socket *from, struct netlink_packet *p)
{
	struct netlink_request r = {
		.from = from,
		.options = atomic_load_relaxed(&from->options),
		.creds = p->creds,
	};
	size_t off = 0;

	while (p->size - off >= sizeof(*r.header)) {
		r.header = (const void *)(p->data + off);
		if (r.header->nlmsg_len < sizeof(*r.header) ||
		    r.header->nlmsg_len > p->size - off)
			return;
		answer_one(&r);
		off += MIN((size_t)NLMSG_ALIGN_OF(r.header->nlmsg_len), p->size - off);
	}
}
