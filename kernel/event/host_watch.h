/* SPDX-License-Identifier: MIT */
/* host_watch.h - being told when a host descriptor is ready, without a task that waits
 * for it. */
#pragma once
#include "abi/types.h"

struct cpu;
struct host_watch;
/* Called in the watcher's host process, which has no task to speak of, with a lock of
 * RANK_OBJECT2 held. events: EPOLL*. */
typedef void (*host_watch_func_t)(struct host_watch *w, uint32_t events);

struct host_watch {
	host_watch_func_t func;
	int fd;	       /* a duplicate, or -1: not watching */
	uint32_t id;   /* watch_lock */
	uint64_t name; /* what the host calls it */
};

static inline void host_watch_init(struct host_watch *w, host_watch_func_t func)
{
	w->func = func;
	w->fd = -1;
}

/* Watches fd. events: EPOLL*, with EPOLLONESHOT or EPOLLET. 0, -ENOMEM, -EMFILE … */
int host_watch_add(struct host_watch *w, int fd, uint32_t events) MUST_CHECK;
/* Stops; when it returns func runs no more. Fine for what was not added. */
void host_watch_remove(struct host_watch *w);

/* ---- for core/ ---- */

/* The watcher's host process: waits for the host, until host_watch_end(). */
NORETURN void host_watch_main(struct cpu *cpu);
void host_watch_end(void);
/* There is something to watch. */
bool host_watch_is_wanted(void);
/* Asks for a watcher: set at start-up. */
extern void (*host_watch_start)(void);
