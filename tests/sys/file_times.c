/* SPDX-License-Identifier: MIT */
/* files */
/* Setting times, by every call that does, and when reading sets them. */
/* calls: utime utimes futimesat utimensat */
#include "fixture.h"

#include <sys/time.h>
#include <utime.h>

static struct stat look(const char *name)
{
	struct stat st;

	CHECK(lstat(name, &st) == 0);
	return st;
}

static void set(const char *name, time_t atime, time_t mtime)
{
	struct timespec t[2] = {{atime, 0}, {mtime, 0}};

	CHECK(utimensat(AT_FDCWD, name, t, 0) == 0);
}

static void every_call_sets(void)
{
	struct utimbuf u = {100, 200};
	struct timeval v[2] = {{300, 4}, {500, 6}};
	struct timespec t[2] = {{700, 8}, {900, 10}};
	struct stat st;
	int fd;

	file_put("f", "text");
	CHECK(symlink("f", "l") == 0);
	CHECK(utime("l", &u) == 0);
	st = look("f");
	CHECK(st.st_atime == 100 && st.st_mtime == 200 && st.st_ctime > 1000);
	CHECK(utimes("f", v) == 0);
	st = look("f");
	CHECK(st.st_atim.tv_sec == 300 && st.st_atim.tv_nsec == 4000);
	CHECK(st.st_mtim.tv_sec == 500 && st.st_mtim.tv_nsec == 6000);
	fd = open("f", O_RDONLY);
	CHECK(futimens(fd, t) == 0 && look("f").st_atime == 700);
	v[0].tv_sec = 1;
	CHECK(syscall(SYS_futimesat, fd, NULL, v) == 0 && look("f").st_atime == 1);
	CHECK(syscall(SYS_futimesat, AT_FDCWD, "f", NULL) == 0 &&
	      look("f").st_atime > 1000);
	CHECK(utimensat(AT_FDCWD, "l", t, AT_SYMLINK_NOFOLLOW) == 0);
	CHECK(look("l").st_mtime == 900 && look("f").st_mtime > 1000);
	CHECK(utimensat(fd, "", t, AT_EMPTY_PATH) == 0 && look("f").st_mtime == 900);
	t[0].tv_nsec = UTIME_OMIT;
	t[1].tv_nsec = UTIME_NOW;
	CHECK(utimensat(AT_FDCWD, "f", t, 0) == 0);
	st = look("f");
	CHECK(st.st_atime == 700 && st.st_mtime > 1000);
	t[1].tv_nsec = UTIME_OMIT;
	CHECK(utimensat(AT_FDCWD, "absent", t, 0) == 0); /* nothing to do */
	CHECK(close(fd) == 0);
}

static void read_some(const char *name, int flags)
{
	char c;
	int fd = open(name, O_RDONLY | flags);

	CHECK(fd >= 0 && read(fd, &c, 1) == 1 && close(fd) == 0);
}

/* Relative access times, as mounts have them without options: set when they are not
 * after the last change, or a day old. */
static void reading_sets_old_access_times(void)
{
	time_t now = time(NULL);
	struct stat st;

	set("f", 1000, 2000);
	read_some("f", O_NOATIME);
	CHECK(look("f").st_atime == 1000);
	read_some("f", 0);
	st = look("f");
	if (st.st_atime == 1000)
		return; /* a mount without access times */
	CHECK(st.st_atime >= now - 1 && st.st_mtime == 2000);
	set("f", now + 1000, 2000); /* later than every change */
	read_some("f", 0);
	CHECK(look("f").st_atime == now + 1000);
	set("f", now - 2 * 86400, 2000);
	read_some("f", 0);
	CHECK(look("f").st_atime >= now - 1);
}

