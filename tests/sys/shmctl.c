/* SPDX-License-Identifier: MIT */
/* Control of System V shared memory, and what /proc says of it. */
#include "sysv.h"

#include <sys/resource.h>

static int segment;

static void wrong_calls(void)
{
	struct shmid_ds ds;
	int id = made_segment(1);

	FAILS(EINVAL, shmctl(id, 99, &ds));
	FAILS(EINVAL, shmctl(id, -1, &ds));
	FAILS(EINVAL, shmctl(-1, IPC_STAT, &ds));
	FAILS(EINVAL, shmctl(0x7ffffffe, IPC_STAT, &ds));
	FAILS(EINVAL, shmctl(0x7ffe, SHM_STAT, &ds));
	FAILS(EINVAL, shmctl(0x7ffffffe, SHM_LOCK, NULL));
	FOR_BAD(p)
	{
		FAILS(EFAULT, shmctl(id, IPC_STAT, p));
		FAILS(EFAULT, shmctl(id, IPC_SET, p));
		FAILS(EFAULT, shmctl(0, SHM_INFO, p));
		FAILS(EFAULT, shmctl(0, IPC_INFO, p));
	}
}

static void modes_change(void)
{
	struct shmid_ds ds;
	int id = made_segment(1);

	CHECK(shmctl(id, IPC_STAT, &ds) == 0);
	ds.shm_perm.mode = 0107642;
	ds.shm_segsz = 7;
	CHECK(shmctl(id, IPC_SET, &ds) == 0);
	CHECK(shmctl(id, IPC_STAT, &ds) == 0);
	CHECK(ds.shm_perm.mode == 0642 && ds.shm_segsz == 1);
	ds.shm_perm.uid = (uid_t)-1;
	FAILS(EINVAL, shmctl(id, IPC_SET, &ds));
}

static void stranger(void)
{
	struct shmid_ds ds;
	int index = segment & 0x7fff;

	become_user();
	FAILS(EACCES, shmctl(segment, IPC_STAT, &ds));
	FAILS(EACCES, shmctl(index, SHM_STAT, &ds));
	CHECK(shmctl(index, SHM_STAT_ANY, &ds) == segment && ds.shm_segsz == PAGE);
	FAILS(EPERM, shmctl(segment, IPC_SET, &ds));
	FAILS(EPERM, shmctl(segment, IPC_RMID, NULL));
	FAILS(EPERM, shmctl(segment, SHM_LOCK, NULL));
	FAILS(EPERM, shmctl(segment, SHM_UNLOCK, NULL));
}

static void rights_hold(void)
{
	if (geteuid() != 0)
		return;
	segment = made_segment(PAGE);
	CHECK(in_child(stranger) == 0);
}

static void limited_user(void)
{
	struct rlimit small = {4 * PAGE, 4 * PAGE};
	struct rlimit none = {0, 0};
	struct shmid_ds ds;
	int a, b;

	become_user();
	a = shmget(IPC_PRIVATE, 3 * PAGE, 0600);
	b = shmget(IPC_PRIVATE, 2 * PAGE, 0600);
	CHECK(a >= 0 && b >= 0 && setrlimit(RLIMIT_MEMLOCK, &small) == 0);
	CHECK(shmctl(a, SHM_LOCK, NULL) == 0 && shmctl(a, SHM_LOCK, NULL) == 0);
	CHECK(shmctl(a, IPC_STAT, &ds) == 0 && (ds.shm_perm.mode & SHM_LOCKED));
	FAILS(ENOMEM, shmctl(b, SHM_LOCK, NULL));
	CHECK(shmctl(a, SHM_UNLOCK, NULL) == 0 && shmctl(a, SHM_UNLOCK, NULL) == 0);
	CHECK(shmctl(a, IPC_STAT, &ds) == 0 && !(ds.shm_perm.mode & SHM_LOCKED));
	CHECK(shmctl(b, SHM_LOCK, NULL) == 0);
	/* Its end unlocks it. */
	CHECK(shmctl(b, IPC_RMID, NULL) == 0 && shmctl(a, SHM_LOCK, NULL) == 0);
	CHECK(shmctl(a, SHM_UNLOCK, NULL) == 0 && setrlimit(RLIMIT_MEMLOCK, &none) == 0);
	FAILS(EPERM, shmctl(a, SHM_LOCK, NULL));
	CHECK(shmctl(a, SHM_UNLOCK, NULL) == 0 && shmctl(a, IPC_RMID, NULL) == 0);
}

