/* SPDX-License-Identifier: MIT */
/* restart.c - interrupted system calls: restarted or ended. */
#include "signal/restart.h"

#include "abi/errno.h"
#include "abi/signal.h"
#include "abi/syscall.h"
#include "arch/x86_64/regs.h"
#include "process/task.h"

static void call_again(struct regs *r, uint64_t nr)
{
	r->rax = nr;
	r->rip -= r->insn_len;
	r->orig_rax = UINT64_MAX;
	r->insn_len = 0;
}

void restart_for_handler(struct task *t, uint64_t flags)
{
	struct regs *r = t->regs;

	if ((int64_t)r->orig_rax < 0)
		return;
	switch (-(int64_t)r->rax) {
	case ERESTARTSYS:
		if (flags & SA_RESTART) {
			call_again(r, r->orig_rax);
			break;
		}
		r->rax = (uint64_t)-EINTR;
		break;
	case ERESTARTNOHAND:
	case ERESTART_RESTARTBLOCK:
		r->rax = (uint64_t)-EINTR;
		break;
	case ERESTARTNOINTR:
		call_again(r, r->orig_rax);
		break;
	default:
		break;
	}
}

void restart_without_handler(struct task *t)
{
	struct regs *r = t->regs;

	if ((int64_t)r->orig_rax < 0)
		return;
	switch (-(int64_t)r->rax) {
	case ERESTARTSYS:
	case ERESTARTNOHAND:
	case ERESTARTNOINTR:
		call_again(r, r->orig_rax);
		break;
	case ERESTART_RESTARTBLOCK:
		call_again(r, NR_restart_syscall);
		break;
	default:
		break;
	}
}

/* The call that was interrupted left in t->restart what is to go on; it stays for the
 * next interruption. */
long sys_restart_syscall(struct task *t)
{
	return t->restart ? t->restart(t) : -EINTR;
}
