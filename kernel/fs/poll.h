/* SPDX-License-Identifier: MIT */
/* poll.h - asking a file what it is ready for.
 *
 * file_poll(f, pt) returns the POLL* bits that are true now. With a poll_table it first
 * tells it the wait queues on which a change will be announced, so that none is missed. A
 * file with host_poll_fd >= 0 is ready when that host descriptor is: file_poll() then
 * returns what the operation says (if it has one: bits known without asking) and the
 * poller asks the host. Wake-ups carry the bits that became true as their key (0: any).
 */
#pragma once
#include "abi/poll.h"
#include "abi/types.h"

struct file;
struct process;
struct waitq;

struct poll_table {
	/* Adds a wait_entry of the poller's to q. NULL: nobody waits. */
	void (*add)(struct poll_table *pt, struct waitq *q);
	uint32_t events; /* what the poller is interested in; POLLERR|POLLHUP always */
	void *private;
	/* Whose signals a signalfd is asked for; NULL: current()'s. Borrowed. */
	const struct process *process;
};

#define POLL_READABLE (POLLIN | POLLRDNORM)
#define POLL_WRITABLE (POLLOUT | POLLWRNORM)

/* For the operations. pt may be NULL. */
static inline void poll_wait(struct poll_table *pt, struct waitq *q)
{
	if (pt && pt->add)
		pt->add(pt, q);
}

uint32_t file_poll(struct file *f, struct poll_table *pt);
