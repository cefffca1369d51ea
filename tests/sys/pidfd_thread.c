/* SPDX-License-Identifier: MIT */
/* calls: pidfd_open pidfd_send_signal pidfd_getfd clone3 waitid */
/* pidfd_thread.c - pidfds of single threads (PIDFD_THREAD), and which thread, process or
 * group a signal through a pidfd goes to. */
#include "proc.h"
#include <linux/sched.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>

#ifndef P_PIDFD
#define P_PIDFD 3
#endif
#define PIDFD_THREAD O_EXCL
enum { TO_THREAD = 1, TO_PROCESS = 2, TO_GROUP = 4 };

static int open_pid(pid_t pid, unsigned flags)
{
	return (int)syscall(SYS_pidfd_open, pid, flags);
}

static long tell(int fd, int sig, void *info, unsigned flags)
{
	return syscall(SYS_pidfd_send_signal, fd, sig, info, flags);
}

static short events(int fd, int ms)
{
	struct pollfd p = {fd, POLLIN | POLLRDNORM, 0};

	CHECK(poll(&p, 1, ms) >= 0);
	return p.revents;
}

static pid_t own_tid(void)
{
	return (pid_t)syscall(SYS_gettid);
}

struct other {
	pthread_t thread;
	volatile pid_t tid;
	volatile bool end;
};

static void *other_main(void *arg)
{
	struct other *o = arg;

	o->tid = own_tid();
	while (!o->end)
		sleep_ms(1);
	return NULL;
}

static void other_start(struct other *o)
{
	o->tid = 0;
	o->end = false;
	thread_start(&o->thread, other_main, o);
	while (!o->tid)
		sched_yield();
}

static void other_stop(struct other *o)
{
	o->end = true;
	thread_join(o->thread);
}

static void threads_can_be_named(void)
{
	char text[512] = "", want[64];
	struct other o;
	int fd, info;

	other_start(&o);
	fd = open_pid(o.tid, PIDFD_THREAD);
	if (fd == -1 && errno == EINVAL) {
		printf("# before Linux 6.9\n");
		exit(77);
	}
	CHECK(fd >= 0 && fcntl(fd, F_GETFD) == FD_CLOEXEC);
	CHECK((fcntl(fd, F_GETFL) & (O_EXCL | O_NONBLOCK)) == O_EXCL);
	CHECK(events(fd, 0) == 0);
	snprintf(want, sizeof(want), "/proc/self/fdinfo/%d", fd);
	info = open(want, O_RDONLY);
	CHECK(info >= 0 && read(info, text, sizeof(text) - 1) > 0 && close(info) == 0);
	snprintf(want, sizeof(want), "\nPid:\t%d\n", o.tid);
	CHECK(strstr(text, want));
	CHECK(open_pid(o.tid, 0) == -1 && (errno == ENOENT || errno == EINVAL));
	CHECK(tell(fd, 0, NULL, 0) == 0);
	other_stop(&o);
	CHECK((events(fd, 20000) & (POLLIN | POLLRDNORM)) == (POLLIN | POLLRDNORM));
	while (tell(fd, 0, NULL, 0) == 0)
		sched_yield();
	CHECK(errno == ESRCH);
	CHECK(events(fd, 0) == (POLLIN | POLLRDNORM | POLLHUP));
	FAILS(ESRCH, syscall(SYS_pidfd_getfd, fd, 0, 0));
	CHECK(close(fd) == 0);
	fd = open_pid(getpid(), PIDFD_THREAD | O_NONBLOCK);
	CHECK(fd >= 0 && (fcntl(fd, F_GETFL) & O_EXCL) && events(fd, 0) == 0);
	CHECK(close(fd) == 0);
	FAILS(EINVAL, open_pid(getpid(), PIDFD_THREAD | O_APPEND));
	FAILS(ESRCH, open_pid(0x3ffff0, PIDFD_THREAD));
}

