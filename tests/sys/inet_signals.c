/* SPDX-License-Identifier: MIT */
/* net */
/* inet_signals.c - signals and time-outs end, or do not end, calls that block on internet
 * sockets (signal(7)). */
/* calls: accept connect sendto recvfrom recvmsg sendmsg recvmmsg */
#include "inet.h"

static struct timeval short_time = {0, 80000};
static struct timeval long_time = {5, 0};

static void receive_is_interrupted(void)
{
	struct interrupter in;
	char c;
	int fd[2];

	tcp_pair(fd);
	interrupt_start(&in, 0, -1);
	FAILS(EINTR, recv(fd[0], &c, 1, 0));
	FAILS(EINTR, read(fd[0], &c, 1));
	FAILS(EINTR, recvmsg(fd[0],
			     &(struct msghdr){.msg_iov = &(struct iovec){&c, 1},
					      .msg_iovlen = 1},
			     0));
	interrupt_stop(&in);
	CHECK(interrupts >= 3);
	close_pair(fd);
}

static void receive_is_restarted(void)
{
	struct interrupter in;
	char c;
	int fd[2];

	tcp_pair(fd);
	interrupt_start(&in, SA_RESTART, fd[1]);
	CHECK(recv(fd[0], &c, 1, 0) == 1 && c == '!');
	interrupt_stop(&in);
	CHECK(interrupts >= 1); /* those that came at once are one */
	close_pair(fd);
}

static void a_timeout_makes_it_eintr_always(void)
{
	struct interrupter in;
	char c;
	int fd[2];

	tcp_pair(fd);
	CHECK(setsockopt(fd[0], SOL_SOCKET, SO_RCVTIMEO, &long_time, sizeof(long_time)) ==
	      0);
	interrupt_start(&in, SA_RESTART, -1);
	FAILS(EINTR, recv(fd[0], &c, 1, 0));
	interrupt_stop(&in);
	close_pair(fd);
}

static void times_are_kept(void)
{
	struct timeval none = {0, 0};
	long start;
	char c;
	int fd[2];
	int l = listener();

	tcp_pair(fd);
	CHECK(setsockopt(fd[0], SOL_SOCKET, SO_RCVTIMEO, &short_time,
			 sizeof(short_time)) == 0);
	start = now_ms();
	FAILS(EAGAIN, recv(fd[0], &c, 1, 0));
	CHECK(now_ms() - start >= 75 && now_ms() - start < 20000);
	CHECK(send(fd[1], "x", 1, 0) == 1);
	CHECK(recv(fd[0], &c, 1, 0) == 1);
	start = now_ms();
	FAILS(EAGAIN, read(fd[0], &c, 1));
	CHECK(now_ms() - start >= 75);
	CHECK(setsockopt(fd[0], SOL_SOCKET, SO_RCVTIMEO, &none, sizeof(none)) == 0);
	CHECK(setsockopt(fd[0], SOL_SOCKET, SO_SNDTIMEO, &short_time,
			 sizeof(short_time)) == 0);
	fill_up(fd[0]);
	start = now_ms();
	FAILS(EAGAIN, send(fd[0], "x", 1, 0));
	CHECK(now_ms() - start >= 75);
	CHECK(setsockopt(l, SOL_SOCKET, SO_RCVTIMEO, &short_time, sizeof(short_time)) ==
	      0);
	start = now_ms();
	FAILS(EAGAIN, accept(l, NULL, NULL));
	CHECK(now_ms() - start >= 75);
	close(l);
	close_pair(fd);
}

static void accept_is_interrupted(void)
{
	struct interrupter in;
	int l = listener();

	interrupt_start(&in, 0, -1);
	FAILS(EINTR, accept(l, NULL, NULL));
	interrupt_stop(&in);
	close(l);
}

static uint16_t late_port;

/* A thread that takes no signals. */
static void *connect_late(void *arg)
{
	int c = socket(AF_INET, SOCK_STREAM, 0);

	while (!interrupts)
		sleep_ms(1);
	sleep_ms(20);
	CHECK(connect_to(c, late_port) == 0);
	CHECK(close(c) == 0);
	return arg;
}

static void accept_is_restarted(void)
{
	struct interrupter in;
	int l = listener();
	pthread_t thread;

	late_port = port_of(l);
	interrupt_start(&in, SA_RESTART, -1);
	CHECK(pthread_create(&thread, NULL, connect_late, NULL) == 0);
	CHECK(accept(l, NULL, NULL) >= 0);
	interrupt_stop(&in);
	CHECK(pthread_join(thread, NULL) == 0);
	close(l);
}

