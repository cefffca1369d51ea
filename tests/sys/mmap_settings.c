/* SPDX-License-Identifier: MIT */
/* calls: mmap munmap mprotect mremap brk fork */
/* native: skip */
/* mmap_settings.c - settings of vm/ that mapping heeds. They are the whole machine's, so
 * that only a sandbox can be asked. */
#include "fixture.h"

#define RW   (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
#define MB   (1UL << 20)

static void set(const char *name, unsigned long value)
{
	char path[100], text[30];

	snprintf(path, sizeof(path), "/proc/sys/vm/%s", name);
	snprintf(text, sizeof(text), "%lu", value);
	file_put(path, text);
}

static unsigned long get(const char *path)
{
	return strtoul(file_get(path), NULL, 10);
}

static unsigned long memory(const char *name)
{
	const char *line = strstr(file_get("/proc/meminfo"), name);
	unsigned long kb;

	CHECK(line && sscanf(line + strlen(name), ": %lu kB", &kb) == 1);
	return kb << 10;
}

static void promise_nothing_beyond(unsigned long more)
{
	set("admin_reserve_kbytes", 0);
	set("user_reserve_kbytes", 0);
	set("overcommit_kbytes", (memory("Committed_AS") + more) >> 10);
	set("overcommit_memory", 2);
}

