/* SPDX-License-Identifier: MIT */
/* user_time.c - times in guest memory. */
#include "process/user_time.h"

#include "abi/errno.h"
#include "mm/usercopy.h"
#include "time/clock.h"

int timespec_copy_in(nsec_t *out, uaddr_t addr)
{
	struct linux_timespec ts;

	if (COPY_IN(&ts, addr))
		return -EFAULT;
	if (!timespec_is_valid(&ts))
		return -EINVAL;
	*out = timespec_to_nsec(&ts);
	return 0;
}

int timespec_copy_out(uaddr_t addr, nsec_t t)
{
	struct linux_timespec ts = nsec_to_timespec(t);

	return COPY_OUT(addr, &ts);
}
