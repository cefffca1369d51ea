/* SPDX-License-Identifier: MIT */
/* signalfd.c - signalfd(2): reading signals.
 *
 * What a read gets are signals of the reader: of the task and its process. Sleepers wait
 * on one of a fixed number of queues, by hash of their process, which outlives them;
 * strangers met there are woken for nothing. */
#include "event/signalfd.h"
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/signal.h"
#include "abi/syscall.h"
#include "base/claim.h"
#include "base/slab.h"
#include "base/waitq.h"
#include "fs/fdtable.h"
#include "fs/file.h"
#include "lib/atomic.h"
#include "lib/hash.h"
#include "lib/printf.h"
#include "mm/usercopy.h"
#include "process/task.h"
#include "signal/hooks.h"
#include "signal/signal.h"

enum { SIGNAL_QUEUES = 64 };

struct signalfd {
	uint64_t mask; /* atomic: the signals wanted */
};

static struct waitq queues[SIGNAL_QUEUES];

static struct waitq *queue_of(const struct process *p)
{
	return &queues[hash_pointer(p, 0) % SIGNAL_QUEUES];
}

static void signal_queued(struct process *p, struct task *t, int signo)
{
	(void)t;
	(void)signo;
	waitq_wake_all(queue_of(p), 0);
}

void signalfd_init(void)
{
	for (size_t i = 0; i < SIGNAL_QUEUES; i++)
		waitq_init(&queues[i]);
}

static void fill_by_signo(struct linux_signalfd_siginfo *out,
			  const struct linux_siginfo *in)
{
	switch (in->si_signo) {
	case SIGCHLD:
		out->ssi_pid = (uint32_t)in->child.pid;
		out->ssi_uid = in->child.uid;
		out->ssi_status = in->child.status;
		out->ssi_utime = (uint64_t)in->child.utime;
		out->ssi_stime = (uint64_t)in->child.stime;
		break;
	case SIGILL:
	case SIGFPE:
	case SIGSEGV:
	case SIGBUS:
	case SIGTRAP:
		out->ssi_addr = in->fault.addr;
		if (in->si_signo == SIGBUS)
			out->ssi_addr_lsb = (uint16_t)in->fault.addr_lsb;
		break;
	case SIGSYS:
		out->ssi_call_addr = in->sys.call_addr;
		out->ssi_syscall = in->sys.syscall;
		out->ssi_arch = in->sys.arch;
		break;
	default:
		out->ssi_pid = (uint32_t)in->kill.pid;
		out->ssi_uid = in->kill.uid;
	}
}

static void info_convert(struct linux_signalfd_siginfo *out,
			 const struct linux_siginfo *in)
{
	*out = (struct linux_signalfd_siginfo){
		.ssi_signo = (uint32_t)in->si_signo,
		.ssi_errno = in->si_errno,
		.ssi_code = in->si_code,
	};
	if (in->si_code == SI_TIMER) {
		out->ssi_tid = (uint32_t)in->timer.id;
		out->ssi_overrun = (uint32_t)in->timer.overrun;
		out->ssi_ptr = in->timer.value.sival_ptr;
		out->ssi_int = in->timer.value.sival_int;
	} else if (in->si_code == SI_SIGIO || (in->si_signo == SIGIO && in->si_code > 0 &&
					       in->si_code < SI_KERNEL)) {
		out->ssi_band = (uint32_t)in->poll.band;
		out->ssi_fd = in->poll.fd;
	} else if (in->si_code < 0) {
		out->ssi_pid = (uint32_t)in->queue.pid;
		out->ssi_uid = in->queue.uid;
		if (in->si_code != SI_TKILL) {
			out->ssi_ptr = in->queue.value.sival_ptr;
			out->ssi_int = in->queue.value.sival_int;
		}
	} else if (in->si_code == SI_USER || in->si_code == SI_KERNEL) {
		out->ssi_pid = (uint32_t)in->kill.pid;
		out->ssi_uid = in->kill.uid;
	} else {
		fill_by_signo(out, in);
	}
}

static bool reader_woken(struct wait_entry *e, uint32_t key)
{
	(void)key;
	return sleeper_wake(e->sleeper);
}

