/* SPDX-License-Identifier: MIT */
/* net */
/* storm_tcp.c - clients connect to servers over the loopback, talk and part in every way,
 * while one process after the other is killed and replaced.
 *
 * storm_tcp CONNECTIONS [PER_SECOND]. A reply may be cut short, as its server may have
 * been killed; never may it be wrong. In the end everybody is served, and no descriptor
 * has been lost. */
/* timeout: 300 */
#include "storm.h"

#include <dirent.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/uio.h>

enum { SERVERS = 4, CLIENTS = 4, ALL = SERVERS + CLIENTS, REPLY_MAX = 20000 };

enum way {	    /* how they part */
	   CLIENT,  /* the client closes, when it has it all */
	   SERVER,  /* the server */
	   HALF,    /* the client says that it has no more to say, and then listens */
	   RESET,   /* the client resets the connection before it has listened */
	   LEAVE,   /* it closes, in the middle of the reply */
	   SILENT,  /* it says nothing at all */
	   POLLING, /* like SERVER, without ever blocking in connect or recv */
	   WAYS
};

struct request {
	uint32_t size;
	uint32_t seed;
	uint32_t way;
};

static struct {
	long begun, done, cut;
	int stop;
} * shared;
static int listener;
static struct sockaddr_in address;
static long per_second;

static unsigned char byte_at(uint32_t seed, uint32_t i)
{
	return (unsigned char)(seed + i * 7);
}

static bool is_cut(void)
{
	return errno == ECONNRESET || errno == EPIPE || errno == ECONNABORTED;
}

static bool get_request(int fd, struct request *r)
{
	return recv(fd, r, sizeof(*r), MSG_WAITALL) == (ssize_t)sizeof(*r);
}

static void serve_one(int fd)
{
	static unsigned char reply[REPLY_MAX];
	struct request r;
	char c;

	if (!get_request(fd, &r))
		return;
	MUST(r.size <= REPLY_MAX && r.way < WAYS);
	for (uint32_t i = 0; i < r.size; i++)
		reply[i] = byte_at(r.seed, i);
	if (r.way == HALF && recv(fd, &c, 1, 0) != 0)
		return;
	if (send(fd, reply, r.size, MSG_NOSIGNAL) != (ssize_t)r.size)
		return;
	if (r.way == CLIENT)
		(void)!recv(fd, &c, 1, 0);
}

/* Half of the servers wait in poll, all for the same listener. */
static void serve(bool polls)
{
	struct pollfd p = {.fd = listener, .events = POLLIN};
	struct timeval patience = {5, 0};

	for (;;) {
		int fd;

		if (polls && poll(&p, 1, -1) < 0)
			continue;
		fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		if (fd < 0) {
			MUST(errno == ECONNABORTED);
			continue;
		}
		MUST(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
				sizeof(patience)) == 0);
		serve_one(fd);
		MUST(close(fd) == 0);
	}
}

static int connection(enum way way)
{
	int fd = socket(AF_INET, SOCK_STREAM | (way == POLLING ? SOCK_NONBLOCK : 0), 0);
	struct pollfd p = {.fd = fd, .events = POLLOUT};
	int err = 0;
	socklen_t len = sizeof(err);

	MUST(fd >= 0);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	if (errno == EINPROGRESS && way == POLLING) {
		MUST(poll(&p, 1, 20000) == 1);
		MUST(getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len) == 0);
		if (!err)
			return fd;
		errno = err;
	}
	/* All ports are taken for a moment. */
	MUST(errno == EADDRNOTAVAIL || errno == ECONNRESET);
	close(fd);
	return -1;
}

static ssize_t hear(int fd, void *data, size_t size, enum way way)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	if (way == POLLING)
		MUST(poll(&p, 1, 20000) == 1);
	return recv(fd, data, size, 0);
}

/* Listens to the reply, or to a part of it. */
static void listen_to(int fd, const struct request *r, uint32_t wanted)
{
	unsigned char data[4096];
	uint32_t got = 0;

	while (got < wanted) {
		ssize_t n = hear(fd, data, sizeof(data), r->way);

		MUST(n >= 0 || is_cut());
		if (n <= 0)
			break;
		for (ssize_t i = 0; i < n; i++)
			MUST(data[i] == byte_at(r->seed, got + (uint32_t)i));
		got += (uint32_t)n;
	}
	MUST(got <= r->size);
	__atomic_add_fetch(got < wanted ? &shared->cut : &shared->done, 1,
			   __ATOMIC_RELAXED);
	if (got == r->size && (r->way == SERVER || r->way == POLLING))
		MUST(hear(fd, data, 1, r->way) <= 0);
}

