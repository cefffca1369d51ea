/* SPDX-License-Identifier: MIT */
/* files */
/* The flags of preadv2 and pwritev2, and which files know them. */
/* calls: preadv2 pwritev2 */
#include "fixture.h"

#include <sys/socket.h>
#include <sys/uio.h>

#ifndef RWF_NOAPPEND
#define RWF_NOAPPEND 0x20
#endif
enum { ATOMIC = 0x40, UNKNOWN = 0x1000 };

static char b[8] = "12345";
static struct iovec v = {b, 5};

static void sync_flags_change_nothing_else(void)
{
	static const int flags[] = {RWF_HIPRI, RWF_DSYNC, RWF_SYNC};
	int f = open("f", O_RDWR | O_CREAT | O_TRUNC, 0600);

	for (size_t i = 0; i < 3; i++) {
		CHECK(pwritev2(f, &v, 1, (off_t)i, flags[i]) == 5);
		CHECK(preadv2(f, &v, 1, (off_t)i, flags[i]) == 5);
	}
	CHECK(memcmp(b, "12345", 5) == 0 && close(f) == 0);
}

static void appending_moves_only_a_position_that_is_used(void)
{
	int f = open("f", O_RDWR | O_CREAT | O_TRUNC, 0600);
	struct stat st;

	CHECK(pwritev2(f, &v, 1, 100, RWF_APPEND) == 5 && file_is("f", "12345"));
	CHECK(lseek(f, 0, SEEK_CUR) == 0);
	CHECK(pwritev2(f, &v, 1, -1, RWF_APPEND) == 5 && lseek(f, 0, SEEK_CUR) == 10);
	FAILS(EINVAL, pwritev2(f, &v, 1, 0, RWF_APPEND | RWF_NOAPPEND));
	CHECK(fstat(f, &st) == 0 && st.st_size == 10 && close(f) == 0);
}

static void unknown_flags_are_refused_if_there_is_something_to_do(void)
{
	struct iovec none[2] = {{b, 0}, {b, 0}};
	int f = open("f", O_RDWR);

	FAILS(EOPNOTSUPP, preadv2(f, &v, 1, 0, UNKNOWN));
	FAILS(EOPNOTSUPP, pwritev2(f, &v, 1, 0, UNKNOWN));
	FAILS(EOPNOTSUPP, pwritev2(f, &v, 1, 0, ATOMIC));
	FAILS(EOPNOTSUPP, preadv2(f, &v, 1, 0, ATOMIC));
	CHECK(preadv2(f, &v, 0, 0, UNKNOWN) == 0 && preadv2(f, none, 2, 0, UNKNOWN) == 0);
	CHECK(pwritev2(f, none, 2, 0, UNKNOWN) == 0 && close(f) == 0);
}

static void files_without_flags(void)
{
	int dir = open(".", O_RDONLY), proc = open("/proc/self/status", O_RDONLY);

	FAILS(EISDIR, preadv2(dir, &v, 1, 0, RWF_HIPRI));
	FAILS(EOPNOTSUPP, preadv2(dir, &v, 1, 0, RWF_SYNC));
	CHECK(preadv2(proc, &v, 1, 0, RWF_HIPRI) == 5);
	FAILS(EOPNOTSUPP, preadv2(proc, &v, 1, 0, RWF_NOWAIT));
	CHECK(close(dir) == 0 && close(proc) == 0);
}

static void only_some_files_need_not_wait(void)
{
	int sk[2], p[2], mem = memfd_create("m", 0), zero = open("/dev/zero", O_RDWR);

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, sk) == 0 && pipe(p) == 0);
	FAILS(EAGAIN, preadv2(sk[0], &v, 1, -1, RWF_NOWAIT));
	CHECK(pwritev2(sk[1], &v, 1, -1, RWF_NOWAIT) == 5);
	CHECK(preadv2(sk[0], &v, 1, -1, RWF_NOWAIT) == 5);
	CHECK(preadv2(zero, &v, 1, 0, RWF_NOWAIT) == 5);
	if (preadv2(p[0], &v, 1, -1, RWF_NOWAIT) == 0 || errno != EOPNOTSUPP) {
		/* Since Linux 6.4: but not when opened once more. */
		char path[64];
		int again;

		CHECK(errno == EAGAIN);
		CHECK(pwritev2(p[1], &v, 1, -1, RWF_NOWAIT) == 5);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", p[0]);
		again = open(path, O_RDONLY);
		FAILS(EOPNOTSUPP, preadv2(again, &v, 1, -1, RWF_NOWAIT));
		CHECK(close(again) == 0);
		CHECK(preadv2(p[0], &v, 1, -1, RWF_NOWAIT) == 5);
	}
	FAILS(EOPNOTSUPP, preadv2(mem, &v, 1, 0, RWF_NOWAIT));
	FAILS(EOPNOTSUPP, pwritev2(mem, &v, 1, 0, RWF_NOWAIT));
	CHECK(close(sk[0]) == 0 && close(sk[1]) == 0 && close(p[0]) == 0);
	CHECK(close(p[1]) == 0 && close(mem) == 0 && close(zero) == 0);
}

static void positions_and_descriptors(void)
{
	int f = open("f", O_RDWR), ro = open("f", O_RDONLY), p[2];

	CHECK(pipe(p) == 0);
	FAILS(EINVAL, preadv2(f, &v, 1, -2, 0));
	FAILS(EINVAL, preadv2(f, &v, 1, INT64_MAX - 4, 0));
	FAILS(EINVAL, pwritev2(f, &v, 1, INT64_MAX - 4, 0));
	FAILS(EINVAL, syscall(SYS_preadv2, f, &v, -1L, 0L, 0L, 0));
	FAILS(EBADF, pwritev2(ro, &v, 1, 0, 0));
	FAILS(ESPIPE, pwritev2(p[0], &v, 1, 0, 0));
	FAILS(ESPIPE, preadv2(p[0], &v, 1, 0, 0));
	FAILS(EBADF, pwritev2(p[0], &v, 1, -1, 0));
	FAILS(EFAULT, syscall(SYS_preadv2, f, 1L, 1L, 0L, 0L, 0));
	CHECK(close(f) == 0 && close(ro) == 0 && close(p[0]) == 0 && close(p[1]) == 0);
}

/* Gathering nothing is no call: a datagram socket sends nothing. */
static void an_empty_writev_sends_nothing(void)
{
	struct iovec none = {b, 0};
	int sk[2];

	CHECK(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, sk) == 0);
	CHECK(writev(sk[0], &none, 1) == 0);
	FAILS(EAGAIN, read(sk[1], b, 1));
	CHECK(close(sk[0]) == 0 && close(sk[1]) == 0);
}

RUN(TEST(sync_flags_change_nothing_else),
    TEST(appending_moves_only_a_position_that_is_used),
    TEST(unknown_flags_are_refused_if_there_is_something_to_do),
    TEST(files_without_flags), TEST(only_some_files_need_not_wait),
    TEST(positions_and_descriptors), TEST(an_empty_writev_sends_nothing))
