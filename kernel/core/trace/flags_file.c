/* SPDX-License-Identifier: MIT */
/* flags_file.c - one array of names per argument kind: files, readiness and memory.
 *
 * Order matters where values share bits: the widest first. */
#include "core/trace/flags.h"

#include "abi/epoll.h"
#include "abi/fcntl.h"
#include "abi/inotify.h"
#include "abi/ioctl.h"
#include "abi/membarrier.h"
#include "abi/mman.h"
#include "abi/seccomp.h"
#include "abi/socket.h"
#include "abi/stat.h"
#include "abi/statfs.h"
#include "abi/syscall.h"
#include "abi/time.h"
#include "abi/uio.h"
#include "abi/xattr.h"

/* clang-format off */
static const struct flag_name oflags[] = {
	N(O_RDONLY), N(O_WRONLY), N(O_RDWR), N(O_TMPFILE), N(O_SYNC), N(O_CREAT),
	N(O_EXCL), N(O_NOCTTY), N(O_TRUNC), N(O_APPEND), N(O_NONBLOCK), N(O_DSYNC),
	N(FASYNC), N(O_DIRECT), N(O_LARGEFILE), N(O_DIRECTORY), N(O_NOFOLLOW),
	N(O_NOATIME), N(O_CLOEXEC), N(O_PATH),
};

static const struct flag_name fdflags[] = {
	N(O_NONBLOCK), N(O_CLOEXEC), N(O_DIRECT),
};

static const struct flag_name filemode[] = {
	N(S_IFREG), N(S_IFCHR), N(S_IFBLK), N(S_IFIFO), N(S_IFSOCK), N(S_IFDIR),
	N(S_ISUID), N(S_ISGID), N(S_ISVTX),
};

static const struct flag_name accmode[] = {
	N(F_OK), N(R_OK), N(W_OK), N(X_OK),
};

static const struct flag_name atflags[] = {
	N(AT_SYMLINK_NOFOLLOW), N(AT_SYMLINK_FOLLOW), N(AT_NO_AUTOMOUNT),
	N(AT_EMPTY_PATH), N(AT_STATX_FORCE_SYNC), N(AT_STATX_DONT_SYNC), N(AT_RECURSIVE),
	N(AT_EXECVE_CHECK),
};

static const struct flag_name accessflags[] = {
	N(AT_EACCESS), N(AT_SYMLINK_NOFOLLOW), N(AT_EMPTY_PATH),
};

static const struct flag_name unlinkflags[] = {
	N(AT_REMOVEDIR),
};

static const struct flag_name statxmask[] = {
	N(STATX_ALL), N(STATX_BASIC_STATS), N(STATX_TYPE), N(STATX_MODE), N(STATX_NLINK),
	N(STATX_UID), N(STATX_GID), N(STATX_ATIME), N(STATX_MTIME), N(STATX_CTIME),
	N(STATX_INO), N(STATX_SIZE), N(STATX_BLOCKS), N(STATX_BTIME), N(STATX_MNT_ID),
	N(STATX_DIOALIGN), N(STATX_MNT_ID_UNIQUE),
};

static const struct flag_name whence[] = {
	N(SEEK_SET), N(SEEK_CUR), N(SEEK_END), N(SEEK_DATA), N(SEEK_HOLE),
};

static const struct flag_name fcntlcmd[] = {
	N(F_DUPFD), N(F_GETFD), N(F_SETFD), N(F_GETFL), N(F_SETFL), N(F_GETLK),
	N(F_SETLK), N(F_SETLKW), N(F_SETOWN), N(F_GETOWN), N(F_SETSIG), N(F_GETSIG),
	N(F_SETOWN_EX), N(F_GETOWN_EX), N(F_GETOWNER_UIDS), N(F_OFD_GETLK),
	N(F_OFD_SETLK), N(F_OFD_SETLKW), N(F_SETLEASE), N(F_GETLEASE), N(F_NOTIFY),
	N(F_DUPFD_QUERY), N(F_CREATED_QUERY), N(F_CANCELLK), N(F_DUPFD_CLOEXEC),
	N(F_SETPIPE_SZ), N(F_GETPIPE_SZ), N(F_ADD_SEALS), N(F_GET_SEALS),
	N(F_GET_RW_HINT), N(F_SET_RW_HINT), N(F_GET_FILE_RW_HINT), N(F_SET_FILE_RW_HINT),
};

