/* SPDX-License-Identifier: MIT */
/* socket.c - sockets and their files: what read, write, poll and close of a descriptor
 * become. Families register themselves at start-up. */
#include "net/socket.h"

#include "abi/capability.h"
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/ioctl.h"
#include "abi/packet.h"
#include "abi/stat.h"
#include "base/slab.h"
#include "base/waitq.h"
#include "fs/file.h"
#include "fs/proc/proc.h"
#include "fs/sigio.h"
#include "fs/vfs.h"
#include "host/host.h"
#include "lib/atomic.h"
#include "mm/usercopy.h"
#include "net/device.h"
#include "net/filter.h"
#include "net/inet/inet.h"
#include "net/internal.h"
#include "net/net_ns.h"
#include "net/netfilter/netfilter.h"
#include "net/netlink/netlink.h"
#include "net/packet/packet.h"
#include "net/unix/unix.h"
#include "process/user_ns.h"
#include "time/clock.h"

static SLAB_CACHE(socket_slab, "sock_inode_cache", sizeof(struct socket), 64);

enum { SOCK_MAX = 11, DEFAULT_BUFFER = 212992 };
static const struct socket_family *families[AF_MAX];
static unsigned sockets_used; /* atomic */
static uint64_t last_cookie;  /* atomic */

void socket_family_register(const struct socket_family *f)
{
	families[f->family] = f;
}

void net_init(struct monitor_box *box, bool has_own_network)
{
	net_ns_init();
	net_sysctl_init();
	unix_init();
	inet_init();
	if (has_own_network) {
		inet_port_init();
		net_ns_keep_in_memory();
	}
	netlink_init(box);
	packet_init();
	netfilter_init();
}

/* ---- waiting ---- */

nsec_t socket_deadline(const nsec_t *timeout)
{
	nsec_t wait = atomic_load_relaxed(timeout);

	return wait == NSEC_NEVER ? NSEC_NEVER : deadline_after(wait);
}

int socket_wait_error(int err, nsec_t deadline)
{
	if (err == -ETIMEDOUT)
		return -EAGAIN;
	return err == -ERESTARTSYS && deadline != NSEC_NEVER ? -EINTR : err;
}

/* ---- as a file ---- */

static struct socket *socket_of(const struct file *f)
{
	return f->private;
}

void socket_keep_error(struct socket *s, int err)
{
	atomic_store(&s->kept_error, -err);
	/* For good: so that this is looked at first. */
	atomic_store(&s->is_indirect, true);
	atomic_store(&s->file->host_fd, -1);
}

/* Where there is an error to tell of, if it is this call's. Datagrams of the internet
 * need to know where they go before that. */
static COLD int error_of_send(struct socket *s, const struct message *m)
{
	bool is_inet = s->family == AF_INET || s->family == AF_INET6;
	struct linux_sockaddr_storage peer;

	if (is_inet && s->type == SOCK_DGRAM && !m->name && s->ops->name &&
	    s->ops->name(s, &peer, true) < 0)
		return 0;
	return socket_take_kept(s);
}

ssize_t socket_send(struct socket *s, struct message *m)
{
	if (unlikely(atomic_load_relaxed(&s->kept_error))) {
		int err = error_of_send(s, m);

		if (err)
			return err;
	}
	if (atomic_load_relaxed(&s->file->flags) & O_NONBLOCK)
		m->flags |= MSG_DONTWAIT;
	return s->ops->send ? s->ops->send(s, m) : -EOPNOTSUPP;
}

/* A stream tells of it after what there is to read. */
static COLD ssize_t receive_or_error(struct socket *s, struct message *m)
{
	uint32_t flags = m->flags;
	ssize_t got = -EAGAIN;

	if ((flags & MSG_ERRQUEUE) && s->family != AF_UNIX)
		return s->ops->receive(s, m);
	if (s->type == SOCK_STREAM) {
		m->flags |= MSG_DONTWAIT;
		got = s->ops->receive(s, m);
		m->flags = flags;
	}
	if (got == -EAGAIN)
		got = socket_take_kept(s);
	return got ? got : s->ops->receive(s, m);
}

ssize_t socket_receive(struct socket *s, struct message *m)
{
	if (atomic_load_relaxed(&s->file->flags) & O_NONBLOCK)
		m->flags |= MSG_DONTWAIT;
	if (unlikely(!s->ops->receive))
		return -EOPNOTSUPP;
	if (unlikely(atomic_load_relaxed(&s->kept_error)))
		return receive_or_error(s, m);
	return s->ops->receive(s, m);
}

static uint32_t flags_of(const struct file *f)
{
	return atomic_load_relaxed(&f->flags) & O_NONBLOCK ? MSG_DONTWAIT : 0;
}

