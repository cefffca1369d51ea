/* SPDX-License-Identifier: MIT */
/* mount.c - the tree of mounted file systems.
 *
 * mount_lock guards the tree: the list, parents and mount points. The walk finds what is
 * mounted on a dentry in a hash table with a lock per bucket, and looks only when
 * dentry->mounts says that there is something. One tree for the sandbox: there are no
 * mount namespaces.
 *
 * Limits against Linux: no propagation types. */
#include "fs/mount.h"

#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/statfs.h"
#include "base/lock.h"
#include "base/slab.h"
#include "fs/context.h"
#include "fs/dentry.h"
#include "fs/internal.h"
#include "fs/vfs.h"
#include "lib/atomic.h"
#include "lib/hash.h"
#include "lib/string.h"
#include "process/task.h"

enum { BUCKETS = 64 };

struct bucket {
	struct lock lock; /* RANK_DENTRY */
	struct mount *first;
};

struct lock mount_lock = LOCK_INIT(RANK_MOUNT);
struct list mount_list = LIST_INIT(mount_list);
static struct bucket buckets[BUCKETS];
static int last_id; /* atomic */

int mount_init(void)
{
	for (size_t i = 0; i < BUCKETS; i++)
		lock_init_zeroed(&buckets[i].lock, RANK_DENTRY);
	return 0;
}

static struct bucket *bucket_of(const struct mount *parent, const struct dentry *at)
{
	return &buckets[hash_pointer(parent, hash_pointer(at, 0)) % BUCKETS];
}

/* ---- mounts ---- */

static struct mount *mount_create(struct superblock *sb, struct dentry *root,
				  const char *source, uint32_t flags)
{
	struct mount *m = kmalloc_zeroed(sizeof(*m));

	if (!m)
		return NULL;
	m->source = kstrdup(source ? source : "none");
	if (!m->source) {
		kfree(m);
		return NULL;
	}
	ref_init(&m->refs);
	list_init(&m->link);
	m->id = atomic_add(&last_id, 1) + 1;
	m->flags = flags;
	sb_get(sb);
	m->sb = sb;
	dentry_get(root);
	m->root = root;
	return m;
}

struct mount *mount_create_internal(struct superblock *sb)
{
	struct mount *m = mount_create(sb, sb->root, NULL, MS_NOSUID | MS_NODEV);

	if (m)
		m->is_internal = true;
	return m;
}

void mount_get(struct mount *m)
{
	ref_get(&m->refs);
}

void mount_put(struct mount *m)
{
	while (m && ref_put(&m->refs)) {
		struct mount *parent = m->parent;

		dentry_put(m->mountpoint);
		dentry_put(m->root);
		sb_put(m->sb);
		kfree(m->source);
		kfree(m);
		m = parent;
	}
}

int mount_want_write(const struct mount *m)
{
	if (atomic_load_relaxed(&m->flags) & MS_RDONLY)
		return -EROFS;
	return atomic_load_relaxed(&m->sb->flags) & SB_RDONLY ? -EROFS : 0;
}

struct mount *mount_lookup(const struct path *p)
{
	struct bucket *b = bucket_of(p->mount, p->dentry);
	struct mount *m;

	if (!atomic_load(&p->dentry->mounts))
		return NULL;
	lock_take(&b->lock);
	for (m = b->first; m; m = m->hash_next)
		if (m->parent == p->mount && m->mountpoint == p->dentry)
			break;
	if (m)
		mount_get(m);
	lock_drop(&b->lock);
	return m;
}

void mount_root_path(struct path *out)
{
	lock_take(&mount_lock);
	struct mount *m = list_first_entry(&mount_list, struct mount, link);

	*out = (struct path){NULL, NULL};
	if (m) {
		*out = (struct path){m, m->root};
		path_get(out);
	}
	lock_drop(&mount_lock);
}

/* ---- the tree ---- */

/* Hangs m on at, or makes it the root when at is NULL. The table gets a reference.
 * mount_lock held. */
