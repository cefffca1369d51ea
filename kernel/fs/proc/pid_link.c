/* SPDX-License-Identifier: MIT */
/* pid_link.c - exe, cwd, root, and the namespaces and network tables of a process. The
 * files behind the namespaces are nsfs.c's. */
#include "abi/dirent.h"
#include "abi/errno.h"
#include "abi/sched.h"
#include "abi/stat.h"
#include "fs/context.h"
#include "fs/dentry.h"
#include "fs/file.h"
#include "fs/proc/internal.h"
#include "fs/proc/pseudo.h"
#include "lib/string.h"
#include "mm/mm.h"
#include "process/namespace.h"

int pid_place_exe(struct task *t, const struct pid_inode *i, struct path *out)
{
	struct mm *mm = task_mm(t);
	struct vm_object *exe = mm ? mm_exe_get(mm) : NULL;

	(void)i;
	if (exe) {
		*out = file_of_object(exe)->path;
		path_get(out);
		exe->ops->put(exe);
	}
	mm_put(mm);
	return exe ? 0 : -ENOENT;
}

static int fs_place(struct task *t, struct path *out,
		    void (*get)(struct fs_context *fs, struct path *out))
{
	struct fs_context *fs = task_fs(t);

	if (!fs)
		return -ENOENT;
	get(fs, out);
	fs_context_put(fs);
	return 0;
}

int pid_place_cwd(struct task *t, const struct pid_inode *i, struct path *out)
{
	(void)i;
	return fs_place(t, out, fs_context_cwd);
}

int pid_place_root(struct task *t, const struct pid_inode *i, struct path *out)
{
	(void)i;
	return fs_place(t, out, fs_context_root);
}

/* ---- ns ---- */

static int ns_place(struct task *t, const struct pid_inode *i, struct path *out);
static long ns_text(struct task *t, const struct pid_inode *i, char *buf, size_t size);

#define NS_ENTRY(name)                                                                   \
	{                                                                                \
		name, S_IFLNK | 0777, PID_BOTH, .is_guarded = true, .place = ns_place,   \
						.text = ns_text                          \
	}
static const struct pid_entry namespaces[] = {
	NS_ENTRY("cgroup"), NS_ENTRY("ipc"),
	NS_ENTRY("mnt"),    NS_ENTRY("net"),
	NS_ENTRY("pid"),    NS_ENTRY("pid_for_children"),
	NS_ENTRY("time"),   NS_ENTRY("time_for_children"),
	NS_ENTRY("user"),   NS_ENTRY("uts"),
};
/* In the same order. */
static const struct {
	uint32_t kind;
	bool of_children;
} kinds[] = {
	{CLONE_NEWCGROUP, false}, {CLONE_NEWIPC, false}, {CLONE_NEWNS, false},
	{CLONE_NEWNET, false},	  {CLONE_NEWPID, false}, {CLONE_NEWPID, true},
	{CLONE_NEWTIME, false},	  {CLONE_NEWTIME, true}, {CLONE_NEWUSER, false},
	{CLONE_NEWUTS, false},
};

/* The namespace that an entry is of: a reference, or NULL. */
static struct namespace *ns_of(struct task *t, const struct pid_inode *i)
{
	size_t k = (size_t)(i->entry - namespaces);

	return task_namespace(t, kinds[k].kind, kinds[k].of_children);
}

static int ns_place(struct task *t, const struct pid_inode *i, struct path *out)
{
	struct namespace *ns = ns_of(t, i);
	int err = ns ? nsfs_place(ns, out) : -ENOENT;

	namespace_put(ns);
	return err;
}

static long ns_text(struct task *t, const struct pid_inode *i, char *buf, size_t size)
{
	struct namespace *ns = ns_of(t, i);
	char text[64];
	size_t len;

	if (!ns)
		return -ENOENT;
	len = MIN(nsfs_print(ns, text, sizeof(text)), size);
	namespace_put(ns);
	memcpy(buf, text, len);
	return (long)len;
}

static int ns_lookup(struct pid_inode *dir, struct task *t, struct dentry *d,
		     struct inode **out)
{
	for (size_t k = 0; k < ARRAY_SIZE(namespaces); k++) {
		if (!string_equal(namespaces[k].name, d->name))
			continue;
		*out = pid_inode_create(dir->inode.sb, t, dir->is_thread, &namespaces[k],
					-1);
		return *out ? 0 : -ENOMEM;
	}
	return -ENOENT;
}

static int ns_iterate(struct pid_inode *dir, struct task *t, struct file *f,
		      struct dir_context *ctx)
{
	(void)t;
	if (!dir_emit_dots(f, ctx))
		return 0;
	while ((size_t)ctx->pos - 2 < ARRAY_SIZE(namespaces)) {
		const struct pid_entry *e = &namespaces[ctx->pos - 2];

		if (!dir_emit(ctx, e->name, strlen(e->name),
			      pid_ino(dir->tid, dir->is_thread, e, -1), DT_LNK,
			      ctx->pos + 1))
			break;
	}
	return 0;
}

const struct pid_dir pid_ns_dir = {ns_lookup, ns_iterate, NULL};

/* ---- net ---- */

static int net_lookup(struct pid_inode *dir, struct task *t, struct dentry *d,
		      struct inode **out)
{
	struct pseudo_node *node = pseudo_find(&proc_net, d->name, d->name_len);

	(void)t;
	if (!node)
		return -ENOENT;
	*out = pseudo_inode_create(dir->inode.sb, node);
	return *out ? 0 : -ENOMEM;
}

static int net_iterate(struct pid_inode *dir, struct task *t, struct file *f,
		       struct dir_context *ctx)
{
	(void)dir;
	(void)t;
	if (dir_emit_dots(f, ctx))
		(void)pseudo_emit(&proc_net, ctx);
	return 0;
}

const struct pid_dir pid_net_dir = {net_lookup, net_iterate, NULL};
