/* SPDX-License-Identifier: MIT */
/* net */
/* inet_poll.c - poll, select and epoll on internet sockets, alone and beside what is not
 * the host's. */
/* calls: poll select epoll_wait socket */
#include "inet.h"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>

static int late_fd;

static void write_late(void)
{
	sleep_ms(40);
	CHECK(write(late_fd, "12345678", 8) == 8);
}

static void poll_sees_each_state(void)
{
	char c;
	int fd[2];
	int l = listener();

	CHECK(ready(l, POLLIN | POLLOUT, 0) == 0);
	fd[0] = socket(AF_INET, SOCK_STREAM, 0);
	CHECK(connect_to(fd[0], port_of(l)) == 0);
	CHECK(ready(l, POLLIN, 20000) == POLLIN);
	fd[1] = accept(l, NULL, NULL);
	CHECK(ready(l, POLLIN, 0) == 0);
	CHECK(ready(fd[1], POLLIN | POLLOUT, 0) == POLLOUT);
	fill_up(fd[1]);
	CHECK(ready(fd[1], POLLOUT, 0) == 0);
	CHECK(ready(fd[0], POLLIN | POLLOUT, 0) == (POLLIN | POLLOUT));
	while (recv(fd[0], &c, 1, MSG_DONTWAIT | MSG_TRUNC) > 0 &&
	       recv(fd[0], NULL, 1 << 20, MSG_DONTWAIT | MSG_TRUNC) > 0)
		;
	CHECK(ready(fd[1], POLLOUT, 20000) == POLLOUT);
	CHECK(close(fd[1]) == 0);
	CHECK(ready(fd[0], POLLIN | POLLRDHUP, 20000) & POLLRDHUP);
	close(fd[0]);
	close(l);
}

static void poll_wakes_for_either_kind(void)
{
	uint64_t n;
	char buf[8];
	int fd[2];
	int e = eventfd(0, 0);
	struct pollfd p[2];
	pid_t pid;

	tcp_pair(fd);
	for (int i = 0; i < 2; i++) {
		p[0] = (struct pollfd){.fd = fd[0], .events = POLLIN};
		p[1] = (struct pollfd){.fd = e, .events = POLLIN};
		late_fd = i ? e : fd[1];
		pid = child_start(write_late);
		CHECK(poll(p, 2, 20000) == 1);
		CHECK(p[i].revents == POLLIN && p[!i].revents == 0);
		CHECK(child_wait(pid) == 0);
		if (i)
			CHECK(read(e, &n, 8) == 8);
		else
			CHECK(read(fd[0], buf, 8) == 8);
	}
	CHECK(poll(p, 2, 20) == 0);
	close(e);
	close_pair(fd);
}

static void select_watches_sockets(void)
{
	struct timeval t = {5, 0};
	fd_set in, out, except;
	char c;
	int fd[2];
	pid_t pid;

	tcp_pair(fd);
	FD_ZERO(&in);
	FD_ZERO(&out);
	FD_SET(fd[0], &in);
	FD_SET(fd[0], &out);
	CHECK(select(fd[0] + 1, &in, &out, NULL, &t) == 1);
	CHECK(!FD_ISSET(fd[0], &in) && FD_ISSET(fd[0], &out));
	FD_SET(fd[0], &in);
	late_fd = fd[1];
	pid = child_start(write_late);
	CHECK(select(fd[0] + 1, &in, NULL, NULL, &t) == 1 && FD_ISSET(fd[0], &in));
	CHECK(child_wait(pid) == 0);
	CHECK(send(fd[1], "!", 1, MSG_OOB) == 1);
	FD_ZERO(&except);
	FD_SET(fd[0], &except);
	CHECK(select(fd[0] + 1, NULL, NULL, &except, &t) == 1);
	CHECK(recv(fd[0], &c, 1, MSG_OOB) == 1);
	close_pair(fd);
}

static void epoll_watches_sockets(void)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.u64 = 77};
	char buf[8];
	int ep = epoll_create1(EPOLL_CLOEXEC);
	int fd[2];
	pid_t pid;

	tcp_pair(fd);
	CHECK(epoll_ctl(ep, EPOLL_CTL_ADD, fd[0], &ev) == 0);
	CHECK(epoll_wait(ep, &ev, 1, 0) == 0);
	late_fd = fd[1];
	pid = child_start(write_late);
	CHECK(epoll_wait(ep, &ev, 1, 20000) == 1);
	CHECK(ev.events == EPOLLIN && ev.data.u64 == 77);
	CHECK(child_wait(pid) == 0);
	CHECK(epoll_wait(ep, &ev, 1, 0) == 1); /* level */
	CHECK(read(fd[0], buf, 8) == 8);
	CHECK(epoll_wait(ep, &ev, 1, 0) == 0);
	ev = (struct epoll_event){.events = EPOLLIN | EPOLLET, .data.u64 = 78};
	CHECK(epoll_ctl(ep, EPOLL_CTL_MOD, fd[0], &ev) == 0);
	CHECK(write(fd[1], "x", 1) == 1);
	CHECK(epoll_wait(ep, &ev, 1, 20000) == 1 && ev.data.u64 == 78);
	CHECK(epoll_wait(ep, &ev, 1, 20) == 0); /* edge */
	CHECK(write(fd[1], "x", 1) == 1);
	CHECK(epoll_wait(ep, &ev, 1, 20000) == 1);
	ev = (struct epoll_event){.events = EPOLLIN | EPOLLONESHOT, .data.u64 = 79};
	CHECK(epoll_ctl(ep, EPOLL_CTL_MOD, fd[0], &ev) == 0);
	CHECK(epoll_wait(ep, &ev, 1, 20000) == 1);
	CHECK(epoll_wait(ep, &ev, 1, 20) == 0); /* once */
	CHECK(shutdown(fd[1], SHUT_WR) == 0);
	ev = (struct epoll_event){.events = EPOLLRDHUP};
	CHECK(epoll_ctl(ep, EPOLL_CTL_MOD, fd[0], &ev) == 0);
	CHECK(epoll_wait(ep, &ev, 1, 20000) == 1 && ev.events == EPOLLRDHUP);
	close_pair(fd); /* leaves the epoll */
	CHECK(epoll_wait(ep, &ev, 1, 20) == 0);
	close(ep);
}

