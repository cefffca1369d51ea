/* SPDX-License-Identifier: MIT */
/* option.c - options of packet sockets (packet(7)). */
#include "abi/errno.h"
#include "abi/inet.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "net/packet/internal.h"

/* ---- setting ---- */

static void flag_set(struct packet_socket *p, uint32_t flag, bool on)
{
	if (on)
		(void)atomic_or(&p->flags, flag);
	else
		(void)atomic_and(&p->flags, ~flag);
}

/* What must not change while there is a ring. setup_lock is held. */
static int ring_option_set(struct packet_socket *p, int name, uint32_t n)
{
	bool has_ring = p->ring[RING_RECEIVE].data || p->ring[RING_SEND].data;

	if (name == PACKET_TX_HAS_OFF) {
		if (!has_ring)
			flag_set(p, PACKET_F_TX_HAS_OFF, n);
		return 0;
	}
	if (has_ring)
		return -EBUSY;
	switch (name) {
	case PACKET_VERSION:
		p->version = n;
		return 0;
	case PACKET_RESERVE:
		p->reserve = n;
		return 0;
	case PACKET_LOSS:
		flag_set(p, PACKET_F_LOSS, n);
		return 0;
	default:
		atomic_store_relaxed(&p->vnet_size, n);
		return 0;
	}
}

static int vnet_size_of(const struct packet_socket *p, int name, uint32_t *n)
{
	if (p->socket->type != SOCK_RAW)
		return -EINVAL;
	if (name == PACKET_VNET_HDR)
		*n = *n ? sizeof(struct linux_virtio_net_hdr) : 0;
	else if (*n && *n != sizeof(struct linux_virtio_net_hdr) &&
		 *n != VIRTIO_NET_HDR_MRG_SIZE)
		return -EINVAL;
	return 0;
}

static int check_ring_option(const struct packet_socket *p, int name, uint32_t *n)
{
	switch (name) {
	case PACKET_VERSION:
		return *n > TPACKET_V3 ? -EINVAL : 0;
	case PACKET_RESERVE:
		return *n > INT32_MAX ? -EINVAL : 0;
	case PACKET_VNET_HDR:
	case PACKET_VNET_HDR_SZ:
		return vnet_size_of(p, name, n);
	default:
		return 0;
	}
}

static int set_with_rings(struct packet_socket *p, int name, uint32_t n)
{
	int err = check_ring_option(p, name, &n);

	if (err)
		return err;
	lock_take(&p->setup_lock);
	err = ring_option_set(p, name, n);
	lock_drop(&p->setup_lock);
	return err;
}

static int ignore_outgoing(struct packet_socket *p, uint32_t n)
{
	if (n > 1)
		return -EINVAL;
	lock_take(&packet_lock);
	p->ignores_outgoing = n;
	lo_taps_lock(p->lo);
	p->tap.ignores_outgoing = n;
	lo_taps_unlock(p->lo);
	lock_drop(&packet_lock);
	return 0;
}

/* Those whose value is one number. */
static int number_set(struct packet_socket *p, int name, uint32_t n)
{
	switch (name) {
	case PACKET_COPY_THRESH:
		lock_take(&p->lock);
		p->copy_thresh = n;
		lock_drop(&p->lock);
		return 0;
	case PACKET_AUXDATA:
		flag_set(p, PACKET_F_AUXDATA, n);
		return 0;
	case PACKET_ORIGDEV:
		flag_set(p, PACKET_F_ORIGDEV, n);
		return 0;
	case PACKET_QDISC_BYPASS:
		flag_set(p, PACKET_F_BYPASS, n);
		return 0;
	case PACKET_TIMESTAMP:
		atomic_store_relaxed(&p->stamp, n);
		return 0;
	case PACKET_IGNORE_OUTGOING:
		return ignore_outgoing(p, n);
	default:
		return set_with_rings(p, name, n);
	}
}

/* How long the value must be: exactly, or at least; 0: no such option. */
static bool number_is_long_enough(int name, int len, int *err)
{
	*err = -EINVAL;
	switch (name) {
	case PACKET_AUXDATA:
	case PACKET_ORIGDEV:
	case PACKET_VNET_HDR:
	case PACKET_VNET_HDR_SZ:
		return len >= (int)sizeof(uint32_t);
	case PACKET_COPY_THRESH:
	case PACKET_VERSION:
	case PACKET_RESERVE:
	case PACKET_LOSS:
	case PACKET_TIMESTAMP:
	case PACKET_IGNORE_OUTGOING:
	case PACKET_TX_HAS_OFF:
	case PACKET_QDISC_BYPASS:
		return len == (int)sizeof(uint32_t);
	default:
		*err = -ENOPROTOOPT;
		return false;
	}
}

static int set_own(struct packet_socket *p, int name, const void *value, int len)
{
	uint32_t n;
	int err;

	switch (name) {
	case PACKET_ADD_MEMBERSHIP:
		return packet_member_add(p, value, len);
	case PACKET_DROP_MEMBERSHIP:
		return packet_member_drop(p, value, len);
	case PACKET_RX_RING:
		return packet_ring_set(p, RING_RECEIVE, value, len);
	case PACKET_TX_RING:
		return packet_ring_set(p, RING_SEND, value, len);
	case PACKET_FANOUT:
		return packet_fanout_join(p, value, len);
	case PACKET_FANOUT_DATA:
		return packet_fanout_set_data(p, value, len);
	default:
		break;
	}
	if (!number_is_long_enough(name, len, &err))
		return err;
	memcpy(&n, value, sizeof(n));
	return number_set(p, name, n);
}

