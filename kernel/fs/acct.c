/* SPDX-License-Identifier: MIT */
/* acct.c - process accounting.
 *
 * One file for the sandbox. Whoever writes a record holds a reference to it for so long;
 * records are appended, each in one write. While the file system is nearly full, none
 * are written (kernel.acct: less than 2 % free, until there are 4 % again). */
#include "fs/acct.h"

#include "abi/acct.h"
#include "abi/capability.h"
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/resource.h"
#include "abi/stat.h"
#include "abi/statfs.h"
#include "abi/syscall.h"
#include "fs/dev/tty.h"
#include "fs/file.h"
#include "fs/path.h"
#include "fs/vfs.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "process/creds.h"
#include "process/session.h"
#include "process/task.h"
#include "time/clock.h"

#define SUSPEND_PERCENT 2
#define RESUME_PERCENT	4
#define LOOK_INTERVAL	(30 * NSEC_PER_SEC)

static struct lock acct_lock = LOCK_INIT(RANK_OBJECT);
static struct file *acct_file; /* acct_lock: ref, or NULL: off */
static bool is_full;	       /* acct_lock */
static nsec_t looked_at;       /* acct_lock: CLOCK_MONOTONIC */

/* ---- numbers as acct(5) has them ---- */

/* As many bits as there is room for, rounded. */
static uint16_t compress(uint64_t value)
{
	unsigned exponent = 0;
	bool up = false;

	while (value > 0x1fff) {
		up = value & 4;
		value >>= 3;
		exponent++;
	}
	if (up && ++value > 0x1fff) {
		value >>= 3;
		exponent++;
	}
	return exponent > 7 ? UINT16_MAX : (uint16_t)(exponent << 13 | value);
}

/* An integer as the bits of a float. */
static uint32_t as_float(uint64_t value)
{
	unsigned top;

	if (!value)
		return 0;
	top = 63 - (unsigned)__builtin_clzll(value);
	value = top > 23 ? value >> (top - 23) : value << (23 - top);
	return (127 + top) << 23 | ((uint32_t)value & 0x7fffff);
}

static uint64_t ticks(nsec_t t)
{
	return (uint64_t)MAX(t, 0) / (NSEC_PER_SEC / ACCT_HZ);
}

/* ---- the record ---- */

static uint16_t tty_of(struct process *p)
{
	uint64_t dev = 0;

	lock_take(&process_tree_lock);
	if (p->pgroup && p->pgroup->session->tty)
		dev = p->pgroup->session->tty->dev;
	lock_drop(&process_tree_lock);
	return (uint16_t)((dev >> 8 & 0xff) << 8 | (dev & 0xff));
}

static pid_t parent_of(const struct process *p)
{
	pid_t pid;

	lock_take(&process_tree_lock);
	pid = p->parent ? p->parent->pid : 0;
	lock_drop(&process_tree_lock);
	return pid;
}

static uint8_t flags_of(const struct process *p)
{
	uint8_t flags = 0;

	if (!p->did_exec)
		flags |= ACCT_FORK;
	if (atomic_load_relaxed(&p->used_privilege))
		flags |= ACCT_ROOT;
	if (p->group_exit_code & 0x80)
		flags |= ACCT_CORE;
	if (p->group_exit_code & 0x7f)
		flags |= ACCT_SIG;
	return flags;
}

/* Of one that goes on: of whom it is, and nothing that it has used. */
static void fill(struct linux_acct_v3 *a, struct process *p, bool has_ended)
{
	nsec_t lived = clock_now(CLOCK_MONOTONIC) - p->start_time;
	nsec_t start = clock_now(CLOCK_REALTIME) - lived;
	const struct task *t = p->leader;

	*a = (struct linux_acct_v3){
		.version = ACCT_VERSION,
		.tty = tty_of(p),
		.pid = (uint32_t)p->pid,
		.ppid = (uint32_t)parent_of(p),
		.start = (uint32_t)MIN(MAX(start / NSEC_PER_SEC, 0), (nsec_t)UINT32_MAX),
		.elapsed = as_float(ticks(lived)),
	};
	if (has_ended) {
		a->flag = flags_of(p);
		a->exit_code = (uint32_t)p->group_exit_code;
		a->user = compress(ticks(p->user_time));
		a->system = compress(ticks(p->system_time));
		a->memory = compress(p->exit_pages * (PAGE_SIZE / 1024));
		a->min_faults = compress(p->min_faults);
		a->maj_faults = compress(p->maj_faults);
	}
	a->uid = t->creds->uid;
	a->gid = t->creds->gid;
	memcpy(a->comm, t->comm, sizeof(a->comm));
}

