/* SPDX-License-Identifier: MIT */
/* uffd.c - userfaultfd's messages: those who wait for pages, and events.
 *
 * A fault looks at the page's bits under mm->lock and queues itself under uffd->lock
 * before it drops that; who provides the page changes the bits under mm->lock first and
 * wakes under uffd->lock then. So no wake-up is lost. */
#include "mm/uffd.h"

#include "abi/errno.h"
#include "abi/mman.h"
#include "abi/poll.h"
#include "base/cpu.h"
#include "base/slab.h"
#include "host/host.h"
#include "lib/atomic.h"

static SLAB_CACHE(uffd_cache, "userfaultfd_ctx_cache", sizeof(struct uffd), 8);
static SLAB_CACHE(uffd_event_cache, "userfaultfd_event", sizeof(struct uffd_event), 8);

struct uffd *uffd_create(struct uffd_mm *um, uint32_t flags, uint64_t features)
{
	struct uffd *u = slab_alloc_zeroed(&uffd_cache);

	if (!u)
		return NULL;
	ref_init(&u->refs);
	lock_init(&u->lock, RANK_OBJECT);
	list_init(&u->pending);
	list_init(&u->seen);
	list_init(&u->events);
	waitq_init(&u->readable);
	uffd_mm_get(um);
	u->um = um;
	u->flags = flags;
	u->features = features;
	return u;
}

void uffd_get(struct uffd *u)
{
	if (u)
		ref_get(&u->refs);
}

void uffd_put(struct uffd *u)
{
	if (!u || !ref_put(&u->refs))
		return;
	uffd_mm_put(u->um);
	slab_free(&uffd_cache, u);
}

bool uffd_is_dead(const struct mm *mm, const struct vma *v)
{
	return atomic_load(&v->uffd->is_released) || v->uffd->um != mm->uffd;
}

static void wake_list(struct list *waits, uaddr_t start, uaddr_t end)
{
	struct list *pos;

	list_for_each (pos, waits) {
		struct uffd_wait *w = list_entry(pos, struct uffd_wait, link);

		if (w->page < start || w->page >= end)
			continue;
		w->is_woken = true;
		waitq_wake_all(&w->queue, 0); /* it cannot go before the lock is free */
	}
}

void uffd_wake(struct uffd *u, uaddr_t start, size_t size)
{
	lock_take(&u->lock);
	wake_list(&u->pending, start, start + size);
	wake_list(&u->seen, start, start + size);
	lock_drop(&u->lock);
}

void uffd_release(struct uffd *u)
{
	struct list *pos;

	lock_take(&u->lock);
	atomic_store(&u->is_released, true);
	atomic_store(&u->um->is_stale, true);
	wake_list(&u->pending, 0, UINT64_MAX);
	wake_list(&u->seen, 0, UINT64_MAX);
	list_for_each (pos, &u->events)
		waitq_wake_all(&list_entry(pos, struct uffd_event, link)->queue, 0);
	lock_drop(&u->lock);
	waitq_wake_all(&u->readable, POLLHUP);
}

/* ---- faults ---- */

static bool is_allowed(const struct vma *v, const struct uffd_access *a)
{
	if (a->is_write)
		return v->prot & PROT_WRITE;
	return v->prot & (a->is_exec ? PROT_EXEC : PROT_READ | PROT_WRITE | PROT_EXEC);
}

/* A shared page that is not there may be so for this address space alone. 0: a message is
 * to be sent, with more flags; > 0: it is there now. */
static int look_at_shared(struct mm *mm, struct vma *v, uaddr_t page, uint64_t *flags)
{
	int there = uffd_is_there(mm, v, page, false);

	if (there < 0)
		return there;
	if (there && (v->flags & VMA_UFFD_MINOR)) {
		*flags |= UFFD_PAGEFAULT_FLAG_MINOR;
		return 0;
	}
	if (!there && (v->flags & VMA_UFFD_MISSING))
		return 0;
	if (uffd_pages_reserve(mm->uffd, page, page + PAGE_SIZE))
		return -ENOMEM;
	uffd_pages_change(mm->uffd, page, page + PAGE_SIZE, UFFD_THERE, 0);
	there = uffd_apply(mm, v, page, page + PAGE_SIZE, false);
	return there ? there : 1;
}

