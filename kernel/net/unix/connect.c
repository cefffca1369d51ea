/* SPDX-License-Identifier: MIT */
/* connect.c - how AF_UNIX sockets come together and part: connect, listen, accept,
 * socketpair, shutdown.
 *
 * connect() makes the other side's socket itself and leaves it in the listener's queue;
 * both ends can talk at once. Until it is accepted that socket is an embryo, which has no
 * file. */
#include "abi/errno.h"
#include "base/claim.h"
#include "base/lock.h"
#include "base/waitq.h"
#include "fs/poll.h"
#include "lib/atomic.h"
#include "net/unix/internal.h"
#include "process/creds.h"
#include "process/task.h"

bool unix_may_send(const struct unix_socket *u, const struct unix_socket *target)
{
	return target->peer ? target->peer == u : !target->carrier;
}

static void peer_creds_current(struct unix_socket *u)
{
	unix_set_peer_creds(u, current()->process->pid, current()->creds);
}

/* ---- streams ---- */

/* u and the fresh socket are now the ends of a connection that waits in listener's queue.
 * Locks of u and listener held. */
static void establish(struct unix_socket *u, struct unix_socket *fresh,
		      struct unix_socket *listener)
{
	fresh->address = listener->address;
	unix_address_get(fresh->address);
	unix_share_path(listener, fresh);
	atomic_store(&fresh->net, listener->net);
	unix_get(u);
	fresh->peer = u;
	fresh->state = UNIX_CONNECTED;
	fresh->takes_rights = listener->takes_rights;
	atomic_store(&fresh->listener, listener);
	peer_creds_current(fresh);
	unix_set_peer_creds(u, listener->peer_pid, listener->peer_creds);
	unix_get(fresh);
	u->state = UNIX_CONNECTED;
	atomic_store(&u->peer, fresh);
	list_add_tail(&listener->packets, &fresh->embryo_link);
	listener->queued++;
	unix_sigio(listener, POLLIN);
}

struct stream_connect {
	struct claim claim;
	struct unix_socket *u, *listener;
	struct unix_socket *fresh; /* until it is in the listener's queue: its lock */
	nsec_t deadline;
	bool nonblock;
};

static void stream_connect_fini(struct stream_connect *c)
{
	if (c->fresh)
		unix_release(c->fresh, true);
	unix_put(c->listener);
}

static void connect_abandon(struct claim *claim)
{
	stream_connect_fini(container_of(claim, struct stream_connect, claim));
}

/* Once: 0, -errno, or 1 to try again. */
static int connect_try(struct stream_connect *c) NO_LOCK_CHECK
{
	struct unix_socket *u = c->u;
	struct unix_socket *l = c->listener;
	int err;

	lock_take_pair(&l->lock, &u->lock);
	if (l->is_dead || l->state != UNIX_LISTENING || (l->shutdown & SHUT_RECEIVE))
		err = -ECONNREFUSED;
	else if (u->state != UNIX_IDLE)
		err = u->state == UNIX_CONNECTED ? -EISCONN : -EINVAL;
	else if (unix_is_full(l))
		err = -EAGAIN;
	else
		err = 0;
	if (!err) {
		establish(u, c->fresh, l);
		c->fresh = NULL;
	}
	if (err != -EAGAIN || c->nonblock) {
		lock_drop_pair(&l->lock, &u->lock);
		return err;
	}
	lock_drop(&u->lock);
	err = waitq_sleep(&l->room, &l->lock, c->deadline);
	lock_drop(&l->lock);
	return err ? socket_wait_error(err, c->deadline) : 1;
}

int unix_connect_stream(struct socket *s, const struct linux_sockaddr_storage *addr,
			int len, bool nonblock)
{
	struct unix_socket *u = unix_of(s);
	struct stream_connect c = {.u = u, .nonblock = nonblock};
	int err = unix_check_address(addr, len);

	if (!err && u->passes_creds && !atomic_load(&u->address))
		err = unix_autobind(u);
	if (err)
		return err;
	c.fresh = unix_create(NULL, u->type);
	if (!c.fresh)
		return -ENOMEM;
	c.deadline = socket_deadline(&s->send_timeout);
	claim_begin(&c.claim, connect_abandon);
	err = unix_find(u, addr, len, &c.listener);
	if (err == -ECONNREFUSED) {
		err = unix_connect_outside(s, addr, len, nonblock);
	} else if (!err) {
		do
			err = connect_try(&c);
		while (err > 0);
		/* To u itself nothing has come that it was not before: it was writable.
		 */
		if (!err)
			waitq_wake_one(&c.listener->readable, POLL_READABLE);
	}
	claim_end(&c.claim);
	stream_connect_fini(&c);
	return err;
}

