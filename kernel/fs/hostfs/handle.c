/* SPDX-License-Identifier: MIT */
/* handle.c - host descriptors of a hostfs: kept for later use, least recently used ones
 * closed.
 *
 * An inode is reached by the name where it was seen last, and what is found there may be
 * something else: renamed by the host, or by the sandbox, whose rename is done on the
 * host a moment before the inode's place says so. So whatever is opened is compared with
 * the inode. If a rename or removal of ours went on meanwhile, it is tried again; else
 * the answer is -ESTALE, upon which the VFS looks the name up again. */
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/stat.h"
#include "base/slab.h"
#include "fs/hostfs/hostfs.h"
#include "fs/hostfs/internal.h"
#include "host/host.h"
#include "lib/atomic.h"
#include "lib/string.h"

enum { DEPTH_MAX = 4096, RACES_MAX = 1000 };

static SLAB_CACHE(handle_slab, "hostfs_handle", sizeof(struct host_handle), 8);
static struct list kept = LIST_INIT(kept); /* hostfs_lock: struct host_handle.lru */
static int kept_count;			   /* hostfs_lock */
static int kept_max = HOSTFS_HANDLES_MAX;

struct lock hostfs_lock = LOCK_INIT(RANK_OBJECT2);

struct host_handle *host_handle_create(struct host_inode *inode, int fd)
{
	struct host_handle *h = slab_alloc(&handle_slab);

	if (!h) {
		if (fd >= 0)
			(void)host_close(fd);
		return NULL;
	}
	ref_init(&h->refs);
	h->fd = fd;
	h->inode = inode;
	h->dir_pos = 0;
	h->is_shared = false;
	h->may_keep = false;
	list_init(&h->lru);
	list_init(&h->link);
	return h;
}

void host_handle_put(struct host_handle *h)
{
	if (!h || !ref_put(&h->refs))
		return;
	if (h->fd >= 0)
		(void)host_close(h->fd);
	slab_free(&handle_slab, h);
}

/* ---- keeping ---- */

/* The inode gives up its kept handle: returns the inode's reference. */
static struct host_handle *unkeep_locked(struct host_handle *h)
{
	if (!list_is_empty(&h->lru)) {
		list_remove(&h->lru);
		kept_count--;
	}
	h->inode->handle = NULL;
	return h;
}

static void touch_locked(struct host_handle *h)
{
	list_remove(&h->lru);
	list_add_head(&kept, &h->lru);
}

static void keep_locked(struct host_inode *hi, struct host_handle *h)
{
	ref_get(&h->refs);
	hi->handle = h;
	list_add_head(&kept, &h->lru);
	kept_count++;
}

/* Closes kept handles that nobody uses until at most max are left. False: none could be
 * closed. */
static bool shrink(int max)
{
	struct list gone = LIST_INIT(gone);
	struct list *pos;
	struct list *before;
	bool any = false;
	int scanned = 0;

	lock_take(&hostfs_lock);
	for (pos = kept.prev; pos != &kept && kept_count > max && scanned < 1024;
	     pos = before) {
		struct host_handle *h = list_entry(pos, struct host_handle, lru);

		before = pos->prev;
		scanned++;
		if (ref_count(&h->refs) != 1)
			continue;
		(void)unkeep_locked(h);
		list_add_tail(&gone, &h->lru);
	}
	lock_drop(&hostfs_lock);
	while ((pos = list_pop(&gone)) != NULL) {
		host_handle_put(list_entry(pos, struct host_handle, lru));
		any = true;
	}
	return any;
}

void host_handles_forget(struct host_inode *hi)
{
	struct host_handle *h = NULL;
	struct host_handle *born;

	lock_take(&hostfs_lock);
	if (hi->handle)
		h = unkeep_locked(hi->handle);
	born = hi->born;
	hi->born = NULL;
	lock_drop(&hostfs_lock);
	host_handle_put(h);
	host_handle_put(born);
	host_idle_forget(hi);
}

void hostfs_set_handles_max(int max)
{
	kept_max = MAX(MIN(max, HOSTFS_HANDLES_MAX), 16);
	host_idle_set_max(kept_max / 8);
}

bool hostfs_shrink_handles(void)
{
	bool any = host_idle_shrink(0);

	return shrink(kept_count / 2) || any;
}

int hostfs_openat(int dirfd, const char *name, int flags, uint32_t mode)
{
	int fd = host_openat(dirfd, name, flags, mode, 0);

	if (unlikely(fd == -EMFILE || fd == -ENFILE) && hostfs_shrink_handles())
		fd = host_openat(dirfd, name, flags, mode, 0);
	return fd;
}