void socket_set_direct(struct socket *s, int fd)
{
	bool is_plain = s->ops->receive_plain && s->type != SOCK_SEQPACKET;

	atomic_store_seq(&s->file->host_fd, is_plain ? fd : -1);
	/* Whoever keeps an error meanwhile sees this one, or is seen. */
	if (unlikely(atomic_load(&s->is_indirect)))
		atomic_store(&s->file->host_fd, -1);
}

static COLD NOINLINE int broken_pipe(const struct file *f, uint32_t flags)
{
	const struct message m = {.flags = flags};

	return socket_of(f)->type == SOCK_STREAM ? message_broken_pipe(&m) : -EPIPE;
}

static COLD NOINLINE void sent_by_other(const struct file *f)
{
	struct socket *s = socket_of(f);

	if (s->ops->sent)
		s->ops->sent(s);
}

HOT ssize_t socket_send_plain(struct file *f, uaddr_t data, size_t size, uint32_t flags)
{
	int fd = atomic_load_relaxed(&f->host_fd);
	struct socket *s;

	flags |= flags_of(f);
	if (likely(fd >= 0 && (flags & MSG_DONTWAIT))) {
		ssize_t done = host_send(fd, data, size, MSG_DONTWAIT);

		if (unlikely(atomic_load(&f->host_fd) != fd))
			sent_by_other(f);
		return likely(done != -EPIPE) ? done : broken_pipe(f, flags);
	}
	s = socket_of(f);
	if (!s->ops->send_plain || unlikely(atomic_load_relaxed(&s->kept_error)))
		return -EINTR;
	return s->ops->send_plain(s, data, size, flags);
}

HOT ssize_t socket_receive_plain(struct file *f, uaddr_t data, size_t size,
				 uint32_t flags)
{
	int fd = atomic_load_relaxed(&f->host_fd);
	struct socket *s;

	flags |= flags_of(f);
	if (likely(fd >= 0 && (flags & MSG_DONTWAIT)))
		return host_recv(fd, data, size, MSG_DONTWAIT);
	s = socket_of(f);
	if (!s->ops->receive_plain || unlikely(atomic_load_relaxed(&s->kept_error)))
		return -EINTR;
	return s->ops->receive_plain(s, data, size, flags);
}

int socket_send_many(struct socket *s, struct message *const *m, unsigned count,
		     uint32_t *sizes)
{
	if (atomic_load_relaxed(&s->file->flags) & O_NONBLOCK)
		m[0]->flags |= MSG_DONTWAIT;
	if (unlikely(atomic_load_relaxed(&s->kept_error)))
		return 0; /* one by one */
	return s->ops->send_many(s, m, count, sizes);
}

int socket_receive_many(struct socket *s, struct message *const *m, unsigned count,
			uint32_t *sizes)
{
	if (atomic_load_relaxed(&s->file->flags) & O_NONBLOCK)
		m[0]->flags |= MSG_DONTWAIT;
	if (unlikely(atomic_load_relaxed(&s->kept_error)))
		return 0;
	return s->ops->receive_many(s, m, count, sizes);
}

HOT static ssize_t socket_read_plain(struct file *f, uaddr_t data, size_t size)
{
	return socket_receive_plain(f, data, size, 0);
}

HOT static ssize_t socket_write_plain(struct file *f, uaddr_t data, size_t size)
{
	return socket_send_plain(f, data, size, 0);
}

static ssize_t socket_read(struct file *f, struct uio *u, int64_t *pos)
{
	struct message m = {
		.data = u,
		.flags = u->flags & UIO_NONBLOCK ? MSG_DONTWAIT : 0,
	};

	(void)pos;
	return u->left ? socket_receive(socket_of(f), &m) : 0;
}

static ssize_t socket_write(struct file *f, struct uio *u, int64_t *pos)
{
	struct socket *s = socket_of(f);
	struct message m = {
		.data = u,
		.flags = u->flags & UIO_NONBLOCK ? MSG_DONTWAIT : 0,
	};

	(void)pos;
	if (s->type == SOCK_SEQPACKET)
		m.flags |= MSG_EOR;
	return socket_send(s, &m);
}

static ssize_t socket_put_host_data(struct file *f, int host_fd, int64_t *pos,
				    size_t count)
{
	struct socket *s = socket_of(f);
	bool nonblock = atomic_load_relaxed(&f->flags) & O_NONBLOCK;

	/* An error is told first: by socket_send(), when it is copied. */
	if (!s->ops->send_host_file || unlikely(atomic_load_relaxed(&s->kept_error)))
		return -EOPNOTSUPP;
	return s->ops->send_host_file(s, host_fd, pos, count, nonblock);
}

