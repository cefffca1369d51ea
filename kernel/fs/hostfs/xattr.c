/* SPDX-License-Identifier: MIT */
/* xattr.c - extended attributes and access control lists of the host's files.
 *
 * user.* attributes and access control lists are the host's: other programs there see
 * them. What the host does not let the sandbox's user store (trusted.*, security.*, those
 * of files that are not his) is remembered in memory, as owners are, for as long as the
 * sandbox lives; so is that an attribute of the host's file has been removed. Of
 * security.* only security.capability is shown, which exec heeds.
 *
 * Attributes need a descriptor that was opened for real. A file that the host does not
 * let us open shows none. */
#include "abi/xattr.h"
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "base/slab.h"
#include "fs/acl.h"
#include "fs/hostfs/hostfs.h"
#include "fs/hostfs/internal.h"
#include "fs/xattr_list.h"
#include "host/host.h"
#include "lib/atomic.h"
#include "lib/string.h"

enum {
	ACL_ACCESS_IS_VIRTUAL = 1,
	ACL_DEFAULT_IS_VIRTUAL = 2,
	ACL_SMALL = 512, /* bytes: 63 entries */
};

/* What the host does not know. */
struct host_attrs {
	struct xattr_list values; /* inode.lock */
	struct xattr_list hidden; /* inode.lock: names that are gone, though the host
				     has them */
	uint32_t acls;		  /* atomic: ACL_*_IS_VIRTUAL */
};

/* ---- in memory ---- */

static struct host_attrs *attrs_make(struct host_inode *hi)
{
	struct host_attrs *a = atomic_load(&hi->attrs);
	struct host_attrs *other = NULL;

	if (a)
		return a;
	a = kmalloc_zeroed(sizeof(*a));
	if (!a)
		return NULL;
	xattr_list_init(&a->values);
	xattr_list_init(&a->hidden);
	if (atomic_try_cas(&hi->attrs, &other, a))
		return a;
	kfree(a);
	return other;
}

void host_attrs_forget(struct host_inode *hi)
{
	if (!hi->attrs)
		return;
	xattr_list_fini(&hi->attrs->values);
	xattr_list_fini(&hi->attrs->hidden);
	kfree(hi->attrs);
}

/* What memory says of a name. */
struct known {
	bool is_set, is_hidden;
};

static struct known known_of(struct host_inode *hi, const char *name)
{
	struct host_attrs *a = atomic_load(&hi->attrs);
	struct known k = {false, false};

	if (!a)
		return k;
	lock_take(&hi->inode.lock);
	k.is_set = xattr_list_has(&a->values, name);
	k.is_hidden = xattr_list_has(&a->hidden, name);
	lock_drop(&hi->inode.lock);
	return k;
}

/* From now on memory says that name is value, or that nobody sees it. */
static int put(struct host_inode *hi, const char *name, const void *value, size_t size,
	       bool is_hidden)
{
	struct host_attrs *a = attrs_make(hi);
	struct xattr *fresh = a ? xattr_create(name, value, size) : NULL;
	int err;

	if (!fresh)
		return -ENOMEM;
	lock_take(&hi->inode.lock);
	err = xattr_list_put(is_hidden ? &a->hidden : &a->values, fresh, 0);
	if (!err && !is_hidden)
		(void)xattr_list_remove(&a->hidden, name);
	lock_drop(&hi->inode.lock);
	if (err)
		xattr_free(fresh);
	else
		host_inode_keep(hi);
	return err;
}

static int set_in_memory(struct host_inode *hi, const char *name, const void *value,
			 size_t size)
{
	return put(hi, name, value, size, false);
}

static int hide(struct host_inode *hi, const char *name)
{
	return put(hi, name, NULL, 0, true);
}

/* The host has it now, or nobody has. True: memory had a value. */
static bool forget(struct host_inode *hi, const char *name, bool hidden_too)
{
	struct host_attrs *a = atomic_load(&hi->attrs);
	bool was_set;

	if (!a)
		return false;
	lock_take(&hi->inode.lock);
	was_set = xattr_list_remove(&a->values, name);
	if (hidden_too)
		(void)xattr_list_remove(&a->hidden, name);
	lock_drop(&hi->inode.lock);
	return was_set;
}

