/* SPDX-License-Identifier: MIT */
/* limits.h - resource limits: the caller's are the guest's, the host's are as high as
 * they go. */
#pragma once
#include <stdint.h>

enum { LIMIT_COUNT = 16 };

struct limits {
	uint64_t of[LIMIT_COUNT][2]; /* RLIMIT_*: soft, hard */
};

void limits_read(struct limits *out);

/* Raises the soft limits that the sandbox as a whole would run into (descriptors, address
 * space, file size …) to the hard ones, and turns core files off. */
void limits_raise(const struct limits *l);

/* How many descriptors the calling process may have open. */
uint64_t limits_descriptors(void);
/* Undoes limits_raise. */
void limits_restore(const struct limits *l);
