/* SPDX-License-Identifier: MIT */
/* file_handle.c - file handles: an inode's number, and its time of birth in place of a
 * generation.
 *
 * What a handle stands for is looked for among the names in the cache, and then, which
 * takes time, in the directories of the file system, one after the other.
 *
 * Limits against Linux: a file that is open but has no name any more is not found. */
#include "fs/file_handle.h"

#include "abi/dirent.h"
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/stat.h"
#include "base/slab.h"
#include "fs/dentry.h"
#include "fs/file.h"
#include "fs/internal.h"
#include "fs/mount.h"
#include "fs/path.h"
#include "fs/vfs.h"
#include "lib/atomic.h"
#include "lib/hash.h"
#include "lib/string.h"
#include "process/task.h"

struct handle_id handle_of_inode(const struct inode *inode)
{
	uint64_t birth = hash_combine((uint64_t)inode->btime.tv_sec,
				      (uint64_t)inode->btime.tv_nsec);

	return (struct handle_id){(uint32_t)inode->ino, (uint32_t)(inode->ino >> 32),
				  (uint32_t)birth};
}

static uint64_t ino_of(const struct handle_id *id)
{
	return id->ino_low | (uint64_t)id->ino_high << 32;
}

static bool is_it(const struct inode *inode, const void *arg)
{
	struct handle_id id = handle_of_inode(inode);

	return memcmp(&id, arg, sizeof(id)) == 0;
}

bool handle_can_decode(const struct path *p)
{
	return p->dentry->sb->type->flags & FS_EXPORT;
}

struct handle_id handle_encode(const struct path *p, bool of_parent)
{
	struct dentry *d = p->dentry;
	struct handle_id id;

	if (of_parent)
		d = dentry_parent_get(d);
	id = handle_of_inode(d->inode);
	if (of_parent)
		dentry_put(d);
	return id;
}

/* ---- looking through the directories ---- */

struct pending { /* a directory still to be read */
	struct list link;
	struct dentry *dir; /* ref */
};

enum { NAMES_SIZE = 2048 };

/* Names that may lead on: directories, and those with the number. */
struct search {
	struct dir_context base;
	const struct handle_id *id;
	struct list pending;
	size_t used;
	char names[NAMES_SIZE]; /* each with its NUL */
};

static bool emit_candidate(struct dir_context *ctx, const char *name, size_t len,
			   uint64_t ino, uint32_t type, int64_t next_pos)
{
	struct search *s = container_of(ctx, struct search, base);

	(void)next_pos;
	if (name[0] == '.' && (len == 1 || (len == 2 && name[1] == '.')))
		return true;
	if (type != DT_DIR && type != DT_UNKNOWN && ino != ino_of(s->id))
		return true;
	if (s->used + len + 1 > NAMES_SIZE)
		return false;
	memcpy(s->names + s->used, name, len);
	s->names[s->used + len] = '\0';
	s->used += len + 1;
	return true;
}

static int push(struct search *s, struct dentry *dir)
{
	struct pending *p = kmalloc(sizeof(*p));

	if (!p)
		return -ENOMEM;
	list_init(&p->link);
	dentry_get(dir);
	p->dir = dir;
	list_add_tail(&s->pending, &p->link);
	return 0;
}

/* Looks at one name. *out: found (a reference). */
static int look_at(struct search *s, struct dentry *dir, const char *name, size_t len,
		   struct dentry **out)
{
	struct dentry *d;
	int err = dentry_find_or_look_up(dir, name, len, false, &d);

	if (err)
		return err == -ENOMEM ? err : 0; /* it has gone meanwhile */
	if (!dentry_is_negative(d)) {
		if (is_it(d->inode, s->id)) {
			*out = d;
			return 0;
		}
		if (S_ISDIR(d->inode->mode))
			err = push(s, d);
	}
	dentry_put(d);
	return err;
}

static int read_names(struct search *s, struct file *f, struct dentry **out)
{
	int err;

	do {
		int64_t before = s->base.pos;

		s->used = 0;
		err = f->ops->iterate(f, &s->base);
		if (err && err != -ENOMEM)
			return 0; /* this one cannot be read */
		if (s->used == 0 && s->base.pos == before)
			break;
		for (size_t at = 0; !err && !*out && at < s->used;) {
			size_t len = strlen(s->names + at);

			err = look_at(s, f->path.dentry, s->names + at, len, out);
			at += len + 1;
		}
		if (!err && (atomic_load(&current()->sleeper.work) & WORK_KILL))
			err = -EINTR;
	} while (!err && !*out);
	return err;
}

static int read_dir(struct search *s, struct mount *m, struct dentry *dir,
		    struct dentry **out)
{
	struct path p = {m, dir};
	struct file *f;
	int err = file_open_quiet(&p, O_RDONLY | O_DIRECTORY, &f);

	if (err)
		return err == -ENOMEM ? err : 0;
	s->base.pos = 0;
	if (f->ops && f->ops->iterate)
		err = read_names(s, f, out);
	file_put(f);
	return err;
}

static int search(struct mount *m, const struct handle_id *id, struct dentry **out)
{
	struct search *s = kmalloc(sizeof(*s));
	struct list *pos;
	int err;

	if (!s)
		return -ENOMEM;
	s->base.emit = emit_candidate;
	s->id = id;
	list_init(&s->pending);
	*out = NULL;
	err = push(s, m->sb->root);
	while ((pos = list_pop(&s->pending)) != NULL) {
		struct pending *p = list_entry(pos, struct pending, link);

		if (!err && !*out)
			err = read_dir(s, m, p->dir, out);
		dentry_put(p->dir);
		kfree(p);
	}
	kfree(s);
	if (err) {
		dentry_put(*out);
		return err;
	}
	return *out ? 0 : -ESTALE;
}

int handle_decode(const struct path *base, const struct handle_id *id, struct path *out)
{
	struct superblock *sb = base->mount->sb;
	struct dentry *d = NULL;
	int err = 0;

	if (!(sb->type->flags & FS_EXPORT))
		return -ESTALE;
	if (is_it(sb->root->inode, id)) {
		d = sb->root;
		dentry_get(d);
	} else {
		d = dentry_find_inode(sb, is_it, id);
	}
	if (!d)
		err = search(base->mount, id, &d);
	if (err)
		return err;
	mount_get(base->mount);
	*out = (struct path){base->mount, d};
	return 0;
}
