/* SPDX-License-Identifier: MIT */
/* acct.h - records of process accounting, acct(5), version 3. */
#pragma once
#include "abi/types.h"

#define ACCT_VERSION 3
#define ACCT_HZ	     100

#define ACCT_FORK 0x01 /* it never ran another program */
#define ACCT_ROOT 0x02 /* it used privileges */
#define ACCT_CORE 0x08
#define ACCT_SIG  0x10

struct linux_acct_v3 {
	uint8_t flag, version;
	uint16_t tty;
	uint32_t exit_code, uid, gid, pid, ppid;
	uint32_t start;	  /* seconds since 1970 */
	uint32_t elapsed; /* a float: ticks */
	/* 13 bits, and 3 of an exponent to the base 8 */
	uint16_t user, system, memory, io, blocks, min_faults, maj_faults, swaps;
	char comm[16];
};

_Static_assert(sizeof(struct linux_acct_v3) == 64, "struct acct_v3");
