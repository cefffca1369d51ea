/* SPDX-License-Identifier: MIT */
/* uffd_area.c - registered areas, and what other calls mean for them. */
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/mman.h"
#include "base/waitq.h"
#include "host/host.h"
#include "lib/atomic.h"
#include "mm/map.h"
#include "mm/uffd.h"
#include "mm/usercopy.h"

/* Of address space: what is done at a time, without looking for a kill. */
#define PART (1UL << 30)

static uint64_t drops; /* atomic: of all address spaces: uffd_mm.drops is unique */

static bool is_shared(const struct vma *v)
{
	return v->object && (v->flags & VMA_SHARED);
}

static bool is_memory(const struct vma *v)
{
	return v->object && v->object->ops->is_memory &&
	       v->object->ops->is_memory(v->object);
}

static bool can_be_registered(const struct vma *v, const struct uffd *u, uint32_t modes)
{
	if (v->flags & (VMA_HIDDEN | VMA_VDSO | VMA_VVAR | VMA_DROPPABLE))
		return false;
	if ((modes & VMA_UFFD_MINOR) && !is_memory(v))
		return false;
	/* Write protection by the kernel alone is for all. Not where the patcher puts
	 * pages. */
	if (modes == VMA_UFFD_WP && uffd_has(u, UFFD_FEATURE_WP_ASYNC) &&
	    !(v->prot & PROT_EXEC))
		return true;
	return !v->object || is_memory(v);
}

/* A range that is unmapped is told of once. */
static bool is_told(const struct list *events, const struct uffd *u,
		    const struct uffd_msg *msg)
{
	struct list *pos;

	list_for_each (pos, events) {
		struct uffd_event *e = list_entry(pos, struct uffd_event, link);

		if (e->uffd == u && e->msg.event == msg->event &&
		    e->msg.arg.remove.start == msg->arg.remove.start)
			return true;
	}
	return false;
}

static int check_register(struct mm *mm, const struct uffd *u, uaddr_t start, uaddr_t end,
			  uint32_t modes)
{
	bool found = false;

	for (struct vma *v = vma_find(mm, start); v && v->start < end; v = vma_next(v)) {
		if (v->flags & VMA_HIDDEN)
			continue;
		found = true;
		if (!can_be_registered(v, u, modes))
			return -EINVAL;
		if (v->flags & VMA_NOWRITE)
			return -EPERM;
		if (v->uffd && v->uffd != u)
			return -EBUSY;
	}
	return found ? 0 : -EINVAL;
}

/* v becomes ordinary memory again. It may be joined with its neighbours. */
static void area_drop(struct mm *mm, struct vma *v)
{
	struct uffd *u = v->uffd;

	uffd_pages_change(mm->uffd, v->start, v->end, 0, UFFD_THERE | UFFD_PROTECTED);
	mm->uffd->drops = atomic_add(&drops, 1) + 1;
	v->uffd = NULL;
	v->flags &= ~(uint32_t)VMA_UFFD;
	(void)!uffd_apply(mm, v, v->start, v->end, false);
	uffd_wake(u, v->start, v->end - v->start);
	uffd_put(u);
	(void)vma_merge(mm, v);
}

/* The pages of v are known from now on, in as far as its modes say so. v may be joined
 * with its neighbours when that fails. */
static int register_area(struct mm *mm, struct vma *v, struct uffd *u, uint32_t modes)
{
	uint32_t old = v->flags & VMA_UFFD;
	bool tracked = old & (VMA_UFFD_MISSING | VMA_UFFD_MINOR);
	bool tracks = modes & (VMA_UFFD_MISSING | VMA_UFFD_MINOR);
	int err;

	if (v->uffd == u && (old & modes) == modes)
		return 0;
	err = uffd_hide(mm, v->start, v->end);
	if (!v->uffd) /* left over from what was there before */
		uffd_pages_change(mm->uffd, v->start, v->end, 0,
				  UFFD_THERE | UFFD_PROTECTED);
	if (!err && tracks && !tracked && !is_shared(v))
		err = uffd_learn(mm, v->start, v->end, UFFD_THERE, true);
	if (err) {
		if (!tracked)
			uffd_pages_change(mm->uffd, v->start, v->end, 0, UFFD_THERE);
		(void)!uffd_apply(mm, v, v->start, v->end, false);
		(void)vma_merge(mm, v);
		return err;
	}
	if (!tracks)
		uffd_pages_change(mm->uffd, v->start, v->end, 0, UFFD_THERE);
	if (!(modes & VMA_UFFD_WP))
		uffd_pages_change(mm->uffd, v->start, v->end, 0, UFFD_PROTECTED);
	if (v->uffd != u) {
		uffd_get(u);
		v->uffd = u;
	}
	v->flags = (v->flags & ~(uint32_t)VMA_UFFD) | modes;
	err = uffd_apply_killable(mm, v, v->start, v->end);
	if (err)
		area_drop(mm, v);
	return err;
}

