/* SPDX-License-Identifier: MIT */
/* overlayfs: many open files of one large directory. They share what has been gathered as
 * long as nothing changes, and who goes back to the start sees what has changed. */
/* calls: getdents64 lseek open mkdir rmdir */
/* timeout: 20 */
#include "overlay.h"

enum { NAMES = 30000, OPENS = 900 };

static char buf[32768];

/* Reads on to the end: how many names, without the dots. */
static int count_on(int fd)
{
	int count = 0;
	long size;

	while ((size = syscall(SYS_getdents64, fd, buf, sizeof(buf))) > 0) {
		for (long at = 0; at < size;) {
			struct dirent64 *e = (struct dirent64 *)(void *)(buf + at);

			count += e->d_name[0] != '.';
			at += e->d_reclen;
		}
	}
	CHECK(size == 0);
	return count;
}

/* The first few names: how many. */
static int count_some(int fd)
{
	int count = 0;
	long size = syscall(SYS_getdents64, fd, buf, 512);

	CHECK(size > 0);
	for (long at = 0; at < size;) {
		struct dirent64 *e = (struct dirent64 *)(void *)(buf + at);

		count += e->d_name[0] != '.';
		at += e->d_reclen;
	}
	return count;
}

static int dir_open(void)
{
	int fd = open("m/d", O_RDONLY | O_DIRECTORY);

	CHECK(fd >= 0);
	return fd;
}

static void fill(int count)
{
	char name[32];

	CHECK(mkdir("l1/d", 0755) == 0 && mkdir("l2/d", 0755) == 0);
	for (int i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "l%d/d/%d", 1 + i % 2, i);
		CHECK(mknod(name, S_IFREG | 0600, 0) == 0);
	}
	CHECK(overlay_mount("m", LAYERS) == 0);
}

/* Were each to gather the names for itself, it would take minutes and gigabytes. */
static void open_many(void)
{
	static int fds[OPENS];

	if (!layers_are_there())
		return;
	fill(NAMES);
	for (int i = 0; i < OPENS; i++) {
		fds[i] = dir_open();
		CHECK(count_some(fds[i]) > 0);
	}
	CHECK(lseek(fds[0], 0, SEEK_SET) == 0 && count_on(fds[0]) == NAMES);
	for (int i = 0; i < OPENS - 1; i++)
		CHECK(close(fds[i]) == 0);
	CHECK(lseek(fds[OPENS - 1], 0, SEEK_SET) == 0);
	CHECK(count_on(fds[OPENS - 1]) == NAMES);
}

static void one_directory_open_many_times(void)
{
	CHECK(in_child(open_many) == 0);
}

static void change(void)
{
	int first;
	int second;
	int third;
	int some;

	if (!layers_are_there())
		return;
	fill(300);
	first = dir_open();
	second = dir_open();
	some = count_some(first);
	CHECK(count_some(second) == some);
	CHECK(mkdir("m/d/new", 0755) == 0);
	third = dir_open();
	CHECK(count_on(third) == 301);
	CHECK(count_on(first) == 300 - some); /* the list of when it began */
	CHECK(lseek(first, 0, SEEK_SET) == 0 && count_on(first) == 301);
	CHECK(rmdir("m/d/new") == 0 && unlink("m/d/7") == 0);
	CHECK(lseek(third, 0, SEEK_SET) == 0 && count_on(third) == 299);
	CHECK(close(third) == 0 && close(first) == 0);
	CHECK(count_on(second) == 300 - some);
	CHECK(lseek(second, 0, SEEK_SET) == 0 && count_on(second) == 299);
	first = dir_open();
	CHECK(count_on(first) == 299);
}

static void each_sees_its_time(void)
{
	CHECK(in_child(change) == 0);
}

RUN(TEST(one_directory_open_many_times), TEST(each_sees_its_time))
