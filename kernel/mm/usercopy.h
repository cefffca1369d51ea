/* SPDX-License-Identifier: MIT */
/* usercopy.h - the only way to guest memory.
 *
 * Addresses are those of the calling task's own address space. A fault on the way
 * (unmapped, wrong protection, past the end of a file, an address above the guest's
 * range) makes the call return -EFAULT; what was copied before the fault stays copied, as
 * on Linux. May be called with locks held: no lock of ours is taken, but a fault may wait
 * for the host's disk. */
#pragma once
#include "abi/types.h"

/* One past the highest address a guest may name. */
#define USER_END   0x7feffffff000UL
#define USER_START 0x10000UL /* lowest address given out without MAP_FIXED */

static inline bool user_range_ok(uaddr_t addr, size_t size)
{
	return size <= USER_END && addr <= USER_END - size;
}

int copy_from_user(void *dst, uaddr_t src, size_t size) MUST_CHECK;
/* A struct whose later versions may be longer: what we do not know must be zero, what the
 * guest does not have stays as it is. -E2BIG, -EFAULT. */
int copy_struct_from_user(void *dst, size_t size, uaddr_t src,
			  size_t guest_size) MUST_CHECK;
int copy_to_user(uaddr_t dst, const void *src, size_t size) MUST_CHECK;
/* The same, returning how many bytes were NOT copied (0: all). */
size_t copy_from_user_partial(void *dst, uaddr_t src, size_t size) MUST_CHECK;
size_t copy_to_user_partial(uaddr_t dst, const void *src, size_t size) MUST_CHECK;
/* Zeroes guest memory; returns bytes not cleared. */
size_t clear_user_partial(uaddr_t dst, size_t size) MUST_CHECK;
/* Copies a string with its NUL. Returns its length without the NUL, -EFAULT, or
 * -ENAMETOOLONG when there is no NUL in the first size bytes. */
long strncpy_from_user(char *dst, uaddr_t src, size_t size) MUST_CHECK;
/* Length without NUL of a guest string, -EFAULT, or -E2BIG when longer than max. */
long strnlen_user(uaddr_t src, size_t max) MUST_CHECK;

/* After a failed or short copy: true when it was because of a page that a userfaultfd(2)
 * holds back, or that a stack had not grown to, which the copy could not wait for with
 * locks held: it is there now. For who
 * has dropped his locks and can try again; system calls that just fail with EFAULT are
 * restarted by the dispatcher. */
bool user_fault_retry(void) MUST_CHECK;
/* The same failure is final: the call is not restarted. */
void user_fault_forget(void);

int get_user_u32(uint32_t *out, uaddr_t src) MUST_CHECK;
int get_user_u64(uint64_t *out, uaddr_t src) MUST_CHECK;
int put_user_u8(uaddr_t dst, uint8_t value) MUST_CHECK;
int put_user_u32(uaddr_t dst, uint32_t value) MUST_CHECK;
int put_user_u64(uaddr_t dst, uint64_t value) MUST_CHECK;
/* *word == old ? *word = new; *seen gets what was there. -EFAULT. addr must be 4-aligned.
 */
int user_cmpxchg_u32(uaddr_t addr, uint32_t old, uint32_t new_value,
		     uint32_t *seen) MUST_CHECK;

#define COPY_IN(dst_ptr, uaddr)	 copy_from_user((dst_ptr), (uaddr), sizeof(*(dst_ptr)))
#define COPY_OUT(uaddr, src_ptr) copy_to_user((uaddr), (src_ptr), sizeof(*(src_ptr)))
