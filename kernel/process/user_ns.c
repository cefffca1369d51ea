/* SPDX-License-Identifier: MIT */
/* user_ns.c - see user_ns.h. */
#include "process/user_ns.h"

#include "abi/capability.h"
#include "abi/errno.h"
#include "abi/sched.h"
#include "base/slab.h"
#include "lib/atomic.h"
#include "process/task.h"

struct user_ns first_user_ns = {
	.ns = {.refs = {1}, .kind = CLONE_NEWUSER, .ino = NAMESPACE_INO_FIRST + 3},
	.parent_may_setfcap = true,
	.may_setgroups = true,
	/* half the tasks that there may be, as Linux has it */
	.counts = {.max = {96365, 96365, 96365},
		   .users = LIST_INIT(first_user_ns.counts.users)},
};
int overflow_ids[ID_KINDS] = {65534, 65534, 65534};

static SLAB_CACHE(user_ns_slab, "user_namespace", sizeof(struct user_ns), 8);

/* Those around it may go with it: not by recursion, which could go deep. */
static void user_ns_free(struct namespace *ns)
{
	struct user_ns *u = container_of(ns, struct user_ns, ns);
	struct user_ns *parent;

	do {
		parent = user_ns_parent(u);
		ns_count_drop(parent, u->ns.maker, NS_COUNT_USER);
		for (int i = 0; i < ID_KINDS; i++)
			kfree(u->maps[i]);
		slab_free(&user_ns_slab, u);
		u = parent;
	} while (u != &first_user_ns && ref_put(&u->ns.refs));
}

/* Not out of a root that is not the tree's: files there could be reached otherwise, with
 * capabilities over them. And who it is must be somebody. */
static int check_maker(const struct creds *c, bool is_chrooted)
{
	if (is_chrooted || from_kuid(c->user_ns, c->euid) == NO_ID ||
	    from_kgid(c->user_ns, c->egid) == NO_ID)
		return -EPERM;
	return 0;
}

static int create(struct creds *c, bool is_chrooted, struct user_ns **out)
{
	struct user_ns *parent = c->user_ns;
	struct user_ns *u;
	int err;

	if (parent->level > USER_NS_LEVEL_MAX)
		return -ENOSPC;
	u = slab_alloc_zeroed(&user_ns_slab);
	if (!u)
		return -ENOMEM;
	err = namespace_init(&u->ns, CLONE_NEWUSER, parent, c->euid, user_ns_free);
	if (err) {
		slab_free(&user_ns_slab, u);
		return err;
	}
	list_init(&u->counts.users);
	u->level = parent->level + 1;
	u->owner = c->euid;
	u->group = c->egid;
	u->parent_may_setfcap = (c->cap_effective >> CAP_SETFCAP) & 1;
	u->may_setgroups = atomic_load(&parent->may_setgroups);
	for (int i = 0; i < NS_COUNT_KINDS; i++)
		u->counts.max[i] = INT32_MAX;
	err = check_maker(c, is_chrooted);
	if (err)
		user_ns_put(u);
	else
		*out = u;
	return err;
}

void creds_enter_user_ns(struct creds *c, struct user_ns *ns)
{
	user_ns_put(c->user_ns);
	c->user_ns = ns;
	c->securebits = 0;
	c->cap_inheritable = 0;
	c->cap_ambient = 0;
	c->cap_permitted = c->cap_effective = c->cap_bounding = CAP_FULL_SET;
}

int creds_new_user_ns(struct creds *c, bool is_chrooted)
{
	struct user_ns *ns;
	int err = create(c, is_chrooted, &ns);

	if (!err)
		creds_enter_user_ns(c, ns);
	return err;
}

bool user_ns_is_in(const struct user_ns *ns, const struct user_ns *ancestor)
{
	while (ns->level > ancestor->level)
		ns = user_ns_parent(ns);
	return ns == ancestor;
}

/* ---- capabilities ---- */

bool creds_ns_capable(const struct creds *c, const struct user_ns *ns, int cap)
{
	for (;; ns = user_ns_parent(ns)) {
		if (ns == c->user_ns)
			return (c->cap_effective >> cap) & 1;
		/* Not inside it: nothing that c has reaches there. */
		if (ns->level <= c->user_ns->level)
			return false;
		if (user_ns_parent(ns) == c->user_ns && ns->owner == c->euid)
			return true;
	}
}

bool ns_capable(const struct user_ns *ns, int cap)
{
	struct task *t = current();
	bool has = creds_ns_capable(t->creds, ns, cap);

	if (has && t->process && !atomic_load_relaxed(&t->process->used_privilege))
		atomic_store_relaxed(&t->process->used_privilege, true);
	return has;
}

bool capable(int cap)
{
	return ns_capable(&first_user_ns, cap);
}
