/* SPDX-License-Identifier: MIT */
/* userfaultfd.h - userfaultfd(2), ioctl_userfaultfd(2). */
#pragma once
#pragma GCC system_header /* hosted tests include libc first, then this */

#include "abi/types.h"

#define UFFD_API	    0xaaUL
#define UFFD_USER_MODE_ONLY 1

#define UFFD_EVENT_PAGEFAULT 0x12
#define UFFD_EVENT_FORK	     0x13
#define UFFD_EVENT_REMAP     0x14
#define UFFD_EVENT_REMOVE    0x15
#define UFFD_EVENT_UNMAP     0x16

#define UFFD_PAGEFAULT_FLAG_WRITE 0x1
#define UFFD_PAGEFAULT_FLAG_WP	  0x2
#define UFFD_PAGEFAULT_FLAG_MINOR 0x4

struct uffd_msg {
	uint8_t event;
	uint8_t reserved1;
	uint16_t reserved2;
	uint32_t reserved3;
	union {
		struct {
			uint64_t flags;
			uint64_t address;
			uint32_t ptid;
		} pagefault;
		struct {
			uint32_t ufd;
		} fork;
		struct {
			uint64_t from, to, len;
		} remap;
		struct {
			uint64_t start, end;
		} remove; /* and unmap */
		uint64_t reserved[3];
	} arg;
};

#define UFFD_FEATURE_PAGEFAULT_FLAG_WP	(1UL << 0)
#define UFFD_FEATURE_EVENT_FORK		(1UL << 1)
#define UFFD_FEATURE_EVENT_REMAP	(1UL << 2)
#define UFFD_FEATURE_EVENT_REMOVE	(1UL << 3)
#define UFFD_FEATURE_MISSING_HUGETLBFS	(1UL << 4)
#define UFFD_FEATURE_MISSING_SHMEM	(1UL << 5)
#define UFFD_FEATURE_EVENT_UNMAP	(1UL << 6)
#define UFFD_FEATURE_SIGBUS		(1UL << 7)
#define UFFD_FEATURE_THREAD_ID		(1UL << 8)
#define UFFD_FEATURE_MINOR_HUGETLBFS	(1UL << 9)
#define UFFD_FEATURE_MINOR_SHMEM	(1UL << 10)
#define UFFD_FEATURE_EXACT_ADDRESS	(1UL << 11)
#define UFFD_FEATURE_WP_HUGETLBFS_SHMEM (1UL << 12)
#define UFFD_FEATURE_WP_UNPOPULATED	(1UL << 13)
#define UFFD_FEATURE_POISON		(1UL << 14)
#define UFFD_FEATURE_WP_ASYNC		(1UL << 15)
#define UFFD_FEATURE_MOVE		(1UL << 16)

struct uffdio_api {
	uint64_t api, features, ioctls;
};

struct uffdio_range {
	uint64_t start, len;
};

struct uffdio_register {
	struct uffdio_range range;
	uint64_t mode;
	uint64_t ioctls;
};

#define UFFDIO_REGISTER_MODE_MISSING 1UL
#define UFFDIO_REGISTER_MODE_WP	     2UL
#define UFFDIO_REGISTER_MODE_MINOR   4UL

struct uffdio_copy {
	uint64_t dst, src, len, mode;
	int64_t copy;
};

#define UFFDIO_COPY_MODE_DONTWAKE 1UL
#define UFFDIO_COPY_MODE_WP	  2UL

/* zeropage, continue, poison: what was done comes last. */
struct uffdio_zeropage {
	struct uffdio_range range;
	uint64_t mode;
	int64_t zeropage;
};

#define UFFDIO_ZEROPAGE_MODE_DONTWAKE 1UL

struct uffdio_writeprotect {
	struct uffdio_range range;
	uint64_t mode;
};

#define UFFDIO_WRITEPROTECT_MODE_WP	  1UL
#define UFFDIO_WRITEPROTECT_MODE_DONTWAKE 2UL

struct uffdio_continue {
	struct uffdio_range range;
	uint64_t mode;
	int64_t mapped;
};

#define UFFDIO_CONTINUE_MODE_DONTWAKE 1UL
#define UFFDIO_CONTINUE_MODE_WP	      2UL

struct uffdio_poison {
	struct uffdio_range range;
	uint64_t mode;
	int64_t updated;
};

#define UFFDIO_POISON_MODE_DONTWAKE 1UL

struct uffdio_move {
	uint64_t dst, src, len, mode;
	int64_t move;
};

#define UFFDIO_MOVE_MODE_DONTWAKE	 1UL
#define UFFDIO_MOVE_MODE_ALLOW_SRC_HOLES 2UL

enum {
	UFFD_NR_REGISTER = 0,
	UFFD_NR_UNREGISTER = 1,
	UFFD_NR_WAKE = 2,
	UFFD_NR_COPY = 3,
	UFFD_NR_ZEROPAGE = 4,
	UFFD_NR_MOVE = 5,
	UFFD_NR_WRITEPROTECT = 6,
	UFFD_NR_CONTINUE = 7,
	UFFD_NR_POISON = 8,
	UFFD_NR_API = 0x3f,
};

#define USERFAULTFD_IOC_NEW 0xaa00U
#define UFFDIO_API	    0xc018aa3fU
#define UFFDIO_REGISTER	    0xc020aa00U
#define UFFDIO_UNREGISTER   0x8010aa01U
#define UFFDIO_WAKE	    0x8010aa02U
#define UFFDIO_COPY	    0xc028aa03U
#define UFFDIO_ZEROPAGE	    0xc020aa04U
#define UFFDIO_MOVE	    0xc028aa05U
#define UFFDIO_WRITEPROTECT 0xc018aa06U
#define UFFDIO_CONTINUE	    0xc020aa07U
#define UFFDIO_POISON	    0xc020aa08U
