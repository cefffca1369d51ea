/* SPDX-License-Identifier: MIT */
/* seccomp_rules.c - a program that uses libseccomp, for seccomp.sh: what it may do under
 * its rules, and a child's call that it answers itself. */
#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static void show(const char *what, long ret)
{
	printf("%s: %s\n", what, ret < 0 ? strerror(errno) : "done");
	fflush(stdout);
}

static int load(scmp_filter_ctx c)
{
	int err = seccomp_attr_set(c, SCMP_FLTATR_CTL_OPTIMIZE, 2);

	err = err ? err : seccomp_rule_add(c, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(ptrace), 0);
	err = err ? err
		  : seccomp_rule_add(c, SCMP_ACT_ERRNO(EAFNOSUPPORT), SCMP_SYS(socket), 1,
				     SCMP_A0(SCMP_CMP_EQ, AF_INET6));
	err = err ? err
		  : seccomp_rule_add(c, SCMP_ACT_ERRNO(EROFS), SCMP_SYS(openat), 1,
				     SCMP_A2(SCMP_CMP_MASKED_EQ, O_ACCMODE, O_RDWR));
	err = err ? err : seccomp_rule_add(c, SCMP_ACT_KILL, SCMP_SYS(sethostname), 0);
	err = err ? err : seccomp_rule_add(c, SCMP_ACT_NOTIFY, SCMP_SYS(getppid), 0);
	return err ? err : seccomp_load(c);
}

/* The child's call becomes 4711. */
static void answer(int fd)
{
	struct seccomp_notif *n = NULL;
	struct seccomp_notif_resp *r = NULL;
	pid_t pid = fork();
	int ret;

	if (pid == 0) {
		printf("getppid: %ld\n", (long)getppid());
		fflush(stdout);
		_exit(0);
	}
	if (seccomp_notify_alloc(&n, &r) || seccomp_notify_receive(fd, n)) {
		perror("receive");
		return;
	}
	printf("asked by the child: %d\n", n->pid == (unsigned)pid);
	fflush(stdout);
	r->id = n->id;
	r->val = 4711;
	ret = seccomp_notify_respond(fd, r);
	wait(NULL);
	show("respond", ret);
	seccomp_notify_free(n, r);
}

int main(void)
{
	scmp_filter_ctx c = seccomp_init(SCMP_ACT_ALLOW);
	int status = 0;
	int err = c ? load(c) : -ENOMEM;

	printf("level %u, load: %s\n", seccomp_api_get(), strerror(-err));
	show("inet", socket(AF_INET, SOCK_STREAM, 0));
	show("inet6", socket(AF_INET6, SOCK_STREAM, 0));
	show("read", open("/dev/null", O_RDONLY));
	show("write", open("/dev/null", O_RDWR));
	show("ptrace", ptrace(PTRACE_TRACEME, 0, 0, 0));
	answer(seccomp_notify_fd(c));
	if (fork() == 0) {
		(void)!sethostname("x", 1);
		_exit(0);
	}
	wait(&status);
	printf("sethostname: signal %d\n", WTERMSIG(status));
	seccomp_release(c);
	return 0;
}
