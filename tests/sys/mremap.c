/* SPDX-License-Identifier: MIT */
/* Growing, shrinking and moving mappings. */
#include "fixture.h"

#include <sys/resource.h>

#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
#define RW   (PROT_READ | PROT_WRITE)

#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif

static bool mapped(void *p)
{
	unsigned char in;

	return mincore(p, PAGE, &in) == 0;
}

static char *pages(size_t n)
{
	char *p = mmap(NULL, n * PAGE, RW, ANON, -1, 0);

	CHECK(p != MAP_FAILED);
	for (size_t i = 0; i < n; i++)
		memset(p + i * PAGE, 'a' + (int)i, PAGE);
	return p;
}

static void shrinks_in_place(void)
{
	char *p = pages(4);

	CHECK(mremap(p, 4 * PAGE, 2 * PAGE, 0) == p);
	CHECK(p[PAGE] == 'b' && !mapped(p + 2 * PAGE));
	CHECK(mremap(p, 2 * PAGE, PAGE + 1, 0) == p && munmap(p, 2 * PAGE) == 0);
}

static void grows_in_place_where_there_is_room(void)
{
	char *p = pages(4);

	CHECK(munmap(p + 2 * PAGE, 2 * PAGE) == 0);
	CHECK(mremap(p, 2 * PAGE, 4 * PAGE, 0) == p);
	CHECK(p[PAGE] == 'b' && p[2 * PAGE] == 0 && p[4 * PAGE - 1] == 0);
	CHECK(munmap(p, 4 * PAGE) == 0);
}

static void moves_only_if_allowed(void)
{
	char *p = pages(4), *q;

	CHECK(mremap(p, PAGE, 3 * PAGE, 0) == MAP_FAILED && errno == ENOMEM);
	q = mremap(p, PAGE, 50 * PAGE, MREMAP_MAYMOVE);
	CHECK(q != MAP_FAILED && q != p && q[0] == 'a' && q[PAGE] == 0);
	CHECK(!mapped(p) && p[PAGE] == 'b');
	CHECK(munmap(p, 4 * PAGE) == 0 && munmap(q, 50 * PAGE) == 0);
}

static void fixed_moves_to_a_place_and_replaces_it(void)
{
	char *p = pages(2), *q = pages(4);

	CHECK(mremap(p, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, q + PAGE) ==
	      q + PAGE);
	CHECK(q[0] == 'a' && q[PAGE] == 'a' && q[2 * PAGE] == 'b' && q[3 * PAGE] == 'd');
	CHECK(!mapped(p) && munmap(q, 4 * PAGE) == 0);
}

static void dontunmap_leaves_an_empty_mapping(void)
{
	char *p = pages(2), *q;

	q = mremap(p, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL);
	CHECK(q != MAP_FAILED && q != p && q[PAGE] == 'b');
	CHECK(mapped(p) && p[0] == 0 && p[PAGE] == 0);
	CHECK(munmap(p, 2 * PAGE) == 0 && munmap(q, 2 * PAGE) == 0);
}

static size_t status_kb(const char *name)
{
	char *line = NULL;
	size_t size = 0, kb = 0;
	FILE *f = fopen("/proc/self/status", "r");

	CHECK(f);
	while (getline(&line, &size, f) > 0)
		if (!strncmp(line, name, strlen(name)))
			kb = strtoul(line + strlen(name) + 1, NULL, 10);
	free(line);
	CHECK(fclose(f) == 0);
	return kb;
}

static bool is_locked(void *p)
{
	char *line = NULL;
	size_t size = 0;
	uintptr_t start, end;
	bool is_there = false, is = false;
	FILE *f = fopen("/proc/self/smaps", "r");

	CHECK(f);
	while (getline(&line, &size, f) > 0)
		if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
			is_there = start <= (uintptr_t)p && (uintptr_t)p < end;
		else if (is_there && !strncmp(line, "VmFlags:", 8))
			is = strstr(line, " lo");
	free(line);
	CHECK(fclose(f) == 0);
	return is;
}

static void dontunmap_counts_what_it_leaves(void)
{
	char *p = pages(2), *q;
	struct rlimit old, now;

	CHECK(mlock(p, 2 * PAGE) == 0 && is_locked(p));
	q = mremap(p, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL);
	CHECK(q != MAP_FAILED && is_locked(q) && !is_locked(p));
	CHECK(getrlimit(RLIMIT_AS, &old) == 0);
	now = old;
	now.rlim_cur = status_kb("VmSize") << 10;
	CHECK(setrlimit(RLIMIT_AS, &now) == 0);
	FAILS(ENOMEM, (long)mremap(p, 2 * PAGE, 2 * PAGE,
				   MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL));
	CHECK(setrlimit(RLIMIT_AS, &old) == 0);
	CHECK(munmap(p, 2 * PAGE) == 0 && munmap(q, 2 * PAGE) == 0);
}

