/* SPDX-License-Identifier: MIT */
/* files */
/* What else fcntl and ioctl do to any descriptor: hints, queries, pipe sizes, seals. */
/* calls: fcntl ioctl close_range dup3 */
#include "asleep.h"
#include "fixture.h"

#include <linux/close_range.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#ifndef F_DUPFD_QUERY
#define F_DUPFD_QUERY 1027
#endif
#ifndef F_CREATED_QUERY
#define F_CREATED_QUERY 1028
#endif
#ifndef F_GET_RW_HINT
#define F_GET_RW_HINT 1035
#define F_SET_RW_HINT 1036
#endif

static int fd;

static void write_hints_are_the_inodes(void)
{
	uint64_t hint = 99;
	int other;

	file_put("f", "text");
	fd = open("f", O_RDWR);
	CHECK(fcntl(fd, F_GET_RW_HINT, &hint) == 0 && hint == 0);
	hint = 3;
	CHECK(fcntl(fd, F_SET_RW_HINT, &hint) == 0);
	other = open("f", O_RDONLY);
	hint = 0;
	CHECK(fcntl(other, F_GET_RW_HINT, &hint) == 0 && hint == 3);
	hint = 6;
	FAILS(EINVAL, fcntl(fd, F_SET_RW_HINT, &hint));
	hint = 1ULL << 40;
	FAILS(EINVAL, fcntl(fd, F_SET_RW_HINT, &hint));
	FAILS(EINVAL, fcntl(fd, 1037, &hint));
	FAILS(EINVAL, fcntl(fd, 1038, &hint));
	FAILS(EFAULT, fcntl(fd, F_GET_RW_HINT, (void *)8));
	FAILS(EFAULT, fcntl(fd, F_SET_RW_HINT, (void *)8));
	CHECK(close(other) == 0);
}

static void queries(void)
{
	int same = dup(fd);
	int other = open("f", O_RDONLY);
	int path = open("f", O_PATH);
	int made = open("made", O_RDWR | O_CREAT, 0600);

	CHECK(fcntl(fd, F_DUPFD_QUERY, same) == 1 && fcntl(fd, F_DUPFD_QUERY, fd) == 1);
	CHECK(fcntl(fd, F_DUPFD_QUERY, other) == 0);
	CHECK(fcntl(path, F_DUPFD_QUERY, path) == 1);
	FAILS(EBADF, fcntl(fd, F_DUPFD_QUERY, -1));
	FAILS(EBADF, fcntl(fd, F_DUPFD_QUERY, 9999));
	CHECK(fcntl(made, F_CREATED_QUERY) == 1 && fcntl(fd, F_CREATED_QUERY) == 0);
	CHECK(close(made) == 0);
	made = open("made", O_RDWR | O_CREAT, 0600);
	CHECK(fcntl(made, F_CREATED_QUERY) == 0);
	CHECK(close(made) == 0 && close(path) == 0 && close(other) == 0);
	CHECK(close(same) == 0 && unlink("made") == 0);
}

static void as_a_user(void)
{
	int p[2];

	become_user();
	CHECK(pipe(p) == 0);
	CHECK(fcntl(p[0], F_SETPIPE_SZ, 1 << 20) == 1 << 20);
	FAILS(EPERM, fcntl(p[0], F_SETPIPE_SZ, 1 << 21));
	CHECK(fcntl(p[0], F_SETPIPE_SZ, 1 << 19) == 1 << 19);
}

static void pipe_sizes(void)
{
	char byte[PAGE] = "";
	int p[2];

	CHECK(in_child(as_a_user) == 0);
	CHECK(pipe(p) == 0 && fcntl(p[0], F_GETPIPE_SZ) == 65536);
	CHECK(fcntl(p[1], F_SETPIPE_SZ, 0) == (int)PAGE);
	CHECK(fcntl(p[1], F_SETPIPE_SZ, 5000) == 8192 &&
	      fcntl(p[0], F_GETPIPE_SZ) == 8192);
	CHECK(write(p[1], byte, PAGE) == (ssize_t)PAGE);
	CHECK(write(p[1], byte, PAGE) == (ssize_t)PAGE);
	FAILS(EBUSY, fcntl(p[1], F_SETPIPE_SZ, PAGE));
	FAILS(EINVAL, fcntl(p[1], F_SETPIPE_SZ, 0x80000001U));
	FAILS(EBADF, fcntl(fd, F_GETPIPE_SZ));
	FAILS(EBADF, fcntl(fd, F_SETPIPE_SZ, 4096));
	CHECK(close(p[0]) == 0 && close(p[1]) == 0);
}

