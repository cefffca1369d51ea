/* SPDX-License-Identifier: MIT */
/* options.c - socket options of AF_UNIX sockets: whose they are, and what they pass. */
#include "abi/errno.h"
#include "abi/socket.h"
#include "base/slab.h"
#include "base/waitq.h"
#include "event/pidfd.h"
#include "fs/poll.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "net/unix/internal.h"
#include "process/creds.h"
#include "process/task.h"
#include "process/user_ns.h"

int unix_pidfd(pid_t pid)
{
	struct process *p = process_lookup(pid);
	int fd;

	if (!p)
		return -ESRCH;
	fd = pidfd_create(p, 0);
	process_put(p);
	return fd;
}

void unix_set_peer_creds(struct unix_socket *u, pid_t pid, struct creds *c)
{
	struct creds *old = u->peer_creds;

	if (c)
		creds_get(c);
	u->peer_pid = pid;
	u->peer_creds = c;
	creds_put(old);
}

int unix_set_option(struct socket *s, int level, int name, const void *value, int len)
{
	struct unix_socket *u = unix_of(s);
	int err;
	int n;

	if (level != SOL_SOCKET)
		return -EOPNOTSUPP;
	if (name == SO_BINDTODEVICE)
		return socket_device_bind_name(s, value, len);
	if (len < (int)sizeof(n))
		return -EINVAL;
	memcpy(&n, value, sizeof(n));
	switch (name) {
	case SO_PASSCRED:
		atomic_store(&u->tells_creds, n != 0);
		atomic_store(&u->passes_creds, u->tells_creds || u->tells_pidfd);
		return 0;
	case SO_PASSPIDFD:
		atomic_store(&u->tells_pidfd, n != 0);
		atomic_store(&u->passes_creds, u->tells_creds || u->tells_pidfd);
		return 0;
	case SO_PASSSEC: /* kept: no security module has labels to pass */
		atomic_store(&u->passes_labels, n != 0);
		return 0;
	case SO_PASSRIGHTS:
		atomic_store(&u->takes_rights, n != 0);
		return 0;
	case SO_INQ:
		if (u->type != SOCK_STREAM)
			return -ENOPROTOOPT;
		if (len != (int)sizeof(n) || n < 0 || n > 1)
			return -EINVAL;
		atomic_store(&u->tells_size, n != 0);
		return 0;
	case SO_PEEK_OFF:
		lock_take(&u->lock);
		u->peek_off = n;
		lock_drop(&u->lock);
		return 0;
	default:
		err = socket_set_plain_option(s, name, value, len);
		break;
	}
	if (!err && (name == SO_SNDBUF || name == SO_SNDBUFFORCE)) {
		atomic_store(&u->send_size, s->send_size);
		waitq_wake_all(&u->writable, POLL_WRITABLE);
	}
	return err;
}

static void peer_creds_get(struct unix_socket *u, void *value, int *len)
{
	struct linux_ucred c = {0, UINT32_MAX, UINT32_MAX};

	lock_take(&u->lock);
	if (u->peer_creds)
		c = (struct linux_ucred){u->peer_pid, uid_out(u->peer_creds->euid),
					 gid_out(u->peer_creds->egid)};
	lock_drop(&u->lock);
	option_put(value, len, &c, sizeof(c));
}

/* As the current task's user namespace sees them, in value. */
static int groups_export(const struct creds *c, void *value, int *len)
{
	size_t size = c->group_count * sizeof(gid_t);
	gid_t *seen;

	if (likely(current_user_ns() == &first_user_ns) || !size) {
		option_put(value, len, c->groups, size);
		return 0;
	}
	seen = kmalloc(size);
	if (!seen)
		return -ENOMEM;
	for (uint32_t i = 0; i < c->group_count; i++)
		seen[i] = gid_out(c->groups[i]);
	option_put(value, len, seen, size);
	kfree(seen);
	return 0;
}

static int peer_groups_get(struct unix_socket *u, void *value, int *len)
{
	struct creds *c;
	int err = 0;
	int size;

	lock_take(&u->lock);
	c = u->peer_creds;
	if (c)
		creds_get(c);
	lock_drop(&u->lock);
	if (!c)
		return -ENODATA;
	size = (int)(c->group_count * sizeof(gid_t));
	if (*len < size) {
		*len = size;
		err = -ERANGE;
	} else {
		err = groups_export(c, value, len);
	}
	creds_put(c);
	return err;
}

static int peer_pidfd_get(struct unix_socket *u, void *value, int *len)
{
	pid_t pid;
	int fd;

	lock_take(&u->lock);
	pid = u->peer_creds ? u->peer_pid : 0;
	lock_drop(&u->lock);
	if (!pid)
		return -ENODATA;
	fd = unix_pidfd(pid);
	if (fd < 0)
		return fd;
	option_put(value, len, &fd, sizeof(fd));
	return 0;
}

static int peer_name_get(struct socket *s, void *value, int *len)
{
	struct linux_sockaddr_storage name;
	int size = unix_name(s, &name, true);

	if (size < 0)
		return size;
	if (size < *len)
		return -EINVAL;
	option_put(value, len, &name, (size_t)size);
	return 0;
}

int unix_get_option(struct socket *s, int level, int name, void *value, int *len)
{
	struct unix_socket *u = unix_of(s);
	int n;

	if (level != SOL_SOCKET)
		return -EOPNOTSUPP;
	switch (name) {
	case SO_ERROR:
		if (unlikely(atomic_load(&u->carrier) != NULL))
			return u->carrier->ops->get_option(u->carrier, level, name, value,
							   len);
		n = -unix_take_error(u);
		break;
	case SO_ACCEPTCONN:
		n = u->state == UNIX_LISTENING;
		break;
	case SO_PASSCRED:
		n = u->tells_creds;
		break;
	case SO_PASSPIDFD:
		n = u->tells_pidfd;
		break;
	case SO_PASSSEC:
		n = u->passes_labels;
		break;
	case SO_PASSRIGHTS:
		n = u->takes_rights;
		break;
	case SO_PEERPIDFD:
		return peer_pidfd_get(u, value, len);
	case SO_PEERSEC: /* no security module */
		return -ENOPROTOOPT;
	case SO_PEEK_OFF:
		n = (int)u->peek_off;
		break;
	case SO_PEERCRED:
		peer_creds_get(u, value, len);
		return 0;
	case SO_PEERGROUPS:
		return peer_groups_get(u, value, len);
	case SO_PEERNAME:
		return peer_name_get(s, value, len);
	default:
		return socket_get_plain_option(s, name, value, len);
	}
	option_put(value, len, &n, sizeof(n));
	return 0;
}
