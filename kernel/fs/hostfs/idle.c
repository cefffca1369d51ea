/* SPDX-License-Identifier: MIT */
/* idle.c - descriptors of files that were closed a moment ago, for who opens them again:
 * then the host need not be asked to open, and to close.
 *
 * One for each file at most, for IDLE_NSEC after its close. It is handed on whole: nobody
 * else has the host's description. Only such are kept as differ in nothing: opened for
 * reading alone, without a lock ever taken through them, on a file system of the host
 * that would not say anything else at a second open (hostfs.may_keep). A file that loses
 * its last name in here is closed at once, one that another program of the host removes
 * at the end of the time: until then its blocks are in use. */
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/statfs.h"
#include "base/cpu.h"
#include "fs/hostfs/internal.h"
#include "host/host.h"
#include "lib/atomic.h"
#include "time/clock.h"
#include "time/timer.h"

#define IDLE_NSEC (NSEC_PER_SEC / 2)

enum { IDLE_MAX = 256 };

static struct list idle =
	LIST_INIT(idle); /* lock: struct host_handle.lru, oldest first */
static int idle_count;	 /* lock */
static int idle_max = IDLE_MAX;
static struct timer idle_timer;
static bool is_timed; /* lock: the timer is armed */

bool host_idle_suits(const struct hostfs *fs)
{
	static const uint32_t local[] = {EXT4_SUPER_MAGIC, XFS_SUPER_MAGIC,
					 BTRFS_SUPER_MAGIC, TMPFS_MAGIC,
					 F2FS_SUPER_MAGIC};
	struct linux_statfs st;

	if (fs->exclusive || fs->is_file || host_fstatfs(fs->root->fd, &st))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(local); i++)
		if ((uint32_t)st.f_type == local[i])
			return true;
	return false;
}

/* The inode's reference becomes the caller's. */
static struct host_handle *take_locked(struct host_inode *hi)
{
	struct host_handle *h = hi->idle;

	if (h) {
		hi->idle = NULL;
		list_remove(&h->lru);
		idle_count--;
	}
	return h;
}

struct host_handle *host_idle_take(struct host_inode *hi)
{
	struct host_handle *h;

	if (!atomic_load_relaxed(&hi->idle))
		return NULL;
	lock_take(&hostfs_lock);
	h = take_locked(hi);
	if (h)
		list_add_tail(&hi->files, &h->link);
	lock_drop(&hostfs_lock);
	return h;
}

/* Those that were closed before a time, and as many of the oldest as are too many, go to
 * `gone`. */
static void collect_locked(nsec_t before, int max, struct list *gone)
{
	while (!list_is_empty(&idle)) {
		struct host_handle *h = list_entry(idle.next, struct host_handle, lru);

		if (h->idle_since >= before && idle_count <= max)
			break;
		(void)take_locked(h->inode);
		list_add_tail(gone, &h->lru);
	}
}

static bool close_all(struct list *gone)
{
	struct list *pos;
	bool any = false;

	while ((pos = list_pop(gone)) != NULL) {
		host_handle_put(list_entry(pos, struct host_handle, lru));
		any = true;
	}
	return any;
}

static void time_is_over(struct timer *t)
{
	nsec_t now = clock_now(CLOCK_MONOTONIC);
	struct list gone = LIST_INIT(gone);

	lock_take(&hostfs_lock);
	collect_locked(now - IDLE_NSEC, idle_max, &gone);
	is_timed = !list_is_empty(&idle);
	if (is_timed)
		timer_arm(t, now + IDLE_NSEC);
	lock_drop(&hostfs_lock);
	(void)close_all(&gone);
}

bool host_idle_keep(struct host_handle *h)
{
	struct host_inode *hi = h->inode;
	struct list gone = LIST_INIT(gone);
	nsec_t now = host_clock(CLOCK_MONOTONIC_COARSE);
	bool is_kept;

	if (!h->may_keep || atomic_load_relaxed(&h->is_shared))
		return false;
	lock_take(&hostfs_lock);
	is_kept = !hi->idle && !hi->is_removed;
	if (is_kept) {
		list_remove(&h->link);
		h->idle_since = now;
		hi->idle = h;
		list_add_tail(&idle, &h->lru);
		idle_count++;
		collect_locked(now - IDLE_NSEC, idle_max, &gone);
		if (!is_timed)
			timer_arm(&idle_timer, now + IDLE_NSEC);
		is_timed = true;
	}
	lock_drop(&hostfs_lock);
	(void)close_all(&gone);
	return is_kept;
}

void host_idle_forget(struct host_inode *hi)
{
	struct host_handle *h;

	lock_take(&hostfs_lock);
	h = take_locked(hi);
	lock_drop(&hostfs_lock);
	host_handle_put(h);
}

bool host_idle_shrink(int max)
{
	struct list gone = LIST_INIT(gone);

	lock_take(&hostfs_lock);
	collect_locked(0, max, &gone);
	lock_drop(&hostfs_lock);
	return close_all(&gone);
}

void host_idle_set_max(int max)
{
	idle_max = MIN(max, IDLE_MAX);
}

void host_idle_init(void)
{
	timer_init(&idle_timer, time_is_over);
}
