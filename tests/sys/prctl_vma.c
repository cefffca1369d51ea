/* SPDX-License-Identifier: MIT */
/* calls: prctl */
/* prctl_vma.c - PR_SET_VMA_ANON_NAME: areas with names, where maps shows them, and which
 * areas join. */
#include "proc.h"

#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#endif
#define PAGE 4096UL
#define ROOM (16 * PAGE)

static long name(void *addr, size_t size, const char *text)
{
	return syscall(SYS_prctl, PR_SET_VMA, 0, addr, size, text);
}

static char *map_at(void *addr, size_t size, int flags)
{
	char *p = mmap(addr, size, PROT_READ | PROT_WRITE,
		       MAP_ANONYMOUS | flags | (addr ? MAP_FIXED : 0), -1, 0);

	CHECK(p != MAP_FAILED);
	return p;
}

/* A place with nothing beside it. */
static char *lonely(size_t size, int flags)
{
	char *p = mmap(NULL, size + 2 * ROOM, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		       0);

	CHECK(p != MAP_FAILED);
	return map_at(p + ROOM, size, flags);
}

/* The size in pages of the area at addr, and what maps says it is. */
static size_t area(const char *file, const void *addr, char *label, size_t size)
{
	char line[512];
	FILE *f = fopen(file, "r");
	size_t pages = 0;

	CHECK(f);
	while (fgets(line, sizeof(line), f)) {
		unsigned long start, end;
		int at = 0;

		if (sscanf(line, "%lx-%lx %*s %*s %*s %*s %n", &start, &end, &at) < 2 ||
		    !at || start != (unsigned long)addr)
			continue;
		line[strcspn(line, "\n")] = 0;
		snprintf(label, size, "%s", line + at);
		pages = (end - start) / PAGE;
	}
	fclose(f);
	return pages;
}

static void is_area(const void *addr, size_t pages, const char *label)
{
	char got[256] = "";
	size_t n = area("/proc/self/maps", addr, got, sizeof(got));

	if (n != pages || strcmp(got, label) != 0) {
		printf("not ok: %zu pages of '%s', not %zu of '%s'\n", n, got, pages,
		       label);
		exit(1);
	}
	CHECK(area("/proc/self/smaps", addr, got, sizeof(got)) == pages);
	CHECK(strcmp(got, label) == 0);
}

static void there_is_such_an_option(void)
{
	char *p = lonely(PAGE, MAP_PRIVATE);

	if (name(p, PAGE, "a") == -1 && errno == EINVAL) {
		printf("# no CONFIG_ANON_VMA_NAME\n");
		exit(77);
	}
	is_area(p, 1, "[anon:a]");
	CHECK(name(p, PAGE, NULL) == 0);
	is_area(p, 1, "");
	CHECK(name(p, PAGE, "") == 0);
	is_area(p, 1, "[anon:]");
	CHECK(name(p, PAGE, "two words") == 0);
	is_area(p, 1, "[anon:two words]");
}

static void which_names_are_good(void)
{
	char *p = lonely(PAGE, MAP_PRIVATE);
	char longest[81];

	memset(longest, 'n', sizeof(longest));
	longest[80] = 0;
	FAILS(EINVAL, name(p, PAGE, longest));
	longest[79] = 0;
	CHECK(name(p, PAGE, longest) == 0);
	for (int c = 1; c < 256; c++) {
		char text[] = {'x', (char)c, 0};
		bool is_good = c > 0x1f && c < 0x7f && !strchr("\\`$[]", c);

		if (is_good)
			CHECK(name(p, PAGE, text) == 0);
		else
			FAILS(EINVAL, name(p, PAGE, text));
	}
	FAILS(EFAULT, name(p, PAGE, (char *)BAD_PTR));
	FAILS(EFAULT, name(p, PAGE, (char *)KERNEL_PTR));
}

