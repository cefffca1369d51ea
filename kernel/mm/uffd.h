/* SPDX-License-Identifier: MIT */
/* uffd.h - userfaultfd(2): memory whose faults a program deals with itself.
 *
 * A struct uffd is what one descriptor stands for; areas that are registered with it hold
 * references (vma->uffd). Of each of their pages is known (struct uffd_mm, one for an
 * mm): whether it is there, whether it is write-protected, whether it is poisoned. The
 * host's mapping is made to fault where the guest's would: pages that are not there carry
 * guard markers (MADV_GUARD_INSTALL; PROT_NONE on hosts that have none), protected ones
 * are read-only. The host's SIGSEGV becomes uffd_fault(), which queues a message and
 * sleeps.
 *
 * The truth about shared memory is its memfd: a page that is "not there" may have got
 * its data meanwhile; the fault looks. All changes to the host's mappings are made under
 * mm->lock in the host process of the mm, also for callers in others (mm/job.h).
 *
 * When the descriptor is closed, or after a fork that it is not told of, areas stay
 * behind whose pages nobody will provide: uffd_settle_locked() makes ordinary memory of
 * them, at the latest at the next fault. */
#pragma once
#include "abi/userfaultfd.h"
#include "base/lock.h"
#include "base/ref.h"
#include "base/waitq.h"
#include "lib/list.h"
#include "lib/tree.h"
#include "mm/mm.h"
#include "mm/vma.h"

struct cpu;

#define VMA_UFFD (VMA_UFFD_MISSING | VMA_UFFD_WP | VMA_UFFD_MINOR)

/* ---- pages (uffd_page.c); mm->lock held ---- */

enum uffd_bit {
	UFFD_THERE = 1,	    /* areas with VMA_UFFD_MISSING or MINOR: may be accessed */
	UFFD_PROTECTED = 2, /* writes fault */
	UFFD_POISONED = 4,  /* SIGBUS */
};

struct uffd_mm {
	struct ref refs;
	struct lock lock; /* RANK_OBJECT2: mm alone */
	struct mm *mm;	  /* lock: NULL: it is gone */
	struct tree
		chunks; /* mm->lock: struct uffd_chunk; pages without one have no bits */
	uint32_t chunk_count; /* mm->lock */
	uint64_t drops;	      /* mm->lock: changes when an area stops being registered */
	bool is_stale;	      /* atomic: there may be areas for uffd_settle_locked() */
};

/* The one of mm, made when there is none yet; mm->lock held. NULL: no memory. */
struct uffd_mm *uffd_mm_make(struct mm *mm);
void uffd_mm_get(struct uffd_mm *um);
void uffd_mm_put(struct uffd_mm *um);
/* A reference to the mm, or NULL when it is gone. */
struct mm *uffd_mm_pin(struct uffd_mm *um);
/* mm ends: its descriptors find nothing any more. */
void uffd_mm_end(struct uffd_mm *um);

/* Makes sure that bits can be set in the range. -ENOMEM: also when there are bits for too
 * much of the address space. */
int uffd_pages_reserve(struct uffd_mm *um, uaddr_t start, uaddr_t end) MUST_CHECK;
/* Sets and clears bits of all pages of the range; those that are set must be reserved. */
void uffd_pages_change(struct uffd_mm *um, uaddr_t start, uaddr_t end, uint32_t set,
		       uint32_t clear);
uint32_t uffd_page_bits(const struct uffd_mm *um, uaddr_t addr);
/* The bits of addr's page, and in *run_end where pages with the same bits end, at most
 * end. */
uint32_t uffd_pages_run(const struct uffd_mm *um, uaddr_t addr, uaddr_t end,
			uaddr_t *run_end);
void uffd_pages_forget(struct uffd_mm *um, uaddr_t start, uaddr_t end);
/* Moves the bits of a range; the new place is reserved for that and has none. */
int uffd_pages_reserve_move(struct uffd_mm *um, uaddr_t from, uaddr_t to,
			    size_t size) MUST_CHECK;
void uffd_pages_move(struct uffd_mm *um, uaddr_t from, uaddr_t to, size_t size);
int uffd_pages_copy(const struct uffd_mm *from, struct uffd_mm *to) MUST_CHECK;

/* ---- the host's mappings (uffd_host.c); mm->lock held ---- */

/* Makes the host's protections of a part of v what its pages' bits say; discard: what
 * pages that are not there hold is dropped. */
