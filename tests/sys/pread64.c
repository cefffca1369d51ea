/* SPDX-License-Identifier: MIT */
/* files */
/* Reading and writing at a given place, without moving the offset. */
/* calls: pread64 pwrite64 preadv pwritev preadv2 pwritev2 */
#include "fixture.h"

#include <sys/uio.h>

#ifndef RWF_APPEND
#define RWF_APPEND 0x10
#endif

static int fd;

static long rwv2(long nr, int f, struct iovec *v, int count, off_t off, int flags)
{
	return syscall(nr, f, v, count, off, 0, flags);
}

static void leave_the_offset_alone(void)
{
	char b[8] = "";

	file_put("f", "0123456789");
	fd = open("f", O_RDWR);
	CHECK(lseek(fd, 2, SEEK_SET) == 2);
	CHECK(pread(fd, b, 3, 5) == 3 && memcmp(b, "567", 3) == 0);
	CHECK(pwrite(fd, "XY", 2, 8) == 2);
	CHECK(lseek(fd, 0, SEEK_CUR) == 2 && file_is("f", "01234567XY"));
	CHECK(pread(fd, b, 8, 10) == 0 && pread(fd, b, 8, 1000) == 0);
	CHECK(pread(fd, b, 8, 8) == 2);
}

static void vectors_work_at_an_offset(void)
{
	char a[2], b[3];
	struct iovec in[] = {{a, 2}, {b, 3}};
	struct iovec out[] = {{(void *)"ab", 2}, {(void *)"c", 1}};

	CHECK(preadv(fd, in, 2, 1) == 5);
	CHECK(memcmp(a, "12", 2) == 0 && memcmp(b, "345", 3) == 0);
	CHECK(pwritev(fd, out, 2, 12) == 3);
	CHECK(lseek(fd, 0, SEEK_CUR) == 2 && lseek(fd, 0, SEEK_END) == 15);
	CHECK(lseek(fd, 2, SEEK_SET) == 2);
}

static void the_second_version_may_use_the_offset(void)
{
	char a[2];
	struct iovec in = {a, 2};

	CHECK(rwv2(SYS_preadv2, fd, &in, 1, -1, 0) == 2 && memcmp(a, "23", 2) == 0);
	CHECK(lseek(fd, 0, SEEK_CUR) == 4);
	CHECK(rwv2(SYS_pwritev2, fd, &in, 1, -1, 0) == 2 && lseek(fd, 0, SEEK_CUR) == 6);
	CHECK(rwv2(SYS_preadv2, fd, &in, 1, 0, 0) == 2 && lseek(fd, 0, SEEK_CUR) == 6);
}

static void the_append_flag_writes_at_the_end(void)
{
	struct iovec out = {(void *)"E", 1};
	off_t end = lseek(fd, 0, SEEK_END);
	char c;

	CHECK(rwv2(SYS_pwritev2, fd, &out, 1, 0, RWF_APPEND) == 1);
	CHECK(pread(fd, &c, 1, end) == 1 && c == 'E');
}

static void an_appending_descriptor_ignores_the_offset(void)
{
	int a;

	file_put("g", "abc");
	a = open("g", O_RDWR | O_APPEND);
	CHECK(pwrite(a, "D", 1, 0) == 1 && close(a) == 0 && file_is("g", "abcD"));
}

static void negative_offsets_are_einval(void)
{
	char b = 0;
	struct iovec v = {&b, 1};

	FAILS(EINVAL, pread(fd, &b, 1, -1));
	FAILS(EINVAL, pwrite(fd, &b, 1, -1));
	FAILS(EINVAL, preadv(fd, &v, 1, -1));
	FAILS(EINVAL, pwritev(fd, &v, 1, -1));
	FAILS(EINVAL, rwv2(SYS_preadv2, fd, &v, 1, -2, 0));
}

static void pipes_are_espipe(void)
{
	char b = 0;
	struct iovec v = {&b, 1};
	int p[2];

	CHECK(pipe(p) == 0);
	FAILS(ESPIPE, pread(p[0], &b, 1, 0));
	FAILS(ESPIPE, pwrite(p[1], &b, 1, 0));
	FAILS(ESPIPE, preadv(p[0], &v, 1, 0));
	FAILS(ESPIPE, pwritev(p[1], &v, 1, 0));
	CHECK(rwv2(SYS_pwritev2, p[1], &v, 1, -1, 0) == 1);
	CHECK(rwv2(SYS_preadv2, p[0], &v, 1, -1, 0) == 1);
	CHECK(close(p[0]) == 0 && close(p[1]) == 0);
}

static void bad_descriptors_are_ebadf(void)
{
	char b = 0;
	int r = open("f", O_RDONLY), w = open("f", O_WRONLY);

	FAILS(EBADF, pread(w, &b, 1, 0));
	FAILS(EBADF, pwrite(r, &b, 1, 0));
	FAILS(EBADF, pread(-1, &b, 1, 0));
	FAILS(EBADF, pwrite(999, &b, 1, 0));
	CHECK(close(r) == 0 && close(w) == 0);
}

static void unknown_flags_are_refused(void)
{
	char b = 0;
	struct iovec v = {&b, 1};

	FAILS(EOPNOTSUPP, rwv2(SYS_preadv2, fd, &v, 1, 0, 1 << 30));
	FAILS(EOPNOTSUPP, rwv2(SYS_pwritev2, fd, &v, 1, 0, 1 << 30));
}

static void bad_buffers_are_efault(void)
{
	FOR_BAD(p)
	{
		FAILS(EFAULT, syscall(SYS_pread64, fd, p, 4, 0L));
		FAILS(EFAULT, syscall(SYS_pwrite64, fd, p, 4, 0L));
		FAILS(EFAULT, syscall(SYS_preadv, fd, p, 1, 0L, 0L));
		FAILS(EFAULT, syscall(SYS_pwritev, fd, p, 1, 0L, 0L));
	}
}

static void edge_reads_are_partial(void)
{
	char *edge = page_edge();

	CHECK(pread(fd, edge - 4, 8, 0) == 4 && memcmp(edge - 4, "01", 2) == 0);
}

/* A file lets nobody wait, so that no signal cuts a write short. */
static void no_signal_gets_between(void)
{
	int fd = open("a", O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600);
	struct interrupter in;
	long count = 0;

	CHECK(fd >= 0);
	interrupt_start(&in, 0, -1);
	for (; interrupts < 40; count++)
		CHECK(write(fd, "12345678", 8) == 8);
	interrupt_stop(&in);
	CHECK(lseek(fd, 0, SEEK_END) == 8 * count && close(fd) == 0);
}

RUN(TEST(no_signal_gets_between), TEST(leave_the_offset_alone),
    TEST(vectors_work_at_an_offset), TEST(the_second_version_may_use_the_offset),
    TEST(the_append_flag_writes_at_the_end),
    TEST(an_appending_descriptor_ignores_the_offset), TEST(negative_offsets_are_einval),
    TEST(pipes_are_espipe), TEST(bad_descriptors_are_ebadf),
    TEST(unknown_flags_are_refused), TEST(bad_buffers_are_efault),
    TEST(edge_reads_are_partial))
