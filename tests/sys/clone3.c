/* SPDX-License-Identifier: MIT */
/* clone3.c - the sized argument block, its checks, and the flags that only it knows. */
#include "proc.h"
#include <linux/futex.h>
#include <linux/sched.h>

enum { STACK = 65536 };
#define THREAD_FLAGS                                                                     \
	(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM)

static pid_t clone3_raw(const void *args, size_t size)
{
	return (pid_t)syscall(SYS_clone3, args, size);
}

/* For children on a stack of their own: runs fn(arg) there and exits with its result. */
static long clone3_call(struct clone_args *args, int (*fn)(void *), void *arg)
{
	long result;

	__asm__ volatile("mov %[fn], %%r12\n\tmov %[arg], %%r13\n\t"
			 "syscall\n\t"
			 "test %%rax, %%rax\n\tjnz 1f\n\t"
			 "xor %%ebp, %%ebp\n\tmov %%r13, %%rdi\n\tcall *%%r12\n\t"
			 "mov %%eax, %%edi\n\tmov $60, %%eax\n\tsyscall\n\thlt\n"
			 "1:"
			 : "=a"(result)
			 : "0"((long)SYS_clone3), "D"(args),
			   "S"(sizeof(*args)), [fn] "r"(fn), [arg] "r"(arg)
			 : "rcx", "r11", "r12", "r13", "memory");
	return result;
}

static struct clone_args with_stack(uint64_t flags)
{
	void *p = mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		       -1, 0);

	CHECK(p != MAP_FAILED);
	return (struct clone_args){
		.flags = flags, .stack = (uint64_t)p, .stack_size = STACK};
}

static void fork_like_use_works_with_each_size(void)
{
	struct clone_args args = {.exit_signal = SIGCHLD};
	static const size_t size[] = {64, 72, 80, 88};

	for (int i = 0; i < 4; i++) {
		pid_t pid = clone3_raw(&args, size[i]);

		CHECK(pid >= 0);
		if (pid == 0)
			_exit(40 + i);
		WAIT_EXIT(pid, 40 + i);
	}
}

static void longer_blocks_must_be_zero_beyond(void)
{
	static unsigned char buf[8192];
	struct clone_args args = {.exit_signal = SIGCHLD};
	pid_t pid;

	memcpy(buf, &args, sizeof(args));
	pid = clone3_raw(buf, 128);
	CHECK(pid >= 0);
	if (pid == 0)
		_exit(5);
	WAIT_EXIT(pid, 5);
	buf[127] = 1;
	FAILS(E2BIG, clone3_raw(buf, 128));
	FAILS(E2BIG, clone3_raw(buf, 4097));
	FAILS(E2BIG, clone3_raw(buf, 8192));
}

static void short_blocks_and_bad_pointers(void)
{
	struct clone_args args = {.exit_signal = SIGCHLD};

	FAILS(EINVAL, clone3_raw(&args, 63));
	FAILS(EINVAL, clone3_raw(&args, 0));
	FAILS(EFAULT, clone3_raw(BAD_PTR, 88));
	FAILS(EFAULT, clone3_raw(KERNEL_PTR, 88));
	FAILS(EFAULT, clone3_raw(NULL, 88));
}

static void refused(int want, struct clone_args args, int line)
{
	pid_t pid = clone3_raw(&args, sizeof(args));

	if (pid == 0)
		_exit(0);
	if (pid != -1 || errno != want)
		printf("# line %d\n", line);
	CHECK(pid == -1 && errno == want);
}

#define REFUSED(want, ...) refused(want, (struct clone_args){__VA_ARGS__}, __LINE__)

static void bad_values_give_einval(void)
{
	REFUSED(EINVAL, .exit_signal = 65);
	REFUSED(EINVAL, .exit_signal = 0x100);
	REFUSED(EINVAL, .exit_signal = 1ul << 32);
	REFUSED(EINVAL, .flags = SIGCHLD);
	REFUSED(EINVAL, .flags = CLONE_DETACHED, .exit_signal = SIGCHLD);
	REFUSED(EINVAL, .flags = 1ul << 40, .exit_signal = SIGCHLD);
	REFUSED(EINVAL, .flags = 1ul << 63, .exit_signal = SIGCHLD);
	REFUSED(EINVAL, .exit_signal = SIGCHLD, .stack = 4096);
	REFUSED(EINVAL, .exit_signal = SIGCHLD, .stack_size = 4096);
	REFUSED(EINVAL, .exit_signal = SIGCHLD, .stack = 1ul << 63, .stack_size = 4096);
	REFUSED(EINVAL, .flags = CLONE_CLEAR_SIGHAND | CLONE_SIGHAND | CLONE_VM,
		.exit_signal = SIGCHLD);
	REFUSED(EINVAL, .flags = CLONE_SIGHAND, .exit_signal = SIGCHLD);
	REFUSED(EINVAL, .flags = CLONE_THREAD | CLONE_VM);
	REFUSED(EINVAL, .flags = THREAD_FLAGS, .exit_signal = SIGCHLD);
	REFUSED(EINVAL, .flags = CLONE_PARENT, .exit_signal = SIGCHLD);
	REFUSED(EINVAL, .exit_signal = SIGCHLD, .set_tid_size = 1);
	REFUSED(EINVAL, .exit_signal = SIGCHLD, .set_tid = 4096);
	REFUSED(EINVAL, .exit_signal = SIGCHLD, .set_tid = 4096, .set_tid_size = 33);
	REFUSED(EBADF, .flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD, .cgroup = 999);
	REFUSED(EINVAL, .flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD,
		.cgroup = 1ul << 32);
	REFUSED(EFAULT, .flags = CLONE_PIDFD, .exit_signal = SIGCHLD, .pidfd = 16);
	FAILS(ECHILD, waitpid(-1, NULL, __WALL));
}

