/* SPDX-License-Identifier: MIT */
/* list.c - directory listings of a hostfs. Exclusive ones are read as a whole and kept,
 * within a bound. */
#include "abi/dirent.h"
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "base/page.h"
#include "base/slab.h"
#include "fs/file.h"
#include "fs/hostfs/internal.h"
#include "host/host.h"
#include "lib/string.h"

enum {
	CHUNK_ORDER = 3, /* what is asked for at a time: 32 KiB, as glibc does */
	CHUNK = 4096 << CHUNK_ORDER,
	RECORD_HEAD = offsetof(struct linux_dirent64, d_name),
};

static struct list kept =
	LIST_INIT(kept); /* hostfs_lock: struct host_listing.lru, newest first */
static size_t kept_size; /* hostfs_lock */

void host_listing_put(struct host_listing *l)
{
	if (!l || !ref_put(&l->refs))
		return;
	kfree(l->data);
	kfree(l);
}

static void unkeep_locked(struct host_listing *l)
{
	list_remove(&l->lru);
	kept_size -= l->size;
	l->inode->listing = NULL;
	l->inode = NULL;
}

void host_listing_forget(struct host_inode *hi)
{
	struct host_listing *l;

	lock_take(&hostfs_lock);
	l = hi->listing;
	if (l)
		unkeep_locked(l);
	lock_drop(&hostfs_lock);
	host_listing_put(l);
}

/* Keeps l for the next who asks; old ones go. */
static void keep(struct host_inode *dir, struct host_listing *l)
{
	struct list gone = LIST_INIT(gone);
	struct list *pos;

	lock_take(&hostfs_lock);
	if (!dir->listing && l->size <= HOSTFS_LISTING_MAX / 4) {
		ref_get(&l->refs);
		l->inode = dir;
		dir->listing = l;
		kept_size += l->size;
		list_add_head(&kept, &l->lru);
		while (kept_size > HOSTFS_LISTING_MAX) {
			struct host_listing *old =
				list_last_entry(&kept, struct host_listing, lru);

			unkeep_locked(old);
			list_add_tail(&gone, &old->lru);
		}
	}
	lock_drop(&hostfs_lock);
	while ((pos = list_pop(&gone)) != NULL)
		host_listing_put(list_entry(pos, struct host_listing, lru));
}

/* The length of the name in a record of at most left bytes; 0: the host's answer is
 * nonsense. */
static size_t record_check(const struct linux_dirent64 *e, size_t left)
{
	size_t len;

	if (left < RECORD_HEAD + 2 || e->d_reclen < RECORD_HEAD + 2 ||
	    e->d_reclen > left || e->d_reclen % 8)
		return 0;
	len = strnlen(e->d_name, e->d_reclen - (size_t)RECORD_HEAD);
	return len == e->d_reclen - (size_t)RECORD_HEAD || len > NAME_MAX ? 0 : len;
}

static bool is_dots(const char *name, size_t len)
{
	return name[0] == '.' && (len == 1 || (len == 2 && name[1] == '.'));
}

/* Appends size bytes of records to l, without the dots. */
static int append(struct host_listing *l, size_t *room, const char *buf, size_t size)
{
	for (size_t at = 0; at < size;) {
		const struct linux_dirent64 *e = (const void *)(buf + at);
		size_t len = record_check(e, size - at);

		if (!len)
			return -EIO;
		at += e->d_reclen;
		if (is_dots(e->d_name, len))
			continue;
		if (l->size + e->d_reclen > *room) {
			size_t more = *room ? *room * 2 : 1024;
			char *data = krealloc(l->data, more);

			if (!data)
				return -ENOMEM;
			l->data = data;
			*room = more;
		}
		memcpy(l->data + l->size, e, e->d_reclen);
		l->size += e->d_reclen;
	}
	return 0;
}

static int open_for_listing(struct host_inode *dir)
{
	struct host_handle *h;
	int fd = host_dir_handle(dir, &h);

	if (fd)
		return fd;
	fd = hostfs_openat(h->fd, ".", O_RDONLY | O_DIRECTORY, 0);
	host_handle_put(h);
	return fd;
}

static int read_all(struct host_inode *dir, struct host_listing *l)
{
	char *buf = page_alloc(CHUNK_ORDER);
	size_t room = 0;
	long size;
	int fd = buf ? open_for_listing(dir) : -ENOMEM;
	int err = fd < 0 ? fd : 0;

	while (!err) {
		size = host_getdents64(fd, buf, CHUNK);
		if (size <= 0 || size > CHUNK) {
			err = size < 0 ? (int)size : size ? -EIO : 0;
			break;
		}
		err = append(l, &room, buf, (size_t)size);
	}
	if (fd >= 0)
		(void)host_close(fd);
	page_free(buf, CHUNK_ORDER);
	return err;
}

