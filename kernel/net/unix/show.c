/* SPDX-License-Identifier: MIT */
/* show.c - /proc/net/unix: a line for each AF_UNIX socket (proc(5)).
 *
 * A socket leaves the list before anything else of it goes, so that unix_all_lock alone
 * keeps what is looked at here alive. */
#include "base/lock.h"
#include "fs/file.h"
#include "fs/proc/generated.h"
#include "fs/vfs.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "net/net_ns.h"
#include "net/unix/internal.h"
#include "net/unix/unix.h"

enum { FLAG_LISTENING = 1 << 16 }; /* __SO_ACCEPTCON */

/* SS_UNCONNECTED and its kin. */
static unsigned shown_state(const struct unix_socket *u)
{
	bool is_connected = u->state == UNIX_CONNECTED;

	if (u->socket)
		return is_connected ? 3 : 1;
	return is_connected ? 2 : 4;
}

static uint64_t inode_number(const struct unix_socket *u)
{
	const struct socket *s = atomic_load(&u->socket);
	const struct file *f = s ? atomic_load(&s->file) : NULL;

	return f ? f->inode->ino : 0;
}

static void show_name(struct text *t, const struct unix_address *a)
{
	int len = a->len - (int)offsetof(struct linux_sockaddr_un, sun_path);
	bool is_abstract = !a->name.sun_path[0];

	text_putc(t, ' ');
	for (int i = 0; i < len - !is_abstract; i++) {
		char c = a->name.sun_path[i];

		text_putc(t, c ? c : '@');
	}
}

int unix_show_all(struct text *t, void *arg)
{
	const struct net_ns *net = current_net_ns();
	struct roll_entry *pos;

	(void)arg;
	text_puts(t, "Num       RefCount Protocol Flags    Type St Inode Path\n");
	lock_take(&unix_all_lock);
	roll_for_each(pos, &unix_all)
	{
		const struct unix_socket *u =
			container_of(pos, struct unix_socket, all_entry);
		const struct unix_address *a = atomic_load(&u->address);

		if (u->net != net)
			continue;
		text_printf(t, "%016lx: %08X 00000000 %08X %04X %02X %5lu", 0UL,
			    ref_count(&u->refs) + 1,
			    u->state == UNIX_LISTENING ? FLAG_LISTENING : 0, u->type,
			    shown_state(u), inode_number(u));
		if (a)
			show_name(t, a);
		text_putc(t, '\n');
	}
	lock_drop(&unix_all_lock);
	return 0;
}

/* ---- for sock_diag(7) ---- */

enum { STATE_CONNECTED = 1, STATE_IDLE = 7, STATE_LISTENING = 10 };

/* A peer that has left the list may be going just now. unix_all_lock held. */
static uint64_t peer_number(const struct unix_socket *u)
{
	const struct unix_socket *peer = atomic_load(&u->peer);

	return u->type != SOCK_DGRAM && peer && roll_has(&peer->all_entry)
		       ? inode_number(peer)
		       : 0;
}

static void view(const struct unix_socket *u, struct unix_view *v)
{
	const struct unix_address *a = atomic_load(&u->address);
	const struct socket *s = atomic_load(&u->socket);
	const struct file *f = s ? atomic_load(&s->file) : NULL;

	*v = (struct unix_view){.type = u->type, .shutdown = (uint8_t)u->shutdown};
	v->state = u->state == UNIX_LISTENING	? STATE_LISTENING
		   : u->state == UNIX_CONNECTED ? STATE_CONNECTED
						: STATE_IDLE;
	v->ino = f ? f->inode->ino : 0;
	v->uid = f ? f->inode->uid : 0;
	v->peer_ino = peer_number(u);
	if (a) {
		v->name = a->name.sun_path;
		v->name_len =
			(size_t)a->len - offsetof(struct linux_sockaddr_un, sun_path);
		if (v->name[0]) /* of a path, without its end */
			v->name_len = strnlen(v->name, v->name_len);
	}
	if (u->state == UNIX_LISTENING) {
		v->receive_queue = u->queued;
		v->send_queue = u->backlog;
	} else {
		v->receive_queue = (uint32_t)unix_bytes_used(&u->bytes);
		v->send_queue = (uint32_t)u->sent;
	}
}

bool unix_for_each(const struct net_ns *net, struct roll_cursor *at,
		   bool (*visit)(const struct unix_view *v, void *arg), void *arg)
{
	struct roll_entry *e;

	lock_take(&unix_all_lock);
	for (e = roll_go_on(&unix_all, at); e; e = roll_pass(e, at)) {
		const struct unix_socket *u =
			container_of(e, struct unix_socket, all_entry);
		struct unix_view v;

		if (u->net == net) {
			view(u, &v);
			if (!visit(&v, arg))
				break;
		}
	}
	lock_drop(&unix_all_lock);
	return !e;
}
