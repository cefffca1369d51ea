/* SPDX-License-Identifier: MIT */
/* vdso.h - the host's vDSO, shown to the guest with our clock: clock functions without a
 * system call. */
#pragma once
#include "abi/types.h"

struct boot_params;
struct mm;

/* Start-up: moves the host's mappings below USER_END. 0 or -errno (then there is none).
 */
int vdso_init(const struct boot_params *b);
/* exec: gives them a new random place and shows them in the new address space; each host
 * process has them mapped. */
int vdso_add_areas(struct mm *mm) MUST_CHECK;
/* Where the calling host process has code and data together; size 0: there is none. */
uaddr_t vdso_range(size_t *size);
/* AT_SYSINFO_EHDR of the calling host process, or 0. */
uaddr_t vdso_address(void);
