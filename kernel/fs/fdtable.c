/* SPDX-License-Identifier: MIT */
/* fdtable.c - descriptors.
 *
 * A descriptor is free, reserved (its bit is set, files[] is NULL: open is under way) or
 * open. Only tasks that hold the table change it; when that is one task alone it needs no
 * lock to look. */
#include "fs/fdtable.h"

#include "abi/errno.h"
#include "abi/fcntl.h"
#include "base/slab.h"
#include "fs/dnotify.h"
#include "fs/file.h"
#include "fs/file_lock.h"
#include "fs/vfs.h"
#include "lib/atomic.h"
#include "lib/bitmap.h"
#include "lib/string.h"
#include "process/system.h"
#include "process/task.h"

static SLAB_CACHE(fdtable_slab, "files_cache", sizeof(struct fdtable), 64);

struct fdtable *fdtable_create(void)
{
	struct fdtable *fds = slab_alloc_zeroed(&fdtable_slab);

	if (!fds)
		return NULL;
	ref_init(&fds->refs);
	lock_init(&fds->lock, RANK_FDTABLE);
	fds->capacity = FDTABLE_INSIDE;
	fds->files = fds->files_inside;
	fds->used = fds->used_inside;
	fds->cloexec = fds->cloexec_inside;
	return fds;
}

static void arrays_free(struct fdtable *fds)
{
	if (fds->files != fds->files_inside)
		kfree(fds->files); /* the bitmaps lie behind */
}

/* Makes room for descriptor fd. fds->lock held, or the table is not published yet. */
static int grow(struct fdtable *fds, int fd)
{
	size_t old = (size_t)fds->capacity;
	size_t want = old;
	struct file **files;
	uint64_t *used;
	uint64_t *cloexec;

	if (fd < fds->capacity)
		return 0;
	if (fd >= atomic_load_relaxed(&nr_open))
		return -EMFILE;
	while (want <= (size_t)fd)
		want *= 2;
	files = kmalloc_zeroed(want * sizeof(struct file *) + 2 * (want / 8));
	if (!files)
		return -ENOMEM;
	used = (uint64_t *)(void *)(files + want);
	cloexec = used + want / 64;
	memcpy(files, fds->files, old * sizeof(struct file *));
	memcpy(used, fds->used, old / 8);
	memcpy(cloexec, fds->cloexec, old / 8);
	arrays_free(fds);
	fds->files = files;
	fds->used = used;
	fds->cloexec = cloexec;
	fds->capacity = (int)want;
	return 0;
}

int fdtable_copy(struct fdtable *fds, struct fdtable **out)
{
	struct fdtable *copy = fdtable_create();
	size_t last = 0;
	int err = 0;

	if (!copy)
		return -ENOMEM;
	lock_take(&fds->lock);
	for (size_t w = 0; w < (size_t)fds->capacity / 64; w++)
		if (fds->used[w])
			last = w * 64 + 63 - (size_t)__builtin_clzl(fds->used[w]);
	err = grow(copy, (int)last);
	for (size_t fd = bitmap_first_set(fds->used, last + 1); !err && fd <= last;
	     fd = bitmap_next_set(fds->used, last + 1, fd + 1)) {
		struct file *f = fds->files[fd];

		if (!f)
			continue;
		file_get(f);
		copy->files[fd] = f;
		bitmap_set(copy->used, fd);
		bitmap_assign(copy->cloexec, fd, bitmap_test(fds->cloexec, fd));
	}
	lock_drop(&fds->lock);
	if (err)
		fdtable_put(copy);
	else
		*out = copy;
	return err;
}

void fdtable_get(struct fdtable *fds)
{
	ref_get(&fds->refs);
}

static int close_by(struct file *f, struct fdtable *fds, pid_t pid);

static void close_all(struct fdtable *fds, pid_t pid)
{
	for (size_t fd = 0; fd < (size_t)fds->capacity; fd++) {
		fd = bitmap_next_set(fds->used, (size_t)fds->capacity, fd);
		if (fd >= (size_t)fds->capacity)
			break;
		if (fds->files[fd])
			(void)close_by(fds->files[fd], fds, pid);
	}
	arrays_free(fds);
	slab_free(&fdtable_slab, fds);
}

void fdtable_leave(struct fdtable *fds, const struct process *p)
{
	pid_t pid = p->pid;

	atomic_store(&fds->leaver, pid);
	if (ref_put(&fds->refs))
		close_all(fds, pid);
}

void fdtable_put(struct fdtable *fds)
{
	if (fds && ref_put(&fds->refs))
		close_all(fds, atomic_load(&fds->leaver));
}

