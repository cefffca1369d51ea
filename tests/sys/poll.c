/* SPDX-License-Identifier: MIT */
/* Waiting for descriptors with poll. */
/* calls: poll ppoll */
#include "fixture.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>

static int p[2];

static short look(int fd, short events)
{
	struct pollfd f = {fd, events, 0x7fff};
	int r = poll(&f, 1, 0);

	CHECK(r == (f.revents != 0));
	return f.revents;
}

static void pipe_ends(void)
{
	CHECK(pipe(p) == 0);
	CHECK(look(p[0], POLLIN) == 0 && look(p[1], POLLOUT) == POLLOUT);
	CHECK(look(p[0], POLLOUT) == 0 && look(p[1], POLLIN) == 0);
	CHECK(write(p[1], "x", 1) == 1);
	CHECK(look(p[0], POLLIN | POLLRDNORM) == (POLLIN | POLLRDNORM));
	CHECK(look(p[0], 0) == 0);
}

static void a_full_pipe_is_not_writable(void)
{
	static char b[PAGE];

	CHECK(fcntl(p[1], F_SETFL, O_NONBLOCK) == 0);
	while (write(p[1], b, sizeof(b)) > 0)
		;
	CHECK(look(p[1], POLLOUT) == 0);
	for (int i = 0; i < 2; i++)
		CHECK(read(p[0], b, sizeof(b)) == sizeof(b));
	CHECK(look(p[1], POLLOUT) == POLLOUT);
}

static void hangup_and_error_come_unasked(void)
{
	int q[2];

	CHECK(pipe(q) == 0 && write(q[1], "x", 1) == 1 && close(q[1]) == 0);
	CHECK(look(q[0], 0) == POLLHUP && look(q[0], POLLIN) == (POLLIN | POLLHUP));
	CHECK(close(q[0]) == 0 && pipe(q) == 0 && close(q[0]) == 0);
	CHECK(look(q[1], 0) == POLLERR && look(q[1], POLLOUT) == (POLLOUT | POLLERR));
	CHECK(close(q[1]) == 0);
}

static void bad_descriptors_are_pollnval_and_negative_are_skipped(void)
{
	CHECK(look(999, POLLIN) == POLLNVAL && look(-1, POLLIN) == 0);
	CHECK(look(-5, POLLIN | POLLOUT) == 0);
}

static void files_are_always_ready(void)
{
	int fd;

	file_put("f", "");
	fd = open("f", O_RDWR);
	CHECK(look(fd, POLLIN | POLLOUT) == (POLLIN | POLLOUT));
	CHECK(look(fd, POLLPRI) == 0 && close(fd) == 0);
	fd = open(".", O_RDONLY);
	CHECK(look(fd, POLLIN) == POLLIN && close(fd) == 0);
	fd = open("/dev/null", O_RDWR);
	CHECK(look(fd, POLLIN | POLLOUT) == (POLLIN | POLLOUT) && close(fd) == 0);
}

static void several_at_once_are_counted(void)
{
	struct pollfd f[4] = {
		{p[1], POLLOUT, 0}, {-1, POLLIN, 9}, {999, POLLIN, 0}, {p[0], POLLIN, 0}};

	CHECK(poll(f, 4, 1000) == 3);
	CHECK(f[0].revents == POLLOUT && f[1].revents == 0);
	CHECK(f[2].revents == POLLNVAL && f[3].revents == POLLIN);
}

static void drain(void)
{
	static char b[PAGE];

	CHECK(fcntl(p[0], F_SETFL, O_NONBLOCK) == 0);
	while (read(p[0], b, sizeof(b)) > 0)
		;
}

static void timeouts_are_kept(void)
{
	struct pollfd f = {p[0], POLLIN, 0};
	struct timespec t = {0, 30000000};
	long start;

	drain();
	start = now_ms();
	CHECK(poll(&f, 1, 30) == 0 && now_ms() - start >= 30 && now_ms() - start < 20000);
	start = now_ms();
	CHECK(ppoll(&f, 1, &t, NULL) == 0 && now_ms() - start >= 30);
	start = now_ms();
	CHECK(poll(NULL, 0, 20) == 0 && now_ms() - start >= 20);
	CHECK(poll(&f, 0, 0) == 0);
}

static void the_raw_call_returns_the_time_left(void)
{
	struct pollfd f = {p[0], POLLIN, 0};
	struct timespec t = {0, 10000000};

	CHECK(syscall(SYS_ppoll, &f, 1, &t, NULL, 8) == 0);
	CHECK(t.tv_sec == 0 && t.tv_nsec == 0);
	CHECK(write(p[1], "x", 1) == 1);
	t.tv_sec = 100;
	CHECK(syscall(SYS_ppoll, &f, 1, &t, NULL, 8) == 1 && t.tv_sec >= 90);
	drain();
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
	struct pollfd f[2] = {{p[0], POLLIN, 0}, {p[0], POLLIN, 0}};
	pthread_t t;

	CHECK(pthread_create(&t, NULL, write_later, NULL) == 0);
	CHECK(poll(f, 2, 10000) == 2 && f[0].revents == POLLIN);
	CHECK(pthread_join(t, NULL) == 0);
	drain();
}

