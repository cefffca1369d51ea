/* SPDX-License-Identifier: MIT */
/* mounts.h - for tests that mount: mounts of their own. */
#pragma once
#include "fixture.h"

#include <sched.h>
#include <sys/mount.h>

/* In a child: what is mounted here is mounted nowhere else. False: nothing may be. A
 * sandbox has no other namespaces, and mounts of its own already. */
HELPER bool mounts_are_ours(void)
{
	if (unshare(CLONE_NEWNS) == 0)
		return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
	if (errno != EPERM)
		return false;
	errno = 0;
	return mount(NULL, "/", "no such kind", 0, NULL) == -1 && errno == ENODEV;
}
