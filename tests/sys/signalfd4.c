/* SPDX-License-Identifier: MIT */
/* calls: signalfd4 signalfd */
/* signalfd4.c - signals that are read. */
#include "proc.h"
#include <poll.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>

#define SET_SIZE 8

static sigset_t wanted(void)
{
	sigset_t s;

	sigemptyset(&s);
	sigaddset(&s, SIGUSR1);
	sigaddset(&s, SIGUSR2);
	sigaddset(&s, SIGRTMIN);
	sigaddset(&s, SIGCHLD);
	return s;
}

static int open_wanted(int flags)
{
	sigset_t s = wanted();
	int fd = signalfd(-1, &s, flags);

	CHECK(fd >= 0 && sigprocmask(SIG_BLOCK, &s, NULL) == 0);
	return fd;
}

static void what_a_read_gets(void)
{
	struct signalfd_siginfo i;
	int fd = open_wanted(SFD_NONBLOCK);

	FAILS(EAGAIN, read(fd, &i, sizeof(i)));
	CHECK(kill(getpid(), SIGUSR1) == 0);
	CHECK(read(fd, &i, sizeof(i)) == sizeof(i) && sizeof(i) == 128);
	CHECK(i.ssi_signo == SIGUSR1 && i.ssi_code == SI_USER && i.ssi_errno == 0);
	CHECK(i.ssi_pid == (uint32_t)getpid() && i.ssi_uid == getuid());
	FAILS(EAGAIN, read(fd, &i, sizeof(i)));
	CHECK(!is_pending(SIGUSR1) && close(fd) == 0);
}

static void values_and_order(void)
{
	struct signalfd_siginfo i[4];
	int fd = open_wanted(SFD_NONBLOCK);

	CHECK(sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = 11}) == 0);
	CHECK(sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = 12}) == 0);
	CHECK(kill(getpid(), SIGUSR2) == 0);
	CHECK(read(fd, i, sizeof(i)) == 3 * (ssize_t)sizeof(i[0]));
	CHECK(i[0].ssi_signo == SIGUSR2);
	CHECK(i[1].ssi_signo == (uint32_t)SIGRTMIN && i[1].ssi_int == 11);
	CHECK(i[1].ssi_code == SI_QUEUE && i[1].ssi_pid == (uint32_t)getpid());
	CHECK(i[2].ssi_int == 12 && close(fd) == 0);
}

static void children_tell_their_status(void)
{
	struct signalfd_siginfo i;
	int fd = open_wanted(0);

	CHILD(pid)
	_exit(7);
	CHECK(read(fd, &i, sizeof(i)) == sizeof(i)); /* sleeps */
	CHECK(i.ssi_signo == SIGCHLD && i.ssi_code == CLD_EXITED && i.ssi_status == 7);
	CHECK(i.ssi_pid == (uint32_t)pid && i.ssi_uid == getuid());
	WAIT_EXIT(pid, 7);
	CHECK(close(fd) == 0);
}

static void it_can_be_waited_for(void)
{
	struct epoll_event ev = {.events = EPOLLIN};
	int fd = open_wanted(SFD_NONBLOCK), ep = epoll_create1(0);
	struct pollfd p = {fd, POLLIN | POLLOUT, 0};
	struct signalfd_siginfo i;

	CHECK(ep >= 0 && epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev) == 0);
	CHECK(poll(&p, 1, 0) == 0 && epoll_wait(ep, &ev, 1, 0) == 0);
	CHECK(kill(getpid(), SIGUSR1) == 0);
	CHECK(poll(&p, 1, 1000) == 1 && p.revents == POLLIN);
	CHECK(epoll_wait(ep, &ev, 1, 1000) == 1);
	CHECK(read(fd, &i, sizeof(i)) == sizeof(i) && poll(&p, 1, 0) == 0);
	CHECK(close(ep) == 0 && close(fd) == 0);
}

static void a_sleeping_poll_is_woken(void)
{
	int fd = open_wanted(SFD_NONBLOCK);
	struct pollfd p = {fd, POLLIN, 0};
	struct signalfd_siginfo i;
	pid_t parent = getpid();

	CHILD(pid)
	{
		sleep_ms(10);
		_exit(kill(parent, SIGUSR2) != 0);
	}
	CHECK(poll(&p, 1, 20000) == 1 && p.revents == POLLIN);
	CHECK(read(fd, &i, sizeof(i)) == sizeof(i) && i.ssi_signo == SIGUSR2);
	CHECK(i.ssi_pid == (uint32_t)pid);
	WAIT_EXIT(pid, 0);
	CHECK(read(fd, &i, sizeof(i)) == sizeof(i) && i.ssi_signo == SIGCHLD);
	CHECK(close(fd) == 0);
}

