/* SPDX-License-Identifier: MIT */
/* socket.c - the life of packet sockets: what they are bound to, and whether they are
 * shown frames. */
#include "abi/capability.h"
#include "abi/errno.h"
#include "abi/inet.h"
#include "abi/ioctl.h"
#include "base/slab.h"
#include "fs/fdtable.h"
#include "fs/file.h"
#include "fs/poll.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "mm/usercopy.h"
#include "net/packet/internal.h"
#include "process/creds.h"
#include "process/user_ns.h"
#include "time/clock.h"

static SLAB_CACHE(packet_slab, "PACKET", sizeof(struct packet_socket), 64);
struct lock packet_lock = LOCK_INIT(RANK_PACKET);
static struct roll packet_sockets; /* packet_lock */

#define DEVICE_NAME "lo"

/* ---- being shown frames ---- */

void packet_hook(struct packet_socket *p)
{
	if (p->is_running || p->is_in_setup || !p->protocol)
		return;
	if (p->is_bound && !lo_is_up(p->lo))
		return;
	p->is_running = true;
	if (p->fanout) {
		packet_fanout_link(p);
		return;
	}
	p->tap.protocol = p->protocol;
	p->tap.ignores_outgoing = p->ignores_outgoing;
	lo_tap_add(p->lo, &p->tap);
}

void packet_unhook(struct packet_socket *p)
{
	if (!p->is_running)
		return;
	p->is_running = false;
	if (p->fanout)
		packet_fanout_unlink(p);
	else
		lo_tap_remove(p->lo, &p->tap);
}

int packet_take_error(struct packet_socket *p)
{
	int err = p->error;

	p->error = 0;
	return -err;
}

void packet_set_error(struct packet_socket *p, int error)
{
	lock_take(&p->lock);
	p->error = error;
	lock_drop(&p->lock);
	waitq_wake_all(&p->readable, POLLERR);
}

bool packet_list_for_each(struct roll_cursor *at,
			  bool (*func)(struct packet_socket *p, void *arg), void *arg)
{
	struct roll_entry *e;

	lock_take(&packet_lock);
	for (e = roll_go_on(&packet_sockets, at); e; e = roll_pass(e, at)) {
		if (!func(container_of(e, struct packet_socket, entry), arg))
			break;
	}
	lock_drop(&packet_lock);
	return !e;
}

/* A device has gone up or down: packet_lock is held. */
static bool device_changed(struct packet_socket *p, void *arg)
{
	const struct lo_device *lo = arg;

	if (p->lo != lo || !p->is_bound)
		return true;
	if (lo_is_up(lo)) {
		packet_hook(p);
	} else if (p->is_running) {
		packet_unhook(p);
		packet_set_error(p, ENETDOWN);
	}
	return true;
}

static void lo_changed(struct lo_device *lo, enum lo_event event,
		       const struct lo_address *a)
{
	struct roll_cursor at = {0};

	(void)a;
	if (event == LO_UP || event == LO_DOWN)
		(void)packet_list_for_each(&at, device_changed, lo);
}

/* ---- names ---- */

/* To the device, or to all, and to a protocol; 0: that which it has. setup_lock is held.
 */
static int bind_to(struct packet_socket *p, bool is_bound, uint16_t protocol)
{
	bool changes;
	bool is_down;

	lock_take(&packet_lock);
	if (p->fanout) {
		lock_drop(&packet_lock);
		return -EINVAL;
	}
	if (!protocol)
		protocol = p->protocol;
	changes = protocol != p->protocol || is_bound != p->is_bound;
	if (changes)
		packet_unhook(p);
	atomic_store(&p->protocol, protocol);
	atomic_store(&p->is_bound, is_bound);
	is_down = changes && protocol && is_bound && !lo_is_up(p->lo);
	if (changes)
		packet_hook(p);
	lock_drop(&packet_lock);
	if (is_down)
		packet_set_error(p, ENETDOWN);
	return 0;
}

static int packet_bind_locked(struct packet_socket *p,
			      const struct linux_sockaddr_storage *addr, int len)
{
	struct linux_sockaddr_ll a;

	if (len < (int)sizeof(a))
		return -EINVAL;
	memcpy(&a, addr, sizeof(a));
	if (a.sll_family != AF_PACKET)
		return -EINVAL;
	if (a.sll_ifindex && a.sll_ifindex != LO_INDEX)
		return -ENODEV;
	return bind_to(p, a.sll_ifindex, packet_swap16(a.sll_protocol));
}

/* SOCK_PACKET: the name of a device, in a struct sockaddr. */
static int old_bind_locked(struct packet_socket *p,
			   const struct linux_sockaddr_storage *addr, int len)
{
	const char *name = (const char *)addr + sizeof(addr->ss_family);

	if (len != (int)sizeof(struct linux_sockaddr))
		return -EINVAL;
	if (strncmp(name, DEVICE_NAME,
		    sizeof(struct linux_sockaddr) - sizeof(addr->ss_family)) != 0)
		return -ENODEV;
	return bind_to(p, true, 0);
}

static int packet_bind(struct socket *s, const struct linux_sockaddr_storage *addr,
		       int len)
{
	struct packet_socket *p = packet_of(s);
	int err;

	lock_take(&p->setup_lock);
	err = s->type == SOCK_PACKET ? old_bind_locked(p, addr, len)
				     : packet_bind_locked(p, addr, len);
	lock_drop(&p->setup_lock);
	return err;
}

