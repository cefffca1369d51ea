/* SPDX-License-Identifier: MIT */
/* seccomp.h - seccomp(2) and the filter programs it takes. */
#pragma once
#pragma GCC system_header /* hosted tests include libc first, then this */

#include "abi/types.h"

#define SECCOMP_MODE_DISABLED		       0
#define SECCOMP_MODE_STRICT		       1
#define SECCOMP_MODE_FILTER		       2
#define SECCOMP_SET_MODE_STRICT		       0
#define SECCOMP_SET_MODE_FILTER		       1
#define SECCOMP_GET_ACTION_AVAIL	       2
#define SECCOMP_GET_NOTIF_SIZES		       3
#define SECCOMP_FILTER_FLAG_TSYNC	       0x1
#define SECCOMP_FILTER_FLAG_LOG		       0x2
#define SECCOMP_FILTER_FLAG_SPEC_ALLOW	       0x4
#define SECCOMP_FILTER_FLAG_NEW_LISTENER       0x8
#define SECCOMP_FILTER_FLAG_TSYNC_ESRCH	       0x10
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV 0x20
#define SECCOMP_RET_KILL_PROCESS	       0x80000000U
#define SECCOMP_RET_KILL_THREAD		       0
#define SECCOMP_RET_TRAP		       0x30000
#define SECCOMP_RET_ERRNO		       0x50000
#define SECCOMP_RET_USER_NOTIF		       0x7fc00000
#define SECCOMP_RET_TRACE		       0x7ff00000
#define SECCOMP_RET_LOG			       0x7ffc0000
#define SECCOMP_RET_ALLOW		       0x7fff0000
#define SECCOMP_RET_ACTION_FULL		       0xffff0000U
#define SECCOMP_RET_DATA		       0xffff

struct linux_seccomp_data {
	int32_t nr;
	uint32_t arch;
	uint64_t instruction_pointer;
	uint64_t args[6];
};

_Static_assert(sizeof(struct linux_seccomp_data) == 64, "struct seccomp_data");
#define AUDIT_ARCH_X86_64 0xc000003eU

/* Classic BPF. */
struct linux_sock_filter {
	uint16_t code;
	uint8_t jt;
	uint8_t jf;
	uint32_t k;
};

struct linux_sock_fprog {
	uint16_t len;
	uaddr_t filter;
};

_Static_assert(sizeof(struct linux_sock_fprog) == 16, "struct sock_fprog");
#define BPF_MAXINSNS 4096

#define BPF_LD	 0
#define BPF_LDX	 0x1
#define BPF_ST	 0x2
#define BPF_STX	 0x3
#define BPF_ALU	 0x4
#define BPF_JMP	 0x5
#define BPF_RET	 0x6
#define BPF_MISC 0x7
#define BPF_W	 0
#define BPF_H	 0x8
#define BPF_B	 0x10
#define BPF_IMM	 0
#define BPF_ABS	 0x20
#define BPF_IND	 0x40
#define BPF_MEM	 0x60
#define BPF_LEN	 0x80
#define BPF_MSH	 0xa0
#define BPF_ADD	 0
#define BPF_SUB	 0x10
#define BPF_MUL	 0x20
#define BPF_DIV	 0x30
#define BPF_OR	 0x40
#define BPF_AND	 0x50
#define BPF_LSH	 0x60
#define BPF_RSH	 0x70
#define BPF_NEG	 0x80
#define BPF_MOD	 0x90
#define BPF_XOR	 0xa0
#define BPF_JA	 0
#define BPF_JEQ	 0x10
#define BPF_JGT	 0x20
#define BPF_JGE	 0x30
#define BPF_JSET 0x40
#define BPF_K	 0
#define BPF_X	 0x8
#define BPF_A	 0x10
#define BPF_TAX	 0
#define BPF_TXA	 0x80
