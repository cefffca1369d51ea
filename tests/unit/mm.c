/* SPDX-License-Identifier: MIT */
/* mm.c - mmap, munmap, mprotect, mremap, madvise, brk: random calls, after each of which
 * the areas and the host's mappings must both be what a plain array of pages says; and
 * the same calls with every allocation and every host call failing in turn, which must
 * change nothing and leak nothing. */
/* unit: mm/mm.c mm/map.c mm/protect.c mm/grow.c */
/* unit: mm/place.c mm/vma.c mm/vma_gap.c mm/remap.c mm/advise.c mm/mlock.c */
/* unit: mm/shared_memory.c mm/usercopy.c */
/* unit: mm/uffd.c mm/uffd_area.c mm/uffd_fill.c mm/uffd_host.c mm/uffd_page.c */
/* unit: mm/name.c mm/populate.c mm/commit.c mm/policy.c */
/* unit: base/lock.c base/waitq.c base/slab.c base/page.c lib/tree.c lib/string.c */
/* unit: host/fake/thread.c host/fake/sleep.c host/fake/memory.c host/fake/file.c */
/* unit: host/fake/usercopy.c host/fake/missing.c */
/* timeout: 240 */
#include "../sys/test.h"

#include <sys/mman.h>

#include "abi/mman.h"
#include "abi/resource.h"
#include "base/slab.h"
#include "host/fake/fake.h"
#include "lib/string.h"
#include "limits_stub.h"
#include "memory.h"
#include "mm/job.h"
#include "mm/map.h"
#include "mm/uffd.h"
#include "mm/usercopy.h"
#include "mm/vma.h"
#include "random.h"

enum { REGION = 16 << 20, PAGES = 512, SPAN = 12, STEPS = 20000, OBJECTS = 3 };

/* The window that the calls are about lies as low as can be, so that all places chosen
 * from above fall into it, until it is full. */
#define WINDOW	   USER_START
#define WINDOW_END (WINDOW + PAGES * PAGE_SIZE)

/* ---- what mm asks of others ---- */

bool mm_is_here(const struct mm *m)
{
	(void)m;
	return true;
}

bool mm_may_lock(void)
{
	return false;
}

int mm_job_run(struct mm_job *j)
{
	return j->func(j);
}

/* ---- objects: 0 a file, 1 a file whose code may be patched, 2 memory that counts its
 * writers ---- */

struct object {
	struct vm_object vm;
	int refs;
	int writers;
};

static struct object *of(struct vm_object *o)
{
	return container_of(o, struct object, vm);
}

static void object_get(struct vm_object *o)
{
	of(o)->refs++;
}

static void object_put(struct vm_object *o)
{
	CHECK(of(o)->refs > 1); /* the test holds one */
	of(o)->refs--;
}

static int object_fd(const struct object *o);

static int object_backing(struct vm_object *o, uint64_t off, size_t size, bool shared,
			  bool exec, int *fd, int64_t *host_off)
{
	(void)size;
	(void)shared;
	(void)exec;
	if (fake_must_fail())
		return -ENODEV;
	*fd = object_fd(of(o));
	*host_off = (int64_t)off;
	return 0;
}

static int object_writers(struct vm_object *o, int by)
{
	if (by > 0 && fake_must_fail())
		return -ENOMEM; /* not as if sealed: that is a mapping that stays
				   read-only */
	of(o)->writers += by;
	return 0;
}

static uint64_t object_content(struct vm_object *o)
{
	(void)o;
	return 7;
}

static const struct vm_object_ops plain_ops = {
	.get = object_get,
	.put = object_put,
	.host_backing = object_backing,
};
static const struct vm_object_ops code_ops = {
	.get = object_get,
	.put = object_put,
	.host_backing = object_backing,
	.content_id = object_content,
};
static const struct vm_object_ops counting_ops = {
	.get = object_get,
	.put = object_put,
	.host_backing = object_backing,
	.writers_changed = object_writers,
};
static struct object objects[OBJECTS] = {
	{{.ops = &plain_ops}, 1, 0},
	{{.ops = &code_ops}, 1, 0},
	{{.ops = &counting_ops}, 1, 0},
};

static int object_fd(const struct object *o)
{
	return 100 + (int)(o - objects);
}

/* ---- the model ---- */

struct page {
	bool mapped;
	uint32_t prot;
	bool shared, dont_fork, wipe_on_fork;
	struct object *object;
	uint64_t off;
	uint64_t serial; /* of the contents, as the host numbered them */
};

static struct mm *mm;
static struct page model[PAGES];

static struct page *page_at(uaddr_t addr)
{
	CHECK(addr >= WINDOW && addr < WINDOW_END);
	return &model[(addr - WINDOW) >> PAGE_SHIFT];
}

static bool is_free(uaddr_t addr, size_t size)
{
	for (uaddr_t at = addr; at < addr + size; at += PAGE_SIZE)
		if (page_at(at)->mapped)
			return false;
	return true;
}

