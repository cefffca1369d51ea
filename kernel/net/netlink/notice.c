/* SPDX-License-Identifier: MIT */
/* notice.c - changes of the host's network, told to who has joined the groups of
 * NETLINK_ROUTE. The monitor listens from the first join on, and puts what it hears into
 * the ring of its box; the kernel thread takes it from there. */
#include "abi/errno.h"
#include "base/slab.h"
#include "host/monitor.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "net/net_ns.h"
#include "net/netlink/internal.h"

static struct monitor_box *box;
static bool is_awaiting;  /* atomic: there may be notices from here on */
static bool is_listening; /* atomic: the monitor has said that it listens */
static uint64_t taken;	  /* of the kernel thread alone */

void netlink_notice_init(struct monitor_box *b)
{
	box = b;
}

int netlink_join_route(struct netlink_socket *n, uint32_t group)
{
	struct monitor_query q = {.question = MONITOR_LISTEN};
	struct netlink_buffer none;
	int err;

	(void)group;
	if (!n->net->is_host || !box || atomic_load(&is_listening))
		return 0;
	/* The first notice, and the kick with it, may come before the answer. */
	atomic_store(&is_awaiting, true);
	err = netlink_host_ask(&q, &none);
	kfree(none.data);
	if (!err)
		atomic_store(&is_listening, true);
	/* Where the monitor cannot listen nobody is told anything. */
	return err == -ERESTARTSYS ? err : 0;
}

static void take_bytes(void *to, uint64_t at, size_t size)
{
	size_t off = at % MONITOR_NOTICES_SIZE;
	size_t first = MIN((size_t)MONITOR_NOTICES_SIZE - off, size);

	memcpy(to, box->notices + off, first);
	memcpy((uint8_t *)to + first, box->notices, size - first);
}

/* The next of what lies in left bytes: false: that is nonsense. */
static bool take_one(uint64_t left)
{
	const struct netlink_protocol *route = netlink_protocol_find(NETLINK_ROUTE);
	struct monitor_notice n;
	struct netlink_packet *p;

	if (left < sizeof(n))
		return false;
	take_bytes(&n, taken, sizeof(n));
	if (n.size > left - sizeof(n) || n.size > MONITOR_NOTICES_SIZE)
		return false;
	p = netlink_packet_create(n.size);
	if (p) {
		take_bytes(p->data, taken + sizeof(n), n.size);
		p->group = n.group;
		netlink_broadcast(&first_net_ns, route, p);
		kfree(p);
	}
	taken += (sizeof(n) + n.size + 7) & ~7UL;
	return true;
}

void netlink_take_notices(void)
{
	uint64_t put;

	if (!box || likely(!atomic_load(&is_awaiting)))
		return;
	put = atomic_load(&box->notices_put);
	while (taken != put)
		if (put - taken > MONITOR_NOTICES_SIZE || !take_one(put - taken))
			taken = put;
	atomic_store(&box->notices_taken, taken);
	if (unlikely(atomic_xchg(&box->notices_lost, 0)))
		netlink_overrun_all(&first_net_ns, netlink_protocol_find(NETLINK_ROUTE));
}
