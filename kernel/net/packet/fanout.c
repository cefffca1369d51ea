/* SPDX-License-Identifier: MIT */
/* fanout.c - PACKET_FANOUT: sockets that share what comes, each frame going to one.
 *
 * A group is shown frames in the place of its members. Who is in it, packet_lock guards;
 * who of those is shown frames just now, also the device's tap_lock, under which a member
 * is chosen.
 *
 * Limits against Linux: no program of bpf(2) chooses (PACKET_FANOUT_EBPF: its data is
 * refused, and the first member gets all); fragments are not put together before
 * (PACKET_FANOUT_FLAG_DEFRAG): the device has none. */
#include "abi/errno.h"
#include "abi/inet.h"
#include "base/slab.h"
#include "host/host.h"
#include "lib/atomic.h"
#include "lib/bitmap.h"
#include "lib/hash.h"
#include "lib/string.h"
#include "net/filter.h"
#include "net/packet/internal.h"

enum {
	MEMBERS_DEFAULT = 256,
	MEMBERS_MAX = 1 << 16,
	TYPE_MASK = 0xff,
	IDS = 1 << 16,
	IP_HEADER = 20,
	IP6_HEADER = 40,
};

struct packet_fanout {
	struct list link; /* groups: packet_lock */
	struct lo_device *lo;
	struct lo_tap tap;
	uint16_t id;
	uint8_t type, flags;
	bool is_bound;	      /* const: as its members are */
	uint32_t member_max;  /* const */
	uint32_t users;	      /* packet_lock: members, running or not */
	uint32_t next;	      /* tap_lock: whose turn it is */
	uint32_t count, room; /* tap_lock, and packet_lock to write: of members */
	struct packet_socket **members;
	struct socket_filter *program; /* tap_lock: who chooses, or NULL */
};

static struct list groups = LIST_INIT(groups); /* packet_lock */

/* ---- choosing ---- */

/* Both directions of a conversation have the same. */
static uint32_t hash_of(const struct lo_frame *f)
{
	const uint8_t *at = f->data + ETH_HLEN;
	uint32_t size = f->size - ETH_HLEN;
	uint32_t sum = 0;
	uint32_t ports = 0;

	if (f->protocol == ETH_P_IP && size >= IP_HEADER) {
		for (uint32_t i = 0; i < 8; i++)
			sum += (uint32_t)at[12 + i] << (i % 4 * 8);
		ports = (at[0] & 15U) * 4;
		sum += at[9];
	} else if (f->protocol == ETH_P_IPV6 && size >= IP6_HEADER) {
		for (uint32_t i = 0; i < 32; i++)
			sum += (uint32_t)at[8 + i] << (i % 4 * 8);
		ports = IP6_HEADER;
		sum += at[6];
	}
	if (ports && size >= ports + 4)
		sum += (uint32_t)(at[ports] << 8 | at[ports + 1]) +
		       (uint32_t)(at[ports + 2] << 8 | at[ports + 3]);
	return (uint32_t)hash_mix(sum);
}

static uint32_t chosen_by_program(const struct packet_fanout *g, const struct lo_frame *f)
{
	struct filter_frame filtered = {
		.data = f->data,
		.size = f->size,
		.start = f->type == LO_OUTGOING ? 0 : ETH_HLEN,
		.network = ETH_HLEN,
		.protocol = f->protocol,
		.type = f->type,
		.mark = f->mark,
	};

	return g->program ? socket_filter_run(g->program, &filtered) % g->count : 0;
}

/* The first from p->rollover_next on that has room and is not skip; `first` if none. */
static uint32_t roll_over(struct packet_fanout *g, uint32_t first, bool try_self)
{
	struct packet_socket *p = g->members[first];
	uint32_t start = MIN(p->rollover_next, g->count - 1);
	uint32_t i = start;

	if (try_self && packet_room(p) != ROOM_NONE)
		return first;
	do {
		struct packet_socket *next = g->members[i];

		if ((!try_self || next != p) && !packet_has(next, PACKET_F_PRESSURE) &&
		    packet_room(next) == ROOM_NORMAL) {
			p->rollover_next = i;
			(void)atomic_add(&p->rollovers, 1);
			return i;
		}
		i = i + 1 < g->count ? i + 1 : 0;
	} while (i != start);
	(void)atomic_add(&p->failed_rollovers, 1);
	return first;
}

static uint32_t choose(struct packet_fanout *g, const struct lo_frame *f)
{
	uint32_t any = 0;

	switch (g->type) {
	case PACKET_FANOUT_LB:
		return ++g->next % g->count;
	case PACKET_FANOUT_CPU:
		return filter_cpu_number() % g->count;
	case PACKET_FANOUT_RND:
		if (host_getrandom(&any, sizeof(any)) != (long)sizeof(any))
			any = ++g->next;
		return any % g->count;
	case PACKET_FANOUT_ROLLOVER:
		return roll_over(g, 0, false);
	case PACKET_FANOUT_CBPF:
		return chosen_by_program(g, f);
	case PACKET_FANOUT_QM: /* the device has one queue */
	case PACKET_FANOUT_EBPF:
		return 0;
	default:
		return (uint32_t)((uint64_t)hash_of(f) * g->count >> 32);
	}
}

