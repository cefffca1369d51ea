/* SPDX-License-Identifier: MIT */
/* fdinfo.c - parts of the lines of /proc/PID/fdinfo. */
#include "event/fdinfo.h"

#include "fs/file_handle.h"
#include "fs/vfs.h"
#include "lib/printf.h"
#include "lib/string.h"

uint32_t fdinfo_device(const struct superblock *sb)
{
	uint64_t dev = sb->dev;

	return (uint32_t)(LINUX_MAJOR(dev) << 20 | LINUX_MINOR(dev));
}

size_t fdinfo_handle(char *buf, size_t size, const struct inode *inode)
{
	struct handle_id id = handle_of_inode(inode);
	unsigned char bytes[sizeof(id)];
	size_t len = scnprintf(buf, size, "fhandle-bytes:%x fhandle-type:%x f_handle:",
			       (unsigned)sizeof(id), HANDLE_TYPE);

	memcpy(bytes, &id, sizeof(id));
	for (size_t i = 0; i < sizeof(bytes); i++)
		len += scnprintf(buf + len, size - len, "%02x", bytes[i]);
	return len;
}
