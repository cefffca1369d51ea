/* SPDX-License-Identifier: MIT */
/* poller.h - waits until one of several files is ready: the heart of poll(2) and
 * select(2). */
#pragma once
#include "abi/types.h"
#include "base/claim.h"
#include "event/host_wait.h"
#include "fs/fdtable.h"
#include "fs/poll.h"
#include "lib/atomic.h"

enum { POLLER_WAITERS_INSIDE = 8 };

struct poll_target {
	struct fdref ref; /* file NULL: got stays as the caller has set it */
	uint32_t want; /* bits that end the wait, POLLERR and POLLHUP among them if they
			  do */
	uint32_t got;
	int host; /* place in the host set, or -1 */
};

struct poll_waiter {
	struct wait_entry entry;
	struct waitq *queue;
	uint32_t key;
};

struct poll_waiter_page;

struct poller {
	struct claim claim;
	struct task *task; /* const */
	struct poll_target *targets;
	unsigned count; /* atomic: of targets that are filled in */
	struct poll_table table;
	struct poll_waiter_page *pages; /* atomic: for more than there is room inside */
	struct host_set host;
	bool has_epolls; /* that may come to have a host epoll */
	bool asks_host;	 /* some target is a host descriptor */
	bool is_registered;
	int err;
	void *memory; /* to be freed if the task dies by an outside hand; or NULL */
	unsigned inside_count; /* atomic */
	struct poll_waiter inside[POLLER_WAITERS_INSIDE];
};

/* Before the first file is looked up. memory: the targets, if they are not on the stack:
 * stays the caller's. */
void poller_init(struct poller *p, struct poll_target *targets, void *memory);
/* The next of the targets is filled in: from here on its file is the poller's. */
static inline void poller_target_added(struct poller *p)
{
	atomic_store(&p->count, p->count + 1);
}
/* Sleeps until a target has one of its bits, see timeout.h about deadline. Returns how
 * many targets are ready, -ERESTARTNOHAND (interrupted), -ENOMEM. */
long poller_run(struct poller *p, nsec_t deadline);
/* Leaves all queues and puts the files. */
void poller_fini(struct poller *p);
