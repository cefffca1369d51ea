/* SPDX-License-Identifier: MIT */
/* relay.c - see relay.h.
 *
 * Of AF_UNIX sockets of the host's world bytes come by recvmsg(2): only that tells that
 * descriptors were sent with them. Nobody takes those; a descriptor that leads nowhere
 * goes on in their place, and who has no room for it is told MSG_CTRUNC.
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
	char *piece;   /* instead of a pipe: PIECE bytes; or NULL */
	size_t offset; /* of what is held there */
	size_t held;   /* bytes in the pipe, or the piece */
	bool has_lost; /* descriptors came with what is held */
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
static int nowhere = -1; /* a pipe without a writer */

static int open_nowhere(void)
{
	int ends[2];

	if (nowhere >= 0 || pipe2(ends, O_NONBLOCK | O_CLOEXEC) < 0)
		return nowhere;
	close(ends[1]);
	nowhere = ends[0];
	return nowhere;
}

ssize_t relay_send(int to, const char *data, size_t size, bool has_lost)
{
	union {
		char room[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = {.room = {0}};
	struct iovec iov = {(void *)(uintptr_t)data, size};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
	int fd = has_lost ? open_nowhere() : -1;
	ssize_t n;

	if (fd >= 0) {
		m.msg_control = control.room;
		m.msg_controllen = sizeof control.room;
		control.align.cmsg_level = SOL_SOCKET;
		control.align.cmsg_type = SCM_RIGHTS;
		control.align.cmsg_len = CMSG_LEN(sizeof fd);
		memcpy(CMSG_DATA(&control.align), &fd, sizeof fd);
	}
	n = sendmsg(to, &m, MSG_DONTWAIT | MSG_NOSIGNAL);
	/* More descriptors are on their way than one may have: the bytes go alone. */
	if (n < 0 && errno == ETOOMANYREFS)
		n = send(to, data, size, MSG_DONTWAIT | MSG_NOSIGNAL);
	return n;
}

ssize_t relay_receive(int from, char *data, size_t size, bool *has_lost)
{
	struct iovec iov = {data, size};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
	ssize_t n = recvmsg(from, &m, MSG_DONTWAIT | MSG_TRUNC);

	*has_lost = n >= 0 && (m.msg_flags & MSG_CTRUNC);
	return n;
}

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
		free(r->half[i].piece);
		r->half[i].piece = NULL;
	}
}

enum moved { MOVED_NOTHING, MOVED_SOME, MOVED_BROKEN };

static enum moved fill(struct half *h)
{
	ssize_t n;

	if (h->is_at_end || h->held >= (h->piece ? 1 : PIECE))
		return MOVED_NOTHING;
	h->offset = 0;
	n = h->piece ? relay_receive(h->from, h->piece, PIECE, &h->has_lost)
		     : splice(h->from, NULL, h->pipe[1], NULL, PIECE - h->held,
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
	n = h->piece ? relay_send(h->to, h->piece + h->offset, h->held, h->has_lost)
		     : splice(h->pipe[0], NULL, h->to, NULL, h->held,
			      SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
	if (n > 0) {
		h->has_lost = false;
		h->offset += (size_t)n;
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

static bool is_unix(int fd)
{
	int family = 0;
	socklen_t len = sizeof family;

	return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &len) == 0 &&
	       family == AF_UNIX;
}

bool relay_begin(int a, int b)
{
	struct relay *r = calloc(1, sizeof *r);
	int pipes[4] = {-1, -1, -1, -1};
	char *piece = NULL;
	bool has_piece = is_unix(a);

	if (has_piece)
		piece = malloc(PIECE);
	if (!r || (has_piece && !piece) || pipe2(pipes, O_NONBLOCK | O_CLOEXEC) < 0 ||
	    pipe2(pipes + 2, O_NONBLOCK | O_CLOEXEC) < 0)
		goto fail;
	r->watch[0] = (struct relay_watch){a, first_ready};
	r->watch[1] = (struct relay_watch){b, second_ready};
	r->half[0] = (struct half){
		.from = a, .to = b, .pipe = {pipes[0], pipes[1]}, .piece = piece};
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
	free(piece);
	free(r);
	relay_reset(a);
	relay_reset(b);
	return false;
}
