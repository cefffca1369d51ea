/* SPDX-License-Identifier: MIT */
/* coredump.c - a dying process leaves a core file.
 *
 * The thread that took the signal writes it, with the process' own credentials. The
 * others must die as well; they wait with their registers, on their way out in
 * task_exit(), until the file is written. SIGKILL makes an end of the writing. A vfork
 * child writes what it shares with its parent, which goes on when it has ended.
 *
 * Limits against Linux: nobody runs helpers, so a core_pattern that is a pipe or a socket
 * leaves nothing. */
#include "core/coredump.h"

#include "abi/errno.h"
#include "abi/resource.h"
#include "abi/stat.h"
#include "abi/wait.h"
#include "arch/x86_64/trap.h"
#include "arch/x86_64/xstate.h"
#include "base/page.h"
#include "base/slab.h"
#include "fs/file.h"
#include "fs/namei.h"
#include "fs/vfs.h"
#include "lib/atomic.h"
#include "mm/mm.h"
#include "process/creds.h"

#define XSTATE_ALIGN 64

/* The caller's registers. */
static void thread_capture(struct core_thread *ct, struct task *t)
{
	*ct = (struct core_thread){.task = t,
				   .fs_base = fs_base_read(),
				   .gs_base = t->guest_gs ? t->gs_base : 0};
	ct->allocated = kmalloc(xstate_area_size() + XSTATE_ALIGN);
	if (!ct->allocated)
		return;
	ct->xstate = (void *)ALIGN_UP((uintptr_t)ct->allocated, (uintptr_t)XSTATE_ALIGN);
	xstate_save(ct->xstate);
}

void core_dump_join(struct task *t)
{
	struct process *p = t->process;
	struct core_thread ct;

	if (likely(!atomic_load(&p->core)))
		return;
	thread_capture(&ct, t);
	lock_take(&p->lock);
	if (p->core) {
		list_add_tail(&p->core->threads, &ct.link);
		p->core->waiting++;
		waitq_wake_all(&p->threads_gone, 0);
	}
	while (p->core)
		(void)!waitq_sleep_deaf(&p->threads_gone, &p->lock, NSEC_NEVER);
	lock_drop(&p->lock);
	kfree(ct.allocated);
}

static void end_others_locked(struct process *p, const struct task *t)
{
	struct list *pos;

	p->stopped = false;
	p->stop_signo = 0;
	p->stop_count = 0;
	list_for_each (pos, &p->tasks) {
		struct task *other = list_entry(pos, struct task, thread_link);

		if (other != t)
			task_kick(other, WORK_KILL);
	}
	waitq_wake_all(&p->resume, 0);
}

/* Has the other threads stop. False: the process dies in another way already, or is
 * killed meanwhile; cd is begun all the same if p->core is set. */
static bool begin(struct task *t, struct core_dump *cd, struct core_thread *own)
{
	struct process *p = t->process;
	int err = 0;

	thread_capture(own, t);
	list_add_tail(&cd->threads, &own->link);
	lock_take(&p->lock);
	if (p->group_exit || p->exec_task) {
		lock_drop(&p->lock);
		return false;
	}
	p->group_exit = true;
	p->group_exit_code = WAIT_STATUS_SIGNAL(cd->signo, false);
	atomic_store(&p->core, cd);
	end_others_locked(p, t);
	/* No other signal counts from here on: see signal/send.c. */
	(void)atomic_and(&t->sleeper.work,
			 ~(uint32_t)(WORK_SIGNAL | WORK_STOP | WORK_TASK));
	while (cd->waiting + 1 < p->live_tasks && !err)
		err = waitq_sleep_killable(&p->threads_gone, &p->lock, NSEC_NEVER);
	lock_drop(&p->lock);
	return !err;
}

static void end(struct process *p, struct core_dump *cd, bool is_whole)
{
	const int killed = WAIT_STATUS_SIGNAL(cd->signo, false);

	lock_take(&p->lock);
	if (p->core == cd) {
		if (is_whole && p->group_exit_code == killed)
			p->group_exit_code = WAIT_STATUS_SIGNAL(cd->signo, true);
		atomic_store(&p->core, NULL);
	}
	lock_drop(&p->lock);
	waitq_wake_all(&p->threads_gone, 0);
}

/* Root's, for what its user may not look into: -ENOMEM. */
static int become_root(struct task *t)
{
	struct creds *old = t->creds;
	struct creds *c = creds_copy(old);

	if (!c)
		return -ENOMEM;
	c->fsuid = 0;
	lock_take(&t->process->lock);
	t->creds = c;
	lock_drop(&t->process->lock);
	creds_put(old);
	return 0;
}

/* Only a file that the process has made just now, and that nobody has changed since. */
static bool is_safe(const struct file *f)
{
	const struct inode *i = f->inode;

	return S_ISREG(i->mode) && i->nlink == 1 && i->uid == current_creds()->fsuid &&
	       (i->mode & 0677) == 0600;
}

static struct file *core_open(struct core_dump *cd, const char *name)
{
	const uint32_t flags = O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_LARGEFILE;
	bool is_roots = cd->dumpable == DUMPABLE_ROOT;
	struct file *f;

	if (is_roots && name[0] != '/')
		return NULL;
	if (!is_roots) /* root's right is not used to remove another's file */
		(void)!vfs_unlink(AT_FDCWD, name);
	if (file_open_at(AT_FDCWD, name, flags, 0600, 0, &f))
		return NULL;
	if (is_safe(f) && !file_truncate(f, 0))
		return f;
	file_put(f);
	return NULL;
}

static bool dump_to_file(struct core_dump *cd)
{
	char *name = page_alloc(0);
	struct file *f = NULL;
	bool is_whole = false;

	if (!name)
		return false;
	if (!core_name(cd, name, PAGE_SIZE) && cd->limit >= PAGE_SIZE)
		f = core_open(cd, name);
	page_free(name, 0);
	if (f) {
		is_whole = core_write(cd, f);
		file_put(f);
	}
	return is_whole;
}

void core_dump(struct task *t, int signo, const struct linux_siginfo *info)
{
	struct process *p = t->process;
	struct core_thread own;
	struct core_dump cd = {.signo = signo,
			       .info = info,
			       .limit = rlimit_current(RLIMIT_CORE),
			       .dumpable = p->dumpable};
	bool ok;

	if (cd.dumpable == DUMPABLE_NOT || cd.limit < PAGE_SIZE || !t->mm)
		return;
	list_init(&cd.threads);
	ok = begin(t, &cd, &own);
	if (ok && cd.dumpable == DUMPABLE_ROOT)
		ok = !become_root(t);
	if (ok)
		ok = !areas_take(&cd.areas, t->mm) && dump_to_file(&cd);
	areas_drop(&cd.areas);
	end(p, &cd, ok);
	kfree(own.allocated);
}
