/* SPDX-License-Identifier: MIT */
/* arch_prctl.c - the FS and GS bases, which programs own. */
#include "proc.h"
#include <asm/prctl.h>
#include <sys/auxv.h>

static long arch(int op, unsigned long addr)
{
	return syscall(SYS_arch_prctl, op, addr);
}

static unsigned long gs_word(void)
{
	unsigned long w;

	__asm__ volatile("mov %%gs:0, %0" : "=r"(w));
	return w;
}

static unsigned long fs_word(void)
{
	unsigned long w;

	__asm__ volatile("mov %%fs:0, %0" : "=r"(w));
	return w;
}

static unsigned long block_a[8] = {0xaaaa};
static unsigned long block_b[8] = {0xbbbb};

static void gs_base_is_set_and_used(void)
{
	unsigned long base = 1;

	CHECK(arch(ARCH_GET_GS, (long)&base) == 0 && base == 0);
	CHECK(arch(ARCH_SET_GS, (long)block_a) == 0);
	CHECK(gs_word() == 0xaaaa);
	CHECK(arch(ARCH_GET_GS, (long)&base) == 0 && base == (unsigned long)block_a);
	__asm__ volatile("movq $0x77, %%gs:8" ::: "memory");
	CHECK(((volatile unsigned long *)block_a)[1] == 0x77);
	CHECK(arch(ARCH_SET_GS, (long)block_b) == 0);
	CHECK(gs_word() == 0xbbbb);
}

