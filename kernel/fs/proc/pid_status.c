/* SPDX-License-Identifier: MIT */
/* pid_status.c - /proc/PID/{stat,statm,status} (proc_pid_stat(5), proc_pid_status(5)). */
#include "abi/mman.h"
#include "abi/sched.h"
#include "abi/signal.h"
#include "fs/context.h"
#include "fs/fdtable.h"
#include "fs/proc/generated.h"
#include "fs/proc/internal.h"
#include "fs/proc/pid_areas.h"
#include "fs/proc/proc.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "mm/mm.h"
#include "process/affinity.h"
#include "process/creds.h"
#include "process/identity.h"
#include "process/task.h"
#include "signal/pending.h"

#define TICK (NSEC_PER_SEC / 100)
enum { TABLE_LEVELS = 3 }; /* tables above those, in a small process */

struct signal_sets {
	uint64_t pending, shared, blocked, ignored, caught;
};

static void signal_sets_get(struct task *t, struct signal_sets *out)
{
	struct process *p = t->process;

	*out = (struct signal_sets){0};
	lock_take(&p->lock);
	out->pending = t->pending.set;
	out->shared = p->pending.set;
	out->blocked = t->blocked;
	for (int i = 0; i < NSIG && t->sighand; i++) {
		uaddr_t handler = t->sighand->action[i].handler;

		if (handler == LINUX_SIG_IGN)
			out->ignored |= 1ULL << i;
		else if (handler != LINUX_SIG_DFL)
			out->caught |= 1ULL << i;
	}
	lock_drop(&p->lock);
}

static pid_t parent_pid(struct task *t)
{
	pid_t pid;

	lock_take(&process_tree_lock);
	pid = t->process->parent ? t->process->parent->pid : 0;
	lock_drop(&process_tree_lock);
	return pid;
}

static uint64_t ticks(nsec_t t)
{
	return (uint64_t)(t / TICK);
}

static uint64_t timeval_ticks(const struct linux_timeval *tv)
{
	return (uint64_t)(tv->tv_sec * 100 + tv->tv_usec / 10000);
}

/* ---- stat ---- */

static void stat_memory(struct text *out, struct mm *mm, const struct task_usage *u,
			uint64_t limit, bool may_see)
{
	text_printf(out, " %llu %llu %llu",
		    mm ? (unsigned long long)mm->total_pages * PAGE_SIZE : 0,
		    (unsigned long long)u->rss_pages, (unsigned long long)limit);
	if (!mm || !may_see) {
		text_puts(out, mm ? " 1 1 0 0 0" : " 0 0 0 0 0");
		return;
	}
	text_printf(out, " %lu %lu %lu 0 0", mm->code_start, mm->code_end,
		    mm->stack_start);
}

static void stat_places(struct text *out, struct mm *mm, int exit_code, bool may_see)
{
	if (!mm || !may_see) {
		text_puts(out, " 0 0 0 0 0 0 0 0\n");
		return;
	}
	text_printf(out, " %lu %lu %lu %lu %lu %lu %lu %d\n", mm->data_start,
		    mm->data_end, mm->brk_start, mm->arg_start, mm->arg_end,
		    mm->env_start, mm->env_end, exit_code);
}

/* PF_* of Linux: randomized, forked but not execed, exiting. */
static unsigned task_flags(const struct task *t)
{
	return 0x400000U | (t->process->did_exec ? 0 : 0x40U) |
	       (t->state == TASK_ZOMBIE ? 0x4U : 0);
}

static void stat_ids(struct text *out, struct task *t)
{
	uint64_t tty = 0;
	pid_t pgid = 0;
	pid_t sid = 0;
	pid_t foreground = -1;

	(void)task_pgroup_ids(t, &pgid, &sid, &foreground, &tty);
	text_printf(out, "%d (%s) %c %d %d %d %d %d %u", t->tid, t->comm,
		    task_state_letter(t), parent_pid(t), pgid, sid, (int)tty, foreground,
		    task_flags(t));
}

