/* SPDX-License-Identifier: MIT */
/* sys_mempolicy.c - set_mempolicy(2), get_mempolicy(2), mbind(2), migrate_pages(2),
 * move_pages(2), on a machine whose memory is one node.
 *
 * Limit: the bits of nodes that are not there, which MPOL_F_STATIC_NODES would keep, are
 * not shown again. */
#include "abi/capability.h"
#include "abi/errno.h"
#include "abi/mman.h"
#include "abi/syscall.h"
#include "base/slab.h"
#include "fs/proc/access.h"
#include "lib/atomic.h"
#include "mm/mm.h"
#include "mm/policy.h"
#include "mm/usercopy.h"
#include "process/creds.h"
#include "process/remote.h"
#include "process/task.h"

enum { NODE_BITS_MAX = PAGE_SIZE * 8 }; /* of a mask that we read */

/* A mask of maxnode - 1 bits. *out: its first 64. -EINVAL for nodes that cannot be. */
static int nodes_copy_in(uint64_t *out, uaddr_t mask, uint64_t maxnode)
{
	uint64_t bits = maxnode - 1;

	*out = 0;
	if (!bits || !mask)
		return 0;
	if (bits > NODE_BITS_MAX)
		return -EINVAL;
	for (uint64_t at = 0; at < bits; at += 64) {
		uint64_t word;

		if (copy_from_user(&word, mask + at / 8, sizeof(word)))
			return -EFAULT;
		if (bits - at < 64)
			word &= (1UL << (bits - at)) - 1;
		if (at && word)
			return -EINVAL;
		*out |= word;
	}
	return 0;
}

static int nodes_copy_out(uaddr_t mask, uint64_t maxnode, uint64_t nodes)
{
	uint64_t size = ALIGN_UP(maxnode - 1, 64UL) / 8;

	if (size > sizeof(nodes)) {
		if (size > PAGE_SIZE)
			return -EINVAL;
		if (clear_user_partial(mask + sizeof(nodes), size - sizeof(nodes)))
			return -EFAULT;
		size = sizeof(nodes);
	}
	return copy_to_user(mask, &nodes, size);
}

static int mode_check(int mode)
{
	uint32_t flags = (uint32_t)mode & POLICY_FLAGS;

	mode &= ~POLICY_FLAGS;
	if (mode < 0 || mode >= MPOL_MAX)
		return -EINVAL;
	if ((flags & MPOL_F_STATIC_NODES) && (flags & MPOL_F_RELATIVE_NODES))
		return -EINVAL;
	if ((flags & MPOL_F_NUMA_BALANCING) && mode != MPOL_BIND &&
	    mode != MPOL_PREFERRED_MANY)
		return -EINVAL;
	return 0;
}

/* mode has been checked. */
static int policy_make(int mode, uint64_t nodes, uint32_t *out)
{
	uint32_t flags = (uint32_t)mode & POLICY_FLAGS;

	mode &= ~POLICY_FLAGS;
	if (mode == MPOL_PREFERRED && !nodes)
		mode = MPOL_LOCAL;
	if (mode == MPOL_DEFAULT || mode == MPOL_LOCAL) {
		if (nodes || (mode == MPOL_LOCAL && flags))
			return -EINVAL;
		*out = (uint32_t)mode; /* the default has no flags */
		return 0;
	}
	/* Relative to the one that there is, each node is that one. */
	if (!(flags & MPOL_F_RELATIVE_NODES))
		nodes &= 1;
	*out = (uint32_t)mode | flags | POLICY_NODE_0;
	return nodes ? 0 : -EINVAL;
}

long sys_set_mempolicy(struct task *t, int mode, uaddr_t mask, uint64_t maxnode)
{
	uint64_t nodes;
	uint32_t policy;
	int err = mode_check(mode);

	if (!err)
		err = nodes_copy_in(&nodes, mask, maxnode);
	if (!err)
		err = policy_make(mode, nodes, &policy);
	if (!err)
		atomic_store_relaxed(&t->mem_policy, policy);
	return err;
}

long sys_mbind(struct task *t, uaddr_t addr, size_t size, int mode, uaddr_t mask,
	       uint64_t maxnode, unsigned int flags)
{
	uaddr_t end = addr + ALIGN_UP(size, PAGE_SIZE);
	uint64_t nodes;
	uint32_t policy;
	int err = mode_check(mode);

	if (!err)
		err = nodes_copy_in(&nodes, mask, maxnode);
	if (err)
		return err;
	if (flags & ~(unsigned int)(MPOL_MF_STRICT | MPOL_MF_MOVE | MPOL_MF_MOVE_ALL))
		return -EINVAL;
	if ((flags & MPOL_MF_MOVE_ALL) && !capable(CAP_SYS_NICE))
		return -EPERM;
	if ((addr & ~PAGE_MASK) || end < addr)
		return -EINVAL;
	if (end == addr)
		return 0;
	err = policy_make(mode, nodes, &policy);
	return err ? err : mm_set_policy(t->mm, addr, end, policy);
}

