/* SPDX-License-Identifier: MIT */
/* prctl.c - the small attributes of a process and of a thread. */
#include "proc.h"
#include <sys/prctl.h>

static long ctl(int op, unsigned long a, unsigned long b, unsigned long c,
		unsigned long d)
{
	return syscall(SYS_prctl, op, a, b, c, d);
}

static void names_are_cut_at_fifteen(void)
{
	char name[17];
	char comm[32] = "";
	int fd;

	memset(name, 'x', sizeof(name));
	CHECK(ctl(PR_SET_NAME, (long)"a name that is too long", 0, 0, 0) == 0);
	CHECK(ctl(PR_GET_NAME, (long)name, 0, 0, 0) == 0);
	CHECK(strcmp(name, "a name that is ") == 0 && name[16] == 'x');
	CHECK(ctl(PR_SET_NAME, (long)"short", 0, 0, 0) == 0);
	CHECK(ctl(PR_GET_NAME, (long)name, 0, 0, 0) == 0 && strcmp(name, "short") == 0);
	fd = open("/proc/self/comm", O_RDONLY);
	CHECK(fd >= 0 && read(fd, comm, sizeof(comm)) == 6 &&
	      strcmp(comm, "short\n") == 0);
	close(fd);
	FAILS(EFAULT, ctl(PR_SET_NAME, (long)BAD_PTR, 0, 0, 0));
	FAILS(EFAULT, ctl(PR_GET_NAME, (long)KERNEL_PTR, 0, 0, 0));
}

