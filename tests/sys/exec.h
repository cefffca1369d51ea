/* SPDX-License-Identifier: MIT */
/* exec.h - what the tests of execve share: files to run, and the program itself, which
 * runs in a role that argv[1] names. */
#pragma once
#include "proc.h"
#include <sys/stat.h>

static char self[PATH_MAX];
static char *const no_env[] __attribute__((unused)) = {NULL};

static inline void self_find(void)
{
	CHECK(readlink("/proc/self/exe", self, sizeof(self) - 1) > 0);
}

static inline char *tmp_name(const char *what)
{
	static char name[4][64];
	static unsigned int next;
	char *s = name[next++ % 4];

	snprintf(s, 64, "execve-%d-%s", getpid(), what);
	return s;
}

static inline void write_file(const char *name, const void *data, size_t size,
			      mode_t mode)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0700);

	CHECK(fd >= 0);
	CHECK(write(fd, data, size) == (ssize_t)size);
	CHECK(fchmod(fd, mode) == 0);
	CHECK(close(fd) == 0);
}

static inline void write_script(const char *name, const char *text)
{
	write_file(name, text, strlen(text), 0755);
}

/* Runs path in a child and expects it to exit with code. */
static inline void run(int code, const char *path, char *const *argv, char *const *envp)
{
	CHILD(pid)
	{
		syscall(SYS_execve, path, argv, envp);
		printf("# execve %s: %s\n", path, strerror(errno));
		_exit(126);
	}
	WAIT_EXIT(pid, code);
}

#define RUN_ROLE(code, ...)                                                              \
	do {                                                                             \
		char *args_[] = {"execve", __VA_ARGS__, NULL};                           \
		run(code, self, args_, no_env);                                          \
	} while (0)
#define EXEC_ROLE(...)                                                                   \
	do {                                                                             \
		char *args_[] = {"execve", __VA_ARGS__, NULL};                           \
		execve(self, args_, no_env);                                             \
		_exit(126);                                                              \
	} while (0)
