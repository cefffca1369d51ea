/* SPDX-License-Identifier: MIT */
/* Attaching System V shared memory: where, for what, who shares it, what counts. */
#include "sysv.h"

#include <setjmp.h>
#include <sys/uio.h>

#define NOWHERE ((void *)-1)

static int segment;
static char *area;

static unsigned long users(int id)
{
	struct shmid_ds ds;

	CHECK(shmctl(id, IPC_STAT, &ds) == 0);
	return ds.shm_nattch;
}

static char *attached(int id, const void *at, int flags)
{
	char *p = shmat(id, at, flags);

	CHECK(p != NOWHERE);
	return p;
}

static sigjmp_buf back;

static void on_fault(int sig)
{
	siglongjmp(back, sig);
}

/* The signal that writing there (or reading) raises: 0: none. */
static int fault_of(volatile char *p, bool is_write)
{
	int sig;

	signal(SIGSEGV, on_fault);
	signal(SIGBUS, on_fault);
	sig = sigsetjmp(back, 1);
	if (!sig) {
		if (is_write)
			*p = 1;
		else
			(void)*p;
	}
	signal(SIGSEGV, SIG_DFL);
	signal(SIGBUS, SIG_DFL);
	return sig;
}

static void child_looks(void)
{
	char *own = attached(segment, NULL, 0);

	CHECK(own[0] == 'a' && own[9999] == 'z');
	own[1] = 'b';
	area[2] = 'c';
	CHECK(users(segment) == 3);
	CHECK(shmdt(own) == 0);
}

static void processes_share_it(void)
{
	struct shmid_ds ds;
	pid_t child;

	segment = made_segment(10000);
	area = attached(segment, NULL, 0);
	CHECK(((uintptr_t)area & (PAGE - 1)) == 0 && area[0] == 0 && area[12287] == 0);
	CHECK(fault_of(area + 12287, true) == 0);
	area[0] = 'a';
	area[9999] = 'z';
	CHECK(users(segment) == 1);
	child = child_start(child_looks);
	CHECK(child_wait(child) == 0);
	CHECK(area[1] == 'b' && area[2] == 'c' && users(segment) == 1);
	CHECK(shmctl(segment, IPC_STAT, &ds) == 0);
	CHECK(ds.shm_lpid == child && ds.shm_cpid == getpid());
	CHECK(ds.shm_atime >= time(NULL) - 5 && ds.shm_dtime >= ds.shm_atime);
	CHECK(shmdt(area) == 0 && users(segment) == 0);
	CHECK(fault_of(area, false) == SIGSEGV);
	area = attached(segment, NULL, 0);
	CHECK(area[0] == 'a' && area[1] == 'b');
	CHECK(shmdt(area) == 0);
}

static void unrelated(void)
{
	int id = atoi(getenv("SEGMENT"));
	char *own = shmat(id, NULL, 0);

	_exit(own == NOWHERE || strcmp(own, "hello") != 0 || users(id) != 2);
}

static void child_execs(void)
{
	char id[20];
	char name[] = "shmat";
	char *argv[] = {name, NULL};

	snprintf(id, sizeof(id), "%d", segment);
	CHECK(setenv("SEGMENT", id, 1) == 0);
	(void)attached(segment, NULL, 0);
	CHECK(users(segment) == 3);
	execv("/proc/self/exe", argv);
}

static void exec_detaches(void)
{
	segment = made_segment(PAGE);
	area = attached(segment, NULL, 0);
	strcpy(area, "hello");
	CHECK(in_child(child_execs) == 0);
	CHECK(users(segment) == 1 && shmdt(area) == 0);
}

static void addresses(void)
{
	char *place = page_with(PROT_READ | PROT_WRITE);

	segment = made_segment(PAGE);
	place[0] = 'p';
	FAILS(EINVAL, shmat(segment, place + 1, 0));
	FAILS(EINVAL, shmat(segment, place, 0));
	FAILS(EINVAL, shmat(segment, place + 1, SHM_RND));
	FAILS(EINVAL, shmat(segment, NULL, SHM_REMAP));
	FAILS(EINVAL, shmat(segment, (void *)1, SHM_REMAP | SHM_RND));
	FAILS(EINVAL, shmat(segment, place + 1, SHM_REMAP));
	CHECK(place[0] == 'p' && users(segment) == 0);
	CHECK(attached(segment, place + 100, SHM_REMAP | SHM_RND) == place);
	CHECK(place[0] == 0 && users(segment) == 1);
	CHECK(shmdt(place) == 0 && fault_of(place, false) == SIGSEGV);
	CHECK(attached(segment, place, 0) == place && shmdt(place) == 0);
	CHECK(attached(segment, place + 4095, SHM_RND) == place && shmdt(place) == 0);
	if (geteuid() != 0) /* page 0, not anywhere */
		FAILS(EPERM, shmat(segment, (void *)1, SHM_RND));
	FAILS(EINVAL, shmat(segment, (void *)-PAGE, 0));
	FAILS(EINVAL, shmat(-1, NULL, 0));
	FAILS(EINVAL, shmat(0x7fffffff, NULL, 0));
	FAILS(ENOMEM, shmat(segment, (void *)0x7ffffffff000, 0));
}

