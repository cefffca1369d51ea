/* SPDX-License-Identifier: MIT */
/* data.c - what is in a tmpfs file: kernel pages at first, a host memfd when it is mapped
 * or big.
 *
 * inode.lock guards everything; reads of a memfd do without it, since a file never goes
 * back to pages. The memfd's size is always the inode's. */
#include "abi/errno.h"
#include "abi/mman.h"
#include "base/page.h"
#include "base/slab.h"
#include "base/waitq.h"
#include "fs/tmpfs/tmpfs.h"
#include "host/host.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "mm/policy.h"

enum {
	HOST_VEC = 16,
	PART_SIZE = 4 << 20, /* bytes at a time: nothing ends a host call early */
};

/* ---- the superblock's limit ---- */

static int charge(struct tmpfs_inode *ti, uint64_t pages)
{
	struct tmpfs_sb *s = ti->inode.sb->private;

	if (!pages)
		return 0;
	if (s && atomic_add(&s->used_pages, pages) + pages > s->max_pages &&
	    s->max_pages) {
		atomic_sub(&s->used_pages, pages);
		return -ENOSPC;
	}
	ti->data.charged += pages;
	ti->inode.blocks = ti->data.charged * (PAGE_SIZE / 512);
	return 0;
}

static void uncharge(struct tmpfs_inode *ti, uint64_t pages)
{
	struct tmpfs_sb *s = ti->inode.sb->private;

	pages = MIN(pages, ti->data.charged);
	if (s)
		atomic_sub(&s->used_pages, pages);
	ti->data.charged -= pages;
	ti->inode.blocks = ti->data.charged * (PAGE_SIZE / 512);
}

/* ---- kernel pages ---- */

static void *page_at(const struct tmpfs_data *d, size_t index)
{
	return index < d->page_slots ? d->pages[index] : NULL;
}

static int slots_grow(struct tmpfs_data *d, size_t index)
{
	size_t want = MAX(d->page_slots, (size_t)4);
	void **more;

	if (index < d->page_slots)
		return 0;
	while (want <= index)
		want *= 2;
	more = krealloc(d->pages, want * sizeof(*more));
	if (!more)
		return -ENOMEM;
	memset(more + d->page_slots, 0, (want - d->page_slots) * sizeof(*more));
	d->pages = more;
	d->page_slots = want;
	return 0;
}

/* The page at index, made if it is not there. whole: it is about to be overwritten in
 * full. */
static int page_make(struct tmpfs_inode *ti, size_t index, bool whole, void **out)
{
	struct tmpfs_data *d = &ti->data;
	void *page = page_at(d, index);
	int err;

	if (page) {
		*out = page;
		return 0;
	}
	err = slots_grow(d, index);
	if (err)
		return err;
	err = charge(ti, 1);
	if (err)
		return err;
	page = whole ? page_alloc(0) : page_alloc_zeroed(0);
	if (!page) {
		uncharge(ti, 1);
		return -ENOSPC;
	}
	d->pages[index] = page;
	*out = page;
	return 0;
}

static void pages_drop(struct tmpfs_inode *ti, size_t first, size_t end)
{
	struct tmpfs_data *d = &ti->data;
	uint64_t count = 0;

	for (size_t i = first; i < MIN(end, d->page_slots); i++) {
		if (!d->pages[i])
			continue;
		page_free(d->pages[i], 0);
		d->pages[i] = NULL;
		count++;
	}
	uncharge(ti, count);
}

static void pages_zero(struct tmpfs_inode *ti, uint64_t from, uint64_t to)
{
	while (from < to) {
		size_t at = from % PAGE_SIZE;
		size_t step = MIN(PAGE_SIZE - at, to - from);
		char *page = page_at(&ti->data, from / PAGE_SIZE);

		if (page)
			memset(page + at, 0, step);
		from += step;
	}
}

/* ---- the memfd ---- */

