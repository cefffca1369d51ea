/* SPDX-License-Identifier: MIT */
/* creds.h - who a task is. Immutable once published: change by copy and swap
 * (credentials(7)). */
#pragma once
#include "abi/types.h"
#include "base/ref.h"

#define NGROUPS_MAX 65536

struct user_ns;

struct creds {
	struct ref refs;
	/* ref: which the capabilities are those of. The ids are the kernel's: whoever
	 * tells them looks here first. */
	struct user_ns *user_ns;
	uid_t uid, euid, suid, fsuid;
	gid_t gid, egid, sgid, fsgid;
	uint64_t cap_permitted, cap_effective, cap_inheritable, cap_bounding, cap_ambient;
	uint32_t securebits;
	uint32_t group_count;
	gid_t *groups; /* sorted; owned */
};
extern struct user_ns first_user_ns; /* user_ns.h */

void creds_get(struct creds *c);
void creds_put(struct creds *c);
/* A private copy with one reference, or NULL. */
struct creds *creds_copy(const struct creds *c);
bool creds_in_group(const struct creds *c, gid_t gid); /* fsgid or supplementary */
/* A capability over what belongs to the first user namespace, or to all: only who is in
 * it has any. For what belongs to others see user_ns.h. */
static inline bool creds_capable(const struct creds *c, int cap)
{
	return ((c->cap_effective >> cap) & 1) && likely(c->user_ns == &first_user_ns);
}
/* fs.suid_dumpable: enum dumpable of processes whose ids have changed. Atomic. */
extern int suid_dumpable;
/* current()'s: borrowed until the task changes its own. */
const struct creds *current_creds(void);
/* The same of the current task, for which it then counts as used. */
bool capable(int cap);
