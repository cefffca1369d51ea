/* SPDX-License-Identifier: MIT */
/* sys_sleep.c - nanosleep(2), clock_nanosleep(2). A task sleeps in the host until its
 * deadline. */
#include "abi/errno.h"
#include "abi/syscall.h"
#include "abi/time.h"
#include "mm/usercopy.h"
#include "process/cpu_clock.h"
#include "process/task.h"
#include "process/time_ns.h"
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

static long restart_cpu_sleep(struct task *t);

/* How long the clock needs at least: all tasks of the process but this one may run. Of
 * another process that is not known. */
static nsec_t cpu_step(const struct task *t, const struct cpu_clock *c, nsec_t left)
{
	int tasks = c->is_thread ? 1 : atomic_load(&t->process->live_tasks) - 1;

	if (!c->is_thread && c->id && c->id != t->process->pid)
		tasks = 64;
	return MAX(left / MAX(tasks, 1), CPU_STEP_MIN);
}

/* On CPU time: only the other threads of a process let it go on. */
static long sleep_cpu_until(struct task *t, int clock, nsec_t time, bool absolute,
			    uaddr_t rem)
{
	struct cpu_clock c;
	nsec_t now;
	int err = cpu_clock_parse(clock, &c) ? cpu_clock_read(&c, &now) : -EINVAL;

	while (!err && now < time) {
		err = sleep_until(deadline_after(cpu_step(t, &c, time - now)));
		if (!err)
			err = cpu_clock_read(&c, &now);
	}
	if (err != -ERESTARTSYS)
		return err;
	if (absolute)
		return -ERESTARTNOHAND;
	if (!cpu_clock_read(&c, &now) && now >= time)
		return 0;
	if (rem && timespec_copy_out(rem, time - now))
		return -EFAULT;
	t->restart = restart_cpu_sleep;
	t->restart_arg[0] = (uint64_t)time;
	t->restart_arg[1] = rem;
	t->restart_arg[2] = (uint64_t)clock;
	return -ERESTART_RESTARTBLOCK;
}

static long restart_cpu_sleep(struct task *t)
{
	return sleep_cpu_until(t, (int)t->restart_arg[2], (nsec_t)t->restart_arg[0],
			       false, t->restart_arg[1]);
}

static long sleep_cpu_time(struct task *t, int clock, nsec_t time, bool absolute,
			   uaddr_t rem)
{
	struct cpu_clock c;
	nsec_t now;
	int err;

	/* For its own time a thread would wait for ever. */
	if (!cpu_clock_parse(clock, &c) || (c.is_thread && (!c.id || c.id == t->tid)))
		return -EINVAL;
	err = cpu_clock_read(&c, &now);
	if (err)
		return err;
	if (!absolute)
		time = nsec_add(time, now);
	return sleep_cpu_until(t, clock, time, absolute, rem);
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
	nsec_t time;
	int err = clock_check(clock);

	if (!err)
		err = timespec_copy_in(&time, req);
	if (err)
		return err;
	if (clock < 0 || clock == CLOCK_PROCESS_CPUTIME_ID)
		return sleep_cpu_time(t, clock, time, flags & TIMER_ABSTIME, rem);
	if (flags & TIMER_ABSTIME)
		return sleep_absolute(clock, time_ns_to_machine(clock, time));
	return sleep_relative(t, deadline_after(time), rem);
}
