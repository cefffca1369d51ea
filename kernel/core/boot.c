/* SPDX-License-Identifier: MIT */
/* boot.c - from the launcher's jump to the program's first instruction. */
#include "core/boot.h"

#include "abi/errno.h"
#include "abi/mman.h"
#include "abi/resource.h"
#include "abi/signal.h"
#include "abi/wait.h"
#include "arch/x86_64/patch.h"
#include "arch/x86_64/trap.h"
#include "arch/x86_64/xstate.h"
#include "base/log.h"
#include "base/page.h"
#include "base/page_trim.h"
#include "base/panic.h"
#include "base/slab.h"
#include "core/dispatch.h"
#include "core/exec.h"
#include "core/exit.h"
#include "core/fault_log.h"
#include "core/host_process.h"
#include "core/mounts.h"
#include "core/trace/errors.h"
#include "core/trace/trace.h"
#include "core/vdso.h"
#include "fs/context.h"
#include "fs/fdtable.h"
#include "fs/init.h"
#include "fs/proc/proc.h"
#include "fs/sys/sysfs.h"
#include "host/host.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "loader/stack.h"
#include "mm/commit.h"
#include "mm/kernel_pages.h"
#include "mm/uffd.h"
#include "mm/usercopy.h"
#include "process/cpu_pool.h"
#include "process/creds.h"
#include "process/futex.h"
#include "process/namespace.h"
#include "process/session.h"
#include "process/system.h"
#include "process/task_life.h"
#include "signal/signal.h"
#include "time/clock.h"

#define HEAP_ALIGN (64UL << 20)
#define TASK_SIZE  0x7ffffffff000UL
#define KERNEL_END (BOOT_PARAMS_ADDR + BOOT_AREA_SIZE)
#define CAPS_ALL   0x1ffffffffffUL /* up to CAP_CHECKPOINT_RESTORE */

NORETURN void kernel_main(struct boot_params *b);

static void on_panic(void)
{
	trace_recent();
	atomic_store(&boot->panicked, 1);
	trace_panic();
}

static void give_back(void *addr, size_t size)
{
	(void)host_madvise((uaddr_t)addr, size, MADV_REMOVE);
}

static void init_memory(struct boot_params *b)
{
	uint64_t base = ALIGN_UP(b->bss_end, HEAP_ALIGN);
	uint64_t end = KERNEL_DATA_BASE + KERNEL_SEGMENT_MAX;

	end = ALIGN_DOWN(end, HEAP_ALIGN);
	if (b->kernel_memory_max && base + b->kernel_memory_max < end)
		end = base + ALIGN_UP(b->kernel_memory_max, HEAP_ALIGN);
	page_init((void *)base, end - base); // NOLINT(performance-no-int-to-ptr)
	page_trim_init(give_back, first_process_kick);
	kernel_pages_init(b->segment_fd, KERNEL_DATA_BASE);
}

/* The launcher's own memory goes: this process keeps the kernel and the vDSO. */
static void clear_address_space(const struct boot_params *b)
{
	uaddr_t vdso;
	size_t size;

	(void)vdso_init(b);
	vdso = vdso_range(&size);
	(void)host_munmap(0, size ? vdso : KERNEL_TEXT_BASE);
	if (size)
		(void)host_munmap(vdso + size, KERNEL_TEXT_BASE - vdso - size);
	(void)host_munmap(KERNEL_END, TASK_SIZE - KERNEL_END);
}

static void init_facts(const struct boot_params *b)
{
	uint32_t eax = 1, ebx, ecx, edx;

	/* What the C library of the launcher says is its own idea. */
	__asm__("cpuid" : "+a"(eax), "=b"(ebx), "=c"(ecx), "=d"(edx) : "c"(0));
	auxv_facts.hwcap = edx;
	if (b->hostname)
		system_set_hostname((const char *)b->hostname); // NOLINT
	proc_facts.cpu_count = b->cpu_count;
	proc_facts.mem_total = b->host_mem_total;
	proc_facts.mem_free = b->host_mem_free;
	commit_init(b->host_mem_total >> PAGE_SHIFT, b->host_mem_all >> PAGE_SHIFT);
	uffd_host_swaps = b->host_swaps;
	cgroup_limits = (struct cgroup_limits){b->group_memory_max, b->group_cpu_quota,
					       b->group_cpu_period, b->group_pids_max};
	auxv_facts.hwcap2 = b->hwcap2;
	auxv_facts.minsigstksz = b->minsigstksz;
	auxv_facts.clktck = b->clktck ? b->clktck : 100;
	strlcpy(auxv_facts.platform, b->platform[0] ? b->platform : "x86_64",
		sizeof(auxv_facts.platform));
}

