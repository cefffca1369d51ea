/* SPDX-License-Identifier: MIT */
/* patch.c - see patch.h; what a patch looks like is patch_plan.c's.
 *
 * Patched code is never written in place. A page with a new patch is a new copy, in one
 * memfd of the sandbox, that is mapped over the old page: the host makes that one step
 * for all threads of the process, and interrupts those that run, so that no thread ever
 * executes bytes that change under it. A thread in the middle of what a patch displaced
 * meets an invalid opcode and is sent on (patch_moved()). Copies that are in use never
 * change, so other processes that have mapped an older one are not disturbed: they learn
 * the new site by trapping there once.
 *
 * All is kept per file contents (vm_object_ops.content_id) and relative to the address of
 * the file's first byte: the trampoline area lies at the same distance in every process
 * (mm/map.c keeps room for it above each file mapping), so that a later mapping of the
 * file gets all known pages at once.
 *
 * A site is patched when it traps for the second time. A program's start comes past most
 * of its sites once: to patch one then would cost ten times what its one trap does.
 *
 * Only private, executable, never writable file mappings are patched: code that programs
 * make stays slow. */
#include "arch/x86_64/patch.h"

#include "abi/errno.h"
#include "abi/mman.h"
#include "abi/syscall.h"
#include "arch/x86_64/offsets.h"
#include "arch/x86_64/patch_plan.h"
#include "arch/x86_64/patch_seen.h"
#include "arch/x86_64/regs.h"
#include "base/lock.h"
#include "base/page.h"
#include "base/slab.h"
#include "host/host.h"
#include "lib/atomic.h"
#include "lib/list.h"
#include "lib/string.h"
#include "mm/map.h"
#include "mm/usercopy.h"
#include "mm/vma.h"

#define FILE_BUCKETS 256
#define AREA_SIZE    TRAMPOLINE_AREA
#define SLOT_FIRST   16 /* the entry pointers come first */
#define REACH	     0x70000000L

/* Whole copies are for programs that start again and again, and do not grow without end.
 */
#define WHOLE_MAX	(4UL << 20)
#define WHOLES_MAX	(64UL << 20)
#define WHOLE_PAGES_MIN 2 /* single pages that it must spare */
#define WHOLE_USES_MIN	8 /* mappings before it is worth it */

struct patch_site {
	struct list link; /* in patch_file.sites */
	uint64_t off;	  /* of the syscall instruction in the file */
	struct patch_record record;
};

struct patch_page {
	struct list link;    /* in patch_file.pages, by index */
	uint64_t index;	     /* file offset in pages */
	int64_t copy;	     /* offset of the newest copy in the memfd */
	uint64_t generation; /* of patch_generation, when it was made */
};

/* A copy of a whole mapping, so that one host call lays all known patches over it. */
struct patch_whole {
	uint64_t off; /* of the mapping in the file; pages */
	size_t size;  /* 0: there is none */
	int64_t copy; /* in the memfd */
	uint64_t generation;
	unsigned uses; /* mappings that needed single pages since it was made */
	bool is_impossible;
};

struct patch_file {
	struct list link; /* in the bucket */
	uint64_t content_id;
	int64_t area_delta; /* trampolines - address of file offset 0 */
	int64_t area_copy;  /* offset of the area in the memfd */
	struct list sites;
	struct list pages;
	struct patch_whole whole;
	uint8_t used[AREA_SIZE / PATCH_SLOT_ALIGN / 8];
};

extern char entry_fast[], entry_fast_b[];

static struct lock patch_lock =
	LOCK_INIT(RANK_PATCH); /* all below, and the files' contents */
static struct list buckets[FILE_BUCKETS];
static int patch_fd = -1;
static int64_t patch_fd_end;
static size_t wholes_size;
static uint64_t patch_generation; /* atomic: counts copies, changed under patch_lock */
static struct patch_seen seen;
static struct patch_stats stats;
static SLAB_CACHE(patch_site_cache, sizeof(struct patch_site), 8);
static SLAB_CACHE(patch_page_cache, sizeof(struct patch_page), 8);

static void on_mapped(struct mm *mm, struct vma *v);

