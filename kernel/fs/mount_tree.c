/* SPDX-License-Identifier: MIT */
/* mount_tree.c - mounting, binding, unmounting.
 *
 * Who changes the tree holds mount_lock from the checks to the end. What drops references
 * waits until it is free again: the list gone. */
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/stat.h"
#include "abi/statfs.h"
#include "base/lock.h"
#include "fs/context.h"
#include "fs/dentry.h"
#include "fs/mount.h"
#include "fs/mount_internal.h"
#include "fs/notify.h"
#include "fs/vfs.h"
#include "lib/atomic.h"
#include "process/task.h"

static uint32_t mount_count; /* mount_lock: in the tree */
int mounts_max = 100000;

/* ---- copies ---- */

static struct mount *copy_one(struct mount *old, struct dentry *root,
			      enum mount_copy kind)
{
	struct mount *m = mount_create(old->sb, root, old->source,
				       atomic_load_relaxed(&old->flags));

	if (!m)
		return NULL;
	if (kind == MOUNT_COPY_PEER) {
		m->is_unbindable = old->is_unbindable;
		if (old->group)
			mount_join(m, old);
		else if (old->master)
			mount_enslave(m, old->master);
		return m;
	}
	mount_enslave(m, old);
	if (kind == MOUNT_COPY_SLAVE_SHARED)
		m->group = mount_group_next();
	return m;
}

static bool lies_below(struct dentry *d, struct dentry *root)
{
	struct superblock *sb = root->sb;
	bool is_below;

	lock_take(&sb->rename_lock); /* keeps the tree's shape */
	is_below = dentry_is_ancestor(root, d);
	lock_drop(&sb->rename_lock);
	return is_below;
}

int mount_copy_tree(struct mount *top, struct dentry *root, enum mount_copy kind,
		    bool recursive, struct mount **out)
{
	struct list gone = LIST_INIT(gone);
	struct mount *first = copy_one(top, root ? root : top->root, kind);
	struct mount *m = top;
	bool skip = !recursive;

	if (!first)
		return -ENOMEM;
	top->copy = first;
	while ((m = recursive ? mount_next(m, top, skip) : NULL) != NULL) {
		skip = (m->is_unbindable && root) ||
		       (m->parent == top && root && !lies_below(m->mountpoint, root));
		if (skip)
			continue;
		m->copy = copy_one(m, m->root, kind);
		if (!m->copy) {
			mount_drop_tree(first, &gone);
			top->copy = NULL;
			mounts_put(&gone); /* nothing of theirs is the last */
			return -ENOMEM;
		}
		mount_hash(m->copy, m->parent->copy, m->mountpoint);
		m->copy->home = MOUNT_IN_FILE;
	}
	first->home = MOUNT_IN_FILE;
	*out = first;
	return 0;
}

static void take_out(struct mount *m, struct list *gone)
{
	if (m->parent)
		mount_unhash(m);
	if (m->home == MOUNT_IN_TREE) {
		mount_count--;
		notify_tell_mount(m, FS_MNT_DETACH);
	}
	m->home = MOUNT_NOWHERE;
	mount_type_set(m, MS_PRIVATE);
	list_remove(&m->link);
	list_add_tail(gone, &m->link);
}

void mount_drop_tree(struct mount *top, struct list *gone)
{
	struct mount *m = top;

	/* From the leaves on, so that nothing has to be remembered. */
	for (;;) {
		struct mount *parent;

		while (!list_is_empty(&m->children))
			m = list_first_entry(&m->children, struct mount, sibling);
		parent = m->parent;
		if (m == top) {
			take_out(m, gone);
			return;
		}
		take_out(m, gone);
		m = parent;
	}
}

/* ---- attaching ---- */

static uint32_t tree_count(struct mount *top)
{
	uint32_t count = 0;

	for (struct mount *m = top; m; m = mount_next(m, top, false))
		count++;
	return count;
}

/* The tree at top is now where paths lead. */
static void enlist_tree(struct mount *top)
{
	for (struct mount *m = top; m; m = mount_next(m, top, false)) {
		if (m->home == MOUNT_IN_TREE)
			continue;
		mount_enlist(m);
		mount_count++;
		notify_tell_mount(m, FS_MNT_ATTACH);
	}
}

/* Hangs m, a tree, on a place. What is mounted there already comes on top of it. */
static void place_beneath(struct mount *m, const struct path *place)
{
	struct mount *there = mount_find(place->mount, place->dentry);

	mount_hash(m, place->mount, place->dentry);
	enlist_tree(m);
	if (!there)
		return;
	mount_unhash(there);
	mount_hash(there, m, m->root);
	/* m has references to the same place now: these are not the last ones. */
	dentry_put(there->left.dentry);
	mount_put_no_use(there->left.mount);
	there->left = (struct path){NULL, NULL};
}

static void place_copy(struct mount *copy)
{
	struct path place = copy->left;

	copy->left = (struct path){NULL, NULL};
	place_beneath(copy, &place);
}

