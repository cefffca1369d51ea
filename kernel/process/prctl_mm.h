/* SPDX-License-Identifier: MIT */
/* prctl_mm.h - the options of prctl(2) that say what an address space is made of. */
#pragma once
#include "abi/types.h"

struct mm;

/* PR_SET_MM, PR_SET_VMA, PR_GET_AUXV: what prctl returns. */
long prctl_mm(struct mm *mm, uint64_t option, uint64_t addr, uint64_t arg4,
	      uint64_t arg5);
long prctl_vma(struct mm *mm, uint64_t option, uint64_t addr, uint64_t size,
	       uaddr_t name);
long prctl_auxv_get(struct mm *mm, uaddr_t to, uint64_t size);

/* Provided by fs/exe_file.c: fd becomes what /proc/PID/exe shows. -EBADF, -EACCES,
 * -EBUSY: the file of before is still mapped. */
int mm_exe_replace(struct mm *mm, int fd) MUST_CHECK;
