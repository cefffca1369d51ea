/* SPDX-License-Identifier: MIT */
/* chrdev.c - character devices by number. */
#include "fs/chrdev.h"

#include "abi/stat.h"

static struct chrdev *devices; /* written at start-up only */

void chrdev_register(struct chrdev *c)
{
	struct chrdev **link = &devices;

	while (*link)
		link = &(*link)->next;
	c->next = NULL;
	*link = c;
}

struct chrdev *chrdev_find(uint64_t rdev)
{
	uint32_t major = LINUX_MAJOR(rdev);
	uint32_t minor = LINUX_MINOR(rdev);

	for (struct chrdev *c = devices; c; c = c->next)
		if (c->major == major && minor >= c->minor &&
		    minor - c->minor < c->minor_count)
			return c;
	return NULL;
}

struct chrdev *chrdev_next(struct chrdev *c)
{
	return c ? c->next : devices;
}
