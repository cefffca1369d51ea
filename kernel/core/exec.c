/* SPDX-License-Identifier: MIT */
/* exec.c - execve(2), execveat(2).
 *
 * Everything that can be refused is done first, in the old image. After the point of no
 * return the process goes on either in place (its host process unmaps all and maps the
 * new program) or, when it shares its host memory with somebody (a vfork child), on a
 * blank host process, while the old host thread goes back to the vfork parent or ends. A
 * failure from there on kills the process, as on Linux. */
#include "core/exec.h"

#include "abi/capability.h"
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/prctl.h"
#include "abi/rseq.h"
#include "abi/sched.h"
#include "abi/signal.h"
#include "abi/syscall.h"
#include "abi/wait.h"
#include "arch/x86_64/regs.h"
#include "arch/x86_64/task_hooks.h"
#include "arch/x86_64/trap.h"
#include "arch/x86_64/xstate.h"
#include "base/claim.h"
#include "base/slab.h"
#include "core/dispatch.h"
#include "core/exec_creds.h"
#include "core/exit.h"
#include "core/host_process.h"
#include "core/trace/trace.h"
#include "core/vdso.h"
#include "fs/fdtable.h"
#include "fs/file.h"
#include "fs/path.h"
#include "host/host.h"
#include "lib/atomic.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "loader/elf.h"
#include "loader/random.h"
#include "loader/stack.h"
#include "mm/mm.h"
#include "mm/usercopy.h"
#include "process/cpu_pool.h"
#include "process/creds.h"
#include "process/futex.h"
#include "process/identity.h"
#include "process/namespace.h"
#include "process/task_life.h"
#include "process/usage.h"
#include "signal/signal.h"

#define SCRIPT_DEPTH_MAX 5
#define SCRIPT_LINE_MAX	 256

struct exec {
	struct claim claim; /* its task's, wherever that runs */
	struct task *task;
	struct exec_strings strings;
	struct elf_program program;
	char *path;	   /* kmalloc: what AT_EXECFN and the comm name come from */
	struct mm *new_mm; /* ref, until it is the task's: its process' lock */
	struct exec_creds creds;
	struct nsproxy *ns; /* ref: that the program will be in, or NULL */
};

static void exec_free(struct exec *e)
{
	mm_put(e->new_mm);
	elf_close(&e->program);
	exec_strings_fini(&e->strings);
	exec_creds_fini(&e->creds);
	nsproxy_put(e->ns);
	kfree(e->path);
	kfree(e);
}

static void exec_fini(struct exec *e)
{
	claim_end(&e->claim);
	exec_free(e);
}

static void exec_abandon(struct claim *c)
{
	exec_free(container_of(c, struct exec, claim));
}

/* ---- what is to be run ---- */

struct script {
	char line[SCRIPT_LINE_MAX + 1];
	const char *interp;
	const char *arg; /* NULL: none */
};

static char *skip_blanks(char *p)
{
	while (*p == ' ' || *p == '\t')
		p++;
	return p;
}

