/* SPDX-License-Identifier: MIT */
/* host_process.c - the first host process and the blanks that it keeps ready.
 *
 * The first host process runs no guest code. It is what the kernel has for a kernel
 * thread: it clones blank host processes ahead of need, runs expired timers, passes on
 * what the monitor reports (signals from outside, host processes that died), and ends the
 * sandbox when the program has ended. To the guest it is process 1, which adopts orphans.
 * It sleeps on its wake word otherwise, without time-out when there is no timer: an idle
 * sandbox makes no host call.
 *
 * Blanks are for vfork's children that exec. None is kept before the first such child:
 * its blank is made while it is on its way to exec, and programs that start no others do
 * not pay for any. */
#include "core/host_process.h"

#include "abi/errno.h"
#include "abi/futex.h"
#include "abi/mman.h"
#include "abi/signal.h"
#include "abi/wait.h"
#include "arch/x86_64/task_hooks.h"
#include "arch/x86_64/trap.h"
#include "base/deferred.h"
#include "base/log.h"
#include "base/page.h"
#include "base/page_trim.h"
#include "base/panic.h"
#include "base/waitq.h"
#include "core/boot.h"
#include "core/dispatch.h"
#include "core/exit.h"
#include "core/oom.h"
#include "core/report.h"
#include "core/trace/trace.h"
#include "event/host_watch.h"
#include "fs/acct.h"
#include "host/host.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "net/netlink/netlink.h"
#include "process/affinity.h"
#include "process/cpu_pool.h"
#include "process/creds.h"
#include "process/namespace.h"
#include "process/session.h"
#include "process/task_life.h"
#include "process/usage.h"
#include "signal/signal.h"
#include "time/clock.h"
#include "time/timer.h"

#define BLANKS_READY  2
#define PREFAULT_HEAP (256UL << 10)
#define FAULT_AROUND  (64UL << 10) /* what hosts map around a page that is read */
#define HUGE_PAGE     (2UL << 20)
#define HUGE_AFTER    32 /* new host processes */
#define CAPS_ALL      0x1ffffffffffUL
/* How long those that are killed at the end may take; longer if it is to be told what
 * they leave behind: a busy host gives a process no time for seconds. */
#define END_PATIENCE	  (2 * NSEC_PER_SEC)
#define END_PATIENCE_LONG (60 * NSEC_PER_SEC)

/* kernel.lds */
extern const char kernel_hot_end[];
extern const char kernel_data_start[], kernel_bss_end[];

enum { GO_WAIT, GO_RUN, GO_END, GO_DEAD };

struct boot_params *boot;
static uint32_t main_exited;	/* atomic */
static uint32_t processes_made; /* atomic */

static struct lock pool_lock = LOCK_INIT(RANK_OBJECT);
static struct cpu *blanks;     /* pool_lock */
static struct cpu *taken;      /* pool_lock: those that somebody is about to start */
static int blank_count;	       /* pool_lock */
static int blanks_wanted;      /* pool_lock: takers that found none */
static uint32_t blanks_ready;  /* atomic: how many are to be kept */
static int fill_error;	       /* pool_lock: why the last one could not be made */
static uint32_t fill_failures; /* pool_lock */
static struct waitq blank_ready = {LOCK_INIT(RANK_WAITQ), LIST_INIT(blank_ready.entries)};
static struct task kthread;	 /* what current() is in the first host process */
static struct cpu *watcher;	 /* event/host_watch.c: own: of the first host process */
static struct task watcher_task; /* what current() is there: nobody */

/* ---- blanks ---- */

/* Reads a byte of every window, which the host maps whole with the one fault. That takes
 * half as long as having MADV_POPULATE_READ do it, which looks at each page. */
static void prefault(const char *start, const char *end)
{
	const volatile char *at;

	for (at = start - (uaddr_t)start % FAULT_AROUND; at < end; at += FAULT_AROUND)
		(void)*at;
}

/* Has the host map what the program's life will touch of the kernel: a third of its page
 * faults, taken while nobody waits. What cannot be mapped ahead is mapped when it is
 * touched. */
static void prefault_kernel(void)
{
	void *heap;
	size_t size;

	page_get_used_range(&heap, &size);
	prefault(kernel_text_start, kernel_hot_end);
	prefault(kernel_data_start, kernel_bss_end);
	prefault(heap, (char *)heap + MIN(size, PREFAULT_HEAP));
}

static void blank_main(struct cpu *cpu)
{
	void (*fn)(struct cpu *);

	cpu->host_pid = cpu->host_tid;
	host_thread_init(cpu);
	prefault_kernel();
	usage_set_kernel_part(usage_host_peak());
	while (atomic_load(&cpu->go) == GO_WAIT)
		(void)host_futex_wait(&cpu->go, GO_WAIT, NSEC_NEVER, NULL, 0);
	if (atomic_load(&cpu->go) == GO_END)
		host_exit_process(NULL);
	fn = cpu->start;
	affinity_apply();
	fn(cpu);
}

