/* SPDX-License-Identifier: MIT */
/* walk.c - the one walk along a path (path_resolution(7)).
 *
 * A walk goes through a text component by component. A symbolic link in the middle pushes
 * what is left of the text on a stack of frames and goes on with the link's own text; a
 * link in the last place replaces the text. So the last component of the whole walk is
 * the one that has nothing but slashes after it while the stack is empty. walk_to_last()
 * stops in front of it: what happens there is the caller's business (find, make, remove,
 * follow).
 *
 * Scopes (openat2's RESOLVE_BENEATH and RESOLVE_IN_ROOT) make the starting place the
 * root; when something was renamed during the walk, a ".." cannot be trusted any more and
 * the walk ends with -EAGAIN. */
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/stat.h"
#include "abi/statfs.h"
#include "base/page.h"
#include "base/slab.h"
#include "fs/context.h"
#include "fs/dentry.h"
#include "fs/fdtable.h"
#include "fs/file.h"
#include "fs/internal.h"
#include "fs/mount.h"
#include "fs/namei.h"
#include "fs/vfs.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "process/task.h"

#define LOOKUP_SCOPED (LOOKUP_BENEATH | LOOKUP_IN_ROOT)

/* ---- one name in one directory ---- */

static bool is_cacheable(const struct inode *dir, const struct dentry *d)
{
	uint32_t flags = atomic_load_relaxed(&dir->sb->flags);

	if ((flags & SB_NO_DCACHE) || (dir->flags & (INODE_NO_DCACHE | INODE_DEAD)))
		return false;
	return d->inode || !(flags & SB_NO_NEGATIVE);
}

/* From the cache, if the file system still says so. locked: dir_lock is held. Without it
 * a rename may be going on, done by the file system but not yet by us: what seems to be
 * out of date is not forgotten, lest its inode get another dentry. */
static struct dentry *find_valid(struct dentry *parent, const char *name, size_t len,
				 bool locked)
{
	struct inode *dir = parent->inode;
	struct dentry *d = dentry_lookup(parent, name, len);
	char text[NAME_MAX + 1];

	if (!d || likely(!dir->ops->revalidate))
		return d;
	memcpy(text, name, len);
	text[len] = '\0';
	if (dir->ops->revalidate(dir, text, d))
		return d;
	if (locked)
		dentry_unhash(d);
	dentry_put(d);
	return NULL;
}

int dentry_look_up_locked(struct dentry *parent, const char *name, size_t len,
			  struct dentry **out)
{
	struct inode *dir = parent->inode;
	struct inode *inode = NULL;
	struct dentry *d;
	int err = -ENOENT;

	if (len > NAME_MAX)
		return -ENAMETOOLONG;
	d = find_valid(parent, name, len, true);
	if (d) {
		*out = d;
		return 0;
	}
	if (dir->flags & INODE_DEAD)
		return -ENOENT;
	d = dentry_create(parent, name, len, parent->sb, NULL);
	if (!d)
		return -ENOMEM;
	if (dir->ops->lookup)
		err = dir->ops->lookup(dir, d, &inode);
	if (err && err != -ENOENT) {
		dentry_put(d);
		return err;
	}
	if (!err)
		dentry_instantiate(d, inode);
	if (is_cacheable(dir, d))
		dentry_hash(d);
	*out = d;
	return 0;
}

void dentry_made(struct inode *dir, struct dentry *d, struct inode *inode)
{
	dentry_instantiate(d, inode);
	if (!dentry_is_hashed(d) && is_cacheable(dir, d))
		dentry_hash(d);
}

int dentry_find_or_look_up(struct dentry *parent, const char *name, size_t len,
			   bool cached_only, struct dentry **out)
{
	struct dentry *d = find_valid(parent, name, len, false);
	int err;

	if (likely(d != NULL)) {
		*out = d;
		return 0;
	}
	if (cached_only)
		return -EAGAIN;
	lock_take(&parent->inode->dir_lock);
	err = dentry_look_up_locked(parent, name, len, out);
	lock_drop(&parent->inode->dir_lock);
	dentry_trim();
	return err;
}

