/* SPDX-License-Identifier: MIT */
/* sys_shm.c - shmget(2), shmat(2), shmdt(2). There are no huge pages: SHM_HUGETLB finds
 * none left, as on a host that has set none aside. */
#include "abi/capability.h"
#include "abi/errno.h"
#include "abi/mman.h"
#include "abi/stat.h"
#include "abi/syscall.h"
#include "fs/proc/proc.h"
#include "ipc/shm.h"
#include "lib/atomic.h"
#include "mm/commit.h"
#include "mm/mm.h"
#include "mm/usercopy.h"
#include "process/creds.h"
#include "process/task.h"

#define SHM_HUGE_SHIFT 26
enum { HUGE_SIZE_LOG_2M = 21, HUGE_SIZE_LOG_1G = 30 };

/* ---- shmget ---- */

static int check_huge(uint32_t flags)
{
	uint32_t log = flags >> SHM_HUGE_SHIFT & 0x3f;

	if (log && log != HUGE_SIZE_LOG_2M && log != HUGE_SIZE_LOG_1G)
		return -EINVAL;
	/* vm.hugetlb_shm_group is 0 */
	if (!capable(CAP_IPC_LOCK) && !creds_in_group(current_creds(), 0))
		return -EPERM;
	return -ENOMEM;
}

static int check_size(const struct ipc_request *r, uint64_t pages)
{
	uint64_t used = atomic_load(&shm_pages);

	if (!r->size || r->size > atomic_load(&shm_size_limit))
		return -EINVAL;
	if (pages << PAGE_SHIFT < r->size)
		return -ENOSPC;
	if (used + pages < used || used + pages > atomic_load(&shm_pages_limit))
		return -ENOSPC;
	if (r->flags & SHM_HUGETLB)
		return check_huge(r->flags);
	if (r->size > INT64_MAX)
		return -EINVAL;
	return 0;
}

static int segment_create(const struct ipc_request *r, struct ipc_object **out)
{
	uint64_t pages = (r->size >> PAGE_SHIFT) + !!(r->size & ~PAGE_MASK);
	struct task *t = current();
	struct shm_segment *s;
	int err = check_size(r, pages);

	if (err)
		return err;
	s = shm_segment_create(r->size, !(r->flags & SHM_NORESERVE) || !commit_may_not());
	if (!s)
		return -ENOMEM;
	s->first_key = r->key;
	s->creator = t->process->pid;
	s->maker = t;
	s->ctime = ipc_now();
	(void)atomic_add(&shm_pages, pages);
	err = ipc_add(&shm_ids, &s->ipc, r);
	if (err) {
		(void)atomic_sub(&shm_pages, pages);
		shm_segment_put(s);
		return err;
	}
	t->made_segments = true;
	*out = &s->ipc;
	return 0;
}

static int segment_check(const struct ipc_request *r, const struct ipc_object *o)
{
	return container_of(o, struct shm_segment, ipc)->size < r->size ? -EINVAL : 0;
}

long sys_shmget(struct task *t, int key, size_t size, int flags)
{
	struct ipc_request r = {
		.key = key,
		.flags = (uint32_t)flags,
		.size = size,
		.create = segment_create,
		.check = segment_check,
	};

	(void)t;
	return ipc_get(&shm_ids, &r);
}

/* ---- shmat ---- */

/* The segment, attached once, if the caller may have it so. */
static int segment_take(int id, uint32_t wanted, struct shm_segment **out)
{
	struct ipc_slot *slot = ipc_lock(&shm_ids, id);
	struct shm_segment *s;
	int err = 0;

	if (!slot)
		return -EINVAL;
	s = shm_segment_of(slot->object);
	if (ipc_may(&s->ipc, wanted)) {
		ref_get(&s->refs);
		s->attached++;
	} else {
		err = -EACCES;
	}
	ipc_unlock(slot);
	*out = s;
	return err;
}

/* Makes the address that was asked for a multiple of the page size. */
static int check_address(uaddr_t *addr, int flags)
{
	if (!*addr)
		return flags & SHM_REMAP ? -EINVAL : 0;
	if (!(*addr & ~PAGE_MASK))
		return 0;
	if (!(flags & SHM_RND))
		return -EINVAL;
	*addr &= PAGE_MASK;
	return !*addr && (flags & SHM_REMAP) ? -EINVAL : 0;
}

static long map(struct task *t, struct shm_segment *s, uaddr_t addr, bool is_fixed,
		int flags)
{
	uint32_t prot = PROT_READ;
	uint32_t map_flags = MAP_SHARED;
	uint32_t vma_flags = 0;
	size_t size = ALIGN_UP(s->size, PAGE_SIZE);
	long ret;

	if (flags & SHM_RDONLY)
		vma_flags |= VMA_NOWRITE | VMA_READER;
	else
		prot |= PROT_WRITE;
	if (flags & SHM_EXEC)
		prot |= PROT_EXEC;
	if (is_fixed) {
		map_flags |= flags & SHM_REMAP ? MAP_FIXED : MAP_FIXED_NOREPLACE;
		if (!(flags & SHM_REMAP) && addr + size < addr)
			return -EINVAL;
	}
	ret = mm_map(t->mm, addr, size, prot, map_flags, &s->object, 0, vma_flags);
	return ret == -EEXIST ? -EINVAL : ret;
}

long sys_shmat(struct task *t, int id, uaddr_t addr, int flags)
{
	uint32_t wanted = flags & SHM_RDONLY ? S_IRUGO : S_IRUGO | S_IWUGO;
	bool is_fixed = addr != 0;
	struct shm_segment *s;
	long ret = check_address(&addr, flags);

	if (id < 0 || ret)
		return -EINVAL;
	if (flags & SHM_EXEC)
		wanted |= S_IXUGO;
	ret = segment_take(id, wanted, &s);
	if (ret)
		return ret;
	ret = map(t, s, addr, is_fixed, flags);
	shm_release(s);
	return ret;
}

long sys_shmdt(struct task *t, uaddr_t addr)
{
	return mm_detach(t->mm, addr, &shm_object_ops);
}
