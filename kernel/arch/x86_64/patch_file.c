/* SPDX-License-Identifier: MIT */
/* patch_file.c - see patch_file.h. */
#include "arch/x86_64/patch_file.h"

#include "abi/errno.h"
#include "abi/mman.h"
#include "base/page.h"
#include "base/slab.h"
#include "host/host.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "mm/usercopy.h"

#define FILE_BUCKETS 256
#define REACH	     0x70000000L

/* Whole copies are for programs that start again and again, and do not grow without end.
 */
#define WHOLE_MAX	(4UL << 20)
#define WHOLES_MAX	(64UL << 20)
#define WHOLE_PAGES_MIN 2 /* single pages that it must spare */
#define WHOLE_USES_MIN	8 /* mappings before it is worth it */

extern char entry_fast[], entry_fast_b[];

struct lock patch_lock = LOCK_INIT(RANK_PATCH);
int patch_fd = -1;
uint64_t patch_generation;
struct patch_stats patch_stats;
static struct list buckets[FILE_BUCKETS]; /* patch_lock, as all below */
static int64_t patch_fd_end;
static size_t wholes_size;
static SLAB_CACHE(patch_page_cache, "patch_page", sizeof(struct patch_page), 8);

void patch_files_init(void)
{
	for (size_t i = 0; i < FILE_BUCKETS; i++)
		list_init(&buckets[i]);
}

/* ---- files ---- */

static struct list *bucket_of(uint64_t content_id)
{
	return &buckets[content_id % FILE_BUCKETS];
}

int64_t patch_memfd_alloc(size_t size)
{
	int64_t at = patch_fd_end;

	if (host_ftruncate(patch_fd, at + (int64_t)size))
		return -ENOMEM;
	patch_fd_end += (int64_t)size;
	return at;
}

static struct patch_file *file_create(uint64_t content_id, int64_t area_delta)
{
	const uint64_t entries[2] = {(uint64_t)entry_fast, (uint64_t)entry_fast_b};
	struct patch_file *f = kmalloc_zeroed(sizeof(*f));

	if (!f)
		return NULL;
	f->area_copy = patch_memfd_alloc(TRAMPOLINE_AREA);
	if (f->area_copy < 0 || host_pwrite(patch_fd, entries, sizeof(entries),
					    f->area_copy) != sizeof(entries)) {
		kfree(f);
		return NULL;
	}
	f->content_id = content_id;
	f->area_delta = area_delta;
	list_init(&f->sites);
	list_init(&f->pages);
	f->used[0] = (1 << (SLOT_FIRST / PATCH_SLOT_ALIGN)) - 1;
	list_add_tail(bucket_of(content_id), &f->link);
	return f;
}

bool patch_is_patchable(const struct mm *mm, const struct vma *v)
{
	return patch_fd >= 0 && !mm->no_patch && v && v->object &&
	       v->object->ops->content_id && v->prot == (PROT_READ | PROT_EXEC) &&
	       !(v->flags & (VMA_SHARED | VMA_TOUCHED));
}

/* ---- areas ---- */

/* Maps f's trampolines for a mapping at load, if the place is free or ours. */
static bool area_map(struct mm *mm, struct patch_file *f, uaddr_t load)
{
	uaddr_t at = load + (uaddr_t)f->area_delta;
	struct vma_spares spares;
	struct vma *v;
	long ret;

	if (at < USER_START || at > USER_END - TRAMPOLINE_AREA)
		return false;
	v = vma_at(mm, at);
	if (v && (v->flags & VMA_HIDDEN) && v->start == at && v->off == (uint64_t)f)
		return true; /* mapped before */
	if (v ? !(v->flags & VMA_HIDDEN) || v->start != at ||
			    v->end != at + TRAMPOLINE_AREA || v->off
	      : !vma_range_free(mm, at, at + TRAMPOLINE_AREA))
		return false;
	if (!v && vma_spares_take(&spares))
		return false;
	ret = host_mmap(at, TRAMPOLINE_AREA, PROT_READ | PROT_EXEC,
			MAP_PRIVATE | MAP_FIXED, patch_fd, f->area_copy);
	if (!v) {
		if (ret >= 0) {
			v = vma_spare(&spares);
			v->start = at;
			v->end = at + TRAMPOLINE_AREA;
			v->flags = VMA_HIDDEN;
			vma_link(mm, v);
		}
		vma_spares_drop(&spares);
	}
	if (ret < 0)
		return false;
	v->off = (uint64_t)f;
	return true;
}

