/* SPDX-License-Identifier: MIT */
/* internal.h - an epoll and the files it watches; shared by the epoll files alone. */
#pragma once
#include "abi/epoll.h"
#include "abi/types.h"
#include "base/claim.h"
#include "base/lock.h"
#include "base/ref.h"
#include "base/waitq.h"
#include "lib/list.h"
#include "lib/tree.h"

struct file;
struct host_set;
struct notify_user;

/* What the host calls a member by: an index, and how often that was given or changed. */
struct host_slot {
	struct epoll_item *item; /* NULL: free */
	uint32_t generation;
	uint32_t next_free;
};

struct epoll {
	struct ref refs;	 /* the file's, and one for each item */
	struct lock lock;	 /* RANK_EPOLL */
	struct tree items;	 /* lock */
	struct list ready;	 /* lock: struct epoll_item.ready_link */
	struct list sleepers;	 /* lock: struct epoll_sleeper.link */
	struct waitq pollers;	 /* who polls the epoll itself; its lock has RANK_EPOLL */
	int parent_count;	 /* atomic: items of other epolls that watch this one */
	int child_count;	 /* atomic: items that watch other epolls */
	struct list parents;	 /* nest_lock: struct epoll_item.parent_link */
	struct list children;	 /* nest_lock: struct epoll_item.child_link */
	struct lock busy_lock;	 /* RANK_OBJECT: of those who wait for busy */
	struct epoll_hold *busy; /* atomic: of who changes or harvests: epoll_enter() */
	int busy_waiters;	 /* atomic, raised under busy_lock */
	struct waitq not_busy;
	struct linux_epoll_params params; /* lock */
	struct notify_user *user;	  /* const: ref: to whom items are charged */
	uint64_t harvest;		  /* epoll_enter(): counts them */
	bool is_hosts_turn; /* epoll_enter(): it was left out the last time */
	bool is_dying;	    /* const once set: its file has gone */

	/* The nested host epoll: see epoll_host.c. */
	int host_epfd; /* atomic: -1: none yet; set once, under nest_lock and lock */
	int doorbell;  /* the same: a host eventfd, member of host_epfd */
	uint32_t host_sleepers;	 /* atomic, raised under lock: tasks that sleep on it */
	uint32_t rings;		 /* lock: of the doorbell, since somebody heard it */
	struct host_slot *slots; /* lock */
	uint32_t slot_count;	 /* lock: how many there are */
	uint32_t slot_free;	 /* lock: the first free one, or slot_count */
};

/* A task in epoll_wait. Who was woken and has died leaves the event to another. */
struct epoll_sleeper {
	struct claim claim;
	struct list link; /* ep->lock; off the list: it was woken */
	struct sleeper *sleeper;
	struct epoll *ep;
	bool is_on_host; /* one of ep->host_sleepers */
};

/* Of who is inside epoll_enter(). */
struct epoll_hold {
	struct claim claim;
	struct epoll *ep;
	struct list taken;	 /* ep->lock: what was ready and is not harvested yet */
	struct epoll_item *item; /* with its file: ref: in the hand, or NULL */
	bool is_waiting;	 /* ep->busy_lock: counted in busy_waiters */
};

struct item_wait {
	struct wait_entry entry;
	struct waitq *queue;
	struct epoll_item *item;
	struct item_wait *next;
};

enum { ITEM_WAITS_INSIDE = 2 };

struct epoll_item {
	/* A cache line of what telling an event looks at. */
	struct epoll *ep;     /* const: ref */
	struct epoll *target; /* const: ref: what it watches is an epoll; or NULL */
	uint64_t data;	      /* ep->lock */
	uint64_t told;	      /* ep->lock: the harvest that last told it */
	uint32_t events;      /* atomic: changed under ep->lock */
	int fd;		      /* const */
	struct ref refs; /* the tree's, the file's, and those of users of the moment */
	/* A host descriptor's, or an epoll's that has a host epoll: */
	int host_slot;	   /* ep->lock: -1: none */
	int host_fd;	   /* file->host_poll_fd, or a duplicate; -1: none, or an epoll */
	bool owns_host_fd; /* it is a duplicate */
	bool is_on_host;   /* epoll_enter(), epolls: nest_lock: a member of host_epfd */
	bool is_in_tree;   /* ep->lock: false once removed */
	bool is_ready;	   /* ep->lock: on a ready list */
	struct file *file; /* const: borrowed, alive while is_on_file */

	struct tree_node node;	/* ep->lock */
	struct list ready_link; /* ep->lock */

	bool is_on_file;	      /* the file's bucket */
	uint32_t pass;		      /* the same: of epoll_host_fd_changed() */
	struct epoll_item *file_next; /* the same */
	struct epoll_item *file_prev; /* the same */

	struct list child_link;	 /* nest_lock */
	struct list parent_link; /* nest_lock */

	int wait_err;
	unsigned wait_count;	 /* of those inside */
	struct item_wait *waits; /* all */
	struct item_wait inside[ITEM_WAITS_INSIDE];
};

#define EPOLL_PRIVATE (EPOLLWAKEUP | EPOLLONESHOT | EPOLLET | EPOLLEXCLUSIVE)

extern struct lock nest_lock;

/* Only one task at a time adds, changes, removes or harvests items. Not a lock: it is
 * held while files are polled, an inner epoll among them. -EINTR: the task must die. */