/* ---- on the host ---- */

/* Whose answer counts. */
static bool is_hosts(const struct host_inode *hi, const char *name)
{
	if (!S_ISREG(hi->inode.mode) && !S_ISDIR(hi->inode.mode))
		return false;
	return string_starts_with(name, XATTR_USER_PREFIX) ||
	       string_equal(name, XATTR_NAME_CAPS);
}

/* A descriptor that was opened for real. */
struct real {
	struct host_handle *handle; /* ref; or NULL: fd is ours */
	int fd;
};

static int real_get(struct host_inode *hi, struct real *r)
{
	struct hostfs *fs = hostfs_of(hi);
	int err = 0;

	r->handle = NULL;
	if (!S_ISREG(hi->inode.mode) && !S_ISDIR(hi->inode.mode))
		return -EPERM; /* opening it might be noticed */
	if (S_ISREG(hi->inode.mode)) {
		r->handle = host_open_handle(hi);
		if (!r->handle && fs->is_file) {
			r->handle = fs->root;
			ref_get(&r->handle->refs);
		}
		if (!r->handle && fs->exclusive)
			err = host_file_handle(hi, &r->handle);
	}
	if (err)
		return err;
	if (r->handle) {
		r->fd = host_handle_fd(r->handle);
		if (r->fd < 0)
			host_handle_put(r->handle);
		return MIN(r->fd, 0);
	}
	r->fd = host_inode_open(hi, O_RDONLY | O_NONBLOCK);
	if (r->fd == -EACCES && S_ISREG(hi->inode.mode))
		r->fd = host_inode_open(hi, O_WRONLY | O_NONBLOCK);
	return MIN(r->fd, 0);
}

static void real_put(struct real *r)
{
	if (r->handle)
		host_handle_put(r->handle);
	else
		(void)host_close(r->fd);
}

static long host_get(struct host_inode *hi, const char *name, void *buf, size_t size)
{
	struct real r;
	long result = real_get(hi, &r);

	if (result)
		return result;
	result = host_fgetxattr(r.fd, name, buf, size);
	real_put(&r);
	return size && result > (long)size ? -EIO : result;
}

static int host_set(struct host_inode *hi, const char *name, const void *value,
		    size_t size, int flags)
{
	struct real r;
	int err = real_get(hi, &r);

	if (err)
		return err;
	err = host_fsetxattr(r.fd, name, value, size, flags);
	real_put(&r);
	return err;
}

static int host_remove(struct host_inode *hi, const char *name)
{
	struct real r;
	int err = real_get(hi, &r);

	if (err)
		return err;
	err = host_fremovexattr(r.fd, name);
	real_put(&r);
	return err;
}

/* The host's user may not, but the guest may. */
static bool is_refusal(int err)
{
	return err == -EPERM || err == -EACCES;
}

/* No name leads to it any more and no file is open on it: memory is all there is. */
static bool is_gone(const struct host_inode *hi, long err)
{
	return err == -ESTALE && hi->is_removed;
}

/* ---- operations ---- */

long hostfs_getxattr(struct inode *inode, const char *name, void *buf, size_t size)
{
	struct host_inode *hi = host_inode_of(inode);
	struct host_attrs *a = atomic_load(&hi->attrs);
	long result = -ENODATA;
	bool is_hidden = false;

	if (a) {
		lock_take(&inode->lock);
		result = xattr_list_get(&a->values, name, buf, size);
		is_hidden = xattr_list_has(&a->hidden, name);
		lock_drop(&inode->lock);
	}
	if (result != -ENODATA || is_hidden || !is_hosts(hi, name))
		return result;
	result = host_get(hi, name, buf, size);
	if (is_gone(hi, result) ||
	    (is_refusal((int)result) && string_equal(name, XATTR_NAME_CAPS)))
		return -ENODATA;
	return result;
}

/* Does the host have it? flags say what that must be. */
static int host_check(struct host_inode *hi, const char *name, int flags)
{
	long size;

	if (!(flags & (XATTR_CREATE | XATTR_REPLACE)))
		return 0;
	size = is_hosts(hi, name) ? host_get(hi, name, NULL, 0) : -ENODATA;
	if (size >= 0)
		return flags & XATTR_CREATE ? -EEXIST : 0;
	return flags & XATTR_REPLACE ? -ENODATA : 0;
}

