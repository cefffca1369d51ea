/* SPDX-License-Identifier: MIT */
/* calls: pread64 ioctl fork */
/* proc_pagemap.c - /proc/PID/pagemap and PAGEMAP_SCAN (ioctl_pagemap_scan(2)): what is
 * there, whose it is, and what has been written to. */
#include "fixture.h"

#include <linux/userfaultfd.h>
#include <sys/ioctl.h>

#define PAGES 8UL
#define TABLE (2UL << 20)
#define RW    (PROT_READ | PROT_WRITE)

/* Bits of an entry, from bit 52 on. */
enum { PRESENT = 0x800, SWAPPED = 0x400, FILE_PAGE = 0x200, EXCLUSIVE = 0x10 };
enum { PROTECTED = 0x20 };

/* PAGE_IS_* of <linux/fs.h>, which is older. */
enum { WPALLOWED = 1, WRITTEN = 2, OF_FILE = 4, IS_PRESENT = 8, IS_SWAPPED = 16 };
enum { IS_ZERO = 32, ANY = 0x1ff };
enum { WP_MATCHING = 1, CHECK_WPASYNC = 2 };

struct region {
	uint64_t start, end, categories;
};

struct scan {
	uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages;
	uint64_t inverted, mask, anyof, returned;
};

#define SCAN _IOWR('f', 16, struct scan)

static int fd;
static struct region regions[16];

static unsigned entry(const void *p, size_t i)
{
	uint64_t e;

	CHECK(pread(fd, &e, 8, (off_t)((uintptr_t)p / PAGE + i) * 8) == 8);
	return (unsigned)(e >> 52 & ~8UL); /* soft-dirty: not on every kernel */
}

static void maps_open(void)
{
	if (fd == 0)
		fd = open("/proc/self/pagemap", O_RDONLY);
	CHECK(fd > 0);
}

