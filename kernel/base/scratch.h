/* SPDX-License-Identifier: MIT */
/* scratch.h - memory that a task has for the length of a call, in which it may sleep: it
 * is given back also if the task is killed by an outside hand meanwhile (claim.h). */
#pragma once
#include "base/claim.h"

struct scratch {
	struct claim claim;
	void *data;
	uint32_t order; /* of its pages, unless it is kmalloc'ed */
};

/* Zeroed memory of size bytes, or NULL: then there is nothing to free. s lies on the
 * caller's stack. */
void *scratch_alloc(struct scratch *s, size_t size) MUST_CHECK;
/* 2^order pages, with anything in them. */
void *scratch_pages(struct scratch *s, uint32_t order) MUST_CHECK;
void scratch_free(struct scratch *s);
