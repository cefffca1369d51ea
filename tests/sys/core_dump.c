/* SPDX-License-Identifier: MIT */
/* calls: kill prctl wait4 */
/* core_dump.c - core files: when there is one, and what a debugger finds in it (core(5)).
 */
#include "proc.h"
#include <elf.h>
#include <sys/prctl.h>
#include <sys/procfs.h>
#include <sys/stat.h>

static char marker[] = "look for this in the core file";
static char *advised;

static bool is_plain_pattern(void)
{
	char text[64] = "";
	int fd = open("/proc/sys/kernel/core_pattern", O_RDONLY);

	CHECK(fd >= 0 && read(fd, text, sizeof(text) - 1) > 0 && close(fd) == 0);
	if (strcmp(text, "core\n") != 0)
		return false;
	memset(text, 0, sizeof(text));
	fd = open("/proc/sys/kernel/core_uses_pid", O_RDONLY);
	CHECK(fd >= 0 && read(fd, text, sizeof(text) - 1) > 0 && close(fd) == 0);
	return strcmp(text, "0\n") == 0;
}

static void limit_set(rlim_t to)
{
	struct rlimit r;

	CHECK(getrlimit(RLIMIT_CORE, &r) == 0);
	r.rlim_cur = r.rlim_max < to ? r.rlim_max : to;
	CHECK(setrlimit(RLIMIT_CORE, &r) == 0);
}

/* Runs what in a child that may leave a core file; returns its status. */
static int run(void (*what)(void))
{
	CHILD(pid)
	{
		limit_set(RLIM_INFINITY);
		what();
		_exit(0);
	}
	return wait_status(pid);
}

static void die_of_abort(void)
{
	raise(SIGABRT);
}

static void die_of_fault(void)
{
	*(volatile char *)BAD_PTR = 1;
}

static void *sleep_for_good(void *arg)
{
	(void)arg;
	for (;;)
		pause();
	return NULL;
}

static void *spin(void *arg)
{
	*(volatile int *)arg = 1;
	for (;;)
		__asm__ volatile("");
	return NULL;
}

static void die_with_threads(void)
{
	volatile int spins = 0;
	pthread_t a, b;

	thread_start(&a, sleep_for_good, NULL);
	thread_start(&b, spin, (void *)&spins);
	while (!spins)
		sched_yield();
	raise(SIGQUIT);
}

static void die_undumpable(void)
{
	CHECK(prctl(PR_SET_DUMPABLE, 0) == 0);
	raise(SIGABRT);
}

static void die_with_little_room(void)
{
	limit_set(0);
	raise(SIGABRT);
}

static void die_of_term(void)
{
	raise(SIGTERM);
}

static void die_advised(void)
{
	CHECK(madvise(advised, 4096, MADV_DONTDUMP) == 0);
	raise(SIGABRT);
}

/* ---- reading core files ---- */

struct core {
	int fd;
	Elf64_Ehdr e;
	Elf64_Phdr p[512];
	int threads;
	bool has_process, has_auxv, has_files, has_info;
	prstatus_t first;
};

static void notes_read(struct core *c, const Elf64_Phdr *p)
{
	static char notes[1 << 20];

	CHECK(p->p_filesz <= sizeof(notes));
	CHECK(pread(c->fd, notes, p->p_filesz, (off_t)p->p_offset) ==
	      (ssize_t)p->p_filesz);
	for (size_t at = 0; at + sizeof(Elf64_Nhdr) < p->p_filesz;) {
		Elf64_Nhdr *n = (Elf64_Nhdr *)(void *)(notes + at);
		size_t desc = at + sizeof(*n) + (n->n_namesz + 3) / 4 * 4;

		if (n->n_type == NT_PRSTATUS) {
			CHECK(n->n_descsz == sizeof(prstatus_t));
			if (c->threads++ == 0)
				memcpy(&c->first, notes + desc, sizeof(c->first));
		}
		c->has_process |=
			n->n_type == NT_PRPSINFO && n->n_descsz == sizeof(prpsinfo_t);
		c->has_auxv |= n->n_type == NT_AUXV;
		c->has_files |= n->n_type == NT_FILE;
		c->has_info |= n->n_type == NT_SIGINFO;
		at = desc + (n->n_descsz + 3) / 4 * 4;
	}
}

static void core_open(struct core *c)
{
	struct stat st;

	memset(c, 0, sizeof(*c));
	c->fd = open("core", O_RDONLY);
	CHECK(c->fd >= 0 && fstat(c->fd, &st) == 0 && (st.st_mode & 07777) == 0600);
	CHECK(read(c->fd, &c->e, sizeof(c->e)) == sizeof(c->e));
	CHECK(memcmp(c->e.e_ident, ELFMAG, SELFMAG) == 0 && c->e.e_type == ET_CORE);
	CHECK(c->e.e_phnum < 512 && c->e.e_phentsize == sizeof(Elf64_Phdr));
	CHECK(pread(c->fd, c->p, c->e.e_phnum * sizeof(Elf64_Phdr), (off_t)c->e.e_phoff) >
	      0);
	for (int i = 0; i < c->e.e_phnum; i++)
		if (c->p[i].p_type == PT_NOTE)
			notes_read(c, &c->p[i]);
}

