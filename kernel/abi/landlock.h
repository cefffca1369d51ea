/* SPDX-License-Identifier: MIT */
/* landlock.h - the Landlock calls. */
#pragma once
#pragma GCC system_header /* hosted tests include libc first, then this */

#include "abi/types.h"

#define LANDLOCK_CREATE_RULESET_VERSION	    0x1
#define LANDLOCK_RULE_PATH_BENEATH	    1
#define LANDLOCK_RULE_NET_PORT		    2
#define LANDLOCK_ACCESS_FS_EXECUTE	    0x1
#define LANDLOCK_ACCESS_FS_WRITE_FILE	    0x2
#define LANDLOCK_ACCESS_FS_READ_FILE	    0x4
#define LANDLOCK_ACCESS_FS_READ_DIR	    0x8
#define LANDLOCK_ACCESS_FS_REMOVE_DIR	    0x10
#define LANDLOCK_ACCESS_FS_REMOVE_FILE	    0x20
#define LANDLOCK_ACCESS_FS_MAKE_CHAR	    0x40
#define LANDLOCK_ACCESS_FS_MAKE_DIR	    0x80
#define LANDLOCK_ACCESS_FS_MAKE_REG	    0x100
#define LANDLOCK_ACCESS_FS_MAKE_SOCK	    0x200
#define LANDLOCK_ACCESS_FS_MAKE_FIFO	    0x400
#define LANDLOCK_ACCESS_FS_MAKE_BLOCK	    0x800
#define LANDLOCK_ACCESS_FS_MAKE_SYM	    0x1000
#define LANDLOCK_ACCESS_FS_REFER	    0x2000
#define LANDLOCK_ACCESS_FS_TRUNCATE	    0x4000 /* ABI 3 */
#define LANDLOCK_ACCESS_FS_IOCTL_DEV	    0x8000 /* ABI 5 */
#define LANDLOCK_ACCESS_NET_BIND_TCP	    0x1	   /* ABI 4 */
#define LANDLOCK_ACCESS_NET_CONNECT_TCP	    0x2
#define LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET 0x1 /* ABI 6 */
#define LANDLOCK_SCOPE_SIGNAL		    0x2

struct linux_landlock_ruleset_attr {
	uint64_t handled_access_fs;
	uint64_t handled_access_net; /* ABI 4 */
	uint64_t scoped;	     /* ABI 6 */
};

struct linux_landlock_path_beneath_attr {
	uint64_t allowed_access;
	int32_t parent_fd;
} __attribute__((packed));

_Static_assert(sizeof(struct linux_landlock_path_beneath_attr) == 12,
	       "landlock_path_beneath_attr");
