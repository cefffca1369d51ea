/* SPDX-License-Identifier: MIT */
/* internal.h - between the files of this folder. */
#pragma once
#include "abi/errno.h"
#include "base/waitq.h"
#include "lib/list.h"
#include "net/roll.h"
#include "net/socket.h"

#define TIMEOUT_UNKNOWN (-1)

struct inet_async;
struct inet_options;
struct inet_view;
struct tcp_conn;
struct tcp_listener;

/* Options that TCP in memory heeds (tcp.h), as the host has accepted them; an accepted
 * socket has the listener's. */
struct tcp_settings {
	uint32_t send_size, receive_size; /* 0: never set */
	uint32_t low_water;		  /* 0: the same */
	uint32_t linger_seconds;	  /* SO_LINGER; 0: off, or aborts */
	bool is_inline;			  /* SO_OOBINLINE */
	bool is_corked;			  /* TCP_CORK */
	bool aborts;			  /* SO_LINGER with no time */
	bool reuses, shares, is_v6only;	  /* SO_REUSEADDR, SO_REUSEPORT, IPV6_V6ONLY */
	int linger2;	     /* TCP_LINGER2: seconds, -1, or 0: the default */
	uint32_t unsent_low; /* TCP_NOTSENT_LOWAT; 0: the same */
	uint8_t stamps;	     /* 0, or SO_TIMESTAMP or its kin */
	uint8_t full_stamps; /* the same of SO_TIMESTAMPING, software stamps of what came
			      */
	bool tells_size;     /* TCP_INQ */
	bool has_notes;	     /* SO_ZEROCOPY */
};

/* Who has TCP_CORK set: tcp_cork.c. */
enum inet_cork {
	CORK_TOLD, /* the host has what the guest has set */
	CORK_KEPT, /* both */
	CORK_LEFT, /* the host alone */
	CORK_OVER, /* as CORK_TOLD, for good */
};

/* Connections that a socket may have had before the present one: they are kept. */
enum { FORMER_MAX = 64 };

struct inet_socket {
	/* A cache line of what sending and receiving through the host look at. */
	struct socket *socket; /* const */
	bool is_local;	    /* const: begins a struct local_socket: net/local/local.h */
	bool host_nonblock; /* atomic: the host descriptor has O_NONBLOCK */
	bool lingers;	    /* atomic: SO_LINGER with a time */
	bool tells_more;    /* atomic: a stream's messages may have control data */
	bool had_timeout;   /* atomic: the host socket was ever given one */
	/* What the host socket has of the socket's: atomic. TIMEOUT_UNKNOWN: perhaps one
	 * that its listener had. */
	nsec_t receive_timeout, send_timeout;
	/* Of TCP, see tcp.h: */
	bool is_bound;	       /* atomic: by bind(2) */
	bool has_chosen_port;  /* atomic: to port 0: the host chose */
	bool is_hosted;	       /* atomic: the host has its connection, for good */
	bool is_plain_tcp;     /* atomic: no option that only the host can heed */
	bool in_memory;	       /* atomic: conn is a connection in memory */
	uint8_t side;	       /* const while in_memory: its half of conn */
	uint8_t cork;	       /* cork_lock to write, atomic: enum inet_cork */
	struct tcp_conn *conn; /* lock to write: ref */
	/* Of all again: */
	struct inet_outside *outside; /* atomic: the gate has its connection: outside.c */
	/* RANK_FLOCK. Held over setsockopt of the host's, which can wait for another
	 * thread that is sending: where a cork is set or ended for the first time, or
	 * without TCP_NODELAY; not for what tcp_cork.c spares, and not to send. */
	struct lock cork_lock;
	struct roll_entry entry; /* table.c */
	/* const: what it looks like from outside; NULL: as the host says. */
	void (*view)(struct socket *s, struct inet_view *v);
	struct inet_outside *former_outside; /* lock: and those that it had before */
	struct inet_async *async; /* atomic: set once; NULL: no signals were wanted */

	/* Of TCP: */
	struct lock lock;      /* RANK_OBJECT */
	uint32_t former_count; /* lock: of conn->former …, or of former_outside */
	int error;	       /* atomic: of a connection that was dissolved */
	struct tcp_listener *listener; /* lock to write: ref; atomic */
	struct tcp_settings set;       /* lock to write */
	struct inet_options *options;  /* lock: ref: all that were set, or NULL */
	int option_fd; /* lock to write, atomic: a host socket for them; or -1 */
	/* cork_lock to write, atomic: the guest has set them while the host had it. */
	bool has_nodelay, has_cork;
	struct waitq readable, writable;
};

