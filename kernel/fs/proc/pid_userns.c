/* SPDX-License-Identifier: MIT */
/* pid_userns.c - /proc/PID/uid_map, gid_map, projid_map and setgroups: of the user
 * namespace that the process is in when they are opened (user_namespaces(7)). */
#include "abi/capability.h"
#include "abi/errno.h"
#include "abi/sched.h"
#include "base/slab.h"
#include "fs/file.h"
#include "fs/proc/generated.h"
#include "fs/proc/internal.h"
#include "lib/string.h"
#include "process/task.h"
#include "process/user_ns.h"

#define SETGROUPS_MAX 7 /* bytes written at once */

/* The file holds it. */
static struct user_ns *ns_of(const struct file *f)
{
	uint64_t about = generated_about(f);

	return (struct user_ns *)about; // NOLINT(performance-no-int-to-ptr)
}

static int open_about(struct file *f, struct task *t, generated_show_t show)
{
	struct namespace *ns = task_namespace(t, CLONE_NEWUSER, false);
	int err = ns ? generated_open(f, show, NULL) : -ESRCH;

	if (err)
		namespace_put(ns);
	else
		generated_set_about(f, (uintptr_t)container_of(ns, struct user_ns, ns));
	return err;
}

static void userns_release(struct file *f)
{
	namespace_put(&ns_of(f)->ns);
	generated_release(f);
}

/* What is written, at once and with less than size bytes: with a NUL, to be freed. */
static int copy_in(struct uio *u, int64_t pos, size_t size, char **out)
{
	if (pos || u->left >= size)
		return -EINVAL;
	return uio_copy_in_text(u, u->left, out);
}

/* ---- maps ---- */

static enum id_kind kind_of(const struct file *f)
{
	switch (pid_inode_of(f->inode)->entry->name[0]) {
	case 'u':
		return ID_USER;
	case 'g':
		return ID_GROUP;
	default:
		return ID_PROJECT;
	}
}

/* The parent's ids are shown as the opener sees them, or who is in the namespace itself:
 * as the parent does. */
static int map_show(struct file *f, struct text *out)
{
	const struct user_ns *ns = ns_of(f);
	const struct user_ns *lower = f->creds->user_ns;
	enum id_kind kind = kind_of(f);
	struct id_extent e;

	if (lower == ns && user_ns_parent(ns))
		lower = user_ns_parent(ns);
	for (uint32_t i = 0; i < id_map_extent(ns, kind, i, &e); i++)
		text_printf(out, "%10u %10u %10u\n", e.first,
			    id_from_kernel(lower, kind, e.kernel), e.count);
	return 0;
}

static ssize_t map_write(struct file *f, struct uio *u, int64_t *pos)
{
	const struct user_ns *opener = f->creds->user_ns;
	struct user_ns *ns = ns_of(f);
	size_t size = u->left;
	char *data;
	int err;

	if (!user_ns_parent(ns) || (opener != ns && opener != user_ns_parent(ns)))
		return -EPERM;
	err = copy_in(u, *pos, PAGE_SIZE, &data);
	if (err)
		return err;
	err = id_map_set(ns, kind_of(f), f->creds, data);
	kfree(data);
	if (err)
		return err;
	*pos = (int64_t)size;
	return (ssize_t)size;
}

int pid_open_id_map(struct file *f, struct task *t)
{
	return open_about(f, t, map_show);
}

const struct file_ops pid_id_map_ops = {
	.read = generated_read,
	.write = map_write,
	.lseek = generated_lseek,
	.release = userns_release,
	.no_splice = true,
};

/* ---- setgroups ---- */

static int setgroups_show(struct file *f, struct text *out)
{
	text_puts(out, atomic_load(&ns_of(f)->may_setgroups) ? "allow\n" : "deny\n");
	return 0;
}

static int setgroups_parse(const char *data, bool *may)
{
	*may = string_starts_with(data, "allow");
	if (!*may && !string_starts_with(data, "deny"))
		return -EINVAL;
	for (data += strlen(*may ? "allow" : "deny"); *data; data++)
		if (*data != ' ' && (*data < '\t' || *data > '\r'))
			return -EINVAL;
	return 0;
}

static ssize_t setgroups_write(struct file *f, struct uio *u, int64_t *pos)
{
	size_t size = u->left;
	char *data;
	bool may;
	int err = copy_in(u, *pos, SETGROUPS_MAX + 1, &data);

	if (err)
		return err;
	err = setgroups_parse(data, &may);
	if (!err)
		err = user_ns_set_setgroups(ns_of(f), may);
	kfree(data);
	if (err)
		return err;
	*pos = (int64_t)size;
	return (ssize_t)size;
}

int pid_open_setgroups(struct file *f, struct task *t)
{
	int err = open_about(f, t, setgroups_show);

	if (!err && (f->mode & FMODE_WRITE) && !ns_capable(ns_of(f), CAP_SYS_ADMIN)) {
		userns_release(f);
		err = -EACCES;
	}
	return err;
}

const struct file_ops pid_setgroups_ops = {
	.read = generated_read,
	.write = setgroups_write,
	.lseek = generated_lseek,
	.release = userns_release,
	.no_splice = true,
};
