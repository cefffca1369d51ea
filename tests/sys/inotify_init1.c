/* SPDX-License-Identifier: MIT */
/* alone */
/* An inotify instance as a file: its queue, its limits. */
/* calls: inotify_init1 inotify_init */
#include "inotify.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/time.h>

static void flags_are_kept(void)
{
	char name[64], target[64] = "";
	int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

	CHECK(fcntl(fd, F_GETFD) == FD_CLOEXEC);
	CHECK(fcntl(fd, F_GETFL) & O_NONBLOCK);
	CHECK((fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDONLY);
	sprintf(name, "/proc/self/fd/%d", fd);
	CHECK(readlink(name, target, sizeof(target) - 1) > 0);
	CHECK(strcmp(target, "anon_inode:inotify") == 0 && close(fd) == 0);
	fd = (int)syscall(SYS_inotify_init);
	CHECK(fcntl(fd, F_GETFD) == 0 && !(fcntl(fd, F_GETFL) & O_NONBLOCK));
	CHECK(close(fd) == 0);
	FAILS(EINVAL, inotify_init1(1));
	FAILS(EINVAL, inotify_init1(IN_CLOEXEC | O_APPEND));
}

static void what_a_file_can_do(void)
{
	int fd = watcher();
	char buf[64];

	FAILS(EBADF, write(fd, buf, 1));
	FAILS(ESPIPE, pread(fd, buf, sizeof(buf), 0));
	FAILS(ENODEV,
	      mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0) == MAP_FAILED ? -1 : 0);
	FAILS(EAGAIN, read(fd, buf, sizeof(buf)));
	FAILS(ENOTTY, ioctl(fd, TIOCGWINSZ, buf));
	CHECK(close(fd) == 0);
}

static void a_short_buffer(void)
{
	char buf[64];
	int n = 0, fd = watcher();

	CHECK(mkdir("d", 0755) == 0 || errno == EEXIST);
	CHECK(inotify_add_watch(fd, "d", IN_CREATE | IN_DELETE) == 1);
	CHECK(ioctl(fd, FIONREAD, &n) == 0 && n == 0);
	file_put("d/fifteen_letters", "");
	CHECK(ioctl(fd, FIONREAD, &n) == 0 && n == 32);
	FAILS(EINVAL, read(fd, buf, 31));
	FAILS(EINVAL, read(fd, buf, 0));
	CHECK(unlink("d/fifteen_letters") == 0);
	file_put("d/sixteen_letters_", "");
	CHECK(ioctl(fd, FIONREAD, &n) == 0 && n == 32 + 32 + 48);
	CHECK(read(fd, buf, 63) == 32);
	CHECK(read(fd, buf, 64) == 32);
	CHECK(read(fd, buf, 64) == 48 && ((struct inotify_event *)buf)->len == 32);
	CHECK(ioctl(fd, FIONREAD, &n) == 0 && n == 0);
	CHECK(unlink("d/sixteen_letters_") == 0);
	FOR_BAD(p)
	{
		FAILS(EFAULT, ioctl(fd, FIONREAD, p));
		CHECK(read(fd, p, 64) == -1 && (errno == EFAULT || errno == EAGAIN));
	}
	CHECK(close(fd) == 0);
}

static void it_can_be_waited_for(void)
{
	int fd = watcher(), ep = epoll_create1(0);
	struct pollfd p = {fd, POLLIN | POLLOUT, 0};
	struct epoll_event ev = {.events = EPOLLIN | EPOLLET};

	CHECK(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev) == 0);
	CHECK(inotify_add_watch(fd, "d", IN_CREATE) == 1);
	CHECK(poll(&p, 1, 0) == 0 && epoll_wait(ep, &ev, 1, 0) == 0);
	file_put("d/a", "");
	CHECK(poll(&p, 1, 0) == 1 && p.revents == POLLIN);
	CHECK(epoll_wait(ep, &ev, 1, 0) == 1 && epoll_wait(ep, &ev, 1, 0) == 0);
	file_put("d/b", "");
	CHECK(epoll_wait(ep, &ev, 1, 0) == 1);
	EVENTS(fd, "1:CREATE:a 1:CREATE:b");
	CHECK(poll(&p, 1, 0) == 0);
	CHECK(close(fd) == 0 && close(ep) == 0);
	CHECK(unlink("d/a") == 0 && unlink("d/b") == 0);
}

static void make_later(void)
{
	sleep_ms(30);
	file_put("d/a", "");
}

static void on_signal(int signo)
{
	(void)signo;
}