/* What is to be done about an access to v: UFFD_SIGBUS stands for a message with flags.
 */
static enum uffd_verdict judge(struct mm *mm, struct vma *v, const struct uffd_access *a,
			       uint64_t *flags)
{
	uaddr_t page = ALIGN_DOWN(a->addr, PAGE_SIZE);
	uint32_t bits = uffd_page_bits(mm->uffd, page);
	int err;

	*flags = a->is_write ? UFFD_PAGEFAULT_FLAG_WRITE : 0;
	if (bits & UFFD_POISONED)
		return UFFD_HWPOISON;
	if ((v->flags & (VMA_UFFD_MISSING | VMA_UFFD_MINOR)) && !(bits & UFFD_THERE)) {
		if (!v->object || !(v->flags & VMA_SHARED))
			return UFFD_SIGBUS;
		err = look_at_shared(mm, v, page, flags);
		return err > 0 ? UFFD_RETRY : err == -EINTR ? UFFD_KILLED : UFFD_SIGBUS;
	}
	if (!(bits & UFFD_PROTECTED) || !a->is_write)
		return UFFD_RETRY; /* somebody was faster */
	if (uffd_has(v->uffd, UFFD_FEATURE_WP_ASYNC)) {
		uffd_pages_change(mm->uffd, page, page + PAGE_SIZE, 0, UFFD_PROTECTED);
		err = uffd_apply(mm, v, page, page + PAGE_SIZE, false);
		return err ? UFFD_KILLED : UFFD_RETRY;
	}
	*flags |= UFFD_PAGEFAULT_FLAG_WP;
	return UFFD_SIGBUS;
}

/* An access to memory that is not registered, or no more: if that has changed since the
 * task was here last, the fault may be from before. */
static enum uffd_verdict judge_ordinary(struct mm *mm, const struct uffd_access *a)
{
	if (uffd_page_bits(mm->uffd, a->addr) & UFFD_POISONED)
		return UFFD_HWPOISON;
	if (*a->drops_seen == mm->uffd->drops)
		return UFFD_NOT_MINE;
	*a->drops_seen = mm->uffd->drops;
	return UFFD_RETRY;
}

/* Sleeps until the page is said to be there. Drops mm's lock. */
static enum uffd_verdict wait_for_page(struct mm *mm, struct uffd *u,
				       const struct uffd_access *a,
				       uint64_t flags) NO_LOCK_CHECK
{
	bool is_exact = uffd_has(u, UFFD_FEATURE_EXACT_ADDRESS);
	struct uffd_wait w = {.uffd = u, .page = ALIGN_DOWN(a->addr, PAGE_SIZE)};
	int err = 0;

	w.msg.event = UFFD_EVENT_PAGEFAULT;
	w.msg.arg.pagefault.flags = flags;
	w.msg.arg.pagefault.address = is_exact ? a->addr : w.page;
	if (uffd_has(u, UFFD_FEATURE_THREAD_ID))
		w.msg.arg.pagefault.ptid = (uint32_t)a->tid;
	waitq_init(&w.queue);
	uffd_get(u);
	lock_take(&u->lock);
	list_add_tail(&u->pending, &w.link);
	cpu_self()->uffd_wait = &w;
	lock_drop(&mm->lock);
	waitq_wake_all(&u->readable, POLLIN);
	while (!w.is_woken && !atomic_load(&u->is_released) && !err)
		err = a->is_user ? waitq_sleep(&w.queue, &u->lock, NSEC_NEVER)
				 : waitq_sleep_killable(&w.queue, &u->lock, NSEC_NEVER);
	list_remove(&w.link);
	cpu_self()->uffd_wait = NULL;
	lock_drop(&u->lock);
	uffd_put(u);
	return err && !a->is_user ? UFFD_KILLED : UFFD_RETRY;
}

