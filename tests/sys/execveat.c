/* SPDX-License-Identifier: MIT */
/* files */
/* execveat.c - running a program by directory descriptor, or the descriptor itself. */
#include "proc.h"
#include <sys/auxv.h>
#include <sys/stat.h>

static char self[PATH_MAX];
static char *base;
static int dir_fd;
static char *const args[] = {"execveat", "exit-21", NULL};
static char *const no_env[] = {NULL};

static long exec_at(int fd, const char *path, int flags)
{
	return syscall(SYS_execveat, fd, path, args, no_env, flags);
}

#define RUN_AT(fd, path, flags)                                                          \
	do {                                                                             \
		CHILD(pid_)                                                              \
		{                                                                        \
			exec_at(fd, path, flags);                                        \
			_exit(126);                                                      \
		}                                                                        \
		WAIT_EXIT(pid_, 21);                                                     \
	} while (0)

static void name_is_taken_from_the_directory(void)
{
	RUN_AT(dir_fd, base, 0);
	RUN_AT(dir_fd, base, AT_SYMLINK_NOFOLLOW);
}

static void absolute_path_ignores_the_descriptor(void)
{
	RUN_AT(-1, self, 0);
	RUN_AT(999, self, 0);
	RUN_AT(AT_FDCWD, self, 0);
}

static void empty_path_runs_the_descriptor(void)
{
	int fd = open(self, O_PATH | O_CLOEXEC);
	int fd2 = open(self, O_RDONLY | O_CLOEXEC);

	CHECK(fd >= 0 && fd2 >= 0);
	RUN_AT(fd, "", AT_EMPTY_PATH);
	RUN_AT(fd2, "", AT_EMPTY_PATH);
	FAILS(ENOENT, exec_at(fd, "", 0));
	close(fd);
	close(fd2);
	FAILS(EBADF, exec_at(fd, "", AT_EMPTY_PATH));
}

static void execfn_names_the_descriptor(void)
{
	char *argv[] = {"x", "execfn", NULL};
	int fd = open(self, O_PATH);
	char expected[64];
	char *envp[] = {expected, NULL};

	snprintf(expected, sizeof(expected), "EXPECT=/dev/fd/%d", fd);
	CHILD(pid)
	{
		syscall(SYS_execveat, fd, "", argv, envp, AT_EMPTY_PATH);
		_exit(126);
	}
	WAIT_EXIT(pid, 22);
	snprintf(expected, sizeof(expected), "EXPECT=/dev/fd/%d/%s", dir_fd, base);
	CHILD(pid2)
	{
		syscall(SYS_execveat, dir_fd, base, argv, envp, 0);
		_exit(126);
	}
	WAIT_EXIT(pid2, 22);
	close(fd);
}

static void a_memfd_runs(void)
{
	static char buf[65536];
	int in = open(self, O_RDONLY);
	int fd = memfd_create("program", MFD_CLOEXEC);
	ssize_t n;

	CHECK(in >= 0 && fd >= 0);
	while ((n = read(in, buf, sizeof(buf))) > 0)
		CHECK(write(fd, buf, (size_t)n) == n);
	close(in);
	RUN_AT(fd, "", AT_EMPTY_PATH);
	snprintf(buf, sizeof(buf), "/proc/self/fd/%d", fd);
	in = open(buf, O_RDONLY | O_CLOEXEC);
	CHECK(in >= 0);
	close(fd);
	RUN_AT(in, "", AT_EMPTY_PATH);
	close(in);
}

static void scripts_run_unless_their_descriptor_closes(void)
{
	char name[64];
	int fd;

	snprintf(name, sizeof(name), "execveat-%d", getpid());
	fd = open(name, O_WRONLY | O_CREAT | O_EXCL, 0755);
	CHECK(fd >= 0 && write(fd, "#!/bin/sh\nexit 21\n", 18) == 18);
	close(fd);
	RUN_AT(AT_FDCWD, name, 0);
	fd = open(name, O_RDONLY);
	RUN_AT(fd, "", AT_EMPTY_PATH);
	CHECK(fcntl(fd, F_SETFD, FD_CLOEXEC) == 0);
	FAILS(ENOENT, exec_at(fd, "", AT_EMPTY_PATH));
	close(fd);
	unlink(name);
}

static void nofollow_refuses_a_link(void)
{
	char name[64];

	snprintf(name, sizeof(name), "execveat-%d", getpid());
	CHECK(symlink(self, name) == 0);
	FAILS(ELOOP, exec_at(AT_FDCWD, name, AT_SYMLINK_NOFOLLOW));
	RUN_AT(AT_FDCWD, name, 0);
	unlink(name);
}

