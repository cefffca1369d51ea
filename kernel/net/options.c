/* SPDX-License-Identifier: MIT */
/* options.c - socket options of level SOL_SOCKET that do not depend on the family
 * (socket(7)).
 *
 * Limits against Linux: busy polling and SO_TIMESTAMPING are kept and do nothing for
 * families in memory. docs/sockets.md has them all. */
#include "abi/capability.h"
#include "abi/errno.h"
#include "abi/inet.h"
#include "abi/socket.h"
#include "abi/time.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "net/filter.h"
#include "net/net_ns.h"
#include "net/socket.h"
#include "process/creds.h"
#include "process/user_ns.h"
#include "time/clock.h"

/* As Linux has them by default; buffers are twice what is asked for. */
enum {
	BUFFER_MAX = 4194304, /* net.core.wmem_max, rmem_max */
	SEND_BUFFER_MIN = 4608,
	RECEIVE_BUFFER_MIN = 2304,
	PRIORITY_FREE_MAX = 6,
	SEND_LOCKED = 1, /* SO_BUF_LOCK: the size was asked for */
	RECEIVE_LOCKED = 2,
	BUDGET_MAX = 65535,
	TXTIME_FLAGS = 3, /* SOF_TXTIME_… */
	MEMINFO_COUNT = 9,
	MEMINFO_RCVBUF = 1,
	MEMINFO_SNDBUF = 3,
	STAMPING_ALL = (1 << 18) - 1, /* SOF_TIMESTAMPING_… */
	STAMPING_OPT_ID = 1 << 7,
	STAMPING_OPT_ID_TCP = 1 << 16,
	BPF_EXTENSIONS = 64, /* SKF_AD_MAX */
};

void option_put(void *value, int *len, const void *data, size_t size)
{
	*len = MIN(*len, (int)size);
	memcpy(value, data, (size_t)*len);
}

static void option_put_int(void *value, int *len, int n)
{
	option_put(value, len, &n, sizeof(n));
}

/* ---- times ---- */

static int timeout_set(nsec_t *timeout, const void *value, int len)
{
	struct linux_timeval tv;

	if (len < (int)sizeof(tv))
		return -EINVAL;
	memcpy(&tv, value, sizeof(tv));
	if (tv.tv_usec < 0 || tv.tv_usec >= 1000000)
		return -EDOM;
	if (tv.tv_sec < 0)
		atomic_store_relaxed(timeout, 0);
	else if (!tv.tv_sec && !tv.tv_usec)
		atomic_store_relaxed(timeout, NSEC_NEVER);
	else
		atomic_store_relaxed(timeout, timespec_to_nsec(&(struct linux_timespec){
						      tv.tv_sec, tv.tv_usec * 1000}));
	return 0;
}

static void timeout_get(const nsec_t *timeout, void *value, int *len)
{
	nsec_t t = atomic_load_relaxed(timeout);
	struct linux_timeval tv = {0, 0};

	if (t != NSEC_NEVER)
		tv = nsec_to_timeval(t);
	option_put(value, len, &tv, sizeof(tv));
}

/* ---- for all families ---- */

int socket_set_option(struct socket *s, int level, int name, const void *value, int len)
{
	if (level == SOL_SOCKET) {
		switch (name) {
		case SO_TYPE:
		case SO_DOMAIN:
		case SO_PROTOCOL:
		case SO_ERROR:
		case SO_ACCEPTCONN:
		case SO_PEERCRED:
			return len < (int)sizeof(int) ? -EINVAL : -ENOPROTOOPT;
		case SO_RCVTIMEO:
		case SO_RCVTIMEO_NEW:
			return timeout_set(&s->receive_timeout, value, len);
		case SO_SNDTIMEO:
		case SO_SNDTIMEO_NEW:
			return timeout_set(&s->send_timeout, value, len);
		default:
			if (socket_filter_is_option(name))
				return socket_filter_set(s, name, value, len);
			break;
		}
	}
	return s->ops->set_option ? s->ops->set_option(s, level, name, value, len)
				  : -EOPNOTSUPP;
}

