/* SPDX-License-Identifier: MIT */
/* signal_frame.c - signal frames, to the byte as Linux has them. From low to high
 * addresses:
 *
 *	struct linux_rt_sigframe	return address, ucontext, siginfo; ends in 8
 *	(up to 63 bytes)
 *	xsave area			64-byte aligned; see xstate.c
 *	red zone			128 bytes, and the program's stack above it */
#include "arch/x86_64/signal_frame.h"

#include "abi/errno.h"
#include "arch/x86_64/offsets.h"
#include "arch/x86_64/regs.h"
#include "arch/x86_64/xstate.h"
#include "lib/string.h"
#include "mm/usercopy.h"

#define RED_ZONE 128

#define RFLAGS_CF 0x1UL
#define RFLAGS_PF 0x4UL
#define RFLAGS_AF 0x10UL
#define RFLAGS_ZF 0x40UL
#define RFLAGS_SF 0x80UL
#define RFLAGS_TF 0x100UL
#define RFLAGS_DF 0x400UL
#define RFLAGS_OF 0x800UL
#define RFLAGS_RF 0x10000UL
#define RFLAGS_AC 0x40000UL
/* What a frame may change. */
#define RFLAGS_FRAME                                                                     \
	(RFLAGS_CF | RFLAGS_PF | RFLAGS_AF | RFLAGS_ZF | RFLAGS_SF | RFLAGS_TF |         \
	 RFLAGS_DF | RFLAGS_OF | RFLAGS_RF | RFLAGS_AC)

static bool stack_contains(const struct linux_stack *s, uint64_t sp)
{
	return sp > s->ss_sp && sp - s->ss_sp <= s->ss_size;
}

bool altstack_holds(const struct linux_stack *s, uint64_t sp)
{
	return !((uint32_t)s->ss_flags & SS_AUTODISARM) && stack_contains(s, sp);
}

uint32_t altstack_state(const struct linux_stack *s, uint64_t sp)
{
	if (!s->ss_size)
		return SS_DISABLE;
	return altstack_holds(s, sp) ? SS_ONSTACK : 0;
}

/* Where the frame goes and, in *fpstate, its xsave area. False: the alternate stack is
 * full. */
static bool frame_place(const struct signal_frame *f, uaddr_t *frame, uaddr_t *fpstate)
{
	uint64_t sp = f->regs->rsp;
	bool on_altstack = altstack_holds(&f->altstack, sp);

	sp -= RED_ZONE;
	if ((f->action.flags & SA_ONSTACK) && altstack_state(&f->altstack, sp) == 0) {
		sp = f->altstack.ss_sp + f->altstack.ss_size;
		on_altstack = true;
	}
	sp = ALIGN_DOWN(sp - xstate_frame_size(), 64UL);
	*fpstate = sp;
	sp = ALIGN_DOWN(sp - sizeof(struct linux_rt_sigframe), 16UL) - 8;
	*frame = sp;
	return !on_altstack || stack_contains(&f->altstack, sp);
}

static void context_fill(struct linux_sigcontext *c, const struct signal_frame *f,
			 uaddr_t fpstate)
{
	const struct regs *r = f->regs;

	*c = (struct linux_sigcontext){
		.r8 = r->r8,
		.r9 = r->r9,
		.r10 = r->r10,
		.r11 = r->r11,
		.r12 = r->r12,
		.r13 = r->r13,
		.r14 = r->r14,
		.r15 = r->r15,
		.rdi = r->rdi,
		.rsi = r->rsi,
		.rbp = r->rbp,
		.rbx = r->rbx,
		.rdx = r->rdx,
		.rax = r->rax,
		.rcx = r->rcx,
		.rsp = r->rsp,
		.rip = f->rip,
		.eflags = r->rflags,
		.cs = r->is_compat ? USER32_CS : USER_CS,
		.ss = USER_SS,
		.err = f->error,
		.trapno = f->trapno,
		.oldmask = f->mask,
		.cr2 = f->cr2,
		.fpstate = fpstate,
	};
}

