/* SPDX-License-Identifier: MIT */
/* acl.c - POSIX access control lists (acl(5)).
 *
 * The lists live in the inode, under its lock: inode->acl grants access, a directory's
 * inode->acl_inherit is what new files in it begin with. A list that says no more than
 * the mode is not kept. A file system that finds them elsewhere sets INODE_ACL_LAZY: then
 * they are asked for when they first matter, which they never do to the owner nor to who
 * may override permissions. */
#include "fs/acl.h"

#include "abi/capability.h"
#include "abi/errno.h"
#include "abi/xattr.h"
#include "base/slab.h"
#include "fs/context.h"
#include "fs/vfs.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "process/creds.h"
#include "process/task.h"
#include "process/user_ns.h"

struct acl {
	uint32_t count;
	struct linux_acl_header header;	  /* with what follows: the attribute's value */
	struct linux_acl_entry entries[]; /* in the order of acl(5) */
};

static size_t value_size(const struct acl *a)
{
	return a ? sizeof(a->header) + a->count * sizeof(a->entries[0]) : 0;
}

static const void *value_of(const struct acl *a)
{
	return a ? &a->header : NULL;
}

/* ---- one list ---- */

static struct acl *acl_copy(const struct acl *a)
{
	size_t size = sizeof(*a) + a->count * sizeof(a->entries[0]);
	struct acl *copy = kmalloc(size);

	if (copy)
		memcpy(copy, a, size);
	return copy;
}

/* The order is: owner, named users, group, named groups, mask, others. */
static bool is_valid(const struct acl *a)
{
	uint16_t last = 0;
	bool needs_mask = false;

	for (uint32_t i = 0; i < a->count; i++) {
		const struct linux_acl_entry *e = &a->entries[i];
		bool is_named = e->tag == ACL_USER || e->tag == ACL_GROUP;

		if (e->perm & ~7U)
			return false;
		if (is_named ? e->tag < last : e->tag <= last)
			return false;
		if (e->tag > ACL_USER_OBJ && !last)
			return false;
		if (e->tag > ACL_GROUP_OBJ && last < ACL_GROUP_OBJ)
			return false;
		if (is_named && e->id == ACL_UNDEFINED_ID)
			return false;
		needs_mask |= is_named;
		if (e->tag == ACL_OTHER && needs_mask && last != ACL_MASK)
			return false;
		last = e->tag;
	}
	return last == ACL_OTHER;
}

/* From the attribute's value. NULL with *err 0: an empty list. */
static struct acl *parse(const void *value, size_t size, int *err)
{
	const struct linux_acl_header *h = value;
	struct acl *a;
	size_t bytes;

	*err = 0;
	if (!size)
		return NULL;
	*err = -EINVAL;
	if (size < sizeof(*h))
		return NULL;
	if (h->version != ACL_VERSION) {
		*err = -EOPNOTSUPP;
		return NULL;
	}
	bytes = size - sizeof(*h);
	if (bytes % sizeof(struct linux_acl_entry))
		return NULL;
	*err = 0;
	if (!bytes)
		return NULL;
	a = kmalloc(sizeof(*a) + bytes);
	if (!a) {
		*err = -ENOMEM;
		return NULL;
	}
	a->count = (uint32_t)(bytes / sizeof(struct linux_acl_entry));
	memcpy(&a->header, h, size);
	for (uint32_t i = 0; i < a->count; i++) {
		uint16_t tag = a->entries[i].tag;

		if (!tag || (tag & (tag - 1)) || tag > ACL_OTHER) {
			kfree(a);
			*err = -EINVAL;
			return NULL;
		}
	}
	return a;
}

/* The permission bits that a list amounts to; *is_plain: they say it all. */
static uint32_t to_mode(const struct acl *a, bool *is_plain)
{
	uint32_t mode = 0;
	uint32_t group = 0;
	bool has_mask = false;

	*is_plain = true;
	for (uint32_t i = 0; i < a->count; i++) {
		const struct linux_acl_entry *e = &a->entries[i];

		switch (e->tag) {
		case ACL_USER_OBJ:
			mode |= (uint32_t)e->perm << 6;
			break;
		case ACL_OTHER:
			mode |= e->perm;
			break;
		case ACL_MASK:
			has_mask = true;
			group = e->perm;
			*is_plain = false;
			break;
		case ACL_GROUP_OBJ:
			if (!has_mask)
				group = e->perm;
			break;
		default:
			*is_plain = false;
		}
	}
	return mode | group << 3;
}

