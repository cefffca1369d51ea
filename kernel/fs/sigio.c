/* SPDX-License-Identifier: MIT */
/* sigio.c - signal-driven I/O: who is told when a file with O_ASYNC becomes ready
 * (fcntl(2) F_SETOWN, F_SETSIG).
 *
 * sigio_lock (RANK_SIGIO) guards every file's owner and the lists of files that objects
 * with several of them (pipes) keep. Signals are sent under it; objects call with their
 * own locks held or without. */
#include "fs/sigio.h"

#include "abi/errno.h"
#include "abi/poll.h"
#include "abi/signal.h"
#include "base/lock.h"
#include "fs/file.h"
#include "lib/atomic.h"
#include "process/creds.h"
#include "process/identity.h"
#include "process/session.h"
#include "process/task.h"
#include "signal/signal.h"

static struct lock sigio_lock = LOCK_INIT(RANK_SIGIO);

/* ---- the owner ---- */

static bool owner_exists(int type, pid_t pid)
{
	bool exists;

	lock_take(&process_tree_lock);
	exists = type == F_OWNER_TID   ? task_find(pid) != NULL
		 : type == F_OWNER_PID ? process_find(pid) != NULL
				       : pgroup_find(pid) != NULL;
	lock_drop(&process_tree_lock);
	return exists;
}

static void owner_store(struct file *f, int type, pid_t pid)
{
	const struct creds *c = current_creds();

	f->owner.type = type;
	f->owner.pid = pid;
	f->owner.uid = pid ? c->uid : 0;
	f->owner.euid = pid ? c->euid : 0;
}

int file_owner_set(struct file *f, int type, pid_t pid)
{
	if (type < F_OWNER_TID || type > F_OWNER_PGRP)
		return -EINVAL;
	if (pid && !owner_exists(type, pid))
		return -ESRCH;
	lock_take(&sigio_lock);
	owner_store(f, type, pid);
	lock_drop(&sigio_lock);
	if (f->ops && f->ops->owner_changed)
		f->ops->owner_changed(f);
	return 0;
}

void file_owner_default_to(struct file *f, int type, pid_t pid)
{
	lock_take(&sigio_lock);
	if (!f->owner.pid)
		owner_store(f, type, pid);
	lock_drop(&sigio_lock);
}

void file_owner_default(struct file *f)
{
	file_owner_default_to(f, F_OWNER_PID, current()->process->pid);
}

void file_owner_clear(struct file *f)
{
	lock_take(&sigio_lock);
	owner_store(f, F_OWNER_PID, 0);
	f->owner.signo = 0;
	lock_drop(&sigio_lock);
}

void file_owner_set_signal(struct file *f, int signo)
{
	lock_take(&sigio_lock);
	f->owner.signo = signo;
	lock_drop(&sigio_lock);
}

struct file_owner file_owner_get(struct file *f)
{
	struct file_owner o;

	lock_take(&sigio_lock);
	o = f->owner;
	lock_drop(&sigio_lock);
	if (o.pid && !owner_exists(o.type, o.pid))
		o.pid = 0;
	return o;
}

int file_set_owner(struct file *f, int who)
{
	if (who == INT32_MIN)
		return -EINVAL;
	return who < 0 ? file_owner_set(f, F_OWNER_PGRP, -who)
		       : file_owner_set(f, F_OWNER_PID, who);
}

int file_get_owner(struct file *f)
{
	struct file_owner o = file_owner_get(f);

	return o.type == F_OWNER_PGRP ? -o.pid : o.pid;
}

/* ---- sending: sigio_lock held ---- */

/* Whoever set the owner must have been allowed to signal it. */
static bool may_send(const struct file_owner *o, struct task *t)
{
	struct creds *c = task_creds(t);
	bool ok = !c || o->euid == 0 || o->euid == c->suid || o->euid == c->uid ||
		  o->uid == c->suid || o->uid == c->uid;

	creds_put(c);
	return ok;
}

