/* SPDX-License-Identifier: MIT */
/* rt_sigreturn.c - a handler leaves no trace but what it writes into the frame. */
#include "proc.h"
#include <setjmp.h>
#include <sys/auxv.h>
#include <ucontext.h>

static volatile sig_atomic_t got;
static volatile bool stop;

static void clobber(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)info;
	(void)context;
	got++;
	__asm__ volatile("pxor %%xmm0, %%xmm0\n\tpcmpeqd %%xmm7, %%xmm7\n\t"
			 "pxor %%xmm15, %%xmm15\n\tfninit\n\tstd\n\tcld" ::
				 : "xmm0", "xmm7", "xmm15", "cc");
}

/* Spins with a pattern in all registers until a signal has come; returns 0 if all kept.
 */
static long spin_with_registers(volatile sig_atomic_t *flag)
{
	long wrong = 1;

	__asm__ volatile(
		"push %%rbp\n\t"
		"mov %[flag], %%rax\n\t"
		"mov $0x1111, %%rbx\n\tmov $0x2222, %%rdx\n\t"
		"mov $0x3333, %%rsi\n\tmov $0x4444, %%rdi\n\t"
		"mov $0x5555, %%r8\n\tmov $0x6666, %%r9\n\t"
		"mov $0x7777, %%r10\n\tmov $0x8888, %%r11\n\t"
		"mov $0x9999, %%r12\n\tmov $0xaaaa, %%r13\n\t"
		"mov $0xbbbb, %%r14\n\tmov $0xcccc, %%r15\n\t"
		"mov $0xdddd, %%rbp\n\tmov $0xeeee, %%rcx\n\t"
		"movq %%rbx, %%xmm0\n\tmovq %%r15, %%xmm7\n\tmovq %%rbp, %%xmm15\n\t"
		"movl $0x12345678, -8(%%rsp)\n\t" /* in the red zone */
		"stc\n"
		"2:\tjnc 1f\n\t"
		"mov (%%rax), %%r11d\n\t" /* mov leaves the flags alone */
		"mov %%r11d, %%r11d\n\t"
		"lea -1(%%r11), %%r11\n\t"
		"bt $63, %%r11\n\t" /* carry while *flag is 0 */
		"jc 2b\n\t"
		"cmp $0x1111, %%rbx\n\tjne 1f\n\t"
		"cmp $0x2222, %%rdx\n\tjne 1f\n\t"
		"cmp $0x3333, %%rsi\n\tjne 1f\n\t"
		"cmp $0x4444, %%rdi\n\tjne 1f\n\t"
		"cmp $0x5555, %%r8\n\tjne 1f\n\t"
		"cmp $0x6666, %%r9\n\tjne 1f\n\t"
		"cmp $0x7777, %%r10\n\tjne 1f\n\t"
		"cmp $0x9999, %%r12\n\tjne 1f\n\t"
		"cmp $0xaaaa, %%r13\n\tjne 1f\n\t"
		"cmp $0xbbbb, %%r14\n\tjne 1f\n\t"
		"cmp $0xcccc, %%r15\n\tjne 1f\n\t"
		"cmp $0xdddd, %%rbp\n\tjne 1f\n\t"
		"cmp $0xeeee, %%rcx\n\tjne 1f\n\t"
		"cmpl $0x12345678, -8(%%rsp)\n\tjne 1f\n\t"
		"movq %%xmm0, %%r11\n\tcmp %%rbx, %%r11\n\tjne 1f\n\t"
		"movq %%xmm7, %%r11\n\tcmp %%r15, %%r11\n\tjne 1f\n\t"
		"movq %%xmm15, %%r11\n\tcmp %%rbp, %%r11\n\tjne 1f\n\t"
		"xor %%eax, %%eax\n\tjmp 3f\n"
		"1:\tmov $1, %%eax\n"
		"3:\tpop %%rbp\n\t"
		: "=&a"(wrong)
		: [flag] "r"(flag)
		: "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12",
		  "r13", "r14", "r15", "xmm0", "xmm7", "xmm15", "memory", "cc");
	return wrong;
}

