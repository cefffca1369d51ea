/* SPDX-License-Identifier: MIT */
/* wait4.c - waiting for children: which, for what, and what is told about them. */
#include "proc.h"

static void no_children_gives_echild(void)
{
	int status = 123;

	FAILS(ECHILD, wait4(-1, &status, 0, NULL));
	FAILS(ECHILD, wait4(-1, &status, WNOHANG, NULL));
	FAILS(ECHILD, wait4(getppid(), &status, 0, NULL));
	FAILS(ECHILD, wait4(getpid(), &status, 0, NULL));
	FAILS(ECHILD, wait4(0x3ffffffe, &status, 0, NULL));
	CHECK(status == 123);
}

static void exit_codes_keep_eight_bits(void)
{
	int status;
	pid_t pid;

	for (int code = 0; code < 256; code += 51) {
		pid = exits(code);
		CHECK(wait4(pid, &status, 0, NULL) == pid);
		CHECK(WIFEXITED(status) && WEXITSTATUS(status) == code);
	}
	pid = exits(0x1234);
	CHECK(wait4(pid, &status, 0, NULL) == pid && status == 0x3400);
	FAILS(ECHILD, wait4(pid, &status, 0, NULL));
}

static void death_by_signal_is_told(void)
{
	static const int sigs[] = {SIGKILL, SIGTERM, SIGUSR1, SIGALRM, SIGPIPE, SIGHUP};
	int status;

	for (size_t i = 0; i < sizeof(sigs) / sizeof(sigs[0]); i++) {
		pid_t pid = pauses();

		CHECK(kill(pid, sigs[i]) == 0);
		CHECK(wait4(pid, &status, 0, NULL) == pid);
		CHECK(WIFSIGNALED(status) && WTERMSIG(status) == sigs[i]);
		CHECK(!WCOREDUMP(status));
	}
}

static void waits_until_the_child_ends(void)
{
	long start = now_ms();
	int status;

	CHILD(pid)
	{
		sleep_ms(40);
		_exit(3);
	}
	CHECK(wait4(-1, &status, 0, NULL) == pid && status == 3 << 8);
	CHECK(now_ms() - start >= 35);
}

static void nohang_returns_zero_while_children_run(void)
{
	pid_t pid = pauses();
	int status = 55;

	CHECK(wait4(-1, &status, WNOHANG, NULL) == 0);
	CHECK(wait4(pid, &status, WNOHANG, NULL) == 0);
	CHECK(status == 55);
	CHECK(kill(pid, SIGKILL) == 0);
	while (wait4(pid, &status, WNOHANG, NULL) == 0)
		sched_yield();
	CHECK(WIFSIGNALED(status));
}

static void one_child_is_picked_by_pid(void)
{
	pid_t a = exits(1);
	pid_t b = exits(2);
	pid_t c = exits(3);
	int status;

	CHECK(wait4(b, &status, 0, NULL) == b && status == 2 << 8);
	CHECK(wait4(c, &status, 0, NULL) == c && status == 3 << 8);
	CHECK(wait4(a, &status, 0, NULL) == a && status == 1 << 8);
}

static void children_are_picked_by_group(void)
{
	pid_t a = pauses();
	pid_t b = pauses();
	int status;

	CHECK(setpgid(a, a) == 0 && setpgid(b, a) == 0);
	FAILS(ECHILD, wait4(0, &status, WNOHANG, NULL));
	CHECK(wait4(-a, &status, WNOHANG, NULL) == 0);
	pid_t c = exits(9);
	CHECK(wait4(0, &status, 0, NULL) == c && status == 9 << 8);
	CHECK(kill(-a, SIGTERM) == 0);
	for (int i = 0; i < 2; i++) {
		pid_t pid = wait4(-a, &status, 0, NULL);

		CHECK(pid == a || pid == b);
		CHECK(WTERMSIG(status) == SIGTERM);
	}
	FAILS(ECHILD, wait4(-a, &status, 0, NULL));
}

static void any_child_is_taken_once(void)
{
	enum { N = 20 };
	pid_t pid[N];
	int seen[N] = {0};

	for (int i = 0; i < N; i++)
		pid[i] = exits(i);
	for (int n = 0; n < N; n++) {
		int status;
		pid_t got = wait4(-1, &status, 0, NULL);
		int i = 0;

		while (i < N && pid[i] != got)
			i++;
		CHECK(i < N && WEXITSTATUS(status) == i && seen[i]++ == 0);
	}
	FAILS(ECHILD, wait4(-1, NULL, 0, NULL));
}

