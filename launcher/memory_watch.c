/* SPDX-License-Identifier: MIT */
/* memory_watch.c - see memory_watch.h.
 *
 * /proc/PID/status is cheap and counts a page that several processes share in each of
 * them, the kernel's own too; /proc/PID/smaps_rollup walks page tables and counts it once
 * in all. So the second is asked only when the first says that there is too much. */
#include "memory_watch.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "launch.h"
#include "message.h"
#include "segment.h"

enum {
	LOOKS_MAX_NS = 500000000,
	LOOKS_MIN_NS = 5000000,
	TOUCHED_PER_NS = 4, /* bytes: as fast as programs get new memory from the host */
	KILLS_WITHOUT_END = 400, /* looks, two seconds: how long the kernel may take */
};

struct process_memory {
	int inner_pid; /* in the sandbox's pid namespace */
	uint64_t bytes;
	uint64_t tables; /* of bytes: page tables, which need no page to be there */
};

/* The value of "name: 12 kB", or of the line's last number. */
static bool field(const char *line, const char *name, uint64_t *value)
{
	size_t length = strlen(name);

	if (strncmp(line, name, length) != 0 || line[length] != ':')
		return false;
	*value = strtoull(line + length + 1, NULL, 10);
	return true;
}

static FILE *open_of(pid_t pid, const char *name)
{
	char path[64];

	(void)snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
	return fopen(path, "re");
}

static bool quick_look(pid_t pid, struct process_memory *m)
{
	char line[256];
	FILE *f = open_of(pid, "status");
	uint64_t kb;

	if (!f)
		return false;
	*m = (struct process_memory){.inner_pid = pid};
	while (fgets(line, sizeof line, f)) {
		if (field(line, "RssAnon", &kb) || field(line, "RssShmem", &kb) ||
		    field(line, "VmSwap", &kb))
			m->bytes += kb << 10;
		else if (field(line, "VmPTE", &kb))
			m->tables = kb << 10;
		else if (strncmp(line, "NSpid:", 6) == 0)
			m->inner_pid = atoi(strrchr(line, '\t') + 1);
	}
	(void)fclose(f);
	m->bytes += m->tables;
	return true;
}

/* Each page's share of this process; what quick_look() found stays if the host does not
 * tell. */
static void exact_look(pid_t pid, struct process_memory *m)
{
	char line[256];
	FILE *f = open_of(pid, "smaps_rollup");
	uint64_t total = 0;
	uint64_t kb;

	if (!f)
		return;
	while (fgets(line, sizeof line, f)) {
		if (field(line, "Pss_Anon", &kb) || field(line, "Pss_Shmem", &kb) ||
		    field(line, "SwapPss", &kb))
			total += kb << 10;
	}
	(void)fclose(f);
	if (total)
		m->bytes = total + m->tables;
}

/* Keeps the largest. */
static void note(struct process_memory *all, size_t *count,
		 const struct process_memory *m)
{
	size_t least = 0;

	if (*count < BOOT_MEMORY_USERS) {
		all[(*count)++] = *m;
		return;
	}
	for (size_t i = 1; i < *count; i++)
		if (all[i].bytes < all[least].bytes)
			least = i;
	if (all[least].bytes < m->bytes)
		all[least] = *m;
}

/* Looks at all host processes; m gets those that have most. */
static uint64_t add_up(pid_t monitor, struct process_memory *m, size_t *count,
		       bool exactly)
{
	char path[64];
	uint64_t total = 0;
	int pid;
	FILE *f;

	*count = 0;
	(void)snprintf(path, sizeof path, "/proc/%d/task/%d/children", monitor, monitor);
	f = fopen(path, "re");
	if (!f)
		return 0;
	while (fscanf(f, "%d", &pid) == 1) {
		struct process_memory one;

		if (!quick_look(pid, &one))
			continue;
		if (exactly)
			exact_look(pid, &one);
		total += one.bytes;
		note(m, count, &one);
	}
	(void)fclose(f);
	return total;
}

/* The kernel takes the list when it sees the count, and puts it back to 0 then. */
static void tell_kernel(pid_t monitor, const struct process_memory *m, size_t count)
{
	struct boot_params *p = boot_params();

	if (__atomic_load_n(&p->memory_user_count, __ATOMIC_ACQUIRE))
		return;
	for (size_t i = 0; i < count; i++) {
		p->memory_users[i].host_pid = m[i].inner_pid;
		p->memory_users[i].bytes = m[i].bytes;
	}
	__atomic_store_n(&p->memory_user_count, (uint32_t)count, __ATOMIC_RELEASE);
	(void)kill(monitor, SIGURG);
}

int64_t memory_watch(pid_t monitor, uint64_t limit)
{
	static struct process_memory m[BOOT_MEMORY_USERS];
	static unsigned int times_over;
	size_t count;
	uint64_t total = add_up(monitor, m, &count, false);

	if (total > limit)
		total = add_up(monitor, m, &count, true);
	if (total <= limit) {
		uint64_t wait = (limit - total) / TOUCHED_PER_NS;

		times_over = 0;
		if (wait > LOOKS_MAX_NS)
			return LOOKS_MAX_NS;
		return wait < LOOKS_MIN_NS ? LOOKS_MIN_NS : (int64_t)wait;
	}
	if (++times_over > KILLS_WITHOUT_END) {
		warn("the sandbox has more memory than --memory allows and does not give "
		     "it back: it is ended");
		(void)kill(monitor, SIGKILL);
		return -1;
	}
	tell_kernel(monitor, m, count);
	return LOOKS_MIN_NS;
}
