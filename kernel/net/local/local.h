/* SPDX-License-Identifier: MIT */
/* local.h - AF_INET and AF_INET6 in memory: the sockets of a network that has nothing but
 * its loopback (net/net_ns.h: not is_host). None has a host socket, but for a listener on
 * a port that is published (published.c), and what --allow-connect opens.
 *
 * struct local_socket begins with struct inet_socket, so that TCP in memory
 * (net/inet/tcp.h) and the table of all internet sockets take it as theirs; what it has
 * beside is its name, its place in the table of ports, and its options, which are checked
 * and kept as Linux does it (option.c, option_ip.c, option_ip6.c, option_tcp.c).
 * Datagrams and raw sockets have a struct of their own that begins with this one.
 *
 * Locks: inet_socket.lock or tcp_listener.lock (RANK_OBJECT), local_ports.lock
 * (RANK_PORTS), then what lies in a socket: tcp_conn.lock, queues (RANK_OBJECT2). */
#pragma once
#include "base/lock.h"
#include "lib/list.h"
#include "lib/tree.h"
#include "net/inet/inet.h"
#include "net/inet/tcp.h"
#include "net/local/dgram_net.h"
#include "net/socket.h"

struct local_seed;
struct net_ns;

/* ---- ports: port.c ---- */

enum { LOCAL_PORT_BUCKETS = 128 };

/* A port that somebody has. */
struct local_port {
	struct list link;   /* local_ports.buckets */
	struct list owners; /* local_socket.port_link */
	uint16_t number;
};

/* Those of one protocol in one network. Of ping sockets: identifiers. */
struct local_ports {
	struct lock lock; /* RANK_PORTS */
	struct list buckets[LOCAL_PORT_BUCKETS];
};

enum local_table { LOCAL_TCP, LOCAL_UDP, LOCAL_PING, LOCAL_TABLES };

struct local_net {
	struct local_ports ports[LOCAL_TABLES];
	struct dgram_net dgrams;
};

struct local_net *local_net_create(void) MUST_CHECK;
void local_net_destroy(struct local_net *n);

/* ---- options ---- */

enum { LOCAL_IP_OPTIONS_MAX = 40, LOCAL_CONGESTION_MAX = 16 };

/* What is on is a bit of the option's number: local_has_ip(), local_has_ip6(). */
struct local_options {
	uint64_t ip_bits, ip6_bits[2];
	/* SOL_IP */
	int ttl, multicast_ttl; /* -1: the default */
	uint8_t tos, min_ttl, mtu_discover, ip_options_size;
	uint8_t ip_options[LOCAL_IP_OPTIONS_MAX];
	uint32_t unicast_if, multicast_if; /* indices of interfaces, or 0 */
	uint8_t multicast_addr[4];	   /* IP_MULTICAST_IF, as it reads */
	uint16_t port_first, port_last;	   /* IP_LOCAL_PORT_RANGE; 0: none */
	/* SOL_IPV6 */
	int hops, multicast_hops; /* -1: the default */
	int tclass, mtu6, min_hops;
	uint32_t unicast_if6, multicast_if6, preferences;
	uint8_t mtu_discover6;
	uint8_t info_addr[16]; /* IPV6_PKTINFO that stays */
	uint32_t info_if;
	/* SOL_TCP */
	uint16_t max_segment;
	uint8_t syn_count, keep_count, defer_accept, thin, save_syn, tells_size;
	uint32_t unsent_low;
	bool is_nodelay, is_corked, has_fastopen_connect, has_no_cookie, no_quickack;
	int linger2, window_clamp, user_timeout, tx_delay, fastopen;
	uint32_t keep_idle, keep_interval; /* seconds */
	uint32_t rto_max;		   /* ms */
	uint32_t rto_min, delack_max;	   /* us */
	char congestion[LOCAL_CONGESTION_MAX];
	uint8_t fastopen_key[32];
	uint8_t fastopen_key_size;
	/* SOL_SOCKET, beside those of struct socket */
	uint32_t device;  /* SO_BINDTODEVICE: an index, or 0 */
	bool shares_port; /* SO_REUSEPORT */
	bool has_zerocopy;
	uint8_t txrehash; /* SO_TXREHASH */
	int peek_off;	  /* -1: none */
};

/* ---- one socket ---- */

struct local_socket {
	struct inet_socket inet; /* first */
	/* The table's lock to write; ports as numbers of the machine. IPv4, also mapped,
	 * is is_v4. */
	struct tcp_target local, remote; /* port 0: none */
	struct tcp_target bound;	 /* what bind(2) said: the address */
	bool has_remote;		 /* datagrams: connected */
	bool keeps_addr, keeps_port;	 /* bind(2) has said which */
	bool is_v6only;			 /* IPV6_V6ONLY */
	bool is_by_connect;		 /* its port came with connect(2) */
	bool is_listening;		 /* the same, of TCP */
	uint8_t shut;		       /* TCP: what shutdown(2) shut while unconnected */
	uid_t uid;		       /* const: who made it: for SO_REUSEPORT */
	struct local_port *port;       /* the table's lock; NULL: none */
	struct socket_filter *chooser; /* the table's lock: ref: reuseport.c */
	struct list port_link;	       /* the table's lock */
	struct tree groups;	       /* option_lock: that it has joined: group.c */
	struct lock option_lock;       /* RANK_OBJECT2 */
	struct local_options options;  /* option_lock to write */
	struct local_seed *seed;       /* option_lock: ref: seed.c */
};

static inline struct local_socket *local_of(const struct socket *s)
{
	return s->private;
}

static inline bool local_has_ip(const struct local_socket *l, int name)
{
	return l->options.ip_bits >> name & 1;
}

static inline bool local_has_ip6(const struct local_socket *l, int name)
{
	return l->options.ip6_bits[name / 64] >> (name % 64) & 1;
}

