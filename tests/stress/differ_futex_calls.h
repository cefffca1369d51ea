/* SPDX-License-Identifier: MIT */
/* differ_futex_calls.h - steps of differ_futex.c: each one futex call, of the main thread
 * or of one that is to sleep in it. */
#pragma once
#include "differ_futex_words.h"

#define SYS_futex_wake_number	 454
#define SYS_futex_wait_number	 455
#define SYS_futex_requeue_number 456
#define FUTEX2_U32		 2U
#ifndef FUTEX_LOCK_PI2
#define FUTEX_LOCK_PI2 13
#endif

static const struct timespec past = {0, 1}, none_left = {0, 0},
			     bad_nanoseconds = {0, 1000000000}, bad_seconds = {-1, 0};

/* An absolute time that is over, or now and then one that is none. */
static const struct timespec *any_past(struct chance *c, const char **text)
{
	uint64_t which = below(c, 30);

	*text = which == 0 ? "bad nanoseconds" : which == 1 ? "bad seconds" : "past";
	return which == 0 ? &bad_nanoseconds : which == 1 ? &bad_seconds : &past;
}

static int any_private(struct chance *c)
{
	return percent(c, 50) ? FUTEX_PRIVATE_FLAG : 0;
}

static uint32_t any_bits(struct chance *c)
{
	static const uint32_t bits[] = {1, 2, 3, 4, ~0U, ~0U};

	return percent(c, 97) ? ANY(c, bits) : 0;
}

static uint32_t any_value(struct chance *c, struct word w)
{
	/* no thread's id, which a small number may be inside */
	uint32_t other = w.index < PLAIN_WORDS ? 0 : 0x3ffffff0;

	return percent(c, 85) ? value_of(w) : other + (uint32_t)below(c, 4);
}

static const char *expected_text(struct word w, uint32_t value)
{
	static char text[16];

	snprintf(text, sizeof(text), "%#x", value);
	return value == value_of(w) ? "as it is" : text;
}

static long futex(struct word w, int op, long value, const void *time, struct word other,
		  long value3)
{
	return syscall(SYS_futex, w.at, op, value, time, other.at, value3);
}

static const struct word no_word = {.at = NULL};

/* Whether the lock has been given to one that slept for it. */
static void settle_owner(struct word w, uint32_t before)
{
	uint32_t now = value_of(w) & FUTEX_TID_MASK;
	long count = 0;

	for (int i = 0; i < SLEEPERS && now != (before & FUTEX_TID_MASK); i++)
		count += !sleepers[i].is_reported && now == (uint32_t)sleepers[i].tid;
	sleepers_settle(count);
}

/* ---- words that nobody sleeps for but by their values ---- */

static void do_set(struct chance *c)
{
	struct word w = any_word(c);
	static const uint32_t owners[] = {
		0, 0, 0, 0x3ffffff1, FUTEX_WAITERS, FUTEX_OWNER_DIED};
	uint32_t value = w.index < PLAIN_WORDS ? (uint32_t)below(c, 4) : ANY(c, owners);

	if (w.index >= PLAIN_WORDS && !w.is_bad && percent(c, 10))
		value = (value & ~(uint32_t)FUTEX_TID_MASK) | (uint32_t)getpid();
	if (!w.is_bad)
		__atomic_store_n(w.at, value, __ATOMIC_SEQ_CST);
	say("%s to %s\n", word_text(w), value_text(w, value));
}

/* Without sleeping: the time is over. */
static void do_wait(struct chance *c)
{
	static const int clocks[] = {0, 0, 0, FUTEX_CLOCK_REALTIME};
	struct word w = any_word(c);
	bool has_bits = percent(c, 50);
	int op = (has_bits ? FUTEX_WAIT_BITSET : FUTEX_WAIT) | any_private(c) |
		 ANY(c, clocks);
	uint32_t value = any_value(c, w);
	uint32_t bits = any_bits(c);
	const char *text;
	const struct timespec *time = any_past(c, &text);

	if (!has_bits && time == &past)
		time = &none_left;
	say("%s op %#x value %s bits %#x %s", word_text(w), (unsigned int)op,
	    expected_text(w, value), bits, text);
	done(futex(w, op, value, time, no_word, bits));
}

