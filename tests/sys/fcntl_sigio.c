/* SPDX-License-Identifier: MIT */
/* files */
/* Signal-driven I/O: O_ASYNC, and who is told in which way. */
/* calls: fcntl ioctl */
#include "fixture.h"

#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <termios.h>

static int sig_taken;
static siginfo_t got;

static void block(int sig)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, sig);
	CHECK(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
}

/* The next signal of those we block, within ms: 0 for none. */
static int next_signal(long ms)
{
	struct timespec t = {ms / 1000, ms % 1000 * 1000000};
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGIO);
	sigaddset(&set, SIGRTMIN + 1);
	sigaddset(&set, SIGCHLD);
	sig_taken = sigtimedwait(&set, &got, &t);
	return sig_taken > 0 ? sig_taken : 0;
}

static void set_async(int fd, int on)
{
	int flags = fcntl(fd, F_GETFL);

	CHECK(fcntl(fd, F_SETFL, on ? flags | O_ASYNC : flags & ~O_ASYNC) == 0);
	CHECK(!(fcntl(fd, F_GETFL) & O_ASYNC) == !on);
}

static void pipes_tell_their_reader(void)
{
	char c[4];
	int p[2];

	block(SIGIO);
	block(SIGRTMIN + 1);
	CHECK(pipe(p) == 0 && fcntl(p[0], F_SETOWN, getpid()) == 0);
	CHECK(write(p[1], "a", 1) == 1 && next_signal(0) == 0);
	set_async(p[0], 1);
	CHECK(write(p[1], "b", 1) == 1);
	CHECK(next_signal(1000) == SIGIO && got.si_code == SI_KERNEL);
	CHECK(fcntl(p[0], F_SETSIG, SIGRTMIN + 1) == 0);
	CHECK(fcntl(p[0], F_GETSIG) == SIGRTMIN + 1);
	CHECK(write(p[1], "c", 1) == 1 && write(p[1], "d", 1) == 1);
	for (int i = 0; i < 2; i++) {
		CHECK(next_signal(1000) == SIGRTMIN + 1 && got.si_code == POLL_IN);
		CHECK(got.si_fd == p[0] && got.si_band == 0x41);
	}
	CHECK(read(p[0], c, 4) == 4 && next_signal(0) == 0);
	CHECK(close(p[1]) == 0);
	CHECK(next_signal(1000) == SIGRTMIN + 1 && got.si_code == POLL_IN);
	set_async(p[0], 0);
	CHECK(close(p[0]) == 0 && next_signal(0) == 0);
}

/* Events are where other signals have a user, whom namespaces number each in its way. */
static void in_own_numbers(void)
{
	if (unshare(CLONE_NEWUSER) == 0)
		pipes_tell_their_reader();
}

static void events_are_no_users(void)
{
	CHECK(in_child(in_own_numbers) == 0);
}

static void pipes_tell_their_writer(void)
{
	char c;
	int p[2];

	CHECK(pipe(p) == 0 && fcntl(p[1], F_SETOWN, getpid()) == 0);
	CHECK(fcntl(p[1], F_SETSIG, SIGRTMIN + 1) == 0);
	set_async(p[1], 1);
	CHECK(write(p[1], "a", 1) == 1 && next_signal(0) == 0);
	CHECK(read(p[0], &c, 1) == 1);
	CHECK(next_signal(1000) == SIGRTMIN + 1 && got.si_code == POLL_OUT);
	CHECK(got.si_fd == p[1] && got.si_band == 0x304);
	CHECK(close(p[0]) == 0 && next_signal(1000) == SIGRTMIN + 1);
	CHECK(close(p[1]) == 0);
}

static void sockets_tell_too(void)
{
	int s[2];

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0);
	CHECK(fcntl(s[0], F_SETOWN, getpid()) == 0);
	CHECK(fcntl(s[0], F_SETSIG, SIGRTMIN + 1) == 0);
	set_async(s[0], 1);
	CHECK(write(s[1], "x", 1) == 1);
	CHECK(next_signal(1000) == SIGRTMIN + 1 && got.si_code == POLL_IN);
	CHECK(got.si_fd == s[0]);
	while (next_signal(0))
		;
	CHECK(close(s[0]) == 0 && close(s[1]) == 0);
}

