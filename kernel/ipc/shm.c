/* SPDX-License-Identifier: MIT */
/* shm.c - segments of System V shared memory, as objects that are mapped: a host memfd
 * each, made when it is first attached.
 *
 * An area of a segment is a user of it: forks, splits and ends of areas count. Whoever
 * takes the last away from a segment that is to be removed removes it.
 *
 * Limits against Linux: users are charged for locked segments through a table by hash of
 * their id, so that two that meet there share their RLIMIT_MEMLOCK; nothing is locked in
 * the host's memory. */
#include "ipc/shm.h"

#include "abi/capability.h"
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/mman.h"
#include "abi/resource.h"
#include "abi/stat.h"
#include "base/slab.h"
#include "host/host.h"
#include "ipc/sysv.h"
#include "lib/atomic.h"
#include "lib/hash.h"
#include "lib/printf.h"
#include "mm/commit.h"
#include "mm/policy.h"
#include "process/creds.h"
#include "process/task.h"

enum { USER_SLOTS = 64, SHM_DEVICE = 1 };

static SLAB_CACHE(shm_slab, "shm_segment", sizeof(struct shm_segment), 8);
static uint64_t locked_pages[USER_SLOTS]; /* atomic: by user */

#define SHM_HIGHEST (UINT64_MAX - (1UL << 24))
uint64_t shm_size_limit = SHM_HIGHEST;
uint64_t shm_pages_limit = SHM_HIGHEST;
int shm_rmid_forced;
uint64_t shm_pages;

static struct shm_segment *of(struct vm_object *o)
{
	return container_of(o, struct shm_segment, object);
}

static size_t pages_of(const struct shm_segment *s)
{
	return (s->size + PAGE_SIZE - 1) >> PAGE_SHIFT;
}

/* ---- life ---- */

struct shm_segment *shm_segment_create(size_t size, bool is_promised)
{
	size_t pages = is_promised ? (size + PAGE_SIZE - 1) >> PAGE_SHIFT : 0;
	struct shm_segment *s;

	if (commit_reserve(NULL, pages))
		return NULL;
	s = slab_alloc_zeroed(&shm_slab);
	if (!s) {
		commit_release(pages);
		return NULL;
	}
	s->promised = pages;
	s->object.ops = &shm_object_ops;
	ref_init(&s->refs);
	s->fd = -1;
	s->size = size;
	return s;
}

void shm_segment_put(struct shm_segment *s)
{
	if (!ref_put(&s->refs))
		return;
	if (s->fd >= 0)
		(void)host_close(s->fd);
	policies_fini(&s->policies);
	commit_release(s->promised);
	slab_free(&shm_slab, s);
}

/* Takes it out of the table. Both locks are held. */
static void take_out(struct shm_segment *s)
{
	shm_unlock(s);
	ipc_remove(&shm_ids, &s->ipc);
	s->is_removed = true;
	(void)atomic_sub(&shm_pages, pages_of(s));
}

bool shm_remove_locked(struct shm_segment *s)
{
	if (!s->attached) {
		take_out(s);
		return true;
	}
	s->ipc.mode |= SHM_DEST;
	ipc_forget_key(&shm_ids, &s->ipc);
	return false;
}

/* When nobody uses it any more. */
static bool may_go(const struct shm_segment *s)
{
	return !s->is_removed &&
	       ((s->ipc.mode & SHM_DEST) || atomic_load_relaxed(&shm_rmid_forced));
}

static bool is_to_go(const struct shm_segment *s)
{
	return !s->attached && may_go(s);
}

/* It may be used again before this has the locks. The caller has a reference. */
static void remove_unused(struct shm_segment *s)
{
	struct ipc_slot *slot = ipc_slot_of(&shm_ids, s->ipc.id);
	bool is_out = false;

	lock_take(&shm_ids.lock);
	ipc_lock_slot(slot);
	if (is_to_go(s)) {
		take_out(s);
		is_out = true;
	}
	ipc_unlock(slot);
	lock_drop(&shm_ids.lock);
	if (is_out)
		shm_segment_put(s);
}

void shm_attach(struct shm_segment *s)
{
	struct ipc_slot *slot = ipc_slot_of(&shm_ids, s->ipc.id);

	ipc_lock_slot(slot);
	s->attached++;
	s->atime = ipc_now();
	s->last = current()->process->pid;
	ipc_unlock(slot);
}

void shm_detach(struct shm_segment *s)
{
	struct ipc_slot *slot = ipc_slot_of(&shm_ids, s->ipc.id);
	bool goes;

	ipc_lock_slot(slot);
	s->attached--;
	s->dtime = ipc_now();
	s->last = current()->process->pid;
	goes = is_to_go(s);
	ipc_unlock(slot);
	if (goes)
		remove_unused(s);
}

