/* SPDX-License-Identifier: MIT */
/* fanotify_queue.c - the queue of a fanotify group.
 *
 * Events that may be merged are also in a table by what they are about; questions never
 * are. */
#include "abi/poll.h"
#include "base/slab.h"
#include "event/fanotify.h"
#include "fs/file.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "process/task.h"

enum { MERGE_DEPTH = 128 }; /* events looked at, from the last on */

void fanotify_event_free(struct fanotify_event *e)
{
	if (!e)
		return;
	path_put(&e->path);
	if (e->process)
		process_put(e->process);
	if (e->group)
		fanotify_put(e->group);
	kfree(e);
}

static bool same_handle(const struct handle_id *a, const struct handle_id *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

static bool says_of_the_same(const struct fanotify_event *a,
			     const struct fanotify_event *b)
{
	const uint32_t apart = FAN_ONDIR | FAN_RENAME;
	size_t size = a->name_len + a->new_name_len + 2u;

	return a->hash == b->hash && a->pid == b->pid && path_equal(&a->path, &b->path) &&
	       !((a->mask ^ b->mask) & apart) && a->fsid[0] == b->fsid[0] &&
	       a->fsid[1] == b->fsid[1] && a->has_dir == b->has_dir &&
	       a->has_new_dir == b->has_new_dir && a->has_object == b->has_object &&
	       a->name_len == b->name_len && a->new_name_len == b->new_name_len &&
	       same_handle(&a->dir, &b->dir) && same_handle(&a->new_dir, &b->new_dir) &&
	       same_handle(&a->object, &b->object) &&
	       memcmp(a->names, b->names, size) == 0;
}

/* Not what lacks the place that it came from. */
static bool may_be_merged(const struct fanotify_event *e)
{
	return !(e->mask & (FS_PERM_EVENTS | FS_MOUNT_EVENTS)) &&
	       !(e->has_new_dir && !e->has_dir);
}

static struct list *bucket_of(const struct fanotify *g, const struct fanotify_event *e)
{
	return &g->buckets[e->hash % FANOTIFY_BUCKETS];
}

static bool merge_locked(struct fanotify *g, const struct fanotify_event *e)
{
	struct list *pos;
	int depth = 0;

	if (!may_be_merged(e))
		return false;
	list_for_each_reverse(pos, bucket_of(g, e))
	{
		struct fanotify_event *old =
			list_entry(pos, struct fanotify_event, bucket);

		if (says_of_the_same(old, e)) {
			old->mask |= e->mask;
			return true;
		}
		if (++depth == MERGE_DEPTH)
			break;
	}
	return false;
}

static void add_locked(struct fanotify *g, struct fanotify_event *e)
{
	list_add_tail(&g->events, &e->link);
	atomic_store(&g->count, g->count + 1);
	file_send_sigio(g->file, POLLIN | POLLRDNORM);
}

/* A full queue says so once, and takes nothing else. */
static bool insert_locked(struct fanotify *g, struct fanotify_event *e, bool *is_new)
{
	*is_new = false;
	if (!g->file)
		return false;
	if (!e || g->count >= g->max) {
		if (g->overflow) {
			add_locked(g, g->overflow);
			g->overflow = NULL;
			*is_new = true;
		}
		return false;
	}
	if (merge_locked(g, e))
		return false;
	add_locked(g, e);
	if (may_be_merged(e))
		list_add_tail(bucket_of(g, e), &e->bucket);
	*is_new = true;
	return true;
}

bool fanotify_queue(struct fanotify *g, struct fanotify_event *e)
{
	bool is_new;
	bool is_in;

	lock_take(&g->lock);
	is_in = insert_locked(g, e, &is_new);
	lock_drop(&g->lock);
	if (is_new)
		waitq_wake_all(&g->readable, POLL_READABLE);
	if (!is_in)
		fanotify_event_free(e);
	return is_in;
}

void fanotify_unqueue_locked(struct fanotify *g, struct fanotify_event *e)
{
	list_remove(&e->link);
	list_remove(&e->bucket);
	atomic_store(&g->count, g->count - 1);
}
