/* SPDX-License-Identifier: MIT */
/* calls: read mmap fork */
/* proc_smaps.c - /proc/PID/smaps: who shares what. Pages that only this process maps are
 * private, whatever the mapping is called; of the others each process has its part. */
#include "fixture.h"

#define PAGES 64UL
#define KB    (PAGES * 4)
#define RW    (PROT_READ | PROT_WRITE)

struct sizes {
	unsigned long rss, pss, pss_dirty, shared, private, anon;
};

/* Of the area that holds p; or of the whole, from smaps_rollup. */
static struct sizes sizes_of(const void *p)
{
	FILE *f = fopen(p ? "/proc/self/smaps" : "/proc/self/smaps_rollup", "r");
	struct sizes s = {0};
	char line[600], name[40];
	unsigned long a, b;
	bool here = false;

	CHECK(f);
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%lx ", &a, &b) == 2)
			here = !p || ((uintptr_t)p >= a && (uintptr_t)p < b);
		if (!here || sscanf(line, "%39[^:]: %lu kB", name, &a) != 2)
			continue;
		if (strcmp(name, "Rss") == 0)
			s.rss += a;
		else if (strcmp(name, "Pss") == 0)
			s.pss += a;
		else if (strcmp(name, "Pss_Dirty") == 0)
			s.pss_dirty += a;
		else if (strncmp(name, "Shared_", 7) == 0 && name[7] != 'H')
			s.shared += a;
		else if (strncmp(name, "Private_", 8) == 0 && name[8] != 'H')
			s.private += a;
		else if (strcmp(name, "Anonymous") == 0)
			s.anon += a;
	}
	fclose(f);
	return s;
}

static void touch(volatile char *p, size_t pages)
{
	for (size_t i = 0; i < pages; i++)
		p[i * PAGE] = 1;
}

