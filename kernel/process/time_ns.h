/* SPDX-License-Identifier: MIT */
/* time_ns.h - time namespaces (time_namespaces(7)): how far the clocks that nobody can
 * set are from the machine's, for those who are in one.
 *
 * The offsets can be set until the first task is in; then they are constant. Kernel
 * objects hold times of the machine's clocks: what comes from a guest or goes to one is
 * converted here. */
#pragma once
#include "abi/time.h"
#include "process/namespace.h"

struct time_offsets {
	nsec_t monotonic, boottime;
};

struct time_ns {
	struct namespace ns;	     /* first */
	bool is_frozen;		     /* atomic: set once */
	struct time_offsets offsets; /* const once frozen, till then time_ns.c's lock */
	int image; /* atomic, set once: a host descriptor of its vDSO plus 1, or 0 */
};
extern struct time_ns first_time_ns;

/* One with the offsets of another, which the current task makes in a user namespace: 0
 * with a reference, -ENOSPC, -ENOMEM. */
int time_ns_create(struct time_ns *like, struct user_ns *owner,
		   struct time_ns **out) MUST_CHECK;
static inline void time_ns_get(struct time_ns *ns)
{
	namespace_get(&ns->ns);
}
static inline void time_ns_put(struct time_ns *ns)
{
	namespace_put(&ns->ns);
}
/* A task is to be in it: -ENOMEM if the host has nothing left to make its vDSO of. */
int time_ns_freeze(struct time_ns *ns) MUST_CHECK;
/* core/vdso.c: makes a host descriptor of the vDSO with these offsets. */
extern int (*time_ns_image_hook)(const struct time_offsets *o);

/* One clock's offset: sec may be negative, nsec not. */
struct time_offset {
	int clock; /* CLOCK_MONOTONIC or CLOCK_BOOTTIME */
	int64_t sec, nsec;
};
struct time_offsets time_ns_offsets(struct time_ns *ns);
/* All or none. -ERANGE: the clock would be before 0 or too far on; -EACCES: frozen. */
int time_ns_set_offsets(struct time_ns *ns, const struct time_offset *offsets,
			size_t count) MUST_CHECK;

/* As the current task sees it: what a clock is ahead of the machine's; */
nsec_t time_ns_offset(int clock);
/* clock_now(); */
nsec_t time_ns_now(int clock);
/* and a time that it names, by the machine's. 0 remains 0, and only that becomes it. */
nsec_t time_ns_to_machine(int clock, nsec_t t);
