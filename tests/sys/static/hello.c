/* SPDX-License-Identifier: MIT */
/* hello.c - one small program, to be linked in every way there is: static, static-pie,
 * not position independent, with glibc and with musl. Prints a fixed text and exits 0.
 *
 * It uses what differs between those: thread-local storage, constructors, the heap,
 * threads, stdio, environment and arguments, a child process. */
/* calls: execve */
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static __thread int local = 7;
static int constructed;
static int table[1000] = {1, 2, 3};
static char bss[100000];

__attribute__((constructor)) static void before_main(void)
{
	constructed = 1;
}

static void *thread(void *arg)
{
	local += *(int *)arg;
	return (void *)(intptr_t)local;
}

static void check(int ok, const char *what)
{
	if (!ok) {
		printf("not ok: %s (errno %d)\n", what, errno);
		exit(1);
	}
}

int main(int argc, char **argv)
{
	struct timespec now;
	pthread_t t;
	void *result;
	char *heap;
	int add = 3, status;
	pid_t pid;

	check(argc >= 1 && argv[0] && !argv[argc], "arguments");
	check(constructed, "constructors run");
	check(table[2] == 3 && table[999] == 0 && bss[99999] == 0, "data and bss");
	check(pthread_create(&t, NULL, thread, &add) == 0, "threads start");
	check(pthread_join(t, &result) == 0 && (intptr_t)result == 10, "threads end");
	check(local == 7, "thread-local storage");
	heap = malloc(10 << 20);
	check(heap != NULL, "large heap blocks");
	memset(heap, 1, 10 << 20);
	free(heap);
	check(getauxval(AT_PAGESZ) == 4096, "auxiliary vector");
	check(clock_gettime(CLOCK_MONOTONIC, &now) == 0 && now.tv_sec >= 0, "clock");
	fflush(stdout);
	pid = fork();
	check(pid >= 0, "fork");
	if (pid == 0)
		_exit(local);
	check(waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 7, "wait");
	printf("hello from pid > 0: %d, %d arguments\n", getpid() > 0, argc - 1);
	return 0;
}
