/* SPDX-License-Identifier: MIT */
/* pseudo.c - trees of directories, generated files and links. Nodes are never freed. */
#include "fs/proc/pseudo.h"

#include "abi/dirent.h"
#include "abi/errno.h"
#include "abi/stat.h"
#include "base/lock.h"
#include "base/slab.h"
#include "fs/dentry.h"
#include "fs/file.h"
#include "fs/proc/generated.h"
#include "fs/vfs.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "process/creds.h"
#include "process/namespace.h"

#define FIRST_INO 4026531840U /* above the numbers of processes' files */

struct pseudo_inode {
	struct inode inode;
	struct pseudo_node *node;
};

static SLAB_CACHE(pseudo_inode_slab, "proc_inode_cache", sizeof(struct pseudo_inode), 8);
static uint64_t last_ino = FIRST_INO; /* atomic */
static struct lock fill_lock = LOCK_INIT(RANK_IDR);

/* ---- building ---- */

static void node_init(struct pseudo_node *node, const char *name, uint32_t mode)
{
	*node = (struct pseudo_node){.name = name, .mode = mode};
	node->ino = atomic_add(&last_ino, 1);
	list_init(&node->link);
	list_init(&node->children);
}

void pseudo_root_init(struct pseudo_node *root)
{
	node_init(root, "/", S_IFDIR | 0555);
}

void pseudo_fill_later(struct pseudo_node *dir, void (*fill)(void))
{
	dir->fill = fill;
}

void pseudo_update_begin(void) NO_LOCK_CHECK
{
	lock_take(&fill_lock);
}

void pseudo_update_end(void) NO_LOCK_CHECK
{
	lock_drop(&fill_lock);
}

static void fill(struct pseudo_node *dir)
{
	if (likely(!atomic_load(&dir->fill)))
		return;
	lock_take(&fill_lock);
	if (dir->fill) {
		dir->fill();
		atomic_store(&dir->fill, NULL);
	}
	lock_drop(&fill_lock);
}

static struct pseudo_node *child_find(struct pseudo_node *dir, const char *name,
				      size_t len)
{
	struct list *pos;

	list_for_each (pos, &dir->children) {
		struct pseudo_node *node = list_entry(pos, struct pseudo_node, link);

		if (strlen(node->name) == len && memcmp(node->name, name, len) == 0)
			return node;
	}
	return NULL;
}

struct pseudo_node *pseudo_find(struct pseudo_node *dir, const char *name, size_t len)
{
	struct pseudo_node *node;

	fill(dir);
	node = child_find(dir, name, len);
	return node && !atomic_load(&node->is_hidden) ? node : NULL;
}

static struct pseudo_node *node_add(struct pseudo_node *dir, const char *name, size_t len,
				    uint32_t mode)
{
	struct pseudo_node *node = kmalloc(sizeof(*node));

	if (!node)
		return NULL;
	if (name[len])
		name = kstrndup(name, len);
	if (!name) {
		kfree(node);
		return NULL;
	}
	node_init(node, name, mode);
	node->parent = dir;
	list_add_tail(&dir->children, &node->link);
	return node;
}

/* Goes down path, making directories, to its last part, which is made with mode if it is
 * not there. */
static struct pseudo_node *node_at(struct pseudo_node *dir, const char *path,
				   uint32_t mode)
{
	while (dir) {
		const char *slash = strchr(path, '/');
		size_t len = slash ? (size_t)(slash - path) : strlen(path);
		struct pseudo_node *next = child_find(dir, path, len);

		if (!next)
			next = node_add(dir, path, len, slash ? S_IFDIR | 0555 : mode);
		if (!slash)
			return next;
		dir = next;
		path = slash + 1;
	}
	return NULL;
}

struct pseudo_node *pseudo_dir(struct pseudo_node *root, const char *path)
{
	return node_at(root, path, S_IFDIR | 0555);
}

struct pseudo_node *pseudo_file(struct pseudo_node *root, const char *path, uint32_t mode,
				int (*show)(struct text *t, void *arg),
				int (*store)(char *data, size_t len, void *arg),
				void *arg)
{
	struct pseudo_node *node = node_at(root, path, S_IFREG | mode);

	if (node) {
		node->show = show;
		node->store = store;
		node->arg = arg;
	}
	return node;
}

struct pseudo_node *
pseudo_scoped_file(struct pseudo_node *root, const char *path, uint32_t mode,
		   const struct pseudo_scope *scope,
		   int (*show)(struct text *t, struct namespace *ns, void *arg),
		   int (*store)(char *data, size_t len, struct namespace *ns, void *arg),
		   void *arg)
{
	struct pseudo_node *node = pseudo_file(root, path, mode, NULL, NULL, arg);

	if (node) {
		node->scope = scope;
		node->show_of = show;
		node->store_of = store;
	}
	return node;
}

struct pseudo_node *pseudo_link(struct pseudo_node *root, const char *path,
				const char *target)
{
	struct pseudo_node *node = node_at(root, path, S_IFLNK | 0777);

	if (node)
		node->target = target;
	return node;
}

static int show_text(struct text *t, void *arg)
{
	text_puts(t, arg);
	return 0;
}

struct pseudo_node *pseudo_text(struct pseudo_node *root, const char *path,
				const char *text)
{
	return pseudo_file(root, path, 0444, show_text, NULL, (void *)(uintptr_t)text);
}

/* ---- inodes ---- */

