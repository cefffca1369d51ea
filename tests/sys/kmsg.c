/* SPDX-License-Identifier: MIT */
/* calls: syslog */
/* kmsg.c - the kernel's log that is the sandbox's own: what is written to /dev/kmsg, and
 * what faults leave there, is read again there, from /proc/kmsg and by syslog(2). */
/* native: skip */
#include "capability.h"
#include "proc.h"
#include <poll.h>

enum { READ = 2, READ_ALL, READ_CLEAR, CLEAR, OFF, ON, LEVEL, UNREAD, SIZE };

static long log_call(int type, void *buf, int size)
{
	return syscall(SYS_syslog, type, buf, size);
}

static void say(const char *text)
{
	int fd = open("/dev/kmsg", O_WRONLY);

	CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

static int reader(int whence)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);

	CHECK(fd >= 0 && lseek(fd, 0, whence) == 0);
	return fd;
}

/* The next record: what is behind the semicolon. */
static char *record(int fd)
{
	static char text[8192];
	ssize_t len = read(fd, text, sizeof(text) - 1);
	char *at;

	if (len < 0)
		return NULL;
	CHECK(len > 0 && text[len - 1] == '\n');
	text[len] = 0;
	at = strchr(text, ';');
	CHECK(at);
	return at + 1;
}

static void strangers_see_nothing(void)
{
	FAILS(EPERM, log_call(READ_ALL, NULL, 0));
	FAILS(EPERM, log_call(SIZE, NULL, 0));
	FAILS(EPERM, open("/dev/kmsg", O_RDONLY));
	CHECK(open("/dev/kmsg", O_WRONLY) == -1 && errno == EACCES);
	CHECK(open("/proc/kmsg", O_RDONLY) == -1 && errno == EACCES);
}

static void it_begins_with_the_version(void)
{
	int fd = reader(SEEK_SET);
	char *r = record(fd);

	CHECK(r && strncmp(r, "Linux version ", 14) == 0);
	close(fd);
}

static void what_is_written_is_read(void)
{
	int fd = reader(SEEK_END);
	char raw[256];
	unsigned prio;
	unsigned long seq, next, us;
	ssize_t len;

	FAILS(EAGAIN, read(fd, raw, sizeof(raw)));
	say("hello\n");
	say("<3>with a level");
	say("<30>of a facility");
	say("<x>no level\\\t\xff");
	FAILS(EINVAL, read(fd, raw, 10)); /* no room: it stays */
	len = read(fd, raw, sizeof(raw) - 1);
	CHECK(len > 0);
	raw[len] = 0;
	CHECK(sscanf(raw, "%u,%lu,%lu,-;", &prio, &seq, &us) == 3 && prio == 12);
	CHECK(strcmp(strchr(raw, ';'), ";hello\n") == 0);
	len = read(fd, raw, sizeof(raw) - 1);
	CHECK(len > 0 && sscanf(raw, "%u,%lu,", &prio, &next) == 2);
	CHECK(prio == 11 && next == seq + 1);
	len = read(fd, raw, sizeof(raw) - 1);
	CHECK(len > 0 && sscanf(raw, "%u,", &prio) == 1 && prio == 30);
	CHECK(strcmp(record(fd), "<x>no level\\x5c\\x09\\xff\n") == 0);
	FAILS(EAGAIN, read(fd, raw, sizeof(raw)));
	close(fd);
}

static void positions_and_errors(void)
{
	void *volatile bad = BAD_PTR;
	char *big = calloc(1, 2000);
	int fd = reader(SEEK_END);
	int w = open("/dev/kmsg", O_WRONLY);

	FAILS(ESPIPE, lseek(fd, 1, SEEK_SET));
	FAILS(EINVAL, lseek(fd, 0, SEEK_CUR));
	memset(big, 'x', 2000);
	FAILS(EINVAL, write(w, big, 1025));
	CHECK(write(w, big, 1024) == 1024);
	FAILS(EFAULT, write(w, bad, 10));
	CHECK(strlen(record(fd)) == 1025);
	say("for nobody");
	FAILS(EFAULT, read(fd, bad, 4000));
	close(fd);
	close(w);
	free(big);
}

