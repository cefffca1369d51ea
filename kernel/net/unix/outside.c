/* SPDX-License-Identifier: MIT */
/* outside.c - AF_UNIX sockets whose other side is a program of the host's: by socket
 * files of volumes that were given with `sock`, by way of the gate (net/gate.h).
 *
 * Such a socket has a carrier: a socket of the host's, an end of a pair that the gate has
 * made, which does the work. It is set once and stays until the release. A socket that is
 * bound to a file of such a volume has a door: the gate listens there for it, and the
 * kernel thread puts those who come into the listener's queue, beside the sandbox's own.
 *
 * Limits against Linux: no descriptors and no credentials pass, and nobody knows the
 * other's (SO_PEERCRED); datagram sockets that are bound there hear the sandbox's own
 * alone, and one that is connected outside stays so. */
#include "abi/epoll.h"
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/stat.h"
#include "base/cpu.h"
#include "base/deferred.h"
#include "base/scratch.h"
#include "base/slab.h"
#include "event/epoll.h"
#include "event/host_watch.h"
#include "fs/file.h"
#include "fs/namei.h"
#include "fs/poll.h"
#include "fs/vfs.h"
#include "host/gate.h"
#include "host/host.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "net/gate.h"
#include "net/unix/internal.h"
#include "time/clock.h"

enum { PAUSE_FIRST = 1000000, PAUSE_MAX = 50000000 }; /* ns between two tries */

struct unix_door {
	struct ref refs; /* its socket's, and that of work which is queued */
	struct host_watch watch;
	struct deferred work;
	struct unix_socket *u; /* ref */
	int fd;
	bool is_watched; /* u->lock */
};

/* ---- asking ---- */

static int ask(uint32_t operation, int type, const struct path *p, int *fd)
{
	struct scratch memory;
	struct gate_request *q = scratch_alloc(&memory, sizeof(*q));
	int err;

	if (!q)
		return -ENOMEM;
	q->operation = operation;
	q->type = (uint32_t)type;
	q->mode = path_inode(p)->mode & S_IRWXUGO;
	err = gate_name(q, p) ? gate_ask(q, fd) : -ECONNREFUSED;
	scratch_free(&memory);
	return err;
}

/* A host descriptor that leads to who listens at addr, outside. */
static int reach(const struct linux_sockaddr_storage *addr, int len, int type, int *fd)
{
	char text[UNIX_PATH_MAX + 1] = {0};
	const struct linux_sockaddr_un *name = (const void *)addr;
	struct path p;
	int err;

	if (likely(!gate_has_volumes()) || !name->sun_path[0])
		return -ECONNREFUSED;
	memcpy(text, name->sun_path,
	       (size_t)len - offsetof(struct linux_sockaddr_un, sun_path));
	err = path_lookup(AT_FDCWD, text, LOOKUP_FOLLOW, &p);
	if (err)
		return err;
	err = inode_permission(path_inode(&p), MAY_WRITE);
	if (!err && !S_ISSOCK(path_inode(&p)->mode))
		err = -ECONNREFUSED;
	if (!err)
		err = ask(GATE_CONNECT_PATH, type, &p, fd);
	path_put(&p);
	return err;
}

/* ---- sockets that are connected outside ---- */

/* Whoever finds u connected finds the carrier and the name too. */
static int carrier_set(struct unix_socket *u, struct socket *carrier,
		       const struct linux_sockaddr_storage *name, int len)
{
	int err = 0;

	lock_take(&u->lock);
	if (u->carrier || (u->state == UNIX_CONNECTED && u->type != SOCK_DGRAM))
		err = -EISCONN;
	else if (u->peer)
		err = -EAGAIN; /* a datagram socket: it leaves that one first */
	else if (u->state != UNIX_IDLE)
		err = -EINVAL;
	else {
		memcpy(&u->outside_name, name, MIN((size_t)len, sizeof(u->outside_name)));
		u->outside_name_len = len;
		atomic_store(&u->carrier, carrier);
		atomic_store(&u->state, UNIX_CONNECTED);
	}
	lock_drop(&u->lock);
	return err;
}

