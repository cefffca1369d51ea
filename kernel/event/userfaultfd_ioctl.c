/* SPDX-License-Identifier: MIT */
/* userfaultfd_ioctl.c - ioctl_userfaultfd(2): decoded here, done by mm/uffd_*.c. */
#include "abi/capability.h"
#include "abi/errno.h"
#include "event/userfaultfd.h"
#include "fs/file.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "mm/map.h"
#include "mm/mm.h"
#include "mm/uffd.h"
#include "mm/usercopy.h"
#include "process/creds.h"
#include "process/task.h"

/* Huge pages are not to be had, so nothing is said of them. */
#define FEATURES                                                                         \
	(UFFD_FEATURE_PAGEFAULT_FLAG_WP | UFFD_FEATURE_EVENT_FORK |                      \
	 UFFD_FEATURE_EVENT_REMAP | UFFD_FEATURE_EVENT_REMOVE |                          \
	 UFFD_FEATURE_EVENT_UNMAP | UFFD_FEATURE_MISSING_SHMEM | UFFD_FEATURE_SIGBUS |   \
	 UFFD_FEATURE_THREAD_ID | UFFD_FEATURE_MINOR_SHMEM |                             \
	 UFFD_FEATURE_EXACT_ADDRESS | UFFD_FEATURE_WP_HUGETLBFS_SHMEM |                  \
	 UFFD_FEATURE_WP_UNPOPULATED | UFFD_FEATURE_POISON | UFFD_FEATURE_WP_ASYNC |     \
	 UFFD_FEATURE_MOVE)

#define BIT(nr) (1UL << (nr))

static int check_range(uint64_t start, uint64_t size)
{
	if ((start & ~PAGE_MASK) || (size & ~PAGE_MASK) || !size)
		return -EINVAL;
	if (start < (uaddr_t)atomic_load(&mm_min_addr) || !user_range_ok(start, size))
		return -EINVAL;
	return 0;
}

/* Its results were written before it failed, if it did. */
static long api(struct uffd *u, uaddr_t arg)
{
	static const struct uffdio_api nothing;
	struct uffdio_api a;
	uint64_t features;
	uint64_t none = 0;
	long err = 0;

	if (COPY_IN(&a, arg))
		return -EFAULT;
	features = a.features;
	if (a.api == UFFD_API && (features & UFFD_FEATURE_EVENT_FORK) &&
	    !capable(CAP_SYS_PTRACE))
		err = -EPERM;
	else if (a.api != UFFD_API || (features & ~FEATURES))
		err = -EINVAL;
	if (features & UFFD_FEATURE_WP_ASYNC)
		features |= UFFD_FEATURE_WP_UNPOPULATED;
	if (!err) {
		a.features = FEATURES;
		a.ioctls = BIT(UFFD_NR_API) | BIT(UFFD_NR_REGISTER) |
			   BIT(UFFD_NR_UNREGISTER);
		if (COPY_OUT(arg, &a))
			return -EFAULT;
		if (!atomic_try_cas(&u->features, &none, features | UFFD_INITIALIZED))
			err = -EINVAL;
	}
	if (err && COPY_OUT(arg, &nothing))
		return -EFAULT;
	return err;
}

static long do_register(struct uffd *u, uaddr_t arg)
{
	struct uffdio_register r = {.ioctls = 0};
	uint64_t ioctls = UFFD_RANGE_IOCTLS;
	uint32_t modes = 0;
	int err;

	if (copy_from_user(&r, arg, offsetof(struct uffdio_register, ioctls)))
		return -EFAULT;
	if (!r.mode || (r.mode & ~(UFFDIO_REGISTER_MODE_MISSING |
				   UFFDIO_REGISTER_MODE_WP | UFFDIO_REGISTER_MODE_MINOR)))
		return -EINVAL;
	if (r.mode & UFFDIO_REGISTER_MODE_MISSING)
		modes |= VMA_UFFD_MISSING;
	if (r.mode & UFFDIO_REGISTER_MODE_WP)
		modes |= VMA_UFFD_WP;
	else
		ioctls &= ~BIT(UFFD_NR_WRITEPROTECT);
	if (r.mode & UFFDIO_REGISTER_MODE_MINOR)
		modes |= VMA_UFFD_MINOR;
	else
		ioctls &= ~BIT(UFFD_NR_CONTINUE);
	err = check_range(r.range.start, r.range.len);
	if (!err)
		err = uffd_register(u, r.range.start, r.range.start + r.range.len, modes);
	if (err)
		return err;
	return put_user_u64(arg + offsetof(struct uffdio_register, ioctls), ioctls);
}

static long unregister_or_wake(struct uffd *u, unsigned int cmd, uaddr_t arg)
{
	struct uffdio_range r;
	int err;

	if (COPY_IN(&r, arg))
		return -EFAULT;
	err = check_range(r.start, r.len);
	if (err)
		return err;
	if (cmd == UFFDIO_UNREGISTER)
		return uffd_unregister(u, r.start, r.start + r.len);
	uffd_wake(u, r.start, r.len);
	return 0;
}

/* How filling calls end: the count goes to the guest, waiters go on. */
static long filled(struct uffd *u, uaddr_t out, uint64_t dst, uint64_t size, bool wake,
		   long done)
{
	if (put_user_u64(out, (uint64_t)done))
		return -EFAULT;
	if (done < 0)
		return done;
	if (wake)
		uffd_wake(u, dst, (size_t)done);
	return (uint64_t)done == size ? 0 : -EAGAIN;
}

