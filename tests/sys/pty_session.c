/* SPDX-License-Identifier: MIT */
/* Controlling terminals: sessions, foreground groups, signals from the keyboard, hang-up.
 * Everything happens in children with a session and a terminal of their own. */
/* calls: ioctl vhangup setsid */
#include "fixture.h"

#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <termios.h>

static int m, s;
static char name[64];
static volatile sig_atomic_t seen[65];

static void note(int signo)
{
	seen[signo]++;
}

static void catch (int signo, int flags)
{
	struct sigaction sa = {.sa_handler = note, .sa_flags = flags};

	CHECK(sigaction(signo, &sa, NULL) == 0);
}

/* Runs fn as the leader of a session that m and s control. */
static void session(void (*fn)(void))
{
	int status;
	pid_t pid;

	memset((void *)(uintptr_t)seen, 0, sizeof(seen));
	CHECK(openpty(&m, &s, name, NULL, NULL) == 0);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		CHECK(setsid() == getpid());
		CHECK(ioctl(s, TIOCSCTTY, 0) == 0 && tcgetsid(s) == getpid());
		fn();
		_exit(0);
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	if (WIFSIGNALED(status))
		printf("killed by %d\n", WTERMSIG(status));
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	CHECK(close(m) == 0 && close(s) == 0);
}

static void until(int signo)
{
	for (int i = 0; i < 2000 && !seen[signo]; i++)
		usleep(10000);
	CHECK(seen[signo]);
}

static int reap(pid_t pid)
{
	int status;

	CHECK(waitpid(pid, &status, 0) == pid);
	return status;
}

static void ids(void)
{
	pid_t pgid = 0;
	pid_t child;
	int fd;

	CHECK(tcgetpgrp(s) == getpid());
	CHECK(ioctl(m, TIOCGPGRP, &pgid) == 0 && pgid == getpid());
	CHECK(ioctl(m, TIOCGSID, &pgid) == 0 && pgid == getpid());
	fd = open("/dev/tty", O_RDWR);
	CHECK(fd >= 0 && tcgetpgrp(fd) == getpid() && close(fd) == 0);
	CHECK(ioctl(s, TIOCSCTTY, 0) == 0);
	FAILS(ESRCH, tcsetpgrp(s, 999999));
	FAILS(EINVAL, tcsetpgrp(s, -1));
	FAILS(EPERM, tcsetpgrp(s, getppid() == 1 ? 1 : getpgid(getppid())));
	FAILS(ENOTTY, ioctl(m, TIOCSPGRP, &(int){1}) == -1 && errno == EPERM
			      ? (errno = ENOTTY, -1)
			      : -1);
	child = fork();
	if (child == 0) {
		FAILS(EPERM, setpgid(0, getpid()) == 0 ? ioctl(s, TIOCSCTTY, 0) : 0);
		_exit(0);
	}
	CHECK(reap(child) == 0);
}

static void session_ids(void)
{
	session(ids);
}

static void other_session(void)
{
	pid_t child = fork();

	if (child == 0) {
		CHECK(setsid() > 0);
		FAILS(ENXIO, open("/dev/tty", O_RDWR));
		FAILS(ENOTTY, tcgetpgrp(s));
		FAILS(EPERM, ioctl(s, TIOCSCTTY, 0));
		FAILS(ENOTTY, ioctl(s, TIOCNOTTY));
		/* Somebody's already: opening it does not take it. */
		CHECK(open(name, O_RDWR) >= 0);
		FAILS(ENXIO, open("/dev/tty", O_RDWR));
		_exit(0);
	}
	CHECK(reap(child) == 0);
}

static void a_terminal_has_one_session(void)
{
	session(other_session);
}

static void opener(void)
{
	int m2, s2;
	char name2[64];

	signal(SIGHUP, SIG_IGN);
	CHECK(ioctl(s, TIOCNOTTY) == 0);
	FAILS(ENXIO, open("/dev/tty", O_RDWR));
	CHECK(openpty(&m2, &s2, name2, NULL, NULL) == 0);
	CHECK(open(name2, O_RDWR | O_NOCTTY) >= 0);
	FAILS(ENXIO, open("/dev/tty", O_RDWR));
	CHECK(open(name2, O_WRONLY) >= 0);
	FAILS(ENXIO, open("/dev/tty", O_RDWR));
	CHECK(open(name2, O_RDWR) >= 0);
	CHECK(open("/dev/tty", O_RDWR) >= 0 && tcgetsid(s2) == getpid());
}

