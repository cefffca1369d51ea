/* SPDX-License-Identifier: MIT */
/* lease.c - leases: see lease.h.
 *
 * A read lease stands while nobody has the file open for writing, a write lease while
 * nobody else has it open at all. An open that breaks this counts as open first
 * (inode->writers, readers), then looks for leases, while a lease is put on the list
 * before it looks at the counts: one of the two sees the other.
 *
 * Linux does not break leases for unlink, rename or chmod, nor for ftruncate.
 *
 * One lock (leases_lock, RANK_FLOCK) guards all leases of the sandbox. Who waits for a
 * break sleeps on the inode's queue until the holder has gone down, or its time is up. */
#include "fs/lease.h"

#include "abi/capability.h"
#include "abi/errno.h"
#include "abi/stat.h"
#include "base/lock.h"
#include "base/slab.h"
#include "base/waitq.h"
#include "fs/file.h"
#include "fs/sigio.h"
#include "fs/vfs.h"
#include "lib/atomic.h"
#include "lib/list.h"
#include "lib/printf.h"
#include "process/creds.h"
#include "process/task.h"
#include "time/clock.h"

struct lease {
	struct list link;  /* lease_state.leases */
	struct file *file; /* borrowed: it takes the lease along when it goes */
	int fd;		   /* si_fd */
	int type;	   /* F_RDLCK, F_WRLCK */
	bool must_unlock;  /* a writer waits */
	bool must_go_down; /* a reader waits for a write lease */
	nsec_t unlock_at;  /* NSEC_NEVER: when the holder likes */
	nsec_t go_down_at; /* the same */
	pid_t pid;
};

struct lease_state {
	struct list leases;
	struct waitq changed; /* woken when a lease has gone or gone down */
	struct inode *inode;  /* borrowed */
	struct list link;     /* all_states */
};

int lease_enabled = 1;
int lease_break_seconds = 45;

static struct lock leases_lock = LOCK_INIT(RANK_FLOCK);
static struct list all_states = LIST_INIT(all_states); /* leases_lock */

static struct lease_state *state_get(struct inode *inode)
{
	struct lease_state *s = atomic_load(&inode->leases);

	if (s)
		return s;
	s = kmalloc(sizeof(*s));
	if (!s)
		return NULL;
	list_init(&s->leases);
	waitq_init(&s->changed);
	s->inode = inode;
	lock_take(&leases_lock);
	if (inode->leases) {
		kfree(s);
		s = inode->leases;
	} else {
		list_add_tail(&all_states, &s->link);
		atomic_store(&inode->leases, s);
	}
	lock_drop(&leases_lock);
	return s;
}

void lease_state_destroy(struct lease_state *s)
{
	if (!s)
		return;
	lock_take(&leases_lock);
	list_remove(&s->link);
	lock_drop(&leases_lock);
	kfree(s);
}

/* ---- one lease: leases_lock held ---- */

static struct lease *find(struct lease_state *s, const struct file *f)
{
	struct list *pos;

	list_for_each (pos, &s->leases) {
		struct lease *l = list_entry(pos, struct lease, link);

		if (l->file == f)
			return l;
	}
	return NULL;
}

static int target_type(const struct lease *l)
{
	if (l->must_unlock)
		return F_UNLCK;
	return l->must_go_down ? F_RDLCK : l->type;
}

/* With F_UNLCK the lease is gone afterwards. */
static void change(struct lease_state *s, struct lease *l, int type)
{
	if (type == F_UNLCK) {
		file_owner_clear(l->file);
		list_remove(&l->link);
		kfree(l);
	} else {
		l->type = type;
		if (type == F_RDLCK) {
			l->must_go_down = false;
			l->go_down_at = NSEC_NEVER;
		}
	}
	waitq_wake_all(&s->changed, 0);
}

/* Takes away what should have been given back by now. */
static void expire(struct lease_state *s)
{
	nsec_t now = clock_now(CLOCK_MONOTONIC);
	struct list *pos;
	struct list *after;

	list_for_each_safe(pos, after, &s->leases)
	{
		struct lease *l = list_entry(pos, struct lease, link);

		if (l->must_unlock && l->unlock_at <= now)
			change(s, l, F_UNLCK);
		else if (l->must_go_down && l->go_down_at <= now)
			change(s, l, F_RDLCK);
	}
}

/* ---- taking ---- */

/* Is the file open in a way that forbids the lease? */
static bool is_open_otherwise(const struct file *f, int type)
{
	int writers = atomic_load(&f->inode->writers);
	int readers = atomic_load(&f->inode->readers);

	if (type == F_RDLCK)
		return writers > 0;
	return writers != !!(f->mode & FMODE_WRITER) ||
	       readers != !!(f->mode & FMODE_READER);
}

static int add_locked(struct lease_state *s, struct file *f, int type,
		      struct lease **fresh)
{
	struct lease *mine = NULL;
	struct list *pos;

	expire(s);
	if (is_open_otherwise(f, type))
		return -EAGAIN;
	list_for_each (pos, &s->leases) {
		struct lease *l = list_entry(pos, struct lease, link);

		if (l->file == f)
			mine = l;
		else if (type == F_WRLCK || l->must_unlock)
			return -EAGAIN;
	}
	if (mine) {
		change(s, mine, type);
		return 0;
	}
	if (!atomic_load_relaxed(&lease_enabled))
		return -EINVAL;
	list_add_tail(&s->leases, &(*fresh)->link);
	atomic_fence();
	if (is_open_otherwise(f, type)) { /* meanwhile */
		list_remove(&(*fresh)->link);
		return -EAGAIN;
	}
	*fresh = NULL;
	return 0;
}

