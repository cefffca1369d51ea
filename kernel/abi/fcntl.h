/* SPDX-License-Identifier: MIT */
/* fcntl.h - open flags, fcntl(2), *at(2), locks and other file calls. */
#pragma once
#pragma GCC system_header /* hosted tests include libc first, then this */

#include "abi/types.h"

#define O_ACCMODE	    03
#define O_RDONLY	    0
#define O_WRONLY	    01
#define O_RDWR		    02
#define O_CREAT		    0100
#define O_EXCL		    0200
#define O_NOTIFICATION_PIPE O_EXCL /* pipe2 */
#define O_NOCTTY	    0400
#define O_TRUNC		    01000
#define O_APPEND	    02000
#define O_NONBLOCK	    04000
#define O_DSYNC		    010000
#define FASYNC		    020000
#define O_DIRECT	    040000
#define O_LARGEFILE	    0100000
#define O_DIRECTORY	    0200000
#define O_NOFOLLOW	    0400000
#define O_NOATIME	    01000000
#define O_CLOEXEC	    02000000
#define O_SYNC		    04010000
#define O_PATH		    010000000
#define O_TMPFILE	    020200000
#define __O_SYNC	    04000000
#define __O_TMPFILE	    020000000
#define O_NDELAY	    O_NONBLOCK
#define O_ASYNC		    FASYNC
#define O_RSYNC		    O_SYNC

/* *at(2) calls. */
#define AT_FDCWD		(-100)
#define AT_SYMLINK_NOFOLLOW	0x100
#define AT_EACCESS		0x200
#define AT_REMOVEDIR		0x200
#define AT_SYMLINK_FOLLOW	0x400
#define AT_NO_AUTOMOUNT		0x800
#define AT_EMPTY_PATH		0x1000
#define AT_STATX_SYNC_TYPE	0x6000
#define AT_STATX_SYNC_AS_STAT	0
#define AT_STATX_FORCE_SYNC	0x2000
#define AT_STATX_DONT_SYNC	0x4000
#define AT_RECURSIVE		0x8000
#define AT_EXECVE_CHECK		0x10000
#define AT_HANDLE_FID		0x200
#define AT_HANDLE_MNT_ID_UNIQUE 0x001
#define AT_HANDLE_CONNECTABLE	0x002

/* fcntl(2). */
#define F_DUPFD		       0
#define F_GETFD		       1
#define F_SETFD		       2
#define F_GETFL		       3
#define F_SETFL		       4
#define F_GETLK		       5
#define F_SETLK		       6
#define F_SETLKW	       7
#define F_SETOWN	       8
#define F_GETOWN	       9
#define F_SETSIG	       10
#define F_GETSIG	       11
#define F_SETOWN_EX	       15
#define F_GETOWN_EX	       16
#define F_GETOWNER_UIDS	       17
#define F_OFD_GETLK	       36
#define F_OFD_SETLK	       37
#define F_OFD_SETLKW	       38
#define F_SETLEASE	       1024
#define F_GETLEASE	       1025
#define F_NOTIFY	       1026
#define F_DUPFD_QUERY	       1027
#define F_CREATED_QUERY	       1028
#define F_CANCELLK	       1029
#define F_DUPFD_CLOEXEC	       1030
#define F_SETPIPE_SZ	       1031
#define F_GETPIPE_SZ	       1032
#define F_ADD_SEALS	       1033
#define F_GET_SEALS	       1034
#define F_GET_RW_HINT	       1035
#define F_SET_RW_HINT	       1036
#define F_GET_FILE_RW_HINT     1037
#define F_SET_FILE_RW_HINT     1038
#define RWH_WRITE_LIFE_EXTREME 5
#define FD_CLOEXEC	       1
#define F_RDLCK		       0
#define F_WRLCK		       1
#define F_UNLCK		       2
#define F_EXLCK		       4
#define F_SHLCK		       8
#define F_OWNER_TID	       0
#define F_OWNER_PID	       1
#define F_OWNER_PGRP	       2
#define F_SEAL_SEAL	       0x1
#define F_SEAL_SHRINK	       0x2
#define F_SEAL_GROW	       0x4
#define F_SEAL_WRITE	       0x8
#define F_SEAL_FUTURE_WRITE    0x10
#define F_SEAL_EXEC	       0x20
#define DN_ACCESS	       0x1
#define DN_MODIFY	       0x2
#define DN_CREATE	       0x4
#define DN_DELETE	       0x8
#define DN_RENAME	       0x10
#define DN_ATTRIB	       0x20
#define DN_MULTISHOT	       0x80000000U

