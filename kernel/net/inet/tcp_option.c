/* SPDX-License-Identifier: MIT */
/* tcp_option.c - options of TCP sockets that may be, or come to be, in memory.
 *
 * Whether an option is good, and what it reads as, is the host's to say: who connects has
 * a host socket, though an unconnected one, and an accepted socket gets such a one when
 * it is first asked for an option. That one is then given all that the listener had been
 * given when the connection was made: each socket keeps a list for it. What a connection
 * alone can tell is told here. */
#include "abi/errno.h"
#include "abi/inet.h"
#include "abi/ioctl.h"
#include "base/ref.h"
#include "base/slab.h"
#include "base/waitq.h"
#include "fs/poll.h"
#include "host/host.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "mm/usercopy.h"
#include "net/inet/inet.h"
#include "net/inet/tcp.h"
#include "net/local/local.h"

enum {
	FILTER_CLASSIC = 26, /* filters run on packets, of which there are none here */
	FILTER_BPF = 50,
	VALUE_MAX = 29,
	OPTIONS_MAX = 256,
	STAMP_RX_SOFTWARE = 1 << 3, /* SOF_TIMESTAMPING_… */
	STAMP_SOFTWARE = 1 << 4,
	STAMP_TX = 0x303,
};

struct inet_option {
	uint8_t level, name, len;
	uint8_t value[VALUE_MAX];
};

struct inet_options {
	struct ref refs;
	uint32_t count;
	struct inet_option options[];
};

static struct lock list_lock = LOCK_INIT(RANK_OBJECT2); /* of inet_socket.options */

/* ---- the list of those that were set ---- */

struct inet_options *inet_options_get(struct inet_socket *i)
{
	struct inet_options *o;

	lock_take(&list_lock);
	o = i->options;
	if (o)
		ref_get(&o->refs);
	lock_drop(&list_lock);
	return o;
}

void inet_options_put(struct inet_options *o)
{
	if (o && ref_put(&o->refs))
		kfree(o);
}

/* A copy of old with one option set anew. */
static struct inet_options *with_option(const struct inet_options *old,
					const struct inet_option *fresh)
{
	uint32_t count = old ? old->count : 0;
	struct inet_options *o =
		kmalloc(sizeof(*o) + (count + 1UL) * sizeof(o->options[0]));

	if (!o)
		return NULL;
	ref_init(&o->refs);
	o->count = 0;
	for (uint32_t k = 0; k < count; k++)
		if (old->options[k].level != fresh->level ||
		    old->options[k].name != fresh->name)
			o->options[o->count++] = old->options[k];
	o->options[o->count++] = *fresh;
	return o;
}

/* True: the list, which nobody else has, had that option, and has it set anew: last.
 * list_lock is held. */
static bool list_renew_locked(struct inet_options *o, const struct inet_option *fresh)
{
	uint32_t k = o->count;

	if (ref_count(&o->refs) != 1)
		return false;
	while (k-- > 0) {
		struct inet_option *at = &o->options[k];

		if (at->level != fresh->level || at->name != fresh->name)
			continue;
		memmove(at, at + 1, (o->count - 1 - k) * sizeof(*at));
		o->options[o->count - 1] = *fresh;
		return true;
	}
	return false;
}

static void list_add_option(struct inet_socket *i, const struct inet_option *fresh)
{
	struct inet_options *old;
	struct inet_options *o = NULL;

	lock_take(&list_lock);
	old = i->options;
	if (!(old && list_renew_locked(old, fresh)) && (!old || old->count < OPTIONS_MAX))
		o = with_option(old, fresh);
	if (o)
		i->options = o;
	lock_drop(&list_lock);
	if (o)
		inet_options_put(old);
}

/* ---- the host socket of an accepted one ---- */

static void give_options(int fd, const struct inet_options *o)
{
	for (uint32_t k = 0; o && k < o->count; k++)
		(void)host_setsockopt(fd, o->options[k].level, o->options[k].name,
				      o->options[k].value, o->options[k].len);
}