/* ---- the program ---- */

/* creds keep their groups sorted. */
static void insert_group(struct creds *c, gid_t gid)
{
	uint32_t at = c->group_count++;

	for (; at > 0 && c->groups[at - 1] > gid; at--)
		c->groups[at] = c->groups[at - 1];
	c->groups[at] = gid;
}

static struct creds *first_creds(const struct boot_params *b)
{
	static const struct creds blank = {.user_ns = &first_user_ns};
	struct creds *c = creds_copy(&blank);

	if (!c)
		return NULL;
	c->uid = c->euid = c->suid = c->fsuid = b->uid;
	c->gid = c->egid = c->sgid = c->fsgid = b->gid;
	/* All virtual: what the program may do to the sandbox's own kernel. */
	c->cap_bounding = b->uid ? CAPS_ALL : b->capabilities;
	if (!b->uid)
		c->cap_permitted = c->cap_effective = b->capabilities;
	if (b->group_count) {
		const gid_t *from =
			(const gid_t *)b->groups; // NOLINT(performance-no-int-to-ptr)

		c->groups = kmalloc(b->group_count * sizeof(gid_t));
		if (!c->groups)
			return NULL;
		for (uint32_t i = 0; i < b->group_count; i++)
			insert_group(c, from[i]);
	}
	return c;
}

static void first_limits(struct process *p, const struct boot_params *b)
{
	for (size_t i = 0; i < ARRAY_SIZE(p->rlimits); i++) {
		p->rlimits[i].rlim_cur = b->rlimits[i][0];
		p->rlimits[i].rlim_max = b->rlimits[i][1];
	}
}

static int first_files(struct task *t, const struct boot_params *b)
{
	int err;

	t->fds = fdtable_create();
	t->fs = fs_context_create();
	if (!t->fds || !t->fs)
		return -ENOMEM;
	t->fs->umask = b->umask;
	err = mounts_open_stdio(t, b);
	return err ? err : mounts_open_inherited(t, b);
}

/* The task of the program's process, in the tree, without memory. */
static struct task *first_task(const struct boot_params *b)
{
	struct task *t = task_alloc();
	struct process *p = process_alloc();
	int err;

	if (!t || !p)
		return NULL;
	t->process = p;
	p->leader = t;
	p->did_exec = true; /* as it soon has */
	p->exit_signal = SIGCHLD;
	first_limits(p, b);
	t->creds = first_creds(b);
	nsproxy_get(&first_nsproxy);
	t->ns = &first_nsproxy;
	t->sighand = sighand_create();
	if (!t->creds || !t->sighand)
		return NULL;
	t->altstack.ss_flags = SS_DISABLE;
	t->call_work = dispatch_traces ? CALL_TRACE : 0;
	t->timer_slack = t->timer_slack_default = TIMER_SLACK_DEFAULT;
	t->start_time = p->start_time = clock_now(CLOCK_MONOTONIC);
	lock_take(&process_tree_lock);
	err = task_id_alloc_locked(t);
	if (!err) {
		struct session *s = session_create(t->tid);

		p->pid = t->tid;
		p->parent = init_process;
		process_get(p);
		list_add_tail(&init_process->children, &p->sibling);
		main_process = p;
		p->live_tasks = 1;
		list_add_tail(&p->tasks, &t->thread_link);
		err = s ? pgroup_join(p, p->pid, s) : -ENOMEM;
	}
	lock_drop(&process_tree_lock);
	return err ? NULL : t;
}

static const char *error_text(int err)
{
	const char *text = errno_message(-err);

	return text ? text : "unknown error";
}

/* Names the program that could not be started, as docker and env do: 127 not found, 126
 * not executable. */
static NORETURN void cannot_run(const char *name, int err)
{
	log_print("%s: %s", *name ? name : "''", error_text(err));
	boot->exit_status = WAIT_STATUS_EXIT(err == -ENOENT ? 127 : 126);
	atomic_store(&boot->exited, 1);
	host_exit_process(NULL);
}

/* What failed is on stderr already. */
static NORETURN void give_up(void)
{
	boot->exit_status = WAIT_STATUS_EXIT(125);
	atomic_store(&boot->exited, 1);
	host_exit_process(NULL);
}

static NORETURN void cannot_start(const char *what, int err)
{
	log_print("cannot start: %s: %s", what, error_text(err));
	give_up();
}

static char *const *boot_vector(uint64_t v)
{
	return (char *const *)v; // NOLINT(performance-no-int-to-ptr)
}

