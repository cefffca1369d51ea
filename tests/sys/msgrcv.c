/* SPDX-License-Identifier: MIT */
/* Receiving from System V message queues: which message, waiting, sizes. */
#include "sysv.h"

#include <limits.h>

struct note {
	long type;
	char text[64];
};

static int queue;

static void put(long type, const char *text)
{
	struct note n = {.type = type};

	strcpy(n.text, text);
	CHECK(msgsnd(queue, &n, strlen(text), IPC_NOWAIT) == 0);
}

/* What comes: as "type:text". */
static const char *got(long type, int flags)
{
	static char out[100];
	struct note n;
	ssize_t len = msgrcv(queue, &n, sizeof(n.text), type, flags | IPC_NOWAIT);

	CHECK(len >= 0);
	snprintf(out, sizeof(out), "%ld:%.*s", n.type, (int)len, n.text);
	return out;
}

#define GOT(want, type, flags) CHECK(strcmp(got(type, flags), want) == 0)

static void types_choose(void)
{
	struct note n;

	queue = made_queue();
	put(3, "a");
	put(1, "b");
	put(3, "c");
	put(2, "d");
	put(1, "e");
	GOT("3:a", 0, 0);
	GOT("3:c", 3, 0);
	put(4, "f");
	GOT("1:b", -2, 0);
	GOT("2:d", 1, MSG_EXCEPT);
	GOT("1:e", LONG_MIN, 0);
	FAILS(ENOMSG, msgrcv(queue, &n, sizeof(n.text), -3, IPC_NOWAIT));
	FAILS(ENOMSG, msgrcv(queue, &n, sizeof(n.text), 1, IPC_NOWAIT));
	FAILS(ENOMSG, msgrcv(queue, &n, sizeof(n.text), 4, IPC_NOWAIT | MSG_EXCEPT));
	GOT("4:f", 0, MSG_EXCEPT);
	FAILS(ENOMSG, msgrcv(queue, &n, sizeof(n.text), 0, IPC_NOWAIT));
	put(5, "");
	GOT("5:", 0, 0);
}

static void long_messages(void)
{
	struct note n;
	struct msqid_ds ds;

	queue = made_queue();
	put(1, "12345");
	FAILS(E2BIG, msgrcv(queue, &n, 4, 0, IPC_NOWAIT));
	CHECK(msgctl(queue, IPC_STAT, &ds) == 0 && ds.msg_qnum == 1 && ds.msg_lrpid == 0);
	memset(&n, '.', sizeof(n));
	CHECK(msgrcv(queue, &n, 4, 0, MSG_NOERROR) == 4);
	CHECK(memcmp(n.text, "1234.", 5) == 0 && n.type == 1);
	CHECK(msgctl(queue, IPC_STAT, &ds) == 0 && ds.msg_qnum == 0);
	CHECK(ds.__msg_cbytes == 0 && ds.msg_lrpid == getpid());
	CHECK(ds.msg_rtime >= time(NULL) - 5);
}

static void copies_leave_messages(void)
{
	struct note n;

	queue = made_queue();
	put(1, "one");
	put(2, "two");
	if (msgrcv(queue, &n, sizeof(n.text), 0, MSG_COPY | IPC_NOWAIT) < 0 &&
	    errno == ENOSYS)
		return;
	GOT("1:one", 0, MSG_COPY);
	GOT("2:two", 1, MSG_COPY);
	FAILS(ENOMSG, msgrcv(queue, &n, 64, 2, MSG_COPY | IPC_NOWAIT));
	FAILS(ENOMSG, msgrcv(queue, &n, 64, -1, MSG_COPY | IPC_NOWAIT));
	FAILS(EINVAL, msgrcv(queue, &n, 64, 0, MSG_COPY));
	FAILS(EINVAL, msgrcv(queue, &n, 64, 0, MSG_COPY | IPC_NOWAIT | MSG_EXCEPT));
	FAILS(E2BIG, msgrcv(queue, &n, 2, 0, MSG_COPY | IPC_NOWAIT));
	FAILS(EINVAL, msgrcv(queue, &n, 2, 0, MSG_COPY | IPC_NOWAIT | MSG_NOERROR));
	GOT("1:one", 0, 0);
	GOT("2:two", 0, 0);
}

static void wrong_calls(void)
{
	struct note n;

	queue = made_queue();
	FAILS(EINVAL, msgrcv(-1, &n, 1, 0, 0));
	FAILS(EINVAL, msgrcv(0x7fffffff, &n, 1, 0, 0));
	FAILS(EINVAL, msgrcv(queue, &n, (size_t)-1, 0, 0));
	FAILS(ENOMSG, msgrcv(queue, NULL, 1, 0, IPC_NOWAIT));
	FOR_BAD(p)
	{
		put(1, "lost");
		FAILS(EFAULT, msgrcv(queue, p, 64, 0, 0));
		FAILS(ENOMSG, msgrcv(queue, &n, 64, 0, IPC_NOWAIT));
	}
}

