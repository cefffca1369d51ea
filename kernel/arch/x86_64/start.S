/* SPDX-License-Identifier: MIT */
/* start.S - where the launcher jumps to in the first host process: rdi = struct boot_params *, on the boot
 * area's stack. */
	.section .text, "ax", @progbits
	.globl kernel_start
	.type kernel_start, @function
kernel_start:
	xorl	%ebp, %ebp
	andq	$-16, %rsp
	call	kernel_main
	ud2

	.section .note.GNU-stack,"",@progbits