static volatile sig_atomic_t got;

static void count(int sig)
{
	(void)sig;
	got++;
}

static void clear_sighand_resets_handlers_only(void)
{
	struct clone_args args = {.flags = CLONE_CLEAR_SIGHAND, .exit_signal = SIGCHLD};
	struct sigaction sa;
	pid_t pid;

	handle(SIGUSR1, count, 0);
	handle(SIGUSR2, SIG_IGN, 0);
	pid = clone3_raw(&args, sizeof(args));
	CHECK(pid >= 0);
	if (pid == 0) {
		CHECK(sigaction(SIGUSR1, NULL, &sa) == 0 && sa.sa_handler == SIG_DFL);
		CHECK(sigaction(SIGUSR2, NULL, &sa) == 0 && sa.sa_handler == SIG_IGN);
		_exit(7);
	}
	WAIT_EXIT(pid, 7);
	CHECK(sigaction(SIGUSR1, NULL, &sa) == 0 && sa.sa_handler == count);
}

static void exit_signal_may_be_any(void)
{
	struct clone_args args = {.exit_signal = SIGUSR1};
	pid_t pid;

	got = 0;
	handle(SIGUSR1, count, SA_RESTART);
	pid = clone3_raw(&args, sizeof(args));
	if (pid == 0)
		_exit(8);
	WAIT_EXIT(pid, 8);
	CHECK(got == 1);
	args.exit_signal = 0;
	pid = clone3_raw(&args, sizeof(args));
	if (pid == 0)
		_exit(9);
	FAILS(ECHILD, waitpid(pid, NULL, 0));
	WAIT_EXIT(pid, 9);
}

static void pidfd_and_tids_are_written(void)
{
	volatile int *word = share_page();
	struct clone_args args = {
		.flags = CLONE_PIDFD | CLONE_PARENT_SETTID | CLONE_CHILD_SETTID,
		.exit_signal = SIGCHLD,
		.pidfd = (uint64_t)&word[0],
		.parent_tid = (uint64_t)&word[1],
		.child_tid = (uint64_t)&word[2],
	};
	pid_t pid = clone3_raw(&args, sizeof(args));

	if (pid == 0)
		_exit(word[2] == getpid() ? 10 : 1);
	CHECK(pid > 0 && word[1] == pid);
	CHECK(fcntl(word[0], F_GETFD) == FD_CLOEXEC);
	WAIT_EXIT(pid, 10);
	close(word[0]);
	munmap((void *)word, 4096);
}

static int store_stack(void *arg)
{
	char here;

	*(uintptr_t *)arg = (uintptr_t)&here;
	return 11;
}

static void child_runs_on_the_stack_given(void)
{
	struct clone_args args = with_stack(CLONE_VM | CLONE_VFORK);
	uintptr_t sp = 0;
	long pid;

	args.exit_signal = SIGCHLD;
	pid = clone3_call(&args, store_stack, &sp);
	CHECK(pid > 0);
	CHECK(sp > args.stack && sp < args.stack + args.stack_size);
	WAIT_EXIT((pid_t)pid, 11);
	munmap((void *)args.stack, STACK);
}

static void thread_by_hand(void)
{
	volatile int word = 1;
	struct clone_args args = with_stack(THREAD_FLAGS | CLONE_CHILD_CLEARTID);
	uintptr_t sp = 0;
	int value;

	args.child_tid = (uint64_t)&word;
	CHECK(clone3_call(&args, store_stack, &sp) > 0);
	while ((value = word) != 0)
		syscall(SYS_futex, &word, FUTEX_WAIT, value, NULL, NULL, 0);
	CHECK(sp > args.stack && sp < args.stack + args.stack_size);
	munmap((void *)args.stack, STACK);
}

static void parent_flag_makes_a_sibling(void)
{
	pid_t *shared = share_page();
	pid_t self = getpid();

	CHILD(pid)
	{
		struct clone_args args = {.flags = CLONE_PARENT};
		pid_t inner = clone3_raw(&args, sizeof(args));

		if (inner == 0)
			_exit(getppid() == self ? 12 : 1);
		*shared = inner;
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
	WAIT_EXIT(*shared, 12);
	munmap(shared, 4096);
}

RUN(TEST(fork_like_use_works_with_each_size), TEST(longer_blocks_must_be_zero_beyond),
    TEST(short_blocks_and_bad_pointers), TEST(bad_values_give_einval),
    TEST(clear_sighand_resets_handlers_only), TEST(exit_signal_may_be_any),
    TEST(pidfd_and_tids_are_written), TEST(child_runs_on_the_stack_given),
    TEST(thread_by_hand), TEST(parent_flag_makes_a_sibling))
