/* SPDX-License-Identifier: MIT */
/* Each run of a program finds its memory elsewhere; a fork does not. */
/* calls: execve brk mmap fork */
#include "fixture.h"

#include <sys/auxv.h>
#include <sys/personality.h>

enum { STACK, HEAP, LIBRARY, PROGRAM, VDSO, MAPPING, PLACES, RUNS = 6 };

static uintptr_t place[RUNS][PLACES];

static void look(uintptr_t at[PLACES])
{
	int local;

	at[STACK] = (uintptr_t)&local & -PAGE;
	at[HEAP] = (uintptr_t)sbrk(0);
	at[LIBRARY] = (uintptr_t)printf;
	at[PROGRAM] = (uintptr_t)look;
	at[VDSO] = getauxval(AT_SYSINFO_EHDR);
	at[MAPPING] = (uintptr_t)page_with(PROT_READ);
}

/* A child run of this program only writes its addresses to descriptor 9. */
__attribute__((constructor)) static void tell(void)
{
	uintptr_t at[PLACES];

	if (!getenv("ASLR_TELL"))
		return;
	look(at);
	_exit(write(9, at, sizeof(at)) == sizeof(at) ? 0 : 1);
}

static void skip_without_randomization(void)
{
	if ((personality(0xffffffff) & ADDR_NO_RANDOMIZE) ||
	    file_get("/proc/sys/kernel/randomize_va_space")[0] != '2') {
		printf("skip: randomization is off\n");
		exit(77);
	}
}

static void runs_differ_in_every_place(void)
{
	int p[2];

	skip_without_randomization();
	CHECK(pipe(p) == 0);
	for (int i = 0; i < RUNS; i++) {
		pid_t pid = fork();

		CHECK(pid >= 0);
		if (pid == 0) {
			CHECK(dup2(p[1], 9) == 9 && setenv("ASLR_TELL", "1", 1) == 0);
			execl("/proc/self/exe", "aslr", (char *)NULL);
			_exit(1);
		}
		CHECK(child_wait(pid) == 0);
		CHECK(read(p[0], place[i], sizeof(place[i])) == sizeof(place[i]));
	}
	for (int j = 0; j < PLACES; j++) {
		int same = 0;

		for (int i = 1; i < RUNS; i++)
			same += place[i][j] == place[0][j];
		CHECK(same < RUNS - 1);
	}
	CHECK(close(p[0]) == 0 && close(p[1]) == 0);
}

static uintptr_t mine[PLACES];

static void child_compares(void)
{
	uintptr_t at[PLACES];

	look(at);
	CHECK(at[HEAP] == mine[HEAP] && at[LIBRARY] == mine[LIBRARY]);
	CHECK(at[PROGRAM] == mine[PROGRAM] && at[VDSO] == mine[VDSO]);
}

static void a_fork_keeps_its_places(void)
{
	look(mine);
	CHECK(in_child(child_compares) == 0);
}

RUN(TEST(runs_differ_in_every_place), TEST(a_fork_keeps_its_places))
