/* SPDX-License-Identifier: MIT */
/* time.c - the host's clocks. */
#include "abi/time.h"
#include "host/host.h"
#include "host/linux/internal.h"

nsec_t host_clock(int clock_id)
{
	struct linux_timespec ts = {0, 0};

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
