/* SPDX-License-Identifier: MIT */
/* Waiting for descriptors with select. */
/* calls: select pselect6 */
#include "fixture.h"

#include <sys/select.h>
#include <sys/time.h>

static int p[2];

static void sets_are_narrowed_to_the_ready(void)
{
	fd_set r, w, e;
	struct timeval t = {0, 0};
	int max;

	CHECK(pipe(p) == 0);
	max = p[1] + 1;
	FD_ZERO(&r);
	FD_ZERO(&w);
	FD_ZERO(&e);
	FD_SET(p[0], &r);
	FD_SET(p[1], &w);
	FD_SET(p[0], &e);
	CHECK(select(max, &r, &w, &e, &t) == 1);
	CHECK(!FD_ISSET(p[0], &r) && FD_ISSET(p[1], &w) && !FD_ISSET(p[0], &e));
	CHECK(write(p[1], "x", 1) == 1);
	FD_SET(p[0], &r);
	CHECK(select(max, &r, &w, NULL, NULL) == 2);
	CHECK(FD_ISSET(p[0], &r) && FD_ISSET(p[1], &w));
}

static void end_of_file_is_readable_and_no_reader_is_writable(void)
{
	fd_set r, w;
	int q[2];

	FD_ZERO(&r);
	FD_ZERO(&w);
	CHECK(pipe(q) == 0 && close(q[1]) == 0);
	FD_SET(q[0], &r);
	CHECK(select(q[0] + 1, &r, NULL, NULL, NULL) == 1 && close(q[0]) == 0);
	CHECK(pipe(q) == 0 && close(q[0]) == 0);
	FD_SET(q[1], &w);
	CHECK(select(q[1] + 1, NULL, &w, NULL, NULL) == 1 && close(q[1]) == 0);
}

static void files_are_always_ready(void)
{
	fd_set r, w;
	int fd = open("f", O_RDWR | O_CREAT, 0600);

	FD_ZERO(&r);
	FD_SET(fd, &r);
	w = r;
	CHECK(select(fd + 1, &r, &w, NULL, NULL) == 2 && close(fd) == 0);
}

static void numbers_above_the_count_do_not_matter(void)
{
	fd_set r;
	struct timeval t = {0, 1000};

	FD_ZERO(&r);
	FD_SET(900, &r);
	CHECK(select(900, &r, NULL, NULL, &t) == 0);
}

static void the_time_left_comes_back(void)
{
	struct timeval t = {0, 20000};
	struct timespec s = {0, 20000000};
	long start = now_ms();

	CHECK(select(0, NULL, NULL, NULL, &t) == 0 && now_ms() - start >= 20);
	CHECK(t.tv_sec == 0 && t.tv_usec == 0);
	CHECK(syscall(SYS_pselect6, 0, NULL, NULL, NULL, &s, NULL) == 0);
	CHECK(s.tv_nsec == 0 && now_ms() - start >= 40);
}

static void signals_interrupt(void)
{
	struct interrupter in;
	struct timeval t = {50, 0};
	fd_set r;
	char b;

	CHECK(read(p[0], &b, 1) == 1);
	FD_ZERO(&r);
	FD_SET(p[0], &r);
	interrupt_start(&in, SA_RESTART, -1);
	FAILS(EINTR, select(p[0] + 1, &r, NULL, NULL, NULL));
	CHECK(FD_ISSET(p[0], &r));
	FAILS(EINTR, select(p[0] + 1, &r, NULL, NULL, &t));
	CHECK(t.tv_sec < 50 && t.tv_sec > 40);
	interrupt_stop(&in);
}

static void pselect_opens_the_mask(void)
{
	struct sigaction sa = {.sa_handler = interrupt_count};
	sigset_t block, none;

	sigemptyset(&none);
	sigemptyset(&block);
	sigaddset(&block, SIGUSR2);
	CHECK(sigaction(SIGUSR2, &sa, NULL) == 0);
	CHECK(sigprocmask(SIG_BLOCK, &block, NULL) == 0);
	interrupts = 0;
	CHECK(raise(SIGUSR2) == 0);
	FAILS(EINTR, pselect(0, NULL, NULL, NULL, NULL, &none));
	CHECK(interrupts == 1 && sigprocmask(SIG_SETMASK, &none, NULL) == 0);
}

