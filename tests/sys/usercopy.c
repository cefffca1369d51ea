/* SPDX-License-Identifier: MIT */
/* Calls that are given addresses they must not follow: EFAULT, part of the work where
 * Linux does part of it, and never harm. */
/* calls: read write pipe uname times getrlimit gettimeofday clock_gettime nanosleep
 * rt_sigaction rt_sigprocmask wait4 getgroups sysinfo getrandom */
#include "fixture.h"

#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <sys/times.h>
#include <sys/uio.h>
#include <sys/utsname.h>

static void outputs_to_bad_addresses(void)
{
	for (size_t i = 1; i < BAD_COUNT; i++) {
		void *p = bad_address(i);

		FAILS(EFAULT, syscall(SYS_uname, p));
		FAILS(EFAULT, syscall(SYS_getrlimit, RLIMIT_NOFILE, p));
		FAILS(EFAULT, syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, NULL, p));
		FAILS(EFAULT, syscall(SYS_times, p));
		FAILS(EFAULT, syscall(SYS_sysinfo, p));
		FAILS(EFAULT, syscall(SYS_gettimeofday, p, NULL));
		FAILS(EFAULT, syscall(SYS_clock_gettime, CLOCK_MONOTONIC, p));
		FAILS(EFAULT, syscall(SYS_getrusage, RUSAGE_SELF, p));
		FAILS(EFAULT, syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, p, 8));
		FAILS(EFAULT, syscall(SYS_rt_sigaction, SIGUSR1, NULL, p, 8));
		FAILS(EFAULT, syscall(SYS_sched_getaffinity, 0, 128, p));
		FAILS(EFAULT, syscall(SYS_getcwd, p, 4096));
		FAILS(EFAULT, syscall(SYS_getresuid, p, p, p));
		FAILS(EFAULT, syscall(SYS_getrandom, p, 16, 0));
	}
}

static void inputs_from_bad_addresses(void)
{
	for (size_t i = 1; i < BAD_COUNT; i++) {
		void *p = bad_address(i);

		FAILS(EFAULT, syscall(SYS_nanosleep, p, NULL));
		FAILS(EFAULT, syscall(SYS_setrlimit, RLIMIT_CORE, p));
		FAILS(EFAULT, syscall(SYS_rt_sigprocmask, SIG_BLOCK, p, NULL, 8));
		FAILS(EFAULT, syscall(SYS_rt_sigaction, SIGUSR1, p, NULL, 8));
		FAILS(EFAULT, syscall(SYS_sigaltstack, p, NULL));
		FAILS(EFAULT, syscall(SYS_execve, p, NULL, NULL));
	}
}

static void straddling_structures_fail_whole(void)
{
	char *edge = page_edge();

	FAILS(EFAULT, syscall(SYS_uname, edge - sizeof(struct utsname) + 1));
	FAILS(EFAULT, syscall(SYS_getrlimit, RLIMIT_NOFILE, edge - 8));
	FAILS(EFAULT, syscall(SYS_nanosleep, edge - 8, NULL));
	FAILS(EFAULT, syscall(SYS_rt_sigaction, SIGUSR1, edge - 16, NULL, 8));
	CHECK(syscall(SYS_uname, edge - sizeof(struct utsname)) == 0);
	CHECK(syscall(SYS_getrlimit, RLIMIT_NOFILE, edge - 16) == 0);
}

static void byte_copies_may_be_partial(void)
{
	char *edge = page_edge();
	int fd = open("f", O_RDWR | O_CREAT | O_TRUNC, 0600);

	memset(edge - 100, 'x', 100);
	CHECK(write(fd, edge - 100, 200) == 100 && lseek(fd, 0, SEEK_CUR) == 100);
	CHECK(pread(fd, edge - 10, 50, 0) == 10);
	FAILS(EFAULT, write(fd, edge, 1));
	CHECK(lseek(fd, 0, SEEK_END) == 100 && close(fd) == 0);
}

static void a_hole_between_two_pages_stops_a_copy(void)
{
	char *p = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd = open("/dev/zero", O_RDONLY);

	memset(p, 'x', 3 * PAGE);
	CHECK(mprotect(p + PAGE, PAGE, PROT_NONE) == 0);
	CHECK(read(fd, p, 3 * PAGE) == (ssize_t)PAGE && p[PAGE - 1] == 0);
	CHECK(p[2 * PAGE] == 'x' && munmap(p, 3 * PAGE) == 0 && close(fd) == 0);
}

