/* SPDX-License-Identifier: MIT */
/* user_dispatch.c - PR_SET_SYSCALL_USER_DISPATCH: calls from outside of a range go to the
 * program's own handler. */
/* calls: prctl */
#include "proc.h"

#include <linux/audit.h>
#include <sys/prctl.h>
#include <ucontext.h>

#ifndef PR_SET_SYSCALL_USER_DISPATCH
#define PR_SET_SYSCALL_USER_DISPATCH 59
#endif
enum { OFF, ON };
enum { ALLOW, BLOCK };
#define MISSING 0xf00d /* a number that no call has */

static long dispatch(unsigned long mode, uintptr_t start, unsigned long size,
		     volatile void *selector)
{
	return syscall(SYS_prctl, PR_SET_SYSCALL_USER_DISPATCH, mode, start, size,
		       selector);
}

static volatile unsigned char selector;

static void what_makes_no_sense_is_refused(void)
{
	FAILS(EINVAL, dispatch(100, 0, 0, NULL));
	FAILS(EINVAL, dispatch(-1UL, 0, 0, NULL));
	FAILS(EINVAL, dispatch(OFF, 1, 0, NULL));
	FAILS(EINVAL, dispatch(OFF, 0, 1, NULL));
	FAILS(EINVAL, dispatch(OFF, 0, 0, &selector));
	FAILS(EINVAL, dispatch(ON, 1, 0, &selector));
	FAILS(EINVAL, dispatch(ON, 5, -5UL, &selector));
	FAILS(EFAULT, dispatch(ON, 0, 1, KERNEL_PTR));
	CHECK(dispatch(OFF, 0, 0, NULL) == 0);
	/* where the selector can be, but is not, is found out later */
	CHILD(pid)
	{
		CHECK(dispatch(ON, 0, 1, BAD_PTR) == 0);
		_exit(0);
	}
	WAIT_SIGNAL(pid, SIGSEGV);
}

/* Two sites; both can be patched by whoever patches such. */
extern char here_return[], there_return[];

static __attribute__((noinline)) long call_here(long nr, long arg)
{
	long ret;

	__asm__ volatile("syscall\n"
			 ".globl here_return\n"
			 "here_return: mov %%rax, %0"
			 : "=r"(ret)
			 : "a"(nr), "D"(arg)
			 : "rcx", "r11", "memory");
	return ret;
}

static __attribute__((noinline)) long getppid_there(void)
{
	long ret;

	__asm__ volatile("mov %1, %%eax\n"
			 "syscall\n"
			 ".globl there_return\n"
			 "there_return:"
			 : "=&a"(ret)
			 : "i"(SYS_getppid)
			 : "rcx", "r11", "memory");
	return ret;
}

static volatile int handled;
static siginfo_t info;
static greg_t rip, rax;

static void on_sigsys(int sig, siginfo_t *si, void *context)
{
	ucontext_t *uc = context;

	(void)sig;
	selector = ALLOW; /* for the handler's own return */
	handled++;
	info = *si;
	rip = uc->uc_mcontext.gregs[REG_RIP];
	rax = uc->uc_mcontext.gregs[REG_RAX];
	uc->uc_mcontext.gregs[REG_RAX] = 4711;
}

static void handle_sigsys(void)
{
	struct sigaction sa = {.sa_sigaction = on_sigsys, .sa_flags = SA_SIGINFO};

	CHECK(sigaction(SIGSYS, &sa, NULL) == 0);
	handled = 0;
}

static void expect(long nr, const char *from, int count)
{
	CHECK(handled == count && selector == ALLOW);
	CHECK(info.si_code == 2 /* SYS_USER_DISPATCH */ && info.si_errno == 0);
	CHECK(info.si_syscall == nr && info.si_arch == AUDIT_ARCH_X86_64);
	CHECK(info.si_call_addr == (const void *)from);
	CHECK(rip == (greg_t)(uintptr_t)from && rax == nr);
}

