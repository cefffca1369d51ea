/* SPDX-License-Identifier: MIT */
/* sys_itimer.c - setitimer(2), getitimer(2), alarm(2): three timers of each process, made
 * when they are first set. Like timers of timer_create(2), with ids of their own. */
#include "abi/errno.h"
#include "abi/syscall.h"
#include "mm/usercopy.h"
#include "signal/internal.h"
#include "signal/timer_object.h"
#include "time/clock.h"

static struct posix_timer *itimer_alloc(struct process *p, int which)
{
	static const int signals[] = {SIGALRM, SIGVTALRM, SIGPROF};
	struct posix_timer *t = posix_timer_alloc(p, ITIMER_ID(which));

	if (!t)
		return NULL;
	t->notify = SIGEV_SIGNAL;
	t->clock = CLOCK_MONOTONIC;
	t->is_cpu = which != ITIMER_REAL;
	t->cpu.kind = which == ITIMER_VIRTUAL ? CPUCLOCK_VIRT : CPUCLOCK_PROF;
	t->entry.info.si_signo = signals[which];
	return t;
}

/* Sets one, unless s is NULL, and says what it was. */
static int itimer_exchange(struct process *p, int which, const struct timer_setting *s,
			   struct timer_setting *before)
{
	struct posix_timer *t;
	struct posix_timer *fresh = NULL;

	*before = (struct timer_setting){0, 0};
	lock_take(&p->lock);
	t = posix_timer_find_locked(p, ITIMER_ID(which));
	if (!t && s && s->value) {
		lock_drop(&p->lock);
		fresh = itimer_alloc(p, which);
		if (!fresh)
			return -ENOMEM;
		lock_take(&p->lock);
		t = posix_timer_find_locked(p, ITIMER_ID(which));
		if (!t) {
			t = fresh;
			fresh = NULL;
			list_add_tail(&p->posix_timers, &t->link);
		}
	}
	if (t) {
		posix_timer_get_locked(t, before);
		if (s)
			posix_timer_set_locked(t, s, false);
	}
	lock_drop(&p->lock);
	if (fresh)
		posix_timer_free(fresh);
	return 0;
}

static bool timeval_to_nsec(const struct linux_timeval *tv, nsec_t *out)
{
	struct linux_timespec ts = {tv->tv_sec, tv->tv_usec * 1000};

	if (tv->tv_usec < 0 || tv->tv_usec >= 1000000 || tv->tv_sec < 0)
		return false;
	*out = timespec_to_nsec(&ts);
	return true;
}

static int setting_copy_out(uaddr_t addr, const struct timer_setting *s)
{
	struct linux_itimerval k = {
		.it_interval = nsec_to_timeval(s->interval),
		/* Never 0 for a timer that is on. */
		.it_value = nsec_to_timeval(nsec_add(s->value, s->value ? 999 : 0)),
	};

	return COPY_OUT(addr, &k);
}

long sys_getitimer(struct task *t, int which, uaddr_t out)
{
	struct timer_setting s;

	if (which < ITIMER_REAL || which > ITIMER_PROF)
		return -EINVAL;
	(void)itimer_exchange(t->process, which, NULL, &s);
	return setting_copy_out(out, &s);
}

long sys_setitimer(struct task *t, int which, uaddr_t value, uaddr_t old)
{
	struct linux_itimerval k = {{0, 0}, {0, 0}}; /* NULL disarms, as Linux has it */
	struct timer_setting s;
	struct timer_setting before;
	int err;

	if (value && COPY_IN(&k, value))
		return -EFAULT;
	if (which < ITIMER_REAL || which > ITIMER_PROF ||
	    !timeval_to_nsec(&k.it_value, &s.value) ||
	    !timeval_to_nsec(&k.it_interval, &s.interval))
		return -EINVAL;
	err = itimer_exchange(t->process, which, &s, &before);
	if (err)
		return err;
	return old ? setting_copy_out(old, &before) : 0;
}

/* Seconds left, rounded to the nearest, but 0 only for a timer that was off. */
long sys_alarm(struct task *t, unsigned int seconds)
{
	struct timer_setting s = {seconds * NSEC_PER_SEC, 0};
	struct timer_setting before;
	long left;

	if (itimer_exchange(t->process, ITIMER_REAL, &s, &before))
		return 0;
	left = before.value / NSEC_PER_SEC;
	if ((!left && before.value) || before.value % NSEC_PER_SEC >= NSEC_PER_SEC / 2)
		left++;
	return left;
}
