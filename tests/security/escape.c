/* SPDX-License-Identifier: MIT */
/* escape.c - tricks with paths: none leads out of the guest's own root, and magic links
 * lead to the guest's objects, not the host's. */
#include "raw.h"

#include <linux/openat2.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

static bool is_same(const char *a, const char *b)
{
	struct stat x, y;

	return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev &&
	       x.st_ino == y.st_ino;
}

static void dots_stop_at_the_root(void)
{
	char path[3 * 400 + 2] = "/";

	for (int i = 0; i < 400; i++)
		strcat(path, "../");
	CHECK(is_same(path, "/"));
	CHECK(is_same("/..", "/"));
	CHECK(is_same("/proc/..", "/"));
	CHECK(is_same("/proc/self/../..", "/"));
	CHECK(is_same("/dev/../..", "/"));
	CHECK(is_same("/tmp/../..", "/"));
	CHECK(chdir("/") == 0);
	CHECK(is_same("../../..", "/"));
}

static void magic_links_lead_to_the_guests_root(void)
{
	CHECK(is_same("/proc/self/root", "/"));
	CHECK(is_same("/proc/self/root/..", "/"));
	CHECK(is_same("/proc/self/root/proc/self/root/../..", "/"));
	CHECK(is_same("/proc/1/root", "/") || errno == EACCES);
	CHECK(symlink("/proc/self/root/../..", "/tmp/escape") == 0);
	CHECK(is_same("/tmp/escape", "/"));
	CHECK(is_same("/tmp/escape/../escape", "/") || errno == ENOENT);
	CHECK(unlink("/tmp/escape") == 0);
	CHECK(symlink("/proc/self/cwd", "/tmp/escape") == 0);
	CHECK(chdir("/tmp") == 0);
	CHECK(is_same("/tmp/escape", "/tmp"));
	CHECK(unlink("/tmp/escape") == 0);
}

/* A link in a directory of the host's is read as the guest's. */
static void links_are_resolved_in_the_guest(void)
{
	struct stat st;

	CHECK(mkdir("/tmp/inside", 0755) == 0);
	CHECK(symlink("../../../../../..", "/tmp/inside/up") == 0);
	CHECK(is_same("/tmp/inside/up", "/"));
	CHECK(symlink("/", "/tmp/inside/root") == 0);
	CHECK(is_same("/tmp/inside/root", "/"));
	CHECK(symlink("loop", "/tmp/inside/loop") == 0);
	FAILS(ELOOP, stat("/tmp/inside/loop", &st));
	CHECK(unlink("/tmp/inside/up") == 0 && unlink("/tmp/inside/root") == 0);
	CHECK(unlink("/tmp/inside/loop") == 0 && rmdir("/tmp/inside") == 0);
}

/* chroot's old trick: a working directory that is outside the new root. */
static void in_chroot(void)
{
	struct stat before, after;

	CHECK(stat("/", &before) == 0);
	if (chroot("/tmp/jail") != 0) {
		CHECK(errno == EPERM || errno == ENOSYS);
		return;
	}
	for (int i = 0; i < 50; i++)
		CHECK(chdir("..") == 0);
	CHECK(stat(".", &after) == 0);
	CHECK(before.st_ino == after.st_ino && before.st_dev == after.st_dev);
}

static void chroot_does_not_open_the_hosts_root(void)
{
	CHECK(mkdir("/tmp/jail", 0755) == 0);
	CHECK(in_child(in_chroot) == 0);
	CHECK(rmdir("/tmp/jail") == 0);
}

static void a_removed_directory_has_no_way_up(void)
{
	struct stat st;

	CHECK(mkdir("/tmp/gone", 0755) == 0);
	CHECK(chdir("/tmp/gone") == 0);
	CHECK(rmdir("/tmp/gone") == 0);
	CHECK(stat("../../../../..", &st) == 0 ? is_same("../../../../..", "/")
					       : errno == ENOENT);
	CHECK(chdir("/") == 0);
}

