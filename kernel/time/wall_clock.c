/* SPDX-License-Identifier: MIT */
/* wall_clock.c - see wall_clock.h. */
#include "time/wall_clock.h"

#include "abi/errno.h"
#include "base/claim.h"
#include "base/lock.h"
#include "base/waitq.h"
#include "host/host.h"
#include "lib/atomic.h"
#include "time/clock.h"
#include "time/internal.h"

/* Linux takes no time from which a machine could run 30 years without an overflow. */
#define SET_MAX (NSEC_NEVER - NSEC_PER_SEC * 30 * 365 * 24 * 3600)

#define AT(field, off)                                                                   \
	_Static_assert(__builtin_offsetof(struct wall_clock, field) == (off), #field)
AT(is_own, 4);
AT(from, 8);
AT(base, 16);
AT(until, 24);
AT(rate, 32);
AT(tai, 40);
AT(zone, 48);

struct wall_clock wall_clock __attribute__((aligned(64)));
static struct lock clock_lock = LOCK_INIT(RANK_CLOCK); /* whoever writes wall_clock */

static struct lock watch_lock = LOCK_INIT(RANK_CLOCK_WATCH);
static struct list watches = LIST_INIT(watches); /* watch_lock */

static nsec_t gain(nsec_t span, int64_t rate)
{
	return (nsec_t)(((__int128)span * rate) >> WALL_RATE_SHIFT);
}

static nsec_t line_at(nsec_t mono)
{
	nsec_t d = mono - wall_clock.from;

	return nsec_add(wall_clock.base, d + gain(d, wall_clock.rate));
}

/* The CLOCK_MONOTONIC time at which the line reaches t, or a moment before. Each round
 * leaves a tenth of the error at most. */
static nsec_t line_reaches(nsec_t t)
{
	nsec_t need = t - wall_clock.base;
	nsec_t d = need;

	for (int i = 0; i < 20; i++) {
		nsec_t error = need - (d + gain(d, wall_clock.rate));

		if (!error)
			break;
		d += error;
	}
	return nsec_add(wall_clock.from, d);
}

/* The host's offset; its two clocks cannot be read at once, so what takes shortest is
 * truest. */
static nsec_t host_offset(int clock_id)
{
	nsec_t best = NSEC_NEVER;
	nsec_t offset = 0;

	for (int i = 0; i < 5; i++) {
		nsec_t before = host_clock(CLOCK_MONOTONIC);
		nsec_t t = host_clock(clock_id);
		nsec_t took = host_clock(CLOCK_MONOTONIC) - before;

		if (took < best) {
			best = took;
			offset = t - before - took / 2;
		}
	}
	return offset;
}

static nsec_t host_tai(void)
{
	nsec_t d = host_offset(CLOCK_TAI) - host_offset(CLOCK_REALTIME);

	return (d + NSEC_PER_SEC / 2) / NSEC_PER_SEC * NSEC_PER_SEC;
}

/* ---- writing: clock_lock held ---- */

static void write_begin(void)
{
	(void)atomic_add(&wall_clock.seq, 1);
}

static void write_end(void)
{
	(void)atomic_add(&wall_clock.seq, 1);
}

/* A line from here, where the clock reads real. */
static void line_draw(nsec_t mono, nsec_t real)
{
	wall_clock.from = mono;
	wall_clock.base = real;
	wall_clock.rate = ntp_rate_locked();
	wall_clock.until = NSEC_NEVER;
	if (ntp_is_busy_locked())
		wall_clock.until = MAX(
			line_reaches((real / NSEC_PER_SEC + 1) * NSEC_PER_SEC), mono + 1);
}

/* From now on it is the sandbox's own. */
static void make_own(nsec_t mono)
{
	if (wall_clock.is_own)
		return;
	wall_clock.tai = host_tai();
	line_draw(mono, mono + host_offset(CLOCK_REALTIME));
	atomic_store(&wall_clock.is_own, 1U);
}

/* Goes on by pieces of a second, up to the one that mono lies in. */
static void catch_up(nsec_t mono)
{
	while (wall_clock.until <= mono) {
		nsec_t at = wall_clock.until;
		nsec_t real = line_at(at) + 1; /* it may be a nanosecond short */
		nsec_t step = 0;
		nsec_t tai = 0;

		real -= real % NSEC_PER_SEC == 1 ? 1 : 0;
		(void)ntp_second_locked(real / NSEC_PER_SEC, &step, &tai);
		wall_clock.tai += tai;
		line_draw(at, real + step);
	}
}

static void advance(void)
{
	nsec_t mono;

	lock_take(&clock_lock);
	mono = host_clock(CLOCK_MONOTONIC);
	if (wall_clock.until <= mono) {
		write_begin();
		catch_up(mono);
		write_end();
	}
	lock_drop(&clock_lock);
}

/* ---- reading ---- */

static nsec_t read_own(int clock_id)
{
	int mono_id = clock_id == CLOCK_REALTIME_COARSE ? CLOCK_MONOTONIC_COARSE
							: CLOCK_MONOTONIC;

	for (;;) {
		uint32_t seq = atomic_load(&wall_clock.seq);
		nsec_t mono = host_clock(mono_id);
		bool is_over = mono >= wall_clock.until;
		nsec_t t = line_at(mono) + (clock_id == CLOCK_TAI ? wall_clock.tai : 0);

		atomic_fence_acquire();
		if (seq & 1 || seq != atomic_load_relaxed(&wall_clock.seq))
			cpu_relax();
		else if (is_over)
			advance();
		else
			return t;
	}
}

nsec_t wall_clock_now(int clock_id)
{
	return atomic_load(&wall_clock.is_own) ? read_own(clock_id)
					       : host_clock(clock_id);
}

nsec_t wall_clock_deadline(int clock_id, nsec_t t)
{
	for (;;) {
		uint32_t seq = atomic_load(&wall_clock.seq);
		nsec_t now = wall_clock_now(clock_id);
		nsec_t at;

		if (t <= now)
			return 0;
		if (!atomic_load(&wall_clock.is_own))
			return deadline_after(t - now);
		if (clock_id == CLOCK_TAI)
			t -= wall_clock.tai;
		at = MIN(line_reaches(t), wall_clock.until);
		atomic_fence_acquire();
		if (!(seq & 1) && seq == atomic_load_relaxed(&wall_clock.seq))
			return at;
		if (clock_id == CLOCK_TAI)
			t += wall_clock.tai;
	}
}

/* ---- who must know ---- */

static struct waitq sleepers = {
	.lock = LOCK_INIT(RANK_WAITQ),
	.entries = LIST_INIT(sleepers.entries),
};

void clock_watch_add(struct clock_watch *w)
{
	lock_take(&watch_lock);
	list_add_tail(&watches, &w->link);
	lock_drop(&watch_lock);
}

void clock_watch_del(struct clock_watch *w)
{
	lock_take(&watch_lock);
	list_remove(&w->link);
	lock_drop(&watch_lock);
}

static void tell(bool was_set)
{
	struct list *pos;

	lock_take(&watch_lock);
	list_for_each (pos, &watches) {
		struct clock_watch *w = list_entry(pos, struct clock_watch, link);

		w->func(w, was_set);
	}
	lock_drop(&watch_lock);
	waitq_wake_all(&sleepers, 0);
}

int deadline_sleep(const struct deadline *d, uint32_t mask)
{
	struct wait_place p;
	int err;

	if (!clock_can_be_set(d->clock) || d->at == NSEC_NEVER)
		return sleeper_wait(deadline_on_clock(d->clock, d->at), mask);
	wait_place_take(&p, &sleepers, NULL, false);
	err = sleeper_wait(deadline_on_clock(d->clock, d->at), mask);
	wait_place_leave(&p);
	return err == -ETIMEDOUT && clock_now(d->clock) < d->at ? 0 : err;
}

int deadline_sleep_exclusive(struct waitq *q, struct lock *lock,
			     const struct deadline *d) NO_LOCK_CHECK
{
	struct wait_place p;
	int err;

	if (!clock_can_be_set(d->clock) || d->at == NSEC_NEVER)
		return waitq_sleep_exclusive(q, lock, deadline_on_clock(d->clock, d->at));
	sleeper_prepare();
	wait_place_take(&p, q, NULL, true);
	lock_drop(lock);
	err = deadline_sleep(d, WORK_INTERRUPTS);
	lock_take(lock);
	wait_place_leave(&p);
	return p.entry.woken ? 0 : err; /* that wake-up was ours alone */
}

/* ---- setting ---- */

static bool is_settable(nsec_t mono, nsec_t t)
{
	return t >= mono && t < SET_MAX;
}

static int set_locked(nsec_t mono, nsec_t t)
{
	if (!is_settable(mono, t))
		return -EINVAL;
	write_begin();
	make_own(mono);
	ntp_clear_locked(mono);
	line_draw(mono, t);
	write_end();
	return 0;
}

int wall_clock_set(nsec_t t)
{
	int err;

	lock_take(&clock_lock);
	err = set_locked(host_clock(CLOCK_MONOTONIC), t);
	lock_drop(&clock_lock);
	if (!err)
		tell(true);
	return err;
}

void wall_clock_set_zone(const struct linux_timezone *zone)
{
	lock_take(&clock_lock);
	write_begin();
	wall_clock.zone = *zone;
	write_end();
	lock_drop(&clock_lock);
}

static nsec_t timex_step(const struct linux_timex *tx)
{
	nsec_t part = tx->time.tv_usec * (tx->modes & ADJ_NANO ? 1 : 1000);
	nsec_t whole;

	if (__builtin_mul_overflow(tx->time.tv_sec, NSEC_PER_SEC, &whole))
		return tx->time.tv_sec < 0 ? -NSEC_NEVER : NSEC_NEVER;
	return nsec_add(whole, part);
}

/* Up to now, whatever is due. Returns what the clock reads. */
static nsec_t now_locked(nsec_t mono)
{
	if (!wall_clock.is_own)
		return mono + host_offset(CLOCK_REALTIME);
	catch_up(mono);
	return line_at(mono);
}

int wall_clock_adjust(struct linux_timex *tx)
{
	bool was_set = false;
	bool redraw = false;
	nsec_t mono;
	nsec_t real;
	int32_t tai;
	int32_t old_tai;
	int err = 0;

	lock_take(&clock_lock);
	write_begin();
	mono = host_clock(CLOCK_MONOTONIC);
	real = now_locked(mono);
	if (tx->modes & ADJ_SETOFFSET && !(tx->modes & ADJ_ADJTIME)) {
		nsec_t step = timex_step(tx);

		was_set =
			step > -NSEC_NEVER / 2 && is_settable(mono, nsec_add(real, step));
		err = was_set ? 0 : -EINVAL;
		if (was_set) {
			make_own(mono);
			real += step;
			ntp_clear_locked(mono);
			redraw = true;
		}
	}
	if (!err) {
		tai = old_tai =
			(int32_t)((wall_clock.is_own ? wall_clock.tai : host_tai()) /
				  NSEC_PER_SEC);
		err = ntp_adjust_locked(tx, mono, real, &tai, &redraw);
		if (redraw || tai != old_tai) {
			make_own(mono);
			line_draw(mono, real);
			wall_clock.tai = tai * NSEC_PER_SEC;
			was_set |= tai != old_tai;
		}
	}
	write_end();
	lock_drop(&clock_lock);
	if (redraw || was_set)
		tell(was_set);
	return err;
}
