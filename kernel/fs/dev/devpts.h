/* SPDX-License-Identifier: MIT */
/* devpts.h - /dev/pts: one instance per mount, with a node for each pair and ptmx. */
#pragma once
#include "abi/types.h"

struct file_system_type;
struct inode;
struct path;
struct pty;

extern struct file_system_type devpts_type;

/* Gives p an index and a node, owned by the current task, in the instance that a ptmx
 * node stands for: the one that it lies in, or that of "pts" beside it. 0, -ENODEV (there
 * is none), -ENOSPC, -ENOMEM. */
int devpts_add(const struct path *ptmx, struct pty *p) MUST_CHECK;
/* Takes the node away. */
void devpts_remove(struct pty *p);
/* The pair of a node, or NULL when it is none of ours. Borrowed from the node. */
struct pty *devpts_pty(const struct inode *inode);
/* The node of p, as seen from the ptmx node that it was made with. */
int devpts_path(const struct path *ptmx, const struct pty *p,
		struct path *out) MUST_CHECK;
/* How many pairs there are in all. */
uint32_t devpts_count(void);
