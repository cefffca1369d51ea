/* SPDX-License-Identifier: MIT */
/* symbols.c - looks kernel text addresses up in the symbol table of the image. */
#include "base/symbols.h"

extern const char kernel_text_start[]; /* kernel.lds */
extern const char kernel_text_end[];

const char *symbol_find(uint64_t addr, uint64_t *offset)
{
	uint64_t start = (uintptr_t)kernel_text_start;
	uint64_t end = (uintptr_t)kernel_text_end;
	uint32_t low = 0; /* symbols before low start at or before addr */
	uint32_t high = kernel_symbol_count;

	if (addr < start || addr >= end)
		return NULL;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (kernel_symbols[middle].offset <= addr - start)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0)
		return NULL;
	*offset = addr - start - kernel_symbols[low - 1].offset;
	return kernel_symbol_names + kernel_symbols[low - 1].name;
}
