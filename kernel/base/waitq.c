/* SPDX-License-Identifier: MIT */
/* waitq.c - sleeping and waking.
 *
 * sleeper.wake is not AWAKE from sleeper_prepare() until somebody wakes the task. The
 *waker changes the condition, then exchanges the word with AWAKE, and calls the host only
 *if the task had gone as far as that:
 *
 *	sleeper					waker
 *	wake = SPINNING
 *	check condition				change condition
 *	spin a little, perhaps
 *	wake: SPINNING -> ASLEEP		before = xchg(wake, AWAKE)
 *	host wait while wake == ASLEEP		if before == ASLEEP: host wake
 *
 * All steps are sequentially consistent or under the condition's lock, so either the
 *sleeper sees the new condition, or the waker sees that it is not awake. */
#include "base/waitq.h"

#include "abi/errno.h"
#include "base/claim.h"
#include "base/cpu.h"
#include "host/host.h"
#include "lib/atomic.h"

enum { AWAKE, SPINNING, ASLEEP }; /* sleeper.wake */
enum { SPIN_ROUNDS = 1000, SPIN_CREDIT_MAX = 16 };
enum { SPIN_PAUSE_MIN = 32, SPIN_PAUSE_MAX = 1024 }; /* sleeps without a try to spin */

void waitq_init(struct waitq *q)
{
	lock_init(&q->lock, RANK_WAITQ);
	list_init(&q->entries);
}

void wait_entry_init(struct wait_entry *e, wait_func_t func)
{
	list_init(&e->link);
	e->sleeper = cpu_self()->sleeper;
	e->func = func;
	e->exclusive = false;
	e->woken = false;
}

void waitq_add(struct waitq *q, struct wait_entry *e)
{
	lock_take(&q->lock);
	if (e->exclusive)
		list_add_tail(&q->entries, &e->link);
	else
		list_add_head(&q->entries, &e->link);
	lock_drop(&q->lock);
}

void waitq_del(struct waitq *q, struct wait_entry *e)
{
	lock_take(&q->lock);
	list_remove(&e->link);
	lock_drop(&q->lock);
}

/* A wake-up that was the dead one's alone is another's. */
static void place_abandon(struct claim *c)
{
	struct wait_place *p = container_of(c, struct wait_place, claim);

	if (!atomic_load(&p->entry.woken))
		waitq_del(p->queue, &p->entry);
	if (p->entry.exclusive && p->entry.woken)
		waitq_wake_one(p->queue, 0);
}

void wait_place_take(struct wait_place *p, struct waitq *q, wait_func_t func,
		     bool is_exclusive)
{
	wait_entry_init(&p->entry, func);
	p->entry.exclusive = is_exclusive;
	p->queue = q;
	claim_begin(&p->claim, place_abandon);
	waitq_add(q, &p->entry);
}

static void place_quit(struct wait_place *p)
{
	/* An entry that a wake-up took off its queue needs no lock to leave it. */
	if (!atomic_load(&p->entry.woken))
		waitq_del(p->queue, &p->entry);
}

void wait_place_leave(struct wait_place *p)
{
	place_quit(p);
	claim_end(&p->claim);
}

void sleeper_prepare(void)
{
	(void)atomic_xchg(&cpu_self()->sleeper->wake, SPINNING);
}

void sleeper_rely_on_kicks(void)
{
	(void)atomic_xchg(&cpu_self()->sleeper->wake, AWAKE);
}

void sleeper_cancel(void)
{
	atomic_store(&cpu_self()->sleeper->wake, AWAKE);
}

/* Looks at the wake word for some 25 us, if that has paid lately: true when it was woken.
 * That is as long as it takes to wake a partner on a processor that sleeps, so that of
 * two who pass a word to and fro both come to spin, and neither sleeps again. The chance
 * to prove that it pays comes after SPIN_PAUSE_MIN sleeps; in a wait that is long, or on
 * a busy machine, it does not, and the credit is soon used up. Each vain try doubles the
 * pause to the next: where two share a processor none can ever pay, and a try takes as
 * long as ten sleeps.
 */
static bool sleeper_spin(struct sleeper *s)
{
	if (!s->spin_credit) {
		if (++s->sleeps < MAX(s->spin_pause, SPIN_PAUSE_MIN))
			return false;
		s->sleeps = 0;
		s->spin_credit = 1;
	}
	for (int i = 0; i < SPIN_ROUNDS; i++) {
		if (atomic_load_relaxed(&s->wake) == AWAKE) {
			s->spin_credit =
				(uint8_t)MIN(s->spin_credit + 2, SPIN_CREDIT_MAX);
			s->spin_pause = SPIN_PAUSE_MIN;
			return true;
		}
		cpu_relax();
	}
	if (!--s->spin_credit)
		s->spin_pause = (uint16_t)MIN(MAX(2 * s->spin_pause, SPIN_PAUSE_MIN),
					      SPIN_PAUSE_MAX);
	return false;
}

