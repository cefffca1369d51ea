/* SPDX-License-Identifier: MIT */
/* text.h - text that is cut where its buffer ends. */
#pragma once
#include "abi/types.h"

struct text {
	char *buf;
	size_t size; /* at least 1 */
	size_t len;
};

void text_add(struct text *t, const char *format, ...) PRINTF(2, 3);
/* Text as it is. */
void text_put(struct text *t, const char *data, size_t size);
/* "…" with escapes as in C, and dots after it if is_cut. */
void text_add_quoted(struct text *t, const void *data, size_t size, bool is_cut);
/* The same, every byte as \xNN. */
void text_add_quoted_hex(struct text *t, const void *data, size_t size, bool is_cut);
/* NULL, or in hexadecimal. */
void text_add_address(struct text *t, uint64_t addr);
