/* SPDX-License-Identifier: MIT */
/* internal.h - between wall_clock.c and ntp.c. */
#pragma once
#include "time/wall_clock.h"

/* With the clock's lock held. The clock has been set: what was to be made good is not. */
void ntp_clear_locked(nsec_t mono);
/* The next piece of the line begins, at sec full seconds. *step gets what the clock must
 * jump by (a leap second), *tai what CLOCK_TAI does not. Returns true when the second
 * after this needs the same. */
bool ntp_second_locked(int64_t sec, nsec_t *step, nsec_t *tai);
/* Must it be called for the coming seconds? */
bool ntp_is_busy_locked(void);
/* What the clock gains, in 2^-WALL_RATE_SHIFT, until the next call of
 * ntp_second_locked(). */
int64_t ntp_rate_locked(void);
/* The rest of adjtimex(2): *tai as it was and will be, in seconds; *redraw: the rate, or
 * whether it is busy, may have changed. */
int ntp_adjust_locked(struct linux_timex *tx, nsec_t mono, nsec_t real, int32_t *tai,
		      bool *redraw);