int unix_listen(struct socket *s, int backlog)
{
	struct unix_socket *u = unix_of(s);
	int err = 0;

	if (u->type == SOCK_DGRAM)
		return -EOPNOTSUPP;
	if (!atomic_load(&u->address))
		return -EINVAL;
	lock_take(&u->lock);
	if (u->state == UNIX_CONNECTED) {
		err = -EINVAL;
	} else {
		u->state = UNIX_LISTENING;
		u->backlog = (uint32_t)backlog;
		peer_creds_current(u);
		if (!unix_is_full(u))
			unix_room_changed(u);
	}
	lock_drop(&u->lock);
	if (!err && unlikely(atomic_load(&u->door) != NULL))
		unix_door_listen(u, (uint32_t)backlog);
	return err;
}

/* Waits for an embryo and takes it out. u's lock held. *out is part of a claim. */
static int take_embryo(struct socket *s, bool nonblock, struct unix_socket **out)
{
	struct unix_socket *u = unix_of(s);
	nsec_t deadline = NSEC_NEVER;
	bool was_full;

	for (bool slept = false; list_is_empty(&u->packets); slept = true) {
		int err;

		if (nonblock)
			return -EAGAIN;
		if (u->shutdown & SHUT_RECEIVE)
			return -EINVAL;
		if (!slept)
			deadline = socket_deadline(&s->receive_timeout);
		err = waitq_sleep_exclusive(&u->readable, &u->lock, deadline);
		if (err)
			return socket_wait_error(err, deadline);
	}
	was_full = unix_is_full(u);
	*out = list_entry(u->packets.next, struct unix_socket, embryo_link);
	list_remove(&(*out)->embryo_link);
	u->queued--;
	if (was_full && !unix_is_full(u))
		unix_room_changed(u);
	return 0;
}

struct embryo_claim {
	struct claim claim;
	struct unix_socket *embryo; /* in no queue, and without a file; or NULL */
};

static void embryo_abandon(struct claim *claim)
{
	struct unix_socket *e = container_of(claim, struct embryo_claim, claim)->embryo;

	if (!e)
		return;
	unix_gc_born(e);
	unix_release(e, true);
}

/* fresh is the end of the connection from here on. */
static void give_birth(struct embryo_claim *c, const struct unix_socket *listener,
		       struct socket *fresh)
{
	struct unix_socket *e = c->embryo;

	lock_take(&e->lock);
	e->passes_creds = listener->passes_creds;
	e->tells_creds = listener->tells_creds;
	e->tells_pidfd = listener->tells_pidfd;
	unix_attach(e, fresh);
	if (unlikely(e->carrier != NULL)) /* says what it is ready for */
		fresh->host_fd = e->carrier->host_fd;
	unix_gc_born(e);
	c->embryo = NULL;
	lock_drop(&e->lock);
}

bool unix_has_nobody(struct socket *s)
{
	struct unix_socket *u = unix_of(s);

	return u->state == UNIX_LISTENING && !atomic_load(&u->queued);
}

int unix_accept(struct socket *s, struct socket *fresh, bool nonblock,
		struct socket_name *peer)
{
	struct unix_socket *u = unix_of(s);
	struct embryo_claim c = {.embryo = NULL};
	int err;

	(void)peer; /* who has gone can be asked for his name */
	if (u->type == SOCK_DGRAM)
		return -EOPNOTSUPP;
	if (u->state != UNIX_LISTENING)
		return -EINVAL;
	claim_begin(&c.claim, embryo_abandon);
	lock_take(&u->lock);
	err = take_embryo(s, nonblock, &c.embryo);
	if (!err && !list_is_empty(&u->packets))
		waitq_wake_one(&u->readable, POLL_READABLE);
	lock_drop(&u->lock);
	if (!err)
		give_birth(&c, u, fresh);
	claim_end(&c.claim);
	if (!err && unlikely(atomic_load(&u->door) != NULL)) /* room for one more */
		unix_door_knock(u->door);
	return err;
}

/* ---- datagrams ---- */

void unix_dgram_disconnect(struct unix_socket *u, struct unix_socket *old)
{
	struct list lost = LIST_INIT(lost);
	bool had_some;

	lock_take(&u->lock);
	if (u->peer != old) {
		lock_drop(&u->lock);
		return;
	}
	u->peer = NULL;
	u->state = UNIX_IDLE;
	list_splice_tail(&lost, &u->packets);
	had_some = u->queued != 0;
	u->queued = 0;
	unix_room_changed(u);
	lock_drop(&u->lock);
	unix_packets_purge(&lost);
	if (had_some) {
		lock_take(&old->lock);
		if (!old->is_dead && old->peer == u) {
			atomic_store(&old->error, ECONNRESET);
			unix_sigio(old, POLLERR);
		}
		lock_drop(&old->lock);
		waitq_wake_all(&old->readable, 0);
		waitq_wake_all(&old->writable, 0);
	}
	waitq_wake_all(&u->writable, POLL_WRITABLE);
	unix_peer_drop(u, old);
}

