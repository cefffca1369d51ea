/* SPDX-License-Identifier: MIT */
/* tty.c - job control of terminals, /dev/tty and /dev/console. */
#include "fs/dev/tty.h"

#include "abi/capability.h"
#include "abi/errno.h"
#include "abi/ioctl.h"
#include "abi/signal.h"
#include "abi/syscall.h"
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

static void signal_group(pid_t pgid, int signo)
{
	struct pgroup *g = pgid ? pgroup_find(pgid) : NULL;

	if (g)
		(void)signal_send_pgroup_locked(g, signo, NULL);
}

static void bind(struct tty *tty, struct session *s, pid_t pgid)
{
	tty_get(tty);
	tty->session = s;
	s->tty = tty;
	s->foreground = pgid;
	s->old_foreground = 0;
}

static void unbind(struct session *s)
{
	struct tty *tty = s->tty;

	s->tty = NULL;
	s->foreground = 0;
	tty->session = NULL;
	tty_put(tty);
}

/* The controlling terminal of the current task: a reference, or NULL. Takes
 * process_tree_lock. */
static struct tty *own_tty_get(void)
{
	struct session *s;
	struct tty *tty = NULL;

	lock_take(&process_tree_lock);
	s = own_session();
	if (s && s->tty) {
		tty = s->tty;
		tty_get(tty);
	}
	lock_drop(&process_tree_lock);
	return tty;
}

/* ---- life ---- */

void tty_init(struct tty *tty, int (*open)(struct tty *tty, struct file *f),
	      void (*release)(struct tty *tty))
{
	ref_init(&tty->refs);
	tty->open = open;
	tty->release = release;
}

void tty_get(struct tty *tty)
{
	ref_get(&tty->refs);
}

void tty_put(struct tty *tty)
{
	if (ref_put(&tty->refs) && tty->release)
		tty->release(tty);
}

void tty_attach(struct tty *tty, struct session *s, pid_t pgid)
{
	lock_take(&process_tree_lock);
	bind(tty, s, pgid);
	lock_drop(&process_tree_lock);
}

void tty_opened(struct tty *tty)
{
	struct session *s;

	lock_take(&process_tree_lock);
	s = own_session();
	if (s && s->sid == current()->process->pid && !s->tty && !tty->session)
		bind(tty, s, own_group()->pgid);
	lock_drop(&process_tree_lock);
}

void tty_hang_up(struct tty *tty)
{
	struct session *s;
	struct process *leader;

	lock_take(&process_tree_lock);
	s = tty->session;
	if (s) {
		pid_t foreground = s->foreground;

		leader = process_find(s->sid);
		unbind(s);
		if (leader && leader->state == PROCESS_RUNNING) {
			s->old_foreground = foreground;
			(void)signal_send_process(leader, SIGHUP, NULL);
			(void)signal_send_process(leader, SIGCONT, NULL);
		}
	}
	lock_drop(&process_tree_lock);
}

void tty_leader_exits_locked(struct session *s)
{
	if (s->tty) {
		signal_group(s->foreground, SIGHUP);
		unbind(s);
	} else if (s->old_foreground) {
		signal_group(s->old_foreground, SIGHUP);
		signal_group(s->old_foreground, SIGCONT);
	}
	s->old_foreground = 0;
}

