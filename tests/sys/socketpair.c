/* SPDX-License-Identifier: MIT */
/* net */
/* socketpair: kinds, flags, both ways, and what is refused. */
#include "fixture.h"

#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>

static int s[2];

static void shut(void)
{
	CHECK(close(s[0]) == 0 && close(s[1]) == 0);
}

static void each_kind_passes_messages_both_ways(void)
{
	const int types[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET, SOCK_RAW};
	char b[16];

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		CHECK(socketpair(AF_UNIX, types[i], 0, s) == 0 && s[1] > s[0]);
		CHECK(write(s[0], "abc", 3) == 3 && write(s[1], "de", 2) == 2);
		CHECK(read(s[1], b, 16) == 3 && memcmp(b, "abc", 3) == 0);
		CHECK(read(s[0], b, 16) == 2 && memcmp(b, "de", 2) == 0);
		shut();
	}
}

static void streams_join_and_packets_do_not(void)
{
	char b[16];

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0);
	CHECK(write(s[0], "ab", 2) == 2 && write(s[0], "cd", 2) == 2);
	CHECK(read(s[1], b, 3) == 3 && read(s[1], b, 16) == 1 && b[0] == 'd');
	shut();
	CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, s) == 0);
	CHECK(write(s[0], "ab", 2) == 2 && write(s[0], "cd", 2) == 2);
	CHECK(read(s[1], b, 1) == 1 && read(s[1], b, 16) == 2 && b[0] == 'c');
	shut();
}

static void flags_are_for_both(void)
{
	char b;

	CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, s) == 0);
	for (int i = 0; i < 2; i++) {
		CHECK(fcntl(s[i], F_GETFD) == FD_CLOEXEC);
		CHECK(fcntl(s[i], F_GETFL) == (O_RDWR | O_NONBLOCK));
		FAILS(EAGAIN, read(s[i], &b, 1));
	}
	shut();
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0);
	CHECK(fcntl(s[0], F_GETFD) == 0 && fcntl(s[1], F_GETFL) == O_RDWR);
	shut();
}

static void what_is_refused(void)
{
	FAILS(EAFNOSUPPORT, socketpair(-1, SOCK_STREAM, 0, s));
	FAILS(EAFNOSUPPORT, socketpair(1000, SOCK_STREAM, 0, s));
	FAILS(EINVAL, socketpair(AF_UNIX, 12, 0, s));
	FAILS(EINVAL, socketpair(AF_UNIX, SOCK_STREAM | 0x100, 0, s));
	FAILS(ESOCKTNOSUPPORT, socketpair(AF_UNIX, SOCK_RDM, 0, s));
	FAILS(EPROTONOSUPPORT, socketpair(AF_UNIX, SOCK_STREAM, 7, s));
	FAILS(EOPNOTSUPP, socketpair(AF_INET, SOCK_STREAM, 0, s));
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, AF_UNIX, s) == 0);
	shut();
}

static void bad_pointers_leave_nothing_open(void)
{
	int before = dup(0), after;

	FOR_BAD(a)
	{
		FAILS(EFAULT, syscall(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, a));
	}
	FAILS(EFAULT, syscall(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, page_edge() - 4));
	CHECK(close(before) == 0);
	after = dup(0);
	CHECK(after == before && close(after) == 0);
}

static void they_are_sockets_without_names(void)
{
	struct sockaddr_un a;
	socklen_t len = sizeof(a);
	char path[32], text[64];
	struct stat st;
	ssize_t n;

	CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, s) == 0 && fstat(s[0], &st) == 0);
	CHECK(S_ISSOCK(st.st_mode) && (st.st_mode & 0777) == 0777);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", s[0]);
	n = readlink(path, text, sizeof(text) - 1);
	CHECK(n > 0);
	text[n] = 0;
	CHECK(strncmp(text, "socket:[", 8) == 0);
	CHECK(strtoul(text + 8, NULL, 10) == st.st_ino);
	FAILS(ENXIO, open(path, O_RDWR));
	FAILS(ESPIPE, lseek(s[0], 0, SEEK_CUR));
	FAILS(ESPIPE, pread(s[0], text, 1, 0));
	CHECK(getsockname(s[0], (void *)&a, &len) == 0 && len == 2);
	CHECK(a.sun_family == AF_UNIX);
	len = sizeof(a);
	CHECK(getpeername(s[0], (void *)&a, &len) == 0 && len == 2);
	shut();
}

static void a_child_talks_to_its_parent(void)
{
	char b[4];
	pid_t pid;

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0);
	fflush(stdout);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		close(s[0]);
		for (int i = 0; i < 1000; i++) {
			CHECK(read(s[1], b, 4) == 4);
			b[0]++;
			CHECK(write(s[1], b, 4) == 4);
		}
		_exit(0);
	}
	CHECK(close(s[1]) == 0);
	memset(b, 0, sizeof(b));
	for (int i = 0; i < 1000; i++) {
		CHECK(write(s[0], b, 4) == 4 && read(s[0], b, 4) == 4);
		CHECK((unsigned char)b[0] == (unsigned char)(i + 1));
	}
	CHECK(read(s[0], b, 1) == 0 && child_wait(pid) == 0 && close(s[0]) == 0);
}

static void ioctls_say_how_much_waits(void)
{
	int n = -1;

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0);
	CHECK(ioctl(s[1], FIONREAD, &n) == 0 && n == 0);
	CHECK(ioctl(s[0], TIOCOUTQ, &n) == 0 && n == 0);
	CHECK(write(s[0], "12345", 5) == 5 && write(s[0], "678", 3) == 3);
	CHECK(ioctl(s[1], FIONREAD, &n) == 0 && n == 8);
	CHECK(ioctl(s[0], TIOCOUTQ, &n) == 0 && n >= 8);
	FAILS(EFAULT, ioctl(s[1], FIONREAD, bad_address(1)));
	FAILS(ENOTTY, ioctl(s[1], TCGETS, &n));
	shut();
	CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, s) == 0);
	CHECK(write(s[0], "12345", 5) == 5 && write(s[0], "678", 3) == 3);
	CHECK(ioctl(s[1], FIONREAD, &n) == 0 && n == 5);
	shut();
	CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, s) == 0);
	CHECK(write(s[0], "12345", 5) == 5 && write(s[0], "678", 3) == 3);
	CHECK(ioctl(s[1], FIONREAD, &n) == 0 && n == 8);
	shut();
}

RUN(TEST(each_kind_passes_messages_both_ways), TEST(streams_join_and_packets_do_not),
    TEST(flags_are_for_both), TEST(what_is_refused),
    TEST(bad_pointers_leave_nothing_open), TEST(they_are_sockets_without_names),
    TEST(a_child_talks_to_its_parent), TEST(ioctls_say_how_much_waits))
