/* SPDX-License-Identifier: MIT */
/* Waiting for the events of asynchronous I/O, and polls by it. */
/* calls: io_getevents io_pgetevents io_cancel */
#include "aio.h"

#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

static aio_context_t ctx;
static struct io_event ev[16];

struct sigset_arg {
	const sigset_t *set;
	size_t size;
};

static long io_pgetevents(aio_context_t c, long min, long max, struct timespec *t,
			  const sigset_t *set, size_t size)
{
	struct sigset_arg a = {set, size};

	return syscall(SYS_io_pgetevents, c, min, max, ev, t, &a);
}

static void make_context(void)
{
	ctx = context(16);
}

static void arguments_are_checked(void)
{
	struct timespec now = {0, 0};

	FAILS(EINVAL, io_getevents(ctx, -1, 1, ev, &now));
	FAILS(EINVAL, io_getevents(ctx, 2, 1, ev, &now));
	FAILS(EINVAL, io_getevents(ctx, 0, -1, ev, &now));
	FAILS(EINVAL, io_getevents(0, 0, 1, ev, &now));
	FAILS(EINVAL, io_getevents(ctx + PAGE, 0, 1, ev, &now));
	FAILS(EFAULT, io_getevents(0, 0, 1, ev, (struct timespec *)16));
	CHECK(io_getevents(ctx, 0, 0, NULL, NULL) == 0);
	CHECK(io_getevents(ctx, 0, 1, NULL, NULL) == 0);
}

static void a_time_limit_ends_the_wait(void)
{
	struct timespec t = {0, 30000000};
	long from = now_ms();

	CHECK(io_getevents(ctx, 1, 1, ev, &t) == 0);
	CHECK(now_ms() - from >= 30);
	CHECK(t.tv_sec == 0 && t.tv_nsec == 30000000);
	t = (struct timespec){0, 1};
	CHECK(io_getevents(ctx, 1, 1, ev, &t) == 0);
}

static void events_come_in_order_and_stay_after_a_fault(void)
{
	int e = eventfd(1, 0);
	struct iocb cb = poll_request(e, POLLIN);

	for (uint64_t i = 0; i < 3; i++) {
		cb.aio_data = i;
		CHECK(submit(ctx, &cb) == 1);
	}
	FAILS(EFAULT, io_getevents(ctx, 1, 3, (struct io_event *)16, NULL));
	CHECK(io_getevents(ctx, 1, 2, ev, NULL) == 2);
	CHECK(ev[0].data == 0 && ev[1].data == 1 && ev[1].res == POLLIN);
	CHECK(io_getevents(ctx, 1, 2, ev, NULL) == 1);
	CHECK(ev[0].data == 2 && close(e) == 0);
}

static void fewer_than_asked_for_when_time_is_over(void)
{
	int e = eventfd(1, 0);
	struct iocb cb = poll_request(e, POLLIN);
	struct timespec t = {0, 10000000};

	CHECK(submit(ctx, &cb) == 1);
	CHECK(io_getevents(ctx, 2, 16, ev, &t) == 1);
	CHECK(close(e) == 0);
}

/* ---- polls ---- */

static void *add_later(void *arg)
{
	uint64_t one = 1;

	sleep_ms(20);
	CHECK(write(*(int *)arg, &one, 8) == 8);
	return NULL;
}

static void a_poll_waits_for_its_file(void)
{
	int e = eventfd(0, 0);
	struct iocb cb = poll_request(e, POLLIN);
	pthread_t t;

	cb.aio_data = 99;
	CHECK(submit(ctx, &cb) == 1 && has_no_event(ctx));
	CHECK(pthread_create(&t, NULL, add_later, &e) == 0);
	CHECK(io_getevents(ctx, 1, 16, ev, NULL) == 1);
	CHECK(ev[0].res & POLLIN && ev[0].data == 99 && ev[0].obj == (uintptr_t)&cb);
	CHECK(pthread_join(t, NULL) == 0);
	add_later(&e);
	CHECK(has_no_event(ctx)); /* once */
	CHECK(close(e) == 0);
}

