/* SPDX-License-Identifier: MIT */
/* Mounts of procfs that hide processes of others: hidepid, gid, subset. */
/* calls: mount open getdents64 */
#define _GNU_SOURCE
#include "mounts.h"

#include <dirent.h>

static char name[40], status_of_other[60];
static pid_t other;

static bool lists(const char *dir, const char *what)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	bool found = false;

	CHECK(d);
	while ((e = readdir(d)))
		found |= strcmp(e->d_name, what) == 0;
	closedir(d);
	return found;
}

static void proc_mount(const char *options)
{
	(void)umount("p");
	CHECK(mount("proc", "p", "proc", 0, options) == 0);
}

static void sees_none(void)
{
	struct stat st;

	become_user();
	CHECK(!lists("p", name + 2) && lists("p", "self"));
	FAILS(ENOENT, stat(name, &st));
	FAILS(ENOENT, open(status_of_other, O_RDONLY));
	CHECK(access("p/self/status", R_OK) == 0);
}

static void sees_names(void)
{
	struct stat st;

	become_user();
	CHECK(lists("p", name + 2) && stat(name, &st) == 0);
	FAILS(EPERM, open(status_of_other, O_RDONLY));
	FAILS(EPERM, opendir(name) ? 0 : -1);
}

static void sees_all(void)
{
	become_user();
	CHECK(lists("p", name + 2) && access(status_of_other, R_OK) == 0);
}

static void member_sees_all(void)
{
	gid_t g = 4242;

	CHECK(setgroups(1, &g) == 0 && setgid(65534) == 0 && setuid(65534) == 0);
	CHECK(lists("p", name + 2) && access(status_of_other, R_OK) == 0);
}

static void body(void)
{
	const char *mounts;

	CHECK(mounts_are_ours() && mkdir("p", 0755) == 0);
	proc_mount(NULL);
	CHECK(in_child(sees_all) == 0);
	proc_mount("hidepid=1");
	CHECK(in_child(sees_names) == 0);
	CHECK(lists("p", name + 2) && access(status_of_other, R_OK) == 0);
	proc_mount("hidepid=invisible");
	CHECK(in_child(sees_none) == 0 && lists("p", name + 2));
	mounts = file_get("/proc/self/mounts");
	CHECK(strstr(mounts, "hidepid=invisible"));
	proc_mount("hidepid=4");
	CHECK(in_child(sees_none) == 0);
	proc_mount("hidepid=2,gid=4242");
	CHECK(in_child(sees_none) == 0 && in_child(member_sees_all) == 0);
	CHECK(mount(NULL, "p", NULL, MS_REMOUNT, "hidepid=0") == 0);
	CHECK(in_child(sees_all) == 0);
	proc_mount("subset=pid");
	CHECK(lists("p", name + 2) && lists("p", "self") && !lists("p", "meminfo"));
	FAILS(ENOENT, open("p/uptime", O_RDONLY));
	CHECK(umount("p") == 0);
	FAILS(EINVAL, mount("proc", "p", "proc", 0, "hidepid=3"));
	FAILS(EINVAL, mount("proc", "p", "proc", 0, "hidepid=all"));
	FAILS(EINVAL, mount("proc", "p", "proc", 0, "nosuch"));
}

static void options_hide_processes(void)
{
	if (getuid() != 0)
		exit(77);
	other = getpid();
	snprintf(name, sizeof(name), "p/%d", other);
	snprintf(status_of_other, sizeof(status_of_other), "p/%d/status", other);
	CHECK(in_child(body) == 0);
}

RUN(TEST(options_hide_processes))