int inet_option_fd(struct socket *s)
{
	struct inet_socket *i = inet_of(s);
	struct inet_options *o;
	int old = -1;
	int fd;

	if (unlikely(i->outside != NULL))
		return inet_outside_own_fd(s);
	if (s->host_fd >= 0)
		return s->host_fd;
	fd = atomic_load(&i->option_fd);
	if (fd >= 0)
		return fd;
	fd = host_socket(s->family, SOCK_STREAM, IPPROTO_TCP);
	if (fd < 0)
		return fd;
	o = inet_options_get(i);
	give_options(fd, o);
	inet_options_put(o);
	if (atomic_cas(&i->option_fd, old, fd))
		return fd;
	(void)host_close(fd);
	return atomic_load(&i->option_fd);
}

/* ---- setting ---- */

static bool is_one_of(int name, const uint8_t *names, size_t count)
{
	for (size_t k = 0; k < count; k++)
		if (names[k] == name)
			return true;
	return false;
}

/* Whatever only the host's TCP can do for a connection, or that decides where it goes. */
static bool needs_host(int level, int name, uint32_t value)
{
	static const uint8_t general[] = {SO_REUSEPORT,	    SO_BINDTODEVICE,
					  SO_BINDTOIFINDEX, SO_MAX_PACING_RATE,
					  FILTER_CLASSIC,   FILTER_BPF};
	static const uint8_t ip[] = {IP_OPTIONS, IP_MINTTL, IP_FREEBIND, IP_UNICAST_IF,
				     IP_LOCAL_PORT_RANGE};
	static const uint8_t ip6[] = {IPV6_MINHOPCOUNT, IPV6_FREEBIND, IPV6_UNICAST_IF,
				      IPV6_PKTINFO, IPV6_ADDRFORM};
	static const uint8_t tcp[] = {TCP_DEFER_ACCEPT, TCP_SAVE_SYN,
				      TCP_FASTOPEN_CONNECT, TCP_TX_DELAY};

	if (!value)
		return false;
	switch (level) {
	case SOL_SOCKET:
		if (name == SO_TIMESTAMPING || name == SO_TIMESTAMPING_NEW)
			return value & STAMP_TX;
		return is_one_of(name, general, ARRAY_SIZE(general));
	case SOL_IP:
		return is_one_of(name, ip, ARRAY_SIZE(ip));
	case SOL_IPV6:
		return is_one_of(name, ip6, ARRAY_SIZE(ip6));
	case SOL_TCP:
		return is_one_of(name, tcp, ARRAY_SIZE(tcp));
	default:
		return false;
	}
}

static uint32_t read_back(struct socket *s, int level, int name)
{
	int value = 0;
	int len = sizeof(value);
	int fd = inet_option_fd(s);

	return fd >= 0 && !host_getsockopt(fd, level, name, &value, &len) && value > 0
		       ? (uint32_t)value
		       : 0;
}

/* What has become on the host of a size n that was set. */
static uint32_t read_size(struct socket *s, int name, uint32_t n)
{
	if (name == SO_SNDBUF || name == SO_SNDBUFFORCE)
		return read_back(s, SOL_SOCKET, SO_SNDBUF);
	if (name == SO_RCVBUF || name == SO_RCVBUFFORCE)
		return read_back(s, SOL_SOCKET, SO_RCVBUF);
	return name == SO_RCVLOWAT ? read_back(s, SOL_SOCKET, name) : n;
}

static void set_general(struct tcp_settings *set, int name, const void *value, int len,
			uint32_t n)
{
	struct linux_linger l;

	switch (name) {
	case SO_SNDBUF:
	case SO_SNDBUFFORCE:
		set->send_size = n;
		break;
	case SO_RCVBUF:
	case SO_RCVBUFFORCE:
		set->receive_size = n;
		break;
	case SO_RCVLOWAT:
		set->low_water = n;
		break;
	case SO_OOBINLINE:
		set->is_inline = n;
		break;
	case SO_REUSEADDR:
		set->reuses = n;
		break;
	case SO_REUSEPORT:
		set->shares = n;
		break;
	case SO_ZEROCOPY:
		set->has_notes = n;
		break;
	case SO_LINGER:
		if (len < (int)sizeof(l))
			break;
		memcpy(&l, value, sizeof(l));
		set->aborts = l.l_onoff && !l.l_linger;
		set->linger_seconds = l.l_onoff ? (uint32_t)MAX(l.l_linger, 0) : 0;
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
		break;
	}
}

