/* SPDX-License-Identifier: MIT */
/* creds.c - credentials as objects, and what changes with them. */
#include "process/creds.h"

#include "abi/capability.h"
#include "base/slab.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "process/identity.h"
#include "process/task.h"
#include "process/user_ns.h"

int suid_dumpable;

static SLAB_CACHE(creds_cache, "cred_jar", sizeof(struct creds), 8);

/* What a file system looks at. */
#define CAP_BIT(cap) (1ULL << (cap))
#define CAP_FS_SET                                                                       \
	(CAP_BIT(CAP_CHOWN) | CAP_BIT(CAP_MKNOD) | CAP_BIT(CAP_DAC_OVERRIDE) |           \
	 CAP_BIT(CAP_DAC_READ_SEARCH) | CAP_BIT(CAP_FOWNER) | CAP_BIT(CAP_FSETID) |      \
	 CAP_BIT(CAP_LINUX_IMMUTABLE) | CAP_BIT(CAP_MAC_OVERRIDE))

void creds_get(struct creds *c)
{
	ref_get(&c->refs);
}

void creds_put(struct creds *c)
{
	if (!c || !ref_put(&c->refs))
		return;
	user_ns_put(c->user_ns);
	kfree(c->groups);
	slab_free(&creds_cache, c);
}

struct creds *creds_copy(const struct creds *c)
{
	struct creds *copy = slab_alloc(&creds_cache);

	if (!copy)
		return NULL;
	*copy = *c;
	ref_init(&copy->refs);
	copy->groups = NULL;
	if (!c->group_count) {
		user_ns_get(copy->user_ns);
		return copy;
	}
	copy->groups = kmalloc_array(c->group_count, sizeof(*c->groups));
	if (!copy->groups) {
		slab_free(&creds_cache, copy);
		return NULL;
	}
	memcpy(copy->groups, c->groups, c->group_count * sizeof(*c->groups));
	user_ns_get(copy->user_ns);
	return copy;
}

bool creds_in_group(const struct creds *c, gid_t gid)
{
	uint32_t low = 0;
	uint32_t high = c->group_count;

	if (c->fsgid == gid)
		return true;
	while (low < high) {
		uint32_t mid = (low + high) / 2;

		if (c->groups[mid] == gid)
			return true;
		if (c->groups[mid] < gid)
			low = mid + 1;
		else
			high = mid;
	}
	return false;
}

const struct creds *current_creds(void)
{
	return current()->creds;
}

struct creds *task_creds(struct task *t)
{
	struct creds *c;

	lock_take(&t->process->lock);
	c = t->creds;
	if (c)
		creds_get(c);
	lock_drop(&t->process->lock);
	return c;
}

/* c may do nothing that old may not: in a user namespace of old's own making, which it
 * has all capabilities over, it may be any. */
static bool is_no_rise(const struct creds *old, const struct creds *c)
{
	if (likely(c->user_ns == old->user_ns))
		return !(c->cap_permitted & ~old->cap_permitted);
	for (const struct user_ns *ns = c->user_ns; ns != &first_user_ns;
	     ns = user_ns_parent(ns))
		if (user_ns_parent(ns) == old->user_ns && ns->owner == old->euid)
			return true;
	return false;
}

void identity_commit(struct creds *c)
{
	struct task *t = current();
	struct creds *old = t->creds;

	if (old->euid != c->euid || old->egid != c->egid || old->fsuid != c->fsuid ||
	    old->fsgid != c->fsgid || !is_no_rise(old, c)) {
		t->process->dumpable = (uint8_t)atomic_load(&suid_dumpable);
		t->pdeath_signal = 0;
	}
	lock_take(&t->process->lock);
	t->creds = c;
	lock_drop(&t->process->lock);
	creds_put(old);
}

void caps_follow_uids(struct creds *c, const struct creds *old)
{
	uid_t root = make_kuid(c->user_ns, 0);
	bool was_root = old->uid == root || old->euid == root || old->suid == root;
	bool is_root = c->uid == root || c->euid == root || c->suid == root;

	if (c->securebits & (1 << SECURE_NO_SETUID_FIXUP))
		return;
	if (was_root && !is_root) {
		if (!(c->securebits & (1 << SECURE_KEEP_CAPS))) {
			c->cap_permitted = 0;
			c->cap_effective = 0;
		}
		c->cap_ambient = 0;
	}
	if (old->euid == root && c->euid != root)
		c->cap_effective = 0;
	if (old->euid != root && c->euid == root)
		c->cap_effective = c->cap_permitted;
}

void caps_follow_fsuid(struct creds *c, const struct creds *old)
{
	uid_t root = make_kuid(c->user_ns, 0);

	if (c->securebits & (1 << SECURE_NO_SETUID_FIXUP))
		return;
	if (old->fsuid == root && c->fsuid != root)
		c->cap_effective &= ~CAP_FS_SET;
	if (old->fsuid != root && c->fsuid == root)
		c->cap_effective |= c->cap_permitted & CAP_FS_SET;
}
