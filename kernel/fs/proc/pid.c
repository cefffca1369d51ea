/* SPDX-License-Identifier: MIT */
/* pid.c - /proc/PID and /proc/PID/task/TID: their entries and inodes.
 *
 * An inode does not hold its task: it knows the id and when the task started, and looks
 * it up each time. Names below a process' directory are not cached, as owners,
 * descriptors and threads change. */
#include "abi/capability.h"
#include "abi/dirent.h"
#include "abi/errno.h"
#include "abi/stat.h"
#include "base/page.h"
#include "base/slab.h"
#include "fs/dentry.h"
#include "fs/file.h"
#include "fs/proc/generated.h"
#include "fs/proc/internal.h"
#include "fs/proc/proc.h"
#include "lib/string.h"
#include "process/creds.h"
#include "process/identity.h"
#include "process/task.h"
#include "process/user_ns.h"

#define FILE_MODE(m) (S_IFREG | (m))
#define DIR_MODE(m)  (S_IFDIR | (m))
#define LINK_MODE    (S_IFLNK | 0777)

static SLAB_CACHE(pid_inode_slab, "proc_pid_inode_cache", sizeof(struct pid_inode), 8);

/* Of security modules, of which there is none. */
static const struct pid_entry attrs[] = {
	{"current", FILE_MODE(0666), PID_BOTH, .show = pid_show_attr,
	 .store = pid_store_attr, .takes_offsets = true},
	{"exec", FILE_MODE(0666), PID_BOTH, .show = pid_show_attr,
	 .store = pid_store_attr, .takes_offsets = true},
	{"fscreate", FILE_MODE(0666), PID_BOTH, .show = pid_show_attr,
	 .store = pid_store_attr, .takes_offsets = true},
	{"keycreate", FILE_MODE(0666), PID_BOTH, .show = pid_show_attr,
	 .store = pid_store_attr, .takes_offsets = true},
	{"prev", FILE_MODE(0444), PID_BOTH, .show = pid_show_attr},
	{"sockcreate", FILE_MODE(0666), PID_BOTH, .show = pid_show_attr,
	 .store = pid_store_attr, .takes_offsets = true},
};
static const struct pid_dir pid_attr_dir;