int sleeper_wait(nsec_t deadline, uint32_t mask)
{
	struct sleeper *s = cpu_self()->sleeper;
	int err = 0;

	sleepers_rouse();
	if (!(atomic_load(&s->work) & mask) && sleeper_spin(s))
		return 0;
	s->naps++;
	(void)atomic_cas(&s->wake, SPINNING, ASLEEP);
	while (atomic_load(&s->wake) != AWAKE) {
		if (atomic_load(&s->work) & mask) {
			err = -ERESTARTSYS;
			break;
		}
		err = host_futex_wait(&s->wake, ASLEEP, deadline, &s->work, mask);
		if (err == -ETIMEDOUT)
			break;
		err = 0;
	}
	atomic_store(&s->wake, AWAKE);
	return err;
}

void sleeper_wait_once(nsec_t deadline, const uint32_t *work, uint32_t mask)
{
	struct sleeper *s = cpu_self()->sleeper;

	sleepers_rouse();
	s->naps++;
	if (atomic_cas(&s->wake, SPINNING, ASLEEP))
		(void)host_futex_wait(&s->wake, ASLEEP, deadline, work, mask);
	atomic_store(&s->wake, AWAKE);
}

/* Brings a task that was marked AWAKE out of its host call. It may have left that since,
 * for another: a spurious wake-up. */
static void rouse(struct sleeper *s)
{
	if (atomic_load(&s->polling_host) && s->host_eventfd >= 0)
		(void)host_eventfd_signal(s->host_eventfd);
	else
		(void)host_futex_wake(&s->wake, 1);
}

bool sleeper_wake(struct sleeper *s)
{
	struct cpu *c = cpu_self();
	uint32_t before = atomic_load(&s->wake);

	if (before == AWAKE)
		return false;
	before = atomic_xchg(&s->wake, AWAKE);
	if (before == AWAKE)
		return false;
	if (before == SPINNING && !atomic_load(&s->polling_host))
		return true;
	if (c->locks_held && c->rouse_count < ARRAY_SIZE(c->to_rouse))
		c->to_rouse[c->rouse_count++] = s;
	else
		rouse(s);
	return true;
}

void sleepers_rouse(void)
{
	struct cpu *c = cpu_self();

	for (int i = 0; i < c->rouse_count; i++)
		rouse(c->to_rouse[i]);
	c->rouse_count = 0;
}

static int waitq_sleep_as(struct waitq *q, struct lock *lock, nsec_t deadline,
			  uint32_t mask, bool exclusive) NO_LOCK_CHECK
{
	struct wait_place p;
	int err;

	sleeper_prepare();
	wait_place_take(&p, q, NULL, exclusive);
	if (lock)
		lock_drop(lock);
	err = sleeper_wait(deadline, mask);
	place_quit(&p);
	if (lock)
		lock_take(lock);
	claim_end(&p.claim); /* with the lock: the wake-up is answered for until then */
	if (err && p.entry.woken)
		err = 0; /* both happened: the wake-up was ours alone and must not be lost
			  */
	return err;
}

int waitq_sleep(struct waitq *q, struct lock *lock, nsec_t deadline)
{
	return waitq_sleep_as(q, lock, deadline, WORK_INTERRUPTS, false);
}

int waitq_sleep_exclusive(struct waitq *q, struct lock *lock, nsec_t deadline)
{
	return waitq_sleep_as(q, lock, deadline, WORK_INTERRUPTS, true);
}

bool current_is_killed(void)
{
	return atomic_load(cpu_self()->work) & WORK_KILL;
}

int waitq_sleep_killable(struct waitq *q, struct lock *lock, nsec_t deadline)
{
	return waitq_sleep_as(q, lock, deadline, WORK_KILL, false);
}

int waitq_sleep_deaf(struct waitq *q, struct lock *lock, nsec_t deadline)
{
	return waitq_sleep_as(q, lock, deadline, 0, false);
}

static void wake(struct waitq *q, uint32_t key, bool all)
{
	struct list *pos;
	struct list *after;

	if (waitq_is_empty(q))
		return;
	lock_take(&q->lock);
	list_for_each_safe(pos, after, &q->entries)
	{
		struct wait_entry *e = list_entry(pos, struct wait_entry, link);
		struct sleeper *s = e->sleeper;
		bool exclusive = e->exclusive;

		if (e->func) {
			if (e->func(e, key) && exclusive && !all)
				break;
			continue;
		}
		list_remove(&e->link);
		/* From here on the entry, on the sleeper's stack, may be gone. The
		 * sleeper stays: tasks are type-stable memory, so that a late wake-up is
		 * at worst a spurious one. */
		atomic_store(&e->woken, true);
		(void)sleeper_wake(s);
		if (exclusive && !all)
			break;
	}
	lock_drop(&q->lock);
}

void waitq_wake_all(struct waitq *q, uint32_t key)
{
	wake(q, key, true);
}

void waitq_wake_one(struct waitq *q, uint32_t key)
{
	wake(q, key, false);
}

/* Read without the lock: a sleeper enqueues itself before it checks the condition for the
 * last time (under the condition's lock, which the waker has held since), so an empty
 * queue means nobody to wake. */
bool waitq_is_empty(struct waitq *q)
{
	atomic_fence();
	return atomic_load_relaxed(&q->entries.next) == &q->entries;
}
