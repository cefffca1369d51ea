/* SPDX-License-Identifier: MIT */
/* files */
/* F_NOTIFY: signals about what happens in a directory. */
/* calls: fcntl */
#include "fixture.h"

static volatile int signals, last_fd, last_code;
static volatile long last_band;

static void on_signal(int signo, siginfo_t *info, void *context)
{
	(void)signo, (void)context;
	signals++;
	last_fd = info->si_fd;
	last_code = info->si_code;
	last_band = info->si_band;
}

static int told(void)
{
	int n = signals;

	signals = 0;
	return n;
}

static int dir_open(void)
{
	struct sigaction sa = {.sa_sigaction = on_signal,
			       .sa_flags = SA_SIGINFO | SA_RESTART};
	int fd;

	CHECK(sigaction(SIGRTMIN + 1, &sa, NULL) == 0);
	CHECK(sigaction(SIGIO, &sa, NULL) == 0);
	CHECK(mkdir("d", 0755) == 0 || errno == EEXIST);
	file_put("d/a", "hello");
	fd = open("d", O_RDONLY);
	CHECK(fd >= 0 && fcntl(fd, F_SETSIG, SIGRTMIN + 1) == 0);
	(void)told();
	return fd;
}

static void each_kind(void)
{
	int f, fd = dir_open();
	char c;

	CHECK(fcntl(fd, F_NOTIFY, DN_CREATE | DN_MULTISHOT) == 0);
	CHECK(fcntl(fd, F_GETOWN) == getpid());
	f = open("d/b", O_CREAT | O_RDWR, 0644);
	CHECK(told() == 1 && last_fd == fd && last_code == POLL_MSG);
	CHECK(last_band != 0);
	CHECK(write(f, "x", 1) == 1 && told() == 0);
	CHECK(fcntl(fd, F_NOTIFY, DN_MODIFY | DN_ACCESS | DN_MULTISHOT) == 0);
	CHECK(write(f, "x", 1) == 1 && told() == 1);
	CHECK(pread(f, &c, 1, 0) == 1 && told() == 1 && ftruncate(f, 0) == 0);
	CHECK(told() == 1 && chmod("d/b", 0600) == 0 && told() == 0);
	CHECK(fcntl(fd, F_NOTIFY, DN_ATTRIB | DN_MULTISHOT) == 0);
	CHECK(chmod("d/b", 0644) == 0 && told() == 1 && chmod("d", 0755) == 0);
	CHECK(told() == 1 && link("d/b", "d/c") == 0 && told() == 1);
	CHECK(unlink("d/c") == 0 && told() == 0);
	CHECK(fcntl(fd, F_NOTIFY, DN_DELETE | DN_MULTISHOT) == 0);
	CHECK(unlink("d/b") == 0 && told() == 1 && close(f) == 0);
	CHECK(fcntl(fd, F_NOTIFY, 0) == 0 && unlink("d/a") == 0 && told() == 0);
	CHECK(close(fd) == 0);
}

static void names_that_move(void)
{
	int fd = dir_open();

	CHECK(fcntl(fd, F_NOTIFY, DN_RENAME | DN_MULTISHOT) == 0);
	CHECK(rename("d/a", "d/b") == 0 && told() == 1);
	CHECK(rename("d/b", "b") == 0 && told() == 0);
	CHECK(rename("b", "d/a") == 0 && told() == 0);
	CHECK(fcntl(fd, F_NOTIFY, 0) == 0);
	CHECK(fcntl(fd, F_NOTIFY, DN_CREATE | DN_DELETE | DN_MULTISHOT) == 0);
	CHECK(rename("d/a", "b") == 0 && told() == 1);
	CHECK(rename("b", "d/a") == 0 && told() == 1);
	CHECK(close(fd) == 0);
}

static void once_or_always(void)
{
	int fd = dir_open();

	CHECK(fcntl(fd, F_NOTIFY, DN_ATTRIB) == 0);
	CHECK(chmod("d/a", 0600) == 0 && told() == 1);
	CHECK(chmod("d/a", 0600) == 0 && told() == 0);
	CHECK(fcntl(fd, F_NOTIFY, DN_ATTRIB) == 0);
	CHECK(fcntl(fd, F_NOTIFY, (long)DN_MULTISHOT) == 0);
	CHECK(chmod("d/a", 0600) == 0 && told() == 0);
	CHECK(close(fd) == 0);
}

static void sigio_by_default(void)
{
	int fd = dir_open();

	CHECK(fcntl(fd, F_SETSIG, 0) == 0);
	CHECK(fcntl(fd, F_NOTIFY, DN_ATTRIB) == 0);
	CHECK(chmod("d/a", 0600) == 0 && told() == 1 && last_code == SI_KERNEL);
	CHECK(close(fd) == 0);
}

static void closing_any_descriptor_ends_it(void)
{
	int fd = dir_open(), copy = dup(fd), status;
	pid_t pid;

	CHECK(fcntl(fd, F_NOTIFY, DN_ATTRIB | DN_MULTISHOT) == 0);
	CHECK(chmod("d/a", 0600) == 0 && told() == 1);
	pid = fork();
	if (pid == 0) {
		close(fd); /* the child's, who has asked for nothing */
		chmod("d/a", 0600);
		_exit(0);
	}
	CHECK(waitpid(pid, &status, 0) == pid && status == 0 && told() == 1);
	CHECK(close(copy) == 0);
	CHECK(chmod("d/a", 0600) == 0 && told() == 0 && close(fd) == 0);
}

static void errors(void)
{
	int fd = open("d/a", O_RDONLY), path = open("d", O_PATH);

	FAILS(ENOTDIR, fcntl(fd, F_NOTIFY, DN_ATTRIB));
	CHECK(fcntl(fd, F_NOTIFY, 0) == 0);
	FAILS(EBADF, fcntl(path, F_NOTIFY, DN_ATTRIB));
	FAILS(EBADF, fcntl(-1, F_NOTIFY, DN_ATTRIB));
	CHECK(close(fd) == 0 && close(path) == 0);
}

RUN(TEST(each_kind), TEST(names_that_move), TEST(once_or_always), TEST(sigio_by_default),
    TEST(closing_any_descriptor_ends_it), TEST(errors))
