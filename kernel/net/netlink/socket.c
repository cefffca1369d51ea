/* SPDX-License-Identifier: MIT */
/* socket.c - the life of netlink sockets, and where they are bound. */
#include "abi/capability.h"
#include "abi/errno.h"
#include "base/slab.h"
#include "fs/file.h"
#include "fs/poll.h"
#include "fs/proc/host_links.h"
#include "fs/proc/proc.h"
#include "host/host.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "net/net_ns.h"
#include "net/netlink/internal.h"
#include "process/creds.h"
#include "process/task.h"
#include "process/user_ns.h"

static SLAB_CACHE(netlink_slab, "netlink_sock", sizeof(struct netlink_socket), 64);
struct lock netlink_lock = LOCK_INIT(RANK_OBJECT);
struct list netlink_sockets[NETLINK_PROTOCOLS];

/* ---- life ---- */

void netlink_get(struct netlink_socket *n)
{
	ref_get(&n->refs);
}

void netlink_put(struct netlink_socket *n)
{
	if (n && ref_put(&n->refs))
		slab_free(&netlink_slab, n);
}

static void netlink_release(struct socket *s)
{
	struct netlink_socket *n = netlink_of(s);
	struct list packets = LIST_INIT(packets);
	struct netlink_dump *dump;

	lock_take(&netlink_lock);
	list_remove(&n->link);
	lock_drop(&netlink_lock);
	lock_take(&n->lock);
	n->socket = NULL;
	n->queued = 0;
	list_splice_tail(&packets, &n->packets);
	dump = n->dump;
	n->dump = NULL;
	lock_drop(&n->lock);
	netlink_dump_destroy(dump);
	waitq_wake_all(&n->room, 0);
	netlink_packets_purge(&packets);
	netlink_put(n);
}

int netlink_take_error(struct netlink_socket *n)
{
	int err = n->error;

	n->error = 0;
	return -err;
}

bool netlink_may(const struct netlink_socket *n, bool is_free)
{
	return is_free || ns_capable(n->net->ns.owner, CAP_NET_ADMIN);
}

bool netlink_capable(const struct netlink_socket *n, int cap)
{
	const struct user_ns *owner = n->net->ns.owner;

	return creds_ns_capable(n->socket->file->creds, owner, cap) &&
	       ns_capable(owner, cap);
}

uid_t netlink_uid_out(const struct netlink_request *r, uid_t uid)
{
	return kuid_shown(r->from->socket->file->creds->user_ns, uid);
}

/* ---- names ---- */

/* netlink_lock held. */
static struct netlink_socket *find_locked(const struct netlink_socket *n, uint32_t port)
{
	struct list *pos;

	list_for_each (pos, &netlink_sockets[n->protocol->number]) {
		struct netlink_socket *o = list_entry(pos, struct netlink_socket, link);

		if (o->is_bound && o->port == port && o->net == n->net)
			return o;
	}
	return NULL;
}

struct netlink_socket *netlink_find(const struct netlink_socket *n, uint32_t port)
{
	struct netlink_socket *found;

	lock_take(&netlink_lock);
	found = find_locked(n, port);
	if (found)
		netlink_get(found);
	lock_drop(&netlink_lock);
	return found;
}

static void bind_locked(struct netlink_socket *n, uint32_t port)
{
	n->port = port;
	atomic_store(&n->is_bound, true);
}

/* The process's number, or else one that no process can have. netlink_lock held. */
static int autobind_locked(struct netlink_socket *n)
{
	uint32_t port = (uint32_t)current()->process->pid;
	uint32_t any;

	while (find_locked(n, port)) {
		if (host_getrandom(&any, sizeof(any)) != (long)sizeof(any))
			return -EAGAIN;
		/* INT_MIN to -4096 */
		port = 0x80000000U + any % (0x80000000U - 4096U);
	}
	bind_locked(n, port);
	return 0;
}

int netlink_autobind(struct netlink_socket *n)
{
	int err = 0;

	if (likely(atomic_load(&n->is_bound)))
		return 0;
	lock_take(&netlink_lock);
	if (!n->is_bound)
		err = autobind_locked(n);
	lock_drop(&netlink_lock);
	return err;
}

static int import_address(const struct linux_sockaddr_storage *addr, int len,
			  struct linux_sockaddr_nl *out)
{
	if (len < (int)sizeof(*out) || addr->ss_family != AF_NETLINK)
		return -EINVAL;
	memcpy(out, addr, sizeof(*out));
	return 0;
}

static int join_all(struct netlink_socket *n, uint32_t groups)
{
	int err = 0;

	for (uint32_t g = 0; g < 32 && !err && n->protocol->join; g++)
		if (groups & 1U << g)
			err = n->protocol->join(n, g + 1);
	return err;
}

/* For groups, which come with it. */
static void make_room(struct netlink_socket *n)
{
	lock_take(&netlink_lock);
	n->group_count = n->protocol->group_count;
	lock_drop(&netlink_lock);
}

