/* SPDX-License-Identifier: MIT */
/* Control of semaphore sets, and what /proc says of them. */
#include "sysv.h"

#include "uffd.h"

#include <sched.h>

static union semun at(void *p)
{
	return (union semun){.buf = p};
}

static void values(void)
{
	unsigned short in[3] = {1, 32767, 3};
	unsigned short out[3];
	int id = made_set(3);

	CHECK(semctl(id, 0, SETALL, at(in)) == 0);
	CHECK(semctl(id, 99, GETALL, at(out)) == 0 && memcmp(in, out, sizeof(in)) == 0);
	CHECK(semctl(id, 2, GETPID) == getpid());
	CHECK(sem_set(id, 1, 5) == 0 && sem_get(id, 1) == 5);
	in[1] = 32768;
	FAILS(ERANGE, semctl(id, 0, SETALL, at(in)));
	FAILS(ERANGE, sem_set(id, 0, 32768));
	FAILS(ERANGE, sem_set(id, 0, -1));
	FAILS(ERANGE, sem_set(id, 7, -1));
	FAILS(EINVAL, sem_set(id, 3, 1));
	FAILS(EINVAL, sem_set(id, -1, 1));
	FAILS(EINVAL, sem_get(id, 3));
	FAILS(EINVAL, semctl(id, -1, GETNCNT));
	CHECK(semctl(id, 0, GETALL, at(out)) == 0);
	CHECK(out[0] == 1 && out[1] == 5 && out[2] == 3);
	FOR_BAD(p)
	{
		FAILS(EFAULT, semctl(id, 0, GETALL, at(p)));
		FAILS(EFAULT, semctl(id, 0, SETALL, at(p)));
		FAILS(EFAULT, semctl(id, 0, IPC_STAT, at(p)));
		FAILS(EFAULT, semctl(id, 0, IPC_SET, at(p)));
		FAILS(EFAULT, semctl(id, 0, SEM_INFO, at(p)));
	}
}

static void wrong_calls(void)
{
	struct semid_ds ds;
	int id = made_set(1);

	FAILS(EINVAL, semctl(id, 0, 99));
	FAILS(EINVAL, semctl(id, 0, -1));
	FAILS(EINVAL, semctl(-1, 0, GETVAL));
	FAILS(EINVAL, semctl(0x7ffffffe, 0, GETVAL));
	FAILS(EINVAL, semctl(0x7ffffffe, 0, IPC_RMID));
	FAILS(EINVAL, semctl(0x7ffffffe, 0, IPC_STAT, at(&ds)));
	FAILS(EINVAL, semctl(-1, 0, SEM_STAT, at(&ds)));
	FAILS(EINVAL, semctl(0x7ffe, 0, SEM_STAT, at(&ds)));
	FAILS(EINVAL, semctl(-1, 0, SEM_INFO, at(&ds)));
}

static void owners_and_modes_change(void)
{
	struct semid_ds ds;
	int id = made_set(1);

	CHECK(semctl(id, 0, IPC_STAT, at(&ds)) == 0);
	ds.sem_perm.mode = 0107777;
	ds.sem_nsems = 77;
	CHECK(semctl(id, 0, IPC_SET, at(&ds)) == 0);
	CHECK(semctl(id, 0, IPC_STAT, at(&ds)) == 0);
	CHECK(ds.sem_perm.mode == 0777 && ds.sem_nsems == 1);
	ds.sem_perm.uid = (uid_t)-1;
	FAILS(EINVAL, semctl(id, 0, IPC_SET, at(&ds)));
	ds.sem_perm.uid = 12345;
	ds.sem_perm.gid = 12346;
	CHECK(semctl(id, 0, IPC_SET, at(&ds)) == 0);
	CHECK(semctl(id, 0, IPC_STAT, at(&ds)) == 0);
	CHECK(ds.sem_perm.uid == 12345 && ds.sem_perm.gid == 12346);
	CHECK(ds.sem_perm.cuid == geteuid());
}

static int set;

static void stranger(void)
{
	unsigned short v[2];
	struct semid_ds ds;
	int index = set & 0x7fff;

	become_user();
	FAILS(EACCES, sem_get(set, 0));
	FAILS(EACCES, sem_set(set, 0, 1));
	FAILS(EACCES, semctl(set, 0, GETALL, at(v)));
	FAILS(EACCES, semctl(set, 0, SETALL, at(NULL)));
	FAILS(EACCES, semctl(set, 9, GETPID));
	FAILS(EACCES, semctl(set, 0, IPC_STAT, at(&ds)));
	FAILS(EACCES, semctl(index, 0, SEM_STAT, at(&ds)));
	CHECK(semctl(index, 0, SEM_STAT_ANY, at(&ds)) == set && ds.sem_nsems == 2);
	memset(&ds, 0, sizeof(ds));
	FAILS(EPERM, semctl(set, 0, IPC_SET, at(&ds)));
	FAILS(EFAULT, semctl(set, 0, IPC_SET, at(NULL)));
	FAILS(EPERM, semctl(set, 0, IPC_RMID));
}

static void owner(void)
{
	become_user();
	CHECK(sem_set(set, 0, 1) == 0);
	CHECK(semctl(set, 0, IPC_RMID) == 0);
}

static void rights_hold(void)
{
	struct semid_ds ds;

	if (geteuid() != 0)
		return;
	set = made_set(2);
	CHECK(in_child(stranger) == 0);
	CHECK(semctl(set, 0, IPC_STAT, at(&ds)) == 0);
	ds.sem_perm.uid = 65534;
	CHECK(semctl(set, 0, IPC_SET, at(&ds)) == 0);
	CHECK(in_child(owner) == 0);
}

