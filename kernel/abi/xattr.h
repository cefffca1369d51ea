/* SPDX-License-Identifier: MIT */
/* xattr.h - extended attributes. */
#pragma once
#pragma GCC system_header /* hosted tests include libc first, then this */

#include "abi/types.h"

#define XATTR_CREATE	      0x1
#define XATTR_REPLACE	      0x2
#define XATTR_NAME_MAX	      255
#define XATTR_SIZE_MAX	      65536
#define XATTR_LIST_MAX	      65536
#define XATTR_USER_PREFIX     "user."
#define XATTR_TRUSTED_PREFIX  "trusted."
#define XATTR_SECURITY_PREFIX "security."
#define XATTR_SYSTEM_PREFIX   "system."

struct linux_xattr_args { /* setxattrat(2), getxattrat(2) */
	uint64_t value;
	uint32_t size;
	uint32_t flags;
};

/* system.posix_acl_*: acl(5) */
#define XATTR_NAME_ACL_ACCESS  "system.posix_acl_access"
#define XATTR_NAME_ACL_DEFAULT "system.posix_acl_default"
#define ACL_VERSION	       2
#define ACL_USER_OBJ	       0x01
#define ACL_USER	       0x02
#define ACL_GROUP_OBJ	       0x04
#define ACL_GROUP	       0x08
#define ACL_MASK	       0x10
#define ACL_OTHER	       0x20
#define ACL_UNDEFINED_ID       0xffffffffU

struct linux_acl_header {
	uint32_t version;
};

struct linux_acl_entry {
	uint16_t tag, perm;
	uint32_t id;
};

/* security.capability: capabilities(7), "File capabilities". */
#define XATTR_NAME_CAPS		"security.capability"
#define VFS_CAP_REVISION_MASK	0xff000000U
#define VFS_CAP_REVISION_1	0x01000000U
#define VFS_CAP_REVISION_2	0x02000000U
#define VFS_CAP_REVISION_3	0x03000000U
#define VFS_CAP_FLAGS_EFFECTIVE 0x000001U
#define VFS_CAP_SIZE_1		12
#define VFS_CAP_SIZE_2		20
#define VFS_CAP_SIZE_3		24

struct linux_vfs_cap_data {
	uint32_t magic_etc;
	struct {
		uint32_t permitted;
		uint32_t inheritable;
	} data[2];
	uint32_t rootid; /* revision 3 */
};
