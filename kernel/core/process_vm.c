/* SPDX-License-Identifier: MIT */
/* process_vm.c - process_vm_readv(2), process_vm_writev(2): copies between the memory of
 * two processes. A copy passes through the kernel in pieces, so another thread may see it
 * half done, as on Linux. */
#include "abi/capability.h"
#include "abi/errno.h"
#include "abi/mman.h"
#include "abi/syscall.h"
#include "abi/uio.h"
#include "base/scratch.h"
#include "event/pidfd.h"
#include "fs/proc/access.h"
#include "fs/uio.h"
#include "mm/mm.h"
#include "mm/usercopy.h"
#include "mm/vma.h"
#include "process/creds.h"
#include "process/remote.h"
#include "process/task.h"

enum { PIECE_ORDER = 2, PIECE = PAGE_SIZE << PIECE_ORDER };

/* What is held of the other side while memory is slow to come, or a reader of events. */
struct other {
	struct claim claim;
	struct task *task; /* ref */
	struct mm *mm;	   /* ref, or NULL */
};

static void other_drop(struct other *o)
{
	mm_put(o->mm);
	task_put(o->task);
}

static void other_abandon(struct claim *c)
{
	other_drop(container_of(c, struct other, claim));
}

/* Takes the reference to t. */
static void other_begin(struct other *o, struct task *t)
{
	o->task = t;
	o->mm = NULL;
	claim_begin(&o->claim, other_abandon);
}

static void other_end(struct other *o)
{
	claim_end(&o->claim);
	other_drop(o);
}

struct transfer {
	struct other other;
	struct uio *local;
	char *buf; /* PIECE bytes */
	bool is_write;
};

/* How much from addr on may be read, or written to, as the areas say: a processor reads
 * also what may only be executed or written to, and a stack that grows does not here. */
static size_t allowed_part(struct mm *mm, uaddr_t addr, size_t want, uint32_t prot)
{
	uaddr_t at = addr;

	lock_take(&mm->lock);
	for (struct vma *v = vma_at(mm, at); v && v->start <= at && at - addr < want;
	     v = vma_next(v)) {
		if (!(v->prot & prot) || (v->flags & VMA_HIDDEN))
			break;
		at = v->end;
	}
	lock_drop(&mm->lock);
	return MIN(at - addr, want);
}

/* One piece: bytes moved, short or -EFAULT at a fault on either side, or -errno. */
static ssize_t move_piece(struct transfer *x, uaddr_t addr, size_t want)
{
	ssize_t moved;

	want = allowed_part(x->other.mm, addr, want,
			    x->is_write ? PROT_WRITE : PROT_READ);
	if (x->is_write) {
		size_t got = uio_copy_in(x->local, x->buf, want);

		moved = got ? remote_write(x->other.task, x->other.mm, addr, x->buf, got)
			    : 0;
	} else {
		moved = remote_read(x->other.task, x->other.mm, addr, x->buf, want);
		if (moved > 0)
			moved = (ssize_t)uio_copy_out(x->local, x->buf, (size_t)moved);
	}
	if (moved == -EINTR)
		return -ERESTARTNOINTR;
	return moved ? moved : -EFAULT;
}

static ssize_t move_all(struct transfer *x, const struct linux_iovec *remote,
			uint64_t count)
{
	ssize_t done = 0;

	for (uint64_t i = 0; i < count; i++) {
		uint64_t at = 0;

		while (at < remote[i].iov_len && x->local->left) {
			size_t want = MIN(MIN(remote[i].iov_len - at, x->local->left),
					  (uint64_t)PIECE);
			ssize_t step = move_piece(x, remote[i].iov_base + at, want);

			if (step < 0)
				return done ? done : step;
			done += step;
			at += (uint64_t)step;
			if ((size_t)step < want)
				return done;
		}
	}
	return done;
}

/* Between local and the memory of process pid. */
static ssize_t move_between(pid_t pid, struct uio *local,
			    const struct linux_iovec *remote, uint64_t count,
			    bool is_write)
{
	struct transfer x = {.local = local, .is_write = is_write};
	struct task *t = task_lookup(pid);
	struct scratch memory;
	ssize_t ret;

	if (!t)
		return -ESRCH;
	other_begin(&x.other, t);
	ret = task_mm_to_access(t, &x.other.mm);
	if (!ret) {
		x.buf = scratch_pages(&memory, PIECE_ORDER);
		ret = x.buf ? move_all(&x, remote, count) : -ENOMEM;
		if (x.buf)
			scratch_free(&memory);
	}
	other_end(&x.other);
	return ret;
}

/* The other side's pieces, count of which are at remote. They are not checked against
 * this process' memory. Returns 0 with *size their sum, or -errno. */
static int remote_copy_in(uaddr_t iov, uint64_t count, struct linux_iovec *remote,
			  uint64_t *size)
{
	int err = copy_from_user(remote, iov, count * sizeof(*remote));

	*size = 0;
	for (uint64_t i = 0; !err && i < count; i++) {
		if ((int64_t)remote[i].iov_len < 0)
			err = -EINVAL;
		*size |= remote[i].iov_len; /* only to know if there is anything */
	}
	return err;
}

