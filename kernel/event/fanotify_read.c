/* SPDX-License-Identifier: MIT */
/* fanotify_read.c - events as read(2) hands them out: a head, with a descriptor of the
 * file or without, then records of handles, names and so on.
 *
 * An event about a file removed from a host directory meanwhile, which cannot be opened
 * again, is left out. */
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "event/fanotify.h"
#include "event/notify_read.h"
#include "event/pidfd.h"
#include "fs/fdtable.h"
#include "fs/file.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "process/task.h"

#define RECORD_ALIGN 4UL

enum {
	RECORDS_MAX =
		3 * (sizeof(struct linux_fanotify_fid) + sizeof(struct handle_id)) +
		2 * (NAME_MAX + 1 + RECORD_ALIGN) + sizeof(struct linux_fanotify_pidfd) +
		sizeof(struct linux_fanotify_range) + sizeof(struct linux_fanotify_mnt),
};

/* An event as the reader gets it. */
struct answer {
	struct linux_fanotify_event head;
	size_t size; /* of records */
	struct file *file;
	struct file *pidfd_file;
	int fd;
	int pidfd;
	char records[RECORDS_MAX];
};

/* ---- records ---- */

static void put(struct answer *a, const void *data, size_t size)
{
	memcpy(a->records + a->size, data, size);
	a->size += size;
}

static void put_fid(struct answer *a, uint8_t type, const struct fanotify_event *e,
		    const struct handle_id *id, const char *name, size_t name_len)
{
	size_t size = sizeof(struct linux_fanotify_fid) + sizeof(*id) +
		      (name_len ? name_len + 1 : 0);
	size_t end = a->size + ALIGN_UP(size, RECORD_ALIGN);
	struct linux_fanotify_fid head = {
		.hdr = {.info_type = type, .len = (uint16_t)(end - a->size)},
		.fsid = {e->fsid[0], e->fsid[1]},
		.handle_bytes = sizeof(*id),
		.handle_type = HANDLE_TYPE,
	};

	put(a, &head, sizeof(head));
	put(a, id, sizeof(*id));
	put(a, name, name_len);
	memset(a->records + a->size, 0, end - a->size);
	a->size = end;
}

/* What it happened to. A directory without a name of its own is called ".". */
static void put_object(struct answer *a, uint32_t ids, const struct fanotify_event *e)
{
	bool is_alone = ids != FAN_REPORT_FID && !e->has_dir && !e->has_new_dir;
	bool is_dir = e->mask & FAN_ONDIR;

	if (is_alone && is_dir && (ids & FAN_REPORT_NAME))
		put_fid(a, FAN_INFO_DFID_NAME, e, &e->object, ".", 1);
	else if (is_alone && (is_dir || (e->mask & FS_NAME_EVENTS)))
		put_fid(a, FAN_INFO_DFID, e, &e->object, NULL, 0);
	else
		put_fid(a, FAN_INFO_FID, e, &e->object, NULL, 0);
}

static void records_make(struct answer *a, const struct fanotify *g,
			 const struct fanotify_event *e)
{
	struct linux_fanotify_pidfd pidfd = {
		.hdr = {.info_type = FAN_INFO_PIDFD, .len = sizeof(pidfd)}};
	struct linux_fanotify_range range = {
		.hdr = {.info_type = FAN_INFO_RANGE, .len = sizeof(range)},
		.offset = e->range.off,
		.count = e->range.size};
	struct linux_fanotify_mnt mnt = {
		.hdr = {.info_type = FAN_INFO_MNT, .len = sizeof(mnt)},
		.mnt_id = e->mount_id};

	a->size = 0;
	if (e->has_dir)
		put_fid(a,
			e->mask & FAN_RENAME ? FAN_INFO_OLD_DFID_NAME
			: e->name_len	     ? FAN_INFO_DFID_NAME
					     : FAN_INFO_DFID,
			e, &e->dir, e->names, e->name_len);
	if (e->has_new_dir)
		put_fid(a, FAN_INFO_NEW_DFID_NAME, e, &e->new_dir,
			e->names + e->name_len + 1, e->new_name_len);
	if (e->has_object)
		put_object(a, g->flags & FANOTIFY_FIDS, e);
	if (g->flags & FAN_REPORT_PIDFD) {
		pidfd.pidfd = a->pidfd;
		put(a, &pidfd, sizeof(pidfd));
	}
	if (e->has_range)
		put(a, &range, sizeof(range));
	if (e->mask & FS_MOUNT_EVENTS)
		put(a, &mnt, sizeof(mnt));
}

/* ---- descriptors ---- */

/* Of what the event is about: or -errno. */
static int file_get_ready(struct answer *a, const struct fanotify *g,
			  const struct fanotify_event *e)
{
	int fd;
	int err;

	if (!e->path.dentry || (g->flags & FANOTIFY_UNPRIVILEGED))
		return -EBADF;
	fd = fd_reserve(g->event_flags & O_CLOEXEC);
	if (fd < 0)
		return fd;
	err = file_open_quiet(&e->path, g->event_flags & ~(uint32_t)O_CLOEXEC, &a->file);
	if (!err)
		return fd;
	fd_unreserve(fd);
	return err;
}

