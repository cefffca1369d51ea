/* SPDX-License-Identifier: MIT */
/* storm_unix.c - rings of processes pass messages and descriptors through AF_UNIX sockets
 * until one of them is killed.
 *
 * Each message is numbered, checked, and carries one end of a pipe, and now and then the
 * socket that its sender reads from, or a fresh one with a greeting in it. When the ring
 * is broken all must end by themselves, and then nobody may hold the pipe any more,
 * whatever lies in queues. */
/* timeout: 300 */
#include "storm.h"

#include <stdint.h>
#include <sys/socket.h>
#include <sys/uio.h>

enum { RING = 8, TOKENS = 12, BODY = 700, FDS = 3 };

struct head {
	uint32_t number; /* counts on each link */
	uint32_t size;	 /* of the body */
	uint32_t sum;
	uint32_t hops;
};

static int link_of[RING][2]; /* [0]: written to, [1]: read from */
static int type;
static long *hops; /* shared */

static uint32_t sum_of(const unsigned char *b, uint32_t size)
{
	uint32_t sum = 17;

	for (uint32_t i = 0; i < size; i++)
		sum = sum * 31 + b[i];
	return sum;
}

static bool is_end(void)
{
	return errno == EPIPE || errno == ECONNRESET;
}

/* Sends it all; false: the other side has gone. */
static bool put(int fd, struct head *h, unsigned char *body, const int *fds, int count)
{
	char room[CMSG_SPACE(FDS * sizeof(int))] __attribute__((aligned(8))) = {0};
	struct iovec v[2] = {{h, sizeof(*h)}, {body, h->size}};
	struct msghdr m = {.msg_iov = v, .msg_iovlen = 2, .msg_control = room};
	struct cmsghdr *c = (void *)room;
	ssize_t n;

	m.msg_controllen = CMSG_SPACE((size_t)count * sizeof(int));
	*c = (struct cmsghdr){CMSG_LEN((size_t)count * sizeof(int)), SOL_SOCKET,
			      SCM_RIGHTS};
	memcpy(CMSG_DATA(c), fds, (size_t)count * sizeof(int));
	n = sendmsg(fd, &m, MSG_NOSIGNAL);
	MUST(n == (ssize_t)(sizeof(*h) + h->size) || is_end() || n > 0);
	return n == (ssize_t)(sizeof(*h) + h->size);
}

/* Receives a whole message; false: the end. */
static bool get(int fd, struct head *h, unsigned char *body, int *fds, int *count)
{
	char room[CMSG_SPACE(FDS * sizeof(int))] __attribute__((aligned(8)));
	unsigned char b[sizeof(*h) + BODY];
	struct iovec v = {b, type == SOCK_STREAM ? sizeof(*h) : sizeof(b)};
	struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = room};
	struct cmsghdr *c;
	ssize_t n;

	m.msg_controllen = sizeof(room);
	n = recvmsg(fd, &m, type == SOCK_STREAM ? MSG_WAITALL : 0);
	if (n == 0 || (n < 0 && is_end()))
		return false;
	MUST(n >= (ssize_t)sizeof(*h) && !(m.msg_flags & (MSG_CTRUNC | MSG_TRUNC)));
	memcpy(h, b, sizeof(*h));
	MUST(h->size <= BODY);
	c = CMSG_FIRSTHDR(&m);
	MUST(c && c->cmsg_type == SCM_RIGHTS);
	*count = (int)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
	memcpy(fds, CMSG_DATA(c), (size_t)*count * sizeof(int));
	if (type == SOCK_STREAM) {
		n = recv(fd, body, h->size, MSG_WAITALL);
		if (n == (ssize_t)h->size)
			return true;
		for (int i = 0; i < *count; i++)
			close(fds[i]);
		MUST(n >= 0 || is_end());
		return false;
	}
	MUST(n == (ssize_t)(sizeof(*h) + h->size));
	memcpy(body, b + sizeof(*h), h->size);
	return true;
}

/* A socket with a greeting in it. */
static int greeting(void)
{
	int p[2];

	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, p) == 0);
	MUST(write(p[0], "hello", 5) == 5 && close(p[0]) == 0);
	return p[1];
}

