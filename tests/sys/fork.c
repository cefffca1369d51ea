/* SPDX-License-Identifier: MIT */
/* fork.c - what a child shares with its parent, what it copies, what it starts afresh. */
#include "proc.h"
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/times.h>

static int in_data = 1;
static int in_bss;
static __thread int in_tls = 5;
static volatile sig_atomic_t got;

static void count(int sig)
{
	(void)sig;
	got++;
}

static void child_sees_zero_and_own_pid(void)
{
	pid_t parent = getpid();
	pid_t *seen = share_page();

	CHILD(pid)
	{
		*seen = getpid();
		CHECK(getppid() == parent);
		CHECK(syscall(SYS_gettid) == getpid());
		_exit(7);
	}
	CHECK(pid != parent);
	WAIT_EXIT(pid, 7);
	CHECK(*seen == pid);
	CHECK(getpid() == parent);
}

static void raw_call_works(void)
{
	pid_t pid = (pid_t)syscall(SYS_fork);

	CHECK(pid >= 0);
	if (pid == 0)
		syscall(SYS_exit_group, 3);
	WAIT_EXIT(pid, 3);
}

static void memory_is_copied_both_ways(void)
{
	int on_stack = 10;
	int *heap = malloc(sizeof(*heap));
	int *shared = share_page();

	*heap = 20;
	in_data = 1;
	in_bss = 0;
	CHILD(pid)
	{
		CHECK(on_stack == 10 && *heap == 20 && in_data == 1 && in_bss == 0);
		CHECK(in_tls == 5);
		on_stack = *heap = in_data = in_bss = in_tls = 99;
		shared[0] = 1;
		while (__atomic_load_n(&shared[1], __ATOMIC_ACQUIRE) == 0)
			sched_yield();
		CHECK(on_stack == 99 && *heap == 99 && in_data == 99 && in_tls == 99);
		_exit(0);
	}
	while (__atomic_load_n(&shared[0], __ATOMIC_ACQUIRE) == 0)
		sched_yield();
	CHECK(on_stack == 10 && *heap == 20 && in_data == 1 && in_bss == 0);
	CHECK(in_tls == 5);
	on_stack = *heap = in_data = in_bss = 50;
	__atomic_store_n(&shared[1], 1, __ATOMIC_RELEASE);
	WAIT_EXIT(pid, 0);
	free(heap);
	munmap(shared, 4096);
}