static void report_sleep(struct sleeper *s)
{
	say("  t%d %s\n", (int)(s - sleepers), is_idle(s) ? "did not sleep" : "sleeps");
}

static void do_sleep(struct chance *c)
{
	struct sleeper *s = any_idle(c);
	struct word w = plain_word(c);
	bool has_bits = percent(c, 50);
	int op = (has_bits ? FUTEX_WAIT_BITSET : FUTEX_WAIT) | any_private(c);
	uint32_t value = any_value(c, w);
	uint32_t bits = any_bits(c);

	say("%s op %#x value %s bits %#x\n", word_text(w), (unsigned int)op,
	    expected_text(w, value), bits);
	if (!s)
		return;
	s->call = (struct call){"wait", SYS_futex, {(long)w.at, op, value, 0, 0, bits}};
	sleeper_tell(s);
	report_sleep(s);
}

static void do_wake(struct chance *c)
{
	struct word w = any_word(c);
	bool has_bits = percent(c, 40);
	int op = (has_bits ? FUTEX_WAKE_BITSET : FUTEX_WAKE) | any_private(c);
	int count = percent(c, 95) ? (int)below(c, 4) : -1;
	uint32_t bits = any_bits(c);

	say("%s op %#x count %d bits %#x", word_text(w), (unsigned int)op, count, bits);
	sleepers_settle(done(futex(w, op, count, NULL, no_word, bits)));
}

/* All operations and comparisons, and a few that there are not. */
static void do_wake_op(struct chance *c)
{
	struct word w = plain_word(c);
	struct word other = plain_word(c);
	int op = FUTEX_WAKE_OP | any_private(c);
	long count = (long)below(c, 3);
	long count_other = (long)below(c, 3);
	uint32_t change =
		(uint32_t)below(c, percent(c, 90) ? 5 : 8) | (percent(c, 20) ? 8 : 0);
	uint32_t compare = (uint32_t)below(c, percent(c, 95) ? 6 : 16);
	uint32_t by = (uint32_t)(percent(c, 90) ? below(c, 4) : below(c, 1 << 12));
	uint32_t with = (uint32_t)(percent(c, 90) ? below(c, 4) : below(c, 1 << 12));
	uint32_t code = change << 28 | compare << 24 | by << 12 | with;

	say("%s %ld, %s %ld op %#x code %#x", word_text(w), count, word_text(other),
	    count_other, (unsigned int)op, code);
	sleepers_settle(
		done(futex(w, op, count, (const void *)count_other, other, (long)code)));
}

static long woken_of(long result, long may_wake)
{
	return result < 0 || result < may_wake ? result : may_wake;
}

static void do_requeue(struct chance *c)
{
	struct word w = plain_word(c);
	struct word other = plain_word(c);
	bool compares = percent(c, 70);
	int op = (compares ? FUTEX_CMP_REQUEUE : FUTEX_REQUEUE) | any_private(c);
	long wake = percent(c, 97) ? (long)below(c, 3) : -1;
	long move = percent(c, 97) ? (long)below(c, 4) : -1;
	uint32_t value = any_value(c, w);

	say("%s wake %ld to %s move %ld op %#x value %s", word_text(w), wake,
	    word_text(other), move, (unsigned int)op, expected_text(w, value));
	sleepers_settle(woken_of(
		done(futex(w, op, wake, (const void *)move, other, value)), wake));
}

/* ---- priority inheritance ---- */

static int any_lock_op(struct chance *c)
{
	static const int ops[] = {FUTEX_LOCK_PI,
				  FUTEX_LOCK_PI2,
				  FUTEX_TRYLOCK_PI,
				  FUTEX_UNLOCK_PI,
				  FUTEX_UNLOCK_PI,
				  FUTEX_UNLOCK_PI,
				  FUTEX_LOCK_PI2 | FUTEX_CLOCK_REALTIME};

	return ANY(c, ops) | any_private(c);
}

