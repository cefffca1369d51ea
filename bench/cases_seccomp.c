/* SPDX-License-Identifier: MIT */
/* cases_seccomp.c - calls of a task that has filters. */
#include "ubench.h"
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static void getppid_run(uint64_t n)
{
	while (n--)
		getppid();
}

#define LOAD(field)                                                                      \
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define IF(value, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, yes, no)

static int install(struct sock_filter *insns, size_t count, unsigned flags)
{
	struct sock_fprog program = {(unsigned short)count, insns};
	long ret;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		die("no_new_privs");
	ret = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
	if (ret < 0)
		die("seccomp");
	return (int)ret;
}

/* All calls are looked at by number, and allowed but for one. */
static void allowed_setup(void)
{
	struct sock_filter insns[] = {
		LOAD(arch),
		IF(AUDIT_ARCH_X86_64, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		LOAD(nr),
		IF(SYS_ptrace, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};

	(void)install(insns, sizeof(insns) / sizeof(insns[0]), 0);
}

/* The answer depends on an argument. */
static void judged_setup(void)
{
	struct sock_filter insns[] = {
		LOAD(arch),
		IF(AUDIT_ARCH_X86_64, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		LOAD(nr),
		IF(SYS_getppid, 0, 3),
		LOAD(args[5]),
		IF(0x12345678, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};

	(void)install(insns, sizeof(insns) / sizeof(insns[0]), 0);
}

/* Another process decides. */
static void notify_setup(void)
{
	struct sock_filter insns[] = {
		LOAD(nr),
		IF(SYS_getppid, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	int fd = install(insns, sizeof(insns) / sizeof(insns[0]),
			 SECCOMP_FILTER_FLAG_NEW_LISTENER);
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	if (pid > 0) {
		close(fd);
		return;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		struct seccomp_notif n = {0};
		struct seccomp_notif_resp r = {.val = 1};

		if (ioctl(fd, SECCOMP_IOCTL_NOTIF_RECV, &n))
			_exit(0);
		r.id = n.id;
		if (ioctl(fd, SECCOMP_IOCTL_NOTIF_SEND, &r))
			_exit(0);
	}
}

const struct bench_case seccomp_cases[] = {
	{.name = "seccomp-allowed", .run = getppid_run, .setup = allowed_setup},
	{.name = "seccomp-judged", .run = getppid_run, .setup = judged_setup},
	{.name = "seccomp-notify", .run = getppid_run, .setup = notify_setup},
	{.name = NULL},
};
