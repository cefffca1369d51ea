/* SPDX-License-Identifier: MIT */
/* dgram.h - sockets of messages in memory, UDP (udp.h says how they differ), ICMP echo
 * and raw ones: what they have in common; between the files of this folder.
 *
 * A message is filled before any lock is taken, and then put into the queue of each that
 * it is for (deliver.c): who those are is said by the table of ports, whose lock is held
 * meanwhile. On Linux, too, what goes through the loopback device has come when send
 * returns, and is the sender's burden no more: a send never waits.
 *
 * Locks: local_ports.lock or dgram_net.lock (RANK_PORTS), then dgram.lock
 * (RANK_OBJECT2). */
#pragma once
#include "net/local/ip.h"
#include "net/local/local.h"
#include "net/net_ns.h"

struct dgram;
struct poll_table;

/* ---- the network's part: dgram_net.h ---- */

static inline struct dgram_net *dgram_net_of(struct net_ns *net)
{
	return &net->local->dgrams;
}

static inline void dgram_count(struct net_ns *net, bool is_v4, enum dgram_counter c)
{
	(void)__atomic_fetch_add(&dgram_net_of(net)->counters[is_v4][c], 1,
				 __ATOMIC_RELAXED);
}

/* ---- messages: packet.c ---- */

enum {
	DGRAM_INSIDE = 256,
	/* Kept free before the data, for a header that a filter wants to see. */
	DGRAM_HEAD = UDP_HEADER,
};

/* As struct sock_extended_err. */
struct dgram_error {
	uint32_t number;
	uint8_t origin, type, code, pad;
	uint32_t info, data;
};

enum {
	ERROR_LOCAL = 1, /* SO_EE_ORIGIN_* */
	ERROR_ICMP = 2,
	ERROR_ICMP6 = 3,
	ERROR_STAMP = 4,
};

struct dgram_packet {
	struct list link;
	uint8_t *data; /* inside, or allocated; DGRAM_HEAD octets before it are free */
	uint32_t size;
	uint32_t charge; /* of the receiver's buffer */
	struct tcp_target from, to;
	uint8_t protocol, ttl, tos;
	bool may_fragment;
	bool is_many;	  /* came as a broadcast or multicast */
	bool has_sum;	  /* of UDP: it was summed up */
	bool was_seen;	  /* of no size, and MSG_PEEK has found it */
	uint16_t id;	  /* of IPv4, once it was made a packet; or 0 */
	uint16_t segment; /* UDP_SEGMENT: it is as many messages of that size */
	uint32_t flow;	  /* of IPv6: the label */
	uint32_t device;  /* the index of the interface that it came by */
	uint32_t mark, priority;
	uint32_t lost;	  /* SO_RXQ_OVFL */
	nsec_t stamp;	  /* CLOCK_REALTIME; 0: nobody wanted to know */
	uint8_t *options; /* of IPv4, or extension headers of IPv6: allocated, or NULL */
	uint16_t options_size;
	uint8_t next; /* the first extension header's kind */
	/* In a queue of errors: */
	struct dgram_error error;
	struct tcp_target offender;
	uint8_t room[DGRAM_HEAD + DGRAM_INSIDE] ALIGNED(8);
};

/* NULL: no memory. Nothing but the data's place and size is set; the rest is zero. */
struct dgram_packet *dgram_packet_create(size_t size) MUST_CHECK;
/* The same message, size octets of it from off on. */
struct dgram_packet *dgram_packet_copy(const struct dgram_packet *p, uint32_t off,
				       uint32_t size) MUST_CHECK;
void dgram_packet_destroy(struct dgram_packet *p);
void dgram_packets_destroy(struct list *packets);
/* A copy of data, as the packet's options. False: no memory. */
bool dgram_packet_set_options(struct dgram_packet *p, const uint8_t *data,
			      size_t size) MUST_CHECK;
/* What size octets behind their headers take of a buffer, as on Linux. */
uint32_t dgram_charge(uint32_t size);
/* ---- sockets ---- */

/* A message that MSG_MORE or UDP_CORK holds back. */
struct dgram_cork;

enum dgram_kind { DGRAM_UDP, DGRAM_PING, DGRAM_RAW };

