/* SPDX-License-Identifier: MIT */
/* namespace.c - see namespace.h. */
#include "process/namespace.h"

#include "abi/capability.h"
#include "abi/errno.h"
#include "abi/sched.h"
#include "base/slab.h"
#include "process/identity.h"
#include "process/task.h"
#include "process/time_ns.h"
#include "process/user_ns.h"

#define INO_NEXT 4026532400

struct nsproxy first_nsproxy = {{1}, &first_time_ns, &first_time_ns, NULL};

/* Linux's numbers of the first namespaces. */
#define FIRST(kind_, number)                                                             \
	{                                                                                \
		.refs = {1}, .kind = (kind_), .ino = NAMESPACE_INO_FIRST + (number),     \
		.owner = &first_user_ns                                                  \
	}
static struct namespace only[] = {
	FIRST(CLONE_NEWCGROUP, 1), FIRST(CLONE_NEWPID, 2), FIRST(CLONE_NEWUTS, 4),
	FIRST(CLONE_NEWIPC, 5),	   FIRST(CLONE_NEWNS, 7),
};

static SLAB_CACHE(nsproxy_cache, "nsproxy", sizeof(struct nsproxy), 8);
static uint64_t last_ino = INO_NEXT; /* atomic */
int (*namespace_create_net)(struct user_ns *owner, struct namespace **out);

int namespace_init(struct namespace *ns, uint32_t kind, struct user_ns *owner, uid_t uid,
		   void (*free)(struct namespace *ns))
{
	if (!ns_count_take(owner, uid, ns_count_kind_of(kind)))
		return -ENOSPC;
	user_ns_get(owner);
	*ns = (struct namespace){
		.kind = kind,
		.ino = atomic_add(&last_ino, 1) + 1,
		.owner = owner,
		.maker = uid,
		.free = free,
	};
	ref_init(&ns->refs);
	return 0;
}

void namespace_fini(struct namespace *ns)
{
	ns_count_drop(ns->owner, ns->maker, ns_count_kind_of(ns->kind));
	user_ns_put(ns->owner);
}

void namespace_get(struct namespace *ns)
{
	ref_get(&ns->refs);
}

void namespace_put(struct namespace *ns)
{
	if (ns && ref_put(&ns->refs) && ns->free)
		ns->free(ns);
}

/* ---- those of a task ---- */

void nsproxy_get(struct nsproxy *n)
{
	ref_get(&n->refs);
}

void nsproxy_put(struct nsproxy *n)
{
	if (!n || !ref_put(&n->refs))
		return;
	time_ns_put(n->time);
	time_ns_put(n->time_for_children);
	namespace_put(n->net);
	slab_free(&nsproxy_cache, n);
}

/* One for a task that is to be in time, its children in the other: takes a reference to
 * all. */
static int create(struct time_ns *time, struct time_ns *time_for_children,
		  struct namespace *net, struct nsproxy **out)
{
	struct nsproxy *n;
	int err = time_ns_freeze(time);

	if (err)
		return err;
	n = slab_alloc(&nsproxy_cache);
	if (!n)
		return -ENOMEM;
	ref_init(&n->refs);
	time_ns_get(time);
	time_ns_get(time_for_children);
	n->time = time;
	n->time_for_children = time_for_children;
	namespace_get(net);
	n->net = net;
	*out = n;
	return 0;
}

static int share(struct nsproxy *n, struct nsproxy **out)
{
	nsproxy_get(n);
	*out = n;
	return 0;
}

/* Of the kinds that flags ask for, new ones of user's: 0, -EPERM. */
static int check_new(uint64_t flags, const struct user_ns *user)
{
	if (!ns_capable(user, CAP_SYS_ADMIN))
		return -EPERM;
	return flags & CLONE_NAMESPACES &
			       ~(uint64_t)(CLONE_NEWTIME | CLONE_NEWNET | CLONE_NEWUSER)
		       ? -EPERM
		       : 0;
}

