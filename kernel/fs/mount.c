/* SPDX-License-Identifier: MIT */
/* mount.c - mounts: their life, where they hang, what may be written through them.
 *
 * mount_lock guards the tree: the list, parents and mount points. The walk finds what is
 * mounted on a dentry in a hash table with a lock per bucket, and looks only when
 * dentry->mounts says that there is something. One tree for the sandbox: there are no
 * mount namespaces. Its top is a file system that nobody sees, so that what is mounted
 * on that, the root of all programs, is a mount like others. */
#include "fs/mount.h"

#include "abi/errno.h"
#include "abi/statfs.h"
#include "base/lock.h"
#include "base/slab.h"
#include "base/waitq.h"
#include "fs/dentry.h"
#include "fs/internal.h"
#include "fs/mount_internal.h"
#include "fs/notify.h"
#include "fs/vfs.h"
#include "lib/atomic.h"
#include "lib/hash.h"
#include "lib/string.h"

enum { BUCKETS = 4096 };

struct bucket {
	struct lock lock; /* RANK_DENTRY */
	struct mount *first;
};

struct lock mount_lock = LOCK_INIT(RANK_MOUNT);
struct list mount_list = LIST_INIT(mount_list);
struct mount *mount_top;
struct waitq mount_change_event;
static struct bucket buckets[BUCKETS];
static int last_id;	 /* atomic */
static uint64_t changes; /* atomic */

int mount_init(void)
{
	for (size_t i = 0; i < BUCKETS; i++)
		lock_init_zeroed(&buckets[i].lock, RANK_DENTRY);
	waitq_init(&mount_change_event);
	return 0;
}

static struct bucket *bucket_of(const struct mount *parent, const struct dentry *at)
{
	return &buckets[hash_pointer(parent, hash_pointer(at, 0)) % BUCKETS];
}

/* ---- life ---- */

struct mount *mount_create(struct superblock *sb, struct dentry *root, const char *source,
			   uint32_t flags)
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
	list_init(&m->children);
	list_init(&m->sibling);
	list_init(&m->peers);
	list_init(&m->slaves);
	list_init(&m->slave_link);
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

void mount_put_no_use(struct mount *m)
{
	if (!ref_put(&m->refs))
		return;
	notify_mount_gone(m);
	dentry_put(m->root);
	sb_put(m->sb);
	kfree(m->source);
	kfree(m);
}

void mount_put(struct mount *m)
{
	if (!m)
		return;
	if (unlikely(atomic_load_relaxed(&m->is_expiring)))
		atomic_store(&m->is_expiring, false);
	mount_put_no_use(m);
}

void mounts_put(struct list *gone)
{
	struct list *pos;

	while ((pos = list_pop(gone))) {
		struct mount *m = list_entry(pos, struct mount, link);
		struct path left = m->left;

		m->left = (struct path){NULL, NULL};
		path_put(&left);
		mount_put(m);
	}
}

/* ---- writing ---- */

int mount_want_write(const struct mount *m)
{
	if (atomic_load_relaxed(&m->flags) & MS_RDONLY)
		return -EROFS;
	return atomic_load_relaxed(&m->sb->flags) & SB_RDONLY ? -EROFS : 0;
}

/* Counted first and asked then; who makes it read-only sets the flag first and counts
 * then: one of the two sees the other. */
int mount_writer_get(struct mount *m)
{
	int err;

	atomic_add(&m->writers, 1);
	err = mount_want_write(m);
	if (err)
		mount_writer_put(m);
	return err;
}

void mount_writer_put(struct mount *m)
{
	atomic_sub(&m->writers, 1);
}

int64_t mount_statfs_flags(const struct mount *m)
{
	uint32_t flags = atomic_load_relaxed(&m->flags);
	int64_t st = ST_VALID | (flags & (MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC |
					  MS_NOATIME | MS_NODIRATIME));

	if (!(flags & (MS_NOATIME | MS_STRICTATIME)))
		st |= ST_RELATIME;
	if (flags & MS_NOSYMFOLLOW)
		st |= ST_NOSYMFOLLOW;
	if (atomic_load_relaxed(&m->sb->flags) & SB_RDONLY)
		st |= MS_RDONLY;
	return st;
}

/* ---- where they hang ---- */

