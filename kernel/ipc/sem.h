/* SPDX-License-Identifier: MIT */
/* sem.h - between the files of semaphore sets. */
#pragma once
#include "abi/ipc.h"
#include "ipc/ids.h"
#include "ipc/wait.h"
#include "lib/list.h"

struct semaphore {
	int value; /* 0 to SEMVMX */
	pid_t pid; /* of who changed it last */
};

struct sem_set { /* all: the slot's lock */
	struct ipc_object ipc;
	size_t count;
	int64_t otime, ctime;
	struct list changers; /* struct sem_waiter: who would change something */
	struct list zeroers;  /* the same: who only wait for zeroes */
	struct list undos;    /* struct sem_undo.of_set */
	struct semaphore sems[];
};

/* What the end of a list's last task adds to the semaphores of one set. */
struct sem_undo {
	struct list of_set;   /* the slot's lock */
	struct list of_owner; /* owner's lock */
	struct sem_undo_list *owner;
	int id; /* const: of the set */
	int16_t adjust[];
};

struct sem_waiter {
	struct ipc_waiter wait;
	struct linux_sembuf *ops;
	unsigned count;
	const struct linux_sembuf *blocking; /* the operation that it waits for */
	struct sem_undo *undo;		     /* NULL: none of its operations is undone */
	pid_t pid;
};

/* The limits of /proc/sys/kernel/sem. atomic. */
enum { SEM_LIMIT_SEMMSL, SEM_LIMIT_SEMMNS, SEM_LIMIT_SEMOPM, SEM_LIMITS };
extern int sem_limits[SEM_LIMITS]; /* the fourth, SEMMNI, is sem_ids.limit */
extern int sem_total;		   /* atomic: semaphores in all sets */

/* Counts the memory of a set or of an undo, bounded against who makes many: -ENOSPC. */
int sem_charge(size_t size) MUST_CHECK;
void sem_uncharge(size_t size);

static inline size_t sem_set_size(size_t count)
{
	return sizeof(struct sem_set) + count * sizeof(struct semaphore);
}

static inline struct sem_set *sem_set_of(struct ipc_object *o)
{
	return container_of(o, struct sem_set, ipc);
}

/* All that follows needs the slot's lock, but where it says otherwise. */

/* Does all of w's operations or none. 0, -errno, or IPC_WAITS: w->blocking says why. */
int sem_try(struct sem_set *set, struct sem_waiter *w) MUST_CHECK;
/* Values have changed: does what waiters wait for, oldest first. */
void sem_changed(struct sem_set *set);
/* After w's operations: the same, if they may matter to anyone. */
void sem_ops_done(struct sem_set *set, const struct linux_sembuf *ops, unsigned count);
/* Takes the set out and serves its waiters with -EIDRM. The ids' lock is held too. The
 * set is the caller's to free. */
void sem_set_remove(struct sem_set *set);

/* The task's undo of a set, made if there is none: 0 or -ENOMEM. */
int sem_undo_find(struct task *t, struct sem_set *set, struct sem_undo **out) MUST_CHECK;
/* A semaphore's value is set: forgets what was to be added to it; index -1: to all. */
void sem_undo_clear(struct sem_set *set, int index);
/* The set goes. */
void sem_undo_forget(struct sem_set *set);
