/* SPDX-License-Identifier: MIT */
/* sys_identity.c - user and group ids (credentials(7)).
 *
 * Each task has credentials of its own, as on Linux; C libraries change those of all
 * threads by asking each. User and group calls follow the same rules on four ids each. */
#include "abi/capability.h"
#include "abi/errno.h"
#include "abi/syscall.h"
#include "base/slab.h"
#include "mm/usercopy.h"
#include "process/identity.h"
#include "process/task.h"
#include "process/user_ns.h"

/* The user ids or the group ids of a task. */
struct ids {
	uint32_t real, effective, saved, fs;
};

static struct ids user_ids(const struct creds *c)
{
	return (struct ids){c->uid, c->euid, c->suid, c->fsuid};
}

static struct ids group_ids(const struct creds *c)
{
	return (struct ids){c->gid, c->egid, c->sgid, c->fsgid};
}

static long commit_user_ids(const struct ids *ids)
{
	const struct creds *old = current_creds();
	struct creds *c = creds_copy(old);

	if (!c)
		return -ENOMEM;
	c->uid = ids->real;
	c->euid = ids->effective;
	c->suid = ids->saved;
	c->fsuid = ids->fs;
	caps_follow_uids(c, old);
	current()->is_over_nproc = is_over_nproc(c);
	identity_commit(c);
	return 0;
}

static long commit_group_ids(const struct ids *ids)
{
	struct creds *c = creds_copy(current_creds());

	if (!c)
		return -ENOMEM;
	c->gid = ids->real;
	c->egid = ids->effective;
	c->sgid = ids->saved;
	c->fsgid = ids->fs;
	identity_commit(c);
	return 0;
}

/* setuid(2), setgid(2) */
static int ids_set(struct ids *ids, uint32_t id, bool privileged)
{
	if (id == NO_ID)
		return -EINVAL;
	if (privileged)
		ids->real = ids->saved = id;
	else if (id != ids->real && id != ids->saved)
		return -EPERM;
	ids->effective = ids->fs = id;
	return 0;
}

/* setreuid(2), setregid(2) */
static int ids_set_two(struct ids *ids, uint32_t real, uint32_t effective,
		       bool privileged)
{
	struct ids old = *ids;

	if (real != NO_ID) {
		if (real != old.real && real != old.effective && !privileged)
			return -EPERM;
		ids->real = real;
	}
	if (effective != NO_ID) {
		if (effective != old.real && effective != old.effective &&
		    effective != old.saved && !privileged)
			return -EPERM;
		ids->effective = effective;
	}
	if (real != NO_ID || (effective != NO_ID && effective != old.real))
		ids->saved = ids->effective;
	ids->fs = ids->effective;
	return 0;
}

static bool ids_hold(const struct ids *ids, uint32_t id)
{
	return id == NO_ID || id == ids->real || id == ids->effective || id == ids->saved;
}

/* setresuid(2), setresgid(2) */
static int ids_set_three(struct ids *ids, uint32_t real, uint32_t effective,
			 uint32_t saved, bool privileged)
{
	if (!privileged &&
	    (!ids_hold(ids, real) || !ids_hold(ids, effective) || !ids_hold(ids, saved)))
		return -EPERM;
	if (real != NO_ID)
		ids->real = real;
	if (effective != NO_ID)
		ids->effective = effective;
	if (saved != NO_ID)
		ids->saved = saved;
	ids->fs = ids->effective;
	return 0;
}

static long ids_copy_out(const struct ids *ids, uaddr_t real, uaddr_t effective,
			 uaddr_t saved)
{
	int err = put_user_u32(real, ids->real);

	if (!err)
		err = put_user_u32(effective, ids->effective);
	if (!err)
		err = put_user_u32(saved, ids->saved);
	return err;
}

long sys_getuid(struct task *t)
{
	return t->creds->uid;
}

long sys_geteuid(struct task *t)
{
	return t->creds->euid;
}

long sys_getgid(struct task *t)
{
	return t->creds->gid;
}

long sys_getegid(struct task *t)
{
	return t->creds->egid;
}

long sys_setuid(struct task *t, uid_t uid)
{
	struct ids ids = user_ids(t->creds);
	int err = ids_set(&ids, uid, capable(CAP_SETUID));

	return err ? err : commit_user_ids(&ids);
}

