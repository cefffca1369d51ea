/* SPDX-License-Identifier: MIT */
/* gc.c - descriptors that lie in queues, and sockets that can be reached no more.
 *
 * A socket whose descriptor is sent to another one has a reference from that one's queue.
 * Such references can form rings, which keep all in them alive after the last descriptor
 * was closed. So each socket counts how many of its file's references lie in queues; if
 * all of them do, it is alive only if the socket that holds one of them is. unix_gc()
 * finds those that are not and closes what lies in their queues, which ends the ring.
 *
 * gc_lock makes each step of this one: rights enter a queue, leave it and are copied
 * under it, together with the counts. Nothing else is needed: no message can leave the
 * queue of a socket that nobody can reach, as nobody is there to receive on it, and who
 * would send it something by its name finds what a closed socket leaves.
 *
 * An embryo (a connection not yet accepted) is as alive as its listener. */
#include "abi/errno.h"
#include "base/slab.h"
#include "fs/file.h"
#include "lib/atomic.h"
#include "net/unix/internal.h"

static struct lock gc_lock = LOCK_INIT(RANK_OBJECT2);
static struct list flying = LIST_INIT(flying); /* flight_link: sockets in flight */
static struct list queued = LIST_INIT(queued); /* queued_link: their rights */
static uint32_t flying_count; /* atomic; gc_lock to write: rights in flight of sockets */

/* Not by its family: one of AF_UNIX that the host serves (socket_adopt_file()) is of
 * another kind, and no descriptors lie in its queue. */
struct unix_socket *unix_of_file(const struct file *f)
{
	struct socket *s = socket_of_file(f);

	if (!s || (s->ops != &unix_stream_ops && s->ops != &unix_dgram_ops &&
		   s->ops != &unix_seqpacket_ops))
		return NULL;
	return unix_of(s);
}

static void fly(struct unix_rights *r)
{
	for (uint32_t i = 0; i < r->count && r->socket_count; i++) {
		struct unix_socket *u = unix_of_file(r->files[i]);

		if (!u)
			continue;
		if (!u->in_flight++)
			list_add_tail(&flying, &u->flight_link);
		(void)atomic_add(&flying_count, 1);
	}
}

static void land(struct unix_rights *r)
{
	for (uint32_t i = 0; i < r->count && r->socket_count; i++) {
		struct unix_socket *u = unix_of_file(r->files[i]);

		if (!u)
			continue;
		if (!--u->in_flight)
			list_remove(&u->flight_link);
		(void)atomic_sub(&flying_count, 1);
	}
}

void unix_rights_queue(struct unix_rights *r, struct unix_socket *holder)
{
	struct unix_socket *listener;

	if (!r->socket_count)
		return;
	lock_take(&gc_lock);
	fly(r);
	r->holder = holder;
	list_add_tail(&holder->rights, &r->link);
	list_add_tail(&queued, &r->queued_link);
	/* See unix_gc_born(). */
	listener = atomic_load(&holder->listener);
	if (listener && list_is_empty(&holder->kin))
		list_add_tail(&listener->kin, &holder->kin);
	lock_drop(&gc_lock);
}

void unix_rights_unqueue(struct unix_rights *r)
{
	if (!r->socket_count)
		return;
	lock_take(&gc_lock);
	if (!r->collected) {
		land(r);
		list_remove(&r->link);
		list_remove(&r->queued_link);
		r->holder = NULL;
	}
	lock_drop(&gc_lock);
}

struct unix_rights *unix_rights_copy(struct unix_rights *r)
{
	struct unix_rights *copy = unix_rights_create(r->count);

	if (!copy)
		return NULL;
	lock_take(&gc_lock);
	for (uint32_t i = 0; i < r->count && !r->collected; i++) {
		file_get(r->files[i]);
		copy->files[copy->count++] = r->files[i];
	}
	copy->socket_count = r->socket_count;
	lock_drop(&gc_lock);
	return copy;
}

