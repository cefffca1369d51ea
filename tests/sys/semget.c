/* SPDX-License-Identifier: MIT */
/* Semaphore sets by key: made, found, refused; ids. */
#include "sysv.h"

static void private_sets_are_new(void)
{
	int a = made_set(3);
	int b = made_set(3);
	struct semid_ds ds;

	CHECK(a != b);
	CHECK(semctl(a, 0, IPC_STAT, (union semun){.buf = &ds}) == 0);
	CHECK(ds.sem_nsems == 3 && ds.sem_otime == 0);
	CHECK(ds.sem_ctime <= time(NULL) && ds.sem_ctime >= time(NULL) - 5);
	CHECK(ds.sem_perm.__key == IPC_PRIVATE && (ds.sem_perm.mode & 0777) == 0600);
	CHECK(ds.sem_perm.uid == geteuid() && ds.sem_perm.cuid == geteuid());
	CHECK(ds.sem_perm.gid == getegid() && ds.sem_perm.cgid == getegid());
	for (int i = 0; i < 3; i++)
		CHECK(sem_get(a, i) == 0 && semctl(a, i, GETPID) == 0);
}

static void keys_find_sets(void)
{
	key_t key = own_key(1);
	int a;

	FAILS(ENOENT, semget(key, 2, 0600));
	a = keep(semget(key, 2, IPC_CREAT | IPC_EXCL | 0640), kept_sems, &sem_count);
	CHECK(semget(key, 0, 0) == a && semget(key, 1, 0600) == a);
	CHECK(semget(key, 2, IPC_CREAT | 0600) == a);
	FAILS(EEXIST, semget(key, 2, IPC_CREAT | IPC_EXCL | 0600));
	FAILS(EINVAL, semget(key, 3, 0600));
	CHECK(semctl(a, 0, IPC_RMID) == 0);
	FAILS(ENOENT, semget(key, 2, 0600));
	FAILS(EINVAL, semctl(a, 0, GETVAL));
	/* EXCL alone asks for nothing. */
	a = keep(semget(key, 2, IPC_CREAT | 0600), kept_sems, &sem_count);
	CHECK(semget(key, 2, IPC_EXCL) == a);
}

static void wrong_counts_are_refused(void)
{
	FAILS(EINVAL, semget(IPC_PRIVATE, 0, 0600));
	FAILS(EINVAL, semget(IPC_PRIVATE, -1, 0600));
	FAILS(EINVAL, semget(IPC_PRIVATE, 32001, 0600));
	FAILS(EINVAL, semget(own_key(2), 0, IPC_CREAT | 0600));
	FAILS(ENOENT, semget(own_key(2), 0, 0600));
	CHECK(made_set(32000) >= 0);
}

static int shared;

static key_t parents_key;

static void other_user_by_key(void)
{
	become_user();
	FAILS(EACCES, semget(parents_key, 1, 0600));
	FAILS(EACCES, semget(parents_key, 1, 0002));
	CHECK(semget(parents_key, 1, 0444) == shared);
	CHECK(semget(parents_key, 1, 0) == shared);
	CHECK(semget(parents_key, 1, IPC_CREAT) == shared);
	FAILS(EACCES, sem_do(shared, 0, 1, IPC_NOWAIT));
	CHECK(sem_do(shared, 0, 0, IPC_NOWAIT) == 0);
	FAILS(EACCES, sem_set(shared, 0, 1));
	FAILS(EPERM, semctl(shared, 0, IPC_RMID));
}

static void modes_hold(void)
{
	if (geteuid() != 0)
		return;
	parents_key = own_key(3);
	shared = keep(semget(parents_key, 1, IPC_CREAT | 0644), kept_sems, &sem_count);
	CHECK(in_child(other_user_by_key) == 0);
}

static void ids_do_not_come_back_at_once(void)
{
	int first = semget(IPC_PRIVATE, 1, 0600);
	int last = first;

	CHECK(first >= 0 && semctl(first, 0, IPC_RMID) == 0);
	for (int i = 0; i < 300; i++) {
		int id = semget(IPC_PRIVATE, 1, 0600);

		CHECK(id >= 0 && id != first && id != last);
		CHECK(semctl(id, 0, IPC_RMID) == 0);
		last = id;
		FAILS(EINVAL, sem_get(first, 0));
	}
	FAILS(EINVAL, sem_get(last, 0));
}

RUN(TEST(private_sets_are_new), TEST(keys_find_sets), TEST(wrong_counts_are_refused),
    TEST(modes_hold), TEST(ids_do_not_come_back_at_once))
