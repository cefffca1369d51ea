/* SPDX-License-Identifier: MIT */
/* hostio.c - files on the caller's own descriptors. Terminals' requests are in
 * hostio_tty.c. */
#include "fs/dev/hostio.h"

#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/ioctl.h"
#include "abi/signal.h"
#include "abi/stat.h"
#include "base/claim.h"
#include "base/slab.h"
#include "base/waitq.h"
#include "fs/dev/hostio_internal.h"
#include "fs/dev/internal.h"
#include "fs/dev/tty.h"
#include "fs/file.h"
#include "fs/mount.h"
#include "fs/path.h"
#include "fs/sigio.h"
#include "fs/vfs.h"
#include "host/host.h"
#include "lib/atomic.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/usercopy.h"
#include "process/creds.h"
#include "process/task.h"
#include "signal/signal.h"

enum {
	VEC = 16,
	/* What a host pipe that is ready takes in one write without blocking (pipe(7)).
	 */
	NONBLOCK_SIZE = PIPE_BUF,
};

static struct superblock *hostio_sb;
int (*hostio_async_hook)(struct file *f, bool on);
void (*hostio_release_hook)(struct file *f);

struct hostio *hostio_create(int host_fd)
{
	struct hostio *io = kmalloc_zeroed(sizeof(*io));

	if (!io)
		return NULL;
	ref_init(&io->refs);
	io->fd = host_fd;
	lock_init(&io->lock, RANK_OBJECT);
	waitq_init(&io->next[0]);
	waitq_init(&io->next[1]);
	return io;
}

void hostio_put(struct hostio *io)
{
	if (!io || !ref_put(&io->refs))
		return;
	if (io->fd >= 0)
		(void)host_close(io->fd);
	kfree(io);
}

/* ---- reading and writing ---- */

/* Waits, or not, until the host says that events are there: 0, -EAGAIN, -ERESTARTSYS. */
static int wait_ready(const struct hostio *io, short events, bool may_block)
{
	struct linux_pollfd pfd = {.fd = io->fd, .events = events};
	long ready;

	if (may_block)
		sleepers_rouse();
	ready = host_poll(&pfd, 1, may_block ? NSEC_NEVER : 0);
	if (ready < 0)
		return ready == -EINTR ? -ERESTARTSYS : (int)ready;
	return ready ? 0 : -EAGAIN;
}

static ssize_t transfer(struct hostio *io, struct uio *u, size_t size, int64_t pos,
			bool is_write)
{
	struct linux_iovec vec[VEC];
	int count = uio_host_vec(u, vec, VEC, size);
	long done;

	if (io->is_seekable && pos < 0) /* not as streams do, which wait */
		done = is_write ? host_writev(io->fd, vec, count)
				: host_readv(io->fd, vec, count);
	else
		done = is_write ? host_pwritev(io->fd, vec, count, pos)
				: host_preadv(io->fd, vec, count, pos);
	if (done > 0)
		uio_advance(u, MIN((size_t)done, u->left));
	return done == -EINTR ? -ERESTARTSYS : done;
}

/* Of who has the turn, or sleeps in the host. */
struct hostio_claim {
	struct claim claim;
	struct hostio *io;
	bool is_write;
};

static void turn_abandon(struct claim *claim)
{
	struct hostio_claim *c = container_of(claim, struct hostio_claim, claim);
	struct hostio *io = c->io;

	lock_take(&io->lock);
	io->is_in_turn[c->is_write] = false;
	lock_drop(&io->lock);
	waitq_wake_all(&io->next[c->is_write], 0);
}

/* *has_sleepers: some were there before. */
static int turn_take(struct hostio_claim *c, bool *has_sleepers)
{
	struct hostio *io = c->io;
	int err = 0;

	lock_take(&io->lock);
	while (io->is_in_turn[c->is_write] && !err)
		err = waitq_sleep(&io->next[c->is_write], &io->lock, NSEC_NEVER);
	if (!io->is_in_turn[c->is_write]) {
		io->is_in_turn[c->is_write] = true;
		claim_begin(&c->claim, turn_abandon);
		err = 0;
	}
	*has_sleepers = io->sleeping[c->is_write] > 0;
	lock_drop(&io->lock);
	return err;
}

