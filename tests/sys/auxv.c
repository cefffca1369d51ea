/* SPDX-License-Identifier: MIT */
/* What the kernel hands a program at its start: the auxiliary vector, the vDSO and the
 * first stack. */
/* calls: execve clock_gettime */
#include "fixture.h"

#include <elf.h>
#include <link.h>
#include <sys/auxv.h>
#include <sys/time.h>

#ifndef AT_MINSIGSTKSZ
#define AT_MINSIGSTKSZ 51
#endif

extern char **environ;

/* The vector on the stack, which the C library cannot have altered. */
static unsigned long vector(unsigned long type)
{
	char **end = environ;

	while (*end)
		end++;
	for (ElfW(auxv_t) *v = (ElfW(auxv_t) *)(end + 1); v->a_type != AT_NULL; v++)
		if (v->a_type == type)
			return v->a_un.a_val;
	return 0;
}

static void page_size_and_clock_ticks(void)
{
	CHECK(vector(AT_PAGESZ) == PAGE && vector(AT_CLKTCK) == 100);
	CHECK(vector(AT_FLAGS) == 0);
}

static void program_headers_lie_in_memory(void)
{
	ElfW(Phdr) *ph = (ElfW(Phdr) *)vector(AT_PHDR);
	size_t n = vector(AT_PHNUM);
	bool load = false, self = false;

	CHECK(ph && n > 2 && n < 100 && vector(AT_PHENT) == sizeof(*ph));
	for (size_t i = 0; i < n; i++) {
		load |= ph[i].p_type == PT_LOAD;
		self |= ph[i].p_type == PT_PHDR;
	}
	CHECK(load && self && vector(AT_ENTRY));
}

static void the_interpreter_is_an_elf_file(void)
{
	char *base = (char *)vector(AT_BASE);

	CHECK(base && memcmp(base, ELFMAG, SELFMAG) == 0 && (uintptr_t)base % PAGE == 0);
}

static void identities(void)
{
	CHECK(vector(AT_UID) == getuid() && vector(AT_EUID) == geteuid());
	CHECK(vector(AT_GID) == getgid() && vector(AT_EGID) == getegid());
	CHECK(vector(AT_SECURE) == 0);
}

static void strings(void)
{
	const char *name = (const char *)vector(AT_EXECFN);
	struct stat a, b;

	CHECK(strcmp((const char *)vector(AT_PLATFORM), "x86_64") == 0);
	CHECK(name && stat(name, &a) == 0 && stat("/proc/self/exe", &b) == 0);
	CHECK(a.st_ino == b.st_ino);
}

static void sixteen_random_bytes(void)
{
	const unsigned char *r = (const unsigned char *)vector(AT_RANDOM);
	int zero = 0;

	CHECK(r);
	for (int i = 0; i < 16; i++)
		zero += r[i] == 0;
	CHECK(zero < 8);
}

static void the_processor_is_described(void)
{
	unsigned int a, b, c, d;

	__asm__("cpuid" : "=a"(a), "=b"(b), "=c"(c), "=d"(d) : "a"(1), "c"(0));
	CHECK((vector(AT_HWCAP) & ~(unsigned long)d) == 0);
	CHECK((vector(AT_HWCAP) & 0x07000001) == 0x07000001);
	CHECK(vector(AT_MINSIGSTKSZ) >= 1000 && vector(AT_MINSIGSTKSZ) < 65536);
}

static void the_vector_in_proc_is_the_same(void)
{
	ElfW(auxv_t) v[64];
	int fd = open("/proc/self/auxv", O_RDONLY);
	ssize_t n = read(fd, v, sizeof(v));
	bool end = false;

	CHECK(n > 0 && n % sizeof(v[0]) == 0 && close(fd) == 0);
	for (size_t i = 0; i < (size_t)n / sizeof(v[0]); i++) {
		if (v[i].a_type == AT_NULL) {
			end = true;
			break;
		}
		CHECK(vector(v[i].a_type) == v[i].a_un.a_val);
	}
	CHECK(end);
}

static void the_first_stack_is_in_order(void)
{
	const char *name = (const char *)vector(AT_EXECFN);
	uintptr_t env = (uintptr_t)environ;

	CHECK(env % 8 == 0 && (uintptr_t)name > env);
	CHECK(vector(AT_RANDOM) > env && vector(AT_RANDOM) < (uintptr_t)name);
	for (char **e = environ; *e; e++)
		CHECK((uintptr_t)*e > env || strncmp(*e, "LINES=", 6) == 0);
	CHECK((uintptr_t)name < 0x7ffffffff000);
}

