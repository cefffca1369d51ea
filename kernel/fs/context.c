/* SPDX-License-Identifier: MIT */
/* context.c - root, working directory and umask.
 *
 * The lock is needed also by a task that has its context alone: pivot_root(2) changes
 * everybody's. */
#include "fs/context.h"

#include "abi/errno.h"
#include "base/slab.h"
#include "fs/mount.h"
#include "lib/atomic.h"
#include "process/task.h"

static SLAB_CACHE(context_slab, "fs_cache", sizeof(struct fs_context), 8);

static struct fs_context *create(const struct path *root, const struct path *cwd,
				 uint32_t umask)
{
	struct fs_context *fs = slab_alloc(&context_slab);

	if (!fs)
		return NULL;
	ref_init(&fs->refs);
	lock_init(&fs->lock, RANK_FSCONTEXT);
	fs->root = *root;
	fs->cwd = *cwd;
	fs->umask = umask;
	fs->users = 1;
	return fs;
}

struct fs_context *fs_context_create(void)
{
	struct path root;
	struct fs_context *fs;

	mount_root_path(&root);
	fs = create(&root, &root, 022);
	if (fs)
		path_get(&root); /* the second one */
	else
		path_put(&root);
	return fs;
}

struct fs_context *fs_context_copy(struct fs_context *fs)
{
	struct path root;
	struct path cwd;
	struct fs_context *copy;

	lock_take(&fs->lock);
	root = fs->root;
	cwd = fs->cwd;
	path_get(&root);
	path_get(&cwd);
	lock_drop(&fs->lock);
	copy = create(&root, &cwd, atomic_load_relaxed(&fs->umask));
	if (!copy) {
		path_put(&root);
		path_put(&cwd);
	}
	return copy;
}

void fs_context_get(struct fs_context *fs)
{
	ref_get(&fs->refs);
}

void fs_context_put(struct fs_context *fs)
{
	if (!fs || !ref_put(&fs->refs))
		return;
	path_put(&fs->root);
	path_put(&fs->cwd);
	slab_free(&context_slab, fs);
}

void fs_context_join(struct fs_context *fs)
{
	atomic_add(&fs->users, 1);
	ref_get(&fs->refs);
}

void fs_context_leave(struct fs_context *fs)
{
	if (!fs)
		return;
	atomic_sub(&fs->users, 1);
	fs_context_put(fs);
}

static void read_path(struct fs_context *fs, struct path *p, struct path *out)
{
	lock_take(&fs->lock);
	*out = *p;
	path_get(out);
	lock_drop(&fs->lock);
}

void fs_context_root(struct fs_context *fs, struct path *out)
{
	read_path(fs, &fs->root, out);
}

void fs_context_cwd(struct fs_context *fs, struct path *out)
{
	read_path(fs, &fs->cwd, out);
}

static void write_path(struct fs_context *fs, struct path *p, const struct path *value)
{
	struct path old;

	lock_take(&fs->lock);
	old = *p;
	*p = *value;
	lock_drop(&fs->lock);
	path_put(&old);
}

bool fs_context_is_chrooted(struct fs_context *fs)
{
	struct path top;
	struct path own;
	bool is_same;

	mount_root_path(&top);
	fs_context_root(fs, &own);
	is_same = own.mount == top.mount && own.dentry == top.dentry;
	path_put(&own);
	path_put(&top);
	return !is_same;
}

void fs_context_set_root(struct fs_context *fs, const struct path *p)
{
	write_path(fs, &fs->root, p);
}

void fs_context_set_cwd(struct fs_context *fs, const struct path *p)
{
	write_path(fs, &fs->cwd, p);
}

static void context_move(struct fs_context *fs, const struct path *from,
			 const struct path *to)
{
	int moved = 0;

	lock_take(&fs->lock);
	if (path_equal(&fs->root, from)) {
		path_get(to);
		fs->root = *to;
		moved++;
	}
	if (path_equal(&fs->cwd, from)) {
		path_get(to);
		fs->cwd = *to;
		moved++;
	}
	lock_drop(&fs->lock);
	while (moved--)
		path_put(from); /* the context's; the caller has others */
}

/* The context of the n-th task of p: a reference, or NULL. *more: there are others. */
static struct fs_context *nth_context(struct process *p, size_t n, bool *more)
{
	struct fs_context *fs = NULL;
	struct list *pos;

	*more = false;
	lock_take(&p->lock);
	list_for_each (pos, &p->tasks) {
		if (n--)
			continue;
		*more = true;
		fs = list_entry(pos, struct task, thread_link)->fs;
		if (fs)
			fs_context_get(fs);
		break;
	}
	lock_drop(&p->lock);
	return fs;
}

static void process_move(struct process *p, const struct path *from,
			 const struct path *to)
{
	bool more = true;

	for (size_t n = 0; more; n++) {
		struct fs_context *fs = nth_context(p, n, &more);

		if (fs)
			context_move(fs, from, to);
		fs_context_put(fs);
	}
}

void fs_contexts_move(const struct path *from, const struct path *to)
{
	pid_t pid = 0;

	for (;;) {
		struct process *p;

		lock_take(&process_tree_lock);
		p = process_next(pid);
		if (p)
			process_get(p);
		lock_drop(&process_tree_lock);
		if (!p)
			return;
		process_move(p, from, to);
		pid = p->pid + 1;
		process_put(p);
	}
}

int fs_context_unshare(struct task *t)
{
	struct fs_context *old = t->fs;
	struct fs_context *copy;

	if (ref_count(&old->refs) == 1)
		return 0;
	copy = fs_context_copy(old);
	if (!copy)
		return -ENOMEM;
	lock_take(&t->process->lock); /* others look at it */
	t->fs = copy;
	lock_drop(&t->process->lock);
	fs_context_leave(old);
	return 0;
}
