/* SPDX-License-Identifier: MIT */
/* pidfd.c - pidfd_open(2), pidfd_send_signal(2), pidfd_getfd(2). A pidfd is readable once
 * its process is a zombie, or its thread has ended, and hung up once nobody waits for
 * that any more. Whoever it names wakes process->exit_event then. */
#include "event/pidfd_target.h"

#include "abi/errno.h"
#include "abi/ioctl.h"
#include "abi/poll.h"
#include "abi/sched.h"
#include "abi/signal.h"
#include "abi/syscall.h"
#include "abi/wait.h"
#include "fs/fdtable.h"
#include "fs/file.h"
#include "fs/proc/access.h"
#include "fs/proc/proc.h"
#include "lib/atomic.h"
#include "lib/printf.h"
#include "mm/usercopy.h"
#include "process/creds.h"
#include "process/namespace.h"
#include "process/task.h"
#include "signal/signal.h"

static void target_put(struct pidfd_target *g)
{
	task_put(g->task);
	process_put(g->process);
}

bool thread_is_there(const struct task *t)
{
	return atomic_load(&t->state) < TASK_ZOMBIE &&
	       atomic_load(&t->process->leader) != t;
}

static uint32_t process_poll(struct file *f, struct poll_table *pt)
{
	struct process *p = f->private;
	enum process_state state;

	/* Of the first thread too: that it ends before the others is told to nobody. */
	poll_wait(pt, &p->exit_event);
	state = atomic_load(&p->state);
	if (state == PROCESS_RUNNING)
		return 0;
	return POLLIN | POLLRDNORM | (state == PROCESS_REAPED ? POLLHUP : 0U);
}

static uint32_t thread_poll(struct file *f, struct poll_table *pt)
{
	struct task *t = f->private;

	poll_wait(pt, &t->process->exit_event);
	return thread_is_there(t) ? 0 : POLLIN | POLLRDNORM | POLLHUP;
}

static void process_release(struct file *f)
{
	process_put(f->private);
}

static void thread_release(struct file *f)
{
	task_put(f->private);
}

static void process_fdinfo(struct file *f, char *buf, size_t size)
{
	struct process *p = f->private;
	pid_t pid = p->state == PROCESS_REAPED ? -1 : p->pid;

	(void)snprintf(buf, size, "Pid:\t%d\nNSpid:\t%d\n", pid, pid);
}

static void thread_fdinfo(struct file *f, char *buf, size_t size)
{
	struct task *t = f->private;
	pid_t tid = thread_is_there(t) ? t->tid : -1;

	(void)snprintf(buf, size, "Pid:\t%d\nNSpid:\t%d\n", tid, tid);
}

static long pidfd_ioctl(struct file *f, unsigned int cmd, uint64_t arg);

static const struct file_ops process_ops = {
	.poll = process_poll,
	.release = process_release,
	.show_fdinfo = process_fdinfo,
	.ioctl = pidfd_ioctl,
};

static const struct file_ops thread_ops = {
	.poll = thread_poll,
	.release = thread_release,
	.show_fdinfo = thread_fdinfo,
	.ioctl = pidfd_ioctl,
};

static bool is_pidfd(const struct file *f)
{
	return f->ops == &process_ops || f->ops == &thread_ops;
}

int pidfd_file_create(struct process *p, uint32_t flags, struct file **out)
{
	int err;

	process_get(p);
	err = file_create_pidfd(p->serial, &process_ops, O_RDWR | flags, p, out);
	if (err)
		process_put(p);
	else
		(*out)->flags |= flags & PIDFD_THREAD;
	return err;
}

static int thread_file_create(struct task *t, uint32_t flags, struct file **out)
{
	int err;

	task_get(t);
	err = file_create_pidfd(t->serial, &thread_ops, O_RDWR | flags, t, out);
	if (err)
		task_put(t);
	else
		(*out)->flags |= PIDFD_THREAD;
	return err;
}

static int install(int err, struct file *f)
{
	return err ? err : fd_install_or_put(f, O_CLOEXEC);
}

int pidfd_create(struct process *p, uint32_t flags)
{
	struct file *f = NULL;
	int err = pidfd_file_create(p, flags, &f);

	return install(err, f);
}

static int create_thread(struct task *t, uint32_t flags)
{
	struct file *f = NULL;
	int err = thread_file_create(t, flags, &f);

	return install(err, f);
}

int pidfd_create_thread(struct task *t)
{
	return create_thread(t, 0);
}

/* ---- looking ---- */

static void target_of(const struct file *f, struct pidfd_target *out)
{
	bool is_process = f->ops == &process_ops;

	*out = (struct pidfd_target){.flags = f->flags};
	out->task = is_process ? NULL : f->private;
	out->process = is_process ? f->private : out->task->process;
	process_get(out->process);
	if (out->task)
		task_get(out->task);
}

