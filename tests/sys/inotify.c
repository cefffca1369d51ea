/* SPDX-License-Identifier: MIT */
/* files */
/* What inotify tells about files: each kind of event, in its order. */
/* calls: inotify_init1 inotify_add_watch inotify_rm_watch */
#include "inotify.h"

#include <sys/mount.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <sys/xattr.h>

/* A directory d with watch 1 and, if file is not NULL, a file in it with watch 2. */
static int watch_both(const char *file)
{
	int fd = watcher();

	CHECK(mkdir("d", 0755) == 0 || errno == EEXIST);
	if (file)
		file_put(file, "hello");
	CHECK(inotify_add_watch(fd, "d", IN_ALL_EVENTS) == 1);
	if (file)
		CHECK(inotify_add_watch(fd, file, IN_ALL_EVENTS) == 2);
	EVENTS(fd, "");
	return fd;
}

static void a_file_made_written_and_read(void)
{
	int fd = watch_both(NULL);
	char buf[16];
	int f = open("d/a", O_RDWR | O_CREAT, 0644);

	EVENTS(fd, "1:CREATE:a 1:OPEN:a");
	CHECK(inotify_add_watch(fd, "d/a", IN_ALL_EVENTS) == 2);
	CHECK(write(f, "0123456789", 10) == 10);
	EVENTS(fd, "1:MODIFY:a 2:MODIFY");
	CHECK(write(f, "", 0) == 0 && read(f, buf, 1) == 0);
	EVENTS(fd, "");
	CHECK(pread(f, buf, 5, 0) == 5);
	EVENTS(fd, "1:ACCESS:a 2:ACCESS");
	CHECK(pwrite(f, buf, 5, 0) == 5 && ftruncate(f, 3) == 0);
	EVENTS(fd, "1:MODIFY:a 2:MODIFY 1:MODIFY:a 2:MODIFY");
	CHECK(close(f) == 0);
	EVENTS(fd, "1:CLOSEW:a 2:CLOSEW");
	f = open("d/a", O_RDONLY);
	CHECK(close(f) == 0);
	EVENTS(fd, "1:OPEN:a 2:OPEN 1:CLOSE:a 2:CLOSE");
	f = open("d/a", O_WRONLY | O_TRUNC);
	CHECK(close(f) == 0);
	EVENTS(fd, "1:OPEN:a 2:OPEN 1:MODIFY:a 2:MODIFY 1:CLOSEW:a 2:CLOSEW");
	f = open("d/a", O_PATH);
	CHECK(close(f) == 0);
	EVENTS(fd, "");
	CHECK(unlink("d/a") == 0);
	EVENTS(fd, "2:ATTRIB 2:GONE 2:IGNORED 1:DELETE:a");
	CHECK(close(fd) == 0);
}

static void vectors_and_copies(void)
{
	int fd = watch_both("d/a");
	char buf[16];
	struct iovec v = {buf, sizeof(buf)};
	int f = open("d/a", O_RDWR);
	int other = open("other", O_RDWR | O_CREAT, 0644);
	loff_t from = 0, to = 0;

	EVENTS(fd, "1:OPEN:a 2:OPEN");
	CHECK(readv(f, &v, 1) == 5);
	EVENTS(fd, "1:ACCESS:a 2:ACCESS");
	v.iov_len = 3;
	CHECK(pwritev(f, &v, 1, 0) == 3);
	EVENTS(fd, "1:MODIFY:a 2:MODIFY");
	CHECK(sendfile(other, f, &(off_t){0}, 5) == 5);
	EVENTS(fd, "1:ACCESS:a 2:ACCESS");
	CHECK(copy_file_range(other, &from, f, &to, 5, 0) == 5);
	EVENTS(fd, "1:MODIFY:a 2:MODIFY");
	CHECK(posix_fallocate(f, 0, 100) == 0);
	EVENTS(fd, "1:MODIFY:a 2:MODIFY");
	CHECK(close(f) == 0 && close(other) == 0);
	EVENTS(fd, "1:CLOSEW:a 2:CLOSEW");
	CHECK(close(fd) == 0 && unlink("d/a") == 0);
}

