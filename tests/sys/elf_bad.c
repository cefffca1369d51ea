/* SPDX-License-Identifier: MIT */
/* Malformed programs of many kinds: each has its refusal or its death, and none harms
 * the system. */
/* calls: execve */
#include "fixture.h"

#include <elf.h>
#include <stddef.h>

enum {
	BASE = 0x400000,
	CODE = 0x400, /* where the code lies in the file */
	TEXT = 0x300, /* where the interpreter's name lies */
	SIZE = 0x1000,
	EXITS = 1000, /* + status */
	DIES = 2000,  /* + signal */
};

/* A whole small program: exits with 42. Up to six program headers. */
static union image {
	struct {
		Elf64_Ehdr eh;
		Elf64_Phdr ph[6];
	};
	unsigned char b[SIZE];
} im;
static size_t length;

static void image_reset(void)
{
	static const unsigned char code[] = {0xbf, 42, 0, 0, 0,	   0xb8,
					     60,   0,  0, 0, 0x0f, 0x05};

	memset(&im, 0, sizeof(im));
	memcpy(im.eh.e_ident, ELFMAG, SELFMAG);
	im.eh.e_ident[EI_CLASS] = ELFCLASS64;
	im.eh.e_ident[EI_DATA] = ELFDATA2LSB;
	im.eh.e_ident[EI_VERSION] = EV_CURRENT;
	im.eh.e_type = ET_EXEC;
	im.eh.e_machine = EM_X86_64;
	im.eh.e_version = EV_CURRENT;
	im.eh.e_entry = BASE + CODE;
	im.eh.e_phoff = offsetof(union image, ph);
	im.eh.e_ehsize = sizeof(Elf64_Ehdr);
	im.eh.e_phentsize = sizeof(Elf64_Phdr);
	im.eh.e_phnum = 1;
	im.ph[0] = (Elf64_Phdr){
		.p_type = PT_LOAD,
		.p_flags = PF_R | PF_X,
		.p_vaddr = BASE,
		.p_filesz = SIZE,
		.p_memsz = SIZE,
		.p_align = PAGE,
	};
	memcpy(im.b + CODE, code, sizeof(code));
	length = SIZE;
}

static void interp(const char *name, size_t size)
{
	im.eh.e_phnum = 2;
	im.ph[1] = im.ph[0];
	im.ph[0] = (Elf64_Phdr){
		.p_type = PT_INTERP, .p_flags = PF_R, .p_offset = TEXT, .p_filesz = size};
	memcpy(im.b + TEXT, name, strlen(name) + 1);
}

/* Writes the image to a file and runs it: the errno of execve, or EXITS or DIES. */
static int outcome(void)
{
	int fd = open("bad", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755), p[2];
	int err = 0, status;
	pid_t pid;

	CHECK(fd >= 0 && write(fd, im.b, length) == (ssize_t)length && close(fd) == 0);
	CHECK(pipe2(p, O_CLOEXEC) == 0);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		alarm(20);
		execl("./bad", "bad", (char *)NULL);
		err = errno;
		_exit(write(p[1], &err, sizeof(err)) == sizeof(err) ? 0 : 1);
	}
	CHECK(close(p[1]) == 0);
	status = (int)read(p[0], &err, sizeof(err)) == sizeof(err);
	CHECK(close(p[0]) == 0);
	if (status) {
		CHECK(child_wait(pid) == 0);
		return err;
	}
	status = child_wait(pid);
	return WIFSIGNALED(status) ? DIES + WTERMSIG(status)
				   : EXITS + WEXITSTATUS(status);
}

#define EXPECT(want)                                                                     \
	do {                                                                             \
		int got_ = outcome();                                                    \
		if (got_ != (want)) {                                                    \
			printf("not ok: %s:%d: outcome %d, want %d\n", __FILE__,         \
			       __LINE__, got_, (int)(want));                             \
			exit(1);                                                         \
		}                                                                        \
		image_reset();                                                           \
	} while (0)

static void the_sound_one_runs(void)
{
	image_reset();
	EXPECT(EXITS + 42);
}

static void short_files_are_enoexec(void)
{
	static const size_t sizes[] = {0, 1, 3, 4, 16, 52, 63};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		length = sizes[i];
		EXPECT(ENOEXEC);
	}
	length = sizeof(Elf64_Ehdr);
	EXPECT(ENOEXEC);
	length = sizeof(Elf64_Ehdr) + 20;
	EXPECT(ENOEXEC);
}

