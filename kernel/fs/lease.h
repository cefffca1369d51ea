/* SPDX-License-Identifier: MIT */
/* lease.h - leases (fcntl(2) F_SETLEASE): their holder is told before somebody else opens
 * or truncates the file. */
#pragma once
#include "abi/types.h"

struct file;
struct inode;
struct lease_state;

/* F_SETLEASE through descriptor fd: F_RDLCK, F_WRLCK or F_UNLCK. 0, -EAGAIN (the file is
 * open in a way the lease forbids, somebody has a lease, or there is none to drop),
 * -EACCES, -EINVAL, -ENOMEM. */
int lease_set(struct file *f, int fd, int type) MUST_CHECK;
/* F_GETLEASE: what f holds, or what it must go down to. */
int lease_get(struct file *f);
/* Somebody is about to open inode with these O_* flags: holders of leases in the way are
 * told and waited for. To be called when inode->leases is not NULL, without locks.
 * -EAGAIN: O_NONBLOCK. */
int lease_break(struct inode *inode, uint32_t flags) MUST_CHECK;
/* The open file description goes. */
void lease_release(struct file *f);
void lease_state_destroy(struct lease_state *s);
/* Lines of /proc/locks, from *number on. Returns bytes. */
size_t lease_show(char *buf, size_t size, int *number);

/* fs.leases-enable and fs.lease-break-time (seconds; 0: leases are never taken away). */
extern int lease_enabled, lease_break_seconds;
