/* SPDX-License-Identifier: MIT */
/* differ_transfer.h - differ_socket.c's calls that send and receive. */
#pragma once
#include "differ_option.h"

HELPER size_t size_for(const struct slot *s)
{
	bool is_dgram = s->type != SOCK_STREAM;

	if (one_in(12))
		return 0;
	if (is_dgram && one_in(s->domain == AF_UNIX ? 80 : 30))
		return 2000 + pick(68000);
	return 1 + pick(one_in(4) ? (is_tcp(s) ? 600 : 1500) : 12);
}

/* What a socket of this kind may send: a request where it is one that wants requests. */
HELPER void data_for(const struct slot *s, size_t size)
{
	uint32_t *words = (void *)data_out;

	for (size_t i = 0; i < size / 4 + 1; i++)
		words[i] = draw();
	if (s->domain == AF_NETLINK && size >= sizeof(struct nlmsghdr)) {
		static const uint16_t types[] = {
			RTM_GETLINK, RTM_GETADDR,  RTM_GETROUTE, RTM_GETNEIGH,
			RTM_GETRULE, RTM_GETQDISC, NLMSG_NOOP,	 NLMSG_DONE,
			15,	     RTM_GETLINK,  RTM_GETNSID,	 RTM_GETNETCONF,
			1000};
		struct nlmsghdr *n = (void *)data_out;

		memset(data_out + sizeof(*n), one_in(4) ? 1 : 0, size - sizeof(*n));
		n->nlmsg_len = one_in(5) ? pick(60) : (uint32_t)size;
		n->nlmsg_type = ONE_OF(types);
		if (size > sizeof(*n) && one_in(2))
			data_out[sizeof(*n)] = (char)(one_in(2) ? AF_INET : AF_INET6);
		/* Of all families they are also those of routers of groups, which not
		 * every kernel knows. */
		if (size > sizeof(*n) && n->nlmsg_type == RTM_GETRULE &&
		    !data_out[sizeof(*n)])
			data_out[sizeof(*n)] = AF_UNIX;
		n->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | (one_in(2) ? NLM_F_DUMP : 0) |
					    (one_in(2) ? NLM_F_ACK : 0));
		n->nlmsg_flags ^= (uint16_t)(one_in(8) ? 1 << pick(16) : 0);
		/* Linux has neighbours of packets that have gone to nobody. */
		if (n->nlmsg_type == RTM_GETNEIGH)
			n->nlmsg_flags &= (uint16_t)~NLM_F_DUMP;
		n->nlmsg_seq = pick(100);
		n->nlmsg_pid = 0;
		say(" nl%u.%x/%u", n->nlmsg_type, n->nlmsg_flags, n->nlmsg_len);
	}
	if (is_ping(s)) {
		data_out[0] = s->protocol == IPPROTO_ICMP ? ICMP_ECHO : (char)128;
		data_out[1] = 0;
		if (one_in(8))
			data_out[pick(2)] ^= (char)(1 << pick(4));
	}
}

HELPER bool may_send(struct slot *s)
{
	if (is_tcp(s) && ++s->sends > SENDS_MOST)
		return false;
	return s->sends++ < 2 * SENDS_MOST;
}

struct outgoing {
	struct target t;
	struct msghdr h;
	struct iovec v[4];
	int flags;
	size_t size;
};

HELPER bool has_peer(const struct slot *s)
{
	union address a;
	socklen_t len = sizeof(a);

	return getpeername(s->fd, &a.any, &len) == 0;
}