/* The patcher's room is there: it counts as free, but MAP_FIXED_NOREPLACE does not take
 * it. */
static bool is_hidden(uaddr_t addr, size_t size)
{
	for (struct vma *v = vma_find(mm, addr); v && v->start < addr + size;
	     v = vma_next(v))
		if (v->flags & VMA_HIDDEN)
			return true;
	return false;
}

/* Contents that the host has just made: believed, to see where they go from here. */
static void learn(uaddr_t addr, size_t size)
{
	for (uaddr_t at = addr; at < addr + size; at += PAGE_SIZE) {
		CHECK(fake_page_at(at));
		page_at(at)->serial = fake_page_at(at)->serial;
	}
}

/* ---- comparing ---- */

static void compare_page(const struct vma *v, uaddr_t addr)
{
	const struct page *want = page_at(addr);
	const struct fake_page *host = fake_page_at(addr);

	CHECK(want->mapped && host);
	CHECK(v->prot == want->prot && host->prot == want->prot);
	CHECK(!(v->flags & VMA_SHARED) == !want->shared && host->shared == want->shared);
	CHECK(!(v->flags & VMA_DONTFORK) == !want->dont_fork &&
	      host->dont_fork == want->dont_fork);
	CHECK(!(v->flags & VMA_WIPEONFORK) == !want->wipe_on_fork);
	CHECK(host->wipe_on_fork == want->wipe_on_fork);
	CHECK(v->object == (want->object ? &want->object->vm : NULL));
	CHECK(host->fd == (want->object ? object_fd(want->object) : -1));
	if (want->object) {
		CHECK(v->off + (addr - v->start) == want->off);
		CHECK(host->off == (int64_t)want->off);
	}
	CHECK(host->serial == want->serial);
}

struct sums {
	uaddr_t end;
	size_t total, data, areas, refs[OBJECTS], writers;
	bool alike;
};

static int compare_area(struct vma *v, void *arg)
{
	struct sums *s = arg;
	size_t pages = (v->end - v->start) >> PAGE_SHIFT;

	CHECK(v->start >= s->end && v->end > v->start);
	for (uaddr_t at = v->start; at < v->end; at += PAGE_SIZE)
		compare_page(v, at);
	s->end = v->end;
	s->total += pages;
	if ((v->prot & PROT_WRITE) && !(v->flags & VMA_SHARED))
		s->data += pages;
	if (v->object == &objects[2].vm && (v->flags & VMA_SHARED) &&
	    (v->flags & VMA_MAYWRITE))
		s->writers++;
	return 0;
}

/* All areas, hidden ones too. */
static void count_areas(struct sums *s)
{
	struct tree_node *n;

	tree_for_each (n, &mm->areas) {
		struct vma *v = tree_entry(n, struct vma, node);

		s->areas++;
		if (v->object)
			s->refs[of(v->object) - objects]++;
	}
}

static void find_objects(const struct slab_cache *c, void *arg)
{
	if (string_equal(c->name, "vm_area_struct"))
		*(size_t *)arg = c->objects;
}

static void compare(void)
{
	struct sums s = {0};
	size_t mapped = 0;
	size_t allocated = 0;

	CHECK(mm_for_each_vma(mm, compare_area, &s) == 0);
	for (size_t i = 0; i < PAGES; i++)
		mapped += model[i].mapped;
	CHECK(s.total == mapped);
	CHECK(fake_page_count() == mapped);
	CHECK(mm->total_pages == mapped);
	CHECK(mm->data_pages == s.data);
	count_areas(&s);
	slab_for_each_cache(find_objects, &allocated);
	CHECK(allocated == s.areas);
	for (int i = 0; i < OBJECTS; i++)
		CHECK(objects[i].refs == (int)s.refs[i] + 1);
	CHECK(!mm->lock.word);
	/* Nobody may be told that the last writer has gone while one is there, or the
	 * reverse. */
	CHECK(objects[2].writers >= 0 && (objects[2].writers > 0) == (s.writers > 0));
}

/* ---- one random call: made up first, so that it can be made again ---- */

enum kind { DO_MAP, DO_UNMAP, DO_PROTECT, DO_REMAP, DO_ADVISE, DO_SYNC, KINDS };

struct step {
	enum kind kind;
	uaddr_t addr, new_addr;
	size_t size, new_size;
	uint32_t prot, flags;
	struct object *object;
	uint64_t off;
	int advice;
};

static uaddr_t random_addr(void)
{
	return WINDOW + random_below(128) * PAGE_SIZE;
}

static size_t random_size(void)
{
	size_t size = (1 + random_below(SPAN)) * PAGE_SIZE;

	return random_below(4) ? size : size - random_below(PAGE_SIZE);
}