/* Sleeps until there is a signal. Returns its number, or -ERESTARTSYS. */
static int signal_await(struct signalfd *s, struct linux_siginfo *info)
{
	struct task *t = current();
	struct waitq *q = queue_of(t->process);
	struct wait_place p;
	int signo;
	int err = 0;

	wait_place_take(&p, q, reader_woken, false);
	for (;;) {
		sleeper_prepare();
		signo = signal_take(t, atomic_load(&s->mask), info);
		if (signo || err)
			break;
		err = sleeper_wait(NSEC_NEVER, WORK_INTERRUPTS);
	}
	sleeper_cancel();
	wait_place_leave(&p);
	return signo ? signo : err;
}

static ssize_t signalfd_read(struct file *f, struct uio *u, int64_t *pos)
{
	struct signalfd *s = f->private;
	struct linux_signalfd_siginfo out;
	struct linux_siginfo info;
	ssize_t done = 0;

	(void)pos;
	if (u->left < sizeof(out))
		return -EINVAL;
	while (u->left >= sizeof(out)) {
		int signo = signal_take(current(), atomic_load(&s->mask), &info);

		if (!signo && done)
			break;
		if (!signo)
			signo = file_may_block(f, u) ? signal_await(s, &info) : -EAGAIN;
		if (signo < 0)
			return signo;
		info_convert(&out, &info);
		if (uio_copy_out(u, &out, sizeof(out)) != sizeof(out))
			return done ? done : -EFAULT;
		done += (ssize_t)sizeof(out);
	}
	return done;
}

static uint32_t signalfd_poll(struct file *f, struct poll_table *pt)
{
	struct signalfd *s = f->private;
	const struct task *t = current();
	const struct process *p = pt && pt->process ? pt->process : t->process;
	uint64_t set;

	poll_wait(pt, queue_of(p));
	atomic_fence();
	set = atomic_load(&p->pending.set);
	if (p == t->process)
		set |= atomic_load(&t->pending.set);
	return set & atomic_load(&s->mask) ? POLLIN : 0;
}

static void signalfd_show_fdinfo(struct file *f, char *buf, size_t size)
{
	struct signalfd *s = f->private;

	(void)scnprintf(buf, size, "sigmask:\t%016llx\n", (unsigned long long)s->mask);
}

static void signalfd_release(struct file *f)
{
	kfree(f->private);
}

static const struct file_ops signalfd_ops = {
	.read = signalfd_read,
	.lseek = file_lseek_nowhere,
	.poll = signalfd_poll,
	.release = signalfd_release,
	.show_fdinfo = signalfd_show_fdinfo,
};

static int signalfd_create(uint64_t mask, uint32_t flags)
{
	struct signalfd *s = kmalloc(sizeof(*s));
	struct file *f;
	int fd;

	if (!s)
		return -ENOMEM;
	s->mask = mask;
	fd = file_create_anon_inode("[signalfd]", &signalfd_ops,
				    O_RDWR | (flags & O_NONBLOCK), s, &f);
	if (fd) {
		kfree(s);
		return fd;
	}
	/* From the first one on, senders tell. */
	atomic_store(&signal_queued_hook, signal_queued);
	return fd_install_or_put(f, flags & O_CLOEXEC);
}

static int signalfd_change(int fd, uint64_t mask)
{
	struct fdref f = fd_get(fd);
	struct signalfd *s;

	if (!f.file)
		return -EBADF;
	if (f.file->ops != &signalfd_ops) {
		fd_put(f);
		return -EINVAL;
	}
	s = f.file->private;
	atomic_store(&s->mask, mask);
	waitq_wake_all(queue_of(current()->process), 0);
	fd_put(f);
	return fd;
}

long sys_signalfd4(struct task *t, int fd, uaddr_t set, size_t setsize, int flags)
{
	uint64_t mask;

	(void)t;
	if (setsize != sizeof(mask))
		return -EINVAL;
	if (COPY_IN(&mask, set))
		return -EFAULT;
	if (flags & ~(SFD_CLOEXEC | SFD_NONBLOCK))
		return -EINVAL;
	mask &= ~(SIGSET_BIT(SIGKILL) | SIGSET_BIT(SIGSTOP));
	return fd == -1 ? signalfd_create(mask, (uint32_t)flags)
			: signalfd_change(fd, mask);
}

long sys_signalfd(struct task *t, int fd, uaddr_t set, size_t setsize)
{
	return sys_signalfd4(t, fd, set, setsize, 0);
}
