/* SPDX-License-Identifier: MIT */
/* killed_asking.c - a process that reads another one's memory is killed at it.
 * Alone, by its parent; "outside": by somebody of the host, which has stopped the other
 * one (killed_asking.sh). */
#define _GNU_SOURCE
#include "storm.h"

#include <signal.h>
#include <sys/uio.h>

static char data[100];

static void say(const char *word)
{
	MUST(write(1, word, strlen(word)) == (ssize_t)strlen(word));
}

static void go_on(void) /* when the script says so */
{
	char c;

	MUST(read(0, &c, 1) == 1);
}

/* Where the other one does not answer there is nothing to read, after a while. */
static void ask(pid_t pid)
{
	char got[sizeof(data)];
	struct iovec to = {got, sizeof(got)}, from = {data, sizeof(data)};

	for (;;)
		MUST(process_vm_readv(pid, &to, 1, &from, 1, 0) == sizeof(data) ||
		     errno == ESRCH);
}

static pid_t start(void)
{
	pid_t pid = fork();

	MUST(pid >= 0);
	return pid;
}

int main(int argc, char **argv)
{
	bool is_outside = argc > 1 && strcmp(argv[1], "outside") == 0;
	pid_t asked, asker;

	if (is_outside) {
		say("begin\n");
		go_on();
	}
	asked = start();
	if (asked == 0) {
		if (is_outside)
			say("asked\n");
		for (;;)
			pause();
	}
	if (is_outside)
		go_on();
	asker = start();
	if (asker == 0) {
		if (is_outside)
			say("asker\n");
		ask(asked);
	}
	if (!is_outside) {
		usleep(20000);
		MUST(kill(asker, SIGKILL) == 0);
	}
	MUST(wait_status(asker) == SIGKILL);
	if (is_outside) {
		say("killed\n");
		go_on();
	}
	MUST(kill(asked, SIGKILL) == 0);
	MUST(wait_status(asked) == SIGKILL);
	say("ok\n");
	return 0;
}