/* Often an address where something begins. */
static uaddr_t random_start(void)
{
	uaddr_t addr = random_addr();

	if (random_below(3)) {
		struct vma *v = vma_find(mm, addr);

		if (v && v->start >= WINDOW && v->start < WINDOW + 128 * PAGE_SIZE)
			addr = v->start;
	}
	return addr;
}

static struct step random_step(void)
{
	static const uint32_t prots[] = {PROT_NONE, PROT_READ, PROT_READ | PROT_WRITE,
					 PROT_READ | PROT_WRITE, PROT_READ | PROT_EXEC};
	static const int advices[] = {MADV_DONTFORK,   MADV_DOFORK,   MADV_WIPEONFORK,
				      MADV_KEEPONFORK, MADV_DONTNEED, MADV_WILLNEED,
				      MADV_FREE,       MADV_REMOVE};
	struct step s = {.kind = random_below(KINDS)};

	if (random_below(3) == 0)
		s.kind = DO_MAP;
	s.addr = random_start();
	s.size = random_size();
	s.prot = prots[random_below(ARRAY_SIZE(prots))];
	s.advice = advices[random_below(ARRAY_SIZE(advices))];
	if (s.kind == DO_MAP) {
		bool shared = random_below(3) == 0;
		size_t which = random_below(OBJECTS + 2);

		s.object = which < OBJECTS ? &objects[which] : NULL;
		if (shared && !s.object)
			s.object = &objects[2];
		s.flags = shared ? MAP_SHARED : MAP_PRIVATE;
		s.off = s.object ? random_below(64) * PAGE_SIZE : 0;
		if (!s.object)
			s.flags |= MAP_ANONYMOUS;
		if (random_below(3))
			s.flags |= random_below(4) ? MAP_FIXED : MAP_FIXED_NOREPLACE;
		else if (random_below(2))
			s.addr = 0;
	}
	/* An advice that fails half way is marked nowhere, though the host keeps what it
	 * did. */
	for (uaddr_t at = s.addr; s.kind == DO_ADVISE && at < s.addr + s.size;
	     at += PAGE_SIZE)
		if (page_at(at)->object && s.advice == MADV_WIPEONFORK)
			s.advice = MADV_WILLNEED;
	if (s.kind == DO_REMAP) {
		struct vma *v = vma_find(mm, s.addr);

		s.size = ALIGN_UP(s.size, PAGE_SIZE);
		if (v && v->start <= s.addr && random_below(2))
			s.size = MIN(v->end - s.addr, SPAN * PAGE_SIZE);
		s.new_size = random_size();
		s.new_addr = random_addr();
		s.flags = random_below(3) ? MREMAP_MAYMOVE : 0;
		if (s.flags && random_below(2))
			s.flags |= MREMAP_FIXED;
		if (s.flags && random_below(4) == 0) {
			s.flags |= MREMAP_DONTUNMAP;
			s.new_size = s.size;
		}
		if (random_below(16) == 0)
			s.size = 0;
	}
	return s;
}

static long step_do(const struct step *s)
{
	switch (s->kind) {
	case DO_MAP:
		return mm_map(mm, s->addr, s->size, s->prot, s->flags,
			      s->object ? &s->object->vm : NULL, s->off, 0);
	case DO_UNMAP:
		return mm_unmap(mm, s->addr, s->size);
	case DO_PROTECT:
		return mm_protect(mm, s->addr, s->size, s->prot, -1);
	case DO_REMAP:
		return mm_remap(mm, s->addr, s->size, s->new_size, s->flags, s->new_addr);
	case DO_ADVISE:
		return mm_advise(mm, s->addr, s->size, s->advice);
	default:
		return mm_sync(mm, s->addr, s->size, MS_SYNC);
	}
}

/* ---- what it should have done ---- */

static void expect_map(const struct step *s, long ret)
{
	size_t size = ALIGN_UP(s->size, PAGE_SIZE);
	uaddr_t at = (uaddr_t)ret;

	if ((s->flags & MAP_FIXED_NOREPLACE) && ret == -EEXIST) {
		CHECK(!is_free(s->addr, size) || is_hidden(s->addr, size));
		return;
	}
	CHECK(!(s->flags & MAP_FIXED_NOREPLACE) || is_free(s->addr, size));
	CHECK(ret > 0);
	if (s->flags & (MAP_FIXED | MAP_FIXED_NOREPLACE))
		CHECK(at == s->addr);
	else
		CHECK(is_free(at, size));
	for (size_t done = 0; done < size; done += PAGE_SIZE)
		*page_at(at + done) =
			(struct page){.mapped = true,
				      .prot = s->prot,
				      .shared = (s->flags & MAP_TYPE) == MAP_SHARED,
				      .object = s->object,
				      .off = s->off + done};
	learn(at, size);
}

static void expect_unmap(const struct step *s, long ret)
{
	CHECK(ret == 0);
	for (uaddr_t at = s->addr; at < s->addr + s->size; at += PAGE_SIZE)
		*page_at(at) = (struct page){.mapped = false};
}

