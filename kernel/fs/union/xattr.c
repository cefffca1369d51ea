/* SPDX-License-Identifier: MIT */
/* xattr.c - extended attributes of a union of layers: those of the files, and our own.
 *
 * Ours begin with trusted.overlay. (or user.overlay.) in the layers, and nobody sees them
 * through the union. An attribute that a guest gives such a name to here, say to make a
 * layer of another overlay, gets one more "overlay." below. */
#include "abi/xattr.h"

#include "abi/errno.h"
#include "base/slab.h"
#include "fs/acl.h"
#include "fs/dentry.h"
#include "fs/file_handle.h"
#include "fs/stack.h"
#include "fs/union/internal.h"
#include "fs/xattr_copy.h"
#include "lib/atomic.h"
#include "lib/printf.h"
#include "lib/string.h"

#define MARK_MORE "overlay."

static const char *prefix_of(const struct union_fs *ufs)
{
	return ufs->options.user_xattr ? "user.overlay." : "trusted.overlay.";
}

/* ---- our own ---- */

static bool mark_name(const struct union_fs *ufs, const char *name, char *out)
{
	return snprintf(out, XATTR_NAME_MAX + 1, "%s%s", prefix_of(ufs), name) <=
	       XATTR_NAME_MAX;
}

long union_mark_get(const struct union_fs *ufs, struct inode *real, const char *name,
		    void *buf, size_t size)
{
	char full[XATTR_NAME_MAX + 1];

	if (!real->ops->getxattr || !mark_name(ufs, name, full))
		return -ENODATA;
	return real->ops->getxattr(real, full, buf, size);
}

int union_mark_set(const struct union_fs *ufs, struct inode *real, const char *name,
		   const void *value, size_t size)
{
	char full[XATTR_NAME_MAX + 1];

	if (!real->ops->setxattr || !mark_name(ufs, name, full))
		return -EOPNOTSUPP;
	return real->ops->setxattr(real, full, value, size, 0);
}

void union_mark_remove(const struct union_fs *ufs, struct inode *real, const char *name)
{
	char full[XATTR_NAME_MAX + 1];

	if (real->ops->removexattr && mark_name(ufs, name, full))
		(void)real->ops->removexattr(real, full);
}

bool union_mark_is_set(const struct union_fs *ufs, struct inode *real, const char *name)
{
	char value = 0;

	return union_mark_get(ufs, real, name, &value, 1) == 1 && value == 'y';
}

/* ---- where an upper file came from ---- */

/* As Linux lays it out, with file handles of our own in it. */
struct origin {
	uint8_t version;
	uint8_t magic;
	uint8_t len;
	uint8_t flags;
	uint8_t type;
	uint8_t uuid[16];
	uint8_t handle[sizeof(struct handle_id)];
};
enum { ORIGIN_MAGIC = 0xfb };

static void uuid_of(const struct superblock *sb, uint8_t uuid[16])
{
	uint64_t words[2] = {sb->magic, sb->dev};

	memcpy(uuid, words, sizeof(words));
}

int union_origin_set(const struct union_fs *ufs, const struct union_lower *lower,
		     struct inode *upper)
{
	struct path p = {lower->layer->path.mount, lower->dentry};
	struct origin o = {.magic = ORIGIN_MAGIC, .len = sizeof(o), .type = HANDLE_TYPE};
	struct handle_id id;
	int err;

	if (!handle_can_decode(&p))
		return 0;
	id = handle_encode(&p, false);
	uuid_of(lower->dentry->sb, o.uuid);
	memcpy(o.handle, &id, sizeof(id));
	err = union_mark_set(ufs, upper, "origin", &o, sizeof(o));
	return err == -EOPNOTSUPP ? 0 : err;
}

void union_origin_get(const struct union_fs *ufs, struct inode *upper,
		      struct union_sides *out)
{
	struct origin o;
	struct handle_id id;

	if (union_mark_get(ufs, upper, "origin", &o, sizeof(o)) != sizeof(o) ||
	    o.version || o.magic != ORIGIN_MAGIC || o.len != sizeof(o) ||
	    o.type != HANDLE_TYPE)
		return;
	for (uint32_t i = 0; i < ufs->fs_count; i++) {
		uint8_t uuid[16];

		if (!ufs->fs[i].sb)
			continue;
		uuid_of(ufs->fs[i].sb, uuid);
		if (memcmp(uuid, o.uuid, sizeof(uuid)) != 0)
			continue;
		memcpy(&id, o.handle, sizeof(id));
		out->origin = id.ino_low | (uint64_t)id.ino_high << 32;
		out->origin_fsid = i;
		out->has_origin = true;
		return;
	}
}

/* ---- the files' ---- */

/* The name below, in out if it differs. NULL: there is no such. */
static const char *name_below(const struct union_fs *ufs, const char *name, char *out)
{
	const char *prefix = prefix_of(ufs);

	if (!string_starts_with(name, prefix))
		return name;
	if (snprintf(out, XATTR_NAME_MAX + 1, "%s" MARK_MORE "%s", prefix,
		     name + strlen(prefix)) > XATTR_NAME_MAX)
		return NULL;
	return out;
}

