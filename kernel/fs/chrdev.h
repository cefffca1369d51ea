/* SPDX-License-Identifier: MIT */
/* chrdev.h - character devices by number: what opening a device node leads to. */
#pragma once
#include "abi/types.h"

struct file_ops;

/* Numbers of devices that lie outside of fs/dev. */
enum { MISC_MAJOR = 10, MISC_USERFAULTFD = 126 };

struct chrdev {
	uint32_t major;
	uint32_t minor; /* first */
	uint32_t minor_count;
	const char *name; /* /proc/devices */
	/* ops->open may replace file->ops and set private. */
	const struct file_ops *ops;
	struct chrdev *next;
};

/* For static descriptions, at start-up. */
void chrdev_register(struct chrdev *c);
/* rdev as in struct inode. NULL: opening fails with -ENXIO. */
struct chrdev *chrdev_find(uint64_t rdev);
/* Walks all of them; NULL starts. */
struct chrdev *chrdev_next(struct chrdev *c);