/* A listener's next connection, which is the host's fd: fresh is filled as by accept. */
int inet_accept_fd(struct socket *s, struct socket *fresh, int fd) MUST_CHECK;
/* Accepts from s->host_fd: a descriptor, or -errno. */
int inet_host_accept(struct socket *s, bool may_block, struct socket_name *peer);
/* What fresh has of s as accepted sockets have it, its descriptor or connection apart. */
struct inet_socket *inet_accepted(struct socket *s, struct socket *fresh) MUST_CHECK;
int inet_connect(struct socket *s, const struct linux_sockaddr_storage *addr, int len,
		 bool nonblock) MUST_CHECK;
void inet_release(struct socket *s);
/* The host socket that has s's options, or -errno. */
int inet_option_fd(struct socket *s) MUST_CHECK;
/* All options that were set: what accepted sockets start with. */
struct inet_options *inet_options_get(struct inet_socket *i) MUST_CHECK;
void inet_options_put(struct inet_options *o);
/* The host has taken an option of a TCP socket. */
void tcp_option_note(struct socket *s, int level, int name, const void *value, int len);
/* What TCP in memory looks like from outside; false: the host knows. */
bool tcp_view(const struct socket *s, struct inet_view *v);
/* How many connections in memory a listener has to accept. */
uint32_t tcp_queued(struct inet_socket *i);
/* How many may wait there. */
uint32_t tcp_backlog(struct inet_socket *i);
/* A connection waits to be accepted. */
void inet_tell_listener(struct inet_socket *i);

static inline struct inet_socket *inet_of(const struct socket *s)
{
	return s->private;
}

extern const struct socket_ops inet_ops, tcp_ops;
int inet_name(struct socket *s, struct linux_sockaddr_storage *addr, bool peer);

/* ---- table.c ---- */

/* Zeroed memory becomes a socket without any property. */
void inet_socket_init(struct inet_socket *i);
/* SOL_SOCKET options that are the same for all: false: none of those. */
bool inet_get_common(struct socket *s, int name, void *value, int *len, int *err);

/* s is complete but for its file; or about to go. */
void inet_table_add(struct socket *s);
void inet_table_remove(struct inet_socket *i);
void inet_table_init(void);

/* ---- wait.c ---- */

/* The host descriptor gets O_NONBLOCK, or loses it. */
int inet_set_nonblock(struct socket *s, bool nonblock) MUST_CHECK;
/* Before a host call that may receive (accept), or send (connect), and block: the host
 * socket gets the time-out. Returns 0 and whether the call may block, or -errno. */
int inet_may_receive(struct socket *s, bool *may_block) MUST_CHECK;
int inet_may_send(struct socket *s, bool *may_block) MUST_CHECK;
/* When a wait that begins now with that time-out must end. */
nsec_t inet_deadline(const nsec_t *timeout);
/* What a host call that makes a descriptor has answered: the host's table is that of the
 * whole sandbox. */
static inline int inet_fd_error(int fd)
{
	return unlikely(fd == -EMFILE) ? -ENFILE : fd;
}
/* A host call ended with -EINTR: 0 (for nothing: call again, for what is left of the
 * time), -ERESTARTSYS, -EINTR, -EAGAIN (no time is left). */
int inet_receive_interrupted(struct socket *s, nsec_t deadline) MUST_CHECK;
int inet_send_interrupted(struct socket *s, nsec_t deadline) MUST_CHECK;

/* ---- held.c ---- */
typedef ssize_t (*inet_receive_t)(struct socket *s, struct message *m);
typedef ssize_t (*inet_send_t)(struct socket *s, struct message *m, uint32_t flags);

/* The task's memory may have to be waited for, which the host does not. */
bool inet_may_be_held(void);
/* What u is part of is then to be moved by one of these, which call the function. */
bool inet_is_held(const struct socket *s, const struct uio *u, uint32_t receive_flags);
ssize_t inet_receive_held(struct socket *s, struct message *m, inet_receive_t receive);
ssize_t inet_send_held(struct socket *s, struct message *m, uint32_t flags,
		       inet_send_t send);

/* ---- message.c ---- */
ssize_t inet_send(struct socket *s, struct message *m);
ssize_t inet_receive(struct socket *s, struct message *m);
ssize_t inet_send_plain(struct socket *s, uaddr_t data, size_t size, uint32_t flags);
ssize_t inet_receive_plain(struct socket *s, uaddr_t data, size_t size, uint32_t flags);
ssize_t inet_send_host_file(struct socket *s, int host_fd, int64_t *pos, size_t count,
			    bool nonblock);