static const struct pid_entry entries[] = {
	{"attr", DIR_MODE(0555), PID_BOTH, .dir = &pid_attr_dir},
	{"auxv", FILE_MODE(0400), PID_BOTH, .is_guarded = true, .is_of_mm = true,
	 .show = pid_show_auxv},
	{"cgroup", FILE_MODE(0444), PID_BOTH, .show = pid_show_fixed},
	{"children", FILE_MODE(0444), PID_THREAD, .show = pid_show_children},
	{"clear_refs", FILE_MODE(0200), PID_BOTH, .store = pid_store_clear_refs,
	 .takes_offsets = true},
	{"cmdline", FILE_MODE(0444), PID_BOTH, .show = pid_show_cmdline},
	{"comm", FILE_MODE(0644), PID_BOTH, .show = pid_show_comm,
	 .store = pid_store_comm},
	{"coredump_filter", FILE_MODE(0644), PID_PROCESS,
	 .show = pid_show_coredump_filter, .store = pid_store_coredump_filter,
	 .takes_offsets = true},
	{"cpuset", FILE_MODE(0444), PID_BOTH, .show = pid_show_fixed},
	{"cwd", LINK_MODE, PID_BOTH, .is_guarded = true, .place = pid_place_cwd},
	{"environ", FILE_MODE(0400), PID_BOTH, .is_guarded = true, .is_of_mm = true,
	 .show = pid_show_environ},
	{"exe", LINK_MODE, PID_BOTH, .is_guarded = true, .place = pid_place_exe},
	{"fd", DIR_MODE(0500), PID_BOTH, .dir = &pid_fd_dir},
	{"fdinfo", DIR_MODE(0555), PID_BOTH, .dir = &pid_fdinfo_dir},
	{"gid_map", FILE_MODE(0644), PID_BOTH, .open = pid_open_id_map,
	 .fops = &pid_id_map_ops},
	{"io", FILE_MODE(0400), PID_BOTH, .is_guarded = true, .show = pid_show_io},
	{"ksm_merging_pages", FILE_MODE(0400), PID_BOTH, .is_guarded = true,
	 .show = pid_show_fixed},
	{"ksm_stat", FILE_MODE(0400), PID_BOTH, .is_guarded = true,
	 .show = pid_show_fixed},
	{"limits", FILE_MODE(0444), PID_BOTH, .show = pid_show_limits},
	{"loginuid", FILE_MODE(0644), PID_BOTH, .show = pid_show_loginuid,
	 .store = pid_store_loginuid, .takes_offsets = true},
	{"map_files", DIR_MODE(0500), PID_PROCESS, .dir = &pid_map_files_dir},
	{"maps", FILE_MODE(0444), PID_BOTH, .is_guarded = true, .is_of_mm = true,
	 .show = pid_show_maps},
	{"mem", FILE_MODE(0600), PID_BOTH, .is_guarded = true, .fops = &pid_mem_ops,
	 .takes_offsets = true},
	{"mountinfo", FILE_MODE(0444), PID_BOTH, .show = pid_show_mountinfo,
	 .fops = &mounts_file_ops},
	{"mounts", FILE_MODE(0444), PID_BOTH, .show = pid_show_mounts,
	 .fops = &mounts_file_ops},
	{"mountstats", FILE_MODE(0400), PID_PROCESS, .is_guarded = true,
	 .show = pid_show_mountstats},
	{"net", DIR_MODE(0555), PID_BOTH, .dir = &pid_net_dir},
	{"ns", DIR_MODE(0511), PID_BOTH, .dir = &pid_ns_dir},
	{"numa_maps", FILE_MODE(0444), PID_BOTH, .is_guarded = true, .is_of_mm = true,
	 .show = pid_show_numa_maps},
	{"oom_adj", FILE_MODE(0644), PID_BOTH, .show = pid_show_oom_adj,
	 .store = pid_store_oom_adj, .takes_offsets = true},
	{"oom_score", FILE_MODE(0444), PID_BOTH, .show = pid_show_oom_score},
	{"oom_score_adj", FILE_MODE(0644), PID_BOTH, .show = pid_show_oom_score_adj,
	 .store = pid_store_oom_score_adj, .takes_offsets = true},
	{"pagemap", FILE_MODE(0400), PID_BOTH, .is_guarded = true,
	 .fops = &pid_pagemap_ops},
	{"personality", FILE_MODE(0400), PID_BOTH, .is_guarded = true,
	 .show = pid_show_personality},
	{"projid_map", FILE_MODE(0644), PID_BOTH, .open = pid_open_id_map,
	 .fops = &pid_id_map_ops},
	{"root", LINK_MODE, PID_BOTH, .is_guarded = true, .place = pid_place_root},
	{"sched", FILE_MODE(0644), PID_BOTH, .show = pid_show_sched,
	 .store = pid_store_sched},
	{"schedstat", FILE_MODE(0444), PID_BOTH, .show = pid_show_schedstat},
	{"sessionid", FILE_MODE(0444), PID_BOTH, .show = pid_show_sessionid},
	{"setgroups", FILE_MODE(0644), PID_BOTH, .open = pid_open_setgroups,
	 .fops = &pid_setgroups_ops},
	{"smaps", FILE_MODE(0444), PID_BOTH, .is_guarded = true, .is_of_mm = true,
	 .show = pid_show_smaps},
	{"smaps_rollup", FILE_MODE(0444), PID_BOTH, .is_guarded = true, .is_of_mm = true,
	 .show = pid_show_smaps_rollup},
	{"stack", FILE_MODE(0400), PID_BOTH, .is_guarded = true, .show = pid_show_stack},
	{"stat", FILE_MODE(0444), PID_BOTH, .show = pid_show_stat},
	{"statm", FILE_MODE(0444), PID_BOTH, .show = pid_show_statm},
	{"status", FILE_MODE(0444), PID_BOTH, .show = pid_show_status},
	{"syscall", FILE_MODE(0400), PID_BOTH, .is_guarded = true,
	 .show = pid_show_syscall},
	{"task", DIR_MODE(0555), PID_PROCESS, .dir = &pid_task_dir},
	{"timens_offsets", FILE_MODE(0644), PID_PROCESS, .show = pid_show_timens,
	 .fops = &pid_timens_ops},
	{"timers", FILE_MODE(0444), PID_PROCESS, .show = pid_show_timers},
	{"timerslack_ns", FILE_MODE(0666), PID_PROCESS, .show = pid_show_timerslack,
	 .store = pid_store_timerslack},
	{"uid_map", FILE_MODE(0644), PID_BOTH, .open = pid_open_id_map,
	 .fops = &pid_id_map_ops},
	{"wchan", FILE_MODE(0444), PID_BOTH, .show = pid_show_fixed},
};

/* ---- tasks ---- */

struct pid_inode *pid_inode_of(const struct inode *inode)
{
	return container_of(inode, struct pid_inode, inode);
}

