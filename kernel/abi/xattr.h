/* SPDX-License-Identifier: MIT */
/* xattr.h - extended attributes. */
#pragma once
#pragma GCC system_header /* hosted tests include libc first, then this */

#define XATTR_CREATE	      0x1
#define XATTR_REPLACE	      0x2
#define XATTR_NAME_MAX	      255
#define XATTR_SIZE_MAX	      65536
#define XATTR_LIST_MAX	      65536
#define XATTR_USER_PREFIX     "user."
#define XATTR_TRUSTED_PREFIX  "trusted."
#define XATTR_SECURITY_PREFIX "security."
#define XATTR_SYSTEM_PREFIX   "system."
