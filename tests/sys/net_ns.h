/* SPDX-License-Identifier: MIT */
/* net_ns.h - for the tests of network namespaces. */
#pragma once
#include "fixture.h"

#include <net/if.h>
#include <sched.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

/* Somebody may make one here. */
HELPER bool may_unshare_net(void)
{
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid == 0)
		_exit(unshare(CLONE_NEWNET) != 0);
	return child_wait(pid) == 0;
}

/* Runs func in one of its own, in a child. */
static void (*inside)(void);
HELPER void run_inside(void)
{
	CHECK(unshare(CLONE_NEWNET) == 0);
	inside();
}
HELPER void in_new_network(void (*func)(void))
{
	if (!may_unshare_net())
		return;
	inside = func;
	CHECK(in_child(run_inside) == 0);
}

HELPER ino_t ns_number(const char *path)
{
	struct stat st;

	CHECK(stat(path, &st) == 0);
	return st.st_ino;
}

HELPER int net_ns_fd(void)
{
	int fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	CHECK(fd >= 0);
	return fd;
}
