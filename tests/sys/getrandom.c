/* SPDX-License-Identifier: MIT */
/* getrandom.c - random bytes. */
#include "proc.h"
#include <linux/random.h>

static long get(void *buf, size_t size, unsigned int flags)
{
	return syscall(SYS_getrandom, buf, size, flags);
}

static void bytes_are_random(void)
{
	static unsigned char buf[65536];
	int count[256] = {0};

	CHECK(get(buf, sizeof(buf), 0) == sizeof(buf));
	for (size_t i = 0; i < sizeof(buf); i++)
		count[buf[i]]++;
	for (int i = 0; i < 256; i++)
		CHECK(count[i] > 128 && count[i] < 512);
}

static void exactly_the_size_is_written(void)
{
	unsigned char buf[64];

	for (size_t size = 0; size <= 33; size++) {
		memset(buf, 0x5a, sizeof(buf));
		CHECK(get(buf, size, GRND_NONBLOCK) == (long)size);
		for (size_t i = size; i < sizeof(buf); i++)
			CHECK(buf[i] == 0x5a);
	}
}

static void two_are_never_the_same(void)
{
	unsigned char a[32];
	unsigned char *b = share_page();

	CHECK(get(a, 32, 0) == 32 && get(b, 32, 0) == 32);
	CHECK(memcmp(a, b, 32) != 0);
	CHILD(pid)
	{
		_exit(get(b, 32, 0) == 32 ? 0 : 1);
	}
	CHECK(get(a, 32, 0) == 32);
	WAIT_EXIT(pid, 0);
	CHECK(memcmp(a, b, 32) != 0);
	munmap(b, 4096);
}

static void all_flags_work(void)
{
	unsigned char buf[16];

	CHECK(get(buf, 16, GRND_NONBLOCK) == 16);
	CHECK(get(buf, 16, GRND_RANDOM) == 16);
	CHECK(get(buf, 16, GRND_INSECURE) == 16);
	FAILS(EINVAL, get(buf, 16, GRND_RANDOM | GRND_INSECURE));
	FAILS(EINVAL, get(buf, 16, 8));
	FAILS(EINVAL, get(buf, 16, 0x80000000));
}

static void bad_pointers_give_efault(void)
{
	char *p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		       -1, 0);
	long n;

	FAILS(EFAULT, get(BAD_PTR, 16, 0));
	FAILS(EFAULT, get(KERNEL_PTR, 16, 0));
	CHECK(p != MAP_FAILED && munmap(p + 4096, 4096) == 0);
	n = get(p + 4096 - 100, 200, 0); /* what fits may have been written */
	CHECK((n == -1 && errno == EFAULT) || n == 100 || n == 64);
	munmap(p, 4096);
}

static void large_reads_are_whole(void)
{
	unsigned char *p = malloc(1 << 20);

	CHECK(get(p, 1 << 20, 0) == 1 << 20);
	CHECK(p[(1 << 20) - 1] | p[(1 << 20) - 2] | p[(1 << 20) - 3] | p[(1 << 20) - 4]);
	free(p);
}

RUN(TEST(bytes_are_random), TEST(exactly_the_size_is_written),
    TEST(two_are_never_the_same), TEST(all_flags_work), TEST(bad_pointers_give_efault),
    TEST(large_reads_are_whole))
