/* SPDX-License-Identifier: MIT */
/* message.c - sending and receiving: between sockets here, and to the kernel.
 *
 * A message to one waits for room in the receiver's queue. One to a group does not: who
 * has no room loses it, and its next receive says ENOBUFS. */
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "base/slab.h"
#include "fs/fdtable.h"
#include "fs/file.h"
#include "fs/poll.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "net/charge.h"
#include "net/filter.h"
#include "net/netlink/internal.h"
#include "process/creds.h"
#include "process/task.h"
#include "process/user_ns.h"

enum { SIZE_SPARE = 32 };

/* ---- packets ---- */

struct netlink_packet *netlink_packet_create(size_t size)
{
	struct netlink_packet *p = kmalloc(sizeof(*p) + size);

	if (!p)
		return NULL;
	memset(p, 0, sizeof(*p));
	list_init(&p->link);
	p->size = (uint32_t)size;
	p->charge = charge_of(size);
	return p;
}

void netlink_packets_purge(struct list *packets)
{
	struct list *node;

	while ((node = list_pop(packets)))
		kfree(list_entry(node, struct netlink_packet, link));
}

/* ---- queues ---- */

/* A message is lost: the lock is held. */
static void overrun(struct netlink_socket *n)
{
	n->drops++;
	if (atomic_load_relaxed(&n->options) & OPTION_NO_ENOBUFS)
		return;
	if (!n->is_congested)
		n->error = ENOBUFS;
	n->is_congested = true;
	waitq_wake_all(&n->readable, POLLERR);
}

static bool is_full(const struct netlink_socket *n)
{
	return n->is_congested || n->queued > netlink_receive_size(n);
}

/* The lock is held. False: p is to be forgotten. */
static bool passes_filter(const struct netlink_socket *n, struct netlink_packet *p)
{
	return !n->socket || socket_filter_pass(n->socket, p->data, &p->size);
}

bool netlink_has_room(struct netlink_socket *n)
{
	bool has_room;

	lock_take(&n->lock);
	has_room = !is_full(n);
	if (!has_room && n->socket)
		overrun(n);
	lock_drop(&n->lock);
	return has_room;
}

/* Takes p: the lock is held. False: the socket is gone, and p too. */
static bool enqueue(struct netlink_socket *n, struct netlink_packet *p)
{
	const struct file *f;

	if (!n->socket) {
		kfree(p);
		return false;
	}
	list_add_tail(&n->packets, &p->link);
	n->queued += p->charge;
	f = n->socket->file;
	if (f && unlikely(atomic_load_relaxed(&f->flags) & O_ASYNC))
		file_send_sigio(n->socket->file, POLLIN);
	waitq_wake_one(&n->readable, POLL_READABLE);
	return true;
}

int netlink_deliver(struct netlink_socket *n, struct netlink_packet *p)
{
	int err = 0;

	lock_take(&n->lock);
	if (!passes_filter(n, p)) {
		kfree(p);
	} else if (is_full(n)) {
		if (n->socket)
			overrun(n);
		kfree(p);
		err = -EAGAIN;
	} else {
		(void)enqueue(n, p);
	}
	lock_drop(&n->lock);
	return err;
}

void netlink_enqueue_part(struct netlink_socket *n, struct netlink_packet *p)
{
	if (passes_filter(n, p))
		(void)enqueue(n, p);
	else
		kfree(p);
}

/* Waits until n has room; its lock is held. */
static int wait_for_room(struct netlink_socket *n, bool may_block, nsec_t deadline)
{
	int err = 0;

	while (!err && n->socket && is_full(n)) {
		if (!may_block)
			return -EAGAIN;
		err = waitq_sleep(&n->room, &n->lock, deadline);
	}
	if (err)
		return socket_wait_error(err, deadline);
	return n->socket ? 0 : -ECONNREFUSED;
}

/* ---- sending ---- */