static void signals_interrupt_even_with_restart(void)
{
	struct interrupter in;
	struct pollfd f = {p[0], POLLIN, 0};

	interrupt_start(&in, SA_RESTART, -1);
	FAILS(EINTR, poll(&f, 1, -1));
	FAILS(EINTR, poll(&f, 1, 60000));
	FAILS(EINTR, ppoll(&f, 1, NULL, NULL));
	interrupt_stop(&in);
}

static void ppoll_opens_the_mask_while_it_waits(void)
{
	struct sigaction sa = {.sa_handler = interrupt_count};
	struct pollfd f = {p[0], POLLIN, 0};
	sigset_t block, none, now;

	sigemptyset(&none);
	sigemptyset(&block);
	sigaddset(&block, SIGUSR2);
	CHECK(sigaction(SIGUSR2, &sa, NULL) == 0);
	CHECK(sigprocmask(SIG_BLOCK, &block, NULL) == 0);
	interrupts = 0;
	CHECK(raise(SIGUSR2) == 0 && interrupts == 0);
	FAILS(EINTR, ppoll(&f, 1, NULL, &none));
	CHECK(interrupts == 1);
	CHECK(sigprocmask(SIG_SETMASK, &none, &now) == 0 && sigismember(&now, SIGUSR2));
}

static void documented_errors(void)
{
	struct pollfd f = {p[0], POLLIN, 0};
	struct timespec t = {0, 1000000000}, n = {-1, 0};
	sigset_t s;

	sigemptyset(&s);
	FAILS(EINVAL, ppoll(&f, 1, &t, NULL));
	FAILS(EINVAL, ppoll(&f, 1, &n, NULL));
	FAILS(EINVAL, syscall(SYS_ppoll, &f, 1, NULL, &s, 4));
	FAILS(EINVAL, syscall(SYS_poll, &f, 1U << 30, 0));
}

static void no_more_than_may_be_open(void)
{
	struct rlimit old, few;
	static struct pollfd f[8];

	for (int i = 0; i < 8; i++)
		f[i].fd = -1;
	CHECK(getrlimit(RLIMIT_NOFILE, &old) == 0);
	few = old;
	few.rlim_cur = 5;
	CHECK(setrlimit(RLIMIT_NOFILE, &few) == 0 && poll(f, 5, 0) == 0);
	FAILS(EINVAL, poll(f, 6, 0));
	CHECK(setrlimit(RLIMIT_NOFILE, &old) == 0 && poll(f, 6, 0) == 0);
}

static void paths_are_pollnval(void)
{
	struct pollfd f = {open("/", O_PATH), POLLIN, 0};

	CHECK(poll(&f, 1, -1) == 1 && f.revents == POLLNVAL && close(f.fd) == 0);
}

static void bad_pointers_are_efault(void)
{
	for (size_t i = 0; i < BAD_COUNT; i++) {
		FAILS(EFAULT, syscall(SYS_poll, bad_address(i), 1, 0));
		FAILS(EFAULT, syscall(SYS_ppoll, bad_address(i), 1, NULL, NULL, 8));
	}
	for (size_t i = 1; i < BAD_COUNT; i++)
		FAILS(EFAULT, syscall(SYS_ppoll, NULL, 0, bad_address(i), NULL, 8));
}

static void many_descriptors(void)
{
	static struct pollfd f[900];

	for (int i = 0; i < 900; i++)
		f[i] = (struct pollfd){i % 2 ? p[1] : p[0], POLLIN | POLLOUT, 0};
	CHECK(poll(f, 900, 0) == 450);
}

static void eventfds_and_pipes_together(void)
{
	int e = eventfd(0, 0);
	struct pollfd f[2] = {{p[0], POLLIN, 0}, {e, POLLIN, 0}};

	CHECK(poll(f, 2, 0) == 0 && eventfd_write(e, 1) == 0 && poll(f, 2, 1000) == 1);
	CHECK(f[1].revents == POLLIN && close(e) == 0);
}

RUN(TEST(pipe_ends), TEST(a_full_pipe_is_not_writable),
    TEST(hangup_and_error_come_unasked),
    TEST(bad_descriptors_are_pollnval_and_negative_are_skipped),
    TEST(files_are_always_ready), TEST(several_at_once_are_counted),
    TEST(timeouts_are_kept), TEST(the_raw_call_returns_the_time_left),
    TEST(a_write_wakes_the_sleeper), TEST(signals_interrupt_even_with_restart),
    TEST(ppoll_opens_the_mask_while_it_waits), TEST(documented_errors),
    TEST(no_more_than_may_be_open), TEST(paths_are_pollnval),
    TEST(bad_pointers_are_efault), TEST(many_descriptors),
    TEST(eventfds_and_pipes_together))
