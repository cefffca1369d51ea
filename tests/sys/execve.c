/* SPDX-License-Identifier: MIT */
/* files */
/*
 * execve.c - what the new program is given, what it keeps of the old one, and how a path
 * that cannot be run is refused. Scripts: execve_script.c.
 */
#include "exec.h"
#include <elf.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/stat.h>

/* ---- what is handed over ---- */

static int role_args(int argc, char **argv)
{
	return argc == 6 && !strcmp(argv[2], "") && !strcmp(argv[3], "a b") &&
			       !strcmp(argv[4], "\xff\n") && !strcmp(argv[5], "--") &&
			       !argv[6]
		       ? 21
		       : 1;
}

static void arguments_arrive(void)
{
	RUN_ROLE(21, "args", "", "a b", "\xff\n", "--");
}

static int role_env(void)
{
	return environ[0] && !strcmp(environ[0], "A=1") &&
			       !strcmp(environ[1], "no equals") &&
			       !strcmp(environ[2], "B=") && !environ[3]
		       ? 22
		       : 1;
}

static void environment_arrives_in_order(void)
{
	char *argv[] = {"execve", "env", NULL};
	char *envp[] = {"A=1", "no equals", "B=", NULL};

	run(22, self, argv, envp);
}

static void empty_environment_may_be_null(void)
{
	char *argv[] = {"execve", "no-env", NULL};

	run(23, self, argv, NULL);
	run(23, self, argv, no_env);
}

static void missing_arguments_become_one_empty(void)
{
	char *none[] = {NULL};
	char *envp[] = {"ROLE=empty-argv", NULL};

	run(24, self, none, envp);
	run(24, self, NULL, envp);
}

static void a_thousand_arguments_arrive(void)
{
	static char *argv[2004];

	argv[0] = "execve";
	argv[1] = "many";
	for (int i = 2; i < 2002; i++)
		argv[i] = "an argument of some length";
	run(25, self, argv, no_env);
}

static char *long_string(size_t len)
{
	char *s = malloc(len + 1);

	CHECK(s);
	memset(s, 'x', len);
	s[len] = 0;
	return s;
}

static void one_string_may_be_128_kib(void)
{
	char *fits = long_string(131071);
	char *too_long = long_string(131072);
	char *argv[] = {"execve", "length", fits, NULL};

	run(26, self, argv, no_env);
	argv[2] = too_long;
	FAILS(E2BIG, execve(self, argv, no_env));
	argv[2] = NULL;
	char *envp[] = {too_long, NULL};
	FAILS(E2BIG, execve(self, argv, envp));
	free(fits);
	free(too_long);
}

static void too_many_bytes_give_e2big(void)
{
	static char *argv[102];
	char *s = long_string(100000);

	for (int i = 0; i < 100; i++)
		argv[i] = s;
	FAILS(E2BIG, execve(self, argv, no_env));
	FAILS(E2BIG, execve(self, no_env, argv));
	free(s);
}

static int role_auxv(void)
{
	char here[PATH_MAX] = "";
	const char *path = (const char *)getauxval(AT_EXECFN);
	const unsigned char *random = (const unsigned char *)getauxval(AT_RANDOM);
	int zero = 0;

	CHECK(path && strcmp(path, getenv("EXECFN")) == 0);
	CHECK(random);
	for (int i = 0; i < 16; i++)
		zero += random[i] == 0;
	CHECK(zero < 16);
	CHECK(getauxval(AT_PAGESZ) == 4096 && getauxval(AT_CLKTCK) == 100);
	CHECK(getauxval(AT_UID) == getuid() && getauxval(AT_EUID) == geteuid());
	CHECK(getauxval(AT_GID) == getgid() && getauxval(AT_EGID) == getegid());
	CHECK(getauxval(AT_SECURE) == 0 && getauxval(AT_FLAGS) == 0);
	CHECK(getauxval(AT_PHENT) == sizeof(Elf64_Phdr) && getauxval(AT_PHNUM) > 2);
	CHECK(((const Elf64_Phdr *)getauxval(AT_PHDR))->p_type != 0);
	CHECK(getauxval(AT_ENTRY) != 0);
	CHECK(strcmp((const char *)getauxval(AT_PLATFORM), "x86_64") == 0);
	CHECK(memcmp((const void *)getauxval(AT_SYSINFO_EHDR), ELFMAG, 4) == 0);
	CHECK(getauxval(AT_MINSIGSTKSZ) >= 1024);
	CHECK(readlink("/proc/self/exe", here, sizeof(here) - 1) > 0);
	return strcmp(here, self) == 0 ? 27 : 1;
}

