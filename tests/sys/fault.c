/* SPDX-License-Identifier: MIT */
/* calls: rt_sigaction */
/* fault.c - what the processor refuses becomes a signal with the right code and address.
 */
#include "proc.h"
#include <setjmp.h>
#include <ucontext.h>

static volatile siginfo_t last;
static volatile long err_code;
static volatile long trap_no;
static volatile long fault_ip;
static __thread sigjmp_buf back;

static void keep_and_jump(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	(void)sig;
	last = *info;
	err_code = uc->uc_mcontext.gregs[REG_ERR];
	trap_no = uc->uc_mcontext.gregs[REG_TRAPNO];
	fault_ip = uc->uc_mcontext.gregs[REG_RIP];
	siglongjmp(back, 1);
}

/* Runs the statement, which must raise sig with si_code code. */
#define FAULTS(sig, code, statement)                                                     \
	do {                                                                             \
		memset((void *)&last, 0, sizeof(last));                                  \
		if (sigsetjmp(back, 1) == 0) {                                           \
			statement;                                                       \
			CHECK(!"a fault");                                               \
		}                                                                        \
		CHECK(last.si_signo == (sig) && last.si_code == (code));                 \
	} while (0)

static volatile char *map(int prot)
{
	char *p = mmap(NULL, 4096, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(p != MAP_FAILED);
	return p;
}

static void touching_nothing_is_maperr(void)
{
	volatile char *p = map(PROT_READ);

	CHECK(munmap((void *)p, 4096) == 0);
	handle_info(SIGSEGV, keep_and_jump, 0);
	FAULTS(SIGSEGV, SEGV_MAPERR, (void)p[123]);
	CHECK(last.si_addr == p + 123 && trap_no == 14 && err_code == 4);
	FAULTS(SIGSEGV, SEGV_MAPERR, p[77] = 1);
	CHECK(last.si_addr == p + 77 && err_code == 6);
	FAULTS(SIGSEGV, SEGV_MAPERR, *(volatile int *)BAD_PTR = 1);
	CHECK(last.si_addr == BAD_PTR);
	CHECK(fault_ip > (long)0x1000);
}

static void breaking_protection_is_accerr(void)
{
	volatile char *p = map(PROT_READ);

	CHECK(p[0] == 0);
	FAULTS(SIGSEGV, SEGV_ACCERR, p[5] = 1);
	CHECK(last.si_addr == p + 5 && err_code == 7);
	CHECK(mprotect((void *)p, 4096, PROT_NONE) == 0);
	FAULTS(SIGSEGV, SEGV_ACCERR, (void)p[6]);
	CHECK(last.si_addr == p + 6);
	munmap((void *)p, 4096);
}

static void running_data_is_accerr(void)
{
	volatile char *p = map(PROT_READ | PROT_WRITE);

	p[0] = (char)0xc3;
	FAULTS(SIGSEGV, SEGV_ACCERR, ((void (*)(void))p)());
	CHECK(last.si_addr == p && fault_ip == (long)p);
	munmap((void *)p, 4096);
	FAULTS(SIGSEGV, SEGV_MAPERR, ((void (*)(void))p)());
	CHECK(last.si_addr == p && fault_ip == (long)p);
}

static void non_canonical_addresses_have_no_address(void)
{
	FAULTS(SIGSEGV, SI_KERNEL, (void)*(volatile char *)0x8000000000000000);
	CHECK(last.si_addr == NULL && trap_no == 13);
}

static void kernel_addresses_are_not_reached(void)
{
	FAULTS(SIGSEGV, SEGV_MAPERR, (void)*(volatile char *)0xffffffff81000000);
	FAULTS(SIGSEGV, SI_KERNEL, __asm__ volatile("hlt"));
	FAULTS(SIGSEGV, SI_KERNEL, __asm__ volatile("cli"));
	FAULTS(SIGSEGV, SI_KERNEL, __asm__ volatile("mov %%cr0, %%rax" ::: "rax"));
}

static void beyond_the_end_of_a_file_is_adrerr(void)
{
	int fd = memfd_create("short", MFD_CLOEXEC);
	volatile char *p;

	CHECK(fd >= 0 && ftruncate(fd, 100) == 0);
	p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(p != MAP_FAILED);
	handle_info(SIGBUS, keep_and_jump, 0);
	CHECK(p[4095] == 0);
	FAULTS(SIGBUS, BUS_ADRERR, (void)p[4096 + 50]);
	CHECK(last.si_addr == p + 4096 + 50);
	munmap((void *)p, 8192);
	close(fd);
}

static void dividing_by_zero_is_intdiv(void)
{
	volatile int zero = 0;

	handle_info(SIGFPE, keep_and_jump, 0);
	FAULTS(SIGFPE, FPE_INTDIV,
	       __asm__ volatile("xor %%edx, %%edx\n\tmov $1, %%eax\n\tidivl %0"
				:
				: "m"(zero)
				: "eax", "edx"));
	CHECK((long)last.si_addr == fault_ip && trap_no == 0);
}

static void floating_point_traps_have_their_codes(void)
{
	unsigned int mxcsr = 0x1f80;
	unsigned int trap = 0x1f80 & ~(1u << 9); /* divide by zero */
	volatile double zero = 0.0;
	volatile double one = 1.0;

	FAULTS(SIGFPE, FPE_FLTDIV, {
		__asm__ volatile("ldmxcsr %0" : : "m"(trap));
		one = one / zero;
	});
	__asm__ volatile("ldmxcsr %0" : : "m"(mxcsr));
	trap = 0x1f80 & ~(1u << 7); /* invalid */
	FAULTS(SIGFPE, FPE_FLTINV, {
		__asm__ volatile("ldmxcsr %0" : : "m"(trap));
		one = zero / zero;
	});
	__asm__ volatile("ldmxcsr %0" : : "m"(mxcsr));
}

static void unknown_instructions_are_illopn(void)
{
	handle_info(SIGILL, keep_and_jump, 0);
	FAULTS(SIGILL, ILL_ILLOPN, __asm__ volatile("ud2"));
	CHECK((long)last.si_addr == fault_ip && trap_no == 6);
	CHECK(*(unsigned char *)fault_ip == 0x0f);
}

static void a_breakpoint_is_a_trap_after_it(void)
{
	handle_info(SIGTRAP, keep_and_jump, 0);
	FAULTS(SIGTRAP, SI_KERNEL, __asm__ volatile("int3"));
	CHECK(((unsigned char *)fault_ip)[-1] == 0xcc && trap_no == 3);
}

static volatile int traps;

static void count_trap(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)info;
	(void)context;
	traps++;
}

