/* SPDX-License-Identifier: MIT */
/* kernel_pages.h - pages of the kernel's own that a guest maps: what is written there by
 * either is seen by both, without any copying. */
#pragma once
#include "mm/object.h"

struct kernel_pages;

/* Where the kernel segment is: start-up. */
void kernel_pages_init(int fd, uintptr_t base);
/* size bytes, a multiple of PAGE_SIZE, that are zero, with one reference; NULL: no
 * memory. name: as /proc/PID/maps is to show it; borrowed for ever. moved: see
 * vm_object_ops. */
struct kernel_pages *kernel_pages_create(size_t size, const char *name,
					 int (*moved)(struct vm_object *o, struct mm *mm,
						      uaddr_t to)) MUST_CHECK;
void kernel_pages_put(struct kernel_pages *p);
void *kernel_pages_data(const struct kernel_pages *p);
struct vm_object *kernel_pages_object(struct kernel_pages *p);