static char *area(void)
{
	char *p = mmap(NULL, 3 * TABLE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(p != MAP_FAILED);
	(void)madvise(p, 3 * TABLE, MADV_NOHUGEPAGE);
	maps_open();
	return (char *)(((uintptr_t)p + TABLE - 1) & ~(TABLE - 1));
}

static void look(const char *p)
{
	(void)*(const volatile char *)p;
}

/* ---- entries ---- */

static void private_pages(void)
{
	char *p = area();

	for (size_t i = 0; i < PAGES; i++)
		CHECK(entry(p, i) == 0);
	p[PAGE] = 1;
	look(p + 2 * PAGE);
	CHECK(entry(p, 0) == 0 && entry(p, 1) == (PRESENT | EXCLUSIVE));
	CHECK(entry(p, 2) == PRESENT); /* the zero page is everybody's */
	CHECK(mprotect(p, PAGES * PAGE, PROT_NONE) == 0);
	CHECK(entry(p, 1) == (PRESENT | EXCLUSIVE));
	CHECK(munmap(p + PAGE, PAGE) == 0 && entry(p, 1) == 0);
	/* To the end of the address space, and behind it. */
	static uint64_t e[1024];

	CHECK(pread(fd, e, sizeof(e), ((1L << 47) / PAGE - 1024) * 8) > 0);
	CHECK(pread(fd, e, sizeof(e), (1L << 47) / PAGE * 8) == 0);
}

static int to_child[2], to_parent[2];

static void child_has_pages(void)
{
	char c;

	CHECK(write(to_parent[1], "", 1) == 1 && read(to_child[0], &c, 1) == 1);
}

static void fork_shares_until_a_write(void)
{
	char *p = area(), c;
	pid_t pid;

	p[0] = p[PAGE] = 1;
	CHECK(pipe(to_child) == 0 && pipe(to_parent) == 0);
	pid = child_start(child_has_pages);
	CHECK(read(to_parent[0], &c, 1) == 1);
	CHECK(entry(p, 0) == PRESENT && entry(p, 1) == PRESENT);
	p[0] = 2;
	CHECK(entry(p, 0) == (PRESENT | EXCLUSIVE) && entry(p, 1) == PRESENT);
	CHECK(write(to_child[1], "", 1) == 1 && child_wait(pid) == 0);
	for (int i = 0; i < 20000 && entry(p, 1) == PRESENT; i++)
		sleep_ms(1); /* a sandbox gives memory back a moment later */
	CHECK(entry(p, 1) == (PRESENT | EXCLUSIVE));
	CHECK(close(to_child[0]) == 0 && close(to_child[1]) == 0);
	CHECK(close(to_parent[0]) == 0 && close(to_parent[1]) == 0);
}

static void shared_pages_and_files(void)
{
	char *p = mmap(NULL, PAGES * PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	char *q;
	int file = open("f", O_RDWR | O_CREAT | O_TRUNC, 0600);

	maps_open();
	p[0] = 1;
	CHECK(entry(p, 0) == (PRESENT | FILE_PAGE | EXCLUSIVE) && entry(p, 1) == 0);
	CHECK(file >= 0 && ftruncate(file, PAGES * PAGE) == 0);
	q = mmap(NULL, PAGES * PAGE, RW, MAP_PRIVATE, file, 0);
	look(q);
	CHECK(entry(q, 0) == (PRESENT | FILE_PAGE | EXCLUSIVE));
	q[0] = 1; /* a page of its own */
	CHECK(entry(q, 0) == (PRESENT | EXCLUSIVE));
	CHECK(munmap(p, PAGES * PAGE) == 0 && munmap(q, PAGES * PAGE) == 0);
	CHECK(close(file) == 0 && unlink("f") == 0);
}

static void what_nobody_touched_is_not_there(void)
{
	int file = open("f", O_RDWR | O_CREAT | O_TRUNC, 0600);
	static char data[64 * PAGE];
	char *p;

	CHECK(write(file, data, sizeof(data)) == sizeof(data));
	p = mmap(NULL, sizeof(data), PROT_READ, MAP_PRIVATE, file, 0);
	maps_open();
	for (size_t i = 0; i < 64; i++)
		CHECK(entry(p, i) == 0);
	CHECK(munmap(p, sizeof(data)) == 0 && close(file) == 0 && unlink("f") == 0);
}

/* ---- scans ---- */

static struct scan scan_of(const char *p, size_t pages)
{
	return (struct scan){.size = sizeof(struct scan),
			     .start = (uintptr_t)p,
			     .end = (uintptr_t)p + pages * PAGE,
			     .vec = (uintptr_t)regions,
			     .vec_len = 16,
			     .returned = ANY & ~0x80UL};
}

static int scan(struct scan *s)
{
	return ioctl(fd, SCAN, s);
}

static bool is_region(const char *p, size_t i, size_t from, size_t to, uint64_t what)
{
	const struct region *r = &regions[i];

	return r->start == (uintptr_t)p + from * PAGE &&
	       r->end == (uintptr_t)p + to * PAGE && r->categories == what;
}

/* Pages 2 and 3 written to, 5 looked at. */
static char *scan_area(void)
{
	char *p = area();

	p[2 * PAGE] = p[3 * PAGE] = 1;
	look(p + 5 * PAGE);
	return p;
}

static bool has_scan(void)
{
	struct scan s = scan_of(NULL, 0);

	maps_open();
	return scan(&s) == 0;
}

static void regions_are_told(void)
{
	char *p = scan_area();
	struct scan s = scan_of(p, PAGES);

	CHECK(scan(&s) == 5 && s.walk_end == s.end);
	CHECK(is_region(p, 0, 0, 2, WRITTEN));
	CHECK(is_region(p, 1, 2, 4, IS_PRESENT | WRITTEN));
	CHECK(is_region(p, 2, 4, 5, WRITTEN));
	CHECK(is_region(p, 3, 5, 6, IS_PRESENT | IS_ZERO | WRITTEN));
	CHECK(is_region(p, 4, 6, 8, WRITTEN));
	/* Where there is no page table, nothing is written. */
	s = scan_of(p, 2 * TABLE / PAGE);
	CHECK(scan(&s) == 6 && is_region(p, 5, 512, 1024, 0));
	CHECK(munmap(p + 4 * PAGE, PAGE) == 0);
	s = scan_of(p, PAGES);
	CHECK(scan(&s) == 4 && is_region(p, 2, 5, 6, IS_PRESENT | IS_ZERO | WRITTEN));
	s = scan_of(p, PAGES);
	s.end -= 100;
	CHECK(scan(&s) == 4 && s.walk_end == (uintptr_t)p + PAGES * PAGE);
}

static void pages_are_chosen(void)
{
	char *p = scan_area();
	struct scan s = scan_of(p, PAGES);

	s.mask = IS_PRESENT;
	s.returned = IS_PRESENT;
	CHECK(scan(&s) == 2 && is_region(p, 0, 2, 4, IS_PRESENT));
	CHECK(is_region(p, 1, 5, 6, IS_PRESENT));
	s.mask = IS_PRESENT | IS_ZERO;
	s.returned = 0;
	CHECK(scan(&s) == 1 && is_region(p, 0, 5, 6, 0));
	s.inverted = IS_ZERO; /* present, and not zero */
	CHECK(scan(&s) == 1 && is_region(p, 0, 2, 4, 0));
	s.mask = s.inverted = 0;
	s.anyof = IS_ZERO | OF_FILE;
	CHECK(scan(&s) == 1 && is_region(p, 0, 5, 6, 0));
	s.anyof = OF_FILE | IS_SWAPPED;
	CHECK(scan(&s) == 0 && s.walk_end == s.end);
}

static void scans_end_early(void)
{
	char *p = scan_area();
	struct scan s = scan_of(p, PAGES);

	s.vec_len = 2;
	CHECK(scan(&s) == 2 && s.walk_end == (uintptr_t)p + 4 * PAGE);
	s = scan_of(p, PAGES);
	s.mask = IS_PRESENT;
	s.max_pages = 1;
	CHECK(scan(&s) == 1 && is_region(p, 0, 2, 3, IS_PRESENT | WRITTEN));
	CHECK(s.walk_end == (uintptr_t)p + 3 * PAGE);
	s.max_pages = 3;
	CHECK(scan(&s) == 2 && s.walk_end == s.end);
	s.vec = s.vec_len = 0;
	CHECK(scan(&s) == 0 && s.walk_end == s.end);
	s.vec = (uintptr_t)regions;
	CHECK(scan(&s) == 0 && s.walk_end == s.end);
	s.end = s.start;
	CHECK(scan(&s) == 0 && s.walk_end == s.start);
}

static void bad_scans_are_refused(void)
{
	char *p = scan_area();
	struct scan good = scan_of(p, PAGES), s = good;

	FAILS(EFAULT, ioctl(fd, SCAN, bad_address(1)));
	FAILS(EINVAL, ioctl(fd, SCAN + 1, &s));
	s.size--;
	FAILS(EINVAL, scan(&s));
	s = good;
	s.flags = 4;
	FAILS(EINVAL, scan(&s));
	s = good;
	s.mask = 1UL << 40;
	FAILS(EINVAL, scan(&s));
	s = good;
	s.returned = 1UL << 40;
	FAILS(EINVAL, scan(&s));
	s = good;
	s.start++;
	FAILS(EINVAL, scan(&s));
	s = good;
	s.end = s.start - PAGE;
	FAILS(EFAULT, scan(&s));
	s = good;
	s.end = 1UL << 63;
	FAILS(EFAULT, scan(&s));
	s = good;
	s.vec = 0;
	FAILS(EINVAL, scan(&s));
	s = good;
	s.vec = 1UL << 63;
	FAILS(EFAULT, scan(&s));
	s = good;
	s.vec = 16;
	FAILS(EFAULT, scan(&s));
	CHECK(s.walk_end == s.end);
	s = good;
	s.flags = CHECK_WPASYNC; /* not registered */
	FAILS(EPERM, scan(&s));
	s.flags = WP_MATCHING;
	CHECK(scan(&s) == 0 && s.walk_end == s.end);
}

static void another_process_is_scanned(void)
{
	char *p = area(), name[64], c;
	int own = fd;
	struct scan s;
	pid_t pid;

	p[0] = 1;
	CHECK(pipe(to_child) == 0 && pipe(to_parent) == 0);
	pid = child_start(child_has_pages);
	CHECK(read(to_parent[0], &c, 1) == 1);
	p[0] = p[PAGE] = 1; /* not the child's */
	snprintf(name, sizeof(name), "/proc/%d/pagemap", pid);
	fd = open(name, O_RDONLY);
	CHECK(fd >= 0);
	s = scan_of(p, PAGES);
	s.mask = IS_PRESENT;
	CHECK(scan(&s) == 1 && is_region(p, 0, 0, 1, IS_PRESENT | WRITTEN));
	CHECK(entry(p, 0) == (PRESENT | EXCLUSIVE) && entry(p, 1) == 0);
	CHECK(write(to_child[1], "", 1) == 1 && child_wait(pid) == 0);
	FAILS(ESRCH, scan(&s));
	CHECK(close(fd) == 0);
	fd = own;
}

/* ---- writes ---- */

/* Registers for write protection that a write takes away; -1: this user may not. */
static int registered(char *p)
{
	struct uffdio_api api = {.api = UFFD_API, .features = 1 << 15 | 1 << 13};
	struct uffdio_register r = {
		{(uintptr_t)p, PAGES * PAGE}, UFFDIO_REGISTER_MODE_WP, 0};
	int u = (int)syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY);

	if (u < 0)
		return -1;
	CHECK(ioctl(u, UFFDIO_API, &api) == 0 && ioctl(u, UFFDIO_REGISTER, &r) == 0);
	return u;
}

static void writes_are_told_and_protected_anew(void)
{
	char *p = scan_area();
	int u = registered(p);
	struct scan s = scan_of(p, PAGES);

	if (u < 0)
		return;
	CHECK(scan(&s) == 5 && is_region(p, 0, 0, 2, WPALLOWED | WRITTEN));
	s.flags = WP_MATCHING | CHECK_WPASYNC;
	CHECK(scan(&s) == 5 && is_region(p, 1, 2, 4, WPALLOWED | WRITTEN | IS_PRESENT));
	s.flags = 0;
	CHECK(scan(&s) == 5 && is_region(p, 1, 2, 4, WPALLOWED | IS_PRESENT));
	CHECK(is_region(p, 0, 0, 2, WPALLOWED | IS_SWAPPED)); /* a marker */
	CHECK(is_region(p, 3, 5, 6, WPALLOWED | IS_PRESENT | IS_ZERO));
	CHECK(entry(p, 0) == (SWAPPED | PROTECTED));
	CHECK(entry(p, 2) == (PRESENT | EXCLUSIVE | PROTECTED));
	p[3 * PAGE] = 2;
	p[7 * PAGE] = 2;
	s.flags = WP_MATCHING;
	s.mask = s.returned = WRITTEN;
	CHECK(entry(p, 3) == (PRESENT | EXCLUSIVE));
	CHECK(scan(&s) == 2 && is_region(p, 0, 3, 4, WRITTEN));
	CHECK(is_region(p, 1, 7, 8, WRITTEN));
	CHECK(scan(&s) == 0 && p[3 * PAGE] == 2);
	/* Beyond what is registered. */
	s.flags = CHECK_WPASYNC;
	s.end += PAGE;
	FAILS(EPERM, scan(&s));
	CHECK(close(u) == 0);
}

static char *raced;
static volatile bool is_over;

static void *writer(void *arg)
{
	for (long n = 1; !is_over; n++)
		for (size_t i = 0; i < PAGES; i++)
			*(volatile long *)(raced + i * PAGE) = n;
	return arg;
}

/* A value that was there before a scan began and is not what was there before the one
 * before it was written in between, or during that one: one of the two must tell. */
static void no_write_is_lost(void)
{
	char *p = area();
	int u = registered(p);
	long seen[2][PAGES] = {{0}};
	bool told[2][PAGES] = {{false}};
	struct scan s;
	pthread_t t;

	if (u < 0)
		return;
	raced = p;
	is_over = false;
	CHECK(pthread_create(&t, NULL, writer, NULL) == 0);
	for (int round = 0; round < 600; round++) {
		int new = round & 1;
		int n;

		s = scan_of(p, PAGES);
		s.flags = WP_MATCHING;
		s.mask = WRITTEN;
		for (size_t i = 0; i < PAGES; i++) {
			seen[new][i] = *(volatile long *)(p + i * PAGE);
			told[new][i] = false;
		}
		n = scan(&s);
		CHECK(n >= 0);
		for (int k = 0; k < n; k++)
			for (uint64_t at = regions[k].start; at < regions[k].end;
			     at += PAGE)
				told[new][(at - (uintptr_t)p) / PAGE] = true;
		for (size_t i = 0; i < PAGES && round; i++)
			CHECK(seen[0][i] == seen[1][i] || told[0][i] || told[1][i]);
	}
	is_over = true;
	CHECK(pthread_join(t, NULL) == 0);
	CHECK(scan(&s) >= 0 && scan(&s) == 0); /* what came last, and no more */
	for (size_t i = 0; i < PAGES; i++)
		p[i * PAGE]++;
	CHECK(scan(&s) == 1 && regions[0].end - regions[0].start == PAGES * PAGE);
	CHECK(close(u) == 0);
}

int main(void)
{
	const struct test entries[] = {
		TEST(private_pages), TEST(fork_shares_until_a_write),
		TEST(shared_pages_and_files), TEST(what_nobody_touched_is_not_there)};
	const struct test all[] = {TEST(private_pages),
				   TEST(fork_shares_until_a_write),
				   TEST(shared_pages_and_files),
				   TEST(what_nobody_touched_is_not_there),
				   TEST(regions_are_told),
				   TEST(pages_are_chosen),
				   TEST(scans_end_early),
				   TEST(bad_scans_are_refused),
				   TEST(another_process_is_scanned),
				   TEST(writes_are_told_and_protected_anew),
				   TEST(no_write_is_lost)};

	/* Linux 6.7 has it. */
	return has_scan() ? test_main(all, sizeof(all) / sizeof(all[0]))
			  : test_main(entries, sizeof(entries) / sizeof(entries[0]));
}
