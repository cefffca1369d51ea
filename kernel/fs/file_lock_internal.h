/* SPDX-License-Identifier: MIT */
/* file_lock_internal.h - shared by file_lock.c and file_lock_host.c alone. */
#pragma once
#include "abi/fcntl.h"
#include "abi/types.h"
#include "base/lock.h"
#include "base/waitq.h"
#include "lib/list.h"

struct file;
struct inode;

enum lock_kind { KIND_POSIX, KIND_OFD, KIND_FLOCK };

struct file_lock {
	struct list link; /* in file_lock_state.locks */
	enum lock_kind kind;
	int type; /* F_RDLCK, F_WRLCK */
	int64_t start;
	int64_t end; /* the last byte */
	const void *owner;
	pid_t pid;
};

/* Descriptors of the host's through which it knows of the locks; -1: none. */
struct host_locks {
	int fd;		/* of ranges */
	uint32_t can;	/* FMODE_READ, FMODE_WRITE: what fd is open for */
	int flock_fd;	/* of flock(2) */
	int flock_type; /* what it holds: F_RDLCK, F_WRLCK, F_UNLCK */
	uint32_t users; /* who is about to use them */
};

struct file_lock_state {
	struct list locks;
	struct waitq changed; /* woken when a lock goes or shrinks */
	struct inode *inode;  /* borrowed */
	struct list link;     /* all_states */
	struct host_locks host;
};

extern struct lock locks_lock; /* RANK_FLOCK: all of the above */

/* ---- file_lock_host.c ---- */
/* Around an attempt to lock, without and with the lock. want: the first time also opens
 * what the host is to be told through. 0 or -errno. */
int host_locks_begin(struct file_lock_state *s, struct file *f,
		     const struct file_lock *want) MUST_CHECK;
void host_locks_end_locked(struct file_lock_state *s) REQUIRES(&locks_lock);
/* Nothing inside is in want's way: asks the host for it. -EAGAIN: another program of the
 * host's has it. */
int host_locks_take_locked(struct file_lock_state *s, const struct file_lock *want)
	REQUIRES(&locks_lock) MUST_CHECK;
/* was, or a part of it, has been given up: so it is on the host, but for what others
 * here still have of it. */
void host_locks_drop_locked(struct file_lock_state *s, const struct file_lock *was)
	REQUIRES(&locks_lock);
/* Asks the host who is in the way of want. 0 with *out, whose l_type may be F_UNLCK. */
void host_locks_query(struct file_lock_state *s, struct file *f,
		      const struct file_lock *want, struct linux_flock *out);
