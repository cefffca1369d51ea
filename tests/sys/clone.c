/* SPDX-License-Identifier: MIT */
/* clone.c - what each CLONE_ flag shares, and which mixes are refused. */
#include "proc.h"
#include <linux/futex.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/stat.h>

enum { STACK = 65536 };
#define THREAD_FLAGS                                                                     \
	(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM)

static volatile sig_atomic_t got;
static volatile sig_atomic_t got_code;

static void *stack_top(void)
{
	char *p = mmap(NULL, STACK, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);

	CHECK(p != MAP_FAILED);
	return p + STACK;
}

static void stack_free(void *top)
{
	munmap((char *)top - STACK, STACK);
}

static pid_t raw(unsigned long flags)
{
	return (pid_t)syscall(SYS_clone, flags, NULL, NULL, NULL, NULL);
}

/* Without libc, since a thread made by hand has no thread block of its own. */
static long bare(long nr, long a, long b, long c, long d)
{
	register long r10 __asm__("r10") = d;
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10)
			 : "rcx", "r11", "memory");
	return result;
}

static void wait_zero(volatile int *word)
{
	int value;

	while ((value = *word) != 0)
		bare(SYS_futex, (long)word, FUTEX_WAIT, value, 0);
}

static void count(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	got_code = info->si_code;
	got++;
}

/* ---- processes ---- */

static void plain_clone_is_fork(void)
{
	pid_t pid = raw(SIGCHLD);
	int status;

	if (pid == 0)
		_exit(11);
	CHECK(pid > 0 && waitpid(pid, &status, 0) == pid && status == 11 << 8);
}

static void exit_signal_is_sent(void)
{
	pid_t pid;

	got = 0;
	handle_info(SIGUSR1, count, 0);
	pid = raw(SIGUSR1);
	if (pid == 0)
		_exit(12);
	FAILS(ECHILD, waitpid(pid, NULL, 0));
	CHECK(waitpid(pid, NULL, __WCLONE) == pid || errno == EINTR);
	if (errno == EINTR)
		waitpid(pid, NULL, __WCLONE);
	CHECK(got == 1 && got_code == CLD_EXITED);
}

static void exit_signal_zero_sends_nothing(void)
{
	pid_t pid;

	got = 0;
	handle_info(SIGCHLD, count, 0);
	pid = raw(0);
	if (pid == 0)
		_exit(13);
	WAIT_EXIT(pid, 13);
	CHECK(got == 0);
	handle(SIGCHLD, SIG_DFL, 0);
}

static int set_and_exit(void *arg)
{
	*(volatile int *)arg = 33;
	return 14;
}

static void vm_shares_memory(void)
{
	volatile int value = 1;
	void *top = stack_top();
	pid_t pid = clone(set_and_exit, top, CLONE_VM | SIGCHLD, (void *)&value);

	CHECK(pid > 0 && pid != getpid());
	WAIT_EXIT(pid, 14);
	CHECK(value == 33);
	stack_free(top);
}

static void own_stack_without_vm(void)
{
	volatile int value = 1;
	void *top = stack_top();
	pid_t pid = clone(set_and_exit, top, SIGCHLD, (void *)&value);

	WAIT_EXIT(pid, 14);
	CHECK(value == 1);
	stack_free(top);
}

static int sleep_set_exit(void *arg)
{
	sleep_ms(30);
	return set_and_exit(arg);
}

static void vfork_flag_holds_the_parent(void)
{
	volatile int value = 1;
	void *top = stack_top();
	pid_t pid = clone(sleep_set_exit, top, CLONE_VM | CLONE_VFORK | SIGCHLD,
			  (void *)&value);

	CHECK(value == 33);
	WAIT_EXIT(pid, 14);
	int *shared = share_page();
	pid = clone(sleep_set_exit, top, CLONE_VFORK | SIGCHLD,
		    shared); /* memory copied */
	CHECK(*shared == 33);
	WAIT_EXIT(pid, 14);
	munmap(shared, 4096);
	stack_free(top);
}

