/* SPDX-License-Identifier: MIT */
/* Pipes: order, ends, atomicity, blocking, sharing with children. */
/* calls: pipe pipe2 */
#include "fixture.h"

#include <limits.h>
#include <poll.h>
#include <sys/ioctl.h>

static int p[2];

static void shut(void)
{
	CHECK(close(p[0]) == 0 && close(p[1]) == 0);
}

static void bytes_come_out_in_order(void)
{
	char b[16];

	CHECK(syscall(SYS_pipe, p) == 0 && p[0] >= 0 && p[1] > p[0]);
	CHECK(write(p[1], "abc", 3) == 3 && write(p[1], "def", 3) == 3);
	CHECK(read(p[0], b, 4) == 4 && memcmp(b, "abcd", 4) == 0);
	CHECK(read(p[0], b, 16) == 2 && memcmp(b, "ef", 2) == 0);
	CHECK((fcntl(p[0], F_GETFL) & O_ACCMODE) == O_RDONLY);
	CHECK((fcntl(p[1], F_GETFL) & O_ACCMODE) == O_WRONLY);
	FAILS(EBADF, write(p[0], "x", 1));
	FAILS(EBADF, read(p[1], b, 1));
	CHECK(write(p[1], "", 0) == 0 && read(p[0], b, 0) == 0);
	shut();
}

static void flags_go_to_both_ends(void)
{
	char b;

	CHECK(pipe2(p, O_CLOEXEC | O_NONBLOCK) == 0);
	CHECK(fcntl(p[0], F_GETFD) == FD_CLOEXEC && fcntl(p[1], F_GETFD) == FD_CLOEXEC);
	CHECK((fcntl(p[0], F_GETFL) & O_NONBLOCK) && (fcntl(p[1], F_GETFL) & O_NONBLOCK));
	FAILS(EAGAIN, read(p[0], &b, 1));
	shut();
}

static void end_of_file_when_all_writers_are_gone(void)
{
	char b[4];
	int d;

	CHECK(pipe(p) == 0);
	d = dup(p[1]);
	CHECK(write(d, "xy", 2) == 2 && close(p[1]) == 0 && close(d) == 0);
	CHECK(read(p[0], b, 4) == 2 && read(p[0], b, 4) == 0 && read(p[0], b, 4) == 0);
	CHECK(close(p[0]) == 0);
}

static void write_to_the_dead(void)
{
	CHECK(pipe(p) == 0 && close(p[0]) == 0);
	signal(SIGPIPE, SIG_IGN);
	FAILS(EPIPE, write(p[1], "x", 1));
	signal(SIGPIPE, SIG_DFL);
	write(p[1], "x", 1);
}

static void no_reader_means_epipe_and_sigpipe(void)
{
	int status = in_child(write_to_the_dead);

	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE);
}

static void capacity_is_sixteen_pages(void)
{
	static char b[PAGE];
	long n = 0;
	ssize_t r;
	int size;

	CHECK(pipe2(p, O_NONBLOCK) == 0);
	size = fcntl(p[0], F_GETPIPE_SZ);
	while ((r = write(p[1], b, sizeof(b))) > 0)
		n += r;
	CHECK(r == -1 && errno == EAGAIN && n == size);
	CHECK(read(p[0], b, sizeof(b)) == sizeof(b) &&
	      write(p[1], b, sizeof(b)) == sizeof(b));
	FAILS(EAGAIN, write(p[1], b, 1));
	shut();
}

static void small_writes_are_all_or_nothing(void)
{
	static char b[65536];
	int size;

	CHECK(pipe2(p, O_NONBLOCK) == 0);
	size = fcntl(p[0], F_GETPIPE_SZ);
	CHECK(write(p[1], b, (size_t)size - 100) == size - 100);
	FAILS(EAGAIN, write(p[1], b, PIPE_BUF));
	CHECK(write(p[1], b, 50) == 50);
	shut();
}