/* A place for the trampolines of a file mapped at v: the room that mm kept above it, or
 * any near. */
static uaddr_t area_find(struct mm *mm, struct vma *v)
{
	uaddr_t at;

	for (struct vma *n = vma_next(v); n && n->start - v->end < (uaddr_t)REACH;
	     n = vma_next(n)) {
		if (!(n->flags & VMA_HIDDEN))
			continue;
		if (!n->off && n->end - n->start == TRAMPOLINE_AREA)
			return n->start;
		break;
	}
	at = vma_find_free(mm, TRAMPOLINE_AREA, v->end,
			   MIN(v->end + (uaddr_t)REACH, USER_END));
	if (!at)
		at = vma_find_free(mm, TRAMPOLINE_AREA,
				   v->start > (uaddr_t)REACH ? v->start - (uaddr_t)REACH
							     : USER_START,
				   v->start);
	return at;
}

/* The known record of these contents whose trampolines can be had. */
static struct patch_file *file_known(struct mm *mm, uint64_t id, uaddr_t load)
{
	struct list *l;

	list_for_each (l, bucket_of(id)) {
		struct patch_file *f = list_entry(l, struct patch_file, link);

		if (f->content_id == id && area_map(mm, f, load))
			return f;
	}
	return NULL;
}

struct patch_file *patch_file_for(struct mm *mm, struct vma *v, bool create)
{
	uint64_t id = v->object->ops->content_id(v->object);
	uaddr_t load = patch_load_address(v);
	struct patch_file *f = id ? file_known(mm, id, load) : NULL;
	uaddr_t at;

	if (f || !id || !create)
		return f;
	at = area_find(mm, v);
	if (!at)
		return NULL;
	f = file_create(id, (int64_t)(at - load));
	return f && area_map(mm, f, load) ? f : NULL;
}

struct patch_file *patch_file_of(struct mm *mm, const struct vma *v)
{
	uaddr_t load = patch_load_address(v);
	uaddr_t from = v->start > (uaddr_t)REACH ? v->start - (uaddr_t)REACH : USER_START;
	struct vma *n = vma_find(mm, from);

	for (; n && n->start < v->end + (uaddr_t)REACH; n = vma_next(n)) {
		struct patch_file *f =
			(struct patch_file *)n->off; // NOLINT(performance-no-int-to-ptr)

		if ((n->flags & VMA_HIDDEN) && f &&
		    n->start == load + (uaddr_t)f->area_delta)
			return f;
	}
	return NULL;
}

/* ---- pages ---- */

struct patch_page *patch_page_find(struct patch_file *f, uint64_t index)
{
	struct list *l;

	list_for_each (l, &f->pages) {
		struct patch_page *p = list_entry(l, struct patch_page, link);

		if (p->index == index)
			return p;
	}
	return NULL;
}

int patch_page_map(struct vma *v, uint64_t index, size_t count, int64_t copy)
{
	uaddr_t at = patch_load_address(v) + (index << PAGE_SHIFT);
	long ret = host_mmap(at, count << PAGE_SHIFT, PROT_READ | PROT_EXEC,
			     MAP_PRIVATE | MAP_FIXED, patch_fd, copy);

	if (ret >= 0)
		v->flags |= VMA_PATCHED;
	return ret < 0 ? (int)ret : 0;
}

