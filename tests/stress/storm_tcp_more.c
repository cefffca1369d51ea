/* SPDX-License-Identifier: MIT */
/* net */
/* storm_tcp_more.c - what is held back for MSG_MORE comes after a fifth of a second, by a
 * timer: just then its connection, which nobody has accepted, is reset.
 *
 * storm_tcp_more ROUNDS. Timers go on working, and nothing is left in the listener. */
/* timeout: 180 */
#include "storm.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

enum { CONNECTIONS = 100 };

static int listener;
static struct sockaddr_in addr = {.sin_family = AF_INET};

static void set_up(void)
{
	socklen_t len = sizeof(addr);
	int seconds = 60;

	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	MUST(listener >= 0 && bind(listener, (void *)&addr, sizeof(addr)) == 0);
	MUST(getsockname(listener, (void *)&addr, &len) == 0);
	MUST(setsockopt(listener, IPPROTO_TCP, TCP_DEFER_ACCEPT, &seconds,
			sizeof(seconds)) == 0);
	MUST(listen(listener, 4 * CONNECTIONS) == 0);
}

static int start(double *due)
{
	struct linger reset = {1, 0};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	MUST(fd >= 0 && connect(fd, (void *)&addr, sizeof(addr)) == 0);
	MUST(setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)) == 0);
	*due = seconds() + 0.2;
	MUST(send(fd, "x", 1, MSG_MORE) == 1);
	return fd;
}

static void round_once(unsigned *seed)
{
	int fds[CONNECTIONS];
	double due[CONNECTIONS];
	int fd;

	for (int i = 0; i < CONNECTIONS; i++)
		fds[i] = start(&due[i]);
	for (int i = 0; i < CONNECTIONS; i++) {
		double at = due[i] + (rand_r(seed) % 300 - 20) / 1e6;

		while (seconds() < at)
			;
		MUST(close(fds[i]) == 0);
	}
	/* Those that were told before they were reset. */
	while ((fd = accept(listener, NULL, NULL)) >= 0)
		MUST(close(fd) == 0);
	MUST(errno == EAGAIN);
}

static volatile sig_atomic_t rang;
static void ring(int sig)
{
	(void)sig;
	rang = 1;
}

/* The timer that tells of it is of those that the kernel's thread runs. */
static void timers_work(void)
{
	struct itimerspec soon = {.it_value = {0, 1000000}};
	struct sigevent e = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
	double from = seconds();
	timer_t t;

	signal(SIGUSR1, ring);
	rang = 0;
	MUST(timer_create(CLOCK_MONOTONIC, &e, &t) == 0);
	MUST(timer_settime(t, 0, &soon, NULL) == 0);
	while (!rang)
		MUST(seconds() < from + 60 && usleep(1000) + 1 >= 0);
	MUST(timer_delete(t) == 0);
}

int main(int argc, char **argv)
{
	long n = rounds(argc, argv, 10);
	unsigned seed = 1;

	set_up();
	for (long i = 0; i < n; i++) {
		round_once(&seed);
		timers_work();
	}
	MUST(close(listener) == 0);
	printf("ok: %ld resets\n", n * CONNECTIONS);
	return 0;
}
