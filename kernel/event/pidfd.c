/* SPDX-License-Identifier: MIT */
/* pidfd.c - pidfd_open(2), pidfd_send_signal(2), pidfd_getfd(2). A pidfd is readable once
 * its process is a zombie. */
#include "event/pidfd.h"

#include "abi/errno.h"
#include "abi/poll.h"
#include "abi/sched.h"
#include "abi/signal.h"
#include "abi/syscall.h"
#include "abi/wait.h"
#include "fs/fdtable.h"
#include "fs/file.h"
#include "fs/proc/access.h"
#include "lib/atomic.h"
#include "lib/printf.h"
#include "mm/usercopy.h"
#include "process/creds.h"
#include "process/task.h"
#include "signal/signal.h"

static uint32_t pidfd_poll(struct file *f, struct poll_table *pt)
{
	struct process *p = f->private;

	poll_wait(pt, &p->exit_event);
	return atomic_load(&p->state) == PROCESS_RUNNING ? 0 : POLLIN | POLLRDNORM;
}

static void pidfd_release(struct file *f)
{
	process_put(f->private);
}

static void pidfd_fdinfo(struct file *f, char *buf, size_t size)
{
	struct process *p = f->private;
	pid_t pid = p->state == PROCESS_REAPED ? -1 : p->pid;

	(void)snprintf(buf, size, "Pid:\t%d\nNSpid:\t%d\n", pid, pid);
}

static const struct file_ops pidfd_ops = {
	.poll = pidfd_poll,
	.release = pidfd_release,
	.show_fdinfo = pidfd_fdinfo,
};

int pidfd_file_create(struct process *p, uint32_t flags, struct file **out)
{
	int err;

	process_get(p);
	err = file_create_anon_inode("[pidfd]", &pidfd_ops, O_RDWR | flags, p, out);
	if (err)
		process_put(p);
	return err;
}

int pidfd_create(struct process *p, uint32_t flags)
{
	struct file *f;
	int fd = pidfd_file_create(p, flags, &f);

	if (fd)
		return fd;
	fd = fd_install(f, O_CLOEXEC);
	if (fd < 0)
		file_put(f);
	return fd;
}

/* The process of a descriptor: a reference. */
static int pidfd_process(int fd, struct process **out, uint32_t *file_flags)
{
	struct fdref ref = fd_get(fd);
	int err = -EBADF;

	if (ref.file && ref.file->ops == &pidfd_ops) {
		*out = ref.file->private;
		*file_flags = ref.file->flags;
		process_get(*out);
		err = 0;
	}
	fd_put(ref);
	return err;
}

int pidfd_pid(int fd, pid_t *pid, uint32_t *options)
{
	struct process *p;
	uint32_t flags;
	int err = pidfd_process(fd, &p, &flags);

	if (err)
		return err;
	*pid = p->pid;
	if (flags & O_NONBLOCK)
		*options |= WNOHANG;
	process_put(p);
	return 0;
}

long sys_pidfd_open(struct task *t, pid_t pid, unsigned int flags)
{
	struct process *p;
	struct task *found;
	int fd;

	(void)t;
	if (flags & ~(unsigned int)O_NONBLOCK)
		return -EINVAL;
	if (pid <= 0)
		return -EINVAL;
	p = process_lookup(pid);
	if (!p) {
		found = task_lookup(pid);
		task_put(found);
		return found ? -ENOENT : -ESRCH; /* a thread, but no leader */
	}
	fd = pidfd_create(p, flags);
	process_put(p);
	return fd;
}

/* The process that signals through fd are for: a pidfd's, or that of a /proc/PID. */
static int signalled_process(int fd, struct process **out)
{
	uint32_t flags;
	struct fdref ref;
	struct task *t;
	int err = pidfd_process(fd, out, &flags);

	if (err != -EBADF)
		return err;
	ref = fd_get(fd);
	if (!ref.file)
		return err;
	err = pid_dir_task(ref.file, &t);
	fd_put(ref);
	if (err)
		return err;
	*out = t->process;
	process_get(*out);
	task_put(t);
	return 0;
}

static int info_for(struct process *p, int signo, uaddr_t from, unsigned int flags,
		    struct linux_siginfo *info)
{
	int err;

	if (!from) {
		signal_info_from_user(info, signo,
				      flags & PIDFD_SIGNAL_THREAD ? SI_TKILL : SI_USER);
		return 0;
	}
	err = COPY_IN(info, from);
	if (!err && info->si_signo != signo)
		err = -EINVAL;
	if (!err && (info->si_code >= 0 || info->si_code == SI_TKILL) &&
	    p != current()->process)
		err = -EPERM;
	return err;
}

/* To the process or its first thread. */
static int send_to(struct process *p, int signo, unsigned int flags,
		   const struct linux_siginfo *info)
{
	int err = 0;

	lock_take(&process_tree_lock);
	if (p->state == PROCESS_REAPED)
		err = -ESRCH;
	if (!err)
		err = signal_may_send_locked(p->leader, signo);
	if (!err && signo && p->state == PROCESS_RUNNING)
		err = flags & PIDFD_SIGNAL_THREAD
			      ? signal_send_task(p->leader, signo, info)
			      : signal_send_process(p, signo, info);
	lock_drop(&process_tree_lock);
	return err;
}

long sys_pidfd_send_signal(struct task *t, int fd, int signo, uaddr_t info,
			   unsigned int flags)
{
	struct linux_siginfo si;
	struct process *p;
	int err;

	(void)t;
	if ((flags & ~(unsigned int)PIDFD_SIGNAL_FLAGS) || (flags & (flags - 1)))
		return -EINVAL;
	err = signalled_process(fd, &p);
	if (err)
		return err;
	err = info_for(p, signo, info, flags, &si);
	if (!err && (signo < 0 || signo > NSIG))
		err = -EINVAL;
	if (!err && (flags & PIDFD_SIGNAL_PROCESS_GROUP))
		err = signal_kill_group(p->pid, signo, &si);
	else if (!err)
		err = send_to(p, signo, flags, &si);
	process_put(p);
	return err;
}

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

/* A reference. */
static int leader_of(struct process *p, struct task **out)
{
	*out = task_lookup(p->pid);
	if (*out && (*out)->process == p)
		return 0;
	task_put(*out); /* reaped, and the number is another's */
	return -ESRCH;
}

int pidfd_task(int fd, struct task **out)
{
	struct process *p;
	uint32_t flags;
	int err = pidfd_process(fd, &p, &flags);

	if (err)
		return err;
	err = leader_of(p, out);
	process_put(p);
	return err;
}

static int take_file(struct process *p, int fd, struct file **out)
{
	struct task *leader;
	int err = leader_of(p, &leader);

	if (err)
		return err;
	err = task_may_access(leader);
	if (!err)
		err = file_of_task(leader, fd, out);
	if (!err) { /* an exec with other rights may have come between */
		err = task_may_access(leader);
		if (err)
			file_put(*out);
	}
	task_put(leader);
	return err;
}

long sys_pidfd_getfd(struct task *t, int pidfd, int fd, unsigned int flags)
{
	struct process *p;
	struct file *f;
	uint32_t file_flags;
	int err;

	(void)t;
	if (flags)
		return -EINVAL;
	err = pidfd_process(pidfd, &p, &file_flags);
	if (err)
		return err;
	err = take_file(p, fd, &f);
	process_put(p);
	if (err)
		return err;
	fd = fd_install(f, O_CLOEXEC);
	if (fd < 0)
		file_put(f);
	return fd;
}