int uffd_apply(struct mm *mm, const struct vma *v, uaddr_t start, uaddr_t end,
	       bool discard) MUST_CHECK;
/* The same for what nothing is lost of by giving up: -EINTR when the caller must die. */
int uffd_apply_killable(struct mm *mm, const struct vma *v, uaddr_t start,
			uaddr_t end) MUST_CHECK;
/* Makes all of it inaccessible, for a change in several steps. -EINTR. */
int uffd_hide(struct mm *mm, uaddr_t start, uaddr_t end) MUST_CHECK;
/* Sets a bit for the pages of a part of a private area that the host has. is_hidden: it
 * is just so, and may be made readable, but not writable. */
int uffd_learn(struct mm *mm, uaddr_t start, uaddr_t end, uint32_t bit,
	       bool is_hidden) MUST_CHECK;
/* True if the host has the page of a private area, or the object that of a shared one. */
int uffd_is_there(struct mm *mm, const struct vma *v, uaddr_t addr,
		  bool is_hidden) MUST_CHECK;
/* The data of an area's object lie in a memfd: the descriptor, and where v's addr is in
 * it. -errno. */
int uffd_shared_place(const struct vma *v, uaddr_t addr, int *fd, int64_t *off);

extern bool uffd_host_swaps; /* the host may have swapped out what it does not show */

#define UFFD_FILL_MAX 0xf000UL /* bytes at once */
struct uffd_fill;	       /* with room for the data */
struct uffd_fill *uffd_fill_create(size_t size);
char *uffd_fill_data(struct uffd_fill *f);
void uffd_fill_destroy(struct uffd_fill *f);
/* Puts size bytes of (*f)'s data at dst, in a private area of protection prot, at once
 * for all threads. When src is not 0, they are taken from there first, and that memory is
 * read-only and empty afterwards: see uffd_apply(). *f becomes NULL if it was lost. */
int uffd_fill_run(struct uffd_fill **f, struct mm *mm, uaddr_t dst, uaddr_t src,
		  size_t size, uint32_t prot) MUST_CHECK;

/* ---- the object (uffd.c) ---- */

struct uffd {
	struct ref refs;     /* the file, areas, those who wait */
	struct lock lock;    /* RANK_OBJECT */
	struct uffd_mm *um;  /* ref; const */
	uint32_t flags;	     /* const: UFFD_USER_MODE_ONLY, O_NONBLOCK, O_CLOEXEC */
	uint64_t features;   /* atomic: UFFD_FEATURE_*, UFFD_INITIALIZED */
	bool is_released;    /* atomic: the descriptor is closed */
	int changing;	     /* atomic: events that nobody has read yet: see uffd_event */
	struct list pending; /* lock: struct uffd_wait that were not read yet */
	struct list seen;    /* lock: those that were */
	struct list events;  /* lock: struct uffd_event */
	struct waitq readable;
};

#define UFFD_INITIALIZED (1UL << 31)

/* One that waits for a page: on its stack. */
struct uffd_wait {
	struct list link;
	struct uffd *uffd; /* ref */
	struct uffd_msg msg;
	uaddr_t page;
	bool is_woken; /* uffd->lock */
	struct waitq queue;
};

/* Something that the reader must hear of. Whoever caused it waits until it has been read;
 * meanwhile, from its making on, nothing can be put into the memory (-EAGAIN). */
struct uffd_event {
	struct list link;
	struct uffd *uffd;   /* ref */
	struct uffd *forked; /* ref: UFFD_EVENT_FORK: the child's */
	struct uffd_msg msg;
	bool is_read; /* uffd->lock */
	struct waitq queue;
	struct list *rest; /* what is to be posted next: on the stack of who waits */
};

struct uffd *uffd_create(struct uffd_mm *um, uint32_t flags, uint64_t features);
void uffd_get(struct uffd *u);
void uffd_put(struct uffd *u);
/* The descriptor is closed: all that wait go on. */
void uffd_release(struct uffd *u);
/* Nobody looks after v any more. */
bool uffd_is_dead(const struct mm *mm, const struct vma *v);
static inline bool uffd_has(const struct uffd *u, uint64_t feature)
{
	return __atomic_load_n(&u->features, __ATOMIC_RELAXED) & feature;
}
/* Lets those go on that wait for pages in the range. */
void uffd_wake(struct uffd *u, uaddr_t start, size_t size);
/* Adds an event to list; false: no memory, it is not told. */
bool uffd_event_add(struct list *events, struct uffd *u, const struct uffd_msg *msg,
		    struct uffd *forked);