static void stat_times(struct text *out, struct task *t, const struct task_usage *u)
{
	struct process *p = t->process;
	int priority = t->rt_priority ? -1 - t->rt_priority : 20 + t->nice;

	if (t->policy == SCHED_DEADLINE)
		priority = -101;
	text_printf(
		out, " %llu %lld %llu %lld %llu %llu %llu %llu %d %d %d 0 %llu",
		(unsigned long long)u->min_faults, (long long)p->children_usage.ru_minflt,
		(unsigned long long)u->maj_faults, (long long)p->children_usage.ru_majflt,
		(unsigned long long)ticks(u->user), (unsigned long long)ticks(u->system),
		(unsigned long long)timeval_ticks(&p->children_usage.ru_utime),
		(unsigned long long)timeval_ticks(&p->children_usage.ru_stime), priority,
		t->nice, p->live_tasks,
		(unsigned long long)ticks_since_boot(t->start_time));
}

int pid_show_stat(struct text *out, struct task *t, const struct pid_inode *i)
{
	struct process *p = t->process;
	struct mm *mm = task_mm(t);
	bool may_see = pid_may_access(t) == 0;
	const uint64_t mask = 0x7fffffff; /* as many signals as the format has room for */
	struct signal_sets s;
	struct task_usage u;

	task_usage_get(t, task_is_whole(i), mm, MEMORY_WANT_FAULTS, &u);
	signal_sets_get(t, &s);
	stat_ids(out, t);
	stat_times(out, t, &u);
	stat_memory(out, mm, &u, p->rlimits[RLIMIT_RSS].rlim_cur, may_see);
	text_printf(out, " %lu %lu %lu %lu %d 0 0 %d 0 %d %d 0 0 0", s.pending & mask,
		    s.blocked & mask, s.ignored & mask, s.caught & mask,
		    task_state_letter(t) == 'S', p->exit_signal, t->rt_priority,
		    t->policy);
	stat_places(out, mm, may_see ? t->exit_code : 0, may_see);
	mm_put(mm);
	return 0;
}

/* ---- statm ---- */

static uint64_t pages_between(uaddr_t start, uaddr_t end)
{
	return (ALIGN_UP(end, PAGE_SIZE) - ALIGN_DOWN(start, PAGE_SIZE)) >> PAGE_SHIFT;
}

int pid_show_statm(struct text *out, struct task *t, const struct pid_inode *i)
{
	struct mm *mm = task_mm(t);
	struct task_usage u;

	if (!mm) {
		text_puts(out, "0 0 0 0 0 0 0\n");
		return 0;
	}
	task_usage_get(t, task_is_whole(i), mm, 0, &u);
	text_printf(out, "%lu %lu %lu %lu 0 %lu 0\n", mm->total_pages, u.rss_pages,
		    u.memory.file + u.memory.shmem,
		    pages_between(mm->code_start, mm->code_end),
		    mm->data_pages + mm->stack_pages);
	mm_put(mm);
	return 0;
}

/* ---- status ---- */

static const char *state_name(char letter)
{
	switch (letter) {
	case 'R':
		return "R (running)";
	case 'S':
		return "S (sleeping)";
	case 'T':
		return "T (stopped)";
	case 'Z':
		return "Z (zombie)";
	default:
		return "X (dead)";
	}
}

static void status_ids(struct text *out, struct task *t)
{
	struct fs_context *fs = task_fs(t);
	struct process *p = t->process;

	text_puts(out, "Name:\t");
	text_escaped(out, t->comm, "\n\\");
	if (fs)
		text_printf(out, "\nUmask:\t%04o", fs->umask);
	text_printf(
		out,
		"\nState:\t%s\nTgid:\t%d\nNgid:\t0\nPid:\t%d\nPPid:\t%d\nTracerPid:\t0\n",
		state_name(task_state_letter(t)), p->pid, t->tid, parent_pid(t));
	if (fs)
		fs_context_put(fs);
}

