/* SPDX-License-Identifier: MIT */
/* calls: process_vm_readv process_vm_writev */
/* process_vm_readv.c - reading and writing the memory of another process. */
#include "proc.h"
#include <sys/uio.h>

#define NOBODY 0x7ffffff0
#define PAGE   4096
#define BIG    (300 * 1024)

static char *area; /* of BIG bytes, private: at the same address in children */

static ssize_t peek(pid_t pid, void *to, void *from, size_t size)
{
	struct iovec l = {to, size}, r = {from, size};

	return process_vm_readv(pid, &l, 1, &r, 1, 0);
}

static ssize_t poke(pid_t pid, void *from, void *to, size_t size)
{
	struct iovec l = {from, size}, r = {to, size};

	return process_vm_writev(pid, &l, 1, &r, 1, 0);
}

static void sleep_for_good(void)
{
	for (;;)
		pause();
}

/* A child whose area holds c; gone tells that it is ready. */
static pid_t child_with(char c, void (*what)(void))
{
	int ready[2];
	char byte;
	pid_t pid;

	CHECK(pipe(ready) == 0);
	pid = fork_or_die();
	if (pid == 0) {
		memset(area, c, BIG);
		CHECK(write(ready[1], "r", 1) == 1);
		what();
	}
	CHECK(read(ready[0], &byte, 1) == 1 && close(ready[0]) == 0);
	CHECK(close(ready[1]) == 0);
	return pid;
}

static void end(pid_t pid)
{
	CHECK(kill(pid, SIGKILL) == 0);
	WAIT_SIGNAL(pid, SIGKILL);
}

static void spin(void)
{
	for (;;)
		__asm__ volatile("");
}

static void private_memory_is_reached(void)
{
	static char copy[BIG];
	void (*const kinds[])(void) = {sleep_for_good, spin};

	for (int i = 0; i < 2; i++) {
		pid_t pid = child_with('c', kinds[i]);

		memset(area, 'p', BIG);
		CHECK(peek(pid, copy, area, BIG) == BIG);
		CHECK(copy[0] == 'c' && copy[BIG - 1] == 'c' && area[0] == 'p');
		memset(copy, 'w', BIG);
		CHECK(poke(pid, copy, area, BIG) == BIG && area[0] == 'p');
		memset(copy, 0, BIG);
		CHECK(peek(pid, copy, area, BIG) == BIG);
		CHECK(copy[0] == 'w' && copy[BIG / 2] == 'w' && copy[BIG - 1] == 'w');
		end(pid);
	}
	CHECK(peek(getpid(), copy, area, BIG) == BIG && copy[5] == 'p');
	CHECK(poke(getpid(), "own", area, 3) == 3 && memcmp(area, "own", 3) == 0);
}

static void pieces_need_not_match(void)
{
	char a[3] = "", b[5] = "", none;
	struct iovec l[4] = {{a, 3}, {&none, 0}, {b, 5}, {NULL, 0}};
	struct iovec r[3] = {{area, 1}, {area + 10, 4}, {area + 20, 100}};
	pid_t pid = child_with('c', sleep_for_good);

	CHECK(poke(pid, "0", area, 1) == 1 && poke(pid, "1234", area + 10, 4) == 4);
	CHECK(poke(pid, "567", area + 20, 3) == 3);
	CHECK(process_vm_readv(pid, l, 4, r, 3, 0) == 8);
	CHECK(memcmp(a, "012", 3) == 0 && memcmp(b, "34567", 5) == 0);
	CHECK(process_vm_writev(pid, l, 4, r, 2, 0) == 5);
	CHECK(process_vm_readv(pid, l, 1, r, 0, 0) == 0);
	CHECK(process_vm_readv(pid, l, 0, r, 3, 0) == 0);
	end(pid);
}

