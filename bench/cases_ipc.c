/* SPDX-License-Identifier: MIT */
/* cases_ipc.c - two processes, or threads, that wait for each other: an operation is one
 * round trip, for pipe-64k one buffer's way through the pipe. And System V's objects,
 * used by one process: an operation is a semop() up and one down, a message sent and
 * received, a segment attached and detached. */
#include "ubench.h"
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
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

/* ---- System V ---- */

enum { SEM_THERE, SEM_BACK };

struct note {
	long type;
	char text[64];
};

static int sysv_id;

static void semop_or_die(int num, int op, int flags)
{
	struct sembuf b = {(unsigned short)num, (short)op, (short)flags};

	if (semop(sysv_id, &b, 1))
		die("semop");
}

static void sem_setup(void)
{
	sysv_id = semget(IPC_PRIVATE, 2, 0600);
	if (sysv_id < 0)
		die("semget");
}

static void sem_teardown(void)
{
	if (semctl(sysv_id, 0, IPC_RMID))
		die("semctl");
}

static void sem_run(uint64_t n)
{
	while (n--) {
		semop_or_die(0, 1, 0);
		semop_or_die(0, -1, IPC_NOWAIT);
	}
}

static void sem_undo_run(uint64_t n)
{
	while (n--) {
		semop_or_die(0, 1, SEM_UNDO);
		semop_or_die(0, -1, IPC_NOWAIT | SEM_UNDO);
	}
}

static void sem_pingpong_setup(void)
{
	struct sembuf there = {SEM_THERE, -1, 0};
	struct sembuf back = {SEM_BACK, 1, 0};

	sem_setup();
	child = fork();
	if (child < 0)
		die("fork");
	if (!child) {
		while (!semop(sysv_id, &there, 1) && !semop(sysv_id, &back, 1))
			;
		_exit(0); /* it was removed */
	}
}

static void sem_pingpong_run(uint64_t n)
{
	while (n--) {
		semop_or_die(SEM_THERE, 1, 0);
		semop_or_die(SEM_BACK, -1, 0);
	}
}

static void sem_pingpong_teardown(void)
{
	sem_teardown();
	reap(child, "the other end");
}

static void msg_setup(void)
{
	sysv_id = msgget(IPC_PRIVATE, 0600);
	if (sysv_id < 0)
		die("msgget");
}

static void msg_teardown(void)
{
	if (msgctl(sysv_id, IPC_RMID, NULL))
		die("msgctl");
}

static void note_pass(long send, long receive)
{
	struct note note = {.type = send};

	if (msgsnd(sysv_id, &note, sizeof(note.text), 0) ||
	    msgrcv(sysv_id, &note, sizeof(note.text), receive, 0) != sizeof(note.text))
		die("message");
}

static void msg_run(uint64_t n)
{
	while (n--)
		note_pass(1, 1);
}

static void msg_pingpong_setup(void)
{
	struct note note;

	msg_setup();
	child = fork();
	if (child < 0)
		die("fork");
	if (!child) {
		while (msgrcv(sysv_id, &note, sizeof(note.text), 1, 0) > 0) {
			note.type = 2;
			if (msgsnd(sysv_id, &note, sizeof(note.text), 0))
				break;
		}
		_exit(0); /* it was removed */
	}
}

static void msg_pingpong_run(uint64_t n)
{
	while (n--)
		note_pass(1, 2);
}

static void msg_pingpong_teardown(void)
{
	msg_teardown();
	reap(child, "the other end");
}

static void shm_setup(void)
{
	sysv_id = shmget(IPC_PRIVATE, BUFFER, 0600);
	if (sysv_id < 0)
		die("shmget");
}

static void shm_teardown(void)
{
	if (shmctl(sysv_id, IPC_RMID, NULL))
		die("shmctl");
}

static void shm_run(uint64_t n)
{
	while (n--) {
		void *at = shmat(sysv_id, NULL, 0);

		if (at == (void *)-1 || shmdt(at))
			die("shmat");
	}
}

/* nobody waits */
static void wake_run(uint64_t n)
{
	while (n--)
		if (syscall(SYS_futex, turn, FUTEX_WAKE_PRIVATE, 1) != 0)
			die("FUTEX_WAKE");
}

const struct bench_case ipc_cases[] = {
	{"pipe-pingpong", bytes_run, pipe_setup, pipe_teardown},
	{"context-switches", bytes_run, switch_setup, pipe_teardown},
	{"pipe-64k", bulk_run, bulk_setup, out_teardown},
	{"socketpair-pingpong", bytes_run, socketpair_setup, out_teardown},
	{"futex-processes", futex_run, futex_procs_setup, futex_procs_teardown},
	{"futex-threads", futex_run, futex_threads_setup, futex_threads_teardown},
	{"futex-wake", wake_run, turn_setup, NULL},
	{"sem-updown", sem_run, sem_setup, sem_teardown},
	{"sem-updown-undo", sem_undo_run, sem_setup, sem_teardown},
	{"sem-pingpong", sem_pingpong_run, sem_pingpong_setup, sem_pingpong_teardown},
	{"msg-sndrcv", msg_run, msg_setup, msg_teardown},
	{"msg-pingpong", msg_pingpong_run, msg_pingpong_setup, msg_pingpong_teardown},
	{"shm-atdt", shm_run, shm_setup, shm_teardown},
	{.name = NULL},
};