int packet_set_option(struct socket *s, int level, int name, const void *value, int len)
{
	if (s->type == SOCK_PACKET && level != SOL_SOCKET)
		return -EOPNOTSUPP; /* has none */
	if (level == SOL_PACKET)
		return set_own(packet_of(s), name, value, len);
	if (level != SOL_SOCKET)
		return -ENOPROTOOPT;
	if (name == SO_PASSCRED) /* no credentials come with frames */
		return len < (int)sizeof(int) ? -EINVAL : -EOPNOTSUPP;
	return socket_set_plain_option(s, name, value, len);
}

/* ---- reading ---- */

static void statistics_get(struct packet_socket *p, void *value, int *len)
{
	struct linux_tpacket_stats stats;
	size_t size = offsetof(struct linux_tpacket_stats, tp_freeze_q_cnt);

	lock_take(&p->lock);
	stats = p->stats;
	p->stats = (struct linux_tpacket_stats){0};
	lock_drop(&p->lock);
	stats.tp_packets += stats.tp_drops;
	if (atomic_load_relaxed(&p->version) == TPACKET_V3)
		size = sizeof(stats);
	option_put(value, len, &stats, size);
}

static int rollover_get(struct packet_socket *p, void *value, int *len)
{
	struct linux_tpacket_rollover_stats stats = {
		atomic_load_relaxed(&p->rollovers),
		atomic_load_relaxed(&p->huge_rollovers),
		atomic_load_relaxed(&p->failed_rollovers),
	};

	if (!atomic_load(&p->has_rollover))
		return -EINVAL;
	option_put(value, len, &stats, sizeof(stats));
	return 0;
}

/* The question, a version, is in value. */
static int header_size_get(const void *value, const int *len, uint32_t *out)
{
	uint32_t version;

	if (*len < (int)sizeof(version))
		return -EINVAL;
	memcpy(&version, value, sizeof(version));
	switch (version) {
	case TPACKET_V1:
		*out = sizeof(struct linux_tpacket_hdr);
		return 0;
	case TPACKET_V2:
		*out = sizeof(struct linux_tpacket2_hdr);
		return 0;
	case TPACKET_V3:
		*out = sizeof(struct linux_tpacket3_hdr);
		return 0;
	default:
		return -EINVAL;
	}
}

static int number_get(const struct packet_socket *p, int name, uint32_t *out)
{
	switch (name) {
	case PACKET_AUXDATA:
		*out = packet_has(p, PACKET_F_AUXDATA);
		return 0;
	case PACKET_ORIGDEV:
		*out = packet_has(p, PACKET_F_ORIGDEV);
		return 0;
	case PACKET_VNET_HDR:
		*out = p->vnet_size != 0;
		return 0;
	case PACKET_VNET_HDR_SZ:
		*out = p->vnet_size;
		return 0;
	case PACKET_VERSION:
		*out = p->version;
		return 0;
	case PACKET_RESERVE:
		*out = p->reserve;
		return 0;
	case PACKET_LOSS:
		*out = packet_has(p, PACKET_F_LOSS);
		return 0;
	case PACKET_TIMESTAMP:
		*out = p->stamp;
		return 0;
	case PACKET_FANOUT:
		*out = packet_fanout_show(p);
		return 0;
	case PACKET_IGNORE_OUTGOING:
		*out = p->ignores_outgoing;
		return 0;
	case PACKET_TX_HAS_OFF:
		*out = packet_has(p, PACKET_F_TX_HAS_OFF);
		return 0;
	case PACKET_QDISC_BYPASS:
		*out = packet_has(p, PACKET_F_BYPASS);
		return 0;
	case PACKET_COPY_THRESH:
		*out = p->copy_thresh;
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

static int get_own(struct packet_socket *p, int name, void *value, int *len)
{
	uint32_t n = 0;
	int err;

	switch (name) {
	case PACKET_STATISTICS:
		statistics_get(p, value, len);
		return 0;
	case PACKET_ROLLOVER_STATS:
		return rollover_get(p, value, len);
	case PACKET_HDRLEN:
		err = header_size_get(value, len, &n);
		break;
	default:
		err = number_get(p, name, &n);
		break;
	}
	if (!err)
		option_put(value, len, &n, sizeof(n));
	return err;
}

bool packet_option_has_question(int level, int name)
{
	return level == SOL_PACKET && name == PACKET_HDRLEN;
}

int packet_get_option(struct socket *s, int level, int name, void *value, int *len)
{
	struct linux_ucred nobody = {0, UINT32_MAX, UINT32_MAX};
	struct packet_socket *p = packet_of(s);
	int n = 0;

	if (s->type == SOCK_PACKET && level != SOL_SOCKET)
		return -EOPNOTSUPP;
	if (level == SOL_PACKET)
		return get_own(p, name, value, len);
	if (level != SOL_SOCKET)
		return -ENOPROTOOPT;
	switch (name) {
	case SO_ERROR:
		lock_take(&p->lock);
		n = -packet_take_error(p);
		lock_drop(&p->lock);
		break;
	case SO_ACCEPTCONN:
		break;
	case SO_PASSCRED:
		return -EOPNOTSUPP;
	case SO_PEERCRED:
		option_put(value, len, &nobody, sizeof(nobody));
		return 0;
	default:
		return socket_get_plain_option(s, name, value, len);
	}
	option_put(value, len, &n, sizeof(n));
	return 0;
}
