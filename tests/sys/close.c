/* SPDX-License-Identifier: MIT */
/* files */
/* Closing one descriptor or a range of them. */
/* calls: close close_range */
#include "fixture.h"

#include <linux/close_range.h>

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

static void open_at(int from, int to)
{
	int fd = open("/dev/null", O_RDONLY);

	for (int i = from; i <= to; i++)
		CHECK(dup2(fd, i) == i);
	if (fd < from || fd > to)
		CHECK(close(fd) == 0);
}

static long range(unsigned int from, unsigned int to, unsigned int flags)
{
	return syscall(SYS_close_range, from, to, flags);
}

static void a_closed_number_is_free_again(void)
{
	int fd = open("/dev/null", O_RDONLY);

	CHECK(fd >= 0 && close(fd) == 0 && !is_open(fd));
	FAILS(EBADF, close(fd));
	CHECK(open("/dev/null", O_RDONLY) == fd && close(fd) == 0);
}

static void bad_numbers_are_ebadf(void)
{
	FAILS(EBADF, close(-1));
	FAILS(EBADF, close(100000));
	FAILS(EBADF, close(2147483647));
}

static void only_the_low_32_bits_count(void)
{
	int fd = open("/dev/null", O_RDONLY);

	CHECK(syscall(SYS_close, 0x100000000L + fd) == 0 && !is_open(fd));
}

static void a_duplicate_stays_open(void)
{
	int p[2], d;
	char x;

	CHECK(pipe(p) == 0);
	d = dup(p[1]);
	CHECK(close(p[1]) == 0 && write(d, "y", 1) == 1);
	CHECK(read(p[0], &x, 1) == 1 && x == 'y');
	CHECK(close(d) == 0 && read(p[0], &x, 1) == 0 && close(p[0]) == 0);
}

static void range_closes_both_ends_and_nothing_else(void)
{
	open_at(50, 59);
	CHECK(range(52, 55, 0) == 0);
	for (int i = 50; i < 60; i++)
		CHECK(is_open(i) == (i < 52 || i > 55));
	CHECK(range(50, ~0U, 0) == 0);
	for (int i = 50; i < 60; i++)
		CHECK(!is_open(i));
	CHECK(range(5000, 6000, 0) == 0);
}

static void range_may_only_set_cloexec(void)
{
	open_at(50, 53);
	CHECK(range(51, 52, CLOSE_RANGE_CLOEXEC) == 0);
	CHECK(fcntl(50, F_GETFD) == 0 && fcntl(51, F_GETFD) == FD_CLOEXEC);
	CHECK(fcntl(52, F_GETFD) == FD_CLOEXEC && fcntl(53, F_GETFD) == 0);
	CHECK(range(50, 53, 0) == 0);
}

static void range_refuses_bad_arguments(void)
{
	FAILS(EINVAL, range(10, 9, 0));
	FAILS(EINVAL, range(10, 20, 1));
	FAILS(EINVAL, range(10, 20, 0x80000000U));
}

static void *close_in_a_copy(void *arg)
{
	(void)arg;
	CHECK(range(50, ~0U, CLOSE_RANGE_UNSHARE) == 0);
	CHECK(!is_open(50));
	return NULL;
}

static void unshared_range_leaves_other_threads_alone(void)
{
	pthread_t t;

	open_at(50, 53);
	CHECK(pthread_create(&t, NULL, close_in_a_copy, NULL) == 0);
	CHECK(pthread_join(t, NULL) == 0);
	CHECK(is_open(50) && is_open(53));
	CHECK(range(50, 53, 0) == 0);
}

static void close_one(void)
{
	CHECK(close(50) == 0 && !is_open(50));
}

static void a_child_closes_its_own_copy(void)
{
	open_at(50, 50);
	CHECK(in_child(close_one) == 0);
	CHECK(is_open(50) && close(50) == 0);
}

static volatile int closed;

static void *close_seventy(void *arg)
{
	(void)arg;
	for (int i = 0; i < 2000; i++)
		if (close(70) == 0)
			__sync_fetch_and_add(&closed, 1);
	return NULL;
}

static void one_of_two_threads_closes(void)
{
	pthread_t t;
	int opened = 0;

	CHECK(pthread_create(&t, NULL, close_seventy, NULL) == 0);
	for (int i = 0; i < 500; i++) {
		int fd = fcntl(0, F_DUPFD, 70);

		if (fd == 70)
			opened++;
		else if (fd >= 0)
			close(fd);
	}
	CHECK(pthread_join(t, NULL) == 0);
	if (close(70) == 0)
		closed++;
	CHECK(opened == closed);
}

RUN(TEST(a_closed_number_is_free_again), TEST(bad_numbers_are_ebadf),
    TEST(only_the_low_32_bits_count), TEST(a_duplicate_stays_open),
    TEST(range_closes_both_ends_and_nothing_else), TEST(range_may_only_set_cloexec),
    TEST(range_refuses_bad_arguments), TEST(unshared_range_leaves_other_threads_alone),
    TEST(a_child_closes_its_own_copy), TEST(one_of_two_threads_closes))
