/* SPDX-License-Identifier: MIT */
/* net */
/*
 * storm_epoll.c - threads of several processes wait in epolls for tokens, which travel
 * through pipes, counters, connections and, if standard input and output are the ends of
 * one FIFO, through that. Each token must be found, however the members are watched; a
 * lost wake-up is a hang, which the alarm ends. Interval timers interrupt the waits.
 */
#include "storm.h"

#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>

enum { PROCESSES = 3, THREADS = 2, CHANNELS = 8, ALARM = 50 };
enum mode { LEVEL, EDGE, ONE_SHOT, EXCLUSIVE, NESTED, NESTED_EDGE, MODES };

static const char *const mode_names[MODES] = {"level",	   "edge",   "one shot",
					      "exclusive", "nested", "nested edge"};

struct board {
	long sent, got;
	int mode;
	int ready; /* processes that wait */
};

static struct board *board;
static struct channel {
	int in, out;
	bool counts; /* an eventfd */
} channels[CHANNELS];
static int channel_count, stop;
static int ep, inner;

/* ---- channels ---- */

static void channel_add(int in, int out, bool counts)
{
	MUST(channel_count < CHANNELS && in >= 0 && out >= 0);
	MUST(fcntl(in, F_SETFL, fcntl(in, F_GETFL) | O_NONBLOCK) == 0);
	channels[channel_count++] = (struct channel){in, out, counts};
}

static void connection_add(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
				.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(a);
	int l = socket(AF_INET, SOCK_STREAM, 0), out;

	if (l < 0)
		return;
	MUST(bind(l, (struct sockaddr *)&a, len) == 0 && listen(l, 1) == 0);
	MUST(getsockname(l, (struct sockaddr *)&a, &len) == 0);
	out = socket(AF_INET, SOCK_STREAM, 0);
	MUST(out >= 0 && connect(out, (struct sockaddr *)&a, len) == 0);
	channel_add(accept(l, NULL, NULL), out, false);
	MUST(close(l) == 0);
}

static void channels_open(void)
{
	struct stat a, b;
	int p[2];

	for (int i = 0; i < 2; i++) {
		MUST(pipe(p) == 0);
		channel_add(p[0], p[1], false);
		p[0] = eventfd(0, EFD_SEMAPHORE);
		channel_add(p[0], p[0], true);
		connection_add();
	}
	if (fstat(0, &a) == 0 && fstat(1, &b) == 0 && S_ISFIFO(a.st_mode) &&
	    a.st_ino == b.st_ino)
		channel_add(0, 1, false);
}

/* Takes one token: false if there is none. */
static bool take(int i)
{
	uint64_t value;
	ssize_t n;

	do
		n = read(channels[i].in, &value, channels[i].counts ? 8 : 1);
	while (n < 0 && errno == EINTR);
	if (n < 0) {
		MUST(errno == EAGAIN);
		return false;
	}
	MUST(n == (channels[i].counts ? 8 : 1));
	__atomic_add_fetch(&board->got, 1, __ATOMIC_SEQ_CST);
	return true;
}

static void give(int i)
{
	uint64_t one = 1;
	ssize_t n;

	do
		n = write(channels[i].out, &one, channels[i].counts ? 8 : 1);
	while (n < 0 && errno == EINTR);
	MUST(n == (channels[i].counts ? 8 : 1));
	__atomic_add_fetch(&board->sent, 1, __ATOMIC_SEQ_CST);
}

/* ---- those who wait ---- */

static uint32_t flags_of(int mode)
{
	switch (mode) {
	case EDGE:
	case NESTED_EDGE:
		return EPOLLIN | EPOLLET;
	case ONE_SHOT:
		return EPOLLIN | EPOLLONESHOT;
	case EXCLUSIVE:
		return EPOLLIN | EPOLLEXCLUSIVE;
	default:
		return EPOLLIN;
	}
}

static void watch(int to, int op, int fd, uint32_t events, int data)
{
	struct epoll_event e = {.events = events, .data.u64 = (uint64_t)data};

	MUST(epoll_ctl(to, op, fd, &e) == 0);
}

enum { STOP = 1000, INNER };

static void epolls_open(int mode)
{
	bool nests = mode == NESTED || mode == NESTED_EDGE;

	ep = epoll_create1(0);
	inner = nests ? epoll_create1(0) : -1;
	MUST(ep >= 0);
	if (nests)
		watch(ep, EPOLL_CTL_ADD, inner, EPOLLIN, INNER);
	for (int i = 0; i < channel_count; i++)
		watch(nests ? inner : ep, EPOLL_CTL_ADD, channels[i].in, flags_of(mode),
		      i);
	watch(ep, EPOLL_CTL_ADD, stop, EPOLLIN, STOP);
}