struct mount *mount_find(const struct mount *parent, const struct dentry *at)
{
	struct mount *m = bucket_of(parent, at)->first;

	while (m && (m->parent != parent || m->mountpoint != at))
		m = m->hash_next;
	return m;
}

struct mount *mount_lookup(const struct path *p)
{
	struct bucket *b = bucket_of(p->mount, p->dentry);
	struct mount *m;

	if (!atomic_load(&p->dentry->mounts))
		return NULL;
	lock_take(&b->lock);
	m = mount_find(p->mount, p->dentry);
	if (m)
		mount_get(m);
	lock_drop(&b->lock);
	return m;
}

void mount_hash(struct mount *m, struct mount *parent, struct dentry *at)
{
	struct path place = {parent, at};
	struct bucket *b = bucket_of(parent, at);

	path_get(&place);
	list_add_tail(&parent->children, &m->sibling);
	lock_take(&b->lock);
	m->parent = parent;
	m->mountpoint = at;
	m->hash_next = b->first;
	b->first = m;
	lock_drop(&b->lock);
	atomic_add(&at->mounts, 1);
}

void mount_unhash(struct mount *m)
{
	struct bucket *b = bucket_of(m->parent, m->mountpoint);

	list_remove(&m->sibling);
	lock_take(&b->lock);
	for (struct mount **link = &b->first; *link; link = &(*link)->hash_next) {
		if (*link != m)
			continue;
		*link = m->hash_next;
		break;
	}
	m->hash_next = NULL;
	m->left = (struct path){m->parent, m->mountpoint};
	m->parent = NULL;
	m->mountpoint = NULL;
	lock_drop(&b->lock);
	atomic_sub(&m->left.dentry->mounts, 1);
}

void mount_enlist(struct mount *m)
{
	struct list *pos = mount_list.prev;

	while (pos != &mount_list && list_entry(pos, struct mount, link)->id > m->id)
		pos = pos->prev;
	list_insert_after(pos, &m->link);
	m->home = MOUNT_IN_TREE;
}

void mount_root_path(struct path *out)
{
	*out = (struct path){NULL, NULL};
	if (!mount_top)
		return;
	*out = (struct path){mount_top, mount_top->root};
	path_get(out);
	path_follow_mounts(out);
}

bool mount_up(const struct mount *m, struct path *out)
{
	lock_take(&mount_lock);
	*out = (struct path){m->parent, m->mountpoint};
	if (out->mount)
		path_get(out);
	lock_drop(&mount_lock);
	return out->mount != NULL;
}

struct mount *mount_next(struct mount *m, struct mount *top, bool skip)
{
	if (!skip && !list_is_empty(&m->children))
		return list_first_entry(&m->children, struct mount, sibling);
	for (; m != top; m = m->parent)
		if (m->sibling.next != &m->parent->children)
			return list_entry(m->sibling.next, struct mount, sibling);
	return NULL;
}

bool mount_is_reachable(const struct mount *m, struct dentry *d, const struct path *root)
{
	bool is_below;

	while (m != root->mount && m->parent) {
		d = m->mountpoint;
		m = m->parent;
	}
	if (m != root->mount)
		return false;
	lock_take(&m->sb->rename_lock); /* keeps the tree's shape */
	is_below = dentry_is_ancestor(root->dentry, d);
	lock_drop(&m->sb->rename_lock);
	return is_below;
}

void mount_root_print(const struct mount *m, char *page)
{
	struct dentry *d = m->root;
	size_t at = PAGE_SIZE - 1;
	char name[256];

	dentry_get(d);
	page[at] = '\0';
	for (;;) {
		struct dentry *parent = dentry_parent_get(d);
		size_t len = dentry_name_copy(d, name, sizeof(name));
		bool is_root = parent == d;

		dentry_put(d);
		d = parent;
		if (is_root || at < len + 1)
			break;
		at -= len;
		memcpy(page + at, name, len);
		page[--at] = '/';
	}
	dentry_put(d);
	if (!page[at])
		page[--at] = '/';
	memmove(page, page + at, PAGE_SIZE - at);
}

/* ---- changes ---- */

void mount_changed(void)
{
	atomic_add(&changes, 1);
	waitq_wake_all(&mount_change_event, 0);
}

uint64_t mount_change_count(void)
{
	return atomic_load(&changes);
}
