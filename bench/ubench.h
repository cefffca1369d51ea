/* SPDX-License-Identifier: MIT */
/* ubench.h - what a case of ubench is, and what the files of cases share.
 *
 * A case is set up once, then its run(n) does the operation n times, for several n: first
 * to warm up and to learn how long one takes, then for the figure. Only run() is timed.
 * Any failure ends the program through die(): a figure of an operation that failed would
 * be worth nothing. */
#ifndef BENCH_UBENCH_H
#define BENCH_UBENCH_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct bench_case {
	const char *name; /* NULL ends a table */
	void (*run)(uint64_t n);
	void (*setup)(void);	/* or NULL */
	void (*teardown)(void); /* or NULL; ends the processes that setup() made */
};

extern const struct bench_case call_cases[];
extern const struct bench_case seccomp_cases[];
extern const struct bench_case file_cases[];
extern const struct bench_case event_cases[];
extern const struct bench_case ipc_cases[];
extern const struct bench_case net_cases[];
extern const struct bench_case queue_cases[];
extern const struct bench_case memory_cases[];
extern const struct bench_case signal_cases[];
extern const struct bench_case task_cases[];
extern const struct bench_case time_cases[];
extern const struct bench_case tree_cases[];

/* Says what failed, with errno, and exits with 1. */
_Noreturn void die(const char *what);

/* Waits for a child that has to exit with 0, else die(). */
void reap(pid_t pid, const char *what);

/* Waits for a child that SIGKILL ends, else die(). */
void reap_killed(pid_t pid);

/* Private anonymous memory of this size, or die(). */
void *map_or_die(size_t size);

/* Writes a byte to each page. */
void touch(void *mem, size_t size);

/* open(), made with mode 0666, or die(). */
int open_or_die(const char *path, int flags);

#endif