static void turn_end(struct hostio_claim *c)
{
	struct hostio *io = c->io;

	lock_take(&io->lock);
	io->is_in_turn[c->is_write] = false;
	claim_end(&c->claim);
	/* With the lock: nobody would do it for one who is killed before. */
	waitq_wake_all(&io->next[c->is_write], 0);
	lock_drop(&io->lock);
}

/* The host's descriptor may block: it is asked before, and nobody else of ours may take
 * what it has promised. -EAGAIN: it is not ready. */
static ssize_t transfer_in_turn(struct hostio *io, struct uio *u, bool is_write)
{
	struct hostio_claim turn = {.io = io, .is_write = is_write};
	bool has_sleepers;
	ssize_t done = turn_take(&turn, &has_sleepers);

	if (done)
		return done;
	done = -EAGAIN;
	if (!has_sleepers)
		done = wait_ready(io, is_write ? POLLOUT : POLLIN, false);
	if (!done)
		done = transfer(io, u, is_write ? NONBLOCK_SIZE : u->left, -1, is_write);
	turn_end(&turn);
	return done;
}

static void sleep_abandon(struct claim *claim)
{
	struct hostio_claim *c = container_of(claim, struct hostio_claim, claim);

	lock_take(&c->io->lock);
	c->io->sleeping[c->is_write]--;
	lock_drop(&c->io->lock);
}

/* False: turns are taken. */
static bool sleep_begin(struct hostio_claim *c)
{
	struct hostio *io = c->io;
	bool may;

	lock_take(&io->lock);
	may = !atomic_load(&io->takes_turns[c->is_write]);
	if (may) {
		io->sleeping[c->is_write]++;
		claim_begin(&c->claim, sleep_abandon);
	}
	lock_drop(&io->lock);
	return may;
}

static void sleep_end(struct hostio_claim *c)
{
	lock_take(&c->io->lock);
	c->io->sleeping[c->is_write]--;
	claim_end(&c->claim);
	lock_drop(&c->io->lock);
}

static ssize_t transfer_sleeping(struct hostio *io, struct uio *u, bool is_write)
{
	struct hostio_claim c = {.io = io, .is_write = is_write};
	ssize_t done;

	if (!sleep_begin(&c))
		return -EAGAIN;
	done = transfer(io, u, u->left, -1, is_write);
	sleep_end(&c);
	return done;
}

/* One call to the host; its descriptor may not block although ours does, and the other
 * way round. Once somebody must not block, all take turns. */
static ssize_t transfer_stream(struct file *f, struct hostio *io, struct uio *u,
			       bool is_write)
{
	bool may_block = file_may_block(f, u);
	short events = is_write ? POLLOUT : POLLIN;
	ssize_t done;

	if (!may_block)
		atomic_store(&io->takes_turns[is_write], true);
	for (;;) {
		if (atomic_load(&io->takes_turns[is_write]))
			done = transfer_in_turn(io, u, is_write);
		else
			done = transfer_sleeping(io, u, is_write);
		if (done != -EAGAIN || !may_block)
			return done;
		done = wait_ready(io, events, true);
		if (done)
			return done;
	}
}

/* *pos is -1 for read(2) and write(2): the host's own position. */
static ssize_t hostio_read(struct file *f, struct uio *u, int64_t *pos)
{
	struct hostio *io = f->private;
	ssize_t done;
	int err;

	if (io->is_seekable) {
		done = transfer(io, u, u->left, *pos, false);
		if (done > 0 && *pos >= 0)
			*pos += done;
		return done;
	}
	if (io->tty) {
		err = tty_check(io->tty, SIGTTIN);
		if (err)
			return err;
	}
	return u->left ? transfer_stream(f, io, u, false) : 0;
}

