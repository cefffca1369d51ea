/* SPDX-License-Identifier: MIT */
/* packets.c - see packets.h.
 *
 * One message of each direction is held while its receiver has no room; when much is held
 * for all together, no more is read until some of it has gone. The inner end is of type
 * SOCK_SEQPACKET, where nothing but the state of the connection tells an empty message
 * from the end. */
#include "packets.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "relay.h"

enum { MESSAGE_MAX = 212992, ROUNDS = 32, HELD_MAX = 64 << 20 };

struct way {
	int from, to;
	char *held; /* or NULL */
	size_t size;
	bool has_lost; /* of what is held: relay.h */
	bool is_inward;
	bool ends; /* from has ends of file */
	bool is_datagram;
	bool is_over;
};

struct packets {
	struct relay_watch watch[2]; /* first */
	struct way way[2];
	bool is_dead;
	bool is_waiting; /* until less is held */
	struct packets *next, *next_waiting;
};

static struct packets *dead, *waiting;
static unsigned int count;
static size_t held; /* by all */
static char message[MESSAGE_MAX];

static void release(struct way *w)
{
	if (!w->held)
		return;
	held -= w->size;
	free(w->held);
	w->held = NULL;
}

static void packets_end(struct packets *p)
{
	if (p->is_dead)
		return;
	p->is_dead = true;
	count--;
	p->next = dead;
	dead = p;
	close(p->watch[0].fd);
	close(p->watch[1].fd);
	release(&p->way[0]);
	release(&p->way[1]);
}

unsigned int packets_count(void)
{
	return count;
}

/* Those that end are taken out, and when there is room all are. */
static void wake_waiting(void)
{
	struct packets **at = &waiting;

	while (*at) {
		struct packets *p = *at;

		if (!p->is_dead && held >= HELD_MAX) {
			at = &p->next_waiting;
			continue;
		}
		*at = p->next_waiting;
		p->is_waiting = false;
		if (!p->is_dead)
			relay_watch_again(&p->watch[0], EPOLLIN | EPOLLOUT | EPOLLRDHUP);
	}
}

void packets_after_wait(void)
{
	wake_waiting();
	while (dead) {
		struct packets *p = dead;

		dead = p->next;
		free(p);
	}
}

static bool has_hung_up(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLRDHUP};

	return poll(&p, 1, 0) > 0 && (p.revents & (POLLRDHUP | POLLHUP));
}

enum moved { MOVED_NOTHING, MOVED_SOME, MOVED_BROKEN };

static enum moved pass_on(struct way *w, const char *data, size_t size)
{
	if (relay_send(w->to, data, size, w->has_lost && w->is_inward) >= 0)
		return MOVED_SOME;
	if (errno == EAGAIN || errno == ENOBUFS)
		return MOVED_NOTHING;
	/* A datagram is lost for the refusal of one before, or for its size. */
	return errno == EPIPE || errno == ENOTCONN || errno == ECONNRESET ? MOVED_BROKEN
									  : MOVED_SOME;
}

static enum moved hold(struct way *w, size_t size)
{
	w->held = malloc(size ? size : 1);
	if (!w->held)
		return MOVED_SOME; /* lost */
	memcpy(w->held, message, size);
	w->size = size;
	held += size;
	return MOVED_NOTHING;
}

static enum moved move_one(struct way *w)
{
	enum moved moved;
	ssize_t n;

	if (w->held) {
		moved = pass_on(w, w->held, w->size);
		if (moved == MOVED_NOTHING)
			return moved;
		release(w);
		return moved;
	}
	if (w->is_over || held >= HELD_MAX)
		return MOVED_NOTHING;
	n = relay_receive(w->from, message, sizeof message, &w->has_lost);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return MOVED_NOTHING;
	if (n < 0 && errno == ECONNREFUSED) /* of a datagram sent before */
		return MOVED_SOME;
	if (n < 0)
		return MOVED_BROKEN;
	if (n == 0 && w->ends && has_hung_up(w->from)) {
		w->is_over = true;
		(void)shutdown(w->to, SHUT_WR);
		return MOVED_SOME;
	}
	if (n > MESSAGE_MAX) /* a datagram of that size is lost */
		return w->is_datagram ? MOVED_SOME : MOVED_BROKEN;
	moved = pass_on(w, message, (size_t)n);
	return moved == MOVED_NOTHING ? hold(w, (size_t)n) : moved;
}

/* What it may not read now tells of itself no more. */
static void wait_for_room(struct packets *p)
{
	if (held < HELD_MAX || p->is_waiting)
		return;
	p->is_waiting = true;
	p->next_waiting = waiting;
	waiting = p;
}

static void packets_ready(struct packets *p, struct relay_watch *w, uint32_t events)
{
	(void)events;
	for (int round = 0; !p->is_dead && round < ROUNDS; round++) {
		enum moved out = move_one(&p->way[0]);
		enum moved in = move_one(&p->way[1]);

		if (out == MOVED_BROKEN || in == MOVED_BROKEN ||
		    (p->way[1].is_over && (p->way[0].is_over || !p->way[0].ends))) {
			packets_end(p);
			return;
		}
		if (out == MOVED_NOTHING && in == MOVED_NOTHING) {
			wait_for_room(p);
			return;
		}
	}
	if (!p->is_dead)
		relay_watch_again(w, EPOLLIN | EPOLLOUT | EPOLLRDHUP);
}

static void first_ready(struct relay_watch *w, uint32_t events)
{
	packets_ready((struct packets *)w, w, events);
}

static void second_ready(struct relay_watch *w, uint32_t events)
{
	packets_ready((struct packets *)(w - 1), w, events);
}

bool packets_begin(int outer, int inner)
{
	struct packets *p = calloc(1, sizeof *p);
	int type = 0;
	socklen_t len = sizeof type;

	if (!p) {
		close(outer);
		close(inner);
		return false;
	}
	count++;
	(void)getsockopt(outer, SOL_SOCKET, SO_TYPE, &type, &len);
	p->watch[0] = (struct relay_watch){outer, first_ready};
	p->watch[1] = (struct relay_watch){inner, second_ready};
	p->way[0] = (struct way){.from = outer,
				 .to = inner,
				 .is_inward = true,
				 .ends = type == SOCK_SEQPACKET,
				 .is_datagram = type == SOCK_DGRAM};
	p->way[1] = (struct way){.from = inner,
				 .to = outer,
				 .ends = true,
				 .is_datagram = type == SOCK_DGRAM};
	if (relay_watch_add(&p->watch[0], EPOLLIN | EPOLLOUT | EPOLLRDHUP) &&
	    relay_watch_add(&p->watch[1], EPOLLIN | EPOLLOUT | EPOLLRDHUP))
		return true;
	packets_end(p);
	return false;
}