static void read_only_memory_is_input_only(void)
{
	char *ro = page_with(PROT_READ);
	int fd = open("f", O_RDWR);

	CHECK(write(fd, ro, 16) == 16);
	FAILS(EFAULT, read(fd, ro, 16));
	FAILS(EFAULT, syscall(SYS_uname, ro));
	CHECK(close(fd) == 0 && munmap(ro, PAGE) == 0);
}

static void execute_only_and_write_only(void)
{
	char *p = page_with(PROT_WRITE);
	int fd = open("/dev/zero", O_RDONLY);

	CHECK(read(fd, p, 16) == 16 && close(fd) == 0 && munmap(p, PAGE) == 0);
}

static void the_memory_of_the_wrapping_end(void)
{
	int fd = open("f", O_RDWR);

	FAILS(EFAULT, syscall(SYS_read, fd, -1L, 1L));
	FAILS(EFAULT, syscall(SYS_read, fd, 0x7fffffffefffL, 4096L));
	FAILS(EFAULT, syscall(SYS_write, fd, (char *)-4096, 8192L));
	CHECK(close(fd) == 0);
}

static void vectors_stop_at_the_bad_piece(void)
{
	char good[8];
	struct iovec v[3] = {{good, 4}, {bad_address(3), 4}, {good + 4, 4}};
	int fd = open("g", O_RDWR | O_CREAT | O_TRUNC, 0600);

	CHECK(write(fd, "0123456789ab", 12) == 12 && lseek(fd, 0, SEEK_SET) == 0);
	CHECK(readv(fd, v, 3) == 4 && lseek(fd, 0, SEEK_CUR) == 4);
	CHECK(memcmp(good, "0123", 4) == 0 && close(fd) == 0);
}

static void strings_end_at_the_edge(void)
{
	char *edge = page_edge();

	memcpy(edge - 2, "f", 2);
	CHECK(access(edge - 2, F_OK) == 0);
	edge[-1] = 'f';
	FAILS(EFAULT, access(edge - 2, F_OK));
	memset(edge - 4096, 'f', 4096);
	FAILS(ENAMETOOLONG, access(edge - 4096, F_OK));
	FAILS(EFAULT, access(edge - 4095, F_OK));
}

static void wait_status_to_a_bad_address_still_reaps(void)
{
	pid_t pid = fork();
	int status;

	CHECK(pid >= 0);
	if (pid == 0)
		_exit(3);
	FAILS(EFAULT, syscall(SYS_wait4, pid, bad_address(1), 0, NULL));
	FAILS(ECHILD, waitpid(pid, &status, 0));
}

static volatile int stop;

static void *flip(void *arg)
{
	char *p = arg;

	while (!stop) {
		CHECK(mprotect(p, PAGE, PROT_NONE) == 0);
		CHECK(mprotect(p, PAGE, PROT_READ | PROT_WRITE) == 0);
	}
	return NULL;
}

static void memory_may_vanish_during_a_call(void)
{
	char *p = page_with(PROT_READ | PROT_WRITE);
	int fd = open("/dev/zero", O_RDONLY), good = 0, bad = 0;
	pthread_t t;

	CHECK(pthread_create(&t, NULL, flip, p) == 0);
	for (int i = 0; i < 5000; i++) {
		ssize_t n = read(fd, p, PAGE);

		CHECK(n > 0 || (n == -1 && errno == EFAULT));
		n > 0 ? good++ : bad++;
	}
	stop = 1;
	CHECK(pthread_join(t, NULL) == 0 && good + bad == 5000 && close(fd) == 0);
}

RUN(TEST(outputs_to_bad_addresses), TEST(inputs_from_bad_addresses),
    TEST(straddling_structures_fail_whole), TEST(byte_copies_may_be_partial),
    TEST(a_hole_between_two_pages_stops_a_copy), TEST(read_only_memory_is_input_only),
    TEST(execute_only_and_write_only), TEST(the_memory_of_the_wrapping_end),
    TEST(vectors_stop_at_the_bad_piece), TEST(strings_end_at_the_edge),
    TEST(wait_status_to_a_bad_address_still_reaps), TEST(memory_may_vanish_during_a_call))
