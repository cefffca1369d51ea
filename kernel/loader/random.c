/* SPDX-License-Identifier: MIT */
/* random.c - see random.h. */
#include "loader/random.h"

#include "host/host.h"

uint64_t random_bits(unsigned bits)
{
	uint64_t v = 0;

	(void)host_getrandom(&v, sizeof(v));
	return v & ((1UL << bits) - 1);
}
