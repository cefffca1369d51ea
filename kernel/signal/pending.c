/* SPDX-License-Identifier: MIT */
/* pending.c - sets and queues of pending signals.
 *
 * Users are charged through a table by hash of their id: two users that meet there share
 * their limit. A timer's entry is its own, never freed here. */
#include "signal/pending.h"

#include "abi/errno.h"
#include "base/slab.h"
#include "lib/atomic.h"
#include "lib/hash.h"
#include "signal/posix_timer.h"

#define USER_SLOTS 256

struct queued {
	struct sigqueue q;
	uint32_t slot; /* of the user who is charged */
};

static SLAB_CACHE(queued_cache, "sigqueue", sizeof(struct queued), 8);
static uint32_t user_counts[USER_SLOTS]; /* atomic */

static uint32_t user_slot(uid_t uid)
{
	return (uint32_t)(hash_u64(uid, 0) % USER_SLOTS);
}

uint32_t pending_count(uid_t uid)
{
	return atomic_load_relaxed(&user_counts[user_slot(uid)]);
}

static struct queued *queued_alloc(const struct pending_owner *owner, bool beyond_limit)
{
	uint32_t slot = user_slot(owner->uid);
	struct queued *e = NULL;

	if (atomic_add(&user_counts[slot], 1U) < owner->limit || beyond_limit)
		e = slab_alloc(&queued_cache);
	if (!e) {
		(void)atomic_sub(&user_counts[slot], 1U);
		return NULL;
	}
	e->slot = slot;
	e->q.timer = NULL;
	return e;
}

static void queued_free(struct sigqueue *q)
{
	struct queued *e = container_of(q, struct queued, q);

	list_remove(&q->link);
	if (q->timer)
		return;
	(void)atomic_sub(&user_counts[e->slot], 1U);
	slab_free(&queued_cache, e);
}

int pending_add(struct sigpending *pending, int signo, const struct linux_siginfo *info,
		const struct pending_owner *owner)
{
	bool is_standard = signo < SIGRTMIN;
	struct queued *e;

	if (is_standard && (pending->set & SIGSET_BIT(signo)))
		return 0;
	e = queued_alloc(owner, is_standard && info->si_code >= 0);
	if (e) {
		e->q.info = *info;
		list_add_tail(&pending->queue, &e->q.link);
	} else if (!is_standard && info->si_code != SI_USER) {
		return -EAGAIN;
	}
	/* Without an entry the signal arrives, its information does not. */
	pending->set |= SIGSET_BIT(signo);
	return 0;
}

void pending_add_timer(struct sigpending *pending, struct sigqueue *q)
{
	list_add_tail(&pending->queue, &q->link);
	pending->set |= SIGSET_BIT(q->info.si_signo);
}

static bool has_entry(const struct sigpending *pending, int signo)
{
	struct list *pos;

	list_for_each (pos, &pending->queue) {
		if (list_entry(pos, struct sigqueue, link)->info.si_signo == signo)
			return true;
	}
	return false;
}

void pending_remove_timer(struct sigpending *pending, struct sigqueue *q)
{
	if (list_is_empty(&q->link))
		return;
	list_remove(&q->link);
	if (!has_entry(pending, q->info.si_signo))
		pending->set &= ~SIGSET_BIT(q->info.si_signo);
}

static int lowest(uint64_t set)
{
	if (set & SIGNALS_FAULT)
		set &= SIGNALS_FAULT;
	return __builtin_ctzl(set) + 1;
}

int pending_take(struct sigpending *pending, uint64_t set, struct linux_siginfo *info)
{
	struct sigqueue *found = NULL;
	struct list *pos;
	bool is_timers;
	int signo;

	set &= pending->set;
	if (!set)
		return 0;
	signo = lowest(set);
	list_for_each (pos, &pending->queue) {
		struct sigqueue *q = list_entry(pos, struct sigqueue, link);

		if (q->info.si_signo == signo) {
			found = q;
			break;
		}
	}
	if (!found) {
		*info = (struct linux_siginfo){.si_signo = signo, .si_code = SI_USER};
		pending->set &= ~SIGSET_BIT(signo);
		return signo;
	}
	*info = found->info;
	is_timers = found->timer;
	queued_free(found);
	if (!has_entry(pending, signo))
		pending->set &= ~SIGSET_BIT(signo);
	if (is_timers)
		posix_timer_taken(found, info);
	return signo;
}

void pending_flush(struct sigpending *pending, uint64_t set)
{
	struct list *pos;
	struct list *after;

	if (!(pending->set & set))
		return;
	pending->set &= ~set;
	list_for_each_safe(pos, after, &pending->queue)
	{
		struct sigqueue *q = list_entry(pos, struct sigqueue, link);

		bool is_timers = q->timer;

		if (!(set & SIGSET_BIT(q->info.si_signo)))
			continue;
		queued_free(q);
		if (is_timers)
			posix_timer_dropped(q);
	}
}
