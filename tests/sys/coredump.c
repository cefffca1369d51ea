/* SPDX-License-Identifier: MIT */
/* What a process leaves behind that dies of a signal: a core file, if it is wanted. */
/* calls: prctl setrlimit */
/* timeout: 180 */
#include "fixture.h"

#include <elf.h>
#include <sys/prctl.h>
#include <sys/procfs.h>
#include <sys/resource.h>
#include <sys/user.h>

#define MARK 0x1234567890abcdefUL

static struct marks {
	char *kept, *dropped, *hidden;
	pid_t tid;
} * marks;

static void want_core(rlim_t limit)
{
	struct rlimit r = {limit, RLIM_INFINITY};

	CHECK(getrlimit(RLIMIT_CORE, &r) == 0);
	r.rlim_cur = limit < r.rlim_max ? limit : r.rlim_max;
	CHECK(setrlimit(RLIMIT_CORE, &r) == 0);
}

static void can_be_tested(void)
{
	struct rlimit r;

	CHECK(getrlimit(RLIMIT_CORE, &r) == 0);
	if (!file_is("/proc/sys/kernel/core_pattern", "core\n") ||
	    r.rlim_max != RLIM_INFINITY) {
		printf("skip: core files go elsewhere, or are limited\n");
		exit(77);
	}
}

/* ---- reading one ---- */

static struct core {
	char *data;
	size_t size;
	Elf64_Ehdr *eh;
	Elf64_Phdr *ph;
	bool exists;
} core;

static void core_open(pid_t pid)
{
	char name[64];
	struct stat st;
	int fd = open("core", O_RDONLY);

	snprintf(name, sizeof(name), "core.%d", pid);
	if (fd < 0)
		fd = open(name, O_RDONLY);
	memset(&core, 0, sizeof(core));
	if (fd < 0)
		return;
	CHECK(fstat(fd, &st) == 0 && st.st_size > 0);
	CHECK((st.st_mode & 07777) == 0600 && st.st_uid == geteuid());
	core.size = (size_t)st.st_size;
	core.data = mmap(NULL, core.size, PROT_READ, MAP_PRIVATE, fd, 0);
	CHECK(core.data != MAP_FAILED && close(fd) == 0);
	core.eh = (void *)core.data;
	core.ph = (void *)(core.data + core.eh->e_phoff);
	core.exists = true;
	CHECK(memcmp(core.data, ELFMAG, SELFMAG) == 0);
	CHECK(core.eh->e_type == ET_CORE && core.eh->e_machine == EM_X86_64);
	CHECK(core.ph[0].p_type == PT_NOTE);
}

static void core_close(void)
{
	if (core.exists)
		CHECK(munmap(core.data, core.size) == 0);
	CHECK(system("rm -f core core.*") == 0);
}

/* The nth note of a type: its contents, or NULL. */
static void *core_note(unsigned type, int nth, size_t *size)
{
	char *at = core.data + core.ph[0].p_offset;
	char *end = at + core.ph[0].p_filesz;

	while (at < end) {
		Elf64_Nhdr *h = (void *)at;
		char *desc = at + sizeof(*h) + ((h->n_namesz + 3) & ~3U);

		if (h->n_type == type && !nth--) {
			*size = h->n_descsz;
			return desc;
		}
		at = desc + ((h->n_descsz + 3) & ~3U);
	}
	return NULL;
}

/* What the core holds of an address: NULL: nothing. */
static const char *core_memory(const void *addr)
{
	for (int i = 1; i < core.eh->e_phnum; i++) {
		const Elf64_Phdr *p = &core.ph[i];
		size_t at = (uintptr_t)addr - p->p_vaddr;

		CHECK(p->p_type == PT_LOAD && p->p_align == PAGE);
		CHECK(p->p_offset % PAGE == 0 && p->p_filesz <= p->p_memsz);
		CHECK(p->p_offset + p->p_filesz <= core.size);
		if (at < p->p_filesz)
			return core.data + p->p_offset + at;
	}
	return NULL;
}

static bool core_knows(const void *addr)
{
	for (int i = 1; i < core.eh->e_phnum; i++)
		if ((uintptr_t)addr - core.ph[i].p_vaddr < core.ph[i].p_memsz)
			return true;
	return false;
}

/* ---- dying ---- */

