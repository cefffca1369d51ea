/* SPDX-License-Identifier: MIT */
/* files */
/* Reading and writing at the file offset, in one piece and in several. */
/* calls: read write readv writev */
#include "fixture.h"

#include <sys/uio.h>

static int fd;

static void writes_then_reads(void)
{
	char b[16] = "";

	fd = open("f", O_RDWR | O_CREAT | O_TRUNC, 0600);
	CHECK(fd >= 0);
	CHECK(write(fd, "hello world", 11) == 11 && lseek(fd, 0, SEEK_CUR) == 11);
	CHECK(read(fd, b, 5) == 0);
	CHECK(lseek(fd, 6, SEEK_SET) == 6 && read(fd, b, sizeof(b)) == 5);
	CHECK(memcmp(b, "world", 5) == 0 && b[5] == 0);
}

static void zero_bytes_do_nothing(void)
{
	char b;

	CHECK(lseek(fd, 0, SEEK_SET) == 0);
	CHECK(read(fd, &b, 0) == 0 && write(fd, "x", 0) == 0);
	CHECK(read(fd, NULL, 0) == 0 && write(fd, NULL, 0) == 0);
	CHECK(lseek(fd, 0, SEEK_CUR) == 0 && lseek(fd, 0, SEEK_END) == 11);
}

static void a_gap_reads_as_zeroes(void)
{
	static char b[10000];
	int g = open("gap", O_RDWR | O_CREAT | O_TRUNC, 0600);

	CHECK(lseek(g, 9999, SEEK_SET) == 9999 && write(g, "e", 1) == 1);
	CHECK(lseek(g, 0, SEEK_SET) == 0);
	memset(b, 1, sizeof(b));
	CHECK(read(g, b, sizeof(b)) == 10000);
	for (int i = 0; i < 9999; i++)
		CHECK(b[i] == 0);
	CHECK(b[9999] == 'e' && close(g) == 0);
}

static void vectors_fill_in_order(void)
{
	char a[3], b[4], c[10];
	struct iovec out[] = {{(void *)"ab", 2}, {NULL, 0}, {(void *)"cdefg", 5}};
	struct iovec in[] = {{a, 3}, {b, 2}, {c, 10}};

	CHECK(ftruncate(fd, 0) == 0 && lseek(fd, 0, SEEK_SET) == 0);
	CHECK(writev(fd, out, 3) == 7);
	CHECK(lseek(fd, 0, SEEK_SET) == 0 && readv(fd, in, 3) == 7);
	CHECK(memcmp(a, "abc", 3) == 0 && memcmp(b, "de", 2) == 0);
	CHECK(memcmp(c, "fg", 2) == 0 && lseek(fd, 0, SEEK_CUR) == 7);
	CHECK(readv(fd, in, 0) == 0 && writev(fd, out, 0) == 0);
}

static void large_transfers_are_whole(void)
{
	size_t size = 3 << 20;
	char *big = malloc(size), *back = malloc(size);
	int g = open("big", O_RDWR | O_CREAT | O_TRUNC, 0600);

	for (size_t i = 0; i < size; i++)
		big[i] = (char)(i * 7 + (i >> 11));
	CHECK(write(g, big, size) == (ssize_t)size && lseek(g, 0, SEEK_SET) == 0);
	CHECK(read(g, back, size) == (ssize_t)size && memcmp(big, back, size) == 0);
	CHECK(close(g) == 0 && unlink("big") == 0);
	free(big);
	free(back);
}

static void wrong_mode_is_ebadf(void)
{
	char b = 0;
	struct iovec v = {&b, 1};
	int r = open("f", O_RDONLY), w = open("f", O_WRONLY);

	FAILS(EBADF, write(r, "x", 1));
	FAILS(EBADF, read(w, &b, 1));
	FAILS(EBADF, writev(r, &v, 1));
	FAILS(EBADF, readv(w, &v, 1));
	FAILS(EBADF, read(w, &b, 0));
	CHECK(close(r) == 0 && close(w) == 0);
	FAILS(EBADF, read(r, &b, 1));
	FAILS(EBADF, write(-1, &b, 1));
	FAILS(EBADF, readv(-1, &v, 1));
}

static void vectors_have_limits(void)
{
	char b;
	static struct iovec many[1025];
	struct iovec negative = {&b, (size_t)-1};

	for (int i = 0; i < 1025; i++)
		many[i] = (struct iovec){&b, 0};
	CHECK(writev(fd, many, 1024) == 0);
	FAILS(EINVAL, writev(fd, many, 1025));
	FAILS(EINVAL, syscall(SYS_readv, fd, many, -1));
	FAILS(EINVAL, writev(fd, &negative, 1));
	FAILS(EINVAL, readv(fd, &negative, 1));
}

static void bad_buffers_are_efault(void)
{
	char *none = page_with(PROT_NONE), *ro = page_with(PROT_READ);

	CHECK(lseek(fd, 0, SEEK_SET) == 0);
	FOR_BAD(p)
	{
		FAILS(EFAULT, syscall(SYS_read, fd, p, 4));
		FAILS(EFAULT, syscall(SYS_write, fd, p, 4));
		FAILS(EFAULT, syscall(SYS_readv, fd, p, 1));
		FAILS(EFAULT, syscall(SYS_writev, fd, p, 1));
	}
	FAILS(EFAULT, read(fd, none, 4));
	FAILS(EFAULT, write(fd, none, 4));
	FAILS(EFAULT, read(fd, ro, 4));
	CHECK(lseek(fd, 0, SEEK_CUR) == 0 && lseek(fd, 0, SEEK_END) == 7);
}

