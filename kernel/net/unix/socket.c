/* SPDX-License-Identifier: MIT */
/* socket.c - the life of AF_UNIX sockets, and what poll and ioctl say of them. */
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/ioctl.h"
#include "base/lock.h"
#include "base/slab.h"
#include "base/waitq.h"
#include "fs/file.h"
#include "fs/poll.h"
#include "fs/proc/proc.h"
#include "lib/atomic.h"
#include "mm/usercopy.h"
#include "net/unix/internal.h"
#include "net/unix/unix.h"
#include "process/creds.h"

enum { BACKLOG = 10 }; /* net.unix.max_dgram_qlen */

static SLAB_CACHE(unix_slab, "unix_sock", sizeof(struct unix_socket), 64);
struct lock unix_all_lock = LOCK_INIT(RANK_OBJECT2);
struct roll unix_all;

/* ---- life ---- */

struct unix_socket *unix_create(const struct net_ns *net, int type)
{
	struct unix_socket *u = slab_alloc_zeroed(&unix_slab);

	if (!u)
		return NULL;
	ref_init(&u->refs);
	lock_init(&u->lock, RANK_OBJECT);
	u->net = net;
	u->type = type;
	u->peek_off = -1;
	u->takes_rights = true;
	u->send_size = 212992;
	u->backlog = BACKLOG;
	list_init(&u->bytes.marks);
	list_init(&u->packets);
	list_init(&u->embryo_link);
	waitq_init(&u->readable);
	waitq_init(&u->writable);
	waitq_init(&u->room);
	list_init(&u->full_senders);
	list_init(&u->full_link);
	list_init(&u->flight_link);
	list_init(&u->rights);
	list_init(&u->kin);
	list_init(&u->reach_link);
	lock_take(&unix_all_lock);
	roll_add(&unix_all, &u->all_entry);
	lock_drop(&unix_all_lock);
	return u;
}

void unix_get(struct unix_socket *u)
{
	ref_get(&u->refs);
}

void unix_put(struct unix_socket *u)
{
	if (!u || !ref_put(&u->refs))
		return;
	if (u->spare)
		unix_packet_free_spare(u->spare);
	unix_address_put(u->address);
	creds_put(u->peer_creds);
	slab_free(&unix_slab, u);
}

struct unix_socket *unix_peer_get(struct unix_socket *u)
{
	struct unix_socket *peer;

	lock_take(&u->lock);
	peer = u->peer;
	if (peer)
		unix_get(peer);
	lock_drop(&u->lock);
	return peer;
}

void unix_peer_drop(struct unix_socket *u, struct unix_socket *peer)
{
	lock_take(&peer->lock);
	list_remove(&u->full_link);
	lock_drop(&peer->lock);
	unix_put(peer);
}

void unix_room_changed(struct unix_socket *u)
{
	struct list *node;

	waitq_wake_all(&u->room, 0);
	while ((node = list_pop(&u->full_senders)))
		waitq_wake_all(&list_entry(node, struct unix_socket, full_link)->writable,
			       POLL_WRITABLE);
}

int unix_take_error(struct unix_socket *u)
{
	return likely(!atomic_load_relaxed(&u->error)) ? 0 : -atomic_xchg(&u->error, 0);
}

void unix_sigio(struct unix_socket *u, uint32_t band)
{
	struct file *f = u->socket ? u->socket->file : NULL;

	if (f && unlikely(atomic_load_relaxed(&f->flags) & O_ASYNC))
		file_send_sigio(f, band);
}

/* ---- the end ---- */

/* The peer of a connection learns that u is gone. */
static void hang_up(struct unix_socket *peer, bool lost)
{
	lock_take(&peer->lock);
	peer->shutdown = SHUT_BOTH;
	if (lost)
		atomic_store(&peer->error, ECONNRESET);
	unix_sigio(peer, POLLHUP);
	lock_drop(&peer->lock);
	waitq_wake_all(&peer->readable, 0);
	waitq_wake_all(&peer->writable, 0);
}

static void purge_bytes(struct unix_socket *u)
{
	struct byte_run unread;
	struct list *node;

	while ((node = list_pop(&u->bytes.marks))) {
		struct unix_mark *mark = list_entry(node, struct unix_mark, link);

		if (mark->rights) {
			unix_rights_unqueue(mark->rights);
			unix_rights_drop(mark->rights);
		}
		unix_mark_destroy(mark);
	}
	u->bytes.mark_count = 0;
	byte_chain_clear(&u->bytes.chain, &unread);
	byte_run_free(&unread);
}

