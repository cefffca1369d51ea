/* SPDX-License-Identifier: MIT */
/* sys_identity.c - user and group ids (credentials(7)).
 *
 * Each task has credentials of its own, as on Linux; C libraries change those of all
 * threads by asking each. User and group calls follow the same rules on four ids each.
 * What they are told is converted to the kernel's ids first: no task has an id that its
 * user namespace does not know but those it had before it came there. */
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

static long ids_copy_out(const struct ids *ids, enum id_kind kind, uaddr_t real,
			 uaddr_t effective, uaddr_t saved)
{
	const struct user_ns *ns = current_user_ns();
	int err = put_user_u32(real, id_shown(ns, kind, ids->real));

	if (!err)
		err = put_user_u32(effective, id_shown(ns, kind, ids->effective));
	if (!err)
		err = put_user_u32(saved, id_shown(ns, kind, ids->saved));
	return err;
}

/* The kernel's id for what is set: true unless the current task's namespace knows none.
 * NO_ID, where it means to leave an id as it is, remains that. */
static bool id_import(enum id_kind kind, uint32_t *id)
{
	const struct user_ns *ns = current_user_ns();

	if (likely(ns == &first_user_ns) || *id == NO_ID)
		return true;
	*id = id_to_kernel(ns, kind, *id);
	return *id != NO_ID;
}

static bool has_set_cap(int cap)
{
	return ns_capable(current_user_ns(), cap);
}

long sys_getuid(struct task *t)
{
	return kuid_shown(t->creds->user_ns, t->creds->uid);
}

long sys_geteuid(struct task *t)
{
	return kuid_shown(t->creds->user_ns, t->creds->euid);
}

long sys_getgid(struct task *t)
{
	return kgid_shown(t->creds->user_ns, t->creds->gid);
}

long sys_getegid(struct task *t)
{
	return kgid_shown(t->creds->user_ns, t->creds->egid);
}

long sys_setuid(struct task *t, uid_t uid)
{
	struct ids ids = user_ids(t->creds);
	int err = !id_import(ID_USER, &uid) ? -EINVAL
					    : ids_set(&ids, uid, has_set_cap(CAP_SETUID));

	return err ? err : commit_user_ids(&ids);
}

long sys_setgid(struct task *t, gid_t gid)
{
	struct ids ids = group_ids(t->creds);
	int err = !id_import(ID_GROUP, &gid)
			  ? -EINVAL
			  : ids_set(&ids, gid, has_set_cap(CAP_SETGID));

	return err ? err : commit_group_ids(&ids);
}

long sys_setreuid(struct task *t, uid_t ruid, uid_t euid)
{
	struct ids ids = user_ids(t->creds);
	int err = -EINVAL;

	if (id_import(ID_USER, &ruid) && id_import(ID_USER, &euid))
		err = ids_set_two(&ids, ruid, euid, has_set_cap(CAP_SETUID));

	return err ? err : commit_user_ids(&ids);
}

long sys_setregid(struct task *t, gid_t rgid, gid_t egid)
{
	struct ids ids = group_ids(t->creds);
	int err = -EINVAL;

	if (id_import(ID_GROUP, &rgid) && id_import(ID_GROUP, &egid))
		err = ids_set_two(&ids, rgid, egid, has_set_cap(CAP_SETGID));

	return err ? err : commit_group_ids(&ids);
}

long sys_setresuid(struct task *t, uid_t ruid, uid_t euid, uid_t suid)
{
	struct ids ids = user_ids(t->creds);
	int err = -EINVAL;

	if (id_import(ID_USER, &ruid) && id_import(ID_USER, &euid) &&
	    id_import(ID_USER, &suid))
		err = ids_set_three(&ids, ruid, euid, suid, has_set_cap(CAP_SETUID));

	return err ? err : commit_user_ids(&ids);
}

long sys_setresgid(struct task *t, gid_t rgid, gid_t egid, gid_t sgid)
{
	struct ids ids = group_ids(t->creds);
	int err = -EINVAL;

	if (id_import(ID_GROUP, &rgid) && id_import(ID_GROUP, &egid) &&
	    id_import(ID_GROUP, &sgid))
		err = ids_set_three(&ids, rgid, egid, sgid, has_set_cap(CAP_SETGID));

	return err ? err : commit_group_ids(&ids);
}

long sys_getresuid(struct task *t, uaddr_t ruid, uaddr_t euid, uaddr_t suid)
{
	struct ids ids = user_ids(t->creds);

	return ids_copy_out(&ids, ID_USER, ruid, euid, suid);
}

long sys_getresgid(struct task *t, uaddr_t rgid, uaddr_t egid, uaddr_t sgid)
{
	struct ids ids = group_ids(t->creds);

	return ids_copy_out(&ids, ID_GROUP, rgid, egid, sgid);
}

/* Returns the old id, whether it worked or not. */
long sys_setfsuid(struct task *t, uid_t uid)
{
	struct ids ids = user_ids(t->creds);
	uid_t old = uid_out(ids.fs);
	struct creds *c;

	if (!id_import(ID_USER, &uid) || uid == NO_ID || uid == ids.fs ||
	    (!ids_hold(&ids, uid) && !has_set_cap(CAP_SETUID)))
		return old;
	c = creds_copy(t->creds);
	if (!c)
		return old;
	c->fsuid = uid;
	caps_follow_fsuid(c, t->creds);
	identity_commit(c);
	return old;
}

long sys_setfsgid(struct task *t, gid_t gid)
{
	struct ids ids = group_ids(t->creds);
	gid_t old = gid_out(ids.fs);

	if (!id_import(ID_GROUP, &gid) || gid == NO_ID || gid == ids.fs ||
	    (!ids_hold(&ids, gid) && !has_set_cap(CAP_SETGID)))
		return old;
	ids.fs = gid;
	(void)commit_group_ids(&ids);
	return old;
}

static int groups_copy_out(const struct creds *c, uaddr_t list)
{
	uint32_t count = c->group_count;
	int err = 0;

	if (likely(c->user_ns == &first_user_ns))
		return copy_to_user(list, c->groups, count * sizeof(gid_t));
	for (uint32_t i = 0; i < count && !err; i++)
		err = put_user_u32(list + i * sizeof(gid_t), gid_out(c->groups[i]));
	return err;
}

long sys_getgroups(struct task *t, int count, uaddr_t list)
{
	uint32_t have = t->creds->group_count;

	if (count < 0)
		return -EINVAL;
	if (count) {
		if ((uint32_t)count < have)
			return -EINVAL;
		if (have && groups_copy_out(t->creds, list))
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

static int groups_copy_in(gid_t *groups, uint32_t count, uaddr_t list)
{
	if (copy_from_user(groups, list, count * sizeof(*groups)))
		return -EFAULT;
	for (uint32_t i = 0; i < count; i++)
		if (!id_import(ID_GROUP, &groups[i]) || groups[i] == NO_ID)
			return -EINVAL;
	return 0;
}

long sys_setgroups(struct task *t, int count, uaddr_t list)
{
	struct creds *c;
	gid_t *groups = NULL;
	int err;

	if (!has_set_cap(CAP_SETGID) || !user_ns_may_setgroups(current_user_ns()))
		return -EPERM;
	if (count < 0 || count > NGROUPS_MAX)
		return -EINVAL;
	if (count) {
		groups = kmalloc_array((size_t)count, sizeof(*groups));
		if (!groups)
			return -ENOMEM;
		err = groups_copy_in(groups, (uint32_t)count, list);
		if (err) {
			kfree(groups);
			return err;
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
