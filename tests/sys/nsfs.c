/* SPDX-License-Identifier: MIT */
/* The files of /proc/PID/ns: they open, compare equal between processes of one namespace,
 * and answer what ioctl_ns(2) asks. */
/* calls: ioctl */
#include "fixture.h"

#include <linux/nsfs.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/vfs.h>

static const struct {
	const char *name;
	int kind;
} all[] = {
	{"cgroup", CLONE_NEWCGROUP}, {"ipc", CLONE_NEWIPC}, {"mnt", CLONE_NEWNS},
	{"net", CLONE_NEWNET},	     {"pid", CLONE_NEWPID}, {"time", 0x80},
	{"user", CLONE_NEWUSER},     {"uts", CLONE_NEWUTS},
};
#define COUNT (sizeof(all) / sizeof(all[0]))

static int ns_open(const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/ns/%s", name);
	return open(path, O_RDONLY | O_CLOEXEC);
}

static void they_open_and_are_what_the_link_says(void)
{
	for (size_t i = 0; i < COUNT; i++) {
		char path[64], link[64] = "", want[64];
		struct statfs fs;
		struct stat st;
		int fd = ns_open(all[i].name);

		CHECK(fd >= 0);
		CHECK(fstat(fd, &st) == 0 && S_ISREG(st.st_mode));
		CHECK((st.st_mode & 07777) == 0444 && st.st_size == 0);
		CHECK(fstatfs(fd, &fs) == 0 && fs.f_type == 0x6e736673);
		snprintf(want, sizeof(want), "%s:[%lu]", all[i].name,
			 (unsigned long)st.st_ino);
		snprintf(path, sizeof(path), "/proc/self/ns/%s", all[i].name);
		CHECK(readlink(path, link, sizeof(link) - 1) == (ssize_t)strlen(want));
		CHECK(strcmp(link, want) == 0);
		memset(link, 0, sizeof(link));
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		CHECK(readlink(path, link, sizeof(link) - 1) > 0);
		CHECK(strcmp(link, want) == 0);
		CHECK(close(fd) == 0);
	}
}

static void a_child_has_the_same(void)
{
	struct stat own, its;
	char path[64];
	int go[2];
	pid_t pid;
	char c;

	CHECK(pipe(go) == 0);
	pid = fork();
	if (pid == 0)
		_exit(close(go[1]) != 0 || read(go[0], &c, 1) != 0);
	CHECK(pid > 0);
	for (size_t i = 0; i < COUNT; i++) {
		snprintf(path, sizeof(path), "/proc/self/ns/%s", all[i].name);
		CHECK(stat(path, &own) == 0);
		snprintf(path, sizeof(path), "/proc/%d/ns/%s", pid, all[i].name);
		CHECK(stat(path, &its) == 0);
		CHECK(own.st_ino == its.st_ino && own.st_dev == its.st_dev);
	}
	CHECK(close(go[0]) == 0 && close(go[1]) == 0);
	CHECK(child_wait(pid) == 0);
}

static void they_tell_their_kind(void)
{
	for (size_t i = 0; i < COUNT; i++) {
		int fd = ns_open(all[i].name);

		CHECK(ioctl(fd, NS_GET_NSTYPE) == all[i].kind);
		if (all[i].kind != CLONE_NEWPID && all[i].kind != CLONE_NEWUSER)
			FAILS(EINVAL, ioctl(fd, NS_GET_PARENT));
		CHECK(close(fd) == 0);
	}
}

static void nothing_can_be_read(void)
{
	int fd = ns_open("uts");
	char c;

	FAILS(EINVAL, read(fd, &c, 1));
	FAILS(EBADF, write(fd, &c, 1));
	FAILS(ENOTTY, ioctl(fd, _IO(0xb7, 0x7f), &c));
	CHECK(close(fd) == 0);
	fd = open("/proc/self/ns/uts", O_WRONLY);
	CHECK(fd < 0 && errno == EPERM);
}

RUN(TEST(they_open_and_are_what_the_link_says), TEST(a_child_has_the_same),
    TEST(they_tell_their_kind), TEST(nothing_can_be_read))
