/* SPDX-License-Identifier: MIT */
/* monitor_late.c - runs a carbyne command whose monitor, once it has made the first host
 * process, goes on only when a file is there: as on a machine that has no processor for
 * it. Exits as the command; with 77 where nobody may be held so.
 *
 * usage: monitor_late FILE COMMAND... */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TRACED_MAX = 64 };

static const long options = PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
			    PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC;

/* Those that we follow, and how many forks they are away from the command. */
static struct {
	pid_t pid;
	int depth;
} traced[TRACED_MAX];
static int count;

static int depth_of(pid_t pid)
{
	for (int i = 0; i < count; i++)
		if (traced[i].pid == pid)
			return traced[i].depth;
	return -1;
}

static void follow(pid_t pid, int depth)
{
	if (count == TRACED_MAX)
		exit(1);
	traced[count].pid = pid;
	traced[count++].depth = depth;
}

/* The first host process runs, the monitor does not. */
static void hold(pid_t monitor, pid_t first, const char *file)
{
	int status;

	if (waitpid(first, &status, __WALL) != first ||
	    ptrace(PTRACE_DETACH, first, 0, 0))
		exit(1);
	for (int i = 0; i < 1000 && access(file, F_OK) != 0; i++)
		usleep(10000);
	usleep(500000); /* as a rule the question is asked by now */
	if (ptrace(PTRACE_DETACH, monitor, 0, 0))
		exit(1);
}

/* A process that was followed has stopped. */
static void stopped(pid_t pid, int status, const char *file)
{
	int event = status >> 16;
	int signal = event || WSTOPSIG(status) == SIGSTOP ? 0 : WSTOPSIG(status);
	unsigned long child;

	if (event == PTRACE_EVENT_FORK || event == PTRACE_EVENT_VFORK ||
	    event == PTRACE_EVENT_CLONE) {
		if (ptrace(PTRACE_GETEVENTMSG, pid, 0, &child))
			exit(1);
		if (depth_of(pid) == 1) {
			hold(pid, (pid_t)child, file);
			return;
		}
		follow((pid_t)child, depth_of(pid) + 1);
	}
	(void)ptrace(PTRACE_CONT, pid, 0, signal);
}

int main(int argc, char **argv)
{
	pid_t pid, command;
	int status;

	if (argc < 3)
		return 1;
	command = fork();
	if (command == 0) {
		if (ptrace(PTRACE_TRACEME, 0, 0, 0))
			_exit(77);
		raise(SIGSTOP);
		execvp(argv[2], argv + 2);
		_exit(127);
	}
	if (waitpid(command, &status, 0) != command)
		return 1;
	if (!WIFSTOPPED(status))
		return 77;
	follow(command, 0);
	if (ptrace(PTRACE_SETOPTIONS, command, 0, options) ||
	    ptrace(PTRACE_CONT, command, 0, 0))
		return 77;
	while ((pid = waitpid(-1, &status, __WALL)) > 0) {
		if (WIFSTOPPED(status))
			stopped(pid, status, argv[1]);
		else if (pid == command)
			return WIFEXITED(status) ? WEXITSTATUS(status)
						 : 128 + WTERMSIG(status);
	}
	return 1;
}
