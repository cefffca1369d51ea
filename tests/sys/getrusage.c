/* SPDX-License-Identifier: MIT */
/* calls: getrusage times */
/* getrusage.c - processor time and memory, of oneself, of a thread, of ended children. */
#include "proc.h"
#include <sys/times.h>

static long micro(struct timeval t)
{
	return t.tv_sec * 1000000 + t.tv_usec;
}

static long used(int who)
{
	struct rusage ru;

	CHECK(getrusage(who, &ru) == 0);
	return micro(ru.ru_utime) + micro(ru.ru_stime);
}

static void *burn(void *arg)
{
	volatile unsigned long n = 0;
	struct timespec t;
	long end;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	end = t.tv_sec * 1000 + t.tv_nsec / 1000000 + (long)arg;
	do {
		for (int i = 0; i < 10000; i++)
			n++;
		clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	} while (t.tv_sec * 1000 + t.tv_nsec / 1000000 < end);
	return NULL;
}

static void work_is_counted(void)
{
	long self = used(RUSAGE_SELF);
	long thread = used(RUSAGE_THREAD);

	burn((void *)60);
	CHECK(used(RUSAGE_SELF) - self >= 40000 && used(RUSAGE_SELF) - self < 1000000);
	CHECK(used(RUSAGE_THREAD) - thread >= 40000);
}

static void sleep_is_not(void)
{
	long self = used(RUSAGE_SELF);

	sleep_ms(60);
	CHECK(used(RUSAGE_SELF) - self < 30000);
}

static void threads_add_to_the_process_only(void)
{
	long self = used(RUSAGE_SELF);
	long thread = used(RUSAGE_THREAD);
	pthread_t t;

	thread_start(&t, burn, (void *)60);
	thread_join(t);
	CHECK(used(RUSAGE_SELF) - self >= 40000);
	CHECK(used(RUSAGE_THREAD) - thread < 30000);
}

static void children_count_once_waited_for(void)
{
	long before = used(RUSAGE_CHILDREN);
	siginfo_t info;
	struct tms tms;

	CHILD(pid)
	{
		burn((void *)60);
		_exit(0);
	}
	CHECK(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) == 0);
	CHECK(used(RUSAGE_CHILDREN) == before);
	WAIT_EXIT(pid, 0);
	CHECK(used(RUSAGE_CHILDREN) - before >= 40000);
	CHECK(times(&tms) != -1 && tms.tms_cutime + tms.tms_cstime >= 4);
}

static void memory_and_switches_are_told(void)
{
	struct rusage ru;

	CHECK(getrusage(RUSAGE_SELF, &ru) == 0);
	CHECK(ru.ru_maxrss > 100 && ru.ru_maxrss < 10 << 20);
	CHECK(ru.ru_minflt >= 0 && ru.ru_majflt >= 0 && ru.ru_nvcsw >= 0);
	CHECK(ru.ru_ixrss == 0 && ru.ru_nsignals == 0);
}

static void touch(size_t size)
{
	volatile char *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(p != MAP_FAILED);
	for (size_t at = 0; at < size; at += 4096)
		p[at] = 1;
}

static void switches_and_peaks_of_children_count(void)
{
	struct rusage before, after;
	static const int sizes[] = {64, 16};

	CHECK(getrusage(RUSAGE_CHILDREN, &before) == 0);
	for (int i = 0; i < 2; i++) {
		CHILD(pid)
		{
			for (int n = 0; n < 30; n++)
				sleep_ms(1);
			touch((size_t)sizes[i] << 20);
			_exit(0);
		}
		WAIT_EXIT(pid, 0);
	}
	CHECK(getrusage(RUSAGE_CHILDREN, &after) == 0);
	CHECK(after.ru_nvcsw - before.ru_nvcsw >= 55);
	CHECK(after.ru_nivcsw >= before.ru_nivcsw);
	CHECK(after.ru_maxrss >= 60 << 10 && after.ru_maxrss < 100 << 10); /* no sum */
	CHECK(after.ru_minflt > before.ru_minflt);
}

/* Who reaps them has their time, not who once was their grandparent. */
static void orphans_are_not_counted(void)
{
	CHILD(outer)
	{
		long before = used(RUSAGE_CHILDREN);
		int go[2];
		char c;

		CHECK(pipe(go) == 0);
		CHILD(middle)
		{
			if (fork_or_die() == 0) {
				burn((void *)80);
				_exit(0);
			}
			_exit(0);
		}
		WAIT_EXIT(middle, 0);
		close(go[1]);
		CHECK(read(go[0], &c, 1) == 0); /* the orphan has ended */
		CHECK(used(RUSAGE_CHILDREN) - before < 60000);
		_exit(0);
	}
	WAIT_EXIT(outer, 0);
}

/* One who shares his memory leaves it when he execs, and takes his figures along. */
static int burn_and_exec(void *arg)
{
	burn((void *)80);
	execl("/proc/self/exe", "getrusage", (char *)arg, NULL);
	_exit(1);
}

static int after_exec(void)
{
	struct timespec t;

	CHECK(used(RUSAGE_THREAD) >= 60000 && used(RUSAGE_SELF) >= 60000);
	CHECK(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t) == 0);
	CHECK(t.tv_sec > 0 || t.tv_nsec >= 60000000);
	CHECK(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t) == 0);
	CHECK(t.tv_sec > 0 || t.tv_nsec >= 60000000);
	return 0;
}

static void exec_keeps_what_was_used(void)
{
	static char stack[1 << 16] __attribute__((aligned(16)));
	pid_t pid = clone(burn_and_exec, stack + sizeof(stack), CLONE_VM | SIGCHLD,
			  "after-exec");

	CHECK(pid > 0);
	WAIT_EXIT(pid, 0);
	CHILD(other)
	burn_and_exec("after-exec");
	WAIT_EXIT(other, 0);
}

static void times_counts_hundredths(void)
{
	struct tms a;
	struct tms b;
	clock_t start = times(&a);
	clock_t end;

	burn((void *)60);
	end = times(&b);
	CHECK(end - start >= 4 && end - start < 100);
	CHECK(b.tms_utime + b.tms_stime - a.tms_utime - a.tms_stime >= 4);
	CHECK(sysconf(_SC_CLK_TCK) == 100);
	CHECK(syscall(SYS_times, NULL) >= end);
}

static void refusals(void)
{
	struct rusage ru;

	FAILS(EINVAL, syscall(SYS_getrusage, 2, &ru));
	FAILS(EINVAL, syscall(SYS_getrusage, -2, &ru));
	FAILS(EFAULT, syscall(SYS_getrusage, RUSAGE_SELF, BAD_PTR));
	FAILS(EFAULT, syscall(SYS_getrusage, RUSAGE_SELF, KERNEL_PTR));
	FAILS(EFAULT, syscall(SYS_times, BAD_PTR));
}

int main(int argc, char **argv)
{
	static const struct test all[] = {TEST(work_is_counted),
					  TEST(sleep_is_not),
					  TEST(threads_add_to_the_process_only),
					  TEST(children_count_once_waited_for),
					  TEST(memory_and_switches_are_told),
					  TEST(switches_and_peaks_of_children_count),
					  TEST(orphans_are_not_counted),
					  TEST(exec_keeps_what_was_used),
					  TEST(times_counts_hundredths),
					  TEST(refusals)};

	if (argc > 1 && strcmp(argv[1], "after-exec") == 0)
		return after_exec();
	return test_main(all, sizeof(all) / sizeof(all[0]));
}
