/* SPDX-License-Identifier: MIT */
/* calls: clone clone3 unshare */
/* clone_flags.c - which flags go together: each combination of those that shape a task,
 * against the rules of the man page; chosen ids; signals to the parent. */
#include "capability.h"
#include "proc.h"
#include <linux/sched.h>
#include <sys/prctl.h>

struct args {
	uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
	uint64_t set_tid, set_tid_size, cgroup;
};

static char stack[1 << 16] __attribute__((aligned(16)));

/* The child does nothing but end, on whatever stack it has. */
static long clone3_and_exit(const struct args *a, size_t size)
{
	register long nr __asm__("rax") = SYS_clone3;
	register const struct args *p __asm__("rdi") = a;
	register size_t n __asm__("rsi") = size;

	__asm__ volatile("syscall\n\t"
			 "test %%rax, %%rax\n\t"
			 "jnz 1f\n\t"
			 "mov %[exit], %%eax\n\t"
			 "xor %%edi, %%edi\n\t"
			 "syscall\n"
			 "1:"
			 : "+r"(nr), "+r"(p), "+r"(n)
			 : [exit] "i"(SYS_exit)
			 : "rcx", "r11", "memory");
	return nr;
}

static const uint64_t choices[] = {
	CLONE_VM,
	CLONE_FS,
	CLONE_FILES,
	CLONE_SIGHAND,
	CLONE_THREAD,
	CLONE_PARENT,
	CLONE_SYSVSEM,
	CLONE_CLEAR_SIGHAND,
	CLONE_IO,
	CLONE_VFORK,
	CLONE_PARENT_SETTID,
	CLONE_DETACHED,
	CLONE_CHILD_CLEARTID,
};
#define CHOICES (sizeof(choices) / sizeof(choices[0]))

static bool is_valid(uint64_t f, uint64_t signo)
{
	if (f & CLONE_DETACHED)
		return false;
	if ((f & CLONE_SIGHAND) && (f & CLONE_CLEAR_SIGHAND))
		return false;
	if ((f & (CLONE_THREAD | CLONE_PARENT)) && signo)
		return false;
	if ((f & CLONE_THREAD) && !(f & CLONE_SIGHAND))
		return false;
	return !(f & CLONE_SIGHAND) || (f & CLONE_VM);
}

static void try_flags(uint64_t flags, uint64_t signo)
{
	static volatile pid_t tid[2];
	struct args a = {
		.flags = flags,
		.exit_signal = signo,
		.parent_tid = (uint64_t)&tid[0],
		.child_tid = (uint64_t)&tid[1],
	};
	long pid;

	if (flags & CLONE_VM) {
		a.stack = (uint64_t)stack;
		a.stack_size = sizeof(stack);
	}
	tid[0] = tid[1] = -1;
	pid = clone3_and_exit(&a, sizeof(a));
	if (!is_valid(flags, signo)) {
		if (pid == -EINVAL)
			return;
		printf("not ok: flags %#lx, signal %lu: %ld\n", flags, signo, pid);
		exit(1);
	}
	if (pid <= 0) {
		printf("not ok: flags %#lx, signal %lu: %ld\n", flags, signo, pid);
		exit(1);
	}
	if (flags & CLONE_PARENT_SETTID)
		CHECK(tid[0] == pid);
	if (flags & CLONE_THREAD)
		while (kill((pid_t)pid, 0) == 0 || syscall(SYS_tkill, pid, 0) == 0)
			sched_yield();
	else if (!(flags & CLONE_PARENT))
		CHECK(wait_status((pid_t)pid) == 0);
}

/* In a child of its own, whose parent reaps those made with CLONE_PARENT. */
static void each_combination(void)
{
	CHILD(pid)
	{
		unsigned tried = 0;

		for (unsigned bits = 0; bits < 1U << CHOICES; bits++) {
			uint64_t flags = 0;

			for (unsigned i = 0; i < CHOICES; i++)
				if (bits & 1U << i)
					flags |= choices[i];
			for (uint64_t signo = 0; signo <= SIGCHLD; signo += SIGCHLD)
				/* Of the good ones, some, as each costs a process. */
				if (!is_valid(flags, signo) || tried++ % 29 == 0)
					try_flags(flags, signo);
		}
		_exit(0);
	}
	for (;;) {
		int status;
		pid_t got = waitpid(-1, &status, __WALL);

		CHECK(got > 0 || errno == EINTR);
		if (got == pid) {
			CHECK(status == 0);
			break;
		}
	}
	while (waitpid(-1, NULL, __WALL) > 0)
		;
}

