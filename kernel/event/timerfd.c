/* SPDX-License-Identifier: MIT */
/* timerfd.c - timerfd_create(2): expirations of a timer, to be read and polled.
 *
 * Readers count expirations by themselves, from the clock; the kernel timer is there to
 * wake those who sleep. A timer on CLOCK_REALTIME is told when that is set
 * (TFD_TIMER_CANCEL_ON_SET). Limit: while it is the host's (time/wall_clock.h), what the
 * host does to it is not seen. */
#include "abi/capability.h"
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/syscall.h"
#include "abi/time.h"
#include "base/slab.h"
#include "base/waitq.h"
#include "fs/fdtable.h"
#include "fs/file.h"
#include "lib/printf.h"
#include "mm/usercopy.h"
#include "process/creds.h"
#include "process/time_ns.h"
#include "time/clock.h"
#include "time/timer.h"
#include "time/wall_clock.h"

struct timerfd {
	struct lock lock; /* RANK_OBJECT */
	struct timer timer;
	struct clock_watch watch; /* of one that the clock's jumps concern */
	int run_clock;	    /* lock: CLOCK_MONOTONIC for a relative time, else clock_id */
	nsec_t deadline;    /* lock: on run_clock, NSEC_NEVER: not running */
	nsec_t interval;    /* lock: 0: once */
	uint64_t ticks;	    /* lock: expirations not read yet */
	int clock_id;	    /* const */
	uint32_t set_flags; /* lock: for fdinfo */
	bool may_cancel;    /* lock: TFD_TIMER_CANCEL_ON_SET */
	bool is_canceled;   /* lock: and the clock was set since */
	struct waitq expired; /* woken when ticks rises */
};

static SLAB_CACHE(timerfd_slab, "timerfd_ctx", sizeof(struct timerfd), 64);

/* Counts what has expired by now. */
static void timerfd_update_locked(struct timerfd *t)
{
	nsec_t now;
	nsec_t passed;

	if (t->deadline == NSEC_NEVER)
		return;
	now = clock_now(t->run_clock);
	if (now < t->deadline)
		return;
	if (t->interval == 0) {
		t->ticks++;
		t->deadline = NSEC_NEVER;
		return;
	}
	passed = (now - t->deadline) / t->interval + 1;
	t->ticks += (uint64_t)passed;
	t->deadline = nsec_add(t->deadline, passed * t->interval);
}

static void timerfd_rearm_locked(struct timerfd *t)
{
	if (t->deadline == NSEC_NEVER)
		timer_disarm(&t->timer);
	else
		timer_arm(&t->timer, deadline_on_clock(t->run_clock, t->deadline));
}

/* The clock was set since the last time that somebody asked. */
static bool timerfd_was_canceled_locked(struct timerfd *t)
{
	bool was = t->may_cancel && t->is_canceled;

	if (was)
		t->is_canceled = false;
	return was;
}

static void timerfd_clock_changed(struct clock_watch *w, bool was_set)
{
	struct timerfd *t = container_of(w, struct timerfd, watch);
	bool has_ticks;

	lock_take(&t->lock);
	if (was_set && t->may_cancel && !t->is_canceled) {
		t->is_canceled = true;
		t->ticks++;
	}
	timerfd_update_locked(t);
	timerfd_rearm_locked(t);
	has_ticks = t->ticks > 0;
	lock_drop(&t->lock);
	/* Sleeping readers have a deadline to change. */
	waitq_wake_all(&t->expired, has_ticks ? POLLIN : 0);
}

static void timerfd_fired(struct timer *timer)
{
	struct timerfd *t = container_of(timer, struct timerfd, timer);
	bool has_ticks;

	lock_take(&t->lock);
	timerfd_update_locked(t);
	has_ticks = t->ticks > 0;
	/* While nobody has read, nobody needs to be woken again. */
	if (!has_ticks)
		timerfd_rearm_locked(t);
	lock_drop(&t->lock);
	if (has_ticks)
		waitq_wake_all(&t->expired, POLLIN);
}

static int timerfd_sleep_locked(struct timerfd *t)
{
	return waitq_sleep(&t->expired, &t->lock,
			   deadline_on_clock(t->run_clock, t->deadline));
}

