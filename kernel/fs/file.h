/* SPDX-License-Identifier: MIT */
/* file.h - an open file description: what descriptors, of any number of processes, refer
 * to. */
#pragma once
#include "abi/fcntl.h"
#include "abi/types.h"
#include "base/lock.h"
#include "base/ref.h"
#include "fs/path.h"
#include "fs/poll.h"
#include "fs/uio.h"
#include "lib/list.h"
#include "mm/object.h"

struct dir_context;
struct file;
struct inode;
struct superblock;
struct task;

/* All may be NULL: what then happens is said. pos is the position to use and to move: the
 * file's own (under pos_lock) or a pread's. Returned counts may be short; 0 is the end of
 * file. */
struct file_ops {
	ssize_t (*read)(struct file *f, struct uio *u, int64_t *pos);  /* -EINVAL */
	ssize_t (*write)(struct file *f, struct uio *u, int64_t *pos); /* -EINVAL */
	/* The same of a stream with one piece of guest memory, if that is one host call:
	 * in as few frames as can be, for none of their returns is foreseen after a host
	 * call. -EINTR: nothing was moved, read or write shall do it. NULL: always so. */
	ssize_t (*read_plain)(struct file *f, uaddr_t data, size_t size);
	ssize_t (*write_plain)(struct file *f, uaddr_t data, size_t size);
	/* NULL: file_lseek_generic() for seekable files. pos_lock held. */
	int64_t (*lseek)(struct file *f, int64_t off, int whence);
	/* NULL: always readable and writable. */
	uint32_t (*poll)(struct file *f, struct poll_table *pt);
	/* arg is a guest address or a number. -ENOTTY. */
	long (*ioctl)(struct file *f, unsigned int cmd, uint64_t arg);
	/* Directories: calls dir_emit() for the entries from ctx->pos on, until it
	 * returns false, or sooner: who wants all asks until nothing is emitted. The
	 * directory's dir_lock is not held. -ENOTDIR. */
	int (*iterate)(struct file *f, struct dir_context *ctx);
	/* A device's or FIFO's own part of open(2), after inode_ops.open. May sleep. */
	int (*open)(struct inode *inode, struct file *f);
	/* Each close(2) of a descriptor. pid: the process's that closes it, which is not
	 * always the current one when its last task is gone; 0: the current one's. */
	int (*flush)(struct file *f, pid_t pid);
	/* After a close(2), when the descriptor's reference is gone, perhaps with f. */
	void (*closed)(void);
	/* The last reference has gone. */
	void (*release)(struct file *f);
	int (*fsync)(struct file *f, bool data_only); /* 0 */
	int (*fallocate)(struct file *f, int mode, int64_t off,
			 int64_t size); /* -EOPNOTSUPP */
	/* For mmap of a file that does not show its own data: what is mapped in its
	 * place, with a reference. NULL: the file is, by host_backing. */
	int (*map)(struct file *f, uint64_t off, size_t size, struct vm_object **out);
	/* For mmap: see vm_object_ops. -ENODEV. */
	int (*host_backing)(struct file *f, uint64_t off, size_t size, bool shared,
			    bool exec, int *fd, int64_t *host_off);
	/* sendfile: a descriptor of the host's that has the file's data at the same
	 * places, if `count` bytes of it go a shorter way so; -EOPNOTSUPP. NULL: none
	 * has. */
	int (*host_data)(struct file *f, size_t count);
	/* sendfile: takes up to count bytes of such a descriptor from *pos on, which
	 * moves: how many. -EOPNOTSUPP: not so. */
	ssize_t (*put_host_data)(struct file *f, int host_fd, int64_t *pos, size_t count);
	int (*writers_changed)(struct file *f, int by);
	uint64_t (*content_id)(struct file *f);
	/* For a file system that shows f's data as its own: how many blocks of 512 bytes
	 * they take. shown, its inode, gets the times of what has been written through
	 * mappings since it was last looked at. May be NULL. */
	uint64_t (*data_look)(struct file *f, struct inode *shown);
	/* F_SETFL is about to store flags: 0 or -errno. */
	int (*set_flags)(struct file *f, uint32_t flags);
	/* O_ASYNC changes: 0 or -errno. NULL: it is never sent (-ENOTTY from FIOASYNC).
	 */
	int (*set_async)(struct file *f, bool on);
	/* F_SETOWN has set or removed the owner. */
	void (*owner_changed)(struct file *f);
	/* Appends lines to /proc/PID/fdinfo/N. */
	void (*show_fdinfo)(struct file *f, char *buf, size_t size);
	/* How many of the file's pages from first to before end are in memory. 0. */
	uint64_t (*cached_pages)(struct file *f, uint64_t first, uint64_t end);
	int (*get_seals)(struct file *f);
	int (*add_seals)(struct file *f, uint32_t seals);
	/* vm_object_ops.policies */
	struct policies *(*policies)(struct file *f);
	/* A descriptor of the host's own, through which it can be asked about locks: see
	 * inode_ops.lock_open. */
	int (*host_lock_fd)(struct file *f);
	/* splice and sendfile refuse it, preadv2 knows no flags of it: files of
	 * /proc/PID. */
	bool no_splice;
};

