/* SPDX-License-Identifier: MIT */
/* system.c - what /proc says of the machine.
 *
 * Limits: load averages are 0, interrupts and disks are not shown; processor time is what
 * the sandbox's living processes have used, with the children that they waited for. */
#include "process/system.h"
#include "abi/stat.h"
#include "base/page.h"
#include "fs/chrdev.h"
#include "fs/file_lock.h"
#include "fs/proc/generated.h"
#include "fs/proc/internal.h"
#include "fs/proc/proc.h"
#include "fs/proc/pseudo.h"
#include "fs/vfs.h"
#include "host/host.h"
#include "lib/string.h"
#include "process/cpu_clock.h"
#include "process/task.h"
#include "process/time_ns.h"
#include "time/clock.h"

#define TICK	    (NSEC_PER_SEC / 100)
#define MEM_DEFAULT (4UL << 30)

struct proc_facts proc_facts;

unsigned proc_cpu_count(void)
{
	uint64_t mask[16] = {0};
	unsigned count = 0;

	if (proc_facts.cpu_count)
		return proc_facts.cpu_count;
	(void)host_sched_getaffinity(0, mask, sizeof(mask));
	for (size_t i = 0; i < ARRAY_SIZE(mask); i++)
		for (uint64_t word = mask[i]; word; word &= word - 1)
			count++;
	proc_facts.cpu_count = MAX(count, 1U);
	return proc_facts.cpu_count;
}

/* ---- memory ---- */

static void memory_figures(struct memory_figures *out)
{
	struct page_stats pages;
	uint64_t used;

	page_get_stats(&pages);
	used = pages.used * PAGE_SIZE;
	*out = (struct memory_figures){
		.total = proc_facts.mem_total ? proc_facts.mem_total : MEM_DEFAULT,
		.free = proc_facts.mem_free ? proc_facts.mem_free : MEM_DEFAULT / 2,
	};
	out->free = MIN(out->free, out->total);
	out->free -= MIN(used, out->free);
}

/* ---- time and processes ---- */

static nsec_t from_timeval(const struct linux_timeval *tv)
{
	return tv->tv_sec * NSEC_PER_SEC + tv->tv_usec * 1000;
}

void proc_totals_get(struct proc_totals *out)
{
	*out = (struct proc_totals){0};
	lock_take(&process_tree_lock);
	for (struct process *p = process_next(1); p; p = process_next(p->pid + 1)) {
		nsec_t user = cpu_time_of_process(p, CPUCLOCK_VIRT);
		nsec_t all = cpu_time_of_process(p, CPUCLOCK_PROF);

		out->user += user + from_timeval(&p->children_usage.ru_utime);
		out->system +=
			MAX(all - user, 0) + from_timeval(&p->children_usage.ru_stime);
		out->tasks += (unsigned)p->live_tasks;
		out->running += p->leader && task_state_letter(p->leader) == 'R';
		out->last = p->pid;
	}
	lock_drop(&process_tree_lock);
}

static int uptime_show(struct text *t, void *arg)
{
	nsec_t up = clock_now(CLOCK_BOOTTIME);
	nsec_t shown = time_ns_now(CLOCK_BOOTTIME);
	nsec_t idle;
	struct proc_totals all;

	(void)arg;
	proc_totals_get(&all);
	idle = MAX(up * proc_cpu_count() - all.user - all.system, 0);
	text_printf(t, "%lld.%02lld %lld.%02lld\n", (long long)(shown / NSEC_PER_SEC),
		    (long long)(shown / TICK % 100), (long long)(idle / NSEC_PER_SEC),
		    (long long)(idle / TICK % 100));
	return 0;
}

static int loadavg_show(struct text *t, void *arg)
{
	struct proc_totals all;

	(void)arg;
	proc_totals_get(&all);
	text_printf(t, "0.00 0.00 0.00 %u/%u %d\n", MAX(all.running, 1U), all.tasks,
		    all.last);
	return 0;
}

static void cpu_line(struct text *t, nsec_t user, nsec_t system, nsec_t up)
{
	text_printf(t, " %lld 0 %lld %lld 0 0 0 0 0 0\n", (long long)(user / TICK),
		    (long long)(system / TICK),
		    (long long)(MAX(up - user - system, 0) / TICK));
}

static int stat_show(struct text *t, void *arg)
{
	unsigned count = proc_cpu_count();
	nsec_t up = clock_now(CLOCK_BOOTTIME);
	nsec_t boot = clock_now(CLOCK_REALTIME) - time_ns_now(CLOCK_BOOTTIME);
	struct proc_totals all;

	(void)arg;
	proc_totals_get(&all);
	text_puts(t, "cpu ");
	cpu_line(t, all.user, all.system, up * count);
	for (unsigned i = 0; i < count; i++) {
		text_printf(t, "cpu%u", i);
		cpu_line(t, all.user / count, all.system / count, up);
	}
	text_printf(t,
		    "intr 0\nctxt 0\nbtime %lld\nprocesses %d\nprocs_running "
		    "%u\nprocs_blocked 0\n"
		    "softirq 0 0 0 0 0 0 0 0 0 0 0\n",
		    (long long)(boot / NSEC_PER_SEC), all.last, MAX(all.running, 1U));
	return 0;
}

/* ---- names ---- */

