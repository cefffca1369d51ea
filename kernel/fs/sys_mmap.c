/* SPDX-License-Identifier: MIT */
/* sys_mmap.c - mmap, munmap, mprotect, mremap, brk, madvise, msync, mincore and the mlock
 * family: decoded here, done by mm/. */
#include "abi/errno.h"
#include "abi/mman.h"
#include "abi/stat.h"
#include "abi/statfs.h"
#include "abi/syscall.h"
#include "fs/fdtable.h"
#include "fs/file.h"
#include "fs/mount.h"
#include "fs/notify.h"
#include "fs/vfs.h"
#include "mm/commit.h"
#include "mm/limits.h"
#include "mm/mm.h"
#include "mm/usercopy.h"
#include "process/task.h"

/* What MAP_SHARED_VALIDATE knows. */
#define MAP_KNOWN                                                                        \
	((uint64_t)(MAP_TYPE | MAP_FIXED | MAP_ANONYMOUS | MAP_32BIT | MAP_ABOVE4G |     \
		    MAP_GROWSDOWN | MAP_DENYWRITE | MAP_EXECUTABLE | MAP_LOCKED |        \
		    MAP_NORESERVE | MAP_POPULATE | MAP_NONBLOCK | MAP_STACK |            \
		    MAP_HUGETLB | MAP_FIXED_NOREPLACE | MAP_UNINITIALIZED) |             \
	 (uint64_t)MAP_HUGE_MASK << MAP_HUGE_SHIFT)

enum {
	DEV_ZERO = (1 << 8) | 5,
	PROT_ANY = PROT_READ | PROT_WRITE | PROT_EXEC,
};

/* off: of /dev/zero. What lies above the size, which is that of the mapping, cannot be
 * reached. */
static long map_anonymous(struct task *t, uaddr_t addr, size_t size, uint32_t prot,
			  uint32_t flags, uint32_t vma_flags, uint64_t off)
{
	struct vm_object *object;
	long result;

	if ((flags & MAP_TYPE) == MAP_PRIVATE)
		return mm_map(t->mm, addr, size, prot, flags, NULL, 0, 0);
	if (!size)
		return -EINVAL;
	object = shared_memory_create(ALIGN_UP(size, PAGE_SIZE),
				      !(flags & MAP_NORESERVE) || !commit_may_not());
	if (!object)
		return -ENOMEM;
	result = mm_map(t->mm, addr, size, prot, flags, object, off, vma_flags);
	object->ops->put(object);
	return result;
}

static bool is_noexec(const struct file *f)
{
	const struct mount *m = f->path.mount;

	return ((m->flags & MS_NOEXEC) || (f->inode->sb->flags & SB_NOEXEC)) &&
	       !m->is_internal;
}

/* What the way the file was opened allows. Adds to vma_flags. */
static int check_file(const struct file *f, uint32_t prot, uint64_t flags,
		      uint32_t *vma_flags)
{
	uint64_t type = flags & MAP_TYPE;
	bool shared = type != MAP_PRIVATE;

	if (type != MAP_SHARED && type != MAP_PRIVATE && type != MAP_SHARED_VALIDATE)
		return -EINVAL;
	if (type == MAP_SHARED_VALIDATE &&
	    (flags & ~(MAP_KNOWN & ~(uint64_t)MAP_FIXED_NOREPLACE)))
		return -EOPNOTSUPP;
	if (shared && (prot & PROT_WRITE) && !(f->mode & FMODE_WRITE))
		return -EACCES;
	if (shared && (prot & PROT_WRITE) && (f->inode->flags & INODE_APPEND))
		return -EACCES;
	if (!(f->mode & FMODE_READ))
		return -EACCES;
	if ((prot & PROT_EXEC) && is_noexec(f))
		return -EPERM;
	if (shared && !(f->mode & FMODE_WRITE))
		*vma_flags |= VMA_NOWRITE | VMA_READER;
	return 0;
}

/* Memory that may be taken away, which the host does not: private, and not copied by
 * fork. */
