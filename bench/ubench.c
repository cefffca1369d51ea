/* SPDX-License-Identifier: MIT */
/* ubench.c - how long one of a few basic operations takes.
 *
 *   ubench             names the cases
 *   ubench NAME [MS]   prints nanoseconds per operation, measured for about MS
 * milliseconds
 *
 * A hosted program that runs natively and inside alike; bench/run compares. The cases are
 * in cases_*.c. */
#include "ubench.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define DEFAULT_MS 300
#define MAX_MS	   60000

static const struct bench_case *const tables[] = {
	call_cases,   seccomp_cases, file_cases, event_cases, ipc_cases,  queue_cases,
	memory_cases, signal_cases,  task_cases, time_cases,  tree_cases, net_cases,
};

void die(const char *what)
{
	perror(what);
	exit(1);
}

void reap(pid_t pid, const char *what)
{
	int status;

	if (waitpid(pid, &status, 0) != pid)
		die(what);
	if (status) {
		fprintf(stderr, "%s: the child ended with status %#x\n", what,
			(unsigned)status);
		exit(1);
	}
}

void reap_killed(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid || !WIFSIGNALED(status))
		die("the other side");
}

int open_or_die(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0666);

	if (fd < 0)
		die(path);
	return fd;
}

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ULL + (uint64_t)ts.tv_nsec;
}

static uint64_t time_of(const struct bench_case *c, uint64_t n)
{
	uint64_t start = now();

	c->run(n);
	return now() - start;
}

/* How many operations to try next, when n of them took too little time. */
static uint64_t count_grow(uint64_t n, uint64_t taken, uint64_t wanted)
{
	uint64_t grown = taken ? n * wanted / taken : n * 8;

	if (grown > n * 8)
		return n * 8;
	return grown > n ? grown : n + 1;
}

/* The first runs warm caches, patched call sites and whatever adapts itself. They grow,
 * and the first that fills half of the time or more gives the figure: a count learnt from
 * one run that the host happened to interrupt would be too small. */
static double measure(const struct bench_case *c, uint64_t wanted)
{
	uint64_t n = 1;
	uint64_t taken = time_of(c, n);

	for (;;) {
		n = taken < wanted ? count_grow(n, taken, wanted) : n;
		taken = time_of(c, n);
		if (taken >= wanted / 2)
			return (double)taken / (double)n;
	}
}

static const struct bench_case *find_case(const char *name)
{
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		for (const struct bench_case *c = tables[i]; c->name; c++)
			if (strcmp(c->name, name) == 0)
				return c;
	return NULL;
}

static void print_cases(void)
{
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		for (const struct bench_case *c = tables[i]; c->name; c++)
			puts(c->name);
}

int main(int argc, char **argv)
{
	const struct bench_case *c;
	long ms = argc > 2 ? atol(argv[2]) : DEFAULT_MS;

	if (argc < 2) {
		print_cases();
		return 0;
	}
	c = find_case(argv[1]);
	if (!c || ms < 1 || ms > MAX_MS) {
		fprintf(stderr, "usage: ubench [case [milliseconds]]\n");
		return 2;
	}
	if (c->setup)
		c->setup();
	printf("%.2f\n", measure(c, (uint64_t)ms * 1000000ULL));
	if (c->teardown)
		c->teardown();
	return 0;
}