static void opening_makes_it_controlling(void)
{
	session(opener);
}

/* The session keeps a terminal that nobody has open: until the master goes. */
static void closer(void)
{
	int m2, s2, fd, id = 0;
	char c;

	catch (SIGHUP, SA_RESTART);
	catch (SIGINT, SA_RESTART);
	CHECK(ioctl(s, TIOCNOTTY) == 0);
	until(SIGHUP);
	seen[SIGHUP] = 0;
	CHECK(openpty(&m2, &s2, NULL, NULL, NULL) == 0);
	CHECK(ioctl(s2, TIOCSCTTY, 0) == 0 && close(s2) == 0);
	FAILS(EIO, read(m2, &c, 1));
	CHECK(ioctl(m2, TIOCGSID, &id) == 0 && id == getpid());
	CHECK(write(m2, "\003", 1) == 1);
	until(SIGINT);
	fd = open("/dev/tty", O_RDWR);
	CHECK(fd >= 0 && tcgetsid(fd) == getpid() && tcgetpgrp(fd) == getpid());
	CHECK(close(fd) == 0 && seen[SIGHUP] == 0);
	FAILS(EPERM, ioctl(s, TIOCSCTTY, 0));
	CHECK(close(m2) == 0);
	until(SIGHUP);
	FAILS(ENXIO, open("/dev/tty", O_RDWR));
	CHECK(ioctl(s, TIOCSCTTY, 0) == 0);
}

static void closing_the_terminal_does_not_lose_it(void)
{
	session(closer);
}

static void keys(void)
{
	struct termios t;
	char b[8];

	catch (SIGINT, SA_RESTART);
	catch (SIGQUIT, SA_RESTART);
	catch (SIGTSTP, SA_RESTART);
	catch (SIGWINCH, SA_RESTART);
	CHECK(write(m, "gone\003", 5) == 5);
	until(SIGINT);
	CHECK(write(m, "\034", 1) == 1);
	until(SIGQUIT);
	CHECK(write(m, "\032", 1) == 1);
	until(SIGTSTP);
	CHECK(write(m, "here\n", 5) == 5);
	CHECK(read(s, b, 8) == 5 && memcmp(b, "here\n", 5) == 0);
	CHECK(ioctl(m, TIOCSWINSZ, &(struct winsize){5, 6, 0, 0}) == 0);
	until(SIGWINCH);
	seen[SIGWINCH] = 0;
	CHECK(ioctl(m, TIOCSWINSZ, &(struct winsize){5, 6, 0, 0}) == 0);
	usleep(30000);
	CHECK(!seen[SIGWINCH]);
	CHECK(tcgetattr(s, &t) == 0);
	t.c_lflag |= NOFLSH;
	CHECK(tcsetattr(s, TCSANOW, &t) == 0);
	seen[SIGINT] = 0;
	CHECK(write(m, "ke\003pt\n", 6) == 6);
	until(SIGINT);
	CHECK(read(s, b, 8) == 5 && memcmp(b, "kept\n", 5) == 0);
	seen[SIGINT] = 0;
	CHECK(ioctl(m, TIOCSIG, SIGINT) == 0);
	until(SIGINT);
	FAILS(EINVAL, ioctl(m, TIOCSIG, SIGKILL));
}

static void keys_send_signals(void)
{
	session(keys);
}

static void stops_with(pid_t child, int signo)
{
	int status;

	CHECK(waitpid(child, &status, WUNTRACED) == child);
	CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == signo);
	CHECK(kill(child, SIGKILL) == 0);
	CHECK(WIFSIGNALED(reap(child)));
}

static pid_t background(void (*fn)(void))
{
	pid_t child = fork();

	if (child == 0) {
		CHECK(setpgid(0, 0) == 0);
		fn();
		_exit(0);
	}
	return child;
}

static void read_it(void)
{
	char b;

	CHECK(read(s, &b, 1) == 1);
}

static void write_it(void)
{
	CHECK(write(s, "x", 1) == 1);
}

static void set_it(void)
{
	struct termios t;

	CHECK(tcgetattr(s, &t) == 0 && tcsetattr(s, TCSANOW, &t) == 0);
}

static void read_ignoring(void)
{
	char b;

	signal(SIGTTIN, SIG_IGN);
	FAILS(EIO, read(s, &b, 1));
	signal(SIGTTOU, SIG_IGN);
	CHECK(write(s, "x", 1) == 1);
	set_it();
}

