/* SPDX-License-Identifier: MIT */
/* Pseudo-terminals: nodes, opening, closing, hang-up, packets, poll's bits. */
/* calls: ioctl open */
#include "asleep.h"
#include "fixture.h"

#include <limits.h>
#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <termios.h>

#ifndef TIOCGPTPEER
#define TIOCGPTPEER 0x5441
#endif

static int m, s;
static char name[64];

static int slave(int flags)
{
	return open(name, flags | O_NOCTTY);
}

static void start(void)
{
	int n;

	m = open("/dev/ptmx", O_RDWR | O_NOCTTY);
	CHECK(m >= 0 && ioctl(m, TIOCGPTN, &n) == 0 && n >= 0);
	sprintf(name, "/dev/pts/%d", n);
	n = 0;
	CHECK(ioctl(m, TIOCSPTLCK, &n) == 0);
	s = slave(O_RDWR);
	CHECK(s >= 0);
}

static void stop(void)
{
	CHECK(close(m) == 0 && close(s) == 0);
}

static int poll_bits(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN | POLLOUT | POLLPRI};

	CHECK(poll(&p, 1, 0) >= 0);
	return p.revents;
}

static bool wait_for(int fd, short bits)
{
	struct pollfd p = {.fd = fd, .events = bits};

	return poll(&p, 1, 20000) == 1 && (p.revents & bits);
}

static void a_node_while_the_master_is_open(void)
{
	struct stat st;
	char link[64];
	char path[64];
	int on = -1;
	int n;

	m = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
	CHECK(m >= 0 && fstat(m, &st) == 0 && st.st_rdev == makedev(5, 2));
	CHECK(ioctl(m, TIOCGPTN, &n) == 0 && ioctl(m, TIOCGPTLCK, &on) == 0 && on == 1);
	sprintf(name, "/dev/pts/%d", n);
	CHECK(stat(name, &st) == 0 && S_ISCHR(st.st_mode));
	CHECK(st.st_rdev == makedev(136, (unsigned)n) && st.st_uid == geteuid());
	FAILS(EIO, slave(O_RDWR));
	on = 0;
	CHECK(ioctl(m, TIOCSPTLCK, &on) == 0 && ioctl(m, TIOCGPTLCK, &on) == 0 && !on);
	s = slave(O_RDWR);
	CHECK(s >= 0 && isatty(s) && isatty(m));
	FAILS(ENOTTY, ioctl(s, TIOCGPTN, &n));
	FAILS(ENOTTY, ioctl(s, TIOCSPTLCK, &on));
	FAILS(EFAULT, ioctl(m, TIOCGPTN, 8));
	FAILS(ESPIPE, lseek(s, 0, SEEK_CUR));
	sprintf(path, "/proc/self/fd/%d", s);
	memset(link, 0, sizeof(link));
	CHECK(readlink(path, link, 63) > 0 && strcmp(link, name) == 0);
	CHECK(close(m) == 0);
	FAILS(ENOENT, stat(name, &st));
	memset(link, 0, sizeof(link));
	CHECK(readlink(path, link, 63) > 0 && strstr(link, " (deleted)"));
	CHECK(close(s) == 0);
}