static void check_greeting(int fd)
{
	char b[8];

	MUST(recv(fd, b, 8, 0) == 5 && memcmp(b, "hello", 5) == 0);
	MUST(recv(fd, b, 8, 0) == 0);
}

/* Passes a token on, with what goes with it. */
static bool pass_on(int in, int out, struct head *h, unsigned char *body, int pipe_end)
{
	int fds[FDS] = {pipe_end}, count = 1, extra = -1;
	unsigned seed = h->sum + h->hops;
	bool is_sent;

	h->size = 1 + (uint32_t)rand_r(&seed) % BODY;
	for (uint32_t i = 0; i < h->size; i++)
		body[i] = (unsigned char)(i * h->hops + seed);
	h->sum = sum_of(body, h->size);
	h->hops++;
	if (h->hops % 5 == 0)
		fds[count++] = in;
	if (h->hops % 7 == 0) {
		extra = greeting();
		fds[count++] = extra;
	}
	is_sent = put(out, h, body, fds, count);
	if (extra >= 0)
		close(extra);
	return is_sent;
}

static void worker(int in, int out, int pipe_end, int tokens)
{
	unsigned char body[BODY] = {0};
	uint32_t sent = 0, received = 0;
	struct head h;
	int fds[FDS], count;

	for (int i = 0; i < tokens; i++) {
		h = (struct head){.number = sent++, .hops = (uint32_t)i};
		if (!pass_on(in, out, &h, body, pipe_end))
			return;
	}
	close(pipe_end);
	while (get(in, &h, body, fds, &count)) {
		bool is_sent;

		MUST(h.number == received++ && h.sum == sum_of(body, h.size));
		MUST(count == 1 + (h.hops % 5 == 0) + (h.hops % 7 == 0));
		if (h.hops % 7 == 0)
			check_greeting(fds[count - 1]);
		h.number = sent++;
		is_sent = pass_on(in, out, &h, body, fds[0]);
		for (int i = 0; i < count; i++)
			close(fds[i]);
		__atomic_add_fetch(hops, 1, __ATOMIC_RELAXED);
		if (!is_sent)
			return;
	}
}

static void close_links(int but_in, int but_out)
{
	for (int i = 0; i < RING; i++)
		for (int j = 0; j < 2; j++)
			if (link_of[i][j] != but_in && link_of[i][j] != but_out)
				close(link_of[i][j]);
}

static void one_ring(unsigned *seed)
{
	pid_t pid[RING];
	int p[2], killed = 0;
	char b;

	type = rand_r(seed) % 2 ? SOCK_STREAM : SOCK_SEQPACKET;
	MUST(pipe(p) == 0);
	for (int i = 0; i < RING; i++)
		MUST(socketpair(AF_UNIX, type, 0, link_of[i]) == 0);
	for (int i = 0; i < RING; i++) {
		int in = link_of[i][1], out = link_of[(i + 1) % RING][0];

		pid[i] = fork();
		MUST(pid[i] >= 0);
		if (pid[i] == 0) {
			close(p[0]);
			close_links(in, out);
			worker(in, out, p[1], i < TOKENS / 2 ? 2 : 1);
			_exit(0);
		}
	}
	close(p[1]);
	close_links(-1, -1);
	usleep((useconds_t)(rand_r(seed) % 20000));
	for (int i = 0; i < 1 + (int)(rand_r(seed) % 3); i++)
		MUST(kill(pid[rand_r(seed) % RING], SIGKILL) == 0);
	for (int i = 0; i < RING; i++) {
		int status = wait_status(pid[i]);

		MUST(status == 0 || status == SIGKILL);
		killed += status == SIGKILL;
	}
	MUST(killed >= 1);
	/* Linux collects sockets nobody can reach a little later. */
	close(socket(AF_UNIX, SOCK_STREAM, 0));
	MUST(read(p[0], &b, 1) == 0 && close(p[0]) == 0);
}

int main(int argc, char **argv)
{
	long n = rounds(argc, argv, 200);
	double start = seconds();
	unsigned seed = (unsigned)getpid();

	hops = share(sizeof(*hops));
	alarm(280); /* a hang is a failure */
	for (long r = 0; r < n; r++)
		one_ring(&seed);
	printf("ok: %ld rings, %ld messages in %.2f s\n", n, *hops, seconds() - start);
	return 0;
}
