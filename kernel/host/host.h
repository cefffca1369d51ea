/* SPDX-License-Identifier: MIT */
/* host.h - THE NARROW INTERFACE: everything that the kernel may ask of its host.
 *
 * Only host/linux/ makes host system calls. Each function is one host call (or none);
 * each returns 0, a count, a descriptor or -errno. What the host answers is checked by
 * the caller, never trusted. Why each exists: host/README.md. Calls marked "blocks" end
 * with -EINTR when work arrives for the current task: they must be entered through the
 * restartable stub (host_block_*), see host/linux/block.S. Host descriptors are
 * sandbox-wide: any host process may use them. */
#pragma once
#include "abi/types.h"

struct linux_flock;
struct linux_statx;
struct linux_iovec;
struct linux_pollfd;
struct linux_epoll_event;
struct linux_timespec;
struct linux_rusage;
struct linux_statfs;
struct linux_mmsghdr;
struct linux_msghdr;

/* ---- sleeping ---- */
/* Blocks while *word == expected, until woken, the deadline (CLOCK_MONOTONIC), or, when
 * mask is not 0, until
 * (*work & mask) != 0. Returns 0, -EAGAIN, -ETIMEDOUT, -EINTR. */
int host_futex_wait(uint32_t *word, uint32_t expected, nsec_t deadline,
		    const uint32_t *work, uint32_t mask);
int host_futex_wake(uint32_t *word, int count);
/* Blocks, unless deadline is 0. deadline as above. Returns the number of ready
 * descriptors, 0 on timeout. */
long host_poll(struct linux_pollfd *fds, unsigned int count, nsec_t deadline);
/* Blocks; of the current task's work (enum work) only what is in mask ends it. */
long host_poll_until(struct linux_pollfd *fds, unsigned int count, nsec_t deadline,
		     uint32_t mask);
void host_yield(void);
/* An eventfd that a task polls next to host descriptors, so that kernel wake-ups reach
 * it. */
int host_eventfd_create(void);
int host_eventfd_signal(int fd);
int host_eventfd_clear(int fd);
/* An epoll of the host's, for the members of a guest's epoll that are host descriptors.
 */
int host_epoll_create(void);
/* ev is kernel memory; what comes back from a wait as its data says nothing about the
 * descriptor. */
int host_epoll_ctl(int epfd, int op, int fd, struct linux_epoll_event *ev);
/* Blocks, unless deadline is 0. Returns the number of events, 0 on timeout. */
long host_epoll_wait(int epfd, struct linux_epoll_event *events, int max,
		     nsec_t deadline);

/* ---- time ---- */
/* Nanoseconds of a host clock (CLOCK_REALTIME, MONOTONIC, BOOTTIME, TAI, *_COARSE,
 * *_CPUTIME_ID …). */
nsec_t host_clock(int clock_id);
/* Start-up: the vDSO's clock_gettime, as an offset from cpu->vdso_base, so that
 * host_clock() needs no host call. */
void host_clock_init(size_t gettime);
int host_clock_getres(int clock_id, nsec_t *out);

/* ---- memory of the calling host process ---- */
long host_mmap(uaddr_t addr, size_t size, int prot, int flags, int fd, int64_t off);
int host_munmap(uaddr_t addr, size_t size);
int host_mprotect(uaddr_t addr, size_t size, int prot);
long host_mremap(uaddr_t addr, size_t old_size, size_t new_size, int flags,
		 uaddr_t new_addr);
int host_madvise(uaddr_t addr, size_t size, int advice);
int host_msync(uaddr_t addr, size_t size, int flags);
int host_mincore(uaddr_t addr, size_t size, uint8_t *vec);
int host_mlock2(uaddr_t addr, size_t size, int flags);
int host_munlock(uaddr_t addr, size_t size);
int host_memfd_create(const char *name, unsigned int flags);

