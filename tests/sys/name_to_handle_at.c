/* SPDX-License-Identifier: MIT */
/* files */
/* File handles: they stay while names change, and lead back to the file. */
/* calls: name_to_handle_at open_by_handle_at */
#include "fixture.h"

#ifndef AT_HANDLE_FID
#define AT_HANDLE_FID 0x200
#endif
#ifndef AT_HANDLE_CONNECTABLE
#define AT_HANDLE_CONNECTABLE 2
#endif

struct handle {
	struct file_handle head;
	unsigned char bytes[MAX_HANDLE_SZ];
};

static bool privileged;
static bool exported; /* the file system here has handles that can be opened */

static int get_at(int dir, const char *name, struct handle *h, int flags)
{
	int id;

	memset(h, 0, sizeof(*h));
	h->head.handle_bytes = MAX_HANDLE_SZ;
	return name_to_handle_at(dir, name, &h->head, &id, flags);
}

static bool same(const struct handle *a, const struct handle *b)
{
	return a->head.handle_bytes == b->head.handle_bytes &&
	       a->head.handle_type == b->head.handle_type &&
	       memcmp(a->head.f_handle, b->head.f_handle, a->head.handle_bytes) == 0;
}

static void the_size_is_told(void)
{
	struct handle h = {.head.handle_bytes = 0};
	unsigned size;
	int id = -1;

	privileged = geteuid() == 0;
	file_put("f", "one");
	errno = 0;
	exported = name_to_handle_at(AT_FDCWD, "f", &h.head, &id, 0) == 0 ||
		   errno != EOPNOTSUPP;
	if (!exported)
		exit(77);
	CHECK(errno == EOVERFLOW && id > 0);
	size = h.head.handle_bytes;
	CHECK(size > 0 && size <= MAX_HANDLE_SZ);
	CHECK(name_to_handle_at(AT_FDCWD, "f", &h.head, &id, 0) == 0);
	CHECK(h.head.handle_bytes == size);
	h.head.handle_bytes = size - 1;
	FAILS(EOVERFLOW, name_to_handle_at(AT_FDCWD, "f", &h.head, &id, 0));
}

static void it_is_the_files_own(void)
{
	struct handle f, g, other, by_fd;
	int fd = open("f", O_RDONLY);

	file_put("other", "two");
	CHECK(get_at(AT_FDCWD, "f", &f, 0) == 0 &&
	      get_at(AT_FDCWD, "other", &other, 0) == 0);
	CHECK(!same(&f, &other));
	CHECK(link("f", "l") == 0 && get_at(AT_FDCWD, "l", &g, 0) == 0 && same(&f, &g));
	CHECK(rename("f", "g") == 0 && get_at(AT_FDCWD, "g", &g, 0) == 0 && same(&f, &g));
	CHECK(get_at(fd, "", &by_fd, AT_EMPTY_PATH) == 0 && same(&f, &by_fd));
	CHECK(chmod("g", 0600) == 0 && truncate("g", 1) == 0);
	CHECK(get_at(AT_FDCWD, "g", &g, 0) == 0 && same(&f, &g));
	CHECK(symlink("g", "s") == 0 && get_at(AT_FDCWD, "s", &g, 0) == 0);
	CHECK(!same(&f, &g));
	CHECK(get_at(AT_FDCWD, "s", &g, AT_SYMLINK_FOLLOW) == 0 && same(&f, &g));
	CHECK(rename("g", "f") == 0 && unlink("l") == 0 && unlink("s") == 0);
	CHECK(close(fd) == 0);
}

static void it_opens_the_file(void)
{
	struct handle h;
	struct stat a, b;
	char c[4] = "";
	int fd;

	if (!privileged)
		return;
	file_put("f", "one");
	CHECK(get_at(AT_FDCWD, "f", &h, 0) == 0 && rename("f", "g") == 0);
	fd = open_by_handle_at(AT_FDCWD, &h.head, O_RDWR | O_CLOEXEC);
	CHECK(fd >= 0 && read(fd, c, 3) == 3 && strcmp(c, "one") == 0);
	CHECK(fcntl(fd, F_GETFD) == FD_CLOEXEC);
	CHECK(fstat(fd, &a) == 0 && stat("g", &b) == 0 && a.st_ino == b.st_ino);
	CHECK(close(fd) == 0);
	fd = open_by_handle_at(AT_FDCWD, &h.head, O_WRONLY | O_TRUNC);
	CHECK(fd >= 0 && close(fd) == 0 && stat("g", &b) == 0 && b.st_size == 0);
	FAILS(ENOTDIR, open_by_handle_at(AT_FDCWD, &h.head, O_RDONLY | O_DIRECTORY));
	CHECK(unlink("g") == 0);
	FAILS(ESTALE, open_by_handle_at(AT_FDCWD, &h.head, O_RDONLY));
}