struct netlink_send {
	struct socket *s;
	struct netlink_socket *from;
	struct message *m;
	uint32_t port, group;
	bool is_named;
};

static int find_target(struct netlink_send *w)
{
	const struct message *m = w->m;
	struct netlink_socket *n = w->from;
	struct linux_sockaddr_nl a;

	if (!m->name_len) {
		w->port = atomic_load(&n->peer_port);
		w->group = atomic_load(&n->peer_group);
		return 0;
	}
	if (m->name_len < (int)sizeof(a) || m->name->ss_family != AF_NETLINK)
		return -EINVAL;
	memcpy(&a, m->name, sizeof(a));
	w->port = a.nl_pid;
	w->group = (uint32_t)__builtin_ffs((int)a.nl_groups);
	if ((w->group || w->port) && !netlink_may(n, n->protocol->may_send))
		return -EPERM;
	return 0;
}

/* Of all control messages only credentials mean something here. */
static int import_creds(const struct message *m, struct linux_ucred *creds)
{
	const struct linux_cmsghdr *c;
	size_t off = 0;
	int err;

	*creds = (struct linux_ucred){current()->process->pid, current_creds()->uid,
				      current_creds()->gid};
	while ((c = message_next_control(m, &off, &err))) {
		if (c->cmsg_level != SOL_SOCKET)
			continue;
		if (c->cmsg_type != SCM_CREDENTIALS)
			return -EINVAL;
		err = message_check_creds(c, creds);
		if (err)
			return err;
	}
	return err;
}

/* A copy of p for one member of the group, who may have no room for it. */
static void broadcast_one(struct netlink_socket *to, const struct netlink_packet *p)
{
	struct netlink_packet *copy = netlink_packet_create(p->size);

	if (!copy)
		return;
	memcpy(copy->data, p->data, p->size);
	copy->from = p->from;
	copy->group = p->group;
	copy->creds = p->creds;
	(void)netlink_deliver(to, copy);
}

/* To all members but the sender and who gets the message anyway. To whom the kernel is
 * port 0, so is who is not bound: he gets none either. Under netlink_lock, so
 * that who leaves has what came before. */
static void broadcast(const struct netlink_send *w, const struct netlink_packet *p)
{
	struct list *pos;

	lock_take(&netlink_lock);
	list_for_each (pos, &netlink_sockets[w->from->protocol->number]) {
		struct netlink_socket *to = list_entry(pos, struct netlink_socket, link);

		if (to != w->from && to->net == w->from->net && to->port != w->port &&
		    netlink_is_member(to, p->group))
			broadcast_one(to, p);
	}
	lock_drop(&netlink_lock);
}

void netlink_broadcast(const struct net_ns *net, const struct netlink_protocol *to,
		       const struct netlink_packet *p)
{
	struct list *pos;

	lock_take(&netlink_lock);
	list_for_each (pos, &netlink_sockets[to->number]) {
		struct netlink_socket *n = list_entry(pos, struct netlink_socket, link);

		if (n->net == net && n->port && netlink_is_member(n, p->group))
			broadcast_one(n, p);
	}
	lock_drop(&netlink_lock);
}

void netlink_overrun_all(const struct net_ns *net,
			 const struct netlink_protocol *protocol)
{
	struct list *pos;

	lock_take(&netlink_lock);
	list_for_each (pos, &netlink_sockets[protocol->number]) {
		struct netlink_socket *n = list_entry(pos, struct netlink_socket, link);

		lock_take(&n->lock);
		if (n->socket && n->net == net && n->group_count)
			overrun(n);
		lock_drop(&n->lock);
	}
	lock_drop(&netlink_lock);
}

