/* SPDX-License-Identifier: MIT */
/*
 * vfork_deep.c - each vfork child makes the next one, thousands deep; then all end, from
 * the last to the first. Going up costs about what going down does, however deep it is.
 */
/* native: skip */
#include "storm.h"

/* In memory that all of them share. What belongs to one process lies in registers. */
static volatile long left;
static volatile double begun, turned;

int main(int argc, char **argv)
{
	pid_t first = getpid();
	double down;
	double up;

	left = rounds(argc, argv, 10000);
	begun = seconds();
	for (;;) {
		register pid_t pid = vfork();

		MUST(pid >= 0);
		if (pid == 0 && --left > 0)
			continue;
		if (pid == 0) {
			turned = seconds();
			_exit(0);
		}
		MUST(waitpid(pid, NULL, 0) == pid);
		if (getpid() != first)
			_exit(0);
		break;
	}
	down = turned - begun;
	up = seconds() - turned;
	MUST(left == 0);
	MUST(up < 4 * down + 1);
	printf("ok: down in %.2f s, up in %.2f s\n", down, up);
	return 0;
}
