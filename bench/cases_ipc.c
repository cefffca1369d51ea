/* SPDX-License-Identifier: MIT */
/* cases_ipc.c - two processes, or threads, that wait for each other: an operation is one
 * round trip, for pipe-64k one buffer's way through the pipe. */
#include "ubench.h"
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define BUFFER 65536

static pid_t child;
static int in;	/* our end that we read */
static int out; /* our end that we write */
static char buf[BUFFER];

/* Sends each byte back; ends when the other side is closed. */
static _Noreturn void echo(int from, int to)
{
	char c;

	while (read(from, &c, 1) == 1)
		if (write(to, &c, 1) != 1)
			_exit(1);
	_exit(0);
}

static void bytes_run(uint64_t n)
{
	char c = 0;

	while (n--)
		if (write(out, &c, 1) != 1 || read(in, &c, 1) != 1)
			die("round trip");
}

static void pipe_setup(void)
{
	int there[2];
	int back[2];

	if (pipe(there) || pipe(back))
		die("pipe");
	child = fork();
	if (child < 0)
		die("fork");
	if (!child) {
		close(there[1]);
		close(back[0]);
		echo(there[0], back[1]);
	}
	close(there[0]);
	close(back[1]);
	out = there[1];
	in = back[0];
}

/* On one processor each byte is a switch to the other process. */
static void switch_setup(void)
{
	cpu_set_t first;
	cpu_set_t all;
	size_t cpu = 0;

	if (sched_getaffinity(0, sizeof(all), &all))
		die("sched_getaffinity");
	while (!CPU_ISSET(cpu, &all))
		cpu++;
	CPU_ZERO(&first);
	CPU_SET(cpu, &first);
	if (sched_setaffinity(0, sizeof(first), &first))
		die("sched_setaffinity");
	pipe_setup();
}

static void pipe_teardown(void)
{
	close(out);
	close(in);
	reap(child, "the other end");
}

static void socketpair_setup(void)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends))
		die("socketpair");
	child = fork();
	if (child < 0)
		die("fork");
	if (!child) {
		close(ends[0]);
		echo(ends[1], ends[1]);
	}
	close(ends[1]);
	out = in = ends[0];
}

static void out_teardown(void)
{
	close(out);
	reap(child, "the other end");
}

static void bulk_setup(void)
{
	int ends[2];

	if (pipe(ends))
		die("pipe");
	child = fork();
	if (child < 0)
		die("fork");
	if (!child) {
		ssize_t got;

		close(ends[1]);
		while ((got = read(ends[0], buf, sizeof(buf))) > 0)
			;
		_exit(got < 0);
	}
	close(ends[0]);
	out = ends[1];
}

static void bulk_run(uint64_t n)
{
	while (n--)
		if (write(out, buf, sizeof(buf)) != sizeof(buf))
			die("write");
}

/* The word says whose turn it is; each side waits in the kernel until it is its own. */
enum turn { TURN_OURS, TURN_THEIRS, TURN_OVER };

static _Atomic uint32_t *turn;
static int futex_flags; /* FUTEX_PRIVATE_FLAG between threads */
static pthread_t thread;

static void turn_pass(uint32_t to)
{
	atomic_store(turn, to);
	if (syscall(SYS_futex, turn, FUTEX_WAKE | futex_flags, 1) < 0)
		die("FUTEX_WAKE");
}

/* Returns what the word says once it is no longer `while_at`. */
static uint32_t turn_wait(uint32_t while_at)
{
	uint32_t at;

	while ((at = atomic_load(turn)) == while_at)
		syscall(SYS_futex, turn, FUTEX_WAIT | futex_flags, while_at, NULL);
	return at;
}

static void turn_answer(void)
{
	while (turn_wait(TURN_OURS) != TURN_OVER)
		turn_pass(TURN_OURS);
}

static void *turn_thread(void *arg)
{
	turn_answer();
	return arg;
}

static void turn_setup(void)
{
	turn = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		    0);
	if (turn == MAP_FAILED)
		die("mmap");
}

static void futex_procs_setup(void)
{
	turn_setup();
	child = fork();
	if (child < 0)
		die("fork");
	if (!child) {
		turn_answer();
		_exit(0);
	}
}

static void futex_procs_teardown(void)
{
	turn_pass(TURN_OVER);
	reap(child, "the other side");
}

static void futex_threads_setup(void)
{
	turn_setup();
	futex_flags = FUTEX_PRIVATE_FLAG;
	if (pthread_create(&thread, NULL, turn_thread, NULL))
		die("pthread_create");
}

static void futex_threads_teardown(void)
{
	turn_pass(TURN_OVER);
	if (pthread_join(thread, NULL))
		die("pthread_join");
}

static void futex_run(uint64_t n)
{
	while (n--) {
		turn_pass(TURN_THEIRS);
		turn_wait(TURN_THEIRS);
	}
}

const struct bench_case ipc_cases[] = {
	{"pipe-pingpong", bytes_run, pipe_setup, pipe_teardown},
	{"context-switches", bytes_run, switch_setup, pipe_teardown},
	{"pipe-64k", bulk_run, bulk_setup, out_teardown},
	{"socketpair-pingpong", bytes_run, socketpair_setup, out_teardown},
	{"futex-processes", futex_run, futex_procs_setup, futex_procs_teardown},
	{"futex-threads", futex_run, futex_threads_setup, futex_threads_teardown},
	{.name = NULL},
};