static char *shared_area(void)
{
	char *p = mmap(NULL, PAGES * PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	CHECK(p != MAP_FAILED);
	touch(p, PAGES);
	return p;
}

static int ready[2], hold[2];

/* A child that touches all or half of p and stays until the pipe is closed. */
static pid_t sharer(char *p, bool half)
{
	pid_t pid = fork();
	char c;

	CHECK(pid >= 0);
	if (pid == 0) {
		CHECK(close(hold[1]) == 0);
		if (half)
			CHECK(munmap(p + PAGES / 2 * PAGE, PAGES / 2 * PAGE) == 0);
		touch(p, half ? PAGES / 2 : PAGES);
		CHECK(write(ready[1], "", 1) == 1);
		CHECK(read(hold[0], &c, 1) == 0);
		_exit(0);
	}
	CHECK(read(ready[0], &c, 1) == 1);
	return pid;
}

static void sharers_start(void)
{
	CHECK(pipe(ready) == 0 && pipe(hold) == 0);
}

static void sharers_end(int n)
{
	int status;

	CHECK(close(hold[1]) == 0);
	while (n--)
		CHECK(wait(&status) > 0 && status == 0);
	CHECK(close(hold[0]) == 0 && close(ready[0]) == 0 && close(ready[1]) == 0);
}

static void a_shared_mapping_of_one_process_is_private(void)
{
	char *p = shared_area();
	struct sizes s = sizes_of(p);

	CHECK(s.rss == KB && s.pss == KB && s.pss_dirty == KB);
	CHECK(s.shared == 0 && s.private == KB && s.anon == 0);
	CHECK(munmap(p, PAGES * PAGE) == 0);
}

static void each_process_has_its_part(void)
{
	char *p = shared_area();
	struct sizes s;

	sharers_start();
	sharer(p, false);
	s = sizes_of(p);
	CHECK(s.rss == KB && s.pss == KB / 2 && s.shared == KB && s.private == 0);
	sharer(p, false);
	sharer(p, false);
	s = sizes_of(p);
	CHECK(s.rss == KB && s.pss == KB / 4 && s.pss_dirty == KB / 4 && s.shared == KB);
	sharers_end(3);
	s = sizes_of(p);
	CHECK(s.pss == KB && s.shared == 0 && s.private == KB);
	CHECK(munmap(p, PAGES * PAGE) == 0);
}

static void a_part_may_be_shared(void)
{
	char *p = shared_area();
	struct sizes s;

	sharers_start();
	sharer(p, true);
	s = sizes_of(p);
	CHECK(s.rss == KB && s.shared == KB / 2 && s.private == KB / 2);
	CHECK(s.pss == KB / 2 + KB / 4);
	sharers_end(1);
	CHECK(munmap(p, PAGES * PAGE) == 0);
}

static void two_mappings_of_one_process_share(void)
{
	int fd = (int)syscall(SYS_memfd_create, "m", 0);
	char *p, *q;
	struct sizes s;

	CHECK(fd >= 0 && ftruncate(fd, PAGES * PAGE) == 0);
	p = mmap(NULL, PAGES * PAGE, RW, MAP_SHARED, fd, 0);
	touch(p, PAGES);
	CHECK(sizes_of(p).pss == KB && sizes_of(p).private == KB);
	q = mmap(NULL, PAGES / 2 * PAGE, RW, MAP_SHARED, fd, PAGES / 2 * PAGE);
	touch(q, PAGES / 2);
	s = sizes_of(p);
	CHECK(s.pss == KB / 2 + KB / 4 && s.shared == KB / 2);
	s = sizes_of(q);
	CHECK(s.rss == KB / 2 && s.pss == KB / 4 && s.shared == KB / 2);
	CHECK(munmap(p, PAGES * PAGE) == 0 && munmap(q, PAGES / 2 * PAGE) == 0);
	CHECK(close(fd) == 0);
}

static void private_pages_are_private(void)
{
	char *room = mmap(NULL, (PAGES + 2) * PAGE, PROT_NONE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *p = room + PAGE; /* no neighbour to join */
	struct sizes s;

	CHECK(mprotect(p, PAGES * PAGE, RW) == 0);
	touch(p, PAGES);
	s = sizes_of(p);
	CHECK(s.rss == KB && s.pss == KB && s.private == KB && s.anon == KB);
	CHECK(munmap(room, (PAGES + 2) * PAGE) == 0);
}

/* A private area that a fork leaves shared, which its child writes to a quarter of. */
static pid_t forker(char *p)
{
	pid_t pid = fork();
	char c;

	CHECK(pid >= 0);
	if (pid == 0) {
		CHECK(close(hold[1]) == 0);
		touch(p, PAGES / 4);
		CHECK(write(ready[1], "", 1) == 1);
		CHECK(read(hold[0], &c, 1) == 0);
		_exit(0);
	}
	CHECK(read(ready[0], &c, 1) == 1);
	return pid;
}

static void pages_of_a_fork_are_shared_until_written_to(void)
{
	char *room = mmap(NULL, (PAGES + 2) * PAGE, PROT_NONE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *p = room + PAGE;
	struct sizes s;

	CHECK(mprotect(p, PAGES * PAGE, RW) == 0);
	touch(p, PAGES);
	sharers_start();
	forker(p);
	s = sizes_of(p);
	CHECK(s.rss == KB && s.anon == KB && s.shared == KB * 3 / 4);
	CHECK(s.private == KB / 4 && s.pss == KB / 4 + KB * 3 / 8);
	forker(p);
	s = sizes_of(p);
	CHECK(s.shared == KB * 3 / 4 && s.private == KB / 4);
	CHECK(s.pss >= KB / 2 - 1 && s.pss <= KB / 2 && s.pss_dirty == s.pss);
	sharers_end(2);
	s = sizes_of(p);
	CHECK(s.pss == KB && s.shared == 0 && s.private == KB);
	CHECK(munmap(room, (PAGES + 2) * PAGE) == 0);
}

static void read_pages_are_nobodys(void)
{
	char *p = mmap(NULL, PAGES * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct sizes s = sizes_of(p), t;

	for (size_t i = 0; i < PAGES; i++)
		(void)*(volatile char *)(p + i * PAGE);
	t = sizes_of(p);
	CHECK(t.rss == s.rss && t.anon == s.anon);
	CHECK(munmap(p, PAGES * PAGE) == 0);
}

/* Private pages of a file are its own until they are written to. */
static void a_file_is_clean_where_nobody_wrote(void)
{
	static char data[PAGES * PAGE];
	int fd = open("f", O_RDWR | O_CREAT | O_TRUNC, 0600);
	struct sizes s;
	char *p;

	CHECK(write(fd, data, sizeof(data)) == sizeof(data));
	p = mmap(NULL, sizeof(data), RW, MAP_PRIVATE, fd, 0);
	CHECK(p != MAP_FAILED && sizes_of(p).rss == 0);
	for (size_t i = 0; i < PAGES; i++)
		(void)*(volatile char *)(p + i * PAGE);
	s = sizes_of(p);
	CHECK(s.rss == KB && s.anon == 0 && s.private == KB);
	touch(p, PAGES / 2);
	s = sizes_of(p);
	CHECK(s.rss == KB && s.anon == KB / 2 && s.private == KB);
	CHECK(s.pss_dirty >= KB / 2 && s.pss == KB);
	CHECK(munmap(p, sizeof(data)) == 0 && close(fd) == 0 && unlink("f") == 0);
}

/* As many areas as possible: the reader gets them in pieces. */
static void many_areas_are_read_in_pieces(void)
{
	enum { AREAS = 9000 };
	char *p = mmap(NULL, AREAS * 2 * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned long at = 0, last = 0, b, rss = 0, kb;
	char line[600];
	size_t seen = 0;
	FILE *f;

	CHECK(p != MAP_FAILED);
	for (size_t i = 0; i < AREAS; i++)
		CHECK(mprotect(p + (2 * i + 1) * PAGE, PAGE, PROT_NONE) == 0);
	for (size_t i = 0; i < AREAS; i++)
		p[2 * i * PAGE] = 1;
	f = fopen("/proc/self/smaps", "r");
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%lx ", &at, &b) == 2) {
			CHECK(at >= last);
			last = b;
			seen += at >= (uintptr_t)p &&
				at < (uintptr_t)p + AREAS * 2 * PAGE;
		} else if (at >= (uintptr_t)p && b <= (uintptr_t)p + AREAS * 2 * PAGE &&
			   sscanf(line, "Rss: %lu kB", &kb) == 1) {
			rss += kb;
		}
	}
	CHECK(seen >= 2 * AREAS - 1 && seen <= 2 * AREAS + 1);
	CHECK(rss >= (AREAS - 2) * 4 && rss <= AREAS * 4);
	/* From the middle, and back. */
	int fd = open("/proc/self/maps", O_RDONLY);
	static char first[4096], again[4096];
	ssize_t n = pread(fd, first, sizeof(first), 300000);

	CHECK(n > 0 && pread(fd, again, 100, 0) == 100);
	CHECK(pread(fd, again, (size_t)n, 300000) > 0);
	CHECK(memcmp(first, again, 100) == 0);
	CHECK(close(fd) == 0 && fclose(f) == 0);
	CHECK(munmap(p, AREAS * 2 * PAGE) == 0);
}

static void the_rollup_has_the_sum(void)
{
	char *p = shared_area();
	struct sizes before = sizes_of(NULL), s;

	sharers_start();
	sharer(p, false);
	s = sizes_of(NULL);
	CHECK(s.rss == s.shared + s.private && s.pss < s.rss && s.pss_dirty <= s.pss);
	CHECK(s.shared >= before.shared + KB && s.pss + KB / 2 <= before.pss + 16);
	sharers_end(1);
	CHECK(munmap(p, PAGES * PAGE) == 0);
}

static void another_process_is_seen_the_same(void)
{
	char *p = shared_area(), name[64], line[600];
	unsigned long a, b, pss = 0;
	bool here = false;
	pid_t pid;
	FILE *f;

	sharers_start();
	pid = sharer(p, false);
	snprintf(name, sizeof(name), "/proc/%d/smaps", pid);
	f = fopen(name, "r");
	CHECK(f);
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%lx ", &a, &b) == 2)
			here = (uintptr_t)p >= a && (uintptr_t)p < b;
		if (here && sscanf(line, "Pss: %lu kB", &a) == 1)
			pss = a;
	}
	fclose(f);
	CHECK(pss == KB / 2);
	sharers_end(1);
	CHECK(munmap(p, PAGES * PAGE) == 0);
}

RUN(TEST(a_shared_mapping_of_one_process_is_private), TEST(each_process_has_its_part),
    TEST(a_part_may_be_shared), TEST(two_mappings_of_one_process_share),
    TEST(private_pages_are_private), TEST(pages_of_a_fork_are_shared_until_written_to),
    TEST(read_pages_are_nobodys), TEST(a_file_is_clean_where_nobody_wrote),
    TEST(many_areas_are_read_in_pieces), TEST(the_rollup_has_the_sum),
    TEST(another_process_is_seen_the_same))
