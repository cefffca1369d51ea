/* SPDX-License-Identifier: MIT */
/* net */
/* storm_tcp_echo.c - clients connect to servers of the same machine, talk a little or a
 * lot, and part in all manners, while clients and servers are killed.
 *
 * What a client sends is known by its first four bytes and the place in the stream: the
 * server checks each byte and sends it back, and the client checks it again. Some connect
 * without waiting, by epoll, some reset, some leave at once. Whoever is killed is
 * replaced. */
/* timeout: 300 */
#include "storm.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#define MIN(a, b) ((a) < (b) ? (a) : (b))

enum { SERVERS = 3, CLIENTS = 3, PIECE = 50000, KINDS = 6 };

struct counts {
	long connects, bytes, cut;
};

static struct counts *counts;
static struct sockaddr_in at;

static uint8_t byte_at(uint32_t key, uint64_t off)
{
	uint64_t x = (off + key) * 0x9e3779b97f4a7c15ULL;

	return (uint8_t)(x >> 56);
}

static void fill(uint8_t *b, uint32_t key, uint64_t off, size_t size)
{
	for (size_t i = 0; i < size; i++)
		b[i] = byte_at(key, off + i);
}

static void check(const uint8_t *b, uint32_t key, uint64_t off, size_t size)
{
	for (size_t i = 0; i < size; i++)
		MUST(b[i] == byte_at(key, off + i));
}

static bool is_cut(void)
{
	return errno == EPIPE || errno == ECONNRESET || errno == ECONNABORTED;
}

/* All of it; false: the other side has gone. */
static bool put(int fd, const uint8_t *b, size_t size)
{
	while (size) {
		ssize_t n = send(fd, b, size, MSG_NOSIGNAL);

		MUST(n > 0 || is_cut());
		if (n < 0)
			return false;
		b += n;
		size -= (size_t)n;
	}
	return true;
}

/* ---- servers ---- */

static void serve_one(int fd)
{
	static uint8_t b[PIECE];
	uint64_t off = 0;
	uint32_t key;
	ssize_t n = recv(fd, &key, sizeof(key), MSG_WAITALL);

	MUST(n >= 0 || is_cut());
	while (n > 0) {
		n = recv(fd, b, 1 + key % sizeof(b), 0);
		MUST(n >= 0 || is_cut());
		if (n <= 0)
			break;
		check(b, key, off, (size_t)n);
		off += (uint64_t)n;
		if (!put(fd, b, (size_t)n))
			break;
	}
	close(fd);
}

static void server(int l, unsigned seed)
{
	struct epoll_event ev = {.events = EPOLLIN};
	bool by_epoll = seed % 2;
	int ep = epoll_create1(0);

	MUST(ep >= 0 && epoll_ctl(ep, EPOLL_CTL_ADD, l, &ev) == 0);
	for (;;) {
		int fd;

		if (by_epoll)
			MUST(epoll_wait(ep, &ev, 1, -1) == 1);
		fd = accept4(l, NULL, NULL, SOCK_CLOEXEC);
		MUST(fd >= 0 || errno == EAGAIN || errno == ECONNABORTED);
		if (fd >= 0)
			serve_one(fd);
		else if (!by_epoll)
			(void)poll(&(struct pollfd){.fd = l, .events = POLLIN}, 1, 100);
	}
}

/* ---- clients ---- */

static int connect_plainly(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	MUST(fd >= 0);
	MUST(connect(fd, (struct sockaddr *)&at, sizeof(at)) == 0 || is_cut());
	return fd;
}

static int connect_by_epoll(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct epoll_event ev = {.events = EPOLLOUT | EPOLLET};
	int ep = epoll_create1(EPOLL_CLOEXEC);
	int error = -1;
	socklen_t len = sizeof(error);

	MUST(fd >= 0 && ep >= 0 && epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev) == 0);
	MUST(epoll_wait(ep, &ev, 1, -1) == 1);
	MUST(connect(fd, (struct sockaddr *)&at, sizeof(at)) == 0 ||
	     errno == EINPROGRESS);
	MUST(epoll_wait(ep, &ev, 1, 60000) == 1);
	MUST(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0);
	MUST(error == 0 || error == ECONNRESET);
	MUST(close(ep) == 0);
	MUST(fcntl(fd, F_SETFL, O_RDWR) == 0);
	return fd;
}