static void read_only(void)
{
	segment = made_segment(PAGE);
	area = attached(segment, NULL, SHM_RDONLY);
	CHECK(fault_of(area, false) == 0 && fault_of(area, true) == SIGSEGV);
	FAILS(EACCES, mprotect(area, PAGE, PROT_READ | PROT_WRITE));
	CHECK(mprotect(area, PAGE, PROT_NONE) == 0);
	CHECK(fault_of(area, false) == SIGSEGV);
	CHECK(shmdt(area) == 0);
}

static void executable(void)
{
	static const unsigned char code[] = {0xb8, 42, 0, 0, 0, 0xc3}; /* return 42 */

	segment = keep(shmget(IPC_PRIVATE, PAGE, 0700), kept_segments, &segment_count);
	area = attached(segment, NULL, SHM_EXEC);
	memcpy(area, code, sizeof(code));
	CHECK(((int (*)(void))(uintptr_t)area)() == 42);
	CHECK(shmdt(area) == 0);
}

static void stranger(void)
{
	become_user();
	FAILS(EACCES, shmat(segment, NULL, 0));
	FAILS(EACCES, shmat(segment, NULL, SHM_RDONLY | SHM_EXEC));
	area = attached(segment, NULL, SHM_RDONLY);
	FAILS(EACCES, mprotect(area, PAGE, PROT_WRITE));
}

static void modes_hold(void)
{
	if (geteuid() != 0)
		return;
	segment = keep(shmget(IPC_PRIVATE, PAGE, 0644), kept_segments, &segment_count);
	CHECK(in_child(stranger) == 0 && users(segment) == 0);
}

/* ---- parts ---- */

static void pieces_count(void)
{
	segment = made_segment(4 * PAGE);
	area = attached(segment, NULL, 0);
	CHECK(mprotect(area + PAGE, PAGE, PROT_READ) == 0 && users(segment) == 3);
	CHECK(mprotect(area + PAGE, PAGE, PROT_READ | PROT_WRITE) == 0);
	CHECK(users(segment) == 3); /* they do not join again */
	CHECK(munmap(area, PAGE) == 0 && users(segment) == 2);
	CHECK(munmap(area + 2 * PAGE, PAGE) == 0 && users(segment) == 2);
	FAILS(EINVAL, shmdt(area + PAGE));
	area[3 * PAGE] = 1;
	/* By where it began, though that is gone. */
	CHECK(shmdt(area) == 0 && users(segment) == 0);
	FAILS(EINVAL, shmdt(area));
	CHECK(fault_of(area + 3 * PAGE, false) == SIGSEGV);
	area = attached(segment, NULL, 0);
	CHECK(munmap(area, 4 * PAGE) == 0 && users(segment) == 0);
}

