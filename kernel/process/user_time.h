/* SPDX-License-Identifier: MIT */
/* user_time.h - times in guest memory. */
#pragma once
#include "abi/types.h"

struct linux_timespec;

/* Reads a timespec that must be valid. 0, -EFAULT, -EINVAL. */
int timespec_copy_in(nsec_t *out, uaddr_t addr) MUST_CHECK;
int timespec_copy_out(uaddr_t addr, nsec_t t) MUST_CHECK;