/* tap_lock is held. */
static void group_arrive(struct lo_tap *t, const struct lo_frame *f)
{
	struct packet_fanout *g = container_of(t, struct packet_fanout, tap);
	uint32_t i;

	if (!g->count)
		return;
	i = choose(g, f);
	if (g->flags & PACKET_FANOUT_FLAG_ROLLOVER >> 8)
		i = roll_over(g, i, true);
	packet_arrive(g->members[i], f);
}

static bool group_is_own(const struct lo_tap *t, const void *sender)
{
	const struct packet_fanout *g = container_of(t, struct packet_fanout, tap);

	for (uint32_t i = 0; i < g->count; i++)
		if (g->members[i] == sender)
			return true;
	return false;
}

/* ---- members that are shown frames: packet_lock is held ---- */

void packet_fanout_link(struct packet_socket *p)
{
	struct packet_fanout *g = p->fanout;

	lo_taps_lock(g->lo);
	g->members[g->count++] = p;
	lo_taps_unlock(g->lo);
	if (g->count == 1)
		lo_tap_add(g->lo, &g->tap);
}

void packet_fanout_unlink(struct packet_socket *p)
{
	struct packet_fanout *g = p->fanout;

	lo_taps_lock(g->lo);
	for (uint32_t i = 0; i < g->count; i++)
		if (g->members[i] == p) {
			g->members[i] = g->members[--g->count];
			break;
		}
	lo_taps_unlock(g->lo);
	if (!g->count)
		lo_tap_remove(g->lo, &g->tap);
}

/* ---- groups ---- */

static struct packet_fanout *find(const struct lo_device *lo, uint16_t id)
{
	struct list *pos;

	list_for_each (pos, &groups) {
		struct packet_fanout *g = list_entry(pos, struct packet_fanout, link);

		if (g->lo == lo && g->id == id)
			return g;
	}
	return NULL;
}

static void group_free(struct packet_fanout *g)
{
	socket_filter_destroy(g->program);
	kfree(g->members);
	kfree(g);
}

static struct packet_fanout *group_create(const struct packet_socket *p,
					  const struct linux_fanout_args *a)
{
	struct packet_fanout *g = kmalloc_zeroed(sizeof(*g));

	if (!g)
		return NULL;
	list_init(&g->link);
	list_init(&g->tap.link);
	g->lo = p->lo;
	g->id = a->id;
	g->type = (uint8_t)(a->type_flags & TYPE_MASK);
	g->flags = (uint8_t)(a->type_flags >> 8);
	g->is_bound = p->is_bound;
	g->member_max = a->max_num_members;
	g->tap.protocol = p->protocol;
	g->tap.ignores_outgoing = a->type_flags & PACKET_FANOUT_FLAG_IGNORE_OUTGOING;
	g->tap.is_own = group_is_own;
	g->tap.frame = group_arrive;
	return g;
}

/* Room for one more member: 0, -ENOMEM. */
static int reserve(struct packet_fanout *g)
{
	uint32_t room = MAX(g->room * 2, 4U);
	struct packet_socket **more;
	void *old;

	if (g->users < g->room)
		return 0;
	more = kmalloc_array(room, sizeof(struct packet_socket *));
	if (!more)
		return -ENOMEM;
	lo_taps_lock(g->lo);
	old = g->members;
	if (g->count)
		memcpy(more, g->members, g->count * sizeof(struct packet_socket *));
	g->members = more;
	g->room = room;
	lo_taps_unlock(g->lo);
	kfree(old);
	return 0;
}

/* An id that no group has. */
static int find_free_id(const struct lo_device *lo, uint16_t *id)
{
	static uint16_t last; /* packet_lock */
	uint64_t *taken = kmalloc_zeroed(BITMAP_WORDS(IDS) * sizeof(uint64_t));
	struct list *pos;
	size_t found;

	if (!taken)
		return -ENOMEM;
	list_for_each (pos, &groups) {
		const struct packet_fanout *g =
			list_entry(pos, struct packet_fanout, link);

		if (g->lo == lo)
			bitmap_set(taken, g->id);
	}
	found = bitmap_next_zero(taken, IDS, last + 1U);
	if (found == IDS)
		found = bitmap_first_zero(taken, IDS);
	kfree(taken);
	if (found == IDS)
		return -ENOMEM;
	last = (uint16_t)found;
	*id = last;
	return 0;
}