/* The entries that mode shows: what it says replaces them, or with narrow is taken from
 * them, and they from it. */
static uint32_t merge_mode(struct acl *a, uint32_t mode, bool narrow)
{
	struct linux_acl_entry *group = NULL;
	struct linux_acl_entry *e;

	for (e = a->entries; e < a->entries + a->count; e++) {
		unsigned int shift;

		if (e->tag == ACL_MASK || (e->tag == ACL_GROUP_OBJ && !group))
			group = e;
		if (e->tag != ACL_USER_OBJ && e->tag != ACL_OTHER)
			continue;
		shift = e->tag == ACL_USER_OBJ ? 6 : 0;
		e->perm = (uint16_t)((mode >> shift & 7) & (narrow ? e->perm : 7U));
		mode = (mode & ~(7U << shift)) | (uint32_t)e->perm << shift;
	}
	if (group) {
		group->perm = (uint16_t)((mode >> 3 & 7) & (narrow ? group->perm : 7U));
		mode = (mode & ~070U) | (uint32_t)group->perm << 3;
	}
	return mode;
}

/* ---- permission ---- */

static int masked(const struct acl *a, uint32_t at, uint32_t mask)
{
	uint32_t perm = a->entries[at].perm;

	for (; at < a->count; at++)
		if (a->entries[at].tag == ACL_MASK)
			perm &= a->entries[at].perm;
	return mask & ~perm ? -EACCES : 0;
}

static int permission_locked(const struct inode *inode, const struct creds *c,
			     uint32_t mask)
{
	const struct acl *a = inode->acl;
	bool in_group = false;

	for (uint32_t i = 0; i < a->count; i++) {
		const struct linux_acl_entry *e = &a->entries[i];

		switch (e->tag) {
		case ACL_USER:
			if (e->id == c->fsuid)
				return masked(a, i, mask);
			break;
		case ACL_GROUP_OBJ:
		case ACL_GROUP:
			if (!creds_in_group(c, e->tag == ACL_GROUP ? e->id : inode->gid))
				break;
			in_group = true;
			if (!(mask & ~(uint32_t)e->perm))
				return masked(a, i, mask);
			break;
		case ACL_OTHER:
			return in_group || (mask & ~(uint32_t)e->perm) ? -EACCES : 0;
		default:
			break;
		}
	}
	return -EACCES;
}

static struct acl **list_of(struct inode *inode, const char *name)
{
	return string_equal(name, XATTR_NAME_ACL_ACCESS) ? &inode->acl
							 : &inode->acl_inherit;
}

/* a, which is taken over, is the list from now on. What has been loaded is not, if a
 * list was set meanwhile. */
static void replace(struct inode *inode, const char *name, struct acl *a, bool is_loaded)
{
	struct acl **list = list_of(inode, name);
	struct acl *old = a;

	lock_take(&inode->lock);
	if (!is_loaded || (inode->flags & INODE_ACL_LAZY)) {
		old = *list;
		atomic_store_relaxed(list, a);
	}
	if (!is_loaded)
		(void)atomic_and(&inode->flags, ~(uint32_t)INODE_ACL_LAZY);
	lock_drop(&inode->lock);
	kfree(old);
}

/* The same, which the file system is told of. */
static void store(struct inode *inode, const char *name, struct acl *a)
{
	inode->ops->acl_changed(inode, name, value_of(a), value_size(a));
	replace(inode, name, a, false);
}

static int ensure(struct inode *inode, bool may_be_old)
{
	if (likely(!(atomic_load_relaxed(&inode->flags) & INODE_ACL_LAZY)))
		return 0;
	return inode->ops->acl_load(inode, may_be_old);
}

/* Whatever a list says, c gets mask. */
static bool is_overridden(const struct inode *inode, const struct creds *c, uint32_t mask)
{
	return creds_inode_capable(c, inode, CAP_DAC_OVERRIDE) &&
	       (S_ISDIR(inode->mode) || !(mask & MAY_EXEC));
}

int acl_permission(struct inode *inode, const struct creds *c, uint32_t mask)
{
	int err;

	if (is_overridden(inode, c, mask))
		return -EAGAIN;
	err = ensure(inode, true);
	if (err)
		return err;
	lock_take(&inode->lock);
	err = inode->acl ? permission_locked(inode, c, mask) : -EAGAIN;
	lock_drop(&inode->lock);
	return err;
}

