/* SPDX-License-Identifier: MIT */
/* trace_calls.c - makes calls of many kinds, for trace.sh: `carbyne trace` must show them
 * as strace does. With an argument: a family of processes, or so many calls of getppid.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void on_signal(int signo)
{
	(void)signo;
}

static void files(void)
{
	char buf[64];
	struct stat st;
	struct statx stx;
	struct iovec iov[2] = {{"one\n", 4}, {"two\t\001\0012", 7}};
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 10};
	struct timespec times[2] = {{1, 2}, {0, UTIME_OMIT}};
	int fd = open("file", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);

	write(fd, "hello, world: longer than thirty-two bytes\n", 43);
	pwrite(fd, "\"quoted\\\"\377", 11, 5);
	writev(fd, iov, 2);
	lseek(fd, 0, SEEK_SET);
	read(fd, buf, 20);
	pread(fd, buf, 64, 3);
	iov[0].iov_base = buf;
	iov[1].iov_base = buf + 4;
	preadv(fd, iov, 2, 0);
	fstat(fd, &st);
	stat("/nowhere", &st);
	lstat("/dev/null", &st);
	statx(AT_FDCWD, "file", AT_SYMLINK_NOFOLLOW, STATX_TYPE | STATX_SIZE, &stx);
	access("file", R_OK | W_OK);
	faccessat(AT_FDCWD, "file", F_OK, 0);
	fcntl(fd, F_GETFD);
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	fcntl(fd, F_GETFL);
	fcntl(fd, F_SETFL, O_APPEND | O_NONBLOCK);
	fcntl(fd, F_SETLK, &lock);
	fcntl(fd, F_DUPFD_CLOEXEC, 20);
	flock(fd, LOCK_EX | LOCK_NB);
	ftruncate(fd, 100);
	fchmod(fd, 0600);
	utimensat(AT_FDCWD, "file", times, 0);
	ioctl(fd, FIONREAD, buf);
	ioctl(fd, TIOCGWINSZ, buf);
	link("file", "link");
	symlink("file", "symlink");
	readlink("symlink", buf, sizeof buf);
	rename("link", "other");
	unlink("other");
	unlink("symlink");
	mkdir("dir", 0755);
	rmdir("dir");
	umask(022);
	close(fd);
	close(fd);
	close_range(100, 200, CLOSE_RANGE_CLOEXEC);
	getcwd(buf, 1);
	unlink("file");
}

static void memory(void)
{
	char *p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		       -1, 0);

	mprotect(p, 4096, PROT_NONE);
	madvise(p, 4096, MADV_DONTNEED);
	mremap(p + 4096, 4096, 8192, MREMAP_MAYMOVE);
	munmap(p, 4096);
	mmap(NULL, 0, PROT_READ, MAP_SHARED | MAP_FIXED, 3, 4096);
	memfd_create("name", MFD_CLOEXEC | MFD_ALLOW_SEALING);
}

static void signals(void)
{
	struct sigaction sa = {.sa_handler = on_signal,
			       .sa_flags = SA_RESTART | SA_NODEFER};
	sigset_t set;
	struct timespec ts = {0, 1000};
	struct itimerval it = {{0, 0}, {100, 5}};

	sigemptyset(&sa.sa_mask);
	sigaddset(&sa.sa_mask, SIGUSR2);
	sigaddset(&sa.sa_mask, SIGRTMIN + 1);
	sigaction(SIGUSR1, &sa, NULL);
	sigaction(SIGUSR1, NULL, &sa);
	signal(SIGHUP, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	kill(getpid(), SIGUSR1);
	sigpending(&set);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	sigfillset(&set);
	sigdelset(&set, SIGINT);
	sigprocmask(SIG_SETMASK, &set, NULL);
	sigemptyset(&set);
	sigprocmask(SIG_SETMASK, &set, NULL);
	sigtimedwait(&set, NULL, &ts);
	setitimer(ITIMER_REAL, &it, NULL);
	it.it_value.tv_sec = it.it_value.tv_usec = 0;
	setitimer(ITIMER_REAL, &it, NULL);
	kill(getpid(), 0);
	kill(getpid(), 77);
}

static void readiness(void)
{
	struct epoll_event ev = {.events = EPOLLIN | EPOLLET, .data.u64 = 7};
	struct epoll_event evs[4];
	struct itimerspec its = {{1, 0}, {50, 0}};
	struct pollfd pfd[2];
	struct timeval tv = {0, 1000};
	struct timespec ts = {0, 1000000};
	fd_set in;
	int p[2], e, t, ep;

	pipe(p);
	pipe2(p, O_CLOEXEC | O_NONBLOCK);
	e = eventfd(3, EFD_NONBLOCK);
	t = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	timerfd_settime(t, 0, &its, NULL);
	ep = epoll_create1(EPOLL_CLOEXEC);
	epoll_ctl(ep, EPOLL_CTL_ADD, e, &ev);
	epoll_wait(ep, evs, 4, -1);
	epoll_ctl(ep, EPOLL_CTL_DEL, e, NULL);
	epoll_wait(ep, evs, 4, 0);
	pfd[0] = (struct pollfd){e, POLLIN, 0};
	pfd[1] = (struct pollfd){p[0], POLLIN | POLLPRI, 0};
	poll(pfd, 2, 100);
	poll(pfd + 1, 1, 1);
	FD_ZERO(&in);
	FD_SET(e, &in);
	FD_SET(p[0], &in);
	syscall(SYS_select, 20, &in, NULL, NULL, NULL);
	FD_ZERO(&in);
	syscall(SYS_select, 20, &in, NULL, NULL, &tv);
	nanosleep(&ts, NULL);
	clock_nanosleep(CLOCK_MONOTONIC, 0, &ts, NULL);
	clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &ts, NULL);
	read(p[0], &tv, 8);
	read(e, &tv, 4);
}

static void sockets(void)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(1)};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(80)};
	struct sockaddr_un un = {.sun_family = AF_UNIX, .sun_path = "/nowhere/socket"};
	int fd = 99; /* no socket: what is shown is the same, and no network is needed */

	in.sin_addr.s_addr = htonl(0x7f000001);
	in6.sin6_addr.s6_addr[15] = 1;
	bind(fd, (struct sockaddr *)&in, sizeof in);
	connect(fd, (struct sockaddr *)&in6, sizeof in6);
	connect(fd, (struct sockaddr *)&un, sizeof un);
	sendto(fd, "data", 4, MSG_DONTWAIT | MSG_NOSIGNAL, (struct sockaddr *)&in,
	       sizeof in);
	listen(fd, 5);
	shutdown(fd, SHUT_RDWR);
}