int mount_graft(struct mount *top, const struct path *at, struct list *gone)
{
	struct list copies = LIST_INIT(copies);
	struct list *pos;
	uint32_t count = tree_count(top);
	int64_t room = (int64_t)atomic_load_relaxed(&mounts_max) - mount_count - count;
	int err = room < 0 ? -ENOSPC : 0;

	if (!err && at->mount->group) {
		mount_groups_invent(top);
		err = mount_propagate(at, top, count, (uint32_t)room, &copies);
	}
	if (err) {
		while ((pos = list_pop(&copies))) {
			struct mount *copy = list_entry(pos, struct mount, link);

			copy->left = (struct path){NULL, NULL};
			mount_drop_tree(copy, gone);
		}
		return err;
	}
	place_beneath(top, at);
	while ((pos = list_pop(&copies)))
		place_copy(list_entry(pos, struct mount, link));
	mount_changed();
	return 0;
}

void mount_go_to_top(const struct path *at, struct path *out)
{
	*out = *at;
	path_get(out);
	path_follow_mounts(out);
}

/* What is no longer there takes no mounts, nor does what is not there yet. */
static int check_home(const struct path *at)
{
	if (dentry_is_deleted(at->dentry) || at->mount->home == MOUNT_NOWHERE)
		return -ENOENT;
	return at->mount->home == MOUNT_IN_TREE ? 0 : -EINVAL;
}

/* A mount point must be of the same kind as what is shown there. */
static int check_place(const struct path *at, const struct dentry *root)
{
	bool at_dir = S_ISDIR(path_inode(at)->mode);
	int err = check_home(at);

	if (err)
		return err;
	return at_dir == !!S_ISDIR(root->inode->mode) ? 0 : -ENOTDIR;
}

int mount_attach(struct mount *m, const struct path *at)
{
	struct list gone = LIST_INIT(gone);
	bool has_failed = false;
	struct path top;
	int err;

	mount_go_to_top(at, &top);
	lock_take(&mount_lock);
	err = check_home(&top);
	if (!err && top.mount->sb == m->sb && top.dentry == top.mount->root &&
	    m->root == top.dentry)
		err = -EBUSY;
	if (!err)
		err = check_place(&top, m->root);
	if (!err) {
		mount_get(m); /* the table's */
		err = mount_graft(m, &top, &gone);
		has_failed = err != 0;
	}
	lock_drop(&mount_lock);
	mounts_put(&gone);
	path_put(&top);
	if (has_failed)
		mount_put(m);
	return err;
}

int mount_make(const char *type_name, const char *source, const char *options, void *data,
	       uint32_t flags, struct mount **out)
{
	struct file_system_type *type = fs_find(type_name);
	struct superblock *sb;
	int err;

	if (!type)
		return -ENODEV;
	err = type->mount(source ? source : "none", options ? options : "", data, &sb);
	if (err)
		return err;
	if (flags & MS_RDONLY)
		atomic_or(&sb->flags, SB_RDONLY);
	*out = mount_create(sb, sb->root, source ? source : "none", flags);
	sb_put(sb);
	return *out ? 0 : -ENOMEM;
}

int mount_attach_new(const char *type, const char *source, const struct path *at,
		     const char *options, void *data, uint32_t flags)
{
	struct mount *m;
	int err = mount_make(type, source, options, data, flags, &m);

	if (err)
		return err;
	err = mount_attach(m, at);
	mount_put(m);
	return err;
}

/* The mount below the first one. */
static int top_create(void)
{
	struct mount *m;
	int err = mount_make("tmpfs", "rootfs", "mode=755", NULL, 0, &m);

	if (err)
		return err;
	lock_take(&mount_lock);
	mount_enlist(m); /* its reference stays */
	mount_top = m;
	lock_drop(&mount_lock);
	return 0;
}

int vfs_mount(const char *type, const char *source, const char *path, const char *options,
	      void *data, uint32_t flags)
{
	struct path at;
	struct path root;
	int err = mount_top ? 0 : top_create();

	if (err)
		return err;
	mount_root_path(&root);
	if (root.mount == mount_top) {
		err = mount_attach_new(type, source, &root, options, data, flags);
		path_put(&root);
		return err;
	}
	err = path_lookup_at(&root, &root, path, LOOKUP_FOLLOW, &at);
	path_put(&root);
	if (err)
		return err;
	err = mount_attach_new(type, source, &at, options, data, flags);
	path_put(&at);
	return err;
}

/* ---- binding ---- */

static int copy_from(const struct path *from, bool recursive, struct mount **out)
{
	struct mount *m = from->mount;

	if (m->is_unbindable)
		return -EINVAL;
	if (m->home == MOUNT_NOWHERE)
		return -EINVAL;
	return mount_copy_tree(m, from->dentry, MOUNT_COPY_PEER, recursive, out);
}

