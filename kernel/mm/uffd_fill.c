/* SPDX-License-Identifier: MIT */
/* uffd_fill.c - UFFDIO_COPY and its kin: pages come to be where they were missing. */
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/mman.h"
#include "abi/stat.h"
#include "host/host.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "mm/uffd.h"
#include "mm/usercopy.h"

/* One step of a call: mm->lock is held, all of the range lies in v. Deals with some pages
 * from dst on; returns how many bytes, or -errno. */
struct fill {
	struct uffd *u;
	struct mm *mm;
	struct vma *v;
	struct uffd_fill *room; /* NULL: it was lost, or there is none */
	uaddr_t src;
	bool protect;
	bool is_move, allow_holes;
};
typedef long (*step_t)(struct fill *f, uaddr_t dst, size_t size);

static bool is_shared(const struct vma *v)
{
	return v->object && (v->flags & VMA_SHARED);
}

static bool is_tracked(const struct vma *v)
{
	return v->flags & (VMA_UFFD_MISSING | VMA_UFFD_MINOR);
}

/* The registered area that holds all of the range. */
static int find_target(struct fill *f, uaddr_t dst, size_t size)
{
	struct vma *v;

	uffd_settle_locked(f->mm);
	if (atomic_load(&f->u->changing))
		return -EAGAIN;
	v = vma_at(f->mm, dst);
	if (f->is_move && v && (!v->uffd || size > v->end - dst))
		return -EINVAL;
	if (!v || !v->uffd || size > v->end - dst)
		return -ENOENT;
	if (f->protect && !(v->flags & VMA_UFFD_WP))
		return -EINVAL;
	f->v = v;
	return 0;
}

static long do_steps(struct fill *f, uaddr_t dst, size_t size, step_t step)
{
	size_t done = 0;
	long ret = 0;

	while (done < size && ret >= 0) {
		lock_take(&f->mm->lock);
		ret = find_target(f, dst + done, size - done);
		if (!ret)
			ret = step(f, dst + done, size - done);
		lock_drop(&f->mm->lock);
		if (ret > 0)
			done += (size_t)ret;
	}
	return done ? (long)done : ret;
}

/* The pages from dst on that are not there, in a tracked private area; of another area
 * one page, which is hidden then. 0: it is there. Data may replace poison. */
static long missing_run(struct fill *f, uaddr_t dst, size_t size, bool over_poison)
{
	uaddr_t end;
	uint32_t bits = uffd_pages_run(f->mm->uffd, dst, dst + size, &end);
	long err;

	if ((bits & UFFD_THERE) || (!over_poison && (bits & UFFD_POISONED)))
		return 0;
	if (is_tracked(f->v))
		return (long)(end - dst);
	err = uffd_hide(f->mm, dst, dst + PAGE_SIZE);
	if (!err)
		err = uffd_is_there(f->mm, f->v, dst, true);
	if (!err)
		return PAGE_SIZE;
	(void)!uffd_apply(f->mm, f->v, dst, dst + PAGE_SIZE, false);
	return err > 0 ? 0 : err;
}

/* The pages are there now. */
static int open_pages(struct fill *f, uaddr_t dst, size_t size, bool apply)
{
	uint32_t set =
		(is_tracked(f->v) ? UFFD_THERE : 0U) | (f->protect ? UFFD_PROTECTED : 0U);

	uffd_pages_change(f->mm->uffd, dst, dst + size, set, ~set);
	return apply ? uffd_apply(f->mm, f->v, dst, dst + size, false) : 0;
}

/* Writes a page to shared memory of one size. It must not grow. */
static int write_memfd(int fd, int64_t off, const char *data)
{
	struct linux_statx st;
	uint64_t size;

	if (host_statx(fd, "", AT_EMPTY_PATH, STATX_SIZE, &st) ||
	    (uint64_t)off >= st.stx_size)
		return -EFAULT;
	size = MIN(PAGE_SIZE, st.stx_size - (uint64_t)off);
	return host_pwrite(fd, data, size, off) == (long)size ? 0 : -EFAULT;
}

static int write_shared(const struct vma *v, uaddr_t dst, const char *data)
{
	struct vm_object *o = v->object;
	int64_t off;
	int fd;
	int err;

	if (o->ops->fill)
		return o->ops->fill(o, v->off + (dst - v->start), data);
	err = uffd_shared_place(v, dst, &fd, &off);
	return err ? err : write_memfd(fd, off, data);
}