static void wrong_identity(void)
{
	im.b[0] = 0x7e;
	EXPECT(ENOEXEC);
	im.b[3] = 'G';
	EXPECT(ENOEXEC);
	im.eh.e_machine = EM_AARCH64;
	EXPECT(ENOEXEC);
	im.eh.e_machine = 0;
	EXPECT(ENOEXEC);
	im.eh.e_type = ET_REL;
	EXPECT(ENOEXEC);
	im.eh.e_type = ET_CORE;
	EXPECT(ENOEXEC);
	im.eh.e_type = ET_NONE;
	EXPECT(ENOEXEC);
	im.eh.e_type = 0xffff;
	EXPECT(ENOEXEC);
}

static void fields_that_linux_does_not_look_at(void)
{
	im.eh.e_ident[EI_CLASS] = ELFCLASS32;
	EXPECT(EXITS + 42);
	im.eh.e_ident[EI_DATA] = ELFDATA2MSB;
	EXPECT(EXITS + 42);
	im.eh.e_ident[EI_VERSION] = 77;
	EXPECT(EXITS + 42);
	im.eh.e_version = 77;
	EXPECT(EXITS + 42);
	im.eh.e_ehsize = 1;
	EXPECT(EXITS + 42);
	im.eh.e_shoff = ~0UL;
	im.eh.e_shnum = 0xffff;
	EXPECT(EXITS + 42);
}

static void bad_header_tables(void)
{
	im.eh.e_phentsize = 55;
	EXPECT(ENOEXEC);
	im.eh.e_phentsize = 0;
	EXPECT(ENOEXEC);
	im.eh.e_phnum = 0;
	EXPECT(ENOEXEC);
	im.eh.e_phnum = 0xffff;
	EXPECT(ENOEXEC);
	im.eh.e_phnum = 1000;
	EXPECT(ENOEXEC);
	im.eh.e_phoff = SIZE;
	EXPECT(ENOEXEC);
	im.eh.e_phoff = SIZE - 20;
	EXPECT(ENOEXEC);
	im.eh.e_phoff = ~0UL;
	EXPECT(ENOEXEC);
	im.eh.e_phoff = 1UL << 63;
	EXPECT(ENOEXEC);
}

static void entry_points_to_nowhere(void)
{
	im.eh.e_entry = 0;
	EXPECT(DIES + SIGSEGV);
	im.eh.e_entry = BASE + 0x100000;
	EXPECT(DIES + SIGSEGV);
	im.eh.e_entry = 0xffff800000000000;
	EXPECT(DIES + SIGSEGV);
	im.eh.e_entry = 0x1234567890abcdef;
	EXPECT(DIES + SIGSEGV);
}

static void segments_that_cannot_be_mapped(void)
{
	im.ph[0].p_vaddr = 0xffff800000000000;
	EXPECT(DIES + SIGSEGV);
	im.ph[0].p_vaddr = 0x7ffffffff000;
	EXPECT(DIES + SIGSEGV);
	im.ph[0].p_filesz = SIZE;
	im.ph[0].p_memsz = SIZE - 1;
	EXPECT(DIES + SIGSEGV);
	im.ph[0].p_memsz = ~0UL;
	EXPECT(DIES + SIGSEGV);
	im.ph[0].p_memsz = 1UL << 47;
	EXPECT(DIES + SIGSEGV);
	im.ph[0].p_filesz = im.ph[0].p_memsz = 1UL << 62;
	EXPECT(DIES + SIGSEGV);
	im.ph[0].p_offset = 1;
	EXPECT(DIES + SIGSEGV);
}

static void segments_past_the_end_of_the_file(void)
{
	im.ph[0].p_offset = 0x10000;
	EXPECT(DIES + SIGBUS);
	im.ph[0].p_filesz = im.ph[0].p_memsz = 0x8000;
	EXPECT(EXITS + 42);
	im.ph[0].p_filesz = 0;
	im.ph[0].p_memsz = SIZE;
	EXPECT(DIES + SIGSEGV);
}

static void protections(void)
{
	im.ph[0].p_flags = PF_R;
	EXPECT(DIES + SIGSEGV);
	im.ph[0].p_flags = 0;
	EXPECT(DIES + SIGSEGV);
	im.ph[0].p_flags = PF_X;
	EXPECT(EXITS + 42);
	im.ph[0].p_flags = PF_R | PF_W | PF_X;
	EXPECT(EXITS + 42);
}

static void nothing_to_load(void)
{
	im.ph[0].p_type = PT_NOTE;
	EXPECT(DIES + SIGSEGV);
	im.ph[0].p_type = 0x12345678;
	EXPECT(DIES + SIGSEGV);
}