static struct pseudo_node *node_of(const struct inode *inode)
{
	return container_of(inode, struct pseudo_inode, inode)->node;
}

static void pseudo_release(struct inode *inode)
{
	inode_fini(inode);
	slab_free(&pseudo_inode_slab, container_of(inode, struct pseudo_inode, inode));
}

static int pseudo_lookup(struct inode *dir, struct dentry *d, struct inode **out)
{
	struct pseudo_node *node = pseudo_find(node_of(dir), d->name, d->name_len);

	if (!node)
		return -ENOENT;
	*out = pseudo_inode_create(dir->sb, node);
	return *out ? 0 : -ENOMEM;
}

static int node_show(struct file *f, struct text *t)
{
	struct pseudo_node *node = node_of(f->inode);
	struct namespace *ns;
	int err;

	if (!node->scope)
		return node->show(t, node->arg);
	ns = generated_namespace(f);
	if (!ns)
		return -ENOENT;
	err = node->show_of(t, ns, node->arg);
	namespace_put(ns);
	return err;
}

static int node_store(struct file *f, char *data, size_t len)
{
	struct pseudo_node *node = node_of(f->inode);
	struct namespace *ns;
	int err = -EPERM;

	if (!node->scope)
		return node->store(data, len, node->arg);
	ns = generated_namespace(f);
	if (!ns)
		return -ENOENT;
	if (node->scope->is_owned(ns))
		err = node->store_of(data, len, ns, node->arg);
	namespace_put(ns);
	return err;
}

static int pseudo_open(struct inode *inode, struct file *f)
{
	struct pseudo_node *node = node_of(inode);
	int err;

	if (!S_ISREG(inode->mode) || node->fops)
		return 0;
	err = generated_open(f, node->show || node->show_of ? node_show : NULL,
			     node->store || node->store_of ? node_store : NULL);
	if (!err && node->scope)
		generated_set_namespace(f, node->scope->current());
	return err;
}

static int pseudo_get_link(struct inode *inode, struct link_target *out)
{
	out->text = node_of(inode)->target;
	return 0;
}

static int pseudo_setattr(struct inode *inode, struct attr *attr)
{
	if (attr->valid & (ATTR_MODE | ATTR_UID | ATTR_GID))
		return -EPERM;
	(void)inode; /* O_TRUNC and times: nothing to do */
	return 0;
}

bool pseudo_emit(struct pseudo_node *dir, struct dir_context *ctx)
{
	struct list *pos;
	int64_t at = 2;

	fill(dir);
	list_for_each (pos, &dir->children) {
		struct pseudo_node *node = list_entry(pos, struct pseudo_node, link);

		if (ctx->pos == at && atomic_load(&node->is_hidden))
			ctx->pos++;
		else if (ctx->pos == at &&
			 !dir_emit(ctx, node->name, strlen(node->name), node->ino,
				   node->mode >> 12 & 15, at + 1))
			return false;
		at++;
	}
	return true;
}

int64_t pseudo_end(struct pseudo_node *dir)
{
	fill(dir);
	return (int64_t)list_count(&dir->children) + 2;
}

static int pseudo_iterate(struct file *f, struct dir_context *ctx)
{
	if (dir_emit_dots(f, ctx))
		(void)pseudo_emit(node_of(f->inode), ctx);
	return 0;
}

static bool is_strict(const struct pseudo_node *node)
{
	while (node && !node->is_strict)
		node = node->parent;
	return node != NULL;
}

/* All is root's, and under a strict directory no capability helps. */
static int pseudo_permission(struct inode *inode, uint32_t mask)
{
	const struct creds *c = current_creds();
	const struct pseudo_node *node = node_of(inode);
	void (*refresh)(void) = node->refresh;
	uint32_t bits = inode->mode;

	/* Who walks through a directory, or opens it, asks for this first, without a
	 * lock; who changes one holds its lock. */
	if (unlikely(refresh != NULL) && !(mask & MAY_WRITE))
		refresh();
	if (!is_strict(node))
		return inode_permission_generic(inode, mask);
	if (node->scope ? node->scope->is_owned(node->scope->current()) : c->euid == 0)
		bits >>= 6;
	else if (creds_in_group(c, 0))
		bits >>= 3;
	return mask & ~bits & (MAY_READ | MAY_WRITE | MAY_EXEC) ? -EACCES : 0;
}

static const struct inode_ops pseudo_inode_ops = {
	.permission = pseudo_permission,
	.lookup = pseudo_lookup,
	.open = pseudo_open,
	.get_link = pseudo_get_link,
	.setattr = pseudo_setattr,
	.release = pseudo_release,
};

static const struct file_ops pseudo_dir_ops = {
	.iterate = pseudo_iterate,
};

struct inode *pseudo_inode_create(struct superblock *sb, struct pseudo_node *node)
{
	struct pseudo_inode *p = slab_alloc(&pseudo_inode_slab);

	if (!p)
		return NULL;
	inode_init(&p->inode, sb, &pseudo_inode_ops, node->ino, node->mode);
	p->node = node;
	p->inode.fops = S_ISDIR(node->mode) ? &pseudo_dir_ops : &generated_file_ops;
	if (node->fops)
		p->inode.fops = node->fops;
	p->inode.nlink = S_ISDIR(node->mode) ? 2 : 1;
	if (node->target)
		p->inode.size = (int64_t)strlen(node->target);
	return &p->inode;
}
