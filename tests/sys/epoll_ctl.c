/* SPDX-License-Identifier: MIT */
/* net */
/* What an epoll says of its members, for members of several kinds at once: pipes, event
 * counters, connections, and, if standard input and output are the two ends of a FIFO,
 * those. */
/* calls: epoll_ctl epoll_wait epoll_create1 */
#include "fixture.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>

enum kind { PIPE, COUNTER, CONNECTION, INHERITED, KINDS };

/* What is written at one end makes the other readable, soon or at once. */
struct channel {
	enum kind kind;
	int in, out;
};

static bool has_inherited(void)
{
	struct stat a, b;

	return fstat(0, &a) == 0 && fstat(1, &b) == 0 && S_ISFIFO(a.st_mode) &&
	       a.st_ino == b.st_ino && a.st_dev == b.st_dev;
}

/* What is said of the tests must not get among the data. */
__attribute__((constructor)) static void keep_output_apart(void)
{
	if (has_inherited())
		stdout = stderr;
}

static bool connection_open(struct channel *c)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
				.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(a);
	int l = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (l < 0)
		return false; /* not there */
	CHECK(bind(l, (struct sockaddr *)&a, len) == 0 && listen(l, 1) == 0);
	CHECK(getsockname(l, (struct sockaddr *)&a, &len) == 0);
	c->out = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK(c->out >= 0 && connect(c->out, (struct sockaddr *)&a, len) == 0);
	c->in = accept(l, NULL, NULL);
	CHECK(c->in >= 0 && close(l) == 0);
	return true;
}

/* False: there is none of this kind here. */
static bool channel_open(struct channel *c, enum kind kind)
{
	int p[2];

	c->kind = kind;
	switch (kind) {
	case PIPE:
		CHECK(pipe2(p, O_CLOEXEC) == 0);
		c->in = p[0];
		c->out = p[1];
		return true;
	case COUNTER:
		c->in = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		c->out = dup(c->in);
		CHECK(c->in >= 0 && c->out >= 0);
		return true;
	case CONNECTION:
		return connection_open(c);
	case INHERITED:
		if (!has_inherited())
			return false;
		c->in = dup(0);
		c->out = dup(1);
		CHECK(c->in >= 0 && c->out >= 0);
		return true;
	default:
		return false;
	}
}

static void channel_close(struct channel *c)
{
	CHECK(close(c->in) == 0 && close(c->out) == 0);
}

static void await(int fd, short events)
{
	struct pollfd p = {.fd = fd, .events = events};

	CHECK(poll(&p, 1, 10000) == 1);
}

/* Waits until it has arrived. */
static void put(struct channel *c)
{
	uint64_t one = 1;
	int before = 0, now = 0;

	if (c->kind != COUNTER)
		CHECK(ioctl(c->in, FIONREAD, &before) == 0);
	CHECK(write(c->out, &one, 8) == 8);
	while (c->kind != COUNTER && now < before + 8)
		CHECK(ioctl(c->in, FIONREAD, &now) == 0);
}

static void drain(struct channel *c)
{
	uint64_t b[64];

	CHECK(read(c->in, b, c->kind == COUNTER ? 8 : sizeof(b)) > 0);
}

#define FOR_KINDS(c)                                                                     \
	for (int kind_ = 0; kind_ < KINDS; kind_++)                                      \
		for (struct channel c, *once_ = channel_open(&c, kind_) ? &c : NULL;     \
		     once_; once_ = NULL, channel_close(&c))

static int ep_new(void)
{
	int ep = epoll_create1(EPOLL_CLOEXEC);

	CHECK(ep >= 0);
	return ep;
}

static int ctl(int ep, int op, int fd, uint32_t events, uint64_t data)
{
	struct epoll_event e = {.events = events, .data.u64 = data};

	return epoll_ctl(ep, op, fd, &e);
}

/* How many are ready now; the first is left in got. */
static struct epoll_event got;
static int ready(int ep)
{
	struct epoll_event e[8];
	int n = epoll_wait(ep, e, 8, 0);

	CHECK(n >= 0);
	if (n)
		got = e[0];
	return n;
}

