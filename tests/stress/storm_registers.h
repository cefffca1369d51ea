/* SPDX-License-Identifier: MIT */
/*
 * storm_registers.h - a computation that fills every register, the red zone and the
 * floating-point controls, and then looks whether they are still what they were; and
 * what a signal handler does to spoil them.
 */
#pragma once
#include "storm.h"

#include <immintrin.h>
#include <stdint.h>

enum { GENERAL = 15, RED_ZONE = 16 };

struct registers {
	uint64_t general[16]; /* rax rbx rcx rdx rsi rdi rbp r8 … r15 */
	uint64_t red_zone[RED_ZONE];
	uint8_t vector[32][64];
	uint64_t mask[8];
};

/* Fills the registers from in, spends loops rounds with them, saves them to out. The
 * second makes a system call in each round, which changes rax, rcx and r11. */
void registers_run_512(const struct registers *in, struct registers *out, long loops);
void registers_run_256(const struct registers *in, struct registers *out, long loops);
void registers_run_512_calls(const struct registers *in, struct registers *out,
			     long loops);
void registers_run_256_calls(const struct registers *in, struct registers *out,
			     long loops);

__asm__(".macro GENERAL_REGISTERS op:vararg\n"
	"	\\op rax, 0\n	\\op rbx, 8\n	\\op rcx, 16\n	\\op rdx, 24\n"
	"	\\op rsi, 32\n	\\op rbp, 48\n	\\op r8, 56\n	\\op r9, 64\n"
	"	\\op r10, 72\n	\\op r11, 80\n	\\op r12, 88\n	\\op r13, 96\n"
	"	\\op r14, 104\n	\\op r15, 112\n"
	".endm\n"
	".macro LOAD name, at\n	movq \\at(%rdi), %\\name\n.endm\n"
	".macro SAVE name, at\n	movq %\\name, \\at(%rdi)\n.endm\n"
	".macro RUN_REGISTERS name, vector, load, count, calls\n"
	"	.globl \\name\n	.type \\name, @function\n"
	"\\name:\n"
	"	pushq %rbx\n	pushq %rbp\n	pushq %r12\n"
	"	pushq %r13\n	pushq %r14\n	pushq %r15\n"
	"	subq $24, %rsp\n"
	"	movq %rdx, (%rsp)\n	movq %rsi, 8(%rsp)\n"
	"	.set i, 0\n"
	"	.rept \\count\n"
	"	.altmacro\n	MOVE_VECTOR_IN \\vector, \\load, %i\n	.noaltmacro\n"
	"	.set i, i + 1\n"
	"	.endr\n"
	"	.ifc \\vector, zmm\n"
	"	.irp k, 1, 2, 3, 4, 5, 6, 7\n"
	"	kmovq 2304 + 8 * \\k(%rdi), %k\\k\n"
	"	.endr\n"
	"	.endif\n"
	"	.set i, 0\n"
	"	.rept 16\n"
	"	movq 128 + 8 * i(%rdi), %rax\n	movq %rax, -8 * (i + 1)(%rsp)\n"
	"	.set i, i + 1\n"
	"	.endr\n"
	"	GENERAL_REGISTERS LOAD\n"
	"	movq 40(%rdi), %rdi\n"
	"1:	rolq $7, %rbx\n	xchgq %rsi, %r8\n	addq $3, %r9\n"
	"	notq %r12\n	notq %r12\n"
	"	subq $3, %r9\n	xchgq %rsi, %r8\n	rorq $7, %rbx\n"
	"	.if \\calls\n	movl $110, %eax\n	syscall\n	.endif\n"
	"	decq (%rsp)\n	jnz 1b\n"
	"	movq %rdi, 16(%rsp)\n	movq 8(%rsp), %rdi\n"
	"	GENERAL_REGISTERS SAVE\n"
	"	movq 16(%rsp), %rax\n	movq %rax, 40(%rdi)\n"
	"	.set i, 0\n"
	"	.rept 16\n"
	"	movq -8 * (i + 1)(%rsp), %rax\n	movq %rax, 128 + 8 * i(%rdi)\n"
	"	.set i, i + 1\n"
	"	.endr\n"
	"	.set i, 0\n"
	"	.rept \\count\n"
	"	.altmacro\n	MOVE_VECTOR_OUT \\vector, \\load, %i\n	.noaltmacro\n"
	"	.set i, i + 1\n"
	"	.endr\n"
	"	.ifc \\vector, zmm\n"
	"	.irp k, 1, 2, 3, 4, 5, 6, 7\n"
	"	kmovq %k\\k, 2304 + 8 * \\k(%rdi)\n"
	"	.endr\n"
	"	.endif\n"
	"	vzeroupper\n"
	"	addq $24, %rsp\n"
	"	popq %r15\n	popq %r14\n	popq %r13\n"
	"	popq %r12\n	popq %rbp\n	popq %rbx\n"
	"	ret\n"
	".endm\n"
	".macro MOVE_VECTOR_IN vector, load, n\n"
	"	\\load 256 + 64 * \\n(%rdi), %\\vector\\n\n"
	".endm\n"
	".macro MOVE_VECTOR_OUT vector, load, n\n"
	"	\\load %\\vector\\n, 256 + 64 * \\n(%rdi)\n"
	".endm\n"
	"	RUN_REGISTERS registers_run_512, zmm, vmovdqu64, 32, 0\n"
	"	RUN_REGISTERS registers_run_512_calls, zmm, vmovdqu64, 32, 1\n"
	"	RUN_REGISTERS registers_run_256, ymm, vmovdqu, 16, 0\n"
	"	RUN_REGISTERS registers_run_256_calls, ymm, vmovdqu, 16, 1\n");