static int exec_true(void *arg)
{
	char *argv[] = {"clone", arg, NULL};
	char *env[] = {NULL};
	sigset_t set = set_of(0);

	sigprocmask(SIG_SETMASK, &set, NULL);
	signal(SIGUSR1, SIG_DFL);
	execve("/proc/self/exe", argv, env);
	return 127;
}

static void spawn_like_use_works(void)
{
	void *top = stack_top();

	handle_info(SIGUSR1, count, 0);
	block(SIGUSR1);
	for (int i = 0; i < 20; i++) {
		pid_t pid =
			clone(exec_true, top, CLONE_VM | CLONE_VFORK | SIGCHLD, "exit-9");

		CHECK(pid > 0);
		WAIT_EXIT(pid, 9);
	}
	struct sigaction sa;
	CHECK(sigaction(SIGUSR1, NULL, &sa) == 0 && sa.sa_sigaction == count);
	unblock(SIGUSR1);
	stack_free(top);
}

static void exec_of_a_vm_sharer_leaves_the_memory(void)
{
	void *top = stack_top();
	pid_t pid = clone(exec_true, top, CLONE_VM | SIGCHLD, "exit-9");

	CHECK(pid > 0);
	WAIT_EXIT(pid, 9);
	stack_free(top);
}

static int open_and_close(void *arg)
{
	int *fd = arg;

	close(fd[0]);
	fd[1] = open("/dev/null", O_RDONLY);
	return fd[1] < 0;
}

static void files_shares_descriptors(void)
{
	int *fd = share_page();
	void *top = stack_top();
	pid_t pid;

	fd[0] = open("/dev/null", O_RDONLY);
	pid = clone(open_and_close, top, CLONE_FILES | SIGCHLD, fd);
	WAIT_EXIT(pid, 0);
	CHECK(fcntl(fd[1], F_GETFD) == 0 && fd[1] == fd[0]);
	fd[0] = dup(fd[1]);
	pid = clone(open_and_close, top, SIGCHLD, fd);
	WAIT_EXIT(pid, 0);
	CHECK(fcntl(fd[0], F_GETFD) == 0);
	close(fd[0]);
	close(fd[1]);
	munmap(fd, 4096);
	stack_free(top);
}

static void exec_unshares_descriptors(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	void *top = stack_top();
	pid_t pid = clone(exec_true, top, CLONE_FILES | SIGCHLD, "exit-9");

	WAIT_EXIT(pid, 9);
	CHECK(fcntl(fd, F_GETFD) == FD_CLOEXEC);
	close(fd);
	stack_free(top);
}

static int change_fs(void *arg)
{
	(void)arg;
	umask(0147);
	return chdir("/") != 0;
}

static void fs_shares_directory_and_umask(void)
{
	int here = open(".", O_RDONLY | O_DIRECTORY);
	mode_t mask = umask(022);
	void *top = stack_top();
	char cwd[PATH_MAX];
	pid_t pid;

	CHECK(here >= 0);
	pid = clone(change_fs, top, SIGCHLD, NULL);
	WAIT_EXIT(pid, 0);
	CHECK(umask(022) == 022);
	CHECK(getcwd(cwd, sizeof(cwd)) && strcmp(cwd, "/") != 0);
	pid = clone(change_fs, top, CLONE_FS | SIGCHLD, NULL);
	WAIT_EXIT(pid, 0);
	CHECK(umask(mask) == 0147);
	CHECK(getcwd(cwd, sizeof(cwd)) && strcmp(cwd, "/") == 0);
	CHECK(fchdir(here) == 0);
	close(here);
	stack_free(top);
}

static int ignore_usr2(void *arg)
{
	(void)arg;
	signal(SIGUSR2, SIG_IGN);
	return 0;
}

static void sighand_shares_actions(void)
{
	struct sigaction sa;
	void *top = stack_top();
	pid_t pid;

	handle_info(SIGUSR2, count, 0);
	pid = clone(ignore_usr2, top, CLONE_VM | SIGCHLD, NULL);
	WAIT_EXIT(pid, 0);
	CHECK(sigaction(SIGUSR2, NULL, &sa) == 0 && sa.sa_sigaction == count);
	pid = clone(ignore_usr2, top, CLONE_VM | CLONE_SIGHAND | SIGCHLD, NULL);
	WAIT_EXIT(pid, 0);
	CHECK(sigaction(SIGUSR2, NULL, &sa) == 0 && sa.sa_handler == SIG_IGN);
	handle(SIGUSR2, SIG_DFL, 0);
	stack_free(top);
}

