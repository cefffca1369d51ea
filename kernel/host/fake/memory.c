/* SPDX-License-Identifier: MIT */
/* memory.c - the mmap family on a model: a hash table of pages. Nothing is really mapped.
 * Arguments that the real host would refuse, and that the kernel must never make, end the
 * test. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi/errno.h"
#include "abi/mman.h"
#include "host/fake/fake.h"
#include "host/host.h"

enum { SLOTS = 1 << 16, CALLS = 1 << 16 };

static struct fake_page slots[SLOTS]; /* open addressing; serial 0: free */
static size_t page_count;
static struct fake_call calls[CALLS];
static size_t call_count;
static uint64_t last_serial, last_mapping;
static bool merges;

/* ---- the table ---- */

static size_t slot_of(uaddr_t addr)
{
	return (addr >> PAGE_SHIFT) * 0x9e3779b97f4a7c15UL >> 48;
}

static struct fake_page *find(uaddr_t addr)
{
	for (size_t i = slot_of(addr); slots[i].serial; i = (i + 1) % SLOTS)
		if (slots[i].addr == addr)
			return &slots[i];
	return NULL;
}

static void put(const struct fake_page *page)
{
	size_t i = slot_of(page->addr);

	while (slots[i].serial)
		i = (i + 1) % SLOTS;
	slots[i] = *page;
	if (++page_count > SLOTS / 2)
		abort();
}

/* Leaves no hole in a run of collisions: what comes after is put in again. */
static void take_out(struct fake_page *page)
{
	size_t i = (size_t)(page - slots);

	page->serial = 0;
	page_count--;
	for (i = (i + 1) % SLOTS; slots[i].serial; i = (i + 1) % SLOTS) {
		struct fake_page again = slots[i];

		slots[i].serial = 0;
		page_count--;
		put(&again);
	}
}

static void take_out_range(uaddr_t addr, size_t size)
{
	if (size >> PAGE_SHIFT <= SLOTS) {
		for (uaddr_t at = addr; at < addr + size; at += PAGE_SIZE) {
			struct fake_page *page = find(at);

			if (page)
				take_out(page);
		}
		return;
	}
	for (size_t i = 0; i < SLOTS; i++)
		while (slots[i].serial && slots[i].addr >= addr &&
		       slots[i].addr - addr < size)
			take_out(&slots[i]);
}

static bool is_covered(uaddr_t addr, size_t size)
{
	for (uaddr_t at = addr; at < addr + size; at += PAGE_SIZE)
		if (!find(at))
			return false;
	return true;
}

/* ---- the log ---- */

static long log_call(enum fake_op op, const uint64_t *arg, size_t count, long ret)
{
	if (call_count < CALLS) {
		struct fake_call *c = &calls[call_count];

		*c = (struct fake_call){.op = op, .ret = ret};
		memcpy(c->arg, arg, count * sizeof(*arg));
		call_count++;
	}
	return ret;
}

