/* SPDX-License-Identifier: MIT */
/* times.c - times of tmpfs files that are written to through mappings.
 *
 * Only the host sees such a write. It notes it in the memfd's own time of modification,
 * as Linux does for its tmpfs: when a page is first written to. The kernel's writes to
 * the memfd are noted there as well, so what the host says counts only if it is new, and
 * later than what the file shows. */
#include "fs/tmpfs/tmpfs.h"
#include "host/host.h"
#include "lib/atomic.h"
#include "time/clock.h"
#include "time/wall_clock.h"

static nsec_t noted_time(const struct linux_statx *st)
{
	return st->stx_mtime.tv_sec * NSEC_PER_SEC + st->stx_mtime.tv_nsec;
}

void tmpfs_times_watch_locked(struct tmpfs_inode *ti)
{
	struct tmpfs_data *d = &ti->data;
	struct linux_statx st;

	if (d->is_watched || host_statx(d->memfd, "", AT_EMPTY_PATH, STATX_MTIME, &st))
		return;
	atomic_store(&d->host_mtime, noted_time(&st));
	atomic_store(&d->is_watched, true);
}

/* A time of the host's on the sandbox's clock, which may have been set. */
static nsec_t on_own_clock(nsec_t host_time)
{
	nsec_t now;

	if (likely(!atomic_load(&wall_clock.is_own)))
		return host_time;
	now = clock_now(CLOCK_REALTIME_COARSE);
	return now - (host_clock(CLOCK_REALTIME_COARSE) - host_time);
}

/* A time that lies ahead has been set by hand: any write is new to it. shown->lock is
 * held. */
static void set_times(struct inode *shown, nsec_t written, nsec_t now)
{
	nsec_t mtime = timespec_to_nsec(&shown->mtime);

	if (written > mtime || mtime > now)
		shown->mtime = nsec_to_timespec(written);
	if (written > timespec_to_nsec(&shown->ctime))
		shown->ctime = nsec_to_timespec(written);
}

/* That it is seen and that it is shown is one step: who finds it seen sets a time of his
 * own, or shows what there is. */
static void note(struct tmpfs_data *d, struct inode *inode, struct inode *shown,
		 nsec_t host_time)
{
	nsec_t written, now;

	if (likely(atomic_load(&d->host_mtime) >= host_time))
		return;
	written = on_own_clock(host_time);
	now = clock_now(CLOCK_REALTIME_COARSE);
	lock_take_pair(&inode->lock, &shown->lock);
	if (d->host_mtime < host_time) {
		set_times(shown, written, now);
		atomic_store(&d->host_mtime, host_time);
	}
	lock_drop_pair(&inode->lock, &shown->lock);
}

uint64_t tmpfs_look(struct tmpfs_inode *ti, struct inode *shown)
{
	struct tmpfs_data *d = &ti->data;
	int fd = atomic_load(&d->memfd);
	struct linux_statx st;

	if (fd < 0 || host_statx(fd, "", AT_EMPTY_PATH, STATX_BLOCKS | STATX_MTIME, &st))
		return ti->inode.blocks;
	if (atomic_load(&d->is_watched))
		note(d, &ti->inode, shown, noted_time(&st));
	return st.stx_blocks;
}

uint64_t tmpfs_data_look(struct file *f, struct inode *shown)
{
	return tmpfs_look(tmpfs_i(f->inode), shown);
}