static void large_writes_may_be_partial(void)
{
	static char b[200000];
	ssize_t n;

	CHECK(pipe2(p, O_NONBLOCK) == 0);
	n = write(p[1], b, sizeof(b));
	CHECK(n > 0 && n == fcntl(p[0], F_GETPIPE_SZ));
	shut();
}

static void packets_keep_their_borders(void)
{
	char b[8];

	CHECK(pipe2(p, O_DIRECT) == 0);
	CHECK(write(p[1], "abc", 3) == 3 && write(p[1], "de", 2) == 2);
	CHECK(read(p[0], b, 8) == 3 && read(p[0], b, 1) == 1);
	CHECK(write(p[1], "z", 1) == 1 && read(p[0], b, 8) == 1 && b[0] == 'z');
	shut();
}

static void packets_are_counted_without_their_borders(void)
{
	static char b[8192];
	int n;

	CHECK(pipe2(p, O_DIRECT) == 0);
	CHECK(write(p[1], b, 5001) == 5001 && write(p[1], b, 10) == 10);
	CHECK(ioctl(p[0], FIONREAD, &n) == 0 && n == 5011);
	CHECK(read(p[0], b, 100) == 100);
	CHECK(ioctl(p[0], FIONREAD, &n) == 0 && n == 915);
	CHECK(read(p[0], b, 8192) == 905 && read(p[0], b, 8192) == 10);
	shut();
}

static void packets_can_be_switched_on_and_off(void)
{
	char b[8];

	CHECK(pipe2(p, O_DIRECT) == 0);
	CHECK(fcntl(p[1], F_SETFL, 0) == 0);
	CHECK(write(p[1], "a", 1) == 1 && write(p[1], "b", 1) == 1);
	CHECK(read(p[0], b, 8) == 2);
	CHECK(fcntl(p[1], F_SETFL, O_DIRECT) == 0);
	CHECK(write(p[1], "a", 1) == 1 && write(p[1], "b", 1) == 1);
	CHECK(read(p[0], b, 8) == 1 && read(p[0], b, 8) == 1);
	shut();
}

enum { PACKETS = 20000 };

static void *write_packets(void *arg)
{
	static char b[PIPE_BUF];

	(void)arg;
	for (int i = 0; i < PACKETS; i++) {
		size_t size = i % 9 == 0 ? sizeof(b) : 14;

		CHECK(write(p[1], b, size) == (ssize_t)size);
	}
	return NULL;
}

static void packets_of_all_sizes_find_their_room(void)
{
	static char b[PIPE_BUF];
	pthread_t t;

	CHECK(pipe2(p, O_DIRECT) == 0);
	CHECK(pthread_create(&t, NULL, write_packets, NULL) == 0);
	for (int i = 0; i < PACKETS; i++)
		CHECK(read(p[0], b, sizeof(b)) == (i % 9 == 0 ? PIPE_BUF : 14));
	CHECK(pthread_join(t, NULL) == 0);
	shut();
}

static void there_are_no_watch_queues(void)
{
	FAILS(ENOPKG, pipe2(p, O_EXCL));
	FAILS(ENOPKG, pipe2(p, O_EXCL | O_CLOEXEC));
	FAILS(EINVAL, pipe2(p, O_EXCL | 1));
}

static void unknown_flags_are_refused(void)
{
	FAILS(EINVAL, pipe2(p, 1));
	FAILS(EINVAL, pipe2(p, O_APPEND));
	FAILS(EINVAL, pipe2(p, 0x40000000));
}

static void bad_pointers_are_efault(void)
{
	int before = dup(0), after;

	FOR_BAD(a)
	{
		FAILS(EFAULT, syscall(SYS_pipe, a));
		FAILS(EFAULT, syscall(SYS_pipe2, a, 0));
	}
	FAILS(EFAULT, syscall(SYS_pipe, page_edge() - 4));
	CHECK(close(before) == 0);
	after = dup(0);
	CHECK(after == before && close(after) == 0);
}