static ssize_t hostio_write(struct file *f, struct uio *u, int64_t *pos)
{
	struct hostio *io = f->private;
	ssize_t total = 0;
	ssize_t done = 0;

	while (u->left) {
		if (io->is_seekable)
			done = transfer(io, u, u->left, *pos, true);
		else
			done = transfer_stream(f, io, u, true);
		if (done == -ERESTARTSYS &&
		    !(atomic_load(&current()->sleeper.work) & WORK_INTERRUPTS))
			continue; /* it was another task that wanted something */
		if (done <= 0)
			break;
		total += done;
		if (io->is_seekable && *pos >= 0)
			*pos += done;
	}
	if (done == -EPIPE && !total)
		(void)signal_send_task(current(), SIGPIPE, NULL);
	return total ? total : done;
}

static int64_t hostio_lseek(struct file *f, int64_t off, int whence)
{
	struct hostio *io = f->private;

	return host_lseek(io->fd, off, whence);
}

/* The poller asks the host. */
static uint32_t hostio_poll(struct file *f, struct poll_table *pt)
{
	(void)f, (void)pt;
	return 0;
}

static long hostio_ioctl(struct file *f, unsigned int cmd, uint64_t arg)
{
	struct hostio *io = f->private;
	uint32_t value = 0;
	long err;

	if (io->tty)
		return hostio_tty_ioctl(f, io, cmd, arg);
	if (cmd != FIONREAD)
		return -ENOTTY;
	err = host_ioctl(io->fd, cmd, &value);
	return err < 0 ? err : put_user_u32(arg, value);
}

static int hostio_set_async(struct file *f, bool on)
{
	const struct hostio *io = f->private;
	pid_t group = on && io->tty ? tty_foreground(io->tty) : 0;
	int err = hostio_async_hook ? hostio_async_hook(f, on) : 0;

	if (!err && on && io->tty)
		file_owner_default_to(f, group ? F_OWNER_PGRP : F_OWNER_PID,
				      group ? group : current()->process->pid);
	return err;
}

static void hostio_release(struct file *f)
{
	if (hostio_release_hook)
		hostio_release_hook(f);
	hostio_put(f->private);
	f->private = NULL;
}

static int hostio_fsync(struct file *f, bool data_only)
{
	struct hostio *io = f->private;

	return host_fsync(io->fd, data_only);
}

static int hostio_fallocate(struct file *f, int mode, int64_t off, int64_t size)
{
	struct hostio *io = f->private;

	return io->is_seekable ? host_fallocate(io->fd, mode, off, size) : -ESPIPE;
}

static int hostio_host_backing(struct file *f, uint64_t off, size_t size, bool shared,
			       bool exec, int *fd, int64_t *host_off)
{
	struct hostio *io = f->private;

	(void)size, (void)shared, (void)exec;
	if (!io->is_seekable)
		return -ENODEV;
	*fd = io->fd;
	*host_off = (int64_t)off;
	return 0;
}

const struct file_ops hostio_ops = {
	.read = hostio_read,
	.write = hostio_write,
	.poll = hostio_poll,
	.ioctl = hostio_ioctl,
	.release = hostio_release,
	.set_async = hostio_set_async,
	.fsync = hostio_fsync,
};

static const struct file_ops hostio_seekable_ops = {
	.read = hostio_read,
	.write = hostio_write,
	.lseek = hostio_lseek,
	.ioctl = hostio_ioctl,
	.release = hostio_release,
	.fsync = hostio_fsync,
	.fallocate = hostio_fallocate,
	.host_backing = hostio_host_backing,
};

/* ---- inodes ---- */

struct hostio_inode {
	struct inode inode;
	struct hostio *io; /* ref */
};

static void inode_update(struct inode *inode, const struct linux_statx *x)
{
	lock_take(&inode->lock);
	inode->mode = x->stx_mode;
	inode->nlink = x->stx_nlink;
	inode->uid = x->stx_uid;
	inode->gid = x->stx_gid;
	inode->rdev = LINUX_MAKEDEV(x->stx_rdev_major, x->stx_rdev_minor);
	atomic_store(&inode->size, (int64_t)x->stx_size);
	inode->blocks = x->stx_blocks;
	inode->atime = (struct linux_timespec){x->stx_atime.tv_sec, x->stx_atime.tv_nsec};
	inode->mtime = (struct linux_timespec){x->stx_mtime.tv_sec, x->stx_mtime.tv_nsec};
	inode->ctime = (struct linux_timespec){x->stx_ctime.tv_sec, x->stx_ctime.tv_nsec};
	lock_drop(&inode->lock);
}