static void a_poll_is_told_without_a_waiter(void)
{
	int e = eventfd(0, 0);
	struct ring *r = ring_of(ctx);
	struct iocb cb = poll_request(e, POLLIN);
	unsigned tail = r->tail;
	uint64_t one = 1;

	CHECK(submit(ctx, &cb) == 1);
	CHECK(write(e, &one, 8) == 8);
	for (int i = 0; i < 10000 && *(volatile unsigned *)&r->tail == tail; i++)
		sleep_ms(2);
	CHECK(r->tail == (tail + 1) % r->nr && (r->events[tail].res & POLLIN));
	CHECK(event_of(ctx).res & POLLIN);
	CHECK(close(e) == 0);
}

static void a_poll_tells_an_eventfd(void)
{
	int e = eventfd(0, 0);
	int told = eventfd(0, 0);
	struct iocb cb = poll_request(e, POLLIN);
	struct pollfd p = {told, POLLIN, 0};
	uint64_t n = 1;

	cb.aio_flags = IOCB_FLAG_RESFD;
	cb.aio_resfd = (uint32_t)told;
	CHECK(submit(ctx, &cb) == 1);
	CHECK(poll(&p, 1, 0) == 0);
	CHECK(write(e, &n, 8) == 8);
	CHECK(poll(&p, 1, 20000) == 1 && read(told, &n, 8) == 8 && n == 1);
	CHECK(event_of(ctx).res & POLLIN);
	CHECK(close(e) == 0 && close(told) == 0);
}

static void what_a_poll_takes(void)
{
	int e = eventfd(0, 0);
	struct iocb cb = poll_request(e, 0x10000 | POLLIN);

	FAILS(EINVAL, submit(ctx, &cb));
	cb = poll_request(e, POLLIN);
	cb.aio_nbytes = 1;
	FAILS(EINVAL, submit(ctx, &cb));
	cb = poll_request(e, POLLIN);
	cb.aio_offset = 1;
	FAILS(EINVAL, submit(ctx, &cb));
	cb = poll_request(e, POLLIN);
	cb.aio_rw_flags = RWF_NOWAIT;
	FAILS(EINVAL, submit(ctx, &cb));
	cb = poll_request(e, POLLIN | POLLOUT);
	CHECK(result_of(ctx, &cb) == POLLOUT);
	CHECK(close(e) == 0);
}

static void files_are_always_ready(void)
{
	int f = open("f", O_RDWR | O_CREAT, 0600);
	struct iocb cb = poll_request(f, POLLIN | POLLOUT);

	CHECK(result_of(ctx, &cb) == (POLLIN | POLLOUT));
	cb = poll_request(f, POLLPRI); /* never */
	FAILS(EINVAL, submit(ctx, &cb));
	CHECK(close(f) == 0);
}

static void pipes_and_sockets(void)
{
	int p[2], s[2];
	struct iocb cb;

	CHECK(pipe(p) == 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0);
	cb = poll_request(p[0], POLLIN);
	CHECK(submit(ctx, &cb) == 1 && has_no_event(ctx));
	CHECK(write(p[1], "x", 1) == 1);
	CHECK(event_of(ctx).res & POLLIN);
	CHECK(close(p[1]) == 0);
	CHECK(result_of(ctx, &cb) == (POLLIN | POLLHUP));
	cb = poll_request(s[0], POLLIN);
	CHECK(submit(ctx, &cb) == 1 && has_no_event(ctx));
	CHECK(close(s[1]) == 0);
	CHECK(event_of(ctx).res & (POLLIN | POLLHUP));
	CHECK(close(s[0]) == 0 && close(p[0]) == 0);
}

static void errors_need_not_be_asked_for(void)
{
	int p[2];
	struct iocb cb;

	CHECK(pipe(p) == 0);
	cb = poll_request(p[0], 0);
	CHECK(submit(ctx, &cb) == 1);
	CHECK(write(p[1], "x", 1) == 1 && has_no_event(ctx));
	CHECK(close(p[1]) == 0);
	CHECK(event_of(ctx).res & POLLHUP);
	CHECK(close(p[0]) == 0);
}

