/* SPDX-License-Identifier: MIT */
/* file_lock.c - advisory locks.
 *
 * One lock (locks_lock, RANK_FLOCK) guards all file locks of the sandbox, so that a chain
 * of waiters can be followed when POSIX locks might deadlock. A POSIX lock belongs to the
 * fdtable of the process that took it, as on Linux; an OFD lock and a flock belong to the
 * open file description.
 *
 * On a shared hostfs each lock is also the host's: file_lock_host.c. */
#include "fs/file_lock.h"

#include "abi/errno.h"
#include "base/claim.h"
#include "base/lock.h"
#include "base/slab.h"
#include "base/waitq.h"
#include "fs/fdtable.h"
#include "fs/file.h"
#include "fs/file_lock_internal.h"
#include "fs/lease.h"
#include "fs/vfs.h"
#include "host/host.h"
#include "lib/atomic.h"
#include "lib/list.h"
#include "lib/printf.h"
#include "process/task.h"

/* Somebody who sleeps for a POSIX lock. */
struct lock_waiter {
	struct claim claim;
	struct list link;
	const void *owner;
	const void *blocker; /* owner of the lock that is in the way */
};

/* How often another program of the host's is looked after. */
#define HOST_PAUSE_MIN (NSEC_PER_SEC / 1000)
#define HOST_PAUSE_MAX (16 * HOST_PAUSE_MIN)

struct lock locks_lock = LOCK_INIT(RANK_FLOCK);
static struct list waiters = LIST_INIT(waiters);       /* locks_lock */
static struct list all_states = LIST_INIT(all_states); /* locks_lock */
static SLAB_CACHE(file_lock_slab, "file_lock_cache", sizeof(struct file_lock), 8);

static struct file_lock_state *state_get(struct inode *inode)
{
	struct file_lock_state *s = atomic_load(&inode->locks);

	if (s)
		return s;
	s = kmalloc(sizeof(*s));
	if (!s)
		return NULL;
	list_init(&s->locks);
	waitq_init(&s->changed);
	s->inode = inode;
	s->host = (struct host_locks){.fd = -1, .flock_fd = -1, .flock_type = F_UNLCK};
	lock_take(&locks_lock);
	if (inode->locks) {
		kfree(s);
		s = inode->locks;
	} else {
		list_add_tail(&all_states, &s->link);
		atomic_store(&inode->locks, s);
	}
	lock_drop(&locks_lock);
	return s;
}

void file_lock_state_destroy(struct file_lock_state *s)
{
	struct list *pos;

	lock_take(&locks_lock);
	list_remove(&s->link);
	lock_drop(&locks_lock);
	if (s->host.fd >= 0)
		(void)host_close(s->host.fd);
	if (s->host.flock_fd >= 0)
		(void)host_close(s->host.flock_fd);
	while ((pos = list_pop(&s->locks)) != NULL)
		slab_free(&file_lock_slab, list_entry(pos, struct file_lock, link));
	kfree(s);
}

/* ---- conflicts ---- */

static bool is_same_owner(const struct file_lock *a, const struct file_lock *b)
{
	return a->kind == b->kind && a->owner == b->owner;
}

static bool overlap(const struct file_lock *a, const struct file_lock *b)
{
	return a->start <= b->end && b->start <= a->end;
}

/* What F_OFD_GETLK of F_UNLCK asks for: the first lock of one's own. */
static struct file_lock *find_own(struct file_lock_state *s, const struct file_lock *want)
{
	struct list *pos;

	list_for_each (pos, &s->locks) {
		struct file_lock *l = list_entry(pos, struct file_lock, link);

		if (is_same_owner(l, want) && overlap(l, want))
			return l;
	}
	return NULL;
}

static struct file_lock *find_conflict(struct file_lock_state *s,
				       const struct file_lock *want)
{
	struct list *pos;

	list_for_each (pos, &s->locks) {
		struct file_lock *l = list_entry(pos, struct file_lock, link);

		if ((l->kind == KIND_FLOCK) != (want->kind == KIND_FLOCK) ||
		    is_same_owner(l, want) || !overlap(l, want))
			continue;
		if (l->type == F_WRLCK || want->type == F_WRLCK)
			return l;
	}
	return NULL;
}

