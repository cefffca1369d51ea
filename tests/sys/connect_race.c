/* SPDX-License-Identifier: MIT */
/* net */
/* connect_race.c - threads that connect one socket at the same time, each to another
 * listener: one of them does, and the socket has the names of that connection. */
/* calls: connect getpeername */
#include "inet.h"

#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <sys/un.h>

enum { THREADS = 2, ROUNDS = 300 };

static int family, fd, listeners[THREADS];
static struct sockaddr_storage names[THREADS];
static socklen_t name_len[THREADS];
static int ready_count, results[THREADS];
static pthread_barrier_t start;

/* Both begin within less than a call takes. */
static void together(int round)
{
	int spins = 0;

	__atomic_fetch_add(&ready_count, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&ready_count, __ATOMIC_SEQ_CST) < THREADS * (round + 1))
		if (++spins % 10000 == 0)
			sched_yield();
}

static void *connects(void *arg)
{
	int me = (int)(intptr_t)arg;

	for (int i = 0; i < ROUNDS; i++) {
		pthread_barrier_wait(&start);
		together(i);
		results[me] = connect(fd, (struct sockaddr *)&names[me], name_len[me])
				      ? errno
				      : 0;
		pthread_barrier_wait(&start);
	}
	return NULL;
}

static void make_listener(int k)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};

	name_len[k] = sizeof(names[k]);
	if (family == AF_INET) {
		listeners[k] = listener();
	} else {
		listeners[k] = socket(AF_UNIX, SOCK_STREAM, 0);
		CHECK(bind(listeners[k], (struct sockaddr *)&a, sizeof(a.sun_family)) ==
		      0);
		CHECK(listen(listeners[k], 16) == 0);
	}
	CHECK(getsockname(listeners[k], (struct sockaddr *)&names[k], &name_len[k]) == 0);
	set_nonblock(listeners[k], true);
}

static bool is_name(bool peer, int of, const struct sockaddr_storage *name, socklen_t len)
{
	struct sockaddr_storage got;
	socklen_t size = sizeof(got);

	CHECK((peer ? getpeername : getsockname)(of, (struct sockaddr *)&got, &size) ==
	      0);
	return size == len && memcmp(&got, name, len) == 0;
}

/* Whom it was connected to; the other one has nobody. */
static void check_winner(void)
{
	struct sockaddr_storage from;
	int winner = -1, s = -1;

	for (int k = 0; k < THREADS; k++) {
		socklen_t len = sizeof(from);
		int got = ready(listeners[k], POLLIN, 0)
				  ? accept(listeners[k], NULL, NULL)
				  : -1;

		if (got < 0)
			continue;
		CHECK(winner < 0);
		winner = k;
		s = got;
		CHECK(getpeername(s, (struct sockaddr *)&from, &len) == 0);
		CHECK(is_name(false, fd, &from, len));
	}
	CHECK(winner >= 0);
	CHECK(is_name(true, fd, &names[winner], name_len[winner]));
	CHECK(is_name(false, s, &names[winner], name_len[winner]));
	CHECK(results[winner] == 0 || results[winner] == EINPROGRESS);
	CHECK(send(s, "x", 1, 0) == 1 && ready(fd, POLLIN, 10000) & POLLIN);
	CHECK(close(s) == 0);
}

static void race(int of, bool nonblock)
{
	pthread_t id[THREADS];

	family = of;
	ready_count = 0;
	for (int k = 0; k < THREADS; k++)
		make_listener(k);
	CHECK(pthread_barrier_init(&start, NULL, THREADS + 1) == 0);
	for (intptr_t k = 0; k < THREADS; k++)
		CHECK(pthread_create(&id[k], NULL, connects, (void *)k) == 0);
	for (int i = 0; i < ROUNDS; i++) {
		fd = socket(family, SOCK_STREAM, 0);
		CHECK(fd >= 0);
		set_nonblock(fd, nonblock);
		pthread_barrier_wait(&start);
		pthread_barrier_wait(&start);
		check_winner();
		CHECK(close(fd) == 0);
	}
	for (int k = 0; k < THREADS; k++) {
		CHECK(pthread_join(id[k], NULL) == 0);
		CHECK(close(listeners[k]) == 0);
	}
}

static void one_of_two_connects_wins(void)
{
	race(AF_INET, false);
	race(AF_INET, true);
}

static void one_of_two_unix_connects_wins(void)
{
	race(AF_UNIX, false);
	race(AF_UNIX, true);
}

RUN(TEST(one_of_two_connects_wins), TEST(one_of_two_unix_connects_wins))