/* Those of n, but new ones of the kinds in flags. A new time namespace is for children,
 * and the task's own too if is_own. */
static int create_new(const struct nsproxy *n, uint64_t flags, struct user_ns *user,
		      bool is_own, struct nsproxy **out)
{
	struct namespace *net = n->net;
	struct time_ns *time = n->time_for_children;
	int err = check_new(flags, user);

	if (err)
		return err;
	if (flags & CLONE_NEWNET)
		err = namespace_create_net(user, &net);
	else
		namespace_get(net);
	if (err)
		return err;
	if (flags & CLONE_NEWTIME)
		err = time_ns_create(n->time_for_children, user, &time);
	else
		time_ns_get(time);
	if (!err) {
		err = create(is_own ? time : n->time, time, net, out);
		time_ns_put(time);
	}
	namespace_put(net);
	return err;
}

int nsproxy_for_child(const struct task *t, uint64_t flags, struct user_ns *user,
		      struct nsproxy **out)
{
	struct nsproxy *n = t->ns;
	bool is_own = !(flags & CLONE_VM); /* its vDSO is not its parent's */
	int err;

	if (flags & CLONE_NAMESPACES & ~(uint64_t)CLONE_NEWUSER)
		err = create_new(n, flags, user, is_own, out);
	else if (likely(n->time == n->time_for_children) || !is_own)
		return share(n, out);
	else
		err = create(n->time_for_children, n->time_for_children, n->net, out);
	return err;
}

int nsproxy_for_unshare(const struct task *t, uint64_t flags, struct user_ns *user,
			struct nsproxy **out)
{
	return create_new(t->ns, flags, user, false, out);
}

int nsproxy_for_exec(const struct task *t, struct nsproxy **out)
{
	struct nsproxy *n = t->ns;

	if (likely(n->time == n->time_for_children))
		return share(n, out);
	return create(n->time_for_children, n->time_for_children, n->net, out);
}

int nsproxy_entering(const struct nsproxy *n, struct namespace *ns, struct nsproxy **out)
{
	struct time_ns *time;

	if (ns->kind == CLONE_NEWNET)
		return create(n->time, n->time_for_children, ns, out);
	time = container_of(ns, struct time_ns, ns);
	return create(time, time, n->net, out);
}

void nsproxy_switch(struct task *t, struct nsproxy *n)
{
	struct nsproxy *old = t->ns;

	lock_take(&t->process->lock);
	t->ns = n;
	lock_drop(&t->process->lock);
	nsproxy_put(old);
}

struct nsproxy *task_nsproxy(struct task *t)
{
	struct nsproxy *n;

	lock_take(&t->process->lock);
	n = t->ns;
	if (n)
		nsproxy_get(n);
	lock_drop(&t->process->lock);
	return n;
}

/* Who has ended still is some user's. */
static struct namespace *user_namespace(struct task *t)
{
	struct creds *c = task_creds(t);
	struct namespace *ns = c ? &c->user_ns->ns : NULL;

	if (ns)
		namespace_get(ns);
	creds_put(c);
	return ns;
}

struct namespace *task_namespace(struct task *t, uint32_t kind, bool of_children)
{
	struct namespace *found = NULL;
	struct nsproxy *n;

	if (kind == CLONE_NEWUSER)
		return user_namespace(t);
	n = task_nsproxy(t);
	/* Who has ended still has an id. */
	if (n || kind == CLONE_NEWPID)
		for (size_t i = 0; i < ARRAY_SIZE(only); i++)
			if (only[i].kind == kind)
				found = &only[i];
	if (n && kind == CLONE_NEWTIME)
		found = of_children ? &n->time_for_children->ns : &n->time->ns;
	if (n && kind == CLONE_NEWNET)
		found = n->net;
	if (found)
		namespace_get(found);
	nsproxy_put(n);
	return found;
}
