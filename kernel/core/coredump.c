/* SPDX-License-Identifier: MIT */
/* coredump.c - when a core file is written, and where (core(5)).
 *
 * The dying thread claims the dump, under process->lock, which dooms the process: the
 * other threads are killed, each leaves its registers on its way out, and the last one
 * wakes the dumper. SIGKILL ends a dump that is under way.
 *
 * Limits against Linux: no pipes in core_pattern; other processes that share the memory
 * go on. */
#include "core/coredump.h"

#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/resource.h"
#include "abi/stat.h"
#include "abi/wait.h"
#include "base/slab.h"
#include "fs/file.h"
#include "fs/namei.h"
#include "fs/proc/proc.h"
#include "fs/vfs.h"
#include "lib/atomic.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "process/creds.h"
#include "process/system.h"
#include "process/task.h"
#include "time/clock.h"

enum { PATTERN_SIZE = 128, NAME_SIZE = 512 };

struct core_name {
	char text[NAME_SIZE];
	size_t len;
	bool has_pid;
};

static void name_add(struct core_name *n, const char *s)
{
	for (; *s && n->len < NAME_SIZE - 1; s++)
		n->text[n->len++] = *s == '/' ? '!' : *s;
}

static void name_number(struct core_name *n, int64_t v)
{
	char digits[24];

	(void)snprintf(digits, sizeof(digits), "%ld", v);
	name_add(n, digits);
}

/* One % of the pattern. */
static void name_expand(struct core_name *n, struct task *t, int signo, char what)
{
	struct linux_utsname names;

	switch (what) {
	case 'p':
	case 'P':
		n->has_pid = true;
		name_number(n, t->process->pid);
		break;
	case 'i':
	case 'I':
		name_number(n, t->tid);
		break;
	case 'u':
		name_number(n, current_creds()->uid);
		break;
	case 'g':
		name_number(n, current_creds()->gid);
		break;
	case 'd':
		name_number(n, t->process->dumpable);
		break;
	case 's':
		name_number(n, signo);
		break;
	case 't':
		name_number(n, (int64_t)(clock_now(CLOCK_REALTIME) / NSEC_PER_SEC));
		break;
	case 'h':
		system_names(&names);
		name_add(n, names.nodename);
		break;
	case 'e':
		name_add(n, t->process->leader->comm);
		break;
	case 'f':
		name_add(n, t->comm);
		break;
	case 'c':
		name_number(n, (int64_t)rlimit_current(RLIMIT_CORE));
		break;
	case '%':
		name_add(n, "%");
		break;
	default:
		break; /* Linux drops what it does not know */
	}
}

/* False: nothing is to be written. */
static bool name_make(struct core_name *n, struct task *t, int signo)
{
	char pattern[PATTERN_SIZE];
	char uses_pid[4];

	proc_setting("kernel/core_pattern", pattern, sizeof(pattern));
	proc_setting("kernel/core_uses_pid", uses_pid, sizeof(uses_pid));
	if (!pattern[0] || pattern[0] == '|' || pattern[0] == '@')
		return false;
	*n = (struct core_name){.len = 0};
	for (const char *p = pattern; *p; p++) {
		if (*p != '%') {
			if (n->len < NAME_SIZE - 1)
				n->text[n->len++] = *p;
		} else if (*++p) {
			name_expand(n, t, signo, *p);
		} else {
			break;
		}
	}
	if (!n->has_pid && uses_pid[0] && uses_pid[0] != '0') {
		name_add(n, ".");
		name_number(n, t->process->pid);
	}
	n->text[n->len] = '\0';
	return true;
}

/* *out gets a reference. The file is a new one, that nobody else can have prepared. */
static int core_open(struct task *t, int signo, struct file **out)
{
	struct core_name *n = kmalloc(sizeof(*n));
	struct inode *inode;
	int err = n ? 0 : -ENOMEM;

	if (!err && !name_make(n, t, signo))
		err = -ENOENT;
	if (!err) {
		(void)!vfs_unlink(AT_FDCWD, n->text);
		err = file_open_at(AT_FDCWD, n->text,
				   O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW, 0600, 0,
				   out);
	}
	kfree(n);
	if (err)
		return err;
	inode = (*out)->inode;
	if (S_ISREG(inode->mode) && inode->nlink == 1 &&
	    inode->uid == current_creds()->fsuid && (inode->mode & 0677) == 0600)
		return 0;
	file_put(*out);
	return -EACCES;
}

/* ---- threads ---- */

void core_leave_thread(struct task *t)
{
	struct process *p = t->process;
	struct core_thread *c;

	if (!atomic_load(&p->core_dumper) || p->core_dumper == t)
		return;
	c = core_thread_create(t, 0, NULL);
	if (!c)
		return;
	lock_take(&p->lock);
	c->next = p->core_threads;
	p->core_threads = c;
	lock_drop(&p->lock);
}

/* Makes t the dumper and waits until it is alone. */
static bool claim(struct task *t, int signo)
{
	struct process *p = t->process;
	struct list *l;
	int err = 0;

	lock_take(&p->lock);
	if (p->group_exit || p->exec_task) {
		lock_drop(&p->lock);
		return false;
	}
	p->group_exit = true;
	p->group_exit_code = WAIT_STATUS_SIGNAL(signo, false);
	atomic_store(&p->core_dumper, t);
	list_for_each (l, &p->tasks) {
		struct task *other = list_entry(l, struct task, thread_link);

		if (other != t)
			task_kick(other, WORK_KILL);
	}
	waitq_wake_all(&p->resume, 0);
	while (p->live_tasks > 1 && !err)
		err = waitq_sleep_killable(&p->threads_gone, &p->lock, NSEC_NEVER);
	lock_drop(&p->lock);
	return !err;
}

static void threads_free(struct core_thread *c)
{
	while (c) {
		struct core_thread *next = c->next;

		kfree(c);
		c = next;
	}
}

bool core_dump(struct task *t, int signo, const struct linux_siginfo *info)
{
	struct process *p = t->process;
	uint64_t limit = rlimit_current(RLIMIT_CORE);
	struct core_thread *own;
	struct file *f;
	bool done;

	if (!p->dumpable || limit < PAGE_SIZE || !claim(t, signo))
		return false;
	own = core_thread_create(t, signo, info);
	if (!own || core_open(t, signo, &f)) {
		kfree(own);
		done = false;
	} else {
		own->next = p->core_threads;
		p->core_threads = own;
		done = core_write(t, f, own, info, limit);
		file_put(f);
	}
	threads_free(p->core_threads);
	lock_take(&p->lock);
	p->core_threads = NULL;
	p->core_dumper = NULL;
	if (done)
		p->group_exit_code = WAIT_STATUS_SIGNAL(signo, true);
	lock_drop(&p->lock);
	return done;
}
