/* SPDX-License-Identifier: MIT */
/* sys_handle.c - name_to_handle_at and open_by_handle_at. */
#include "abi/capability.h"
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/stat.h"
#include "abi/syscall.h"
#include "fs/context.h"
#include "fs/dentry.h"
#include "fs/fdtable.h"
#include "fs/file.h"
#include "fs/file_handle.h"
#include "fs/internal.h"
#include "fs/mount.h"
#include "fs/path.h"
#include "fs/vfs.h"
#include "mm/usercopy.h"
#include "process/creds.h"
#include "process/task.h"

struct user_handle {
	struct linux_file_handle head;
	struct handle_id id[2];
};

static long encode(const struct path *p, uaddr_t addr, uaddr_t mount_id, int flags)
{
	bool connectable = flags & AT_HANDLE_CONNECTABLE;
	struct user_handle h = {.head.handle_type = 0};
	size_t size = sizeof(struct handle_id);
	uint32_t room;
	int err;

	if (!handle_can_decode(p) && !(flags & AT_HANDLE_FID))
		return -EOPNOTSUPP;
	if (copy_from_user(&h.head, addr, sizeof(h.head)))
		return -EFAULT;
	room = h.head.handle_bytes;
	if (room > MAX_HANDLE_SZ)
		return -EINVAL;
	h.head.handle_type = HANDLE_TYPE;
	h.id[0] = handle_encode(p, false);
	if (connectable && !S_ISDIR(path_inode(p)->mode)) {
		h.head.handle_type = HANDLE_TYPE_PARENT;
		h.id[1] = handle_encode(p, true);
		size += sizeof(struct handle_id);
	}
	if (connectable)
		h.head.handle_type |=
			HANDLE_CONNECTABLE |
			(S_ISDIR(path_inode(p)->mode) ? HANDLE_DIRECTORY : 0);
	h.head.handle_bytes = (uint32_t)size;
	if (flags & AT_HANDLE_MNT_ID_UNIQUE)
		err = put_user_u64(mount_id, (uint64_t)p->mount->id);
	else
		err = put_user_u32(mount_id, (uint32_t)p->mount->id);
	if (!err)
		err = copy_to_user(addr, &h, sizeof(h.head) + (size > room ? 0 : size));
	if (err)
		return -EFAULT;
	return size > room ? -EOVERFLOW : 0;
}

long sys_name_to_handle_at(struct task *t, int dir, uaddr_t name, uaddr_t handle,
			   uaddr_t mount_id, int flags)
{
	const int known = AT_SYMLINK_FOLLOW | AT_EMPTY_PATH | AT_HANDLE_FID |
			  AT_HANDLE_MNT_ID_UNIQUE | AT_HANDLE_CONNECTABLE;
	uint32_t lookup = flags & AT_SYMLINK_FOLLOW ? LOOKUP_FOLLOW : 0;
	struct path p;
	long result;

	(void)t;
	if ((flags & ~known) ||
	    ((flags & AT_HANDLE_FID) && (flags & AT_HANDLE_CONNECTABLE)))
		return -EINVAL;
	if (flags & AT_EMPTY_PATH)
		lookup |= LOOKUP_EMPTY;
	result = path_lookup_user(dir, name, lookup, &p);
	if (result)
		return result;
	result = encode(&p, handle, mount_id, flags);
	path_put(&p);
	return result;
}

/* The place whose file system is meant. */
static int base_get(int fd, struct path *out)
{
	struct fdref ref;

	if (fd == AT_FDCWD) {
		fs_context_cwd(current()->fs, out);
		return 0;
	}
	ref = fd_get_any(fd);
	if (!ref.file)
		return -EBADF;
	*out = ref.file->path;
	path_get(out);
	fd_put(ref);
	return 0;
}

/* The handle at addr, whose head has been read. */
static int id_get(struct user_handle *h, uaddr_t addr)
{
	uint32_t type = (uint32_t)h->head.handle_type & ~HANDLE_FLAGS;
	size_t size = type == HANDLE_TYPE_PARENT ? sizeof(h->id) : sizeof(h->id[0]);
	unsigned char all[MAX_HANDLE_SZ];

	if (copy_from_user(all, addr + sizeof(h->head), h->head.handle_bytes))
		return -EFAULT;
	if ((type != HANDLE_TYPE && type != HANDLE_TYPE_PARENT) ||
	    h->head.handle_bytes < size)
		return -ESTALE;
	__builtin_memcpy(h->id, all, size);
	return 0;
}

static int find(const struct path *base, uaddr_t addr, struct user_handle *h,
		struct path *out)
{
	int err;

	if (!capable(CAP_DAC_READ_SEARCH))
		return -EPERM;
	err = id_get(h, addr);
	if (!err)
		err = handle_decode(base, &h->id[0], out);
	return err;
}

static int open_place(const struct path *p, uint32_t flags)
{
	struct file *f;
	int fd = fd_reserve(flags);
	int err;

	if (fd < 0)
		return fd;
	err = file_open_path(p, flags, &f);
	if (err) {
		fd_unreserve(fd);
		return err;
	}
	fd_fill(fd, f);
	return fd;
}

long sys_open_by_handle_at(struct task *t, int mount, uaddr_t handle, int flags)
{
	const uint32_t user_flags = HANDLE_CONNECTABLE | HANDLE_DIRECTORY;
	struct user_handle h;
	uint32_t open_flags = (uint32_t)flags;
	struct path base;
	struct path p;
	long result;

	(void)t;
	if (copy_from_user(&h.head, handle, sizeof(h.head)))
		return -EFAULT;
	if (!h.head.handle_bytes || h.head.handle_bytes > MAX_HANDLE_SZ)
		return -EINVAL;
	if (h.head.handle_type < 0 ||
	    ((uint32_t)h.head.handle_type & HANDLE_FLAGS & ~user_flags))
		return -EINVAL;
	result = base_get(mount, &base);
	if (result)
		return result;
	result = find(&base, handle, &h, &p);
	path_put(&base);
	if (result)
		return result;
	result = open_flags_check(&open_flags);
	if (!result)
		result = open_place(&p, open_flags);
	path_put(&p);
	return result;
}
