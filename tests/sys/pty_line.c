/* SPDX-License-Identifier: MIT */
/* The line discipline of a pseudo-terminal: lines, editing, echo, mapping, VMIN, VTIME.
 */
/* calls: ioctl */
#include "fixture.h"

#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <termios.h>

enum { SOON = 20000 }; /* ms; on a busy machine */

static int m, s;
static char got[8192];

static void start(void)
{
	CHECK(openpty(&m, &s, NULL, NULL, NULL) == 0);
}

static void stop(void)
{
	CHECK(close(m) == 0 && close(s) == 0);
}

static void change(tcflag_t i_on, tcflag_t i_off, tcflag_t o_on, tcflag_t o_off,
		   tcflag_t l_on, tcflag_t l_off)
{
	struct termios t;

	CHECK(tcgetattr(s, &t) == 0);
	t.c_iflag = (t.c_iflag | i_on) & ~i_off;
	t.c_oflag = (t.c_oflag | o_on) & ~o_off;
	t.c_lflag = (t.c_lflag | l_on) & ~l_off;
	CHECK(tcsetattr(s, TCSANOW, &t) == 0);
}

static void set_cc(int which, cc_t c)
{
	struct termios t;

	CHECK(tcgetattr(s, &t) == 0);
	t.c_cc[which] = c;
	CHECK(tcsetattr(s, TCSANOW, &t) == 0);
}

static void type(const char *text)
{
	CHECK(write(m, text, strlen(text)) == (ssize_t)strlen(text));
}

/* Waits until fd has something. */
static bool is_ready(int fd, int ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, ms) == 1 && (p.revents & POLLIN);
}

/* What comes out of fd: size bytes, and then until nothing has come for a while. */
static const char *all_of(int fd, size_t size)
{
	size_t n = 0;

	while (is_ready(fd, n < size ? SOON : 30)) {
		ssize_t r = read(fd, got + n, sizeof(got) - 1 - n);

		CHECK(r >= 0);
		if (!r)
			break;
		n += (size_t)r;
	}
	got[n] = 0;
	return got;
}

static void expect(int fd, const char *want)
{
	const char *have = all_of(fd, strlen(want));

	if (strcmp(have, want) != 0) {
		printf("want [");
		for (const char *p = want; *p; p++)
			printf(*p < 32 ? "\\%o" : "%c", *p);
		printf("] have [");
		for (const char *p = have; *p; p++)
			printf(*p < 32 ? "\\%o" : "%c", *p);
		printf("]\n");
	}
	CHECK(strcmp(have, want) == 0);
}

/* The line that typing gives, and its echo. */
static void line(const char *typed, const char *want, const char *echo)
{
	type(typed);
	expect(m, echo);
	expect(s, want);
}

/* Linux takes what was typed to the other side a moment later. */
static void until_typed(int size)
{
	int n = -1;

	for (int i = 0; i < SOON && n != size; i++) {
		CHECK(ioctl(s, FIONREAD, &n) == 0);
		usleep(1000);
	}
	CHECK(n == size);
}

static void lines_wait_for_their_end(void)
{
	char b[16];
	int n;

	start();
	type("ab");
	CHECK(!is_ready(s, 50));
	CHECK(ioctl(s, FIONREAD, &n) == 0 && n == 0);
	type("c\nde\n");
	until_typed(7); /* who polls may be told of the first line before */
	CHECK(is_ready(s, 0));
	CHECK(read(s, b, 16) == 4 && memcmp(b, "abc\n", 4) == 0);
	CHECK(read(s, b, 2) == 2 && memcmp(b, "de", 2) == 0);
	CHECK(read(s, b, 16) == 1 && b[0] == '\n');
	expect(m, "abc\r\nde\r\n");
	stop();
}

static void erasing(void)
{
	start();
	line("abc\177\177d\n", "ad\n", "abc\b \b\b \bd\r\n");
	line("one two\027x\n", "one x\n", "one two\b \b\b \b\b \bx\r\n");
	line("abc\025z\n", "z\n", "abc\b \b\b \b\b \bz\r\n");
	line("\001b\177\177c\n", "c\n", "^Ab\b \b\b \b\b \bc\r\n");
	line("a\tb\177\177c\n", "ac\n", "a\tb\b \b\b\b\b\b\b\b\bc\r\n");
	line("\177\025\027q\n", "q\n", "q\r\n");
	change(IUTF8, 0, 0, 0, 0, 0);
	line("x\303\244\177y\n", "xy\n", "x\303\244\b \by\r\n");
	change(0, IUTF8, 0, 0, 0, ECHOE);
	line("ab\177c\n", "ac\n", "ab^?c\r\n");
	line("ab\025c\n", "c\n", "ab^U\r\nc\r\n");
	change(0, 0, 0, 0, 0, ECHOK);
	line("ab\025c\n", "c\n", "ab^Uc\r\n");
	change(0, 0, 0, 0, ECHOPRT | ECHOE, 0);
	line("abc\177\177d\n", "ad\n", "abc\\cb/d\r\n");
	stop();
}