static void a_breakpoint_handler_may_return(void)
{
	handle_info(SIGTRAP, count_trap, 0);
	__asm__ volatile("int3\n\tint3\n\tnop\n\tint3" ::: "memory");
	CHECK(traps == 3);
}

static void stepping_over_one_instruction_traps(void)
{
	traps = 0;
	__asm__ volatile("pushfq\n\torl $0x100, (%%rsp)\n\tpopfq\n\tnop\n\t"
			 "pushfq\n\tandl $~0x100, (%%rsp)\n\tpopfq\n\t" ::
				 : "memory", "cc");
	CHECK(traps >= 3 && traps <= 4);
}

static char *fixed_page;

static void repair_protection(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	if ((char *)info->si_addr != fixed_page + 9 || mprotect(fixed_page, 4096, 3) != 0)
		_exit(99);
	traps++;
}

static void a_handler_may_repair_and_return(void)
{
	traps = 0;
	fixed_page = (char *)map(PROT_NONE);
	handle_info(SIGSEGV, repair_protection, 0);
	((volatile char *)fixed_page)[9] = 'r';
	CHECK(traps == 1 && fixed_page[9] == 'r');
	handle_info(SIGSEGV, keep_and_jump, 0);
	munmap(fixed_page, 4096);
}

static void skip_instruction(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	(void)sig;
	(void)info;
	uc->uc_mcontext.gregs[REG_RIP] += 2;
	uc->uc_mcontext.gregs[REG_RAX] = 4711;
}

static void a_handler_may_skip_the_instruction(void)
{
	long result = 0;

	handle_info(SIGILL, skip_instruction, 0);
	__asm__ volatile("ud2" : "+a"(result));
	CHECK(result == 4711);
}

#define DIES(sig, statement)                                                             \
	do {                                                                             \
		CHILD(pid_)                                                              \
		{                                                                        \
			statement;                                                       \
			_exit(0);                                                        \
		}                                                                        \
		WAIT_SIGNAL(pid_, sig);                                                  \
	} while (0)

static void overflow_stack(volatile char *above)
{
	volatile char here[4096];

	here[0] = *above;
	if (here[0] != 77)
		overflow_stack(here);
	here[1] = here[0];
}

static void unhandled_faults_kill(void)
{
	for (int sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_DFL);
	DIES(SIGSEGV, *(volatile int *)BAD_PTR = 1);
	DIES(SIGILL, __asm__ volatile("ud2"));
	DIES(SIGTRAP, __asm__ volatile("int3"));
	DIES(SIGFPE, __asm__ volatile("xor %%ecx, %%ecx\n\tdivl %%ecx" ::
					      : "eax", "ecx", "edx"));
	DIES(SIGSEGV, __asm__ volatile("hlt"));
	DIES(SIGABRT, abort());
}

static void endless_recursion_overflows_the_stack(void)
{
	char top = 0;

	DIES(SIGSEGV, overflow_stack(&top));
}

