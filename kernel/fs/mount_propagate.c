/* SPDX-License-Identifier: MIT */
/* mount_propagate.c - shared, slave, private and unbindable mounts
 * (mount_namespaces(7)).
 *
 * Shared mounts form groups: a ring of peers. What is mounted below one of them appears
 * below all. A slave hangs on one mount of its master group and gets what that group
 * gets, but gives nothing back; it may have a group of its own, which passes it on. All
 * peers of such a group are slaves of the same group.
 *
 * Everything here happens with mount_lock held. */
#include "abi/errno.h"
#include "abi/statfs.h"
#include "base/lock.h"
#include "fs/dentry.h"
#include "fs/mount.h"
#include "fs/mount_internal.h"
#include "fs/vfs.h"

static int last_group;
static uint64_t last_seen;

static struct mount *peer_next(const struct mount *m)
{
	return list_entry(m->peers.next, struct mount, peers);
}

int mount_group_next(void)
{
	return ++last_group;
}

void mount_groups_invent(struct mount *top)
{
	for (struct mount *m = top; m; m = mount_next(m, top, false))
		if (!m->group)
			m->group = mount_group_next();
}

void mount_join(struct mount *m, struct mount *peer)
{
	m->group = peer->group;
	list_insert_after(&peer->peers, &m->peers);
	if (peer->master)
		mount_enslave(m, peer->master);
}

void mount_enslave(struct mount *m, struct mount *master)
{
	m->master = master;
	list_add_tail(&master->slaves, &m->slave_link);
}

static void free_from_master(struct mount *m)
{
	list_remove(&m->slave_link);
	m->master = NULL;
}

/* Leaves the group. The slaves go to heir, who is a peer or the old master, or nowhere.
 * Returns heir. */
static struct mount *leave_group(struct mount *m)
{
	struct mount *heir = m->master;
	struct list *pos;

	for (struct mount *p = peer_next(m); p != m; p = peer_next(p)) {
		if (heir == m->master)
			heir = p;
		if (p->root == m->root) {
			heir = p;
			break;
		}
	}
	list_remove(&m->peers);
	m->group = 0;
	while ((pos = list_pop(&m->slaves))) {
		struct mount *s = list_entry(pos, struct mount, slave_link);

		s->master = NULL;
		if (heir)
			mount_enslave(s, heir);
	}
	return heir;
}

void mount_type_set(struct mount *m, uint32_t type)
{
	struct mount *heir;

	if (type == MS_SHARED) {
		if (!m->group)
			m->group = mount_group_next();
		m->is_unbindable = false;
		return;
	}
	if (m->group) {
		heir = leave_group(m);
		if (m->master)
			free_from_master(m);
		if (heir)
			mount_enslave(m, heir);
	}
	if (type != MS_SLAVE && m->master)
		free_from_master(m);
	if (type != MS_SLAVE)
		m->is_unbindable = type == MS_UNBINDABLE;
}

int mount_dominating_group(const struct mount *m, const struct path *root)
{
	for (struct mount *master = m->master; master; master = master->master) {
		struct mount *p = master;

		do {
			if (p->home == MOUNT_IN_TREE &&
			    mount_is_reachable(p, p->root, root))
				return p->group;
			p = peer_next(p);
		} while (p != master);
	}
	return 0;
}

/* ---- where a mount at one place goes to ---- */

/* What is told of each place. */
struct receiver {
	struct mount *mount;
	struct mount
		*from; /* of the group where it comes from, or NULL: a peer of dest */
	bool is_first; /* of its group */
};
typedef int (*receive_t)(const struct receiver *r, void *private);

struct spread {
	struct dentry *point;
	receive_t receive;
	void *private;
	uint64_t seen;
};

/* May m get something at the place? It must show that. */
static bool has_place(const struct mount *m, struct dentry *point)
{
	bool is_below;

	if (m->home != MOUNT_IN_TREE || m->sb != point->sb)
		return false;
	lock_take(&m->sb->rename_lock); /* keeps the tree's shape */
	is_below = dentry_is_ancestor(m->root, point);
	lock_drop(&m->sb->rename_lock);
	return is_below;
}

static int spread_group(struct spread *s, struct mount *first, struct mount *from)
{
	struct mount *p = first;
	bool is_first = true;
	int err = 0;

	do {
		if (p->seen != s->seen && has_place(p, s->point)) {
			struct receiver r = {p, from, is_first};

			err = s->receive(&r, s->private);
			is_first = false;
		}
		p->seen = s->seen;
		p = peer_next(p);
	} while (p != first && !err);
	return err;
}

/* The slaves of m's group that have not been visited, one at a time. */
static struct mount *slave_unseen(const struct spread *s, struct mount *group)
{
	struct mount *p = group;
	struct list *pos;

	do {
		list_for_each (pos, &p->slaves) {
			struct mount *slave = list_entry(pos, struct mount, slave_link);

			if (slave->seen != s->seen)
				return slave;
		}
		p = peer_next(p);
	} while (p != group);
	return NULL;
}

/* Calls receive for all that get what happens at point in dest, but not for dest itself;
 * those from which others get it come first. */
