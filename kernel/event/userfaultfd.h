/* SPDX-License-Identifier: MIT */
/* userfaultfd.h - userfaultfd(2)'s descriptor and device; the rest is mm/uffd.h. */
#pragma once
#include "abi/types.h"
#include "abi/userfaultfd.h"

struct file;

/* Those for a registered range, by UFFD_NR_*: 2 to 8. */
#define UFFD_RANGE_IOCTLS 0x1fcUL
#define UFFD_ALL_IOCTLS                                                                  \
	(UFFD_RANGE_IOCTLS | 1UL << UFFD_NR_REGISTER | 1UL << UFFD_NR_UNREGISTER |       \
	 1UL << UFFD_NR_API)

/* Registers /dev/userfaultfd. Once, at start-up. */
void userfaultfd_init(void);
/* userfaultfd_ioctl.c */
long userfaultfd_ioctl(struct file *f, unsigned int cmd, uint64_t arg);
