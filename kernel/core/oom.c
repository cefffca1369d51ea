/* SPDX-License-Identifier: MIT */
/* oom.c - see oom.h. The launcher looks how much memory host processes have, as the host
 * keeps the books; what it says lies in memory that a hostile guest can write, so nothing
 * here trusts it further than to end processes of this sandbox. */
#include "core/oom.h"

#include "abi/signal.h"
#include "abi/wait.h"
#include "base/log.h"
#include "base/page.h"
#include "core/exit.h"
#include "fs/proc/access.h"
#include "fs/sys/sysfs.h"
#include "lib/atomic.h"
#include "mm/mm.h"
#include "process/creds.h"
#include "process/identity.h"
#include "process/klog.h"
#include "process/task.h"

enum { SCORE_ADJ_MAX = 1000 };

struct victim {
	struct process *process; /* with a reference */
	uint64_t bytes;
	int64_t points;
};

/* Is p on its way out already? */
static bool is_dying(struct process *p)
{
	bool ret;

	lock_take(&p->lock);
	ret = p->group_exit;
	lock_drop(&p->lock);
	return ret;
}

static void consider(struct victim *v, struct process *p, uint64_t bytes, uint64_t limit)
{
	int64_t pages = (int64_t)(bytes >> PAGE_SHIFT);
	int64_t points = pages + p->oom_score_adj *
					 ((int64_t)(limit >> PAGE_SHIFT) / SCORE_ADJ_MAX);

	if (p->is_init || p->oom_score_adj == -SCORE_ADJ_MAX ||
	    (v->process && points <= v->points)) {
		process_put(p);
		return;
	}
	if (v->process)
		process_put(v->process);
	*v = (struct victim){p, bytes, points};
}

/* In Linux's words, which programs look for. What is resident is not told apart. */
static void log_victim(const struct victim *v)
{
	struct process *p = v->process;
	struct task *t = task_lookup(p->pid);
	struct mm *mm = t ? task_mm(t) : NULL;
	struct creds *creds = t ? task_creds(t) : NULL;

	if (mm && creds)
		klog_print(KLOG_ERR,
			   "Memory cgroup out of memory: Killed process %d (%s) "
			   "total-vm:%lukB, anon-rss:%lukB, file-rss:0kB, shmem-rss:0kB, "
			   "UID:%u pgtables:0kB oom_score_adj:%d",
			   p->pid, t->comm, mm->total_pages * (PAGE_SIZE >> 10),
			   v->bytes >> 10, creds->uid, p->oom_score_adj);
	creds_put(creds);
	mm_put(mm);
	task_put(t);
}

static void kill_victim(const struct victim *v)
{
	struct process *p = v->process;

	log_print("out of memory: process %d (%s) is killed, it has %lu KiB", p->pid,
		  p->leader ? p->leader->comm : "?", v->bytes >> 10);
	log_victim(v);
	process_kill(p, WAIT_STATUS_SIGNAL(SIGKILL, false));
	(void)atomic_add(&cgroup_oom_kills, 1);
}

void oom_take(struct boot_params *boot)
{
	uint32_t count = atomic_load(&boot->memory_user_count);
	struct victim v = {.process = NULL};
	uint64_t total = 0; /* without host processes whose guests have gone already */
	bool has_dying = false;

	if (likely(!count))
		return;
	for (uint32_t i = 0; i < MIN(count, (uint32_t)BOOT_MEMORY_USERS); i++) {
		const struct boot_memory_user *u = &boot->memory_users[i];
		struct process *p = process_on_host(u->host_pid);

		if (!p)
			continue;
		total += u->bytes;
		has_dying = has_dying || is_dying(p);
		consider(&v, p, u->bytes, boot->memory_max);
	}
	/* What the kernel itself keeps for later is in the processes' shares. */
	if (v.process && !has_dying && total > boot->memory_max &&
	    total - MIN(total, page_trim(0)) > boot->memory_max)
		kill_victim(&v);
	if (v.process)
		process_put(v.process);
	atomic_store(&boot->memory_user_count, 0);
}
