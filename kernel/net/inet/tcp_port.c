/* SPDX-License-Identifier: MIT */
/* tcp_port.c - names of connections in memory: addresses, and local ports borrowed from
 * the host.
 *
 * The port of who connects is held by a host socket that is bound to it and does nothing
 * else, so that nobody on the host gets the same one. Some of those for the loopback
 * addresses are kept for the next connection; the one that was left longest is used
 * first. As long as they are few, another one is got instead of one that TIME_WAIT (see
 * tcp_wait.h) still keeps, as Linux would. */
#include "abi/errno.h"
#include "abi/inet.h"
#include "base/lock.h"
#include "host/host.h"
#include "lib/string.h"
#include "net/inet/tcp.h"

enum { KEPT_MAX = 64, MAPPED_AT = 12 };

static const uint8_t loopback4[16] = {127, 0, 0, 1};
static const uint8_t loopback6[16] = {[15] = 1};
static const uint8_t mapped[MAPPED_AT] = {[10] = 0xff, [11] = 0xff};

/* ---- addresses ---- */

bool tcp_is_any(const uint8_t addr[16])
{
	static const uint8_t any[16];

	return !memcmp(addr, any, sizeof(any));
}

bool tcp_is_loopback(const struct tcp_target *t)
{
	return t->is_v4 ? t->name.addr[0] == loopback4[0]
			: !memcmp(t->name.addr, loopback6, sizeof(loopback6));
}

bool tcp_name_import(struct tcp_target *t, const struct linux_sockaddr_storage *addr,
		     int len)
{
	const struct linux_sockaddr_in *in = (const void *)addr;
	const struct linux_sockaddr_in6 *in6 = (const void *)addr;

	memset(t, 0, sizeof(*t));
	if (addr->ss_family == AF_INET && len >= (int)sizeof(*in)) {
		t->is_v4 = true;
		memcpy(t->name.addr, &in->sin_addr, sizeof(in->sin_addr));
		t->name.port = __builtin_bswap16(in->sin_port);
		return true;
	}
	if (addr->ss_family != AF_INET6 || len < (int)sizeof(*in6) - 4)
		return false;
	t->name.port = __builtin_bswap16(in6->sin6_port);
	t->is_v4 = !memcmp(in6->sin6_addr, mapped, sizeof(mapped));
	if (t->is_v4)
		memcpy(t->name.addr, in6->sin6_addr + MAPPED_AT, 4);
	else
		memcpy(t->name.addr, in6->sin6_addr, sizeof(in6->sin6_addr));
	return true;
}

int tcp_name_export(const struct tcp_name *n, bool is_v4, int family,
		    struct linux_sockaddr_storage *out)
{
	struct linux_sockaddr_in *in = (void *)out;
	struct linux_sockaddr_in6 *in6 = (void *)out;

	memset(out, 0, sizeof(*out));
	if (family == AF_INET) {
		in->sin_family = AF_INET;
		in->sin_port = __builtin_bswap16(n->port);
		memcpy(&in->sin_addr, n->addr, sizeof(in->sin_addr));
		return sizeof(*in);
	}
	in6->sin6_family = AF_INET6;
	in6->sin6_port = __builtin_bswap16(n->port);
	if (is_v4) {
		memcpy(in6->sin6_addr, mapped, sizeof(mapped));
		memcpy(in6->sin6_addr + MAPPED_AT, n->addr, 4);
	} else {
		memcpy(in6->sin6_addr, n->addr, sizeof(in6->sin6_addr));
	}
	return sizeof(*in6);
}

bool tcp_host_name(int fd, struct tcp_name *n, bool *is_v4)
{
	struct linux_sockaddr_storage name;
	struct tcp_target t;
	int len = sizeof(name);

	memset(&name, 0, sizeof(name));
	if (host_getsockname(fd, &name, &len, false) || !tcp_name_import(&t, &name, len))
		return false;
	*n = t.name;
	*is_v4 = t.is_v4;
	return true;
}

/* A datagram socket that is connected with one of the host's own addresses gets that one
 * for itself; nothing is sent. */
bool tcp_is_own(const struct tcp_target *t)
{
	int family = t->is_v4 ? AF_INET : AF_INET6;
	struct linux_sockaddr_storage addr;
	int len = tcp_name_export(&t->name, t->is_v4, family, &addr);
	struct tcp_name found;
	bool is_own = false;
	bool is_v4;
	int fd;

	if (!t->is_v4 && t->name.addr[0] == 0xfe && (t->name.addr[1] & 0xc0) == 0x80)
		return false; /* of a link: says nothing by itself */
	fd = host_socket(family, SOCK_DGRAM, IPPROTO_UDP);
	if (fd < 0)
		return false;
	if (!host_connect(fd, &addr, len, false) && tcp_host_name(fd, &found, &is_v4))
		is_own = is_v4 == t->is_v4 &&
			 !memcmp(found.addr, t->name.addr, sizeof(found.addr));
	(void)host_close(fd);
	return is_own;
}

