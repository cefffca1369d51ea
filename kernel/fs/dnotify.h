/* SPDX-License-Identifier: MIT */
/* dnotify.h - F_NOTIFY: signals about a directory (fcntl(2)). */
#pragma once
#include "abi/types.h"
#include "fs/notify.h"

struct fdtable;
struct file;

/* fcntl(fd, F_NOTIFY, arg) of a process with the table fds. -ENOTDIR, -EINVAL (switched
 * off), -ENOMEM. */
int dnotify_set(struct file *f, int fd, const struct fdtable *fds,
		uint32_t arg) MUST_CHECK;
void dnotify_drop(struct file *f, const struct fdtable *fds);
extern int dnotify_enabled; /* atomic: /proc/sys/fs/dir-notify-enable */

/* A descriptor of f in fds is closed; fds NULL: the file itself. */
static inline void dnotify_closed(struct file *f, struct inode *inode,
				  const struct fdtable *fds)
{
	if (unlikely(__atomic_load_n(&inode->marks.first, __ATOMIC_RELAXED) != NULL))
		dnotify_drop(f, fds);
}
