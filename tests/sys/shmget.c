/* SPDX-License-Identifier: MIT */
/* Shared memory by key: sizes, rights. */
#include "sysv.h"

static void segments_begin_unused(void)
{
	struct shmid_ds ds;
	int id = made_segment(5000);

	CHECK(id != made_segment(5000));
	CHECK(shmctl(id, IPC_STAT, &ds) == 0);
	CHECK(ds.shm_segsz == 5000 && ds.shm_nattch == 0 && ds.shm_cpid == getpid());
	CHECK(ds.shm_lpid == 0 && ds.shm_atime == 0 && ds.shm_dtime == 0);
	CHECK(ds.shm_ctime >= time(NULL) - 5 && ds.shm_perm.mode == 0600);
	CHECK(ds.shm_perm.cuid == geteuid() && ds.shm_perm.__key == IPC_PRIVATE);
}

static void keys_find_segments(void)
{
	key_t key = own_key(21);
	int id;

	FAILS(ENOENT, shmget(key, 100, 0600));
	id = keep(shmget(key, 100, IPC_CREAT | IPC_EXCL | 0600), kept_segments,
		  &segment_count);
	CHECK(shmget(key, 0, 0) == id && shmget(key, 100, IPC_CREAT | 0600) == id);
	FAILS(EEXIST, shmget(key, 100, IPC_CREAT | IPC_EXCL | 0600));
	FAILS(EINVAL, shmget(key, 101, 0600));
	CHECK(shmctl(id, IPC_RMID, NULL) == 0);
	FAILS(ENOENT, shmget(key, 100, 0600));
}

static void sizes_are_checked(void)
{
	int id;

	FAILS(EINVAL, shmget(IPC_PRIVATE, 0, 0600));
	FAILS(EINVAL, shmget(own_key(22), 0, IPC_CREAT | 0600));
	FAILS(EINVAL, shmget(IPC_PRIVATE, (size_t)-1, 0600));
	FAILS(EINVAL, shmget(IPC_PRIVATE, 18446744073692774399UL, 0600));
	FAILS(EINVAL, shmget(IPC_PRIVATE, 1UL << 63, 0600));
	FAILS(ENOMEM, shmget(IPC_PRIVATE, 1UL << 46, 0600));
	id = keep(shmget(IPC_PRIVATE, 1UL << 40, SHM_NORESERVE | 0600), kept_segments,
		  &segment_count);
	CHECK(shmctl(id, IPC_RMID, NULL) == 0);
	made_segment(1);
}

static void small_user(void)
{
	become_user();
	FAILS(EPERM, shmget(IPC_PRIVATE, 1 << 21, SHM_HUGETLB | 0600));
}

static void huge_pages_are_not_there(void)
{
	if (geteuid() == 0) {
		FAILS(ENOMEM, shmget(IPC_PRIVATE, 1 << 21, SHM_HUGETLB | 0600));
		FAILS(ENOMEM, shmget(IPC_PRIVATE, 1 << 21,
				     SHM_HUGETLB | 0600 | (int)(21u << 26)));
		FAILS(EINVAL, shmget(IPC_PRIVATE, 1 << 21,
				     SHM_HUGETLB | 0600 | (int)(22u << 26)));
		CHECK(in_child(small_user) == 0);
	} else if (getegid() != 0) {
		FAILS(EPERM, shmget(IPC_PRIVATE, 1 << 21, SHM_HUGETLB | 0600));
	}
}

static key_t parents_key;
static int shared;

static void stranger(void)
{
	become_user();
	CHECK(shmget(parents_key, 0, 0444) == shared);
	FAILS(EACCES, shmget(parents_key, 0, 0666));
	FAILS(EINVAL, shmget(parents_key, 200, 0666));
}

static void modes_hold(void)
{
	if (geteuid() != 0)
		return;
	parents_key = own_key(23);
	shared = keep(shmget(parents_key, 100, IPC_CREAT | 0644), kept_segments,
		      &segment_count);
	CHECK(in_child(stranger) == 0);
}

RUN(TEST(segments_begin_unused), TEST(keys_find_segments), TEST(sizes_are_checked),
    TEST(huge_pages_are_not_there), TEST(modes_hold))