static void registers_and_red_zone_are_kept(void)
{
	pid_t pest;

	handle_info(SIGUSR1, clobber, 0);
	pest = pester_start(SIGUSR1, 1);
	for (int i = 0; i < 20; i++) {
		got = 0;
		CHECK(spin_with_registers(&got) == 0);
	}
	pester_stop(pest);
}

__attribute__((target("avx2"))) static void clobber_avx(int sig)
{
	(void)sig;
	got++;
	__asm__ volatile("vpxor %%ymm3, %%ymm3, %%ymm3\n\tvzeroall" ::
				 : "xmm3", "xmm0", "xmm1", "xmm2", "xmm4", "xmm5", "xmm6",
				   "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12",
				   "xmm13", "xmm14", "xmm15");
}

__attribute__((target("avx2"))) static void wide_registers_are_kept(void)
{
	unsigned char in[32];
	unsigned char out[32];

	if (!__builtin_cpu_supports("avx2"))
		return;
	for (int i = 0; i < 32; i++)
		in[i] = (unsigned char)(i * 7 + 1);
	handle(SIGUSR1, clobber_avx, 0);
	got = 0;
	pid_t pest = pester_start(SIGUSR1, 1);
	for (int i = 0; i < 20; i++) {
		sig_atomic_t before = got;

		__asm__ volatile("vmovdqu %[in], %%ymm3\n"
				 "1:\tpause\n\tcmp %[got], %[before]\n\tje 1b\n\t"
				 "vmovdqu %%ymm3, %[out]\n\tvzeroupper"
				 : [out] "=m"(out)
				 : [in] "m"(in), [got] "m"(got), [before] "r"(before)
				 : "xmm3", "memory", "cc");
		CHECK(memcmp(in, out, 32) == 0);
	}
	pester_stop(pest);
}

__attribute__((target("avx512f"))) static void widest_registers_are_kept(void)
{
	unsigned char in[64];
	unsigned char out[64];
	unsigned long k = 0;

	if (!__builtin_cpu_supports("avx512f"))
		return;
	for (int i = 0; i < 64; i++)
		in[i] = (unsigned char)(i * 3 + 1);
	handle(SIGUSR1, clobber_avx, 0);
	got = 0;
	pid_t pest = pester_start(SIGUSR1, 1);
	for (int i = 0; i < 20; i++) {
		sig_atomic_t before = got;

		__asm__ volatile("vmovdqu64 %[in], %%zmm21\n\tmov $0x5a5a, %%eax\n\t"
				 "kmovw %%eax, %%k5\n"
				 "1:\tpause\n\tcmp %[got], %[before]\n\tje 1b\n\t"
				 "vmovdqu64 %%zmm21, %[out]\n\tkmovw %%k5, %%eax"
				 : [out] "=m"(out), "=&a"(k)
				 : [in] "m"(in), [got] "m"(got), [before] "r"(before)
				 : "memory", "cc");
		CHECK(memcmp(in, out, 64) == 0 && k == 0x5a5a);
	}
	pester_stop(pest);
}

static void rounding_modes_are_kept(void)
{
	unsigned int mxcsr = 0x1f80 | 3u << 13;
	unsigned short cw = 0x0f7f;
	unsigned int mxcsr_after;
	unsigned short cw_after;

	handle_info(SIGUSR1, clobber, 0);
	__asm__ volatile("ldmxcsr %0\n\tfldcw %1" : : "m"(mxcsr), "m"(cw));
	raise(SIGUSR1);
	__asm__ volatile("stmxcsr %0\n\tfnstcw %1" : "=m"(mxcsr_after), "=m"(cw_after));
	CHECK((mxcsr_after & 0xffc0) == mxcsr && cw_after == cw);
	mxcsr = 0x1f80;
	cw = 0x037f;
	__asm__ volatile("ldmxcsr %0\n\tfldcw %1" : : "m"(mxcsr), "m"(cw));
}

static volatile bool started_clean;

