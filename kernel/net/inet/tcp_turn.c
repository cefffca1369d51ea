/* SPDX-License-Identifier: MIT */
/* tcp_turn.c - of those who copy without the connection's lock, one at a time sends and
 * one receives: from the first piece that is copied so until it is done, or sleeps for
 * want of room or data. As on Linux, where the socket's lock is held that long, nobody
 * else's bytes come between. */
#include "base/waitq.h"
#include "fs/uio.h"
#include "lib/atomic.h"
#include "net/inet/tcp.h"

int tcp_turn_wait(struct tcp_conn *c, struct tcp_turn **place)
{
	int err = 0;

	while (*place && !err)
		err = waitq_sleep_killable(&c->turn_over, &c->lock, NSEC_NEVER);
	return err;
}

static void turn_end(struct tcp_turn *t)
{
	*t->place = NULL;
	t->place = NULL;
	waitq_wake_all(&t->conn->turn_over, 0);
}

/* Killed by an outside hand amid a copy. What had been taken to be received, and was not
 * yet copied whole, is there again. */
static void turn_abandon(struct claim *claim)
{
	struct tcp_turn *t = container_of(claim, struct tcp_turn, claim);
	struct tcp_conn *c = t->conn;

	lock_take(&c->lock);
	byte_run_measure(&t->run);
	if (t->from && t->from->is_open && t->run.first)
		byte_chain_return(&t->from->in, &t->run);
	turn_end(t);
	lock_drop(&c->lock);
	byte_run_free(&t->run);
}

void tcp_turn_begin(struct tcp_turn *t, struct tcp_conn *c, struct tcp_turn **place,
		    struct tcp_half *from)
{
	t->conn = c;
	t->place = place;
	t->from = from;
	t->run = (struct byte_run){0};
	*place = t;
	claim_begin(&t->claim, turn_abandon);
}

void tcp_turn_end(struct tcp_turn *t)
{
	if (likely(!t->place))
		return;
	turn_end(t);
	claim_end(&t->claim);
}
