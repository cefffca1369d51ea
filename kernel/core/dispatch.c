/* SPDX-License-Identifier: MIT */
/* dispatch.c - the C side of entry.S: calls, faults, and what is to be done before the
 * guest goes on. */
#include "core/dispatch.h"

#include "abi/errno.h"
#include "abi/mman.h"
#include "abi/prctl.h"
#include "abi/seccomp.h"
#include "abi/syscall.h"
#include "arch/x86_64/offsets.h"
#include "arch/x86_64/patch.h"
#include "arch/x86_64/regs.h"
#include "arch/x86_64/task_hooks.h"
#include "arch/x86_64/trap.h"
#include "base/log.h"
#include "core/exit.h"
#include "core/fault_log.h"
#include "core/seccomp/seccomp.h"
#include "core/trace/trace.h"
#include "core/vsyscall.h"
#include "lib/atomic.h"
#include "mm/mm.h"
#include "mm/uffd.h"
#include "mm/usercopy.h"
#include "process/task.h"
#include "signal/hooks.h"
#include "signal/posix_timer.h"
#include "signal/signal.h"

bool dispatch_traces;
static uint32_t missing[SYSCALL_LIMIT]; /* atomic: calls without a handler, by number */
static uint32_t missing_other; /* atomic: numbers that Linux does not have either */

NOINLINE COLD long dispatch_missing(uint64_t nr)
{
	if (nr < SYSCALL_LIMIT)
		(void)atomic_add(&missing[nr], 1);
	else
		(void)atomic_add(&missing_other, 1);
	return -ENOSYS;
}

/* As if the call had not been: a handler of SIGSYS finds its number in %rax. */
static long roll_back(const struct regs *r)
{
	return (long)r->orig_rax;
}

/* PR_SET_SYSCALL_USER_DISPATCH: whether the call goes to the guest's own handler. */
static bool is_dispatched(struct task *t, const struct regs *r, uint32_t arch)
{
	const struct user_dispatch *d = &t->user_dispatch;
	uaddr_t rip = patch_call_rip(t->mm, r);
	struct linux_siginfo info = {.si_signo = SIGSYS, .si_code = SYS_USER_DISPATCH};
	uint8_t selector = SYSCALL_DISPATCH_FILTER_BLOCK;

	if (rip - d->start < d->size)
		return false;
	info.sys.call_addr = rip;
	info.sys.syscall = (int32_t)r->orig_rax;
	info.sys.arch = arch;
	if (d->selector && copy_from_user(&selector, d->selector, 1))
		task_exit_by_signal(t, SIGSEGV, &info);
	if (selector == SYSCALL_DISPATCH_FILTER_ALLOW)
		return false;
	if (selector != SYSCALL_DISPATCH_FILTER_BLOCK)
		task_exit_by_signal(t, SIGSYS, &info);
	signal_force(t, SIGSYS, &info);
	return true;
}

long dispatch_filtered(struct task *t, const struct syscall *s, uint64_t nr,
		       const uint64_t arg[6])
{
	long result;

	if ((atomic_load_relaxed(&t->call_work) & CALL_SECCOMP) &&
	    !seccomp_allows(t, (int)nr, arg, AUDIT_ARCH_X86_64, &result))
		return result;
	return s && s->call ? s->call(t, arg) : dispatch_missing(nr);
}

/* There are no such calls; but filters may say what else is to happen. */
static long call_of_ia32(struct task *t, const struct regs *r, uint32_t work)
{
	const uint64_t arg[6] = {(uint32_t)r->rbx, (uint32_t)r->rcx, (uint32_t)r->rdx,
				 (uint32_t)r->rsi, (uint32_t)r->rdi, (uint32_t)r->rbp};
	long result;

	(void)atomic_and(&t->call_work, ~(uint32_t)CALL_OF_IA32);
	if ((work & CALL_USER_DISPATCH) && is_dispatched(t, r, AUDIT_ARCH_I386))
		return roll_back(r);
	if ((work & CALL_SECCOMP) &&
	    !seccomp_allows(t, (int)r->orig_rax, arg, AUDIT_ARCH_I386, &result))
		return result;
	return dispatch_missing(UINT64_MAX);
}

/* There is something to be done before the call. */
static NOINLINE long call_watched(struct task *t, const struct syscall *s, uint64_t nr,
				  const uint64_t arg[6], uint32_t work)
{
	if (work & CALL_OF_IA32)
		return call_of_ia32(t, t->regs, work);
	if ((work & CALL_USER_DISPATCH) && is_dispatched(t, t->regs, AUDIT_ARCH_X86_64))
		return roll_back(t->regs);
	if (work & CALL_TRACE)
		return trace_call(t, s, nr, arg);
	return dispatch_filtered(t, s, nr, arg);
}

