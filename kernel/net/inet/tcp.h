/* SPDX-License-Identifier: MIT */
/* tcp.h - TCP between sockets of the sandbox, in memory: between the files of this
 * folder.
 *
 * A connect to a listener of the same sandbox makes a struct tcp_conn with two halves and
 * no host connection: half 0 is the side that connected, half 1 the side that accepts.
 * What one side sends is put into the other half's bytes; a FIN or RST arrives at once.
 * To its user a half says what a TCP of Linux would say.
 *
 * The listener keeps its host socket, for connections from outside; who connected keeps
 * the host socket that it was made with, unconnected, as the place of its options, and
 * borrows a local port (tcp_port.c). An accepted socket gets a host socket only when it
 * is asked for an option.
 *
 * A connect goes to the host whenever it cannot be told for sure that it would come to
 * our listener, with nothing about it that only the host's TCP can do: tcp_connect.c.
 *
 * Locks: inet_socket.lock or tcp_listener.lock (RANK_OBJECT), then tcp_conn.lock
 * (RANK_OBJECT2). A half's owner may be used under the latter: it is gone from there
 * before it is freed. */
#pragma once
#include "base/claim.h"
#include "base/lock.h"
#include "base/ref.h"
#include "lib/list.h"
#include "net/byte_chain.h"
#include "net/inet/internal.h"
#include "net/inet/tcp_wait.h"
#include "net/netfilter/netfilter.h"
#include "net/socket.h"
#include "time/timer.h"

struct local_seed;
struct net_ns;
struct poll_table;
struct tcp_retry;

enum tcp_state {
	TCP_ESTABLISHED = 1,
	TCP_SYN_SENT = 2,
	TCP_FIN_WAIT2 = 5,
	TCP_TIME_WAIT = 6, /* of no half: tcp_wait.c */
	TCP_CLOSE = 7,
	TCP_CLOSE_WAIT = 8,
};

/* As in shutdown masks of Linux. */
enum { TCP_SHUT_RECEIVE = 1, TCP_SHUT_SEND = 2, TCP_SHUT_BOTH = 3 };

enum tcp_urgent { URGENT_NONE, URGENT_THERE, URGENT_READ };

enum { CONNECTOR = 0, ACCEPTOR = 1 };

/* An address of either family; of IPv4: four bytes, then zeroes. */
struct tcp_name {
	uint8_t addr[16];
	uint16_t port; /* in the machine's order */
};

/* A local port borrowed from the host. */
struct tcp_lease {
	int fd; /* the host socket that holds it, or -1 */
	uint16_t port;
};

struct tcp_half {
	struct inet_socket *owner; /* NULL: not accepted yet, or closed */
	bool is_open;		   /* has an owner, or may get one */
	bool is_over;		   /* the other side has sent its FIN */
	bool wants_room;	   /* as a sender it found none */
	bool is_lingering;	   /* its owner waits until all is sent */
	bool is_blocked;	   /* a filter drops what comes: all of that is held */
	bool is_fin_lost;	   /* and so is the other side's FIN */
	bool is_kept;		   /* closed: its names are, in FIN_WAIT2: tcp_wait.c */
	uint8_t state;		   /* enum tcp_state */
	uint8_t shutdown;	   /* TCP_SHUT_* */
	uint8_t urgent;		   /* enum tcp_urgent: of the byte numbered urgent_at */
	uint8_t urgent_byte;
	uint64_t urgent_at;
	int error; /* SO_ERROR */
	struct byte_chain in;
	uint32_t held;	   /* how many of the last of them are not to be seen yet */
	nsec_t held_until; /* CLOCK_MONOTONIC */
	nsec_t stamp;	   /* when the last of them came, if the owner wants to know */
	struct tcp_settings set;
	struct tcp_name name;
	uint32_t note_first, note_next;	    /* MSG_ZEROCOPY: those to be told; the next */
	uint32_t piece_count;		    /* put into `in` */
	struct tcp_turn *sender, *receiver; /* tcp_turn.c */
};

