/* SPDX-License-Identifier: MIT */
/* lo.h - the loopback device of a network that is all in memory.
 *
 * What sockets of such a network send each other does not pass through it: they find each
 * other in tables. It says which addresses are the network's own, and it is where frames
 * are seen: of packet and raw sockets, and, if anybody looks on, of datagrams too.
 *
 * Locks: lock (RANK_LO, a leaf) guards addresses and settings; tap_lock (RANK_OBJECT) who
 * looks on, and is held while they are shown a frame. */
#pragma once
#include "abi/netdevice.h"
#include "abi/types.h"
#include "base/lock.h"
#include "lib/list.h"

struct lo_device;

enum { LO_INDEX = 1, LO_MTU = 65536 };

/* An address, with what netlink tells of it. */
struct lo_address {
	struct list link;  /* lo_device.addresses: lock */
	uint8_t family;	   /* AF_INET: the first four bytes of each are it */
	uint8_t prefix;	   /* how many bits of it say which others are the device's too */
	uint8_t scope;	   /* RT_SCOPE_… */
	uint8_t protocol;  /* IFAPROT_… */
	uint32_t flags;	   /* IFA_F_… */
	uint8_t local[16]; /* it */
	uint8_t peer[16];  /* the other end's, or it once more */
	uint8_t broadcast[16];
	bool has_broadcast;
	char label[IFNAMSIZ];
	uint32_t metric, valid, preferred; /* seconds; UINT32_MAX: for ever */
	nsec_t created, updated;	   /* CLOCK_MONOTONIC */
};

struct lo_counters {
	uint64_t packets, bytes, dropped;
};

struct lo_device {
	struct lock lock;	    /* RANK_LO */
	struct list addresses;	    /* lock: struct lo_address, in the order they came */
	uint32_t flags;		    /* lock to write: IFF_… that can be set */
	uint32_t mtu;		    /* the same */
	uint32_t queue_size;	    /* the same: txqueuelen */
	bool has_loopback4;	    /* the same: it is up and has 127.0.0.1/8 */
	bool has_loopback6;	    /* and ::1 */
	uint32_t promisc, allmulti; /* lock: how many want it */
	uint32_t changes;	    /* lock: how often it went up or down */
	/* lock to write: how often its addresses of IPv4, and of IPv6, have changed */
	uint32_t address_changes[2];
	struct lo_counters counters; /* atomic: sent, which all came in, too */
	struct lock tap_lock;	     /* RANK_OBJECT */
	struct list taps;	     /* tap_lock */
	uint32_t tap_count;	     /* tap_lock to write */
};

void lo_init(struct lo_device *lo); /* down, without an address */
void lo_fini(struct lo_device *lo);

/* ---- settings ---- */

static inline bool lo_is_up(const struct lo_device *lo)
{
	return __atomic_load_n(&lo->flags, __ATOMIC_ACQUIRE) & IFF_UP;
}
static inline uint32_t lo_mtu(const struct lo_device *lo)
{
	return __atomic_load_n(&lo->mtu, __ATOMIC_RELAXED);
}
/* As they are told: IFF_RUNNING, IFF_LOWER_UP and IFF_LOOPBACK among them. */
uint32_t lo_flags(struct lo_device *lo);
/* Up, it gets 127.0.0.1/8, unless it has an address of IPv4, and ::1. Down, it loses all
 * of IPv6. */
void lo_set_up(struct lo_device *lo, bool is_up);
/* Those of flags that can be set and are in mask, IFF_UP too. */
void lo_set_flags(struct lo_device *lo, uint32_t flags, uint32_t mask);
void lo_set_mtu(struct lo_device *lo, uint32_t mtu);
void lo_set_queue_size(struct lo_device *lo, uint32_t size);
/* Who wants all frames, or all for groups: by is 1 or -1. */
void lo_want_promisc(struct lo_device *lo, int by);
void lo_want_allmulti(struct lo_device *lo, int by);

enum lo_event { LO_CHANGED, LO_UP, LO_DOWN, LO_ADDRESS_ADDED, LO_ADDRESS_REMOVED };
/* At start-up: from now on func is called, without locks, after each change. a: of the
 * last two, else NULL. Two at most. */
typedef void (*lo_watch_t)(struct lo_device *lo, enum lo_event event,
			   const struct lo_address *a);
void lo_watch(lo_watch_t func);

/* ---- addresses ---- */