int patch_init(bool off)
{
	for (size_t i = 0; i < FILE_BUCKETS; i++)
		list_init(&buckets[i]);
	if (off)
		return 0;
	patch_fd = host_memfd_create("patched-code", MFD_CLOEXEC | MFD_EXEC);
	if (patch_fd == -EINVAL) /* hosts before 6.3 */
		patch_fd = host_memfd_create("patched-code", MFD_CLOEXEC);
	if (patch_fd < 0)
		return patch_fd;
	mm_mapped_hook = on_mapped;
	return 0;
}

void patch_get_stats(struct patch_stats *out)
{
	lock_take(&patch_lock);
	*out = stats;
	lock_drop(&patch_lock);
}

/* ---- files ---- */

static struct list *bucket_of(uint64_t content_id)
{
	return &buckets[content_id % FILE_BUCKETS];
}

static int64_t memfd_alloc(size_t size)
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
	f->area_copy = memfd_alloc(AREA_SIZE);
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

static bool is_patchable(const struct mm *mm, const struct vma *v)
{
	return patch_fd >= 0 && !mm->no_patch && v && v->object &&
	       v->object->ops->content_id && v->prot == (PROT_READ | PROT_EXEC) &&
	       !(v->flags & (VMA_SHARED | VMA_TOUCHED));
}

static uaddr_t load_address(const struct vma *v)
{
	return v->start - v->off;
}

/* ---- areas ---- */