static long map_droppable(struct task *t, uaddr_t addr, size_t size, uint32_t prot,
			  uint32_t flags)
{
	long result;

	if (flags & (MAP_LOCKED | MAP_GROWSDOWN))
		return -EINVAL;
	flags = (flags & ~(uint32_t)MAP_TYPE) | MAP_PRIVATE;
	result = mm_map(t->mm, addr, size, prot, flags, NULL, 0,
			VMA_DROPPABLE | VMA_NORESERVE | VMA_WIPEONFORK | VMA_DONTDUMP);
	if (result >= 0) /* as the host is to know */
		(void)mm_advise(t->mm, (uaddr_t)result, size, MADV_WIPEONFORK);
	return result;
}

/* READ_IMPLIES_EXEC, but for files that must not be executed. */
static uint32_t prot_implied(uint32_t prot, const struct file *f)
{
	if (likely(!mm_read_implies_exec()) || !(prot & PROT_READ))
		return prot;
	return f && is_noexec(f) ? prot : prot | PROT_EXEC;
}

/* What of f is to be mapped: itself, or something with a reference for the caller. */
static int map_object(struct file *f, uint64_t off, size_t size, struct vm_object **out)
{
	if (f->ops && f->ops->map)
		return f->ops->map(f, off, size, out);
	if (!f->ops || !f->ops->host_backing)
		return -ENODEV;
	*out = &f->object;
	return 0;
}

/* Offsets are positions in it; others may mean anything by them. */
static bool has_file_size(uint32_t mode)
{
	return S_ISREG(mode) || S_ISBLK(mode) || S_ISSOCK(mode);
}

static long map_file(struct task *t, uaddr_t addr, size_t size, uint32_t prot,
		     uint64_t all_flags, int fd, uint64_t off)
{
	uint32_t flags = (uint32_t)(all_flags & MAP_KNOWN);
	struct fdref ref = fd_get(fd);
	struct vm_object *object = NULL;
	uint32_t vma_flags = 0;
	struct file *f = ref.file;
	int64_t pos = (int64_t)off;
	uint64_t end;
	long result;

	if (!f)
		return -EBADF;
	if ((flags & MAP_HUGETLB) || !size) {
		result = -EINVAL;
	} else if (__builtin_add_overflow(off, ALIGN_UP(size, PAGE_SIZE), &end) ||
		   (end > INT64_MAX && has_file_size(f->inode->mode))) {
		result = -EOVERFLOW;
	} else if (S_ISCHR(f->inode->mode) && f->inode->rdev == DEV_ZERO) {
		result = check_file(f, prot, all_flags, &vma_flags);
		if (!result && (flags & MAP_GROWSDOWN))
			result = -EINVAL;
		if (!result)
			result = map_anonymous(t, addr, size, prot, flags | MAP_ANONYMOUS,
					       vma_flags, off);
	} else {
		prot = prot_implied(prot, f);
		result = check_file(f, prot, all_flags, &vma_flags);
		if (!result)
			result = map_object(f, off, size, &object);
		if (!result && (flags & MAP_GROWSDOWN))
			result = -EINVAL;
		if (!result && (int64_t)(off + size) < 0)
			result = -EOVERFLOW;
		if (!result)
			result = file_ask_fill(f, &pos, size);
		if (!result)
			result = mm_map(t->mm, addr, size, prot, flags, object, off,
					vma_flags);
		if (object && object != &f->object)
			object->ops->put(object);
		if (result >= 0)
			file_accessed(f);
	}
	fd_put(ref);
	return result;
}

/* None are set aside, of either size. */
static long check_huge_page(uint64_t flags)
{
	uint64_t log = flags >> MAP_HUGE_SHIFT & MAP_HUGE_MASK;

	return log && log != 21 && log != 30 ? -EINVAL : -ENOMEM;
}

static long map_any(struct task *t, uaddr_t addr, size_t size, uint32_t prot,
		    uint64_t flags, int fd, uint64_t off)
{
	uint64_t type = flags & MAP_TYPE;

	if (!(flags & MAP_ANONYMOUS))
		return map_file(t, addr, size, prot, flags, fd, off);
	if (flags & MAP_HUGETLB)
		return type == MAP_DROPPABLE ? -EINVAL : check_huge_page(flags);
	if (type == MAP_DROPPABLE)
		return map_droppable(t, addr, size, prot_implied(prot, NULL),
				     (uint32_t)(flags & MAP_KNOWN));
	if (type != MAP_PRIVATE && (type != MAP_SHARED || (flags & MAP_GROWSDOWN)))
		return -EINVAL;
	return map_anonymous(t, addr, size, prot_implied(prot, NULL),
			     (uint32_t)(flags & MAP_KNOWN), 0, 0);
}

