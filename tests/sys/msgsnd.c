/* SPDX-License-Identifier: MIT */
/* Sending to System V message queues. */
#include "sysv.h"

struct note {
	long type;
	char text[8192];
};

static struct note note;
static int queue;

static void wrong_calls(void)
{
	char *edge = page_edge();
	int id = made_queue();

	note.type = 0;
	FAILS(EINVAL, msgsnd(id, &note, 1, 0));
	note.type = -1;
	FAILS(EINVAL, msgsnd(id, &note, 1, 0));
	note.type = 1;
	FAILS(EINVAL, msgsnd(id, &note, 8193, 0));
	FAILS(EINVAL, msgsnd(id, &note, (size_t)-1, 0));
	FAILS(EINVAL, msgsnd(-1, &note, 1, 0));
	FAILS(EINVAL, msgsnd(0x7fffffff, &note, 1, 0));
	FOR_BAD(p)
	FAILS(EFAULT, msgsnd(id, p, 1, 0));
	/* The type is looked at before everything else. */
	FAILS(EFAULT, msgsnd(-1, (void *)8, 1, 0));
	memcpy(edge - 8, &note, 8);
	FAILS(EFAULT, msgsnd(id, edge - 8, 1, 0));
}

static void it_is_counted(void)
{
	struct msqid_ds ds;
	int id = made_queue();

	note.type = 5;
	CHECK(msgsnd(id, &note, 100, 0) == 0 && msgsnd(id, &note, 0, 0) == 0);
	CHECK(msgctl(id, IPC_STAT, &ds) == 0);
	CHECK(ds.msg_qnum == 2 && ds.__msg_cbytes == 100 && ds.msg_lspid == getpid());
	CHECK(ds.msg_stime >= time(NULL) - 5 && ds.msg_rtime == 0 && ds.msg_lrpid == 0);
}

static void fill(int id)
{
	note.type = 1;
	CHECK(msgsnd(id, &note, 8192, IPC_NOWAIT) == 0);
	CHECK(msgsnd(id, &note, 8192, IPC_NOWAIT) == 0);
	FAILS(EAGAIN, msgsnd(id, &note, 1, IPC_NOWAIT));
}

static void a_full_queue_takes_no_more(void)
{
	struct msqid_ds ds;
	int id = made_queue();

	fill(id);
	/* A message without text needs no room, but a place. */
	CHECK(msgsnd(id, &note, 0, IPC_NOWAIT) == 0);
	CHECK(msgctl(id, IPC_STAT, &ds) == 0);
	ds.msg_qbytes = 3;
	CHECK(msgctl(id, IPC_SET, &ds) == 0);
	FAILS(EAGAIN, msgsnd(id, &note, 0, IPC_NOWAIT));
}

static void send_one(void)
{
	struct {
		long type;
		char c;
	} m = {7, 'x'};

	CHECK(msgsnd(queue, &m, 1, 0) == 0);
}

static void send_is_removed(void)
{
	note.type = 1;
	FAILS(EIDRM, msgsnd(queue, &note, 1, 0));
}

static void waiting_senders_go_on(void)
{
	struct msqid_ds ds;
	pid_t child;

	queue = made_queue();
	fill(queue);
	child = child_start(send_one);
	await_sleep(child);
	CHECK(msgrcv(queue, &note, 8192, 0, IPC_NOWAIT) == 8192);
	CHECK(child_wait(child) == 0);
	CHECK(msgrcv(queue, &note, 8192, 7, IPC_NOWAIT) == 1 && note.text[0] == 'x');
	CHECK(msgsnd(queue, (note.type = 1, &note), 8192, IPC_NOWAIT) == 0);
	/* More room by IPC_SET. */
	child = child_start(send_one);
	await_sleep(child);
	CHECK(msgctl(queue, IPC_STAT, &ds) == 0);
	ds.msg_qbytes = 1000; /* less, first */
	CHECK(msgctl(queue, IPC_SET, &ds) == 0);
	await_sleep(child);
	CHECK(msgrcv(queue, &note, 8192, 0, IPC_NOWAIT) == 8192);
	await_sleep(child);
	CHECK(msgrcv(queue, &note, 8192, 0, IPC_NOWAIT) == 8192);
	CHECK(child_wait(child) == 0);
	CHECK(msgctl(queue, IPC_STAT, &ds) == 0 && ds.msg_lspid == child);
}

static void removal_ends_waits(void)
{
	pid_t a, b;

	queue = made_queue();
	fill(queue);
	a = child_start(send_is_removed);
	b = child_start(send_is_removed);
	await_sleep(a);
	await_sleep(b);
	CHECK(msgctl(queue, IPC_RMID, NULL) == 0);
	CHECK(child_wait(a) == 0 && child_wait(b) == 0);
	FAILS(EINVAL, msgsnd(queue, &note, 1, 0));
}

static void on_signal(int sig)
{
	(void)sig;
}

static void is_interrupted(void)
{
	struct sigaction sa = {.sa_handler = on_signal, .sa_flags = SA_RESTART};

	CHECK(sigaction(SIGUSR1, &sa, NULL) == 0);
	note.type = 1;
	FAILS(EINTR, msgsnd(queue, &note, 1, 0));
}

static void signals_end_waits(void)
{
	struct msqid_ds ds;
	pid_t child;

	queue = made_queue();
	fill(queue);
	child = child_start(is_interrupted);
	await_sleep(child);
	CHECK(kill(child, SIGUSR1) == 0 && child_wait(child) == 0);
	child = child_start(send_one);
	await_sleep(child);
	/* A stop does not. */
	CHECK(kill(child, SIGSTOP) == 0);
	sleep_ms(20);
	CHECK(kill(child, SIGCONT) == 0);
	await_sleep(child);
	CHECK(kill(child, SIGKILL) == 0 && child_wait(child) == SIGKILL);
	CHECK(msgrcv(queue, &note, 8192, 0, IPC_NOWAIT) == 8192);
	CHECK(msgctl(queue, IPC_STAT, &ds) == 0 && ds.msg_qnum == 1);
}

static void user_sends(void)
{
	become_user();
	note.type = 1;
	FAILS(EACCES, msgsnd(queue, &note, 1, 0));
}

static void modes_hold(void)
{
	if (geteuid() != 0)
		return;
	queue = keep(msgget(IPC_PRIVATE, 0644), kept_queues, &queue_count);
	CHECK(in_child(user_sends) == 0);
}

RUN(TEST(wrong_calls), TEST(it_is_counted), TEST(a_full_queue_takes_no_more),
    TEST(waiting_senders_go_on), TEST(removal_ends_waits), TEST(signals_end_waits),
    TEST(modes_hold))
