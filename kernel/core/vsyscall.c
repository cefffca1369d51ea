/* SPDX-License-Identifier: MIT */
/* vsyscall.c - calls into the vsyscall page, as a Linux with vsyscall=xonly answers them:
 * the page can be neither read nor written to, and a jump to one of its three entries is
 * the whole call, return included.
 *
 * There is no such page of ours. The host has one, or none: the jump comes here as a
 * fault, or as what the host's filter makes of a call by way of its page
 * (arch/x86_64/trap.c). */
#include "core/vsyscall.h"

#include "abi/errno.h"
#include "abi/signal.h"
#include "abi/syscall.h"
#include "arch/x86_64/regs.h"
#include "arch/x86_64/task_hooks.h"
#include "core/dispatch.h"
#include "core/trace/trace.h"
#include "lib/atomic.h"
#include "mm/usercopy.h"
#include "process/task.h"
#include "signal/signal.h"

/* An entry's offset in the page is its number by this. */
#define ENTRY_SHIFT 10
#define ENTRY_MASK  0xc00UL

static long make_call(struct task *t, struct regs *regs, uint64_t nr)
{
	/* getcpu's third argument has meant something else here. */
	const uint64_t arg[6] = {regs->rdi, regs->rsi, nr == NR_getcpu ? 0 : regs->rdx,
				 regs->r10, regs->r8,  regs->r9};
	const struct syscall *s = syscall_find(nr);

	return atomic_load_relaxed(&t->call_work) & CALL_TRACE
		       ? trace_call(t, s, nr, arg)
		       : dispatch_filtered(t, s, nr, arg);
}

/* A place to write to that is no address of the guest's: which, or 0. */
static uaddr_t bad_place(uint64_t nr, const struct regs *regs)
{
	size_t first = nr == NR_gettimeofday ? 16 : nr == NR_time ? 8 : 4;
	size_t second = nr == NR_gettimeofday ? 8 : 4;

	if (regs->rdi && !user_range_ok(regs->rdi, first))
		return regs->rdi;
	if (nr != NR_time && regs->rsi && !user_range_ok(regs->rsi, second))
		return regs->rsi;
	return 0;
}

bool vsyscall_enter(struct task *t, struct regs *regs)
{
	static const uint16_t numbers[] = {NR_gettimeofday, NR_time, NR_getcpu};
	size_t entry = (regs->rip & ENTRY_MASK) >> ENTRY_SHIFT;
	struct linux_siginfo info = {.si_signo = SIGSEGV, .si_code = SEGV_MAPERR};
	uint64_t caller;
	long result;

	if ((regs->rip & PAGE_MASK) != VSYSCALL_START)
		return false;
	if ((regs->rip & ~ENTRY_MASK) != VSYSCALL_START || entry >= ARRAY_SIZE(numbers) ||
	    copy_from_user(&caller, regs->rsp, sizeof(caller))) {
		signal_force(t, SIGSEGV, NULL);
		return true;
	}
	info.fault.addr = bad_place(numbers[entry], regs);
	if (info.fault.addr) {
		signal_force(t, SIGSEGV, &info);
		return true;
	}
	regs->orig_rax = numbers[entry];
	result = make_call(t, regs, numbers[entry]);
	regs->orig_rax = UINT64_MAX; /* it is over: nothing to be restarted */
	if (result == -EFAULT) {
		signal_force(t, SIGSEGV, NULL);
		return true;
	}
	if (result <= -ERESTARTSYS && result >= -ERESTART_RESTARTBLOCK)
		result = -EINTR; /* a listener's answer did not come */
	regs->rax = (uint64_t)result;
	regs->rip = caller;
	regs->rsp += sizeof(caller);
	return true;
}