static int netlink_bind(struct socket *s, const struct linux_sockaddr_storage *addr,
			int len)
{
	struct netlink_socket *n = netlink_of(s);
	struct linux_sockaddr_nl a;
	int err = import_address(addr, len, &a);

	if (!err && a.nl_groups && !netlink_may(n, n->protocol->may_receive))
		err = -EPERM;
	if (err)
		return err;
	if (a.nl_groups)
		make_room(n);
	if (atomic_load(&n->is_bound) && a.nl_pid != n->port)
		return -EINVAL;
	if (a.nl_groups)
		err = join_all(n, a.nl_groups);
	if (err)
		return err;
	lock_take(&netlink_lock);
	if (n->is_bound)
		err = a.nl_pid == n->port ? 0 : -EINVAL;
	else if (!a.nl_pid)
		err = autobind_locked(n);
	else if (find_locked(n, a.nl_pid))
		n->port = a.nl_pid, err = -EADDRINUSE; /* which is told, as on Linux */
	else
		bind_locked(n, a.nl_pid);
	if (!err)
		n->groups[0] = a.nl_groups;
	lock_drop(&netlink_lock);
	return err;
}

static int netlink_connect(struct socket *s, const struct linux_sockaddr_storage *addr,
			   int len, bool nonblock)
{
	struct netlink_socket *n = netlink_of(s);
	struct linux_sockaddr_nl a = {0};
	int err = 0;

	(void)nonblock;
	if (len < (int)sizeof(addr->ss_family))
		return -EINVAL;
	if (addr->ss_family != AF_UNSPEC) {
		err = import_address(addr, len, &a);
		if (!err && (a.nl_groups || a.nl_pid) &&
		    !netlink_may(n, n->protocol->may_send))
			err = -EPERM;
		if (!err)
			err = netlink_autobind(n);
	}
	if (err)
		return err;
	lock_take(&netlink_lock);
	atomic_store(&n->peer_port, a.nl_pid);
	atomic_store(&n->peer_group, (uint32_t)__builtin_ffs((int)a.nl_groups));
	atomic_store(&n->is_connected, addr->ss_family != AF_UNSPEC);
	lock_drop(&netlink_lock);
	return 0;
}

static int netlink_name(struct socket *s, struct linux_sockaddr_storage *addr, bool peer)
{
	struct netlink_socket *n = netlink_of(s);
	struct linux_sockaddr_nl a = {.nl_family = AF_NETLINK};

	lock_take(&netlink_lock);
	if (!peer) {
		a.nl_pid = n->port;
		a.nl_groups = n->groups[0];
	} else {
		a.nl_pid = n->peer_port;
		if (n->peer_group)
			a.nl_groups = 1U << (n->peer_group - 1);
	}
	lock_drop(&netlink_lock);
	memcpy(addr, &a, sizeof(a));
	return sizeof(a);
}

bool netlink_is_member(const struct netlink_socket *n, uint32_t group)
{
	return group && group <= n->group_count &&
	       (n->groups[(group - 1) / 32] & 1U << (group - 1) % 32);
}

/* ---- poll ---- */

static uint32_t netlink_poll(struct socket *s, struct poll_table *pt)
{
	struct netlink_socket *n = netlink_of(s);
	uint32_t bits = POLL_WRITABLE | POLLWRBAND;

	poll_wait(pt, &n->readable);
	lock_take(&n->lock);
	if (n->error)
		bits |= POLLERR;
	if (!list_is_empty(&n->packets))
		bits |= POLL_READABLE;
	lock_drop(&n->lock);
	return bits;
}

/* ---- making ---- */

static const struct socket_ops netlink_ops = {
	.bind = netlink_bind,
	.connect = netlink_connect,
	.name = netlink_name,
	.send = netlink_send,
	.receive = netlink_receive,
	.set_option = netlink_set_option,
	.get_option = netlink_get_option,
	.poll = netlink_poll,
	.release = netlink_release,
};

static int netlink_create(struct socket *s, int type, int protocol)
{
	const struct netlink_protocol *p;
	struct netlink_socket *n;

	if (type != SOCK_RAW && type != SOCK_DGRAM)
		return -ESOCKTNOSUPPORT;
	p = netlink_protocol_find(protocol);
	if (!p)
		return -EPROTONOSUPPORT;
	n = slab_alloc_zeroed(&netlink_slab);
	if (!n)
		return -ENOMEM;
	ref_init(&n->refs);
	lock_init(&n->lock, RANK_OBJECT2);
	n->protocol = p;
	n->net = s->net;
	n->socket = s;
	list_init(&n->link);
	list_init(&n->packets);
	waitq_init(&n->readable);
	waitq_init(&n->room);
	s->ops = &netlink_ops;
	s->private = n;
	s->type = type;
	s->protocol = protocol;
	lock_take(&netlink_lock);
	list_add_tail(&netlink_sockets[protocol], &n->link);
	lock_drop(&netlink_lock);
	return 0;
}

static const struct socket_family netlink_family = {
	.family = AF_NETLINK,
	.create = netlink_create,
};

void netlink_init(struct monitor_box *box)
{
	for (size_t i = 0; i < NETLINK_PROTOCOLS; i++)
		list_init(&netlink_sockets[i]);
	socket_family_register(&netlink_family);
	netlink_notice_init(box);
	lo_watch(netlink_lo_changed);
	host_links_get = netlink_links_get;
	proc_net_add("netlink", netlink_show_all, NULL);
	proc_net_add("route", netlink_show_routes, NULL);
	proc_net_add("ipv6_route", netlink_show_routes6, NULL);
	proc_net_add("if_inet6", netlink_show_addresses6, NULL);
	proc_net_add("arp", netlink_show_arp, NULL);
}