/* Whoever queues rights counts them first and then looks for the listener; here it is the
 * other way round, so that one of the two sees the other. */
void unix_gc_born(struct unix_socket *u)
{
	(void)atomic_xchg(&u->listener, NULL);
	if (!atomic_load(&flying_count))
		return;
	lock_take(&gc_lock);
	list_remove(&u->kin);
	lock_drop(&gc_lock);
}

void unix_gc_sync(void)
{
	lock_take(&gc_lock);
	lock_drop(&gc_lock);
}

/* ---- the search: gc_lock held ---- */

static void reach_files(struct unix_rights *r, struct list *reached)
{
	for (uint32_t i = 0; i < r->count; i++) {
		struct unix_socket *u = unix_of_file(r->files[i]);

		if (!u || u->is_reached)
			continue;
		u->is_reached = true;
		list_add_tail(reached, &u->reach_link);
	}
}

static void reach_held(struct unix_socket *holder, struct list *reached)
{
	struct list *pos;

	list_for_each (pos, &holder->rights)
		reach_files(list_entry(pos, struct unix_rights, link), reached);
}

/* The socket on whose life the holder's depends. */
static struct unix_socket *root_of(struct unix_socket *holder)
{
	struct unix_socket *listener = atomic_load(&holder->listener);

	return listener ? listener : holder;
}

/* Finds what is reached at once: sockets with a reference that lies in no queue, and
 * those in queues of sockets that are not in flight. */
static void find_roots(struct list *reached)
{
	struct list *pos;

	list_for_each (pos, &flying) {
		struct unix_socket *u = list_entry(pos, struct unix_socket, flight_link);

		u->is_reached =
			(uint32_t)ref_count(&u->socket->file->refs) > u->in_flight;
		if (u->is_reached)
			list_add_tail(reached, &u->reach_link);
	}
	list_for_each (pos, &queued) {
		struct unix_rights *r = list_entry(pos, struct unix_rights, queued_link);

		if (!root_of(r->holder)->in_flight)
			reach_files(r, reached);
	}
}

static void follow(struct list *reached)
{
	struct list *node;

	while ((node = list_pop(reached))) {
		struct unix_socket *u = list_entry(node, struct unix_socket, reach_link);
		struct list *pos;

		reach_held(u, reached);
		list_for_each (pos, &u->kin)
			reach_held(list_entry(pos, struct unix_socket, kin), reached);
	}
}

static void collect_held(struct unix_socket *holder, struct list *doomed)
{
	struct list *node;

	while ((node = list_pop(&holder->rights))) {
		struct unix_rights *r = list_entry(node, struct unix_rights, link);

		list_remove(&r->queued_link);
		land(r);
		ref_get(&r->refs);
		r->holder = NULL;
		r->collected = true;
		list_add_tail(doomed, &r->link);
	}
}

/* Takes what lies in the queues of those that were not reached. */
static void collect(struct list *doomed)
{
	struct list lost = LIST_INIT(lost);
	struct list *pos;
	struct list *node;

	list_for_each (pos, &flying) {
		struct unix_socket *u = list_entry(pos, struct unix_socket, flight_link);

		if (!u->is_reached)
			list_add_tail(&lost, &u->reach_link);
	}
	while ((node = list_pop(&lost))) {
		struct unix_socket *u = list_entry(node, struct unix_socket, reach_link);

		collect_held(u, doomed);
		list_for_each (pos, &u->kin)
			collect_held(list_entry(pos, struct unix_socket, kin), doomed);
	}
}

void unix_gc(void)
{
	struct list doomed = LIST_INIT(doomed);
	struct list reached = LIST_INIT(reached);

	if (likely(!atomic_load(&flying_count)))
		return;
	lock_take(&gc_lock);
	find_roots(&reached);
	follow(&reached);
	collect(&doomed);
	lock_drop(&gc_lock);
	(void)unix_rights_close(&doomed);
}