static void the_selector_decides(void)
{
	CHILD(pid)
	{
		handle_sigsys();
		CHECK(call_here(SYS_getpid, 0) == getpid());
		selector = ALLOW;
		CHECK(dispatch(ON, 0, 0, &selector) == 0);
		for (int i = 1; i <= 10; i++) {
			CHECK(call_here(SYS_getpid, 0) == getpid());
			CHECK(handled == i - 1);
			selector = BLOCK;
			CHECK(call_here(MISSING, 0) == 4711);
			expect(MISSING, here_return, i);
		}
		for (int i = 1; i <= 10; i++) {
			selector = BLOCK;
			CHECK(getppid_there() == 4711);
			expect(SYS_getppid, there_return, 10 + i);
		}
		selector = BLOCK;
		CHECK(getppid() == 4711);
		CHECK(handled == 21);
		selector = ALLOW;
		CHECK(dispatch(OFF, 0, 0, NULL) == 0);
		selector = BLOCK;
		CHECK(getppid() > 0 && handled == 21);
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
}

static void a_range_is_free(void)
{
	CHILD(pid)
	{
		pid_t me = getpid();

		handle_sigsys();
		for (int i = 0; i < 5; i++)
			CHECK(call_here(SYS_getpid, 0) == me && getppid_there() > 0);
		/* the address behind the instruction counts */
		CHECK(dispatch(ON, (uintptr_t)here_return, 1, &selector) == 0);
		for (int i = 1; i <= 5; i++) {
			selector = BLOCK;
			CHECK(call_here(SYS_getpid, 0) == me && handled == i - 1);
			CHECK(getppid_there() == 4711);
			expect(SYS_getppid, there_return, i);
		}
		CHECK(dispatch(ON, (uintptr_t)there_return, 1, &selector) == 0);
		for (int i = 1; i <= 5; i++) {
			selector = BLOCK;
			CHECK(getppid_there() > 0 && getppid_there() != 4711);
			CHECK(call_here(SYS_getpid, 0) == 4711);
			expect(SYS_getpid, here_return, 5 + i);
		}
		CHECK(dispatch(ON, (uintptr_t)here_return - 2, 2, &selector) == 0);
		selector = BLOCK;
		CHECK(call_here(SYS_getpid, 0) == 4711);
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
}

static void no_selector_is_always(void)
{
	CHILD(pid)
	{
		handle_sigsys();
		/* all but the one site */
		CHECK(dispatch(ON, (uintptr_t)here_return, 1, NULL) == 0);
		if (call_here(SYS_getpid, 0) <= 0)
			call_here(SYS_exit_group, 1);
		(void)getppid_there(); /* the handler's return does not work */
		call_here(SYS_exit_group, 2);
	}
	WAIT_SIGNAL(pid, SIGSYS);
}

static void other_selectors_kill(void)
{
	CHILD(pid)
	{
		handle_sigsys();
		CHECK(dispatch(ON, 0, 0, &selector) == 0);
		selector = 2;
		getppid_there();
		selector = ALLOW;
		_exit(1);
	}
	WAIT_SIGNAL(pid, SIGSYS);
	CHILD(unmapped)
	{
		unsigned char *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
					MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		signal(SIGSEGV, SIG_IGN);
		CHECK(p != MAP_FAILED && dispatch(ON, 0, 0, p) == 0);
		CHECK(munmap(p, 4096) == 0);
		getppid_there();
		_exit(1);
	}
	WAIT_SIGNAL(unmapped, SIGSEGV);
	CHILD(ignored)
	{
		signal(SIGSYS, SIG_IGN);
		CHECK(dispatch(ON, 0, 0, &selector) == 0);
		selector = BLOCK;
		getppid_there();
		selector = ALLOW;
		_exit(1);
	}
	WAIT_SIGNAL(ignored, SIGSYS);
}

static void *call_in_thread(void *arg)
{
	(void)arg;
	selector = BLOCK;
	for (int i = 0; i < 3; i++)
		if (getppid_there() <= 0)
			return NULL;
	selector = ALLOW;
	return (void *)1;
}

static char self[PATH_MAX];

static void nobody_inherits(void)
{
	CHECK(readlink("/proc/self/exe", self, sizeof(self) - 1) > 0);
	CHILD(pid)
	{
		pthread_t thread;
		void *ret = NULL;

		handle_sigsys();
		selector = ALLOW;
		CHECK(dispatch(ON, 0, 0, &selector) == 0);
		CHILD(inner)
		{
			selector = BLOCK;
			CHECK(getppid_there() > 0 && getppid() > 0);
			_exit(handled);
		}
		WAIT_EXIT(inner, 0);
		CHECK(pthread_create(&thread, NULL, call_in_thread, NULL) == 0);
		CHECK(pthread_join(thread, &ret) == 0 && ret);
		selector = BLOCK;
		CHECK(getppid_there() == 4711);
		/* which this call leaves alone */
		execl(self, self, "free", NULL);
		_exit(1);
	}
	WAIT_EXIT(pid, 0);
}

static const struct test all[] = {
	TEST(what_makes_no_sense_is_refused),
	TEST(the_selector_decides),
	TEST(a_range_is_free),
	TEST(no_selector_is_always),
	TEST(other_selectors_kill),
	TEST(nobody_inherits),
};

int main(int argc, char **argv)
{
	(void)argv;
	if (argc > 1)
		return getppid_there() > 0 && getppid() > 0 ? 0 : 1;
	return test_main(all, sizeof(all) / sizeof(all[0]));
}
