/* SPDX-License-Identifier: MIT */
/* fdinfo.h - what lines of /proc/PID/fdinfo have in common. */
#pragma once
#include "abi/types.h"

struct inode;
struct superblock;

enum { FDINFO_LINE_MAX = 256 }; /* whoever writes lines stops when less is left */

/* Its device number as the kernel has it inside itself. */
uint32_t fdinfo_device(const struct superblock *sb);
/* "fhandle-bytes:… fhandle-type:… f_handle:…", the one of name_to_handle_at(2). Returns
 * its length. */
size_t fdinfo_handle(char *buf, size_t size, const struct inode *inode);
