/* SPDX-License-Identifier: MIT */
/* option.c - how programs read and replace tables: options of any internet socket, for
 * who has CAP_NET_ADMIN over its network. The host's network is not the sandbox's to
 * filter: there nobody has. */
#include "abi/capability.h"
#include "abi/errno.h"
#include "abi/inet.h"
#include "abi/socket.h"
#include "base/scratch.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "mm/usercopy.h"
#include "net/net_ns.h"
#include "net/netfilter/internal.h"
#include "net/socket.h"
#include "process/user_ns.h"

enum { CHUNK = 64 };

bool netfilter_is_option(const struct socket *s, int level, int name, bool is_set)
{
	bool is_v6 = level == SOL_IPV6;

	if (name < IPT_SO_SET_REPLACE || name > IP6T_SO_GET_REVISION_TARGET)
		return false;
	if (is_v6 ? s->family != AF_INET6
		  : level != SOL_IP || !(s->family == AF_INET ||
					 (s->family == AF_INET6 && s->type != SOCK_RAW)))
		return false;
	if (is_set || name <= IPT_SO_GET_ENTRIES)
		return name <= IPT_SO_SET_ADD_COUNTERS;
	return (name >= IP6T_SO_GET_REVISION_MATCH) == is_v6;
}

static bool may(const struct socket *s)
{
	return !s->net->is_host && ns_capable(s->net->ns.owner, CAP_NET_ADMIN);
}

/* ---- setting ---- */

static struct linux_xt_counters counters_now(struct linux_xt_counters *c)
{
	return (struct linux_xt_counters){atomic_load_relaxed(&c->packets),
					  atomic_load_relaxed(&c->bytes)};
}

/* What has gone tells its counters, as far as they can be written. */
static void tell_counters(struct nf_rules *r, uaddr_t to)
{
	struct linux_xt_counters some[CHUNK];
	uint32_t pos = 0;

	while (pos < r->size) {
		uint32_t count = 0;

		while (pos < r->size && count < CHUNK) {
			uint8_t *e = r->entries + pos;

			some[count++] = counters_now(nf_counters(r->is_v4, e));
			pos += nf_next_offset(r->is_v4, e);
		}
		if (copy_to_user(to, some, count * sizeof(some[0])))
			return;
		to += count * sizeof(some[0]);
	}
}

static int put_in(struct socket *s, const struct linux_ipt_replace *q, struct nf_hold *h)
{
	enum nf_table_kind kind = nf_table_find(q->name);
	int err;

	if (kind == NF_TABLES)
		return -ENOENT;
	if (q->valid_hooks != nf_table_hooks(kind))
		return -EINVAL;
	err = nf_table_replace(s->net, kind, q->counter_count, h);
	if (!err)
		tell_counters(h->rules, q->counters);
	return err;
}

static int replace(struct socket *s, bool is_v4, uaddr_t value, uint32_t len)
{
	struct linux_ipt_replace q;
	struct netfilter *nf;
	struct nf_hold h;
	int err;

	if (len < sizeof(q))
		return -EINVAL;
	if (COPY_IN(&q, value))
		return -EFAULT;
	if (q.counter_count >= INT32_MAX / sizeof(struct linux_xt_counters))
		return -ENOMEM;
	if (!q.counter_count || len < (uint64_t)q.size + sizeof(q))
		return -EINVAL;
	q.name[sizeof(q.name) - 1] = '\0';
	nf = nf_begin(s->net);
	if (!nf || !nf_rules_create(nf, is_v4, q.size, &h))
		return -ENOMEM;
	err = copy_from_user(h.rules->entries, value + sizeof(q), q.size);
	if (!err)
		err = nf_rules_check(s->net, h.rules, &q);
	if (!err)
		err = put_in(s, &q, &h);
	nf_hold_end(&h);
	return err;
}

static int add_some(struct nf_rules *r, uint32_t *pos, uaddr_t from, uint32_t count)
{
	struct linux_xt_counters some[CHUNK];

	if (copy_from_user(some, from, count * sizeof(some[0])))
		return -EFAULT;
	for (uint32_t i = 0; i < count; i++) {
		uint8_t *e = r->entries + *pos;
		struct linux_xt_counters *c = nf_counters(r->is_v4, e);

		(void)atomic_add(&c->packets, some[i].packets);
		(void)atomic_add(&c->bytes, some[i].bytes);
		*pos += nf_next_offset(r->is_v4, e);
	}
	return 0;
}

static int add_counters(struct socket *s, bool is_v4, uaddr_t value, uint32_t len)
{
	struct linux_xt_sized q;
	struct nf_hold h;
	uint32_t pos = 0;
	int err;

	if (len <= sizeof(q))
		return -EINVAL;
	if (COPY_IN(&q, value))
		return -EFAULT;
	q.name[sizeof(q.name) - 1] = '\0';
	if ((uint64_t)q.count * sizeof(struct linux_xt_counters) != len - sizeof(q))
		return -EINVAL;
	err = nf_table_get(s->net, is_v4, q.name, &h);
	if (err)
		return err;
	if (q.count != h.rules->count)
		err = -EINVAL;
	value += sizeof(q);
	for (uint32_t left = q.count; left && !err;) {
		uint32_t count = MIN(left, (uint32_t)CHUNK);

		err = add_some(h.rules, &pos, value, count);
		value += count * sizeof(struct linux_xt_counters);
		left -= count;
	}
	nf_hold_end(&h);
	return err;
}