/* Posts all of a list, and waits until they have been read. No locks held. */
void uffd_events_post(struct list *events);
/* Nothing came of it. */
void uffd_events_drop(struct list *events);
/* The host process of c is gone: whatever it waited for here, it waits no more. */
void uffd_abandon(struct cpu *c);

enum uffd_verdict {
	UFFD_NOT_MINE, /* a fault like any other */
	UFFD_RETRY,    /* the access may be tried again, or a signal is to be seen */
	UFFD_SIGBUS,
	UFFD_HWPOISON,
	UFFD_KILLED, /* the task must die */
};

struct uffd_access {
	uaddr_t addr;
	bool is_write, is_exec;
	bool is_user; /* guest code; else one of the kernel's accesses */
	pid_t tid;
	uint64_t *drops_seen; /* the task's own: see uffd_fault() */
};

/* A fault in mm: waits for whoever deals with it. No locks held. */
enum uffd_verdict uffd_fault(struct mm *mm, const struct uffd_access *a);

/* ---- areas (uffd_area.c) ---- */

/* What the ioctls do. modes: VMA_UFFD_*. */
int uffd_register(struct uffd *u, uaddr_t start, uaddr_t end, uint32_t modes) MUST_CHECK;
int uffd_unregister(struct uffd *u, uaddr_t start, uaddr_t end) MUST_CHECK;
int uffd_protect(struct uffd *u, uaddr_t start, uaddr_t end, bool on) MUST_CHECK;

/* PAGEMAP_SCAN: what is known of writes to memory that is registered so that a write
 * takes the protection away (UFFD_FEATURE_WP_ASYNC): of the page at start, and in
 * *run_end up to where the same is known, at most end. Takes mm->lock. */
enum uffd_writes { UFFD_WRITES_UNKNOWN, UFFD_WRITTEN, UFFD_NOT_WRITTEN };
enum uffd_writes uffd_writes(struct mm *mm, uaddr_t start, uaddr_t end, uaddr_t *run_end);
/* Protects what of the range is such memory. */
int uffd_protect_async(struct mm *mm, uaddr_t start, uaddr_t end) MUST_CHECK;

/* (uffd_fill.c) How many bytes were dealt with, or -errno if none: -EEXIST, -ENOENT, … */
long uffd_copy(struct uffd *u, uaddr_t dst, uaddr_t src, size_t size, bool protect);
long uffd_zero(struct uffd *u, uaddr_t dst, size_t size);
long uffd_continue(struct uffd *u, uaddr_t dst, size_t size, bool protect);
long uffd_poison(struct uffd *u, uaddr_t dst, size_t size);
long uffd_move(struct uffd *u, uaddr_t dst, uaddr_t src, size_t size, bool allow_holes);

/* ---- what other calls mean for registered areas; mm->lock held ---- */

/* Makes ordinary memory of what nobody looks after any more. */
void uffd_settle_locked(struct mm *mm);
/* mprotect(2): the host's part of it, where every page has an area. */
int uffd_host_protect(struct mm *mm, uaddr_t start, uaddr_t end,
		      uint32_t prot) MUST_CHECK;
/* madvise(2) with what discards pages of v, which is registered. */
int uffd_discard(struct mm *mm, struct vma *v, uaddr_t start, uaddr_t end,
		 int advice) MUST_CHECK;
/* mremap(2): the old range is about to be moved by the host; afterwards, err said whether
 * it was, copy is its new area (not linked yet), and the old one is still there. */
int uffd_move_begin(struct mm *mm, uaddr_t old, size_t old_size, uaddr_t to,
		    size_t new_size) MUST_CHECK;
void uffd_move_end(struct mm *mm, struct vma *copy, uaddr_t old, size_t old_size,
		   struct list *events);
/* Adds the events of a range that is or will be unmapped, or discarded. */
void uffd_tell(struct mm *mm, uaddr_t start, uaddr_t end, uint8_t event,
	       struct list *events);
/* fork: to's areas, copies of from's, are told of to events' readers, or settled. 0 or
 * -ENOMEM. */
int uffd_fork_locked(struct mm *from, struct mm *to, struct list *events) MUST_CHECK;
