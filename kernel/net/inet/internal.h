/* SPDX-License-Identifier: MIT */
/* internal.h - between the files of this folder. */
#pragma once
#include "lib/list.h"
#include "net/socket.h"

#define TIMEOUT_UNKNOWN (-1)

struct inet_async;

struct inet_socket {
	struct list link;      /* table.c */
	struct socket *socket; /* const */
	bool host_nonblock;    /* atomic: the host descriptor has O_NONBLOCK */
	bool lingers;	       /* atomic: SO_LINGER with a time */
	bool tells_more;       /* atomic: a stream's messages may have control data */
	bool had_timeout;      /* atomic: the host socket was ever given one */
	/* What the host socket has of the socket's: atomic. TIMEOUT_UNKNOWN: perhaps one
	 * that its listener had. */
	nsec_t receive_timeout, send_timeout;
	struct inet_async *async; /* atomic: set once; NULL: no signals were wanted */
};

static inline struct inet_socket *inet_of(const struct socket *s)
{
	return s->private;
}

extern const struct socket_ops inet_ops;
int inet_name(struct socket *s, struct linux_sockaddr_storage *addr, bool peer);

/* ---- table.c ---- */

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
/* A host call ended with -EINTR: 0 (for nothing: call again, for what is left of the
 * time), -ERESTARTSYS, -EINTR, -EAGAIN (no time is left). */
int inet_receive_interrupted(struct socket *s, nsec_t deadline) MUST_CHECK;
int inet_send_interrupted(struct socket *s, nsec_t deadline) MUST_CHECK;

/* ---- message.c ---- */
ssize_t inet_send(struct socket *s, struct message *m);
ssize_t inet_receive(struct socket *s, struct message *m);

/* ---- option.c ---- */
int inet_set_option(struct socket *s, int level, int name, const void *value, int len);
int inet_get_option(struct socket *s, int level, int name, void *value, int *len);

/* ---- async.c ---- */
int inet_set_async(struct socket *s, bool is_owned, bool is_async);
void inet_async_end(struct socket *s);

/* ---- ioctl.c ---- */
long inet_ioctl(struct socket *s, unsigned int cmd, uint64_t arg);