static void the_peer_without_a_name(void)
{
	int t;

	start();
	t = ioctl(m, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	CHECK(t >= 0 && isatty(t) && fcntl(t, F_GETFD) == FD_CLOEXEC);
	CHECK(write(t, "x", 1) == 1 && wait_for(m, POLLIN));
	CHECK(close(t) == 0);
	stop();
}

static void without_a_slave(void)
{
	char b[8];

	start();
	CHECK(poll_bits(m) == POLLOUT && poll_bits(s) == POLLOUT);
	CHECK(write(s, "bye", 3) == 3 && wait_for(m, POLLIN));
	CHECK(close(s) == 0);
	CHECK(poll_bits(m) == (POLLIN | POLLOUT | POLLHUP));
	CHECK(read(m, b, 8) == 3);
	FAILS(EIO, read(m, b, 8));
	CHECK(poll_bits(m) == (POLLOUT | POLLHUP));
	CHECK(write(m, "kept\n", 5) == 5);
	s = slave(O_RDWR);
	CHECK(s >= 0 && wait_for(s, POLLIN) && read(s, b, 8) == 5);
	CHECK(wait_for(m, POLLIN) && read(m, b, 8) == 6 && memcmp(b, "kept\r\n", 6) == 0);
	CHECK(poll_bits(m) == POLLOUT);
	stop();
}

static void without_a_master(void)
{
	struct termios t;
	char b[8];
	int n = 0;

	start();
	CHECK(write(m, "lost\n", 5) == 5 && wait_for(s, POLLIN));
	CHECK(close(m) == 0);
	CHECK(poll_bits(s) == (POLLIN | POLLOUT | POLLERR | POLLHUP));
	CHECK(read(s, b, 8) == 0);
	FAILS(EIO, write(s, "x", 1));
	FAILS(EIO, tcgetattr(s, &t));
	FAILS(EIO, ioctl(s, FIONREAD, &n));
	FAILS(ENOTTY, ioctl(s, TIOCSPGRP, &n));
	CHECK(close(s) == 0);
}

static void close_later(int fd)
{
	if (fork() == 0) {
		usleep(100000);
		_exit(0);
	}
	CHECK(close(fd) == 0);
}

static void sleepers_see_the_hang_up(void)
{
	char b[8];
	int status;
	pid_t pid;

	start();
	close_later(s);
	s = dup(m);
	/* The child has both: it goes with the slave. */
	CHECK(close(s) == 0);
	FAILS(EIO, read(m, b, 8));
	CHECK(wait(NULL) > 0);
	s = slave(O_RDWR);
	CHECK(s >= 0);
	pid = fork();
	if (pid == 0) {
		close(m);
		_exit(read(s, b, 8) == -1 && errno == EIO && read(s, b, 8) == 0 ? 0 : 1);
	}
	await_sleep(pid);
	CHECK(close(m) == 0);
	CHECK(wait(&status) > 0 && status == 0);
	CHECK(close(s) == 0);
}

static void settings_outlive_the_slave(void)
{
	struct termios t;
	struct winsize ws = {.ws_row = 7, .ws_col = 9};

	start();
	CHECK(tcgetattr(m, &t) == 0 && (t.c_lflag & ICANON) && (t.c_lflag & ECHO));
	t.c_lflag &= ~(tcflag_t)ECHO;
	CHECK(tcsetattr(m, TCSANOW, &t) == 0);
	CHECK(ioctl(m, TIOCSWINSZ, &ws) == 0 && close(s) == 0);
	s = slave(O_RDWR);
	CHECK(s >= 0 && tcgetattr(s, &t) == 0 && !(t.c_lflag & ECHO));
	memset(&ws, 0, sizeof(ws));
	CHECK(ioctl(s, TIOCGWINSZ, &ws) == 0 && ws.ws_row == 7 && ws.ws_col == 9);
	CHECK(cfsetspeed(&t, B115200) == 0 && tcsetattr(s, TCSADRAIN, &t) == 0);
	CHECK(tcgetattr(s, &t) == 0 && cfgetospeed(&t) == B115200);
	CHECK((t.c_cflag & (CSIZE | CREAD | PARENB)) == (CS8 | CREAD));
	stop();
}

static void odd_requests(void)
{
	int n = -1;

	start();
	CHECK(ioctl(s, TIOCGETD, &n) == 0 && n == 0);
	CHECK(ioctl(s, TIOCSETD, &n) == 0);
	n = 99;
	FAILS(EINVAL, ioctl(s, TIOCSETD, &n));
	CHECK(ioctl(s, TIOCOUTQ, &n) == 0 && n == 0);
	CHECK(tcsendbreak(s, 0) == 0 && tcdrain(s) == 0);
	FAILS(ENOTTY, ioctl(s, TIOCMGET, &n));
	FAILS(ENOTTY, ioctl(s, TIOCGSERIAL, page_with(PROT_READ | PROT_WRITE)));
	FAILS(ENOTTY, ioctl(s, 0x5999, &n));
	FAILS(EFAULT, ioctl(s, TCGETS, 8));
	FAILS(EFAULT, ioctl(s, TCSETS, 8));
	FAILS(EFAULT, ioctl(s, TIOCSWINSZ, 8));
	CHECK(ioctl(s, TIOCEXCL) == 0);
	if (geteuid() != 0) {
		FAILS(EBUSY, slave(O_RDWR));
		FAILS(EPERM, ioctl(s, TIOCVHANGUP));
	}
	CHECK(ioctl(s, TIOCNXCL) == 0);
	stop();
}

static void expect_packet(const char *bytes, ssize_t size)
{
	char b[64];

	CHECK(wait_for(m, POLLIN));
	CHECK(read(m, b, sizeof(b)) == size && memcmp(b, bytes, (size_t)size) == 0);
}

static void packets(void)
{
	struct termios t;
	int on = 1;

	start();
	CHECK(ioctl(m, TIOCPKT, &on) == 0);
	CHECK(write(s, "ab", 2) == 2);
	expect_packet("\0ab", 3);
	CHECK(tcflush(s, TCIFLUSH) == 0);
	CHECK(poll_bits(m) == (POLLIN | POLLPRI | POLLOUT));
	expect_packet("\1", 1);
	CHECK(tcflush(s, TCIOFLUSH) == 0);
	expect_packet("\3", 1);
	CHECK(tcflow(s, TCOOFF) == 0);
	expect_packet("\4", 1);
	CHECK(tcflow(s, TCOON) == 0);
	expect_packet("\10", 1);
	CHECK(tcgetattr(s, &t) == 0);
	t.c_iflag &= ~(tcflag_t)IXON;
	CHECK(tcsetattr(s, TCSANOW, &t) == 0);
	expect_packet("\20", 1);
	t.c_iflag |= IXON;
	CHECK(tcsetattr(s, TCSANOW, &t) == 0);
	expect_packet("\40", 1);
	t.c_lflag |= EXTPROC;
	CHECK(tcsetattr(s, TCSANOW, &t) == 0);
	expect_packet("\100", 1);
	on = 0;
	CHECK(ioctl(m, TIOCPKT, &on) == 0);
	CHECK(write(s, "ab", 2) == 2);
	expect_packet("ab", 2);
	stop();
}

static void full_and_drained(void)
{
	static char b[65536];
	size_t in = 0;
	size_t out = 0;
	ssize_t n;
	struct termios t;

	start();
	CHECK(tcgetattr(s, &t) == 0);
	cfmakeraw(&t);
	CHECK(tcsetattr(s, TCSANOW, &t) == 0);
	CHECK(fcntl(m, F_SETFL, O_NONBLOCK) == 0 && fcntl(s, F_SETFL, O_NONBLOCK) == 0);
	for (size_t i = 0; i < sizeof(b); i++)
		b[i] = (char)i;
	for (;;) {
		n = write(m, b + in % 256, 1000);
		if (n < 0)
			break;
		in += (size_t)n;
		CHECK(in < 1000000);
	}
	CHECK(errno == EAGAIN && in > 4096);
	while (out < in && wait_for(s, POLLIN)) {
		char c[777];

		n = read(s, c, sizeof(c));
		CHECK(n > 0);
		for (ssize_t i = 0; i < n; i++)
			CHECK(c[i] == (char)(out + (size_t)i));
		out += (size_t)n;
	}
	CHECK(in == out && wait_for(m, POLLOUT));
	FAILS(EAGAIN, read(s, b, 1));
	stop();
}

RUN(TEST(a_node_while_the_master_is_open), TEST(the_peer_without_a_name),
    TEST(without_a_slave), TEST(without_a_master), TEST(sleepers_see_the_hang_up),
    TEST(settings_outlive_the_slave), TEST(odd_requests), TEST(packets),
    TEST(full_and_drained))
