/* SPDX-License-Identifier: MIT */
/* random.h - random numbers for what exec makes, from the host. */
#pragma once
#include "abi/types.h"

/* At most 256 bytes. */
void random_bytes(void *out, size_t size);
/* For address space layout: bits (< 64) random bits; 0 if the current process wants none.
 */
uint64_t random_bits(unsigned bits);
