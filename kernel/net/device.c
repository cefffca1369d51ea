/* SPDX-License-Identifier: MIT */
/* device.c - see device.h.
 *
 * Limits against Linux: the name, the hardware address and the other end of the device
 * cannot be set, nor routes (EOPNOTSUPP). */
#include "net/device.h"

#include "abi/capability.h"
#include "abi/errno.h"
#include "abi/inet.h"
#include "abi/netdevice.h"
#include "abi/rtnetlink.h"
#include "abi/socket.h"
#include "base/slab.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "mm/usercopy.h"
#include "net/lo.h"
#include "net/net_ns.h"
#include "net/netlink/netlink.h"
#include "process/user_ns.h"

struct interface_request { /* struct ifreq */
	char name[IFNAMSIZ];
	union {
		struct linux_sockaddr_in addr;
		uint16_t flags;
		int32_t number;
		uint16_t family;
		uint8_t bytes[24];
	};
};
_Static_assert(sizeof(struct interface_request) == 40, "struct ifreq");

struct interface_list { /* struct ifconf */
	int32_t size;
	int32_t pad;
	uaddr_t data;
};

static struct linux_sockaddr_in address_as_name(const uint8_t addr[4])
{
	struct linux_sockaddr_in a = {.sin_family = AF_INET};

	memcpy(&a.sin_addr, addr, sizeof(a.sin_addr));
	return a;
}

/* ---- all of them ---- */

enum { LIST_MAX = 64 };

struct listing {
	struct interface_request all[LIST_MAX];
	size_t count, total;
};

static bool list_one(const struct lo_address *a, void *arg)
{
	struct listing *l = arg;

	if (a->family != AF_INET)
		return true;
	if (l->count < LIST_MAX) {
		struct interface_request *r = &l->all[l->count++];

		*r = (struct interface_request){.addr = address_as_name(a->local)};
		strlcpy(r->name, a->label, sizeof(r->name));
	}
	l->total++;
	return true;
}

static long list_interfaces(struct net_ns *net, uint64_t arg)
{
	struct interface_list want;
	struct listing *l;
	size_t size;
	long err = 0;

	if (COPY_IN(&want, arg))
		return -EFAULT;
	l = kmalloc_zeroed(sizeof(*l));
	if (!l)
		return -ENOMEM;
	lo_for_each_address(&net->lo, list_one, l);
	size = l->total * sizeof(l->all[0]);
	if (want.data) {
		size_t room = (size_t)MAX(want.size, 0) / sizeof(l->all[0]);

		size = MIN(room, l->count) * sizeof(l->all[0]);
		err = size ? copy_to_user(want.data, l->all, size) : 0;
	}
	kfree(l);
	return err ? err : put_user_u32(arg, (uint32_t)size);
}

/* ---- addresses ---- */

struct search {
	const struct interface_request *want;
	struct lo_address found;
	bool is_found, is_exact;
};

/* The one with the name and address that were asked for, or else the first of the name.
 */
static bool look(const struct lo_address *a, void *arg)
{
	struct search *s = arg;
	bool is_exact;

	if (a->family != AF_INET || strcmp(a->label, s->want->name) != 0)
		return true;
	is_exact = s->want->addr.sin_family == AF_INET &&
		   !memcmp(a->local, &s->want->addr.sin_addr, 4);
	if (!s->is_found || is_exact)
		s->found = *a;
	s->is_found = true;
	s->is_exact = is_exact;
	return !is_exact;
}

static struct search find_address(struct net_ns *net, const struct interface_request *r)
{
	struct search s = {.want = r};

	lo_for_each_address(&net->lo, look, &s);
	return s;
}

static void mask_of(unsigned prefix, uint8_t out[4])
{
	uint32_t mask = prefix ? UINT32_MAX << (32 - prefix) : 0;

	mask = __builtin_bswap32(mask);
	memcpy(out, &mask, sizeof(mask));
}

