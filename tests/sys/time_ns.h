/* SPDX-License-Identifier: MIT */
/* time_ns.h - for the tests of time namespaces. */
#pragma once
#include "fixture.h"
#include <sched.h>
#include <sys/stat.h>

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x80
#endif

/* Somebody may make one here. */
static bool may_unshare(void)
{
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid == 0)
		_exit(unshare(CLONE_NEWTIME) != 0);
	return child_wait(pid) == 0;
}

static ino_t ns_ino(const char *path)
{
	struct stat st;

	CHECK(stat(path, &st) == 0);
	return st.st_ino;
}
