/* SPDX-License-Identifier: MIT */
/* cases_call.c - calls that do next to nothing. */
#include "ubench.h"
#include <time.h>
#include <unistd.h>

static void getppid_run(uint64_t n)
{
	while (n--)
		getppid();
}

static void clock_run(uint64_t n)
{
	struct timespec ts;

	while (n--)
		if (clock_gettime(CLOCK_MONOTONIC, &ts))
			die("clock_gettime");
}

const struct bench_case call_cases[] = {
	{.name = "getppid", .run = getppid_run},
	{.name = "clock_gettime", .run = clock_run},
	{.name = NULL},
};