static int die(void (*fn)(void))
{
	pid_t pid = child_start(fn);
	int status = child_wait(pid);

	core_open(pid);
	return status;
}

static void fault(void)
{
	static const double numbers[2] = {1.5, -2.25};

	want_core(RLIM_INFINITY);
	marks->kept = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	marks->dropped = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	marks->hidden = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	strcpy(marks->kept + 2 * PAGE, "kept");
	strcpy(marks->dropped, "dropped");
	strcpy(marks->hidden, "hidden");
	CHECK(madvise(marks->dropped, PAGE, MADV_DONTDUMP) == 0);
	CHECK(mprotect(marks->hidden, PAGE, PROT_NONE) == 0);
	__asm__ volatile("movq %0, %%r12\n\t"
			 "movups (%1), %%xmm5\n\t"
			 "movl $77, 16\n\t"
			 :
			 : "r"(MARK), "r"(numbers)
			 : "r12", "xmm5", "memory");
}

static void registers_and_notes(void)
{
	size_t size;
	struct elf_prstatus *s = core_note(NT_PRSTATUS, 0, &size);
	struct user_regs_struct *r = (void *)s->pr_reg;
	struct elf_prpsinfo *p;
	struct user_fpregs_struct *fp;
	siginfo_t *info;
	double numbers[2];
	char *x;

	CHECK(s && size == sizeof(*s) && s->pr_cursig == SIGSEGV);
	CHECK(r->r12 == MARK && r->cs == 0x33 && r->ss == 0x2b && r->fs_base);
	CHECK(core_knows((void *)r->rip) && core_knows((void *)r->rsp));
	CHECK(core_memory((void *)r->rsp));
	CHECK(!core_note(NT_PRSTATUS, 1, &size));
	p = core_note(NT_PRPSINFO, 0, &size);
	CHECK(p && size == sizeof(*p) && strcmp(p->pr_fname, "coredump") == 0);
	CHECK(p->pr_pid == s->pr_pid && s->pr_ppid == getpid() && p->pr_uid == getuid());
	CHECK(strstr(p->pr_psargs, "coredump"));
	info = core_note(NT_SIGINFO, 0, &size);
	CHECK(info && size == sizeof(*info) && info->si_signo == SIGSEGV);
	CHECK(info->si_code == SEGV_MAPERR && info->si_addr == (void *)16);
	fp = core_note(NT_PRFPREG, 0, &size);
	CHECK(fp && size == sizeof(*fp) && fp->mxcsr == 0x1f80);
	memcpy(numbers, &fp->xmm_space[4 * 5], sizeof(numbers));
	CHECK(numbers[0] == 1.5 && numbers[1] == -2.25);
	x = core_note(NT_X86_XSTATE, 0, &size);
	CHECK(x && size >= 576 && memcmp(x, fp, 416) == 0);
	CHECK((*(unsigned long *)(void *)(x + 464) & 3) == 3);
	CHECK(core_note(NT_AUXV, 0, &size) && size % 16 == 0);
}

static void mapped_files(void)
{
	char path[4096] = "";
	size_t size;
	unsigned long *f = core_note(NT_FILE, 0, &size);
	const char *name;
	bool found = false;

	CHECK(readlink("/proc/self/exe", path, sizeof(path) - 1) > 0);
	CHECK(f && f[0] > 3 && f[1] == PAGE);
	name = (const char *)(f + 2 + 3 * f[0]);
	for (unsigned long i = 0; i < f[0]; i++) {
		CHECK(core_knows((void *)f[2 + 3 * i]));
		found |= strcmp(name, path) == 0;
		name += strlen(name) + 1;
	}
	CHECK(found && name == (char *)f + size);
}

static void a_fault_leaves_a_core(void)
{
	int status;

	marks = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		     0);
	status = die(fault);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV && WCOREDUMP(status));
	CHECK(core.exists);
	registers_and_notes();
	mapped_files();
	CHECK(strcmp(core_memory(marks->kept + 2 * PAGE), "kept") == 0);
	CHECK(core_memory(marks->kept) && !*core_memory(marks->kept));
	CHECK(strcmp(core_memory(marks->hidden), "hidden") == 0);
	CHECK(core_knows(marks->dropped) && !core_memory(marks->dropped));
	core_close();
}

/* ---- when there is none ---- */

static int signo;