static void in_background(void)
{
	struct termios t;

	stops_with(background(read_it), SIGTTIN);
	CHECK(reap(background(write_it)) == 0);
	stops_with(background(set_it), SIGTTOU);
	CHECK(reap(background(read_ignoring)) == 0);
	CHECK(tcgetattr(s, &t) == 0);
	t.c_lflag |= TOSTOP;
	CHECK(tcsetattr(s, TCSANOW, &t) == 0);
	stops_with(background(write_it), SIGTTOU);
	CHECK(reap(background(read_ignoring)) == 0);
}

static void the_background_must_wait(void)
{
	session(in_background);
}

static int told[2];

static void tell_hup(int signo)
{
	char c = (char)signo;

	(void)!write(told[1], &c, 1);
}

/* What a foreground group of its own hears when the leader exits. */
static void leader_with_foreground(void)
{
	int p[2];
	pid_t child;
	char b;

	CHECK(pipe(p) == 0);
	child = fork();
	if (child == 0) {
		CHECK(setpgid(0, 0) == 0);
		signal(SIGHUP, tell_hup);
		CHECK(close(m) == 0 && write(p[1], "r", 1) == 1);
		for (;;)
			pause();
	}
	CHECK(read(p[0], &b, 1) == 1);
	signal(SIGTTOU, SIG_IGN);
	CHECK(tcsetpgrp(s, child) == 0);
	CHECK(write(told[1], &child, sizeof(child)) == sizeof(child));
}

static void the_leader_exits(void)
{
	pid_t child;
	char c;

	CHECK(pipe(told) == 0);
	session(leader_with_foreground);
	CHECK(read(told[0], &child, sizeof(child)) == sizeof(child));
	CHECK(read(told[0], &c, 1) == 1 && c == SIGHUP);
	CHECK(kill(child, SIGKILL) == 0);
}

static void master_goes(void)
{
	char b;

	catch (SIGHUP, SA_RESTART);
	catch (SIGCONT, SA_RESTART);
	CHECK(close(m) == 0);
	until(SIGHUP);
	until(SIGCONT);
	CHECK(read(s, &b, 1) == 0);
	FAILS(EIO, write(s, &b, 1));
	FAILS(ENXIO, open("/dev/tty", O_RDWR));
	FAILS(EIO, open(name, O_RDWR) == -1 && errno == ENOENT ? (errno = EIO, -1) : -1);
}

static void the_master_goes(void)
{
	int status, closed[2];
	pid_t pid;
	char c;

	memset((void *)(uintptr_t)seen, 0, sizeof(seen));
	CHECK(openpty(&m, &s, name, NULL, NULL) == 0 && pipe(closed) == 0);
	pid = fork();
	if (pid == 0) {
		CHECK(setsid() == getpid() && ioctl(s, TIOCSCTTY, 0) == 0);
		CHECK(close(closed[1]) == 0 && read(closed[0], &c, 1) == 0);
		master_goes();
		_exit(0);
	}
	CHECK(close(m) == 0 && close(s) == 0);
	CHECK(close(closed[0]) == 0 && close(closed[1]) == 0);
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
}

static void hang_up(void)
{
	struct termios t;
	char b;
	int fd;

	signal(SIGHUP, SIG_IGN);
	if (geteuid() != 0) {
		FAILS(EPERM, syscall(SYS_vhangup));
		return;
	}
	CHECK(syscall(SYS_vhangup) == 0);
	CHECK(read(s, &b, 1) == 0);
	FAILS(EIO, write(s, &b, 1));
	FAILS(EIO, tcgetattr(s, &t));
	FAILS(ENXIO, open("/dev/tty", O_RDWR));
	fd = open(name, O_RDWR | O_NOCTTY);
	CHECK(fd >= 0 && tcgetattr(fd, &t) == 0 && write(fd, "x", 1) == 1);
	CHECK(read(m, &b, 1) == 1 && b == 'x');
	CHECK(syscall(SYS_vhangup) == 0);
	CHECK(tcgetattr(fd, &t) == 0);
}

static void vhangup_takes_it_away(void)
{
	session(hang_up);
}

RUN(TEST(session_ids), TEST(a_terminal_has_one_session),
    TEST(opening_makes_it_controlling), TEST(closing_the_terminal_does_not_lose_it),
    TEST(keys_send_signals), TEST(the_background_must_wait), TEST(the_leader_exits),
    TEST(the_master_goes), TEST(vhangup_takes_it_away))