static int packet_name(struct socket *s, struct linux_sockaddr_storage *addr, bool peer)
{
	struct packet_socket *p = packet_of(s);
	struct linux_sockaddr_ll a = {.sll_family = AF_PACKET};
	bool is_bound = atomic_load(&p->is_bound);

	if (peer)
		return -EOPNOTSUPP;
	if (s->type == SOCK_PACKET) {
		memset(addr, 0, (int)sizeof(struct linux_sockaddr));
		addr->ss_family = AF_PACKET;
		if (is_bound)
			memcpy((char *)addr + sizeof(addr->ss_family), DEVICE_NAME,
			       sizeof(DEVICE_NAME));
		return (int)sizeof(struct linux_sockaddr);
	}
	a.sll_protocol = packet_swap16(atomic_load(&p->protocol));
	if (is_bound) {
		a.sll_ifindex = LO_INDEX;
		a.sll_hatype = ARPHRD_LOOPBACK;
		a.sll_halen = ETH_ALEN;
	}
	memcpy(addr, &a, sizeof(a));
	return (int)offsetof(struct linux_sockaddr_ll, sll_addr) + a.sll_halen;
}

/* ---- as a file ---- */

static uint32_t packet_poll(struct socket *s, struct poll_table *pt)
{
	struct packet_socket *p = packet_of(s);
	uint32_t bits = POLL_WRITABLE | POLLWRBAND;

	poll_wait(pt, &p->readable);
	lock_take(&p->lock);
	if (p->error)
		bits |= POLLERR;
	if (!list_is_empty(&p->frames) || packet_ring_is_readable(p))
		bits |= POLL_READABLE;
	packet_relieve(p);
	lock_drop(&p->lock);
	return bits;
}

/* The time of the last frame that was received; asked for the first time, it is kept
 * from then on. */
static long stamp_get(struct packet_socket *p, bool is_nano, uaddr_t to)
{
	struct linux_timespec ts;
	struct linux_timeval tv;
	nsec_t at;

	lock_take(&p->lock);
	at = p->last_at;
	p->keeps_stamp = true;
	if (p->has_received && !at)
		at = p->last_at = clock_now(CLOCK_REALTIME);
	lock_drop(&p->lock);
	if (!at)
		return -ENOENT;
	ts = nsec_to_timespec(at);
	tv = nsec_to_timeval(at);
	return is_nano ? COPY_OUT(to, &ts) : COPY_OUT(to, &tv);
}

/* Of the first frame that waits. */
static uint32_t first_size(struct packet_socket *p)
{
	const struct packet_frame *q;
	uint32_t size;

	lock_take(&p->lock);
	q = list_first_entry(&p->frames, struct packet_frame, link);
	size = q ? q->size : 0;
	lock_drop(&p->lock);
	return size;
}

static long packet_ioctl(struct socket *s, unsigned int cmd, uint64_t arg)
{
	struct packet_socket *p = packet_of(s);

	switch (cmd) {
	case TIOCOUTQ:
		return put_user_u32(arg, 0); /* all has been sent */
	case FIONREAD:
		return put_user_u32(arg, first_size(p));
	case SIOCGSTAMP:
	case SIOCGSTAMP_NEW:
		return stamp_get(p, false, arg);
	case SIOCGSTAMPNS:
	case SIOCGSTAMPNS_NEW:
		return stamp_get(p, true, arg);
	default:
		return -ENOTTY;
	}
}

static void packet_release(struct socket *s)
{
	struct packet_socket *p = packet_of(s);

	lock_take(&packet_lock);
	roll_remove(&packet_sockets, &p->entry);
	packet_unhook(p);
	lock_drop(&packet_lock);
	packet_fanout_leave(p);
	packet_members_purge(p);
	packet_ring_purge(p);
	packet_purge(&p->frames);
	slab_free(&packet_slab, p);
}

/* ---- making ---- */

static const struct socket_ops packet_ops = {
	.bind = packet_bind,
	.name = packet_name,
	.send = packet_send,
	.receive = packet_receive,
	.set_option = packet_set_option,
	.get_option = packet_get_option,
	.poll = packet_poll,
	.ioctl = packet_ioctl,
	.map = packet_ring_map,
	.release = packet_release,
};

static struct packet_socket *packet_alloc(struct socket *s, int protocol)
{
	struct packet_socket *p = slab_alloc_zeroed(&packet_slab);

	if (!p)
		return NULL;
	lock_init(&p->setup_lock, RANK_FILE_POS);
	lock_init(&p->lock, RANK_OBJECT2);
	waitq_init(&p->readable);
	list_init(&p->members);
	list_init(&p->frames);
	list_init(&p->tap.link);
	p->socket = s;
	p->lo = &s->net->lo;
	p->uid = current_creds()->fsuid;
	p->protocol = packet_swap16((uint16_t)protocol);
	p->tap.sender = p;
	p->tap.frame = packet_arrive_tap;
	p->map.ops = &packet_map_ops;
	packet_block_init(p);
	return p;
}

/* protocol: big-endian, as a packet's header has it. */
static int packet_create(struct socket *s, int type, int protocol)
{
	struct packet_socket *p;

	/* The host's network is not the guest's. */
	if (s->net->is_host || !ns_capable(s->net->ns.owner, CAP_NET_RAW))
		return -EPERM;
	if (type != SOCK_DGRAM && type != SOCK_RAW && type != SOCK_PACKET)
		return -ESOCKTNOSUPPORT;
	p = packet_alloc(s, protocol);
	if (!p)
		return -ENOBUFS;
	s->ops = &packet_ops;
	s->private = p;
	s->type = type;
	s->protocol = 0; /* as SO_PROTOCOL reads: that can change */
	lock_take(&packet_lock);
	roll_add(&packet_sockets, &p->entry);
	packet_hook(p);
	lock_drop(&packet_lock);
	return 0;
}

static const struct socket_family packet_family = {
	.family = AF_PACKET,
	.create = packet_create,
};

void packet_init(void)
{
	socket_family_register(&packet_family);
	lo_watch(lo_changed);
	packet_show_init();
}