static void expect_protect(const struct step *s, long ret)
{
	uaddr_t at = s->addr;

	for (; at < s->addr + s->size && page_at(at)->mapped; at += PAGE_SIZE)
		page_at(at)->prot = s->prot;
	CHECK(ret == (at < s->addr + s->size ? -ENOMEM : 0));
}

static bool is_alike(const struct page *a, const struct page *b)
{
	return a->mapped && b->mapped && a->prot == b->prot && a->shared == b->shared &&
	       a->dont_fork == b->dont_fork && a->wipe_on_fork == b->wipe_on_fork &&
	       a->object == b->object && (!a->object || a->off + PAGE_SIZE == b->off);
}

/* Moves the model's pages as mremap did, which said ret. */
static void move_pages(const struct step *s, uaddr_t to, size_t old_size, size_t new_size)
{
	bool keep = (s->flags & MREMAP_DONTUNMAP) || !s->size;
	struct page moved[2 * SPAN];
	struct page first = *page_at(s->addr);

	CHECK(new_size / PAGE_SIZE <= 2 * SPAN);
	for (size_t i = 0; i < new_size / PAGE_SIZE; i++) {
		moved[i] = first;
		moved[i].serial = 0;
		if (first.object)
			moved[i].off = first.off + i * PAGE_SIZE;
		if (i < old_size / PAGE_SIZE)
			moved[i] = *page_at(s->addr + i * PAGE_SIZE);
	}
	for (size_t i = 0; i < old_size / PAGE_SIZE && to != s->addr; i++) {
		if (!keep)
			page_at(s->addr + i * PAGE_SIZE)->mapped = false;
		else if (!first.object)
			learn(s->addr + i * PAGE_SIZE, PAGE_SIZE);
	}
	for (size_t i = 0; i < new_size / PAGE_SIZE; i++) {
		uaddr_t at = to + i * PAGE_SIZE;

		*page_at(at) = moved[i];
		if (!moved[i].serial)
			learn(at, PAGE_SIZE);
	}
}

static bool may_fail_to_remap(const struct step *s)
{
	size_t size = ALIGN_UP(s->size, PAGE_SIZE);
	size_t new_size = ALIGN_UP(s->new_size, PAGE_SIZE);

	if (!page_at(s->addr)->mapped)
		return true;
	if (!size)
		return true;
	for (uaddr_t at = s->addr; at + PAGE_SIZE < s->addr + size; at += PAGE_SIZE)
		if (!is_alike(page_at(at), page_at(at + PAGE_SIZE)))
			return true;
	if ((s->flags & (MREMAP_FIXED | MREMAP_DONTUNMAP)) &&
	    s->new_addr < s->addr + size && s->addr < s->new_addr + new_size)
		return true;
	return new_size > size && !(s->flags & MREMAP_MAYMOVE);
}

static void expect_remap(const struct step *s, long ret)
{
	size_t size = ALIGN_UP(s->size, PAGE_SIZE);
	size_t new_size = ALIGN_UP(s->new_size, PAGE_SIZE);

	if (ret < 0) {
		/* areas that differ in flags that the model has not do not join: such a
		 * range fails */
		CHECK(ret == -EFAULT || may_fail_to_remap(s));
		return;
	}
	if (s->flags & MREMAP_FIXED)
		CHECK((uaddr_t)ret == s->new_addr);
	if (new_size < size) { /* the tail goes first */
		for (size_t done = new_size; done < size; done += PAGE_SIZE)
			page_at(s->addr + done)->mapped = false;
		size = new_size;
		if (!(s->flags & MREMAP_FIXED)) { /* whatever is kept stays as it is */
			CHECK((uaddr_t)ret == s->addr);
			return;
		}
	}
	move_pages(s, (uaddr_t)ret, size, new_size);
}

static void expect_advise(const struct step *s, long ret)
{
	bool hole = false;

	for (uaddr_t at = s->addr; at < s->addr + s->size; at += PAGE_SIZE)
		hole |= !page_at(at)->mapped;
	CHECK(ret == 0 || ret == -EINVAL || (hole && ret == -ENOMEM) ||
	      (s->advice == MADV_REMOVE && ret == -EACCES));
	CHECK(ret != 0 || !hole);
	for (uaddr_t at = s->addr; at < s->addr + s->size; at += PAGE_SIZE) {
		struct page *page = page_at(at);

		if (!page->mapped || ret == -EINVAL)
			continue;
		if (s->advice == MADV_DONTFORK || s->advice == MADV_DOFORK)
			page->dont_fork = s->advice == MADV_DONTFORK;
		if (s->advice == MADV_WIPEONFORK || s->advice == MADV_KEEPONFORK)
			page->wipe_on_fork = s->advice == MADV_WIPEONFORK;
	}
	for (uaddr_t at = s->addr; s->advice == MADV_DONTNEED && at < s->addr + s->size;
	     at += PAGE_SIZE)
		if (page_at(at)->mapped)
			learn(at, PAGE_SIZE);
}