static void levels_come_as_long_as_they_are_there(void)
{
	FOR_KINDS(c)
	{
		int ep = ep_new();

		CHECK(ctl(ep, EPOLL_CTL_ADD, c.in, EPOLLIN, 1) == 0 && ready(ep) == 0);
		put(&c);
		CHECK(ready(ep) == 1 && got.events == EPOLLIN && got.data.u64 == 1);
		CHECK(ready(ep) == 1);
		drain(&c);
		CHECK(ready(ep) == 0);
		put(&c);
		CHECK(ready(ep) == 1);
		drain(&c);
		CHECK(close(ep) == 0);
	}
}

static void edges_come_once_for_each_arrival(void)
{
	FOR_KINDS(c)
	{
		int ep = ep_new();

		CHECK(ctl(ep, EPOLL_CTL_ADD, c.in, EPOLLIN | EPOLLET, 1) == 0);
		for (int i = 0; i < 3; i++) {
			put(&c);
			CHECK(ready(ep) == 1 && ready(ep) == 0);
		}
		CHECK(ctl(ep, EPOLL_CTL_MOD, c.in, EPOLLIN | EPOLLET, 2) == 0);
		CHECK(ready(ep) == 1 && got.data.u64 == 2 && ready(ep) == 0);
		drain(&c);
		CHECK(ready(ep) == 0);
		/* an edge that nobody saw before it was over */
		put(&c);
		drain(&c);
		CHECK(ready(ep) == 0);
		CHECK(close(ep) == 0);
	}
}

static void edges_of_both_directions(void)
{
	FOR_KINDS(c)
	{
		int ep = ep_new();

		if (c.kind == PIPE || c.kind == INHERITED) {
			CHECK(close(ep) == 0);
			continue;
		}
		CHECK(ctl(ep, EPOLL_CTL_ADD, c.in, EPOLLIN | EPOLLOUT | EPOLLET, 1) == 0);
		CHECK(ready(ep) == 1 && got.events == EPOLLOUT && ready(ep) == 0);
		put(&c);
		CHECK(ready(ep) == 1 && got.events == (EPOLLIN | EPOLLOUT));
		CHECK(ready(ep) == 0);
		CHECK(close(ep) == 0);
	}
}

static void one_shots_need_a_new_arming(void)
{
	FOR_KINDS(c)
	{
		int ep = ep_new();

		CHECK(ctl(ep, EPOLL_CTL_ADD, c.in, EPOLLIN | EPOLLONESHOT, 1) == 0);
		put(&c);
		CHECK(ready(ep) == 1 && ready(ep) == 0);
		put(&c);
		CHECK(ready(ep) == 0);
		CHECK(ctl(ep, EPOLL_CTL_MOD, c.in, EPOLLIN | EPOLLONESHOT | EPOLLET, 2) ==
		      0);
		CHECK(ready(ep) == 1 && got.data.u64 == 2 && ready(ep) == 0);
		FAILS(EEXIST, ctl(ep, EPOLL_CTL_ADD, c.in, EPOLLIN, 0));
		drain(&c);
		CHECK(ctl(ep, EPOLL_CTL_MOD, c.in, EPOLLIN, 3) == 0 && ready(ep) == 0);
		put(&c);
		CHECK(ready(ep) == 1 && got.data.u64 == 3);
		drain(&c);
		CHECK(close(ep) == 0);
	}
}

static void what_is_asked_for_can_change(void)
{
	FOR_KINDS(c)
	{
		int ep = ep_new();

		put(&c);
		CHECK(ctl(ep, EPOLL_CTL_ADD, c.in, 0, 1) == 0 && ready(ep) == 0);
		CHECK(ctl(ep, EPOLL_CTL_MOD, c.in, EPOLLPRI, 1) == 0 && ready(ep) == 0);
		CHECK(ctl(ep, EPOLL_CTL_MOD, c.in, EPOLLIN, 2) == 0);
		CHECK(ready(ep) == 1 && got.data.u64 == 2);
		CHECK(ctl(ep, EPOLL_CTL_MOD, c.in, 0, 1) == 0 && ready(ep) == 0);
		CHECK(ctl(ep, EPOLL_CTL_DEL, c.in, 0, 0) == 0);
		FAILS(ENOENT, ctl(ep, EPOLL_CTL_MOD, c.in, EPOLLIN, 2));
		CHECK(ctl(ep, EPOLL_CTL_ADD, c.in, EPOLLIN, 7) == 0);
		CHECK(ready(ep) == 1 && got.data.u64 == 7);
		CHECK(ctl(ep, EPOLL_CTL_DEL, c.in, 0, 0) == 0 && ready(ep) == 0);
		drain(&c);
		CHECK(close(ep) == 0);
	}
}

