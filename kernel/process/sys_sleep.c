/* SPDX-License-Identifier: MIT */
/* sys_sleep.c - nanosleep(2), clock_nanosleep(2). A task sleeps in the host until its
 * deadline. */
#include "abi/errno.h"
#include "abi/syscall.h"
#include "abi/time.h"
#include "mm/usercopy.h"
#include "process/cpu_clock.h"
#include "process/task.h"
#include "process/user_time.h"
#include "time/clock.h"

#define CPU_STEP_MIN 1000000 /* ns between looks at a CPU time clock */

/* Sleeps until the deadline (0) or work for the task (-ERESTARTSYS). */
static int sleep_until(nsec_t deadline)
{
	int err;

	do {
		sleeper_prepare();
		err = sleeper_wait(deadline, WORK_INTERRUPTS);
	} while (!err);
	return err == -ETIMEDOUT ? 0 : err;
}

static long restart_sleep(struct task *t);

/* The deadline of an interrupted relative sleep stays in the task, for
 * restart_syscall(2). */
static long sleep_relative(struct task *t, nsec_t deadline, uaddr_t rem)
{
	nsec_t left;

	if (!sleep_until(deadline))
		return 0;
	left = deadline == NSEC_NEVER ? NSEC_NEVER
				      : deadline - clock_now(CLOCK_MONOTONIC);
	if (left <= 0)
		return 0;
	if (rem && timespec_copy_out(rem, left))
		return -EFAULT;
	t->restart = restart_sleep;
	t->restart_arg[0] = (uint64_t)deadline;
	t->restart_arg[1] = rem;
	return -ERESTART_RESTARTBLOCK;
}

static long restart_sleep(struct task *t)
{
	return sleep_relative(t, (nsec_t)t->restart_arg[0], t->restart_arg[1]);
}

static long sleep_absolute(int clock, nsec_t time)
{
	struct deadline d = {clock, time};
	int err;

	do {
		sleeper_prepare();
		err = deadline_sleep(&d, WORK_INTERRUPTS);
	} while (!err);
	return err == -ETIMEDOUT ? 0 : -ERESTARTNOHAND;
}

/* On CPU time: only the other threads of a process let it go on. */
static long sleep_cpu_time(const struct cpu_clock *c, nsec_t time, bool absolute)
{
	nsec_t now;
	int err = cpu_clock_read(c, &now);

	if (!absolute)
		time = nsec_add(time, err ? 0 : now);
	while (!err && now < time) {
		err = sleep_until(deadline_after(MAX((time - now) / 64, CPU_STEP_MIN)));
		if (!err)
			err = cpu_clock_read(c, &now);
	}
	return err == -ERESTARTSYS ? -ERESTARTNOHAND : err;
}

long sys_nanosleep(struct task *t, uaddr_t req, uaddr_t rem)
{
	nsec_t time;
	int err = timespec_copy_in(&time, req);

	return err ? err : sleep_relative(t, deadline_after(time), rem);
}

/* 0, or why one cannot sleep on it. */
static int clock_check(int clock)
{
	if (clock == CLOCK_THREAD_CPUTIME_ID || clock == CLOCK_MONOTONIC_RAW ||
	    clock == CLOCK_REALTIME_COARSE || clock == CLOCK_MONOTONIC_COARSE ||
	    clock_is_alarm(clock) || clock_id_is_fd(clock))
		return -EOPNOTSUPP;
	return clock < 0 || clock == CLOCK_PROCESS_CPUTIME_ID || clock_is_known(clock)
		       ? 0
		       : -EINVAL;
}

long sys_clock_nanosleep(struct task *t, int clock, int flags, uaddr_t req, uaddr_t rem)
{
	struct cpu_clock cpu;
	nsec_t time;
	int err = clock_check(clock);

	if (!err)
		err = timespec_copy_in(&time, req);
	if (err)
		return err;
	if (clock < 0 || clock == CLOCK_PROCESS_CPUTIME_ID) {
		/* For its own time a thread would wait for ever. */
		if (!cpu_clock_parse(clock, &cpu) ||
		    (cpu.is_thread && (!cpu.id || cpu.id == t->tid)))
			return -EINVAL;
		return sleep_cpu_time(&cpu, time, flags & TIMER_ABSTIME);
	}
	if (flags & TIMER_ABSTIME)
		return sleep_absolute(clock, time);
	return sleep_relative(t, deadline_after(time), rem);
}