int socket_get_option(struct socket *s, int level, int name, void *value, int *len)
{
	int kept;

	if (level == SOL_SOCKET) {
		switch (name) {
		case SO_TYPE:
			option_put_int(value, len, s->type);
			return 0;
		case SO_DOMAIN:
			option_put_int(value, len, s->family);
			return 0;
		case SO_PROTOCOL:
			option_put_int(value, len, s->protocol);
			return 0;
		case SO_RCVTIMEO:
		case SO_RCVTIMEO_NEW:
			timeout_get(&s->receive_timeout, value, len);
			return 0;
		case SO_SNDTIMEO:
		case SO_SNDTIMEO_NEW:
			timeout_get(&s->send_timeout, value, len);
			return 0;
		case SO_LOCK_FILTER:
			option_put_int(value, len, socket_filter_is_locked(s));
			return 0;
		case SO_ERROR:
			kept = socket_take_kept(s);
			if (likely(!kept))
				break;
			option_put_int(value, len, -kept);
			return 0;
		default:
			break;
		}
	}
	return s->ops->get_option ? s->ops->get_option(s, level, name, value, len)
				  : -EOPNOTSUPP;
}

void socket_put_stamp(struct socket *s, struct message *m, nsec_t at)
{
	uint32_t flags = atomic_load_relaxed(&s->flags);
	struct linux_timespec ts;
	struct linux_timeval tv;

	if (likely(!(flags & (SOCKET_TIMESTAMP | SOCKET_TIMESTAMPNS))))
		return;
	ts = nsec_to_timespec(at);
	tv = nsec_to_timeval(at);
	if (flags & SOCKET_TIMESTAMP)
		message_put_control(m, SOL_SOCKET, SO_TIMESTAMP, &tv, sizeof(tv));
	else
		message_put_control(m, SOL_SOCKET, SO_TIMESTAMPNS, &ts, sizeof(ts));
}

/* ---- for families in memory ---- */

/* The flag of an option that is one; 0: it is none. */
static uint32_t flag_of(int name)
{
	switch (name) {
	case SO_DEBUG:
		return SOCKET_DEBUG;
	case SO_REUSEADDR:
		return SOCKET_REUSEADDR;
	case SO_DONTROUTE:
		return SOCKET_DONTROUTE;
	case SO_BROADCAST:
		return SOCKET_BROADCAST;
	case SO_KEEPALIVE:
		return SOCKET_KEEPALIVE;
	case SO_OOBINLINE:
		return SOCKET_OOBINLINE;
	case SO_TIMESTAMP:
	case SO_TIMESTAMP_NEW:
		return SOCKET_TIMESTAMP;
	case SO_TIMESTAMPNS:
	case SO_TIMESTAMPNS_NEW:
		return SOCKET_TIMESTAMPNS;
	case SO_RXQ_OVFL:
		return SOCKET_RXQ_OVFL;
	case SO_SELECT_ERR_QUEUE:
		return SOCKET_SELECT_ERR_QUEUE;
	case SO_NO_CHECK:
		return SOCKET_NO_CHECK;
	case SO_RCVMARK:
		return SOCKET_RCVMARK;
	case SO_RCVPRIORITY:
		return SOCKET_RCVPRIORITY;
	case SO_WIFI_STATUS:
		return SOCKET_WIFI_STATUS;
	case SO_NOFCS:
		return SOCKET_NOFCS;
	case SO_PREFER_BUSY_POLL:
		return SOCKET_PREFER_BUSY_POLL;
	default:
		return 0;
	}
}

static void flag_set(struct socket *s, uint32_t flag, bool on)
{
	if (on)
		(void)atomic_or(&s->flags, flag);
	else
		(void)atomic_and(&s->flags, ~flag);
}

static void buffer_set(uint32_t *size, int value, uint32_t min, uint32_t max)
{
	uint32_t wanted = MIN((uint32_t)value, max);

	atomic_store_relaxed(size, MAX(wanted * 2, min));
}

static int linger_set(struct socket *s, const void *value, int len)
{
	struct linux_linger l;

	if (len < (int)sizeof(l))
		return -EINVAL;
	memcpy(&l, value, sizeof(l));
	flag_set(s, SOCKET_LINGER, l.l_onoff);
	if (l.l_onoff)
		s->linger_time = l.l_linger;
	return 0;
}

