/* SPDX-License-Identifier: MIT */
/* cgroup.c - the limits of the caller's control group (cgroups(7)): programs inside are
 * told of them, so that they choose their sizes by what they will get. */
#include "cgroup.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATH_SIZE = 4096 }; /* buffers are static: there is one thread */
#define ROOT	    "/sys/fs/cgroup"
#define MEMORY_NONE (UINT64_MAX >> 2) /* version 1 says a huge number for "none" */

/* The numbers in a small file; "max" is 0. How many there are. */
static int numbers_read(const char *dir, const char *name, uint64_t out[2])
{
	static char path[PATH_SIZE];
	char line[64] = "";
	FILE *f;
	int count = 0;

	if (snprintf(path, sizeof path, "%s/%s", dir, name) >= (int)sizeof path)
		return 0;
	f = fopen(path, "re");
	if (!f)
		return 0;
	if (!fgets(line, sizeof line, f))
		line[0] = '\0';
	(void)fclose(f);
	for (char *at = line, *save, *word; count < 2; at = NULL) {
		word = strtok_r(at, " \n", &save);
		if (!word)
			break;
		/* -1 is version 1's "no quota". */
		out[count++] =
			word[0] == 'm' || word[0] == '-' ? 0 : strtoull(word, NULL, 10);
	}
	return count;
}

static void lower(uint64_t *limit, uint64_t value)
{
	if (value && (!*limit || value < *limit))
		*limit = value;
}

static void lower_cpu(struct group_limits *l, uint64_t quota, uint64_t period)
{
	if (!quota || !period)
		return;
	/* quota / period, the smaller share wins */
	if (!l->cpu_quota || (double)quota / (double)period <
				     (double)l->cpu_quota / (double)l->cpu_period) {
		l->cpu_quota = quota;
		l->cpu_period = period;
	}
}

/* One group's files, of either version: those of the other are not there. */
static void group_read(struct group_limits *l, const char *dir)
{
	uint64_t n[2] = {0, 0};
	uint64_t period[2] = {0, 0};

	if (numbers_read(dir, "memory.max", n) == 1 ||
	    numbers_read(dir, "memory.limit_in_bytes", n) == 1)
		lower(&l->memory, n[0] < MEMORY_NONE ? n[0] : 0);
	if (numbers_read(dir, "pids.max", n) == 1)
		lower(&l->pids, n[0]);
	if (numbers_read(dir, "cpu.max", n) == 2)
		lower_cpu(l, n[0], n[1]);
	if (numbers_read(dir, "cpu.cfs_quota_us", n) == 1 &&
	    numbers_read(dir, "cpu.cfs_period_us", period) == 1)
		lower_cpu(l, n[0], period[0]);
}

/* dir and all above it, down to base's length. */
static void groups_read(struct group_limits *l, char *dir, size_t base)
{
	for (;;) {
		char *slash;

		group_read(l, dir);
		slash = strrchr(dir, '/');
		if (!slash || (size_t)(slash - dir) < base)
			return;
		*slash = '\0';
	}
}

static bool is_wanted(const char *controllers)
{
	static const char *const wanted[] = {"memory", "cpu", "pids"};

	if (!*controllers)
		return true; /* version 2 */
	for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
		const char *at = strstr(controllers, wanted[i]);
		size_t len = strlen(wanted[i]);

		if (at && (at == controllers || at[-1] == ',') &&
		    (at[len] == '\0' || at[len] == ','))
			return true;
	}
	return false;
}

/* A line of /proc/self/cgroup: "ID:CONTROLLERS:PATH". */
static void line_read(struct group_limits *l, char *line)
{
	char *controllers = strchr(line, ':');
	char *path = controllers ? strchr(controllers + 1, ':') : NULL;
	const char *base = ROOT;
	static char below[PATH_SIZE];
	static char dir[2 * PATH_SIZE];

	if (!path)
		return;
	*path++ = '\0';
	controllers++;
	path[strcspn(path, "\n")] = '\0';
	if (!is_wanted(controllers))
		return;
	if (*controllers)
		(void)snprintf(below, sizeof below, "%s/%s", ROOT, controllers);
	else
		(void)snprintf(below, sizeof below, "%s/unified", ROOT);
	if (access(below, F_OK) == 0)
		base = below;
	else if (*controllers)
		return;
	(void)snprintf(dir, sizeof dir, "%s%s", base, strcmp(path, "/") == 0 ? "" : path);
	groups_read(l, dir, strlen(base));
}

void group_limits_get(struct group_limits *out)
{
	FILE *f = fopen("/proc/self/cgroup", "re");
	static char line[PATH_SIZE + 64];

	*out = (struct group_limits){0};
	if (!f)
		return;
	while (fgets(line, sizeof line, f))
		line_read(out, line);
	(void)fclose(f);
}