static void status_creds(struct text *out, struct task *t)
{
	struct fdtable *fds = task_fds(t);
	struct creds *c = task_creds(t);

	if (c)
		text_printf(out, "Uid:\t%u\t%u\t%u\t%u\nGid:\t%u\t%u\t%u\t%u\n",
			    text_uid(out, c->uid), text_uid(out, c->euid),
			    text_uid(out, c->suid), text_uid(out, c->fsuid),
			    text_gid(out, c->gid), text_gid(out, c->egid),
			    text_gid(out, c->sgid), text_gid(out, c->fsgid));
	text_printf(out, "FDSize:\t%d\nGroups:\t", fds ? fds->capacity : 0);
	for (uint32_t i = 0; c && i < c->group_count; i++)
		text_printf(out, "%u ", text_gid(out, c->groups[i]));
	if (!c || !c->group_count)
		text_putc(out, ' ');
	text_putc(out, '\n');
	creds_put(c);
	if (fds)
		fdtable_put(fds);
}

static void status_namespaces(struct text *out, struct task *t)
{
	uint64_t tty = 0;
	pid_t pgid = 0;
	pid_t sid = 0;
	pid_t foreground = -1;

	(void)task_pgroup_ids(t, &pgid, &sid, &foreground, &tty);
	text_printf(out,
		    "NStgid:\t%d\nNSpid:\t%d\nNSpgid:\t%d\nNSsid:\t%d\nKthread:\t%d\n",
		    t->process->pid, t->tid, pgid, sid, t->process->is_init);
}

static void line_kb(struct text *out, const char *name, uint64_t pages)
{
	text_printf(out, "%s:\t%8lu kB\n", name, pages * (PAGE_SIZE / 1024));
}

struct page_sums {
	size_t code;   /* what can be executed and not written to */
	size_t tables; /* of pages, at the least */
	uaddr_t last;  /* end of the last area */
};

static int sum_area(struct vma *v, void *arg)
{
	struct page_sums *s = arg;
	uaddr_t from = MAX(ALIGN_DOWN(v->start, TABLE_SPAN), s->last);

	if ((v->prot & (PROT_EXEC | PROT_WRITE)) == PROT_EXEC &&
	    !(v->flags & (VMA_STACK | VMA_GROWSDOWN)))
		s->code += (v->end - v->start) >> PAGE_SHIFT;
	if (vma_may_be_resident(v) && v->end > from) {
		s->last = ALIGN_UP(v->end, TABLE_SPAN);
		s->tables += (s->last - from) / TABLE_SPAN;
	}
	return 0;
}

static void sum_areas(struct mm *mm, struct page_sums *out)
{
	*out = (struct page_sums){0};
	lock_take(&mm->lock);
	(void)mm_for_each_vma(mm, sum_area, out);
	lock_drop(&mm->lock);
}

static void status_memory(struct text *out, struct task *t, const struct pid_inode *i)
{
	struct mm *mm = task_mm(t);
	uint64_t code;
	struct task_usage u;
	struct page_sums sums;

	if (!mm)
		return;
	task_usage_get(t, task_is_whole(i), mm, 0, &u);
	sum_areas(mm, &sums);
	code = pages_between(mm->code_start, mm->code_end);
	line_kb(out, "VmPeak", MAX(mm->peak_pages, mm->total_pages));
	line_kb(out, "VmSize", mm->total_pages);
	line_kb(out, "VmLck", mm->locked_pages);
	line_kb(out, "VmPin", 0);
	line_kb(out, "VmHWM", u.peak_pages);
	line_kb(out, "VmRSS", u.rss_pages);
	line_kb(out, "RssAnon", u.memory.anon);
	line_kb(out, "RssFile", u.memory.file);
	line_kb(out, "RssShmem", u.memory.shmem);
	line_kb(out, "VmData", mm->data_pages);
	line_kb(out, "VmStk", mm->stack_pages);
	line_kb(out, "VmExe", MIN(code, sums.code));
	line_kb(out, "VmLib", sums.code - MIN(code, sums.code));
	line_kb(out, "VmPTE", MIN(sums.tables, u.rss_pages) + TABLE_LEVELS);
	line_kb(out, "VmSwap", u.memory.swap);
	line_kb(out, "HugetlbPages", 0);
	text_printf(out, "CoreDumping:\t%d\n", t->process->core != NULL);
	text_puts(out, "THP_enabled:\t1\nuntag_mask:\t0xffffffffffffffff\n");
	mm_put(mm);
}