static void seals(void)
{
	int m = memfd_create("m", MFD_ALLOW_SEALING);
	int plain = memfd_create("p", 0);
	int ro;
	char name[40];

	CHECK(fcntl(m, F_GET_SEALS) == 0 && fcntl(plain, F_GET_SEALS) == F_SEAL_SEAL);
	FAILS(EPERM, fcntl(plain, F_ADD_SEALS, F_SEAL_GROW));
	FAILS(EINVAL, fcntl(m, F_ADD_SEALS, 0x1000));
	CHECK(fcntl(m, F_ADD_SEALS, 0) == 0);
	snprintf(name, sizeof(name), "/proc/self/fd/%d", m);
	ro = open(name, O_RDONLY);
	FAILS(EPERM, fcntl(ro, F_ADD_SEALS, F_SEAL_GROW));
	CHECK(fcntl(m, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK) == 0);
	FAILS(EPERM, ftruncate(m, 1));
	CHECK(fcntl(m, F_ADD_SEALS, F_SEAL_SEAL) == 0);
	FAILS(EPERM, fcntl(m, F_ADD_SEALS, F_SEAL_WRITE));
	CHECK(fcntl(m, F_GET_SEALS) == (F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL));
	CHECK(close(m) == 0 && close(plain) == 0 && close(ro) == 0);
}

static void requests_for_any_file(void)
{
	int one = 1, zero = 0, n = 0, p[2];
	long long size = 0;
	struct stat st;

	CHECK(ioctl(fd, FIOCLEX) == 0 && fcntl(fd, F_GETFD) == FD_CLOEXEC);
	CHECK(ioctl(fd, FIONCLEX) == 0 && fcntl(fd, F_GETFD) == 0);
	CHECK(ioctl(fd, FIONBIO, &one) == 0 && (fcntl(fd, F_GETFL) & O_NONBLOCK));
	CHECK(ioctl(fd, FIONBIO, &zero) == 0 && !(fcntl(fd, F_GETFL) & O_NONBLOCK));
	FAILS(EFAULT, ioctl(fd, FIONBIO, NULL));
	CHECK(fsync(fd) == 0 && fstat(fd, &st) == 0 && ioctl(fd, FIOQSIZE, &size) == 0);
	CHECK(size == st.st_blocks * 512);
	CHECK(ioctl(fd, FIGETBSZ, &n) == 0 && n > 0 && n % 512 == 0);
	CHECK(lseek(fd, 1, SEEK_SET) == 1 && ioctl(fd, FIONREAD, &n) == 0 && n == 3);
	CHECK(lseek(fd, 9, SEEK_SET) == 9 && ioctl(fd, FIONREAD, &n) == 0 && n == -5);
	FAILS(ENOTTY, ioctl(fd, 0x1234, &n));
	FAILS(EBADF, ioctl(-1, FIOCLEX));
	CHECK(pipe(p) == 0);
	FAILS(ENOTTY, ioctl(p[0], FIOQSIZE, &size));
	CHECK(close(p[0]) == 0 && close(p[1]) == 0);
	n = open("f", O_PATH);
	FAILS(EBADF, ioctl(n, FIOCLEX));
	CHECK(close(n) == 0);
}

static void duplicates_onto(void)
{
	FAILS(EINVAL, dup3(fd, fd, 0));
	FAILS(EINVAL, dup3(fd, 50, O_NONBLOCK));
	FAILS(EBADF, dup3(-1, 50, 0));
	FAILS(EBADF, dup3(fd, -1, 0));
	FAILS(EBADF, dup3(fd, 1 << 30, 0));
	FAILS(EINVAL, dup3(-1, -1, 0));
	CHECK(dup2(fd, fd) == fd);
	FAILS(EBADF, dup2(999, 999));
	CHECK(dup3(fd, 50, O_CLOEXEC) == 50 && fcntl(50, F_GETFD) == FD_CLOEXEC);
	FAILS(EINVAL, fcntl(fd, F_DUPFD, -1));
	FAILS(EINVAL, fcntl(fd, F_DUPFD, 1 << 30));
	CHECK(close(50) == 0);
}

