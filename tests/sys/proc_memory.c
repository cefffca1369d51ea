/* SPDX-License-Identifier: MIT */
/* /proc/PID/mem, cmdline and environ of other processes, which notice nothing of it. */
/* calls: open read pread64 pwrite64 lseek */
#include "fixture.h"

#include <poll.h>
#include <sys/socket.h>

#define WORDS 20000

static long words[WORDS]; /* private to each process, at one address in all */
static volatile long *shared;
static int held[2];
extern char **environ;

static int mem_open(pid_t pid, int flags)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	return open(path, flags);
}

static ssize_t proc_read(pid_t pid, const char *name, char *buf, size_t size)
{
	char path[64];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		return -1;
	n = read(fd, buf, size);
	close(fd);
	return n;
}

static void shared_make(void)
{
	shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	CHECK(shared != MAP_FAILED && pipe(held) == 0);
}

static void shared_wait(long want)
{
	for (int i = 0; i < 30000 && shared[0] != want; i++)
		sleep_ms(1);
	CHECK(shared[0] == want);
}

/* Fills its words, says so, and waits for the end of the pipe. */
static void child_holds(void)
{
	char b;

	close(held[1]);
	for (long i = 0; i < WORDS; i++)
		words[i] = i * 7 + 1;
	shared[0] = 1;
	CHECK(read(held[0], &b, 1) == 0);
	shared[1] = words[3] + words[WORDS - 1];
}

static void memory_is_read_and_written(void)
{
	static long copy[WORDS];
	void *volatile bad = bad_address(1);
	pid_t pid;
	int fd;

	shared_make();
	pid = child_start(child_holds);
	shared_wait(1);
	fd = mem_open(pid, O_RDWR);
	CHECK(fd >= 0);
	CHECK(pread(fd, copy, sizeof(copy), (off_t)words) == sizeof(copy));
	for (long i = 0; i < WORDS; i++)
		CHECK(copy[i] == i * 7 + 1 && words[i] == 0);
	copy[0] = 1000;
	copy[1] = 2000;
	CHECK(pwrite(fd, &copy[0], 8, (off_t)&words[3]) == 8);
	CHECK(lseek(fd, (off_t)&words[WORDS - 1], SEEK_SET) == (off_t)&words[WORDS - 1]);
	CHECK(write(fd, &copy[1], 8) == 8);
	CHECK(lseek(fd, 0, SEEK_CUR) == (off_t)&words[WORDS]);
	CHECK(lseek(fd, -8, SEEK_CUR) == (off_t)&words[WORDS - 1]);
	CHECK(read(fd, copy, 8) == 8 && copy[0] == 2000);
	FAILS(EINVAL, lseek(fd, 0, SEEK_END));
	FAILS(EIO, pread(fd, copy, 8, 0x10));
	CHECK(pread(fd, copy, 0, 0x10) == 0);
	FAILS(EFAULT, pread(fd, bad, 8, (off_t)words));
	FAILS(EFAULT, pwrite(fd, bad, 8, (off_t)words));
	CHECK(close(held[1]) == 0 && child_wait(pid) == 0 && shared[1] == 3000);
	/* Its memory went with it. */
	CHECK(pread(fd, copy, 8, (off_t)words) == 0);
	CHECK(pwrite(fd, copy, 8, (off_t)words) == 0);
	CHECK(close(fd) == 0 && close(held[0]) == 0);
}

static void reads_end_at_what_is_not_mapped(void)
{
	char *edge = page_edge(), copy[100];
	int fd = mem_open(getpid(), O_RDONLY);

	memset(edge - 10, 'x', 10);
	CHECK(pread(fd, copy, 100, (off_t)(edge - 10)) == 10 && copy[9] == 'x');
	FAILS(EIO, pread(fd, copy, 100, (off_t)edge));
	FAILS(EBADF, pwrite(fd, copy, 1, (off_t)words));
	CHECK(close(fd) == 0);
}