/* Over the network that s is in; what is the machine's takes more. */
static bool net_capable(const struct socket *s, int cap)
{
	return ns_capable(s->net->ns.owner, cap);
}

bool socket_option_is_own(int name)
{
	switch (name) {
	case SO_PASSCRED:
	case SO_PASSSEC:
	case SO_PASSPIDFD:
	case SO_PASSRIGHTS:
	case SO_WIFI_STATUS:
	case SO_NOFCS:
	case SO_BPF_EXTENSIONS:
	case SO_CNX_ADVICE:
		return true;
	default:
		return false;
	}
}

bool socket_may_have_priority(const struct socket *s, int priority)
{
	return (priority >= 0 && priority <= PRIORITY_FREE_MAX) ||
	       net_capable(s, CAP_NET_ADMIN) || net_capable(s, CAP_NET_RAW);
}

static int buffer_option_set(struct socket *s, int name, int n)
{
	bool forced = name == SO_SNDBUFFORCE || name == SO_RCVBUFFORCE;

	if (forced && !capable(CAP_NET_ADMIN))
		return -EPERM;
	if (forced && n < 0)
		n = 0;
	s->buffer_lock |= name == SO_SNDBUF || name == SO_SNDBUFFORCE ? SEND_LOCKED
								      : RECEIVE_LOCKED;
	if (name == SO_SNDBUF || name == SO_SNDBUFFORCE)
		buffer_set(&s->send_size, n, SEND_BUFFER_MIN,
			   forced ? INT32_MAX / 2 : BUFFER_MAX);
	else
		buffer_set(&s->receive_size, n, RECEIVE_BUFFER_MIN,
			   forced ? INT32_MAX / 2 : BUFFER_MAX);
	return 0;
}

static int txtime_set(struct socket *s, const void *value, int len)
{
	struct {
		int clock;
		uint32_t flags;
	} t;

	if (len != (int)sizeof(t))
		return -EINVAL;
	memcpy(&t, value, sizeof(t));
	if (t.flags & ~(uint32_t)TXTIME_FLAGS)
		return -EINVAL;
	if (t.clock != CLOCK_MONOTONIC && !net_capable(s, CAP_NET_ADMIN))
		return -EPERM;
	s->tx_clock = (uint32_t)t.clock;
	s->tx_flags = t.flags;
	return 0;
}