long netfilter_set_option(struct socket *s, int level, int name, uaddr_t value, int len)
{
	bool is_v4 = level == SOL_IP;

	if (!may(s))
		return -EPERM;
	return name == IPT_SO_SET_REPLACE ? replace(s, is_v4, value, (uint32_t)len)
					  : add_counters(s, is_v4, value, (uint32_t)len);
}

/* ---- reading ---- */

static int get_info(struct socket *s, bool is_v4, uaddr_t value, uint32_t len)
{
	struct linux_ipt_getinfo q = {.entry_count = 0};
	const struct nf_rules *r;
	struct nf_hold h;
	int err;

	if (len != sizeof(q))
		return -EINVAL;
	if (copy_from_user(q.name, value, sizeof(q.name)))
		return -EFAULT;
	q.name[sizeof(q.name) - 1] = '\0';
	err = nf_table_get(s->net, is_v4, q.name, &h);
	if (err)
		return err;
	r = h.rules;
	q.valid_hooks = r->valid_hooks;
	memcpy(q.hook_entry, r->hook_entry, sizeof(q.hook_entry));
	memcpy(q.underflow, r->underflow, sizeof(q.underflow));
	q.entry_count = r->count;
	q.size = r->size;
	nf_hold_end(&h);
	return COPY_OUT(value, &q);
}

/* As a program gave it: what is ours in it is left out. */
static void clean(const struct nf_kind *kinds, struct linux_xt_extension *x)
{
	const struct nf_kind *k = &kinds[(uint8_t)x->name[NF_PLACE]];
	uint8_t *data = (uint8_t *)(x + 1);

	if (k->user_size)
		memset(data + k->user_size, 0, (size_t)(k->size - k->user_size));
	x->name[NF_PLACE] = '\0';
}

static void clean_entry(bool is_v4, uint8_t *e, struct linux_xt_counters c)
{
	uint32_t end = nf_target_offset(is_v4, e);
	uint32_t at = nf_head_size(is_v4);

	*nf_counters(is_v4, e) = c;
	while (at < end) {
		struct linux_xt_extension *m = (void *)(e + at);

		clean(nf_matches, m);
		at += m->size;
	}
	clean(nf_targets, (void *)(e + end));
}

static int copy_entries(struct nf_rules *r, uaddr_t to)
{
	struct scratch s;
	uint8_t *copy = scratch_alloc(&s, r->size);
	uint32_t pos = 0;
	int err;

	if (!copy)
		return -ENOMEM;
	memcpy(copy, r->entries, r->size);
	while (pos < r->size) {
		uint8_t *e = r->entries + pos;

		clean_entry(r->is_v4, copy + pos, counters_now(nf_counters(r->is_v4, e)));
		pos += nf_next_offset(r->is_v4, e);
	}
	err = copy_to_user(to, copy, r->size);
	scratch_free(&s);
	return err;
}

static int get_entries(struct socket *s, bool is_v4, uaddr_t value, uint32_t len)
{
	struct linux_xt_sized q;
	struct nf_hold h;
	int err;

	if (len < sizeof(q))
		return -EINVAL;
	if (COPY_IN(&q, value))
		return -EFAULT;
	if (len != (uint64_t)q.count + sizeof(q))
		return -EINVAL;
	q.name[sizeof(q.name) - 1] = '\0';
	err = nf_table_get(s->net, is_v4, q.name, &h);
	if (err)
		return err;
	err = q.count == h.rules->size ? copy_entries(h.rules, value + sizeof(q))
				       : -EAGAIN;
	nf_hold_end(&h);
	return err;
}

/* Is there that revision of it? */
static int find_revision(const struct nf_kind *kinds, uint32_t count, bool is_v4,
			 uaddr_t value, uint32_t len)
{
	struct linux_xt_get_revision q;
	struct linux_xt_extension x = {.size = 0};
	uint32_t place;
	int err;

	if (len != sizeof(q))
		return -EINVAL;
	if (COPY_IN(&q, value))
		return -EFAULT;
	q.name[sizeof(q.name) - 1] = '\0';
	memcpy(x.name, q.name, sizeof(x.name));
	x.revision = q.revision;
	err = nf_kind_find(kinds, count, is_v4, &x, &place);
	return err == -EPROTOTYPE ? -EPROTONOSUPPORT : err;
}

long netfilter_get_option(struct socket *s, int level, int name, uaddr_t value,
			  uaddr_t len_at)
{
	bool is_v4 = level == SOL_IP;
	uint32_t len;
	int err;

	if (get_user_u32(&len, len_at))
		return -EFAULT;
	if ((int)len < 0)
		return -EINVAL;
	if (!may(s))
		return -EPERM;
	switch (name) {
	case IPT_SO_GET_INFO:
		err = get_info(s, is_v4, value, len);
		break;
	case IPT_SO_GET_ENTRIES:
		err = get_entries(s, is_v4, value, len);
		break;
	case IPT_SO_GET_REVISION_MATCH:
	case IP6T_SO_GET_REVISION_MATCH:
		err = find_revision(nf_matches, nf_match_count, is_v4, value, len);
		break;
	default:
		err = find_revision(nf_targets, nf_target_count, is_v4, value, len);
		break;
	}
	return err ? err : put_user_u32(len_at, len);
}
