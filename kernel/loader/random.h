/* SPDX-License-Identifier: MIT */
/* random.h - random numbers for address space layout. */
#pragma once
#include "abi/types.h"

/* bits (< 64) random bits from the host. */
uint64_t random_bits(unsigned bits);
