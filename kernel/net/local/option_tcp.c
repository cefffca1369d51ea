/* SPDX-License-Identifier: MIT */
/* option_tcp.c - SOL_TCP of sockets in memory: tcp(7).
 *
 * What heeds the network alone (timers, congestion, segments) is kept and changes
 * nothing, as nothing is lost or late. */
#include "abi/errno.h"
#include "abi/inet.h"
#include "base/ref.h"
#include "host/host.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "net/local/internal.h"
#include "net/local/local.h"
#include "net/net_ns.h"
#include "time/clock.h"

enum {
	LEAST_MSS = 88,
	WINDOW_MAX = 32767,
	KEEP_MAX = 32767,
	COUNT_MAX = 127,
	KEEP_IDLE = 7200,
	KEEP_INTERVAL = 75,
	KEEP_COUNT = 9,
	SYN_COUNT = 6,
	RETRY_MAX = 120,
	RECEIVE_LEAST = 2304,
	DEFAULT_MSS = 536,
	INFO_STATE_AT = 0,
	KEY_SIZE = 16,
	SOMAXCONN_ = 4096,
	TCP_SAVE_SYN_MAX = 2,
	RTO_MAX_LEAST = 1000, /* ms */
	RTO_MAX = 120000,
	TICK = 4000, /* us: times are kept as a number of them, at HZ=250 */
	TICKS_MIN = 2,
	TX_DELAY_MAX = (1 << 28) - 1,
	REPAIR_WINDOW_SIZE = 20,
	TICKS_MAX = 50, /* a fifth of a second */
};

void local_tcp_options_init(struct local_options *o)
{
	static const char cubic[] = "cubic";

	memcpy(o->congestion, cubic, sizeof(cubic));
	o->keep_idle = KEEP_IDLE;
	o->keep_interval = KEEP_INTERVAL;
	o->keep_count = KEEP_COUNT;
	o->syn_count = SYN_COUNT;
	o->rto_max = RTO_MAX;
	o->rto_min = TICKS_MAX * TICK;
	o->delack_max = TICKS_MAX * TICK;
}

/* Whether it is closed, or listens: what may still be set. */
static bool is_closed(const struct socket *s)
{
	const struct local_socket *l = local_of(s);

	return !tcp_conn_of(&l->inet) && !l->is_listening;
}

/* How many times something is asked for, for so many seconds, and back. */
static uint8_t retries_of(int seconds)
{
	int wait = 1;
	int period = 1;
	uint8_t count = 0;

	if (seconds <= 0)
		return 0;
	for (count = 1; seconds > period && count < UINT8_MAX; count++) {
		wait = MIN(wait * 2, (int)RETRY_MAX);
		period += wait;
	}
	return count;
}

static int seconds_of(uint8_t count)
{
	int wait = 1;
	int period = 0;

	if (!count)
		return 0;
	period = wait;
	while (--count) {
		wait = MIN(wait * 2, (int)RETRY_MAX);
		period += wait;
	}
	return period;
}

static int set_congestion(struct local_options *o, const void *value, int len)
{
	static const char *const known[] = {"cubic", "reno"};
	char name[LOCAL_CONGESTION_MAX] = {0};

	if (len < 1)
		return -EINVAL;
	memcpy(name, value, (size_t)MIN(len, LOCAL_CONGESTION_MAX - 1));
	for (size_t k = 0; k < ARRAY_SIZE(known); k++) {
		if (strcmp(name, known[k]) != 0)
			continue;
		memcpy(o->congestion, name, sizeof(name));
		return 0;
	}
	return -ENOENT;
}

static int set_key(struct local_options *o, const void *value, int len)
{
	if (len != KEY_SIZE && len != 2 * KEY_SIZE)
		return -EINVAL;
	memcpy(o->fastopen_key, value, (size_t)len);
	o->fastopen_key_size = (uint8_t)len;
	return 0;
}

/* A number in a range is kept. */
static int keep(int n, int first, int last, void *to, size_t size)
{
	if (n < first || n > last)
		return -EINVAL;
	memcpy(to, &n, size);
	return 0;
}

/* Microseconds, which become whole ticks. */
static int keep_ticks(int n, uint32_t *to)
{
	int ticks = n < 0 ? -1 : n / TICK + (n % TICK != 0);

	if (ticks < TICKS_MIN || ticks > TICKS_MAX)
		return -EINVAL;
	*to = (uint32_t)(ticks * TICK);
	return 0;
}

