/* SPDX-License-Identifier: MIT */
/* mm.h - a guest address space: its areas and the host mappings behind them.
 *
 * A struct mm belongs to one host address space; every function here that changes it must
 * run in a task whose mm it is (current()->mm), because host mappings can be made only
 * from inside. Areas never overlap, are sorted by address, and say what /proc/PID/maps
 * shows. */
#pragma once
#include "abi/types.h"
#include "base/lock.h"
#include "base/ref.h"
#include "lib/list.h"
#include "lib/tree.h"
#include "mm/object.h"

enum vma_flags {
	VMA_SHARED = 1 << 0,
	VMA_GROWSDOWN = 1 << 1,
	VMA_STACK = 1 << 2,  /* the initial stack: [stack] */
	VMA_HEAP = 1 << 3,   /* brk: [heap] */
	VMA_VDSO = 1 << 4,   /* [vdso] or [vvar]: host mapping stays when unmapped */
	VMA_HIDDEN = 1 << 5, /* trampolines: not shown, not the guest's */
	VMA_LOCKED = 1 << 6,
	VMA_DONTFORK = 1 << 7,
	VMA_WIPEONFORK = 1 << 8,
	VMA_NORESERVE = 1 << 9,
	VMA_PATCHED = 1 << 10, /* pages of it come from the patch cache */
	VMA_TOUCHED = 1 << 11, /* private, was writable once: never patch */
	VMA_VVAR = 1 << 12,
	VMA_DONTDUMP = 1 << 13,
	VMA_MAYWRITE = 1 << 14,	  /* shared mapping of a file open for writing: counted */
	VMA_NOWRITE = 1 << 15,	  /* shared file mapping that may never be written to */
	VMA_SEALED = 1 << 16,	  /* mseal: stays as it is */
	VMA_DONTEXPAND = 1 << 17, /* mremap must not make it larger */
	VMA_UFFD_MISSING = 1 << 18, /* registered with userfaultfd(2): mm/uffd.h */
	VMA_UFFD_WP = 1 << 19,
	VMA_UFFD_MINOR = 1 << 20,
	VMA_DROPPABLE = 1 << 23,   /* MAP_DROPPABLE: never locked, copied or dumped */
	VMA_ACCOUNT = 1 << 22,	   /* its size is promised memory: mm/commit.h */
	VMA_GUARD = 1 << 26,	   /* may have guards (madvise): as on Linux for good */
	VMA_LOCKONFAULT = 1 << 24, /* with VMA_LOCKED: as they are touched */
	VMA_READER =
		1 << 25, /* with VMA_NOWRITE: of a file that is open for reading only */
	VMA_VSYSCALL = 1 << 21, /* no area of an mm: for /proc/PID/maps */
	/* madvise(2): kept and shown. */
	VMA_SEQ_READ = 1 << 27,
	VMA_RAND_READ = 1 << 28,
	VMA_MERGEABLE = 1 << 29, /* no pages are merged */
	VMA_HUGEPAGE = 1 << 30,
};
#define VMA_NOHUGEPAGE (1U << 31) /* no int */

/* In fork_id: it had pages when it was looked at. */
#define FORK_ID_SURE (1U << 31)

struct vma {
	struct tree_node node;
	uaddr_t start;
	uaddr_t end;
	uint64_t off;		  /* of start in the object */
	struct vm_object *object; /* ref; NULL: private anonymous */
	uint32_t prot;		  /* PROT_* */
	uint32_t flags;		  /* enum vma_flags */
	uint32_t policy;	  /* mbind(2): see mm/policy.h */
	uint32_t fork_id; /* private, and came by fork: which of all; 0: it did not */
	struct vma_name *name; /* ref: mm/name.h; NULL: none */
	struct uffd *uffd;     /* ref; NULL: not registered with any */
	size_t gap;	       /* free bytes below it: mm/vma_gap.c */
	size_t gap_max;	       /* the largest such in its subtree */
};

/* Arguments and environment as given to exec, for other processes' /proc: fork shares
 * them. */
struct saved_strings {
	struct ref refs;
	size_t args_size;
	size_t env_size;
	char data[]; /* arguments, then environment */
};

