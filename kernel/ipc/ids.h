/* SPDX-License-Identifier: MIT */
/* ids.h - what semaphore sets, message queues and shared memory segments of System V have
 * in common: an id, a key, an owner (sysvipc(7)).
 *
 * An id is an index and, above it, a count of how often indices have begun anew. Each
 * index has a slot that stays for ever once it was used, and the lock in it is that of
 * whatever object has the index: so an id is looked up without any other lock, and who
 * has slept looks at the slot again, never at an object that may have gone. */
#pragma once
#include "abi/ipc.h"
#include "abi/types.h"
#include "base/hash_table.h"
#include "base/idr.h"
#include "base/lock.h"

enum {
	IPC_INDEX_BITS = 15,
	IPC_INDEX_COUNT = 1 << IPC_INDEX_BITS, /* the most that there can be of a kind */
	IPC_SLOTS_A_PAGE = 64,
	IPC_FIRST_BUCKETS = 16,
};

/* The head of each object. Guarded by the slot's lock; key and id change only while the
 * ids' lock is held as well. */
struct ipc_object {
	struct hash_node
		by_key; /* the ids' lock; in the table unless key is IPC_PRIVATE */
	int id;
	int32_t key;
	uint64_t generation; /* const: no other of its kind ever has it */
	uid_t uid, cuid;
	gid_t gid, cgid;
	uint32_t mode; /* with SHM_DEST, SHM_LOCKED */
};

struct ipc_slot {
	struct lock lock; /* RANK_OBJECT2: object, and all that is in it */
	struct ipc_object *object;
} __attribute__((aligned(PAGE_SIZE / IPC_SLOTS_A_PAGE)));

/* One kind of objects. */
struct ipc_ids {
	struct lock lock; /* RANK_OBJECT: who comes and goes. Before a slot's */
	struct idr indices;
	struct hash_table keys;
	hash_link_t first_buckets[IPC_FIRST_BUCKETS];
	uint64_t seed;
	int last_index; /* that was given */
	int max_index;	/* in use; -1: none */
	uint32_t sequence;
	uint64_t generation; /* the last that was given */
	int next_id;	     /* atomic: wanted for the next object; -1: any */
	int limit;	     /* atomic: how many there may be */
	struct ipc_slot *slots[IPC_INDEX_COUNT / IPC_SLOTS_A_PAGE]; /* atomic */
};

extern struct ipc_ids sem_ids, msg_ids, shm_ids;

void ipc_ids_init(struct ipc_ids *ids, int limit);
int ipc_ids_count(struct ipc_ids *ids);
/* The highest index in use, or 0: what the INFO commands return. The ids' lock is held.
 */
int ipc_max_index_locked(const struct ipc_ids *ids);

/* What the get calls want of an object that is made, or found by its key. */
struct ipc_request {
	int32_t key;
	uint32_t flags;
	size_t size;
	/* Makes an object and adds it: 0 or -errno. The ids' lock is held. */
	int (*create)(const struct ipc_request *r, struct ipc_object **out);
	/* If the object that was found will do. Its slot's lock is held. */
	int (*check)(const struct ipc_request *r, const struct ipc_object *o);
};
/* An id or -errno. */
long ipc_get(struct ipc_ids *ids, const struct ipc_request *r);

/* Gives a new object its id, its owner and its key. -ENOSPC, -ENOMEM. The ids' lock is
 * held. */
int ipc_add(struct ipc_ids *ids, struct ipc_object *o,
	    const struct ipc_request *r) MUST_CHECK;
/* Takes it out: nobody finds it any more. Both locks are held. */
void ipc_remove(struct ipc_ids *ids, struct ipc_object *o);
/* Nobody finds it by its key any more. Both locks are held. */
void ipc_forget_key(struct ipc_ids *ids, struct ipc_object *o);

/* The slot of an index (of an id, whatever its count), or NULL if it was never used. */
struct ipc_slot *ipc_slot_of(struct ipc_ids *ids, int id);
/* The slot with its lock held and an object of this very id in it. NULL: there is none
 * (-EINVAL). */
struct ipc_slot *ipc_lock(struct ipc_ids *ids, int id) MUST_CHECK NO_LOCK_CHECK;
/* The same by index alone, for the STAT commands. */
struct ipc_slot *ipc_lock_index(struct ipc_ids *ids, int index) MUST_CHECK NO_LOCK_CHECK;
/* After ipc_unlock(): the lock again, if the object of this generation is still there;
 * its id alone may be another's by now. False: it has gone (-EIDRM). */
bool ipc_lock_again(struct ipc_slot *s, uint64_t generation) MUST_CHECK NO_LOCK_CHECK;
/* The slot as it is, with an object or without. */
void ipc_lock_slot(struct ipc_slot *s) NO_LOCK_CHECK;
void ipc_unlock(struct ipc_slot *s) NO_LOCK_CHECK;

/* wanted: S_IRUGO, S_IWUGO, or the mode of a get call. False: -EACCES. */
bool ipc_may(const struct ipc_object *o, uint32_t wanted);
/* Owner, creator or CAP_SYS_ADMIN: may change and remove it. */
bool ipc_may_change(const struct ipc_object *o);

void ipc_perm_show(const struct ipc_object *o, struct linux_ipc_perm *out);
/* IPC_SET: -EINVAL. */
int ipc_perm_change(struct ipc_object *o, const struct linux_ipc_perm *from);

/* Calls func for each object, in order of index, with its slot's lock held. */
void ipc_for_each(struct ipc_ids *ids, void (*func)(struct ipc_object *o, void *arg),
		  void *arg);

/* Seconds, as the objects keep them. */
int64_t ipc_now(void);
