/* SPDX-License-Identifier: MIT */
/* statfs.h - statfs(2) and mount(2). */
#pragma once
#pragma GCC system_header /* hosted tests include libc first, then this */

#include "abi/types.h"

struct linux_statfs {
	int64_t f_type;
	int64_t f_bsize;
	uint64_t f_blocks;
	uint64_t f_bfree;
	uint64_t f_bavail;
	uint64_t f_files;
	uint64_t f_ffree;
	int32_t f_fsid[2];
	int64_t f_namelen;
	int64_t f_frsize;
	int64_t f_flags;
	int64_t f_spare[4];
};

_Static_assert(sizeof(struct linux_statfs) == 120, "struct statfs");

/* f_type */
#define PID_FS_MAGIC	      0x50494446
#define PROC_SUPER_MAGIC      0x9fa0
#define SYSFS_MAGIC	      0x62656572
#define TMPFS_MAGIC	      0x1021994
#define RAMFS_MAGIC	      0x858458f6U
#define DEVPTS_SUPER_MAGIC    0x1cd1
#define OVERLAYFS_SUPER_MAGIC 0x794c7630
#define EXT4_SUPER_MAGIC      0xef53
#define XFS_SUPER_MAGIC	      0x58465342
#define BTRFS_SUPER_MAGIC     0x9123683eU
#define F2FS_SUPER_MAGIC      0xf2f52010U
#define PIPEFS_MAGIC	      0x50495045
#define SOCKFS_MAGIC	      0x534f434b
#define ANON_INODE_FS_MAGIC   0x9041934
#define CGROUP2_SUPER_MAGIC   0x63677270
#define EROFS_SUPER_MAGIC_V1  0xe0f5e1e2U
#define MQUEUE_MAGIC	      0x19800202

/* f_flags: the first MS_* bits below, up to MS_NODIRATIME, and */
#define ST_VALID       0x20
#define ST_RELATIME    0x1000
#define ST_NOSYMFOLLOW 0x2000

/* mount(2), umount2(2) */
#define MS_RDONLY	0x1
#define MS_NOSUID	0x2
#define MS_NODEV	0x4
#define MS_NOEXEC	0x8
#define MS_SYNCHRONOUS	0x10
#define MS_REMOUNT	0x20
#define MS_MANDLOCK	0x40
#define MS_DIRSYNC	0x80
#define MS_NOSYMFOLLOW	0x100
#define MS_NOATIME	0x400
#define MS_NODIRATIME	0x800
#define MS_BIND		0x1000
#define MS_MOVE		0x2000
#define MS_REC		0x4000
#define MS_SILENT	0x8000
#define MS_POSIXACL	0x10000
#define MS_UNBINDABLE	0x20000
#define MS_PRIVATE	0x40000
#define MS_SLAVE	0x80000
#define MS_SHARED	0x100000
#define MS_RELATIME	0x200000
#define MS_STRICTATIME	0x1000000
#define MS_LAZYTIME	0x2000000
#define MS_NOUSER	0x80000000U
#define MNT_FORCE	0x1
#define MNT_DETACH	0x2
#define MNT_EXPIRE	0x4
#define UMOUNT_NOFOLLOW 0x8

/* The newer mount calls. */
#define FSOPEN_CLOEXEC		0x1
#define FSPICK_CLOEXEC		0x1
#define FSMOUNT_CLOEXEC		0x1
#define OPEN_TREE_CLONE		0x1
#define MOVE_MOUNT_F_SYMLINKS	0x1
#define MOVE_MOUNT_F_AUTOMOUNTS 0x2
#define MOVE_MOUNT_F_EMPTY_PATH 0x4
#define MOVE_MOUNT_T_SYMLINKS	0x10
#define MOVE_MOUNT_T_AUTOMOUNTS 0x20
#define MOVE_MOUNT_T_EMPTY_PATH 0x40
#define MOUNT_ATTR_RDONLY	0x1
#define MOUNT_ATTR_NOSUID	0x2
#define MOUNT_ATTR_NODEV	0x4
#define MOUNT_ATTR_NOEXEC	0x8
#define MOUNT_ATTR__ATIME	0x70
#define MOUNT_ATTR_RELATIME	0
#define MOUNT_ATTR_NOATIME	0x10
#define MOUNT_ATTR_STRICTATIME	0x20
#define MOUNT_ATTR_NODIRATIME	0x80
#define MOUNT_ATTR_IDMAP	0x100000
#define MOUNT_ATTR_NOSYMFOLLOW	0x200000
