/* SPDX-License-Identifier: MIT */
/* kernel_memory.c - the kernel's addresses named in system calls: EFAULT, and nothing
 * read, written or changed. With the argument `jump` or `scribble` and a number it is the
 * hostile program of kernel_jump.sh, which runs it in sandboxes of its own. */
#include "raw.h"

#include <poll.h>
#include <sched.h>
#include <sys/auxv.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/utsname.h>

/* Text, read-only data, data, heap, the reservation's far end, the last pages below 2^47.
 */
static const uint64_t places[] = {
	KERNEL_TEXT,	      KERNEL_TEXT + 8, 0x7ff000040000, KERNEL_DATA,
	KERNEL_DATA + 0x6700, 0x7ff001000000,  0x7ff010000000, 0x7ff800000000,
	0x7fffffffe000,	      0x7feffffff000,
};
#define FOR_PLACES(p)                                                                    \
	for (size_t i_ = 0; i_ < sizeof(places) / sizeof(*places); i_++)                 \
		for (void *p = (void *)places[i_], *once_ = &i_; once_; once_ = NULL)

static int ends[2]; /* of a pipe */

static void pipe_open(void)
{
	CHECK(pipe(ends) == 0);
	CHECK(fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0);
}

static void pipe_is_empty(void)
{
	char c;

	FAILS(EAGAIN, read(ends[0], &c, 1));
}

static void nothing_is_read_from_it(void)
{
	char edge[PAGE];

	pipe_open();
	FOR_PLACES(p)
	{
		struct iovec v = {p, 64};
		struct iovec two[2] = {{edge, 0}, {p, 1}};

		FAILS(EFAULT, write(ends[1], p, 1));
		FAILS(EFAULT, write(ends[1], p, 4096));
		FAILS(EFAULT, writev(ends[1], &v, 1));
		FAILS(EFAULT, writev(ends[1], two, 2));
		FAILS(EFAULT, writev(ends[1], p, 1));
		pipe_is_empty();
		FAILS(EFAULT, syscall(SYS_open, p, O_RDONLY));
		FAILS(EFAULT, syscall(SYS_execve, p, NULL, NULL));
		FAILS(EFAULT, syscall(SYS_execve, "/bin/true", p, NULL));
		FAILS(EFAULT, syscall(SYS_execve, "/bin/true", NULL, p));
		FAILS(EFAULT, syscall(SYS_chdir, p));
		FAILS(EFAULT, syscall(SYS_mkdir, p, 0700));
		FAILS(EFAULT, syscall(SYS_unlink, p));
		FAILS(EFAULT, syscall(SYS_symlink, p, "x"));
		FAILS(EFAULT, syscall(SYS_rename, "x", p));
		FAILS(EFAULT, syscall(SYS_nanosleep, p, NULL));
		FAILS(EFAULT, syscall(SYS_poll, p, 1, 0));
		FAILS(EFAULT, syscall(SYS_rt_sigprocmask, SIG_BLOCK, p, NULL, 8));
		FAILS(EFAULT, syscall(SYS_rt_sigaction, SIGUSR1, p, NULL, 8));
		FAILS(EFAULT, syscall(SYS_sigaltstack, p, NULL));
		FAILS(EFAULT, syscall(SYS_setrlimit, RLIMIT_CORE, p));
		FAILS(EFAULT,
		      syscall(SYS_futex, p, 0, 0, NULL, NULL, 0)); /* FUTEX_WAIT */
		FAILS(EFAULT, syscall(SYS_memfd_create, p, 0));
	}
	CHECK(close(ends[0]) == 0 && close(ends[1]) == 0);
}

static void nothing_is_written_to_it(void)
{
	char text[8] = "12345678";
	char back[8];

	pipe_open();
	CHECK(write(ends[1], text, sizeof(text)) == sizeof(text));
	FOR_PLACES(p)
	{
		struct iovec v = {p, 8};

		FAILS(EFAULT, read(ends[0], p, 8));
		FAILS(EFAULT, readv(ends[0], &v, 1));
		FAILS(EFAULT, syscall(SYS_pipe, p));
		FAILS(EFAULT, syscall(SYS_fstat, 0, p));
		FAILS(EFAULT, syscall(SYS_stat, "/", p));
		FAILS(EFAULT, syscall(SYS_uname, p));
		FAILS(EFAULT, syscall(SYS_getcwd, p, 4096));
		FAILS(EFAULT, syscall(SYS_getrandom, p, 16, 0));
		FAILS(EFAULT, syscall(SYS_getrlimit, RLIMIT_CORE, p));
		FAILS(EFAULT, syscall(SYS_getrusage, RUSAGE_SELF, p));
		FAILS(EFAULT, syscall(SYS_sysinfo, p));
		FAILS(EFAULT, syscall(SYS_times, p));
		FAILS(EFAULT, syscall(SYS_clock_gettime, CLOCK_MONOTONIC, p));
		FAILS(EFAULT, syscall(SYS_gettimeofday, p, NULL));
		FAILS(EFAULT, syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, p, 8));
		FAILS(EFAULT, syscall(SYS_rt_sigaction, SIGUSR1, NULL, p, 8));
		FAILS(EFAULT, syscall(SYS_sigaltstack, NULL, p));
		FAILS(EFAULT, syscall(SYS_sched_getaffinity, 0, 128, p));
		FAILS(EFAULT, syscall(SYS_readlink, "/proc/self/exe", p, 100));
		FAILS(EFAULT, syscall(SYS_getresuid, p, p, p));
		FAILS(EFAULT, syscall(SYS_mincore, page_with(PROT_READ), PAGE, p));
	}
	CHECK(read(ends[0], back, sizeof(back)) == 8 && memcmp(back, text, 8) == 0);
	CHECK(close(ends[0]) == 0 && close(ends[1]) == 0);
}

