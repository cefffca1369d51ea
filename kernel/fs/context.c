/* SPDX-License-Identifier: MIT */
/* context.c - root, working directory and umask. */
#include "fs/context.h"

#include "abi/errno.h"
#include "base/slab.h"
#include "fs/mount.h"
#include "lib/atomic.h"
#include "process/task.h"

static SLAB_CACHE(context_slab, sizeof(struct fs_context), 8);

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

static void read_path(struct fs_context *fs, struct path *p, struct path *out)
{
	/* Only this task could change them: no lock. */
	if (fs == current()->fs && ref_count(&fs->refs) == 1) {
		*out = *p;
		path_get(out);
		return;
	}
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

void fs_context_set_root(struct fs_context *fs, const struct path *p)
{
	write_path(fs, &fs->root, p);
}

void fs_context_set_cwd(struct fs_context *fs, const struct path *p)
{
	write_path(fs, &fs->cwd, p);
}

int fs_context_unshare(struct task *t)
{
	struct fs_context *copy;

	if (ref_count(&t->fs->refs) == 1)
		return 0;
	copy = fs_context_copy(t->fs);
	if (!copy)
		return -ENOMEM;
	fs_context_put(t->fs);
	t->fs = copy;
	return 0;
}