static void a_timer_ends_a_poll(void)
{
	int t = timerfd_create(CLOCK_MONOTONIC, 0);
	struct itimerspec soon = {{0, 0}, {0, 20000000}};
	struct iocb cb = poll_request(t, POLLIN);

	CHECK(submit(ctx, &cb) == 1);
	CHECK(timerfd_settime(t, 0, &soon, NULL) == 0);
	CHECK(event_of(ctx).res & POLLIN);
	CHECK(close(t) == 0);
}

static void the_file_stays_open_for_the_poll(void)
{
	int p[2];
	struct iocb cb;

	CHECK(pipe(p) == 0);
	cb = poll_request(p[0], POLLIN);
	CHECK(submit(ctx, &cb) == 1);
	CHECK(close(p[0]) == 0);
	CHECK(write(p[1], "x", 1) == 1); /* no EPIPE */
	CHECK(event_of(ctx).res & POLLIN);
	CHECK(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
	for (int i = 0; i < 10000 && write(p[1], "x", 1) == 1; i++)
		sleep_ms(2);
	FAILS(EPIPE, write(p[1], "x", 1));
	CHECK(close(p[1]) == 0);
}

static void a_poll_can_be_cancelled(void)
{
	int e = eventfd(0, 0);
	struct iocb cb = poll_request(e, POLLIN);
	struct iocb other = cb;

	CHECK(submit(ctx, &cb) == 1);
	FAILS(EINVAL, io_cancel(ctx, &other));
	FAILS(EFAULT, io_cancel(ctx, (struct iocb *)16));
	FAILS(EINVAL, io_cancel(ctx + PAGE, &cb));
	cb.aio_key = 5;
	FAILS(EINVAL, io_cancel(ctx, &cb));
	cb.aio_key = 0;
	FAILS(EINPROGRESS, io_cancel(ctx, &cb));
	CHECK(event_of(ctx).res == 0);
	FAILS(EINVAL, io_cancel(ctx, &cb));
	CHECK(close(e) == 0 && has_no_event(ctx));
}

static void a_cancelled_poll_tells_its_eventfd(void)
{
	int e = eventfd(0, 0);
	int told = eventfd(0, 0);
	struct iocb cb = poll_request(e, POLLIN);
	struct pollfd p = {told, POLLIN, 0};

	cb.aio_flags = IOCB_FLAG_RESFD;
	cb.aio_resfd = (uint32_t)told;
	CHECK(submit(ctx, &cb) == 1);
	FAILS(EINPROGRESS, io_cancel(ctx, &cb));
	CHECK(poll(&p, 1, 20000) == 1);
	CHECK(event_of(ctx).res == 0);
	CHECK(close(e) == 0 && close(told) == 0);
}

/* ---- ends ---- */

static void polls_end_with_the_context(void)
{
	aio_context_t c = context(8);
	int p[2];
	struct iocb cb;

	CHECK(pipe(p) == 0);
	cb = poll_request(p[0], POLLIN);
	CHECK(submit(c, &cb) == 1 && submit(c, &cb) == 1);
	CHECK(close(p[0]) == 0);
	CHECK(io_destroy(c) == 0);
	CHECK(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
	for (int i = 0; i < 10000 && write(p[1], "x", 1) == 1; i++)
		sleep_ms(2);
	FAILS(EPIPE, write(p[1], "x", 1));
	CHECK(close(p[1]) == 0);
}

static int shared_pipe[2];

static void die_with_polls(void)
{
	struct iocb cb = poll_request(shared_pipe[0], POLLIN);

	ctx = context(8);
	CHECK(close(shared_pipe[1]) == 0);
	for (int i = 0; i < 5; i++)
		CHECK(submit(ctx, &cb) == 1);
	raise(SIGKILL);
}

static void exec_with_polls(void)
{
	struct iocb cb = poll_request(shared_pipe[0], POLLIN);

	ctx = context(8);
	CHECK(fcntl(shared_pipe[0], F_SETFD, FD_CLOEXEC) == 0);
	CHECK(submit(ctx, &cb) == 1);
	execl("/bin/true", "true", NULL);
}

static void polls_end_with_the_process(void)
{
	CHECK(pipe(shared_pipe) == 0);
	CHECK(in_child(die_with_polls) == SIGKILL);
	CHECK(in_child(exec_with_polls) == 0);
	CHECK(close(shared_pipe[0]) == 0);
	CHECK(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
	FAILS(EPIPE, write(shared_pipe[1], "x", 1));
	CHECK(close(shared_pipe[1]) == 0);
}

static aio_context_t doomed;

static void *destroy_later(void *arg)
{
	(void)arg;
	sleep_ms(30);
	CHECK(io_destroy(doomed) == 0);
	return NULL;
}

static void a_waiter_learns_that_its_context_has_gone(void)
{
	pthread_t t;

	doomed = context(8);
	CHECK(pthread_create(&t, NULL, destroy_later, NULL) == 0);
	FAILS(EINVAL, io_getevents(doomed, 1, 1, ev, NULL));
	CHECK(pthread_join(t, NULL) == 0);
}

/* ---- signals ---- */

static void a_signal_ends_the_wait(void)
{
	struct interrupter in;

	interrupt_start(&in, SA_RESTART, -1);
	FAILS(EINTR, io_getevents(ctx, 1, 1, ev, NULL));
	interrupt_stop(&in);
	CHECK(interrupts > 0);
}

static void events_count_more_than_a_signal(void)
{
	struct interrupter in;
	int e = eventfd(1, 0);
	struct iocb cb = poll_request(e, POLLIN);

	CHECK(submit(ctx, &cb) == 1);
	interrupt_start(&in, 0, -1);
	CHECK(io_getevents(ctx, 2, 16, ev, NULL) == 1);
	interrupt_stop(&in);
	CHECK(close(e) == 0);
}

static void pgetevents_lets_signals_in(void)
{
	struct sigaction sa = {.sa_handler = interrupt_count};
	struct timespec now = {0, 0};
	sigset_t block, none, is;
	int e = eventfd(1, 0);
	struct iocb cb = poll_request(e, POLLIN);

	CHECK(sigaction(SIGUSR1, &sa, NULL) == 0);
	sigemptyset(&none);
	sigemptyset(&block);
	sigaddset(&block, SIGUSR1);
	CHECK(sigprocmask(SIG_BLOCK, &block, NULL) == 0);
	interrupts = 0;
	raise(SIGUSR1);
	CHECK(io_pgetevents(ctx, 1, 1, &now, NULL, 8) == 0 && interrupts == 0);
	FAILS(EINTR, io_pgetevents(ctx, 1, 1, NULL, &none, 8));
	CHECK(interrupts == 1);
	raise(SIGUSR1);
	CHECK(submit(ctx, &cb) == 1);
	CHECK(io_pgetevents(ctx, 1, 1, NULL, &none, 8) == 1 && interrupts == 2);
	CHECK(sigprocmask(SIG_UNBLOCK, &block, &is) == 0 && sigismember(&is, SIGUSR1));
	FAILS(EINVAL, io_pgetevents(ctx, 0, 1, NULL, &none, 4));
	FAILS(EFAULT, io_pgetevents(ctx, 0, 1, NULL, (const sigset_t *)16, 8));
	FAILS(EINVAL, io_pgetevents(ctx, 0, 1, NULL, (const sigset_t *)16, 4));
	FAILS(EFAULT, syscall(SYS_io_pgetevents, ctx, 0, 1, ev, NULL, (void *)16));
	FAILS(EFAULT, syscall(SYS_io_pgetevents, 0, 0, 1, ev, (void *)16, NULL));
	CHECK(syscall(SYS_io_pgetevents, ctx, 0, 1, ev, NULL, NULL) == 0);
	CHECK(close(e) == 0);
}

/* ---- races ---- */

enum { PINGS = 3000 };
static int pings[4];

static void *ping(void *arg)
{
	uint64_t one = 1;

	(void)arg;
	for (int i = 0; i < PINGS; i++)
		CHECK(write(pings[i % 4], &one, 8) == 8);
	return NULL;
}

/* Requests, wake-ups and cancellations at the same time: every request has one event. */
static void no_poll_is_lost(void)
{
	struct iocb cb[4];
	long out = 0;
	pthread_t t;
	uint64_t n;

	for (int i = 0; i < 4; i++) {
		pings[i] = eventfd(0, EFD_NONBLOCK);
		cb[i] = poll_request(pings[i], POLLIN);
		cb[i].aio_data = (uint64_t)i;
	}
	CHECK(pthread_create(&t, NULL, ping, NULL) == 0);
	for (int i = 0; i < PINGS; i++) {
		int k = i % 4;

		CHECK(submit(ctx, &cb[k]) == 1);
		out++;
		if (i % 3 == 0)
			(void)io_cancel(ctx, &cb[k]);
		(void)!read(pings[k], &n, 8);
		if (out == 8) {
			out -= io_getevents(ctx, 0, 16, ev, NULL);
			for (int j = 0; j < 4; j++)
				while (io_cancel(ctx, &cb[j]) < 0 && errno == EINPROGRESS)
					;
			out -= out ? io_getevents(ctx, out, 16, ev, NULL) : 0;
			CHECK(out >= 0);
		}
	}
	CHECK(pthread_join(t, NULL) == 0);
	for (int j = 0; j < 4; j++)
		while (io_cancel(ctx, &cb[j]) < 0 && errno == EINPROGRESS)
			;
	CHECK(io_getevents(ctx, out, 16, ev, NULL) == out && has_no_event(ctx));
	for (int i = 0; i < 4; i++)
		CHECK(close(pings[i]) == 0);
}

/* The poll of a signalfd: whoever is woken by a signal looks whether it is one of its.
 * That Linux finds none when the kernel looks is not asked for here. */
static void a_signalfd_tells_of_its_own_signals(void)
{
	aio_context_t own = context(2);
	struct timespec soon = {0, 100000000};
	sigset_t all, one, before;
	struct iocb cb;

	sigemptyset(&one);
	sigaddset(&one, SIGUSR1);
	all = one;
	sigaddset(&all, SIGUSR2);
	CHECK(sigprocmask(SIG_BLOCK, &all, &before) == 0);
	cb = poll_request(signalfd(-1, &one, 0), POLLIN);
	CHECK(submit(own, &cb) == 1);
	CHECK(kill(getpid(), SIGUSR2) == 0);
	CHECK(io_getevents(own, 1, 1, ev, &soon) == 0);
	CHECK(kill(getpid(), SIGUSR1) == 0);
	CHECK(io_getevents(own, 1, 1, ev, &soon) >= 0);
	CHECK(result_of(own, &cb) == POLLIN);
	CHECK(sigwaitinfo(&all, NULL) > 0 && sigwaitinfo(&all, NULL) > 0);
	CHECK(io_destroy(own) == 0 && close((int)cb.aio_fildes) == 0);
	CHECK(sigprocmask(SIG_SETMASK, &before, NULL) == 0);
}

RUN(TEST(make_context), TEST(arguments_are_checked), TEST(a_time_limit_ends_the_wait),
    TEST(events_come_in_order_and_stay_after_a_fault),
    TEST(fewer_than_asked_for_when_time_is_over), TEST(a_poll_waits_for_its_file),
    TEST(a_poll_is_told_without_a_waiter), TEST(a_poll_tells_an_eventfd),
    TEST(what_a_poll_takes), TEST(files_are_always_ready), TEST(pipes_and_sockets),
    TEST(errors_need_not_be_asked_for), TEST(a_timer_ends_a_poll),
    TEST(the_file_stays_open_for_the_poll), TEST(a_poll_can_be_cancelled),
    TEST(a_cancelled_poll_tells_its_eventfd), TEST(polls_end_with_the_context),
    TEST(polls_end_with_the_process), TEST(a_waiter_learns_that_its_context_has_gone),
    TEST(a_signal_ends_the_wait), TEST(events_count_more_than_a_signal),
    TEST(pgetevents_lets_signals_in), TEST(no_poll_is_lost),
    TEST(a_signalfd_tells_of_its_own_signals))
