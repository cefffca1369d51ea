/* SPDX-License-Identifier: MIT */
/* waitid.c - waiting with siginfo: by pid, group, pidfd; leaving the child in place. */
#include "proc.h"
#ifndef P_PIDFD
#define P_PIDFD 3
#endif

static long wait_id(int type, long id, siginfo_t *info, int options)
{
	return syscall(SYS_waitid, type, id, info, options, NULL);
}

#define CHECK_INFO(info, pid, code, status)                                              \
	do {                                                                             \
		CHECK((info).si_signo == SIGCHLD && (info).si_errno == 0);               \
		CHECK((info).si_code == (code) && (info).si_pid == (pid));               \
		CHECK((info).si_status == (status) && (info).si_uid == getuid());        \
	} while (0)

static void exits_are_told_in_full(void)
{
	siginfo_t info;
	pid_t pid = exits(0x142);

	memset(&info, 0xff, sizeof(info));
	CHECK(wait_id(P_PID, pid, &info, WEXITED) == 0);
	CHECK_INFO(info, pid, CLD_EXITED, 0x42);
	FAILS(ECHILD, wait_id(P_PID, pid, &info, WEXITED));
}

static void deaths_by_signal_are_told(void)
{
	siginfo_t info;
	pid_t pid = pauses();

	CHECK(kill(pid, SIGTERM) == 0);
	CHECK(wait_id(P_ALL, 0, &info, WEXITED) == 0);
	CHECK_INFO(info, pid, CLD_KILLED, SIGTERM);
}

static void stop_and_continue_are_told(void)
{
	siginfo_t info;
	pid_t pid = pauses();

	CHECK(kill(pid, SIGSTOP) == 0);
	CHECK(wait_id(P_PID, pid, &info, WSTOPPED) == 0);
	CHECK_INFO(info, pid, CLD_STOPPED, SIGSTOP);
	CHECK(kill(pid, SIGCONT) == 0);
	CHECK(wait_id(P_PID, pid, &info, WCONTINUED) == 0);
	CHECK_INFO(info, pid, CLD_CONTINUED, SIGCONT);
	CHECK(kill(pid, SIGKILL) == 0);
	CHECK(wait_id(P_PID, pid, &info, WEXITED | WSTOPPED | WCONTINUED) == 0);
	CHECK_INFO(info, pid, CLD_KILLED, SIGKILL);
}

static void nowait_leaves_the_child(void)
{
	siginfo_t info;
	pid_t pid = exits(5);

	for (int i = 0; i < 3; i++) {
		CHECK(wait_id(P_PID, pid, &info, WEXITED | WNOWAIT) == 0);
		CHECK_INFO(info, pid, CLD_EXITED, 5);
	}
	CHECK(kill(pid, 0) == 0); /* a zombie still has its pid */
	WAIT_EXIT(pid, 5);
	FAILS(ESRCH, kill(pid, 0));
	pid = pauses();
	CHECK(kill(pid, SIGSTOP) == 0);
	for (int i = 0; i < 2; i++)
		CHECK(wait_id(P_PID, pid, &info, WSTOPPED | WNOWAIT) == 0);
	CHECK(wait_id(P_PID, pid, &info, WSTOPPED) == 0);
	CHECK(wait_id(P_PID, pid, &info, WSTOPPED | WNOHANG) == 0 && info.si_pid == 0);
	CHECK(kill(pid, SIGKILL) == 0);
	WAIT_SIGNAL(pid, SIGKILL);
}

static void nohang_clears_the_info(void)
{
	siginfo_t info;
	pid_t pid = pauses();

	memset(&info, 0xff, sizeof(info));
	CHECK(wait_id(P_PID, pid, &info, WEXITED | WNOHANG) == 0);
	CHECK(info.si_pid == 0 && info.si_signo == 0 && info.si_code == 0);
	CHECK(kill(pid, SIGKILL) == 0);
	CHECK(wait_id(P_PID, pid, NULL, WEXITED) == 0);
}

static void groups_are_picked(void)
{
	siginfo_t info;
	pid_t a = pauses();
	pid_t b;

	CHECK(setpgid(a, a) == 0);
	FAILS(ECHILD, wait_id(P_PGID, getpgrp(), &info, WEXITED | WNOHANG));
	b = exits(1);
	CHECK(wait_id(P_PGID, getpgrp(), &info, WEXITED) == 0 && info.si_pid == b);
	b = exits(2);
	CHECK(wait_id(P_PGID, 0, &info, WEXITED) == 0 && info.si_pid == b);
	CHECK(kill(a, SIGKILL) == 0);
	CHECK(wait_id(P_PGID, a, &info, WEXITED) == 0 && info.si_pid == a);
	FAILS(ECHILD, wait_id(P_PGID, a, &info, WEXITED));
}

