/* SPDX-License-Identifier: MIT */
/* host_watch.c - a host process that waits for host descriptors on behalf of the kernel.
 *
 * It is started when something is watched for the first time, sleeps in a host epoll and
 * tells what it hears. Each watch has a duplicate of its descriptor there: the same one
 * can be watched many times, and closing it ends nothing. Events name watches by an id
 * and a count of all that there were: one that was removed since is not found. */
#include "event/host_watch.h"

#include "abi/epoll.h"
#include "abi/errno.h"
#include "base/cpu.h"
#include "base/idr.h"
#include "base/lock.h"
#include "host/host.h"
#include "lib/atomic.h"

enum { DOORBELL = 0, EVENTS = 16 };

static struct lock watch_lock = LOCK_INIT(RANK_OBJECT2);
static struct idr watches = IDR_INIT; /* watch_lock */
static uint32_t last_count;	      /* watch_lock */
static int epfd = -1;		      /* atomic: set once */
static int doorbell = -1;	      /* watch_lock */
static bool is_over;		      /* atomic */
void (*host_watch_start)(void);

static int open_locked(void)
{
	struct linux_epoll_event ev = {.events = EPOLLIN, .data = DOORBELL};
	int fd = host_epoll_create();
	int bell = fd < 0 ? -1 : host_eventfd_create();

	if (bell < 0 || host_epoll_ctl(fd, EPOLL_CTL_ADD, bell, &ev) < 0) {
		if (bell >= 0)
			(void)host_close(bell);
		if (fd >= 0)
			(void)host_close(fd);
		return -ENOMEM;
	}
	doorbell = bell;
	atomic_store(&epfd, fd);
	return 0;
}

/* Gives w its id. */
static int enroll(struct host_watch *w)
{
	int err = 0;

	lock_take(&watch_lock);
	if (epfd < 0)
		err = open_locked();
	if (!err)
		err = idr_alloc(&watches, w, 1, IDR_ID_MAX);
	if (err > 0) {
		w->id = (uint32_t)err;
		w->name = (uint64_t)++last_count << 32 | w->id;
		err = 0;
	}
	lock_drop(&watch_lock);
	return err;
}

static void strike_off(struct host_watch *w)
{
	lock_take(&watch_lock);
	(void)idr_remove(&watches, w->id);
	lock_drop(&watch_lock);
}

int host_watch_add(struct host_watch *w, int fd, uint32_t events)
{
	struct linux_epoll_event ev = {.events = events};
	int copy = host_dup(fd);
	int err = copy < 0 ? copy : enroll(w);

	if (!err) {
		ev.data = w->name;
		err = host_epoll_ctl(atomic_load(&epfd), EPOLL_CTL_ADD, copy, &ev);
		if (err)
			strike_off(w);
	}
	if (err) {
		if (copy >= 0)
			(void)host_close(copy);
		return err;
	}
	w->fd = copy;
	host_watch_start();
	return 0;
}

void host_watch_remove(struct host_watch *w)
{
	struct linux_epoll_event unused = {0};

	if (w->fd < 0)
		return;
	strike_off(w);
	(void)host_epoll_ctl(atomic_load(&epfd), EPOLL_CTL_DEL, w->fd, &unused);
	(void)host_close(w->fd);
	w->fd = -1;
}

static void tell(const struct linux_epoll_event *ev)
{
	struct host_watch *w;

	lock_take(&watch_lock);
	w = idr_find(&watches, (uint32_t)ev->data);
	if (w && w->name == ev->data && !atomic_load(&is_over))
		w->func(w, ev->events);
	lock_drop(&watch_lock);
}

NORETURN void host_watch_main(struct cpu *cpu)
{
	struct linux_epoll_event events[EVENTS];

	cpu->host_pid = cpu->host_tid;
	host_thread_init(cpu);
	for (;;) {
		long count =
			host_epoll_wait(atomic_load(&epfd), events, EVENTS, NSEC_NEVER);

		if (atomic_load(&is_over))
			host_exit_process(&cpu->done);
		for (long i = 0; i < MIN(count, (long)EVENTS); i++)
			if (events[i].data != DOORBELL)
				tell(&events[i]);
	}
}

void host_watch_end(void)
{
	atomic_store(&is_over, true);
	lock_take(&watch_lock); /* whoever is being told has been */
	lock_drop(&watch_lock);
	if (doorbell >= 0)
		(void)host_eventfd_signal(doorbell);
}

bool host_watch_is_wanted(void)
{
	return atomic_load(&epfd) >= 0;
}
