/* SPDX-License-Identifier: MIT */
/* sys_xattr.c - the twelve calls of extended attributes: four deeds, by name, link's name
 * and descriptor. */
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/syscall.h"
#include "abi/xattr.h"
#include "base/slab.h"
#include "fs/fdtable.h"
#include "fs/file.h"
#include "fs/path.h"
#include "fs/xattr.h"
#include "mm/usercopy.h"

/* Where the attribute is: a path, or a descriptor's file. */
static int place_by_name(uaddr_t path, bool follow, struct path *p)
{
	return path_lookup_user(AT_FDCWD, path, follow ? LOOKUP_FOLLOW : 0, p);
}

static int place_by_fd(int fd, struct path *p)
{
	struct fdref ref = fd_get(fd);

	if (!ref.file)
		return -EBADF;
	*p = ref.file->path;
	path_get(p);
	fd_put(ref);
	return 0;
}

static int name_get(char name[static XATTR_NAME_MAX + 1], uaddr_t from)
{
	long len = strncpy_from_user(name, from, XATTR_NAME_MAX + 1);

	if (len == -ENAMETOOLONG || len == 0)
		return -ERANGE;
	return len < 0 ? (int)len : 0;
}

/* All take over p's references. */
static long set(const struct path *p, uaddr_t name_addr, uaddr_t value, size_t size,
		int flags)
{
	char name[XATTR_NAME_MAX + 1];
	char *buf = NULL;
	long err;

	if (flags & ~(XATTR_CREATE | XATTR_REPLACE)) {
		err = -EINVAL;
		goto out;
	}
	err = name_get(name, name_addr);
	if (!err && size > XATTR_SIZE_MAX)
		err = -E2BIG;
	if (err)
		goto out;
	buf = kmalloc(MAX(size, (size_t)1));
	err = buf ? copy_from_user(buf, value, size) : -ENOMEM;
	if (!err)
		err = vfs_setxattr(p, name, buf, size, flags);
	kfree(buf);
out:
	path_put(p);
	return err;
}

static long get(const struct path *p, uaddr_t name_addr, uaddr_t value, size_t size)
{
	char name[XATTR_NAME_MAX + 1];
	size_t room = MIN(size, (size_t)XATTR_SIZE_MAX);
	char *buf = NULL;
	long result = name_get(name, name_addr);

	if (!result && room) {
		buf = kmalloc(room);
		if (!buf)
			result = -ENOMEM;
	}
	if (!result)
		result = vfs_getxattr(p, name, buf, room);
	if (result > 0 && room && copy_to_user(value, buf, (size_t)result))
		result = -EFAULT;
	kfree(buf);
	path_put(p);
	return result;
}

static long list(const struct path *p, uaddr_t out, size_t size)
{
	char *buf = kmalloc(XATTR_LIST_MAX);
	long len;

	if (!buf) {
		path_put(p);
		return -ENOMEM;
	}
	len = vfs_listxattr(p, buf, XATTR_LIST_MAX);
	if (len == -ERANGE)
		len = -E2BIG;
	if (len > 0 && size) {
		if ((size_t)len > size)
			len = -ERANGE;
		else if (copy_to_user(out, buf, (size_t)len))
			len = -EFAULT;
	}
	kfree(buf);
	path_put(p);
	return len;
}

static long drop(const struct path *p, uaddr_t name_addr)
{
	char name[XATTR_NAME_MAX + 1];
	int err = name_get(name, name_addr);

	if (!err)
		err = vfs_removexattr(p, name);
	path_put(p);
	return err;
}

long sys_setxattr(struct task *t, uaddr_t path, uaddr_t name, uaddr_t value, size_t size,
		  int flags)
{
	struct path p;
	int err = place_by_name(path, true, &p);

	(void)t;
	return err ? err : set(&p, name, value, size, flags);
}

long sys_lsetxattr(struct task *t, uaddr_t path, uaddr_t name, uaddr_t value, size_t size,
		   int flags)
{
	struct path p;
	int err = place_by_name(path, false, &p);

	(void)t;
	return err ? err : set(&p, name, value, size, flags);
}

long sys_fsetxattr(struct task *t, int fd, uaddr_t name, uaddr_t value, size_t size,
		   int flags)
{
	struct path p;
	int err = place_by_fd(fd, &p);

	(void)t;
	return err ? err : set(&p, name, value, size, flags);
}

long sys_getxattr(struct task *t, uaddr_t path, uaddr_t name, uaddr_t value, size_t size)
{
	struct path p;
	int err = place_by_name(path, true, &p);

	(void)t;
	return err ? err : get(&p, name, value, size);
}

long sys_lgetxattr(struct task *t, uaddr_t path, uaddr_t name, uaddr_t value, size_t size)
{
	struct path p;
	int err = place_by_name(path, false, &p);

	(void)t;
	return err ? err : get(&p, name, value, size);
}

long sys_fgetxattr(struct task *t, int fd, uaddr_t name, uaddr_t value, size_t size)
{
	struct path p;
	int err = place_by_fd(fd, &p);

	(void)t;
	return err ? err : get(&p, name, value, size);
}

long sys_listxattr(struct task *t, uaddr_t path, uaddr_t out, size_t size)
{
	struct path p;
	int err = place_by_name(path, true, &p);

	(void)t;
	return err ? err : list(&p, out, size);
}

long sys_llistxattr(struct task *t, uaddr_t path, uaddr_t out, size_t size)
{
	struct path p;
	int err = place_by_name(path, false, &p);

	(void)t;
	return err ? err : list(&p, out, size);
}

long sys_flistxattr(struct task *t, int fd, uaddr_t out, size_t size)
{
	struct path p;
	int err = place_by_fd(fd, &p);

	(void)t;
	return err ? err : list(&p, out, size);
}

long sys_removexattr(struct task *t, uaddr_t path, uaddr_t name)
{
	struct path p;
	int err = place_by_name(path, true, &p);

	(void)t;
	return err ? err : drop(&p, name);
}

long sys_lremovexattr(struct task *t, uaddr_t path, uaddr_t name)
{
	struct path p;
	int err = place_by_name(path, false, &p);

	(void)t;
	return err ? err : drop(&p, name);
}

long sys_fremovexattr(struct task *t, int fd, uaddr_t name)
{
	struct path p;
	int err = place_by_fd(fd, &p);

	(void)t;
	return err ? err : drop(&p, name);
}
