/* SPDX-License-Identifier: MIT */
/* show.c - /proc/net/netlink: a line for each netlink socket, the kernel's own included.
 */
#include "base/lock.h"
#include "fs/file.h"
#include "fs/proc/generated.h"
#include "fs/vfs.h"
#include "lib/atomic.h"
#include "net/net_ns.h"
#include "net/netlink/internal.h"

static void show_one(struct text *t, struct netlink_socket *n)
{
	const struct file *f;
	uint64_t queued;
	uint32_t drops;
	uint64_t ino;

	lock_take(&n->lock);
	f = n->socket ? n->socket->file : NULL;
	ino = f ? f->inode->ino : 0;
	queued = n->queued;
	drops = n->drops;
	lock_drop(&n->lock);
	text_printf(t, "%016lx %-3d %-10u %08x %-8d %-8d %-5d %-8d %-8u %-8lu\n", 0UL,
		    n->protocol->number, n->port, n->groups[0], (int)queued, 0, 0, 2,
		    drops, ino);
}

int netlink_show_all(struct text *t, void *arg)
{
	const struct net_ns *net = current_net_ns();

	(void)arg;
	text_puts(t, "sk               Eth Pid        Groups   Rmem     Wmem     Dump  "
		     "Locks    Drops    Inode\n");
	for (int i = 0; i < NETLINK_PROTOCOLS; i++) {
		const struct netlink_protocol *p = netlink_protocol_find(i);
		struct list *pos;

		if (p && p->has_kernel)
			text_printf(
				t,
				"%016lx %-3d %-10u %08x %-8d %-8d %-5d %-8d %-8u %-8u\n",
				0UL, i, 0, 0, 0, 0, 0, 2, 0, 0);
		lock_take(&netlink_lock);
		list_for_each (pos, &netlink_sockets[i]) {
			struct netlink_socket *n =
				list_entry(pos, struct netlink_socket, link);

			if (n->net == net)
				show_one(t, n);
		}
		lock_drop(&netlink_lock);
	}
	return 0;
}