struct task *pid_task(const struct pid_inode *i)
{
	struct task *t = task_lookup(i->tid);

	if (t && t->start_time != i->start) {
		task_put(t);
		t = NULL;
	}
	return t;
}

/* The root of the user namespace of t's program, if it has one. */
static void owner_set_root(struct pid_inode *i, struct process *p)
{
	lock_take(&p->lock);
	i->inode.uid = make_kuid(p->exec_user_ns, 0);
	i->inode.gid = make_kgid(p->exec_user_ns, 0);
	lock_drop(&p->lock);
	if (i->inode.uid == NO_ID)
		i->inode.uid = 0;
	if (i->inode.gid == NO_ID)
		i->inode.gid = 0;
}

/* The owner is the task's, or root when others shall not look into it; directories show
 * it always. */
static void owner_set(struct pid_inode *i, struct task *t)
{
	struct creds *c = task_creds(t);

	if (c &&
	    (t->process->dumpable == DUMPABLE_USER || i->inode.mode == DIR_MODE(0555))) {
		i->inode.uid = c->euid;
		i->inode.gid = c->egid;
	} else {
		owner_set_root(i, t->process);
	}
	creds_put(c);
}

/* ---- the directory ---- */

static bool is_here(const struct pid_entry *e, bool is_thread)
{
	return e->where & (is_thread ? PID_THREAD : PID_PROCESS);
}

static int table_lookup(struct pid_inode *dir, struct task *t, struct dentry *d,
			struct inode **out, const struct pid_entry *table, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!is_here(&table[i], dir->is_thread) ||
		    !string_equal(table[i].name, d->name))
			continue;
		*out = pid_inode_create(dir->inode.sb, t, dir->is_thread, &table[i], -1);
		return *out ? 0 : -ENOMEM;
	}
	return -ENOENT;
}

static int table_iterate(struct pid_inode *dir, struct file *f, struct dir_context *ctx,
			 const struct pid_entry *table, size_t count)
{
	if (!dir_emit_dots(f, ctx))
		return 0;
	while (ctx->pos >= 2 && (size_t)ctx->pos - 2 < count) {
		const struct pid_entry *e = &table[ctx->pos - 2];

		if (!is_here(e, dir->is_thread))
			ctx->pos++;
		else if (!dir_emit(ctx, e->name, strlen(e->name),
				   pid_ino(dir->tid, dir->is_thread, e, -1),
				   e->mode >> 12 & 15, ctx->pos + 1))
			break;
	}
	return 0;
}

static int base_lookup(struct pid_inode *dir, struct task *t, struct dentry *d,
		       struct inode **out)
{
	return table_lookup(dir, t, d, out, entries, ARRAY_SIZE(entries));
}

static int base_iterate(struct pid_inode *dir, struct task *t, struct file *f,
			struct dir_context *ctx)
{
	(void)t;
	return table_iterate(dir, f, ctx, entries, ARRAY_SIZE(entries));
}

static int attr_lookup(struct pid_inode *dir, struct task *t, struct dentry *d,
		       struct inode **out)
{
	return table_lookup(dir, t, d, out, attrs, ARRAY_SIZE(attrs));
}

static int attr_iterate(struct pid_inode *dir, struct task *t, struct file *f,
			struct dir_context *ctx)
{
	(void)t;
	return table_iterate(dir, f, ctx, attrs, ARRAY_SIZE(attrs));
}

static const struct pid_dir pid_attr_dir = {attr_lookup, attr_iterate, NULL};

/* A link for each directory, as everywhere. */
static void base_measure(const struct pid_inode *dir, struct task *t, struct kstat *out)
{
	(void)t;
	for (size_t i = 0; i < ARRAY_SIZE(entries); i++)
		out->nlink +=
			is_here(&entries[i], dir->is_thread) && S_ISDIR(entries[i].mode);
}

static const struct pid_dir base_dir = {base_lookup, base_iterate, base_measure};
const struct pid_entry pid_process_dir = {"", DIR_MODE(0555), PID_BOTH, .dir = &base_dir};
const struct pid_entry pid_thread_dir = {"", DIR_MODE(0555), PID_BOTH, .dir = &base_dir};

/* ---- inode operations ---- */

static int pid_lookup(struct inode *dir, struct dentry *d, struct inode **out)
{
	struct pid_inode *i = pid_inode_of(dir);
	struct task *t = pid_task(i);
	int err = -ENOENT;

	if (t && i->entry->dir->lookup)
		err = i->entry->dir->lookup(i, t, d, out);
	task_put(t);
	return err;
}

