/* SPDX-License-Identifier: MIT */
/* path.c - places in the tree, their names, and names that the guest gives. */
#include "fs/path.h"

#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/stat.h"
#include "base/slab.h"
#include "fs/context.h"
#include "fs/dentry.h"
#include "fs/internal.h"
#include "fs/mount.h"
#include "fs/vfs.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/usercopy.h"
#include "process/task.h"

void path_get(const struct path *p)
{
	mount_get(p->mount);
	dentry_get(p->dentry);
}

void path_put(const struct path *p)
{
	dentry_put(p->dentry);
	mount_put(p->mount);
}

struct inode *path_inode(const struct path *p)
{
	return __atomic_load_n(&p->dentry->inode, __ATOMIC_ACQUIRE);
}

void path_follow_mounts(struct path *p)
{
	struct mount *m;

	while ((m = mount_lookup(p)) != NULL) {
		dentry_get(m->root);
		path_put(p);
		*p = (struct path){m, m->root};
	}
}

/* ---- printing ---- */

/* Writes "/name" in front of *at. False when there is no room. */
static bool prepend(char *buf, size_t *at, const char *name, size_t len)
{
	if (*at < len + 1)
		return false;
	*at -= len;
	memcpy(buf + *at, name, len);
	buf[--*at] = '/';
	return true;
}

/* One step up, exchanging references. False at the top of the tree. */
static bool step_up(struct path *p, char name[static 256], size_t *len)
{
	struct dentry *parent;

	while (p->dentry == p->mount->root) {
		struct path up;

		if (!mount_up(p->mount, &up))
			return false;
		path_put(p);
		*p = up;
	}
	*len = dentry_name_copy(p->dentry, name, 256);
	parent = dentry_parent_get(p->dentry);
	if (parent == p->dentry) {
		dentry_put(parent);
		return false;
	}
	dentry_put(p->dentry);
	p->dentry = parent;
	return true;
}

/* Writes the path at the end of buf: *at is where it starts. 1: reached root; 0: it did
 * not. */
static int print_up(const struct path *p, const struct path *root, char *buf, size_t *at)
{
	struct path here = *p;
	char name[256];
	size_t len = 0;
	int result = 1;

	path_get(&here);
	while (!path_equal(&here, root)) {
		if (!step_up(&here, name, &len)) {
			result = 0;
			break;
		}
		if (!prepend(buf, at, name, len)) {
			result = -ENAMETOOLONG;
			break;
		}
	}
	path_put(&here);
	return result;
}

static long print_unwalkable(const struct path *p, char *buf, size_t size)
{
	struct inode *inode = path_inode(p);

	if (inode && inode->ops->describe) {
		inode->ops->describe(inode, buf, size);
		return (long)strlen(buf);
	}
	dentry_name_copy(p->dentry, buf, size);
	return (long)strlen(buf);
}

long path_print(const struct path *p, const struct path *root, char *buf, size_t size)
{
	static const char unreachable[] = "(unreachable)";
	struct path own_root = {NULL, NULL};
	uint64_t moves;
	size_t at;
	size_t len;
	int result;

	if (p->mount->is_internal)
		return print_unwalkable(p, buf, size);
	if (size < 64)
		return -ENAMETOOLONG;
	if (!root) {
		if (current()->fs)
			fs_context_root(current()->fs, &own_root);
		else /* the task is ending */
			mount_root_path(&own_root);
		root = &own_root;
	}
	do {
		moves = dentry_move_count();
		at = size - 1;
		buf[at] = '\0';
		if (dentry_is_deleted(p->dentry)) {
			at -= 10;
			memcpy(buf + at, " (deleted)", 10);
		}
		result = print_up(p, root, buf, &at);
	} while (moves != dentry_move_count());
	if (own_root.mount)
		path_put(&own_root);
	if (result < 0)
		return result;
	if ((buf[at] != '/') && !prepend(buf, &at, "", 0))
		return -ENAMETOOLONG;
	if (result == 0) {
		/* The top of another tree: shown as if from there, and said so. */
		if (at < sizeof(unreachable) - 1)
			return -ENAMETOOLONG;
		at -= sizeof(unreachable) - 1;
		memcpy(buf + at, unreachable, sizeof(unreachable) - 1);
	}
	len = size - 1 - at;
	memmove(buf, buf + at, len + 1);
	return (long)len;
}

/* ---- names from the guest ---- */

