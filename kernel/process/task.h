/* SPDX-License-Identifier: MIT */
/* task.h - one guest thread, and the process (thread group) it belongs to.
 *
 * Locks: process_tree_lock (RANK_PROCESS_TREE, one for the sandbox) guards parents,
 * children, groups, sessions, ids and exit states; process->lock (RANK_SIGNAL) guards
 * signals, stop state and the list of tasks; the rest of a task belongs to itself alone.
 * Another task may be used while the tree lock or a reference is held. */
#pragma once
#include "abi/resource.h"
#include "abi/signal.h"
#include "abi/types.h"
#include "base/cpu.h"
#include "base/lock.h"
#include "base/ref.h"
#include "base/waitq.h"
#include "lib/list.h"

struct core_dump;
struct creds;
struct exec;
struct fdtable;
struct file;
struct fs_context;
struct io_context;
struct aio_context;
struct mm;
struct nsproxy;
struct pgroup;
struct regs;
struct seccomp_filter;
struct seccomp_wait;
struct sem_undo_list;
struct user_ns;

#define TASK_COMM_LEN 16
#define NSIG	      64

/* A queued signal. */
struct sigqueue {
	struct list link;
	struct linux_siginfo info;
	struct timer *timer; /* POSIX timer that owns it, or NULL */
};

struct sigpending {
	uint64_t set;	   /* bit n-1: signal n */
	struct list queue; /* of struct sigqueue */
};

/* Actions: shared by CLONE_SIGHAND, copied by fork, reset by exec. */
struct sighand {
	struct ref refs;
	struct lock lock; /* RANK_SIGNAL: taken instead of process->lock by nobody; leaf
			     copy lock */
	struct linux_sigaction action[NSIG];
};

/* What has been read and written: /proc/PID/io. */
struct io_counts {
	uint64_t read_bytes, write_bytes;
	uint64_t reads, writes; /* calls */
};

/* Why a task's system calls are looked at before they are made. */
enum call_work {
	CALL_TRACE = 1 << 0,	     /* carbyne trace; every task of the sandbox */
	CALL_SECCOMP = 1 << 1,	     /* seccomp_mode is not 0 */
	CALL_USER_DISPATCH = 1 << 2, /* PR_SET_SYSCALL_USER_DISPATCH */
	CALL_OF_IA32 = 1 << 3,	     /* this one came by int 0x80 */
};

/* Calls made outside of a range go to a SIGSYS handler, as long as the selector says so.
 */
struct user_dispatch {
	uaddr_t start;
	uint64_t size;
	uaddr_t selector; /* 0: always */
};

enum task_state { TASK_RUNNING, TASK_SLEEPING, TASK_STOPPED, TASK_ZOMBIE, TASK_DEAD };

/* SCHED_DEADLINE: kept, admitted by its share, not enforced. In ns. */
struct sched_deadline {
	uint64_t runtime, deadline, period;
	uint64_t flags;
	uint64_t share; /* of one processor: process/sched_policy.c */
};

struct task {
	struct sleeper sleeper; /* first: cpu->sleeper points at it */
	uint64_t gs_base;	/* the guest's GS when guest_gs */
	struct ref refs;
	struct process *process;
	struct cpu *cpu;   /* NULL before start and after exit; a vfork parent keeps NULL
			      while lent */
	struct regs *regs; /* guest registers on kstack, valid in the kernel */
	void *kstack;	   /* KSTACK_SIZE */
	pid_t tid;
	uint64_t serial;	 /* const: no other task or process ever has it */
	uint32_t call_work;	 /* atomic: enum call_work */
	bool restore_blocked;	 /* own: saved_blocked, after delivery */
	bool mask_outlasts_call; /* own: after delivery whatever the call returns */
	enum task_state state;	 /* process->lock */
	struct list thread_link; /* in process->tasks: process->lock */

	struct creds *creds; /* ref; fork: shared, copied on change */
	struct mm *mm;	     /* ref; fork: copied, CLONE_VM: shared; NULL once exited */
	struct fdtable *fds; /* ref; fork: copied, CLONE_FILES: shared */
	struct file *borrowed[4]; /* own: refs of fd_get(), with a table that is shared */
	struct io_counts io;	  /* own: written by the task alone */
	struct fs_context *fs;	  /* ref; fork: copied, CLONE_FS: shared */
	struct nsproxy *ns; /* ref; namespace.h; others read it under process->lock */
	struct sighand *sighand; /* ref */

	/* signals (own: only the task changes blocked; others read it under
	 * process->lock) */
	uint64_t blocked;
	uint64_t saved_blocked;	   /* sigsuspend, ppoll …: see restore_blocked */
	struct sigpending pending; /* process->lock */
	struct linux_stack
		altstack; /* fork: kept, CLONE_VM without VFORK: cleared, exec: cleared */

