/* SPDX-License-Identifier: MIT */
/* name.h - names of anonymous areas (PR_SET_VMA_ANON_NAME): shown in /proc/PID/maps,
 * inherited by fork; areas join only when they have the same. */
#pragma once
#include "abi/types.h"
#include "base/ref.h"

struct mm;

#define VMA_NAME_SIZE 80 /* with the NUL */

struct vma_name {
	struct ref refs;
	char text[];
};

/* With one reference; NULL: no memory. */
struct vma_name *vma_name_create(const char *text) MUST_CHECK;
void vma_name_get(struct vma_name *n); /* NULL is fine */
void vma_name_put(struct vma_name *n);
/* None equals none alone. */
bool vma_names_equal(const struct vma_name *a, const struct vma_name *b);

/* Gives the areas in [addr, addr + size) a name, or with NULL takes it from them; borrows
 * it. -EBADF: the area of a file; -ENOMEM: some is not mapped, the rest has the name;
 * -EINVAL. */
int mm_name_range(struct mm *mm, uaddr_t addr, size_t size,
		  struct vma_name *name) MUST_CHECK;