static void refusals(void)
{
	FAILS(EINVAL, exec_at(dir_fd, base, 0x40000000));
	FAILS(EINVAL, exec_at(dir_fd, base, AT_REMOVEDIR));
	FAILS(EBADF, exec_at(-1, base, 0));
	FAILS(EBADF, exec_at(999, base, 0));
	FAILS(ENOENT, exec_at(dir_fd, "no-such-file", 0));
	FAILS(EACCES, exec_at(dir_fd, "", AT_EMPTY_PATH));
	FAILS(EACCES, exec_at(dir_fd, ".", 0));
	FAILS(EFAULT, exec_at(dir_fd, BAD_PTR, 0));
	FAILS(EFAULT, syscall(SYS_execveat, dir_fd, base, BAD_PTR, no_env, 0));
	FAILS(EFAULT, syscall(SYS_execveat, dir_fd, base, args, KERNEL_PTR, 0));
	int file = open(self, O_RDONLY);
	FAILS(ENOTDIR, exec_at(file, "x", 0));
	close(file);
}

#define CHECK_ONLY 0x10000

static long check_at(int fd, const char *path, void *argv, int flags)
{
	return syscall(SYS_execveat, fd, path, argv, no_env, CHECK_ONLY | flags);
}

static void put_program(const char *name, const char *text, mode_t mode)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0700);

	CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	CHECK(fchmod(fd, mode) == 0 && close(fd) == 0);
}

/* Linux 6.14: whether it may be run, not whether it could. */
static void it_can_be_asked_for_alone(void)
{
	static char big[8 << 20];
	int fd = open(self, O_PATH | O_CLOEXEC);

	memset(big, 'a', sizeof(big) - 1);
	put_program("script", "#!/bin/sh\n", 0755);
	put_program("lost", "#!/nonexistent\n", 0755);
	put_program("garbage", "garbage", 0755);
	put_program("closed", "#!/bin/sh\n", 0644);
	CHECK(symlink("script", "link") == 0);
	CHECK(check_at(AT_FDCWD, self, (void *)args, 0) == 0);
	CHECK(check_at(dir_fd, base, (void *)args, 0) == 0);
	CHECK(check_at(fd, "", (void *)args, AT_EMPTY_PATH) == 0);
	CHECK(check_at(AT_FDCWD, "script", (void *)args, 0) == 0);
	CHECK(check_at(AT_FDCWD, "lost", (void *)args, 0) == 0);
	CHECK(check_at(AT_FDCWD, "garbage", NULL, 0) == 0);
	FAILS(EACCES, check_at(AT_FDCWD, "closed", (void *)args, 0));
	FAILS(EACCES, check_at(AT_FDCWD, "closed", BAD_PTR, 0));
	FAILS(EACCES, check_at(AT_FDCWD, ".", (void *)args, 0));
	FAILS(ENOENT, check_at(AT_FDCWD, "absent", BAD_PTR, 0));
	FAILS(ELOOP, check_at(AT_FDCWD, "link", (void *)args, AT_SYMLINK_NOFOLLOW));
	FAILS(EFAULT, check_at(AT_FDCWD, self, BAD_PTR, 0));
	FAILS(EFAULT, check_at(AT_FDCWD, NULL, (void *)args, 0));
	FAILS(E2BIG, check_at(AT_FDCWD, self, (char *[]){big, NULL}, 0));
	FAILS(EINVAL, check_at(AT_FDCWD, self, (void *)args, 1));
	CHECK(close(fd) == 0);
	fd = open("garbage", O_RDWR);
	FAILS(ETXTBSY, check_at(AT_FDCWD, "garbage", (void *)args, 0));
	CHECK(close(fd) == 0);
	fd = open("garbage", O_RDWR); /* nobody runs it, so it can be written to */
	CHECK(fd >= 0 && close(fd) == 0);
}

static const struct test all[] = {
	TEST(name_is_taken_from_the_directory),
	TEST(absolute_path_ignores_the_descriptor),
	TEST(empty_path_runs_the_descriptor),
	TEST(execfn_names_the_descriptor),
	TEST(a_memfd_runs),
	TEST(scripts_run_unless_their_descriptor_closes),
	TEST(nofollow_refuses_a_link),
	TEST(refusals),
	TEST(it_can_be_asked_for_alone),
};

int main(int argc, char **argv)
{
	char dir[PATH_MAX];

	if (argc > 1 && !strcmp(argv[1], "exit-21"))
		return 21;
	if (argc > 1 && !strcmp(argv[1], "execfn"))
		return strcmp((const char *)getauxval(AT_EXECFN), getenv("EXPECT")) ? 1
										    : 22;
	CHECK(readlink("/proc/self/exe", self, sizeof(self) - 1) > 0);
	base = strrchr(self, '/') + 1;
	snprintf(dir, sizeof(dir), "%.*s", (int)(base - self), self);
	dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CHECK(dir_fd >= 0);
	return test_main(all, sizeof(all) / sizeof(all[0]));
}
