/* SPDX-License-Identifier: MIT */
/* descriptors.c - see descriptors.h.
 *
 * Who helps the sandbox from outside holds nothing that is not his work: others wait for
 * the last copy of a socket or pipe to be closed. */
#include "descriptors.h"

#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static int compare(const void *a, const void *b)
{
	int left = *(const int *)a, right = *(const int *)b;

	return (left > right) - (left < right);
}

/* Those from first to last. */
static void close_range_of(int first, int last)
{
	if (first <= last)
		(void)syscall(SYS_close_range, first, last, 0);
}

void descriptors_keep(int *kept, size_t count)
{
	int next = STDERR_FILENO + 1;

	close_range_of(STDIN_FILENO, STDOUT_FILENO);
	qsort(kept, count, sizeof *kept, compare);
	for (size_t i = 0; i < count; i++) {
		if (kept[i] < next)
			continue;
		close_range_of(next, kept[i] - 1);
		next = kept[i] + 1;
	}
	(void)syscall(SYS_close_range, next, ~0U, 0);
}