static long wanted_type;
static size_t wanted_size;
static int wanted_flags;
static ssize_t wanted_result;

static void receive(void)
{
	struct note n;
	ssize_t len = msgrcv(queue, &n, wanted_size, wanted_type, wanted_flags);

	CHECK(wanted_result >= 0 ? len == wanted_result
				 : len == -1 && errno == -wanted_result);
}

static pid_t receiver(long type, size_t size, int flags, ssize_t result)
{
	pid_t pid;

	wanted_type = type;
	wanted_size = size;
	wanted_flags = flags;
	wanted_result = result;
	pid = child_start(receive);
	await_sleep(pid);
	return pid;
}

static void waiters_get_what_they_want(void)
{
	struct msqid_ds ds;
	pid_t third, low, except, any;

	queue = made_queue();
	third = receiver(3, 64, 0, 1);
	low = receiver(-2, 64, 0, 2);
	except = receiver(4, 64, MSG_EXCEPT, 3);
	any = receiver(0, 64, 0, 4);
	put(4, "1234");
	CHECK(child_wait(any) == 0);
	put(2, "12");
	CHECK(child_wait(low) == 0);
	put(5, "123");
	CHECK(child_wait(except) == 0);
	put(5, "stays");
	put(3, "1");
	CHECK(child_wait(third) == 0);
	CHECK(msgctl(queue, IPC_STAT, &ds) == 0 && ds.msg_qnum == 1);
	CHECK(ds.msg_lrpid == third && ds.msg_lspid == getpid());
}

/* One whose buffer is too small is told so, and the next gets the message. */
static void waiters_with_small_buffers(void)
{
	pid_t small, cuts, next;

	queue = made_queue();
	small = receiver(0, 2, 0, -E2BIG);
	cuts = receiver(0, 2, MSG_NOERROR, 2);
	next = receiver(0, 64, 0, 5);
	put(1, "12345");
	CHECK(child_wait(small) == 0 && child_wait(cuts) == 0);
	put(1, "12345");
	CHECK(child_wait(next) == 0);
}

static void removal_ends_waits(void)
{
	pid_t a, b;

	queue = made_queue();
	a = receiver(0, 64, 0, -EIDRM);
	b = receiver(7, 64, 0, -EIDRM);
	CHECK(msgctl(queue, IPC_RMID, NULL) == 0);
	CHECK(child_wait(a) == 0 && child_wait(b) == 0);
}

static void on_signal(int sig)
{
	(void)sig;
}

static void receive_with_handler(void)
{
	struct sigaction sa = {.sa_handler = on_signal, .sa_flags = SA_RESTART};

	CHECK(sigaction(SIGUSR1, &sa, NULL) == 0);
	receive();
}

static void signals_end_waits(void)
{
	pid_t pid;

	queue = made_queue();
	wanted_result = -EINTR;
	pid = child_start(receive_with_handler);
	await_sleep(pid);
	CHECK(kill(pid, SIGUSR1) == 0 && child_wait(pid) == 0);
	pid = receiver(0, 64, 0, 1);
	CHECK(kill(pid, SIGSTOP) == 0);
	sleep_ms(20);
	CHECK(kill(pid, SIGCONT) == 0);
	await_sleep(pid);
	put(1, "x");
	CHECK(child_wait(pid) == 0);
	pid = receiver(0, 64, 0, 1);
	CHECK(kill(pid, SIGKILL) == 0 && child_wait(pid) == SIGKILL);
	put(1, "y");
	GOT("1:y", 0, 0);
}

static void user_receives(void)
{
	struct note n;

	become_user();
	FAILS(EACCES, msgrcv(queue, &n, 64, 0, IPC_NOWAIT));
}

static void wait_as_user(void)
{
	become_user();
	receive();
}

/* Also of those that wait already. */
static void modes_hold(void)
{
	struct msqid_ds ds;
	pid_t pid;

	if (geteuid() != 0)
		return;
	queue = keep(msgget(IPC_PRIVATE, 0622), kept_queues, &queue_count);
	CHECK(in_child(user_receives) == 0);
	CHECK(msgctl(queue, IPC_STAT, &ds) == 0);
	ds.msg_perm.mode = 0666;
	CHECK(msgctl(queue, IPC_SET, &ds) == 0);
	wanted_result = -EACCES;
	pid = child_start(wait_as_user);
	await_sleep(pid);
	ds.msg_perm.mode = 0600;
	CHECK(msgctl(queue, IPC_SET, &ds) == 0);
	CHECK(child_wait(pid) == 0);
}

RUN(TEST(types_choose), TEST(long_messages), TEST(copies_leave_messages),
    TEST(wrong_calls), TEST(waiters_get_what_they_want), TEST(waiters_with_small_buffers),
    TEST(removal_ends_waits), TEST(signals_end_waits), TEST(modes_hold))
