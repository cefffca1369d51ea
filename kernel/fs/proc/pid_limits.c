/* SPDX-License-Identifier: MIT */
/* pid_limits.c - limits and counts of processes. */
#include "abi/resource.h"
#include "fs/proc/generated.h"
#include "fs/proc/internal.h"
#include "lib/printf.h"
#include "mm/mm.h"
#include "process/cpu_clock.h"
#include "process/task.h"
#include "process/usage.h"

/* ---- limits ---- */

static const struct {
	const char *name;
	const char *unit;
} limit_names[RLIM_NLIMITS] = {
	[RLIMIT_CPU] = {"Max cpu time", "seconds"},
	[RLIMIT_FSIZE] = {"Max file size", "bytes"},
	[RLIMIT_DATA] = {"Max data size", "bytes"},
	[RLIMIT_STACK] = {"Max stack size", "bytes"},
	[RLIMIT_CORE] = {"Max core file size", "bytes"},
	[RLIMIT_RSS] = {"Max resident set", "bytes"},
	[RLIMIT_NPROC] = {"Max processes", "processes"},
	[RLIMIT_NOFILE] = {"Max open files", "files"},
	[RLIMIT_MEMLOCK] = {"Max locked memory", "bytes"},
	[RLIMIT_AS] = {"Max address space", "bytes"},
	[RLIMIT_LOCKS] = {"Max file locks", "locks"},
	[RLIMIT_SIGPENDING] = {"Max pending signals", "signals"},
	[RLIMIT_MSGQUEUE] = {"Max msgqueue size", "bytes"},
	[RLIMIT_NICE] = {"Max nice priority", ""},
	[RLIMIT_RTPRIO] = {"Max realtime priority", ""},
	[RLIMIT_RTTIME] = {"Max realtime timeout", "us"},
};

static void limit_value(struct text *out, uint64_t value)
{
	char buf[24];

	if (value == RLIM_INFINITY)
		text_printf(out, "%-20s ", "unlimited");
	else {
		(void)scnprintf(buf, sizeof(buf), "%lu", value);
		text_printf(out, "%-20s ", buf);
	}
}

int pid_show_limits(struct text *out, struct task *t, const struct pid_inode *i)
{
	(void)i;
	text_puts(out, "Limit                     Soft Limit           Hard Limit        "
		       "   Units     \n");
	for (size_t k = 0; k < RLIM_NLIMITS; k++) {
		const struct linux_rlimit *l = &t->process->rlimits[k];

		text_printf(out, "%-25s ", limit_names[k].name);
		limit_value(out, l->rlim_cur);
		limit_value(out, l->rlim_max);
		if (limit_names[k].unit[0])
			text_printf(out, "%-10s", limit_names[k].unit);
		text_putc(out, '\n');
	}
	return 0;
}

/* ---- counts ---- */

/* Of the whole process: those of its tasks, those that ended included, and of children
 * that it has waited for. */
static void process_io(struct process *p, struct io_counts *out)
{
	struct list *pos;

	lock_take(&p->lock);
	*out = p->io;
	list_for_each (pos, &p->tasks)
		io_counts_add(out, &list_entry(pos, struct task, thread_link)->io);
	lock_drop(&p->lock);
}

/* Blocks are the host's count for the host process that it is in: of storage alone, so
 * nothing for what came from memory. What was cancelled is not told. */
int pid_show_io(struct text *out, struct task *t, const struct pid_inode *i)
{
	struct mm *mm = task_mm(t);
	struct mm_use use = {.at = 0};
	struct io_counts io = t->io;

	if (task_is_whole(i))
		process_io(t->process, &io);
	if (mm && task_is_whole(i))
		memory_use_get(t, mm, MEMORY_WANT_FAULTS, &use);
	mm_put(mm);
	text_printf(out,
		    "rchar: %lu\nwchar: %lu\nsyscr: %lu\nsyscw: %lu\nread_bytes: %lu\n"
		    "write_bytes: %lu\ncancelled_write_bytes: 0\n",
		    io.read_bytes, io.write_bytes, io.reads, io.writes,
		    use.in_blocks * 512, use.out_blocks * 512);
	return 0;
}

int pid_show_sched(struct text *out, struct task *t, const struct pid_inode *i)
{
	nsec_t run = cpu_time_of_task(t, CPUCLOCK_SCHED);
	uint64_t voluntary;
	uint64_t involuntary;

	(void)i;
	task_switches_get(t, &voluntary, &involuntary);
	text_printf(out, "%s (%d, #threads: %d)\n", t->comm, t->tid,
		    t->process->live_tasks);
	text_puts(
		out,
		"-------------------------------------------------------------------\n");
	text_printf(out, "%-45s:%14lld.%06lld\n", "se.sum_exec_runtime",
		    (long long)run / 1000000, (long long)run % 1000000);
	text_printf(out, "%-45s:%21lu\n", "nr_switches", voluntary + involuntary);
	text_printf(out, "%-45s:%21lu\n", "nr_voluntary_switches", voluntary);
	text_printf(out, "%-45s:%21lu\n", "nr_involuntary_switches", involuntary);
	text_printf(out, "%-45s:%21d\n", "policy", t->policy);
	text_printf(out, "%-45s:%21d\n", "prio", 120 + t->nice);
	return 0;
}

/* How long it has waited for a processor the host does not tell. */
int pid_show_schedstat(struct text *out, struct task *t, const struct pid_inode *i)
{
	uint64_t voluntary;
	uint64_t involuntary;

	(void)i;
	task_switches_get(t, &voluntary, &involuntary);
	text_printf(out, "%lld 0 %lu\n", (long long)cpu_time_of_task(t, CPUCLOCK_SCHED),
		    voluntary + involuntary);
	return 0;
}

int pid_show_children(struct text *out, struct task *t, const struct pid_inode *i)
{
	struct list *pos;

	(void)i;
	lock_take(&process_tree_lock);
	list_for_each (pos, &t->process->children) {
		struct process *child = list_entry(pos, struct process, sibling);

		if (child->parent_task == t)
			text_printf(out, "%d ", child->pid);
	}
	lock_drop(&process_tree_lock);
	return 0;
}
