/* SPDX-License-Identifier: MIT */
/* wait.c - see wait.h. */
#include "ipc/wait.h"

#include "abi/errno.h"
#include "base/cpu.h"
#include "base/waitq.h"
#include "lib/atomic.h"

/* Until it is served (0), the deadline, or work for the task. */
static int sleep_until_served(struct ipc_waiter *w, nsec_t deadline)
{
	int err = 0;

	while (!err) {
		err = sleeper_wait(deadline, WORK_INTERRUPTS);
		if (atomic_load(&w->status) != IPC_WAITS)
			return 0;
		if (err)
			break;
		sleeper_prepare();
		if (atomic_load(&w->status) != IPC_WAITS) {
			sleeper_cancel();
			return 0;
		}
	}
	return err;
}

static void abandon(struct claim *c)
{
	struct ipc_waiter *w = container_of(c, struct ipc_waiter, claim);

	ipc_lock_slot(w->slot);
	if (w->status == IPC_WAITS)
		list_remove(&w->link);
	ipc_unlock(w->slot);
	if (w->abandon)
		w->abandon(w);
}

int ipc_wait(struct ipc_waiter *w, struct ipc_slot *s, struct list *list, nsec_t deadline,
	     void (*give_up)(struct ipc_waiter *w))
{
	int err;

	w->sleeper = cpu_self()->sleeper;
	w->slot = s;
	w->abandon = give_up;
	w->status = IPC_WAITS;
	list_add_tail(list, &w->link);
	claim_begin(&w->claim, abandon);
	sleeper_prepare();
	ipc_unlock(s);
	err = sleep_until_served(w, deadline);
	if (err) {
		ipc_lock_slot(s);
		if (w->status == IPC_WAITS)
			list_remove(&w->link);
		else
			err = 0;
		ipc_unlock(s);
	}
	claim_end(&w->claim);
	return err ? err : w->status;
}

void ipc_serve(struct ipc_waiter *w, int status)
{
	struct sleeper *s = w->sleeper;

	list_remove(&w->link);
	atomic_store(&w->status, status);
	(void)sleeper_wake(s);
}

void ipc_serve_all(struct list *list, int status)
{
	struct list *l;

	while ((l = list_first(list)))
		ipc_serve(list_entry(l, struct ipc_waiter, link), status);
}