static int pid_iterate(struct file *f, struct dir_context *ctx)
{
	struct pid_inode *i = pid_inode_of(f->inode);
	struct task *t = pid_task(i);
	int err = t ? 0 : -ENOENT;

	if (t && i->entry->dir->iterate)
		err = i->entry->dir->iterate(i, t, f, ctx);
	else if (t)
		(void)dir_emit_dots(f, ctx);
	task_put(t);
	return err;
}

/* The right to look into the task, for entries that ask for it. */
static int guard(const struct pid_inode *i, struct task *t)
{
	if (!t)
		return -ESRCH;
	return i->entry->is_guarded ? pid_may_access(t) : 0;
}

static uint64_t mm_id_of(struct task *t)
{
	struct mm *mm = task_mm(t);
	uint64_t id = mm ? mm->id : 0;

	mm_put(mm);
	return id;
}

/* What has been made is looked at, and not what was there before: between the two an exec
 * may have come, also of a set-id program. It gives new credentials before new memory. */
static int pid_show(struct file *f, struct text *out)
{
	struct pid_inode *i = pid_inode_of(f->inode);
	struct task *t = pid_task(i);
	int err = t ? i->entry->show(out, t, i) : -ESRCH;

	if (!err && i->entry->is_of_mm && mm_id_of(t) != generated_about(f))
		out->len = out->next = 0; /* that memory is no more */
	else if (!err)
		err = guard(i, t);
	task_put(t);
	return err;
}

static int pid_store(struct file *f, char *data, size_t len)
{
	struct pid_inode *i = pid_inode_of(f->inode);
	struct task *t = pid_task(i);
	int err = t ? i->entry->store(t, i, data, len) : -ESRCH;

	task_put(t);
	return err;
}

static int pid_open(struct inode *inode, struct file *f)
{
	struct pid_inode *i = pid_inode_of(inode);
	struct task *t = pid_task(i);
	uint64_t mm = t && i->entry->is_of_mm ? mm_id_of(t) : 0;
	int err = guard(i, t);

	if (!err && i->entry->open)
		err = i->entry->open(f, t);
	task_put(t);
	if (!i->entry->takes_offsets)
		f->mode |= FMODE_NO_PWRITE;
	if (err || !S_ISREG(inode->mode) || (i->entry->fops && !i->entry->show))
		return err;
	err = generated_open(f, i->entry->show ? pid_show : NULL,
			     i->entry->store ? pid_store : NULL);
	if (!err)
		generated_set_about(f, mm);
	return err;
}

static int link_place(struct inode *inode, struct path *out)
{
	struct pid_inode *i = pid_inode_of(inode);
	struct task *t = pid_task(i);
	int err = t ? guard(i, t) : -ENOENT;

	if (!err)
		err = i->entry->place(t, i, out);
	if (!err) { /* see pid_show() */
		err = guard(i, t);
		if (err)
			path_put(out);
	}
	task_put(t);
	return err;
}

static long link_text(struct inode *inode, char *buf, size_t size)
{
	struct pid_inode *i = pid_inode_of(inode);
	struct task *t = pid_task(i);
	long len = t ? guard(i, t) : -ENOENT;

	if (!len)
		len = i->entry->text(t, i, buf, size);
	task_put(t);
	return len;
}

static int link_may_follow(struct inode *inode)
{
	struct pid_inode *i = pid_inode_of(inode);
	struct task *t;
	int err;

	if (!i->entry->may_follow)
		return 0;
	t = pid_task(i);
	err = t ? i->entry->may_follow(t, i) : -ENOENT;
	task_put(t);
	return err;
}

static int pid_get_link(struct inode *inode, struct link_target *out)
{
	int err;

	if (!pid_inode_of(inode)->entry->place)
		return -EACCES;
	err = link_may_follow(inode);
	if (!err)
		err = link_place(inode, out->path);
	out->is_path = !err;
	return err;
}

static long pid_readlink(struct inode *inode, char *buf, size_t size)
{
	struct path p;
	char *page;
	long len;

	if (pid_inode_of(inode)->entry->text)
		return link_text(inode, buf, size);
	len = link_place(inode, &p);
	if (len)
		return len;
	page = page_alloc(0);
	len = page ? path_print(&p, NULL, page, PAGE_SIZE) : -ENOMEM;
	path_put(&p);
	if (len > 0) {
		len = MIN(len, (long)size);
		memcpy(buf, page, (size_t)len);
	}
	if (page)
		page_free(page, 0);
	return len;
}