static int target_get(int fd, struct pidfd_target *out)
{
	struct fdref ref = fd_get(fd);
	int err = -EBADF;

	if (ref.file && is_pidfd(ref.file)) {
		target_of(ref.file, out);
		err = 0;
	}
	fd_put(ref);
	return err;
}

struct task *target_task(const struct pidfd_target *g)
{
	struct task *t;

	lock_take(&process_tree_lock);
	t = g->task ? g->task : g->process->leader;
	if (g->task && !thread_is_there(t))
		t = NULL;
	if (t)
		task_get(t);
	lock_drop(&process_tree_lock);
	return t;
}

bool pidfd_is(int fd)
{
	struct pidfd_target g;

	if (target_get(fd, &g))
		return false;
	target_put(&g);
	return true;
}

static int task_of(int fd, bool of_thread_too, struct task **out)
{
	struct pidfd_target g;
	int err = target_get(fd, &g);

	if (err)
		return err;
	*out = g.task && !of_thread_too ? NULL : target_task(&g);
	target_put(&g);
	return *out ? 0 : -ESRCH;
}

int pidfd_any_task(int fd, struct task **out)
{
	return task_of(fd, true, out);
}

int pidfd_task(int fd, struct task **out)
{
	if (fd == PIDFD_SELF_THREAD || fd == PIDFD_SELF_THREAD_GROUP) {
		*out = current();
		task_get(*out);
		return 0;
	}
	return task_of(fd, false, out);
}

int pidfd_to_wait_for(int fd, const struct process **out, uint32_t *options)
{
	struct pidfd_target g;
	int err = target_get(fd, &g);

	if (err)
		return err;
	if (g.flags & O_NONBLOCK)
		*options |= WNOHANG;
	*out = g.task ? NULL : g.process;
	if (!g.task)
		process_get(g.process);
	target_put(&g);
	return 0;
}

/* ---- pidfd_open ---- */

long sys_pidfd_open(struct task *t, pid_t pid, unsigned int flags)
{
	struct task *found;
	int fd;

	(void)t;
	if (flags & ~(unsigned int)(O_NONBLOCK | PIDFD_THREAD))
		return -EINVAL;
	if (pid <= 0)
		return -EINVAL;
	found = task_lookup(pid);
	if (!found)
		return -ESRCH;
	if (found->process->pid == pid)
		fd = pidfd_create(found->process, flags);
	else if (flags & PIDFD_THREAD)
		fd = create_thread(found, flags);
	else
		fd = -ENOENT; /* a thread, but no leader */
	task_put(found);
	return fd;
}

/* ---- ioctl: namespaces ---- */

/* By the numbers of the commands, from 1 on. */
static const uint32_t namespaces[] = {
	CLONE_NEWCGROUP, CLONE_NEWIPC,	CLONE_NEWNS,   CLONE_NEWNET,  CLONE_NEWPID,
	CLONE_NEWPID,	 CLONE_NEWTIME, CLONE_NEWTIME, CLONE_NEWUSER, CLONE_NEWUTS,
};
#define CMD_PID_FOR_CHILDREN  6
#define CMD_TIME_FOR_CHILDREN 8

static long open_namespace(struct task *t, unsigned int cmd)
{
	bool of_children = cmd == CMD_PID_FOR_CHILDREN || cmd == CMD_TIME_FOR_CHILDREN;
	struct namespace *ns = task_namespace(t, namespaces[cmd - 1], of_children);
	long ret = ns ? nsfs_open(ns) : -ESRCH;

	namespace_put(ns);
	return ret;
}

static long pidfd_ioctl(struct file *f, unsigned int cmd, uint64_t arg)
{
	struct pidfd_target g;
	struct task *t;
	long ret;

	if (pidfd_is_get_info(cmd)) {
		target_of(f, &g);
		ret = pidfd_get_info(&g, arg, IOC_SIZE(cmd));
		target_put(&g);
		return ret;
	}
	if ((cmd & ~0xffU) != PIDFD_IOCTL_BASE || (cmd & 0xff) < 1 ||
	    (cmd & 0xff) > ARRAY_SIZE(namespaces))
		return -ENOTTY;
	if (arg)
		return -EINVAL;
	target_of(f, &g);
	t = target_task(&g);
	target_put(&g);
	if (!t)
		return -ESRCH;
	if (t->state >= TASK_ZOMBIE) /* it has left them */
		ret = -ESRCH;
	else
		ret = pid_may_access(t);
	if (!ret)
		ret = open_namespace(t, cmd & 0xff);
	task_put(t);
	return ret;
}

/* ---- pidfd_send_signal ---- */

/* The calling thread as one named by PIDFD_THREAD would be, or its process. */
static void target_self(bool is_thread, struct pidfd_target *out)
{
	struct task *t = current();

	*out = (struct pidfd_target){.process = t->process,
				     .flags = is_thread ? PIDFD_THREAD : 0};
	process_get(t->process);
	if (is_thread && t->process->leader != t) {
		out->task = t;
		task_get(t);
	}
}

