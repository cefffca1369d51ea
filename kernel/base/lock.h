/* SPDX-License-Identifier: MIT */
/* lock.h - mutual exclusion between host threads, also of different host processes.
 *
 * A lock spins briefly and then sleeps in the host. Locks are short: no holder may wait
 * for an event of the guest's making, nor make a host call that can block for long,
 * unless the lock's comment says so. Take them strictly downwards in enum lock_rank;
 * CONFIG_DEBUG builds panic otherwise. */
#pragma once
#include "abi/types.h"

enum lock_rank { /* outermost first */
		 RANK_NONE = 0,
		 RANK_TRACE, /* the tracer's reader: may be held across host writes */
		 RANK_EXEC, /* one exec or fork at a time in a process: may be held across
			       host calls */
		 RANK_FILE_POS, /* position of an open description: held while its read or
				   write goes on */
		 RANK_PID_DIR,	/* a directory of /proc/PID, while the task's memory is
				   looked at */
		 RANK_MM, /* one address space's areas: may be held across host mmap calls
			   */
		 RANK_MOUNT, /* mount table */
		 /* A file system made of others' layers, over one like that or over
		  * others: while it changes its own it looks into theirs. */
		 RANK_UNION2_RENAME,
		 RANK_UNION2_DIR,
		 RANK_UNION2_COPY, /* one copies an inode up: held across its data */
		 RANK_UNION_RENAME,
		 RANK_UNION_DIR,
		 RANK_UNION_COPY,
		 RANK_RENAME, /* renames across directories of one superblock */
		 RANK_DIR,    /* a directory's entries; two at once: by address */
		 RANK_INODE, /* an inode's data and attributes; two at once: by address */
		 RANK_DENTRY,	   /* the dentry cache */
		 RANK_FSCONTEXT,   /* cwd, root, umask */
		 RANK_FDTABLE,	   /* descriptor table */
		 RANK_CLOCK_WATCH, /* who must know when the clock is set */
		 RANK_PACKET,	   /* what packet sockets are bound to */
		 RANK_OBJECT,	   /* pipe, eventfd, tty, socket, epoll … */
		 RANK_PORTS, /* the ports of a network: taken with a socket's lock held */
		 RANK_OBJECT2,	/* an object inside another's lock (epoll's ready list) */
		 RANK_SEM_UNDO, /* what a task's end takes back, inside a semaphore set's
				   lock */
		 RANK_FLOCK, /* file lock lists: held across host calls that take or drop
				a lock without waiting */
		 RANK_SIGIO, /* owners of files: SIGIO is sent under it */
		 RANK_FUTEX, /* a hash bucket: held across one guest memory access, see
				process/futex.c */
		 RANK_FUTEX_CHAIN,  /* which task waits for whose PI lock */
		 RANK_PROCESS_TREE, /* parents, children, groups, sessions, wait() */
		 RANK_SIGNAL, /* one process's pending sets, actions and stop state */
		 RANK_SOCKET_FILTER, /* which filter a socket has */
		 RANK_NETFILTER,     /* which tables a network has */
		 RANK_LO,	     /* a loopback device's addresses and settings */
		 RANK_TCP_WAIT,	     /* connections of a network in TIME_WAIT */
		 RANK_TIMER,	     /* timer queue */
		 RANK_PATCH,	     /* patch cache */
		 RANK_WAITQ,	     /* list of sleepers */
		 RANK_EPOLL_NEST,    /* epolls inside epolls: taken in wake-ups, under a
					RANK_WAITQ */
		 RANK_EPOLL,	     /* one epoll's items and ready list, the same */
		 RANK_DEFERRED,	     /* work for the kernel thread */
		 RANK_POLICY, /* memory policies of shared memory: an mm is locked */
		 RANK_IDR,    /* id tables */
		 RANK_SLAB,
		 RANK_FILE_CACHE, /* cached pages: freed when there are no others */
		 RANK_PAGE,
		 RANK_CLOCK, /* whoever changes the sandbox's clock */
		 RANK_LOG,
};

struct CAPABILITY("lock") lock {
	uint32_t word; /* 0 free, 1 held, 2 held and somebody sleeps */
	uint8_t rank;  /* const: enum lock_rank */
};

#define LOCK_INIT(r)                                                                     \
	{                                                                                \
		.word = 0, .rank = (r)                                                   \
	}

void lock_init(struct lock *l, enum lock_rank rank);
/* The same for one in memory that is zero, which release builds leave untouched: for
 * tables that may never be used. */
static inline void lock_init_zeroed(struct lock *l, enum lock_rank rank)
{
#ifdef CONFIG_DEBUG
	lock_init(l, rank);
#else
	(void)l, (void)rank;
#endif
}
void lock_take(struct lock *l) ACQUIRES(l);
void lock_drop(struct lock *l) RELEASES(l);
/* True when it got the lock without waiting. */
bool lock_try(struct lock *l) MUST_CHECK;
/* Takes two locks of the same rank in address order; a may equal b. */
void lock_take_pair(struct lock *a, struct lock *b) NO_LOCK_CHECK;
void lock_drop_pair(struct lock *a, struct lock *b) NO_LOCK_CHECK;
/* CONFIG_DEBUG: panics unless the lock is held by somebody. */
void lock_assert_held(const struct lock *l);
