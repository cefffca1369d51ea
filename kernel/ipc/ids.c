/* SPDX-License-Identifier: MIT */
/* ids.c - see ids.h. */
#include "ipc/ids.h"

#include "abi/capability.h"
#include "abi/errno.h"
#include "abi/stat.h"
#include "base/page.h"
#include "host/host.h"
#include "lib/atomic.h"
#include "lib/hash.h"
#include "process/creds.h"
#include "process/user_ns.h"
#include "time/clock.h"

#define INDEX_MASK   (IPC_INDEX_COUNT - 1)
#define SEQUENCE_END (1U << (31 - IPC_INDEX_BITS))
#define MODE_BITS    0777U

/* An index comes back as late as possible, but not later than this many: tables of what
 * was used once stay short. */
enum { CYCLE_MIN = 64 };

struct ipc_ids sem_ids, msg_ids, shm_ids;

void ipc_ids_init(struct ipc_ids *ids, int limit)
{
	lock_init(&ids->lock, RANK_OBJECT);
	idr_init(&ids->indices);
	hash_table_init(&ids->keys, ids->first_buckets, IPC_FIRST_BUCKETS);
	(void)host_getrandom(&ids->seed, sizeof(ids->seed));
	ids->last_index = -1;
	ids->max_index = -1;
	ids->next_id = -1;
	ids->limit = limit;
}

int64_t ipc_now(void)
{
	return clock_now(CLOCK_REALTIME_COARSE) / NSEC_PER_SEC;
}

/* ---- slots ---- */

static struct ipc_slot *slot_at(struct ipc_ids *ids, int index)
{
	struct ipc_slot *page = atomic_load(&ids->slots[index / IPC_SLOTS_A_PAGE]);

	return page ? &page[index % IPC_SLOTS_A_PAGE] : NULL;
}

/* The slots of index are there from now on. */
static int slots_make(struct ipc_ids *ids, int index)
{
	struct ipc_slot **at = &ids->slots[index / IPC_SLOTS_A_PAGE];
	struct ipc_slot *page;

	if (*at)
		return 0;
	page = page_alloc_zeroed(0);
	if (!page)
		return -ENOMEM;
	for (int i = 0; i < IPC_SLOTS_A_PAGE; i++)
		lock_init(&page[i].lock, RANK_OBJECT2);
	atomic_store(at, page);
	return 0;
}

struct ipc_slot *ipc_slot_of(struct ipc_ids *ids, int id)
{
	return slot_at(ids, id & INDEX_MASK);
}

void ipc_lock_slot(struct ipc_slot *s) NO_LOCK_CHECK
{
	lock_take(&s->lock);
}

void ipc_unlock(struct ipc_slot *s) NO_LOCK_CHECK
{
	lock_drop(&s->lock);
}

static struct ipc_slot *lock_slot(struct ipc_slot *s, int id, int mask) NO_LOCK_CHECK
{
	if (!s)
		return NULL;
	ipc_lock_slot(s);
	if (likely(s->object && (s->object->id & mask) == id))
		return s;
	ipc_unlock(s);
	return NULL;
}

struct ipc_slot *ipc_lock(struct ipc_ids *ids, int id)
{
	return id < 0 ? NULL : lock_slot(ipc_slot_of(ids, id), id, -1);
}

struct ipc_slot *ipc_lock_index(struct ipc_ids *ids, int index)
{
	index &= INDEX_MASK;
	return lock_slot(slot_at(ids, index), index, INDEX_MASK);
}

bool ipc_lock_again(struct ipc_slot *s, uint64_t generation) NO_LOCK_CHECK
{
	ipc_lock_slot(s);
	if (likely(s->object && s->object->generation == generation))
		return true;
	ipc_unlock(s);
	return false;
}

/* ---- keys ---- */

static uint64_t hash_of(const struct ipc_ids *ids, int32_t key)
{
	return hash_u64((uint32_t)key, ids->seed);
}

static struct ipc_object *find_key(struct ipc_ids *ids, int32_t key)
{
	struct hash_node *n = hash_table_find(&ids->keys, hash_of(ids, key));

	for (; n; n = hash_table_find_next(&ids->keys, n)) {
		struct ipc_object *o = container_of(n, struct ipc_object, by_key);

		if (o->key == key)
			return o;
	}
	return NULL;
}

void ipc_forget_key(struct ipc_ids *ids, struct ipc_object *o)
{
	if (o->key != IPC_PRIVATE)
		hash_table_remove(&ids->keys, &o->by_key);
	o->key = IPC_PRIVATE;
}

/* ---- coming and going ---- */

/* The next index and, in *sequence, what goes with it. */
static int index_alloc(struct ipc_ids *ids, struct ipc_object *o, uint32_t *sequence)
{
	int wanted = atomic_xchg(&ids->next_id, -1);
	int used = (int)ids->indices.count;
	int max = MIN(MAX(used * 3 / 2, CYCLE_MIN), IPC_INDEX_COUNT) - 1;
	int index;

	if (wanted >= 0) { /* as a checkpoint had it */
		*sequence = (uint32_t)wanted >> IPC_INDEX_BITS;
		return idr_alloc(&ids->indices, o, (uint32_t)(wanted & INDEX_MASK),
				 IPC_INDEX_COUNT - 1);
	}
	index = idr_alloc_cyclic(&ids->indices, o, 0, (uint32_t)max);
	if (index < 0)
		return index;
	if (index <= ids->last_index && ++ids->sequence == SEQUENCE_END)
		ids->sequence = 0;
	ids->last_index = index;
	*sequence = ids->sequence;
	return index;
}

