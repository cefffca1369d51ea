/* SPDX-License-Identifier: MIT */
/* cases_file.c - descriptors, paths, and reading and writing devices and files. */
#include "ubench.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SMALL_FILE "/etc/passwd"
#define BIG_FILE   "/bin/bash"
#define SMALL_DIR  "/etc/skel"
#define NO_FILE	   "/etc/no-such-file"

static int fd; /* of the one case that runs */
static char buf[4096];

static void zero_setup(void)
{
	fd = open_or_die("/dev/zero", O_RDWR);
}

static void null_setup(void)
{
	fd = open_or_die("/dev/null", O_RDWR);
}

static void small_setup(void)
{
	fd = open_or_die(SMALL_FILE, O_RDONLY);
}

static void big_setup(void)
{
	fd = open_or_die(BIG_FILE, O_RDONLY);
}

static void dir_setup(void)
{
	fd = open_or_die(SMALL_DIR, O_RDONLY | O_DIRECTORY);
}

static void read_byte_run(uint64_t n)
{
	while (n--)
		if (read(fd, buf, 1) != 1)
			die("read");
}

static void read_end_run(uint64_t n)
{
	while (n--)
		if (read(fd, buf, 1) != 0)
			die("read");
}

static void write_byte_run(uint64_t n)
{
	while (n--)
		if (write(fd, buf, 1) != 1)
			die("write");
}

static void pread_run(uint64_t n)
{
	while (n--)
		if (pread(fd, buf, sizeof(buf), 8192) != sizeof(buf))
			die("pread");
}

static void lseek_run(uint64_t n)
{
	while (n--)
		if (lseek(fd, 1, SEEK_SET) != 1)
			die("lseek");
}

static void dup_run(uint64_t n)
{
	while (n--) {
		int copy = dup(fd);

		if (copy < 0 || close(copy))
			die("dup");
	}
}

static void open_run(uint64_t n)
{
	while (n--) {
		int opened = open(SMALL_FILE, O_RDONLY);

		if (opened < 0 || close(opened))
			die("open");
	}
}

static void stat_run(uint64_t n)
{
	struct stat st;

	while (n--)
		if (stat(SMALL_FILE, &st))
			die("stat");
}

static void access_run(uint64_t n)
{
	while (n--)
		if (access(NO_FILE, R_OK) == 0 || errno != ENOENT)
			die("access");
}

/* lseek() to the start, then all entries in one call */
static void getdents_run(uint64_t n)
{
	while (n--)
		if (lseek(fd, 0, SEEK_SET) ||
		    syscall(SYS_getdents64, fd, buf, sizeof(buf)) <= 0)
			die("getdents64");
}

const struct bench_case file_cases[] = {
	{.name = "read-zero", .run = read_byte_run, .setup = zero_setup},
	{.name = "write-zero", .run = write_byte_run, .setup = zero_setup},
	{.name = "read-null", .run = read_end_run, .setup = null_setup},
	{.name = "write-null", .run = write_byte_run, .setup = null_setup},
	{.name = "pread-4k", .run = pread_run, .setup = big_setup},
	{.name = "lseek", .run = lseek_run, .setup = small_setup},
	{.name = "dup+close", .run = dup_run, .setup = small_setup},
	{.name = "open+close", .run = open_run},
	{.name = "stat", .run = stat_run},
	{.name = "access-enoent", .run = access_run},
	{.name = "getdents", .run = getdents_run, .setup = dir_setup},
	{.name = NULL},
};
