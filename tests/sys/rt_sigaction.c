/* SPDX-License-Identifier: MIT */
/* rt_sigaction.c - setting actions, what each SA_ flag does, what a handler is told. */
#include "proc.h"
#include <ucontext.h>

static volatile sig_atomic_t got;
static volatile sig_atomic_t depth;
static volatile sig_atomic_t max_depth;
static volatile siginfo_t last;

static void count(int sig)
{
	(void)sig;
	got++;
}

static void keep_info(int sig, siginfo_t *info, void *context)
{
	CHECK(info->si_signo == sig && context);
	last = *info;
	got++;
}

static void raise_again(int sig)
{
	if (++depth > max_depth)
		max_depth = depth;
	if (got++ < 3)
		raise(sig);
	depth--;
}

/* What the kernel takes, unlike the library's struct. */
struct kernel_action {
	void *handler;
	unsigned long flags;
	void *restorer;
	uint64_t mask;
};

static void action_is_returned_as_set(void)
{
	struct sigaction set = {.sa_handler = count, .sa_flags = SA_RESTART | SA_NODEFER};
	struct sigaction now;

	sigaddset(&set.sa_mask, SIGUSR2);
	sigaddset(&set.sa_mask, 64);
	CHECK(sigaction(SIGUSR1, NULL, &now) == 0 && now.sa_handler == SIG_DFL);
	CHECK(sigaction(SIGUSR1, &set, &now) == 0 && now.sa_handler == SIG_DFL);
	CHECK(sigaction(SIGUSR1, NULL, &now) == 0 && now.sa_handler == count);
	CHECK((now.sa_flags & (SA_RESTART | SA_NODEFER)) == (SA_RESTART | SA_NODEFER));
	CHECK(sigismember(&now.sa_mask, SIGUSR2) && sigismember(&now.sa_mask, 64));
	CHECK(!sigismember(&now.sa_mask, SIGUSR1));
	handle(SIGUSR1, SIG_DFL, 0);
}

static void handler_runs_for_each_signal_number(void)
{
	for (int sig = 1; sig < NSIG; sig++) {
		if (sig == SIGKILL || sig == SIGSTOP || sig == 32 || sig == 33)
			continue;
		got = 0;
		handle_info(sig, keep_info, 0);
		CHECK(raise(sig) == 0);
		CHECK(got == 1 && last.si_signo == sig);
		handle(sig, SIG_DFL, 0);
	}
}

static void library_signals_work_raw(void)
{
	struct kernel_action sa = {.handler = SIG_IGN};
	struct kernel_action old;

	CHECK(syscall(SYS_rt_sigaction, 34, &sa, &old, 8) == 0);
	CHECK(syscall(SYS_rt_sigaction, 34, &old, NULL, 8) == 0);
	CHECK(syscall(SYS_rt_sigaction, 32, NULL, &old, 8) == 0);
}

static void refusals(void)
{
	struct kernel_action sa = {.handler = SIG_IGN};

	FAILS(EINVAL, syscall(SYS_rt_sigaction, 0, NULL, NULL, 8));
	FAILS(EINVAL, syscall(SYS_rt_sigaction, 65, NULL, NULL, 8));
	FAILS(EINVAL, syscall(SYS_rt_sigaction, -1, NULL, NULL, 8));
	FAILS(EINVAL, syscall(SYS_rt_sigaction, SIGKILL, &sa, NULL, 8));
	FAILS(EINVAL, syscall(SYS_rt_sigaction, SIGSTOP, &sa, NULL, 8));
	CHECK(syscall(SYS_rt_sigaction, SIGKILL, NULL, &sa, 8) == 0 && !sa.handler);
	FAILS(EINVAL, syscall(SYS_rt_sigaction, SIGUSR1, &sa, NULL, 4));
	FAILS(EINVAL, syscall(SYS_rt_sigaction, SIGUSR1, &sa, NULL, 16));
	FAILS(EFAULT, syscall(SYS_rt_sigaction, SIGUSR1, BAD_PTR, NULL, 8));
	FAILS(EFAULT, syscall(SYS_rt_sigaction, SIGUSR1, NULL, KERNEL_PTR, 8));
}

static void kill_and_stop_leave_the_mask(void)
{
	struct kernel_action sa = {.handler = SIG_IGN, .mask = ~0ul};

	CHECK(syscall(SYS_rt_sigaction, SIGUSR1, &sa, NULL, 8) == 0);
	CHECK(syscall(SYS_rt_sigaction, SIGUSR1, NULL, &sa, 8) == 0);
	CHECK(!(sa.mask & 1ul << (SIGKILL - 1)) && !(sa.mask & 1ul << (SIGSTOP - 1)));
	handle(SIGUSR1, SIG_DFL, 0);
}

