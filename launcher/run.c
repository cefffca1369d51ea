/* SPDX-License-Identifier: MIT */
/* run.c - `carbyne run`: starts the sandbox, passes signals on, returns the status. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "children.h"
#include "gate.h"
#include "ids.h"
#include "inherited.h"
#include "launch.h"
#include "layout.h"
#include "memory_watch.h"
#include "message.h"
#include "publish.h"
#include "segment.h"

static const int forwarded[] = {
	SIGHUP,	 SIGINT,  SIGQUIT, SIGABRT, SIGUSR1,   SIGUSR2,	 SIGALRM,
	SIGTERM, SIGCONT, SIGTSTP, SIGIO,   SIGSTKFLT, SIGWINCH, SIGPWR,
};

static const int namespace_flags =
	CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS;

struct terminal {
	int fd; /* -1: none; close_descriptors moves it to 0 */
	struct termios modes;
};

/* What to wait for: an ignored signal (nohup) stays ignored. */
static void prepare_signals(sigset_t *waited)
{
	struct sigaction action;

	sigemptyset(waited);
	for (size_t i = 0; i < sizeof forwarded / sizeof forwarded[0]; i++) {
		if (sigaction(forwarded[i], NULL, &action) == 0 &&
		    action.sa_handler != SIG_IGN)
			sigaddset(waited, forwarded[i]);
	}
	action = (struct sigaction){.sa_handler = SIG_DFL};
	(void)sigaction(SIGCHLD, &action, NULL);
	sigaddset(waited, SIGCHLD);
}

/* For a few processes; all of a sandbox share one descriptor table. */
enum { DESCRIPTORS_NEEDED = 64 };

static void check_host(const struct options *o)
{
	if (prctl(PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_OFF, 0, 0, 0) < 0)
		fail("this host's kernel has no Syscall User Dispatch: Linux 5.11 or "
		     "later, "
		     "x86-64, is wanted");
	if (limits_descriptors() < DESCRIPTORS_NEEDED)
		fail("the hard limit on open files (ulimit -Hn) is %llu: a sandbox needs "
		     "at least %d",
		     (unsigned long long)limits_descriptors(), DESCRIPTORS_NEEDED);
	if (o->memory && access("/proc/thread-self/children", R_OK) < 0)
		fail("--memory: the host's /proc does not tell a process' children");
}

/* Lets the monitor go on and waits until it has its directories. False: it may not map
 * ids or mount. A monitor that died says so to watch(). */
static bool release_monitor(struct launch *l, pid_t monitor, int channel)
{
	bool is_full = true;
	char answer = MONITOR_READY;

	if (l->has_namespaces && !ids_map(monitor, &is_full))
		return false;
	if (!is_full)
		boot_params()->flags |= BOOT_VIRTUAL_ROOT;
	if (write(channel, "", 1) != 1)
		return true;
	if (!l->is_boot_filled)
		boot_fill(l);
	l->is_boot_filled = true;
	return write(channel, "", 1) != 1 || read(channel, &answer, 1) != 1 ||
	       answer == MONITOR_READY;
}

/* The monitor, in new namespaces if has_namespaces. -1: the host denies it. */
static pid_t start_monitor(struct launch *l)
{
	long flags = SIGCHLD | (l->has_namespaces ? namespace_flags : 0);

	if (l->options.has_own_network)
		flags |= CLONE_NEWNET;
	int channel[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, channel) < 0)
		fail("cannot make a socket pair: %s", strerror(errno));
	pid_t monitor = (pid_t)syscall(SYS_clone, flags, 0L, 0L, 0L, 0L);
	if (monitor == 0) {
		close(channel[0]);
		monitor_main(l, channel[1]);
	}
	if (monitor < 0 && !l->has_namespaces)
		fail("cannot make the monitor process: %s", strerror(errno));
	close(channel[1]);
	if (monitor > 0 && !release_monitor(l, monitor, channel[0])) {
		(void)kill(monitor, SIGKILL);
		(void)waitpid(monitor, NULL, 0);
		monitor = -1;
	}
	close(channel[0]);
	return monitor;
}

static pid_t start(struct launch *l)
{
	pid_t monitor = l->has_namespaces ? start_monitor(l) : -1;

	if (monitor > 0)
		return monitor;
	if (l->options.has_own_network)
		fail("--net=none: the host denies network namespaces of its own to this "
		     "user");
	l->has_namespaces = false;
	boot_params()->flags &= ~(uint64_t)BOOT_VIRTUAL_ROOT;
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	return start_monitor(l);
}

/* A pipe's reader must see its end when the programs have closed it: all but stderr goes.
 */
static void close_descriptors(const struct terminal *t)
{
	if (t->fd >= 0)
		(void)dup2(t->fd, STDIN_FILENO);
	else
		close(STDIN_FILENO);
	close(STDOUT_FILENO);
	(void)syscall(SYS_close_range, 3, ~0U, 0);
}

