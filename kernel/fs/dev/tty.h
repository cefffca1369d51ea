/* SPDX-License-Identifier: MIT */
/* tty.h - what all terminals share: job control, which is the sandbox's own (termios(3),
 * setsid(2)).
 *
 * A session points at its controlling terminal; session->tty and foreground are guarded
 * by process_tree_lock. A terminal that goes away must first be taken from its session
 * with tty_detach(). */
#pragma once
#include "abi/types.h"

struct file;
struct session;
struct tty;

struct tty {
	/* Makes f a file on the terminal: /dev/tty and /dev/console lead here. Sets ops
	 * and private. */
	int (*open)(struct tty *tty, struct file *f);
	void *private;
};

/* The terminal that the sandbox was started on, or NULL: /dev/console. */
extern struct tty *tty_console;

/* Start-up: makes it the controlling terminal of s, with group pgid in the foreground. */
void tty_attach(struct tty *tty, struct session *s, pid_t pgid);
/* Hangs up: no session has it any more. */
void tty_detach(struct tty *tty);
/* The current task's session loses its terminal, whose foreground group gets SIGHUP and
 * SIGCONT: for the exit of a session leader and TIOCNOTTY. */
void tty_leave(void);
/* The same for any session. process_tree_lock held. */
void tty_hang_up_locked(struct session *s);
/* Sends a signal of the terminal's (SIGINT, SIGQUIT, SIGTSTP, SIGWINCH, SIGHUP) to the
 * foreground group. */
void tty_signal(struct tty *tty, int signo);

/* The current task is about to read (SIGTTIN) or change (SIGTTOU) the terminal: 0, -EIO,
 * or -ERESTARTSYS after its group was signalled for being in the background. */
int tty_check(struct tty *tty, int signo) MUST_CHECK;
/* TIOCGPGRP, TIOCSPGRP, TIOCGSID, TIOCSCTTY, TIOCNOTTY; TTY_NOT_MINE, which no guest
 * sees: another one. */
#define TTY_NOT_MINE (-515)
long tty_ioctl_job(struct tty *tty, unsigned int cmd, uint64_t arg);
