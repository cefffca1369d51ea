/* SPDX-License-Identifier: MIT */
/* file_lock_host.c - locks on files that other programs of the host use too.
 *
 * To the host the sandbox is one owner: for each file one open file description holds
 * what all in here have together, ranges as OFD locks, flocks on another. Who in here may
 * have what is decided here first; then the host is asked, without waiting, under
 * locks_lock. So a lock is the host's as long as anybody here has it, and what one of us
 * gives up stays locked for the rest.
 *
 * Who must wait for another program asks again and again, at growing intervals: a wait in
 * the host would be one of the description, and what it ends with would replace what
 * others of us have got meanwhile. */
#include "abi/errno.h"
#include "fs/file.h"
#include "fs/file_lock_internal.h"
#include "fs/vfs.h"
#include "host/host.h"

/* ---- descriptors ---- */

/* The host's own descriptor of f, or -errno. */
static int file_fd(struct file *f)
{
	return f->ops && f->ops->host_lock_fd ? f->ops->host_lock_fd(f) : -EOPNOTSUPP;
}

/* A new one for what want asks; f's own serves where the file cannot be opened again. */
static int open_for(struct file *f, const struct file_lock *want, uint32_t *can)
{
	bool writes = want->kind != KIND_FLOCK && (f->mode & FMODE_WRITE);
	int fd;

	*can = FMODE_READ | (writes ? (uint32_t)FMODE_WRITE : 0);
	fd = f->inode->ops->lock_open(f->inode, writes ? O_RDWR : O_RDONLY);
	if (fd != -EACCES && fd != -ESTALE && fd != -EPERM && fd != -EROFS &&
	    fd != -ETXTBSY)
		return fd;
	*can = f->mode & (FMODE_READ | FMODE_WRITE);
	fd = file_fd(f);
	return fd < 0 ? fd : host_dup(fd);
}

static int set_range(int fd, int type, int64_t start, int64_t end)
{
	struct linux_flock l = {
		.l_type = (int16_t)type,
		.l_whence = SEEK_SET,
		.l_start = start,
		.l_len = end == INT64_MAX ? 0 : end - start + 1,
	};

	return host_fcntl_lock(fd, F_OFD_SETLK, &l);
}

/* fd takes over what the older one holds, which was not open for writing: read locks. */
static int take_over_locked(struct file_lock_state *s, int fd) REQUIRES(&locks_lock)
{
	struct list *pos;
	int err = 0;

	list_for_each (pos, &s->locks) {
		struct file_lock *l = list_entry(pos, struct file_lock, link);

		if (l->kind != KIND_FLOCK && !err)
			err = set_range(fd, l->type, l->start, l->end);
	}
	return err;
}

static uint32_t needed(const struct file_lock *want)
{
	return want->type == F_WRLCK ? FMODE_WRITE : FMODE_READ;
}

static bool is_ready_locked(const struct file_lock_state *s, const struct file_lock *want)
{
	if (want->kind == KIND_FLOCK)
		return s->host.flock_fd >= 0;
	return s->host.fd >= 0 && (s->host.can & needed(want));
}

/* Returns the descriptor that is no longer needed, or -1. */
static int install_locked(struct file_lock_state *s, const struct file_lock *want, int fd,
			  uint32_t can) REQUIRES(&locks_lock)
{
	int old = s->host.fd;

	if (is_ready_locked(s, want))
		return fd;
	if (want->kind == KIND_FLOCK) {
		s->host.flock_fd = fd;
		s->host.flock_type = F_UNLCK;
		return -1;
	}
	/* What has write locks cannot be exchanged: they would be free for a moment. */
	if (old >= 0 && ((s->host.can & ~can) || take_over_locked(s, fd)))
		return fd;
	s->host.fd = fd;
	s->host.can = can;
	return old;
}

int host_locks_begin(struct file_lock_state *s, struct file *f,
		     const struct file_lock *want)
{
	uint32_t can = 0;
	bool is_ready;
	int fd;

	lock_take(&locks_lock);
	s->host.users++;
	is_ready = is_ready_locked(s, want);
	lock_drop(&locks_lock);
	if (is_ready || want->type == F_UNLCK || !f->inode->ops->lock_open)
		return 0;
	fd = open_for(f, want, &can);
	if (fd >= 0) {
		lock_take(&locks_lock);
		fd = install_locked(s, want, fd, can);
		lock_drop(&locks_lock);
		if (fd >= 0)
			(void)host_close(fd);
		return 0;
	}
	/* Files that are nobody else's, or that cannot be reached any more: ours alone.
	 */
	return fd == -EMFILE || fd == -ENFILE || fd == -ENOMEM ? -ENOLCK : 0;
}

