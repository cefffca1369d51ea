/* SPDX-License-Identifier: MIT */
/* entry.S - the ways into the kernel and back to the guest.
 *
 * Every way in ends with a struct regs at the top of the task's kernel stack and a call into C; every way
 * out goes through entry_return, which first looks at the task's work word. From that look to the jump is a
 * restartable range: a kick that lands there (trap.c) goes back to entry_return with the stack pointer at
 * the regs, which the pops have not erased. Nothing here touches the guest's stack (its red zone). */

#include "arch/x86_64/offsets.h"

/* Loads the general registers from the struct regs at rsp, up to orig_rax. */
	.macro POP_REGS
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbp
	popq	%rbx
	popq	%r11
	popq	%r10
	popq	%r9
	popq	%r8
	popq	%rax
	popq	%rcx
	popq	%rdx
	popq	%rsi
	popq	%rdi
	.endm

	.text

/* From a trampoline of kind B: rax call number, rcx address to return to, in the trampoline. Going back
 * TRAMPOLINE_B_LEN bytes makes the call again. */
	.globl entry_fast_b
	.globl entry_fast_end
	.type entry_fast_b, @function
	.balign 64
entry_fast_b:
	movq	%rsp, %gs:CPU_SCRATCH
	movq	%gs:CPU_KSTACK_TOP, %rsp
	pushq	$TRAMPOLINE_B_LEN
	jmp	.Lfast

/* Of kind A: rcx is the address behind the site's own syscall instruction. */
	.globl entry_fast
	.type entry_fast, @function
	.balign 64
entry_fast:
	movq	%rsp, %gs:CPU_SCRATCH
	movq	%gs:CPU_KSTACK_TOP, %rsp
	pushq	$SYSCALL_INSN_LEN
.Lfast:
	pushq	%gs:CPU_SCRATCH
	pushfq
	pushq	%rcx
	pushq	%rax
	pushq	%rdi
	pushq	%rsi
	pushq	%rdx
	pushq	%rcx
	pushq	$-38
	pushq	%r8
	pushq	%r9
	pushq	%r10
	pushq	%r11
	pushq	%rbx
	pushq	%rbp
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	testl	$RFLAGS_SPECIAL, REGS_RFLAGS(%rsp)
	jnz	.Lspecial_entry
.Lplain_flags:
	incq	%gs:CPU_FAST_CALLS
	movq	%rsp, %rdi
	xorl	%ebp, %ebp
	call	syscall_enter
entry_fast_end:

/* rsp: struct regs. */
	.globl entry_return
	.globl entry_return_end
entry_return:
	movq	%gs:CPU_WORK, %rax
	cmpl	$0, (%rax)
	jne	.Lwork
	movq	REGS_RIP(%rsp), %rax
	movq	%rax, %gs:CPU_RESUME_RIP
	movl	REGS_RFLAGS(%rsp), %eax
	testl	$RFLAGS_SPECIAL, %eax
	jnz	.Lspecial_return
	/* The arithmetic flags without popfq, which costs half of getppid: an addition sets OF, sahf the rest. */
	movb	%al, %cl
	shrl	$RFLAGS_OF_SHIFT, %eax
	movb	%cl, %ah
	addb	$0x7f, %al
	sahf
	POP_REGS
	movq	24(%rsp), %rsp
	jmp	*%gs:CPU_RESUME_RIP
.Lspecial_return:
	testl	$RFLAGS_TF_BIT, %eax	/* popfq would step into the kernel's last instructions */
	jnz	.Lwork
	POP_REGS
	leaq	16(%rsp), %rsp
	popfq
	popq	%rsp
	jmp	*%gs:CPU_RESUME_RIP
entry_return_end:

/* The guest's direction, trap, alignment … flags are not the kernel's. */
.Lspecial_entry:
	pushq	$RFLAGS_KERNEL
	popfq
	jmp	.Lplain_flags

.Lwork:
	movq	%rsp, %rdi
	call	return_work		/* 0: look again; 1: leave by iretq with the %gs in CPU_SCRATCH */
	testl	%eax, %eax
	jz	entry_return

/* The guest owns %gs, steps, or was in 32-bit code: leave with iretq, which needs no %gs and sets all flags and
 * the code segment with the jump. */
	.globl entry_return_gs
	.globl entry_return_gs_end
entry_return_gs:
	movq	%gs:CPU_WORK, %rax
	testl	$~WORK_GS_BIT, (%rax)
	jne	.Lwork
	/* The frame for iretq lies above the regs, which stay whole for a restart. */
	movq	REGS_RIP(%rsp), %rax
	movq	%rax, REGS_SIZE(%rsp)
	movl	REGS_IS_COMPAT(%rsp), %ecx
	movl	$USER_CS, %eax
	shll	$USER32_SHIFT, %ecx
	subl	%ecx, %eax
	movq	%rax, REGS_SIZE+8(%rsp)
	movq	REGS_RFLAGS(%rsp), %rax
	movq	%rax, REGS_SIZE+16(%rsp)
	movq	REGS_RSP(%rsp), %rax
	movq	%rax, REGS_SIZE+24(%rsp)
	movq	$USER_SS, REGS_SIZE+32(%rsp)
	movq	%gs:CPU_SCRATCH, %rax
	wrgsbase %rax
	POP_REGS
	leaq	40(%rsp), %rsp
	.globl entry_iretq
entry_iretq:
	iretq			/* may fault: trap.c */
entry_return_gs_end:

/* From the host's SIGSYS handler, which has filled the regs: rsp points at them. */
	.globl entry_slow
entry_slow:
	movq	%rsp, %rdi
	xorl	%ebp, %ebp
	call	syscall_enter_slow
	jmp	entry_return

/* void entry_slow_now(struct regs *): the same out of the handler itself, whose vector state is not the
 * guest's. The alignment-check flag may still be. */
	.globl entry_slow_now
entry_slow_now:
	movq	%rdi, %rsp
	pushq	$RFLAGS_KERNEL
	popfq
	jmp	entry_slow

/* From the kick handler: the guest was interrupted between two instructions. */
	.globl entry_kick
entry_kick:
	xorl	%ebp, %ebp
	jmp	entry_return

/* From the fault handler: the guest's instruction faulted; task->fault_info says how. */
	.globl entry_fault
entry_fault:
	movq	%rsp, %rdi
	xorl	%ebp, %ebp
	call	fault_enter
	jmp	entry_return

/* void entry_resume(struct regs *): goes to the guest, off whatever stack this is. */
	.globl entry_resume
entry_resume:
	movq	%rdi, %rsp
	xorl	%ebp, %ebp
	jmp	entry_return

/* void stack_call(uint64_t stack_top, void (*fn)(void *), void *arg): never comes back. */
	.globl stack_call
stack_call:
	movq	%rdi, %rsp
	xorl	%ebp, %ebp
	movq	%rdx, %rdi
	call	*%rsi
	ud2

/* void task_lend(uint64_t *saved_sp, struct regs *child): leaves this kernel context, to be continued by
 * task_give_back(), and goes to the guest as the vfork child. */
	.globl task_lend
task_lend:
	pushq	%rbp
	pushq	%rbx
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	movq	%rsp, (%rdi)
	movq	%rsi, %rsp
	xorl	%ebp, %ebp
	jmp	entry_return

/* void task_give_back(uint64_t saved_sp) */
	.globl task_give_back
task_give_back:
	movq	%rdi, %rsp
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbx
	popq	%rbp
	ret

	.section .note.GNU-stack,"",@progbits
