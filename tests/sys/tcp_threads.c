/* SPDX-License-Identifier: MIT */
/* net */
/* tcp_threads.c - threads that use one end of a connection at the same time: what one
 * call sends, or finds there, is in one piece. */
/* calls: sendto recvfrom listen connect */
#include "inet.h"

#include <pthread.h>
#include <sched.h>
#include <sys/ioctl.h>

enum { BLOCK = 80000, ROUNDS = 40, WORDS = BLOCK / 4, CONNECTS = 100 };

static int end[2];
static pthread_barrier_t start;
static int ready_count;

/* Both begin within less than a call takes. */
static void together(int round)
{
	int spins = 0;

	__atomic_fetch_add(&ready_count, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&ready_count, __ATOMIC_SEQ_CST) < 2 * (round + 1))
		if (++spins % 10000 == 0)
			sched_yield();
}

static void big_pair(void)
{
	int size = 1 << 20; /* as much as it gets */

	tcp_pair(end);
	for (int i = 0; i < 2; i++) {
		CHECK(setsockopt(end[i], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)) ==
		      0);
		CHECK(setsockopt(end[i], SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)) ==
		      0);
	}
}

static void *sends(void *arg)
{
	static char block[2][BLOCK];
	int me = (int)(intptr_t)arg;

	memset(block[me], 'a' + me, BLOCK);
	for (int i = 0; i < ROUNDS; i++) {
		pthread_barrier_wait(&start);
		together(i);
		CHECK(send(end[0], block[me], BLOCK, 0) == BLOCK);
		pthread_barrier_wait(&start);
	}
	return NULL;
}

static void sends_are_not_torn(void)
{
	static char got[2 * BLOCK];
	pthread_t id[2];

	big_pair();
	ready_count = 0;
	CHECK(pthread_barrier_init(&start, NULL, 3) == 0);
	for (intptr_t i = 0; i < 2; i++)
		CHECK(pthread_create(&id[i], NULL, sends, (void *)i) == 0);
	for (int i = 0; i < ROUNDS; i++) {
		int changes = 0;

		pthread_barrier_wait(&start);
		pthread_barrier_wait(&start);
		CHECK(recv(end[1], got, sizeof(got), MSG_WAITALL) == sizeof(got));
		for (size_t k = 1; k < sizeof(got); k++)
			changes += got[k] != got[k - 1];
		CHECK(changes == 1);
	}
	CHECK(pthread_join(id[0], NULL) == 0 && pthread_join(id[1], NULL) == 0);
	CHECK(close(end[0]) == 0 && close(end[1]) == 0);
}

static int queued(int fd)
{
	int n = 0;

	CHECK(ioctl(fd, FIONREAD, &n) == 0);
	return n;
}

static void *receives(void *arg)
{
	static uint32_t got[2][WORDS];
	uint32_t *mine = got[(intptr_t)arg];

	for (int i = 0; i < ROUNDS; i++) {
		pthread_barrier_wait(&start);
		together(i);
		CHECK(recv(end[1], mine, BLOCK, 0) == BLOCK);
		for (int k = 1; k < WORDS; k++)
			CHECK(mine[k] == mine[k - 1] + 1);
		pthread_barrier_wait(&start);
	}
	return NULL;
}

static void receives_are_in_order(void)
{
	static uint32_t block[2 * WORDS];
	pthread_t id[2];

	big_pair();
	ready_count = 0;
	for (uint32_t k = 0; k < 2 * WORDS; k++)
		block[k] = k;
	CHECK(pthread_barrier_init(&start, NULL, 3) == 0);
	for (intptr_t i = 0; i < 2; i++)
		CHECK(pthread_create(&id[i], NULL, receives, (void *)i) == 0);
	for (int i = 0; i < ROUNDS; i++) {
		CHECK(send(end[0], block, sizeof(block), 0) == sizeof(block));
		while (queued(end[1]) < (int)sizeof(block))
			sched_yield();
		pthread_barrier_wait(&start);
		pthread_barrier_wait(&start);
	}
	CHECK(pthread_join(id[0], NULL) == 0 && pthread_join(id[1], NULL) == 0);
	CHECK(close(end[0]) == 0 && close(end[1]) == 0);
}

static int is_over;

static void *listens(void *arg)
{
	int fd = *(int *)arg;

	while (!__atomic_load_n(&is_over, __ATOMIC_SEQ_CST)) {
		CHECK(listen(fd, 3) == 0);
		(void)ready(fd, POLLIN, 0);
	}
	return NULL;
}

static void a_listener_may_end_meanwhile(void)
{
	int l = listener();
	pthread_t id;

	CHECK(pthread_create(&id, NULL, listens, &l) == 0);
	for (int i = 0; i < 2000; i++)
		CHECK(shutdown(l, SHUT_RDWR) == 0 && listen(l, i % 8) == 0);
	__atomic_store_n(&is_over, 1, __ATOMIC_SEQ_CST);
	CHECK(pthread_join(id, NULL) == 0 && close(l) == 0);
}

static struct sockaddr_in where;

static void *connects(void *arg)
{
	(void)arg;
	for (int i = 0; i < CONNECTS; i++) {
		together(2 * i);
		(void)connect(end[0], (struct sockaddr *)&where, sizeof(where));
		together(2 * i + 1);
	}
	return NULL;
}

/* Whichever was last: what has a peer can be written to. */
static void it_is_connected_and_disconnected(void)
{
	struct sockaddr nowhere = {.sa_family = AF_UNSPEC};
	int l = listener();
	pthread_t id;

	where = loopback(port_of(l));
	set_nonblock(l, true);
	ready_count = 0;
	CHECK(pthread_create(&id, NULL, connects, NULL) == 0);
	for (int i = 0; i < CONNECTS; i++) {
		struct sockaddr_in peer;
		socklen_t len = sizeof(peer);
		int fd;

		end[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		CHECK(end[0] >= 0 && connect_to(end[0], port_of(l)) == 0);
		together(2 * i);
		(void)connect(end[0], &nowhere, sizeof(nowhere));
		together(2 * i + 1);
		if (getpeername(end[0], (struct sockaddr *)&peer, &len) == 0) {
			CHECK(ready(end[0], POLLOUT, 10000) == POLLOUT);
			CHECK(send(end[0], "x", 1, MSG_DONTWAIT | MSG_NOSIGNAL) == 1);
		}
		CHECK(close(end[0]) == 0);
		while ((fd = accept4(l, NULL, NULL, SOCK_CLOEXEC)) >= 0)
			CHECK(close(fd) == 0);
	}
	CHECK(pthread_join(id, NULL) == 0 && close(l) == 0);
}

RUN(TEST(sends_are_not_torn), TEST(receives_are_in_order),
    TEST(a_listener_may_end_meanwhile), TEST(it_is_connected_and_disconnected))