static void parent_flag_makes_a_sibling(void)
{
	pid_t *shared = share_page();
	pid_t self = getpid();

	CHILD(pid)
	{
		pid_t sibling = raw(CLONE_PARENT | SIGCHLD);

		if (sibling == 0)
			_exit(getppid() == self ? 15 : 1);
		FAILS(ECHILD, waitpid(-1, NULL, 0));
		shared[1] = sibling;
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
	CHECK(shared[1] > 0);
	WAIT_EXIT(shared[1], 15);
	munmap(shared, 4096);
}

static void settid_words_are_written(void)
{
	volatile int *word = share_page();
	pid_t pid = (pid_t)syscall(SYS_clone,
				   CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | SIGCHLD,
				   NULL, &word[0], &word[1], NULL);

	if (pid == 0)
		_exit(word[0] == getpid() && word[1] == getpid() ? 0 : 1);
	WAIT_EXIT(pid, 0);
	CHECK(word[0] == pid && word[1] == pid);
	munmap((void *)word, 4096);
}

static void child_settid_writes_the_childs_copy(void)
{
	static int word = 5;
	pid_t pid = (pid_t)syscall(SYS_clone, CLONE_CHILD_SETTID | SIGCHLD, NULL, NULL,
				   &word, NULL);

	if (pid == 0)
		_exit(word == getpid() ? 0 : 1);
	WAIT_EXIT(pid, 0);
	CHECK(word == 5);
}

static void cleartid_wakes_when_a_vm_sharer_ends(void)
{
	static volatile int word = 1;
	static volatile int value;
	void *top = stack_top();
	pid_t pid = clone(set_and_exit, top,
			  CLONE_VM | CLONE_CHILD_CLEARTID | CLONE_CHILD_SETTID | SIGCHLD,
			  (void *)&value, NULL, NULL, &word);

	wait_zero(&word);
	CHECK(value == 33);
	WAIT_EXIT(pid, 14);
	stack_free(top);
}

static void bad_tid_pointers_are_ignored(void)
{
	pid_t pid = (pid_t)syscall(SYS_clone,
				   CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID |
					   CLONE_PARENT_SETTID | SIGCHLD,
				   NULL, BAD_PTR, BAD_PTR, NULL);

	if (pid == 0)
		_exit(16);
	CHECK(pid > 0);
	WAIT_EXIT(pid, 16);
}

static void pidfd_is_returned(void)
{
	int fd = -1;
	struct pollfd p;
	pid_t pid =
		(pid_t)syscall(SYS_clone, CLONE_PIDFD | SIGCHLD, NULL, &fd, NULL, NULL);

	if (pid == 0) {
		pause();
		_exit(1);
	}
	CHECK(pid > 0 && fd >= 0);
	CHECK(fcntl(fd, F_GETFD) == FD_CLOEXEC);
	p = (struct pollfd){.fd = fd, .events = POLLIN};
	CHECK(poll(&p, 1, 0) == 0);
	CHECK(syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0) == 0);
	CHECK(poll(&p, 1, 20000) == 1 && (p.revents & POLLIN));
	WAIT_SIGNAL(pid, SIGKILL);
	FAILS(ESRCH, syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0));
	close(fd);
	FAILS(EFAULT,
	      syscall(SYS_clone, CLONE_PIDFD | SIGCHLD, NULL, BAD_PTR, NULL, NULL));
}

/* ---- threads ---- */

struct report {
	volatile int done; /* CLEARTID word */
	volatile int tid;
	volatile int pid;
	volatile int parent;
	volatile long fs;
};