static const struct flag_name ioctlcmd[] = {
	N(FIONREAD), N(FIONBIO), N(FIOASYNC), N(FIONCLEX), N(FIOCLEX), N(FIOQSIZE),
	N(FIFREEZE), N(FITHAW), N(TCGETS), N(TCSETS), N(TCSETSW), N(TCSETSF), N(TCGETA),
	N(TCSETA), N(TCSETAW), N(TCSETAF), N(TCSBRK), N(TCXONC), N(TCFLSH), N(TCGETS2),
	N(TCSETS2), N(TCSETSW2), N(TCSETSF2), N(TCSBRKP), N(TIOCEXCL), N(TIOCNXCL),
	N(TIOCSCTTY), N(TIOCGPGRP), N(TIOCSPGRP), N(TIOCOUTQ), N(TIOCSTI), N(TIOCGWINSZ),
	N(TIOCSWINSZ), N(TIOCMGET), N(TIOCMBIS), N(TIOCMBIC), N(TIOCMSET),
	N(TIOCGSOFTCAR), N(TIOCSSOFTCAR), N(TIOCLINUX), N(TIOCCONS), N(TIOCPKT),
	N(TIOCNOTTY), N(TIOCSETD), N(TIOCGETD), N(TIOCSBRK), N(TIOCCBRK), N(TIOCGSID),
	N(TIOCGPTN), N(TIOCSPTLCK), N(TIOCGDEV), N(TIOCSIG), N(TIOCVHANGUP), N(TIOCGPKT),
	N(TIOCGPTLCK), N(TIOCGEXCL), N(TIOCGPTPEER), N(FIBMAP), N(FIGETBSZ), N(FICLONE),
	N(FICLONERANGE), N(FIDEDUPERANGE), N(FS_IOC_GETFLAGS), N(FS_IOC_SETFLAGS),
	N(FS_IOC_GETVERSION), N(FS_IOC_FSGETXATTR), N(FS_IOC_FSSETXATTR),
	N(FS_IOC_FIEMAP), N(BLKROGET), N(BLKGETSIZE), N(BLKFLSBUF), N(BLKSSZGET),
	N(BLKGETSIZE64),
	N(SECCOMP_IOCTL_NOTIF_RECV), N(SECCOMP_IOCTL_NOTIF_SEND),
	N(SECCOMP_IOCTL_NOTIF_ID_VALID), N(SECCOMP_IOCTL_NOTIF_ADDFD),
	N(SECCOMP_IOCTL_NOTIF_SET_FLAGS),
};

static const struct flag_name flockop[] = {
	N(LOCK_SH), N(LOCK_EX), N(LOCK_NB), N(LOCK_UN),
};

static const struct flag_name renameflags[] = {
	N(RENAME_NOREPLACE), N(RENAME_EXCHANGE), N(RENAME_WHITEOUT),
};

static const struct flag_name fallocmode[] = {
	N(FALLOC_FL_KEEP_SIZE), N(FALLOC_FL_PUNCH_HOLE), N(FALLOC_FL_NO_HIDE_STALE),
	N(FALLOC_FL_COLLAPSE_RANGE), N(FALLOC_FL_ZERO_RANGE), N(FALLOC_FL_INSERT_RANGE),
	N(FALLOC_FL_UNSHARE_RANGE),
};

static const struct flag_name fadvice[] = {
	N(POSIX_FADV_NORMAL), N(POSIX_FADV_RANDOM), N(POSIX_FADV_SEQUENTIAL),
	N(POSIX_FADV_WILLNEED), N(POSIX_FADV_DONTNEED), N(POSIX_FADV_NOREUSE),
};

static const struct flag_name spliceflags[] = {
	N(SPLICE_F_MOVE), N(SPLICE_F_NONBLOCK), N(SPLICE_F_MORE), N(SPLICE_F_GIFT),
};