static int pty(int *slave)
{
	int fd = posix_openpt(O_RDWR | O_NOCTTY);
	struct termios t;

	CHECK(fd >= 0 && grantpt(fd) == 0 && unlockpt(fd) == 0);
	*slave = open(ptsname(fd), O_RDWR | O_NOCTTY);
	CHECK(*slave >= 0 && tcgetattr(*slave, &t) == 0);
	t.c_lflag &= ~(tcflag_t)ECHO;
	CHECK(tcsetattr(*slave, TCSANOW, &t) == 0);
	return fd;
}

static void terminals_tell_of_lines(void)
{
	struct f_owner_ex ex;
	char c[8];
	int slave;
	int fd = pty(&slave);

	CHECK(fcntl(slave, F_SETSIG, SIGRTMIN + 1) == 0 && fcntl(slave, F_GETOWN) == 0);
	set_async(slave, 1);
	/* Nobody's terminal: it tells who has asked. */
	CHECK(fcntl(slave, F_GETOWN_EX, &ex) == 0);
	CHECK(ex.type == F_OWNER_PID && ex.pid == getpid());
	CHECK(write(fd, "ab", 2) == 2 && next_signal(50) == 0);
	CHECK(write(fd, "\n", 1) == 1 && next_signal(1000) == SIGRTMIN + 1);
	CHECK(got.si_code == POLL_IN && got.si_fd == slave && got.si_band == 0x41);
	CHECK(read(slave, c, 8) == 3 && next_signal(50) == 0);
	set_async(slave, 0);
	CHECK(write(fd, "x\n", 2) == 2 && next_signal(50) == 0);
	CHECK(close(slave) == 0 && close(fd) == 0);
}

static void the_other_end_tells_too(void)
{
	char c[8];
	int slave;
	int fd = pty(&slave);

	CHECK(fcntl(fd, F_SETOWN, getpid()) == 0);
	set_async(fd, 1);
	CHECK(write(slave, "x", 1) == 1 && next_signal(1000) == SIGIO);
	CHECK(got.si_code == SI_KERNEL && read(fd, c, 8) == 1);
	CHECK(next_signal(50) == 0);
	CHECK(close(fd) == 0 && close(slave) == 0);
}

/* The child leads a session, with the terminal its own. */
static void a_terminal_tells_its_foreground(void)
{
	int slave;
	int fd = pty(&slave);
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (!pid) {
		CHECK(setsid() == getpid() && ioctl(slave, TIOCSCTTY, 0) == 0);
		set_async(slave, 1);
		CHECK(fcntl(slave, F_GETOWN) == -getpgrp());
		CHECK(write(fd, "x\n", 2) == 2 && next_signal(1000) == SIGIO);
		_exit(0);
	}
	CHECK(child_wait(pid) == 0);
	CHECK(close(fd) == 0 && close(slave) == 0);
}

static void a_full_queue_becomes_sigio(void)
{
	struct f_owner_ex ex = {F_OWNER_TID, (pid_t)syscall(SYS_gettid)};
	uid_t uids[2];
	int p[2];

	CHECK(pipe(p) == 0 && fcntl(p[0], F_SETOWN_EX, &ex) == 0);
	CHECK(fcntl(p[0], F_GETOWN) == ex.pid);
	ex.pid = 0;
	CHECK(fcntl(p[0], F_GETOWN_EX, &ex) == 0 && ex.type == F_OWNER_TID);
	CHECK(ex.pid == syscall(SYS_gettid));
	CHECK(syscall(SYS_fcntl, p[0], 17 /* F_GETOWNER_UIDS */, uids) == 0);
	CHECK(uids[0] == getuid() && uids[1] == geteuid());
	CHECK(fcntl(p[0], F_SETSIG, SIGCHLD) == 0);
	block(SIGCHLD);
	set_async(p[0], 1);
	CHECK(write(p[1], "x", 1) == 1 && next_signal(1000) == SIGCHLD);
	CHECK(got.si_code == SI_SIGIO); /* for signals with codes of their own */
	CHECK(close(p[0]) == 0 && close(p[1]) == 0);
	next_signal(0);
}

static void child_waits_for_one(void)
{
	CHECK(next_signal(2000) == SIGIO);
}

static void groups_hear_it(void)
{
	int p[2];
	pid_t pid;

	CHECK(pipe(p) == 0);
	pid = child_start(child_waits_for_one);
	CHECK(setpgid(pid, pid) == 0);
	CHECK(fcntl(p[0], F_SETOWN, -pid) == 0 && fcntl(p[0], F_GETOWN) == -pid);
	set_async(p[0], 1);
	CHECK(write(p[1], "x", 1) == 1 && child_wait(pid) == 0);
	CHECK(fcntl(p[0], F_GETOWN) == 0); /* it is gone */
	CHECK(close(p[0]) == 0 && close(p[1]) == 0);
	next_signal(0);
}

