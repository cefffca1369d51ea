/* SPDX-License-Identifier: MIT */
/* group.c - groups that sockets have joined: IP_ADD_MEMBERSHIP, MCAST_JOIN_GROUP and so
 * on, with the sources that they want or do not want. ip(7), ipv6(7), RFC 3678.
 *
 * A message to a group comes in if anybody of the network has joined it, and then to all
 * sockets that fit: those that have not joined take part unless IP_MULTICAST_ALL is off.
 *
 * Locks: inet_socket.lock serialises changes; local_socket.option_lock guards its list,
 * dgram_net.lock the network's. */
#include "net/local/group.h"
#include "abi/errno.h"
#include "abi/inet.h"
#include "base/slab.h"
#include "lib/string.h"
#include "lib/tree.h"
#include "net/local/deliver.h"

enum {
	GROUPS_MAX = 20,
	GROUPS6_MAX = 2340, /* as many as Linux's net.core.optmem_max has room for */
	SOURCES_MAX = 10,
	ALL_HOSTS = 0xe0000001,
};

/* A socket's. */
struct membership {
	struct tree_node node; /* local_socket.groups */
	struct tcp_target group;
	struct tcp_target own; /* as it was joined by: an address, or none */
	bool is_exclude;       /* the sources are those not to hear from */
	bool has_sources;      /* there was ever one */
	uint32_t count;
	uint8_t sources[SOURCES_MAX][16];
};

/* The network's. */
struct joined {
	struct tree_node node; /* dgram_net.groups */
	struct tcp_target group;
	uint32_t count;
};

static SLAB_CACHE(membership_slab, "ip_mc_socklist", sizeof(struct membership), 8);
static SLAB_CACHE(joined_slab, "ip_mc_list", sizeof(struct joined), 8);

static int compare(const struct tcp_target *a, const struct tcp_target *b)
{
	if (a->is_v4 != b->is_v4)
		return a->is_v4 ? -1 : 1;
	return memcmp(a->name.addr, b->name.addr, sizeof(a->name.addr));
}

/* ---- the network's ---- */

static int compare_joined(const void *group, const struct tree_node *node)
{
	return compare(group, &tree_entry(node, struct joined, node)->group);
}

static int joined_order(const struct tree_node *a, const struct tree_node *b)
{
	return compare_joined(&tree_entry(a, struct joined, node)->group, b);
}

/* Its lock is held. */
static struct joined *find_joined(struct dgram_net *n, const struct tcp_target *group)
{
	struct tree_node *found = tree_find(&n->groups, group, compare_joined);

	return found ? tree_entry(found, struct joined, node) : NULL;
}

static int net_join(struct net_ns *net, const struct tcp_target *group)
{
	struct dgram_net *n = dgram_net_of(net);
	struct joined *j;

	lock_take(&n->lock);
	j = find_joined(n, group);
	if (!j) {
		j = slab_alloc_zeroed(&joined_slab);
		if (j) {
			j->group = *group;
			(void)!tree_insert(&n->groups, &j->node, joined_order);
		}
	}
	if (j)
		j->count++;
	lock_drop(&n->lock);
	return j ? 0 : -ENOBUFS;
}

static void net_leave(struct net_ns *net, const struct tcp_target *group)
{
	struct dgram_net *n = dgram_net_of(net);
	struct joined *j;

	lock_take(&n->lock);
	j = find_joined(n, group);
	if (j && !--j->count) {
		tree_remove(&n->groups, &j->node);
		slab_free(&joined_slab, j);
	}
	lock_drop(&n->lock);
}

/* Those that every device is in. */
static bool is_for_all(const struct tcp_target *to)
{
	const uint8_t *a = to->name.addr;

	if (to->is_v4)
		return get_be32(a) == ALL_HOSTS;
	for (int i = 2; i < 15; i++)
		if (a[i])
			return false;
	return a[0] == 0xff && (a[1] == 1 || a[1] == 2) && a[15] == 1;
}

bool group_is_joined(struct net_ns *net, const struct tcp_target *to)
{
	struct dgram_net *n = dgram_net_of(net);
	bool is_joined;

	if (is_for_all(to))
		return true;
	lock_take(&n->lock);
	is_joined = find_joined(n, to);
	lock_drop(&n->lock);
	return is_joined;
}

/* ---- a socket's ---- */

static int compare_membership(const void *group, const struct tree_node *node)
{
	return compare(group, &tree_entry(node, struct membership, node)->group);
}

static int membership_order(const struct tree_node *a, const struct tree_node *b)
{
	return compare_membership(&tree_entry(a, struct membership, node)->group, b);
}

static struct membership *find(const struct local_socket *l,
			       const struct tcp_target *group)
{
	struct tree_node *found = tree_find(&l->groups, group, compare_membership);

	return found ? tree_entry(found, struct membership, node) : NULL;
}

static int find_source(const struct membership *m, const struct tcp_target *source)
{
	for (uint32_t i = 0; i < m->count; i++)
		if (!memcmp(m->sources[i], source->name.addr, sizeof(m->sources[i])))
			return (int)i;
	return -1;
}

bool group_allows(const struct dgram *d, const struct tcp_target *to,
		  const struct tcp_target *from)
{
	struct local_socket *mine = (struct local_socket *)(uintptr_t)&d->local;
	const struct membership *m;
	bool is_allowed;

	if (!local_address_is_multicast(to))
		return true;
	lock_take(&mine->option_lock);
	m = find(mine, to);
	if (!m)
		is_allowed = to->is_v4 ? local_has_ip(&d->local, IP_MULTICAST_ALL)
				       : local_has_ip6(&d->local, IPV6_MULTICAST_ALL);
	else
		is_allowed = (find_source(m, from) < 0) == m->is_exclude;
	lock_drop(&mine->option_lock);
	return is_allowed;
}