static void by_signal(void)
{
	want_core(RLIM_INFINITY);
	CHECK(raise(signo) == 0);
	pause();
}

static void some_signals_leave_one(void)
{
	static const int with[] = {SIGQUIT, SIGILL,  SIGTRAP, SIGABRT, SIGBUS,
				   SIGFPE,  SIGSEGV, SIGXCPU, SIGXFSZ, SIGSYS};
	static const int without[] = {SIGHUP,  SIGINT,	SIGKILL, SIGUSR1, SIGPIPE,
				      SIGALRM, SIGTERM, SIGPROF, SIGIO,	  40};

	for (size_t i = 0; i < sizeof(with) / sizeof(with[0]); i++) {
		int status;

		signo = with[i];
		status = die(by_signal);
		CHECK(WIFSIGNALED(status) && WTERMSIG(status) == signo);
		CHECK(WCOREDUMP(status) && core.exists);
		core_close();
	}
	for (size_t i = 0; i < sizeof(without) / sizeof(without[0]); i++) {
		int status;

		signo = without[i];
		status = die(by_signal);
		CHECK(WIFSIGNALED(status) && WTERMSIG(status) == signo);
		CHECK(!WCOREDUMP(status) && !core.exists);
	}
}

static rlim_t limit;

static void limited(void)
{
	want_core(limit);
	abort();
}

static void the_limit_is_kept(void)
{
	int status;

	for (limit = 0; limit < PAGE; limit += PAGE - 1) {
		status = die(limited);
		CHECK(WTERMSIG(status) == SIGABRT && !WCOREDUMP(status) && !core.exists);
	}
	limit = 2 * PAGE; /* begun, which counts, but not whole */
	status = die(limited);
	CHECK(WTERMSIG(status) == SIGABRT && WCOREDUMP(status));
	CHECK(core.size <= limit);
	core_close();
}

static void undumpable(void)
{
	want_core(RLIM_INFINITY);
	CHECK(prctl(PR_SET_DUMPABLE, 0) == 0);
	abort();
}

static void who_may_not_be_looked_into_leaves_none(void)
{
	int status = die(undumpable);

	CHECK(WTERMSIG(status) == SIGABRT && !WCOREDUMP(status) && !core.exists);
}

static void aborting(void)
{
	want_core(RLIM_INFINITY);
	abort();
}

/* Something else is there already: it gives way to a new file, or there is none. */
static void what_is_there_is_not_written_to(void)
{
	if (file_is("/proc/sys/kernel/core_uses_pid", "1\n"))
		return;
	file_put("core", "mine");
	CHECK(link("core", "other") == 0);
	CHECK(WCOREDUMP(die(aborting)) && core.exists && file_is("other", "mine"));
	core_close();
	CHECK(symlink("other", "core") == 0);
	CHECK(WCOREDUMP(die(aborting)) && core.exists && file_is("other", "mine"));
	core_close();
	CHECK(mkdir("core", 0700) == 0);
	CHECK(!WCOREDUMP(child_wait(child_start(aborting))));
	CHECK(rmdir("core") == 0);
}

static void filtered(void)
{
	want_core(RLIM_INFINITY);
	file_put("/proc/self/coredump_filter", "0x2");
	marks->kept = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			   -1, 0);
	marks->dropped = page_with(PROT_READ | PROT_WRITE);
	strcpy(marks->kept, "kept");
	strcpy(marks->dropped, "dropped");
	abort();
}

static void a_process_says_what_its_core_holds(void)
{
	CHECK(WCOREDUMP(die(filtered)) && core.exists);
	CHECK(strcmp(core_memory(marks->kept), "kept") == 0);
	CHECK(core_knows(marks->dropped) && !core_memory(marks->dropped));
	core_close();
}

/* ---- several threads ---- */

enum { THREADS = 5 };
static unsigned started;

static void *waiting(void *arg)
{
	unsigned long mark = MARK + (unsigned long)arg;

	__asm__ volatile("movq %0, %%r12\n\t"
			 "lock incl %1\n\t"
			 "1: pause\n\t"
			 "jmp 1b"
			 :
			 : "r"(mark), "m"(started)
			 : "r12", "memory");
	return NULL;
}

static void *sleeping(void *arg)
{
	__atomic_add_fetch(&started, 1, __ATOMIC_SEQ_CST);
	pause();
	return arg;
}