void tty_signal(struct tty *tty, int signo)
{
	lock_take(&process_tree_lock);
	if (tty->session)
		signal_group(tty->session->foreground, signo);
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
	if (!g || g->session->tty != tty || !g->session->foreground ||
	    g->session->foreground == g->pgid)
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

/* ---- ioctl: process_tree_lock is taken by the caller ---- */

/* The session that the caller may ask about through f; NULL: it may not. */
static struct session *session_asked(struct tty *tty, bool is_master)
{
	struct session *s = is_master ? tty->session : own_session();

	return s && s->tty == tty ? s : NULL;
}

pid_t tty_foreground(struct tty *tty)
{
	pid_t pgid;

	lock_take(&process_tree_lock);
	pgid = tty->session ? tty->session->foreground : 0;
	lock_drop(&process_tree_lock);
	return pgid;
}

static int foreground_get(struct tty *tty, bool is_master, pid_t *out)
{
	struct session *s = session_asked(tty, is_master);

	if (!s && !is_master)
		return -ENOTTY;
	*out = s && pgroup_find(s->foreground) ? s->foreground : 0;
	return 0;
}

static int foreground_set(struct tty *tty, pid_t pgid)
{
	struct session *s = own_session();
	struct pgroup *g;

	if (!s || s->tty != tty)
		return -ENOTTY;
	if (pgid < 0)
		return -EINVAL;
	g = pgroup_find(pgid);
	if (!g)
		return -ESRCH;
	if (g->session != s)
		return -EPERM;
	s->foreground = pgid;
	return 0;
}

static int session_get(struct tty *tty, bool is_master, pid_t *out)
{
	struct session *s = session_asked(tty, is_master);

	if (!s)
		return -ENOTTY;
	*out = s->sid;
	return 0;
}

static int make_controlling(struct tty *tty, struct file *f, bool force)
{
	bool is_admin = capable(CAP_SYS_ADMIN);
	struct session *s = own_session();
	bool is_leader = s && s->sid == current()->process->pid;

	if (is_leader && s->tty == tty)
		return 0;
	if (!is_leader || s->tty)
		return -EPERM;
	if (tty->session && !(force && is_admin))
		return -EPERM;
	if (!(f->mode & FMODE_READ) && !is_admin)
		return -EPERM;
	if (tty->session)
		unbind(tty->session);
	bind(tty, s, own_group()->pgid);
	return 0;
}

static int give_up(struct tty *tty, bool is_master)
{
	struct session *s = own_session();

	if (is_master || !s || s->tty != tty)
		return -ENOTTY;
	/* The terminal is the session's: one that is no leader keeps it. */
	if (s->sid == current()->process->pid) {
		signal_group(s->foreground, SIGHUP);
		signal_group(s->foreground, SIGCONT);
		unbind(s);
	}
	return 0;
}

static int spgrp(struct tty *tty, uint64_t arg)
{
	uint32_t value;
	int err = tty_check(tty, SIGTTOU);

	if (err)
		return err == -EIO ? -ENOTTY : err;
	lock_take(&process_tree_lock);
	err = session_asked(tty, false) ? 0 : -ENOTTY;
	lock_drop(&process_tree_lock);
	if (err)
		return err;
	if (get_user_u32(&value, arg))
		return -EFAULT;
	lock_take(&process_tree_lock);
	err = foreground_set(tty, (pid_t)value);
	lock_drop(&process_tree_lock);
	return err;
}

long tty_ioctl_job(struct tty *tty, struct file *f, bool is_master, unsigned int cmd,
		   uint64_t arg)
{
	pid_t id = 0;
	int err;

	if (cmd == TIOCSPGRP)
		return spgrp(tty, arg);
	lock_take(&process_tree_lock);
	switch (cmd) {
	case TIOCGPGRP:
		err = foreground_get(tty, is_master, &id);
		break;
	case TIOCGSID:
		err = session_get(tty, is_master, &id);
		break;
	case TIOCSCTTY:
		err = make_controlling(tty, f, arg == 1);
		break;
	case TIOCNOTTY:
		err = give_up(tty, is_master);
		break;
	default:
		err = TTY_NOT_MINE;
		break;
	}
	lock_drop(&process_tree_lock);
	if (!err && (cmd == TIOCGPGRP || cmd == TIOCGSID))
		return put_user_u32(arg, (uint32_t)id);
	return err;
}

/* vhangup(2) */
long sys_vhangup(struct task *t)
{
	struct tty *tty;

	(void)t;
	if (!capable(CAP_SYS_TTY_CONFIG))
		return -EPERM;
	tty = own_tty_get();
	if (!tty)
		return 0;
	if (tty->hang_up)
		tty->hang_up(tty);
	else
		tty_hang_up(tty);
	tty_put(tty);
	return 0;
}

/* ---- the nodes ---- */

static int tty_open(struct inode *inode, struct file *f)
{
	struct tty *tty = own_tty_get();
	int err;

	(void)inode;
	if (!tty)
		return -ENXIO;
	err = tty->open(tty, f);
	tty_put(tty);
	return err;
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