/* By the task's user. */
static uint32_t signals_queued(struct task *t)
{
	struct creds *c = task_creds(t);
	uint32_t count = c ? pending_count(c->uid) : 0;

	creds_put(c);
	return count;
}

static void status_signals(struct text *out, struct task *t)
{
	struct signal_sets s;

	signal_sets_get(t, &s);
	text_printf(out,
		    "Threads:\t%d\nSigQ:\t%u/%llu\nSigPnd:\t%016lx\nShdPnd:\t%016lx\n"
		    "SigBlk:\t%016lx\nSigIgn:\t%016lx\nSigCgt:\t%016lx\n",
		    t->process->live_tasks, signals_queued(t),
		    (unsigned long long)t->process->rlimits[RLIMIT_SIGPENDING].rlim_cur,
		    s.pending, s.shared, s.blocked, s.ignored, s.caught);
}

static void status_capabilities(struct text *out, struct task *t)
{
	struct creds *c = task_creds(t);

	if (!c)
		return;
	text_printf(out,
		    "CapInh:\t%016lx\nCapPrm:\t%016lx\nCapEff:\t%016lx\nCapBnd:\t%016lx\n"
		    "CapAmb:\t%016lx\n",
		    c->cap_inheritable, c->cap_permitted, c->cap_effective,
		    c->cap_bounding, c->cap_ambient);
	creds_put(c);
}

/* The first 64 processors. */
static uint64_t cpus_allowed(const struct task *t)
{
	unsigned count = proc_cpu_count();
	uint64_t mask = count >= 64 ? UINT64_MAX : (1ULL << count) - 1;
	struct cpu_mask *m = task_affinity(t);

	if (m)
		mask = m->bits[0];
	cpu_mask_put(m);
	return mask;
}

/* The mask in groups of 32, and as a list. */
static void status_cpus(struct text *out, const struct task *t)
{
	uint64_t mask = cpus_allowed(t);
	const char *separator = "";

	text_puts(out, "Cpus_allowed:\t");
	if (proc_cpu_count() > 32)
		text_printf(out, "%08lx,%08lx", mask >> 32, mask & UINT32_MAX);
	else
		text_printf(out, "%lx", mask);
	text_puts(out, "\nCpus_allowed_list:\t");
	for (unsigned from = 0; from < 64; from++) {
		unsigned to = from;

		if (!(mask >> from & 1))
			continue;
		while (to < 63 && (mask >> (to + 1) & 1))
			to++;
		text_printf(out, to > from ? "%s%u-%u" : "%s%u", separator, from, to);
		separator = ",";
		from = to;
	}
	text_puts(out, "\nMems_allowed:\t00000001\nMems_allowed_list:\t0\n");
}

int pid_show_status(struct text *out, struct task *t, const struct pid_inode *i)
{
	uint64_t voluntary;
	uint64_t involuntary;

	status_ids(out, t);
	status_creds(out, t);
	status_namespaces(out, t);
	status_memory(out, t, i);
	status_signals(out, t);
	status_capabilities(out, t);
	text_printf(out,
		    "NoNewPrivs:\t%d\nSeccomp:\t%u\nSeccomp_filters:\t%u\n"
		    "Speculation_Store_Bypass:\tvulnerable\n"
		    "SpeculationIndirectBranch:\talways enabled\n",
		    t->no_new_privs, t->seccomp_mode, t->seccomp_count);
	status_cpus(out, t);
	task_switches_get(t, &voluntary, &involuntary);
	text_printf(out,
		    "voluntary_ctxt_switches:\t%lu\nnonvoluntary_ctxt_switches:\t%lu\n",
		    voluntary, involuntary);
	return 0;
}
