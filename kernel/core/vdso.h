/* SPDX-License-Identifier: MIT */
/* vdso.h - the host's vDSO, shown to the guest with our clock: clock functions without a
 * system call. */
#pragma once
#include "abi/types.h"

struct boot_params;
struct mm;
struct task;

/* Start-up: moves the host's mappings below USER_END. 0 or -errno (then there is none).
 */
int vdso_init(const struct boot_params *b);
/* Has the clocks of the calling host process show what t's time namespace says: when t
 * has come into another one, and does nothing when they do. */
int vdso_follow_time_ns(struct task *t) MUST_CHECK;
/* exec: gives them a new random place and shows them in the new address space; each host
 * process has them mapped. */
int vdso_add_areas(struct mm *mm) MUST_CHECK;
/* Where the calling host process has code and data together; size 0: there is none. */
uaddr_t vdso_range(size_t *size);
/* AT_SYSINFO_EHDR of the calling host process, or 0. */
uaddr_t vdso_address(void);
