/* SPDX-License-Identifier: MIT */
/* namei.h - making, removing and renaming names, as the calls of those names do it. Names
 * are kernel strings; dfd as for path_lookup(). All return 0 or -errno and may sleep. */
#pragma once
#include "abi/types.h"

struct inode;
struct path;

int vfs_mkdir(int dfd, const char *name, uint32_t mode) MUST_CHECK;
/* mode with type (0: regular); umask is applied here. */
int vfs_mknod(int dfd, const char *name, uint32_t mode, uint64_t rdev) MUST_CHECK;
/* The same, giving the new inode (a reference) and its place: for binding AF_UNIX
 * sockets. */
int vfs_mknod_get(int dfd, const char *name, uint32_t mode, uint64_t rdev,
		  struct path *out) MUST_CHECK;
int vfs_symlink(const char *target, int dfd, const char *name) MUST_CHECK;
int vfs_unlink(int dfd, const char *name) MUST_CHECK;
int vfs_rmdir(int dfd, const char *name) MUST_CHECK;
/* flags: AT_SYMLINK_FOLLOW, AT_EMPTY_PATH. */
int vfs_link(int old_dfd, const char *old_name, int new_dfd, const char *new_name,
	     int flags) MUST_CHECK;
/* flags: RENAME_*. */
int vfs_rename(int old_dfd, const char *old_name, int new_dfd, const char *new_name,
	       uint32_t flags) MUST_CHECK;
/* The text of the symbolic link at p: bytes written, at most size, no NUL. -EINVAL: no
 * link. */
long vfs_readlink(const struct path *p, char *buf, size_t size) MUST_CHECK;

/* fs.protected_*: what others may do with links, FIFOs and files in sticky directories
 * that all may write to (proc_sys_fs(5)). Atomic. */
extern int protected_symlinks, protected_hardlinks, protected_fifos, protected_regular;
/* A link in dir is about to be followed as a path's last component: 0 or -EACCES. */
int may_follow_link(const struct inode *dir, const struct inode *link) MUST_CHECK;
/* inode, in dir, is about to be opened with O_CREAT: 0 or -EACCES. */
int may_open_sticky(const struct inode *dir, const struct inode *inode) MUST_CHECK;
