/* SPDX-License-Identifier: MIT */
/* seccomp.c - modes, what may be asked for, and what each answer of a filter does. */
#include "seccomp.h"

#include <ucontext.h>

/* ---- what may be asked for ---- */

static void what_does_not_exist_is_refused(void)
{
	struct sock_filter allow[] = {RETURN(SECCOMP_RET_ALLOW)};

	FAILS(EINVAL, seccomp(4, 0, NULL));
	FAILS(EINVAL, seccomp(~0U, 0, NULL));
	FAILS(EINVAL, seccomp(SECCOMP_SET_MODE_STRICT, 1, NULL));
	FAILS(EINVAL, seccomp(SECCOMP_SET_MODE_STRICT, 0, &allow));
	CHILD(pid)
	{
		no_new_privs();
		FAILS(EINVAL, install(PROGRAM(allow), 1UL << 10));
		FAILS(EINVAL,
		      install(PROGRAM(allow), SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV));
		FAILS(EINVAL,
		      install(PROGRAM(allow), SECCOMP_FILTER_FLAG_TSYNC |
						      SECCOMP_FILTER_FLAG_NEW_LISTENER));
		FAILS(EFAULT, install(NULL, 0));
		FAILS(EFAULT, install(BAD_PTR, 0));
		FAILS(EFAULT, install(KERNEL_PTR, 0));
		FAILS(EINVAL, install(&(struct sock_fprog){0, allow}, 0));
		FAILS(EINVAL, install(&(struct sock_fprog){BPF_MAXINSNS + 1, allow}, 0));
		FAILS(EINVAL, install(&(struct sock_fprog){1, NULL}, 0));
		FAILS(EFAULT, install(&(struct sock_fprog){1, BAD_PTR}, 0));
		FAILS(EFAULT, install(&(struct sock_fprog){1, KERNEL_PTR}, 0));
		CHECK(status_field("self", "Seccomp") == 0);
		CHECK(status_field("self", "Seccomp_filters") == 0);
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
}

static void actions_are_there(void)
{
	static const uint32_t known[] = {
		SECCOMP_RET_KILL_PROCESS, SECCOMP_RET_KILL_THREAD, SECCOMP_RET_TRAP,
		SECCOMP_RET_ERRNO,	  SECCOMP_RET_USER_NOTIF,  SECCOMP_RET_TRACE,
		SECCOMP_RET_LOG,	  SECCOMP_RET_ALLOW,
	};
	static const uint32_t unknown[] = {1, 0x10000, 0x30001, 0x7fffffff, 0xffffffff};
	struct seccomp_notif_sizes sizes;

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		CHECK(seccomp(SECCOMP_GET_ACTION_AVAIL, 0, &known[i]) == 0);
	for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++)
		FAILS(EOPNOTSUPP, seccomp(SECCOMP_GET_ACTION_AVAIL, 0, &unknown[i]));
	FAILS(EINVAL, seccomp(SECCOMP_GET_ACTION_AVAIL, 1, &known[0]));
	FAILS(EFAULT, seccomp(SECCOMP_GET_ACTION_AVAIL, 0, BAD_PTR));
	CHECK(seccomp(SECCOMP_GET_NOTIF_SIZES, 0, &sizes) == 0);
	CHECK(sizes.seccomp_notif == sizeof(struct seccomp_notif));
	CHECK(sizes.seccomp_notif_resp == sizeof(struct seccomp_notif_resp));
	CHECK(sizes.seccomp_data == sizeof(struct seccomp_data));
	FAILS(EINVAL, seccomp(SECCOMP_GET_NOTIF_SIZES, 1, &sizes));
	FAILS(EFAULT, seccomp(SECCOMP_GET_NOTIF_SIZES, 0, BAD_PTR));
}

static void filters_need_a_right_or_a_promise(void)
{
	struct sock_filter allow[] = {RETURN(SECCOMP_RET_ALLOW)};
	struct sock_filter bad[] = {BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0)};

	CHILD(pid)
	{
		if (geteuid() == 0)
			CHECK(setresuid(65534, 65534, 65534) == 0);
		FAILS(EACCES, install(PROGRAM(allow), 0));
		FAILS(EACCES, install(PROGRAM(bad), 0));
		FAILS(EACCES, install(&(struct sock_fprog){1, BAD_PTR}, 0));
		FAILS(EINVAL, install(&(struct sock_fprog){0, allow}, 0));
		FAILS(EFAULT, install(BAD_PTR, 0));
		FAILS(EACCES, prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, PROGRAM(allow)));
		no_new_privs();
		FAILS(EINVAL, install(PROGRAM(bad), 0));
		CHECK(install(PROGRAM(allow), 0) == 0);
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
}