static void odd_but_sound_layouts(void)
{
	im.eh.e_type = ET_DYN;
	im.ph[0].p_vaddr = 0;
	im.eh.e_entry = CODE;
	EXPECT(EXITS + 42);
	im.eh.e_type = ET_DYN;
	im.ph[0].p_vaddr = 0;
	im.ph[0].p_align = 1 << 21;
	im.eh.e_entry = CODE;
	EXPECT(EXITS + 42);
	im.ph[0].p_align = 3;
	EXPECT(EXITS + 42);
	im.ph[0].p_align = 0;
	EXPECT(EXITS + 42);
	im.eh.e_phnum = 2;
	im.ph[1] = im.ph[0];
	EXPECT(EXITS + 42);
	im.eh.e_phnum = 2;
	im.ph[1] = im.ph[0];
	im.ph[0].p_vaddr = BASE + 0x10000;
	EXPECT(EXITS + 42);
	im.ph[0].p_memsz = 64 << 20;
	im.ph[0].p_flags |= PF_W;
	EXPECT(EXITS + 42);
	im.eh.e_phnum = 2;
	im.ph[1] = (Elf64_Phdr){.p_type = PT_GNU_STACK, .p_flags = PF_R | PF_W | PF_X};
	EXPECT(EXITS + 42);
}

static void bss_in_a_read_only_segment(void)
{
	im.ph[0].p_memsz = SIZE + 100;
	EXPECT(EXITS + 42);
	im.ph[0].p_filesz = SIZE - 100;
	EXPECT(EXITS + 42);
}

static void missing_and_bad_interpreters(void)
{
	interp("/no/such/ld.so", 15);
	EXPECT(ENOENT);
	interp("/tmp", 5);
	EXPECT(EACCES);
	interp("/dev/null", 10);
	EXPECT(EACCES);
	interp("/etc/passwd", 12);
	EXPECT(EACCES);
	interp("/etc/passwd/x", 14);
	EXPECT(ENOTDIR);
	interp("/no/such/ld.so", 14);
	EXPECT(ENOEXEC);
	interp("", 1);
	EXPECT(ENOEXEC);
	interp("", 0);
	EXPECT(ENOEXEC);
	interp("x", 0x1001);
	EXPECT(ENOEXEC);
	interp("x", 5000);
	EXPECT(ENOEXEC);
	interp("/x", 3);
	im.ph[0].p_offset = SIZE - 1;
	EXPECT(EIO);
	interp("/x", 3);
	im.ph[0].p_offset = 1UL << 63;
	EXPECT(EINVAL);
}

static void interpreters_that_are_no_programs(void)
{
	int fd = open("script", O_WRONLY | O_CREAT | O_TRUNC, 0755);

	CHECK(write(fd, "#!/bin/sh\n", 10) == 10 && close(fd) == 0);
	interp("./script", 9);
	EXPECT(EIO);
	fd = open("script", O_WRONLY | O_TRUNC);
	for (int i = 0; i < 100; i++)
		CHECK(write(fd, "not an elf file ", 16) == 16);
	CHECK(close(fd) == 0);
	interp("./script", 9);
	EXPECT(ELIBBAD);
}

static void interpreters_that_are_static_programs(void)
{
	int fd = open("loader", O_WRONLY | O_CREAT | O_TRUNC, 0755);

	im.eh.e_type = ET_DYN;
	im.ph[0].p_vaddr = 0;
	im.eh.e_entry = CODE;
	im.b[CODE + 1] = 43;
	CHECK(write(fd, im.b, SIZE) == SIZE && close(fd) == 0);
	image_reset();
	interp("./loader", 9);
	EXPECT(EXITS + 43);
	interp("./bad", 6);
	im.eh.e_type = ET_DYN;
	CHECK(outcome() != 0);
	image_reset();
}

static uint32_t seed = 12345;

static uint32_t next_random(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 17;
	seed ^= seed << 5;
	return seed;
}

static void three_hundred_random_spoilings(void)
{
	for (int i = 0; i < 300; i++) {
		if (i % 3 == 0)
			interp("./loader", 9);
		for (uint32_t n = next_random() % 4 + 1; n > 0; n--) {
			size_t at = next_random() % (sizeof(Elf64_Ehdr) + 112);
			static const unsigned char nasty[] = {0, 1, 0x7f, 0x80, 0xff};

			im.b[at] = next_random() % 2 ? nasty[next_random() % 5]
						     : (unsigned char)next_random();
		}
		CHECK(outcome() != 0);
		image_reset();
	}
	EXPECT(EXITS + 42);
}

RUN(TEST(the_sound_one_runs), TEST(short_files_are_enoexec), TEST(wrong_identity),
    TEST(fields_that_linux_does_not_look_at), TEST(bad_header_tables),
    TEST(entry_points_to_nowhere), TEST(segments_that_cannot_be_mapped),
    TEST(segments_past_the_end_of_the_file), TEST(protections), TEST(nothing_to_load),
    TEST(odd_but_sound_layouts), TEST(bss_in_a_read_only_segment),
    TEST(missing_and_bad_interpreters), TEST(interpreters_that_are_no_programs),
    TEST(interpreters_that_are_static_programs), TEST(three_hundred_random_spoilings))
