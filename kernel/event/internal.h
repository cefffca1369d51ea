/* SPDX-License-Identifier: MIT */
/* internal.h - an epoll and the files it watches; shared by the epoll files alone. */
#pragma once
#include "abi/epoll.h"
#include "abi/types.h"
#include "base/lock.h"
#include "base/ref.h"
#include "base/waitq.h"
#include "lib/list.h"
#include "lib/tree.h"

struct file;
struct host_set;

struct epoll {
	struct ref refs;	/* the file's, and one for each item */
	struct lock lock;	/* RANK_EPOLL */
	struct tree items;	/* lock */
	struct list ready;	/* lock: struct epoll_item.ready_link */
	struct list sleepers;	/* lock: struct epoll_sleeper.link */
	struct list host_items; /* lock: struct epoll_item.host_link */
	bool edges_told;	/* lock: some of them have host_seen bits */
	struct waitq pollers;	/* who polls the epoll itself; its lock has RANK_EPOLL */
	int parent_count;	/* atomic: items of other epolls that watch this one */
	int child_count;	/* atomic: items that watch other epolls */
	struct list parents;	/* nest_lock: struct epoll_item.parent_link */
	struct list children;	/* nest_lock: struct epoll_item.child_link */
	struct lock busy_lock;	/* RANK_OBJECT: is_busy */
	bool is_busy;		/* somebody changes or harvests: see epoll_enter() */
	struct waitq not_busy;
};

/* A task in epoll_wait. */
struct epoll_sleeper {
	struct list link; /* ep->lock; off the list: it was woken */
	struct sleeper *sleeper;
};

struct item_wait {
	struct wait_entry entry;
	struct waitq *queue;
	struct epoll_item *item;
	struct item_wait *next;
};

enum { ITEM_WAITS_INSIDE = 2 };

struct epoll_item {
	struct ref refs; /* the tree's, the file's, and those of users of the moment */
	struct tree_node node;	/* ep->lock */
	struct epoll *ep;	/* const: ref */
	struct file *file;	/* const: borrowed, alive while is_on_file */
	int fd;			/* const */
	uint32_t events;	/* atomic: changed under ep->lock */
	uint64_t data;		/* ep->lock */
	bool is_in_tree;	/* ep->lock: false once removed */
	bool is_ready;		/* ep->lock: on a ready list */
	struct list ready_link; /* ep->lock */

	bool is_on_file;	      /* the file's bucket */
	struct epoll_item *file_next; /* the same */
	struct epoll_item *file_prev; /* the same */

	struct epoll *target;	 /* const: ref: what it watches is an epoll; or NULL */
	struct list child_link;	 /* nest_lock */
	struct list parent_link; /* nest_lock */

	int host_fd;	       /* const: file->host_poll_fd */
	uint32_t host_bits;    /* ep->lock: what the host last said */
	uint32_t host_seen;    /* ep->lock: edge-triggered bits already told */
	struct list host_link; /* ep->lock */

	int wait_err;
	unsigned wait_count;	 /* of those inside */
	struct item_wait *waits; /* all */
	struct item_wait inside[ITEM_WAITS_INSIDE];
};

#define EPOLL_PRIVATE (EPOLLWAKEUP | EPOLLONESHOT | EPOLLET | EPOLLEXCLUSIVE)

extern struct lock nest_lock;

/* Only one task at a time adds, changes, removes or harvests items. Not a lock: it is
 * held while files are polled, an inner epoll among them. -EINTR: the task must die. */
int epoll_enter(struct epoll *ep) MUST_CHECK;
void epoll_leave(struct epoll *ep);
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
void item_put(struct epoll_item *item);
/* Wakes everybody: they shall look again. */
void epoll_wake_all(struct epoll *ep);

/* ---- epoll_host.c ---- */
/* Collects the host descriptors; all: those whose edges have been told too. */
int host_items_collect(struct epoll *ep, struct host_set *set, bool all) MUST_CHECK;
/* Takes the host's answers: items that are ready go to the ready list. */
void host_items_take(struct epoll *ep, const struct host_set *set);
/* Asks the host about all items. 0 or -ENOMEM. */
int host_items_ask(struct epoll *ep) MUST_CHECK;
/* Some epoll in it, or it, watches host descriptors. */
bool epoll_has_host(struct epoll *ep);