static void descriptors_of_one_file_are_members_each(void)
{
	FOR_KINDS(c)
	{
		int ep = ep_new();
		int again = dup(c.in);
		struct epoll_event e[4];

		CHECK(ctl(ep, EPOLL_CTL_ADD, c.in, EPOLLIN, 1) == 0);
		CHECK(ctl(ep, EPOLL_CTL_ADD, again, EPOLLIN | EPOLLET, 2) == 0);
		put(&c);
		CHECK(epoll_wait(ep, e, 4, 0) == 2);
		CHECK(e[0].data.u64 + e[1].data.u64 == 3);
		CHECK(epoll_wait(ep, e, 4, 0) == 1 && e[0].data.u64 == 1);
		CHECK(close(again) == 0);
		CHECK(ctl(ep, EPOLL_CTL_DEL, c.in, 0, 0) == 0);
		/* the member stays, as the file does */
		put(&c);
		CHECK(ready(ep) == 1 && got.data.u64 == 2);
		drain(&c);
		CHECK(close(ep) == 0);
	}
}

static void the_last_close_removes(void)
{
	int ep = ep_new();

	for (int round = 0; round < 3; round++)
		FOR_KINDS(c)
		{
			int again = dup(c.in);

			if (c.kind == COUNTER || c.kind == INHERITED) {
				CHECK(close(again) == 0);
				continue;
			}
			CHECK(ctl(ep, EPOLL_CTL_ADD, c.in, EPOLLIN, 1) == 0);
			put(&c);
			CHECK(close(c.in) == 0 && ready(ep) == 1 && close(again) == 0);
			CHECK(ready(ep) == 0);
			/* the number is free for another one */
			c.in = c.out;
			c.out = dup(c.in);
			CHECK(c.out >= 0);
		}
	CHECK(close(ep) == 0);
}

static void all_kinds_are_told_in_one_call(void)
{
	struct channel c[KINDS];
	struct epoll_event e[KINDS + 1];
	int ep = ep_new(), n = 0;
	unsigned seen = 0;

	for (int kind = 0; kind < KINDS; kind++)
		if (channel_open(&c[n], kind))
			n++;
	for (int i = 0; i < n; i++) {
		CHECK(ctl(ep, EPOLL_CTL_ADD, c[i].in, EPOLLIN, (uint64_t)i) == 0);
		put(&c[i]);
		CHECK(epoll_wait(ep, e, KINDS + 1, -1) == i + 1);
	}
	/* one at a time: everybody's turn comes */
	for (int i = 0; i < 8 * n; i++) {
		CHECK(epoll_wait(ep, e, 1, -1) == 1);
		seen |= 1U << e[0].data.u64;
	}
	CHECK(seen == (1U << n) - 1);
	for (int i = 0; i < n; i++) {
		drain(&c[i]);
		CHECK(epoll_wait(ep, e, KINDS + 1, 0) == n - 1 - i);
		channel_close(&c[i]);
	}
	CHECK(close(ep) == 0);
}

static void hangups_and_errors(void)
{
	FOR_KINDS(c)
	{
		int ep = ep_new();
		int p[2] = {c.in, c.out};

		if (c.kind == COUNTER || c.kind == INHERITED) {
			CHECK(close(ep) == 0);
			continue;
		}
		CHECK(ctl(ep, EPOLL_CTL_ADD, p[0], EPOLLIN | EPOLLRDHUP | EPOLLET, 1) ==
		      0);
		CHECK(ready(ep) == 0 && close(p[1]) == 0);
		if (c.kind == PIPE) {
			CHECK(ready(ep) == 1 && got.events == EPOLLHUP);
		} else {
			await(p[0], POLLRDHUP);
			CHECK(ready(ep) == 1);
			CHECK(got.events == (EPOLLIN | EPOLLRDHUP));
		}
		CHECK(ready(ep) == 0);
		/* wanted or not */
		CHECK(ctl(ep, EPOLL_CTL_MOD, p[0], 0, 1) == 0);
		CHECK(ready(ep) == (c.kind == PIPE));
		c.out = dup(c.in);
		CHECK(close(ep) == 0);
	}
}