static void *thread_unshares(void *arg)
{
	(void)arg;
	CHECK(close_range(60, 70, CLOSE_RANGE_UNSHARE) == 0);
	FAILS(EBADF, fcntl(65, F_GETFD));
	CHECK(fcntl(71, F_GETFD) == 0);
	return NULL;
}

static void ranges_are_closed(void)
{
	pthread_t t;

	for (int i = 60; i < 75; i++)
		CHECK(dup2(fd, i) == i);
	FAILS(EINVAL, close_range(61, 60, 0));
	FAILS(EINVAL, close_range(60, 61, 1));
	CHECK(close_range(60, 62, CLOSE_RANGE_CLOEXEC) == 0);
	CHECK(fcntl(62, F_GETFD) == FD_CLOEXEC && fcntl(63, F_GETFD) == 0);
	CHECK(pthread_create(&t, NULL, thread_unshares, NULL) == 0);
	CHECK(pthread_join(t, NULL) == 0 && fcntl(65, F_GETFD) == 0);
	CHECK(close_range(60, 65, 0) == 0 && fcntl(66, F_GETFD) == 0);
	FAILS(EBADF, fcntl(65, F_GETFD));
	CHECK(close_range(66, ~0U, CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC) == 0);
	CHECK(fcntl(74, F_GETFD) == FD_CLOEXEC && close_range(66, ~0U, 0) == 0);
	FAILS(EBADF, fcntl(74, F_GETFD));
	CHECK(close_range(~0U, ~0U, 0) == 0);
}

static int lock(int cmd, short type, off_t start, off_t len)
{
	struct flock l = {.l_type = type, .l_start = start, .l_len = len};

	return fcntl(fd, cmd, &l);
}

static int circle[2];

static void child_closes_the_circle(void)
{
	CHECK(lock(F_SETLK, F_WRLCK, 1, 1) == 0);
	CHECK(write(circle[1], "", 1) == 1);
	await_sleep(getppid()); /* which waits for byte 1 */
	FAILS(EDEADLK, lock(F_SETLKW, F_WRLCK, 0, 1));
}

static void deadlocks_are_found(void)
{
	pid_t pid;
	char c;

	CHECK(pipe(circle) == 0 && lock(F_SETLK, F_WRLCK, 0, 1) == 0);
	pid = child_start(child_closes_the_circle);
	CHECK(read(circle[0], &c, 1) == 1);
	CHECK(lock(F_SETLKW, F_WRLCK, 1, 1) == 0); /* when the child has gone */
	CHECK(child_wait(pid) == 0 && lock(F_SETLK, F_UNLCK, 0, 0) == 0);
}

static void get_tells_of_the_first(void)
{
	struct flock l = {.l_type = F_UNLCK, .l_len = 0};

	FAILS(EINVAL, fcntl(fd, F_GETLK, &l));
	CHECK(lock(F_SETLK, F_WRLCK, 20, 5) == 0 && lock(F_SETLK, F_RDLCK, 3, 2) == 0);
	CHECK(lock(F_OFD_SETLK, F_WRLCK, 50, 1) == 0);
	CHECK(fcntl(fd, F_OFD_GETLK, &l) == 0 && l.l_type == F_WRLCK && l.l_start == 50);
	l = (struct flock){.l_type = F_WRLCK};
	CHECK(fcntl(fd, F_OFD_GETLK, &l) == 0 && l.l_type == F_RDLCK && l.l_start == 3);
	CHECK(l.l_len == 2 && l.l_pid == getpid() && l.l_whence == SEEK_SET);
	l = (struct flock){.l_type = F_WRLCK};
	CHECK(fcntl(fd, F_GETLK, &l) == 0 && l.l_start == 50 && l.l_pid == -1);
	l.l_pid = 1;
	FAILS(EINVAL, fcntl(fd, F_OFD_SETLK, &l));
	CHECK(lock(F_SETLK, F_UNLCK, 0, 0) == 0 && lock(F_OFD_SETLK, F_UNLCK, 0, 0) == 0);
}

RUN(TEST(write_hints_are_the_inodes), TEST(queries), TEST(pipe_sizes), TEST(seals),
    TEST(requests_for_any_file), TEST(duplicates_onto), TEST(ranges_are_closed),
    TEST(deadlocks_are_found), TEST(get_tells_of_the_first))