long sys_mmap(struct task *t, uaddr_t addr, size_t size, uint64_t prot, uint64_t flags,
	      int fd, uint64_t off)
{
	long result;
	int err;

	if (off & ~PAGE_MASK)
		return -EINVAL;
	if (!(flags & MAP_FIXED) && !(flags & MAP_FIXED_NOREPLACE))
		addr &= PAGE_MASK;
	result = map_any(t, addr, size, (uint32_t)prot & PROT_ANY, flags, fd, off);
	if (likely(result >= 0) || result == -EBADF || (flags & MAP_HUGETLB))
		return result;
	/* Linux looks at the place before what is to be mapped there. */
	err = mm_map_check(t->mm, addr, size, (uint32_t)(flags & MAP_KNOWN));
	return err ? err : result;
}

long sys_remap_file_pages(struct task *t, uaddr_t addr, size_t size, uint64_t prot,
			  uint64_t page, uint64_t flags)
{
	if (prot)
		return -EINVAL;
	return mm_remap_pages(t->mm, addr, size, page, (uint32_t)flags & MAP_NONBLOCK);
}

long sys_mseal(struct task *t, uaddr_t addr, size_t size, uint64_t flags)
{
	return flags ? -EINVAL : mm_seal(t->mm, addr, size);
}

long sys_munmap(struct task *t, uaddr_t addr, size_t size)
{
	return mm_unmap(t->mm, addr, size);
}

long sys_mprotect(struct task *t, uaddr_t addr, size_t size, uint64_t prot)
{
	prot |= prot_implied((uint32_t)prot, NULL);
	return mm_protect(t->mm, addr, size, prot, -1);
}

/* No protection keys: only the default one, -1, is there. */
long sys_pkey_mprotect(struct task *t, uaddr_t addr, size_t size, uint64_t prot, int pkey)
{
	prot |= prot_implied((uint32_t)prot, NULL);
	return mm_protect(t->mm, addr, size, prot, pkey);
}

long sys_pkey_alloc(struct task *t, uint64_t flags, uint64_t rights)
{
	(void)t;
	if (flags || (rights & ~(uint64_t)(PKEY_DISABLE_ACCESS | PKEY_DISABLE_WRITE)))
		return -EINVAL;
	return -ENOSPC;
}

long sys_pkey_free(struct task *t, int pkey)
{
	(void)t;
	(void)pkey;
	return -EINVAL;
}

long sys_mremap(struct task *t, uaddr_t addr, size_t old_size, size_t new_size,
		uint64_t flags, uaddr_t new_addr)
{
	if (flags & ~(uint64_t)(MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP))
		return -EINVAL;
	return mm_remap(t->mm, addr, old_size, new_size, (uint32_t)flags, new_addr);
}

long sys_brk(struct task *t, uaddr_t addr)
{
	return (long)mm_brk(t->mm, addr);
}

long sys_madvise(struct task *t, uaddr_t addr, size_t size, int advice)
{
	return mm_advise(t->mm, addr, size, advice);
}

long sys_msync(struct task *t, uaddr_t addr, size_t size, int flags)
{
	return mm_sync(t->mm, addr, size, (uint32_t)flags);
}

long sys_mincore(struct task *t, uaddr_t addr, size_t size, uaddr_t vec)
{
	return mm_mincore(t->mm, addr, size, vec);
}

long sys_mlock(struct task *t, uaddr_t addr, size_t size)
{
	return mm_lock_range(t->mm, addr, size, 0);
}

long sys_mlock2(struct task *t, uaddr_t addr, size_t size, int flags)
{
	return flags & ~MLOCK_ONFAULT ? -EINVAL : mm_lock_range(t->mm, addr, size, flags);
}

long sys_munlock(struct task *t, uaddr_t addr, size_t size)
{
	return mm_unlock_range(t->mm, addr, size);
}

long sys_mlockall(struct task *t, int flags)
{
	if (!flags || (flags & ~(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT)) ||
	    flags == MCL_ONFAULT)
		return -EINVAL;
	return mm_lock_all(t->mm, flags);
}

long sys_munlockall(struct task *t)
{
	return mm_lock_all(t->mm, 0);
}
