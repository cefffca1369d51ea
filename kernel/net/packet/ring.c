/* SPDX-License-Identifier: MIT */
/* ring.c - PACKET_RX_RING and PACKET_TX_RING: rings of frames that the guest maps, and
 * frames received into one.
 *
 * Both rings of a socket lie one after the other in one run of the kernel's pages, as one
 * mmap(2) shows them; when one is made or goes, the other moves to a new run. That is
 * done while nothing is mapped, no frame comes and none is sent. All is read from there
 * once and with suspicion: only whose turn a frame is, and what is sent, are the guest's
 * to say.
 *
 * Limits against Linux: the rings of a socket have at most 64 MiB together, and those of
 * all sockets a quarter of the kernel's memory (ENOMEM). */
#include "abi/errno.h"
#include "base/page.h"
#include "fs/file.h"
#include "fs/path.h"
#include "fs/poll.h"
#include "fs/vfs.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "mm/kernel_pages.h"
#include "net/packet/internal.h"
#include "time/clock.h"

enum { PINNED_PART = 4, NETWORK_MIN = 16 };

static uint64_t pinned; /* atomic: pages of all rings */

/* ---- memory ---- */

static bool pin(size_t pages)
{
	struct page_stats stats;

	page_get_stats(&stats);
	if (atomic_add(&pinned, pages) + pages <= stats.total / PINNED_PART)
		return true;
	(void)atomic_sub(&pinned, pages);
	return false;
}

static void unpin(uint32_t pages)
{
	(void)atomic_sub(&pinned, pages);
}

static size_t ring_size(const struct linux_tpacket_req3 *req)
{
	return (size_t)req->tp_block_size * req->tp_block_nr;
}

static size_t rings_size(const struct packet_socket *p)
{
	size_t size = 0;

	for (int i = 0; i < RINGS; i++)
		if (p->ring[i].data)
			size += ring_size(&p->ring[i].req);
	return size;
}

/* *out: NULL for none of them. */
static int pages_create(size_t size, struct kernel_pages **out)
{
	static const struct kernel_pages_kind kind = {.name = "socket", .gone = unpin};
	size_t pages = 0;

	*out = NULL;
	if (!size)
		return 0;
	if (page_order_for(size) > PAGE_ORDER_MAX)
		return -ENOMEM;
	pages = (size_t)1 << page_order_for(size);
	if (!pin(pages))
		return -ENOMEM;
	*out = kernel_pages_create(size, &kind, (uint32_t)pages);
	if (!*out)
		unpin((uint32_t)pages);
	return *out ? 0 : -ENOMEM;
}

/* ---- checks ---- */

static uint32_t header_size_of(uint32_t version)
{
	size_t size = sizeof(struct linux_tpacket3_hdr);

	if (version == TPACKET_V1)
		size = sizeof(struct linux_tpacket_hdr);
	else if (version == TPACKET_V2)
		size = sizeof(struct linux_tpacket2_hdr);
	return (uint32_t)(TPACKET_ALIGN(size) + sizeof(struct linux_sockaddr_ll));
}

/* What is asked for must be consistent: fills *frames_per_block. */
static int check_geometry(const struct packet_socket *p,
			  const struct linux_tpacket_req3 *req, uint32_t header,
			  uint32_t *frames_per_block)
{
	uint64_t min = (uint64_t)header + p->reserve;
	uint32_t count;

	if ((int32_t)req->tp_block_size <= 0 || req->tp_block_size % PAGE_SIZE)
		return -EINVAL;
	if (p->version == TPACKET_V3 &&
	    req->tp_block_size < packet_block_head(req->tp_sizeof_priv) + min)
		return -EINVAL;
	if (req->tp_frame_size < min || req->tp_frame_size % TPACKET_ALIGNMENT)
		return -EINVAL;
	count = req->tp_block_size / req->tp_frame_size;
	if (!count || count > UINT32_MAX / req->tp_block_nr ||
	    count * req->tp_block_nr != req->tp_frame_nr)
		return -EINVAL;
	*frames_per_block = count;
	return 0;
}

