/* SPDX-License-Identifier: MIT */
/* pipe_limits.h - how many pages the pipes of a user may have in all (pipe(7)). */
#pragma once
#include "abi/types.h"

enum { PIPE_PAGES_SMALL = 2 }; /* of a new pipe, beyond the soft limit */

/* fs.pipe-max-size, fs.pipe-user-pages-soft and -hard; the latter 0: none. atomic */
extern int pipe_max_size, pipe_pages_soft, pipe_pages_hard;

/* What a pipe counts for. */
struct pipe_charge {
	uid_t user;
	uint32_t pages;
};

/* Of a new pipe of the current user, that would have so many pages: *c says how many it
 * gets. -ENFILE: none. */
int pipe_charge_begin(struct pipe_charge *c, uint32_t pages) MUST_CHECK;
/* It gets another size. -EPERM: it may not grow. */
int pipe_charge_change(struct pipe_charge *c, uint32_t pages) MUST_CHECK;
void pipe_charge_end(struct pipe_charge *c);