enum file_mode {
	FMODE_READ = 1 << 0,
	FMODE_WRITE = 1 << 1,
	FMODE_LSEEK = 1 << 2,	/* has a position, may be seeked */
	FMODE_PREAD = 1 << 3,	/* pread, pwrite work */
	FMODE_EXEC = 1 << 4,	/* opened by exec: others may not write */
	FMODE_PATH = 1 << 5,	/* O_PATH */
	FMODE_WRITER = 1 << 6,	/* counted in inode->writers */
	FMODE_STREAM = 1 << 7,	/* no position at all: read and write take no pos_lock */
	FMODE_NOATIME = 1 << 8, /* never touches the access time */
	FMODE_NO_POS_LOCK = 1 << 9, /* the operations lock for themselves */
	FMODE_READER = 1 << 10,	    /* counted in inode->readers */
	FMODE_OWNS_MOUNT = 1 << 13, /* the tree it leads to ends with it */
	FMODE_CREATED = 1 << 11,    /* this open made the file */
	FMODE_NO_NOTIFY = 1 << 12,  /* watchers are not told: file_open_quiet() */
	FMODE_NOCTTY = 1 << 14,	    /* opened with O_NOCTTY */
	FMODE_ASK_ACCESS = 1 << 15, /* somebody wants to be asked before it is read */
	FMODE_NOWAIT = 1 << 17,	    /* RWF_NOWAIT: see sys_rw.c */
	FMODE_NO_PWRITE = 1 << 18,  /* of FMODE_PREAD only reading */
	FMODE_ONE_READ = 1 << 19,   /* splice takes what one read gives */
	FMODE_ASK_FILL = 1 << 16,   /* or used in any way: notify_ask_access() */
};

/* Does pread, or pwrite, work? */
static inline bool file_mode_has_offsets(uint32_t mode, bool is_write)
{
	return (mode & FMODE_PREAD) && !(is_write && (mode & FMODE_NO_PWRITE));
}

struct file_owner { /* F_SETOWN: see sigio.h */
	pid_t pid;
	int type;  /* F_OWNER_*; pid 0: none */
	int signo; /* F_SETSIG */
	uid_t uid, euid;
};

/* How an open file is read, for file systems that cache: guesses, of all who read it. All
 * are atomic. */
struct file_readahead {
	int64_t next; /* where the last read ended */
	uint32_t reads;
	uint32_t run;	  /* reads in sequence up to now */
	uint32_t credits; /* how much memory may be spent on it */
	uint32_t misses;  /* of late, against a few times the hits */
};

