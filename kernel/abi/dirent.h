/* SPDX-License-Identifier: MIT */
/* dirent.h - directory entries of getdents(2) and getdents64(2). */
#pragma once
#pragma GCC system_header /* hosted tests include libc first, then this */

#include "abi/types.h"

struct linux_dirent {
	uint64_t d_ino;
	int64_t d_off;
	uint16_t d_reclen;
	char d_name[]; /* then a NUL, padding, and the type in the record's last byte */
};

struct linux_dirent64 {
	uint64_t d_ino;
	int64_t d_off;
	uint16_t d_reclen;
	uint8_t d_type; /* DT_* of abi/stat.h */
	char d_name[];
};

_Static_assert(offsetof(struct linux_dirent, d_name) == 18, "struct linux_dirent");
_Static_assert(offsetof(struct linux_dirent64, d_name) == 19, "struct linux_dirent64");
