/* SPDX-License-Identifier: MIT */
/* burst.c - nanoseconds per getppid in short bursts with pauses between them, the median
 * burst: what a traced call costs its task while its ring has room. For bench/trace. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum {
	CALLS = 700, /* their records take less than half a ring */
	BURSTS = 61,
};

static double now(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

int main(void)
{
	static double each[BURSTS];

	for (int i = 0; i < BURSTS; i++) {
		double start;

		usleep(30000);
		start = now();
		for (int n = 0; n < CALLS; n++)
			(void)getppid();
		each[i] = (now() - start) / CALLS;
	}
	qsort(each, BURSTS, sizeof each[0], compare);
	return printf("%.1f\n", each[BURSTS / 2]) < 0;
}
