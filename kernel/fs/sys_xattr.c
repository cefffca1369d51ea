/* SPDX-License-Identifier: MIT */
/* sys_xattr.c - the calls of extended attributes: four deeds, by name, link's name,
 * descriptor and directory. As on Linux, the arguments are read before the place is
 * looked for. */
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/syscall.h"
#include "abi/xattr.h"
#include "base/page.h"
#include "base/slab.h"
#include "fs/fdtable.h"
#include "fs/file.h"
#include "fs/internal.h"
#include "fs/path.h"
#include "fs/xattr.h"
#include "mm/usercopy.h"

/* Where the attribute is. */
struct place {
	int dfd;
	uaddr_t path; /* 0 with is_fd */
	int flags;    /* AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH */
	bool is_fd;   /* dfd itself, which must not be an O_PATH one */
};

#define BY_NAME(p) (&(struct place){AT_FDCWD, p, 0, false})
#define BY_LINK(p) (&(struct place){AT_FDCWD, p, AT_SYMLINK_NOFOLLOW, false})
#define BY_FD(fd)  (&(struct place){fd, 0, 0, true})

static int find_fd(int fd, struct path *p)
{
	struct fdref ref = fd_get(fd);

	if (!ref.file)
		return -EBADF;
	*p = ref.file->path;
	path_get(p);
	fd_put(ref);
	return 0;
}

static int find(const struct place *where, struct path *p)
{
	uint32_t lookup = where->flags & AT_SYMLINK_NOFOLLOW ? 0 : LOOKUP_FOLLOW;
	struct path_name n;
	int err;

	if (where->is_fd)
		return find_fd(where->dfd, p);
	if (where->flags & AT_EMPTY_PATH) {
		lookup |= LOOKUP_EMPTY;
		if (!where->path)
			return where->dfd == AT_FDCWD
				       ? path_lookup(AT_FDCWD, "", lookup, p)
				       : find_fd(where->dfd, p);
	}
	err = path_name_get(&n, where->path, where->flags & AT_EMPTY_PATH);
	if (err)
		return err;
	if (!n.str[0] && where->dfd != AT_FDCWD)
		err = find_fd(where->dfd, p);
	else
		err = path_lookup(where->dfd, n.str, lookup, p);
	path_name_put(&n);
	return err;
}

/* Does fn to what is found, again if meanwhile something else has come to its place. */
static long apply(const struct place *where, long (*fn)(const struct path *p, void *arg),
		  void *arg)
{
	struct path p;
	long result;
	int tries = 0;
	int err;

	do {
		result = find(where, &p);
		if (!result) {
			result = fn(&p, arg);
			path_put(&p);
		}
		err = (int)MIN(result, 0);
	} while (walk_again(&err, &tries));
	return result < 0 ? err : result;
}

/* An attribute on its way. */
struct deed {
	const char *name; /* or NULL: list them */
	void *buf;
	size_t size;
	int flags;
};

static long do_set(const struct path *p, void *arg)
{
	const struct deed *d = arg;

	return vfs_setxattr(p, d->name, d->buf, d->size, d->flags);
}

static long do_get(const struct path *p, void *arg)
{
	struct deed *d = arg;

	if (!d->buf && d->size) {
		d->buf = kmalloc(d->size);
		if (!d->buf)
			return -ENOMEM;
	}
	return d->name ? vfs_getxattr(p, d->name, d->buf, d->size)
		       : vfs_listxattr(p, d->buf, d->size);
}

static long do_remove(const struct path *p, void *arg)
{
	return vfs_removexattr(p, ((const struct deed *)arg)->name);
}

static int name_get(char name[static XATTR_NAME_MAX + 1], uaddr_t from)
{
	long len = strncpy_from_user(name, from, XATTR_NAME_MAX + 1);

	if (len == -ENAMETOOLONG || len == 0)
		return -ERANGE;
	return len < 0 ? (int)len : 0;
}

static long set(const struct place *where, uaddr_t name_addr, uaddr_t value, size_t size,
		int flags)
{
	char name[XATTR_NAME_MAX + 1];
	struct deed deed = {.name = name, .size = size, .flags = flags};
	long err;

	if (flags & ~(XATTR_CREATE | XATTR_REPLACE))
		return -EINVAL;
	err = name_get(name, name_addr);
	if (err)
		return err;
	if (size > XATTR_SIZE_MAX)
		return -E2BIG;
	deed.buf = kmalloc(MAX(size, (size_t)1));
	if (!deed.buf)
		return -ENOMEM;
	err = copy_from_user(deed.buf, value, size);
	if (!err)
		err = apply(where, do_set, &deed);
	kfree(deed.buf);
	return err;
}

static long get(const struct place *where, uaddr_t name_addr, uaddr_t value, size_t size)
{
	char name[XATTR_NAME_MAX + 1];
	struct deed deed = {.name = name, .size = MIN(size, (size_t)XATTR_SIZE_MAX)};
	long result = name_get(name, name_addr);

	if (!result)
		result = apply(where, do_get, &deed);
	if (result > 0 && deed.size && copy_to_user(value, deed.buf, (size_t)result))
		result = -EFAULT;
	kfree(deed.buf);
	return result;
}