static void auxiliary_vector_is_complete(void)
{
	char execfn[PATH_MAX + 8];
	char *argv[] = {"execve", "auxv", NULL};
	char *envp[] = {execfn, NULL};

	snprintf(execfn, sizeof(execfn), "EXECFN=%s", self);
	run(27, self, argv, envp);
}

static int role_stack(char **argv)
{
	return ((uintptr_t)(argv - 1) & 15) == 0 ? 28 : 1;
}

static void first_stack_is_aligned(void)
{
	RUN_ROLE(28, "stack");
	RUN_ROLE(28, "stack", "x");
	RUN_ROLE(28, "stack", "xy", "1234567");
}

static int role_proc(int argc, char **argv)
{
	char buf[4096];
	char *p = buf;
	ssize_t n;
	int fd = open("/proc/self/cmdline", O_RDONLY);

	CHECK(fd >= 0);
	n = read(fd, buf, sizeof(buf));
	for (int i = 0; i < argc; i++) {
		CHECK(strcmp(p, argv[i]) == 0);
		p += strlen(p) + 1;
	}
	CHECK(p == buf + n);
	close(fd);
	n = readlink("/proc/self/exe", buf, sizeof(buf));
	CHECK(n == (ssize_t)strlen(self) && memcmp(buf, self, (size_t)n) == 0);
	CHECK(prctl(PR_GET_NAME, buf) == 0);
	p = strrchr(argv[2], '/');
	return strncmp(buf, p ? p + 1 : argv[2], 15) == 0 ? 29 : 1;
}

static void proc_shows_the_new_program(void)
{
	char *name = tmp_name("with-a-long-name-for-comm");
	char *argv[] = {"zero", "proc", name, "last one", NULL};

	CHECK(prctl(PR_SET_NAME, "before") == 0);
	CHECK(symlink(self, name) == 0);
	run(29, name, argv, no_env);
	unlink(name);
}

/* ---- what is kept, what is lost ---- */

static int role_ids(char **argv)
{
	return getpid() == atoi(argv[2]) && syscall(SYS_gettid) == getpid() &&
			       getppid() == atoi(argv[3]) && getpgrp() == atoi(argv[4]) &&
			       getsid(0) == atoi(argv[5])
		       ? 30
		       : 1;
}

static void exec_ids(void)
{
	char s[4][16]; /* own: threads race here */

	snprintf(s[0], 16, "%d", getpid());
	snprintf(s[1], 16, "%d", getppid());
	snprintf(s[2], 16, "%d", getpgrp());
	snprintf(s[3], 16, "%d", getsid(0));
	EXEC_ROLE("ids", s[0], s[1], s[2], s[3]);
}

static void pid_parent_group_and_session_are_kept(void)
{
	CHILD(plain)
	{
		exec_ids();
	}
	WAIT_EXIT(plain, 30);
	CHILD(leader)
	{
		CHECK(setsid() == getpid());
		exec_ids();
	}
	WAIT_EXIT(leader, 30);
}

static void *exec_in_thread(void *arg)
{
	(void)arg;
	exec_ids();
	return NULL;
}

static void *sleep_long(void *arg)
{
	(void)arg;
	for (;;)
		pause();
	return NULL;
}

static void *spin(void *arg)
{
	for (;;)
		__atomic_add_fetch((int *)arg, 1, __ATOMIC_RELAXED);
	return NULL;
}

static void exec_of_a_thread_takes_the_leaders_pid(void)
{
	for (int round = 0; round < 5; round++) {
		CHILD(pid)
		{
			pthread_t t;
			int n = 0;

			thread_start(&t, sleep_long, NULL);
			thread_start(&t, spin, &n);
			thread_start(&t, exec_in_thread, NULL);
			sleep_long(NULL);
		}
		WAIT_EXIT(pid, 30);
	}
}

static void exec_of_a_thread_whose_leader_is_gone(void)
{
	CHILD(pid)
	{
		pthread_t t;

		thread_start(&t, exec_in_thread, NULL);
		syscall(SYS_exit, 0);
	}
	WAIT_EXIT(pid, 30);
}

static void exec_of_the_leader_ends_the_other_threads(void)
{
	CHILD(pid)
	{
		pthread_t t;
		int n = 0;

		for (int i = 0; i < 4; i++)
			thread_start(&t, i & 1 ? spin : sleep_long, &n);
		exec_ids();
	}
	WAIT_EXIT(pid, 30);
}

