/* SPDX-License-Identifier: MIT */
/* offsets.h - struct offsets for entry.S; trap.c checks them. */
#pragma once

#define CPU_TASK       8
#define CPU_KSTACK_TOP 16
#define CPU_SCRATCH    24
#define CPU_WORK       32
#define CPU_RESUME_RIP 40
#define CPU_FAST_CALLS 48

#define REGS_RIP       128
#define REGS_INSN_LEN  152
#define REGS_IS_COMPAT 156
#define REGS_RFLAGS    136
#define REGS_RSP       144
#define REGS_SIZE      160

#define KSTACK_RESERVED 384 /* above kstack_top: the iretq frame, and the struct cpu */

#define SYSCALL_INSN_LEN 2
#define TRAMPOLINE_B_LEN                                                                 \
	17 /* from the start of a kind B trampoline to where the kernel returns:         \
	      patch_plan.h */
#define WORK_GS_BIT 16

#define RFLAGS_TF_BIT	0x100
#define RFLAGS_OF_SHIFT 11
#define RFLAGS_KERNEL	0x202
#define RFLAGS_SPECIAL	0x3ff528 /* all but OF SF ZF AF PF CF, IF and the constant 1 */

#define USER_CS	     0x33
#define USER32_CS    0x23 /* USER_CS - (1 << USER32_SHIFT) */
#define USER32_SHIFT 4
#define USER_SS	     0x2b
