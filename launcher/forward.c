/* SPDX-License-Identifier: MIT */
/* forward.c - see forward.h.
 *
 * A program may listen on 127.0.0.1 or on [::1]: the first is tried first. It sees
 * connections from loopback. Datagrams of one sender make a flow with a socket of its
 * own, so that the answers find back; a flow that is silent for a minute is forgotten. */
#include "forward.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "message.h"
#include "relay.h"

enum {
	FLOWS_MAX = 4096, /* the one that was silent longest makes room */
	FLOW_SECONDS = 60,
	BUCKETS = 1024,
	DATAGRAM_MAX = 65536,
	DATAGRAMS_AT_ONCE = 64,
	TICK_MS = 5000,
	RETRY_MS = 100, /* when descriptors have run out */
};

struct listener {
	struct relay_watch watch; /* first */
	struct listener *next;
	uint16_t port;
	bool is_starved; /* there was no descriptor for a connection that waits */
};

/* A connection that loopback has not answered yet. */
struct attempt {
	struct relay_watch watch; /* first: the inner socket */
	int outer;
	uint16_t port;
	bool is_second; /* [::1] */
	bool is_over;
	struct attempt *next; /* of those that are over */
};

union control {
	char room[CMSG_SPACE(sizeof(struct in6_pktinfo))];
	struct cmsghdr align;
};

struct flow {
	struct relay_watch watch; /* first: the inner socket */
	struct flow *next;	  /* in its bucket */
	struct flow *newer, *older;
	const struct listener *listener;
	struct sockaddr_storage peer;
	socklen_t peer_len;
	/* A control message: which address of ours it spoke to. */
	_Alignas(struct cmsghdr) char from[CMSG_SPACE(sizeof(struct in6_pktinfo))];
	socklen_t from_len;
	time_t last;
};

static struct listener *listeners;
static struct attempt *over;
static unsigned int attempt_count;
static struct flow *buckets[BUCKETS];
static struct flow *newest, *oldest;
static unsigned int flow_count;
static char datagram[DATAGRAM_MAX];

static time_t now(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec;
}

