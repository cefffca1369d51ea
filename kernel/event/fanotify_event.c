/* SPDX-License-Identifier: MIT */
/* fanotify_event.c - from what happened, and the marks of a group, to an event of it. */
#include "abi/errno.h"
#include "abi/stat.h"
#include "base/slab.h"
#include "event/fanotify.h"
#include "fs/dentry.h"
#include "fs/vfs.h"
#include "lib/hash.h"
#include "lib/string.h"
#include "process/task.h"

/* ---- is it wanted? ---- */

/* Does a mask go for this event, at this place? */
static bool applies(uint32_t mask, const struct notify_event *ev, enum notify_place place)
{
	if ((ev->mask & IN_ISDIR) && !(mask & FAN_ONDIR))
		return false;
	return place != NOTIFY_PARENT || (mask & FAN_EVENT_ON_CHILD);
}

/* The older interface has no flags among what is ignored: directories always are, files
 * in a directory if they are told of. */
static uint32_t ignored_by(const struct fanotify_mark *fm, const struct notify_event *ev,
			   enum notify_place place)
{
	uint32_t mask = fm->ignored;

	if (!(mask & FS_EVENTS))
		return 0;
	if (!(fm->flags & FAN_MARK_IGNORE)) {
		mask |= FAN_ONDIR;
		mask &= ~(uint32_t)FAN_EVENT_ON_CHILD;
		mask |= fm->events & FAN_EVENT_ON_CHILD;
	}
	if ((ev->mask & IN_ISDIR) || place == NOTIFY_PARENT)
		return applies(mask, ev, place) ? mask & FS_EVENTS : 0;
	return mask & FS_EVENTS;
}

static void forget_ignored(struct notify_mark *const marks[])
{
	for (unsigned i = 0; i < NOTIFY_PLACES; i++) {
		struct fanotify_mark *fm = marks[i] ? fanotify_mark_of(marks[i]) : NULL;

		if (fm && !(fm->flags & FAN_MARK_SURVIVES))
			fm->ignored = 0;
	}
}

/* Is there what the group identifies files by? */
static bool can_be_told(const struct fanotify *g, const struct notify_event *ev)
{
	uint32_t ids = g->flags & FANOTIFY_FIDS;

	if (g->flags & FAN_REPORT_MNT)
		return ev->mask & FS_MOUNT_EVENTS;
	if (!ev->inode)
		return false;
	if (!ids)
		return ev->path && (S_ISREG(ev->inode->mode) || S_ISDIR(ev->inode->mode));
	return (ids & FAN_REPORT_FID) || ev->dir || (ev->mask & IN_ISDIR);
}

/* What of it the group wants. *matched: at which places (bits). */
static uint32_t wanted(const struct fanotify *g, struct notify_mark *const marks[],
		       const struct notify_event *ev, uint32_t *matched)
{
	uint32_t mask = 0;
	uint32_t ignored = 0;

	*matched = 0;
	if (!can_be_told(g, ev))
		return 0;
	for (unsigned i = 0; i < NOTIFY_PLACES; i++) {
		const struct fanotify_mark *fm =
			marks[i] ? fanotify_mark_of(marks[i]) : NULL;

		if (!fm)
			continue;
		ignored |= ignored_by(fm, ev, i);
		if (!applies(fm->events, ev, i))
			continue;
		mask |= fm->events;
		*matched |= 1u << i;
	}
	mask &= ev->mask & ~ignored;
	if (!(mask & FS_EVENTS))
		return 0;
	return g->flags & FANOTIFY_FIDS ? mask : mask & FS_EVENTS;
}

/* ---- making it ---- */

/* Which handles and names an event has. */
struct parts {
	const struct inode *dir, *new_dir, *object;
	const char *name, *new_name;
};

/* The file itself comes with its directory? */
static bool names_object(uint32_t ids, uint32_t mask)
{
	if (mask & FS_NAME_EVENTS)
		return ids & FAN_REPORT_TARGET_FID;
	return (ids & FAN_REPORT_FID) && !(mask & IN_ISDIR);
}

/* Of a rename, the directories that are watched; all, if the file system is. */
static void rename_parts(struct parts *p, const struct notify_event *ev, uint32_t matched)
{
	if (!(matched & (1u << NOTIFY_SB | 1u << NOTIFY_INODE))) {
		p->dir = NULL;
		p->name = NULL;
	}
	if (matched & (1u << NOTIFY_SB | 1u << NOTIFY_INODE2)) {
		p->new_dir = ev->new_dir;
		p->new_name = ev->new_name;
	}
}