static void polls_tell_of_news(void)
{
	int fd = reader(SEEK_END);
	struct pollfd p = {fd, POLLIN | POLLRDNORM, 0};

	CHECK(poll(&p, 1, 0) == 0);
	CHILD(pid)
	{
		sleep_ms(30);
		say("news");
		_exit(0);
	}
	CHECK(poll(&p, 1, 20000) == 1 && p.revents == (POLLIN | POLLRDNORM));
	CHECK(strcmp(record(fd), "news\n") == 0 && poll(&p, 1, 0) == 0);
	CHECK(fcntl(fd, F_SETFL, 0) == 0);
	CHILD(other)
	{
		sleep_ms(30);
		say("more");
		_exit(0);
	}
	CHECK(strcmp(record(fd), "more\n") == 0); /* it has waited */
	WAIT_EXIT(pid, 0);
	WAIT_EXIT(other, 0);
	close(fd);
}

/* The log is a ring: who is too slow is told so. */
static void the_oldest_go_first(void)
{
	int fd = reader(SEEK_END), set;
	struct pollfd p = {fd, POLLIN, 0};
	char text[600];

	set = open("/proc/sys/kernel/printk_devkmsg", O_WRONLY);
	CHECK(set >= 0 && write(set, "on\n", 3) == 3 && close(set) == 0);
	memset(text, 'y', sizeof(text));
	say("lost");
	set = open("/dev/kmsg", O_WRONLY);
	for (int i = 0; i < 400; i++) {
		int n = snprintf(text, sizeof(text), "line %d ", i);

		text[n] = 'y';
		CHECK(write(set, text, 500 + (size_t)i % 50) > 0);
	}
	close(set);
	CHECK(poll(&p, 1, 0) == 1 && (p.revents & POLLERR));
	FAILS(EPIPE, read(fd, text, sizeof(text)));
	CHECK(strncmp(record(fd), "line ", 5) == 0);
	for (int i = 0; record(fd); i++)
		CHECK(i < 400);
	CHECK(errno == EAGAIN);
	close(fd);
}

static void too_many_are_dropped(void)
{
	int set = open("/proc/sys/kernel/printk_devkmsg", O_WRONLY);
	int fd = reader(SEEK_END), w = open("/dev/kmsg", O_WRONLY), n = 0;

	CHECK(set >= 0 && write(set, "ratelimit\n", 10) == 10 && close(set) == 0);
	for (int i = 0; i < 50; i++)
		CHECK(write(w, "again", 5) == 5);
	while (record(fd))
		n++;
	CHECK(n == 10);
	close(fd);
	close(w);
}

static void faults_are_told(void)
{
	int fd = reader(SEEK_END);
	char *r;

	CHILD(pid)
	{
		*(volatile char *)0x123 = 1;
		_exit(0);
	}
	WAIT_SIGNAL(pid, SIGSEGV);
	r = record(fd);
	CHECK(r && strstr(r, "]: segfault at 123 ip ") && strstr(r, " error 6 in kmsg["));
	CHILD(opcode)
	{
		__asm__ volatile("ud2");
		_exit(0);
	}
	WAIT_SIGNAL(opcode, SIGILL);
	r = record(fd);
	CHECK(r && strncmp(r, "traps: kmsg[", 12) == 0 &&
	      strstr(r, "trap invalid opcode"));
	CHECK(!record(fd));
	close(fd);
}