static const struct flag_name syncflags[] = {
	N(SYNC_FILE_RANGE_WAIT_BEFORE), N(SYNC_FILE_RANGE_WRITE),
	N(SYNC_FILE_RANGE_WAIT_AFTER),
};

static const struct flag_name rwflags[] = {
	N(RWF_HIPRI), N(RWF_DSYNC), N(RWF_SYNC), N(RWF_NOWAIT), N(RWF_APPEND),
	N(RWF_NOAPPEND), N(RWF_ATOMIC), N(RWF_DONTCACHE),
};

static const struct flag_name xattrflags[] = {
	N(XATTR_CREATE), N(XATTR_REPLACE),
};

static const struct flag_name closerange[] = {
	N(CLOSE_RANGE_UNSHARE), N(CLOSE_RANGE_CLOEXEC),
};

static const struct flag_name mfdflags[] = {
	N(MFD_CLOEXEC), N(MFD_ALLOW_SEALING), N(MFD_HUGETLB), N(MFD_NOEXEC_SEAL),
	N(MFD_EXEC),
};

static const struct flag_name mountflags[] = {
	N(MS_RDONLY), N(MS_NOSUID), N(MS_NODEV), N(MS_NOEXEC), N(MS_SYNCHRONOUS),
	N(MS_REMOUNT), N(MS_MANDLOCK), N(MS_DIRSYNC), N(MS_NOSYMFOLLOW), N(MS_NOATIME),
	N(MS_NODIRATIME), N(MS_BIND), N(MS_MOVE), N(MS_REC), N(MS_SILENT), N(MS_POSIXACL),
	N(MS_UNBINDABLE), N(MS_PRIVATE), N(MS_SLAVE), N(MS_SHARED), N(MS_RELATIME),
	N(MS_STRICTATIME), N(MS_LAZYTIME),
};

static const struct flag_name umountflags[] = {
	N(MNT_FORCE), N(MNT_DETACH), N(MNT_EXPIRE), N(UMOUNT_NOFOLLOW),
};

static const struct flag_name fsopenflags[] = {
	N(FSOPEN_CLOEXEC),
};

static const struct flag_name movemountflags[] = {
	N(MOVE_MOUNT_F_SYMLINKS), N(MOVE_MOUNT_F_AUTOMOUNTS), N(MOVE_MOUNT_F_EMPTY_PATH),
	N(MOVE_MOUNT_T_SYMLINKS), N(MOVE_MOUNT_T_AUTOMOUNTS), N(MOVE_MOUNT_T_EMPTY_PATH),
};

static const struct flag_name mountattr[] = {
	N(MOUNT_ATTR_RDONLY), N(MOUNT_ATTR_NOSUID), N(MOUNT_ATTR_NODEV),
	N(MOUNT_ATTR_NOEXEC), N(MOUNT_ATTR_NOATIME), N(MOUNT_ATTR_STRICTATIME),
	N(MOUNT_ATTR_NODIRATIME), N(MOUNT_ATTR_IDMAP), N(MOUNT_ATTR_NOSYMFOLLOW),
};

static const struct flag_name inmask[] = {
	N(IN_ALL_EVENTS), N(IN_CLOSE), N(IN_MOVE), N(IN_ACCESS), N(IN_MODIFY),
	N(IN_ATTRIB), N(IN_CLOSE_WRITE), N(IN_CLOSE_NOWRITE), N(IN_OPEN),
	N(IN_MOVED_FROM), N(IN_MOVED_TO), N(IN_CREATE), N(IN_DELETE), N(IN_DELETE_SELF),
	N(IN_MOVE_SELF), N(IN_UNMOUNT), N(IN_Q_OVERFLOW), N(IN_IGNORED), N(IN_ONLYDIR),
	N(IN_DONT_FOLLOW), N(IN_EXCL_UNLINK), N(IN_MASK_CREATE), N(IN_MASK_ADD),
	N(IN_ISDIR), N(IN_ONESHOT),
};