static int pidfd_get_ready(struct answer *a, const struct fanotify_event *e)
{
	int fd;
	int err;

	if (!e->process || atomic_load(&e->process->state) == PROCESS_REAPED)
		return -ESRCH;
	fd = fd_reserve(O_CLOEXEC);
	if (fd < 0)
		return fd;
	err = pidfd_file_create(e->process, 0, &a->pidfd_file);
	if (!err)
		return fd;
	fd_unreserve(fd);
	return err;
}

/* They are there for all to see, or not at all. */
static void descriptors_end(struct answer *a, bool is_good)
{
	if (a->file && is_good)
		fd_fill(a->fd, a->file);
	else if (a->file)
		fd_unreserve(a->fd), file_put(a->file);
	if (a->pidfd_file && is_good)
		fd_fill(a->pidfd, a->pidfd_file);
	else if (a->pidfd_file)
		fd_unreserve(a->pidfd), file_put(a->pidfd_file);
}

/* ---- reading ---- */

/* Which process did it is nobody's affair but its own, without privilege. */
static pid_t pid_shown(const struct fanotify *g, const struct fanotify_event *e)
{
	if ((g->flags & FANOTIFY_UNPRIVILEGED) && current()->process->pid != e->pid)
		return 0;
	return e->pid;
}

/* Fills *a, all but the records. */
static int answer_make(struct answer *a, const struct fanotify *g,
		       const struct fanotify_event *e)
{
	bool says_why = g->flags & FAN_REPORT_FD_ERROR;

	a->head = (struct linux_fanotify_event){
		.vers = FAN_METADATA_VERSION,
		.metadata_len = sizeof(a->head),
		.mask = e->mask & ~(uint32_t)FAN_EVENT_ON_CHILD,
		.pid = pid_shown(g, e),
	};
	a->fd = file_get_ready(a, g, e);
	if (a->fd < 0 && e->path.dentry && !says_why)
		return a->fd;
	a->head.fd = a->fd >= 0 || says_why ? a->fd : FAN_NOFD;
	if (!(g->flags & FAN_REPORT_PIDFD))
		return 0;
	a->pidfd = pidfd_get_ready(a, e);
	if (a->pidfd < 0 && !says_why)
		a->pidfd = a->pidfd == -ESRCH ? FAN_NOPIDFD : FAN_EPIDFD;
	return 0;
}

/* Hands e out, a and its descriptors with it. 0 or -errno: *fd is set anyway. */
static int event_copy_out(const struct fanotify *g, struct uio *u,
			  const struct fanotify_event *e, int *fd)
{
	struct answer a = {.size = 0};
	int err = answer_make(&a, g, e);

	*fd = a.fd;
	if (err)
		return err;
	records_make(&a, g, e);
	a.head.event_len = (uint32_t)(sizeof(a.head) + a.size);
	if (uio_copy_out(u, &a.head, sizeof(a.head)) != sizeof(a.head) ||
	    uio_copy_out(u, a.records, a.size) != a.size)
		err = -EFAULT;
	descriptors_end(&a, !err);
	return err;
}

static size_t event_size(const struct fanotify *g, const struct fanotify_event *e)
{
	struct answer a = {.size = 0};

	records_make(&a, g, e);
	return sizeof(a.head) + a.size;
}

static int next_locked(void *group, const struct uio *u, void **out)
{
	struct fanotify *g = group;
	struct fanotify_event *e =
		list_first_entry(&g->events, struct fanotify_event, link);

	*out = NULL;
	if (!e)
		return 0;
	if (event_size(g, e) > u->left)
		return -EINVAL;
	fanotify_unqueue_locked(g, e);
	if (e->group)
		e->state = FANOTIFY_TOLD;
	*out = e;
	return 0;
}

static void overflow_done(struct fanotify *g, struct fanotify_event *e)
{
	lock_take(&g->lock);
	g->overflow = e;
	lock_drop(&g->lock);
}

static int hand_out(void *group, struct uio *u, void *event)
{
	struct fanotify *g = group;
	struct fanotify_event *e = event;
	bool is_question = e->group != NULL;
	int fd;
	int err = event_copy_out(g, u, e, &fd);

	if (is_question)
		fanotify_told(g, e, fd, err);
	else if (e->mask == FAN_Q_OVERFLOW)
		overflow_done(g, e);
	else
		fanotify_event_free(e);
	return err == -ESTALE ? 0 : err;
}

ssize_t fanotify_read(struct file *f, struct uio *u, int64_t *pos)
{
	struct fanotify *g = f->private;
	const struct notify_queue q = {&g->lock, &g->readable, next_locked, hand_out};

	(void)pos;
	return notify_read(f, u, &q);
}