/* ---- the file ---- */

/* Looks now and then whether there is room where f, a reference to the file, lies. */
static bool has_room(struct file *f)
{
	nsec_t now = clock_now(CLOCK_MONOTONIC);
	struct linux_statfs st;
	bool is_due;
	bool ok;

	lock_take(&acct_lock);
	is_due = !looked_at || now - looked_at >= LOOK_INTERVAL;
	if (is_due)
		looked_at = now;
	ok = !is_full;
	lock_drop(&acct_lock);
	/* It may be the host that is asked. */
	if (!is_due || sb_statfs(f->inode->sb, &st) || !st.f_blocks)
		return ok;
	lock_take(&acct_lock);
	ok = st.f_bavail > st.f_blocks * SUSPEND_PERCENT / 100;
	if (is_full)
		ok = st.f_bavail >= st.f_blocks * RESUME_PERCENT / 100;
	if (acct_file == f)
		is_full = !ok;
	lock_drop(&acct_lock);
	return ok;
}

static struct file *file_to_write(void)
{
	struct file *f;

	lock_take(&acct_lock);
	f = acct_file;
	if (f)
		file_get(f);
	lock_drop(&acct_lock);
	if (f && !has_room(f)) {
		file_put(f);
		f = NULL;
	}
	return f;
}

void acct_process(struct process *p)
{
	struct linux_acct_v3 record;
	struct file *f;

	if (likely(!atomic_load_relaxed(&acct_file)))
		return;
	f = file_to_write();
	if (!f)
		return;
	fill(&record, p, true);
	/* The file is not p's. */
	lock_take(&p->lock);
	p->rlimits[RLIMIT_FSIZE].rlim_cur = RLIM_INFINITY;
	lock_drop(&p->lock);
	(void)!file_write_kernel(f, &record, sizeof(record), -1);
	file_put(f);
}

/* Who turns accounting off, or elsewhere, is the last in the file that was. */
static void replace(struct file *f, bool with_record)
{
	struct linux_acct_v3 record;
	struct file *old;

	lock_take(&acct_lock);
	old = acct_file;
	atomic_store(&acct_file, f);
	is_full = false;
	looked_at = 0;
	lock_drop(&acct_lock);
	if (!old)
		return;
	if (with_record) {
		fill(&record, current()->process, false);
		(void)!file_write_kernel(old, &record, sizeof(record), -1);
	}
	file_put(old);
}

void acct_end(void)
{
	replace(NULL, false);
}

static int start(uaddr_t path)
{
	struct path_name n;
	struct file *f;
	int err = path_name_get(&n, path, false);

	if (err)
		return err;
	err = file_open_at(AT_FDCWD, n.str, O_WRONLY | O_APPEND | O_LARGEFILE, 0, 0, &f);
	path_name_put(&n);
	if (err)
		return err;
	if (!S_ISREG(f->inode->mode)) {
		file_put(f);
		return -EACCES;
	}
	if (f->inode->sb->magic == PROC_SUPER_MAGIC ||
	    f->inode->sb->magic == SYSFS_MAGIC) {
		file_put(f);
		return -EINVAL;
	}
	replace(f, true);
	return 0;
}

long sys_acct(struct task *t, uaddr_t path)
{
	(void)t;
	if (!capable(CAP_SYS_PACCT))
		return -EPERM;
	if (path)
		return start(path);
	replace(NULL, true);
	return 0;
}