static uint32_t count_of(const struct local_socket *l, bool is_v4)
{
	uint32_t count = 0;
	struct tree_node *pos;

	tree_for_each (pos, &l->groups)
		count += tree_entry(pos, struct membership, node)->group.is_v4 == is_v4;
	return count;
}

/* The socket's lock is held, as for all that follows. */
static int join(struct local_socket *l, const struct group_request *q, bool is_exclude)
{
	struct net_ns *net = l->inet.socket->net;
	struct membership *m;
	int err;

	if (find(l, &q->group))
		return -EADDRINUSE;
	if (q->group.is_v4 && count_of(l, true) >= GROUPS_MAX)
		return -ENOBUFS;
	if (!q->group.is_v4 && count_of(l, false) >= GROUPS6_MAX)
		return -ENOMEM;
	m = slab_alloc_zeroed(&membership_slab);
	if (!m)
		return -ENOBUFS;
	err = net_join(net, &q->group);
	if (err) {
		slab_free(&membership_slab, m);
		return err;
	}
	m->group = q->group;
	m->own = q->own;
	m->is_exclude = is_exclude;
	lock_take(&l->option_lock);
	(void)!tree_insert(&l->groups, &m->node, membership_order);
	lock_drop(&l->option_lock);
	return 0;
}

static void leave(struct local_socket *l, struct membership *m)
{
	lock_take(&l->option_lock);
	tree_remove(&l->groups, &m->node);
	lock_drop(&l->option_lock);
	net_leave(l->inet.socket->net, &m->group);
	slab_free(&membership_slab, m);
}

/* One source more, or less, of the kind that is_exclude says. */
static int change_source(struct local_socket *l, struct membership *m,
			 const struct tcp_target *source, bool is_exclude, bool is_more)
{
	int at;
	int err = -EADDRNOTAVAIL;

	if (m->has_sources && m->is_exclude != is_exclude)
		return -EINVAL;
	lock_take(&l->option_lock);
	m->is_exclude = is_exclude;
	at = find_source(m, source);
	if (is_more && at < 0 && m->count == SOURCES_MAX) {
		err = -ENOBUFS;
	} else if (is_more && at < 0) {
		memcpy(m->sources[m->count++], source->name.addr, 16);
		m->has_sources = true;
		err = 0;
	} else if (!is_more && at >= 0) {
		m->count--;
		memmove(m->sources[at], m->sources[at + 1],
			(m->count - (uint32_t)at) * sizeof(m->sources[0]));
		err = 0;
	}
	lock_drop(&l->option_lock);
	return err;
}

static int act(struct local_socket *l, const struct group_request *q)
{
	struct membership *m;
	bool is_new = false;
	int err;

	if (q->what == GROUP_JOIN)
		return join(l, q, true);
	if (q->what == GROUP_JOIN_SOURCE) {
		err = join(l, q, false);
		if (err && err != -EADDRINUSE)
			return err;
		is_new = !err;
	}
	m = find(l, &q->group);
	if (!m)
		return q->what == GROUP_LEAVE ? -EADDRNOTAVAIL : -EINVAL;
	if (q->what == GROUP_LEAVE) {
		leave(l, m);
		return 0;
	}
	if (q->what == GROUP_LEAVE_SOURCE && m->count == 1 && !m->is_exclude &&
	    !find_source(m, &q->source)) {
		leave(l, m); /* no source is left to hear from */
		return 0;
	}
	err = change_source(l, m, &q->source,
			    q->what == GROUP_BLOCK || q->what == GROUP_UNBLOCK,
			    q->what == GROUP_BLOCK || q->what == GROUP_JOIN_SOURCE);
	if (err && is_new)
		leave(l, m);
	return err;
}

int group_change(struct local_socket *l, const struct group_request *q)
{
	int err;

	lock_take(&l->inet.lock);
	err = act(l, q);
	lock_drop(&l->inet.lock);
	return err;
}

int group_filter_set(struct local_socket *l, const struct tcp_target *group,
		     bool is_exclude, const uint8_t (*sources)[16], uint32_t count)
{
	struct membership *m;
	int err = 0;

	if (count > SOURCES_MAX)
		return -ENOBUFS;
	lock_take(&l->inet.lock);
	m = find(l, group);
	if (!m) {
		err = -EINVAL;
	} else if (!is_exclude && !count) {
		leave(l, m);
	} else {
		lock_take(&l->option_lock);
		m->is_exclude = is_exclude;
		m->count = count;
		m->has_sources = m->has_sources || count;
		memcpy(m->sources, sources, count * sizeof(m->sources[0]));
		lock_drop(&l->option_lock);
	}
	lock_drop(&l->inet.lock);
	return err;
}

int group_filter_get(struct local_socket *l, const struct tcp_target *group,
		     bool *is_exclude, uint8_t (*sources)[16], uint32_t *count)
{
	const struct membership *m;

	lock_take(&l->option_lock);
	m = find(l, group);
	if (m) {
		*is_exclude = m->is_exclude;
		memcpy(sources, m->sources,
		       MIN(*count, m->count) * sizeof(m->sources[0]));
		*count = m->count;
	}
	lock_drop(&l->option_lock);
	return m ? 0 : -EADDRNOTAVAIL;
}

void group_leave_all(struct local_socket *l)
{
	struct tree_node *node;

	while ((node = tree_first(&l->groups)))
		leave(l, tree_entry(node, struct membership, node));
}
