/* SPDX-License-Identifier: MIT */
/* sys_time.c - reading clocks, and what processes have used of them. */
#include "abi/errno.h"
#include "abi/resource.h"
#include "abi/syscall.h"
#include "arch/x86_64/regs.h"
#include "mm/mm.h"
#include "mm/usercopy.h"
#include "process/cpu_clock.h"
#include "process/task.h"
#include "process/time_ns.h"
#include "process/usage.h"
#include "process/user_time.h"
#include "time/clock.h"
#include "time/wall_clock.h"

/* What the clock is ahead of the machine's. When the vDSO asks, because the host has it
 * ask, the page behind it, the last one, adds that (arch/x86_64/vdso.S). */
static nsec_t offset_of(const struct task *t, int clock)
{
	nsec_t offset = time_ns_offset(clock);
	uint64_t rip = t->regs->rip;

	if (likely(!offset))
		return 0;
	return cpu_self()->vdso_time_ns && rip > t->mm->vdso_start &&
			       rip <= t->mm->vdso_end - PAGE_SIZE
		       ? 0
		       : offset;
}

long sys_clock_gettime(struct task *t, int clock, uaddr_t out)
{
	struct cpu_clock cpu;
	nsec_t now;
	int err = 0;

	if (clock_is_known(clock))
		now = clock_now(clock) + offset_of(t, clock);
	else if (cpu_clock_parse(clock, &cpu))
		err = cpu_clock_read(&cpu, &now);
	else
		err = -EINVAL;
	return err ? err : timespec_copy_out(out, now);
}

long sys_clock_getres(struct task *t, int clock, uaddr_t out)
{
	struct cpu_clock cpu;
	nsec_t res = 1;
	nsec_t now;

	(void)t;
	if (clock_is_known(clock) && !clock_is_alarm(clock))
		res = clock_resolution(clock);
	else if (!cpu_clock_parse(clock, &cpu) || cpu_clock_read(&cpu, &now))
		return -EINVAL;
	return out ? timespec_copy_out(out, res) : 0;
}

long sys_gettimeofday(struct task *t, uaddr_t tv, uaddr_t tz)
{
	struct linux_timeval now;
	struct linux_timezone zone = wall_clock.zone;

	(void)t;
	if (tv) {
		now = nsec_to_timeval(clock_now(CLOCK_REALTIME));
		if (COPY_OUT(tv, &now))
			return -EFAULT;
	}
	if (tz && COPY_OUT(tz, &zone))
		return -EFAULT;
	return 0;
}

long sys_time(struct task *t, uaddr_t out)
{
	int64_t now = clock_now(CLOCK_REALTIME_COARSE) / NSEC_PER_SEC;

	(void)t;
	if (out && COPY_OUT(out, &now))
		return -EFAULT;
	return now;
}

static int64_t to_ticks(const struct linux_timeval *tv)
{
	return tv->tv_sec * USER_HZ + tv->tv_usec / (1000000 / USER_HZ);
}

long sys_times(struct task *t, uaddr_t out)
{
	struct linux_rusage self;
	struct linux_rusage children;
	struct linux_tms k;

	if (out) {
		usage_of_self(&self);
		lock_take(&process_tree_lock);
		children = t->process->children_usage;
		lock_drop(&process_tree_lock);
		k = (struct linux_tms){to_ticks(&self.ru_utime), to_ticks(&self.ru_stime),
				       to_ticks(&children.ru_utime),
				       to_ticks(&children.ru_stime)};
		if (COPY_OUT(out, &k))
			return -EFAULT;
	}
	return clock_now(CLOCK_BOOTTIME) / (NSEC_PER_SEC / USER_HZ);
}

long sys_getrusage(struct task *t, int who, uaddr_t out)
{
	struct linux_rusage k;

	switch (who) {
	case RUSAGE_SELF:
		usage_of_self(&k);
		break;
	case RUSAGE_THREAD:
		usage_of_thread(&k);
		break;
	case RUSAGE_CHILDREN:
		lock_take(&process_tree_lock);
		k = t->process->children_usage;
		lock_drop(&process_tree_lock);
		break;
	default:
		return -EINVAL;
	}
	return COPY_OUT(out, &k);
}
