/* SPDX-License-Identifier: MIT */
/* random.c - see random.h. */
#include "loader/random.h"

#include "abi/prctl.h"
#include "host/host.h"
#include "process/task.h"

uint64_t random_bits(unsigned bits)
{
	uint64_t v = 0;

	if (current()->process->personality & ADDR_NO_RANDOMIZE)
		return 0;
	(void)host_getrandom(&v, sizeof(v));
	return v & ((1UL << bits) - 1);
}