static void blocking_reads_and_writes_are_interrupted(void)
{
	static char b[65536];
	struct interrupter in;
	ssize_t n;

	CHECK(pipe(p) == 0);
	interrupt_start(&in, 0, -1);
	FAILS(EINTR, read(p[0], b, 1));
	CHECK(write(p[1], b, (size_t)fcntl(p[0], F_GETPIPE_SZ)) > 0);
	FAILS(EINTR, write(p[1], b, 10));
	CHECK(read(p[0], b, PAGE) == PAGE);
	n = write(p[1], b, 3 * PAGE);
	CHECK(n == PAGE);
	interrupt_stop(&in);
	shut();
}

static void child_writes(void)
{
	CHECK(close(p[0]) == 0 && write(p[1], "from child", 10) == 10);
}

static void children_write_to_their_parents(void)
{
	char b[16];
	pid_t pid;

	CHECK(pipe(p) == 0);
	pid = child_start(child_writes);
	CHECK(close(p[1]) == 0);
	CHECK(read(p[0], b, 16) == 10 && memcmp(b, "from child", 10) == 0);
	CHECK(read(p[0], b, 16) == 0 && child_wait(pid) == 0 && close(p[0]) == 0);
}

static void child_floods(void)
{
	static char b[70000];

	CHECK(close(p[0]) == 0);
	for (int i = 0; i < 20; i++) {
		memset(b, 'a' + i, sizeof(b));
		CHECK(write(p[1], b, sizeof(b)) == sizeof(b));
	}
}

static void a_megabyte_passes_whole(void)
{
	static char b[10001];
	long total = 0;
	ssize_t n;
	pid_t pid;

	CHECK(pipe(p) == 0);
	pid = child_start(child_floods);
	CHECK(close(p[1]) == 0);
	while ((n = read(p[0], b, sizeof(b))) > 0)
		for (ssize_t i = 0; i < n; i++, total++)
			CHECK(b[i] == 'a' + total / 70000);
	CHECK(n == 0 && total == 20 * 70000 && child_wait(pid) == 0 && close(p[0]) == 0);
}

static void *write_records(void *arg)
{
	char rec[512];

	memset(rec, *(char *)arg, sizeof(rec));
	for (int i = 0; i < 1000; i++)
		CHECK(write(p[1], rec, sizeof(rec)) == sizeof(rec));
	return NULL;
}

static void records_of_two_threads_stay_whole(void)
{
	char rec[512], x = 'x', y = 'y';
	pthread_t a, b;

	CHECK(pipe(p) == 0);
	CHECK(pthread_create(&a, NULL, write_records, &x) == 0);
	CHECK(pthread_create(&b, NULL, write_records, &y) == 0);
	for (int i = 0; i < 2000; i++) {
		for (size_t got = 0; got < sizeof(rec);) {
			ssize_t n = read(p[0], rec + got, sizeof(rec) - got);

			CHECK(n > 0);
			got += (size_t)n;
		}
		for (int j = 1; j < 512; j++)
			CHECK(rec[j] == rec[0]);
	}
	CHECK(pthread_join(a, NULL) == 0 && pthread_join(b, NULL) == 0);
	shut();
}

static void *close_later(void *arg)
{
	(void)arg;
	sleep_ms(30);
	CHECK(close(p[1]) == 0);
	return NULL;
}

static void a_sleeping_reader_sees_the_last_close(void)
{
	pthread_t t;
	char b;

	CHECK(pipe(p) == 0 && pthread_create(&t, NULL, close_later, NULL) == 0);
	CHECK(read(p[0], &b, 1) == 0);
	CHECK(pthread_join(t, NULL) == 0 && close(p[0]) == 0);
}