/* There is room only because what was in the new place goes first, which is part of the
 * same area. */
static void dontunmap_makes_its_own_room(void)
{
	char *p = pages(4);
	struct rlimit old, now;

	CHECK(getrlimit(RLIMIT_AS, &old) == 0);
	now = old;
	now.rlim_cur = status_kb("VmSize") << 10;
	CHECK(setrlimit(RLIMIT_AS, &now) == 0);
	p[2 * PAGE] = 'z';
	CHECK(mremap(p + 2 * PAGE, PAGE, PAGE,
		     MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP, p) == p);
	CHECK(setrlimit(RLIMIT_AS, &old) == 0);
	CHECK(p[0] == 'z' && p[2 * PAGE] == 0 && munmap(p, 4 * PAGE) == 0);
}

static void part_of_a_mapping_moves(void)
{
	char *p = pages(4), *q;

	q = mremap(p + PAGE, 2 * PAGE, 20 * PAGE, MREMAP_MAYMOVE);
	CHECK(q != MAP_FAILED && q[0] == 'b' && q[PAGE] == 'c' && q[2 * PAGE] == 0);
	CHECK(mapped(p) && !mapped(p + PAGE) && !mapped(p + 2 * PAGE));
	CHECK(p[3 * PAGE] == 'd');
	CHECK(munmap(p, 4 * PAGE) == 0 && munmap(q, 20 * PAGE) == 0);
}

static void a_mapping_moves_onto_its_own_start(void)
{
	char *p = pages(3);

	CHECK(mremap(p + 2 * PAGE, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, p) == p);
	CHECK(p[0] == 'c' && p[PAGE] == 'b' && !mapped(p + 2 * PAGE));
	CHECK(munmap(p, 2 * PAGE) == 0);
}

static void file_mappings_keep_their_offset(void)
{
	int fd = open("f", O_RDWR | O_CREAT | O_TRUNC, 0600);
	static char b[4 * PAGE];
	char *p, *q;

	for (size_t i = 0; i < sizeof(b); i++)
		b[i] = (char)('0' + i / PAGE);
	CHECK(write(fd, b, sizeof(b)) == sizeof(b));
	p = mmap(NULL, PAGE, RW, MAP_SHARED, fd, PAGE);
	q = mremap(p, PAGE, 3 * PAGE, MREMAP_MAYMOVE);
	CHECK(q != MAP_FAILED && q[0] == '1' && q[PAGE] == '2' && q[2 * PAGE] == '3');
	q[2 * PAGE] = 'Z';
	CHECK(pread(fd, b, 1, 3 * PAGE) == 1 && b[0] == 'Z');
	CHECK(munmap(q, 3 * PAGE) == 0 && close(fd) == 0);
}

static void protection_moves_along(void)
{
	char *p = pages(1), *q;
	int fd[2];

	CHECK(mprotect(p, PAGE, PROT_READ) == 0 && pipe(fd) == 0);
	q = mremap(p, PAGE, 30 * PAGE, MREMAP_MAYMOVE);
	CHECK(q != MAP_FAILED && q[0] == 'a' && write(fd[1], "xx", 2) == 2);
	FAILS(EFAULT, read(fd[0], q, 1));
	FAILS(EFAULT, read(fd[0], q + 20 * PAGE, 1));
	CHECK(munmap(q, 30 * PAGE) == 0 && close(fd[0]) == 0 && close(fd[1]) == 0);
}

static void zero_old_size_doubles_shared_mappings(void)
{
	char *p = mmap(NULL, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0), *q;

	p[0] = 's';
	q = mremap(p, 0, PAGE, MREMAP_MAYMOVE);
	CHECK(q != MAP_FAILED && q != p && q[0] == 's');
	q[0] = 't';
	CHECK(p[0] == 't' && munmap(p, PAGE) == 0 && munmap(q, PAGE) == 0);
}

static void bad(void *old, size_t old_size, size_t size, int flags, void *to, int err)
{
	errno = 0;
	CHECK((void *)syscall(SYS_mremap, old, old_size, size, flags, to) == MAP_FAILED);
	CHECK(errno == err);
}