/* Would `owner` wait for itself if it waited for blocker? */
static bool would_deadlock(const void *owner, const void *blocker)
{
	for (int depth = 0; depth < 64; depth++) {
		struct list *pos;
		const void *next = NULL;

		if (blocker == owner)
			return true;
		list_for_each (pos, &waiters) {
			struct lock_waiter *w = list_entry(pos, struct lock_waiter, link);

			if (w->owner == blocker) {
				next = w->blocker;
				break;
			}
		}
		if (!next)
			return false;
		blocker = next;
	}
	return false;
}

static void waiter_abandon(struct claim *c)
{
	lock_take(&locks_lock);
	list_remove(&container_of(c, struct lock_waiter, claim)->link);
	lock_drop(&locks_lock);
}

/* Sleeps until other, which is in want's way, may have changed. locks_lock held. */
static int wait_for(struct file_lock_state *s, const struct file_lock *want,
		    const struct file_lock *other) REQUIRES(&locks_lock)
{
	struct lock_waiter w = {.owner = want->owner, .blocker = other->owner};
	int err;

	if (want->kind == KIND_POSIX && other->kind == KIND_POSIX &&
	    would_deadlock(want->owner, other->owner))
		return -EDEADLK;
	list_init(&w.link);
	if (want->kind == KIND_POSIX)
		list_add_tail(&waiters, &w.link);
	claim_begin(&w.claim, waiter_abandon);
	err = waitq_sleep(&s->changed, &locks_lock, NSEC_NEVER);
	list_remove(&w.link);
	claim_end(&w.claim);
	return err;
}

/* Waits until nothing conflicts with want, which the host then gives us too. locks_lock
 * held. */
static int wait_free(struct file_lock_state *s, const struct file_lock *want,
		     bool may_block) REQUIRES(&locks_lock)
{
	nsec_t pause = HOST_PAUSE_MIN;
	int err;

	for (;;) {
		struct file_lock *other = find_conflict(s, want);

		err = other ? -EAGAIN : host_locks_take_locked(s, want);
		if (err != -EAGAIN || !may_block)
			return err;
		if (other) {
			err = wait_for(s, want, other);
		} else {
			err = waitq_sleep(&s->changed, &locks_lock,
					  host_clock(CLOCK_MONOTONIC) + pause);
			pause = MIN(pause * 2, HOST_PAUSE_MAX);
		}
		if (err && err != -ETIMEDOUT)
			return err;
	}
}

/* ---- setting ranges ---- */

static void lock_free(struct file_lock *l)
{
	list_remove(&l->link);
	slab_free(&file_lock_slab, l);
}

/* Takes want's range out of l, which overlaps it. *spare is used when l is split. */
static void lock_cut(struct file_lock *l, const struct file_lock *want,
		     struct file_lock **spare)
{
	if (l->start >= want->start && l->end <= want->end) {
		lock_free(l);
	} else if (l->start < want->start && l->end > want->end) {
		struct file_lock *tail = *spare;

		*spare = NULL;
		*tail = *l;
		tail->start = want->end + 1;
		l->end = want->start - 1;
		list_init(&tail->link);
		list_insert_after(&l->link, &tail->link);
	} else if (l->start < want->start) {
		l->end = want->start - 1;
	} else {
		l->start = want->end + 1;
	}
}

static bool touches(const struct file_lock *a, const struct file_lock *b)
{
	return (a->end != INT64_MAX && a->end + 1 == b->start) ||
	       (b->end != INT64_MAX && b->end + 1 == a->start);
}

/* An owner's locks lie together, by their start: F_GETLK tells of the first one. Returns
 * what want goes in front of. */
static struct list *place_of(struct file_lock_state *s, const struct file_lock *want)
{
	struct list *pos;
	bool seen = false;

	list_for_each (pos, &s->locks) {
		struct file_lock *l = list_entry(pos, struct file_lock, link);
		bool mine = is_same_owner(l, want);

		if (mine ? l->start > want->start : seen)
			break;
		seen |= mine;
	}
	return pos;
}

/* Gives want's owner want->type on its range (F_UNLCK: nothing). fresh, spare: memory,
 * set to NULL if used. locks_lock held. */
static void range_set(struct file_lock_state *s, struct file_lock *want,
		      struct file_lock **fresh, struct file_lock **spare)
{
	struct list *pos;
	struct list *after;