static void a_reaped_process_hangs_up(void)
{
	int fd;

	CHILD(pid)
	_exit(3);
	fd = open_pid(pid, 0);
	CHECK(fd >= 0 && events(fd, 20000) == (POLLIN | POLLRDNORM));
	WAIT_EXIT(pid, 3);
	CHECK(events(fd, 0) == (POLLIN | POLLRDNORM | POLLHUP));
	CHECK(close(fd) == 0);
}

static int waited_for;

static void *wait_for_hangup(void *arg)
{
	(void)arg;
	while (!(events(waited_for, 20000) & POLLHUP))
		;
	return NULL;
}

static void who_polls_is_told_of_the_reaping(void)
{
	pthread_t t;

	CHILD(pid)
	_exit(0);
	waited_for = open_pid(pid, 0);
	CHECK(waited_for >= 0);
	thread_start(&t, wait_for_hangup, NULL);
	sleep_ms(5);
	WAIT_EXIT(pid, 0);
	thread_join(t);
	CHECK(close(waited_for) == 0);
}

static bool is_zombie(pid_t tid)
{
	char path[64], text[256] = "";
	int fd;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
	fd = open(path, O_RDONLY);
	CHECK(fd >= 0 && read(fd, text, sizeof(text) - 1) > 0 && close(fd) == 0);
	return strstr(text, ") Z ");
}

static void *leave_as_first(void *arg)
{
	int fd = open_pid(getpid(), PIDFD_THREAD);
	int whole = open_pid(getpid(), 0);

	CHECK(fd >= 0 && whole >= 0);
	*(volatile bool *)arg = true;
	while (!is_zombie(getpid()))
		sched_yield();
	/* Since Linux 6.15 nobody is told of this. */
	CHECK((events(fd, 20) & POLLHUP) == 0 && events(whole, 0) == 0);
	CHECK(tell(whole, 0, NULL, 0) == 0 && tell(fd, 0, NULL, 0) == 0);
	_exit(5);
}

static void the_first_thread_may_end_alone(void)
{
	CHILD(pid)
	{
		volatile bool go = false;
		pthread_t t;

		thread_start(&t, leave_as_first, (void *)&go);
		while (!go)
			sched_yield();
		syscall(SYS_exit, 0);
	}
	WAIT_EXIT(pid, 5);
}

static volatile pid_t taken_by;

static void note_taker(int sig)
{
	(void)sig;
	taken_by = own_tid();
}

static void take_by(struct other *o, pid_t want)
{
	(void)o;
	for (int i = 0; i < 20000 && !taken_by; i++)
		sleep_ms(1);
	CHECK(taken_by == want);
	taken_by = 0;
}

static void signals_go_to_the_thread_unless_told_otherwise(void)
{
	siginfo_t own = {.si_signo = SIGUSR1, .si_code = SI_USER};
	struct other o;
	int fd, self;

	other_start(&o);
	handle(SIGUSR1, note_taker, SA_RESTART);
	fd = open_pid(o.tid, PIDFD_THREAD);
	self = open_pid(getpid(), PIDFD_THREAD);
	CHECK(fd >= 0 && self >= 0);
	CHECK(tell(fd, SIGUSR1, NULL, 0) == 0);
	take_by(&o, o.tid);
	CHECK(tell(fd, SIGUSR1, NULL, TO_THREAD) == 0);
	take_by(&o, o.tid);
	CHECK(tell(self, SIGUSR1, NULL, 0) == 0);
	take_by(&o, getpid());
	block(SIGUSR1);
	CHECK(tell(fd, SIGUSR1, NULL, TO_PROCESS) == 0); /* whoever does not block it */
	take_by(&o, o.tid);
	unblock(SIGUSR1);
	FAILS(EPERM, tell(fd, SIGUSR1, &own, 0)); /* another thread */
	FAILS(EPERM, tell(self, SIGUSR1, &own, TO_GROUP));
	CHECK(tell(self, SIGUSR1, &own, 0) == 0);
	take_by(&o, getpid());
	FAILS(ESRCH, tell(fd, 0, NULL, TO_GROUP)); /* no group has its id */
	other_stop(&o);
	close(fd);
	close(self);
	handle(SIGUSR1, SIG_DFL, 0);
}

