/* SPDX-License-Identifier: MIT */
/* host_wait.h - sleeping until a host descriptor is ready or a kernel object wakes the
 * task. */
#pragma once
#include "abi/poll.h"
#include "abi/types.h"

enum { HOST_SET_INSIDE = 12 };

/* Host descriptors to watch. The last place is kept for the task's own eventfd. */
struct host_set {
	struct linux_pollfd *fds; /* atomic: whoever buries a task looks at it */
	unsigned count;
	unsigned capacity; /* without the last place */
	struct linux_pollfd inside[HOST_SET_INSIDE + 1];
};

void host_set_init(struct host_set *s);
void host_set_fini(struct host_set *s);
/* Returns the place of fd in the set, or -ENOMEM. */
int host_set_add(struct host_set *s, int fd, uint32_t events) MUST_CHECK;

/* Asks the host what is ready now. Returns how many are. */
long host_set_ask(struct host_set *s);

/* Sleeps, between sleeper_prepare() and sleeper_cancel(), until one is ready, the current
 * task is woken, or work is pending. Returns how many are ready (0: woken, perhaps
 * spuriously), -ETIMEDOUT, -ERESTARTSYS or what the host answered: -ENOMEM, -EMFILE …
 * can_be_woken false: there is nobody who would. */
long host_set_wait(struct host_set *s, nsec_t deadline, bool can_be_woken);

struct sleeper;
/* When a task ends: its eventfd, if it has one, is kept for the next task that needs one.
 */
void host_wait_release(struct sleeper *s);
