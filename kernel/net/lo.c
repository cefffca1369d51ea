/* SPDX-License-Identifier: MIT */
/* lo.c - see lo.h: settings and addresses of a loopback device, and the way of frames. */
#include "net/lo.h"

#include "abi/errno.h"
#include "abi/rtnetlink.h"
#include "abi/socket.h"
#include "abi/time.h"
#include "base/slab.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "time/clock.h"

enum {
	QUEUE_SIZE = 1000,
	WATCHES_MAX = 2,
	SCOPE_HOST = 254, /* RT_SCOPE_HOST */
	PERMANENT = 0x80, /* IFA_F_PERMANENT */
	BY_KERNEL = 1,	  /* IFAPROT_KERNEL_LO */
	VLAN_SIZE = 4,	  /* of a tag: between the addresses and the protocol */
	VLAN_ID = 0xfff,  /* of a tag: the number */
	IP4_HEADER = 20,
	IP4_FROM = 12,
	IP4_TO = 16,
	ADDRESSES = 2 * ETH_ALEN, /* of a header */
};

#define FLAGS_SETTABLE                                                                   \
	((uint32_t)(IFF_DEBUG | IFF_NOTRAILERS | IFF_NOARP | IFF_DYNAMIC |               \
		    IFF_MULTICAST | IFF_PORTSEL | IFF_AUTOMEDIA | IFF_PROMISC |          \
		    IFF_ALLMULTI))

static SLAB_CACHE(lo_address_slab, "lo_address", sizeof(struct lo_address), 8);
static lo_watch_t watches[WATCHES_MAX]; /* const after start-up */

void (*lo_input)(struct lo_device *lo, const struct lo_frame *f);

/* ---- life ---- */

void lo_init(struct lo_device *lo)
{
	memset(lo, 0, sizeof(*lo));
	lock_init(&lo->lock, RANK_LO);
	lock_init(&lo->tap_lock, RANK_OBJECT);
	list_init(&lo->addresses);
	list_init(&lo->taps);
	lo->flags = IFF_LOOPBACK;
	lo->mtu = LO_MTU;
	lo->queue_size = QUEUE_SIZE;
}

void lo_fini(struct lo_device *lo)
{
	struct list *node;

	while ((node = list_pop(&lo->addresses)))
		slab_free(&lo_address_slab, list_entry(node, struct lo_address, link));
}

void lo_watch(lo_watch_t func)
{
	for (size_t i = 0; i < WATCHES_MAX; i++) {
		if (watches[i])
			continue;
		watches[i] = func;
		return;
	}
	__builtin_trap();
}

static void notify(struct lo_device *lo, enum lo_event event, const struct lo_address *a)
{
	for (size_t i = 0; i < WATCHES_MAX; i++)
		if (watches[i])
			watches[i](lo, event, a);
}

/* ---- addresses ---- */

static size_t address_size(int family)
{
	return family == AF_INET ? 4 : 16;
}

static const uint8_t loopback4[4] = {127, 0, 0, 1};
static const uint8_t loopback6[16] = {[15] = 1};

static bool is_loopback4(const struct lo_address *a)
{
	return a->family == AF_INET && a->prefix <= 8 && a->local[0] == 127;
}

static bool is_loopback6(const struct lo_address *a)
{
	return a->family == AF_INET6 && !memcmp(a->local, loopback6, sizeof(loopback6));
}

/* What is asked most often, without the lock. It is held. */
static void note_loopback(struct lo_device *lo)
{
	bool has4 = false;
	bool has6 = false;
	struct list *pos;

	list_for_each (pos, &lo->addresses) {
		const struct lo_address *a = list_entry(pos, struct lo_address, link);

		has4 = has4 || is_loopback4(a);
		has6 = has6 || is_loopback6(a);
	}
	atomic_store(&lo->has_loopback4, has4 && (lo->flags & IFF_UP));
	atomic_store(&lo->has_loopback6, has6 && (lo->flags & IFF_UP));
}

/* The one that is like a; the lock is held. */
static struct lo_address *find(struct lo_device *lo, const struct lo_address *a)
{
	struct list *pos;

