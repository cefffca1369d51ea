/* SPDX-License-Identifier: MIT */
/* net */
/* tcp_memory.c - TCP between processes of one machine, by one that listens there: what
 * connections of the loopback interface do, in all their states. */
/* calls: connect accept listen shutdown sendto recvfrom poll epoll_wait getsockopt */
#include "inet.h"

#include <sys/epoll.h>
#include <sys/sendfile.h>
#include <sys/wait.h>

static void abort_on_close(int fd)
{
	const struct linger now = {.l_onoff = 1};

	CHECK(setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now)) == 0);
	CHECK(close(fd) == 0);
}

static int state_of(int fd)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);

	memset(&info, 0, sizeof(info));
	CHECK(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0);
	return info.tcpi_state;
}

static int all_of(int fd)
{
	return ready(fd, POLLIN | POLLOUT | POLLPRI | POLLRDHUP, 0);
}

/* What the peer's last call did may come a moment later. */
static bool settles_at(int fd, int bits)
{
	for (int i = 0; i < 20000 && all_of(fd) != bits; i++)
		usleep(1000);
	return all_of(fd) == bits;
}

static void reset_is_told(void)
{
	char c;
	int fd[2];

	tcp_pair(fd);
	CHECK(all_of(fd[0]) == POLLOUT);
	abort_on_close(fd[1]);
	CHECK(settles_at(fd[0], POLLIN | POLLOUT | POLLERR | POLLHUP | POLLRDHUP));
	FAILS(ECONNRESET, recv(fd[0], &c, 1, 0));
	CHECK(recv(fd[0], &c, 1, 0) == 0);
	CHECK(settles_at(fd[0], POLLIN | POLLOUT | POLLHUP | POLLRDHUP));
	FAILS(EPIPE, send(fd[0], "x", 1, MSG_NOSIGNAL));
	FAILS(ENOTCONN, shutdown(fd[0], SHUT_WR));
	CHECK(state_of(fd[0]) == TCP_CLOSE);
	close(fd[0]);

	tcp_pair(fd);
	abort_on_close(fd[1]);
	FAILS(ECONNRESET, send(fd[0], "x", 1, MSG_NOSIGNAL));
	FAILS(EPIPE, send(fd[0], "x", 1, MSG_NOSIGNAL));
	CHECK(recv(fd[0], &c, 1, 0) == 0);
	close(fd[0]);

	tcp_pair(fd);
	abort_on_close(fd[1]);
	CHECK(option(fd[0], SOL_SOCKET, SO_ERROR) == ECONNRESET);
	CHECK(option(fd[0], SOL_SOCKET, SO_ERROR) == 0);
	CHECK(recv(fd[0], &c, 1, 0) == 0);
	close(fd[0]);
}

/* Also through a listener that others may share the port of. */
static void who_was_reset_is_accepted(void)
{
	for (int i = 0; i < 4; i++) {
		struct sockaddr_in n = {.sin_port = 0}, own;
		socklen_t len = sizeof(n), own_len = sizeof(own);
		int l = socket_at(SOCK_STREAM, 0), c, a;
		char b[8];

		CHECK(setsockopt(l, SOL_SOCKET, SO_REUSEPORT, &(int){i & 1}, 4) == 0);
		CHECK(listen(l, 5) == 0);
		c = socket(AF_INET, SOCK_STREAM, 0);
		CHECK(connect_to(c, port_of(l)) == 0);
		CHECK(getsockname(c, (void *)&own, &own_len) == 0);
		CHECK(i < 2 || send(c, "data", 4, 0) == 4);
		abort_on_close(c);
		a = accept(l, (void *)&n, &len);
		CHECK(a >= 0 && len == sizeof(n) && n.sin_family == AF_INET);
		CHECK(n.sin_port == own.sin_port);
		CHECK(n.sin_addr.s_addr == htonl(INADDR_LOOPBACK));
		CHECK(ready(a, POLLHUP, 20000) & POLLHUP); /* it has come */
		FAILS(ENOTCONN, getpeername(a, (void *)&n, &len));
		CHECK(i < 2 || recv(a, b, sizeof(b), 0) == 4);
		FAILS(ECONNRESET, recv(a, b, sizeof(b), 0));
		CHECK(recv(a, b, sizeof(b), 0) == 0);
		CHECK(close(a) == 0 && close(l) == 0);
	}
}

