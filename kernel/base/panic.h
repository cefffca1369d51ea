/* SPDX-License-Identifier: MIT */
/* panic.h - the end of a sandbox whose kernel has found itself broken. */
#pragma once
#include "abi/types.h"

struct regs;

/* Prints the message, a symbolised backtrace and what panic_hook adds, ends every host
 * process. Never returns. */
NORETURN COLD void panic(const char *fmt, ...) PRINTF(1, 2);
/* The same for a fault in kernel code: regs at the fault. */
NORETURN COLD void panic_fault(const struct regs *regs, int signo, uint64_t fault_addr);

/* Set once at start: prints the last trace entries; tells the monitor. */
extern void (*panic_hook)(void);

#ifdef CONFIG_DEBUG
#define kassert(cond)                                                                    \
	((cond) ? (void)0                                                                \
		: panic("%s:%d: assertion failed: %s", __FILE__, __LINE__, #cond))
#else
#define kassert(cond) ((cond) ? (void)0 : panic("%s:%d: %s", __FILE__, __LINE__, #cond))
#endif
