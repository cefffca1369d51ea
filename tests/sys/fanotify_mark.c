/* SPDX-License-Identifier: MIT */
/* files */
/* What fanotify tells, with a descriptor of the file. */
#include "fixture.h"

#include <poll.h>
#include <sys/fanotify.h>
#include <sys/ioctl.h>

static int group(unsigned flags)
{
	int fd = fanotify_init(FAN_CLASS_NOTIF | FAN_NONBLOCK | flags,
			       O_RDONLY | O_CLOEXEC);

	if (fd < 0 && errno == EPERM)
		exit(77);
	CHECK(fd >= 0);
	CHECK(mkdir("d", 0755) == 0 || errno == EEXIST);
	CHECK(mkdir("d/s", 0755) == 0 || errno == EEXIST);
	file_put("d/a", "hello");
	return fd;
}

/* The next event must be about name, with mask. */
static void expect(int fd, const char *name, uint64_t mask)
{
	struct fanotify_event_metadata e;
	char link[64], target[4096] = "", cwd[2048];
	int f;

	CHECK(read(fd, &e, sizeof(e)) == sizeof(e));
	CHECK(e.event_len == sizeof(e) && e.metadata_len == sizeof(e));
	CHECK(e.vers == FANOTIFY_METADATA_VERSION && e.pid == getpid());
	sprintf(link, "/proc/self/fd/%d", e.fd);
	CHECK(readlink(link, target, sizeof(target) - 1) > 0);
	CHECK(getcwd(cwd, sizeof(cwd)) && strncmp(target, cwd, strlen(cwd)) == 0);
	if (strcmp(target + strlen(cwd) + 1, name) != 0 || e.mask != mask) {
		printf("not ok: %llx of %s, not %llx of %s\n", (unsigned long long)e.mask,
		       target, (unsigned long long)mask, name);
		exit(1);
	}
	f = fcntl(e.fd, F_GETFD);
	CHECK(f == FD_CLOEXEC && close(e.fd) == 0);
}

static void expect_nothing(int fd)
{
	struct fanotify_event_metadata e;

	FAILS(EAGAIN, read(fd, &e, sizeof(e)));
}

static void use(const char *name)
{
	char c;
	int f = open(name, O_RDWR);

	CHECK(read(f, &c, 1) == 1 && write(f, &c, 1) == 1 && close(f) == 0);
}

static void a_marked_file(void)
{
	int fd = group(0), f;
	struct pollfd p = {fd, POLLIN, 0};
	int n;

	CHECK(fanotify_mark(fd, FAN_MARK_ADD, FAN_OPEN | FAN_CLOSE, AT_FDCWD, "d/a") ==
	      0);
	CHECK(poll(&p, 1, 0) == 0);
	use("d/a");
	CHECK(poll(&p, 1, 0) == 1 && p.revents == POLLIN);
	CHECK(ioctl(fd, FIONREAD, &n) == 0 && n == 24);
	expect(fd, "d/a", FAN_OPEN | FAN_CLOSE_WRITE);
	expect_nothing(fd); /* not of the descriptor in the event either */
	f = open("d/a", O_RDONLY);
	expect(fd, "d/a", FAN_OPEN);
	CHECK(close(f) == 0);
	expect(fd, "d/a", FAN_CLOSE_NOWRITE);
	CHECK(fanotify_mark(fd, FAN_MARK_ADD, FAN_ACCESS | FAN_MODIFY, AT_FDCWD, "d/a") ==
	      0);
	use("d/a");
	expect(fd, "d/a", FAN_OPEN | FAN_CLOSE_WRITE | FAN_ACCESS | FAN_MODIFY);
	CHECK(fanotify_mark(fd, FAN_MARK_REMOVE, FAN_OPEN | FAN_CLOSE, AT_FDCWD, "d/a") ==
	      0);
	use("d/a");
	expect(fd, "d/a", FAN_ACCESS | FAN_MODIFY);
	CHECK(fanotify_mark(fd, FAN_MARK_FLUSH, 0, AT_FDCWD, "d/a") == 0);
	use("d/a");
	expect_nothing(fd);
	CHECK(close(fd) == 0);
}

static void a_marked_directory(void)
{
	int fd = group(0), f, dir = open("d", O_RDONLY);

	CHECK(fanotify_mark(fd, FAN_MARK_ADD, FAN_OPEN, dir, NULL) == 0);
	use("d/a");
	f = open("d", O_RDONLY);
	CHECK(close(f) == 0);
	expect_nothing(fd); /* neither children nor directories were asked for */
	CHECK(fanotify_mark(fd, FAN_MARK_ADD, FAN_OPEN | FAN_EVENT_ON_CHILD, AT_FDCWD,
			    "d") == 0);
	use("d/a");
	f = open("d/s", O_RDONLY);
	CHECK(close(f) == 0);
	expect(fd, "d/a", FAN_OPEN);
	CHECK(fanotify_mark(fd, FAN_MARK_ADD, FAN_OPEN | FAN_ONDIR, AT_FDCWD, "d") == 0);
	f = open("d/s", O_RDONLY);
	CHECK(close(f) == 0);
	expect(fd, "d/s", FAN_OPEN);
	f = open("d", O_RDONLY);
	CHECK(close(f) == 0);
	expect(fd, "d", FAN_OPEN);
	expect_nothing(fd);
	CHECK(close(fd) == 0 && close(dir) == 0);
}

