/* SPDX-License-Identifier: MIT */
/* diag.c - NETLINK_SOCK_DIAG (sock_diag(7)): the TCP, UDP, raw, AF_UNIX and packet
 * sockets of the sandbox, as ss asks for them.
 *
 * Limits against Linux: other families and protocols are not there (ENOENT); filters that
 * the asker sends as a program (INET_DIAG_REQ_BYTECODE) are left to the asker; nobody's
 * socket can be destroyed (EOPNOTSUPP). */
#include "abi/errno.h"
#include "abi/sock_diag.h"
#include "lib/string.h"
#include "net/inet/inet.h"
#include "net/inet/tcp_wait.h"
#include "net/netlink/internal.h"
#include "net/unix/unix.h"

static uint16_t message_flags(const struct netlink_request *r)
{
	return r->is_dump ? NLM_F_MULTI : 0;
}

/* ---- AF_INET and AF_INET6 ---- */

enum { TIMER_KEPT = 3 }; /* in TIME_WAIT, or what comes before */

struct inet_search {
	struct netlink_request *r;
	const struct linux_inet_diag_req *q;
	int found;
};

static void put_port(uint8_t out[2], uint16_t port)
{
	out[0] = (uint8_t)(port >> 8);
	out[1] = (uint8_t)port;
}

static void fill_id(struct linux_inet_diag_sockid *id, const struct inet_view *v)
{
	put_port(id->sport, v->local_port);
	put_port(id->dport, v->remote_port);
	memcpy(id->src, v->local, sizeof(id->src));
	memcpy(id->dst, v->remote, sizeof(id->dst));
	id->cookie[0] = (uint32_t)(v->is_kept ? v->cookie : v->ino);
	id->cookie[1] = (uint32_t)((v->is_kept ? v->cookie : v->ino) >> 32);
}

static void put_inet(struct netlink_request *r, const struct inet_view *v, uint8_t ext)
{
	struct linux_inet_diag_msg m = {
		.family = (uint8_t)v->family,
		.state = v->state,
		.timer = v->is_kept ? TIMER_KEPT : 0,
		.expires = (uint32_t)(v->left / (NSEC_PER_SEC / 1000)),
		.rqueue = v->receive_queue,
		.wqueue = v->send_queue,
		.uid = v->is_kept ? 0 : netlink_uid_out(r, v->uid),
		.inode = (uint32_t)v->ino,
	};
	size_t start =
		netlink_message_begin(&r->out, SOCK_DIAG_BY_FAMILY, message_flags(r), r);

	fill_id(&m.id, v);
	netlink_buffer_put(&r->out, &m, sizeof(m));
	if (!v->is_kept)
		netlink_attribute_u8(&r->out, INET_DIAG_SHUTDOWN, 0);
	if ((ext & 1 << (INET_DIAG_INFO - 1)) && v->tcp_info_size)
		netlink_attribute(&r->out, INET_DIAG_INFO, v->tcp_info, v->tcp_info_size);
	netlink_message_end(&r->out, start);
}

static bool is_same(const struct linux_inet_diag_sockid *want, const struct inet_view *v)
{
	struct linux_inet_diag_sockid id = {0};
	size_t size = v->family == AF_INET ? 4 : 16;

	fill_id(&id, v);
	return !memcmp(id.sport, want->sport, 2) && !memcmp(id.dport, want->dport, 2) &&
	       !memcmp(id.src, want->src, size) && !memcmp(id.dst, want->dst, size);
}

static bool inet_found(const struct inet_view *v, void *arg)
{
	struct inet_search *s = arg;
	size_t start = s->r->out.len;

	if (s->r->is_dump ? !(s->q->states & 1U << v->state)
			  : s->found || !is_same(&s->q->id, v))
		return true;
	s->found++;
	put_inet(s->r, v, s->q->ext);
	return netlink_part_takes(s->r, start);
}

enum { STAGE_SOCKETS, STAGE_WAITS, STAGE_END };

/* All sockets, and then what connections have left. */
static bool look_for_inet(struct inet_search *s, struct netlink_cursor *at)
{
	int protocol = s->q->protocol;
	struct netlink_request *r = s->r;

	if (at->stage == STAGE_SOCKETS) {
		if (!inet_for_each(r->from->net, s->q->family,
				   protocol == IPPROTO_RAW ? INET_RAW : protocol,
				   &at->roll, inet_found, s))
			return false;
		at->stage = protocol == IPPROTO_TCP ? STAGE_WAITS : STAGE_END;
	}
	return at->stage == STAGE_END ||
	       tcp_wait_for_each(r->from->net, s->q->family, &at->wait, inet_found, s);
}

