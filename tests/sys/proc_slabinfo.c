/* SPDX-License-Identifier: MIT */
/* proc_slabinfo.c - /proc/slabinfo: the kernel's caches of objects and their figures. */
/* calls: openat read */
#include "test.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CACHES = 1000, FILES = 5000 };

struct cache {
	char name[64];
	unsigned long active, objects, size, per_slab, pages_per_slab;
	unsigned long active_slabs, slabs;
};

static struct cache caches[CACHES];

static size_t caches_read(void)
{
	static const char line2[] =
		"# name            <active_objs> <num_objs> <objsize> <objperslab> "
		"<pagesperslab> : tunables <limit> <batchcount> <sharedfactor> : "
		"slabdata <active_slabs> <num_slabs> <sharedavail>\n";
	char line[300];
	size_t count = 0;
	FILE *f = fopen("/proc/slabinfo", "r");

	CHECK(f);
	CHECK(fgets(line, sizeof(line), f));
	CHECK(strcmp(line, "slabinfo - version: 2.1\n") == 0);
	CHECK(fgets(line, sizeof(line), f) && strcmp(line, line2) == 0);
	while (fgets(line, sizeof(line), f)) {
		struct cache *c = &caches[count++];
		unsigned long limit, batch, factor, available;
		char again[300];

		CHECK(count < CACHES);
		CHECK(sscanf(line,
			     "%63s %lu %lu %lu %lu %lu : tunables %lu %lu %lu : slabdata "
			     "%lu %lu %lu",
			     c->name, &c->active, &c->objects, &c->size, &c->per_slab,
			     &c->pages_per_slab, &limit, &batch, &factor,
			     &c->active_slabs, &c->slabs, &available) == 12);
		(void)snprintf(again, sizeof(again),
			       "%-17s %6lu %6lu %6lu %4lu %4lu : tunables %4lu %4lu %4lu "
			       ": slabdata %6lu %6lu %6lu\n",
			       c->name, c->active, c->objects, c->size, c->per_slab,
			       c->pages_per_slab, limit, batch, factor, c->active_slabs,
			       c->slabs, available);
		CHECK(strcmp(line, again) == 0);
	}
	(void)fclose(f);
	return count;
}

static const struct cache *cache_find(const char *name)
{
	size_t count = caches_read();

	for (size_t i = 0; i < count; i++)
		if (strcmp(caches[i].name, name) == 0)
			return &caches[i];
	printf("no cache %s\n", name);
	return NULL;
}

static void only_root_may_read_it(void)
{
	struct stat st;

	CHECK(stat("/proc/slabinfo", &st) == 0);
	CHECK(st.st_mode == (S_IFREG | 0400) && st.st_uid == 0 && st.st_size == 0);
	if (geteuid() != 0) {
		FAILS(EACCES, open("/proc/slabinfo", O_RDONLY));
		exit(0);
	}
}

static void every_cache_has_a_name_of_its_own(void)
{
	size_t count = caches_read();

	CHECK(count > 20);
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < i; j++)
			CHECK(strcmp(caches[i].name, caches[j].name) != 0);
}

static void figures_agree(void)
{
	size_t count = caches_read();

	for (size_t i = 0; i < count; i++) {
		const struct cache *c = &caches[i];

		CHECK(c->size > 0 && c->per_slab > 0 && c->pages_per_slab > 0);
		CHECK(c->active <= c->objects && c->active_slabs <= c->slabs);
		CHECK(c->size * c->per_slab <= c->pages_per_slab * 4096);
		CHECK(c->objects <= c->slabs * c->per_slab);
	}
}

static void what_programs_look_for_is_there(void)
{
	static const char *const names[] = {
		"filp",
		"dentry",
		"task_struct",
		"mm_struct",
		"files_cache",
		"signal_cache",
		"vm_area_struct",
		"sighand_cache",
		"sock_inode_cache",
		"proc_inode_cache",
		"shmem_inode_cache",
		"kmalloc-64",
	};

	int pair[2];

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const struct cache *c = cache_find(names[i]);

		CHECK(c && c->active > 0);
	}
}

static bool files_are_counted(void)
{
	static int fds[FILES];
	unsigned long before = cache_find("filp")->active, full;
	bool is_counted;

	for (int i = 0; i < FILES; i++)
		CHECK((fds[i] = eventfd(0, 0)) >= 0);
	full = cache_find("filp")->active;
	for (int i = 0; i < FILES; i++)
		CHECK(close(fds[i]) == 0);
	is_counted = full >= before + FILES * 9 / 10;
	/* Linux frees them a little later. */
	for (int i = 0; i < 100 && cache_find("filp")->active > full - FILES / 2; i++)
		usleep(20000);
	return is_counted && cache_find("filp")->active <= full - FILES / 2;
}

static void objects_are_counted_while_they_are_there(void)
{
	struct rlimit limit = {FILES + 100, FILES + 100};
	bool is_counted = false;

	CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	/* Natively others open and close files, too. */
	for (int i = 0; i < 10 && !is_counted; i++)
		is_counted = files_are_counted();
	CHECK(is_counted);
}

RUN(TEST(only_root_may_read_it), TEST(every_cache_has_a_name_of_its_own),
    TEST(figures_agree), TEST(what_programs_look_for_is_there),
    TEST(objects_are_counted_while_they_are_there))
