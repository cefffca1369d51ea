/* SPDX-License-Identifier: MIT */
/* mount_internal.h - between mount.c, mount_tree.c and mount_propagate.c.
 *
 * All with mount_lock held. */
#pragma once
#include "abi/types.h"

struct dentry;
struct list;
struct mount;
struct path;

extern struct mount *mount_top; /* the root of all */

/* Hangs m on a place. Takes references of its own. */
void mount_hash(struct mount *m, struct mount *parent, struct dentry *at);
/* Takes m off its place: the references to that are in m->left then. */
void mount_unhash(struct mount *m);
/* The one that is mounted there: borrowed. */
struct mount *mount_find(const struct mount *parent, const struct dentry *at);
/* Into mount_list. The table's reference is the caller's. */
void mount_enlist(struct mount *m);
/* Puts m->left and the table's reference of all on the list. Without mount_lock. */
void mounts_put(struct list *gone);

enum mount_copy {
	MOUNT_COPY_PEER,	 /* in the group of its original */
	MOUNT_COPY_SLAVE,	 /* a slave of its original */
	MOUNT_COPY_SLAVE_SHARED, /* and in a group of its own */
};
/* Copies top, from root on, and with recursive what is mounted below that. */
int mount_copy_tree(struct mount *top, struct dentry *root, enum mount_copy kind,
		    bool recursive, struct mount **out);
/* Undoes that: all go to the list. */
void mount_drop_tree(struct mount *top, struct list *gone);

/* The place itself, on top of all that has been mounted there: references. Without
 * mount_lock. */
void mount_go_to_top(const struct path *at, struct path *out);
/* Hangs the tree at top on at and on all places that get it, too. All or nothing: then
 * copies go to gone. The table's references are the caller's to give. */
int mount_graft(struct mount *top, const struct path *at, struct list *gone);

/* ---- mount_propagate.c ---- */
int mount_group_next(void);
/* One mount's type: MS_SHARED (whose group has been set if it has none), … */
void mount_type_set(struct mount *m, uint32_t type);
/* Gives those of top's tree a group that have none. */
void mount_groups_invent(struct mount *top);
void mount_join(struct mount *m, struct mount *peer);
void mount_enslave(struct mount *m, struct mount *master);
/* Makes copies of top, a tree of size mounts, for all places that get what is mounted at
 * at: on the list copies, each with its place in left (borrowed). No more than room
 * mounts are made: -ENOSPC. */
int mount_propagate(const struct path *at, struct mount *top, uint32_t size,
		    uint32_t room, struct list *copies);
/* Adds to gone (which has links of mounts that are still in place) those that go along
 * with them. */
void umount_propagate(struct list *gone);
/* True when one of those is in use. */
bool umount_propagate_is_busy(struct mount *m);
