/* SPDX-License-Identifier: MIT */
/* idr.c - ids against an array of pointers. */
/* unit: base/idr.c base/slab.c base/page.c */
#include "base/idr.h"
#include "../sys/test.h"
#include "lock_stub.h"
#include "memory.h"
#include "random.h"

enum { IDS = 3000, REGION = 4 << 20 };

static void *model[IDS];

static void start(void)
{
	memory_init(REGION);
	memset(model, 0, sizeof(model));
}

static int model_lowest(uint32_t min, uint32_t max)
{
	for (uint32_t id = min; id <= max; id++)
		if (!model[id])
			return (int)id;
	return -ENOSPC;
}

static void check_against_model(const struct idr *t)
{
	uint32_t id = 0, count = 0;
	void *p;

	for (uint32_t i = 0; i < IDS; i++) {
		CHECK(idr_find(t, i) == model[i]);
		count += model[i] != NULL;
	}
	CHECK(t->count == count);
	for (; idr_next(t, &id, &p); id++, count--)
		CHECK(p == model[id]);
	CHECK(count == 0);
}

static void random_use_agrees_with_a_model(void)
{
	struct idr t = IDR_INIT;
	uint32_t last = 0;

	start();
	for (int round = 0; round < 100000; round++) {
		uint32_t limit = round % 20000 < 10000 ? IDS : IDS / 10;
		uint32_t min = (uint32_t)random_below(limit);
		uint32_t max = min + (uint32_t)random_below(IDS - min);
		void *p = (void *)(uintptr_t)(random_u64() | 1);
		int id = 0, want;

		switch (random_below(6)) {
		case 0:
			min = 0;
			max = IDS - 1;
			/* fall through */
		case 1:
			want = model_lowest(min, max);
			id = idr_alloc(&t, p, min, max);
			CHECK(id == want);
			break;
		case 2:
			want = model_lowest(MAX(min, last), MAX(max, last));
			if (last > max || want < 0)
				want = model_lowest(min, max);
			id = idr_alloc_cyclic(&t, p, min, max);
			CHECK(id == want);
			if (id >= 0)
				last = (uint32_t)id + 1;
			break;
		case 3:
			want = model[min] ? -EEXIST : 0;
			id = idr_insert(&t, min, p);
			CHECK(id == want);
			id = id ? id : (int)min;
			break;
		case 4:
			if (model[min]) {
				CHECK(idr_replace(&t, min, p) == model[min]);
				id = (int)min;
				break;
			}
			/* fall through */
		default:
			for (int i = 0; i < 3; i++, min = (uint32_t)random_below(limit)) {
				CHECK(idr_remove(&t, min) == model[min]);
				model[min] = NULL;
			}
			continue;
		}
		if (id >= 0)
			model[id] = p;
		if (last >= IDS)
			last = t.next = 0;
		if (round % 256 == 0)
			check_against_model(&t);
	}
	idr_fini(&t);
	CHECK(t.count == 0 && !idr_find(&t, 0));
}

static void ids_come_back_late_when_cyclic(void)
{
	struct idr t = IDR_INIT;

	start();
	for (int i = 2; i < 1000; i++) {
		CHECK(idr_alloc_cyclic(&t, &t, 2, 999) == i);
		if (i % 3)
			CHECK(idr_remove(&t, (uint32_t)i) == &t);
	}
	CHECK(idr_alloc_cyclic(&t, &t, 2, 999) == 2);
	CHECK(idr_alloc_cyclic(&t, &t, 2, 999) == 4);
	CHECK(idr_alloc(&t, &t, 2, 999) == 5);
	idr_fini(&t);
}

static void any_id_may_be_asked_for(void)
{
	struct idr t = IDR_INIT;
	uint32_t id = UINT32_MAX;

	start();
	CHECK(!idr_find(&t, 0) && !idr_remove(&t, 7) && !idr_next(&t, &id, NULL));
	CHECK(idr_insert(&t, 5, NULL) == 0); /* reserved */
	CHECK(idr_insert(&t, 5, &t) == -EEXIST && idr_alloc(&t, &t, 5, 5) == -ENOSPC);
	CHECK(!idr_find(&t, UINT32_MAX) && !idr_find(&t, IDR_ID_MAX) &&
	      !idr_remove(&t, UINT32_MAX));
	CHECK(idr_replace(&t, 5, &t) == NULL && idr_find(&t, 5) == &t);
	id = 0;
	CHECK(idr_next(&t, &id, NULL) && id == 5);
	idr_fini(&t);
}

static void lack_of_memory_changes_nothing(void)
{
	struct idr t = IDR_INIT;
	struct page_stats stats;

	start();
	for (uint64_t n = 1; n <= 3; n++) { /* slab or directory, its slab, leaf */
		alloc_fail_at(n);
		CHECK(idr_alloc(&t, &t, 0, 9) == (n < 3 ? -ENOMEM : 0) || n < 3);
		CHECK(t.count == 0 || t.count == 1);
		alloc_fail_at(0);
	}
	idr_fini(&t);
	CHECK(idr_insert(&t, IDR_ID_MAX, &t) ==
	      -ENOMEM); /* a directory larger than memory */
	CHECK(t.count == 0);
	while (idr_alloc(&t, &t, 0, IDR_ID_MAX) >= 0)
		;
	CHECK(idr_alloc(&t, &t, 0, IDR_ID_MAX) == -ENOMEM);
	CHECK(t.count > 100000 && idr_find(&t, t.count - 1) == &t &&
	      !idr_find(&t, t.count));
	idr_fini(&t);
	page_get_stats(&stats);
	CHECK(stats.used <= 16); /* kmalloc keeps a slab of each class */
}

RUN(TEST(random_use_agrees_with_a_model), TEST(ids_come_back_late_when_cyclic),
    TEST(any_id_may_be_asked_for), TEST(lack_of_memory_changes_nothing))