static ssize_t timerfd_read(struct file *f, struct uio *u, int64_t *pos)
{
	struct timerfd *t = f->private;
	uint64_t ticks;
	int err = 0;

	(void)pos;
	if (u->left < sizeof(ticks))
		return -EINVAL;
	lock_take(&t->lock);
	for (;;) {
		timerfd_update_locked(t);
		if (t->ticks || err)
			break;
		err = file_may_block(f, u) ? timerfd_sleep_locked(t) : -EAGAIN;
		if (err == -ETIMEDOUT)
			err = 0;
	}
	ticks = t->ticks;
	t->ticks = 0;
	if (ticks && timerfd_was_canceled_locked(t)) {
		ticks = 0;
		err = -ECANCELED;
	}
	if (ticks)
		timerfd_rearm_locked(t);
	lock_drop(&t->lock);
	if (!ticks)
		return err;
	return uio_copy_out(u, &ticks, sizeof(ticks)) == sizeof(ticks)
		       ? (ssize_t)sizeof(ticks)
		       : -EFAULT;
}

static uint32_t timerfd_poll(struct file *f, struct poll_table *pt)
{
	struct timerfd *t = f->private;
	uint32_t bits;

	poll_wait(pt, &t->expired);
	lock_take(&t->lock);
	timerfd_update_locked(t);
	bits = t->ticks ? POLLIN : 0;
	lock_drop(&t->lock);
	return bits;
}

static long timerfd_ioctl(struct file *f, unsigned int cmd, uint64_t arg)
{
	struct timerfd *t = f->private;
	uint64_t ticks;

	if (cmd != TFD_IOC_SET_TICKS)
		return -ENOTTY;
	if (COPY_IN(&ticks, arg))
		return -EFAULT;
	if (!ticks)
		return -EINVAL;
	lock_take(&t->lock);
	t->ticks = ticks;
	lock_drop(&t->lock);
	waitq_wake_all(&t->expired, POLLIN);
	return 0;
}

static void timerfd_get_locked(struct timerfd *t, struct linux_itimerspec *out)
{
	nsec_t left = 0;

	timerfd_update_locked(t);
	if (t->deadline != NSEC_NEVER)
		left = MAX(t->deadline - clock_now(t->run_clock), 1);
	out->it_value = nsec_to_timespec(left);
	out->it_interval = nsec_to_timespec(t->interval);
}

static void timerfd_show_fdinfo(struct file *f, char *buf, size_t size)
{
	struct timerfd *t = f->private;
	struct linux_itimerspec now;
	uint64_t ticks;

	lock_take(&t->lock);
	timerfd_get_locked(t, &now);
	ticks = t->ticks;
	lock_drop(&t->lock);
	(void)scnprintf(
		buf, size,
		"clockid: %d\nticks: %llu\nsettime flags: 0%o\nit_value: (%llu, %llu)\n"
		"it_interval: (%llu, %llu)\n",
		t->clock_id, (unsigned long long)ticks, t->set_flags,
		(unsigned long long)now.it_value.tv_sec,
		(unsigned long long)now.it_value.tv_nsec,
		(unsigned long long)now.it_interval.tv_sec,
		(unsigned long long)now.it_interval.tv_nsec);
}

static void timerfd_release(struct file *f)
{
	struct timerfd *t = f->private;

	clock_watch_del(&t->watch);
	timer_shutdown(&t->timer);
	slab_free(&timerfd_slab, t);
}

static const struct file_ops timerfd_ops = {
	.read = timerfd_read,
	.lseek = file_lseek_nowhere,
	.poll = timerfd_poll,
	.ioctl = timerfd_ioctl,
	.release = timerfd_release,
	.show_fdinfo = timerfd_show_fdinfo,
};

static bool clock_is_allowed(int clock_id)
{
	return clock_id == CLOCK_REALTIME || clock_id == CLOCK_MONOTONIC ||
	       clock_id == CLOCK_BOOTTIME || clock_id == CLOCK_REALTIME_ALARM ||
	       clock_id == CLOCK_BOOTTIME_ALARM;
}