static void directories_too(void)
{
	struct handle h;
	int fd, sub;

	if (!privileged)
		return;
	CHECK(mkdir("d", 0755) == 0 && mkdir("d/e", 0755) == 0);
	file_put("d/e/x", "deep");
	CHECK(get_at(AT_FDCWD, "d/e", &h, 0) == 0 && rename("d/e", "e") == 0);
	fd = open_by_handle_at(AT_FDCWD, &h.head, O_RDONLY | O_DIRECTORY);
	CHECK(fd >= 0);
	sub = openat(fd, "x", O_RDONLY);
	CHECK(sub >= 0 && close(sub) == 0);
	sub = openat(fd, "../e/x", O_RDONLY);
	CHECK(sub >= 0 && close(sub) == 0);
	FAILS(EISDIR, open_by_handle_at(AT_FDCWD, &h.head, O_RDWR));
	CHECK(fchdir(fd) == 0 && access("x", F_OK) == 0 && chdir("..") == 0);
	CHECK(access("d", F_OK) == 0 && close(fd) == 0);
	CHECK(unlink("e/x") == 0 && rmdir("e") == 0 && rmdir("d") == 0);
}

static void links_are_not_opened(void)
{
	struct handle h;
	int fd;

	if (!privileged)
		return;
	CHECK(symlink("nowhere", "s") == 0 && get_at(AT_FDCWD, "s", &h, 0) == 0);
	FAILS(ELOOP, open_by_handle_at(AT_FDCWD, &h.head, O_RDONLY));
	fd = open_by_handle_at(AT_FDCWD, &h.head, O_PATH | O_NOFOLLOW);
	if (fd >= 0)
		CHECK(close(fd) == 0);
	CHECK(unlink("s") == 0);
}

static void identifiers_exist_everywhere(void)
{
	struct handle h;

	CHECK(get_at(AT_FDCWD, "/proc/self/status", &h, AT_HANDLE_FID) == 0);
	FAILS(EOPNOTSUPP, get_at(AT_FDCWD, "/proc/self/status", &h, 0));
	FAILS(EINVAL, get_at(AT_FDCWD, ".", &h, AT_HANDLE_FID | AT_HANDLE_CONNECTABLE));
}

static void as_a_user(void)
{
	struct handle h;

	become_user_here();
	CHECK(get_at(AT_FDCWD, "f", &h, 0) == 0);
	FAILS(EPERM, open_by_handle_at(AT_FDCWD, &h.head, O_RDONLY));
}

static void documented_errors(void)
{
	struct handle h;
	int id, p[2];

	file_put("f", "one");
	CHECK(in_child(as_a_user) == 0);
	FAILS(ENOENT, get_at(AT_FDCWD, "", &h, 0));
	FAILS(ENOENT, get_at(AT_FDCWD, "absent", &h, 0));
	FAILS(EBADF, get_at(-1, "f", &h, 0));
	FAILS(EINVAL, get_at(AT_FDCWD, "f", &h, 0x40000));
	h.head.handle_bytes = MAX_HANDLE_SZ + 1;
	FAILS(EINVAL, name_to_handle_at(AT_FDCWD, "f", &h.head, &id, 0));
	CHECK(get_at(AT_FDCWD, "f", &h, 0) == 0);
	FOR_BAD(bad)
	{
		FAILS(EFAULT, syscall(SYS_name_to_handle_at, AT_FDCWD, bad, &h, &id, 0));
		FAILS(EFAULT, syscall(SYS_name_to_handle_at, AT_FDCWD, "f", bad, &id, 0));
		FAILS(EFAULT, syscall(SYS_name_to_handle_at, AT_FDCWD, "f", &h, bad, 0));
		FAILS(EFAULT, syscall(SYS_open_by_handle_at, AT_FDCWD, bad, O_RDONLY));
	}
	if (!privileged)
		return;
	FAILS(EBADF, open_by_handle_at(-1, &h.head, O_RDONLY));
	CHECK(pipe(p) == 0);
	FAILS(ESTALE, open_by_handle_at(p[0], &h.head, O_RDONLY));
	h.head.handle_bytes = 0;
	FAILS(EINVAL, open_by_handle_at(AT_FDCWD, &h.head, O_RDONLY));
	h.head.handle_bytes = MAX_HANDLE_SZ + 1;
	FAILS(EINVAL, open_by_handle_at(AT_FDCWD, &h.head, O_RDONLY));
	CHECK(get_at(AT_FDCWD, "f", &h, 0) == 0);
	h.head.handle_type = -1;
	FAILS(EINVAL, open_by_handle_at(AT_FDCWD, &h.head, O_RDONLY));
	CHECK(get_at(AT_FDCWD, "f", &h, 0) == 0);
	memset(h.head.f_handle, 0xee, h.head.handle_bytes);
	FAILS(ESTALE, open_by_handle_at(AT_FDCWD, &h.head, O_RDONLY));
}

RUN(TEST(the_size_is_told), TEST(it_is_the_files_own), TEST(it_opens_the_file),
    TEST(directories_too), TEST(links_are_not_opened), TEST(identifiers_exist_everywhere),
    TEST(documented_errors))
