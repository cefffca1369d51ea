/* SPDX-License-Identifier: MIT */
/* files */
/* What a fanotify mark ignores, and how marks may be changed. */
/* calls: fanotify_mark */
#include "fanotify.h"

#define SURVIVES FAN_MARK_IGNORED_SURV_MODIFY

static void unmark(int fd, unsigned flags, uint64_t mask, const char *path)
{
	CHECK(fanotify_mark(fd, FAN_MARK_REMOVE | flags, mask, AT_FDCWD, path) == 0);
}

#define NO_MARK(err, fd, flags, mask, path)                                              \
	FAILS(err, fanotify_mark(fd, FAN_MARK_ADD | (flags), mask, AT_FDCWD, path))

/* The older kind: always for directories too, for files in them if they are told of. */
static void the_older_mask(void)
{
	int fd;

	files_make();
	fd = group_of(0);
	mark(fd, 0, FAN_OPEN | FAN_CLOSE | FAN_ONDIR | FAN_EVENT_ON_CHILD, "d");
	mark(fd, FAN_MARK_IGNORED_MASK, FAN_OPEN, "d/a");
	look("d/a");
	use("d/a");
	look("d/a");
	TELLS(fd, "close_w,close_r,open 'd/a'");
	mark(fd, FAN_MARK_IGNORED_MASK | SURVIVES, FAN_OPEN | FAN_ONDIR, "d");
	look("d/a");
	look("d");
	look("d/s");
	TELLS(fd, "close_r 'd/a'; close_r 'd'; close_r 'd/s'");
	unmark(fd, FAN_MARK_IGNORED_MASK, FAN_OPEN, "d");
	look("d");
	TELLS(fd, "close_r,open 'd'");
	CHECK(close(fd) == 0);
}

/* The newer one has flags of its own. */
static void the_newer_mask(void)
{
	int fd;

	files_make();
	fd = group_of(FAN_REPORT_DFID_NAME);
	mark(fd, 0, FAN_OPEN | FAN_CREATE | FAN_DELETE | FAN_ONDIR | FAN_EVENT_ON_CHILD,
	     "d");
	mark(fd, FAN_MARK_IGNORE_SURV, FAN_CREATE, "d");
	file_put("d/n", "n");
	CHECK(mkdir("d/dir", 0755) == 0 && rmdir("d/dir") == 0 && unlink("d/n") == 0);
	TELLS(fd, "open,delete name=d/n; create,delete,ondir name=d/dir");
	mark(fd, FAN_MARK_IGNORE_SURV, FAN_OPEN | FAN_ONDIR, "d");
	look("d/a");
	look("d/s");
	look("d");
	CHECK(mkdir("d/dir", 0755) == 0 && rmdir("d/dir") == 0);
	TELLS(fd, "open name=d/a; open,ondir name=d/s/.; delete,ondir name=d/dir");
	mark(fd, FAN_MARK_IGNORE_SURV, FAN_EVENT_ON_CHILD, "d");
	look("d/a");
	look("d/s");
	TELLS(fd, "");
	unmark(fd, FAN_MARK_IGNORE, FAN_ONDIR, "d");
	look("d/a");
	look("d/s");
	TELLS(fd, "open,ondir name=d/s/.");
	CHECK(close(fd) == 0);
}