/* A buffer that begins in the guest and runs on into the kernel stops at the border. */
static void a_buffer_may_not_run_into_it(void)
{
	const uint64_t border = 0x7feffffff000;
	char *last = mmap((void *)(border - PAGE), PAGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	long n;

	if (last == MAP_FAILED)
		return; /* something lies there already */
	pipe_open();
	n = write(ends[1], last, 3 * PAGE);
	CHECK(n == (long)PAGE || (n == -1 && errno == EFAULT));
	FAILS(EFAULT, syscall(SYS_uname, last + PAGE - 8));
	CHECK(munmap(last, PAGE) == 0);
	CHECK(close(ends[0]) == 0 && close(ends[1]) == 0);
}

static void it_cannot_be_mapped_or_unmapped(void)
{
	FOR_PLACES(q)
	{
		char *p = (char *)((uintptr_t)q & ~(PAGE - 1));

		CHECK(mmap(p, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
			   -1, 0) == MAP_FAILED);
		CHECK(errno == ENOMEM || errno == EINVAL);
		CHECK(mmap(p, PAGE, PROT_READ,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1,
			   0) == MAP_FAILED);
		CHECK(munmap(p, PAGE) == -1 && errno == EINVAL);
		CHECK(mprotect(p, PAGE, PROT_READ | PROT_WRITE) == -1 && errno == ENOMEM);
		CHECK(madvise(p, PAGE, MADV_DONTNEED) == -1 &&
		      (errno == ENOMEM || errno == EINVAL));
		CHECK(msync(p, PAGE, MS_SYNC) == -1 && errno == ENOMEM);
		CHECK(mremap(p, PAGE, 2 * PAGE, MREMAP_MAYMOVE) == MAP_FAILED);
		CHECK(errno == EFAULT || errno == EINVAL);
		CHECK(mremap(page_with(PROT_READ), PAGE, PAGE,
			     MREMAP_MAYMOVE | MREMAP_FIXED, p) == MAP_FAILED);
		CHECK(errno == EINVAL || errno == ENOMEM);
		CHECK(mlock(p, PAGE) == -1 && (errno == ENOMEM || errno == EINVAL));
	}
	/* a hint there is only a hint */
	char *p = mmap((void *)KERNEL_DATA, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS,
		       -1, 0);

	CHECK(p != MAP_FAILED && (uint64_t)p < 0x7feffffff000);
	/* from below across all of it */
	CHECK(munmap((void *)0x7fe000000000, 0x1f00000000) == -1 && errno == EINVAL);
	CHECK(madvise((void *)0x7fe000000000, 0x1f00000000, MADV_DONTNEED) == -1);
	CHECK(mprotect((void *)0x7fe000000000, 0x1f00000000, PROT_NONE) == -1);
	CHECK(getppid() >= 0);
}

static void the_list_of_mappings_does_not_show_it(void)
{
	const char *maps = file_get("/proc/self/maps");
	uint64_t from, to;

	for (const char *line = maps; line && *line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (sscanf(line, "%lx-%lx", &from, &to) == 2)
			CHECK(to <= 0x7feffffff000 || from >= 0xffffffff00000000);
	}
}

static void its_data_cannot_be_executed(void)
{
	for (int i = 0; i < 3; i++) {
		int status;
		pid_t pid = fork();

		CHECK(pid >= 0);
		if (pid == 0) {
			((void (*)(void))(KERNEL_DATA + (uint64_t)i * 0x1000))();
			_exit(1);
		}
		status = child_wait(pid);
		CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
	}
}

/* ---- the hostile program ---- */

static uint64_t next_random(uint64_t *state)
{
	*state = *state * 6364136223846793005UL + 1442695040888963407UL;
	return *state >> 16;
}

/* Jumps into the middle of the kernel's text with registers full of rubbish. */
static void jump(uint64_t seed)
{
	uint64_t state = seed * 7919 + 1;
	struct raw raw = {.gadget = KERNEL_TEXT + next_random(&state) % 0x38000};

	raw.nr = next_random(&state);
	for (int i = 0; i < 6; i++)
		raw.arg[i] = i % 2 ? next_random(&state)
				   : KERNEL_DATA + next_random(&state) % 0x100000;
	(void)raw_jump(&raw);
}

/* Overwrites the kernel's data, then goes on making calls. */
static void scribble(uint64_t seed)
{
	uint64_t state = seed * 104729 + 1;

	for (int i = 0; i < 2000; i++) {
		volatile uint64_t *at =
			(volatile uint64_t *)(KERNEL_DATA +
					      next_random(&state) % 0x8000 / 8 * 8);

		*at = next_random(&state) * next_random(&state);
		(void)getppid();
		if (i % 100 == 0 && fork() == 0)
			_exit(0);
	}
}

static const struct test tests[] = {
	TEST(nothing_is_read_from_it),
	TEST(nothing_is_written_to_it),
	TEST(a_buffer_may_not_run_into_it),
	TEST(it_cannot_be_mapped_or_unmapped),
	TEST(the_list_of_mappings_does_not_show_it),
	TEST(its_data_cannot_be_executed),
};

int main(int argc, char **argv)
{
	if (argc == 3) {
		uint64_t seed = strtoul(argv[2], NULL, 10);

		if (strcmp(argv[1], "jump") == 0)
			jump(seed);
		else
			scribble(seed);
		return 0;
	}
	return test_main(tests, sizeof(tests) / sizeof(*tests));
}