/* The first part of v, as an area of its own; all of v if what it maps counts its areas,
 * or memory is out. */
static struct vma *first_part(struct mm *mm, struct vma *v)
{
	struct vma_spares spares;

	if (v->end - v->start <= PART || (v->object && v->object->ops->areas_changed) ||
	    vma_spares_take(&spares))
		return v;
	vma_split(mm, v->start + PART, &spares);
	vma_spares_drop(&spares);
	return v;
}

/* What has been registered when that fails or the task must die stays so. */
static int register_range(struct mm *mm, struct uffd *u, uaddr_t start, uaddr_t end,
			  uint32_t modes)
{
	int err = 0;

	while (start < end && !err) {
		struct vma *v = vma_find(mm, start);

		if (!v || v->start >= end)
			break;
		if (v->flags & VMA_HIDDEN) {
			start = v->end;
			continue;
		}
		if (current_is_killed())
			return -EINTR;
		v = first_part(mm, v);
		start = v->end;
		err = register_area(mm, v, u, modes);
		if (!err)
			(void)vma_merge(mm, v);
	}
	return err;
}

/* Drops all areas in a range that are registered, or those whose descriptor has gone.
 * -EINTR: the task must die, and the rest is as it was. */
static int drop_range(struct mm *mm, uaddr_t start, uaddr_t end, bool only_dead)
{
	while (start < end) {
		struct vma *v = vma_find(mm, start);

		if (!v || v->start >= end)
			break;
		if (!v->uffd || (only_dead && !uffd_is_dead(mm, v))) {
			start = v->end;
			continue;
		}
		if (current_is_killed())
			return -EINTR;
		v = first_part(mm, v);
		start = v->end;
		area_drop(mm, v);
	}
	return 0;
}

static int check_unregister(struct mm *mm, const struct uffd *u, uaddr_t start,
			    uaddr_t end)
{
	bool found = false;

	for (struct vma *v = vma_find(mm, start); v && v->start < end; v = vma_next(v)) {
		if (v->flags & VMA_HIDDEN)
			continue;
		found = true;
		if (!can_be_registered(v, u, v->flags & VMA_UFFD) ||
		    (v->uffd && v->uffd != u))
			return -EINVAL;
	}
	return found ? 0 : -EINVAL;
}

/* modes 0: the range is no longer registered. */
static int change_range(struct uffd *u, uaddr_t start, uaddr_t end, uint32_t modes)
{
	struct vma_spares spares;
	struct mm *mm = uffd_mm_pin(u->um);
	int err;

	if (!mm)
		return -ENOMEM;
	err = vma_spares_take(&spares);
	if (err)
		goto out;
	lock_take(&mm->lock);
	uffd_settle_locked(mm);
	err = modes ? check_register(mm, u, start, end, modes)
		    : check_unregister(mm, u, start, end);
	if (!err) {
		vma_split(mm, start, &spares);
		vma_split(mm, end, &spares);
		err = modes ? register_range(mm, u, start, end, modes)
			    : drop_range(mm, start, end, false);
	}
	lock_drop(&mm->lock);
	vma_spares_drop(&spares);
out:
	mm_put(mm);
	return err;
}

int uffd_register(struct uffd *u, uaddr_t start, uaddr_t end, uint32_t modes)
{
	return change_range(u, start, end, modes);
}

int uffd_unregister(struct uffd *u, uaddr_t start, uaddr_t end)
{
	return change_range(u, start, end, 0);
}

/* ---- write protection ---- */

static int unprotect_area(struct mm *mm, struct vma *v, uaddr_t start, uaddr_t end)
{
	int err = 0;

	while (start < end && !err) {
		uaddr_t to = MIN(end, start + PART);

		uffd_pages_change(mm->uffd, start, to, 0, UFFD_PROTECTED);
		err = uffd_apply(mm, v, start, to, false);
		start = to;
		if (!err && start < end && current_is_killed())
			err = -EINTR;
	}
	return err;
}

