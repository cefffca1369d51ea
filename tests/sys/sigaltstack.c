/* SPDX-License-Identifier: MIT */
/* sigaltstack.c - handlers on a stack of their own. */
#include "proc.h"
#include <setjmp.h>
#include <sys/auxv.h>

#ifndef SS_AUTODISARM
#define SS_AUTODISARM (1u << 31)
#endif
enum { SIZE = 65536 };

static char *area;
static volatile uintptr_t seen_sp;
static volatile int seen_flags;
static volatile int change_errno;
static volatile int depth;

static void look(int sig)
{
	char here;
	stack_t ss;
	stack_t other = {.ss_flags = SS_DISABLE};

	(void)sig;
	seen_sp = (uintptr_t)&here;
	CHECK(sigaltstack(NULL, &ss) == 0);
	seen_flags = ss.ss_flags;
	change_errno = sigaltstack(&other, NULL) == 0 ? 0 : errno;
}

static bool in_area(uintptr_t sp)
{
	return sp >= (uintptr_t)area && sp < (uintptr_t)area + SIZE;
}

static void set(int flags)
{
	stack_t ss = {.ss_sp = area, .ss_size = SIZE, .ss_flags = flags};

	CHECK(sigaltstack(&ss, NULL) == 0);
}

static void unset(void)
{
	stack_t ss = {.ss_flags = SS_DISABLE};

	CHECK(sigaltstack(&ss, NULL) == 0);
}

static void it_is_returned_as_set(void)
{
	stack_t ss;

	CHECK(sigaltstack(NULL, &ss) == 0 && ss.ss_flags == SS_DISABLE);
	set(0);
	CHECK(sigaltstack(NULL, &ss) == 0);
	CHECK(ss.ss_sp == area && ss.ss_size == SIZE && ss.ss_flags == 0);
	unset();
	CHECK(sigaltstack(NULL, &ss) == 0 && ss.ss_flags == SS_DISABLE);
}

static void handlers_use_it_when_asked(void)
{
	set(0);
	handle(SIGUSR1, look, SA_ONSTACK);
	CHECK(raise(SIGUSR1) == 0);
	CHECK(in_area(seen_sp) && seen_flags == SS_ONSTACK && change_errno == EPERM);
	handle(SIGUSR1, look, 0);
	CHECK(raise(SIGUSR1) == 0);
	CHECK(!in_area(seen_sp) && seen_flags == 0 && change_errno == 0);
	handle(SIGUSR1, look, SA_ONSTACK); /* its return has put the stack back */
	CHECK(raise(SIGUSR1) == 0 && in_area(seen_sp));
	unset();
}

static void nest(int sig)
{
	char here;

	(void)sig;
	CHECK(in_area((uintptr_t)&here));
	CHECK(!depth || (uintptr_t)&here < seen_sp); /* deeper in the same stack */
	seen_sp = (uintptr_t)&here;
	if (++depth < 3)
		raise(SIGUSR1);
}

static void nested_handlers_go_on_in_it(void)
{
	depth = 0;
	set(0);
	handle(SIGUSR1, nest, SA_ONSTACK | SA_NODEFER);
	CHECK(raise(SIGUSR1) == 0 && depth == 3);
	unset();
}

static void autodisarm_disables_it_inside(void)
{
	stack_t ss;

	set((int)SS_AUTODISARM);
	CHECK(sigaltstack(NULL, &ss) == 0 && ss.ss_flags == (int)SS_AUTODISARM);
	handle(SIGUSR1, look, SA_ONSTACK);
	CHECK(raise(SIGUSR1) == 0);
	CHECK(in_area(seen_sp) && seen_flags == SS_DISABLE && change_errno == 0);
	CHECK(sigaltstack(NULL, &ss) == 0); /* put back by the return */
	CHECK(ss.ss_sp == area && ss.ss_flags == (int)SS_AUTODISARM);
	unset();
}

static sigjmp_buf back;

static void jump(int sig)
{
	(void)sig;
	siglongjmp(back, 1);
}

static void jumping_off_leaves_it_usable(void)
{
	stack_t ss;

	set(0);
	handle(SIGUSR1, jump, SA_ONSTACK);
	for (volatile int i = 0; i < 100; i++)
		if (sigsetjmp(back, 1) == 0)
			raise(SIGUSR1);
	CHECK(sigaltstack(NULL, &ss) == 0 && ss.ss_flags == 0);
	unset();
}

static void refusals(void)
{
	stack_t ss = {.ss_sp = area, .ss_size = 2047};

	FAILS(ENOMEM, sigaltstack(&ss, NULL));
	ss.ss_size = 0;
	FAILS(ENOMEM, sigaltstack(&ss, NULL));
	ss.ss_size = SIZE;
	ss.ss_flags = 0x40;
	FAILS(EINVAL, sigaltstack(&ss, NULL));
	ss.ss_flags = SS_DISABLE | SS_ONSTACK;
	FAILS(EINVAL, sigaltstack(&ss, NULL));
	ss.ss_flags = SS_ONSTACK; /* taken as 0, for old programs */
	CHECK(sigaltstack(&ss, NULL) == 0);
	FAILS(EFAULT, syscall(SYS_sigaltstack, BAD_PTR, NULL));
	FAILS(EFAULT, syscall(SYS_sigaltstack, NULL, KERNEL_PTR));
	unset();
}

static void fork_inherits_it(void)
{
	set(0);
	CHILD(pid)
	{
		handle(SIGUSR1, look, SA_ONSTACK);
		raise(SIGUSR1);
		_exit(in_area(seen_sp) ? 4 : 1);
	}
	WAIT_EXIT(pid, 4);
	pid_t child = vfork();
	if (child == 0)
		_exit(0);
	WAIT_EXIT(child, 0);
	unset();
}

static void *check_none(void *arg)
{
	stack_t ss;

	CHECK(sigaltstack(NULL, &ss) == 0 && ss.ss_flags == SS_DISABLE);
	return arg;
}

static void threads_start_without_one(void)
{
	pthread_t t;

	set(0);
	thread_start(&t, check_none, NULL);
	thread_join(t);
	unset();
}

static void a_stack_too_small_for_the_frame_kills(void)
{
	size_t need = getauxval(AT_MINSIGSTKSZ);

	if (need <= 2048)
		return;
	CHILD(pid)
	{
		stack_t ss = {.ss_sp = area + 4096, .ss_size = 2048};

		if (sigaltstack(&ss, NULL) == -1)
			_exit(0); /* refused from the start is right as well */
		handle(SIGUSR1, look, SA_ONSTACK);
		raise(SIGUSR1);
		_exit(1);
	}
	int status = wait_status(pid);
	CHECK(status == 0 || WTERMSIG(status) == SIGSEGV);
}

static const struct test all[] = {
	TEST(it_is_returned_as_set),
	TEST(handlers_use_it_when_asked),
	TEST(nested_handlers_go_on_in_it),
	TEST(autodisarm_disables_it_inside),
	TEST(jumping_off_leaves_it_usable),
	TEST(refusals),
	TEST(fork_inherits_it),
	TEST(threads_start_without_one),
	TEST(a_stack_too_small_for_the_frame_kills),
};

int main(void)
{
	area = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		    0);
	CHECK(area != MAP_FAILED);
	return test_main(all, sizeof(all) / sizeof(all[0]));
}
