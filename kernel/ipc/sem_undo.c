/* SPDX-License-Identifier: MIT */
/* sem_undo.c - SEM_UNDO: what semaphores get back when a task ends, or the last of those
 * that share it by CLONE_SYSVSEM. */
#include "abi/errno.h"
#include "base/ref.h"
#include "base/slab.h"
#include "ipc/sem.h"
#include "ipc/sysv.h"
#include "lib/string.h"
#include "process/task.h"

struct sem_undo_list {
	struct ref refs;   /* of tasks */
	struct lock lock;  /* RANK_SEM_UNDO, inside a set's */
	struct list undos; /* lock: struct sem_undo.of_owner, used last first */
};

static SLAB_CACHE(sem_undo_list_slab, "sem_undo_list", sizeof(struct sem_undo_list), 8);

static size_t size_for(const struct sem_set *set)
{
	return sizeof(struct sem_undo) + set->count * sizeof(int16_t);
}

static struct sem_undo *undo_alloc(const struct sem_set *set)
{
	struct sem_undo *u;

	if (sem_charge(size_for(set)))
		return NULL;
	u = kmalloc_zeroed(size_for(set));
	if (!u)
		sem_uncharge(size_for(set));
	return u;
}

/* The set's lock is held. */
static void undo_free(struct sem_undo *u, const struct sem_set *set)
{
	sem_uncharge(size_for(set));
	kfree(u);
}

static struct sem_undo *undo_of(struct list *l)
{
	return list_entry(l, struct sem_undo, of_owner);
}

/* t's list, made if there is none. NULL: no memory. */
static struct sem_undo_list *list_of(struct task *t)
{
	struct sem_undo_list *list = t->sem_undos;

	if (list)
		return list;
	list = slab_alloc(&sem_undo_list_slab);
	if (!list)
		return NULL;
	ref_init(&list->refs);
	lock_init(&list->lock, RANK_SEM_UNDO);
	list_init(&list->undos);
	t->sem_undos = list;
	return list;
}

int sysv_share(struct task *child, struct task *parent)
{
	struct sem_undo_list *list = list_of(parent);

	if (!list)
		return -ENOMEM;
	ref_get(&list->refs);
	child->sem_undos = list;
	return 0;
}

/* The one for a set with this id, put in front: NULL if there is none. */
static struct sem_undo *find(struct sem_undo_list *list, int id)
{
	struct sem_undo *found = NULL;
	struct list *l;

	lock_take(&list->lock);
	list_for_each (l, &list->undos) {
		if (undo_of(l)->id != id)
			continue;
		found = undo_of(l);
		list_remove(&found->of_owner);
		list_add_head(&list->undos, &found->of_owner);
		break;
	}
	lock_drop(&list->lock);
	return found;
}

int sem_undo_find(struct task *t, struct sem_set *set, struct sem_undo **out)
{
	struct sem_undo_list *list = list_of(t);
	struct sem_undo *u = list ? find(list, set->ipc.id) : NULL;

	if (list && !u) {
		/* No other task makes one for this set now: its lock is held. */
		u = undo_alloc(set);
		if (u) {
			u->owner = list;
			u->id = set->ipc.id;
			list_add_tail(&set->undos, &u->of_set);
			lock_take(&list->lock);
			list_add_head(&list->undos, &u->of_owner);
			lock_drop(&list->lock);
		}
	}
	*out = u;
	return u ? 0 : -ENOMEM;
}

void sem_undo_clear(struct sem_set *set, int index)
{
	struct list *l;

	list_for_each (l, &set->undos) {
		struct sem_undo *u = list_entry(l, struct sem_undo, of_set);

		if (index >= 0)
			u->adjust[index] = 0;
		else
			memset(u->adjust, 0, set->count * sizeof(u->adjust[0]));
	}
}

void sem_undo_forget(struct sem_set *set)
{
	struct list *l;

	while ((l = list_first(&set->undos))) {
		struct sem_undo *u = list_entry(l, struct sem_undo, of_set);

		list_remove(&u->of_set);
		lock_take(&u->owner->lock);
		list_remove(&u->of_owner);
		lock_drop(&u->owner->lock);
		undo_free(u, set);
	}
}

/* ---- the end ---- */

static void apply(struct sem_set *set, const struct sem_undo *u, pid_t pid)
{
	for (size_t i = 0; i < set->count; i++) {
		struct semaphore *sem = &set->sems[i];

		if (!u->adjust[i])
			continue;
		sem->value = MAX(MIN(sem->value + u->adjust[i], SEMVMX), 0);
		sem->pid = pid;
	}
	set->otime = ipc_now();
	sem_changed(set);
}

/* The id of the first set that is left: -1: there is none. */
static int first_id(struct sem_undo_list *list)
{
	int id = -1;

	lock_take(&list->lock);
	if (!list_is_empty(&list->undos))
		id = undo_of(list_first(&list->undos))->id;
	lock_drop(&list->lock);
	return id;
}

/* Nobody adds to the list any more, but a set that is removed takes its own out. */
static void list_put(struct sem_undo_list *list, pid_t pid)
{
	int id;

	if (!ref_put(&list->refs))
		return;
	while ((id = first_id(list)) >= 0) {
		struct ipc_slot *s = ipc_slot_of(&sem_ids, id);
		struct sem_undo *u;

		ipc_lock_slot(s);
		u = find(list, id); /* as long as it is there, so is the set */
		if (u) {
			lock_take(&list->lock);
			list_remove(&u->of_owner);
			lock_drop(&list->lock);
			list_remove(&u->of_set);
			apply(sem_set_of(s->object), u, pid);
			undo_free(u, sem_set_of(s->object));
		}
		ipc_unlock(s);
	}
	slab_free(&sem_undo_list_slab, list);
}

void sysv_unshare(struct task *t)
{
	struct sem_undo_list *list = t->sem_undos;

	t->sem_undos = NULL;
	if (list)
		list_put(list, t->process->pid);
}