	list_for_each (pos, &lo->addresses) {
		struct lo_address *b = list_entry(pos, struct lo_address, link);

		/* IPv6 knows an address once only, whatever its prefix. */
		if (b->family == a->family &&
		    (a->family == AF_INET6 || b->prefix == a->prefix) &&
		    !memcmp(b->local, a->local, address_size(a->family)))
			return b;
	}
	return NULL;
}

/* The lock is held. */
static uint32_t count_addresses(const struct lo_device *lo)
{
	uint32_t count = 0;
	struct list *pos;

	list_for_each (pos, &lo->addresses)
		count++;
	return count;
}

/* The lock is held. */
static void note_change(struct lo_device *lo, const struct lo_address *a)
{
	uint32_t *count = &lo->address_changes[a->family == AF_INET6];

	atomic_store(count, *count + 1);
}

/* Takes fresh over. */
static int address_enter(struct lo_device *lo, struct lo_address *fresh, uint32_t max)
{
	struct lo_address told = *fresh;
	int err = 0;

	lock_take(&lo->lock);
	if (find(lo, fresh)) {
		err = -EEXIST;
	} else if (count_addresses(lo) >= max) {
		err = -ENOBUFS;
	} else {
		list_add_tail(&lo->addresses, &fresh->link);
		note_change(lo, fresh);
		note_loopback(lo);
	}
	lock_drop(&lo->lock);
	if (err) {
		slab_free(&lo_address_slab, fresh);
		return err;
	}
	notify(lo, LO_ADDRESS_ADDED, &told);
	return 0;
}

static int add(struct lo_device *lo, const struct lo_address *a, uint32_t max)
{
	struct lo_address *fresh = slab_alloc(&lo_address_slab);

	if (!fresh)
		return -ENOMEM;
	*fresh = *a;
	list_init(&fresh->link);
	if (!fresh->created)
		fresh->created = clock_now(CLOCK_MONOTONIC);
	if (!fresh->updated)
		fresh->updated = fresh->created;
	return address_enter(lo, fresh, max);
}

int lo_address_add(struct lo_device *lo, const struct lo_address *a)
{
	return add(lo, a, LO_ADDRESSES);
}

int lo_address_remove(struct lo_device *lo, const struct lo_address *a)
{
	struct lo_address *found;

	lock_take(&lo->lock);
	found = find(lo, a);
	if (found) {
		list_remove(&found->link);
		note_change(lo, found);
		note_loopback(lo);
	}
	lock_drop(&lo->lock);
	if (!found)
		return -EADDRNOTAVAIL;
	notify(lo, LO_ADDRESS_REMOVED, found);
	slab_free(&lo_address_slab, found);
	return 0;
}

int lo_address_replace(struct lo_device *lo, const struct lo_address *a)
{
	struct lo_address told;
	struct lo_address *found;

	lock_take(&lo->lock);
	found = find(lo, a);
	if (found) {
		found->flags = a->flags;
		found->metric = a->metric;
		found->valid = a->valid;
		found->preferred = a->preferred;
		found->protocol = a->protocol;
		found->updated = clock_now(CLOCK_MONOTONIC);
		told = *found;
		note_change(lo, found);
	}
	lock_drop(&lo->lock);
	if (!found)
		return -EADDRNOTAVAIL;
	notify(lo, LO_ADDRESS_ADDED, &told);
	return 0;
}

void lo_for_each_address(struct lo_device *lo,
			 bool (*func)(const struct lo_address *a, void *arg), void *arg)
{
	struct list *pos;

	lock_take(&lo->lock);
	list_for_each (pos, &lo->addresses)
		if (!func(list_entry(pos, struct lo_address, link), arg))
			break;
	lock_drop(&lo->lock);
}

/* Is at in the range that a's prefix spans? Of IPv6 only the address itself is local. */
static bool covers(const struct lo_address *a, const uint8_t *at)
{
	unsigned bits = a->family == AF_INET ? a->prefix : 128;

	for (unsigned i = 0; i < bits; i += 8) {
		uint8_t mask = bits - i >= 8 ? 0xff : (uint8_t)(0xff00U >> (bits - i));

		if ((a->local[i / 8] ^ at[i / 8]) & mask)
			return false;
	}
	return true;
}