static const struct flag_name epollop[] = {
	N(EPOLL_CTL_ADD), N(EPOLL_CTL_DEL), N(EPOLL_CTL_MOD),
};

static const struct flag_name epollflags[] = {
	N(EPOLL_CLOEXEC),
};

static const struct flag_name efdflags[] = {
	N(EFD_SEMAPHORE), N(EFD_CLOEXEC), N(EFD_NONBLOCK),
};

static const struct flag_name tfdflags[] = {
	N(TFD_CLOEXEC), N(TFD_NONBLOCK),
};

static const struct flag_name tfdtimeflags[] = {
	N(TFD_TIMER_ABSTIME), N(TFD_TIMER_CANCEL_ON_SET),
};

static const struct flag_name inflags[] = {
	N(IN_CLOEXEC), N(IN_NONBLOCK),
};

static const struct flag_name mmapprot[] = {
	N(PROT_NONE), N(PROT_READ), N(PROT_WRITE), N(PROT_EXEC), N(PROT_SEM),
	N(PROT_GROWSDOWN), N(PROT_GROWSUP),
};

static const struct flag_name mmapflags[] = {
	N(MAP_SHARED), N(MAP_PRIVATE), N(MAP_SHARED_VALIDATE), N(MAP_DROPPABLE), N(MAP_FIXED),
	N(MAP_ANONYMOUS), N(MAP_32BIT), N(MAP_ABOVE4G), N(MAP_GROWSDOWN),
	N(MAP_DENYWRITE), N(MAP_EXECUTABLE), N(MAP_LOCKED), N(MAP_NORESERVE),
	N(MAP_POPULATE), N(MAP_NONBLOCK), N(MAP_STACK), N(MAP_HUGETLB), N(MAP_SYNC),
	N(MAP_FIXED_NOREPLACE), N(MAP_UNINITIALIZED),
};

static const struct flag_name mremapflags[] = {
	N(MREMAP_MAYMOVE), N(MREMAP_FIXED), N(MREMAP_DONTUNMAP),
};

static const struct flag_name msyncflags[] = {
	N(MS_ASYNC), N(MS_INVALIDATE), N(MS_SYNC),
};

static const struct flag_name madvice[] = {
	N(MADV_NORMAL), N(MADV_RANDOM), N(MADV_SEQUENTIAL), N(MADV_WILLNEED),
	N(MADV_DONTNEED), N(MADV_FREE), N(MADV_REMOVE), N(MADV_DONTFORK), N(MADV_DOFORK),
	N(MADV_MERGEABLE), N(MADV_UNMERGEABLE), N(MADV_HUGEPAGE), N(MADV_NOHUGEPAGE),
	N(MADV_DONTDUMP), N(MADV_DODUMP), N(MADV_WIPEONFORK), N(MADV_KEEPONFORK),
	N(MADV_COLD), N(MADV_PAGEOUT), N(MADV_POPULATE_READ), N(MADV_POPULATE_WRITE),
	N(MADV_DONTNEED_LOCKED), N(MADV_COLLAPSE), N(MADV_HWPOISON), N(MADV_SOFT_OFFLINE),
	N(MADV_GUARD_INSTALL), N(MADV_GUARD_REMOVE),
};

static const struct flag_name mclflags[] = {
	N(MCL_CURRENT), N(MCL_FUTURE), N(MCL_ONFAULT),
};

static const struct flag_name mlockflags[] = {
	N(MLOCK_ONFAULT),
};

static const struct flag_name mpolmode[] = {
	N(MPOL_DEFAULT), N(MPOL_PREFERRED), N(MPOL_BIND), N(MPOL_INTERLEAVE),
	N(MPOL_LOCAL), N(MPOL_PREFERRED_MANY),
};

static const struct flag_name mpolflags[] = {
	N(MPOL_MF_STRICT), N(MPOL_MF_MOVE), N(MPOL_MF_MOVE_ALL),
};

static const struct flag_name pkeyrights[] = {
	N(PKEY_DISABLE_ACCESS), N(PKEY_DISABLE_WRITE),
};