int host_listing_get(struct host_inode *dir, struct host_listing **out)
{
	struct host_listing *l;
	int err;

	lock_take(&hostfs_lock);
	l = dir->listing;
	if (l)
		ref_get(&l->refs);
	lock_drop(&hostfs_lock);
	if (l) {
		*out = l;
		return 0;
	}
	l = kmalloc_zeroed(sizeof(*l));
	if (!l)
		return -ENOMEM;
	ref_init(&l->refs);
	list_init(&l->lru);
	err = read_all(dir, l);
	if (err) {
		host_listing_put(l);
		return err;
	}
	keep(dir, l);
	*out = l;
	return 0;
}

/* ---- files opened on directories ---- */

/* f->private is the listing. */
static int iterate_exclusive(struct file *f, struct dir_context *ctx,
			     struct host_inode *dir)
{
	struct host_listing *l = f->private;
	int err;

	if (!l) {
		err = host_listing_get(dir, &l);
		if (err)
			return err;
		f->private = l;
	}
	if (!dir_emit_dots(f, ctx))
		return 0;
	while (ctx->pos >= 2 && (uint64_t)ctx->pos - 2 < l->size) {
		const struct linux_dirent64 *e = (const void *)(l->data + ctx->pos - 2);
		size_t len;

		if ((ctx->pos - 2) % 8) /* a position that we never gave out */
			return -EINVAL;
		len = record_check(e, l->size - (size_t)(ctx->pos - 2));
		if (!len)
			return -EINVAL;
		if (!dir_emit(ctx, e->d_name, len, e->d_ino, e->d_type,
			      ctx->pos + e->d_reclen))
			break;
	}
	return 0;
}

/* -ENOSPC: there was no room for all. */
static int emit_chunk(struct dir_context *ctx, const char *buf, size_t size)
{
	for (size_t at = 0; at < size;) {
		const struct linux_dirent64 *e = (const void *)(buf + at);
		size_t len = record_check(e, size - at);

		if (!len)
			return -EIO;
		if (!dir_emit(ctx, e->d_name, len, e->d_ino, e->d_type, e->d_off))
			return -ENOSPC;
		at += e->d_reclen;
	}
	return 0;
}

/* f->private is a handle of its own; cursors are the host's. The host is asked once: a
 * guest that wants more asks again, and so learns of the end. */
static int iterate_shared(struct file *f, struct dir_context *ctx)
{
	struct host_handle *h = f->private;
	char *buf;
	long size;
	int err = 0;

	if (h->dir_pos != ctx->pos) {
		int64_t pos = host_lseek(h->fd, ctx->pos, SEEK_SET);

		if (pos < 0)
			return (int)pos;
	}
	buf = page_alloc(CHUNK_ORDER);
	if (!buf)
		return -ENOMEM;
	size = host_getdents64(h->fd, buf, CHUNK);
	if (size < 0 || size > CHUNK)
		err = size < 0 ? (int)size : -EIO;
	else
		err = emit_chunk(ctx, buf, (size_t)size);
	h->dir_pos = err ? -1 : ctx->pos;
	page_free(buf, CHUNK_ORDER);
	return err == -ENOSPC ? 0 : err;
}

static int dir_iterate(struct file *f, struct dir_context *ctx)
{
	struct host_inode *dir = host_inode_of(f->inode);

	return hostfs_of(dir)->exclusive ? iterate_exclusive(f, ctx, dir)
					 : iterate_shared(f, ctx);
}

static int64_t dir_lseek(struct file *f, int64_t off, int whence)
{
	return file_lseek_size(f, off, whence, 0, INT64_MAX);
}

static void dir_release(struct file *f)
{
	if (!f->private)
		return;
	if (hostfs_of(host_inode_of(f->inode))->exclusive)
		host_listing_put(f->private);
	else
		host_handle_put(f->private);
	f->private = NULL;
}

static int dir_fsync(struct file *f, bool data_only)
{
	if (!f->private || hostfs_of(host_inode_of(f->inode))->exclusive)
		return 0;
	return host_fsync(((struct host_handle *)f->private)->fd, data_only);
}

const struct file_ops hostfs_dir_ops = {
	.iterate = dir_iterate,
	.lseek = dir_lseek,
	.release = dir_release,
	.fsync = dir_fsync,
};