/* One round: with seed, other values each time. */
static inline void registers_must_hold(uint64_t seed, bool calls)
{
	static const unsigned int controls = 0x7f80; /* rounds towards zero */
	bool wide = __builtin_cpu_supports("avx512bw");
	struct registers in;
	struct registers out;
	uint64_t *word = (uint64_t *)&in;

	for (size_t i = 0; i < sizeof(in) / 8; i++)
		word[i] = (seed + i + 1) * 0x9e3779b97f4a7c15;
	out = in;
	_mm_setcsr(controls);
	if (calls)
		(wide ? registers_run_512_calls : registers_run_256_calls)(&in, &out,
									   400);
	else
		(wide ? registers_run_512 : registers_run_256)(&in, &out, 60000);
	MUST(_mm_getcsr() == controls);
	_mm_setcsr(0x1f80);
	for (int i = 0; i < GENERAL; i++)
		if (!calls || (i != 0 && i != 2 && i != 10))
			MUST(in.general[i] == out.general[i]);
	MUST(memcmp(in.red_zone, out.red_zone, sizeof(in.red_zone)) == 0);
	MUST(memcmp(in.vector, out.vector, sizeof(in.vector)) == 0);
	MUST(memcmp(in.mask, out.mask, sizeof(in.mask)) == 0);
}

static inline void spoil_vectors_512(void)
{
	__asm__ volatile(
		".set i, 0\n"
		".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, "
		"18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31\n"
		"vpternlogd $0xff, %%zmm\\n, %%zmm\\n, %%zmm\\n\n"
		".endr\n"
		".irp n, 0, 1, 2, 3, 4, 5, 6, 7\n"
		"kxnorw %%k\\n, %%k\\n, %%k\\n\n"
		".endr\n"
		"vzeroupper\n" ::
			: "memory");
}

static inline void spoil_vectors_256(void)
{
	__asm__ volatile(".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15\n"
			 "vcmptrueps %%ymm\\n, %%ymm\\n, %%ymm\\n\n"
			 ".endr\n"
			 "vzeroupper\n" ::
				 : "memory");
}

/* A handler begins with the controls of a new program, and may do as it likes. */
static inline void registers_spoil(void)
{
	MUST(_mm_getcsr() == 0x1f80);
	if (__builtin_cpu_supports("avx512bw"))
		spoil_vectors_512();
	else
		spoil_vectors_256();
	_mm_setcsr(0x5f80);
	__asm__ volatile("std\n\tcld\n\tfninit\n\tmovq $-1, %%rax\n\tmovq %%rax, %%r8\n\t"
			 "movq %%rax, %%r9\n\tmovq %%rax, %%r10\n\tmovq %%rax, %%r11\n\t"
			 "movq %%rax, %%rcx\n\tmovq %%rax, %%rdx\n\tmovq %%rax, %%rsi\n\t"
			 "movq %%rax, %%rdi\n\tmovq %%rax, %%r12\n\tmovq %%rax, %%r13\n\t"
			 "movq %%rax, %%r14\n\tmovq %%rax, %%r15\n\tmovq %%rax, %%rbx"
			 :
			 :
			 : "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10",
			   "r11", "r12", "r13", "r14", "r15", "memory", "cc");
	_mm_setcsr(0x1f80);
}
