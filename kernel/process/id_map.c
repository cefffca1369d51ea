/* SPDX-License-Identifier: MIT */
/* id_map.c - the maps of a user namespace: looked up, written once, by whom and with what
 * (user_namespaces(7), "Defining user and group ID mappings"). */
#include "abi/capability.h"
#include "abi/errno.h"
#include "base/lock.h"
#include "base/slab.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "process/task.h"
#include "process/user_ns.h"

#define SORTED_FROM 6 /* fewer extents are looked through, in the order written */

/* For whoever sets something of a user namespace. */
static struct lock state_lock = LOCK_INIT(RANK_IDR);

/* ---- looking up ---- */

static uint32_t start_of(const struct id_extent *e, bool by_kernel)
{
	return by_kernel ? e->kernel : e->first;
}

static bool has(const struct id_extent *e, bool by_kernel, uint32_t id)
{
	return id >= start_of(e, by_kernel) && id - start_of(e, by_kernel) < e->count;
}

/* The extent that id is in, or NULL. */
static const struct id_extent *find(const struct id_map *map, bool by_kernel, uint32_t id)
{
	const struct id_extent *e = map->extents;
	uint32_t low = 0;
	uint32_t high = map->count;

	if (map->count < SORTED_FROM) {
		for (; low < high; low++)
			if (has(&e[low], by_kernel, id))
				return &e[low];
		return NULL;
	}
	if (by_kernel)
		e += map->count;
	while (low < high) {
		uint32_t mid = (low + high) / 2;

		if (has(&e[mid], by_kernel, id))
			return &e[mid];
		if (id < start_of(&e[mid], by_kernel))
			high = mid;
		else
			low = mid + 1;
	}
	return NULL;
}

/* The kernel's ids for count ids from id on, which must be in one extent; or NO_ID. */
static uint32_t range_to_kernel(const struct user_ns *ns, enum id_kind kind, uint32_t id,
				uint32_t count)
{
	const struct id_map *map = atomic_load(&ns->maps[kind]);
	const struct id_extent *e;

	if (ns == &first_user_ns)
		return id;
	e = map ? find(map, false, id) : NULL;
	if (!e || count > e->count - (id - e->first))
		return NO_ID;
	return e->kernel + (id - e->first);
}

uint32_t id_to_kernel(const struct user_ns *ns, enum id_kind kind, uint32_t id)
{
	return range_to_kernel(ns, kind, id, 1);
}

uint32_t id_from_kernel(const struct user_ns *ns, enum id_kind kind, uint32_t id)
{
	const struct id_map *map = atomic_load(&ns->maps[kind]);
	const struct id_extent *e;

	if (ns == &first_user_ns)
		return id;
	e = map ? find(map, true, id) : NULL;
	return e ? e->first + (id - e->kernel) : NO_ID;
}

uint32_t id_shown(const struct user_ns *ns, enum id_kind kind, uint32_t id)
{
	uint32_t there = id_from_kernel(ns, kind, id);

	return there == NO_ID ? (uint32_t)atomic_load_relaxed(&overflow_ids[kind])
			      : there;
}

uint32_t id_map_extent(const struct user_ns *ns, enum id_kind kind, uint32_t i,
		       struct id_extent *out)
{
	static const struct id_extent all = {0, 0, NO_ID};
	const struct id_map *map = atomic_load(&ns->maps[kind]);
	uint32_t count = ns == &first_user_ns ? 1 : map ? map->count : 0;

	if (i < count)
		*out = map ? map->extents[i] : all;
	return count;
}

/* ---- reading what is written ---- */

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static void skip_spaces(const char **at)
{
	while (is_space(**at))
		++*at;
}

/* Digits as they come, none of them: 0. Who gives more than 32 bits gets the low ones. */
static uint32_t number_take(const char **at)
{
	uint64_t value = 0;

	skip_spaces(at);
	for (; **at >= '0' && **at <= '9'; ++*at)
		value = value * 10 + (uint64_t)(**at - '0');
	return (uint32_t)value;
}

/* "FIRST LOWER COUNT"; the second is still the parent's. */
static int line_parse(const char *line, struct id_extent *out)
{
	const char *p = line;

	out->first = number_take(&p);
	if (!is_space(*p))
		return -EINVAL;
	out->kernel = number_take(&p);
	if (!is_space(*p))
		return -EINVAL;
	out->count = number_take(&p);
	skip_spaces(&p);
	if (*p || out->first == NO_ID || out->kernel == NO_ID)
		return -EINVAL;
	/* None, or beyond the last id. */
	if (out->first + out->count <= out->first ||
	    out->kernel + out->count <= out->kernel)
		return -EINVAL;
	return 0;
}

static bool overlap(uint32_t a, uint32_t a_count, uint32_t b, uint32_t b_count)
{
	return a < b ? b - a < a_count : a - b < b_count;
}

static bool is_new(const struct id_map *map, const struct id_extent *e)
{
	for (uint32_t i = 0; i < map->count; i++) {
		const struct id_extent *o = &map->extents[i];

		if (overlap(o->first, o->count, e->first, e->count) ||
		    overlap(o->kernel, o->count, e->kernel, e->count))
			return false;
	}
	return true;
}

/* map has room for ID_EXTENTS_MAX. */
static int lines_parse(char *text, struct id_map *map)
{
	char *line = text;

	map->count = 0;
	while (line) {
		struct id_extent e;
		char *end = strchr(line, '\n');
		int err;

		if (end)
			*end++ = '\0';
		err = line_parse(line, &e);
		if (err || map->count == ID_EXTENTS_MAX || !is_new(map, &e))
			return -EINVAL;
		map->extents[map->count++] = e;
		line = end && *end ? end : NULL;
	}
	return 0;
}