static void large_memory_is_copied(void)
{
	enum { SIZE = 8 << 20 };
	unsigned char *p = mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(p != MAP_FAILED);
	for (size_t i = 0; i < SIZE; i += 4096)
		p[i] = (unsigned char)(i >> 12);
	CHILD(pid)
	{
		for (size_t i = 0; i < SIZE; i += 4096)
			CHECK(p[i] == (unsigned char)(i >> 12));
		memset(p, 1, SIZE);
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
	for (size_t i = 0; i < SIZE; i += 4096)
		CHECK(p[i] == (unsigned char)(i >> 12));
	munmap(p, SIZE);
}

static void memory_protections_are_kept(void)
{
	char *p = mmap(NULL, 8192, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(p != MAP_FAILED);
	CHECK(mprotect(p + 4096, 4096, PROT_NONE) == 0);
	CHILD(reader)
	{
		_exit(*(volatile char *)p);
	}
	WAIT_EXIT(reader, 0);
	CHILD(writer)
	{
		*(volatile char *)p = 1;
		_exit(0);
	}
	WAIT_SIGNAL(writer, SIGSEGV);
	CHILD(none)
	{
		_exit(*(volatile char *)(p + 4096));
	}
	WAIT_SIGNAL(none, SIGSEGV);
	munmap(p, 8192);
}

static void descriptors_share_their_offset(void)
{
	char name[64];
	char c;
	int fd;

	snprintf(name, sizeof(name), "fork-%d", getpid());
	fd = open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
	CHECK(fd >= 0);
	CHECK(unlink(name) == 0);
	CHECK(write(fd, "abcdef", 6) == 6);
	CHECK(lseek(fd, 1, SEEK_SET) == 1);
	CHILD(pid)
	{
		CHECK(read(fd, &c, 1) == 1 && c == 'b');
		CHECK(lseek(fd, 4, SEEK_SET) == 4);
		CHECK(fcntl(fd, F_SETFL, O_APPEND) == 0);
		CHECK(close(fd) == 0);
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
	CHECK(read(fd, &c, 1) == 1 && c == 'e');
	CHECK(fcntl(fd, F_GETFL) & O_APPEND);
	CHECK(close(fd) == 0);
}

static void descriptor_table_is_a_copy(void)
{
	int p[2];
	int *new_fd = share_page();

	CHECK(pipe2(p, O_CLOEXEC) == 0);
	CHILD(pid)
	{
		CHECK(fcntl(p[0], F_GETFD) == FD_CLOEXEC);
		CHECK(fcntl(p[0], F_SETFD, 0) == 0);
		*new_fd = dup(p[1]);
		close(p[1]);
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
	FAILS(EBADF, fcntl(*new_fd, F_GETFD));
	CHECK(fcntl(p[0], F_GETFD) == FD_CLOEXEC);
	CHECK(write(p[1], "x", 1) == 1);
	close(p[0]);
	close(p[1]);
}

static void pipe_ends_only_when_all_copies_close(void)
{
	int p[2];
	char c;

	CHECK(pipe(p) == 0);
	CHILD(pid)
	{
		close(p[0]);
		sleep_ms(30);
		CHECK(write(p[1], "z", 1) == 1);
		_exit(0);
	}
	close(p[1]);
	CHECK(read(p[0], &c, 1) == 1 && c == 'z');
	CHECK(read(p[0], &c, 1) == 0);
	WAIT_EXIT(pid, 0);
	close(p[0]);
}

static void attributes_are_inherited(void)
{
	char cwd[PATH_MAX];
	char here[PATH_MAX];
	char name[16];
	struct rlimit lim;
	struct sigaction sa;
	mode_t mask = umask(0123);

	CHECK(getcwd(cwd, sizeof(cwd)));
	CHECK(getrlimit(RLIMIT_NOFILE, &lim) == 0);
	lim.rlim_cur--;
	CHECK(setrlimit(RLIMIT_NOFILE, &lim) == 0);
	handle(SIGUSR2, count, SA_RESTART | SA_NODEFER);
	block(SIGUSR2);
	CHECK(setenv("FORK_TEST", "yes", 1) == 0);
	CHECK(prctl(PR_SET_NAME, "fork-name") == 0);
	CHILD(pid)
	{
		struct rlimit now;
		sigset_t set;

		CHECK(getcwd(here, sizeof(here)) && strcmp(cwd, here) == 0);
		CHECK(umask(0) == 0123);
		CHECK(getrlimit(RLIMIT_NOFILE, &now) == 0 &&
		      now.rlim_cur == lim.rlim_cur);
		CHECK(sigaction(SIGUSR2, NULL, &sa) == 0 && sa.sa_handler == count);
		CHECK(sa.sa_flags & SA_NODEFER);
		CHECK(sigprocmask(SIG_BLOCK, NULL, &set) == 0);
		CHECK(sigismember(&set, SIGUSR2) && !sigismember(&set, SIGUSR1));
		CHECK(getpgrp() == getpgid(getppid()) && getsid(0) == getsid(getppid()));
		CHECK(getpriority(PRIO_PROCESS, 0) ==
		      getpriority(PRIO_PROCESS, getppid()));
		CHECK(strcmp(getenv("FORK_TEST"), "yes") == 0);
		CHECK(prctl(PR_GET_NAME, name) == 0 && strcmp(name, "fork-name") == 0);
		CHECK(chdir("/") == 0);
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
	CHECK(getcwd(here, sizeof(here)) && strcmp(cwd, here) == 0);
	CHECK(umask(mask) == 0123);
	unblock(SIGUSR2);
}

static void pending_signals_timers_and_times_are_not_inherited(void)
{
	struct itimerval it = {{0, 0}, {100, 0}};
	struct tms tms;
	block(SIGUSR1);
	CHECK(raise(SIGUSR1) == 0 && is_pending(SIGUSR1));
	CHECK(setitimer(ITIMER_REAL, &it, NULL) == 0);
	do
		CHECK(times(&tms) != -1);
	while (tms.tms_utime + tms.tms_stime < 20);
	CHILD(pid)
	{
		CHECK(!is_pending(SIGUSR1));
		CHECK(getitimer(ITIMER_REAL, &it) == 0);
		CHECK(it.it_value.tv_sec == 0 && it.it_value.tv_usec == 0);
		CHECK(times(&tms) != -1);
		CHECK(tms.tms_utime + tms.tms_stime < 10);
		CHECK(tms.tms_cutime == 0 && tms.tms_cstime == 0);
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
	CHECK(is_pending(SIGUSR1));
	CHECK(getitimer(ITIMER_REAL, &it) == 0 && it.it_value.tv_sec > 90);
	memset(&it, 0, sizeof(it));
	CHECK(setitimer(ITIMER_REAL, &it, NULL) == 0);
	handle(SIGUSR1, SIG_IGN, 0);
	CHECK(!is_pending(SIGUSR1));
	unblock(SIGUSR1);
}

static volatile int *beat;

static void *beating(void *arg)
{
	(void)arg;
	while (*beat >= 0) {
		beat[1]++;
		sched_yield();
	}
	return NULL;
}

static void only_the_calling_thread_survives(void)
{
	pthread_t t;

	beat = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		    0);
	CHECK(beat != MAP_FAILED);
	thread_start(&t, beating, NULL);
	while (beat[1] == 0)
		sched_yield();
	CHILD(pid)
	{
		int before = beat[1];

		sleep_ms(20);
		_exit(beat[1] == before ? 0 : 1);
	}
	WAIT_EXIT(pid, 0);
	*beat = -1;
	thread_join(t);
}

static void *fork_here(void *arg)
{
	pid_t *leader = arg;
	pid_t me = (pid_t)syscall(SYS_gettid);

	CHECK(me != *leader);
	in_tls = 44;
	CHILD(pid)
	{
		CHECK(syscall(SYS_gettid) == getpid());
		CHECK(getpid() != *leader && getpid() != me);
		CHECK(getppid() == *leader);
		CHECK(in_tls == 44);
		_exit(5);
	}
	WAIT_EXIT(pid, 5);
	return NULL;
}

static void a_thread_may_fork_and_its_child_leads(void)
{
	pid_t leader = getpid();
	pthread_t t;

	thread_start(&t, fork_here, &leader);
	thread_join(t);
}

static void *set_flag(void *arg)
{
	*(int *)arg = 1;
	return NULL;
}

static void a_child_may_start_threads(void)
{
	CHILD(pid)
	{
		pthread_t t[4];
		int flag[4] = {0};

		for (int i = 0; i < 4; i++)
			thread_start(&t[i], set_flag, &flag[i]);
		for (int i = 0; i < 4; i++) {
			thread_join(t[i]);
			CHECK(flag[i] == 1);
		}
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
}

/* Returns 0 if all registers but rax, rcx and r11 came through the call in this process.
 */
static long fork_with_registers(long *bad)
{
	long pid = SYS_fork;
	long wrong = 0;

	__asm__ volatile("push %%rbp\n\t"
			 "mov $0x1111, %%rbx\n\tmov $0x2222, %%rdx\n\t"
			 "mov $0x3333, %%rsi\n\tmov $0x4444, %%rdi\n\t"
			 "mov $0x5555, %%r8\n\tmov $0x6666, %%r9\n\t"
			 "mov $0x7777, %%r10\n\tmov $0x8888, %%r12\n\t"
			 "mov $0x9999, %%r13\n\tmov $0xaaaa, %%r14\n\t"
			 "mov $0xbbbb, %%r15\n\tmov $0xcccc, %%rbp\n\t"
			 "movq %%rbx, %%xmm0\n\tmovq %%r15, %%xmm15\n\t"
			 "syscall\n\t"
			 "mov $1, %%ecx\n\t"
			 "cmp $0x1111, %%rbx\n\tjne 1f\n\t"
			 "cmp $0x2222, %%rdx\n\tjne 1f\n\t"
			 "cmp $0x3333, %%rsi\n\tjne 1f\n\t"
			 "cmp $0x4444, %%rdi\n\tjne 1f\n\t"
			 "cmp $0x5555, %%r8\n\tjne 1f\n\t"
			 "cmp $0x6666, %%r9\n\tjne 1f\n\t"
			 "cmp $0x7777, %%r10\n\tjne 1f\n\t"
			 "cmp $0x8888, %%r12\n\tjne 1f\n\t"
			 "cmp $0x9999, %%r13\n\tjne 1f\n\t"
			 "cmp $0xaaaa, %%r14\n\tjne 1f\n\t"
			 "cmp $0xbbbb, %%r15\n\tjne 1f\n\t"
			 "cmp $0xcccc, %%rbp\n\tjne 1f\n\t"
			 "movq %%xmm0, %%rsi\n\tcmp %%rbx, %%rsi\n\tjne 1f\n\t"
			 "movq %%xmm15, %%rsi\n\tcmp %%r15, %%rsi\n\tjne 1f\n\t"
			 "xor %%ecx, %%ecx\n"
			 "1:\tpop %%rbp\n\t"
			 : "+a"(pid), "+c"(wrong)
			 :
			 : "rbx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12",
			   "r13", "r14", "r15", "xmm0", "xmm15", "memory", "cc");
	*bad = wrong;
	return pid;
}

static void registers_are_kept_in_both(void)
{
	long bad;
	long pid = fork_with_registers(&bad);

	if (pid == 0)
		_exit(bad ? 1 : 0);
	CHECK(pid > 0);
	CHECK(bad == 0);
	WAIT_EXIT((pid_t)pid, 0);
}

static int atfork_log;

static void log_prepare(void)
{
	atfork_log = atfork_log * 10 + 1;
}

static void log_parent(void)
{
	atfork_log = atfork_log * 10 + 2;
}

static void log_child(void)
{
	atfork_log = atfork_log * 10 + 3;
}

static void atfork_handlers_run(void)
{
	CHECK(pthread_atfork(log_prepare, log_parent, log_child) == 0);
	CHILD(pid)
	{
		_exit(atfork_log == 13 ? 0 : 1);
	}
	CHECK(atfork_log == 12);
	WAIT_EXIT(pid, 0);
}

static void end_of_child_raises_sigchld_once(void)
{
	got = 0;
	handle(SIGCHLD, count, 0);
	CHILD(pid)
	{
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
	CHECK(got == 1);
	handle(SIGCHLD, SIG_DFL, 0);
}

static void generations_nest(void)
{
	int depth = 0;
	pid_t pid = fork_or_die();

	while (pid == 0 && ++depth < 12)
		pid = fork_or_die();
	if (pid == 0)
		_exit(1);
	if (depth == 0) {
		WAIT_EXIT(pid, 12);
		return;
	}
	_exit(WEXITSTATUS(wait_status(pid)) + 1);
}

static void many_children_live_at_once(void)
{
	enum { N = 40 };
	pid_t pid[N];
	int p[2];
	char c;

	CHECK(pipe(p) == 0);
	for (int i = 0; i < N; i++) {
		pid[i] = fork_or_die();
		if (pid[i] == 0) {
			close(p[1]);
			_exit(read(p[0], &c, 1) == 0 ? i : 100);
		}
		for (int j = 0; j < i; j++)
			CHECK(pid[i] != pid[j]);
	}
	close(p[0]);
	close(p[1]);
	for (int i = N - 1; i >= 0; i--)
		WAIT_EXIT(pid[i], i);
}

static void process_limit_gives_eagain(void)
{
	CHILD(pid)
	{
		struct rlimit one = {1, 1};

		if (geteuid() == 0)
			CHECK(setresuid(48213, 48213, 48213) == 0);
		CHECK(setrlimit(RLIMIT_NPROC, &one) == 0);
		FAILS(EAGAIN, fork());
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
}

static volatile bool stop_racing;

static void *allocate(void *arg)
{
	(void)arg;
	while (!stop_racing)
		free(malloc(100 + (size_t)rand() % 5000));
	return NULL;
}

static void fork_races_with_threads_that_allocate(void)
{
	pthread_t t[2];

	stop_racing = false;
	for (int i = 0; i < 2; i++)
		thread_start(&t[i], allocate, NULL);
	for (int i = 0; i < 50; i++) {
		CHILD(pid)
		{
			void *p = malloc(3000);

			_exit(p ? 0 : 1);
		}
		WAIT_EXIT(pid, 0);
	}
	stop_racing = true;
	for (int i = 0; i < 2; i++)
		thread_join(t[i]);
}

static void *fork_often(void *arg)
{
	long id = (long)arg;

	for (int i = 0; i < 25; i++) {
		CHILD(pid)
		{
			_exit((int)id);
		}
		WAIT_EXIT(pid, (int)id);
	}
	return NULL;
}

static void threads_fork_at_the_same_time(void)
{
	pthread_t t[3];

	for (long i = 0; i < 3; i++)
		thread_start(&t[i], fork_often, (void *)(i + 1));
	for (int i = 0; i < 3; i++)
		thread_join(t[i]);
}

static void mapping_races_with_fork(void)
{
	stop_racing = false;
	for (int i = 0; i < 40; i++) {
		char *p = mmap(NULL, 65536, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		CHECK(p != MAP_FAILED);
		memset(p, i + 1, 65536);
		CHILD(pid)
		{
			CHECK(p[65535] == (char)(i + 1));
			CHECK(munmap(p, 65536) == 0);
			_exit(0);
		}
		CHECK(munmap(p, 65536) == 0);
		WAIT_EXIT(pid, 0);
	}
}

RUN(TEST(child_sees_zero_and_own_pid), TEST(raw_call_works),
    TEST(memory_is_copied_both_ways), TEST(large_memory_is_copied),
    TEST(memory_protections_are_kept), TEST(descriptors_share_their_offset),
    TEST(descriptor_table_is_a_copy), TEST(pipe_ends_only_when_all_copies_close),
    TEST(attributes_are_inherited),
    TEST(pending_signals_timers_and_times_are_not_inherited),
    TEST(only_the_calling_thread_survives), TEST(a_thread_may_fork_and_its_child_leads),
    TEST(a_child_may_start_threads), TEST(registers_are_kept_in_both),
    TEST(atfork_handlers_run), TEST(end_of_child_raises_sigchld_once),
    TEST(generations_nest), TEST(many_children_live_at_once),
    TEST(process_limit_gives_eagain), TEST(fork_races_with_threads_that_allocate),
    TEST(threads_fork_at_the_same_time), TEST(mapping_races_with_fork))
