/* SPDX-License-Identifier: MIT */
/* lock_stub.h - spinning locks and a plain panic, for unit tests of what needs
 * base/lock.h and base/panic.h but no host. Checks that locks are taken downwards in
 * rank. */
#pragma once
#include "base/lock.h"
#include "base/panic.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

static _Thread_local int stub_ranks[8];
static _Thread_local int stub_depth;

void lock_init(struct lock *l, enum lock_rank rank)
{
	l->word = 0;
	l->rank = (uint8_t)rank;
}

void lock_take(struct lock *l)
{
	if (stub_depth && stub_ranks[stub_depth - 1] >= l->rank)
		abort();
	stub_ranks[stub_depth++] = l->rank;
	while (__atomic_exchange_n(&l->word, 1, __ATOMIC_ACQUIRE))
		sched_yield();
}

void lock_drop(struct lock *l)
{
	stub_depth--;
	__atomic_store_n(&l->word, 0, __ATOMIC_RELEASE);
}

void panic(const char *fmt, ...)
{
	fprintf(stderr, "panic: %s\n", fmt);
	abort();
}
