/* SPDX-License-Identifier: MIT */
/* files */
/* Memory that several processes share. */
/* calls: mmap memfd_create fork */
#include "fixture.h"

#include <stdatomic.h>

#define RW (PROT_READ | PROT_WRITE)

static _Atomic int *word;
static char *area;
static int fd;

static void child_adds(void)
{
	for (int i = 0; i < 10000; i++)
		atomic_fetch_add(word, 1);
}

static void anonymous_shared_memory_is_shared_with_children(void)
{
	pid_t a, b;

	word = mmap(NULL, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(word != MAP_FAILED && *word == 0);
	a = child_start(child_adds);
	b = child_start(child_adds);
	child_adds();
	CHECK(child_wait(a) == 0 && child_wait(b) == 0 && *word == 30000);
	CHECK(munmap(word, PAGE) == 0);
}

static void child_starts_a_child(void)
{
	CHECK(in_child(child_adds) == 0);
	CHECK(munmap(word, PAGE) == 0);
}

static void grandchildren_share_it_too(void)
{
	word = mmap(NULL, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(in_child(child_starts_a_child) == 0 && *word == 10000);
	CHECK(munmap(word, PAGE) == 0);
}

static void child_writes_private(void)
{
	CHECK(area[0] == 'p');
	area[0] = 'c';
	CHECK(area[0] == 'c');
}

static void private_memory_is_copied(void)
{
	area = mmap(NULL, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	area[0] = 'p';
	CHECK(in_child(child_writes_private) == 0 && area[0] == 'p');
	CHECK(munmap(area, PAGE) == 0);
}

static void child_maps_the_file(void)
{
	char *p = mmap(NULL, 2 * PAGE, RW, MAP_SHARED, fd, 0);

	CHECK(p[PAGE] == '1');
	p[PAGE] = '2';
	CHECK(area[PAGE] == '2' && pwrite(fd, "3", 1, PAGE + 1) == 1);
	CHECK(p[PAGE + 1] == '3' && area[PAGE + 1] == '3');
}

static void shared_file(void)
{
	CHECK(ftruncate(fd, 2 * PAGE) == 0);
	area = mmap(NULL, 2 * PAGE, RW, MAP_SHARED, fd, 0);
	CHECK(area != MAP_FAILED);
	area[PAGE] = '1';
	CHECK(in_child(child_maps_the_file) == 0);
	CHECK(area[PAGE] == '2' && area[PAGE + 1] == '3');
	CHECK(munmap(area, 2 * PAGE) == 0 && close(fd) == 0);
}

static void files_memory_and_descriptors_agree_between_processes(void)
{
	fd = open("f", O_RDWR | O_CREAT | O_TRUNC, 0600);
	shared_file();
}

static void memfds_too(void)
{
	fd = memfd_create("test", 0);
	CHECK(fd >= 0);
	shared_file();
}

static void a_private_map_sees_file_writes_until_it_is_written(void)
{
	char *p;

	file_put("g", "abcdef");
	fd = open("g", O_RDWR);
	p = mmap(NULL, PAGE, RW, MAP_PRIVATE, fd, 0);
	CHECK(p[0] == 'a' && pwrite(fd, "A", 1, 0) == 1 && p[0] == 'A');
	p[1] = 'X';
	CHECK(pwrite(fd, "B", 1, 0) == 1 && p[0] == 'A' && p[1] == 'X');
	CHECK(munmap(p, PAGE) == 0 && close(fd) == 0);
}

static void a_growing_file_fills_the_map(void)
{
	char *p;

	fd = open("h", O_RDWR | O_CREAT | O_TRUNC, 0600);
	p = mmap(NULL, 4 * PAGE, PROT_READ, MAP_SHARED, fd, 0);
	CHECK(pwrite(fd, "end", 3, 3 * PAGE) == 3);
	CHECK(p[0] == 0 && memcmp(p + 3 * PAGE, "end", 3) == 0);
	CHECK(munmap(p, 4 * PAGE) == 0 && close(fd) == 0);
}

static void the_kernel_may_read_and_write_through_maps(void)
{
	char *p;
	int g;

	file_put("src", "0123456789");
	fd = open("src", O_RDWR);
	g = open("dst", O_RDWR | O_CREAT | O_TRUNC, 0600);
	p = mmap(NULL, PAGE, RW, MAP_SHARED, fd, 0);
	CHECK(write(g, p, 10) == 10 && file_is("dst", "0123456789"));
	CHECK(pwrite(g, "ZZ", 2, 0) == 2 && pread(g, p + 4, 2, 0) == 2);
	CHECK(file_is("src", "0123ZZ6789"));
	CHECK(pread(fd, p + 2, 4, 6) == 4 && file_is("src", "0167896789"));
	CHECK(munmap(p, PAGE) == 0 && close(fd) == 0 && close(g) == 0);
}

RUN(TEST(anonymous_shared_memory_is_shared_with_children),
    TEST(grandchildren_share_it_too), TEST(private_memory_is_copied),
    TEST(files_memory_and_descriptors_agree_between_processes), TEST(memfds_too),
    TEST(a_private_map_sees_file_writes_until_it_is_written),
    TEST(a_growing_file_fills_the_map), TEST(the_kernel_may_read_and_write_through_maps))