static int hostio_getattr(struct inode *inode, struct kstat *out)
{
	struct hostio *io = container_of(inode, struct hostio_inode, inode)->io;
	struct linux_statx x;
	int err = host_statx(io->fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &x);

	if (err)
		return err;
	inode_update(inode, &x);
	inode_fill_stat(inode, out);
	out->dev = LINUX_MAKEDEV(x.stx_dev_major, x.stx_dev_minor);
	out->blksize = x.stx_blksize;
	return 0;
}

static int hostio_setattr(struct inode *inode, struct attr *attr)
{
	struct hostio *io = container_of(inode, struct hostio_inode, inode)->io;
	struct linux_timespec times[2] = {{.tv_nsec = UTIME_OMIT},
					  {.tv_nsec = UTIME_OMIT}};
	int err = 0;

	if (attr->valid & ATTR_ATIME)
		times[0] = attr->atime;
	if (attr->valid & ATTR_MTIME)
		times[1] = attr->mtime;
	if (attr->valid & ATTR_SIZE)
		return io->is_seekable ? host_ftruncate(io->fd, (int64_t)attr->size)
				       : -EINVAL;
	if (attr->valid & ATTR_MODE)
		err = host_fchmod(io->fd, attr->mode & S_IALLUGO);
	if (!err && (attr->valid & (ATTR_UID | ATTR_GID)))
		err = host_fchownat(
			io->fd, "", attr->valid & ATTR_UID ? attr->uid : (uid_t)-1,
			attr->valid & ATTR_GID ? attr->gid : (gid_t)-1, AT_EMPTY_PATH);
	if (!err && (attr->valid & (ATTR_ATIME | ATTR_MTIME)))
		err = host_utimensat(io->fd, NULL, times, 0);
	return err;
}

static void hostio_describe(struct inode *inode, char *buf, size_t size)
{
	static const char *const names[16] = {
		[DT_FIFO] = "pipe", [DT_CHR] = "chr",  [DT_DIR] = "dir",
		[DT_BLK] = "blk",   [DT_REG] = "file", [DT_SOCK] = "socket",
	};
	const char *name = names[(inode->mode & S_IFMT) >> 12];

	snprintf(buf, size, "%s:[%lu]", name ? name : "host", (unsigned long)inode->ino);
}

static void hostio_inode_release(struct inode *inode)
{
	struct hostio_inode *hi = container_of(inode, struct hostio_inode, inode);

	hostio_put(hi->io);
	inode_fini(inode);
	kfree(hi);
}

static void set_up(struct file *f, struct hostio *io)
{
	ref_get(&io->refs);
	f->private = io;
	f->ops = io->is_seekable ? &hostio_seekable_ops : &hostio_ops;
	if (io->is_seekable) {
		f->mode &= ~(uint32_t)FMODE_STREAM;
		f->mode |= FMODE_LSEEK | FMODE_PREAD | FMODE_NO_POS_LOCK;
		f->pos = -1; /* for ever: see hostio_read */
	} else {
		f->mode |= FMODE_STREAM;
		f->host_poll_fd = io->fd;
	}
}

/* /dev/stdout and /proc/self/fd/1: another file on the same host descriptor. */
static int hostio_open(struct inode *inode, struct file *f)
{
	set_up(f, container_of(inode, struct hostio_inode, inode)->io);
	return 0;
}

static const struct inode_ops hostio_inode_ops = {
	.open = hostio_open,
	.getattr = hostio_getattr,
	.setattr = hostio_setattr,
	.describe = hostio_describe,
	.release = hostio_inode_release,
};