/* Whom signals through fd are for: who a pidfd names, or the process of a /proc/PID. */
static int signalled(int fd, struct pidfd_target *out)
{
	struct fdref ref;
	struct task *t;
	int err;

	if (fd == PIDFD_SELF_THREAD || fd == PIDFD_SELF_THREAD_GROUP) {
		target_self(fd == PIDFD_SELF_THREAD, out);
		return 0;
	}
	err = target_get(fd, out);
	if (err != -EBADF)
		return err;
	ref = fd_get(fd);
	if (!ref.file)
		return err;
	err = pid_dir_task(ref.file, &t);
	fd_put(ref);
	if (err)
		return err;
	*out = (struct pidfd_target){.process = t->process};
	process_get(t->process);
	task_put(t);
	return 0;
}

/* The caller itself, not another thread of its process. */
static bool is_self(const struct pidfd_target *g)
{
	const struct task *t = current();

	if (g->task)
		return g->task == t && thread_is_there(t);
	return g->process == t->process && g->process->leader == t;
}

static int info_for(const struct pidfd_target *g, int signo, uaddr_t from,
		    unsigned int scope, struct linux_siginfo *info)
{
	int err;

	if (!from) {
		signal_info_from_user(info, signo,
				      scope == PIDFD_SIGNAL_THREAD ? SI_TKILL : SI_USER);
		return 0;
	}
	err = COPY_IN(info, from);
	if (!err)
		signal_info_import(info);
	if (!err && info->si_signo != signo)
		err = -EINVAL;
	if (!err && (info->si_code >= 0 || info->si_code == SI_TKILL) &&
	    (!is_self(g) || scope == PIDFD_SIGNAL_PROCESS_GROUP))
		err = -EPERM;
	return err;
}

/* To the thread, or its process. */
static int send_to(const struct pidfd_target *g, int signo, unsigned int scope,
		   const struct linux_siginfo *info)
{
	struct process *p = g->process;
	struct task *t;
	int err = 0;

	lock_take(&process_tree_lock);
	t = g->task ? g->task : p->leader;
	if (p->state == PROCESS_REAPED || (g->task && !thread_is_there(t)))
		err = -ESRCH;
	if (!err)
		err = signal_may_send_locked(t, signo);
	if (!err && signo && p->state == PROCESS_RUNNING)
		err = scope == PIDFD_SIGNAL_THREAD ? signal_send_task(t, signo, info)
						   : signal_send_process(p, signo, info);
	lock_drop(&process_tree_lock);
	return err;
}

static int send_to_group(const struct pidfd_target *g, int signo,
			 const struct linux_siginfo *info)
{
	if (g->task) /* no group has the id of a thread */
		return -ESRCH;
	return signal_kill_group_of(g->process, signo, info);
}

long sys_pidfd_send_signal(struct task *t, int fd, int signo, uaddr_t info,
			   unsigned int flags)
{
	struct linux_siginfo si;
	unsigned int scope = flags;
	struct pidfd_target g;
	int err;

	(void)t;
	if ((flags & ~(unsigned int)PIDFD_SIGNAL_FLAGS) || (flags & (flags - 1)))
		return -EINVAL;
	err = signalled(fd, &g);
	if (err)
		return err;
	if (!scope)
		scope = g.flags & PIDFD_THREAD ? PIDFD_SIGNAL_THREAD
					       : PIDFD_SIGNAL_THREAD_GROUP;
	err = info_for(&g, signo, info, scope, &si);
	if (!err && (signo < 0 || signo > NSIG))
		err = -EINVAL;
	if (!err)
		err = scope == PIDFD_SIGNAL_PROCESS_GROUP
			      ? send_to_group(&g, signo, &si)
			      : send_to(&g, signo, scope, &si);
	target_put(&g);
	return err;
}

/* ---- pidfd_getfd ---- */

/* The file that the other task has as fd: a reference. */
static int file_of_task(struct task *other, int fd, struct file **out)
{
	struct fdtable *fds = task_fds(other);

	if (!fds)
		return -ESRCH;
	*out = fdtable_lookup(fds, fd);
	fdtable_put(fds);
	return *out ? 0 : -EBADF;
}

static int take_file(struct task *other, int fd, struct file **out)
{
	int err = task_may_access(other);

	if (!err)
		err = file_of_task(other, fd, out);
	if (!err) { /* an exec with other rights may have come between */
		err = task_may_access(other);
		if (err)
			file_put(*out);
	}
	return err;
}

long sys_pidfd_getfd(struct task *t, int pidfd, int fd, unsigned int flags)
{
	struct task *other;
	struct file *f = NULL;
	int err;

	(void)t;
	if (flags)
		return -EINVAL;
	err = pidfd_any_task(pidfd, &other);
	if (err)
		return err;
	err = take_file(other, fd, &f);
	task_put(other);
	return install(err, f);
}
