/* SPDX-License-Identifier: MIT */
/* notify_internal.h - an event on its way to the marks; shared by the notify files. */
#pragma once
#include "abi/fcntl.h"
#include "fs/notify.h"

struct notify_telling {
	struct notify_event ev;
	struct notify_marks *at[NOTIFY_PLACES]; /* NULL: nobody is told there */
	struct dentry *parent;			/* ref, or NULL */
	char name[NAME_MAX + 1];
};

/* A directory's mark is there for its files only if it says so. */
static inline bool notify_mark_is_meant(const struct notify_mark *m,
					enum notify_place place)
{
	return place != NOTIFY_PARENT || (m->mask & FS_EVENT_ON_CHILD);
}

/* Something happens to what is at d, done through p unless that is NULL. */
void notify_telling_init(struct notify_telling *t, struct dentry *d, const struct path *p,
			 uint32_t mask);
void notify_telling_fini(struct notify_telling *t);
/* Finds the group's marks at the places. Returns at which of them (bits) something of the
 * event is wanted. notify_lock held. */
uint32_t notify_group_marks(const struct notify_telling *t, const struct notify_group *g,
			    struct notify_mark *marks[]);
