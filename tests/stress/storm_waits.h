/* SPDX-License-Identifier: MIT */
/*
 * storm_waits.h - every kind of wait, as a round of a worker that signals interrupt. A
 * partner whom no signal disturbs ends the wait, or time does. What a round waits for is
 * checked: nothing is lost, doubled or out of order; EINTR comes by Linux's rules.
 */
#pragma once
#include "storm_registers.h"

#include <linux/futex.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>

/* The two kinds of timer signals: a handler with SA_RESTART, and one without. */
#define SIG_RESTART (SIGRTMIN + 1)
#define SIG_BREAK   (SIGRTMIN + 2)
#define SIG_DATA    (SIGRTMIN + 3) /* blocked: what sigwaitinfo() takes */

/* A thread, with a timer of its own that sends it signals, and what it does again and
 * again meanwhile. */
struct worker {
	const char *name;
	void (*round)(struct worker *w);
	bool restarts; /* its handler has SA_RESTART */
	bool shares;   /* takes signals of the process as well */
	int signo;
	int64_t interval; /* ns */

	timer_t timer;
	pid_t tid;
	pthread_t thread;
	int64_t armed_before, armed_after; /* the timer was armed in between */
	int64_t last;			   /* when its last signal was handled */
	volatile int64_t expired;	   /* periods told of so far */
	long rounds, interrupted;
	volatile bool done; /* needs no partner any more */

	/* What it waits at, and its partner there, whom no signal disturbs. */
	int fd[2];
	pthread_t partner;
	uint64_t sent, got;
	uint32_t word;
};

static __thread volatile unsigned long handled; /* signals, by this thread */
static volatile bool over;

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

/* ---- helpers of rounds ---- */

/* Starts partner() with all signals blocked, once. */
static void partner_start(struct worker *w, void *(*partner)(void *))
{
	sigset_t all;
	sigset_t old;

	if (w->partner)
		return;
	sigfillset(&all);
	MUST(pthread_sigmask(SIG_BLOCK, &all, &old) == 0);
	MUST(pthread_create(&w->partner, NULL, partner, w) == 0);
	MUST(pthread_sigmask(SIG_SETMASK, &old, NULL) == 0);
}

static void pause_a_little(uint64_t n)
{
	if (n % 3)
		usleep((useconds_t)(n * 7919 % 1500));
}

/* A call that failed was interrupted, by a handler that ran meanwhile. (A signal of the
 * process may interrupt a thread, and another take it.) */
static void must_be_interrupted(struct worker *w, unsigned long before)
{
	MUST(errno == EINTR);
	MUST(handled != before);
	w->interrupted++;
}

static struct timespec from_ns(int64_t ns)
{
	return (struct timespec){ns / 1000000000, ns % 1000000000};
}

static void registers_round(struct worker *w)
{
	registers_must_hold((uint64_t)w->rounds, w->rounds & 1);
}

/* ---- data comes: none is lost ---- */

static void *send_numbers(void *arg)
{
	struct worker *w = arg;

	for (; !w->done; w->sent++) {
		pause_a_little(w->sent);
		MUST(write(w->fd[1], &w->sent, 8) == 8);
	}
	return NULL;
}

static void take_number(struct worker *w)
{
	unsigned long before = handled;
	uint64_t number = 0;
	ssize_t n = read(w->fd[0], &number, 8);

	if (n == -1) {
		must_be_interrupted(w, before);
		MUST(!w->restarts);
		return;
	}
	MUST(n == 8 && number == w->got);
	w->got++;
}

static void pipe_round(struct worker *w)
{
	if (!w->partner)
		MUST(pipe(w->fd) == 0);
	partner_start(w, send_numbers);
	take_number(w);
}

static void socket_round(struct worker *w)
{
	if (!w->partner)
		MUST(socketpair(AF_UNIX, SOCK_DGRAM, 0, w->fd) == 0);
	partner_start(w, send_numbers);
	take_number(w);
}

/* With a time-out on the socket, SA_RESTART does not help. */
static void timed_socket_round(struct worker *w)
{
	const struct timeval limit = {5, 0};
	unsigned long before = handled;
	uint64_t number = 0;
	ssize_t n;

	if (!w->partner) {
		MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, w->fd) == 0);
		MUST(setsockopt(w->fd[0], SOL_SOCKET, SO_RCVTIMEO, &limit,
				sizeof(limit)) == 0);
	}
	partner_start(w, send_numbers);
	n = recv(w->fd[0], &number, 8, MSG_WAITALL);
	if (n == -1) {
		must_be_interrupted(w, before);
		return;
	}
	MUST(n == 8 && number == w->got);
	w->got++;
}