static void unread_data_make_a_reset(void)
{
	char buf[8];
	int fd[2];

	tcp_pair(fd);
	CHECK(send(fd[0], "unread", 6, 0) == 6);
	CHECK(send(fd[1], "there", 5, 0) == 5);
	CHECK(ready(fd[1], POLLIN, 20000) == POLLIN);
	close(fd[1]);
	CHECK(recv(fd[0], buf, sizeof(buf), 0) == 5); /* what came before */
	FAILS(ECONNRESET, recv(fd[0], buf, sizeof(buf), 0));
	close(fd[0]);
}

static void the_end_comes_after_the_data(void)
{
	char buf[8];
	int fd[2];

	tcp_pair(fd);
	CHECK(send(fd[1], "last", 4, 0) == 4);
	close(fd[1]);
	CHECK(settles_at(fd[0], POLLIN | POLLOUT | POLLRDHUP));
	CHECK(state_of(fd[0]) == TCP_CLOSE_WAIT);
	CHECK(recv(fd[0], buf, sizeof(buf), 0) == 4);
	CHECK(recv(fd[0], buf, sizeof(buf), 0) == 0);
	/* Nobody is there any more: the first one brings a reset. */
	CHECK(send(fd[0], "a", 1, MSG_NOSIGNAL) == 1);
	CHECK(settles_at(fd[0], POLLIN | POLLOUT | POLLERR | POLLHUP | POLLRDHUP));
	CHECK(recv(fd[0], buf, sizeof(buf), 0) == 0);
	FAILS(EPIPE, send(fd[0], "b", 1, MSG_NOSIGNAL));
	CHECK(option(fd[0], SOL_SOCKET, SO_ERROR) == 0);
	close(fd[0]);
}

static void halves_are_closed(void)
{
	struct sockaddr_in a;
	socklen_t len = sizeof(a);
	char buf[8];
	int fd[2];

	tcp_pair(fd);
	FAILS(EINVAL, shutdown(fd[0], 3));
	CHECK(shutdown(fd[0], SHUT_WR) == 0);
	CHECK(all_of(fd[0]) == POLLOUT);
	CHECK(settles_at(fd[1], POLLIN | POLLOUT | POLLRDHUP));
	CHECK(state_of(fd[1]) == TCP_CLOSE_WAIT);
	for (int i = 0; i < 2000 && state_of(fd[0]) == TCP_FIN_WAIT1; i++)
		usleep(10000); /* it takes its time to be acknowledged */
	CHECK(state_of(fd[0]) == TCP_FIN_WAIT2);
	FAILS(EPIPE, send(fd[0], "x", 1, MSG_NOSIGNAL));
	CHECK(send(fd[1], "back", 4, 0) == 4);
	CHECK(recv(fd[0], buf, sizeof(buf), 0) == 4);
	CHECK(recv(fd[1], buf, sizeof(buf), 0) == 0);
	CHECK(shutdown(fd[0], SHUT_WR) == 0); /* again */
	CHECK(shutdown(fd[1], SHUT_WR) == 0);
	CHECK(ready(fd[0], POLLHUP, 20000) == POLLHUP);
	CHECK(settles_at(fd[0], POLLIN | POLLOUT | POLLHUP | POLLRDHUP));
	CHECK(settles_at(fd[1], POLLIN | POLLOUT | POLLHUP | POLLRDHUP));
	CHECK(recv(fd[0], buf, sizeof(buf), 0) == 0);
	FAILS(ENOTCONN, getpeername(fd[0], (struct sockaddr *)&a, &len));
	FAILS(ENOTCONN, shutdown(fd[1], SHUT_RD));
	close_pair(fd);

	tcp_pair(fd);
	CHECK(shutdown(fd[0], SHUT_RD) == 0);
	CHECK(recv(fd[0], buf, sizeof(buf), 0) == 0);
	CHECK(settles_at(fd[0], POLLIN | POLLOUT | POLLRDHUP));
	CHECK(all_of(fd[1]) == POLLOUT); /* which is told nothing */
	CHECK(send(fd[1], "still", 5, 0) == 5);
	CHECK(recv(fd[0], buf, sizeof(buf), 0) == 5);
	close_pair(fd);
}

static int all_in_signals;
static void count_signal(int sig)
{
	(void)sig;
	all_in_signals++;
}

static void a_broken_pipe_is_a_signal(void)
{
	int fd[2];

	tcp_pair(fd);
	signal(SIGPIPE, count_signal);
	CHECK(shutdown(fd[0], SHUT_WR) == 0);
	FAILS(EPIPE, write(fd[0], "x", 1));
	CHECK(all_in_signals == 1);
	FAILS(EPIPE, send(fd[0], "x", 1, MSG_NOSIGNAL));
	CHECK(all_in_signals == 1);
	signal(SIGPIPE, SIG_DFL);
	close_pair(fd);
}

