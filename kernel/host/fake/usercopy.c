/* SPDX-License-Identifier: MIT */
/* usercopy.c - the instructions of arch/x86_64/usercopy.S on the test's own memory. One
 * range of addresses, the hole, faults. */
#include <errno.h>
#include <string.h>

#include "host/fake/fake.h"
#include "mm/user_access.h"

static uaddr_t hole_start, hole_end;

void fake_user_hole(uaddr_t start, size_t size)
{
	hole_start = start;
	hole_end = start + size;
}

/* How many of size bytes can be touched before the hole is. */
static size_t before_hole(const void *p, size_t size)
{
	uaddr_t addr = (uaddr_t)p;

	if (addr >= hole_end || addr + size <= hole_start)
		return size;
	return addr < hole_start ? hole_start - addr : 0;
}

size_t user_copy(void *dst, const void *src, size_t size)
{
	size_t part = MIN(before_hole(dst, size), before_hole(src, size));

	memcpy(dst, src, part);
	return size - part;
}

size_t user_clear(void *dst, size_t size)
{
	size_t part = before_hole(dst, size);

	memset(dst, 0, part);
	return size - part;
}

long user_strnlen(const char *src, size_t size)
{
	size_t part = before_hole(src, size);
	size_t len = strnlen(src, part);

	return len == part && part < size ? -EFAULT : (long)len;
}

long user_strncpy(char *dst, const char *src, size_t size)
{
	long len = user_strnlen(src, size);

	if (len >= 0)
		memcpy(dst, src, MIN((size_t)len + 1, size));
	return len;
}

#define LOAD(type)                                                                       \
	if (before_hole(src, sizeof(type)) < sizeof(type))                               \
		return -EFAULT;                                                          \
	*out = __atomic_load_n((const type *)src, __ATOMIC_SEQ_CST);                     \
	return 0

int user_load_u32(uint32_t *out, const void *src)
{
	LOAD(uint32_t);
}

int user_load_u64(uint64_t *out, const void *src)
{
	LOAD(uint64_t);
}

#define STORE(type)                                                                      \
	if (before_hole(dst, sizeof(type)) < sizeof(type))                               \
		return -EFAULT;                                                          \
	__atomic_store_n((type *)dst, (type)value, __ATOMIC_SEQ_CST);                    \
	return 0

int user_store_u8(void *dst, uint64_t value)
{
	STORE(uint8_t);
}

int user_store_u32(void *dst, uint64_t value)
{
	STORE(uint32_t);
}

int user_store_u64(void *dst, uint64_t value)
{
	STORE(uint64_t);
}

int user_cas_u32(void *addr, uint32_t old, uint32_t new_value, uint32_t *seen)
{
	if (before_hole(addr, sizeof(old)) < sizeof(old))
		return -EFAULT;
	*seen = old;
	(void)__atomic_compare_exchange_n((uint32_t *)addr, seen, new_value, false,
					  __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
	return 0;
}