static void child_stops(void)
{
	words[0] = 77;
	shared[0] = 2;
	raise(SIGSTOP);
}

static void child_spins(void)
{
	words[0] = 77;
	shared[0] = 2;
	while (!shared[1])
		shared[2]++;
}

static void state_is_read(void (*fn)(void), bool is_stopped)
{
	long got = 0;
	pid_t pid;
	int fd, status;

	shared_make();
	pid = child_start(fn);
	shared_wait(2);
	if (is_stopped)
		CHECK(waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status));
	fd = mem_open(pid, O_RDONLY);
	CHECK(pread(fd, &got, 8, (off_t)&words[0]) == 8 && got == 77);
	shared[1] = 1;
	if (is_stopped)
		CHECK(kill(pid, SIGCONT) == 0);
	CHECK(child_wait(pid) == 0 && close(fd) == 0);
	CHECK(close(held[0]) == 0 && close(held[1]) == 0);
}

static void a_stopped_process_is_read(void)
{
	state_is_read(child_stops, true);
}

static void a_busy_process_is_read(void)
{
	state_is_read(child_spins, false);
}

static int socks[2];

/* Each of these calls must last its time, or until the parent says so, and not fail. */
static void child_sleeps_in_calls(void)
{
	struct timespec t = {0, 60000000};
	struct timeval tv = {0, 60000};
	struct pollfd p = {held[0], POLLIN, 0};
	long start;
	char b;

	for (int i = 0; i < 3; i++) {
		shared[0] = 1;
		start = now_ms();
		CHECK(nanosleep(&t, NULL) == 0);
		CHECK(poll(&p, 1, 60) == 0);
		CHECK(select(0, NULL, NULL, NULL, &tv) == 0);
		CHECK(poll(NULL, 0, 60) == 0 && now_ms() - start >= 179);
		tv.tv_usec = 60000;
	}
	shared[4] = 1;
	CHECK(read(held[0], &b, 1) == 1 && recv(socks[1], &b, 1, 0) == 1);
	shared[0] = 3;
	CHECK(waitpid(getpid(), NULL, 0) == -1 && errno == ECHILD);
}

static void sleeping_calls_are_not_disturbed(void)
{
	char buf[256];
	long n = 0, got;
	pid_t pid;
	int fd;

	shared_make();
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, socks) == 0);
	pid = child_start(child_sleeps_in_calls);
	shared_wait(1);
	fd = mem_open(pid, O_RDONLY);
	for (; !shared[4]; n++) {
		CHECK(pread(fd, &got, 8, (off_t)&words[0]) == 8);
		CHECK(proc_read(pid, "cmdline", buf, sizeof(buf)) > 0);
		CHECK(proc_read(pid, "statm", buf, sizeof(buf)) > 0);
	}
	CHECK(n > 10 && write(held[1], "x", 1) == 1);
	for (int i = 0; i < 20; i++)
		CHECK(pread(fd, &got, 8, (off_t)&words[0]) == 8);
	CHECK(write(socks[0], "x", 1) == 1);
	CHECK(child_wait(pid) == 0 && shared[0] == 3);
	CHECK(close(fd) == 0 && close(held[0]) == 0 && close(held[1]) == 0);
	CHECK(close(socks[0]) == 0 && close(socks[1]) == 0);
}

static char *own_args;

static void child_renames_itself(void)
{
	char b;

	close(held[1]);
	own_args[0] = '#';
	environ[0][0] = '%';
	shared[0] = 1;
	CHECK(read(held[0], &b, 1) == 0);
}

static void changes_of_arguments_and_environment_are_seen(void)
{
	char buf[4096];
	pid_t pid;

	CHECK(proc_read(getpid(), "cmdline", buf, sizeof(buf)) > 0 && buf[0] != '#');
	shared_make();
	pid = child_start(child_renames_itself);
	shared_wait(1);
	CHECK(proc_read(pid, "cmdline", buf, sizeof(buf)) > 0 && buf[0] == '#');
	CHECK(proc_read(pid, "environ", buf, sizeof(buf)) > 0 && buf[0] == '%');
	CHECK(proc_read(getpid(), "cmdline", buf, sizeof(buf)) > 0 && buf[0] != '#');
	CHECK(close(held[1]) == 0 && close(held[0]) == 0 && child_wait(pid) == 0);
}