static void nobody_waits_for_a_connect(void)
{
	int l = listener();
	int c = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	char b;

	CHECK(settles_at(c, POLLOUT | POLLHUP));
	FAILS(EINPROGRESS, connect_to(c, port_of(l)));
	CHECK(ready(c, POLLOUT, 20000) == POLLOUT);
	CHECK(option(c, SOL_SOCKET, SO_ERROR) == 0);
	CHECK(connect_to(c, port_of(l)) == 0);
	FAILS(EISCONN, connect_to(c, port_of(l)));
	FAILS(EINVAL, listen(c, 1));
	FAILS(EAGAIN, recv(c, &b, 1, 0));
	close(c);
	close(l);
}

static void epoll_follows_the_connection(uint32_t mode)
{
	struct epoll_event ev = {.events = EPOLLIN | EPOLLOUT | mode, .data.u32 = 7};
	int ep = epoll_create1(0);
	int l = listener();
	int c = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	int s;

	CHECK(epoll_ctl(ep, EPOLL_CTL_ADD, c, &ev) == 0);
	CHECK(epoll_wait(ep, &ev, 1, 0) == 1);
	CHECK(ev.events == (EPOLLOUT | EPOLLHUP));
	CHECK(epoll_wait(ep, &ev, 1, 0) == (mode ? 0 : 1));
	FAILS(EINPROGRESS, connect_to(c, port_of(l)));
	CHECK(epoll_wait(ep, &ev, 1, 20000) == 1 && ev.events == EPOLLOUT);
	CHECK(ev.data.u32 == 7);
	CHECK(epoll_wait(ep, &ev, 1, 0) == (mode ? 0 : 1));
	s = accept(l, NULL, NULL);
	CHECK(s >= 0 && send(s, "x", 1, 0) == 1);
	CHECK(epoll_wait(ep, &ev, 1, 20000) == 1 && ev.events == (EPOLLIN | EPOLLOUT));
	ev.events = EPOLLIN | mode;
	CHECK(epoll_ctl(ep, EPOLL_CTL_MOD, c, &ev) == 0);
	CHECK(epoll_wait(ep, &ev, 1, 0) == 1 && ev.events == EPOLLIN);
	abort_on_close(s);
	CHECK(epoll_wait(ep, &ev, 1, 20000) == 1);
	CHECK(ev.events == (EPOLLIN | EPOLLERR | EPOLLHUP));
	CHECK(epoll_ctl(ep, EPOLL_CTL_DEL, c, NULL) == 0);
	close(c);
	close(l);
	close(ep);
}

static void epoll_follows_level(void)
{
	epoll_follows_the_connection(0);
}

static void epoll_follows_edge(void)
{
	epoll_follows_the_connection(EPOLLET);
}

static void a_oneshot_stays_silent(void)
{
	struct epoll_event ev = {.events = EPOLLOUT | EPOLLONESHOT};
	int ep = epoll_create1(0);
	int l = listener();
	int c = socket(AF_INET, SOCK_STREAM, 0);

	CHECK(epoll_ctl(ep, EPOLL_CTL_ADD, c, &ev) == 0);
	CHECK(epoll_wait(ep, &ev, 1, 0) == 1);
	CHECK(connect_to(c, port_of(l)) == 0);
	CHECK(epoll_wait(ep, &ev, 1, 0) == 0);
	ev.events = EPOLLOUT | EPOLLONESHOT;
	CHECK(epoll_ctl(ep, EPOLL_CTL_MOD, c, &ev) == 0);
	CHECK(epoll_wait(ep, &ev, 1, 20000) == 1 && ev.events == EPOLLOUT);
	CHECK(epoll_wait(ep, &ev, 1, 0) == 0);
	close(c);
	close(l);
	close(ep);
}

