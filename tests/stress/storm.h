/* SPDX-License-Identifier: MIT */
/*
 * storm.h - what the stress programs share. Each takes the number of rounds as its first
 * argument, prints one line at the end, and exits 0 unless something was lost or wrong.
 */
#pragma once
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MUST(cond)                                                                       \
	do {                                                                             \
		if (!(cond)) {                                                           \
			fprintf(stderr, "not ok: %s:%d: %s (errno %d %s)\n", __FILE__,   \
				__LINE__, #cond, errno, strerror(errno));                \
			_exit(1);                                                        \
		}                                                                        \
	} while (0)

static inline long rounds(int argc, char **argv, long otherwise)
{
	long n = argc > 1 ? atol(argv[1]) : otherwise;

	MUST(n > 0);
	return n;
}

static inline double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static inline int wait_status(pid_t pid)
{
	int status = -1;
	pid_t got;

	do
		got = waitpid(pid, &status, 0);
	while (got == -1 && errno == EINTR);
	MUST(got == pid);
	return status;
}

static inline void *share(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		       0);

	MUST(p != MAP_FAILED);
	return p;
}

enum { CROWD_MAX = 16 };

/* Runs fn in so many processes at once, each of which must end with status 0. */
static inline void in_processes(int count, void (*fn)(int i))
{
	pid_t pid[CROWD_MAX];

	MUST(count <= CROWD_MAX);
	for (int i = 0; i < count; i++) {
		pid[i] = fork();
		MUST(pid[i] >= 0);
		if (pid[i] == 0) {
			fn(i);
			_exit(0);
		}
	}
	for (int i = 0; i < count; i++)
		MUST(wait_status(pid[i]) == 0);
}

/* Runs fn in so many threads at once: with base, base + 1 and so on. */
static inline void in_threads(int count, void *(*fn)(void *), long base)
{
	pthread_t t[CROWD_MAX];

	MUST(count <= CROWD_MAX);
	for (int i = 0; i < count; i++)
		MUST(pthread_create(&t[i], NULL, fn, (void *)(base + i)) == 0);
	for (int i = 0; i < count; i++)
		MUST(pthread_join(t[i], NULL) == 0);
}
