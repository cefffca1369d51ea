/* SPDX-License-Identifier: MIT */
/* byte_chain.c - chains of bytes and runs of them, against the bytes that ought to come:
 * each has its place in the stream, so that what it is follows from where it is. */
/* unit: net/byte_chain.c fs/uio.c base/page.c base/slab.c base/waitq.c base/lock.c */
/* unit: lib/string.c mm/usercopy.c base/scratch.c */
/* unit: host/fake/thread.c host/fake/sleep.c host/fake/usercopy.c host/fake/missing.c */
#include "net/byte_chain.h"
#include "../sys/test.h"
#include "abi/errno.h"
#include "fs/uio.h"
#include "host/fake/fake.h"
#include "memory.h"
#include "mm/mm.h"
#include "random.h"

enum { MEMORY = 8 << 20, PIECE_MAX = 200000 };

/* No stack is read from or written to. */
bool mm_grow(struct mm *mm, uaddr_t addr, uint64_t *seen)
{
	(void)mm, (void)addr, (void)seen;
	return false;
}

static struct byte_chain chain;
static struct byte_run taken; /* the receiver's, that its copy was cut short of */
static char buf[PIECE_MAX];

static char byte_at(uint64_t at)
{
	return (char)(at * 7 + at / 251);
}

static void start(void)
{
	static bool is_ready;

	if (!is_ready)
		fake_task_begin(NULL);
	is_ready = true;
	memory_init(MEMORY);
	chain = (struct byte_chain){0};
}

/* The next bytes of the stream, in pieces as a writev has them. */
static void next_bytes(struct uio *u, size_t size)
{
	for (size_t i = 0; i < size; i++)
		buf[i] = byte_at(chain.tail + i);
	uio_init_kernel(u, buf, size);
}

static int put(size_t size)
{
	struct uio u;

	next_bytes(&u, size);
	return byte_chain_put(&chain, &u, size, BYTES_OF_UNIX);
}

static int append(size_t size)
{
	struct byte_run r;
	struct uio u;
	int err;

	next_bytes(&u, size);
	err = byte_run_fill(&r, &u, size, BYTES_OF_TCP);
	if (!err)
		byte_chain_append(&chain, &r);
	return err;
}

static void has(uint64_t at, size_t size)
{
	for (size_t i = 0; i < size; i++)
		CHECK(buf[i] == byte_at(at + i));
}

static void peek(size_t skip, size_t size)
{
	size_t there = byte_chain_used(&chain);
	struct uio u;
	size_t done;

	memset(buf, 0x55, sizeof(buf));
	uio_init_kernel(&u, buf, size);
	done = byte_chain_copy(&chain, &u, skip, size);
	CHECK(done == (skip > there ? 0 : MIN(size, there - skip)));
	has(chain.head + skip, done);
	CHECK(u.left == size - done);
}

/* Detaches, copies some out of the run, and puts back what is left. */
static void detach(size_t size, size_t room)
{
	uint64_t at = chain.head;
	size_t there = byte_chain_used(&chain);
	size_t whole = byte_chain_detach(&chain, size, &taken);
	struct uio u;
	size_t done;

	CHECK(whole <= MIN(size, there) && chain.head == at + whole);
	if (!whole)
		return;
	uio_init_kernel(&u, buf, MIN(room, whole));
	done = byte_run_drain(&taken, &u);
	CHECK(done == MIN(room, whole));
	has(at, done);
	byte_run_measure(&taken);
	CHECK(taken.size == whole - done);
	if (done < whole)
		byte_chain_return(&chain, &taken);
	CHECK(chain.head == at + done);
}

static void act(void)
{
	static const size_t sizes[] = {1, 100, 4096, 10000, 65536, PIECE_MAX};
	size_t size = 1 + random_below(sizes[random_below(6)]);
	size_t there = byte_chain_used(&chain);
	uint64_t tail = chain.tail;
	int err = 0;

	switch (random_below(5)) {
	case 0:
		err = put(size);
		break;
	case 1:
		err = append(size);
		break;
	case 2:
		peek(random_below(there + 2), size);
		size = 0;
		break;
	case 3:
		peek(0, MIN(size, there));
		byte_chain_consume(&chain, MIN(size, there));
		size = 0;
		break;
	default:
		detach(size, random_below(2 * size));
		size = 0;
	}
	CHECK(!err || err == -ENOMEM);
	CHECK(chain.tail == tail + (err ? 0 : size));
	if (byte_chain_used(&chain) > MEMORY / 2 || err)
		byte_chain_consume(&chain, byte_chain_used(&chain));
}

static void end(void)
{
	struct byte_run r;

	byte_chain_clear(&chain, &r);
	CHECK(!byte_chain_used(&chain));
	byte_run_free(&r);
	CHECK(byte_chain_pages(BYTES_OF_TCP) == 0 &&
	      byte_chain_pages(BYTES_OF_UNIX) == 0);
}

static void all_bytes_come_in_order(void)
{
	start();
	for (int i = 0; i < 3000; i++)
		act();
	end();
}

/* Without memory nothing is put, and nothing of it stays. */
static void without_memory_nothing_is_put(void)
{
	size_t used, pages;

	start();
	CHECK(put(10) == 0);
	while (append(PIECE_MAX) == 0)
		;
	used = byte_chain_used(&chain);
	pages = used_pages();
	while (put(PIECE_MAX) == 0)
		used += PIECE_MAX;
	CHECK(append(PIECE_MAX) == -ENOMEM && put(PIECE_MAX) == -ENOMEM);
	CHECK(byte_chain_used(&chain) == used && used_pages() >= pages);
	byte_chain_consume(&chain, used);
	CHECK(put(PIECE_MAX) == 0);
	end();
}

/* Nor when the writer's memory faults. */
static void a_fault_puts_nothing(void)
{
	static const size_t sizes[] = {3, 5000, PIECE_MAX};

	start();
	for (size_t i = 0; i < 3; i++) {
		struct uio u;
		struct byte_run r;

		CHECK(put(10) == 0);
		next_bytes(&u, sizes[i] - 1); /* one too few */
		CHECK(byte_chain_put(&chain, &u, sizes[i], BYTES_OF_UNIX) == -EFAULT);
		next_bytes(&u, sizes[i] - 1);
		CHECK(byte_run_fill(&r, &u, sizes[i], BYTES_OF_TCP) == -EFAULT);
		CHECK(byte_chain_used(&chain) == 10);
		peek(0, 100);
		byte_chain_consume(&chain, 10);
	}
	end();
}

/* A stream with little in it stays in one page. */
static void small_messages_take_no_memory(void)
{
	size_t pages;

	start();
	CHECK(put(100) == 0);
	byte_chain_consume(&chain, 100);
	pages = used_pages();
	for (int i = 0; i < 1000; i++) {
		CHECK(put(100) == 0 && put(200) == 0);
		peek(0, 300);
		byte_chain_consume(&chain, 300);
		CHECK(used_pages() == pages);
	}
	end();
}

RUN(TEST(all_bytes_come_in_order), TEST(without_memory_nothing_is_put),
    TEST(a_fault_puts_nothing), TEST(small_messages_take_no_memory))