static int set_clamp(const struct socket *s, struct local_options *o, int n)
{
	if (!n && !is_closed(s))
		return -EINVAL;
	o->window_clamp = n ? MAX(n, RECEIVE_LEAST / 2) : 0;
	return 0;
}

static int set_fastopen(const struct socket *s, struct local_options *o, int name, int n)
{
	bool may_listen = name != TCP_FASTOPEN_CONNECT;
	const struct local_socket *l = local_of(s);

	if (n < 0 || (name != TCP_FASTOPEN && n > 1))
		return -EINVAL;
	if (!is_closed(s) && !(may_listen && l->is_listening))
		return -EINVAL;
	if (name == TCP_FASTOPEN)
		o->fastopen = MIN(n, (int)SOMAXCONN_);
	else if (name == TCP_FASTOPEN_CONNECT)
		o->has_fastopen_connect = n;
	else
		o->has_no_cookie = n;
	return 0;
}

static int set_timer(struct local_options *o, int name, int n)
{
	switch (name) {
	case TCP_KEEPIDLE:
		return keep(n, 1, KEEP_MAX, &o->keep_idle, sizeof(o->keep_idle));
	case TCP_KEEPINTVL:
		return keep(n, 1, KEEP_MAX, &o->keep_interval, sizeof(o->keep_interval));
	case TCP_KEEPCNT:
		return keep(n, 1, COUNT_MAX, &o->keep_count, sizeof(o->keep_count));
	case TCP_SYNCNT:
		return keep(n, 1, COUNT_MAX, &o->syn_count, sizeof(o->syn_count));
	case TCP_USER_TIMEOUT:
		return keep(n, 0, INT32_MAX, &o->user_timeout, sizeof(o->user_timeout));
	case TCP_LINGER2:
		o->linger2 = tcp_linger2_of(n);
		return 0;
	case TCP_DEFER_ACCEPT:
		o->defer_accept = retries_of(n);
		return 0;
	case TCP_RTO_MAX_MS:
		return keep(n, RTO_MAX_LEAST, RTO_MAX, &o->rto_max, sizeof(o->rto_max));
	case TCP_RTO_MIN_US:
		return keep_ticks(n, &o->rto_min);
	case TCP_DELACK_MAX_US:
		return keep_ticks(n, &o->delack_max);
	default:
		return -ENOPROTOOPT;
	}
}

static int set_value(struct socket *s, struct local_options *o, int name, int n)
{
	switch (name) {
	case TCP_MAXSEG:
		if (!n)
			o->max_segment = 0;
		return n ? keep(n, LEAST_MSS, WINDOW_MAX, &o->max_segment,
				sizeof(o->max_segment))
			 : 0;
	case TCP_NODELAY:
		o->is_nodelay = n;
		return 0;
	case TCP_CORK:
		o->is_corked = n;
		return 0;
	case TCP_QUICKACK:
		o->no_quickack = !n;
		return 0;
	case TCP_WINDOW_CLAMP:
		return set_clamp(s, o, n);
	case TCP_THIN_LINEAR_TIMEOUTS:
		return keep(n, 0, 1, &o->thin, sizeof(o->thin));
	case TCP_THIN_DUPACK:
		return n < 0 || n > 1 ? -EINVAL : 0;
	case TCP_SAVE_SYN:
		return keep(n, 0, TCP_SAVE_SYN_MAX, &o->save_syn, sizeof(o->save_syn));
	case TCP_NOTSENT_LOWAT:
		o->unsent_low = (uint32_t)n;
		return 0;
	case TCP_INQ:
		return keep(n, 0, 1, &o->tells_size, sizeof(o->tells_size));
	case TCP_TX_DELAY:
		return keep(n, 0, TX_DELAY_MAX, &o->tx_delay, sizeof(o->tx_delay));
	case TCP_FASTOPEN:
	case TCP_FASTOPEN_CONNECT:
	case TCP_FASTOPEN_NO_COOKIE:
		return set_fastopen(s, o, name, n);
	case TCP_TIMESTAMP:
	case TCP_REPAIR:
	case TCP_REPAIR_QUEUE:
	case TCP_REPAIR_WINDOW:
		return -EPERM;
	case TCP_QUEUE_SEQ:
		return is_closed(s) ? -EINVAL : -EPERM;
	case TCP_REPAIR_OPTIONS:
		return -EINVAL;
	default:
		return set_timer(o, name, n);
	}
}

