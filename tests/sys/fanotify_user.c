/* SPDX-License-Identifier: MIT */
/* alone */
/* files */
/* fanotify without privilege: handles of what one may read, and no more. */
/* calls: fanotify_init fanotify_mark */
#include "fanotify.h"

static void groups(void)
{
	int fd;

	become_user_here();
	FAILS(EPERM, fanotify_init(FAN_CLASS_NOTIF, O_RDONLY));
	FAILS(EPERM, fanotify_init(0x80000000U, O_RDONLY));
	FAILS(EPERM, fanotify_init(FAN_CLASS_CONTENT | FAN_REPORT_FID, O_RDONLY));
	FAILS(EPERM, fanotify_init(FAN_REPORT_FID | FAN_REPORT_TID, O_RDONLY));
	FAILS(EPERM, fanotify_init(FAN_REPORT_FID | FAN_REPORT_PIDFD, O_RDONLY));
	FAILS(EPERM, fanotify_init(FAN_REPORT_FID | FAN_REPORT_FD_ERROR, O_RDONLY));
	FAILS(EPERM, fanotify_init(FAN_REPORT_FID | FAN_UNLIMITED_QUEUE, O_RDONLY));
	FAILS(EPERM, fanotify_init(FAN_REPORT_FID | FAN_UNLIMITED_MARKS, O_RDONLY));
	FAILS(EINVAL, fanotify_init(FAN_REPORT_FID | 0x80000000U, O_RDONLY));
	FAILS(EINVAL, fanotify_init(FAN_REPORT_NAME, O_RDONLY));
	FAILS(EINVAL, fanotify_init(FAN_REPORT_FID, O_CREAT));
	fd = fanotify_init(FAN_REPORT_DFID_NAME_TARGET | FAN_CLOEXEC | FAN_NONBLOCK,
			   O_RDONLY);
	CHECK(fd >= 0 && close(fd) == 0);
	fd = fanotify_init(FAN_REPORT_DIR_FID, O_RDWR);
	CHECK(fd >= 0 && close(fd) == 0);
}

static void what_groups_there_may_be(void)
{
	CHECK(in_child(groups) == 0);
}

static void marks(void)
{
	int fd;

	become_user_here();
	files_make();
	fd = fanotify_init(FAN_REPORT_FID | FAN_NONBLOCK, O_RDONLY);
	CHECK(fd >= 0);
	FAILS(EPERM,
	      fanotify_mark(fd, FAN_MARK_ADD | FAN_MARK_MOUNT, FAN_OPEN, AT_FDCWD, "d"));
	FAILS(EPERM, fanotify_mark(fd, FAN_MARK_ADD | FAN_MARK_FILESYSTEM, FAN_OPEN,
				   AT_FDCWD, "none"));
	FAILS(EPERM,
	      fanotify_mark(fd, FAN_MARK_FLUSH | FAN_MARK_MOUNT, 0, AT_FDCWD, "d"));
	FAILS(EINVAL, fanotify_mark(fd, FAN_MARK_ADD, FAN_OPEN_PERM, AT_FDCWD, "d"));
	CHECK(chmod("d/a", 0) == 0);
	FAILS(EACCES, fanotify_mark(fd, FAN_MARK_ADD, FAN_OPEN, AT_FDCWD, "d/a"));
	CHECK(chmod("d/a", 0600) == 0);
	CHECK(fanotify_mark(fd, FAN_MARK_ADD, FAN_OPEN, AT_FDCWD, "d/a") == 0);
	CHECK(fanotify_mark(fd, FAN_MARK_ADD, FAN_OPEN | FAN_ONDIR, AT_FDCWD, "/") == 0);
	CHECK(close(fd) == 0);
}

static void what_may_be_marked(void)
{
	CHECK(in_child(marks) == 0);
}

static void opener(void)
{
	look("d/a");
}

/* Others' process numbers are not told. */
static void events(void)
{
	struct fanotify_event_metadata *e;
	char buf[256] __attribute__((aligned(8)));
	int fd;

	become_user_here();
	files_make();
	fd = fanotify_init(FAN_REPORT_FID | FAN_NONBLOCK, O_RDONLY);
	CHECK(fd >= 0);
	CHECK(fanotify_mark(fd, FAN_MARK_ADD, FAN_OPEN, AT_FDCWD, "d/a") == 0);
	look("d/a");
	CHECK(read(fd, buf, 100) > 24);
	e = (void *)buf;
	CHECK(e->mask == FAN_OPEN && e->pid == getpid() && e->fd == FAN_NOFD);
	CHECK(in_child(opener) == 0);
	CHECK(read(fd, buf, 100) > 24 && e->mask == FAN_OPEN && e->pid == 0);
	CHECK(close(fd) == 0);
}

static void whose_events_they_are(void)
{
	CHECK(in_child(events) == 0);
}

/* A group keeps what it was made with; what may be marked is asked of who marks. */
static void handed_on(void)
{
	int strong, weak;

	if (geteuid() != 0)
		return;
	files_make();
	strong = group_of(0);
	CHECK(seteuid(65534) == 0);
	weak = fanotify_init(FAN_REPORT_FID | FAN_NONBLOCK, O_RDONLY);
	CHECK(weak >= 0 && seteuid(0) == 0);
	CHECK(chmod(".", 0777) == 0);
	mark(weak, 0, FAN_OPEN, "d/a");
	look("d/a");
	TELLS(weak, "open fid=d/a");
	become_user();
	FAILS(EPERM, fanotify_mark(strong, FAN_MARK_ADD | FAN_MARK_MOUNT, FAN_OPEN,
				   AT_FDCWD, "d"));
	CHECK(fanotify_mark(strong, FAN_MARK_ADD, FAN_OPEN, AT_FDCWD, "d/a") == 0);
	look("d/a");
	TELLS(strong, "open 'd/a'");
	CHECK(close(strong) == 0 && close(weak) == 0);
}

static void a_group_handed_on(void)
{
	CHECK(in_child(handed_on) == 0);
}

static void limits(void)
{
	int max = atoi(file_get("/proc/sys/fs/fanotify/max_user_groups"));
	int fds[1024], n = 0;

	if (max > 1000)
		return;
	become_user_here();
	while (n <= max && (fds[n] = fanotify_init(FAN_REPORT_FID, O_RDONLY)) >= 0)
		n++;
	CHECK(n > 0 && n <= max && errno == EMFILE);
	while (n)
		CHECK(close(fds[--n]) == 0);
}

static void users_have_limits(void)
{
	CHECK(in_child(limits) == 0);
}

RUN(TEST(what_groups_there_may_be), TEST(what_may_be_marked), TEST(whose_events_they_are),
    TEST(a_group_handed_on), TEST(users_have_limits))