static void all_of_it_as_text(void)
{
	static char text[1 << 18];
	long len;

	CHECK(log_call(SIZE, NULL, 0) == 1 << 17);
	say("<5>one");
	say("<5>two\nlines");
	len = log_call(READ_ALL, text, sizeof(text));
	CHECK(len > 0 && text[len - 1] == '\n' && text[0] == '<');
	text[len] = 0;
	CHECK(strstr(text, "] one\n<13>[") && strstr(text, "] two\n<13>["));
	CHECK(strcmp(text + len - 6, "lines\n") == 0);
	len = log_call(READ_ALL, text, 60); /* the last that fit */
	CHECK(len > 0 && len <= 60 && strncmp(text + len - 6, "lines\n", 6) == 0);
	FAILS(EFAULT, log_call(READ_ALL, KERNEL_PTR, 4096));
	FAILS(EINVAL, log_call(READ_ALL, NULL, 4096));
	FAILS(EINVAL, log_call(READ_ALL, text, -1));
	CHECK(log_call(READ_CLEAR, text, sizeof(text)) > 0);
	CHECK(log_call(READ_ALL, text, sizeof(text)) == 0);
	say("fresh");
	len = log_call(READ_ALL, text, sizeof(text));
	CHECK(len > 0 && len < 60);
	CHECK(log_call(CLEAR, NULL, 0) == 0);
	CHECK(log_call(READ_ALL, text, sizeof(text)) == 0);
}

static void each_record_is_told_once(void)
{
	static char text[1 << 18];
	int fd = open("/proc/kmsg", O_RDONLY | O_NONBLOCK);
	struct pollfd p = {fd, POLLIN, 0};
	ssize_t len;

	CHECK(fd >= 0);
	while (read(fd, text, sizeof(text)) > 0)
		;
	CHECK(errno == EAGAIN && log_call(UNREAD, NULL, 0) == 0 && poll(&p, 1, 0) == 0);
	say("<6>told once");
	CHECK(log_call(UNREAD, NULL, 0) > 20 && poll(&p, 1, 0) == 1);
	len = log_call(READ, text, 10); /* a piece of it */
	CHECK(len == 10 && strncmp(text, "<14>[", 5) == 0);
	len = read(fd, text, sizeof(text));
	CHECK(len > 10 && strncmp(text + len - 10, "told once\n", 10) == 0);
	FAILS(EAGAIN, read(fd, text, sizeof(text)));
	CHECK(log_call(READ, text, 0) == 0);
	close(fd);
}

static void the_console_has_a_level(void)
{
	FAILS(EINVAL, log_call(LEVEL, NULL, 0));
	FAILS(EINVAL, log_call(LEVEL, NULL, 9));
	CHECK(log_call(LEVEL, NULL, 8) == 0 && log_call(OFF, NULL, 0) == 0);
	CHECK(log_call(ON, NULL, 0) == 0);
	FAILS(EINVAL, log_call(11, NULL, 0));
	FAILS(EINVAL, log_call(-1, NULL, 0));
}

static void whom_it_is_shown(void)
{
	int fd = open("/proc/sys/kernel/dmesg_restrict", O_WRONLY);
	char text[64];

	CHECK(fd >= 0 && write(fd, "0\n", 2) == 2);
	CHILD(pid)
	{
		CHECK(setgid(12345) == 0 && setuid(12345) == 0);
		CHECK(log_call(SIZE, NULL, 0) > 0 && log_call(READ_ALL, text, 64) >= 0);
		FAILS(EPERM, log_call(READ, text, 64));
		FAILS(EPERM, log_call(CLEAR, NULL, 0));
		FAILS(EPERM, log_call(UNREAD, NULL, 0));
		CHECK(open("/dev/kmsg", O_RDONLY) >= 0);
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
	CHECK(write(fd, "1\n", 2) == 2 && close(fd) == 0);
}

int main(void)
{
	static const struct test all[] = {
		TEST(it_begins_with_the_version),
		TEST(what_is_written_is_read),
		TEST(positions_and_errors),
		TEST(polls_tell_of_news),
		TEST(faults_are_told),
		TEST(all_of_it_as_text),
		TEST(each_record_is_told_once),
		TEST(the_console_has_a_level),
		TEST(whom_it_is_shown),
		TEST(the_oldest_go_first),
		TEST(too_many_are_dropped),
	};
	static const struct test user[] = {TEST(strangers_see_nothing)};

	if (!has_cap(CAP_SYSLOG))
		return test_main(user, 1);
	return test_main(all, sizeof(all) / sizeof(all[0]));
}