static long copy(struct uffd *u, uaddr_t arg)
{
	struct uffdio_copy c = {.copy = 0};
	int err;
	long done;

	if (atomic_load(&u->changing))
		return -EAGAIN;
	if (copy_from_user(&c, arg, offsetof(struct uffdio_copy, copy)))
		return -EFAULT;
	if (!user_range_ok(c.src, c.len))
		return -EINVAL;
	err = check_range(c.dst, c.len);
	if (err || (c.mode & ~(UFFDIO_COPY_MODE_DONTWAKE | UFFDIO_COPY_MODE_WP)))
		return -EINVAL;
	done = uffd_copy(u, c.dst, c.src, c.len, c.mode & UFFDIO_COPY_MODE_WP);
	if (done == -ESRCH)
		return done;
	return filled(u, arg + offsetof(struct uffdio_copy, copy), c.dst, c.len,
		      !(c.mode & UFFDIO_COPY_MODE_DONTWAKE), done);
}

/* UFFDIO_ZEROPAGE, CONTINUE, POISON: alike but for their modes. */
static long fill(struct uffd *u, unsigned int cmd, uaddr_t arg)
{
	struct uffdio_continue c = {.mapped = 0};
	uint64_t modes = UFFDIO_CONTINUE_MODE_DONTWAKE;
	long done;
	int err;

	if (atomic_load(&u->changing))
		return -EAGAIN;
	if (copy_from_user(&c, arg, offsetof(struct uffdio_continue, mapped)))
		return -EFAULT;
	err = check_range(c.range.start, c.range.len);
	if (cmd == UFFDIO_CONTINUE)
		modes |= UFFDIO_CONTINUE_MODE_WP;
	if (err || (c.mode & ~modes))
		return -EINVAL;
	if (cmd == UFFDIO_CONTINUE)
		done = uffd_continue(u, c.range.start, c.range.len,
				     c.mode & UFFDIO_CONTINUE_MODE_WP);
	else if (cmd == UFFDIO_POISON)
		done = uffd_poison(u, c.range.start, c.range.len);
	else
		done = uffd_zero(u, c.range.start, c.range.len);
	if (done == -ESRCH)
		return done;
	return filled(u, arg + offsetof(struct uffdio_continue, mapped), c.range.start,
		      c.range.len, !(c.mode & UFFDIO_CONTINUE_MODE_DONTWAKE), done);
}

static long move(struct uffd *u, uaddr_t arg)
{
	struct uffdio_move m = {.move = 0};
	long done;

	if (atomic_load(&u->changing))
		return -EAGAIN;
	if (copy_from_user(&m, arg, offsetof(struct uffdio_move, move)))
		return -EFAULT;
	if (u->um != current()->mm->uffd)
		return -EINVAL;
	if (check_range(m.dst, m.len) || check_range(m.src, m.len) ||
	    (m.mode & ~(UFFDIO_MOVE_MODE_DONTWAKE | UFFDIO_MOVE_MODE_ALLOW_SRC_HOLES)))
		return -EINVAL;
	done = uffd_move(u, m.dst, m.src, m.len,
			 m.mode & UFFDIO_MOVE_MODE_ALLOW_SRC_HOLES);
	if (done == -ESRCH)
		return done;
	return filled(u, arg + offsetof(struct uffdio_move, move), m.dst, m.len,
		      !(m.mode & UFFDIO_MOVE_MODE_DONTWAKE), done);
}

static long write_protect(struct uffd *u, uaddr_t arg)
{
	struct uffdio_writeprotect w;
	bool on;
	int err;

	if (atomic_load(&u->changing))
		return -EAGAIN;
	if (COPY_IN(&w, arg))
		return -EFAULT;
	err = check_range(w.range.start, w.range.len);
	if (err ||
	    (w.mode & ~(UFFDIO_WRITEPROTECT_MODE_WP | UFFDIO_WRITEPROTECT_MODE_DONTWAKE)))
		return -EINVAL;
	on = w.mode & UFFDIO_WRITEPROTECT_MODE_WP;
	if (on && (w.mode & UFFDIO_WRITEPROTECT_MODE_DONTWAKE))
		return -EINVAL;
	err = uffd_protect(u, w.range.start, w.range.start + w.range.len, on);
	if (!err && !on && !(w.mode & UFFDIO_WRITEPROTECT_MODE_DONTWAKE))
		uffd_wake(u, w.range.start, w.range.len);
	return err;
}

long userfaultfd_ioctl(struct file *f, unsigned int cmd, uint64_t arg)
{
	struct uffd *u = f->private;

	if (cmd != UFFDIO_API && !uffd_has(u, UFFD_INITIALIZED))
		return -EINVAL;
	switch (cmd) {
	case UFFDIO_API:
		return api(u, arg);
	case UFFDIO_REGISTER:
		return do_register(u, arg);
	case UFFDIO_UNREGISTER:
	case UFFDIO_WAKE:
		return unregister_or_wake(u, cmd, arg);
	case UFFDIO_COPY:
		return copy(u, arg);
	case UFFDIO_ZEROPAGE:
	case UFFDIO_CONTINUE:
	case UFFDIO_POISON:
		return fill(u, cmd, arg);
	case UFFDIO_MOVE:
		return move(u, arg);
	case UFFDIO_WRITEPROTECT:
		return write_protect(u, arg);
	default:
		return -EINVAL;
	}
}