/* ---- message.c, many.c: what reaches the host ---- */

enum {
	INET_SEND_FLAGS = MSG_OOB | MSG_DONTROUTE | MSG_DONTWAIT | MSG_EOR | MSG_CONFIRM |
			  MSG_MORE | MSG_ZEROCOPY | MSG_FASTOPEN | 0x10 /* MSG_PROBE */,
	INET_RECEIVE_FLAGS = MSG_OOB | MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT | MSG_WAITALL |
			     MSG_ERRQUEUE | MSG_CMSG_CLOEXEC,
	INET_CONTROL_MAX = 4096, /* more than the host has to tell of a message */
};

/* A host call that receives or sends: once() makes it, with MSG_DONTWAIT in flags without
 * a wait. */
struct inet_attempt {
	struct socket *socket;
	long (*once)(struct inet_attempt *a, uint32_t flags);
	struct message *message; /* for once() */
};
/* It has ended with -EINTR: again if that was for nothing. What once() says, or
 * -ERESTARTSYS, -EINTR, -EAGAIN (no time is left). */
long inet_receive_again(struct inet_attempt *a, uint32_t flags,
			nsec_t deadline) MUST_CHECK;
long inet_send_again(struct inet_attempt *a, uint32_t flags, nsec_t deadline) MUST_CHECK;
/* Tells the guest the control messages that lie at data. */
void inet_put_control(struct message *m, const uint8_t *data, size_t size);
/* h gets those of m that the host may see. copy->data, NULL before: is to be freed. */
int inet_import_control(const struct message *m, struct linux_msghdr *h,
			struct scratch *copy) MUST_CHECK;

/* ---- many.c ---- */
bool inet_moves_many(const struct socket *s);
int inet_receive_many(struct socket *s, struct message *const *m, unsigned count,
		      uint32_t *sizes);
int inet_send_many(struct socket *s, struct message *const *m, unsigned count,
		   uint32_t *sizes);

/* ---- option.c ---- */
int inet_set_option(struct socket *s, int level, int name, const void *value, int len);
int inet_get_option(struct socket *s, int level, int name, void *value, int *len);
/* A socket such as s has no options of that level. */
bool inet_level_is_foreign(const struct socket *s, int level);

/* ---- tcp_connect.c ---- */
/* IPv4, or IPv6 that leads to mapped addresses too. */
bool inet_may_use_v4(const struct socket *s);

/* ---- tcp_cork.c ---- */
/* TCP_CORK or TCP_NODELAY of a connection that the host has. */
int tcp_cork_set(struct socket *s, int name, int value) MUST_CHECK;
/* The host has what the guest has set from here on. */
void tcp_cork_end(struct socket *s);
/* The same, whatever the guest will set: for listeners. */
void tcp_cork_never(struct socket *s);
/* Something was sent to the host: it is not held there if the guest has s uncorked. */
void tcp_sent(struct socket *s);
/* It must not be sent through as it is. */
static inline bool inet_is_left_corked(const struct socket *s)
{
	return unlikely(__atomic_load_n(&inet_of(s)->cork, __ATOMIC_ACQUIRE) ==
			CORK_LEFT);
}

/* ---- outside.c: of sockets that have inet_socket.outside, but connect ---- */
/* A connection of the gate's to addr, which it allows: *fd is its end. */
int inet_outside_ask(struct socket *s, const struct linux_sockaddr_storage *addr,
		     int *fd) MUST_CHECK;
/* Is that a connection for the gate? */
bool inet_outside_takes(const struct socket *s, const struct linux_sockaddr_storage *addr,
			int len);
int inet_outside_connect(struct socket *s, const struct linux_sockaddr_storage *addr,
			 int len, bool nonblock) MUST_CHECK;
int inet_outside_name(struct socket *s, struct linux_sockaddr_storage *addr, bool peer);
/* Before a message is sent or received: 0, or what the call answers. A stream's
 * connection may have to be waited for. */
int inet_outside_send(struct socket *s, struct message *m) MUST_CHECK;
int inet_outside_receive(struct socket *s, struct message *m) MUST_CHECK;
/* The host socket that has the options. */
int inet_outside_own_fd(const struct socket *s);
/* SO_ERROR. */
int inet_outside_error(struct socket *s);
/* Also fine without. */
void inet_outside_release(struct socket *s);

/* ---- async.c ---- */
int inet_set_async(struct socket *s, bool is_owned, bool is_async);
void inet_async_end(struct socket *s);

/* ---- ioctl.c ---- */
long inet_ioctl(struct socket *s, unsigned int cmd, uint64_t arg);
