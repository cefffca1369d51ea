/* SPDX-License-Identifier: MIT */
/* exec_creds.c - what exec makes of credentials: set-user-id and set-group-id programs,
 * capabilities of files ("Transformation of capabilities during execve()").
 *
 * Identity is the sandbox's own: whatever a program becomes in here, it is the host's
 * same powerless process. */
#include "core/exec_creds.h"

#include "abi/capability.h"
#include "abi/errno.h"
#include "abi/prctl.h"
#include "abi/resource.h"
#include "abi/statfs.h"
#include "abi/xattr.h"
#include "fs/context.h"
#include "fs/file.h"
#include "fs/mount.h"
#include "fs/vfs.h"
#include "fs/xattr.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "process/creds.h"
#include "process/task.h"
#include "process/user_ns.h"

#define SECURE_STACK_MAX (8ULL << 20)
#define CLEAR_ON_SETID                                                                   \
	((uint32_t)(READ_IMPLIES_EXEC | ADDR_NO_RANDOMIZE | ADDR_COMPAT_LAYOUT |         \
		    MMAP_PAGE_ZERO))

/* The credentials in the making, without the groups, which do not change. */
struct making {
	const struct creds *old;
	struct creds now;
	uid_t root;    /* of its user namespace, NO_ID if it has none */
	bool may_suid; /* the mount says so */
	bool has_file_caps;
	bool is_effective; /* what is permitted is effective at once */
	uint32_t clear_personality;
};

static void take_set_id(struct making *m, const struct task *t, const struct inode *inode)
{
	uint32_t mode = atomic_load_relaxed(&inode->mode);

	if (!m->may_suid || t->no_new_privs || !(mode & (S_ISUID | S_ISGID)) ||
	    !inode_ids_are_in(m->now.user_ns, inode))
		return;
	if (mode & S_ISUID) {
		m->now.euid = inode->uid;
		m->clear_personality = CLEAR_ON_SETID;
	}
	if ((mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP)) {
		m->now.egid = inode->gid;
		m->clear_personality = CLEAR_ON_SETID;
	}
}

static int take_file_caps(struct making *m, struct inode *inode)
{
	const struct creds *old = m->old;
	struct file_caps caps;
	int err;

	m->now.cap_permitted = 0;
	if (!m->may_suid)
		return 0;
	err = inode_file_caps(inode, &caps);
	if (err)
		return err == -ENODATA ? 0 : err;
	m->has_file_caps = true;
	m->is_effective = caps.is_effective;
	m->now.cap_permitted = (caps.permitted & old->cap_bounding) |
			       (caps.inheritable & old->cap_inheritable);
	/* A program that knows nothing of capabilities needs them all. */
	if (caps.is_effective && (caps.permitted & ~m->now.cap_permitted))
		return -EPERM;
	return 0;
}

static void take_root_caps(struct making *m)
{
	struct creds *now = &m->now;

	if (now->securebits & (1U << SECURE_NOROOT))
		return;
	/* A set-user-id root program that has capabilities gets just these. */
	if (m->has_file_caps && now->uid != m->root && now->euid == m->root)
		return;
	if (now->uid == m->root || now->euid == m->root)
		now->cap_permitted = m->old->cap_bounding | m->old->cap_inheritable;
	if (now->euid == m->root)
		m->is_effective = true;
}

/* Somebody outside the process could change its working directory or root. */
static bool shares_fs(struct task *t)
{
	struct list *l;
	uint32_t own = 0;
	bool shares;

	lock_take(&t->process->lock);
	list_for_each (l, &t->process->tasks)
		own += list_entry(l, struct task, thread_link)->fs == t->fs;
	shares = t->fs && atomic_load(&t->fs->users) > own;
	lock_drop(&t->process->lock);
	return shares;
}

/* May it gain what it is about to? Else it gets no more than it had. */
static void limit(struct making *m, struct task *t)
{
	const struct creds *old = m->old;
	struct creds *now = &m->now;
	bool id_changed = now->euid != old->euid ||
			  (now->egid != old->egid && !creds_in_group(old, now->egid));
	bool gains = now->cap_permitted & ~old->cap_permitted;

	if (gains)
		m->clear_personality = CLEAR_ON_SETID;
	if (!(id_changed || gains) || !(t->no_new_privs || shares_fs(t)))
		return;
	if (t->no_new_privs || !ns_capable(now->user_ns, CAP_SETUID)) {
		now->euid = now->uid;
		now->egid = now->gid;
	}
	now->cap_permitted &= old->cap_permitted;
}

