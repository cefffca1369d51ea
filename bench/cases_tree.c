/* SPDX-License-Identifier: MIT */
/* cases_tree.c - files of a real directory (BENCH_VOLUME, which bench/run opens with -v
 * inside), files in memory, and programs that go through large trees. */
#include "ubench.h"
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEEP	  "some/directory/below"
#define DATA_SIZE (1 << 20)

static int fd;
static char buf[4096];

/* Where bench/run says. */
static const char *place(const char *variable)
{
	const char *dir = getenv(variable);

	if (!dir) {
		fprintf(stderr, "%s: not set: bench/run does that\n", variable);
		exit(1);
	}
	return dir;
}

static void go_to_volume(void)
{
	if (chdir(place("BENCH_VOLUME")))
		die("BENCH_VOLUME");
}

static void data_setup(void)
{
	go_to_volume();
	fd = open_or_die("data", O_RDWR | O_CREAT | O_TRUNC);
	for (int i = 0; i < DATA_SIZE / (int)sizeof(buf); i++)
		if (write(fd, buf, sizeof(buf)) != sizeof(buf))
			die("write");
}

static void pread_run(uint64_t n)
{
	while (n--)
		if (pread(fd, buf, sizeof(buf), 8192) != sizeof(buf))
			die("pread");
}

static void pwrite_run(uint64_t n)
{
	while (n--)
		if (pwrite(fd, buf, sizeof(buf), 8192) != sizeof(buf))
			die("pwrite");
}

static void deep_setup(void)
{
	go_to_volume();
	(void)mkdir("some", 0777);
	(void)mkdir("some/directory", 0777);
	(void)mkdir(DEEP, 0777);
	if (close(open_or_die(DEEP "/file", O_RDWR | O_CREAT)))
		die("close");
}

static void stat_run(uint64_t n)
{
	struct stat st;

	while (n--)
		if (stat(DEEP "/file", &st))
			die("stat");
}

static void open_run(uint64_t n)
{
	while (n--)
		if (close(open_or_die(DEEP "/file", O_RDONLY)))
			die("close");
}

static void enoent_run(uint64_t n)
{
	while (n--)
		if (access(DEEP "/no-such-file", R_OK) == 0)
			die("access");
}

/* ---- made, written and removed ---- */

static void create_run(uint64_t n)
{
	char name[32];

	(void)snprintf(name, sizeof(name), "bench.%d", (int)getpid());
	while (n--) {
		int made = open_or_die(name, O_RDWR | O_CREAT | O_EXCL);

		if (write(made, buf, 100) != 100 || close(made) || unlink(name))
			die(name);
	}
}

static void memory_setup(void)
{
	if (chdir("/dev/shm"))
		die("/dev/shm");
}

/* ---- trees ---- */

static void program_run(uint64_t n, const char *const *argv)
{
	extern char **environ;
	posix_spawn_file_actions_t actions;

	if (posix_spawn_file_actions_init(&actions) ||
	    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0) ||
	    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0))
		die("posix_spawn_file_actions");
	while (n--) {
		pid_t pid;

		if (posix_spawnp(&pid, argv[0], &actions, NULL,
				 (char *const *)(uintptr_t)argv, environ))
			die(argv[0]);
		reap(pid, argv[0]);
	}
	posix_spawn_file_actions_destroy(&actions);
}

static void find_run(uint64_t n)
{
	const char *const argv[] = {"find",	"/usr/lib", "/usr/include",
				    "/usr/bin", "-name",    "no-such-file",
				    NULL};

	program_run(n, argv);
}

static void find_stat_run(uint64_t n)
{
	const char *const argv[] = {"find",	"/usr/lib", "/usr/include",
				    "/usr/bin", "-size",    "+1000000",
				    NULL};

	program_run(n, argv);
}

static void git_run(uint64_t n)
{
	const char *const argv[] = {"git", "status", "--short", NULL};

	program_run(n, argv);
}

static void git_volume_setup(void)
{
	go_to_volume();
	if (chdir("tree"))
		die("tree");
}

static void git_root_setup(void)
{
	if (chdir(place("BENCH_TREE")))
		die("BENCH_TREE");
}

const struct bench_case tree_cases[] = {
	{.name = "volume-stat", .run = stat_run, .setup = deep_setup},
	{.name = "volume-open+close", .run = open_run, .setup = deep_setup},
	{.name = "volume-enoent", .run = enoent_run, .setup = deep_setup},
	{.name = "volume-pread-4k", .run = pread_run, .setup = data_setup},
	{.name = "volume-pwrite-4k", .run = pwrite_run, .setup = data_setup},
	{.name = "volume-create", .run = create_run, .setup = go_to_volume},
	{.name = "tmpfs-create", .run = create_run, .setup = memory_setup},
	{.name = "find", .run = find_run},
	{.name = "find-size", .run = find_stat_run},
	{.name = "git-status", .run = git_run, .setup = git_root_setup},
	{.name = "git-status-volume", .run = git_run, .setup = git_volume_setup},
	{.name = NULL},
};
