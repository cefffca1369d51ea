/* SPDX-License-Identifier: MIT */
/* uio.c - pieces of memory to read into or write from. */
#include "fs/uio.h"

#include "abi/errno.h"
#include "base/slab.h"
#include "lib/string.h"
#include "mm/mm.h"
#include "mm/usercopy.h"
#include "process/task.h"

/* A transfer may be made by the host, or under locks: a stack that it reaches below grows
 * before it. */
static void reach(uaddr_t addr, size_t size)
{
	struct task *t = current();

	if (size && t->mm && mm_is_below_stack(t->mm, addr))
		(void)mm_grow(t->mm, addr, &t->growths_seen);
}

#define TASK_END 0x7ffffffff000UL /* on Linux, where user addresses end */

HOT int uio_check_user(uaddr_t addr, size_t *size)
{
	*size = MIN(*size, MAX_RW_COUNT);
	if (!user_range_ok(addr, *size))
		return -EFAULT;
	reach(addr, *size);
	return 0;
}

int uio_init_user(struct uio *u, uaddr_t addr, size_t size)
{
	int err = uio_check_user(addr, &size);

	if (err)
		return err;
	u->one = (struct linux_iovec){addr, size};
	u->iov = &u->one;
	u->count = 1;
	u->flags = 0;
	u->off = 0;
	u->left = size;
	return 0;
}

int uio_init_user_vec(struct uio *u, uaddr_t iov, size_t count, struct uio_vec *v)
{
	struct linux_iovec *vec = v->fast;
	bool is_nobodys = false;
	size_t total = 0;
	int err;

	*u = (struct uio){.iov = vec};
	v->more.data = NULL;
	if (count > UIO_MAXIOV)
		return -EINVAL;
	if (count > UIO_FAST) {
		vec = scratch_alloc(&v->more, count * sizeof(*vec));
		if (!vec)
			return -ENOMEM;
	}
	err = copy_from_user(vec, iov, count * sizeof(*vec));
	/* A piece that can be nobody's is not even tried; bad sizes come first. */
	for (size_t i = 0; !err && i < count; i++) {
		if ((int64_t)vec[i].iov_len < 0)
			err = -EINVAL;
		else if (vec[i].iov_len > MAX_RW_COUNT - total)
			vec[i].iov_len = MAX_RW_COUNT - total;
		is_nobodys |= vec[i].iov_len > TASK_END ||
			      vec[i].iov_base > TASK_END - vec[i].iov_len;
		/* What is not the guest's must fault, but what comes before it counts:
		 * name a page that nobody can map, also for the host's sake. */
		if (!err && !user_range_ok(vec[i].iov_base, vec[i].iov_len)) {
			vec[i].iov_base = 0;
			vec[i].iov_len = MIN(vec[i].iov_len, PAGE_SIZE);
		}
		if (err)
			break;
		reach(vec[i].iov_base, vec[i].iov_len);
		total += vec[i].iov_len;
	}
	if (!err && is_nobodys)
		err = -EFAULT;
	if (err) {
		uio_vec_fini(v);
		return err;
	}
	u->iov = vec;
	u->count = (uint32_t)count;
	u->left = total;
	return 0;
}

void uio_init_kernel(struct uio *u, void *data, size_t size)
{
	u->one = (struct linux_iovec){(uaddr_t)(uintptr_t)data, size};
	u->iov = &u->one;
	u->count = 1;
	u->flags = UIO_KERNEL;
	u->off = 0;
	u->left = size;
}

void uio_vec_fini(struct uio_vec *v)
{
	if (v->more.data)
		scratch_free(&v->more);
	v->more.data = NULL;
}

void uio_advance(struct uio *u, size_t size)
{
	u->left -= size;
	while (size) {
		size_t step = MIN(size, u->iov->iov_len - u->off);

		u->off += step;
		size -= step;
		if (u->off == u->iov->iov_len && u->count > 1) {
			u->iov++;
			u->count--;
			u->off = 0;
		}
	}
}

void uio_truncate(struct uio *u, size_t size)
{
	u->left = MIN(u->left, size);
}

enum direction { TO_KERNEL, FROM_KERNEL, ZEROES };

/* Returns how many bytes of one piece were not copied. */
static size_t move_piece(enum direction dir, bool kernel, uaddr_t at, char *data,
			 size_t size)
{
	void *mem = (void *)(uintptr_t)at; /* used when it is the kernel's own */

	if (!kernel) {
		if (dir == TO_KERNEL)
			return copy_from_user_partial(data, at, size);
		if (dir == FROM_KERNEL)
			return copy_to_user_partial(at, data, size);
		return clear_user_partial(at, size);
	}
	if (dir == TO_KERNEL)
		memcpy(data, mem, size);
	else if (dir == FROM_KERNEL)
		memcpy(mem, data, size);
	else
		memset(mem, 0, size);
	return 0;
}

static size_t move(struct uio *u, enum direction dir, char *data, size_t size)
{
	size_t done = 0;

	size = MIN(size, u->left);
	while (done < size) {
		size_t step = MIN(size - done, u->iov->iov_len - u->off);
		size_t missed =
			step ? move_piece(dir, u->flags & UIO_KERNEL,
					  u->iov->iov_base + u->off, data + done, step)
			     : 0;

		done += step - missed;
		u->off += step - missed;
		u->left -= step - missed;
		if (missed)
			break;
		if (u->off == u->iov->iov_len && u->count > 1) {
			u->iov++;
			u->count--;
			u->off = 0;
		}
	}
	return done;
}

size_t uio_copy_in(struct uio *u, void *dst, size_t size)
{
	return move(u, TO_KERNEL, dst, size);
}

int uio_copy_in_text(struct uio *u, size_t size, char **out)
{
	char *text = kmalloc(size + 1);

	if (!text)
		return -ENOMEM;
	if (uio_copy_in(u, text, size) != size) {
		kfree(text);
		return -EFAULT;
	}
	text[size] = '\0';
	*out = text;
	return 0;
}

size_t uio_copy_out(struct uio *u, const void *src, size_t size)
{
	return move(u, FROM_KERNEL, (char *)(uintptr_t)src, size);
}

size_t uio_clear_out(struct uio *u, size_t size)
{
	static char nothing;

	return move(u, ZEROES, &nothing, size);
}

int uio_host_vec(const struct uio *u, struct linux_iovec *out, int max, size_t size)
{
	const struct linux_iovec *iov = u->iov;
	size_t off = u->off;
	int count = 0;

	size = MIN(size, u->left);
	while (size && count < max) {
		size_t step = MIN(size, iov->iov_len - off);

		if (step)
			out[count++] = (struct linux_iovec){iov->iov_base + off, step};
		size -= step;
		iov++;
		off = 0;
	}
	return count;
}