static void release_embryos(struct list *embryos)
{
	struct list *node;

	while ((node = list_pop(embryos))) {
		struct unix_socket *e = list_entry(node, struct unix_socket, embryo_link);

		unix_gc_born(e);
		unix_release(e, true);
	}
	unix_gc_sync();
}

/* Packets that nobody has read. Linux overlooks the first packet if it is empty, but none
 * after it. */
static bool holds_packets(const struct unix_socket *u)
{
	const struct list *first = u->packets.next;

	if (u->state == UNIX_LISTENING || list_is_empty(&u->packets))
		return false;
	return list_entry(first, struct unix_packet, link)->size > 0 ||
	       first->next != &u->packets;
}

void unix_release(struct unix_socket *u, bool is_embryo)
{
	struct list packets = LIST_INIT(packets);
	struct unix_socket *peer;
	bool lost;

	lock_take(&unix_all_lock);
	roll_remove(&unix_all, &u->all_entry);
	lock_drop(&unix_all_lock);
	unix_forget_name(u);
	if (unlikely(u->carrier || u->door))
		unix_outside_release(u);
	lock_take(&u->lock);
	u->is_dead = true;
	u->socket = NULL;
	u->shutdown = SHUT_BOTH;
	peer = u->peer;
	u->peer = NULL;
	lost = is_embryo || unix_bytes_used(&u->bytes) > u->dead_bytes ||
	       holds_packets(u);
	list_splice_tail(&packets, &u->packets);
	u->queued = 0;
	unix_room_changed(u);
	lock_drop(&u->lock);
	if (peer) {
		if (u->type != SOCK_DGRAM)
			hang_up(peer, lost);
		unix_peer_drop(u, peer);
	}
	purge_bytes(u);
	if (u->state == UNIX_LISTENING)
		release_embryos(&packets);
	else
		unix_packets_purge(&packets);
	unix_put(u);
}

static void unix_file_release(struct socket *s)
{
	unix_release(unix_of(s), false);
}

/* ---- poll and ioctl ---- */

/* Is the peer of a datagram socket full? Then u learns when it no longer is. */
static bool peer_is_full(struct unix_socket *u) NO_LOCK_CHECK
{
	struct unix_socket *peer = unix_peer_get(u);
	bool is_full = false;

	if (!peer)
		return false;
	if (peer != u) {
		lock_take_pair(&u->lock, &peer->lock);
		is_full = u->peer == peer && peer->peer != u && !peer->is_dead &&
			  unix_is_full(peer);
		if (is_full && list_is_empty(&u->full_link))
			list_add_tail(&peer->full_senders, &u->full_link);
		lock_drop_pair(&u->lock, &peer->lock);
	}
	unix_put(peer);
	return is_full;
}

static bool is_writable(struct unix_socket *u)
{
	struct unix_socket *peer;
	uint64_t used;

	if (u->state == UNIX_LISTENING)
		return false;
	if (u->type == SOCK_STREAM) {
		peer = atomic_load(&u->peer);
		used = peer ? unix_bytes_charge(&peer->bytes) : 0;
	} else {
		used = atomic_load(&u->sent);
	}
	return used * 4 <= atomic_load_relaxed(&u->send_size);
}

static uint32_t unix_poll(struct socket *s, struct poll_table *pt)
{
	struct unix_socket *u = unix_of(s);
	uint32_t bits = 0;

	poll_wait(pt, &u->readable);
	poll_wait(pt, &u->writable);
	if (unlikely(atomic_load(&u->carrier) != NULL))
		/* The host knows the rest. */
		return atomic_load(&u->queued) ? POLL_READABLE : 0;
	lock_take(&u->lock);
	if (atomic_load_relaxed(&u->error)) {
		bits |= POLLERR;
		if (u->type != SOCK_STREAM &&
		    (atomic_load_relaxed(&s->flags) & SOCKET_SELECT_ERR_QUEUE))
			bits |= POLLPRI;
	}
	if (u->shutdown == SHUT_BOTH)
		bits |= POLLHUP;
	if (u->shutdown & SHUT_RECEIVE)
		bits |= POLLRDHUP | POLL_READABLE;
	if (u->queued || unix_bytes_used(&u->bytes))
		bits |= POLL_READABLE;
	if (u->urgent)
		bits |= POLLPRI;
	if (u->type != SOCK_DGRAM && u->state == UNIX_IDLE)
		bits |= POLLHUP;
	lock_drop(&u->lock);
	if (is_writable(u) && (u->type != SOCK_DGRAM || !peer_is_full(u)))
		bits |= POLL_WRITABLE | POLLWRBAND;
	return bits;
}