static bool has_kind_locked(const struct file_lock_state *s, bool flocks)
	REQUIRES(&locks_lock)
{
	struct list *pos;

	list_for_each (pos, &s->locks)
		if ((list_entry(pos, struct file_lock, link)->kind == KIND_FLOCK) ==
		    flocks)
			return true;
	return false;
}

static void close_unused_locked(struct file_lock_state *s) REQUIRES(&locks_lock)
{
	if (s->host.users)
		return;
	if (s->host.fd >= 0 && !has_kind_locked(s, false)) {
		(void)host_close(s->host.fd);
		s->host.fd = -1;
	}
	if (s->host.flock_fd >= 0 && !has_kind_locked(s, true)) {
		(void)host_close(s->host.flock_fd);
		s->host.flock_fd = -1;
	}
}

void host_locks_end_locked(struct file_lock_state *s)
{
	s->host.users--;
	close_unused_locked(s);
}

/* ---- locking ---- */

/* The host's file system may not have such locks: then they are ours alone. */
static int outcome(int err)
{
	switch (err) {
	case -EACCES:
		return -EAGAIN;
	case -EOPNOTSUPP:
	case -ENOSYS:
	case -EINVAL:
	case -EBADF:
		return 0;
	default:
		return err;
	}
}

static int take_flock_locked(struct file_lock_state *s, int type) REQUIRES(&locks_lock)
{
	int err;

	if (s->host.flock_fd < 0 || s->host.flock_type == type)
		return 0;
	err = host_flock(s->host.flock_fd,
			 (type == F_WRLCK ? LOCK_EX : LOCK_SH) | LOCK_NB);
	if (!err)
		s->host.flock_type = type;
	return outcome(err);
}

int host_locks_take_locked(struct file_lock_state *s, const struct file_lock *want)
{
	if (want->kind == KIND_FLOCK)
		return take_flock_locked(s, want->type);
	if (s->host.fd < 0 || !(s->host.can & needed(want)))
		return 0;
	return outcome(set_range(s->host.fd, want->type, want->start, want->end));
}

/* What all of us have at byte at, and the last byte before end up to which that is so. */
static int type_at_locked(const struct file_lock_state *s, int64_t at, int64_t *end)
	REQUIRES(&locks_lock)
{
	int type = F_UNLCK;
	struct list *pos;

	list_for_each (pos, &s->locks) {
		const struct file_lock *l = list_entry(pos, struct file_lock, link);

		if (l->kind == KIND_FLOCK || l->end < at)
			continue;
		if (l->start > at) {
			*end = MIN(*end, l->start - 1);
			continue;
		}
		*end = MIN(*end, l->end);
		if (type != F_WRLCK)
			type = l->type;
	}
	return type;
}

static void drop_flock_locked(struct file_lock_state *s) REQUIRES(&locks_lock)
{
	if (s->host.flock_fd < 0 || s->host.flock_type == F_UNLCK ||
	    has_kind_locked(s, true))
		return; /* the rest share it: it is a read lock already */
	(void)host_flock(s->host.flock_fd, LOCK_UN);
	s->host.flock_type = F_UNLCK;
}

void host_locks_drop_locked(struct file_lock_state *s, const struct file_lock *was)
{
	int64_t at = was->start;

	if (was->kind == KIND_FLOCK)
		drop_flock_locked(s);
	while (was->kind != KIND_FLOCK && s->host.fd >= 0) {
		int64_t end = was->end;
		int type = type_at_locked(s, at, &end);

		(void)set_range(s->host.fd, type, at, end);
		if (end >= was->end)
			break;
		at = end + 1;
	}
	close_unused_locked(s);
}

void host_locks_query(struct file_lock_state *s, struct file *f,
		      const struct file_lock *want, struct linux_flock *out)
{
	struct linux_flock l = {
		.l_type = (int16_t)want->type,
		.l_whence = SEEK_SET,
		.l_start = want->start,
		.l_len = want->end == INT64_MAX ? 0 : want->end - want->start + 1,
	};
	int fd = -1;
	int err = -EOPNOTSUPP;

	if (!f->inode->ops->lock_open || want->type == F_UNLCK)
		return;
	lock_take(&locks_lock);
	if (s)
		fd = s->host.fd;
	if (fd >= 0)
		err = host_fcntl_lock(fd, F_OFD_GETLK, &l);
	lock_drop(&locks_lock);
	if (fd < 0) {
		fd = file_fd(f);
		if (fd >= 0)
			err = host_fcntl_lock(fd, F_OFD_GETLK, &l);
	}
	if (err || (l.l_type != F_RDLCK && l.l_type != F_WRLCK))
		return;
	*out = l;
	/* As Linux says it of a process that one's own pid namespace does not have. */
	out->l_pid = l.l_pid < 0 ? -1 : 0;
}
