/* SPDX-License-Identifier: MIT */
/* posix_timer.c - timers that send signals.
 *
 * A timer of timer_create(2) owns one queue entry. When it expires, the entry is queued;
 * the next period begins when the signal is taken, and the periods that passed meanwhile
 * are its overruns (timer_getoverrun(2)). If the signal is ignored the next period begins
 * at once. A new setting takes back a signal of the old one. A timer of setitimer(2)
 * sends plain signals and always goes on.
 *
 * A timer on CPU time cannot know when its time will come: it sleeps for as long as the
 * process would need if all its threads ran, then looks again. */
#include "signal/posix_timer.h"

#include "abi/errno.h"
#include "base/slab.h"
#include "signal/internal.h"
#include "signal/timer_object.h"
#include "time/clock.h"

#define PERIOD_MIN   50000  /* ns: the timer thread has others to serve */
#define CPU_STEP_MIN 500000 /* ns */

static SLAB_CACHE(posix_timer_cache, "posix_timers_cache", sizeof(struct posix_timer), 8);

static struct task *find_task(struct process *p, pid_t tid)
{
	struct list *pos;

	list_for_each (pos, &p->tasks) {
		struct task *t = list_entry(pos, struct task, thread_link);

		if (t->tid == tid && task_is_live(t))
			return t;
	}
	return NULL;
}

/* The locks of two processes are not held at once by anybody who waits for one: if the
 * other's stays busy, what was seen last must do, until the next look. */
static nsec_t time_of_other(struct posix_timer *t) NO_LOCK_CHECK
{
	struct process *p = t->cpu_process;

	for (int i = 0; i < 1000; i++) {
		if (lock_try(&p->lock)) {
			t->seen = cpu_time_of_process(p, t->cpu.kind);
			lock_drop(&p->lock);
			break;
		}
		cpu_relax();
	}
	return t->seen;
}

static nsec_t now_of(struct posix_timer *t)
{
	const struct task *thread;

	if (!t->is_cpu)
		return clock_now(t->run_clock);
	if (t->cpu_process)
		return time_of_other(t);
	if (!t->cpu.is_thread)
		return cpu_time_of_process(t->process, t->cpu.kind);
	thread = find_task(t->process, t->cpu.id);
	return thread ? cpu_time_of_task(thread, t->cpu.kind) : 0;
}

static void start(struct posix_timer *t)
{
	nsec_t left;

	if (t->notify == SIGEV_NONE)
		return;
	if (!t->is_cpu) {
		timer_arm(&t->timer, deadline_on_clock(t->run_clock, t->expiry));
		return;
	}
	left = t->expiry - now_of(t);
	if (!t->cpu.is_thread) {
		int tasks = atomic_load(
			&(t->cpu_process ? t->cpu_process : t->process)->live_tasks);

		if (!tasks) /* another, and it is over */
			return;
		left /= tasks;
	}
	t->cpu_step = MAX(left, CPU_STEP_MIN);
	timer_arm(&t->timer, deadline_after(t->cpu_step));
}

/* Moves the expiry on to the first period that ends after now. Returns how many it
 * skipped. */
static int64_t skip_periods(struct posix_timer *t, nsec_t now)
{
	int64_t skipped = now > t->expiry ? (now - t->expiry) / t->interval : 0;

	t->expiry = nsec_add(t->expiry + skipped * t->interval, t->interval);
	return skipped;
}

static void start_next(struct posix_timer *t)
{
	nsec_t now = now_of(t);

	(void)skip_periods(t, now);
	t->expiry = MAX(t->expiry, now + PERIOD_MIN);
	start(t);
}

static void expire_itimer(struct posix_timer *t)
{
	struct linux_siginfo info;

	signal_info_kernel(&info, t->entry.info.si_signo);
	(void)signal_send_locked(t->process, NULL, info.si_signo, &info);
	if (t->active)
		start_next(t);
}

static void expire_posix(struct posix_timer *t)
{
	struct task *target = NULL;
	bool sent = false;

	if (!list_is_empty(&t->entry.link))
		return;
	if (t->notify == SIGEV_THREAD_ID)
		target = find_task(t->process, t->target);
	if (target || t->notify != SIGEV_THREAD_ID) {
		t->holder = target;
		sent = signal_send_timer_locked(t->process, target, &t->entry);
	}
	if (t->active && !sent)
		start_next(t);
}

/* The time may have come. process->lock held */
static void look(struct posix_timer *t)
{
	nsec_t now = now_of(t);

	if (now < t->expiry) {
		start(t);
	} else if (t->id == CPU_LIMIT_ID) {
		cpu_limit_expired_locked(t, now);
	} else if (t->id == RT_LIMIT_ID) {
		rt_limit_expired_locked(t);
	} else {
		t->active = t->interval != 0;
		if (t->id < 0)
			expire_itimer(t);
		else
			expire_posix(t);
	}
}

/* The host tells a thread's time to its own process alone: the thread is to look itself,
 * when it runs; asleep it uses no time. process->lock held */
static void have_thread_look(struct posix_timer *t)
{
	struct task *thread = find_task(t->process, t->cpu.id);

	if (!thread)
		return;
	if (atomic_load(&thread->sleeper.wake)) {
		timer_arm(&t->timer, deadline_after(t->cpu_step));
		return;
	}
	atomic_store(&thread->cpu_timers_due, true);
	task_kick(thread, WORK_TASK);
}

static void on_timer(struct timer *timer)
{
	struct posix_timer *t = container_of(timer, struct posix_timer, timer);
	struct process *p = t->process;

	lock_take(&p->lock);
	if (t->active && !t->timer.armed && !p->group_exit) {
		if (t->is_cpu && t->cpu.is_thread && current()->process != p)
			have_thread_look(t);
		else
			look(t);
	}
	lock_drop(&p->lock);
}