static int check_request(const struct packet_socket *p, int which,
			 const struct linux_tpacket_req3 *req, uint32_t header,
			 uint32_t *frames_per_block)
{
	int err;

	if (!req->tp_block_nr)
		return req->tp_frame_nr ? -EINVAL : 0;
	if (p->ring[which].data)
		return -EBUSY;
	err = check_geometry(p, req, header, frames_per_block);
	if (err)
		return err;
	if (ring_size(req) > (size_t)PAGE_SIZE << PAGE_ORDER_MAX)
		return -ENOMEM;
	if (p->version == TPACKET_V3 && which == RING_SEND &&
	    (req->tp_retire_blk_tov || req->tp_sizeof_priv || req->tp_feature_req_word))
		return -EINVAL; /* blocks are not sent */
	return 0;
}

/* ---- making and taking away ---- */

/* The other ring moves to the pages, behind or before the one that is made or goes. */
static void move_ring(struct packet_socket *p, int which, size_t size, uint8_t *data)
{
	struct packet_ring *other = &p->ring[!which];

	if (!other->data || !data)
		return;
	if (which == RING_RECEIVE)
		data += size;
	memcpy(data, other->data, ring_size(&other->req));
	atomic_store(&other->data, data);
}

/* No frame comes meanwhile. */
static void swap_ring(struct packet_socket *p, int which, const struct packet_ring *fresh,
		      struct kernel_pages *pages)
{
	uint8_t *data = pages ? kernel_pages_data(pages) : NULL;
	struct list waiting = LIST_INIT(waiting);
	struct kernel_pages *old = p->pages;
	size_t size = fresh->req.tp_block_nr ? ring_size(&fresh->req) : 0;

	if (which == RING_RECEIVE)
		packet_block_stop(p);
	lock_take(&p->lock);
	move_ring(p, which, size, data);
	if (which == RING_SEND && p->ring[RING_RECEIVE].data)
		data += ring_size(&p->ring[RING_RECEIVE].req);
	p->ring[which] = *fresh;
	atomic_store(&p->ring[which].data, size ? data : NULL);
	p->pages = pages;
	if (which == RING_RECEIVE) { /* what was queued is forgotten, as on Linux */
		list_splice_tail(&waiting, &p->frames);
		p->queued = 0;
		if (size && p->version == TPACKET_V3)
			packet_block_start(p);
	}
	lock_drop(&p->lock);
	packet_purge(&waiting);
	kernel_pages_put(old);
}

/* Frames stop coming, and come again, if they came before. */
static void setup_begin(struct packet_socket *p)
{
	lock_take(&packet_lock);
	packet_unhook(p);
	p->is_in_setup = true;
	lock_drop(&packet_lock);
}

static void setup_end(struct packet_socket *p)
{
	lock_take(&packet_lock);
	p->is_in_setup = false;
	packet_hook(p);
	lock_drop(&packet_lock);
}

/* setup_lock is held. */
static int ring_set(struct packet_socket *p, int which,
		    const struct linux_tpacket_req3 *req)
{
	struct packet_ring fresh = {.req = *req};
	uint32_t header = header_size_of(p->version);
	struct kernel_pages *pages;
	size_t size;
	int err;

	if (atomic_load(&p->mapped))
		return -EBUSY;
	err = check_request(p, which, req, header, &fresh.frames_per_block);
	if (err)
		return err;
	size = rings_size(p);
	if (p->ring[which].data) /* it goes */
		size -= ring_size(&p->ring[which].req);
	else if (req->tp_block_nr)
		size += ring_size(req);
	err = pages_create(size, &pages);
	if (err)
		return err;
	if (req->tp_block_nr)
		p->header_size = header;
	setup_begin(p);
	swap_ring(p, which, &fresh, pages);
	setup_end(p);
	return 0;
}

