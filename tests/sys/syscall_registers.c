/* SPDX-License-Identifier: MIT */
/* calls: getppid read */
/* What a system call leaves as it was: all registers but rax, rcx and r11, and the flags,
 * at sites of several forms, from the first execution to the thousandth, also when
 * signals arrive. */
#include <signal.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include "test.h"

#define CF	   0x1UL
#define PF	   0x4UL
#define AF	   0x10UL
#define ZF	   0x40UL
#define SF	   0x80UL
#define DF	   0x400UL
#define OF	   0x800UL
#define AC	   0x40000UL
#define ID	   0x200000UL
#define ARITHMETIC (CF | PF | AF | ZF | SF | OF)
#define WATCHED	   (ARITHMETIC | DF | AC | ID)

/* The number is part of the code, as in libc. */
static uint64_t flags_after_constant(uint64_t flags)
{
	uint64_t after;

	__asm__ volatile("lea -128(%%rsp), %%rsp\n\t"
			 "push %1\n\t"
			 "popfq\n\t"
			 "mov %2, %%eax\n\t"
			 "syscall\n\t"
			 "pushfq\n\t"
			 "pop %0\n\t"
			 "push $0x202\n\t"
			 "popfq\n\t"
			 "lea 128(%%rsp), %%rsp"
			 : "=&b"(after)
			 : "r"(flags), "i"(SYS_getppid)
			 : "rax", "rcx", "r11", "memory", "cc");
	return after;
}

/* The number comes in a register, as in syscall(2). */
static uint64_t flags_after_variable(uint64_t flags)
{
	uint64_t after;

	__asm__ volatile("lea -128(%%rsp), %%rsp\n\t"
			 "push %1\n\t"
			 "popfq\n\t"
			 "syscall\n\t"
			 "mov %%rax, %%rdx\n\t"
			 "mov %%rdx, %%rax\n\t"
			 "pushfq\n\t"
			 "pop %0\n\t"
			 "push $0x202\n\t"
			 "popfq\n\t"
			 "lea 128(%%rsp), %%rsp"
			 : "=&b"(after)
			 : "r"(flags), "a"((long)SYS_getppid)
			 : "rcx", "rdx", "r11", "memory", "cc");
	return after;
}

/* The watched flags whose index bits are set. */
static uint64_t flags_of(unsigned index)
{
	static const uint64_t bit[] = {CF, PF, AF, ZF, SF, OF, DF, AC, ID};
	uint64_t flags = 0x202;

	for (unsigned i = 0; i < sizeof(bit) / sizeof(bit[0]); i++)
		if (index & 1u << i)
			flags |= bit[i];
	return flags;
}

static void check_flags(void)
{
	for (unsigned i = 0; i < 512; i++) {
		uint64_t flags = flags_of(i);

		CHECK((flags_after_constant(flags) & WATCHED) == (flags & WATCHED));
		CHECK((flags_after_variable(flags) & WATCHED) == (flags & WATCHED));
	}
}

static void flags(void)
{
	for (int round = 0; round < 4; round++)
		check_flags();
}

static void check_registers(void)
{
	static const uint64_t want[13] = {11, 12, 13, 14, 15, 16, 17,
					  18, 19, 20, 21, 22, 23};
	uint64_t got[13];
	uint64_t *out = got;

	__asm__ volatile(
		"push %%rbp\n\t"
		"push %0\n\t"
		"mov $11, %%ebx\n\tmov $12, %%ebp\n\tmov $13, %%r8d\n\tmov $14, %%r9d\n\t"
		"mov $15, %%r10d\n\tmov $16, %%r12d\n\tmov $17, %%r13d\n\tmov $18, "
		"%%r14d\n\t"
		"mov $19, %%r15d\n\tmov $20, %%edi\n\tmov $21, %%esi\n\tmov $22, "
		"%%edx\n\t"
		"mov %1, %%eax\n\t"
		"syscall\n\t"
		"pop %%rax\n\t"
		"mov %%rbx, (%%rax)\n\tmov %%rbp, 8(%%rax)\n\tmov %%r8, 16(%%rax)\n\t"
		"mov %%r9, 24(%%rax)\n\tmov %%r10, 32(%%rax)\n\tmov %%r12, 40(%%rax)\n\t"
		"mov %%r13, 48(%%rax)\n\tmov %%r14, 56(%%rax)\n\tmov %%r15, 64(%%rax)\n\t"
		"mov %%rdi, 72(%%rax)\n\tmov %%rsi, 80(%%rax)\n\tmov %%rdx, 88(%%rax)\n\t"
		"movq $23, 96(%%rax)\n\t"
		"pop %%rbp"
		: "+a"(out)
		: "i"(SYS_getppid)
		: "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12",
		  "r13", "r14", "r15", "memory", "cc");
	CHECK(memcmp(got, want, sizeof(want)) == 0);
}

static void registers(void)
{
	for (int i = 0; i < 1000; i++)
		check_registers();
}

static volatile sig_atomic_t ticks;

static void tick(int signo)
{
	ticks += signo == SIGALRM;
}

static void under_signals(void)
{
	struct itimerval often = {{0, 200}, {0, 200}}, never = {{0, 0}, {0, 0}};

	signal(SIGALRM, tick);
	CHECK(setitimer(ITIMER_REAL, &often, NULL) == 0);
	while (ticks < 300) {
		check_flags();
		registers();
	}
	CHECK(setitimer(ITIMER_REAL, &never, NULL) == 0);
}

/* A kernel that ran with the guest's AC or DF would fault or copy backwards. */
static void odd_flags_and_copies(void)
{
	char from[300], to[310];
	int fd[2];

	CHECK(pipe(fd) == 0);
	for (int round = 0; round < 4; round++) {
		uint64_t odd = 0x202 | AC | DF;
		long n;

		memset(from, 'a' + round, sizeof(from));
		memset(to, 0, sizeof(to));
		CHECK(write(fd[1], from, 299) == 299);
		__asm__ volatile("lea -128(%%rsp), %%rsp\n\t"
				 "push %[odd]\n\t"
				 "popfq\n\t"
				 "syscall\n\t"
				 "push $0x202\n\t"
				 "popfq\n\t"
				 "lea 128(%%rsp), %%rsp"
				 : "=a"(n)
				 : "a"((long)SYS_read), "D"((long)fd[0]), "S"(to + 3),
				   "d"(299L), [odd] "r"(odd)
				 : "rcx", "r11", "memory", "cc");
		CHECK(n == 299);
		CHECK(to[2] == 0 && memcmp(to + 3, from, 299) == 0 && to[302] == 0);
	}
	close(fd[0]);
	close(fd[1]);
}

RUN(TEST(flags), TEST(registers), TEST(under_signals), TEST(odd_flags_and_copies))
