/* SPDX-License-Identifier: MIT */
/* vfork.c - the child borrows the parent's memory until it ends or execs. */
#include "proc.h"
#include <sys/prctl.h>

static volatile sig_atomic_t got;
static volatile long shared;

static void count(int sig)
{
	(void)sig;
	got++;
}

static void child_has_own_pid_and_shares_memory(void)
{
	pid_t parent = getpid();
	pid_t pid;

	shared = 0;
	pid = vfork();
	if (pid == 0) {
		shared = getpid() != parent && getppid() == parent ? getpid() : -1;
		_exit(6);
	}
	CHECK(pid > 0);
	CHECK(shared == pid);
	WAIT_EXIT(pid, 6);
	CHECK(getpid() == parent);
}

static void parent_sleeps_until_the_child_ends(void)
{
	pid_t pid;

	shared = 0;
	pid = vfork();
	if (pid == 0) {
		struct timespec t = {0, 50000000};

		nanosleep(&t, NULL);
		shared = 1;
		_exit(0);
	}
	CHECK(shared == 1);
	WAIT_EXIT(pid, 0);
}

static void parent_goes_on_once_the_child_execs(void)
{
	int p[2];
	int status;
	pid_t pid;

	CHECK(pipe(p) == 0);
	pid = vfork();
	if (pid == 0) {
		dup2(p[0], 0);
		close(p[0]);
		close(p[1]);
		execl("/proc/self/exe", "vfork", "wait-for-end", NULL);
		_exit(127);
	}
	CHECK(pid > 0);
	CHECK(waitpid(pid, &status, WNOHANG) == 0);
	close(p[0]);
	close(p[1]);
	WAIT_EXIT(pid, 33);
}

static void failed_exec_leaves_the_child_running(void)
{
	pid_t pid;

	shared = 0;
	pid = vfork();
	if (pid == 0) {
		execl("/nonexistent/program", "x", NULL);
		shared = errno;
		_exit(127);
	}
	CHECK(shared == ENOENT);
	WAIT_EXIT(pid, 127);
}

static void parent_goes_on_when_the_child_is_killed(void)
{
	pid_t pid = vfork();

	if (pid == 0) {
		kill(getpid(), SIGKILL);
		_exit(0);
	}
	CHECK(pid > 0);
	WAIT_SIGNAL(pid, SIGKILL);
}

static void a_fault_of_the_child_kills_only_the_child(void)
{
	pid_t pid = vfork();

	if (pid == 0) {
		*(volatile int *)BAD_PTR = 1;
		_exit(0);
	}
	CHECK(pid > 0);
	WAIT_SIGNAL(pid, SIGSEGV);
}

