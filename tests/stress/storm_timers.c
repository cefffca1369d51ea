/* SPDX-License-Identifier: MIT */
/*
 * storm_timers.c - timers interrupt every kind of wait, and threads that compute, at any
 * instruction. Each thread has a timer of its own that sends real-time signals to it;
 * interval timers of the process send theirs to anybody.
 *
 * No period is lost: what each signal tells (one, and its overruns) adds up to the time
 * that has gone by, to the period. A wait ends with EINTR if and only if a handler has
 * run whose action says so; nothing that was waited for is lost, doubled or out of order.
 */
/* timeout: 60 */
#include "storm_waits.h"

/* ---- handlers ---- */

/* Signal k is taken after signal k - 1 was handled, and tells of all periods until then.
 */
static void check_periods(struct worker *w, const siginfo_t *info)
{
	int64_t now = now_ns();

	MUST(w->tid == (pid_t)syscall(SYS_gettid));
	w->expired += 1 + info->si_overrun;
	MUST(w->expired <= (now - w->armed_before) / w->interval);
	if (w->last > w->armed_after)
		MUST(w->expired >= (w->last - w->armed_after) / w->interval);
	w->last = now;
}

static void on_timer(int sig, siginfo_t *info, void *context)
{
	int error = errno;

	(void)sig;
	(void)context;
	MUST(info->si_code == SI_TIMER);
	check_periods(info->si_value.sival_ptr, info);
	registers_spoil();
	handled++;
	errno = error;
}

static void on_itimer(int sig)
{
	(void)sig;
	registers_spoil();
	handled++;
}

/* ---- the storm ---- */

static struct worker workers[] = {
	{.name = "registers", .round = registers_round, .restarts = true, .shares = true},
	{.name = "registers", .round = registers_round},
	{.name = "pipe", .round = pipe_round, .restarts = true, .shares = true},
	{.name = "pipe", .round = pipe_round},
	{.name = "full pipe", .round = full_pipe_round, .restarts = true},
	{.name = "full pipe", .round = full_pipe_round},
	{.name = "socket", .round = socket_round, .restarts = true, .shares = true},
	{.name = "socket", .round = socket_round},
	{.name = "timed socket", .round = timed_socket_round, .restarts = true},
	{.name = "eventfd", .round = eventfd_round, .restarts = true, .shares = true},
	{.name = "sigwaitinfo", .round = sigwait_round, .restarts = true},
	{.name = "futex", .round = futex_round, .restarts = true, .shares = true},
	{.name = "futex", .round = futex_round},
	{.name = "waitpid", .round = wait_round, .restarts = true, .shares = true},
	{.name = "waitpid", .round = wait_round},
	{.name = "nanosleep", .round = nanosleep_round, .restarts = true},
	{.name = "absolute sleep", .round = absolute_sleep_round},
	{.name = "poll", .round = poll_round, .restarts = true},
	{.name = "timerfd", .round = timerfd_round, .restarts = true, .shares = true},
	{.name = "sigsuspend", .round = sigsuspend_round},
	{.name = "flock", .round = flock_round, .restarts = true, .shares = true},
	{.name = "flock", .round = flock_round},
};

#define WORKERS (sizeof(workers) / sizeof(workers[0]))

static void timer_start(struct worker *w)
{
	struct sigevent ev = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = w->signo};
	struct itimerspec often = {from_ns(w->interval), from_ns(w->interval)};

	ev.sigev_value.sival_ptr = w;
	ev._sigev_un._tid = w->tid;
	MUST(timer_create(CLOCK_MONOTONIC, &ev, &w->timer) == 0);
	w->armed_before = now_ns();
	w->armed_after = INT64_MAX / 2;
	MUST(timer_settime(w->timer, 0, &often, NULL) == 0);
	w->armed_after = now_ns();
}

/* What has expired until now is told of, sooner or later. */
static void all_periods_must_come(struct worker *w)
{
	int64_t now = now_ns();
	int64_t due = (now - w->armed_after) / w->interval;

	while (w->expired < due) {
		MUST(now_ns() - now < 20000000000LL);
		sched_yield();
	}
	MUST(timer_delete(w->timer) == 0);
}