/* The clock has been set or runs differently. */
static void on_clock_change(struct clock_watch *w, bool was_set)
{
	struct posix_timer *t = container_of(w, struct posix_timer, watch);

	(void)was_set;
	lock_take(&t->process->lock);
	if (t->active && t->timer.armed)
		start(t);
	lock_drop(&t->process->lock);
}

void posix_timers_look(struct task *t)
{
	struct process *p = t->process;
	struct list *pos;

	if (!atomic_xchg(&t->cpu_timers_due, false))
		return;
	lock_take(&p->lock);
	list_for_each (pos, &p->posix_timers) {
		struct posix_timer *timer = list_entry(pos, struct posix_timer, link);

		if (timer->is_cpu && timer->cpu.is_thread && timer->cpu.id == t->tid &&
		    timer->active && !timer->timer.armed && !p->group_exit)
			look(timer);
	}
	rt_limit_look_locked(t);
	lock_drop(&p->lock);
}

void posix_timer_taken(struct sigqueue *q, struct linux_siginfo *info)
{
	struct posix_timer *t = container_of(q, struct posix_timer, entry);
	int64_t skipped = 0;

	if (t->active && t->interval) {
		skipped = skip_periods(t, now_of(t));
		start(t);
	}
	t->overrun = (int32_t)MIN(skipped, INT32_MAX);
	info->timer.overrun = t->overrun;
}

void posix_timer_dropped(struct sigqueue *q)
{
	struct posix_timer *t = container_of(q, struct posix_timer, entry);

	if (t->active && t->interval && !t->process->group_exit)
		start_next(t);
}

struct posix_timer *posix_timer_alloc(struct process *p, int id)
{
	struct posix_timer *t = slab_alloc_zeroed(&posix_timer_cache);

	if (!t)
		return NULL;
	timer_init(&t->timer, on_timer);
	list_init(&t->watch.link);
	t->watch.func = on_clock_change;
	list_init(&t->link);
	list_init(&t->entry.link);
	t->entry.timer = &t->timer;
	t->process = p;
	t->id = id;
	return t;
}

struct posix_timer *posix_timer_find_locked(struct process *p, int id)
{
	struct list *pos;

	list_for_each (pos, &p->posix_timers) {
		struct posix_timer *t = list_entry(pos, struct posix_timer, link);

		if (t->id == id)
			return t;
	}
	return NULL;
}

static void take_back_signal(struct posix_timer *t)
{
	if (!list_is_empty(&t->entry.link))
		pending_remove_timer(t->holder ? &t->holder->pending
					       : &t->process->pending,
				     &t->entry);
}

void posix_timer_set_locked(struct posix_timer *t, const struct timer_setting *s,
			    bool absolute)
{
	timer_disarm(&t->timer);
	take_back_signal(t);
	t->overrun = 0;
	t->active = s->value != 0;
	t->interval = s->interval;
	if (!t->active)
		return;
	t->run_clock =
		t->clock == CLOCK_REALTIME && !absolute ? CLOCK_MONOTONIC : t->clock;
	t->expiry = absolute ? s->value : nsec_add(now_of(t), s->value);
	start(t);
}

void posix_timer_get_locked(struct posix_timer *t, struct timer_setting *out)
{
	nsec_t now;

	*out = (struct timer_setting){0, t->interval};
	if (!t->active)
		return;
	now = now_of(t);
	if (t->expiry > now)
		out->value = t->expiry - now;
	else if (t->interval)
		out->value = t->interval - (now - t->expiry) % t->interval;
	else if (t->notify != SIGEV_NONE)
		out->value = 1; /* due, its signal not sent yet */
}

void posix_timer_free(struct posix_timer *t)
{
	struct process *p = t->process;

	if (!t->is_cpu)
		clock_watch_del(&t->watch);
	lock_take(&p->lock);
	t->active = false;
	take_back_signal(t);
	lock_drop(&p->lock);
	timer_shutdown(&t->timer);
	process_put(t->cpu_process);
	slab_free(&posix_timer_cache, t);
}

/* Frees those whose id is at least from. */
static void free_from(struct process *p, int from)
{
	struct list gone = LIST_INIT(gone);
	struct list *pos;
	struct list *after;

	if (list_is_empty(&p->posix_timers))
		return;
	lock_take(&p->lock);
	list_for_each_safe(pos, after, &p->posix_timers)
	{
		if (list_entry(pos, struct posix_timer, link)->id < from)
			continue;
		list_remove(pos);
		list_add_tail(&gone, pos);
	}
	lock_drop(&p->lock);
	while ((pos = list_pop(&gone)))
		posix_timer_free(list_entry(pos, struct posix_timer, link));
}

void posix_timers_exec(struct process *p)
{
	free_from(p, 0);
	p->timer_ids_given = false;
}

void posix_timers_exit(struct process *p)
{
	free_from(p, INT32_MIN);
}

void posix_timers_list(struct process *p,
		       void (*func)(const struct posix_timer_info *info, void *arg),
		       void *arg)
{
	struct list *pos;

	lock_take(&p->lock);
	list_for_each (pos, &p->posix_timers) {
		struct posix_timer *t = list_entry(pos, struct posix_timer, link);
		struct posix_timer_info info = {
			.id = t->id,
			.signo = t->entry.info.si_signo,
			.notify = t->notify,
			.value = t->entry.info.timer.value.sival_ptr,
			.target = t->notify == SIGEV_THREAD_ID ? t->target : p->pid,
			.clock = t->is_cpu ? cpu_clock_id(&t->cpu) : t->clock,
		};

		if (t->id >= 0)
			func(&info, arg);
	}
	lock_drop(&p->lock);
}