static long clone_raw(unsigned long flags, void *sp, void *ptid, void *ctid,
		      unsigned long tls)
{
	long pid = syscall(SYS_clone, flags, sp, ptid, ctid, tls);

	if (pid == 0)
		_exit(0);
	return pid;
}

static void pidfds_and_where_they_are_stored(void)
{
	int fd = -1, tid = -1;
	struct args a = {.flags = CLONE_PIDFD | CLONE_PARENT_SETTID,
			 .exit_signal = SIGCHLD,
			 .pidfd = (uint64_t)&fd,
			 .parent_tid = (uint64_t)&fd};
	long pid;

	CHECK(clone3_and_exit(&a, sizeof(a)) == -EINVAL); /* one place for two */
	a.parent_tid = (uint64_t)&tid;
	pid = clone3_and_exit(&a, sizeof(a));
	CHECK(pid > 0 && tid == pid && fd >= 0 && close(fd) == 0);
	WAIT_EXIT((pid_t)pid, 0);
	FAILS(EINVAL,
	      clone_raw(CLONE_PIDFD | CLONE_PARENT_SETTID | SIGCHLD, NULL, &fd, NULL, 0));
	FAILS(EINVAL,
	      clone_raw(CLONE_PIDFD | CLONE_DETACHED | SIGCHLD, NULL, &fd, NULL, 0));
	FAILS(EFAULT, clone_raw(CLONE_PIDFD | SIGCHLD, NULL, BAD_PTR, NULL, 0));
	a.pidfd = (uint64_t)BAD_PTR;
	CHECK(clone3_and_exit(&a, sizeof(a)) == -EFAULT);
	FAILS(ECHILD, waitpid(-1, NULL, WNOHANG));
	/* What has no effect any more is no error to clone(2). */
	pid = clone_raw(CLONE_DETACHED | SIGCHLD, NULL, NULL, NULL, 0);
	CHECK(pid > 0);
	WAIT_EXIT((pid_t)pid, 0);
}

static void bad_structures(void)
{
	struct {
		struct args a;
		char more[64];
	} big = {.a = {.exit_signal = SIGCHLD}};
	struct args a = {.exit_signal = SIGCHLD};
	int tid = 0;

	CHECK(clone3_and_exit(&a, 63) == -EINVAL);
	CHECK(clone3_and_exit(&a, 0) == -EINVAL);
	CHECK(clone3_and_exit(&a, 4097) == -E2BIG);
	CHECK(clone3_and_exit(BAD_PTR, sizeof(a)) == -EFAULT);
	big.more[63] = 1;
	CHECK(clone3_and_exit(&big.a, sizeof(big)) == -E2BIG);
	a.exit_signal = 65;
	CHECK(clone3_and_exit(&a, sizeof(a)) == -EINVAL);
	a.exit_signal = 256 + SIGCHLD;
	CHECK(clone3_and_exit(&a, sizeof(a)) == -EINVAL);
	a = (struct args){.flags = 1ULL << 40};
	CHECK(clone3_and_exit(&a, sizeof(a)) == -EINVAL);
	a = (struct args){.flags = SIGCHLD};
	CHECK(clone3_and_exit(&a, sizeof(a)) == -EINVAL);
	a = (struct args){.stack = (uint64_t)stack};
	CHECK(clone3_and_exit(&a, sizeof(a)) == -EINVAL);
	a = (struct args){.stack_size = 4096};
	CHECK(clone3_and_exit(&a, sizeof(a)) == -EINVAL);
	a = (struct args){.stack = (uint64_t)KERNEL_PTR, .stack_size = 4096};
	CHECK(clone3_and_exit(&a, sizeof(a)) == -EINVAL);
	a = (struct args){.flags = CLONE_SETTLS, .tls = (uint64_t)KERNEL_PTR};
	CHECK(clone3_and_exit(&a, sizeof(a)) == -EPERM);
	a = (struct args){.set_tid = (uint64_t)&tid};
	CHECK(clone3_and_exit(&a, sizeof(a)) == -EINVAL);
	a = (struct args){.set_tid_size = 1};
	CHECK(clone3_and_exit(&a, sizeof(a)) == -EINVAL);
	a = (struct args){.set_tid = (uint64_t)&tid, .set_tid_size = 33};
	CHECK(clone3_and_exit(&a, sizeof(a)) == -EINVAL);
	a = (struct args){.set_tid = (uint64_t)BAD_PTR, .set_tid_size = 1};
	CHECK(clone3_and_exit(&a, sizeof(a)) == -EFAULT);
	a = (struct args){.flags = CLONE_INTO_CGROUP, .cgroup = 1UL << 31};
	CHECK(clone3_and_exit(&a, sizeof(a)) == -EINVAL);
	a = (struct args){.flags = CLONE_INTO_CGROUP, .cgroup = 0x7fffffff};
	CHECK(clone3_and_exit(&a, sizeof(a)) == -EBADF);
	CHECK(clone3_and_exit(&a, 80) == -EINVAL);
	FAILS(ECHILD, waitpid(-1, NULL, WNOHANG));
}