static void info_of_kill_raise_and_queue(void)
{
	union sigval value = {.sival_int = 0x1234567};

	handle_info(SIGUSR1, keep_info, 0);
	CHECK(kill(getpid(), SIGUSR1) == 0);
	CHECK(last.si_code == SI_USER && last.si_pid == getpid() &&
	      last.si_uid == getuid());
	CHECK(raise(SIGUSR1) == 0);
	CHECK(last.si_code == SI_TKILL && last.si_pid == getpid() &&
	      last.si_uid == getuid());
	CHECK(sigqueue(getpid(), SIGUSR1, value) == 0);
	CHECK(last.si_code == SI_QUEUE && last.si_pid == getpid());
	CHECK(last.si_value.sival_int == 0x1234567);
	CHILD(pid)
	{
		_exit(kill(getppid(), SIGUSR1));
	}
	WAIT_EXIT(pid, 0);
	CHECK(last.si_code == SI_USER && last.si_pid == pid);
}

static void sigchld_info_tells_the_end(void)
{
	handle_info(SIGCHLD, keep_info, 0);
	CHILD(pid)
	{
		_exit(37);
	}
	WAIT_EXIT(pid, 37);
	CHECK(last.si_code == CLD_EXITED && last.si_pid == pid && last.si_status == 37);
	CHECK(last.si_uid == getuid());
	CHILD(killed)
	{
		kill(getpid(), SIGKILL);
	}
	WAIT_SIGNAL(killed, SIGKILL);
	CHECK(last.si_code == CLD_KILLED && last.si_pid == killed &&
	      last.si_status == SIGKILL);
	handle(SIGCHLD, SIG_DFL, 0);
}

/* The parent may see the new state a little before the signal is sent. */
static void expect_signals(int want)
{
	for (int i = 0; i < 20000 && got < want; i++)
		sleep_ms(1);
	CHECK(got == want);
}

static void nocldstop_hides_stops(void)
{
	for (int hide = 0; hide < 2; hide++) {
		int status;

		got = 0;
		handle_info(SIGCHLD, keep_info, (hide ? SA_NOCLDSTOP : 0) | SA_RESTART);
		CHILD(pid)
		{
			for (;;)
				pause();
		}
		CHECK(kill(pid, SIGSTOP) == 0);
		CHECK(waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status));
		expect_signals(!hide);
		if (!hide)
			CHECK(last.si_code == CLD_STOPPED && last.si_status == SIGSTOP);
		CHECK(kill(pid, SIGCONT) == 0);
		CHECK(waitpid(pid, &status, WCONTINUED) == pid && WIFCONTINUED(status));
		expect_signals(hide ? 0 : 2);
		if (!hide)
			CHECK(last.si_code == CLD_CONTINUED && last.si_status == SIGCONT);
		CHECK(kill(pid, SIGKILL) == 0);
		WAIT_SIGNAL(pid, SIGKILL);
		CHECK(got == (hide ? 1 : 3));
	}
	handle(SIGCHLD, SIG_DFL, 0);
}

static void a_handlers_own_signal_waits(void)
{
	got = depth = max_depth = 0;
	handle(SIGUSR1, raise_again, 0);
	CHECK(raise(SIGUSR1) == 0);
	CHECK(got == 4 && max_depth == 1);
}

static void nodefer_lets_it_nest(void)
{
	got = depth = max_depth = 0;
	handle(SIGUSR1, raise_again, SA_NODEFER);
	CHECK(raise(SIGUSR1) == 0);
	CHECK(got == 4 && max_depth == 4);
	handle(SIGUSR1, SIG_DFL, 0);
}

static void resethand_works_once(void)
{
	struct sigaction sa;

	got = 0;
	handle(SIGUSR1, count, (int)SA_RESETHAND);
	CHECK(raise(SIGUSR1) == 0 && got == 1);
	CHECK(sigaction(SIGUSR1, NULL, &sa) == 0 && sa.sa_handler == SIG_DFL);
	CHILD(pid)
	{
		handle(SIGUSR1, count, (int)SA_RESETHAND);
		raise(SIGUSR1);
		raise(SIGUSR1);
		_exit(0);
	}
	WAIT_SIGNAL(pid, SIGUSR1);
}

static sigset_t mask_inside;

static void keep_mask(int sig)
{
	(void)sig;
	sigprocmask(SIG_BLOCK, NULL, &mask_inside);
	raise(SIGUSR2); /* blocked by sa_mask: runs after us */
	CHECK(got == 0);
}

static void sa_mask_blocks_during_the_handler(void)
{
	struct sigaction sa = {.sa_handler = keep_mask};
	sigset_t now;

	got = 0;
	sigaddset(&sa.sa_mask, SIGUSR2);
	CHECK(sigaction(SIGUSR1, &sa, NULL) == 0);
	handle(SIGUSR2, count, 0);
	CHECK(raise(SIGUSR1) == 0);
	CHECK(got == 1);
	CHECK(sigismember(&mask_inside, SIGUSR1) && sigismember(&mask_inside, SIGUSR2));
	CHECK(!sigismember(&mask_inside, SIGTERM));
	CHECK(sigprocmask(SIG_BLOCK, NULL, &now) == 0);
	CHECK(!sigismember(&now, SIGUSR1) && !sigismember(&now, SIGUSR2));
}

