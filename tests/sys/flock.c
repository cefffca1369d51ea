/* SPDX-License-Identifier: MIT */
/* files */
/* Locks on whole open descriptions. */
#include "fixture.h"

#include <sys/file.h>

static int a, b;

static void exclude_other_descriptions(void)
{
	file_put("f", "");
	a = open("f", O_RDONLY);
	b = open("f", O_RDWR);
	CHECK(flock(a, LOCK_EX) == 0);
	FAILS(EWOULDBLOCK, flock(b, LOCK_EX | LOCK_NB));
	FAILS(EWOULDBLOCK, flock(b, LOCK_SH | LOCK_NB));
	CHECK(flock(a, LOCK_UN) == 0 && flock(b, LOCK_EX | LOCK_NB) == 0);
	CHECK(flock(b, LOCK_UN) == 0);
}

static void shared_ones_live_together_and_convert(void)
{
	CHECK(flock(a, LOCK_SH) == 0 && flock(b, LOCK_SH) == 0);
	FAILS(EWOULDBLOCK, flock(a, LOCK_EX | LOCK_NB));
	CHECK(flock(b, LOCK_UN) == 0 && flock(a, LOCK_EX | LOCK_NB) == 0);
	CHECK(flock(a, LOCK_SH) == 0 && flock(b, LOCK_SH | LOCK_NB) == 0);
	CHECK(flock(a, LOCK_UN) == 0 && flock(b, LOCK_UN) == 0);
}

static void duplicates_hold_one_lock(void)
{
	int d = dup(a);

	CHECK(flock(a, LOCK_EX) == 0 && flock(d, LOCK_EX | LOCK_NB) == 0);
	CHECK(close(d) == 0);
	FAILS(EWOULDBLOCK, flock(b, LOCK_SH | LOCK_NB));
	CHECK(flock(a, LOCK_UN) == 0);
}

static void child_unlocks(void)
{
	CHECK(flock(a, LOCK_UN) == 0);
}

static void children_share_it(void)
{
	CHECK(flock(a, LOCK_EX) == 0 && in_child(child_unlocks) == 0);
	CHECK(flock(b, LOCK_EX | LOCK_NB) == 0 && flock(b, LOCK_UN) == 0);
}

static void child_does_nothing(void)
{
}

static void a_childs_exit_keeps_it(void)
{
	CHECK(flock(a, LOCK_EX) == 0 && in_child(child_does_nothing) == 0);
	FAILS(EWOULDBLOCK, flock(b, LOCK_EX | LOCK_NB));
}

static void the_last_close_drops_it(void)
{
	CHECK(close(a) == 0 && flock(b, LOCK_EX | LOCK_NB) == 0 &&
	      flock(b, LOCK_UN) == 0);
	a = open("f", O_RDONLY);
}

static void *unlock_later(void *arg)
{
	(void)arg;
	sleep_ms(50);
	CHECK(flock(a, LOCK_UN) == 0);
	return NULL;
}

static void waits_for_the_holder(void)
{
	pthread_t t;
	long start = now_ms();

	CHECK(flock(a, LOCK_EX) == 0);
	CHECK(pthread_create(&t, NULL, unlock_later, NULL) == 0);
	CHECK(flock(b, LOCK_EX) == 0 && now_ms() - start >= 40);
	CHECK(pthread_join(t, NULL) == 0 && flock(b, LOCK_UN) == 0);
}

static void waiting_is_interrupted(void)
{
	struct interrupter in;

	CHECK(flock(a, LOCK_EX) == 0);
	interrupt_start(&in, 0, -1);
	FAILS(EINTR, flock(b, LOCK_EX));
	interrupt_stop(&in);
	CHECK(flock(a, LOCK_UN) == 0);
}

static void documented_errors(void)
{
	int path = open("f", O_PATH);

	FAILS(EBADF, flock(-1, LOCK_EX));
	FAILS(EBADF, flock(path, LOCK_EX));
	FAILS(EINVAL, flock(a, 0));
	FAILS(EINVAL, flock(a, LOCK_EX | LOCK_SH));
	FAILS(EINVAL, flock(a, 16));
	CHECK(close(path) == 0);
}

RUN(TEST(exclude_other_descriptions), TEST(shared_ones_live_together_and_convert),
    TEST(duplicates_hold_one_lock), TEST(children_share_it), TEST(a_childs_exit_keeps_it),
    TEST(the_last_close_drops_it), TEST(waits_for_the_holder),
    TEST(waiting_is_interrupted), TEST(documented_errors))