static void as_a_user(void)
{
	struct timespec t[2] = {{1, 0}, {2, 0}};
	struct timespec n[2] = {{0, UTIME_NOW}, {0, UTIME_NOW}};
	struct timespec o[2] = {{0, UTIME_OMIT}, {0, UTIME_OMIT}};
	struct timespec m[2] = {{0, UTIME_NOW}, {0, UTIME_OMIT}};

	become_user_here();
	if (geteuid() != 65534)
		return;
	FAILS(EPERM, utimensat(AT_FDCWD, "f", t, 0));
	FAILS(EACCES, utimensat(AT_FDCWD, "f", n, 0));
	FAILS(EACCES, utimensat(AT_FDCWD, "f", NULL, 0));
	FAILS(EACCES, utime("f", NULL));
	FAILS(EPERM, utimensat(AT_FDCWD, "f", m, 0));
	CHECK(utimensat(AT_FDCWD, "f", o, 0) == 0);
	CHECK(utimensat(AT_FDCWD, "open", n, 0) == 0 && utime("open", NULL) == 0);
	FAILS(EPERM, utimensat(AT_FDCWD, "open", t, 0));
	FAILS(EPERM, utimensat(AT_FDCWD, "open", m, 0));
}

static void documented_errors(void)
{
	struct timespec t[2] = {{1, 0}, {2, 0}};
	struct timeval v[2] = {{1, 1000000}, {2, 0}};
	int path = open("f", O_PATH);

	file_put("open", "");
	CHECK(chmod("open", 0666) == 0 && chmod("f", 0644) == 0);
	CHECK(in_child(as_a_user) == 0);
	FAILS(ENOENT, utimensat(AT_FDCWD, "", t, 0));
	FAILS(EINVAL, utimensat(AT_FDCWD, "f", t, 0x8000));
	FAILS(EBADF, utimensat(-1, "f", t, 0));
	FAILS(ENOTDIR, utimensat(path, "f", t, 0));
	FAILS(EBADF, futimens(path, t));
	FAILS(EINVAL, syscall(SYS_utimensat, path, NULL, t, AT_SYMLINK_NOFOLLOW));
	FAILS(EINVAL, utimes("f", v));
	v[0].tv_usec = -1;
	FAILS(EINVAL, utimes("f", v));
	t[0].tv_nsec = 1000000000;
	FAILS(EINVAL, utimensat(AT_FDCWD, "f", t, 0));
	t[0].tv_nsec = -1;
	FAILS(EINVAL, utimensat(AT_FDCWD, "f", t, 0));
	FAILS(EFAULT, syscall(SYS_utimensat, AT_FDCWD, NULL, NULL, 0));
	FOR_BAD(bad)
	{
		FAILS(EFAULT, syscall(SYS_utimensat, AT_FDCWD, bad, NULL, 0));
		if (bad) {
			FAILS(EFAULT, syscall(SYS_utimensat, AT_FDCWD, "f", bad, 0));
			FAILS(EFAULT, syscall(SYS_utime, "f", bad));
			FAILS(EFAULT, syscall(SYS_utimes, "f", bad));
		}
	}
	CHECK(close(path) == 0);
}

static char *map(int fd, size_t at, int prot, int flags)
{
	char *p = mmap(NULL, 4096, prot, flags, fd, (off_t)at);

	CHECK(p != MAP_FAILED);
	return p;
}

