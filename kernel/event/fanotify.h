/* SPDX-License-Identifier: MIT */
/* fanotify.h - a fanotify group; shared by the fanotify files alone. */
#pragma once
#include "abi/fanotify.h"
#include "abi/types.h"
#include "base/lock.h"
#include "base/ref.h"
#include "base/waitq.h"
#include "fs/file_handle.h"
#include "fs/notify.h"
#include "fs/path.h"
#include "lib/list.h"

struct file;
struct notify_user;
struct process;
struct uio;

/* Flags of a group and its marks, beside those of the calls. */
#define FANOTIFY_FIDS                                                                    \
	(FAN_REPORT_FID | FAN_REPORT_DIR_FID | FAN_REPORT_NAME | FAN_REPORT_TARGET_FID)
#define FANOTIFY_UNPRIVILEGED 0x80000000U /* made without CAP_SYS_ADMIN */
#define FANOTIFY_EVENT_FLAGS  (FAN_ONDIR | FAN_EVENT_ON_CHILD)

enum fanotify_answer { /* of an event that is a question */
		       FANOTIFY_QUEUED,
		       FANOTIFY_TOLD,	  /* read, or just being read */
		       FANOTIFY_ANSWERED, /* whoever asked frees it */
		       FANOTIFY_GIVEN_UP, /* who asked has died: who answers frees it */
};

/* What identifies an event, for merging: all but mask. Fields are constant while it is
 * queued, except for mask. */
struct fanotify_event {
	struct list link;	 /* group->events, or group->told: group->lock */
	struct list bucket;	 /* group->lock: of those that it may be merged with */
	uint32_t mask;		 /* group->lock; none: the queue has overflowed */
	pid_t pid;		 /* of who did it */
	struct process *process; /* ref: the same, for FAN_REPORT_PIDFD; or NULL */
	struct path path;	 /* ref, or none */
	uint64_t hash;
	uint64_t mount_id; /* of FS_MOUNT_EVENTS */
	int32_t fsid[2];
	bool has_dir, has_new_dir, has_object;
	uint8_t name_len, new_name_len; /* of the names behind it, each with a NUL */
	struct handle_id dir;		/* where the name is, or was */
	struct handle_id new_dir;	/* FAN_RENAME: where it is now */
	struct handle_id object;	/* what it happened to */

	/* questions */
	struct fanotify *group;	    /* ref */
	struct waitq answered;	    /* woken when state becomes FANOTIFY_ANSWERED */
	enum fanotify_answer state; /* group->lock */
	uint32_t response;	    /* group->lock: FAN_ALLOW, FAN_DENY … */
	int fd;			    /* group->lock: FANOTIFY_TOLD: in the answer */
	bool has_range;
	struct notify_range range;
	char names[];
};

enum { FANOTIFY_BUCKETS = 128 };

struct fanotify {
	struct notify_group notify; /* first */
	struct ref refs;	    /* the file's, and one for each mark and question */
	struct lock lock;	    /* RANK_OBJECT2 */
	struct list events;	    /* lock: struct fanotify_event.link */
	struct list told;	    /* lock: the same, of questions to be answered */
	struct list *buckets;	    /* lock: struct fanotify_event.bucket */
	uint32_t count;		    /* lock: of events */
	uint32_t max;		    /* const: then the queue overflows */
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
	uint32_t kind;		/* const: FAN_MARK_MOUNT, FAN_MARK_FILESYSTEM … or 0 */
	uint32_t events;	/* notify_lock: to be told, with FANOTIFY_EVENT_FLAGS */
	uint32_t ignored;	/* notify_lock: not to be told after all, the same */
	uint32_t flags;		/* notify_lock: FAN_MARK_SURVIVES, _EVICTABLE, _IGNORE */
	int32_t fsid[2];	/* const: of its file system */
	bool is_weak;		/* const: which does not tell it from others */
	struct list link;	/* group->lock */
};

static inline struct fanotify *fanotify_of_group(struct notify_group *g)
{
	return container_of(g, struct fanotify, notify);
}

static inline struct fanotify_mark *fanotify_mark_of(struct notify_mark *m)
{
	return container_of(m, struct fanotify_mark, mark);
}

/* ---- fanotify.c ---- */

/* The fanotify of a fanotify file, or NULL. */
struct fanotify *fanotify_of_file(const struct file *f);
/* *out gets a reference. -EMFILE, -ENOMEM. */
int fanotify_create_file(uint32_t flags, uint32_t event_flags,
			 struct file **out) MUST_CHECK;
void fanotify_put(struct fanotify *g);

/* ---- fanotify_queue.c ---- */

/* Puts e, which is taken over, at the end of the queue, or into what the same process did
 * with the same before, if that has not been read yet. NULL: there was no memory for it.
 * False: it is not there by itself. */
bool fanotify_queue(struct fanotify *g, struct fanotify_event *e);
/* Takes it off the queue. lock held. */
void fanotify_unqueue_locked(struct fanotify *g, struct fanotify_event *e);
void fanotify_event_free(struct fanotify_event *e);

/* ---- fanotify_event.c ---- */

extern const struct notify_group_ops fanotify_group_ops;

/* ---- fanotify_read.c ---- */

ssize_t fanotify_read(struct file *f, struct uio *u, int64_t *pos);

/* ---- fanotify_perm.c ---- */

/* Waits for the answer to a question that was queued. */
int fanotify_wait(void *question);
/* It has been read: its answer will name fd; or it cannot be answered, as err says. */
void fanotify_told(struct fanotify *g, struct fanotify_event *e, int fd, int err);
ssize_t fanotify_write(struct file *f, struct uio *u, int64_t *pos);
/* The group is being closed: all may do what they asked for. */
void fanotify_let_all_go(struct fanotify *g);

/* ---- fanotify_mark.c ---- */

/* What is to be marked, and how: fanotify_mark(2)'s arguments. */
struct fanotify_request {
	uint32_t flags;
	uint32_t mask;
	uint32_t kept; /* bits that the caller may not take out of a mask */
	struct path path;
};

/* 0, -ENOSPC, -ENOMEM, -EEXIST, -EXDEV. */
int fanotify_mark_add(struct fanotify *g, const struct fanotify_request *r) MUST_CHECK;
/* 0, -ENOENT. */
int fanotify_mark_remove(struct fanotify *g, const struct fanotify_request *r) MUST_CHECK;
/* All of the group's marks of a kind; all: of all kinds. */
void fanotify_mark_flush(struct fanotify *g, uint32_t kind, bool all);
/* Their lines for fdinfo. */
void fanotify_mark_show(struct fanotify *g, char *buf, size_t size);
