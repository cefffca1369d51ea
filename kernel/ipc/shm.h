/* SPDX-License-Identifier: MIT */
/* shm.h - between the files of System V shared memory. */
#pragma once
#include "abi/ipc.h"
#include "base/ref.h"
#include "ipc/ids.h"
#include "mm/object.h"
#include "mm/policy.h"

struct shm_segment {
	struct vm_object object;
	struct ref refs;   /* of the table, of areas and of who looks */
	int fd;		   /* atomic: host memfd; -1: not yet */
	int32_t first_key; /* const, as the next */
	size_t size;
	size_t promised;	  /* pages: mm/commit.h */
	struct policies policies; /* mm/policy.h */
	/* the slot's lock */
	struct ipc_object ipc;
	bool is_removed; /* from the table */
	uint64_t attached;
	int64_t atime, dtime, ctime;
	pid_t creator, last;
	struct task *maker; /* only compared; NULL: has ended */
	uid_t locker;	    /* who is charged for SHM_LOCKED */
};

extern const struct vm_object_ops shm_object_ops;

/* /proc/sys/kernel: shmmax, shmall, shm_rmid_forced. atomic */
extern uint64_t shm_size_limit, shm_pages_limit;
extern int shm_rmid_forced;
extern uint64_t shm_pages; /* atomic: of all segments */

static inline struct shm_segment *shm_segment_of(struct ipc_object *o)
{
	return container_of(o, struct shm_segment, ipc);
}

/* Without memory of the host's. NULL: no memory. */
struct shm_segment *shm_segment_create(size_t size, bool is_promised);
void shm_segment_put(struct shm_segment *s);
/* What the host holds of it: bytes. */
uint64_t shm_resident(const struct shm_segment *s);

/* One user of it more or less, by shmat(2) or as an area. */
void shm_attach(struct shm_segment *s);
void shm_detach(struct shm_segment *s);
/* shmat(2) is done: it counts no longer itself, and drops its reference. */
void shm_release(struct shm_segment *s);
/* IPC_RMID: the segment goes at once, or with its last user. Both locks are held. True:
 * it has gone, and the table's reference is the caller's to put. */
bool shm_remove_locked(struct shm_segment *s) MUST_CHECK;
/* Segments that nobody uses and whose makers have ended go, or (t not NULL) those that t
 * made. */
void shm_remove_orphans(const struct task *t);

/* SHM_LOCK, SHM_UNLOCK. The slot's lock is held. -ENOMEM, -EPERM. */
int shm_lock(struct shm_segment *s) MUST_CHECK;
void shm_unlock(struct shm_segment *s);
