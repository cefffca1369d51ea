/* SPDX-License-Identifier: MIT */
/* Files that live in memory and have no name. */
#include "fixture.h"

static void behaves_as_a_file(void)
{
	char b[8], path[32], text[128];
	struct stat st;
	ssize_t n;
	int fd = memfd_create("thing", 0);

	CHECK(fd >= 0 && write(fd, "hello", 5) == 5 && fstat(fd, &st) == 0);
	CHECK(S_ISREG(st.st_mode) && st.st_size == 5 && st.st_nlink == 0);
	CHECK((st.st_mode & 0666) == 0666 && pread(fd, b, 8, 0) == 5);
	CHECK((fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDWR && fcntl(fd, F_GETFD) == 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	n = readlink(path, text, sizeof(text) - 1);
	CHECK(n > 0);
	text[n] = 0;
	CHECK(strcmp(text, "/memfd:thing (deleted)") == 0);
	n = open(path, O_RDONLY);
	CHECK(n >= 0 && read((int)n, b, 8) == 5 && close((int)n) == 0 && close(fd) == 0);
}

static void flags_are_kept(void)
{
	int fd = memfd_create("", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	CHECK(fd >= 0 && fcntl(fd, F_GETFD) == FD_CLOEXEC);
	CHECK(fcntl(fd, F_GET_SEALS) == 0 && close(fd) == 0);
	fd = memfd_create("", 0);
	CHECK(fcntl(fd, F_GET_SEALS) == F_SEAL_SEAL);
	FAILS(EPERM, fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
	CHECK(close(fd) == 0);
}

static void seals_bind(void)
{
	int fd = memfd_create("s", MFD_ALLOW_SEALING);

	CHECK(write(fd, "12345678", 8) == 8);
	CHECK(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK) == 0);
	FAILS(EPERM, ftruncate(fd, 4));
	CHECK(ftruncate(fd, 16) == 0 && fcntl(fd, F_ADD_SEALS, F_SEAL_GROW) == 0);
	FAILS(EPERM, ftruncate(fd, 32));
	FAILS(EPERM, pwrite(fd, "x", 1, 16));
	CHECK(pwrite(fd, "x", 1, 3) == 1 && fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE) == 0);
	FAILS(EPERM, pwrite(fd, "x", 1, 3));
	CHECK(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED);
	CHECK(errno == EPERM && fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL) == 0);
	FAILS(EPERM, fcntl(fd, F_ADD_SEALS, F_SEAL_GROW));
	CHECK(fcntl(fd, F_GET_SEALS) ==
	      (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL));
	CHECK(close(fd) == 0);
}

static void a_writable_map_forbids_the_write_seal(void)
{
	int fd = memfd_create("s", MFD_ALLOW_SEALING);
	void *p;

	CHECK(ftruncate(fd, (off_t)PAGE) == 0);
	p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	FAILS(EBUSY, fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
	CHECK(munmap(p, PAGE) == 0 && fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE) == 0);
	CHECK(close(fd) == 0);
}

static void documented_errors(void)
{
	char name[300];

	memset(name, 'n', sizeof(name));
	name[250] = 0;
	FAILS(EINVAL, memfd_create(name, 0));
	name[249] = 0;
	CHECK(close(memfd_create(name, 0)) == 0);
	FAILS(EINVAL, memfd_create("x", 0x80));
	FAILS(EINVAL, memfd_create("x", 21U << 26)); /* a size without MFD_HUGETLB */
	FAILS(EINVAL, memfd_create("x", 0x10 | 0x8));
	FAILS(ENODEV, memfd_create("x", MFD_HUGETLB | 13U << 26));
	FOR_BAD(p)
	FAILS(EFAULT, syscall(SYS_memfd_create, p, 0));
}

static void programs_can_be_run_from_it(void)
{
	static const char script[] = "#!/bin/sh\nexit 7\n";
	int fd = memfd_create("script", 0), status;
	pid_t pid;
	char path[32];

	CHECK(write(fd, script, sizeof(script) - 1) == sizeof(script) - 1);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	pid = fork();
	if (pid == 0) {
		execl(path, "script", (char *)NULL);
		_exit(99);
	}
	status = child_wait(pid);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7 && close(fd) == 0);
}

static void a_sealed_file_is_mapped_for_reading_only(void)
{
	int fd = memfd_create("sealed", MFD_ALLOW_SEALING);
	char *p;

	CHECK(fd >= 0 && ftruncate(fd, PAGE) == 0);
	/* who might make it writable counts as a writer */
	p = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	CHECK(p != MAP_FAILED);
	FAILS(EBUSY, fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
	CHECK(mprotect(p, PAGE, PROT_READ | PROT_WRITE) == 0);
	CHECK(mprotect(p, PAGE, PROT_READ) == 0);
	FAILS(EBUSY, fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
	CHECK(munmap(p, PAGE) == 0);
	CHECK(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE) == 0);
	FAILS(EPERM, (long)mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
	p = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	if (p != MAP_FAILED) { /* since Linux 6.7 */
		FAILS(EACCES, mprotect(p, PAGE, PROT_READ | PROT_WRITE));
		CHECK(munmap(p, PAGE) == 0);
	}
	CHECK(close(fd) == 0);
}

static void the_seal_of_programs_seals_the_rest(void)
{
	int fd = memfd_create("program", MFD_ALLOW_SEALING);
	char *p;

	CHECK(fd >= 0 && fchmod(fd, 0700) == 0 && ftruncate(fd, PAGE) == 0);
	p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(p != MAP_FAILED);
	if (fcntl(fd, F_ADD_SEALS, 0x20 /* F_SEAL_EXEC */) == 0 || errno != EINVAL)
		CHECK(errno == EBUSY); /* EINVAL: before Linux 6.3 */
	CHECK(munmap(p, PAGE) == 0 && close(fd) == 0);
}

RUN(TEST(behaves_as_a_file), TEST(flags_are_kept), TEST(seals_bind),
    TEST(a_writable_map_forbids_the_write_seal), TEST(documented_errors),
    TEST(programs_can_be_run_from_it), TEST(a_sealed_file_is_mapped_for_reading_only),
    TEST(the_seal_of_programs_seals_the_rest))