/* The descriptors that the host processes share are not the guest's. */
static void host_descriptors_cannot_be_named(void)
{
	char path[64];
	struct stat st;

	for (int fd = 3; fd < 300; fd++) {
		CHECK(fcntl(fd, F_GETFD) == -1 && errno == EBADF);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		CHECK(stat(path, &st) == -1 && errno == ENOENT);
		CHECK(openat(fd, ".", O_RDONLY) == -1 && errno == EBADF);
	}
}

static void processes_are_the_guests_own(void)
{
	char path[64];
	int seen = 0;

	for (int pid = 1; pid < 2000; pid++) {
		snprintf(path, sizeof(path), "/proc/%d/stat", pid);
		if (access(path, F_OK) == 0) {
			CHECK(kill(pid, 0) == 0 || errno == EPERM);
			seen++;
		}
	}
	CHECK(seen >= 1 && seen < 10);
}

/* Nothing that changes the host is a guest's to do, root or not. */
static void the_hosts_controls_do_not_answer(void)
{
	int init;
	char byte;

	CHECK(open("/dev/mem", O_RDONLY) == -1);
	CHECK(open("/proc/kcore", O_RDONLY) == -1);
	CHECK(open("/proc/sysrq-trigger", O_WRONLY) == -1);
	init = open("/proc/1/mem", O_RDWR); /* process 1 has no memory */
	CHECK(init == -1 || pread(init, &byte, 1, 0x400000) <= 0);
	CHECK(syscall(SYS_reboot, 0xfee1dead, 672274793, 0, NULL) == -1);
	CHECK(syscall(SYS_init_module, "", 0, "") == -1);
	CHECK(syscall(SYS_bpf, 0, "", 0) == -1);
	CHECK(syscall(SYS_perf_event_open, "", 0, -1, -1, 0) == -1);
	CHECK(syscall(SYS_open_by_handle_at, AT_FDCWD, "", O_RDONLY) == -1);
}

/* Device nodes made by a guest open nothing of the host's. */
static void a_made_node_is_no_device_of_the_hosts(void)
{
	int fd;

	if (mknod("/tmp/node", S_IFBLK | 0600, makedev(8, 0)) != 0) {
		CHECK(errno == EPERM || errno == EACCES);
		return;
	}
	fd = open("/tmp/node", O_RDONLY);
	CHECK(fd == -1);
	CHECK(unlink("/tmp/node") == 0);
	if (mknod("/tmp/node", S_IFCHR | 0600, makedev(1, 1)) == 0) { /* mem */
		CHECK(open("/tmp/node", O_RDWR) == -1);
		CHECK(unlink("/tmp/node") == 0);
	}
}

/* The kernel's own stand-in for the filter: a guest that removes its dispatch, by
 * jumping, still has only the listed calls. */
static void without_dispatch(void)
{
	CHECK(raw_call(SYS_prctl, PR_SET_SYSCALL_USER_DISPATCH, 0, 0, 0, 0, 0) == 0);
	/* now `syscall` goes to the host: execve is not listed, and kills */
	__asm__ volatile("syscall"
			 :
			 : "a"((long)SYS_execve), "D"("/bin/true"), "S"(0L), "d"(0L)
			 : "rcx", "r11", "memory");
}

static void without_dispatch_the_filter_remains(void)
{
	int status = in_child(without_dispatch);

	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

RUN(TEST(dots_stop_at_the_root), TEST(magic_links_lead_to_the_guests_root),
    TEST(links_are_resolved_in_the_guest), TEST(chroot_does_not_open_the_hosts_root),
    TEST(a_removed_directory_has_no_way_up), TEST(host_descriptors_cannot_be_named),
    TEST(processes_are_the_guests_own), TEST(the_hosts_controls_do_not_answer),
    TEST(a_made_node_is_no_device_of_the_hosts),
    TEST(without_dispatch_the_filter_remains))
