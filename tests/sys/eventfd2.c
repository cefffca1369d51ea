/* SPDX-License-Identifier: MIT */
/* A counter that can be waited on. */
/* calls: eventfd2 eventfd */
#include "fixture.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/uio.h>

static void read_resets_the_sum(void)
{
	uint64_t v = 0, one = 1;
	int fd = eventfd(3, EFD_NONBLOCK);

	CHECK(fd >= 0);
	CHECK(read(fd, &v, sizeof(v)) == sizeof(v) && v == 3);
	FAILS(EAGAIN, read(fd, &v, sizeof(v)));
	for (int i = 0; i < 5; i++)
		CHECK(write(fd, &one, sizeof(one)) == sizeof(one));
	CHECK(read(fd, &v, sizeof(v)) == sizeof(v) && v == 5);
	CHECK(close(fd) == 0);
}

static void a_semaphore_gives_one_at_a_time(void)
{
	uint64_t v = 0;
	int fd = eventfd(2, EFD_NONBLOCK | EFD_SEMAPHORE);

	CHECK(read(fd, &v, sizeof(v)) == sizeof(v) && v == 1);
	CHECK(read(fd, &v, sizeof(v)) == sizeof(v) && v == 1);
	FAILS(EAGAIN, read(fd, &v, sizeof(v)));
	CHECK(close(fd) == 0);
}

static void the_old_call_takes_no_flags(void)
{
	uint64_t v = 0;
	int fd = (int)syscall(SYS_eventfd, 7U);

	CHECK(fd >= 0 && fcntl(fd, F_GETFD) == 0 && !(fcntl(fd, F_GETFL) & O_NONBLOCK));
	CHECK(read(fd, &v, sizeof(v)) == sizeof(v) && v == 7 && close(fd) == 0);
}

static void flags_are_kept(void)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	CHECK(fcntl(fd, F_GETFD) == FD_CLOEXEC && (fcntl(fd, F_GETFL) & O_NONBLOCK));
	CHECK((fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDWR && close(fd) == 0);
}

static void the_sum_is_bounded(void)
{
	uint64_t max = UINT64_MAX - 1, one = 1, all = UINT64_MAX, v;
	int fd = eventfd(0, EFD_NONBLOCK);
	struct pollfd f = {fd, POLLIN | POLLOUT, 0};

	CHECK(poll(&f, 1, 0) == 1 && f.revents == POLLOUT);
	FAILS(EINVAL, write(fd, &all, sizeof(all)));
	CHECK(write(fd, &max, sizeof(max)) == sizeof(max));
	FAILS(EAGAIN, write(fd, &one, sizeof(one)));
	CHECK(poll(&f, 1, 0) == 1 && f.revents == POLLIN);
	CHECK(read(fd, &v, sizeof(v)) == sizeof(v) && v == max);
	CHECK(close(fd) == 0);
}

static void short_buffers_are_refused(void)
{
	uint64_t v[2] = {0};
	int fd = eventfd(1, 0);

	FAILS(EINVAL, read(fd, v, 7));
	FAILS(EINVAL, write(fd, v, 7));
	CHECK(read(fd, v, 16) == 8 && v[0] == 1);
	v[0] = 4;
	CHECK(write(fd, v, 8) == 8 && read(fd, v, 8) == 8 && v[0] == 4);
	FAILS(ESPIPE, pread(fd, v, 8, 0));
	CHECK(close(fd) == 0);
}

static void unknown_flags_are_refused(void)
{
	FAILS(EINVAL, eventfd(0, 1 << 30));
	FAILS(EINVAL, eventfd(0, 2));
}

static void bad_pointers_are_efault(void)
{
	int fd = eventfd(1, EFD_NONBLOCK);

	FOR_BAD(p)
	{
		FAILS(EFAULT, syscall(SYS_write, fd, p, 8));
	}
	FAILS(EFAULT, syscall(SYS_read, fd, bad_address(1), 8));
	CHECK(close(fd) == 0);
}

static void a_blocked_read_is_interrupted(void)
{
	struct interrupter in;
	uint64_t v;
	int fd = eventfd(0, 0);

	interrupt_start(&in, 0, -1);
	FAILS(EINTR, read(fd, &v, sizeof(v)));
	interrupt_stop(&in);
	CHECK(close(fd) == 0);
}

static int shared;

static void it_has_no_position_but_lets_itself_be_seeked(void)
{
	char b[8];
	int fd = eventfd(3, 0);

	CHECK(lseek(fd, 0, SEEK_SET) == 0 && lseek(fd, 5, SEEK_CUR) == 0);
	CHECK(lseek(fd, 7, SEEK_END) == 0);
	FAILS(EINVAL, lseek(fd, 0, 77));
	FAILS(ESPIPE, pread(fd, b, 8, 0));
	FAILS(ESPIPE, pwrite(fd, b, 8, 8));
	CHECK(close(fd) == 0);
}

static void add_ten(void)
{
	CHECK(eventfd_write(shared, 10) == 0);
}

static void children_share_the_counter(void)
{
	eventfd_t v;

	shared = eventfd(0, 0);
	CHECK(in_child(add_ten) == 0 && eventfd_read(shared, &v) == 0 && v == 10);
	CHECK(close(shared) == 0);
}

static void *add_many(void *arg)
{
	(void)arg;
	for (int i = 0; i < 10000; i++)
		CHECK(eventfd_write(shared, 1) == 0);
	return NULL;
}

static void no_addition_is_lost(void)
{
	eventfd_t v, sum = 0;
	pthread_t a, b;

	shared = eventfd(0, 0);
	CHECK(pthread_create(&a, NULL, add_many, NULL) == 0);
	CHECK(pthread_create(&b, NULL, add_many, NULL) == 0);
	while (sum < 20000) {
		CHECK(eventfd_read(shared, &v) == 0 && v > 0);
		sum += v;
	}
	CHECK(sum == 20000 && pthread_join(a, NULL) == 0 && pthread_join(b, NULL) == 0);
	CHECK(close(shared) == 0);
}

static void each_piece_of_a_vector_is_a_write(void)
{
	int fd = eventfd(0, EFD_NONBLOCK);
	uint64_t v[3] = {1, 2, 3};
	struct iovec whole[2] = {{&v[0], 8}, {&v[1], 8}};
	struct iovec torn[2] = {{&v[0], 4}, {(char *)&v[0] + 4, 4}};
	struct iovec tail[2] = {{&v[0], 8}, {&v[1], 4}};

	CHECK(writev(fd, whole, 2) == 16);
	CHECK(read(fd, &v[2], 8) == 8 && v[2] == 3);
	FAILS(EINVAL, writev(fd, torn, 2));
	CHECK(writev(fd, tail, 2) == 8);
	CHECK(readv(fd, torn, 2) == 8 && v[0] == 1);
	CHECK(close(fd) == 0);
}

RUN(TEST(each_piece_of_a_vector_is_a_write), TEST(read_resets_the_sum),
    TEST(a_semaphore_gives_one_at_a_time), TEST(the_old_call_takes_no_flags),
    TEST(flags_are_kept), TEST(the_sum_is_bounded), TEST(short_buffers_are_refused),
    TEST(it_has_no_position_but_lets_itself_be_seeked), TEST(unknown_flags_are_refused),
    TEST(bad_pointers_are_efault), TEST(a_blocked_read_is_interrupted),
    TEST(children_share_the_counter), TEST(no_addition_is_lost))
