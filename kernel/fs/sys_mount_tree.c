/* SPDX-License-Identifier: MIT */
/* sys_mount_tree.c - open_tree(2), open_tree_attr(2), move_mount(2), mount_setattr(2).
 *
 * Limits against Linux: no idmapped mounts, as there is one user namespace. */
#include "abi/capability.h"
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/mount.h"
#include "abi/sched.h"
#include "abi/statfs.h"
#include "abi/syscall.h"
#include "base/page.h"
#include "fs/dentry.h"
#include "fs/fdtable.h"
#include "fs/file.h"
#include "fs/internal.h"
#include "fs/mount.h"
#include "fs/path.h"
#include "fs/proc/proc.h"
#include "fs/vfs.h"
#include "mm/usercopy.h"
#include "process/creds.h"
#include "process/namespace.h"

#define OPEN_TREE_CLOEXEC O_CLOEXEC
#define ATTR_PLAIN                                                                       \
	(MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC |  \
	 MOUNT_ATTR_NODIRATIME | MOUNT_ATTR_NOSYMFOLLOW)
#define ATTR_VALID (ATTR_PLAIN | MOUNT_ATTR__ATIME | MOUNT_ATTR_IDMAP)
#define MS_ATIME   (MS_NOATIME | MS_STRICTATIME)

static uint32_t plain_flags(uint64_t attr)
{
	uint32_t flags = (uint32_t)attr & (MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID |
					   MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);

	if (attr & MOUNT_ATTR_NODIRATIME)
		flags |= MS_NODIRATIME;
	if (attr & MOUNT_ATTR_NOSYMFOLLOW)
		flags |= MS_NOSYMFOLLOW;
	return flags;
}

static int atime_flags(uint64_t attr, uint32_t *flags)
{
	switch (attr & MOUNT_ATTR__ATIME) {
	case MOUNT_ATTR_RELATIME:
		return 0;
	case MOUNT_ATTR_NOATIME:
		*flags |= MS_NOATIME;
		return 0;
	case MOUNT_ATTR_STRICTATIME:
		*flags |= MS_STRICTATIME;
		return 0;
	default:
		return -EINVAL;
	}
}

int mount_attr_flags(uint32_t attr, uint32_t *flags)
{
	if (attr & ~(uint32_t)(ATTR_PLAIN | MOUNT_ATTR__ATIME))
		return -EINVAL;
	*flags = plain_flags(attr);
	return atime_flags(attr, flags);
}

/* ---- open_tree ---- */

static int tree_file_make(const struct path *p, uint32_t mode, struct file **out)
{
	int err = file_make(p, O_PATH, 0, out);

	if (!err)
		(*out)->mode |= mode;
	return err;
}

/* The file of a tree of its own, which goes with it. Takes over m. */
static int mount_file_make(struct mount *m, struct file **out)
{
	struct path p = {m, m->root};
	int err = tree_file_make(&p, FMODE_OWNS_MOUNT, out);

	if (err)
		mount_dissolve(m);
	mount_put(m);
	return err;
}

static int file_install(struct file *f, bool cloexec)
{
	int fd = fd_install(f, cloexec ? O_CLOEXEC : 0);

	if (fd < 0)
		file_put(f);
	return fd;
}

int mount_file_install(struct mount *m, bool cloexec)
{
	struct file *f = NULL;
	int err = mount_file_make(m, &f);

	return err ? err : file_install(f, cloexec);
}

static int tree_open_at(const struct path *p, uint32_t flags, struct file **out)
{
	struct mount *m = NULL;
	int err;

	if (!(flags & OPEN_TREE_CLONE))
		return tree_file_make(p, 0, out);
	err = mount_clone(p, flags & AT_RECURSIVE, &m);
	return err ? err : mount_file_make(m, out);
}