static uint32_t socket_poll(struct file *f, struct poll_table *pt)
{
	struct socket *s = socket_of(f);
	uint32_t ready = s->ops->poll ? s->ops->poll(s, pt) : 0;

	return unlikely(atomic_load_relaxed(&s->kept_error)) ? ready | POLLERR : ready;
}

static long socket_ioctl(struct file *f, unsigned int cmd, uint64_t arg)
{
	struct socket *s = socket_of(f);
	uint32_t owner;
	long result;

	switch (cmd) {
	case FIOSETOWN:
	case SIOCSPGRP:
		if (get_user_u32(&owner, arg))
			return -EFAULT;
		return file_set_owner(f, (int)owner);
	case FIOGETOWN:
	case SIOCGPGRP:
		return put_user_u32(arg, (uint32_t)file_get_owner(f));
	case SIOCGSKNS:
		if (!ns_capable(s->net->ns.owner, CAP_NET_ADMIN))
			return -EPERM;
		return nsfs_open(&s->net->ns);
	default:
		break;
	}
	result = s->ops->ioctl ? s->ops->ioctl(s, cmd, arg) : -ENOTTY;
	/* Sockets of any family tell of the interfaces. */
	if (result == -ENOTTY && !s->net->is_host)
		return net_device_ioctl(s->net, cmd, arg);
	return result == -ENOTTY && s->host_fd < 0 ? inet_device_ioctl(-1, cmd, arg)
						   : result;
}

static int socket_map(struct file *f, uint64_t off, size_t size, struct vm_object **out)
{
	struct socket *s = socket_of(f);

	return s->ops->map ? s->ops->map(s, off, size, out) : -ENODEV;
}

static int socket_set_flags(struct file *f, uint32_t flags)
{
	struct socket *s = socket_of(f);

	if (flags & O_DIRECT)
		return -EINVAL;
	return s->ops->set_flags ? s->ops->set_flags(s, flags) : 0;
}

static int socket_set_async(struct file *f, bool on)
{
	struct socket *s = socket_of(f);
	bool is_owned = file_owner_get(f).pid;

	return s->ops->set_async ? s->ops->set_async(s, is_owned, on) : 0;
}

static void socket_owner_changed(struct file *f)
{
	(void)socket_set_async(f, atomic_load(&f->flags) & O_ASYNC);
}

void socket_closed(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(families); i++)
		if (families[i] && families[i]->closed)
			families[i]->closed();
}

static void socket_free(struct socket *s)
{
	(void)atomic_sub(&sockets_used, 1);
	net_ns_put(s->net);
	slab_free(&socket_slab, s);
}

unsigned socket_count(void)
{
	return atomic_load_relaxed(&sockets_used);
}

static void socket_destroy(struct socket *s)
{
	if (s->ops && s->private)
		s->ops->release(s);
	else if (s->host_fd >= 0) /* just accepted */
		(void)host_close(s->host_fd);
	socket_filter_drop(s);
	socket_free(s);
}

static void socket_release(struct file *f)
{
	socket_destroy(socket_of(f));
}

static const struct file_ops socket_file_ops = {
	.read = socket_read,
	.write = socket_write,
	.read_plain = socket_read_plain,
	.write_plain = socket_write_plain,
	.put_host_data = socket_put_host_data,
	.poll = socket_poll,
	.ioctl = socket_ioctl,
	.map = socket_map,
	.set_flags = socket_set_flags,
	.set_async = socket_set_async,
	.owner_changed = socket_owner_changed,
	.closed = socket_closed,
	.release = socket_release,
};

struct socket *socket_of_file(const struct file *f)
{
	return f->ops == &socket_file_ops ? f->private : NULL;
}

/* ---- making ---- */

static struct socket *socket_alloc(struct net_ns *net, int family, int type, int protocol)
{
	struct socket *s = slab_alloc_zeroed(&socket_slab);

	if (!s)
		return NULL;
	(void)atomic_add(&sockets_used, 1);
	net_ns_get(net);
	s->net = net;
	s->family = family;
	s->type = type;
	s->protocol = protocol;
	s->host_fd = -1;
	s->receive_timeout = NSEC_NEVER;
	s->send_timeout = NSEC_NEVER;
	s->send_size = DEFAULT_BUFFER;
	s->receive_size = DEFAULT_BUFFER;
	s->low_water = 1;
	s->pacing_rate = UINT64_MAX;
	s->incoming_cpu = -1;
	s->cookie = atomic_add(&last_cookie, 1) + 1;
	return s;
}

/* A file that ends s with itself; takes s over, also on failure. flags: SOCK_NONBLOCK. */
static int socket_hold(struct socket *s, uint32_t flags, struct file **out)
{
	struct inode *inode = anon_inode_create(socket_sb, S_IFSOCK | S_IRWXUGO);
	int err = -ENOMEM;

	if (inode)
		err = file_create_anon(inode, "socket", &socket_file_ops,
				       O_RDWR | (flags & O_NONBLOCK), s, out);
	if (err)
		socket_destroy(s);
	return err;
}