HELPER void outgoing_make(struct outgoing *o, struct slot *s)
{
	bool named = s->type == SOCK_STREAM ? one_in(15) : !one_in(3);
	size_t at = 0;

	memset(o, 0, sizeof(*o));
	o->size = size_for(s);
	if (s->domain == AF_NETLINK && !one_in(6))
		o->size = 16 + pick(6) * 4;
	if (s->domain == AF_PACKET && o->size < 14 && !one_in(6))
		o->size += 14;
	say(" %zu", o->size);
	data_for(s, o->size);
	/* What is added to what is held may be looked at for a name, or not. */
	if (s->domain == AF_NETLINK || (notes->held[s->origin] && is_inet_dgram(s)))
		named = false;
	if (named) {
		target_for(&o->t, s);
		say_target(&o->t);
		o->h.msg_name = &o->t.a;
		o->h.msg_namelen = o->t.len;
	}
	o->flags = flags_out(s);
	/* Linux's connected sockets then go on with the name that was held. */
	if (named && is_inet_dgram(s))
		o->flags &= ~(has_peer(s) ? MSG_MORE : 0);
	notes->held[s->origin] |= is_inet_dgram(s) && (o->flags & MSG_MORE);
	say_flags(o->flags);
	o->h.msg_iov = o->v;
	o->h.msg_iovlen = 1 + pick(3);
	for (size_t i = 0; i < o->h.msg_iovlen; i++) {
		size_t n = i + 1 == o->h.msg_iovlen ? o->size - at
						    : pick((unsigned)(o->size - at) + 1);

		o->v[i] = (struct iovec){data_out + at, n};
		at += n;
	}
	control_for(&o->h, s);
}

/* Counts and lengths that no message has. */
HELPER void spoil_vector(const struct slot *s, struct msghdr *h)
{
	switch (pick(60)) {
	case 0:
		say(" iov-1");
		h->msg_iovlen = (size_t)-1;
		break;
	case 1:
		say(" iov1025");
		h->msg_iovlen = 1025;
		break;
	case 2:
		say(" len-1");
		h->msg_iov[0].iov_len = (size_t)-1;
		break;
	case 3:
		say(" iov(bad)");
		h->msg_iov = bad_address(2);
		break;
	case 4:
		say(" control(bad)");
		h->msg_control = bad_address(2);
		h->msg_controllen = 64;
		break;
	case 5:
		if (s->type == SOCK_STREAM) /* may take the part before or not */
			break;
		say(" base(bad)");
		h->msg_iov[h->msg_iovlen - 1].iov_base = bad_address(1);
		break;
	default:
		break;
	}
}

HELPER void do_send(struct slot *s)
{
	struct outgoing o;
	unsigned how = pick(8);
	long r;

	if (!may_send(s))
		return;
	say(" send%u", how);
	outgoing_make(&o, s);
	if (is_tcp(s) && (o.flags & MSG_FASTOPEN))
		return;
	/* a name given to a stream that is not connected does not connect it */
	if (how == 0) {
		r = write(s->fd, place(data_out, o.size, true), o.size);
	} else if (how == 1) {
		r = writev(s->fd, o.v, one_in(20) ? -1 : (int)o.h.msg_iovlen);
	} else if (how == 2) {
		r = send(s->fd, place(data_out, o.size, true), o.size, o.flags);
	} else if (how <= 4) {
		r = sendto(s->fd, data_out, o.size, o.flags, o.h.msg_name,
			   o.h.msg_namelen);
	} else {
		spoil_vector(s, &o.h);
		r = sendmsg(s->fd, &o.h, o.flags);
	}
	say_result(r);
	if (r >= 0 && !(o.flags & MSG_MORE) && how >= 2 && !notes->corked[s->origin])
		notes->held[s->origin] = false;
}

HELPER void do_sendmmsg(struct slot *s)
{
	struct mmsghdr m[3] = {0};
	struct outgoing o[3];
	static char copy[3][2048];
	unsigned n = 1 + pick(3);
	long r;

	if (!may_send(s))
		return;
	say(" sendmmsg");
	for (unsigned i = 0; i < n; i++) {
		outgoing_make(&o[i], s);
		o[i].size = o[i].size > 2048 ? 2048 : o[i].size;
		memcpy(copy[i], data_out, o[i].size);
		o[i].v[0] = (struct iovec){copy[i], o[i].size};
		o[i].h.msg_iovlen = 1;
		o[i].h.msg_control = NULL;
		o[i].h.msg_controllen = 0;
		m[i].msg_hdr = o[i].h;
	}
	if (o[0].flags & MSG_FASTOPEN)
		return;
	r = sendmmsg(s->fd, m, one_in(20) ? 0 : n, o[0].flags);
	say_result(r);
	for (long i = 0; i < r; i++)
		say(".%u", m[i].msg_len);
}

