/* SPDX-License-Identifier: MIT */
/* Detaching System V shared memory: what is an attached segment, and what is not. */
#include "sysv.h"

static void only_segments_are_detached(void)
{
	int id = made_segment(2 * PAGE);
	char *p = shmat(id, NULL, 0);
	char *anonymous = page_with(PROT_READ);
	char *q;

	CHECK(p != (void *)-1);
	FAILS(EINVAL, shmdt(anonymous));
	FAILS(EINVAL, shmdt(NULL));
	FAILS(EINVAL, shmdt(p + 1));
	FAILS(EINVAL, shmdt(p + PAGE));
	FAILS(EINVAL, shmdt((void *)-PAGE));
	FAILS(EINVAL, shmdt((void *)0x7ffffffff000));
	q = shmat(id, NULL, 0);
	CHECK(q != (void *)-1 && q != p);
	q[0] = 'q';
	CHECK(p[0] == 'q' && shmdt(q) == 0 && p[0] == 'q' && shmdt(p) == 0);
	FAILS(EINVAL, shmdt(p));
}

static void times_are_kept(void)
{
	struct shmid_ds ds;
	int id = made_segment(PAGE);
	char *p = shmat(id, NULL, 0);

	CHECK(shmctl(id, IPC_STAT, &ds) == 0 && ds.shm_dtime == 0);
	CHECK(ds.shm_atime >= time(NULL) - 5 && ds.shm_lpid == getpid());
	CHECK(shmdt(p) == 0 && shmctl(id, IPC_STAT, &ds) == 0);
	CHECK(ds.shm_dtime >= ds.shm_atime && ds.shm_nattch == 0);
}

/* Something else in its midst stays. */
static void what_lies_between_stays(void)
{
	int id = made_segment(3 * PAGE);
	int other = made_segment(PAGE);
	char *p = shmat(id, NULL, 0);

	CHECK(p != (void *)-1);
	CHECK(shmat(other, p + PAGE, SHM_REMAP) == p + PAGE);
	p[PAGE] = 'o';
	CHECK(shmdt(p) == 0 && p[PAGE] == 'o');
	CHECK(shmdt(p + PAGE) == 0);
}

RUN(TEST(only_segments_are_detached), TEST(times_are_kept), TEST(what_lies_between_stays))
