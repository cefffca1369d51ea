/* SPDX-License-Identifier: MIT */
/* list.h - a doubly linked ring of nodes that live inside other structs.
 *
 * A `struct list` is both the head and the link. An empty head, and a node on no
 * list, point at themselves: so list_remove() may be called twice, and
 * list_is_empty(&node) says whether a node is on a list. No locks: the caller's. */
#pragma once
#include "abi/types.h"

struct list {
	struct list *next;
	struct list *prev;
};

/* Static initialiser of a head or link called name. */
#define LIST_INIT(name)                                                                  \
	{                                                                                \
		&(name), &(name)                                                         \
	}

#define list_entry(p, type, member) container_of(p, type, member)

/* The entry at either end, or NULL when the list is empty. */
#define list_first_entry(head, type, member)                                             \
	(list_is_empty(head) ? NULL : list_entry((head)->next, type, member))
#define list_last_entry(head, type, member)                                              \
	(list_is_empty(head) ? NULL : list_entry((head)->prev, type, member))

/* pos is a `struct list *` the caller declares. The body must not remove pos. */
#define list_for_each(pos, head)                                                         \
	for ((pos) = (head)->next; (pos) != (head); (pos) = (pos)->next)

#define list_for_each_reverse(pos, head)                                                 \
	for ((pos) = (head)->prev; (pos) != (head); (pos) = (pos)->prev)

/* The body may remove pos, but not its successor, which is held in `after`. */
#define list_for_each_safe(pos, after, head)                                             \
	for ((pos) = (head)->next, (after) = (pos)->next; (pos) != (head);               \
	     (pos) = (after), (after) = (pos)->next)

static inline void list_init(struct list *l)
{
	l->next = l;
	l->prev = l;
}

static inline bool list_is_empty(const struct list *head)
{
	return head->next == head;
}

/* Exactly one entry on the list. */
static inline bool list_is_single(const struct list *head)
{
	return head->next != head && head->next == head->prev;
}

/* Puts node, which is on no list, right behind `where`. */
static inline void list_insert_after(struct list *where, struct list *node)
{
	node->prev = where;
	node->next = where->next;
	where->next->prev = node;
	where->next = node;
}

static inline void list_insert_before(struct list *where, struct list *node)
{
	list_insert_after(where->prev, node);
}

static inline void list_add_head(struct list *head, struct list *node)
{
	list_insert_after(head, node);
}

static inline void list_add_tail(struct list *head, struct list *node)
{
	list_insert_after(head->prev, node);
}

/* Takes node off its list, if it is on one, and makes it empty. */
static inline void list_remove(struct list *node)
{
	node->prev->next = node->next;
	node->next->prev = node->prev;
	list_init(node);
}

/* The link at either end, or NULL when the list is empty. */
static inline struct list *list_first(const struct list *head)
{
	return list_is_empty(head) ? NULL : head->next;
}

static inline struct list *list_last(const struct list *head)
{
	return list_is_empty(head) ? NULL : head->prev;
}

/* Takes the first link off the list; NULL when it is empty. */
static inline struct list *list_pop(struct list *head)
{
	struct list *node = list_first(head);

	if (node)
		list_remove(node);
	return node;
}

/* Moves all of `from` to the end of `head`, in order; `from` is left empty. */
static inline void list_splice_tail(struct list *head, struct list *from)
{
	if (list_is_empty(from))
		return;
	from->next->prev = head->prev;
	head->prev->next = from->next;
	from->prev->next = head;
	head->prev = from->prev;
	list_init(from);
}

static inline size_t list_count(const struct list *head)
{
	size_t count = 0;

	for (const struct list *pos = head->next; pos != head; pos = pos->next)
		count++;
	return count;
}