/* What was last seen of an address space and its host process: fs/proc/pid_memory.c. */
struct mm_use {
	nsec_t at;		  /* CLOCK_MONOTONIC; 0: never */
	nsec_t cost;		  /* how long it took to learn that */
	size_t anon, file, shmem; /* resident pages */
	size_t swap;		  /* pages that the host has swapped out */
	size_t peak;		  /* of resident pages */
	size_t kernel;		  /* resident pages of the host process beside these */
	size_t floor; /* what the host's peak was when this address space was new */
	uint64_t min_faults, maj_faults;
	uint64_t in_blocks, out_blocks;		    /* of 512 bytes */
	size_t anon_share, file_share, shmem_share; /* where others have pages, too */
	uint8_t wants; /* what was as new as the rest: enum memory_want */
	bool own_peak; /* the host cannot reset its peak: of what was seen since */
};

#define AUXV_WORDS 56

struct mm {
	struct ref refs;    /* processes that share it */
	struct lock lock;   /* RANK_MM */
	struct tree areas;  /* guarded by lock; struct vma by start */
	size_t total_pages; /* mapped, for RLIMIT_AS and VmSize */
	size_t peak_pages;  /* the most of these: VmPeak */
	size_t data_pages;  /* private writable, for RLIMIT_DATA */
	size_t locked_pages;
	size_t stack_pages;
	size_t area_count;    /* that the guest sees, for vm.max_map_count */
	struct uffd_mm *uffd; /* atomic: ref: userfaultfd(2) was called; NULL: never */
	uaddr_t mmap_top;     /* allocations go down from here */
	uaddr_t stack_low;    /* atomic: lock to write: where the first stack begins */
	uaddr_t stack_reach;  /* atomic: lock to write: and what lies below it ends */
	uaddr_t mmap_bottom;  /* or up from here (ADDR_COMPAT_LAYOUT): 0: down */
	uaddr_t brk_start;
	uaddr_t brk_end;
	uaddr_t code_start, code_end, data_start, data_end;
	uaddr_t stack_start; /* what the first stack pointer was */
	uint64_t growths;    /* lock: of areas that grow down, by faults */
	uaddr_t arg_start, arg_end, env_start, env_end;
	uint64_t auxv[AUXV_WORDS];    /* as in the first stack; lock */
	struct saved_strings *saved;  /* ref: NULL: none */
	struct vm_object *exe;	      /* lock: ref: /proc/PID/exe */
	uaddr_t vdso_start, vdso_end; /* host mappings that outlive unmapping, 0: none */
	uint64_t id;		      /* unique: private futex key */
	uint64_t family;	      /* that of the exec it comes from, by forks */
	uint32_t fork_ids;	      /* given out: struct vma.fork_id */
	uint64_t patch_generation;    /* arch/: how new the patched pages are */
	uint64_t patch_copied;	      /* arch/: and those that mm_copy_hook gave */
	bool no_huge_pages;	      /* PR_SET_THP_DISABLE: kept, the host decides */
	bool merges;		      /* PR_SET_MEMORY_MERGE: kept, no pages are merged */
	uint8_t mdwe;		      /* atomic: PR_SET_MDWE: PR_MDWE_* */
	bool no_patch;		      /* a task owns %gs */
	bool patch_late;	      /* what it maps is patched at its first trap */
	uint32_t lock_future;	      /* mlockall(2) with MCL_FUTURE: its flags */
	struct mm_use use;	      /* lock */
	void *aio;		      /* event/: contexts of io_setup; see mm_gone_hook */
};

/* Returns an empty mm with one reference, or NULL. */
struct mm *mm_create(void);
/* The child's copy for fork: the areas, not the host mappings, which the host's clone
 * makes while the same mm->lock is still held. events gets what is then to be posted
 * (mm/uffd.h). NULL: no memory. */
struct mm *mm_copy_locked(struct mm *mm, struct list *events);
/* What a new mm has of that of the task that execs or forks. */
void mm_inherit(struct mm *mm, const struct mm *from);
void mm_get(struct mm *mm);
void mm_put(struct mm *mm);
/* Bytes of the auxiliary vector up to and with AT_NULL. */
size_t mm_auxv_size(const struct mm *mm);
/* What /proc/PID/exe shows: a reference, or NULL. Takes mm->lock. */
struct vm_object *mm_exe_get(struct mm *mm) MUST_CHECK;
/* Keeps a copy of args_size + env_size bytes; does without if there is no memory. */
void mm_save_strings(struct mm *mm, const char *data, size_t args_size, size_t env_size);
/* Unmaps everything in the calling host process, which must be the mm's. */
void mm_clear(struct mm *mm);