static void *work(void *arg)
{
	struct worker *w = arg;

	sigset_t itimers;

	w->tid = (pid_t)syscall(SYS_gettid);
	sigemptyset(&itimers);
	sigaddset(&itimers, SIGALRM);
	sigaddset(&itimers, SIGVTALRM);
	sigaddset(&itimers, SIGPROF);
	if (!w->shares)
		MUST(pthread_sigmask(SIG_BLOCK, &itimers, NULL) == 0);
	timer_start(w);
	while (!over) {
		w->round(w);
		w->rounds++;
	}
	w->done = true;
	all_periods_must_come(w);
	return NULL;
}

static void handle(int sig, void (*handler)(int), int flags)
{
	struct sigaction sa = {.sa_handler = handler, .sa_flags = flags};

	MUST(sigaction(sig, &sa, NULL) == 0);
}

static void handlers_start(void)
{
	const struct itimerval real = {{0, 1700}, {0, 1700}};
	const struct itimerval cpu = {{0, 3100}, {0, 3100}};
	sigset_t data;

	handle(SIG_RESTART, (void (*)(int))(void *)on_timer, SA_SIGINFO | SA_RESTART);
	handle(SIG_BREAK, (void (*)(int))(void *)on_timer, SA_SIGINFO);
	handle(SIGALRM, on_itimer, SA_RESTART);
	handle(SIGVTALRM, on_itimer, SA_RESTART);
	handle(SIGPROF, on_itimer, SA_RESTART);
	sigemptyset(&data);
	sigaddset(&data, SIG_DATA);
	MUST(sigprocmask(SIG_BLOCK, &data, NULL) == 0);
	MUST(setitimer(ITIMER_REAL, &real, NULL) == 0);
	MUST(setitimer(ITIMER_VIRTUAL, &cpu, NULL) == 0);
	MUST(setitimer(ITIMER_PROF, &cpu, NULL) == 0);
}

static void *end_later(void *arg)
{
	int64_t until = now_ns() + *(long *)arg * 1000000;

	while (now_ns() < until)
		usleep(1000);
	over = true;
	return NULL;
}

/* One process with all workers. The partners that still wait for room end with it. */
static void storm(long milliseconds)
{
	struct worker clock = {.name = "clock"};
	sigset_t all;
	sigset_t open;

	handlers_start();
	for (size_t i = 0; i < WORKERS; i++) {
		struct worker *w = &workers[i];

		w->signo = w->restarts ? SIG_RESTART : SIG_BREAK;
		w->interval = 900000 + (int64_t)i * 37000;
		MUST(pthread_create(&w->thread, NULL, work, w) == 0);
	}
	sigfillset(&all);
	sigdelset(&all, SIGCHLD); /* ignored: if it were blocked, it would wake others */
	MUST(pthread_sigmask(SIG_BLOCK, &all, &open) == 0);
	MUST(pthread_create(&clock.thread, NULL, end_later, &milliseconds) == 0);
	for (size_t i = 0; i < WORKERS; i++)
		MUST(pthread_join(workers[i].thread, NULL) == 0);
	MUST(pthread_join(clock.thread, NULL) == 0);
	for (size_t i = 0; i < WORKERS; i++)
		MUST(workers[i].rounds > 0 && workers[i].expired > 0);
}

int main(int argc, char **argv)
{
	long n = rounds(argc, argv, 2000);
	double start = seconds();
	long signals = 0;
	pid_t other = fork();

	MUST(other >= 0);
	storm(n);
	for (size_t i = 0; i < WORKERS; i++) {
		signals += workers[i].expired;
		if (getenv("VERBOSE"))
			printf("%-14s %ld rounds, %ld interrupted, %ld periods\n",
			       workers[i].name, workers[i].rounds, workers[i].interrupted,
			       (long)workers[i].expired);
	}
	if (other == 0) {
		fflush(stdout);
		_exit(0);
	}
	MUST(wait_status(other) == 0);
	printf("ok: %ld periods in %.2f s\n", signals, seconds() - start);
	return 0;
}
