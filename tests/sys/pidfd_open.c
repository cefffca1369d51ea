/* SPDX-License-Identifier: MIT */
/* calls: pidfd_open pidfd_send_signal pidfd_getfd */
/* pidfd_open.c - processes as descriptors: waited for, sent signals, robbed of files. */
#include "proc.h"
#include <poll.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

#define NOBODY 0x7ffffff0

static int open_pid(pid_t pid, unsigned flags)
{
	return (int)syscall(SYS_pidfd_open, pid, flags);
}

static long tell(int fd, int sig, void *info, unsigned flags)
{
	return syscall(SYS_pidfd_send_signal, fd, sig, info, flags);
}

static void sleep_for_good(void)
{
	for (;;)
		pause();
}

static bool is_ready(int fd, int ms)
{
	struct pollfd p = {fd, POLLIN, 0};
	int n = poll(&p, 1, ms);

	CHECK(n >= 0);
	return n == 1 && (p.revents & POLLIN);
}

static void its_end_can_be_waited_for(void)
{
	siginfo_t info = {0};
	int fd;

	CHILD(pid)
	sleep_for_good();
	fd = open_pid(pid, 0);
	CHECK(fd >= 0 && fcntl(fd, F_GETFD) == FD_CLOEXEC);
	CHECK(!is_ready(fd, 5));
	CHECK(tell(fd, 0, NULL, 0) == 0 && !is_ready(fd, 0));
	CHECK(tell(fd, SIGTERM, NULL, 0) == 0 && is_ready(fd, 20000));
	CHECK(tell(fd, 0, NULL, 0) == 0); /* dead, but still there */
	CHECK(waitid((idtype_t)P_PIDFD, (id_t)fd, &info, WEXITED) == 0);
	CHECK(info.si_pid == pid && info.si_code == CLD_KILLED);
	CHECK(info.si_status == SIGTERM);
	FAILS(ESRCH, tell(fd, 0, NULL, 0));
	FAILS(ESRCH, tell(fd, SIGTERM, NULL, 0));
	CHECK(is_ready(fd, 0) && close(fd) == 0);
	FAILS(ESRCH, open_pid(pid, 0));
}

static void waits_that_do_not_block(void)
{
	siginfo_t info = {0};
	int fd;

	CHILD(pid)
	sleep_for_good();
	fd = open_pid(pid, O_NONBLOCK);
	CHECK(fd >= 0 && (fcntl(fd, F_GETFL) & O_NONBLOCK));
	FAILS(EAGAIN, waitid((idtype_t)P_PIDFD, (id_t)fd, &info, WEXITED));
	info.si_pid = 1;
	CHECK(waitid((idtype_t)P_PIDFD, (id_t)fd, &info, WEXITED | WNOHANG) == 0);
	CHECK(info.si_pid == 0);
	CHECK(tell(fd, SIGKILL, NULL, 0) == 0 && is_ready(fd, 20000));
	CHECK(waitid((idtype_t)P_PIDFD, (id_t)fd, &info, WEXITED) == 0);
	CHECK(info.si_pid == pid && close(fd) == 0);
}

static void what_the_receiver_sees(void)
{
	int fd = open_pid(getpid(), 0);
	struct timespec now = {1, 0};
	sigset_t s = set_of(SIGUSR1);
	siginfo_t in, own = {.si_signo = SIGUSR1, .si_code = SI_QUEUE};

	block(SIGUSR1);
	CHECK(tell(fd, SIGUSR1, NULL, 0) == 0);
	CHECK(sigtimedwait(&s, &in, &now) == SIGUSR1 && in.si_code == SI_USER);
	CHECK(in.si_pid == getpid() && in.si_uid == getuid());
	own.si_value.sival_int = 42;
	CHECK(tell(fd, SIGUSR1, &own, 0) == 0);
	CHECK(sigtimedwait(&s, &in, &now) == SIGUSR1 && in.si_code == SI_QUEUE);
	CHECK(in.si_value.sival_int == 42);
	own.si_code = SI_USER; /* to oneself, any code may be sent */
	CHECK(tell(fd, SIGUSR1, &own, 0) == 0);
	CHECK(sigtimedwait(&s, &in, &now) == SIGUSR1 && in.si_code == SI_USER);
	unblock(SIGUSR1);
	CHECK(close(fd) == 0);
}

static void nobody_is_impersonated(void)
{
	siginfo_t info = {.si_signo = SIGUSR1, .si_code = SI_USER};
	int fd;

	CHILD(pid)
	sleep_for_good();
	fd = open_pid(pid, 0);
	FAILS(EPERM, tell(fd, SIGUSR1, &info, 0));
	info.si_code = SI_TKILL;
	FAILS(EPERM, tell(fd, SIGUSR1, &info, 0));
	info.si_code = SI_QUEUE;
	FAILS(EINVAL, tell(fd, SIGUSR2, &info, 0)); /* it says SIGUSR1 */
	CHECK(tell(fd, SIGUSR1, &info, 0) == 0 && close(fd) == 0);
	WAIT_SIGNAL(pid, SIGUSR1);
}

