/* SPDX-License-Identifier: MIT */
/* calls: userfaultfd */
/* userfaultfd_truncate.c - pages are put into a file that is just being truncated. */
#include "uffd.h"

enum { ROUNDS = 20000 };
#define SIZE	 (256 * PAGE)
#define PATIENCE 3 /* seconds */

static char *area;
static int uffd;
static volatile bool is_over;

static void *put(void *arg)
{
	static char data[SIZE] __attribute__((aligned(4096)));
	struct uffdio_copy c = {(uintptr_t)area, (uintptr_t)data, SIZE, 0, 0};

	(void)arg;
	while (!is_over) {
		c.copy = 0;
		(void)!ioctl(uffd, UFFDIO_COPY, &c);
	}
	return NULL;
}

/* Whoever is first: behind the end there is nothing, here by another mapping. */
static void nothing_is_put_beyond_the_end(void)
{
	int fd = memfd_create("truncated", MFD_CLOEXEC);
	time_t end = time(NULL) + PATIENCE;
	char *other, byte;
	pthread_t t;
	int to[2];

	uffd = uffd_open(0, 0);
	CHECK(fd >= 0 && pipe(to) == 0);
	area = mmap(NULL, SIZE, RW, MAP_SHARED, fd, 0);
	other = mmap(NULL, SIZE, RW, MAP_SHARED, fd, 0);
	CHECK(area != MAP_FAILED && other != MAP_FAILED);
	CHECK(uffd_register(uffd, area, SIZE / PAGE, UFFDIO_REGISTER_MODE_MISSING) == 0);
	CHECK(pthread_create(&t, NULL, put, NULL) == 0);
	for (int n = 0; n < ROUNDS && time(NULL) < end; n++) {
		CHECK(ftruncate(fd, (off_t)SIZE) == 0);
		for (volatile int i = 0; i < n % 64 * 256; i++)
			;
		CHECK(ftruncate(fd, 0) == 0);
		FAILS(EFAULT, write(to[1], other, 1));
		CHECK(pread(fd, &byte, 1, 0) == 0);
	}
	is_over = true;
	CHECK(pthread_join(t, NULL) == 0);
	CHECK(munmap(area, SIZE) == 0 && munmap(other, SIZE) == 0);
	CHECK(close(fd) == 0 && close(uffd) == 0);
}

RUN(TEST(nothing_is_put_beyond_the_end))
