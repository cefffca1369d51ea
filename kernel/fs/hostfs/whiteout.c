/* SPDX-License-Identifier: MIT */
/* whiteout.c - whiteouts in directories of the host: character devices 0:0, the only ones
 * that need no privilege. The filter lets no device be made; but renaming leaves one. */
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "fs/hostfs/internal.h"
#include "host/host.h"
#include "lib/printf.h"

/* A file is made under the name and at once moved away, to where it is removed. Inside,
 * dir_lock hides it; other programs of the host may see it for a moment. */
int host_whiteout_make(int dir, const char *name)
{
	char away[48];
	uint64_t number = 0;
	int fd;
	int err;

	if (host_getrandom(&number, sizeof(number)) != sizeof(number))
		return -EAGAIN;
	(void)snprintf(away, sizeof(away), ".carbyne-whiteout-%016lx",
		       (unsigned long)number);
	fd = hostfs_openat(dir, name, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW, 0600);
	if (fd < 0)
		return fd;
	(void)host_close(fd);
	err = host_renameat2(dir, name, dir, away, RENAME_WHITEOUT | RENAME_NOREPLACE);
	(void)host_unlinkat(dir, err ? name : away, 0);
	return err == -EINVAL ? -EPERM : err; /* the host's file system has none */
}
