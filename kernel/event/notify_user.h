/* SPDX-License-Identifier: MIT */
/* notify_user.h - how many inotify instances and watches, fanotify groups and marks, and
 * files watched by epolls each user has. */
#pragma once
#include "abi/types.h"
#include "base/ref.h"
#include "fs/notify.h"

struct notify_user {
	struct ref refs;
	uid_t uid;		   /* const */
	int counts[NOTIFY_LIMITS]; /* atomic */
	struct notify_user *next;  /* users_lock */
};

/* The current task's user: a reference, or NULL: no memory. */
struct notify_user *notify_user_get(void) MUST_CHECK;
void notify_user_put(struct notify_user *u);
/* Counts one more, unless the limit has been reached. */
bool notify_user_charge(struct notify_user *u, enum notify_limit what) MUST_CHECK;
void notify_user_uncharge(struct notify_user *u, enum notify_limit what);