static void what_does_not_go_together(void)
{
	int fd;

	files_make();
	fd = group_of(FAN_REPORT_DFID_NAME);
	NO_MARK(EINVAL, fd, FAN_MARK_IGNORE | FAN_MARK_IGNORED_MASK, FAN_OPEN, "d");
	NO_MARK(EISDIR, fd, FAN_MARK_IGNORE, FAN_OPEN, "d");
	NO_MARK(EINVAL, fd, FAN_MARK_IGNORE | FAN_MARK_FILESYSTEM, FAN_OPEN, "d");
	NO_MARK(ENOTDIR, fd, FAN_MARK_IGNORE_SURV, FAN_OPEN | FAN_ONDIR, "d/a");
	NO_MARK(ENOTDIR, fd, FAN_MARK_IGNORE_SURV, FAN_OPEN | FAN_EVENT_ON_CHILD, "d/a");
	NO_MARK(ENOTDIR, fd, FAN_MARK_IGNORE_SURV, FAN_CREATE, "d/a");
	NO_MARK(ENOTDIR, fd, 0, FAN_RENAME, "d/a");
	mark(fd, 0, FAN_CREATE | FAN_ONDIR, "d/a"); /* which never comes */
	mark(fd, FAN_MARK_IGNORE, FAN_OPEN, "d/a");
	NO_MARK(EEXIST, fd, FAN_MARK_IGNORED_MASK, FAN_OPEN, "d/a");
	mark(fd, FAN_MARK_IGNORE, FAN_CLOSE, "d/a");
	mark(fd, FAN_MARK_IGNORE_SURV, FAN_CLOSE, "d/a");
	NO_MARK(EEXIST, fd, FAN_MARK_IGNORE, FAN_CLOSE, "d/a");
	unmark(fd, FAN_MARK_IGNORED_MASK, FAN_OPEN, "d/a");
	mark(fd, FAN_MARK_IGNORED_MASK, FAN_OPEN, "d/s/b");
	mark(fd, FAN_MARK_IGNORE, FAN_OPEN, "d/s/b");
	CHECK(close(fd) == 0);
	fd = group_of(FAN_REPORT_DFID_NAME_TARGET);
	NO_MARK(ENOTDIR, fd, 0, FAN_CREATE, "d/a");
	NO_MARK(ENOTDIR, fd, 0, FAN_OPEN | FAN_ONDIR, "d/a");
	NO_MARK(ENOTDIR, fd, 0, FAN_OPEN | FAN_EVENT_ON_CHILD, "d/a");
	mark(fd, 0, FAN_OPEN, "d/a");
	CHECK(close(fd) == 0);
}

static void marks_that_may_go(void)
{
	int fd;

	files_make();
	fd = group_of(0);
	mark(fd, FAN_MARK_EVICTABLE, FAN_OPEN, "d/a");
	mark(fd, FAN_MARK_EVICTABLE, FAN_CLOSE, "d/a");
	look("d/a");
	TELLS(fd, "close_r,open 'd/a'");
	mark(fd, 0, FAN_ACCESS, "d/a"); /* it stays from now on */
	NO_MARK(EEXIST, fd, FAN_MARK_EVICTABLE, FAN_OPEN, "d/a");
	mark(fd, FAN_MARK_EVICTABLE | FAN_MARK_IGNORED_MASK, FAN_OPEN, "d/s/b");
	mark(fd, 0, FAN_OPEN, "d/s/b");
	NO_MARK(EEXIST, fd, FAN_MARK_EVICTABLE | FAN_MARK_IGNORED_MASK, FAN_OPEN,
		"d/s/b");
	mark(fd, FAN_MARK_EVICTABLE, FAN_OPEN, "e");
	CHECK(rmdir("e") == 0 && unlink("d/a") == 0);
	TELLS(fd, "");
	FAILS(EINVAL,
	      fanotify_mark(fd, FAN_MARK_FLUSH | FAN_MARK_EVICTABLE, 0, AT_FDCWD, "d"));
	CHECK(close(fd) == 0);
}