static void what_is_ignored(void)
{
	unsigned ignore = FAN_MARK_ADD | FAN_MARK_IGNORED_MASK;
	int fd = group(0);

	CHECK(fanotify_mark(fd, FAN_MARK_ADD, FAN_OPEN | FAN_CLOSE | FAN_EVENT_ON_CHILD,
			    AT_FDCWD, "d") == 0);
	CHECK(fanotify_mark(fd, ignore, FAN_OPEN, AT_FDCWD, "d/a") == 0);
	CHECK(close(open("d/a", O_RDONLY)) == 0);
	expect(fd, "d/a", FAN_CLOSE_NOWRITE);
	use("d/a"); /* the change ends it */
	expect(fd, "d/a", FAN_CLOSE_WRITE);
	CHECK(close(open("d/a", O_RDONLY)) == 0);
	expect(fd, "d/a", FAN_OPEN | FAN_CLOSE_NOWRITE);
	CHECK(fanotify_mark(fd, ignore | FAN_MARK_IGNORED_SURV_MODIFY, FAN_OPEN, AT_FDCWD,
			    "d/a") == 0);
	use("d/a");
	use("d/a");
	expect(fd, "d/a", FAN_CLOSE_WRITE);
	CHECK(fanotify_mark(fd, FAN_MARK_REMOVE | FAN_MARK_IGNORED_MASK, FAN_OPEN,
			    AT_FDCWD, "d/a") == 0);
	use("d/a");
	expect(fd, "d/a", FAN_OPEN | FAN_CLOSE_WRITE);
	CHECK(close(fd) == 0);
}

static void executions(void)
{
	int fd = group(0), status;
	pid_t pid;
	struct fanotify_event_metadata e;

	CHECK(fanotify_mark(fd, FAN_MARK_ADD, FAN_OPEN_EXEC, AT_FDCWD, "/bin/true") == 0);
	CHECK(close(open("/bin/true", O_RDONLY)) == 0);
	expect_nothing(fd);
	pid = fork();
	if (pid == 0) {
		execl("/bin/true", "true", (char *)NULL);
		_exit(1);
	}
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	CHECK(read(fd, &e, sizeof(e)) == sizeof(e) && e.mask == FAN_OPEN_EXEC);
	CHECK(e.pid == pid && close(e.fd) == 0 && close(fd) == 0);
}

static int reporting;

static void *opener(void *arg)
{
	*(pid_t *)arg = (pid_t)syscall(SYS_gettid);
	CHECK(close(open("d/a", O_RDONLY)) == 0);
	return NULL;
}

static void threads_by_their_own_number(void)
{
	struct fanotify_event_metadata e;
	pthread_t t;
	pid_t tid = 0;

	reporting = group(FAN_REPORT_TID);
	CHECK(fanotify_mark(reporting, FAN_MARK_ADD, FAN_OPEN, AT_FDCWD, "d/a") == 0);
	CHECK(pthread_create(&t, NULL, opener, &tid) == 0 && pthread_join(t, NULL) == 0);
	CHECK(read(reporting, &e, sizeof(e)) == sizeof(e) && e.pid == tid);
	CHECK(close(e.fd) == 0 && close(reporting) == 0);
}

static void a_removed_file(void)
{
	int fd = group(0);

	CHECK(fanotify_mark(fd, FAN_MARK_ADD, FAN_CLOSE, AT_FDCWD, "d/a") == 0);
	use("d/a");
	CHECK(unlink("d/a") == 0);
	expect(fd, "d/a (deleted)", FAN_CLOSE_WRITE);
	file_put("d/a", "hello");
	use("d/a");
	expect_nothing(fd);
	CHECK(close(fd) == 0);
}

static void errors(void)
{
	int fd = group(0), other = open("d", O_RDONLY);

	FAILS(EBADF, fanotify_mark(-1, FAN_MARK_ADD, FAN_OPEN, AT_FDCWD, "d"));
	FAILS(EINVAL, fanotify_mark(other, FAN_MARK_ADD, FAN_OPEN, AT_FDCWD, "d"));
	FAILS(EINVAL, fanotify_mark(fd, FAN_MARK_ADD, 0, AT_FDCWD, "d"));
	FAILS(EINVAL, fanotify_mark(fd, 0, FAN_OPEN, AT_FDCWD, "d"));
	FAILS(EINVAL,
	      fanotify_mark(fd, FAN_MARK_ADD | FAN_MARK_REMOVE, FAN_OPEN, AT_FDCWD, "d"));
	FAILS(EINVAL, fanotify_mark(fd, FAN_MARK_ADD, 1ULL << 40, AT_FDCWD, "d"));
	FAILS(EINVAL, fanotify_mark(fd, FAN_MARK_ADD, FAN_OPEN_PERM, AT_FDCWD, "d"));
	FAILS(EINVAL, fanotify_mark(fd, FAN_MARK_ADD, FAN_CREATE, AT_FDCWD, "d"));
	FAILS(EINVAL,
	      fanotify_mark(fd, FAN_MARK_ADD | (1U << 30), FAN_OPEN, AT_FDCWD, "d"));
	FAILS(ENOENT, fanotify_mark(fd, FAN_MARK_ADD, FAN_OPEN, AT_FDCWD, "none"));
	FAILS(ENOENT, fanotify_mark(fd, FAN_MARK_REMOVE, FAN_OPEN, AT_FDCWD, "d"));
	FAILS(ENOTDIR, fanotify_mark(fd, FAN_MARK_ADD | FAN_MARK_ONLYDIR, FAN_OPEN,
				     AT_FDCWD, "d/a"));
	FAILS(EBADF, fanotify_mark(fd, FAN_MARK_ADD, FAN_OPEN, -1, NULL));
	FAILS(EFAULT, fanotify_mark(fd, FAN_MARK_ADD, FAN_OPEN, AT_FDCWD, (char *)8));
	CHECK(close(fd) == 0 && close(other) == 0);
}

RUN(TEST(a_marked_file), TEST(a_marked_directory), TEST(what_is_ignored),
    TEST(executions), TEST(threads_by_their_own_number), TEST(a_removed_file),
    TEST(errors))