/* ---- steps ---- */

/* Exchanges the walk's place for p, whose references are taken over. */
static int go_to(struct walk *w, const struct path *p)
{
	if ((w->flags & LOOKUP_NO_XDEV) && p->mount != w->path.mount) {
		path_put(p);
		return -EXDEV;
	}
	path_put(&w->path);
	w->path = *p;
	return 0;
}

int walk_step(struct walk *w, struct dentry *d)
{
	struct path next = {w->path.mount, d};

	if (likely(!atomic_load_relaxed(&d->mounts))) {
		dentry_put(w->path.dentry);
		w->path.dentry = d;
		return 0;
	}
	mount_get(next.mount);
	path_follow_mounts(&next);
	return go_to(w, &next);
}

static int step_up(struct walk *w)
{
	struct path next = w->path;
	struct dentry *parent;
	int err = walk_make_sure(w);

	if (err)
		return err;
	if (path_equal(&w->path, &w->root))
		return w->flags & LOOKUP_BENEATH ? -EXDEV : 0;
	path_get(&next);
	while (next.dentry == next.mount->root) {
		struct path up;

		if (!mount_up(next.mount, &up)) { /* the top: .. is itself */
			path_put(&next);
			return 0;
		}
		path_put(&next);
		next = up;
		if (path_equal(&next, &w->root))
			goto there;
	}
	parent = dentry_parent_get(next.dentry);
	dentry_put(next.dentry);
	next.dentry = parent;
there:
	if ((w->flags & LOOKUP_SCOPED) && w->moves != dentry_move_count()) {
		path_put(&next);
		return -EAGAIN;
	}
	path_follow_mounts(&next);
	return go_to(w, &next);
}

static int may_search(struct walk *w)
{
	struct inode *dir = path_inode(&w->path);

	if (!dir)
		return -ENOENT;
	if (!S_ISDIR(dir->mode))
		return -ENOTDIR;
	return inode_permission(dir, MAY_EXEC);
}

/* What the component means where the walk stands: a reference. */
static int find_normal(struct walk *w, bool is_last, struct dentry **out)
{
	struct dentry *dir = w->path.dentry;
	struct dentry *d;
	int err;

	if (unlikely(dir->sb->flags & SB_DEEP_REVALIDATE))
		err = walk_find(w, is_last, &d);
	else
		err = dentry_find_or_look_up(dir, w->name, w->len,
					     w->flags & LOOKUP_CACHED, &d);
	if (err)
		return err;
	if (dentry_is_negative(d) && !(is_last && (w->flags & LOOKUP_NEGATIVE))) {
		dentry_put(d);
		return -ENOENT;
	}
	*out = d;
	return 0;
}

/* ---- texts ---- */

static void text_drop(struct inode *inode, char *page)
{
	inode_put(inode);
	if (page)
		page_free(page, 0);
}

static int frame_push(struct walk *w)
{
	if (w->depth == WALK_FRAMES && w->frames == w->first) {
		struct walk_frame *more = kmalloc((WALK_LINKS_MAX + 1) * sizeof(*more));

		if (!more)
			return -ENOMEM;
		memcpy(more, w->first, sizeof(w->first));
		w->frames = more;
	}
	w->frames[w->depth++] = (struct walk_frame){w->rest, w->text_inode, w->text_page};
	w->text_inode = NULL;
	w->text_page = NULL;
	return 0;
}

static void frame_pop(struct walk *w)
{
	struct walk_frame *f = &w->frames[--w->depth];

	text_drop(w->text_inode, w->text_page);
	w->rest = f->rest;
	w->text_inode = f->inode;
	w->text_page = f->page;
}

static int go_to_root(struct walk *w)
{
	struct path root = w->root;

	if (w->flags & LOOKUP_BENEATH)
		return -EXDEV;
	path_get(&root);
	return go_to(w, &root);
}

