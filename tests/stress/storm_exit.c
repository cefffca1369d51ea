/* SPDX-License-Identifier: MIT */
/*
 * storm_exit.c - processes whose threads fork, vfork, map and make threads end in all
 * ways at any moment: exec or exit by the leader or another thread, with the leader gone
 * first, or by a signal from outside.
 */
#include "storm.h"
#include <sys/syscall.h>

enum { WORKERS = 4 };

static pid_t *last_thread; /* shared */

static void *nothing(void *arg)
{
	return arg;
}

static void *call(void *arg)
{
	for (;;)
		syscall(SYS_getppid);
	return arg;
}

static void *sleep_on(void *arg)
{
	for (;;)
		pause();
	return arg;
}

static void *fork_on(void *arg)
{
	for (;;) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(0);
		if (pid > 0)
			waitpid(pid, NULL, 0);
	}
	return arg;
}

static void run_program(const char *code)
{
	char *args[] = {"storm_exit", "exit", (char *)code, NULL};
	char *env[] = {NULL};

	execve("/proc/self/exe", args, env);
}

static void *vfork_on(void *arg)
{
	for (;;) {
		pid_t pid = vfork();

		if (pid == 0) {
			run_program("3");
			_exit(127);
		}
		if (pid > 0)
			waitpid(pid, NULL, 0);
	}
	return arg;
}

static void *make_threads(void *arg)
{
	for (;;) {
		pthread_t t;

		if (pthread_create(&t, NULL, nothing, NULL) == 0)
			pthread_join(t, NULL);
	}
	return arg;
}

static void *map_on(void *arg)
{
	for (;;) {
		char *p = mmap(NULL, 65536, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (p == MAP_FAILED)
			continue;
		memset(p, 1, 65536);
		munmap(p, 65536);
	}
	return arg;
}

static void *(*const kinds[])(void *) = {call,	   sleep_on,	 fork_on,
					 vfork_on, make_threads, map_on};

static void *exec_later(void *arg)
{
	usleep((useconds_t)(long)arg);
	run_program("7");
	sleep_on(NULL); /* somebody else has ended the process */
	return NULL;
}

static void *exit_later(void *arg)
{
	usleep((useconds_t)(long)arg);
	_exit(7);
}

static void *end_last(void *arg)
{
	*last_thread = (pid_t)syscall(SYS_gettid);
	usleep((useconds_t)(long)arg);
	syscall(SYS_exit, 7);
	return NULL;
}

enum how { EXEC_BY_THREAD, EXEC_BY_LEADER, EXIT, LEADER_FIRST, KILLED, HOWS };

static void live(enum how how, unsigned int seed)
{
	long delay = rand_r(&seed) % 1500;
	int threads = how == LEADER_FIRST ? 0 : rand_r(&seed) % 5;
	pthread_t t;

	for (int i = 0; i < threads; i++)
		pthread_create(&t, NULL, kinds[rand_r(&seed) % 6], NULL);
	switch (how) {
	case EXEC_BY_THREAD:
		pthread_create(&t, NULL, exec_later, (void *)delay);
		break;
	case EXEC_BY_LEADER:
		exec_later((void *)delay);
		break;
	case EXIT:
		pthread_create(&t, NULL, exit_later, (void *)delay);
		if (delay & 1)
			syscall(SYS_exit, 1);
		break;
	case LEADER_FIRST:
		pthread_create(&t, NULL, end_last, (void *)delay);
		syscall(SYS_exit, 7); /* the thread may be faster after all */
		break;
	default:
		break;
	}
	sleep_on(NULL);
}

static void one_process(enum how how, unsigned int *seed)
{
	useconds_t delay = (useconds_t)rand_r(seed) % 1500;
	pid_t pid = fork();

	MUST(pid >= 0);
	if (pid == 0)
		live(how, *seed + delay);
	if (how == KILLED) {
		usleep(delay);
		MUST(kill(pid, SIGKILL) == 0);
		MUST(wait_status(pid) == SIGKILL);
		return;
	}
	MUST(wait_status(pid) == 7 << 8);
	/* With the process its threads' ids are gone. */
	if (how == LEADER_FIRST)
		MUST(syscall(SYS_tgkill, pid, *last_thread, 0) == -1 && errno == ESRCH);
}

static long n;

static void run(int i)
{
	unsigned int seed = (unsigned int)i * 1000 + 1;

	last_thread = share(sizeof(*last_thread));
	for (long r = 0; r < n; r++)
		one_process((enum how)(rand_r(&seed) % HOWS), &seed);
}

int main(int argc, char **argv)
{
	double start = seconds();

	if (argc == 3 && strcmp(argv[1], "exit") == 0)
		return atoi(argv[2]);
	n = rounds(argc, argv, 300);
	in_processes(WORKERS, run);
	printf("ok: %ld processes in %.2f s\n", n * WORKERS, seconds() - start);
	return 0;
}