/* Maps f's trampolines for a mapping at load, if the place is free or ours. */
static bool area_map(struct mm *mm, struct patch_file *f, uaddr_t load)
{
	uaddr_t at = load + (uaddr_t)f->area_delta;
	struct vma_spares spares;
	struct vma *v;
	long ret;

	if (at < USER_START || at > USER_END - AREA_SIZE)
		return false;
	v = vma_at(mm, at);
	if (v && (v->flags & VMA_HIDDEN) && v->start == at && v->off == (uint64_t)f)
		return true; /* mapped before */
	if (v ? !(v->flags & VMA_HIDDEN) || v->start != at || v->end != at + AREA_SIZE ||
			    v->off
	      : !vma_range_free(mm, at, at + AREA_SIZE))
		return false;
	if (!v && vma_spares_take(&spares))
		return false;
	ret = host_mmap(at, AREA_SIZE, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED,
			patch_fd, f->area_copy);
	if (!v) {
		if (ret >= 0) {
			v = vma_spare(&spares);
			v->start = at;
			v->end = at + AREA_SIZE;
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
		if (!n->off && n->end - n->start == AREA_SIZE)
			return n->start;
		break;
	}
	at = vma_find_free(mm, AREA_SIZE, v->end, MIN(v->end + (uaddr_t)REACH, USER_END));
	if (!at)
		at = vma_find_free(mm, AREA_SIZE,
				   v->start > (uaddr_t)REACH ? v->start - (uaddr_t)REACH
							     : USER_START,
				   v->start);
	return at;
}

/* The file's record whose trampolines can be had at this mapping; made if there is none.
 */
static struct patch_file *file_for(struct mm *mm, struct vma *v, bool create)
{
	uint64_t id = v->object->ops->content_id(v->object);
	uaddr_t load = load_address(v);
	struct list *l;
	uaddr_t at;

	if (!id)
		return NULL;
	list_for_each (l, bucket_of(id)) {
		struct patch_file *f = list_entry(l, struct patch_file, link);

		if (f->content_id == id && area_map(mm, f, load))
			return f;
	}
	if (!create)
		return NULL;
	at = area_find(mm, v);
	if (!at)
		return NULL;
	struct patch_file *f = file_create(id, (int64_t)(at - load));

	return f && area_map(mm, f, load) ? f : NULL;
}

/* ---- pages ---- */

static struct patch_page *page_find(struct patch_file *f, uint64_t index)
{
	struct list *l;

	list_for_each (l, &f->pages) {
		struct patch_page *p = list_entry(l, struct patch_page, link);

		if (p->index == index)
			return p;
	}
	return NULL;
}

static int page_map(struct vma *v, uint64_t index, size_t count, int64_t copy)
{
	uaddr_t at = load_address(v) + (index << PAGE_SHIFT);
	long ret = host_mmap(at, count << PAGE_SHIFT, PROT_READ | PROT_EXEC,
			     MAP_PRIVATE | MAP_FIXED, patch_fd, copy);

	if (ret >= 0)
		v->flags |= VMA_PATCHED;
	return ret < 0 ? (int)ret : 0;
}

/* Puts the copies of f's pages that are newer than a generation in place at v. Returns
 * how many there were. */
static unsigned map_newer(struct patch_file *f, struct vma *v, uint64_t generation)
{
	unsigned count = 0;
	struct list *l;

	list_for_each (l, &f->pages) {
		struct patch_page *p = list_entry(l, struct patch_page, link);
		uint64_t off = p->index << PAGE_SHIFT;

		if (p->generation > generation && off >= v->off &&
		    off < v->off + (v->end - v->start)) {
			(void)page_map(v, p->index, 1, p->copy);
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
	    page_map(v, w->off >> PAGE_SHIFT, w->size >> PAGE_SHIFT, w->copy))
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
	copy = memfd_alloc(size);
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

/* A file was mapped: puts all known patched pages in place. */
static void on_mapped(struct mm *mm, struct vma *v)
{
	struct patch_file *f;

	if (!is_patchable(mm, v))
		return;
	lock_take(&patch_lock);
	f = file_for(mm, v, false);
	if (f && map_newer(f, v, whole_map(f, v)) >= WHOLE_PAGES_MIN &&
	    ++f->whole.uses >= WHOLE_USES_MIN)
		whole_make(f, v);
	lock_drop(&patch_lock);
}

/* Each child of a process that forks would trap at sites that other children have learnt.
 */
void patch_sync_locked(struct mm *mm)
{
	uint64_t now = atomic_load(&patch_generation);

	if (mm->patch_generation == now || mm->no_patch)
		return;
	lock_take(&patch_lock);
	for (struct vma *v = vma_find(mm, 0); v; v = vma_next(v)) {
		struct patch_file *f =
			is_patchable(mm, v) ? file_for(mm, v, false) : NULL;

		if (f)
			(void)map_newer(f, v, mm->patch_generation);
	}
	mm->patch_generation = now;
	lock_drop(&patch_lock);
}

/* The newest contents of a page: its last copy, or what is in memory. */
static int page_read(struct patch_file *f, struct vma *v, uint64_t index, uint8_t *buf)
{
	struct patch_page *p = page_find(f, index);

	if (p)
		return host_pread(patch_fd, buf, PAGE_SIZE, p->copy) == (long)PAGE_SIZE
			       ? 0
			       : -EIO;
	return copy_from_user(buf, load_address(v) + (index << PAGE_SHIFT), PAGE_SIZE);
}

static void page_note(struct patch_file *f, uint64_t index, int64_t copy)
{
	struct patch_page *p = page_find(f, index);

	if (!p) {
		p = slab_alloc_zeroed(&patch_page_cache);
		if (!p)
			return; /* this process has the patch, later ones will not */
		p->index = index;
		list_add_tail(&f->pages, &p->link);
	}
	p->copy = copy;
	p->generation = atomic_add(&patch_generation, 1) + 1;
	stats.pages++;
}

/* ---- sites ---- */

static struct patch_site *site_find(struct patch_file *f, uint64_t off)
{
	struct list *l;

	list_for_each (l, &f->sites) {
		struct patch_site *s = list_entry(l, struct patch_site, link);

		if (s->off == off)
			return s;
	}
	return NULL;
}

static bool site_plan(struct patch_file *f, struct vma *v, uaddr_t site, uint64_t nr,
		      struct patch_plan *plan, size_t *slot)
{
	uint8_t code[PATCH_BEFORE + PATCH_AFTER];
	struct patch_request req = {.site = site, .nr = (uint32_t)nr};
	struct patch_shape shape;
	uaddr_t area = load_address(v) + (uaddr_t)f->area_delta;
	uaddr_t entry;

	req.before = (uint32_t)MIN(site - v->start, (uaddr_t)PATCH_BEFORE);
	req.after = (uint32_t)MIN(v->end - site, (uaddr_t)PATCH_AFTER);
	req.code = code;
	if (copy_from_user(code, site - req.before, req.before + req.after) ||
	    !patch_analyse(&req, &shape))
		return false;
	entry = area + (shape.kind == PATCH_B ? 8 : 0);
	return patch_find_slot(&shape, entry, area, AREA_SIZE, SLOT_FIRST, f->used,
			       slot) &&
	       patch_emit(&shape, area + *slot, entry, plan);
}

static void slot_take(struct patch_file *f, size_t slot, size_t len)
{
	for (size_t at = slot; at < slot + len; at += PATCH_SLOT_ALIGN) {
		size_t bit = at / PATCH_SLOT_ALIGN;

		f->used[bit / 8] |= (uint8_t)(1U << (bit % 8));
	}
}

/* Makes copies of the one or two pages that the patch touches, and maps them. */
static int site_write(struct patch_file *f, struct vma *v, uaddr_t site,
		      const struct patch_plan *plan)
{
	uint64_t off = site - load_address(v) + (uint64_t)(int64_t)plan->record.start;
	uint64_t first = off >> PAGE_SHIFT;
	size_t count = ((off + plan->record.len - 1) >> PAGE_SHIFT) - first + 1;
	uint8_t *buf = page_alloc(count > 1);
	int64_t copy = -1;
	int err = buf ? 0 : -ENOMEM;

	for (size_t i = 0; i < count && !err; i++)
		err = page_read(f, v, first + i, buf + (i << PAGE_SHIFT));
	if (!err) {
		memcpy(buf + (off - (first << PAGE_SHIFT)), plan->bytes,
		       plan->record.len);
		copy = memfd_alloc(count << PAGE_SHIFT);
		if (copy < 0 || host_pwrite(patch_fd, buf, count << PAGE_SHIFT, copy) !=
					(long)(count << PAGE_SHIFT))
			err = -ENOMEM;
	}
	if (!err)
		err = page_map(v, first, count, copy);
	for (size_t i = 0; i < count && !err; i++)
		page_note(f, first + i, copy + (int64_t)(i << PAGE_SHIFT));
	page_free(buf, count > 1);
	return err;
}

static struct patch_site *site_patch(struct patch_file *f, struct vma *v, uaddr_t site,
				     uint64_t nr)
{
	struct patch_plan plan;
	struct patch_site *s;
	size_t slot = 0;

	if (!site_plan(f, v, site, nr, &plan, &slot))
		return NULL;
	s = slab_alloc(&patch_site_cache);
	if (!s)
		return NULL;
	s->off = site - load_address(v);
	s->record = plan.record;
	slot_take(f, slot, plan.record.tramp_len);
	if (host_pwrite(patch_fd, plan.tramp, plan.record.tramp_len,
			f->area_copy + (int64_t)slot) != plan.record.tramp_len ||
	    site_write(f, v, site, &plan)) {
		slab_free(&patch_site_cache, s);
		return NULL;
	}
	list_add_tail(&f->sites, &s->link);
	if (plan.record.kind == PATCH_A)
		stats.sites_a++;
	else
		stats.sites_b++;
	return s;
}

/* A known site that trapped: its page was mapped before the site was known. */
static void site_refresh(struct patch_file *f, struct vma *v, const struct patch_site *s)
{
	uint64_t off = s->off + (uint64_t)(int64_t)s->record.start;
	uint64_t first = off >> PAGE_SHIFT;
	uint64_t last = (off + s->record.len - 1) >> PAGE_SHIFT;

	for (uint64_t i = first; i <= last; i++) {
		struct patch_page *p = page_find(f, i);

		if (p)
			(void)page_map(v, i, 1, p->copy);
	}
}

/* This process has the site's jump already. */
static bool is_current(struct vma *v, const struct patch_site *s)
{
	uint8_t byte = 0;
	uaddr_t at = load_address(v) + s->off + (uaddr_t)(int64_t)s->record.start;

	return copy_from_user(&byte, at, 1) == 0 && byte == 0xe9;
}

void patch_learn(struct mm *mm, struct regs *regs)
{
	uaddr_t site = regs->rip - SYSCALL_INSN_LEN;
	struct patch_site *s = NULL;
	struct patch_file *f;
	struct vma *v;

	if (patch_fd < 0 || mm->no_patch || regs->orig_rax >= SYSCALL_LIMIT)
		return;
	lock_take(&mm->lock);
	v = vma_at(mm, site);
	if (!is_patchable(mm, v))
		goto out;
	lock_take(&patch_lock);
	if (!patch_seen_before(&seen, v->object->ops->content_id(v->object),
			       site - load_address(v))) {
		lock_drop(&patch_lock);
		goto out;
	}
	f = file_for(mm, v, true);
	if (f) {
		s = site_find(f, site - load_address(v));
		/* A jump to the syscall itself, past the mov of kind A, goes on trapping.
		 */
		if (!s)
			s = site_patch(f, v, site, regs->orig_rax);
		else if (!is_current(v, s))
			site_refresh(f, v, s);
	}
	if (!s)
		stats.refused++;
	if (s && s->record.kind == PATCH_B) {
		regs->rip =
			site + (uaddr_t)(int64_t)s->record.slot_delta + s->record.ret_off;
		regs->insn_len = TRAMPOLINE_B_LEN;
	}
	lock_drop(&patch_lock);
out:
	lock_drop(&mm->lock);
}

/* ---- translation ---- */

bool patch_moved(struct mm *mm, uaddr_t rip, uaddr_t *out)
{
	bool found = false;
	struct patch_file *f;
	struct vma *v;
	struct list *l;

	if (patch_fd < 0)
		return false;
	lock_take(&mm->lock);
	v = vma_at(mm, rip);
	if (!v || !(v->flags & VMA_PATCHED) || !is_patchable(mm, v))
		goto out;
	lock_take(&patch_lock);
	f = file_for(mm, v, false);
	if (f) {
		list_for_each (l, &f->sites) {
			struct patch_site *s = list_entry(l, struct patch_site, link);
			uaddr_t site = load_address(v) + s->off;

			if (rip < site || rip >= site + PATCH_SITE_MAX)
				continue;
			found = patch_to_tramp(&s->record, site, rip, out);
			if (found)
				break;
		}
	}
	lock_drop(&patch_lock);
out:
	lock_drop(&mm->lock);
	return found;
}

uaddr_t patch_resume(struct mm *mm, uaddr_t rip)
{
	uint8_t opcode;
	uaddr_t to;

	/* What was moved away has left an invalid opcode, so a look at the byte does. */
	if (patch_fd < 0 || copy_from_user(&opcode, rip, 1) || !patch_is_marker(opcode))
		return rip;
	return patch_moved(mm, rip, &to) ? to : rip;
}

uaddr_t patch_guest_rip(struct mm *mm, uaddr_t rip)
{
	uaddr_t out = rip;
	struct vma *v;
	struct list *l;

	if (patch_fd < 0)
		return rip;
	lock_take(&mm->lock);
	v = vma_at(mm, rip);
	if (v && (v->flags & VMA_HIDDEN) && v->off) {
		struct patch_file *f =
			(struct patch_file *)v->off; // NOLINT(performance-no-int-to-ptr)
		uaddr_t load = v->start - (uaddr_t)f->area_delta;

		lock_take(&patch_lock);
		list_for_each (l, &f->sites) {
			struct patch_site *s = list_entry(l, struct patch_site, link);

			if (patch_to_site(&s->record, load + s->off, rip, &out))
				break;
		}
		lock_drop(&patch_lock);
	}
	lock_drop(&mm->lock);
	return out;
}

uaddr_t patch_call_rip(struct mm *mm, const struct regs *regs)
{
	uint32_t distance;

	if (regs->insn_len != TRAMPOLINE_B_LEN)
		return regs->rip;
	/* The trampoline keeps it below where the call returns to. */
	if (get_user_u32(&distance, regs->rip - sizeof(distance)))
		return patch_guest_rip(mm, regs->rip);
	return regs->rip + (uaddr_t)(int64_t)(int32_t)distance;
}

void patch_disable(struct mm *mm)
{
	lock_take(&mm->lock);
	if (!mm->no_patch) {
		mm->no_patch = true;
		for (struct vma *v = vma_find(mm, 0); v; v = vma_next(v)) {
			int fd;
			int64_t off;

			if (!(v->flags & VMA_PATCHED) ||
			    v->object->ops->host_backing(v->object, v->off,
							 v->end - v->start, false, true,
							 &fd, &off))
				continue;
			(void)host_mmap(v->start, v->end - v->start, (int)v->prot,
					MAP_PRIVATE | MAP_FIXED, fd, off);
			v->flags &= ~(uint32_t)VMA_PATCHED;
		}
	}
	lock_drop(&mm->lock);
}