static void racing_execs_run_one_program(void)
{
	for (int round = 0; round < 5; round++) {
		CHILD(pid)
		{
			pthread_t t;

			for (int i = 0; i < 3; i++)
				if (pthread_create(&t, NULL, exec_in_thread, NULL) != 0)
					break; /* EAGAIN while another thread execs */
			exec_ids();
		}
		WAIT_EXIT(pid, 30);
	}
}

static int role_fds(char **argv)
{
	int open_fd = atoi(argv[2]);
	int shut_fd = atoi(argv[3]);
	char c;

	CHECK(fcntl(shut_fd, F_GETFD) == -1 && errno == EBADF);
	CHECK(fcntl(open_fd, F_GETFD) == 0);
	CHECK(read(open_fd, &c, 1) == 1 && c == 'b');
	return 31;
}

static void cloexec_descriptors_close_and_others_stay(void)
{
	char *name = tmp_name("fds");
	char s[2][16];
	int fd;
	int fd2;
	char c;

	write_file(name, "abc", 3, 0600);
	fd = open(name, O_RDONLY);
	fd2 = open(name, O_RDONLY | O_CLOEXEC);
	CHECK(fd >= 0 && fd2 >= 0 && read(fd, &c, 1) == 1);
	unlink(name);
	snprintf(s[0], 16, "%d", fd);
	snprintf(s[1], 16, "%d", fd2);
	RUN_ROLE(31, "fds", s[0], s[1]);
	CHECK(fcntl(fd2, F_GETFD) == FD_CLOEXEC);
	CHECK(read(fd, &c, 1) == 1 && c == 'c');
	close(fd);
	close(fd2);
}

static void on_signal(int sig)
{
	(void)sig;
}

static int role_signals(void)
{
	struct sigaction sa;
	stack_t ss;
	sigset_t set;

	CHECK(sigaction(SIGUSR1, NULL, &sa) == 0 && sa.sa_handler == SIG_DFL);
	CHECK(sigaction(SIGUSR2, NULL, &sa) == 0 && sa.sa_handler == SIG_IGN);
	CHECK(sigaction(SIGCHLD, NULL, &sa) == 0 && sa.sa_handler == SIG_IGN);
	CHECK(sigprocmask(SIG_BLOCK, NULL, &set) == 0);
	CHECK(sigismember(&set, SIGUSR1) && sigismember(&set, SIGRTMIN + 3));
	CHECK(!sigismember(&set, SIGTERM));
	CHECK(is_pending(SIGUSR1) && is_pending(SIGRTMIN + 3));
	CHECK(sigaltstack(NULL, &ss) == 0 && ss.ss_flags == SS_DISABLE);
	return 32;
}

static void handlers_reset_but_ignored_mask_and_pending_stay(void)
{
	CHILD(pid)
	{
		stack_t ss = {.ss_sp = malloc(65536), .ss_size = 65536};

		CHECK(sigaltstack(&ss, NULL) == 0);
		handle(SIGUSR1, on_signal, SA_ONSTACK);
		handle(SIGUSR2, SIG_IGN, 0);
		handle(SIGCHLD, SIG_IGN, 0);
		block(SIGUSR1);
		block(SIGRTMIN + 3);
		CHECK(kill(getpid(), SIGUSR1) == 0);
		CHECK(syscall(SYS_tgkill, getpid(), getpid(), SIGRTMIN + 3) == 0);
		EXEC_ROLE("signals");
	}
	WAIT_EXIT(pid, 32);
}