static void an_unreadable_array_loses_nothing(void)
{
	FOR_KINDS(c)
	{
		uint32_t flags[] = {EPOLLIN, EPOLLIN | EPOLLET, EPOLLIN | EPOLLONESHOT};

		for (int i = 0; i < 3; i++) {
			int ep = ep_new();
			struct channel other;
			char *edge = page_edge();
			struct epoll_event *e = (void *)(edge - sizeof(*e));

			CHECK(channel_open(&other, PIPE));
			CHECK(ctl(ep, EPOLL_CTL_ADD, c.in, flags[i], 1) == 0);
			put(&c);
			FAILS(EFAULT, epoll_wait(ep, (void *)edge, 1, 0));
			FAILS(EFAULT, epoll_wait(ep, (void *)edge, 1, 1000));
			CHECK(ready(ep) == 1 && got.data.u64 == 1);
			CHECK(ready(ep) == (i == 0));
			CHECK(ctl(ep, EPOLL_CTL_MOD, c.in, flags[i], 2) == 0);
			CHECK(ctl(ep, EPOLL_CTL_ADD, other.in, flags[i], 3) == 0);
			put(&other);
			/* room for one */
			CHECK(epoll_wait(ep, e, 8, 0) == 1);
			if (i) {
				uint64_t first = e->data.u64;

				CHECK(epoll_wait(ep, e, 8, 0) == 1);
				CHECK(first + e->data.u64 == 5 && ready(ep) == 0);
			}
			drain(&c);
			channel_close(&other);
			CHECK(close(ep) == 0);
		}
	}
}

/* ---- epolls in epolls ---- */

static void inner_epolls_say_what_their_members_do(void)
{
	FOR_KINDS(c)
	{
		int in = ep_new(), middle = ep_new(), out = ep_new();
		struct pollfd p = {.fd = out, .events = POLLIN | POLLOUT};

		/* before and after it has members */
		CHECK(ctl(out, EPOLL_CTL_ADD, middle, EPOLLIN, 3) == 0);
		CHECK(ctl(middle, EPOLL_CTL_ADD, in, EPOLLIN, 2) == 0);
		CHECK(ready(out) == 0);
		CHECK(ctl(in, EPOLL_CTL_ADD, c.in, EPOLLIN, 1) == 0 && ready(out) == 0);
		put(&c);
		CHECK(poll(&p, 1, 20000) == 1 && p.revents == POLLIN);
		CHECK(ready(out) == 1 && got.data.u64 == 3);
		CHECK(ready(middle) == 1 && got.data.u64 == 2);
		CHECK(ready(in) == 1 && got.data.u64 == 1 && ready(out) == 1);
		drain(&c);
		CHECK(ready(out) == 0 && ready(middle) == 0 && ready(in) == 0);
		CHECK(poll(&p, 1, 0) == 0);
		/* an edge inside is over when it was fetched */
		CHECK(ctl(in, EPOLL_CTL_MOD, c.in, EPOLLIN | EPOLLET, 1) == 0);
		put(&c);
		CHECK(ready(out) == 1 && ready(out) == 1 && ready(in) == 1);
		CHECK(ready(in) == 0 && ready(out) == 0 && poll(&p, 1, 0) == 0);
		/* without the middle one */
		CHECK(ctl(middle, EPOLL_CTL_DEL, in, 0, 0) == 0);
		put(&c);
		CHECK(ready(out) == 0 && ready(in) == 1);
		drain(&c);
		CHECK(close(in) == 0 && close(middle) == 0 && close(out) == 0);
	}
}