static int get_address(struct net_ns *net, unsigned int cmd, struct interface_request *r)
{
	struct search s = find_address(net, r);
	uint8_t out[4] = {0};

	if (!s.is_found)
		return -EADDRNOTAVAIL;
	if (cmd == SIOCGIFADDR)
		memcpy(out, s.found.local, sizeof(out));
	else if (cmd == SIOCGIFDSTADDR)
		memcpy(out, s.found.peer, sizeof(out));
	else if (cmd == SIOCGIFBRDADDR)
		memcpy(out, s.found.broadcast, sizeof(out));
	else
		mask_of(s.found.prefix, out);
	r->addr = address_as_name(out);
	return 0;
}

/* The prefix of the class that an address was in once, or -1. */
static int class_of(const uint8_t addr[4])
{
	if (!addr[0])
		return addr[1] || addr[2] || addr[3] ? 8 : 0;
	if (addr[0] < 128)
		return 8;
	if (addr[0] < 192)
		return 16;
	if (addr[0] < 224)
		return 24;
	return addr[0] >= 240 ? 32 : -1;
}

/* In place of what was found, or new. */
static int put_address(struct net_ns *net, const struct search *s, struct lo_address *a)
{
	int err = s->is_found ? lo_address_remove(&net->lo, &s->found) : 0;

	return err ? err : netlink_lo_add_address(net, a);
}

static int set_address(struct net_ns *net, const struct interface_request *r)
{
	struct search s;
	struct interface_request any = *r;
	struct lo_address a = {
		.family = AF_INET,
		.valid = UINT32_MAX,
		.preferred = UINT32_MAX,
	};
	int prefix;

	if (r->addr.sin_family != AF_INET)
		return -EINVAL;
	any.addr.sin_family = AF_UNSPEC;
	s = find_address(net, &any);
	memcpy(a.local, &r->addr.sin_addr, 4);
	memcpy(a.peer, a.local, 4);
	prefix = class_of(a.local);
	if (prefix < 0)
		return -EINVAL;
	if (s.is_found && !memcmp(s.found.local, a.local, 4))
		return 0;
	if (!prefix) /* 0.0.0.0 takes it away */
		return s.is_found ? lo_address_remove(&net->lo, &s.found) : 0;
	a.prefix = (uint8_t)prefix;
	a.scope = a.local[0] == 127 ? RT_SCOPE_HOST : RT_SCOPE_UNIVERSE;
	strlcpy(a.label, r->name, sizeof(a.label));
	return put_address(net, &s, &a);
}

static int set_mask(struct net_ns *net, const struct interface_request *r)
{
	struct interface_request any = *r;
	struct lo_address a;
	struct search s;
	uint32_t mask;

	if (r->addr.sin_family != AF_INET)
		return -EINVAL;
	any.addr.sin_family = AF_UNSPEC;
	s = find_address(net, &any);
	if (!s.is_found)
		return -EADDRNOTAVAIL;
	memcpy(&mask, &r->addr.sin_addr, sizeof(mask));
	mask = __builtin_bswap32(mask);
	if (~mask & (~mask + 1)) /* ones come first */
		return -EINVAL;
	a = s.found;
	a.prefix = mask ? (uint8_t)(32 - __builtin_ctz(mask)) : 0;
	return a.prefix == s.found.prefix ? 0 : put_address(net, &s, &a);
}

/* ---- one device ---- */

static int get_one(struct net_ns *net, unsigned int cmd, struct interface_request *r)
{
	struct lo_device *lo = &net->lo;

	switch (cmd) {
	case SIOCGIFADDR:
	case SIOCGIFDSTADDR:
	case SIOCGIFBRDADDR:
	case SIOCGIFNETMASK:
		return get_address(net, cmd, r);
	case SIOCGIFFLAGS:
		r->flags = (uint16_t)lo_flags(lo);
		return 0;
	case SIOCGIFMETRIC:
		r->number = 0;
		return 0;
	case SIOCGIFMTU:
		r->number = (int32_t)lo_mtu(lo);
		return 0;
	case SIOCGIFINDEX:
		r->number = LO_INDEX;
		return 0;
	case SIOCGIFTXQLEN:
		r->number = (int32_t)atomic_load_relaxed(&lo->queue_size);
		return 0;
	default: /* hardware address, map */
		memset(r->bytes, 0, sizeof(r->bytes));
		if (cmd == SIOCGIFHWADDR)
			r->family = ARPHRD_LOOPBACK;
		return 0;
	}
}

