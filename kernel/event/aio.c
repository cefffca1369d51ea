/* SPDX-License-Identifier: MIT */
/* aio.c - contexts of asynchronous I/O, and the ring in which the guest finds its events.
 *
 * The ring lies in pages of the kernel's, which the guest has mapped: so an event can be
 * put there by whoever finds that something is done, in any process, with a lock held.
 * What the kernel needs to know of it, it keeps for itself; what the guest writes there
 * decides only which of its own events it gets to see.
 *
 * When a context ends, Linux takes the ring's pages away from whoever still maps them, as
 * a child may or who has moved a part. Here they stay, for as long as they are mapped; so
 * that nobody piles them up, all rings together may be made for twice fs.aio-max-nr
 * requests.
 *
 * Limits against Linux: a ring has at most 64 MiB, some two million events. */
#include "event/aio.h"

#include "abi/errno.h"
#include "abi/mman.h"
#include "base/claim.h"
#include "base/idr.h"
#include "base/page.h"
#include "base/slab.h"
#include "event/eventfd.h"
#include "fs/file.h"
#include "fs/proc/proc.h"
#include "lib/atomic.h"
#include "mm/kernel_pages.h"
#include "mm/map.h"
#include "mm/usercopy.h"
#include "process/task.h"

/* Of one address space: made by its first io_setup(), gone with it. */
struct aio_table {
	struct lock lock; /* RANK_OBJECT */
	struct idr ids;	  /* lock: struct aio_context */
};

#define RING_BYTES_MAX	0x10000000U
#define RING_CREATE_TRY 2U /* events at least, for each request that was asked for */

static SLAB_CACHE(aio_context_slab, "kioctx", sizeof(struct aio_context), 64);
static struct lock count_lock = LOCK_INIT(RANK_OBJECT);
static int aio_nr;		 /* count_lock */
static int aio_max_nr = 0x10000; /* atomic: fs.aio-max-nr */
static uint64_t pinned;		 /* atomic: the same of all rings that are in memory */

/* ---- references ---- */

void aio_get(struct aio_context *c)
{
	ref_get(&c->refs);
}

void aio_put(struct aio_context *c)
{
	if (!ref_put(&c->refs))
		return;
	kernel_pages_put(c->pages);
	slab_free(&aio_context_slab, c);
}

/* The id is read from the ring, as Linux does: who has unmapped it has no context. */
struct aio_context *aio_lookup(uaddr_t address)
{
	struct aio_table *table = atomic_load(&current()->mm->aio);
	struct aio_context *c;
	uint32_t id;

	if (get_user_u32(&id, address + offsetof(struct linux_aio_ring, id)) || !table)
		return NULL;
	lock_take(&table->lock);
	c = idr_find(&table->ids, id);
	if (c && c->address == address)
		aio_get(c);
	else
		c = NULL;
	lock_drop(&table->lock);
	current()->aio = c;
	return c;
}

void aio_leave(struct aio_context *c)
{
	current()->aio = NULL;
	aio_put(c);
}

void aio_abandon(struct task *t)
{
	struct aio_context *c = t->aio;

	t->aio = NULL;
	if (c)
		aio_put(c);
}

static struct aio_table *table_get(struct mm *mm)
{
	struct aio_table *table = atomic_load(&mm->aio);
	struct aio_table *mine;

	if (table)
		return table;
	mine = kmalloc(sizeof(*mine));
	if (!mine)
		return NULL;
	lock_init(&mine->lock, RANK_OBJECT);
	idr_init(&mine->ids);
	lock_take(&mm->lock);
	if (!mm->aio)
		atomic_store(&mm->aio, (void *)mine);
	table = mm->aio;
	lock_drop(&mm->lock);
	if (table != mine)
		kfree(mine);
	return table;
}

/* ---- making ---- */

static bool charge_take(uint32_t count)
{
	int max = atomic_load_relaxed(&aio_max_nr);
	bool ok;

	lock_take(&count_lock);
	ok = count <= (uint32_t)max && (uint32_t)aio_nr + count <= (uint32_t)max;
	if (ok)
		aio_nr += (int)count;
	lock_drop(&count_lock);
	return ok;
}

static void charge_drop(uint32_t count)
{
	lock_take(&count_lock);
	aio_nr -= (int)count;
	lock_drop(&count_lock);
}

static bool pin_take(uint32_t count)
{
	uint64_t max = 2 * (uint64_t)atomic_load_relaxed(&aio_max_nr);

	if (atomic_add(&pinned, count) + count <= max)
		return true;
	(void)atomic_sub(&pinned, count);
	return false;
}

static void pin_drop(uint32_t count)
{
	(void)atomic_sub(&pinned, count);
}

/* mremap(2): the context takes the new place as its name. */
static int ring_moved(struct vm_object *o, struct mm *mm, uaddr_t to)
{
	struct aio_table *table = atomic_load(&mm->aio);
	void *each = NULL;
	int err = -EINVAL;

	if (!table)
		return err;
	lock_take(&table->lock);
	for (uint32_t id = 0; err && idr_next(&table->ids, &id, &each); id++) {
		struct aio_context *c = each;

		if (kernel_pages_object(c->pages) != o)
			continue;
		c->address = to;
		err = 0;
	}
	lock_drop(&table->lock);
	return err;
}

