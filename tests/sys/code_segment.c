/* SPDX-License-Identifier: MIT */
/* calls: rt_sigreturn */
/* timeout: 20 */
/* code_segment.c - far jumps to the 32-bit code segment, which every 64-bit program may
 * make: signals and faults arrive there, and handlers return there. */
#include "proc.h"
#include <sys/mman.h>
#include <sys/time.h>
#include <ucontext.h>

enum { CODE = 0x10000000, STACK = CODE + 0x10000, CS32 = 0x23, CS64 = 0x33 };

static volatile sig_atomic_t seen, seen_cs, skip;

static unsigned short *frame_cs(ucontext_t *uc)
{
	return (unsigned short *)&uc->uc_mcontext.gregs[REG_CSGSFS];
}

static void on_signal(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	(void)info;
	seen = sig;
	seen_cs = *frame_cs(uc);
	uc->uc_mcontext.gregs[REG_RIP] += skip;
	skip = 0;
	if (sig == SIGALRM && seen_cs == CS32)
		uc->uc_mcontext.gregs[REG_RBX] = 1; /* ends the loop */
}

static void watch(int sig)
{
	struct sigaction sa = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};

	CHECK(sigaction(sig, &sa, NULL) == 0);
}

/* Calls code as 32-bit code, by way of a far return, on a stack below 4 GiB; it comes
 * back by the far jump that is put behind it. Returns what it left in eax, given 0. */
static unsigned int run32(const char *code, size_t size)
{
	unsigned char *p =
		mmap((void *)CODE, STACK - CODE, PROT_READ | PROT_WRITE | PROT_EXEC,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	unsigned char *back = p + size;
	unsigned int result = 0;
	/* 64-bit code again: movq %r15, %rsp; ret */
	static const unsigned char home[] = {0x4c, 0x89, 0xfc, 0xc3};

	CHECK(p == (void *)CODE);
	memcpy(p, code, size);
	*back++ = 0xea; /* ljmp $CS64, $0x10000800 */
	memcpy(back, &(unsigned int){CODE + 0x800}, 4);
	memcpy(back + 4, &(unsigned short){CS64}, 2);
	memcpy(p + 0x800, home, sizeof(home));
	__asm__ volatile("lea -128(%%rsp), %%rsp\n\t"
			 "call 1f\n\t"
			 "jmp 2f\n"
			 "1:\tmovq %%rsp, %%r15\n\t"
			 "movl %[stack], %%esp\n\t"
			 "pushq %[cs]\n\t"
			 "pushq %[code]\n\t"
			 "lretq\n"
			 "2:\tlea 128(%%rsp), %%rsp"
			 : "+a"(result)
			 : [stack] "i"(STACK - 64), [cs] "i"(CS32), [code] "i"(CODE)
			 : "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "r8", "r9", "r10",
			   "r11", "r12", "r13", "r14", "r15", "memory", "cc");
	return result;
}

/* In 64-bit code 0x40 is a prefix; here it is inc %eax. */
#define INC_EAX	    "\x40"
#define RUN32(code) run32(code, sizeof(code) - 1)

static void the_code_runs_as_32_bit_code(void)
{
	CHECK(RUN32(INC_EAX INC_EAX INC_EAX) == 3);
	for (int i = 0; i < 300; i++) {
		CHECK(RUN32(INC_EAX) == 1);
		CHECK(getppid() > 0);
	}
}

static void faults_there_reach_handlers_that_return_there(void)
{
	watch(SIGILL);
	skip = 2;
	CHECK(RUN32(INC_EAX "\x0f\x0b" INC_EAX) == 2); /* ud2 */
	CHECK(seen == SIGILL && seen_cs == CS32);
	watch(SIGSEGV);
	skip = 6;
	CHECK(RUN32(INC_EAX "\x8b\x0d\0\0\0\0" INC_EAX) == 2); /* movl 0, %ecx */
	CHECK(seen == SIGSEGV && seen_cs == CS32);
	watch(SIGTRAP);
	CHECK(RUN32(INC_EAX "\xcc" INC_EAX) == 2); /* int3 */
	CHECK(seen == SIGTRAP && seen_cs == CS32);
}

static void signals_interrupt_it_anywhere(void)
{
	const struct itimerval often = {{0, 500}, {0, 500}};
	const struct itimerval off = {{0, 0}, {0, 0}};

	watch(SIGALRM);
	for (int i = 0; i < 200; i++) {
		CHECK(setitimer(ITIMER_REAL, &often, NULL) == 0);
		/* xorl %ebx, %ebx; 1: incl %ecx; testl %ebx, %ebx; jz 1b; incl %eax */
		CHECK(RUN32("\x31\xdb\x41\x85\xdb\x74\xfb" INC_EAX) == 1);
		CHECK(setitimer(ITIMER_REAL, &off, NULL) == 0);
		CHECK(seen == SIGALRM);
	}
}

static void default_actions_end_it(void)
{
	static const int signals[] = {SIGTERM, SIGKILL};

	for (int i = 0; i < 2; i++) {
		CHILD(pid)
		{
			RUN32("\xeb\xfe"); /* 1: jmp 1b */
			_exit(0);
		}
		usleep(20000);
		CHECK(kill(pid, signals[i]) == 0);
		WAIT_SIGNAL(pid, signals[i]);
	}
	CHILD(ill)
	{
		signal(SIGILL, SIG_DFL);
		RUN32("\x0f\x0b");
		_exit(0);
	}
	WAIT_SIGNAL(ill, SIGILL);
}

/* It is Linux's choice whether they do something; they kill nobody else. */
static void old_ways_of_calling_are_survived(void)
{
	static const struct {
		const char *code;
		size_t size;
	} way[] = {
		{"\xb8\x14\0\0\0\xcd\x80", 7}, /* movl $20, %eax; int $0x80 */
		{"\xb8\x14\0\0\0\x0f\x34", 7}, /* sysenter */
		{"\xb8\x14\0\0\0\x0f\x05", 7}, /* syscall */
	};

	for (size_t i = 0; i < sizeof(way) / sizeof(way[0]); i++) {
		CHILD(pid)
		{
			for (int sig = 1; sig < 32; sig++)
				signal(sig, SIG_DFL);
			alarm(20); /* where the call comes back to may be a loop */
			run32(way[i].code, way[i].size);
			_exit(0);
		}
		int status = 0;

		CHECK(waitpid(pid, &status, 0) == pid);
		CHECK(WIFEXITED(status) || WIFSIGNALED(status));
	}
}

static void set_segment(int sig, siginfo_t *info, void *context)
{
	(void)info;
	if (sig == SIGUSR1)
		*frame_cs(context) = 0;
	else
		_exit(7);
}

static void a_handler_cannot_return_to_no_segment(void)
{
	CHILD(pid)
	{
		struct sigaction sa = {.sa_sigaction = set_segment,
				       .sa_flags = SA_SIGINFO};

		CHECK(sigaction(SIGUSR1, &sa, NULL) == 0);
		CHECK(sigaction(SIGSEGV, &sa, NULL) == 0);
		raise(SIGUSR1);
		_exit(0);
	}
	WAIT_EXIT(pid, 7);
}

RUN(TEST(the_code_runs_as_32_bit_code),
    TEST(faults_there_reach_handlers_that_return_there),
    TEST(signals_interrupt_it_anywhere), TEST(default_actions_end_it),
    TEST(old_ways_of_calling_are_survived), TEST(a_handler_cannot_return_to_no_segment))