static void identity(void)
{
	struct rlimit rl = {64, RLIM_INFINITY};
	int status;

	waitpid(-1, &status, WNOHANG | WUNTRACED);
	setrlimit(RLIMIT_CORE, &rl);
	getrlimit(RLIMIT_CORE, &rl);
	prctl(PR_SET_NAME, "newname");
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	getpriority(PRIO_PROCESS, 0);
	syscall(SYS_futex, &status, 129, 5, NULL, NULL, 0);
	execl("/nowhere", "nowhere", "arg", NULL);
	syscall(400, 1, 2, 3, 4, 5, 6);
	syscall(SYS_exit_group, 5);
}

static void family(void)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(3);
	waitpid(pid, &status, 0);
	pid = fork();
	if (pid == 0)
		for (;;)
			pause();
	usleep(20000);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	pid = vfork();
	if (pid == 0) {
		execl("/bin/true", "true", "an argument", NULL);
		_exit(1);
	}
	waitpid(pid, &status, 0);
	signal(SIGUSR1, on_signal);
	raise(SIGUSR1);
	raise(SIGTERM);
}

int main(int argc, char **argv)
{
	close_range(3, ~0U, 0);
	if (argc > 1 && strcmp(argv[1], "family") == 0)
		family();
	if (argc > 1) {
		for (long n = atol(argv[1]); n > 0; n--)
			syscall(SYS_getppid);
		return 0;
	}
	signal(SIGCHLD, SIG_DFL);
	files();
	memory();
	signals();
	readiness();
	sockets();
	identity();
}