static int frame_write(const struct signal_frame *f, uaddr_t frame, uaddr_t fpstate)
{
	struct linux_rt_sigframe k;
	size_t size = sizeof(k);

	memset(&k.uc, 0, sizeof(k.uc));
	k.pretcode = f->action.restorer;
	k.uc.uc_flags = UC_FP_XSTATE | UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS;
	k.uc.uc_stack = f->altstack;
	if (!f->altstack.ss_size)
		k.uc.uc_stack.ss_flags = SS_DISABLE;
	context_fill(&k.uc.uc_mcontext, f, fpstate);
	k.uc.uc_sigmask = f->mask;
	if (f->action.flags & SA_SIGINFO)
		k.info = f->info;
	else
		size = offsetof(struct linux_rt_sigframe, info);
	if (!user_range_ok(frame, sizeof(k)) || copy_to_user(frame, &k, size))
		return -EFAULT;
	return xstate_to_frame(fpstate);
}

int signal_frame_push(const struct signal_frame *f)
{
	struct regs *r = f->regs;
	uaddr_t frame;
	uaddr_t fpstate;

	/* The C library always says where to return to; there is no other way. */
	if (!(f->action.flags & SA_RESTORER))
		return -EFAULT;
	if (!frame_place(f, &frame, &fpstate) || frame_write(f, frame, fpstate))
		return -EFAULT;
	r->rdi = (uint32_t)f->info.si_signo;
	r->rsi = frame + offsetof(struct linux_rt_sigframe, info);
	r->rdx = frame + offsetof(struct linux_rt_sigframe, uc);
	r->rax = 0;
	r->rip = f->action.handler;
	r->rsp = frame;
	r->rflags &= ~(RFLAGS_TF | RFLAGS_DF | RFLAGS_RF);
	r->orig_rax = UINT64_MAX;
	r->insn_len = 0;
	r->is_compat = 0; /* handlers are 64-bit code */
	xstate_reset();
	return 0;
}

static void context_take(struct regs *r, const struct linux_sigcontext *c)
{
	r->r8 = c->r8;
	r->r9 = c->r9;
	r->r10 = c->r10;
	r->r11 = c->r11;
	r->r12 = c->r12;
	r->r13 = c->r13;
	r->r14 = c->r14;
	r->r15 = c->r15;
	r->rdi = c->rdi;
	r->rsi = c->rsi;
	r->rbp = c->rbp;
	r->rbx = c->rbx;
	r->rdx = c->rdx;
	r->rax = c->rax;
	r->rcx = c->rcx;
	r->rsp = c->rsp;
	r->rip = c->rip;
	r->rflags = (r->rflags & ~RFLAGS_FRAME) | (c->eflags & RFLAGS_FRAME);
	r->orig_rax = UINT64_MAX;
	r->insn_len = 0;
	r->is_compat = (c->cs | 3) == USER32_CS;
}

int signal_frame_pop(struct regs *regs, uint64_t *mask, struct linux_stack *altstack)
{
	struct linux_ucontext uc;
	uaddr_t frame =
		regs->rsp - sizeof(uaddr_t); /* the handler's ret took the first word */

	if (COPY_IN(&uc, frame + offsetof(struct linux_rt_sigframe, uc)))
		return -EFAULT;
	*mask = uc.uc_sigmask;
	*altstack = uc.uc_stack;
	context_take(regs, &uc.uc_mcontext);
	if (!regs->is_compat && (uc.uc_mcontext.cs | 3) != USER_CS)
		return -EFAULT;
	/* An instruction pointer in the kernel would be a call of it. */
	if (regs->rip >= USER_END || xstate_from_frame(uc.uc_mcontext.fpstate))
		return -EFAULT;
	return 0;
}