static void an_edge_outside_comes_once(void)
{
	FOR_KINDS(c)
	{
		int in = ep_new(), out = ep_new();

		CHECK(ctl(in, EPOLL_CTL_ADD, c.in, EPOLLIN, 1) == 0);
		CHECK(ctl(out, EPOLL_CTL_ADD, in, EPOLLIN | EPOLLET, 2) == 0);
		put(&c);
		CHECK(ready(out) == 1 && ready(out) == 0);
		CHECK(ready(in) == 1);
		drain(&c);
		CHECK(ready(in) == 0);
		put(&c);
		CHECK(ready(out) == 1 && ready(out) == 0);
		CHECK(ctl(out, EPOLL_CTL_MOD, in, EPOLLIN | EPOLLONESHOT, 2) == 0);
		CHECK(ready(out) == 1 && ready(out) == 0);
		drain(&c);
		CHECK(ctl(out, EPOLL_CTL_MOD, in, EPOLLIN | EPOLLONESHOT, 3) == 0);
		CHECK(ready(out) == 0);
		put(&c);
		CHECK(ready(out) == 1 && got.data.u64 == 3 && ready(out) == 0);
		drain(&c);
		/* nothing asked */
		CHECK(ctl(out, EPOLL_CTL_MOD, in, EPOLLOUT, 3) == 0);
		put(&c);
		CHECK(ready(out) == 0);
		CHECK(ctl(out, EPOLL_CTL_MOD, in, EPOLLIN, 4) == 0);
		CHECK(ready(out) == 1 && got.data.u64 == 4);
		drain(&c);
		CHECK(close(in) == 0 && ready(out) == 0 && close(out) == 0);
	}
}

static void loops_and_depth(void)
{
	int ep[8];
	int shared = ep_new();

	for (int i = 0; i < 8; i++)
		ep[i] = ep_new();
	FAILS(EINVAL, ctl(ep[0], EPOLL_CTL_ADD, ep[0], EPOLLIN, 0));
	CHECK(ctl(ep[0], EPOLL_CTL_ADD, ep[1], EPOLLIN, 0) == 0);
	FAILS(ELOOP, ctl(ep[1], EPOLL_CTL_ADD, ep[0], EPOLLIN, 0));
	CHECK(ctl(ep[1], EPOLL_CTL_ADD, ep[2], EPOLLIN, 0) == 0);
	FAILS(ELOOP, ctl(ep[2], EPOLL_CTL_ADD, ep[0], EPOLLIN, 0));
	CHECK(ctl(ep[2], EPOLL_CTL_ADD, ep[3], EPOLLIN, 0) == 0);
	CHECK(ctl(ep[3], EPOLL_CTL_ADD, ep[4], EPOLLIN, 0) == 0);
	FAILS(ELOOP, ctl(ep[4], EPOLL_CTL_ADD, ep[5], EPOLLIN, 0));
	FAILS(ELOOP, ctl(ep[5], EPOLL_CTL_ADD, ep[0], EPOLLIN, 0));
	/* two ways to one are no loop */
	CHECK(ctl(ep[0], EPOLL_CTL_ADD, shared, EPOLLIN, 0) == 0);
	CHECK(ctl(ep[1], EPOLL_CTL_ADD, shared, EPOLLIN, 0) == 0);
	FAILS(EINVAL, ctl(ep[6], EPOLL_CTL_ADD, ep[7], EPOLLIN | EPOLLEXCLUSIVE, 0));
	for (int i = 0; i < 8; i++)
		CHECK(close(ep[i]) == 0);
	CHECK(close(shared) == 0);
}

/* ---- several epolls, several waiters ---- */