int packet_ring_set(struct packet_socket *p, int which, const void *value, int len)
{
	struct linux_tpacket_req3 req = {0};
	size_t size;
	int err = -EINVAL;

	lock_take(&p->setup_lock);
	size = p->version == TPACKET_V3 ? sizeof(req) : TPACKET_REQ_SIZE;
	if (len >= (int)size) {
		memcpy(&req, value, size);
		err = ring_set(p, which, &req);
	}
	lock_drop(&p->setup_lock);
	return err;
}

void packet_ring_purge(struct packet_socket *p)
{
	packet_block_stop(p);
	kernel_pages_put(p->pages);
	p->pages = NULL;
}

/* ---- mapping: an object that is the socket's file to the guest ---- */

static struct packet_socket *mapped_socket(struct vm_object *o)
{
	return container_of(o, struct packet_socket, map);
}

static void map_get(struct vm_object *o)
{
	struct packet_socket *p = mapped_socket(o);

	file_get(p->socket->file);
	(void)atomic_add(&p->mapped, 1);
}

static void map_put(struct vm_object *o)
{
	struct packet_socket *p = mapped_socket(o);

	(void)atomic_sub(&p->mapped, 1);
	file_put(p->socket->file);
}

/* The rings stay where they are while somebody has the object. A private mapping is a
 * copy of what is written to, as of any file. */
static int map_backing(struct vm_object *o, uint64_t off, size_t size, bool shared,
		       bool exec, int *fd, int64_t *host_off)
{
	struct packet_socket *p = mapped_socket(o);
	struct vm_object *pages;

	(void)shared;
	if (!p->pages || off > rings_size(p) || size > rings_size(p) - off)
		return -EINVAL;
	pages = kernel_pages_object(p->pages);
	return pages->ops->host_backing(pages, off, size, true, exec, fd, host_off);
}

static void map_describe(struct vm_object *o, char *buf, size_t size, uint64_t *dev,
			 uint64_t *ino)
{
	const struct file *f = mapped_socket(o)->socket->file;

	if (dev)
		*dev = f->inode->sb->dev;
	if (ino)
		*ino = f->inode->ino;
	if (size && path_print(&f->path, NULL, buf, size) < 0)
		buf[0] = '\0';
}

static uint64_t *map_identity(struct vm_object *o)
{
	return &mapped_socket(o)->socket->file->inode->number;
}

const struct vm_object_ops packet_map_ops = {
	.get = map_get,
	.put = map_put,
	.host_backing = map_backing,
	.describe = map_describe,
	.identity = map_identity,
};

int packet_ring_map(struct socket *s, uint64_t off, size_t size, struct vm_object **out)
{
	struct packet_socket *p = packet_of(s);
	int err = -EINVAL;

	if (off)
		return -EINVAL;
	lock_take(&p->setup_lock);
	if (p->pages && ALIGN_UP(size, PAGE_SIZE) == rings_size(p)) {
		map_get(&p->map);
		*out = &p->map;
		err = 0;
	}
	lock_drop(&p->setup_lock);
	return err;
}

/* ---- whose turn a frame is ---- */

static uint32_t *status_word(const struct packet_socket *p, uint8_t *frame)
{
	size_t off = 0; /* of versions 1 and 2 */

	if (p->version == TPACKET_V3)
		off = offsetof(struct linux_tpacket3_hdr, tp_status);
	return (uint32_t *)(void *)(frame + off);
}

uint32_t packet_ring_status(const struct packet_socket *p, const uint8_t *frame)
{
	return atomic_load(status_word(p, (uint8_t *)(uintptr_t)frame));
}

void packet_ring_set_status(const struct packet_socket *p, uint8_t *frame,
			    uint32_t status)
{
	if (p->version == TPACKET_V1) /* a word of eight bytes there */
		atomic_store((uint64_t *)(void *)frame, (uint64_t)status);
	else
		atomic_store(status_word(p, frame), status);
}

/* ---- receiving ---- */