static int memfd_create(void)
{
	int fd = host_memfd_create("tmpfs", MFD_CLOEXEC | MFD_EXEC);

	/* Hosts before Linux 6.3 do not know MFD_EXEC; all their memfds are executable.
	 */
	return fd == -EINVAL ? host_memfd_create("tmpfs", MFD_CLOEXEC) : fd;
}

/* Moves the data to a memfd. inode.lock held. */
static int promote(struct tmpfs_inode *ti)
{
	struct tmpfs_data *d = &ti->data;
	int64_t size = ti->inode.size;
	int err;
	int fd;

	if (d->memfd >= 0)
		return 0;
	fd = memfd_create();
	if (fd < 0)
		return fd;
	err = host_ftruncate(fd, size);
	for (size_t i = 0; !err && i < d->page_slots; i++) {
		int64_t off = (int64_t)(i * PAGE_SIZE);
		size_t left = off < size ? MIN(PAGE_SIZE, (size_t)(size - off)) : 0;
		long done;

		if (!d->pages[i] || !left)
			continue;
		done = host_pwrite(fd, d->pages[i], left, off);
		if (done != (long)left)
			err = done < 0 ? (int)done : -ENOSPC;
		d->charged_end = i + 1;
	}
	if (err) {
		(void)host_close(fd);
		return err;
	}
	for (size_t i = 0; i < d->page_slots; i++)
		page_free(d->pages[i], 0);
	kfree(d->pages);
	d->pages = NULL;
	d->page_slots = 0;
	atomic_store(&d->memfd, fd);
	return 0;
}

/* Charges what the memfd has, whatever was charged before. */
static void memfd_recount(struct tmpfs_inode *ti)
{
	struct linux_statx st;
	uint64_t pages;

	if (host_statx(ti->data.memfd, "", AT_EMPTY_PATH, STATX_BLOCKS, &st))
		return;
	pages = st.stx_blocks / (PAGE_SIZE / 512);
	if (pages > ti->data.charged) {
		struct tmpfs_sb *s = ti->inode.sb->private;

		if (s)
			atomic_add(&s->used_pages, pages - ti->data.charged);
		ti->data.charged = pages;
	}
	uncharge(ti, ti->data.charged - pages);
}

static int memfd_charge(struct tmpfs_inode *ti, uint64_t from, uint64_t to)
{
	struct tmpfs_data *d = &ti->data;
	uint64_t first = MAX(from / PAGE_SIZE, d->charged_end);
	uint64_t end = (to + PAGE_SIZE - 1) / PAGE_SIZE;
	int err;

	if (end <= first)
		return 0;
	err = charge(ti, end - first);
	if (!err)
		d->charged_end = end;
	return err;
}

void tmpfs_data_fini(struct tmpfs_inode *ti)
{
	struct tmpfs_data *d = &ti->data;

	if (d->memfd >= 0)
		(void)host_close(d->memfd);
	pages_drop(ti, 0, d->page_slots);
	kfree(d->pages);
	policies_fini(&d->policies);
	uncharge(ti, d->charged);
}

/* ---- reading ---- */

typedef long (*host_vec_t)(int fd, const struct linux_iovec *iov, int count, int64_t off);

/* Up to size bytes between u and the memfd, directly from or to guest memory. */
static ssize_t memfd_transfer(int fd, struct uio *u, int64_t off, size_t size,
			      host_vec_t op)
{
	size_t done = 0;

	while (done < size && !(done && current_is_killed())) {
		struct linux_iovec vec[HOST_VEC];
		int count = uio_host_vec(u, vec, HOST_VEC, MIN(size - done, PART_SIZE));
		long step = count ? op(fd, vec, count, off + (int64_t)done) : 0;

		if (step <= 0) {
			if (!done && step < 0)
				return step;
			break;
		}
		uio_advance(u, (size_t)step);
		done += (size_t)step;
	}
	return (ssize_t)done;
}

