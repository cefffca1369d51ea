/* SPDX-License-Identifier: MIT */
/* random.c - see random.h. The host's numbers are fetched in larger pieces: an exec needs
 * seven. */
#include "loader/random.h"

#include "abi/prctl.h"
#include "base/lock.h"
#include "host/host.h"
#include "lib/string.h"
#include "process/task.h"

static struct lock pool_lock = LOCK_INIT(RANK_OBJECT2);
static uint8_t pool[256]; /* pool_lock */
static size_t pool_left;  /* pool_lock: the first so many bytes were not given out yet */

void random_bytes(void *out, size_t size)
{
	lock_take(&pool_lock);
	if (pool_left < size) {
		(void)host_getrandom(pool, sizeof(pool));
		pool_left = sizeof(pool);
	}
	pool_left -= size;
	memcpy(out, pool + pool_left, size);
	memset(pool + pool_left, 0, size);
	lock_drop(&pool_lock);
}

uint64_t random_bits(unsigned bits)
{
	uint64_t v = 0;

	if (current()->personality & ADDR_NO_RANDOMIZE)
		return 0;
	random_bytes(&v, sizeof(v));
	return v & ((1UL << bits) - 1);
}
