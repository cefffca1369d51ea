/* SPDX-License-Identifier: MIT */
/* init.c - starts the VFS. */
#include "fs/init.h"

#include "fs/dentry.h"
#include "fs/internal.h"
#include "fs/tmpfs/tmpfs.h"

int vfs_init(void)
{
	int err;

	dentry_cache_init();
	err = mount_init();
	if (!err)
		err = anon_init();
	tmpfs_init();
	return err;
}