static bool more_inet(struct netlink_request *r)
{
	size_t size;
	struct inet_search s = {r, netlink_payload(r, &size), 0};

	return look_for_inet(&s, r->cursor);
}

static int answer_inet(struct netlink_request *r)
{
	size_t size;
	struct inet_search s = {r, netlink_payload(r, &size), 0};
	struct netlink_cursor at = {0};

	if (size < sizeof(*s.q))
		return -EINVAL;
	if (s.q->protocol != IPPROTO_TCP && s.q->protocol != IPPROTO_UDP &&
	    s.q->protocol != IPPROTO_RAW)
		return -ENOENT;
	r->more = more_inet;
	if (r->is_dump)
		return 0;
	(void)look_for_inet(&s, &at);
	return s.found ? 0 : -ENOENT;
}

/* ---- AF_UNIX ---- */

struct unix_search {
	struct netlink_request *r;
	const struct linux_unix_diag_req *q;
	int found;
};

static void put_unix(struct netlink_request *r, const struct unix_view *v, uint32_t show)
{
	struct linux_unix_diag_msg m = {
		.family = AF_UNIX,
		.type = (uint8_t)v->type,
		.state = v->state,
		.ino = (uint32_t)v->ino,
		.cookie = {(uint32_t)v->ino, (uint32_t)(v->ino >> 32)},
	};
	const uint32_t queues[2] = {v->receive_queue, v->send_queue};
	size_t start =
		netlink_message_begin(&r->out, SOCK_DIAG_BY_FAMILY, message_flags(r), r);

	netlink_buffer_put(&r->out, &m, sizeof(m));
	if ((show & UDIAG_SHOW_NAME) && v->name_len)
		netlink_attribute(&r->out, UNIX_DIAG_NAME, v->name, v->name_len);
	if ((show & UDIAG_SHOW_PEER) && v->peer_ino)
		netlink_attribute_u32(&r->out, UNIX_DIAG_PEER, (uint32_t)v->peer_ino);
	if (show & UDIAG_SHOW_RQLEN)
		netlink_attribute(&r->out, UNIX_DIAG_RQLEN, queues, sizeof(queues));
	if (show & UDIAG_SHOW_UID)
		netlink_attribute_u32(&r->out, UNIX_DIAG_UID, netlink_uid_out(r, v->uid));
	netlink_attribute_u8(&r->out, UNIX_DIAG_SHUTDOWN, v->shutdown);
	netlink_message_end(&r->out, start);
}

static bool unix_found(const struct unix_view *v, void *arg)
{
	struct unix_search *s = arg;
	size_t start = s->r->out.len;

	if (s->r->is_dump ? !(s->q->states & 1U << v->state)
			  : s->found || !v->ino || (uint32_t)v->ino != s->q->ino)
		return true;
	s->found++;
	put_unix(s->r, v, s->q->show);
	return netlink_part_takes(s->r, start);
}

static bool more_unix(struct netlink_request *r)
{
	size_t size;
	struct unix_search s = {r, netlink_payload(r, &size), 0};

	return unix_for_each(r->from->net, &r->cursor->roll, unix_found, &s);
}

static int answer_unix(struct netlink_request *r)
{
	size_t size;
	struct unix_search s = {r, netlink_payload(r, &size), 0};
	struct roll_cursor at = {0};

	if (size < sizeof(*s.q))
		return -EINVAL;
	r->more = more_unix;
	if (r->is_dump)
		return 0;
	if (!s.q->ino)
		return -EINVAL;
	(void)unix_for_each(r->from->net, &at, unix_found, &s);
	return s.found ? 0 : -ENOENT;
}

int netlink_diag_answer(struct netlink_request *r)
{
	size_t size;
	const uint8_t *family = netlink_payload(r, &size);
	int err;

	if (r->header->nlmsg_type != SOCK_DIAG_BY_FAMILY)
		return r->header->nlmsg_type == TCPDIAG_GETSOCK ? -ENOENT : -EINVAL;
	if (size < 2)
		return -EINVAL;
	if (*family >= AF_MAX)
		return -EINVAL;
	r->is_dump = r->is_split = r->header->nlmsg_flags & NLM_F_DUMP;
	if (*family == AF_INET || *family == AF_INET6)
		err = answer_inet(r);
	else if (*family == AF_PACKET)
		err = netlink_diag_packet(r);
	else
		err = *family == AF_UNIX ? answer_unix(r) : -ENOENT;
	if (err)
		r->is_dump = false;
	return err;
}