static void expect(const struct step *s, long ret)
{
	static void (*const expectations[KINDS])(const struct step *, long) = {
		[DO_MAP] = expect_map,	       [DO_UNMAP] = expect_unmap,
		[DO_PROTECT] = expect_protect, [DO_REMAP] = expect_remap,
		[DO_ADVISE] = expect_advise,
	};

	if (expectations[s->kind])
		expectations[s->kind](s, ret);
}

/* ---- the tests ---- */

static void start(void)
{
	memory_init(REGION);
	limits_reset();
	fake_task_begin(NULL);
	fake_memory_reset();
	memset(model, 0, sizeof(model));
	mm = mm_create();
	CHECK(mm);
	mm->mmap_top = WINDOW_END;
	compare();
}

static void finish(void)
{
	mm_clear(mm);
	memset(model, 0, sizeof(model));
	compare();
	mm_put(mm);
	fake_task_end();
}

/* A full window would send mappings elsewhere: a few are taken out of it by and by. */
static void make_room(void)
{
	size_t mapped = 0;
	struct step s = {.kind = DO_UNMAP, .addr = WINDOW, .size = PAGES / 2 * PAGE_SIZE};

	for (size_t i = 0; i < PAGES; i++)
		mapped += model[i].mapped;
	if (mapped < PAGES / 4)
		return;
	if (random_below(2))
		s.addr += s.size;
	expect(&s, step_do(&s));
	compare();
}

static void random_calls(bool host_merges)
{
	start();
	random_state = 1;
	fake_memory_merges(host_merges);
	for (int i = 0; i < STEPS; i++) {
		struct step s = random_step();

		expect(&s, step_do(&s));
		compare();
		make_room();
	}
	finish();
}

static void areas_and_host_agree_after_any_calls(void)
{
	random_calls(true);
}

static void areas_that_the_host_keeps_apart_are_one_to_the_guest(void)
{
	random_calls(false);
}

/* Makes s with its n-th host call failing, or its n-th allocation. *failed: it made as
 * many. */
static long step_failing(const struct step *s, int n, bool host_fails, bool *failed)
{
	long ret;

	if (host_fails)
		fake_fail_at((uint64_t)n);
	else
		alloc_fail_at((uint64_t)n);
	ret = step_do(s);
	*failed = true;
	for (int i = 0; i < n; i++)
		if (host_fails ? fake_must_fail() : alloc_must_fail())
			*failed = false; /* it was yet to come */
	return ret;
}

/* An advice is done area by area, as on Linux, and a sync changes nothing: no claim about
 * them. */
static bool is_all_or_nothing(const struct step *s)
{
	return s->kind != DO_ADVISE && s->kind != DO_SYNC;
}

/* A protection changes area by area, too: those before the one that fails have it. */
static void expect_partly_protected(const struct step *s)
{
	for (uaddr_t at = s->addr; at < s->addr + s->size; at += PAGE_SIZE) {
		struct vma *v = vma_find(mm, at);

		if (!page_at(at)->mapped || !v || v->prot != s->prot)
			return;
		page_at(at)->prot = s->prot;
	}
}

static void failures(bool host_fails)
{
	start();
	random_state = 2;
	fake_memory_merges(true);
	for (int i = 0; i < STEPS / 10; i++) {
		struct step s = random_step();
		int n = 1;
		long ret = 0;

		/* mremap that shrinks and moves does the first before it can fail at the
		 * second, as Linux does */
		if (s.kind == DO_REMAP && s.new_size < s.size && (s.flags & MREMAP_FIXED))
			continue;
		if (!is_all_or_nothing(&s))
			ret = step_do(&s);
		for (bool failed = is_all_or_nothing(&s); failed; n++) {
			ret = step_failing(&s, n, host_fails, &failed);
			if (!failed || ret >= 0) /* it may have found another way */
				break;
			if (s.kind == DO_PROTECT)
				expect_partly_protected(&s);
			compare();
		}
		expect(&s, ret);
		compare();
		make_room();
	}
	finish();
}

static void a_failing_host_call_changes_nothing(void)
{
	failures(true);
}

static void a_failing_allocation_changes_nothing(void)
{
	failures(false);
}

/* ---- single points ---- */

static long map_at(uaddr_t addr, size_t size, uint32_t flags)
{
	return mm_map(mm, addr, size, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | flags, NULL, 0, 0);
}