static void moving(void)
{
	char *place = mmap(NULL, 8 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *p;

	segment = made_segment(2 * PAGE);
	area = attached(segment, NULL, 0);
	area[PAGE] = 'm';
	p = mremap(area, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, place);
	CHECK(p == place && p[PAGE] == 'm' && users(segment) == 1);
	FAILS(EINVAL, shmdt(area));
	CHECK(shmdt(p) == 0 && users(segment) == 0);
	area = attached(segment, NULL, 0);
	/* The second half alone, elsewhere: it began a page before. */
	p = mremap(area + PAGE, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
		   place + 4 * PAGE);
	CHECK(p == place + 4 * PAGE && p[0] == 'm' && users(segment) == 2);
	CHECK(shmdt(area) == 0 && users(segment) == 1 && p[0] == 'm');
	CHECK(shmdt(p - PAGE) == 0 && users(segment) == 0);
}

static void larger_than_it_is(void)
{
	char *p;

	segment = made_segment(PAGE);
	area = attached(segment, NULL, 0);
	p = mremap(area, PAGE, 2 * PAGE, MREMAP_MAYMOVE);
	CHECK(p != MAP_FAILED && fault_of(p, true) == 0);
	CHECK(fault_of(p + PAGE, true) == SIGBUS);
	CHECK(munmap(p, 2 * PAGE) == 0);
}

/* ---- removal ---- */

static void attach_removed(void)
{
	char *p = attached(segment, NULL, 0);

	CHECK(p[0] == 'r' && users(segment) == 3);
}

static void removal_waits_for_the_last(void)
{
	key_t key = own_key(31);
	struct shmid_ds ds;

	segment =
		keep(shmget(key, PAGE, IPC_CREAT | 0600), kept_segments, &segment_count);
	area = attached(segment, NULL, 0);
	area[0] = 'r';
	CHECK(shmctl(segment, IPC_RMID, NULL) == 0);
	FAILS(ENOENT, shmget(key, PAGE, 0600));
	CHECK(shmctl(segment, IPC_STAT, &ds) == 0);
	CHECK((ds.shm_perm.mode & SHM_DEST) && ds.shm_perm.__key == IPC_PRIVATE);
	CHECK(shmctl(segment, IPC_RMID, NULL) == 0); /* again does no harm */
	CHECK(in_child(attach_removed) == 0 && users(segment) == 1);
	CHECK(shmdt(area) == 0);
	FAILS(EINVAL, shmctl(segment, IPC_STAT, &ds));
	FAILS(EINVAL, shmat(segment, NULL, 0));
}

static void attach_and_die(void)
{
	(void)attached(segment, NULL, 0);
	CHECK(shmctl(segment, IPC_RMID, NULL) == 0);
	raise(SIGKILL);
}

static void death_detaches(void)
{
	struct shmid_ds ds;

	segment = made_segment(PAGE);
	CHECK(in_child(attach_and_die) == SIGKILL);
	FAILS(EINVAL, shmctl(segment, IPC_STAT, &ds));
}

/* ---- as others see it ---- */

static void maps_show_it(void)
{
	char want[200];
	char line[300];
	bool found = false;
	FILE *f;
	key_t key = own_key(32);

	segment = keep(shmget(key, 2 * PAGE, IPC_CREAT | 0600), kept_segments,
		       &segment_count);
	area = attached(segment, NULL, 0);
	snprintf(want, sizeof(want), "%lx-%lx rw-s 00000000 00:01 %d ",
		 (unsigned long)area, (unsigned long)area + 2 * PAGE, segment);
	f = fopen("/proc/self/maps", "re");
	CHECK(f != NULL);
	while (fgets(line, sizeof(line), f)) {
		char name[64];

		if (strncmp(line, want, strlen(want)) != 0)
			continue;
		snprintf(name, sizeof(name), " /SYSV%08x (deleted)\n", (unsigned)key);
		CHECK(strlen(line) > strlen(name));
		CHECK(strcmp(line + strlen(line) - strlen(name), name) == 0);
		CHECK(strspn(line + strlen(want), " ") > 0);
		found = true;
	}
	CHECK(found && fclose(f) == 0 && shmdt(area) == 0);
}

static void waits_on_futex(void)
{
	char *own = attached(segment, NULL, 0);

	area[4] = 1;
	(void)syscall(SYS_futex, own, 0 /* FUTEX_WAIT */, 0, NULL);
	CHECK(own[0] == 1);
}

static void futexes_are_the_same_everywhere(void)
{
	pid_t child;

	segment = made_segment(PAGE);
	area = attached(segment, NULL, 0);
	child = child_start(waits_on_futex);
	while (!((volatile char *)area)[4])
		sleep_ms(1);
	await_sleep(child);
	area[0] = 1;
	CHECK(syscall(SYS_futex, area, 1 /* FUTEX_WAKE */, 1) == 1);
	CHECK(child_wait(child) == 0 && shmdt(area) == 0);
}

static void calls_use_it(void)
{
	int ends[2];

	segment = made_segment(PAGE);
	area = attached(segment, NULL, 0);
	CHECK(pipe(ends) == 0 && write(ends[1], "through", 7) == 7);
	CHECK(read(ends[0], area, 7) == 7 && memcmp(area, "through", 7) == 0);
	CHECK(shmdt(area) == 0);
	CHECK(write(ends[1], "x", 1) == 1);
	FAILS(EFAULT, read(ends[0], area, 1));
	CHECK(close(ends[0]) == 0 && close(ends[1]) == 0);
}

int main(void)
{
	static const struct test all[] = {
		TEST(processes_share_it),
		TEST(exec_detaches),
		TEST(addresses),
		TEST(read_only),
		TEST(executable),
		TEST(modes_hold),
		TEST(pieces_count),
		TEST(moving),
		TEST(larger_than_it_is),
		TEST(removal_waits_for_the_last),
		TEST(death_detaches),
		TEST(maps_show_it),
		TEST(futexes_are_the_same_everywhere),
		TEST(calls_use_it),
	};

	if (getenv("SEGMENT"))
		unrelated();
	return test_main(all, sizeof(all) / sizeof(all[0]));
}
