/* SPDX-License-Identifier: MIT */
/* time_ns.c - see time_ns.h. */
#include "process/time_ns.h"

#include "abi/errno.h"
#include "abi/sched.h"
#include "base/lock.h"
#include "base/slab.h"
#include "host/host.h"
#include "lib/atomic.h"
#include "process/task.h"
#include "process/user_ns.h"
#include "time/clock.h"

#define SECONDS_MAX (NSEC_NEVER / NSEC_PER_SEC) /* that a time may have */

struct time_ns first_time_ns = {
	.ns = {.refs = {1},
	       .kind = CLONE_NEWTIME,
	       .ino = 4026531834,
	       .owner = &first_user_ns},
	.is_frozen = true,
};

static SLAB_CACHE(time_ns_cache, "time_namespace", sizeof(struct time_ns), 8);
int (*time_ns_image_hook)(const struct time_offsets *o);
static struct lock offsets_lock = LOCK_INIT(RANK_LOG);

static void time_ns_free(struct namespace *ns)
{
	struct time_ns *n = container_of(ns, struct time_ns, ns);

	if (n->image)
		(void)host_close(n->image - 1);
	namespace_fini(ns);
	slab_free(&time_ns_cache, n);
}

int time_ns_create(struct time_ns *like, struct user_ns *owner, struct time_ns **out)
{
	struct time_ns *n = slab_alloc_zeroed(&time_ns_cache);
	int err;

	if (!n)
		return -ENOMEM;
	err = namespace_init(&n->ns, CLONE_NEWTIME, owner, current_creds()->euid,
			     time_ns_free);
	if (err) {
		slab_free(&time_ns_cache, n);
		return err;
	}
	n->offsets = time_ns_offsets(like);
	*out = n;
	return 0;
}

/* Once for all that will be in it: who is born there cannot be told that it failed. */
static int image_make(struct time_ns *ns)
{
	const struct time_offsets *o = &ns->offsets; /* constant by now */
	int fd;

	if (!time_ns_image_hook || (!o->monotonic && !o->boottime))
		return 0;
	fd = time_ns_image_hook(o);
	if (fd < 0)
		return -ENOMEM;
	if (!atomic_cas(&ns->image, 0, fd + 1)) /* another task was faster */
		(void)host_close(fd);
	return 0;
}

int time_ns_freeze(struct time_ns *ns)
{
	if (unlikely(!atomic_load(&ns->is_frozen))) {
		lock_take(&offsets_lock);
		atomic_store(&ns->is_frozen, true);
		lock_drop(&offsets_lock);
	}
	return likely(ns == &first_time_ns || atomic_load(&ns->image)) ? 0
								       : image_make(ns);
}

struct time_offsets time_ns_offsets(struct time_ns *ns)
{
	struct time_offsets o;

	lock_take(&offsets_lock);
	o = ns->offsets;
	lock_drop(&offsets_lock);
	return o;
}

/* -ERANGE unless the clock will read at least 0 and at most half of what it can, so that
 * it never comes to its end. */
static int offset_check(const struct time_offset *o)
{
	struct linux_timespec now = nsec_to_timespec(clock_now(o->clock));
	int64_t sec;

	if (o->sec > SECONDS_MAX || o->sec < -SECONDS_MAX)
		return -ERANGE;
	sec = now.tv_sec + o->sec + (now.tv_nsec + o->nsec) / NSEC_PER_SEC;
	return sec < 0 || sec > SECONDS_MAX / 2 ? -ERANGE : 0;
}

int time_ns_set_offsets(struct time_ns *ns, const struct time_offset *offsets,
			size_t offset_count)
{
	int err = 0;

	for (size_t i = 0; i < offset_count && !err; i++)
		err = offset_check(&offsets[i]);
	if (err)
		return err;
	lock_take(&offsets_lock);
	if (ns->is_frozen)
		err = -EACCES;
	for (size_t i = 0; i < offset_count && !err; i++) {
		nsec_t t = offsets[i].sec * NSEC_PER_SEC + offsets[i].nsec;

		if (offsets[i].clock == CLOCK_MONOTONIC)
			ns->offsets.monotonic = t;
		else
			ns->offsets.boottime = t;
	}
	lock_drop(&offsets_lock);
	return err;
}

/* ---- what the current task sees ---- */

nsec_t time_ns_offset(int clock)
{
	const struct nsproxy *n = current()->ns;

	if (likely(!n || n->time == &first_time_ns))
		return 0;
	switch (clock) {
	case CLOCK_MONOTONIC:
	case CLOCK_MONOTONIC_RAW:
	case CLOCK_MONOTONIC_COARSE:
		return n->time->offsets.monotonic;
	case CLOCK_BOOTTIME:
	case CLOCK_BOOTTIME_ALARM:
		return n->time->offsets.boottime;
	default:
		return 0;
	}
}

nsec_t time_ns_now(int clock)
{
	return clock_now(clock) + time_ns_offset(clock);
}

nsec_t time_ns_to_machine(int clock, nsec_t t)
{
	nsec_t offset = time_ns_offset(clock);
	nsec_t there;

	if (likely(!offset) || t == 0 || t == NSEC_NEVER)
		return t;
	if (__builtin_sub_overflow(t, offset, &there))
		return NSEC_NEVER;
	return MAX(there, 1);
}
