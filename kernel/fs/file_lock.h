/* SPDX-License-Identifier: MIT */
/* file_lock.h - advisory locks: POSIX and open-file-description locks (fcntl_locking(2)),
 * flock(2). */
#pragma once
#include "abi/fcntl.h"
#include "abi/types.h"

struct fdtable;
struct file;
struct inode;
struct file_lock_state;

/* fcntl's F_GETLK, F_SETLK, F_SETLKW and their OFD kin. lock is in and out. 0 or -errno;
 * may sleep. */
int file_lock_fcntl(struct file *f, int cmd, struct linux_flock *lock) MUST_CHECK;
/* op: LOCK_SH, LOCK_EX, LOCK_UN, with LOCK_NB. */
int file_lock_flock(struct file *f, int op) MUST_CHECK;
/* A descriptor of the table for this inode was closed: its POSIX locks on it go. */
void file_locks_close(struct file *f, struct fdtable *owner);
/* The open file description has gone. */
void file_locks_release(struct file *f);
void file_lock_state_destroy(struct file_lock_state *s);
/* For /proc/locks and fdinfo: text lines. Returns bytes. */
size_t file_locks_show(char *buf, size_t size);