static void the_sender_of_a_thread_signal_is_told_as_such(void)
{
	sigset_t s = set_of(SIGUSR1);
	struct timespec now = {1, 0};
	siginfo_t in;
	int thread = open_pid(getpid(), PIDFD_THREAD);
	int process = open_pid(getpid(), 0);

	block(SIGUSR1);
	CHECK(tell(thread, SIGUSR1, NULL, 0) == 0);
	CHECK(syscall(SYS_rt_sigtimedwait, &s, &in, &now, 8) == SIGUSR1 &&
	      in.si_code == SI_TKILL);
	CHECK(tell(process, SIGUSR1, NULL, TO_THREAD) == 0);
	CHECK(syscall(SYS_rt_sigtimedwait, &s, &in, &now, 8) == SIGUSR1 &&
	      in.si_code == SI_TKILL);
	CHECK(tell(thread, SIGUSR1, NULL, TO_PROCESS) == 0);
	CHECK(syscall(SYS_rt_sigtimedwait, &s, &in, &now, 8) == SIGUSR1 &&
	      in.si_code == SI_USER);
	unblock(SIGUSR1);
	close(thread);
	close(process);
}

static void a_group_outlives_its_leader(void)
{
	CHILD(outer)
	{
		int fd, go[2];
		pid_t member = 0;

		CHECK(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0 && pipe(go) == 0);
		CHILD(leader)
		{
			CHECK(setpgid(0, 0) == 0);
			member = fork_or_die();
			if (member == 0)
				for (;;)
					pause();
			CHECK(write(go[1], &member, sizeof(member)) == sizeof(member));
			for (;;)
				pause();
		}
		fd = open_pid(leader, 0);
		CHECK(read(go[0], &member, sizeof(member)) == sizeof(member));
		CHECK(kill(leader, SIGKILL) == 0);
		WAIT_SIGNAL(leader, SIGKILL);
		FAILS(ESRCH, tell(fd, 0, NULL, TO_PROCESS));
		CHECK(tell(fd, 0, NULL, TO_GROUP) == 0);
		CHECK(tell(fd, SIGTERM, NULL, TO_GROUP) == 0);
		WAIT_SIGNAL(member, SIGTERM);
		FAILS(ESRCH, tell(fd, 0, NULL, TO_GROUP));
		_exit(0);
	}
	WAIT_EXIT(outer, 0);
}

static void a_thread_cannot_be_waited_for(void)
{
	siginfo_t info;
	struct other o;
	int fd;

	other_start(&o);
	fd = open_pid(o.tid, PIDFD_THREAD);
	FAILS(ECHILD, waitid((idtype_t)P_PIDFD, (id_t)fd, &info, WEXITED));
	other_stop(&o);
	FAILS(ECHILD, waitid((idtype_t)P_PIDFD, (id_t)fd, &info, WEXITED));
	close(fd);
	CHILD(pid)
	_exit(9);
	fd = open_pid(pid, PIDFD_THREAD); /* that of a child's first may */
	CHECK(waitid((idtype_t)P_PIDFD, (id_t)fd, &info, WEXITED) == 0);
	CHECK(info.si_pid == pid && info.si_status == 9);
	FAILS(ECHILD, waitid((idtype_t)P_PIDFD, (id_t)fd, &info, WEXITED));
	close(fd);
}

static void *exec_true(void *arg)
{
	int *fd = arg;

	*fd = open_pid(own_tid(), PIDFD_THREAD);
	fd[1] = open_pid(getpid(), PIDFD_THREAD);
	CHECK(fcntl(*fd, F_SETFD, 0) == 0 && fcntl(fd[1], F_SETFD, 0) == 0);
	execl("/proc/self/exe", "pidfd_thread", "after-exec", NULL);
	_exit(1);
}