struct tcp_conn {
	struct ref refs;
	struct lock lock; /* RANK_OBJECT2: guards what is not const */
	bool is_v4;	  /* const */
	bool is_self; /* const: who connects has connected to himself: half 0 is both */
	bool is_new;  /* its success is yet to be told to who did not wait for it */
	struct tcp_half half[2];
	struct waitq turn_over; /* waited for by those who find a turn taken */
	struct tcp_lease lease;
	/* Set when connecting: used only while a socket of it, or the listener's, has it.
	 */
	struct net_ns *net;
	/* Atomic: set once, when connecting, or when a lost request comes in: ref; NULL:
	 * none. */
	struct tcp_listener *listener;
	struct list link; /* listener->lock: queue or waiting */
	bool is_waiting;  /* listener->lock: on the latter */
	/* tcp_defer.c: listener->lock; atomic to read: in one of its lists, queue's
	 * instead; it goes into that as soon as there is room; how often, and when next,
	 * it is asked for an answer */
	bool is_deferred, is_due;
	uint8_t defer_count;
	nsec_t defer_at;
	struct inet_options *options; /* ref: of the accepted socket */
	struct local_seed *seed;      /* ref: the same, where no host socket has them */
	struct tcp_retry *retry;      /* lock: tcp_filter.c; NULL: nothing was lost */
	struct timer push_timer;      /* tcp_hold.c */
	bool has_timer, is_timed;     /* it was used; it is armed */
	bool is_renewed;	 /* of who connects by it: the socket has had it before */
	struct tcp_conn *former; /* ref: what its owner had before: inet_socket.lock */
};

enum { DEFER_LISTS = 8 };

struct tcp_listener {
	struct ref refs;
	struct lock lock;	   /* RANK_OBJECT */
	struct inet_socket *owner; /* lock: NULL: it listens no more */
	struct list table_link;	   /* table_lock; self-linked: not to be found */
	struct list queue;	   /* lock: connections to be accepted */
	struct list waiting;	   /* lock: that find no room there */
	/* tcp_defer.c: lock: those that nothing has come to, by how often they were asked
	 * for an answer: so each list is in the order of defer_at; those that are to go
	 * into the queue; how many both are. */
	struct list deferred[DEFER_LISTS];
	struct list due;
	uint32_t deferred_count;
	struct timer defer_timer; /* lock to arm */
	bool has_timer, is_timed; /* lock: it was used; it is armed */
	uint32_t count;		  /* lock to write: of the queue */
	uint32_t backlog;	  /* lock: it is full with more than that */
	struct tcp_name name;	  /* const */
	bool is_any;		  /* const: any address */
	bool is_v4;		  /* const: listens on an address of IPv4, or all */
	bool is_v6;		  /* const: or of IPv6 */
	bool is_v6_socket;	  /* const */
};

/* Where a connect leads. */
struct tcp_target {
	bool is_v4;
	struct tcp_name name;
};

/* Those that its reader may see. */
static inline size_t tcp_bytes_there(const struct tcp_half *h)
{
	return byte_chain_used(&h->in) - h->held;
}

/* ---- tcp_turn.c: c's lock is held ---- */

struct tcp_turn {
	struct claim claim;
	struct tcp_conn *conn;
	struct tcp_turn **place; /* a half's sender or receiver; NULL: it has none */
	struct tcp_half *from;	 /* of whose bytes the run was, or NULL */
	struct byte_run run;	 /* what is in its hands without the lock */
};

/* Waits until nobody has that turn: 0, or -ERESTARTSYS: killed. */
int tcp_turn_wait(struct tcp_conn *c, struct tcp_turn **place) MUST_CHECK;
/* t, on the caller's stack and with place NULL, has it from here on. */
void tcp_turn_begin(struct tcp_turn *t, struct tcp_conn *c, struct tcp_turn **place,
		    struct tcp_half *from);
/* Fine for who has none. */
void tcp_turn_end(struct tcp_turn *t);

/* ---- tcp_hold.c: c's lock is held ---- */

/* The last `fresh` bytes of what came to `to` were sent with more to come. */
void tcp_hold(struct tcp_conn *c, struct tcp_half *to, size_t fresh, uint32_t segment);
/* Nothing is held back any more; tells of what was. */
void tcp_push(struct tcp_half *to);

/* ---- tcp_filter.c ---- */

/* What comes of a request where there are filters. */
struct tcp_reply {
	bool is_lost; /* nothing */
	int error;    /* 0: what else would */
};
/* Of s, which connects by c. is_heard: somebody listens. */
struct tcp_reply tcp_request_reply(struct socket *s, const struct tcp_conn *c,
				   bool is_heard) MUST_CHECK;
/* It is to be made again later; it has come to that end. */
void tcp_request_lost(struct tcp_conn *c);
void tcp_request_failed(struct tcp_conn *c, int error);
/* The rest: c's lock is held. */
/* What becomes of size bytes that are sent to `to`: NF_RESET: the sender is done with. */
enum nf_fate tcp_data_fate(struct tcp_conn *c, struct tcp_half *to,
			   size_t size) MUST_CHECK;