/* What the connection heeds. */
static void note(struct socket *s, int name, int n)
{
	struct inet_socket *i = inet_of(s);
	bool is_heeded = true;

	lock_take(&i->lock);
	switch (name) {
	case TCP_CORK:
		i->set.is_corked = n;
		break;
	case TCP_NODELAY:
		break;
	case TCP_INQ:
		i->set.tells_size = n;
		atomic_store(&i->tells_more, true);
		break;
	case TCP_NOTSENT_LOWAT:
		i->set.unsent_low = (uint32_t)n;
		break;
	case TCP_LINGER2:
		i->set.linger2 = tcp_linger2_of(n);
		break;
	default:
		is_heeded = false;
		break;
	}
	lock_drop(&i->lock);
	if (is_heeded)
		tcp_settings_apply(i, name == TCP_NODELAY && n);
}

static int set_tcp(struct socket *s, int name, const void *value, int len)
{
	struct local_socket *l = local_of(s);
	int n = 0;
	int err;

	if (name == TCP_ULP)
		return len < 1 ? -EINVAL : -ENOENT;
	lock_take(&l->option_lock);
	if (name == TCP_CONGESTION) {
		err = set_congestion(&l->options, value, len);
	} else if (name == TCP_FASTOPEN_KEY) {
		err = set_key(&l->options, value, len);
	} else if (len < (int)sizeof(n)) {
		err = -EINVAL;
	} else {
		memcpy(&n, value, sizeof(n));
		err = set_value(s, &l->options, name, n);
	}
	lock_drop(&l->option_lock);
	if (!err)
		note(s, name, n);
	return err;
}

int local_tcp_set_option(struct socket *s, int level, int name, const void *value,
			 int len)
{
	int err;

	if (level != SOL_TCP)
		return local_set_option(s, level, name, value, len);
	err = set_tcp(s, name, value, len);
	if (!err)
		local_options_changed(s);
	return err;
}

/* ---- reading ---- */

static int max_segment(const struct socket *s)
{
	const struct local_socket *l = local_of(s);
	struct tcp_conn *c = tcp_conn_of(&l->inet);
	int own = l->options.max_segment;
	int most;

	if (!c)
		return own ? own : DEFAULT_MSS;
	most = (int)tcp_segment_size(c, l->inet.side);
	return own ? MIN(own, most) : most;
}

static void get_info(const struct socket *s, void *value, int *len)
{
	uint8_t info[TCP_INFO_SIZE] = {0};
	const struct local_socket *l = local_of(s);
	struct tcp_conn *c = tcp_conn_of(&l->inet);
	uint32_t queued;

	if (c) {
		lock_take(&c->lock);
		tcp_info_fill(c, l->inet.side, info);
		lock_drop(&c->lock);
	} else {
		info[INFO_STATE_AT] = l->is_listening ? INET_LISTEN : INET_CLOSE;
	}
	if (!c && l->is_listening) {
		queued = tcp_queued(inet_of(s));
		memcpy(info + TCP_INFO_UNACKED, &queued, sizeof(queued));
		queued = tcp_backlog(inet_of(s));
		memcpy(info + TCP_INFO_SACKED, &queued, sizeof(queued));
	}
	option_put(value, len, info, sizeof(info));
}