static int role_attributes(char **argv)
{
	char here[PATH_MAX];
	struct rlimit lim;
	struct itimerval it;

	CHECK(getcwd(here, sizeof(here)) && strcmp(here, argv[2]) == 0);
	CHECK(umask(0) == 0123);
	CHECK(getrlimit(RLIMIT_NOFILE, &lim) == 0 && lim.rlim_cur == 99);
	CHECK(getpriority(PRIO_PROCESS, 0) == 3);
	CHECK(getitimer(ITIMER_REAL, &it) == 0 && it.it_value.tv_sec > 50);
	CHECK(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
	CHECK(prctl(PR_GET_DUMPABLE) == 1);
	CHECK(prctl(PR_GET_KEEPCAPS) == 0);
	int subreaper = 0;
	int death = 0;
	CHECK(prctl(PR_GET_CHILD_SUBREAPER, &subreaper) == 0 && subreaper == 1);
	CHECK(prctl(PR_GET_PDEATHSIG, &death) == 0 && death == SIGUSR2);
	return 33;
}

static void other_attributes_are_kept(void)
{
	CHILD(pid)
	{
		struct itimerval it = {{0, 0}, {100, 0}};
		struct rlimit lim = {99, 99};
		char here[PATH_MAX];

		CHECK(getcwd(here, sizeof(here)));
		umask(0123);
		CHECK(setrlimit(RLIMIT_NOFILE, &lim) == 0);
		CHECK(setpriority(PRIO_PROCESS, 0, 3) == 0);
		CHECK(setitimer(ITIMER_REAL, &it, NULL) == 0);
		CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
		CHECK(prctl(PR_SET_DUMPABLE, 0) == 0);
		CHECK(prctl(PR_SET_KEEPCAPS, 1) == 0);
		CHECK(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
		CHECK(prctl(PR_SET_PDEATHSIG, SIGUSR2) == 0);
		EXEC_ROLE("attributes", here);
	}
	WAIT_EXIT(pid, 33);
}

static void memory_is_new(void)
{
	void *at = (void *)0x200000000;
	void *p = mmap(at, 4096, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	CHECK(p == at);
	RUN_ROLE(34, "no-memory");
	CHECK(munmap(p, 4096) == 0);
}

static int role_no_memory(void)
{
	void *at = (void *)0x200000000;

	FAILS(ENOMEM, msync(at, 4096, MS_ASYNC));
	return 34;
}

static void children_are_kept(void)
{
	CHILD(pid)
	{
		pid_t inner = fork_or_die();
		char s[16];

		if (inner == 0) {
			sleep_ms(30);
			_exit(12);
		}
		snprintf(s, sizeof(s), "%d", inner);
		EXEC_ROLE("wait", s);
	}
	WAIT_EXIT(pid, 35);
}

static int role_wait(char **argv)
{
	WAIT_EXIT(atoi(argv[2]), 12);
	return 35;
}

static void a_chain_of_execs_keeps_one_pid(void)
{
	CHILD(pid)
	{
		char s[16];

		snprintf(s, sizeof(s), "%d", getpid());
		EXEC_ROLE("chain", s, "20");
	}
	WAIT_EXIT(pid, 36);
}

static int role_chain(char **argv)
{
	char left[16];

	CHECK(getpid() == atoi(argv[2]));
	if (atoi(argv[3]) == 0)
		return 36;
	snprintf(left, sizeof(left), "%d", atoi(argv[3]) - 1);
	EXEC_ROLE("chain", argv[2], left);
}

static void stdio_and_pipes_stay_connected(void)
{
	char buf[64] = "";
	size_t n = 0;
	ssize_t got;
	int p[2];

	CHECK(pipe(p) == 0);
	CHILD(pid)
	{
		CHECK(dup2(p[1], 1) == 1);
		EXEC_ROLE("print", "hello");
	}
	close(p[1]);
	while ((got = read(p[0], buf + n, sizeof(buf) - n)) > 0)
		n += (size_t)got;
	CHECK(strcmp(buf, "hello\n") == 0);
	close(p[0]);
	WAIT_EXIT(pid, 0);
}

/* ---- refusals ---- */

static void paths_that_cannot_run(void)
{
	char *file = tmp_name("file");
	char *link1 = tmp_name("loop1");
	char *link2 = tmp_name("loop2");
	char name[5000];
	char *argv[] = {"x", NULL};

	FAILS(ENOENT, execve("", argv, no_env));
	FAILS(ENOENT, execve("./no-such-file", argv, no_env));
	FAILS(EACCES, execve("/", argv, no_env));
	FAILS(EACCES, execve(".", argv, no_env));
	FAILS(EACCES, execve("/dev/null", argv, no_env));
	write_file(file, "", 0, 0644);
	FAILS(EACCES, execve(file, argv, no_env));
	CHECK(chmod(file, 0755) == 0);
	FAILS(ENOEXEC, execve(file, argv, no_env));
	snprintf(name, sizeof(name), "%s/x", file);
	FAILS(ENOTDIR, execve(name, argv, no_env));
	snprintf(name, sizeof(name), "%s/", file);
	FAILS(ENOTDIR, execve(name, argv, no_env));
	CHECK(symlink(link1, link2) == 0 && symlink(link2, link1) == 0);
	FAILS(ELOOP, execve(link1, argv, no_env));
	memset(name, 'n', sizeof(name));
	name[256] = 0;
	FAILS(ENAMETOOLONG, execve(name, argv, no_env));
	for (int i = 0; i < 4999; i += 2)
		memcpy(name + i, "/.", 2);
	name[4999] = 0;
	FAILS(ENAMETOOLONG, execve(name, argv, no_env));
	unlink(file);
	unlink(link1);
	unlink(link2);
}

static void bad_pointers_give_efault(void)
{
	char *one_bad[] = {"x", (char *)BAD_PTR, NULL};
	char *argv[] = {"x", NULL};
	char **edge = mmap(NULL, 8192, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	FAILS(EFAULT, syscall(SYS_execve, BAD_PTR, argv, no_env));
	FAILS(EFAULT, syscall(SYS_execve, KERNEL_PTR, argv, no_env));
	FAILS(EFAULT, syscall(SYS_execve, self, BAD_PTR, no_env));
	FAILS(EFAULT, syscall(SYS_execve, self, KERNEL_PTR, no_env));
	FAILS(EFAULT, syscall(SYS_execve, self, argv, BAD_PTR));
	FAILS(EFAULT, syscall(SYS_execve, self, one_bad, no_env));
	FAILS(EFAULT, syscall(SYS_execve, self, argv, one_bad));
	CHECK(edge != MAP_FAILED && munmap(edge + 512, 4096) == 0);
	edge[511] = "x"; /* a vector that runs off its page */
	FAILS(EFAULT, syscall(SYS_execve, self, edge + 511, no_env));
	munmap(edge, 4096);
}

static void a_directory_without_search_gives_eacces(void)
{
	char *dir = tmp_name("dir");
	char name[PATH_MAX];

	CHECK(mkdir(dir, 0700) == 0);
	snprintf(name, sizeof(name), "%s/prog", dir);
	write_script(name, "#!/bin/sh\n");
	CHECK(chmod(dir, 0) == 0);
	CHILD(pid)
	{
		char *argv[] = {"x", NULL};

		if (geteuid() == 0)
			CHECK(setresuid(48213, 48213, 48213) == 0);
		FAILS(EACCES, execve(name, argv, no_env));
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
	CHECK(chmod(dir, 0700) == 0);
	unlink(name);
	CHECK(rmdir(dir) == 0);
}

static void copy_self(const char *name)
{
	static char buf[65536];
	int in = open(self, O_RDONLY | O_CLOEXEC);
	int out = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
	ssize_t n;

	CHECK(in >= 0 && out >= 0);
	while ((n = read(in, buf, sizeof(buf))) > 0)
		CHECK(write(out, buf, (size_t)n) == n);
	close(in);
	close(out);
}

static void a_file_open_for_writing_gives_etxtbsy(void)
{
	char *name = tmp_name("busy");
	char *argv[] = {"execve", "ready", NULL};
	int p[2];
	int fd;
	char c;

	copy_self(name);
	fd = open(name, O_WRONLY | O_CLOEXEC);
	CHECK(fd >= 0);
	FAILS(ETXTBSY, execve(name, argv, no_env));
	close(fd);
	CHECK(pipe(p) == 0);
	CHILD(pid)
	{
		dup2(p[1], 1);
		execve(name, argv, no_env);
		_exit(126);
	}
	close(p[1]);
	CHECK(read(p[0], &c, 1) == 1); /* it runs now */
	FAILS(ETXTBSY, open(name, O_WRONLY));
	FAILS(ETXTBSY, truncate(name, 0));
	CHECK(unlink(name) == 0);
	CHECK(kill(pid, SIGKILL) == 0);
	WAIT_SIGNAL(pid, SIGKILL);
	close(p[0]);
}

static void refusal_leaves_the_process_as_it_was(void)
{
	struct sigaction sa;
	char *argv[] = {"x", NULL};
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	char name[16];

	handle(SIGUSR1, on_signal, 0);
	CHECK(prctl(PR_SET_NAME, "still-me") == 0);
	FAILS(ENOENT, execve("./no-such-file", argv, no_env));
	FAILS(EACCES, execve("/", argv, no_env));
	CHECK(sigaction(SIGUSR1, NULL, &sa) == 0 && sa.sa_handler == on_signal);
	CHECK(fcntl(fd, F_GETFD) == FD_CLOEXEC);
	CHECK(prctl(PR_GET_NAME, name) == 0 && strcmp(name, "still-me") == 0);
	close(fd);
}

static void exec_after_vfork_frees_the_parent(void)
{
	char *argv[] = {"execve", "args", "", "a b", "\xff\n", "--", NULL};

	for (int i = 0; i < 10; i++) {
		pid_t pid = vfork();

		if (pid == 0) {
			execve(self, argv, no_env);
			_exit(126);
		}
		WAIT_EXIT(pid, 21);
	}
}

static void *exec_loop(void *arg)
{
	(void)arg;
	for (int i = 0; i < 8; i++)
		RUN_ROLE(28, "stack");
	return NULL;
}

static void threads_start_programs_at_the_same_time(void)
{
	pthread_t t[3];

	for (int i = 0; i < 3; i++)
		thread_start(&t[i], exec_loop, NULL);
	for (int i = 0; i < 3; i++)
		thread_join(t[i]);
}

static void a_signal_may_arrive_during_exec(void)
{
	for (int i = 0; i < 20; i++) {
		CHILD(pid)
		{
			EXEC_ROLE("pause");
		}
		if (i & 1)
			sched_yield();
		CHECK(kill(pid, SIGTERM) == 0);
		WAIT_SIGNAL(pid, SIGTERM);
	}
}

static const struct test all[] = {
	TEST(arguments_arrive),
	TEST(environment_arrives_in_order),
	TEST(empty_environment_may_be_null),
	TEST(missing_arguments_become_one_empty),
	TEST(a_thousand_arguments_arrive),
	TEST(one_string_may_be_128_kib),
	TEST(too_many_bytes_give_e2big),
	TEST(auxiliary_vector_is_complete),
	TEST(first_stack_is_aligned),
	TEST(proc_shows_the_new_program),
	TEST(pid_parent_group_and_session_are_kept),
	TEST(exec_of_a_thread_takes_the_leaders_pid),
	TEST(exec_of_a_thread_whose_leader_is_gone),
	TEST(exec_of_the_leader_ends_the_other_threads),
	TEST(racing_execs_run_one_program),
	TEST(cloexec_descriptors_close_and_others_stay),
	TEST(handlers_reset_but_ignored_mask_and_pending_stay),
	TEST(other_attributes_are_kept),
	TEST(memory_is_new),
	TEST(children_are_kept),
	TEST(a_chain_of_execs_keeps_one_pid),
	TEST(stdio_and_pipes_stay_connected),
	TEST(paths_that_cannot_run),
	TEST(bad_pointers_give_efault),
	TEST(a_directory_without_search_gives_eacces),
	TEST(a_file_open_for_writing_gives_etxtbsy),
	TEST(refusal_leaves_the_process_as_it_was),
	TEST(exec_after_vfork_frees_the_parent),
	TEST(threads_start_programs_at_the_same_time),
	TEST(a_signal_may_arrive_during_exec),
};

static int role_main(int argc, char **argv)
{
	const char *role = argv[1];

	if (!strcmp(role, "args"))
		return role_args(argc, argv);
	if (!strcmp(role, "env"))
		return role_env();
	if (!strcmp(role, "no-env"))
		return environ[0] ? 1 : 23;
	if (!strcmp(role, "many"))
		return argc == 2002 && !argv[2002] && strlen(argv[2001]) == 26 ? 25 : 1;
	if (!strcmp(role, "length"))
		return strlen(argv[2]) == 131071 ? 26 : 1;
	if (!strcmp(role, "auxv"))
		return role_auxv();
	if (!strcmp(role, "stack"))
		return role_stack(argv);
	if (!strcmp(role, "proc"))
		return role_proc(argc, argv);
	if (!strcmp(role, "ids"))
		return role_ids(argv);
	if (!strcmp(role, "fds"))
		return role_fds(argv);
	if (!strcmp(role, "signals"))
		return role_signals();
	if (!strcmp(role, "attributes"))
		return role_attributes(argv);
	if (!strcmp(role, "no-memory"))
		return role_no_memory();
	if (!strcmp(role, "wait"))
		return role_wait(argv);
	if (!strcmp(role, "chain"))
		return role_chain(argv);
	if (!strcmp(role, "print"))
		return puts(argv[2]) < 0;
	if (!strcmp(role, "pause"))
		return pause();
	if (!strcmp(role, "ready"))
		return (int)write(1, "r", 1) + pause();
	return 125;
}

int main(int argc, char **argv)
{
	const char *role = getenv("ROLE");

	self_find();
	if (role && !strcmp(role, "empty-argv"))
		return argc == 1 && argv[0][0] == 0 && !argv[1] ? 24 : 1;
	if (argc > 1)
		return role_main(argc, argv);
	return test_main(all, sizeof(all) / sizeof(all[0]));
}