/* Where in a frame of the ring, or of a block, what goes. */
struct place {
	uint32_t mac, network, kept, vnet_size;
};

/* False: there is no such place. */
static bool find_place(const struct packet_socket *p, uint32_t start, struct place *at)
{
	uint64_t network = TPACKET_ALIGN(p->header_size) + NETWORK_MIN + p->reserve;

	at->vnet_size = 0;
	if (!start) {
		network = TPACKET_ALIGN(p->header_size + NETWORK_MIN) + p->reserve;
		at->vnet_size = p->vnet_size;
		network += p->vnet_size;
	}
	if (network > UINT16_MAX)
		return false;
	at->network = (uint32_t)network;
	at->mac = start ? at->network : at->network - ETH_HLEN;
	return true;
}

/* What does not fit is cut. */
static void cut(struct place *at, uint32_t room)
{
	if (at->mac + at->kept <= room)
		return;
	if (at->mac <= room) {
		at->kept = room - at->mac;
		return;
	}
	at->kept = 0;
	at->vnet_size = 0;
}

/* What the headers of versions 1 and 2 have between whose turn it is and the tag. */
struct told {
	uint32_t len, snaplen;
	uint16_t mac, net;
	uint32_t sec, fraction;
};

_Static_assert(offsetof(struct linux_tpacket_hdr, tp_len) + sizeof(struct told) ==
		       offsetof(struct linux_tpacket_hdr, tp_usec) + sizeof(uint32_t),
	       "struct tpacket_hdr");
_Static_assert(offsetof(struct linux_tpacket2_hdr, tp_len) + sizeof(struct told) ==
		       offsetof(struct linux_tpacket2_hdr, tp_vlan_tci),
	       "struct tpacket2_hdr");

static void put_header(const struct packet_socket *p, uint8_t *to,
		       const struct lo_frame *f, uint32_t size, const struct place *at,
		       uint32_t status)
{
	struct linux_timespec ts = nsec_to_timespec(f->at);
	struct told told = {.len = size,
			    .snaplen = at->kept,
			    .mac = (uint16_t)at->mac,
			    .net = (uint16_t)at->network,
			    .sec = (uint32_t)ts.tv_sec,
			    .fraction = (uint32_t)ts.tv_nsec};

	if (p->version == TPACKET_V1) {
		told.fraction /= 1000;
		memcpy(to + offsetof(struct linux_tpacket_hdr, tp_len), &told,
		       sizeof(told));
	} else if (p->version == TPACKET_V2) {
		struct linux_tpacket2_hdr *h = (void *)to;

		memcpy(to + offsetof(struct linux_tpacket2_hdr, tp_len), &told,
		       sizeof(told));
		h->tp_vlan_tci = f->has_vlan ? f->vlan_tag : 0;
		h->tp_vlan_tpid = f->has_vlan ? f->vlan_protocol : 0;
		memset(h->tp_padding, 0, sizeof(h->tp_padding));
	} else {
		struct linux_tpacket3_hdr *h = (void *)to;

		h->tp_len = told.len;
		h->tp_snaplen = told.snaplen;
		h->tp_mac = told.mac;
		h->tp_net = told.net;
		h->tp_sec = told.sec;
		h->tp_nsec = told.fraction;
		h->tp_rxhash = 0;
		h->tp_vlan_tci = f->has_vlan ? f->vlan_tag : 0;
		h->tp_vlan_tpid = f->has_vlan ? f->vlan_protocol : 0;
		h->tp_padding = 0;
		memset(h->tp_padding2, 0, sizeof(h->tp_padding2));
		h->tp_status = status;
	}
}