static const char *find_env(char *const *envp, const char *name)
{
	size_t len = strlen(name);

	for (; *envp; envp++)
		if (strncmp(*envp, name, len) == 0 && (*envp)[len] == '=')
			return *envp + len + 1;
	return NULL;
}

/* Runs name, looked for in PATH if it has no slash, as execvp(3) does. */
static int exec_search(struct task *t, const char *name, char *const *argv,
		       char *const *envp)
{
	const char *path = find_env(envp, "PATH");
	struct exec_strings strings;
	int best = -ENOENT;
	char *full;

	if (!*name)
		return -ENOENT;
	if (strchr(name, '/')) {
		int err = exec_strings_from_kernel(&strings, argv, envp);

		return err ? err : exec_first(t, name, &strings);
	}
	full = page_alloc(0);
	if (!full)
		return -ENOMEM;
	if (!path)
		path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
	while (*path) {
		const char *end = strchr(path, ':');
		size_t len = end ? (size_t)(end - path) : strlen(path);
		int err;

		if (len + strlen(name) + 2 <= PAGE_SIZE) {
			memcpy(full, path, len);
			full[len] = '\0';
			if (len)
				strlcat(full, "/", PAGE_SIZE);
			strlcat(full, name, PAGE_SIZE);
			err = exec_strings_from_kernel(&strings, argv, envp);
			if (!err)
				err = exec_first(t, full, &strings);
			if (!err) {
				best = 0;
				break;
			}
			if (err != -ENOENT && err != -ENOTDIR && best == -ENOENT)
				best = err;
		}
		path += len + (end ? 1 : 0);
	}
	page_free(full, 0);
	return best;
}

static void start_first_process(struct boot_params *b, struct cpu *cpu)
{
	struct task *kthread = cpu->task;
	struct task *t = first_task(b);
	char *const *argv = boot_vector(b->argv);
	struct blank blank;
	int err;

	if (!t)
		cannot_start("process", -ENOMEM);
	/* The set-up acts in the program's name. */
	t->kstack = cpu->kstack;
	cpu_set_task(cpu, t);
	err = first_files(t, b);
	if (err)
		cannot_start("standard files", err);
	if (mounts_enter_cwd(t, b))
		give_up();
	err = exec_search(t, argv[0], argv, boot_vector(b->envp));
	if (err)
		cannot_run(argv[0], err);
	cpu_set_task(cpu, kthread);
	do
		err = blank_take(&blank);
	while (!err && !blank_hold(&blank));
	if (err)
		cannot_start("host process", err);
	t->kstack = blank.cpu->kstack;
	blank_start(&blank, t, exec_first_start);
}

void kernel_main(struct boot_params *b)
{
	static struct cpu early; /* until there is memory: locks count themselves there */
	struct cpu *cpu;
	int err;

	boot = b;
	early.self = &early;
	gs_base_write((uint64_t)&early);
	log_init(b->log_fd);
	panic_hook = on_panic;
	clear_address_space(b);
	init_memory(b);
	init_facts(b);
	xstate_init();
	cpu = cpu_alloc();
	if (!cpu)
		cannot_start("memory", -ENOMEM);
	cpu->host_tid = cpu->host_pid = b->first_host_tid;
	cpu->vdso_base = early.vdso_base;
	gs_base_write((uint64_t)cpu);
	err = first_process_init(cpu);
	host_thread_init(cpu);
	if (!err)
		err = trap_init();
	if (!err)
		err = host_signals_init(SIGSET_BIT(SIGSYS) | SIGSET_BIT(SIGURG) |
					SIGSET_BIT(SIGSEGV) | SIGSET_BIT(SIGBUS) |
					SIGSET_BIT(SIGFPE) | SIGSET_BIT(SIGILL) |
					SIGSET_BIT(SIGTRAP));
	if (!err && b->seccomp_count)
		err = host_seccomp_install((const void *)b->seccomp_insns,
					   b->seccomp_count); // NOLINT
	if (err)
		cannot_start("signals and filter", err);
	futex_init();
	err = b->flags & BOOT_TRACE ? trace_init(b) : 0;
	if (err)
		cannot_start("trace", err);
	dispatch_traces = b->flags & BOOT_TRACE;
	err = patch_init(b->flags & BOOT_NO_PATCH);
	if (!err)
		err = vfs_init();
	if (err)
		cannot_start("file systems", err);
	fault_log_init();
	if (mounts_init(b))
		give_up();
	klog_boot(boot_vector(b->argv)[0]);
	start_first_process(b, cpu);
	first_process_loop();
}
