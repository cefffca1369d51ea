/* SPDX-License-Identifier: MIT */
/* super.c - the root of procfs: what is not about a process, then a directory for each
 * process. */
#include "abi/dirent.h"
#include "abi/errno.h"
#include "abi/stat.h"
#include "abi/statfs.h"
#include "base/page.h"
#include "base/slab.h"
#include "fs/dentry.h"
#include "fs/file.h"
#include "fs/proc/access.h"
#include "fs/proc/internal.h"
#include "fs/proc/proc.h"
#include "fs/proc/pseudo.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "process/task.h"

enum { PIDS_AT = 1024 }; /* position of pid 0 in the root directory */

struct pseudo_node proc_root;
static SLAB_CACHE(proc_root_slab, "proc_root_cache", sizeof(struct inode), 8);

/* ---- self and thread-self, which depend on who reads them ---- */

static int self_get_link(struct inode *inode, struct link_target *out)
{
	out->page = page_alloc(0);
	if (!out->page)
		return -ENOMEM;
	if (inode->private)
		(void)scnprintf(out->page, PAGE_SIZE, "%d/task/%d",
				current()->process->pid, current()->tid);
	else
		(void)scnprintf(out->page, PAGE_SIZE, "%d", current()->process->pid);
	out->text = out->page;
	return 0;
}

static void root_release(struct inode *inode)
{
	inode_fini(inode);
	slab_free(&proc_root_slab, inode);
}

static const struct inode_ops self_ops = {
	.get_link = self_get_link,
	.release = root_release,
};

static struct inode *self_create(struct superblock *sb, bool is_thread)
{
	struct inode *inode = slab_alloc(&proc_root_slab);

	if (!inode)
		return NULL;
	inode_init(inode, sb, &self_ops, is_thread ? 3 : 2, S_IFLNK | 0777);
	inode->private = is_thread ? inode : NULL;
	return inode;
}

/* ---- lookup ---- */

/* A process' or thread's id, without leading zeros. */
static bool parse_id(const char *name, pid_t *out)
{
	uint32_t id;

	if (name[0] < '1' || name[0] > '9' || !parse_u32(name, &id) || id > INT32_MAX)
		return false;
	*out = (pid_t)id;
	return true;
}

static bool only_pids(const struct superblock *sb)
{
	return ((const struct proc_options *)sb->private)->only_pids;
}

/* With hidepid=ptraceable others are not there at all; else their names lead to them. */
static bool is_found(const struct superblock *sb, struct task *t)
{
	const struct proc_options *o = sb->private;

	return o->hidepid != HIDEPID_PTRACEABLE || pid_may_access(t) == 0;
}

static int root_lookup(struct inode *dir, struct dentry *d, struct inode **out)
{
	struct pseudo_node *node = pseudo_find(&proc_root, d->name, d->name_len);
	struct task *t;
	pid_t id;

	if (node && !only_pids(dir->sb)) {
		*out = pseudo_inode_create(dir->sb, node);
	} else if (string_equal(d->name, "self") ||
		   string_equal(d->name, "thread-self")) {
		*out = self_create(dir->sb, d->name[0] == 't');
	} else {
		t = parse_id(d->name, &id) ? task_lookup(id) : NULL;
		if (!t || !is_found(dir->sb, t)) {
			task_put(t);
			return -ENOENT;
		}
		*out = pid_inode_create(dir->sb, t, false, &pid_process_dir, -1);
		task_put(t);
	}
	return *out ? 0 : -ENOMEM;
}

/* A cached id must still mean the same task. */
static bool root_revalidate(struct inode *dir, const char *path, struct dentry *d)
{
	struct task *t;
	bool is_there;

	(void)path;
	if (!d->inode || d->name[0] < '1' || d->name[0] > '9')
		return true;
	t = pid_task(pid_inode_of(d->inode));
	is_there = t && is_found(dir->sb, t);
	task_put(t);
	return is_there;
}

/* ---- listing ---- */

static bool is_listed(const struct superblock *sb, pid_t pid)
{
	struct task *t = task_lookup(pid);
	bool ok = t && proc_may_see(sb, t, HIDEPID_INVISIBLE);

	task_put(t);
	return ok;
}

