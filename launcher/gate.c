/* SPDX-License-Identifier: MIT */
/* gate.c - see gate.h.
 *
 * Requests may be the work of hostile code: what they ask for is looked up in what the
 * command line allows, whatever the kernel may have checked before. No descriptor is ever
 * taken from the sandbox: nothing here receives control messages. The gate has no
 * capabilities, and ends with the launcher. */
#include "gate.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "descriptors.h"
#include "gate_internal.h"
#include "host/gate.h"
#include "launch.h"
#include "message.h"
#include "options.h"
#include "packets.h"
#include "relay.h"
#include "segment.h"
#include "wall.h"

static int ends[2] = {-1, -1}; /* ours, the kernel's */
static const struct options *allowed;

/* Connections of all kinds, with what listens: each has memory of the host. */
enum { CONNECTIONS_MAX = 4096 };
enum { RETRY_MS = 100 }; /* when descriptors have run out */

/* A connection of the network that is being made. */
struct attempt {
	struct relay_watch outer; /* first */
	struct relay_watch inner; /* hangs up when the program gives up */
	bool is_over;
	struct attempt *next; /* of those that are over */
};

static struct attempt *over;
static unsigned int attempt_count;

/* ---- pairs ---- */

/* pair[1] is the sandbox's. */
int gate_make_pair(int pair[2], uint32_t type)
{
	/* Datagrams have ends that keep messages apart but cannot be connected anew. */
	int kind = type == SOCK_STREAM ? SOCK_STREAM : SOCK_SEQPACKET;

	if (socketpair(AF_UNIX, kind | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
		return -errno;
	(void)fcntl(pair[1], F_SETFL, 0); /* the kernel says which calls block */
	return 0;
}

bool gate_send_end(int to, void *data, size_t size, int fd)
{
	union {
		char room[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = {.room = {0}};
	struct iovec iov = {data, size};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};

	if (fd >= 0) {
		m.msg_control = control.room;
		m.msg_controllen = sizeof control.room;
		control.align.cmsg_level = SOL_SOCKET;
		control.align.cmsg_type = SCM_RIGHTS;
		control.align.cmsg_len = CMSG_LEN(sizeof fd);
		memcpy(CMSG_DATA(&control.align), &fd, sizeof fd);
	}
	return sendmsg(to, &m, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0;
}

bool gate_has_room(void)
{
	unsigned int large = relay_count() + attempt_count;
	unsigned int small = packets_count() + gate_files_count();

	return large + small < CONNECTIONS_MAX &&
	       (large + 1UL) * RELAY_DESCRIPTORS + small * 2UL <= relay_descriptors_max();
}

void gate_join(int outer, int inner, uint32_t type)
{
	if (type == SOCK_STREAM)
		(void)relay_begin(outer, inner);
	else
		(void)packets_begin(outer, inner);
}

/* ---- the network ---- */

static bool matches(const struct gate_rule *r, const struct gate_request *q)
{
	unsigned int port = (unsigned int)q->port[0] << 8 | q->port[1];

	if (r->family != q->family || port < r->port_first || port > r->port_last)
		return false;
	for (unsigned int bit = 0; bit < r->prefix; bit++)
		if ((r->addr[bit / 8] ^ q->addr[bit / 8]) & 0x80U >> bit % 8)
			return false;
	return true;
}

static bool is_allowed(const struct gate_request *q)
{
	for (size_t i = 0; i < allowed->rule_count; i++)
		if (matches(&allowed->rules[i], q))
			return true;
	return false;
}

/* An IPv6 socket reaches IPv4 by such addresses: what is meant is IPv4. */
static void unmap(struct gate_request *q)
{
	struct in6_addr a;

	memcpy(&a, q->addr, sizeof a);
	if (q->family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&a))
		return;
	q->family = AF_INET;
	memcpy(q->addr, &a.s6_addr[12], 4);
}

static socklen_t import_address(const struct gate_request *q, struct sockaddr_storage *a)
{
	struct sockaddr_in *in = (struct sockaddr_in *)a;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)a;

	memset(a, 0, sizeof *a);
	a->ss_family = (sa_family_t)q->family;
	if (q->family == AF_INET) {
		memcpy(&in->sin_addr, q->addr, sizeof in->sin_addr);
		memcpy(&in->sin_port, q->port, sizeof in->sin_port);
		return sizeof *in;
	}
	memcpy(&in6->sin6_addr, q->addr, sizeof in6->sin6_addr);
	memcpy(&in6->sin6_port, q->port, sizeof in6->sin6_port);
	in6->sin6_scope_id = q->scope;
	return sizeof *in6;
}

static void export_result(int outer, int error, struct gate_result *out)
{
	struct sockaddr_storage a = {0};
	const struct sockaddr_in *in = (const struct sockaddr_in *)&a;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&a;
	socklen_t len = sizeof a;

	*out = (struct gate_result){.error = error};
	if (error || getsockname(outer, (struct sockaddr *)&a, &len) < 0)
		return;
	out->family = a.ss_family;
	if (a.ss_family == AF_INET) {
		memcpy(out->addr, &in->sin_addr, sizeof in->sin_addr);
		memcpy(out->port, &in->sin_port, sizeof in->sin_port);
	} else {
		memcpy(out->addr, &in6->sin6_addr, sizeof in6->sin6_addr);
		memcpy(out->port, &in6->sin6_port, sizeof in6->sin6_port);
	}
}

/* Takes the filling out: now there is room to write. */
static void unfill(int inner)
{
	static char junk[GATE_FILLING];
	size_t left = GATE_FILLING;

	while (left > 0) {
		ssize_t n = recv(inner, junk, left, 0);

		if (n <= 0)
			return;
		left -= (size_t)n;
	}
}

/* It leaves the loop; its descriptors stay open. */
static void attempt_end(struct attempt *t)
{
	t->is_over = true;
	t->next = over;
	over = t;
	attempt_count--;
	relay_watch_remove(&t->outer);
	relay_watch_remove(&t->inner);
}

static void attempt_ready(struct relay_watch *w, uint32_t events)
{
	struct attempt *t = (struct attempt *)w;
	int inner = t->inner.fd;
	struct gate_result result;
	int err = 0;
	socklen_t len = sizeof err;

	if (t->is_over || !(events & (EPOLLOUT | EPOLLERR | EPOLLHUP)))
		return;
	attempt_end(t);
	if (getsockopt(w->fd, SOL_SOCKET, SO_ERROR, &err, &len) < 0)
		err = errno;
	export_result(w->fd, -err, &result);
	/* In this order: who finds room to write looks for the result. */
	(void)send(inner, &result, sizeof result, MSG_NOSIGNAL);
	unfill(inner);
	if (!err) {
		gate_join(w->fd, inner, SOCK_STREAM);
		return;
	}
	close(w->fd);
	close(inner);
}

static void attempt_given_up(struct relay_watch *w, uint32_t events)
{
	struct attempt *t =
		(struct attempt *)((char *)w - offsetof(struct attempt, inner));

	if (t->is_over || !(events & EPOLLHUP))
		return;
	attempt_end(t);
	close(t->outer.fd);
	close(t->inner.fd);
}

/* The stream's end is full until the connection is there. */
static int begin_attempt(int outer, int pair[2])
{
	static const char zeroes[GATE_FILLING];
	struct attempt *t = calloc(1, sizeof *t);
	int on = 1;

	(void)setsockopt(outer, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	if (!t || send(pair[1], zeroes, sizeof zeroes, MSG_DONTWAIT) != GATE_FILLING) {
		free(t);
		return -ENOBUFS;
	}
	t->outer = (struct relay_watch){outer, attempt_ready};
	t->inner = (struct relay_watch){pair[0], attempt_given_up};
	if (!relay_watch_add(&t->outer, EPOLLOUT) || !relay_watch_add(&t->inner, 0)) {
		relay_watch_remove(&t->outer);
		free(t);
		return -ENOBUFS;
	}
	attempt_count++;
	return 0;
}

static int connect_network(struct gate_request *q, int *out)
{
	struct sockaddr_storage a;
	socklen_t len;
	int pair[2] = {-1, -1};
	int outer, err;

	unmap(q);
	len = import_address(q, &a);
	if ((q->family != AF_INET && q->family != AF_INET6) ||
	    (q->type != SOCK_STREAM && q->type != SOCK_DGRAM) || !is_allowed(q))
		return -ENETUNREACH;
	if (!gate_has_room())
		return -ENOBUFS;
	outer = socket(a.ss_family, (int)q->type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (outer < 0)
		return -errno;
	err = gate_make_pair(pair, q->type);
	if (!err && connect(outer, (struct sockaddr *)&a, len) < 0 &&
	    errno != EINPROGRESS)
		err = -errno;
	if (!err && q->type == SOCK_STREAM)
		err = begin_attempt(outer, pair);
	if (err) {
		close(outer);
		if (pair[0] >= 0) {
			close(pair[0]);
			close(pair[1]);
		}
		return err;
	}
	if (q->type != SOCK_STREAM)
		gate_join(outer, pair[0], q->type);
	*out = pair[1];
	return 0;
}

/* ---- requests ---- */

static void answer(struct gate_request *q)
{
	struct gate_reply reply = {.id = q->id, .error = -EOPNOTSUPP};
	int fd = -1;

	if (q->operation == GATE_CONNECT)
		reply.error = connect_network(q, &fd);
	else if (q->operation == GATE_CONNECT_PATH)
		reply.error = gate_connect_file(q, &fd);
	else if (q->operation == GATE_BIND_PATH)
		reply.error = gate_bind_file(q, &fd);
	(void)gate_send_end(ends[0], &reply, sizeof reply, fd);
	if (fd >= 0)
		close(fd);
}

static void requests_ready(struct relay_watch *w, uint32_t events)
{
	static struct gate_request q;

	(void)events;
	for (;;) {
		ssize_t n = recv(w->fd, &q, sizeof q, 0);

		if (n == 0)
			_exit(0); /* the sandbox is over */
		if (n < 0)
			return;
		if (n == sizeof q)
			answer(&q);
	}
}

static void free_over(void)
{
	while (over) {
		struct attempt *t = over;

		over = t->next;
		free(t);
	}
	gate_files_free_over();
}

/* ---- start ---- */

static bool is_needed(const struct options *o)
{
	for (size_t i = 0; i < o->volume_count; i++)
		if (o->volumes[i].has_sockets)
			return true;
	return o->rule_count > 0;
}

void gate_begin(const struct options *o)
{
	boot_params()->gate_fd = -1;
	if (!is_needed(o))
		return;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		fail("cannot make a socket pair: %s", strerror(errno));
	(void)fcntl(ends[0], F_SETFL, O_NONBLOCK);
	boot_params()->gate_fd = ends[1];
}

void gate_close_ours(void)
{
	if (ends[0] >= 0)
		close(ends[0]);
	ends[0] = -1;
}

static _Noreturn void gate_main(const struct options *o)
{
	static struct relay_watch requests;

	descriptors_keep(&ends[0], 1);
	allowed = o;
	gate_files_init(o);
	wall_drop_capabilities();
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	relay_init();
	requests = (struct relay_watch){ends[0], requests_ready};
	if (!relay_watch_add(&requests, EPOLLIN))
		fail("cannot wait for requests: %s", strerror(errno));
	for (;;) {
		relay_wait(gate_files_feed() ? RETRY_MS : -1);
		packets_after_wait();
		free_over();
	}
}

pid_t gate_start(const struct options *o)
{
	pid_t launcher = getpid();

	if (ends[0] < 0)
		return 0;
	pid_t pid = fork();
	if (pid < 0)
		fail("cannot start the gate: %s", strerror(errno));
	if (pid > 0)
		return pid;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (getppid() != launcher)
		_exit(STATUS_OWN_FAILURE);
	gate_main(o);
}
