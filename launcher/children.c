/* SPDX-License-Identifier: MIT */
/* children.c - finds children through /proc, for the host keeps no other list of them.
 * New ones may appear while we look (CLONE_PARENT), so it goes round until none is left.
 */
#include "children.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static pid_t parent_of(const char *pid)
{
	char path[64], line[512];
	pid_t parent = -1;

	(void)snprintf(path, sizeof path, "/proc/%.20s/stat", pid);
	FILE *f = fopen(path, "re");
	if (!f)
		return -1;
	if (fgets(line, sizeof line, f)) {
		const char *end = strrchr(line, ')'); /* the name may hold anything */

		if (end && strlen(end) > 4)
			parent = (pid_t)strtol(end + 4, NULL, 10);
	}
	(void)fclose(f);
	return parent;
}

static void kill_once(void)
{
	DIR *proc = opendir("/proc");
	const struct dirent *entry;

	while (proc && (entry = readdir(proc))) {
		pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);

		if (pid > 1 && parent_of(entry->d_name) == getpid())
			(void)kill(pid, SIGKILL);
	}
	if (proc)
		(void)closedir(proc);
}

void children_kill(void)
{
	struct timespec pause = {.tv_nsec = 1000000};
	pid_t pid;

	for (;;) {
		while ((pid = waitpid(-1, NULL, __WALL | WNOHANG)) > 0)
			;
		if (pid < 0 && errno == ECHILD)
			return;
		kill_once();
		(void)nanosleep(&pause, NULL);
	}
}
