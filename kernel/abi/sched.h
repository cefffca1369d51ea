/* SPDX-License-Identifier: MIT */
/* sched.h - clone flags and scheduling. */
#pragma once
#pragma GCC system_header /* hosted tests include libc first, then this */

#include "abi/types.h"

#define CSIGNAL		     0xff
#define CLONE_NEWTIME	     0x80
#define CLONE_VM	     0x100
#define CLONE_FS	     0x200
#define CLONE_FILES	     0x400
#define CLONE_SIGHAND	     0x800
#define CLONE_PIDFD	     0x1000
#define CLONE_PTRACE	     0x2000
#define CLONE_VFORK	     0x4000
#define CLONE_PARENT	     0x8000
#define CLONE_THREAD	     0x10000
#define CLONE_NEWNS	     0x20000
#define CLONE_SYSVSEM	     0x40000
#define CLONE_SETTLS	     0x80000
#define CLONE_PARENT_SETTID  0x100000
#define CLONE_CHILD_CLEARTID 0x200000
#define CLONE_DETACHED	     0x400000
#define CLONE_UNTRACED	     0x800000
#define CLONE_CHILD_SETTID   0x1000000
#define CLONE_NEWCGROUP	     0x2000000
#define CLONE_NEWUTS	     0x4000000
#define CLONE_NEWIPC	     0x8000000
#define CLONE_NEWUSER	     0x10000000
#define CLONE_NEWPID	     0x20000000
#define CLONE_NEWNET	     0x40000000
#define CLONE_IO	     0x80000000U
#define CLONE_NAMESPACES                                                                 \
	(CLONE_NEWTIME | CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC |   \
	 CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET)
/* clone3(2) only. */
#define CLONE_CLEAR_SIGHAND 0x100000000ULL
#define CLONE_INTO_CGROUP   0x200000000ULL

struct linux_clone_args {
	uint64_t flags;
	uint64_t pidfd;
	uint64_t child_tid;
	uint64_t parent_tid;
	uint64_t exit_signal;
	uint64_t stack;
	uint64_t stack_size;
	uint64_t tls;
	uint64_t set_tid;
	uint64_t set_tid_size;
	uint64_t cgroup;
};

#define CLONE_ARGS_SIZE_VER0 64
#define CLONE_ARGS_SIZE_VER1 80
#define CLONE_ARGS_SIZE_VER2 88
_Static_assert(sizeof(struct linux_clone_args) == CLONE_ARGS_SIZE_VER2,
	       "struct clone_args");

#define SCHED_NORMAL		  0
#define SCHED_FIFO		  1
#define SCHED_RR		  2
#define SCHED_BATCH		  3
#define SCHED_IDLE		  5
#define SCHED_DEADLINE		  6
#define SCHED_EXT		  7
#define SCHED_OTHER		  SCHED_NORMAL
#define SCHED_RESET_ON_FORK	  0x40000000
#define SCHED_FLAG_RESET_ON_FORK  0x1
#define SCHED_FLAG_RECLAIM	  0x2
#define SCHED_FLAG_DL_OVERRUN	  0x4
#define SCHED_FLAG_KEEP_POLICY	  0x8
#define SCHED_FLAG_KEEP_PARAMS	  0x10
#define SCHED_FLAG_UTIL_CLAMP_MIN 0x20
#define SCHED_FLAG_UTIL_CLAMP_MAX 0x40

struct linux_sched_param {
	int32_t sched_priority;
};

#define SCHED_ATTR_SIZE_VER0 48
#define SCHED_ATTR_SIZE_VER1 56
struct linux_sched_attr {
	uint32_t size;
	uint32_t sched_policy;
	uint64_t sched_flags;
	int32_t sched_nice;
	uint32_t sched_priority;
	uint64_t sched_runtime;
	uint64_t sched_deadline;
	uint64_t sched_period;
	uint32_t sched_util_min;
	uint32_t sched_util_max;
};

_Static_assert(sizeof(struct linux_sched_attr) == SCHED_ATTR_SIZE_VER1,
	       "struct sched_attr");

/* kcmp(2) */
#define KCMP_FILE      0
#define KCMP_VM	       1
#define KCMP_FILES     2
#define KCMP_FS	       3
#define KCMP_SIGHAND   4
#define KCMP_IO	       5
#define KCMP_SYSVSEM   6
#define KCMP_EPOLL_TFD 7

struct linux_kcmp_epoll_slot {
	uint32_t efd;
	uint32_t tfd;
	uint32_t toff; /* the how manyth file known as tfd */
};

/* pidfd_open(2), which takes O_NONBLOCK's value and, since Linux 6.9, O_EXCL's. */
#define PIDFD_NONBLOCK 04000
#define PIDFD_THREAD   0200
/* ioctls: this plus the number of a namespace */
#define PIDFD_IOCTL_BASE 0xff00U

/* PIDFD_GET_INFO, since Linux 6.13: an ioctl whose number tells the size. */
#define PIDFD_GET_INFO_NR     11
#define PIDFD_INFO_PID	      0x1 /* the first three are always told of who is there */
#define PIDFD_INFO_CREDS      0x2
#define PIDFD_INFO_CGROUPID   0x4
#define PIDFD_INFO_EXIT	      0x8
#define PIDFD_INFO_COREDUMP   0x10
#define PIDFD_INFO_SIZE_FIRST 64
#define PIDFD_COREDUMP_SKIP   2
#define PIDFD_COREDUMP_USER   4
#define PIDFD_COREDUMP_ROOT   8

struct linux_pidfd_info {
	uint64_t mask;
	uint64_t cgroupid;
	uint32_t pid, tgid, ppid;
	uint32_t ruid, rgid, euid, egid, suid, sgid, fsuid, fsgid;
	int32_t exit_code;
	uint32_t coredump_mask;
	uint32_t pad;
};

/* In the place of a descriptor, since Linux 6.15: the calling thread, its process. */
#define PIDFD_SELF_THREAD	(-10000)
#define PIDFD_SELF_THREAD_GROUP (-10001)

/* pidfd_send_signal(2), since Linux 6.9: at most one. */
#define PIDFD_SIGNAL_THREAD	   1
#define PIDFD_SIGNAL_THREAD_GROUP  2
#define PIDFD_SIGNAL_PROCESS_GROUP 4
#define PIDFD_SIGNAL_FLAGS	   7

/* ioprio_set(2) */
#define IOPRIO_WHO_PROCESS 1
#define IOPRIO_WHO_PGRP	   2
#define IOPRIO_WHO_USER	   3
