/* SPDX-License-Identifier: MIT */
/* cgroup.c - cgroup2, as far as programs look: the one group that all processes of the
 * sandbox are in, with the limits that hold for it. Nothing can be set, and no groups can
 * be made.
 *
 * Limits are those of the launcher's own group and the groups above it. Usage is of the
 * living, with the children that they have waited for, as far as /proc/PID knows it. */
#include "abi/errno.h"
#include "abi/statfs.h"
#include "fs/proc/generated.h"
#include "fs/proc/proc.h"
#include "fs/proc/pseudo.h"
#include "fs/sys/internal.h"
#include "fs/sys/sysfs.h"
#include "fs/vfs.h"
#include "lib/atomic.h"
#include "mm/mm.h"
#include "process/task.h"

struct cgroup_limits cgroup_limits;
uint64_t cgroup_oom_kills;
static struct pseudo_node cgroup_root;

static void limit_show(struct text *t, uint64_t limit)
{
	if (limit)
		text_printf(t, "%lu\n", limit);
	else
		text_puts(t, "max\n");
}

static int memory_max_show(struct text *t, void *arg)
{
	(void)arg;
	limit_show(t, cgroup_limits.memory_max);
	return 0;
}

static int pids_max_show(struct text *t, void *arg)
{
	(void)arg;
	limit_show(t, cgroup_limits.pids_max);
	return 0;
}

static int cpu_max_show(struct text *t, void *arg)
{
	(void)arg;
	if (cgroup_limits.cpu_quota)
		text_printf(t, "%lu %lu\n", cgroup_limits.cpu_quota,
			    cgroup_limits.cpu_period);
	else
		text_puts(t, "max 100000\n");
	return 0;
}

/* ---- usage ---- */

static int memory_current_show(struct text *t, void *arg)
{
	struct mm_use sum;
	size_t kernel = proc_memory_get(&sum);

	(void)arg;
	text_printf(t, "%zu\n", (sum.anon + sum.file + sum.shmem + kernel) * PAGE_SIZE);
	return 0;
}

static int memory_events_show(struct text *t, void *arg)
{
	uint64_t kills = atomic_load(&cgroup_oom_kills);

	(void)arg;
	text_printf(t,
		    "low 0\nhigh 0\nmax %lu\noom %lu\noom_kill %lu\n"
		    "oom_group_kill 0\n",
		    kills, kills, kills);
	return 0;
}

static int memory_stat_show(struct text *t, void *arg)
{
	struct mm_use sum;
	size_t kernel = proc_memory_get(&sum);

	(void)arg;
	text_printf(t,
		    "anon %zu\nfile %zu\nkernel %zu\nshmem %zu\nfile_mapped %zu\n"
		    "file_dirty 0\nfile_writeback 0\nswapcached 0\nanon_thp 0\n"
		    "inactive_anon 0\nactive_anon %zu\ninactive_file 0\n"
		    "active_file %zu\nunevictable 0\npgfault %lu\npgmajfault %lu\n",
		    sum.anon * PAGE_SIZE, (sum.file + sum.shmem) * PAGE_SIZE,
		    kernel * PAGE_SIZE, sum.shmem * PAGE_SIZE, sum.file * PAGE_SIZE,
		    sum.anon * PAGE_SIZE, sum.file * PAGE_SIZE,
		    sum.min_faults + sum.maj_faults, sum.maj_faults);
	return 0;
}

static int cpu_stat_show(struct text *t, void *arg)
{
	struct proc_totals all;

	(void)arg;
	proc_totals_get(&all);
	text_printf(t,
		    "usage_usec %lld\nuser_usec %lld\nsystem_usec %lld\nnr_periods 0\n"
		    "nr_throttled 0\nthrottled_usec 0\nnr_bursts 0\nburst_usec 0\n",
		    (long long)(all.user + all.system) / 1000, (long long)all.user / 1000,
		    (long long)all.system / 1000);
	return 0;
}

static int pids_current_show(struct text *t, void *arg)
{
	struct proc_totals all;

	(void)arg;
	proc_totals_get(&all);
	text_printf(t, "%u\n", all.tasks);
	return 0;
}

