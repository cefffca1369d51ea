/* SPDX-License-Identifier: MIT */
/*
 * symbols.h - names for kernel text addresses, for panics and backtraces.
 *
 * The table is made by tools/gen-symbols from a first link of the kernel and linked into
 * the second one. It is read-only: usable at any time, under any lock, in a signal
 * handler.
 */
#pragma once
#include "abi/types.h"

struct symbol {
	uint32_t offset; /* of the function's start from kernel_text_start */
	uint32_t name;	 /* where its name starts in kernel_symbol_names */
};

extern const struct symbol kernel_symbols[]; /* sorted by offset */
extern const uint32_t kernel_symbol_count;
extern const char kernel_symbol_names[];

/* Names the function that holds kernel text address addr, and sets *offset to how far
 * into it addr lies. Returns NULL, *offset untouched, for an address that is not kernel
 * text or lies before the first function. Never sleeps, takes no lock. */
const char *symbol_find(uint64_t addr, uint64_t *offset);