/* Finds a function in the vDSO as the C library does. */
static void *vdso_symbol(const char *want)
{
	char *base = (char *)vector(AT_SYSINFO_EHDR);
	ElfW(Ehdr) *eh = (ElfW(Ehdr) *)base;
	ElfW(Phdr) *ph = (ElfW(Phdr) *)(base + eh->e_phoff);
	ElfW(Dyn) *dyn = NULL;
	ElfW(Sym) *sym = NULL;
	const char *str = NULL;
	uintptr_t shift = 0;

	for (int i = 0; i < eh->e_phnum; i++)
		if (ph[i].p_type == PT_LOAD && !shift)
			shift = (uintptr_t)base + ph[i].p_offset - ph[i].p_vaddr;
		else if (ph[i].p_type == PT_DYNAMIC)
			dyn = (ElfW(Dyn) *)(base + ph[i].p_offset);
	CHECK(dyn);
	for (; dyn->d_tag != DT_NULL; dyn++)
		if (dyn->d_tag == DT_STRTAB)
			str = (const char *)(dyn->d_un.d_ptr + shift);
		else if (dyn->d_tag == DT_SYMTAB)
			sym = (ElfW(Sym) *)(dyn->d_un.d_ptr + shift);
	CHECK(str && sym);
	for (sym++; (const char *)sym < str; sym++)
		if (sym->st_name && strcmp(str + sym->st_name, want) == 0)
			return (void *)(sym->st_value + shift);
	return NULL;
}

static void the_vdso_tells_the_time(void)
{
	int (*get)(clockid_t, struct timespec *);
	int (*day)(struct timeval *, void *);
	int (*cpu)(unsigned int *, unsigned int *, void *);
	struct timespec a, b, c;
	struct timeval tv;
	unsigned int n;

	CHECK(vector(AT_SYSINFO_EHDR) % PAGE == 0);
	get = (int (*)(clockid_t, struct timespec *))vdso_symbol("__vdso_clock_gettime");
	day = (int (*)(struct timeval *, void *))vdso_symbol("__vdso_gettimeofday");
	cpu = (int (*)(unsigned int *, unsigned int *, void *))vdso_symbol(
		"__vdso_getcpu");
	CHECK(get && day && cpu);
	CHECK(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &a) == 0);
	CHECK(get(CLOCK_MONOTONIC, &b) == 0);
	CHECK(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &c) == 0);
	CHECK(b.tv_sec > a.tv_sec || (b.tv_sec == a.tv_sec && b.tv_nsec >= a.tv_nsec));
	CHECK(c.tv_sec > b.tv_sec || (c.tv_sec == b.tv_sec && c.tv_nsec >= b.tv_nsec));
	CHECK(day(&tv, NULL) == 0 && labs(tv.tv_sec - time(NULL)) < 3);
	CHECK(cpu(&n, NULL, NULL) == 0 && (int)n < sysconf(_SC_NPROCESSORS_CONF));
}

/* Linux lets it be changed or not (CONFIG_MSEAL_SYSTEM_MAPPINGS): the kernel goes on. */
static char *area;
static size_t area_size;

static void area_is(const char *name)
{
	const char *p = strstr(file_get("/proc/self/maps"), name);
	unsigned long from, to;

	CHECK(p != NULL);
	while (p[-1] != '\n')
		p--;
	CHECK(sscanf(p, "%lx-%lx", &from, &to) == 2);
	area = (char *)from;
	area_size = to - from;
}

static void still_there(long ret)
{
	struct timespec t, wait = {0, 1000000};
	int status;
	long pid;

	CHECK(ret != -1 || errno == EPERM || errno == EINVAL);
	CHECK(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &t) == 0);
	CHECK(syscall(SYS_nanosleep, &wait, NULL) == 0);
	pid = syscall(SYS_fork);
	if (pid == 0) {
		CHECK(syscall(SYS_clock_gettime, CLOCK_REALTIME, &t) == 0);
		_exit(0);
	}
	CHECK(pid > 0 && syscall(SYS_wait4, pid, &status, 0, NULL) == pid && !status);
}

static void unmaps(void)
{
	still_there(munmap(area, area_size));
}

static void maps_over(void)
{
	void *p = mmap(area, area_size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

	still_there(p == MAP_FAILED ? -1 : 0);
}

static void moves(void)
{
	void *p = mremap(area, area_size, area_size, MREMAP_MAYMOVE | MREMAP_FIXED,
			 (void *)0x100000000);

	still_there(p == MAP_FAILED ? -1 : 0);
}

static void protects(void)
{
	still_there(mprotect(area, area_size, PROT_NONE));
}

static void forks_without(void)
{
	still_there(madvise(area, area_size, MADV_DONTFORK));
}

static void guards(void)
{
	still_there(madvise(area, area_size, 102 /* MADV_GUARD_INSTALL */));
}

static void who_changes_it_changes_no_clock(void)
{
	static void (*const changes[])(void) = {unmaps,	  maps_over,	 moves,
						protects, forks_without, guards};
	static const char *const names[] = {"[vdso]", "[vvar]"};

	for (size_t n = 0; n < 2; n++) {
		area_is(names[n]);
		for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++)
			CHECK(in_child(changes[i]) == 0);
	}
}

RUN(TEST(who_changes_it_changes_no_clock), TEST(page_size_and_clock_ticks),
    TEST(program_headers_lie_in_memory), TEST(the_interpreter_is_an_elf_file),
    TEST(identities), TEST(strings), TEST(sixteen_random_bytes),
    TEST(the_processor_is_described), TEST(the_vector_in_proc_is_the_same),
    TEST(the_first_stack_is_in_order), TEST(the_vdso_tells_the_time))