static void locking_is_limited(void)
{
	struct shmid_ds ds;
	int id = made_segment(PAGE);

	CHECK(in_child(limited_user) == 0);
	CHECK(shmctl(id, SHM_LOCK, NULL) == 0);
	CHECK(shmctl(id, IPC_STAT, &ds) == 0 && ds.shm_perm.mode == (0600 | SHM_LOCKED));
	CHECK(shmctl(id, IPC_SET, &ds) == 0);
	CHECK(shmctl(id, IPC_STAT, &ds) == 0 && ds.shm_perm.mode == (0600 | SHM_LOCKED));
	CHECK(shmctl(id, SHM_UNLOCK, NULL) == 0);
}

static void information(void)
{
	struct shminfo limits;
	struct shm_info before, use;
	struct shmid_ds ds;
	int max, id, found = 0;
	char *p;

	CHECK(shmctl(0, SHM_INFO, (struct shmid_ds *)&before) >= 0);
	id = made_segment(3 * PAGE);
	max = shmctl(0, IPC_INFO, (struct shmid_ds *)&limits);
	CHECK(max >= (id & 0x7fff) && limits.shmmin == 1);
	CHECK(limits.shmmni == 4096 && limits.shmseg == 4096);
	CHECK(limits.shmmax > 1UL << 40 && limits.shmall > 1UL << 30);
	p = shmat(id, NULL, 0);
	CHECK(p != (void *)-1);
	p[0] = p[PAGE] = 1;
	CHECK(shmctl(0, SHM_INFO, (struct shmid_ds *)&use) >= (id & 0x7fff));
	CHECK(use.used_ids >= 1 && use.shm_tot >= 3 && use.shm_rss >= 2);
	CHECK(use.shm_swp == 0 || use.shm_swp > 0);
	for (int i = 0; i <= max; i++)
		found |= shmctl(i, SHM_STAT, &ds) == id && ds.shm_nattch == 1;
	CHECK(found && shmdt(p) == 0);
}

static void proc_lists_segments(void)
{
	char want[300];
	struct shmid_ds ds;
	int id = made_segment(5000);
	char *p = shmat(id, NULL, 0);

	CHECK(p != (void *)-1);
	p[0] = 1;
	CHECK(shmctl(id, IPC_STAT, &ds) == 0);
	snprintf(want, sizeof(want),
		 "%10d %10d  %4o %21lu %5u %5u  %5lu %5u %5u %5u %5u %10lu %10lu %10lu "
		 "%21lu %21lu\n",
		 0, id, 0600, 5000UL, (unsigned)getpid(), (unsigned)getpid(), 1UL,
		 geteuid(), getegid(), geteuid(), getegid(), (unsigned long)ds.shm_atime,
		 0UL, (unsigned long)ds.shm_ctime, PAGE, 0UL);
	CHECK(strcmp(ipc_line("/proc/sysvipc/shm", id), want) == 0);
	CHECK(shmctl(id, IPC_RMID, NULL) == 0);
	CHECK(strncmp(ipc_line("/proc/sysvipc/shm", id) + 22, " 1600 ", 6) == 0);
	CHECK(shmdt(p) == 0 && !ipc_line("/proc/sysvipc/shm", id));
	CHECK(strstr(
		file_get("/proc/sysvipc/shm"),
		"       key      shmid perms                  size  cpid  lpid nattch   "
		"uid   gid  cuid  cgid      atime      dtime      ctime                "
		"   rss                  swap\n"));
}

RUN(TEST(wrong_calls), TEST(modes_change), TEST(rights_hold), TEST(locking_is_limited),
    TEST(information), TEST(proc_lists_segments))