int fdtable_unshare(struct task *t)
{
	struct fdtable *old = t->fds;
	struct fdtable *copy;
	int err;

	if (ref_count(&old->refs) == 1)
		return 0;
	err = fdtable_copy(old, &copy);
	if (err)
		return err;
	lock_take(&t->process->lock); /* others look at it */
	t->fds = copy;
	lock_drop(&t->process->lock);
	fdtable_leave(old, t->process);
	return 0;
}

/* ---- looking ---- */

HOT static void note(struct task *t, struct file *f)
{
	for (size_t i = 0; i < ARRAY_SIZE(t->borrowed); i++)
		if (!t->borrowed[i]) {
			atomic_store(&t->borrowed[i], f);
			return;
		}
}

HOT static void forget(struct task *t, const struct file *f)
{
	for (size_t i = 0; i < ARRAY_SIZE(t->borrowed); i++)
		if (t->borrowed[i] == f) {
			atomic_store(&t->borrowed[i], NULL);
			return;
		}
}

HOT static struct fdref get(int fd, bool path_too)
{
	struct fdtable *fds = current()->fds;
	struct fdref ref = {NULL, false};

	if (likely(ref_count(&fds->refs) == 1)) {
		if ((unsigned)fd < (unsigned)fds->capacity)
			ref.file = fds->files[fd];
	} else {
		ref.file = fdtable_lookup(fds, fd);
		ref.has_ref = ref.file != NULL;
		if (ref.has_ref)
			note(current(), ref.file);
	}
	if (ref.file && !path_too && unlikely(ref.file->mode & FMODE_PATH)) {
		fd_put(ref);
		ref = (struct fdref){NULL, false};
	}
	return ref;
}

HOT struct fdref fd_get(int fd)
{
	return get(fd, false);
}

struct fdref fd_get_any(int fd)
{
	return get(fd, true);
}

HOT void fd_put_of(struct task *t, struct fdref ref)
{
	if (likely(!ref.has_ref))
		return;
	forget(t, ref.file);
	file_put(ref.file);
}

HOT void fd_put(struct fdref ref)
{
	if (unlikely(ref.has_ref))
		fd_put_of(current(), ref);
}

void fd_abandon(struct task *t)
{
	for (size_t i = 0; i < ARRAY_SIZE(t->borrowed); i++) {
		struct file *f = t->borrowed[i];

		t->borrowed[i] = NULL;
		if (f)
			file_put(f);
	}
}

HOT struct file *fdtable_lookup(struct fdtable *fds, int fd)
{
	struct file *f = NULL;

	lock_take(&fds->lock);
	if ((unsigned)fd < (unsigned)fds->capacity)
		f = fds->files[fd];
	if (f)
		file_get(f);
	lock_drop(&fds->lock);
	return f;
}

int fdtable_next(struct fdtable *fds, int fd)
{
	size_t found;
	int result = -1;

	if (fd < 0)
		fd = 0;
	lock_take(&fds->lock);
	for (found = (size_t)fd; found < (size_t)fds->capacity; found++) {
		found = bitmap_next_set(fds->used, (size_t)fds->capacity, found);
		if (found >= (size_t)fds->capacity)
			break;
		if (fds->files[found]) {
			result = (int)found;
			break;
		}
	}
	lock_drop(&fds->lock);
	return result;
}

bool fdtable_is_cloexec(struct fdtable *fds, int fd)
{
	bool is_set;

	lock_take(&fds->lock);
	is_set = (unsigned)fd < (unsigned)fds->capacity &&
		 bitmap_test(fds->cloexec, (size_t)fd);
	lock_drop(&fds->lock);
	return is_set;
}

int fdtable_set_cloexec(struct fdtable *fds, int fd, bool on)
{
	int err = -EBADF;

	lock_take(&fds->lock);
	if ((unsigned)fd < (unsigned)fds->capacity && fds->files[fd]) {
		bitmap_assign(fds->cloexec, (size_t)fd, on);
		err = 0;
	}
	lock_drop(&fds->lock);
	return err;
}

/* ---- filling ---- */

static int nofile_limit(void)
{
	return (int)MIN(rlimit_current(RLIMIT_NOFILE), (uint64_t)NR_OPEN_MAX);
}

/* Finds and reserves the lowest free descriptor >= from. fds->lock held. */
static int reserve_locked(struct fdtable *fds, int from, int limit, uint32_t flags)
{
	size_t start = (size_t)MAX(from, fds->lowest_free);
	size_t fd = start < (size_t)fds->capacity
			    ? bitmap_next_zero(fds->used, (size_t)fds->capacity, start)
			    : start;
	int err;

	if (fd >= (size_t)limit)
		return -EMFILE;
	err = grow(fds, (int)fd);
	if (err)
		return err;
	bitmap_set(fds->used, fd);
	bitmap_assign(fds->cloexec, fd, flags & O_CLOEXEC);
	if (from <= fds->lowest_free)
		fds->lowest_free = (int)fd + 1;
	return (int)fd;
}

