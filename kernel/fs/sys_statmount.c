/* SPDX-License-Identifier: MIT */
/* sys_statmount.c - statmount(2), listmount(2): the mounts by their unique ids.
 *
 * No file system here has a subtype or options of a security module, and no mount has
 * id maps: these are known, and never there. */
#include "abi/capability.h"
#include "abi/errno.h"
#include "abi/mount.h"
#include "abi/statfs.h"
#include "abi/syscall.h"
#include "base/lock.h"
#include "base/page.h"
#include "base/slab.h"
#include "fs/context.h"
#include "fs/dentry.h"
#include "fs/mount.h"
#include "fs/path.h"
#include "fs/proc/generated.h"
#include "fs/vfs.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "mm/usercopy.h"
#include "process/creds.h"
#include "process/task.h"

enum { LIST_SPARE = 256 };	/* mounts that may come while memory is got */
#define MNT_NS_ID 4026531841ULL /* as /proc/PID/ns/mnt */
#define TEXTS                                                                            \
	(STATMOUNT_MNT_ROOT | STATMOUNT_MNT_POINT | STATMOUNT_FS_TYPE |                  \
	 STATMOUNT_MNT_OPTS | STATMOUNT_FS_SUBTYPE | STATMOUNT_SB_SOURCE |               \
	 STATMOUNT_OPT_ARRAY | STATMOUNT_OPT_SEC_ARRAY | STATMOUNT_MNT_UIDMAP |          \
	 STATMOUNT_MNT_GIDMAP)
#define KNOWN                                                                            \
	(TEXTS | STATMOUNT_SB_BASIC | STATMOUNT_MNT_BASIC | STATMOUNT_PROPAGATE_FROM |   \
	 STATMOUNT_MNT_NS_ID | STATMOUNT_SUPPORTED_MASK)

static int request_get(struct linux_mnt_id_req *r, uaddr_t addr)
{
	uint32_t size;
	int err = get_user_u32(&size, addr);

	if (err)
		return err;
	if (size > PAGE_SIZE)
		return -E2BIG;
	if (size < MNT_ID_REQ_SIZE_V0)
		return -EINVAL;
	memset(r, 0, sizeof(*r));
	err = copy_struct_from_user(r, sizeof(*r), addr, size);
	if (err)
		return err;
	if (r->spare || r->mnt_id <= MOUNT_UNIQUE_FIRST)
		return -EINVAL;
	return r->mnt_ns_id && r->mnt_ns_id != MNT_NS_ID ? -ENOENT : 0;
}

static uint64_t unique_id(const struct mount *m)
{
	return MOUNT_UNIQUE_FIRST + (uint32_t)m->id;
}

/* With mount_lock held: borrowed. */
static struct mount *find_by_id(uint64_t id)
{
	struct list *pos;

	list_for_each (pos, &mount_list) {
		struct mount *m = list_entry(pos, struct mount, link);

		if (unique_id(m) == id)
			return m;
	}
	return NULL;
}

/* What the caller cannot reach only who may mount sees. mount_lock held. */
static int check_seen(const struct mount *m, struct dentry *d, const struct path *root)
{
	return mount_is_reachable(m, d, root) || capable(CAP_SYS_ADMIN) ? 0 : -EPERM;
}

/* ---- statmount ---- */

static uint64_t attr_of(uint32_t flags)
{
	uint64_t attr = flags & (MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC);

	if (flags & MS_NODIRATIME)
		attr |= MOUNT_ATTR_NODIRATIME;
	if (flags & MS_NOSYMFOLLOW)
		attr |= MOUNT_ATTR_NOSYMFOLLOW;
	if (flags & MS_NOATIME)
		attr |= MOUNT_ATTR_NOATIME;
	else if (flags & MS_STRICTATIME)
		attr |= MOUNT_ATTR_STRICTATIME;
	return attr;
}

static uint64_t propagation_of(const struct mount *m)
{
	uint64_t type = (m->group ? MS_SHARED : 0) | (m->master ? MS_SLAVE : 0) |
			(m->is_unbindable ? MS_UNBINDABLE : 0);

	return type ? type : MS_PRIVATE;
}