static void exclusive_members(void)
{
	FOR_KINDS(c)
	{
		int a = ep_new(), b = ep_new();

		CHECK(ctl(a, EPOLL_CTL_ADD, c.in, EPOLLIN | EPOLLEXCLUSIVE, 1) == 0);
		CHECK(ctl(b, EPOLL_CTL_ADD, c.in,
			  EPOLLIN | EPOLLEXCLUSIVE | EPOLLET | EPOLLWAKEUP, 2) == 0);
		put(&c);
		CHECK(ready(a) + ready(b) >= 1);
		drain(&c);
		FAILS(EINVAL, ctl(a, EPOLL_CTL_MOD, c.in, EPOLLIN, 1));
		FAILS(EINVAL, ctl(a, EPOLL_CTL_MOD, c.in, EPOLLIN | EPOLLEXCLUSIVE, 1));
		CHECK(ctl(a, EPOLL_CTL_DEL, c.in, 0, 0) == 0);
		FAILS(EINVAL, ctl(a, EPOLL_CTL_ADD, c.in,
				  EPOLLIN | EPOLLEXCLUSIVE | EPOLLONESHOT, 1));
		FAILS(EINVAL, ctl(a, EPOLL_CTL_ADD, c.in,
				  EPOLLIN | EPOLLEXCLUSIVE | EPOLLRDHUP, 1));
		CHECK(close(a) == 0 && close(b) == 0);
	}
}

static int shared_ep;
static volatile int told;

