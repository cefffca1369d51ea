/* SPDX-License-Identifier: MIT */
/* patch.c - see patch.h; what a patch looks like is patch_plan.c's, what is kept of a
 * file patch_file.c's.
 *
 * Patched code is never written in place. A page with a new patch is a new copy, in one
 * memfd of the sandbox, that is mapped over the old page: the host makes that one step
 * for all threads of the process, and interrupts those that run, so that no thread ever
 * executes bytes that change under it. A thread in the middle of what a patch displaced
 * meets an invalid opcode and is sent on (patch_moved()). Copies that are in use never
 * change, so other processes that have mapped an older one are not disturbed: they learn
 * the new site by trapping there once.
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
#include "arch/x86_64/patch_file.h"
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

static struct patch_seen seen; /* patch_lock */
static SLAB_CACHE(patch_site_cache, "patch_site", sizeof(struct patch_site), 8);

static void on_mapped(struct mm *mm, struct vma *v);
static bool copy_for(struct mm *mm, uaddr_t at, size_t size, struct vm_object *object,
		     uint64_t off, int *fd, int64_t *fd_off);

int patch_init(bool off)
{
	patch_files_init();
	if (off)
		return 0;
	patch_fd = host_memfd_create("patched-code", MFD_CLOEXEC | MFD_EXEC);
	if (patch_fd == -EINVAL) /* hosts before 6.3 */
		patch_fd = host_memfd_create("patched-code", MFD_CLOEXEC);
	if (patch_fd < 0)
		return patch_fd;
	mm_mapped_hook = on_mapped;
	mm_copy_hook = copy_for;
	return 0;
}

void patch_get_stats(struct patch_stats *out)
{
	lock_take(&patch_lock);
	*out = patch_stats;
	lock_drop(&patch_lock);
}

/* ---- mappings ---- */

/* A file is about to be mapped: a copy of it with what is known, at once. */
static bool copy_for(struct mm *mm, uaddr_t at, size_t size, struct vm_object *object,
		     uint64_t off, int *fd, int64_t *fd_off)
{
	uint64_t generation;

	if (mm->no_patch || mm->patch_late || !object->ops->content_id)
		return false;
	lock_take(&patch_lock);
	generation = patch_copy_find(mm, at, size, object, off, fd_off);
	lock_drop(&patch_lock);
	mm->patch_copied = generation;
	if (generation)
		*fd = patch_fd;
	return generation;
}

/* A file was mapped: puts all known patched pages in place. */
static void on_mapped(struct mm *mm, struct vma *v)
{
	uint64_t generation = mm->patch_copied;
	struct patch_file *f;

	mm->patch_copied = 0;
	if (mm->patch_late || !patch_is_patchable(mm, v))
		return;
	lock_take(&patch_lock);
	f = patch_file_for(mm, v, false);
	if (f)
		patch_map_known(f, v, generation);
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
		struct patch_file *f = NULL;

		if (patch_is_patchable(mm, v) &&
		    (!mm->patch_late || (v->flags & VMA_PATCHED)))
			f = patch_file_for(mm, v, false);
		if (f)
			(void)patch_map_newer(f, v, mm->patch_generation);
	}
	mm->patch_generation = now;
	lock_drop(&patch_lock);
}

/* ---- sites ---- */

static bool site_plan(struct patch_file *f, struct vma *v, uaddr_t site, uint64_t nr,
		      struct patch_plan *plan, size_t *slot)
{
	uint8_t code[PATCH_BEFORE + PATCH_AFTER];
	struct patch_request req = {.site = site, .nr = (uint32_t)nr};
	struct patch_shape shape;
	uaddr_t area = patch_load_address(v) + (uaddr_t)f->area_delta;
	uaddr_t entry;

