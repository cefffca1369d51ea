/* SPDX-License-Identifier: MIT */
/* files */
/* What /proc/PID/fdinfo says of descriptors of events. */
/* calls: eventfd2 signalfd4 timerfd_create epoll_create1 inotify_init1 pidfd_open */
#include "fanotify.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/sysmacros.h>
#include <sys/timerfd.h>

/* The lines that are the descriptor's kind's own. */
static const char *lines_of(int fd)
{
	char name[64];
	const char *all, *ino;

	sprintf(name, "/proc/self/fdinfo/%d", fd);
	all = file_get(name);
	CHECK(strncmp(all, "pos:\t0\nflags:\t0", 15) == 0);
	ino = strstr(all, "\nino:\t");
	CHECK(ino && strstr(all, "\nmnt_id:\t"));
	return strchr(ino + 1, '\n') + 1;
}

static int count_lines(const char *lines)
{
	int n = 0;

	for (; *lines; lines++)
		n += *lines == '\n';
	return n;
}

/* The next lines of text are to be lines, exactly. */
#define SHOWS(fd, want)                                                                  \
	do {                                                                             \
		const char *lines_ = lines_of(fd);                                       \
		if (strcmp(lines_, want) != 0) {                                         \
			printf("not ok: %s:%d: %snot %s", __FILE__, __LINE__, lines_,    \
			       want);                                                    \
			exit(1);                                                         \
		}                                                                        \
	} while (0)

static unsigned device_of(const struct stat *st)
{
	return major(st->st_dev) << 20 | minor(st->st_dev);
}

/* "fhandle-bytes:… fhandle-type:… f_handle:…" and the end of the line. */
static const char *handle_text(const char *path)
{
	static char line[400];
	struct handle h = handle_of(path);
	int n = sprintf(line,
			"fhandle-bytes:%x fhandle-type:%x f_handle:", h.head.handle_bytes,
			(unsigned)h.head.handle_type);

	for (unsigned i = 0; i < h.head.handle_bytes; i++)
		n += sprintf(line + n, "%02x", h.bytes[i]);
	strcpy(line + n, "\n");
	return line;
}

static void eventfds(void)
{
	char want[200];
	unsigned id;
	int fd = eventfd(300, EFD_SEMAPHORE);
	const char *lines = lines_of(fd);

	CHECK(sscanf(strstr(lines, "eventfd-id: "), "eventfd-id: %u", &id) == 1);
	sprintf(want, "eventfd-count: %16x\neventfd-id: %u\neventfd-semaphore: 1\n", 300,
		id);
	SHOWS(fd, want);
	CHECK(close(fd) == 0);
}

static void signalfds(void)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, 64);
	fd = signalfd(-1, &set, 0);
	SHOWS(fd, "sigmask:\t8000000000004001\n");
	CHECK(close(fd) == 0);
}

static void timerfds(void)
{
	struct itimerspec it = {{3, 4}, {0, 0}};
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	const char *lines;
	unsigned long sec, nsec;

	SHOWS(fd, "clockid: 1\nticks: 0\nsettime flags: 00\nit_value: (0, 0)\n"
		  "it_interval: (0, 0)\n");
	it.it_value.tv_sec = time(NULL) + 100;
	CHECK(close(fd) == 0 && (fd = timerfd_create(CLOCK_REALTIME, 0)) >= 0);
	CHECK(timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &it,
			      NULL) == 0);
	lines = lines_of(fd);
	CHECK(sscanf(lines,
		     "clockid: 0\nticks: 0\nsettime flags: 03\nit_value: (%lu, %lu)\n",
		     &sec, &nsec) == 2);
	CHECK(sec >= 98 && sec <= 100 && nsec < 1000000000);
	CHECK(strstr(lines, "it_interval: (3, 4)\n"));
	CHECK(close(fd) == 0);
}

static void epolls(void)
{
	struct epoll_event ev = {.events = EPOLLIN | EPOLLET, .data.u64 = 0x123456789};
	int ep = epoll_create1(0), fd = eventfd(0, 0);
	char want[200];
	struct stat st;

	SHOWS(ep, "");
	CHECK(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev) == 0 && fstat(fd, &st) == 0);
	sprintf(want, "tfd: %8d events: %8x data: %16llx  pos:0 ino:%lx sdev:%x\n", fd,
		EPOLLIN | EPOLLET | EPOLLERR | EPOLLHUP, 0x123456789ULL, st.st_ino,
		device_of(&st));
	SHOWS(ep, want);
	for (int i = 0; i < 300; i++) {
		int other = dup(fd);

		CHECK(other >= 0 && epoll_ctl(ep, EPOLL_CTL_ADD, other, &ev) == 0);
	}
	CHECK(count_lines(lines_of(ep)) == 301);
	for (int i = fd + 1; i <= fd + 300; i++)
		CHECK(close(i) == 0);
	CHECK(close(ep) == 0 && close(fd) == 0);
}

static void inotifies(void)
{
	int fd = inotify_init1(0);
	char want[1000], name[64];
	struct stat a, d;

	files_make();
	SHOWS(fd, "");
	CHECK(inotify_add_watch(fd, "d", IN_ALL_EVENTS) == 1);
	CHECK(inotify_add_watch(fd, "d/a", IN_OPEN | IN_ONESHOT | IN_EXCL_UNLINK) == 2);
	CHECK(stat("d", &d) == 0 && stat("d/a", &a) == 0);
	sprintf(want, "inotify wd:2 ino:%lx sdev:%x mask:84000020 ignored_mask:0 %s",
		a.st_ino, device_of(&a), handle_text("d/a"));
	sprintf(want + strlen(want),
		"inotify wd:1 ino:%lx sdev:%x mask:fff ignored_mask:0 %s", d.st_ino,
		device_of(&d), handle_text("d"));
	SHOWS(fd, want);
	for (int i = 0; i < 300; i++) {
		sprintf(name, "e/%d", i);
		file_put(name, "");
		CHECK(inotify_add_watch(fd, name, IN_OPEN) >= 3);
	}
	CHECK(count_lines(lines_of(fd)) == 302);
	CHECK(close(fd) == 0);
}

static void pidfds(void)
{
	char want[100];
	int fd, status;
	pid_t pid = fork();

	if (pid == 0)
		for (;;)
			pause();
	fd = (int)syscall(SYS_pidfd_open, pid, 0);
	sprintf(want, "Pid:\t%d\nNSpid:\t%d\n", pid, pid);
	SHOWS(fd, want);
	CHECK(kill(pid, SIGKILL) == 0 && waitpid(pid, &status, 0) == pid);
	SHOWS(fd, "Pid:\t-1\nNSpid:\t-1\n");
	CHECK(close(fd) == 0);
}

RUN(TEST(eventfds), TEST(signalfds), TEST(timerfds), TEST(epolls), TEST(inotifies),
    TEST(pidfds))