/* flock(2). */
#define LOCK_SH 1
#define LOCK_EX 2
#define LOCK_NB 4
#define LOCK_UN 8

/* lseek(2). */
#define SEEK_SET  0
#define SEEK_CUR  1
#define SEEK_END  2
#define SEEK_DATA 3
#define SEEK_HOLE 4

/* openat2(2). */
#define RESOLVE_NO_XDEV	      0x1
#define RESOLVE_NO_MAGICLINKS 0x2
#define RESOLVE_NO_SYMLINKS   0x4
#define RESOLVE_BENEATH	      0x8
#define RESOLVE_IN_ROOT	      0x10
#define RESOLVE_CACHED	      0x20

/* Others. */
#define RENAME_NOREPLACE	    0x1
#define RENAME_EXCHANGE		    0x2
#define RENAME_WHITEOUT		    0x4
#define FALLOC_FL_KEEP_SIZE	    0x1
#define FALLOC_FL_PUNCH_HOLE	    0x2
#define FALLOC_FL_NO_HIDE_STALE	    0x4
#define FALLOC_FL_COLLAPSE_RANGE    0x8
#define FALLOC_FL_ZERO_RANGE	    0x10
#define FALLOC_FL_INSERT_RANGE	    0x20
#define FALLOC_FL_UNSHARE_RANGE	    0x40
#define POSIX_FADV_NORMAL	    0
#define POSIX_FADV_RANDOM	    1
#define POSIX_FADV_SEQUENTIAL	    2
#define POSIX_FADV_WILLNEED	    3
#define POSIX_FADV_DONTNEED	    4
#define POSIX_FADV_NOREUSE	    5
#define SYNC_FILE_RANGE_WAIT_BEFORE 0x1
#define SYNC_FILE_RANGE_WRITE	    0x2
#define SYNC_FILE_RANGE_WAIT_AFTER  0x4
#define SPLICE_F_MOVE		    1
#define SPLICE_F_NONBLOCK	    2
#define SPLICE_F_MORE		    4
#define SPLICE_F_GIFT		    8
#define CLOSE_RANGE_UNSHARE	    0x2
#define CLOSE_RANGE_CLOEXEC	    0x4
#define EFD_SEMAPHORE		    1
#define EFD_CLOEXEC		    02000000
#define EFD_NONBLOCK		    04000

#define PATH_MAX      4096 /* with the NUL */
#define NAME_MAX      255  /* without */
#define PIPE_BUF      4096
#define MAX_HANDLE_SZ 128

struct linux_flock {
	int16_t l_type;
	int16_t l_whence;
	int64_t l_start;
	int64_t l_len;
	int32_t l_pid;
};

_Static_assert(sizeof(struct linux_flock) == 32, "struct flock");

struct linux_f_owner_ex {
	int32_t type;
	int32_t pid;
};

struct linux_open_how {
	uint64_t flags;
	uint64_t mode;
	uint64_t resolve;
};

#define OPEN_HOW_SIZE_VER0 24
_Static_assert(sizeof(struct linux_open_how) == OPEN_HOW_SIZE_VER0, "struct open_how");

struct linux_file_handle {
	uint32_t handle_bytes;
	int32_t handle_type; /* the handle itself follows */
};

/* cachestat(2). */
struct linux_cachestat_range {
	uint64_t off;
	uint64_t len; /* 0: to the end */
};

struct linux_cachestat { /* pages */
	uint64_t nr_cache;
	uint64_t nr_dirty;
	uint64_t nr_writeback;
	uint64_t nr_evicted;
	uint64_t nr_recently_evicted;
};