static void fioasync_knows_who_can(void)
{
	int on = 1, off = 0, p[2];
	int fd = open("f", O_RDWR | O_CREAT, 0644);

	CHECK(pipe(p) == 0 && ioctl(p[0], FIOASYNC, &on) == 0);
	CHECK(fcntl(p[0], F_GETFL) & O_ASYNC);
	CHECK(fcntl(p[0], F_SETOWN, getpid()) == 0 && write(p[1], "x", 1) == 1);
	CHECK(next_signal(1000) == SIGIO);
	CHECK(ioctl(p[0], FIOASYNC, &off) == 0 && !(fcntl(p[0], F_GETFL) & O_ASYNC));
	CHECK(write(p[1], "x", 1) == 1 && next_signal(0) == 0);
	CHECK(ioctl(fd, FIOASYNC, &off) == 0);
	FAILS(ENOTTY, ioctl(fd, FIOASYNC, &on));
	CHECK(!(fcntl(fd, F_GETFL) & O_ASYNC));
	CHECK(fcntl(fd, F_SETFL, O_ASYNC) == 0 && !(fcntl(fd, F_GETFL) & O_ASYNC));
	FAILS(EFAULT, ioctl(p[0], FIOASYNC, NULL));
	CHECK(close(p[0]) == 0 && close(p[1]) == 0 && close(fd) == 0);
}

static void documented_errors(void)
{
	struct f_owner_ex ex = {9, getpid()};
	int p[2];

	CHECK(pipe(p) == 0);
	FAILS(EINVAL, fcntl(p[0], F_SETOWN_EX, &ex));
	ex.type = F_OWNER_PID;
	ex.pid = 0x3fffffff;
	FAILS(ESRCH, fcntl(p[0], F_SETOWN_EX, &ex));
	FAILS(ESRCH, fcntl(p[0], F_SETOWN, 0x3fffffff));
	FAILS(EINVAL, fcntl(p[0], F_SETSIG, 65));
	FAILS(EINVAL, fcntl(p[0], F_SETSIG, -1));
	FOR_BAD(bad)
	{
		FAILS(EFAULT, syscall(SYS_fcntl, p[0], F_SETOWN_EX, bad));
		FAILS(EFAULT, syscall(SYS_fcntl, p[0], F_GETOWN_EX, bad));
	}
	CHECK(close(p[0]) == 0 && close(p[1]) == 0);
}

static void a_unix_socket_tells_of_room(void)
{
	static char b[4096];
	int s[2];

	block(SIGRTMIN + 1);

	CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, s) == 0);
	CHECK(fcntl(s[0], F_SETOWN, getpid()) == 0);
	CHECK(fcntl(s[0], F_SETSIG, SIGRTMIN + 1) == 0);
	set_async(s[0], 1);
	while (write(s[0], b, sizeof(b)) > 0)
		;
	while (read(s[1], b, sizeof(b)) > 0)
		;
	CHECK(next_signal(1000) == SIGRTMIN + 1 && got.si_code == POLL_OUT);
	CHECK(got.si_fd == s[0]);
	set_async(s[0], 0);
	CHECK(close(s[0]) == 0 && close(s[1]) == 0);
	while (next_signal(0))
		;
}

/* The caller's /dev/null, which has nothing to tell. */
static void standard_input_may_have_nothing_to_tell(void)
{
	int flags = fcntl(0, F_GETFL);

	CHECK(flags >= 0);
	CHECK(fcntl(0, F_SETFL, flags | O_ASYNC) == 0 && fcntl(0, F_SETFL, flags) == 0);
}

RUN(TEST(standard_input_may_have_nothing_to_tell), TEST(a_unix_socket_tells_of_room),
    TEST(pipes_tell_their_reader), TEST(events_are_no_users),
    TEST(pipes_tell_their_writer), TEST(sockets_tell_too), TEST(terminals_tell_of_lines),
    TEST(the_other_end_tells_too), TEST(a_terminal_tells_its_foreground),
    TEST(a_full_queue_becomes_sigio), TEST(groups_hear_it), TEST(fioasync_knows_who_can),
    TEST(documented_errors))
