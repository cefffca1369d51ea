/* SPDX-License-Identifier: MIT */
/* clock.c - clocks of the machine, and arithmetic with times. */
#include "time/clock.h"

#include "host/host.h"
#include "time/wall_clock.h"

#define KNOWN                                                                            \
	(1U << CLOCK_REALTIME | 1U << CLOCK_MONOTONIC | 1U << CLOCK_MONOTONIC_RAW |      \
	 1U << CLOCK_REALTIME_COARSE | 1U << CLOCK_MONOTONIC_COARSE |                    \
	 1U << CLOCK_BOOTTIME | 1U << CLOCK_REALTIME_ALARM |                             \
	 1U << CLOCK_BOOTTIME_ALARM | 1U << CLOCK_TAI)

bool clock_is_known(int clock_id)
{
	return clock_id >= 0 && clock_id < MAX_CLOCKS && (KNOWN >> clock_id & 1);
}

static int without_alarm(int clock_id)
{
	if (clock_id == CLOCK_REALTIME_ALARM)
		return CLOCK_REALTIME;
	return clock_id == CLOCK_BOOTTIME_ALARM ? CLOCK_BOOTTIME : clock_id;
}

bool clock_is_alarm(int clock_id)
{
	return without_alarm(clock_id) != clock_id;
}

bool clock_can_be_set(int clock_id)
{
	return clock_id == CLOCK_REALTIME || clock_id == CLOCK_REALTIME_ALARM ||
	       clock_id == CLOCK_REALTIME_COARSE || clock_id == CLOCK_TAI;
}

nsec_t clock_now(int clock_id)
{
	clock_id = without_alarm(clock_id);
	return clock_can_be_set(clock_id) ? wall_clock_now(clock_id)
					  : host_clock(clock_id);
}

nsec_t clock_resolution(int clock_id)
{
	nsec_t res = 1;

	if (host_clock_getres(without_alarm(clock_id), &res))
		return 1;
	return res;
}

nsec_t nsec_add(nsec_t a, nsec_t b)
{
	nsec_t sum;

	return __builtin_add_overflow(a, b, &sum) ? NSEC_NEVER : sum;
}

nsec_t deadline_after(nsec_t wait)
{
	return nsec_add(clock_now(CLOCK_MONOTONIC), wait);
}

nsec_t deadline_on_clock(int clock_id, nsec_t t)
{
	nsec_t now;

	clock_id = without_alarm(clock_id);
	if (clock_id == CLOCK_MONOTONIC || t == NSEC_NEVER)
		return t;
	if (clock_can_be_set(clock_id))
		return wall_clock_deadline(clock_id, t);
	now = clock_now(clock_id);
	return t <= now ? 0 : deadline_after(t - now);
}

bool timespec_is_valid(const struct linux_timespec *ts)
{
	return ts->tv_sec >= 0 && ts->tv_nsec >= 0 && ts->tv_nsec < NSEC_PER_SEC;
}

nsec_t timespec_to_nsec(const struct linux_timespec *ts)
{
	if (ts->tv_sec < 0)
		return 0;
	if (ts->tv_sec >= NSEC_NEVER / NSEC_PER_SEC)
		return NSEC_NEVER;
	return ts->tv_sec * NSEC_PER_SEC + ts->tv_nsec;
}

struct linux_timespec nsec_to_timespec(nsec_t t)
{
	return (struct linux_timespec){t / NSEC_PER_SEC, t % NSEC_PER_SEC};
}

struct linux_timeval nsec_to_timeval(nsec_t t)
{
	return (struct linux_timeval){t / NSEC_PER_SEC, t % NSEC_PER_SEC / 1000};
}