/* O_PATH: it is open, that is all. */
static void what_cannot_be_waited_for_is_ready_for_all(void)
{
	int fd = open("/", O_PATH);
	struct timeval t = {0, 0};
	fd_set r, w, x;

	FD_ZERO(&r);
	FD_ZERO(&w);
	FD_ZERO(&x);
	FD_SET(fd, &r);
	FD_SET(fd, &w);
	FD_SET(fd, &x);
	CHECK(select(fd + 1, &r, &w, &x, &t) == 3 && close(fd) == 0);
}

static void an_interrupted_call_leaves_sets_and_tells_the_time(void)
{
	struct interrupter in;
	struct timeval t = {100, 0};
	struct timespec ts = {100, 0};
	int p[2];
	fd_set r;

	CHECK(pipe(p) == 0);
	FD_ZERO(&r);
	FD_SET(p[0], &r);
	interrupt_start(&in, SA_RESTART, -1);
	FAILS(EINTR, syscall(SYS_select, p[0] + 1, &r, NULL, NULL, &t));
	FAILS(EINTR, syscall(SYS_pselect6, p[0] + 1, &r, NULL, NULL, &ts, NULL));
	interrupt_stop(&in);
	CHECK(FD_ISSET(p[0], &r) && t.tv_sec >= 50 && t.tv_sec < 100);
	CHECK(ts.tv_sec >= 50 && ts.tv_sec < 100);
	CHECK(close(p[0]) == 0 && close(p[1]) == 0);
}

static void documented_errors(void)
{
	struct timeval n = {-1, 0}, zero = {0, 0};
	fd_set r;

	FD_ZERO(&r);
	FD_SET(40, &r);
	FAILS(EBADF, select(41, &r, NULL, NULL, &zero));
	FAILS(EINVAL, select(-1, NULL, NULL, NULL, NULL));
	FAILS(EINVAL, syscall(SYS_select, 0, NULL, NULL, NULL, &n));
}

static void bad_pointers_are_efault(void)
{
	struct timeval zero = {0, 0};

	for (size_t i = 1; i < BAD_COUNT; i++) {
		FAILS(EFAULT, syscall(SYS_select, 10, bad_address(i), NULL, NULL, &zero));
		FAILS(EFAULT, syscall(SYS_select, 0, NULL, NULL, NULL, bad_address(i)));
		FAILS(EFAULT,
		      syscall(SYS_pselect6, 0, NULL, NULL, NULL, bad_address(i), NULL));
	}
}

static void *write_later(void *arg)
{
	(void)arg;
	sleep_ms(30);
	CHECK(write(p[1], "x", 1) == 1);
	return NULL;
}

static void a_write_wakes_the_sleeper(void)
{
	pthread_t t;
	fd_set r;

	FD_ZERO(&r);
	FD_SET(p[0], &r);
	CHECK(pthread_create(&t, NULL, write_later, NULL) == 0);
	CHECK(select(p[0] + 1, &r, NULL, NULL, NULL) == 1 && FD_ISSET(p[0], &r));
	CHECK(pthread_join(t, NULL) == 0);
}

RUN(TEST(sets_are_narrowed_to_the_ready),
    TEST(end_of_file_is_readable_and_no_reader_is_writable), TEST(files_are_always_ready),
    TEST(numbers_above_the_count_do_not_matter), TEST(the_time_left_comes_back),
    TEST(signals_interrupt), TEST(pselect_opens_the_mask),
    TEST(what_cannot_be_waited_for_is_ready_for_all),
    TEST(an_interrupted_call_leaves_sets_and_tells_the_time), TEST(documented_errors),
    TEST(bad_pointers_are_efault), TEST(a_write_wakes_the_sleeper))