static void check_entry_state(int sig, siginfo_t *info, void *context)
{
	unsigned int mxcsr;
	unsigned long flags;
	char here;

	__asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
	__asm__ volatile("pushfq\n\tpop %0" : "=r"(flags));
	started_clean =
		!(flags & 1ul << 10) && sig == SIGUSR1 && info->si_signo == sig &&
		((ucontext_t *)context)->uc_mcontext.gregs[REG_RSP] > (long)&here &&
		((uintptr_t)__builtin_frame_address(0) & 15) == 0;
}

static void handlers_start_with_clear_direction_and_aligned_stack(void)
{
	handle_info(SIGUSR1, check_entry_state, 0);
	__asm__ volatile("std");
	syscall(SYS_tkill, getpid(), SIGUSR1);
	__asm__ volatile("cld");
	CHECK(started_clean);
}

static void set_registers(int sig, siginfo_t *info, void *context)
{
	greg_t *g = ((ucontext_t *)context)->uc_mcontext.gregs;

	(void)sig;
	(void)info;
	g[REG_RAX] = 0x1001;
	g[REG_RBX] = 0x1002;
	g[REG_RCX] = 0x1003;
	g[REG_RDX] = 0x1004;
	g[REG_R11] = 0x1005;
	g[REG_R15] = 0x1006;
	g[REG_EFL] |= 1; /* carry */
	g[REG_RIP] += 2; /* over ud2 */
}

static void what_a_handler_writes_into_the_frame_counts(void)
{
	unsigned long a = 0, b = 0, c = 0, d = 0, r11 = 0, r15 = 0;
	unsigned char carry = 0;

	handle_info(SIGILL, set_registers, 0);
	__asm__ volatile("clc\n\tud2\n\tsetc %[carry]\n\tmov %%r11, %[r11]\n\t"
			 "mov %%r15, %[r15]"
			 : "+a"(a), "+b"(b), "+c"(c),
			   "+d"(d), [carry] "+m"(carry), [r11] "=m"(r11), [r15] "=m"(r15)
			 :
			 : "r11", "r15", "cc");
	CHECK(a == 0x1001 && b == 0x1002 && c == 0x1003 && d == 0x1004);
	CHECK(r11 == 0x1005 && r15 == 0x1006 && carry == 1);
}

static void set_xmm(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	(void)sig;
	(void)info;
	CHECK(uc->uc_mcontext.fpregs);
	CHECK(uc->uc_mcontext.fpregs->_xmm[4].element[0] == 0x1234);
	uc->uc_mcontext.fpregs->_xmm[4].element[0] = 0x5678;
}

static void vector_state_in_the_frame_can_be_changed(void)
{
	unsigned long in = 0x1234;
	unsigned long out;

	handle_info(SIGUSR1, set_xmm, 0);
	__asm__ volatile("movq %[in], %%xmm4\n\t"
			 "syscall\n\t"
			 "movq %%xmm4, %[out]"
			 : [out] "=r"(out)
			 : [in] "r"(in), "a"((long)SYS_tkill), "D"((long)getpid()),
			   "S"((long)SIGUSR1)
			 : "rcx", "r11", "xmm4", "memory");
	CHECK(out == 0x5678);
}

static void change_mask(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)info;
	sigaddset(&((ucontext_t *)context)->uc_sigmask, SIGUSR2);
	CHECK(!sigismember(&((ucontext_t *)context)->uc_sigmask, SIGUSR1));
}

static void the_mask_in_the_frame_is_put_back(void)
{
	sigset_t now;

	handle_info(SIGUSR1, change_mask, 0);
	raise(SIGUSR1);
	CHECK(sigprocmask(SIG_BLOCK, NULL, &now) == 0);
	CHECK(sigismember(&now, SIGUSR2) && !sigismember(&now, SIGUSR1));
	unblock(SIGUSR2);
}

static void change_result(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)info;
	((ucontext_t *)context)->uc_mcontext.gregs[REG_RAX] = 31337;
}

static void the_result_of_a_call_can_be_changed(void)
{
	handle_info(SIGUSR1, change_result, 0);
	CHECK(syscall(SYS_tkill, getpid(), SIGUSR1) == 31337);
}

static sigjmp_buf back;
static volatile int nested;

