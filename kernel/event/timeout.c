/* SPDX-License-Identifier: MIT */
/* timeout.c - the timeouts of poll, select and their kin. */
#include "event/timeout.h"

#include "abi/errno.h"
#include "abi/time.h"
#include "base/waitq.h"
#include "mm/usercopy.h"
#include "process/task.h"
#include "time/clock.h"

#define STICKY_TIMEOUTS 0x4000000U /* personality(2) */

static nsec_t deadline_in(nsec_t timeout)
{
	return timeout > 0 ? deadline_after(timeout) : 0;
}

nsec_t deadline_from_ms(int timeout_ms)
{
	return timeout_ms < 0 ? NSEC_NEVER : deadline_in((nsec_t)timeout_ms * 1000000);
}

static int deadline_of(int64_t sec, int64_t nsec, nsec_t *out)
{
	if (sec < 0 || nsec < 0 || nsec >= NSEC_PER_SEC)
		return -EINVAL;
	*out = sec >= NSEC_NEVER / NSEC_PER_SEC ? NSEC_NEVER
						: deadline_in(sec * NSEC_PER_SEC + nsec);
	return 0;
}

int deadline_from_timespec(uaddr_t timeout, nsec_t *out)
{
	struct linux_timespec ts;

	if (!timeout) {
		*out = NSEC_NEVER;
		return 0;
	}
	if (COPY_IN(&ts, timeout))
		return -EFAULT;
	return deadline_of(ts.tv_sec, ts.tv_nsec, out);
}

int deadline_from_timeval(uaddr_t timeout, nsec_t *out)
{
	struct linux_timeval tv;
	int64_t sec;

	if (!timeout) {
		*out = NSEC_NEVER;
		return 0;
	}
	if (COPY_IN(&tv, timeout))
		return -EFAULT;
	if (__builtin_add_overflow(tv.tv_sec, tv.tv_usec / 1000000, &sec))
		return -EINVAL;
	return deadline_of(sec, tv.tv_usec % 1000000 * 1000, out);
}

long timeout_write_back(uaddr_t timeout, bool is_timeval, nsec_t deadline, long ret)
{
	struct linux_timespec left = {0, 0};
	bool is_sticky = current()->personality & STICKY_TIMEOUTS;

	if (!timeout || (deadline == 0 && !is_sticky))
		return ret;
	if (!is_sticky) {
		nsec_t t = deadline == NSEC_NEVER ? 0
						  : deadline - clock_now(CLOCK_MONOTONIC);

		if (deadline == NSEC_NEVER) /* too far to count: as it was */
			return ret;
		if (t > 0) {
			left.tv_sec = t / NSEC_PER_SEC;
			left.tv_nsec = t % NSEC_PER_SEC;
		}
		if (is_timeval)
			left.tv_nsec /= 1000;
		if (!COPY_OUT(timeout, &left))
			return ret;
	}
	return ret == -ERESTARTNOHAND ? -EINTR : ret;
}
