/* SPDX-License-Identifier: MIT */
/* cases_queue.c - message queues, pipes and counters, alone and between two processes,
 * and asynchronous I/O: an operation is a message sent and received, a request and its
 * event. */
#include "ubench.h"
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <mqueue.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { SIZE = 64 };

static pid_t child;
static char message[SIZE];

/* ---- message queues ---- */

static mqd_t there, back;

static mqd_t queue_create(void)
{
	struct mq_attr attr = {.mq_maxmsg = 4, .mq_msgsize = SIZE};
	char name[64];
	mqd_t q;

	snprintf(name, sizeof(name), "/ubench-%d", getpid());
	q = mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &attr);
	if (q < 0 || mq_unlink(name))
		die("mq_open");
	return q;
}

static void mq_setup(void)
{
	there = back = queue_create();
}

static void mq_run(uint64_t n)
{
	while (n--)
		if (mq_send(there, message, SIZE, 0) ||
		    mq_receive(back, message, SIZE, NULL) != SIZE)
			die("message");
}

static void mq_pingpong_setup(void)
{
	there = queue_create();
	back = queue_create();
	child = fork();
	if (child < 0)
		die("fork");
	while (!child)
		if (mq_receive(there, message, SIZE, NULL) != SIZE ||
		    mq_send(back, message, SIZE, 0))
			_exit(1);
}

static void child_kill(void)
{
	if (kill(child, SIGKILL))
		die("kill");
	reap_killed(child);
}

/* ---- counters and pipes ---- */

static int to, from;

static void counters_setup(void)
{
	to = eventfd(0, 0);
	from = eventfd(0, 0);
	if (to < 0 || from < 0)
		die("eventfd");
	child = fork();
	if (child < 0)
		die("fork");
	while (!child) {
		uint64_t one;

		if (read(to, &one, sizeof(one)) != sizeof(one) ||
		    write(from, &one, sizeof(one)) != sizeof(one))
			_exit(1);
	}
}

static void counters_run(uint64_t n)
{
	uint64_t one = 1;

	while (n--)
		if (write(to, &one, sizeof(one)) != sizeof(one) ||
		    read(from, &one, sizeof(one)) != sizeof(one))
			die("eventfd");
}

static void pipe_setup(void)
{
	int ends[2];

	if (pipe(ends))
		die("pipe");
	from = ends[0];
	to = ends[1];
}

static void pipe_run(uint64_t n)
{
	while (n--)
		if (write(to, message, SIZE) != SIZE || read(from, message, SIZE) != SIZE)
			die("pipe");
}

/* ---- asynchronous I/O ---- */

static aio_context_t ctx;
static struct iocb request;

static void aio_setup(void)
{
	if (syscall(SYS_io_setup, 32, &ctx))
		die("io_setup");
	request = (struct iocb){.aio_lio_opcode = IOCB_CMD_PREAD,
				.aio_buf = (uintptr_t)message,
				.aio_nbytes = SIZE};
}

static void aio_read_setup(void)
{
	int fd = open_or_die("aio", O_RDWR | O_CREAT);

	if (unlink("aio") || write(fd, message, SIZE) != SIZE)
		die("aio");
	aio_setup();
	request.aio_fildes = (uint32_t)fd;
}

/* The least that a request can be. */
static void aio_poll_setup(void)
{
	aio_setup();
	request = (struct iocb){.aio_lio_opcode = IOCB_CMD_POLL, .aio_buf = POLLOUT};
	request.aio_fildes = (uint32_t)eventfd(0, 0);
}

static void aio_run(uint64_t n)
{
	struct iocb *list[1] = {&request};
	struct io_event event;

	while (n--)
		if (syscall(SYS_io_submit, ctx, 1, list) != 1 ||
		    syscall(SYS_io_getevents, ctx, 1, 1, &event, NULL) != 1 ||
		    event.res < 0)
			die("asynchronous I/O");
}

const struct bench_case queue_cases[] = {
	{"mq", mq_run, mq_setup, NULL},
	{"mq-pingpong", mq_run, mq_pingpong_setup, child_kill},
	{"eventfd-pingpong", counters_run, counters_setup, child_kill},
	{"pipe", pipe_run, pipe_setup, NULL},
	{"aio-read", aio_run, aio_read_setup, NULL},
	{"aio-poll", aio_run, aio_poll_setup, NULL},
	{.name = NULL},
};