/* A magic link leads to a place, which the file system has given references to. */
static int jump(struct walk *w, const struct path *to)
{
	if (w->flags & LOOKUP_NO_MAGICLINKS) {
		path_put(to);
		return -ELOOP;
	}
	if (w->flags & LOOKUP_SCOPED) {
		path_put(to);
		return -EXDEV;
	}
	return go_to(w, to);
}

/* The walk stands on a link whose directory was dir (references; taken over): goes back
 * there, or to where the link jumps, and makes its text the current one. What was left of
 * the old one has been pushed. */
static int link_enter(struct walk *w, const struct path *dir)
{
	struct inode *inode = path_inode(&w->path);
	struct path place = {NULL, NULL};
	struct link_target target = {.path = &place};
	int err;

	if ((w->flags & LOOKUP_NO_SYMLINKS) || w->links++ >= WALK_LINKS_MAX ||
	    (w->path.mount->flags & MS_NOSYMFOLLOW))
		err = -ELOOP;
	else if (!inode->ops->get_link)
		err = -EINVAL;
	else
		err = inode->ops->get_link(inode, &target);
	if (err) {
		path_put(dir);
		return err;
	}
	if (target.is_path) {
		path_put(dir);
		w->rest = "";
		return jump(w, &place);
	}
	inode_get(inode); /* keeps the text */
	w->text_inode = inode;
	w->text_page = target.page;
	w->rest = target.text;
	path_put(&w->path);
	w->path = *dir;
	if (*w->rest == '\0')
		return -ENOENT;
	return *w->rest == '/' ? go_to_root(w) : 0;
}

/* Takes the next component off the text into name, len and last. False at the end of the
 * text. */
static bool component_next(struct walk *w)
{
	const char *p = w->rest;
	const char *start;

	while (*p == '/')
		p++;
	start = p;
	while (*p && *p != '/')
		p++;
	w->name = start;
	w->len = (size_t)(p - start);
	w->slash = *p == '/';
	while (*p == '/')
		p++;
	w->rest = p;
	if (w->len == 0)
		return false;
	w->last = WALK_NORMAL;
	if (start[0] == '.' && w->len == 1)
		w->last = WALK_DOT;
	else if (start[0] == '.' && w->len == 2 && start[1] == '.')
		w->last = WALK_DOTDOT;
	return true;
}

/* The component is not the last one: it must lead to a directory, through links too. */
static int walk_through(struct walk *w)
{
	struct dentry *d;
	struct path dir;
	int err;

	if (w->last == WALK_DOT)
		return 0;
	if (w->last == WALK_DOTDOT)
		return step_up(w);
	err = find_normal(w, false, &d);
	if (err)
		return err;
	if (likely(!S_ISLNK(d->inode->mode) && !atomic_load_relaxed(&d->mounts))) {
		dentry_put(w->path.dentry);
		w->path.dentry = d;
		return 0;
	}
	dir = w->path;
	path_get(&dir);
	err = walk_step(w, d);
	if (!err && S_ISLNK(path_inode(&w->path)->mode)) {
		err = frame_push(w);
		if (!err)
			return link_enter(w, &dir);
	}
	path_put(&dir);
	return err;
}

int walk_to_last(struct walk *w)
{
	for (;;) {
		int err;

		if (!component_next(w)) {
			if (w->depth) {
				err = walk_make_sure(w);
				if (err)
					return err;
				frame_pop(w);
				continue;
			}
			w->last = WALK_NONE; /* the place is where the walk stands */
			return 0;
		}
		err = may_search(w);
		if (unlikely(err)) {
			int again = walk_doubt(w);

			return again ? again : err;
		}
		if (*w->rest == '\0' && w->depth == 0)
			return 0;
		err = walk_through(w);
		if (err)
			return err;
	}
}

