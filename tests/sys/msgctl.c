/* SPDX-License-Identifier: MIT */
/* Control of System V message queues, and what /proc says of them. */
#include "sysv.h"

static void wrong_calls(void)
{
	struct msqid_ds ds;
	int id = made_queue();

	FAILS(EINVAL, msgctl(id, 99, &ds));
	FAILS(EINVAL, msgctl(id, -1, &ds));
	FAILS(EINVAL, msgctl(-1, IPC_STAT, &ds));
	FAILS(EINVAL, msgctl(0x7ffffffe, IPC_STAT, &ds));
	FAILS(EINVAL, msgctl(0x7ffe, MSG_STAT, &ds));
	FAILS(EINVAL, msgctl(0x7ffffffe, IPC_RMID, NULL));
	FOR_BAD(p)
	{
		FAILS(EFAULT, msgctl(id, IPC_STAT, p));
		FAILS(EFAULT, msgctl(id, IPC_SET, p));
		FAILS(EFAULT, msgctl(id, MSG_INFO, p));
	}
}

static void settings_change(void)
{
	struct msqid_ds ds;
	int id = made_queue();

	CHECK(msgctl(id, IPC_STAT, &ds) == 0);
	ds.msg_perm.mode = 0107642;
	ds.msg_qbytes = 100;
	ds.msg_qnum = 7;
	CHECK(msgctl(id, IPC_SET, &ds) == 0);
	CHECK(msgctl(id, IPC_STAT, &ds) == 0);
	CHECK(ds.msg_perm.mode == 0642 && ds.msg_qbytes == 100 && ds.msg_qnum == 0);
	ds.msg_perm.gid = (gid_t)-1;
	FAILS(EINVAL, msgctl(id, IPC_SET, &ds));
	if (geteuid() == 0) {
		ds.msg_perm.gid = 0;
		ds.msg_qbytes = 1 << 20;
		if (msgctl(id, IPC_SET, &ds) < 0) { /* root without CAP_SYS_RESOURCE */
			CHECK(errno == EPERM);
			return;
		}
		CHECK(msgctl(id, IPC_STAT, &ds) == 0 && ds.msg_qbytes == 1 << 20);
	}
}

static void user_raises(void)
{
	struct msqid_ds ds;
	int id;

	become_user();
	id = msgget(IPC_PRIVATE, 0600);
	CHECK(id >= 0 && msgctl(id, IPC_STAT, &ds) == 0);
	ds.msg_qbytes++;
	if (getuid() == 65534) {
		FAILS(EPERM, msgctl(id, IPC_SET, &ds));
		ds.msg_perm.gid = (gid_t)-1; /* looked at later */
		FAILS(EPERM, msgctl(id, IPC_SET, &ds));
	}
	CHECK(msgctl(id, IPC_RMID, NULL) == 0);
}

static int queue;

static void stranger(void)
{
	struct msqid_ds ds;
	int index = queue & 0x7fff;

	become_user();
	FAILS(EACCES, msgctl(queue, IPC_STAT, &ds));
	FAILS(EACCES, msgctl(index, MSG_STAT, &ds));
	CHECK(msgctl(index, MSG_STAT_ANY, &ds) == queue);
	FAILS(EPERM, msgctl(queue, IPC_SET, &ds));
	FAILS(EPERM, msgctl(queue, IPC_RMID, NULL));
}

static void rights_hold(void)
{
	CHECK(in_child(user_raises) == 0);
	if (geteuid() != 0)
		return;
	queue = made_queue();
	CHECK(in_child(stranger) == 0);
}

static void information(void)
{
	struct msginfo limits, use;
	struct msqid_ds ds;
	struct {
		long type;
		char text[10];
	} note = {1, "abc"};
	int id = made_queue();
	int max = msgctl(0, IPC_INFO, (struct msqid_ds *)&limits);
	int found = 0;

	CHECK(max >= (id & 0x7fff));
	CHECK(limits.msgmni > 0 && limits.msgmax > 0 && limits.msgmnb > 0);
	CHECK(limits.msgssz == 16 && limits.msgseg == 0xffff && limits.msgtql == 16384);
	CHECK(limits.msgmap == 16384 && limits.msgpool == 512000);
	CHECK(msgsnd(id, &note, 10, 0) == 0);
	CHECK(msgctl(0, MSG_INFO, (struct msqid_ds *)&use) >= (id & 0x7fff));
	CHECK(use.msgpool >= 1 && use.msgmap >= 1 && use.msgtql >= 10);
	for (int i = 0; i <= max; i++)
		found |= msgctl(i, MSG_STAT, &ds) == id && ds.msg_qnum == 1;
	CHECK(found);
}

static void proc_lists_queues(void)
{
	char want[300];
	struct msqid_ds ds;
	struct {
		long type;
		char text[10];
	} note = {1, "abc"};
	int id = made_queue();

	CHECK(msgsnd(id, &note, 10, 0) == 0 && msgsnd(id, &note, 5, 0) == 0);
	CHECK(msgrcv(id, &note, 10, 0, 0) == 10);
	CHECK(msgctl(id, IPC_STAT, &ds) == 0);
	snprintf(
		want, sizeof(want),
		"%10d %10d  %4o  %10lu %10lu %5u %5u %5u %5u %5u %5u %10lu %10lu %10lu\n",
		0, id, 0600, 5UL, 1UL, (unsigned)getpid(), (unsigned)getpid(), geteuid(),
		getegid(), geteuid(), getegid(), (unsigned long)ds.msg_stime,
		(unsigned long)ds.msg_rtime, (unsigned long)ds.msg_ctime);
	CHECK(strcmp(ipc_line("/proc/sysvipc/msg", id), want) == 0);
	CHECK(msgctl(id, IPC_RMID, NULL) == 0);
	CHECK(!ipc_line("/proc/sysvipc/msg", id));
	CHECK(strstr(
		file_get("/proc/sysvipc/msg"),
		"       key      msqid perms      cbytes       qnum lspid lrpid   uid   "
		"gid  cuid  cgid      stime      rtime      ctime\n"));
}

RUN(TEST(wrong_calls), TEST(settings_change), TEST(rights_hold), TEST(information),
    TEST(proc_lists_queues))