/* What mmap(2) does. Returns the address or -errno. Takes a reference of its own to
 * object. */
long mm_map(struct mm *mm, uaddr_t addr, size_t size, uint32_t prot, uint32_t flags,
	    struct vm_object *object, uint64_t off, uint32_t vma_flags);
/* What mm_map() would find wrong with the place and the size: for who has found something
 * else that is wrong, of which Linux hears later. */
int mm_map_check(struct mm *mm, uaddr_t addr, size_t size, uint32_t flags) MUST_CHECK;
int mm_unmap(struct mm *mm, uaddr_t addr, size_t size);
/* shmdt(2): unmaps what is left of a mapping that began at addr, of one of the objects
 * with these operations. -EINVAL: there is none. */
int mm_detach(struct mm *mm, uaddr_t addr, const struct vm_object_ops *ops);
/* A free range for the segments of an object that is to be mapped with MAP_FIXED, the
 * patcher's room kept above it; at hint if that is free, else a multiple of align, a
 * power of two. Nothing is mapped: for an mm that one task alone uses. An address or
 * -ENOMEM, -EINVAL. */
long mm_find_room(struct mm *mm, uaddr_t hint, size_t size, size_t align,
		  struct vm_object *object);
/* prot: with PROT_GROWSDOWN and the like; there is no key but -1. */
int mm_protect(struct mm *mm, uaddr_t addr, size_t size, uint64_t prot, int pkey);
long mm_remap(struct mm *mm, uaddr_t addr, size_t old_size, size_t new_size,
	      uint32_t flags, uaddr_t new_addr);
/* remap_file_pages(2): flags: MAP_NONBLOCK. */
int mm_remap_pages(struct mm *mm, uaddr_t addr, size_t size, uint64_t page,
		   uint32_t flags);
int mm_seal(struct mm *mm, uaddr_t addr, size_t size);
uaddr_t mm_brk(struct mm *mm, uaddr_t end);
int mm_advise(struct mm *mm, uaddr_t addr, size_t size, int advice);
int mm_sync(struct mm *mm, uaddr_t addr, size_t size, uint32_t flags);

/* mlock(2) family. flags: MLOCK_ONFAULT. */
int mm_lock_range(struct mm *mm, uaddr_t addr, size_t size, int flags);
int mm_unlock_range(struct mm *mm, uaddr_t addr, size_t size);
int mm_lock_all(struct mm *mm, int flags); /* MCL_*; 0: munlockall */
/* mincore(2): vec_out in the guest. */
int mm_mincore(struct mm *mm, uaddr_t addr, size_t size, uaddr_t vec_out);
/* A fault at addr below a growing area: true when it was grown, or has been meanwhile,
 * and the access may be tried again. seen: the task's own, how many growths it knows. */
bool mm_grow(struct mm *mm, uaddr_t addr, uint64_t *seen);
/* addr may be where the first stack has not grown to yet: what is to be accessed there by
 * the host, or under a lock, cannot wait for a fault. */
static inline bool mm_is_below_stack(const struct mm *mm, uaddr_t addr)
{
	return unlikely(addr >= __atomic_load_n(&mm->stack_reach, __ATOMIC_RELAXED) &&
			addr < __atomic_load_n(&mm->stack_low, __ATOMIC_RELAXED));
}
/* A vm_object of shared anonymous memory (host memfd), with one reference; NULL: no
 * memory or descriptors. is_promised: counted in Committed_AS. */
struct vm_object *shared_memory_create(size_t size, bool is_promised);

/* The first area that ends above addr, or NULL. mm->lock held. */
struct vma *vma_find(struct mm *mm, uaddr_t addr);
struct vma *vma_next(struct vma *v);
/* Walks areas in order with the lock held; stops when func returns non-zero, which it
 * returns. Hidden ones are left out. */
int mm_for_each_vma(struct mm *mm, int (*func)(struct vma *v, void *arg), void *arg);
/* The key of a futex word in a shared area: a number of what vm_object_ops.identity says,
 * which nothing else ever has, also when it is gone, and the offset; false when addr is
 * not in a shared area. */
bool mm_shared_key(struct mm *mm, uaddr_t addr, uint64_t *number, uint64_t *off);