static void member_of_group(void)
{
	gid_t group = 12346;

	CHECK(setgroups(1, &group) == 0 && setresgid(65534, 65534, 65534) == 0);
	CHECK(setresuid(65534, 65534, 65534) == 0);
	CHECK(sem_get(set, 0) == 0);
	FAILS(EACCES, sem_do(set, 0, 1, 0));
}

static void groups_have_rights(void)
{
	struct semid_ds ds;

	if (geteuid() != 0)
		return;
	set = made_set(1);
	CHECK(semctl(set, 0, IPC_STAT, at(&ds)) == 0);
	ds.sem_perm.gid = 12346;
	ds.sem_perm.mode = 0640;
	CHECK(semctl(set, 0, IPC_SET, at(&ds)) == 0);
	CHECK(in_child(member_of_group) == 0);
}

static void information(void)
{
	struct seminfo limits, use;
	struct semid_ds ds;
	int id = made_set(7);
	int max = semctl(0, 0, IPC_INFO, (union semun){.info = &limits});
	int id_found = 0;

	CHECK(max >= (id & 0x7fff));
	CHECK(limits.semmni > 0 && limits.semmsl > 0 && limits.semopm > 0);
	CHECK(limits.semvmx == 32767 && limits.semaem == 32767 && limits.semusz == 20);
	CHECK(limits.semmap == 1024000000 && limits.semmnu == 1024000000);
	CHECK(limits.semume == 500);
	CHECK(semctl(0, 0, SEM_INFO, (union semun){.info = &use}) >= (id & 0x7fff));
	CHECK(use.semusz >= 1 && use.semaem >= 7 && use.semmni == limits.semmni);
	for (int i = 0; i <= max; i++)
		id_found |= semctl(i, 0, SEM_STAT, at(&ds)) == id;
	CHECK(id_found);
}

static void proc_lists_sets(void)
{
	char want[200];
	struct semid_ds ds;
	int id = made_set(3);

	CHECK(sem_do(id, 0, 1, 0) == 0);
	CHECK(semctl(id, 0, IPC_STAT, at(&ds)) == 0);
	snprintf(want, sizeof(want), "%10d %10d  %4o %10lu %5u %5u %5u %5u %10lu %10lu\n",
		 0, id, 0600, 3UL, geteuid(), getegid(), geteuid(), getegid(),
		 (unsigned long)ds.sem_otime, (unsigned long)ds.sem_ctime);
	CHECK(strcmp(ipc_line("/proc/sysvipc/sem", id), want) == 0);
	CHECK(semctl(id, 0, IPC_RMID) == 0);
	CHECK(!ipc_line("/proc/sysvipc/sem", id));
	CHECK(strstr(
		file_get("/proc/sysvipc/sem"),
		"       key      semid perms      nsems   uid   gid  cuid  cgid      "
		"otime      ctime\n"));
}

/* ---- another set by the same id ---- */

static char *stalled;

static void *sets_all(void *arg)
{
	(void)arg;
	FAILS(EIDRM, semctl(set, 0, SETALL, at(stalled)));
	return NULL;
}

/* Semaphore 0 of the set is left as it is. */
static void replaced_while_copied(int fd, int count)
{
	pthread_t thread;
	char text[16];
	int id;

	set = semget(IPC_PRIVATE, 500, 0600);
	CHECK(set >= 0 && madvise(stalled, PAGE, MADV_DONTNEED) == 0);
	CHECK(pthread_create(&thread, NULL, sets_all, NULL) == 0);
	CHECK(uffd_read(fd).event == UFFD_EVENT_PAGEFAULT);
	CHECK(semctl(set, 0, IPC_RMID) == 0);
	snprintf(text, sizeof(text), "%d", set);
	file_put("/proc/sys/kernel/sem_next_id", text);
	id = semget(IPC_PRIVATE, count, 0600);
	CHECK(id == set && sem_set(id, 0, 7) == 0);
	CHECK(uffd_zero(fd, stalled, 1) == 0 && pthread_join(thread, NULL) == 0);
	CHECK(sem_get(id, 0) == 7 && semctl(id, 0, IPC_RMID) == 0);
}

static void replace(void)
{
	int fd;

	/* Natively not the machine's own sets; inside there are no others. */
	(void)unshare(CLONE_NEWIPC);
	fd = uffd_open(0, 0);
	stalled = pages(1);
	CHECK(uffd_register(fd, stalled, 1, UFFDIO_REGISTER_MODE_MISSING) == 0);
	replaced_while_copied(fd, 1);
	replaced_while_copied(fd, 500);
}

static void an_id_may_be_given_again(void)
{
	if (is_root()) /* who may say which id is next */
		CHECK(in_child(replace) == 0);
}

static void takes_with_old_right(void)
{
	CHECK(sem_do(set, 0, -1, 0) == 0);
}

/* SETVAL and SETALL let waiters go on. */
static void setting_wakes(void)
{
	unsigned short v[1] = {1};
	pid_t child;

	set = made_set(1);
	child = child_start(takes_with_old_right);
	CHECK(sem_await(set, 0, GETNCNT, 1) == 0);
	CHECK(sem_set(set, 0, 1) == 0 && child_wait(child) == 0);
	child = child_start(takes_with_old_right);
	CHECK(sem_await(set, 0, GETNCNT, 1) == 0);
	CHECK(semctl(set, 0, SETALL, at(v)) == 0 && child_wait(child) == 0);
	CHECK(sem_get(set, 0) == 0);
}

RUN(TEST(values), TEST(wrong_calls), TEST(owners_and_modes_change), TEST(rights_hold),
    TEST(groups_have_rights), TEST(information), TEST(proc_lists_sets),
    TEST(an_id_may_be_given_again), TEST(setting_wakes))
