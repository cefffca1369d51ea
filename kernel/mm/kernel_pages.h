/* SPDX-License-Identifier: MIT */
/* kernel_pages.h - pages of the kernel's own that a guest maps: what is written there by
 * either is seen by both, without any copying. */
#pragma once
#include "mm/object.h"

struct kernel_pages;

/* Where the kernel segment is: start-up. */
void kernel_pages_init(int fd, uintptr_t base);
/* What they are for. */
struct kernel_pages_kind {
	const char *name; /* as /proc/PID/maps is to show it */
	/* See vm_object_ops. */
	int (*moved)(struct vm_object *o, struct mm *mm, uaddr_t to);
	/* They have gone, with the last area that showed them. Locks may be held, that of
	 * a mm among them. */
	void (*gone)(uint32_t charge);
};

/* size bytes, a multiple of PAGE_SIZE, that are zero, with one reference; NULL: no
 * memory. charge: for gone(). */
struct kernel_pages *kernel_pages_create(size_t size,
					 const struct kernel_pages_kind *kind,
					 uint32_t charge) MUST_CHECK;
void kernel_pages_put(struct kernel_pages *p);
void *kernel_pages_data(const struct kernel_pages *p);
struct vm_object *kernel_pages_object(struct kernel_pages *p);
