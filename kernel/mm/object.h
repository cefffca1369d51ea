/* SPDX-License-Identifier: MIT */
/* object.h - what can be mapped into an address space: a file, shared anonymous memory, a
 * SysV segment.
 *
 * Folders above mm implement the operations; mm keeps one reference for each area that
 * maps the object. */
#pragma once
#include "abi/types.h"

struct mm;
struct policies;
struct vm_object;

struct vm_object_ops {
	void (*get)(struct vm_object *o);
	void (*put)(struct vm_object *o);
	/* Says which host descriptor and offset to map for [off, off+size) of the object,
	 * promoting data kept in kernel pages to a host memfd first. 0, -ENODEV, -ENOMEM,
	 * … Called with the mm locked. exec: the mapping is executable. The descriptor
	 * stays valid while the caller holds the object. */
	int (*host_backing)(struct vm_object *o, uint64_t off, size_t size, bool shared,
			    bool exec, int *fd, int64_t *host_off);
	/* For /proc/PID/maps: the path (buf of size bytes, NUL-terminated), device and
	 * inode numbers. */
	void (*describe)(struct vm_object *o, char *buf, size_t size, uint64_t *dev,
			 uint64_t *ino);
	/* Where the number is kept that futexes in a shared mapping are known by: the
	 * same place for all objects that show the same data (an inode's). NULL: the
	 * object's own. */
	uint64_t *(*identity)(struct vm_object *o);
	/* A shared, writable mapping of it appears (+1) or goes away (-1); -EPERM when
	 * sealed. May be NULL. */
	int (*writers_changed)(struct vm_object *o, int by);
	/* An area that maps it appears (+1) or goes away (-1). Areas of an object that
	 * wants to know are never joined. Called with the mm locked, or by who drops it
	 * last. May be NULL. */
	void (*areas_changed)(struct vm_object *o, int by);
	/* With so many of its areas less it goes for good: it cannot be mapped again
	 * then. May be NULL. */
	bool (*ends_with)(struct vm_object *o, size_t areas);
	/* fallocate(2) with FALLOC_FL_PUNCH_HOLE, called with the mm locked. NULL: the
	 * host is to remove the pages that are mapped. */
	int (*punch)(struct vm_object *o, uint64_t off, size_t size);
	/* Writes a page of data, at a multiple of its size; of the last, which the object
	 * may end in, what is within: -EFAULT if it is beyond. It does not grow, also if
	 * it is being truncated. Called with the mm locked. NULL: its size is const. */
	int (*fill)(struct vm_object *o, uint64_t off, const void *data);
	/* The memory policies of what Linux calls shmem: mm/policy.h. May be NULL, and
	 * return NULL. */
	struct policies *(*policies)(struct vm_object *o);
	/* Its data are memory, which is shared through a memfd (what Linux calls shmem).
	 * NULL: no. */
	bool (*is_memory)(struct vm_object *o);
	/* Identity of the file's contents for the patch cache (0: do not patch): changes
	 * when they change. */
	uint64_t (*content_id)(struct vm_object *o);
	/* mremap(2) is about to move what begins there to `to`: 0, or -errno if it may
	 * not. Called again, with the old address, when that failed. The mm is locked.
	 * May be NULL. */
	int (*moved)(struct vm_object *o, struct mm *mm, uaddr_t to);
	/* It is no file to the guest: its areas may be named. */
	bool is_anonymous;
};

/* Embedded in what implements it (struct file, struct shm_segment …). */
struct vm_object {
	const struct vm_object_ops *ops;
	uint64_t number; /* atomic: mm_shared_key(); 0: nobody has asked */
};
