/* SPDX-License-Identifier: MIT */
/* block.S - entering a host call that may sleep, without losing a kick.
 *
 * long host_block(const struct host_block *b): a kick that lands between the check of the work word and the
 * system call instruction goes back to the check (arch/x86_64/trap.c). */

	.text
	.globl host_block
	.globl host_block_check
	.globl host_block_syscall
	.globl host_block_eintr
	.type host_block, @function
host_block:
	pushq	%rbx
	pushq	%r12
	movq	%rdi, %rbx
	movq	56(%rbx), %r12		/* work */
host_block_check:
	movl	64(%rbx), %eax		/* mask */
	testl	%eax, (%r12)
	jne	host_block_eintr
	movq	0(%rbx), %rax
	movq	8(%rbx), %rdi
	movq	16(%rbx), %rsi
	movq	24(%rbx), %rdx
	movq	32(%rbx), %r10
	movq	40(%rbx), %r8
	movq	48(%rbx), %r9
host_block_syscall:
	syscall
	popq	%r12
	popq	%rbx
	ret
host_block_eintr:
	movq	$-4, %rax
	popq	%r12
	popq	%rbx
	ret

/* long host_clone_raw(flags, stack_top, ptid, ctid, fn, cpu): the child gets %gs = cpu and runs fn(cpu). */
	.globl host_clone_raw
	.type host_clone_raw, @function
host_clone_raw:
	subq	$16, %rsi
	movq	%r8, 8(%rsi)
	movq	%r9, 0(%rsi)
	movq	%rcx, %r10
	xorl	%r8d, %r8d
	movl	$56, %eax
	syscall
	testl	%eax, %eax
	jz	1f
	ret
1:	xorl	%ebp, %ebp
	popq	%rdi
	popq	%rax
	wrgsbase %rdi
	call	*%rax
	ud2

/* void host_exit_raw(uint32_t *done, int nr): all signals are blocked; *done = 1 gives the stack away. */
	.globl host_exit_raw
	.type host_exit_raw, @function
host_exit_raw:
	movl	%esi, %eax
	testq	%rdi, %rdi
	jz	1f
	movl	$1, (%rdi)
1:	xorl	%edi, %edi
	syscall
	ud2

/* Where host signal handlers return to. */
	.globl host_restorer
	.type host_restorer, @function
host_restorer:
	movl	$15, %eax
	syscall
	ud2

	.section .note.GNU-stack,"",@progbits
