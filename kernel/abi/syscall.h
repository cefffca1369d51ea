/* SPDX-License-Identifier: MIT */
/* syscall.h - the system calls: numbers, handlers and the table of abi/syscalls.def.
 *
 * Each call NAME has a number NR_NAME and a handler sys_NAME(), whose prototype comes
 * from its row, so that a handler that disagrees with its row does not compile. A
 * handler returns the result or -errno. Handlers that need the guest's registers
 * (clone, execve, rt_sigreturn) find them through the task. */
#pragma once
#include "abi/types.h"

struct task;

#define KIND(kind, type, style) typedef type TYPE_##kind;
#include "abi/arg_kinds.def"

enum arg_kind {
	ARG_END, /* no more arguments */
#define KIND(kind, type, style) ARG_##kind,
#include "abi/arg_kinds.def"
	ARG_KINDS
};

enum sys_status { SYS_NONE, SYS_PARTIAL, SYS_FULL };

struct syscall {
	const char *name;
	long (*call)(struct task *t, const uint64_t arg[6]); /* NULL if SYS_NONE */
	uint16_t nr;
	uint8_t status;	 /* enum sys_status */
	uint8_t kind[6]; /* enum arg_kind; ARG_END ends the list */
};

/* May the call sleep for as long as another process wants? */
bool syscall_may_block(const struct syscall *s);

enum syscall_nr {
#define SYS0(number, name, ...) NR_##name = number,
#define SYS1			SYS0
#define SYS2			SYS0
#define SYS3			SYS0
#define SYS4			SYS0
#define SYS5			SYS0
#define SYS6			SYS0
#include "abi/syscalls.def"
	SYSCALL_LIMIT /* one above the highest number */
};

extern const struct syscall syscall_rows[SYSCALL_LIMIT];

/* The row of a number, implemented or not; NULL if Linux has no such call. */
static inline const struct syscall *syscall_find(uint64_t nr)
{
	return nr < SYSCALL_LIMIT && syscall_rows[nr].name ? &syscall_rows[nr] : NULL;
}

/* The handlers. Those of NONE rows are declared too, and not defined. */
#define TASK			   struct task *t
#define SYS0(nr, name, st)	   long sys_##name(TASK);
#define SYS1(nr, name, st, k1, a1) long sys_##name(TASK, TYPE_##k1 a1);
#define SYS2(nr, name, st, k1, a1, k2, a2)                                               \
	long sys_##name(TASK, TYPE_##k1 a1, TYPE_##k2 a2);
#define SYS3(nr, name, st, k1, a1, k2, a2, k3, a3)                                       \
	long sys_##name(TASK, TYPE_##k1 a1, TYPE_##k2 a2, TYPE_##k3 a3);
#define SYS4(nr, name, st, k1, a1, k2, a2, k3, a3, k4, a4)                               \
	long sys_##name(TASK, TYPE_##k1 a1, TYPE_##k2 a2, TYPE_##k3 a3, TYPE_##k4 a4);
#define SYS5(nr, name, st, k1, a1, k2, a2, k3, a3, k4, a4, k5, a5)                       \
	long sys_##name(TASK, TYPE_##k1 a1, TYPE_##k2 a2, TYPE_##k3 a3, TYPE_##k4 a4,    \
			TYPE_##k5 a5);
#define SYS6(nr, name, st, k1, a1, k2, a2, k3, a3, k4, a4, k5, a5, k6, a6)               \
	long sys_##name(TASK, TYPE_##k1 a1, TYPE_##k2 a2, TYPE_##k3 a3, TYPE_##k4 a4,    \
			TYPE_##k5 a5, TYPE_##k6 a6);
#include "abi/syscalls.def"
#undef TASK