	/* restart_syscall(2) */
	long (*restart)(struct task *t);
	uint64_t restart_arg[6];

	uaddr_t clear_child_tid;
	uaddr_t robust_list;
	uint64_t robust_list_len;
	uaddr_t rseq_area;
	uint32_t rseq_len, rseq_sig;

	uint64_t fs_base;      /* at start: CLONE_SETTLS's */
	bool start_tls;	       /* at start: load fs_base */
	uaddr_t set_child_tid; /* at start: where to store the tid, or 0 */
	bool guest_gs;	       /* the guest has set GS: slow path and full returns */
	bool cpu_timers_due;   /* atomic: look at the timers on its own time: WORK_TASK */
	bool single_step;

	int fault_signo; /* set by the host fault handler, taken by fault_entry */
	struct linux_siginfo fault_info;
	uint64_t fault_trapno, fault_error,
		fault_cr2; /* of the last fault, for signal frames */

	/* own: an access to guest memory failed that might have waited, had it not held
	 * locks: see user_fault_retry() */
	uaddr_t held_fault;
	bool held_write, is_held;
	uint64_t uffd_drops_seen; /* own: mm/uffd.h */
	uint64_t growths_seen;	  /* own: mm_grow() */
	uint32_t fault_waits;	  /* own: how often an access has waited */

	int exit_code; /* wait status word of a dead task */
	char comm[TASK_COMM_LEN];
	struct task *vfork_parent; /* the task whose cpu this one has borrowed */
	uint64_t lent_sp; /* kernel context while the cpu is lent to a vfork child */
	struct task *vfork_waiter; /* ref: a parent that waits on vfork_done for this
				      task's exec or end */
	struct waitq vfork_done;   /* woken when vfork_waiting became false */
	bool vfork_waiting;	   /* process->lock */
	struct exec *exec;	   /* core/: on its way to a blank host process */
	int nice;		   /* atomic; process->lock to write */
	int policy, rt_priority;   /* process_tree_lock, as the next two */
	struct sched_deadline deadline;
	uint64_t slice;		       /* asked for, ns; 0: the default */
	uint32_t rt_naps;	       /* own: RLIMIT_RTTIME: sleeps seen */
	nsec_t rt_since;	       /* own: its CPU time then */
	struct cpu_mask *cpus_allowed; /* process_tree_lock: ref, or NULL */
	bool sched_reset_on_fork;
	uint32_t personality;
	uint64_t timer_slack, timer_slack_default; /* ns */
	nsec_t start_time;			   /* CLOCK_MONOTONIC */
	uint64_t voluntary_switches, involuntary_switches;
	/* atomic: those of the host thread since, when it was asked last */
	uint64_t host_voluntary, host_involuntary;
	nsec_t switches_at;
	nsec_t cpu_time_base; /* CPU time of cpus it ran on before this one */
	nsec_t past_user;     /* of that, the user time */
	uint64_t past_min_faults, past_maj_faults;
	uint64_t futex_left_mm;		 /* atomic: futex_pi.c */
	struct futex_waiter *pi_waiter;	 /* futex_chain.c: queued for a PI lock */
	struct sem_undo_list *sem_undos; /* own: ref; ipc/: fork: none, CLONE_SYSVSEM:
					    shared; exec: kept */
	struct aio_context *aio;	 /* own: event/: ref: of the call under way */
	bool made_segments;		 /* own: ipc/: it has made shared memory */
	struct io_context *io_context;	 /* process->lock: ref or NULL */
	uint32_t mem_policy; /* atomic: own to write: mm/policy.h; fork and exec:
				kept */
	int pdeath_signal;
	bool is_over_nproc; /* set*uid went over RLIMIT_NPROC: exec is to look */
	bool is_exiting;    /* atomic: makes no more calls */
	bool no_new_privs;  /* atomic: process->lock to set another's */
	/* seccomp(2): changed under process->lock, by the task or another of the process;
	 * the task reads its own without. fork, exec: kept */
	uint8_t seccomp_mode; /* SECCOMP_MODE_* */
	uint32_t seccomp_count;
	struct seccomp_filter *seccomp_filter; /* ref: the last of its filters, or NULL */
	struct seccomp_wait *seccomp_wait;     /* core/seccomp/: it waits for an answer */
	struct user_dispatch user_dispatch;    /* own; fork, exec: off */
	bool is_io_flusher;		       /* PR_SET_IO_FLUSHER: kept */
	struct list *closing_files; /* net/unix: passed files that it is about to close */
};

