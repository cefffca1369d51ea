/* SPDX-License-Identifier: MIT */
/* sys_timer.c - timer_create(2) and its kin. */
#include "abi/errno.h"
#include "abi/syscall.h"
#include "mm/usercopy.h"
#include "process/time_ns.h"
#include "signal/internal.h"
#include "signal/timer_object.h"
#include "time/clock.h"

/* Sets the clock. */
static int clock_choose(struct posix_timer *t, int clock)
{
	if (clock_id_is_fd(clock))
		return -EOPNOTSUPP;
	if (clock_is_known(clock)) {
		if (clock == CLOCK_MONOTONIC_RAW || clock == CLOCK_REALTIME_COARSE ||
		    clock == CLOCK_MONOTONIC_COARSE || clock_is_alarm(clock))
			return -EOPNOTSUPP;
		t->clock = clock;
		return 0;
	}
	if (!cpu_clock_parse(clock, &t->cpu))
		return -EINVAL;
	t->is_cpu = true;
	if (t->cpu.is_thread && !t->cpu.id)
		t->cpu.id = current()->tid;
	if (t->cpu.is_thread || !t->cpu.id || t->cpu.id == t->process->pid)
		return 0;
	t->cpu_process = process_lookup(t->cpu.id);
	return t->cpu_process ? 0 : -EINVAL;
}

/* Sets how it tells. */
static int event_choose(struct posix_timer *t, const struct linux_sigevent *e)
{
	struct task *target;
	bool ok;

	t->notify = e->sigev_kind;
	switch (e->sigev_kind) {
	case SIGEV_THREAD_ID:
		target = task_lookup(e->sigev_tid);
		ok = target && target->process == t->process;
		task_put(target);
		if (!ok)
			return -EINVAL;
		t->target = e->sigev_tid;
		break;
	case SIGEV_SIGNAL:
	case SIGEV_THREAD:
		t->notify = SIGEV_SIGNAL;
		break;
	case SIGEV_NONE:
		break;
	default:
		return -EINVAL;
	}
	if (t->notify != SIGEV_NONE && (e->sigev_signo < 1 || e->sigev_signo > NSIG))
		return -EINVAL;
	t->entry.info = (struct linux_siginfo){
		.si_signo = e->sigev_signo,
		.si_code = SI_TIMER,
	};
	t->entry.info.timer.value = e->sigev_value;
	return 0;
}

/* process->lock held, as for the next. */
static void id_used(struct process *p, int id)
{
	p->next_timer_id = id == INT32_MAX ? 0 : id + 1;
}

/* The next id that is free. */
static int id_next(struct process *p)
{
	int id;

	do {
		id = p->next_timer_id;
		id_used(p, id);
	} while (posix_timer_find_locked(p, id));
	return id;
}

/* The id that the caller asks for, if he may; or the next. */
static int id_choose(struct process *p, uaddr_t from, int *out)
{
	bool is_given = p->timer_ids_given;
	uint32_t wanted;
	int err = 0;

	if (is_given && get_user_u32(&wanted, from))
		return -EFAULT;
	if (is_given && wanted > INT32_MAX)
		return -EINVAL;
	lock_take(&p->lock);
	if (!is_given)
		*out = id_next(p);
	else if (posix_timer_find_locked(p, (int)wanted))
		err = -EBUSY;
	else
		id_used(p, *out = (int)wanted);
	lock_drop(&p->lock);
	return err;
}

/* From now on it can be found: -EBUSY, if another of its id can. */
static int timer_enter(struct process *p, struct posix_timer *timer)
{
	int err = 0;

	lock_take(&p->lock);
	if (posix_timer_find_locked(p, timer->id))
		err = -EBUSY;
	else
		list_add_tail(&p->posix_timers, &timer->link);
	lock_drop(&p->lock);
	return err;
}