static void overflow_is_handled_on_another_stack(void)
{
	CHILD(pid)
	{
		stack_t ss = {.ss_sp = malloc(65536), .ss_size = 65536};
		char top = 0;

		CHECK(sigaltstack(&ss, NULL) == 0);
		handle_info(SIGSEGV, keep_and_jump, SA_ONSTACK);
		FAULTS(SIGSEGV, SEGV_MAPERR, overflow_stack(&top));
		FAULTS(SIGSEGV, SEGV_MAPERR, overflow_stack(&top)); /* and once more */
		_exit(5);
	}
	WAIT_EXIT(pid, 5);
}

static void overflow_without_another_stack_kills(void)
{
	char top = 0;

	DIES(SIGSEGV, {
		handle_info(SIGSEGV, keep_and_jump, 0);
		overflow_stack(&top);
	});
}

static void blocked_or_ignored_faults_kill(void)
{
	DIES(SIGSEGV, {
		handle_info(SIGSEGV, keep_and_jump, 0);
		block(SIGSEGV);
		*(volatile int *)BAD_PTR = 1;
	});
	DIES(SIGSEGV, {
		handle(SIGSEGV, SIG_IGN, 0);
		*(volatile int *)BAD_PTR = 1;
	});
	DIES(SIGILL, {
		handle(SIGILL, SIG_IGN, 0);
		__asm__ volatile("ud2");
	});
}

static void fault_again(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)info;
	(void)context;
	*(volatile int *)BAD_PTR = 2;
}

static void a_fault_in_its_handler_kills(void)
{
	DIES(SIGSEGV, {
		handle_info(SIGSEGV, fault_again, 0);
		*(volatile int *)BAD_PTR = 1;
	});
}

static void sent_faults_look_sent(void)
{
	handle_info(SIGSEGV, keep_and_jump, 0);
	FAULTS(SIGSEGV, SI_USER, kill(getpid(), SIGSEGV); pause());
	CHECK(last.si_pid == getpid());
	handle(SIGSEGV, SIG_IGN, 0); /* sent ones can be ignored */
	CHECK(kill(getpid(), SIGSEGV) == 0);
	handle(SIGSEGV, SIG_DFL, 0);
}

static volatile char *pages[2];
static volatile int thread_faults[2];

static void count_thread_fault(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	for (int i = 0; i < 2; i++)
		if (info->si_addr == pages[i])
			thread_faults[i]++;
	siglongjmp(back, 1);
}

static void *fault_often(void *arg)
{
	volatile char *p = arg;

	for (int i = 0; i < 300; i++)
		if (sigsetjmp(back, 1) == 0)
			*p = 1;
	return NULL;
}

static void threads_fault_at_the_same_time(void)
{
	pthread_t t[2];

	handle_info(SIGSEGV, count_thread_fault, 0);
	for (int i = 0; i < 2; i++) {
		pages[i] = map(PROT_NONE);
		thread_start(&t[i], fault_often, (void *)pages[i]);
	}
	for (int i = 0; i < 2; i++) {
		thread_join(t[i]);
		CHECK(thread_faults[i] == 300);
		munmap((void *)pages[i], 4096);
	}
	handle(SIGSEGV, SIG_DFL, 0);
}

static void *fault_once(void *arg)
{
	*(volatile int *)BAD_PTR = 1;
	return arg;
}

static void a_fault_of_a_thread_kills_the_process(void)
{
	CHILD(pid)
	{
		pthread_t t;

		thread_start(&t, fault_once, NULL);
		for (;;)
			pause();
	}
	WAIT_SIGNAL(pid, SIGSEGV);
}

RUN(TEST(touching_nothing_is_maperr), TEST(breaking_protection_is_accerr),
    TEST(running_data_is_accerr), TEST(non_canonical_addresses_have_no_address),
    TEST(kernel_addresses_are_not_reached), TEST(beyond_the_end_of_a_file_is_adrerr),
    TEST(dividing_by_zero_is_intdiv), TEST(floating_point_traps_have_their_codes),
    TEST(unknown_instructions_are_illopn), TEST(a_breakpoint_is_a_trap_after_it),
    TEST(a_breakpoint_handler_may_return), TEST(stepping_over_one_instruction_traps),
    TEST(a_handler_may_repair_and_return), TEST(a_handler_may_skip_the_instruction),
    TEST(unhandled_faults_kill), TEST(endless_recursion_overflows_the_stack),
    TEST(overflow_is_handled_on_another_stack),
    TEST(overflow_without_another_stack_kills), TEST(blocked_or_ignored_faults_kill),
    TEST(a_fault_in_its_handler_kills), TEST(sent_faults_look_sent),
    TEST(threads_fault_at_the_same_time), TEST(a_fault_of_a_thread_kills_the_process))