static void attach_locked(struct mount *m, const struct path *at)
{
	mount_get(m);
	m->is_attached = true;
	list_add_tail(&mount_list, &m->link);
	if (!at)
		return;
	path_get(at);

	struct bucket *b = bucket_of(at->mount, at->dentry);

	lock_take(&b->lock);
	m->parent = at->mount;
	m->mountpoint = at->dentry;
	m->hash_next = b->first;
	b->first = m;
	lock_drop(&b->lock);
	atomic_add(&at->dentry->mounts, 1);
}

static void unhash_locked(struct mount *m)
{
	struct bucket *b = bucket_of(m->parent, m->mountpoint);

	lock_take(&b->lock);
	for (struct mount **link = &b->first; *link; link = &(*link)->hash_next) {
		if (*link != m)
			continue;
		*link = m->hash_next;
		break;
	}
	m->hash_next = NULL;
	lock_drop(&b->lock);
	atomic_sub(&m->mountpoint->mounts, 1);
}

static bool has_children_locked(const struct mount *m)
{
	struct list *pos;

	list_for_each (pos, &mount_list)
		if (list_entry(pos, struct mount, link)->parent == m)
			return true;
	return false;
}

static int type_mount(const char *name, const char *source, const char *options,
		      void *data, struct superblock **out)
{
	struct file_system_type *type = fs_find(name);

	if (!type)
		return -ENODEV;
	return type->mount(source ? source : "none", options ? options : "", data, out);
}

/* A mount point must be of the same kind as what is shown there. */
static int kinds_match(const struct path *at, const struct dentry *root)
{
	bool at_dir = S_ISDIR(path_inode(at)->mode);

	if (at_dir == !!S_ISDIR(root->inode->mode))
		return 0;
	return -ENOTDIR;
}

static int attach_at(struct mount *m, const struct path *at)
{
	struct path top = *at;
	int err = kinds_match(at, m->root);

	if (err)
		return err;
	path_get(&top);
	path_follow_mounts(&top);
	lock_take(&mount_lock);
	if (dentry_is_deleted(top.dentry))
		err = -ENOENT;
	else
		attach_locked(m, &top);
	lock_drop(&mount_lock);
	path_put(&top);
	return err;
}

int mount_attach_new(const char *type, const char *source, const struct path *at,
		     const char *options, void *data, uint32_t flags)
{
	struct superblock *sb;
	struct mount *m;
	int err = type_mount(type, source, options, data, &sb);

	if (err)
		return err;
	m = mount_create(sb, sb->root, source ? source : type, flags);
	sb_put(sb);
	if (!m)
		return -ENOMEM;
	if (at) {
		err = attach_at(m, at);
	} else {
		lock_take(&mount_lock);
		attach_locked(m, NULL);
		lock_drop(&mount_lock);
	}
	mount_put(m);
	return err;
}

int vfs_mount(const char *type, const char *source, const char *path, const char *options,
	      void *data, uint32_t flags)
{
	struct path at;
	struct path root;
	int err;

	mount_root_path(&root);
	if (!root.mount)
		return mount_attach_new(type, source, NULL, options, data, flags);
	err = path_lookup_at(&root, &root, path, LOOKUP_FOLLOW, &at);
	path_put(&root);
	if (err)
		return err;
	err = mount_attach_new(type, source, &at, options, data, flags);
	path_put(&at);
	return err;
}

static int bind_one(struct superblock *sb, struct dentry *root, const char *source,
		    uint32_t flags, const struct path *at)
{
	struct mount *m = mount_create(sb, root, source, flags);
	int err;

	if (!m)
		return -ENOMEM;
	err = attach_at(m, at);
	mount_put(m);
	return err;
}