/* Makes target the peer of u, which has none: takes over its reference. */
static int dgram_set_peer(struct unix_socket *u, struct unix_socket *target) NO_LOCK_CHECK
{
	int err = 0;

	lock_take_pair(&u->lock, &target->lock);
	if (target->is_dead)
		err = -ECONNREFUSED;
	else if (!unix_may_send(u, target))
		err = -EPERM;
	else if (u->peer)
		err = -EAGAIN; /* another task connected it in the meantime */
	else {
		atomic_store(&u->peer, target);
		u->state = UNIX_CONNECTED;
	}
	lock_drop_pair(&u->lock, &target->lock);
	return err;
}

static bool target_may_be_peer(struct unix_socket *u, struct unix_socket *target)
{
	bool may;

	lock_take(&target->lock);
	may = unix_may_send(u, target);
	lock_drop(&target->lock);
	return may;
}

int unix_connect_dgram(struct socket *s, const struct linux_sockaddr_storage *addr,
		       int len, bool nonblock)
{
	struct unix_socket *u = unix_of(s);
	struct unix_socket *target = NULL;
	struct unix_socket *old;
	int err = 0;

	if (len < (int)sizeof(addr->ss_family))
		return -EINVAL;
	if (addr->ss_family != AF_UNSPEC) {
		err = unix_check_address(addr, len);
		if (!err && u->passes_creds && !atomic_load(&u->address))
			err = unix_autobind(u);
		if (!err && atomic_load(&u->carrier))
			err = -EISCONN;
		if (!err)
			err = unix_find(u, addr, len, &target);
		if (err == -ECONNREFUSED)
			return unix_connect_outside(s, addr, len, nonblock);
		if (!err && !target_may_be_peer(u, target)) {
			unix_put(target);
			err = -EPERM;
		}
		if (err)
			return err;
	}
	do {
		old = unix_peer_get(u);
		if (old == target && target) { /* as it is */
			unix_put(old);
			unix_put(target);
			return 0;
		}
		if (old)
			unix_dgram_disconnect(u, old);
		unix_put(old);
		err = target ? dgram_set_peer(u, target) : 0;
	} while (err == -EAGAIN);
	if (err)
		unix_put(target);
	return err;
}

/* ---- both ---- */

int unix_pair(struct socket *a, struct socket *b)
{
	struct unix_socket *ua = unix_of(a);
	struct unix_socket *ub = unix_of(b);

	unix_get(ua);
	unix_get(ub);
	ua->peer = ub;
	ub->peer = ua;
	ua->state = UNIX_CONNECTED;
	ub->state = UNIX_CONNECTED;
	peer_creds_current(ua);
	peer_creds_current(ub);
	return 0;
}

static void wake_both(struct unix_socket *u)
{
	waitq_wake_all(&u->readable, 0);
	waitq_wake_all(&u->writable, 0);
}

/* What u has shut is shut for its peer the other way round. */
static void shutdown_peer(struct unix_socket *peer, uint32_t mode)
{
	uint32_t theirs = (mode & SHUT_RECEIVE ? SHUT_SEND : 0) |
			  (mode & SHUT_SEND ? SHUT_RECEIVE : 0);

	lock_take(&peer->lock);
	peer->shutdown |= theirs;
	if (theirs == SHUT_BOTH)
		unix_sigio(peer, POLLHUP);
	else if (theirs & SHUT_RECEIVE)
		unix_sigio(peer, POLLIN);
	lock_drop(&peer->lock);
	wake_both(peer);
}

int unix_shutdown(struct socket *s, int how)
{
	struct unix_socket *u = unix_of(s);
	uint32_t mode = (uint32_t)how + 1;
	struct unix_socket *peer;

	if (how < SHUT_RD || how > SHUT_RDWR)
		return -EINVAL;
	if (unlikely(atomic_load(&u->carrier) != NULL))
		return u->carrier->ops->shutdown(u->carrier, how);
	lock_take(&u->lock);
	u->shutdown |= mode;
	if (u->state == UNIX_LISTENING)
		unix_room_changed(u);
	lock_drop(&u->lock);
	peer = u->type == SOCK_DGRAM ? NULL : atomic_load(&u->peer);
	if (peer)
		shutdown_peer(peer, mode);
	wake_both(u);
	/* Senders to it wait for room that will never come. */
	if (mode & SHUT_RECEIVE)
		waitq_wake_all(&u->room, 0);
	return 0;
}
