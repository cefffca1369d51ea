/* SPDX-License-Identifier: MIT */
/* identity.h - changing credentials, and reading those of another task. */
#pragma once
#include "process/creds.h"

struct task;

/* The credentials of any task, which may be changing them meanwhile: a reference, or NULL
 * when it has exited. Takes its process' lock. */
struct creds *task_creds(struct task *t) MUST_CHECK;

/* Whether at least count tasks have the real user uid. Takes process_tree_lock. */
bool user_has_tasks(uid_t uid, uint64_t count);
/* The user of c has more tasks than the current process may have of them (RLIMIT_NPROC);
 * root never has. */
bool is_over_nproc(const struct creds *c);

/* Makes c, whose reference is taken over, the credentials of current(). Does what follows
 * from a change of user or group: no death signal, and the process may not be dumped. */
void identity_commit(struct creds *c);

/* Adjusts c's capabilities to its user ids, which were those of old (capabilities(7),
 * "Effect of user ID changes on capabilities"). */
void caps_follow_uids(struct creds *c, const struct creds *old);
/* The same for a change of the file system user id. */
void caps_follow_fsuid(struct creds *c, const struct creds *old);

/* The options of prctl(2) on capabilities and secure bits; *handled says if op is one. */
long prctl_capabilities(int op, uint64_t arg2, uint64_t arg3, bool *handled);
