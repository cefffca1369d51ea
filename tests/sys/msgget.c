/* SPDX-License-Identifier: MIT */
/* Message queues by key, and what they begin with. */
#include "sysv.h"

static void queues_begin_empty(void)
{
	struct msqid_ds ds;
	int id = made_queue();

	CHECK(id != made_queue());
	CHECK(msgctl(id, IPC_STAT, &ds) == 0);
	CHECK(ds.msg_qnum == 0 && ds.__msg_cbytes == 0 && ds.msg_lspid == 0);
	CHECK(ds.msg_lrpid == 0 && ds.msg_stime == 0 && ds.msg_rtime == 0);
	CHECK(ds.msg_qbytes > 0 && ds.msg_ctime >= time(NULL) - 5);
	CHECK(ds.msg_perm.mode == 0600 && ds.msg_perm.cuid == geteuid());
}

static void keys_find_queues(void)
{
	key_t key = own_key(11);
	struct msqid_ds ds;
	int id;

	FAILS(ENOENT, msgget(key, 0600));
	id = keep(msgget(key, IPC_CREAT | IPC_EXCL | 0604), kept_queues, &queue_count);
	CHECK(msgget(key, 0) == id && msgget(key, IPC_CREAT | 0600) == id);
	FAILS(EEXIST, msgget(key, IPC_CREAT | IPC_EXCL | 0600));
	CHECK(msgctl(id, IPC_STAT, &ds) == 0 && ds.msg_perm.__key == key);
	CHECK(msgctl(id, IPC_RMID, NULL) == 0);
	FAILS(ENOENT, msgget(key, 0600));
	FAILS(EINVAL, msgctl(id, IPC_STAT, &ds));
}

static int shared;
static key_t parents_key;

static void stranger(void)
{
	become_user();
	CHECK(msgget(parents_key, 0) == shared && msgget(parents_key, 0444) == shared);
	FAILS(EACCES, msgget(parents_key, 0200));
	FAILS(EACCES, msgget(parents_key, IPC_CREAT | 0600));
}

static void modes_hold(void)
{
	if (geteuid() != 0)
		return;
	parents_key = own_key(12);
	shared = keep(msgget(parents_key, IPC_CREAT | 0644), kept_queues, &queue_count);
	CHECK(in_child(stranger) == 0);
}

RUN(TEST(queues_begin_empty), TEST(keys_find_queues), TEST(modes_hold))