/* The queue is full: connect blocks. */
static int full_listener(int filler[8])
{
	int l = socket_at(SOCK_STREAM, 0);

	CHECK(listen(l, 0) == 0);
	for (int i = 0; i < 8; i++) {
		filler[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		FAILS(EINPROGRESS, connect_to(filler[i], port_of(l)));
	}
	return l;
}

static void connect_is_interrupted_and_goes_on(void)
{
	struct interrupter in;
	int filler[8];
	int l = full_listener(filler);
	int c = socket(AF_INET, SOCK_STREAM, 0);

	interrupt_start(&in, 0, -1);
	FAILS(EINTR, connect_to(c, port_of(l)));
	interrupt_stop(&in);
	set_nonblock(c, true);
	FAILS(EALREADY, connect_to(c, port_of(l)));
	set_nonblock(c, false);
	for (int i = 0; i < 8; i++)
		close(filler[i]);
	set_nonblock(l, true);
	while (accept(l, NULL, NULL) >= 0)
		;
	CHECK(connect_to(c, port_of(l)) == 0 || errno == EISCONN);
	CHECK(ready(c, POLLOUT, 5000) == POLLOUT);
	close(c);
	close(l);
}

static void connect_has_a_time(void)
{
	int filler[8];
	int l = full_listener(filler);
	int c = socket(AF_INET, SOCK_STREAM, 0);
	long start = now_ms();

	CHECK(setsockopt(c, SOL_SOCKET, SO_SNDTIMEO, &short_time, sizeof(short_time)) ==
	      0);
	FAILS(EINPROGRESS, connect_to(c, port_of(l)));
	CHECK(now_ms() - start >= 75 && now_ms() - start < 20000);
	for (int i = 0; i < 8; i++)
		close(filler[i]);
	close(c);
	close(l);
}

static void send_is_interrupted(void)
{
	static char data[1 << 20];
	struct interrupter in;
	ssize_t n;
	int fd[2];

	tcp_pair(fd);
	interrupt_start(&in, 0, -1);
	while ((n = send(fd[0], data, sizeof(data), 0)) > 0)
		; /* what went before the signal is counted */
	CHECK(n == -1 && errno == EINTR);
	interrupt_stop(&in);
	close_pair(fd);
}

/* Not one byte is lost or sent twice, whatever interrupts. */
static void streams_survive_a_storm(void)
{
	enum { SIZE = 16 << 20 };
	struct interrupter in;
	char *data = malloc(SIZE);
	size_t done = 0;
	int fd[2];
	pid_t pid;

	CHECK(data);
	for (size_t i = 0; i < SIZE; i++)
		data[i] = (char)(i >> 3 ^ i >> 11);
	tcp_pair(fd);
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		char *got = malloc(SIZE);

		close(fd[0]);
		interrupt_start(&in, SA_RESTART, -1);
		while (done < SIZE) {
			ssize_t n = recv(fd[1], got + done,
					 SIZE - done < 100000 ? SIZE - done : 100000,
					 MSG_WAITALL);

			CHECK(n > 0);
			done += (size_t)n;
			if (done % 7 == 0)
				sleep_ms(1);
		}
		interrupt_stop(&in);
		CHECK(!memcmp(data, got, SIZE));
		CHECK(recv(fd[1], got, 1, 0) == 0);
		_exit(0);
	}
	close(fd[1]);
	interrupt_start(&in, SA_RESTART, -1);
	while (done < SIZE) {
		ssize_t n = send(fd[0], data + done, SIZE - done, 0);

		CHECK(n > 0);
		done += (size_t)n;
	}
	interrupt_stop(&in);
	close(fd[0]);
	CHECK(child_wait(pid) == 0);
	free(data);
}

static void kill_and_stop_reach_the_receiver(void)
{
	int fd[2];

	tcp_pair(fd);
	stop_and_kill_a_receiver(fd);
	close_pair(fd);
}

static void a_lingering_close_is_killed(void)
{
	struct linger wait = {1, 30};
	long start = now_ms();
	int fd[2], go[2];
	pid_t pid;
	char c;

	tcp_pair(fd);
	CHECK(pipe(go) == 0);
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		close(fd[1]);
		CHECK(read(go[0], &c, 1) == 1); /* the parent's is closed */
		setsockopt(fd[0], SOL_SOCKET, SO_LINGER, &wait, sizeof(wait));
		fill_up(fd[0]);
		close(fd[0]);
		_exit(0);
	}
	close(fd[0]);
	CHECK(write(go[1], "", 1) == 1);
	sleep_ms(100);
	CHECK(kill(pid, SIGKILL) == 0);
	CHECK(WIFSIGNALED(child_wait(pid)));
	CHECK(now_ms() - start < 20000);
	close(fd[1]);
	close_pair(go);
}

static volatile sig_atomic_t signals[65];
static siginfo_t last_info;

static void on_signal(int sig, siginfo_t *info, void *uc)
{
	(void)uc;
	last_info = *info;
	signals[sig]++;
}

