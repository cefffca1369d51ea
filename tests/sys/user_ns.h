/* SPDX-License-Identifier: MIT */
/* user_ns.h - for the tests of user namespaces: a child that is in one of its own, and a
 * parent that may write its maps. */
#pragma once
#include "capability.h"
#include "fixture.h"

#include <limits.h>
#include <sched.h>
#include <sys/prctl.h>

/* Somebody may make one here. */
HELPER bool may_unshare_user(void)
{
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid == 0)
		_exit(unshare(CLONE_NEWUSER) != 0);
	return child_wait(pid) == 0;
}

/* fn in a child, if there are user namespaces for anybody. */
HELPER void in_own(void (*fn)(void))
{
	if (may_unshare_user())
		CHECK(in_child(fn) == 0);
}

/* The errno of writing text to a file at once, 0: it was taken. */
HELPER int put_err(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	size_t size = strlen(text);
	ssize_t n;
	int err;

	if (fd < 0)
		return errno;
	n = write(fd, text, size);
	err = n < 0 ? errno : 0;
	CHECK(err || n == (ssize_t)size);
	CHECK(close(fd) == 0);
	return err;
}

HELPER int put_err_of(pid_t pid, const char *name, const char *text)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	return put_err(path, text);
}

/* A file of a process that must be there. */
HELPER int open_of(pid_t pid, const char *name, int flags)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	fd = open(path, flags | O_CLOEXEC);
	CHECK(fd >= 0);
	return fd;
}

/* Like id-map of `unshare -r`: ids that become the caller's own. */
HELPER void map_own(unsigned int uid, unsigned int gid, unsigned int to_uid,
		    unsigned int to_gid)
{
	char text[64];

	CHECK(put_err("/proc/self/setgroups", "deny") == 0);
	snprintf(text, sizeof(text), "%u %u 1", to_uid, uid);
	CHECK(put_err("/proc/self/uid_map", text) == 0);
	snprintf(text, sizeof(text), "%u %u 1", to_gid, gid);
	CHECK(put_err("/proc/self/gid_map", text) == 0);
}

/* In a new one where the caller is called that. */
HELPER void enter_own(unsigned int to_uid, unsigned int to_gid)
{
	unsigned int uid = geteuid();
	unsigned int gid = getegid();

	CHECK(unshare(CLONE_NEWUSER) == 0);
	map_own(uid, gid, to_uid, to_gid);
}

HELPER uint64_t cap_line(const char *name)
{
	const char *at = strstr(file_get("/proc/self/status"), name);

	CHECK(at != NULL);
	return strtoull(at + strlen(name), NULL, 16);
}

/* A child in a user namespace of its own, which does what it is told when its maps are
 * written. */
struct inside {
	pid_t pid;
	int go[2];
	int ready[2];
};

HELPER void inside_start(struct inside *in, void (*fn)(void))
{
	char c;

	CHECK(pipe(in->go) == 0 && pipe(in->ready) == 0);
	fflush(stdout);
	in->pid = fork();
	CHECK(in->pid >= 0);
	if (in->pid == 0) {
		CHECK(unshare(CLONE_NEWUSER) == 0);
		CHECK(close(in->ready[0]) == 0 && close(in->go[1]) == 0);
		CHECK(write(in->ready[1], "r", 1) == 1);
		CHECK(read(in->go[0], &c, 1) == 1);
		fn();
		fflush(stdout);
		_exit(0);
	}
	CHECK(close(in->ready[1]) == 0 && close(in->go[0]) == 0);
	CHECK(read(in->ready[0], &c, 1) == 1);
	CHECK(close(in->ready[0]) == 0);
}

/* It runs on: what wait says of it. */
HELPER int inside_end(struct inside *in)
{
	CHECK(write(in->go[1], "g", 1) == 1);
	CHECK(close(in->go[1]) == 0);
	return child_wait(in->pid);
}
