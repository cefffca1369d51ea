/* SPDX-License-Identifier: MIT */
/* info.c - `carbyne info`: what this host gives, and what holds a sandbox's wall. */
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ids.h"
#include "launch.h"
#include "message.h"
#include "seccomp_filter.h"
#include "version.h"
#include "wall.h"

/* Tries what start-up does: 2 all ids, 1 the caller's own, 0 denied. */
static int try_namespaces(void)
{
	bool is_full = false;
	int go[2], status = 0;
	char byte;

	if (pipe(go) < 0)
		return 0;
	pid_t child = (pid_t)syscall(SYS_clone,
				     (long)(SIGCHLD | CLONE_NEWUSER | CLONE_NEWNS |
					    CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS),
				     0L, 0L, 0L, 0L);
	if (child == 0) {
		close(go[1]);
		if (read(go[0], &byte, 1) < 0)
			_exit(1);
		/* private mounts: MS_REC | MS_PRIVATE */
		_exit(syscall(SYS_mount, NULL, "/", NULL, 1UL << 14 | 1UL << 18, NULL) <
		      0);
	}
	bool is_mapped = child > 0 && ids_map(child, &is_full);
	close(go[0]);
	close(go[1]);
	if (child < 0 || waitpid(child, &status, 0) < 0 || !is_mapped || status != 0)
		return 0;
	return is_full ? 2 : 1;
}

int info_main(void)
{
	static const char *const namespaces[] = {
		"denied: Landlock and seccomp alone",
		"yes, with the caller's own id",
		"yes, with all ids",
	};
	struct utsname uts;
	int ids = try_namespaces();
	int landlock = wall_landlock_abi();
	bool has_dispatch =
		prctl(PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_OFF, 0, 0, 0) == 0;
	bool has_fsgsbase = getauxval(AT_HWCAP2) & 2;
	bool has_seccomp = prctl(PR_GET_SECCOMP, 0, 0, 0, 0) >= 0;
	bool has_wall = has_seccomp && (ids > 0 || landlock > 0);

	if (uname(&uts) < 0)
		return STATUS_OWN_FAILURE;
	printf("version: %s\n", CARBYNE_VERSION);
	printf("host: Linux %s %s\n", uts.release, uts.machine);
	printf("syscall user dispatch: %s\n", has_dispatch ? "yes" : "no");
	printf("fsgsbase: %s\n", has_fsgsbase ? "yes" : "no");
	printf("user namespaces: %s\n", namespaces[ids]);
	if (landlock)
		printf("landlock: version %d%s\n", landlock,
		       landlock < 6 ? ", without signal scope" : "");
	else
		printf("landlock: no\n");
	printf("seccomp: %s, %zu instructions\n", has_seccomp ? "yes" : "no",
	       sizeof seccomp_filter / sizeof seccomp_filter[0]);
	printf("can run: %s\n", has_dispatch && has_fsgsbase && has_wall ? "yes" : "no");
	return fflush(stdout) ? STATUS_OWN_FAILURE : 0;
}