/* To one socket, or the kernel: takes p. */
static int unicast(const struct netlink_send *w, struct netlink_packet *p)
{
	struct netlink_socket *to;
	nsec_t deadline;
	bool is_kept;
	int err = 0;

	if (!w->port) {
		if (w->from->protocol->has_kernel)
			netlink_ask_kernel(w->from, p);
		else
			err = -ECONNREFUSED;
		kfree(p);
		return err;
	}
	to = netlink_find(w->from, w->port);
	if (to && atomic_load(&to->is_connected) &&
	    atomic_load(&to->peer_port) != w->from->port) {
		netlink_put(to);
		to = NULL;
	}
	if (!to) {
		kfree(p);
		return -ECONNREFUSED;
	}
	deadline = socket_deadline(&w->s->send_timeout);
	lock_take(&to->lock);
	is_kept = passes_filter(to, p);
	if (is_kept)
		err = wait_for_room(to, !(w->m->flags & MSG_DONTWAIT), deadline);
	if (!err && is_kept)
		(void)enqueue(to, p);
	else
		kfree(p);
	lock_drop(&to->lock);
	netlink_put(to);
	return err;
}

static int send_checked(struct netlink_send *w, const struct linux_ucred *creds)
{
	size_t size = w->m->data->left;
	struct netlink_packet *p;
	int err;

	if (size + SIZE_SPARE > atomic_load_relaxed(&w->s->send_size))
		return -EMSGSIZE;
	p = netlink_packet_create(size);
	if (!p)
		return -ENOBUFS;
	err = uio_copy_in(w->m->data, p->data, size) < size ? -EFAULT : 0;
	if (err) {
		kfree(p);
		return err;
	}
	p->from = w->from->port;
	p->group = w->group;
	p->creds = *creds;
	if (w->group)
		broadcast(w, p);
	return unicast(w, p);
}