/* ---- files ---- */
/* openat2 below dirfd; flags gets O_CLOEXEC|O_NOCTTY added; resolve: RESOLVE_*
 * (RESOLVE_BENEATH|NO_MAGICLINKS always added). */
int host_openat(int dirfd, const char *path, int flags, uint32_t mode, uint64_t resolve);
int host_close(int fd);
/* The same for a socket whose SO_LINGER makes it wait: blocks; -EINTR: it is still open.
 */
int host_close_lingering(int fd);
int host_dup(int fd);
long host_pread(int fd, void *buf, size_t size, int64_t off);
long host_pwrite(int fd, const void *buf, size_t size, int64_t off);
/* Vectors may name guest memory (a fault there is -EFAULT). off -1: the host's own
 * position (pipes, ttys); these block. */
long host_preadv(int fd, const struct linux_iovec *iov, int count, int64_t off);
long host_pwritev(int fd, const struct linux_iovec *iov, int count, int64_t off);
/* At the host's own position (the end, for O_APPEND) of a file that lets nobody wait:
 * nothing interrupts them. */
long host_readv(int fd, const struct linux_iovec *iov, int count);
long host_writev(int fd, const struct linux_iovec *iov, int count);
/* sendfile(2) from *off of `in` on, which moves, to a socket. Blocks unless that has
 * O_NONBLOCK. */
long host_sendfile(int out, int in, int64_t *off, size_t size);
long host_lseek(int fd, int64_t off, int whence);
int host_statx(int dirfd, const char *path, int flags, uint32_t mask,
	       struct linux_statx *out);
long host_readlinkat(int dirfd, const char *path, char *buf, size_t size);
long host_getdents64(int fd, void *buf, size_t size);
int host_ftruncate(int fd, int64_t size);
int host_fallocate(int fd, int mode, int64_t off, int64_t size);
int host_fsync(int fd, bool data_only);
int host_mkdirat(int dirfd, const char *path, uint32_t mode);
int host_mknodat(int dirfd, const char *path,
		 uint32_t mode); /* FIFO and socket nodes only */
int host_unlinkat(int dirfd, const char *path, int flags);
int host_renameat2(int olddir, const char *oldpath, int newdir, const char *newpath,
		   unsigned int flags);
int host_linkat(int olddir, const char *oldpath, int newdir, const char *newpath,
		int flags);
int host_symlinkat(const char *target, int dirfd, const char *path);
int host_fchmod(int fd, uint32_t mode);
/* fchmodat2: -ENOSYS before Linux 6.6. */
int host_fchmodat(int dirfd, const char *path, uint32_t mode, int flags);
int host_fchownat(int dirfd, const char *path, uid_t uid, gid_t gid, int flags);
int host_utimensat(int dirfd, const char *path, const struct linux_timespec *times,
		   int flags);
int host_fstatfs(int fd, struct linux_statfs *out);
/* Extended attributes of what fd is open on, for real: not O_PATH. size 0 asks for the
 * size. Bytes, or -ENODATA, -ERANGE, -EOPNOTSUPP, -EPERM, -EACCES, … */
long host_fgetxattr(int fd, const char *name, void *buf, size_t size);
int host_fsetxattr(int fd, const char *name, const void *value, size_t size, int flags);
long host_flistxattr(int fd, char *buf, size_t size);
int host_fremovexattr(int fd, const char *name);
long host_ioctl(
	int fd, unsigned int cmd,
	void *arg); /* the list in host/linux/ioctl.c only; arg is kernel memory */
int host_fcntl_getfl(int fd);
int host_fcntl_setfl(int fd, int flags);
/* Locks that other programs of the host see and heed; none of these waits. cmd:
 * F_OFD_GETLK, F_OFD_SETLK. -EAGAIN: somebody has it. */
int host_fcntl_lock(int fd, int cmd, struct linux_flock *lock);
/* op: LOCK_SH or LOCK_EX, with LOCK_NB; LOCK_UN. -EAGAIN as above. */
int host_flock(int fd, int op);
long host_getrandom(void *buf, size_t size);

