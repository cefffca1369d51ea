/* SPDX-License-Identifier: MIT */
/* pending.h - sets and queues of pending signals; for this folder alone. The caller holds
 * the lock of the process that the set belongs to, everywhere. */
#pragma once
#include "process/task.h"

#define SIGNALS_ALL	UINT64_MAX
#define SIGNALS_NO_MASK (SIGSET_BIT(SIGKILL) | SIGSET_BIT(SIGSTOP)) /* never blocked */
#define SIGNALS_STOP                                                                     \
	(SIGSET_BIT(SIGSTOP) | SIGSET_BIT(SIGTSTP) | SIGSET_BIT(SIGTTIN) |               \
	 SIGSET_BIT(SIGTTOU))
#define SIGNALS_CORE                                                                     \
	(SIGSET_BIT(SIGQUIT) | SIGSET_BIT(SIGILL) | SIGSET_BIT(SIGTRAP) |                \
	 SIGSET_BIT(SIGABRT) | SIGSET_BIT(SIGBUS) | SIGSET_BIT(SIGFPE) |                 \
	 SIGSET_BIT(SIGSEGV) | SIGSET_BIT(SIGXCPU) | SIGSET_BIT(SIGXFSZ) |               \
	 SIGSET_BIT(SIGSYS))
#define SIGNALS_IGNORE /* by default */                                                  \
	(SIGSET_BIT(SIGCONT) | SIGSET_BIT(SIGCHLD) | SIGSET_BIT(SIGWINCH) |              \
	 SIGSET_BIT(SIGURG))
/* Those that an instruction raises: taken first. */
#define SIGNALS_FAULT                                                                    \
	(SIGSET_BIT(SIGSEGV) | SIGSET_BIT(SIGBUS) | SIGSET_BIT(SIGILL) |                 \
	 SIGSET_BIT(SIGTRAP) | SIGSET_BIT(SIGFPE) | SIGSET_BIT(SIGSYS))

/* Whom a queued signal is charged to. */
struct pending_owner {
	uid_t uid;
	uint64_t limit; /* RLIMIT_SIGPENDING */
};

/* Adds signo. A standard signal that is pending already is left as it is. 0, or -EAGAIN
 * for a real-time signal that is to carry information when the owner has too many. */
int pending_add(struct sigpending *pending, int signo, const struct linux_siginfo *info,
		const struct pending_owner *owner) MUST_CHECK;
/* Adds a POSIX timer's own entry, which is on no queue. */
void pending_add_timer(struct sigpending *pending, struct sigqueue *q);
/* Takes a timer's entry off the queue, if it is on it. */
void pending_remove_timer(struct sigpending *pending, struct sigqueue *q);
/* Takes the next signal of those in set: faults first, then the lowest number. Returns 0
 * when there is none. */
int pending_take(struct sigpending *pending, uint64_t set, struct linux_siginfo *info);
/* Forgets the signals in set. */
void pending_flush(struct sigpending *pending, uint64_t set);
/* How many signals are queued for a user: /proc/PID/status. */
uint32_t pending_count(uid_t uid);
