/* SPDX-License-Identifier: MIT */
/* sys_socket.c - making sockets, naming and connecting them, and their options. */
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/inet.h"
#include "abi/socket.h"
#include "abi/syscall.h"
#include "base/claim.h"
#include "base/scratch.h"
#include "fs/fdtable.h"
#include "fs/file.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "mm/usercopy.h"
#include "net/filter.h"
#include "net/inet/inet.h"
#include "net/internal.h"
#include "net/net_ns.h"
#include "net/netfilter/netfilter.h"
#include "net/packet/packet.h"
#include "process/task.h"

enum { OPTION_FAST = 128, OPTION_MAX = 262144 };

HOT struct socket_ref socket_get(int fd)
{
	struct socket_ref ref = {.fd = fd_get(fd)};

	if (!ref.fd.file) {
		ref.err = -EBADF;
		return ref;
	}
	ref.socket = socket_of_file(ref.fd.file);
	if (!ref.socket) {
		ref.err = -ENOTSOCK;
		fd_put(ref.fd);
	}
	return ref;
}

HOT void socket_put(struct socket_ref ref)
{
	fd_put(ref.fd);
	if (unlikely(ref.fd.has_ref)) /* perhaps the last: as after a close */
		socket_closed();
}

/* ---- making ---- */

long sys_socket(struct task *t, int domain, int type, int protocol)
{
	struct file *f;
	int err;

	(void)t;
	if (type & ~(SOCK_TYPE_MASK | SOCK_CLOEXEC | SOCK_NONBLOCK))
		return -EINVAL;
	err = socket_create_file(domain, type, protocol, &f);
	if (err)
		return err;
	return fd_install_or_put(f, (uint32_t)type & O_CLOEXEC);
}

/* Two reserved descriptors, told to the guest at addr. */
static int reserve_two(int fd[2], uaddr_t addr, uint32_t flags)
{
	fd[0] = fd_reserve(flags);
	if (fd[0] < 0)
		return fd[0];
	fd[1] = fd_reserve(flags);
	if (fd[1] < 0) {
		fd_unreserve(fd[0]);
		return fd[1];
	}
	if (!put_user_u32(addr, (uint32_t)fd[0]) &&
	    !put_user_u32(addr + sizeof(int), (uint32_t)fd[1]))
		return 0;
	fd_unreserve(fd[1]);
	fd_unreserve(fd[0]);
	return -EFAULT;
}

long sys_socketpair(struct task *t, int domain, int type, int protocol, uaddr_t fds)
{
	struct file *f[2];
	int fd[2];
	int err;

	(void)t;
	if (type & ~(SOCK_TYPE_MASK | SOCK_CLOEXEC | SOCK_NONBLOCK))
		return -EINVAL;
	err = reserve_two(fd, fds, (uint32_t)type & O_CLOEXEC);
	if (err)
		return err;
	err = socket_create_pair(domain, type, protocol, f);
	if (err) {
		fd_unreserve(fd[1]);
		fd_unreserve(fd[0]);
		return err;
	}
	fd_fill(fd[0], f[0]);
	fd_fill(fd[1], f[1]);
	return 0;
}

/* ---- names and connections ---- */

long sys_bind(struct task *t, int fd, uaddr_t addr, int len)
{
	struct socket_ref ref = socket_get(fd);
	struct linux_sockaddr_storage name;
	long result;

	(void)t;
	if (ref.err)
		return ref.err;
	result = address_import(&name, addr, len);
	if (!result)
		result = ref.socket->ops->bind
				 ? ref.socket->ops->bind(ref.socket, &name, len)
				 : -EOPNOTSUPP;
	socket_put(ref);
	return result;
}

static bool is_nonblocking(const struct socket *s)
{
	return atomic_load_relaxed(&s->file->flags) & O_NONBLOCK;
}

