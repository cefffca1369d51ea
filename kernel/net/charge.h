/* SPDX-License-Identifier: MIT */
/* charge.h - what a message in a queue of a socket counts, as Linux counts its buffers.
 */
#pragma once
#include "abi/types.h"

enum {
	CHARGE_HEAD = 256, /* beside the data, and not in one piece with them */
	CHARGE_TAIL = 320, /* behind them */
	CHARGE_MIN = 512,
};

static inline uint32_t charge_of(size_t size)
{
	uint32_t data = (uint32_t)size + CHARGE_TAIL;
	uint32_t rounded = CHARGE_MIN;

	while (rounded < data && rounded < PAGE_SIZE * 4)
		rounded *= 2;
	return MAX(rounded, data) + CHARGE_HEAD;
}
