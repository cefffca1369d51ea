/* SPDX-License-Identifier: MIT */
/* fanotify.h - a fanotify group; shared by the fanotify files alone. */
#pragma once
#include "abi/fanotify.h"
#include "abi/types.h"
#include "base/lock.h"
#include "base/ref.h"
#include "base/waitq.h"
#include "fs/notify.h"
#include "fs/path.h"
#include "lib/list.h"

struct file;
struct notify_user;

struct fanotify_event {
	struct list link; /* fanotify.events */
	uint32_t mask;
	pid_t pid;	  /* of who did it */
	struct path path; /* ref; none: the queue has overflowed */
};

struct fanotify {
	struct ref refs;	  /* the file's, and one for each mark */
	struct lock lock;	  /* RANK_OBJECT2 */
	struct list events;	  /* lock: struct fanotify_event.link */
	uint32_t count;		  /* lock */
	uint32_t max;		  /* const: then the queue overflows */
	struct list marks;	  /* lock: struct fanotify_mark.link, the newest first */
	struct waitq readable;	  /* woken when an event comes */
	uint32_t flags;		  /* const: FAN_* of fanotify_init */
	uint32_t event_flags;	  /* const: O_* of the descriptors in events */
	struct file *file;	  /* lock: for SIGIO; NULL at the end */
	struct notify_user *user; /* const: ref */
	struct fanotify_event *overflow; /* lock: in reserve; NULL: it is queued */
};

struct fanotify_mark {
	struct notify_mark mark;
	struct fanotify *group; /* const: ref */
	uint32_t events;	/* notify_lock: to be told */
	uint32_t ignored;	/* notify_lock: not to be told after all */
	bool survives;		/* notify_lock: ignored is not cleared by a change */
	uint32_t flags;		/* notify_lock: FAN_ONDIR, FAN_EVENT_ON_CHILD */
	struct list link;	/* group->lock */
};

/* The fanotify of a fanotify file, or NULL. */
struct fanotify *fanotify_of_file(const struct file *f);
/* *out gets a reference. -EMFILE, -ENOMEM. */
int fanotify_create_file(uint32_t flags, uint32_t event_flags,
			 struct file **out) MUST_CHECK;
void fanotify_put(struct fanotify *g);
/* Tells the reader, together with what the same task did to the same file before, if that
 * has not been read yet. */
void fanotify_queue(struct fanotify *g, uint32_t mask, const struct path *p);

/* ---- fanotify_mark.c ---- */

/* All of the group's marks; -ENOMEM does not happen here. */
void fanotify_mark_flush(struct fanotify *g);