static int set_one(struct net_ns *net, unsigned int cmd,
		   const struct interface_request *r)
{
	switch (cmd) {
	case SIOCSIFADDR:
		return set_address(net, r);
	case SIOCSIFNETMASK:
		return set_mask(net, r);
	case SIOCSIFFLAGS:
		lo_set_flags(&net->lo, r->flags, UINT16_MAX);
		return 0;
	case SIOCSIFMTU:
		if (r->number < 0)
			return -EINVAL;
		if ((uint32_t)r->number != lo_mtu(&net->lo))
			netlink_lo_set_mtu(net, (uint32_t)r->number);
		return 0;
	case SIOCSIFTXQLEN:
		if (r->number < 0)
			return -EINVAL;
		lo_set_queue_size(&net->lo, (uint32_t)r->number);
		return 0;
	default:
		return -EOPNOTSUPP;
	}
}

/* A name may be a label: "lo:1". */
static bool is_lo(const char *name)
{
	return name[0] == 'l' && name[1] == 'o' && (!name[2] || name[2] == ':');
}

static long get_name(struct interface_request *r, uint64_t arg)
{
	if (r->number != LO_INDEX)
		return -ENODEV;
	memset(r->name, 0, sizeof(r->name));
	strlcpy(r->name, "lo", sizeof(r->name));
	return copy_to_user(arg, r, sizeof(*r));
}

static bool is_get(unsigned int cmd)
{
	static const unsigned int gets[] = {
		SIOCGIFFLAGS,	SIOCGIFADDR,   SIOCGIFDSTADDR, SIOCGIFBRDADDR,
		SIOCGIFNETMASK, SIOCGIFMETRIC, SIOCGIFMTU,     SIOCGIFHWADDR,
		SIOCGIFINDEX,	SIOCGIFTXQLEN, SIOCGIFMAP,
	};

	for (size_t i = 0; i < ARRAY_SIZE(gets); i++)
		if (gets[i] == cmd)
			return true;
	return false;
}

static bool is_set(unsigned int cmd)
{
	static const unsigned int sets[] = {
		SIOCSIFFLAGS,  SIOCSIFADDR,   SIOCSIFDSTADDR, SIOCSIFBRDADDR,
		SIOCSIFMETRIC, SIOCSIFMTU,    SIOCSIFNETMASK, SIOCSIFNAME,
		SIOCSIFHWADDR, SIOCSIFTXQLEN, SIOCADDMULTI,   SIOCDELMULTI,
	};

	for (size_t i = 0; i < ARRAY_SIZE(sets); i++)
		if (sets[i] == cmd)
			return true;
	return false;
}

/* What interfaces are made of: ethtool, wireless and private requests. */
static bool is_about_hardware(unsigned int cmd)
{
	return (cmd >= SIOCETHTOOL && cmd <= SIOCSMIIREG) ||
	       (cmd >= SIOCDEVPRIVATE && cmd <= SIOCDEVPRIVATE + 15) ||
	       (cmd >= SIOCIWFIRST && cmd <= SIOCIWLAST);
}

long net_device_ioctl(struct net_ns *net, unsigned int cmd, uint64_t arg)
{
	bool changes = is_set(cmd) || cmd == SIOCADDRT || cmd == SIOCDELRT;
	bool tells = is_get(cmd);
	struct interface_request r;
	int err;

	if (cmd == SIOCGIFCONF)
		return list_interfaces(net, arg);
	if (!changes && !tells && !is_about_hardware(cmd) && cmd != SIOCGIFNAME)
		return -ENOTTY;
	if (COPY_IN(&r, arg))
		return -EFAULT;
	r.name[IFNAMSIZ - 1] = 0;
	if (cmd == SIOCGIFNAME)
		return get_name(&r, arg);
	if (changes && !ns_capable(net->ns.owner, CAP_NET_ADMIN))
		return -EPERM;
	if (cmd == SIOCADDRT || cmd == SIOCDELRT)
		return -EOPNOTSUPP;
	if (!is_lo(r.name))
		return -ENODEV;
	if (changes)
		return set_one(net, cmd, &r);
	err = tells ? get_one(net, cmd, &r) : -EOPNOTSUPP;
	return err ? err : copy_to_user(arg, &r, sizeof(r));
}
