/* SPDX-License-Identifier: MIT */
/* ns_count.c - see ns_count.h. */
#include "process/ns_count.h"

#include "abi/sched.h"
#include "base/lock.h"
#include "base/panic.h"
#include "base/slab.h"
#include "lib/atomic.h"
#include "process/user_ns.h"

struct ns_count {
	struct list link; /* ns_counts.users */
	uid_t uid;
	int counts[NS_COUNT_KINDS]; /* not all 0 */
};

static SLAB_CACHE(ns_count_slab, "ns_count", sizeof(struct ns_count), 8);
static struct lock counts_lock = LOCK_INIT(RANK_IDR);

enum ns_count_kind ns_count_kind_of(uint32_t kind)
{
	switch (kind) {
	case CLONE_NEWTIME:
		return NS_COUNT_TIME;
	case CLONE_NEWNET:
		return NS_COUNT_NET;
	default:
		return NS_COUNT_USER;
	}
}

static struct ns_count *find_locked(struct user_ns *ns, uid_t uid)
{
	struct list *l;

	list_for_each (l, &ns->counts.users) {
		struct ns_count *c = list_entry(l, struct ns_count, link);

		if (c->uid == uid)
			return c;
	}
	return NULL;
}

/* In one user namespace. */
static bool take_locked(struct user_ns *ns, uid_t uid, enum ns_count_kind kind)
{
	struct ns_count *c = find_locked(ns, uid);
	int max = atomic_load_relaxed(&ns->counts.max[kind]);

	if ((c ? c->counts[kind] : 0) >= max)
		return false;
	if (!c) {
		c = slab_alloc_zeroed(&ns_count_slab);
		if (!c)
			return false;
		c->uid = uid;
		list_add_tail(&ns->counts.users, &c->link);
	}
	c->counts[kind]++;
	return true;
}

static void drop_locked(struct user_ns *ns, uid_t uid, enum ns_count_kind kind)
{
	struct ns_count *c = find_locked(ns, uid);

	kassert(c && c->counts[kind] > 0);
	c->counts[kind]--;
	for (int i = 0; i < NS_COUNT_KINDS; i++)
		if (c->counts[i])
			return;
	list_remove(&c->link);
	slab_free(&ns_count_slab, c);
}

/* In ns and those around it, but not in end. */
static void drop_up_to_locked(struct user_ns *ns, const struct user_ns *end, uid_t uid,
			      enum ns_count_kind kind)
{
	while (ns != end) {
		drop_locked(ns, uid, kind);
		uid = ns->owner;
		ns = user_ns_parent(ns);
	}
}

bool ns_count_take(struct user_ns *ns, uid_t uid, enum ns_count_kind kind)
{
	struct user_ns *at = ns;
	uid_t user = uid;
	bool ok = true;

	lock_take(&counts_lock);
	while (at && ok) {
		ok = take_locked(at, user, kind);
		if (ok) {
			user = at->owner;
			at = user_ns_parent(at);
		}
	}
	if (!ok)
		drop_up_to_locked(ns, at, uid, kind);
	lock_drop(&counts_lock);
	return ok;
}

void ns_count_drop(struct user_ns *ns, uid_t uid, enum ns_count_kind kind)
{
	lock_take(&counts_lock);
	drop_up_to_locked(ns, NULL, uid, kind);
	lock_drop(&counts_lock);
}
