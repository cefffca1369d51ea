/* SPDX-License-Identifier: MIT */
/* taskstats.c - see taskstats.h.
 *
 * Zero, as not known: delays (they are off by default on Linux too) and how much memory
 * was had for how long. */
#include "fs/proc/taskstats.h"

#include "abi/acct.h"
#include "abi/resource.h"
#include "base/page.h"
#include "base/slab.h"
#include "fs/proc/access.h"
#include "fs/proc/internal.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "mm/mm.h"
#include "process/creds.h"
#include "process/identity.h"
#include "process/remote.h"
#include "process/task.h"
#include "process/user_ns.h"
#include "time/clock.h"

static uint64_t microseconds(nsec_t t)
{
	return (uint64_t)MAX(t, 0) / 1000;
}

/* ---- what adds up ---- */

static nsec_t time_of(const struct linux_timeval *t)
{
	return t->tv_sec * NSEC_PER_SEC + t->tv_usec * 1000;
}

/* A thread that has ended has left its figures to its process, which are not told. */
static void add_usage(struct linux_taskstats *s, struct task *t)
{
	struct linux_rusage now = {.ru_minflt = 0};
	nsec_t user;
	nsec_t system;

	(void)!remote_thread_usage(t, &now);
	user = t->past_user + time_of(&now.ru_utime);
	system = t->cpu_time_base - t->past_user + time_of(&now.ru_stime);
	s->cpu_run_real_total += (uint64_t)(user + system);
	s->cpu_run_virtual_total += (uint64_t)(user + system);
	s->cpu_scaled_run_real_total += (uint64_t)(user + system);
	s->ac_utime += microseconds(user);
	s->ac_stime += microseconds(system);
	s->ac_etime += microseconds(clock_now(CLOCK_MONOTONIC) - t->start_time);
	s->nvcsw += t->voluntary_switches + (uint64_t)now.ru_nvcsw;
	s->nivcsw += t->involuntary_switches + (uint64_t)now.ru_nivcsw;
	s->ac_minflt += t->past_min_faults + (uint64_t)now.ru_minflt;
	s->ac_majflt += t->past_maj_faults + (uint64_t)now.ru_majflt;
	s->read_bytes += (uint64_t)now.ru_inblock * 512;
	s->write_bytes += (uint64_t)now.ru_oublock * 512;
}

/* ---- one task ---- */

static void add_identity(struct linux_taskstats *s, struct task *t)
{
	struct process *p = t->process;
	struct creds *creds = task_creds(t);
	nsec_t now = clock_now(CLOCK_MONOTONIC);
	nsec_t start = clock_now(CLOCK_REALTIME) - (now - t->start_time);

	if (creds) {
		s->ac_uid = uid_out(creds->uid);
		s->ac_gid = gid_out(creds->gid);
		creds_put(creds);
	}
	lock_take(&process_tree_lock);
	s->ac_ppid = p->parent ? (uint32_t)p->parent->pid : 0;
	s->ac_sched = (uint8_t)t->policy;
	s->ac_nice = (uint8_t)t->nice;
	if (t->state == TASK_ZOMBIE)
		s->ac_exitcode = (uint32_t)p->group_exit_code;
	lock_drop(&process_tree_lock);
	s->ac_pid = (uint32_t)t->tid;
	s->ac_tgid = (uint32_t)p->pid;
	s->ac_tgetime = microseconds(now - p->start_time);
	s->ac_btime64 = (uint64_t)MAX(start, 0) / NSEC_PER_SEC;
	s->ac_btime = (uint32_t)MIN(s->ac_btime64, UINT32_MAX);
	memcpy(s->ac_comm, t->comm, sizeof(t->comm));
	if (!p->did_exec)
		s->ac_flag |= ACCT_FORK;
	if (atomic_load_relaxed(&p->used_privilege))
		s->ac_flag |= ACCT_ROOT;
}

static void add_memory(struct linux_taskstats *s, struct task *t)
{
	struct mm *mm = task_mm(t);
	struct mm_use use;
	struct vm_object *exe;
	char *path;

	if (!mm)
		return;
	memory_use_get(t, mm, 0, &use);
	s->hiwater_rss = use.peak * (PAGE_SIZE / 1024);
	s->hiwater_vm = mm->peak_pages * (PAGE_SIZE / 1024);
	exe = mm_exe_get(mm);
	path = page_alloc(0);
	if (exe && path && exe->ops->describe)
		exe->ops->describe(exe, path, PAGE_SIZE, &s->ac_exe_dev,
				   &s->ac_exe_inode);
	if (path)
		page_free(path, 0);
	if (exe)
		exe->ops->put(exe);
	mm_put(mm);
}

void taskstats_of_task(struct task *t, struct linux_taskstats *out)
{
	*out = (struct linux_taskstats){.version = TASKSTATS_VERSION};
	add_usage(out, t);
	add_identity(out, t);
	add_memory(out, t);
	out->ac_utimescaled = out->ac_utime;
	out->ac_stimescaled = out->ac_stime;
	out->read_char = t->io.read_bytes;
	out->write_char = t->io.write_bytes;
	out->read_syscalls = t->io.reads;
	out->write_syscalls = t->io.writes;
}

/* ---- all tasks of a process ---- */

static size_t live_tasks_locked(struct process *p, struct task **out, size_t room)
	REQUIRES(p->lock)
{
	struct list *pos;
	size_t count = 0;

	list_for_each (pos, &p->tasks) {
		struct task *t = list_entry(pos, struct task, thread_link);

		if (count < room && t->state != TASK_ZOMBIE) {
			task_get(t);
			out[count++] = t;
		}
	}
	return count;
}

/* References to the tasks of p, in memory to be freed; NULL: there is none. */
static struct task **tasks_get(struct process *p, size_t *count)
{
	struct task **all = NULL;
	bool fits = false;

	while (!fits) { /* again when some were added meanwhile */
		size_t room = (size_t)atomic_load_relaxed(&p->live_tasks) + 8;

		kfree(all);
		all = kmalloc(room * sizeof(struct task *));
		if (!all)
			return NULL;
		lock_take(&p->lock);
		fits = (size_t)p->live_tasks <= room;
		if (fits)
			*count = live_tasks_locked(p, all, room);
		lock_drop(&p->lock);
	}
	return all;
}

void taskstats_of_process(struct process *p, struct linux_taskstats *out)
{
	size_t count = 0;
	struct task **all = tasks_get(p, &count);

	*out = (struct linux_taskstats){.version = TASKSTATS_VERSION};
	for (size_t i = 0; all && i < count; i++) {
		add_usage(out, all[i]);
		task_put(all[i]);
	}
	kfree(all);
	out->cpu_scaled_run_real_total = 0;
	out->ac_minflt = out->ac_majflt = out->read_bytes = out->write_bytes = 0;
}
