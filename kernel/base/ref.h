/* SPDX-License-Identifier: MIT */
/* ref.h - a count of references. Who drops the last one destroys the object. */
#pragma once
#include "lib/atomic.h"

struct ref {
	int count; /* atomic: never rises from 0 */
};

/* The creator holds the first reference. */
static inline void ref_init(struct ref *r)
{
	atomic_store_relaxed(&r->count, 1);
}

/* The caller holds a reference, or a lock that keeps one alive. */
static inline void ref_get(struct ref *r)
{
	int before = atomic_add(&r->count, 1);

	if (unlikely(before <= 0)) /* used after its end, or 2^31 references */
		__builtin_trap();
}

/* For finding an object whose owner may be dropping it: false if it is too late. */
static inline bool ref_get_unless_zero(struct ref *r)
{
	int count = atomic_load_relaxed(&r->count);

	while (count > 0)
		if (atomic_try_cas(&r->count, &count, count + 1))
			return true;
	return false;
}

/* True if that was the last one: the caller now destroys the object. */
static inline bool ref_put(struct ref *r) MUST_CHECK;
static inline bool ref_put(struct ref *r)
{
	int before = atomic_sub(&r->count, 1);

	if (unlikely(before <= 0))
		__builtin_trap();
	return before == 1;
}

/* For statistics and checks; outdated when it is read. */
static inline int ref_count(const struct ref *r)
{
	return atomic_load_relaxed(&r->count);
}
