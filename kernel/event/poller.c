/* SPDX-License-Identifier: MIT */
/* poller.c - waits until one of several files is ready.
 *
 * The first pass over the files puts a wait_entry on every queue that they name, until
 * one is found ready; the task's wake word is armed before each pass, so that a wake-up
 * during it ends the sleep that follows. When only kernel objects are watched the task
 * sleeps on that word; when host descriptors are among them it sleeps in the host, see
 * host_wait.c. */
#include "event/poller.h"

#include "abi/errno.h"
#include "base/cpu.h"
#include "base/page.h"
#include "base/slab.h"
#include "event/epoll.h"
#include "fs/file.h"
#include "lib/atomic.h"

struct poll_waiter_page {
	struct poll_waiter_page *next;
	unsigned count; /* atomic */
	struct poll_waiter
		waiters[(PAGE_SIZE - 2 * sizeof(void *)) / sizeof(struct poll_waiter)];
};

static bool poll_woken(struct wait_entry *e, uint32_t key)
{
	struct poll_waiter *w = container_of(e, struct poll_waiter, entry);

	if (key && !(key & w->key))
		return false;
	return sleeper_wake(e->sleeper);
}

/* The next free waiter, and the count that is to be raised once it is whole. */
static struct poll_waiter *waiter_next(struct poller *p, unsigned **count)
{
	struct poll_waiter_page *page = p->pages;

	*count = &p->inside_count;
	if (p->inside_count < POLLER_WAITERS_INSIDE)
		return &p->inside[p->inside_count];
	if (!page || page->count == ARRAY_SIZE(page->waiters)) {
		page = page_alloc(0);
		if (!page)
			return NULL;
		page->next = p->pages;
		page->count = 0;
		atomic_store(&p->pages, page);
	}
	*count = &page->count;
	return &page->waiters[page->count];
}

static void poller_add(struct poll_table *pt, struct waitq *q)
{
	struct poller *p = container_of(pt, struct poller, table);
	unsigned *count;
	struct poll_waiter *w = waiter_next(p, &count);

	if (!w) {
		p->err = -ENOMEM;
		return;
	}
	wait_entry_init(&w->entry, poll_woken);
	w->queue = q;
	w->key = pt->events | POLLERR | POLLHUP;
	atomic_store(count, *count + 1);
	waitq_add(q, &w->entry);
}

static void waiters_leave(struct poll_waiter *w, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		waitq_del(w[i].queue, &w[i].entry);
}

/* The task may be killed in the midst of this, and it is then done again from where it
 * was: an entry may leave its queue twice, all else is forgotten before it is given back.
 * The queues are the files': they go last. */
static void leave(struct poller *p)
{
	struct poll_waiter_page *page;

	waiters_leave(p->inside, p->inside_count);
	atomic_store(&p->inside_count, 0);
	while ((page = p->pages)) {
		waiters_leave(page->waiters, page->count);
		atomic_store(&p->pages, page->next);
		page_free(page, 0);
	}
	host_set_fini(&p->host);
	while (p->count > 0) {
		atomic_store(&p->count, p->count - 1);
		fd_put_of(p->task, p->targets[p->count].ref);
	}
}

static void abandon(struct claim *c)
{
	struct poller *p = container_of(c, struct poller, claim);

	leave(p);
	kfree(p->memory);
}

void poller_init(struct poller *p, struct poll_target *targets, void *memory)
{
	p->task = current();
	p->memory = memory;
	p->targets = targets;
	p->count = 0;
	p->inside_count = 0;
	p->table = (struct poll_table){.add = poller_add};
	p->pages = NULL;
	p->has_epolls = false;
	p->asks_host = false;
	p->is_registered = false;
	p->err = 0;
	host_set_init(&p->host);
	claim_begin(&p->claim, abandon);
}

void poller_fini(struct poller *p)
{
	leave(p);
	claim_end(&p->claim);
}

/* Collects the host descriptors behind the files. */
static int host_collect(struct poller *p)
{
	p->host.count = 0;
	p->has_epolls = false;
	p->asks_host = false;
	for (unsigned i = 0; i < p->count; i++) {
		struct poll_target *t = &p->targets[i];
		int err = 0;

		t->host = -1;
		if (!t->ref.file)
			continue;
		if (t->ref.file->host_poll_fd >= 0) {
			t->host = host_set_add(&p->host, t->ref.file->host_poll_fd,
					       t->want);
			err = t->host;
			p->asks_host = true;
		} else if (file_is_epoll(t->ref.file)) {
			p->has_epolls = true;
			err = epoll_collect_host(t->ref.file, &p->host);
		}
		if (err < 0)
			return err;
	}
	return 0;
}

/* One pass over all files. Returns how many are ready without asking the host. */
static long poller_scan(struct poller *p, bool may_sleep)
{
	bool is_registering = may_sleep && !p->is_registered;
	long ready = 0;

	p->is_registered = true;
	for (unsigned i = 0; i < p->count; i++) {
		struct poll_target *t = &p->targets[i];

		if (t->ref.file) {
			p->table.events = t->want;
			t->got = t->want &
				 file_poll(t->ref.file,
					   is_registering && !ready ? &p->table : NULL);
		}
		if (t->got)
			ready++;
	}
	return ready;
}

/* Adds the host's answers. Returns how many targets have become ready by them. */
static long host_answers(struct poller *p)
{
	long ready = 0;

	for (unsigned i = 0; i < p->count; i++) {
		struct poll_target *t = &p->targets[i];
		uint32_t got;

		if (t->host < 0)
			continue;
		got = (uint16_t)p->host.fds[t->host].revents & t->want;
		if (got && !t->got)
			ready++;
		t->got |= got;
	}
	return ready;
}

/* Sleeps until something may have changed. Returns how many are ready for sure, or
 * -errno. */
static long poller_sleep(struct poller *p, nsec_t deadline)
{
	long ret;

	if (p->host.count == 0)
		return sleeper_wait(deadline, WORK_INTERRUPTS);
	ret = host_set_wait(&p->host, deadline, p->inside_count || p->has_epolls);
	return ret > 0 ? host_answers(p) : ret;
}

static bool work_is_pending(void)
{
	return atomic_load(&cpu_self()->sleeper->work) & WORK_INTERRUPTS;
}

/* A pass is the last one when nothing may be waited for any more: the time is over, or
 * work is pending. */
long poller_run(struct poller *p, nsec_t deadline)
{
	bool may_sleep = deadline != 0;
	bool is_last = !may_sleep;
	long result = 0;
	long ready;

	for (;;) {
		if (!is_last)
			sleeper_prepare();
		ready = poller_scan(p, may_sleep);
		/* After it: who makes a file lead to the host wakes us then. */
		if (!p->err)
			p->err = host_collect(p);
		if (!p->err && p->asks_host && (is_last || ready) &&
		    host_set_ask(&p->host))
			ready += host_answers(p);
		if (ready || is_last || p->err)
			break;
		ready = poller_sleep(p, deadline);
		if (ready > 0)
			break;
		if (ready < 0) {
			is_last = true;
			result = ready == -ETIMEDOUT	 ? 0
				 : ready == -ERESTARTSYS ? -ERESTARTNOHAND
							 : ready;
		}
	}
	if (may_sleep)
		sleeper_cancel();
	if (ready > 0)
		return ready;
	if (p->err)
		return p->err;
	/* A signal that came, or that the call's own mask let through, counts also when
	 * the time is over. */
	return result ? result : work_is_pending() ? -ERESTARTNOHAND : 0;
}