static int timerfd_create_file(int clock_id, uint32_t flags, struct file **out)
{
	struct timerfd *t = slab_alloc_zeroed(&timerfd_slab);
	int err;

	if (!t)
		return -ENOMEM;
	lock_init(&t->lock, RANK_OBJECT);
	waitq_init(&t->expired);
	timer_init(&t->timer, timerfd_fired);
	t->deadline = NSEC_NEVER;
	t->clock_id = t->run_clock = clock_id;
	list_init(&t->watch.link);
	t->watch.func = timerfd_clock_changed;
	err = file_create_anon_inode("[timerfd]", &timerfd_ops,
				     O_RDWR | (flags & O_NONBLOCK), t, out);
	if (err)
		slab_free(&timerfd_slab, t);
	else if (clock_can_be_set(clock_id))
		clock_watch_add(&t->watch);
	return err;
}

long sys_timerfd_create(struct task *task, int clock_id, int flags)
{
	struct file *f;
	int fd;

	(void)task;
	if ((flags & ~(TFD_CLOEXEC | TFD_NONBLOCK)) || !clock_is_allowed(clock_id))
		return -EINVAL;
	if (clock_is_alarm(clock_id) && !capable(CAP_WAKE_ALARM))
		return -EPERM;
	fd = timerfd_create_file(clock_id, (uint32_t)flags, &f);
	if (fd)
		return fd;
	return fd_install_or_put(f, (uint32_t)flags & O_CLOEXEC);
}

/* Returns 0, or -ECANCELED: it is set, but the clock was before. */
static int timerfd_set(struct timerfd *t, uint32_t flags,
		       const struct linux_itimerspec *value, struct linux_itimerspec *old)
{
	nsec_t at = timespec_to_nsec(&value->it_value);
	bool is_due;
	int err = 0;

	if (flags & TFD_TIMER_ABSTIME)
		at = time_ns_to_machine(t->clock_id, at);
	lock_take(&t->lock);
	timerfd_get_locked(t, old);
	t->may_cancel = clock_can_be_set(t->clock_id) && flags & TFD_TIMER_ABSTIME &&
			flags & TFD_TIMER_CANCEL_ON_SET;
	t->ticks = 0;
	t->interval = timespec_to_nsec(&value->it_interval);
	t->run_clock = flags & TFD_TIMER_ABSTIME ? t->clock_id : CLOCK_MONOTONIC;
	if (at == 0)
		t->deadline = NSEC_NEVER;
	else
		t->deadline = flags & TFD_TIMER_ABSTIME ? at : deadline_after(at);
	if (at && timerfd_was_canceled_locked(t))
		err = -ECANCELED;
	else
		t->set_flags = flags;
	timerfd_update_locked(t);
	is_due = t->ticks > 0;
	timerfd_rearm_locked(t);
	lock_drop(&t->lock);
	if (is_due || t->deadline != NSEC_NEVER)
		waitq_wake_all(&t->expired,
			       POLLIN); /* sleeping readers have a deadline to change */
	return err;
}

long sys_timerfd_settime(struct task *task, int fd, int flags, uaddr_t value, uaddr_t old)
{
	struct linux_itimerspec new_value;
	struct linux_itimerspec old_value;
	struct fdref f;
	int err;

	(void)task;
	if (COPY_IN(&new_value, value))
		return -EFAULT;
	if ((flags & ~(TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET)) ||
	    !timespec_is_valid(&new_value.it_value) ||
	    !timespec_is_valid(&new_value.it_interval))
		return -EINVAL;
	f = fd_get(fd);
	if (!f.file)
		return -EBADF;
	if (f.file->ops != &timerfd_ops) {
		fd_put(f);
		return -EINVAL;
	}
	if (clock_is_alarm(((struct timerfd *)f.file->private)->clock_id) &&
	    !capable(CAP_WAKE_ALARM))
		err = -EPERM;
	else
		err = timerfd_set(f.file->private, (uint32_t)flags, &new_value,
				  &old_value);
	fd_put(f);
	return !err && old && COPY_OUT(old, &old_value) ? -EFAULT : err;
}

long sys_timerfd_gettime(struct task *task, int fd, uaddr_t out)
{
	struct linux_itimerspec now;
	struct fdref f = fd_get(fd);
	struct timerfd *t;

	(void)task;
	if (!f.file)
		return -EBADF;
	if (f.file->ops != &timerfd_ops) {
		fd_put(f);
		return -EINVAL;
	}
	t = f.file->private;
	lock_take(&t->lock);
	timerfd_get_locked(t, &now);
	lock_drop(&t->lock);
	fd_put(f);
	return COPY_OUT(out, &now);
}
