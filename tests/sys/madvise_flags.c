/* SPDX-License-Identifier: MIT */
/* calls: madvise */
/* madvise_flags.c - advice that is kept: what smaps shows of it, and that areas with
 * other advice are other areas. */
#include "fixture.h"

#include <linux/aio_abi.h>
#include <sched.h>
#include <sys/auxv.h>
#include <sys/utsname.h>

#define RW	      (PROT_READ | PROT_WRITE)
#define ANON	      (MAP_PRIVATE | MAP_ANONYMOUS)
#define GUARD_INSTALL 102
#define GUARD_REMOVE  103

/* The flags of the area that holds p, as " rd wr ", and how many pages it has. */
static const char *flags_of(const char *p, size_t *pages)
{
	static char flags[200];
	FILE *f = fopen("/proc/self/smaps", "r");
	unsigned long a, b;
	char line[600];
	bool here = false;

	CHECK(f);
	flags[0] = 0;
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%lx ", &a, &b) == 2) {
			here = (uintptr_t)p >= a && (uintptr_t)p < b;
			if (here)
				*pages = (b - a) / PAGE;
		} else if (here && strncmp(line, "VmFlags:", 8) == 0) {
			snprintf(flags, sizeof(flags), "%.*s", (int)strlen(line) - 9,
				 line + 8);
		}
	}
	fclose(f);
	return flags;
}

static bool has(const char *p, const char *flag)
{
	char word[8];
	size_t pages;

	snprintf(word, sizeof(word), " %s ", flag);
	return strstr(flags_of(p, &pages), word);
}

static size_t pages_of(const char *p)
{
	size_t pages = 0;

	flags_of(p, &pages);
	return pages;
}

static char *area(size_t pages, int flags)
{
	char *p = mmap(NULL, (pages + 2) * PAGE, RW, flags, -1, 0);

	CHECK(p != MAP_FAILED);
	CHECK(munmap(p, PAGE) == 0 && munmap(p + (pages + 1) * PAGE, PAGE) == 0);
	return p + PAGE;
}

static void reading_ahead_is_kept(void)
{
	char *p = area(8, ANON);

	CHECK(madvise(p + PAGE, 2 * PAGE, MADV_SEQUENTIAL) == 0);
	CHECK(pages_of(p) == 1 && pages_of(p + PAGE) == 2 && pages_of(p + 3 * PAGE) == 5);
	CHECK(has(p + PAGE, "sr") && !has(p, "sr") && !has(p + 3 * PAGE, "sr"));
	CHECK(madvise(p + 2 * PAGE, 2 * PAGE, MADV_RANDOM) == 0);
	CHECK(pages_of(p + PAGE) == 1 && pages_of(p + 2 * PAGE) == 2);
	CHECK(has(p + 2 * PAGE, "rr") && !has(p + 2 * PAGE, "sr"));
	CHECK(madvise(p + 2 * PAGE, 2 * PAGE, MADV_SEQUENTIAL) == 0);
	CHECK(pages_of(p + PAGE) == 3 && !has(p + 2 * PAGE, "rr"));
	CHECK(madvise(p + 2 * PAGE, PAGE, MADV_NORMAL) == 0);
	CHECK(pages_of(p + PAGE) == 1 && pages_of(p + 2 * PAGE) == 1 &&
	      pages_of(p + 3 * PAGE) == 1);
	CHECK(madvise(p, 8 * PAGE, MADV_NORMAL) == 0 && pages_of(p) == 8);
	CHECK(munmap(p, 8 * PAGE) == 0);
}

/* A child has it as well; what is moved keeps it, and what is new beside it has none. */
static void reading_ahead_stays(void)
{
	char *p = area(4, ANON);
	int status;
	pid_t pid;
	char *q;

	CHECK(madvise(p, 2 * PAGE, MADV_RANDOM) == 0);
	pid = fork();
	if (pid == 0)
		_exit(has(p, "rr") && pages_of(p) == 2 ? 0 : 1);
	CHECK(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0);
	q = area(4, ANON);
	CHECK(mremap(p, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, q) == q);
	CHECK(has(q, "rr") && pages_of(q) == 2 && pages_of(q + 2 * PAGE) == 2);
	CHECK(mmap(q, PAGE, RW, ANON | MAP_FIXED, -1, 0) == q && !has(q, "rr"));
	CHECK(pages_of(q) == 1 && pages_of(q + PAGE) == 1);
	CHECK(munmap(q, 4 * PAGE) == 0 && munmap(p + 2 * PAGE, 2 * PAGE) == 0);
}

/* Nothing is split for advice that an area has already. */
static void same_advice_changes_nothing(void)
{
	char *p = area(4, ANON);

	CHECK(madvise(p + PAGE, PAGE, MADV_NORMAL) == 0 && pages_of(p) == 4);
	CHECK(madvise(p, 4 * PAGE, MADV_SEQUENTIAL) == 0 && pages_of(p) == 4);
	CHECK(madvise(p + 2 * PAGE, PAGE, MADV_SEQUENTIAL) == 0 && pages_of(p) == 4);
	CHECK(munmap(p, 4 * PAGE) == 0);
}