/* The host tells nobody when there is room in the queue of its listener. */
static int sleep_a_little(nsec_t *pause, nsec_t deadline)
{
	nsec_t until = MIN(deadline_after(*pause), deadline);
	int err;

	if (clock_now(CLOCK_MONOTONIC) >= deadline)
		return -EAGAIN;
	*pause = MIN(*pause * 2, (nsec_t)PAUSE_MAX);
	do {
		sleeper_prepare();
		err = sleeper_wait(until, WORK_INTERRUPTS);
	} while (!err);
	return err == -ETIMEDOUT ? 0 : socket_wait_error(err, deadline);
}

/* The same, waiting as connect() does while that queue is full. */
static int reach_patiently(struct socket *s, const struct linux_sockaddr_storage *addr,
			   int len, bool nonblock, int *fd)
{
	nsec_t deadline = nonblock ? 0 : socket_deadline(&s->send_timeout);
	nsec_t pause = PAUSE_FIRST;
	int err;

	for (;;) {
		err = reach(addr, len, unix_of(s)->type, fd);
		if (err != -EAGAIN || nonblock)
			return err;
		err = sleep_a_little(&pause, deadline);
		if (err)
			return err;
	}
}

int unix_connect_outside(struct socket *s, const struct linux_sockaddr_storage *addr,
			 int len, bool nonblock)
{
	struct unix_socket *u = unix_of(s);
	struct socket *carrier;
	int err;
	int fd;

	if (atomic_load(&u->carrier))
		return -EISCONN;
	err = reach_patiently(s, addr, len, nonblock, &fd);
	if (err)
		return err;
	err = socket_carrier_create(fd, u->type, &carrier);
	if (err) {
		(void)host_close(fd);
		return err;
	}
	while ((err = carrier_set(u, carrier, addr, len)) == -EAGAIN) {
		struct unix_socket *old = unix_peer_get(u);

		if (old)
			unix_dgram_disconnect(u, old);
		unix_put(old);
	}
	if (err) {
		socket_carrier_destroy(carrier);
		return err;
	}
	atomic_store_seq(&s->file->host_poll_fd, fd);
	epoll_host_fd_changed(s->file);
	/* Those who wait for what comes by memory go on with the carrier. */
	waitq_wake_all(&u->readable, 0);
	waitq_wake_all(&u->writable, 0);
	return 0;
}

int unix_send_outside(const struct linux_sockaddr_storage *addr, int len,
		      const void *data, size_t size)
{
	long done;
	int fd;
	int err = reach(addr, len, SOCK_DGRAM, &fd);

	if (err)
		return err;
	done = host_send(fd, (uaddr_t)data, size, MSG_DONTWAIT);
	(void)host_close(fd);
	return done < 0 ? (int)done : 0;
}

ssize_t unix_outside_send(struct socket *s, struct message *m)
{
	struct unix_socket *u = unix_of(s);
	struct socket *c = u->carrier;
	ssize_t done;

	if (m->name_len)
		return -EISCONN;
	atomic_store_relaxed(&c->send_timeout, atomic_load_relaxed(&s->send_timeout));
	done = c->ops->send(c, m);
	if (done == -EPIPE && u->type == SOCK_SEQPACKET)
		return message_broken_pipe(m);
	return done;
}

ssize_t unix_outside_receive(struct socket *s, struct message *m)
{
	struct unix_socket *u = unix_of(s);
	struct socket *c = u->carrier;
	struct linux_sockaddr_storage *name = m->name;
	ssize_t got;

	atomic_store_relaxed(&c->receive_timeout,
			     atomic_load_relaxed(&s->receive_timeout));
	m->name = NULL;
	got = c->ops->receive(c, m);
	m->name = name;
	m->name_len = 0;
	if (name && got >= 0)
		m->name_len = unix_outside_name(u, name);
	return got;
}

int unix_outside_name(const struct unix_socket *u, struct linux_sockaddr_storage *out)
{
	memcpy(out, &u->outside_name, (size_t)u->outside_name_len);
	return u->outside_name_len;
}

/* ---- doors ---- */

