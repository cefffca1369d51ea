/* SPDX-License-Identifier: MIT */
/* random.h - random numbers for address space layout. */
#pragma once
#include "abi/types.h"

/* bits (< 64) random bits from the host; 0 if the current process wants none. */
uint64_t random_bits(unsigned bits);
