/* SPDX-License-Identifier: MIT */
/* sys_mount.c - mount, umount2 and pivot_root, for a guest with CAP_SYS_ADMIN. Nothing
 * here asks the host: what can be mounted is what the sandbox has. */
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
#define MS_ATIME       (MS_NOATIME | MS_NODIRATIME | MS_RELATIME | MS_STRICTATIME)
#define MS_KEPT                                                                          \
	(MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME | MS_NODIRATIME |     \
	 MS_STRICTATIME | MS_NOSYMFOLLOW)

/* What bind and move begin with: "" is no source. */
static int source_lookup(const char *source, struct path *out)
{
	return source[0] ? path_lookup(AT_FDCWD, source, LOOKUP_FOLLOW, out) : -EINVAL;
}

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

/* The flags of a mount as it keeps them: relatime when it is neither of the others. */
static uint32_t flags_kept(uint32_t flags)
{
	if (flags & MS_STRICTATIME)
		flags &= ~(uint32_t)MS_NOATIME;
	return flags & MS_KEPT;
}

static int flags_replace(const struct path *at, uint32_t flags)
{
	uint32_t clear = MS_KEPT;

	if (!(flags & MS_ATIME)) /* as it was */
		clear &= ~(uint32_t)MS_ATIME;
	return mount_flags_change(at, flags_kept(flags), clear, 0, false);
}

static int remount(const struct path *at, uint32_t flags, const char *options)
{
	struct superblock *sb = at->mount->sb;
	int err = 0;

	if (at->dentry != at->mount->root || at->mount->home == MOUNT_NOWHERE)
		return -EINVAL;
	if (flags & MS_BIND)
		return flags_replace(at, flags);
	if (sb->ops && sb->ops->remount)
		err = sb->ops->remount(sb, options);
	if (!err)
		err = sb_set_read_only(sb, flags & MS_RDONLY);
	return err ? err : flags_replace(at, flags);
}

static int bind(const char *source, const struct path *at, uint32_t flags)
{
	struct path from;
	int err = source_lookup(source, &from);

	if (err)
		return err;
	err = mount_bind(&from, at, flags & MS_REC);
	path_put(&from);
	return err;
}

static int move(const char *source, const struct path *at)
{
	struct path from;
	int err = source_lookup(source, &from);

	if (err)
		return err;
	err = mount_move(&from, at, false);
	path_put(&from);
	return err;
}

/* One propagation type, of a mount. */
static int propagate(const struct path *at, uint32_t flags)
{
	uint32_t type = flags & ~(uint32_t)(MS_REC | MS_SILENT);

	if ((type & ~(uint32_t)MS_PROPAGATION) || (type & (type - 1)))
		return -EINVAL;
	return mount_propagation_set(at, type, flags & MS_REC);
}

/* What a call asks for, brought in from the guest. */
struct request {
	struct path_name source; /* "" when there is none */
	char type[64];
	bool has_type;
	char *options;
};

static int request_get(struct request *r, uaddr_t source, uaddr_t type, uaddr_t data)
{
	long len = 0;
	int err;

	r->has_type = type != 0;
	if (type)
		len = strncpy_from_user(r->type, type, sizeof(r->type));
	if (len == -ENAMETOOLONG)
		r->type[0] = '\0'; /* no kind has such a name */
	else if (len < 0)
		return (int)len;
	r->source.str = r->source.inside;
	r->source.inside[0] = '\0';
	if (source) {
		err = path_name_get(&r->source, source, true);
		if (err)
			return err == -ENAMETOOLONG ? -EINVAL : err;
	}
	r->options = options_get(data);
	if (r->options)
		return 0;
	path_name_put(&r->source);
	return -EFAULT;
}

static int mount_at(const struct request *r, const struct path *at, uint32_t flags)
{
	if (flags & MS_NOUSER)
		return -EINVAL;
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (flags & MS_REMOUNT)
		return remount(at, flags, r->options);
	if (flags & MS_BIND)
		return bind(r->source.str, at, flags);
	if (flags & MS_PROPAGATION)
		return propagate(at, flags);
	if (flags & MS_MOVE)
		return move(r->source.str, at);
	if (!r->has_type)
		return -EINVAL;
	return mount_attach_new(r->type, r->source.str[0] ? r->source.str : NULL, at,
				r->options, NULL, flags_kept(flags));
}

long sys_mount(struct task *t, uaddr_t source, uaddr_t target, uaddr_t type,
	       uint64_t flags64, uaddr_t data)
{
	uint32_t flags = (uint32_t)flags64;
	struct request r;
	struct path at;
	int err = request_get(&r, source, type, data);

	(void)t;
	if (err)
		return err;
	if ((flags & 0xffff0000U) == 0xc0ed0000U) /* a magic number of old */
		flags &= 0xffff;
	err = path_lookup_user(AT_FDCWD, target, LOOKUP_FOLLOW, &at);
	if (err)
		goto out_request;
	err = mount_at(&r, &at, flags);
	path_put(&at);
out_request:
	page_free(r.options, 0);
	path_name_put(&r.source);
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
	err = capable(CAP_SYS_ADMIN) ? mount_detach(&at, flags) : -EPERM;
	dentry_put(at.dentry);
	mount_put_no_use(at.mount);
	return err;
}

long sys_pivot_root(struct task *t, uaddr_t new_root, uaddr_t put_old)
{
	struct path new;
	struct path old;
	int err;

	(void)t;
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	err = path_lookup_user(AT_FDCWD, new_root, LOOKUP_FOLLOW | LOOKUP_DIRECTORY,
			       &new);
	if (err)
		return err;
	err = path_lookup_user(AT_FDCWD, put_old, LOOKUP_FOLLOW | LOOKUP_DIRECTORY, &old);
	if (!err) {
		err = mount_pivot(&new, &old);
		path_put(&old);
	}
	path_put(&new);
	return err;
}