long sys_connect(struct task *t, int fd, uaddr_t addr, int len)
{
	struct socket_ref ref = socket_get(fd);
	struct linux_sockaddr_storage name;
	struct socket *s = ref.socket;
	long result;

	(void)t;
	if (ref.err)
		return ref.err;
	result = address_import(&name, addr, len);
	if (!result)
		result = s->ops->connect
				 ? s->ops->connect(s, &name, len, is_nonblocking(s))
				 : -EOPNOTSUPP;
	socket_put(ref);
	return result;
}

long sys_listen(struct task *t, int fd, int backlog)
{
	struct socket_ref ref = socket_get(fd);
	long result = -EOPNOTSUPP;
	int most;

	(void)t;
	if (ref.err)
		return ref.err;
	most = atomic_load_relaxed(&ref.socket->net->settings.somaxconn);
	if ((unsigned)backlog > (unsigned)most)
		backlog = most;
	if (ref.socket->ops->listen)
		result = ref.socket->ops->listen(ref.socket, backlog);
	socket_put(ref);
	return result;
}

static int export_name(struct socket *s, bool peer, uaddr_t addr, uaddr_t len)
{
	struct linux_sockaddr_storage name;
	int size = s->ops->name ? s->ops->name(s, &name, peer) : -EOPNOTSUPP;

	return size < 0 ? size : address_export(&name, size, addr, len);
}

struct accept_claim {
	struct claim claim;
	struct file *file; /* ref: until a descriptor has it; or NULL */
};

static void accepted_put(struct accept_claim *c)
{
	struct file *f = c->file;

	c->file = NULL;
	if (f)
		file_put(f);
}

/* Who was on the other side of the connection finds it closed. */
static void accept_abandon(struct claim *c)
{
	accepted_put(container_of(c, struct accept_claim, claim));
}

static long accept_into(struct socket *s, int fd, uaddr_t addr, uaddr_t len,
			uint32_t flags)
{
	struct accept_claim c = {.file = NULL};
	struct socket_name peer;
	int err;

	peer.len = 0;
	claim_begin(&c.claim, accept_abandon);
	err = socket_accept_file(s, flags, is_nonblocking(s), addr ? &peer : NULL,
				 &c.file);
	if (!err && addr)
		err = peer.len ? address_export(&peer.addr, peer.len, addr, len)
			       : export_name(socket_of_file(c.file), true, addr, len);
	if (err == -ENOTCONN)
		err = -ECONNABORTED;
	if (err)
		accepted_put(&c);
	else
		fd_fill_claimed(fd, &c.file);
	claim_end(&c.claim);
	return err ? err : fd;
}

/* Of what is no socket, too, Linux says first that there are no descriptors. */
static long accept_of(struct fdref ref, uaddr_t addr, uaddr_t len, uint32_t flags)
{
	struct socket *s = socket_of_file(ref.file);
	long result;
	int fresh;

	if (flags & ~(uint32_t)(SOCK_CLOEXEC | SOCK_NONBLOCK))
		return -EINVAL;
	fresh = fd_reserve(flags & O_CLOEXEC);
	if (fresh < 0)
		return fresh;
	result = s ? accept_into(s, fresh, addr, len, flags) : -ENOTSOCK;
	if (result < 0)
		fd_unreserve(fresh);
	return result;
}

long sys_accept4(struct task *t, int fd, uaddr_t addr, uaddr_t len, int flags)
{
	struct socket_ref ref = {.fd = fd_get(fd)};
	long result;

	(void)t;
	if (!ref.fd.file)
		return -EBADF;
	result = accept_of(ref.fd, addr, len, (uint32_t)flags);
	socket_put(ref);
	return result;
}

long sys_accept(struct task *t, int fd, uaddr_t addr, uaddr_t len)
{
	return sys_accept4(t, fd, addr, len, 0);
}

static long get_name(int fd, bool peer, uaddr_t addr, uaddr_t len)
{
	struct socket_ref ref = socket_get(fd);
	long result;

	if (ref.err)
		return ref.err;
	result = export_name(ref.socket, peer, addr, len);
	socket_put(ref);
	return result;
}

long sys_getsockname(struct task *t, int fd, uaddr_t addr, uaddr_t len)
{
	(void)t;
	return get_name(fd, false, addr, len);
}