static const struct flag_name membarriercmd[] = {
	N(MEMBARRIER_CMD_QUERY), N(MEMBARRIER_CMD_GLOBAL),
	N(MEMBARRIER_CMD_GLOBAL_EXPEDITED), N(MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED),
	N(MEMBARRIER_CMD_PRIVATE_EXPEDITED), N(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED),
	N(MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE),
	N(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE),
	N(MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ),
	N(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ),
	N(MEMBARRIER_CMD_GET_REGISTRATIONS),
};

static const struct flag_name membarrierflags[] = {
	N(MEMBARRIER_CMD_FLAG_CPU),
};

static const struct flag_set sets[ARG_KINDS] = {
	[ARG_OFLAGS] = MIXED(oflags, 3),
	[ARG_FDFLAGS] = FLAGS(fdflags),
	[ARG_FILEMODE] = FILE_MODE(filemode),
	[ARG_ACCMODE] = FLAGS(accmode),
	[ARG_ATFLAGS] = FLAGS(atflags),
	[ARG_ACCESSFLAGS] = FLAGS(accessflags),
	[ARG_UNLINKFLAGS] = FLAGS(unlinkflags),
	[ARG_STATXMASK] = FLAGS(statxmask),
	[ARG_WHENCE] = ENUM(whence),
	[ARG_FCNTLCMD] = ENUM(fcntlcmd),
	[ARG_IOCTLCMD] = ENUM(ioctlcmd),
	[ARG_FLOCKOP] = MIXED(flockop, 3),
	[ARG_RENAMEFLAGS] = FLAGS(renameflags),
	[ARG_FALLOCMODE] = FLAGS(fallocmode),
	[ARG_FADVICE] = ENUM(fadvice),
	[ARG_SPLICEFLAGS] = FLAGS(spliceflags),
	[ARG_SYNCFLAGS] = FLAGS(syncflags),
	[ARG_RWFLAGS] = FLAGS(rwflags),
	[ARG_XATTRFLAGS] = FLAGS(xattrflags),
	[ARG_CLOSERANGE] = FLAGS(closerange),
	[ARG_MFDFLAGS] = FLAGS(mfdflags),
	[ARG_MOUNTFLAGS] = FLAGS(mountflags),
	[ARG_UMOUNTFLAGS] = FLAGS(umountflags),
	[ARG_FSOPENFLAGS] = FLAGS(fsopenflags),
	[ARG_MOVEMOUNTFLAGS] = FLAGS(movemountflags),
	[ARG_MOUNTATTR] = MIXED(mountattr, MOUNT_ATTR__ATIME),
	[ARG_INMASK] = FLAGS(inmask),
	[ARG_EPOLLOP] = ENUM(epollop),
	[ARG_EPOLLFLAGS] = FLAGS(epollflags),
	[ARG_EFDFLAGS] = FLAGS(efdflags),
	[ARG_TFDFLAGS] = FLAGS(tfdflags),
	[ARG_TFDTIMEFLAGS] = FLAGS(tfdtimeflags),
	[ARG_INFLAGS] = FLAGS(inflags),
	[ARG_MMAPPROT] = FLAGS(mmapprot),
	[ARG_MMAPFLAGS] = MIXED(mmapflags, MAP_TYPE),
	[ARG_MREMAPFLAGS] = FLAGS(mremapflags),
	[ARG_MSYNCFLAGS] = FLAGS(msyncflags),
	[ARG_MADVICE] = ENUM(madvice),
	[ARG_MCLFLAGS] = FLAGS(mclflags),
	[ARG_MLOCKFLAGS] = FLAGS(mlockflags),
	[ARG_MPOLMODE] = ENUM(mpolmode),
	[ARG_MPOLFLAGS] = FLAGS(mpolflags),
	[ARG_PKEYRIGHTS] = FLAGS(pkeyrights),
	[ARG_MEMBARRIERCMD] = ENUM(membarriercmd),
	[ARG_MEMBARRIERFLAGS] = FLAGS(membarrierflags),
};
/* clang-format on */

const struct flag_set *flags_of_files(uint8_t kind)
{
	return kind < ARG_KINDS && sets[kind].names ? &sets[kind] : NULL;
}
