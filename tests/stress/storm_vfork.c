/* SPDX-License-Identifier: MIT */
/*
 * storm_vfork.c - threads of several processes start children that share, borrow or copy
 * their memory, with and without waiting for them.
 */
#include "storm.h"

enum { PROCESSES = 4, THREADS = 3, STACK = 65536 };

static long n;

static int child(void *arg)
{
	if ((long)arg & 1)
		usleep(100);
	_exit((int)(long)arg);
}

static void one_child(unsigned int *seed, char *stack)
{
	static const int flags[] = {CLONE_VFORK, CLONE_VM | CLONE_VFORK, CLONE_VM,
				    CLONE_FILES};
	int code = rand_r(seed) & 63;
	size_t kind = (size_t)rand_r(seed) % 5;
	pid_t pid;

	if (kind < 4) {
		pid = clone(child, stack + STACK, flags[kind] | SIGCHLD,
			    (void *)(long)code);
	} else {
		pid = vfork();
		if (pid == 0)
			_exit(code);
	}
	MUST(pid > 0);
	MUST(wait_status(pid) == code << 8);
}

static void *work(void *arg)
{
	unsigned int seed = (unsigned int)(long)arg;
	char *stack = mmap(NULL, STACK, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	MUST(stack != MAP_FAILED);
	for (long i = 0; i < n; i++)
		one_child(&seed, stack);
	return NULL;
}

static void run(int i)
{
	in_threads(THREADS, work, i * 10L);
}

int main(int argc, char **argv)
{
	double start = seconds();

	n = rounds(argc, argv, 500);
	in_processes(PROCESSES, run);
	printf("ok: %ld children in %.2f s\n", n * PROCESSES * THREADS,
	       seconds() - start);
	return 0;
}