static long list(const struct place *where, uaddr_t out, size_t size)
{
	struct deed deed = {.size = XATTR_LIST_MAX};
	long len = apply(where, do_get, &deed);

	if (len == -ERANGE)
		len = -E2BIG;
	if (len > 0 && size) {
		if ((size_t)len > size)
			len = -ERANGE;
		else if (copy_to_user(out, deed.buf, (size_t)len))
			len = -EFAULT;
	}
	kfree(deed.buf);
	return len;
}

static long drop(const struct place *where, uaddr_t name_addr)
{
	char name[XATTR_NAME_MAX + 1];
	struct deed deed = {.name = name};
	int err = name_get(name, name_addr);

	return err ? err : apply(where, do_remove, &deed);
}

long sys_setxattr(struct task *t, uaddr_t path, uaddr_t name, uaddr_t value, size_t size,
		  int flags)
{
	(void)t;
	return set(BY_NAME(path), name, value, size, flags);
}

long sys_lsetxattr(struct task *t, uaddr_t path, uaddr_t name, uaddr_t value, size_t size,
		   int flags)
{
	(void)t;
	return set(BY_LINK(path), name, value, size, flags);
}

long sys_fsetxattr(struct task *t, int fd, uaddr_t name, uaddr_t value, size_t size,
		   int flags)
{
	(void)t;
	return set(BY_FD(fd), name, value, size, flags);
}

long sys_getxattr(struct task *t, uaddr_t path, uaddr_t name, uaddr_t value, size_t size)
{
	(void)t;
	return get(BY_NAME(path), name, value, size);
}

long sys_lgetxattr(struct task *t, uaddr_t path, uaddr_t name, uaddr_t value, size_t size)
{
	(void)t;
	return get(BY_LINK(path), name, value, size);
}

long sys_fgetxattr(struct task *t, int fd, uaddr_t name, uaddr_t value, size_t size)
{
	(void)t;
	return get(BY_FD(fd), name, value, size);
}

long sys_listxattr(struct task *t, uaddr_t path, uaddr_t out, size_t size)
{
	(void)t;
	return list(BY_NAME(path), out, size);
}

long sys_llistxattr(struct task *t, uaddr_t path, uaddr_t out, size_t size)
{
	(void)t;
	return list(BY_LINK(path), out, size);
}

long sys_flistxattr(struct task *t, int fd, uaddr_t out, size_t size)
{
	(void)t;
	return list(BY_FD(fd), out, size);
}

long sys_removexattr(struct task *t, uaddr_t path, uaddr_t name)
{
	(void)t;
	return drop(BY_NAME(path), name);
}

long sys_lremovexattr(struct task *t, uaddr_t path, uaddr_t name)
{
	(void)t;
	return drop(BY_LINK(path), name);
}

long sys_fremovexattr(struct task *t, int fd, uaddr_t name)
{
	(void)t;
	return drop(BY_FD(fd), name);
}

/* ---- relative to a directory ---- */

static bool are_place_flags(unsigned int flags)
{
	return !(flags & ~(unsigned int)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH));
}

/* struct xattr_args may be longer one day: what we do not know must be zero. */
static int args_get(struct linux_xattr_args *args, uaddr_t addr, size_t size)
{
	int err;

	if (size < sizeof(*args))
		return -EINVAL;
	if (size > PAGE_SIZE)
		return -E2BIG;
	err = copy_from_user(args, addr, sizeof(*args));
	for (size_t at = sizeof(*args); !err && at < size; at++) {
		uint8_t byte;

		err = copy_from_user(&byte, addr + at, 1);
		if (!err && byte)
			err = -E2BIG;
	}
	return err;
}

long sys_setxattrat(struct task *t, int dfd, uaddr_t path, int at_flags, uaddr_t name,
		    uaddr_t args_addr, size_t args_size)
{
	struct place where = {dfd, path, at_flags, false};
	struct linux_xattr_args args;
	int err = args_get(&args, args_addr, args_size);

	(void)t;
	if (err)
		return err;
	if (!are_place_flags((unsigned int)at_flags))
		return -EINVAL;
	return set(&where, name, args.value, args.size, (int)args.flags);
}

long sys_getxattrat(struct task *t, int dfd, uaddr_t path, int at_flags, uaddr_t name,
		    uaddr_t args_addr, size_t args_size)
{
	struct place where = {dfd, path, at_flags, false};
	struct linux_xattr_args args;
	int err = args_get(&args, args_addr, args_size);

	(void)t;
	if (err)
		return err;
	if (args.flags || !are_place_flags((unsigned int)at_flags))
		return -EINVAL;
	return get(&where, name, args.value, args.size);
}

long sys_listxattrat(struct task *t, int dfd, uaddr_t path, int at_flags, uaddr_t out,
		     size_t size)
{
	struct place where = {dfd, path, at_flags, false};

	(void)t;
	return are_place_flags((unsigned int)at_flags) ? list(&where, out, size)
						       : -EINVAL;
}

long sys_removexattrat(struct task *t, int dfd, uaddr_t path, int at_flags, uaddr_t name)
{
	struct place where = {dfd, path, at_flags, false};

	(void)t;
	return are_place_flags((unsigned int)at_flags) ? drop(&where, name) : -EINVAL;
}