/* A mark stays while anything is left in it that can be taken out. */
static void the_end_of_a_mark(void)
{
	int fd;

	files_make();
	fd = group_of(0);
	mark(fd, 0, FAN_OPEN | FAN_ONDIR | FAN_EVENT_ON_CHILD, "d");
	unmark(fd, 0, FAN_OPEN | FAN_CLOSE, "d");
	unmark(fd, 0, FAN_ONDIR, "d");
	unmark(fd, 0, FAN_EVENT_ON_CHILD, "d");
	FAILS(ENOENT, fanotify_mark(fd, FAN_MARK_REMOVE, FAN_OPEN, AT_FDCWD, "d"));
	mark(fd, 0, FAN_OPEN, "d/a");
	mark(fd, FAN_MARK_IGNORED_MASK | SURVIVES, FAN_CLOSE, "d/a");
	unmark(fd, 0, FAN_OPEN, "d/a");
	unmark(fd, FAN_MARK_IGNORED_MASK, FAN_CLOSE, "d/a");
	FAILS(ENOENT, fanotify_mark(fd, FAN_MARK_REMOVE, FAN_OPEN, AT_FDCWD, "d/a"));
	CHECK(close(fd) == 0);
	fd = group_of(FAN_REPORT_DFID_NAME);
	mark(fd, 0, FAN_OPEN, "d/a"); /* with names, of its own accord */
	unmark(fd, 0, FAN_OPEN, "d/a");
	FAILS(ENOENT, fanotify_mark(fd, FAN_MARK_REMOVE, FAN_OPEN, AT_FDCWD, "d/a"));
	CHECK(close(fd) == 0);
}

/* What is being written now is not ignored until it is written. */
static void files_being_written(void)
{
	int fd, f;

	files_make();
	fd = group_of(0);
	mark(fd, 0, FAN_CLOSE, "d/a");
	f = open("d/a", O_RDWR);
	mark(fd, FAN_MARK_IGNORED_MASK, FAN_CLOSE, "d/a");
	mark(fd, FAN_MARK_IGNORED_MASK, FAN_CLOSE, "d/s/b");
	CHECK(close(f) == 0);
	TELLS(fd, "close_w 'd/a'");
	FAILS(ENOENT, fanotify_mark(fd, FAN_MARK_REMOVE, FAN_OPEN, AT_FDCWD, "e"));
	CHECK(close(fd) == 0);
}

/* A change of a file ends what its directory ignores only if that is for files, too. */
static void changes_of_files_in_a_directory(void)
{
	int fd, other;

	files_make();
	fd = group_of(0);
	other = group_of(0);
	mark(fd, 0, FAN_MODIFY | FAN_EVENT_ON_CHILD, "d");
	mark(other, 0, FAN_OPEN | FAN_ONDIR, "d");
	mark(other, FAN_MARK_IGNORED_MASK, FAN_OPEN, "d");
	use("d/a");
	look("d");
	TELLS(fd, "modify 'd/a'");
	TELLS(other, "");
	mark(other, 0, FAN_EVENT_ON_CHILD, "d");
	use("d/a");
	look("d");
	TELLS(fd, "modify 'd/a'");
	TELLS(other, "open 'd'");
	CHECK(close(fd) == 0 && close(other) == 0);
}

/* What goes through a pipe is no affair of the directory that its name is in. */
static void pipes_with_names(void)
{
	int fd, other, f;
	char c;

	files_make();
	CHECK(mkfifo("d/p", 0600) == 0);
	fd = group_of(FAN_REPORT_FID);
	other = group_of(FAN_REPORT_FID);
	know("d/p");
	mark(fd, 0, FAN_OPEN | FAN_ACCESS | FAN_MODIFY | FAN_EVENT_ON_CHILD, "d");
	mark(other, 0, FAN_OPEN | FAN_ACCESS | FAN_MODIFY, "d/p");
	f = open("d/p", O_RDWR);
	CHECK(write(f, "x", 1) == 1 && read(f, &c, 1) == 1 && close(f) == 0);
	TELLS(fd, "open fid=d/p");
	TELLS(other, "access,modify,open fid=d/p");
	CHECK(close(fd) == 0 && close(other) == 0 && unlink("d/p") == 0);
}

RUN(TEST(the_older_mask), TEST(the_newer_mask), TEST(what_does_not_go_together),
    TEST(marks_that_may_go), TEST(the_end_of_a_mark), TEST(files_being_written),
    TEST(changes_of_files_in_a_directory), TEST(pipes_with_names))
