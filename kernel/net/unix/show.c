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
#include "net/unix/internal.h"

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
	struct list *pos;

	(void)arg;
	text_puts(t, "Num       RefCount Protocol Flags    Type St Inode Path\n");
	lock_take(&unix_all_lock);
	list_for_each (pos, &unix_all) {
		const struct unix_socket *u =
			list_entry(pos, struct unix_socket, all_link);
		const struct unix_address *a = atomic_load(&u->address);

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