/* A copy of a: 0, -EEXIST, -ENOMEM; -ENOBUFS: it has LO_ADDRESSES. */
enum { LO_ADDRESSES = 1024 };
int lo_address_add(struct lo_device *lo, const struct lo_address *a) MUST_CHECK;
/* That of the same family, prefix and local address: 0, -EADDRNOTAVAIL. */
int lo_address_remove(struct lo_device *lo, const struct lo_address *a) MUST_CHECK;
/* Changes the lifetimes, flags and metric of the one that is like a; -EADDRNOTAVAIL. */
int lo_address_replace(struct lo_device *lo, const struct lo_address *a) MUST_CHECK;
/* Another number whenever an address of that family has come, gone or changed. Never 0.
 */
static inline uint32_t lo_address_seq(const struct lo_device *lo, bool is_v6)
{
	return __atomic_load_n(&lo->address_changes[is_v6], __ATOMIC_ACQUIRE) | 1U << 31;
}
/* func is called with the lock held; it ends with the first that is not true. */
void lo_for_each_address(struct lo_device *lo,
			 bool (*func)(const struct lo_address *a, void *arg), void *arg);
/* Does what is sent to that address come to this network? AF_INET: 4 bytes. Of IPv4 the
 * whole range that an address's prefix spans is, while the device is up. */
bool lo_is_local(struct lo_device *lo, int family, const void *address);

/* ---- frames ---- */

/* How a frame came: PACKET_HOST … */
enum lo_frame_type {
	LO_HOST = 0,
	LO_MULTICAST = 2,
	LO_OTHERHOST = 3,
	LO_OUTGOING = 4,
};

struct lo_frame {
	const uint8_t *data; /* ETH_HLEN bytes of header, then the packet */
	uint32_t size;	     /* of both */
	uint16_t protocol; /* ETH_P_… as its sender says; as it comes in: its header */
	uint8_t type;	   /* enum lo_frame_type: lo's business */
	bool has_vlan;	   /* the same: a tag was taken out of it */
	uint16_t vlan_tag, vlan_protocol;
	/* What struct virtio_net_hdr says; places count from data on. */
	bool lacks_sum; /* the checksum from sum_start on is yet to be put at + sum_off */
	bool is_sum_right; /* somebody has looked at it */
	uint16_t sum_start, sum_off;
	uint8_t gso_type; /* VIRTIO_NET_HDR_GSO_…; 0: none */
	uint16_t gso_size, header_size;
	nsec_t at; /* CLOCK_REALTIME; 0: now */
	uint32_t mark, priority;
	const void *sender; /* who is not shown it on its way out; never followed */
};

/* The header of a frame that the network itself sends. */
void lo_header_put(uint8_t to[ETH_HLEN], uint16_t protocol);

/* Who looks on. */
struct lo_tap {
	struct list link;  /* lo_device.taps */
	uint16_t protocol; /* ETH_P_ALL: all, also as they go out; else what comes in */
	bool ignores_outgoing;
	const void *sender; /* see lo_frame; NULL: shows nobody's own */
	/* Is sender one of the tap's own? NULL: if it is tap->sender. */
	bool (*is_own)(const struct lo_tap *t, const void *sender);
	/* Called under tap_lock. */
	void (*frame)(struct lo_tap *t, const struct lo_frame *f);
};

void lo_tap_add(struct lo_device *lo, struct lo_tap *t);
/* It is not called any more after this. */
void lo_tap_remove(struct lo_device *lo, struct lo_tap *t);
static inline bool lo_has_taps(const struct lo_device *lo)
{
	return __atomic_load_n(&lo->tap_count, __ATOMIC_RELAXED);
}

/* While who looks on, or what they look at first of all, is changed; RANK_OBJECT. */
static inline void lo_taps_lock(struct lo_device *lo) ACQUIRES(&lo->tap_lock)
{
	lock_take(&lo->tap_lock);
}
static inline void lo_taps_unlock(struct lo_device *lo) RELEASES(&lo->tap_lock)
{
	lock_drop(&lo->tap_lock);
}

/* Shows a frame to whom it concerns, as it goes out and comes in: for what finds its way
 * without the device. No lock of RANK_OBJECT or later may be held. */
void lo_show(struct lo_device *lo, const struct lo_frame *f);
/* Sends a frame: it is counted and shown, and what it brings of IP is handed to input. 0,
 * -ENETDOWN. The same locks. */
int lo_transmit(struct lo_device *lo, const struct lo_frame *f) MUST_CHECK;
/* Counts what was sent past it. */
static inline void lo_count(struct lo_device *lo, uint64_t bytes)
{
	__atomic_fetch_add(&lo->counters.packets, 1, __ATOMIC_RELAXED);
	__atomic_fetch_add(&lo->counters.bytes, bytes, __ATOMIC_RELAXED);
}
/* Who takes the packets of IPv4 and IPv6 that come in: set at start-up. NULL: they are
 * dropped. */
extern void (*lo_input)(struct lo_device *lo, const struct lo_frame *f);