/* ---- what moves meanwhile ---- */

struct watch {
	uint32_t done; /* moves, when the place was asked for */
	int tries;
};

void host_moves_begin(struct hostfs *fs)
{
	(void)atomic_add(&fs->moves_begun, 1);
}

void host_moves_end(struct hostfs *fs)
{
	(void)atomic_add(&fs->moves_done, 1);
}

static struct watch watch_start(struct hostfs *fs)
{
	return (struct watch){.done = atomic_load(&fs->moves_done)};
}

/* Something else was there: true if a move of our own explains that. */
static bool watch_again(struct hostfs *fs, struct watch *w)
{
	if (atomic_load(&fs->moves_begun) == w->done || ++w->tries > RACES_MAX)
		return false;
	if (w->tries > 1)
		host_yield();
	w->done = atomic_load(&fs->moves_done);
	return true;
}

/* The answers of the host that mean: something else is there. -EXDEV: it was moved away
 * while it was being opened, see RESOLVE_BENEATH in openat2(2). */
static bool is_elsewhere(int err)
{
	return err == -ENOENT || err == -ENOTDIR || err == -ELOOP || err == -EISDIR ||
	       err == -ENXIO || err == -EXDEV || err == -ESTALE;
}

/* ---- directories ---- */

/* The host may have put something else there since. */
static int check_same(struct host_inode *hi, int fd)
{
	struct linux_statx stx;
	int err;

	if (hostfs_of(hi)->exclusive)
		return 0;
	err = host_statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_BTIME, &stx);
	if (err)
		return err;
	return host_inode_is(hi, &stx) ? 0 : -ESTALE;
}

/* Keeps h, which the caller has a reference to, unless another was faster: returns the
 * kept one, the caller's reference exchanged. */
static struct host_handle *keep(struct host_inode *hi, struct host_handle *h)
{
	struct host_handle *other = NULL;

	lock_take(&hostfs_lock);
	if (hi->handle) {
		other = hi->handle;
		ref_get(&other->refs);
	} else {
		keep_locked(hi, h);
	}
	lock_drop(&hostfs_lock);
	if (!other) {
		if (kept_count > kept_max)
			(void)shrink(kept_max - kept_max / 16);
		return h;
	}
	host_handle_put(h);
	return other;
}

/* Opens directory at, which is name in the directory of handle base. */
static int dir_open(struct host_inode *at, struct host_handle *base, const char *name)
{
	struct host_handle *h;
	int fd = hostfs_openat(base->fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);
	int err;

	if (fd < 0)
		return fd;
	err = check_same(at, fd);
	if (err) {
		(void)host_close(fd);
		return err;
	}
	h = host_handle_create(at, fd);
	if (!h)
		return -ENOMEM;
	host_handle_put(keep(at, h));
	return 0;
}

/* The topmost directory above dir, or dir itself, that has no handle while its parent has
 * one. */
static int find_unopened_locked(struct host_inode *dir, struct host_inode **at,
				struct host_handle **base, char name[static 256])
{
	struct host_inode *hi = dir;

	/* Renames on the host can make what we remember a circle. */
	for (int i = 0; hi->parent && !hi->parent->handle && i < DEPTH_MAX; i++)
		hi = hi->parent;
	if (!hi->parent || !hi->parent->handle)
		return -ENOENT;
	(void)strlcpy(name, hi->name, 256);
	*base = hi->parent->handle;
	ref_get(&(*base)->refs);
	inode_get(&hi->inode);
	*at = hi;
	return 0;
}

int host_dir_handle(struct host_inode *dir, struct host_handle **out)
{
	struct watch watch = watch_start(hostfs_of(dir));

	for (;;) {
		struct host_inode *at;
		struct host_handle *base;
		char name[256];
		int err;

		lock_take(&hostfs_lock);
		if (likely(dir->handle != NULL)) {
			*out = dir->handle;
			ref_get(&(*out)->refs);
			if (!list_is_empty(&(*out)->lru))
				touch_locked(*out);
			lock_drop(&hostfs_lock);
			return 0;
		}
		err = find_unopened_locked(dir, &at, &base, name);
		lock_drop(&hostfs_lock);
		if (err)
			return err;
		err = dir_open(at, base, name);
		host_handle_put(base);
		inode_put(&at->inode);
		if (is_elsewhere(err))
			err = -ESTALE;
		if (err && (err != -ESTALE || !watch_again(hostfs_of(dir), &watch)))
			return err;
	}
}

