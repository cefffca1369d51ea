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

/* True: settle() is to be called without cork_lock, which is held. */
static bool end_locked(struct socket *s)
{
	struct inet_socket *i = inet_of(s);

	if (i->cork != CORK_LEFT && i->cork != CORK_KEPT)
		return false;
	if (i->cork == CORK_LEFT)
		(void)tell_host(s, TCP_CORK, 0);
	atomic_store(&i->cork, CORK_OVER);
	return true;
}

/* What the guest has, while other threads may be setting it: who is last sees that. */
static void note(struct socket *s, int name)
{
	struct inet_socket *i = inet_of(s);
	const bool *now = name == TCP_CORK ? &i->has_cork : &i->has_nodelay;
	int value;

	do {
		value = atomic_load(now);
		tcp_option_note(s, SOL_TCP, name, &value, sizeof(value));
	} while (unlikely(value != atomic_load(now)));
}

/* It is CORK_OVER. */
static void settle(struct socket *s)
{
	struct inet_socket *i = inet_of(s);
	bool is_elsewhere;

	note(s, TCP_CORK);
	lock_take(&i->lock);
	is_elsewhere = i->outside || atomic_load(&i->in_memory);
	socket_set_direct(s, is_elsewhere ? -1 : s->host_fd);
	lock_drop(&i->lock);
}

static void end_cork(struct socket *s, bool for_good)
{
	struct inet_socket *i = inet_of(s);
	bool has_ended;

	lock_take(&i->cork_lock);
	has_ended = end_locked(s);
	if (for_good)
		atomic_store(&i->cork, CORK_OVER);
	lock_drop(&i->cork_lock);
	if (has_ended)
		settle(s);
}

void tcp_cork_end(struct socket *s)
{
	end_cork(s, false);
}

void tcp_cork_never(struct socket *s)
{
	end_cork(s, true);
}

/* What the host holds is sent. That may come late, and twice: but if TCP_NODELAY has been
 * cleared meanwhile it stays so. */
static int flush(struct socket *s)
{
	struct inet_socket *i = inet_of(s);
	int err = tell_host(s, TCP_NODELAY, 1);

	lock_take(&i->cork_lock);
	if (unlikely(!i->has_nodelay))
		(void)tell_host(s, TCP_NODELAY, 0);
	lock_drop(&i->cork_lock);
	return err;
}

void tcp_sent(struct socket *s)
{
	if (inet_is_left_corked(s))
		(void)flush(s);
}

/* 1: the host has been told; 0: it has not; or -errno. cork_lock is held. */
static int cork_locked(struct socket *s)
{
	struct inet_socket *i = inet_of(s);
	int err = 0;

	if (i->cork == CORK_LEFT)
		atomic_store(&i->cork, CORK_KEPT);
	if (i->cork != CORK_KEPT)
		err = tell_host(s, TCP_CORK, 1);
	if (err)
		return err;
	atomic_store(&i->has_cork, true);
	if (i->cork == CORK_KEPT)
		return 0;
	if (i->has_nodelay && i->cork == CORK_TOLD) {
		socket_set_direct(s, -1); /* who sends must look at the cork */
		atomic_store(&i->cork, CORK_KEPT);
	}
	return 1;
}

/* The same; 0: flush() is to be called. */
static int uncork_locked(struct socket *s)
{
	struct inet_socket *i = inet_of(s);
	int err = 0;
	bool is_left = i->cork == CORK_KEPT || i->cork == CORK_LEFT;

	if (is_left)
		atomic_store_seq(&i->cork, CORK_LEFT);
	else
		err = tell_host(s, TCP_CORK, 0);
	if (err)
		return err;
	atomic_store(&i->has_cork, false);
	return !is_left;
}

static int set_nodelay_locked(struct socket *s, int value)
{
	int err = tell_host(s, TCP_NODELAY, value);

	if (err)
		return err;
	atomic_store(&inet_of(s)->has_nodelay, value);
	return 1;
}

int tcp_cork_set(struct socket *s, int name, int value)
{
	struct inet_socket *i = inet_of(s);
	bool has_ended = false;
	int told;

	lock_take(&i->cork_lock);
	if (name == TCP_CORK) {
		told = value ? cork_locked(s) : uncork_locked(s);
	} else {
		if (!value)
			has_ended = end_locked(s);
		told = set_nodelay_locked(s, value);
	}
	lock_drop(&i->cork_lock);
	if (has_ended)
		settle(s);
	if (told > 0)
		note(s, name);
	else if (!told && !value)
		return flush(s);
	return MIN(told, 0);
}
