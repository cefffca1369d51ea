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
#include "fs/proc/internal.h"
#include "fs/proc/proc.h"
#include "fs/proc/pseudo.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "process/task.h"

enum { PIDS_AT = 1024 }; /* position of pid 0 in the root directory */

struct pseudo_node proc_root;
static SLAB_CACHE(proc_root_slab, sizeof(struct inode), 8);

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

static int root_lookup(struct inode *dir, struct dentry *d, struct inode **out)
{
	struct pseudo_node *node = pseudo_find(&proc_root, d->name, d->name_len);
	struct task *t;
	pid_t id;

	if (node) {
		*out = pseudo_inode_create(dir->sb, node);
	} else if (string_equal(d->name, "self") ||
		   string_equal(d->name, "thread-self")) {
		*out = self_create(dir->sb, d->name[0] == 't');
	} else {
		t = parse_id(d->name, &id) ? task_lookup(id) : NULL;
		if (!t)
			return -ENOENT;
		*out = pid_inode_create(dir->sb, t, false, &pid_process_dir, -1);
		task_put(t);
	}
	return *out ? 0 : -ENOMEM;
}

/* A cached id must still mean the same task. */
static bool root_revalidate(struct inode *dir, const char *path, struct dentry *d)
{
	struct task *t;

	(void)dir, (void)path;
	if (!d->inode || d->name[0] < '1' || d->name[0] > '9')
		return true;
	t = pid_task(pid_inode_of(d->inode));
	task_put(t);
	return t != NULL;
}

/* ---- listing ---- */

static bool emit_pids(struct dir_context *ctx)
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
	if (ctx->pos < end && !pseudo_emit(&proc_root, ctx))
		return 0;
	if (ctx->pos == end && !dir_emit(ctx, "self", 4, 2, DT_LNK, end + 1))
		return 0;
	if (ctx->pos == end + 1 && !dir_emit(ctx, "thread-self", 11, 3, DT_LNK, PIDS_AT))
		return 0;
	if (ctx->pos < PIDS_AT)
		ctx->pos = PIDS_AT;
	(void)emit_pids(ctx);
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

static const struct sb_ops proc_sb_ops = {
	.statfs = proc_statfs,
};

static int proc_takes(const char *key, const char *value)
{
	static const char *const hiding[] = {
		"0", "1", "2", "4", "off", "noaccess", "invisible", "ptraceable"};
	uint32_t gid;

	if (!value)
		return string_equal(key, "hidepid") || string_equal(key, "gid") ||
				       string_equal(key, "subset")
			       ? -EINVAL
			       : -ENOENT;
	if (string_equal(key, "gid"))
		return parse_u32(value, &gid) ? 0 : -EINVAL;
	if (string_equal(key, "subset"))
		return string_equal(value, "pid") ? 0 : -EINVAL;
	if (!string_equal(key, "hidepid"))
		return -ENOENT;
	for (size_t i = 0; i < ARRAY_SIZE(hiding); i++)
		if (string_equal(hiding[i], value))
			return 0;
	return -EINVAL;
}

/* They are checked; all is shown to all. */
static int options_check(const char *text)
{
	char one[64];
	int err = 0;

	while (*text && !err) {
		size_t len = 0;
		char *value;

		while (text[len] && text[len] != ',')
			len++;
		if (len >= sizeof(one))
			return -EINVAL;
		memcpy(one, text, len);
		one[len] = '\0';
		value = strchr(one, '=');
		if (value)
			*value++ = '\0';
		err = *one ? proc_takes(one, value) : 0;
		text += len + (text[len] != '\0');
	}
	return err ? -EINVAL : 0;
}

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
	struct superblock *sb;
	struct inode *root;
	int err = options_check(options);

	(void)source;
	(void)data;
	if (err)
		return err;
	sb = sb_create(&proc_type, &proc_sb_ops, PROC_SUPER_MAGIC, NULL);
	if (!sb)
		return -ENOMEM;
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