/* ---- internet sockets ---- */
/* AF_INET or AF_INET6; protocol not 0. */
int host_socket(int family, int type, int protocol);
int host_bind(int fd, const void *addr, int len);
int host_listen(int fd, int backlog);
/* may_block false: the descriptor has O_NONBLOCK; else these two block. */
int host_connect(int fd, const void *addr, int len, bool may_block);
/* *len: the room at addr; the name's true length comes back. */
int host_accept(int fd, bool may_block, void *addr, int *len); /* may be NULL, both */
int host_getsockname(int fd, void *addr, int *len, bool peer);
/* The next eight block without MSG_DONTWAIT. data, and the vector of a message, may name
 * guest memory (a fault there is -EFAULT). No signal is sent for -EPIPE. */
long host_send(int fd, uaddr_t data, size_t size, uint32_t flags);
long host_sendmsg(int fd, const struct linux_msghdr *m, uint32_t flags);
long host_recv(int fd, uaddr_t data, size_t size, uint32_t flags);
/* name: may be NULL. *len: the room there; the name's true length comes back. */
long host_sendto(int fd, uaddr_t data, size_t size, uint32_t flags, const void *name,
		 int len);
long host_recvfrom(int fd, uaddr_t data, size_t size, uint32_t flags, void *name,
		   int *len);
long host_recvmsg(int fd, struct linux_msghdr *m, uint32_t flags);
/* As many as can be moved, or the first error; of those to be received it blocks for the
 * first alone. How many, or -errno. */
long host_sendmmsg(int fd, struct linux_mmsghdr *m, unsigned int count, uint32_t flags);
long host_recvmmsg(int fd, struct linux_mmsghdr *m, unsigned int count, uint32_t flags);
int host_shutdown(int fd, int how);
/* Those of host/socket_options.def only. value is kernel memory. */
int host_setsockopt(int fd, int level, int name, const void *value, int len);
int host_getsockopt(int fd, int level, int name, void *value, int *len);

/* ---- threads and processes of the host ---- */
struct cpu;
/* A new host thread (same_mm) or host process of this one's memory; child starts in
 * fn(cpu) on cpu->kstack_top. cpu->host_tid is set before either runs on. Returns the
 * host tid or -errno. */
int host_clone(bool same_mm, bool same_group, struct cpu *cpu, uint64_t stack_top,
	       void (*fn)(struct cpu *));
/* Ends the calling host thread; *done (may be NULL) is set to 1 when its stacks are no
 * longer used. */
NORETURN void host_exit_thread(uint32_t *done);
NORETURN void host_exit_process(uint32_t *done);
/* Start-up: a handler(signo, siginfo, ucontext) on the alternate stack, with only the
 * kick blocked (in SIGSYS's nothing). */
int host_sigaction(int signo, void *handler);
/* Start-up: blocks all signals but those that have a handler. */
int host_signals_init(uint64_t unblocked);
/* Start-up: the filter through which all later host calls pass. */
int host_seccomp_install(const void *insns, unsigned int count);
/* Sends the kick. Errors are ignored: a thread that is gone needs no kick. */
void host_kick(int host_pid, int host_tid);
/* Per-thread set-up: alternate stack, Syscall User Dispatch. */
void host_thread_init(struct cpu *cpu);
int host_sched_getaffinity(int host_tid, void *mask, size_t size);
int host_sched_setaffinity(int host_tid, const void *mask, size_t size);
int host_getrusage(int who, struct linux_rusage *out);
int host_rseq(uaddr_t area, uint32_t size, int flags, uint32_t sig);
int host_membarrier(int cmd, unsigned int flags);
int host_setitimer_cpu(int which,
		       nsec_t value); /* ITIMER_VIRTUAL/PROF of the host process */
NORETURN void host_abort(int status); /* panic: ends the calling process at once */
