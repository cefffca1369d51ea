/* SPDX-License-Identifier: MIT */
/* internal.h - shared by the files of net/packet/ alone.
 *
 * Locks, outermost first: a socket's setup_lock (RANK_FILE_POS) is held while its rings
 * are made, mapped or sent from, and while it is bound; packet_lock (RANK_PACKET) guards
 * who there is, is bound to what and shares its frames with whom; the device's tap_lock
 * (RANK_OBJECT) is held while a frame is shown, so what that looks at first of all, such
 * as who is in a group, changes under it; a socket's lock (RANK_OBJECT2) guards its queue
 * and the ring it receives in.
 *
 * Rings lie in pages of the kernel's that the guest maps too (mm/kernel_pages.h). Nothing
 * that is read from there is believed: places are the kernel's own, lengths are read once
 * and checked. */
#pragma once
#include "abi/packet.h"
#include "abi/socket.h"
#include "abi/types.h"
#include "base/lock.h"
#include "base/waitq.h"
#include "lib/list.h"
#include "mm/object.h"
#include "net/lo.h"
#include "net/net_ns.h"
#include "net/packet/packet.h"
#include "net/roll.h"
#include "net/socket.h"
#include "time/timer.h"

struct kernel_pages;
struct packet_fanout;
struct socket_filter;

/* A frame that waits to be received. */
struct packet_frame {
	struct list link;
	uint32_t size;	    /* of data */
	uint32_t true_size; /* of what the socket was given, before it was cut */
	uint32_t charge;
	uint32_t drops;	 /* SO_RXQ_OVFL: how many were lost before it */
	uint32_t status; /* TP_STATUS_…, for PACKET_AUXDATA */
	uint32_t mark, priority;
	uint16_t network; /* where in data what the header brings begins */
	uint16_t vlan_tag, vlan_protocol;
	nsec_t at; /* CLOCK_REALTIME */
	struct linux_virtio_net_hdr vnet;
	union {
		struct linux_sockaddr_ll ll;
		struct linux_sockaddr_pkt pkt; /* of SOCK_PACKET */
	} from;
	uint8_t data[];
};

/* No longer frame is sent, whatever the device's MTU and its sender say: each is copied
 * for all who look on. As Linux's, of a frame in pieces. */
enum { PACKET_SEND_MAX = 17 * 32768 };

enum { RING_RECEIVE, RING_SEND, RINGS };

/* What PACKET_RX_RING or PACKET_TX_RING made. */
struct packet_ring {
	uint8_t *data; /* of the kernel's pages; NULL: there is no ring */
	struct linux_tpacket_req3 req;
	uint32_t frames_per_block;
	uint32_t head; /* the next frame; of version 3, receiving: the active block */
};

/* The active block of a ring of version 3: what the kernel knows of it, whatever the
 * guest does to what is told there. */
struct packet_block {
	uint64_t sequence; /* of the next one that is opened */
	uint32_t used;	   /* bytes, with its header */
	uint32_t count;	   /* of packets */
	uint32_t last;	   /* where the last one begins */
	uint32_t last_sec, last_nsec;
	uint32_t room_max; /* for a frame and its header */
	bool is_frozen;	   /* the guest is not done with the next block */
	nsec_t timeout;
	nsec_t deadline; /* of the first packet in it: CLOCK_MONOTONIC */
	struct timer timer;
};

enum packet_flags {
	PACKET_F_AUXDATA = 1 << 0,
	PACKET_F_ORIGDEV = 1 << 1,
	PACKET_F_TX_HAS_OFF = 1 << 2,
	PACKET_F_LOSS = 1 << 3,
	PACKET_F_BYPASS = 1 << 4,
	PACKET_F_PRESSURE = 1 << 5, /* it had no room of late */
};

struct packet_member {
	struct list link; /* packet_socket.members */
	struct linux_packet_mreq mreq;
	uint8_t address[32];
	uint32_t count;
};

struct packet_socket {
	struct socket *socket;
	struct lo_device *lo;	 /* of socket->net */
	struct roll_entry entry; /* packet_lock: of all */
	uid_t uid;		 /* const: who made it */
	struct lock setup_lock;