bool lo_is_local(struct lo_device *lo, int family, const void *address)
{
	const uint8_t *at = address;
	bool is_local = false;
	struct list *pos;

	if (family == AF_INET && at[0] == 127 && atomic_load(&lo->has_loopback4))
		return true;
	if (family == AF_INET6 && atomic_load(&lo->has_loopback6) &&
	    !memcmp(at, loopback6, sizeof(loopback6)))
		return true;
	if (!lo_is_up(lo))
		return false;
	lock_take(&lo->lock);
	list_for_each (pos, &lo->addresses) {
		const struct lo_address *a = list_entry(pos, struct lo_address, link);

		is_local = is_local || (a->family == family && covers(a, at));
	}
	lock_drop(&lo->lock);
	return is_local && lo_is_up(lo);
}

/* ---- settings ---- */

uint32_t lo_flags(struct lo_device *lo)
{
	uint32_t flags = atomic_load(&lo->flags);

	return flags & IFF_UP ? flags | IFF_RUNNING | IFF_LOWER_UP : flags;
}

/* The addresses that it has by itself. */
static void add_loopback(struct lo_device *lo, int family, const void *address,
			 uint8_t prefix)
{
	struct lo_address a = {
		.family = (uint8_t)family,
		.prefix = prefix,
		.scope = SCOPE_HOST,
		.protocol = family == AF_INET6 ? BY_KERNEL : 0, /* as Linux tells it */
		.flags = PERMANENT,
		.label = "lo",
		.valid = UINT32_MAX,
		.preferred = UINT32_MAX,
	};

	memcpy(a.local, address, address_size(family));
	memcpy(a.peer, address, address_size(family));
	/* It may be there already; for these two there is always room. */
	(void)!add(lo, &a, UINT32_MAX);
}

static bool is_not_ip4(const struct lo_address *a, void *arg)
{
	bool *found = arg;

	*found = *found || a->family == AF_INET;
	return !*found;
}

static void bring_up(struct lo_device *lo)
{
	bool has_any = false;

	notify(lo, LO_UP, NULL);
	lo_for_each_address(lo, is_not_ip4, &has_any);
	if (!has_any)
		add_loopback(lo, AF_INET, loopback4, 8);
	add_loopback(lo, AF_INET6, loopback6, 128);
}

/* IPv6 begins anew with a device. */
static void take_down(struct lo_device *lo)
{
	struct list gone = LIST_INIT(gone);
	struct list *pos;
	struct list *next;

	notify(lo, LO_DOWN, NULL);
	lock_take(&lo->lock);
	for (pos = lo->addresses.next; pos != &lo->addresses; pos = next) {
		next = pos->next;
		if (list_entry(pos, struct lo_address, link)->family != AF_INET6)
			continue;
		list_remove(pos);
		note_change(lo, list_entry(pos, struct lo_address, link));
		list_add_tail(&gone, pos);
	}
	lock_drop(&lo->lock);
	while ((pos = list_pop(&gone))) {
		struct lo_address *a = list_entry(pos, struct lo_address, link);

		notify(lo, LO_ADDRESS_REMOVED, a);
		slab_free(&lo_address_slab, a);
	}
}

void lo_set_flags(struct lo_device *lo, uint32_t flags, uint32_t mask)
{
	uint32_t changed;
	uint32_t fresh;

	mask &= FLAGS_SETTABLE | IFF_UP;
	lock_take(&lo->lock);
	fresh = (lo->flags & ~mask) | (flags & mask);
	changed = lo->flags ^ fresh;
	if (changed & IFF_UP)
		lo->changes++;
	atomic_store(&lo->flags, fresh);
	note_loopback(lo);
	lock_drop(&lo->lock);
	if (changed & IFF_UP) {
		if (fresh & IFF_UP)
			bring_up(lo);
		else
			take_down(lo);
	} else if (changed) {
		notify(lo, LO_CHANGED, NULL);
	}
}

void lo_set_up(struct lo_device *lo, bool is_up)
{
	lo_set_flags(lo, is_up ? IFF_UP : 0, IFF_UP);
}

void lo_set_mtu(struct lo_device *lo, uint32_t mtu)
{
	lock_take(&lo->lock);
	atomic_store_relaxed(&lo->mtu, mtu);
	lock_drop(&lo->lock);
	notify(lo, LO_CHANGED, NULL);
}