static int protect_area(struct mm *mm, struct vma *v, uaddr_t start, uaddr_t end, bool on)
{
	int err = 0;

	if (!on)
		return unprotect_area(mm, v, start, end);
	if (v->object || uffd_has(v->uffd, UFFD_FEATURE_WP_UNPOPULATED)) {
		err = uffd_pages_reserve(mm->uffd, start, end);
		if (!err)
			uffd_pages_change(mm->uffd, start, end, UFFD_PROTECTED, 0);
	} else if (v->flags & VMA_UFFD_MISSING) { /* what is there */
		for (uaddr_t at = start, to; at < end; at = to)
			if (uffd_pages_run(mm->uffd, at, end, &to) & UFFD_THERE)
				uffd_pages_change(mm->uffd, at, to, UFFD_PROTECTED, 0);
	} else {
		err = uffd_learn(mm, start, end, UFFD_PROTECTED, false);
	}
	return err ? err : uffd_apply_killable(mm, v, start, end);
}

int uffd_protect(struct uffd *u, uaddr_t start, uaddr_t end, bool on)
{
	struct mm *mm = uffd_mm_pin(u->um);
	uaddr_t at = start;
	int err = 0;

	if (!mm)
		return -ESRCH;
	lock_take(&mm->lock);
	uffd_settle_locked(mm);
	if (atomic_load(&u->changing))
		err = -EAGAIN;
	while (!err && at < end) {
		struct vma *v = vma_find(mm, at);
		uaddr_t to;

		if (!v || v->start >= end)
			break;
		to = MIN(v->end, end);
		if (v->flags & VMA_HIDDEN)
			;
		else if (!v->uffd || !(v->flags & VMA_UFFD_WP))
			err = -ENOENT;
		else
			err = protect_area(mm, v, MAX(v->start, at), to, on);
		if (!err)
			start = end; /* there was one */
		at = to;
	}
	if (!err && start != end)
		err = -ENOENT;
	lock_drop(&mm->lock);
	mm_put(mm);
	return err;
}

static bool tells_writes(const struct vma *v)
{
	return v->uffd && (v->flags & VMA_UFFD_WP) &&
	       uffd_has(v->uffd, UFFD_FEATURE_WP_ASYNC);
}

enum uffd_writes uffd_writes(struct mm *mm, uaddr_t start, uaddr_t end, uaddr_t *run_end)
{
	enum uffd_writes ret = UFFD_WRITES_UNKNOWN;
	struct vma *v;

	*run_end = end;
	lock_take(&mm->lock);
	v = vma_find(mm, start);
	if (v && v->start > start)
		*run_end = MIN(end, v->start);
	else if (v)
		*run_end = MIN(end, v->end);
	if (v && v->start <= start && mm->uffd && tells_writes(v))
		ret = uffd_pages_run(mm->uffd, start, *run_end, run_end) & UFFD_PROTECTED
			      ? UFFD_NOT_WRITTEN
			      : UFFD_WRITTEN;
	lock_drop(&mm->lock);
	return ret;
}

int uffd_protect_async(struct mm *mm, uaddr_t start, uaddr_t end)
{
	int err = 0;

	lock_take(&mm->lock);
	uffd_settle_locked(mm);
	for (struct vma *v = vma_find(mm, start); v && v->start < end && !err;
	     v = vma_next(v))
		if (tells_writes(v))
			err = protect_area(mm, v, MAX(v->start, start), MIN(v->end, end),
					   true);
	lock_drop(&mm->lock);
	return err;
}

/* ---- other calls ---- */

void uffd_settle_locked(struct mm *mm)
{
	if (!mm->uffd || !atomic_load(&mm->uffd->is_stale))
		return;
	atomic_store(&mm->uffd->is_stale, false);
	if (drop_range(mm, 0, USER_END, true))
		atomic_store(&mm->uffd->is_stale, true);
}

int uffd_host_protect(struct mm *mm, uaddr_t start, uaddr_t end, uint32_t prot)
{
	int err = 0;

	for (struct vma *v = vma_find(mm, start); !err && v && v->start < end;
	     v = vma_next(v)) {
		struct vma as = *v;
		uaddr_t from = MAX(v->start, start);
		uaddr_t to = MIN(v->end, end);

		as.prot = prot;
		err = v->uffd ? uffd_apply(mm, &as, from, to, false)
			      : host_mprotect(from, to - from, (int)prot);
	}
	return err;
}