static void gs_survives_all_kinds_of_calls(void)
{
	struct timespec t = {0, 1000};
	int p[2];
	char c = 'c';

	CHECK(arch(ARCH_SET_GS, (long)block_a) == 0);
	CHECK(pipe(p) == 0);
	for (int i = 0; i < 200; i++) {
		syscall(SYS_getppid);
		CHECK(gs_word() == 0xaaaa);
		syscall(-1);
		CHECK(gs_word() == 0xaaaa);
		CHECK(write(p[1], &c, 1) == 1 && gs_word() == 0xaaaa);
		CHECK(read(p[0], &c, 1) == 1 && gs_word() == 0xaaaa);
		nanosleep(&t, NULL);
		CHECK(gs_word() == 0xaaaa);
		sched_yield();
		CHECK(gs_word() == 0xaaaa);
		CHECK(munmap(mmap(NULL, 4096, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
			     4096) == 0);
		CHECK(gs_word() == 0xaaaa);
	}
	close(p[0]);
	close(p[1]);
}

static volatile unsigned long in_handler;
static volatile sig_atomic_t got;

static void read_gs(int sig)
{
	(void)sig;
	in_handler = gs_word();
	got++;
}

static void change_gs(int sig)
{
	(void)sig;
	arch(ARCH_SET_GS, (long)block_b);
}

static void gs_survives_signals(void)
{
	pid_t pest;

	CHECK(arch(ARCH_SET_GS, (long)block_a) == 0);
	handle(SIGUSR1, read_gs, 0);
	raise(SIGUSR1);
	CHECK(in_handler == 0xaaaa && gs_word() == 0xaaaa);
	got = 0;
	pest = pester_start(SIGUSR1, 1);
	while (got < 20)
		CHECK(gs_word() == 0xaaaa);
	pester_stop(pest);
	CHECK(in_handler == 0xaaaa);
	handle(SIGUSR1, change_gs, 0);
	raise(SIGUSR1);
	CHECK(gs_word() == 0xbbbb); /* the frame does not hold the base */
}

static void gs_survives_faults(void)
{
	CHECK(arch(ARCH_SET_GS, (long)block_a) == 0);
	CHILD(pid)
	{
		handle(SIGTRAP, read_gs, 0);
		__asm__ volatile("int3");
		CHECK(in_handler == 0xaaaa && gs_word() == 0xaaaa);
		CHECK(arch(ARCH_SET_GS, 0) == 0);
		(void)gs_word();
		_exit(0);
	}
	WAIT_SIGNAL(pid, SIGSEGV);
}

static void *use_own_gs(void *arg)
{
	unsigned long block[2] = {(unsigned long)arg, 0};

	CHECK(gs_word() == 0xaaaa); /* inherited */
	CHECK(arch(ARCH_SET_GS, (long)block) == 0);
	for (int i = 0; i < 300; i++) {
		CHECK(gs_word() == (unsigned long)arg);
		sched_yield();
	}
	return NULL;
}

static void each_thread_has_its_own_gs(void)
{
	pthread_t t[4];

	CHECK(arch(ARCH_SET_GS, (long)block_a) == 0);
	for (long i = 0; i < 4; i++)
		thread_start(&t[i], use_own_gs, (void *)(i + 100));
	for (int i = 0; i < 300; i++) {
		CHECK(gs_word() == 0xaaaa);
		sched_yield();
	}
	for (int i = 0; i < 4; i++)
		thread_join(t[i]);
	CHECK(gs_word() == 0xaaaa);
}

static void fork_and_vfork_keep_it_and_exec_clears_it(void)
{
	pid_t child;

	CHECK(arch(ARCH_SET_GS, (long)block_a) == 0);
	CHILD(pid)
	{
		CHECK(gs_word() == 0xaaaa);
		CHECK(arch(ARCH_SET_GS, (long)block_b) == 0 && gs_word() == 0xbbbb);
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
	CHECK(gs_word() == 0xaaaa);
	child = vfork();
	if (child == 0) {
		syscall(SYS_arch_prctl, ARCH_SET_GS, block_b);
		_exit(gs_word() == 0xbbbb ? 0 : 1);
	}
	CHECK(gs_word() == 0xaaaa);
	WAIT_EXIT(child, 0);
	CHILD(exec)
	{
		execl("/proc/self/exe", "arch_prctl", "gs-is-zero", NULL);
		_exit(127);
	}
	WAIT_EXIT(exec, 9);
}

static void the_instructions_work_where_announced(void)
{
	unsigned long base = 0;

	if (!(getauxval(AT_HWCAP2) & 2)) /* FSGSBASE */
		return;
	__asm__ volatile("wrgsbase %0" : : "r"(block_b));
	CHECK(gs_word() == 0xbbbb);
	syscall(SYS_getppid);
	sched_yield();
	__asm__ volatile("rdgsbase %0" : "=r"(base));
	CHECK(base == (unsigned long)block_b && gs_word() == 0xbbbb);
	CHECK(arch(ARCH_GET_GS, (long)&base) == 0 && base == (unsigned long)block_b);
	raise(SIGCHLD);
	CHECK(gs_word() == 0xbbbb);
	__asm__ volatile("rdfsbase %0" : "=r"(base));
	CHECK(base == fs_word());
}

/* Who sets it without having been told that he may is no danger to others. */
static void a_base_that_leads_nowhere_is_survived(void)
{
	pid_t parent = getpid();

	CHILD(pid)
	{
		unsigned long base = 1;

		for (int i = 0; i < 200; i++)
			CHECK(getppid() == parent);
		__asm__ volatile("mov %0, %%gs" : : "r"(0));
		CHECK(getppid() == parent);
		__asm__ volatile("wrgsbase %0" : : "r"(0x1000UL));
		for (int i = 0; i < 200; i++)
			CHECK(getppid() == parent);
		CHECK(sched_yield() == 0);
		__asm__ volatile("rdgsbase %0" : "=r"(base));
		CHECK(base == 0x1000);
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
}

static void fs_base_is_set_and_used(void)
{
	unsigned long old;
	unsigned long seen;
	unsigned long read_back = 0;
	long result;

	CHECK(arch(ARCH_GET_FS, (long)&old) == 0 && old == fs_word());
	/* no libc between the two: its thread block is gone */
	__asm__ volatile(
		"syscall\n\tmov %%fs:0, %[seen]\n\t"
		"mov $158, %%eax\n\tmov $0x1003, %%edi\n\tlea %[back], "
		"%%rsi\n\tsyscall\n\t"
		"mov $158, %%eax\n\tmov $0x1002, %%edi\n\tmov %[old], %%rsi\n\tsyscall"
		: "=a"(result), [seen] "=&r"(seen), [back] "+m"(read_back)
		: "0"(158l), "D"((long)ARCH_SET_FS), "S"(block_a), [old] "r"(old)
		: "rcx", "r11", "memory");
	CHECK(result == 0 && seen == 0xaaaa);
	CHECK(read_back == (unsigned long)block_a);
	CHECK(fs_word() == old);
}

static void refusals(void)
{
	unsigned long base;

	FAILS(EPERM, arch(ARCH_SET_FS, 0x800000000000));
	FAILS(EPERM, arch(ARCH_SET_GS, 0xffff800000000000));
	FAILS(EPERM, arch(ARCH_SET_GS, 0x8000000000000000));
	FAILS(EFAULT, arch(ARCH_GET_FS, (long)BAD_PTR));
	FAILS(EFAULT, arch(ARCH_GET_GS, (long)KERNEL_PTR));
	FAILS(EINVAL, arch(0x1000, (long)&base));
	FAILS(EINVAL, arch(0, (long)&base));
	FAILS(EINVAL, arch(-1, (long)&base));
}

static const struct test all[] = {
	TEST(gs_base_is_set_and_used),
	TEST(gs_survives_all_kinds_of_calls),
	TEST(gs_survives_signals),
	TEST(gs_survives_faults),
	TEST(each_thread_has_its_own_gs),
	TEST(fork_and_vfork_keep_it_and_exec_clears_it),
	TEST(the_instructions_work_where_announced),
	TEST(a_base_that_leads_nowhere_is_survived),
	TEST(fs_base_is_set_and_used),
	TEST(refusals),
};

int main(int argc, char **argv)
{
	unsigned long base = 1;

	if (argc > 1 && strcmp(argv[1], "gs-is-zero") == 0)
		return arch(ARCH_GET_GS, (long)&base) == 0 && base == 0 ? 9 : 1;
	return test_main(all, sizeof(all) / sizeof(all[0]));
}
