/* SPDX-License-Identifier: MIT */
/* vdso.h - the host's vDSO, shown to the guest: clock functions without a system call. */
#pragma once
#include "abi/types.h"

struct boot_params;
struct mm;

/* Start-up: moves the host's mappings to their fixed place right below USER_END. 0 or -errno (then there is none). */
int vdso_init(const struct boot_params *b);
/* Shows them in a new address space, where every host process has them mapped already. */
int vdso_add_areas(struct mm *mm) MUST_CHECK;
/* Lowest address of it, USER_END if there is none: what is below may be unmapped. */
uaddr_t vdso_floor(void);