static void attributes(void)
{
	int fd = watch_both("d/a");
	struct timespec both[2] = {{1000, 0}, {2000, 0}};
	struct timespec first[2] = {{1000, 0}, {0, UTIME_OMIT}};
	struct timespec second[2] = {{0, UTIME_OMIT}, {2000, 0}};
	struct timespec none[2] = {{0, UTIME_OMIT}, {0, UTIME_OMIT}};

	CHECK(chmod("d/a", 0600) == 0);
	EVENTS(fd, "1:ATTRIB:a 2:ATTRIB");
	CHECK(chown("d/a", getuid(), getgid()) == 0);
	EVENTS(fd, "1:ATTRIB:a 2:ATTRIB");
	CHECK(chown("d/a", (uid_t)-1, (gid_t)-1) == 0);
	EVENTS(fd, "");
	CHECK(utimensat(AT_FDCWD, "d/a", both, 0) == 0);
	EVENTS(fd, "1:ATTRIB:a 2:ATTRIB");
	CHECK(utimensat(AT_FDCWD, "d/a", first, 0) == 0);
	EVENTS(fd, "1:ACCESS:a 2:ACCESS");
	CHECK(utimensat(AT_FDCWD, "d/a", second, 0) == 0);
	EVENTS(fd, "1:MODIFY:a 2:MODIFY");
	CHECK(utimensat(AT_FDCWD, "d/a", none, 0) == 0);
	EVENTS(fd, "");
	CHECK(truncate("d/a", 1) == 0);
	EVENTS(fd, "1:MODIFY:a 2:MODIFY");
	if (setxattr("d/a", "user.x", "1", 1, 0) == 0) {
		EVENTS(fd, "1:ATTRIB:a 2:ATTRIB");
		CHECK(removexattr("d/a", "user.x") == 0);
		EVENTS(fd, "1:ATTRIB:a 2:ATTRIB");
	}
	CHECK(chmod("d", 0700) == 0);
	EVENTS(fd, "1:ATTRIB+dir");
	CHECK(close(fd) == 0 && unlink("d/a") == 0);
}

static void directories_and_other_kinds(void)
{
	int fd = watch_both(NULL);
	char buf[1024];
	int f;

	CHECK(mkdir("d/s", 0755) == 0);
	EVENTS(fd, "1:CREATE+dir:s");
	CHECK(inotify_add_watch(fd, "d/s", IN_ALL_EVENTS) == 2);
	CHECK(chmod("d/s", 0700) == 0);
	EVENTS(fd, "1:ATTRIB+dir:s 2:ATTRIB+dir");
	f = open("d/s", O_RDONLY | O_DIRECTORY);
	EVENTS(fd, "1:OPEN+dir:s 2:OPEN+dir");
	CHECK(syscall(SYS_getdents64, f, buf, sizeof(buf)) > 0);
	EVENTS(fd, "1:ACCESS+dir:s 2:ACCESS+dir");
	CHECK(close(f) == 0);
	EVENTS(fd, "1:CLOSE+dir:s 2:CLOSE+dir");
	CHECK(symlink("x", "d/s/l") == 0 && mkfifo("d/s/p", 0600) == 0);
	EVENTS(fd, "2:CREATE:l 2:CREATE:p");
	CHECK(unlink("d/s/l") == 0 && unlink("d/s/p") == 0);
	EVENTS(fd, "2:DELETE:l 2:DELETE:p");
	CHECK(rmdir("d/s") == 0);
	EVENTS(fd, "2:GONE 2:IGNORED 1:DELETE+dir:s");
	CHECK(rmdir("d") == 0);
	EVENTS(fd, "1:GONE 1:IGNORED");
	CHECK(close(fd) == 0);
}

static void links(void)
{
	int fd = watch_both("d/a");

	CHECK(link("d/a", "d/b") == 0);
	EVENTS(fd, "2:ATTRIB 1:CREATE:b");
	CHECK(chmod("d/b", 0640) == 0);
	EVENTS(fd, "1:ATTRIB:b 2:ATTRIB");
	CHECK(unlink("d/a") == 0);
	EVENTS(fd, "2:ATTRIB 1:DELETE:a");
	CHECK(unlink("d/b") == 0);
	EVENTS(fd, "2:ATTRIB 2:GONE 2:IGNORED 1:DELETE:b");
	CHECK(close(fd) == 0);
}

static void moves(void)
{
	int fd = watch_both("d/a");
	int f;

	CHECK(rename("d/a", "d/b") == 0);
	EVENTS(fd, "1:FROM#1:a 1:TO#1:b 2:MOVED");
	CHECK(mkdir("e", 0755) == 0 || errno == EEXIST);
	CHECK(inotify_add_watch(fd, "e", IN_ALL_EVENTS) == 3);
	CHECK(rename("d/b", "e/c") == 0);
	EVENTS(fd, "1:FROM#1:b 3:TO#1:c 2:MOVED");
	f = open("e/c", O_RDONLY);
	CHECK(close(f) == 0);
	EVENTS(fd, "3:OPEN:c 2:OPEN 3:CLOSE:c 2:CLOSE");
	CHECK(rename("e/c", "e/c") == 0);
	EVENTS(fd, "");
	file_put("d/x", "x");
	(void)events(fd);
	CHECK(rename("d/x", "e/c") == 0);
	EVENTS(fd, "1:FROM#1:x 3:TO#1:c 2:ATTRIB 2:GONE 2:IGNORED");
	CHECK(mkdir("d/s", 0755) == 0);
	CHECK(inotify_add_watch(fd, "d/s", IN_ALL_EVENTS) == 4);
	(void)events(fd);
	CHECK(rename("d/s", "e/t") == 0);
	EVENTS(fd, "1:FROM+dir#1:s 3:TO+dir#1:t 4:MOVED");
	CHECK(renameat2(AT_FDCWD, "e/t", AT_FDCWD, "e/c", RENAME_EXCHANGE) == 0);
	EVENTS(fd, "3:FROM+dir#1:t 3:TO+dir#1:c 4:MOVED 3:FROM#2:c 3:TO#2:t");
	CHECK(mkdir("d/s", 0755) == 0);
	(void)events(fd);
	CHECK(rename("d/s", "e/c") == 0);
	EVENTS(fd, "1:FROM+dir#1:s 3:TO+dir#1:c 4:ATTRIB+dir 4:GONE 4:IGNORED");
	CHECK(unlink("e/t") == 0 && rmdir("e/c") == 0 && rmdir("e") == 0);
	CHECK(close(fd) == 0);
}