static int spread(struct mount *dest, struct dentry *point, receive_t receive,
		  void *private)
{
	struct spread s = {.point = point, .receive = receive, .private = private};
	struct mount *group = dest;
	int err;

	if (!dest->group)
		return 0;
	s.seen = ++last_seen;
	dest->seen = s.seen;
	err = spread_group(&s, dest, NULL);
	while (!err) {
		struct mount *slave = slave_unseen(&s, group);

		if (slave) {
			err = spread_group(&s, slave, group);
			if (slave->group)
				group = slave; /* deeper */
		} else if (group->seen == s.seen && group->master &&
			   group->master->seen == s.seen) {
			group = group->master;
		} else {
			break;
		}
	}
	return err;
}

/* ---- mounting ---- */

struct copying {
	struct mount *top;
	uint32_t size; /* mounts in it */
	uint32_t room; /* so many may still be made */
	struct mount *dest;
	struct dentry *point;
	struct list *copies;
	struct mount *last; /* the last copy, at first the original */
};

/* The copy that the group of m has, or the next one above it. */
static struct mount *copy_in(const struct copying *c, struct mount *m)
{
	for (; m; m = m->master) {
		struct mount *p = m;

		do {
			if (p == c->dest)
				return c->top;
			if (p->got)
				return p->got;
			p = peer_next(p);
		} while (p != m);
	}
	return c->top;
}

static int receive_copy(const struct receiver *r, void *private)
{
	struct copying *c = private;
	struct mount *copy;
	int err;

	if (c->room < c->size)
		return -ENOSPC;
	c->room -= c->size;
	if (r->from && r->is_first) /* else one of its group has got one just now */
		err = mount_copy_tree(copy_in(c, r->from), NULL,
				      r->mount->group ? MOUNT_COPY_SLAVE_SHARED
						      : MOUNT_COPY_SLAVE,
				      true, &copy);
	else
		err = mount_copy_tree(c->last, NULL, MOUNT_COPY_PEER, true, &copy);
	if (err)
		return err;
	c->last = copy;
	r->mount->got = copy;
	copy->left = (struct path){r->mount, c->point};
	list_add_tail(c->copies, &copy->link);
	return 0;
}

int mount_propagate(const struct path *at, struct mount *top, uint32_t size,
		    uint32_t room, struct list *copies)
{
	struct copying c = {.top = top,
			    .size = size,
			    .room = room,
			    .dest = at->mount,
			    .point = at->dentry,
			    .copies = copies,
			    .last = top};
	int err = spread(at->mount, at->dentry, receive_copy, &c);
	struct list *pos;

	list_for_each (pos, copies)
		list_entry(pos, struct mount, link)->left.mount->got = NULL;
	return err;
}

/* ---- unmounting ---- */

struct leaving {
	struct list *gone;
	struct mount *mount;
	bool is_busy;
};

/* What covers all of m, if that is the only thing below it. */
static struct mount *cover_of(struct mount *m)
{
	struct mount *child;

	if (!list_is_single(&m->children))
		return NULL;
	child = list_first_entry(&m->children, struct mount, sibling);
	return child->mountpoint == m->root ? child : NULL;
}

static bool is_leaving(const struct mount *m)
{
	return m->copy == m;
}

static bool has_staying_children(const struct mount *m)
{
	struct list *pos;

	list_for_each (pos, &m->children)
		if (!is_leaving(list_entry(pos, struct mount, sibling)))
			return true;
	return false;
}

static int receive_leaving(const struct receiver *r, void *private)
{
	struct leaving *l = private;
	struct mount *m = mount_find(r->mount, l->mount->mountpoint);
	struct mount *cover;

	if (!m || is_leaving(m) || m->sb != l->mount->sb || m->root != l->mount->root)
		return 0;
	cover = has_staying_children(m) ? cover_of(m) : NULL;
	if (has_staying_children(m) && !cover)
		return 0; /* others are mounted there */
	if (cover) {	  /* falls down to where m was */
		struct path place = {m->parent, m->mountpoint};
		struct path left;

		mount_unhash(cover);
		left = cover->left; /* m is not freed: the table has it */
		cover->left = (struct path){NULL, NULL};
		mount_hash(cover, place.mount, place.dentry);
		dentry_put(left.dentry); /* m->root keeps it */
		mount_put_no_use(left.mount);
	}
	m->copy = m;
	list_remove(&m->link);
	list_add_tail(l->gone, &m->link);
	return 0;
}

void umount_propagate(struct list *gone)
{
	struct list *pos;

	list_for_each (pos, gone)
		list_entry(pos, struct mount, link)->copy =
			list_entry(pos, struct mount, link);
	/* From below: what is mounted in another one that goes makes that one free. */
	for (pos = gone->prev; pos != gone; pos = pos->prev) {
		struct mount *m = list_entry(pos, struct mount, link);
		struct leaving l = {.gone = gone, .mount = m};

		if (m->parent)
			(void)spread(m->parent, m->mountpoint, receive_leaving, &l);
	}
	list_for_each (pos, gone)
		list_entry(pos, struct mount, link)->copy = NULL;
}

static int receive_busy(const struct receiver *r, void *private)
{
	struct leaving *l = private;
	struct mount *m = mount_find(r->mount, l->mount->mountpoint);
	struct mount *cover;

	if (!m || m->sb != l->mount->sb || m->root != l->mount->root)
		return 0;
	cover = cover_of(m);
	if (!list_is_empty(&m->children) && !cover)
		return 0;
	if (ref_count(&m->refs) > (cover ? 2 : 1))
		l->is_busy = true;
	return 0;
}

bool umount_propagate_is_busy(struct mount *m)
{
	struct leaving l = {.mount = m};

	if (m->parent)
		(void)spread(m->parent, m->mountpoint, receive_busy, &l);
	return l.is_busy;
}