static void root_needs_no_promise(void)
{
	struct sock_filter allow[] = {RETURN(SECCOMP_RET_ALLOW)};

	if (geteuid() != 0)
		return;
	CHILD(pid)
	{
		CHECK(install(PROGRAM(allow), 0) == 0);
		CHECK(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0);
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
}

/* ---- strict mode ---- */

static void strict_mode_leaves_four_calls(void)
{
	int fds[2];
	char c;

	CHECK(pipe(fds) == 0);
	CHILD(pid)
	{
		CHECK(prctl(PR_GET_SECCOMP) == 0);
		CHECK(seccomp(SECCOMP_SET_MODE_STRICT, 0, NULL) == 0);
		if (write(fds[1], "w", 1) != 1 || read(fds[0], &c, 1) != 1)
			syscall(SYS_exit, 1);
		syscall(SYS_exit, 5);
	}
	WAIT_EXIT(pid, 5);
	CHILD(killed)
	{
		CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT, BAD_PTR, 1, 2) == 0);
		syscall(SYS_getpid);
		syscall(SYS_exit, 1);
	}
	WAIT_SIGNAL(killed, SIGKILL);
	CHILD(group)
	{
		CHECK(seccomp(SECCOMP_SET_MODE_STRICT, 0, NULL) == 0);
		_exit(0); /* exit_group */
	}
	WAIT_SIGNAL(group, SIGKILL);
	CHILD(unknown)
	{
		CHECK(seccomp(SECCOMP_SET_MODE_STRICT, 0, NULL) == 0);
		syscall(100000);
		syscall(SYS_exit, 1);
	}
	WAIT_SIGNAL(unknown, SIGKILL);
	close(fds[0]);
	close(fds[1]);
}

static void on_usr1(int sig)
{
	(void)sig;
}

static void strict_mode_lets_handlers_return(void)
{
	int to[2];
	int from[2];
	char c;

	CHECK(pipe(to) == 0 && pipe(from) == 0);
	CHILD(pid)
	{
		struct sigaction sa = {.sa_handler = on_usr1};

		CHECK(sigaction(SIGUSR1, &sa, NULL) == 0);
		CHECK(seccomp(SECCOMP_SET_MODE_STRICT, 0, NULL) == 0);
		syscall(SYS_write, from[1], "x", 1);
		/* interrupted by the parent's signals, perhaps */
		syscall(SYS_read, to[0], &c, 1);
		syscall(SYS_read, to[0], &c, 1);
		syscall(SYS_exit, 3);
	}
	CHECK(read(from[0], &c, 1) == 1);
	CHECK(kill(pid, SIGUSR1) == 0);
	sleep_ms(20);
	CHECK(kill(pid, SIGUSR1) == 0);
	CHECK(write(to[1], "yz", 2) == 2);
	WAIT_EXIT(pid, 3);
	close(to[0]);
	close(to[1]);
	close(from[0]);
	close(from[1]);
}

static void *strict_thread(void *arg)
{
	(void)arg;
	CHECK(seccomp(SECCOMP_SET_MODE_STRICT, 0, NULL) == 0);
	syscall(SYS_getpid);
	return NULL;
}

static void strict_mode_kills_one_thread(void)
{
	CHILD(pid)
	{
		pthread_t thread;

		CHECK(pthread_create(&thread, NULL, strict_thread, NULL) == 0);
		pthread_join(thread, NULL);
		CHECK(prctl(PR_GET_SECCOMP) == 0);
		_exit(4);
	}
	WAIT_EXIT(pid, 4);
}

static void modes_do_not_mix(void)
{
	CHILD(pid)
	{
		CHECK(filter_call(SYS_getppid, SECCOMP_RET_ERRNO | 1, 0) == 0);
		CHECK(prctl(PR_GET_SECCOMP) == SECCOMP_MODE_FILTER);
		FAILS(EINVAL, seccomp(SECCOMP_SET_MODE_STRICT, 0, NULL));
		FAILS(EINVAL, prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT));
		FAILS(EINVAL, prctl(PR_SET_SECCOMP, 0));
		FAILS(EINVAL, prctl(PR_SET_SECCOMP, 3, NULL));
		FAILS(EFAULT, prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, NULL));
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
}