static int connect_loopback(int type, uint16_t port, bool is_second)
{
	struct sockaddr_in in = {.sin_family = AF_INET,
				 .sin_port = htons(port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6,
				   .sin6_port = htons(port),
				   .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	int fd = socket(is_second ? AF_INET6 : AF_INET,
			type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int err;

	if (fd < 0)
		return -errno;
	err = is_second ? connect(fd, (struct sockaddr *)&in6, sizeof in6)
			: connect(fd, (struct sockaddr *)&in, sizeof in);
	if (err < 0 && errno != EINPROGRESS) {
		err = -errno;
		close(fd);
		return err;
	}
	return fd;
}

/* ---- connections ---- */

static void attempt_end(struct attempt *t)
{
	attempt_count--;
	t->is_over = true;
	t->next = over;
	over = t;
}

static void set_no_delay(int fd)
{
	int on = 1;

	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

/* A peer that went without a word would have its descriptors for ever. */
static void set_keepalive(int fd)
{
	int on = 1;

	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
}

/* For one more connection, beside the flows. */
static bool has_room(void)
{
	unsigned long connections = relay_count() + attempt_count + 1UL;

	return connections * RELAY_DESCRIPTORS + flow_count <= relay_descriptors_max();
}

static bool attempt_watch(struct attempt *t);

/* Loopback has answered; the socket leaves the loop as another watch takes it over. */
static void attempt_ready(struct relay_watch *w, uint32_t events)
{
	struct attempt *t = (struct attempt *)w;
	int err = 0;
	socklen_t len = sizeof err;

	if (t->is_over || !(events & (EPOLLOUT | EPOLLERR | EPOLLHUP)))
		return;
	if (getsockopt(w->fd, SOL_SOCKET, SO_ERROR, &err, &len) < 0)
		err = errno;
	if (!err) {
		relay_watch_remove(w);
		attempt_end(t);
		set_no_delay(w->fd);
		set_no_delay(t->outer);
		set_keepalive(t->outer);
		(void)relay_begin(t->outer, w->fd);
		return;
	}
	close(w->fd);
	w->fd = t->is_second ? -1 : connect_loopback(SOCK_STREAM, t->port, true);
	t->is_second = true;
	if (w->fd < 0 || !attempt_watch(t)) {
		relay_reset(t->outer);
		attempt_end(t);
	}
}

static bool attempt_watch(struct attempt *t)
{
	if (relay_watch_add(&t->watch, EPOLLOUT))
		return true;
	close(t->watch.fd);
	return false;
}

static void forward_connection(int outer, uint16_t port)
{
	struct attempt *t = calloc(1, sizeof *t);
	int inner = connect_loopback(SOCK_STREAM, port, false);
	bool is_second = inner < 0;

	if (is_second)
		inner = connect_loopback(SOCK_STREAM, port, true);
	if (!t || inner < 0) {
		if (inner >= 0)
			close(inner);
		free(t);
		relay_reset(outer);
		return;
	}
	*t = (struct attempt){.watch = {inner, attempt_ready},
			      .outer = outer,
			      .port = port,
			      .is_second = is_second};
	if (!attempt_watch(t)) {
		free(t);
		relay_reset(outer);
		return;
	}
	attempt_count++;
}

static void accept_all(struct listener *l)
{
	l->is_starved = false;
	for (;;) {
		if (!has_room()) {
			l->is_starved = true;
			return;
		}
		int fd = accept4(l->watch.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0) {
			forward_connection(fd, l->port);
			continue;
		}
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
		    errno == ENOMEM)
			l->is_starved = true;
		if (errno != ECONNABORTED && errno != EINTR)
			return;
	}
}

static void accept_ready(struct relay_watch *w, uint32_t events)
{
	(void)events;
	accept_all((struct listener *)w);
}

/* ---- datagrams ---- */

static unsigned int bucket_of(const struct listener *l, const struct sockaddr_storage *a,
			      socklen_t len)
{
	const unsigned char *p = (const unsigned char *)a;
	unsigned int hash = l->port;

	for (socklen_t i = 0; i < len; i++)
		hash = hash * 31 + p[i];
	return hash % BUCKETS;
}

static void unlink_age(struct flow *f)
{
	*(f->newer ? &f->newer->older : &newest) = f->older;
	*(f->older ? &f->older->newer : &oldest) = f->newer;
}

static void link_newest(struct flow *f)
{
	f->newer = NULL;
	f->older = newest;
	*(newest ? &newest->newer : &oldest) = f;
	newest = f;
	f->last = now();
}

static void touch(struct flow *f)
{
	if (f != newest) {
		unlink_age(f);
		link_newest(f);
	}
	f->last = now();
}

static struct flow **find_flow(const struct listener *l,
			       const struct sockaddr_storage *peer, socklen_t len)
{
	struct flow **at = &buckets[bucket_of(l, peer, len)];

	while (*at && ((*at)->listener != l || (*at)->peer_len != len ||
		       memcmp(&(*at)->peer, peer, len) != 0))
		at = &(*at)->next;
	return at;
}

/* Not while events are told: one of them may be its. */
static void flow_end(struct flow *f)
{
	struct flow **at = find_flow(f->listener, &f->peer, f->peer_len);

	*at = f->next;
	unlink_age(f);
	flow_count--;
	close(f->watch.fd);
	free(f);
}

static void answers_ready(struct relay_watch *w, uint32_t events)
{
	struct flow *f = (struct flow *)w;

	(void)events;
	for (int i = 0; i < DATAGRAMS_AT_ONCE; i++) {
		ssize_t n = recv(w->fd, datagram, sizeof datagram, 0);
		struct iovec iov = {datagram, n < 0 ? 0 : (size_t)n};
		struct msghdr m = {.msg_name = &f->peer,
				   .msg_namelen = f->peer_len,
				   .msg_iov = &iov,
				   .msg_iovlen = 1,
				   .msg_control = f->from_len ? f->from : NULL,
				   .msg_controllen = f->from_len};

		if (n < 0 && errno == ECONNREFUSED)
			continue; /* nobody listens: taken note of */
		if (n < 0)
			return;
		touch(f);
		(void)sendmsg(f->listener->watch.fd, &m, 0);
	}
	relay_watch_again(w, EPOLLIN);
}

static struct flow *flow_create(const struct listener *l,
				const struct sockaddr_storage *peer, socklen_t len)
{
	struct flow *f;

	if (flow_count >= FLOWS_MAX)
		return NULL;
	f = calloc(1, sizeof *f);
	if (!f)
		return NULL;
	f->watch.fd = connect_loopback(SOCK_DGRAM, l->port, false);
	f->watch.ready = answers_ready;
	if (f->watch.fd < 0 || !relay_watch_add(&f->watch, EPOLLIN)) {
		if (f->watch.fd >= 0)
			close(f->watch.fd);
		free(f);
		return NULL;
	}
	f->listener = l;
	memcpy(&f->peer, peer, len);
	f->peer_len = len;
	f->next = NULL;
	*find_flow(l, peer, len) = f;
	link_newest(f);
	flow_count++;
	return f;
}

/* The answer is to come from the address that was spoken to. */
static void note_address(struct flow *f, const struct msghdr *m)
{
	const struct cmsghdr *c = CMSG_FIRSTHDR(m);
	bool is4 = c && c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO;
	bool is6 = c && c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO;

	if (!is4 && !is6)
		return;
	memset(f->from, 0, sizeof f->from);
	memcpy(f->from, c, c->cmsg_len);
	f->from_len = (socklen_t)(is4 ? CMSG_SPACE(sizeof(struct in_pktinfo))
				      : CMSG_SPACE(sizeof(struct in6_pktinfo)));
	if (is4) { /* the interface is the route's choice */
		struct in_pktinfo info;

		memcpy(&info, f->from + CMSG_LEN(0), sizeof info);
		info.ipi_spec_dst = info.ipi_addr;
		info.ipi_ifindex = 0;
		memcpy(f->from + CMSG_LEN(0), &info, sizeof info);
	}
}

static void datagrams_ready(struct relay_watch *w, uint32_t events)
{
	struct listener *l = (struct listener *)w;

	(void)events;
	for (int i = 0; i < DATAGRAMS_AT_ONCE; i++) {
		struct sockaddr_storage peer = {0};
		union control control;
		struct iovec iov = {datagram, sizeof datagram};
		struct msghdr m = {.msg_name = &peer,
				   .msg_namelen = sizeof peer,
				   .msg_iov = &iov,
				   .msg_iovlen = 1,
				   .msg_control = control.room,
				   .msg_controllen = sizeof control.room};
		ssize_t n = recvmsg(w->fd, &m, 0);
		struct flow *f;

		if (n < 0 && errno == ECONNREFUSED)
			continue;
		if (n < 0)
			return;
		f = *find_flow(l, &peer, m.msg_namelen);
		if (!f)
			f = flow_create(l, &peer, m.msg_namelen);
		if (!f)
			continue; /* as lost on the way */
		note_address(f, &m);
		touch(f);
		(void)send(f->watch.fd, datagram, (size_t)n, 0);
	}
	relay_watch_again(w, EPOLLIN);
}

/* ---- all ---- */

void forward_init(void)
{
	relay_init();
}

void forward_add(int fd, uint16_t port, bool is_udp)
{
	struct listener *l = calloc(1, sizeof *l);

	if (!l)
		fail("out of memory");
	l->watch = (struct relay_watch){fd, is_udp ? datagrams_ready : accept_ready};
	l->port = port;
	l->next = listeners;
	listeners = l;
	if (!relay_watch_add(&l->watch, EPOLLIN))
		fail("cannot forward: %s", strerror(errno));
}

static void free_over(void)
{
	while (over) {
		struct attempt *t = over;

		over = t->next;
		free(t);
	}
}

static void forget_flows(void)
{
	time_t limit = now() - FLOW_SECONDS;

	/* It is another one each time: NOLINTNEXTLINE */
	while (oldest && (oldest->last < limit || flow_count >= FLOWS_MAX))
		flow_end(oldest);
}

/* Whoever got no descriptor tries again. */
static bool feed_starved(void)
{
	bool is_starved = false;

	for (struct listener *l = listeners; l; l = l->next) {
		if (l->is_starved)
			accept_all(l);
		is_starved |= l->is_starved;
	}
	return is_starved;
}

void forward_run(void)
{
	for (;;) {
		bool is_starved = feed_starved();

		relay_wait(is_starved ? RETRY_MS : flow_count ? TICK_MS : -1);
		free_over();
		forget_flows();
	}
}
