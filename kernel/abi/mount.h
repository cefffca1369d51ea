/* SPDX-License-Identifier: MIT */
/* mount.h - the newer mount calls: fsopen(2) … statmount(2). Flags are in statfs.h. */
#pragma once
#pragma GCC system_header /* hosted tests include libc first, then this */

#include "abi/types.h"

#define FSPICK_SYMLINK_NOFOLLOW 0x2
#define FSPICK_NO_AUTOMOUNT	0x4
#define FSPICK_EMPTY_PATH	0x8
#define MOVE_MOUNT_SET_GROUP	0x100
#define MOVE_MOUNT_BENEATH	0x200
#define MOVE_MOUNT_MASK		0x377

enum fsconfig_command {
	FSCONFIG_SET_FLAG,
	FSCONFIG_SET_STRING,
	FSCONFIG_SET_BINARY,
	FSCONFIG_SET_PATH,
	FSCONFIG_SET_PATH_EMPTY,
	FSCONFIG_SET_FD,
	FSCONFIG_CMD_CREATE,
	FSCONFIG_CMD_RECONFIGURE,
	FSCONFIG_CMD_CREATE_EXCL,
};

struct linux_mount_attr {
	uint64_t attr_set;
	uint64_t attr_clr;
	uint64_t propagation;
	uint64_t userns_fd;
};

#define LSMT_ROOT	   (~0ULL)
#define LISTMOUNT_REVERSE  1
#define LISTMOUNT_MAX	   1000000
#define MNT_ID_REQ_SIZE_V0 24

struct linux_mnt_id_req {
	uint32_t size;
	uint32_t spare;
	uint64_t mnt_id;
	uint64_t param;
	uint64_t mnt_ns_id;
};

#define STATMOUNT_SB_BASIC	 0x1
#define STATMOUNT_MNT_BASIC	 0x2
#define STATMOUNT_PROPAGATE_FROM 0x4
#define STATMOUNT_MNT_ROOT	 0x8
#define STATMOUNT_MNT_POINT	 0x10
#define STATMOUNT_FS_TYPE	 0x20
#define STATMOUNT_MNT_NS_ID	 0x40
#define STATMOUNT_MNT_OPTS	 0x80
#define STATMOUNT_FS_SUBTYPE	 0x100
#define STATMOUNT_SB_SOURCE	 0x200
#define STATMOUNT_OPT_ARRAY	 0x400
#define STATMOUNT_OPT_SEC_ARRAY	 0x800
#define STATMOUNT_SUPPORTED_MASK 0x1000
#define STATMOUNT_MNT_UIDMAP	 0x2000
#define STATMOUNT_MNT_GIDMAP	 0x4000

struct linux_statmount {
	uint32_t size;
	uint32_t mnt_opts; /* this and other names of texts: offsets in str */
	uint64_t mask;
	uint32_t sb_dev_major;
	uint32_t sb_dev_minor;
	uint64_t sb_magic;
	uint32_t sb_flags;
	uint32_t fs_type;
	uint64_t mnt_id;
	uint64_t mnt_parent_id;
	uint32_t mnt_id_old;
	uint32_t mnt_parent_id_old;
	uint64_t mnt_attr;
	uint64_t mnt_propagation;
	uint64_t mnt_peer_group;
	uint64_t mnt_master;
	uint64_t propagate_from;
	uint32_t mnt_root;
	uint32_t mnt_point;
	uint64_t mnt_ns_id;
	uint32_t fs_subtype;
	uint32_t sb_source;
	uint32_t opt_num;
	uint32_t opt_array;
	uint32_t opt_sec_num;
	uint32_t opt_sec_array;
	uint64_t supported_mask;
	uint64_t spare[45];
	char str[];
};

_Static_assert(sizeof(struct linux_mount_attr) == 32, "struct mount_attr");
_Static_assert(sizeof(struct linux_mnt_id_req) == 32, "struct mnt_id_req");
_Static_assert(sizeof(struct linux_statmount) == 512, "struct statmount");