static bool may_choose_ids(void)
{
	return has_cap(CAP_SYS_ADMIN) || has_cap(CAP_CHECKPOINT_RESTORE);
}

/* Also when their leaders have ended. */
static void ids_of_groups_and_sessions_are_taken(void)
{
	for (int is_session = 0; is_session < 2; is_session++) {
		pid_t id, child = 0;
		struct args a = {.exit_signal = SIGCHLD,
				 .set_tid = (uint64_t)&id,
				 .set_tid_size = 1};
		int ends[2];

		CHECK(pipe(ends) == 0);
		CHILD(leader)
		{
			CHECK(is_session ? setsid() == getpid() : setpgid(0, 0) == 0);
			child = fork();
			if (child == 0) {
				pause();
				_exit(0);
			}
			CHECK(!is_session || setpgid(child, 0) == 0);
			CHECK(write(ends[1], &child, sizeof(child)) == sizeof(child));
			_exit(0);
		}
		WAIT_EXIT(leader, 0);
		CHECK(read(ends[0], &child, sizeof(child)) == sizeof(child));
		id = leader;
		CHECK(clone3_and_exit(&a, sizeof(a)) == -EEXIST);
		CHECK(kill(child, SIGKILL) == 0);
		close(ends[0]);
		close(ends[1]);
	}
}

static void ids_can_be_chosen(void)
{
	pid_t id = 0;
	struct args a = {
		.exit_signal = SIGCHLD, .set_tid = (uint64_t)&id, .set_tid_size = 1};
	long pid;

	CHECK(clone3_and_exit(&a, sizeof(a)) == -EINVAL);
	id = -1;
	CHECK(clone3_and_exit(&a, sizeof(a)) == -EINVAL);
	id = 1 << 22;
	CHECK(clone3_and_exit(&a, sizeof(a)) == -EINVAL);
	CHILD(gone)
	_exit(0);
	WAIT_EXIT(gone, 0);
	id = gone;
	if (!may_choose_ids()) {
		CHECK(clone3_and_exit(&a, sizeof(a)) == -EPERM);
		a.flags = CLONE_SIGHAND; /* the flags come first */
		CHECK(clone3_and_exit(&a, sizeof(a)) == -EINVAL);
		return;
	}
	pid = clone3_and_exit(&a, sizeof(a));
	CHECK(pid == gone || pid == -EEXIST); /* it may have been given out again */
	if (pid == gone) {
		CHECK(clone3_and_exit(&a, sizeof(a)) == -EEXIST); /* a zombie has it */
		WAIT_EXIT(gone, 0);
	}
	id = getpid();
	CHECK(clone3_and_exit(&a, sizeof(a)) == -EEXIST);
	ids_of_groups_and_sessions_are_taken();
}

static volatile int got;

static void note(int sig)
{
	got = sig;
}

static void signals_to_the_parent(void)
{
	static const int signals[] = {0, SIGUSR1, SIGCHLD, 40};

	for (size_t i = 0; i < 4; i++) {
		int sig = signals[i], status;
		pid_t pid;

		if (sig)
			handle(sig, note, 0);
		got = 0;
		pid = (pid_t)clone_raw((unsigned long)sig, NULL, NULL, NULL, 0);
		CHECK(pid > 0);
		if (sig != SIGCHLD) /* it is no common child */
			FAILS(ECHILD, waitpid(pid, &status, 0));
		for (;;) {
			pid_t r =
				waitpid(pid, &status, sig == SIGCHLD ? 0 : (int)__WCLONE);

			if (r == pid)
				break;
			CHECK(r == -1 && errno == EINTR);
		}
		CHECK(status == 0 && got == sig);
		if (sig)
			handle(sig, SIG_DFL, 0);
	}
	/* Numbers that are no signals send none. */
	for (unsigned long sig = 65; sig < 256; sig += 45) {
		pid_t pid = (pid_t)clone_raw(sig, NULL, NULL, NULL, 0);

		CHECK(pid > 0 && wait_status(pid) == 0);
	}
}