ssize_t netlink_send(struct socket *s, struct message *m)
{
	struct netlink_send w = {.s = s, .from = netlink_of(s), .m = m};
	size_t size = m->data->left;
	struct linux_ucred creds;
	int err;

	if (m->flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (!size)
		return -ENODATA;
	err = import_creds(m, &creds);
	if (!err)
		err = find_target(&w);
	if (!err)
		err = netlink_autobind(w.from);
	if (!err)
		err = send_checked(&w, &creds);
	return err ? err : (ssize_t)size;
}

/* ---- receiving ---- */

/* The first message, waiting for it. The lock is held. */
static int wait_for_packet(struct socket *s, const struct message *m,
			   struct netlink_packet **out, bool *has_slept)
{
	struct netlink_socket *n = netlink_of(s);
	nsec_t deadline = NSEC_NEVER;
	bool slept = false;

	for (;;) {
		int err = netlink_take_error(n);

		if (err)
			return err;
		if (!list_is_empty(&n->packets)) {
			*out = list_entry(list_first(&n->packets), struct netlink_packet,
					  link);
			return 0;
		}
		if (m->flags & MSG_DONTWAIT)
			return -EAGAIN;
		if (!slept)
			deadline = socket_deadline(&s->receive_timeout);
		slept = *has_slept = true;
		err = waitq_sleep_exclusive(&n->readable, &n->lock, deadline);
		if (err)
			return socket_wait_error(err, deadline);
	}
}

static void packet_take(struct netlink_socket *n, struct netlink_packet *p)
{
	list_remove(&p->link);
	n->queued -= p->charge;
	if (list_is_empty(&n->packets))
		n->is_congested = false;
	if (!n->is_congested)
		waitq_wake_all(&n->room, 0);
}

static void put_name(struct message *m, const struct netlink_packet *p)
{
	struct linux_sockaddr_nl a = {.nl_family = AF_NETLINK, .nl_pid = p->from};

	if (p->group && p->group <= 32)
		a.nl_groups = 1U << (p->group - 1);
	memset(m->name, 0, sizeof(*m->name));
	memcpy(m->name, &a, sizeof(a));
	m->name_len = sizeof(a);
}

static ssize_t copy_packet(struct netlink_socket *n, struct message *m,
			   const struct netlink_packet *p)
{
	uint32_t options = atomic_load_relaxed(&n->options);
	size_t size = MIN((size_t)p->size, m->data->left);

	if (size < p->size)
		m->out_flags |= MSG_TRUNC;
	if (uio_copy_out(m->data, p->data, size) < size)
		return -EFAULT;
	if (m->name)
		put_name(m, p);
	if (options & OPTION_PKTINFO)
		message_put_control(m, SOL_NETLINK, NETLINK_PKTINFO, &p->group,
				    sizeof(p->group));
	if (options & OPTION_PASSCRED) {
		struct linux_ucred told = {p->creds.pid, uid_out(p->creds.uid),
					   gid_out(p->creds.gid)};

		message_put_control(m, SOL_SOCKET, SCM_CREDENTIALS, &told, sizeof(told));
	}
	return (ssize_t)(m->flags & MSG_TRUNC ? p->size : size);
}

ssize_t netlink_receive(struct socket *s, struct message *m)
{
	struct netlink_socket *n = netlink_of(s);
	bool is_peek = m->flags & MSG_PEEK;
	struct netlink_packet *p = NULL;
	bool slept = false;
	ssize_t size;
	bool is_left;

	if (m->flags & MSG_OOB)
		return -EOPNOTSUPP;
	lock_take(&n->lock);
	size = wait_for_packet(s, m, &p, &slept);
	if (p && is_peek)
		size = copy_packet(n, m, p); /* nobody takes it meanwhile */
	else if (p)
		packet_take(n, p);
	is_left = slept && !list_is_empty(&n->packets);
	lock_drop(&n->lock);
	if (is_left) /* another receiver may have been passed over */
		waitq_wake_one(&n->readable, POLL_READABLE);
	if (!p)
		return size;
	if (!is_peek) {
		size = copy_packet(n, m, p);
		kfree(p);
	}
	netlink_dump_continue(n);
	return size;
}

/* ---- notices ---- */

static int notice_reserve(struct netlink_notice *out, struct socket *s, const void *data,
			  size_t size)
{
	struct netlink_socket *n = netlink_of(s);
	struct netlink_packet *p = netlink_packet_create(size);
	int err;

	if (!p)
		return -ENOMEM;
	memcpy(p->data, data, size);
	lock_take(&n->lock);
	err = wait_for_room(n, true, NSEC_NEVER);
	if (!err)
		n->queued += p->charge;
	lock_drop(&n->lock);
	if (err) {
		kfree(p);
		return err;
	}
	netlink_get(n);
	*out = (struct netlink_notice){n, p};
	return 0;
}

int netlink_notice_create(struct netlink_notice *n, int fd, const void *data, size_t size)
{
	struct fdref ref = fd_get(fd);
	struct socket *s = ref.file ? socket_of_file(ref.file) : NULL;
	int err;

	if (!ref.file)
		return -EBADF;
	if (!s)
		err = -ENOTSOCK;
	else if (s->family != AF_NETLINK)
		err = -EINVAL;
	else
		err = notice_reserve(n, s, data, size);
	fd_put(ref);
	return err;
}

/* Its room goes back: the lock is held. */
static void unreserve(struct netlink_socket *n, const struct netlink_packet *p)
{
	if (n->socket)
		n->queued -= p->charge;
}

void netlink_notice_send(struct netlink_notice *notice, size_t off, uint8_t code)
{
	struct netlink_socket *n = notice->to;

	notice->packet->data[off] = code;
	lock_take(&n->lock);
	unreserve(n, notice->packet);
	(void)enqueue(n, notice->packet);
	lock_drop(&n->lock);
	netlink_put(n);
	*notice = (struct netlink_notice){NULL, NULL};
}

void netlink_notice_drop(struct netlink_notice *notice)
{
	struct netlink_socket *n = notice->to;

	if (!n)
		return;
	lock_take(&n->lock);
	unreserve(n, notice->packet);
	lock_drop(&n->lock);
	kfree(notice->packet);
	netlink_put(n);
	*notice = (struct netlink_notice){NULL, NULL};
}
