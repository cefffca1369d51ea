/* SPDX-License-Identifier: MIT */
/* xattr_list.c - see xattr_list.h. */
#include "fs/xattr_list.h"

#include "abi/errno.h"
#include "abi/xattr.h"
#include "base/slab.h"
#include "lib/string.h"

struct xattr {
	struct list link;
	size_t size;
	char *value; /* behind the name */
	char name[];
};

static struct xattr *find(const struct xattr_list *l, const char *name)
{
	struct list *pos;

	list_for_each (pos, &l->entries) {
		struct xattr *x = list_entry(pos, struct xattr, link);

		if (string_equal(x->name, name))
			return x;
	}
	return NULL;
}

static size_t cost(const struct xattr *x)
{
	return strlen(x->name) + 1 + x->size;
}

static void drop(struct xattr_list *l, struct xattr *x)
{
	l->size -= cost(x);
	list_remove(&x->link);
	kfree(x);
}

void xattr_list_init(struct xattr_list *l)
{
	list_init(&l->entries);
	l->size = 0;
}

void xattr_list_fini(struct xattr_list *l)
{
	while (!list_is_empty(&l->entries))
		drop(l, list_entry(l->entries.next, struct xattr, link));
}

struct xattr *xattr_create(const char *name, const void *value, size_t size)
{
	size_t name_size = strlen(name) + 1;
	struct xattr *x = kmalloc(sizeof(*x) + name_size + size);

	if (!x)
		return NULL;
	list_init(&x->link);
	x->size = size;
	x->value = x->name + name_size;
	memcpy(x->name, name, name_size);
	if (size)
		memcpy(x->value, value, size);
	return x;
}

void xattr_free(struct xattr *x)
{
	kfree(x);
}

bool xattr_list_has(const struct xattr_list *l, const char *name)
{
	return find(l, name) != NULL;
}

long xattr_list_get(const struct xattr_list *l, const char *name, void *buf, size_t size)
{
	const struct xattr *x = find(l, name);

	if (!x)
		return -ENODATA;
	if (size && size < x->size)
		return -ERANGE;
	if (size)
		memcpy(buf, x->value, x->size);
	return (long)x->size;
}

int xattr_list_put(struct xattr_list *l, struct xattr *x, int flags)
{
	struct xattr *old = find(l, x->name);

	if (old && (flags & XATTR_CREATE))
		return -EEXIST;
	if (!old && (flags & XATTR_REPLACE))
		return -ENODATA;
	if (l->size + cost(x) - (old ? cost(old) : 0) > XATTR_LIST_SIZE_MAX)
		return -ENOSPC;
	if (old)
		drop(l, old);
	list_add_tail(&l->entries, &x->link);
	l->size += cost(x);
	return 0;
}

bool xattr_list_remove(struct xattr_list *l, const char *name)
{
	struct xattr *x = find(l, name);

	if (x)
		drop(l, x);
	return x != NULL;
}

long xattr_list_names(const struct xattr_list *l, char *buf, size_t size)
{
	size_t at = 0;
	struct list *pos;

	list_for_each (pos, &l->entries) {
		const struct xattr *x = list_entry(pos, struct xattr, link);
		size_t len = strlen(x->name) + 1;

		if (size && at + len <= size)
			memcpy(buf + at, x->name, len);
		at += len;
	}
	return size && at > size ? -ERANGE : (long)at;
}