static inline void call(struct task *t, struct regs *r)
{
	uint64_t nr =
		(uint64_t)(int64_t)(int32_t)r->orig_rax; /* Linux looks no further */
	uint32_t work = atomic_load_relaxed(&t->call_work);
	const uint64_t arg[6] = {r->rdi, r->rsi, r->rdx, r->r10, r->r8, r->r9};
	const struct syscall *s = syscall_find(nr);
	struct cpu *c = cpu_self();

	t->regs = r;
	c->recent[c->recent_at++ % ARRAY_SIZE(c->recent)] = (uint16_t)(nr + 1);
	if (unlikely(work))
		r->rax = (uint64_t)call_watched(t, s, nr, arg, work);
	else if (unlikely(!s || !s->call))
		r->rax = (uint64_t)dispatch_missing(nr);
	else
		r->rax = (uint64_t)s->call(t, arg);
	if (unlikely(t->restore_blocked))
		signal_call_over(t, (long)r->rax);
	/* Errors that ask for a restart are sorted out with the signals. */
	if (unlikely(r->rax >= (uint64_t)-ERESTART_RESTARTBLOCK &&
		     r->rax <= (uint64_t)-ERESTARTSYS))
		(void)atomic_or(&t->sleeper.work, WORK_SIGNAL);
}

HOT void syscall_enter(struct regs *regs)
{
	call(current(), regs);
}

void syscall_enter_slow(struct regs *regs)
{
	struct task *t = current();

	t->regs = regs;
	if (!regs->is_compat)
		patch_learn(t->mm, regs);
	call(t, regs);
}

/* A fault that another thread of the guest deals with: true when the guest may try again,
 * else *info may say what it gets instead. */
static NOINLINE COLD bool is_dealt_with(struct task *t, struct linux_siginfo *info)
{
	struct uffd_access a = {.addr = t->fault_cr2,
				.is_write = t->fault_error & PAGE_FAULT_WRITE,
				.is_exec = t->fault_error & PAGE_FAULT_EXEC,
				.is_user = true,
				.tid = t->tid,
				.drops_seen = &t->uffd_drops_seen};
	enum uffd_verdict v;

	if (t->fault_trapno != TRAP_PAGE_FAULT)
		return false;
	v = uffd_fault(t->mm, &a);
	if (v == UFFD_RETRY || v == UFFD_KILLED)
		return true;
	if (v == UFFD_NOT_MINE)
		return false;
	t->fault_signo = SIGBUS;
	*info = (struct linux_siginfo){.si_signo = SIGBUS,
				       .si_code = v == UFFD_HWPOISON ? BUS_MCEERR_AR
								     : BUS_ADRERR};
	info->fault.addr = ALIGN_DOWN(a.addr, PAGE_SIZE);
	if (v == UFFD_HWPOISON)
		info->fault.addr_lsb = PAGE_SHIFT;
	return false;
}

/* A fault of the guest's own. */
void fault_enter(struct regs *regs)
{
	struct task *t = current();
	struct linux_siginfo info = t->fault_info;

	t->regs = regs;
	if (t->fault_signo == SIGILL && !regs->is_compat &&
	    patch_moved(t->mm, regs->rip, &regs->rip))
		return;
	if (t->fault_signo == SIGSEGV && unlikely(t->mm->uffd) && is_dealt_with(t, &info))
		return;
	if (t->fault_signo == SIGSEGV && regs->rip >= VSYSCALL_START &&
	    t->fault_cr2 == regs->rip && vsyscall_enter(t, regs))
		return;
	if (t->fault_signo == SIGSEGV &&
	    mm_grow(t->mm, info.fault.addr, &t->growths_seen))
		return;
	fault_log(t, regs);
	signal_force(t, t->fault_signo, &info);
}

/* Returns 0 to look again, or 1 when nothing is left but that the guest owns %gs, steps
 * or was in 32-bit code: it must then be left by iretq. */
int return_work(struct regs *regs)
{
	struct task *t = current();
	uint32_t work = atomic_load(&t->sleeper.work);

	t->regs = regs;
	if (work & WORK_KILL)
		task_exit_killed(t);
	if (unlikely(t->is_held) && (int64_t)regs->rax == -EFAULT &&
	    (int64_t)regs->orig_rax >= 0 && user_fault_retry()) {
		/* The call has failed for want of a page that is there now. */
		regs->rax = (uint64_t)-ERESTARTNOINTR;
		(void)atomic_or(&t->sleeper.work, WORK_SIGNAL);
		return 0;
	}
	t->is_held = false;
	if (work & (WORK_SIGNAL | WORK_STOP)) {
		signal_deliver(t);
		return 0;
	}
	if (work & WORK_TASK) {
		(void)atomic_and(&t->sleeper.work, ~(uint32_t)WORK_TASK);
		posix_timers_look(t);
		if (t->single_step)
			regs->rflags |= RFLAGS_TF_BIT;
		t->single_step = false;
		return 0;
	}
	if ((work & WORK_GS) && !t->guest_gs && !regs->is_compat) {
		(void)atomic_and(&t->sleeper.work, ~(uint32_t)WORK_GS);
		work &= ~(uint32_t)WORK_GS;
	}
	if (!(work & WORK_GS) && !(regs->rflags & RFLAGS_TF_BIT))
		return 0;
	cpu_self()->scratch = t->guest_gs ? t->gs_base : (uint64_t)cpu_self();
	return 1;
}

void dispatch_report(void)
{
	for (uint64_t nr = 0; nr < SYSCALL_LIMIT; nr++) {
		const struct syscall *s = syscall_find(nr);

		if (missing[nr])
			log_print("not implemented: %s (%lu), %u times",
				  s ? s->name : "?", nr, missing[nr]);
	}
	if (missing_other)
		log_print("unknown call numbers: %u times", missing_other);
}