long sys_getpeername(struct task *t, int fd, uaddr_t addr, uaddr_t len)
{
	(void)t;
	return get_name(fd, true, addr, len);
}

long sys_shutdown(struct task *t, int fd, int how)
{
	struct socket_ref ref = socket_get(fd);
	long result = -EOPNOTSUPP;

	(void)t;
	if (ref.err)
		return ref.err;
	if (ref.socket->ops->shutdown)
		result = ref.socket->ops->shutdown(ref.socket, how);
	socket_put(ref);
	return result;
}

/* ---- options ---- */

/* Of AF_UNIX there is the one level, whatever else is asked for. */
static bool has_level(const struct socket *s, int level)
{
	return level == SOL_SOCKET || s->family != AF_UNIX;
}

long sys_setsockopt(struct task *t, int fd, int level, int name, uaddr_t value, int len)
{
	uint64_t fast[OPTION_FAST / 8];
	void *copy = fast;
	struct scratch more;
	struct socket_ref ref;
	long result;

	(void)t;
	if (len < 0)
		return -EINVAL;
	ref = socket_get(fd);
	if (ref.err)
		return ref.err;
	if (unlikely(netfilter_is_option(ref.socket, level, name, true))) {
		result = netfilter_set_option(ref.socket, level, name, value, len);
		socket_put(ref);
		return result;
	}
	if (!has_level(ref.socket, level)) {
		socket_put(ref);
		return -EOPNOTSUPP;
	}
	/* No other option takes more than this. */
	len = MIN(len, OPTION_MAX);
	if ((size_t)len > sizeof(fast))
		copy = scratch_alloc(&more, (size_t)len);
	result = !copy ? -ENOMEM : len ? copy_from_user(copy, value, (size_t)len) : 0;
	if (!result)
		result = socket_set_option(ref.socket, level, name, copy, len);
	if (copy && copy != fast)
		scratch_free(&more);
	socket_put(ref);
	return result;
}

/* SO_GET_FILTER, which has the number of SO_ATTACH_FILTER: len counts instructions. */
static int get_filter(struct socket *s, uaddr_t value, uint32_t len, uaddr_t len_at)
{
	int err = socket_filter_export(s, value, &len);

	return err ? err : put_user_u32(len_at, len);
}

long sys_getsockopt(struct task *t, int fd, int level, int name, uaddr_t value,
		    uaddr_t len_at)
{
	struct socket_ref ref = socket_get(fd);
	uint64_t fast[OPTION_FAST / 8];
	void *buf = fast;
	struct scratch more;
	long result;
	uint32_t room;
	uint32_t len;

	(void)t;
	if (ref.err)
		return ref.err;
	if (unlikely(netfilter_is_option(ref.socket, level, name, false))) {
		result = netfilter_get_option(ref.socket, level, name, value, len_at);
		goto out;
	}
	result = -EOPNOTSUPP;
	if (has_level(ref.socket, level))
		result = get_user_u32(&len, len_at);
	if (!result && (int)len < 0)
		result = -EINVAL;
	if (!result && level == SOL_SOCKET && name == SO_ATTACH_FILTER) {
		result = get_filter(ref.socket, value, len, len_at);
		goto out;
	}
	if (result)
		goto out;
	len = MIN(len, (uint32_t)OPTION_MAX);
	if (len > sizeof(fast))
		buf = scratch_alloc(&more, len);
	if (!buf) {
		result = -ENOMEM;
		goto out;
	}
	memset(fast, 0, sizeof(fast));
	room = len;
	if (inet_option_has_question(level, name) ||
	    packet_option_has_question(level, name))
		result = copy_from_user(buf, value, len);
	if (!result)
		result = socket_get_option(ref.socket, level, name, buf, (int *)&len);
	if (!result && len)
		result = copy_to_user(value, buf, MIN(len, room));
	if (!result || result == -ERANGE) {
		if (put_user_u32(len_at, len))
			result = -EFAULT;
	}
	if (buf != fast)
		scratch_free(&more);
out:
	socket_put(ref);
	return result;
}