long sys_setgid(struct task *t, gid_t gid)
{
	struct ids ids = group_ids(t->creds);
	int err = ids_set(&ids, gid, capable(CAP_SETGID));

	return err ? err : commit_group_ids(&ids);
}

long sys_setreuid(struct task *t, uid_t ruid, uid_t euid)
{
	struct ids ids = user_ids(t->creds);
	int err = ids_set_two(&ids, ruid, euid, capable(CAP_SETUID));

	return err ? err : commit_user_ids(&ids);
}

long sys_setregid(struct task *t, gid_t rgid, gid_t egid)
{
	struct ids ids = group_ids(t->creds);
	int err = ids_set_two(&ids, rgid, egid, capable(CAP_SETGID));

	return err ? err : commit_group_ids(&ids);
}

long sys_setresuid(struct task *t, uid_t ruid, uid_t euid, uid_t suid)
{
	struct ids ids = user_ids(t->creds);
	int err = ids_set_three(&ids, ruid, euid, suid, capable(CAP_SETUID));

	return err ? err : commit_user_ids(&ids);
}

long sys_setresgid(struct task *t, gid_t rgid, gid_t egid, gid_t sgid)
{
	struct ids ids = group_ids(t->creds);
	int err = ids_set_three(&ids, rgid, egid, sgid, capable(CAP_SETGID));

	return err ? err : commit_group_ids(&ids);
}

long sys_getresuid(struct task *t, uaddr_t ruid, uaddr_t euid, uaddr_t suid)
{
	struct ids ids = user_ids(t->creds);

	return ids_copy_out(&ids, ruid, euid, suid);
}

long sys_getresgid(struct task *t, uaddr_t rgid, uaddr_t egid, uaddr_t sgid)
{
	struct ids ids = group_ids(t->creds);

	return ids_copy_out(&ids, rgid, egid, sgid);
}

/* Returns the old id, whether it worked or not. */
long sys_setfsuid(struct task *t, uid_t uid)
{
	struct ids ids = user_ids(t->creds);
	struct creds *c;

	if (uid == NO_ID || uid == ids.fs ||
	    (!ids_hold(&ids, uid) && !capable(CAP_SETUID)))
		return ids.fs;
	c = creds_copy(t->creds);
	if (!c)
		return ids.fs;
	c->fsuid = uid;
	caps_follow_fsuid(c, t->creds);
	identity_commit(c);
	return ids.fs;
}

long sys_setfsgid(struct task *t, gid_t gid)
{
	struct ids ids = group_ids(t->creds);
	uint32_t old = ids.fs;

	if (gid == NO_ID || gid == old || (!ids_hold(&ids, gid) && !capable(CAP_SETGID)))
		return old;
	ids.fs = gid;
	(void)commit_group_ids(&ids);
	return old;
}

long sys_getgroups(struct task *t, int count, uaddr_t list)
{
	uint32_t have = t->creds->group_count;

	if (count < 0)
		return -EINVAL;
	if (count) {
		if ((uint32_t)count < have)
			return -EINVAL;
		if (have && copy_to_user(list, t->creds->groups, have * sizeof(gid_t)))
			return -EFAULT;
	}
	return have;
}

/* Shell sort: no recursion, and good enough for any list that a login makes. */
static void groups_sort(gid_t *list, uint32_t count)
{
	for (uint32_t gap = count / 2; gap; gap /= 2) {
		for (uint32_t i = gap; i < count; i++) {
			gid_t gid = list[i];
			uint32_t j = i;

			for (; j >= gap && list[j - gap] > gid; j -= gap)
				list[j] = list[j - gap];
			list[j] = gid;
		}
	}
}

long sys_setgroups(struct task *t, int count, uaddr_t list)
{
	struct creds *c;
	gid_t *groups = NULL;

	if (!capable(CAP_SETGID))
		return -EPERM;
	if (count < 0 || count > NGROUPS_MAX)
		return -EINVAL;
	if (count) {
		groups = kmalloc_array((size_t)count, sizeof(*groups));
		if (!groups)
			return -ENOMEM;
		if (copy_from_user(groups, list, (size_t)count * sizeof(*groups))) {
			kfree(groups);
			return -EFAULT;
		}
		groups_sort(groups, (uint32_t)count);
	}
	c = creds_copy(t->creds);
	if (!c) {
		kfree(groups);
		return -ENOMEM;
	}
	kfree(c->groups);
	c->groups = groups;
	c->group_count = (uint32_t)count;
	identity_commit(c);
	return 0;
}
