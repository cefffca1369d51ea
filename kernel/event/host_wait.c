/* SPDX-License-Identifier: MIT */
/* host_wait.c - sleeping until a host descriptor is ready or a kernel object wakes the
 * task.
 *
 * The task sleeps in the host's ppoll, which knows nothing of the wake word; so it
 * watches an eventfd of its own as well, and says so in polling_host. No wake-up is lost:
 *
 *	sleeper				waker
 *	wake = 1			change condition
 *	check conditions		xchg(wake, 0) == 1:
 *	polling_host = 1			if polling_host
 *	sleep unless wake == 0				write the eventfd
 *
 * The two words are written and then read crosswise, in one order for all: either the
 * sleeper sees wake == 0 or the waker sees polling_host == 1. A waker may be late, and
 * write when the sleeper has left already: the next sleep then ends at once, for nothing.
 * For its sake an eventfd is never closed while the sandbox runs, as its number could
 *come to mean something else; those of tasks that have ended are handed on. */
#include "event/host_wait.h"

#include "abi/errno.h"
#include "base/cpu.h"
#include "base/lock.h"
#include "base/slab.h"
#include "base/waitq.h"
#include "host/host.h"
#include "lib/atomic.h"
#include "lib/string.h"

static struct lock spare_lock = LOCK_INIT(RANK_OBJECT2);
static int *spare;		/* spare_lock: eventfds of nobody */
static unsigned spare_count;	/* spare_lock */
static unsigned spare_capacity; /* spare_lock */

static int eventfd_take(void)
{
	int fd = -1;

	lock_take(&spare_lock);
	if (spare_count > 0)
		fd = spare[--spare_count];
	lock_drop(&spare_lock);
	return fd >= 0 ? fd : host_eventfd_create();
}

void host_wait_release(struct sleeper *s)
{
	if (s->host_eventfd < 0)
		return;
	lock_take(&spare_lock);
	if (spare_count == spare_capacity) {
		int *more = krealloc(spare, (spare_capacity + 64) * sizeof(*spare));

		if (more) {
			spare = more;
			spare_capacity += 64;
		}
	}
	if (spare_count < spare_capacity)
		spare[spare_count++] = s->host_eventfd;
	lock_drop(&spare_lock);
	s->host_eventfd = -1;
}

void host_set_init(struct host_set *s)
{
	s->fds = s->inside;
	s->count = 0;
	s->capacity = HOST_SET_INSIDE;
}

void host_set_fini(struct host_set *s)
{
	struct linux_pollfd *fds = s->fds;

	atomic_store(&s->fds, s->inside);
	if (fds != s->inside)
		kfree(fds);
}

static int host_set_grow(struct host_set *s)
{
	unsigned capacity = s->capacity * 4;
	struct linux_pollfd *fds = kmalloc((capacity + 1UL) * sizeof(*fds));
	struct linux_pollfd *old = s->fds;

	if (!fds)
		return -ENOMEM;
	memcpy(fds, old, s->count * sizeof(*fds));
	atomic_store(&s->fds, fds);
	s->capacity = capacity;
	if (old != s->inside)
		kfree(old);
	return 0;
}

int host_set_add(struct host_set *s, int fd, uint32_t events)
{
	if (s->count == s->capacity && host_set_grow(s) < 0)
		return -ENOMEM;
	s->fds[s->count] = (struct linux_pollfd){.fd = fd, .events = (int16_t)events};
	return (int)s->count++;
}

static void forget_answers(struct host_set *s)
{
	for (unsigned i = 0; i < s->count; i++)
		s->fds[i].revents = 0;
}

long host_set_ask(struct host_set *s)
{
	long ready = host_poll(s->fds, s->count, 0);

	if (ready < 0)
		forget_answers(s);
	return ready < 0 ? 0 : ready;
}

static long sleep_in_host(struct host_set *s, struct sleeper *me, nsec_t deadline,
			  bool can_be_woken)
{
	struct linux_pollfd *own = &s->fds[s->count];
	long ready;

	*own = (struct linux_pollfd){.fd = me->host_eventfd, .events = POLLIN};
	ready = host_poll(s->fds, s->count + can_be_woken, deadline);
	if (ready == 0)
		return -ETIMEDOUT;
	if (ready < 0) {
		forget_answers(s);
		if (ready != -EINTR)
			return ready;
		return atomic_load(&me->work) & WORK_INTERRUPTS ? -ERESTARTSYS : 0;
	}
	if (own->revents) {
		(void)host_eventfd_clear(me->host_eventfd);
		ready--;
	}
	return ready;
}

/* It watches no eventfd, and so it counts as awake: else whoever has work for it would
 * wake it and leave the kick out. polling_host is for those who ask what it does. */
static long sleep_until_kicked(struct host_set *s, struct sleeper *me, nsec_t deadline)
{
	long ready;

	sleeper_rely_on_kicks();
	atomic_store(&me->polling_host, 1);
	ready = sleep_in_host(s, me, deadline, false);
	atomic_store(&me->polling_host, 0);
	return ready;
}

long host_set_wait(struct host_set *s, nsec_t deadline, bool can_be_woken)
{
	struct sleeper *me = cpu_self()->sleeper;
	long ready = 0;

	me->naps++;
	if (!can_be_woken)
		return sleep_until_kicked(s, me, deadline);
	if (me->host_eventfd < 0) {
		int fd = eventfd_take();

		if (fd < 0)
			return fd;
		me->host_eventfd = fd;
	}
	atomic_store_seq(&me->polling_host, 1);
	if (atomic_load(&me->wake) == 1)
		ready = sleep_in_host(s, me, deadline, true);
	else
		forget_answers(s);
	atomic_store(&me->polling_host, 0);
	return ready;
}
