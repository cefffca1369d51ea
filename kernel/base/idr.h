/* SPDX-License-Identifier: MIT */
/* idr.h - small integer ids, each with a pointer: pids, timers, watch descriptors.
 *
 * Kept in leaves of one page each, which come and go, under a directory: 503 ids a page.
 * Finding is two loads. The caller locks, also around idr_find(). */
#pragma once
#include "abi/types.h"

struct idr_leaf;

struct idr {
	struct idr_leaf *
		*leaves;     /* leaf i has the ids from i * IDR_LEAF_IDS on; or NULL */
	uint32_t leaf_count; /* size of the directory */
	uint32_t lowest;     /* all ids below are in use */
	uint32_t next;	     /* where idr_alloc_cyclic() goes on */
	uint32_t count;	     /* ids in use */
};

#define IDR_LEAF_IDS 503
#define IDR_ID_MAX   0x3fffffffU

#define IDR_INIT                                                                         \
	{                                                                                \
		.leaves = NULL                                                           \
	}

void idr_init(struct idr *t);

/* Frees what it occupies; the pointers are the caller's. It is then as after idr_init. */
void idr_fini(struct idr *t);

/* Gives p the lowest free id in [min, max], max <= IDR_ID_MAX. p may be NULL, to reserve
 * an id. Returns the id, -ENOSPC if all are in use, or -ENOMEM. */
int idr_alloc(struct idr *t, void *p, uint32_t min, uint32_t max) MUST_CHECK;

/* The same, but the next free id after the one given last, beginning at min again when
 * the end is reached: an id comes back as late as possible. */
int idr_alloc_cyclic(struct idr *t, void *p, uint32_t min, uint32_t max) MUST_CHECK;

/* Gives p this very id. 0, -EEXIST if it is in use, -ENOMEM. */
int idr_insert(struct idr *t, uint32_t id, void *p) MUST_CHECK;

/* The id's pointer; NULL if it is not in use. Any id may be asked for. */
void *idr_find(const struct idr *t, uint32_t id);

/* Exchanges the pointer of an id in use. Returns the old one. */
void *idr_replace(struct idr *t, uint32_t id, void *p);

/* Frees the id. Returns its pointer; NULL if it was not in use. */
void *idr_remove(struct idr *t, uint32_t id);

/* The lowest id in use from *id on, which is stored there, and its pointer, in *out
 *(NULL: not wanted). False past the last: for (uint32_t id = 0; idr_next(t, &id, &p);
 *id++) */
bool idr_next(const struct idr *t, uint32_t *id, void **out);