static void documented_errors(void)
{
	char *p = lonely(4 * PAGE, MAP_PRIVATE);
	int fd = open("file", O_RDWR | O_CREAT, 0600);
	char *f;

	FAILS(EINVAL, syscall(SYS_prctl, PR_SET_VMA, 1, p, PAGE, "a"));
	FAILS(EINVAL, name(p + 1, PAGE, "a"));
	FAILS(EINVAL, name(p, -1UL, "a"));
	FAILS(EINVAL, name(p, -PAGE, "a"));
	CHECK(name(p, 0, "a") == 0);
	is_area(p, 4, "");
	CHECK(munmap(p + PAGE, PAGE) == 0);
	FAILS(ENOMEM, name(p, 4 * PAGE, "holes"));
	is_area(p, 1, "[anon:holes]");
	is_area(p + 2 * PAGE, 2, "[anon:holes]");
	CHECK(fd >= 0 && ftruncate(fd, PAGE) == 0);
	f = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
	CHECK(f != MAP_FAILED);
	FAILS(EBADF, name(f, PAGE, "a"));
	close(fd);
}

static void names_part_and_join_areas(void)
{
	char *p = lonely(4 * PAGE, MAP_PRIVATE);

	CHECK(name(p + PAGE, 2 * PAGE, "mid") == 0);
	is_area(p, 1, "");
	is_area(p + PAGE, 2, "[anon:mid]");
	is_area(p + 3 * PAGE, 1, "");
	CHECK(name(p, PAGE, "mid") == 0);
	is_area(p, 3, "[anon:mid]");
	CHECK(name(p, 4 * PAGE, NULL) == 0);
	is_area(p, 4, "");
	CHECK(name(p, PAGE, "a") == 0 && name(p + PAGE, PAGE, "b") == 0);
	is_area(p, 1, "[anon:a]");
	is_area(p + PAGE, 1, "[anon:b]");
	CHECK(mprotect(p + 2 * PAGE, PAGE, PROT_READ) == 0);
	CHECK(mprotect(p + 2 * PAGE, PAGE, PROT_READ | PROT_WRITE) == 0);
	is_area(p + 2 * PAGE, 2, "");
	map_at(p + PAGE, PAGE, MAP_PRIVATE); /* a new area has no name */
	is_area(p + PAGE, 3, "");
}

static void it_goes_where_the_area_goes(void)
{
	char *p = lonely(2 * PAGE, MAP_PRIVATE);
	char *q;

	CHECK(name(p, 2 * PAGE, "moves") == 0);
	CHECK(mprotect(p, PAGE, PROT_READ) == 0);
	is_area(p, 1, "[anon:moves]");
	is_area(p + PAGE, 1, "[anon:moves]");
	CHECK(mprotect(p, PAGE, PROT_READ | PROT_WRITE) == 0);
	is_area(p, 2, "[anon:moves]");
	q = mremap(p, 2 * PAGE, 64 * PAGE, MREMAP_MAYMOVE);
	CHECK(q != MAP_FAILED);
	is_area(q, 64, "[anon:moves]");
	CHILD(pid)
	{
		is_area(q, 64, "[anon:moves]");
		CHECK(name(q, PAGE, NULL) == 0);
		is_area(q, 1, "");
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
	is_area(q, 64, "[anon:moves]");
	CHECK(munmap(q, PAGE) == 0);
	is_area(q + PAGE, 63, "[anon:moves]");
}

static void shared_memory_has_another_label(void)
{
	char *p = lonely(2 * PAGE, MAP_SHARED);

	CHECK(name(p, PAGE, "both") == 0);
	is_area(p, 1, "[anon_shmem:both]");
	is_area(p + PAGE, 1, "/dev/zero (deleted)");
}

static void heap_and_stack_keep_theirs(void)
{
	char *heap = sbrk(0);
	char label[64] = "";
	char *start;

	start = (char *)(((unsigned long)heap + PAGE - 1) & -PAGE);
	CHECK(brk(start + 2 * PAGE) == 0);
	CHECK(name(start, PAGE, "mine") == 0);
	CHECK(area("/proc/self/maps", start, label, sizeof(label)) == 1);
	CHECK(strcmp(label, "[heap]") == 0);
	CHECK(brk(heap) == 0);
}

RUN(TEST(there_is_such_an_option), TEST(which_names_are_good), TEST(documented_errors),
    TEST(names_part_and_join_areas), TEST(it_goes_where_the_area_goes),
    TEST(shared_memory_has_another_label), TEST(heap_and_stack_keep_theirs))
