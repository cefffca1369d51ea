/* SPDX-License-Identifier: MIT */
/* sigio.c - signal-driven I/O: who is told when a file with O_ASYNC becomes ready
 * (fcntl(2) F_SETOWN). */
#include "abi/errno.h"
#include "abi/poll.h"
#include "abi/signal.h"
#include "fs/file.h"
#include "lib/atomic.h"
#include "process/session.h"
#include "process/task.h"
#include "signal/signal.h"

static int code_of(uint32_t band)
{
	if (band & POLLPRI)
		return POLL_IN + 4;
	if (band & (POLLERR | POLLHUP))
		return POLL_IN + (band & POLLHUP ? 5 : 3);
	return band & POLLOUT ? POLL_IN + 1 : POLL_IN;
}

void file_send_sigio(struct file *f, uint32_t band)
{
	struct file_owner o = f->owner;
	int signo = o.signo ? o.signo : SIGIO;
	struct linux_siginfo info = {.si_signo = signo, .si_code = code_of(band)};

	if (!(atomic_load_relaxed(&f->flags) & O_ASYNC) || !o.pid)
		return;
	info.poll.band = band;
	info.poll.fd = -1;
	if (o.type == F_OWNER_TID) {
		struct task *t = task_lookup(o.pid);

		if (t) {
			(void)signal_send_task(t, signo, o.signo ? &info : NULL);
			task_put(t);
		}
	} else if (o.type == F_OWNER_PID) {
		struct process *p = process_lookup(o.pid);

		if (p) {
			(void)signal_send_process(p, signo, o.signo ? &info : NULL);
			process_put(p);
		}
	} else {
		lock_take(&process_tree_lock);
		struct pgroup *g = pgroup_find(o.pid);

		if (g)
			(void)signal_send_pgroup_locked(g, signo, o.signo ? &info : NULL);
		lock_drop(&process_tree_lock);
	}
}
