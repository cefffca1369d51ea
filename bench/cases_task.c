/* SPDX-License-Identifier: MIT */
/* cases_task.c - making threads, processes and programs, and seeing them end. */
#include "ubench.h"
#include <pthread.h>
#include <spawn.h>
#include <sys/mman.h>
#include <unistd.h>

#define BIG_SIZE (200UL << 20)
#define PROGRAM	 "/bin/true"
#define SCRIPT	 "i=0; while [ $i -lt 200 ]; do " PROGRAM "; i=$((i+1)); done"

static void *nothing(void *arg)
{
	return arg;
}

static void thread_run(uint64_t n)
{
	while (n--) {
		pthread_t t;

		if (pthread_create(&t, NULL, nothing, NULL) || pthread_join(t, NULL))
			die("pthread_create");
	}
}

static void fork_run(uint64_t n)
{
	while (n--) {
		pid_t pid = fork();

		if (!pid)
			_exit(0);
		if (pid < 0)
			die("fork");
		reap(pid, "fork");
	}
}

static void big_setup(void)
{
	void *mem = map_or_die(BIG_SIZE);

	/* small pages both natively and inside, whatever the host's settings and luck */
	if (madvise(mem, BIG_SIZE, MADV_NOHUGEPAGE))
		die("madvise");
	touch(mem, BIG_SIZE);
}

static void vfork_run(uint64_t n)
{
	while (n--) {
		pid_t pid = vfork();

		if (!pid) {
			execl(PROGRAM, PROGRAM, NULL);
			_exit(127);
		}
		if (pid < 0)
			die("vfork");
		reap(pid, "vfork");
	}
}

static void spawn(const char *path, char *const *argv)
{
	extern char **environ;
	pid_t pid;

	if (posix_spawn(&pid, path, NULL, NULL, argv, environ))
		die("posix_spawn");
	reap(pid, path);
}

static void spawn_run(uint64_t n)
{
	char path[] = PROGRAM;
	char *argv[] = {path, NULL};

	while (n--)
		spawn(path, argv);
}

static void shell_run(uint64_t n)
{
	char name[] = "sh";
	char option[] = "-c";
	char script[] = SCRIPT;
	char *argv[] = {name, option, script, NULL};

	while (n--)
		spawn("/bin/sh", argv);
}

const struct bench_case task_cases[] = {
	{.name = "thread", .run = thread_run},
	{.name = "fork+exit+wait", .run = fork_run},
	{.name = "fork-200m", .run = fork_run, .setup = big_setup},
	{.name = "vfork+exec+wait", .run = vfork_run},
	{.name = "spawn+wait", .run = spawn_run},
	{.name = "sh-200-true", .run = shell_run},
	{.name = NULL},
};
