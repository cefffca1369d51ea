/* SPDX-License-Identifier: MIT */
/* file_handle.h - names of inodes that outlive their paths (name_to_handle_at(2)). */
#pragma once
#include "abi/types.h"

struct inode;
struct path;

/* handle_type, and the bits that AT_HANDLE_CONNECTABLE adds to it. */
enum {
	HANDLE_TYPE = 0x81,	   /* FILEID_INO64_GEN: struct handle_id */
	HANDLE_TYPE_PARENT = 0x82, /* two of them: the directory comes second */
	HANDLE_CONNECTABLE = 0x10000,
	HANDLE_DIRECTORY = 0x20000,
	HANDLE_FLAGS = 0xffff0000U,
};

struct handle_id {
	uint32_t ino_low;
	uint32_t ino_high;
	uint32_t generation; /* tells a later file of the same number */
};

/* True when what is at p can be found again by its handle. */
bool handle_can_decode(const struct path *p);
struct handle_id handle_of_inode(const struct inode *inode);
/* The one of what is at p, or with of_parent of its directory. */
struct handle_id handle_encode(const struct path *p, bool of_parent);
/* Finds it anywhere on the file system of base, which gives the mount. -ESTALE: it is
 * not there any more; -ENOMEM; -EINTR: told to die meanwhile. */
int handle_decode(const struct path *base, const struct handle_id *id,
		  struct path *out) MUST_CHECK;