/* 64 pipes of 256 pages are all that a user without capabilities gets: pipe(7). */
static void many_large_pipes(void)
{
	enum { PIPES = 64, MEGABYTE = 1 << 20 };
	int all[PIPES][2];

	for (int i = 0; i < PIPES; i++) {
		CHECK(pipe(all[i]) == 0);
		CHECK(fcntl(all[i][0], F_SETPIPE_SZ, MEGABYTE) == MEGABYTE);
	}
	CHECK(pipe(p) == 0 && fcntl(p[0], F_GETPIPE_SZ) == 8192);
	FAILS(EPERM, fcntl(p[0], F_SETPIPE_SZ, 65536));
	CHECK(fcntl(p[0], F_SETPIPE_SZ, 4096) == 4096);
	FAILS(EPERM, fcntl(p[0], F_SETPIPE_SZ, 8192));
	shut();
	FAILS(EPERM, fcntl(all[0][0], F_SETPIPE_SZ, 2 * MEGABYTE));
	CHECK(fcntl(all[0][0], F_SETPIPE_SZ, 65536) == 65536);
	CHECK(pipe(p) == 0 && fcntl(p[0], F_GETPIPE_SZ) == 65536);
	shut();
	CHECK(fcntl(all[0][0], F_SETPIPE_SZ, MEGABYTE) == MEGABYTE);
	_exit(0);
}

/* As a user whom nobody else is. */
static void users_have_their_share_of_pages(void)
{
	uid_t uid = 100000 + (uid_t)getpid();
	pid_t pid;

	if (getuid() != 0)
		return;
	pid = fork();
	CHECK(pid >= 0);
	if (!pid) {
		CHECK(setuid(uid) == 0);
		many_large_pipes();
	}
	CHECK(child_wait(pid) == 0);
}

static void the_ends_have_names_in_proc(void)
{
	char path[32], text[64], b;
	struct stat st;
	ssize_t n;
	int fd;

	CHECK(pipe(p) == 0 && fstat(p[0], &st) == 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", p[1]);
	n = readlink(path, text, sizeof(text) - 1);
	CHECK(n > 0);
	text[n] = 0;
	CHECK(strncmp(text, "pipe:[", 6) == 0);
	CHECK(strtoul(text + 6, NULL, 10) == st.st_ino);
	fd = open(path, O_WRONLY);
	CHECK(fd >= 0 && write(fd, "n", 1) == 1 && read(p[0], &b, 1) == 1 && b == 'n');
	CHECK(close(fd) == 0);
	shut();
}

static void a_page_that_cannot_be_read_whole_stays(void)
{
	char *edge = page_edge();
	char text[100];
	int fd[2];

	CHECK(pipe(fd) == 0 && write(fd[1], "0123456789", 10) == 10);
	FAILS(EFAULT, read(fd[0], edge - 4, 10));
	CHECK(read(fd[0], text, 100) == 10 && memcmp(text, "0123456789", 10) == 0);
	CHECK(close(fd[0]) == 0 && close(fd[1]) == 0);
}

RUN(TEST(bytes_come_out_in_order), TEST(flags_go_to_both_ends),
    TEST(end_of_file_when_all_writers_are_gone), TEST(no_reader_means_epipe_and_sigpipe),
    TEST(capacity_is_sixteen_pages), TEST(small_writes_are_all_or_nothing),
    TEST(large_writes_may_be_partial), TEST(packets_keep_their_borders),
    TEST(packets_are_counted_without_their_borders),
    TEST(packets_can_be_switched_on_and_off), TEST(packets_of_all_sizes_find_their_room),
    TEST(there_are_no_watch_queues), TEST(unknown_flags_are_refused),
    TEST(bad_pointers_are_efault), TEST(blocking_reads_and_writes_are_interrupted),
    TEST(children_write_to_their_parents), TEST(a_megabyte_passes_whole),
    TEST(records_of_two_threads_stay_whole), TEST(a_sleeping_reader_sees_the_last_close),
    TEST(users_have_their_share_of_pages), TEST(the_ends_have_names_in_proc),
    TEST(a_page_that_cannot_be_read_whole_stays))