/* Its family has made its part of s. */
static void socket_begin(struct socket *s, struct file *f)
{
	f->mode |= FMODE_ONE_READ;
	f->host_poll_fd = s->host_fd;
	atomic_store(&s->file, f);
	socket_set_direct(s, s->host_fd);
}

/* Both. */
static int socket_wrap(struct socket *s, uint32_t flags, struct file **out)
{
	int err = socket_hold(s, flags, out);

	if (!err)
		socket_begin(s, *out);
	return err;
}

static int socket_create(int family, int type, int protocol, struct socket **out)
{
	struct socket *s;
	int err;

	if (family < 0 || family >= AF_MAX)
		return -EAFNOSUPPORT;
	if (type < 0 || type >= SOCK_MAX)
		return -EINVAL;
	if (family == AF_INET && type == SOCK_PACKET) /* its name of old */
		family = AF_PACKET;
	if (!families[family])
		return -EAFNOSUPPORT;
	s = socket_alloc(current_net_ns(), family, type, protocol);
	if (!s)
		return -ENOMEM;
	err = families[family]->create(s, type, protocol);
	if (err)
		socket_free(s);
	else
		*out = s;
	return err;
}

int socket_create_file(int family, int type, int protocol, struct file **out)
{
	struct socket *s;
	int err = socket_create(family, type & SOCK_TYPE_MASK, protocol, &s);

	return err ? err : socket_wrap(s, (uint32_t)type & SOCK_NONBLOCK, out);
}

int socket_adopt_file(int host_fd, int family, int type, int protocol, struct file **out)
{
	/* What the host serves of AF_UNIX it serves as it does those of the internet. */
	const struct socket_family *by =
		family >= 0 && family < AF_MAX
			? families[family == AF_UNIX ? AF_INET : family]
			: NULL;
	int flags = host_fcntl_getfl(host_fd);
	struct socket *s;
	int err;

	if (flags < 0)
		return flags;
	if (!by || !by->adopt)
		return -EAFNOSUPPORT;
	s = socket_alloc(&first_net_ns, family, type, protocol);
	if (!s)
		return -ENOMEM;
	err = by->adopt(s, host_fd);
	if (err) {
		socket_free(s);
		return err;
	}
	return socket_wrap(s, (uint32_t)flags & O_NONBLOCK, out);
}

int socket_carrier_create(int host_fd, int type, struct socket **out)
{
	struct socket *s = socket_alloc(&first_net_ns, AF_UNIX, type, 0);
	int err;

	if (!s)
		return -ENOMEM;
	err = families[AF_INET]->adopt(s, host_fd);
	if (err)
		socket_free(s);
	else
		*out = s;
	return err;
}

void socket_carrier_destroy(struct socket *s)
{
	socket_destroy(s);
}

int socket_accept_file(struct socket *listener, uint32_t flags, bool nonblock,
		       struct socket_name *peer, struct file **out)
{
	struct socket *s;
	int err;

	if (!listener->ops->accept)
		return -EOPNOTSUPP;
	/* So each round of accepts ends: nothing is made for that. */
	if (nonblock && listener->ops->has_nobody && listener->ops->has_nobody(listener))
		return -EAGAIN;
	s = socket_alloc(listener->net, listener->family, listener->type,
			 listener->protocol);
	if (!s)
		return -ENOMEM;
	err = socket_hold(s, flags & SOCK_NONBLOCK, out);
	if (err)
		return err;
	err = listener->ops->accept(listener, s, nonblock, peer);
	if (err)
		s->ops = NULL;
	else
		socket_begin(s, *out);
	return err;
}

int socket_create_pair(int family, int type, int protocol, struct file *out[2])
{
	uint32_t flags = (uint32_t)type & SOCK_NONBLOCK;
	struct socket *a;
	struct socket *b;
	int err;

	type &= SOCK_TYPE_MASK;
	err = socket_create(family, type, protocol, &a);
	if (err)
		return err;
	err = socket_create(family, type, protocol, &b);
	if (err) {
		socket_destroy(a);
		return err;
	}
	err = families[family]->pair ? families[family]->pair(a, b) : -EOPNOTSUPP;
	if (err) {
		socket_destroy(a);
		socket_destroy(b);
		return err;
	}
	err = socket_wrap(a, flags, &out[0]);
	if (err) {
		socket_destroy(b);
		return err;
	}
	err = socket_wrap(b, flags, &out[1]);
	if (err)
		file_put(out[0]);
	return err;
}