static bool is_unlock(int op)
{
	return (op & FUTEX_CMD_MASK) == FUTEX_UNLOCK_PI;
}

static void do_pi(struct chance *c)
{
	struct word w = pi_word(c);
	int op = any_lock_op(c);
	uint32_t before = value_of(w);
	const char *text;
	const struct timespec *time = any_past(c, &text);
	long result;

	say("%s op %#x %s", word_text(w), (unsigned int)op, text);
	result = done(futex(w, op, 0, time, no_word, 0));
	if (result == 0 && is_unlock(op))
		settle_owner(w, before);
}

/* The same by one that sleeps until it has it. */
static void do_sleep_pi(struct chance *c)
{
	struct sleeper *s = any_idle(c);
	struct word w = pi_word(c);
	int op = any_lock_op(c);
	uint32_t before = value_of(w);

	say("%s op %#x\n", word_text(w), (unsigned int)op);
	if (!s)
		return;
	s->call = (struct call){"lock", SYS_futex, {(long)w.at, op}};
	sleeper_tell(s);
	report_sleep(s);
	if (is_idle(s) && s->result == 0 && is_unlock(op)) {
		s->is_reported = true;
		settle_owner(w, before);
	}
}

static void do_sleep_requeue_pi(struct chance *c)
{
	struct sleeper *s = any_idle(c);
	struct word w = plain_word(c);
	struct word other = pi_word(c);
	int op = FUTEX_WAIT_REQUEUE_PI | any_private(c);
	uint32_t value = any_value(c, w);
	bool is_past = percent(c, 10);

	say("%s to %s op %#x value %s\n", word_text(w), word_text(other),
	    (unsigned int)op, expected_text(w, value));
	if (!s)
		return;
	s->call = (struct call){
		"wait_requeue_pi",
		SYS_futex,
		{(long)w.at, op, value, is_past ? (long)&past : 0, (long)other.at, 0}};
	sleeper_tell(s);
	while (is_past && !is_idle(s))
		sched_yield();
	report_sleep(s);
}

static void do_requeue_pi(struct chance *c)
{
	struct word w = plain_word(c);
	struct word other = pi_word(c);
	int op = FUTEX_CMP_REQUEUE_PI | any_private(c);
	long wake = percent(c, 95) ? 1 : (long)below(c, 3);
	long move = (long)below(c, 4);
	uint32_t value = any_value(c, w);
	uint32_t before = value_of(other);

	say("%s wake %ld to %s move %ld op %#x value %s", word_text(w), wake,
	    word_text(other), move, (unsigned int)op, expected_text(w, value));
	if (done(futex(w, op, wake, (const void *)move, other, value)) > 0)
		settle_owner(other, before);
}

/* ---- futex_wake, futex_wait, futex_requeue, futex_waitv ---- */

static unsigned int any_size_flags(struct chance *c)
{
	unsigned int flags = FUTEX2_U32 | (percent(c, 50) ? FUTEX_PRIVATE_FLAG : 0);

	return percent(c, 93)
		       ? flags
		       : flags ^ (1U << (percent(c, 50) ? below(c, 2) : 4 + below(c, 3)));
}

static unsigned long any_mask(struct chance *c)
{
	return percent(c, 95) ? any_bits(c) : 1UL << 32;
}