/* ---- answers ---- */

static long errno_of(uint32_t data)
{
	CHILD(pid)
	{
		long ret;

		CHECK(filter_call(SYS_getppid, SECCOMP_RET_ERRNO | data, 0) == 0);
		errno = 0;
		ret = syscall(SYS_getppid);
		if (data == 0)
			CHECK(ret == 0 && errno == 0);
		else
			CHECK(ret == -1 && errno == (data > 4095 ? 4095 : (int)data));
		_exit(0);
	}
	return wait_status(pid);
}

static void errno_is_any_up_to_4095(void)
{
	CHECK(errno_of(0) == 0);
	CHECK(errno_of(1) == 0);
	CHECK(errno_of(ENOSYS) == 0);
	CHECK(errno_of(4095) == 0);
	CHECK(errno_of(4096) == 0);
	CHECK(errno_of(0xffff) == 0);
}

static int status_after(uint32_t action)
{
	CHILD(pid)
	{
		CHECK(filter_call(SYS_getppid, action, 0) == 0);
		syscall(SYS_getppid);
		_exit(0);
	}
	return wait_status(pid) & ~0x80;
}

static void kill_is_by_sigsys(void)
{
	CHECK(status_after(SECCOMP_RET_KILL_PROCESS) == SIGSYS);
	CHECK(status_after(SECCOMP_RET_KILL_THREAD) == SIGSYS);
	CHECK(status_after(SECCOMP_RET_KILL_PROCESS | 0xffff) == SIGSYS);
	/* what is no action */
	CHECK(status_after(0x00010000) == SIGSYS);
	CHECK(status_after(0x7ffd0000) == SIGSYS);
	CHECK(status_after(0xffff0000) == SIGSYS);
	CHECK(status_after(SECCOMP_RET_LOG) == 0);
	CHECK(status_after(SECCOMP_RET_ALLOW | 1) == 0);
}

static volatile int handled;

static void count_sigsys(int sig)
{
	(void)sig;
	handled++;
}

static void kill_is_no_signal_to_handle(void)
{
	CHILD(pid)
	{
		sigset_t set;

		signal(SIGSYS, count_sigsys);
		sigemptyset(&set);
		sigaddset(&set, SIGSYS);
		sigprocmask(SIG_BLOCK, &set, NULL);
		CHECK(filter_call(SYS_getppid, SECCOMP_RET_KILL_PROCESS, 0) == 0);
		syscall(SYS_getppid);
		_exit(0);
	}
	WAIT_SIGNAL(pid, SIGSYS);
}

static void *call_getppid(void *arg)
{
	(void)arg;
	syscall(SYS_getppid);
	return (void *)1;
}

static int status_with_thread(uint32_t action)
{
	CHILD(pid)
	{
		pthread_t thread;
		void *ret = NULL;

		CHECK(filter_call(SYS_getppid, action, 0) == 0);
		CHECK(pthread_create(&thread, NULL, call_getppid, NULL) == 0);
		pthread_join(thread, &ret);
		_exit(ret ? 1 : 42);
	}
	return wait_status(pid) & ~0x80;
}

static void kill_is_of_a_thread_or_all(void)
{
	CHECK(status_with_thread(SECCOMP_RET_KILL_THREAD) == 42 << 8);
	CHECK(status_with_thread(SECCOMP_RET_KILL_PROCESS) == SIGSYS);
}

