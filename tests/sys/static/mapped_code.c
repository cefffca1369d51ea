/* SPDX-License-Identifier: MIT */
/* mapped_code.c - a static program maps the code of files that others run: it finds what
 * the files hold, as one that translates it (valgrind) relies on. */
/* calls: mmap mprotect fork */
#include "../fixture.h"

#include <elf.h>
#include <sys/mman.h>
#include <sys/wait.h>

enum { ROOM = 4 << 20 }; /* as free as where a loader would put it */

static const char *const LOADER = "/lib64/ld-linux-x86-64.so.2";

static void run_some_programs(void)
{
	int status;
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (!pid) {
		execl("/bin/sh", "sh", "-c",
		      "for i in 1 2 3 4 5 6; do /bin/true; /bin/echo >/dev/null; done",
		      (char *)NULL);
		_exit(127);
	}
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
}

/* The file's segment of code. */
static Elf64_Phdr code_of(int fd)
{
	Elf64_Ehdr h;
	Elf64_Phdr p;

	CHECK(pread(fd, &h, sizeof(h), 0) == sizeof(h));
	for (int i = 0; i < h.e_phnum; i++) {
		CHECK(pread(fd, &p, sizeof(p),
			    (off_t)(h.e_phoff + (size_t)i * sizeof(p))) == sizeof(p));
		if (p.p_type == PT_LOAD && (p.p_flags & PF_X))
			break;
	}
	CHECK(p.p_type == PT_LOAD && (p.p_flags & PF_X));
	return p;
}

static void is_as_in_the_file(int prot, bool is_protected)
{
	int fd = open(LOADER, O_RDONLY | O_CLOEXEC);
	Elf64_Phdr p = code_of(fd);
	off_t off = (off_t)(p.p_offset & ~4095UL);
	size_t size = p.p_offset + p.p_filesz - (size_t)off;
	char *want = malloc(size);
	char *room = mmap(NULL, ROOM, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *map;
	int status;
	pid_t pid;

	CHECK(room != MAP_FAILED && munmap(room, ROOM) == 0);
	map = mmap(room + off, size, prot, MAP_PRIVATE | MAP_FIXED, fd, off);
	CHECK(want && pread(fd, want, size, off) == (ssize_t)size && map != MAP_FAILED);
	CHECK(!is_protected || mprotect(map, size, PROT_READ | PROT_EXEC) == 0);
	CHECK(memcmp(map, want, size) == 0);
	pid = fork();
	if (!pid)
		_exit(memcmp(map, want, size) != 0);
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	CHECK(memcmp(map, want, size) == 0);
	CHECK(munmap(map, size) == 0 && close(fd) == 0);
	free(want);
}

static void code_is_the_files(void)
{
	run_some_programs();
	is_as_in_the_file(PROT_READ | PROT_EXEC, false);
	is_as_in_the_file(PROT_READ, true);
	is_as_in_the_file(PROT_NONE, true);
}

RUN(TEST(code_is_the_files))
