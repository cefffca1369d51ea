/* SPDX-License-Identifier: MIT */
/* fixture.h - what many system-call tests need: small files, children, addresses that
 * must not be touched, a thread that interrupts. Each test includes it instead of test.h.
 */
#pragma once
#include "test.h"

#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define HELPER static __attribute__((unused))
#define PAGE   4096UL

/* Addresses that no program has mapped: the first page, the end of the user half and
 * what lies above it. */
HELPER void *bad_address(size_t i)
{
	static const uintptr_t bad[] = {
		0,
		0x10,
		0x7ff000000000,
		0x7ff000000ff8,
		0x7ffffffff000,
		0x800000000000,
		0xffff800000000000,
		0xfffffffffffffff0,
	};

	return i < sizeof(bad) / sizeof(bad[0]) ? (void *)bad[i] : NULL;
}
#define BAD_COUNT 8
#define FOR_BAD(p)                                                                       \
	for (size_t i_ = 0; i_ < BAD_COUNT; i_++)                                        \
		for (void *p = bad_address(i_), *once_ = &i_; once_; once_ = NULL)

/* The end of a mapped page behind which nothing is mapped. */
HELPER char *page_edge(void)
{
	char *p = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(p != MAP_FAILED);
	CHECK(munmap(p + PAGE, PAGE) == 0);
	return p + PAGE;
}

HELPER void *page_with(int prot)
{
	void *p = mmap(NULL, PAGE, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(p != MAP_FAILED);
	return p;
}

/* Makes (or replaces) a file that holds just text. */
HELPER void file_put(const char *name, const char *text)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	CHECK(fd >= 0);
	CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	CHECK(close(fd) == 0);
}

/* The first bytes of a file, as a string. Each call overwrites the last one's. */
HELPER const char *file_get(const char *name)
{
	static char text[65536];
	size_t len = 0;
	ssize_t n;
	int fd = open(name, O_RDONLY | O_CLOEXEC);

	CHECK(fd >= 0);
	while ((n = read(fd, text + len, sizeof(text) - 1 - len)) > 0)
		len += (size_t)n;
	CHECK(n == 0);
	text[len] = 0;
	CHECK(close(fd) == 0);
	return text;
}

HELPER bool file_is(const char *name, const char *text)
{
	return strcmp(file_get(name), text) == 0;
}

HELPER bool exists(const char *name)
{
	struct stat st;

	return lstat(name, &st) == 0;
}

HELPER void sleep_ms(long ms)
{
	struct timespec t = {ms / 1000, ms % 1000 * 1000000};

	while (nanosleep(&t, &t) != 0 && errno == EINTR)
		;
}

HELPER long now_ms(void)
{
	struct timespec t;

	CHECK(clock_gettime(CLOCK_MONOTONIC, &t) == 0);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Starts fn in a child, which leaves with status 0 when fn returns. */
HELPER pid_t child_start(void (*fn)(void))
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		fn();
		fflush(stdout);
		_exit(0);
	}
	return pid;
}

HELPER int child_wait(pid_t pid)
{
	int status = -1;

	while (waitpid(pid, &status, 0) != pid)
		CHECK(errno == EINTR);
	return status;
}

/* What wait says of a child that ran fn: 0 when all its checks held. */
HELPER int in_child(void (*fn)(void))
{
	return child_wait(child_start(fn));
}

/* In a child already: stop being root, if it is. */
HELPER void become_user(void)
{
	if (geteuid() != 0)
		return;
	CHECK(setgroups(0, NULL) == 0);
	CHECK(setresgid(65534, 65534, 65534) == 0);
	CHECK(setresuid(65534, 65534, 65534) == 0);
}

HELPER void become_user_here(void)
{
	CHECK(chmod(".", 0777) == 0);
	become_user();
}

/* A thread that sends SIGUSR1 to its maker every few milliseconds, and after some of
 * those writes a byte to fd (unless that is -1). */
struct interrupter {
	pthread_t thread;
	pthread_t target;
	int fd;
	volatile int stop;
};
static volatile sig_atomic_t interrupts __attribute__((unused));

HELPER void interrupt_count(int sig)
{
	(void)sig;
	interrupts++;
}

HELPER void *interrupt_loop(void *arg)
{
	struct interrupter *in = arg;

	for (int i = 0; !in->stop; i++) {
		sleep_ms(5);
		pthread_kill(in->target, SIGUSR1);
		if (i == 4 && in->fd >= 0)
			CHECK(write(in->fd, "!", 1) == 1);
	}
	return NULL;
}

HELPER void interrupt_start(struct interrupter *in, int sa_flags, int fd)
{
	struct sigaction sa = {.sa_handler = interrupt_count, .sa_flags = sa_flags};
	sigset_t block, old;

	CHECK(sigaction(SIGUSR1, &sa, NULL) == 0);
	interrupts = 0;
	in->target = pthread_self();
	in->fd = fd;
	in->stop = 0;
	sigfillset(&block);
	CHECK(pthread_sigmask(SIG_SETMASK, &block, &old) == 0);
	CHECK(pthread_create(&in->thread, NULL, interrupt_loop, in) == 0);
	CHECK(pthread_sigmask(SIG_SETMASK, &old, NULL) == 0);
}

HELPER void interrupt_stop(struct interrupter *in)
{
	in->stop = 1;
	CHECK(pthread_join(in->thread, NULL) == 0);
}