static void the_kernels_range_cannot_be_named(void)
{
	uaddr_t kernel = 0x7ff000000000;

	start();
	CHECK(map_at(kernel, PAGE_SIZE, MAP_FIXED) == -ENOMEM);
	CHECK(map_at(USER_END - PAGE_SIZE, 2 * PAGE_SIZE, MAP_FIXED) == -ENOMEM);
	CHECK(map_at(~0UL & PAGE_MASK, PAGE_SIZE, MAP_FIXED) == -ENOMEM);
	CHECK(map_at(WINDOW, ~0UL, MAP_FIXED) == -ENOMEM);
	CHECK(map_at(WINDOW, 0, MAP_FIXED) == -EINVAL);
	CHECK(map_at(0, PAGE_SIZE, MAP_FIXED) == -EPERM);
	CHECK(map_at(WINDOW + 1, PAGE_SIZE, MAP_FIXED) == -EINVAL);
	CHECK(mm_unmap(mm, kernel, PAGE_SIZE) == -EINVAL);
	CHECK(mm_unmap(mm, 0, kernel) == -EINVAL);
	CHECK(mm_unmap(mm, WINDOW, ~0UL) == -EINVAL);
	CHECK(mm_protect(mm, kernel, PAGE_SIZE, PROT_READ, -1) == -ENOMEM);
	CHECK(mm_protect(mm, WINDOW, ~0UL, PROT_READ, -1) == -ENOMEM);
	CHECK(mm_advise(mm, kernel, PAGE_SIZE, MADV_DONTNEED) == -ENOMEM);
	CHECK(mm_advise(mm, 0, kernel, MADV_DONTNEED) == -ENOMEM);
	CHECK(mm_sync(mm, kernel, PAGE_SIZE, MS_SYNC) == -ENOMEM);
	CHECK(mm_remap(mm, kernel, PAGE_SIZE, 2 * PAGE_SIZE, MREMAP_MAYMOVE, 0) < 0);
	CHECK(map_at(WINDOW, PAGE_SIZE, MAP_FIXED) == (long)WINDOW);
	CHECK(mm_remap(mm, WINDOW, PAGE_SIZE, PAGE_SIZE, MREMAP_MAYMOVE | MREMAP_FIXED,
		       kernel) == -EINVAL);
	CHECK(mm_remap(mm, WINDOW, PAGE_SIZE, ~0UL, MREMAP_MAYMOVE, 0) == -EINVAL);
	for (size_t i = 0; fake_call_at(i); i++)
		CHECK(fake_call_at(i)->arg[0] + fake_call_at(i)->arg[1] <= USER_END);
	CHECK(mm_unmap(mm, WINDOW, PAGE_SIZE) == 0);
	finish();
}

static void limits_are_kept(void)
{
	start();
	limits[RLIMIT_AS] = 8 * PAGE_SIZE;
	CHECK(map_at(WINDOW, 8 * PAGE_SIZE, MAP_FIXED) == (long)WINDOW);
	CHECK(map_at(0, PAGE_SIZE, 0) == -ENOMEM);
	CHECK(map_at(WINDOW, 8 * PAGE_SIZE, MAP_FIXED) ==
	      (long)WINDOW); /* replaces itself */
	CHECK(mm_remap(mm, WINDOW, 8 * PAGE_SIZE, 9 * PAGE_SIZE, MREMAP_MAYMOVE, 0) ==
	      -ENOMEM);
	limits[RLIMIT_AS] = UINT64_MAX;
	limits[RLIMIT_DATA] = 8 * PAGE_SIZE;
	CHECK(map_at(0, PAGE_SIZE, 0) == -ENOMEM);
	CHECK(mm_map(mm, 0, PAGE_SIZE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, NULL, 0,
		     0) > 0);
	CHECK(mm_unmap(mm, WINDOW, PAGES * PAGE_SIZE) == 0);
	finish();
}

/* One area to the guest, three mappings to the host. */
static void a_move_of_several_host_mappings_is_all_or_nothing(void)
{
	uaddr_t to = WINDOW + 20 * PAGE_SIZE;
	long ret;
	int n = 0;

	start();
	fake_memory_merges(false);
	for (size_t i = 0; i < 3; i++)
		CHECK(map_at(WINDOW + i * PAGE_SIZE, PAGE_SIZE, MAP_FIXED) > 0);
	do {
		fake_fail_at((uint64_t)++n);
		ret = mm_remap(mm, WINDOW, 3 * PAGE_SIZE, 4 * PAGE_SIZE,
			       MREMAP_MAYMOVE | MREMAP_FIXED, to);
		for (size_t i = 0; i < 4; i++) {
			CHECK(!fake_page_at(to + i * PAGE_SIZE) == (ret < 0));
			CHECK(!fake_page_at(WINDOW + i * PAGE_SIZE) ==
			      (ret >= 0 || i == 3));
		}
	} while (ret < 0);
	fake_fail_at(0);
	CHECK(n > 3);
	CHECK(mm_unmap(mm, WINDOW, PAGES * PAGE_SIZE) == 0);
	finish();
}