static void served(const struct epoll_event *e, int mode)
{
	int i = (int)e->data.u64;

	if (mode == EDGE || mode == NESTED_EDGE)
		while (take(i))
			;
	else
		(void)take(i);
	if (mode == ONE_SHOT)
		watch(ep, EPOLL_CTL_MOD, channels[i].in, flags_of(mode), i);
}

static bool wait_once(int mode, int max)
{
	struct epoll_event e[4], below;
	int n = epoll_wait(ep, e, max, -1);

	MUST(n > 0 || errno == EINTR);
	for (int i = 0; i < n; i++) {
		if (e[i].data.u64 == STOP)
			return false;
		if (e[i].data.u64 != INNER)
			served(&e[i], mode);
		else if (epoll_wait(inner, &below, 1, 0) == 1)
			served(&below, mode);
	}
	return true;
}

static void *waiter(void *arg)
{
	int max = 1 + (int)(long)arg % 3;

	__atomic_add_fetch(&board->ready, 1, __ATOMIC_SEQ_CST);
	while (wait_once(board->mode, max))
		;
	return NULL;
}

static void on_tick(int sig)
{
	(void)sig;
}

static void process(int me)
{
	struct itimerval tick = {{0, 3000}, {0, 3000}};
	struct sigaction act = {.sa_handler = on_tick};
	pthread_t t[THREADS];

	MUST(sigaction(SIGALRM, &act, NULL) == 0);
	if (me == 0)
		MUST(setitimer(ITIMER_REAL, &tick, NULL) == 0);
	if (board->mode == EXCLUSIVE)
		epolls_open(EXCLUSIVE);
	for (long i = 0; i < THREADS; i++)
		MUST(pthread_create(&t[i], NULL, waiter, (void *)(me + i)) == 0);
	for (int i = 0; i < THREADS; i++)
		MUST(pthread_join(t[i], NULL) == 0);
	_exit(0);
}

/* ---- the one who gives ---- */

static void on_alarm(int sig)
{
	static char text[200];
	int n = snprintf(text, sizeof(text), "not ok: hang: %s: %ld sent, %ld got\n",
			 mode_names[board->mode], board->sent, board->got);

	(void)sig;
	(void)!write(2, text, (size_t)n);
	(void)kill(0, SIGKILL);
}

static void wait_for(long sent)
{
	while (__atomic_load_n(&board->got, __ATOMIC_SEQ_CST) < sent)
		sched_yield();
}

static void run(int mode, long n)
{
	pid_t pid[PROCESSES];
	uint64_t one = 1;
	unsigned random = (unsigned)mode + 1;

	*board = (struct board){.mode = mode};
	stop = eventfd(0, 0);
	epolls_open(mode);
	for (int i = 0; i < PROCESSES; i++) {
		pid[i] = fork();
		MUST(pid[i] >= 0);
		if (pid[i] == 0)
			process(i);
	}
	while (__atomic_load_n(&board->ready, __ATOMIC_SEQ_CST) < PROCESSES * THREADS)
		sched_yield();
	if (mode == EXCLUSIVE)
		MUST(close(ep) == 0);
	for (long i = 0; i < n; i++) {
		random = random * 1103515245 + 12345;
		give((int)(random >> 16) % channel_count);
		if ((random >> 24) % 4)
			wait_for(board->sent - (random >> 8) % 3);
	}
	wait_for(board->sent);
	MUST(write(stop, &one, 8) == 8);
	for (int i = 0; i < PROCESSES; i++)
		MUST(wait_status(pid[i]) == 0);
	MUST(board->got == board->sent);
	if (mode != EXCLUSIVE)
		MUST(close(ep) == 0);
	if (inner >= 0)
		MUST(close(inner) == 0);
	MUST(close(stop) == 0);
}

int main(int argc, char **argv)
{
	long n = rounds(argc, argv, 20000);
	double start = seconds();

	MUST(setpgid(0, 0) == 0 || errno == EPERM);
	board = share(sizeof(*board));
	signal(SIGALRM, on_alarm);
	channels_open();
	for (int mode = 0; mode < MODES; mode++) {
		alarm(ALARM);
		run(mode, n);
	}
	fprintf(stderr, "%d channels, %ld tokens a mode: %.1f s\n", channel_count, n,
		seconds() - start);
	return 0;
}
