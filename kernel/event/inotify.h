/* SPDX-License-Identifier: MIT */
/* inotify.h - an inotify instance; shared by the inotify files alone. */
#pragma once
#include "abi/inotify.h"
#include "abi/types.h"
#include "base/idr.h"
#include "base/lock.h"
#include "base/ref.h"
#include "base/waitq.h"
#include "fs/notify.h"
#include "lib/list.h"

struct file;
struct notify_user;

struct inotify_event {
	struct list link; /* inotify.events */
	int wd;
	uint32_t mask;
	uint32_t cookie;
	uint32_t name_len; /* without a NUL; 0: no name */
	char name[];
};

struct inotify {
	struct ref refs;	  /* the file's, and one for each watch */
	struct lock lock;	  /* RANK_OBJECT2 */
	struct list events;	  /* lock: struct inotify_event.link */
	uint32_t count;		  /* lock */
	uint32_t max;		  /* const: then the queue overflows */
	struct idr watches;	  /* lock: by wd */
	struct list list;	  /* lock: struct inotify_watch.link, the newest first */
	struct waitq readable;	  /* woken when an event comes */
	struct file *file;	  /* lock: for SIGIO; NULL at the end */
	struct notify_user *user; /* const: ref */
	struct inotify_event *overflow; /* lock: in reserve; NULL: it is queued */
};

enum { WATCH_FLAGS = IN_EXCL_UNLINK | (int)IN_ONESHOT };

struct inotify_watch {
	struct notify_mark mark;
	struct inotify *group; /* const: ref */
	int wd;		       /* const */
	uint32_t flags;	       /* notify_lock: IN_EXCL_UNLINK, IN_ONESHOT */
	struct list link;      /* group->lock */
};

/* The inotify of an inotify file, or NULL. */
struct inotify *inotify_of_file(const struct file *f);
/* *out gets a reference. -EMFILE, -ENOMEM. */
int inotify_create_file(uint32_t flags, struct file **out) MUST_CHECK;
void inotify_put(struct inotify *g);
/* Tells the reader. What says the same as the event before it is left out. */
void inotify_queue(struct inotify *g, int wd, uint32_t mask, uint32_t cookie,
		   const char *name);

/* ---- inotify_watch.c ---- */

/* Watches inode, or changes how: mask as inotify_add_watch(2) has it. Returns the watch
 * descriptor, -EEXIST, -ENOSPC, -ENOMEM. */
int inotify_watch_add(struct inotify *g, struct inode *inode, uint32_t mask) MUST_CHECK;
/* -EINVAL: there is no such watch. */
int inotify_watch_remove(struct inotify *g, int wd) MUST_CHECK;
/* The instance is being closed. */
void inotify_watch_remove_all(struct inotify *g);