	/* packet_lock */
	uint16_t protocol; /* ETH_P_…, 0: none. Atomic to read */
	bool is_bound;	   /* to the device; atomic to read */
	bool is_running;   /* it is shown frames, itself or in its group */
	bool is_in_setup;  /* it is shown none until its ring is made */
	bool ignores_outgoing;
	struct lo_tap tap;
	struct packet_fanout *fanout;			      /* atomic to read */
	uint64_t rollovers, failed_rollovers, huge_rollovers; /* atomic */
	uint32_t rollover_next;				      /* tap_lock */
	bool has_rollover;
	struct list members; /* struct packet_member */
	uint32_t member_count;

	/* setup_lock to write, lock (of what receiving looks at) too */
	uint32_t version, reserve, stamp, copy_thresh;
	uint32_t header_size; /* of a frame in a ring, with the address */
	uint32_t vnet_size;   /* PACKET_VNET_HDR */
	struct kernel_pages *pages;
	struct packet_ring ring[RINGS];
	struct vm_object map; /* of the rings */
	int mapped;	      /* atomic: areas, and mmaps under way */
	uint32_t flags;	      /* atomic: enum packet_flags */

	struct lock lock;
	struct list frames; /* struct packet_frame */
	uint64_t queued;    /* bytes, as they are charged */
	uint32_t drops;	    /* since ever: SO_RXQ_OVFL */
	struct linux_tpacket_stats stats;
	struct packet_block block;
	int error;	/* positive: SO_ERROR */
	nsec_t last_at; /* SIOCGSTAMP: of the last frame that was received, or 0 */
	bool has_received;
	bool keeps_stamp; /* last_at is kept up */
	struct waitq readable;
};

extern struct lock packet_lock;

static inline struct packet_socket *packet_of(const struct socket *s)
{
	return s->private;
}

static inline uint16_t packet_swap16(uint16_t n)
{
	return __builtin_bswap16(n);
}

/* ---- socket.c ---- */

/* Is it shown frames? packet_lock is held for both: begins or ends that. Begins only what
 * is bound to a protocol, not in setup, and to no device that is down. */
void packet_hook(struct packet_socket *p);
void packet_unhook(struct packet_socket *p);
int packet_take_error(struct packet_socket *p); /* lock held: 0 or -errno */
/* Something bad has come to it: SO_ERROR. */
void packet_set_error(struct packet_socket *p, int error);

/* ---- arrive.c ---- */

/* Shows p a frame: the device's tap_lock is held. */
void packet_arrive(struct packet_socket *p, const struct lo_frame *f);
void packet_arrive_tap(struct lo_tap *t, const struct lo_frame *f);
enum packet_room { ROOM_NONE, ROOM_LOW, ROOM_NORMAL };
/* For a frame that may come; tap_lock is held. */
enum packet_room packet_room(struct packet_socket *p);
/* The same; lock is held too. */
enum packet_room packet_room_locked(struct packet_socket *p);
/* What a frame's sender is named by. */
void packet_fill_address(struct linux_sockaddr_ll *a, const struct lo_frame *f);
/* TP_STATUS_…: what is to be said of a frame. */
uint32_t packet_frame_status(const struct lo_frame *f);
/* Into the queue: the lock is held. A copy is the whole of what is in the ring but for
 * its tail. False: there is no memory. */
bool packet_enqueue(struct packet_socket *p, const struct lo_frame *f, uint32_t start,
		    uint32_t kept, bool is_copy) MUST_CHECK;
/* Tells who waits that there is something: the lock may be held. */
void packet_wake(struct packet_socket *p);

/* ---- receive.c ---- */
ssize_t packet_receive(struct socket *s, struct message *m);
void packet_purge(struct list *frames);

/* ---- send.c ---- */
ssize_t packet_send(struct socket *s, struct message *m);

/* Where something is sent to. */
struct packet_target {
	uint16_t protocol;
	const uint8_t *address; /* ETH_ALEN bytes, or NULL: zeroes. Of SOCK_DGRAM */
};
/* The address of m, or what p is bound to: 0, -EINVAL, -ENXIO, -ENETDOWN. */
int packet_find_target(struct packet_socket *p, const struct message *m,
		       struct packet_target *t) MUST_CHECK;
/* Sends a frame whose size bytes are whole but for the header of SOCK_DGRAM, which is
 * made: 0 or -errno. vnet: what it says of the frame, or NULL. */
int packet_transmit(struct packet_socket *p, const struct packet_target *t, uint8_t *data,
		    uint32_t size, const struct linux_virtio_net_hdr *vnet,
		    uint32_t mark) MUST_CHECK;

