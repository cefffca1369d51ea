/* SPDX-License-Identifier: MIT */
/* stat.h - file types, modes, stat(2) and statx(2). */
#pragma once
#pragma GCC system_header /* hosted tests include libc first, then this */

#include "abi/time.h"
#include "abi/types.h"

/* File types and mode bits. */
#define S_IFMT	  0170000
#define S_IFSOCK  0140000
#define S_IFLNK	  0120000
#define S_IFREG	  0100000
#define S_IFBLK	  060000
#define S_IFDIR	  040000
#define S_IFCHR	  020000
#define S_IFIFO	  010000
#define S_ISUID	  04000
#define S_ISGID	  02000
#define S_ISVTX	  01000
#define S_IRWXU	  0700
#define S_IRUSR	  0400
#define S_IWUSR	  0200
#define S_IXUSR	  0100
#define S_IRWXG	  070
#define S_IRGRP	  040
#define S_IWGRP	  020
#define S_IXGRP	  010
#define S_IRWXO	  07
#define S_IROTH	  04
#define S_IWOTH	  02
#define S_IXOTH	  01
#define S_IRWXUGO (S_IRWXU | S_IRWXG | S_IRWXO)
#define S_IRUGO	  (S_IRUSR | S_IRGRP | S_IROTH)
#define S_IWUGO	  (S_IWUSR | S_IWGRP | S_IWOTH)
#define S_IXUGO	  (S_IXUSR | S_IXGRP | S_IXOTH)
#define S_IXUGO	  (S_IXUSR | S_IXGRP | S_IXOTH)
#define S_IALLUGO (S_ISUID | S_ISGID | S_ISVTX | S_IRWXUGO)

#define S_ISLNK(m)  (((m)&S_IFMT) == S_IFLNK)
#define S_ISREG(m)  (((m)&S_IFMT) == S_IFREG)
#define S_ISDIR(m)  (((m)&S_IFMT) == S_IFDIR)
#define S_ISCHR(m)  (((m)&S_IFMT) == S_IFCHR)
#define S_ISBLK(m)  (((m)&S_IFMT) == S_IFBLK)
#define S_ISFIFO(m) (((m)&S_IFMT) == S_IFIFO)
#define S_ISSOCK(m) (((m)&S_IFMT) == S_IFSOCK)

/* The types as getdents64(2) gives them: (mode & S_IFMT) >> 12. */
#define DT_UNKNOWN 0
#define DT_FIFO	   1
#define DT_CHR	   2
#define DT_DIR	   4
#define DT_BLK	   6
#define DT_REG	   8
#define DT_LNK	   10
#define DT_SOCK	   12
#define DT_WHT	   14

/* Permissions for access(2). */
#define F_OK 0
#define X_OK 1
#define W_OK 2
#define R_OK 4

/* statx(2): the mask. */
#define STATX_TYPE	    0x1
#define STATX_MODE	    0x2
#define STATX_NLINK	    0x4
#define STATX_UID	    0x8
#define STATX_GID	    0x10
#define STATX_ATIME	    0x20
#define STATX_MTIME	    0x40
#define STATX_CTIME	    0x80
#define STATX_INO	    0x100
#define STATX_SIZE	    0x200
#define STATX_BLOCKS	    0x400
#define STATX_BASIC_STATS   0x7ff
#define STATX_BTIME	    0x800
#define STATX_MNT_ID	    0x1000
#define STATX_DIOALIGN	    0x2000
#define STATX_MNT_ID_UNIQUE 0x4000
#define STATX_ALL	    0xfff
#define STATX__RESERVED	    0x80000000U

/* statx(2): stx_attributes. */
#define STATX_ATTR_COMPRESSED 0x4
#define STATX_ATTR_IMMUTABLE  0x10
#define STATX_ATTR_APPEND     0x20
#define STATX_ATTR_NODUMP     0x40
#define STATX_ATTR_ENCRYPTED  0x800
#define STATX_ATTR_AUTOMOUNT  0x1000
#define STATX_ATTR_MOUNT_ROOT 0x2000
#define STATX_ATTR_VERITY     0x100000
#define STATX_ATTR_DAX	      0x200000

/* Device numbers: what stat(2) and mknod(2) carry. */
#define LINUX_MAJOR(dev)                                                                 \
	((uint32_t)(((dev) >> 8) & 0xfff) | (uint32_t)(((dev) >> 32) & ~0xfffU))
#define LINUX_MINOR(dev) ((uint32_t)((dev)&0xff) | (uint32_t)(((dev) >> 12) & ~0xffU))
#define LINUX_MAKEDEV(major, minor)                                                      \
	((((uint64_t)(major) & ~0xfffULL) << 32) | (((uint64_t)(major)&0xfff) << 8) |    \
	 (((uint64_t)(minor) & ~0xffULL) << 12) | ((uint64_t)(minor)&0xff))

/* Member names follow POSIX.1-2008, since libc makes macros of st_atime and kin. */
struct linux_stat {
	uint64_t st_dev;
	uint64_t st_ino;
	uint64_t st_nlink;
	uint32_t st_mode;
	uint32_t st_uid;
	uint32_t st_gid;
	uint32_t pad0;
	uint64_t st_rdev;
	int64_t st_size;
	int64_t st_blksize;
	int64_t st_blocks; /* of 512 bytes */
	struct linux_timespec st_atim;
	struct linux_timespec st_mtim;
	struct linux_timespec st_ctim;
	int64_t unused[3];
};

_Static_assert(sizeof(struct linux_stat) == 144, "struct stat");

struct linux_statx_timestamp {
	int64_t tv_sec;
	uint32_t tv_nsec;
	int32_t pad;
};

struct linux_statx {
	uint32_t stx_mask;
	uint32_t stx_blksize;
	uint64_t stx_attributes;
	uint32_t stx_nlink;
	uint32_t stx_uid;
	uint32_t stx_gid;
	uint16_t stx_mode;
	uint16_t pad0;
	uint64_t stx_ino;
	uint64_t stx_size;
	uint64_t stx_blocks;
	uint64_t stx_attributes_mask;
	struct linux_statx_timestamp stx_atime;
	struct linux_statx_timestamp stx_btime;
	struct linux_statx_timestamp stx_ctime;
	struct linux_statx_timestamp stx_mtime;
	uint32_t stx_rdev_major;
	uint32_t stx_rdev_minor;
	uint32_t stx_dev_major;
	uint32_t stx_dev_minor;
	uint64_t stx_mnt_id;
	uint32_t stx_dio_mem_align;
	uint32_t stx_dio_offset_align;
	uint64_t spare[12];
};

_Static_assert(sizeof(struct linux_statx) == 256, "struct statx");
