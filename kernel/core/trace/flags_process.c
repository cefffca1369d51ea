/* SPDX-License-Identifier: MIT */
/* flags_process.c - one array of names per argument kind: processes, signals, time,
 * sockets and IPC.
 *
 * Order matters where values share bits: the widest first. */
#include "core/trace/flags.h"

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

/* clang-format off */
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
	N(WNOHANG), N(WSTOPPED), N(WEXITED), N(WCONTINUED), N(WNOWAIT), N(__WNOTHREAD),
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
	N(PR_TIMER_CREATE_RESTORE_IDS), N(PR_SET_MDWE), N(PR_GET_MDWE), N(PR_SET_MEMORY_MERGE), N(PR_GET_MEMORY_MERGE),
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

static const struct flag_set sets[ARG_KINDS] = {
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

const struct flag_set *flags_of_processes(uint8_t kind)
{
	return kind < ARG_KINDS && sets[kind].names ? &sets[kind] : NULL;
}