static int report_thread(void *arg)
{
	struct report *r = arg;

	r->tid = (int)bare(SYS_gettid, 0, 0, 0, 0);
	r->pid = (int)bare(SYS_getpid, 0, 0, 0, 0);
	r->parent = (int)bare(SYS_getppid, 0, 0, 0, 0);
	__asm__ volatile("mov %%fs:0, %0" : "=r"(r->fs));
	bare(SYS_exit, 0, 0, 0, 0);
	return 0;
}

static void a_thread_shares_the_pid(void)
{
	struct report r = {.done = 1};
	int parent_word = 0;
	void *top = stack_top();
	pid_t tid = clone(report_thread, top,
			  THREAD_FLAGS | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID, &r,
			  &parent_word, NULL, &r.done);

	CHECK(tid > 0);
	wait_zero(&r.done);
	CHECK(r.tid == tid && parent_word == tid && tid != getpid());
	CHECK(r.pid == getpid() && r.parent == getppid());
	FAILS(ECHILD, waitpid(tid, NULL, __WALL));
	stack_free(top);
}

static void settls_gives_a_thread_its_own_block(void)
{
	static long block[512];
	struct report r = {.done = 1};
	void *top = stack_top();
	long mine;

	block[256] = (long)&block[256];
	CHECK(clone(report_thread, top,
		    THREAD_FLAGS | CLONE_SETTLS | CLONE_CHILD_CLEARTID, &r, NULL,
		    &block[256], &r.done) > 0);
	wait_zero(&r.done);
	CHECK(r.fs == (long)&block[256]);
	__asm__ volatile("mov %%fs:0, %0" : "=r"(mine));
	CHECK(mine != r.fs);
	FAILS(EPERM,
	      syscall(SYS_clone, CLONE_SETTLS | SIGCHLD, NULL, NULL, NULL, KERNEL_PTR));
	stack_free(top);
}

static void settls_works_for_a_process_too(void)
{
	static long block[512];
	struct report *r = share_page();
	void *top = stack_top();
	pid_t pid;

	block[256] = (long)&block[256];
	pid = clone(report_thread, top, CLONE_SETTLS | SIGCHLD, r, NULL, &block[256],
		    NULL);
	WAIT_EXIT(pid, 0);
	CHECK(r->fs == (long)&block[256] && r->pid == pid && r->tid == pid);
	munmap(r, 4096);
	stack_free(top);
}

static void a_threads_exit_signal_is_ignored(void)
{
	struct report r = {.done = 1};
	void *top = stack_top();

	got = 0;
	handle_info(SIGUSR1, count, 0);
	CHECK(clone(report_thread, top, THREAD_FLAGS | CLONE_CHILD_CLEARTID | SIGUSR1, &r,
		    NULL, NULL, &r.done) > 0);
	wait_zero(&r.done);
	CHECK(got == 0);
	stack_free(top);
}

static int exit_quickly(void *arg)
{
	__atomic_add_fetch((int *)arg, 1, __ATOMIC_RELAXED);
	bare(SYS_exit, 0, 0, 0, 0);
	return 0;
}

static void hundreds_of_threads_come_and_go(void)
{
	enum { N = 8 };
	static volatile int done[N];
	void *top[N];
	int n = 0;

	for (int i = 0; i < N; i++)
		top[i] = stack_top();
	for (int round = 0; round < 40; round++) {
		for (int i = 0; i < N; i++) {
			done[i] = 1;
			CHECK(clone(exit_quickly, top[i],
				    THREAD_FLAGS | CLONE_CHILD_CLEARTID, &n, NULL, NULL,
				    &done[i]) > 0);
		}
		for (int i = 0; i < N; i++)
			wait_zero(&done[i]);
	}
	CHECK(n == N * 40);
	for (int i = 0; i < N; i++)
		stack_free(top[i]);
}

static __thread int tls = 7;

static void *check_tls(void *arg)
{
	CHECK(tls == 7);
	tls = (int)(long)arg;
	for (int i = 0; i < 20; i++) {
		sched_yield();
		CHECK(tls == (int)(long)arg);
	}
	return (void *)(long)tls;
}

static void library_threads_work(void)
{
	enum { N = 50 };
	pthread_t t[N];

	for (long i = 0; i < N; i++)
		thread_start(&t[i], check_tls, (void *)(i + 100));
	for (long i = 0; i < N; i++)
		CHECK(thread_join(t[i]) == (void *)(i + 100));
	CHECK(tls == 7);
}