/* Tells all who wait for a blank that there will be none. */
static void fill_failed(int err)
{
	lock_take(&pool_lock);
	fill_error = err;
	fill_failures++;
	lock_drop(&pool_lock);
	waitq_wake_all(&blank_ready, 0);
}

void blanks_fill(void)
{
	for (;;) {
		struct cpu *c;
		int ret;

		lock_take(&pool_lock);
		ret = blank_count >= (int)atomic_load(&blanks_ready) + blanks_wanted;
		lock_drop(&pool_lock);
		if (ret)
			return;
		c = cpu_alloc();
		if (!c) {
			fill_failed(-ENOMEM);
			return;
		}
		c->vdso_base = cpu_self()->vdso_base;
		ret = host_clone(false, false, c, (uint64_t)c->kstack + KSTACK_SIZE - 512,
				 blank_main);
		if (ret < 0) {
			cpu_free(c);
			fill_failed(ret);
			return;
		}
		host_process_made();
		lock_take(&pool_lock);
		c->next = blanks;
		blanks = c;
		blank_count++;
		lock_drop(&pool_lock);
		waitq_wake_all(&blank_ready, 0);
	}
}

void blanks_expect(void)
{
	if (likely(atomic_load_relaxed(&blanks_ready)))
		return;
	atomic_store(&blanks_ready, BLANKS_READY);
	first_process_kick();
}

/* Waits for the first process to make a blank; at start-up the caller is that itself. */
static int blank_wait_locked(void) REQUIRES(pool_lock)
{
	uint32_t failures = fill_failures;
	int err = 0;

	if (current() == &kthread) {
		lock_drop(&pool_lock);
		blanks_fill();
		lock_take(&pool_lock);
	} else {
		first_process_kick();
		err = waitq_sleep_killable(&blank_ready, &pool_lock,
					   clock_now(CLOCK_MONOTONIC) +
						   NSEC_PER_SEC / 10);
	}
	if (!blanks && fill_failures != failures)
		return fill_error;
	return err == -ETIMEDOUT ? 0 : err;
}

/* Takes c out of a list. False: it is not there. */
static bool blank_unlink_locked(struct cpu **list, const struct cpu *c)
{
	while (*list && *list != c)
		list = &(*list)->next;
	if (!*list)
		return false;
	*list = c->next;
	return true;
}

static void blank_leave_locked(struct blank *b)
{
	(void)blank_unlink_locked(&taken, b->cpu);
	claim_end(&b->claim);
	b->cpu = NULL;
}

static void give_back_locked(struct cpu *c)
{
	c->next = blanks;
	blanks = c;
	blank_count++;
}

/* Who had taken it is dead; and so it may be, too. */
static void blank_abandon(struct claim *claim)
{
	struct cpu *c = container_of(claim, struct blank, claim)->cpu;
	bool is_dead;

	lock_take(&pool_lock);
	(void)blank_unlink_locked(&taken, c);
	is_dead = c->go == GO_DEAD;
	if (!is_dead)
		give_back_locked(c);
	lock_drop(&pool_lock);
	if (is_dead)
		cpu_free(c);
}

int blank_take(struct blank *b)
{
	struct cpu *c;
	int err = 0;

	lock_take(&pool_lock);
	blanks_wanted++;
	while (!blanks && !err)
		err = blank_wait_locked();
	blanks_wanted--;
	c = blanks;
	if (c && !err) {
		blanks = c->next;
		blank_count--;
		c->next = taken;
		taken = c;
		b->cpu = c;
		claim_begin(&b->claim, blank_abandon);
	}
	lock_drop(&pool_lock);
	if (err)
		return err;
	if (atomic_load(&blanks_ready))
		first_process_kick(); /* to make the next one */
	return 0;
}

bool blank_hold(struct blank *b) NO_LOCK_CHECK
{
	struct cpu *c = b->cpu;

	lock_take(&pool_lock);
	if (likely(c->go != GO_DEAD))
		return true;
	blank_leave_locked(b);
	lock_drop(&pool_lock);
	cpu_free(c);
	return false;
}

void blank_return(struct blank *b) NO_LOCK_CHECK
{
	struct cpu *c = b->cpu;

	if (!c || !blank_hold(b))
		return;
	blank_leave_locked(b);
	give_back_locked(c);
	lock_drop(&pool_lock);
}