int hostfs_setxattr(struct inode *inode, const char *name, const void *value, size_t size,
		    int flags)
{
	struct host_inode *hi = host_inode_of(inode);
	struct known known = known_of(hi, name);
	int err;

	if (known.is_set || known.is_hidden) {
		if (known.is_set && (flags & XATTR_CREATE))
			return -EEXIST;
		if (!known.is_set && (flags & XATTR_REPLACE))
			return -ENODATA;
		flags = 0;
	}
	if (is_hosts(hi, name) && string_starts_with(name, XATTR_USER_PREFIX)) {
		err = host_set(hi, name, value, size, flags);
		if (!err)
			(void)forget(hi, name, true);
		if (!is_refusal(err) && !is_gone(hi, err))
			return err;
	}
	err = host_check(hi, name, flags);
	return err ? err : set_in_memory(hi, name, value, size);
}

int hostfs_removexattr(struct inode *inode, const char *name)
{
	struct host_inode *hi = host_inode_of(inode);
	struct known known = known_of(hi, name);
	bool was_set;
	long err = -ENODATA;

	if (!known.is_hidden && is_hosts(hi, name))
		err = host_get(hi, name, NULL, 0);
	if (err >= 0) {
		err = string_starts_with(name, XATTR_USER_PREFIX) ? host_remove(hi, name)
								  : -EPERM;
		if (is_refusal((int)err))
			err = hide(hi, name);
	}
	was_set = forget(hi, name, false);
	if (is_gone(hi, err))
		err = -ENODATA;
	return err == -ENODATA && was_set ? 0 : (int)err;
}

/* Appends the host's names that are shown. buf NULL: counts. */
static size_t add_names(struct host_inode *hi, const char *names, size_t len, char *buf,
			size_t size, size_t at)
{
	for (size_t from = 0; from < len;) {
		const char *name = names + from;
		size_t step = strnlen(name, len - from) + 1;
		struct known known = {false, false};

		from += step;
		if (from > len || !is_hosts(hi, name))
			continue;
		known = known_of(hi, name);
		if (known.is_set || known.is_hidden)
			continue;
		if (buf && at + step <= size)
			memcpy(buf + at, name, step);
		at += step;
	}
	return at;
}

static long host_list(struct host_inode *hi, char **out)
{
	struct real r;
	long len = real_get(hi, &r);

	if (len)
		return len;
	len = host_flistxattr(r.fd, NULL, 0);
	if (len > 0) {
		*out = kmalloc(XATTR_LIST_MAX);
		len = *out ? host_flistxattr(r.fd, *out, XATTR_LIST_MAX) : -ENOMEM;
		if (len > XATTR_LIST_MAX)
			len = -EIO;
	}
	real_put(&r);
	return len;
}

long hostfs_listxattr(struct inode *inode, char *buf, size_t size)
{
	struct host_inode *hi = host_inode_of(inode);
	struct host_attrs *a = atomic_load(&hi->attrs);
	char *names = NULL;
	size_t at = 0;
	long len = 0;

	if (a) {
		lock_take(&inode->lock);
		len = xattr_list_names(&a->values, buf, size);
		lock_drop(&inode->lock);
	}
	if (len < 0 || (!S_ISREG(inode->mode) && !S_ISDIR(inode->mode)))
		return len;
	at = (size_t)len;
	len = host_list(hi, &names);
	if (len > 0 && names)
		at = add_names(hi, names, (size_t)len, size ? buf : NULL, size, at);
	kfree(names);
	if (len == -ENOMEM || (len == -ESTALE && !is_gone(hi, len)))
		return len;
	return size && at > size ? -ERANGE : (long)at;
}

/* ---- access control lists ---- */

static uint32_t virtual_bit(const char *name)
{
	return string_equal(name, XATTR_NAME_ACL_ACCESS) ? ACL_ACCESS_IS_VIRTUAL
							 : ACL_DEFAULT_IS_VIRTUAL;
}

