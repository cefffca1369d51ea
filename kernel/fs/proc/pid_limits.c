/* SPDX-License-Identifier: MIT */
/* pid_limits.c - limits, counts and settings of processes. */
#include "abi/capability.h"
#include "abi/errno.h"
#include "abi/resource.h"
#include "fs/proc/generated.h"
#include "fs/proc/internal.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/mm.h"
#include "process/cpu_clock.h"
#include "process/creds.h"
#include "process/task.h"

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

int pid_show_io(struct text *out, struct task *t, const struct pid_inode *i)
{
	(void)t;
	(void)i;
	text_puts(
		out,
		"rchar: 0\nwchar: 0\nsyscr: 0\nsyscw: 0\nread_bytes: 0\nwrite_bytes: 0\n"
		"cancelled_write_bytes: 0\n");
	return 0;
}

int pid_show_sched(struct text *out, struct task *t, const struct pid_inode *i)
{
	nsec_t run = cpu_time_of_task(t, CPUCLOCK_SCHED);
	uint64_t switches = t->voluntary_switches + t->involuntary_switches;

	(void)i;
	text_printf(out, "%s (%d, #threads: %d)\n", t->comm, t->tid,
		    t->process->live_tasks);
	text_puts(
		out,
		"-------------------------------------------------------------------\n");
	text_printf(out, "%-45s:%14lld.%06lld\n", "se.sum_exec_runtime",
		    (long long)run / 1000000, (long long)run % 1000000);
	text_printf(out, "%-45s:%21lu\n", "nr_switches", switches);
	text_printf(out, "%-45s:%21lu\n", "nr_voluntary_switches", t->voluntary_switches);
	text_printf(out, "%-45s:%21lu\n", "nr_involuntary_switches",
		    t->involuntary_switches);
	text_printf(out, "%-45s:%21d\n", "policy", t->policy);
	text_printf(out, "%-45s:%21d\n", "prio", 120 + t->nice);
	return 0;
}

int pid_show_schedstat(struct text *out, struct task *t, const struct pid_inode *i)
{
	(void)i;
	text_printf(out, "%lld 0 %lu\n", (long long)cpu_time_of_task(t, CPUCLOCK_SCHED),
		    t->voluntary_switches + t->involuntary_switches);
	return 0;
}

int pid_show_children(struct text *out, struct task *t, const struct pid_inode *i)
{
	struct list *pos;

	(void)i;
	/* Children are the process', not the thread's that made them: shown with the
	 * leader. */
	if (t != t->process->leader)
		return 0;
	lock_take(&process_tree_lock);
	list_for_each (pos, &t->process->children)
		text_printf(out, "%d ", list_entry(pos, struct process, sibling)->pid);
	lock_drop(&process_tree_lock);
	return 0;
}

/* ---- settings ---- */

static bool number_of(char *data, size_t len, int64_t *out)
{
	while (len &&
	       (data[len - 1] == '\n' || data[len - 1] == ' ' || data[len - 1] == '\0'))
		len--;
	data[len] = '\0';
	return parse_i64(data, out);
}

int pid_show_oom_score(struct text *out, struct task *t, const struct pid_inode *i)
{
	(void)i;
	text_printf(out, "%d\n", MAX(0, 666 + t->process->oom_score_adj * 2 / 3));
	return 0;
}

int pid_show_oom_score_adj(struct text *out, struct task *t, const struct pid_inode *i)
{
	(void)i;
	text_printf(out, "%d\n", t->process->oom_score_adj);
	return 0;
}

int pid_store_oom_score_adj(struct task *t, const struct pid_inode *i, char *data,
			    size_t len)
{
	int64_t value;

	(void)i;
	if (!number_of(data, len, &value) || value < -1000 || value > 1000)
		return -EINVAL;
	if (value < t->process->oom_score_adj && !capable(CAP_SYS_RESOURCE))
		return -EACCES;
	t->process->oom_score_adj = (int)value;
	return 0;
}

int pid_show_timerslack(struct text *out, struct task *t, const struct pid_inode *i)
{
	(void)i;
	if (t != current() && !capable(CAP_SYS_NICE))
		return -EPERM;
	text_printf(out, "%lu\n", t->timer_slack);
	return 0;
}

int pid_store_timerslack(struct task *t, const struct pid_inode *i, char *data,
			 size_t len)
{
	int64_t value;

	(void)i;
	if (t != current() && !capable(CAP_SYS_NICE))
		return -EPERM;
	if (!number_of(data, len, &value) || value < 0)
		return -EINVAL;
	t->timer_slack = value ? (uint64_t)value : t->timer_slack_default;
	return 0;
}

int pid_show_personality(struct text *out, struct task *t, const struct pid_inode *i)
{
	(void)i;
	text_printf(out, "%08x\n", t->process->personality);
	return 0;
}

int pid_show_id_map(struct text *out, struct task *t, const struct pid_inode *i)
{
	(void)t;
	(void)i;
	text_printf(out, "%10u %10u %10u\n", 0, 0, UINT32_MAX);
	return 0;
}

int pid_show_fixed(struct text *out, struct task *t, const struct pid_inode *i)
{
	static const char *const texts[][2] = {
		{"cgroup", "0::/\n"},	  {"coredump_filter", "00000033\n"},
		{"cpuset", "/\n"},	  {"loginuid", "4294967295"},
		{"oom_adj", "0\n"},	  {"sessionid", "4294967295"},
		{"setgroups", "allow\n"}, {"wchan", "0"},
	};

	(void)t;
	for (size_t k = 0; k < ARRAY_SIZE(texts); k++)
		if (string_equal(texts[k][0], i->entry->name))
			text_puts(out, texts[k][1]);
	return 0;
}

int pid_store_ignored(struct task *t, const struct pid_inode *i, char *data, size_t len)
{
	(void)i;
	(void)data;
	(void)len;
	return t->process == current()->process || capable(CAP_SYS_ADMIN) ? 0 : -EPERM;
}