static void stop_and_continue_are_told_when_asked(void)
{
	pid_t pid = pauses();
	int status;

	CHECK(kill(pid, SIGSTOP) == 0);
	CHECK(wait4(pid, &status, WUNTRACED, NULL) == pid);
	CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP &&
	      status == (SIGSTOP << 8 | 0x7f));
	CHECK(wait4(pid, &status, WUNTRACED | WNOHANG, NULL) == 0); /* told once */
	CHECK(kill(pid, SIGCONT) == 0);
	CHECK(wait4(pid, &status, WCONTINUED, NULL) == pid);
	CHECK(WIFCONTINUED(status) && status == 0xffff);
	CHECK(wait4(pid, &status, WCONTINUED | WNOHANG, NULL) == 0);
	CHECK(kill(pid, SIGSTOP) == 0);
	sleep_ms(10);
	CHECK(wait4(pid, &status, WNOHANG, NULL) == 0); /* not asked for */
	CHECK(kill(pid, SIGKILL) == 0);
	CHECK(wait4(pid, &status, 0, NULL) == pid && WTERMSIG(status) == SIGKILL);
}

static void usage_of_the_child_is_told(void)
{
	struct rusage ru;
	int status;

	CHILD(pid)
	{
		volatile unsigned long n = 0;
		char *p = malloc(8 << 20);

		memset(p, 1, 8 << 20);
		while (clock() < CLOCKS_PER_SEC / 25)
			n++;
		_exit(p[77] - 1);
	}
	memset(&ru, 0xff, sizeof(ru));
	CHECK(wait4(pid, &status, 0, &ru) == pid && status == 0);
	CHECK(ru.ru_utime.tv_sec >= 0 && ru.ru_utime.tv_usec >= 0);
	CHECK(ru.ru_utime.tv_sec * 1000000 + ru.ru_utime.tv_usec + ru.ru_stime.tv_usec >
	      20000);
	CHECK(ru.ru_maxrss > 8 << 10);
}

static void bad_options_and_pids(void)
{
	pid_t pid = exits(0);

	FAILS(EINVAL, wait4(-1, NULL, 0x40, NULL));
	FAILS(EINVAL, wait4(-1, NULL, WEXITED, NULL));
	FAILS(EINVAL, wait4(-1, NULL, WNOWAIT, NULL));
	FAILS(ESRCH, wait4(INT_MIN, NULL, 0, NULL));
	CHECK(wait4(pid, NULL, __WALL, NULL) == pid);
}

static void bad_pointers_give_efault(void)
{
	pid_t pid = exits(0);

	FAILS(EFAULT, syscall(SYS_wait4, pid, BAD_PTR, 0, NULL));
	pid_t pid2 = exits(0);
	FAILS(EFAULT, syscall(SYS_wait4, pid2, NULL, 0, KERNEL_PTR));
	FAILS(ECHILD, wait4(-1, NULL, 0, NULL)); /* both are reaped nevertheless */
}

static volatile sig_atomic_t got;

static void count(int sig)
{
	(void)sig;
	got++;
}

static void signal_interrupts_the_wait(void)
{
	pid_t pid = pauses();
	pid_t pest;

	got = 0;
	handle(SIGUSR1, count, 0);
	pest = pester_start(SIGUSR1, 10);
	FAILS(EINTR, wait4(pid, NULL, 0, NULL));
	pester_stop(pest);
	CHECK(got > 0);
	CHECK(kill(pid, SIGKILL) == 0);
	WAIT_SIGNAL(pid, SIGKILL);
}

static volatile int *seen; /* by other processes too */

static void count_seen(int sig)
{
	(void)sig;
	++*seen;
}

static void sa_restart_restarts_the_wait(void)
{
	int status;
	pid_t pest;

	seen = share_page();
	handle(SIGUSR1, count_seen, SA_RESTART);
	CHILD(pid)
	{
		while (*seen < 3)
			sleep_ms(5);
		_exit(4);
	}
	pest = pester_start(SIGUSR1, 10);
	CHECK(wait4(pid, &status, 0, NULL) == pid && status == 4 << 8);
	pester_stop(pest);
	handle(SIGUSR1, count, SA_RESTART);
	munmap((void *)(uintptr_t)seen, 4096);
}

static void sigchld_ignored_reaps_children(void)
{
	int status;

	handle(SIGCHLD, SIG_IGN, 0);
	exits(1);
	exits(2);
	FAILS(ECHILD, wait4(-1, &status, 0, NULL)); /* waits for all to go */
	handle(SIGCHLD, SIG_DFL, SA_NOCLDWAIT);
	pid_t pid = exits(3);
	FAILS(ECHILD, wait4(pid, &status, 0, NULL));
	got = 0;
	handle(SIGCHLD, count, SA_NOCLDWAIT | SA_RESTART);
	exits(4);
	FAILS(ECHILD, wait4(-1, &status, 0, NULL));
	CHECK(got == 1);
	handle(SIGCHLD, SIG_DFL, 0);
}