/* ---- advice ---- */

static bool is_remote_advice(int advice)
{
	return advice == MADV_COLD || advice == MADV_PAGEOUT || advice == MADV_WILLNEED ||
	       advice == MADV_COLLAPSE;
}

/* Of another's memory these are hints, on which the host is not told to act. */
static int advise_other(struct mm *mm, uaddr_t addr, size_t size)
{
	uaddr_t end = addr + ALIGN_UP(size, PAGE_SIZE);
	bool is_mapped;

	if ((addr & ~PAGE_MASK) || end < addr || (size && end == addr))
		return -EINVAL;
	lock_take(&mm->lock);
	is_mapped = vma_range_covered(mm, addr, end);
	lock_drop(&mm->lock);
	return is_mapped ? 0 : -ENOMEM;
}

static long advise_all(struct mm *mm, const struct uio *u, int advice)
{
	bool is_own = mm == current()->mm;
	long done = 0;

	if (!is_own && !capable(CAP_SYS_NICE))
		return -EPERM;
	if (!is_own && !is_remote_advice(advice))
		return -EINVAL;
	/* Whose size is 0 together is not looked at. */
	for (uint32_t i = 0; i < u->count && u->left; i++) {
		const struct linux_iovec *v = &u->iov[i];
		int err = is_own ? mm_advise(mm, v->iov_base, v->iov_len, advice)
				 : advise_other(mm, v->iov_base, v->iov_len);

		if (err)
			return done ? done : err;
		done += (long)v->iov_len;
	}
	return done;
}

/* Takes the reference to t. */
static long advise_task(struct task *t, const struct uio *u, int advice)
{
	struct other o;
	long ret;

	other_begin(&o, t);
	o.mm = task_mm(t);
	ret = o.mm ? pid_may_access(t) : -ESRCH;
	if (!ret)
		ret = advise_all(o.mm, u, advice);
	other_end(&o);
	return ret;
}

long sys_process_madvise(struct task *t, int pidfd, uaddr_t iov, size_t count, int advice,
			 unsigned int flags)
{
	struct uio_vec vec;
	struct task *other;
	struct uio u;
	long ret;

	(void)t;
	if (flags)
		return -EINVAL;
	ret = uio_init_user_vec(&u, iov, count, &vec);
	if (ret)
		return ret;
	ret = pidfd_task(pidfd, &other);
	if (!ret)
		ret = advise_task(other, &u, advice);
	uio_vec_fini(&vec);
	return ret;
}

/* A process that is killed gives its memory back by itself, at once. */
long sys_process_mrelease(struct task *t, int pidfd, unsigned int flags)
{
	struct task *other;
	struct mm *mm;
	long ret;

	(void)t;
	if (flags)
		return -EINVAL;
	ret = pidfd_task(pidfd, &other);
	if (ret)
		return ret;
	mm = task_mm(other);
	if (!mm)
		ret = -ESRCH;
	else if (!other->process->group_exit)
		ret = -EINVAL;
	mm_put(mm);
	task_put(other);
	return ret;
}

/* ---- copies ---- */

static ssize_t process_vm_remote(pid_t pid, struct uio *local, uaddr_t riov,
				 uint64_t rcount, bool is_write)
{
	struct linux_iovec *remote;
	struct scratch memory;
	uint64_t any;
	ssize_t ret;

	if (rcount > UIO_MAXIOV)
		return -EINVAL;
	if (!rcount)
		return 0;
	remote = scratch_alloc(&memory, rcount * sizeof(*remote));
	if (!remote)
		return -ENOMEM;
	ret = remote_copy_in(riov, rcount, remote, &any);
	if (!ret && any)
		ret = move_between(pid, local, remote, rcount, is_write);
	scratch_free(&memory);
	return ret;
}

static long process_vm(pid_t pid, uaddr_t liov, uint64_t lcount, uaddr_t riov,
		       uint64_t rcount, uint64_t flags, bool is_write)
{
	struct uio_vec vec;
	struct uio local;
	ssize_t ret;

	if (flags)
		return -EINVAL;
	ret = uio_init_user_vec(&local, liov, lcount, &vec);
	if (ret)
		return ret;
	if (local.left)
		ret = process_vm_remote(pid, &local, riov, rcount, is_write);
	uio_vec_fini(&vec);
	return ret;
}

long sys_process_vm_readv(struct task *t, pid_t pid, uaddr_t liov, uint64_t lcount,
			  uaddr_t riov, uint64_t rcount, uint64_t flags)
{
	(void)t;
	return process_vm(pid, liov, lcount, riov, rcount, flags, false);
}

long sys_process_vm_writev(struct task *t, pid_t pid, uaddr_t liov, uint64_t lcount,
			   uaddr_t riov, uint64_t rcount, uint64_t flags)
{
	(void)t;
	return process_vm(pid, liov, lcount, riov, rcount, flags, true);
}