/* Like all that the guest changes they are passed on, unless the host says no. */
void hostfs_acl_changed(struct inode *inode, const char *name, const void *value,
			size_t size)
{
	struct host_inode *hi = host_inode_of(inode);
	struct host_attrs *a = atomic_load(&hi->attrs);
	int err = size ? host_set(hi, name, value, size, 0) : host_remove(hi, name);

	if (!err || err == -ENODATA || (!size && err == -EOPNOTSUPP)) {
		if (a)
			(void)atomic_and(&a->acls, ~virtual_bit(name));
		return;
	}
	a = attrs_make(hi);
	if (a)
		(void)atomic_or(&a->acls, virtual_bit(name));
	host_inode_keep(hi);
}

/* The value of one list: bytes, *out owned by the caller; or -errno. */
static long read_list(const struct real *r, const char *name, char **out)
{
	size_t room = ACL_SMALL;
	long size;

	*out = kmalloc(room);
	size = *out ? host_fgetxattr(r->fd, name, *out, room) : -ENOMEM;
	if (size == -ERANGE) {
		kfree(*out);
		room = XATTR_SIZE_MAX;
		*out = kmalloc(room);
		size = *out ? host_fgetxattr(r->fd, name, *out, room) : -ENOMEM;
	}
	return size > (long)room ? -EIO : size;
}

/* The host lets nobody of ours see lists of this file, or has none: its mode counts.
 * Other errors may pass, and must not open what a list closes. */
static bool means_none(long err)
{
	return err == -ENODATA || err == -EOPNOTSUPP || err == -EACCES || err == -EPERM ||
	       err == -ENXIO || err == -ELOOP;
}

/* Asks the host for one list, unless it is_there not. */
static int load_one(struct inode *inode, const struct real *r, const char *name,
		    bool is_there)
{
	const struct host_attrs *a;
	char *buf = NULL;
	long size = is_there ? read_list(r, name, &buf) : 0;

	a = atomic_load(&host_inode_of(inode)->attrs);
	if (means_none(size))
		size = 0;
	if (size >= 0 && !(a && (atomic_load(&a->acls) & virtual_bit(name))))
		acl_loaded(inode, name, buf, (size_t)size);
	kfree(buf);
	return (int)MIN(size, 0L);
}

static int load_lists(struct inode *inode)
{
	struct real r;
	bool has_any;
	int err = real_get(host_inode_of(inode), &r);

	if (err)
		return means_none(err) ? 0 : err;
	has_any = host_flistxattr(r.fd, NULL, 0) != 0; /* most files have nothing */
	err = load_one(inode, &r, XATTR_NAME_ACL_ACCESS, has_any);
	if (!err && S_ISDIR(inode->mode))
		err = load_one(inode, &r, XATTR_NAME_ACL_DEFAULT, has_any);
	real_put(&r);
	return err;
}

/* Directories change all the time, by what is made in them: their lists are not asked for
 * more often than once a second where a moment's delay does no harm. */
static bool is_fresh(struct host_inode *hi)
{
	uint32_t at = atomic_load_relaxed(&hi->acl_time);

	return at && S_ISDIR(hi->inode.mode) &&
	       at == (uint32_t)(host_clock(CLOCK_MONOTONIC_COARSE) / NSEC_PER_SEC) + 1;
}

int hostfs_acl_load(struct inode *inode, bool may_be_old)
{
	struct host_inode *hi = host_inode_of(inode);
	struct linux_timespec before;
	int err;

	if (may_be_old && is_fresh(hi))
		return 0;
	lock_take(&inode->lock);
	before = inode->ctime;
	lock_drop(&inode->lock);
	err = load_lists(inode);
	if (err)
		return err;
	atomic_store_relaxed(
		&hi->acl_time,
		(uint32_t)(host_clock(CLOCK_MONOTONIC_COARSE) / NSEC_PER_SEC) + 1);
	lock_take(&inode->lock);
	if (before.tv_sec == inode->ctime.tv_sec &&
	    before.tv_nsec == inode->ctime.tv_nsec)
		(void)atomic_and(&inode->flags, ~(uint32_t)INODE_ACL_LAZY);
	lock_drop(&inode->lock);
	return 0;
}