static int check_type(const struct linux_fanout_args *a)
{
	switch (a->type_flags & TYPE_MASK) {
	case PACKET_FANOUT_ROLLOVER:
		return a->type_flags & PACKET_FANOUT_FLAG_ROLLOVER ? -EINVAL : 0;
	case PACKET_FANOUT_LB:
	case PACKET_FANOUT_HASH:
	case PACKET_FANOUT_CPU:
	case PACKET_FANOUT_RND:
	case PACKET_FANOUT_QM:
	case PACKET_FANOUT_CBPF:
	case PACKET_FANOUT_EBPF:
		return 0;
	default:
		return -EINVAL;
	}
}

/* The group that p is to be in, found or made; a is completed. packet_lock is held, as
 * for the next one. */
static int find_group(struct packet_socket *p, struct linux_fanout_args *a,
		      struct packet_fanout **out)
{
	struct packet_fanout *g;
	int err;

	if (a->type_flags & PACKET_FANOUT_FLAG_UNIQUEID) {
		if (a->id)
			return -EINVAL;
		err = find_free_id(p->lo, &a->id);
		if (err)
			return err;
		a->type_flags &= (uint16_t)~PACKET_FANOUT_FLAG_UNIQUEID;
	}
	g = find(p->lo, a->id);
	if (g) {
		if (g->flags != a->type_flags >> 8 ||
		    (a->max_num_members && a->max_num_members != g->member_max))
			return -EINVAL;
		*out = g;
		return 0;
	}
	if (a->max_num_members > MEMBERS_MAX)
		return -EINVAL;
	if (!a->max_num_members)
		a->max_num_members = MEMBERS_DEFAULT;
	g = group_create(p, a);
	if (!g)
		return -ENOMEM;
	list_add_tail(&groups, &g->link);
	*out = g;
	return 0;
}

static int join(struct packet_socket *p, struct linux_fanout_args *a)
{
	uint8_t type = (uint8_t)(a->type_flags & TYPE_MASK);
	struct packet_fanout *g;
	bool was_running;
	int err;

	if (p->fanout)
		return -EALREADY;
	err = find_group(p, a, &g);
	if (err)
		return err;
	if (!p->protocol || g->type != type || g->tap.protocol != p->protocol ||
	    g->is_bound != p->is_bound)
		err = -EINVAL;
	else if (g->users >= g->member_max)
		err = -ENOSPC;
	else
		err = reserve(g);
	if (err && !g->users) {
		list_remove(&g->link);
		group_free(g);
	}
	if (err)
		return err;
	g->users++;
	was_running = p->is_running;
	packet_unhook(p);
	p->has_rollover = type == PACKET_FANOUT_ROLLOVER ||
			  (a->type_flags & PACKET_FANOUT_FLAG_ROLLOVER);
	atomic_store(&p->fanout, g);
	if (was_running)
		packet_hook(p);
	return 0;
}

int packet_fanout_join(struct packet_socket *p, const void *value, int len)
{
	struct linux_fanout_args a = {0};
	int err;

	if (len != (int)sizeof(int) && len != (int)sizeof(a))
		return -EINVAL;
	memcpy(&a, value, (size_t)len);
	err = check_type(&a);
	if (err)
		return err;
	lock_take(&packet_lock);
	err = join(p, &a);
	lock_drop(&packet_lock);
	return err;
}

void packet_fanout_leave(struct packet_socket *p)
{
	struct packet_fanout *g;

	lock_take(&packet_lock);
	g = p->fanout;
	if (g) {
		packet_unhook(p);
		p->fanout = NULL;
		if (--g->users)
			g = NULL;
		else
			list_remove(&g->link);
	}
	lock_drop(&packet_lock);
	if (g)
		group_free(g);
}

int packet_fanout_set_data(struct packet_socket *p, const void *value, int len)
{
	struct packet_fanout *g = atomic_load(&p->fanout);
	struct socket_filter *fresh;
	struct socket_filter *old;
	int err;

	if (!g) /* once in a group, it stays there */
		return -EINVAL;
	if (g->type != PACKET_FANOUT_CBPF && g->type != PACKET_FANOUT_EBPF)
		return -EINVAL;
	if (g->type == PACKET_FANOUT_EBPF)
		return socket_filter_set(p->socket, SO_ATTACH_BPF, value, len);
	err = socket_filter_create(p->socket, value, len, &fresh);
	if (err)
		return err;
	lo_taps_lock(g->lo);
	old = g->program;
	g->program = fresh;
	lo_taps_unlock(g->lo);
	socket_filter_destroy(old);
	return 0;
}

uint32_t packet_fanout_show(const struct packet_socket *p)
{
	const struct packet_fanout *g = atomic_load(&p->fanout);

	return g ? g->id | (uint32_t)g->type << 16 | (uint32_t)g->flags << 24 : 0;
}