static int version_show(struct text *t, void *arg)
{
	struct linux_utsname names;

	(void)arg;
	system_names(&names);
	text_printf(t, "%s version %s (carbyne@carbyne) (gcc) %s\n", names.sysname,
		    names.release, names.version);
	return 0;
}

static int filesystems_show(struct text *t, void *arg)
{
	(void)arg;
	for (struct file_system_type *type = fs_next(NULL); type; type = fs_next(type))
		text_printf(t, "%s\t%s\n", type->flags & FS_NODEV ? "nodev" : "",
			    type->name);
	return 0;
}

static int devices_show(struct text *t, void *arg)
{
	(void)arg;
	text_puts(t, "Character devices:\n");
	for (struct chrdev *c = chrdev_next(NULL); c; c = chrdev_next(c))
		text_printf(t, "%3u %s\n", c->major, c->name);
	text_puts(t, "\nBlock devices:\n");
	return 0;
}

static int locks_show(struct text *t, void *arg)
{
	char *page = page_alloc(2);

	(void)arg;
	if (!page) {
		t->is_failed = true;
		return 0;
	}
	text_write(t, page, file_locks_show(page, PAGE_SIZE * 4));
	page_free(page, 2);
	return 0;
}

static int interrupts_show(struct text *t, void *arg)
{
	(void)arg;
	text_puts(t, "    ");
	for (unsigned i = 0; i < proc_cpu_count(); i++)
		text_printf(t, "       CPU%-4u", i);
	text_putc(t, '\n');
	return 0;
}

/* There are none: a row for each kind, of zeros. */
static int softirqs_show(struct text *t, void *arg)
{
	static const char *const names[] = {
		"HI",	    "TIMER",   "NET_TX", "NET_RX",  "BLOCK",
		"IRQ_POLL", "TASKLET", "SCHED",	 "HRTIMER", "RCU",
	};

	(void)arg;
	text_puts(t, "                    ");
	for (unsigned i = 0; i < proc_cpu_count(); i++)
		text_printf(t, "CPU%-8u", i);
	text_putc(t, '\n');
	for (size_t k = 0; k < ARRAY_SIZE(names); k++) {
		text_printf(t, "%12s:", names[k]);
		for (unsigned i = 0; i < proc_cpu_count(); i++)
			text_printf(t, " %10u", 0);
		text_putc(t, '\n');
	}
	return 0;
}

void proc_add_system(void)
{
	static const struct {
		const char *name;
		int (*show)(struct text *t, void *arg);
	} made[] = {
		{"cpuinfo", cpuinfo_show},	   {"devices", devices_show},
		{"filesystems", filesystems_show}, {"interrupts", interrupts_show},
		{"loadavg", loadavg_show},	   {"locks", locks_show},
		{"meminfo", meminfo_show},	   {"stat", stat_show},
		{"uptime", uptime_show},	   {"version", version_show},
		{"vmstat", vmstat_show},	   {"softirqs", softirqs_show},
		{"buddyinfo", buddyinfo_show},	   {"zoneinfo", zoneinfo_show},
	};
	static const char *const fixed[][2] = {
		{"cgroups",
		 "#subsys_name\thierarchy\tnum_cgroups\tenabled\n"
		 "cpuset\t0\t1\t1\ncpu\t0\t1\t1\nmemory\t0\t1\t1\npids\t0\t1\t1\n"},
		{"cmdline", "BOOT_IMAGE=carbyne\n"},
		{"consoles", ""},
		{"crypto", ""},
		{"diskstats", ""},
		{"execdomains", "0-0\tLinux           \t[kernel]\n"},
		{"kallsyms", ""},
		{"misc", ""},
		{"modules", ""},
		{"partitions", "major minor  #blocks  name\n\n"},
		{"swaps", "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"},
	};

	static const char tty_drivers[] =
		"/dev/tty             /dev/tty        5       0 system:/dev/tty\n"
		"/dev/console         /dev/console    5       1 system:console\n"
		"/dev/ptmx            /dev/ptmx       5       2 system\n"
		"pty_slave            /dev/pts      136 0-1048575 pty:slave\n"
		"pty_master           /dev/ptm      128 0-1048575 pty:master\n";
	struct pseudo_node *tty;

	memory_figures_hook = memory_figures;
	for (size_t i = 0; i < ARRAY_SIZE(made); i++)
		(void)pseudo_file(&proc_root, made[i].name, 0444, made[i].show, NULL,
				  NULL);
	for (size_t i = 0; i < ARRAY_SIZE(fixed); i++)
		(void)pseudo_text(&proc_root, fixed[i][0], fixed[i][1]);
	(void)pseudo_link(&proc_root, "mounts", "self/mounts");
	(void)pseudo_link(&proc_root, "net", "self/net");
	(void)pseudo_dir(&proc_root, "fs");
	(void)pseudo_dir(&proc_root, "driver");
	(void)pseudo_dir(&proc_root, "bus");
	(void)pseudo_file(&proc_root, "slabinfo", 0400, slabinfo_show, NULL, NULL);
	(void)pseudo_text(&proc_root, "tty/drivers", tty_drivers);
	(void)pseudo_text(&proc_root, "tty/ldiscs", "n_tty       0\n");
	(void)pseudo_dir(&proc_root, "tty/ldisc");
	tty = pseudo_dir(&proc_root, "tty/driver");
	if (tty)
		tty->mode = S_IFDIR | 0500;
}
