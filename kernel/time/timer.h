/* SPDX-License-Identifier: MIT */
/* timer.h - functions to be called at a time.
 *
 * One queue for the sandbox; one kernel thread, of the first host process, runs what is
 * due. Sleeping tasks do not need it: they pass their deadline to the host. */
#pragma once
#include "abi/types.h"
#include "lib/tree.h"

struct timer;
/* Called on the timer thread, which has no task, without locks. The timer is off the
 * queue and may be armed again. Must not sleep. */
typedef void (*timer_func_t)(struct timer *t);

struct timer {
	struct tree_node node; /* in the queue by deadline: the queue's lock */
	nsec_t deadline;       /* CLOCK_MONOTONIC */
	timer_func_t func;
	bool armed;
};

void timer_init(struct timer *t, timer_func_t func);
/* (Re)arms for a CLOCK_MONOTONIC deadline. Any lock down to RANK_TIMER may be held. */
void timer_arm(struct timer *t, nsec_t deadline);
/* Takes it off the queue. func may still be running. */
void timer_disarm(struct timer *t);
/* The same, and waits until func does not run any more: then t may be freed. The caller
 * holds no lock that func takes, and nobody arms it again. */
void timer_shutdown(struct timer *t);

/* The timer thread: runs what is due. Returns the next deadline, NSEC_NEVER if there is
 * none. */
nsec_t timer_run_expired(void);
/* Wakes the timer thread, which is to call timer_run_expired(): an earlier deadline was
 * set. Called with locks held. NULL until there is such a thread. */
extern void (*timer_kick)(void);
