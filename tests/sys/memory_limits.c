/* SPDX-License-Identifier: MIT */
/* calls: setrlimit mmap mremap mprotect brk shmat execve */
/* memory_limits.c - RLIMIT_AS, RLIMIT_DATA and RLIMIT_STACK: what counts against them,
 * and the fields of /proc/PID/status and statm that say how much that is. */
#include "fixture.h"

#include <sys/resource.h>
#include <sys/shm.h>

#define MIB (1UL << 20)
#define RW  (PROT_READ | PROT_WRITE)

static unsigned long bytes_of(const char *name)
{
	char line[256], want[32];
	unsigned long value = 0;
	FILE *f = fopen("/proc/self/status", "r");

	CHECK(f);
	snprintf(want, sizeof(want), "%s: %%lu kB", name);
	while (!value && fgets(line, sizeof(line), f))
		(void)sscanf(line, want, &value);
	fclose(f);
	return value * 1024;
}

static void limit(int resource, unsigned long soft, unsigned long hard)
{
	struct rlimit l = {soft, hard};

	CHECK(setrlimit(resource, &l) == 0);
}

static void *map(size_t size, int prot, int flags)
{
	return mmap(NULL, size, prot, flags | MAP_ANONYMOUS, -1, 0);
}

/* Each in a child, which keeps its limits to itself. */
#define IN_CHILD(name)                                                                   \
	static void name(void)                                                           \
	{                                                                                \
		CHECK(child_wait(child_start(name##_child)) == 0);                       \
	}

static void address_space_is_limited_child(void)
{
	char *p = map(8 * MIB, RW, MAP_PRIVATE), *q;
	int id = shmget(IPC_PRIVATE, 8 * MIB, 0600);

	CHECK(p != MAP_FAILED && id >= 0);
	CHECK(shmctl(id, IPC_STAT, &(struct shmid_ds){0}) == 0);
	limit(RLIMIT_AS, bytes_of("VmSize") + 4 * MIB, RLIM_INFINITY);
	FAILS(ENOMEM, (long)map(6 * MIB, PROT_NONE, MAP_PRIVATE));
	FAILS(ENOMEM, (long)map(6 * MIB, RW, MAP_SHARED));
	FAILS(ENOMEM, (long)shmat(id, NULL, 0));
	CHECK(shmctl(id, IPC_RMID, NULL) == 0);
	FAILS(ENOMEM, (long)mremap(p, 8 * MIB, 14 * MIB, MREMAP_MAYMOVE));
	FAILS(ENOMEM,
	      (long)mremap(p, 6 * MIB, 6 * MIB, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL));
	CHECK(mremap(p, 8 * MIB, 10 * MIB, 0) != MAP_FAILED || errno == ENOMEM);
	/* What replaces something needs no more. */
	q = mmap(p, 8 * MIB, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	CHECK(q == p && mprotect(p, 8 * MIB, PROT_READ) == 0);
	CHECK(mprotect(p, 8 * MIB, RW) == 0);
	/* Below what is used already. */
	limit(RLIMIT_AS, MIB, RLIM_INFINITY);
	FAILS(ENOMEM, (long)map(PAGE, RW, MAP_PRIVATE));
	CHECK(mmap(p, 8 * MIB, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) ==
	      MAP_FAILED);
	CHECK(mprotect(p, 8 * MIB, PROT_READ) == 0 && mprotect(p, 8 * MIB, RW) == 0);
	CHECK(munmap(p, 8 * MIB) == 0);
}
IN_CHILD(address_space_is_limited)

static void data_are_limited_child(void)
{
	char *p = map(8 * MIB, PROT_READ, MAP_PRIVATE);
	char *q = map(8 * MIB, RW, MAP_PRIVATE);

	CHECK(p != MAP_FAILED && q != MAP_FAILED);
	limit(RLIMIT_DATA, bytes_of("VmData") + 4 * MIB, RLIM_INFINITY);
	FAILS(ENOMEM, (long)map(6 * MIB, RW, MAP_PRIVATE));
	CHECK(map(6 * MIB, PROT_READ, MAP_PRIVATE) != MAP_FAILED);
	CHECK(map(6 * MIB, RW, MAP_SHARED) != MAP_FAILED);
	CHECK(map(6 * MIB, RW, MAP_PRIVATE | MAP_GROWSDOWN) != MAP_FAILED);
	FAILS(ENOMEM, mprotect(p, 6 * MIB, RW));
	CHECK(mprotect(p, 2 * MIB, RW) == 0);
	FAILS(ENOMEM, mprotect(p, 5 * MIB, RW));
	CHECK(mprotect(p, 2 * MIB, PROT_READ) == 0);
	/* MAP_FIXED counts what it adds. */
	CHECK(mmap(q, 8 * MIB, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == q);
	CHECK(mmap(p, 8 * MIB, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == p);
	FAILS(ENOMEM, (long)mremap(q, 8 * MIB, 32 * MIB, MREMAP_MAYMOVE));
	CHECK(munmap(p, 8 * MIB) == 0 && munmap(q, 8 * MIB) == 0);
}
IN_CHILD(data_are_limited)

/* The break has its own rule, and a soft limit of 0 is for it alone. */
static void the_break_is_limited_child(void)
{
	char *end = sbrk(0);

	limit(RLIMIT_DATA, 0, RLIM_INFINITY);
	FAILS(ENOMEM, (long)sbrk(MIB));
	CHECK(sbrk(0) == end);
	CHECK(map(MIB, RW, MAP_PRIVATE) != MAP_FAILED);
	limit(RLIMIT_DATA, 0, MIB);
	FAILS(ENOMEM, (long)map(64 * MIB, RW, MAP_PRIVATE));
	CHECK(map(64 * MIB, PROT_READ, MAP_PRIVATE) != MAP_FAILED);
}
IN_CHILD(the_break_is_limited)

static void growth_of_a_stack_is_limited_child(void)
{
	char *p = map(64 * MIB, PROT_NONE, MAP_PRIVATE);
	char *top = p + 63 * MIB, *q;
	int status;
	pid_t pid;

	CHECK(p != MAP_FAILED && munmap(p, 64 * MIB) == 0);
	q = mmap(top, MIB, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_GROWSDOWN,
		 -1, 0);
	CHECK(q == top);
	limit(RLIMIT_STACK, 3 * MIB, RLIM_INFINITY);
	for (size_t at = PAGE; at <= 2 * MIB; at += PAGE)
		top[-(long)at] = 1;
	pid = fork();
	if (pid == 0) {
		signal(SIGSEGV, SIG_DFL);
		limit(RLIMIT_CORE, 0, 0);
		for (size_t at = 2 * MIB; at <= 3 * MIB; at += PAGE)
			top[-(long)at] = 1;
		_exit(0);
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
	CHECK(munmap(top - 2 * MIB, 3 * MIB) == 0);
}
IN_CHILD(growth_of_a_stack_is_limited)

extern char **environ;

/* Runs true with an argument list of about so many bytes. */
static int run_with(size_t bytes)
{
	enum { PIECE = 100000 };
	size_t n = bytes / PIECE;
	char **argv = calloc(n + 2, sizeof(*argv));
	char *piece = malloc(PIECE + 1);
	int status;
	pid_t pid;

	memset(piece, 'x', PIECE);
	piece[PIECE] = 0;
	argv[0] = (char *)"true";
	for (size_t i = 0; i < n; i++)
		argv[i + 1] = piece;
	pid = fork();
	if (pid == 0) {
		execve("/bin/true", argv, (char *[]){NULL});
		_exit(errno);
	}
	CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
	free(argv);
	free(piece);
	return WEXITSTATUS(status);
}

static void arguments_are_limited_child(void)
{
	limit(RLIMIT_STACK, 8 * MIB, RLIM_INFINITY);
	CHECK(run_with(19 * MIB / 10) == 0);
	CHECK(run_with(21 * MIB / 10) == E2BIG);
	limit(RLIMIT_STACK, 64 * MIB, RLIM_INFINITY);
	CHECK(run_with(59 * MIB / 10) == 0);
	CHECK(run_with(61 * MIB / 10) == E2BIG);
	limit(RLIMIT_STACK, RLIM_INFINITY, RLIM_INFINITY);
	CHECK(run_with(61 * MIB / 10) == E2BIG);
}
IN_CHILD(arguments_are_limited)

static unsigned long statm(int field)
{
	unsigned long v[7] = {0};
	FILE *f = fopen("/proc/self/statm", "r");

	CHECK(f);
	for (int i = 0; i < 7; i++)
		CHECK(fscanf(f, "%lu", &v[i]) == 1);
	fclose(f);
	return v[field] * PAGE;
}

static void the_fields_agree(void)
{
	unsigned long exe = bytes_of("VmExe"), lib = bytes_of("VmLib");
	char *p;

	CHECK(statm(0) == bytes_of("VmSize"));
	CHECK(statm(5) == bytes_of("VmData") + bytes_of("VmStk"));
	CHECK(statm(3) == exe && statm(4) == 0 && statm(6) == 0);
	CHECK(statm(1) + MIB > bytes_of("VmRSS") && statm(1) < bytes_of("VmRSS") + MIB);
	/* What can be executed, and is not the program, is a library's. */
	p = map(MIB, PROT_READ | PROT_EXEC, MAP_PRIVATE);
	CHECK(p != MAP_FAILED && bytes_of("VmLib") == lib + MIB);
	CHECK(bytes_of("VmExe") == exe);
	CHECK(mprotect(p, MIB, RW | PROT_EXEC) == 0 && bytes_of("VmLib") == lib);
	CHECK(munmap(p, MIB) == 0);
	p = map(MIB, RW, MAP_PRIVATE | MAP_GROWSDOWN);
	exe = bytes_of("VmStk");
	CHECK(munmap(p, MIB) == 0 && bytes_of("VmStk") == exe - MIB);
}

RUN(TEST(address_space_is_limited), TEST(data_are_limited), TEST(the_break_is_limited),
    TEST(growth_of_a_stack_is_limited), TEST(arguments_are_limited),
    TEST(the_fields_agree))
