/* SPDX-License-Identifier: MIT */
/* wall_clock.h - the sandbox's own CLOCK_REALTIME, and who must know when it is set.
 *
 * At first it is the host's. Once a program has set or adjusted it, it is a line over the
 * host's CLOCK_MONOTONIC: what the host does to its own CLOCK_REALTIME then changes
 * nothing. The line is read without a lock, by the guest too (arch/x86_64/vdso.S). While
 * the clock slews or a leap second is due the line holds to the next full second only;
 * the first who reads the clock after that draws the next piece, so nothing has to wake
 * up for it. */
#pragma once
#include "abi/time.h"
#include "abi/types.h"
#include "lib/list.h"

#define WALL_RATE_SHIFT 44

/* Offsets used by arch/x86_64/vdso.S; checked in wall_clock.c. */
struct wall_clock {
	uint32_t seq;	 /* 0: atomic: odd while it changes */
	uint32_t is_own; /* 4: atomic: 0: it is the host's, and all but zone means nothing
			  */
	nsec_t from;	 /* 8: CLOCK_MONOTONIC, at which */
	nsec_t base;	 /* 16: it read this */
	nsec_t until; /* 24: CLOCK_MONOTONIC: beyond that the line is to be drawn anew */
	int64_t rate; /* 32: what it gains in a nanosecond, in 2^-WALL_RATE_SHIFT */
	nsec_t tai;   /* 40: CLOCK_TAI - CLOCK_REALTIME */
	struct linux_timezone zone; /* 48: of settimeofday(2) */
};
extern struct wall_clock wall_clock;

/* clock_id: CLOCK_REALTIME, CLOCK_REALTIME_COARSE, CLOCK_TAI. Any locks may be held. */
nsec_t wall_clock_now(int clock_id);
/* The CLOCK_MONOTONIC time at which it will read t, or one before at which to look again.
 */
nsec_t wall_clock_deadline(int clock_id, nsec_t t);

/* Sets it. No locks are held, as for the next two. -EINVAL: before CLOCK_MONOTONIC began,
 * or too late. */
int wall_clock_set(nsec_t t) MUST_CHECK;
void wall_clock_set_zone(const struct linux_timezone *zone);
/* adjtimex(2), of a caller who has the right. Returns TIME_* or -errno. */
int wall_clock_adjust(struct linux_timex *tx) MUST_CHECK;

/* For objects that wait for a time on a clock that can be set. */
struct clock_watch {
	struct list link;
	/* The clock runs differently from now on: was_set: it has jumped. The list's lock
	 * is held: no locks above RANK_CLOCK_WATCH may be taken. */
	void (*func)(struct clock_watch *w, bool was_set);
};
void clock_watch_add(struct clock_watch *w);
/* Waits for a func that runs. Fine for one that is not on the list. */
void clock_watch_del(struct clock_watch *w);