static void brk_grows_and_shrinks_and_stops_at_neighbours(void)
{
	start();
	mm->brk_start = mm->brk_end = WINDOW + 100;
	CHECK(mm_brk(mm, 0) == WINDOW + 100);
	CHECK(mm_brk(mm, WINDOW + 3 * PAGE_SIZE + 5) == WINDOW + 3 * PAGE_SIZE + 5);
	CHECK(fake_page_count() == 3); /* the first page is the program's own */
	CHECK(map_at(WINDOW + 8 * PAGE_SIZE, PAGE_SIZE, MAP_FIXED) > 0);
	CHECK(mm_brk(mm, WINDOW + 8 * PAGE_SIZE) == WINDOW + 3 * PAGE_SIZE + 5);
	fake_fail_at(1);
	CHECK(mm_brk(mm, WINDOW + 5 * PAGE_SIZE) == WINDOW + 3 * PAGE_SIZE + 5);
	CHECK(mm_brk(mm, WINDOW + 5 * PAGE_SIZE) == WINDOW + 5 * PAGE_SIZE);
	CHECK(mm_brk(mm, WINDOW + 101) == WINDOW + 101);
	CHECK(fake_page_count() == 1);
	limits[RLIMIT_DATA] = PAGE_SIZE;
	CHECK(mm_brk(mm, WINDOW + 3 * PAGE_SIZE) == WINDOW + 101);
	CHECK(mm_brk(mm, USER_END + PAGE_SIZE) == WINDOW + 101);
	CHECK(mm_brk(mm, ~0UL) == WINDOW + 101);
	CHECK(mm_unmap(mm, WINDOW, PAGES * PAGE_SIZE) == 0);
	finish();
}

static void a_stack_grows_down_to_its_limit(void)
{
	uaddr_t top = WINDOW + 100 * PAGE_SIZE;
	uint64_t other = 0; /* another thread's */
	uint64_t seen = 0;

	start();
	limits[RLIMIT_STACK] = 16 * PAGE_SIZE;
	CHECK(mm_map(mm, top - PAGE_SIZE, PAGE_SIZE, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_GROWSDOWN, NULL, 0,
		     VMA_STACK) > 0);
	CHECK(!mm_grow(mm, top + PAGE_SIZE, &seen));
	CHECK(mm_grow(mm, top - 3 * PAGE_SIZE + 5, &seen));
	CHECK(!mm_grow(mm, top - 3 * PAGE_SIZE + 5, &seen));
	CHECK(mm_grow(mm, top - 3 * PAGE_SIZE + 5, &other));
	CHECK(!mm_grow(mm, top - 3 * PAGE_SIZE + 5, &other));
	CHECK(fake_page_count() == 3);
	CHECK(!mm_grow(mm, top - 17 * PAGE_SIZE, &seen));
	fake_fail_at(1);
	CHECK(!mm_grow(mm, top - 4 * PAGE_SIZE, &seen));
	CHECK(fake_page_count() == 3 && mm->stack_pages == 3);
	CHECK(mm_grow(mm, top - 16 * PAGE_SIZE, &seen));
	CHECK(map_at(WINDOW, PAGE_SIZE, MAP_FIXED) > 0);
	limits[RLIMIT_STACK] = UINT64_MAX;
	CHECK(!mm_grow(mm, top - 18 * PAGE_SIZE,
		       &seen)); /* too near to what lies below */
	CHECK(mm_unmap(mm, WINDOW, PAGES * PAGE_SIZE) == 0);
	finish();
}

static void what_is_below_the_first_stack_is_known(void)
{
	uaddr_t top = WINDOW + 100 * PAGE_SIZE;
	uaddr_t low = top - 2 * PAGE_SIZE;
	uint64_t seen = 0;

	start();
	limits[RLIMIT_STACK] = UINT64_MAX;
	CHECK(mm_map(mm, low, 2 * PAGE_SIZE, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, NULL, 0, VMA_STACK) > 0);
	CHECK(!mm_is_below_stack(mm, low - 1));
	mm->stack_low = low;
	mm->stack_reach = 0;
	CHECK(mm_is_below_stack(mm, low - 1) && mm_is_below_stack(mm, WINDOW));
	CHECK(map_at(WINDOW, 4 * PAGE_SIZE, MAP_FIXED) > 0);
	CHECK(!mm_is_below_stack(mm, WINDOW + 4 * PAGE_SIZE - 1));
	CHECK(mm_is_below_stack(mm, WINDOW + 4 * PAGE_SIZE));
	CHECK(mm_is_below_stack(mm, low - 1) && !mm_is_below_stack(mm, low));
	CHECK(mm_unmap(mm, WINDOW + 2 * PAGE_SIZE, 2 * PAGE_SIZE) == 0);
	CHECK(mm_is_below_stack(mm, WINDOW + 2 * PAGE_SIZE));
	CHECK(!mm_is_below_stack(mm, WINDOW + 2 * PAGE_SIZE - 1));
	CHECK(mm_unmap(mm, WINDOW, 2 * PAGE_SIZE) == 0);
	CHECK(mm_is_below_stack(mm, WINDOW));
	CHECK(mm_grow(mm, low - PAGE_SIZE, &seen));
	CHECK(mm_is_below_stack(mm, WINDOW));
	CHECK(!mm_is_below_stack(mm, low - PAGE_SIZE));
	CHECK(mm_unmap(mm, low - PAGE_SIZE, 2 * PAGE_SIZE) == 0);
	CHECK(mm_is_below_stack(mm, low) && !mm_is_below_stack(mm, low + PAGE_SIZE));
	/* Without one, nothing is. */
	CHECK(mm_unmap(mm, low, 2 * PAGE_SIZE) == 0);
	CHECK(!mm_is_below_stack(mm, low) && !mm_is_below_stack(mm, WINDOW));
	finish();
}