static void strangers_are_left_alone(void)
{
	CHILD(pid)
	{
		int fd = open_pid(getppid(), 0);

		if (geteuid() == 0)
			CHECK(syscall(SYS_setresuid, 48210, 48210, 48210) == 0);
		CHECK(fd >= 0);
		if (getuid() == 48210)
			FAILS(EPERM, tell(fd, SIGCONT + 1, NULL, 0));
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
}

static void *a_thread(void *out)
{
	volatile pid_t *tid = out;

	*tid = (pid_t)syscall(SYS_gettid);
	while (*tid)
		sleep_ms(1);
	return NULL;
}

static void threads_are_no_processes(void)
{
	volatile pid_t tid = 0;
	pthread_t t;

	thread_start(&t, a_thread, (void *)&tid);
	while (!tid)
		sched_yield();
	CHECK(open_pid(tid, 0) == -1 && (errno == ENOENT || errno == EINVAL));
	tid = 0;
	thread_join(t);
}

/* Since Linux 6.9 the number of the inode is the process'. */
static void its_inode_is_the_process(void)
{
	struct stat a, b, c;
	struct statfs fs;
	int one = open_pid(getpid(), 0), two = open_pid(getpid(), O_NONBLOCK), other;

	CHECK(fstatfs(one, &fs) == 0);
	if (fs.f_type != 0x50494446) {
		close(one);
		close(two);
		return;
	}
	CHILD(pid)
	_exit(0);
	other = open_pid(pid, 0);
	CHECK(fstat(one, &a) == 0 && fstat(two, &b) == 0 && fstat(other, &c) == 0);
	CHECK(a.st_ino == b.st_ino && a.st_dev == b.st_dev && a.st_dev == c.st_dev);
	CHECK(a.st_ino != c.st_ino);
	WAIT_EXIT(pid, 0);
	CHECK(fstat(other, &b) == 0 && b.st_ino == c.st_ino);
	if (geteuid() == 0) {
		FAILS(EOPNOTSUPP, fchmod(one, 0600));
		FAILS(EOPNOTSUPP, fchown(one, getuid(), getgid()));
	}
	CHECK(close(one) == 0 && close(two) == 0 && close(other) == 0);
}

static void documented_errors(void)
{
	siginfo_t info;
	int fd = open_pid(getpid(), 0), p[2];
	char c = 0;

	CHECK(fd >= 0 && pipe(p) == 0);
	FAILS(EINVAL, open_pid(0, 0));
	FAILS(EINVAL, open_pid(-1, 0));
	FAILS(EINVAL, open_pid(getpid(), 1));
	FAILS(ESRCH, open_pid(NOBODY, 0));
	FAILS(EBADF, tell(-1, SIGUSR1, NULL, 0));
	FAILS(EBADF, tell(p[0], SIGUSR1, NULL, 0));
	FAILS(EINVAL, tell(fd, 65, NULL, 0));
	FAILS(EINVAL, tell(fd, -1, NULL, 0));
	FAILS(EINVAL, tell(fd, SIGUSR1, NULL, 1U << 20));
	FAILS(EFAULT, tell(fd, SIGUSR1, BAD_PTR, 0));
	FAILS(EFAULT, tell(fd, SIGUSR1, KERNEL_PTR, 0));
	FAILS(EINVAL, read(fd, &c, 1));
	FAILS(EINVAL, write(fd, &c, 1));
	FAILS(EBADF, waitid((idtype_t)P_PIDFD, (id_t)p[0], &info, WEXITED));
	CHECK(close(fd) == 0 && close(p[0]) == 0 && close(p[1]) == 0);
}

static long take(int pidfd, int fd, unsigned flags)
{
	return syscall(SYS_pidfd_getfd, pidfd, fd, flags);
}

static void files_of_others_can_be_taken(void)
{
	int go[2], mine[2], pidfd, got;
	char c = 0;

	CHECK(pipe(go) == 0 && pipe(mine) == 0);
	CHILD(pid)
	{
		int theirs[2];

		CHECK(pipe(theirs) == 0 && dup2(theirs[0], 77) == 77);
		CHECK(write(theirs[1], "x", 1) == 1 && write(go[1], "g", 1) == 1);
		sleep_for_good();
	}
	pidfd = open_pid(pid, 0);
	CHECK(pidfd >= 0 && read(go[0], &c, 1) == 1);
	got = (int)take(pidfd, 77, 0);
	CHECK(got >= 0 && fcntl(got, F_GETFD) == FD_CLOEXEC);
	CHECK(read(got, &c, 1) == 1 && c == 'x');
	CHECK(close(got) == 0);
	FAILS(EBADF, take(pidfd, 76, 0));
	FAILS(EBADF, take(pidfd, -1, 0));
	FAILS(EINVAL, take(pidfd, 77, 1));
	FAILS(EBADF, take(mine[0], 77, 0));
	FAILS(EBADF, take(-1, 77, 0));
	CHECK(kill(pid, SIGKILL) == 0 && is_ready(pidfd, 20000));
	FAILS(ESRCH, take(pidfd, 77, 0)); /* a zombie has none */
	WAIT_SIGNAL(pid, SIGKILL);
	FAILS(ESRCH, take(pidfd, 77, 0));
	CHECK(close(pidfd) == 0 && close(go[0]) == 0 && close(go[1]) == 0);
	CHECK(close(mine[0]) == 0 && close(mine[1]) == 0);
}

static void files_of_other_users_cannot(void)
{
	int pidfd = open_pid(getpid(), 0);

	if (getuid() != 0)
		return;
	CHECK(pidfd >= 0);
	CHILD(pid)
	{
		CHECK(setgid(NOBODY) == 0 && setuid(NOBODY) == 0);
		FAILS(EPERM, take(pidfd, 0, 0));
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
	CHECK(close(pidfd) == 0);
}

static void a_directory_of_proc_takes_signals(void)
{
	char name[32];
	int fd, self = open("/proc/self", O_RDONLY | O_DIRECTORY);
	int other = open("/proc", O_RDONLY | O_DIRECTORY);

	CHILD(pid)
	sleep_for_good();
	snprintf(name, sizeof(name), "/proc/%d", pid);
	fd = open(name, O_RDONLY | O_DIRECTORY);
	CHECK(fd >= 0 && self >= 0 && other >= 0);
	CHECK(tell(fd, 0, NULL, 0) == 0 && tell(self, 0, NULL, 0) == 0);
	FAILS(EBADF, tell(other, 0, NULL, 0));
	FAILS(EINVAL, tell(fd, 0, NULL, 8));
	FAILS(EBADF, take(fd, 0, 0)); /* it is no pidfd */
	CHECK(tell(fd, SIGTERM, NULL, 0) == 0);
	WAIT_SIGNAL(pid, SIGTERM);
	FAILS(ESRCH, tell(fd, 0, NULL, 0));
	CHECK(close(fd) == 0 && close(self) == 0 && close(other) == 0);
	snprintf(name, sizeof(name), "/proc/self/task/%d", getpid());
	fd = open(name, O_RDONLY | O_DIRECTORY);
	FAILS(EBADF, tell(fd, 0, NULL, 0)); /* nor is a thread's */
	CHECK(close(fd) == 0);
	fd = open("/proc/self/status", O_RDONLY);
	FAILS(EBADF, tell(fd, 0, NULL, 0));
	CHECK(close(fd) == 0);
}

static void flags_say_who_gets_it(void)
{
	int fd;

	CHILD(pid)
	{
		CHECK(setpgid(0, 0) == 0);
		CHILD(member)
		sleep_for_good();
		fd = open_pid(getpid(), 0);
		handle(SIGUSR1, SIG_IGN, 0);
		if (tell(fd, 0, NULL, 1) == -1 && errno == EINVAL)
			_exit(member ? 0 : 1); /* before Linux 6.9 */
		FAILS(EINVAL, tell(fd, 0, NULL, 3));
		CHECK(tell(fd, SIGUSR1, NULL, 1) == 0 && tell(fd, SIGUSR1, NULL, 2) == 0);
		CHECK(tell(fd, SIGUSR1, NULL, 4) == 0);
		WAIT_SIGNAL(member, SIGUSR1); /* whose action is the default one */
		CHECK(close(fd) == 0);
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
	CHILD(alone)
	sleep_for_good();
	fd = open_pid(alone, 0);
	if (tell(fd, 0, NULL, 4) == -1)
		CHECK(errno == ESRCH || errno == EINVAL); /* it leads no group */
	CHECK(kill(alone, SIGKILL) == 0 && close(fd) == 0);
	WAIT_SIGNAL(alone, SIGKILL);
}

RUN(TEST(its_end_can_be_waited_for), TEST(waits_that_do_not_block),
    TEST(what_the_receiver_sees), TEST(nobody_is_impersonated),
    TEST(strangers_are_left_alone), TEST(threads_are_no_processes),
    TEST(its_inode_is_the_process), TEST(documented_errors),
    TEST(files_of_others_can_be_taken), TEST(files_of_other_users_cannot),
    TEST(a_directory_of_proc_takes_signals), TEST(flags_say_who_gets_it))
