/* SPDX-License-Identifier: MIT */
/* socket_files_connect.c - connect() to socket files of servers that are elsewhere:
 *
 *	waiters PATH	who already waits for a datagram socket that is connected then
 *	full PATH	a listener whose queue is full; it takes all once PATH.go is there
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define ENOUGH 10000 /* ms */

static struct sockaddr_un address = {.sun_family = AF_UNIX};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int reach(int fd)
{
	return connect(fd, (struct sockaddr *)&address, sizeof address);
}

/* ---- waiters ---- */

enum { AT_RECV, AT_POLL, AT_EPOLL, AT_NESTED, AT_POLL_OF_EPOLL, AT_AIO, KINDS };
static const char *const kinds[] = {"recv",   "poll",	       "epoll_wait",
				    "nested", "poll of epoll", "aio"};

struct waiter {
	int fd, kind;
	char got[16];
};

static int epoll_of(int fd)
{
	struct epoll_event e = {.events = EPOLLIN};
	int ep = epoll_create1(0);

	epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e);
	return ep;
}

static int is_ready(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, ENOUGH) == 1 && p.revents == POLLIN;
}

static int has_event(int ep)
{
	struct epoll_event e = {0};

	return epoll_wait(ep, &e, 1, ENOUGH) == 1 && e.events == EPOLLIN;
}

static int has_aio_event(int fd)
{
	struct iocb cb = {.aio_lio_opcode = IOCB_CMD_POLL,
			  .aio_fildes = (unsigned)fd,
			  .aio_buf = POLLIN};
	struct iocb *list = &cb;
	struct timespec enough = {ENOUGH / 1000, 0};
	struct io_event e = {0};
	aio_context_t ctx = 0;

	return syscall(SYS_io_setup, 1, &ctx) == 0 &&
	       syscall(SYS_io_submit, ctx, 1, &list) == 1 &&
	       syscall(SYS_io_getevents, ctx, 1, 1, &e, &enough) == 1 && (e.res & POLLIN);
}

static void *wait_for_it(void *arg)
{
	struct waiter *w = arg;
	int is_there = w->kind == AT_RECV     ? 1
		       : w->kind == AT_POLL   ? is_ready(w->fd)
		       : w->kind == AT_EPOLL  ? has_event(epoll_of(w->fd))
		       : w->kind == AT_NESTED ? has_event(epoll_of(epoll_of(w->fd)))
		       : w->kind == AT_POLL_OF_EPOLL ? is_ready(epoll_of(w->fd))
						     : has_aio_event(w->fd);
	ssize_t n = recv(w->fd, w->got, sizeof w->got - 1,
			 w->kind == AT_RECV ? 0 : MSG_DONTWAIT);

	if (!is_there || n < 0)
		(void)snprintf(w->got, sizeof w->got, "%d %d", is_there, errno);
	return NULL;
}

static int waiters(void)
{
	struct timeval enough = {ENOUGH / 1000, 0};
	struct sockaddr_un any = {.sun_family = AF_UNIX};
	struct waiter w[KINDS] = {0};
	pthread_t id[KINDS];
	int failed = 0;

	for (int i = 0; i < KINDS; i++) {
		w[i].kind = i;
		w[i].fd = socket(AF_UNIX, SOCK_DGRAM, 0);
		setsockopt(w[i].fd, SOL_SOCKET, SO_RCVTIMEO, &enough, sizeof enough);
		bind(w[i].fd, (struct sockaddr *)&any, sizeof any.sun_family);
		pthread_create(&id[i], NULL, wait_for_it, &w[i]);
	}
	usleep(300000);
	for (int i = 0; i < KINDS; i++)
		failed |= reach(w[i].fd) || send(w[i].fd, "abc", 3, 0) != 3;
	for (int i = 0; i < KINDS; i++) {
		pthread_join(id[i], NULL);
		if (strcmp(w[i].got, "cba") != 0)
			printf("%s: %s\n", kinds[i], w[i].got);
	}
	printf("%d\n", failed);
	return failed;
}

/* A datagram socket that had another peer, from whom something has come. */
static int change_peer(void)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	struct pollfd p = {.events = POLLIN};
	socklen_t len = sizeof name;
	char got[16] = {0};
	int other = socket(AF_UNIX, SOCK_DGRAM, 0);
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	bind(fd, (struct sockaddr *)&name, sizeof name.sun_family);
	getsockname(fd, (struct sockaddr *)&name, &len);
	sendto(other, "early", 5, 0, (struct sockaddr *)&name, len);
	printf("%d", reach(fd));
	p.fd = fd;
	printf(" %d", poll(&p, 1, 0));
	recv(fd, got, sizeof got, MSG_DONTWAIT);
	printf(" %s", got);
	send(fd, "abc", 3, 0);
	memset(got, 0, sizeof got);
	recv(fd, got, sizeof got, 0);
	printf(" %s", got);
	printf(" %d", sendto(other, "late", 4, 0, (struct sockaddr *)&name, len) < 0
			      ? errno == EPERM
			      : -1);
	printf(" %d\n", recv(fd, got, sizeof got, MSG_DONTWAIT) < 0 && errno == EAGAIN);
	return 0;
}

/* ---- a full listener ---- */

static void on_alarm(int sig)
{
	(void)sig;
}

static void *let_go(void *path)
{
	char go[200];

	usleep(300000);
	(void)snprintf(go, sizeof go, "%s.go", (char *)path);
	close(open(go, O_WRONLY | O_CREAT, 0600));
	return NULL;
}

static int fresh(int flags)
{
	return socket(AF_UNIX, SOCK_STREAM | flags, 0);
}

static int full(char *path)
{
	struct sigaction a = {.sa_handler = on_alarm};
	struct itimerval soon = {.it_value = {.tv_usec = 200000}};
	struct timeval timeout = {.tv_usec = 300000};
	pthread_t id;
	double start;
	int fd;
	int err;

	while ((err = reach(fresh(SOCK_NONBLOCK))) == 0)
		;
	printf("%d", err < 0 && errno == EAGAIN);
	fd = fresh(0);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
	start = now();
	err = reach(fd);
	printf(" %d %d", err < 0 && errno == EAGAIN, now() - start >= 0.29);
	sigaction(SIGALRM, &a, NULL);
	setitimer(ITIMER_REAL, &soon, NULL);
	err = reach(fresh(0));
	printf(" %d", err < 0 && errno == EINTR);
	a.sa_flags = SA_RESTART;
	sigaction(SIGALRM, &a, NULL);
	setitimer(ITIMER_REAL, &soon, NULL);
	start = now();
	pthread_create(&id, NULL, let_go, path);
	err = reach(fresh(0));
	printf(" %d %d\n", err, now() - start >= 0.29);
	pthread_join(id, NULL);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc < 3)
		return 1;
	strncpy(address.sun_path, argv[2], sizeof address.sun_path - 1);
	return !strcmp(argv[1], "waiters") ? waiters()
	       : !strcmp(argv[1], "peer")  ? change_peer()
					   : full(argv[2]);
}
