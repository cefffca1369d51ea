/* SPDX-License-Identifier: MIT */
/* waitq.h - sleeping until something changes.
 *
 * A waiter checks its condition under the lock that guards it and calls waitq_sleep() in
 *a loop:
 *
 *	lock_take(&x->lock);
 *	while (!condition) {
 *		err = waitq_sleep(&x->changed, &x->lock, deadline);
 *		if (err)
 *			break;
 *	}
 *	lock_drop(&x->lock);
 *
 * Whoever makes the condition true does so under the same lock and then calls
 *waitq_wake_*(), with or without the lock. A wake-up with nobody asleep makes no host
 *call.
 *
 * Sleeping on several queues, or on queues and host descriptors (poll), is done with
 *struct wait_entry by hand: waitq_add() on each, then sleeper_wait() or host_poll, then
 *waitq_del() on each. Whoever does so on its stack claims it: claim.h. */
#pragma once
#include "abi/types.h"
#include "base/lock.h"
#include "lib/list.h"

/* Errors that say "interrupted": never seen by the guest. Signal delivery
 * (signal/restart.h) turns them into EINTR or a restart of the call, by Linux's rules. */
#define ERESTARTSYS	      512 /* restart if SA_RESTART or no handler */
#define ERESTARTNOINTR	      513 /* always restart */
#define ERESTARTNOHAND	      514 /* restart only if no handler ran */
#define ERESTART_RESTARTBLOCK 516 /* restart through restart_syscall(2) */

/* Why a task must not go back to the guest, nor sleep, before it has looked. */
enum work {
	WORK_SIGNAL = 1 << 0, /* an unblocked signal may be pending */
	WORK_KILL =
		1
		<< 1, /* the task must die: SIGKILL, group exit, exec by another thread */
	WORK_STOP = 1 << 2, /* a group stop is on */
	WORK_TASK = 1 << 3, /* process->task_work or other per-task jobs */
	WORK_GS =
		1 << 4, /* the guest owns %gs: leave by iretq; never interrupts a sleep */
	WORK_TRACE = 1 << 5, /* trace the next call: never interrupts a sleep */
};
#define WORK_INTERRUPTS (WORK_SIGNAL | WORK_KILL | WORK_STOP | WORK_TASK)

/* Must the current task die? To be asked between the parts of long work that does not
 * sleep. */
bool current_is_killed(void);

struct claim;

/* The part of a task that can be woken. First member of struct task. */
struct sleeper {
	uint32_t work; /* atomic: enum work */
	uint32_t wake; /* atomic: 0 awake, else asleep or about to be (a host futex word):
			  see waitq.c */
	uint32_t naps; /* own: counts sleeps in the host */
	uint16_t sleeps;     /* own: counts those without a spin, since the last try */
	uint16_t spin_pause; /* own: how many of them come before the next try */
	uint8_t spin_credit; /* own: how often to spin before sleeping */
	int host_eventfd;    /* host descriptor to write while polling_host, -1 if none */
	uint32_t polling_host; /* atomic: 1 while it sleeps in a host call that watches
				  host_eventfd */
	struct claim *claims;  /* own: claim.h: the last that was begun */
};

struct wait_entry;
/* Called with the queue's lock held; returns true when it consumed an exclusive wake-up.
 * key: poll bits. */
typedef bool (*wait_func_t)(struct wait_entry *e, uint32_t key);

struct wait_entry {
	struct list link; /* in waitq.entries; self-linked when off the queue */
	struct sleeper *sleeper;
	wait_func_t func; /* NULL: wake the sleeper */
	bool exclusive;
	bool woken;
};

struct waitq {
	struct lock lock; /* RANK_WAITQ */
	struct list entries;
};

void waitq_init(struct waitq *q);

/* Drops lock (may be NULL), sleeps until woken, retakes lock. deadline: CLOCK_MONOTONIC
 * or NSEC_NEVER. Returns 0 (woken, perhaps spuriously), -ETIMEDOUT or -ERESTARTSYS (work
 * is pending). */
int waitq_sleep(struct waitq *q, struct lock *lock,
		nsec_t deadline) MUST_CHECK NO_LOCK_CHECK;
/* The same, one waiter of those per waitq_wake_one(). */
int waitq_sleep_exclusive(struct waitq *q, struct lock *lock,
			  nsec_t deadline) MUST_CHECK NO_LOCK_CHECK;
/* The same, but only WORK_KILL ends it early. */
int waitq_sleep_killable(struct waitq *q, struct lock *lock,
			 nsec_t deadline) MUST_CHECK NO_LOCK_CHECK;

/* The same, and nothing ends it early: for what is sure to come soon. */
int waitq_sleep_deaf(struct waitq *q, struct lock *lock,
		     nsec_t deadline) MUST_CHECK NO_LOCK_CHECK;

/* key: poll bits that became true, or 0 for "any". */
void waitq_wake_all(struct waitq *q, uint32_t key);
/* Wakes every non-exclusive waiter and one exclusive one. */
void waitq_wake_one(struct waitq *q, uint32_t key);
bool waitq_is_empty(struct waitq *q);

/* By hand: put e on q (e->sleeper and func set by wait_entry_init). */
void wait_entry_init(struct wait_entry *e, wait_func_t func);
void waitq_add(struct waitq *q, struct wait_entry *e);
void waitq_del(struct waitq *q, struct wait_entry *e);

/* Announces that the current task is about to sleep: wake-ups from here on are not lost.
 */
void sleeper_prepare(void);
/* Sleeps unless woken since sleeper_prepare(). Bits of mask in work end it. Returns 0,
 * -ETIMEDOUT, -ERESTARTSYS. */
int sleeper_wait(nsec_t deadline, uint32_t mask) MUST_CHECK;
/* The same, coming back after any interruption too, or when (*work & mask) is not 0. For
 * the first host process. */
void sleeper_wait_once(nsec_t deadline, const uint32_t *work, uint32_t mask);
/* The task goes into a host call that a wake-up does not end, only a kick: whoever has
 * had work for it before has been seen when the host call looks for that. */
void sleeper_rely_on_kicks(void);
/* The task did not sleep after all. */
void sleeper_cancel(void);
/* Wakes one sleeper; false when it was not asleep. A thread that holds locks calls the
 * host for it only when it drops the last of them, or sleeps: what the woken does first
 * is to take one of those locks. */
bool sleeper_wake(struct sleeper *s);
/* Does that now: before a host call that may block with locks held. */
void sleepers_rouse(void);
