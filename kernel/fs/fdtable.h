/* SPDX-License-Identifier: MIT */
/* fdtable.h - a process's descriptors. Shared by CLONE_FILES, copied by fork. */
#pragma once
#include "abi/types.h"
#include "base/lock.h"
#include "base/ref.h"
#include "base/waitq.h"
#include "process/task.h"

struct file;

enum { FDTABLE_INSIDE = 64 }; /* descriptors without another allocation */

struct fdtable {
	struct ref refs;  /* tasks; see fd_get() about a count of one */
	struct lock lock; /* RANK_FDTABLE: all below */
	int capacity;	  /* a multiple of 64 */
	int lowest_free;  /* no free descriptor lies below */
	struct file **files;
	uint64_t *used; /* bit set: allocated (files[] may still be NULL) */
	uint64_t *cloexec;
	pid_t leaver; /* atomic: whose task has left it last; 0: none has */
	struct file *files_inside[FDTABLE_INSIDE];
	uint64_t used_inside[1];
	uint64_t cloexec_inside[1];
};

struct fdtable *fdtable_create(void) MUST_CHECK;
/* fork's copy: 0, -ENOMEM, or -EMFILE when it has more than are allowed now. */
int fdtable_copy(struct fdtable *fds, struct fdtable **out) MUST_CHECK;
void fdtable_get(struct fdtable *fds);
/* A task of p's has it no more. The last one closes everything. */
void fdtable_leave(struct fdtable *fds, const struct process *p);
/* Who only looked at it does not. */
void fdtable_put(struct fdtable *fds);
/* exec: makes the current task's table its own and closes what is close-on-exec. 0 or
 * -ENOMEM. */
int fdtable_exec(struct task *t) MUST_CHECK;
/* unshare(CLONE_FILES), exec: a table of the task's own. */
int fdtable_unshare(struct task *t) MUST_CHECK;

/* A file borrowed for the time of a call. While only the calling task has the table no
 * reference is taken; else the task notes a few of them, for who may have to bury it. */
struct fdref {
	struct file *file; /* NULL: -EBADF */
	bool has_ref;
};

/* The file of descriptor fd of the current task; not of O_PATH descriptors. */
struct fdref fd_get(int fd) MUST_CHECK;
/* O_PATH ones too. */
struct fdref fd_get_any(int fd) MUST_CHECK;
void fd_put(struct fdref ref);
/* The same by another hand: of a task that is dead. */
void fd_put_of(struct task *t, struct fdref ref);
/* What such a task had borrowed. */
void fd_abandon(struct task *t);

/* Any task's: a reference, or NULL. For /proc and pidfd_getfd. */
struct file *fdtable_lookup(struct fdtable *fds, int fd) MUST_CHECK;
/* The lowest used descriptor >= fd, or -1. */
int fdtable_next(struct fdtable *fds, int fd);
bool fdtable_is_cloexec(struct fdtable *fds, int fd);
int fdtable_set_cloexec(struct fdtable *fds, int fd, bool on) MUST_CHECK; /* -EBADF */

/* Puts f at the lowest free descriptor >= from of the current task: takes over the
 * reference on success. flags: O_CLOEXEC or 0. Returns the descriptor, -EMFILE, -ENOMEM.
 */
int fd_install_from(struct file *f, int from, uint32_t flags) MUST_CHECK;
/* The same from 0, but the reference is taken over also on failure. */
int fd_install_or_put(struct file *f, uint32_t flags) MUST_CHECK;
static inline int fd_install(struct file *f, uint32_t flags) MUST_CHECK;
static inline int fd_install(struct file *f, uint32_t flags)
{
	return fd_install_from(f, 0, flags);
}
/* Two steps: a descriptor is reserved (nothing there yet), then filled or given back. */
int fd_reserve(uint32_t flags) MUST_CHECK;
void fd_fill(int fd, struct file *f); /* takes over the reference */
/* The same with one that is part of a claim, which has it no more: *f is NULL then. */
void fd_fill_claimed(int fd, struct file **f);
void fd_unreserve(int fd);
/* The same on a table that is not the current task's (start-up). */
int fdtable_install_at(struct fdtable *fds, int fd, struct file *f,
		       uint32_t flags) MUST_CHECK;
/* close(2) of the current task's descriptor: 0, -EBADF or what flush said. */
int fd_close(int fd) MUST_CHECK;
/* Ends one descriptor's use of f, as close(2) does: locks of fds, flush, reference. */
int file_close(struct file *f, struct fdtable *fds);
