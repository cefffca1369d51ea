/* SPDX-License-Identifier: MIT */
/* sys_aio.c - io_setup(2) and its kin. */
#include "abi/errno.h"
#include "abi/syscall.h"
#include "abi/time.h"
#include "base/claim.h"
#include "event/aio.h"
#include "event/aio_submit.h"
#include "lib/atomic.h"
#include "mm/usercopy.h"
#include "process/task.h"
#include "signal/signal.h"
#include "time/clock.h"

static int destroy(uaddr_t ctx)
{
	struct aio_context *c = aio_lookup(ctx);
	int err;

	if (!c)
		return -EINVAL;
	err = aio_destroy(c);
	aio_leave(c);
	return err;
}

long sys_io_setup(struct task *t, unsigned int count, uaddr_t out)
{
	uint64_t before;
	uaddr_t address;
	int err;

	(void)t;
	if (get_user_u64(&before, out))
		return -EFAULT;
	if (before || !count)
		return -EINVAL;
	err = aio_create(count, &address);
	if (!err && put_user_u64(out, address)) {
		(void)destroy(address);
		err = -EFAULT;
	}
	return err;
}

long sys_io_destroy(struct task *t, uint64_t ctx)
{
	(void)t;
	return destroy(ctx);
}

long sys_io_submit(struct task *t, uint64_t ctx, long count, uaddr_t iocbs)
{
	struct aio_context *c;
	long done = 0;
	int err = 0;

	(void)t;
	if (count < 0)
		return -EINVAL;
	c = aio_lookup(ctx);
	if (!c)
		return -EINVAL;
	if (aio_begin(c)) {
		count = MIN(count, (long)c->nr);
		for (; done < count && !err; done += !err) {
			uint64_t address;

			err = get_user_u64(&address, iocbs + (uaddr_t)done * 8);
			if (!err)
				err = aio_submit_one(c, address);
		}
		aio_poll_finish(c);
		aio_end(c);
	} else {
		err = -EINVAL;
	}
	aio_leave(c);
	return done ? done : err;
}

long sys_io_cancel(struct task *t, uint64_t ctx, uaddr_t iocb, uaddr_t result)
{
	struct aio_context *c;
	uint32_t key;
	int err;

	(void)t;
	(void)result; /* the event says it */
	if (get_user_u32(&key, iocb + offsetof(struct linux_iocb, aio_key)))
		return -EFAULT;
	if (key != IOCB_KEY)
		return -EINVAL;
	c = aio_lookup(ctx);
	if (!c)
		return -EINVAL;
	err = aio_poll_cancel(c, iocb);
	aio_leave(c);
	return err;
}

/* Takes what there is. True: that is enough, or an error; *got: how many, or the error if
 * there were none. */
static bool take(struct aio_context *c, long min, long max, uaddr_t events, long *got)
{
	long ret;

	aio_poll_finish(c);
	ret = aio_take_events(c, events + (uaddr_t)*got * sizeof(struct linux_io_event),
			      max - *got);
	if (ret > 0)
		*got += ret;
	if (atomic_load(&c->is_dead))
		ret = -EINVAL;
	if (!*got && ret < 0)
		*got = ret;
	return ret < 0 || *got >= min;
}

static long wait_events(struct aio_context *c, long min, long max, uaddr_t events,
			nsec_t deadline)
{
	struct wait_place p;
	long got = 0;
	int err = 0;

	if (take(c, min, max, events, &got) || !deadline)
		return got;
	for (;;) {
		bool is_enough;

		sleeper_prepare();
		wait_place_take(&p, &c->changed, NULL, false);
		is_enough = take(c, min, max, events, &got) || err;
		if (!is_enough)
			err = sleeper_wait(deadline, WORK_INTERRUPTS);
		wait_place_leave(&p);
		if (is_enough)
			break;
	}
	sleeper_cancel();
	aio_poll_finish(c); /* what was left to this task */
	return got;
}

static long get_events(uint64_t ctx, long min, long max, uaddr_t events, nsec_t deadline)
{
	struct aio_context *c = aio_lookup(ctx);
	long ret = -EINVAL;

	if (!c)
		return -EINVAL;
	if (min >= 0 && min <= max)
		ret = wait_events(c, min, max, events, deadline);
	aio_leave(c);
	return ret;
}

/* Any time is taken; a negative one never ends, nor does it on Linux. */
static int timeout_copy_in(uaddr_t timeout, nsec_t *deadline)
{
	struct linux_timespec ts;

	*deadline = NSEC_NEVER;
	if (!timeout)
		return 0;
	if (COPY_IN(&ts, timeout))
		return -EFAULT;
	if (ts.tv_sec >= 0 && ts.tv_nsec >= 0 && ts.tv_sec < NSEC_NEVER / NSEC_PER_SEC) {
		nsec_t wait = nsec_add(ts.tv_sec * NSEC_PER_SEC, ts.tv_nsec);

		*deadline = wait ? deadline_after(wait) : 0;
	}
	return 0;
}

/* A signal counts when there is nothing else to say; other work means nothing to the
 * guest. */
static long unless_interrupted(const struct task *t, long ret, long err)
{
	if (ret || !(atomic_load(&t->sleeper.work) & WORK_INTERRUPTS))
		return ret;
	return signal_is_pending() ? err : -ERESTARTNOINTR;
}

long sys_io_getevents(struct task *t, uint64_t ctx, long min, long max, uaddr_t events,
		      uaddr_t timeout)
{
	nsec_t deadline;

	if (timeout_copy_in(timeout, &deadline))
		return -EFAULT;
	return unless_interrupted(t, get_events(ctx, min, max, events, deadline), -EINTR);
}

long sys_io_pgetevents(struct task *t, uint64_t ctx, long min, long max, uaddr_t events,
		       uaddr_t timeout, uaddr_t set)
{
	struct linux_aio_sigset s = {0, 0};
	nsec_t deadline;
	long ret;

	if (timeout_copy_in(timeout, &deadline) || (set && COPY_IN(&s, set)))
		return -EFAULT;
	if (s.sigmask) {
		int err = signal_set_mask_for_call(s.sigmask, s.sigsetsize);

		if (err)
			return err;
	}
	ret = unless_interrupted(t, get_events(ctx, min, max, events, deadline),
				 -ERESTARTNOHAND);
	if (ret > 0 && signal_is_pending())
		signal_mask_outlasts_call(t);
	return ret;
}
