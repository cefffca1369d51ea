/* SPDX-License-Identifier: MIT */
/* sys_message.c - sending and receiving: sendto, recvfrom, sendmsg, recvmsg and the calls
 * for many messages at once. */
#include "abi/errno.h"
#include "abi/socket.h"
#include "abi/syscall.h"
#include "abi/time.h"
#include "abi/uio.h"
#include "lib/atomic.h"
#include "mm/usercopy.h"
#include "net/internal.h"
#include "process/task.h"
#include "time/clock.h"

enum { MSG_CMSG_COMPAT = 0x80000000U };

long sys_sendto(struct task *t, int fd, uaddr_t buf, size_t count, unsigned int flags,
		uaddr_t addr, int len)
{
	struct linux_sockaddr_storage name;
	struct socket_ref ref;
	struct message m = {.flags = flags & ~(uint32_t)MSG_CMSG_COMPAT};
	struct uio u;
	long result = uio_init_user(&u, buf, count);

	(void)t;
	if (result)
		return result;
	ref = socket_get(fd);
	if (ref.err)
		return ref.err;
	m.data = &u;
	if (addr) {
		result = address_import(&name, addr, len);
		m.name = &name;
		m.name_len = len;
	}
	if (!result)
		result = socket_send(ref.socket, &m);
	socket_put(ref);
	return result;
}

long sys_recvfrom(struct task *t, int fd, uaddr_t buf, size_t count, unsigned int flags,
		  uaddr_t addr, uaddr_t len)
{
	struct linux_sockaddr_storage name;
	struct socket_ref ref;
	struct message m = {.flags = flags & ~(uint32_t)MSG_CMSG_COMPAT};
	struct uio u;
	long result = uio_init_user(&u, buf, count);

	(void)t;
	if (result)
		return result;
	ref = socket_get(fd);
	if (ref.err)
		return ref.err;
	m.data = &u;
	if (addr)
		m.name = &name;
	result = socket_receive(ref.socket, &m);
	if (result >= 0 && addr) {
		int err = address_export(&name, m.name_len, addr, len);

		if (err)
			result = err;
	}
	socket_put(ref);
	return result;
}

static ssize_t send_one(struct socket *s, uaddr_t msg, uint32_t flags)
{
	struct guest_message g;
	ssize_t result = message_import_send(&g, msg, flags);

	if (result)
		return result;
	result = socket_send(s, &g.m);
	message_fini(&g);
	return result;
}

static ssize_t receive_one(struct socket *s, uaddr_t msg, uint32_t flags)
{
	struct guest_message g;
	ssize_t result = message_import_receive(&g, msg, flags);

	if (result)
		return result;
	result = socket_receive(s, &g.m);
	if (result >= 0) {
		int err = message_export(&g);

		if (err)
			result = err;
	}
	message_fini(&g);
	return result;
}

static long one(int fd, uaddr_t msg, uint32_t flags,
		ssize_t (*func)(struct socket *s, uaddr_t msg, uint32_t flags))
{
	struct socket_ref ref;
	long result;

	if (flags & MSG_CMSG_COMPAT)
		return -EINVAL;
	ref = socket_get(fd);
	if (ref.err)
		return ref.err;
	result = func(ref.socket, msg, flags);
	socket_put(ref);
	return result;
}

long sys_sendmsg(struct task *t, int fd, uaddr_t msg, unsigned int flags)
{
	(void)t;
	return one(fd, msg, flags, send_one);
}

long sys_recvmsg(struct task *t, int fd, uaddr_t msg, unsigned int flags)
{
	(void)t;
	return one(fd, msg, flags, receive_one);
}

/* ---- many ---- */

static uaddr_t slot(uaddr_t msgs, unsigned int i)
{
	return msgs + (uaddr_t)i * sizeof(struct linux_mmsghdr);
}

static int slot_done(uaddr_t msgs, unsigned int i, ssize_t size)
{
	return put_user_u32(slot(msgs, i) + offsetof(struct linux_mmsghdr, msg_len),
			    (uint32_t)size);
}

long sys_sendmmsg(struct task *t, int fd, uaddr_t msgs, unsigned int count,
		  unsigned int flags)
{
	struct socket_ref ref;
	unsigned int done = 0;
	ssize_t result = 0;

	(void)t;
	if (flags & MSG_CMSG_COMPAT)
		return -EINVAL;
	ref = socket_get(fd);
	if (ref.err)
		return ref.err;
	count = MIN(count, (unsigned int)UIO_MAXIOV);
	while (done < count) {
		result = send_one(ref.socket, slot(msgs, done), flags);
		if (result >= 0)
			result = slot_done(msgs, done, result);
		if (result)
			break;
		done++;
		if (atomic_load_relaxed(&t->sleeper.work) & WORK_INTERRUPTS)
			break;
	}
	socket_put(ref);
	return done ? (long)done : result;
}

static int pending_error(struct socket *s)
{
	int value = 0;
	int len = sizeof(value);
	int err = socket_get_option(s, SOL_SOCKET, SO_ERROR, &value, &len);

	return err ? 0 : -value;
}

/* Receives until there is no more, or deadline has passed. *err is what ended it. */
static unsigned int receive_many(struct socket *s, uaddr_t msgs, unsigned int count,
				 uint32_t flags, nsec_t deadline, ssize_t *err)
{
	unsigned int done = 0;

	*err = 0;
	while (done < count) {
		*err = receive_one(s, slot(msgs, done),
				   flags & ~(uint32_t)MSG_WAITFORONE);
		if (*err >= 0)
			*err = slot_done(msgs, done, *err);
		if (*err)
			break;
		done++;
		if (flags & MSG_WAITFORONE)
			flags |= MSG_DONTWAIT;
		if (deadline != NSEC_NEVER && clock_now(CLOCK_MONOTONIC) >= deadline)
			break;
		if (atomic_load_relaxed(&current()->sleeper.work) & WORK_INTERRUPTS)
			break;
	}
	return done;
}

static long receive_all(struct socket *s, uaddr_t msgs, unsigned int count,
			uint32_t flags, nsec_t deadline)
{
	ssize_t err = pending_error(s);
	unsigned int done;

	if (err)
		return err;
	done = receive_many(s, msgs, MIN(count, (unsigned int)UIO_MAXIOV), flags,
			    deadline, &err);
	return done ? (long)done : err;
}

long sys_recvmmsg(struct task *t, int fd, uaddr_t msgs, unsigned int count,
		  unsigned int flags, uaddr_t timeout)
{
	nsec_t deadline = NSEC_NEVER;
	struct linux_timespec ts;
	struct socket_ref ref;
	long result;

	(void)t;
	if (flags & MSG_CMSG_COMPAT)
		return -EINVAL;
	if (timeout) {
		if (COPY_IN(&ts, timeout))
			return -EFAULT;
		if (!timespec_is_valid(&ts))
			return -EINVAL;
		deadline = deadline_after(timespec_to_nsec(&ts));
	}
	ref = socket_get(fd);
	if (ref.err)
		return ref.err;
	result = receive_all(ref.socket, msgs, count, flags, deadline);
	if (result > 0 && timeout) {
		nsec_t now = clock_now(CLOCK_MONOTONIC);

		ts = nsec_to_timespec(now < deadline ? deadline - now : 0);
		if (COPY_OUT(timeout, &ts))
			result = -EFAULT;
	}
	socket_put(ref);
	return result;
}
