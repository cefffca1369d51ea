/* SPDX-License-Identifier: MIT */
/* usercopy.c - range checks before the instructions of arch/x86_64/usercopy.S. */
#include "mm/usercopy.h"

#include "abi/errno.h"
#include "mm/user_access.h"

/* NOLINTBEGIN(performance-no-int-to-ptr): this file is where guest addresses become
 * pointers */

static void *user(uaddr_t addr)
{
	return (void *)addr;
}

/* How much of a range lies below the end of the guest's addresses. */
static size_t user_part(uaddr_t addr, size_t size)
{
	if (addr >= USER_END)
		return 0;
	return MIN(size, USER_END - addr);
}

size_t copy_from_user_partial(void *dst, uaddr_t src, size_t size)
{
	size_t part = user_part(src, size);

	return size - part + user_copy(dst, user(src), part);
}

size_t copy_to_user_partial(uaddr_t dst, const void *src, size_t size)
{
	size_t part = user_part(dst, size);

	return size - part + user_copy(user(dst), src, part);
}

size_t clear_user_partial(uaddr_t dst, size_t size)
{
	size_t part = user_part(dst, size);

	return size - part + user_clear(user(dst), part);
}

int copy_from_user(void *dst, uaddr_t src, size_t size)
{
	return copy_from_user_partial(dst, src, size) ? -EFAULT : 0;
}

int copy_struct_from_user(void *dst, size_t size, uaddr_t src, size_t guest_size)
{
	for (size_t at = size; at < guest_size; at++) {
		uint8_t byte;
		int err = copy_from_user(&byte, src + at, 1);

		if (err)
			return err;
		if (byte)
			return -E2BIG;
	}
	return copy_from_user(dst, src, MIN(size, guest_size));
}

int copy_to_user(uaddr_t dst, const void *src, size_t size)
{
	return copy_to_user_partial(dst, src, size) ? -EFAULT : 0;
}

long strncpy_from_user(char *dst, uaddr_t src, size_t size)
{
	size_t part = user_part(src, size);
	long len = user_strncpy(dst, user(src), part);

	if (len < 0)
		return len;
	if ((size_t)len < part)
		return len;
	return part < size ? -EFAULT : -ENAMETOOLONG;
}

long strnlen_user(uaddr_t src, size_t max)
{
	size_t part = user_part(src, max);
	long len = user_strnlen(user(src), part);

	if (len < 0 || (size_t)len < part)
		return len;
	return part < max ? -EFAULT : -E2BIG;
}

int get_user_u32(uint32_t *out, uaddr_t src)
{
	return user_range_ok(src, sizeof(*out)) ? user_load_u32(out, user(src)) : -EFAULT;
}

int get_user_u64(uint64_t *out, uaddr_t src)
{
	return user_range_ok(src, sizeof(*out)) ? user_load_u64(out, user(src)) : -EFAULT;
}

int put_user_u8(uaddr_t dst, uint8_t value)
{
	return user_range_ok(dst, sizeof(value)) ? user_store_u8(user(dst), value)
						 : -EFAULT;
}

int put_user_u32(uaddr_t dst, uint32_t value)
{
	return user_range_ok(dst, sizeof(value)) ? user_store_u32(user(dst), value)
						 : -EFAULT;
}

int put_user_u64(uaddr_t dst, uint64_t value)
{
	return user_range_ok(dst, sizeof(value)) ? user_store_u64(user(dst), value)
						 : -EFAULT;
}

int user_cmpxchg_u32(uaddr_t addr, uint32_t old, uint32_t new_value, uint32_t *seen)
{
	return user_range_ok(addr, sizeof(*seen))
		       ? user_cas_u32(user(addr), old, new_value, seen)
		       : -EFAULT;
}
/* NOLINTEND(performance-no-int-to-ptr) */
