/* SPDX-License-Identifier: MIT */
/* tty.c - job control of terminals, /dev/tty and /dev/console. */
#include "fs/dev/tty.h"

#include "abi/capability.h"
#include "abi/errno.h"
#include "abi/ioctl.h"
#include "abi/signal.h"
#include "base/waitq.h"
#include "fs/chrdev.h"
#include "fs/dev/internal.h"
#include "fs/file.h"
#include "lib/atomic.h"
#include "mm/usercopy.h"
#include "process/creds.h"
#include "process/session.h"
#include "process/task.h"
#include "signal/signal.h"

struct tty *tty_console;

/* ---- sessions; process_tree_lock held ---- */

static struct pgroup *own_group(void)
{
	return current()->process->pgroup;
}

static struct session *own_session(void)
{
	struct pgroup *g = own_group();

	return g ? g->session : NULL;
}

/* The session that tty controls, found by walking: it is asked for when a key is struck.
 */
static struct session *session_of(const struct tty *tty)
{
	for (struct process *p = process_next(0); p; p = process_next(p->pid + 1))
		if (p->pgroup && p->pgroup->session->tty == tty)
			return p->pgroup->session;
	return NULL;
}

static void signal_foreground(struct session *s, int signo)
{
	struct pgroup *g = s->foreground ? pgroup_find(s->foreground) : NULL;

	if (g)
		(void)signal_send_pgroup_locked(g, signo, NULL);
}

void tty_attach(struct tty *tty, struct session *s, pid_t pgid)
{
	lock_take(&process_tree_lock);
	s->tty = tty;
	s->foreground = pgid;
	lock_drop(&process_tree_lock);
}

void tty_detach(struct tty *tty)
{
	struct session *s;

	lock_take(&process_tree_lock);
	s = session_of(tty);
	if (s) {
		s->tty = NULL;
		signal_foreground(s, SIGHUP);
		signal_foreground(s, SIGCONT);
	}
	lock_drop(&process_tree_lock);
}

void tty_hang_up_locked(struct session *s)
{
	if (!s->tty)
		return;
	s->tty = NULL;
	signal_foreground(s, SIGHUP);
	signal_foreground(s, SIGCONT);
	s->foreground = 0;
}

void tty_leave(void)
{
	struct session *s;

	lock_take(&process_tree_lock);
	s = own_session();
	if (s)
		tty_hang_up_locked(s);
	lock_drop(&process_tree_lock);
}

void tty_signal(struct tty *tty, int signo)
{
	struct session *s;

	lock_take(&process_tree_lock);
	s = session_of(tty);
	if (s)
		signal_foreground(s, signo);
	lock_drop(&process_tree_lock);
}

/* ---- background ---- */

static bool is_blocked_or_ignored(const struct task *t, int signo)
{
	if (t->blocked >> (signo - 1) & 1)
		return true;
	return t->sighand->action[signo - 1].handler == LINUX_SIG_IGN;
}

int tty_check(struct tty *tty, int signo)
{
	struct pgroup *g;
	int err = 0;

	lock_take(&process_tree_lock);
	g = own_group();
	if (!g || g->session->tty != tty || g->session->foreground == g->pgid)
		goto out;
	if (is_blocked_or_ignored(current(), signo)) {
		err = signo == SIGTTIN ? -EIO : 0;
	} else if (pgroup_is_orphaned(g, NULL)) {
		err = -EIO;
	} else {
		(void)signal_send_pgroup_locked(g, signo, NULL);
		err = -ERESTARTSYS;
	}
out:
	lock_drop(&process_tree_lock);
	return err;
}

/* ---- ioctl ---- */

static int foreground_get(struct tty *tty, pid_t *out)
{
	struct session *s;
	int err = -ENOTTY;

	lock_take(&process_tree_lock);
	s = own_session();
	if (s && s->tty == tty) {
		*out = s->foreground;
		err = 0;
	}
	lock_drop(&process_tree_lock);
	return err;
}

