/* SPDX-License-Identifier: MIT */
/* clock.h - what time it is, for the whole kernel. */
#pragma once
#include "abi/time.h"
#include "abi/types.h"

/* A clock of the machine (CLOCK_REALTIME, MONOTONIC, BOOTTIME, TAI, their COARSE and RAW
 * kin). CPU time clocks are in process/cpu_clock.h. */
nsec_t clock_now(int clock_id);
/* Is clock_id one that clock_now() knows? */
bool clock_is_known(int clock_id);
/* Nanoseconds between two ticks of the clock. */
nsec_t clock_resolution(int clock_id);
/* One of those that wake a sleeping machine, by its real-time clock, which there is not:
 * it can be read, and timerfd takes it; everything else refuses it. */
bool clock_is_alarm(int clock_id);
/* Can it jump? */
bool clock_can_be_set(int clock_id);

/* now + wait on CLOCK_MONOTONIC; NSEC_NEVER when that is beyond its end. */
nsec_t deadline_after(nsec_t wait);
/* The CLOCK_MONOTONIC deadline at which clock_id will read t, or a moment before at which
 * to look again: whoever waits for a clock that can be set waits by deadline_sleep() or
 * has a struct clock_watch. */
nsec_t deadline_on_clock(int clock_id, nsec_t t);

/* When a wait gives up: by CLOCK_MONOTONIC, or by a clock that may be set meanwhile. */
struct deadline {
	int clock;
	nsec_t at; /* NSEC_NEVER: never */
};
static inline struct deadline deadline_monotonic(nsec_t at)
{
	return (struct deadline){CLOCK_MONOTONIC, at};
}
/* sleeper_wait() until then: after sleeper_prepare(). It returns 0 also when the clock
 * has been set. */
int deadline_sleep(const struct deadline *d, uint32_t mask) MUST_CHECK;
/* waitq_sleep_exclusive() until then. */
struct waitq;
struct lock;
int deadline_sleep_exclusive(struct waitq *q, struct lock *lock,
			     const struct deadline *d) MUST_CHECK;

/* Sums and conversions that stop at NSEC_NEVER instead of overflowing. Negative times are
 * 0. */
nsec_t nsec_add(nsec_t a, nsec_t b);
bool timespec_is_valid(const struct linux_timespec *ts);
nsec_t timespec_to_nsec(const struct linux_timespec *ts);
struct linux_timespec nsec_to_timespec(nsec_t t);
struct linux_timeval nsec_to_timeval(nsec_t t);
