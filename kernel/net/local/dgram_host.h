/* SPDX-License-Identifier: MIT */
/* dgram_host.h - host sockets beside a datagram socket in memory, whose messages come
 * into its queue: between the files of this folder. */
#pragma once
#include "base/deferred.h"
#include "event/host_watch.h"
#include "net/local/dgram.h"

/* One of them. */
struct dgram_host {
	int fd;		     /* const */
	struct dgram *owner; /* const */
	struct file *file;   /* const: borrowed: this is part of it */
	/* Called by the kernel thread. from: NULL: the host socket has one peer. */
	void (*come)(struct dgram_host *h, const struct tcp_target *from,
		     const uint8_t *data, uint32_t size);
	struct host_watch watch;
	struct deferred work; /* with a reference to file while it is queued */
};

/* h is zeroed. fd is taken over on success. */
int dgram_host_begin(struct dgram_host *h, struct socket *s, int fd,
		     void (*come)(struct dgram_host *h, const struct tcp_target *from,
				  const uint8_t *data, uint32_t size)) MUST_CHECK;
void dgram_host_end(struct dgram_host *h);
/* What came from there goes into the owner's queue, unless it hears another. */
void dgram_host_give(struct dgram_host *h, const struct tcp_target *from,
		     const uint8_t *data, uint32_t size);

/* ---- dgram_gate.c ---- */

/* Is it a destination that --allow-connect opens? */
bool dgram_gate_takes(struct socket *s, const struct message *m);
ssize_t dgram_gate_send(struct socket *s, struct message *m);
void dgram_gate_end(struct dgram *d);