	list_for_each_safe(pos, after, &s->locks)
	{
		struct file_lock *l = list_entry(pos, struct file_lock, link);

		if (!is_same_owner(l, want))
			continue;
		if (l->type == want->type && (overlap(l, want) || touches(l, want))) {
			want->start = MIN(want->start, l->start);
			want->end = MAX(want->end, l->end);
			lock_free(l);
		} else if (overlap(l, want)) {
			lock_cut(l, want, spare);
		}
	}
	if (want->type == F_UNLCK)
		return;
	**fresh = *want;
	list_init(&(*fresh)->link);
	list_insert_before(place_of(s, want), &(*fresh)->link);
	*fresh = NULL;
}

static int set_lock(struct file_lock_state *s, struct file *f, struct file_lock *want,
		    bool may_block)
{
	struct file_lock *fresh = slab_alloc(&file_lock_slab);
	struct file_lock *spare = slab_alloc(&file_lock_slab);
	struct file_lock asked = *want;
	int err;

	if (!fresh || !spare) {
		err = -ENOLCK;
		goto out;
	}
	err = host_locks_begin(s, f, want);
	lock_take(&locks_lock);
	if (!err && want->type != F_UNLCK)
		err = wait_free(s, want, may_block);
	if (!err) {
		range_set(s, want, &fresh, &spare);
		if (asked.type == F_UNLCK)
			host_locks_drop_locked(s, &asked);
	}
	host_locks_end_locked(s);
	lock_drop(&locks_lock);
	if (!err)
		waitq_wake_all(&s->changed, 0);
out:
	slab_free(&file_lock_slab, fresh);
	slab_free(&file_lock_slab, spare);
	return err;
}

/* ---- fcntl ---- */

static int range_from(struct file *f, const struct linux_flock *in, struct file_lock *out)
{
	int64_t start;

	switch (in->l_whence) {
	case SEEK_SET:
		start = 0;
		break;
	case SEEK_CUR:
		start = atomic_load_relaxed(&f->pos);
		break;
	case SEEK_END:
		start = atomic_load_relaxed(&f->inode->size);
		break;
	default:
		return -EINVAL;
	}
	if (__builtin_add_overflow(start, in->l_start, &start))
		return -EOVERFLOW;
	if (start < 0)
		return -EINVAL;
	out->start = start;
	out->end = INT64_MAX;
	if (in->l_len > 0) {
		if (__builtin_add_overflow(start, in->l_len - 1, &out->end))
			return -EOVERFLOW;
	} else if (in->l_len < 0) {
		if (start + in->l_len < 0)
			return -EINVAL;
		out->start = start + in->l_len;
		out->end = start - 1;
	}
	return 0;
}

static void get_lock(struct file_lock_state *s, struct file_lock *want,
		     struct linux_flock *lock)
{
	struct file_lock *other = NULL;

	lock->l_type = F_UNLCK;
	if (!s)
		return;
	lock_take(&locks_lock);
	other = want->type == F_UNLCK ? find_own(s, want) : find_conflict(s, want);
	if (other) {
		lock->l_type = (int16_t)other->type;
		lock->l_whence = SEEK_SET;
		lock->l_start = other->start;
		lock->l_len = other->end == INT64_MAX ? 0 : other->end - other->start + 1;
		lock->l_pid = other->kind == KIND_OFD ? -1 : other->pid;
	}
	lock_drop(&locks_lock);
}

int file_lock_fcntl(struct file *f, int cmd, struct linux_flock *lock)
{
	bool is_ofd = cmd >= F_OFD_GETLK;
	struct file_lock want = {.kind = is_ofd ? KIND_OFD : KIND_POSIX,
				 .type = lock->l_type};
	struct fdtable *fds = current()->fds;
	struct file_lock_state *s;
	int err;

	if ((is_ofd && lock->l_pid) || (cmd == F_GETLK && want.type == F_UNLCK))
		return -EINVAL;
	if (want.type != F_RDLCK && want.type != F_WRLCK && want.type != F_UNLCK)
		return -EINVAL;
	err = range_from(f, lock, &want);
	if (err)
		return err;
	want.owner = is_ofd ? (const void *)f : (const void *)fds;
	want.pid = current()->process->pid;
	if (cmd == F_GETLK || cmd == F_OFD_GETLK) {
		get_lock(f->inode->locks, &want, lock);
		if (lock->l_type == F_UNLCK)
			host_locks_query(f->inode->locks, f, &want, lock);
		return 0;
	}
	if ((want.type == F_RDLCK && !(f->mode & FMODE_READ)) ||
	    (want.type == F_WRLCK && !(f->mode & FMODE_WRITE)))
		return -EBADF;
	if (want.type == F_UNLCK && !f->inode->locks)
		return 0;
	s = state_get(f->inode);
	if (!s)
		return -ENOLCK;
	return set_lock(s, f, &want, cmd == F_SETLKW || cmd == F_OFD_SETLKW);
}

