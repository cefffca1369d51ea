/* SPDX-License-Identifier: MIT */
/* sem.c - semaphore operations, and who waits for them. */
#include "ipc/sem.h"

#include "abi/errno.h"
#include "base/page.h"
#include "lib/atomic.h"

int sem_limits[SEM_LIMITS] = {SEMMSL, SEMMNS, SEMOPM};
int sem_total;

/* ---- memory ---- */

/* What all of it may be of the kernel's. */
enum { MEMORY_SHARE = 64 };

static size_t memory; /* atomic */

int sem_charge(size_t size)
{
	struct page_stats stats;

	page_get_stats(&stats);
	if (atomic_add(&memory, size) + size <= stats.total / MEMORY_SHARE << PAGE_SHIFT)
		return 0;
	sem_uncharge(size);
	return -ENOSPC;
}

void sem_uncharge(size_t size)
{
	(void)atomic_sub(&memory, size);
}

/* ---- operations ---- */

/* One operation: 0, -ERANGE, or IPC_WAITS. */
static int try_one(struct sem_set *set, const struct linux_sembuf *op,
		   struct sem_undo *undo)
{
	struct semaphore *sem = &set->sems[op->sem_num];
	int value = sem->value + op->sem_op;

	if (!op->sem_op && value)
		return IPC_WAITS;
	if (value < 0)
		return IPC_WAITS;
	if (value > SEMVMX)
		return -ERANGE;
	if (op->sem_flg & SEM_UNDO) {
		int adjust = undo->adjust[op->sem_num] - op->sem_op;

		if (adjust < -SEMVMX - 1 || adjust > SEMVMX)
			return -ERANGE;
		undo->adjust[op->sem_num] = (int16_t)adjust;
	}
	sem->value = value;
	return 0;
}

static void take_back(struct sem_set *set, const struct linux_sembuf *op,
		      struct sem_undo *undo)
{
	set->sems[op->sem_num].value -= op->sem_op;
	if (op->sem_flg & SEM_UNDO)
		undo->adjust[op->sem_num] =
			(int16_t)(undo->adjust[op->sem_num] + op->sem_op);
}

int sem_try(struct sem_set *set, struct sem_waiter *w)
{
	unsigned done = 0;
	int err = 0;

	while (done < w->count) {
		err = try_one(set, &w->ops[done], w->undo);
		if (err)
			break;
		done++;
	}
	if (likely(!err)) {
		for (unsigned i = 0; i < done; i++)
			set->sems[w->ops[i].sem_num].pid = w->pid;
		return 0;
	}
	w->blocking = &w->ops[done];
	while (done--)
		take_back(set, &w->ops[done], w->undo);
	if (err == IPC_WAITS && (w->blocking->sem_flg & IPC_NOWAIT))
		err = -EAGAIN;
	return err;
}

/* ---- who waits ---- */

static struct sem_waiter *waiter_at(struct list *l)
{
	return container_of(list_entry(l, struct ipc_waiter, link), struct sem_waiter,
			    wait);
}

static void serve(struct sem_set *set, struct sem_waiter *w, int err)
{
	if (!err)
		set->otime = ipc_now();
	ipc_serve(&w->wait, err);
}

static void serve_zeroers(struct sem_set *set)
{
	struct list *l;
	struct list *after;

	list_for_each_safe(l, after, &set->zeroers)
	{
		struct sem_waiter *w = waiter_at(l);
		int err = sem_try(set, w);

		if (err != IPC_WAITS)
			serve(set, w, err);
	}
}

/* Where a look at the changers has come to. */
struct scan {
	struct list *at;
	bool has_passed_complex; /* some that wait with several operations stay behind */
};

/* Serves the next that can be: false when there is none. */
static bool serve_next(struct sem_set *set, struct scan *scan)
{
	while (scan->at != &set->changers) {
		struct sem_waiter *w = waiter_at(scan->at);
		int err = sem_try(set, w);
		bool is_complex = w->count > 1;

		scan->at = scan->at->next;
		if (err == IPC_WAITS) {
			scan->has_passed_complex |= is_complex;
			continue;
		}
		serve(set, w, err);
		serve_zeroers(set);
		/* One operation alone that had to wait took something away, which is
		 * what no other such waits for. */
		if (!err && (is_complex || scan->has_passed_complex))
			*scan = (struct scan){set->changers.next, false};
		return true;
	}
	return false;
}

void sem_changed(struct sem_set *set)
{
	struct scan scan = {set->changers.next, false};

	serve_zeroers(set);
	while (serve_next(set, &scan))
		;
}

void sem_ops_done(struct sem_set *set, const struct linux_sembuf *ops, unsigned count)
{
	if (likely(list_is_empty(&set->changers) && list_is_empty(&set->zeroers)))
		return;
	for (unsigned i = 0; i < count; i++) {
		/* More than there was, or nothing left. */
		if (ops[i].sem_op > 0 ||
		    (ops[i].sem_op && !set->sems[ops[i].sem_num].value)) {
			sem_changed(set);
			return;
		}
	}
}

void sem_set_remove(struct sem_set *set)
{
	sem_undo_forget(set);
	ipc_remove(&sem_ids, &set->ipc);
	ipc_serve_all(&set->changers, -EIDRM);
	ipc_serve_all(&set->zeroers, -EIDRM);
	(void)atomic_sub(&sem_total, (int)set->count);
	sem_uncharge(sem_set_size(set->count));
}