/* Reads memory of the dead process: false if it is not in the file. */
static bool core_memory(struct core *c, const void *addr, void *to, size_t size)
{
	uintptr_t a = (uintptr_t)addr;

	for (int i = 0; i < c->e.e_phnum; i++) {
		const Elf64_Phdr *p = &c->p[i];

		if (p->p_type == PT_LOAD && a >= p->p_vaddr &&
		    a + size <= p->p_vaddr + p->p_filesz)
			return pread(c->fd, to, size,
				     (off_t)(p->p_offset + (a - p->p_vaddr))) ==
			       (ssize_t)size;
	}
	return false;
}

static void core_close(struct core *c)
{
	CHECK(close(c->fd) == 0 && unlink("core") == 0);
}

/* ---- the tests ---- */

static void a_core_shows_memory_and_registers(void)
{
	static struct core c;
	char copy[sizeof(marker)] = "";
	int status = run(die_of_abort);

	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT && WCOREDUMP(status));
	core_open(&c);
	CHECK(c.threads == 1 && c.has_process && c.has_auxv && c.has_files && c.has_info);
	CHECK(c.first.pr_cursig == SIGABRT && c.first.pr_info.si_signo == SIGABRT);
	CHECK(c.first.pr_ppid == getpid() && c.first.pr_pid > 0);
	CHECK(core_memory(&c, marker, copy, sizeof(copy)));
	CHECK(strcmp(copy, marker) == 0);
	/* the stack is there, where the stack pointer says */
	CHECK(core_memory(&c, (void *)c.first.pr_reg[19], copy, 8));
	core_close(&c);
}

static void faults_leave_one(void)
{
	siginfo_t info;

	CHILD(pid)
	{
		limit_set(RLIM_INFINITY);
		die_of_fault();
	}
	CHECK(waitid(P_PID, (id_t)pid, &info, WEXITED) == 0);
	CHECK(info.si_code == CLD_DUMPED && info.si_status == SIGSEGV);
	CHECK(unlink("core") == 0);
}

static void each_thread_is_in_it(void)
{
	static struct core c;
	int status = run(die_with_threads);

	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGQUIT && WCOREDUMP(status));
	core_open(&c);
	CHECK(c.threads == 3 && c.first.pr_cursig == SIGQUIT);
	core_close(&c);
}

static void some_deaths_leave_none(void)
{
	void (*const deaths[])(void) = {die_undumpable, die_with_little_room,
					die_of_term};

	for (int i = 0; i < 3; i++) {
		int status = run(deaths[i]);

		CHECK(WIFSIGNALED(status) && !WCOREDUMP(status));
		FAILS(ENOENT, open("core", O_RDONLY));
	}
}

static void die_with_some_room(void)
{
	limit_set(4096);
	raise(SIGABRT);
}

static void a_limit_cuts_it(void)
{
	struct stat st;

	CHECK(WCOREDUMP(run(die_with_some_room)));
	CHECK(stat("core", &st) == 0 && st.st_blocks <= 256 && unlink("core") == 0);
}

static void advice_is_heeded(void)
{
	static struct core c;
	char copy[8] = "";
	int status;

	advised = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(advised != MAP_FAILED);
	memset(advised, 'a', 3 * 4096);
	status = run(die_advised);
	CHECK(WCOREDUMP(status));
	core_open(&c);
	CHECK(!core_memory(&c, advised, copy, 8));
	CHECK(core_memory(&c, advised + 4096, copy, 8) &&
	      memcmp(copy, "aaaaaaaa", 8) == 0);
	core_close(&c);
	CHECK(munmap(advised, 3 * 4096) == 0);
}

/* What bears the name gives way to a new file, if it can. */
static void prepared_names_are_not_followed(void)
{
	int fd = open("target", O_CREAT | O_RDWR, 0600);
	struct stat st;

	CHECK(fd >= 0 && symlink("target", "core") == 0);
	CHECK(WCOREDUMP(run(die_of_abort)));
	CHECK(lstat("core", &st) == 0 && S_ISREG(st.st_mode) && unlink("core") == 0);
	CHECK(link("target", "core") == 0);
	CHECK(WCOREDUMP(run(die_of_abort)) && unlink("core") == 0);
	CHECK(mkdir("core", 0700) == 0);
	CHECK(!WCOREDUMP(run(die_of_abort)) && rmdir("core") == 0);
	CHECK(fstat(fd, &st) == 0 && st.st_size == 0 && st.st_nlink == 1);
	CHECK(close(fd) == 0 && unlink("target") == 0);
}

static void begin(void)
{
	struct rlimit r;

	CHECK(getrlimit(RLIMIT_CORE, &r) == 0);
	if (r.rlim_max < 1 << 20 || !is_plain_pattern()) {
		printf("not here: the limit or the name of core files\n");
		exit(77);
	}
}

RUN(TEST(begin), TEST(a_core_shows_memory_and_registers), TEST(faults_leave_one),
    TEST(each_thread_is_in_it), TEST(some_deaths_leave_none), TEST(a_limit_cuts_it),
    TEST(advice_is_heeded), TEST(prepared_names_are_not_followed))