int mount_bind(const struct path *from, const struct path *at, bool recursive)
{
	struct list gone = LIST_INIT(gone);
	struct mount *m = NULL;
	struct path top;
	int err;

	mount_go_to_top(at, &top);
	lock_take(&mount_lock);
	err = check_home(&top);
	if (!err && dentry_is_deleted(from->dentry))
		err = -ENOENT;
	if (!err)
		err = copy_from(from, recursive, &m);
	if (!err) {
		err = check_place(&top, from->dentry);
		if (!err)
			err = mount_graft(m, &top, &gone);
		if (err)
			mount_drop_tree(m, &gone);
	}
	lock_drop(&mount_lock);
	mounts_put(&gone);
	path_put(&top);
	return err;
}

int vfs_bind(const char *from, const char *path, uint32_t flags)
{
	struct path root;
	struct path source;
	struct path at;
	int err;

	mount_root_path(&root);
	err = path_lookup_at(&root, &root, from, LOOKUP_FOLLOW, &source);
	if (err)
		goto out_root;
	err = path_lookup_at(&root, &root, path, LOOKUP_FOLLOW, &at);
	if (err)
		goto out_source;
	err = mount_bind(&source, &at, flags & MS_REC);
	path_put(&at);
out_source:
	path_put(&source);
out_root:
	path_put(&root);
	return err;
}

int mount_clone(const struct path *from, bool recursive, struct mount **out)
{
	int err;

	lock_take(&mount_lock);
	err = copy_from(from, recursive, out);
	if (!err)
		mount_get(*out); /* the caller's; the other one is the table's */
	lock_drop(&mount_lock);
	return err;
}

void mount_own(struct mount *m)
{
	lock_take(&mount_lock);
	m->home = MOUNT_IN_FILE;
	mount_get(m); /* the table's */
	lock_drop(&mount_lock);
}

void mount_dissolve(struct mount *m)
{
	struct list gone = LIST_INIT(gone);

	lock_take(&mount_lock);
	if (m->home == MOUNT_IN_FILE && !m->parent)
		mount_drop_tree(m, &gone);
	lock_drop(&mount_lock);
	mounts_put(&gone);
}

/* ---- unmounting ---- */

/* Takes off what is on the list gone, whose mounts are where they were, and what goes
 * along. */
static void take_off(struct list *leaving, struct list *gone)
{
	struct list *pos;

	umount_propagate(leaving);
	while ((pos = list_pop(leaving)))
		take_out(list_entry(pos, struct mount, link), gone);
	mount_changed();
}

static void take_off_tree(struct mount *top, struct list *gone)
{
	struct list leaving = LIST_INIT(leaving);

	for (struct mount *m = top; m; m = mount_next(m, top, false)) {
		list_remove(&m->link);
		list_add_tail(&leaving, &m->link);
	}
	take_off(&leaving, gone);
}

/* In use are: the table's reference and the caller's. */
static bool is_busy(struct mount *m)
{
	return !list_is_empty(&m->children) || ref_count(&m->refs) > 2 ||
	       umount_propagate_is_busy(m);
}

static int check_detach(struct mount *m, const struct path *root, int flags)
{
	if (m->home != MOUNT_IN_TREE || !m->parent)
		return -EINVAL;
	if (flags & MNT_EXPIRE) {
		if (m == root->mount || (flags & (MNT_FORCE | MNT_DETACH)))
			return -EINVAL;
		if (ref_count(&m->refs) != 2)
			return -EBUSY;
		if (!atomic_xchg(&m->is_expiring, true))
			return -EAGAIN;
	}
	return !(flags & MNT_DETACH) && is_busy(m) ? -EBUSY : 0;
}

int mount_detach(const struct path *at, int umount_flags)
{
	struct list gone = LIST_INIT(gone);
	struct mount *m = at->mount;
	struct path root;
	int err;

	if (at->dentry != m->root)
		return -EINVAL;
	fs_context_root(current()->fs, &root);
	if (m == root.mount && !(umount_flags & (MNT_DETACH | MNT_EXPIRE))) {
		/* The caller's root cannot go: it is made read-only. */
		err = sb_set_read_only(m->sb, true);
		path_put(&root);
		return err;
	}
	lock_take(&mount_lock);
	err = check_detach(m, &root, umount_flags);
	if (!err)
		take_off_tree(m, &gone);
	lock_drop(&mount_lock);
	mounts_put(&gone);
	path_put(&root);
	return err;
}

/* ---- groups ---- */

int mount_set_group(const struct path *from, const struct path *to)
{
	struct mount *source = from->mount;
	struct mount *m = to->mount;
	int err = -EINVAL;

	if (from->dentry != source->root || to->dentry != m->root)
		return -EINVAL;
	lock_take(&mount_lock);
	if (source->home == MOUNT_NOWHERE || m->home == MOUNT_NOWHERE)
		goto out;
	if ((!source->group && !source->master) || m->group || m->master ||
	    source->sb != m->sb || !lies_below(m->root, source->root))
		goto out;
	err = 0;
	if (source->group)
		mount_join(m, source);
	else
		mount_enslave(m, source->master);
	mount_changed();
out:
	lock_drop(&mount_lock);
	return err;
}
