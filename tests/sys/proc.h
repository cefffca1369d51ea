/* SPDX-License-Identifier: MIT */
/*
 * proc.h - what the tests of processes, signals and time share: a known start, children
 * and their statuses, short sleeps, a child that pesters its parent with a signal.
 *
 * A program started with arguments is a role of an exec test and keeps what it inherits.
 */
#pragma once
#include "test.h"
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* unmapped, misaligned and in the upper half: what every call must answer EFAULT to */
#define BAD_PTR	   ((void *)0x10)
#define KERNEL_PTR ((void *)0xffff800000000000ul)

__attribute__((constructor)) static void proc_begin(int argc, char **argv)
{
	struct rlimit none = {0, 0};
	sigset_t empty;

	(void)argv;
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc > 1)
		return;
	getrlimit(RLIMIT_CORE, &none);
	none.rlim_cur = 0;
	setrlimit(RLIMIT_CORE, &none);
	sigemptyset(&empty);
	sigprocmask(SIG_SETMASK, &empty, NULL);
	for (int sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_DFL);
}

static inline long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static inline void sleep_ms(long ms)
{
	struct timespec t = {ms / 1000, ms % 1000 * 1000000};

	while (nanosleep(&t, &t) == -1 && errno == EINTR)
		;
}

static inline pid_t fork_or_die(void)
{
	pid_t pid = fork();

	CHECK(pid >= 0);
	return pid;
}

/* The pattern of most tests: the block after it runs in a child and must _exit. */
#define CHILD(pid)                                                                       \
	pid_t pid = fork_or_die();                                                       \
	if (pid == 0)

/* A child that ends at once, or waits for a signal. */
static inline pid_t exits(int code)
{
	CHILD(pid)
	{
		_exit(code);
	}
	return pid;
}

static inline pid_t pauses(void)
{
	CHILD(pid)
	{
		for (;;)
			pause();
	}
	return pid;
}

static inline int wait_status(pid_t pid)
{
	int status = 0;
	pid_t got;

	do
		got = waitpid(pid, &status, __WALL);
	while (got == -1 && errno == EINTR);
	CHECK(got == pid);
	return status;
}

static inline void wait_expect(pid_t pid, int want, const char *file, int line)
{
	int status = wait_status(pid);

	if ((status & ~0x80) == want)
		return;
	printf("not ok: %s:%d: wait status %#x, want %#x\n", file, line, status, want);
	exit(1);
}
#define WAIT_EXIT(pid, code)                                                             \
	do {                                                                             \
		int st_ = wait_status(pid);                                              \
		if (st_ != (code) << 8) {                                                \
			printf("not ok: %s:%d: wait status %#x, want exit %d\n",         \
			       __FILE__, __LINE__, st_, (code));                         \
			exit(1);                                                         \
		}                                                                        \
	} while (0)
#define WAIT_SIGNAL(pid, sig) wait_expect((pid), (sig), __FILE__, __LINE__)

/* Stops the child and continues it; returns false, with its status, if it has ended. */
static inline bool stop_and_continue(pid_t pid, int *status)
{
	CHECK(kill(pid, SIGSTOP) == 0);
	CHECK(waitpid(pid, status, WUNTRACED) == pid);
	if (!WIFSTOPPED(*status))
		return false;
	sleep_ms(5);
	CHECK(kill(pid, SIGCONT) == 0);
	return true;
}

/* Stops and continues the child some times, then expects it to exit with code. */
#define STOP_UNTIL_EXIT(pid, times, code)                                                \
	do {                                                                             \
		int end_ = 0;                                                            \
		bool alive_ = true;                                                      \
		for (int n_ = 0; n_ < (times) && alive_; n_++) {                         \
			sleep_ms(5);                                                     \
			alive_ = stop_and_continue((pid), &end_);                        \
		}                                                                        \
		if (alive_)                                                              \
			end_ = wait_status(pid);                                         \
		CHECK(end_ == (code) << 8);                                              \
	} while (0)

static inline void *share_page(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		       0);

	CHECK(p != MAP_FAILED);
	return p;
}

static inline void handle(int sig, void (*fn)(int), int flags)
{
	struct sigaction sa = {.sa_handler = fn, .sa_flags = flags};

	CHECK(sigaction(sig, &sa, NULL) == 0);
}

static inline void handle_info(int sig, void (*fn)(int, siginfo_t *, void *), int flags)
{
	struct sigaction sa = {.sa_sigaction = fn, .sa_flags = flags | SA_SIGINFO};

	CHECK(sigaction(sig, &sa, NULL) == 0);
}

static inline sigset_t set_of(int sig)
{
	sigset_t s;

	sigemptyset(&s);
	if (sig)
		sigaddset(&s, sig);
	return s;
}

static inline void block(int sig)
{
	sigset_t s = set_of(sig);

	CHECK(sigprocmask(SIG_BLOCK, &s, NULL) == 0);
}

static inline void unblock(int sig)
{
	sigset_t s = set_of(sig);

	CHECK(sigprocmask(SIG_UNBLOCK, &s, NULL) == 0);
}

static inline bool is_pending(int sig)
{
	sigset_t s;

	CHECK(sigpending(&s) == 0);
	return sigismember(&s, sig);
}

/* Forks a child that sends sig to this process every ms, until pester_stop. */
static inline pid_t pester_start(int sig, long ms)
{
	pid_t parent = getpid();
	pid_t pid = fork_or_die();

	if (pid > 0)
		return pid;
	do
		sleep_ms(ms);
	while (getppid() == parent && kill(parent, sig) == 0);
	_exit(0);
}

static inline void pester_stop(pid_t pid)
{
	CHECK(kill(pid, SIGKILL) == 0);
	WAIT_SIGNAL(pid, SIGKILL);
}

static inline void thread_start(pthread_t *t, void *(*fn)(void *), void *arg)
{
	CHECK(pthread_create(t, NULL, fn, arg) == 0);
}

static inline void *thread_join(pthread_t t)
{
	void *result;

	CHECK(pthread_join(t, &result) == 0);
	return result;
}