struct file {
	/* A cache line of what each call looks at. */
	struct vm_object object; /* mm's references are the file's */
	struct ref refs;
	uint32_t flags; /* atomic: O_* as F_GETFL shows them */
	uint32_t mode;	/* const: enum file_mode */
	/* For the operations: host descriptor of the data, or -1. Of a socket, atomic:
	 * see socket_set_direct(). */
	int host_fd;
	const struct file_ops *ops; /* const after open */
	struct path path;	    /* ref; const */
	struct inode *inode;	    /* of path's dentry, borrowed */
	void *private;		    /* the operations' */
	struct lock pos_lock;	    /* RANK_FILE_POS */
	int64_t pos;		    /* pos_lock */
	int host_poll_fd; /* host descriptor that says when it is ready, or -1 */
	struct file_readahead readahead;
	struct creds *creds;	 /* ref: of the opener */
	struct file_owner owner; /* sigio_lock */
	int async_fd;		 /* the descriptor through which FASYNC was set */
	struct list async_link;	 /* sigio_lock: in a list of sigio.h */
	uint64_t dir_version;	 /* for iterate */
	int lock_count;		 /* atomic: flock, OFD and lease locks held through it */
	void *epoll_items; /* event/: the epolls that watch it; see file_release_hook */
};

/* ---- making ---- */

/* Opens path. flags: O_*; mode: of a file made by O_CREAT, umask not yet applied;
 * resolve: RESOLVE_*. *out gets a reference. */
int file_open_at(int dfd, const char *name, uint32_t flags, uint32_t mode,
		 uint64_t resolve, struct file **out) MUST_CHECK;
/* Opens what is at p, which exists. */
int file_open_path(const struct path *p, uint32_t flags, struct file **out) MUST_CHECK;
/* The same for who watches: no permission is checked, and no watcher is told of anything
 * done with the file. */
int file_open_quiet(const struct path *p, uint32_t flags, struct file **out) MUST_CHECK;
/* For exec and the loader: a regular file with execute permission, nobody writes it:
 * -EACCES, -ETXTBSY. flags: AT_EMPTY_PATH, AT_SYMLINK_NOFOLLOW. While it is open nobody
 * can open it for writing. */
int file_open_exec(int dfd, const char *name, int flags, struct file **out) MUST_CHECK;
int file_open_exec_path(const struct path *p, struct file **out) MUST_CHECK;
/* A file on an inode without a name: pipes, sockets, eventfds. Takes over inode's
 * reference, also on failure. flags: O_ACCMODE|O_NONBLOCK… */
int file_create_anon(struct inode *inode, const char *name, const struct file_ops *ops,
		     uint32_t flags, void *private, struct file **out) MUST_CHECK;
/* The same on the one shared inode of "anon_inode:name" (name with its brackets). */
int file_create_anon_inode(const char *name, const struct file_ops *ops, uint32_t flags,
			   void *private, struct file **out) MUST_CHECK;
/* A new inode of an internal file system with its own number; mode with the type. For
 * sockets and pipes. */
/* A file of pidfs: those of one process or thread have the same number. */
int file_create_pidfd(uint64_t ino, const struct file_ops *ops, uint32_t flags,
		      void *private, struct file **out) MUST_CHECK;
struct inode *anon_inode_create(struct superblock *sb, uint32_t mode) MUST_CHECK;
extern struct superblock *pipe_sb, *socket_sb, *anon_sb,
	*memfd_sb; /* internal superblocks */

void file_get(struct file *f);
void file_put(struct file *f);
/* Called at the last reference, if event/ has set it and epoll_items is not NULL. */
extern void (*file_release_hook)(struct file *f);

/* ---- using ---- */

/* read(2) and write(2) at the file's position or, with pos, at *pos. Check mode and
 * limits. */
ssize_t file_read(struct file *f, struct uio *u, int64_t *pos);
ssize_t file_write(struct file *f, struct uio *u, int64_t *pos);
/* What those two and the plain operations have done is counted, and who watches the file
 * is told. */
void file_moved(struct file *f, ssize_t done, bool is_write);
/* The same with kernel memory, at off (-1: the file's position). */
/* From one to the other by the host alone, of whom neither is to be asked any more:
 * -EOPNOTSUPP if that cannot be. */
