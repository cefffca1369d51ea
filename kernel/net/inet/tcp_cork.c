/* SPDX-License-Identifier: MIT */
/* tcp_cork.c - TCP_CORK of connections that the host has.
 *
 * Who corks and uncorks his socket for each answer (a web server) would ask the host
 * twice for it. So a socket that also has TCP_NODELAY stays corked on the host when the
 * guest uncorks it. What was held is sent by setting TCP_NODELAY once more: that does so
 * although TCP_CORK is set (tcp(7)), and sends all, as uncorking does with TCP_NODELAY.
 * The next TCP_CORK finds it set.
 *
 * Whoever would send meanwhile uncorks it on the host too, once and for all: nobody sends
 * through a socket that is CORK_LEFT. And who has sent looks whether it is: then it was
 * uncorked while he was about it, perhaps before the host had his data, and they are sent
 * now. The guest's uncorking stores CORK_LEFT first and tells the host then: one of the
 * two sees the other. */
#include "abi/inet.h"
#include "host/host.h"
#include "lib/atomic.h"
#include "net/inet/internal.h"
#include "net/socket.h"

static int tell_host(const struct socket *s, int name, int value)
{
	return host_setsockopt(s->host_fd, SOL_TCP, name, &value, sizeof(value));
}

/* True: the host, too, has it uncorked by that. cork_lock is held. */
static bool end_locked(struct socket *s)
{
	struct inet_socket *i = inet_of(s);
	bool was_left = i->cork == CORK_LEFT;

	if (was_left)
		(void)tell_host(s, TCP_CORK, 0);
	if (was_left || i->cork == CORK_KEPT) {
		atomic_store(&i->cork, CORK_OVER);
		socket_set_direct(s, s->host_fd);
	}
	return was_left;
}

static void note(struct socket *s, int name, int value)
{
	tcp_option_note(s, SOL_TCP, name, &value, sizeof(value));
}

void tcp_cork_end(struct socket *s)
{
	struct inet_socket *i = inet_of(s);
	bool was_left;

	lock_take(&i->cork_lock);
	was_left = end_locked(s);
	lock_drop(&i->cork_lock);
	if (was_left)
		note(s, TCP_CORK, 0);
}

void tcp_sent(struct socket *s)
{
	struct inet_socket *i = inet_of(s);

	lock_take(&i->cork_lock);
	if (i->cork == CORK_LEFT)
		(void)tell_host(s, TCP_NODELAY, 1);
	lock_drop(&i->cork_lock);
}

/* 1: the host has been told; 0: it need not be; or -errno. cork_lock is held. */
static int cork_locked(struct socket *s)
{
	struct inet_socket *i = inet_of(s);
	int err;

	if (i->cork == CORK_LEFT)
		atomic_store(&i->cork, CORK_KEPT);
	if (i->cork == CORK_KEPT)
		return 0;
	err = tell_host(s, TCP_CORK, 1);
	if (err)
		return err;
	if (i->has_nodelay && i->cork == CORK_TOLD) {
		socket_set_direct(s, -1); /* who sends must look at the cork */
		atomic_store(&i->cork, CORK_KEPT);
	}
	return 1;
}

static int uncork_locked(struct socket *s)
{
	struct inet_socket *i = inet_of(s);
	int err;

	if (i->cork == CORK_KEPT || i->cork == CORK_LEFT) {
		atomic_store_seq(&i->cork, CORK_LEFT);
		return tell_host(s, TCP_NODELAY, 1);
	}
	err = tell_host(s, TCP_CORK, 0);
	return err ? err : 1;
}

static int set_nodelay_locked(struct socket *s, int value)
{
	int err = tell_host(s, TCP_NODELAY, value);

	if (err)
		return err;
	inet_of(s)->has_nodelay = value;
	return 1;
}

int tcp_cork_set(struct socket *s, int name, int value)
{
	struct inet_socket *i = inet_of(s);
	bool was_left = false;
	int told;

	lock_take(&i->cork_lock);
	if (name == TCP_CORK) {
		told = value ? cork_locked(s) : uncork_locked(s);
	} else {
		if (!value)
			was_left = end_locked(s);
		told = set_nodelay_locked(s, value);
	}
	lock_drop(&i->cork_lock);
	if (was_left)
		note(s, TCP_CORK, 0);
	if (told > 0)
		note(s, name, value);
	return MIN(told, 0);
}
