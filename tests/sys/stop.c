/* SPDX-License-Identifier: MIT */
/* calls: kill */
/* stop.c - stopping and continuing a process, and what its parent is told. */
#include "proc.h"
#include <poll.h>

/* Not in an orphaned group, whose members SIGTSTP and the like do not stop. */
static pid_t pauses_in_own_group(void)
{
	pid_t pid = pauses();

	CHECK(setpgid(pid, pid) == 0);
	return pid;
}

static void end(pid_t pid)
{
	CHECK(kill(pid, SIGKILL) == 0);
	WAIT_SIGNAL(pid, SIGKILL);
}

#define WAIT_STOP(pid, sig)                                                              \
	do {                                                                             \
		int st_;                                                                 \
		CHECK(waitpid((pid), &st_, WUNTRACED) == (pid));                         \
		CHECK(WIFSTOPPED(st_) && WSTOPSIG(st_) == (sig));                        \
	} while (0)
#define WAIT_CONT(pid)                                                                   \
	do {                                                                             \
		int st_;                                                                 \
		CHECK(waitpid((pid), &st_, WCONTINUED) == (pid));                        \
		CHECK(WIFCONTINUED(st_));                                                \
	} while (0)

static volatile sig_atomic_t got;

static void count(int sig)
{
	(void)sig;
	got++;
}

static void each_stop_signal_stops(void)
{
	static const int sigs[] = {SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU};
	pid_t pid = pauses_in_own_group();

	for (int i = 0; i < 4; i++) {
		CHECK(kill(pid, sigs[i]) == 0);
		WAIT_STOP(pid, sigs[i]);
		CHECK(kill(pid, SIGCONT) == 0);
		WAIT_CONT(pid);
	}
	end(pid);
}

static void a_stopped_process_does_not_run(void)
{
	volatile long *n = share_page();
	long before;

	CHILD(pid)
	{
		for (;;)
			++*n;
	}
	while (*n == 0)
		sched_yield();
	CHECK(kill(pid, SIGSTOP) == 0);
	WAIT_STOP(pid, SIGSTOP);
	before = *n;
	sleep_ms(30);
	CHECK(*n == before);
	CHECK(kill(pid, SIGCONT) == 0);
	while (*n == before)
		sched_yield();
	end(pid);
	munmap((void *)n, 4096);
}

static void *add(void *arg)
{
	for (;;) {
		++*(volatile long *)arg;
		getppid();
	}
	return NULL;
}

static void all_threads_stop(void)
{
	volatile long *n = share_page();

	CHILD(pid)
	{
		pthread_t t;

		for (int i = 0; i < 3; i++)
			thread_start(&t, add, (void *)&n[i]);
		for (;;)
			pause();
	}
	while (n[0] == 0 || n[1] == 0 || n[2] == 0)
		sched_yield();
	for (int round = 0; round < 3; round++) {
		long before[3];

		CHECK(kill(pid, SIGSTOP) == 0);
		WAIT_STOP(pid, SIGSTOP);
		memcpy(before, (void *)n, sizeof(before));
		sleep_ms(20);
		CHECK(memcmp(before, (void *)n, sizeof(before)) == 0);
		CHECK(kill(pid, SIGCONT) == 0);
		for (int i = 0; i < 3; i++)
			while (n[i] == before[i])
				sched_yield();
	}
	end(pid);
	munmap((void *)n, 4096);
}

static void raising_stop_stops_oneself(void)
{
	CHILD(pid)
	{
		raise(SIGSTOP);
		_exit(7);
	}
	WAIT_STOP(pid, SIGSTOP);
	CHECK(kill(pid, SIGCONT) == 0);
	WAIT_EXIT(pid, 7);
}

static void stopped_processes_can_be_killed(void)
{
	pid_t pid = pauses();

	CHECK(kill(pid, SIGSTOP) == 0);
	WAIT_STOP(pid, SIGSTOP);
	CHECK(kill(pid, SIGTERM) == 0); /* waits for the continue */
	sleep_ms(10);
	CHECK(waitpid(pid, NULL, WNOHANG) == 0);
	CHECK(kill(pid, SIGCONT) == 0);
	WAIT_SIGNAL(pid, SIGTERM);
	pid = pauses();
	CHECK(kill(pid, SIGSTOP) == 0);
	WAIT_STOP(pid, SIGSTOP);
	end(pid);
}

static void handlers_run_after_the_continue(void)
{
	int p[2];
	char c;

	CHECK(pipe(p) == 0);
	handle(SIGUSR1, count, 0);
	CHILD(pid)
	{
		got = 0;
		CHECK(write(p[1], "r", 1) == 1);
		while (got == 0)
			usleep(1000);
		CHECK(write(p[1], "h", 1) == 1);
		pause();
	}
	CHECK(read(p[0], &c, 1) == 1);
	CHECK(kill(pid, SIGSTOP) == 0);
	WAIT_STOP(pid, SIGSTOP);
	CHECK(kill(pid, SIGUSR1) == 0);
	struct pollfd pfd = {.fd = p[0], .events = POLLIN};
	CHECK(poll(&pfd, 1, 20) == 0);
	CHECK(kill(pid, SIGCONT) == 0);
	CHECK(read(p[0], &c, 1) == 1 && c == 'h');
	end(pid);
	close(p[0]);
	close(p[1]);
}