static void talk(unsigned *seed)
{
	const struct linger now = {1, 0};
	struct request r = {.size = 1 + (uint32_t)rand_r(seed) % REPLY_MAX,
			    .seed = (uint32_t)rand_r(seed),
			    .way = (uint32_t)rand_r(seed) % WAYS};
	int fd = connection(r.way);

	if (fd < 0)
		return;
	if (r.way != SILENT && send(fd, &r, sizeof(r), MSG_NOSIGNAL) == sizeof(r)) {
		if (r.way == HALF)
			(void)shutdown(fd, SHUT_WR);
		if (r.way == RESET)
			MUST(setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now)) ==
			     0);
		else
			listen_to(fd, &r, r.way == LEAVE ? r.size / 2 : r.size);
	}
	MUST(close(fd) == 0);
}

static void be_client(unsigned seed)
{
	double next = seconds();

	while (!__atomic_load_n(&shared->stop, __ATOMIC_RELAXED)) {
		talk(&seed);
		__atomic_add_fetch(&shared->begun, 1, __ATOMIC_RELAXED);
		if (!per_second)
			continue;
		next += (double)CLIENTS / (double)per_second;
		if (next > seconds())
			usleep((useconds_t)((next - seconds()) * 1e6));
	}
}

static pid_t start(int who)
{
	pid_t pid = fork();

	MUST(pid >= 0);
	if (pid)
		return pid;
	if (who < SERVERS)
		serve(who % 2);
	close(listener);
	be_client((unsigned)getpid());
	_exit(0);
}

static int count_descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	int count = 0;

	MUST(d);
	while (readdir(d))
		count++;
	closedir(d);
	return count;
}

/* Until so many connections have been made, one dies every 10 ms. */
static void kill_them(pid_t *pid, long connections)
{
	unsigned seed = (unsigned)getpid();

	while (__atomic_load_n(&shared->begun, __ATOMIC_RELAXED) < connections) {
		int who = (int)(rand_r(&seed) % ALL);
		int status;

		usleep((useconds_t)(rand_r(&seed) % 20000));
		MUST(kill(pid[who], SIGKILL) == 0);
		status = wait_status(pid[who]);
		MUST(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
		pid[who] = start(who);
	}
}

int main(int argc, char **argv)
{
	long n = rounds(argc, argv, 4000);
	socklen_t len = sizeof(address);
	double begin = seconds();
	unsigned seed = 1;
	pid_t pid[ALL];
	int count;

	per_second = argc > 2 ? atol(argv[2]) : 0;
	alarm(per_second ? (unsigned)(n / per_second * 3 + 60) : 280);
	shared = share(sizeof(*shared));
	address = (struct sockaddr_in){.sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	listener = socket(AF_INET, SOCK_STREAM, 0);
	MUST(bind(listener, (struct sockaddr *)&address, sizeof(address)) == 0);
	MUST(getsockname(listener, (struct sockaddr *)&address, &len) == 0);
	MUST(listen(listener, 256) == 0);
	count = count_descriptors();
	for (int i = 0; i < ALL; i++)
		pid[i] = start(i);
	kill_them(pid, n);
	shared->stop = 1;
	for (int i = SERVERS; i < ALL; i++)
		MUST(wait_status(pid[i]) == 0);
	/* Who was left is served, and whoever comes. */
	for (int i = 0; i < 100; i++)
		talk(&seed);
	for (int i = 0; i < SERVERS; i++) {
		MUST(kill(pid[i], SIGTERM) == 0);
		MUST(wait_status(pid[i]) == SIGTERM);
	}
	MUST(count_descriptors() == count);
	MUST(shared->done > shared->cut);
	printf("ok: %ld connections, %ld replies, %ld cut short in %.2f s\n",
	       shared->begun, shared->done, shared->cut, seconds() - begin);
	return 0;
}
