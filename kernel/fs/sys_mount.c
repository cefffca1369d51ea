/* SPDX-License-Identifier: MIT */
/* sys_mount.c - mount and umount2, for a guest with CAP_SYS_ADMIN.
 *
 * Limits against Linux: propagation types are accepted and have no effect: there is one
 * mount tree. */
#include "abi/capability.h"
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/statfs.h"
#include "abi/syscall.h"
#include "base/page.h"
#include "base/slab.h"
#include "fs/dentry.h"
#include "fs/mount.h"
#include "fs/path.h"
#include "fs/vfs.h"
#include "lib/atomic.h"
#include "mm/usercopy.h"
#include "process/creds.h"

#define MS_PROPAGATION (MS_SHARED | MS_PRIVATE | MS_SLAVE | MS_UNBINDABLE)
#define MS_KEPT                                                                          \
	(MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME | MS_NODIRATIME |     \
	 MS_RELATIME | MS_STRICTATIME | MS_NOSYMFOLLOW)

/* The options: a string in at most a page, or none. NULL: no memory or a fault. */
static char *options_get(uaddr_t data)
{
	char *page = page_alloc_zeroed(0);
	long len = 0;

	if (page && data)
		len = strncpy_from_user(page, data, PAGE_SIZE);
	if (len == -ENAMETOOLONG) {
		page[PAGE_SIZE - 1] = '\0';
		len = 0;
	}
	if (len < 0) {
		page_free(page, 0);
		return NULL;
	}
	return page;
}

static int remount(const struct path *at, uint32_t flags, const char *options)
{
	struct superblock *sb = at->mount->sb;
	int err = 0;

	if (at->dentry != at->mount->root)
		return -EINVAL;
	if (!(flags & MS_BIND) && sb->ops && sb->ops->remount)
		err = sb->ops->remount(sb, options);
	if (!err)
		atomic_store(&at->mount->flags, flags & MS_KEPT);
	return err;
}

static int bind(uaddr_t source, const struct path *at, uint32_t flags)
{
	struct path from;
	int err = path_lookup_user(AT_FDCWD, source, LOOKUP_FOLLOW, &from);

	if (err)
		return err;
	err = mount_bind(&from, at, flags);
	path_put(&from);
	return err;
}

static int move(uaddr_t source, const struct path *at)
{
	struct path from;
	int err = path_lookup_user(AT_FDCWD, source, LOOKUP_FOLLOW, &from);

	if (err)
		return err;
	err = mount_move(&from, at);
	path_put(&from);
	return err;
}

static int mount_new(uaddr_t source, const struct path *at, uaddr_t type, uint32_t flags,
		     const char *options)
{
	struct path_name name = {.str = name.inside};
	char type_name[64];
	long len = strncpy_from_user(type_name, type, sizeof(type_name));
	int err;

	if (len < 0)
		return len == -ENAMETOOLONG ? -ENODEV : (int)len;
	name.inside[0] = '\0';
	if (source) {
		err = path_name_get(&name, source, true);
		if (err)
			return err;
	}
	err = mount_attach_new(type_name, source ? name.str : NULL, at, options, NULL,
			       flags & MS_KEPT);
	path_name_put(&name);
	return err;
}

long sys_mount(struct task *t, uaddr_t source, uaddr_t target, uaddr_t type,
	       uint64_t flags64, uaddr_t data)
{
	uint32_t flags = (uint32_t)flags64;
	struct path at;
	char *options;
	int err;

	(void)t;
	if ((flags & 0xffff0000U) == 0xc0ed0000U) /* a magic number of old */
		flags &= 0xffff;
	options = options_get(data);
	if (!options)
		return -EFAULT;
	err = path_lookup_user(AT_FDCWD, target, LOOKUP_FOLLOW, &at);
	if (err)
		goto out_options;
	if (!capable(CAP_SYS_ADMIN))
		err = -EPERM;
	else if (flags & MS_REMOUNT)
		err = remount(&at, flags, options);
	else if (flags & MS_BIND)
		err = bind(source, &at, flags);
	else if (flags & MS_PROPAGATION)
		err = at.dentry == at.mount->root ? 0 : -EINVAL;
	else if (flags & MS_MOVE)
		err = move(source, &at);
	else
		err = mount_new(source, &at, type, flags, options);
	path_put(&at);
out_options:
	page_free(options, 0);
	return err;
}

long sys_umount2(struct task *t, uaddr_t target, int flags)
{
	uint32_t lookup = flags & UMOUNT_NOFOLLOW ? 0 : LOOKUP_FOLLOW;
	struct path at;
	int err;

	(void)t;
	if (flags & ~(MNT_FORCE | MNT_DETACH | MNT_EXPIRE | UMOUNT_NOFOLLOW))
		return -EINVAL;
	err = path_lookup_user(AT_FDCWD, target, lookup, &at);
	if (err)
		return err;
	if (!capable(CAP_SYS_ADMIN))
		err = -EPERM;
	else
		err = mount_detach(&at, flags);
	path_put(&at);
	return err;
}