static void *add_ones(void *arg)
{
	struct worker *w = arg;
	uint64_t one = 1;

	for (; !w->done; w->sent++) {
		pause_a_little(w->sent);
		MUST(write(w->fd[0], &one, 8) == 8);
	}
	return NULL;
}

static void eventfd_round(struct worker *w)
{
	uint64_t n = 0;

	if (!w->partner)
		MUST((w->fd[0] = eventfd(0, 0)) >= 0);
	partner_start(w, add_ones);
	MUST(read(w->fd[0], &n, 8) == 8);
	w->got += n;
	MUST(w->got <= w->sent + 1);
}

/* Takes bytes, slowly, and looks whether they are the ones that must come. */
static void *take_bytes(void *arg)
{
	struct worker *w = arg;
	unsigned char b[700];

	for (;;) {
		ssize_t n = read(w->fd[0], b, sizeof(b));

		if (n <= 0)
			return NULL;
		for (ssize_t i = 0; i < n; i++, w->got++)
			MUST(b[i] == (unsigned char)(w->got * 31));
		usleep(100);
	}
}

/* A full pipe: what a write that was interrupted has written is counted to the byte. */
static void full_pipe_round(struct worker *w)
{
	unsigned char b[6000];
	unsigned long before = handled;
	ssize_t n;

	if (!w->partner) {
		MUST(pipe(w->fd) == 0);
		MUST(fcntl(w->fd[1], F_SETPIPE_SZ, 4096) == 4096);
	}
	partner_start(w, take_bytes);
	for (size_t i = 0; i < sizeof(b); i++)
		b[i] = (unsigned char)((w->sent + i) * 31);
	n = write(w->fd[1], b, sizeof(b));
	if (n == -1) {
		must_be_interrupted(w, before);
		MUST(!w->restarts);
		return;
	}
	MUST(n > 0 && (n == sizeof(b) || handled != before));
	w->sent += (uint64_t)n;
}

static void *queue_values(void *arg)
{
	struct worker *w = arg;

	while (!w->done) {
		siginfo_t info = {.si_signo = SIG_DATA, .si_code = SI_QUEUE};

		pause_a_little(w->sent);
		info.si_value.sival_int = (int)w->sent;
		if (syscall(SYS_rt_tgsigqueueinfo, getpid(), w->tid, SIG_DATA, &info) ==
		    0)
			w->sent++;
		else
			MUST(errno == EAGAIN || w->done);
	}
	return NULL;
}

static void sigwait_round(struct worker *w)
{
	unsigned long before = handled;
	siginfo_t info;
	sigset_t set;

	partner_start(w, queue_values);
	sigemptyset(&set);
	sigaddset(&set, SIG_DATA);
	if (sigwaitinfo(&set, &info) == -1) {
		must_be_interrupted(w, before);
		return;
	}
	MUST(info.si_signo == SIG_DATA && info.si_value.sival_int == (int)w->got);
	w->got++;
}

static long futex(uint32_t *word, int op, uint32_t value, const struct timespec *limit)
{
	return syscall(SYS_futex, word, op | FUTEX_PRIVATE_FLAG, value, limit, NULL, 0);
}

static void *post(void *arg)
{
	struct worker *w = arg;

	for (; !w->done; w->sent++) {
		pause_a_little(w->sent);
		__atomic_add_fetch(&w->word, 1, __ATOMIC_SEQ_CST);
		futex(&w->word, FUTEX_WAKE, 1, NULL);
	}
	return NULL;
}

static void futex_round(struct worker *w)
{
	unsigned long before = handled;
	uint32_t seen = __atomic_load_n(&w->word, __ATOMIC_SEQ_CST);

	partner_start(w, post);
	if (futex(&w->word, FUTEX_WAIT, seen, NULL) == 0)
		return; /* also without a reason */
	if (errno == EAGAIN) {
		MUST(__atomic_load_n(&w->word, __ATOMIC_SEQ_CST) != seen);
		return;
	}
	must_be_interrupted(w, before);
	MUST(!w->restarts);
}

static void wait_round(struct worker *w)
{
	unsigned long before = handled;
	int status = -1;
	pid_t pid = fork();
	pid_t got;

	MUST(pid >= 0);
	if (pid == 0) {
		usleep((useconds_t)(w->rounds * 7919 % 4000));
		_exit((int)(w->rounds & 0x3f));
	}
	while ((got = waitpid(pid, &status, 0)) == -1) {
		must_be_interrupted(w, before);
		MUST(!w->restarts);
		before = handled;
	}
	MUST(got == pid && WIFEXITED(status));
	MUST(WEXITSTATUS(status) == (int)(w->rounds & 0x3f));
}

