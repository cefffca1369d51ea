/* SPDX-License-Identifier: MIT */
/* notify_user.c - the limits of inotify, fanotify and epoll, user by user. */
#include "event/notify_user.h"

#include "base/lock.h"
#include "base/slab.h"
#include "lib/atomic.h"
#include "process/creds.h"

static struct lock users_lock = LOCK_INIT(RANK_OBJECT);
static struct notify_user *users; /* users_lock: those who have something */

struct notify_user *notify_user_get(void)
{
	uid_t uid = current_creds()->euid;
	struct notify_user *u;

	lock_take(&users_lock);
	for (u = users; u; u = u->next)
		if (u->uid == uid)
			break;
	if (u) {
		ref_get(&u->refs);
	} else {
		u = kmalloc_zeroed(sizeof(*u));
		if (u) {
			ref_init(&u->refs);
			u->uid = uid;
			u->next = users;
			users = u;
		}
	}
	lock_drop(&users_lock);
	return u;
}

void notify_user_put(struct notify_user *u)
{
	lock_take(&users_lock);
	if (ref_put(&u->refs)) {
		struct notify_user **link = &users;

		while (*link != u)
			link = &(*link)->next;
		*link = u->next;
		kfree(u);
	}
	lock_drop(&users_lock);
}

bool notify_user_charge(struct notify_user *u, enum notify_limit what)
{
	int limit = atomic_load_relaxed(&notify_limits[what]);
	int count = atomic_load_relaxed(&u->counts[what]);

	do {
		if (count >= limit)
			return false;
	} while (!atomic_try_cas(&u->counts[what], &count, count + 1));
	return true;
}

void notify_user_uncharge(struct notify_user *u, enum notify_limit what)
{
	atomic_sub(&u->counts[what], 1);
}
