/* SPDX-License-Identifier: MIT */
/* dgram_send.h - a message on its way out, between who sends (udp.c, ping.c, raw.c), what
 * travels beside it (control.c) and who it comes to (route.c, deliver.c). */
#pragma once
#include "net/local/dgram.h"

/* What an address is, seen from the network. */
enum dgram_way {
	WAY_LOCAL,     /* one of its own */
	WAY_BROADCAST, /* all */
	WAY_MULTICAST, /* who has joined */
	WAY_NOWHERE,   /* out by the device, where nobody is */
};

struct dgram_send {
	struct dgram *d;
	struct socket *s;
	struct message *m;
	struct tcp_target to;
	struct tcp_target from; /* the address; its port is put in later */
	bool has_from;		/* a control message or bind(2) has said it */
	bool is_named;		/* to an address, not to the peer */
	bool has_header;	/* of raw ones: IP_HDRINCL */
	enum dgram_way way;
	uint32_t device; /* the index of an interface, or 0 */
	int ttl, tos;	 /* -1: as the options say */
	int dont_fragment;
	bool has_label;
	uint32_t flow;
	uint16_t segment;
	uint8_t protocol; /* of raw ones */
	uint32_t mark, priority;
	uint32_t stamping;	/* SOF_TIMESTAMPING_TX_* */
	const uint8_t *options; /* of IPv4: borrowed from the message */
	size_t options_size;
};

/* ---- control.c ---- */

/* What the message brings along. */
int dgram_read_control(struct dgram_send *w) MUST_CHECK;

/* ---- route.c ---- */

/* Finds out where w->to is, and which address it is sent from: 0, -ENETUNREACH, -EINVAL,
 * -EACCES … */
int dgram_route(struct dgram_send *w) MUST_CHECK;
/* A message to `to` came: how. False: it is not for this network. */
bool dgram_way_in(struct net_ns *net, const struct tcp_target *to,
		  enum dgram_way *way) MUST_CHECK;
/* The network's own address to answer with, and to tell of as the local one. */
void dgram_own_address(struct net_ns *net, const struct tcp_target *to,
		       struct tcp_target *out);
/* Is it an address that may be sent from? */
bool dgram_is_own(struct net_ns *net, const struct tcp_target *t);

/* ---- send.c ---- */

/* Where to: the message's name, or the peer. */
int dgram_read_target(struct dgram_send *w) MUST_CHECK;
/* What the socket's options and the control messages say of the packet. */
void dgram_fill_head(struct dgram_send *w, struct dgram_packet *p);
/* The message's data in a packet, behind head octets. 0, -ENOMEM, -EFAULT. */
int dgram_read_data(struct dgram_send *w, size_t head,
		    struct dgram_packet **out) MUST_CHECK;
/* SO_TIMESTAMPING: when it was sent. */
void dgram_tell_sent(struct dgram_send *w, const struct dgram_packet *p);
int dgram_connect(struct socket *s, const struct linux_sockaddr_storage *addr, int len,
		  bool nonblock);
/* The error that the socket has, or that it may not send. */
int dgram_may_send(struct dgram *d) MUST_CHECK;
int dgram_shutdown(struct socket *s, int how);
/* The interface and address that options say for a group. */
void dgram_read_multicast(struct dgram_send *w);

/* ---- udp_send.c, ping.c, raw.c ---- */

ssize_t udp_send(struct socket *s, struct message *m);
ssize_t ping_send(struct socket *s, struct message *m);
ssize_t raw_send(struct socket *s, struct message *m);
int ping_bind(struct socket *s, const struct linux_sockaddr_storage *addr, int len);
int raw_bind(struct socket *s, const struct linux_sockaddr_storage *addr, int len);
long raw_ioctl(unsigned int cmd, uint64_t arg);
/* d can be found. */
void raw_enter(struct dgram *d);
void raw_leave(struct dgram *d);
/* To whom it is for, in memory or outside: p is taken. */
int udp_send_off(struct dgram_send *w, struct dgram_packet *p) MUST_CHECK;
int raw_send_off(struct dgram_send *w, struct dgram_packet *p) MUST_CHECK;
/* How large a message may be; -EMSGSIZE, which is told the socket. */
uint32_t udp_most(const struct dgram_send *w);
uint32_t raw_most(const struct dgram_send *w);
int udp_too_large(struct dgram_send *w);
int raw_too_large(struct dgram_send *w);
/* Of IPv4: what IP_OPTIONS or the message's own options take of the header. */
static inline uint32_t dgram_options_size(const struct dgram_send *w)
{
	size_t size =
		w->options_size ? w->options_size : w->d->local.options.ip_options_size;

	return (uint32_t)(size + 3) / 4 * 4;
}

/* ---- cork.c ---- */

/* There may be a datagram held back: more of it. If there is none, w is the first part of
 * one; but if it is not prepared for that: -ENOENT, and nothing was done. Without goes_on
 * it is sent now. */
ssize_t dgram_send_corked(struct dgram_send *w, bool is_prepared,
			  bool goes_on) MUST_CHECK;
/* Sends what is held back. */
int dgram_uncork(struct dgram *d);
/* Forgets it. */
void dgram_cork_drop(struct dgram *d);
/* Is there one, and for IPv4? */
bool dgram_cork_is_v4(struct dgram *d);
/* What it takes of the send buffer. */
uint32_t dgram_cork_charge(struct dgram *d);