static int pid_permission(struct inode *inode, uint32_t mask)
{
	struct pid_inode *i = pid_inode_of(inode);
	struct task *t = pid_task(i);
	bool is_own;
	bool is_hidden;

	if (!t)
		return -ESRCH;
	owner_set(i, t);
	is_hidden = i->entry == &pid_process_dir &&
		    !proc_may_see(inode->sb, t, HIDEPID_NO_ACCESS);
	is_own = t->process == current()->process;
	task_put(t);
	if (is_hidden)
		return ((const struct proc_options *)inode->sb->private)->hidepid ==
				       HIDEPID_INVISIBLE
			       ? -ENOENT
			       : -EPERM;
	/* A process may always list its own descriptors, whatever its ids have become. */
	if (is_own && (i->entry->dir == &pid_fd_dir || i->entry->dir == &pid_fdinfo_dir))
		return 0;
	return inode_permission_generic(inode, mask);
}

static int pid_getattr(struct inode *inode, struct kstat *out)
{
	struct pid_inode *i = pid_inode_of(inode);
	struct task *t = pid_task(i);
	bool is_hidden;

	if (!t)
		return -ENOENT;
	is_hidden = !proc_may_see(inode->sb, t, HIDEPID_INVISIBLE);
	owner_set(i, t);
	inode_fill_stat(inode, out);
	if (i->entry->dir && i->entry->dir->measure)
		i->entry->dir->measure(i, t, out);
	task_put(t);
	return is_hidden ? -ENOENT : 0;
}

static int pid_setattr(struct inode *inode, struct attr *attr)
{
	(void)inode;
	return attr->valid & (ATTR_MODE | ATTR_UID | ATTR_GID) ? -EPERM : 0;
}

static void pid_release(struct inode *inode)
{
	inode_fini(inode);
	slab_free(&pid_inode_slab, pid_inode_of(inode));
}

static const struct inode_ops pid_inode_ops = {
	.lookup = pid_lookup,
	.open = pid_open,
	.permission = pid_permission,
	.getattr = pid_getattr,
	.setattr = pid_setattr,
	.release = pid_release,
};

int pid_dir_task(const struct file *f, struct task **out)
{
	const struct pid_inode *i = pid_inode_of(f->inode);

	if (f->inode->ops != &pid_inode_ops || i->entry != &pid_process_dir)
		return -EBADF;
	*out = pid_task(i);
	return *out ? 0 : -ESRCH;
}

static const struct inode_ops pid_link_ops = {
	.get_link = pid_get_link,
	.readlink = pid_readlink,
	.getattr = pid_getattr,
	.setattr = pid_setattr,
	.release = pid_release,
};

static const struct file_ops pid_dir_fops = {
	.iterate = pid_iterate,
};

/* ---- making ---- */

uint64_t pid_ino(pid_t tid, bool is_thread, const struct pid_entry *entry, int fd)
{
	uint64_t kind = 0;

	if (entry >= entries && entry < entries + ARRAY_SIZE(entries))
		kind = (uint64_t)(entry - entries) + 1;
	else if (entry >= attrs && entry < attrs + ARRAY_SIZE(attrs))
		kind = (uint64_t)(entry - attrs) + 100;
	else if (fd >= 0)
		kind = 200;
	return (uint64_t)tid << 32 | (uint64_t)(fd + 1) << 9 | kind << 1 | is_thread;
}

struct inode *pid_inode_create(struct superblock *sb, struct task *t, bool is_thread,
			       const struct pid_entry *entry, int fd)
{
	struct pid_inode *i = slab_alloc(&pid_inode_slab);
	bool is_link = S_ISLNK(entry->mode);

	if (!i)
		return NULL;
	inode_init(&i->inode, sb, is_link ? &pid_link_ops : &pid_inode_ops,
		   pid_ino(t->tid, is_thread, entry, fd), entry->mode);
	i->inode.fops = S_ISDIR(entry->mode)	       ? &pid_dir_fops
			: entry->fops		       ? entry->fops
			: entry->show == pid_show_maps ? &pid_maps_ops
						       : &generated_pid_ops;
	i->inode.flags = INODE_NO_DCACHE | (is_link ? INODE_MAGIC_LINK : 0);
	if (S_ISDIR(entry->mode)) {
		i->inode.nlink = 2;
		lock_init(&i->inode.dir_lock, RANK_PID_DIR);
	}
	if (entry == &pid_process_dir || entry == &pid_thread_dir)
		i->inode.flags |= INODE_IMMUTABLE;
	i->tid = t->tid;
	i->start = t->start_time;
	i->is_thread = is_thread;
	i->entry = entry;
	i->fd = fd;
	owner_set(i, t);
	return &i->inode;
}