#define LOG(op, ret, ...)                                                                \
	log_call(op, (const uint64_t[]){__VA_ARGS__},                                    \
		 sizeof((const uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t), ret)

static void demand(bool cond, const char *what)
{
	if (cond)
		return;
	(void)fprintf(stderr, "host/fake: %s\n", what);
	abort();
}

static void check_range(uaddr_t addr, size_t size)
{
	demand(size && !(addr & ~PAGE_MASK) && !(size & ~PAGE_MASK) && addr + size > addr,
	       "a range that is not whole pages");
}

void fake_memory_reset(void)
{
	memset(slots, 0, sizeof(slots));
	page_count = call_count = 0;
	last_serial = last_mapping = 0;
}

const struct fake_page *fake_page_at(uaddr_t addr)
{
	return find(addr);
}

size_t fake_page_count(void)
{
	return page_count;
}

const struct fake_call *fake_call_at(size_t i)
{
	return i < call_count ? &calls[i] : NULL;
}

void fake_memory_merges(bool merge)
{
	merges = merge;
}

/* ---- the calls ---- */

long host_mmap(uaddr_t addr, size_t size, int prot, int flags, int fd, int64_t off)
{
	check_range(addr, size);
	demand(flags & MAP_FIXED,
	       "mmap without MAP_FIXED: the kernel chooses all places");
	demand(!(flags & MAP_ANONYMOUS) == (fd >= 0), "mmap of a descriptor or not?");
	demand(!(off & (int64_t)~PAGE_MASK), "mmap of an odd offset");
	if (fake_must_fail())
		return LOG(FAKE_MMAP, -ENOMEM, addr, size, (uint64_t)prot,
			   (uint64_t)flags, (uint64_t)fd, (uint64_t)off);
	take_out_range(addr, size);
	last_mapping++;
	for (uaddr_t at = addr; at < addr + size; at += PAGE_SIZE)
		put(&(struct fake_page){.addr = at,
					.prot = (uint32_t)prot,
					.shared = (flags & MAP_TYPE) != MAP_PRIVATE,
					.fd = fd,
					.off = fd < 0 ? 0 : off + (int64_t)(at - addr),
					.serial = ++last_serial,
					.mapping = last_mapping});
	return LOG(FAKE_MMAP, (long)addr, addr, size, (uint64_t)prot, (uint64_t)flags,
		   (uint64_t)fd, (uint64_t)off);
}

int host_munmap(uaddr_t addr, size_t size)
{
	check_range(addr, size);
	if (fake_must_fail())
		return (int)LOG(FAKE_MUNMAP, -ENOMEM, addr, size);
	take_out_range(addr, size);
	return (int)LOG(FAKE_MUNMAP, 0, addr, size);
}

int host_mprotect(uaddr_t addr, size_t size, int prot)
{
	check_range(addr, size);
	demand(is_covered(addr, size), "mprotect over a hole");
	if (fake_must_fail())
		return (int)LOG(FAKE_MPROTECT, -ENOMEM, addr, size, (uint64_t)prot);
	for (uaddr_t at = addr; at < addr + size; at += PAGE_SIZE)
		find(at)->prot = (uint32_t)prot;
	return (int)LOG(FAKE_MPROTECT, 0, addr, size, (uint64_t)prot);
}

/* b, the page above a, belongs to the same host mapping. */
static bool is_one_mapping(const struct fake_page *a, const struct fake_page *b)
{
	if (a->prot != b->prot || a->shared != b->shared || a->fd != b->fd ||
	    a->dont_fork != b->dont_fork || a->wipe_on_fork != b->wipe_on_fork ||
	    (a->fd >= 0 && a->off + (int64_t)PAGE_SIZE != b->off))
		return false;
	return merges || a->mapping == b->mapping;
}

static bool is_one_range(uaddr_t addr, size_t size)
{
	const struct fake_page *page = find(addr);

	for (uaddr_t at = addr + PAGE_SIZE; page && at < addr + size; at += PAGE_SIZE) {
		const struct fake_page *next = find(at);

		if (!next || !is_one_mapping(page, next))
			return false;
		page = next;
	}
	return page;
}

/* Puts what lies at [from, from + size) to another place; pages beyond are new ones of
 * the mapping. */
static void move(uaddr_t from, size_t size, uaddr_t to, size_t new_size, bool keep)
{
	struct fake_page first = *find(from);
	uint64_t mapping = ++last_mapping;

	for (size_t done = 0; done < new_size; done += PAGE_SIZE) {
		struct fake_page *old = done < size ? find(from + done) : NULL;
		struct fake_page page = old ? *old : first;

		if (!old) {
			page.serial = ++last_serial;
			page.off = first.fd < 0 ? 0 : first.off + (int64_t)done;
		} else if (keep && first.fd < 0) {
			old->serial = ++last_serial; /* empty again */
		} else if (!keep) {
			take_out(old);
		}
		page.addr = to + done;
		page.mapping = mapping;
		put(&page);
	}
}

static long remap(uaddr_t addr, size_t old_size, size_t new_size, int flags,
		  uaddr_t new_addr)
{
	bool keep = (flags & MREMAP_DONTUNMAP) || !old_size;

	if (!is_one_range(addr, old_size))
		return -EFAULT;
	if (flags & MREMAP_FIXED) {
		demand(flags & MREMAP_MAYMOVE, "MREMAP_FIXED without MREMAP_MAYMOVE");
		demand(new_addr >= addr + old_size || addr >= new_addr + new_size,
		       "mremap onto itself");
		demand(!(flags & MREMAP_DONTUNMAP) || old_size == new_size,
		       "MREMAP_DONTUNMAP that grows");
		take_out_range(new_addr, new_size);
		move(addr, old_size, new_addr, new_size, keep);
		return (long)new_addr;
	}
	demand(!flags && new_size > old_size,
	       "mremap may only grow in place or go where it is told");
	/* more of the same mapping above: that is not its end */
	if (find(addr + old_size) && is_one_range(addr, old_size + PAGE_SIZE))
		return -ENOMEM;
	for (uaddr_t at = addr + old_size; at < addr + new_size; at += PAGE_SIZE)
		if (find(at))
			return -ENOMEM;
	for (uaddr_t at = addr + old_size; at < addr + new_size; at += PAGE_SIZE) {
		struct fake_page page = *find(at - PAGE_SIZE);

		page.addr = at;
		page.serial = ++last_serial;
		if (page.fd >= 0)
			page.off += (int64_t)PAGE_SIZE;
		put(&page);
	}
	return (long)addr;
}

long host_mremap(uaddr_t addr, size_t old_size, size_t new_size, int flags,
		 uaddr_t new_addr)
{
	long ret;

	check_range(addr, old_size ? old_size : PAGE_SIZE);
	check_range(flags & MREMAP_FIXED ? new_addr : addr, new_size);
	demand(old_size || find(addr), "mremap of nothing");
	ret = fake_must_fail() ? -ENOMEM
			       : remap(addr, old_size, new_size, flags, new_addr);
	return LOG(FAKE_MREMAP, ret, addr, old_size, new_size, (uint64_t)flags, new_addr);
}

int host_madvise(uaddr_t addr, size_t size, int advice)
{
	check_range(addr, size);
	demand(is_covered(addr, size), "madvise over a hole");
	if (fake_must_fail())
		return (int)LOG(FAKE_MADVISE, -EAGAIN, addr, size, (uint64_t)advice);
	for (uaddr_t at = addr; at < addr + size; at += PAGE_SIZE) {
		struct fake_page *page = find(at);

		if (advice == MADV_DONTFORK || advice == MADV_DOFORK)
			page->dont_fork = advice == MADV_DONTFORK;
		if (advice == MADV_WIPEONFORK || advice == MADV_KEEPONFORK)
			page->wipe_on_fork = advice == MADV_WIPEONFORK;
		if (advice == MADV_DONTNEED && page->fd < 0)
			page->serial = ++last_serial;
	}
	return (int)LOG(FAKE_MADVISE, 0, addr, size, (uint64_t)advice);
}

static int other_call(uaddr_t addr, size_t size, uint64_t arg)
{
	check_range(addr, size);
	demand(is_covered(addr, size), "a call about memory that has a hole");
	return (int)LOG(FAKE_OTHER, fake_must_fail() ? -ENOMEM : 0, addr, size, arg);
}

int host_msync(uaddr_t addr, size_t size, int flags)
{
	return other_call(addr, size, (uint64_t)flags);
}

/* A question, which is no point for a failure: nothing depends on its answer alone. */
int host_mincore(uaddr_t addr, size_t size, uint8_t *vec)
{
	check_range(addr, size);
	demand(is_covered(addr, size), "a question about memory that has a hole");
	memset(vec, 1, size >> PAGE_SHIFT);
	return 0;
}

int host_mlock2(uaddr_t addr, size_t size, int flags)
{
	return other_call(addr, size, (uint64_t)flags);
}

int host_munlock(uaddr_t addr, size_t size)
{
	return other_call(addr, size, 0);
}