/* One signal, and no other event, ends each kind of wait for sockets alone. */
static int wait_kind;
static volatile sig_atomic_t signalled;

static void on_signal(int signo)
{
	signalled = signo;
}

static int wait_on(int fd)
{
	struct timespec long_time = {10, 0};
	struct pollfd p = {.fd = fd, .events = POLLIN};
	struct epoll_event ev = {.events = EPOLLIN};
	sigset_t none;
	fd_set in;
	int ep;

	sigemptyset(&none);
	FD_ZERO(&in);
	FD_SET(fd, &in);
	switch (wait_kind) {
	case 0:
		return poll(&p, 1, 10000);
	case 1:
		return poll(&p, 1, -1);
	case 2:
		return ppoll(&p, 1, &long_time, &none);
	case 3:
		return ppoll(&p, 1, NULL, &none);
	case 4:
		return pselect(fd + 1, &in, NULL, NULL, &long_time, &none);
	case 5:
		return pselect(fd + 1, &in, NULL, NULL, NULL, &none);
	default:
		ep = epoll_create1(0);
		CHECK(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev) == 0);
		return epoll_pwait(ep, &ev, 1, wait_kind == 6 ? 10000 : -1, &none);
	}
}

static void wait_for_signal(void)
{
	struct sigaction sa = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
	sigset_t usr1;
	int l = listener();

	CHECK(sigaction(SIGUSR1, &sa, NULL) == 0);
	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1);
	if (wait_kind >= 2) /* those that let it through for the while they wait */
		CHECK(sigprocmask(SIG_BLOCK, &usr1, NULL) == 0);
	CHECK(write(late_fd, "r", 1) == 1);
	FAILS(EINTR, wait_on(l));
	CHECK(signalled == SIGUSR1);
	close(l);
}

static void one_signal_ends_a_wait(void)
{
	for (wait_kind = 0; wait_kind < 8; wait_kind++) {
		int started[2];
		char c;
		pid_t pid;

		CHECK(pipe(started) == 0);
		late_fd = started[1];
		pid = child_start(wait_for_signal);
		CHECK(read(started[0], &c, 1) == 1);
		sleep_ms(60); /* as a rule it sleeps by now */
		CHECK(kill(pid, SIGUSR1) == 0);
		CHECK(child_wait(pid) == 0);
		close_pair(started);
	}
}

/* A server of many connections, all in one epoll, with clients in other processes. */
enum { CLIENTS = 8, ROUNDS = 200 };
static uint16_t server_port;

static void client(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	int on = 1;

	CHECK(connect_to(fd, server_port) == 0);
	CHECK(setsockopt(fd, SOL_TCP, TCP_NODELAY, &on, sizeof(on)) == 0);
	for (int i = 0; i < ROUNDS; i++) {
		int back = -1;

		CHECK(write(fd, &i, sizeof(i)) == sizeof(i));
		CHECK(recv(fd, &back, sizeof(back), MSG_WAITALL) == sizeof(back));
		CHECK(back == i);
	}
	close(fd);
}

static void serve(int ep, int l, int fd, int *open)
{
	struct epoll_event ev = {.events = EPOLLIN};
	char buf[64];
	ssize_t n;

	if (fd == l) {
		ev.data.fd = accept4(l, NULL, NULL, SOCK_NONBLOCK);
		CHECK(ev.data.fd >= 0);
		CHECK(epoll_ctl(ep, EPOLL_CTL_ADD, ev.data.fd, &ev) == 0);
		return;
	}
	n = read(fd, buf, sizeof(buf));
	if (n > 0) {
		CHECK(write(fd, buf, (size_t)n) == n);
		return;
	}
	CHECK(n == 0 || errno == ECONNRESET);
	CHECK(close(fd) == 0);
	(*open)--;
}

static void an_echo_server(void)
{
	struct epoll_event ev[4];
	pid_t pid[CLIENTS];
	int open = CLIENTS;
	int l = listener();
	int ep = epoll_create1(0);

	server_port = port_of(l);
	ev[0] = (struct epoll_event){.events = EPOLLIN, .data.fd = l};
	CHECK(epoll_ctl(ep, EPOLL_CTL_ADD, l, &ev[0]) == 0);
	for (int i = 0; i < CLIENTS; i++)
		pid[i] = child_start(client);
	while (open) {
		int n = epoll_wait(ep, ev, 4, 10000);

		CHECK(n > 0);
		for (int i = 0; i < n; i++)
			serve(ep, l, ev[i].data.fd, &open);
	}
	for (int i = 0; i < CLIENTS; i++)
		CHECK(child_wait(pid[i]) == 0);
	close(ep);
	close(l);
}

RUN(TEST(poll_sees_each_state), TEST(poll_wakes_for_either_kind),
    TEST(select_watches_sockets), TEST(epoll_watches_sockets),
    TEST(one_signal_ends_a_wait), TEST(an_echo_server))
