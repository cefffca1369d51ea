/* SPDX-License-Identifier: MIT */
/* files */
/* Ceasing to watch. */
#include "inotify.h"

static void it_is_told_last(void)
{
	int fd = watcher();

	CHECK(mkdir("d", 0755) == 0 || errno == EEXIST);
	CHECK(inotify_add_watch(fd, "d", IN_CREATE) == 1);
	file_put("d/a", "");
	CHECK(inotify_rm_watch(fd, 1) == 0);
	file_put("d/b", "");
	EVENTS(fd, "1:CREATE:a 1:IGNORED");
	CHECK(close(fd) == 0);
}

static void errors(void)
{
	int fd = watcher(), other = open("d", O_RDONLY);

	FAILS(EINVAL, inotify_rm_watch(fd, 1));
	CHECK(inotify_add_watch(fd, "d", IN_CREATE) == 1);
	FAILS(EINVAL, inotify_rm_watch(fd, 0));
	FAILS(EINVAL, inotify_rm_watch(fd, -1));
	FAILS(EINVAL, inotify_rm_watch(fd, 2));
	FAILS(EINVAL, inotify_rm_watch(fd, 0x7fffffff));
	FAILS(EBADF, inotify_rm_watch(-1, 1));
	FAILS(EINVAL, inotify_rm_watch(other, 1));
	CHECK(inotify_rm_watch(fd, 1) == 0);
	FAILS(EINVAL, inotify_rm_watch(fd, 1));
	CHECK(close(fd) == 0 && close(other) == 0);
}

static volatile int shared_fd;
static volatile bool stop;

static void *remover(void *arg)
{
	(void)arg;
	while (!stop)
		for (int wd = 1; wd < 3000; wd += 7)
			(void)inotify_rm_watch(shared_fd, wd);
	return NULL;
}

static void a_second_thread_removes(void)
{
	pthread_t t;

	shared_fd = watcher();
	CHECK(pthread_create(&t, NULL, remover, NULL) == 0);
	for (int i = 0; i < 3000; i++) {
		CHECK(inotify_add_watch(shared_fd, "d", IN_ALL_EVENTS) > 0);
		file_put("d/a", "x");
		if (i % 3 == 0)
			CHECK(unlink("d/a") == 0);
		if (i % 64 == 0)
			(void)events(shared_fd);
	}
	stop = true;
	CHECK(pthread_join(t, NULL) == 0 && close(shared_fd) == 0);
}

RUN(TEST(it_is_told_last), TEST(errors), TEST(a_second_thread_removes))
