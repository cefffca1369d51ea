/* SPDX-License-Identifier: MIT */
/* Protection keys. Most processors have none, and then there is never one to be had. */
/* calls: pkey_alloc pkey_free */
#include "fixture.h"

#ifndef PKEY_DISABLE_ACCESS
#define PKEY_DISABLE_ACCESS 1
#define PKEY_DISABLE_WRITE  2
#endif

static long alloc(unsigned long flags, unsigned long rights)
{
	return syscall(SYS_pkey_alloc, flags, rights);
}

static void one_or_none(void)
{
	long key = alloc(0, 0);

	if (key < 0) {
		/* ENOSPC is what the manual says, EINVAL what Linux does. */
		CHECK(errno == ENOSPC || errno == EINVAL);
		CHECK(alloc(0, PKEY_DISABLE_ACCESS) == -1);
		CHECK(alloc(0, PKEY_DISABLE_WRITE) == -1);
		return;
	}
	CHECK(key > 0 && key < 16);
	CHECK(syscall(SYS_pkey_free, (int)key) == 0);
	FAILS(EINVAL, syscall(SYS_pkey_free, (int)key));
}

static void documented_errors(void)
{
	FAILS(EINVAL, alloc(1, 0));
	FAILS(EINVAL, alloc(0, 4));
	FAILS(EINVAL, alloc(0, 1UL << 40));
	FAILS(EINVAL, syscall(SYS_pkey_free, -1));
	FAILS(EINVAL, syscall(SYS_pkey_free, 5));
	FAILS(EINVAL, syscall(SYS_pkey_free, 16));
	FAILS(EINVAL, syscall(SYS_pkey_free, 1000));
}

RUN(TEST(one_or_none), TEST(documented_errors))
