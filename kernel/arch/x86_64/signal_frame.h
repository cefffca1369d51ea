/* SPDX-License-Identifier: MIT */
/* signal_frame.h - what a signal handler finds on its stack, and the way back. */
#pragma once
#include "abi/signal.h"
#include "abi/types.h"

struct regs;

/* A handler to be called. */
struct signal_frame {
	struct regs *regs; /* of the guest: changed to run the handler */
	uint64_t rip;	   /* as the program is to see it: see patch_guest_rip() */
	struct linux_sigaction action;
	struct linux_siginfo info;
	uint64_t mask;		     /* to be restored by the handler's return */
	struct linux_stack altstack; /* the task's */
	uint64_t trapno, error, cr2; /* of its last fault */
};

/* Writes the frame below the guest's stack pointer, or on the alternate stack, and sets
 * the registers, vector registers too, for the handler. -EFAULT: the stack is bad;
 * nothing but guest memory has changed. */
int signal_frame_push(const struct signal_frame *f) MUST_CHECK;

/* rt_sigreturn(2): takes the registers from the frame at the guest's stack pointer, and
 * *mask and *altstack, as the frame has them. -EFAULT: a bad frame; registers may have
 * changed. */
int signal_frame_pop(struct regs *regs, uint64_t *mask,
		     struct linux_stack *altstack) MUST_CHECK;

/* Does sp lie on the stack? Never for an SS_AUTODISARM one, which is gone while in use.
 */
bool altstack_holds(const struct linux_stack *s, uint64_t sp);
/* SS_DISABLE, SS_ONSTACK or 0, for a task whose stack pointer is sp. */
uint32_t altstack_state(const struct linux_stack *s, uint64_t sp);
