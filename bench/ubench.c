/* SPDX-License-Identifier: MIT */
/* ubench.c - how long one of a few basic operations takes: `ubench NAME` prints
 * nanoseconds per operation.
 *
 * A hosted program that runs natively and inside alike; bench/run compares. Each case
 * repeats itself until enough time has gone by for a stable figure. */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MIN_TIME 300000000ULL /* ns for one case */

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ULL + (uint64_t)ts.tv_nsec;
}

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void getppid_case(unsigned n)
{
	while (n--)
		syscall(SYS_getppid);
}

static void fork_case(unsigned n)
{
	while (n--) {
		pid_t pid = fork();

		if (!pid)
			_exit(0);
		if (pid < 0 || waitpid(pid, NULL, 0) != pid)
			die("fork");
	}
}

static void vfork_exec_case(unsigned n)
{
	extern char **environ;

	while (n--) {
		char name[] = "true";
		char *argv[] = {name, NULL};
		pid_t pid;

		if (posix_spawn(&pid, "/bin/true", NULL, NULL, argv, environ) ||
		    waitpid(pid, NULL, 0) != pid)
			die("posix_spawn");
	}
}

static void *nothing(void *arg)
{
	return arg;
}

static void thread_case(unsigned n)
{
	while (n--) {
		pthread_t t;

		if (pthread_create(&t, NULL, nothing, NULL) || pthread_join(t, NULL))
			die("pthread_create");
	}
}

static void open_case(unsigned n)
{
	while (n--) {
		int fd = open("/etc/passwd", O_RDONLY);

		if (fd < 0 || close(fd))
			die("open");
	}
}

static void stat_case(unsigned n)
{
	struct stat st;

	while (n--)
		if (stat("/etc/passwd", &st))
			die("stat");
}

static void read_zero_case(unsigned n)
{
	static int fd = -1;
	char c;

	if (fd < 0)
		fd = open("/dev/zero", O_RDONLY);
	while (n--)
		if (read(fd, &c, 1) != 1)
			die("read");
}

static void pread_case(unsigned n)
{
	static int fd = -1;
	static char buf[4096];

	if (fd < 0)
		fd = open("/bin/bash", O_RDONLY);
	while (n--)
		if (pread(fd, buf, sizeof(buf), 8192) != sizeof(buf))
			die("pread");
}

static void pipe_case(unsigned n)
{
	int there[2];
	int back[2];
	char c = 0;
	pid_t pid;

	if (pipe(there) || pipe(back))
		die("pipe");
	pid = fork();
	if (!pid) {
		close(there[1]);
		while (read(there[0], &c, 1) == 1)
			if (write(back[1], &c, 1) != 1)
				_exit(1);
		_exit(0);
	}
	while (n--)
		if (write(there[1], &c, 1) != 1 || read(back[0], &c, 1) != 1)
			die("pipe");
	close(there[0]);
	close(there[1]);
	close(back[0]);
	close(back[1]);
	waitpid(pid, NULL, 0);
}

static volatile sig_atomic_t signals;

static void on_signal(int signo)
{
	(void)signo;
	signals++;
}

static void signal_case(unsigned n)
{
	struct sigaction sa = {.sa_handler = on_signal};

	sigaction(SIGUSR1, &sa, NULL);
	while (n--)
		raise(SIGUSR1);
}

static void mmap_case(unsigned n)
{
	while (n--) {
		char *p = mmap(NULL, 65536, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (p == MAP_FAILED)
			die("mmap");
		for (int i = 0; i < 65536; i += 4096)
			p[i] = 1;
		munmap(p, 65536);
	}
}

static const struct {
	const char *name;
	void (*run)(unsigned n);
	unsigned batch;
} cases[] = {
	{"getppid", getppid_case, 100000},     {"fork+exit+wait", fork_case, 100},
	{"spawn+wait", vfork_exec_case, 50},   {"thread", thread_case, 200},
	{"open+close", open_case, 10000},      {"stat", stat_case, 10000},
	{"read-zero", read_zero_case, 100000}, {"pread-4k", pread_case, 10000},
	{"pipe-pingpong", pipe_case, 2000},    {"signal", signal_case, 10000},
	{"mmap-64k", mmap_case, 1000},
};

int main(int argc, char **argv)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t start;
		uint64_t count = 0;

		if (argc < 2) {
			puts(cases[i].name);
			continue;
		}
		if (strcmp(argv[1], cases[i].name) != 0)
			continue;
		cases[i].run(cases[i].batch / 10 + 1); /* warm */
		start = now();
		while (now() - start < MIN_TIME) {
			cases[i].run(cases[i].batch);
			count += cases[i].batch;
		}
		printf("%.1f\n", (double)(now() - start) / (double)count);
		return 0;
	}
	return argc < 2 ? 0 : 1;
}