unsigned patch_map_newer(struct patch_file *f, struct vma *v, uint64_t generation)
{
	unsigned count = 0;
	struct list *l;

	list_for_each (l, &f->pages) {
		struct patch_page *p = list_entry(l, struct patch_page, link);
		uint64_t off = p->index << PAGE_SHIFT;

		if (p->generation > generation && off >= v->off &&
		    off < v->off + (v->end - v->start)) {
			(void)patch_page_map(v, p->index, 1, p->copy);
			count++;
		}
	}
	return count;
}

/* Lays the whole copy over v, if it fits. Returns how new its patches are. */
static uint64_t whole_map(const struct patch_file *f, struct vma *v)
{
	const struct patch_whole *w = &f->whole;

	if (!w->size || w->off != v->off || w->size != v->end - v->start ||
	    patch_page_map(v, w->off >> PAGE_SHIFT, w->size >> PAGE_SHIFT, w->copy))
		return 0;
	return w->generation;
}

/* Makes a whole copy of v, which has all known patches and nothing else that the file has
 * not. */
static void whole_make(struct patch_file *f, const struct vma *v)
{
	size_t size = v->end - v->start;
	int64_t copy;

	if (f->whole.is_impossible || size > WHOLE_MAX || wholes_size + size > WHOLES_MAX)
		return;
	wholes_size += size;
	copy = patch_memfd_alloc(size);
	// NOLINTNEXTLINE(performance-no-int-to-ptr)
	if (copy < 0 ||
	    host_pwrite(patch_fd, (const void *)v->start, size, copy) != (long)size) {
		/* The file ends in the middle of the mapping, or there is no memory. */
		f->whole.is_impossible = true;
		return;
	}
	f->whole = (struct patch_whole){
		.off = v->off,
		.size = size,
		.copy = copy,
		.generation = atomic_load(&patch_generation),
	};
}

void patch_map_known(struct patch_file *f, struct vma *v, uint64_t generation)
{
	if (!generation)
		generation = whole_map(f, v);
	else
		v->flags |= VMA_PATCHED;
	if (patch_map_newer(f, v, generation) >= WHOLE_PAGES_MIN &&
	    ++f->whole.uses >= WHOLE_USES_MIN)
		whole_make(f, v);
}

uint64_t patch_copy_find(struct mm *mm, uaddr_t at, size_t size, struct vm_object *object,
			 uint64_t off, int64_t *copy)
{
	uint64_t id = object->ops->content_id(object);
	struct patch_file *f = id ? file_known(mm, id, at - off) : NULL;

	if (!f || f->whole.size != size || f->whole.off != off)
		return 0;
	*copy = f->whole.copy;
	return f->whole.generation;
}

int patch_page_read(struct patch_file *f, struct vma *v, uint64_t index, uint8_t *buf)
{
	struct patch_page *p = patch_page_find(f, index);

	if (p)
		return host_pread(patch_fd, buf, PAGE_SIZE, p->copy) == (long)PAGE_SIZE
			       ? 0
			       : -EIO;
	return copy_from_user(buf, patch_load_address(v) + (index << PAGE_SHIFT),
			      PAGE_SIZE);
}

void patch_page_note(struct patch_file *f, uint64_t index, int64_t copy)
{
	struct patch_page *p = patch_page_find(f, index);

	if (!p) {
		p = slab_alloc_zeroed(&patch_page_cache);
		if (!p)
			return; /* this process has the patch, later ones will not */
		p->index = index;
		list_add_tail(&f->pages, &p->link);
	}
	p->copy = copy;
	p->generation = atomic_add(&patch_generation, 1) + 1;
	patch_stats.pages++;
}

/* ---- sites ---- */

struct patch_site *patch_site_find(struct patch_file *f, uint64_t off)
{
	struct list *l;

	list_for_each (l, &f->sites) {
		struct patch_site *s = list_entry(l, struct patch_site, link);

		if (s->off == off)
			return s;
	}
	return NULL;
}