static void the_parents_death_sends_a_signal(void)
{
	CHILD(outer)
	{
		volatile pid_t *inner = share_page();

		CHECK(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
		CHILD(middle)
		{
			if (fork_or_die() == 0) {
				CHECK(ctl(PR_SET_PDEATHSIG, SIGUSR1, 0, 0, 0) == 0);
				*inner = getpid();
				for (;;)
					pause();
			}
			while (*inner == 0)
				sched_yield();
			_exit(0);
		}
		WAIT_EXIT(middle, 0);
		WAIT_SIGNAL(*inner, SIGUSR1);
		_exit(0);
	}
	WAIT_EXIT(outer, 0);
}

static volatile pid_t *child_of_thread;

static void *fork_and_leave(void *arg)
{
	if (fork_or_die() == 0) {
		CHECK(ctl(PR_SET_PDEATHSIG, SIGUSR1, 0, 0, 0) == 0);
		*child_of_thread = getpid();
		for (;;)
			pause();
	}
	while (*child_of_thread == 0)
		sched_yield();
	return arg;
}

static void the_end_of_the_forking_thread_counts_as_death(void)
{
	pthread_t t;

	child_of_thread = share_page();
	thread_start(&t, fork_and_leave, NULL);
	thread_join(t);
	WAIT_SIGNAL(*child_of_thread, SIGUSR1);
	munmap((void *)child_of_thread, 4096);
}

static void death_signal_is_not_inherited(void)
{
	int sig = -1;

	FAILS(EINVAL, ctl(PR_SET_PDEATHSIG, 65, 0, 0, 0));
	FAILS(EINVAL, ctl(PR_SET_PDEATHSIG, -1ul, 0, 0, 0));
	CHECK(ctl(PR_SET_PDEATHSIG, SIGUSR2, 0, 0, 0) == 0);
	CHECK(ctl(PR_GET_PDEATHSIG, (long)&sig, 0, 0, 0) == 0 && sig == SIGUSR2);
	FAILS(EFAULT, ctl(PR_GET_PDEATHSIG, (long)BAD_PTR, 0, 0, 0));
	CHILD(pid)
	{
		CHECK(ctl(PR_GET_PDEATHSIG, (long)&sig, 0, 0, 0) == 0);
		_exit(sig);
	}
	WAIT_EXIT(pid, 0);
	CHECK(ctl(PR_SET_PDEATHSIG, 0, 0, 0, 0) == 0);
}

static void subreaper_is_a_flag_of_the_process(void)
{
	CHILD(pid)
	{
		int on = -1;

		CHECK(ctl(PR_GET_CHILD_SUBREAPER, (long)&on, 0, 0, 0) == 0 && on == 0);
		CHECK(ctl(PR_SET_CHILD_SUBREAPER, 17, 0, 0, 0) == 0);
		CHECK(ctl(PR_GET_CHILD_SUBREAPER, (long)&on, 0, 0, 0) == 0 && on == 1);
		FAILS(EFAULT, ctl(PR_GET_CHILD_SUBREAPER, (long)BAD_PTR, 0, 0, 0));
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
}

static void dumpable_is_zero_or_one(void)
{
	CHILD(pid)
	{
		CHECK(ctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 1);
		CHECK(ctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0);
		CHECK(ctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0);
		FAILS(EINVAL, ctl(PR_SET_DUMPABLE, 2, 0, 0, 0));
		FAILS(EINVAL, ctl(PR_SET_DUMPABLE, 3, 0, 0, 0));
		CHECK(ctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0);
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
}

static void no_new_privs_cannot_be_undone(void)
{
	CHILD(pid)
	{
		CHECK(ctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
		CHECK(ctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
		FAILS(EINVAL, ctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0));
		FAILS(EINVAL, ctl(PR_SET_NO_NEW_PRIVS, 2, 0, 0, 0));
		FAILS(EINVAL, ctl(PR_SET_NO_NEW_PRIVS, 1, 1, 0, 0));
		FAILS(EINVAL, ctl(PR_GET_NO_NEW_PRIVS, 1, 0, 0, 0));
		CHILD(inner)
		{
			_exit((int)ctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
		}
		WAIT_EXIT(inner, 1);
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
}

static void keepcaps_is_zero_or_one(void)
{
	CHILD(pid)
	{
		CHECK(ctl(PR_GET_KEEPCAPS, 0, 0, 0, 0) == 0);
		CHECK(ctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) == 0);
		CHECK(ctl(PR_GET_KEEPCAPS, 0, 0, 0, 0) == 1);
		FAILS(EINVAL, ctl(PR_SET_KEEPCAPS, 2, 0, 0, 0));
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
}

static void timer_slack_is_kept(void)
{
	CHILD(pid)
	{
		CHECK(ctl(PR_GET_TIMERSLACK, 0, 0, 0, 0) > 0);
		CHECK(ctl(PR_SET_TIMERSLACK, 12345, 0, 0, 0) == 0);
		CHECK(ctl(PR_GET_TIMERSLACK, 0, 0, 0, 0) == 12345);
		CHILD(inner)
		{
			if (ctl(PR_GET_TIMERSLACK, 0, 0, 0, 0) != 12345 ||
			    ctl(PR_SET_TIMERSLACK, 1, 0, 0, 0) != 0 ||
			    ctl(PR_SET_TIMERSLACK, 0, 0, 0, 0) != 0)
				_exit(1);
			/* 0 brings back what it was born with. */
			_exit(ctl(PR_GET_TIMERSLACK, 0, 0, 0, 0) == 12345 ? 3 : 1);
		}
		WAIT_EXIT(inner, 3);
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
}

static void huge_pages_can_be_refused(void)
{
	CHILD(pid)
	{
		CHECK(ctl(PR_GET_THP_DISABLE, 0, 0, 0, 0) == 0);
		CHECK(ctl(PR_SET_THP_DISABLE, 1, 0, 0, 0) == 0);
		CHECK(ctl(PR_GET_THP_DISABLE, 0, 0, 0, 0) == 1);
		CHECK(ctl(PR_SET_THP_DISABLE, 0, 0, 0, 0) == 0);
		FAILS(EINVAL, ctl(PR_GET_THP_DISABLE, 1, 0, 0, 0));
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
}

static void capabilities_can_be_asked_for(void)
{
	for (unsigned long cap = 0; cap < 10; cap++) {
		long has = ctl(PR_CAPBSET_READ, cap, 0, 0, 0);

		CHECK(has == 0 || has == 1);
	}
	FAILS(EINVAL, ctl(PR_CAPBSET_READ, 999, 0, 0, 0));
	CHECK(ctl(PR_GET_SECUREBITS, 0, 0, 0, 0) == 0);
}

/* What interpreters are to do, since Linux 6.14: anybody may ask it of himself. */
static void interpreters_can_be_told_what_to_run(void)
{
	CHILD(pid)
	{
		enum {
			FILE_ = 1 << 8,
			FILE_LOCK = 2 << 8,
			ASK = 4 << 8,
			ASK_LOCK = 8 << 8
		};

		if (geteuid() == 0)
			CHECK(setresuid(65534, 65534, 65534) == 0);
		CHECK(ctl(PR_SET_SECUREBITS, FILE_, 0, 0, 0) == 0);
		CHECK(ctl(PR_GET_SECUREBITS, 0, 0, 0, 0) == FILE_);
		FAILS(EPERM, ctl(PR_SET_SECUREBITS, FILE_, 0, 0, 0)); /* nothing new */
		FAILS(EPERM, ctl(PR_SET_SECUREBITS, FILE_ | 1, 0, 0, 0));
		FAILS(EPERM, ctl(PR_SET_SECUREBITS, FILE_ | 1 << 4, 0, 0, 0));
		FAILS(EPERM, ctl(PR_SET_SECUREBITS, 1 << 12, 0, 0, 0));
		CHECK(ctl(PR_SET_SECUREBITS, 0, 0, 0, 0) == 0);
		CHECK(ctl(PR_SET_SECUREBITS, FILE_ | FILE_LOCK, 0, 0, 0) == 0);
		FAILS(EPERM, ctl(PR_SET_SECUREBITS, FILE_LOCK, 0, 0, 0));
		FAILS(EPERM, ctl(PR_SET_SECUREBITS, FILE_, 0, 0, 0));
		CHECK(ctl(PR_SET_SECUREBITS, FILE_ | FILE_LOCK | ASK | ASK_LOCK, 0, 0,
			  0) == 0);
		CHILD(inner)
		{
			CHECK(ctl(PR_GET_SECUREBITS, 0, 0, 0, 0) == 0xf00);
			_exit(0);
		}
		WAIT_EXIT(inner, 0);
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
}

static void the_rest_answers_as_on_linux(void)
{
	CHECK(ctl(PR_GET_TIMING, 0, 0, 0, 0) == PR_TIMING_STATISTICAL);
	FAILS(EINVAL, ctl(PR_SET_TIMING, PR_TIMING_TIMESTAMP, 0, 0, 0));
	CHECK(ctl(PR_GET_SECCOMP, 0, 0, 0, 0) == 0);
	FAILS(EINVAL, ctl(999999, 0, 0, 0, 0));
	FAILS(EINVAL, ctl(-1, 0, 0, 0, 0));
	FAILS(EINVAL, ctl(0, 0, 0, 0, 0));
}

static void broken_memory_is_told_of_as_asked(void)
{
	CHILD(pid)
	{
		CHECK(ctl(PR_MCE_KILL_GET, 0, 0, 0, 0) == PR_MCE_KILL_DEFAULT);
		CHECK(ctl(PR_MCE_KILL, PR_MCE_KILL_SET, PR_MCE_KILL_EARLY, 0, 0) == 0);
		CHECK(ctl(PR_MCE_KILL_GET, 0, 0, 0, 0) == PR_MCE_KILL_EARLY);
		CHILD(inner)
		{
			_exit((int)ctl(PR_MCE_KILL_GET, 0, 0, 0, 0));
		}
		WAIT_EXIT(inner, PR_MCE_KILL_EARLY);
		CHECK(ctl(PR_MCE_KILL, PR_MCE_KILL_CLEAR, 0, 0, 0) == 0);
		CHECK(ctl(PR_MCE_KILL_GET, 0, 0, 0, 0) == PR_MCE_KILL_DEFAULT);
		FAILS(EINVAL, ctl(PR_MCE_KILL, PR_MCE_KILL_SET, 3, 0, 0));
		FAILS(EINVAL, ctl(PR_MCE_KILL, 2, 0, 0, 0));
		FAILS(EINVAL, ctl(PR_MCE_KILL, PR_MCE_KILL_CLEAR, 1, 0, 0));
		FAILS(EINVAL, ctl(PR_MCE_KILL, PR_MCE_KILL_SET, 1, 1, 0));
		FAILS(EINVAL, ctl(PR_MCE_KILL_GET, 1, 0, 0, 0));
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
}

#ifndef PR_SET_MDWE
#define PR_SET_MDWE 65
#define PR_GET_MDWE 66
#endif
#define REFUSE	   1UL
#define NO_INHERIT 2UL

static void *map_with(int prot)
{
	return mmap(NULL, 4096, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void refuse_exec_gain(void)
{
	void *rw = map_with(PROT_READ | PROT_WRITE);
	void *rx = map_with(PROT_READ | PROT_EXEC);

	CHECK(rw != MAP_FAILED && rx != MAP_FAILED);
	CHECK(ctl(PR_SET_MDWE, REFUSE, 0, 0, 0) == 0);
	CHECK(ctl(PR_GET_MDWE, 0, 0, 0, 0) == (long)REFUSE);
	FAILS(EACCES, map_with(PROT_READ | PROT_WRITE | PROT_EXEC));
	FAILS(EACCES, mprotect(rw, 4096, PROT_READ | PROT_EXEC));
	FAILS(EACCES, mprotect(rx, 4096, PROT_READ | PROT_WRITE | PROT_EXEC));
	CHECK(mprotect(rx, 4096, PROT_READ | PROT_EXEC) == 0);
	CHECK(mprotect(rx, 4096, PROT_READ) == 0);
	FAILS(EACCES, mprotect(rx, 4096, PROT_READ | PROT_EXEC));
	CHECK(map_with(PROT_READ | PROT_EXEC) != MAP_FAILED);
}

static void what_could_be_written_to_is_not_executed(void)
{
	CHILD(pid)
	{
		CHECK(ctl(PR_GET_MDWE, 0, 0, 0, 0) == 0);
		FAILS(EINVAL, ctl(PR_SET_MDWE, NO_INHERIT, 0, 0, 0));
		FAILS(EINVAL, ctl(PR_SET_MDWE, 4, 0, 0, 0));
		FAILS(EINVAL, ctl(PR_SET_MDWE, REFUSE, 1, 0, 0));
		FAILS(EINVAL, ctl(PR_GET_MDWE, 1, 0, 0, 0));
		refuse_exec_gain();
		CHECK(ctl(PR_SET_MDWE, REFUSE, 0, 0, 0) == 0);
		FAILS(EPERM, ctl(PR_SET_MDWE, 0, 0, 0, 0));
		FAILS(EPERM, ctl(PR_SET_MDWE, REFUSE | NO_INHERIT, 0, 0, 0));
		CHILD(inner)
		{
			_exit((int)ctl(PR_GET_MDWE, 0, 0, 0, 0));
		}
		WAIT_EXIT(inner, (int)REFUSE);
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
	CHILD(other)
	{
		CHECK(ctl(PR_SET_MDWE, REFUSE | NO_INHERIT, 0, 0, 0) == 0);
		CHILD(inner)
		{
			_exit((int)ctl(PR_GET_MDWE, 0, 0, 0, 0));
		}
		WAIT_EXIT(inner, 0);
		_exit(0);
	}
	WAIT_EXIT(other, 0);
}

static void settings_that_are_kept(void)
{
	enum { SET_IO_FLUSHER = 57, GET_IO_FLUSHER, SET_MERGE = 67, GET_MERGE };

	CHILD(pid)
	{
		if (ctl(GET_IO_FLUSHER, 0, 0, 0, 0) == 0) {
			CHECK(ctl(SET_IO_FLUSHER, 1, 0, 0, 0) == 0);
			CHECK(ctl(GET_IO_FLUSHER, 0, 0, 0, 0) == 1);
			FAILS(EINVAL, ctl(SET_IO_FLUSHER, 2, 0, 0, 0));
			FAILS(EINVAL, ctl(GET_IO_FLUSHER, 1, 0, 0, 0));
		} else {
			FAILS(EPERM, ctl(SET_IO_FLUSHER, 1, 0, 0, 0));
			FAILS(EPERM, ctl(GET_IO_FLUSHER, 1, 1, 1, 1));
		}
		if (ctl(SET_MERGE, 2, 0, 0, 0) == 0) {
			CHECK(ctl(GET_MERGE, 0, 0, 0, 0) == 1);
			CHECK(ctl(SET_MERGE, 0, 0, 0, 0) == 0);
			CHECK(ctl(GET_MERGE, 0, 0, 0, 0) == 0);
		}
		FAILS(EINVAL, ctl(SET_MERGE, 1, 1, 0, 0));
		FAILS(EINVAL, ctl(GET_MERGE, 1, 0, 0, 0));
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
}

static void speculation_takes_no_more_arguments(void)
{
	FAILS(EINVAL, prctl(PR_GET_SPECULATION_CTRL, 0, 1, 0, 0));
	FAILS(EINVAL, prctl(PR_GET_SPECULATION_CTRL, 0, 0, 1, 0));
	FAILS(EINVAL, prctl(PR_GET_SPECULATION_CTRL, 0, 0, 0, 1));
	FAILS(EINVAL, prctl(PR_SET_SPECULATION_CTRL, 0, 2, 1, 0));
	FAILS(EINVAL, prctl(PR_SET_SPECULATION_CTRL, 0, 2, 0, 1));
}

/* Programs that see its setting rely on the call: Open MPI, valgrind. */
static void who_may_trace_can_be_told_where_yama_is_there(void)
{
	if (access("/proc/sys/kernel/yama/ptrace_scope", F_OK))
		FAILS(EINVAL, prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0));
	else
		CHECK(prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0) == 0);
}

RUN(TEST(names_are_cut_at_fifteen), TEST(the_parents_death_sends_a_signal),
    TEST(the_end_of_the_forking_thread_counts_as_death),
    TEST(death_signal_is_not_inherited), TEST(subreaper_is_a_flag_of_the_process),
    TEST(dumpable_is_zero_or_one), TEST(no_new_privs_cannot_be_undone),
    TEST(keepcaps_is_zero_or_one), TEST(timer_slack_is_kept),
    TEST(huge_pages_can_be_refused), TEST(capabilities_can_be_asked_for),
    TEST(interpreters_can_be_told_what_to_run), TEST(the_rest_answers_as_on_linux),
    TEST(speculation_takes_no_more_arguments), TEST(broken_memory_is_told_of_as_asked),
    TEST(what_could_be_written_to_is_not_executed), TEST(settings_that_are_kept),
    TEST(who_may_trace_can_be_told_where_yama_is_there))
