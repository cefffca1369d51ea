/* SPDX-License-Identifier: MIT */
/* alone */
/* calls: mmap mprotect mremap shmget fork */
/* overcommit.c - how much memory is promised, with vm.overcommit_memory as it is by
 * default: anything but what is obviously too much. */
#include "fixture.h"

#include <sys/ipc.h>
#include <sys/shm.h>

#define RW   (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
#define GB   (1UL << 30)

static unsigned long memory(const char *name)
{
	const char *text = file_get("/proc/meminfo");
	const char *line = strstr(text, name);
	unsigned long kb;

	CHECK(line && sscanf(line + strlen(name), ": %lu kB", &kb) == 1);
	return kb << 10;
}

/* More than there is. */
static size_t too_much(void)
{
	return (memory("MemTotal") + memory("SwapTotal") + 64 * GB) & ~(GB - 1);
}

static bool is_default(void)
{
	return file_is("/proc/sys/vm/overcommit_memory", "0\n");
}

static void more_than_there_is_is_refused(void)
{
	size_t size = too_much();
	char *p;

	if (!is_default())
		return;
	FAILS(ENOMEM, mmap(NULL, size, RW, ANON, -1, 0));
	FAILS(ENOMEM, mmap(NULL, size, PROT_WRITE, ANON, -1, 0));
	FAILS(ENOMEM, mmap(NULL, size, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
	FAILS(ENOMEM, shmget(IPC_PRIVATE, size, 0600));
	p = mmap(NULL, size, RW, ANON | MAP_NORESERVE, -1, 0);
	CHECK(p != MAP_FAILED && (p[size - 1] = 1) && munmap(p, size) == 0);
	p = mmap(NULL, size, RW, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	CHECK(p != MAP_FAILED && munmap(p, size) == 0);
	p = mmap(NULL, size, PROT_READ, ANON, -1, 0);
	CHECK(p != MAP_FAILED);
	FAILS(ENOMEM, mprotect(p, size, RW));
	CHECK(mprotect(p, GB, RW) == 0 && mprotect(p + size / 2, GB, RW) == 0);
	CHECK(munmap(p, size) == 0);
}

static void areas_do_not_grow_to_more_than_there_is(void)
{
	size_t size = too_much();
	char *p = mmap(NULL, PAGE, RW, ANON, -1, 0);

	if (!is_default())
		return;
	FAILS(ENOMEM, mremap(p, PAGE, size, MREMAP_MAYMOVE));
	p[0] = 1;
	CHECK(mprotect(p, PAGE, PROT_READ) == 0); /* it counts still */
	FAILS(ENOMEM, mremap(p, PAGE, size, MREMAP_MAYMOVE));
	CHECK(munmap(p, PAGE) == 0);
	p = mmap(NULL, PAGE, PROT_READ, ANON, -1, 0);
	p = mremap(p, PAGE, size, MREMAP_MAYMOVE);
	CHECK(p != MAP_FAILED && munmap(p, size) == 0);
}

/* All processes' promises change meanwhile: large pieces, and room. */
static bool changed_by(unsigned long before, long gb)
{
	long change = (long)(memory("Committed_AS") - before);

	return change > (gb - 1) * (long)GB && change < (gb + 1) * (long)GB;
}

static void promises_are_counted(void)
{
	unsigned long before = memory("Committed_AS");
	char *p = mmap(NULL, 8 * GB, RW, ANON, -1, 0);
	int status, id;
	pid_t pid;

	CHECK(p != MAP_FAILED && changed_by(before, 8));
	CHECK(mprotect(p, 8 * GB, PROT_NONE) == 0 && changed_by(before, 0));
	CHECK(mprotect(p, 8 * GB, RW) == 0 && changed_by(before, 8));
	p[0] = 1;
	CHECK(mprotect(p, 8 * GB, PROT_NONE) == 0 && changed_by(before, 8));
	CHECK(mprotect(p, 8 * GB, RW) == 0 && changed_by(before, 8));
	CHECK(munmap(p + 4 * GB, 4 * GB) == 0 && changed_by(before, 4));
	CHECK(mmap(p, 4 * GB, RW, ANON | MAP_FIXED, -1, 0) == p && changed_by(before, 4));
	pid = fork();
	if (pid == 0) {
		CHECK(changed_by(before, 8));
		_exit(0);
	}
	CHECK(waitpid(pid, &status, 0) == pid && status == 0 && changed_by(before, 4));
	p = mremap(p, 4 * GB, 8 * GB, MREMAP_MAYMOVE);
	CHECK(p != MAP_FAILED && changed_by(before, 8));
	CHECK(munmap(p, 8 * GB) == 0 && changed_by(before, 0));
	p = mmap(NULL, 8 * GB, RW, ANON | MAP_NORESERVE, -1, 0);
	CHECK(changed_by(before, 0) && munmap(p, 8 * GB) == 0);
	p = mmap(NULL, 8 * GB, PROT_NONE, ANON, -1, 0);
	CHECK(changed_by(before, 0) && mprotect(p, 4 * GB, RW) == 0);
	CHECK(changed_by(before, 4) && munmap(p, 8 * GB) == 0 && changed_by(before, 0));
	p = mmap(NULL, 8 * GB, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(changed_by(before, 8));
	pid = fork();
	if (pid == 0) {
		CHECK(changed_by(before, 8));
		_exit(0);
	}
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	CHECK(munmap(p, 4 * GB) == 0 && changed_by(before, 8));
	CHECK(munmap(p + 4 * GB, 4 * GB) == 0 && changed_by(before, 0));
	id = shmget(IPC_PRIVATE, 8 * GB, 0600);
	CHECK(id >= 0 && changed_by(before, 8));
	CHECK(shmctl(id, IPC_RMID, NULL) == 0 && changed_by(before, 0));
}

static void a_killed_process_gives_back(void)
{
	unsigned long before = memory("Committed_AS");
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		CHECK(mmap(NULL, 8 * GB, RW, ANON, -1, 0) != MAP_FAILED);
		raise(SIGKILL);
	}
	CHECK(waitpid(pid, &status, 0) == pid && WTERMSIG(status) == SIGKILL);
	CHECK(changed_by(before, 0));
}

static void the_limit_follows_the_ratio(void)
{
	unsigned long ratio =
		strtoul(file_get("/proc/sys/vm/overcommit_ratio"), NULL, 10);
	unsigned long kbytes =
		strtoul(file_get("/proc/sys/vm/overcommit_kbytes"), NULL, 10);
	unsigned long limit = memory("CommitLimit");
	unsigned long want = kbytes ? kbytes << 10 : memory("MemTotal") / 100 * ratio;

	want += memory("SwapTotal");
	CHECK(limit > want - (1 << 20) && limit < want + (1 << 20));
}

/* In smaps. */
static bool area_counts(char *p)
{
	FILE *f = fopen("/proc/self/smaps", "r");
	char line[600];
	unsigned long a, b;
	bool here = false, counts = false;

	CHECK(f);
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%lx ", &a, &b) == 2)
			here = (uintptr_t)p >= a && (uintptr_t)p < b;
		if (here && strncmp(line, "VmFlags:", 8) == 0)
			counts = strstr(line, " ac") != NULL;
	}
	fclose(f);
	return counts;
}

static void areas_say_whether_they_count(void)
{
	char *room = mmap(NULL, 64 * PAGE, PROT_NONE, ANON, -1, 0), *p = room + 8 * PAGE;

	CHECK(!area_counts(room) && mprotect(p, PAGE, RW) == 0 && area_counts(p));
	CHECK(mprotect(p, PAGE, PROT_NONE) == 0 && !area_counts(p));
	CHECK(mprotect(p, PAGE, RW) == 0 && area_counts(p) && (p[0] = 1));
	CHECK(mprotect(p, PAGE, PROT_NONE) == 0 && area_counts(p));
	CHECK(!area_counts(p + PAGE));
	CHECK(mmap(p, PAGE, RW, ANON | MAP_FIXED | MAP_NORESERVE, -1, 0) == p);
	CHECK(!area_counts(p) || !is_default());
	CHECK(mprotect(p, PAGE, PROT_READ) == 0 && mprotect(p, PAGE, RW) == 0);
	CHECK(!area_counts(p) || !is_default());
	CHECK(munmap(room, 64 * PAGE) == 0);
}

RUN(TEST(more_than_there_is_is_refused), TEST(areas_do_not_grow_to_more_than_there_is),
    TEST(promises_are_counted), TEST(a_killed_process_gives_back),
    TEST(the_limit_follows_the_ratio), TEST(areas_say_whether_they_count))