void lo_set_queue_size(struct lo_device *lo, uint32_t size)
{
	if (atomic_xchg(&lo->queue_size, size) != size)
		notify(lo, LO_CHANGED, NULL);
}

void lo_want_promisc(struct lo_device *lo, int by)
{
	(void)atomic_add(&lo->promisc, (uint32_t)by);
}

void lo_want_allmulti(struct lo_device *lo, int by)
{
	(void)atomic_add(&lo->allmulti, (uint32_t)by);
}

/* ---- who looks on ---- */

void lo_tap_add(struct lo_device *lo, struct lo_tap *t)
{
	lock_take(&lo->tap_lock);
	list_add_tail(&lo->taps, &t->link);
	atomic_store_relaxed(&lo->tap_count, lo->tap_count + 1);
	lock_drop(&lo->tap_lock);
}

void lo_tap_remove(struct lo_device *lo, struct lo_tap *t)
{
	lock_take(&lo->tap_lock);
	list_remove(&t->link);
	list_init(&t->link);
	atomic_store_relaxed(&lo->tap_count, lo->tap_count - 1);
	lock_drop(&lo->tap_lock);
}

static bool is_own(const struct lo_tap *t, const void *sender)
{
	if (!sender)
		return false;
	return t->is_own ? t->is_own(t, sender) : t->sender == sender;
}

/* tap_lock is held, as for the next two. */
static void show_outgoing(struct lo_device *lo, const struct lo_frame *f)
{
	struct lo_frame out = *f;
	struct list *pos;

	out.type = LO_OUTGOING;
	list_for_each (pos, &lo->taps) {
		struct lo_tap *t = list_entry(pos, struct lo_tap, link);

		if (t->protocol == ETH_P_ALL && !t->ignores_outgoing &&
		    !is_own(t, f->sender))
			t->frame(t, &out);
	}
}

/* To those who want all, or those who want this protocol. */
static void show_incoming(struct lo_device *lo, const struct lo_frame *f, bool to_all)
{
	struct list *pos;

	list_for_each (pos, &lo->taps) {
		struct lo_tap *t = list_entry(pos, struct lo_tap, link);

		if (to_all ? t->protocol == ETH_P_ALL
			   : t->protocol != ETH_P_ALL && t->protocol == f->protocol)
			t->frame(t, f);
	}
}

/* ---- the way of a frame ---- */

void lo_header_put(uint8_t to[ETH_HLEN], uint16_t protocol)
{
	memset(to, 0, ADDRESSES);
	to[ADDRESSES] = (uint8_t)(protocol >> 8);
	to[ADDRESSES + 1] = (uint8_t)protocol;
}

static uint16_t get_be16(const uint8_t *from)
{
	return (uint16_t)(from[0] << 8 | from[1]);
}

/* Who a frame is for: the device's own address is all zeroes, and it has none for all. */
static enum lo_frame_type type_of(const uint8_t *to)
{
	static const uint8_t own[ETH_ALEN] = {0};

	if (!memcmp(to, own, sizeof(own)))
		return LO_HOST;
	return to[0] & 1 ? LO_MULTICAST : LO_OTHERHOST;
}

/* What a frame's header says it brings. */
static uint16_t protocol_of(const struct lo_frame *f)
{
	uint16_t protocol = get_be16(f->data + ADDRESSES);

	if (protocol >= ETH_P_802_3_MIN)
		return protocol;
	if (f->size >= ETH_HLEN + 2 && get_be16(f->data + ETH_HLEN) == 0xffff)
		return ETH_P_802_3;
	return ETH_P_802_2;
}

/* Takes a VLAN's tag out of f: its bytes are then in *copy, to be freed. */
static void vlan_untag(struct lo_frame *f, uint8_t **copy)
{
	if (f->protocol != ETH_P_8021Q && f->protocol != ETH_P_8021AD)
		return;
	if (f->size < ETH_HLEN + VLAN_SIZE)
		return;
	*copy = kmalloc(f->size - VLAN_SIZE);
	if (!*copy)
		return;
	f->has_vlan = true;
	f->vlan_protocol = f->protocol;
	f->vlan_tag = get_be16(f->data + ETH_HLEN);
	memcpy(*copy, f->data, ADDRESSES);
	memcpy(*copy + ADDRESSES, f->data + ADDRESSES + VLAN_SIZE,
	       f->size - ADDRESSES - VLAN_SIZE);
	f->data = *copy;
	f->size -= VLAN_SIZE;
	if (f->lacks_sum)
		f->sum_start = (uint16_t)(f->sum_start - VLAN_SIZE);
	f->protocol = protocol_of(f);
}