static void reprint_and_literal_next(void)
{
	start();
	line("ab\022c\n", "abc\n", "ab^R\r\nabc\r\n");
	line("a\026\003b\026\177\n", "a\003b\177\n", "a^\b^Cb^\b^?\r\n");
	change(0, 0, 0, 0, 0, IEXTEN);
	line("a\026\027\n", "a\026\027\n", "a^V^W\r\n");
	stop();
}

static void echo_modes(void)
{
	start();
	change(0, 0, 0, 0, 0, ECHO);
	type("quiet\n");
	expect(s, "quiet\n");
	CHECK(!is_ready(m, 50));
	change(0, 0, 0, 0, ECHONL, 0);
	line("quiet\n", "quiet\n", "\r\n");
	change(0, 0, 0, 0, ECHO, ECHOCTL);
	line("a\001b\n", "a\001b\n", "a\001b\r\n");
	stop();
}

static void ends_of_file_and_of_lines(void)
{
	char b[16];
	int n;

	start();
	type("ab\004");
	CHECK(is_ready(s, SOON) && ioctl(s, FIONREAD, &n) == 0 && n == 2);
	CHECK(read(s, b, 16) == 2);
	type("\004");
	CHECK(is_ready(s, SOON) && read(s, b, 16) == 0);
	/* One that follows just what was asked for is gone too. */
	type("xyz\004q\n");
	CHECK(is_ready(s, SOON) && read(s, b, 3) == 3);
	CHECK(read(s, b, 16) == 2 && b[0] == 'q');
	set_cc(VEOL, ';');
	set_cc(VEOL2, '!');
	type("a;b!c\n");
	CHECK(is_ready(s, SOON));
	CHECK(read(s, b, 16) == 2 && memcmp(b, "a;", 2) == 0);
	CHECK(read(s, b, 16) == 2 && memcmp(b, "b!", 2) == 0);
	CHECK(read(s, b, 16) == 2 && memcmp(b, "c\n", 2) == 0);
	stop();
}

static void input_mapping(void)
{
	start();
	change(0, 0, 0, 0, 0, ECHO);
	type("a\r");
	expect(s, "a\n");
	change(IGNCR, 0, 0, 0, 0, 0);
	type("a\rb\n");
	expect(s, "ab\n");
	change(INLCR, IGNCR | ICRNL, 0, 0, 0, ICANON);
	type("a\nb\r");
	expect(s, "a\rb\r");
	change(ISTRIP | IUCLC, INLCR, 0, 0, 0, 0);
	type("\341BC");
	expect(s, "abc");
	change(PARMRK, ISTRIP | IUCLC, 0, 0, 0, 0);
	type("a\377b");
	expect(s, "a\377\377b");
	stop();
}

static void put_out(const char *text, const char *want)
{
	CHECK(write(s, text, strlen(text)) == (ssize_t)strlen(text));
	expect(m, want);
}

static void output_processing(void)
{
	start();
	put_out("a\nb\n", "a\r\nb\r\n");
	put_out("a\tb\n", "a\tb\r\n");
	change(0, 0, XTABS, 0, 0, 0);
	put_out("a\tb\b\b\tc\n", "a       b\b\b c\r\n");
	change(0, 0, OLCUC, TABDLY, 0, 0);
	put_out("abcZ\n", "ABCZ\r\n");
	change(0, 0, OCRNL, OLCUC | ONLCR, 0, 0);
	put_out("a\rb\n", "a\nb\n");
	change(0, 0, ONLCR | ONOCR, OCRNL, 0, 0);
	put_out("\n\ra\r\rb\n", "\r\na\rb\r\n");
	change(0, 0, ONLRET | ONOCR, ONLCR, 0, 0);
	put_out("a\n\rb\n", "a\nb\n");
	change(0, 0, 0, OPOST, 0, 0);
	put_out("a\n\r\tb", "a\n\r\tb");
	stop();
}

static void long_lines_lose_their_end(void)
{
	static char b[8192];
	static char text[3000];

	start();
	change(0, 0, 0, 0, 0, ECHO);
	memset(text, 'x', sizeof(text));
	CHECK(write(m, text, sizeof(text)) == sizeof(text));
	CHECK(write(m, text, sizeof(text)) == sizeof(text));
	usleep(50000);
	type("\nend\n");
	CHECK(is_ready(s, SOON) && read(s, b, sizeof(b)) == 4096);
	CHECK(b[4094] == 'x' && b[4095] == '\n');
	CHECK(is_ready(s, SOON) && read(s, b, sizeof(b)) == 4);
	stop();
}

