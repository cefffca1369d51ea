/* SPDX-License-Identifier: MIT */
/* hostfs.h - a directory (or one file) of the host, shown to the guest.
 *
 * Everything is reached from one host descriptor that the launcher granted, one name at a
 * time, never following a symbolic link of the host's: links are texts that the guest's
 * own walk follows.
 *
 * Exclusive: nobody else changes what lies there, so attributes, listings and link texts
 * are asked for once, a regular file is opened on the host when it is first read or
 * mapped, and what is read again and again is kept in memory. Shared: the host and we may
 * both change it; every lookup asks again.
 *
 * What the host does not let its user do to a file, though the guest may, is remembered
 * in memory: owners, attributes, access control lists.
 *
 * Limits against Linux: devices and sockets of the host cannot be opened; a FIFO leads to
 * a pipe of the sandbox's own; see also nameless.c. */
#pragma once
#include "abi/types.h"

struct file_system_type;
struct inode;
struct superblock;

/* What file_system_type.mount takes as its data: only the kernel can mount a hostfs. */
struct hostfs_params {
	int dirfd; /* taken over on success: closed with the superblock */
	bool read_only;
	bool exclusive; /* only together with read_only */
	bool is_file;	/* dirfd is no directory: opened for what the guest may do with it
			 */
	bool map_overflow; /* the overflow owner (65534) is shown as root */
};

extern struct file_system_type hostfs_type;

/* Registers the type. Once, at start-up. */
void hostfs_init(void);
/* How many host descriptors may be kept for later use: at most HOSTFS_HANDLES_MAX.
 * Start-up: a part of the host's RLIMIT_NOFILE. */
enum { HOSTFS_HANDLES_MAX = 4096 };
void hostfs_set_handles_max(int max);
/* Closes half of them. True when there were any: for who got -EMFILE from the host. */
bool hostfs_shrink_handles(void);
int hostfs_create(const struct hostfs_params *params, struct superblock **out) MUST_CHECK;
/* st_dev of a hostfs inode: the host's mounts below the root have numbers of their own.
 */
uint64_t hostfs_inode_dev(const struct inode *inode);