/* mount_lock held. */
static void fill_numbers(struct linux_statmount *s, struct mount *m, uint64_t want,
			 const struct path *root)
{
	if (want & STATMOUNT_SB_BASIC) {
		s->sb_dev_major = (uint32_t)(m->sb->dev >> 8 & 0xfff);
		s->sb_dev_minor =
			(uint32_t)((m->sb->dev & 0xff) | (m->sb->dev >> 12 & 0xfff00));
		s->sb_magic = m->sb->magic;
		s->sb_flags = m->sb->flags & SB_RDONLY ? MS_RDONLY : 0;
	}
	if (want & STATMOUNT_MNT_BASIC) {
		const struct mount *parent = m->parent ? m->parent : m;

		s->mnt_id = unique_id(m);
		s->mnt_parent_id = unique_id(parent);
		s->mnt_id_old = (uint32_t)m->id;
		s->mnt_parent_id_old = (uint32_t)parent->id;
		s->mnt_attr = attr_of(atomic_load_relaxed(&m->flags));
		s->mnt_propagation = propagation_of(m);
		s->mnt_peer_group = (uint64_t)m->group;
		s->mnt_master = m->master ? (uint64_t)m->master->group : 0;
	}
	if (want & STATMOUNT_PROPAGATE_FROM)
		s->propagate_from = (uint64_t)mount_dominating_group(m, root);
	if (want & STATMOUNT_MNT_NS_ID)
		s->mnt_ns_id = MNT_NS_ID;
	if (want & STATMOUNT_SUPPORTED_MASK)
		s->supported_mask = KNOWN;
	s->mask |= want & KNOWN & ~(uint64_t)TEXTS;
}

static uint32_t text_begin(struct linux_statmount *s, struct text *t, uint64_t bit)
{
	s->mask |= bit;
	return (uint32_t)t->len;
}

/* One option of the list that s begins with, without its escapes (\\054). Returns what
 * follows its comma, or NULL. */
static const char *option_write(struct text *t, const char *s)
{
	for (; *s && *s != ','; s++) {
		if (s[0] == '\\' && s[1] >= '0' && s[1] <= '3' && s[2] && s[3]) {
			text_putc(t, (char)((s[1] - '0') << 6 | (s[2] - '0') << 3 |
					    (s[3] - '0')));
			s += 3;
		} else {
			text_putc(t, *s);
		}
	}
	text_putc(t, '\0');
	return *s ? s + 1 : NULL;
}

static void fill_options(struct linux_statmount *s, struct text *t, struct mount *m,
			 uint64_t want, char *page)
{
	page[0] = '\0';
	page[1] = '\0';
	if (m->sb->ops && m->sb->ops->show_options)
		m->sb->ops->show_options(m->sb, page, PAGE_SIZE);
	if (!page[0])
		return;
	if (want & STATMOUNT_MNT_OPTS) {
		s->mnt_opts = text_begin(s, t, STATMOUNT_MNT_OPTS);
		text_write(t, page + 1, strlen(page + 1) + 1);
	}
	if (want & STATMOUNT_OPT_ARRAY) {
		s->opt_array = text_begin(s, t, STATMOUNT_OPT_ARRAY);
		for (const char *at = page + 1; at; s->opt_num++)
			at = option_write(t, at);
	}
}

static void fill_texts(struct linux_statmount *s, struct text *t, struct mount *m,
		       uint64_t want, const struct path *root, char *page)
{
	struct path p = {m, m->root};

	if (!(want & TEXTS))
		return;
	text_putc(t, '\0'); /* for all that is empty */
	if (want & STATMOUNT_FS_TYPE) {
		s->fs_type = text_begin(s, t, STATMOUNT_FS_TYPE);
		text_write(t, m->sb->type->name, strlen(m->sb->type->name) + 1);
	}
	if (want & STATMOUNT_MNT_ROOT) {
		s->mnt_root = text_begin(s, t, STATMOUNT_MNT_ROOT);
		mount_root_print(m, page);
		text_write(t, page, strlen(page) + 1);
	}
	if ((want & STATMOUNT_MNT_POINT) && path_print(&p, root, page, PAGE_SIZE) > 0) {
		s->mnt_point = text_begin(s, t, STATMOUNT_MNT_POINT);
		text_write(t, page, strlen(page) + 1);
	}
	if (want & (STATMOUNT_MNT_OPTS | STATMOUNT_OPT_ARRAY))
		fill_options(s, t, m, want, page);
	if (want & STATMOUNT_SB_SOURCE) {
		s->sb_source = text_begin(s, t, STATMOUNT_SB_SOURCE);
		text_write(t, m->source, strlen(m->source) + 1);
	}
}