static void a_read_stops_at_the_edge_of_memory(void)
{
	char *edge = page_edge();
	struct iovec v[2] = {{edge - 3, 3}, {bad_address(3), 4}};

	CHECK(lseek(fd, 0, SEEK_SET) == 0);
	CHECK(read(fd, edge - 3, 7) == 3 && memcmp(edge - 3, "abc", 3) == 0);
	CHECK(lseek(fd, 0, SEEK_CUR) == 3);
	CHECK(readv(fd, v, 2) == 3 && memcmp(edge - 3, "def", 3) == 0);
	FAILS(EFAULT, read(fd, edge, 7));
}

static void a_pipe_write_from_the_edge_is_partial_or_efault(void)
{
	char *edge = page_edge(), b[8];
	int p[2];
	ssize_t n;

	CHECK(pipe2(p, O_NONBLOCK) == 0);
	memcpy(edge - 2, "xy", 2);
	n = write(p[1], edge - 2, 8);
	CHECK(n == -1 && errno == EFAULT);
	FAILS(EAGAIN, read(p[0], b, 8));
	CHECK(close(p[0]) == 0 && close(p[1]) == 0);
}

static void a_file_size_limit(void)
{
	struct rlimit_ {
		unsigned long cur, max;
	} limit = {100, 100};
	static char b[200];
	int g = open("limited", O_RDWR | O_CREAT | O_TRUNC, 0600);

	signal(SIGXFSZ, SIG_IGN);
	CHECK(syscall(SYS_setrlimit, 1, &limit) == 0);
	CHECK(write(g, b, 60) == 60);
	CHECK(write(g, b, 60) == 40);
	FAILS(EFBIG, write(g, b, 1));
	FAILS(EFBIG, ftruncate(g, 101));
	signal(SIGXFSZ, SIG_DFL);
	write(g, b, 1);
}

static void the_size_limit_shortens_then_signals(void)
{
	int status = in_child(a_file_size_limit);

	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGXFSZ);
}

static void a_blocked_read_is_interrupted(void)
{
	struct interrupter in;
	int p[2];
	char b;

	CHECK(pipe(p) == 0);
	interrupt_start(&in, 0, -1);
	FAILS(EINTR, read(p[0], &b, 1));
	interrupt_stop(&in);
	interrupt_start(&in, SA_RESTART, p[1]);
	CHECK(read(p[0], &b, 1) == 1 && b == '!');
	CHECK(interrupts > 0);
	interrupt_stop(&in);
	CHECK(close(p[0]) == 0 && close(p[1]) == 0);
}

static void read_three(void)
{
	char b[3];

	CHECK(read(fd, b, 3) == 3 && memcmp(b, "abc", 3) == 0);
}

static void the_offset_is_shared_with_children(void)
{
	char b[3];

	CHECK(lseek(fd, 0, SEEK_SET) == 0);
	CHECK(in_child(read_three) == 0);
	CHECK(read(fd, b, 3) == 3 && memcmp(b, "def", 3) == 0);
}

static void *write_records(void *arg)
{
	char rec[64];

	memset(rec, *(char *)arg, sizeof(rec));
	for (int i = 0; i < 500; i++)
		CHECK(write(fd, rec, sizeof(rec)) == sizeof(rec));
	return NULL;
}

static void concurrent_writes_do_not_overlap(void)
{
	static char b[64000];
	char x = 'x', y = 'y';
	int nx = 0;
	pthread_t t;

	CHECK(ftruncate(fd, 0) == 0 && lseek(fd, 0, SEEK_SET) == 0);
	CHECK(pthread_create(&t, NULL, write_records, &x) == 0);
	write_records(&y);
	CHECK(pthread_join(t, NULL) == 0);
	CHECK(lseek(fd, 0, SEEK_SET) == 0 && read(fd, b, sizeof(b)) == sizeof(b));
	for (int i = 0; i < 1000; i++) {
		nx += b[i * 64] == 'x';
		for (int j = 1; j < 64; j++)
			CHECK(b[i * 64 + j] == b[i * 64]);
	}
	CHECK(nx == 500);
}

static void sizes_that_cannot_be_are_efault(void)
{
	static char buf[8];
	struct iovec v[2] = {{buf, 4}, {(void *)0xffff800000000000UL, 4}};

	FAILS(EFAULT, syscall(SYS_read, fd, buf, -1L));
	FAILS(EFAULT, syscall(SYS_write, fd, buf, 1L << 62));
	FAILS(EFAULT, readv(fd, v, 2));
}

static void sizes_of_vectors_come_before_addresses(void)
{
	static char buf[8];
	struct iovec v[2] = {{(void *)0xffff800000000000UL, 4}, {buf, 1UL << 63}};

	FAILS(EINVAL, readv(fd, v, 2));
}

RUN(TEST(writes_then_reads), TEST(zero_bytes_do_nothing), TEST(a_gap_reads_as_zeroes),
    TEST(vectors_fill_in_order), TEST(large_transfers_are_whole),
    TEST(wrong_mode_is_ebadf), TEST(vectors_have_limits), TEST(bad_buffers_are_efault),
    TEST(a_read_stops_at_the_edge_of_memory),
    TEST(a_pipe_write_from_the_edge_is_partial_or_efault),
    TEST(the_size_limit_shortens_then_signals), TEST(a_blocked_read_is_interrupted),
    TEST(the_offset_is_shared_with_children),
    TEST(sizes_of_vectors_come_before_addresses), TEST(sizes_that_cannot_be_are_efault),
    TEST(concurrent_writes_do_not_overlap))