static void *name_self(void *arg)
{
	char name[16];

	CHECK(prctl(PR_GET_NAME, name) == 0 && strcmp(name, "leader") == 0);
	CHECK(prctl(PR_SET_NAME, "thread") == 0);
	return arg;
}

static void thread_names_are_inherited_then_their_own(void)
{
	char name[16];
	pthread_t t;

	CHECK(prctl(PR_SET_NAME, "leader") == 0);
	thread_start(&t, name_self, NULL);
	thread_join(t);
	CHECK(prctl(PR_GET_NAME, name) == 0 && strcmp(name, "leader") == 0);
}

/* ---- refusals ---- */

static void impossible_mixes_give_einval(void)
{
	static const unsigned long bad[] = {
		CLONE_SIGHAND | SIGCHLD,
		CLONE_THREAD | SIGCHLD,
		CLONE_THREAD | CLONE_VM,
		CLONE_THREAD | CLONE_SIGHAND,
		CLONE_NEWNS | CLONE_FS | SIGCHLD,
		CLONE_NEWUSER | CLONE_FS | SIGCHLD,
		CLONE_NEWUSER | THREAD_FLAGS,
		CLONE_NEWPID | THREAD_FLAGS,
		CLONE_PIDFD | CLONE_PARENT_SETTID | SIGCHLD,
		CLONE_PIDFD | CLONE_DETACHED | SIGCHLD,
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		pid_t pid;
		int word = 0;

		errno = 0;
		pid = (pid_t)syscall(SYS_clone, bad[i], NULL, &word, &word, NULL);
		if (pid == 0)
			_exit(0);
		if (pid != -1 || errno != EINVAL)
			printf("# flags %#lx\n", bad[i]);
		CHECK(pid == -1 && errno == EINVAL);
	}
	FAILS(ECHILD, waitpid(-1, NULL, __WALL));
}

static void harmless_flags_are_accepted(void)
{
	static const unsigned long good[] = {
		CLONE_DETACHED | SIGCHLD, CLONE_UNTRACED | SIGCHLD,
		CLONE_IO | SIGCHLD,	  CLONE_PTRACE | SIGCHLD,
		CLONE_SYSVSEM | SIGCHLD,  CLONE_FS | CLONE_FILES | SIGCHLD,
	};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		pid_t pid = raw(good[i]);

		if (pid == 0)
			_exit(3);
		CHECK(pid > 0);
		WAIT_EXIT(pid, 3);
	}
}

static const struct test all[] = {
	TEST(plain_clone_is_fork),
	TEST(exit_signal_is_sent),
	TEST(exit_signal_zero_sends_nothing),
	TEST(vm_shares_memory),
	TEST(own_stack_without_vm),
	TEST(vfork_flag_holds_the_parent),
	TEST(spawn_like_use_works),
	TEST(exec_of_a_vm_sharer_leaves_the_memory),
	TEST(files_shares_descriptors),
	TEST(exec_unshares_descriptors),
	TEST(fs_shares_directory_and_umask),
	TEST(sighand_shares_actions),
	TEST(parent_flag_makes_a_sibling),
	TEST(settid_words_are_written),
	TEST(child_settid_writes_the_childs_copy),
	TEST(cleartid_wakes_when_a_vm_sharer_ends),
	TEST(bad_tid_pointers_are_ignored),
	TEST(pidfd_is_returned),
	TEST(a_thread_shares_the_pid),
	TEST(settls_gives_a_thread_its_own_block),
	TEST(settls_works_for_a_process_too),
	TEST(a_threads_exit_signal_is_ignored),
	TEST(hundreds_of_threads_come_and_go),
	TEST(library_threads_work),
	TEST(thread_names_are_inherited_then_their_own),
	TEST(impossible_mixes_give_einval),
	TEST(harmless_flags_are_accepted),
};

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "exit-9") == 0)
		return 9;
	return test_main(all, sizeof(all) / sizeof(all[0]));
}