/* ---- socket.c ---- */

/* socket(2) where the network is not the host's. */
int local_create(struct socket *s, int type, int protocol);
/* dgram_socket.c: its parts for datagrams. -EACCES, -EPERM, -EPROTONOSUPPORT. */
int local_udp_create(struct socket *s);
int local_ping_create(struct socket *s, int protocol);
int local_raw_create(struct socket *s, int protocol);
/* l is zeroed memory that the caller will free; s->private is set. ops and protocol are
 * the caller's. Enters it in the table of all internet sockets. */
void local_socket_init(struct local_socket *l, struct socket *s);
/* Leaves that table, and gives back the port and what the options hold. */
void local_socket_fini(struct local_socket *l);
/* bind(2), with all of Linux's checks, for any type: also raw. */
int local_bind(struct socket *s, const struct linux_sockaddr_storage *addr, int len);
/* getsockname(2), getpeername(2). */
int local_name(struct socket *s, struct linux_sockaddr_storage *addr, bool peer);

/* ---- address.c ---- */

/* What addr means for a socket of s's family in connect or send: 0, -EINVAL,
 * -EAFNOSUPPORT, -ENETUNREACH (of IPv4, from an IPv6 only socket) … No address is the
 * loopback one. */
int local_target(struct socket *s, const struct linux_sockaddr_storage *addr, int len,
		 struct tcp_target *t) MUST_CHECK;
/* Has the current task that capability over s's network? */
bool local_capable(const struct socket *s, int cap);
/* Is it an address of the network's lo? */
bool local_address_is_own(struct net_ns *net, const struct tcp_target *t);
/* Has it never had one, nor been up? Linux takes any of IPv4 for its own then. */
bool local_knows_no_address(const struct net_ns *net);
bool local_address_is_multicast(const struct tcp_target *t);
bool local_address_is_broadcast(const struct tcp_target *t);
/* Does something sent there come to us? 0 or -ENETUNREACH. */
int local_route(struct net_ns *net, const struct tcp_target *t) MUST_CHECK;
/* The address that a socket with none gets to send to t. */
void local_source(const struct net_ns *net, const struct tcp_target *t, uint8_t addr[16]);

/* ---- port.c ---- */

/* May the current task have that port? 0 or -EACCES. */
int local_port_check(const struct socket *s, uint16_t number) MUST_CHECK;
struct local_ports *local_ports_of(const struct local_socket *l);
/* bind(2): l has that name and its port, or any when that is 0: 0 or -EADDRINUSE,
 * -ENOMEM, -EINVAL (it has one). */
int local_port_bind(struct local_socket *l, const struct tcp_target *name) MUST_CHECK;
/* For a socket without a port that sends or connects: any. */
int local_port_take_any(struct local_socket *l) MUST_CHECK;
/* The table's lock is held: whoever has that port, or NULL. */
struct local_port *local_port_find(struct local_ports *t, uint16_t number);
void local_port_leave(struct local_socket *l);
/* connect(2) of TCP: l's name becomes `from`, with a port, which is any if l has none,
 * and its peer's `to`. -EADDRNOTAVAIL. */
int local_port_connect(struct local_socket *l, const struct tcp_target *from,
		       const struct tcp_target *to) MUST_CHECK;
/* It is not connected any more: its address is what bind(2) said, or any. leaves: it
 * gives its port back. */
void local_port_disconnect(struct local_socket *l, bool leaves);
/* listen(2), which takes any port if l has none: -EADDRINUSE … */
int local_port_listen(struct local_socket *l) MUST_CHECK;
void local_port_unlisten(struct local_socket *l);
/* An accepted socket has its listener's port too. */
int local_port_join(struct local_socket *l) MUST_CHECK;
/* Could both be who something comes to? */
bool local_names_overlap(const struct local_socket *a, const struct local_socket *b);

/* ---- tcp.c ---- */

int local_tcp_create(struct socket *s);
/* fresh becomes the accepting side of c: NULL: no memory. */
struct inet_socket *local_tcp_accepted(struct socket *s, struct socket *fresh,
				       struct tcp_conn *c) MUST_CHECK;
/* The connection of s has ended, and s is as before: inet_socket.lock is held. */
void local_tcp_dissolved(struct socket *s);
/* Who gets the connection that c asks for: a reference, or NULL. */
struct tcp_listener *local_listener_find(struct net_ns *net,
					 const struct tcp_conn *c) MUST_CHECK;
long local_tcp_ioctl(struct socket *s, unsigned int cmd, uint64_t arg);

/* ---- reuseport.c ---- */

/* Of those that share l's port, which is `port`, the one that is to have what comes: by
 * their program, which sees data (NULL: none), or by hash. The table's lock is held. */
struct local_socket *local_group_pick(const struct local_port *port,
				      struct local_socket *l, uint32_t hash,
				      const uint8_t *data, uint32_t size);
/* SO_ATTACH_REUSEPORT_CBPF, or NULL: it is detached. -EINVAL, -ENOENT. */
int local_chooser_set(struct local_socket *l, struct socket_filter *program) MUST_CHECK;

/* ---- option_ip.c ---- */

/* What SO_PRIORITY is for who says a type of service. */
uint32_t local_ip_priority(uint8_t tos);

/* ---- option.c ---- */

void local_options_init(struct local_options *o);
void local_options_fini(struct local_socket *l);
/* What sockets that l accepts start with, as it is now: a reference, or NULL. */
struct local_seed *local_seed_get(struct local_socket *l) MUST_CHECK;
void local_seed_put(struct local_seed *d);

int local_set_option(struct socket *s, int level, int name, const void *value, int len);
int local_get_option(struct socket *s, int level, int name, void *value, int *len);
