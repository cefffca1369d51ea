/* SPDX-License-Identifier: MIT */
/* wait.c - see wait.h. */
#include "ipc/wait.h"

#include "abi/errno.h"
#include "base/cpu.h"
#include "base/waitq.h"
#include "ipc/sysv.h"
#include "lib/atomic.h"
#include "process/task.h"

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

int ipc_wait(struct ipc_waiter *w, struct ipc_slot *s, struct list *list, nsec_t deadline,
	     void (*abandon)(struct ipc_waiter *w))
{
	struct task *t = current();
	int err;

	w->sleeper = &t->sleeper;
	w->slot = s;
	w->abandon = abandon;
	w->status = IPC_WAITS;
	list_add_tail(list, &w->link);
	t->ipc_waiter = w;
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
	t->ipc_waiter = NULL;
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

void sysv_abandon(struct task *t)
{
	struct ipc_waiter *w = t->ipc_waiter;

	if (!w)
		return;
	t->ipc_waiter = NULL;
	ipc_lock_slot(w->slot);
	if (w->status == IPC_WAITS)
		list_remove(&w->link);
	ipc_unlock(w->slot);
	if (w->abandon)
		w->abandon(w);
}