static bool comes(int sig)
{
	for (int i = 0; i < 1000 && !signals[sig]; i++)
		sleep_ms(2);
	return signals[sig];
}

static void own(int fd, int sig, int flags)
{
	struct sigaction sa = {.sa_sigaction = on_signal,
			       .sa_flags = SA_SIGINFO | SA_RESTART};

	CHECK(sigaction(sig ? sig : SIGIO, &sa, NULL) == 0);
	CHECK(sigaction(SIGURG, &sa, NULL) == 0);
	memset((void *)signals, 0, sizeof(signals));
	CHECK(fcntl(fd, F_SETSIG, sig) == 0);
	CHECK(fcntl(fd, F_SETFL, flags) == 0);
	CHECK(fcntl(fd, F_SETOWN, getpid()) == 0);
}

static void data_raise_sigio(void)
{
	int fd[2];
	char c;

	tcp_pair(fd);
	own(fd[1], SIGRTMIN, O_ASYNC);
	for (int i = 0; i < 5; i++) {
		signals[SIGRTMIN] = 0;
		CHECK(write(fd[0], "x", 1) == 1);
		CHECK(comes(SIGRTMIN));
		CHECK(last_info.si_code == POLL_IN && last_info.si_fd == fd[1]);
		CHECK(read(fd[1], &c, 1) == 1);
	}
	CHECK(fcntl(fd[1], F_SETFL, 0) == 0);
	signals[SIGRTMIN] = 0;
	CHECK(write(fd[0], "x", 1) == 1);
	sleep_ms(50);
	CHECK(!signals[SIGRTMIN]);
	close_pair(fd);
}

static void connections_and_datagrams_raise_sigio(void)
{
	int l = listener();
	int c = socket(AF_INET, SOCK_STREAM, 0);
	int fd[2];

	own(l, 0, O_ASYNC);
	CHECK(connect_to(c, port_of(l)) == 0);
	CHECK(comes(SIGIO));
	udp_pair(fd);
	own(fd[0], 0, O_ASYNC);
	CHECK(send(fd[1], "x", 1, 0) == 1);
	CHECK(comes(SIGIO));
	close_pair(fd);
	CHECK(close(c) == 0 && close(l) == 0);
}

static void the_end_raises_sigio(void)
{
	int fd[2];
	char c;

	tcp_pair(fd);
	own(fd[1], 0, O_ASYNC);
	CHECK(close(fd[0]) == 0);
	CHECK(comes(SIGIO) && read(fd[1], &c, 1) == 0);
	CHECK(close(fd[1]) == 0);
}

/* Who sets it is told whether there is enough. */
static void a_low_water_raises_sigio(void)
{
	int fd[2];

	tcp_pair(fd);
	CHECK(send(fd[0], "abc", 3, 0) == 3);
	CHECK(ready(fd[1], POLLIN, 20000) == POLLIN);
	own(fd[1], SIGRTMIN, O_ASYNC);
	CHECK(set_option(fd[1], SOL_SOCKET, SO_RCVLOWAT, 4) == 0);
	CHECK(!signals[SIGRTMIN]);
	CHECK(set_option(fd[1], SOL_SOCKET, SO_RCVLOWAT, 3) == 0);
	CHECK(comes(SIGRTMIN) && last_info.si_code == POLL_IN);
	close_pair(fd);
}

/* Also of one that has never been connected. */
static void to_disconnect_raises_sigio(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	own(fd, 0, O_ASYNC);
	CHECK(connect(fd, &(struct sockaddr){.sa_family = AF_UNSPEC}, 16) == 0);
	CHECK(comes(SIGIO));
	CHECK(close(fd) == 0);
}

static void urgent_data_raise_sigurg(void)
{
	int fd[2];

	tcp_pair(fd);
	own(fd[1], 0, 0);
	CHECK(send(fd[0], "u", 1, MSG_OOB) == 1);
	CHECK(comes(SIGURG) && !signals[SIGIO]);
	CHECK(last_info.si_code == SI_KERNEL);
	close_pair(fd);
}

RUN(TEST(data_raise_sigio), TEST(connections_and_datagrams_raise_sigio),
    TEST(the_end_raises_sigio), TEST(a_low_water_raises_sigio),
    TEST(to_disconnect_raises_sigio), TEST(urgent_data_raise_sigurg),
    TEST(receive_is_interrupted), TEST(receive_is_restarted),
    TEST(a_timeout_makes_it_eintr_always), TEST(times_are_kept),
    TEST(accept_is_interrupted), TEST(accept_is_restarted),
    TEST(connect_is_interrupted_and_goes_on), TEST(connect_has_a_time),
    TEST(send_is_interrupted), TEST(streams_survive_a_storm),
    TEST(kill_and_stop_reach_the_receiver), TEST(a_lingering_close_is_killed))