/* What get_mempolicy(2) is asked for: its mode in *mode, its nodes in *nodes. */
static int policy_ask(struct task *t, uaddr_t addr, uint64_t flags, uint32_t *mode,
		      uint64_t *nodes)
{
	uint32_t policy = t->mem_policy;
	uint32_t prot = PROT_NONE;
	uint8_t byte;
	int err;

	if (flags & ~(uint64_t)(MPOL_F_NODE | MPOL_F_ADDR | MPOL_F_MEMS_ALLOWED))
		return -EINVAL;
	if (flags & MPOL_F_MEMS_ALLOWED) {
		if (flags & (MPOL_F_NODE | MPOL_F_ADDR))
			return -EINVAL;
		*mode = 0;
		*nodes = 1;
		return 0;
	}
	if (flags & MPOL_F_ADDR) {
		err = mm_get_policy(t->mm, addr, &policy, &prot);
		if (err)
			return err;
	} else if (addr) {
		return -EINVAL;
	}
	*nodes = policy & POLICY_NODE_0 ? 1 : 0;
	*mode = policy & (POLICY_MODE | POLICY_FLAGS);
	if (!(flags & MPOL_F_NODE))
		return 0;
	if (!(flags & MPOL_F_ADDR) && (policy & POLICY_MODE) != MPOL_INTERLEAVE &&
	    (policy & POLICY_MODE) != MPOL_WEIGHTED_INTERLEAVE)
		return -EINVAL;
	*mode = 0; /* the node, of a page that is read for it */
	if (!(flags & MPOL_F_ADDR))
		return 0;
	/* The machine may let more be read than was allowed. */
	return !(prot & PROT_READ) || copy_from_user(&byte, addr, 1) ? -EFAULT : 0;
}

long sys_get_mempolicy(struct task *t, uaddr_t mode_out, uaddr_t mask, uint64_t maxnode,
		       uaddr_t addr, uint64_t flags)
{
	uint32_t mode;
	uint64_t nodes;
	int err;

	if (mask && maxnode < 1)
		return -EINVAL;
	err = policy_ask(t, addr, flags, &mode, &nodes);
	if (!err && mode_out)
		err = put_user_u32(mode_out, mode);
	if (!err && mask)
		err = nodes_copy_out(mask, maxnode, nodes);
	return err;
}

long sys_set_mempolicy_home_node(struct task *t, uaddr_t addr, size_t size, uint64_t node,
				 uint64_t flags)
{
	uaddr_t end = addr + ALIGN_UP(size, PAGE_SIZE);

	if ((addr & ~PAGE_MASK) || flags || node || end < addr)
		return -EINVAL;
	return end == addr ? 0 : mm_check_home(t->mm, addr, end);
}

/* ---- pages of any process, which stay where they are ---- */

/* *out: a reference. */
static int task_to_move(struct task *self, pid_t pid, struct task **out)
{
	struct task *t = pid ? task_lookup(pid) : self;
	int err;

	if (!t)
		return -ESRCH;
	if (!pid)
		task_get(t);
	err = task_may_access(t);
	if (err)
		task_put(t);
	else
		*out = t;
	return err;
}

long sys_migrate_pages(struct task *t, pid_t pid, uint64_t maxnode, uaddr_t from,
		       uaddr_t to)
{
	struct task *other;
	uint64_t old;
	uint64_t wanted;
	int err = nodes_copy_in(&old, from, maxnode);

	if (!err)
		err = nodes_copy_in(&wanted, to, maxnode);
	if (!err)
		err = task_to_move(t, pid, &other);
	if (err)
		return err;
	task_put(other);
	if ((wanted & ~1UL) && !capable(CAP_SYS_NICE))
		return -EPERM;
	return wanted & 1 ? 0 : -EINVAL; /* none could not be moved */
}

/* The node of the page at addr, -ENOENT when there is none, -EFAULT where there is no
 * memory; or what ended the call, in *err. */
static int page_node(struct task *t, struct mm *mm, uaddr_t addr, int *err)
{
	struct remote_range page = {.start = ALIGN_DOWN(addr, PAGE_SIZE)};
	uint32_t unused;

	page.end = page.start + PAGE_SIZE;
	if (page.start >= USER_END || mm_get_policy(mm, addr, &unused, &unused))
		return -EFAULT;
	*err = remote_residency(t, mm, &page, 1, NULL, NULL);
	return page.resident ? 0 : -ENOENT;
}

static int move_page(struct task *t, struct mm *mm, uint64_t i, uaddr_t pages,
		     uaddr_t nodes, uaddr_t status)
{
	uaddr_t addr;
	uint32_t node = 0;
	int where;
	int err = 0;

	if (copy_from_user(&addr, pages + i * sizeof(addr), sizeof(addr)))
		return -EFAULT;
	if (nodes && get_user_u32(&node, nodes + i * sizeof(node)))
		return -EFAULT;
	if (node)
		return -ENODEV;
	where = page_node(t, mm, addr, &err);
	if (err)
		return err;
	return put_user_u32(status + i * sizeof(uint32_t), (uint32_t)where);
}

long sys_move_pages(struct task *t, pid_t pid, uint64_t count, uaddr_t pages,
		    uaddr_t nodes, uaddr_t status, unsigned int flags)
{
	struct task *other;
	struct mm *mm;
	int err;

	if (flags & ~(unsigned int)(MPOL_MF_MOVE | MPOL_MF_MOVE_ALL))
		return -EINVAL;
	if ((flags & MPOL_MF_MOVE_ALL) && !capable(CAP_SYS_NICE))
		return -EPERM;
	err = task_to_move(t, pid, &other);
	if (err)
		return err;
	err = task_mm_to_access(other, &mm);
	if (err == -ESRCH)
		err = -EINVAL;
	for (uint64_t i = 0; !err && i < count; i++) {
		err = move_page(other, mm, i, pages, nodes, status);
		if (atomic_load_relaxed(&t->sleeper.work) & WORK_KILL)
			err = -EINTR;
	}
	mm_put(mm);
	task_put(other);
	return err == -EINTR ? -ERESTARTNOINTR : err;
}