/* ---- receiving ---- */

/* How long a netlink message is that lists things depends on how much is told of them. */
HELPER long say_size(const struct slot *s, long r)
{
	if (s->domain != AF_NETLINK || r <= 100)
		return say_result(r);
	say("=many");
	return r;
}

HELPER void say_message(struct slot *s, struct msghdr *h, size_t room, long r)
{
	say(" f");
	say_flags(h->msg_flags & ~MSG_CMSG_CLOEXEC);
	if (h->msg_name && h->msg_namelen) {
		say(" from ");
		if (s->domain == AF_PACKET)
			say("%u", h->msg_namelen);
		else
			say_part(h->msg_name,
				 h->msg_namelen > room ? room : h->msg_namelen,
				 h->msg_namelen);
	}
	say_control(h);
	say_received(s, data_in, r);
}

/* All of a netlink message, or too little for any. And not nothing of a Unix stream with
 * an urgent byte, of which Linux finds nothing to look at then. */
HELPER size_t size_of_buffer(const struct slot *s, size_t size)
{
	if (!size && notes->urgent_sent && s->domain == AF_UNIX)
		return 1;
	return s->domain == AF_NETLINK && size > 20 ? DATA : size;
}

HELPER void incoming_make(const struct slot *s, struct msghdr *h, struct iovec v[2],
			  union address *from)
{
	static const unsigned sizes[] = {1, 2, 5, 20, 100, 1000, 70000, 70000, 70000, 0};
	size_t size = size_of_buffer(s, ONE_OF(sizes)),
	       first = one_in(3) ? pick((unsigned)size + 1) : size;

	memset(from, 0, sizeof(*from));
	v[0] = (struct iovec){data_in, first};
	v[1] = (struct iovec){data_in + first, size - first};
	*h = (struct msghdr){.msg_name = from,
			     .msg_namelen = one_in(8) ? pick(20) : sizeof(*from),
			     .msg_iov = v,
			     .msg_iovlen = 2,
			     .msg_control = control,
			     .msg_controllen = one_in(4) ? pick(60) : sizeof(control)};
	if (one_in(6))
		h->msg_name = NULL;
	say(" %zu/%u/%zu", size, h->msg_namelen, h->msg_controllen);
}

HELPER void do_recvmsg(struct slot *s, int how)
{
	union address from;
	struct iovec v[2];
	struct msghdr h;
	size_t room;
	long r;

	incoming_make(s, &h, v, &from);
	room = h.msg_namelen;
	spoil_vector(s, &h);
	r = say_size(s, recvmsg(s->fd, &h, how));
	if (r < 0)
		return;
	if (h.msg_namelen > sizeof(from) || h.msg_controllen > sizeof(control))
		say(" lengths %u %zu", h.msg_namelen, h.msg_controllen);
	else if (h.msg_control == control)
		say_message(s, &h, room, r);
}

HELPER void do_recvmmsg(struct slot *s, int how)
{
	static char data[3][3000];
	union address from[3];
	struct iovec v[3];
	struct mmsghdr m[3] = {0};
	unsigned n = 1 + pick(3);
	struct timespec none = {0};
	long r;

	memset(from, 0, sizeof(from));
	for (unsigned i = 0; i < n; i++) {
		v[i] = (struct iovec){data[i], 3000};
		m[i].msg_hdr = (struct msghdr){.msg_name = &from[i],
					       .msg_namelen = sizeof(from[i]),
					       .msg_iov = &v[i],
					       .msg_iovlen = 1};
	}
	say(" mmsg%u", n);
	r = recvmmsg(s->fd, m, n, how, one_in(4) ? &none : NULL);
	say_result(r);
	for (long i = 0; i < r; i++) {
		memcpy(data_in, data[i], 3000);
		say(" ");
		say_size(s, m[i].msg_len);
		say_message(s, &m[i].msg_hdr, sizeof(from[i]),
			    m[i].msg_len > 3000 ? 0 : m[i].msg_len);
	}
}