/* All of a frame but whose turn it is. */
static void put_frame(const struct packet_socket *p, uint8_t *to,
		      const struct lo_frame *f, uint32_t start, const struct place *at,
		      uint32_t status)
{
	struct linux_sockaddr_ll from;
	struct linux_virtio_net_hdr vnet;

	if (at->vnet_size) {
		packet_vnet_export(&vnet, f, start);
		memcpy(to + at->mac - at->vnet_size, &vnet, sizeof(vnet));
		memset(to + at->mac - at->vnet_size + sizeof(vnet), 0,
		       at->vnet_size - sizeof(vnet));
	}
	memcpy(to + at->mac, f->data + start, at->kept);
	packet_fill_address(&from, f);
	memcpy(to + p->header_size - sizeof(from), &from, sizeof(from));
	put_header(p, to, f, f->size - start, at, status);
}

/* A frame that is cut is queued too, whole, for who has asked for it. */
static bool keep_whole(struct packet_socket *p, const struct lo_frame *f, uint32_t start)
{
	return p->copy_thresh &&
	       p->queued < atomic_load_relaxed(&p->socket->receive_size) &&
	       packet_enqueue(p, f, start, f->size - start, true);
}

static bool put_into_frame(struct packet_socket *p, const struct lo_frame *f,
			   uint32_t start, struct place *at)
{
	struct packet_ring *r = &p->ring[RING_RECEIVE];
	uint8_t *to = packet_ring_frame(r, r->head);
	uint32_t status = packet_frame_status(f);

	if (packet_ring_status(p, to) != TP_STATUS_KERNEL)
		return false;
	if (at->mac + at->kept > r->req.tp_frame_size) {
		if (keep_whole(p, f, start))
			status |= TP_STATUS_COPY;
		cut(at, r->req.tp_frame_size);
	}
	r->head = r->head + 1 < r->req.tp_frame_nr ? r->head + 1 : 0;
	if (p->stats.tp_drops)
		status |= TP_STATUS_LOSING;
	p->stats.tp_packets++;
	put_frame(p, to, f, start, at, status);
	packet_ring_set_status(p, to, status);
	packet_wake(p);
	return true;
}

static bool put_into_block(struct packet_socket *p, const struct lo_frame *f,
			   uint32_t start, struct place *at)
{
	struct linux_timespec ts = nsec_to_timespec(f->at);
	uint32_t room = p->block.room_max;
	uint8_t *to;

	cut(at, room);
	at->mac = MIN(at->mac, room);
	to = packet_block_reserve(p, at->mac + at->kept);
	if (!to)
		return false;
	p->stats.tp_packets++;
	put_frame(p, to, f, start, at, packet_frame_status(f));
	packet_block_commit(p, (uint32_t)ts.tv_sec, (uint32_t)ts.tv_nsec);
	return true;
}

void packet_ring_put(struct packet_socket *p, const struct lo_frame *f, uint32_t start,
		     uint32_t kept)
{
	struct place at = {.kept = kept};
	bool is_in = false;

	if (packet_room_locked(p) != ROOM_NONE && find_place(p, start, &at))
		is_in = p->version == TPACKET_V3 ? put_into_block(p, f, start, &at)
						 : put_into_frame(p, f, start, &at);
	if (is_in)
		return;
	p->stats.tp_drops++;
	p->drops++;
}

bool packet_ring_is_readable(const struct packet_socket *p)
{
	const struct packet_ring *r = &p->ring[RING_RECEIVE];
	uint32_t last;

	if (!r->data)
		return false;
	if (p->version == TPACKET_V3)
		return packet_block_is_readable(p);
	last = (r->head ? r->head : r->req.tp_frame_nr) - 1;
	return packet_ring_status(p, packet_ring_frame(r, last)) != TP_STATUS_KERNEL;
}

bool packet_ring_has_room(const struct packet_socket *p, unsigned shift)
{
	const struct packet_ring *r = &p->ring[RING_RECEIVE];
	uint32_t n = r->head;

	if (p->version == TPACKET_V3)
		return packet_block_has_room(p, shift);
	if (shift)
		n += r->req.tp_frame_nr >> shift;
	if (n >= r->req.tp_frame_nr)
		n -= r->req.tp_frame_nr;
	return packet_ring_status(p, packet_ring_frame(r, n)) == TP_STATUS_KERNEL;
}
