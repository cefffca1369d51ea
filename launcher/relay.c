/* SPDX-License-Identifier: MIT */
/* relay.c - see relay.h.
 *
 * Events are edge-triggered, and after each of them everything is moved that can be, both
 * ways; who has more than a fair share to move is looked at again after the others. */
#include "relay.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "message.h"

enum { EVENTS_MAX = 64, PIECE = 1 << 16, ROUNDS = 32, RESERVED = 64 };

/* One direction. */
struct half {
	int from, to;
	int pipe[2];
	size_t held; /* bytes in the pipe */
	bool is_at_end, is_shut;
};

struct relay {
	struct relay_watch watch[2]; /* first */
	struct half half[2];
	bool is_dead;
	struct relay *next; /* of the dead */
};

static int epoll = -1;
static struct relay *dead;
static unsigned int count;

void relay_init(void)
{
	epoll = epoll_create1(EPOLL_CLOEXEC);
	if (epoll < 0)
		fail("cannot forward: %s", strerror(errno));
}

bool relay_watch_add(struct relay_watch *w, uint32_t events)
{
	struct epoll_event e = {.events = events | EPOLLET, .data.ptr = w};

	return epoll_ctl(epoll, EPOLL_CTL_ADD, w->fd, &e) == 0;
}

void relay_watch_remove(struct relay_watch *w)
{
	(void)epoll_ctl(epoll, EPOLL_CTL_DEL, w->fd, NULL);
}

void relay_watch_again(struct relay_watch *w, uint32_t events)
{
	struct epoll_event e = {.events = events | EPOLLET, .data.ptr = w};

	(void)epoll_ctl(epoll, EPOLL_CTL_MOD, w->fd, &e);
}

/* What ended during a round may still be in its events. */
static void free_dead(void)
{
	while (dead) {
		struct relay *r = dead;

		dead = r->next;
		free(r);
	}
}

void relay_wait(int milliseconds)
{
	struct epoll_event events[EVENTS_MAX];
	int n = epoll_wait(epoll, events, EVENTS_MAX, milliseconds);

	for (int i = 0; i < n; i++) {
		struct relay_watch *w = events[i].data.ptr;

		w->ready(w, events[i].events);
	}
	free_dead();
}

void relay_reset(int fd)
{
	struct linger now = {.l_onoff = 1, .l_linger = 0};

	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
	close(fd);
}

static void relay_end(struct relay *r, bool is_reset)
{
	if (r->is_dead)
		return;
	r->is_dead = true;
	count--;
	r->next = dead;
	dead = r;
	for (int i = 0; i < 2; i++) {
		if (is_reset)
			relay_reset(r->watch[i].fd);
		else
			close(r->watch[i].fd);
		close(r->half[i].pipe[0]);
		close(r->half[i].pipe[1]);
	}
}

enum moved { MOVED_NOTHING, MOVED_SOME, MOVED_BROKEN };

static enum moved fill(struct half *h)
{
	ssize_t n;

	if (h->is_at_end || h->held >= PIECE)
		return MOVED_NOTHING;
	n = splice(h->from, NULL, h->pipe[1], NULL, PIECE - h->held,
		   SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
	if (n > 0) {
		h->held += (size_t)n;
		return MOVED_SOME;
	}
	if (n == 0) {
		h->is_at_end = true;
		return MOVED_SOME;
	}
	return errno == EAGAIN || errno == EINTR ? MOVED_NOTHING : MOVED_BROKEN;
}

static enum moved drain(struct half *h)
{
	ssize_t n;

	if (h->held == 0) {
		if (!h->is_at_end || h->is_shut)
			return MOVED_NOTHING;
		h->is_shut = true;
		(void)shutdown(h->to, SHUT_WR);
		return MOVED_SOME;
	}
	n = splice(h->pipe[0], NULL, h->to, NULL, h->held,
		   SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
	if (n > 0) {
		h->held -= (size_t)n;
		return MOVED_SOME;
	}
	return n < 0 && errno != EAGAIN && errno != EINTR ? MOVED_BROKEN : MOVED_NOTHING;
}

static void relay_pump(struct relay *r, struct relay_watch *w)
{
	for (int round = 0; round < ROUNDS; round++) {
		bool is_idle = true;

		for (int i = 0; i < 2; i++) {
			enum moved in = fill(&r->half[i]);
			enum moved out = drain(&r->half[i]);

			if (in == MOVED_BROKEN || out == MOVED_BROKEN) {
				relay_end(r, true);
				return;
			}
			is_idle &= in == MOVED_NOTHING && out == MOVED_NOTHING;
		}
		if (r->half[0].is_shut && r->half[1].is_shut) {
			relay_end(r, false);
			return;
		}
		if (is_idle)
			return;
	}
	relay_watch_again(w, EPOLLIN | EPOLLOUT | EPOLLRDHUP);
}

static void relay_ready(struct relay *r, struct relay_watch *w, uint32_t events)
{
	int err = 0;
	socklen_t len = sizeof err;

	if (r->is_dead)
		return;
	if ((events & EPOLLERR) &&
	    getsockopt(w->fd, SOL_SOCKET, SO_ERROR, &err, &len) == 0 && err)
		relay_end(r, true);
	else
		relay_pump(r, w);
}

static void first_ready(struct relay_watch *w, uint32_t events)
{
	relay_ready((struct relay *)w, w, events);
}

static void second_ready(struct relay_watch *w, uint32_t events)
{
	relay_ready((struct relay *)(w - 1), w, events);
}

unsigned int relay_count(void)
{
	return count;
}

unsigned long relay_descriptors_max(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return 0;
	return limit.rlim_cur < 2UL * RESERVED ? limit.rlim_cur / 2
					       : limit.rlim_cur - RESERVED;
}

bool relay_begin(int a, int b)
{
	struct relay *r = calloc(1, sizeof *r);
	int pipes[4] = {-1, -1, -1, -1};

	if (!r || pipe2(pipes, O_NONBLOCK | O_CLOEXEC) < 0 ||
	    pipe2(pipes + 2, O_NONBLOCK | O_CLOEXEC) < 0)
		goto fail;
	r->watch[0] = (struct relay_watch){a, first_ready};
	r->watch[1] = (struct relay_watch){b, second_ready};
	r->half[0] = (struct half){.from = a, .to = b, .pipe = {pipes[0], pipes[1]}};
	r->half[1] = (struct half){.from = b, .to = a, .pipe = {pipes[2], pipes[3]}};
	count++;
	if (!relay_watch_add(&r->watch[0], EPOLLIN | EPOLLOUT | EPOLLRDHUP) ||
	    !relay_watch_add(&r->watch[1], EPOLLIN | EPOLLOUT | EPOLLRDHUP)) {
		relay_end(r, true);
		return false;
	}
	return true; /* NOLINT: the loop has it */
fail:
	for (int i = 0; i < 4; i++)
		if (pipes[i] >= 0)
			close(pipes[i]);
	free(r);
	relay_reset(a);
	relay_reset(b);
	return false;
}