/* How many events a ring holds that is made for count requests; as Linux reckons: it
 * gives out room for requests in batches to each processor. */
static int ring_size(uint32_t count, size_t *size)
{
	uint32_t events = MAX(count, proc_cpu_count() * 4) * RING_CREATE_TRY;

	if (events > RING_BYTES_MAX / sizeof(struct linux_io_event))
		return -EINVAL;
	if (!events || count > (uint32_t)atomic_load_relaxed(&aio_max_nr))
		return -EAGAIN;
	*size = ALIGN_UP(sizeof(struct linux_aio_ring) +
				 (events + 2UL) * sizeof(struct linux_io_event),
			 PAGE_SIZE);
	return 0;
}

static struct kernel_pages *ring_alloc(size_t size, uint32_t count)
{
	static const struct kernel_pages_kind kind = {
		.name = "/[aio] (deleted)",
		.moved = ring_moved,
		.gone = pin_drop,
	};
	struct kernel_pages *p;

	if (page_order_for(size) > PAGE_ORDER_MAX || !pin_take(count))
		return NULL;
	p = kernel_pages_create(size, &kind, count);
	if (!p)
		pin_drop(count);
	return p;
}

static struct aio_context *context_alloc(size_t size, uint32_t count)
{
	struct aio_context *c = slab_alloc_zeroed(&aio_context_slab);

	if (!c)
		return NULL;
	c->pages = ring_alloc(size, count);
	if (!c->pages) {
		slab_free(&aio_context_slab, c);
		return NULL;
	}
	ref_init(&c->refs);
	lock_init(&c->lock, RANK_EPOLL);
	lock_init(&c->read_lock, RANK_OBJECT);
	waitq_init(&c->changed);
	lock_init(&c->changed.lock, RANK_EPOLL);
	waitq_init(&c->idle);
	lock_init(&c->idle.lock, RANK_EPOLL);
	list_init(&c->waiting);
	list_init(&c->fired);
	aio_poll_init(c);
	c->size = size;
	c->charge = count;
	c->ring = kernel_pages_data(c->pages);
	c->nr = (uint32_t)((size - sizeof(*c->ring)) / sizeof(struct linux_io_event));
	c->available = c->nr - 1;
	*c->ring = (struct linux_aio_ring){
		.id = UINT32_MAX,
		.nr = c->nr,
		.magic = AIO_RING_MAGIC,
		.compat_features = 1,
		.header_length = sizeof(*c->ring),
	};
	return c;
}

/* Maps the ring and gives the context its name. */
static int context_publish(struct aio_context *c, struct mm *mm, uaddr_t *address)
{
	struct aio_table *table = table_get(mm);
	long at;
	int id;

	if (!table)
		return -ENOMEM;
	c->table = table;
	at = mm_map(mm, 0, c->size, PROT_READ | PROT_WRITE, MAP_SHARED,
		    kernel_pages_object(c->pages), 0, VMA_DONTEXPAND);
	if (at < 0)
		return (int)at;
	*address = c->address = (uaddr_t)at;
	lock_take(&table->lock);
	id = idr_alloc(&table->ids, c, 0, IDR_ID_MAX);
	if (id >= 0)
		c->id = c->ring->id = (uint32_t)id;
	lock_drop(&table->lock);
	if (id < 0)
		(void)!mm_unmap(mm, *address, c->size);
	return id < 0 ? id : 0;
}

int aio_create(uint32_t count, uaddr_t *address)
{
	struct aio_context *c;
	size_t size;
	int err = ring_size(count, &size);

	if (err)
		return err;
	if (!charge_take(count))
		return -EAGAIN;
	c = context_alloc(size, count);
	err = c ? context_publish(c, current()->mm, address) : -ENOMEM;
	if (err)
		charge_drop(count);
	if (err && c)
		aio_put(c);
	return err;
}

/* ---- ending ---- */

/* Takes it off the table, whose reference becomes the caller's: false if it is dead. */
static bool context_kill(struct aio_context *c, uaddr_t *address)
{
	bool was_dead;

	lock_take(&c->table->lock);
	lock_take(&c->lock);
	was_dead = c->is_dead;
	atomic_store(&c->is_dead, true);
	lock_drop(&c->lock);
	if (!was_dead) {
		(void)idr_remove(&c->table->ids, c->id);
		*address = c->address;
	}
	lock_drop(&c->table->lock);
	if (!was_dead)
		charge_drop(c->charge);
	return !was_dead;
}

static bool is_idle(struct aio_context *c)
{
	bool idle;

	lock_take(&c->lock);
	idle = !c->in_flight;
	lock_drop(&c->lock);
	return idle;
}

static void context_end_polls(struct aio_context *c)
{
	aio_poll_cancel_all(c);
	aio_poll_finish(c);
}