void acl_follow_mode_locked(struct inode *inode)
{
	if (unlikely(inode->acl != NULL))
		(void)merge_mode(inode->acl, inode->mode & S_IRWXUGO, false);
}

void acl_loaded(struct inode *inode, const char *name, const void *value, size_t size)
{
	int err;
	struct acl *a = parse(value, size, &err);
	bool is_plain = false;

	(void)err; /* the host's, or one that we would not take: as if it were not there
		    */
	if (a && list_of(inode, name) == &inode->acl)
		(void)to_mode(a, &is_plain);
	if (is_plain) {
		kfree(a);
		a = NULL;
	}
	replace(inode, name, a, true);
}

int acl_copy_lists(struct inode *inode, struct inode *from)
{
	struct acl *access = NULL;
	struct acl *inherit = NULL;
	int err = ensure(from, true);

	if (err)
		return err;
	lock_take(&from->lock);
	if (from->acl)
		access = acl_copy(from->acl);
	if (from->acl_inherit)
		inherit = acl_copy(from->acl_inherit);
	if ((from->acl && !access) || (from->acl_inherit && !inherit))
		err = -ENOMEM;
	lock_drop(&from->lock);
	if (err) {
		kfree(access);
		kfree(inherit);
		return err;
	}
	lock_take(&inode->lock);
	if (access) /* the mode may have changed since it was copied */
		(void)merge_mode(access, inode->mode & S_IRWXUGO, false);
	if (atomic_and(&inode->flags, ~(uint32_t)INODE_ACL_LAZY) & INODE_ACL_LAZY) {
		inode->acl = access;
		atomic_store_relaxed(&inode->acl_inherit, inherit);
		access = inherit = NULL;
	}
	lock_drop(&inode->lock);
	kfree(access);
	kfree(inherit);
	return 0;
}

void acl_inode_fini(struct inode *inode)
{
	kfree(inode->acl);
	kfree(inode->acl_inherit);
	inode->acl = NULL;
	inode->acl_inherit = NULL;
}

/* ---- new inodes ---- */

int acl_birth_begin(struct acl_birth *b, struct inode *dir, uint32_t *mode)
{
	bool is_plain;
	int err = 0;

	*b = (struct acl_birth){NULL, NULL};
	err = ensure(dir, true);
	if (err)
		return err;
	if (likely(!atomic_load_relaxed(&dir->acl_inherit))) {
		*mode &= ~(atomic_load_relaxed(&current()->fs->umask) & S_IRWXUGO);
		return 0;
	}
	lock_take(&dir->lock);
	if (dir->acl_inherit) {
		b->access = acl_copy(dir->acl_inherit);
		if (b->access && S_ISDIR(*mode))
			b->inherit = acl_copy(dir->acl_inherit);
		if (!b->access || (S_ISDIR(*mode) && !b->inherit))
			err = -ENOMEM;
	}
	lock_drop(&dir->lock);
	if (err) {
		acl_birth_end(b, NULL);
		return err;
	}
	if (!b->access)
		return 0;
	*mode = (*mode & ~(uint32_t)S_IRWXUGO) |
		merge_mode(b->access, *mode & S_IRWXUGO, true);
	(void)to_mode(b->access, &is_plain);
	if (is_plain) {
		kfree(b->access);
		b->access = NULL;
	}
	return 0;
}

void acl_birth_end(struct acl_birth *b, struct inode *inode)
{
	if (likely(!b->access && !b->inherit))
		return;
	if (!inode || !inode->ops->acl_changed) {
		kfree(b->access);
		kfree(b->inherit);
		return;
	}
	if (b->access)
		store(inode, XATTR_NAME_ACL_ACCESS, b->access);
	if (b->inherit)
		store(inode, XATTR_NAME_ACL_DEFAULT, b->inherit);
}

/* ---- as extended attributes ---- */

bool acl_is_name(const char *name)
{
	return string_equal(name, XATTR_NAME_ACL_ACCESS) ||
	       string_equal(name, XATTR_NAME_ACL_DEFAULT);
}

static bool has_lists(const struct inode *inode)
{
	return inode->ops->acl_changed && !S_ISLNK(inode->mode);
}

