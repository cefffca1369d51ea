/* SPDX-License-Identifier: MIT */
/* Memory that stays as it is until the process ends. Each test runs in a child, which
 * takes its seals with it. */
#include "proc.h"

#include <sys/ipc.h>
#include <sys/shm.h>

#define PAGE	 4096ul
#define NR_MSEAL 462
#define RW	 (PROT_READ | PROT_WRITE)
#define ANON	 (MAP_PRIVATE | MAP_ANONYMOUS)

static long seal(void *at, size_t size, unsigned long flags)
{
	return syscall(NR_MSEAL, at, size, flags);
}

static char *pages(size_t n, int prot)
{
	char *p = mmap(NULL, n * PAGE, prot, ANON, -1, 0);

	CHECK(p != MAP_FAILED);
	return p;
}

static void nothing_changes_it(void)
{
	CHILD(pid)
	{
		char *p = pages(4, RW);
		char *to = pages(4, RW);

		CHECK(seal(p + PAGE, 2 * PAGE, 0) == 0);
		FAILS(EPERM, munmap(p, 4 * PAGE));
		FAILS(EPERM, munmap(p + PAGE, PAGE));
		FAILS(EPERM, mprotect(p, 4 * PAGE, PROT_READ));
		FAILS(EPERM, mprotect(p + PAGE, PAGE, PROT_NONE));
		FAILS(EPERM, syscall(SYS_pkey_mprotect, p + PAGE, PAGE, PROT_READ, -1));
		FAILS(EPERM, (long)mmap(p + PAGE, PAGE, RW, ANON | MAP_FIXED, -1, 0));
		FAILS(EPERM, (long)mmap(p, 4 * PAGE, RW, ANON | MAP_FIXED, -1, 0));
		FAILS(EPERM, (long)mremap(p + PAGE, PAGE, 2 * PAGE, MREMAP_MAYMOVE));
		FAILS(EPERM, (long)mremap(p + PAGE, PAGE, PAGE,
					  MREMAP_MAYMOVE | MREMAP_FIXED, to));
		FAILS(EPERM, (long)mremap(to, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
					  p + PAGE));
		FAILS(EPERM, (long)mremap(p, 4 * PAGE, PAGE, 0));
		FAILS(EPERM,
		      (long)mremap(p, 4 * PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to));
		p[PAGE] = 1; /* writing is not changing it */
		CHECK(madvise(p + PAGE, PAGE, MADV_DONTNEED) == 0 && p[PAGE] == 0);
		CHECK(seal(p + PAGE, PAGE, 0) == 0); /* again */
		CHECK(munmap(p, PAGE) == 0 && munmap(p + 3 * PAGE, PAGE) == 0);
		CHILD(child)
		{
			FAILS(EPERM, munmap(p + PAGE, PAGE));
			_exit(0);
		}
		WAIT_EXIT(child, 0);
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
}

static void what_cannot_be_written_cannot_be_discarded(void)
{
	CHILD(pid)
	{
		char *p = pages(1, RW);

		p[0] = 1;
		CHECK(mprotect(p, PAGE, PROT_READ) == 0 && seal(p, PAGE, 0) == 0);
		FAILS(EPERM, madvise(p, PAGE, MADV_DONTNEED));
		FAILS(EPERM, madvise(p, PAGE, MADV_FREE));
		FAILS(EPERM, madvise(p, PAGE, MADV_DONTFORK));
		FAILS(EPERM, madvise(p, PAGE, MADV_WIPEONFORK));
		CHECK(madvise(p, PAGE, MADV_WILLNEED) == 0 && p[0] == 1);
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
}

static bool is_mapped(char *p)
{
	unsigned char in;

	return mincore(p, PAGE, &in) == 0;
}

/* mremap(2) with a new place of its own empties that first. */
static void a_move_that_fails_has_made_room(void)
{
	CHILD(pid)
	{
		int both = MREMAP_MAYMOVE | MREMAP_FIXED;
		char *p = pages(3, RW);
		char *to = pages(3, RW);

		CHECK(seal(to + PAGE, PAGE, 0) == 0);
		FAILS(EPERM, (long)mremap(p, 3 * PAGE, 2 * PAGE, both, to));
		CHECK(is_mapped(p + 2 * PAGE) && is_mapped(to));
		CHECK(munmap(to, PAGE) == 0 && munmap(to + 2 * PAGE, PAGE) == 0);
		to = pages(3, RW);
		CHECK(mprotect(p, PAGE, PROT_READ) == 0);
		CHECK(seal(p + 2 * PAGE, PAGE, 0) == 0);
		FAILS(EPERM, (long)mremap(p + PAGE, 2 * PAGE, PAGE, both, to + PAGE));
		CHECK(is_mapped(to) && !is_mapped(to + PAGE) && is_mapped(p + PAGE));
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
}

static void segments_of_system_v_are_not_detached(void)
{
	CHILD(pid)
	{
		int id = shmget(IPC_PRIVATE, PAGE, 0600);
		char *p = shmat(id, NULL, 0);

		CHECK(id >= 0 && p != (void *)-1 && shmctl(id, IPC_RMID, NULL) == 0);
		CHECK(seal(p, PAGE, 0) == 0);
		CHECK(shmdt(p) == 0 && is_mapped(p));
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
}

static void exec_begins_anew(void)
{
	CHILD(pid)
	{
		CHECK(seal(pages(1, RW), PAGE, 0) == 0);
		execl("/bin/true", "true", NULL);
		_exit(1);
	}
	WAIT_EXIT(pid, 0);
}

static void errors(void)
{
	char *p = pages(3, RW);

	CHECK(munmap(p + PAGE, PAGE) == 0);
	FAILS(EINVAL, seal(p, PAGE, 1));
	FAILS(EINVAL, seal(p + 1, PAGE, 0));
	FAILS(EINVAL, seal(p, ~0ul, 0));
	FAILS(EINVAL, seal(p, ~0ul - PAGE, 0));
	FAILS(ENOMEM, seal(p, 3 * PAGE, 0));
	FAILS(ENOMEM, seal(p + PAGE, PAGE, 0));
	FAILS(ENOMEM, seal((void *)0x7ffffffff000, PAGE, 0));
	CHECK(seal(p, 0, 0) == 0);
	CHECK(munmap(p, PAGE) == 0 && munmap(p + 2 * PAGE, PAGE) == 0);
}

RUN(TEST(nothing_changes_it), TEST(what_cannot_be_written_cannot_be_discarded),
    TEST(a_move_that_fails_has_made_room), TEST(segments_of_system_v_are_not_detached),
    TEST(exec_begins_anew), TEST(errors))
