/* SPDX-License-Identifier: MIT */
/* deferred.h - work that is left to the kernel thread of the first host process, because
 * whoever found it to do holds locks that forbid it. */
#pragma once
#include "abi/types.h"
#include "lib/list.h"

struct deferred {
	struct list link; /* the queue's lock: self-linked when not queued */
	void (*func)(struct deferred *d);
};

/* func is called on the kernel thread, without locks, when d is off the queue and may be
 * queued again. It must not sleep for long. */
void deferred_init(struct deferred *d, void (*func)(struct deferred *d));
/* False: it is queued already. Any lock down to RANK_EPOLL may be held. */
bool deferred_queue(struct deferred *d);
/* True: func has not begun, and so sees all that was stored before. The same locks. */
bool deferred_is_queued(struct deferred *d);

/* The kernel thread: does what is queued. */
void deferred_run(void);
/* Wakes the kernel thread, which is to call deferred_run(). Called with locks held. */
extern void (*deferred_kick)(void);