ssize_t file_send_by_host(struct file *out, struct file *in, int64_t *pos, size_t count);
ssize_t file_read_kernel(struct file *f, void *buf, size_t size, int64_t off);
ssize_t file_write_kernel(struct file *f, const void *buf, size_t size, int64_t off);
/* RWF_* of preadv2(2) and its kin as flags of a uio: -EOPNOTSUPP, -EINVAL. */
int file_rw_flags(const struct file *f, int flags, bool is_write,
		  uint32_t *out) MUST_CHECK;
int64_t file_lseek(struct file *f, int64_t off, int whence);
/* SEEK_SET, CUR, END against inode->size; DATA and HOLE as of a file without holes.
 * pos_lock held. */
int64_t file_lseek_generic(struct file *f, int64_t off, int whence);
/* For files without a position that let themselves be seeked: to no avail. */
int64_t file_lseek_nowhere(struct file *f, int64_t off, int whence);
/* For directories and text files whose positions are not bytes: any position from 0 to
 * max. */
int64_t file_lseek_size(struct file *f, int64_t off, int whence, int64_t size,
			int64_t max);
int file_truncate(struct file *f, int64_t size) MUST_CHECK;
/* madvise(2) with MADV_REMOVE of a mapping of it that may be written to: fallocate(2)
 * with FALLOC_FL_PUNCH_HOLE. An mm may be locked. */
int file_punch(struct file *f, int64_t off, int64_t size) MUST_CHECK;
/* A page of a file in memory, at off: see vm_object_ops.fill. Takes inode->lock. */
int file_fill(struct file *f, uint64_t off, const void *data) MUST_CHECK;
/* Sets the access time by the rules of relatime and noatime. Takes inode->lock. */
void file_accessed(struct file *f);
void inode_accessed(struct inode *inode, const struct mount *m);
/* For write operations of regular files, with inode->lock held: O_APPEND moves *pos to
 * the end; RLIMIT_FSIZE cuts u, or gives -EFBIG and SIGXFSZ. */
int file_write_checks(struct file *f, struct uio *u, int64_t *pos) MUST_CHECK;

/* True when a call on f with u may sleep. */
static inline bool file_may_block(const struct file *f, const struct uio *u)
{
	return !(__atomic_load_n(&f->flags, __ATOMIC_RELAXED) & O_NONBLOCK) &&
	       !(u->flags & UIO_NONBLOCK);
}

/* The file that a vm_object is part of, or NULL when the object is none. */
struct file *file_of_object(struct vm_object *o);

/* Sends SIGIO, or what F_SETSIG asked for, if O_ASYNC is set. band: POLL* bits. */
void file_send_sigio(struct file *f, uint32_t band);
/* F_SETOWN and F_GETOWN: who > 0 is a process, < 0 a group. -ESRCH, -EINVAL. */
int file_set_owner(struct file *f, int who) MUST_CHECK;
int file_get_owner(struct file *f);

/* ---- directories ---- */

struct dir_context {
	/* Returns false when there is no room: the entry will be asked for again. */
	bool (*emit)(struct dir_context *ctx, const char *name, size_t len, uint64_t ino,
		     uint32_t type, int64_t next_pos);
	int64_t pos; /* cursor: in, where to go on; the operation moves it past what was
			emitted */
};

/* Emits one entry, whose successor is at next_pos, and moves ctx->pos there. type: DT_*.
 */
static inline bool dir_emit(struct dir_context *ctx, const char *name, size_t len,
			    uint64_t ino, uint32_t type, int64_t next_pos)
{
	if (!ctx->emit(ctx, name, len, ino, type, next_pos))
		return false;
	ctx->pos = next_pos;
	return true;
}
/* Emits "." and ".." if ctx->pos is 0 or 1: real entries then start at 2. */
bool dir_emit_dots(struct file *f, struct dir_context *ctx);
int file_iterate(struct file *f, struct dir_context *ctx);
