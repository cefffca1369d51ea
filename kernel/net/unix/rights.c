/* SPDX-License-Identifier: MIT */
/* rights.c - what goes beside the data: descriptors (SCM_RIGHTS) and credentials
 * (SCM_CREDENTIALS).
 *
 * Closing passed files may close a socket with more of them in its queue, and so on: the
 * task that closes them keeps a list instead of descending. */
#include "abi/errno.h"
#include "abi/socket.h"
#include "base/slab.h"
#include "fs/fdtable.h"
#include "fs/file.h"
#include "lib/string.h"
#include "net/unix/internal.h"
#include "process/creds.h"
#include "process/task.h"
#include "process/user_ns.h"

/* ---- descriptors ---- */

struct unix_rights *unix_rights_create(uint32_t count)
{
	struct unix_rights *r = kmalloc(sizeof(*r) + count * sizeof(void *));

	if (!r)
		return NULL;
	memset(r, 0, sizeof(*r));
	ref_init(&r->refs);
	list_init(&r->link);
	list_init(&r->queued_link);
	return r;
}

static void close_files(struct unix_rights *r)
{
	for (uint32_t i = 0; i < r->count; i++)
		file_put(r->files[i]);
	if (ref_put(&r->refs))
		kfree(r);
}

bool unix_rights_close(struct list *rights)
{
	struct task *t = current();
	bool has_sockets = false;
	struct list *node;

	if (t->closing_files) {
		list_splice_tail(t->closing_files, rights);
		return false;
	}
	t->closing_files = rights;
	while ((node = list_pop(rights))) {
		struct unix_rights *r = list_entry(node, struct unix_rights, link);

		has_sockets |= r->socket_count != 0;
		close_files(r);
	}
	t->closing_files = NULL;
	return has_sockets;
}

void unix_rights_drop(struct unix_rights *r)
{
	struct list one;

	if (!r)
		return;
	if (r->collected) { /* whoever collected it closes the files */
		if (ref_put(&r->refs))
			kfree(r);
		return;
	}
	list_init(&one);
	list_add_tail(&one, &r->link);
	if (unix_rights_close(&one))
		unix_gc();
}

static int add_file(struct unix_rights *r, int fd)
{
	struct fdref ref = fd_get_any(fd);

	if (!ref.file)
		return -EBADF;
	file_get(ref.file);
	r->files[r->count++] = ref.file;
	r->socket_count += unix_of_file(ref.file) != NULL;
	fd_put(ref);
	return 0;
}

/* size: of all control data, which bounds how many more may come. */
static int rights_import(struct unix_control *c, const struct linux_cmsghdr *h,
			 size_t size)
{
	size_t count = (h->cmsg_len - sizeof(*h)) / sizeof(int);
	int fds[SCM_MAX_FD];
	int err = 0;

	if (!count)
		return 0;
	if (count > SCM_MAX_FD || (c->rights && c->rights->count + count > SCM_MAX_FD))
		return -EINVAL;
	memcpy(fds, h + 1, count * sizeof(int));
	if (!c->rights)
		c->rights = unix_rights_create(
			(uint32_t)MIN(size / sizeof(int), (size_t)SCM_MAX_FD));
	if (!c->rights)
		return -ENOMEM;
	for (size_t i = 0; i < count && !err; i++)
		err = add_file(c->rights, fds[i]);
	return err;
}

/* ---- credentials ---- */

struct unix_creds unix_creds_current(void)
{
	const struct creds *c = current_creds();

	return (struct unix_creds){current()->process->pid, c->uid, c->gid};
}

static int creds_import(struct unix_control *c, const struct linux_cmsghdr *h)
{
	struct linux_ucred u;
	int err = message_check_creds(h, &u);

	if (err)
		return err;
	c->has_creds = true;
	c->creds = (struct unix_creds){u.pid, u.uid, u.gid};
	return 0;
}

/* ---- both ---- */

int unix_control_import(struct unix_control *c, const struct message *m)
{
	const struct linux_cmsghdr *h;
	size_t off = 0;
	int err;

	for (;;) {
		h = message_next_control(m, &off, &err);
		if (!h)
			break;
		if (h->cmsg_level != SOL_SOCKET)
			continue;
		if (h->cmsg_type == SCM_RIGHTS)
			err = rights_import(c, h, m->control_size);
		else if (h->cmsg_type == SCM_CREDENTIALS)
			err = creds_import(c, h);
		else
			err = -EINVAL;
		if (err)
			break;
	}
	if (err)
		unix_control_fini(c);
	return err;
}

void unix_control_fini(struct unix_control *c)
{
	unix_rights_drop(c->rights);
	c->rights = NULL;
}

/* A descriptor that the guest cannot be told of is not opened; one that there is no more
 * is told as an error. */
static void pidfd_export(struct message *m, pid_t pid)
{
	uaddr_t before = m->control_to;
	int fd;

	if (!m->control_to ||
	    m->control_left < sizeof(struct linux_cmsghdr) + sizeof(fd)) {
		m->out_flags |= MSG_CTRUNC;
		return;
	}
	fd = pid ? unix_pidfd(pid) : -ESRCH;
	message_put_control(m, SOL_SOCKET, SCM_PIDFD, &fd, sizeof(fd));
	/* The place cannot be written: nobody learns of the descriptor. */
	if (fd >= 0 && m->control_to == before && fd_close(fd))
		m->out_flags |= MSG_CTRUNC;
}

void unix_control_export(struct unix_socket *u, struct message *m,
			 const struct unix_creds *creds, struct unix_rights *rights)
{
	if (u->tells_creds) {
		struct linux_ucred told = {creds->pid,
					   uid_out(creds->pid ? creds->uid : NO_ID),
					   gid_out(creds->pid ? creds->gid : NO_ID)};

		message_put_control(m, SOL_SOCKET, SCM_CREDENTIALS, &told, sizeof(told));
	}
	if (rights) {
		message_put_files(m, rights->files, rights->count);
		unix_rights_drop(rights);
	}
	if (u->tells_pidfd)
		pidfd_export(m, creds->pid);
}