static void until_stopped(void)
{
	struct pollfd p = {.fd = s, .events = POLLOUT};

	for (int i = 0; i < SOON && poll(&p, 1, 0) != 0; i++)
		usleep(1000);
}

static void raw(cc_t min, cc_t time)
{
	change(0, ICRNL | IXON, 0, OPOST, 0, ICANON | ECHO | ISIG);
	set_cc(VMIN, min);
	set_cc(VTIME, time);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void type_later(const char *text, useconds_t after)
{
	if (fork() == 0) {
		usleep(after);
		type(text);
		_exit(0);
	}
}

static void least_and_time(void)
{
	char b[16];
	double t;

	start();
	raw(0, 0);
	CHECK(read(s, b, 16) == 0);
	type("ab");
	CHECK(is_ready(s, SOON) && read(s, b, 16) == 2);
	raw(0, 2);
	t = now();
	CHECK(read(s, b, 16) == 0 && now() - t > 0.15);
	raw(0, 255);
	type_later("x", 50000);
	t = now();
	CHECK(read(s, b, 16) == 1 && now() - t < 25);
	raw(3, 0);
	type("ab");
	CHECK(!is_ready(s, 50));
	type_later("cd", 50000);
	CHECK(read(s, b, 16) >= 3);
	tcflush(s, TCIFLUSH);
	raw(3, 2);
	t = now();
	type_later("z", 300000);
	CHECK(read(s, b, 16) == 1 && now() - t > 0.4);
	CHECK(fcntl(s, F_SETFL, O_NONBLOCK) == 0);
	raw(0, 0);
	CHECK(read(s, b, 16) == 0);
	raw(0, 5);
	FAILS(EAGAIN, read(s, b, 16));
	raw(5, 0);
	FAILS(EAGAIN, read(s, b, 16));
	type("ab");
	until_typed(2);
	CHECK(read(s, b, 16) == 2);
	while (wait(NULL) > 0)
		;
	stop();
}

static void modes_change_what_was_typed(void)
{
	char b[16];

	start();
	type("abc");
	expect(m, "abc");
	raw(1, 0);
	CHECK(is_ready(s, SOON) && read(s, b, 16) == 3);
	type("de");
	CHECK(is_ready(s, SOON));
	change(0, 0, 0, 0, ICANON, 0);
	CHECK(is_ready(s, SOON) && read(s, b, 16) == 2);
	change(0, 0, 0, 0, ECHO, 0);
	type("typed");
	expect(m, "typed"); /* it has come, though no line is there */
	CHECK(tcflush(s, TCIFLUSH) == 0);
	type("after\n");
	CHECK(is_ready(s, SOON) && read(s, b, 16) == 6 && memcmp(b, "after\n", 6) == 0);
	stop();
}

static void flow_control(void)
{
	char b[16];
	struct pollfd p = {.events = POLLOUT};

	start();
	p.fd = s;
	CHECK(fcntl(s, F_SETFL, O_NONBLOCK) == 0);
	type("\023");
	until_stopped();
	FAILS(EAGAIN, write(s, "x", 1));
	CHECK(poll(&p, 1, 0) == 0);
	type("echo\n");
	CHECK(!is_ready(m, 50));
	type("\021");
	expect(m, "echo\r\n");
	CHECK(poll(&p, 1, SOON) == 1 && write(s, "x", 1) == 1);
	expect(m, "x");
	CHECK(read(s, b, 16) == 5);
	change(IXANY, 0, 0, 0, 0, 0);
	type("\023");
	until_stopped();
	type("a");
	expect(m, "a");
	CHECK(tcflow(s, TCOOFF) == 0);
	FAILS(EAGAIN, write(s, "x", 1));
	type("\021");
	usleep(50000);
	FAILS(EAGAIN, write(s, "x", 1));
	CHECK(tcflow(s, TCOON) == 0 && write(s, "y", 1) == 1);
	expect(m, "y");
	CHECK(tcflow(s, TCIOFF) == 0 && tcflow(s, TCION) == 0);
	expect(m, "\023\021");
	FAILS(EINVAL, tcflow(s, 7));
	FAILS(EINVAL, ioctl(s, TCFLSH, 7));
	stop();
}

RUN(TEST(lines_wait_for_their_end), TEST(erasing), TEST(reprint_and_literal_next),
    TEST(echo_modes), TEST(ends_of_file_and_of_lines), TEST(input_mapping),
    TEST(output_processing), TEST(long_lines_lose_their_end), TEST(least_and_time),
    TEST(modes_change_what_was_typed), TEST(flow_control))