int ipc_add(struct ipc_ids *ids, struct ipc_object *o, const struct ipc_request *r)
{
	const struct creds *c = current_creds();
	struct ipc_slot *s;
	uint32_t sequence;
	int index;

	if ((int)ids->indices.count >= MIN(atomic_load(&ids->limit), IPC_INDEX_COUNT))
		return -ENOSPC;
	index = index_alloc(ids, o, &sequence);
	if (index < 0)
		return index;
	if (slots_make(ids, index)) {
		(void)idr_remove(&ids->indices, (uint32_t)index);
		return -ENOMEM;
	}
	o->id = (int)(sequence << IPC_INDEX_BITS) + index;
	o->generation = ++ids->generation;
	o->key = r->key;
	o->mode = r->flags & MODE_BITS;
	o->uid = o->cuid = c->euid;
	o->gid = o->cgid = c->egid;
	ids->max_index = MAX(ids->max_index, index);
	if (o->key != IPC_PRIVATE) {
		o->by_key.hash = hash_of(ids, o->key);
		hash_table_insert(&ids->keys, &o->by_key);
		if (hash_table_is_crowded(&ids->keys))
			hash_table_grow(&ids->keys);
	}
	s = slot_at(ids, index);
	lock_take(&s->lock);
	s->object = o;
	lock_drop(&s->lock);
	return 0;
}

void ipc_remove(struct ipc_ids *ids, struct ipc_object *o)
{
	int index = o->id & INDEX_MASK;

	ipc_forget_key(ids, o);
	slot_at(ids, index)->object = NULL;
	(void)idr_remove(&ids->indices, (uint32_t)index);
	if (index != ids->max_index)
		return;
	while (index >= 0 && !idr_find(&ids->indices, (uint32_t)index))
		index--;
	ids->max_index = index;
}

int ipc_ids_count(struct ipc_ids *ids)
{
	int count;

	lock_take(&ids->lock);
	count = (int)ids->indices.count;
	lock_drop(&ids->lock);
	return count;
}

int ipc_max_index_locked(const struct ipc_ids *ids)
{
	return MAX(ids->max_index, 0);
}

/* The object that has the key, if the caller may have it: its id. */
static long get_found(struct ipc_ids *ids, const struct ipc_request *r,
		      struct ipc_object *o)
{
	struct ipc_slot *s = ipc_slot_of(ids, o->id);
	long ret;

	if ((r->flags & IPC_CREAT) && (r->flags & IPC_EXCL))
		return -EEXIST;
	lock_take(&s->lock);
	ret = r->check ? r->check(r, o) : 0;
	if (!ret)
		ret = ipc_may(o, r->flags) ? o->id : -EACCES;
	lock_drop(&s->lock);
	return ret;
}

long ipc_get(struct ipc_ids *ids, const struct ipc_request *r)
{
	struct ipc_object *o = NULL;
	long ret;

	lock_take(&ids->lock);
	if (r->key != IPC_PRIVATE)
		o = find_key(ids, r->key);
	if (o) {
		ret = get_found(ids, r, o);
	} else if (r->key != IPC_PRIVATE && !(r->flags & IPC_CREAT)) {
		ret = -ENOENT;
	} else {
		ret = r->create(r, &o);
		if (!ret)
			ret = o->id;
	}
	lock_drop(&ids->lock);
	return ret;
}

/* ---- rights ---- */

bool ipc_may(const struct ipc_object *o, uint32_t wanted)
{
	const struct creds *c = current_creds();
	uint32_t granted = o->mode;

	wanted |= wanted >> 6 | wanted >> 3;
	if (c->euid == o->cuid || c->euid == o->uid)
		granted >>= 6;
	else if (creds_in_group(c, o->cgid) || creds_in_group(c, o->gid))
		granted >>= 3;
	return !(wanted & ~granted & 07) || creds_capable(c, CAP_IPC_OWNER);
}

bool ipc_may_change(const struct ipc_object *o)
{
	const struct creds *c = current_creds();

	return c->euid == o->cuid || c->euid == o->uid || creds_capable(c, CAP_SYS_ADMIN);
}

void ipc_perm_show(const struct ipc_object *o, struct linux_ipc_perm *out)
{
	*out = (struct linux_ipc_perm){
		.key = o->key,
		.uid = uid_out(o->uid),
		.gid = gid_out(o->gid),
		.cuid = uid_out(o->cuid),
		.cgid = gid_out(o->cgid),
		.mode = o->mode,
		.seq = (uint16_t)(o->id >> IPC_INDEX_BITS),
	};
}

int ipc_perm_change(struct ipc_object *o, const struct linux_ipc_perm *from)
{
	uid_t uid = uid_in(from->uid);
	gid_t gid = gid_in(from->gid);

	if (uid == NO_ID || gid == NO_ID)
		return -EINVAL;
	o->uid = uid;
	o->gid = gid;
	o->mode = (o->mode & ~MODE_BITS) | (from->mode & MODE_BITS);
	return 0;
}

void ipc_for_each(struct ipc_ids *ids, void (*func)(struct ipc_object *o, void *arg),
		  void *arg)
{
	for (int page = 0; page < (int)ARRAY_SIZE(ids->slots); page++) {
		if (!atomic_load(&ids->slots[page]))
			continue;
		for (int i = 0; i < IPC_SLOTS_A_PAGE; i++) {
			struct ipc_slot *s =
				ipc_lock_index(ids, page * IPC_SLOTS_A_PAGE + i);

			if (!s)
				continue;
			func(s->object, arg);
			ipc_unlock(s);
		}
	}
}