static int get_timer(const struct local_options *o, int name, int *n)
{
	switch (name) {
	case TCP_KEEPIDLE:
		*n = (int)o->keep_idle;
		return 0;
	case TCP_KEEPINTVL:
		*n = (int)o->keep_interval;
		return 0;
	case TCP_KEEPCNT:
		*n = o->keep_count;
		return 0;
	case TCP_SYNCNT:
		*n = o->syn_count;
		return 0;
	case TCP_USER_TIMEOUT:
		*n = o->user_timeout;
		return 0;
	case TCP_DEFER_ACCEPT:
		*n = seconds_of(o->defer_accept);
		return 0;
	case TCP_RTO_MAX_MS:
		*n = (int)o->rto_max;
		return 0;
	case TCP_RTO_MIN_US:
		*n = (int)o->rto_min;
		return 0;
	case TCP_DELACK_MAX_US:
		*n = (int)o->delack_max;
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

static int get_value(const struct socket *s, int name, int *n)
{
	const struct local_options *o = &local_of(s)->options;

	switch (name) {
	case TCP_MAXSEG:
		*n = max_segment(s);
		return 0;
	case TCP_LINGER2:
		*n = o->linger2 ? o->linger2
				: atomic_load_relaxed(&s->net->settings.fin_timeout);
		return 0;
	case TCP_NODELAY:
		*n = o->is_nodelay;
		return 0;
	case TCP_CORK:
		*n = o->is_corked;
		return 0;
	case TCP_QUICKACK:
		*n = !o->no_quickack;
		return 0;
	case TCP_WINDOW_CLAMP:
		*n = o->window_clamp;
		return 0;
	case TCP_THIN_LINEAR_TIMEOUTS:
		*n = o->thin;
		return 0;
	case TCP_THIN_DUPACK:
	case TCP_REPAIR:
	case TCP_IS_MPTCP:
		*n = 0;
		return 0;
	case TCP_SAVE_SYN:
		*n = o->save_syn;
		return 0;
	case TCP_NOTSENT_LOWAT:
		*n = (int)o->unsent_low;
		return 0;
	case TCP_INQ:
		*n = o->tells_size;
		return 0;
	case TCP_TX_DELAY:
		*n = o->tx_delay;
		return 0;
	case TCP_FASTOPEN:
		*n = o->fastopen;
		return 0;
	case TCP_FASTOPEN_CONNECT:
		*n = o->has_fastopen_connect;
		return 0;
	case TCP_FASTOPEN_NO_COOKIE:
		*n = o->has_no_cookie;
		return 0;
	case TCP_TIMESTAMP:
		*n = (int)(clock_now(CLOCK_MONOTONIC) / 1000000);
		return 0;
	case TCP_REPAIR_QUEUE:
	case TCP_QUEUE_SEQ:
		return -EINVAL;
	default:
		return get_timer(o, name, n);
	}
}

static int get_tcp(struct socket *s, int name, void *value, int *len)
{
	const struct local_options *o = &local_of(s)->options;
	int n = 0;
	int err;

	switch (name) {
	case TCP_INFO:
		get_info(s, value, len);
		return 0;
	case TCP_CONGESTION:
		option_put(value, len, o->congestion, sizeof(o->congestion));
		return 0;
	case TCP_FASTOPEN_KEY:
		option_put(value, len, o->fastopen_key, o->fastopen_key_size);
		return 0;
	case TCP_CC_INFO: /* neither algorithm tells anything */
	case TCP_SAVED_SYN:
	case TCP_ULP: /* there is none */
		*len = 0;
		return 0;
	case TCP_REPAIR_WINDOW:
		return *len == REPAIR_WINDOW_SIZE ? -EPERM : -EINVAL;
	default:
		err = get_value(s, name, &n);
		if (!err)
			option_put(value, len, &n, sizeof(n));
		return err;
	}
}

static int take_error(struct socket *s)
{
	struct inet_socket *i = inet_of(s);
	struct tcp_conn *c = tcp_conn_of(i);
	int err;

	if (unlikely(i->outside != NULL))
		return inet_outside_error(s);
	if (!c)
		return atomic_xchg(&i->error, 0);
	lock_take(&c->lock);
	err = -tcp_take_error(tcp_mine(c, i));
	lock_drop(&c->lock);
	return err;
}

/* Of SOL_SOCKET what depends on the connection. */
static bool get_general(struct socket *s, int name, int *n)
{
	const struct inet_socket *i = inet_of(s);
	bool is_tuned = tcp_conn_of(i);

	switch (name) {
	case SO_ERROR:
		*n = take_error(s);
		return true;
	case SO_ACCEPTCONN:
		*n = local_of(s)->is_listening;
		return true;
	case SO_SNDBUF:
		*n = TCP_SEND_SIZE;
		return is_tuned && !i->set.send_size;
	case SO_RCVBUF:
		*n = TCP_RECEIVE_SIZE;
		return is_tuned && !i->set.receive_size;
	default:
		return false;
	}
}

int local_tcp_get_option(struct socket *s, int level, int name, void *value, int *len)
{
	int n;

	if (level == SOL_TCP)
		return get_tcp(s, name, value, len);
	if (level == SOL_SOCKET && get_general(s, name, &n)) {
		option_put(value, len, &n, sizeof(n));
		return 0;
	}
	return local_get_option(s, level, name, value, len);
}