/* ---- places ---- */

int host_place_get(struct host_inode *hi, struct host_place *out)
{
	struct host_inode *parent = NULL;
	int err;

	out->is_self = false;
	if (S_ISDIR(hi->inode.mode)) {
		memcpy(out->name, ".", 2);
		return host_dir_handle(hi, &out->dir);
	}
	lock_take(&hostfs_lock);
	if (hi->parent) {
		parent = hi->parent;
		inode_get(&parent->inode);
		(void)strlcpy(out->name, hi->name, sizeof(out->name));
	}
	lock_drop(&hostfs_lock);
	if (parent) {
		err = host_dir_handle(parent, &out->dir);
		inode_put(&parent->inode);
		return err;
	}
	if (!hostfs_of(hi)->is_file)
		return -ESTALE;
	out->is_self = true;
	out->name[0] = '\0';
	out->dir = hostfs_of(hi)->root;
	ref_get(&out->dir->refs);
	return 0;
}

void host_place_put(struct host_place *p)
{
	host_handle_put(p->dir);
}

static int open_once(struct host_inode *hi, int flags)
{
	struct host_place place;
	int fd = host_place_get(hi, &place);
	int err;

	if (fd)
		return fd;
	fd = place.is_self
		     ? host_dup(place.dir->fd)
		     : hostfs_openat(place.dir->fd, place.name, flags | O_NOFOLLOW, 0);
	host_place_put(&place);
	if (fd < 0)
		return is_elsewhere(fd) ? -ESTALE : fd;
	err = check_same(hi, fd);
	if (err) {
		(void)host_close(fd);
		return err;
	}
	return fd;
}

int host_inode_open(struct host_inode *hi, int flags)
{
	struct watch watch = watch_start(hostfs_of(hi));
	int fd;

	do
		fd = open_once(hi, flags);
	while (fd == -ESTALE && watch_again(hostfs_of(hi), &watch));
	return fd;
}

static int link_once(struct host_inode *hi, int dirfd, const char *name)
{
	struct host_place place;
	struct linux_statx stx;
	int err = host_place_get(hi, &place);

	if (err)
		return err;
	err = place.is_self ? -EXDEV
			    : host_linkat(place.dir->fd, place.name, dirfd, name, 0);
	host_place_put(&place);
	if (err)
		return err == -ENOENT ? -ESTALE : err;
	err = host_statx(dirfd, name, AT_SYMLINK_NOFOLLOW,
			 STATX_BASIC_STATS | STATX_BTIME, &stx);
	if (err || host_inode_is(hi, &stx))
		return err;
	(void)host_unlinkat(dirfd, name, 0);
	return -ESTALE;
}

int host_inode_link(struct host_inode *hi, int dirfd, const char *name)
{
	struct watch watch = watch_start(hostfs_of(hi));
	int err;

	do /* -EPERM: it may have been a directory */
		err = link_once(hi, dirfd, name);
	while ((err == -ESTALE || err == -EPERM) && watch_again(hostfs_of(hi), &watch));
	return err;
}

struct host_handle *host_open_handle(struct host_inode *hi)
{
	struct host_handle *h = NULL;

	lock_take(&hostfs_lock);
	if (!list_is_empty(&hi->files))
		h = list_entry(hi->files.next, struct host_handle, link);
	else if (hi->born)
		h = hi->born;
	if (h)
		ref_get(&h->refs);
	lock_drop(&hostfs_lock);
	return h;
}

/* ---- exclusive files ---- */

int host_file_handle(struct host_inode *hi, struct host_handle **out)
{
	struct host_handle *h = NULL;

	lock_take(&hostfs_lock);
	if (hi->handle) {
		h = hi->handle;
		ref_get(&h->refs);
		if (!list_is_empty(&h->lru))
			touch_locked(h);
	}
	lock_drop(&hostfs_lock);
	if (!h) {
		h = host_handle_create(hi, -1);
		if (!h)
			return -ENOMEM;
		h = keep(hi, h);
	}
	*out = h;
	return 0;
}

static NOINLINE int open_now(struct host_handle *h)
{
	int none = -1;
	int fd = host_inode_open(h->inode, O_RDONLY | O_NONBLOCK);

	if (fd < 0)
		return fd;
	if (!atomic_try_cas(&h->fd, &none, fd)) {
		(void)host_close(fd);
		fd = none;
	}
	return fd;
}

int host_handle_fd(struct host_handle *h)
{
	int fd = atomic_load(&h->fd);

	return likely(fd >= 0) ? fd : open_now(h);
}