static struct file_system_type hostio_type = {.name = "hostio"};
static const struct sb_ops hostio_sb_ops = {.statfs = NULL};

static struct inode *inode_create(struct hostio *io, const struct linux_statx *x)
{
	struct hostio_inode *hi;

	if (!hostio_sb) {
		hostio_sb = sb_create(&hostio_type, &hostio_sb_ops, 0, NULL);
		if (!hostio_sb)
			return NULL;
		hostio_sb->flags = SB_INTERNAL;
	}
	hi = kmalloc_zeroed(sizeof(*hi));
	if (!hi)
		return NULL;
	inode_init(&hi->inode, hostio_sb, &hostio_inode_ops, x->stx_ino, x->stx_mode);
	hi->inode.flags = INODE_NOCMTIME | INODE_OPENS_ITSELF;
	inode_update(&hi->inode, x);
	ref_get(&io->refs);
	hi->io = io;
	return &hi->inode;
}

/* ---- making files ---- */

static int create_anon(struct hostio *io, const struct linux_statx *x, uint32_t flags,
		       struct file **out)
{
	struct inode *inode = inode_create(io, x);
	struct file *f;
	int err;

	if (!inode)
		return -ENOMEM;
	err = file_create_anon(inode, "host",
			       io->is_seekable ? &hostio_seekable_ops : &hostio_ops,
			       flags, NULL, &f);
	if (err)
		return err;
	set_up(f, io);
	*out = f;
	return 0;
}

/* A file on a device node of the guest's /dev, whatever its permissions are. */
static int open_node(const char *name, uint32_t flags, struct file **out)
{
	struct path root;
	struct path p;
	struct inode *inode;
	int err;

	mount_root_path(&root);
	if (!root.mount)
		return -ENOENT;
	err = path_lookup_at(&root, &root, name, LOOKUP_FOLLOW, &p);
	path_put(&root);
	if (err)
		return err;
	inode = path_inode(&p);
	if (S_ISCHR(inode->mode) && LINUX_MAJOR(inode->rdev) == TTY_MAJOR) {
		/* Like the terminal that it stands for. */
		inode->uid = current_creds()->fsuid;
	}
	err = file_open_path(&p, flags & (O_ACCMODE | O_APPEND | O_NONBLOCK), out);
	path_put(&p);
	return err;
}

/* The node's file has the first descriptor of the terminal: this one gets its own. */
static int create_tty(struct hostio *io, uint32_t flags, struct file **out)
{
	struct file *f;
	int err = hostio_tty_find(io);

	if (err)
		return err;
	if (io->tty != tty_console)
		return -ENOENT;
	err = open_node("/dev/console", flags, &f);
	if (err)
		return err;
	hostio_put(f->private);
	ref_get(&io->refs);
	f->private = io;
	f->host_poll_fd = io->fd;
	*out = f;
	return 0;
}

int hostio_file_create(int host_fd, struct file **out)
{
	struct linux_statx x;
	struct hostio *io;
	int flags = host_fcntl_getfl(host_fd);
	uint32_t kept;
	int err;

	if (flags < 0)
		return flags;
	err = host_statx(host_fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &x);
	if (err)
		return err;
	kept = (uint32_t)flags &
	       (O_ACCMODE | O_APPEND | O_NONBLOCK | O_LARGEFILE | O_DSYNC);
	io = hostio_create(host_fd);
	if (!io)
		return -ENOMEM;
	io->is_seekable = S_ISREG(x.stx_mode) || S_ISBLK(x.stx_mode);
	err = -ENOENT;
	if (S_ISCHR(x.stx_mode) && x.stx_rdev_major == MEM_MAJOR &&
	    x.stx_rdev_minor == MEM_NULL)
		err = open_node("/dev/null", kept, out);
	else if (S_ISCHR(x.stx_mode) && hostio_is_tty(host_fd))
		err = create_tty(io, kept, out);
	if (err)
		err = create_anon(io, &x, kept, out);
	if (err)
		io->fd = -1; /* the caller keeps it */
	hostio_put(io);
	return err;
}