/* ---- flock ---- */

static bool owner_drop_locked(struct file_lock_state *s, const void *owner, bool flocks,
			      bool ofds, bool posix) REQUIRES(&locks_lock)
{
	struct list *pos;
	struct list *after;
	struct file_lock was;
	bool dropped = false;

	list_for_each_safe(pos, after, &s->locks)
	{
		struct file_lock *l = list_entry(pos, struct file_lock, link);

		if (l->owner != owner || (l->kind == KIND_FLOCK && !flocks) ||
		    (l->kind == KIND_OFD && !ofds) || (l->kind == KIND_POSIX && !posix))
			continue;
		was = *l;
		lock_free(l);
		host_locks_drop_locked(s, &was);
		dropped = true;
	}
	return dropped;
}

static void owner_drop(struct file_lock_state *s, const void *owner, bool flocks,
		       bool ofds, bool posix)
{
	bool dropped;

	lock_take(&locks_lock);
	dropped = owner_drop_locked(s, owner, flocks, ofds, posix);
	lock_drop(&locks_lock);
	if (dropped)
		waitq_wake_all(&s->changed, 0);
}

static bool has_flock_of_type(struct file_lock_state *s, const void *owner, int type)
{
	struct list *pos;
	bool has = false;

	lock_take(&locks_lock);
	list_for_each (pos, &s->locks) {
		struct file_lock *l = list_entry(pos, struct file_lock, link);

		has |= l->kind == KIND_FLOCK && l->owner == owner && l->type == type;
	}
	lock_drop(&locks_lock);
	return has;
}

int file_lock_flock(struct file *f, int op)
{
	struct file_lock want = {.kind = KIND_FLOCK, .end = INT64_MAX, .owner = f};
	struct file_lock_state *s;

	switch (op & ~LOCK_NB) {
	case LOCK_SH:
		want.type = F_RDLCK;
		break;
	case LOCK_EX:
		want.type = F_WRLCK;
		break;
	case LOCK_UN:
		if (f->inode->locks)
			owner_drop(f->inode->locks, f, true, false, false);
		return 0;
	default:
		return -EINVAL;
	}
	want.pid = current()->process->pid;
	s = state_get(f->inode);
	if (!s)
		return -ENOLCK;
	if (has_flock_of_type(s, f, want.type))
		return 0;
	owner_drop(s, f, true, false,
		   false); /* a conversion gives up the old lock first */
	return set_lock(s, f, &want, !(op & LOCK_NB));
}

/* ---- ends ---- */

void file_locks_close(struct file *f, struct fdtable *owner)
{
	owner_drop(f->inode->locks, owner, false, false, true);
}

void file_locks_release(struct file *f)
{
	owner_drop(f->inode->locks, f, true, true, false);
}

size_t file_locks_show(char *buf, size_t size)
{
	static const char *const kinds[] = {"POSIX ", "OFDLCK", "FLOCK "};
	struct list *state;
	struct list *pos;
	size_t at = 0;
	int number = 1;

	lock_take(&locks_lock);
	list_for_each (state, &all_states) {
		struct file_lock_state *s =
			list_entry(state, struct file_lock_state, link);

		list_for_each (pos, &s->locks) {
			struct file_lock *l = list_entry(pos, struct file_lock, link);
			uint64_t dev = s->inode->sb->dev;
			char end[24] = "EOF";

			if (l->end != INT64_MAX)
				snprintf(end, sizeof(end), "%ld", (long)l->end);
			at += scnprintf(
				buf + at, size - at,
				"%d: %s ADVISORY  %s %d %02x:%02x:%lu %ld %s\n", number++,
				kinds[l->kind], l->type == F_WRLCK ? "WRITE" : "READ ",
				l->kind == KIND_OFD ? -1 : l->pid, LINUX_MAJOR(dev),
				LINUX_MINOR(dev), (unsigned long)s->inode->ino,
				(long)l->start, end);
		}
	}
	lock_drop(&locks_lock);
	return at + lease_show(buf + at, size - at, &number);
}
