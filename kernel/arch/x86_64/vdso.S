/* SPDX-License-Identifier: MIT */
/* vdso.S - what the guest's vDSO does first: core/vdso.c appends a copy of this to a copy of the host's and
 * makes the names of its functions lead here. While the clock is the host's the host's code does the work; for
 * a clock of the sandbox's own this adds what wall_clock says (time/wall_clock.c: read_own() in assembler).
 * This is guest code: it runs at another address, in whatever address space, on the guest's stack, may be
 * interrupted anywhere, and reads the kernel segment like any other memory. The jumps to the host's functions
 * are filled in by core/vdso.c. */

/* struct wall_clock */
#define SEQ 0
#define IS_OWN 4
#define FROM 8
#define BASE 16
#define UNTIL 24
#define RATE 32
#define TAI 40
#define RATE_SHIFT 44

#define NR_gettimeofday 96
#define NR_time 201
#define NR_clock_gettime 228

	.section .rodata.vdso_code, "a", @progbits
	.globl vdso_code, vdso_code_end
	.globl vdso_code_gettime, vdso_code_gettimeofday, vdso_code_time, vdso_code_shifted, vdso_code_offsets
	.globl vdso_hole_gettime, vdso_hole_mono, vdso_hole_shifted, vdso_hole_gettimeofday, vdso_hole_time
	.balign 64
vdso_code:

/* int clock_gettime(int clock, struct timespec *out) */
vdso_code_gettime:
	movabsq	$wall_clock, %rax
gettime_by_wall_clock:
	cmpl	$0, IS_OWN(%rax)
	jne	1f
vdso_hole_gettime:
	.byte	0xe9
	.long	0
1:	cmpl	$0 /* CLOCK_REALTIME */, %edi
	je	own_gettime
	cmpl	$5 /* CLOCK_REALTIME_COARSE */, %edi
	je	own_gettime
	cmpl	$11 /* CLOCK_TAI */, %edi
	jne	vdso_hole_gettime

/* The same for a clock of our own. Registers as any call leaves them, but r10, which is the second and r11,
 * the nanosecond. */
own_gettime:
	pushq	%rbx
	pushq	%r12
	subq	$24, %rsp
	movl	%edi, %ebx
	movq	%rsi, %r12
2:	movl	$1 /* CLOCK_MONOTONIC */, %edi
	cmpl	$5, %ebx
	jne	3f
	movl	$6 /* CLOCK_MONOTONIC_COARSE */, %edi
3:	movabsq	$wall_clock, %rax
	movl	SEQ(%rax), %eax
	movl	%eax, 16(%rsp)
	testl	$1, %eax
	jnz	7f
	movq	%rsp, %rsi
vdso_hole_mono:
	.byte	0xe8
	.long	0
	testl	%eax, %eax
	jnz	8f
	movabsq	$wall_clock, %r8
	imulq	$1000000000, (%rsp), %rax
	addq	8(%rsp), %rax
	cmpq	UNTIL(%r8), %rax
	jge	8f
	subq	FROM(%r8), %rax
	movq	BASE(%r8), %r9
	addq	%rax, %r9
	imulq	RATE(%r8)
	shrdq	$RATE_SHIFT, %rdx, %rax
	addq	%rax, %r9
	cmpl	$11, %ebx
	jne	4f
	addq	TAI(%r8), %r9
4:	movl	SEQ(%r8), %eax
	cmpl	%eax, 16(%rsp)
	jne	2b
	movq	%r9, %rax
	xorl	%edx, %edx
	movl	$1000000000, %ecx
	divq	%rcx
	movq	%rax, %r10
	movq	%rdx, %r11
	testq	%r12, %r12
	jz	5f
	movq	%rax, (%r12)
	movq	%rdx, 8(%r12)
5:	xorl	%eax, %eax
6:	addq	$24, %rsp
	popq	%r12
	popq	%rbx
	ret
7:	pause
	jmp	2b
/* The kernel is to answer: the line must be drawn anew. */
8:	movl	$NR_clock_gettime, %eax
	movl	%ebx, %edi
	movq	%rsp, %rsi
	syscall
	movq	(%rsp), %r10
	movq	8(%rsp), %r11
	testl	%eax, %eax
	jnz	6b
	testq	%r12, %r12
	jz	6b
	movq	%r10, (%r12)
	movq	%r11, 8(%r12)
	jmp	6b

/* The same in a time namespace with offsets: there core/vdso.c puts a jump to this at the beginning of
 * vdso_code_gettime and the offsets, as struct timespec, at vdso_code_offsets. A system call that the host's code
 * makes, where it cannot tell the time itself, comes back without an offset: process/sys_time.c. */
vdso_code_shifted:
	cmpl	$9 /* CLOCK_BOOTTIME_ALARM */, %edi
	ja	1f
	movl	$0x2d2 /* CLOCK_MONOTONIC, _RAW and _COARSE, CLOCK_BOOTTIME and _ALARM */, %eax
	btl	%edi, %eax
	jc	2f
1:	movabsq	$wall_clock, %rax
	jmp	gettime_by_wall_clock
2:	pushq	%rdi
	pushq	%rsi
	subq	$8, %rsp
vdso_hole_shifted:
	.byte	0xe8
	.long	0
	addq	$8, %rsp
	popq	%rsi
	popq	%rdi
	testl	%eax, %eax
	jnz	4f
	leaq	vdso_code_offsets(%rip), %rdx
	cmpl	$7 /* CLOCK_BOOTTIME */, %edi
	jb	3f
	addq	$16, %rdx
3:	movq	(%rdx), %rcx
	movq	8(%rdx), %rdx
	addq	8(%rsi), %rdx
	cmpq	$1000000000, %rdx
	jl	5f
	subq	$1000000000, %rdx
	incq	%rcx
5:	addq	%rcx, (%rsi)
	movq	%rdx, 8(%rsi)
4:	ret
	.balign 8
vdso_code_offsets:
	.quad	0, 0, 0, 0

/* int gettimeofday(struct timeval *tv, struct timezone *tz) */
vdso_code_gettimeofday:
	testq	%rsi, %rsi
	jnz	2f
	movabsq	$wall_clock, %rax
	cmpl	$0, IS_OWN(%rax)
	jne	1f
vdso_hole_gettimeofday:
	.byte	0xe9
	.long	0
1:	testq	%rdi, %rdi
	jz	3f
	pushq	%rdi
	xorl	%edi, %edi
	call	own_gettime
	popq	%rdi
	testl	%eax, %eax
	jnz	4f
	movq	%r11, %rax
	xorl	%edx, %edx
	movl	$1000, %ecx
	divl	%ecx
	movq	%r10, (%rdi)
	movq	%rax, 8(%rdi)
3:	xorl	%eax, %eax
4:	ret
2:	movl	$NR_gettimeofday, %eax
	syscall
	ret

/* time_t time(time_t *out) */
vdso_code_time:
	movabsq	$wall_clock, %rax
	cmpl	$0, IS_OWN(%rax)
	jne	1f
vdso_hole_time:
	.byte	0xe9
	.long	0
1:	pushq	%rdi
	movl	$5 /* CLOCK_REALTIME_COARSE */, %edi
	xorl	%esi, %esi
	call	own_gettime
	popq	%rdi
	movq	%r10, %rax
	testq	%rdi, %rdi
	jz	2f
	movq	%rax, (%rdi)
2:	ret
vdso_code_end:
	.section .note.GNU-stack, "", @progbits