int epoll_enter(struct epoll *ep, struct epoll_hold *hold) MUST_CHECK;
/* The same, whatever becomes of the task. */
void epoll_enter_deaf(struct epoll *ep, struct epoll_hold *hold);
/* Nothing is left in hold->taken. */
void epoll_leave(struct epoll_hold *hold);
/* The next of those that were taken, in the hand: with references to it and its file.
 * NULL: no more. */
struct epoll_item *ready_take(struct epoll_hold *hold);
void ready_give_back(struct epoll_hold *hold);
/* Puts an item back to where it was taken from. */
void ready_return(struct epoll_item *item, struct list *list);
/* What was not come to is ready as before. */
void ready_restore(struct epoll_hold *hold);
/* Wakes one of those who sleep, if something is on the ready list: they may have begun to
 * while it was in the hands of the caller. True: something is. */
bool ready_offer(struct epoll *ep);

static inline bool epoll_is_ready(const struct epoll *ep)
{
	return __atomic_load_n(&ep->ready.next, __ATOMIC_ACQUIRE) != &ep->ready;
}
void epoll_put(struct epoll *ep);

/* The epoll of an epoll file, or NULL. */
struct epoll *epoll_of_file(const struct file *f);

/* *out gets a reference. */
int epoll_create_file(struct file **out) MUST_CHECK;
/* Returns how many events were written, -EFAULT, -EINTR, -ENOMEM … See timeout.h about
 * deadline. */
long epoll_wait_events(struct epoll *ep, uaddr_t events, int max, nsec_t deadline);

/* ---- epoll_item.c; inside epoll_enter() ---- */
int epoll_add(struct epoll *ep, struct file *f, int fd,
	      const struct linux_epoll_event *ev) MUST_CHECK;
int epoll_modify(struct epoll *ep, struct file *f, int fd,
		 const struct linux_epoll_event *ev) MUST_CHECK;
int epoll_delete(struct epoll *ep, struct file *f, int fd) MUST_CHECK;
/* The epoll's file has gone. */
void epoll_delete_all(struct epoll *ep);
/* Puts an item on the ready list and wakes who waits for that. True if a task was woken.
 */
bool item_make_ready(struct epoll_item *item);
/* The same without waking anybody; ep->lock is held. */
void item_ready_locked(struct epoll_item *item);
void item_put(struct epoll_item *item);
/* The lock of the items that watch f. */
struct lock *epoll_file_bucket(const struct file *f);
/* Wakes one task that waits for ep, whose lock is held: false if nobody sleeps. */
bool epoll_wake_one_locked(struct epoll *ep);
/* Wakes all who wait for ep alone: they shall look again. */
void epoll_sleepers_wake_all(struct epoll *ep);

/* ---- epoll_host.c: the host epoll ---- */

static inline bool epoll_has_host(const struct epoll *ep)
{
	return __atomic_load_n(&ep->host_epfd, __ATOMIC_ACQUIRE) >= 0;
}
/* Rings for one of those who sleep on the host epoll, unless enough were rung for. True:
 * somebody will wake. ep->lock is held. */
bool host_ring_locked(struct epoll *ep);

/* The item's host descriptor becomes, is changed as, is no more a member of the host
 * epoll. Inside epoll_enter(), or, at the end, by whoever has taken it off the tree. 0,
 * -EPERM, -ENOMEM, -ENOSPC. */
int host_member_add(struct epoll_item *item) MUST_CHECK;
int host_member_modify(struct epoll_item *item) MUST_CHECK;
void host_member_remove(struct epoll_item *item);
/* A one shot that was told by other means: the host shall not tell it too. */
void host_member_disarm(struct epoll_item *item);
/* The same for an item that watches an epoll: makes it so as its events say. nest_lock is
 * held. */
int host_child_update_locked(struct epoll_item *item) MUST_CHECK;
void host_child_remove_locked(struct epoll_item *item);
/* Frees what belongs to the host epoll. */
void host_epoll_fini(struct epoll *ep);

enum { HOST_EVENTS_INSIDE = 24 };

/* Events on their way from the host to the guest. */
struct host_events {
	int capacity;
	int count;			/* in `from`, as the host has told them */
	struct linux_epoll_event *from; /* then in step with `to` */
	struct linux_epoll_event *to;
	struct linux_epoll_event inside[2 * HOST_EVENTS_INSIDE];
};

void host_events_init(struct host_events *e, struct epoll *ep, int max);
void host_events_fini(struct host_events *e);
/* Asks what is ready now. */
void host_events_ask(struct host_events *e, struct epoll *ep);
/* Sleeps until something is, or a member in memory is ready. Returns 1: e has events; 0:
 * look again; -ETIMEDOUT, -ERESTARTSYS … */
int host_events_wait(struct host_events *e, struct epoll_sleeper *me,
		     nsec_t deadline) MUST_CHECK;
/* Tells them to the guest: inside epoll_enter(). Members that are epolls go to the ready
 * list, to be asked. Returns how many were written or -EFAULT. */
long host_events_tell(struct host_events *e, struct epoll *ep, uaddr_t out) MUST_CHECK;
/* They are not told now: what the host would not say again goes to the ready list. True:
 * some member was ready. */
bool host_events_keep(struct host_events *e, struct epoll *ep);
