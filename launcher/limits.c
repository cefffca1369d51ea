/* SPDX-License-Identifier: MIT */
/* limits.c - the resource limits of the host processes. The kernel inside enforces the
 * guest's own; a host limit on one host process would mean something else: the segment
 * counts as address space, a memfd as a file, all processes share one descriptor table.
 */
#include "limits.h"

#include <stddef.h>
#include <sys/resource.h>

/* glibc has a type of its own for them. */
#ifdef __GLIBC__
typedef __rlimit_resource_t resource_t;
#else
typedef int resource_t;
#endif

static const int raised[] = {
	RLIMIT_AS,	RLIMIT_CPU,   RLIMIT_DATA,   RLIMIT_FSIZE,
	RLIMIT_MEMLOCK, RLIMIT_NPROC, RLIMIT_NOFILE, RLIMIT_SIGPENDING,
};

/* For all processes of a sandbox together; what a host allows at most by default. */
enum { DESCRIPTORS_WANTED = 1 << 20 };

void limits_read(struct limits *out)
{
	for (int i = 0; i < LIMIT_COUNT; i++) {
		struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};

		if (getrlimit((resource_t)i, &limit) < 0)
			limit = (struct rlimit){RLIM_INFINITY, RLIM_INFINITY};
		out->of[i][0] = limit.rlim_cur;
		out->of[i][1] = limit.rlim_max;
	}
}

static void set(int resource, uint64_t soft, uint64_t hard)
{
	struct rlimit limit = {soft, hard};

	/* A limit that cannot be raised is met later, with its own message. */
	(void)setrlimit((resource_t)resource, &limit);
}

void limits_raise(const struct limits *l)
{
	for (size_t i = 0; i < sizeof raised / sizeof raised[0]; i++) {
		const uint64_t *limit = l->of[raised[i]];

		if (limit[0] != limit[1])
			set(raised[i], limit[1], limit[1]);
	}
	if (l->of[RLIMIT_CORE][0] != 0)
		set(RLIMIT_CORE, 0, l->of[RLIMIT_CORE][1]);
	/* Root may have more than its own hard limit. */
	if (l->of[RLIMIT_NOFILE][1] < DESCRIPTORS_WANTED)
		set(RLIMIT_NOFILE, DESCRIPTORS_WANTED, DESCRIPTORS_WANTED);
}

uint64_t limits_descriptors(void)
{
	struct rlimit limit;

	return getrlimit(RLIMIT_NOFILE, &limit) < 0 ? 0 : limit.rlim_cur;
}

void limits_restore(const struct limits *l)
{
	for (int i = 0; i < LIMIT_COUNT; i++)
		set(i, l->of[i][0], l->of[i][1]);
}