/* ---- who may ---- */

/* Root of the namespace around it can be reached through the map: by a file's
 * capabilities. */
static bool may_map_root(const struct user_ns *ns, const struct creds *opener,
			 const struct id_map *map)
{
	bool has_root = false;

	for (uint32_t i = 0; i < map->count; i++)
		has_root |= map->extents[i].kernel == 0;
	if (!has_root)
		return true;
	if (opener->user_ns == ns)
		return ns->parent_may_setfcap;
	return creds_ns_capable(opener, user_ns_parent(ns), CAP_SETFCAP);
}

/* One id, that of who made the namespace and opened the file. */
static bool is_own_id(const struct user_ns *ns, enum id_kind kind,
		      const struct creds *opener, const struct id_map *map)
{
	uint32_t id;

	if (map->count != 1 || map->extents[0].count != 1 || ns->owner != opener->euid)
		return false;
	id = id_to_kernel(user_ns_parent(ns), kind, map->extents[0].kernel);
	if (id == NO_ID)
		return false;
	if (kind == ID_USER)
		return id == opener->euid;
	return !ns->may_setgroups && id == opener->egid;
}

/* The state's lock is held; map names the parent's ids. */
static bool is_permitted(const struct user_ns *ns, enum id_kind kind,
			 const struct creds *opener, const struct id_map *map)
{
	const struct user_ns *parent = user_ns_parent(ns);
	int cap = kind == ID_USER ? CAP_SETUID : CAP_SETGID;

	if (kind == ID_PROJECT)
		return true;
	if (kind == ID_USER && !may_map_root(ns, opener, map))
		return false;
	return is_own_id(ns, kind, opener, map) ||
	       (ns_capable(parent, cap) && creds_ns_capable(opener, parent, cap));
}

/* ---- setting ---- */

static bool is_before(const struct id_extent *a, const struct id_extent *b,
		      bool by_kernel)
{
	return start_of(a, by_kernel) < start_of(b, by_kernel);
}

static void sort(struct id_extent *e, uint32_t count, bool by_kernel)
{
	for (uint32_t i = 1; i < count; i++) {
		struct id_extent moving = e[i];
		uint32_t j = i;

		for (; j > 0 && is_before(&moving, &e[j - 1], by_kernel); j--)
			e[j] = e[j - 1];
		e[j] = moving;
	}
}

/* Names the kernel's ids instead of the parent's. */
static int to_kernel(const struct user_ns *parent, enum id_kind kind, struct id_map *map)
{
	for (uint32_t i = 0; i < map->count; i++) {
		struct id_extent *e = &map->extents[i];

		e->kernel = range_to_kernel(parent, kind, e->kernel, e->count);
		if (e->kernel == NO_ID)
			return -EPERM;
	}
	return 0;
}

/* A map to keep, no larger than it need be. NULL: no memory. */
static struct id_map *compact(const struct id_map *map)
{
	bool is_sorted = map->count >= SORTED_FROM;
	size_t size = map->count * sizeof(map->extents[0]);
	struct id_map *copy = kmalloc(sizeof(*copy) + (is_sorted ? 2 : 1) * size);

	if (!copy)
		return NULL;
	copy->count = map->count;
	memcpy(copy->extents, map->extents, size);
	if (is_sorted) {
		sort(copy->extents, map->count, false);
		memcpy(copy->extents + map->count, copy->extents, size);
		sort(copy->extents + map->count, map->count, true);
	}
	return copy;
}

/* The same, with room for what is being made in map. */
static int set_locked(struct user_ns *ns, enum id_kind kind, const struct creds *opener,
		      char *text, struct id_map *map)
{
	struct id_map *kept;
	int err;

	if (ns->maps[kind] ||
	    (kind != ID_PROJECT && !creds_ns_capable(opener, ns, CAP_SYS_ADMIN)))
		return -EPERM;
	err = lines_parse(text, map);
	if (!err && !is_permitted(ns, kind, opener, map))
		err = -EPERM;
	if (!err)
		err = to_kernel(user_ns_parent(ns), kind, map);
	if (err)
		return err;
	kept = compact(map);
	if (!kept)
		return -ENOMEM;
	atomic_store(&ns->maps[kind], kept);
	return 0;
}

int id_map_set(struct user_ns *ns, enum id_kind kind, const struct creds *opener,
	       char *text)
{
	struct id_map *map =
		kmalloc(sizeof(*map) + ID_EXTENTS_MAX * sizeof(map->extents[0]));
	int err;

	if (!map)
		return -ENOMEM;
	lock_take(&state_lock);
	err = set_locked(ns, kind, opener, text, map);
	lock_drop(&state_lock);
	kfree(map);
	return err;
}

int user_ns_set_setgroups(struct user_ns *ns, bool may)
{
	int err = 0;

	lock_take(&state_lock);
	/* Once denied it remains so, and once there are groups it is too late. */
	if (may ? !ns->may_setgroups : ns == &first_user_ns || ns->maps[ID_GROUP] != NULL)
		err = -EPERM;
	else
		atomic_store(&ns->may_setgroups, may);
	lock_drop(&state_lock);
	return err;
}

bool user_ns_may_setgroups(const struct user_ns *ns)
{
	return ns == &first_user_ns ||
	       (atomic_load(&ns->maps[ID_GROUP]) && atomic_load(&ns->may_setgroups));
}
