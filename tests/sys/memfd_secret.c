/* SPDX-License-Identifier: MIT */
/* Memory that can be mapped and nothing else. */
#include "fixture.h"

static int secret(unsigned int flags)
{
	int fd = (int)syscall(SYS_memfd_secret, flags);

	if (fd < 0 && errno == ENOSYS)
		exit(77); /* the host's kernel has none, or does not enable it */
	return fd;
}

static void it_has_a_name_and_flags(void)
{
	char path[32], text[64] = "";
	struct stat st;
	int fd = secret(O_CLOEXEC);

	CHECK(fd >= 0 && fcntl(fd, F_GETFD) == FD_CLOEXEC && close(fd) == 0);
	fd = secret(0);
	CHECK(fd >= 0 && fcntl(fd, F_GETFD) == 0 && fstat(fd, &st) == 0);
	CHECK(st.st_mode == (S_IFREG | 0600) && st.st_size == 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	CHECK(readlink(path, text, sizeof(text) - 1) > 0);
	CHECK(strcmp(text, "/secretmem (deleted)") == 0 && close(fd) == 0);
}

static void it_is_mapped_shared_only(void)
{
	int fd = secret(0);
	char *p, *q;

	CHECK(ftruncate(fd, 2 * PAGE) == 0);
	FAILS(EINVAL, ftruncate(fd, PAGE));
	FAILS(EINVAL, ftruncate(fd, 3 * PAGE));
	CHECK(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0) == MAP_FAILED);
	CHECK(errno == EINVAL);
	p = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	q = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, PAGE);
	CHECK(p != MAP_FAILED && q != MAP_FAILED && p[0] == 0);
	p[PAGE] = 's';
	CHECK(q[0] == 's' && munmap(p, 2 * PAGE) == 0 && munmap(q, PAGE) == 0);
	CHECK(close(fd) == 0);
}

static void it_is_neither_read_nor_written(void)
{
	int fd = secret(0);
	char b[4] = "";

	FAILS(EINVAL, read(fd, b, 1));
	FAILS(EINVAL, write(fd, b, 1));
	FAILS(ESPIPE, pread(fd, b, 1, 0));
	FAILS(ESPIPE, lseek(fd, 0, SEEK_SET));
	FAILS(EOPNOTSUPP, fallocate(fd, 0, 0, PAGE));
	FAILS(EINVAL, fcntl(fd, F_GET_SEALS));
	FAILS(EINVAL, fsync(fd));
	CHECK(close(fd) == 0);
}

static void unknown_flags_are_einval(void)
{
	FAILS(EINVAL, syscall(SYS_memfd_secret, 2));
	FAILS(EINVAL, syscall(SYS_memfd_secret, O_CLOEXEC | 1));
}

RUN(TEST(it_has_a_name_and_flags), TEST(it_is_mapped_shared_only),
    TEST(it_is_neither_read_nor_written), TEST(unknown_flags_are_einval))
