/* SPDX-License-Identifier: MIT */
/* sys_capability.c - capget(2), capset(2) and the options of prctl(2) on capabilities. */
#include "abi/capability.h"
#include "abi/errno.h"
#include "abi/prctl.h"
#include "abi/syscall.h"
#include "mm/usercopy.h"
#include "process/identity.h"
#include "process/task.h"
#include "process/user_ns.h"

/* Reads the header; *words gets the number of data structs that its version has. */
static int header_copy_in(struct linux_cap_header *h, uaddr_t addr, unsigned *words)
{
	if (COPY_IN(h, addr))
		return -EFAULT;
	switch (h->version) {
	case _LINUX_CAPABILITY_VERSION_1:
		*words = 1;
		return 0;
	case _LINUX_CAPABILITY_VERSION_2:
	case _LINUX_CAPABILITY_VERSION_3:
		*words = 2;
		return 0;
	default:
		/* Tells the caller which one to use. */
		if (put_user_u32(addr, _LINUX_CAPABILITY_VERSION_3))
			return -EFAULT;
		return -EINVAL;
	}
}

static void caps_split(const struct creds *c, struct linux_cap_data out[2])
{
	for (int i = 0; i < 2; i++) {
		out[i].effective = (uint32_t)(c->cap_effective >> (32 * i));
		out[i].permitted = (uint32_t)(c->cap_permitted >> (32 * i));
		out[i].inheritable = (uint32_t)(c->cap_inheritable >> (32 * i));
	}
}

long sys_capget(struct task *t, uaddr_t header, uaddr_t data)
{
	struct linux_cap_header h;
	struct linux_cap_data out[2];
	struct task *other = NULL;
	struct creds *c;
	unsigned words = 0;
	int err = header_copy_in(&h, header, &words);

	if (!data && (!err || err == -EINVAL))
		return 0; /* only the version was asked for */
	if (err)
		return err;
	if (h.pid < 0)
		return -EINVAL;
	if (h.pid) {
		other = task_lookup(h.pid);
		if (!other)
			return -ESRCH;
	}
	c = task_creds(other ? other : t);
	if (other)
		task_put(other);
	if (!c)
		return -ESRCH;
	caps_split(c, out);
	creds_put(c);
	return copy_to_user(data, out, words * sizeof(out[0]));
}

static int caps_check(const struct creds *old, uint64_t effective, uint64_t permitted,
		      uint64_t inheritable)
{
	uint64_t may_inherit = old->cap_inheritable | old->cap_permitted;

	if (creds_ns_capable(old, old->user_ns, CAP_SETPCAP))
		may_inherit = UINT64_MAX;
	if (inheritable & ~may_inherit)
		return -EPERM;
	if (inheritable & ~(old->cap_inheritable | old->cap_bounding))
		return -EPERM;
	if (permitted & ~old->cap_permitted)
		return -EPERM;
	return effective & ~permitted ? -EPERM : 0;
}

long sys_capset(struct task *t, uaddr_t header, uaddr_t data)
{
	struct linux_cap_header h;
	struct linux_cap_data in[2] = {{0, 0, 0}, {0, 0, 0}};
	struct creds *c;
	uint64_t effective;
	uint64_t permitted;
	uint64_t inheritable;
	unsigned words = 0;
	int err = header_copy_in(&h, header, &words);

	if (err)
		return err;
	if (h.pid && h.pid != t->tid)
		return -EPERM;
	if (copy_from_user(in, data, words * sizeof(in[0])))
		return -EFAULT;
	effective = (in[0].effective | (uint64_t)in[1].effective << 32) & CAP_FULL_SET;
	permitted = (in[0].permitted | (uint64_t)in[1].permitted << 32) & CAP_FULL_SET;
	inheritable =
		(in[0].inheritable | (uint64_t)in[1].inheritable << 32) & CAP_FULL_SET;
	err = caps_check(t->creds, effective, permitted, inheritable);
	if (err)
		return err;
	c = creds_copy(t->creds);
	if (!c)
		return -ENOMEM;
	c->cap_effective = effective;
	c->cap_permitted = permitted;
	c->cap_inheritable = inheritable;
	c->cap_ambient &= permitted & inheritable;
	identity_commit(c);
	return 0;
}