void inet_filter_attached(struct socket *s)
{
	struct inet_socket *i = inet_of(s);

	if (s->type != SOCK_STREAM)
		return;
	atomic_store(&i->is_plain_tcp, false);
	if (atomic_load(&i->listener))
		tcp_listener_end(i, false);
}

void tcp_option_note(struct socket *s, int level, int name, const void *value, int len)
{
	struct inet_socket *i = inet_of(s);
	struct inet_option fresh = {(uint8_t)level, (uint8_t)name, (uint8_t)len, {0}};
	struct tcp_settings *set = &i->set;
	bool is_heeded = true;
	uint32_t n = 0;
	bool has_address =
		level == SOL_SOCKET && (name == FILTER_CLASSIC || name == FILTER_BPF);

	memcpy(&n, value, MIN((size_t)len, sizeof(n)));
	if (!has_address && len <= VALUE_MAX && level <= (int)UINT8_MAX &&
	    name <= (int)UINT8_MAX) {
		memcpy(fresh.value, value, (size_t)len);
		list_add_option(i, &fresh);
	}
	if (needs_host(level, name, n)) {
		atomic_store(&i->is_plain_tcp, false);
		if (atomic_load(&i->listener))
			tcp_listener_end(i, false);
	}
	if (level == SOL_SOCKET)
		n = read_size(s, name, n);
	lock_take(&i->lock);
	if (level == SOL_SOCKET)
		set_general(set, name, value, len, n);
	else if (level == SOL_TCP && name == TCP_INQ)
		set->tells_size = n;
	else if (level == SOL_TCP && name == TCP_NOTSENT_LOWAT)
		set->unsent_low = n;
	else if (level == SOL_TCP && name == TCP_CORK)
		set->is_corked = n;
	else if (level == SOL_TCP && name == TCP_LINGER2)
		set->linger2 = tcp_linger2_of((int)n);
	else if (level == SOL_IPV6 && name == IPV6_V6ONLY)
		set->is_v6only = n;
	else
		is_heeded = level == SOL_TCP && name == TCP_NODELAY;
	lock_drop(&i->lock);
	if (!is_heeded)
		return;
	tcp_settings_apply(i, level == SOL_TCP && name == TCP_NODELAY && n);
	if (level == SOL_SOCKET && name == SO_RCVLOWAT)
		tcp_low_water_set(i);
}

/* IPV6_ADDRFORM: the socket is one of IPv4 from here on. The host lets only connected
 * ones become that, so that it gets another one there; the old one stays until it is
 * closed. */
static int become_v4(struct socket *s, const struct tcp_conn *c, int family)
{
	struct inet_socket *i = inet_of(s);
	struct inet_options *o;
	int fd;

	if (family != AF_INET)
		return -EINVAL;
	if (!c->is_v4)
		return -EADDRNOTAVAIL;
	fd = host_socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
	if (fd < 0)
		return fd;
	o = inet_options_get(i);
	give_options(fd, o);
	inet_options_put(o);
	if (s->host_fd >= 0)
		i->option_fd = s->host_fd;
	s->family = AF_INET;
	atomic_store(&s->host_fd, fd);
	return 0;
}

static bool has_host_connection(const struct inet_socket *i)
{
	return atomic_load_relaxed(&i->is_hosted) && !i->is_local && !i->outside;
}

int tcp_set_option(struct socket *s, int level, int name, const void *value, int len)
{
	struct inet_socket *i = inet_of(s);
	struct tcp_conn *c = tcp_conn_of(i);
	int family;
	int err;
	int n;

	if (c && level == SOL_IPV6 && name == IPV6_ADDRFORM && s->family == AF_INET6 &&
	    len >= (int)sizeof(family)) {
		memcpy(&family, value, sizeof(family));
		return become_v4(s, c, family);
	}
	if (c && level == SOL_IPV6 && name == IPV6_V6ONLY && s->family == AF_INET6)
		return -EINVAL;
	if (!c && level == SOL_TCP && (name == TCP_CORK || name == TCP_NODELAY) &&
	    len >= (int)sizeof(n) && has_host_connection(i)) {
		memcpy(&n, value, sizeof(n));
		return tcp_cork_set(s, name, n);
	}
	err = inet_set_option(s, level, name, value, len);
	if (!err)
		tcp_option_note(s, level, name, value, len);
	return err;
}

