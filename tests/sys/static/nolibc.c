/* SPDX-License-Identifier: MIT */
/* nolibc.c - a program without any library: calls whose surroundings leave little room
 * for tricks (jump targets right behind them, live registers and flags). Exits 0. */
/* calls: write getpid gettid exit_group */
/* cflags: -nostdlib */

static long call(long nr, long a, long b, long c)
{
	long r;

	__asm__ volatile("syscall"
			 : "=a"(r)
			 : "a"(nr), "D"(a), "S"(b), "d"(c)
			 : "rcx", "r11", "memory");
	return r;
}

/* A call site whose next instruction is the target of a jump. */
__attribute__((noinline)) static long count_calls(long n)
{
	long done = 0;

	__asm__ volatile("1: mov $39, %%eax\n"
			 "   syscall\n"
			 "2: inc %0\n"
			 "   cmp %1, %0\n"
			 "   jae 3f\n"
			 "   test $1, %0\n"
			 "   jnz 1b\n"
			 "   mov $186, %%eax\n"
			 "   syscall\n"
			 "   jmp 2b\n"
			 "3:\n"
			 : "+r"(done)
			 : "r"(n)
			 : "rax", "rcx", "r11", "memory", "cc");
	return done;
}

/* Registers other than rax, rcx and r11 come back as they were, the flags too. */
static int registers_survive(void)
{
	long ok;

	__asm__ volatile("mov $0x1111, %%rbx\n mov $0x2222, %%r12\n mov $0x3333, %%r13\n"
			 "mov $0x4444, %%r8\n mov $0x5555, %%r9\n mov $0x6666, %%r10\n"
			 "mov $0x7777, %%rdi\n mov $0x8888, %%rsi\n mov $0x9999, %%rdx\n"
			 "mov $39, %%eax\n stc\n syscall\n"
			 "setc %%al\n movzbl %%al, %%eax\n"
			 "cmp $0x1111, %%rbx\n jne 1f\n cmp $0x2222, %%r12\n jne 1f\n"
			 "cmp $0x3333, %%r13\n jne 1f\n cmp $0x4444, %%r8\n jne 1f\n"
			 "cmp $0x5555, %%r9\n jne 1f\n cmp $0x6666, %%r10\n jne 1f\n"
			 "cmp $0x7777, %%rdi\n jne 1f\n cmp $0x8888, %%rsi\n jne 1f\n"
			 "cmp $0x9999, %%rdx\n jne 1f\n jmp 2f\n"
			 "1: xor %%eax, %%eax\n2:\n"
			 : "=a"(ok)
			 :
			 : "rbx", "r12", "r13", "r8", "r9", "r10", "rdi", "rsi", "rdx",
			   "rcx", "r11", "memory", "cc");
	return (int)ok;
}

void start(void)
{
	static const char text[] = "no library\n";
	int failed = 0;

	if (call(1, 1, (long)text, sizeof(text) - 1) != sizeof(text) - 1)
		failed |= 1;
	if (count_calls(10000) != 10000)
		failed |= 2;
	if (!registers_survive())
		failed |= 4;
	if (call(999, 0, 0, 0) != -38)
		failed |= 8;
	if (call(-1, 0, 0, 0) != -38)
		failed |= 16;
	call(231, failed, 0, 0);
}

__asm__(".globl _start\n_start: xor %ebp, %ebp\n and $-16, %rsp\n call start\n hlt\n");
