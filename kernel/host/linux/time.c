/* SPDX-License-Identifier: MIT */
/* time.c - the host's clocks. */
#include "abi/time.h"
#include "base/cpu.h"
#include "host/host.h"
#include "host/linux/internal.h"

typedef int (*gettime_t)(int clock_id, struct linux_timespec *ts);
static size_t gettime_off; /* 0: none */

#define VDSO_CLOCKS                                                                      \
	(1U << CLOCK_REALTIME | 1U << CLOCK_MONOTONIC | 1U << CLOCK_REALTIME_COARSE |    \
	 1U << CLOCK_MONOTONIC_COARSE | 1U << CLOCK_BOOTTIME | 1U << CLOCK_TAI)

void host_clock_init(size_t gettime)
{
	gettime_off = gettime;
}

/* Where the host has no clock that user space can read, its vDSO makes a system call,
 * which traps, as it is not the kernel's: the handler then answers ENOSYS (cpu->in_vdso).
 */
static bool vdso_clock(int clock_id, struct linux_timespec *ts)
{
	struct cpu *c = cpu_self();
	int err;

	if (!gettime_off || !c->vdso_base || clock_id < 0 || clock_id > CLOCK_TAI ||
	    !(VDSO_CLOCKS >> clock_id & 1))
		return false;
	c->in_vdso = true;
	err = ((gettime_t)(c->vdso_base + gettime_off))(clock_id, ts); // NOLINT
	c->in_vdso = false;
	return !err;
}

nsec_t host_clock(int clock_id)
{
	struct linux_timespec ts = {0, 0};

	if (vdso_clock(clock_id, &ts))
		return ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
	(void)CALL(NR_clock_gettime, clock_id, &ts);
	return ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

int host_clock_getres(int clock_id, nsec_t *out)
{
	struct linux_timespec ts = {0, 0};
	int err = (int)CALL(NR_clock_getres, clock_id, &ts);

	if (!err)
		*out = ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
	return err;
}