/* ---- getting ---- */

/* As Linux has it on its loopback interface. */
enum {
	MTU4 = 65535,
	MTU6 = 65536,
	MSS_CONNECTOR4 = 32741,
	MSS_CONNECTOR6 = 32732,
	MSS_ACCEPTOR = 32768,
	ADVERTISED4 = 65483,
	ADVERTISED6 = 65464,
	MSS_UNKNOWN = 536
};

uint32_t tcp_segment_size(const struct tcp_conn *c, int side)
{
	if (side == ACCEPTOR)
		return MSS_ACCEPTOR;
	return c->is_v4 ? MSS_CONNECTOR4 : MSS_CONNECTOR6;
}

struct tcp_info { /* struct tcp_info, as of Linux 5.4 */
	uint8_t state, ca_state, retransmits, probes, backoff, options, wscale, limited;
	uint32_t rto, ato, snd_mss, rcv_mss;
	uint32_t unacked, sacked, lost, retrans, fackets;
	uint32_t last_data_sent, last_ack_sent, last_data_recv, last_ack_recv;
	uint32_t pmtu, rcv_ssthresh, rtt, rttvar, snd_ssthresh, snd_cwnd, advmss;
	uint32_t reordering, rcv_rtt, rcv_space, total_retrans;
	uint64_t pacing_rate, max_pacing_rate, bytes_acked, bytes_received;
	uint32_t segs_out, segs_in, notsent_bytes, min_rtt, data_segs_in, data_segs_out;
	uint64_t delivery_rate, busy_time, rwnd_limited, sndbuf_limited;
	uint32_t delivered, delivered_ce;
	uint64_t bytes_sent, bytes_retrans;
	uint32_t dsack_dups, reord_seen, rcv_ooopack, snd_wnd;
};
_Static_assert(sizeof(struct tcp_info) == TCP_INFO_SIZE, "struct tcp_info");

void tcp_info_fill(struct tcp_conn *c, int side, uint8_t out[TCP_INFO_SIZE])
{
	const struct tcp_half *me = &c->half[side];
	const struct tcp_half *other = &c->half[c->is_self ? side : !side];
	uint64_t unsent = tcp_unsent(me, other);
	const struct tcp_info info = {
		.state = me->state,
		.options = 7, /* time stamps, SACK, window scaling */
		.wscale = 0xaa,
		.rto = 204000,
		.snd_mss = tcp_segment_size(c, side),
		.rcv_mss = MSS_UNKNOWN,
		.pmtu = c->is_v4 ? MTU4 : MTU6,
		.rcv_ssthresh = c->is_v4 ? ADVERTISED4 : ADVERTISED6,
		.rtt = 20,
		.rttvar = 10,
		.snd_ssthresh = INT32_MAX,
		.snd_cwnd = 10,
		.advmss = c->is_v4 ? ADVERTISED4 : ADVERTISED6,
		.reordering = 3,
		.rcv_space = c->is_v4 ? ADVERTISED4 : ADVERTISED6,
		.max_pacing_rate = UINT64_MAX,
		.bytes_acked = other->in.tail - unsent + 1,
		.bytes_received = me->in.tail,
		.segs_out = other->piece_count + 2,
		.segs_in = me->piece_count + 1,
		.notsent_bytes = (uint32_t)unsent,
		.min_rtt = 10,
		.data_segs_in = me->piece_count,
		.data_segs_out = other->piece_count,
		.delivered = other->piece_count + 1,
		.bytes_sent = other->in.tail - unsent,
		.snd_wnd = 65536,
	};

	memcpy(out, &info, sizeof(info));
}

static void get_info(struct tcp_conn *c, int side, void *value, int *len)
{
	uint8_t info[TCP_INFO_SIZE];

	lock_take(&c->lock);
	tcp_info_fill(c, side, info);
	lock_drop(&c->lock);
	option_put(value, len, info, sizeof(info));
}

