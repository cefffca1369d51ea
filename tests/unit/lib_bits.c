/* SPDX-License-Identifier: MIT */
/* lib_bits.c - bitmaps against arrays of bool, rings against a queue of counted bytes. */
/* unit: */
#include "../sys/test.h"
#include "lib/atomic.h"
#include "lib/bitmap.h"
#include "lib/ring.h"
#include "random.h"

enum { BITS = 333 };

static void bitmaps_agree_with_arrays(void)
{
	uint64_t map[BITMAP_WORDS(BITS)] = {0};
	bool model[BITS] = {false};

	for (int round = 0; round < 20000; round++) {
		size_t from = random_below(BITS);
		size_t count = random_below(round & 8 ? 5 : BITS - from + 1);
		bool value = random_below(2);

		count = MIN(count, BITS - from);
		if (value)
			bitmap_set_range(map, from, count);
		else
			bitmap_clear_range(map, from, count);
		memset(model + from, value, count);
		bitmap_assign(map, from, !value);
		model[from] = !value;

		size_t bits = random_below(BITS + 1), set = from, zero = from, total = 0;

		while (set < bits && !model[set])
			set++;
		while (zero < bits && model[zero])
			zero++;
		for (size_t i = 0; i < bits; i++)
			total += model[i];
		CHECK(bitmap_next_set(map, bits, from) == MIN(set, bits));
		CHECK(bitmap_next_zero(map, bits, from) == MIN(zero, bits));
		CHECK(bitmap_count(map, bits) == total);
		CHECK(bitmap_test(map, from) == model[from]);
	}
	bitmap_clear_range(map, 0, BITS);
	CHECK(bitmap_first_set(map, BITS) == BITS && bitmap_first_zero(map, BITS) == 0);
}

static void rings_keep_every_byte_in_order(void)
{
	uint8_t buf[64], chunk[100], *span;
	uint64_t in = 0, out = 0;
	struct ring r;

	ring_init(&r, buf, sizeof(buf));
	r.head = r.tail = SIZE_MAX - 100; /* the counters wrap */
	for (int round = 0; round < 50000; round++) {
		size_t size = random_below(sizeof(chunk));
		size_t used = in - out;

		CHECK(ring_used(&r) == used && ring_room(&r) == 64 - used);
		CHECK(ring_is_empty(&r) == (used == 0) &&
		      ring_is_full(&r) == (used == 64));
		switch (random_below(4)) {
		case 0:
			for (size_t i = 0; i < size; i++)
				chunk[i] = (uint8_t)(in + i);
			in += ring_write(&r, chunk, size);
			CHECK(in - out == MIN(64, used + size));
			break;
		case 1:
			size = MIN(size, ring_write_span(&r, &span));
			for (size_t i = 0; i < size; i++)
				span[i] = (uint8_t)in++;
			ring_produce(&r, size);
			break;
		case 2:
			CHECK(ring_peek(&r, chunk, size, 3) ==
			      MIN(size, used > 3 ? used - 3 : 0));
			CHECK(used <= 3 || !size || chunk[0] == (uint8_t)(out + 3));
			CHECK(ring_read(&r, chunk, size) == MIN(size, used));
			for (size_t i = 0; i < MIN(size, used); i++)
				CHECK(chunk[i] == (uint8_t)out++);
			break;
		default:
			size = MIN(size, ring_read_span(&r, &span));
			CHECK(used == 0 || size == 0 || *span == (uint8_t)out);
			ring_consume(&r, size);
			out += size;
		}
	}
}

static void atomics_return_the_old_value(void)
{
	uint32_t v = 5, seen = 1;

	CHECK(atomic_add(&v, 2) == 5 && atomic_sub(&v, 1) == 7 && atomic_load(&v) == 6);
	CHECK(atomic_or(&v, 1) == 6 && atomic_and(&v, 4) == 7 && atomic_xchg(&v, 9) == 4);
	CHECK(!atomic_cas(&v, 8, 1) && atomic_cas(&v, 9, 1) && v == 1);
	CHECK(atomic_try_cas(&v, &seen, 3) && !atomic_try_cas(&v, &seen, 4) && seen == 3);
	atomic_store(&v, 8);
	CHECK(atomic_load_relaxed(&v) == 8);
}

RUN(TEST(bitmaps_agree_with_arrays), TEST(rings_keep_every_byte_in_order),
    TEST(atomics_return_the_old_value))