static void a_copy_for_fork_has_the_areas_but_not_those_marked(void)
{
	struct mm *copy;
	struct vma *v;
	int refs;
	struct list events = LIST_INIT(events);
	int n;

	start();
	CHECK(mm_map(mm, WINDOW, 2 * PAGE_SIZE, PROT_READ, MAP_SHARED | MAP_FIXED,
		     &objects[0].vm, 0, 0) > 0);
	CHECK(map_at(WINDOW + 4 * PAGE_SIZE, PAGE_SIZE, MAP_FIXED) > 0);
	CHECK(map_at(WINDOW + 6 * PAGE_SIZE, PAGE_SIZE, MAP_FIXED) > 0);
	CHECK(mm_advise(mm, WINDOW + 4 * PAGE_SIZE, PAGE_SIZE, MADV_DONTFORK) == 0);
	refs = objects[0].refs;
	for (n = 1;; n++) {
		alloc_fail_at((uint64_t)n);
		lock_take(&mm->lock);
		copy = mm_copy_locked(mm, &events);
		lock_drop(&mm->lock);
		if (copy)
			break;
		CHECK(objects[0].refs == refs);
	}
	alloc_fail_at(0);
	CHECK(n > 3);
	CHECK(objects[0].refs == refs + 1);
	CHECK(copy->id != mm->id && copy->total_pages == 3 && mm->total_pages == 4);
	v = vma_find(copy, 0);
	CHECK(v->start == WINDOW && v->end == WINDOW + 2 * PAGE_SIZE);
	v = vma_next(v);
	CHECK(v->start == WINDOW + 6 * PAGE_SIZE && !vma_next(v));
	mm_put(copy);
	CHECK(objects[0].refs == refs);
	CHECK(mm_unmap(mm, WINDOW, PAGES * PAGE_SIZE) == 0);
	finish();
}

static void shared_memory_leaves_nothing_when_it_cannot_be_made(void)
{
	struct vm_object *o = NULL;

	start();
	for (int i = 1; i <= 2; i++) {
		fake_fail_at((uint64_t)i);
		CHECK(!shared_memory_create(PAGE_SIZE, false));
	}
	fake_fail_at(0);
	alloc_fail_at(1);
	CHECK(!shared_memory_create(PAGE_SIZE, false));
	CHECK(fake_open_files() == 0);
	o = shared_memory_create(PAGE_SIZE, false);
	CHECK(o && fake_open_files() == 1);
	o->ops->put(o);
	CHECK(fake_open_files() == 0);
	finish();
}

static void bits_of_pages_are_bounded(void)
{
	struct uffd_mm *um;

	start();
	um = uffd_mm_make(mm);
	CHECK(um && uffd_pages_reserve(um, 2UL << 20, 4UL << 20) == 0);
	uffd_pages_change(um, 2UL << 20, 3UL << 20, UFFD_THERE, 0);
	CHECK(uffd_pages_reserve(um, 0, 1UL << 40) == -ENOMEM);
	CHECK(um->chunk_count == 1 && uffd_page_bits(um, 2UL << 20) == UFFD_THERE);
	CHECK(uffd_pages_reserve_move(um, 0, 1UL << 40, 1UL << 39) == 0);
	uffd_pages_move(um, 0, 1UL << 40, 1UL << 39);
	CHECK(um->chunk_count == 1 && uffd_page_bits(um, 2UL << 20) == 0);
	CHECK(uffd_page_bits(um, (1UL << 40) + (2UL << 20)) == UFFD_THERE);
	finish();
}

RUN(TEST(the_kernels_range_cannot_be_named), TEST(limits_are_kept),
    TEST(a_move_of_several_host_mappings_is_all_or_nothing),
    TEST(brk_grows_and_shrinks_and_stops_at_neighbours),
    TEST(a_stack_grows_down_to_its_limit), TEST(what_is_below_the_first_stack_is_known),
    TEST(a_copy_for_fork_has_the_areas_but_not_those_marked),
    TEST(shared_memory_leaves_nothing_when_it_cannot_be_made),
    TEST(bits_of_pages_are_bounded), TEST(areas_and_host_agree_after_any_calls),
    TEST(areas_that_the_host_keeps_apart_are_one_to_the_guest),
    TEST(a_failing_host_call_changes_nothing), TEST(a_failing_allocation_changes_nothing))