static void promises_are_kept(void)
{
	char *p, *q;

	promise_nothing_beyond(64 * MB);
	CHECK(get("/proc/sys/vm/overcommit_ratio") == 0);
	FAILS(ENOMEM, mmap(NULL, 80 * MB, RW, ANON, -1, 0));
	FAILS(ENOMEM, mmap(NULL, 80 * MB, RW, ANON | MAP_NORESERVE, -1, 0));
	FAILS(ENOMEM, mmap(NULL, 80 * MB, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
	p = mmap(NULL, 40 * MB, RW, ANON, -1, 0);
	CHECK(p != MAP_FAILED);
	FAILS(ENOMEM, mmap(NULL, 40 * MB, RW, ANON, -1, 0));
	FAILS(ENOMEM, fork());
	FAILS(ENOMEM, mremap(p, 40 * MB, 80 * MB, MREMAP_MAYMOVE));
	FAILS(ENOMEM, sbrk(40 * MB));
	CHECK(mmap(p, 40 * MB, RW, ANON | MAP_FIXED, -1, 0) == p);
	q = mmap(NULL, 80 * MB, PROT_READ, ANON, -1, 0);
	CHECK(q != MAP_FAILED);
	FAILS(ENOMEM, mprotect(q, 40 * MB, RW));
	CHECK(mprotect(q, 8 * MB, RW) == 0);
	CHECK(munmap(p, 40 * MB) == 0 && mprotect(q, 40 * MB, RW) == 0);
	CHECK(munmap(q, 80 * MB) == 0);
	set("overcommit_memory", 0);
	set("overcommit_ratio", 50);
	CHECK(get("/proc/sys/vm/overcommit_kbytes") == 0);
}

static void a_child(void)
{
	become_user();
	FAILS(ENOMEM, mmap(NULL, 40 * MB, RW, ANON, -1, 0));
	CHECK(mmap(NULL, 8 * MB, RW, ANON, -1, 0) != MAP_FAILED);
}

static void something_is_kept_for_root(void)
{
	void *p;

	promise_nothing_beyond(64 * MB);
	set("admin_reserve_kbytes", 32 << 10);
	p = mmap(NULL, 40 * MB, RW, ANON, -1, 0);
	CHECK(p != MAP_FAILED && munmap(p, 40 * MB) == 0);
	CHECK(in_child(a_child) == 0);
	set("overcommit_memory", 0);
	set("overcommit_ratio", 50);
}

static void anything_is_promised(void)
{
	size_t size = 1UL << 45;
	char *p;

	set("overcommit_memory", 1);
	p = mmap(NULL, size, RW, ANON, -1, 0);
	CHECK(p != MAP_FAILED);
	p[size / 2] = 1;
	CHECK(munmap(p, size) == 0);
	p = mmap(NULL, PAGE, RW, ANON, -1, 0);
	p = mremap(p, PAGE, size, MREMAP_MAYMOVE);
	CHECK(p != MAP_FAILED && munmap(p, size) == 0);
	set("overcommit_memory", 0);
	FAILS(ENOMEM, mmap(NULL, size, RW, ANON, -1, 0));
}

/* ---- vm.max_map_count ---- */

static size_t area_count(void)
{
	size_t n = 0;

	for (const char *text = file_get("/proc/self/maps"); (text = strchr(text, '\n'));
	     text++)
		n++;
	return n - (strstr(file_get("/proc/self/maps"), "[vsyscall]") != NULL);
}

static void there_may_be_so_many_areas(void)
{
	char *p = mmap(NULL, 1000 * PAGE, PROT_READ, ANON, -1, 0);
	char *top = sbrk(0);
	size_t max = area_count() + 101;
	size_t i;

	/* Two more with each page that differs; one more than the limit is allowed to
	 * mmap, none to what splits. */
	set("max_map_count", max);
	for (i = 1; i < 999; i += 2)
		if (mprotect(p + i * PAGE, PAGE, PROT_NONE) != 0)
			break;
	CHECK(errno == ENOMEM && i == 101);
	CHECK(area_count() >= max - 1 && area_count() <= max);
	if (area_count() < max)
		CHECK(mmap(NULL, PAGE, PROT_EXEC, ANON, -1, 0) != MAP_FAILED);
	CHECK(area_count() == max);
	FAILS(ENOMEM, munmap(p + 500 * PAGE, PAGE));
	FAILS(ENOMEM, mprotect(p + 500 * PAGE, PAGE, RW));
	FAILS(EAGAIN, madvise(p + 500 * PAGE, PAGE, MADV_DONTFORK));
	FAILS(EAGAIN, madvise(p + 500 * PAGE, PAGE, MADV_SEQUENTIAL));
	CHECK(madvise(p + 500 * PAGE, PAGE, MADV_NORMAL) == 0);
	FAILS(ENOMEM, mlock(p + 500 * PAGE, PAGE));
	CHECK(munlock(p + 500 * PAGE, PAGE) == 0);
	FAILS(ENOMEM, mremap(p + 500 * PAGE, PAGE, 9 * PAGE, MREMAP_MAYMOVE));
	for (i = 0; i < 5; i++) /* different, so that they do not join */
		if (mmap(NULL, PAGE, i & 1 ? PROT_EXEC : PROT_WRITE, ANON, -1, 0) ==
		    MAP_FAILED)
			break;
	CHECK(i >= 1 && i < 4 && errno == ENOMEM);
	CHECK(munmap(p, 1000 * PAGE) == 0);
	CHECK(mmap(NULL, PAGE, PROT_WRITE, ANON, -1, 0) != MAP_FAILED);
	set("max_map_count", 65530);
	CHECK(sbrk(0) == top);
}

static void a_user_maps_low(void)
{
	become_user();
	FAILS(EPERM, mmap((void *)0x20000, PAGE, RW, ANON | MAP_FIXED, -1, 0));
	FAILS(EPERM, mmap((void *)0x2f000, PAGE, RW, ANON | MAP_FIXED, -1, 0));
	CHECK(mmap((void *)0x30000, PAGE, RW, ANON | MAP_FIXED, -1, 0) ==
	      (void *)0x30000);
	FAILS(EPERM, mremap((void *)0x30000, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
			    (void *)0x20000));
	CHECK(mmap((void *)0x20000, PAGE, RW, ANON, -1, 0) >= (void *)0x30000);
}

static void low_addresses_are_for_root(void)
{
	set("mmap_min_addr", 0x30000);
	CHECK(mmap((void *)0x20000, PAGE, RW, ANON | MAP_FIXED, -1, 0) ==
	      (void *)0x20000);
	CHECK(munmap((void *)0x20000, PAGE) == 0);
	CHECK(in_child(a_user_maps_low) == 0);
	set("mmap_min_addr", 4096);
}

static void settings_have_limits(void)
{
	int fd = open("/proc/sys/vm/overcommit_memory", O_WRONLY);

	FAILS(EINVAL, write(fd, "3", 1));
	FAILS(EINVAL, write(fd, "-1", 2));
	CHECK(close(fd) == 0);
	fd = open("/proc/sys/vm/max_map_count", O_WRONLY);
	FAILS(EINVAL, write(fd, "-1", 2));
	CHECK(close(fd) == 0);
}

static bool may_set(void)
{
	return access("/proc/sys/vm/overcommit_memory", W_OK) == 0;
}

int main(void)
{
	static const struct test all[] = {
		TEST(promises_are_kept),	  TEST(something_is_kept_for_root),
		TEST(anything_is_promised),	  TEST(there_may_be_so_many_areas),
		TEST(low_addresses_are_for_root), TEST(settings_have_limits)};

	return may_set() ? test_main(all, sizeof(all) / sizeof(all[0])) : 77;
}