static void descriptors_and_actions_are_the_childs_own(void)
{
	struct sigaction sa;
	int p[2];
	pid_t pid;

	CHECK(pipe(p) == 0);
	handle(SIGUSR1, count, 0);
	pid = vfork();
	if (pid == 0) {
		signal(SIGUSR1, SIG_IGN);
		close(p[0]);
		close(p[1]);
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
	CHECK(sigaction(SIGUSR1, NULL, &sa) == 0 && sa.sa_handler == count);
	CHECK(write(p[1], "a", 1) == 1);
	close(p[0]);
	close(p[1]);
}

static void mask_is_the_childs_own(void)
{
	sigset_t set = set_of(SIGUSR2);
	sigset_t now;
	pid_t pid;

	pid = vfork();
	if (pid == 0) {
		syscall(SYS_rt_sigprocmask, SIG_BLOCK, &set, NULL, 8);
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
	CHECK(sigprocmask(SIG_BLOCK, NULL, &now) == 0 && !sigismember(&now, SIGUSR2));
}

static void signals_for_the_parent_wait(void)
{
	pid_t pid;

	got = 0;
	shared = -1;
	handle(SIGUSR1, count, 0);
	pid = vfork();
	if (pid == 0) {
		struct timespec t = {0, 20000000};

		kill(getppid(), SIGUSR1);
		nanosleep(&t, NULL);
		shared = got;
		_exit(0);
	}
	CHECK(shared == 0);
	CHECK(got == 1);
	WAIT_EXIT(pid, 0);
}

static void memory_mapped_by_the_child_stays(void)
{
	char *volatile page = MAP_FAILED;
	pid_t pid = vfork();

	if (pid == 0) {
		page = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		*page = 'm';
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
	CHECK(page != MAP_FAILED && *page == 'm');
	CHECK(munmap(page, 4096) == 0);
}

static volatile bool stop_counting;

static void *counting(void *arg)
{
	volatile long *n = arg;

	while (!stop_counting) {
		++*n;
		sched_yield();
	}
	return NULL;
}

static void other_threads_of_the_parent_run_on(void)
{
	static volatile long n;
	static volatile long before;
	static volatile long after;
	pthread_t t;
	pid_t pid;

	stop_counting = false;
	thread_start(&t, counting, (void *)&n);
	while (n == 0)
		sched_yield();
	pid = vfork();
	if (pid == 0) {
		struct timespec ts = {0, 40000000};

		before = n;
		do
			nanosleep(&ts, NULL);
		while (n == before);
		after = n;
		_exit(0);
	}
	CHECK(after > before);
	stop_counting = true;
	thread_join(t);
	WAIT_EXIT(pid, 0);
}

static void *vfork_often(void *arg)
{
	long id = (long)arg;

	for (int i = 0; i < 30; i++) {
		pid_t pid = vfork();

		if (pid == 0)
			_exit((int)id);
		CHECK(pid > 0);
		WAIT_EXIT(pid, (int)id);
	}
	return NULL;
}

static void threads_vfork_at_the_same_time(void)
{
	pthread_t t[3];

	for (long i = 0; i < 3; i++)
		thread_start(&t[i], vfork_often, (void *)(i + 1));
	for (int i = 0; i < 3; i++)
		thread_join(t[i]);
}

static void *vfork_exec(void *arg)
{
	char *const args[] = {"vfork", "exit-9", NULL};
	char *const env[] = {NULL};

	(void)arg;
	for (int i = 0; i < 10; i++) {
		pid_t pid = vfork();

		if (pid == 0) {
			execve("/proc/self/exe", args, env);
			_exit(127);
		}
		CHECK(pid > 0);
		WAIT_EXIT(pid, 9);
	}
	return NULL;
}

static void threads_vfork_and_exec_at_the_same_time(void)
{
	pthread_t t[2];

	for (int i = 0; i < 2; i++)
		thread_start(&t[i], vfork_exec, NULL);
	for (int i = 0; i < 2; i++)
		thread_join(t[i]);
}

static void a_child_may_vfork_again(void)
{
	static volatile pid_t inner;
	static volatile int status;
	pid_t pid;

	shared = 0;
	pid = vfork();
	if (pid == 0) {
		inner = vfork();
		if (inner == 0) {
			shared = 77;
			_exit(4);
		}
		_exit(waitpid(inner, (int *)&status, 0) == inner ? 5 : 6);
	}
	CHECK(shared == 77);
	WAIT_EXIT(pid, 5);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 4);
}

static void a_child_may_fork(void)
{
	static volatile pid_t inner;
	pid_t pid = vfork();

	if (pid == 0) {
		inner = (pid_t)syscall(SYS_fork);
		if (inner == 0)
			_exit(8);
		_exit(wait_status(inner) == 8 << 8 ? 0 : 1);
	}
	WAIT_EXIT(pid, 0);
}

static void the_waiting_parent_can_be_killed(void)
{
	int p[2];
	char c;

	CHECK(pipe(p) == 0);
	CHILD(pid)
	{
		close(p[0]);
		if (vfork() == 0) {
			struct timespec t = {2, 0};

			nanosleep(&t, NULL);
			_exit(0);
		}
		_exit(1);
	}
	close(p[1]);
	sleep_ms(30);
	CHECK(kill(pid, SIGKILL) == 0);
	WAIT_SIGNAL(pid, SIGKILL);
	CHECK(read(p[0], &c, 1) == 0); /* the child ends by itself */
	close(p[0]);
}

static const struct test all[] = {
	TEST(child_has_own_pid_and_shares_memory),
	TEST(parent_sleeps_until_the_child_ends),
	TEST(parent_goes_on_once_the_child_execs),
	TEST(failed_exec_leaves_the_child_running),
	TEST(parent_goes_on_when_the_child_is_killed),
	TEST(a_fault_of_the_child_kills_only_the_child),
	TEST(descriptors_and_actions_are_the_childs_own),
	TEST(mask_is_the_childs_own),
	TEST(signals_for_the_parent_wait),
	TEST(memory_mapped_by_the_child_stays),
	TEST(other_threads_of_the_parent_run_on),
	TEST(threads_vfork_at_the_same_time),
	TEST(threads_vfork_and_exec_at_the_same_time),
	TEST(a_child_may_vfork_again),
	TEST(a_child_may_fork),
	TEST(the_waiting_parent_can_be_killed),
};

int main(int argc, char **argv)
{
	char c;

	if (argc > 1 && strcmp(argv[1], "exit-9") == 0)
		return 9;
	if (argc > 1 && strcmp(argv[1], "wait-for-end") == 0)
		return read(0, &c, 1) == 0 ? 33 : 1;
	return test_main(all, sizeof(all) / sizeof(all[0]));
}