static void listeners_are_ready(void)
{
	struct epoll_event ev = {.events = EPOLLIN};
	int ep = epoll_create1(0);
	int l = listener();
	int c[3];

	CHECK(epoll_ctl(ep, EPOLL_CTL_ADD, l, &ev) == 0);
	CHECK(epoll_wait(ep, &ev, 1, 0) == 0 && all_of(l) == 0);
	for (int i = 0; i < 3; i++) {
		c[i] = socket(AF_INET, SOCK_STREAM, 0);
		CHECK(connect_to(c[i], port_of(l)) == 0);
	}
	CHECK(epoll_wait(ep, &ev, 1, 20000) == 1 && ev.events == EPOLLIN);
	CHECK(all_of(l) == POLLIN);
	for (int i = 0; i < 3; i++) {
		int s = accept(l, NULL, NULL);

		CHECK(s >= 0 && port_of(s) == port_of(l));
		close(s);
		close(c[i]);
	}
	CHECK(epoll_wait(ep, &ev, 1, 0) == 0 && all_of(l) == 0);
	close(l);
	close(ep);
}

static void a_closed_listener_resets(void)
{
	int l = listener();
	int c = socket(AF_INET, SOCK_STREAM, 0);
	uint16_t port = port_of(l);
	char b;

	CHECK(connect_to(c, port) == 0);
	CHECK(send(c, "x", 1, 0) == 1);
	close(l);
	CHECK(ready(c, POLLIN, 20000) & POLLERR);
	FAILS(ECONNRESET, recv(c, &b, 1, 0));
	close(c);
	c = socket(AF_INET, SOCK_STREAM, 0);
	FAILS(ECONNREFUSED, connect_to(c, port));
	FAILS(ECONNREFUSED, connect_to(c, port)); /* it may try again */
	close(c);
}

static void a_listener_is_shut(void)
{
	int l = listener();
	int c = socket(AF_INET, SOCK_STREAM, 0);
	uint16_t port = port_of(l);

	CHECK(connect_to(c, port) == 0);
	CHECK(shutdown(l, SHUT_WR) == 0);
	CHECK(ready(l, POLLIN, 0) == POLLIN);
	CHECK(shutdown(l, SHUT_RD) == 0);
	FAILS(EINVAL, accept(l, NULL, NULL));
	CHECK(ready(c, POLLIN, 20000) & POLLHUP);
	close(c);
	CHECK(listen(l, 4) == 0); /* again */
	c = socket(AF_INET, SOCK_STREAM, 0);
	CHECK(connect_to(c, port_of(l)) == 0);
	close(c);
	close(l);
}

static void who_has_gone_is_accepted(void)
{
	struct sockaddr_in a;
	socklen_t len = sizeof(a);
	char buf[8];
	int l = listener();
	int c = socket(AF_INET, SOCK_STREAM, 0);
	int s;

	CHECK(connect_to(c, port_of(l)) == 0);
	CHECK(send(c, "bye", 3, 0) == 3);
	close(c);
	s = accept(l, (struct sockaddr *)&a, &len);
	CHECK(s >= 0 && len == sizeof(a));
	CHECK(recv(s, buf, sizeof(buf), 0) == 3 && recv(s, buf, sizeof(buf), 0) == 0);
	close(s);
	c = socket(AF_INET, SOCK_STREAM, 0);
	CHECK(connect_to(c, port_of(l)) == 0);
	abort_on_close(c);
	s = accept(l, NULL, NULL);
	CHECK(s >= 0);
	FAILS(ECONNRESET, recv(s, buf, sizeof(buf), 0));
	close(s);
	close(l);
}

static void a_connection_is_dissolved(void)
{
	const struct sockaddr none = {.sa_family = AF_UNSPEC};
	char b;
	int l = listener();
	int fd[2];

	fd[0] = socket(AF_INET, SOCK_STREAM, 0);
	for (int i = 0; i < 100; i++) {
		CHECK(connect_to(fd[0], port_of(l)) == 0);
		fd[1] = accept(l, NULL, NULL);
		CHECK(fd[1] >= 0 && send(fd[0], "x", 1, 0) == 1);
		CHECK(connect(fd[0], &none, sizeof(none)) == 0);
		CHECK(settles_at(fd[0], POLLOUT | POLLERR | POLLHUP));
		CHECK(option(fd[0], SOL_SOCKET, SO_ERROR) == ECONNRESET);
		CHECK(recv(fd[1], &b, 1, 0) == 1);
		FAILS(ECONNRESET, recv(fd[1], &b, 1, 0));
		close(fd[1]);
		FAILS(ENOTCONN, recv(fd[0], &b, 1, 0));
		FAILS(EPIPE, send(fd[0], &b, 1, MSG_NOSIGNAL));
	}
	CHECK(listen(fd[0], 1) == 0);
	close(fd[0]);
	close(l);
}