static void ignoring_drops_what_is_pending(void)
{
	block(SIGUSR1);
	handle(SIGUSR1, count, 0);
	CHECK(raise(SIGUSR1) == 0 && is_pending(SIGUSR1));
	handle(SIGUSR1, SIG_IGN, 0);
	CHECK(!is_pending(SIGUSR1));
	handle(SIGUSR1, count, 0);
	got = 0;
	unblock(SIGUSR1);
	CHECK(got == 0);
	block(SIGCHLD); /* default action: ignore */
	handle(SIGCHLD, count, 0);
	CHECK(raise(SIGCHLD) == 0 && is_pending(SIGCHLD));
	handle(SIGCHLD, SIG_DFL, 0);
	CHECK(!is_pending(SIGCHLD));
	unblock(SIGCHLD);
}

static void default_actions(void)
{
	const int ends[] = {SIGHUP,    SIGINT,	SIGQUIT, SIGILL,    SIGTRAP,
			    SIGABRT,   SIGBUS,	SIGFPE,	 SIGKILL,   SIGUSR1,
			    SIGSEGV,   SIGUSR2, SIGPIPE, SIGALRM,   SIGTERM,
			    SIGSTKFLT, SIGXCPU, SIGXFSZ, SIGVTALRM, SIGPROF,
			    SIGIO,     SIGPWR,	SIGSYS,	 SIGRTMIN,  SIGRTMAX};
	static const int nothing[] = {SIGCHLD, SIGCONT, SIGURG, SIGWINCH};

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		CHILD(pid)
		{
			signal(ends[i], SIG_DFL);
			kill(getpid(), ends[i]);
			_exit(0);
		}
		WAIT_SIGNAL(pid, ends[i]);
	}
	for (size_t i = 0; i < sizeof(nothing) / sizeof(nothing[0]); i++) {
		CHILD(pid)
		{
			signal(nothing[i], SIG_DFL);
			kill(getpid(), nothing[i]);
			_exit(3);
		}
		WAIT_EXIT(pid, 3);
	}
}

static void ignored_signals_do_nothing(void)
{
	CHILD(pid)
	{
		for (int sig = 1; sig < NSIG; sig++) {
			if (sig == SIGKILL || sig == SIGSTOP || sig == 32 || sig == 33)
				continue;
			handle(sig, SIG_IGN, 0);
			CHECK(kill(getpid(), sig) == 0);
		}
		_exit(4);
	}
	WAIT_EXIT(pid, 4);
}

static void a_broken_pipe_raises_sigpipe(void)
{
	int p[2];

	CHECK(pipe(p) == 0);
	close(p[0]);
	CHILD(pid)
	{
		_exit((int)write(p[1], "x", 1));
	}
	WAIT_SIGNAL(pid, SIGPIPE);
	got = 0;
	handle_info(SIGPIPE, keep_info, 0);
	FAILS(EPIPE, write(p[1], "x", 1));
	CHECK(got == 1 && last.si_signo == SIGPIPE);
	handle(SIGPIPE, SIG_IGN, 0);
	FAILS(EPIPE, write(p[1], "x", 1));
	handle(SIGPIPE, SIG_DFL, 0);
	close(p[1]);
}

static void unknown_flags_are_stored_or_cleared(void)
{
	struct kernel_action sa = {.handler = SIG_IGN, .flags = 0x00000400 | 0x00010000};
	struct kernel_action old;

	CHECK(syscall(SYS_rt_sigaction, SIGUSR1, &sa, NULL, 8) == 0);
	CHECK(syscall(SYS_rt_sigaction, SIGUSR1, NULL, &old, 8) == 0);
	CHECK(!(old.flags & 0x00000400)); /* SA_UNSUPPORTED, for probing */
	handle(SIGUSR1, SIG_DFL, 0);
}

static volatile bool stop;

static void *change_action(void *arg)
{
	(void)arg;
	for (int i = 0; !stop; i++)
		handle(SIGUSR2, i & 1 ? count : SIG_IGN, 0);
	return NULL;
}

static void changes_race_with_delivery(void)
{
	pthread_t t;

	handle(SIGUSR2, SIG_IGN, 0);
	thread_start(&t, change_action, NULL);
	for (int i = 0; i < 5000; i++)
		CHECK(kill(getpid(), SIGUSR2) == 0);
	stop = true;
	thread_join(t);
}

RUN(TEST(action_is_returned_as_set), TEST(handler_runs_for_each_signal_number),
    TEST(library_signals_work_raw), TEST(refusals), TEST(kill_and_stop_leave_the_mask),
    TEST(info_of_kill_raise_and_queue), TEST(sigchld_info_tells_the_end),
    TEST(nocldstop_hides_stops), TEST(a_handlers_own_signal_waits),
    TEST(nodefer_lets_it_nest), TEST(resethand_works_once),
    TEST(sa_mask_blocks_during_the_handler), TEST(ignoring_drops_what_is_pending),
    TEST(default_actions), TEST(ignored_signals_do_nothing),
    TEST(a_broken_pipe_raises_sigpipe), TEST(unknown_flags_are_stored_or_cleared),
    TEST(changes_race_with_delivery))
