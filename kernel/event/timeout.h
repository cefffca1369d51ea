/* SPDX-License-Identifier: MIT */
/* timeout.h - the timeouts of poll, select and their kin, as absolute times on
 * CLOCK_MONOTONIC.
 *
 * A deadline of 0 means "do not wait", NSEC_NEVER "wait for ever". */
#pragma once
#include "abi/types.h"

/* Milliseconds; negative: for ever. */
nsec_t deadline_from_ms(int timeout_ms);
/* A guest's struct timespec; 0: for ever. 0, -EFAULT, -EINVAL. */
int deadline_from_timespec(uaddr_t timeout, nsec_t *out) MUST_CHECK;
/* select's struct timeval, whose microseconds may exceed a second. */
int deadline_from_timeval(uaddr_t timeout, nsec_t *out) MUST_CHECK;

/* Ends a call with a timeout: writes back what is left of it, as Linux does whatever the
 * result, and says what the call answers: -ERESTARTNOHAND becomes -EINTR if the time
 * could not be written. */
long timeout_write_back(uaddr_t timeout, bool is_timeval, nsec_t deadline, long ret);