int walk_last(struct walk *w)
{
	struct dentry *d;
	int err;

	switch (w->last) {
	case WALK_NORMAL:
		err = find_normal(w, true, &d);
		return err ? err : walk_step(w, d);
	case WALK_DOTDOT:
		return step_up(w);
	default:
		return walk_make_sure(w);
	}
}

/* The walk stands on the link, and not on its directory any more: the link's dentry tells
 * it. Its mount is the directory's, since nothing can be mounted on a link. */
int walk_follow(struct walk *w)
{
	struct path dir = {w->path.mount, dentry_parent_get(w->path.dentry)};
	bool slash = w->slash;
	int err;

	if ((w->flags & LOOKUP_SCOPED) && dentry_move_count() != w->moves) {
		dentry_put(dir.dentry); /* it may be outside by now */
		return -EAGAIN;
	}
	mount_get(dir.mount);
	text_drop(w->text_inode, w->text_page);
	w->text_inode = NULL;
	w->text_page = NULL;
	err = may_follow_link(path_inode(&dir), path_inode(&w->path));
	if (err) {
		path_put(&dir);
		return err;
	}
	err = link_enter(w, &dir);
	if (!err)
		err = walk_to_last(w);
	w->slash |=
		slash; /* "link/" wants a directory, whatever the link's text ends with */
	return err;
}

/* ---- beginning and end ---- */

static void walk_init(struct walk *w, const char *name, uint32_t flags)
{
	w->path = (struct path){NULL, NULL};
	w->root = (struct path){NULL, NULL};
	w->rest = name;
	w->text_inode = NULL;
	w->text_page = NULL;
	w->flags = flags;
	w->links = 0;
	w->depth = 0;
	w->frames = w->first;
	w->last = WALK_NONE;
	w->slash = false;
	w->moves = flags & LOOKUP_SCOPED ? dentry_move_count() : 0;
	w->sure = NULL;
	w->now = 0;
}

static int start_at_fd(struct walk *w, int dfd)
{
	struct fdref ref;
	int err = 0;

	if (dfd == AT_FDCWD) {
		fs_context_cwd(current()->fs, &w->path);
		return 0;
	}
	ref = fd_get_any(dfd);
	if (!ref.file)
		return -EBADF;
	if (*w->rest && !S_ISDIR(ref.file->inode->mode)) {
		err = -ENOTDIR;
	} else {
		w->path = ref.file->path;
		path_get(&w->path);
	}
	fd_put(ref);
	return err;
}

int walk_start(struct walk *w, int dfd, const char *name, uint32_t flags)
{
	bool absolute = name[0] == '/';
	int err;

	walk_init(w, name, flags);
	if (!*name && !(flags & LOOKUP_EMPTY))
		return -ENOENT;
	if (absolute && (flags & LOOKUP_BENEATH))
		return -EXDEV;
	if (absolute && !(flags & LOOKUP_IN_ROOT)) {
		fs_context_root(current()->fs, &w->root);
		w->path = w->root;
		path_get(&w->path);
		return 0;
	}
	err = start_at_fd(w, dfd);
	if (err)
		return err;
	if (flags & LOOKUP_SCOPED) {
		w->root = w->path;
		path_get(&w->root);
	} else {
		fs_context_root(current()->fs, &w->root);
	}
	return 0;
}

int walk_start_at(struct walk *w, const struct path *base, const struct path *root,
		  const char *name, uint32_t flags)
{
	walk_init(w, name, flags);
	if (!*name && !(flags & LOOKUP_EMPTY))
		return -ENOENT;
	if (root) {
		w->root = *root;
		path_get(&w->root);
	} else {
		fs_context_root(current()->fs, &w->root);
	}
	w->path = *name == '/' ? w->root : *base;
	path_get(&w->path);
	return 0;
}

void walk_end(struct walk *w)
{
	while (w->depth)
		frame_pop(w);
	text_drop(w->text_inode, w->text_page);
	dentry_put(w->sure);
	path_put(&w->path);
	path_put(&w->root);
	if (w->frames != w->first)
		kfree(w->frames);
}
