/* SPDX-License-Identifier: MIT */
/* message.c - a guest's addresses, message headers and control messages.
 *
 * Control data to be sent is copied into the kernel at once; what is received goes
 * straight to the guest, so that a descriptor that it cannot be told is not opened. */
#include "abi/capability.h"
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/signal.h"
#include "abi/socket.h"
#include "base/slab.h"
#include "fs/fdtable.h"
#include "fs/file.h"
#include "lib/string.h"
#include "mm/usercopy.h"
#include "net/internal.h"
#include "process/creds.h"
#include "process/task.h"
#include "process/user_ns.h"
#include "signal/signal.h"

enum { CONTROL_MAX = 131072 }; /* net.core.optmem_max */

/* ---- addresses ---- */

int address_import(struct linux_sockaddr_storage *out, uaddr_t addr, int len)
{
	if (len < 0 || len > (int)sizeof(*out))
		return -EINVAL;
	memset((char *)out + len, 0, sizeof(*out) - (size_t)len);
	return len ? copy_from_user(out, addr, (size_t)len) : 0;
}

int address_export(const struct linux_sockaddr_storage *name, int len, uaddr_t addr,
		   uaddr_t len_at)
{
	uint32_t room;
	int err = get_user_u32(&room, len_at);

	if (err)
		return err;
	if ((int)room < 0)
		return -EINVAL;
	room = MIN(room, (uint32_t)len);
	if (room)
		err = copy_to_user(addr, name, room);
	return err ? err : put_user_u32(len_at, (uint32_t)len);
}

/* ---- control messages ---- */

const struct linux_cmsghdr *message_next_control(const struct message *m, size_t *off,
						 int *err)
{
	size_t left = m->control_size > *off ? m->control_size - *off : 0;
	const struct linux_cmsghdr *c;

	*err = 0;
	if (left < sizeof(*c))
		return NULL;
	c = (const struct linux_cmsghdr *)(m->control + *off); // NOLINT
	if (c->cmsg_len < sizeof(*c) || c->cmsg_len > left) {
		*err = -EINVAL;
		return NULL;
	}
	*off += LINUX_CMSG_ALIGN(c->cmsg_len);
	return c;
}

int message_check_creds(const struct linux_cmsghdr *c, struct linux_ucred *out)
{
	const struct creds *own = current_creds();
	struct linux_ucred u;
	struct process *p;

	if (c->cmsg_len != sizeof(*c) + sizeof(u))
		return -EINVAL;
	memcpy(&u, c + 1, sizeof(u));
	u.uid = make_kuid(own->user_ns, u.uid);
	u.gid = make_kgid(own->user_ns, u.gid);
	if (u.uid == NO_ID || u.gid == NO_ID)
		return -EINVAL;
	if ((u.pid != current()->process->pid && !capable(CAP_SYS_ADMIN)) ||
	    (u.uid != own->uid && u.uid != own->euid && u.uid != own->suid &&
	     !ns_capable(own->user_ns, CAP_SETUID)) ||
	    (u.gid != own->gid && u.gid != own->egid && u.gid != own->sgid &&
	     !ns_capable(own->user_ns, CAP_SETGID)))
		return -EPERM;
	if (u.pid != current()->process->pid) {
		p = process_lookup(u.pid);
		if (!p)
			return -ESRCH;
		process_put(p);
	}
	*out = u;
	return 0;
}

static void control_advance(struct message *m, size_t size)
{
	size = MIN(LINUX_CMSG_ALIGN(size), m->control_left);
	m->control_to += size;
	m->control_left -= size;
}

void message_put_control(struct message *m, int level, int type, const void *data,
			 size_t size)
{
	struct linux_cmsghdr h = {sizeof(h) + size, level, type};

	if (!m->control_to || m->control_left < sizeof(h)) {
		m->out_flags |= MSG_CTRUNC;
		return;
	}
	if (m->control_left < h.cmsg_len) {
		m->out_flags |= MSG_CTRUNC;
		h.cmsg_len = m->control_left;
	}
	/* As on Linux, a place that cannot be written is simply not used. */
	if (COPY_OUT(m->control_to, &h) ||
	    copy_to_user(m->control_to + sizeof(h), data, (size_t)h.cmsg_len - sizeof(h)))
		return;
	control_advance(m, sizeof(h) + size);
}

/* A descriptor of f, told to the guest at addr. */
static int file_hand_out(struct file *f, uaddr_t addr, uint32_t flags)
{
	int fd = fd_reserve(flags);

	if (fd < 0)
		return fd;
	if (put_user_u32(addr, (uint32_t)fd)) {
		fd_unreserve(fd);
		return -EFAULT;
	}
	file_get(f);
	fd_fill(fd, f);
	return 0;
}