static void nest_deep(int sig)
{
	if (++nested < 20)
		raise(sig);
	if (nested == 20 && got == 0) {
		got = 1;
		siglongjmp(back, 1);
	}
}

static void jumping_out_of_nested_handlers_works(void)
{
	sigset_t now;

	nested = got = 0;
	handle(SIGUSR1, nest_deep, SA_NODEFER);
	if (sigsetjmp(back, 1) == 0)
		raise(SIGUSR1);
	CHECK(nested == 20 && got == 1);
	CHECK(sigprocmask(SIG_BLOCK, NULL, &now) == 0 && !sigismember(&now, SIGUSR1));
	for (volatile int i = 0; i < 1000; i++) {
		nested = 19;
		got = 0;
		if (sigsetjmp(back, 1) == 0)
			raise(SIGUSR1);
		CHECK(got == 1);
	}
}

static void count(int sig)
{
	(void)sig;
	got++;
}

static void two_pending_signals_nest_in_one_return(void)
{
	sigset_t both = set_of(SIGUSR1);

	got = 0;
	sigaddset(&both, SIGUSR2);
	handle(SIGUSR1, count, 0);
	handle(SIGUSR2, count, 0);
	CHECK(sigprocmask(SIG_BLOCK, &both, NULL) == 0);
	raise(SIGUSR1);
	raise(SIGUSR2);
	CHECK(sigprocmask(SIG_UNBLOCK, &both, NULL) == 0);
	CHECK(got == 2);
}

static void a_forged_frame_kills(void)
{
	CHILD(pid)
	{
		__asm__ volatile("mov $8, %%rsp\n\tmov $15, %%eax\n\tsyscall" ::
					 : "memory");
		_exit(0);
	}
	WAIT_SIGNAL(pid, SIGSEGV);
}

static void wild_ip(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)info;
	((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP] = (long)0x8000000000000000;
}

static void wild_selectors(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)info;
	((ucontext_t *)context)->uc_mcontext.gregs[REG_CSGSFS] |= 0xffff;
}

static void impossible_frames_kill_only_the_sender(void)
{
	CHILD(pid)
	{
		handle_info(SIGUSR1, wild_ip, 0);
		raise(SIGUSR1);
		_exit(0);
	}
	WAIT_SIGNAL(pid, SIGSEGV);
	CHILD(selectors)
	{
		handle_info(SIGUSR1, wild_selectors, 0);
		raise(SIGUSR1);
		_exit(0);
	}
	int status = wait_status(selectors);
	CHECK(WIFSIGNALED(status) || status == 0);
}

static void *compute(void *arg)
{
	double sum = 0;
	long n = 0;

	while (!stop) {
		double x = 1;

		for (int i = 1; i < 200; i++)
			x = x * 1.0000001 + i * 0.5 - i * 0.5;
		if (n++ == 0)
			sum = x;
		CHECK(x == sum);
	}
	return arg;
}

static void floating_point_survives_a_signal_storm(void)
{
	pthread_t t[2];

	stop = false;
	handle_info(SIGUSR1, clobber, SA_RESTART);
	for (int i = 0; i < 2; i++)
		thread_start(&t[i], compute, NULL);
	for (int i = 0; i < 3000; i++)
		CHECK(pthread_kill(t[i & 1], SIGUSR1) == 0);
	stop = true;
	for (int i = 0; i < 2; i++)
		thread_join(t[i]);
}

RUN(TEST(registers_and_red_zone_are_kept), TEST(wide_registers_are_kept),
    TEST(widest_registers_are_kept), TEST(rounding_modes_are_kept),
    TEST(handlers_start_with_clear_direction_and_aligned_stack),
    TEST(what_a_handler_writes_into_the_frame_counts),
    TEST(vector_state_in_the_frame_can_be_changed),
    TEST(the_mask_in_the_frame_is_put_back), TEST(the_result_of_a_call_can_be_changed),
    TEST(jumping_out_of_nested_handlers_works),
    TEST(two_pending_signals_nest_in_one_return), TEST(a_forged_frame_kills),
    TEST(impossible_frames_kill_only_the_sender),
    TEST(floating_point_survives_a_signal_storm))
