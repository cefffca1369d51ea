/* SPDX-License-Identifier: MIT */
/* session.c - process groups and sessions, found by id through small hash tables. A
 * session lives as long as it has groups, a group as long as it has members. */
#include "process/session.h"

#include "abi/errno.h"
#include "base/slab.h"
#include "process/task.h"

#define BUCKETS 64

static SLAB_CACHE(session_cache, "session", sizeof(struct session), 8);
static SLAB_CACHE(pgroup_cache, "pgroup", sizeof(struct pgroup), 8);

/* process_tree_lock; a head that is all zero has not been used yet. */
static struct list pgroup_table[BUCKETS];
static struct list session_table[BUCKETS];

static struct list *bucket(struct list table[BUCKETS], pid_t id)
{
	struct list *head = &table[(unsigned)id % BUCKETS];

	if (!head->next)
		list_init(head);
	return head;
}

struct pgroup *pgroup_find(pid_t pgid)
{
	struct list *head = bucket(pgroup_table, pgid);
	struct list *pos;

	list_for_each (pos, head) {
		struct pgroup *g = list_entry(pos, struct pgroup, link);

		if (g->pgid == pgid)
			return g;
	}
	return NULL;
}

struct session *session_create(pid_t sid)
{
	struct session *s = slab_alloc_zeroed(&session_cache);

	if (!s)
		return NULL;
	s->sid = sid;
	list_add_tail(bucket(session_table, sid), &s->link);
	return s;
}

/* A session may outlive the group that has its id. */
bool pgroup_or_session_has(pid_t id)
{
	struct list *head = bucket(session_table, id);
	struct list *pos;

	if (pgroup_find(id))
		return true;
	list_for_each (pos, head) {
		if (list_entry(pos, struct session, link)->sid == id)
			return true;
	}
	return false;
}

void session_free_unused(struct session *s)
{
	if (s->groups)
		return;
	list_remove(&s->link);
	slab_free(&session_cache, s);
}

static struct pgroup *pgroup_create(const struct process *p, pid_t pgid,
				    struct session *s)
{
	struct pgroup *g = slab_alloc_zeroed(&pgroup_cache);

	if (!g)
		return NULL;
	g->pgid = pgid;
	g->founder = p;
	g->session = s;
	s->groups++;
	list_init(&g->members);
	list_add_tail(bucket(pgroup_table, pgid), &g->link);
	return g;
}

int pgroup_join(struct process *p, pid_t pgid, struct session *s)
{
	struct pgroup *g = pgroup_find(pgid);

	if (!g)
		g = pgroup_create(p, pgid, s);
	if (!g)
		return -ENOMEM;
	if (g == p->pgroup)
		return 0;
	pgroup_leave(p);
	list_add_tail(&g->members, &p->pgroup_link);
	p->pgroup = g;
	return 0;
}

void pgroup_leave(struct process *p)
{
	struct pgroup *g = p->pgroup;
	struct session *s;

	if (!g)
		return;
	list_remove(&p->pgroup_link);
	p->pgroup = NULL;
	if (!list_is_empty(&g->members))
		return;
	s = g->session;
	list_remove(&g->link);
	slab_free(&pgroup_cache, g);
	s->groups--;
	session_free_unused(s);
}

/* No member has a parent in another group of the same session; except, which is about to
 * exit, counts neither as a member nor as a parent. */
bool pgroup_is_orphaned(const struct pgroup *g, const struct process *except)
{
	struct list *pos;

	list_for_each (pos, &g->members) {
		const struct process *p = list_entry(pos, struct process, pgroup_link);
		const struct process *parent = p->parent;

		if (p == except || p->state != PROCESS_RUNNING || !parent ||
		    parent == except)
			continue;
		if (parent->pgroup && parent->pgroup != g &&
		    parent->pgroup->session == g->session)
			return false;
	}
	return true;
}