static void with_threads(void)
{
	pthread_t t;

	want_core(RLIM_INFINITY);
	for (unsigned long i = 0; i < THREADS; i++)
		CHECK(pthread_create(&t, NULL, i < 2 ? waiting : sleeping, (void *)i) ==
		      0);
	while (__atomic_load_n(&started, __ATOMIC_SEQ_CST) < THREADS)
		sched_yield();
	marks->tid = (pid_t)syscall(SYS_gettid);
	abort();
}

static void all_threads_are_in_it(void)
{
	size_t size;
	int status;
	unsigned long seen = 0;
	struct elf_prstatus *s;

	status = die(with_threads);
	CHECK(WTERMSIG(status) == SIGABRT && WCOREDUMP(status) && core.exists);
	s = core_note(NT_PRSTATUS, 0, &size);
	CHECK(s->pr_pid == marks->tid); /* who died comes first */
	for (int i = 0; i < THREADS; i++) {
		struct user_regs_struct *r;

		s = core_note(NT_PRSTATUS, 1 + i, &size);
		CHECK(s && core_note(NT_PRFPREG, 1 + i, &size));
		r = (void *)s->pr_reg;
		CHECK(core_memory((void *)r->rsp));
		if (r->r12 == MARK || r->r12 == MARK + 1)
			seen |= 1UL << (r->r12 - MARK);
	}
	CHECK(!core_note(NT_PRSTATUS, THREADS + 1, &size) && seen == 3);
	core_close();
}

static void *dying(void *arg)
{
	(void)arg;
	marks->tid = (pid_t)syscall(SYS_gettid);
	__asm__ volatile("ud2");
	return NULL;
}

static void in_a_thread(void)
{
	pthread_t t;

	want_core(RLIM_INFINITY);
	CHECK(pthread_create(&t, NULL, dying, NULL) == 0);
	pthread_join(t, NULL);
}

static void the_thread_that_dies_comes_first(void)
{
	size_t size;
	int status = die(in_a_thread);
	struct elf_prstatus *s;

	CHECK(WTERMSIG(status) == SIGILL && WCOREDUMP(status) && core.exists);
	s = core_note(NT_PRSTATUS, 0, &size);
	CHECK(s->pr_pid == marks->tid && s->pr_cursig == SIGILL);
	s = core_note(NT_PRSTATUS, 1, &size);
	CHECK(s && s->pr_pid != marks->tid);
	core_close();
}

static void all_at_once(void)
{
	pthread_t t;

	want_core(RLIM_INFINITY);
	for (int i = 0; i < THREADS; i++)
		CHECK(pthread_create(&t, NULL, dying, NULL) == 0);
	for (;;)
		pause();
}

static void several_die_at_once(void)
{
	for (int i = 0; i < 20; i++) {
		int status = die(all_at_once);

		CHECK(WTERMSIG(status) == SIGILL && WCOREDUMP(status) && core.exists);
		core_close();
	}
}

static void vforked(void)
{
	int status;
	pid_t pid;

	want_core(RLIM_INFINITY);
	pid = vfork();
	if (pid == 0) {
		__asm__ volatile("ud2");
		_exit(1);
	}
	status = child_wait(pid);
	_exit(WIFSIGNALED(status) && WTERMSIG(status) == SIGILL && WCOREDUMP(status) ? 42
										     : 1);
}

static void a_vfork_child_leaves_one_too(void)
{
	int status = die(vforked);

	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 42);
	core_close();
}

static void waits_say_so(void)
{
	siginfo_t info;
	pid_t pid = child_start(aborting);

	CHECK(waitid(P_PID, (id_t)pid, &info, WEXITED) == 0);
	CHECK(info.si_code == CLD_DUMPED && info.si_status == SIGABRT);
	core_close();
}

RUN(TEST(can_be_tested), TEST(a_fault_leaves_a_core), TEST(some_signals_leave_one),
    TEST(the_limit_is_kept), TEST(who_may_not_be_looked_into_leaves_none),
    TEST(what_is_there_is_not_written_to), TEST(a_process_says_what_its_core_holds),
    TEST(all_threads_are_in_it), TEST(the_thread_that_dies_comes_first),
    TEST(several_die_at_once), TEST(a_vfork_child_leaves_one_too), TEST(waits_say_so))
