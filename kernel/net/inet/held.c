/* SPDX-License-Identifier: MIT */
/* held.c - datagrams from and to memory that may have to be waited for (mm/uffd.h): by
 * way of the kernel's. The host does not wait, and would throw away what it cannot put
 * where it is to go. */
#include "abi/errno.h"
#include "base/scratch.h"
#include "lib/atomic.h"
#include "mm/mm.h"
#include "net/inet/internal.h"
#include "process/task.h"

bool inet_may_be_held(void)
{
	const struct mm *mm = current()->mm;

	return unlikely(mm && atomic_load_relaxed(&mm->uffd));
}

/* Of a stream the host leaves what it cannot put where it is to go, but not its urgent
 * byte, nor what an error has sent back. */
bool inet_is_held(const struct socket *s, const struct uio *u, uint32_t receive_flags)
{
	return inet_may_be_held() && u->left && !(u->flags & UIO_KERNEL) &&
	       (s->type != SOCK_STREAM || (receive_flags & (MSG_OOB | MSG_ERRQUEUE)));
}

/* More than any datagram has. */
static size_t held_max(const struct socket *s)
{
	return s->family == AF_UNIX ? 1U << 20 : 1U << 16;
}

COLD ssize_t inet_receive_held(struct socket *s, struct message *m,
			       inet_receive_t receive)
{
	struct uio *to = m->data;
	struct scratch memory;
	struct uio own;
	size_t size = MIN(to->left, held_max(s));
	void *buf = scratch_alloc(&memory, size);
	ssize_t got;

	if (!buf)
		return -ENOMEM;
	uio_init_kernel(&own, buf, size);
	m->data = &own;
	got = receive(s, m);
	m->data = to;
	if (got > 0) {
		size = MIN((size_t)got, size);
		if (uio_copy_out(to, buf, size) != size)
			got = -EFAULT;
	}
	scratch_free(&memory);
	return got;
}

COLD ssize_t inet_send_held(struct socket *s, struct message *m, uint32_t flags,
			    inet_send_t send)
{
	struct uio *from = m->data;
	struct uio copied = *from;
	size_t size = from->left;
	struct scratch memory;
	struct uio own;
	ssize_t done;
	void *buf;

	if (size > held_max(s)) /* none is as large: its memory is not looked at */
		return send(s, m, flags);
	buf = scratch_alloc(&memory, size);
	if (!buf)
		return -ENOBUFS;
	if (uio_copy_in(&copied, buf, size) == size) {
		uio_init_kernel(&own, buf, size);
		m->data = &own;
		done = send(s, m, flags);
		m->data = from;
		scratch_free(&memory);
		return done;
	}
	scratch_free(&memory);
	return send(s, m, flags); /* the host knows what is wrong before the address */
}
