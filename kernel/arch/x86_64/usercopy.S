/* SPDX-License-Identifier: MIT */
/* usercopy.S - the instructions that may touch guest memory, each with its fixup in __ex_table. Callers
 * (mm/usercopy.c) have checked that the range is the guest's. */

	.macro EX fault, fixup
	.pushsection __ex_table, "a", @progbits
	.balign 8
	.quad	\fault, \fixup
	.popsection
	.endm

	.text

/* size_t user_copy(void *dst, const void *src, size_t size): bytes not copied. */
	.globl user_copy
	.type user_copy, @function
user_copy:
	movq	%rdx, %rcx
1:	rep movsb
2:	movq	%rcx, %rax
	ret
	EX 1b, 2b

/* size_t user_clear(void *dst, size_t size): bytes not cleared. */
	.globl user_clear
	.type user_clear, @function
user_clear:
	movq	%rsi, %rcx
	xorl	%eax, %eax
1:	rep stosb
2:	movq	%rcx, %rax
	ret
	EX 1b, 2b

/* long user_strncpy(char *dst, const char *src, size_t size): length without NUL, size if there was no NUL,
 * -14 on a fault. */
	.globl user_strncpy
	.type user_strncpy, @function
user_strncpy:
	xorl	%eax, %eax
1:	cmpq	%rdx, %rax
	jae	3f
2:	movzbl	(%rsi,%rax), %ecx
	movb	%cl, (%rdi,%rax)
	testb	%cl, %cl
	jz	3f
	incq	%rax
	jmp	1b
3:	ret
4:	movq	$-14, %rax
	ret
	EX 2b, 4b

/* long user_strnlen(const char *src, size_t size) */
	.globl user_strnlen
	.type user_strnlen, @function
user_strnlen:
	xorl	%eax, %eax
1:	cmpq	%rsi, %rax
	jae	3f
2:	cmpb	$0, (%rdi,%rax)
	je	3f
	incq	%rax
	jmp	1b
3:	ret
4:	movq	$-14, %rax
	ret
	EX 2b, 4b

/* int user_load_u32(uint32_t *out, const void *src) */
	.globl user_load_u32
	.type user_load_u32, @function
user_load_u32:
1:	movl	(%rsi), %ecx
	movl	%ecx, (%rdi)
	xorl	%eax, %eax
	ret
	EX 1b, user_fault

	.globl user_load_u64
	.type user_load_u64, @function
user_load_u64:
1:	movq	(%rsi), %rcx
	movq	%rcx, (%rdi)
	xorl	%eax, %eax
	ret
	EX 1b, user_fault

/* int user_store_u8(void *dst, uint64_t value) */
	.globl user_store_u8
	.type user_store_u8, @function
user_store_u8:
1:	movb	%sil, (%rdi)
	xorl	%eax, %eax
	ret
	EX 1b, user_fault

	.globl user_store_u32
	.type user_store_u32, @function
user_store_u32:
1:	movl	%esi, (%rdi)
	xorl	%eax, %eax
	ret
	EX 1b, user_fault

	.globl user_store_u64
	.type user_store_u64, @function
user_store_u64:
1:	movq	%rsi, (%rdi)
	xorl	%eax, %eax
	ret
	EX 1b, user_fault

/* int user_cas_u32(void *addr, uint32_t old, uint32_t new, uint32_t *seen) */
	.globl user_cas_u32
	.type user_cas_u32, @function
user_cas_u32:
	movl	%esi, %eax
1:	lock cmpxchgl %edx, (%rdi)
	movl	%eax, (%rcx)
	xorl	%eax, %eax
	ret
	EX 1b, user_fault

user_fault:
	movl	$-14, %eax
	ret

/* int user_xsave(void *area, uint64_t mask); int user_xrstor(const void *area, uint64_t mask): -14 on any fault,
 * also the general protection fault of a malformed area. */
	.globl user_xsave
	.type user_xsave, @function
user_xsave:
	movl	%esi, %eax
	shrq	$32, %rsi
	movl	%esi, %edx
1:	xsave64	(%rdi)
	xorl	%eax, %eax
	ret
	EX 1b, user_fault

	.globl user_xrstor
	.type user_xrstor, @function
user_xrstor:
	movl	%esi, %eax
	shrq	$32, %rsi
	movl	%esi, %edx
1:	xrstor64 (%rdi)
	xorl	%eax, %eax
	ret
	EX 1b, user_fault

/* The fault handler leads an access here that is to wait. On the stack, from the top: the error code, the
 * address, the access's fixup, the access itself. */
	.globl user_access_waits
user_access_waits:
	pushfq
	pushq	%rax
	pushq	%rcx
	pushq	%rdx
	pushq	%rsi
	pushq	%rdi
	pushq	%r8
	pushq	%r9
	pushq	%r10
	pushq	%r11
	pushq	%rbp
	movq	%rsp, %rbp
	andq	$-16, %rsp
	movq	96(%rbp), %rdi
	movq	88(%rbp), %rsi
	call	user_fault_held
	movq	%rbp, %rsp
	testl	%eax, %eax
	jnz	1f
	movq	104(%rbp), %rax
	movq	%rax, 112(%rbp)
1:	popq	%rbp
	popq	%r11
	popq	%r10
	popq	%r9
	popq	%r8
	popq	%rdi
	popq	%rsi
	popq	%rdx
	popq	%rcx
	popq	%rax
	popfq
	leaq	24(%rsp), %rsp
	ret

	.section .note.GNU-stack,"",@progbits
