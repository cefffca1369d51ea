/* SPDX-License-Identifier: MIT */
/* option.c - socket options of sockets in memory: those of SOL_SOCKET, and what accepted
 * sockets start with.
 *
 * An option is checked as Linux checks it and kept; what heeds it looks where it is kept.
 * TCP in memory has those that it heeds once more, in struct tcp_settings. */
#include "abi/capability.h"
#include "abi/errno.h"
#include "abi/inet.h"
#include "base/ref.h"
#include "base/slab.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "net/local/group.h"
#include "net/local/internal.h"
#include "net/local/local.h"

enum {
	IFNAMSIZ = 16,
	LO_INDEX = 1,
	RECEIVE_LOCKED = 2,	/* SO_BUF_LOCK */
	TCP_RMEM_MAX = 6291456, /* net.ipv4.tcp_rmem */
	TXREHASH_DEFAULT = 1,	/* net.core.txrehash */
	STAMP_OPT_ID = 1 << 7,
	STAMP_RX_SOFTWARE = 1 << 3, /* SOF_TIMESTAMPING_… */
	STAMP_SOFTWARE = 1 << 4,
};

/* ---- what an accepted socket starts with ---- */

/* All that is set on a listener. One serves all connections until the next is set. */
struct local_seed {
	struct ref refs;
	bool is_v6only;
	struct tcp_settings set;
	struct local_options options;
	struct socket plain; /* its options alone */
};

static SLAB_CACHE(local_seed_slab, "local_seed", sizeof(struct local_seed), 8);

void local_seed_put(struct local_seed *d)
{
	if (d && ref_put(&d->refs))
		slab_free(&local_seed_slab, d);
}

struct local_seed *local_seed_get(struct local_socket *l)
{
	struct local_seed *d;

	lock_take(&l->option_lock);
	d = l->seed;
	if (!d) {
		d = slab_alloc_zeroed(&local_seed_slab);
		if (d) {
			ref_init(&d->refs);
			d->is_v6only = l->is_v6only;
			d->set = l->inet.set;
			d->options = l->options;
			socket_plain_copy(&d->plain, l->inet.socket);
			l->seed = d;
		}
	}
	if (d)
		ref_get(&d->refs);
	lock_drop(&l->option_lock);
	return d;
}

void local_seed_apply(const struct local_seed *d, struct local_socket *l)
{
	l->is_v6only = d->is_v6only;
	l->inet.set = d->set;
	l->options = d->options;
	l->options.defer_accept = 0; /* it is the listener's alone */
	socket_plain_copy(l->inet.socket, &d->plain);
}

static void drop_seed(struct local_socket *l)
{
	struct local_seed *d;

	lock_take(&l->option_lock);
	d = l->seed;
	l->seed = NULL;
	lock_drop(&l->option_lock);
	local_seed_put(d);
}

void local_options_init(struct local_options *o)
{
	memset(o, 0, sizeof(*o));
	o->peek_off = -1;
	o->txrehash = TXREHASH_DEFAULT;
	local_ip_options_init(o);
	local_ip6_options_init(o);
	local_tcp_options_init(o);
}

void local_options_fini(struct local_socket *l)
{
	drop_seed(l);
}

/* ---- devices: there is lo alone ---- */

int local_device_find(const char *name, uint32_t *index)
{
	*index = 0;
	if (!name[0])
		return 0;
	if (strcmp(name, "lo") != 0)
		return -ENODEV;
	*index = LO_INDEX;
	return 0;
}

bool local_device_is(uint32_t index)
{
	return index == LO_INDEX;
}

static int bind_device(struct socket *s, uint32_t index)
{
	struct local_socket *l = local_of(s);

	if (l->options.device && !local_capable(s, CAP_NET_RAW))
		return -EPERM;
	if ((int)index < 0)
		return -EINVAL;
	l->options.device = index;
	return 0;
}

static int bind_named_device(struct socket *s, const void *value, int len)
{
	char name[IFNAMSIZ] = {0};
	uint32_t index;
	int err;

	memcpy(name, value, (size_t)MIN(len, IFNAMSIZ - 1));
	err = local_device_find(name, &index);
	return err ? err : bind_device(s, index);
}

static int get_device(const struct local_socket *l, void *value, int *len)
{
	static const char name[] = "lo";

	if (!l->options.device) {
		*len = 0;
		return 0;
	}
	if (*len < IFNAMSIZ)
		return -EINVAL;
	option_put(value, len, name, sizeof(name));
	return 0;
}

/* ---- SOL_SOCKET ---- */

static uint32_t low_water_cap(const struct socket *s)
{
	return (s->buffer_lock & RECEIVE_LOCKED ? s->receive_size
						: (uint32_t)TCP_RMEM_MAX) /
	       2;
}

/* Of TCP: what its connection heeds. False: that does not. inet_socket.lock is held. */
static bool note_locked(struct socket *s, struct tcp_settings *set, int name, int n)
{
	switch (name) {
	case SO_SNDBUF:
	case SO_SNDBUFFORCE:
		set->send_size = s->send_size;
		break;
	case SO_RCVBUF:
	case SO_RCVBUFFORCE:
		set->receive_size = s->receive_size;
		break;
	case SO_RCVLOWAT:
		s->low_water = MIN(s->low_water, low_water_cap(s));
		set->low_water = s->low_water;
		break;
	case SO_OOBINLINE:
		set->is_inline = n;
		break;
	case SO_ZEROCOPY:
		set->has_notes = n;
		break;
	case SO_LINGER:
		set->aborts = n && !s->linger_time;
		set->linger_seconds = n ? (uint32_t)MAX(s->linger_time, 0) : 0;
		break;
	case SO_TIMESTAMP:
	case SO_TIMESTAMPNS:
	case SO_TIMESTAMP_NEW:
	case SO_TIMESTAMPNS_NEW:
		set->stamps = n ? (uint8_t)name : 0;
		break;
	case SO_TIMESTAMPING:
	case SO_TIMESTAMPING_NEW:
		set->full_stamps = (n & STAMP_RX_SOFTWARE) && (n & STAMP_SOFTWARE)
					   ? (uint8_t)name
					   : 0;
		break;
	default:
		return false;
	}
	return true;
}