static int add(struct file *f, int fd, int type)
{
	struct lease_state *s = state_get(f->inode);
	struct lease *fresh = kmalloc(sizeof(*fresh));
	int err = -ENOMEM;

	if (s && fresh) {
		*fresh = (struct lease){.file = f,
					.fd = fd,
					.type = type,
					.unlock_at = NSEC_NEVER,
					.go_down_at = NSEC_NEVER,
					.pid = current()->process->pid};
		list_init(&fresh->link);
		lock_take(&leases_lock);
		err = add_locked(s, f, type, &fresh);
		if (!err)
			file_owner_default(f);
		lock_drop(&leases_lock);
	}
	kfree(fresh);
	return err;
}

static int drop(struct file *f)
{
	struct lease_state *s = atomic_load(&f->inode->leases);
	struct lease *l = NULL;

	if (!s)
		return -EAGAIN;
	lock_take(&leases_lock);
	l = find(s, f);
	if (l)
		change(s, l, F_UNLCK);
	lock_drop(&leases_lock);
	return l ? 0 : -EAGAIN;
}

int lease_set(struct file *f, int fd, int type)
{
	if (type == F_UNLCK)
		return drop(f);
	if (type != F_RDLCK && type != F_WRLCK)
		return -EINVAL;
	if (current_creds()->fsuid != f->inode->uid && !capable(CAP_LEASE))
		return -EACCES;
	if (!S_ISREG(f->inode->mode))
		return -EINVAL;
	return add(f, fd, type);
}

int lease_get(struct file *f)
{
	struct lease_state *s = atomic_load(&f->inode->leases);
	int type = F_UNLCK;
	struct lease *l;

	if (!s)
		return F_UNLCK;
	lock_take(&leases_lock);
	expire(s);
	l = find(s, f);
	if (l)
		type = target_type(l);
	lock_drop(&leases_lock);
	return type;
}

void lease_release(struct file *f)
{
	(void)!drop(f);
}

/* ---- breaking ---- */

static bool is_in_the_way(const struct lease *l, bool want_write)
{
	return want_write || l->type == F_WRLCK;
}

/* Tells the holders that have not been told. True if there is somebody to wait for;
 * *until is when the first of them must be done. */
static bool tell(struct lease_state *s, bool want_write, nsec_t *until)
{
	int seconds = atomic_load_relaxed(&lease_break_seconds);
	nsec_t limit = NSEC_NEVER;
	struct list *pos;
	bool any = false;

	if (seconds > 0)
		limit = clock_now(CLOCK_MONOTONIC) + seconds * NSEC_PER_SEC;
	*until = NSEC_NEVER;
	list_for_each (pos, &s->leases) {
		struct lease *l = list_entry(pos, struct lease, link);
		bool is_news = false;

		if (!is_in_the_way(l, want_write))
			continue;
		if (want_write && !l->must_unlock) {
			l->must_unlock = true;
			l->unlock_at = limit;
			is_news = true;
		} else if (!want_write && !l->must_unlock && !l->must_go_down) {
			l->must_go_down = true;
			l->go_down_at = limit;
			is_news = true;
		}
		if (is_news)
			file_send_lease_break(l->file, l->fd);
		*until = MIN(*until, MIN(l->unlock_at, l->go_down_at));
		any = true;
	}
	return any;
}

int lease_break(struct inode *inode, uint32_t flags)
{
	struct lease_state *s = atomic_load(&inode->leases);
	bool want_write = (flags & O_ACCMODE) != O_RDONLY;
	nsec_t until;
	int err = 0;

	lock_take(&leases_lock);
	expire(s);
	while (!err && tell(s, want_write, &until)) {
		if (flags & O_NONBLOCK) {
			err = -EAGAIN;
			break;
		}
		err = waitq_sleep(&s->changed, &leases_lock, until);
		if (err == -ETIMEDOUT) {
			expire(s);
			err = 0;
		}
	}
	lock_drop(&leases_lock);
	return err;
}

/* ---- /proc/locks ---- */

size_t lease_show(char *buf, size_t size, int *number)
{
	struct list *state;
	struct list *pos;
	size_t at = 0;

	lock_take(&leases_lock);
	list_for_each (state, &all_states) {
		struct lease_state *s = list_entry(state, struct lease_state, link);
		uint64_t dev = s->inode->sb->dev;

		list_for_each (pos, &s->leases) {
			struct lease *l = list_entry(pos, struct lease, link);
			bool breaking = l->must_unlock || l->must_go_down;
			static const char *const types[] = {"READ ", "WRITE", "UNLCK"};

			at += scnprintf(buf + at, size - at,
					"%d: LEASE  %s %s %d %02x:%02x:%lu 0 EOF\n",
					(*number)++, breaking ? "BREAKING " : "ACTIVE   ",
					types[target_type(l)], l->pid, LINUX_MAJOR(dev),
					LINUX_MINOR(dev), (unsigned long)s->inode->ino);
		}
	}
	lock_drop(&leases_lock);
	return at;
}
