/* SPDX-License-Identifier: MIT */
/* wait.h - sleeping on an object of System V IPC until another task does what one waits
 * for.
 *
 * A waiter lies on its task's kernel stack, in a list of the object, under the slot's
 * lock. Whoever serves it does its operation in its place, takes it off the list, and
 * leaves the result in it: from then on neither needs the object. So waiters are served
 * in the order in which they came, and one that was served needs no lock. */
#pragma once
#include "abi/types.h"
#include "base/claim.h"
#include "ipc/ids.h"
#include "lib/list.h"

struct sleeper;

enum { IPC_WAITS = 1 }; /* status: not served yet; else 0 or -errno */

struct ipc_waiter {
	struct claim claim;
	struct list link;
	struct sleeper *sleeper;
	struct ipc_slot *slot;
	/* Frees what it has, after its task's host process is gone. */
	void (*abandon)(struct ipc_waiter *w);
	int status; /* atomic */
};

/* Puts w at the end of a list of the slot's object, drops the lock and sleeps. Returns
 * what it was served with, or -ETIMEDOUT, -ERESTARTSYS: it is in no list then. */
int ipc_wait(struct ipc_waiter *w, struct ipc_slot *s, struct list *list, nsec_t deadline,
	     void (*abandon)(struct ipc_waiter *w)) MUST_CHECK NO_LOCK_CHECK;
/* Serves w: it may be gone when this returns. The slot's lock is held. */
void ipc_serve(struct ipc_waiter *w, int status);
/* The same for all of a list. */
void ipc_serve_all(struct list *list, int status);