static void the_end_of_a_file_still_open(void)
{
	int fd = watch_both("d/a");
	int f = open("d/a", O_RDWR);

	CHECK(unlink("d/a") == 0);
	EVENTS(fd, "1:OPEN:a 2:OPEN 2:ATTRIB 1:DELETE:a");
	CHECK(write(f, "x", 1) == 1);
	EVENTS(fd, "1:MODIFY:a 2:MODIFY");
	CHECK(inotify_add_watch(fd, "d", IN_ALL_EVENTS | IN_EXCL_UNLINK) == 1);
	CHECK(write(f, "x", 1) == 1);
	EVENTS(fd, "2:MODIFY");
	CHECK(close(f) == 0);
	EVENTS(fd, "2:CLOSEW 2:GONE 2:IGNORED");
	CHECK(close(fd) == 0);
}

static void equal_events_become_one(void)
{
	int fd = watch_both("d/a");
	int f = open("d/a", O_RDWR);

	CHECK(inotify_rm_watch(fd, 2) == 0);
	for (int i = 0; i < 10; i++)
		CHECK(write(f, "x", 1) == 1);
	EVENTS(fd, "1:OPEN:a 2:OPEN 2:IGNORED 1:MODIFY:a");
	for (int i = 0; i < 2; i++)
		CHECK(pwrite(f, "x", 1, 0) == 1 && pread(f, &(char){0}, 1, 0) == 1);
	EVENTS(fd, "1:MODIFY:a 1:ACCESS:a 1:MODIFY:a 1:ACCESS:a");
	CHECK(close(f) == 0 && close(fd) == 0 && unlink("d/a") == 0);
}

static void two_instances_hear_the_same(void)
{
	int one = watch_both(NULL), two = watch_both(NULL);

	file_put("d/a", "x");
	EVENTS(one, "1:CREATE:a 1:OPEN:a 1:MODIFY:a 1:CLOSEW:a");
	EVENTS(two, "1:CREATE:a 1:OPEN:a 1:MODIFY:a 1:CLOSEW:a");
	CHECK(close(two) == 0 && unlink("d/a") == 0);
	EVENTS(one, "1:DELETE:a");
	CHECK(close(one) == 0);
}

static void an_execution_opens_and_reads(void)
{
	int fd = watcher();
	pid_t pid;

	CHECK(inotify_add_watch(fd, "/bin/true", IN_OPEN | IN_CLOSE) == 1);
	pid = fork();
	if (pid == 0) {
		execl("/bin/true", "true", (char *)NULL);
		_exit(1);
	}
	CHECK(waitpid(pid, NULL, 0) == pid);
	CHECK(strncmp(events(fd), "1:OPEN", 6) == 0);
	CHECK(close(fd) == 0);
}

static void a_file_system_that_goes(void)
{
	int fd = watcher();

	if (getuid() != 0 || unshare(CLONE_NEWNS) != 0)
		return;
	CHECK(mkdir("m", 0755) == 0 || errno == EEXIST);
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
	    mount("none", "m", "tmpfs", 0, NULL) != 0)
		return;
	file_put("m/a", "x");
	CHECK(inotify_add_watch(fd, "m/a", IN_CLOSE) == 1);
	CHECK(inotify_add_watch(fd, "m", IN_CLOSE) == 2);
	CHECK(umount("m") == 0);
	CHECK(strstr(events(fd), "1:UNMOUNT 1:IGNORED") != NULL);
	FAILS(EINVAL, inotify_rm_watch(fd, 1));
	CHECK(close(fd) == 0);
}

RUN(TEST(a_file_made_written_and_read), TEST(vectors_and_copies), TEST(attributes),
    TEST(directories_and_other_kinds), TEST(links), TEST(moves),
    TEST(the_end_of_a_file_still_open), TEST(equal_events_become_one),
    TEST(two_instances_hear_the_same), TEST(an_execution_opens_and_reads),
    TEST(a_file_system_that_goes))