static void a_pidfd_picks_its_process(void)
{
	siginfo_t info;
	pid_t pid = pauses();
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	int null = open("/dev/null", O_RDONLY);

	CHECK(fd >= 0);
	CHECK(wait_id(P_PIDFD, fd, &info, WEXITED | WNOHANG) == 0 && info.si_pid == 0);
	CHECK(kill(pid, SIGKILL) == 0);
	CHECK(wait_id(P_PIDFD, fd, &info, WEXITED) == 0);
	CHECK_INFO(info, pid, CLD_KILLED, SIGKILL);
	FAILS(ECHILD, wait_id(P_PIDFD, fd, &info, WEXITED));
	close(fd);
	FAILS(EBADF, wait_id(P_PIDFD, fd, &info, WEXITED));
	FAILS(EBADF, wait_id(P_PIDFD, null, &info, WEXITED));
	FAILS(EINVAL, wait_id(P_PIDFD, -1, &info, WEXITED));
	close(null);
}

static void usage_is_told(void)
{
	struct rusage ru;
	siginfo_t info;
	pid_t pid = exits(0);

	memset(&ru, 0xff, sizeof(ru));
	CHECK(syscall(SYS_waitid, P_PID, pid, &info, WEXITED, &ru) == 0);
	CHECK(ru.ru_utime.tv_sec == 0 && ru.ru_stime.tv_sec == 0);
	CHECK(ru.ru_maxrss > 0 && ru.ru_maxrss < 1 << 20);
}

static void bad_arguments_give_einval(void)
{
	siginfo_t info;
	pid_t pid = exits(0);

	FAILS(EINVAL, wait_id(P_ALL, 0, &info, 0));
	FAILS(EINVAL, wait_id(P_ALL, 0, &info, WNOHANG));
	FAILS(EINVAL, wait_id(P_ALL, 0, &info, WEXITED | 0x100));
	FAILS(EINVAL, wait_id(9, 0, &info, WEXITED));
	FAILS(EINVAL, wait_id(P_PID, 0, &info, WEXITED));
	FAILS(EINVAL, wait_id(P_PID, -5, &info, WEXITED));
	FAILS(EINVAL, wait_id(P_PGID, -5, &info, WEXITED));
	FAILS(ECHILD, wait_id(P_PID, getpid(), &info, WEXITED));
	WAIT_EXIT(pid, 0);
	FAILS(ECHILD, wait_id(P_ALL, 0, &info, WEXITED));
}

static void bad_pointers_give_efault(void)
{
	pid_t pid = exits(0);

	FAILS(EFAULT, syscall(SYS_waitid, P_PID, pid, BAD_PTR, WEXITED, NULL));
	pid = exits(0);
	FAILS(EFAULT, syscall(SYS_waitid, P_PID, pid, NULL, WEXITED, KERNEL_PTR));
	FAILS(ECHILD, wait_id(P_ALL, 0, NULL, WEXITED));
}

static volatile sig_atomic_t got;

static void count(int sig)
{
	(void)sig;
	got++;
}

static void signal_interrupts_the_wait(void)
{
	siginfo_t info;
	pid_t pid = pauses();
	pid_t pest;

	handle(SIGUSR1, count, 0);
	pest = pester_start(SIGUSR1, 10);
	FAILS(EINTR, wait_id(P_PID, pid, &info, WEXITED));
	CHECK(got > 0);
	pester_stop(pest);
	CHECK(kill(pid, SIGKILL) == 0);
	WAIT_SIGNAL(pid, SIGKILL);
}

static void clone_children_need_wclone(void)
{
	siginfo_t info;
	pid_t pid = (pid_t)syscall(SYS_clone, 0, NULL, NULL, NULL, NULL);

	CHECK(pid >= 0);
	if (pid == 0)
		_exit(6);
	FAILS(ECHILD, wait_id(P_PID, pid, &info, WEXITED));
	CHECK(wait_id(P_PID, pid, &info, WEXITED | __WCLONE) == 0 && info.si_status == 6);
}

static void *wait_one(void *arg)
{
	siginfo_t info;

	return (void *)wait_id(P_PID, (pid_t)(long)arg, &info, WEXITED);
}

static void two_threads_wait_and_one_wins(void)
{
	for (int i = 0; i < 30; i++) {
		pthread_t t[2];
		long sum;
		int p[2];
		char c;

		CHECK(pipe(p) == 0);
		CHILD(pid)
		{
			close(p[1]);
			_exit((int)read(p[0], &c, 1));
		}
		for (int j = 0; j < 2; j++)
			thread_start(&t[j], wait_one, (void *)(long)pid);
		close(p[1]);
		sum = (long)thread_join(t[0]) + (long)thread_join(t[1]);
		CHECK(sum == -1); /* 0 and ECHILD */
		close(p[0]);
	}
}

RUN(TEST(exits_are_told_in_full), TEST(deaths_by_signal_are_told),
    TEST(stop_and_continue_are_told), TEST(nowait_leaves_the_child),
    TEST(nohang_clears_the_info), TEST(groups_are_picked),
    TEST(a_pidfd_picks_its_process), TEST(usage_is_told), TEST(bad_arguments_give_einval),
    TEST(bad_pointers_give_efault), TEST(signal_interrupts_the_wait),
    TEST(clone_children_need_wclone), TEST(two_threads_wait_and_one_wins))
