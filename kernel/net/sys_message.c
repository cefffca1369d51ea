/* SPDX-License-Identifier: MIT */
/* sys_message.c - sending and receiving: sendto, recvfrom, sendmsg, recvmsg. */
#include "abi/errno.h"
#include "abi/socket.h"
#include "abi/syscall.h"
#include "abi/uio.h"
#include "mm/usercopy.h"
#include "net/internal.h"

#define PLAIN_FLAGS ((uint32_t)(MSG_DONTWAIT | MSG_NOSIGNAL))

static long send_to(struct socket *s, uaddr_t buf, size_t count, uint32_t flags,
		    uaddr_t addr, int len)
{
	struct linux_sockaddr_storage name;
	struct message m = {.flags = flags & ~(uint32_t)MSG_CMSG_COMPAT};
	struct uio u;
	long result = uio_init_user(&u, buf, count);

	if (result)
		return result;
	m.data = &u;
	if (addr) {
		result = address_import(&name, addr, len);
		m.name = &name;
		m.name_len = len;
	}
	return result ? result : socket_send(s, &m);
}

HOT long sys_sendto(struct task *t, int fd, uaddr_t buf, size_t count, unsigned int flags,
		    uaddr_t addr, int len)
{
	struct socket_ref ref;
	long result = uio_check_user(buf, &count);

	(void)t;
	if (result)
		return result;
	ref = socket_get(fd);
	if (ref.err)
		return ref.err;
	result = -EINTR;
	if (!addr && !(flags & ~PLAIN_FLAGS))
		result = socket_send_plain(ref.fd.file, buf, count, flags);
	if (result == -EINTR)
		result = send_to(ref.socket, buf, count, flags, addr, len);
	socket_put(ref);
	return result;
}

static long receive_from(struct socket *s, uaddr_t buf, size_t count, uint32_t flags,
			 uaddr_t addr, uaddr_t len)
{
	struct linux_sockaddr_storage name;
	struct message m = {.flags = flags & ~(uint32_t)MSG_CMSG_COMPAT};
	struct uio u;
	long result = uio_init_user(&u, buf, count);

	if (result)
		return result;
	m.data = &u;
	if (addr)
		m.name = &name;
	result = socket_receive(s, &m);
	if (result >= 0 && addr) {
		int err = address_export(&name, m.name_len, addr, len);

		if (err)
			result = err;
	}
	return result;
}

HOT long sys_recvfrom(struct task *t, int fd, uaddr_t buf, size_t count,
		      unsigned int flags, uaddr_t addr, uaddr_t len)
{
	struct socket_ref ref;
	long result = uio_check_user(buf, &count);

	(void)t;
	if (result)
		return result;
	ref = socket_get(fd);
	if (ref.err)
		return ref.err;
	result = -EINTR;
	if (!addr && !(flags & ~PLAIN_FLAGS))
		result = socket_receive_plain(ref.fd.file, buf, count, flags);
	if (result == -EINTR)
		result = receive_from(ref.socket, buf, count, flags, addr, len);
	socket_put(ref);
	return result;
}

ssize_t message_send_one(struct socket *s, uaddr_t msg, uint32_t flags)
{
	struct guest_message g;
	ssize_t result = message_import_send(&g, msg, flags);

	if (result)
		return result;
	result = socket_send(s, &g.m);
	message_fini(&g);
	return result;
}

ssize_t message_receive_one(struct socket *s, uaddr_t msg, uint32_t flags)
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
	return one(fd, msg, flags, message_send_one);
}

long sys_recvmsg(struct task *t, int fd, uaddr_t msg, unsigned int flags)
{
	(void)t;
	return one(fd, msg, flags, message_receive_one);
}
