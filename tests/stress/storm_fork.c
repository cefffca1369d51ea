/* SPDX-License-Identifier: MIT */
/* storm_fork.c - several processes fork, end and wait as fast as they can. */
#include "storm.h"

enum { PROCESSES = 8 };

static void one_round(long round)
{
	pid_t pid[3];

	for (int i = 0; i < 3; i++) {
		pid[i] = fork();
		MUST(pid[i] >= 0);
		if (pid[i] == 0)
			_exit((int)((round + i) & 127));
	}
	for (int i = 2; i >= 0; i--)
		MUST(wait_status(pid[i]) == (int)((round + i) & 127) << 8);
	MUST(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD);
}

static long n;

static void run(int i)
{
	(void)i;
	for (long r = 0; r < n; r++)
		one_round(r);
}

int main(int argc, char **argv)
{
	double start = seconds();

	n = rounds(argc, argv, 1000);
	in_processes(PROCESSES, run);
	printf("ok: %ld forks in %.2f s\n", n * 3 * PROCESSES, seconds() - start);
	return 0;
}
