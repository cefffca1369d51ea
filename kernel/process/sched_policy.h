/* SPDX-License-Identifier: MIT */
/* sched_policy.h - policies and their parameters (sched(7)). They are kept, checked and
 * shown; the host schedules all tasks alike. */
#pragma once
#include "abi/types.h"

struct linux_sched_attr;
struct task;

static inline bool policy_is_realtime(int policy);
bool policy_is_valid(int policy);

/* What t has: all of *a but its size. */
void policy_get(struct task *t, struct linux_sched_attr *a);
/* Gives t a policy (-1: the one it has, or with SCHED_FLAG_KEEP_PARAMS only new flags)
 * and a's parameters. -EINVAL, -EPERM, -EOPNOTSUPP; -EBUSY: no room for more deadlines.
 */
int policy_set(struct task *t, int policy, const struct linux_sched_attr *a) MUST_CHECK;

/* fork, to a child that has its parent's: whether there can be one (-EAGAIN from a parent
 * with deadlines, which would have two), and what it gets. */
int policy_may_fork(const struct task *parent) MUST_CHECK;
void policy_fork(struct task *child, const struct task *parent);
/* t, which is_exiting, ends. process_tree_lock is held. */
void policy_exit_locked(struct task *t);

static inline bool policy_is_realtime(int policy)
{
	return policy == 1 || policy == 2; /* SCHED_FIFO, SCHED_RR */
}