static bool is_ours(const struct union_fs *ufs, const char *name)
{
	const char *prefix = prefix_of(ufs);

	return string_starts_with(name, prefix) &&
	       !string_starts_with(name + strlen(prefix), MARK_MORE);
}

long union_getxattr(struct inode *inode, const char *name, void *buf, size_t size)
{
	struct union_inode *ui = union_inode_of(inode);
	struct inode *real = union_real(ui)->inode;
	char full[XATTR_NAME_MAX + 1];

	name = name_below(union_fs_of(ui), name, full);
	if (!name)
		return -ENODATA;
	if (!real->ops->getxattr)
		return -EOPNOTSUPP;
	return real->ops->getxattr(real, name, buf, size);
}

int union_setxattr(struct inode *inode, const char *name, const void *value, size_t size,
		   int flags)
{
	struct union_inode *ui = union_inode_of(inode);
	char full[XATTR_NAME_MAX + 1];
	struct inode *upper;
	int err;

	name = name_below(union_fs_of(ui), name, full);
	if (!name)
		return -EOPNOTSUPP;
	err = union_copy_up(ui, false);
	if (err)
		return err;
	upper = ui->upper->inode;
	if (!upper->ops->setxattr)
		return -EOPNOTSUPP;
	err = upper->ops->setxattr(upper, name, value, size, flags);
	if (!err && string_equal(name, XATTR_NAME_CAPS))
		(void)atomic_or(&upper->flags, INODE_FILE_CAPS);
	union_inode_refresh(ui);
	return err;
}

int union_removexattr(struct inode *inode, const char *name)
{
	struct union_inode *ui = union_inode_of(inode);
	struct inode *real = union_real(ui)->inode;
	char full[XATTR_NAME_MAX + 1];
	long there;
	int err;

	name = name_below(union_fs_of(ui), name, full);
	if (!name)
		return -ENODATA;
	if (!real->ops->getxattr)
		return -EOPNOTSUPP;
	there = real->ops->getxattr(real, name, NULL, 0);
	if (there < 0)
		return (int)there;
	err = union_copy_up(ui, false);
	if (err)
		return err;
	real = ui->upper->inode;
	if (!real->ops->removexattr)
		return -EOPNOTSUPP;
	err = real->ops->removexattr(real, name);
	if (!err && string_equal(name, XATTR_NAME_CAPS))
		(void)atomic_and(&real->flags, ~(uint32_t)INODE_FILE_CAPS);
	union_inode_refresh(ui);
	return err;
}

/* Takes the names that are ours out of the list, and our addition out of the others. */
static long names_shown(const struct union_fs *ufs, char *list, long size)
{
	const char *prefix = prefix_of(ufs);
	size_t prefix_len = strlen(prefix);
	size_t more = strlen(MARK_MORE);
	size_t to = 0;

	for (size_t from = 0; from < (size_t)size;) {
		char *name = list + from;
		size_t len = strlen(name) + 1;

		from += len;
		if (is_ours(ufs, name))
			continue;
		if (string_starts_with(name, prefix)) {
			memmove(list + to, name, prefix_len);
			memmove(list + to + prefix_len, name + prefix_len + more,
				len - prefix_len - more);
			to += len - more;
		} else {
			memmove(list + to, name, len);
			to += len;
		}
	}
	return (long)to;
}

long union_listxattr(struct inode *inode, char *buf, size_t size)
{
	struct union_inode *ui = union_inode_of(inode);
	long len;
	char *list = xattr_names_get(union_real(ui)->inode, &len);

	if (!list)
		return len;
	len = names_shown(union_fs_of(ui), list, len);
	if (size && (size_t)len > size)
		len = -ERANGE;
	else if (size)
		memcpy(buf, list, (size_t)len);
	kfree(list);
	return len;
}

static int list_of_access_copy(struct inode *from, struct inode *to, const char *name)
{
	long size = acl_get(from, name, NULL, 0);
	void *value;
	int err;

	if (size <= 0)
		return size == -ENOMEM ? -ENOMEM : 0;
	value = kmalloc((size_t)size);
	if (!value)
		return -ENOMEM;
	size = acl_get(from, name, value, (size_t)size);
	err = size <= 0 ? 0 : acl_store(to, name, value, (size_t)size);
	kfree(value);
	return err;
}

static bool stays(const void *arg, const char *name)
{
	return is_ours(arg, name) || acl_is_name(name);
}

int union_xattrs_copy(const struct union_fs *ufs, struct inode *from, struct inode *to)
{
	int err = xattr_copy_all(from, to, stays, ufs);

	if (!err)
		err = list_of_access_copy(from, to, XATTR_NAME_ACL_ACCESS);
	if (!err)
		err = list_of_access_copy(from, to, XATTR_NAME_ACL_DEFAULT);
	return err;
}