/* Kept by all families, for a device that those in memory do not have. */
static int device_option_set(struct socket *s, int name, int n, const void *value,
			     int len)
{
	switch (name) {
	case SO_TXTIME:
		return txtime_set(s, value, len);
	case SO_BUSY_POLL_BUDGET:
		if (n > 0 && !capable(CAP_NET_ADMIN))
			return -EPERM;
		return n < 0 || n > BUDGET_MAX ? -EINVAL : 0;
	case SO_MAX_PACING_RATE:
		s->pacing_rate = n == -1 ? UINT64_MAX : (uint32_t)n;
		if (len == (int)sizeof(s->pacing_rate))
			memcpy(&s->pacing_rate, value, sizeof(s->pacing_rate));
		return 0;
	case SO_BUF_LOCK:
		if (n & ~(SEND_LOCKED | RECEIVE_LOCKED))
			return -EINVAL;
		s->buffer_lock = (uint32_t)n;
		return 0;
	case SO_RESERVE_MEM: /* nobody accounts for the memory of such */
		return n < 0 ? -EINVAL : -EOPNOTSUPP;
	case SO_TXREHASH:
	case SO_PEEK_OFF:
	case SO_PASSCRED: /* these are AF_UNIX's */
	case SO_PASSSEC:
	case SO_PASSPIDFD:
	case SO_PASSRIGHTS:
		return -EOPNOTSUPP;
	case SO_CNX_ADVICE: /* there is no other way */
		return 0;
	case SO_INCOMING_CPU:
		s->incoming_cpu = n;
		return 0;
	case SO_BSDCOMPAT:
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

int socket_set_plain_option(struct socket *s, int name, const void *value, int len)
{
	uint32_t flag = flag_of(name);
	int n;

	if (name == SO_BINDTODEVICE)
		return socket_device_bind_name(s, value, len);
	if (len < (int)sizeof(n))
		return -EINVAL;
	memcpy(&n, value, sizeof(n));
	if (flag == SOCKET_DEBUG && n && !capable(CAP_NET_ADMIN))
		return -EACCES;
	if (flag == SOCKET_PREFER_BUSY_POLL && n && !capable(CAP_NET_ADMIN))
		return -EPERM;
	if (flag) {
		flag_set(s, flag, n);
		/* The one or the other. */
		if (n && (flag & (SOCKET_TIMESTAMP | SOCKET_TIMESTAMPNS)))
			flag_set(s, flag ^ (SOCKET_TIMESTAMP | SOCKET_TIMESTAMPNS),
				 false);
		return 0;
	}
	switch (name) {
	case SO_TIMESTAMPING:
	case SO_TIMESTAMPING_NEW:
		if (((uint32_t)n & ~(uint32_t)STAMPING_ALL) ||
		    ((n & STAMPING_OPT_ID_TCP) && !(n & STAMPING_OPT_ID)))
			return -EINVAL;
		s->stamping = (uint32_t)n;
		return 0;
	case SO_BUSY_POLL:
		if (n < 0)
			return -EINVAL;
		if ((uint32_t)n > s->busy_poll && !capable(CAP_NET_ADMIN))
			return -EPERM;
		s->busy_poll = (uint32_t)n;
		return 0;
	case SO_ZEROCOPY:
		return -EOPNOTSUPP;
	case SO_SNDBUF:
	case SO_RCVBUF:
	case SO_SNDBUFFORCE:
	case SO_RCVBUFFORCE:
		return buffer_option_set(s, name, n);
	case SO_PRIORITY:
		if (!socket_may_have_priority(s, n))
			return -EPERM;
		s->priority = (uint32_t)n;
		return 0;
	case SO_MARK:
		if (!net_capable(s, CAP_NET_ADMIN) && !net_capable(s, CAP_NET_RAW))
			return -EPERM;
		s->mark = (uint32_t)n;
		return 0;
	case SO_RCVLOWAT:
		atomic_store_relaxed(&s->low_water,
				     n < 0 ? (uint32_t)INT32_MAX : MAX((uint32_t)n, 1U));
		return 0;
	case SO_LINGER:
		return linger_set(s, value, len);
	case SO_BINDTOIFINDEX:
		return socket_device_bind(s, (uint32_t)n);
	case SO_REUSEPORT:
		return n ? -EOPNOTSUPP : 0;
	default:
		return device_option_set(s, name, n, value, len);
	}
}

void socket_plain_copy(struct socket *to, const struct socket *from)
{
	to->flags = from->flags;
	to->send_size = from->send_size;
	to->receive_size = from->receive_size;
	to->priority = from->priority;
	to->mark = from->mark;
	to->low_water = from->low_water;
	to->stamping = from->stamping;
	to->busy_poll = from->busy_poll;
	to->pacing_rate = from->pacing_rate;
	to->tx_clock = from->tx_clock;
	to->tx_flags = from->tx_flags;
	to->incoming_cpu = from->incoming_cpu;
	to->buffer_lock = from->buffer_lock;
	to->linger_time = from->linger_time;
}

static void meminfo_get(const struct socket *s, void *value, int *len)
{
	uint32_t info[MEMINFO_COUNT] = {
		[MEMINFO_RCVBUF] = s->receive_size,
		[MEMINFO_SNDBUF] = s->send_size,
	};

	option_put(value, len, info, sizeof(info));
}

static void pacing_get(const struct socket *s, void *value, int *len)
{
	uint32_t rate = (uint32_t)MIN(s->pacing_rate, (uint64_t)UINT32_MAX);

	if (*len >= (int)sizeof(s->pacing_rate))
		option_put(value, len, &s->pacing_rate, sizeof(s->pacing_rate));
	else
		option_put(value, len, &rate, sizeof(rate));
}

static int peer_name_get(struct socket *s, void *value, int *len)
{
	struct linux_sockaddr_storage name;
	int size = s->ops->name ? s->ops->name(s, &name, true) : -ENOTCONN;

	if (size < 0)
		return -ENOTCONN;
	if (size < *len)
		return -EINVAL;
	option_put(value, len, &name, (size_t)size);
	return 0;
}

static int device_option_get(struct socket *s, int name, void *value, int *len)
{
	const uint32_t times[] = {s->tx_clock, s->tx_flags};
	const uint64_t cookie = s->net->cookie;

	switch (name) {
	case SO_TXTIME:
		option_put(value, len, times, sizeof(times));
		return 0;
	case SO_MAX_PACING_RATE:
		pacing_get(s, value, len);
		return 0;
	case SO_MEMINFO:
		meminfo_get(s, value, len);
		return 0;
	case SO_BUF_LOCK:
		option_put_int(value, len, (int)s->buffer_lock);
		return 0;
	case SO_INCOMING_CPU:
		option_put_int(value, len, s->incoming_cpu);
		return 0;
	case SO_INCOMING_NAPI_ID:
	case SO_RESERVE_MEM:
	case SO_BSDCOMPAT:
		option_put_int(value, len, 0);
		return 0;
	case SO_TXREHASH:
	case SO_PEEK_OFF:
	case SO_PASSCRED:
	case SO_PASSSEC:
	case SO_PASSPIDFD:
	case SO_PASSRIGHTS:
		return -EOPNOTSUPP;
	case SO_PEERGROUPS:
	case SO_PEERPIDFD:
		return -ENODATA;
	case SO_PEERNAME:
		return peer_name_get(s, value, len);
	case SO_ACCEPTCONN:
		option_put_int(value, len, 0);
		return 0;
	case SO_BPF_EXTENSIONS:
		option_put_int(value, len, BPF_EXTENSIONS);
		return 0;
	case SO_NETNS_COOKIE:
		if (*len != (int)sizeof(cookie))
			return -EINVAL;
		option_put(value, len, &cookie, sizeof(cookie));
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

int socket_get_plain_option(struct socket *s, int name, void *value, int *len)
{
	uint32_t flags = atomic_load_relaxed(&s->flags);
	struct linux_linger l = {(flags & SOCKET_LINGER) != 0, s->linger_time};
	const uint32_t stamping[] = {s->stamping, 0}; /* and no clock of a device's */

	if (flag_of(name)) {
		option_put_int(value, len, (flags & flag_of(name)) != 0);
		return 0;
	}
	switch (name) {
	case SO_SNDBUF:
		option_put_int(value, len, (int)s->send_size);
		return 0;
	case SO_RCVBUF:
		option_put_int(value, len, (int)s->receive_size);
		return 0;
	case SO_PRIORITY:
		option_put_int(value, len, (int)s->priority);
		return 0;
	case SO_MARK:
		option_put_int(value, len, (int)s->mark);
		return 0;
	case SO_RCVLOWAT:
		option_put_int(value, len, (int)s->low_water);
		return 0;
	case SO_SNDLOWAT:
		option_put_int(value, len, 1);
		return 0;
	case SO_BINDTOIFINDEX:
		option_put_int(value, len, (int)s->device);
		return 0;
	case SO_BINDTODEVICE:
		return socket_device_name(s, value, len);
	case SO_REUSEPORT:
		option_put_int(value, len, 0);
		return 0;
	case SO_LINGER:
		option_put(value, len, &l, sizeof(l));
		return 0;
	case SO_TIMESTAMPING:
	case SO_TIMESTAMPING_NEW:
		option_put(value, len, stamping, sizeof(stamping));
		return 0;
	case SO_BUSY_POLL:
		option_put_int(value, len, (int)s->busy_poll);
		return 0;
	case SO_ZEROCOPY:
		option_put_int(value, len, 0);
		return 0;
	case SO_COOKIE:
		if (*len < (int)sizeof(s->cookie))
			return -EINVAL;
		option_put(value, len, &s->cookie, sizeof(s->cookie));
		return 0;
	default:
		return device_option_get(s, name, value, len);
	}
}