static ssize_t pages_read(struct tmpfs_inode *ti, struct uio *u, int64_t off, size_t size)
{
	size_t done = 0;

	while (done < size && !(done && current_is_killed())) {
		uint64_t at = (uint64_t)off + done;
		size_t in_page = at % PAGE_SIZE;
		size_t step = MIN(PAGE_SIZE - in_page, size - done);
		char *page = page_at(&ti->data, at / PAGE_SIZE);
		size_t moved = page ? uio_copy_out(u, page + in_page, step)
				    : uio_clear_out(u, step);

		done += moved;
		if (moved < step)
			return done ? (ssize_t)done : -EFAULT;
	}
	return (ssize_t)done;
}

static ssize_t tmpfs_read(struct file *f, struct uio *u, int64_t *pos)
{
	struct tmpfs_inode *ti = tmpfs_i(f->inode);
	ssize_t done = 0;
	size_t size;

	lock_take(&f->inode->lock);
	if (*pos < f->inode->size && u->left) {
		size = MIN(u->left, (size_t)(f->inode->size - *pos));
		if (ti->data.memfd >= 0) {
			lock_drop(&f->inode->lock);
			done = memfd_transfer(ti->data.memfd, u, *pos, size, host_preadv);
			lock_take(&f->inode->lock);
		} else {
			done = pages_read(ti, u, *pos, size);
		}
	}
	lock_drop(&f->inode->lock);
	if (done > 0)
		*pos += done;
	if (done >= 0)
		file_accessed(f);
	return done;
}

/* ---- writing ---- */

static ssize_t pages_write(struct tmpfs_inode *ti, struct uio *u, int64_t off,
			   size_t size)
{
	size_t done = 0;
	int err = 0;

	while (done < size) {
		uint64_t at = (uint64_t)off + done;
		size_t in_page = at % PAGE_SIZE;
		size_t step = MIN(PAGE_SIZE - in_page, size - done);
		bool is_new = !page_at(&ti->data, at / PAGE_SIZE);
		void *page;
		size_t moved;

		err = page_make(ti, at / PAGE_SIZE, step == PAGE_SIZE, &page);
		if (err)
			break;
		moved = uio_copy_in(u, (char *)page + in_page, step);
		done += moved;
		if (moved < step) {
			if (is_new &&
			    step == PAGE_SIZE) /* undefined behind what was copied */
				memset((char *)page + moved, 0, PAGE_SIZE - moved);
			err = -EFAULT;
			break;
		}
	}
	return done ? (ssize_t)done : err;
}

static int seals_check(const struct tmpfs_inode *ti, int64_t off, size_t size)
{
	uint32_t seals = ti->data.seals;

	if (seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE))
		return -EPERM;
	if ((seals & F_SEAL_GROW) && off + (int64_t)size > ti->inode.size)
		return -EPERM;
	return 0;
}

static ssize_t write_locked(struct file *f, struct uio *u, int64_t *pos)
	REQUIRES(&f->inode->lock)
{
	struct tmpfs_inode *ti = tmpfs_i(f->inode);
	int64_t end;
	ssize_t done;
	int err = file_write_checks(f, u, pos);

	if (err || !u->left)
		return err;
	if (__builtin_add_overflow(*pos, (int64_t)u->left, &end))
		return -EFBIG;
	err = seals_check(ti, *pos, u->left);
	if (err)
		return err;
	if (end > TMPFS_PAGES_SIZE)
		(void)promote(ti); /* else it stays where it is */
	if (ti->data.memfd >= 0) {
		err = memfd_charge(ti, (uint64_t)*pos, (uint64_t)end);
		if (err)
			return err;
		done = memfd_transfer(ti->data.memfd, u, *pos, u->left, host_pwritev);
	} else {
		done = pages_write(ti, u, *pos, u->left);
	}
	if (done > 0) {
		*pos += done;
		if (*pos > f->inode->size)
			atomic_store(&f->inode->size, *pos);
		inode_modified_locked(f->inode);
	}
	return done;
}

