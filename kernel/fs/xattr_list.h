/* SPDX-License-Identifier: MIT */
/* xattr_list.h - extended attributes in memory: a short list of names and values. The
 * caller guards it. */
#pragma once
#include "abi/types.h"
#include "lib/list.h"

struct xattr;

struct xattr_list {
	struct list entries;
	size_t size; /* of names and values: at most XATTR_LIST_SIZE_MAX */
};

enum { XATTR_LIST_SIZE_MAX = 128 * 1024 };

void xattr_list_init(struct xattr_list *l);
void xattr_list_fini(struct xattr_list *l);
/* NULL: no memory. xattr_free() or xattr_list_put() takes it. */
struct xattr *xattr_create(const char *name, const void *value, size_t size) MUST_CHECK;
void xattr_free(struct xattr *x);
bool xattr_list_has(const struct xattr_list *l, const char *name);
/* Bytes, -ENODATA, -ERANGE. size 0 asks for the size. */
long xattr_list_get(const struct xattr_list *l, const char *name, void *buf,
		    size_t size) MUST_CHECK;
/* In place of one of the same name. flags: XATTR_CREATE, XATTR_REPLACE. 0 (x is taken
 * over), -EEXIST, -ENODATA, -ENOSPC. */
int xattr_list_put(struct xattr_list *l, struct xattr *x, int flags) MUST_CHECK;
/* False: it was not there. */
bool xattr_list_remove(struct xattr_list *l, const char *name);
/* The names, one after the other: their length, or -ERANGE. size 0 asks for it. */
long xattr_list_names(const struct xattr_list *l, char *buf, size_t size) MUST_CHECK;
