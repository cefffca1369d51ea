/* SPDX-License-Identifier: MIT */
/* calls: getrusage mmap mremap munmap madvise brk fork */
/* proc_peak.c - how much a process has and had at most: VmPeak, VmHWM, VmRSS and its
 * parts in /proc/PID/status, clear_refs, ru_maxrss. */
#include "fixture.h"

#include <sys/resource.h>

#define MIB (1UL << 20)
#define RW  (PROT_READ | PROT_WRITE)

/* Counts are a little late on Linux, who reads them has pages as well, and so have those
 * of the libraries that are touched after the peak: half a MiB natively. */
enum { SLACK = 2048 };

static long kb(const char *pid, const char *name)
{
	char path[64], line[256], want[32];
	long value = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%s/status", pid);
	snprintf(want, sizeof(want), "%s: %%ld kB", name);
	f = fopen(path, "r");
	CHECK(f);
	while (value < 0 && fgets(line, sizeof(line), f))
		(void)sscanf(line, want, &value);
	fclose(f);
	CHECK(value >= 0);
	return value;
}

static long own(const char *name)
{
	return kb("self", name);
}

static bool is_about(long value, long want)
{
	return value >= want - SLACK && value <= want + SLACK;
}

static char *room(size_t size)
{
	char *p = mmap(NULL, size, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(p != MAP_FAILED);
	(void)madvise(p, size, MADV_NOHUGEPAGE);
	return p;
}

static void put(const char *name, const char *text)
{
	int fd = open(name, O_WRONLY);

	CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	CHECK(close(fd) == 0);
}

static void fully_used_memory_counts(void)
{
	long rss = own("VmRSS"), anon = own("RssAnon");
	char *p = room(32 * MIB);

	CHECK(is_about(own("VmRSS"), rss));
	memset(p, 1, 32 * MIB);
	CHECK(is_about(own("VmRSS"), rss + 32 * 1024));
	CHECK(is_about(own("RssAnon"), anon + 32 * 1024));
	CHECK(is_about(own("VmHWM"), rss + 32 * 1024));
	CHECK(own("VmHWM") >= own("VmRSS"));
	CHECK(own("VmRSS") == own("RssAnon") + own("RssFile") + own("RssShmem"));
	CHECK(munmap(p, 32 * MIB) == 0 && is_about(own("VmRSS"), rss));
	CHECK(is_about(own("VmHWM"), rss + 32 * 1024));
}

/* The zero page is nobody's. */
static void what_is_only_read_does_not_count(void)
{
	char *p = room(16 * MIB);
	long rss = own("VmRSS");

	for (size_t i = 0; i < 16 * MIB; i += PAGE)
		(void)*(volatile char *)(p + i);
	CHECK(is_about(own("VmRSS"), rss));
	CHECK(munmap(p, 16 * MIB) == 0);
}

static void the_peak_starts_anew(void)
{
	char *p = room(48 * MIB);
	struct rusage u;
	long rss;

	memset(p, 1, 48 * MIB);
	CHECK(madvise(p, 48 * MIB, MADV_DONTNEED) == 0);
	rss = own("VmRSS");
	CHECK(own("VmHWM") >= rss + 47 * 1024);
	put("/proc/self/clear_refs", "1");
	put("/proc/self/clear_refs", "4\n");
	CHECK(own("VmHWM") >= rss + 47 * 1024);
	put("/proc/self/clear_refs", "5");
	CHECK(is_about(own("VmHWM"), rss));
	CHECK(getrusage(RUSAGE_SELF, &u) == 0 && u.ru_maxrss >= own("VmHWM") - SLACK);
	memset(p, 1, 8 * MIB);
	CHECK(madvise(p, 48 * MIB, MADV_DONTNEED) == 0);
	CHECK(is_about(own("VmHWM"), rss + 8 * 1024)); /* nobody looked meanwhile */
	CHECK(munmap(p, 48 * MIB) == 0);
}

static void child_has_a_peak(void)
{
	long rss = own("VmRSS");
	struct rusage u;
	char *p = room(24 * MIB);

	CHECK(own("VmHWM") <= rss + 2 * SLACK); /* not the parent's */
	memset(p, 1, 24 * MIB);
	CHECK(munmap(p, 24 * MIB) == 0);
	CHECK(is_about(own("VmHWM"), rss + 24 * 1024));
	CHECK(getrusage(RUSAGE_SELF, &u) == 0);
	CHECK(is_about(u.ru_maxrss, own("VmHWM")));
}

static void a_child_has_its_own(void)
{
	char *p = room(64 * MIB);

	memset(p, 1, 64 * MIB);
	CHECK(munmap(p, 64 * MIB) == 0);
	CHECK(child_wait(child_start(child_has_a_peak)) == 0);
}

/* VmSize and VmPeak are exact. */
static void all_growth_counts(void)
{
	long size, peak;
	char *p, *q;

	p = room(512 * MIB);
	CHECK(munmap(p, 512 * MIB) == 0);
	size = own("VmSize");
	peak = own("VmPeak");
	CHECK(peak >= size + 512 * 1024);
	p = room(1024 * MIB);
	CHECK(own("VmSize") == size + 1024 * 1024);
	CHECK(own("VmPeak") == size + 1024 * 1024);
	p = mremap(p, 1024 * MIB, 1536 * MIB, MREMAP_MAYMOVE);
	CHECK(p != MAP_FAILED && own("VmPeak") == size + 1536 * 1024);
	q = mremap(p, MIB, MIB, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL);
	CHECK(q != MAP_FAILED && own("VmPeak") == size + 1537 * 1024);
	CHECK(munmap(q, MIB) == 0 && munmap(p, 1536 * MIB) == 0);
	CHECK(own("VmSize") == size && own("VmPeak") == size + 1537 * 1024);
	put("/proc/self/clear_refs", "5"); /* of resident memory alone */
	CHECK(own("VmPeak") == size + 1537 * 1024);
}

static void brk_counts(void)
{
	long data = own("VmData"), size = own("VmSize");
	char *end = sbrk(0);

	CHECK(sbrk(64 * MIB) == end);
	CHECK(own("VmData") == data + 64 * 1024 && own("VmSize") == size + 64 * 1024);
	CHECK(brk(end) == 0 && own("VmData") == data && own("VmSize") == size);
}

/* What is shared or cannot be written to is no data. */
static void protection_makes_data(void)
{
	long data = own("VmData");
	char *p = mmap(NULL, 4 * MIB, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *q = mmap(NULL, 4 * MIB, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	CHECK(p != MAP_FAILED && q != MAP_FAILED && own("VmData") == data);
	CHECK(mprotect(p, MIB, RW) == 0 && own("VmData") == data + 1024);
	CHECK(mprotect(p, MIB, PROT_READ) == 0 && own("VmData") == data);
	CHECK(munmap(p, 4 * MIB) == 0 && munmap(q, 4 * MIB) == 0);
}

static int to_child[2], to_parent[2];

static void child_waits(void)
{
	char *p = room(20 * MIB), c;

	memset(p, 1, 20 * MIB);
	CHECK(munmap(p, 10 * MIB) == 0);
	CHECK(write(to_parent[1], "", 1) == 1 && read(to_child[0], &c, 1) == 1);
	CHECK(write(to_parent[1], "", 1) == 1 && read(to_child[0], &c, 1) == 1);
}

static void others_are_seen_the_same(void)
{
	char pid_name[16], path[64], c;
	long rss;
	pid_t pid;

	CHECK(pipe(to_child) == 0 && pipe(to_parent) == 0);
	pid = child_start(child_waits);
	CHECK(read(to_parent[0], &c, 1) == 1);
	snprintf(pid_name, sizeof(pid_name), "%d", pid);
	rss = kb(pid_name, "VmRSS");
	CHECK(rss >= 10 * 1024 && is_about(kb(pid_name, "VmHWM"), rss + 10 * 1024));
	snprintf(path, sizeof(path), "/proc/%d/clear_refs", pid);
	put(path, "5");
	CHECK(is_about(kb(pid_name, "VmHWM"), rss));
	/* A stopped one, too. */
	CHECK(kill(pid, SIGSTOP) == 0 && waitpid(pid, NULL, WUNTRACED) == pid);
	sleep_ms(120);
	CHECK(is_about(kb(pid_name, "VmRSS"), rss));
	CHECK(kill(pid, SIGCONT) == 0 && write(to_child[1], "xx", 2) == 2);
	CHECK(child_wait(pid) == 0);
}

static void child_is_exempt(void)
{
	char *p = room(64 * MIB);
	int fd = open("/proc/self/oom_score_adj", O_WRONLY);

	memset(p, 1, 64 * MIB);
	put("/proc/self/oom_score_adj", "1000");
	CHECK(atoi(file_get("/proc/self/oom_score")) >= 1333);
	put("/proc/self/oom_score_adj", "0");
	CHECK(atoi(file_get("/proc/self/oom_score")) >= 666);
	if (write(fd, "-1000", 5) != 5)
		CHECK(errno == EACCES); /* not for everybody */
	else
		CHECK(atoi(file_get("/proc/self/oom_score")) == 0);
}

static void who_may_not_be_chosen_has_no_score(void)
{
	CHECK(child_wait(child_start(child_is_exempt)) == 0);
}

RUN(TEST(fully_used_memory_counts), TEST(what_is_only_read_does_not_count),
    TEST(the_peak_starts_anew), TEST(a_child_has_its_own), TEST(all_growth_counts),
    TEST(brk_counts), TEST(protection_makes_data), TEST(others_are_seen_the_same),
    TEST(who_may_not_be_chosen_has_no_score))