long acl_get(struct inode *inode, const char *name, void *buf, size_t size)
{
	const struct acl *a;
	long result;

	if (!has_lists(inode))
		return -EOPNOTSUPP;
	result = ensure(inode, false);
	if (result)
		return result;
	lock_take(&inode->lock);
	a = *list_of(inode, name);
	if (!a)
		result = -ENODATA;
	else if (size && size < value_size(a))
		result = -ERANGE;
	else
		result = (long)value_size(a);
	if (size && result > 0)
		memcpy(buf, value_of(a), (size_t)result);
	lock_drop(&inode->lock);
	return result;
}

void acl_export(void *value, size_t size)
{
	const struct user_ns *ns = current_user_ns();
	struct linux_acl_entry *e = (void *)((struct linux_acl_header *)value + 1);
	size_t count = (size - sizeof(struct linux_acl_header)) / sizeof(*e);

	for (; likely(ns != &first_user_ns) && count; count--, e++) {
		if (e->tag == ACL_USER)
			e->id = from_kuid(ns, e->id);
		else if (e->tag == ACL_GROUP)
			e->id = from_kgid(ns, e->id);
	}
}

static int import(struct acl *a)
{
	const struct user_ns *ns = current_user_ns();

	if (likely(ns == &first_user_ns) || !a)
		return 0;
	for (uint32_t i = 0; i < a->count; i++) {
		struct linux_acl_entry *e = &a->entries[i];

		if (e->tag != ACL_USER && e->tag != ACL_GROUP)
			continue;
		e->id = e->tag == ACL_USER ? make_kuid(ns, e->id) : make_kgid(ns, e->id);
		if (e->id == NO_ID)
			return -EINVAL;
	}
	return 0;
}

/* The mode that goes with a new access list, which is freed if the mode says it all. */
static int adopt_mode(struct inode *inode, struct acl **a)
{
	struct attr attr = {.valid = ATTR_MODE};
	bool is_plain;

	attr.mode =
		(inode->mode & S_IALLUGO & ~(uint32_t)S_IRWXUGO) | to_mode(*a, &is_plain);
	if (!creds_in_group(current_creds(), inode->gid) &&
	    !inode_capable(inode, CAP_FSETID))
		attr.mode &= ~(uint32_t)S_ISGID;
	if (is_plain) {
		kfree(*a);
		*a = NULL;
	}
	return inode_setattr(inode, &attr);
}

int acl_store(struct inode *inode, const char *name, const void *value, size_t size)
{
	int err;
	struct acl *a = parse(value, size, &err);

	if (!err && !has_lists(inode))
		err = -EOPNOTSUPP;
	if (err)
		kfree(a);
	else
		store(inode, name, a);
	return err;
}

int acl_set(struct inode *inode, const char *name, const void *value, size_t size)
{
	bool is_access = list_of(inode, name) == &inode->acl;
	int err;
	struct acl *a = parse(value, size, &err);

	if (err)
		return err;
	err = import(a);
	if (err)
		; /* of nobody that the kernel knows */
	else if (!has_lists(inode))
		err = -EOPNOTSUPP;
	else if (!is_access && !S_ISDIR(inode->mode))
		err = a ? -EACCES : 0;
	else if (!inode_owner_or_capable(inode))
		err = -EPERM;
	else if (a && !is_valid(a))
		err = -EINVAL;
	else
		err = ensure(inode, false);
	if (!err && (is_access || S_ISDIR(inode->mode)) && inode->ops->acl_prepare)
		err = inode->ops->acl_prepare(inode);
	if (!err && a && is_access)
		err = adopt_mode(inode, &a);
	if (err || (!is_access && !S_ISDIR(inode->mode))) {
		kfree(a);
		return err;
	}
	store(inode, name, a);
	inode_touch(inode, ATTR_CTIME);
	return 0;
}

size_t acl_list(struct inode *inode, char *buf, size_t size)
{
	static const char *const names[] = {XATTR_NAME_ACL_ACCESS,
					    XATTR_NAME_ACL_DEFAULT};
	size_t at = 0;

	if (has_lists(inode) && ensure(inode, false))
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		size_t len = strlen(names[i]) + 1;

		if (!atomic_load_relaxed(list_of(inode, names[i])))
			continue;
		if (size && at + len <= size)
			memcpy(buf + at, names[i], len);
		at += len;
	}
	return at;
}