static void documented_errors(void)
{
	char *p = pages(4);
	int fixed = MREMAP_MAYMOVE | MREMAP_FIXED;

	bad(p + 1, PAGE, PAGE, 0, NULL, EINVAL);
	bad(p, PAGE, 0, 0, NULL, EINVAL);
	bad(p, PAGE, PAGE, 8, NULL, EINVAL);
	bad(p, PAGE, PAGE, MREMAP_FIXED, p, EINVAL);
	bad(p, 2 * PAGE, 2 * PAGE, fixed, p + PAGE, EINVAL);
	bad(p, PAGE, PAGE, fixed, p + 2 * PAGE + 1, EINVAL);
	bad(p, PAGE, PAGE, fixed, (void *)0x800000000000, EINVAL);
	bad(p, 2 * PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL, EINVAL);
	bad(p, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, p + 2 * PAGE + 1, EINVAL);
	bad(p, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, p, EINVAL);
	bad(p, 0, PAGE, MREMAP_MAYMOVE, NULL, EINVAL);
	CHECK(munmap(p + PAGE, PAGE) == 0);
	bad(p + PAGE, PAGE, 2 * PAGE, MREMAP_MAYMOVE, NULL, EFAULT);
	bad(p, 2 * PAGE, 5 * PAGE, MREMAP_MAYMOVE, NULL, EFAULT);
	bad((void *)0x7ff000000000, PAGE, 2 * PAGE, MREMAP_MAYMOVE, NULL, EFAULT);
	CHECK(munmap(p, 4 * PAGE) == 0);
}

static void large_growth_keeps_content(void)
{
	size_t size = PAGE;
	char *p = pages(1);

	for (; size < (64UL << 20); size *= 2) {
		p = mremap(p, size, size * 2, MREMAP_MAYMOVE);
		CHECK(p != MAP_FAILED && p[0] == 'a' && p[size] == 0);
	}
	CHECK(munmap(p, size) == 0);
}

/* What is cut off may be several areas, or none. */
static void shrinking_unmaps_whatever_there_is(void)
{
	char *p = mmap(NULL, 6 * PAGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *to = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(p != MAP_FAILED && to != MAP_FAILED);
	CHECK(mprotect(p + 2 * PAGE, PAGE, PROT_READ) == 0);
	CHECK(munmap(p + 4 * PAGE, PAGE) == 0);
	p[0] = 'x';
	CHECK(mremap(p, 6 * PAGE, 2 * PAGE, 0) == p);
	FAILS(ENOMEM, mprotect(p + 2 * PAGE, PAGE, PROT_READ));
	FAILS(ENOMEM, mprotect(p + 5 * PAGE, PAGE, PROT_READ));
	CHECK(mprotect(p + PAGE, PAGE, PROT_READ) == 0);
	CHECK(mremap(p, 2 * PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to);
	CHECK(to[0] == 'x' && munmap(to, PAGE) == 0);
	FAILS(ENOMEM, mprotect(p, PAGE, PROT_READ));
	FAILS(ENOMEM, mprotect(p + PAGE, PAGE, PROT_READ));
}

static void a_place_is_only_heeded_with_a_flag(void)
{
	char *p = mmap(NULL, 16 * PAGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *q;

	CHECK(p != MAP_FAILED && munmap(p + 3 * PAGE, 13 * PAGE) == 0);
	q = mremap(p, PAGE, 4 * PAGE, MREMAP_MAYMOVE, p + 8 * PAGE);
	CHECK(q != MAP_FAILED && q != p + 8 * PAGE);
	CHECK(munmap(q, 4 * PAGE) == 0 && munmap(p, 3 * PAGE) == 0);
}

RUN(TEST(shrinks_in_place), TEST(grows_in_place_where_there_is_room),
    TEST(moves_only_if_allowed), TEST(fixed_moves_to_a_place_and_replaces_it),
    TEST(dontunmap_leaves_an_empty_mapping), TEST(dontunmap_counts_what_it_leaves),
    TEST(part_of_a_mapping_moves), TEST(a_mapping_moves_onto_its_own_start),
    TEST(file_mappings_keep_their_offset), TEST(protection_moves_along),
    TEST(zero_old_size_doubles_shared_mappings), TEST(documented_errors),
    TEST(large_growth_keeps_content), TEST(shrinking_unmaps_whatever_there_is),
    TEST(a_place_is_only_heeded_with_a_flag), TEST(dontunmap_makes_its_own_room))