static int cpus_show(struct text *t, void *arg)
{
	(void)arg;
	cpu_list_show(t, 0, proc_cpu_count() - 1);
	return 0;
}

/* ---- members ---- */

static int procs_show(struct text *t, void *arg)
{
	(void)arg;
	lock_take(&process_tree_lock);
	for (struct process *p = process_next(1); p; p = process_next(p->pid + 1))
		if (p->state == PROCESS_RUNNING)
			text_printf(t, "%d\n", p->pid);
	lock_drop(&process_tree_lock);
	return 0;
}

static int threads_show(struct text *t, void *arg)
{
	struct list *pos;

	(void)arg;
	lock_take(&process_tree_lock);
	for (struct process *p = process_next(1); p; p = process_next(p->pid + 1)) {
		lock_take(&p->lock);
		list_for_each (pos, &p->tasks)
			text_printf(t, "%d\n",
				    list_entry(pos, struct task, thread_link)->tid);
		lock_drop(&p->lock);
	}
	lock_drop(&process_tree_lock);
	return 0;
}

uint64_t cgroup_id(void)
{
	return cgroup_root.ino;
}

/* ---- the type ---- */

static void cgroup_fill(void)
{
	static const char *const fixed[][2] = {
		{"cgroup.controllers", "cpuset cpu memory pids\n"},
		{"cgroup.events", "populated 1\nfrozen 0\n"},
		{"cgroup.freeze", "0\n"},
		{"cgroup.max.depth", "max\n"},
		{"cgroup.max.descendants", "max\n"},
		{"cgroup.stat", "nr_descendants 0\nnr_dying_descendants 0\n"},
		{"cgroup.subtree_control", "\n"},
		{"cgroup.type", "domain\n"},
		{"cpu.idle", "0\n"},
		{"cpu.max.burst", "0\n"},
		{"cpu.weight", "100\n"},
		{"cpu.weight.nice", "0\n"},
		{"cpuset.cpus", "\n"},
		{"cpuset.cpus.partition", "member\n"},
		{"cpuset.mems", "\n"},
		{"cpuset.mems.effective", "0\n"},
		{"memory.high", "max\n"},
		{"memory.low", "0\n"},
		{"memory.min", "0\n"},
		{"memory.oom.group", "0\n"},
		{"memory.swap.current", "0\n"},
		{"memory.swap.max", "max\n"},
		{"pids.events", "max 0\n"},
	};
	static const struct {
		const char *name;
		int (*show)(struct text *t, void *arg);
	} made[] = {
		{"cgroup.procs", procs_show},
		{"cgroup.threads", threads_show},
		{"cpu.max", cpu_max_show},
		{"cpu.stat", cpu_stat_show},
		{"cpuset.cpus.effective", cpus_show},
		{"memory.current", memory_current_show},
		{"memory.events", memory_events_show},
		{"memory.max", memory_max_show},
		{"memory.stat", memory_stat_show},
		{"pids.current", pids_current_show},
		{"pids.max", pids_max_show},
	};

	for (size_t i = 0; i < ARRAY_SIZE(made); i++)
		(void)pseudo_file(&cgroup_root, made[i].name, 0444, made[i].show, NULL,
				  NULL);
	for (size_t i = 0; i < ARRAY_SIZE(fixed); i++)
		(void)pseudo_text(&cgroup_root, fixed[i][0], fixed[i][1]);
}

static struct file_system_type cgroup_type;

static int cgroup_mount(const char *source, const char *options, void *data,
			struct superblock **out)
{
	(void)source;
	(void)options;
	(void)data;
	return sysfs_mount_tree(&cgroup_type, CGROUP2_SUPER_MAGIC, &cgroup_root, out);
}

static struct file_system_type cgroup_type = {
	.name = "cgroup2",
	.flags = FS_NODEV,
	.mount = cgroup_mount,
};

void cgroup_init(void)
{
	pseudo_root_init(&cgroup_root);
	pseudo_fill_later(&cgroup_root, cgroup_fill);
	fs_register(&cgroup_type);
}