void message_put_files(struct message *m, struct file *const *files, size_t count)
{
	struct linux_cmsghdr h = {sizeof(h), SOL_SOCKET, SCM_RIGHTS};
	uint32_t flags = m->flags & MSG_CMSG_CLOEXEC ? O_CLOEXEC : 0;
	size_t room = 0;
	size_t done = 0;

	if (m->control_to && m->control_left > sizeof(h))
		room = (m->control_left - sizeof(h)) / sizeof(int);
	while (done < MIN(room, count) &&
	       !file_hand_out(files[done], m->control_to + sizeof(h) + done * sizeof(int),
			      flags))
		done++;
	if (done < count)
		m->out_flags |= MSG_CTRUNC;
	if (!done)
		return;
	h.cmsg_len += done * sizeof(int);
	if (!COPY_OUT(m->control_to, &h))
		control_advance(m, (size_t)h.cmsg_len);
}

/* ---- headers ---- */

static int header_read(struct guest_message *g, uaddr_t addr, uint32_t flags)
{
	struct linux_msghdr *h = &g->header;

	g->at = addr;
	g->m = (struct message){.data = &g->data, .flags = flags};
	g->control_more.data = NULL;
	if (COPY_IN(h, addr))
		return -EFAULT;
	if (!h->msg_name)
		h->msg_namelen = 0;
	if (h->msg_namelen < 0)
		return -EINVAL;
	h->msg_namelen = MIN(h->msg_namelen, (int)sizeof(g->name));
	return 0;
}

static int data_import(struct guest_message *g)
{
	if (g->header.msg_iovlen > UIO_MAXIOV)
		return -EMSGSIZE;
	return uio_init_user_vec(&g->data, g->header.msg_iov, g->header.msg_iovlen,
				 &g->vec);
}

static int control_import(struct guest_message *g)
{
	size_t size = g->header.msg_controllen;
	void *to = g->control_fast;

	if (!g->header.msg_control || !size)
		return 0;
	if (size > CONTROL_MAX)
		return -ENOBUFS;
	if (size > sizeof(g->control_fast)) {
		to = scratch_alloc(&g->control_more, size);
		if (!to)
			return -ENOBUFS;
	}
	g->m.control = to;
	g->m.control_size = size;
	return copy_from_user(to, g->header.msg_control, size);
}

int message_import_send(struct guest_message *g, uaddr_t addr, uint32_t flags)
{
	int err = header_read(g, addr, flags);

	if (!err && g->header.msg_namelen) {
		err = address_import(&g->name, g->header.msg_name, g->header.msg_namelen);
		g->m.name = &g->name;
		g->m.name_len = g->header.msg_namelen;
	}
	if (!err)
		err = data_import(g);
	if (err)
		return err;
	err = control_import(g);
	if (err)
		message_fini(g);
	return err;
}

int message_import_receive(struct guest_message *g, uaddr_t addr, uint32_t flags)
{
	int err = header_read(g, addr, flags);

	if (err)
		return err;
	if (g->header.msg_name)
		g->m.name = &g->name;
	g->m.wants_flags = true;
	g->m.control_to = g->header.msg_control;
	g->m.control_left = g->m.control_to ? g->header.msg_controllen : 0;
	return data_import(g);
}

int message_export(struct guest_message *g)
{
	uint64_t used =
		g->header.msg_control ? g->m.control_to - g->header.msg_control : 0;
	int err = 0;

	if (g->m.name)
		err = address_export(&g->name, g->m.name_len, g->header.msg_name,
				     g->at + offsetof(struct linux_msghdr, msg_namelen));
	if (!err)
		err = put_user_u32(g->at + offsetof(struct linux_msghdr, msg_flags),
				   g->m.out_flags);
	if (!err)
		err = put_user_u64(g->at + offsetof(struct linux_msghdr, msg_controllen),
				   used);
	return err;
}

void message_fini(struct guest_message *g)
{
	if (g->control_more.data)
		scratch_free(&g->control_more);
	uio_vec_fini(&g->vec);
}

/* ---- the other side is gone ---- */

int message_broken_pipe(const struct message *m)
{
	struct task *t = current();
	struct linux_siginfo info = {.si_signo = SIGPIPE, .si_code = SI_USER};

	if (!(m->flags & MSG_NOSIGNAL)) {
		info.kill.pid = t->process->pid;
		info.kill.uid = t->creds->uid;
		(void)signal_send_task(t, SIGPIPE, &info);
	}
	return -EPIPE;
}
