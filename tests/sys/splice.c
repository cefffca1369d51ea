/* SPDX-License-Identifier: MIT */
/* files */
/* Moving and doubling what is in pipes. */
/* calls: splice tee vmsplice */
#include "fixture.h"

#include <sys/uio.h>

static int p[2], q[2];

static void file_to_pipe_to_file(void)
{
	loff_t off = 2;
	int in, out = open("out", O_RDWR | O_CREAT | O_TRUNC, 0600);

	CHECK(pipe(p) == 0 && pipe(q) == 0);
	file_put("in", "0123456789");
	in = open("in", O_RDONLY);
	CHECK(splice(in, &off, p[1], NULL, 5, 0) == 5 && off == 7);
	CHECK(splice(p[0], NULL, out, NULL, 100, 0) == 5 && file_is("out", "23456"));
	CHECK(lseek(in, 0, SEEK_CUR) == 0 && lseek(out, 0, SEEK_CUR) == 5);
	CHECK(close(in) == 0 && close(out) == 0);
}

static void pipe_to_pipe(void)
{
	char b[8];

	CHECK(write(p[1], "abc", 3) == 3 && splice(p[0], NULL, q[1], NULL, 8, 0) == 3);
	CHECK(read(q[0], b, 8) == 3 && memcmp(b, "abc", 3) == 0);
}

static void tee_leaves_the_source(void)
{
	char b[8];

	CHECK(write(p[1], "tee", 3) == 3 && tee(p[0], q[1], 8, 0) == 3);
	CHECK(read(p[0], b, 8) == 3 && read(q[0], b, 8) == 3 && memcmp(b, "tee", 3) == 0);
}

static void vmsplice_takes_memory(void)
{
	char b[8];
	struct iovec v = {(void *)"mem", 3};

	CHECK(vmsplice(p[1], &v, 1, 0) == 3 && read(p[0], b, 8) == 3);
	CHECK(memcmp(b, "mem", 3) == 0);
}

static void does_not_wait_when_told(void)
{
	FAILS(EAGAIN, splice(p[0], NULL, q[1], NULL, 8, SPLICE_F_NONBLOCK));
	FAILS(EAGAIN, tee(p[0], q[1], 8, SPLICE_F_NONBLOCK));
}

static void documented_errors(void)
{
	loff_t off = 0;
	int in = open("in", O_RDONLY), out = open("out", O_RDWR);

	FAILS(EINVAL, splice(in, NULL, out, NULL, 4, 0));
	FAILS(ESPIPE, splice(p[0], &off, out, NULL, 4, 0));
	FAILS(EBADF, splice(-1, NULL, p[1], NULL, 4, 0));
	FAILS(EBADF, splice(p[0], NULL, in, NULL, 4, 0));
	FAILS(EINVAL, splice(p[0], NULL, p[1], NULL, 4, 0));
	FAILS(EINVAL, tee(in, p[1], 4, 0));
	FAILS(EINVAL, tee(p[0], p[1], 4, 0));
	FAILS(EINVAL, splice(in, NULL, p[1], NULL, 4, 0x100));
	CHECK(close(in) == 0 && close(out) == 0);
}

RUN(TEST(file_to_pipe_to_file), TEST(pipe_to_pipe), TEST(tee_leaves_the_source),
    TEST(vmsplice_takes_memory), TEST(does_not_wait_when_told), TEST(documented_errors))