int uffd_discard(struct mm *mm, struct vma *v, uaddr_t start, uaddr_t end, int advice)
{
	int64_t off;
	int err = 0;
	int fd;

	if (advice == MADV_REMOVE && v->object->ops->punch) {
		err = v->object->ops->punch(v->object, v->off + (start - v->start),
					    end - start);
	} else if (advice == MADV_REMOVE) {
		err = uffd_shared_place(v, start, &fd, &off);
		if (!err)
			err = host_fallocate(fd,
					     FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
					     off, (int64_t)(end - start));
	} else if (!(v->flags & (VMA_UFFD_MISSING | VMA_UFFD_MINOR))) {
		err = host_madvise(start, end - start, advice);
	}
	if (err)
		return err;
	uffd_pages_forget(mm->uffd, start, end);
	return uffd_apply(mm, v, start, end, true);
}

int uffd_move_begin(struct mm *mm, uaddr_t old, size_t old_size, uaddr_t to,
		    size_t new_size)
{
	int err;

	if (!old_size)
		return 0;
	err = uffd_pages_reserve_move(mm->uffd, old, to, MIN(old_size, new_size));
	return err ? err : uffd_hide(mm, old, old + old_size);
}

void uffd_move_end(struct mm *mm, struct vma *copy, uaddr_t old, size_t old_size,
		   struct list *events)
{
	struct uffd *u = copy->uffd;
	struct uffd_msg msg = {.event = UFFD_EVENT_REMAP};
	size_t size = MIN(old_size, copy->end - copy->start);
	bool keeps = old_size && uffd_has(u, UFFD_FEATURE_EVENT_REMAP) &&
		     !uffd_pages_reserve_move(mm->uffd, old, copy->start, size);

	if (!keeps) {
		uffd_pages_forget(mm->uffd, old, old + old_size);
		uffd_put(copy->uffd);
		copy->uffd = NULL;
		mm->uffd->drops = atomic_add(&drops, 1) + 1;
		copy->flags &= ~(uint32_t)VMA_UFFD;
	} else {
		uffd_pages_move(mm->uffd, old, copy->start, size);
		msg.arg.remap.from = old;
		msg.arg.remap.to = copy->start;
		msg.arg.remap.len = old_size;
		(void)uffd_event_add(events, u, &msg, NULL);
	}
	(void)!uffd_apply(mm, copy, copy->start, copy->end, false);
}

void uffd_tell(struct mm *mm, uaddr_t start, uaddr_t end, uint8_t event,
	       struct list *events)
{
	uint64_t feature = event == UFFD_EVENT_UNMAP ? UFFD_FEATURE_EVENT_UNMAP
						     : UFFD_FEATURE_EVENT_REMOVE;

	for (struct vma *v = vma_find(mm, start); v && v->start < end; v = vma_next(v)) {
		struct uffd_msg msg = {.event = event};

		if (!v->uffd || uffd_is_dead(mm, v) || !uffd_has(v->uffd, feature))
			continue;
		msg.arg.remove.start =
			event == UFFD_EVENT_UNMAP ? start : MAX(v->start, start);
		msg.arg.remove.end = event == UFFD_EVENT_UNMAP ? end : MIN(v->end, end);
		if (!is_told(events, v->uffd, &msg))
			(void)uffd_event_add(events, v->uffd, &msg, NULL);
	}
}

/* ---- fork ---- */

/* The child's descriptor for what u is to the parent; known from an event made for
 * another area, or new. NULL: it gets none. */
static struct uffd *uffd_for_child(struct uffd *u, struct uffd_mm *um,
				   struct list *events)
{
	struct uffd_msg msg = {.event = UFFD_EVENT_FORK};
	struct uffd *child;
	struct list *pos;

	if (!uffd_has(u, UFFD_FEATURE_EVENT_FORK))
		return NULL;
	list_for_each (pos, events) {
		struct uffd_event *e = list_entry(pos, struct uffd_event, link);

		if (e->uffd == u)
			return e->forked;
	}
	child = uffd_create(um, u->flags, u->features);
	if (child && !uffd_event_add(events, u, &msg, child)) {
		uffd_put(child);
		return NULL;
	}
	uffd_put(child); /* the event's is enough */
	return child;
}

int uffd_fork_locked(struct mm *from, struct mm *to, struct list *events)
{
	struct uffd_mm *um = NULL;

	for (struct vma *v = vma_find(to, 0); v; v = vma_next(v)) {
		struct uffd *u = v->uffd;
		struct uffd *child;

		if (!u)
			continue;
		um = uffd_mm_make(to);
		if (!um)
			return -ENOMEM;
		child = uffd_is_dead(from, v) ? NULL : uffd_for_child(u, um, events);
		if (child) {
			uffd_get(child);
			v->uffd = child;
			uffd_put(u);
		} else {
			um->is_stale = true;
		}
	}
	return um ? uffd_pages_copy(from->uffd, um) : 0;
}