/* Reads "#!interp [arg]". 1: a script, 0: none, -ENOEXEC: a malformed one, -errno. */
static int read_script(struct file *f, struct script *s)
{
	ssize_t n = file_read_kernel(f, s->line, SCRIPT_LINE_MAX, 0);
	char *end;
	char *p;

	if (n < 0)
		return (int)n;
	if (n < 2 || s->line[0] != '#' || s->line[1] != '!')
		return 0;
	s->line[n] = '\0';
	end = memchr(s->line, '\n', (size_t)n);
	if (!end) {
		/* A line that is cut off must at least hold the whole interpreter's name.
		 */
		p = skip_blanks(s->line + 2);
		while (*p && *p != ' ' && *p != '\t')
			p++;
		if (!*p && n == SCRIPT_LINE_MAX)
			return -ENOEXEC;
		end = s->line + n;
	}
	while (end > s->line + 2 && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	*end = '\0';
	p = skip_blanks(s->line + 2);
	if (!*p)
		return -ENOEXEC;
	s->interp = p;
	while (*p && *p != ' ' && *p != '\t')
		p++;
	s->arg = NULL;
	if (*p) {
		*p++ = '\0';
		p = skip_blanks(p);
		s->arg = *p ? p : NULL;
	}
	return 1;
}

/* Opens what is to be run, following scripts. Takes over f. */
static int open_program(struct exec *e, struct file *f, bool path_is_gone)
{
	char *name = kstrdup(e->path);
	struct script *s = kmalloc(sizeof(*s));
	int err = name && s ? 0 : -ENOMEM;

	for (int depth = 0; !err; depth++) {
		const char *front[3];
		uint32_t count = 0;

		err = read_script(f, s);
		if (err <= 0)
			break;
		if (path_is_gone)
			err = -ENOENT;
		else if (depth == SCRIPT_DEPTH_MAX)
			err = -ELOOP;
		else
			err = 0;
		if (err)
			break;
		front[count++] = s->interp;
		if (s->arg)
			front[count++] = s->arg;
		front[count++] = name;
		err = exec_strings_prepend(&e->strings, front, count);
		file_put(f);
		f = NULL;
		if (err)
			break;
		kfree(name);
		name = kstrdup(s->interp);
		err = name ? file_open_exec(AT_FDCWD, name, 0, &f) : -ENOMEM;
	}
	kfree(s);
	kfree(name);
	if (err) {
		if (f)
			file_put(f);
		return err;
	}
	return elf_open(f, &e->program);
}

/* ---- the point of no return ---- */

/* Ends all other tasks of the process and makes t its leader. */
static int become_only_task(struct task *t)
{
	struct process *p = t->process;
	struct list *l;
	struct task *old_leader;
	int err = 0;

	lock_take(&p->lock);
	if (p->group_exit || p->exec_task) {
		lock_drop(&p->lock);
		return -ERESTARTNOINTR; /* dies, or waits for the other exec, on the way
					   out */
	}
	if (p->live_tasks > 1) {
		p->exec_task = t;
		list_for_each (l, &p->tasks) {
			struct task *other = list_entry(l, struct task, thread_link);

			if (other != t)
				task_kick(other, WORK_KILL);
		}
		while (p->live_tasks > 1 && !err)
			err = waitq_sleep_killable(&p->threads_gone, &p->lock,
						   NSEC_NEVER);
		p->exec_task = NULL;
	}
	lock_drop(&p->lock);
	if (err)
		return -EINTR;
	if (t == p->leader)
		return 0;
	lock_take(&process_tree_lock);
	old_leader = p->leader;
	task_id_free_locked(t->tid);
	task_id_give_locked(t, p->pid);
	p->leader = t;
	waitq_wake_all(&p->exit_event, 0); /* pidfds of the id that t had */
	lock_drop(&process_tree_lock);
	task_put(old_leader);
	return 0;
}

static int own_sighand(struct task *t)
{
	struct sighand *s = t->sighand;

	if (ref_count(&s->refs) > 1) {
		struct sighand *copy = sighand_copy(s);

		if (!copy)
			return -ENOMEM;
		lock_take(&t->process->lock);
		t->sighand = copy;
		lock_drop(&t->process->lock);
		sighand_put(s);
	}
	return 0;
}

static void set_comm(struct task *t, const char *path)
{
	const char *base = strrchr(path, '/');

	memset(t->comm, 0, sizeof(t->comm));
	strlcpy(t->comm, base ? base + 1 : path, sizeof(t->comm));
}

/* ---- the new image ---- */

/* Where the heap may begin: not in the room that the patcher keeps above the program. */
static uaddr_t heap_floor(struct mm *mm, uaddr_t end)
{
	struct vma *v;

	lock_take(&mm->lock);
	v = vma_find(mm, end);
	if (v && (v->flags & VMA_HIDDEN) && v->start <= ALIGN_UP(end, PAGE_SIZE))
		end = v->end;
	lock_drop(&mm->lock);
	return end;
}

/* Fills the empty address space of the calling host process. */
static int build_image(struct exec *e, struct mm *mm, struct regs *r)
{
	struct task *t = e->task;
	struct elf_layout layout = {0};
	uaddr_t sp = 0;
	int err;

	mm->exe = &e->program.main.file->object;
	mm->exe->ops->get(mm->exe);
	err = vdso_add_areas(mm);
	if (!err)
		err = stack_map(mm, e->program.stack_exec, &e->strings, e->path);
	if (!err)
		err = elf_load(mm, &e->program, &layout);
	if (!err) {
		/* Without an interpreter that loads them, what a program maps of files
		 * may be there to be read: valgrind translates it. */
		mm->patch_late = !e->program.interp.file;
		mm->brk_start =
			heap_floor(mm, layout.brk) + (random_bits(13) << PAGE_SHIFT);
		mm->brk_end = mm->brk_start;
		err = stack_create(mm, &e->strings, e->path, &layout, t->creds,
				   vdso_address(), e->creds.is_secure, &sp);
	}
	if (err)
		return err;
	*r = (struct regs){
		.rip = layout.entry,
		.rsp = sp,
		.rflags = 0x202,
		.orig_rax = UINT64_MAX,
	};
	return 0;
}

static void enter_memory(struct exec *e)
{
	struct task *t = e->task;

	e->new_mm->use.floor = usage_host_peak();
	lock_take(&t->process->lock);
	t->mm = e->new_mm;
	e->new_mm = NULL;
	lock_drop(&t->process->lock);
	t->growths_seen = 0; /* those of the old one are not to be taken for its */
}

/* In the new address space, on the task's kernel stack: becomes the program. */
static void become(struct exec *e)
{
	struct task *t = e->task;
	struct mm *mm = e->new_mm;
	struct regs *r = (struct regs *)(task_kstack_top(t) - sizeof(*r));
	int err;

	enter_memory(e);
	t->regs = r;
	err = build_image(e, mm, r);
	if (!err)
		mm_save_strings(mm, e->strings.data, e->strings.args_size,
				e->strings.env_size);
	set_comm(t, e->path);
	t->personality &= ~(uint32_t)READ_IMPLIES_EXEC; /* for 32-bit programs alone */
	exec_fini(e);
	if (err)
		task_die(t, SIGSEGV);
	fs_base_write(0);
	xstate_reset();
}

/* First steps on a blank host process. */
static void start_on_blank(struct cpu *cpu)
{
	struct task *t = cpu->task;

	become(t->exec);
	t->exec = NULL;
	if (unlikely(dispatch_traces))
		trace_exec_done(t);
	entry_resume(t->regs);
}

/* There is no host process for the new program. */
static NORETURN void die_without_blank(struct exec *e)
{
	struct task *t = e->task;

	enter_memory(e);
	exec_fini(e);
	task_die(t, SIGKILL);
}

/* The task leaves this host thread for a blank one. */
static NORETURN void move_to_blank(struct exec *e, struct blank *blank) NO_LOCK_CHECK
{
	struct task *t = e->task;
	struct cpu *cpu = cpu_self();
	bool borrowed = t->vfork_parent != NULL;
	struct task *parent = t->vfork_parent;

	while (!blank_hold(blank)) /* it has died since: another one */
		if (blank_take(blank))
			die_without_blank(e);
	cpu->is_committed = true;
	t->vfork_parent = NULL;
	t->exec = e;
	t->kstack = blank->cpu->kstack;
	atomic_store(&t->cpu, NULL);
	if (borrowed) {
		blank_start(blank, t, start_on_blank);
		cpu_set_task(cpu, parent);
		atomic_store(&parent->cpu, cpu);
		cpu->is_committed = false;
		task_give_back(parent->lent_sp);
	}
	usage_save(t->process);
	usage_save_thread(t);
	cpu_retire(cpu);
	blank_start(blank, t, start_on_blank);
	host_exit_thread(&cpu->done);
}

/* Whether others use the host memory, which must then stay as it is. */
static bool must_move(const struct task *t)
{
	return t->vfork_parent || ref_count(&t->mm->refs) > 1;
}

/* From here on failures kill. */
static int commit(struct exec *e, struct blank *blank)
{
	struct task *t = e->task;
	struct mm *old = t->mm;
	bool in_place = !blank->cpu;

	task_release_mm(t);
	signal_exec(t);
	t->restart = NULL;
	exec_creds_commit(&e->creds, t);
	if (e->ns != t->ns) {
		nsproxy_switch(t, e->ns);
		e->ns = NULL;
	}
	if (fdtable_exec(t)) {
		blank_return(blank);
		task_die(t, SIGKILL);
	}
	t->process->did_exec = true;
	(void)atomic_and(&t->call_work, ~(uint32_t)CALL_USER_DISPATCH);
	t->guest_gs = false;
	(void)atomic_and(&t->sleeper.work, ~(uint32_t)WORK_GS);
	if (in_place && t->rseq_area)
		(void)host_rseq(t->rseq_area, t->rseq_len, RSEQ_FLAG_UNREGISTER,
				t->rseq_sig);
	t->rseq_area = 0;
	lock_take(&t->process->lock); /* others look there: fs/proc/access.c */
	t->mm = NULL;
	lock_drop(&t->process->lock);
	if (!in_place) {
		mm_put(old);
		task_release_vfork_waiter(t);
		move_to_blank(e, blank);
	}
	mm_clear(old);
	mm_put(old);
	become(e);
	task_release_vfork_waiter(t);
	return 0;
}

static int exec_file(struct exec *e, struct file *f, bool path_is_gone)
{
	struct task *t = e->task;
	struct blank blank = {.cpu = NULL};
	int err = open_program(e, f, path_is_gone);

	if (!err)
		err = exec_creds_prepare(&e->creds, t, e->program.main.file);
	if (!err)
		err = nsproxy_for_exec(t, &e->ns);
	if (!err)
		err = own_sighand(t);
	if (!err) {
		e->new_mm = mm_create();
		if (e->new_mm && t->mm)
			mm_inherit(e->new_mm, t->mm);
		err = e->new_mm ? 0 : -ENOMEM;
	}
	/* What can fail comes before the other tasks' end. */
	if (!err && must_move(t))
		err = blank_take(&blank);
	if (!err)
		err = become_only_task(t);
	if (!err && !blank.cpu && must_move(t)) /* another task has cloned in between */
		err = blank_take(&blank);
	if (err) {
		blank_return(&blank);
		exec_fini(e);
		return err;
	}
	return commit(e, &blank);
}

static struct exec *exec_create(struct task *t)
{
	struct exec *e = kmalloc_zeroed(sizeof(*e));

	if (e) {
		e->task = t;
		claim_begin(&e->claim, exec_abandon);
	}
	return e;
}

/* The name by which the program knows itself: execveat(2). */
static char *program_path(int dfd, const char *name)
{
	size_t size = strlen(name) + 32;
	char *path;

	if (dfd == AT_FDCWD || name[0] == '/')
		return kstrdup(name);
	path = kmalloc(size);
	if (path)
		(void)snprintf(path, size, name[0] ? "/dev/fd/%d/%s" : "/dev/fd/%d", dfd,
			       name);
	return path;
}

static long do_execve(struct task *t, int dfd, uaddr_t name, uaddr_t argv, uaddr_t envp,
		      int flags)
{
	struct path_name n;
	struct file *f = NULL;
	struct exec *e;
	bool is_gone;
	int err;

	if (flags & ~(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW | AT_EXECVE_CHECK))
		return -EINVAL;
	err = path_name_get(&n, name, flags & AT_EMPTY_PATH);
	if (err)
		return err;
	/* setuid(2) does not fail for that, as too many callers would go on as root. */
	if (t->is_over_nproc && is_over_nproc(t->creds)) {
		path_name_put(&n);
		return -EAGAIN;
	}
	t->is_over_nproc = false;
	e = exec_create(t);
	err = e ? file_open_exec(dfd, n.str, flags, &f) : -ENOMEM;
	if (!err) {
		e->path = program_path(dfd, n.str);
		err = e->path ? exec_strings_from_user(&e->strings, argv, envp) : -ENOMEM;
		if (err)
			file_put(f);
	}
	/* Who only asks is told of the file's rights, not whether it is a program. */
	if (!err && (flags & AT_EXECVE_CHECK))
		file_put(f);
	if (err || (flags & AT_EXECVE_CHECK)) {
		if (e)
			exec_fini(e);
		path_name_put(&n);
		return err;
	}
	/* A script must be there for its interpreter to open. */
	is_gone = n.str[0] != '/' && dfd != AT_FDCWD && fdtable_is_cloexec(t->fds, dfd);
	path_name_put(&n);
	/* When it worked, in place, the registers are the new program's, and rax must be
	 * 0. */
	return exec_file(e, f, is_gone);
}

long sys_execve(struct task *t, uaddr_t path, uaddr_t argv, uaddr_t envp)
{
	return do_execve(t, AT_FDCWD, path, argv, envp, 0);
}

long sys_execveat(struct task *t, int dfd, uaddr_t path, uaddr_t argv, uaddr_t envp,
		  int flags)
{
	return do_execve(t, dfd, path, argv, envp, flags);
}

int exec_first(struct task *t, const char *path, struct exec_strings *strings)
{
	struct exec *e = exec_create(t);
	struct file *f = NULL;
	int err = e ? 0 : -ENOMEM;

	if (err) {
		exec_strings_fini(strings);
		return err;
	}
	e->strings = *strings;
	e->path = kstrdup(path);
	err = e->path ? file_open_exec(AT_FDCWD, path, 0, &f) : -ENOMEM;
	if (!err)
		err = open_program(e, f, false);
	if (!err)
		err = exec_creds_prepare(&e->creds, t, e->program.main.file);
	if (!err) {
		exec_creds_commit(&e->creds, t);
		e->new_mm = mm_create();
		err = e->new_mm ? 0 : -ENOMEM;
	}
	if (err) {
		exec_fini(e);
		return err;
	}
	t->exec = e;
	return 0;
}

void exec_first_start(struct cpu *cpu)
{
	struct exec *e = cpu->task->exec;

	if (unlikely(dispatch_traces))
		trace_first_program(cpu->task, e->path, &e->strings);
	start_on_blank(cpu);
}
