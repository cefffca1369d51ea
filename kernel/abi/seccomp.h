/* SPDX-License-Identifier: MIT */
/* seccomp.h - seccomp(2) and the filter programs it takes. */
#pragma once
#pragma GCC system_header /* hosted tests include libc first, then this */

#include "abi/types.h"

#define SECCOMP_MODE_DISABLED		       0
#define SECCOMP_MODE_STRICT		       1
#define SECCOMP_MODE_FILTER		       2
#define SECCOMP_MODE_DEAD		       3 /* it is being killed */
#define SECCOMP_SET_MODE_STRICT		       0
#define SECCOMP_SET_MODE_FILTER		       1
#define SECCOMP_GET_ACTION_AVAIL	       2
#define SECCOMP_GET_NOTIF_SIZES		       3
#define SECCOMP_FILTER_FLAG_TSYNC	       0x1
#define SECCOMP_FILTER_FLAG_LOG		       0x2
#define SECCOMP_FILTER_FLAG_SPEC_ALLOW	       0x4
#define SECCOMP_FILTER_FLAG_NEW_LISTENER       0x8
#define SECCOMP_FILTER_FLAG_TSYNC_ESRCH	       0x10
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV 0x20
#define SECCOMP_RET_KILL_PROCESS	       0x80000000U
#define SECCOMP_RET_KILL_THREAD		       0
#define SECCOMP_RET_TRAP		       0x30000
#define SECCOMP_RET_ERRNO		       0x50000
#define SECCOMP_RET_USER_NOTIF		       0x7fc00000
#define SECCOMP_RET_TRACE		       0x7ff00000
#define SECCOMP_RET_LOG			       0x7ffc0000
#define SECCOMP_RET_ALLOW		       0x7fff0000
#define SECCOMP_RET_ACTION_FULL		       0xffff0000U
#define SECCOMP_RET_DATA		       0xffff

struct linux_seccomp_data {
	int32_t nr;
	uint32_t arch;
	uint64_t instruction_pointer;
	uint64_t args[6];
};

_Static_assert(sizeof(struct linux_seccomp_data) == 64, "struct seccomp_data");
#define AUDIT_ARCH_X86_64 0xc000003eU
#define AUDIT_ARCH_I386	  0x40000003U

/* SECCOMP_GET_NOTIF_SIZES. */
struct linux_seccomp_notif_sizes {
	uint16_t notif;
	uint16_t resp;
	uint16_t data;
};

/* What a listener reads and writes: seccomp_unotify(2). */
struct linux_seccomp_notif {
	uint64_t id;
	uint32_t pid;
	uint32_t flags;
	struct linux_seccomp_data data;
};

struct linux_seccomp_notif_resp {
	uint64_t id;
	int64_t val;
	int32_t error;
	uint32_t flags;
};

struct linux_seccomp_notif_addfd {
	uint64_t id;
	uint32_t flags;
	uint32_t srcfd;
	uint32_t newfd;
	uint32_t newfd_flags;
};

_Static_assert(sizeof(struct linux_seccomp_notif) == 80, "struct seccomp_notif");
_Static_assert(sizeof(struct linux_seccomp_notif_resp) == 24,
	       "struct seccomp_notif_resp");
_Static_assert(sizeof(struct linux_seccomp_notif_addfd) == 24,
	       "struct seccomp_notif_addfd");

#define SECCOMP_USER_NOTIF_FLAG_CONTINUE   0x1
#define SECCOMP_ADDFD_FLAG_SETFD	   0x1
#define SECCOMP_ADDFD_FLAG_SEND		   0x2
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP 0x1

#define SECCOMP_IOCTL_NOTIF_RECV	       0xc0502100U
#define SECCOMP_IOCTL_NOTIF_SEND	       0xc0182101U
#define SECCOMP_IOCTL_NOTIF_ID_VALID	       0x40082102
#define SECCOMP_IOCTL_NOTIF_ID_VALID_WRONG_DIR 0x80082102U
#define SECCOMP_IOCTL_NOTIF_ADDFD	       0x40182103
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS	       0x40082104