/* A call whose return address is known. */
extern char trap_return[];
static long call_with_six(long nr, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long ret;

	__asm__ volatile("syscall\n"
			 ".globl trap_return\n"
			 "trap_return:"
			 : "=a"(ret)
			 : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return ret;
}

static siginfo_t trap_info;
static greg_t trap_rip, trap_rax, trap_rdi;

static void on_trap(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	(void)sig;
	handled++;
	trap_info = *info;
	trap_rip = uc->uc_mcontext.gregs[REG_RIP];
	trap_rax = uc->uc_mcontext.gregs[REG_RAX];
	trap_rdi = uc->uc_mcontext.gregs[REG_RDI];
	uc->uc_mcontext.gregs[REG_RAX] = 4711;
}

static void trap_tells_of_the_call(void)
{
	CHILD(pid)
	{
		struct sigaction sa = {.sa_sigaction = on_trap, .sa_flags = SA_SIGINFO};

		CHECK(sigaction(SIGSYS, &sa, NULL) == 0);
		CHECK(filter_call(SYS_getppid, SECCOMP_RET_TRAP | 77, 0) == 0);
		/* more than once: by whatever way a call comes */
		for (int i = 1; i <= 20; i++) {
			CHECK(call_with_six(SYS_getppid, 11, 2, 3, 4, 5, 6) == 4711);
			CHECK(handled == i);
			CHECK(trap_info.si_code == 1 /* SYS_SECCOMP */);
			CHECK(trap_info.si_errno == 77);
			CHECK(trap_info.si_call_addr == (void *)trap_return);
			CHECK(trap_info.si_syscall == SYS_getppid);
			CHECK(trap_info.si_arch == AUDIT_ARCH_X86_64);
			CHECK(trap_rip == (greg_t)(uintptr_t)trap_return);
			CHECK(trap_rax == SYS_getppid && trap_rdi == 11);
		}
		/* libc's own site */
		for (int i = 0; i < 5; i++)
			CHECK(getppid() == 4711);
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
}

static void trap_kills_who_does_not_listen(void)
{
	CHECK(status_after(SECCOMP_RET_TRAP) == SIGSYS);
	CHILD(ignored)
	{
		signal(SIGSYS, SIG_IGN);
		CHECK(filter_call(SYS_getppid, SECCOMP_RET_TRAP, 0) == 0);
		syscall(SYS_getppid);
		_exit(0);
	}
	WAIT_SIGNAL(ignored, SIGSYS);
	CHILD(blocked)
	{
		sigset_t set;

		signal(SIGSYS, count_sigsys);
		sigfillset(&set);
		sigprocmask(SIG_BLOCK, &set, NULL);
		CHECK(filter_call(SYS_getppid, SECCOMP_RET_TRAP, 0) == 0);
		syscall(SYS_getppid);
		_exit(0);
	}
	WAIT_SIGNAL(blocked, SIGSYS);
}

static void trace_without_tracer_is_enosys(void)
{
	CHILD(pid)
	{
		CHECK(filter_call(SYS_getppid, SECCOMP_RET_TRACE | 5, 0) == 0);
		FAILS(ENOSYS, syscall(SYS_getppid));
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
}

static void notification_without_listener_is_enosys(void)
{
	CHILD(pid)
	{
		CHECK(filter_call(SYS_getppid, SECCOMP_RET_USER_NOTIF, 0) == 0);
		FAILS(ENOSYS, syscall(SYS_getppid));
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
}

static void calls_that_are_not_there_are_filtered(void)
{
	CHILD(pid)
	{
		CHECK(filter_call(-1, SECCOMP_RET_ERRNO | EXDEV, 0) == 0);
		CHECK(filter_call(5000, SECCOMP_RET_ERRNO | EDOM, 0) == 0);
		CHECK(filter_call(0x40000027, SECCOMP_RET_ERRNO | ERANGE, 0) == 0);
		FAILS(EXDEV, syscall(-1));
		FAILS(EXDEV, syscall(0xffffffff));
		FAILS(EDOM, syscall(5000));
		FAILS(ERANGE, syscall(0x40000027));
		FAILS(ENOSYS, syscall(5001));
		/* a number has 32 bits */
		CHECK(syscall(SYS_getpid | 1L << 32) == getpid());
		FAILS(EDOM, syscall(5000 | 5L << 40));
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
}

RUN(TEST(what_does_not_exist_is_refused), TEST(actions_are_there),
    TEST(filters_need_a_right_or_a_promise), TEST(root_needs_no_promise),
    TEST(strict_mode_leaves_four_calls), TEST(strict_mode_lets_handlers_return),
    TEST(strict_mode_kills_one_thread), TEST(modes_do_not_mix),
    TEST(errno_is_any_up_to_4095), TEST(kill_is_by_sigsys),
    TEST(kill_is_no_signal_to_handle), TEST(kill_is_of_a_thread_or_all),
    TEST(trap_tells_of_the_call), TEST(trap_kills_who_does_not_listen),
    TEST(trace_without_tracer_is_enosys), TEST(notification_without_listener_is_enosys),
    TEST(calls_that_are_not_there_are_filtered))