void shm_release(struct shm_segment *s)
{
	struct ipc_slot *slot = ipc_slot_of(&shm_ids, s->ipc.id);
	bool goes;

	ipc_lock_slot(slot);
	s->attached--;
	goes = is_to_go(s);
	ipc_unlock(slot);
	if (goes)
		remove_unused(s);
	shm_segment_put(s);
}

void shm_remove_orphans(const struct task *t)
{
	uint32_t index;
	void *found;

	lock_take(&shm_ids.lock);
	for (index = 0; idr_next(&shm_ids.indices, &index, &found); index++) {
		struct shm_segment *s = shm_segment_of(found);
		struct ipc_slot *slot = ipc_slot_of(&shm_ids, s->ipc.id);
		bool is_out = false;

		ipc_lock_slot(slot);
		if (t && s->maker == t)
			s->maker = NULL;
		else if (t || s->maker)
			goto next;
		if (is_to_go(s)) {
			take_out(s);
			is_out = true;
		}
	next:
		ipc_unlock(slot);
		if (is_out)
			shm_segment_put(s);
	}
	lock_drop(&shm_ids.lock);
}

void sysv_orphan(struct task *t)
{
	if (t->made_segments)
		shm_remove_orphans(t);
}

/* ---- as an object ---- */

static void object_get(struct vm_object *o)
{
	ref_get(&of(o)->refs);
}

static void object_put(struct vm_object *o)
{
	shm_segment_put(of(o));
}

static int memory_create(size_t size)
{
	int fd = host_memfd_create("SYSV", MFD_CLOEXEC);
	int err;

	if (fd < 0)
		return fd;
	err = host_ftruncate(fd, (int64_t)ALIGN_UP(size, PAGE_SIZE));
	if (!err)
		return fd;
	(void)host_close(fd);
	return err;
}

static int object_backing(struct vm_object *o, uint64_t off, size_t size, bool shared,
			  bool exec, int *fd, int64_t *host_off)
{
	struct shm_segment *s = of(o);

	(void)size;
	(void)shared;
	(void)exec;
	*fd = atomic_load(&s->fd);
	if (*fd < 0) {
		*fd = memory_create(s->size);
		if (*fd < 0)
			return -ENOMEM;
		if (!atomic_cas(&s->fd, -1, *fd)) { /* another task was faster */
			(void)host_close(*fd);
			*fd = atomic_load(&s->fd);
		}
	}
	*host_off = (int64_t)off;
	return 0;
}

static void object_describe(struct vm_object *o, char *buf, size_t size, uint64_t *dev,
			    uint64_t *ino)
{
	(void)snprintf(buf, size, "/SYSV%08x (deleted)", (uint32_t)of(o)->first_key);
	*dev = SHM_DEVICE;
	*ino = (uint64_t)of(o)->ipc.id;
}

static void object_areas_changed(struct vm_object *o, int by)
{
	if (by > 0)
		shm_attach(of(o));
	else
		shm_detach(of(o));
}

static bool object_ends_with(struct vm_object *o, size_t areas)
{
	struct shm_segment *s = of(o);
	struct ipc_slot *slot = ipc_slot_of(&shm_ids, s->ipc.id);
	bool goes;

	ipc_lock_slot(slot);
	goes = s->attached == areas && may_go(s);
	ipc_unlock(slot);
	return goes;
}

static struct policies *object_policies(struct vm_object *o)
{
	return &of(o)->policies;
}

const struct vm_object_ops shm_object_ops = {
	.get = object_get,
	.put = object_put,
	.host_backing = object_backing,
	.describe = object_describe,
	.areas_changed = object_areas_changed,
	.ends_with = object_ends_with,
	.policies = object_policies,
};

uint64_t shm_resident(const struct shm_segment *s)
{
	struct linux_statx st;
	int fd = atomic_load(&s->fd);

	if (fd < 0 || host_statx(fd, "", AT_EMPTY_PATH, STATX_BLOCKS, &st))
		return 0;
	return st.stx_blocks * 512;
}

/* ---- locking in memory ---- */

static uint64_t *charge_of(uid_t uid)
{
	return &locked_pages[hash_u64(uid, 0) % USER_SLOTS];
}

int shm_lock(struct shm_segment *s)
{
	uid_t uid = current_creds()->uid;
	uint64_t limit = rlimit_current(RLIMIT_MEMLOCK);
	size_t pages = pages_of(s);

	if (s->ipc.mode & SHM_LOCKED)
		return 0;
	if (atomic_add(charge_of(uid), pages) + pages > limit >> PAGE_SHIFT &&
	    limit != UINT64_MAX && !capable(CAP_IPC_LOCK)) {
		(void)atomic_sub(charge_of(uid), pages);
		return -ENOMEM;
	}
	s->locker = uid;
	s->ipc.mode |= SHM_LOCKED;
	return 0;
}

void shm_unlock(struct shm_segment *s)
{
	if (!(s->ipc.mode & SHM_LOCKED))
		return;
	s->ipc.mode &= ~(uint32_t)SHM_LOCKED;
	(void)atomic_sub(charge_of(s->locker), pages_of(s));
}
