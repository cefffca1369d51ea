/* SPDX-License-Identifier: MIT */
/* uio.h - where a read puts its bytes and a write takes them: pieces of guest or kernel
 * memory.
 *
 * Guest ranges were checked against the guest's end when the uio was made, so that it may
 * be handed to the host. The copies move a cursor. */
#pragma once
#include "abi/types.h"
#include "abi/uio.h"
#include "base/scratch.h"

enum uio_flags {
	UIO_KERNEL = 1 << 0,   /* the addresses are the kernel's own */
	UIO_NONBLOCK = 1 << 1, /* RWF_NOWAIT, SPLICE_F_NONBLOCK: as if O_NONBLOCK */
	UIO_APPEND = 1 << 2,   /* RWF_APPEND */
	UIO_NOAPPEND = 1 << 3, /* RWF_NOAPPEND */
	UIO_DSYNC = 1 << 4,
	UIO_SYNC = 1 << 5,
	UIO_NOWAIT = 1 << 6, /* RWF_NOWAIT itself: -EAGAIN instead of any wait */
	UIO_ASKED = 1 << 7,  /* notify_ask_access() has been called */
};

struct uio {
	const struct linux_iovec *iov;
	uint32_t count; /* pieces left, iov's first among them */
	uint32_t flags; /* enum uio_flags */
	size_t off;	/* already used of the first piece */
	size_t left;	/* bytes left in all */
	struct linux_iovec one;
};

/* One piece of guest memory that is to be handed to the host as it is: 0, -EFAULT. A size
 * over MAX_RW_COUNT is cut. */
int uio_check_user(uaddr_t addr, size_t *size) MUST_CHECK;
/* The same as a uio. */
int uio_init_user(struct uio *u, uaddr_t addr, size_t size) MUST_CHECK;

enum { UIO_FAST = 8 };
/* Where the pieces of a vector lie: part of its call, which may sleep. */
struct uio_vec {
	struct linux_iovec fast[UIO_FAST];
	struct scratch more; /* data: NULL: these are enough */
};

/* readv's vector: 0, -EINVAL, -EFAULT, -ENOMEM: then there is nothing to free. */
int uio_init_user_vec(struct uio *u, uaddr_t iov, size_t count,
		      struct uio_vec *v) MUST_CHECK;
/* Frees what that has allocated. */
void uio_vec_fini(struct uio_vec *v);
void uio_init_kernel(struct uio *u, void *data, size_t size);

/* Takes up to size bytes out of the uio into the kernel (for write). Returns how many:
 * fewer at the end of the uio, or at a fault, which uio_faulted() tells apart: left is
 * then not 0. */
size_t uio_copy_in(struct uio *u, void *dst, size_t size) MUST_CHECK;
/* Takes size bytes, which are there, for *out, which is to be freed, and puts a NUL
 * behind them: 0, -EFAULT, -ENOMEM. */
int uio_copy_in_text(struct uio *u, size_t size, char **out) MUST_CHECK;
/* Puts up to size bytes of kernel memory into the uio (for read). */
size_t uio_copy_out(struct uio *u, const void *src, size_t size) MUST_CHECK;
/* Puts zeroes. */
size_t uio_clear_out(struct uio *u, size_t size) MUST_CHECK;
void uio_advance(struct uio *u, size_t size);
/* Cuts to at most size bytes. */
void uio_truncate(struct uio *u, size_t size);
/* Fills out with up to max pieces of up to size bytes in all, for a host call. Returns
 * the count. */
int uio_host_vec(const struct uio *u, struct linux_iovec *out, int max, size_t size);
