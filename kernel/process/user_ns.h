/* SPDX-License-Identifier: MIT */
/* user_ns.h - user namespaces (user_namespaces(7)): ids of their own, and capabilities
 * over what belongs to them.
 *
 * The kernel's ids, those in credentials, inodes and every other object, are the ids of
 * the first namespace. What comes from a guest or goes to one is converted at the
 * boundary: uid_in(), uid_out() and their like. NO_ID is none's. */
#pragma once
#include "process/creds.h"
#include "process/namespace.h"
#include "process/ns_count.h"
#include "process/task.h"

#define USER_NS_LEVEL_MAX 32  /* how deep they may lie in each other */
#define ID_EXTENTS_MAX	  340 /* lines of a map */

struct id_extent {
	uint32_t first; /* in the namespace */
	uint32_t kernel;
	uint32_t count;
};

/* id_map.c's: immutable. Few extents are in the order in which they were written; of many
 * those in the order of their first ids are followed by the same in that of the kernel's.
 */
struct id_map {
	uint32_t count;
	struct id_extent extents[];
};

enum id_kind { ID_USER, ID_GROUP, ID_PROJECT, ID_KINDS };

struct user_ns {
	struct namespace ns; /* first; its owner is the parent, NULL for the first one */
	uint32_t level;	     /* const: of the first: 0 */
	uid_t owner;	     /* const: effective ids of who made it */
	gid_t group;
	/* const: who made it could have given files capabilities */
	bool parent_may_setfcap;
	bool may_setgroups; /* atomic: changed under id_map.c's lock */
	/* Set once, under id_map.c's lock; atomic. NULL: no id is known in it (in the
	 * first one: all are). */
	struct id_map *maps[ID_KINDS];
	struct ns_counts counts;
};
extern struct user_ns first_user_ns;

static inline void user_ns_get(struct user_ns *ns)
{
	if (unlikely(ns != &first_user_ns))
		namespace_get(&ns->ns);
}
static inline void user_ns_put(struct user_ns *ns)
{
	if (unlikely(ns != &first_user_ns))
		namespace_put(&ns->ns);
}
static inline struct user_ns *user_ns_parent(const struct user_ns *ns)
{
	return ns->ns.owner;
}
/* The current task's: borrowed. */
static inline struct user_ns *current_user_ns(void)
{
	return current()->creds->user_ns;
}
/* ns is inside, or is, ancestor. */
bool user_ns_is_in(const struct user_ns *ns, const struct user_ns *ancestor);

/* c, which nobody else has yet, is of a new user namespace inside the one it was of, with
 * all capabilities there: 0, -ENOSPC: too many or too deep, -EPERM: in a root of its own
 * or with ids that are unknown, -ENOMEM. */
int creds_new_user_ns(struct creds *c, bool is_chrooted) MUST_CHECK;
/* The same for one that there is, whose reference is taken over. */
void creds_enter_user_ns(struct creds *c, struct user_ns *ns);

/* ---- capabilities; what is relative to the first namespace is in creds.h ---- */

/* c has cap over what belongs to ns: in it, or in one around it; who made a namespace
 * has all of them over it. */
bool creds_ns_capable(const struct creds *c, const struct user_ns *ns, int cap);
/* The same of the current task, for which it then counts as used. */
bool ns_capable(const struct user_ns *ns, int cap);

/* ---- ids ---- */

#define NO_ID UINT32_MAX

/* What id in ns is to the kernel, and what a kernel's id is in ns: NO_ID if nothing. */
uint32_t id_to_kernel(const struct user_ns *ns, enum id_kind kind, uint32_t id);
uint32_t id_from_kernel(const struct user_ns *ns, enum id_kind kind, uint32_t id);
/* The latter, but what is nothing is kernel.overflowuid or kernel.overflowgid. */
uint32_t id_shown(const struct user_ns *ns, enum id_kind kind, uint32_t id);
/* Atomic: kernel.overflowuid, kernel.overflowgid (and of projects); fs.overflow* are
 * others. */
extern int overflow_ids[ID_KINDS];

static inline uid_t make_kuid(const struct user_ns *ns, uid_t uid)
{
	return likely(ns == &first_user_ns) ? uid : id_to_kernel(ns, ID_USER, uid);
}
static inline gid_t make_kgid(const struct user_ns *ns, gid_t gid)
{
	return likely(ns == &first_user_ns) ? gid : id_to_kernel(ns, ID_GROUP, gid);
}
static inline uid_t from_kuid(const struct user_ns *ns, uid_t uid)
{
	return likely(ns == &first_user_ns) ? uid : id_from_kernel(ns, ID_USER, uid);
}
static inline gid_t from_kgid(const struct user_ns *ns, gid_t gid)
{
	return likely(ns == &first_user_ns) ? gid : id_from_kernel(ns, ID_GROUP, gid);
}
static inline uid_t kuid_shown(const struct user_ns *ns, uid_t uid)
{
	return likely(ns == &first_user_ns && uid != NO_ID) ? uid
							    : id_shown(ns, ID_USER, uid);
}
static inline gid_t kgid_shown(const struct user_ns *ns, gid_t gid)
{
	return likely(ns == &first_user_ns && gid != NO_ID) ? gid
							    : id_shown(ns, ID_GROUP, gid);
}
/* As the current task names ids, and sees them. */
static inline uid_t uid_in(uid_t uid)
{
	return make_kuid(current_user_ns(), uid);
}
static inline gid_t gid_in(gid_t gid)
{
	return make_kgid(current_user_ns(), gid);
}
static inline uid_t uid_out(uid_t uid)
{
	return kuid_shown(current_user_ns(), uid);
}
static inline gid_t gid_out(gid_t gid)
{
	return kgid_shown(current_user_ns(), gid);
}

/* ---- maps; id_map.c ---- */

/* The number of extents, and *out the i-th if there are so many, as it was written but
 * for the kernel's ids. */
uint32_t id_map_extent(const struct user_ns *ns, enum id_kind kind, uint32_t i,
		       struct id_extent *out);
/* Sets one of a namespace that is not the first, from what the current task writes to a
 * file that was opened with some credentials: 0, -EINVAL, -EPERM, -ENOMEM. Changes text.
 */
int id_map_set(struct user_ns *ns, enum id_kind kind, const struct creds *opener,
	       char *text) MUST_CHECK;
/* setgroups(2) may be allowed, and is: when there are groups. -EPERM: too late. */
int user_ns_set_setgroups(struct user_ns *ns, bool may) MUST_CHECK;
bool user_ns_may_setgroups(const struct user_ns *ns);
