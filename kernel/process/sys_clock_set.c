/* SPDX-License-Identifier: MIT */
/* sys_clock_set.c - clock_settime(2), settimeofday(2), adjtimex(2), clock_adjtime(2): of
 * the sandbox's own clock, which the host's never follows. */
#include "abi/capability.h"
#include "abi/errno.h"
#include "abi/syscall.h"
#include "mm/usercopy.h"
#include "process/cpu_clock.h"
#include "process/creds.h"
#include "process/task.h"
#include "process/user_time.h"
#include "time/clock.h"
#include "time/wall_clock.h"

#define TICK_MIN 9000 /* us in 1/100 s: a tenth off at most */
#define TICK_MAX 11000
#define ZONE_MAX (15 * 60)
#define FREQ_MAX (INT64_MAX / 65536000)

long sys_clock_settime(struct task *t, int clock, uaddr_t value)
{
	struct linux_timespec ts;
	struct cpu_clock cpu;
	nsec_t now;

	(void)t;
	if (clock != CLOCK_REALTIME && clock >= 0)
		return -EINVAL;
	if (COPY_IN(&ts, value))
		return -EFAULT;
	if (clock < 0) /* a descriptor's, of which there are none, or processor time */
		return cpu_clock_parse(clock, &cpu) && !cpu_clock_read(&cpu, &now)
			       ? -EPERM
			       : -EINVAL;
	if (!timespec_is_valid(&ts))
		return -EINVAL;
	if (!capable(CAP_SYS_TIME))
		return -EPERM;
	return wall_clock_set(timespec_to_nsec(&ts));
}

static int zone_set(const struct linux_timezone *zone)
{
	if (zone->tz_minuteswest > ZONE_MAX || zone->tz_minuteswest < -ZONE_MAX)
		return -EINVAL;
	wall_clock_set_zone(zone);
	return 0;
}

/* Linux takes the first zone that it is told as a sign that the clock runs on local time;
 * here, as on a machine that has been up for a while, it is only kept. */
long sys_settimeofday(struct task *t, uaddr_t tv, uaddr_t tz)
{
	struct linux_timeval k;
	struct linux_timezone zone;
	struct linux_timespec ts = {0, 0};
	int err = 0;

	(void)t;
	if (tv) {
		if (COPY_IN(&k, tv))
			return -EFAULT;
		if (k.tv_usec < 0 || k.tv_usec > 1000000)
			return -EINVAL;
		ts = (struct linux_timespec){k.tv_sec, k.tv_usec * 1000};
	}
	if (tz && COPY_IN(&zone, tz))
		return -EFAULT;
	if (tv && !timespec_is_valid(&ts))
		return -EINVAL;
	if (!capable(CAP_SYS_TIME))
		return -EPERM;
	if (tz)
		err = zone_set(&zone);
	return err || !tv ? err : wall_clock_set(timespec_to_nsec(&ts));
}

static int step_check(const struct linux_timex *tx)
{
	int64_t most = tx->modes & ADJ_NANO ? NSEC_PER_SEC : 1000000;

	if (!capable(CAP_SYS_TIME))
		return -EPERM;
	return tx->time.tv_usec < 0 || tx->time.tv_usec >= most ? -EINVAL : 0;
}

static int timex_check(const struct linux_timex *tx)
{
	if (tx->modes & ADJ_ADJTIME) {
		if (!(tx->modes & ADJ_OFFSET))
			return -EINVAL;
		if (!(tx->modes & ADJ_OFFSET_READONLY) && !capable(CAP_SYS_TIME))
			return -EPERM;
	} else {
		if (tx->modes && !capable(CAP_SYS_TIME))
			return -EPERM;
		if (tx->modes & ADJ_TICK && (tx->tick < TICK_MIN || tx->tick > TICK_MAX))
			return -EINVAL;
	}
	if (tx->modes & ADJ_SETOFFSET) {
		int err = step_check(tx);

		if (err)
			return err;
	}
	if (tx->modes & ADJ_FREQUENCY && (tx->freq > FREQ_MAX || tx->freq < -FREQ_MAX))
		return -EINVAL;
	return 0;
}

static long adjust(struct linux_timex *tx, uaddr_t buf)
{
	int state = timex_check(tx);

	if (!state)
		state = wall_clock_adjust(tx);
	return state >= 0 && COPY_OUT(buf, tx) ? -EFAULT : state;
}

long sys_adjtimex(struct task *t, uaddr_t buf)
{
	struct linux_timex tx;

	(void)t;
	return COPY_IN(&tx, buf) ? -EFAULT : adjust(&tx, buf);
}

long sys_clock_adjtime(struct task *t, int clock, uaddr_t buf)
{
	struct linux_timex tx;

	(void)t;
	if (COPY_IN(&tx, buf))
		return -EFAULT;
	if (clock == CLOCK_REALTIME)
		return adjust(&tx, buf);
	if (clock_id_is_fd(clock))
		return -EINVAL;
	return clock < 0 || clock == CLOCK_PROCESS_CPUTIME_ID ||
			       clock == CLOCK_THREAD_CPUTIME_ID || clock_is_known(clock)
		       ? -EOPNOTSUPP
		       : -EINVAL;
}
