/* SPDX-License-Identifier: MIT */
/* user_ns.c - see user_ns.h. */
#include "process/user_ns.h"

#include "abi/capability.h"
#include "abi/sched.h"
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

/* ---- ids ---- */

/* Of count extents in order, the one that id is in, or NULL. */
static const struct id_extent *find(const struct id_extent *extents, uint32_t count,
				    bool by_kernel, uint32_t id)
{
	uint32_t low = 0;
	uint32_t high = count;

	while (low < high) {
		uint32_t mid = (low + high) / 2;
		const struct id_extent *e = &extents[mid];
		uint32_t first = by_kernel ? e->kernel : e->first;

		if (id < first)
			high = mid;
		else if (id - first >= e->count)
			low = mid + 1;
		else
			return e;
	}
	return NULL;
}

uint32_t id_to_kernel(const struct user_ns *ns, enum id_kind kind, uint32_t id)
{
	const struct id_map *map = atomic_load(&ns->maps[kind]);
	const struct id_extent *e;

	if (ns == &first_user_ns)
		return id;
	e = map ? find(map->extents, map->count, false, id) : NULL;
	return e ? e->kernel + (id - e->first) : NO_ID;
}

uint32_t id_from_kernel(const struct user_ns *ns, enum id_kind kind, uint32_t id)
{
	const struct id_map *map = atomic_load(&ns->maps[kind]);
	const struct id_extent *e;

	if (ns == &first_user_ns)
		return id;
	e = map ? find(map->extents + map->count, map->count, true, id) : NULL;
	return e ? e->first + (id - e->kernel) : NO_ID;
}

uint32_t id_shown(const struct user_ns *ns, enum id_kind kind, uint32_t id)
{
	uint32_t there = id_from_kernel(ns, kind, id);

	return there == NO_ID ? (uint32_t)atomic_load_relaxed(&overflow_ids[kind])
			      : there;
}
