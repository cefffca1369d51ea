/* SPDX-License-Identifier: MIT */
/* policy.h - memory policies (set_mempolicy(2)), on a machine with one node.
 *
 * A policy is one word: mode and mode flags as the guest gives them, and whether its set
 * of nodes holds node 0 or nothing. They are kept and shown; all memory is on node 0. */
#pragma once
#include "abi/types.h"

#include "lib/tree.h"

struct mm;
struct vma;

struct policies {
	struct tree tree;
	size_t count;
};

enum {
	POLICY_MODE = 0xff,
	POLICY_FLAGS = 0xe000, /* MPOL_F_STATIC_NODES and so on */
	POLICY_NODE_0 = 0x10000,
};

/* mbind: 0, -EFAULT when some of the range is not mapped, -ENOMEM. */
int mm_set_policy(struct mm *mm, uaddr_t start, uaddr_t end, uint32_t policy) MUST_CHECK;
/* Of the area at addr, and its protections: 0, -EFAULT. */
int mm_get_policy(struct mm *mm, uaddr_t addr, uint32_t *out, uint32_t *prot) MUST_CHECK;
/* What numa_maps says of a whole area, whose mm->lock is held: the one of its first page.
 */
uint32_t vma_policy(const struct vma *v);
/* For set_mempolicy_home_node(2): 0, -ENOENT when nothing there has a policy, -EOPNOTSUPP
 * for one that has no home. */
int mm_check_home(struct mm *mm, uaddr_t start, uaddr_t end) MUST_CHECK;

/* Shared memory has policies of its own, by page: what mbind(2) says of a mapping of it,
 * private ones too, is found at all. An object's begin as zeroes; nobody else uses
 * them at its end. */
void policies_fini(struct policies *p);
