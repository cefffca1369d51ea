/* SPDX-License-Identifier: MIT */
/* files */
/* Beginning to watch, and changing how. */
#include "inotify.h"

static void prepare(void)
{
	CHECK(mkdir("d", 0755) == 0 || errno == EEXIST);
	file_put("d/a", "hello");
	CHECK(symlink("a", "d/l") == 0 || errno == EEXIST);
}

static void descriptors_count_upwards(void)
{
	int fd = watcher();

	prepare();
	CHECK(inotify_add_watch(fd, "d", IN_ACCESS) == 1);
	CHECK(inotify_add_watch(fd, "d/a", IN_ACCESS) == 2);
	CHECK(inotify_add_watch(fd, "d/../d", IN_OPEN) == 1);
	CHECK(inotify_rm_watch(fd, 1) == 0);
	CHECK(inotify_add_watch(fd, "d", IN_ACCESS) == 3);
	CHECK(close(fd) == 0);
}

static void masks_are_replaced_or_added_to(void)
{
	int fd = watcher();

	CHECK(inotify_add_watch(fd, "d/a", IN_ATTRIB) == 1);
	CHECK(chmod("d/a", 0600) == 0 && truncate("d/a", 3) == 0);
	EVENTS(fd, "1:ATTRIB");
	CHECK(inotify_add_watch(fd, "d/a", IN_MODIFY) == 1);
	CHECK(chmod("d/a", 0600) == 0 && truncate("d/a", 3) == 0);
	EVENTS(fd, "1:MODIFY");
	CHECK(inotify_add_watch(fd, "d/a", IN_ATTRIB | IN_MASK_ADD) == 1);
	CHECK(chmod("d/a", 0600) == 0 && truncate("d/a", 3) == 0);
	EVENTS(fd, "1:ATTRIB 1:MODIFY");
	FAILS(EEXIST, inotify_add_watch(fd, "d/a", IN_OPEN | IN_MASK_CREATE));
	CHECK(inotify_add_watch(fd, "d", IN_OPEN | IN_MASK_CREATE) == 2);
	FAILS(EINVAL,
	      inotify_add_watch(fd, "d/a", IN_OPEN | IN_MASK_CREATE | IN_MASK_ADD));
	CHECK(close(fd) == 0);
}

static void links_are_followed_or_not(void)
{
	int fd = watcher();

	CHECK(inotify_add_watch(fd, "d/l", IN_ATTRIB) == 1);
	CHECK(inotify_add_watch(fd, "d/a", IN_ATTRIB) == 1);
	CHECK(inotify_add_watch(fd, "d/l", IN_ATTRIB | IN_DONT_FOLLOW) == 2);
	CHECK(lchown("d/l", getuid(), getgid()) == 0);
	EVENTS(fd, "2:ATTRIB");
	CHECK(inotify_add_watch(fd, "d", IN_OPEN | IN_ONLYDIR) == 3);
	FAILS(ENOTDIR, inotify_add_watch(fd, "d/a", IN_OPEN | IN_ONLYDIR));
	FAILS(ENOTDIR, inotify_add_watch(fd, "d/l", IN_OPEN | IN_ONLYDIR));
	CHECK(close(fd) == 0);
}

static void one_shot(void)
{
	int fd = watcher();

	CHECK(inotify_add_watch(fd, "d", IN_OPEN | IN_CLOSE | IN_ONESHOT) == 1);
	file_put("d/a", "x");
	EVENTS(fd, "1:OPEN:a 1:IGNORED");
	FAILS(EINVAL, inotify_rm_watch(fd, 1));
	CHECK(inotify_add_watch(fd, "d", IN_OPEN | IN_ONESHOT) == 2);
	CHECK(close(fd) == 0);
}

static void errors(void)
{
	int fd = watcher(), other = open("d", O_RDONLY);
	char longer[5000];

	FAILS(EINVAL, inotify_add_watch(fd, "d", 0));
	FAILS(EINVAL, inotify_add_watch(fd, "d", 0x1000));
	FAILS(EINVAL, inotify_add_watch(fd, "d", IN_OPEN | 0x08000000));
	FAILS(EINVAL, inotify_add_watch(-1, "d", 0));
	FAILS(EBADF, inotify_add_watch(-1, "d", IN_OPEN));
	FAILS(EBADF, inotify_add_watch(999, "d", IN_OPEN));
	FAILS(EINVAL, inotify_add_watch(other, "d", IN_OPEN));
	FAILS(ENOENT, inotify_add_watch(fd, "none", IN_OPEN));
	FAILS(ENOENT, inotify_add_watch(fd, "", IN_OPEN));
	FAILS(ENOTDIR, inotify_add_watch(fd, "d/a/b", IN_OPEN));
	memset(longer, 'a', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = 0;
	FAILS(ENAMETOOLONG, inotify_add_watch(fd, longer, IN_OPEN));
	FOR_BAD(p)
	FAILS(EFAULT, inotify_add_watch(fd, p, IN_OPEN));
	if (getuid() == 0) {
		CHECK(chmod("d/a", 0200) == 0 && chmod(".", 0755) == 0);
		CHECK(seteuid(1) == 0);
		CHECK(inotify_add_watch(fd, "d/a", IN_OPEN) == -1);
		CHECK(errno == EACCES && seteuid(0) == 0);
	}
	/* IN_ISDIR and the like are known, and no events */
	CHECK(inotify_add_watch(fd, "d", IN_ISDIR) == 1);
	CHECK(inotify_add_watch(fd, "d", IN_IGNORED | IN_Q_OVERFLOW) == 1);
	CHECK(close(fd) == 0 && close(other) == 0);
}

static void a_watch_survives_fork_and_names(void)
{
	int fd = watcher();
	pid_t pid;

	CHECK(chmod("d/a", 0644) == 0);
	CHECK(inotify_add_watch(fd, "d/a", IN_MODIFY | IN_ATTRIB) == 1);
	CHECK(rename("d/a", "d/z") == 0);
	pid = fork();
	if (pid == 0)
		_exit(truncate("d/z", 1));
	CHECK(waitpid(pid, NULL, 0) == pid);
	EVENTS(fd, "1:MODIFY");
	CHECK(rename("d/z", "d/a") == 0 && close(fd) == 0);
}

static void a_fifo_and_a_pipe(void)
{
	int fd = watcher(), p[2];
	char name[64];
	int f;

	CHECK(mkfifo("d/p", 0600) == 0);
	CHECK(inotify_add_watch(fd, "d/p", IN_ALL_EVENTS) == 1);
	f = open("d/p", O_RDWR);
	CHECK(f >= 0 && close(f) == 0);
	EVENTS(fd, "1:OPEN 1:CLOSEW");
	CHECK(pipe(p) == 0);
	sprintf(name, "/proc/self/fd/%d", p[0]);
	CHECK(inotify_add_watch(fd, name, IN_CLOSE) == 2);
	CHECK(close(p[0]) == 0 && close(p[1]) == 0);
	CHECK(unlink("d/p") == 0 && close(fd) == 0);
}

RUN(TEST(descriptors_count_upwards), TEST(masks_are_replaced_or_added_to),
    TEST(links_are_followed_or_not), TEST(one_shot), TEST(errors),
    TEST(a_watch_survives_fork_and_names), TEST(a_fifo_and_a_pipe))
