/* SPDX-License-Identifier: MIT */
/* storm_vfork_exec.c - threads and processes start programs by vfork and exec. */
#include "storm.h"

enum { PROCESSES = 3, THREADS = 2 };

static long n;

static void start_one(int code)
{
	char text[16];
	char *args[] = {"storm_vfork_exec", "exit", text, NULL};
	char *env[] = {NULL};
	pid_t pid;

	snprintf(text, sizeof(text), "%d", code);
	pid = vfork();
	if (pid == 0) {
		execve("/proc/self/exe", args, env);
		_exit(127);
	}
	MUST(pid > 0);
	MUST(wait_status(pid) == code << 8);
}

static void *start_programs(void *arg)
{
	for (long i = 0; i < n; i++)
		start_one((int)(i & 127));
	return arg;
}

static void run(int i)
{
	(void)i;
	in_threads(THREADS, start_programs, 0);
}

int main(int argc, char **argv)
{
	double start = seconds();

	if (argc == 3 && strcmp(argv[1], "exit") == 0)
		return atoi(argv[2]);
	n = rounds(argc, argv, 800);
	in_processes(PROCESSES, run);
	printf("ok: %ld programs in %.2f s\n", n * PROCESSES * THREADS,
	       seconds() - start);
	return 0;
}