bool tcp_names_overlap(const struct tcp_claim *a, const struct tcp_claim *b)
{
	const struct tcp_target *x = a->name;
	const struct tcp_target *y = b->name;
	bool a_any = tcp_is_any(x->name.addr);
	bool b_any = tcp_is_any(y->name.addr);

	if (x->is_v4 == y->is_v4)
		return a_any || b_any ||
		       !memcmp(x->name.addr, y->name.addr, sizeof(x->name.addr));
	/* Any address of IPv6 is also any of IPv4. One that is not only for IPv6, as it
	 * has come by connect(2), stands in the way of a socket of IPv4 that wants any.
	 */
	if (!x->is_v4)
		return a_any && !a->is_v6only;
	a_any &= a->family == AF_INET;
	return (a_any || b_any) && !b->is_v6only;
}

/* ---- ports ---- */

static struct lock kept_lock = LOCK_INIT(RANK_OBJECT2);
/* kept_lock: rings, of IPv6 and IPv4 */
static struct kept {
	struct tcp_lease leases[KEPT_MAX];
	unsigned first, count;
	unsigned alive; /* with those that are lent */
} kept[2];

static struct kept *kept_for(bool is_v4, const uint8_t addr[16])
{
	return memcmp(addr, is_v4 ? loopback4 : loopback6, 16) ? NULL : &kept[is_v4];
}

static int lease_create(struct tcp_lease *l, bool is_v4, const uint8_t addr[16])
{
	int family = is_v4 ? AF_INET : AF_INET6;
	struct linux_sockaddr_storage name;
	const int on = 1;
	struct tcp_name n = {.port = 0};
	int len;
	int err;

	memcpy(n.addr, addr, sizeof(n.addr));
	len = tcp_name_export(&n, is_v4, family, &name);
	l->fd = host_socket(family, SOCK_STREAM, IPPROTO_TCP);
	if (l->fd < 0)
		return l->fd;
	err = host_bind(l->fd, &name, len);
	if (!err && !tcp_host_name(l->fd, &n, &is_v4))
		err = -EADDRNOTAVAIL;
	/* From here on it stands in nobody's way who says that he may share a port. */
	if (!err)
		err = host_setsockopt(l->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (err) {
		(void)host_close(l->fd);
		l->fd = -1;
	}
	l->port = n.port;
	return err;
}

/* kept_lock is held. */
static void take_first(struct kept *k, struct tcp_lease *l)
{
	*l = k->leases[k->first];
	k->first = (k->first + 1) % KEPT_MAX;
	k->count--;
}

/* A port of which something is kept is had once more when there are as many as there may
 * be, lent ones with them, or no other can be got. */
int tcp_lease_take(struct tcp_lease *l, const struct net_ns *net, bool is_v4,
		   const uint8_t addr[16])
{
	struct kept *k = kept_for(is_v4, addr);
	int err;

	l->fd = -1;
	if (k) {
		lock_take(&kept_lock);
		if (k->count && (k->alive >= KEPT_MAX ||
				 !tcp_wait_has_port(net, k->leases[k->first].port)))
			take_first(k, l);
		lock_drop(&kept_lock);
	}
	if (l->fd >= 0)
		return 0;
	err = lease_create(l, is_v4, addr);
	if (!k)
		return err;
	lock_take(&kept_lock);
	if (!err) {
		k->alive++;
	} else if (k->count) {
		take_first(k, l);
		err = 0;
	}
	lock_drop(&kept_lock);
	return err;
}

bool tcp_lease_forget(uint16_t port)
{
	int fd = -1;

	lock_take(&kept_lock);
	for (int v4 = 0; v4 < 2; v4++) {
		struct kept *k = &kept[v4];

		for (unsigned left = k->count; left; left--) {
			struct tcp_lease l;

			take_first(k, &l);
			if (l.port == port && fd < 0) {
				fd = l.fd;
				k->alive--;
			} else {
				k->leases[(k->first + k->count++) % KEPT_MAX] = l;
			}
		}
	}
	lock_drop(&kept_lock);
	if (fd >= 0)
		(void)host_close(fd);
	return fd >= 0;
}

void tcp_lease_put(struct tcp_lease *l, bool is_v4, const uint8_t addr[16])
{
	struct kept *k = kept_for(is_v4, addr);
	int fd = l->fd;

	if (fd < 0)
		return;
	if (k) {
		lock_take(&kept_lock);
		if (k->count < KEPT_MAX) {
			k->leases[(k->first + k->count++) % KEPT_MAX] = *l;
			fd = -1;
		} else {
			k->alive--;
		}
		lock_drop(&kept_lock);
	}
	if (fd >= 0)
		(void)host_close(fd);
	l->fd = -1;
}
