/* SPDX-License-Identifier: MIT */
/* cases_memory.c - mapping memory and touching it for the first time. */
#include "ubench.h"
#include <sys/mman.h>

#define PAGE	   4096
#define SMALL_SIZE 65536
#define CHUNK	   4096 /* pages that page-fault maps at a time */
#define LARGE_SIZE (1UL << 30)
#define AREAS	   20000
#define AREA_SIZE  (4UL << 20)

static uint64_t *large; /* LARGE_SIZE bytes, all touched */
static size_t at;	/* where in it the last run ended */

void *map_or_die(size_t size)
{
	void *mem = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			 -1, 0);

	if (mem == MAP_FAILED)
		die("mmap");
	return mem;
}

void touch(void *mem, size_t size)
{
	volatile char *bytes = mem;

	for (size_t i = 0; i < size; i += PAGE)
		bytes[i] = 1;
}

/* mmap(), 16 page faults, munmap() */
static void mmap_run(uint64_t n)
{
	while (n--) {
		void *mem = map_or_die(SMALL_SIZE);

		touch(mem, SMALL_SIZE);
		if (munmap(mem, SMALL_SIZE))
			die("munmap");
	}
}

/* An operation is one fresh page; the calls around it are one in CHUNK. */
static void fault_run(uint64_t n)
{
	while (n) {
		uint64_t pages = n < CHUNK ? n : CHUNK;
		void *mem = map_or_die(pages * PAGE);

		/* huge pages would make it a case of chance */
		if (madvise(mem, pages * PAGE, MADV_NOHUGEPAGE))
			die("madvise");
		touch(mem, pages * PAGE);
		if (munmap(mem, pages * PAGE))
			die("munmap");
		n -= pages;
	}
}

/* A program that is bound by its memory: no calls, no faults, a gibibyte that no cache
 * holds. Which pages the host gives is its own affair in both places. */
static void large_setup(void)
{
	large = map_or_die(LARGE_SIZE);
	touch(large, LARGE_SIZE);
}

static void large_huge_setup(void)
{
	large = map_or_die(LARGE_SIZE);
	if (madvise(large, LARGE_SIZE, MADV_HUGEPAGE))
		die("madvise");
	touch(large, LARGE_SIZE);
}

static void large_teardown(void)
{
	if (munmap(large, LARGE_SIZE))
		die("munmap");
}

/* An operation changes a word somewhere; where depends on what was there. */
static void random_run(uint64_t n)
{
	size_t words = LARGE_SIZE / sizeof(*large);

	while (n--) {
		uint64_t *word = &large[at];

		at = (at * 6364136223846793005UL + 1442695040888963407UL + (*word & 1)) %
		     words;
		(*word) += 2;
	}
}

/* An operation changes the words of a page, one page after the other. */
static void sequential_run(uint64_t n)
{
	while (n--) {
		for (size_t i = 0; i < PAGE / sizeof(*large); i++)
			large[at + i] += 2;
		at = (at + PAGE / sizeof(*large)) % (LARGE_SIZE / sizeof(*large));
	}
}

/* Many areas, as databases and collectors of garbage have them: pages of two kinds in
 * turn, so that none merges with the next, and no room between them. */
static void areas_setup(void)
{
	char *mem = map_or_die(2UL * AREAS * PAGE);

	for (size_t i = 0; i < AREAS; i++)
		if (mprotect(mem + 2 * i * PAGE, PAGE, PROT_READ))
			die("mprotect");
}

/* mmap() and munmap() of what fits into no gap near the top, and is not touched */
static void areas_run(uint64_t n)
{
	while (n--) {
		void *mem = map_or_die(AREA_SIZE);

		if (munmap(mem, AREA_SIZE))
			die("munmap");
	}
}

const struct bench_case memory_cases[] = {
	{.name = "mmap-64k", .run = mmap_run},
	{.name = "page-fault", .run = fault_run},
	{"memory-random", random_run, large_setup, large_teardown},
	{"memory-random-huge", random_run, large_huge_setup, large_teardown},
	{"memory-sequential", sequential_run, large_setup, large_teardown},
	{"mmap-40000-areas", areas_run, areas_setup, NULL},
	{.name = NULL},
};