static void faults_end_it(void)
{
	char *hole = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	static char copy[3 * PAGE];
	struct iovec l = {copy, sizeof(copy)}, r[2] = {{NULL, 0}, {NULL, 0}};
	pid_t pid;

	CHECK(hole != MAP_FAILED && munmap(hole + PAGE, PAGE) == 0);
	CHECK(mprotect(hole + 2 * PAGE, PAGE, PROT_READ) == 0);
	pid = child_with('c', sleep_for_good);
	CHECK(peek(pid, copy, hole, 3 * PAGE) == PAGE);
	CHECK(peek(pid, copy, hole + PAGE - 10, 20) == 10);
	FAILS(EFAULT, peek(pid, copy, hole + PAGE, PAGE));
	FAILS(EFAULT, poke(pid, copy, hole + 2 * PAGE, 1));
	CHECK(peek(pid, copy, hole + 2 * PAGE, PAGE) == PAGE);
	FAILS(EFAULT, peek(pid, hole + PAGE, area, 1)); /* this side's */
	FAILS(EFAULT, peek(pid, copy, KERNEL_PTR, 1));
	FAILS(EFAULT, peek(pid, KERNEL_PTR, area, 1));
	FAILS(EFAULT, peek(pid, copy, BAD_PTR, 1));
	r[0] = (struct iovec){area, 7};
	r[1] = (struct iovec){hole + PAGE, 7};
	CHECK(process_vm_readv(pid, &l, 1, r, 2, 0) == 7);
	end(pid);
	/* a processor could read it */
	CHECK(mprotect(hole + 2 * PAGE, PAGE, PROT_WRITE) == 0);
	FAILS(EFAULT, peek(getpid(), copy, hole + 2 * PAGE, 1));
	CHECK(poke(getpid(), copy, hole + 2 * PAGE, 1) == 1);
	CHECK(munmap(hole, PAGE) == 0 && munmap(hole + 2 * PAGE, PAGE) == 0);
}

static void errors(void)
{
	static struct iovec many[1025];
	char c;
	struct iovec l = {&c, 1}, r = {area, 1}, bad = {area, (size_t)-1};
	pid_t me = getpid(), pid;
	siginfo_t info;

	FAILS(EINVAL, process_vm_readv(me, &l, 1, &r, 1, 1));
	FAILS(EINVAL, process_vm_readv(me, &l, 1, &r, 1, ~0ul));
	FAILS(EINVAL, process_vm_readv(me, many, 1025, &r, 1, 0));
	FAILS(EINVAL, process_vm_readv(me, &l, 1, many, 1025, 0));
	FAILS(EINVAL, process_vm_readv(me, &bad, 1, &r, 1, 0));
	FAILS(EINVAL, process_vm_readv(me, &l, 1, &bad, 1, 0));
	FAILS(EFAULT, process_vm_readv(me, BAD_PTR, 1, &r, 1, 0));
	FAILS(EFAULT, process_vm_readv(me, &l, 1, BAD_PTR, 1, 0));
	FAILS(EFAULT, process_vm_readv(me, &l, 1, KERNEL_PTR, 1, 0));
	FAILS(ESRCH, process_vm_readv(0x3ffffffe, &l, 1, &r, 1, 0));
	FAILS(ESRCH, process_vm_writev(-1, &l, 1, &r, 1, 0));
	CHECK(process_vm_readv(-1, &l, 1, &r, 0, 0) == 0);
	pid = child_with('c', sleep_for_good);
	CHECK(kill(pid, SIGKILL) == 0);
	CHECK(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) == 0);
	FAILS(ESRCH, peek(pid, &c, area, 1)); /* a zombie */
	WAIT_SIGNAL(pid, SIGKILL);
	if (getuid() != 0)
		return;
	CHILD(other)
	{
		CHECK(setgid(NOBODY) == 0 && setuid(NOBODY) == 0);
		FAILS(EPERM, peek(me, &c, area, 1));
		FAILS(EPERM, poke(me, &c, area, 1));
		_exit(0);
	}
	WAIT_EXIT(other, 0);
}

static void a_stopped_process_is_reached(void)
{
	pid_t pid = child_with('s', sleep_for_good);
	char c = 0;
	int status;

	CHECK(kill(pid, SIGSTOP) == 0 && waitpid(pid, &status, WUNTRACED) == pid);
	CHECK(peek(pid, &c, area, 1) == 1 && c == 's');
	end(pid);
}

static void begin(void)
{
	area = mmap(NULL, BIG, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		    0);
	CHECK(area != MAP_FAILED);
}

RUN(TEST(begin), TEST(private_memory_is_reached), TEST(pieces_need_not_match),
    TEST(faults_end_it), TEST(errors), TEST(a_stopped_process_is_reached))