void blank_start(struct blank *b, struct task *t, void (*fn)(struct cpu *)) NO_LOCK_CHECK
{
	struct cpu *c = b->cpu;

	blank_leave_locked(b);
	cpu_set_task(c, t);
	c->start = fn;
	c->host_pid = c->host_tid; /* it may not have got so far as to say so */
	atomic_store(&t->cpu, c);
	atomic_store(&c->go, GO_RUN);
	lock_drop(&pool_lock);
	(void)host_futex_wake(&c->go, 1);
}

/* ---- huge pages ---- */

void host_process_made(void)
{
	if (atomic_add(&processes_made, 1) + 1 == HUGE_AFTER)
		first_process_kick();
}

/* A sandbox that makes many host processes gets the hot parts of the kernel's memory in
 * huge pages, whatever the host does by itself: each new process then maps a part with
 * one fault, where it took ten or more, and its end has less to unmap. That costs up to 3
 * MiB and a millisecond, once. A host that cannot leaves everything as it is. */
static void use_huge_pages(void)
{
	static bool done;
	void *heap;
	size_t size;

	if (done || atomic_load(&processes_made) < HUGE_AFTER)
		return;
	done = true;
	page_get_used_range(&heap, &size);
	(void)host_madvise(ALIGN_DOWN((uaddr_t)kernel_data_start, HUGE_PAGE), HUGE_PAGE,
			   MADV_COLLAPSE);
	(void)host_madvise(ALIGN_DOWN((uaddr_t)heap, HUGE_PAGE), HUGE_PAGE,
			   MADV_COLLAPSE);
}

/* ---- the watcher ---- */

static void watcher_fill(void)
{
	struct cpu *c;

	if (likely(!host_watch_is_wanted()) || watcher)
		return;
	c = cpu_alloc();
	if (!c)
		return; /* at the next kick */
	c->vdso_base = cpu_self()->vdso_base;
	cpu_set_task(c, &watcher_task);
	if (host_clone(false, false, c, (uint64_t)c->kstack + KSTACK_SIZE - 512,
		       host_watch_main) < 0)
		cpu_free(c);
	else
		watcher = c;
}

/* It died by an outside hand: there will be another. */
static void watcher_forget(int host_pid)
{
	if (!watcher || watcher->host_tid != host_pid)
		return;
	cpu_free(watcher);
	watcher = NULL;
}

static struct cpu *blank_find_locked(struct cpu *list, int host_pid)
{
	while (list && list->host_tid != host_pid)
		list = list->next;
	return list;
}

/* False: it was no blank. Who has taken one that died finds out when he starts it. */
static bool blank_died(int host_pid)
{
	struct cpu *waiting;
	struct cpu *c;

	lock_take(&pool_lock);
	waiting = blank_find_locked(blanks, host_pid);
	c = waiting ? NULL : blank_find_locked(taken, host_pid);
	if (waiting && blank_unlink_locked(&blanks, waiting))
		blank_count--;
	if (c)
		c->go = GO_DEAD;
	lock_drop(&pool_lock);
	if (waiting)
		cpu_free(waiting);
	return waiting || c;
}

static void end_blanks(void)
{
	lock_take(&pool_lock);
	for (struct cpu *c = blanks; c; c = c->next) {
		atomic_store(&c->go, GO_END);
		(void)host_futex_wake(&c->go, 1);
	}
	blanks = NULL;
	lock_drop(&pool_lock);
}

/* ---- the first host process ---- */

void first_process_kick(void)
{
	(void)atomic_or(&kthread.sleeper.work, WORK_TASK);
	(void)sleeper_wake(&kthread.sleeper);
}

/* Signals that the launcher got: to the foreground group if there is a terminal, else to
 * the program. */
static void take_signals(void)
{
	uint32_t set = atomic_xchg(&boot->monitor_signals, 0);

	for (int signo = 1; set; signo++, set >>= 1) {
		struct linux_siginfo info = {.si_signo = signo, .si_code = SI_KERNEL};
		struct session *s;
		struct pgroup *g;

		if (!(set & 1))
			continue;
		lock_take(&process_tree_lock);
		s = main_process && main_process->pgroup ? main_process->pgroup->session
							 : NULL;
		g = s ? pgroup_find(s->foreground) : NULL;
		if (g && (signo == SIGINT || signo == SIGQUIT || signo == SIGTSTP ||
			  signo == SIGWINCH))
			(void)signal_send_pgroup_locked(g, signo, &info);
		else if (main_process)
			(void)signal_send_process(main_process, signo, &info);
		lock_drop(&process_tree_lock);
	}
}

/* A host process died by an outside hand: its guest process dies of SIGKILL, if that can
 * be done safely. */
static void take_dead(void)
{
	int pid = (int)atomic_load(&boot->monitor_dead_pid);

	if (!pid)
		return;
	/* Before any lock is taken, which might be the dead one's. */
	if (!cpus_are_idle(pid))
		panic("host process %d was killed while it changed the kernel's data",
		      pid);
	if (!blank_died(pid))
		process_abandoned(pid);
	watcher_forget(pid);
	atomic_store(&boot->monitor_dead_pid, 0);
}