#define COREDUMP_FILTER_DEFAULT 0x33
#define TIMER_SLACK_DEFAULT	50000 /* ns */

/* Who may look into a process, and whom its core file belongs to (PR_SET_DUMPABLE). */
enum dumpable { DUMPABLE_NOT, DUMPABLE_USER, DUMPABLE_ROOT };

enum process_state { PROCESS_RUNNING, PROCESS_ZOMBIE, PROCESS_REAPED };

struct process {
	struct ref refs;
	pid_t pid;	   /* of the leader; constant over exec */
	uint64_t serial;   /* const: as a task's */
	struct lock lock;  /* RANK_SIGNAL */
	struct list tasks; /* struct task.thread_link: lock */
	struct task
		*leader; /* the task whose tid is pid; may be a zombie while others run */
	int live_tasks;	 /* lock: tasks that have not exited */

	/* the tree: process_tree_lock */
	struct process *parent;
	struct task *
		parent_task; /* borrowed, only to compare: the thread whose child it is */
	struct list children; /* struct process.sibling */
	struct list sibling;
	struct pgroup *pgroup;
	struct list pgroup_link;
	struct waitq child_event; /* woken when a child changes state */
	struct waitq exit_event;  /* woken when this process becomes a zombie: pidfd */
	enum process_state state;
	bool is_subreaper;
	uint8_t dumpable; /* enum dumpable */
	/* lock; ref: that of the last exec, or one around it where who may not read the
	 * program has no privilege over it: who looks into what is not dumpable needs
	 * CAP_SYS_PTRACE there. */
	struct user_ns *exec_user_ns;
	uint8_t mce_kill; /* PR_MCE_KILL: kept */
	bool did_exec;
	bool used_privilege; /* atomic: a capability has been of use to it */
	int exit_signal;     /* to the parent; -1: none */

	/* lock */
	struct sigpending pending;
	bool group_exit; /* all tasks must die, exit status group_exit_code */
	int group_exit_code;
	struct task *exec_task;	   /* a task in exec kills all others */
	struct waitq threads_gone; /* woken when live_tasks drops in exec, and as a core
				      file begins and ends */
	bool stopped;		   /* a group stop is complete or under way */
	int stop_signo;
	int stop_count; /* tasks that have stopped */
	bool stop_reported, continued;
	struct waitq resume; /* woken by SIGCONT and SIGKILL */

	struct linux_rlimit rlimits[16];	  /* lock */
	struct linux_rusage children_usage;	  /* waited-for children: tree lock */
	nsec_t user_time, system_time;		  /* of exited tasks */
	uint64_t min_faults, maj_faults, max_rss; /* KiB */
	uint64_t in_blocks, out_blocks, voluntary, involuntary; /* switches */
	size_t exit_pages; /* mapped when its last task ended */
	nsec_t start_time;
	struct list posix_timers;
	int next_timer_id;
	bool timer_ids_given; /* PR_TIMER_CREATE_RESTORE_IDS; gone by exec */
	int oom_score_adj, oom_score_adj_min;
	uint32_t coredump_filter;     /* what core files hold */
	struct core_dump *core;	      /* lock: core/: one is being written */
	uint32_t loginuid, sessionid; /* audit: UINT32_MAX: not set */
	struct io_counts io;	      /* lock: of tasks that have ended; tree lock: and of
					 waited-for	  children */
	bool is_init;
};

extern struct lock process_tree_lock;
extern struct process *init_process; /* pid 1 */

void task_get(struct task *t);
void task_put(struct task *t);
void process_get(struct process *p);
void process_put(struct process *p);
/* By id, with process_tree_lock held: borrowed. A thread's id finds the thread;
 * process_find only leaders. */
struct task *task_find(pid_t tid);
struct process *process_find(pid_t pid);
/* The same, returning a reference and taking the lock itself. */
struct task *task_lookup(pid_t tid);
struct process *process_lookup(pid_t pid);
/* All processes, in pid order, with process_tree_lock held: the first with pid >= from,
 * or NULL. */
struct process *process_next(pid_t from);
/* Soft limit of the current process (RLIMIT_*). */
uint64_t rlimit_current(int resource);

#define PID_MAX	     4194304 /* above all ids */
#define PID_RESERVED 300     /* ids below are given once only: the search wraps to it */
#define THREADS_MAX  0x3fffffff
extern int pid_max;	/* atomic: kernel.pid_max: new ids are below it */
extern int threads_max; /* atomic: kernel.threads-max: so many tasks may there be */
/* The id that was given last: the next that is free after it comes next. */
pid_t task_last_id(void);
void task_set_last_id(pid_t id);

/* Says that t must look (sets bits of enum work) and makes sure that it does soon. */
void task_kick(struct task *t, uint32_t work);
