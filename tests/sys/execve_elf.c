/* SPDX-License-Identifier: MIT */
/* files */
/* calls: execve */
/* execve_elf.c - hand-made ELF files: the smallest that run, and malformed ones. */
#include "proc.h"
#include <elf.h>
#include <stddef.h>
#include <sys/stat.h>

#define BASE 0x10000000ul

/* mov $60, %eax; mov bss, %edi; add $42, %edi; syscall */
static const unsigned char exit_code[] = {0xb8, 60,   0,  0,	0,    0x8b, 0x3c,
					  0x25, 0,    0,  0x10, 0x10, /* 0x10100000 */
					  0x83, 0xc7, 42, 0x0f, 0x05};

struct image {
	Elf64_Ehdr ehdr;
	Elf64_Phdr text;
	Elf64_Phdr bss;
	Elf64_Phdr extra;
	unsigned char code[64];
	char interp[64];
};

static char name[64];
static char *const argv[] = {"tiny", NULL};
static char *const no_env[] = {NULL};

static struct image good(void)
{
	struct image m = {
		.ehdr = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB,
				     EV_CURRENT},
			 .e_type = ET_EXEC,
			 .e_machine = EM_X86_64,
			 .e_version = EV_CURRENT,
			 .e_entry = BASE + offsetof(struct image, code),
			 .e_phoff = offsetof(struct image, text),
			 .e_ehsize = sizeof(Elf64_Ehdr),
			 .e_phentsize = sizeof(Elf64_Phdr),
			 .e_phnum = 2},
		.text = {.p_type = PT_LOAD,
			 .p_flags = PF_R | PF_X,
			 .p_vaddr = BASE,
			 .p_paddr = BASE,
			 .p_filesz = sizeof(struct image),
			 .p_memsz = sizeof(struct image),
			 .p_align = 4096},
		.bss = {.p_type = PT_LOAD,
			.p_flags = PF_R | PF_W,
			.p_vaddr = BASE + 0x100000,
			.p_memsz = 0x3000,
			.p_align = 4096},
	};

	memcpy(m.code, exit_code, sizeof(exit_code));
	return m;
}

static void write_image(const void *m, size_t size)
{
	int fd;

	unlink(name);
	fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
	CHECK(fd >= 0 && write(fd, m, size) == (ssize_t)size);
	CHECK(close(fd) == 0);
}

static void runs(const struct image *m, int code)
{
	write_image(m, sizeof(*m));
	CHILD(pid)
	{
		execve(name, argv, no_env);
		_exit(126);
	}
	WAIT_EXIT(pid, code);
	unlink(name);
}

static void dies(const struct image *m, int sig)
{
	write_image(m, sizeof(*m));
	CHILD(pid)
	{
		execve(name, argv, no_env);
		_exit(126);
	}
	WAIT_SIGNAL(pid, sig);
	unlink(name);
}

#define REFUSED(err, m)                                                                  \
	do {                                                                             \
		write_image(&(m), sizeof(m));                                            \
		FAILS(err, execve(name, argv, no_env));                                  \
		unlink(name);                                                            \
	} while (0)

static void smallest_program_runs(void)
{
	struct image m = good();

	runs(&m, 42);
}

static void smallest_position_independent_program_runs(void)
{
	struct image m = good();
	/* mov $60, %eax; mov $43, %edi; syscall */
	static const unsigned char code[] = {0xb8, 60, 0, 0, 0,	   0xbf,
					     43,   0,  0, 0, 0x0f, 5};

	m.ehdr.e_type = ET_DYN;
	m.ehdr.e_entry -= BASE;
	m.text.p_vaddr = 0;
	m.bss.p_vaddr = 0x10000;
	memcpy(m.code, code, sizeof(code));
	runs(&m, 43);
}

static void bss_after_data_is_zero(void)
{
	struct image m = good();

	/* the file part of the page ends in the middle; what follows must be cleared */
	m.bss.p_offset = 0;
	m.bss.p_filesz = 16;
	m.bss.p_memsz = 0x2000;
	m.code[8] = 0x40; /* reads 0x10100040: beyond the file part */
	runs(&m, 42);
}

static void unknown_segments_and_flags_are_ignored(void)
{
	struct image m = good();

	m.ehdr.e_phnum = 3;
	m.extra.p_type = 0x12345678;
	m.extra.p_offset = 1ul << 60;
	runs(&m, 42);
	m.extra.p_type = PT_NOTE;
	m.ehdr.e_flags = 77;
	m.ehdr.e_shoff = 1ul << 40;
	m.ehdr.e_shnum = 99;
	runs(&m, 42);
}

static void executable_stack_flag_is_accepted(void)
{
	struct image m = good();

	m.ehdr.e_phnum = 3;
	m.extra.p_type = PT_GNU_STACK;
	m.extra.p_flags = PF_R | PF_W | PF_X;
	runs(&m, 42);
	m.extra.p_flags = PF_R | PF_W;
	runs(&m, 42);
}