long sys_timer_create(struct task *t, int clock, uaddr_t event, uaddr_t id)
{
	struct process *p = t->process;
	struct linux_sigevent e = {.sigev_signo = SIGALRM, .sigev_kind = SIGEV_SIGNAL};
	struct posix_timer *timer;
	int err;

	if (event && COPY_IN(&e, event))
		return -EFAULT;
	timer = posix_timer_alloc(p, 0);
	if (!timer)
		return -EAGAIN;
	err = clock_choose(timer, clock);
	if (!err)
		err = id_choose(p, id, &timer->id);
	if (!err)
		err = event_choose(timer, &e);
	if (err)
		goto fail;
	timer->entry.info.timer.id = timer->id;
	if (!event)
		timer->entry.info.timer.value.sival_ptr = (uint32_t)timer->id;
	err = put_user_u32(id, (uint32_t)timer->id);
	if (err)
		goto fail;
	if (!timer->is_cpu && clock_can_be_set(clock))
		clock_watch_add(&timer->watch);
	err = timer_enter(p, timer);
	if (!err)
		return 0;
fail:
	posix_timer_free(timer);
	return err;
}

static int setting_copy_in(struct timer_setting *s, uaddr_t addr)
{
	struct linux_itimerspec k;

	if (COPY_IN(&k, addr))
		return -EFAULT;
	if (!timespec_is_valid(&k.it_value) || !timespec_is_valid(&k.it_interval))
		return -EINVAL;
	s->value = timespec_to_nsec(&k.it_value);
	s->interval = timespec_to_nsec(&k.it_interval);
	return 0;
}

static int setting_copy_out(uaddr_t addr, const struct timer_setting *s)
{
	struct linux_itimerspec k = {
		.it_interval = nsec_to_timespec(s->interval),
		.it_value = nsec_to_timespec(s->value),
	};

	return COPY_OUT(addr, &k);
}

long sys_timer_settime(struct task *t, int id, int flags, uaddr_t value, uaddr_t old)
{
	struct process *p = t->process;
	struct timer_setting s;
	struct timer_setting before;
	struct posix_timer *timer;
	int err;

	if (!value)
		return -EINVAL;
	err = setting_copy_in(&s, value);
	if (err)
		return err;
	lock_take(&p->lock);
	timer = id >= 0 ? posix_timer_find_locked(p, id) : NULL;
	if (timer) {
		posix_timer_get_locked(timer, &before);
		if ((flags & TIMER_ABSTIME) && !timer->is_cpu)
			s.value = time_ns_to_machine(timer->clock, s.value);
		posix_timer_set_locked(timer, &s, flags & TIMER_ABSTIME);
		signal_recalc_locked(t);
	}
	lock_drop(&p->lock);
	if (!timer)
		return -EINVAL;
	return old ? setting_copy_out(old, &before) : 0;
}

long sys_timer_gettime(struct task *t, int id, uaddr_t out)
{
	struct timer_setting s;
	struct posix_timer *timer;

	lock_take(&t->process->lock);
	timer = id >= 0 ? posix_timer_find_locked(t->process, id) : NULL;
	if (timer)
		posix_timer_get_locked(timer, &s);
	lock_drop(&t->process->lock);
	return timer ? setting_copy_out(out, &s) : -EINVAL;
}

long sys_timer_getoverrun(struct task *t, int id)
{
	struct posix_timer *timer;
	long overrun = -EINVAL;

	lock_take(&t->process->lock);
	timer = id >= 0 ? posix_timer_find_locked(t->process, id) : NULL;
	if (timer)
		overrun = timer->overrun;
	lock_drop(&t->process->lock);
	return overrun;
}

long sys_timer_delete(struct task *t, int id)
{
	struct posix_timer *timer;

	lock_take(&t->process->lock);
	timer = id >= 0 ? posix_timer_find_locked(t->process, id) : NULL;
	if (timer)
		list_remove(&timer->link);
	lock_drop(&t->process->lock);
	if (!timer)
		return -EINVAL;
	posix_timer_free(timer);
	return 0;
}
