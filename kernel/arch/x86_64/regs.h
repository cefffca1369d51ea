/* SPDX-License-Identifier: MIT */
/* regs.h - a guest's general registers, as entry.S lays them out at the top of the kernel
 * stack. */
#pragma once
#include "abi/types.h"

struct regs {
	uint64_t r15, r14, r13, r12, rbp, rbx; /* 0 */
	uint64_t r11, r10, r9, r8;	       /* 48 */
	uint64_t rax, rcx, rdx, rsi, rdi;      /* 80 */
	uint64_t orig_rax;	   /* 120: call number, -1 when not in a call */
	uint64_t rip, rflags, rsp; /* 128 136 144 */
	uint32_t insn_len;	   /* 152: rip - insn_len executes the call again */
	uint32_t is_compat;	   /* 156: 1: in the 32-bit code segment, else 0 */
};