static volatile int heard;

static void hear(int sig)
{
	heard = sig;
}

static void handlers_can_be_cleared(void)
{
	struct args a = {.flags = CLONE_CLEAR_SIGHAND, .exit_signal = SIGCHLD};
	long pid;

	handle(SIGUSR1, hear, 0);
	handle(SIGUSR2, SIG_IGN, 0);
	pid = syscall(SYS_clone3, &a, sizeof(a));
	CHECK(pid >= 0);
	if (pid == 0) {
		struct sigaction one, two;

		sigaction(SIGUSR1, NULL, &one);
		sigaction(SIGUSR2, NULL, &two);
		_exit(one.sa_handler == SIG_DFL && two.sa_handler == SIG_IGN ? 0 : 1);
	}
	WAIT_EXIT((pid_t)pid, 0);
	handle(SIGUSR1, SIG_DFL, 0);
	handle(SIGUSR2, SIG_DFL, 0);
}

/* The word to be cleared may be gone, or read-only, when the task ends. */
static int end_with_word(void *arg)
{
	(void)arg;
	return 0;
}

static void the_word_to_clear_may_be_anywhere(void)
{
	int *read_only = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	void *words[] = {BAD_PTR, KERNEL_PTR, read_only, (char *)stack + 1};

	CHECK(read_only != MAP_FAILED);
	for (size_t i = 0; i < 4; i++) {
		pid_t pid = clone(end_with_word, stack + sizeof(stack),
				  CLONE_VM | CLONE_CHILD_CLEARTID | SIGCHLD, NULL, NULL,
				  NULL, words[i]);

		CHECK(pid > 0);
		WAIT_EXIT(pid, 0);
	}
	CHECK(*read_only == 0 && munmap(read_only, 4096) == 0);
}

static int change_memory(void *arg)
{
	*(volatile int *)arg = getpid();
	return 0;
}

static void memory_may_be_shared_by_processes(void)
{
	volatile int word = 0;
	pid_t pid = clone(change_memory, stack + sizeof(stack), CLONE_VM | SIGCHLD,
			  (void *)&word);

	CHECK(pid > 0);
	WAIT_EXIT(pid, 0);
	CHECK(word == pid);
}

static void what_cannot_be_unshared(void)
{
	FAILS(EINVAL, unshare(CLONE_PARENT));
	FAILS(EINVAL, unshare(CLONE_IO));
	FAILS(EINVAL, unshare(CLONE_VFORK));
	FAILS(EINVAL, unshare(CLONE_SETTLS));
	FAILS(EINVAL, unshare(CLONE_PIDFD));
	FAILS(EINVAL, unshare(SIGCHLD));
	CHECK(unshare(0) == 0);
	CHECK(unshare(CLONE_FS | CLONE_FILES | CLONE_SYSVSEM) == 0);
	CHECK(unshare(CLONE_THREAD) == 0 && unshare(CLONE_SIGHAND) == 0);
	CHECK(unshare(CLONE_VM) == 0); /* nobody shares it */
}

static void *unshare_in_company(void *arg)
{
	(void)arg;
	FAILS(EINVAL, unshare(CLONE_THREAD));
	FAILS(EINVAL, unshare(CLONE_SIGHAND));
	FAILS(EINVAL, unshare(CLONE_VM));
	CHECK(unshare(CLONE_FS | CLONE_FILES) == 0);
	return NULL;
}

static void threads_cannot_be_parted(void)
{
	pthread_t t;

	thread_start(&t, unshare_in_company, NULL);
	thread_join(t);
}

RUN(TEST(each_combination), TEST(pidfds_and_where_they_are_stored), TEST(bad_structures),
    TEST(ids_can_be_chosen), TEST(signals_to_the_parent), TEST(handlers_can_be_cleared),
    TEST(the_word_to_clear_may_be_anywhere), TEST(memory_may_be_shared_by_processes),
    TEST(what_cannot_be_unshared), TEST(threads_cannot_be_parted))
