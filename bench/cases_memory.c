/* SPDX-License-Identifier: MIT */
/* cases_memory.c - mapping memory and touching it for the first time. */
#include "ubench.h"
#include <sys/mman.h>

#define PAGE	   4096
#define SMALL_SIZE 65536
#define CHUNK	   4096 /* pages that page-fault maps at a time */

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

const struct bench_case memory_cases[] = {
	{.name = "mmap-64k", .run = mmap_run},
	{.name = "page-fault", .run = fault_run},
	{.name = NULL},
};