/* A signal of one's choice tells more; when its queue is full, SIGIO says the least. */
static void send_to(const struct file_owner *o, struct task *t,
		    const struct linux_siginfo *info)
{
	struct process *p = o->type == F_OWNER_TID ? NULL : t->process;

	if (!may_send(o, t))
		return;
	if (o->signo && (p ? signal_send_process(p, o->signo, info)
			   : signal_send_task(t, o->signo, info)) == 0)
		return;
	if (p)
		(void)signal_send_process(p, SIGIO, NULL);
	else
		(void)signal_send_task(t, SIGIO, NULL);
}

static void send_owner(const struct file_owner *o, const struct linux_siginfo *info)
{
	struct list *pos;

	if (o->type == F_OWNER_TID) {
		struct task *t = task_find(o->pid);

		if (t)
			send_to(o, t, info);
	} else if (o->type == F_OWNER_PID) {
		struct process *p = process_find(o->pid);

		if (p)
			send_to(o, p->leader, info);
	} else {
		struct pgroup *g = pgroup_find(o->pid);

		if (!g)
			return;
		list_for_each (pos, &g->members)
			send_to(o, list_entry(pos, struct process, pgroup_link)->leader,
				info);
	}
}

static void send_locked(const struct file_owner *o, int fd, int code)
{
	static const uint16_t bands[] = {
		[POLL_IN] = POLLIN | POLLRDNORM,
		[POLL_OUT] = POLLOUT | POLLWRNORM | POLLWRBAND,
		[POLL_MSG] = POLLIN | POLLRDNORM | POLLMSG,
		[POLL_ERR] = POLLERR,
		[POLL_PRI] = POLLPRI | POLLRDBAND,
		[POLL_HUP] = POLLHUP | POLLERR,
	};
	struct linux_siginfo info = {.si_signo = o->signo, .si_code = code};

	if (!o->pid)
		return;
	/* Those whose codes mean something else. */
	if (o->signo == SIGILL || o->signo == SIGFPE || o->signo == SIGSEGV ||
	    o->signo == SIGBUS || o->signo == SIGTRAP || o->signo == SIGCHLD ||
	    o->signo == SIGSYS)
		info.si_code = SI_SIGIO;
	info.poll.band = bands[code];
	info.poll.fd = fd;
	lock_take(&process_tree_lock);
	send_owner(o, &info);
	lock_drop(&process_tree_lock);
}

static int code_of(uint32_t band)
{
	if (band & POLLPRI)
		return POLL_PRI;
	if (band & (POLLERR | POLLHUP))
		return band & POLLHUP ? POLL_HUP : POLL_ERR;
	return band & POLLOUT ? POLL_OUT : POLL_IN;
}

void file_send_sigio(struct file *f, uint32_t band)
{
	if (!(atomic_load_relaxed(&f->flags) & O_ASYNC))
		return;
	lock_take(&sigio_lock);
	send_locked(&f->owner, f->async_fd, code_of(band));
	lock_drop(&sigio_lock);
}

void file_send_sigurg(struct file *f)
{
	struct file_owner o;

	lock_take(&sigio_lock);
	o = f->owner;
	o.signo = SIGURG;
	lock_take(&process_tree_lock);
	if (o.pid)
		send_owner(&o, NULL);
	lock_drop(&process_tree_lock);
	lock_drop(&sigio_lock);
}

void file_send_lease_break(struct file *f, int fd)
{
	lock_take(&sigio_lock);
	send_locked(&f->owner, fd, POLL_MSG);
	lock_drop(&sigio_lock);
}

/* ---- lists ---- */

void async_list_send_slow(struct list *files, uint32_t mode, uint32_t band)
{
	struct list *pos;

	lock_take(&sigio_lock);
	list_for_each (pos, files) {
		struct file *f = list_entry(pos, struct file, async_link);

		if (f->mode & mode)
			send_locked(&f->owner, f->async_fd, code_of(band));
	}
	lock_drop(&sigio_lock);
}

int async_list_join(struct list *files, struct file *f, bool on)
{
	lock_take(&sigio_lock);
	list_remove(&f->async_link);
	if (on)
		list_add_tail(files, &f->async_link);
	lock_drop(&sigio_lock);
	return 0;
}

int file_set_async(struct file *f, int fd, bool on)
{
	if (!f->ops || !f->ops->set_async)
		return -ENOTTY;
	f->async_fd = fd;
	return f->ops->set_async(f, on);
}
