/* SPDX-License-Identifier: MIT */
/* thread.c - host threads and processes, signals, sleeping. */
#include "abi/bpf.h"
#include "abi/errno.h"
#include "abi/futex.h"
#include "abi/prctl.h"
#include "abi/resource.h"
#include "abi/sched.h"
#include "abi/seccomp.h"
#include "abi/signal.h"
#include "abi/time.h"
#include "base/cpu.h"
#include "base/waitq.h"
#include "host/host.h"
#include "host/linux/internal.h"
#include "lib/atomic.h"

extern char kernel_text_start[], kernel_text_end[];
long host_clone_raw(uint64_t flags, uint64_t stack_top, int *ptid, int *ctid,
		    void (*fn)(struct cpu *), struct cpu *cpu);
NORETURN void host_exit_raw(uint32_t *done, int nr);
void host_restorer(void);

struct linux_timespec *timespec_from(struct linux_timespec *ts, nsec_t t)
{
	if (t == NSEC_NEVER)
		return NULL;
	if (t < 0)
		t = 0;
	ts->tv_sec = t / NSEC_PER_SEC;
	ts->tv_nsec = t % NSEC_PER_SEC;
	return ts;
}

static inline long block_seen(const struct host_block *b)
{
	struct cpu *c = cpu_self();
	long ret;

	atomic_store_relaxed(&c->in_host_call, true);
	ret = host_block(b);
	atomic_store_relaxed(&c->in_host_call, false);
	return ret;
}

long host_block_current(int64_t nr, uint64_t a, uint64_t b, uint64_t c, uint64_t d,
			uint64_t e, uint64_t f)
{
	struct host_block block = {
		nr, {a, b, c, d, e, f}, cpu_self()->work, WORK_INTERRUPTS};

	return block_seen(&block);
}

long host_block_seen(const struct host_block *b)
{
	return block_seen(b);
}

int host_futex_wait(uint32_t *word, uint32_t expected, nsec_t deadline,
		    const uint32_t *work, uint32_t mask)
{
	struct linux_timespec ts;
	/* WAIT_BITSET takes an absolute CLOCK_MONOTONIC time. */
	uint64_t until = (uint64_t)timespec_from(&ts, deadline);

	if (mask) {
		struct host_block b = {NR_futex,
				       {(uint64_t)word, FUTEX_WAIT_BITSET, expected,
					until, 0, UINT32_MAX},
				       work,
				       mask};

		return (int)host_block(&b);
	}
	return (int)CALL(NR_futex, word, FUTEX_WAIT_BITSET, expected, until, 0,
			 UINT32_MAX);
}

int host_futex_wake(uint32_t *word, int count)
{
	return (int)CALL(NR_futex, word, FUTEX_WAKE, count);
}

void host_yield(void)
{
	(void)CALL(NR_sched_yield);
}

int host_clone(bool same_mm, bool same_group, struct cpu *cpu, uint64_t stack_top,
	       void (*fn)(struct cpu *))
{
	uint64_t flags = CLONE_FILES | CLONE_FS | CLONE_PARENT_SETTID;

	if (same_mm)
		flags |= CLONE_VM;
	if (same_group)
		flags |= CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM;
	else
		flags |= CLONE_PARENT | SIGCHLD;
	return (int)host_clone_raw(flags, stack_top, &cpu->host_tid, NULL, fn, cpu);
}

/* With everything blocked no handler can run on the alternate stack, which goes with the
 * rest. */
static void block_signals(void)
{
	uint64_t all = UINT64_MAX;

	(void)CALL(NR_rt_sigprocmask, SIG_SETMASK, &all, 0, sizeof(all));
}

void host_exit_thread(uint32_t *done)
{
	block_signals();
	host_exit_raw(done, NR_exit);
}

void host_exit_process(uint32_t *done)
{
	block_signals();
	host_exit_raw(done, NR_exit_group);
}

void host_abort(int status)
{
	for (;;)
		(void)CALL(NR_exit_group, status);
}

void host_kick(int host_pid, int host_tid)
{
	(void)CALL(NR_tgkill, host_pid, host_tid, SIGURG);
}

void host_thread_init(struct cpu *cpu)
{
	struct linux_stack ss = {
		.ss_sp = (uint64_t)cpu + CPU_SIZE - CPU_AREA_SIZE,
		.ss_size = ALTSTACK_SIZE,
	};

	(void)CALL(NR_sigaltstack, &ss, 0);
	(void)CALL(NR_prctl, PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_ON,
		   kernel_text_start, kernel_text_end - kernel_text_start, 0);
}

int host_sigaction(int signo, void *handler)
{
	/* No kick during a handler: a storm of them would nest and overflow the alternate
	 * stack. Only the handler of SIGSYS may be interrupted, by one at a time: so it
	 * can be left for good without a host call. */
	struct {
		void *handler;
		uint64_t flags;
		void (*restorer)(void);
		uint64_t mask;
	} sa = {handler, SA_SIGINFO | SA_ONSTACK | SA_NODEFER | SA_RESTORER,
		host_restorer, signo == SIGSYS ? 0 : SIGSET_BIT(SIGURG)};

	return (int)CALL(NR_rt_sigaction, signo, &sa, 0, 8);
}

int host_signals_init(uint64_t unblocked)
{
	uint64_t set = ~unblocked;

	return (int)CALL(NR_rt_sigprocmask, SIG_SETMASK, &set, 0, sizeof(set));
}

int host_seccomp_install(const void *insns, unsigned int count)
{
	struct {
		uint16_t len;
		uint16_t pad[3];
		const void *filter;
	} prog = {(uint16_t)count, {0}, insns};

	return (int)CALL(NR_prctl, PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog, 0, 0);
}

int host_sched_getaffinity(int host_tid, void *mask, size_t size)
{
	return (int)CALL(NR_sched_getaffinity, host_tid, size, mask);
}

int host_sched_setaffinity(int host_tid, const void *mask, size_t size)
{
	return (int)CALL(NR_sched_setaffinity, host_tid, size, mask);
}

int host_getrusage(int who, struct linux_rusage *out)
{
	return (int)CALL(NR_getrusage, who, out);
}

int host_rseq(uaddr_t area, uint32_t size, int flags, uint32_t sig)
{
	return (int)CALL(NR_rseq, area, size, flags, sig);
}

int host_membarrier(int cmd, unsigned int flags)
{
	return (int)CALL(NR_membarrier, cmd, flags, 0);
}

int host_setitimer_cpu(int which, nsec_t value)
{
	struct linux_itimerval it = {
		.it_value = {value / NSEC_PER_SEC, value % NSEC_PER_SEC / 1000},
	};

	return (int)CALL(NR_setitimer, which, &it, 0);
}
