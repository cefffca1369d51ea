/* SPDX-License-Identifier: MIT */
/* table.c - the rows of abi/syscalls.def as data: names, statuses, argument kinds, and
 * a thunk that calls each handler with typed arguments. NONE rows have no thunk. */
#include "abi/syscall.h"

/* The thunks: six untyped registers in, one typed call out. */
#define CALL_NONE(name, args)
#define CALL_PARTIAL(name, args)                                                         \
	static long call_##name(struct task *t, const uint64_t r[6])                     \
	{                                                                                \
		(void)r;                                                                 \
		return sys_##name args;                                                  \
	}
#define CALL_FULL(name, args) CALL_PARTIAL(name, args)
#define R(kind, nth)	      (TYPE_##kind) r[nth]

#define SYS0(nr, name, st)		   CALL_##st(name, (t))
#define SYS1(nr, name, st, k1, a1)	   CALL_##st(name, (t, R(k1, 0)))
#define SYS2(nr, name, st, k1, a1, k2, a2) CALL_##st(name, (t, R(k1, 0), R(k2, 1)))
#define SYS3(nr, name, st, k1, a1, k2, a2, k3, a3)                                       \
	CALL_##st(name, (t, R(k1, 0), R(k2, 1), R(k3, 2)))
#define SYS4(nr, name, st, k1, a1, k2, a2, k3, a3, k4, a4)                               \
	CALL_##st(name, (t, R(k1, 0), R(k2, 1), R(k3, 2), R(k4, 3)))
#define SYS5(nr, name, st, k1, a1, k2, a2, k3, a3, k4, a4, k5, a5)                       \
	CALL_##st(name, (t, R(k1, 0), R(k2, 1), R(k3, 2), R(k4, 3), R(k5, 4)))
#define SYS6(nr, name, st, k1, a1, k2, a2, k3, a3, k4, a4, k5, a5, k6, a6)               \
	CALL_##st(name, (t, R(k1, 0), R(k2, 1), R(k3, 2), R(k4, 3), R(k5, 4), R(k6, 5)))
#include "abi/syscalls.def"

/* The rows. */
#define THUNK_NONE(name)    NULL
#define THUNK_PARTIAL(name) call_##name
#define THUNK_FULL(name)    call_##name
#define ROW(number, label, st, ...)                                                      \
	[number] = {                                                                     \
		.name = #label,                                                          \
		.call = THUNK_##st(label),                                               \
		.nr = number,                                                            \
		.status = SYS_##st,                                                      \
		.kind = {__VA_ARGS__},                                                   \
	},
#define K(kind) ARG_##kind

#define SYS0(nr, name, st)			   ROW(nr, name, st, ARG_END)
#define SYS1(nr, name, st, k1, a1)		   ROW(nr, name, st, K(k1))
#define SYS2(nr, name, st, k1, a1, k2, a2)	   ROW(nr, name, st, K(k1), K(k2))
#define SYS3(nr, name, st, k1, a1, k2, a2, k3, a3) ROW(nr, name, st, K(k1), K(k2), K(k3))
#define SYS4(nr, name, st, k1, a1, k2, a2, k3, a3, k4, a4)                               \
	ROW(nr, name, st, K(k1), K(k2), K(k3), K(k4))
#define SYS5(nr, name, st, k1, a1, k2, a2, k3, a3, k4, a4, k5, a5)                       \
	ROW(nr, name, st, K(k1), K(k2), K(k3), K(k4), K(k5))
#define SYS6(nr, name, st, k1, a1, k2, a2, k3, a3, k4, a4, k5, a5, k6, a6)               \
	ROW(nr, name, st, K(k1), K(k2), K(k3), K(k4), K(k5), K(k6))
const struct syscall syscall_rows[SYSCALL_LIMIT] = {
#include "abi/syscalls.def"
};

static const bool may_block[SYSCALL_LIMIT] = {
#define BLOCKS(name) [NR_##name] = true,
#include "abi/syscalls.def"
};

bool syscall_may_block(const struct syscall *s)
{
	return may_block[s->nr];
}