/* ---- time passes: neither too little nor, where it is said, too much ---- */

static void nanosleep_round(struct worker *w)
{
	int64_t begun = now_ns();
	struct timespec left = from_ns(2500000);
	unsigned long before = handled;

	while (nanosleep(&left, &left) == -1) {
		must_be_interrupted(w, before);
		MUST(left.tv_sec == 0 && left.tv_nsec <= 2600000); /* with slack */
		before = handled;
	}
	MUST(now_ns() - begun >= 2500000);
}

static void absolute_sleep_round(struct worker *w)
{
	struct timespec until = from_ns(now_ns() + 2500000);
	unsigned long before = handled;
	int error;

	while ((error = clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL))) {
		errno = error;
		must_be_interrupted(w, before);
		before = handled;
	}
	MUST(now_ns() >= until.tv_sec * 1000000000LL + until.tv_nsec);
}

static int wait_for_nothing(struct worker *w)
{
	const struct timespec limit = {0, 2000000};
	struct timeval tv = {0, 2000};
	struct epoll_event ev;

	switch (w->rounds % 5) {
	case 0:
		return poll(NULL, 0, 2);
	case 1:
		return ppoll(NULL, 0, &limit, NULL);
	case 2:
		return select(0, NULL, NULL, NULL, &tv);
	case 3:
		return pselect(0, NULL, NULL, NULL, &limit, NULL);
	default:
		return epoll_wait(w->fd[0], &ev, 1, 2);
	}
}

static void poll_round(struct worker *w)
{
	unsigned long before = handled;
	int64_t begun = now_ns();

	if (!w->fd[0])
		MUST((w->fd[0] = epoll_create1(0)) >= 0);
	if (wait_for_nothing(w) == 0)
		MUST(now_ns() - begun >= 2000000);
	else
		must_be_interrupted(w, before);
}

static void timerfd_round(struct worker *w)
{
	struct itimerspec often = {{0, 1300000}, {0, 1300000}};
	uint64_t n = 0;
	int64_t now;

	if (!w->fd[0]) {
		MUST((w->fd[0] = timerfd_create(CLOCK_MONOTONIC, 0)) >= 0);
		w->sent = (uint64_t)now_ns();
		MUST(timerfd_settime(w->fd[0], 0, &often, NULL) == 0);
	}
	MUST(read(w->fd[0], &n, 8) == 8 && n > 0);
	w->got += n;
	now = now_ns();
	MUST((int64_t)w->got <= (now - (int64_t)w->sent) / 1300000);
}

static void sigsuspend_round(struct worker *w)
{
	unsigned long before;
	sigset_t open;
	sigset_t shut;

	sigfillset(&shut);
	MUST(pthread_sigmask(SIG_BLOCK, &shut, &open) == 0);
	before = handled;
	MUST(sigsuspend(&open) == -1);
	must_be_interrupted(w, before);
	before = handled;
	sched_yield();
	MUST(handled == before); /* blocked again */
	MUST(pthread_sigmask(SIG_SETMASK, &open, NULL) == 0);
}

/* ---- locks ---- */

static volatile int holders;

static void *lock_too(void *arg)
{
	struct worker *w = arg;

	while (!w->done) {
		MUST(flock(w->fd[1], LOCK_EX) == 0);
		MUST(__atomic_add_fetch(&holders, 1, __ATOMIC_SEQ_CST) == 1);
		usleep(1000);
		MUST(__atomic_sub_fetch(&holders, 1, __ATOMIC_SEQ_CST) == 0);
		MUST(flock(w->fd[1], LOCK_UN) == 0);
		usleep(300);
	}
	return NULL;
}

static void flock_round(struct worker *w)
{
	unsigned long before = handled;
	char name[64];

	if (!w->partner) {
		snprintf(name, sizeof(name), "lock.%d", getpid());
		MUST((w->fd[0] = open(name, O_CREAT | O_RDWR, 0600)) >= 0);
		MUST((w->fd[1] = open(name, O_RDWR)) >= 0);
	}
	partner_start(w, lock_too);
	if (flock(w->fd[0], LOCK_EX) == -1) {
		must_be_interrupted(w, before);
		MUST(!w->restarts);
		return;
	}
	MUST(__atomic_add_fetch(&holders, 1, __ATOMIC_SEQ_CST) == 1);
	MUST(__atomic_sub_fetch(&holders, 1, __ATOMIC_SEQ_CST) == 0);
	MUST(flock(w->fd[0], LOCK_UN) == 0);
}