static int tree_open(int dir, uaddr_t path, uint32_t flags, struct file **out)
{
	uint32_t lookup = flags & AT_SYMLINK_NOFOLLOW ? 0 : LOOKUP_FOLLOW;
	struct path p;
	int err;

	if (flags &
	    ~(uint32_t)(AT_EMPTY_PATH | AT_NO_AUTOMOUNT | AT_RECURSIVE |
			AT_SYMLINK_NOFOLLOW | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC))
		return -EINVAL;
	if ((flags & (AT_RECURSIVE | OPEN_TREE_CLONE)) == AT_RECURSIVE)
		return -EINVAL;
	if ((flags & OPEN_TREE_CLONE) && !capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (flags & AT_EMPTY_PATH)
		lookup |= LOOKUP_EMPTY;
	err = path_lookup_user(dir, path, lookup, &p);
	if (err)
		return err;
	err = tree_open_at(&p, flags, out);
	path_put(&p);
	return err;
}

long sys_open_tree(struct task *t, int dir, uaddr_t path, uint32_t flags)
{
	struct file *f = NULL;
	int err = tree_open(dir, path, flags, &f);

	(void)t;
	return err ? err : file_install(f, flags & OPEN_TREE_CLOEXEC);
}

/* ---- move_mount ---- */

static uint32_t move_lookup(uint32_t flags, uint32_t symlinks, uint32_t empty)
{
	return (flags & symlinks ? LOOKUP_FOLLOW : 0u) |
	       (flags & empty ? LOOKUP_EMPTY : 0u);
}

long sys_move_mount(struct task *t, int from_dir, uaddr_t from, int to_dir, uaddr_t to,
		    unsigned int flags)
{
	struct path source;
	struct path target;
	int err;

	(void)t;
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if ((flags & ~(unsigned int)MOVE_MOUNT_MASK) ||
	    (flags & (MOVE_MOUNT_BENEATH | MOVE_MOUNT_SET_GROUP)) ==
		    (MOVE_MOUNT_BENEATH | MOVE_MOUNT_SET_GROUP))
		return -EINVAL;
	err = path_lookup_user(
		to_dir, to,
		move_lookup(flags, MOVE_MOUNT_T_SYMLINKS, MOVE_MOUNT_T_EMPTY_PATH),
		&target);
	if (err)
		return err;
	err = path_lookup_user(
		from_dir, from,
		move_lookup(flags, MOVE_MOUNT_F_SYMLINKS, MOVE_MOUNT_F_EMPTY_PATH),
		&source);
	if (err)
		goto out_target;
	if (flags & MOVE_MOUNT_SET_GROUP)
		err = mount_set_group(&source, &target);
	else
		err = mount_move(&source, &target, flags & MOVE_MOUNT_BENEATH);
	path_put(&source);
out_target:
	path_put(&target);
	return err;
}

/* ---- mount_setattr ---- */

/* An idmapped mount needs a user namespace that is not the first. */
static int check_idmap(const struct linux_mount_attr *a)
{
	const struct namespace *ns;
	struct fdref ref;
	int err;

	if (!((a->attr_set | a->attr_clr) & MOUNT_ATTR_IDMAP))
		return 0;
	if ((a->attr_clr & MOUNT_ATTR_IDMAP) || a->userns_fd > INT32_MAX)
		return -EINVAL;
	ref = fd_get((int)a->userns_fd);
	if (!ref.file)
		return -EBADF;
	ns = nsfs_namespace(ref.file);
	err = ns && ns->kind == CLONE_NEWUSER ? -EPERM : -EINVAL;
	fd_put(ref);
	return err;
}

static int attr_check(const struct linux_mount_attr *a, uint32_t *set, uint32_t *clear)
{
	uint64_t types = MS_UNBINDABLE | MS_PRIVATE | MS_SLAVE | MS_SHARED;
	int err = 0;

	if ((a->propagation & ~types) || (a->propagation & (a->propagation - 1)) ||
	    ((a->attr_set | a->attr_clr) & ~(uint64_t)ATTR_VALID))
		return -EINVAL;
	*set = plain_flags(a->attr_set);
	*clear = plain_flags(a->attr_clr);
	if (a->attr_clr & MOUNT_ATTR__ATIME) {
		if ((a->attr_clr & MOUNT_ATTR__ATIME) != MOUNT_ATTR__ATIME)
			return -EINVAL;
		*clear |= MS_ATIME;
		err = atime_flags(a->attr_set, set);
	} else if (a->attr_set & MOUNT_ATTR__ATIME) {
		return -EINVAL;
	}
	return err ? err : check_idmap(a);
}

/* What mount_setattr() is to change. */
struct attr_change {
	uint32_t set, clear, propagation;
	bool is_none;
};

static int attr_get(uaddr_t attr, size_t size, struct attr_change *out)
{
	struct linux_mount_attr a = {0};
	int err;

	*out = (struct attr_change){.is_none = true};
	if (size > PAGE_SIZE)
		return -E2BIG;
	if (size < sizeof(a))
		return -EINVAL;
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	err = copy_struct_from_user(&a, sizeof(a), attr, size);
	if (err || (!a.attr_set && !a.attr_clr && !a.propagation))
		return err;
	out->is_none = false;
	out->propagation = (uint32_t)a.propagation;
	return attr_check(&a, &out->set, &out->clear);
}

long sys_mount_setattr(struct task *t, int dir, uaddr_t path, int flags, uaddr_t attr,
		       size_t size)
{
	uint32_t lookup = flags & AT_SYMLINK_NOFOLLOW ? 0 : LOOKUP_FOLLOW;
	struct attr_change c;
	struct path p;
	int err;

	(void)t;
	if (flags &
	    ~(AT_EMPTY_PATH | AT_RECURSIVE | AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT))
		return -EINVAL;
	err = attr_get(attr, size, &c);
	if (err || c.is_none)
		return err;
	if (flags & AT_EMPTY_PATH)
		lookup |= LOOKUP_EMPTY;
	err = path_lookup_user(dir, path, lookup, &p);
	if (err)
		return err;
	err = mount_flags_change(&p, c.set, c.clear, c.propagation, flags & AT_RECURSIVE);
	path_put(&p);
	return err;
}

/* open_tree(2), and mount_setattr(2) before anybody sees it. */
long sys_open_tree_attr(struct task *t, int dir, uaddr_t path, uint32_t flags,
			uaddr_t attr, size_t size)
{
	struct attr_change c = {.is_none = true};
	struct file *f = NULL;
	int err;

	(void)t;
	if (!attr && size)
		return -EINVAL;
	err = tree_open(dir, path, flags, &f);
	if (err)
		return err;
	if (attr)
		err = attr_get(attr, size, &c);
	if (!err && !c.is_none)
		err = mount_flags_change(&f->path, c.set, c.clear, c.propagation,
					 flags & AT_RECURSIVE);
	if (err) {
		file_put(f);
		return err;
	}
	return file_install(f, flags & OPEN_TREE_CLOEXEC);
}