static void note(struct socket *s, int name, int n)
{
	struct inet_socket *i = inet_of(s);
	bool is_heeded;

	lock_take(&i->lock);
	is_heeded = note_locked(s, &i->set, name, n);
	if (i->set.stamps || i->set.full_stamps)
		atomic_store(&i->tells_more, true);
	lock_drop(&i->lock);
	if (!is_heeded)
		return;
	tcp_settings_apply(i, false);
	if (name == SO_RCVLOWAT)
		tcp_low_water_set(i);
}

/* Those that internet sockets have otherwise than the rest. True: *err is the answer. */
static bool set_own(struct socket *s, int name, int n, int *err)
{
	struct local_options *o = &local_of(s)->options;

	*err = 0;
	switch (name) {
	case SO_REUSEPORT:
		o->shares_port = n;
		return true;
	case SO_BINDTOIFINDEX:
		*err = bind_device(s, (uint32_t)n);
		return true;
	case SO_ZEROCOPY:
		if (s->type == SOCK_RAW)
			*err = -EOPNOTSUPP;
		else if (n < 0 || n > 1)
			*err = -EINVAL;
		else
			o->has_zerocopy = n;
		if (!*err && s->type == SOCK_STREAM)
			note(s, name, n);
		return true;
	case SO_PEEK_OFF:
		o->peek_off = n;
		return true;
	case SO_TXREHASH:
		if (s->type != SOCK_STREAM)
			*err = -EOPNOTSUPP;
		else if (n < -1 || n > 1)
			*err = -EINVAL;
		else
			o->txrehash = n < 0 ? TXREHASH_DEFAULT : (uint8_t)n;
		return true;
	default:
		return false;
	}
}

/* The bytes of a stream are numbered from the first on that is sent after it is set. */
static int check_stamping(const struct socket *s, int n)
{
	return s->type == SOCK_STREAM && (n & STAMP_OPT_ID) &&
			       !(s->stamping & STAMP_OPT_ID) && !tcp_conn_of(inet_of(s))
		       ? -EINVAL
		       : 0;
}

static int set_general(struct socket *s, int name, const void *value, int len)
{
	int n = 0;
	int err = 0;

	if (name == SO_BINDTODEVICE)
		return bind_named_device(s, value, len);
	if (len < (int)sizeof(n))
		return -EINVAL;
	memcpy(&n, value, sizeof(n));
	if (set_own(s, name, n, &err))
		return err;
	if (name == SO_TIMESTAMPING || name == SO_TIMESTAMPING_NEW)
		err = check_stamping(s, n);
	if (err)
		return err;
	err = socket_set_plain_option(s, name, value, len);
	if (!err && s->type == SOCK_STREAM)
		note(s, name, n);
	return err;
}

static bool get_own(struct socket *s, int name, int *n)
{
	const struct local_options *o = &local_of(s)->options;

	switch (name) {
	case SO_REUSEPORT:
		*n = o->shares_port;
		return true;
	case SO_BINDTOIFINDEX:
		*n = (int)o->device;
		return true;
	case SO_ZEROCOPY:
		*n = o->has_zerocopy;
		return true;
	case SO_PEEK_OFF:
		*n = o->peek_off;
		return true;
	case SO_TXREHASH:
		*n = o->txrehash;
		return s->type == SOCK_STREAM;
	default:
		return false;
	}
}

static int get_general(struct socket *s, int name, void *value, int *len)
{
	int n;
	int err;

	if (name == SO_BINDTODEVICE)
		return get_device(local_of(s), value, len);
	if (get_own(s, name, &n)) {
		option_put(value, len, &n, sizeof(n));
		return 0;
	}
	if (inet_get_common(s, name, value, len, &err))
		return err;
	return socket_get_plain_option(s, name, value, len);
}

/* ---- all levels ---- */

int local_set_option(struct socket *s, int level, int name, const void *value, int len)
{
	int err;

	if (inet_level_is_foreign(s, level))
		return -ENOPROTOOPT;
	if (group_is_option(level, name))
		return group_set_option(s, level, name, value, len);
	switch (level) {
	case SOL_SOCKET:
		err = set_general(s, name, value, len);
		break;
	case SOL_IP:
		err = local_ip_set(s, name, value, len);
		break;
	case SOL_IPV6:
		err = local_ip6_set(s, name, value, len);
		break;
	default:
		return -ENOPROTOOPT;
	}
	if (!err)
		drop_seed(local_of(s));
	return err;
}

void local_options_changed(struct socket *s)
{
	drop_seed(local_of(s));
}

int local_get_option(struct socket *s, int level, int name, void *value, int *len)
{
	if (inet_level_is_foreign(s, level))
		return s->family == AF_INET ? -EOPNOTSUPP : -ENOPROTOOPT;
	if (group_is_option(level, name))
		return group_get_option(s, level, name, value, len);
	switch (level) {
	case SOL_SOCKET:
		return get_general(s, name, value, len);
	case SOL_IP:
		return local_ip_get(s, name, value, len);
	case SOL_IPV6:
		return local_ip6_get(s, name, value, len);
	default:
		return -ENOPROTOOPT;
	}
}
