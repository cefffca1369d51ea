/* SPDX-License-Identifier: MIT */
/* killed_mapping.c - a process that changes its areas all the time is killed at it.
 * Alone, by its parent; "outside": by somebody of the host (killed_mapping.sh). */
#include "storm.h"

#include <signal.h>
#include <sys/mman.h>

enum { PAGE = 4096 };

/* Where there are none: what was prepared for a change is given back at once. */
static void change_areas(void)
{
	char *p = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	MUST(p != MAP_FAILED && munmap(p, PAGE) == 0);
	for (;;)
		MUST(mprotect(p, PAGE, PROT_READ) != 0 && errno == ENOMEM);
}

int main(int argc, char **argv)
{
	bool is_outside = argc > 1 && strcmp(argv[1], "outside") == 0;
	pid_t pid;

	if (is_outside) {
		printf("begin\n");
		fflush(stdout);
		MUST(getchar() != EOF);
	}
	pid = fork();
	MUST(pid >= 0);
	if (pid == 0)
		change_areas();
	if (is_outside) {
		printf("ready\n");
		fflush(stdout);
	} else {
		usleep(20000);
		MUST(kill(pid, SIGKILL) == 0);
	}
	MUST(wait_status(pid) == SIGKILL);
	printf("ok\n");
	return 0;
}