static pid_t victim;

static void user_looks(void)
{
	char buf[64];

	become_user();
	FAILS(EACCES, mem_open(victim, O_RDONLY));
	CHECK(proc_read(victim, "environ", buf, 64) == -1 && errno == EACCES);
	CHECK(proc_read(victim, "maps", buf, 64) == -1 && errno == EACCES);
	CHECK(proc_read(victim, "cmdline", buf, 64) > 0);
}

static void others_may_not_look(void)
{
	if (getuid() != 0)
		return;
	victim = getpid();
	CHECK(in_child(user_looks) == 0);
}

/* Two who read one another, and a third that reads both. */
static pid_t peer[2];

static void child_reads_peer(void)
{
	pid_t other = 0;
	long got;
	int fd;

	while (!other)
		other = (pid_t)shared[getpid() == shared[1] ? 2 : 1];
	while (shared[1] == 0 || shared[2] == 0)
		sleep_ms(1);
	other = (pid_t)(shared[1] == getpid() ? shared[2] : shared[1]);
	fd = mem_open(other, O_RDONLY);
	CHECK(fd >= 0);
	for (int i = 0; i < 300; i++)
		CHECK(pread(fd, &got, 8, (off_t)&words[0]) == 8);
	__atomic_add_fetch(&shared[3], 1, __ATOMIC_SEQ_CST);
	while (shared[3] < 3)
		sleep_ms(1);
}

static void processes_read_one_another(void)
{
	long got;

	shared_make();
	for (int i = 0; i < 2; i++)
		peer[i] = child_start(child_reads_peer);
	shared[1] = peer[0];
	shared[2] = peer[1];
	for (int i = 0; i < 2; i++) {
		int fd = mem_open(peer[i], O_RDONLY);

		for (int k = 0; k < 100; k++)
			CHECK(pread(fd, &got, 8, (off_t)&words[0]) == 8);
		CHECK(close(fd) == 0);
	}
	__atomic_add_fetch(&shared[3], 1, __ATOMIC_SEQ_CST);
	CHECK(child_wait(peer[0]) == 0 && child_wait(peer[1]) == 0);
	CHECK(close(held[0]) == 0 && close(held[1]) == 0);
}

static void child_ends_soon(void)
{
	words[0] = 5;
	for (volatile int i = 0; i < 1000; i++)
		;
}

static void processes_may_end_while_they_are_read(void)
{
	char buf[256];
	long got;

	for (int i = 0; i < 100; i++) {
		pid_t pid = child_start(child_ends_soon);
		int fd = mem_open(pid, O_RDONLY);

		for (int k = 0; k < 4 && fd >= 0; k++) {
			ssize_t n = pread(fd, &got, 8, (off_t)&words[0]);

			CHECK(n == 8 || n == 0);
			CHECK(proc_read(pid, "cmdline", buf, sizeof(buf)) >= 0);
			CHECK(proc_read(pid, "stat", buf, sizeof(buf)) > 0);
		}
		if (fd >= 0)
			close(fd);
		CHECK(child_wait(pid) == 0);
	}
}

int main(int argc, char **argv)
{
	static const struct test all[] = {
		TEST(memory_is_read_and_written),
		TEST(reads_end_at_what_is_not_mapped),
		TEST(a_stopped_process_is_read),
		TEST(a_busy_process_is_read),
		TEST(sleeping_calls_are_not_disturbed),
		TEST(changes_of_arguments_and_environment_are_seen),
		TEST(others_may_not_look),
		TEST(processes_read_one_another),
		TEST(processes_may_end_while_they_are_read)};

	(void)argc;
	own_args = argv[0];
	return test_main(all, sizeof(all) / sizeof(all[0]));
}
