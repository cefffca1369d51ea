/* SPDX-License-Identifier: MIT */
/* monitor.c - the parent of all host processes.
 *
 * It is init of the host pid namespace: when it ends, the host ends all others. It blocks
 * every signal and waits for three: SIGCHLD; SIGURG, by which the launcher says that it
 * has put signals into the mailbox; and SIGIO, by which the kernel says that it has a
 * question (network.c). Signals of the terminal reach it too; they stay
 * blocked, so that only the launcher's word counts and nothing is forwarded twice. */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "children.h"
#include "gate.h"
#include "launch.h"
#include "message.h"
#include "network.h"
#include "pages.h"
#include "publish.h"
#include "roots.h"
#include "segment.h"
#include "wall.h"

enum { DEAD_MAX = 256 };

/* Host processes that died by an outside hand and that the kernel has not been told of
 * yet. */
struct watch {
	pid_t first;
	bool is_over; /* nothing to watch any more */
	bool is_said; /* why is on stderr already */
	size_t dead_count;
	pid_t dead[DEAD_MAX];
};

/* Wakes the kernel to look into the mailbox. */
static void kick(pid_t first)
{
	int tid = __atomic_load_n(&boot_params()->first_host_tid, __ATOMIC_ACQUIRE);

	__atomic_store_n(&boot_params()->mail, 1, __ATOMIC_SEQ_CST);
	if (tid > 0) /* the mailbox may lie: a thread of no other process */
		(void)syscall(SYS_tgkill, first, tid, SIGURG);
}

static bool is_finished(void)
{
	const struct boot_params *p = boot_params();

	return __atomic_load_n(&p->exited, __ATOMIC_ACQUIRE) ||
	       __atomic_load_n(&p->panicked, __ATOMIC_ACQUIRE);
}

/* The kernel runs: when it gives up it says why, and that it has; unless its data was
 * spoilt. */
static bool has_started(void)
{
	return __atomic_load_n(&boot_params()->first_host_tid, __ATOMIC_ACQUIRE) != 0;
}

static void note_dead(struct watch *w, pid_t pid, int signo)
{
	if (is_finished() || w->is_over)
		return;
	if (signo == SIGSYS)
		warn("host process %d made a host call that the filter forbids", pid);
	if (pid == w->first || w->dead_count == DEAD_MAX) {
		warn("the sandbox's first host process was killed by signal %d (%s)",
		     signo, strsignal(signo));
		w->is_over = true;
		w->is_said = true;
		return;
	}
	w->dead[w->dead_count++] = pid;
}

static void reap(struct watch *w)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, __WALL | WNOHANG)) > 0) {
		pages_forget(pid);
		if (WIFSIGNALED(status))
			note_dead(w, pid, WTERMSIG(status));
		else if (pid == w->first && WEXITSTATUS(status) == STATUS_OWN_FAILURE &&
			 !has_started())
			w->is_said = true;
	}
	if (pid < 0 && errno == ECHILD)
		w->is_over = true;
}

/* Tells the kernel of one dead process; the next one waits until that is taken. */
static void tell_dead(struct watch *w)
{
	uint32_t none = 0;

	if (w->dead_count == 0)
		return;
	if (__atomic_compare_exchange_n(&boot_params()->monitor_dead_pid, &none,
					(uint32_t)w->dead[0], false, __ATOMIC_ACQ_REL,
					__ATOMIC_ACQUIRE))
		memmove(w->dead, w->dead + 1, --w->dead_count * sizeof w->dead[0]);
	kick(w->first);
}

static _Noreturn void watch_all(struct launch *l, pid_t first)
{
	struct timespec soon = {.tv_nsec = 2000000};
	struct watch w = {.first = first};
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGURG);
	sigaddset(&set, SIGIO);
	if (network_answer()) /* what was asked before anybody listened */
		kick(first);
	for (;;) {
		reap(&w);
		if (w.is_over || is_finished())
			break;
		tell_dead(&w);
		int signo = sigtimedwait(&set, NULL, w.dead_count ? &soon : NULL);
		if (signo == SIGURG || (signo == SIGIO && network_answer()))
			kick(first);
		if (!l->has_namespaces && getppid() != l->launcher) {
			w.is_said = true;
			break;
		}
	}
	if (!is_finished() && !w.is_said)
		warn("the sandbox ended without a status");
	if (!l->has_namespaces)
		children_kill();
	_exit(is_finished() ? 0 : STATUS_OWN_FAILURE);
}

/* Without a pid namespace the host ends nothing for us: SIGURG wakes us when the launcher
 * dies. */
static void follow_launcher(const struct launch *l)
{
	if (prctl(PR_SET_PDEATHSIG, l->has_namespaces ? SIGKILL : SIGURG, 0, 0, 0) < 0 ||
	    (!l->has_namespaces && prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0))
		fail("cannot watch over the sandbox: %s", strerror(errno));
}

/* Who may have the low ports is the kernel's to say: no host process has a capability. */
static void free_ports(void)
{
	int fd = open("/proc/sys/net/ipv4/ip_unprivileged_port_start",
		      O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, "0", 1) != 1)
		warn("--net=none: ports below 1024 cannot be had: %s", strerror(errno));
	if (fd >= 0)
		close(fd);
}

/* A new network namespace has a loopback interface, and that is down. */
static void network_up(void)
{
	struct ifreq lo = {.ifr_name = "lo"};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || ioctl(fd, SIOCGIFFLAGS, &lo) < 0)
		fail("--net=none: cannot find the loopback interface: %s",
		     strerror(errno));
	lo.ifr_flags |= IFF_UP;
	if (ioctl(fd, SIOCSIFFLAGS, &lo) < 0)
		fail("--net=none: cannot bring loopback up: %s", strerror(errno));
	close(fd);
	free_ports();
}

static void answer(int channel, char byte)
{
	if (write(channel, &byte, 1) != 1)
		_exit(STATUS_OWN_FAILURE); /* the launcher is gone */
}

static void wait_for(int channel)
{
	char go;

	if (read(channel, &go, 1) != 1)
		_exit(STATUS_OWN_FAILURE);
}

void monitor_main(struct launch *l, int channel)
{
	publish_close(&l->options); /* nor may the sandbox have them */
	gate_close_ours();
	follow_launcher(l);
	pages_begin();
	wait_for(channel);
	if (l->options.has_own_network)
		network_up();
	if (l->has_namespaces && !roots_build(l)) {
		answer(channel, MONITOR_DENIED);
		_exit(STATUS_OWN_FAILURE);
	}
	wait_for(channel);
	roots_open(l);
	answer(channel, MONITOR_READY);
	close(channel);
	wall_drop_capabilities();
	network_begin();
	pid_t first = (pid_t)syscall(SYS_clone, (long)SIGCHLD, 0L, 0L, 0L, 0L);
	if (first < 0)
		fail("cannot make the first host process: %s", strerror(errno));
	if (first == 0) {
		network_close();
		pages_close();
		first_main(l);
	}
	/* A pipe's reader must see its end when the programs have closed it. */
	network_keep(STDIN_FILENO);
	pages_keep(STDOUT_FILENO);
	(void)syscall(SYS_close_range, 3, ~0U, 0);
	watch_all(l, first);
}
