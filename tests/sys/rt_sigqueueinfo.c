/* SPDX-License-Identifier: MIT */
/* calls: rt_sigqueueinfo rt_tgsigqueueinfo */
/* rt_sigqueueinfo.c - signals with a value: to whom, in which order, how many. */
#include "proc.h"

static volatile siginfo_t seen[256];
static volatile sig_atomic_t got;

static void keep(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	seen[got++ & 255] = *info;
}

static long queue(pid_t pid, int sig, siginfo_t *info)
{
	return syscall(SYS_rt_sigqueueinfo, pid, sig, info);
}

static siginfo_t value_of(int code, long value)
{
	siginfo_t info;

	memset(&info, 0, sizeof(info));
	info.si_code = code;
	info.si_pid = 4711; /* passed on as it is */
	info.si_uid = 4712;
	info.si_value.sival_ptr = (void *)value;
	return info;
}

static void info_arrives_as_sent(void)
{
	siginfo_t info = value_of(-7, 0x123456789abcdef);

	got = 0;
	info.si_errno = 55;
	handle_info(SIGUSR1, keep, 0);
	CHECK(queue(getpid(), SIGUSR1, &info) == 0);
	CHECK(got == 1 && seen[0].si_signo == SIGUSR1 && seen[0].si_errno == 55);
	CHECK(seen[0].si_code == -7 && seen[0].si_pid == 4711 && seen[0].si_uid == 4712);
	CHECK(seen[0].si_value.sival_ptr == (void *)0x123456789abcdef);
}

static void real_time_values_keep_their_order(void)
{
	got = 0;
	handle_info(SIGRTMAX, keep, 0);
	block(SIGRTMAX);
	for (int i = 0; i < 200; i++)
		CHECK(sigqueue(getpid(), SIGRTMAX, (union sigval){i}) == 0);
	unblock(SIGRTMAX);
	CHECK(got == 200);
	for (int i = 0; i < 200; i++)
		CHECK(seen[i].si_value.sival_int == i && seen[i].si_code == SI_QUEUE);
}

static void standard_signals_keep_the_first_value(void)
{
	got = 0;
	block(SIGUSR1);
	for (int i = 0; i < 3; i++)
		CHECK(sigqueue(getpid(), SIGUSR1, (union sigval){100 + i}) == 0);
	unblock(SIGUSR1);
	CHECK(got == 1 && seen[0].si_value.sival_int == 100);
}

static void a_child_is_sent_values(void)
{
	int sig = SIGRTMIN + 3;
	int p[2];
	char c;

	CHECK(pipe(p) == 0);
	CHILD(pid)
	{
		sigset_t set = set_of(sig);
		siginfo_t info;

		block(sig);
		CHECK(write(p[1], "r", 1) == 1);
		for (int i = 0; i < 20; i++) {
			CHECK(sigwaitinfo(&set, &info) == sig);
			CHECK(info.si_value.sival_int == i && info.si_pid == getppid());
		}
		_exit(4);
	}
	CHECK(read(p[0], &c, 1) == 1);
	for (int i = 0; i < 20; i++)
		CHECK(sigqueue(pid, sig, (union sigval){i}) == 0);
	WAIT_EXIT(pid, 4);
	close(p[0]);
	close(p[1]);
}

static void thread_form_reaches_one_thread(void)
{
	siginfo_t info = value_of(SI_QUEUE, 77);

	got = 0;
	CHECK(syscall(SYS_rt_tgsigqueueinfo, getpid(), getpid(), SIGUSR1, &info) == 0);
	CHECK(got == 1 && seen[0].si_value.sival_int == 77);
	FAILS(ESRCH, syscall(SYS_rt_tgsigqueueinfo, getppid(), getpid(), SIGUSR1, &info));
	FAILS(EINVAL, syscall(SYS_rt_tgsigqueueinfo, 0, getpid(), SIGUSR1, &info));
	FAILS(EINVAL, syscall(SYS_rt_tgsigqueueinfo, getpid(), -1, SIGUSR1, &info));
}

static void forged_codes_are_refused_for_others(void)
{
	siginfo_t info;

	CHILD(pid)
	{
		for (;;)
			pause();
	}
	info = value_of(SI_USER, 1);
	FAILS(EPERM, queue(pid, SIGUSR1, &info));
	FAILS(EPERM, syscall(SYS_rt_tgsigqueueinfo, pid, pid, SIGUSR1, &info));
	info = value_of(SI_TKILL, 1);
	FAILS(EPERM, queue(pid, SIGUSR1, &info));
	info = value_of(SI_KERNEL, 1);
	FAILS(EPERM, queue(pid, SIGUSR1, &info));
	info = value_of(SI_USER, 1); /* to oneself all are allowed */
	got = 0;
	CHECK(queue(getpid(), SIGUSR1, &info) == 0 && got == 1);
	CHECK(kill(pid, SIGKILL) == 0);
	WAIT_SIGNAL(pid, SIGKILL);
	info = value_of(SI_QUEUE, 1);
	FAILS(ESRCH, queue(pid, SIGUSR1, &info));
}

static void refusals(void)
{
	siginfo_t info = value_of(SI_QUEUE, 1);

	FAILS(EINVAL, queue(getpid(), 65, &info));
	FAILS(EINVAL, queue(getpid(), -1, &info));
	CHECK(queue(getpid(), 0, &info) == 0);
	FAILS(ESRCH, queue(0x3ffffffe, 0, &info));
	FAILS(EFAULT, queue(getpid(), SIGUSR1, BAD_PTR));
	FAILS(EFAULT, queue(getpid(), SIGUSR1, KERNEL_PTR));
	FAILS(EFAULT,
	      syscall(SYS_rt_tgsigqueueinfo, getpid(), getpid(), SIGUSR1, BAD_PTR));
}

static void the_queue_limit_gives_eagain(void)
{
	CHILD(pid)
	{
		struct rlimit lim = {5, 5};
		int sig = SIGRTMIN + 4;
		int n = 0;

		block(sig);
		block(SIGUSR2);
		if (geteuid() == 0)
			CHECK(setresuid(48214, 48214, 48214) == 0);
		CHECK(setrlimit(RLIMIT_SIGPENDING, &lim) == 0);
		while (n < 100 && sigqueue(getpid(), sig, (union sigval){n}) == 0)
			n++;
		CHECK(n <= 5 && errno == EAGAIN);
		CHECK(kill(getpid(), SIGUSR2) == 0); /* standard signals still come */
		CHECK(is_pending(SIGUSR2));
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
}

RUN(TEST(info_arrives_as_sent), TEST(real_time_values_keep_their_order),
    TEST(standard_signals_keep_the_first_value), TEST(a_child_is_sent_values),
    TEST(thread_form_reaches_one_thread), TEST(forged_codes_are_refused_for_others),
    TEST(refusals), TEST(the_queue_limit_gives_eagain))
