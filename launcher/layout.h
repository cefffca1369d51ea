/* SPDX-License-Identifier: MIT */
/* layout.h - the kernel's address range must be free in the launcher. */
#pragma once
#include "limits.h"

/* Reserves KERNEL_TEXT_BASE … the end of the boot area, so that nothing else comes to lie
 * there. If something does already (the host places libraries and its vDSO at random),
 * runs the command again without randomisation, once. l: the caller's limits; on the
 * second run this gets back what the first changed. */
void layout_reserve(struct limits *l, char **argv);

/* Where the host mapped its vDSO and the data before it: 0 if unknown. */
struct vdso_place {
	uint64_t vdso_addr, vdso_size, vvar_addr, vvar_size;
};

void layout_find_vdso(struct vdso_place *out);