static int get_error(struct inet_socket *i, struct tcp_conn *c)
{
	int err;

	lock_take(&c->lock);
	err = -tcp_take_error(tcp_mine(c, i));
	lock_drop(&c->lock);
	return err;
}

/* What the connection knows: true, and *n is the value. */
static bool get_number(struct socket *s, struct tcp_conn *c, int level, int name, int *n)
{
	struct inet_socket *i = inet_of(s);

	switch (level << 8 | name) {
	case SOL_SOCKET << 8 | SO_ERROR:
		*n = get_error(i, c);
		return true;
	case SOL_SOCKET << 8 | SO_SNDBUF:
		*n = TCP_SEND_SIZE;
		return !i->set.send_size;
	case SOL_SOCKET << 8 | SO_RCVBUF:
		*n = TCP_RECEIVE_SIZE;
		return !i->set.receive_size;
	case SOL_IP << 8 | IP_MTU:
	case SOL_IPV6 << 8 | IPV6_MTU:
		*n = c->is_v4 ? MTU4 : MTU6;
		return level == SOL_IP || s->family == AF_INET6;
	case SOL_IPV6 << 8 | IPV6_ADDRFORM:
		*n = s->family;
		return s->family == AF_INET6 && tcp_mine(c, i)->state == TCP_ESTABLISHED;
	case SOL_TCP << 8 | TCP_MAXSEG:
		*n = (int)read_back(s, level, name);
		if (!*n || *n == MSS_UNKNOWN || *n > (int)tcp_segment_size(c, i->side))
			*n = (int)tcp_segment_size(c, i->side);
		return true;
	default:
		return false;
	}
}

int tcp_get_option(struct socket *s, int level, int name, void *value, int *len)
{
	struct inet_socket *i = inet_of(s);
	struct tcp_conn *c = tcp_conn_of(i);
	int n;

	if (c && level == SOL_TCP && name == TCP_INFO) {
		get_info(c, i->side, value, len);
		return 0;
	}
	if (c && get_number(s, c, level, name, &n)) {
		option_put(value, len, &n, sizeof(n));
		return 0;
	}
	if (!c && level == SOL_SOCKET && name == SO_ERROR && atomic_load(&i->error)) {
		n = atomic_xchg(&i->error, 0);
		option_put(value, len, &n, sizeof(n));
		return 0;
	}
	if (level == SOL_TCP && name == TCP_CORK && inet_is_left_corked(s)) {
		n = 0;
		option_put(value, len, &n, sizeof(n));
		return 0;
	}
	return inet_get_option(s, level, name, value, len);
}

/* ---- ioctl ---- */

/* What a receive would find: up to the urgent byte. c's lock is held. */
static size_t readable_size(const struct tcp_half *h)
{
	size_t used = tcp_bytes_there(h);

	if (h->state == TCP_SYN_SENT)
		return 0;
	if (h->set.is_inline || !h->urgent || h->urgent_at < h->in.head ||
	    h->urgent_at >= h->in.head + used)
		return used;
	return (size_t)(h->urgent_at - h->in.head);
}

long tcp_ioctl(struct socket *s, unsigned int cmd, uint64_t arg)
{
	struct inet_socket *i = inet_of(s);
	struct tcp_conn *c = tcp_conn_of(i);
	struct tcp_half *h;
	size_t value;

	if (!c)
		return i->is_local ? local_tcp_ioctl(s, cmd, arg)
				   : inet_ioctl(s, cmd, arg);
	h = tcp_mine(c, i);
	lock_take(&c->lock);
	switch (cmd) {
	case FIONREAD:
		value = readable_size(h);
		break;
	case TIOCOUTQ:
	case SIOCOUTQNSD:
		value = tcp_unsent(h, tcp_other(c, i));
		break;
	case SIOCATMARK:
		value = h->urgent && h->urgent_at == h->in.head;
		break;
	default:
		lock_drop(&c->lock);
		return inet_ioctl(s, cmd, arg);
	}
	lock_drop(&c->lock);
	return put_user_u32(arg, (uint32_t)MIN(value, (size_t)INT32_MAX));
}