/* How much a receive would find. */
static long bytes_waiting(struct unix_socket *u)
{
	long size = 0;
	struct list *pos;

	lock_take(&u->lock);
	if (u->state == UNIX_LISTENING)
		size = -EINVAL;
	else if (u->type == SOCK_STREAM)
		size = (long)unix_bytes_used(&u->bytes) - (long)u->dead_bytes;
	else
		list_for_each (pos, &u->packets) {
			size += list_entry(pos, struct unix_packet, link)->size;
			if (u->type == SOCK_DGRAM)
				break;
		}
	lock_drop(&u->lock);
	return size;
}

static long unix_ioctl(struct socket *s, unsigned int cmd, uint64_t arg)
{
	struct unix_socket *u = unix_of(s);
	struct socket *carrier = atomic_load(&u->carrier);
	struct unix_socket *peer;
	long size;

	if (unlikely(carrier != NULL))
		return carrier->ops->ioctl(carrier, cmd, arg);
	switch (cmd) {
	case FIONREAD:
		size = bytes_waiting(u);
		return size < 0 ? size : put_user_u32(arg, (uint32_t)size);
	case TIOCOUTQ:
		if (u->type == SOCK_STREAM) {
			peer = atomic_load(&u->peer);
			size = peer ? (long)unix_bytes_used(&peer->bytes) : 0;
		} else {
			size = (long)atomic_load(&u->sent);
		}
		return put_user_u32(arg, (uint32_t)size);
	case SIOCATMARK:
		if (u->type != SOCK_STREAM)
			return -EOPNOTSUPP;
		return put_user_u32(arg, (uint32_t)unix_at_mark(u));
	case SIOCUNIXFILE:
		return unix_path_file(u);
	default:
		return -ENOTTY;
	}
}

/* ---- making ---- */

const struct socket_ops unix_stream_ops = {
	.bind = unix_bind,
	.connect = unix_connect_stream,
	.listen = unix_listen,
	.accept = unix_accept,
	.has_nobody = unix_has_nobody,
	.name = unix_name,
	.send = unix_stream_send,
	.receive = unix_stream_receive,
	.shutdown = unix_shutdown,
	.set_option = unix_set_option,
	.get_option = unix_get_option,
	.poll = unix_poll,
	.ioctl = unix_ioctl,
	.release = unix_file_release,
};

const struct socket_ops unix_dgram_ops = {
	.bind = unix_bind,
	.connect = unix_connect_dgram,
	.name = unix_name,
	.send = unix_packet_send,
	.receive = unix_packet_receive,
	.shutdown = unix_shutdown,
	.set_option = unix_set_option,
	.get_option = unix_get_option,
	.poll = unix_poll,
	.ioctl = unix_ioctl,
	.release = unix_file_release,
};

const struct socket_ops unix_seqpacket_ops = {
	.bind = unix_bind,
	.connect = unix_connect_stream,
	.listen = unix_listen,
	.accept = unix_accept,
	.has_nobody = unix_has_nobody,
	.name = unix_name,
	.send = unix_packet_send,
	.receive = unix_packet_receive,
	.shutdown = unix_shutdown,
	.set_option = unix_set_option,
	.get_option = unix_get_option,
	.poll = unix_poll,
	.ioctl = unix_ioctl,
	.release = unix_file_release,
};

void unix_attach(struct unix_socket *u, struct socket *s)
{
	s->private = u;
	s->ops = u->type == SOCK_STREAM	 ? &unix_stream_ops
		 : u->type == SOCK_DGRAM ? &unix_dgram_ops
					 : &unix_seqpacket_ops;
	u->socket = s;
}

static int unix_family_create(struct socket *s, int type, int protocol)
{
	struct unix_socket *u;

	if (protocol && protocol != AF_UNIX)
		return -EPROTONOSUPPORT;
	if (type == SOCK_RAW)
		type = SOCK_DGRAM;
	if (type != SOCK_STREAM && type != SOCK_DGRAM && type != SOCK_SEQPACKET)
		return -ESOCKTNOSUPPORT;
	u = unix_create(s->net, type);
	if (!u)
		return -ENOMEM;
	s->type = type;
	s->protocol = 0;
	unix_attach(u, s);
	return 0;
}

static const struct socket_family unix_family = {
	.family = AF_UNIX,
	.create = unix_family_create,
	.pair = unix_pair,
	.closed = unix_gc,
};

void unix_init(void)
{
	socket_family_register(&unix_family);
	proc_net_add("unix", unix_show_all, NULL);
}