static void wrong_headers_give_enoexec(void)
{
	struct image m = good();

	m.ehdr.e_ident[0] = 0x7e;
	REFUSED(ENOEXEC, m);
	m = good();
	m.ehdr.e_machine = EM_AARCH64;
	REFUSED(ENOEXEC, m);
	m = good();
	m.ehdr.e_type = ET_REL;
	REFUSED(ENOEXEC, m);
	m = good();
	m.ehdr.e_type = ET_CORE;
	REFUSED(ENOEXEC, m);
	m = good();
	m.ehdr.e_phentsize = 55;
	REFUSED(ENOEXEC, m);
	m = good();
	m.ehdr.e_phnum = 0;
	REFUSED(ENOEXEC, m);
	m = good();
	m.ehdr.e_phnum = 65535;
	REFUSED(ENOEXEC, m);
}

static void short_files_are_refused(void)
{
	struct image m = good();
	static const size_t size[] = {1, 4, 16, 52, 63};

	for (size_t i = 0; i < sizeof(size) / sizeof(size[0]); i++) {
		write_image(&m, size[i]);
		FAILS(ENOEXEC, execve(name, argv, no_env));
	}
	write_image(&m, sizeof(m.ehdr)); /* program headers missing */
	CHECK(execve(name, argv, no_env) == -1 && (errno == EIO || errno == ENOEXEC));
	m.ehdr.e_phoff = 1ul << 40;
	write_image(&m, sizeof(m));
	CHECK(execve(name, argv, no_env) == -1 && (errno == EIO || errno == ENOEXEC));
	unlink(name);
}

static void bad_interpreters_are_refused(void)
{
	struct image m = good();

	m.ehdr.e_phnum = 3;
	m.extra.p_type = PT_INTERP;
	m.extra.p_offset = offsetof(struct image, interp);
	m.extra.p_filesz = 20;
	strcpy(m.interp, "/nonexistent/loader");
	REFUSED(ENOENT, m);
	strcpy(m.interp, "/dev/null"); /* no regular file */
	m.extra.p_filesz = 10;
	REFUSED(EACCES, m);
	m.extra.p_filesz = 5; /* not ended by a NUL */
	REFUSED(ENOEXEC, m);
	m.extra.p_filesz = 1;
	REFUSED(ENOEXEC, m);
	m.extra.p_filesz = 5000; /* longer than a path may be */
	REFUSED(ENOEXEC, m);
}

static void entry_outside_the_program_faults(void)
{
	struct image m = good();

	m.ehdr.e_entry = 0x7000;
	dies(&m, SIGSEGV);
	m.ehdr.e_entry = BASE + 0x100000; /* not executable */
	dies(&m, SIGSEGV);
}

static void impossible_segments_fail_or_kill(void)
{
	struct image m = good();
	static const Elf64_Phdr bad[] = {
		{.p_type = PT_LOAD, .p_vaddr = 0x800000000000, .p_memsz = 0x1000},
		{.p_type = PT_LOAD, .p_vaddr = 0xffffffffff600000, .p_memsz = 0x1000},
		{.p_type = PT_LOAD, .p_vaddr = 0x20000000, .p_memsz = -1ul},
		{.p_type = PT_LOAD, .p_vaddr = 0x20000000, .p_memsz = 1ul << 47},
		{.p_type = PT_LOAD, .p_vaddr = -4096ul, .p_memsz = 8192},
		{.p_type = PT_LOAD, .p_vaddr = 0x20000000, .p_filesz = 99, .p_memsz = 1},
	};

	m.ehdr.e_phnum = 3;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		int status;

		m.extra = bad[i];
		m.extra.p_flags = PF_R;
		m.extra.p_align = 4096;
		write_image(&m, sizeof(m));
		CHILD(pid)
		{
			execve(name, argv, no_env);
			_exit(126);
		}
		status = wait_status(pid);
		CHECK(WIFSIGNALED(status) || WEXITSTATUS(status) == 126);
	}
	unlink(name);
}

static void random_damage_never_breaks_the_parent(void)
{
	unsigned int seed = 1;

	for (int i = 0; i < 150; i++) {
		struct image m = good();
		unsigned char *bytes = (unsigned char *)&m;

		for (int j = 0; j < 3; j++) {
			seed = seed * 1103515245 + 12345;
			bytes[(seed >> 8) % offsetof(struct image, code)] ^=
				(unsigned char)(1u << (seed >> 28 & 7));
		}
		write_image(&m, sizeof(m));
		CHILD(pid)
		{
			alarm(2); /* a damaged header may still be a program */
			execve(name, argv, no_env);
			_exit(126);
		}
		wait_status(pid);
	}
	unlink(name);
}

static const struct test all[] = {
	TEST(smallest_program_runs),
	TEST(smallest_position_independent_program_runs),
	TEST(bss_after_data_is_zero),
	TEST(unknown_segments_and_flags_are_ignored),
	TEST(executable_stack_flag_is_accepted),
	TEST(wrong_headers_give_enoexec),
	TEST(short_files_are_refused),
	TEST(bad_interpreters_are_refused),
	TEST(entry_outside_the_program_faults),
	TEST(impossible_segments_fail_or_kill),
	TEST(random_damage_never_breaks_the_parent),
};

int main(void)
{
	snprintf(name, sizeof(name), "./execve-elf-%d", getpid());
	return test_main(all, sizeof(all) / sizeof(all[0]));
}
