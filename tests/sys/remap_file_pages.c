/* SPDX-License-Identifier: MIT */
/* Other pages of the same file in the place of mapped ones. */
#include "fixture.h"

#include <sys/ipc.h>
#include <sys/shm.h>
#include <sys/syscall.h>

#define RW (PROT_READ | PROT_WRITE)

static long remap(void *at, size_t size, int prot, size_t page, int flags)
{
	return syscall(SYS_remap_file_pages, at, size, prot, page, flags);
}

static void pages_change_places(void)
{
	int fd = open("pages", O_RDWR | O_CREAT | O_TRUNC, 0600);
	char *p;

	CHECK(fd >= 0 && ftruncate(fd, 4 * PAGE) == 0);
	for (int i = 0; i < 4; i++) {
		char c = (char)('a' + i);

		CHECK(pwrite(fd, &c, 1, i * (off_t)PAGE) == 1);
	}
	p = mmap(NULL, 4 * PAGE, RW, MAP_SHARED, fd, 0);
	CHECK(p != MAP_FAILED);
	CHECK(remap(p, PAGE, 0, 3, 0) == 0);
	CHECK(remap(p + PAGE + 5, PAGE + 7, 0, 0, MAP_NONBLOCK) == 0);
	CHECK(p[0] == 'd' && p[PAGE] == 'a' && p[2 * PAGE] == 'c' && p[3 * PAGE] == 'd');
	p[PAGE] = 'A';
	CHECK(pread(fd, p + 3 * PAGE, 1, 0) == 1 && p[0] == 'A');
	/* back, over pieces of one file */
	FAILS(EINVAL, remap(p, 4 * PAGE, 1, 0, 0));
	CHECK(remap(p, 4 * PAGE, 0, 0, 0) == 0);
	CHECK(p[0] == 'A' && p[PAGE] == 'b' && p[2 * PAGE] == 'c' && p[3 * PAGE] == 'A');
	CHECK(munmap(p, 4 * PAGE) == 0 && close(fd) == 0);
}

static void errors(void)
{
	int fd = open("one", O_RDWR | O_CREAT | O_TRUNC, 0600);
	char *shared, *own, *anon;

	CHECK(fd >= 0 && ftruncate(fd, 2 * PAGE) == 0);
	shared = mmap(NULL, 2 * PAGE, RW, MAP_SHARED, fd, 0);
	own = mmap(NULL, PAGE, RW, MAP_PRIVATE, fd, 0);
	anon = mmap(NULL, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(shared != MAP_FAILED && own != MAP_FAILED && anon != MAP_FAILED);
	CHECK(munmap(shared + PAGE, PAGE) == 0);
	FAILS(EINVAL, remap(shared, PAGE, PROT_READ, 0, 0));
	FAILS(EINVAL, remap(shared, PAGE, -1, 0, 0));
	FAILS(EINVAL, remap(shared, 0, 0, 0, 0));
	FAILS(EINVAL, remap(shared, PAGE - 1, 0, 0, 0));
	FAILS(EINVAL, remap(shared, 2 * PAGE, 0, 0, 0));
	FAILS(EINVAL, remap(shared + PAGE, PAGE, 0, 0, 0));
	FAILS(EINVAL, remap(shared, PAGE, 0, ~0ul, 0));
	FAILS(EINVAL, remap(shared, ~0ul, 0, 0, 0));
	FAILS(EINVAL, remap(own, PAGE, 0, 0, 0));
	FAILS(EINVAL, remap(anon, PAGE, 0, 0, 0));
	CHECK(munmap(shared, PAGE) == 0 && munmap(own, PAGE) == 0);
	CHECK(munmap(anon, PAGE) == 0 && close(fd) == 0);
}

static void what_is_open_for_reading_is_not_shared(void)
{
	int fd = open("f", O_RDWR | O_CREAT | O_TRUNC, 0600);
	int reader = open("f", O_RDONLY);
	char *p, *q;

	CHECK(fd >= 0 && reader >= 0 && ftruncate(fd, 2 * PAGE) == 0);
	p = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	q = mmap(NULL, 2 * PAGE, PROT_READ, MAP_SHARED, reader, 0);
	CHECK(p != MAP_FAILED && q != MAP_FAILED);
	FAILS(EINVAL, remap_file_pages(q, PAGE, 0, 1, 0));
	CHECK(mprotect(p + PAGE, PAGE, PROT_READ) == 0);
	FAILS(EINVAL, remap_file_pages(p, 2 * PAGE, 0, 0, 0));
	CHECK(close(fd) == 0 && close(reader) == 0);
	CHECK(munmap(p, 2 * PAGE) == 0 && munmap(q, 2 * PAGE) == 0);
}

/* What was writable once is like what is beside it when it is so no more. */
static void pieces_of_one_kind_are_one_range(void)
{
	char *p = mmap(NULL, 4 * PAGE, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	CHECK(p != MAP_FAILED && mprotect(p + PAGE, 2 * PAGE, RW) == 0);
	p[PAGE] = 'b';
	CHECK(mprotect(p, 3 * PAGE, PROT_READ) == 0);
	CHECK(remap(p, 4 * PAGE, 0, 1, 0) == 0 && p[0] == 'b');
	CHECK(munmap(p, 4 * PAGE) == 0);
}

/* A segment that is to be removed goes with its last mapping, and that goes first. */
static void removed_segments_are_gone(void)
{
	int id = shmget(IPC_PRIVATE, 2 * PAGE, 0600);
	unsigned char in;
	char *p = shmat(id, NULL, 0);

	CHECK(id >= 0 && p != (void *)-1 && shmctl(id, IPC_RMID, NULL) == 0);
	p[PAGE] = 'b';
	CHECK(remap(p, PAGE, 0, 1, 0) == 0 && p[0] == 'b');
	CHECK(munmap(p, PAGE) == 0);
	FAILS(EINVAL, remap(p + PAGE, PAGE, 0, 0, 0));
	FAILS(ENOMEM, mincore(p + PAGE, PAGE, &in));
}

RUN(TEST(pages_change_places), TEST(errors), TEST(what_is_open_for_reading_is_not_shared),
    TEST(pieces_of_one_kind_are_one_range), TEST(removed_segments_are_gone))
