/* SPDX-License-Identifier: MIT */
/* segment.h - the memfd that holds all kernel data of a sandbox, and the boot area at its
 * end. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "core/boot.h"
#include "image.h"

/* Makes the segment with the image's data in it and maps the boot area, at its final
 * address, in this process. Returns the memfd. */
int segment_create(const struct image *image);

/* Maps the whole segment, over the reservation. */
void segment_map(int fd);

/* The parameters; after segment_create. */
static inline struct boot_params *boot_params(void)
{
	return (struct boot_params *)BOOT_PARAMS_ADDR; /* NOLINT: a fixed address */
}

/* Memory in the boot area, zeroed, never freed. Ends the process when it is used up. */
void *boot_alloc(size_t size);
char *boot_string(const char *s);

/* Where the first process' stack begins, 16-aligned. */
uint64_t boot_stack_top(void);