static void urgent_data(void)
{
	char buf[8];
	int at = 7;
	int fd[2];

	tcp_pair(fd);
	FAILS(EINVAL, recv(fd[1], buf, 1, MSG_OOB));
	CHECK(send(fd[0], "ab!", 3, MSG_OOB) == 3);
	CHECK(ready(fd[1], POLLPRI, 20000) == POLLPRI);
	CHECK(send(fd[0], "cd", 2, 0) == 2);
	usleep(20000);
	CHECK(ioctl(fd[1], FIONREAD, &at) == 0 && at == 2);
	CHECK(ioctl(fd[1], SIOCATMARK, &at) == 0 && at == 0);
	CHECK(recv(fd[1], buf, sizeof(buf), 0) == 2 && !memcmp(buf, "ab", 2));
	CHECK(ioctl(fd[1], SIOCATMARK, &at) == 0 && at == 1);
	CHECK(recv(fd[1], buf, 8, MSG_OOB | MSG_PEEK) == 1 && buf[0] == '!');
	CHECK(recv(fd[1], buf, 8, MSG_OOB) == 1 && buf[0] == '!');
	FAILS(EINVAL, recv(fd[1], buf, 8, MSG_OOB));
	CHECK(recv(fd[1], buf, sizeof(buf), 0) == 2 && !memcmp(buf, "cd", 2));
	CHECK(ioctl(fd[1], SIOCATMARK, &at) == 0 && at == 0);
	CHECK(all_of(fd[1]) == POLLOUT);

	CHECK(set_option(fd[1], SOL_SOCKET, SO_OOBINLINE, 1) == 0);
	CHECK(send(fd[0], "x", 1, 0) == 1 && send(fd[0], "!", 1, MSG_OOB) == 1 &&
	      send(fd[0], "y", 1, 0) == 1);
	for (int i = 0; i < 20000 && ioctl(fd[1], FIONREAD, &at) == 0 && at < 3; i++)
		usleep(1000);
	CHECK(at == 3);
	CHECK(recv(fd[1], buf, sizeof(buf), 0) == 1 && buf[0] == 'x');
	CHECK(ioctl(fd[1], SIOCATMARK, &at) == 0 && at == 1);
	FAILS(EINVAL, recv(fd[1], buf, 8, MSG_OOB));
	CHECK(recv(fd[1], buf, sizeof(buf), 0) == 2 && !memcmp(buf, "!y", 2));
	close_pair(fd);
}

static void flags_of_receive(void)
{
	static char big[300000], back[300000];
	char buf[8] = {0};
	int fd[2];
	pid_t pid;
	int status;

	tcp_pair(fd);
	CHECK(send(fd[0], "abcdef", 6, 0) == 6);
	CHECK(ready(fd[1], POLLIN, 20000) == POLLIN);
	CHECK(recv(fd[1], buf, 3, MSG_PEEK) == 3 && !memcmp(buf, "abc", 3));
	CHECK(recv(fd[1], NULL, 2, MSG_TRUNC) == 2);
	CHECK(recv(fd[1], buf, 8, MSG_PEEK) == 4 && !memcmp(buf, "cdef", 4));
	FAILS(EFAULT, recv(fd[1], (void *)16, 4, 0));
	CHECK(recv(fd[1], buf, 8, 0) == 4);
	FAILS(EFAULT, send(fd[0], (void *)16, 4, 0));
	for (size_t i = 0; i < sizeof(big); i++)
		big[i] = (char)(i * 7 >> 3);
	pid = fork();
	CHECK(pid >= 0);
	if (!pid) {
		for (size_t i = 0; i < sizeof(big); i += 30000) {
			CHECK(send(fd[0], big + i, 30000, 0) == 30000);
			usleep(1000);
		}
		_exit(0);
	}
	CHECK(recv(fd[1], back, sizeof(back), MSG_WAITALL) == sizeof(back));
	CHECK(!memcmp(big, back, sizeof(big)));
	CHECK(waitpid(pid, &status, 0) == pid && !status);
	close_pair(fd);
}

/* What was sent at `start` is held back, for a fifth of a second at most. */
static void is_held_back(int fd, long start)
{
	char c;

	CHECK(ready(fd, POLLIN, 20) == 0 || now_ms() - start > 150);
	CHECK((recv(fd, &c, 1, MSG_DONTWAIT | MSG_PEEK) == -1 && errno == EAGAIN) ||
	      now_ms() - start > 150);
}