static void *child_of_thread(void *arg)
{
	*(pid_t *)arg = exits(17);
	return NULL;
}

static void children_of_a_thread_outlive_it(void)
{
	pthread_t t;
	pid_t pid;
	int status;

	thread_start(&t, child_of_thread, &pid);
	thread_join(t);
	CHECK(wait4(pid, &status, 0, NULL) == pid && status == 17 << 8);
}

static void *wait_for_child_of_leader(void *arg)
{
	pid_t pid = (pid_t)(long)arg;
	int status;

	FAILS(ECHILD, wait4(pid, &status, __WNOTHREAD, NULL));
	CHECK(wait4(pid, &status, 0, NULL) == pid && status == 19 << 8);
	return NULL;
}

static void children_belong_to_the_process(void)
{
	pthread_t t;

	thread_start(&t, wait_for_child_of_leader, (void *)(long)exits(19));
	thread_join(t);
}

static void wnothread_sees_own_children(void)
{
	int status;
	pid_t pid = exits(18);

	CHECK(wait4(pid, &status, __WNOTHREAD, NULL) == pid && status == 18 << 8);
}

static void *wait_any(void *arg)
{
	long n = 0;

	(void)arg;
	while (wait4(-1, NULL, 0, NULL) > 0)
		n++;
	CHECK(errno == ECHILD);
	return (void *)n;
}

static void threads_share_the_children(void)
{
	enum { N = 60 };
	pthread_t t[3];
	pid_t keep = pauses();
	long sum = 0;

	for (int i = 0; i < 3; i++)
		thread_start(&t[i], wait_any, NULL);
	for (int i = 0; i < N; i++)
		exits(0);
	CHECK(kill(keep, SIGKILL) == 0);
	for (int i = 0; i < 3; i++)
		sum += (long)thread_join(t[i]);
	CHECK(sum == N + 1);
}

static void exit_races_with_wait(void)
{
	for (int i = 0; i < 200; i++) {
		int status;
		pid_t pid = exits(i & 127);

		if (i & 1)
			sched_yield();
		while (wait4(pid, &status, WNOHANG, NULL) == 0)
			;
		CHECK(status == (i & 127) << 8);
	}
}

static void grandchildren_are_not_ours(void)
{
	pid_t *inner = share_page();

	CHILD(pid)
	{
		*inner = pauses();
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
	FAILS(ECHILD, wait4(*inner, NULL, 0, NULL));
	CHECK(kill(*inner, SIGKILL) == 0);
	munmap(inner, 4096);
}

static volatile pid_t told;

static void note_thread(int sig)
{
	(void)sig;
	told = (pid_t)syscall(SYS_gettid);
}

/* Makes children; waits for what is told of them without waiting for them first. */
static void *make_children(void *arg)
{
	(void)arg;
	sleep_ms(100); /* until the first thread sleeps */
	for (int i = 0; i < 50; i++) {
		pid_t pid;
		long end = now_ms() + 30000;

		told = 0;
		pid = exits(0);
		while (!told && now_ms() < end)
			sched_yield();
		CHECK(told == (pid_t)syscall(SYS_gettid));
		WAIT_EXIT(pid, 0);
	}
	return NULL;
}

static void sigchld_goes_to_the_thread_that_made_the_child(void)
{
	pthread_t t;

	handle(SIGCHLD, note_thread, SA_RESTART);
	thread_start(&t, make_children, NULL);
	thread_join(t); /* in which the first thread would be free to take it */
	handle(SIGCHLD, SIG_DFL, 0);
}

static const struct test all[] = {
	TEST(no_children_gives_echild),
	TEST(exit_codes_keep_eight_bits),
	TEST(death_by_signal_is_told),
	TEST(waits_until_the_child_ends),
	TEST(nohang_returns_zero_while_children_run),
	TEST(one_child_is_picked_by_pid),
	TEST(children_are_picked_by_group),
	TEST(any_child_is_taken_once),
	TEST(stop_and_continue_are_told_when_asked),
	TEST(usage_of_the_child_is_told),
	TEST(bad_options_and_pids),
	TEST(bad_pointers_give_efault),
	TEST(signal_interrupts_the_wait),
	TEST(sa_restart_restarts_the_wait),
	TEST(sigchld_ignored_reaps_children),
	TEST(children_of_a_thread_outlive_it),
	TEST(children_belong_to_the_process),
	TEST(wnothread_sees_own_children),
	TEST(threads_share_the_children),
	TEST(exit_races_with_wait),
	TEST(grandchildren_are_not_ours),
	TEST(sigchld_goes_to_the_thread_that_made_the_child),
};

int main(void)
{
	return test_main(all, sizeof(all) / sizeof(all[0]));
}