static int copy_answer(struct linux_statmount *s, const struct text *t, uaddr_t buf,
		       size_t size)
{
	size_t fixed = MIN(size, sizeof(*s));

	if (t->is_failed)
		return -ENOMEM;
	if (t->len && size < sizeof(*s) + t->len)
		return -EOVERFLOW;
	s->size = (uint32_t)(fixed + t->len);
	if (t->len && copy_to_user(buf + sizeof(*s), t->buf, t->len))
		return -EFAULT;
	return copy_to_user(buf, s, fixed);
}

static int answer(struct linux_statmount *s, const struct linux_mnt_id_req *r,
		  struct text *t, char *page)
{
	struct path root;
	struct mount *m;
	int err = -ENOENT;

	fs_context_root(current()->fs, &root);
	lock_take(&mount_lock);
	m = find_by_id(r->mnt_id);
	if (m)
		err = check_seen(m, m->root, &root);
	if (!err) {
		mount_get(m);
		fill_numbers(s, m, r->param, &root);
	}
	lock_drop(&mount_lock);
	if (!err) {
		fill_texts(s, t, m, r->param, &root, page);
		mount_put_no_use(m);
	}
	path_put(&root);
	return err;
}

long sys_statmount(struct task *t, uaddr_t request, uaddr_t buf, size_t size,
		   unsigned int flags)
{
	struct linux_statmount s;
	struct linux_mnt_id_req r;
	struct text text = {.buf = NULL};
	char *page;
	int err;

	(void)t;
	if (flags)
		return -EINVAL;
	err = request_get(&r, request);
	if (err)
		return err;
	if (!user_range_ok(buf, size))
		return -EFAULT;
	if ((r.param & TEXTS) && size <= sizeof(s))
		return -EOVERFLOW;
	page = page_alloc(0);
	if (!page)
		return -ENOMEM;
	memset(&s, 0, sizeof(s));
	err = answer(&s, &r, &text, page);
	if (!err)
		err = copy_answer(&s, &text, buf, size);
	text_fini(&text);
	page_free(page, 0);
	return err;
}

/* ---- listmount ---- */

/* The ids of what is below a mount, after the last one. */
struct listing {
	struct path root;
	uint64_t last;
	size_t count;
	size_t room;
	uint64_t *ids;
	bool is_reverse;
};

/* mount_lock held. */
static int list_below(struct listing *l, uint64_t id)
{
	struct path top = l->root;
	struct list *pos;
	int err;

	if (id != LSMT_ROOT) {
		top.mount = find_by_id(id);
		if (!top.mount)
			return -ENOENT;
		top.dentry = top.mount->root;
		err = check_seen(top.mount, top.dentry, &l->root);
		if (err)
			return err;
	}
	pos = l->is_reverse ? mount_list.prev : mount_list.next;
	for (; pos != &mount_list && l->count < l->room;
	     pos = l->is_reverse ? pos->prev : pos->next) {
		const struct mount *m = list_entry(pos, struct mount, link);
		uint64_t own = unique_id(m);

		if (own == id ||
		    (l->last && (l->is_reverse ? own >= l->last : own <= l->last)))
			continue;
		if (mount_is_reachable(m, m->root, &top))
			l->ids[l->count++] = own;
	}
	return 0;
}

long sys_listmount(struct task *t, uaddr_t request, uaddr_t ids, size_t count,
		   unsigned int flags)
{
	struct linux_mnt_id_req r;
	struct listing l = {.is_reverse = flags & LISTMOUNT_REVERSE};
	int err;

	(void)t;
	if (flags & ~(unsigned int)LISTMOUNT_REVERSE)
		return -EINVAL;
	if (count > LISTMOUNT_MAX)
		return -EOVERFLOW;
	if (!user_range_ok(ids, count * sizeof(uint64_t)))
		return -EFAULT;
	err = request_get(&r, request);
	if (err)
		return err;
	if (r.param && r.param <= MOUNT_UNIQUE_FIRST)
		return -EINVAL;
	l.last = r.param;
	lock_take(&mount_lock);
	l.room = MIN(count, list_count(&mount_list) + LIST_SPARE);
	lock_drop(&mount_lock);
	l.ids = kmalloc((l.room + 1) * sizeof(uint64_t));
	if (!l.ids)
		return -ENOMEM;
	fs_context_root(current()->fs, &l.root);
	lock_take(&mount_lock);
	err = list_below(&l, r.mnt_id);
	lock_drop(&mount_lock);
	path_put(&l.root);
	if (!err && l.count)
		err = copy_to_user(ids, l.ids, l.count * sizeof(uint64_t));
	kfree(l.ids);
	return err ? err : (long)l.count;
}