/* Each page is written to once: Linux need not notice a second time. */
static void writing_through_mappings_sets(void)
{
	const int rw = PROT_READ | PROT_WRITE;
	time_t begin = time(NULL) - 1; /* a tick behind, or times ahead of it */
	struct stat st;
	int status;
	pid_t pid;
	char *p;
	int fd;

	file_put("m", "old");
	fd = open("m", O_RDWR);
	CHECK(ftruncate(fd, 6 * 4096) == 0);
	p = map(fd, 0, rw, MAP_SHARED);
	set("m", 100, 200);
	CHECK(look("m").st_mtime == 200);
	p[0] = 'n';
	st = look("m");
	CHECK(st.st_mtime >= begin && st.st_mtime <= time(NULL) + 1);
	CHECK(st.st_ctime >= begin && st.st_atime == 100);
	CHECK(munmap(p, 4096) == 0);

	/* What is set afterwards stays, whatever was not asked for in between. */
	p = map(fd, 4096, rw, MAP_SHARED);
	p[0] = 'n';
	set("m", 100, 300);
	CHECK(look("m").st_mtime == 300 && look("m").st_mtime == 300);
	CHECK(munmap(p, 4096) == 0);

	/* By a child, through a mapping that is gone when it is asked for. */
	p = map(fd, 2UL * 4096, PROT_READ, MAP_SHARED);
	CHECK(mprotect(p, 4096, rw) == 0);
	set("m", 100, begin + 100000);
	pid = fork();
	if (pid == 0)
		_exit((p[0] = 'n') != 'n');
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	CHECK(munmap(p, 4096) == 0 && close(fd) == 0);
	st = look("m");
	CHECK(st.st_mtime >= begin && st.st_mtime <= time(NULL) + 1);

	/* A write(2) is seen as one after that, too. */
	set("m", 100, 400);
	fd = open("m", O_RDWR);
	CHECK(pwrite(fd, "x", 1, 9000) == 1 && look("m").st_mtime >= begin);
	CHECK(close(fd) == 0);
}

/* Returns what the call gave; or, entered behind the call, what is in rax. */
static const unsigned char CODE[] = {0x0f, 0x05,       /* syscall */
				     0x48, 0x89, 0xc2, /* mov %rax, %rdx */
				     0x48, 0x89, 0xd0, /* mov %rdx, %rax */
				     0xc3};	       /* ret */

static long enter(const char *code, long rax)
{
	__asm__ volatile("call *%[code]"
			 : "+a"(rax)
			 : [code] "r"(code)
			 : "rcx", "rdx", "r11", "memory", "cc");
	return rax;
}

/* Asking for the times of code that was written through a mapping does not disturb who
 * runs it. */
static void code_runs_on_after_a_look(void)
{
	const int rw = PROT_READ | PROT_WRITE;
	struct stat st;
	char *p;
	int fd;

	file_put("code", "");
	fd = open("code", O_RDWR);
	CHECK(ftruncate(fd, 4096) == 0);
	p = map(fd, 0, rw, MAP_SHARED);
	set("code", 100, 200);
	memcpy(p, CODE, sizeof(CODE));
	memcpy(p + 256, CODE, sizeof(CODE));
	CHECK(munmap(p, 4096) == 0);
	p = map(fd, 0, PROT_READ | PROT_EXEC, MAP_PRIVATE);
	for (int i = 0; i < 50; i++)
		CHECK(enter(p, SYS_getpid) == getpid());
	st = look("code");
	CHECK(st.st_mtime > 200);
	CHECK(enter(p + 2, 7) == 7);
	for (int i = 0; i < 50; i++)
		CHECK(enter(p + 256, SYS_getpid) == getpid());
	CHECK(enter(p + 258, 8) == 8 && enter(p + 2, 9) == 9);
	set("code", 100, 300);
	CHECK(enter(p + 258, 8) == 8 && enter(p, SYS_getpid) == getpid());
	CHECK(munmap(p, 4096) == 0 && close(fd) == 0);
}

static void other_mappings_do_not_set(void)
{
	int fd;
	char *p, *q;

	file_put("m", "old");
	fd = open("m", O_RDWR);
	CHECK(ftruncate(fd, 8192) == 0);
	set("m", 100, 200);
	p = map(fd, 0, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	q = map(fd, 4096, PROT_READ | PROT_WRITE, MAP_SHARED);
	p[0] = q[0] ? '?' : 'n';
	CHECK(munmap(q, 4096) == 0 && look("m").st_mtime == 200);
	CHECK(p[0] == 'n' && munmap(p, 4096) == 0 && close(fd) == 0);
	CHECK(look("m").st_mtime == 200);
}

RUN(TEST(every_call_sets), TEST(reading_sets_old_access_times),
    TEST(writing_through_mappings_sets), TEST(code_runs_on_after_a_look),
    TEST(other_mappings_do_not_set), TEST(documented_errors))