static void door_put(struct unix_door *d)
{
	if (!ref_put(&d->refs))
		return;
	(void)host_close(d->fd);
	unix_put(d->u);
	kfree(d);
}

/* A connection from outside waits in the listener's queue. */
static bool enter(struct unix_socket *l, struct unix_socket *e)
{
	bool is_open;

	lock_take(&l->lock);
	is_open = !l->is_dead && l->state == UNIX_LISTENING &&
		  !(l->shutdown & SHUT_RECEIVE);
	if (is_open) {
		e->address = l->address;
		unix_address_get(e->address);
		e->state = UNIX_CONNECTED;
		atomic_store(&e->listener, l);
		list_add_tail(&l->packets, &e->embryo_link);
		l->queued++;
		unix_sigio(l, POLLIN);
	}
	lock_drop(&l->lock);
	if (is_open)
		waitq_wake_one(&l->readable, POLL_READABLE);
	return is_open;
}

static void admit(struct unix_socket *l, int fd)
{
	struct unix_socket *e = unix_create(l->net, l->type);

	if (!e || socket_carrier_create(fd, l->type, &e->carrier)) {
		(void)host_close(fd);
		if (e)
			unix_release(e, true);
		return;
	}
	e->outside_name.sun_family = AF_UNIX;
	e->outside_name_len = sizeof(e->outside_name.sun_family);
	if (!enter(l, e))
		unix_release(e, true);
}

static bool has_room(struct unix_socket *l)
{
	bool has;

	lock_take(&l->lock);
	has = !unix_is_full(l);
	lock_drop(&l->lock);
	return has;
}

/* The kernel thread: lets those in who wait, as long as there is room. */
static void door_work(struct deferred *w)
{
	struct unix_door *d = container_of(w, struct unix_door, work);
	char byte = 0;
	int fd;

	while (has_room(d->u) && gate_receive(d->fd, &byte, 1, &fd) > 0)
		if (fd >= 0)
			admit(d->u, fd);
	door_put(d);
}

void unix_door_knock(struct unix_door *d)
{
	ref_get(&d->refs);
	if (!deferred_queue(&d->work)) /* somebody else's reference is there */
		door_put(d);
}

static void door_ready(struct host_watch *w, uint32_t events)
{
	(void)events;
	unix_door_knock(container_of(w, struct unix_door, watch));
}

int unix_door_open(struct unix_socket *u, const struct path *p, struct unix_door **out)
{
	struct unix_door *d;
	int err;
	int fd;

	if (likely(!gate_has_volumes()) || u->type == SOCK_DGRAM)
		return -ECONNREFUSED;
	err = ask(GATE_BIND_PATH, u->type, p, &fd);
	if (err)
		return err;
	d = kmalloc_zeroed(sizeof(*d));
	if (!d) {
		(void)host_close(fd);
		return -ENOMEM;
	}
	ref_init(&d->refs);
	host_watch_init(&d->watch, door_ready);
	deferred_init(&d->work, door_work);
	unix_get(u);
	d->u = u;
	d->fd = fd;
	*out = d;
	return 0;
}

void unix_door_listen(struct unix_socket *u, uint32_t backlog)
{
	struct gate_door_listen m = {backlog};
	struct unix_door *d = u->door;
	bool is_watched;

	(void)host_send(d->fd, (uaddr_t)&m, sizeof(m), MSG_DONTWAIT);
	lock_take(&u->lock);
	is_watched = d->is_watched;
	d->is_watched = true;
	lock_drop(&u->lock);
	if (!is_watched && host_watch_add(&d->watch, d->fd, EPOLLIN | EPOLLET) < 0)
		return; /* nobody is let in */
	unix_door_knock(d);
}

/* ---- the end ---- */

void unix_door_close(struct unix_door *d)
{
	host_watch_remove(&d->watch);
	(void)host_shutdown(d->fd, SHUT_RDWR);
	door_put(d);
}

void unix_outside_release(struct unix_socket *u)
{
	struct unix_door *d = u->door;

	if (u->carrier)
		socket_carrier_destroy(u->carrier);
	u->carrier = NULL;
	if (!d)
		return;
	u->door = NULL;
	unix_door_close(d);
}
