/* SPDX-License-Identifier: MIT */
/* calls: setrlimit prlimit64 setpriority sched_setscheduler execve setuid */
/* limits_users.c - limits on what a task may ask for and how long it may run: RTTIME,
 * NICE, RTPRIO, and NPROC when a program is run after a change of user. */
#include "capability.h"
#include "proc.h"
#include <sys/file.h>

#define NOBODY 0x7ffffff0

static long policy(int which, int priority)
{
	struct sched_param p = {priority};

	return syscall(SYS_sched_setscheduler, 0, which, &p);
}

static void become_nobody(void)
{
	if (geteuid() == 0)
		CHECK(setgid(NOBODY) == 0 && setuid(NOBODY) == 0);
}

static volatile int told;
static volatile long told_at; /* ms of CPU time */

static long cpu_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void note(int sig)
{
	(void)sig;
	told++;
	told_at = cpu_ms();
}

static void spin_ms(long ms)
{
	long end = cpu_ms() + ms;

	while (cpu_ms() < end)
		;
}

/* A real-time task that does not sleep hears SIGXCPU at the soft limit. */
static void realtime_does_not_run_for_ever(void)
{
	if (!has_cap(CAP_SYS_NICE))
		return;
	CHILD(pid)
	{
		struct rlimit soft = {200000, RLIM_INFINITY};

		handle(SIGXCPU, note, 0);
		if (policy(SCHED_RR, 1) == -1)
			_exit(errno == EPERM ? 0 : 1);
		CHECK(setrlimit(RLIMIT_RTTIME, &soft) == 0);
		for (int i = 0; i < 6; i++) { /* a sleep starts the count anew */
			spin_ms(80);
			sleep_ms(15);
		}
		CHECK(told == 0);
		while (!told && cpu_ms() < 5000)
			;
		CHECK(told == 1 && told_at >= 600 && told_at <= 1000);
		CHECK(getrlimit(RLIMIT_RTTIME, &soft) == 0);
		CHECK(soft.rlim_cur == 1200000); /* again in a second */
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
}

static void at_the_hard_limit_it_ends(void)
{
	if (!has_cap(CAP_SYS_NICE))
		return;
	CHILD(pid)
	{
		struct rlimit hard = {100000, 300000};

		handle(SIGXCPU, note, 0);
		CHECK(setrlimit(RLIMIT_RTTIME, &hard) == 0);
		spin_ms(350); /* it is for real-time tasks only */
		CHECK(told == 0);
		if (policy(SCHED_FIFO, 1) == -1)
			raise(SIGKILL);
		for (long end = cpu_ms() + 5000; cpu_ms() < end;)
			;
		_exit(told);
	}
	WAIT_SIGNAL(pid, SIGKILL);
}

static void children_inherit_the_limit(void)
{
	if (!has_cap(CAP_SYS_NICE))
		return;
	CHILD(pid)
	{
		struct rlimit hard = {100000, 200000};

		handle(SIGXCPU, SIG_IGN, 0);
		if (policy(SCHED_RR, 1) == -1)
			raise(SIGKILL);
		CHECK(setrlimit(RLIMIT_RTTIME, &hard) == 0);
		CHILD(inner)
		{
			for (long end = cpu_ms() + 5000; cpu_ms() < end;)
				;
			_exit(0);
		}
		WAIT_SIGNAL(inner, SIGKILL);
		raise(SIGKILL);
	}
	WAIT_SIGNAL(pid, SIGKILL);
}

/* Kept and inherited, and no limit any more. */
static void locks_and_resident_memory_are_not_limited(void)
{
	CHILD(pid)
	{
		struct rlimit none = {0, 0}, now;
		struct flock lock = {
			.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 10};
		int fd = open("locked", O_RDWR | O_CREAT, 0600);

		CHECK(fd >= 0 && setrlimit(RLIMIT_LOCKS, &none) == 0);
		CHECK(setrlimit(RLIMIT_RSS, &none) == 0);
		CHECK(fcntl(fd, F_SETLK, &lock) == 0 && flock(fd, LOCK_EX) == 0);
		CHECK(memset(share_page(), 1, 4096));
		CHECK(getrlimit(RLIMIT_LOCKS, &now) == 0 && now.rlim_max == 0);
		CHILD(inner)
		{
			CHECK(getrlimit(RLIMIT_RSS, &now) == 0 && now.rlim_max == 0);
			_exit(0);
		}
		WAIT_EXIT(inner, 0);
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
}

static void nice_values_may_rise_to_the_limit(void)
{
	CHILD(pid)
	{
		struct rlimit some = {25, 25}, none = {0, 0};

		if (!has_cap(CAP_SYS_RESOURCE))
			some.rlim_cur = some.rlim_max = 0;
		CHECK(setrlimit(RLIMIT_NICE, &some) == 0);
		become_nobody();
		CHECK(setpriority(PRIO_PROCESS, 0, 10) == 0);
		if (some.rlim_cur) {
			CHECK(setpriority(PRIO_PROCESS, 0, -5) == 0);
			FAILS(EACCES, setpriority(PRIO_PROCESS, 0, -6));
			CHECK(policy(SCHED_IDLE, 0) == 0);
			CHECK(policy(SCHED_OTHER, 0) == 0);
			CHECK(setrlimit(RLIMIT_NICE, &none) == 0);
		}
		FAILS(EACCES, setpriority(PRIO_PROCESS, 0, -10));
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
}

static void priorities_may_rise_to_the_limit(void)
{
	CHILD(pid)
	{
		struct rlimit some = {10, 10}, none = {0, 0};

		if (!has_cap(CAP_SYS_RESOURCE))
			some.rlim_cur = some.rlim_max = 0;
		CHECK(setrlimit(RLIMIT_RTPRIO, &some) == 0);
		become_nobody();
		if (!some.rlim_cur) {
			FAILS(EPERM, policy(SCHED_FIFO, 1));
			_exit(0);
		}
		if (policy(SCHED_FIFO, 10) == -1)
			_exit(errno == EPERM ? 0 : 1);
		FAILS(EPERM, policy(SCHED_FIFO, 11));
		CHECK(policy(SCHED_RR, 5) == 0);
		CHECK(setrlimit(RLIMIT_RTPRIO, &none) == 0);
		CHECK(policy(SCHED_RR, 4) == 0); /* down, always */
		FAILS(EPERM, policy(SCHED_RR, 5));
		FAILS(EPERM, policy(SCHED_FIFO, 1));
		CHECK(policy(SCHED_OTHER, 0) == 0);
		FAILS(EPERM, policy(SCHED_RR, 1));
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
}

/* The limits of the task that is to change count, not those of who asks. */
static void limits_of_the_other_count(void)
{
	int go[2];
	char c;

	if (!has_cap(CAP_SYS_RESOURCE) || geteuid() != 0)
		return;
	CHECK(pipe(go) == 0);
	CHILD(pid)
	{
		struct rlimit none = {0, 0}, all = {40, 40};

		CHECK(setrlimit(RLIMIT_NICE, &all) == 0);
		CHILD(other)
		{
			CHECK(setrlimit(RLIMIT_NICE, &none) == 0);
			become_nobody();
			CHECK(write(go[1], "g", 1) == 1);
			for (;;)
				pause();
		}
		CHECK(read(go[0], &c, 1) == 1);
		become_nobody();
		FAILS(EACCES, setpriority(PRIO_PROCESS, (id_t)other, -5));
		CHECK(setpriority(PRIO_PROCESS, 0, -5) == 0);
		CHECK(kill(other, SIGKILL) == 0);
		WAIT_SIGNAL(other, SIGKILL);
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
	close(go[0]);
	close(go[1]);
}

/* setuid(2) to a user who has too many processes succeeds; running a program after that
 * does not. */
static void too_many_for_another_program(void)
{
	if (geteuid() != 0 || !has_cap(CAP_SETUID) || !has_cap(CAP_SYS_RESOURCE))
		return;
	CHILD(pid)
	{
		struct rlimit one = {1, 1};
		char *const argv[] = {"true", NULL};
		int ready[2];
		char c;

		CHECK(pipe(ready) == 0);
		for (int i = 0; i < 2; i++)
			if (fork_or_die() == 0) {
				CHECK(setuid(NOBODY - 1) == 0);
				CHECK(write(ready[1], "r", 1) == 1);
				for (;;)
					pause();
			}
		CHECK(read(ready[0], &c, 1) == 1 && read(ready[0], &c, 1) == 1);
		CHECK(setrlimit(RLIMIT_NPROC, &one) == 0);
		CHILD(kept)
		{
			CHECK(setuid(NOBODY - 1) == 0);
			FAILS(EAGAIN, execve("/bin/true", argv, argv + 1));
			FAILS(EAGAIN, execve("/bin/true", argv, argv + 1));
			FAILS(EAGAIN, fork());
			CHECK(kill(-1, SIGKILL) == 0); /* all others of this user */
			for (int i = 0; i < 20000; i++) {
				execve("/bin/true", argv, argv + 1);
				CHECK(errno == EAGAIN);
				sleep_ms(1);
			}
			_exit(1);
		}
		while (wait(NULL) != kept) /* reaps the others */
			;
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
}

RUN(TEST(realtime_does_not_run_for_ever), TEST(at_the_hard_limit_it_ends),
    TEST(children_inherit_the_limit), TEST(locks_and_resident_memory_are_not_limited),
    TEST(nice_values_may_rise_to_the_limit), TEST(priorities_may_rise_to_the_limit),
    TEST(limits_of_the_other_count), TEST(too_many_for_another_program))