static void the_set_can_change(void)
{
	struct signalfd_siginfo i;
	int fd = open_wanted(SFD_NONBLOCK);
	sigset_t s = set_of(SIGUSR2);

	CHECK(kill(getpid(), SIGUSR1) == 0);
	CHECK(signalfd(fd, &s, 0) == fd);
	FAILS(EAGAIN, read(fd, &i, sizeof(i)));
	s = set_of(SIGUSR1);
	CHECK(signalfd(fd, &s, 0) == fd);
	CHECK(read(fd, &i, sizeof(i)) == sizeof(i) && i.ssi_signo == SIGUSR1);
	CHECK(close(fd) == 0);
}

static void one_that_is_pending_is_not_announced_again(void)
{
	struct epoll_event e = {.events = EPOLLIN | EPOLLET};
	struct signalfd_siginfo info;
	int ep = epoll_create1(0), fd;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	CHECK(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
	fd = signalfd(-1, &set, SFD_NONBLOCK);
	CHECK(fd >= 0 && epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e) == 0);
	CHECK(raise(SIGUSR1) == 0 && epoll_wait(ep, &e, 1, 0) == 1);
	CHECK(raise(SIGUSR1) == 0 && epoll_wait(ep, &e, 1, 0) == 0);
	CHECK(read(fd, &info, sizeof(info)) == sizeof(info));
	FAILS(EAGAIN, read(fd, &info, sizeof(info)));
	CHECK(raise(SIGUSR1) == 0 && epoll_wait(ep, &e, 1, 0) == 1);
	CHECK(read(fd, &info, sizeof(info)) == sizeof(info));
	CHECK(close(fd) == 0 && close(ep) == 0);
}

/* Also when it waits behind the mask. */
static void a_fault_takes_one_that_is_pending(void)
{
	int status;
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid == 0) {
		sigset_t set;

		sigemptyset(&set);
		sigaddset(&set, SIGSEGV);
		sigprocmask(SIG_BLOCK, &set, NULL);
		raise(SIGSEGV);
		alarm(10);
		*(volatile int *)8 = 1;
		_exit(0);
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
}

static void ignore(int sig)
{
	(void)sig;
}

static void an_interrupt_ends_the_wait(void)
{
	struct signalfd_siginfo i;
	int fd = open_wanted(0);
	pid_t pest;

	handle(SIGALRM, ignore, 0);
	pest = pester_start(SIGALRM, 5);
	FAILS(EINTR, read(fd, &i, sizeof(i)));
	pester_stop(pest);
	CHECK(read(fd, &i, sizeof(i)) == sizeof(i) && i.ssi_signo == SIGCHLD);
	CHECK(i.ssi_code == CLD_KILLED && i.ssi_status == SIGKILL && close(fd) == 0);
}

static void flags_and_the_old_call(void)
{
	sigset_t s = wanted();
	int fd = open_wanted(SFD_CLOEXEC | SFD_NONBLOCK);

	CHECK(fcntl(fd, F_GETFD) == FD_CLOEXEC && (fcntl(fd, F_GETFL) & O_NONBLOCK));
	CHECK(close(fd) == 0);
	fd = (int)syscall(SYS_signalfd, -1, &s, SET_SIZE);
	CHECK(fd >= 0 && fcntl(fd, F_GETFD) == 0 && !(fcntl(fd, F_GETFL) & O_NONBLOCK));
	CHECK(syscall(SYS_signalfd, fd, &s, SET_SIZE) == fd && close(fd) == 0);
}

static void documented_errors(void)
{
	struct signalfd_siginfo i;
	sigset_t s = wanted();
	int fd = open_wanted(SFD_NONBLOCK), p[2];

	CHECK(pipe(p) == 0);
	FAILS(EINVAL, syscall(SYS_signalfd4, -1, &s, SET_SIZE, 1));
	FAILS(EINVAL, syscall(SYS_signalfd4, -1, &s, 4, 0));
	FAILS(EINVAL, syscall(SYS_signalfd, -1, &s, 16));
	FAILS(EBADF, syscall(SYS_signalfd4, 4000, &s, SET_SIZE, 0));
	FAILS(EINVAL, syscall(SYS_signalfd4, p[0], &s, SET_SIZE, 0));
	FAILS(EFAULT, syscall(SYS_signalfd4, -1, BAD_PTR, SET_SIZE, 0));
	FAILS(EFAULT, syscall(SYS_signalfd, -1, KERNEL_PTR, SET_SIZE));
	FAILS(EINVAL, read(fd, &i, sizeof(i) - 1));
	FAILS(EINVAL, write(fd, &i, sizeof(i)));
	CHECK(kill(getpid(), SIGUSR1) == 0);
	FAILS(EFAULT, syscall(SYS_read, fd, BAD_PTR, sizeof(i)));
	CHECK(close(fd) == 0 && close(p[0]) == 0 && close(p[1]) == 0);
}

RUN(TEST(what_a_read_gets), TEST(values_and_order), TEST(children_tell_their_status),
    TEST(it_can_be_waited_for), TEST(a_sleeping_poll_is_woken), TEST(the_set_can_change),
    TEST(an_interrupt_ends_the_wait), TEST(flags_and_the_old_call),
    TEST(one_that_is_pending_is_not_announced_again),
    TEST(a_fault_takes_one_that_is_pending), TEST(documented_errors))