HELPER void do_recv(struct slot *s)
{
	static const unsigned sizes[] = {0, 1, 2, 10, 100, 1000, 70000, 70000};
	int how = flags_in(s);
	unsigned what = pick(10);
	size_t size = size_of_buffer(s, ONE_OF(sizes));
	union address from = {0};
	socklen_t len = one_in(10) ? pick(30) : sizeof(from), room = len;
	long r;

	memset(data_in, 0, 256);
	say(" recv%u", what);
	if (what >= 2)
		say_flags(how);
	if (what >= 7) {
		do_recvmsg(s, how);
		return;
	}
	if (what == 6) {
		do_recvmmsg(s, how);
		return;
	}
	say(" %zu", size);
	if (what == 0)
		r = read(s->fd, place(data_in, size, false), size);
	else if (what == 1)
		r = readv(s->fd, &(struct iovec){data_in, size}, one_in(12) ? 0 : 1);
	else if (what <= 3)
		r = recv(s->fd, place(data_in, size, false), size, how);
	else
		r = recvfrom(s->fd, data_in, size, how, &from.any,
			     place(&len, sizeof(len), false));
	if (say_size(s, r) < 0)
		return;
	say_received(s, data_in, r);
	if (what >= 4 && s->domain != AF_PACKET) {
		say(" from %u ", len);
		say_part(&from, len > room ? room : len, len);
	}
}

/* Bytes go through a pipe, which is empty before and after. */
HELPER void do_splice(struct slot *s)
{
	int p[2], file;
	unsigned what = pick(5);
	size_t size = 1 + pick(200);
	long r;

	CHECK(pipe2(p, O_NONBLOCK) == 0);
	say(" splice%u %zu", what, size);
	data_for(&(struct slot){.domain = AF_INET}, size);
	if (what == 0 && may_send(s)) {
		CHECK(write(p[1], data_out, size) == (ssize_t)size);
		say_result(splice(p[0], NULL, s->fd, NULL, size,
				  one_in(8) ? 64 : SPLICE_F_NONBLOCK));
	} else if (what & 1 && notes->urgent_sent_tcp && is_tcp(s)) {
		say(" -"); /* Linux's splice sees no urgent byte, and stays before it */
	} else if (what == 1) {
		r = say_result(splice(s->fd, NULL, p[1], NULL, size, SPLICE_F_NONBLOCK));
		if (r > 0 && read(p[0], data_in, (size_t)r) == r)
			say_received(s, data_in, r);
	} else if (what == 2 && may_send(s)) {
		/* More than there is leaves Linux's UDP of IPv6 waiting for it. */
		size_t extra = is_inet_dgram(s) ? 0 : pick(2);

		/* a fresh one: what is on its way are the file's pages */
		unlink("file");
		file = open("file", O_RDWR | O_CREAT, 0600);
		CHECK(file >= 0 && write(file, data_out, size) == (ssize_t)size);
		say_result(sendfile(s->fd, file, &(off_t){0}, size + extra));
		close(file);
	} else if (what == 3) {
		say_result(sendfile(p[1], s->fd, NULL, size));
		say_result(tee(s->fd, p[1], size, 0));
	} else {
		off_t off = 0;

		say_result(splice(s->fd, &off, p[1], NULL, size, SPLICE_F_NONBLOCK));
		say_result(splice(s->fd, NULL, s->fd, NULL, size, SPLICE_F_NONBLOCK));
	}
	close(p[0]);
	close(p[1]);
}