/* Repeats below at the mounts that lie below from. */
static int bind_below(const struct path *from, const struct path *at)
{
	struct mount *top = mount_lookup(at);
	struct list *pos;
	int err = 0;

	if (!top)
		return 0;
	for (int index = 0; !err; index++) {
		struct mount *child = NULL;
		int i = 0;

		lock_take(&mount_lock);
		lock_take(&from->mount->sb->rename_lock); /* keeps the tree's shape */
		list_for_each (pos, &mount_list) {
			struct mount *m = list_entry(pos, struct mount, link);

			if (m->parent != from->mount || m == top ||
			    !dentry_is_ancestor(from->dentry, m->mountpoint))
				continue;
			if (i++ == index) {
				child = m;
				mount_get(child);
				break;
			}
		}
		lock_drop(&from->mount->sb->rename_lock);
		lock_drop(&mount_lock);
		if (!child)
			break;
		struct path point = {top, child->mountpoint};
		struct path child_root = {child, child->root};

		err = bind_one(child->sb, child->root, child->source, child->flags,
			       &point);
		if (!err)
			err = bind_below(&child_root, &point);
		mount_put(child);
	}
	mount_put(top);
	return err;
}

int mount_bind(const struct path *from, const struct path *at, uint32_t flags)
{
	int err = bind_one(from->mount->sb, from->dentry, from->mount->source,
			   from->mount->flags | (flags & MS_RDONLY), at);

	if (!err && (flags & MS_REC))
		err = bind_below(from, at);
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
	err = mount_bind(&source, &at, flags);
	path_put(&at);
out_source:
	path_put(&source);
out_root:
	path_put(&root);
	return err;
}

/* What the table keeps alive besides the mount itself: its reference, one to the root
 * dentry's mount. */
static bool is_busy_locked(const struct mount *m)
{
	return has_children_locked(m) || ref_count(&m->refs) > 2;
}

static void take_out_locked(struct mount *m, struct list *gone)
{
	unhash_locked(m);
	list_remove(&m->link);
	list_add_tail(gone, &m->link);
	m->is_attached = false;
}

/* Takes m and all that hangs below it out of the tree, onto the list gone. */
static void take_out_tree_locked(struct mount *m, struct list *gone)
{
	struct list *upper;
	struct list *pos;
	struct list *after;

	take_out_locked(m, gone);
	list_for_each (upper, gone) { /* the list grows meanwhile */
		const struct mount *parent = list_entry(upper, struct mount, link);

		list_for_each_safe(pos, after, &mount_list)
		{
			struct mount *child = list_entry(pos, struct mount, link);

			if (child->parent == parent)
				take_out_locked(child, gone);
		}
	}
}

int mount_detach(const struct path *at, int umount_flags)
{
	struct list gone = LIST_INIT(gone);
	struct mount *m = at->mount;
	struct list *pos;
	int err = 0;

	if (at->dentry != m->root)
		return -EINVAL;
	lock_take(&mount_lock);
	if (!m->is_attached || !m->parent)
		err = -EINVAL;
	else if (!(umount_flags & MNT_DETACH) && is_busy_locked(m))
		err = -EBUSY;
	if (!err)
		take_out_tree_locked(m, &gone);
	lock_drop(&mount_lock);
	while ((pos = list_pop(&gone)))
		mount_put(list_entry(pos, struct mount, link)); /* the table's */
	return err;
}

int mount_move(const struct path *from, const struct path *to)
{
	struct mount *m = from->mount;
	struct mount *old_parent = NULL;
	struct dentry *old_point = NULL;
	int err = 0;

	if (from->dentry != m->root || !m->parent)
		return -EINVAL;
	err = kinds_match(to, m->root);
	if (err)
		return err;
	lock_take(&mount_lock);
	for (struct mount *p = to->mount; p; p = p->parent)
		if (p == m)
			err = -ELOOP;
	if (!m->is_attached)
		err = -EINVAL;
	if (!err) {
		old_parent = m->parent;
		old_point = m->mountpoint;
		unhash_locked(m);
		list_remove(&m->link);
		attach_locked(m, to);
	}
	lock_drop(&mount_lock);
	if (!err) {
		dentry_put(old_point);
		mount_put(old_parent);
		mount_put(m); /* attach_locked took another one for the table */
	}
	return err;
}
