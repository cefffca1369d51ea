/* SPDX-License-Identifier: MIT */
/* cpu_call.c - jobs done by other host threads.
 *
 *	caller					handler on c
 *	c->call: NULL -> call			call = xchg(c->call, NULL)
 *	kick c					do it
 *	wait while state == PENDING		state = DONE, wake
 *
 * A caller that gives up takes its job back from c->call; when it is no longer there, the
 * handler is at work and will be done soon. A cpu area is never freed, and a job left in
 * one whose thread has ended is at worst taken by the next thread there, which finds that
 * it is not what was looked for. */
#include "base/cpu_call.h"

#include "abi/errno.h"
#include "abi/time.h"
#include "base/cpu.h"
#include "base/waitq.h"
#include "host/host.h"
#include "lib/atomic.h"

enum { IDLE, PENDING, DONE }; /* cpu_call.state; IDLE: c has not been given it */
#define LOOK_AGAIN (NSEC_PER_SEC / 500)
#define HANDLER_MAX                                                                      \
	(2 * NSEC_PER_SEC) /* no job takes that long in a thread that lives              \
			    */

void cpu_call_take(struct cpu *c)
{
	struct cpu_call *call = atomic_load_relaxed(&c->call);

	if (likely(!call))
		return;
	call = atomic_xchg(&c->call, NULL);
	if (!call)
		return;
	call->func(call, c->task);
	atomic_store_seq(&call->state, DONE);
	(void)host_futex_wake(&call->state, 1);
}

/* PENDING first: a handler may be done with it at once. */
static bool offer(struct cpu *c, struct cpu_call *call)
{
	atomic_store(&call->state, PENDING);
	if (atomic_cas(&c->call, NULL, call))
		return true;
	atomic_store(&call->state, IDLE);
	return false;
}

bool cpu_call_recall(struct cpu *c, struct cpu_call *call)
{
	return atomic_load(&call->state) != PENDING || atomic_cas(&c->call, call, NULL);
}

static void wait_a_little(struct cpu_call *call, uint32_t state, nsec_t until)
{
	if (atomic_load(&call->state) == state)
		(void)host_futex_wait(&call->state, state, until, cpu_self()->work,
				      WORK_KILL);
}

/* It was taken from c->call: the handler is at it. */
static int wait_for_handler(struct cpu_call *call)
{
	nsec_t end = host_clock(CLOCK_MONOTONIC) + HANDLER_MAX;

	while (atomic_load(&call->state) == PENDING) {
		if (host_clock(CLOCK_MONOTONIC) >= end)
			return -ETIMEDOUT;
		(void)host_futex_wait(&call->state, PENDING, end, NULL, 0);
	}
	return 0;
}

/* Why not to wait any longer, or 0. */
static int must_give_up(const struct cpu *c, struct cpu *const *owner, nsec_t now,
			nsec_t deadline)
{
	if (atomic_load(owner) != c || now >= deadline)
		return -ESRCH;
	return current_is_killed() ? -EINTR : 0;
}

int cpu_call_on(struct cpu *c, struct cpu *const *owner, struct cpu_call *call,
		nsec_t deadline)
{
	nsec_t now = host_clock(CLOCK_MONOTONIC);
	int err;

	while (!offer(c, call)) {
		err = must_give_up(c, owner, now, deadline);
		if (err)
			return err;
		wait_a_little(call, IDLE, now + LOOK_AGAIN / 20); /* for another's job */
		now = host_clock(CLOCK_MONOTONIC);
	}
	while (atomic_load(&call->state) == PENDING) {
		err = must_give_up(c, owner, now, deadline);
		if (err && atomic_cas(&c->call, call, NULL))
			return err;
		if (err || atomic_load(&c->call) != call)
			return wait_for_handler(call);
		host_kick(c->host_pid, c->host_tid);
		wait_a_little(call, PENDING, now + LOOK_AGAIN);
		now = host_clock(CLOCK_MONOTONIC);
	}
	return 0;
}