static void do_futex2(struct chance *c)
{
	struct word w = plain_word(c);
	struct word other = plain_word(c);
	unsigned int flags = any_size_flags(c);
	unsigned int other_flags = any_size_flags(c);
	unsigned long mask = any_mask(c);
	int count = (int)below(c, 4);
	int move = (int)below(c, 4);
	uint32_t value = any_value(c, w);
	const char *text;
	const struct timespec *time = any_past(c, &text);
	struct futex_waitv pair[2] = {
		{.uaddr = (uint64_t)w.at, .val = value, .flags = flags},
		{.uaddr = (uint64_t)other.at, .flags = other_flags}};
	int clock = percent(c, 50)   ? CLOCK_MONOTONIC
		    : percent(c, 80) ? CLOCK_REALTIME
				     : 7;

	switch (below(c, 3)) {
	case 0:
		say("wake %s mask %#lx count %d flags %#x", word_text(w), mask, count,
		    flags);
		sleepers_settle(
			done(syscall(SYS_futex_wake_number, w.at, mask, count, flags)));
		break;
	case 1:
		say("wait %s value %s mask %#lx flags %#x %s clock %d", word_text(w),
		    expected_text(w, value), mask, flags, text, clock);
		done(syscall(SYS_futex_wait_number, w.at, (unsigned long)value, mask,
			     flags, time, clock));
		break;
	default:
		if (percent(c, 5))
			pair[1].__reserved = 1;
		flags = percent(c, 5);
		say("requeue %s value %s flags %#x to %s flags %#x wake %d move %d, %u",
		    word_text(w), expected_text(w, value), pair[0].flags,
		    word_text(other), other_flags, count, move, flags);
		sleepers_settle(woken_of(
			done(syscall(SYS_futex_requeue_number, pair, flags, count, move)),
			count));
		break;
	}
}

/* Of several words; by one that sleeps, or for a time that is over. */
static void do_waitv(struct chance *c)
{
	struct sleeper *s = percent(c, 70) ? any_idle(c) : NULL;
	static struct futex_waitv own[3];
	struct futex_waitv *v = s ? s->vector : own;
	unsigned int count = 1 + (unsigned int)below(c, 3);
	unsigned int flags = percent(c, 4);
	const char *text;
	const struct timespec *time = any_past(c, &text);
	int clock = percent(c, 50)   ? CLOCK_MONOTONIC
		    : percent(c, 80) ? CLOCK_REALTIME
				     : 7;

	say("%s", s ? "sleeps" : text);
	for (unsigned int i = 0; i < count; i++) {
		struct word w = plain_word(c);

		v[i] = (struct futex_waitv){.uaddr = (uint64_t)w.at,
					    .val = percent(c, 93) ? value_of(w)
								  : below(c, 4),
					    .flags = any_size_flags(c),
					    .__reserved = percent(c, 2)};
		say(" %s %#x", word_text(w), v[i].flags);
	}
	say(" flags %u clock %d", flags, clock);
	if (!s) {
		done(syscall(SYS_futex_waitv, v, count, flags, time, clock));
		return;
	}
	say("\n");
	s->call = (struct call){
		"waitv", SYS_futex_waitv, {(long)v, count, flags, 0, clock}};
	sleeper_tell(s);
	report_sleep(s);
}

/* ---- what is none ---- */

static void do_bad(struct chance *c)
{
	static const int ops[] = {2 /* FUTEX_FD */,
				  14,
				  127,
				  FUTEX_WAKE | FUTEX_CLOCK_REALTIME,
				  FUTEX_LOCK_PI | FUTEX_CLOCK_REALTIME,
				  FUTEX_CMP_REQUEUE | FUTEX_CLOCK_REALTIME,
				  FUTEX_TRYLOCK_PI | FUTEX_CLOCK_REALTIME,
				  FUTEX_WAIT_REQUEUE_PI | FUTEX_CLOCK_REALTIME,
				  FUTEX_WAKE | 512,
				  FUTEX_WAKE | 0x40000000};
	struct word w = plain_word(c);
	int op = ANY(c, ops);
	bool has_time = percent(c, 50);

	/* a value that is not there: nobody sleeps */
	say("%s op %#x", word_text(w), (unsigned int)op);
	done(futex(w, op, 77, has_time ? (const void *)no_memory : &past, no_word, 0));
}

/* A signal for one that sleeps and comes back from it. */
static void do_kick(struct chance *c)
{
	struct sleeper *s = &sleepers[below(c, SLEEPERS)];

	if (s->is_reported ||
	    (strcmp(s->call.name, "wait") && strcmp(s->call.name, "waitv"))) {
		say("none\n");
		return;
	}
	say("t%d\n", (int)(s - sleepers));
	MUST(syscall(SYS_tgkill, getpid(), s->tid, SIGUSR1) == 0);
	sleepers_settle(1);
}
