/* SPDX-License-Identifier: MIT */
/* tty.h - what all terminals share: job control, which is the sandbox's own (termios(3),
 * setsid(2)).
 *
 * A session and its controlling terminal point at each other, under process_tree_lock;
 * the session holds a reference. */
#pragma once
#include "abi/types.h"
#include "base/ref.h"

struct file;
struct session;
struct tty;

struct tty {
	struct ref refs;
	/* Makes f a file on the terminal: /dev/tty and /dev/console lead here. Sets ops
	 * and private. */
	int (*open)(struct tty *tty, struct file *f);
	/* vhangup(2); NULL: only its session loses it. */
	void (*hang_up)(struct tty *tty);
	/* The last reference has gone; process_tree_lock may be held. NULL: it stays. */
	void (*release)(struct tty *tty);
	uint64_t dev;		 /* as in stat's st_rdev */
	struct session *session; /* process_tree_lock: which it controls, or NULL */
};

/* The terminal that the sandbox was started on, or NULL: /dev/console. */
extern struct tty *tty_console;

/* With one reference. */
void tty_init(struct tty *tty, int (*open)(struct tty *tty, struct file *f),
	      void (*release)(struct tty *tty));
void tty_get(struct tty *tty);
void tty_put(struct tty *tty);

/* Start-up: makes it the controlling terminal of s, with group pgid in the foreground. */
void tty_attach(struct tty *tty, struct session *s, pid_t pgid);
/* open(2) without O_NOCTTY for reading: it becomes the controlling terminal of a session
 * leader that has none, if it is nobody's. */
void tty_opened(struct tty *tty);
/* The terminal has hung up: its session loses it and the leader gets SIGHUP and SIGCONT.
 * The foreground group follows when the leader exits. */
void tty_hang_up(struct tty *tty);
/* A session leader exits: the foreground group gets SIGHUP. process_tree_lock held. */
void tty_leader_exits_locked(struct session *s);
/* Sends a signal of the terminal's (SIGINT, SIGQUIT, SIGTSTP, SIGWINCH) to the foreground
 * group. */
void tty_signal(struct tty *tty, int signo);

/* The group in the foreground, or 0. */
pid_t tty_foreground(struct tty *tty);

/* The current task is about to read (SIGTTIN) or change (SIGTTOU) the terminal: 0, -EIO,
 * or -ERESTARTSYS after its group was signalled for being in the background. */
int tty_check(struct tty *tty, int signo) MUST_CHECK;
/* TIOCGPGRP, TIOCSPGRP, TIOCGSID, TIOCSCTTY, TIOCNOTTY on f; is_master: f is a pty's
 * other end. TTY_NOT_MINE, which no guest sees: another one. */
#define TTY_NOT_MINE (-515)
long tty_ioctl_job(struct tty *tty, struct file *f, bool is_master, unsigned int cmd,
		   uint64_t arg);