/* Ends what can be ended, and waits for the rest. */
static void context_drain(struct aio_context *c)
{
	struct wait_place p;
	bool idle = false;
	int err = 0;

	waitq_wake_all(&c->changed, 0);
	context_end_polls(c);
	if (is_idle(c))
		return;
	while (!idle && !err) {
		sleeper_prepare();
		wait_place_take(&p, &c->idle, NULL, false);
		idle = is_idle(c);
		if (!idle)
			err = sleeper_wait(NSEC_NEVER, WORK_KILL);
		wait_place_leave(&p);
	}
	sleeper_cancel();
}

int aio_destroy(struct aio_context *c)
{
	uaddr_t address;

	if (!context_kill(c, &address))
		return -EINVAL;
	(void)!mm_unmap(current()->mm, address, c->size);
	aio_put(c); /* the table's; the caller has another */
	context_drain(c);
	return 0;
}

/* Nobody uses mm any more: as there is no guest code, the ring stays as it is. What was
 * in flight has been finished by those who left, but for tasks that died by an outside
 * hand (process_abandoned()): those never come back from their calls, and must not be
 * waited for. Whatever the kernel thread still finishes has references of its
 * own. */
static void mm_gone(struct mm *mm)
{
	struct aio_table *table = mm->aio;
	void *each = NULL;
	uint32_t id = 0;

	while (idr_next(&table->ids, &id, &each)) {
		struct aio_context *c = each;
		uaddr_t address;

		if (!context_kill(c, &address))
			continue;
		context_end_polls(c);
		aio_put(c);
	}
	idr_fini(&table->ids);
	kfree(table);
}

bool aio_begin(struct aio_context *c)
{
	bool ok;

	lock_take(&c->lock);
	ok = !c->is_dead;
	c->in_flight += ok;
	lock_drop(&c->lock);
	return ok;
}

void aio_end(struct aio_context *c)
{
	bool was_last;

	lock_take(&c->lock);
	was_last = --c->in_flight == 0;
	lock_drop(&c->lock);
	if (was_last)
		waitq_wake_all(&c->idle, 0);
}

/* ---- the ring ---- */

/* Learns from the guest's head which events have been taken. */
static void refill_locked(struct aio_context *c)
{
	uint32_t head = atomic_load_relaxed(&c->ring->head) % c->nr;
	uint32_t in_ring = head <= c->tail ? c->tail - head : c->nr - (head - c->tail);
	uint32_t taken = c->completed > in_ring ? c->completed - in_ring : 0;

	c->completed -= taken;
	c->available += taken;
}

bool aio_reserve(struct aio_context *c)
{
	bool ok;

	lock_take(&c->lock);
	if (!c->available)
		refill_locked(c);
	ok = c->available > 0;
	c->available -= ok;
	lock_drop(&c->lock);
	return ok;
}

void aio_unreserve(struct aio_context *c)
{
	lock_take(&c->lock);
	c->available++;
	lock_drop(&c->lock);
}

void aio_post_locked(struct aio_context *c, const struct aio_answer *a, int64_t res)
{
	c->ring->events[c->tail] = (struct linux_io_event){
		.data = a->data,
		.obj = a->obj,
		.res = res,
	};
	c->tail = c->tail + 1 == c->nr ? 0 : c->tail + 1;
	/* The guest, which may look by itself, sees the event first. */
	atomic_store_release(&c->ring->tail, c->tail);
	if (++c->completed > 1)
		refill_locked(c);
}

void aio_post(struct aio_context *c, const struct aio_answer *a, int64_t res)
{
	lock_take(&c->lock);
	aio_post_locked(c, a, res);
	lock_drop(&c->lock);
	waitq_wake_all(&c->changed, 0);
	if (!a->eventfd)
		return;
	eventfd_signal(a->eventfd, 1);
	file_put(a->eventfd);
}

long aio_take_events(struct aio_context *c, uaddr_t out, long max)
{
	uint32_t head, tail;
	long done = 0;

	if (atomic_load_relaxed(&c->ring->head) == atomic_load_acquire(&c->ring->tail))
		return 0;
	lock_take(&c->read_lock);
	head = atomic_load_relaxed(&c->ring->head) % c->nr;
	tail = atomic_load_acquire(&c->ring->tail) % c->nr;
	while (done < max && head != tail) {
		uint32_t count = (head < tail ? tail : c->nr) - head;

		count = (uint32_t)MIN((long)count, max - done);
		if (copy_to_user(out + (uaddr_t)done * sizeof(c->ring->events[0]),
				 &c->ring->events[head],
				 count * sizeof(c->ring->events[0]))) {
			lock_drop(&c->read_lock);
			return -EFAULT;
		}
		done += count;
		head = (head + count) % c->nr;
	}
	atomic_store_release(&c->ring->head, head);
	lock_drop(&c->read_lock);
	return done;
}

void aio_init(void)
{
	mm_gone_hook = mm_gone;
	proc_sysctl_number("fs/aio-max-nr", &aio_max_nr, 0, INT32_MAX);
	proc_sysctl_number("fs/aio-nr", &aio_nr, 0, -1);
}