static ssize_t tmpfs_write(struct file *f, struct uio *u, int64_t *pos)
{
	ssize_t done;

	lock_take(&f->inode->lock);
	done = write_locked(f, u, pos);
	lock_drop(&f->inode->lock);
	return done;
}

/* ---- size, holes ---- */

static int resize_locked(struct tmpfs_inode *ti, uint64_t size)
{
	struct tmpfs_data *d = &ti->data;
	uint64_t old = (uint64_t)ti->inode.size;
	uint64_t end = (size + PAGE_SIZE - 1) / PAGE_SIZE;

	if (((d->seals & F_SEAL_SHRINK) && size < old) ||
	    ((d->seals & F_SEAL_GROW) && size > old))
		return -EPERM;
	if (d->memfd >= 0) {
		int err = host_ftruncate(d->memfd, (int64_t)size);

		if (err)
			return err;
		d->charged_end = MIN(d->charged_end, end);
		if (size < old)
			memfd_recount(ti);
	} else if (size < old) {
		pages_drop(ti, end, d->page_slots);
		pages_zero(ti, size, end * PAGE_SIZE);
	}
	atomic_store(&ti->inode.size, (int64_t)size);
	atomic_add(&ti->inode.generation, 1);
	return 0;
}

int tmpfs_data_resize(struct tmpfs_inode *ti, uint64_t size)
{
	int err;

	lock_take(&ti->inode.lock);
	err = resize_locked(ti, size);
	lock_drop(&ti->inode.lock);
	return err;
}

static int punch_locked(struct tmpfs_inode *ti, uint64_t off, uint64_t end)
{
	uint64_t first = (off + PAGE_SIZE - 1) / PAGE_SIZE;
	uint64_t last = end / PAGE_SIZE;

	if (ti->data.seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE))
		return -EPERM;
	if (ti->data.memfd >= 0) {
		int err = host_fallocate(ti->data.memfd,
					 FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
					 (int64_t)off, (int64_t)(end - off));

		memfd_recount(ti);
		return err;
	}
	end = MIN(end, (uint64_t)ti->data.page_slots * PAGE_SIZE);
	if (off < end)
		pages_zero(ti, off, end);
	if (first < last)
		pages_drop(ti, first, last);
	return 0;
}

/* Part by part; the last makes the file larger. -EINTR: the caller is to be killed. */
static int memfd_fill(int fd, uint64_t off, uint64_t end, bool keep_size)
{
	int err = 0;

	while (off < end && !err) {
		uint64_t to = MIN(end, off + PART_SIZE);
		bool keeps = keep_size || to < end;

		err = host_fallocate(fd, keeps ? FALLOC_FL_KEEP_SIZE : 0, (int64_t)off,
				     (int64_t)(to - off));
		if (!err && to < end && current_is_killed())
			err = -EINTR;
		off = to;
	}
	return err;
}

/* The file may have holes: what it has come to is asked afterwards. */
static int memfd_allocate(struct tmpfs_inode *ti, uint64_t off, uint64_t end,
			  bool keep_size)
{
	const struct tmpfs_sb *s = ti->inode.sb->private;
	uint64_t want = (end + PAGE_SIZE - 1) / PAGE_SIZE - off / PAGE_SIZE;
	uint64_t max = s && s->max_pages ? s->max_pages : tmpfs_default_pages;
	uint64_t used = s ? atomic_load(&s->used_pages) : ti->data.charged;
	int err;

	if (want > max || used - MIN(used, ti->data.charged) + want > max)
		return -ENOSPC;
	err = memfd_fill(ti->data.memfd, off, end, keep_size);
	memfd_recount(ti);
	if (!err)
		ti->data.charged_end =
			MAX(ti->data.charged_end, (end + PAGE_SIZE - 1) / PAGE_SIZE);
	return err;
}

