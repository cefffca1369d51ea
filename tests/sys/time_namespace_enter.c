/* SPDX-License-Identifier: MIT */
/* time_namespaces(7): who comes into one: a child of fork, of vfork only as it execs, a
 * program, a child of clone3, and whoever enters by setns. The clocks tell, by the vDSO
 * and by call. */
/* calls: unshare setns clone3 execve vfork */
#include "fixture.h"
#include "time_ns.h"

#include <linux/sched.h>
#include <sched.h>
#include <spawn.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#define OWN	 "/proc/self/ns/time"
#define CHILDREN "/proc/self/ns/time_for_children"
#define AHEAD	 3000 /* s: the offset of most */

#define PIDFD_GET_TIME		_IO(0xFF, 7)
#define PIDFD_GET_TIME_CHILDREN _IO(0xFF, 8)

static double start; /* CLOCK_MONOTONIC of the first namespace, when a test began */

static double by_libc(void)
{
	struct timespec t;

	CHECK(clock_gettime(CLOCK_MONOTONIC, &t) == 0);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double by_call(void)
{
	struct timespec t;

	CHECK(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &t) == 0);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static bool is_ahead(double by)
{
	double libc = by_libc() - start - by;
	double call = by_call() - start - by;

	return libc > -0.02 && libc < 60 && call > -0.02 && call < 60;
}

/* The program of the exec tests: this one, with the time at which its test began and what
 * it should be ahead by. */
__attribute__((constructor)) static void be_program(int argc, char **argv)
{
	if (argc != 3)
		return;
	start = atof(argv[1]);
	_exit(is_ahead(atof(argv[2])) ? 0 : 3);
}

static int ns_open(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	CHECK(fd >= 0);
	return fd;
}

/* fn in a child, which may change where it is, unless nobody here may. */
static void with_the_right(void (*fn)(void))
{
	if (!may_unshare())
		return;
	start = by_call();
	CHECK(in_child(fn) == 0);
}

/* A new namespace for children, that far ahead. */
static void make(int ahead)
{
	char text[64];
	int fd;

	CHECK(unshare(CLONE_NEWTIME) == 0);
	fd = open("/proc/self/timens_offsets", O_WRONLY | O_CLOEXEC);
	snprintf(text, sizeof(text), "monotonic %d 0", ahead);
	CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	CHECK(close(fd) == 0);
}

static char start_text[32], ahead_text[32];
static char *program_args[] = {"program", start_text, ahead_text, NULL};
static char *no_env[] = {NULL};

static void args_make(int ahead)
{
	snprintf(start_text, sizeof(start_text), "%.6f", start);
	snprintf(ahead_text, sizeof(ahead_text), "%d", ahead);
}

static void child_is_ahead(void)
{
	CHECK(is_ahead(AHEAD));
}

static void grandchild_is_ahead(void)
{
	CHECK(is_ahead(AHEAD) && in_child(child_is_ahead) == 0 && is_ahead(AHEAD));
}

/* ---- fork ---- */

static void fork_does(void)
{
	make(AHEAD);
	CHECK(is_ahead(0) && in_child(grandchild_is_ahead) == 0 && is_ahead(0));
}

static void forked_children_are_in(void)
{
	with_the_right(fork_does);
}

/* A namespace of a namespace's: offsets are the machine's, not added up. */
static void nested_grandchild(void)
{
	CHECK(is_ahead(2 * AHEAD));
}

static void nested_child(void)
{
	CHECK(is_ahead(AHEAD));
	make(2 * AHEAD);
	CHECK(in_child(nested_grandchild) == 0 && is_ahead(AHEAD));
}

static void nested_does(void)
{
	make(AHEAD);
	CHECK(in_child(nested_child) == 0 && is_ahead(0));
}

static void offsets_do_not_add_up(void)
{
	with_the_right(nested_does);
}

/* ---- exec ---- */

static void exec_does(void)
{
	make(AHEAD);
	args_make(AHEAD);
	CHECK(is_ahead(0));
	execve("/proc/self/exe", program_args, no_env);
	CHECK(!"exec");
}

static void programs_are_in(void)
{
	with_the_right(exec_does);
}

/* The host's part of the vDSO has to change back. */
static int first;

static void exec_first_child(void)
{
	CHECK(is_ahead(AHEAD) && setns(first, CLONE_NEWTIME) == 0 && is_ahead(0));
	args_make(0);
	execve("/proc/self/exe", program_args, no_env);
	CHECK(!"exec");
}

static void exec_first_does(void)
{
	first = ns_open(OWN);
	make(AHEAD);
	CHECK(in_child(exec_first_child) == 0);
}

static void programs_may_be_back(void)
{
	with_the_right(exec_first_does);
}

static void *execs(void *arg)
{
	(void)arg;
	args_make(AHEAD);
	execve("/proc/self/exe", program_args, no_env);
	return NULL;
}

static void exec_thread_does(void)
{
	pthread_t thread;

	make(AHEAD); /* which the thread inherits */
	CHECK(pthread_create(&thread, NULL, execs, NULL) == 0);
	pause();
}

static void programs_of_threads_are_in(void)
{
	with_the_right(exec_thread_does);
}

/* ---- vfork ---- */

static void vfork_does(void)
{
	ino_t own = ns_ino(OWN);
	pid_t pid;

	make(AHEAD);
	args_make(AHEAD);
	pid = vfork();
	if (pid == 0) {
		if (!is_ahead(0) || ns_ino(OWN) != own)
			_exit(9);
		execve("/proc/self/exe", program_args, no_env);
		_exit(8);
	}
	CHECK(pid > 0 && child_wait(pid) == 0);
	CHECK(is_ahead(0) && ns_ino(OWN) == own);
	CHECK(posix_spawn(&pid, "/proc/self/exe", NULL, NULL, program_args, no_env) == 0);
	CHECK(child_wait(pid) == 0 && is_ahead(0));
}

static void vforked_children_are_in_once_they_exec(void)
{
	with_the_right(vfork_does);
}

/* ---- threads ---- */

static void *thread_stays(void *arg)
{
	char path[64];
	ino_t before = *(ino_t *)arg;

	CHECK(is_ahead(0) && ns_ino("/proc/thread-self/ns/time") == before);
	CHECK(unshare(CLONE_NEWTIME) == 0); /* its own */
	snprintf(path, sizeof(path), "/proc/self/task/%d/ns/time_for_children", getpid());
	CHECK(ns_ino("/proc/thread-self/ns/time_for_children") != ns_ino(path));
	return NULL;
}

static void threads_do(void)
{
	ino_t own = ns_ino(OWN);
	pthread_t thread;

	make(AHEAD);
	CHECK(pthread_create(&thread, NULL, thread_stays, &own) == 0);
	CHECK(pthread_join(thread, NULL) == 0);
}

static void threads_stay(void)
{
	with_the_right(threads_do);
}

/* ---- clone3 ---- */

static void clone3_does(void)
{
	struct clone_args args = {.flags = CLONE_NEWTIME, .exit_signal = SIGCHLD};
	ino_t own = ns_ino(OWN);
	long pid;

	make(AHEAD);
	pid = syscall(SYS_clone3, &args, sizeof(args));
	CHECK(pid >= 0);
	if (pid == 0) { /* one more, with the same offset, and fixed by now */
		int fd = open("/proc/self/timens_offsets", O_WRONLY);

		CHECK(is_ahead(AHEAD) && ns_ino(OWN) == ns_ino(CHILDREN));
		FAILS(EACCES, write(fd, "1 0 0", 5));
		_exit(ns_ino(OWN) == own);
	}
	CHECK(child_wait((pid_t)pid) == 0 && is_ahead(0) && ns_ino(OWN) == own);
	args.flags = CLONE_NEWTIME | CLONE_NEWNS | CLONE_FS;
	FAILS(EINVAL, syscall(SYS_clone3, &args, sizeof(args)));
}

static void clone3_makes_one(void)
{
	with_the_right(clone3_does);
}

/* ---- setns ---- */

static void enter_does(void)
{
	ino_t own = ns_ino(OWN);
	int fd;

	first = ns_open(OWN);
	make(AHEAD);
	fd = ns_open(CHILDREN);
	FAILS(EINVAL, setns(fd, CLONE_NEWUTS));
	CHECK(is_ahead(0));
	CHECK(setns(fd, CLONE_NEWTIME) == 0 && is_ahead(AHEAD));
	CHECK(ns_ino(OWN) != own && ns_ino(OWN) == ns_ino(CHILDREN));
	CHECK(in_child(child_is_ahead) == 0);
	CHECK(setns(first, 0) == 0 && is_ahead(0) && ns_ino(OWN) == own &&
	      ns_ino(CHILDREN) == own);
	CHECK(setns(fd, 0) == 0 && is_ahead(AHEAD));
	CHECK(setns(first, 0) == 0 && is_ahead(0));
	CHECK(close(fd) == 0 && close(first) == 0);
}

static void entering_is_at_once(void)
{
	with_the_right(enter_does);
}

static void *tries(void *arg)
{
	int fd = *(int *)arg;

	FAILS(EUSERS, setns(fd, 0));
	FAILS(EUSERS, setns(fd, CLONE_NEWTIME));
	return NULL;
}

static void alone_does(void)
{
	int fd = ns_open(OWN);
	pthread_t thread;
	pid_t pid;

	CHECK(pthread_create(&thread, NULL, tries, &fd) == 0);
	CHECK(pthread_join(thread, NULL) == 0);
	pid = vfork();
	if (pid == 0)
		_exit(setns(fd, 0) != -1 || errno != EUSERS);
	CHECK(child_wait(pid) == 0);
	CHECK(setns(fd, 0) == 0);
	CHECK(close(fd) == 0);
}

static void entering_needs_a_memory_of_ones_own(void)
{
	with_the_right(alone_does);
}

static void waits(void)
{
	pause();
}

/* The namespaces of a process, by its pidfd. */
static void pidfd_does(void)
{
	ino_t own = ns_ino(OWN);
	struct stat st;
	pid_t pid;
	int fd, ns;

	make(AHEAD);
	pid = child_start(waits);
	fd = (int)syscall(SYS_pidfd_open, pid, 0);
	CHECK(fd >= 0);
	CHECK(setns(fd, CLONE_NEWTIME) == 0 && is_ahead(AHEAD) && ns_ino(OWN) != own);
	CHECK(unshare(CLONE_NEWTIME) == 0);
	ns = ioctl(fd, PIDFD_GET_TIME, 0);
	if (ns >= 0) { /* Linux 6.11 */
		CHECK(fstat(ns, &st) == 0 && st.st_ino == ns_ino(OWN));
		CHECK(close(ns) == 0);
		ns = ioctl(fd, PIDFD_GET_TIME_CHILDREN, 0);
		CHECK(fstat(ns, &st) == 0 && st.st_ino == ns_ino(OWN));
		CHECK(close(ns) == 0);
	}
	CHECK(kill(pid, SIGKILL) == 0 && child_wait(pid) == SIGKILL);
	FAILS(ESRCH, setns(fd, CLONE_NEWTIME));
	FAILS(EINVAL, setns(fd, CLONE_NEWTIME | CLONE_FS));
	CHECK(close(fd) == 0 && is_ahead(AHEAD));
}

static void pidfds_lead_there(void)
{
	with_the_right(pidfd_does);
}

/* One lives on in an open file; a process leaves its own as it ends. */
static void open_does(void)
{
	char path[64], link[64];
	struct stat st;
	siginfo_t info;
	pid_t pid;
	int fd;

	make(AHEAD);
	pid = child_start(waits);
	snprintf(path, sizeof(path), "/proc/%d/ns/time", pid);
	fd = ns_open(path);
	CHECK(fstat(fd, &st) == 0 && st.st_ino == ns_ino(CHILDREN));
	CHECK(unshare(CLONE_NEWTIME) == 0 && st.st_ino != ns_ino(CHILDREN));
	CHECK(kill(pid, SIGKILL) == 0);
	CHECK(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) == 0);
	FAILS(ENOENT, readlink(path, link, sizeof(link)));
	FAILS(ENOENT, open(path, O_RDONLY));
	CHECK(child_wait(pid) == SIGKILL);
	CHECK(setns(fd, 0) == 0 && st.st_ino == ns_ino(OWN) && is_ahead(AHEAD));
	CHECK(close(fd) == 0);
}

static void open_files_keep_them(void)
{
	with_the_right(open_does);
}

/* Killed at any moment. */
static void storm_does(void)
{
	for (int i = 0; i < 60; i++) {
		pid_t pid = fork();

		CHECK(pid >= 0);
		if (pid == 0)
			for (;;) {
				int fd;

				make(i);
				fd = ns_open(CHILDREN);
				if (fork() == 0)
					_exit(0);
				CHECK(setns(fd, 0) == 0 && close(fd) == 0);
			}
		usleep((useconds_t)(i % 7) * 1000);
		CHECK(kill(pid, SIGKILL) == 0 && child_wait(pid) == SIGKILL);
	}
}

static void many_come_and_go(void)
{
	with_the_right(storm_does);
}

RUN(TEST(forked_children_are_in), TEST(offsets_do_not_add_up), TEST(programs_are_in),
    TEST(programs_may_be_back), TEST(programs_of_threads_are_in),
    TEST(vforked_children_are_in_once_they_exec), TEST(threads_stay),
    TEST(clone3_makes_one), TEST(entering_is_at_once),
    TEST(entering_needs_a_memory_of_ones_own), TEST(pidfds_lead_there),
    TEST(open_files_keep_them), TEST(many_come_and_go))