static bool emit_pids(const struct superblock *sb, struct dir_context *ctx)
{
	char name[16];

	for (;;) {
		struct process *p;
		pid_t pid = 0;
		size_t len;

		lock_take(&process_tree_lock);
		p = process_next((pid_t)(ctx->pos - PIDS_AT));
		if (p)
			pid = p->pid;
		lock_drop(&process_tree_lock);
		if (!pid)
			return true;
		if (!is_listed(sb, pid)) {
			ctx->pos = PIDS_AT + pid + 1;
			continue;
		}
		len = scnprintf(name, sizeof(name), "%d", pid);
		if (!dir_emit(ctx, name, len, pid_ino(pid, false, &pid_process_dir, -1),
			      DT_DIR, PIDS_AT + pid + 1))
			return false;
	}
}

static int root_iterate(struct file *f, struct dir_context *ctx)
{
	int64_t end = pseudo_end(&proc_root);

	if (!dir_emit_dots(f, ctx))
		return 0;
	if (only_pids(f->inode->sb) && ctx->pos < end)
		ctx->pos = end;
	if (ctx->pos < end && !pseudo_emit(&proc_root, ctx))
		return 0;
	if (ctx->pos == end && !dir_emit(ctx, "self", 4, 2, DT_LNK, end + 1))
		return 0;
	if (ctx->pos == end + 1 && !dir_emit(ctx, "thread-self", 11, 3, DT_LNK, PIDS_AT))
		return 0;
	if (ctx->pos < PIDS_AT)
		ctx->pos = PIDS_AT;
	(void)emit_pids(f->inode->sb, ctx);
	return 0;
}

static const struct inode_ops root_ops = {
	.lookup = root_lookup,
	.revalidate = root_revalidate,
	.release = root_release,
};

static const struct file_ops root_fops = {
	.iterate = root_iterate,
};

/* ---- the type ---- */

static int proc_statfs(struct superblock *sb, struct linux_statfs *out)
{
	(void)sb;
	(void)out;
	return 0;
}

static void proc_sb_release(struct superblock *sb)
{
	kfree(sb->private);
}

static const struct sb_ops proc_sb_ops = {
	.statfs = proc_statfs,
	.show_options = proc_show_options,
	.remount = proc_remount,
	.release = proc_sb_release,
};

static int proc_mount(const char *source, const char *options, void *data,
		      struct superblock **out);

static struct file_system_type proc_type = {
	.name = "proc",
	.flags = FS_NODEV | FS_USERNS | FS_NO_GUARDS,
	.takes = proc_takes,
	.mount = proc_mount,
};

static int proc_mount(const char *source, const char *options, void *data,
		      struct superblock **out)
{
	struct proc_options *o = kmalloc_zeroed(sizeof(*o));
	struct superblock *sb;
	struct inode *root;
	int err = o ? proc_options_parse(o, options) : -ENOMEM;

	(void)source;
	(void)data;
	sb = err ? NULL : sb_create(&proc_type, &proc_sb_ops, PROC_SUPER_MAGIC, o);
	if (!sb) {
		kfree(o);
		return err ? err : -ENOMEM;
	}
	sb->flags |= SB_NO_NEGATIVE | SB_NOEXEC | SB_NODEV;
	sb->stack_depth = FS_STACK_MAX; /* nothing is laid over it */
	root = slab_alloc(&proc_root_slab);
	if (!root) {
		sb_put(sb);
		return -ENOMEM;
	}
	inode_init(root, sb, &root_ops, 1, S_IFDIR | 0555);
	root->fops = &root_fops;
	root->nlink = 2;
	err = sb_set_root(sb, root);
	if (err) {
		sb_put(sb);
		return err;
	}
	*out = sb;
	return 0;
}

static void root_fill(void)
{
	proc_add_system();
	proc_add_config();
	proc_add_kmsg();
	proc_add_sysctl();
}

void proc_init(void)
{
	pseudo_root_init(&proc_root);
	pseudo_fill_later(&proc_root, root_fill);
	pseudo_root_init(&proc_net);
	pseudo_fill_later(&proc_net, proc_add_net);
	nsfs_init();
	fs_register(&proc_type);
}