static int allocate_locked(struct tmpfs_inode *ti, uint64_t off, uint64_t end,
			   bool keep_size)
{
	int err = 0;

	if (end > (uint64_t)ti->inode.size && (ti->data.seals & F_SEAL_GROW))
		return -EPERM;
	if (end > TMPFS_PAGES_SIZE)
		err = promote(ti);
	if (err)
		return err;
	if (ti->data.memfd >= 0) {
		err = memfd_allocate(ti, off, end, keep_size);
	} else {
		for (uint64_t i = off / PAGE_SIZE; !err && i * PAGE_SIZE < end; i++) {
			void *page;

			err = page_make(ti, i, false, &page);
		}
	}
	if (!err && !keep_size && end > (uint64_t)ti->inode.size)
		atomic_store(&ti->inode.size, (int64_t)end);
	return err;
}

static int tmpfs_fallocate(struct file *f, int mode, int64_t off, int64_t size)
{
	struct tmpfs_inode *ti = tmpfs_i(f->inode);
	int err;

	if (mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE))
		return -EOPNOTSUPP;
	lock_take(&f->inode->lock);
	if (mode & FALLOC_FL_PUNCH_HOLE)
		err = punch_locked(ti, (uint64_t)off, (uint64_t)(off + size));
	else
		err = allocate_locked(ti, (uint64_t)off, (uint64_t)(off + size),
				      mode & FALLOC_FL_KEEP_SIZE);
	if (!err)
		inode_modified_locked(f->inode);
	lock_drop(&f->inode->lock);
	return err;
}

static int64_t seek_pages(struct tmpfs_inode *ti, int64_t off, bool data)
{
	int64_t size = ti->inode.size;

	while (off < size && !!page_at(&ti->data, (size_t)off / PAGE_SIZE) != data) {
		if ((size_t)off / PAGE_SIZE >=
		    ti->data.page_slots) /* holes from here on */
			off = size;
		else
			off = (int64_t)ALIGN_DOWN((uint64_t)off + PAGE_SIZE, PAGE_SIZE);
	}
	if (off >= size)
		return data ? -ENXIO : size;
	return off;
}

static int64_t tmpfs_lseek(struct file *f, int64_t off, int whence)
{
	struct tmpfs_inode *ti = tmpfs_i(f->inode);

	if (whence != SEEK_DATA && whence != SEEK_HOLE)
		return file_lseek_generic(f, off, whence);
	lock_take(&f->inode->lock);
	if (off < 0 || off >= f->inode->size)
		off = -ENXIO;
	else if (ti->data.memfd >= 0)
		off = host_lseek(ti->data.memfd, off, whence);
	else
		off = seek_pages(ti, off, whence == SEEK_DATA);
	lock_drop(&f->inode->lock);
	if (off >= 0)
		f->pos = off;
	return off;
}

/* ---- mapping ---- */

int tmpfs_host_backing(struct file *f, uint64_t off, size_t size, bool shared, bool exec,
		       int *fd, int64_t *host_off)
{
	struct tmpfs_inode *ti = tmpfs_i(f->inode);
	int err;

	(void)size;
	(void)exec;
	lock_take(&f->inode->lock);
	err = promote(ti);
	if (!err && shared)
		tmpfs_times_watch_locked(ti);
	lock_drop(&f->inode->lock);
	if (err)
		return err;
	*fd = ti->data.memfd;
	*host_off = (int64_t)off;
	return 0;
}

const struct file_ops tmpfs_file_ops = {
	.read = tmpfs_read,
	.write = tmpfs_write,
	.lseek = tmpfs_lseek,
	.fallocate = tmpfs_fallocate,
	.host_backing = tmpfs_host_backing,
	.writers_changed = tmpfs_writers_changed,
	.content_id = tmpfs_content_id,
	.data_look = tmpfs_data_look,
	.cached_pages = tmpfs_cached_pages,
	.get_seals = tmpfs_get_seals,
	.add_seals = tmpfs_add_seals,
	.policies = tmpfs_policies,
};