/* ---- vnet.c ---- */
/* Of the size bytes that follow h; hdr_len may grow: 0, -EINVAL. */
int packet_vnet_check(struct linux_virtio_net_hdr *h, size_t size) MUST_CHECK;
/* f becomes what h says: 0, -EINVAL. */
int packet_vnet_import(struct lo_frame *f,
		       const struct linux_virtio_net_hdr *h) MUST_CHECK;
/* What is to be said of f, whose bytes from start on are given out. */
void packet_vnet_export(struct linux_virtio_net_hdr *h, const struct lo_frame *f,
			uint32_t start);

/* ---- option.c ---- */
int packet_set_option(struct socket *s, int level, int name, const void *value, int len);
int packet_get_option(struct socket *s, int level, int name, void *value, int *len);
static inline bool packet_has(const struct packet_socket *p, uint32_t flag)
{
	return __atomic_load_n(&p->flags, __ATOMIC_RELAXED) & flag;
}

/* ---- member.c ---- */
int packet_member_add(struct packet_socket *p, const void *value, int len);
int packet_member_drop(struct packet_socket *p, const void *value, int len);
void packet_members_purge(struct packet_socket *p);

/* ---- ring.c ---- */
int packet_ring_set(struct packet_socket *p, int which, const void *value, int len);
/* The socket ends. */
void packet_ring_purge(struct packet_socket *p);
int packet_ring_map(struct socket *s, uint64_t off, size_t size, struct vm_object **out);
extern const struct vm_object_ops packet_map_ops;
static inline bool packet_has_ring(const struct packet_socket *p, int which)
{
	return __atomic_load_n(&p->ring[which].data, __ATOMIC_RELAXED);
}
/* Frame number n of a ring of versions 1 and 2, or one to send from. */
static inline uint8_t *packet_ring_frame(const struct packet_ring *r, uint32_t n)
{
	return r->data + (size_t)(n / r->frames_per_block) * r->req.tp_block_size +
	       (size_t)(n % r->frames_per_block) * r->req.tp_frame_size;
}
uint32_t packet_ring_status(const struct packet_socket *p, const uint8_t *frame);
void packet_ring_set_status(const struct packet_socket *p, uint8_t *frame,
			    uint32_t status);
/* Receiving: lock is held for these. A frame is put into the ring. */
void packet_ring_put(struct packet_socket *p, const struct lo_frame *f, uint32_t start,
		     uint32_t kept);
bool packet_ring_is_readable(const struct packet_socket *p);
/* May the next frame, and the one that is 1/2^shift of the ring further, be written? */
bool packet_ring_has_room(const struct packet_socket *p, unsigned shift);

/* ---- ring_send.c ---- */
ssize_t packet_ring_send(struct packet_socket *p, const struct packet_target *t,
			 uint32_t mark);

/* ---- block.c: rings of version 3 ---- */
void packet_block_init(struct packet_socket *p); /* once */
/* The ring is there, or about to be taken away. lock is held. */
void packet_block_start(struct packet_socket *p);
/* Not held, and no frames come. */
void packet_block_stop(struct packet_socket *p);
/* Room for size bytes, header and all, which begin at the place that is returned; NULL:
 * there is none. lock is held. */
uint8_t *packet_block_reserve(struct packet_socket *p, uint32_t size);
/* What was reserved last is whole. */
void packet_block_commit(struct packet_socket *p, uint32_t sec, uint32_t nsec);
/* The size of a block's head with the guest's own part. */
uint64_t packet_block_head(uint32_t private_size);
bool packet_block_is_readable(const struct packet_socket *p);
bool packet_block_has_room(const struct packet_socket *p, unsigned shift);

/* ---- fanout.c ---- */
int packet_fanout_join(struct packet_socket *p, const void *value, int len);
int packet_fanout_set_data(struct packet_socket *p, const void *value, int len);
void packet_fanout_leave(struct packet_socket *p);
uint32_t packet_fanout_show(const struct packet_socket *p);
/* packet_lock is held: a member begins or ends being shown frames. */
void packet_fanout_link(struct packet_socket *p);
void packet_fanout_unlink(struct packet_socket *p);
/* p->lock of the socket that receives has room again. */
void packet_relieve(struct packet_socket *p);

/* ---- show.c ---- */
void packet_show_init(void);
bool packet_list_for_each(struct roll_cursor *at,
			  bool (*func)(struct packet_socket *p, void *arg), void *arg);