int path_name_get(struct path_name *n, uaddr_t name, bool may_be_empty)
{
	long len;

	n->str = n->inside;
	len = strncpy_from_user(n->inside, name, sizeof(n->inside));
	if (len == -ENAMETOOLONG) {
		n->str = kmalloc(PATH_MAX);
		if (!n->str)
			return -ENOMEM;
		len = strncpy_from_user(n->str, name, PATH_MAX);
		if (len < 0) {
			kfree(n->str);
			n->str = n->inside;
		}
	}
	if (len < 0)
		return (int)len;
	return len == 0 && !may_be_empty ? -ENOENT : 0;
}

void path_name_put(struct path_name *n)
{
	if (n->str != n->inside)
		kfree(n->str);
}

/* ---- finding ---- */

static int lookup(struct walk *w, uint32_t flags, struct path *out)
{
	int err = walk_to_last(w);

	while (!err) {
		struct inode *inode;

		err = walk_last(w);
		if (err)
			break;
		inode = path_inode(&w->path);
		if (!inode) { /* LOOKUP_NEGATIVE */
			err = w->slash || (flags & LOOKUP_DIRECTORY) ? -ENOENT : 0;
			break;
		}
		if (S_ISLNK(inode->mode) && w->last == WALK_NORMAL &&
		    ((flags & LOOKUP_FOLLOW) || w->slash)) {
			err = walk_follow(w);
			continue;
		}
		if ((w->slash || (flags & LOOKUP_DIRECTORY)) && !S_ISDIR(inode->mode))
			err = -ENOTDIR;
		break;
	}
	if (!err) {
		*out = w->path;
		w->path = (struct path){NULL, NULL};
	}
	walk_end(w);
	return err;
}

bool walk_again(int *err, int *tries)
{
	if (likely(*err != -ESTALE))
		return false;
	if ((*tries)++ < WALKS_MAX)
		return true;
	*err = -ENOENT;
	return false;
}

int path_lookup(int dfd, const char *name, uint32_t flags, struct path *out)
{
	struct walk w;
	int tries = 0;
	int err;

	do {
		err = walk_start(&w, dfd, name, flags);
		if (!err)
			err = lookup(&w, flags, out);
	} while (walk_again(&err, &tries));
	return err;
}

int path_lookup_at(const struct path *base, const struct path *root, const char *name,
		   uint32_t flags, struct path *out)
{
	struct walk w;
	int tries = 0;
	int err;

	do {
		err = walk_start_at(&w, base, root, name, flags);
		if (!err)
			err = lookup(&w, flags, out);
	} while (walk_again(&err, &tries));
	return err;
}

int path_lookup_user(int dfd, uaddr_t name, uint32_t flags, struct path *out)
{
	struct path_name n;
	int err = path_name_get(&n, name, flags & LOOKUP_EMPTY);

	if (err)
		return err;
	err = path_lookup(dfd, n.str, flags, out);
	path_name_put(&n);
	return err;
}

long path_do_user(int dfd, uaddr_t name, uint32_t flags,
		  long (*fn)(const struct path *p, void *arg), void *arg)
{
	struct path_name n;
	struct path p;
	long result;
	int tries = 0;
	int err = path_name_get(&n, name, flags & LOOKUP_EMPTY);

	if (err)
		return err;
	do {
		result = path_lookup(dfd, n.str, flags, &p);
		if (!result) {
			result = fn(&p, arg);
			path_put(&p);
		}
		err = (int)MIN(result, 0);
	} while (walk_again(&err, &tries));
	path_name_put(&n);
	return result < 0 ? err : result;
}

static int lookup_parent(int dfd, const char *name, uint32_t flags, struct path *parent,
			 struct path_last *last)
{
	struct walk w;
	int err = walk_start(&w, dfd, name, flags);

	if (err)
		return err;
	err = walk_to_last(&w);
	if (!err)
		err = walk_make_sure(&w);
	if (!err) {
		/* Links on the way have been walked to their end: the last name is the
		 * caller's own text. */
		last->name = w.name;
		last->len = w.len;
		last->slash = w.slash;
		last->kind = w.last == WALK_NORMAL   ? LAST_NORMAL
			     : w.last == WALK_DOT    ? LAST_DOT
			     : w.last == WALK_DOTDOT ? LAST_DOTDOT
						     : LAST_ROOT;
		*parent = w.path;
		w.path = (struct path){NULL, NULL};
	}
	walk_end(&w);
	return err;
}

int path_lookup_parent(int dfd, const char *name, uint32_t flags, struct path *parent,
		       struct path_last *last)
{
	int tries = 0;
	int err;

	do
		err = lookup_parent(dfd, name, flags, parent, last);
	while (walk_again(&err, &tries));
	return err;
}
