/* SPDX-License-Identifier: MIT */
/* files */
/* pread_again.c - a file read in small pieces, again and again, by many at once, is what
 * a mapping of it shows; ends and faults are as at the first time. */
/* calls: read readv pread64 preadv */
#define _GNU_SOURCE
#include "test.h"

#include <fcntl.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAGE = 4096, WARM = 300, READERS = 4, ROUNDS = 20000 };

static int fd = -1;
static char *map;
static long size;

/* The C library: long, and nobody changes it. */
static void start(void)
{
	char line[512];
	char path[512] = "";
	struct stat st;
	FILE *maps;

	if (fd >= 0)
		return;
	maps = fopen("/proc/self/maps", "r");
	CHECK(maps);
	while (!path[0] && fgets(line, sizeof(line), maps))
		if (strstr(line, "libc.so") || strstr(line, "libc-"))
			(void)sscanf(strchr(line, '/'), "%511s", path);
	(void)fclose(maps);
	fd = open(path, O_RDONLY);
	CHECK(fd >= 0 && fstat(fd, &st) == 0);
	size = st.st_size;
	CHECK(size > 100L * PAGE);
	map = mmap(NULL, (size_t)size, PROT_READ, MAP_PRIVATE, fd, 0);
	CHECK(map != MAP_FAILED);
}

static uint64_t next_random(void)
{
	static uint64_t state;

	if (!state)
		state = (uint64_t)getpid() * 0x9e3779b97f4a7c15ULL | 1;
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static size_t want_at(long pos, size_t count)
{
	if (pos >= size)
		return 0;
	return count < (size_t)(size - pos) ? count : (size_t)(size - pos);
}

static void check_pread(int from, long pos, size_t count)
{
	static char buf[5 * PAGE];
	size_t want = want_at(pos, count);

	memset(buf, 0x55, count + 1);
	CHECK(pread(from, buf, count, pos) == (ssize_t)want);
	CHECK(memcmp(buf, map + pos, want) == 0);
	CHECK(buf[want] == 0x55);
}

static void at_the_end(void)
{
	char some[10];

	start();
	for (int i = 0; i < WARM; i++) {
		check_pread(fd, size - 100, PAGE);
		check_pread(fd, size - 1, 1);
		check_pread(fd, size - 2 * PAGE - 17, 3 * PAGE);
		CHECK(pread(fd, some, 10, size) == 0);
		CHECK(pread(fd, some, 10, size + 5 * PAGE) == 0);
	}
}

static void a_fault_in_the_middle_gives_what_came_before(void)
{
	char *buf = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char some[50];

	start();
	CHECK(buf != MAP_FAILED && munmap(buf + PAGE, PAGE) == 0);
	for (int i = 0; i < WARM; i++) {
		struct iovec iov[] = {{some, sizeof(some)}, {buf + PAGE - 7, 30}};

		CHECK(pread(fd, buf + PAGE - 100, 1000, 3 * PAGE + 5) == 100);
		CHECK(memcmp(buf + PAGE - 100, map + 3 * PAGE + 5, 100) == 0);
		FAILS(EFAULT, pread(fd, buf + PAGE, 1000, 3 * PAGE + 5));
		CHECK(preadv(fd, iov, 2, 3 * PAGE) == 57);
		CHECK(memcmp(some, map + 3 * PAGE, 50) == 0);
		CHECK(memcmp(buf + PAGE - 7, map + 3 * PAGE + 50, 7) == 0);
		/* A page that the file has and the buffer lacks, and no end either. */
		CHECK(pread(fd, buf + PAGE - 1, 2, 4 * PAGE - 1) == 1);
	}
	(void)munmap(buf, PAGE);
	(void)munmap(buf + 2 * PAGE, PAGE);
}

static void the_position_moves_by_what_was_read(void)
{
	static const size_t steps[] = {1, 4096, 1000, 4095, 4097, 333, 12000};
	char buf[12000];
	long pos = 0;
	int own;

	start();
	own = dup(fd);
	CHECK(own >= 0 && lseek(own, 0, SEEK_SET) == 0);
	for (int i = 0;; i++) {
		size_t count = steps[i / 50 % (int)(sizeof(steps) / sizeof(*steps))];
		size_t want = want_at(pos, count);
		struct iovec iov[] = {{buf, count / 3},
				      {buf + count / 3, 0},
				      {buf + count / 3, count - count / 3}};

		if (i % 2)
			CHECK(read(own, buf, count) == (ssize_t)want);
		else
			CHECK(readv(own, iov, 3) == (ssize_t)want);
		CHECK(memcmp(buf, map + pos, want) == 0);
		pos += (long)want;
		CHECK(lseek(own, 0, SEEK_CUR) == pos);
		if (!want)
			break;
		if (i % 40 == 39) { /* some of it again */
			pos -= pos < 3000 ? pos : 3000;
			CHECK(lseek(own, pos, SEEK_SET) == pos);
		}
	}
	CHECK(pos == size && close(own) == 0);
}

static void reader(int which)
{
	char path[64];
	int own;

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	own = which % 2 ? open(path, O_RDONLY) : dup(fd);
	CHECK(own >= 0);
	for (int i = 0; i < ROUNDS; i++) {
		uint64_t x = next_random();
		/* Half of them in a few pages that all want. */
		long pages = i & 1 ? 30 : size / PAGE + 2;

		check_pread(own, (long)(x % (uint64_t)(pages * PAGE)),
			    (size_t)(x >> 40) % (4 * PAGE) + 1);
		check_pread(own, (long)(x >> 32) % 64 * PAGE, PAGE);
	}
	for (long pos = 0; pos < size; pos += 3000)
		check_pread(own, pos, 3000);
	_exit(0);
}

static void many_read_the_same_file(void)
{
	int status;

	start();
	for (int i = 0; i < READERS; i++)
		if (fork() == 0)
			reader(i);
	for (int i = 0; i < READERS; i++)
		CHECK(wait(&status) > 0 && status == 0);
}

RUN(TEST(at_the_end), TEST(a_fault_in_the_middle_gives_what_came_before),
    TEST(the_position_moves_by_what_was_read), TEST(many_read_the_same_file))
