/* SPDX-License-Identifier: MIT */
/* cpu_pool.c - host threads' areas, made of memory that was used before. */
/* unit: process/cpu_pool.c base/page.c lib/string.c */
#include "process/cpu_pool.h"
#include "../sys/test.h"
#include "base/cpu.h"
#include "base/page.h"
#include "lock_stub.h"

#include <sys/mman.h>

/* Every page that can be handed out holds what somebody left there. */
static void fill_memory(void)
{
	size_t size = 64 << 20;
	char *region = mmap(NULL, 2 * size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	void *used[64];

	CHECK(region != MAP_FAILED);
	page_init((void *)ALIGN_UP((uintptr_t)region, size), size);
	for (int i = 0; i < 64; i++) {
		used[i] = page_alloc(4);
		CHECK(used[i]);
		memset(used[i], 0xa5, PAGE_SIZE << 4);
	}
	for (int i = 0; i < 64; i++)
		page_free(used[i], 4);
}

static void is_clean(const struct cpu *c)
{
	CHECK(c->self == c && c->kstack);
	CHECK(!c->rouse_count && !c->trace && !c->is_committed);
	CHECK(!c->locks_held && !c->task && !c->done && !c->fast_calls);
}

static void a_new_cpu_has_nothing_of_its_memorys_past(void)
{
	struct cpu *first;
	struct cpu *second;

	fill_memory();
	first = cpu_alloc();
	second = cpu_alloc();
	CHECK(first && second && first != second);
	is_clean(first);
	is_clean(second);
	first->locks_held = 3;
	first->is_committed = true;
	cpu_free(first);
	CHECK(cpu_alloc() == first);
	is_clean(first);
}

RUN(TEST(a_new_cpu_has_nothing_of_its_memorys_past))