struct dgram {
	struct local_socket local; /* first */
	enum dgram_kind kind;	   /* const */
	struct lock lock;	   /* RANK_OBJECT2: guards the next */
	struct list packets;
	uint32_t charged; /* of packets */
	uint32_t lost;	  /* atomic: packets for which there was no room */
	struct list errors;
	uint32_t errors_charged;
	int error;		 /* atomic: SO_ERROR */
	uint8_t shutdown;	 /* TCP_SHUT_* */
	bool is_watched;	 /* SIOCGSTAMP was asked */
	nsec_t stamp;		 /* of the last message received; -1: there was none */
	struct dgram_cork *cork; /* atomic: inet_socket.lock to write */
	uint32_t cork_charge;	 /* the same: of its packet */
	/* SOL_UDP: atomic */
	bool is_corked, no_sum6_send, no_sum6_receive, takes_many;
	uint8_t encapsulation; /* UDP_ENCAP: kept */
	uint16_t segment;
	/* Raw ones: atomic */
	struct list raw_link; /* dgram_net.lock */
	bool has_header;      /* IP_HDRINCL */
	uint32_t icmp_filter[8];
	int sum_at; /* IPV6_CHECKSUM, or -1 */
	uint32_t stamp_id;
	struct dgram_gate *gates;	   /* atomic: only added to: dgram_gate.c */
	struct dgram_published *published; /* atomic: set once: dgram_published.c */
};

static inline struct dgram *dgram_of(const struct socket *s)
{
	return s->private;
}

static inline struct dgram *dgram_of_port_link(struct list *node)
{
	return container_of(list_entry(node, struct local_socket, port_link),
			    struct dgram, local);
}

static inline struct socket *dgram_socket(const struct dgram *d)
{
	return d->local.inet.socket;
}

/* ---- queue.c ---- */

/* The socket's filter, its buffer and so on: is p to be had? d takes it, or it is
 * destroyed. Any lock before RANK_OBJECT2 may be held. */
bool dgram_give(struct dgram *d, struct dgram_packet *p);
/* Is there room for p, as long as it is now? If not it counts as lost: for who would have
 * to copy it first. */
bool dgram_has_room(struct dgram *d, const struct dgram_packet *p) MUST_CHECK;
ssize_t dgram_receive(struct socket *s, struct message *m);
uint32_t dgram_poll(struct socket *s, struct poll_table *pt);
/* d's lock is held: tells who waits that bits came true. */
void dgram_tell(struct dgram *d, uint32_t bits, uint32_t band);
/* 0, or the error, which is taken. */
int dgram_take_error(struct dgram *d);
/* The size of the first message: 0 if there is none. */
uint32_t dgram_first_size(struct dgram *d);

/* ---- dgram_published.c ---- */

/* s has a port now: if that is published, it gets a host socket. */
int dgram_publish(struct socket *s) MUST_CHECK;
void dgram_unpublish(struct dgram *d);
/* Has something come from there through d's host socket, which it has? */
bool dgram_goes_outside(struct dgram *d, const struct tcp_target *to);
/* Sends p's data there. */
int dgram_send_outside(struct dgram *d, const struct tcp_target *to,
		       const struct dgram_packet *p) MUST_CHECK;

/* ---- error.c: MSG_ERRQUEUE, and errors that come back ---- */

/* Error number `err` came for a message of d's: origin, type and code as in the error
 * queue. is_hard: a connected socket gets it without asking. p: what was sent, cut to
 * what came back; it is taken. */
void dgram_error_come(struct dgram *d, struct dgram_packet *p, bool is_hard);
/* A send failed for the message's size. */
void dgram_error_local(struct dgram *d, const struct tcp_target *to, int err,
		       uint32_t info);
ssize_t dgram_receive_error(struct socket *s, struct message *m);
/* Something for the queue of errors that is none: p is taken. */
void dgram_error_queue(struct dgram *d, struct dgram_packet *p);
/* IP_RECVERR was switched off. */
void dgram_errors_purge(struct dgram *d);

/* ---- control.c ---- */

/* What the socket wants to know of p. */
void dgram_put_control(struct socket *s, struct message *m, const struct dgram_packet *p);
/* The same of what came with an error. */
void dgram_put_error_control(struct socket *s, struct message *m,
			     const struct dgram_packet *p);

/* ---- dgram_option.c ---- */

int dgram_set_option(struct socket *s, int level, int name, const void *value, int len);
int dgram_get_option(struct socket *s, int level, int name, void *value, int *len);

/* ---- udp.c: the lock of the table is held ---- */

void udp_header_put(const struct dgram_packet *p, uint8_t to[UDP_HEADER]);
/* Does d hear of `from`: is it not connected with another? */
bool dgram_is_from_peer(const struct dgram *d, const struct tcp_target *from);
/* Is d bound to `to`, or to any? */
bool dgram_has_address(const struct dgram *d, const struct tcp_target *to,
		       bool *is_exact);