/* f as it comes in. Shown to who wants all, then to who wants its kind; there is no
 * device for a VLAN's frames, so they are for somebody else. */
static void show(struct lo_device *lo, const struct lo_frame *f, struct lo_frame *in)
{
	lock_take(&lo->tap_lock);
	show_outgoing(lo, f);
	show_incoming(lo, in, true);
	if (in->has_vlan && (in->vlan_tag & VLAN_ID))
		in->type = LO_OTHERHOST;
	in->has_vlan = false;
	show_incoming(lo, in, false);
	lock_drop(&lo->tap_lock);
}

/* Puts the checksum where f lacks it, into *copy, which is made unless it is there. */
static void finish_sum(struct lo_frame *f, uint8_t **copy)
{
	uint32_t at = (uint32_t)f->sum_start + f->sum_off;
	uint64_t sum = 0;

	if (!*copy) {
		*copy = kmalloc(f->size);
		if (!*copy)
			return;
		memcpy(*copy, f->data, f->size);
		f->data = *copy;
	}
	for (uint32_t i = f->sum_start; i < f->size; i++)
		sum += (i - f->sum_start) & 1 ? (*copy)[i] : (uint32_t)(*copy)[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	sum = ~sum & 0xffff;
	if (at + 2 <= f->size) {
		(*copy)[at] = (uint8_t)(sum >> 8);
		(*copy)[at + 1] = (uint8_t)sum;
	}
	f->lacks_sum = false;
}

/* What comes without having been routed: of IPv4, no address of the network's own is
 * believed to have sent it, and nobody outside can reach one that is for loopback alone.
 */
static bool is_martian(struct lo_device *lo, const struct lo_frame *in)
{
	const uint8_t *from = in->data + ETH_HLEN + IP4_FROM;
	const uint8_t *to = in->data + ETH_HLEN + IP4_TO;

	if (in->protocol != ETH_P_IP)
		return false;
	if (in->size < ETH_HLEN + IP4_HEADER || from[0] == 127 || to[0] == 127)
		return true;
	return lo_is_local(lo, AF_INET, from);
}

static void input(struct lo_device *lo, struct lo_frame *in, uint8_t **copy)
{
	if (!lo_input || in->type == LO_OTHERHOST ||
	    (in->protocol != ETH_P_IP && in->protocol != ETH_P_IPV6))
		return;
	if (is_martian(lo, in))
		return;
	if (in->lacks_sum)
		finish_sum(in, copy);
	lo_input(lo, in);
}

static void pass(struct lo_device *lo, struct lo_frame *out, bool is_input)
{
	struct lo_frame in = *out;
	uint8_t *copy = NULL;

	in.type = (uint8_t)type_of(in.data);
	in.protocol = protocol_of(&in);
	vlan_untag(&in, &copy);
	if (lo_has_taps(lo)) {
		if (!out->at)
			out->at = clock_now(CLOCK_REALTIME);
		in.at = out->at;
		show(lo, out, &in);
	} else if (in.has_vlan && (in.vlan_tag & VLAN_ID)) {
		in.type = LO_OTHERHOST;
	}
	if (is_input)
		input(lo, &in, &copy);
	kfree(copy);
}

void lo_show(struct lo_device *lo, const struct lo_frame *f)
{
	struct lo_frame out = *f;

	pass(lo, &out, false);
}

int lo_transmit(struct lo_device *lo, const struct lo_frame *f)
{
	struct lo_frame out = *f;

	if (!lo_is_up(lo)) {
		(void)atomic_add(&lo->counters.dropped, 1);
		return -ENETDOWN;
	}
	lo_count(lo, f->size - ETH_HLEN);
	pass(lo, &out, true);
	return 0;
}