static struct parts parts_of(const struct fanotify *g, uint32_t mask,
			     const struct notify_event *ev, uint32_t matched)
{
	uint32_t ids = g->flags & FANOTIFY_FIDS;
	bool is_name = mask & FS_NAME_EVENTS;
	const struct inode *dir =
		is_name || !S_ISDIR(ev->inode->mode) ? ev->dir : ev->inode;
	struct parts p = {.object = is_name && !(ids & FAN_REPORT_TARGET_FID)
					    ? ev->dir
					    : ev->inode};
	const struct inode *object = p.object;

	if (!(ids & FAN_REPORT_DIR_FID) || !dir)
		return p;
	p.dir = dir;
	p.object = names_object(ids, mask) && object != dir ? object : NULL;
	if ((ids & FAN_REPORT_NAME) && (is_name || !(mask & IN_ISDIR)))
		p.name = ev->name;
	if (mask & FS_RENAME)
		rename_parts(&p, ev, matched);
	if (!p.name && !p.new_name && !p.object) /* which stands for itself */
		p = (struct parts){.object = dir};
	return p;
}

static void handle_put(struct handle_id *out, bool *has, const struct inode *inode)
{
	*has = inode != NULL;
	if (inode)
		*out = handle_of_inode(inode);
}

static uint64_t hash_of(const struct fanotify_event *e)
{
	uint64_t h = hash_pointer(e->path.dentry, (uint64_t)e->pid);

	h = hash_bytes(&e->dir, sizeof(e->dir), h);
	h = hash_bytes(&e->object, sizeof(e->object), h);
	return hash_bytes(e->names, e->name_len + e->new_name_len + 2u, h);
}

static const struct fanotify_mark *any_mark(struct notify_mark *const marks[])
{
	unsigned i = 0;

	while (!marks[i])
		i++;
	return fanotify_mark_of(marks[i]);
}

/* NULL: no memory. */
static struct fanotify_event *event_create(const struct fanotify *g, uint32_t mask,
					   const struct notify_event *ev,
					   struct notify_mark *const marks[],
					   uint32_t matched)
{
	struct parts p = {.dir = NULL};
	size_t len;
	size_t new_len;
	struct fanotify_event *e;

	if (g->flags & FANOTIFY_FIDS)
		p = parts_of(g, mask, ev, matched);
	len = p.name ? strlen(p.name) : 0;
	new_len = p.new_name ? strlen(p.new_name) : 0;
	e = kmalloc(sizeof(*e) + len + new_len + 2);
	if (!e)
		return NULL;
	*e = (struct fanotify_event){.mask = mask,
				     .mount_id = ev->mount_id,
				     .fd = FAN_NOFD,
				     .name_len = (uint8_t)len,
				     .new_name_len = (uint8_t)new_len};
	list_init(&e->link);
	list_init(&e->bucket);
	memcpy(e->names, p.name ? p.name : "", len + 1);
	memcpy(e->names + len + 1, p.new_name ? p.new_name : "", new_len + 1);
	handle_put(&e->dir, &e->has_dir, p.dir);
	handle_put(&e->new_dir, &e->has_new_dir, p.new_dir);
	handle_put(&e->object, &e->has_object, p.object);
	if (g->flags & FANOTIFY_FIDS) {
		memcpy(e->fsid, any_mark(marks)->fsid, sizeof(e->fsid));
	} else if (ev->path) {
		e->path = *ev->path;
		path_get(&e->path);
	}
	return e;
}

/* Of the task that does it. */
static void doer_set(const struct fanotify *g, struct fanotify_event *e)
{
	const struct task *t = current();

	e->pid = g->flags & FAN_REPORT_TID ? t->tid : t->process->pid;
	if (g->flags & FAN_REPORT_PIDFD) {
		e->process = t->process;
		process_get(e->process);
	}
	e->hash = hash_of(e);
}

static void group_event(struct notify_group *n, struct notify_mark *const marks[],
			const struct notify_event *ev)
{
	struct fanotify *g = fanotify_of_group(n);
	struct fanotify_event *e;
	uint32_t matched;
	uint32_t mask;

	if (ev->mask & IN_MODIFY)
		forget_ignored(marks);
	mask = wanted(g, marks, ev, &matched);
	if (!mask)
		return;
	e = event_create(g, mask, ev, marks, matched);
	if (e)
		doer_set(g, e);
	(void)fanotify_queue(g, e);
}

static int group_ask(struct notify_group *n, struct notify_mark *const marks[],
		     const struct notify_event *ev, void **question)
{
	struct fanotify *g = fanotify_of_group(n);
	struct fanotify_event *e;
	uint32_t matched;
	uint32_t mask = wanted(g, marks, ev, &matched);

	if (!mask)
		return 0;
	e = event_create(g, mask, ev, marks, matched);
	if (!e)
		return -ENOMEM;
	doer_set(g, e);
	waitq_init(&e->answered);
	ref_get(&g->refs);
	e->group = g;
	if (ev->range) {
		e->has_range = true;
		e->range = *ev->range;
	}
	if (fanotify_queue(g, e)) /* else it has no time for us, and no objection */
		*question = e;
	return 0;
}

const struct notify_group_ops fanotify_group_ops = {
	.event = group_event,
	.ask = group_ask,
	.wait = fanotify_wait,
};