static void a_reader_sleeps(void)
{
	struct itimerval soon = {{0, 20000}, {0, 20000}};
	struct itimerval never = {{0, 0}, {0, 0}};
	int fd = inotify_init1(0);
	char buf[64];
	int status;
	pid_t pid;

	CHECK(inotify_add_watch(fd, "d", IN_CREATE) == 1);
	pid = fork();
	if (pid == 0) {
		make_later();
		_exit(0);
	}
	CHECK(read(fd, buf, sizeof(buf)) == 32);
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	CHECK(unlink("d/a") == 0);
	sigaction(SIGALRM, &(struct sigaction){.sa_handler = on_signal}, NULL);
	CHECK(setitimer(ITIMER_REAL, &soon, NULL) == 0);
	FAILS(EINTR, read(fd, buf, sizeof(buf)));
	CHECK(setitimer(ITIMER_REAL, &never, NULL) == 0);
	CHECK(close(fd) == 0);
}

static volatile sig_atomic_t told;

static void on_io(int signo, siginfo_t *info, void *context)
{
	(void)signo, (void)context;
	told = info->si_code > 0 ? info->si_fd : -1;
}

static void a_signal_can_say_so(void)
{
	int fd = watcher();
	struct sigaction sa = {.sa_sigaction = on_io, .sa_flags = SA_SIGINFO};

	CHECK(sigaction(SIGRTMIN, &sa, NULL) == 0);
	CHECK(inotify_add_watch(fd, "d", IN_CREATE) == 1);
	CHECK(fcntl(fd, F_SETOWN, getpid()) == 0 && fcntl(fd, F_SETSIG, SIGRTMIN) == 0);
	CHECK(fcntl(fd, F_SETFL, O_ASYNC | O_NONBLOCK) == 0);
	told = 0;
	file_put("d/a", "");
	CHECK(told == fd);
	CHECK(unlink("d/a") == 0 && close(fd) == 0);
}

static void the_queue_overflows(void)
{
	int max = atoi(file_get("/proc/sys/fs/inotify/max_queued_events"));
	static char buf[65536];
	const struct inotify_event *e = NULL;
	int n = 0, fd = watcher();

	CHECK(max >= 100);
	CHECK(inotify_add_watch(fd, "d", IN_ATTRIB) == 1);
	file_put("d/a", "");
	file_put("d/b", "");
	for (int i = 0; i < max + 10; i++)
		CHECK(chmod(i % 2 ? "d/a" : "d/b", 0600) == 0);
	for (ssize_t len; (len = read(fd, buf, sizeof(buf))) > 0;)
		for (ssize_t at = 0; at < len; at += (ssize_t)(sizeof(*e) + e->len), n++)
			e = (void *)(buf + at);
	CHECK(n == max + 1);
	CHECK(e->wd == -1 && e->mask == IN_Q_OVERFLOW && e->len == 0 && e->cookie == 0);
	CHECK(chmod("d/a", 0644) == 0);
	EVENTS(fd, "1:ATTRIB:a");
	CHECK(close(fd) == 0 && unlink("d/a") == 0 && unlink("d/b") == 0);
}

static void users_have_limits(void)
{
	int max = atoi(file_get("/proc/sys/fs/inotify/max_user_instances"));
	int fds[4096], n = 0;

	if (max > 1000)
		return;
	while (n <= max && (fds[n] = inotify_init1(0)) >= 0)
		n++;
	CHECK(n <= max && n > 0 && errno == EMFILE);
	CHECK(close(fds[--n]) == 0);
	CHECK((fds[n] = inotify_init1(0)) >= 0);
	n++;
	FAILS(EMFILE, inotify_init1(0));
	while (n)
		CHECK(close(fds[--n]) == 0);
}

static void fdinfo_lists_watches(void)
{
	int fd = watcher();
	struct stat st;
	char name[64], want[64];

	CHECK(inotify_add_watch(fd, "d", IN_CREATE) == 1);
	CHECK(inotify_add_watch(fd, "/", IN_ALL_EVENTS | IN_ONESHOT) == 2);
	CHECK(stat("d", &st) == 0);
	sprintf(name, "/proc/self/fdinfo/%d", fd);
	sprintf(want, "inotify wd:1 ino:%llx sdev:", (unsigned long long)st.st_ino);
	CHECK(strstr(file_get(name), want) != NULL);
	CHECK(strstr(file_get(name), " mask:100 ignored_mask:0 ") != NULL);
	CHECK(strstr(file_get(name), "inotify wd:2 ino:") < strstr(file_get(name), want));
	CHECK(strstr(file_get(name), " mask:80000fff ignored_mask:0 ") != NULL);
	CHECK(close(fd) == 0);
}

RUN(TEST(flags_are_kept), TEST(what_a_file_can_do), TEST(a_short_buffer),
    TEST(it_can_be_waited_for), TEST(a_reader_sleeps), TEST(a_signal_can_say_so),
    TEST(the_queue_overflows), TEST(users_have_limits), TEST(fdinfo_lists_watches))
