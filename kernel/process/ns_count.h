/* SPDX-License-Identifier: MIT */
/* ns_count.h - how many namespaces of each kind users have made, and may have at once
 * (namespaces(7), "The /proc/sys/user directory").
 *
 * Each user of each user namespace has counts of its own. What counts for one counts for
 * who made that user namespace too, in the one around it, and so on up to the first: a
 * limit holds for all that is inside. */
#pragma once
#include "abi/types.h"
#include "lib/list.h"

struct user_ns;

enum ns_count_kind { NS_COUNT_USER, NS_COUNT_TIME, NS_COUNT_NET, NS_COUNT_KINDS };

/* A user namespace's. */
struct ns_counts {
	int max[NS_COUNT_KINDS]; /* atomic: user.max_KIND_namespaces, of each user */
	struct list users;	 /* ns_count.c's lock: those who have made any */
};

/* Of a kind of namespace (CLONE_NEW*) that can be made. */
enum ns_count_kind ns_count_kind_of(uint32_t kind);
/* One more that uid, the kernel's id, makes in ns: false when that are too many. */
bool ns_count_take(struct user_ns *ns, uid_t uid, enum ns_count_kind kind) MUST_CHECK;
void ns_count_drop(struct user_ns *ns, uid_t uid, enum ns_count_kind kind);
