/* SPDX-License-Identifier: MIT */
/* session.h - process groups and sessions (setpgid(2), setsid(2)). All guarded by
 * process_tree_lock. */
#pragma once
#include "abi/types.h"
#include "lib/list.h"

struct process;
struct tty;

struct session {
	pid_t sid;
	int groups;	      /* pgroups in it */
	struct tty *tty;      /* controlling terminal or NULL */
	pid_t foreground;     /* its foreground group */
	pid_t old_foreground; /* what that was when the terminal hung up */
	struct list link;     /* all sessions */
};

struct pgroup {
	pid_t pgid;
	const struct process *founder; /* whose id it has: only to compare */
	struct list members;	       /* struct process.pgroup_link */
	struct session *session;
	struct list link; /* all groups */
};

struct pgroup *pgroup_find(pid_t pgid);
/* Does a group or a session bear this id? */
bool pgroup_or_session_has(pid_t id);
/* Puts p into group pgid of session s, creating the group if there is none; leaves the
 * old one. 0 or -ENOMEM. */
int pgroup_join(struct process *p, pid_t pgid, struct session *s) MUST_CHECK;
void pgroup_leave(struct process *p);
struct session *session_create(pid_t sid);
/* Frees a session that has no groups (yet). */
void session_free_unused(struct session *s);
bool pgroup_is_orphaned(const struct pgroup *g, const struct process *except);