enum uffd_verdict uffd_fault(struct mm *mm, const struct uffd_access *a) NO_LOCK_CHECK
{
	enum uffd_verdict verdict = UFFD_NOT_MINE;
	uint64_t flags = 0;
	struct vma *v;

	lock_take(&mm->lock);
	v = vma_at(mm, a->addr);
	if (!v || !is_allowed(v, a))
		goto out;
	if (!v->uffd) {
		verdict = judge_ordinary(mm, a);
		goto out;
	}
	if (uffd_is_dead(mm, v)) {
		atomic_store(&mm->uffd->is_stale, true);
		uffd_settle_locked(mm);
		verdict = UFFD_RETRY;
		goto out;
	}
	verdict = judge(mm, v, a, &flags);
	if (verdict != UFFD_SIGBUS)
		goto out;
	if (uffd_has(v->uffd, UFFD_FEATURE_SIGBUS) ||
	    (!a->is_user && (v->uffd->flags & UFFD_USER_MODE_ONLY)))
		goto out;
	return wait_for_page(mm, v->uffd, a, flags);
out:
	lock_drop(&mm->lock);
	return verdict;
}

/* ---- events ---- */

bool uffd_event_add(struct list *events, struct uffd *u, const struct uffd_msg *msg,
		    struct uffd *forked)
{
	struct uffd_event *e = slab_alloc(&uffd_event_cache);

	if (!e)
		return false;
	*e = (struct uffd_event){.uffd = u, .forked = forked, .msg = *msg};
	uffd_get(u);
	uffd_get(forked);
	waitq_init(&e->queue);
	(void)atomic_add(&u->changing, 1);
	list_add_tail(events, &e->link);
	return true;
}

static void event_free(struct uffd_event *e)
{
	/* A child's descriptor that nobody has got. */
	if (e->forked && !e->is_read)
		uffd_release(e->forked);
	(void)atomic_sub(&e->uffd->changing, 1);
	uffd_put(e->forked);
	uffd_put(e->uffd);
	slab_free(&uffd_event_cache, e);
}

static void event_post(struct uffd_event *e)
{
	struct uffd *u = e->uffd;
	int err = 0;

	lock_take(&u->lock);
	list_add_tail(&u->events, &e->link);
	cpu_self()->uffd_event = e;
	lock_drop(&u->lock);
	waitq_wake_all(&u->readable, POLLIN);
	lock_take(&u->lock);
	while (!e->is_read && !atomic_load(&u->is_released) && !err)
		err = waitq_sleep_killable(&e->queue, &u->lock, NSEC_NEVER);
	cpu_self()->uffd_event = NULL;
	list_remove(&e->link);
	lock_drop(&u->lock);
}

void uffd_events_post(struct list *events)
{
	while (!list_is_empty(events)) {
		struct uffd_event *e = list_entry(events->next, struct uffd_event, link);

		list_remove(&e->link);
		e->rest = events;
		event_post(e);
		event_free(e);
	}
}

void uffd_events_drop(struct list *events)
{
	while (!list_is_empty(events)) {
		struct uffd_event *e = list_entry(events->next, struct uffd_event, link);

		list_remove(&e->link);
		event_free(e);
	}
}

/* ---- host processes that died by an outside hand ---- */

static void leave(struct uffd *u, struct list *link)
{
	lock_take(&u->lock);
	list_remove(link);
	lock_drop(&u->lock);
}

void uffd_abandon(struct cpu *c)
{
	struct uffd_wait *w = c->uffd_wait;
	struct uffd_event *e = c->uffd_event;

	c->uffd_wait = NULL;
	c->uffd_event = NULL;
	if (w) {
		leave(w->uffd, &w->link);
		uffd_put(w->uffd);
	}
	if (e) {
		struct list *rest = e->rest;

		leave(e->uffd, &e->link);
		event_free(e);
		uffd_events_drop(rest);
	}
}