/* They are there and dropped. False: no memory to try it again. */
bool tcp_data_lost(struct tcp_conn *c, struct tcp_half *to, size_t size) MUST_CHECK;
bool tcp_fin_is_lost(struct tcp_conn *c, struct tcp_half *to) MUST_CHECK;
/* The other side sends `to` a RST, which comes if filters let it. */
void tcp_send_reset(struct tcp_conn *c, struct tcp_half *to);
/* Nothing is to be tried again. */
void tcp_retry_reset(struct tcp_conn *c);
/* c goes. on_timer: a timer's function, perhaps its own, lets it go. */
void tcp_retry_destroy(struct tcp_retry *r, bool on_timer);

/* ---- tcp_port.c ---- */

/* A local port for a connection from addr: 0 or -errno. */
int tcp_lease_take(struct tcp_lease *l, const struct net_ns *net, bool is_v4,
		   const uint8_t addr[16]) MUST_CHECK;
void tcp_lease_put(struct tcp_lease *l, bool is_v4, const uint8_t addr[16]);
/* One that is only kept for the next connection is given up: false: none is. */
bool tcp_lease_forget(uint16_t port);
/* What the host says of its socket's name; false: nothing. Mapped addresses come out as
 * those of IPv4. */
bool tcp_host_name(int fd, struct tcp_name *n, bool *is_v4);
/* The name as a socket of that family tells it: the length. */
int tcp_name_export(const struct tcp_name *n, bool is_v4, int family,
		    struct linux_sockaddr_storage *out);
bool tcp_name_import(struct tcp_target *t, const struct linux_sockaddr_storage *addr,
		     int len);
bool tcp_is_any(const uint8_t addr[16]);
bool tcp_is_loopback(const struct tcp_target *t);
/* Is it an address of the host's own? */
bool tcp_is_own(const struct tcp_target *t);

/* ---- tcp_listen.c ---- */

int tcp_listen(struct socket *s, int backlog);
/* A socket in memory listens, or has another backlog: 0 or -ENOMEM. */
int tcp_listener_begin(struct inet_socket *i, int backlog) MUST_CHECK;
/* That of a socket: a reference, or NULL. */
struct tcp_listener *tcp_listener_of(struct inet_socket *i) MUST_CHECK;
int tcp_accept(struct socket *s, struct socket *fresh, bool nonblock,
	       struct socket_name *peer);
/* Of a listener without a host socket. */
bool tcp_has_nobody(struct socket *s);
/* Whom a connect to t comes to: a reference, or NULL. */
struct tcp_listener *tcp_listener_find(const struct tcp_target *t) MUST_CHECK;
void tcp_listener_put(struct tcp_listener *l);
/* c goes into the queue, or waits for room: 0 or -ECONNREFUSED. */
int tcp_listener_enter(struct tcp_listener *l, struct tcp_conn *c) MUST_CHECK;
/* c waits for room no more: true if it did. The listener's reference is then the
 * caller's. */
bool tcp_listener_leave(struct tcp_conn *c);
/* s listens no more, or (is_over false) is not found any more. */
void tcp_listener_end(struct inet_socket *i, bool is_over);

/* c, of which l's lock keeps others, waits there to be accepted. */
void tcp_enqueue_locked(struct tcp_listener *l, struct tcp_conn *c);

/* ---- tcp_defer.c ---- */

/* l's lock is held: c, whose request is answered, is to be accepted later. */
bool tcp_defer_locked(struct tcp_listener *l, struct tcp_conn *c) MUST_CHECK;
/* The same: there may be room in the queue. */
void tcp_defer_let_in(struct tcp_listener *l);
/* The same: l is over: nobody will ever accept those that go to orphans. */
void tcp_defer_end(struct tcp_listener *l, struct list *orphans);
/* Without locks: something may have come for c, which was seen to be deferred. */
void tcp_defer_look(struct tcp_conn *c);

/* ---- tcp_connect.c ---- */

int tcp_connect(struct socket *s, const struct linux_sockaddr_storage *addr, int len,
		bool nonblock);
/* i, whose lock is held and which has no connection, has c from here on: one that leads
 * to l, whose reference is taken over, or to nobody if that is NULL. */
void tcp_attach_locked(struct inet_socket *i, struct tcp_conn *c, struct tcp_listener *l);
/* After that, without the lock: the rest of connect(2). reply: what filters have made of
 * the request; if they hinder it, c has no listener. */
int tcp_connect_attached(struct socket *s, struct tcp_conn *c,
			 const struct tcp_reply *reply, bool nonblock) MUST_CHECK;
/* connect(2) of one that is, or tries to be. */
int tcp_connect_again(struct socket *s, struct tcp_conn *c, bool nonblock) MUST_CHECK;
/* Waits until the connection is there: 0 or what ended the wait. c's lock is held. */
int tcp_wait_connected(struct socket *s, struct tcp_conn *c, int side,
		       nsec_t deadline) MUST_CHECK;

/* ---- tcp_conn.c ---- */

