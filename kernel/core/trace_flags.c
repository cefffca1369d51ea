/* SPDX-License-Identifier: MIT */
/* trace_flags.c - one array of names per argument kind, and how they are printed.
 *
 * Order matters where values share bits: the widest first. */
#include "core/trace_flags.h"

#include "abi/epoll.h"
#include "abi/fcntl.h"
#include "abi/futex.h"
#include "abi/inotify.h"
#include "abi/ioctl.h"
#include "abi/ipc.h"
#include "abi/membarrier.h"
#include "abi/mman.h"
#include "abi/prctl.h"
#include "abi/ptrace.h"
#include "abi/random.h"
#include "abi/resource.h"
#include "abi/rseq.h"
#include "abi/sched.h"
#include "abi/seccomp.h"
#include "abi/signal.h"
#include "abi/socket.h"
#include "abi/stat.h"
#include "abi/statfs.h"
#include "abi/syscall.h"
#include "abi/time.h"
#include "abi/uio.h"
#include "abi/wait.h"
#include "abi/xattr.h"
#include "lib/printf.h"

#define N(constant)                                                                      \
	{                                                                                \
		(uint64_t)(constant), #constant                                          \
	}

/* clang-format off */
static const struct flag_name oflags[] = {
	N(O_RDONLY), N(O_WRONLY), N(O_RDWR), N(O_TMPFILE), N(O_SYNC), N(O_CREAT),
	N(O_EXCL), N(O_NOCTTY), N(O_TRUNC), N(O_APPEND), N(O_NONBLOCK), N(O_DSYNC),
	N(FASYNC), N(O_DIRECT), N(O_LARGEFILE), N(O_DIRECTORY), N(O_NOFOLLOW),
	N(O_NOATIME), N(O_CLOEXEC), N(O_PATH),
};

