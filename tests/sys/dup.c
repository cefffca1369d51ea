/* SPDX-License-Identifier: MIT */
/* files */
/* Second numbers for one open description. */
/* calls: dup dup2 dup3 */
#include "fixture.h"

#include <sys/resource.h>

static void copies_share_the_offset_and_status_flags(void)
{
	int fd, d;

	file_put("f", "0123456789");
	fd = open("f", O_RDWR);
	d = dup(fd);
	CHECK(d > fd && lseek(fd, 4, SEEK_SET) == 4 && lseek(d, 0, SEEK_CUR) == 4);
	CHECK(fcntl(d, F_SETFL, O_APPEND) == 0 && (fcntl(fd, F_GETFL) & O_APPEND));
	CHECK(close(fd) == 0 && lseek(d, 0, SEEK_CUR) == 4 && close(d) == 0);
}

static void copies_do_not_share_cloexec(void)
{
	int fd = open("f", O_RDONLY | O_CLOEXEC), d = dup(fd);

	CHECK(fcntl(d, F_GETFD) == 0 && fcntl(fd, F_GETFD) == FD_CLOEXEC);
	CHECK(dup2(fd, d) == d && fcntl(d, F_GETFD) == 0);
	CHECK(dup3(fd, d, O_CLOEXEC) == d && fcntl(d, F_GETFD) == FD_CLOEXEC);
	CHECK(close(fd) == 0 && close(d) == 0);
}

static void dup2_replaces_an_open_number(void)
{
	int p[2], fd = open("f", O_RDONLY);
	char x;

	CHECK(pipe(p) == 0);
	CHECK(dup2(fd, p[1]) == p[1]);
	CHECK(read(p[0], &x, 1) == 0);
	CHECK(read(p[1], &x, 1) == 1 && x == '0');
	CHECK(close(fd) == 0 && close(p[0]) == 0 && close(p[1]) == 0);
}

static void dup2_of_a_number_to_itself_does_nothing(void)
{
	int fd = open("f", O_RDONLY | O_CLOEXEC);

	CHECK(dup2(fd, fd) == fd && fcntl(fd, F_GETFD) == FD_CLOEXEC);
	CHECK(close(fd) == 0);
	FAILS(EBADF, dup2(fd, fd));
}

static void dup3_of_a_number_to_itself_is_einval(void)
{
	FAILS(EINVAL, dup3(0, 0, 0));
	FAILS(EINVAL, dup3(900, 900, 0));
}

static void bad_numbers_are_ebadf(void)
{
	FAILS(EBADF, dup(-1));
	FAILS(EBADF, dup(900));
	FAILS(EBADF, dup2(900, 5));
	FAILS(EBADF, dup2(0, -1));
	FAILS(EBADF, dup2(0, 1 << 30));
	FAILS(EBADF, dup3(0, -1, 0));
	FAILS(EBADF, dup3(-1, 5, 0));
}

static void unknown_flags_are_refused(void)
{
	FAILS(EINVAL, dup3(0, 50, O_NONBLOCK));
	FAILS(EINVAL, dup3(0, 50, 1));
	FAILS(EINVAL, dup3(0, 50, -1));
}

static void small_limit(void)
{
	struct rlimit limit = {10, 10};

	CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	FAILS(EBADF, dup2(0, 10));
	CHECK(dup2(0, 9) == 9);
	while (dup(0) >= 0)
		;
	FAILS(EMFILE, dup(0));
	FAILS(EBADF, dup3(0, 10, 0));
}

static void the_limit_binds(void)
{
	CHECK(in_child(small_limit) == 0);
}

static void *toggle(void *arg)
{
	int *p = arg;

	for (int i = 0; i < 2000; i++)
		CHECK(dup2(p[i & 1], 80) == 80);
	return NULL;
}

static void replacing_is_atomic(void)
{
	int files[2] = {open("f", O_RDONLY), open("/dev/null", O_RDONLY)};
	struct stat st;
	pthread_t t;

	CHECK(dup2(files[0], 80) == 80);
	CHECK(pthread_create(&t, NULL, toggle, files) == 0);
	for (int i = 0; i < 2000; i++)
		CHECK(fstat(80, &st) == 0);
	CHECK(pthread_join(t, NULL) == 0);
	CHECK(close(80) == 0 && close(files[0]) == 0 && close(files[1]) == 0);
}

RUN(TEST(copies_share_the_offset_and_status_flags), TEST(copies_do_not_share_cloexec),
    TEST(dup2_replaces_an_open_number), TEST(dup2_of_a_number_to_itself_does_nothing),
    TEST(dup3_of_a_number_to_itself_is_einval), TEST(bad_numbers_are_ebadf),
    TEST(unknown_flags_are_refused), TEST(the_limit_binds), TEST(replacing_is_atomic))