/* Sends total bytes and gets them back. */
static void talk(int fd, unsigned *seed, size_t total)
{
	static uint8_t b[PIECE], back[PIECE];
	uint32_t key = (uint32_t)rand_r(seed);
	uint64_t off = 0;
	bool is_there = put(fd, (const uint8_t *)&key, sizeof(key));

	while (is_there && off < total) {
		size_t size = 1 + (size_t)rand_r(seed) % MIN(total - off, PIECE);
		size_t got = 0;

		fill(b, key, off, size);
		is_there = put(fd, b, size);
		while (is_there && got < size) {
			ssize_t n = recv(fd, back + got, size - got, 0);

			MUST(n >= 0 || is_cut());
			is_there = n > 0;
			got += n > 0 ? (size_t)n : 0;
		}
		if (is_there)
			check(back, key, off, size);
		off += size;
	}
	if (is_there && total) {
		char c;

		MUST(shutdown(fd, SHUT_WR) == 0);
		MUST(recv(fd, &c, 1, 0) <= 0);
	}
	__atomic_add_fetch(is_there ? &counts->bytes : &counts->cut,
			   is_there ? (long)total : 1, __ATOMIC_RELAXED);
}

static void client(unsigned seed)
{
	const struct linger now = {.l_onoff = 1};

	for (;;) {
		int kind = rand_r(&seed) % KINDS;
		int fd = kind % 2 ? connect_plainly() : connect_by_epoll();

		__atomic_add_fetch(&counts->connects, 1, __ATOMIC_RELAXED);
		if (kind == 5)
			talk(fd, &seed, 400000);
		else if (kind >= 2)
			talk(fd, &seed, (size_t)rand_r(&seed) % 3000);
		else if (rand_r(&seed) % 4 == 0)
			MUST(setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now)) ==
			     0);
		close(fd);
	}
}

/* ---- both ---- */

static pid_t start(int i, int l, unsigned seed)
{
	pid_t parent = getpid();
	pid_t pid = fork();

	MUST(pid >= 0);
	if (pid)
		return pid;
	MUST(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0);
	if (getppid() != parent)
		_exit(1);
	if (i < SERVERS)
		server(l, seed);
	client(seed);
	_exit(1);
}

int main(int argc, char **argv)
{
	long n = rounds(argc, argv, 400);
	double start_time = seconds();
	unsigned seed = (unsigned)getpid();
	socklen_t len = sizeof(at);
	pid_t pid[SERVERS + CLIENTS];
	int l = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	double took;

	counts = share(sizeof(*counts));
	at = (struct sockaddr_in){.sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	MUST(bind(l, (struct sockaddr *)&at, sizeof(at)) == 0 && listen(l, 16) == 0);
	MUST(getsockname(l, (struct sockaddr *)&at, &len) == 0);
	alarm(280); /* a hang is a failure */
	for (int i = 0; i < SERVERS + CLIENTS; i++)
		pid[i] = start(i, l, (unsigned)rand_r(&seed));
	for (long r = 0; r < n; r++) {
		int i = rand_r(&seed) % (SERVERS + CLIENTS);
		int status;

		usleep((useconds_t)(rand_r(&seed) % 20000));
		MUST(kill(pid[i], SIGKILL) == 0);
		status = wait_status(pid[i]);
		MUST(status == SIGKILL); /* any other end is a failure of its own */
		pid[i] = start(i, l, (unsigned)rand_r(&seed));
	}
	for (int i = 0; i < SERVERS + CLIENTS; i++) {
		MUST(kill(pid[i], SIGKILL) == 0);
		MUST(wait_status(pid[i]) == SIGKILL);
	}
	took = seconds() - start_time;
	MUST(counts->connects > n);
	printf("ok: %ld kills, %ld connects (%.0f/s), %ld bytes, %ld cut in %.2f s\n", n,
	       counts->connects, (double)counts->connects / took, counts->bytes,
	       counts->cut, took);
	return 0;
}