static void terminal_save(struct terminal *t)
{
	t->fd = -1;
	for (int fd = 0; fd < 3 && t->fd < 0; fd++) {
		if (tcgetattr(fd, &t->modes) == 0)
			t->fd = fd;
	}
}

/* After a death in mid-work, as shells do; a program that ends by itself keeps what it
 * set. */
static void terminal_restore(const struct terminal *t)
{
	if (t->fd >= 0 && tcgetpgrp(STDIN_FILENO) == getpgrp())
		(void)tcsetattr(STDIN_FILENO, TCSADRAIN, &t->modes);
}

/* After ^Z: when the kernel says that the first process has stopped (a wait status word
 * before exited is set), the command stops too and the shell that started it goes on. */
static void stop_with_program(void)
{
	struct timespec pause = {.tv_nsec = 5000000};

	for (int tries = 0; tries < 40; tries++) {
		int status =
			__atomic_load_n(&boot_params()->exit_status, __ATOMIC_ACQUIRE);

		if (__atomic_load_n(&boot_params()->exited, __ATOMIC_ACQUIRE))
			return;
		if (WIFSTOPPED(status)) {
			(void)raise(SIGSTOP);
			return;
		}
		(void)nanosleep(&pause, NULL);
	}
}

static bool was_interrupted; /* by SIGINT, which the program has got too */

static void forward(pid_t monitor, int signo)
{
	was_interrupted |= signo == SIGINT;
	(void)__atomic_fetch_or(&boot_params()->monitor_signals, 1U << (signo - 1),
				__ATOMIC_ACQ_REL);
	(void)kill(monitor, SIGURG);
	if (signo == SIGTSTP)
		stop_with_program();
}

/* The next signal; keeps to the limit while it waits. */
static int wait_signal(pid_t monitor, const sigset_t *waited, uint64_t memory)
{
	int signo = -1;

	while (memory && signo < 0) {
		int64_t wait = memory_watch(monitor, memory);
		struct timespec pause = {.tv_nsec = wait};

		if (wait < 0)
			break;
		signo = sigtimedwait(waited, NULL, &pause);
	}
	return signo < 0 ? sigwaitinfo(waited, NULL) : signo;
}

/* Waits for the monitor's end and returns its wait status. */
static int watch(pid_t monitor, const sigset_t *waited, uint64_t memory)
{
	int status;

	for (;;) {
		int signo = wait_signal(monitor, waited, memory);

		if (signo < 0)
			continue;
		if (signo != SIGCHLD)
			forward(monitor, signo);
		else if (waitpid(monitor, &status, WNOHANG) == monitor)
			return status;
	}
}

/* A shell ends its loop at ^C only if the command dies of it, as the program has. */
static void die_of_interrupt(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	(void)signal(SIGINT, SIG_DFL);
	(void)raise(SIGINT);
	(void)sigprocmask(SIG_UNBLOCK, &set, NULL);
}

static int exit_status(int monitor_status, const struct terminal *t)
{
	const struct boot_params *p = boot_params();
	int status = p->exit_status;

	if (p->exited && WIFEXITED(status))
		return WEXITSTATUS(status);
	terminal_restore(t);
	if (p->exited && WTERMSIG(status) == SIGINT && was_interrupted)
		die_of_interrupt();
	if (p->exited)
		return STATUS_SIGNAL_BASE + WTERMSIG(status);
	if (WIFSIGNALED(monitor_status))
		fail("the sandbox's monitor was killed by signal %d (%s)",
		     WTERMSIG(monitor_status), strsignal(WTERMSIG(monitor_status)));
	return STATUS_OWN_FAILURE;
}

/* The forwarder, or the gate: it has nothing to say any more. */
static void end_helper(pid_t pid)
{
	if (pid <= 0)
		return;
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
}

static int supervise(struct launch *l)
{
	struct terminal terminal;
	sigset_t all, waited;

	sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all,
			  NULL); /* for the children: all; we wait for some */
	prepare_signals(&waited);
	terminal_save(&terminal);
	pid_t monitor = start(l);
	pid_t publisher = publish_start(&l->options, monitor);
	pid_t gate = gate_start(&l->options);
	close_descriptors(&terminal);
	int status = watch(monitor, &waited, l->options.memory);
	end_helper(publisher);
	end_helper(gate);
	if (!l->has_namespaces)
		children_kill();
	return exit_status(status, &terminal);
}

int run_main(bool is_trace, int argc, char **argv)
{
	static struct launch l = {.has_namespaces = true};

	sigset_t all;

	/* The children run so; we wait for some. SIGXFSZ and SIGPIPE become errors. */
	sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, NULL);
	l.launcher = getpid();
	limits_read(&l.limits);
	limits_raise(&l.limits);
	layout_reserve(&l.limits, argv);
	l.inherited = inherited_count();
	inherited_keep(l.inherited);
	options_parse(&l.options, is_trace, argc - 1, argv + 1);
	check_host(&l.options);
	publish_listen(&l.options);
	image_open(&l.image);
	l.segment_fd = segment_create(&l.image);
	boot_begin(&l);
	gate_begin(&l.options);
	return supervise(&l);
}
