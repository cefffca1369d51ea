/* SPDX-License-Identifier: MIT */
/* ticks.c - the tracer's clock: the processor's time stamp counter where it runs at one
 * rate for ever, else the host's monotonic clock. Reading it makes no host call. */
#include "core/trace/ring.h"
#include "time/clock.h"

#define RATE_SHIFT    32
#define CPUID_POWER   0x80000007U
#define INVARIANT_TSC (1U << 8)

static bool has_counter;
static uint64_t first_ticks, sync_ticks;
static nsec_t first_time;		  /* monotonic */
static nsec_t sync_time;		  /* of day */
static uint64_t rate = 1UL << RATE_SHIFT; /* nanoseconds per tick, << RATE_SHIFT */

uint64_t trace_ticks(void)
{
	uint32_t low, high;

	if (unlikely(!has_counter))
		return (uint64_t)clock_now(CLOCK_MONOTONIC);
	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high) : : "memory");
	return (uint64_t)high << 32 | low;
}

static void cpuid(uint32_t leaf, uint32_t out[4])
{
	__asm__("cpuid"
		: "=a"(out[0]), "=b"(out[1]), "=c"(out[2]), "=d"(out[3])
		: "a"(leaf), "c"(0));
}

void trace_ticks_init(void)
{
	uint32_t r[4];

	cpuid(0x80000000U, r);
	if (r[0] >= CPUID_POWER) {
		cpuid(CPUID_POWER, r);
		has_counter = r[3] & INVARIANT_TSC;
	}
	first_time = clock_now(CLOCK_MONOTONIC);
	sync_time = clock_now(CLOCK_REALTIME);
	first_ticks = sync_ticks = trace_ticks();
}

void trace_ticks_sync(void)
{
	uint64_t nsec = (uint64_t)(clock_now(CLOCK_MONOTONIC) - first_time);
	uint64_t ticks = trace_ticks();
	uint64_t count = ticks - first_ticks;

	sync_time = clock_now(CLOCK_REALTIME);
	sync_ticks = ticks;
	while (nsec >> 31) {
		nsec >>= 1;
		count >>= 1;
	}
	if (has_counter && count)
		rate = (nsec << RATE_SHIFT) / count;
}

nsec_t trace_ticks_to_nsec(uint64_t ticks)
{
	return (nsec_t)((unsigned __int128)ticks * rate >> RATE_SHIFT);
}

nsec_t trace_ticks_to_time(uint64_t ticks)
{
	if (ticks <= sync_ticks)
		return sync_time - trace_ticks_to_nsec(sync_ticks - ticks);
	return sync_time + trace_ticks_to_nsec(ticks - sync_ticks);
}