struct tcp_conn *tcp_conn_create(void) MUST_CHECK;
/* That of an attempt of i's which failed, made new, or NULL. It is the caller's alone,
 * until it is i's connection again, or tcp_conn_unused() is called. */
struct tcp_conn *tcp_conn_renew(struct inet_socket *i) MUST_CHECK;
/* i is not connected by c after all, which the caller puts. */
void tcp_conn_unused(struct inet_socket *i, struct tcp_conn *c);
void tcp_conn_put(struct tcp_conn *c);
/* The same for the functions of timers. */
void tcp_conn_put_in_timer(struct tcp_conn *c);
/* The socket's connection in memory, or NULL: the host serves it. */
static inline struct tcp_conn *tcp_conn_of(const struct inet_socket *i)
{
	return unlikely(__atomic_load_n(&i->in_memory, __ATOMIC_ACQUIRE)) ? i->conn
									  : NULL;
}
static inline struct tcp_half *tcp_mine(struct tcp_conn *c, const struct inet_socket *i)
{
	return &c->half[i->side];
}
static inline struct tcp_half *tcp_other(struct tcp_conn *c, const struct inet_socket *i)
{
	return &c->half[c->is_self ? i->side : !i->side];
}
/* The rest: c's lock is held. */
/* Both sides are connected now. */
void tcp_establish(struct tcp_conn *c);
/* A RST comes to h. */
void tcp_reset(struct tcp_half *h);
/* `from` sends its FIN to `to`. */
void tcp_finish(struct tcp_conn *c, struct tcp_half *from, struct tcp_half *to);
/* It is there. */
void tcp_fin_arrives(struct tcp_conn *c, struct tcp_half *to);
/* What lies in the sender's own buffer, to be sent: part of what `to` has in. */
size_t tcp_unsent(const struct tcp_half *from, const struct tcp_half *to);
bool tcp_is_writable(const struct tcp_half *from, const struct tcp_half *to);
/* How much may be sent now. */
size_t tcp_room(const struct tcp_half *from, const struct tcp_half *to);
/* Something has left to's bytes, or a limit has risen. */
void tcp_room_came(struct tcp_half *from, const struct tcp_half *to);
void tcp_tell(struct tcp_half *h, uint32_t key);
/* 0 or the error, which is taken. */
int tcp_take_error(struct tcp_half *h);

/* Without the lock: */
int tcp_shutdown(struct socket *s, int how);
int tcp_set_async(struct socket *s, bool is_owned, bool is_async);
uint32_t tcp_poll(struct socket *s, struct poll_table *pt);
/* connect(AF_UNSPEC). */
int tcp_dissolve(struct socket *s, struct tcp_conn *c);
/* The socket's side ends. */
void tcp_close(struct inet_socket *i, struct tcp_conn *c);
/* Who polls it, or sends and receives plain data, asks memory, or the host, from now on:
 * stored with the lock of whatever else says which, so that the last one counts; then
 * those that wait are told, without locks. */
void tcp_poll_fd_store(struct socket *s, int host_fd);
void tcp_poll_switched(struct socket *s);
/* Both. */
void tcp_switch_poll(struct socket *s, int host_fd);

/* ---- tcp_socket.c ---- */

/* Do connections that are over keep s, of the host's network and with a name, from
 * listening with it? */
bool tcp_own_name_is_kept(const struct socket *s);

/* ---- table.c ---- */

/* Another connection in memory has the names of c's two halves. */
bool inet_names_are_used(const struct tcp_conn *c);

/* ---- tcp_send.c, tcp_receive.c, tcp_option.c ---- */

ssize_t tcp_send(struct socket *s, struct message *m);
ssize_t tcp_receive(struct socket *s, struct message *m);
int tcp_set_option(struct socket *s, int level, int name, const void *value, int len);
/* i->set was changed: its connection, too, has these from here on. */
void tcp_settings_apply(struct inet_socket *i, bool push_now);
/* SO_RCVLOWAT was set: what is there may be enough, which Linux says each time. */
void tcp_low_water_set(struct inet_socket *i);
int tcp_get_option(struct socket *s, int level, int name, void *value, int *len);
long tcp_ioctl(struct socket *s, unsigned int cmd, uint64_t arg);
/* TCP_INFO: how many bytes of out are filled. c's lock is held. */
uint32_t tcp_segment_size(const struct tcp_conn *c, int side);
enum { TCP_INFO_SIZE = 232 };
void tcp_info_fill(struct tcp_conn *c, int side, uint8_t out[TCP_INFO_SIZE]);
/* SO_SNDBUF and SO_RCVBUF of one that was asked for nothing. */
enum { TCP_SEND_SIZE = 3939840, TCP_RECEIVE_SIZE = 131072 };
