/* SPDX-License-Identifier: MIT */
/* sys_dir.c - getdents, mkdir, rmdir, the working directory, chroot, umask. */
#include "abi/capability.h"
#include "abi/dirent.h"
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/stat.h"
#include "abi/syscall.h"
#include "base/page.h"
#include "fs/context.h"
#include "fs/dentry.h"
#include "fs/fdtable.h"
#include "fs/file.h"
#include "fs/namei.h"
#include "fs/path.h"
#include "fs/vfs.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "mm/usercopy.h"
#include "process/creds.h"
#include "process/task.h"
#include "process/user_ns.h"

/* ---- getdents ---- */

struct getdents {
	struct dir_context ctx; /* first */
	uaddr_t buf;
	size_t left;
	size_t used;
	int err;
};

/* Both layouts start alike: inode number, next position, record length. */
static bool emit_record(struct getdents *g, const void *record, size_t size)
{
	if (size > g->left) {
		if (!g->used)
			g->err = -EINVAL;
		return false;
	}
	if (copy_to_user(g->buf, record, size)) {
		g->err = -EFAULT;
		return false;
	}
	g->buf += size;
	g->left -= size;
	g->used += size;
	return true;
}

static bool emit64(struct dir_context *ctx, const char *name, size_t len, uint64_t ino,
		   uint32_t type, int64_t next_pos)
{
	struct getdents *g = container_of(ctx, struct getdents, ctx);
	union {
		struct linux_dirent64 d;
		char bytes[ALIGN_UP(
			offsetof(struct linux_dirent64, d_name) + NAME_MAX + 1, 8UL)];
	} r;
	size_t size = ALIGN_UP(offsetof(struct linux_dirent64, d_name) + len + 1, 8UL);

	if (len > NAME_MAX)
		return true; /* cannot be named: left out */
	r.d.d_ino = ino;
	r.d.d_off = next_pos;
	r.d.d_reclen = (uint16_t)size;
	r.d.d_type = (uint8_t)type;
	memcpy(r.bytes + offsetof(struct linux_dirent64, d_name), name, len);
	memset(r.bytes + offsetof(struct linux_dirent64, d_name) + len, 0,
	       size - offsetof(struct linux_dirent64, d_name) - len);
	return emit_record(g, &r, size);
}

static bool emit_old(struct dir_context *ctx, const char *name, size_t len, uint64_t ino,
		     uint32_t type, int64_t next_pos)
{
	struct getdents *g = container_of(ctx, struct getdents, ctx);
	union {
		struct linux_dirent d;
		char bytes[ALIGN_UP(offsetof(struct linux_dirent, d_name) + NAME_MAX + 2,
				    8UL)];
	} r;
	size_t size = ALIGN_UP(offsetof(struct linux_dirent, d_name) + len + 2, 8UL);

	if (len > NAME_MAX)
		return true;
	r.d.d_ino = ino;
	r.d.d_off = next_pos;
	r.d.d_reclen = (uint16_t)size;
	memcpy(r.bytes + offsetof(struct linux_dirent, d_name), name, len);
	memset(r.bytes + offsetof(struct linux_dirent, d_name) + len, 0,
	       size - offsetof(struct linux_dirent, d_name) - len);
	r.bytes[size - 1] = (char)type;
	return emit_record(g, &r, size);
}

static long getdents(int fd, uaddr_t buf, unsigned int size, bool old)
{
	struct getdents g = {
		.ctx.emit = old ? emit_old : emit64,
		.buf = buf,
		.left = MIN(size, (unsigned int)INT32_MAX),
	};
	struct fdref ref = fd_get(fd);
	int err;

	if (!ref.file)
		return -EBADF;
	err = file_iterate(ref.file, &g.ctx);
	fd_put(ref);
	if (g.used)
		return (long)g.used;
	return err ? err : g.err;
}

long sys_getdents(struct task *t, int fd, uaddr_t buf, unsigned int size)
{
	(void)t;
	return getdents(fd, buf, size, true);
}

long sys_getdents64(struct task *t, int fd, uaddr_t buf, unsigned int size)
{
	(void)t;
	return getdents(fd, buf, size, false);
}

/* ---- mkdir, rmdir ---- */

static long mkdir_at(int dfd, uaddr_t path, uint32_t mode)
{
	struct path_name n;
	int err = path_name_get(&n, path, false);

	if (err)
		return err;
	err = vfs_mkdir(dfd, n.str, mode);
	path_name_put(&n);
	return err;
}

long sys_mkdir(struct task *t, uaddr_t path, uint32_t mode)
{
	(void)t;
	return mkdir_at(AT_FDCWD, path, mode);
}

long sys_mkdirat(struct task *t, int dir, uaddr_t path, uint32_t mode)
{
	(void)t;
	return mkdir_at(dir, path, mode);
}

long sys_rmdir(struct task *t, uaddr_t path)
{
	struct path_name n;
	int err = path_name_get(&n, path, false);

	(void)t;
	if (err)
		return err;
	err = vfs_rmdir(AT_FDCWD, n.str);
	path_name_put(&n);
	return err;
}

/* ---- working directory, root, umask ---- */

long sys_getcwd(struct task *t, uaddr_t buf, size_t size)
{
	char *page = page_alloc(0);
	struct path cwd;
	long len;

	if (!page)
		return -ENOMEM;
	fs_context_cwd(t->fs, &cwd);
	if (dentry_is_deleted(cwd.dentry))
		len = -ENOENT;
	else
		len = path_print(&cwd, NULL, page, PAGE_SIZE);
	path_put(&cwd);
	if (len >= 0) {
		len++; /* the NUL counts */
		if ((size_t)len > size)
			len = -ERANGE;
		else if (copy_to_user(buf, page, (size_t)len))
			len = -EFAULT;
	}
	page_free(page, 0);
	return len;
}

static int may_enter(const struct path *p)
{
	struct inode *inode = path_inode(p);

	if (!S_ISDIR(inode->mode))
		return -ENOTDIR;
	return inode_permission(inode, MAY_EXEC | MAY_CHDIR);
}

long sys_chdir(struct task *t, uaddr_t path)
{
	struct path p;
	int err = path_lookup_user(AT_FDCWD, path, LOOKUP_FOLLOW | LOOKUP_DIRECTORY, &p);

	if (err)
		return err;
	err = may_enter(&p);
	if (err)
		path_put(&p);
	else
		fs_context_set_cwd(t->fs, &p);
	return err;
}

long sys_fchdir(struct task *t, int fd)
{
	struct fdref ref = fd_get_any(fd);
	int err;

	if (!ref.file)
		return -EBADF;
	err = may_enter(&ref.file->path);
	if (!err) {
		path_get(&ref.file->path);
		fs_context_set_cwd(t->fs, &ref.file->path);
	}
	fd_put(ref);
	return err;
}

long sys_chroot(struct task *t, uaddr_t path)
{
	struct path p;
	int err = path_lookup_user(AT_FDCWD, path, LOOKUP_FOLLOW | LOOKUP_DIRECTORY, &p);

	if (err)
		return err;
	err = may_enter(&p);
	if (!err && !ns_capable(current_user_ns(), CAP_SYS_CHROOT))
		err = -EPERM;
	if (err)
		path_put(&p);
	else
		fs_context_set_root(t->fs, &p);
	return err;
}

long sys_umask(struct task *t, uint32_t mask)
{
	return atomic_xchg(&t->fs->umask, mask & S_IRWXUGO);
}
