/* SPDX-License-Identifier: MIT */
/* socket.c - the host's internet sockets. */
#include "abi/socket.h"

#include "abi/uio.h"
#include "host/host.h"
#include "host/linux/internal.h"

int host_socket(int family, int type, int protocol)
{
	return (int)CALL(NR_socket, family, type | SOCK_CLOEXEC, protocol);
}

int host_bind(int fd, const void *addr, int len)
{
	return (int)CALL(NR_bind, fd, addr, len);
}

int host_connect(int fd, const void *addr, int len, bool may_block)
{
	if (!may_block)
		return (int)CALL(NR_connect, fd, addr, len);
	return (int)host_block_current(NR_connect, (uint64_t)fd, (uint64_t)addr,
				       (uint64_t)len, 0, 0, 0);
}

int host_listen(int fd, int backlog)
{
	return (int)CALL(NR_listen, fd, backlog);
}

int host_accept(int fd, bool may_block, void *addr, int *len)
{
	if (!may_block)
		return (int)CALL(NR_accept4, fd, addr, len, SOCK_CLOEXEC);
	return (int)host_block_current(NR_accept4, (uint64_t)fd, (uint64_t)addr,
				       (uint64_t)len, SOCK_CLOEXEC, 0, 0);
}

int host_getsockname(int fd, void *addr, int *len, bool peer)
{
	return (int)CALL(peer ? NR_getpeername : NR_getsockname, fd, addr, len);
}

long host_send(int fd, uaddr_t data, size_t size, uint32_t flags)
{
	return host_sendto(fd, data, size, flags, NULL, 0);
}

long host_sendto(int fd, uaddr_t data, size_t size, uint32_t flags, const void *name,
		 int len)
{
	flags |= MSG_NOSIGNAL;
	if (flags & MSG_DONTWAIT)
		return CALL(NR_sendto, fd, data, size, flags, name, len);
	return host_block_current(NR_sendto, (uint64_t)fd, data, size, flags,
				  (uint64_t)name, (uint64_t)len);
}

long host_sendmsg(int fd, const struct linux_msghdr *m, uint32_t flags)
{
	flags |= MSG_NOSIGNAL;
	if (flags & MSG_DONTWAIT)
		return CALL(NR_sendmsg, fd, m, flags);
	return host_block_current(NR_sendmsg, (uint64_t)fd, (uint64_t)m, flags, 0, 0, 0);
}

long host_recv(int fd, uaddr_t data, size_t size, uint32_t flags)
{
	return host_recvfrom(fd, data, size, flags, NULL, NULL);
}

long host_recvfrom(int fd, uaddr_t data, size_t size, uint32_t flags, void *name,
		   int *len)
{
	if (flags & MSG_DONTWAIT)
		return CALL(NR_recvfrom, fd, data, size, flags, name, len);
	return host_block_current(NR_recvfrom, (uint64_t)fd, data, size, flags,
				  (uint64_t)name, (uint64_t)len);
}

long host_recvmsg(int fd, struct linux_msghdr *m, uint32_t flags)
{
	if (flags & MSG_DONTWAIT)
		return CALL(NR_recvmsg, fd, m, flags);
	return host_block_current(NR_recvmsg, (uint64_t)fd, (uint64_t)m, flags, 0, 0, 0);
}

long host_sendmmsg(int fd, struct linux_mmsghdr *m, unsigned int count, uint32_t flags)
{
	flags |= MSG_NOSIGNAL;
	if (flags & MSG_DONTWAIT)
		return CALL(NR_sendmmsg, fd, m, count, flags);
	return host_block_current(NR_sendmmsg, (uint64_t)fd, (uint64_t)m, count, flags, 0,
				  0);
}

long host_recvmmsg(int fd, struct linux_mmsghdr *m, unsigned int count, uint32_t flags)
{
	if (flags & MSG_DONTWAIT)
		return CALL(NR_recvmmsg, fd, m, count, flags, 0);
	return host_block_current(NR_recvmmsg, (uint64_t)fd, (uint64_t)m, count,
				  flags | MSG_WAITFORONE, 0, 0);
}

int host_shutdown(int fd, int how)
{
	return (int)CALL(NR_shutdown, fd, how);
}

int host_setsockopt(int fd, int level, int name, const void *value, int len)
{
	return (int)CALL(NR_setsockopt, fd, level, name, value, len);
}

int host_getsockopt(int fd, int level, int name, void *value, int *len)
{
	return (int)CALL(NR_getsockopt, fd, level, name, value, len);
}

int host_close_lingering(int fd)
{
	return (int)host_block_current(NR_close, (uint64_t)fd, 0, 0, 0, 0, 0);
}