/* Shared memory gets its page through the memfd. */
static long fill_shared(struct fill *f, uaddr_t dst, const char *data)
{
	int err = uffd_is_there(f->mm, f->v, dst, false);

	if (err)
		return err < 0 ? err : -EEXIST;
	err = uffd_pages_reserve(f->mm->uffd, dst, dst + PAGE_SIZE);
	if (!err)
		err = write_shared(f->v, dst, data);
	if (err)
		return err;
	err = open_pages(f, dst, PAGE_SIZE, true);
	return err ? err : (long)PAGE_SIZE;
}

/* ---- UFFDIO_COPY ---- */

static long copy_step(struct fill *f, uaddr_t dst, size_t size)
{
	uint32_t prot = f->v->prot & ~(f->protect ? (uint32_t)PROT_WRITE : 0U);
	long run;
	int err;

	if (!f->room)
		return -ENOMEM;
	if (is_shared(f->v))
		return fill_shared(f, dst, uffd_fill_data(f->room));
	run = missing_run(f, dst, size, true);
	if (run <= 0)
		return run ? run : -EEXIST;
	err = uffd_pages_reserve(f->mm->uffd, dst, dst + (size_t)run);
	if (!err)
		err = uffd_fill_run(&f->room, f->mm, dst, 0, (size_t)run, prot);
	if (!err)
		err = open_pages(f, dst, (size_t)run, false);
	return err ? err : run;
}

/* What comes of a piece, whose data are at src in the caller's memory. */
static long copy_piece(struct fill *f, uaddr_t dst, uaddr_t src, size_t size)
{
	char *data = uffd_fill_data(f->room);
	size_t got = size - copy_from_user_partial(data, src, size);
	size_t done = 0;

	got = ALIGN_DOWN(got, PAGE_SIZE);
	if (!got)
		return -EFAULT;
	while (done < got) {
		long ret;

		lock_take(&f->mm->lock);
		ret = find_target(f, dst + done, got - done);
		if (!ret)
			ret = copy_step(f, dst + done, got - done);
		lock_drop(&f->mm->lock);
		if (ret < 0)
			return done ? (long)done : ret;
		done += (size_t)ret;
		if (done < got && f->room)
			memmove(data, data + ret, got - done);
	}
	return (long)done;
}

long uffd_copy(struct uffd *u, uaddr_t dst, uaddr_t src, size_t size, bool protect)
{
	struct fill f = {.u = u, .mm = uffd_mm_pin(u->um), .protect = protect};
	size_t done = 0;
	long ret;

	if (!f.mm)
		return -ESRCH;
	lock_take(&f.mm->lock);
	ret = find_target(&f, dst, size);
	lock_drop(&f.mm->lock);
	if (!ret) {
		f.room = uffd_fill_create(MIN(size, UFFD_FILL_MAX));
		ret = f.room ? 0 : -ENOMEM;
	}
	while (done < size && ret >= 0 && f.room) {
		size_t step = MIN(size - done, UFFD_FILL_MAX);

		ret = copy_piece(&f, dst + done, src + done, step);
		if (ret > 0)
			done += (size_t)ret;
	}
	uffd_fill_destroy(f.room);
	mm_put(f.mm);
	return done ? (long)done : ret;
}

/* ---- UFFDIO_ZEROPAGE ---- */

static long zero_step(struct fill *f, uaddr_t dst, size_t size)
{
	static const char zeroes[PAGE_SIZE];
	long run;
	int err;

	if (is_shared(f->v))
		return fill_shared(f, dst, zeroes);
	run = missing_run(f, dst, size, false);
	if (run <= 0)
		return run ? run : -EEXIST;
	err = uffd_pages_reserve(f->mm->uffd, dst, dst + (size_t)run);
	if (!err)
		err = open_pages(f, dst, (size_t)run, true);
	return err ? err : run;
}

static long run_steps(struct uffd *u, uaddr_t dst, size_t size, bool protect, step_t step)
{
	struct fill f = {.u = u, .mm = uffd_mm_pin(u->um), .protect = protect};
	long ret;

	if (!f.mm)
		return -ESRCH;
	ret = do_steps(&f, dst, size, step);
	mm_put(f.mm);
	return ret;
}

long uffd_zero(struct uffd *u, uaddr_t dst, size_t size)
{
	return run_steps(u, dst, size, false, zero_step);
}

/* ---- UFFDIO_CONTINUE ---- */