static bool make(struct making *m, struct task *t, struct inode *inode, int *err)
{
	struct creds *now = &m->now;
	bool is_setid;

	take_set_id(m, t, inode);
	*err = take_file_caps(m, inode);
	if (*err)
		return false;
	take_root_caps(m);
	limit(m, t);
	is_setid = now->euid != m->old->uid || now->egid != m->old->gid;
	now->suid = now->fsuid = now->euid;
	now->sgid = now->fsgid = now->egid;
	if (m->has_file_caps || is_setid)
		now->cap_ambient = 0;
	now->cap_permitted |= now->cap_ambient;
	now->cap_effective = m->is_effective ? now->cap_permitted : now->cap_ambient;
	now->securebits &= ~(1U << SECURE_KEEP_CAPS);
	return is_setid ||
	       (now->uid != m->root &&
		(m->is_effective || (now->cap_permitted & ~now->cap_ambient)));
}

static bool is_same(const struct creds *a, const struct creds *b)
{
	return a->euid == b->euid && a->suid == b->suid && a->fsuid == b->fsuid &&
	       a->egid == b->egid && a->sgid == b->sgid && a->fsgid == b->fsgid &&
	       a->cap_permitted == b->cap_permitted &&
	       a->cap_effective == b->cap_effective && a->cap_ambient == b->cap_ambient &&
	       a->securebits == b->securebits;
}

int exec_creds_prepare(struct exec_creds *ec, struct task *t, struct file *f)
{
	struct making m = {.old = t->creds,
			   .now = *t->creds,
			   .root = make_kuid(t->creds->user_ns, 0)};
	struct creds *c;
	int err;

	m.may_suid = !(atomic_load_relaxed(&f->path.mount->flags) & MS_NOSUID);
	ec->is_secure = make(&m, t, f->inode, &err);
	if (err)
		return err;
	ec->clear_personality = m.clear_personality;
	ec->is_hidden = inode_permission(f->inode, MAY_READ) != 0;
	ec->user_ns = t->creds->user_ns;
	while (ec->is_hidden && ec->user_ns != &first_user_ns &&
	       !inode_ids_are_in(ec->user_ns, f->inode))
		ec->user_ns = user_ns_parent(ec->user_ns);
	if (is_same(&m.now, t->creds))
		return 0;
	c = creds_copy(t->creds);
	if (!c)
		return -ENOMEM;
	c->euid = m.now.euid;
	c->suid = m.now.suid;
	c->fsuid = m.now.fsuid;
	c->egid = m.now.egid;
	c->sgid = m.now.sgid;
	c->fsgid = m.now.fsgid;
	c->cap_permitted = m.now.cap_permitted;
	c->cap_effective = m.now.cap_effective;
	c->cap_ambient = m.now.cap_ambient;
	c->securebits = m.now.securebits;
	creds_put(ec->creds);
	ec->creds = c;
	return 0;
}

/* More than a change of the saved ids. */
static bool is_other(const struct creds *old, const struct creds *now)
{
	return now->euid != old->euid || now->egid != old->egid ||
	       now->fsuid != old->fsuid || now->fsgid != old->fsgid ||
	       (now->cap_permitted & ~old->cap_permitted);
}

static void exec_user_ns_set(struct process *p, struct user_ns *ns)
{
	struct user_ns *old = p->exec_user_ns; /* nobody else changes it */

	if (likely(old == ns))
		return;
	user_ns_get(ns);
	lock_take(&p->lock);
	p->exec_user_ns = ns;
	lock_drop(&p->lock);
	user_ns_put(old);
}

void exec_creds_commit(struct exec_creds *ec, struct task *t)
{
	struct creds *old = t->creds;
	struct creds *now = ec->creds ? ec->creds : old;
	bool other = is_other(old, now);

	t->process->dumpable =
		!ec->is_hidden && !other && old->euid == old->uid && old->egid == old->gid
			? DUMPABLE_USER
			: (uint8_t)atomic_load(&suid_dumpable);
	exec_user_ns_set(t->process, ec->user_ns);
	t->personality &= ~ec->clear_personality;
	if (ec->is_secure || other)
		t->pdeath_signal = 0;
	if (ec->is_secure) {
		lock_take(&t->process->lock);
		if (t->process->rlimits[RLIMIT_STACK].rlim_cur > SECURE_STACK_MAX)
			t->process->rlimits[RLIMIT_STACK].rlim_cur = SECURE_STACK_MAX;
		lock_drop(&t->process->lock);
	}
	if (!ec->creds)
		return;
	lock_take(&t->process->lock);
	t->creds = now;
	lock_drop(&t->process->lock);
	ec->creds = NULL;
	creds_put(old);
}

void exec_creds_fini(struct exec_creds *ec)
{
	creds_put(ec->creds);
	ec->creds = NULL;
}