static int foreground_set(struct tty *tty, pid_t pgid)
{
	struct session *s;
	struct pgroup *g;
	int err = tty_check(tty, SIGTTOU);

	if (err)
		return err;
	if (pgid < 0)
		return -EINVAL;
	lock_take(&process_tree_lock);
	s = own_session();
	g = pgroup_find(pgid);
	if (!s || s->tty != tty)
		err = -ENOTTY;
	else if (!g)
		err = -ESRCH;
	else if (g->session != s)
		err = -EPERM;
	else
		s->foreground = pgid;
	lock_drop(&process_tree_lock);
	return err;
}

static int make_controlling(struct tty *tty, bool force)
{
	bool may_steal = force && capable(CAP_SYS_ADMIN);
	struct session *s;
	struct session *other;
	int err = 0;

	lock_take(&process_tree_lock);
	s = own_session();
	other = session_of(tty);
	if (!s || s->sid != current()->process->pid || (s->tty && s->tty != tty) ||
	    (other && other != s && !may_steal)) {
		err = -EPERM;
	} else if (s->tty != tty) {
		if (other)
			other->tty = NULL;
		s->tty = tty;
		s->foreground = own_group()->pgid;
	}
	lock_drop(&process_tree_lock);
	return err;
}

static int give_up(struct tty *tty)
{
	struct session *s;
	bool is_own;
	bool is_leader;

	lock_take(&process_tree_lock);
	s = own_session();
	is_own = s && s->tty == tty;
	is_leader = s && s->sid == current()->process->pid;
	lock_drop(&process_tree_lock);
	if (!is_own)
		return -ENOTTY;
	/* The terminal is the session's: one that is no leader keeps it. */
	if (is_leader)
		tty_leave();
	return 0;
}

long tty_ioctl_job(struct tty *tty, unsigned int cmd, uint64_t arg)
{
	struct session *s;
	uint32_t value;
	pid_t id = 0;
	int err;

	switch (cmd) {
	case TIOCGPGRP:
		err = foreground_get(tty, &id);
		return err ? err : put_user_u32(arg, (uint32_t)id);
	case TIOCSPGRP:
		err = get_user_u32(&value, arg);
		return err ? err : foreground_set(tty, (pid_t)value);
	case TIOCGSID:
		lock_take(&process_tree_lock);
		s = own_session();
		if (s && s->tty == tty)
			id = s->sid;
		lock_drop(&process_tree_lock);
		return id ? put_user_u32(arg, (uint32_t)id) : -ENOTTY;
	case TIOCSCTTY:
		return make_controlling(tty, arg == 1);
	case TIOCNOTTY:
		return give_up(tty);
	default:
		return TTY_NOT_MINE;
	}
}

/* ---- the nodes ---- */

static int tty_open(struct inode *inode, struct file *f)
{
	struct session *s;
	struct tty *tty = NULL;

	(void)inode;
	lock_take(&process_tree_lock);
	s = own_session();
	if (s)
		tty = s->tty;
	lock_drop(&process_tree_lock);
	return tty ? tty->open(tty, f) : -ENXIO;
}

static int console_open(struct inode *inode, struct file *f)
{
	(void)inode;
	return tty_console ? tty_console->open(tty_console, f) : -ENXIO;
}

static const struct file_ops tty_node_ops = {.open = tty_open};
static const struct file_ops console_node_ops = {.open = console_open};

static struct chrdev tty_devices[] = {
	{.major = TTY_MAJOR,
	 .minor = TTY_TTY,
	 .minor_count = 1,
	 .name = "/dev/tty",
	 .ops = &tty_node_ops},
	{.major = TTY_MAJOR,
	 .minor = TTY_CONSOLE,
	 .minor_count = 1,
	 .name = "/dev/console",
	 .ops = &console_node_ops},
};

void tty_devices_register(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(tty_devices); i++)
		chrdev_register(&tty_devices[i]);
}
