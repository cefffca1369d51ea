/* SPDX-License-Identifier: MIT */
/* acl.h - POSIX access control lists (acl(5)): kept in the inode by the VFS, for file
 * systems that have the acl_changed operation. */
#pragma once
#include "abi/types.h"
#include "fs/vfs.h"

struct acl;
struct creds;
struct path;

/* What the access list says to c, who does not own the inode: 0 or -EACCES; -EAGAIN if
 * there is none. mask: MAY_READ, MAY_WRITE, MAY_EXEC. */
int acl_permission(struct inode *inode, const struct creds *c, uint32_t mask) MUST_CHECK;
/* The mode has changed: so do the owner's, the mask's and the others' entries. */
void acl_follow_mode_locked(struct inode *inode) REQUIRES(&inode->lock);
void acl_inode_fini(struct inode *inode);

/* For acl_load operations. What name (system.posix_acl_*) was found to be; size 0: it is
 * not there. */
void acl_loaded(struct inode *inode, const char *name, const void *value, size_t size);
/* Those of from, with inode's mode, unless INODE_ACL_LAZY is gone already. 0 or -ENOMEM.
 */
int acl_copy_lists(struct inode *inode, struct inode *from) MUST_CHECK;

/* What a new inode inherits. */
struct acl_birth {
	struct acl *access, *inherit; /* owned, or NULL */
};
/* Takes from mode what dir's default list does not grant or, if there is none, what umask
 * names. 0 or -ENOMEM. */
int acl_birth_begin(struct acl_birth *b, struct inode *dir, uint32_t *mode) MUST_CHECK;
/* Gives it to the new inode; NULL: there is none. */
void acl_birth_end(struct acl_birth *b, struct inode *inode);

/* As extended attributes: the names. */
bool acl_is_name(const char *name);
/* Bytes, -ERANGE, -ENODATA, -EOPNOTSUPP. size 0 asks for the size. */
long acl_get(struct inode *inode, const char *name, void *buf, size_t size) MUST_CHECK;
/* size 0: none from now on. 0, -EPERM, -EINVAL, -EACCES, -EOPNOTSUPP, -ENOMEM. */
/* What acl_get() has given, with the ids of the current task's user namespace: the
 * kernel's that it does not know become NO_ID. */
void acl_export(void *value, size_t size);
/* Of the current task, by the names it has for ids. */
int acl_set(struct inode *inode, const char *name, const void *value,
	    size_t size) MUST_CHECK;
/* The same without a check of anything, and without a change of the mode: for who lies
 * over inode. 0, -EINVAL, -EOPNOTSUPP, -ENOMEM. */
int acl_store(struct inode *inode, const char *name, const void *value,
	      size_t size) MUST_CHECK;
/* The names of those that are there, one after the other; returns their length, whether
 * it fits or not. */
size_t acl_list(struct inode *inode, char *buf, size_t size);
