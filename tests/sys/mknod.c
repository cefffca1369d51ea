/* SPDX-License-Identifier: MIT */
/* files */
/* FIFOs: making them, the rules of opening them. */
/* calls: mknod mknodat */
#include "fixture.h"

#include <poll.h>
#include <sys/sysmacros.h>

static void makes_fifos_and_files(void)
{
	struct stat st;

	umask(022);
	CHECK(mknod("p", S_IFIFO | 0666, 0) == 0 && stat("p", &st) == 0);
	CHECK(S_ISFIFO(st.st_mode) && (st.st_mode & 0777) == 0644);
	CHECK(mknod("r", S_IFREG | 0600, 0) == 0 && stat("r", &st) == 0);
	CHECK(S_ISREG(st.st_mode));
	CHECK(mknodat(AT_FDCWD, "r2", 0600, 0) == 0 && stat("r2", &st) == 0);
	CHECK(S_ISREG(st.st_mode));
}

static void a_reader_without_writers_may_open_at_once(void)
{
	char b;
	int r = open("p", O_RDONLY | O_NONBLOCK);

	CHECK(r >= 0 && read(r, &b, 1) == 0 && close(r) == 0);
}

static void a_writer_without_readers_is_enxio(void)
{
	FAILS(ENXIO, open("p", O_WRONLY | O_NONBLOCK));
}

static void both_ways_never_waits(void)
{
	char b;
	int fd = open("p", O_RDWR);

	CHECK(fd >= 0 && write(fd, "x", 1) == 1 && read(fd, &b, 1) == 1 && b == 'x');
	CHECK(close(fd) == 0);
}

static void child_writes(void)
{
	int w = open("p", O_WRONLY);

	CHECK(w >= 0 && write(w, "hello", 5) == 5);
}

static void opens_wait_for_the_other_side(void)
{
	char b[8];
	pid_t pid = child_start(child_writes);
	int r = open("p", O_RDONLY);

	CHECK(r >= 0 && read(r, b, 8) == 5 && read(r, b, 8) == 0);
	CHECK(close(r) == 0 && child_wait(pid) == 0);
}

static void data_dies_with_the_last_descriptor(void)
{
	char b;
	int fd = open("p", O_RDWR | O_NONBLOCK);

	CHECK(write(fd, "x", 1) == 1 && close(fd) == 0);
	fd = open("p", O_RDONLY | O_NONBLOCK);
	CHECK(read(fd, &b, 1) == 0 && close(fd) == 0);
}

static void a_reader_opened_before_any_writer_sees_no_hangup(void)
{
	int r = open("p", O_RDONLY | O_NONBLOCK), w;
	struct pollfd f = {r, POLLIN, 0};

	CHECK(poll(&f, 1, 0) == 0);
	w = open("p", O_WRONLY | O_NONBLOCK);
	CHECK(w >= 0 && poll(&f, 1, 0) == 0 && close(w) == 0);
	CHECK(poll(&f, 1, 0) == 1 && f.revents == POLLHUP && close(r) == 0);
}

static void opening_is_interrupted(void)
{
	struct interrupter in;

	interrupt_start(&in, 0, -1);
	FAILS(EINTR, open("p", O_RDONLY));
	FAILS(EINTR, open("p", O_WRONLY));
	interrupt_stop(&in);
}

static void user_makes_device(void)
{
	become_user_here();
	FAILS(EPERM, mknod("dev", S_IFCHR | 0600, makedev(1, 3)));
	FAILS(EPERM, mknod("dev", S_IFBLK | 0600, makedev(8, 0)));
}

static void devices_need_privilege(void)
{
	CHECK(in_child(user_makes_device) == 0);
}

static void user_makes_whiteouts(void)
{
	struct stat st;

	become_user_here();
	umask(0);
	CHECK(mknod("w", S_IFCHR | 0640, 0) == 0);
	CHECK(lstat("w", &st) == 0 && st.st_mode == (S_IFCHR | 0640) && st.st_rdev == 0);
	CHECK(st.st_nlink == 1 && st.st_uid == geteuid() && st.st_size == 0);
	FAILS(EEXIST, mknod("w", S_IFCHR | 0600, 0));
	CHECK(open("w", O_RDONLY) < 0 && (errno == ENXIO || errno == EACCES));
	CHECK(link("w", "w2") == 0 && rename("w", "w3") == 0);
	CHECK(lstat("w3", &st) == 0 && st.st_nlink == 2 && S_ISCHR(st.st_mode));
	CHECK(unlink("w2") == 0 && unlink("w3") == 0);
	FAILS(ENOENT, lstat("w", &st));
}

static void whiteouts_need_no_privilege(void)
{
	CHECK(in_child(user_makes_whiteouts) == 0);
}

static void documented_errors(void)
{
	FAILS(EEXIST, mknod("p", S_IFIFO | 0600, 0));
	FAILS(EEXIST, mknod("r", S_IFREG | 0600, 0));
	FAILS(EPERM, mknod("d", S_IFDIR | 0700, 0));
	FAILS(EINVAL, mknod("x", S_IFLNK | 0700, 0));
	FAILS(EINVAL, mknod("x", 0170000, 0));
	FAILS(ENOENT, mknod("absent/x", S_IFIFO, 0));
	FAILS(ENOENT, mknod("", S_IFIFO, 0));
	FAILS(ENOTDIR, mknod("r/x", S_IFIFO, 0));
	FAILS(EBADF, mknodat(-1, "x", S_IFIFO, 0));
	FAILS(ESPIPE, lseek(open("p", O_RDWR), 0, SEEK_CUR));
	FOR_BAD(a)
	FAILS(EFAULT, syscall(SYS_mknod, a, S_IFIFO | 0600, 0));
}

RUN(TEST(makes_fifos_and_files), TEST(a_reader_without_writers_may_open_at_once),
    TEST(a_writer_without_readers_is_enxio), TEST(both_ways_never_waits),
    TEST(opens_wait_for_the_other_side), TEST(data_dies_with_the_last_descriptor),
    TEST(a_reader_opened_before_any_writer_sees_no_hangup), TEST(opening_is_interrupted),
    TEST(devices_need_privilege), TEST(whiteouts_need_no_privilege),
    TEST(documented_errors))