static long bounding_drop(uint64_t cap)
{
	struct creds *c;

	if (!ns_capable(current_user_ns(), CAP_SETPCAP))
		return -EPERM;
	if (cap > CAP_LAST_CAP)
		return -EINVAL;
	c = creds_copy(current_creds());
	if (!c)
		return -ENOMEM;
	c->cap_bounding &= ~(1ULL << cap);
	identity_commit(c);
	return 0;
}

static long securebits_set(uint64_t bits)
{
	const struct creds *old = current_creds();
	const uint64_t locks = 0xaaa; /* each stands above the bit that it locks */
	const uint64_t for_all = 0xfULL << SECURE_EXEC_RESTRICT_FILE;
	struct creds *c;

	if (bits & ~0xfffULL)
		return -EPERM;
	/* Locked bits stay as they are, and locks stay locked. */
	if (((old->securebits & locks) >> 1) & (old->securebits ^ bits))
		return -EPERM;
	if (old->securebits & locks & ~bits)
		return -EPERM;
	if (((old->securebits ^ bits) & ~for_all || old->securebits == bits) &&
	    !ns_capable(current_user_ns(), CAP_SETPCAP))
		return -EPERM;
	c = creds_copy(old);
	if (!c)
		return -ENOMEM;
	c->securebits = (uint32_t)bits;
	identity_commit(c);
	return 0;
}

static long keepcaps_set(uint64_t on)
{
	struct creds *c;

	if (on > 1)
		return -EINVAL;
	if (current_creds()->securebits & (1 << SECURE_KEEP_CAPS_LOCKED))
		return -EPERM;
	c = creds_copy(current_creds());
	if (!c)
		return -ENOMEM;
	c->securebits &= ~(1U << SECURE_KEEP_CAPS);
	c->securebits |= (uint32_t)on << SECURE_KEEP_CAPS;
	identity_commit(c);
	return 0;
}

static long ambient_change(uint64_t op, uint64_t cap)
{
	const struct creds *old = current_creds();
	struct creds *c;

	if (op != PR_CAP_AMBIENT_CLEAR_ALL && cap > CAP_LAST_CAP)
		return -EINVAL;
	if (op == PR_CAP_AMBIENT_IS_SET)
		return (old->cap_ambient >> cap) & 1;
	if (op < PR_CAP_AMBIENT_IS_SET || op > PR_CAP_AMBIENT_CLEAR_ALL)
		return -EINVAL;
	if (op == PR_CAP_AMBIENT_CLEAR_ALL && cap)
		return -EINVAL;
	if (op == PR_CAP_AMBIENT_RAISE &&
	    (!((old->cap_permitted & old->cap_inheritable) >> cap & 1) ||
	     (old->securebits & (1 << SECURE_NO_CAP_AMBIENT_RAISE))))
		return -EPERM;
	c = creds_copy(old);
	if (!c)
		return -ENOMEM;
	if (op == PR_CAP_AMBIENT_CLEAR_ALL)
		c->cap_ambient = 0;
	else if (op == PR_CAP_AMBIENT_RAISE)
		c->cap_ambient |= 1ULL << cap;
	else
		c->cap_ambient &= ~(1ULL << cap);
	identity_commit(c);
	return 0;
}

long prctl_capabilities(int op, uint64_t arg2, uint64_t arg3, bool *handled)
{
	const struct creds *c = current_creds();

	*handled = true;
	switch (op) {
	case PR_CAPBSET_READ:
		return arg2 > CAP_LAST_CAP ? -EINVAL
					   : (long)(c->cap_bounding >> arg2 & 1);
	case PR_CAPBSET_DROP:
		return bounding_drop(arg2);
	case PR_GET_SECUREBITS:
		return c->securebits;
	case PR_SET_SECUREBITS:
		return securebits_set(arg2);
	case PR_GET_KEEPCAPS:
		return c->securebits >> SECURE_KEEP_CAPS & 1;
	case PR_SET_KEEPCAPS:
		return keepcaps_set(arg2);
	case PR_CAP_AMBIENT:
		return ambient_change(arg2, arg3);
	default:
		*handled = false;
		return 0;
	}
}
