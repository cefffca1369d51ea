/* SPDX-License-Identifier: MIT */
/* unshare(2) and setns(2), as far as no new namespace comes of it. */
/* calls: unshare setns */
#include "fixture.h"
#include <sys/utsname.h>

#include <sched.h>

static void nothing(void)
{
	CHECK(unshare(0) == 0);
	CHECK(unshare(CLONE_FS) == 0 && unshare(CLONE_FILES) == 0);
	CHECK(unshare(CLONE_FS | CLONE_FILES | CLONE_SYSVSEM) == 0);
	CHECK(unshare(CLONE_THREAD) == 0 && unshare(CLONE_SIGHAND) == 0);
	CHECK(unshare(CLONE_VM) == 0);
}

static void alone_it_is_easy(void)
{
	nothing();
	CHECK(in_child(nothing) == 0);
}

static void bad_flags(void)
{
	FAILS(EINVAL, unshare(CLONE_PARENT));
	FAILS(EINVAL, unshare(CLONE_VFORK));
	FAILS(EINVAL, unshare(CLONE_SETTLS));
	FAILS(EINVAL, unshare(1));
	FAILS(EINVAL, unshare(CLONE_FS | CLONE_PTRACE));
	FAILS(EINVAL, syscall(SYS_unshare, 1UL << 40));
	FAILS(EINVAL, syscall(SYS_unshare, -1L));
}

/* A thread that takes away what it shares with the first one. */
static void *leaves(void *arg)
{
	int flags = *(int *)arg;

	CHECK(unshare(flags) == 0);
	if (flags & CLONE_FS) {
		CHECK(chdir("/") == 0);
		umask(0);
	}
	if (flags & CLONE_FILES) {
		CHECK(close(0) == 0 || errno == EBADF);
		CHECK(dup2(1, 100) == 100);
	}
	return NULL;
}

static void *checks_threads(void *arg)
{
	(void)arg;
	FAILS(EINVAL, unshare(CLONE_THREAD));
	FAILS(EINVAL, unshare(CLONE_SIGHAND));
	FAILS(EINVAL, unshare(CLONE_VM));
	FAILS(EINVAL, unshare(CLONE_VM | CLONE_FS));
	CHECK(unshare(0) == 0);
	return NULL;
}

static void run_thread(void *(*fn)(void *), void *arg)
{
	pthread_t thread;

	CHECK(pthread_create(&thread, NULL, fn, arg) == 0);
	CHECK(pthread_join(thread, NULL) == 0);
}

static void threads_may_part(void)
{
	char before[4096];
	char after[4096];
	int flags = CLONE_FS;

	CHECK(getcwd(before, sizeof(before)) != NULL);
	umask(027);
	run_thread(leaves, &flags);
	CHECK(getcwd(after, sizeof(after)) != NULL && strcmp(before, after) == 0);
	CHECK(umask(022) == 027);
	flags = CLONE_FILES;
	FAILS(EBADF, fcntl(100, F_GETFD));
	run_thread(leaves, &flags);
	FAILS(EBADF, fcntl(100, F_GETFD));
	run_thread(checks_threads, NULL);
}

static void no_new_ones(void)
{
	static const int kinds[] = {CLONE_NEWNS,  CLONE_NEWUTS, CLONE_NEWIPC,
				    CLONE_NEWNET, CLONE_NEWPID, CLONE_NEWCGROUP};

	become_user_here();
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		FAILS(EPERM, unshare(kinds[i]));
	FAILS(EPERM, unshare(CLONE_NEWNS | CLONE_FILES));
	FAILS(EINVAL, unshare(CLONE_NEWNS | CLONE_PARENT));
}

static void users_get_no_namespaces(void)
{
	CHECK(in_child(no_new_ones) == 0);
}

static int ns_open(const char *name)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/self/ns/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	CHECK(fd >= 0);
	return fd;
}

static void entering_mistakes(void)
{
	int fd = ns_open("uts");
	int file;

	file_put("file", "x");
	file = open("file", O_RDONLY);
	FAILS(EBADF, setns(-1, 0));
	FAILS(EBADF, setns(999, CLONE_NEWUTS));
	FAILS(EINVAL, setns(file, 0));
	FAILS(EINVAL, setns(file, CLONE_NEWUTS));
	FAILS(EINVAL, setns(fd, CLONE_NEWIPC));
	FAILS(EINVAL, setns(fd, CLONE_NEWNS));
	FAILS(EINVAL, setns(fd, -1));
	CHECK(close(file) == 0 && close(fd) == 0);
	fd = ns_open("user"); /* one's own */
	FAILS(EINVAL, setns(fd, 0));
	FAILS(EINVAL, setns(fd, CLONE_NEWUSER));
	CHECK(close(fd) == 0);
	fd = (int)syscall(SYS_pidfd_open, getpid(), 0);
	CHECK(fd >= 0);
	FAILS(EINVAL, setns(fd, 0));
	FAILS(EINVAL, setns(fd, CLONE_FS));
	CHECK(close(fd) == 0);
}

static void enters_not(void)
{
	static const char *const names[] = {"uts", "ipc", "net", "pid", "mnt", "cgroup"};

	become_user_here();
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		int fd = ns_open(names[i]);

		FAILS(EPERM, setns(fd, 0));
		CHECK(close(fd) == 0);
	}
}

static void users_may_not_enter(void)
{
	CHECK(in_child(enters_not) == 0);
}

static void enters_own(void)
{
	static const char *const names[] = {"uts", "ipc", "net", "pid", "cgroup", "mnt"};
	int fd = ns_open("uts");

	if (geteuid() != 0 || (setns(fd, 0) == -1 && errno == EPERM))
		return;
	CHECK(close(fd) == 0);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		fd = ns_open(names[i]);
		CHECK(setns(fd, 0) == 0);
		CHECK(close(fd) == 0);
	}
	CHECK(exists("/proc/self") && !exists("file")); /* at the root */
}

static void root_is_there_already(void)
{
	CHECK(in_child(enters_own) == 0);
}

/* Inside only: natively it is the whole machine's. */
static void no_copy_has_more_descriptors_than_allowed(void)
{
	struct utsname u;
	pid_t pid;
	FILE *f;

	CHECK(uname(&u) == 0);
	if (!strstr(u.release, "carbyne"))
		return;
	f = fopen("/proc/sys/fs/nr_open", "r+");
	if (!f)
		return; /* not root */
	setvbuf(f, NULL, _IONBF, 0);
	CHECK(dup2(0, 70) == 70 && fprintf(f, "64") == 2);
	FAILS(EMFILE, fork());
	CHECK(close(70) == 0);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0)
		_exit(0);
	CHECK(waitpid(pid, NULL, 0) == pid);
	CHECK(fprintf(f, "63") == -1 && fprintf(f, "1048576") == 7 && fclose(f) == 0);
}

RUN(TEST(alone_it_is_easy), TEST(bad_flags), TEST(threads_may_part),
    TEST(users_get_no_namespaces), TEST(entering_mistakes), TEST(users_may_not_enter),
    TEST(root_is_there_already), TEST(no_copy_has_more_descriptors_than_allowed))
