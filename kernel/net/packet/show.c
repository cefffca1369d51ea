/* SPDX-License-Identifier: MIT */
/* show.c - packet sockets as others see them: /proc/net/packet, /proc/net/ptype, and what
 * sock_diag(7) tells. */
#include "fs/file.h"
#include "fs/proc/generated.h"
#include "fs/proc/proc.h"
#include "fs/vfs.h"
#include "lib/atomic.h"
#include "net/packet/internal.h"
#include "process/user_ns.h"

static void fill_ring(struct packet_view_ring *v, const struct packet_socket *p,
		      int which)
{
	const struct linux_tpacket_req3 *req = &p->ring[which].req;

	*v = (struct packet_view_ring){
		.block_size = req->tp_block_size,
		.block_count = req->tp_block_nr,
		.frame_size = req->tp_frame_size,
		.frame_count = req->tp_frame_nr,
		.timeout = req->tp_retire_blk_tov,
		.private_size = req->tp_sizeof_priv,
		.features = req->tp_feature_req_word,
	};
}

/* packet_lock is held. */
static void fill_view(struct packet_view *v, struct packet_socket *p)
{
	const struct file *f = atomic_load(&p->socket->file);

	*v = (struct packet_view){
		.type = p->socket->type,
		.protocol = p->protocol,
		.ino = f ? f->inode->ino : 0,
		.cookie = p->socket->cookie,
		.uid = p->uid,
		.index = p->is_bound ? LO_INDEX : 0,
		.is_running = p->is_running,
		.has_fanout = p->fanout,
		.fanout = packet_fanout_show(p),
		.has_auxdata = packet_has(p, PACKET_F_AUXDATA),
		.has_origdev = packet_has(p, PACKET_F_ORIGDEV),
		.has_loss = packet_has(p, PACKET_F_LOSS),
		.has_vnet = p->vnet_size,
		.version = p->version,
		.reserve = p->reserve,
		.copy_thresh = p->copy_thresh,
		.stamp = p->stamp,
		.receive_size = p->socket->receive_size,
		.send_size = p->socket->send_size,
	};
	lock_take(&p->lock);
	v->queued = (uint32_t)p->queued;
	v->drops = p->drops;
	for (int i = 0; i < RINGS; i++) {
		v->has_ring[i] = p->ring[i].data;
		fill_ring(&v->ring[i], p, i);
	}
	lock_drop(&p->lock);
}

struct walk {
	const struct net_ns *net;
	bool (*func)(const struct packet_view *v, void *arg);
	void *arg;
};

static bool walk_one(struct packet_socket *p, void *arg)
{
	const struct walk *w = arg;
	struct packet_view v;

	if (p->socket->net != w->net)
		return true;
	fill_view(&v, p);
	return w->func(&v, w->arg);
}

bool packet_for_each(struct net_ns *net, struct roll_cursor *at,
		     bool (*func)(const struct packet_view *v, void *arg), void *arg)
{
	struct walk w = {net, func, arg};

	return packet_list_for_each(at, walk_one, &w);
}

static void for_all(bool (*func)(const struct packet_view *v, void *arg), void *arg)
{
	struct roll_cursor at = {0};

	(void)packet_for_each(current_net_ns(), &at, func, arg);
}

/* ---- /proc/net ---- */

static bool show_one(const struct packet_view *v, void *arg)
{
	struct text *t = arg;

	text_printf(t, "%016lx %-6d %-4d %04x   %-5d %1d %-6u %-6u %-6lu\n", 0UL, 3,
		    v->type, v->protocol, (int)v->index, v->is_running, v->queued,
		    uid_out(v->uid), v->ino);
	return true;
}

static int show_all(struct text *t, void *arg)
{
	(void)arg;
	text_puts(t, "sk               RefCnt Type Proto  Iface R Rmem   User   Inode\n");
	for_all(show_one, t);
	return 0;
}

struct type_walk {
	struct text *text;
	bool of_all; /* those that see all go first */
};

static bool show_type(const struct packet_view *v, void *arg)
{
	const struct type_walk *w = arg;
	const char *func = "packet_rcv";

	if (!v->is_running || (v->protocol == ETH_P_ALL) != w->of_all)
		return true;
	if (v->has_fanout)
		func = "packet_rcv_fanout";
	else if (v->type == SOCK_PACKET)
		func = "packet_rcv_spkt";
	else if (v->has_ring[RING_RECEIVE])
		func = "tpacket_rcv";
	if (w->of_all)
		text_puts(w->text, "ALL ");
	else
		text_printf(w->text, "%04x", v->protocol);
	text_printf(w->text, " %-8s %s\n", v->index ? "lo" : "", func);
	return true;
}

static int show_types(struct text *t, void *arg)
{
	struct type_walk w = {t, true};

	(void)arg;
	text_puts(t, "Type Device      Function\n");
	for_all(show_type, &w);
	w.of_all = false;
	for_all(show_type, &w);
	text_puts(t, "0800          ip_rcv\n0806          arp_rcv\n"
		     "86dd          ipv6_rcv\n");
	return 0;
}

void packet_show_init(void)
{
	proc_net_add("packet", show_all, NULL);
	proc_net_add("ptype", show_types, NULL);
}