int fd_install_from(struct file *f, int from, uint32_t flags)
{
	struct fdtable *fds = current()->fds;
	int limit = nofile_limit();
	int fd;

	lock_take(&fds->lock);
	fd = reserve_locked(fds, from, limit, flags);
	if (fd >= 0)
		atomic_store(&fds->files[fd], f);
	lock_drop(&fds->lock);
	return fd;
}

int fd_install_or_put(struct file *f, uint32_t flags)
{
	int fd = fd_install(f, flags);

	if (fd < 0)
		file_put(f);
	return fd;
}

int fd_reserve(uint32_t flags)
{
	struct fdtable *fds = current()->fds;
	int limit = nofile_limit();
	int fd;

	lock_take(&fds->lock);
	fd = reserve_locked(fds, 0, limit, flags);
	lock_drop(&fds->lock);
	return fd;
}

void fd_fill_claimed(int fd, struct file **f)
{
	struct fdtable *fds = current()->fds;

	lock_take(&fds->lock);
	atomic_store(&fds->files[fd], *f);
	*f = NULL;
	lock_drop(&fds->lock);
}

void fd_fill(int fd, struct file *f)
{
	fd_fill_claimed(fd, &f);
}

static void free_locked(struct fdtable *fds, int fd)
{
	atomic_store(&fds->files[fd], NULL);
	bitmap_clear(fds->used, (size_t)fd);
	bitmap_clear(fds->cloexec, (size_t)fd);
	fds->lowest_free = MIN(fds->lowest_free, fd);
}

void fd_unreserve(int fd)
{
	struct fdtable *fds = current()->fds;

	lock_take(&fds->lock);
	free_locked(fds, fd);
	lock_drop(&fds->lock);
}

int fdtable_install_at(struct fdtable *fds, int fd, struct file *f, uint32_t flags)
{
	struct file *old = NULL;
	int err;

	lock_take(&fds->lock);
	err = grow(fds, fd);
	if (!err && bitmap_test(fds->used, (size_t)fd) && !fds->files[fd])
		err = -EBUSY; /* open(2) is about to use it */
	if (!err) {
		old = fds->files[fd];
		bitmap_set(fds->used, (size_t)fd);
		bitmap_assign(fds->cloexec, (size_t)fd, flags & O_CLOEXEC);
		atomic_store(&fds->files[fd], f);
	}
	lock_drop(&fds->lock);
	if (old)
		(void)file_close(old, fds);
	return err;
}

/* ---- closing ---- */

/* pid: as for flush */
static int close_by(struct file *f, struct fdtable *fds, pid_t pid)
{
	void (*closed)(void) = f->ops ? f->ops->closed : NULL;
	int err = 0;

	if (!(f->mode & FMODE_PATH)) {
		if (f->ops && f->ops->flush)
			err = f->ops->flush(f, pid);
		dnotify_closed(f, f->inode, fds);
		if (f->inode->locks)
			file_locks_close(f, fds);
	}
	file_put(f);
	if (unlikely(closed != NULL))
		closed();
	return err;
}

int file_close(struct file *f, struct fdtable *fds)
{
	return close_by(f, fds, 0);
}

static struct file *take_out(struct fdtable *fds, int fd)
{
	struct file *f = NULL;

	lock_take(&fds->lock);
	if ((unsigned)fd < (unsigned)fds->capacity)
		f = fds->files[fd];
	if (f)
		free_locked(fds, fd);
	lock_drop(&fds->lock);
	return f;
}

int fd_close(int fd)
{
	struct fdtable *fds = current()->fds;
	struct file *f = take_out(fds, fd);

	return f ? file_close(f, fds) : -EBADF;
}

int fdtable_exec(struct task *t)
{
	struct fdtable *fds;
	int err = fdtable_unshare(t);

	if (err)
		return err;
	fds = t->fds;
	for (size_t w = 0; w < (size_t)fds->capacity / 64; w++) {
		while (fds->cloexec[w] & fds->used[w]) {
			size_t bit =
				(size_t)__builtin_ctzl(fds->cloexec[w] & fds->used[w]);
			struct file *f = take_out(fds, (int)(w * 64 + bit));

			if (!f) /* reserved: cannot be, in a table of our own */
				bitmap_clear(fds->cloexec, w * 64 + bit);
			else
				(void)file_close(f, fds);
		}
	}
	return 0;
}
