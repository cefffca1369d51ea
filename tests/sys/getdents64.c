/* SPDX-License-Identifier: MIT */
/* files */
/* Reading directories. */
/* calls: getdents64 getdents */
#include "fixture.h"

#include <dirent.h>

struct entry64 {
	uint64_t ino;
	int64_t off;
	uint16_t len;
	uint8_t type;
	char name[];
};

struct entry {
	unsigned long ino;
	unsigned long off;
	uint16_t len;
	char name[];
};

enum { FILES = 300 };

static void make_tree(void)
{
	char n[32];

	CHECK(mkdir("d", 0755) == 0);
	for (int i = 0; i < FILES; i++) {
		snprintf(n, sizeof(n), "d/file-number-%d", i);
		file_put(n, "");
	}
	CHECK(mkdir("d/dir", 0755) == 0 && symlink("x", "d/link") == 0);
	CHECK(mkfifo("d/fifo", 0600) == 0);
}

/* Reads all of a directory through a buffer of size bytes; counts what it finds. */
static int scan(int fd, size_t size, bool seen[FILES], int *others)
{
	char b[32768];
	long n;
	int count = 0;

	*others = 0;
	memset(seen, 0, FILES * sizeof(seen[0]));
	while ((n = syscall(SYS_getdents64, fd, b, size)) > 0) {
		for (long at = 0; at < n;) {
			struct entry64 *e = (struct entry64 *)(b + at);
			int i;

			CHECK(e->len % 8 == 0 && e->len >= 24 && at + e->len <= n);
			CHECK(e->ino != 0 && strlen(e->name) < e->len - 19U);
			if (sscanf(e->name, "file-number-%d", &i) == 1) {
				CHECK(i >= 0 && i < FILES && !seen[i]);
				CHECK(e->type == DT_REG || e->type == DT_UNKNOWN);
				seen[i] = true;
				count++;
			} else {
				++*others;
			}
			at += e->len;
		}
	}
	CHECK(n == 0);
	return count;
}

static void every_name_comes_once(void)
{
	bool seen[FILES];
	int fd, others;

	make_tree();
	fd = open("d", O_RDONLY | O_DIRECTORY);
	for (size_t size = 48; size <= 32768; size *= 4) {
		CHECK(lseek(fd, 0, SEEK_SET) == 0);
		CHECK(scan(fd, size, seen, &others) == FILES && others == 5);
	}
	CHECK(close(fd) == 0);
}

static void kinds_and_inode_numbers_are_told(void)
{
	DIR *d = opendir("d");
	struct dirent *e;
	struct stat st;
	char path[600];

	CHECK(d);
	while ((e = readdir(d))) {
		snprintf(path, sizeof(path), "d/%s", e->d_name);
		CHECK(lstat(path, &st) == 0);
		CHECK(e->d_type == DT_UNKNOWN || e->d_type == IFTODT(st.st_mode));
		if (strcmp(e->d_name, "..") != 0)
			CHECK(e->d_ino == st.st_ino);
	}
	CHECK(closedir(d) == 0);
}

static void an_offset_leads_back(void)
{
	DIR *d = opendir("d");
	char name[256];
	struct dirent *e;
	long at;

	for (int i = 0; i < 100; i++)
		CHECK(readdir(d));
	at = telldir(d);
	e = readdir(d);
	CHECK(e);
	strcpy(name, e->d_name);
	for (int i = 0; i < 50; i++)
		CHECK(readdir(d));
	seekdir(d, at);
	e = readdir(d);
	CHECK(e && strcmp(e->d_name, name) == 0 && closedir(d) == 0);
}

static void the_old_form_has_the_type_last(void)
{
	char b[32768];
	long n;
	int count = 0, fd = open("d", O_RDONLY | O_DIRECTORY);

	while ((n = syscall(SYS_getdents, fd, b, sizeof(b))) > 0)
		for (long at = 0; at < n;) {
			struct entry *e = (struct entry *)(b + at);
			unsigned char type = (unsigned char)b[at + e->len - 1];

			if (strcmp(e->name, "dir") == 0)
				CHECK(type == DT_DIR || type == DT_UNKNOWN);
			count++;
			at += e->len;
		}
	CHECK(n == 0 && count == FILES + 5 && close(fd) == 0);
}

static void removing_while_reading_loses_nothing(void)
{
	DIR *d = opendir("d");
	struct dirent *e;
	char path[600];
	int removed = 0;

	while ((e = readdir(d)))
		if (strncmp(e->d_name, "file", 4) == 0) {
			snprintf(path, sizeof(path), "d/%s", e->d_name);
			CHECK(unlink(path) == 0);
			removed++;
		}
	CHECK(closedir(d) == 0 && removed == FILES);
	CHECK(unlink("d/link") == 0 && unlink("d/fifo") == 0 && rmdir("d/dir") == 0);
	CHECK(rmdir("d") == 0);
}

static void a_removed_directory_is_enoent(void)
{
	char b[1024];
	int fd;

	CHECK(mkdir("gone", 0755) == 0);
	fd = open("gone", O_RDONLY);
	CHECK(rmdir("gone") == 0);
	FAILS(ENOENT, syscall(SYS_getdents64, fd, b, sizeof(b)));
	CHECK(close(fd) == 0);
}

static void documented_errors(void)
{
	char b[1024];
	int fd;

	file_put("f", "");
	fd = open("f", O_RDONLY);
	FAILS(ENOTDIR, syscall(SYS_getdents64, fd, b, sizeof(b)));
	CHECK(close(fd) == 0);
	FAILS(EBADF, syscall(SYS_getdents64, fd, b, sizeof(b)));
	FAILS(EBADF, syscall(SYS_getdents, -1, b, sizeof(b)));
	fd = open(".", O_RDONLY);
	FAILS(EINVAL, syscall(SYS_getdents64, fd, b, 8));
	FAILS(EINVAL, syscall(SYS_getdents, fd, b, 8));
	CHECK(close(fd) == 0);
	fd = open(".", O_PATH);
	FAILS(EBADF, syscall(SYS_getdents64, fd, b, sizeof(b)));
	CHECK(close(fd) == 0);
}

static void bad_pointers_are_efault(void)
{
	int fd = open(".", O_RDONLY);

	FOR_BAD(p)
	FAILS(EFAULT, syscall(SYS_getdents64, fd, p, 1024));
	CHECK(close(fd) == 0);
}

RUN(TEST(every_name_comes_once), TEST(kinds_and_inode_numbers_are_told),
    TEST(an_offset_leads_back), TEST(the_old_form_has_the_type_last),
    TEST(removing_while_reading_loses_nothing), TEST(a_removed_directory_is_enoent),
    TEST(documented_errors), TEST(bad_pointers_are_efault))