static long continue_step(struct fill *f, uaddr_t dst, size_t size)
{
	int err;

	(void)size;
	if (!is_shared(f->v) || !f->v->object->ops->is_memory ||
	    !f->v->object->ops->is_memory(f->v->object))
		return -EINVAL;
	if (uffd_page_bits(f->mm->uffd, dst) & (UFFD_THERE | UFFD_POISONED))
		return -EEXIST;
	err = uffd_is_there(f->mm, f->v, dst, false);
	if (err <= 0)
		return err ? err : -EFAULT;
	err = uffd_pages_reserve(f->mm->uffd, dst, dst + PAGE_SIZE);
	if (!err)
		err = open_pages(f, dst, PAGE_SIZE, true);
	return err ? err : (long)PAGE_SIZE;
}

long uffd_continue(struct uffd *u, uaddr_t dst, size_t size, bool protect)
{
	return run_steps(u, dst, size, protect, continue_step);
}

/* ---- UFFDIO_POISON ---- */

static long poison_step(struct fill *f, uaddr_t dst, size_t size)
{
	long run = PAGE_SIZE;
	int err;

	if (is_shared(f->v)) {
		if (uffd_page_bits(f->mm->uffd, dst) & (UFFD_THERE | UFFD_POISONED))
			return -EEXIST;
	} else {
		run = missing_run(f, dst, size, false);
		if (run <= 0)
			return run ? run : -EEXIST;
	}
	err = uffd_pages_reserve(f->mm->uffd, dst, dst + (size_t)run);
	if (err)
		return err;
	uffd_pages_change(f->mm->uffd, dst, dst + (size_t)run, UFFD_POISONED,
			  UFFD_PROTECTED);
	err = uffd_apply(f->mm, f->v, dst, dst + (size_t)run, false);
	return err ? err : run;
}

long uffd_poison(struct uffd *u, uaddr_t dst, size_t size)
{
	return run_steps(u, dst, size, false, poison_step);
}

/* ---- UFFDIO_MOVE ---- */

static int check_areas(const struct fill *f, const struct vma *from)
{
	const struct vma *to = f->v;

	if (to->uffd != f->u || to->object || from->object)
		return -EINVAL;
	if (!(to->prot & PROT_WRITE) || to->prot != from->prot)
		return -EINVAL;
	return (to->flags ^ from->flags) & VMA_LOCKED ? -EINVAL : 0;
}

static int source_is_there(const struct fill *f, const struct vma *from, uaddr_t src)
{
	uint32_t bits = uffd_page_bits(f->mm->uffd, src);

	if (bits & UFFD_POISONED)
		return 0;
	return is_tracked(from) ? !!(bits & UFFD_THERE)
				: uffd_is_there(f->mm, from, src, false);
}

static long move_step(struct fill *f, uaddr_t dst, size_t size)
{
	uaddr_t src = f->src;
	struct vma *from = vma_at(f->mm, src);
	long run;
	int err;

	if (!from || (from->flags & VMA_HIDDEN))
		return -ENOENT;
	if (size > from->end - src)
		return -EINVAL;
	err = check_areas(f, from);
	if (err)
		return err;
	if (!f->room)
		return -ENOMEM;
	f->src += PAGE_SIZE;
	err = source_is_there(f, from, src);
	if (err <= 0)
		return err ? err : f->allow_holes ? (long)PAGE_SIZE : -ENOENT;
	run = missing_run(f, dst, PAGE_SIZE, true);
	if (run <= 0)
		return run ? run : -EEXIST;
	err = uffd_pages_reserve(f->mm->uffd, dst, dst + PAGE_SIZE);
	if (!err)
		err = uffd_fill_run(&f->room, f->mm, dst, src, PAGE_SIZE, f->v->prot);
	if (err)
		return err;
	(void)open_pages(f, dst, PAGE_SIZE, false);
	uffd_pages_forget(f->mm->uffd, src, src + PAGE_SIZE);
	err = uffd_apply(f->mm, from, src, src + PAGE_SIZE, true);
	return err ? err : (long)PAGE_SIZE;
}

long uffd_move(struct uffd *u, uaddr_t dst, uaddr_t src, size_t size, bool allow_holes)
{
	struct fill f = {.u = u, .src = src, .is_move = true, .allow_holes = allow_holes};
	long ret;

	f.room = uffd_fill_create(PAGE_SIZE);
	if (!f.room)
		return -ENOMEM;
	f.mm = uffd_mm_pin(u->um);
	ret = f.mm ? do_steps(&f, dst, size, move_step) : -ESRCH;
	mm_put(f.mm);
	uffd_fill_destroy(f.room);
	return ret;
}