static void *one_event(void *arg)
{
	struct epoll_event e;

	(void)arg;
	CHECK(epoll_wait(shared_ep, &e, 1, 10000) == 1);
	__atomic_add_fetch(&told, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

static void each_edge_goes_to_one_waiter(void)
{
	enum { WAITERS = 3 };

	FOR_KINDS(c)
	{
		pthread_t t[WAITERS];

		told = 0;
		shared_ep = ep_new();
		CHECK(ctl(shared_ep, EPOLL_CTL_ADD, c.in, EPOLLIN | EPOLLET, 1) == 0);
		for (int i = 0; i < WAITERS; i++)
			CHECK(pthread_create(&t[i], NULL, one_event, NULL) == 0);
		sleep_ms(20);
		for (int i = 0; i < WAITERS; i++) {
			put(&c);
			while (told < i + 1)
				sched_yield();
			sleep_ms(5);
			CHECK(told == i + 1);
		}
		for (int i = 0; i < WAITERS; i++)
			CHECK(pthread_join(t[i], NULL) == 0);
		drain(&c);
		CHECK(close(shared_ep) == 0);
	}
}

/* Sleepers see members that come while they sleep, of any kind, first or later. */
static void members_may_come_while_others_wait(void)
{
	FOR_KINDS(c)
	{
		struct channel second;
		pthread_t t;
		int expected = 1;

		told = 0;
		shared_ep = ep_new();
		put(&c);
		CHECK(pthread_create(&t, NULL, one_event, NULL) == 0);
		sleep_ms(10);
		CHECK(ctl(shared_ep, EPOLL_CTL_ADD, c.in, EPOLLIN, 1) == 0);
		CHECK(pthread_join(t, NULL) == 0 && told == 1);
		drain(&c);
		for (int kind = 0; kind < INHERITED; kind++) {
			if (!channel_open(&second, kind))
				continue;
			expected++;
			CHECK(pthread_create(&t, NULL, one_event, NULL) == 0);
			sleep_ms(10);
			CHECK(ctl(shared_ep, EPOLL_CTL_ADD, second.in, 0, 1) == 0);
			put(&second);
			CHECK(ctl(shared_ep, EPOLL_CTL_MOD, second.in, EPOLLIN, 1) == 0);
			CHECK(pthread_join(t, NULL) == 0);
			channel_close(&second);
		}
		CHECK(told == expected);
		CHECK(close(shared_ep) == 0);
	}
}

static void a_member_of_a_child_counts_for_all(void)
{
	FOR_KINDS(c)
	{
		int ep = ep_new();
		struct epoll_event e;
		pid_t pid;
		int status;

		CHECK(ctl(ep, EPOLL_CTL_ADD, c.in, EPOLLIN, 1) == 0);
		pid = fork();
		CHECK(pid >= 0);
		if (pid == 0) {
			if (epoll_wait(ep, &e, 1, 10000) != 1 || e.data.u64 != 1)
				_exit(1);
			_exit(ctl(ep, EPOLL_CTL_MOD, c.in, EPOLLIN | EPOLLET, 2) != 0);
		}
		sleep_ms(10);
		put(&c);
		CHECK(waitpid(pid, &status, 0) == pid && status == 0);
		CHECK(ready(ep) == 1 && got.data.u64 == 2 && ready(ep) == 0);
		drain(&c);
		CHECK(close(ep) == 0);
	}
}

static void poll_and_select_look_into_epolls(void)
{
	FOR_KINDS(c)
	{
		int ep = ep_new();
		struct pollfd p = {.fd = ep, .events = POLLIN};
		struct timeval t = {0, 10000};
		fd_set set;

		FD_ZERO(&set);
		FD_SET(ep, &set);
		CHECK(ctl(ep, EPOLL_CTL_ADD, c.in, EPOLLIN | EPOLLET, 1) == 0);
		CHECK(poll(&p, 1, 5) == 0);
		CHECK(select(ep + 1, &set, NULL, NULL, &t) == 0);
		put(&c);
		CHECK(poll(&p, 1, 20000) == 1 && poll(&p, 1, -1) == 1);
		FD_SET(ep, &set);
		CHECK(select(ep + 1, &set, NULL, NULL, NULL) == 1);
		CHECK(ready(ep) == 1 && poll(&p, 1, 5) == 0);
		drain(&c);
		CHECK(close(ep) == 0);
	}
}

static void signals_and_time_limits(void)
{
	FOR_KINDS(c)
	{
		struct interrupter in;
		struct epoll_event e;
		int ep = ep_new();
		long start = now_ms();

		CHECK(ctl(ep, EPOLL_CTL_ADD, c.in, EPOLLIN, 1) == 0);
		CHECK(epoll_wait(ep, &e, 1, 20) == 0 && now_ms() - start >= 20);
		interrupt_start(&in, SA_RESTART, -1);
		FAILS(EINTR, epoll_wait(ep, &e, 1, -1));
		FAILS(EINTR, epoll_wait(ep, &e, 1, 60000));
		put(&c);
		/* what is ready goes before */
		for (int i = 0; i < 1000; i++)
			CHECK(epoll_wait(ep, &e, 1, -1) == 1);
		drain(&c);
		interrupt_stop(&in);
		CHECK(close(ep) == 0);
	}
}

static void errors_by_precedence(void)
{
	int ep = ep_new(), p[2], f;
	struct epoll_event e = {.events = EPOLLIN};

	CHECK(pipe(p) == 0);
	file_put("f", "x");
	f = open("f", O_RDONLY);
	FAILS(EPERM, ctl(ep, EPOLL_CTL_ADD, f, EPOLLIN, 0));
	FAILS(EPERM, ctl(ep, 77, f, EPOLLIN, 0));
	FAILS(EPERM, ctl(p[0], EPOLL_CTL_ADD, f, EPOLLIN, 0));
	FAILS(EINVAL, ctl(ep, 0, p[0], EPOLLIN, 0));
	FAILS(EINVAL, ctl(ep, 77, p[0], EPOLLIN, 0));
	FAILS(EBADF, ctl(ep, 77, 999, EPOLLIN, 0));
	FAILS(EBADF, epoll_ctl(999, EPOLL_CTL_DEL, p[0], NULL));
	FAILS(EFAULT, syscall(SYS_epoll_ctl, 999, EPOLL_CTL_ADD, 999, NULL));
	FAILS(ENOENT, epoll_ctl(ep, EPOLL_CTL_DEL, p[0], NULL));
	FAILS(EBADF, epoll_wait(999, &e, 0, 0));
	FAILS(EFAULT, syscall(SYS_epoll_wait, f, 0x800000000000, 1, 0));
	FAILS(EINVAL, epoll_wait(f, &e, 1, 0));
	FAILS(EINVAL, syscall(SYS_epoll_wait, ep, &e, INT32_MAX / 12 + 1, 0));
	CHECK(close(f) == 0);
	f = open("/", O_RDONLY | O_DIRECTORY);
	FAILS(EPERM, ctl(ep, EPOLL_CTL_ADD, f, EPOLLIN, 0));
	CHECK(close(f) == 0 && close(p[0]) == 0 && close(p[1]) == 0 && close(ep) == 0);
}

static void many_members(void)
{
	enum { MANY = 300 };
	static struct epoll_event e[MANY + 1];
	static struct channel c[MANY];
	struct rlimit limit = {2 * MANY + 64, 0};
	int kinds = 0;

	CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
	if (limit.rlim_cur < 2 * MANY + 64)
		return;
	for (int kind = 0; kind < INHERITED; kind++) {
		int ep = ep_new();

		for (int i = 0; i < MANY; i++) {
			if (!channel_open(&c[i], kind))
				goto none;
			CHECK(ctl(ep, EPOLL_CTL_ADD, c[i].in, EPOLLIN, (uint64_t)i) == 0);
		}
		for (int i = 0; i < MANY; i++)
			put(&c[i]);
		CHECK(epoll_wait(ep, e, MANY + 1, -1) == MANY);
		for (int i = 0; i < MANY; i += 2)
			channel_close(&c[i]);
		CHECK(epoll_wait(ep, e, MANY + 1, -1) == MANY / 2);
		for (int i = 0; i < MANY / 2; i++)
			CHECK(e[i].data.u64 % 2 == 1);
		for (int i = 1; i < MANY; i += 2)
			channel_close(&c[i]);
		CHECK(epoll_wait(ep, e, MANY + 1, 0) == 0);
		kinds++;
	none:
		CHECK(close(ep) == 0);
	}
	CHECK(kinds >= 2);
}

struct params {
	uint32_t usecs;
	uint16_t budget;
	uint8_t prefer, pad;
};
#define SET_PARAMS _IOW(0x8a, 1, struct params)
#define GET_PARAMS _IOR(0x8a, 2, struct params)

static void budgets_as_user(void)
{
	struct params p = {1, 65, 0, 0};
	int ep = epoll_create1(0);

	become_user();
	FAILS(EPERM, ioctl(ep, SET_PARAMS, &p));
	p.budget = 64;
	CHECK(ioctl(ep, SET_PARAMS, &p) == 0);
}

/* Since Linux 6.9. */
static void busy_polling_can_be_set(void)
{
	static const struct params bad[] = {
		{1, 1, 1, 1}, {1, 1, 2, 0}, {0x80000000, 1, 0, 0}};
	struct params p = {1, 2, 3, 4};
	int ep = epoll_create1(0);

	if (ioctl(ep, GET_PARAMS, &p) < 0 && errno != EFAULT) {
		CHECK(errno == EINVAL || errno == EOPNOTSUPP || errno == ENOTTY);
		CHECK(close(ep) == 0);
		return;
	}
	CHECK(p.usecs == 0 && p.budget == 0 && p.prefer == 0 && p.pad == 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		p = bad[i];
		FAILS(EINVAL, ioctl(ep, SET_PARAMS, &p));
	}
	p = (struct params){100, 10, 1, 0};
	CHECK(ioctl(ep, SET_PARAMS, &p) == 0);
	memset(&p, 9, sizeof(p));
	CHECK(ioctl(ep, GET_PARAMS, &p) == 0 && p.usecs == 100 && p.budget == 10 &&
	      p.prefer == 1 && p.pad == 0);
	FAILS(EFAULT, ioctl(ep, SET_PARAMS, (void *)16));
	FAILS(EFAULT, ioctl(ep, GET_PARAMS, (void *)16));
	FAILS(EINVAL, ioctl(ep, _IO(0x8a, 3)));
	CHECK(in_child(budgets_as_user) == 0 && close(ep) == 0);
}

RUN(TEST(busy_polling_can_be_set), TEST(levels_come_as_long_as_they_are_there),
    TEST(edges_come_once_for_each_arrival), TEST(edges_of_both_directions),
    TEST(one_shots_need_a_new_arming), TEST(what_is_asked_for_can_change),
    TEST(descriptors_of_one_file_are_members_each), TEST(the_last_close_removes),
    TEST(all_kinds_are_told_in_one_call), TEST(hangups_and_errors),
    TEST(an_unreadable_array_loses_nothing), TEST(inner_epolls_say_what_their_members_do),
    TEST(an_edge_outside_comes_once), TEST(loops_and_depth), TEST(exclusive_members),
    TEST(each_edge_goes_to_one_waiter), TEST(members_may_come_while_others_wait),
    TEST(a_member_of_a_child_counts_for_all), TEST(poll_and_select_look_into_epolls),
    TEST(signals_and_time_limits), TEST(errors_by_precedence), TEST(many_members))