static void a_continue_handler_runs(void)
{
	CHILD(pid)
	{
		got = 0;
		handle(SIGCONT, count, 0);
		raise(SIGSTOP);
		_exit(got == 1 ? 8 : 1);
	}
	WAIT_STOP(pid, SIGSTOP);
	CHECK(kill(pid, SIGCONT) == 0);
	WAIT_EXIT(pid, 8);
}

static void a_blocked_or_ignored_continue_still_continues(void)
{
	for (int ignored = 0; ignored < 2; ignored++) {
		CHILD(pid)
		{
			if (ignored)
				handle(SIGCONT, SIG_IGN, 0);
			else
				block(SIGCONT);
			raise(SIGSTOP);
			_exit(is_pending(SIGCONT) ? 10 : 9);
		}
		WAIT_STOP(pid, SIGSTOP);
		CHECK(kill(pid, SIGCONT) == 0);
		int status = wait_status(pid);
		CHECK(WIFEXITED(status) && (WEXITSTATUS(status) == 9 || !ignored));
	}
}

static void sigtstp_can_be_handled_ignored_blocked(void)
{
	CHILD(pid)
	{
		got = 0;
		handle(SIGTSTP, count, 0);
		raise(SIGTSTP);
		CHECK(got == 1);
		handle(SIGTSTP, SIG_IGN, 0);
		raise(SIGTSTP);
		handle(SIGTSTP, SIG_DFL, 0);
		block(SIGTSTP);
		raise(SIGTSTP);
		CHECK(is_pending(SIGTSTP));
		kill(getpid(), SIGCONT); /* drops pending stop signals */
		CHECK(!is_pending(SIGTSTP));
		_exit(11);
	}
	WAIT_EXIT(pid, 11);
}

static void a_stop_signal_drops_a_pending_continue(void)
{
	CHILD(pid)
	{
		handle(SIGCONT, count, 0);
		block(SIGCONT);
		block(SIGTSTP);
		CHECK(raise(SIGCONT) == 0 && is_pending(SIGCONT));
		CHECK(raise(SIGTSTP) == 0 && !is_pending(SIGCONT));
		_exit(is_pending(SIGTSTP) ? 12 : 1);
	}
	WAIT_EXIT(pid, 12);
}

static void orphaned_groups_ignore_terminal_stops(void)
{
	CHILD(pid)
	{
		CHECK(setsid() == getpid()); /* its group has no parent in the session */
		raise(SIGTSTP);
		raise(SIGTTIN);
		raise(SIGTTOU);
		_exit(13);
	}
	WAIT_EXIT(pid, 13);
}

static void newly_orphaned_stopped_groups_get_hup_and_cont(void)
{
	int p[2];
	char c = 0;

	CHECK(pipe(p) == 0);
	CHILD(pid)
	{
		/* own session; inner sits in a group of its own and stops */
		CHECK(setsid() == getpid());
		pid_t inner = fork_or_die();
		if (inner == 0) {
			CHECK(setpgid(0, 0) == 0);
			raise(SIGSTOP);
			sleep_ms(40000); /* SIGHUP ends this */
			CHECK(write(p[1], "x", 1) == 1);
			_exit(1);
		}
		CHECK(waitpid(inner, NULL, WUNTRACED) == inner);
		_exit(0);
	}
	close(p[1]);
	WAIT_EXIT(pid, 0);
	long start = now_ms();
	CHECK(read(p[0], &c, 1) == 0);
	CHECK(now_ms() - start < 30000);
	close(p[0]);
}

static void stops_interrupt_sleep_but_not_its_time(void)
{
	CHILD(pid)
	{
		long start = now_ms();
		struct timespec t = {0, 80000000};

		CHECK(nanosleep(&t, NULL) == 0);
		_exit(now_ms() - start >= 80 ? 14 : 1);
	}
	STOP_UNTIL_EXIT(pid, 3, 14);
}

static void stop_and_continue_race(void)
{
	volatile long *n = share_page();

	CHILD(pid)
	{
		add((void *)n);
	}
	for (int i = 0; i < 200; i++) {
		CHECK(kill(pid, SIGSTOP) == 0);
		if (i % 3)
			sched_yield();
		CHECK(kill(pid, SIGCONT) == 0);
	}
	long before = *n;
	while (*n == before)
		sched_yield();
	end(pid);
	munmap((void *)n, 4096);
}

RUN(TEST(each_stop_signal_stops), TEST(a_stopped_process_does_not_run),
    TEST(all_threads_stop), TEST(raising_stop_stops_oneself),
    TEST(stopped_processes_can_be_killed), TEST(handlers_run_after_the_continue),
    TEST(a_continue_handler_runs), TEST(a_blocked_or_ignored_continue_still_continues),
    TEST(sigtstp_can_be_handled_ignored_blocked),
    TEST(a_stop_signal_drops_a_pending_continue),
    TEST(orphaned_groups_ignore_terminal_stops),
    TEST(newly_orphaned_stopped_groups_get_hup_and_cont),
    TEST(stops_interrupt_sleep_but_not_its_time), TEST(stop_and_continue_race))