/* Where the kernel has huge pages, and merges: they may be left out of it. */
static void pages_to_come(void)
{
	char *p = area(4, ANON);
	char *s = area(4, MAP_SHARED | MAP_ANONYMOUS);

	if (madvise(p + PAGE, PAGE, MADV_HUGEPAGE) == 0) {
		CHECK(has(p + PAGE, "hg") && pages_of(p + PAGE) == 1);
		CHECK(madvise(p + PAGE, 2 * PAGE, MADV_NOHUGEPAGE) == 0);
		CHECK(has(p + PAGE, "nh") && !has(p + PAGE, "hg"));
		CHECK(pages_of(p + PAGE) == 2 && !has(p, "nh"));
		CHECK(madvise(s, 4 * PAGE, MADV_NOHUGEPAGE) == 0 && has(s, "nh"));
	}
	if (madvise(p, PAGE, MADV_MERGEABLE) == 0) {
		CHECK(has(p, "mg") && pages_of(p) == 1);
		CHECK(madvise(p, 4 * PAGE, MADV_UNMERGEABLE) == 0 && !has(p, "mg"));
		CHECK(madvise(s, 2 * PAGE, MADV_MERGEABLE) == 0 && !has(s, "mg"));
		CHECK(pages_of(s) == 4);
	}
	CHECK(munmap(p, 4 * PAGE) == 0 && munmap(s, 4 * PAGE) == 0);
}

/* Since Linux 6.7, where the kernel has huge pages. */
static void a_stack_has_no_huge_pages(void)
{
	char *p = area(4, ANON);
	int major = 0, minor = 0;
	struct utsname u;

	CHECK(uname(&u) == 0 && sscanf(u.release, "%d.%d", &major, &minor) == 2);
	if ((major > 6 || (major == 6 && minor >= 7)) &&
	    madvise(p, PAGE, MADV_HUGEPAGE) == 0) {
		CHECK(mmap(p + PAGE, PAGE, RW, ANON | MAP_STACK | MAP_FIXED, -1, 0) ==
		      p + PAGE);
		CHECK(has(p + PAGE, "nh") && pages_of(p + PAGE) == 1);
	}
	CHECK(munmap(p, 4 * PAGE) == 0);
}

static void stays_unlocked(char *p)
{
	CHECK(mlock(p, PAGE) == 0 && !has(p, "lo"));
	CHECK(syscall(SYS_mlock2, p, PAGE, 1 /* MLOCK_ONFAULT */) == 0 && !has(p, "lf"));
	CHECK(strstr(file_get("/proc/self/status"), "VmLck:\t       0 kB"));
	FAILS(EINVAL, madvise(p, PAGE, MADV_DODUMP));
	CHECK(munlock(p, PAGE) == 0);
}

static void areas_of_the_kernel(void)
{
	char *vdso = (char *)getauxval(AT_SYSINFO_EHDR);
	aio_context_t ring = 0;

	if (vdso)
		stays_unlocked(vdso);
	if (syscall(SYS_io_setup, 1, &ring) == 0) {
		stays_unlocked((char *)ring);
		CHECK(syscall(SYS_io_destroy, ring) == 0);
		ring = 0;
		CHECK(mlockall(MCL_FUTURE) == 0);
		CHECK(syscall(SYS_io_setup, 1, &ring) == 0 && munlockall() == 0);
		stays_unlocked((char *)ring);
		CHECK(syscall(SYS_io_destroy, ring) == 0);
	}
}

/* ---- guards ---- */

static bool shows_guards(void)
{
	char *p = area(2, ANON);
	bool shows = madvise(p, PAGE, GUARD_INSTALL) == 0 && has(p, "gu");

	CHECK(munmap(p, 2 * PAGE) == 0);
	return shows;
}

static void an_area_may_have_guards_for_good(void)
{
	char *p = area(4, ANON);

	if (!shows_guards())
		return;
	CHECK(madvise(p + PAGE, PAGE, GUARD_INSTALL) == 0);
	CHECK(has(p, "gu") && pages_of(p) == 4);
	CHECK(madvise(p, 4 * PAGE, GUARD_REMOVE) == 0 && has(p, "gu"));
	CHECK(munmap(p, 4 * PAGE) == 0);
}

#define LARGE (8UL << 30)
static char *large;

static int install(void *arg)
{
	(void)arg;
	syscall(SYS_madvise, large, LARGE, GUARD_INSTALL);
	return 0;
}

/* Whoever puts guards in is killed meanwhile: those that are there are told of. */
static void guards_of_who_was_killed(void)
{
	static char stack[65536] __attribute__((aligned(16)));
	int fd[2], status;

	if (!shows_guards())
		return;
	CHECK(pipe(fd) == 0);
	for (long i = 0; i < 10; i++) {
		struct timespec t = {0, i * 1000000};
		pid_t pid;

		large = mmap(NULL, LARGE, RW, ANON | MAP_NORESERVE, -1, 0);
		if (large == MAP_FAILED)
			break;
		pid = clone(install, stack + sizeof(stack), CLONE_VM | SIGCHLD, NULL);
		CHECK(pid > 0 && nanosleep(&t, NULL) == 0 && kill(pid, SIGKILL) == 0);
		CHECK(waitpid(pid, &status, 0) == pid);
		if (write(fd[1], large, 1) < 0)
			CHECK(errno == EFAULT && has(large, "gu"));
		CHECK(munmap(large, LARGE) == 0);
	}
	CHECK(close(fd[0]) == 0 && close(fd[1]) == 0);
}

RUN(TEST(reading_ahead_is_kept), TEST(reading_ahead_stays),
    TEST(same_advice_changes_nothing), TEST(pages_to_come),
    TEST(a_stack_has_no_huge_pages), TEST(areas_of_the_kernel),
    TEST(an_area_may_have_guards_for_good), TEST(guards_of_who_was_killed))