	req.before = (uint32_t)MIN(site - v->start, (uaddr_t)PATCH_BEFORE);
	req.after = (uint32_t)MIN(v->end - site, (uaddr_t)PATCH_AFTER);
	req.code = code;
	if (copy_from_user(code, site - req.before, req.before + req.after) ||
	    !patch_analyse(&req, &shape))
		return false;
	entry = area + (shape.kind == PATCH_B ? 8 : 0);
	return patch_find_slot(&shape, entry, area, TRAMPOLINE_AREA, SLOT_FIRST, f->used,
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
	uint64_t off =
		site - patch_load_address(v) + (uint64_t)(int64_t)plan->record.start;
	uint64_t first = off >> PAGE_SHIFT;
	size_t count = ((off + plan->record.len - 1) >> PAGE_SHIFT) - first + 1;
	uint8_t *buf = page_alloc(count > 1);
	int64_t copy = -1;
	int err = buf ? 0 : -ENOMEM;

	for (size_t i = 0; i < count && !err; i++)
		err = patch_page_read(f, v, first + i, buf + (i << PAGE_SHIFT));
	if (!err) {
		memcpy(buf + (off - (first << PAGE_SHIFT)), plan->bytes,
		       plan->record.len);
		copy = patch_memfd_alloc(count << PAGE_SHIFT);
		if (copy < 0 || host_pwrite(patch_fd, buf, count << PAGE_SHIFT, copy) !=
					(long)(count << PAGE_SHIFT))
			err = -ENOMEM;
	}
	if (!err)
		err = patch_page_map(v, first, count, copy);
	for (size_t i = 0; i < count && !err; i++)
		patch_page_note(f, first + i, copy + (int64_t)(i << PAGE_SHIFT));
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
	s->off = site - patch_load_address(v);
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
		patch_stats.sites_a++;
	else
		patch_stats.sites_b++;
	return s;
}

/* A known site that trapped: its page was mapped before the site was known. */
static void site_refresh(const struct mm *mm, struct patch_file *f, struct vma *v,
			 const struct patch_site *s)
{
	uint64_t off = s->off + (uint64_t)(int64_t)s->record.start;
	uint64_t first = off >> PAGE_SHIFT;
	uint64_t last = (off + s->record.len - 1) >> PAGE_SHIFT;

	if (mm->patch_late && !(v->flags & VMA_PATCHED)) { /* it does run this */
		patch_map_known(f, v, 0);
		return;
	}
	for (uint64_t i = first; i <= last; i++) {
		struct patch_page *p = patch_page_find(f, i);

		if (p)
			(void)patch_page_map(v, i, 1, p->copy);
	}
}

/* This process has the site's jump already. */
static bool is_current(struct vma *v, const struct patch_site *s)
{
	uint8_t byte = 0;
	uaddr_t at = patch_load_address(v) + s->off + (uaddr_t)(int64_t)s->record.start;

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
	if (!patch_is_patchable(mm, v))
		goto out;
	lock_take(&patch_lock);
	if (!patch_seen_before(&seen, v->object->ops->content_id(v->object),
			       site - patch_load_address(v))) {
		lock_drop(&patch_lock);
		goto out;
	}
	/* Patched by a record that is not found any more, as the file has changed: a new
	 * one's copies would jump to the other's trampolines. */
	f = patch_file_for(mm, v, !(v->flags & VMA_PATCHED));
	if (f) {
		s = patch_site_find(f, site - patch_load_address(v));
		/* A jump to the syscall itself, past the mov of kind A, goes on trapping.
		 */
		if (!s)
			s = site_patch(f, v, site, regs->orig_rax);
		else if (!is_current(v, s))
			site_refresh(mm, f, v, s);
	}
	if (!s)
		patch_stats.refused++;
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

static bool to_trampoline(const struct patch_file *f, const struct vma *v, uaddr_t rip,
			  uaddr_t *out)
{
	struct list *l;

	list_for_each (l, &f->sites) {
		struct patch_site *s = list_entry(l, struct patch_site, link);
		uaddr_t site = patch_load_address(v) + s->off;

		if (rip >= site && rip < site + PATCH_SITE_MAX &&
		    patch_to_tramp(&s->record, site, rip, out))
			return true;
	}
	return false;
}

bool patch_moved(struct mm *mm, uaddr_t rip, uaddr_t *out)
{
	bool found = false;
	struct patch_file *f;
	struct vma *v;

	if (patch_fd < 0)
		return false;
	lock_take(&mm->lock);
	v = vma_at(mm, rip);
	if (!v || !(v->flags & VMA_PATCHED) || !patch_is_patchable(mm, v))
		goto out;
	lock_take(&patch_lock);
	f = patch_file_for(mm, v, false);
	if (f)
		found = to_trampoline(f, v, rip, out);
	if (!found) {
		f = patch_file_of(mm, v);
		found = f && to_trampoline(f, v, rip, out);
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