/* All but process 1, which is the kernel's own: the last references have gone. */
static bool guests_are_gone(void)
{
	return process_count() <= 1 && task_count() == 0;
}

static NORETURN void finish(void)
{
	nsec_t now = clock_now(CLOCK_MONOTONIC);
	nsec_t deadline =
		now + (boot->flags & BOOT_LEAKS ? END_PATIENCE_LONG : END_PATIENCE);

	process_kill_all();
	while (!guests_are_gone() && now < deadline) {
		deferred_run();
		sleeper_prepare();
		/* Something else may hold the last reference: then nobody kicks. */
		if (!guests_are_gone())
			(void)!sleeper_wait(now + NSEC_PER_SEC / 1000, 0);
		else
			sleeper_cancel();
		now = clock_now(CLOCK_MONOTONIC);
	}
	end_blanks();
	host_watch_end();
	deferred_run(); /* what it had heard last, with references to files */
	trace_finish();
	acct_end();
	report_print();
	atomic_store(&boot->exited, 1);
	host_exit_process(NULL);
}

static void on_main_exited(int status)
{
	boot->exit_status = status;
	task_gone_hook = first_process_kick;
	atomic_store(&main_exited, 1);
	/* Others are to be killed, or its own last task kicks when it has gone. */
	if (process_count() > 2)
		first_process_kick();
}

void first_process_loop(void)
{
	for (;;) {
		nsec_t deadline, look;

		(void)atomic_xchg(&kthread.sleeper.work, 0);
		(void)atomic_xchg(&boot->mail, 0);
		take_signals();
		take_dead();
		oom_take(boot);
		netlink_take_notices();
		blanks_fill();
		watcher_fill();
		use_huge_pages();
		if (atomic_load(&main_exited))
			finish();
		deferred_run();
		deadline = timer_run_expired();
		look = trace_run();
		deadline = MIN(deadline, look);
		look = page_trim_look(clock_now(CLOCK_MONOTONIC));
		deadline = MIN(deadline, look);
		sleeper_prepare();
		/* The kernel's own kicks change the wake word; the monitor's set
		 * boot->mail, and interrupt. */
		if (!atomic_load(&kthread.sleeper.work))
			sleeper_wait_once(deadline, &boot->mail, UINT32_MAX);
		else
			sleeper_cancel();
	}
}

/* The kernel's own task, and its process: pid 1, which ignores SIGCHLD, so that orphans
 * go at once. */
static int init_process_create(void)
{
	static const struct creds everything = {.cap_effective = CAPS_ALL,
						.cap_permitted = CAPS_ALL,
						.user_ns = &first_user_ns};
	struct process *p = process_alloc();
	struct session *s;
	int err = -ENOMEM;

	kthread.process = p;
	kthread.creds = creds_copy(&everything);
	kthread.sighand = sighand_create();
	nsproxy_get(&first_nsproxy);
	kthread.ns = &first_nsproxy;
	if (!p || !kthread.creds || !kthread.sighand)
		return -ENOMEM;
	kthread.sighand->action[SIGCHLD - 1].handler = LINUX_SIG_IGN;
	ref_init(&kthread.refs);
	strlcpy(kthread.comm, "init", sizeof(kthread.comm));
	for (size_t i = 0; i < ARRAY_SIZE(p->rlimits); i++)
		p->rlimits[i] = (struct linux_rlimit){UINT64_MAX, UINT64_MAX};
	p->leader = &kthread;
	p->is_init = true;
	p->live_tasks = 1;
	kthread.start_time = p->start_time = clock_now(CLOCK_MONOTONIC);
	list_add_tail(&p->tasks, &kthread.thread_link);
	lock_take(&process_tree_lock);
	init_process = p;
	err = task_id_alloc_locked(&kthread);
	p->pid = kthread.tid;
	s = err ? NULL : session_create(p->pid);
	if (!err)
		err = s ? pgroup_join(p, p->pid, s) : -ENOMEM;
	lock_drop(&process_tree_lock);
	return err;
}

int first_process_init(struct cpu *cpu)
{
	kthread.sleeper.host_eventfd = -1;
	kthread.kstack = cpu->kstack;
	kthread.altstack.ss_flags = SS_DISABLE;
	waitq_init(&kthread.vfork_done);
	list_init(&kthread.thread_link);
	list_init(&kthread.pending.queue);
	cpu_set_task(cpu, &kthread);
	kthread.cpu = cpu;
	main_exited_hook = on_main_exited;
	timer_kick = first_process_kick;
	deferred_kick = first_process_kick;
	host_watch_start = first_process_kick;
	watcher_task.sleeper.host_eventfd = -1;
	return init_process_create();
}