static const struct flag_name fdflags[] = {
	N(O_CLOEXEC), N(O_NONBLOCK), N(O_DIRECT),
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
	N(MAP_SHARED), N(MAP_PRIVATE), N(MAP_SHARED_VALIDATE), N(MAP_FIXED),
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

static const struct flag_name cloneflags[] = {
	N(SIGCHLD), N(CLONE_VM), N(CLONE_FS), N(CLONE_FILES), N(CLONE_SIGHAND),
	N(CLONE_PIDFD), N(CLONE_PTRACE), N(CLONE_VFORK), N(CLONE_PARENT), N(CLONE_THREAD),
	N(CLONE_NEWNS), N(CLONE_SYSVSEM), N(CLONE_SETTLS), N(CLONE_PARENT_SETTID),
	N(CLONE_CHILD_CLEARTID), N(CLONE_UNTRACED), N(CLONE_CHILD_SETTID),
	N(CLONE_NEWCGROUP), N(CLONE_NEWUTS), N(CLONE_NEWIPC), N(CLONE_NEWUSER),
	N(CLONE_NEWPID), N(CLONE_NEWNET), N(CLONE_IO), N(CLONE_CLEAR_SIGHAND),
	N(CLONE_INTO_CGROUP),
};

static const struct flag_name cloneflags32[] = {
	N(CLONE_NEWTIME), N(CLONE_VM), N(CLONE_FS), N(CLONE_FILES), N(CLONE_SIGHAND),
	N(CLONE_PIDFD), N(CLONE_PTRACE), N(CLONE_VFORK), N(CLONE_PARENT), N(CLONE_THREAD),
	N(CLONE_NEWNS), N(CLONE_SYSVSEM), N(CLONE_SETTLS), N(CLONE_PARENT_SETTID),
	N(CLONE_CHILD_CLEARTID), N(CLONE_UNTRACED), N(CLONE_CHILD_SETTID),
	N(CLONE_NEWCGROUP), N(CLONE_NEWUTS), N(CLONE_NEWIPC), N(CLONE_NEWUSER),
	N(CLONE_NEWPID), N(CLONE_NEWNET), N(CLONE_IO),
};

static const struct flag_name waitopts[] = {
	N(WNOHANG), N(WUNTRACED), N(WEXITED), N(WCONTINUED), N(WNOWAIT), N(__WNOTHREAD),
	N(__WALL), N(__WCLONE),
};

static const struct flag_name idtype[] = {
	N(P_ALL), N(P_PID), N(P_PGID), N(P_PIDFD),
};

static const struct flag_name futexop[] = {
	N(FUTEX_WAIT), N(FUTEX_WAKE), N(FUTEX_FD), N(FUTEX_REQUEUE), N(FUTEX_CMP_REQUEUE),
	N(FUTEX_WAKE_OP), N(FUTEX_LOCK_PI), N(FUTEX_UNLOCK_PI), N(FUTEX_TRYLOCK_PI),
	N(FUTEX_WAIT_BITSET), N(FUTEX_WAKE_BITSET), N(FUTEX_WAIT_REQUEUE_PI),
	N(FUTEX_CMP_REQUEUE_PI), N(FUTEX_LOCK_PI2), N(FUTEX_PRIVATE_FLAG),
	N(FUTEX_CLOCK_REALTIME),
};

static const struct flag_name futex2flags[] = {
	N(FUTEX2_SIZE_U8), N(FUTEX2_SIZE_U16), N(FUTEX2_SIZE_U32), N(FUTEX2_SIZE_U64),
	N(FUTEX2_NUMA), N(FUTEX2_PRIVATE),
};

static const struct flag_name schedpolicy[] = {
	N(SCHED_OTHER), N(SCHED_FIFO), N(SCHED_RR), N(SCHED_BATCH), N(SCHED_IDLE),
	N(SCHED_DEADLINE), N(SCHED_EXT), N(SCHED_RESET_ON_FORK),
};

static const struct flag_name rlimitid[] = {
	N(RLIMIT_CPU), N(RLIMIT_FSIZE), N(RLIMIT_DATA), N(RLIMIT_STACK), N(RLIMIT_CORE),
	N(RLIMIT_RSS), N(RLIMIT_NPROC), N(RLIMIT_NOFILE), N(RLIMIT_MEMLOCK), N(RLIMIT_AS),
	N(RLIMIT_LOCKS), N(RLIMIT_SIGPENDING), N(RLIMIT_MSGQUEUE), N(RLIMIT_NICE),
	N(RLIMIT_RTPRIO), N(RLIMIT_RTTIME),
};

static const struct flag_name rusagewho[] = {
	N(RUSAGE_SELF), N(RUSAGE_CHILDREN), N(RUSAGE_THREAD),
};

static const struct flag_name priowhich[] = {
	N(PRIO_PROCESS), N(PRIO_PGRP), N(PRIO_USER),
};

static const struct flag_name iopriowhich[] = {
	N(IOPRIO_WHO_PROCESS), N(IOPRIO_WHO_PGRP), N(IOPRIO_WHO_USER),
};

static const struct flag_name prctlop[] = {
	N(PR_SET_PDEATHSIG), N(PR_GET_PDEATHSIG), N(PR_GET_DUMPABLE), N(PR_SET_DUMPABLE),
	N(PR_GET_UNALIGN), N(PR_SET_UNALIGN), N(PR_GET_KEEPCAPS), N(PR_SET_KEEPCAPS),
	N(PR_GET_FPEMU), N(PR_SET_FPEMU), N(PR_GET_FPEXC), N(PR_SET_FPEXC),
	N(PR_GET_TIMING), N(PR_SET_TIMING), N(PR_SET_NAME), N(PR_GET_NAME),
	N(PR_GET_ENDIAN), N(PR_SET_ENDIAN), N(PR_GET_SECCOMP), N(PR_SET_SECCOMP),
	N(PR_CAPBSET_READ), N(PR_CAPBSET_DROP), N(PR_GET_TSC), N(PR_SET_TSC),
	N(PR_GET_SECUREBITS), N(PR_SET_SECUREBITS), N(PR_SET_TIMERSLACK),
	N(PR_GET_TIMERSLACK), N(PR_TASK_PERF_EVENTS_DISABLE),
	N(PR_TASK_PERF_EVENTS_ENABLE), N(PR_MCE_KILL), N(PR_MCE_KILL_GET), N(PR_SET_MM),
	N(PR_SET_CHILD_SUBREAPER), N(PR_GET_CHILD_SUBREAPER), N(PR_SET_NO_NEW_PRIVS),
	N(PR_GET_NO_NEW_PRIVS), N(PR_GET_TID_ADDRESS), N(PR_SET_THP_DISABLE),
	N(PR_GET_THP_DISABLE), N(PR_SET_FP_MODE), N(PR_GET_FP_MODE), N(PR_CAP_AMBIENT),
	N(PR_SET_IO_FLUSHER), N(PR_GET_IO_FLUSHER), N(PR_GET_SPECULATION_CTRL),
	N(PR_SET_SPECULATION_CTRL), N(PR_SET_SYSCALL_USER_DISPATCH), N(PR_SCHED_CORE),
	N(PR_SET_MDWE), N(PR_GET_MDWE), N(PR_SET_MEMORY_MERGE), N(PR_GET_MEMORY_MERGE),
	N(PR_SET_VMA), N(PR_GET_AUXV), N(PR_SET_PTRACER),
};

static const struct flag_name archprctl[] = {
	N(ARCH_SET_GS), N(ARCH_SET_FS), N(ARCH_GET_FS), N(ARCH_GET_GS), N(ARCH_GET_CPUID),
	N(ARCH_SET_CPUID), N(ARCH_GET_XCOMP_SUPP), N(ARCH_GET_XCOMP_PERM),
	N(ARCH_REQ_XCOMP_PERM), N(ARCH_MAP_VDSO_X32), N(ARCH_MAP_VDSO_32),
	N(ARCH_MAP_VDSO_64), N(ARCH_CET_STATUS), N(ARCH_SHSTK_ENABLE),
	N(ARCH_SHSTK_DISABLE), N(ARCH_SHSTK_STATUS),
};

static const struct flag_name personality[] = {
	N(PER_LINUX), N(PER_LINUX32), N(UNAME26), N(ADDR_NO_RANDOMIZE), N(FDPIC_FUNCPTRS),
	N(MMAP_PAGE_ZERO), N(ADDR_COMPAT_LAYOUT), N(READ_IMPLIES_EXEC),
	N(ADDR_LIMIT_32BIT), N(SHORT_INODE), N(WHOLE_SECONDS), N(STICKY_TIMEOUTS),
	N(ADDR_LIMIT_3GB),
};

static const struct flag_name ptracereq[] = {
	N(PTRACE_TRACEME), N(PTRACE_PEEKTEXT), N(PTRACE_PEEKDATA), N(PTRACE_PEEKUSR),
	N(PTRACE_POKETEXT), N(PTRACE_POKEDATA), N(PTRACE_POKEUSR), N(PTRACE_CONT),
	N(PTRACE_KILL), N(PTRACE_SINGLESTEP), N(PTRACE_GETREGS), N(PTRACE_SETREGS),
	N(PTRACE_GETFPREGS), N(PTRACE_SETFPREGS), N(PTRACE_ATTACH), N(PTRACE_DETACH),
	N(PTRACE_SYSCALL), N(PTRACE_ARCH_PRCTL), N(PTRACE_SYSEMU), N(PTRACE_SETOPTIONS),
	N(PTRACE_GETEVENTMSG), N(PTRACE_GETSIGINFO), N(PTRACE_SETSIGINFO),
	N(PTRACE_GETREGSET), N(PTRACE_SETREGSET), N(PTRACE_SEIZE), N(PTRACE_INTERRUPT),
	N(PTRACE_LISTEN), N(PTRACE_PEEKSIGINFO), N(PTRACE_GETSIGMASK),
	N(PTRACE_SETSIGMASK), N(PTRACE_SECCOMP_GET_FILTER), N(PTRACE_GET_SYSCALL_INFO),
};

static const struct flag_name kcmptype[] = {
	N(KCMP_FILE), N(KCMP_VM), N(KCMP_FILES), N(KCMP_FS), N(KCMP_SIGHAND), N(KCMP_IO),
	N(KCMP_SYSVSEM), N(KCMP_EPOLL_TFD),
};

static const struct flag_name pidfdflags[] = {
	N(PIDFD_NONBLOCK), N(PIDFD_THREAD),
};

static const struct flag_name seccompop[] = {
	N(SECCOMP_SET_MODE_STRICT), N(SECCOMP_SET_MODE_FILTER),
	N(SECCOMP_GET_ACTION_AVAIL), N(SECCOMP_GET_NOTIF_SIZES),
};

static const struct flag_name seccompflags[] = {
	N(SECCOMP_FILTER_FLAG_TSYNC), N(SECCOMP_FILTER_FLAG_LOG),
	N(SECCOMP_FILTER_FLAG_SPEC_ALLOW), N(SECCOMP_FILTER_FLAG_NEW_LISTENER),
	N(SECCOMP_FILTER_FLAG_TSYNC_ESRCH), N(SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV),
};

static const struct flag_name rseqflags[] = {
	N(RSEQ_FLAG_UNREGISTER),
};

static const struct flag_name signo[] = {
	N(SIGHUP), N(SIGINT), N(SIGQUIT), N(SIGILL), N(SIGTRAP), N(SIGABRT), N(SIGBUS),
	N(SIGFPE), N(SIGKILL), N(SIGUSR1), N(SIGSEGV), N(SIGUSR2), N(SIGPIPE), N(SIGALRM),
	N(SIGTERM), N(SIGSTKFLT), N(SIGCHLD), N(SIGCONT), N(SIGSTOP), N(SIGTSTP),
	N(SIGTTIN), N(SIGTTOU), N(SIGURG), N(SIGXCPU), N(SIGXFSZ), N(SIGVTALRM),
	N(SIGPROF), N(SIGWINCH), N(SIGIO), N(SIGPWR), N(SIGSYS),
};

static const struct flag_name sighow[] = {
	N(SIG_BLOCK), N(SIG_UNBLOCK), N(SIG_SETMASK),
};

static const struct flag_name clockid[] = {
	N(CLOCK_REALTIME), N(CLOCK_MONOTONIC), N(CLOCK_PROCESS_CPUTIME_ID),
	N(CLOCK_THREAD_CPUTIME_ID), N(CLOCK_MONOTONIC_RAW), N(CLOCK_REALTIME_COARSE),
	N(CLOCK_MONOTONIC_COARSE), N(CLOCK_BOOTTIME), N(CLOCK_REALTIME_ALARM),
	N(CLOCK_BOOTTIME_ALARM), N(CLOCK_TAI),
};

static const struct flag_name timerflags[] = {
	N(TIMER_ABSTIME),
};

static const struct flag_name itimerwhich[] = {
	N(ITIMER_REAL), N(ITIMER_VIRTUAL), N(ITIMER_PROF),
};

static const struct flag_name sockdomain[] = {
	N(AF_UNSPEC), N(AF_UNIX), N(AF_INET), N(AF_INET6), N(AF_NETLINK), N(AF_PACKET),
	N(AF_ALG), N(AF_VSOCK),
};

static const struct flag_name socktype[] = {
	N(SOCK_STREAM), N(SOCK_DGRAM), N(SOCK_RAW), N(SOCK_RDM), N(SOCK_SEQPACKET),
	N(SOCK_CLOEXEC), N(SOCK_NONBLOCK),
};

static const struct flag_name sockflags[] = {
	N(SOCK_CLOEXEC), N(SOCK_NONBLOCK),
};

static const struct flag_name socklevel[] = {
	N(SOL_SOCKET), N(SOL_IP), N(SOL_TCP), N(SOL_UDP), N(SOL_IPV6),
};

static const struct flag_name msgflags[] = {
	N(MSG_OOB), N(MSG_PEEK), N(MSG_DONTROUTE), N(MSG_CTRUNC), N(MSG_TRUNC),
	N(MSG_DONTWAIT), N(MSG_EOR), N(MSG_WAITALL), N(MSG_CONFIRM), N(MSG_ERRQUEUE),
	N(MSG_NOSIGNAL), N(MSG_MORE), N(MSG_WAITFORONE), N(MSG_ZEROCOPY), N(MSG_FASTOPEN),
	N(MSG_CMSG_CLOEXEC),
};

static const struct flag_name shuthow[] = {
	N(SHUT_RD), N(SHUT_WR), N(SHUT_RDWR),
};

static const struct flag_name ipccmd[] = {
	N(IPC_RMID), N(IPC_SET), N(IPC_STAT), N(IPC_INFO), N(IPC_64), N(SHM_LOCK),
	N(SHM_UNLOCK), N(GETPID), N(GETVAL), N(GETALL), N(GETNCNT), N(GETZCNT), N(SETVAL),
	N(SETALL),
};

static const struct flag_name ipcflags[] = {
	N(IPC_CREAT), N(IPC_EXCL), N(IPC_NOWAIT),
};

static const struct flag_name shmflags[] = {
	N(SHM_RDONLY), N(SHM_RND), N(SHM_REMAP), N(SHM_EXEC),
};

static const struct flag_name grndflags[] = {
	N(GRND_NONBLOCK), N(GRND_RANDOM), N(GRND_INSECURE),
};

#define FLAGS(array)	     { array, ARRAY_SIZE(array), 0, false }
#define ENUM(array)	     { array, ARRAY_SIZE(array), UINT64_MAX, false }
#define MIXED(array, field) { array, ARRAY_SIZE(array), field, false }
#define FILE_MODE(array)    { array, ARRAY_SIZE(array), S_IFMT, true }

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
	[ARG_CLONEFLAGS] = MIXED(cloneflags, CSIGNAL),
	[ARG_CLONEFLAGS32] = FLAGS(cloneflags32),
	[ARG_WAITOPTS] = FLAGS(waitopts),
	[ARG_IDTYPE] = ENUM(idtype),
	[ARG_FUTEXOP] = MIXED(futexop, 0x7f),
	[ARG_FUTEX2FLAGS] = MIXED(futex2flags, 3),
	[ARG_SCHEDPOLICY] = MIXED(schedpolicy, ~(uint64_t)SCHED_RESET_ON_FORK),
	[ARG_RLIMITID] = ENUM(rlimitid),
	[ARG_RUSAGEWHO] = ENUM(rusagewho),
	[ARG_PRIOWHICH] = ENUM(priowhich),
	[ARG_IOPRIOWHICH] = ENUM(iopriowhich),
	[ARG_PRCTLOP] = ENUM(prctlop),
	[ARG_ARCHPRCTL] = ENUM(archprctl),
	[ARG_PERSONALITY] = MIXED(personality, PER_MASK),
	[ARG_PTRACEREQ] = ENUM(ptracereq),
	[ARG_KCMPTYPE] = ENUM(kcmptype),
	[ARG_PIDFDFLAGS] = FLAGS(pidfdflags),
	[ARG_SECCOMPOP] = ENUM(seccompop),
	[ARG_SECCOMPFLAGS] = FLAGS(seccompflags),
	[ARG_RSEQFLAGS] = FLAGS(rseqflags),
	[ARG_SIGNO] = ENUM(signo),
	[ARG_SIGHOW] = ENUM(sighow),
	[ARG_CLOCKID] = ENUM(clockid),
	[ARG_TIMERFLAGS] = FLAGS(timerflags),
	[ARG_ITIMERWHICH] = ENUM(itimerwhich),
	[ARG_SOCKDOMAIN] = ENUM(sockdomain),
	[ARG_SOCKTYPE] = MIXED(socktype, SOCK_TYPE_MASK),
	[ARG_SOCKFLAGS] = FLAGS(sockflags),
	[ARG_SOCKLEVEL] = ENUM(socklevel),
	[ARG_MSGFLAGS] = FLAGS(msgflags),
	[ARG_SHUTHOW] = ENUM(shuthow),
	[ARG_IPCCMD] = MIXED(ipccmd, ~(uint64_t)IPC_64),
	[ARG_IPCFLAGS] = FLAGS(ipcflags),
	[ARG_SHMFLAGS] = FLAGS(shmflags),
	[ARG_GRNDFLAGS] = FLAGS(grndflags),
};
/* clang-format on */