static void more_is_waited_for(void)
{
	long start = now_ms();
	char buf[32];
	int fd[2];

	tcp_pair(fd);
	CHECK(send(fd[0], "one", 3, MSG_MORE) == 3);
	is_held_back(fd[1], start);
	CHECK(send(fd[0], "two", 3, 0) == 3);
	CHECK(recv(fd[1], buf, 6, MSG_WAITALL) == 6 && !memcmp(buf, "onetwo", 6));
	CHECK(send(fd[0], "late", 4, MSG_MORE) == 4);
	CHECK(recv(fd[1], buf, sizeof(buf), 0) == 4); /* it is not waited for ever */
	CHECK(set_option(fd[0], IPPROTO_TCP, TCP_CORK, 1) == 0);
	start = now_ms();
	CHECK(send(fd[0], "abc", 3, 0) == 3 && send(fd[0], "def", 3, 0) == 3);
	is_held_back(fd[1], start);
	CHECK(set_option(fd[0], IPPROTO_TCP, TCP_CORK, 0) == 0);
	CHECK(recv(fd[1], buf, 6, MSG_WAITALL) == 6 && !memcmp(buf, "abcdef", 6));
	CHECK(send(fd[0], "end", 3, MSG_MORE) == 3 && shutdown(fd[0], SHUT_WR) == 0);
	CHECK(ready(fd[1], POLLIN, 20000) == POLLIN);
	CHECK(recv(fd[1], buf, sizeof(buf), 0) == 3 && recv(fd[1], buf, 1, 0) == 0);
	close_pair(fd);
}

static void full_and_empty(void)
{
	static char junk[65536];
	struct epoll_event ev = {.events = EPOLLOUT | EPOLLET};
	int ep = epoll_create1(0);
	int fd[2];
	int waiting = 0;
	size_t sent, got = 0;
	ssize_t n;

	tcp_pair(fd);
	CHECK(epoll_ctl(ep, EPOLL_CTL_ADD, fd[0], &ev) == 0);
	CHECK(epoll_wait(ep, &ev, 1, 0) == 1);
	sent = fill_up(fd[0]);
	CHECK(ready(fd[0], POLLOUT, 0) == 0 && epoll_wait(ep, &ev, 1, 0) == 0);
	CHECK(sent > 100000 && sent < 64000000);
	CHECK(ioctl(fd[0], TIOCOUTQ, &waiting) == 0 && waiting > 0);
	while (got < sent) {
		n = recv(fd[1], junk, sizeof(junk), 0);
		CHECK(n > 0);
		got += (size_t)n;
	}
	FAILS(EAGAIN, recv(fd[1], junk, 1, MSG_DONTWAIT));
	CHECK(ready(fd[0], POLLOUT, 20000) == POLLOUT);
	CHECK(epoll_wait(ep, &ev, 1, 20000) == 1 && ev.events == EPOLLOUT);
	close(ep);
	close_pair(fd);
}

static void two_threads_of_life(void)
{
	char b;
	int fd[2];
	int status;
	pid_t pid;

	/* Who sleeps in a receive learns of the end. */
	tcp_pair(fd);
	pid = fork();
	CHECK(pid >= 0);
	if (!pid) {
		close(fd[1]);
		_exit(recv(fd[0], &b, 1, 0) != 0);
	}
	usleep(50000);
	CHECK(shutdown(fd[1], SHUT_WR) == 0);
	CHECK(waitpid(pid, &status, 0) == pid && !status);
	close_pair(fd);
	/* And who sleeps in a send, of a reset. */
	tcp_pair(fd);
	(void)fill_up(fd[0]);
	pid = fork();
	CHECK(pid >= 0);
	if (!pid) {
		close(fd[1]);
		_exit(!(send(fd[0], &b, 1, MSG_NOSIGNAL) == -1 && errno == ECONNRESET));
	}
	usleep(50000);
	close(fd[1]);
	CHECK(waitpid(pid, &status, 0) == pid && !status);
	close(fd[0]);
}

RUN(TEST(reset_is_told), TEST(who_was_reset_is_accepted), TEST(unread_data_make_a_reset),
    TEST(the_end_comes_after_the_data), TEST(halves_are_closed),
    TEST(a_broken_pipe_is_a_signal), TEST(nobody_waits_for_a_connect),
    TEST(epoll_follows_level), TEST(epoll_follows_edge), TEST(a_oneshot_stays_silent),
    TEST(listeners_are_ready), TEST(a_closed_listener_resets), TEST(a_listener_is_shut),
    TEST(who_has_gone_is_accepted), TEST(a_connection_is_dissolved), TEST(urgent_data),
    TEST(flags_of_receive), TEST(more_is_waited_for), TEST(full_and_empty),
    TEST(two_threads_of_life))