/* A thread that execs takes its process' id and leaves its own. */
static void exec_changes_the_name(void)
{
	CHILD(pid)
	{
		int fd[2];
		pthread_t t;

		CHECK(dup2(0, 3) == 3 && dup2(0, 4) == 4 && close(3) == 0 &&
		      close(4) == 0);
		thread_start(&t, exec_true, fd);
		for (;;)
			pause();
	}
	WAIT_EXIT(pid, 0);
}

static int after_exec(void)
{
	CHECK(events(3, 0) == (POLLIN | POLLRDNORM | POLLHUP));
	CHECK(events(4, 0) == 0);
	FAILS(ESRCH, tell(3, 0, NULL, 0));
	CHECK(tell(4, 0, NULL, 0) == 0);
	return 0;
}

static int raw_thread(void *arg)
{
	(void)arg;
	syscall(SYS_exit, 0);
	return 0;
}

static void clone_gives_one_for_a_thread(void)
{
	const int flags =
		CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD;
	static char stack[1 << 16] __attribute__((aligned(16)));
	int fd = -1;

	CHECK(clone(raw_thread, stack + sizeof(stack), flags | CLONE_PIDFD, NULL, &fd) >
	      0);
	CHECK(fd >= 0 && (fcntl(fd, F_GETFL) & O_EXCL));
	while (!(events(fd, 20000) & POLLHUP))
		sched_yield();
	CHECK(close(fd) == 0);
	FAILS(EINVAL, clone(raw_thread, stack + sizeof(stack),
			    flags | CLONE_PIDFD | CLONE_DETACHED, NULL, &fd));
	FAILS(EINVAL, clone(raw_thread, stack + sizeof(stack),
			    flags | CLONE_PIDFD | CLONE_PARENT_SETTID, NULL, &fd));
}

static void namespaces_can_be_had(void)
{
	static const char *const names[] = {
		"cgroup", "ipc",
		"mnt",	  "net",
		"pid",	  "pid_for_children",
		"time",	  "time_for_children",
		"user",	  "uts",
	};
	int fd = open_pid(getpid(), 0);

	if (ioctl(fd, _IO(0xff, 1), 0) == -1 && errno == ENOTTY)
		return; /* before Linux 6.11 */
	for (unsigned i = 0; i < 10; i++) {
		char path[64], a[64] = "", b[64] = "";
		int ns = ioctl(fd, _IO(0xff, i + 1), 0);

		if (ns == -1 && errno == EOPNOTSUPP)
			continue;
		CHECK(ns >= 0 && fcntl(ns, F_GETFD) == FD_CLOEXEC);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", ns);
		CHECK(readlink(path, a, sizeof(a) - 1) > 0);
		snprintf(path, sizeof(path), "/proc/self/ns/%s", names[i]);
		CHECK(readlink(path, b, sizeof(b) - 1) > 0 && strcmp(a, b) == 0);
		close(ns);
	}
	FAILS(EINVAL, ioctl(fd, _IO(0xff, 1), 1));
	FAILS(ENOTTY, ioctl(fd, _IO(0xff, 99), 0));
	close(fd);
	CHILD(pid)
	_exit(0);
	fd = open_pid(pid, 0);
	WAIT_EXIT(pid, 0);
	FAILS(ESRCH, ioctl(fd, _IO(0xff, 4), 0));
	close(fd);
}

int main(int argc, char **argv)
{
	static const struct test all[] = {
		TEST(threads_can_be_named),
		TEST(a_reaped_process_hangs_up),
		TEST(who_polls_is_told_of_the_reaping),
		TEST(the_first_thread_may_end_alone),
		TEST(signals_go_to_the_thread_unless_told_otherwise),
		TEST(the_sender_of_a_thread_signal_is_told_as_such),
		TEST(a_group_outlives_its_leader),
		TEST(a_thread_cannot_be_waited_for),
		TEST(exec_changes_the_name),
		TEST(clone_gives_one_for_a_thread),
		TEST(namespaces_can_be_had),
	};

	if (argc > 1 && strcmp(argv[1], "after-exec") == 0)
		return after_exec();
	return test_main(all, sizeof(all) / sizeof(all[0]));
}