const struct flag_set *trace_flags_find(uint8_t kind)
{
	if (kind >= ARG_KINDS || !sets[kind].names)
		return NULL;
	return &sets[kind];
}

static const char *field_name(const struct flag_set *set, uint64_t number)
{
	for (size_t i = 0; i < set->count; i++) {
		uint64_t value = set->names[i].value;

		if (value == number && !(value & ~set->field))
			return set->names[i].name;
	}
	return NULL;
}

/* The number in the field. Writes nothing for an unnamed 0 that flags can stand for. */
static size_t format_field(char *buf, size_t size, const struct flag_set *set,
			   uint64_t value)
{
	uint64_t number = value & set->field;
	const char *name = field_name(set, number);

	if (name)
		return kscnprintf(buf, size, "%s", name);
	if (number == 0 && value != 0)
		return 0;
	if (number >= 0x10000 && number <= INT64_MAX)
		return kscnprintf(buf, size, "%#llx", (unsigned long long)number);
	return kscnprintf(buf, size, "%lld", (long long)number);
}

size_t trace_flags_format(char *buf, size_t size, const struct flag_set *set,
			  uint64_t value)
{
	uint64_t rest = value & ~set->field;
	size_t len = 0;

	if (set->field || value == 0)
		len = format_field(buf, size, set, value);
	for (size_t i = 0; i < set->count && rest; i++) {
		uint64_t flag = set->names[i].value;

		if (flag == 0 || (flag & rest) != flag)
			continue;
		len += kscnprintf(buf + len, size - len, "%s%s", len ? "|" : "",
				  set->names[i].name);
		rest &= ~flag;
	}
	if (rest)
		len += kscnprintf(buf + len, size - len,
				  set->is_mode ? "%s%#llo" : "%s%#llx", len ? "|" : "",
				  (unsigned long long)rest);
	return len;
}
