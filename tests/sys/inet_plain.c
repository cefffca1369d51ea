/* SPDX-License-Identifier: MIT */
/* net */
/* inet_plain.c - the plain ways to send and receive, read(2), write(2), send(2) and
 * recv(2), on connections that the host's TCP serves and on others: what does not wait,
 * what does, and sockets that go from one kind of connection to the other. */
/* calls: read write recvfrom sendto */
#include "inet.h"

#include <pthread.h>
#include <signal.h>

static void (*const pairs[])(int fd[2]) = {hosted_pair, tcp_pair};
#define FOR_EACH_PAIR(make)                                                              \
	for (size_t i_ = 0; i_ < sizeof(pairs) / sizeof(pairs[0]); i_++)                 \
		for (void (*make)(int fd[2]) = pairs[i_]; make; make = NULL)

static volatile sig_atomic_t pipes_broken;

static void count_pipe(int sig)
{
	(void)sig;
	pipes_broken++;
}

static void what_does_not_wait(void)
{
	char buf[16];
	int fd[2];

	FOR_EACH_PAIR(make)
	{
		make(fd);
		set_nonblock(fd[0], true);
		FAILS(EAGAIN, read(fd[0], buf, sizeof(buf)));
		FAILS(EAGAIN, recv(fd[0], buf, sizeof(buf), 0));
		CHECK(read(fd[0], buf, 0) == 0);
		CHECK(write(fd[0], "abc", 3) == 3 && read(fd[1], buf, sizeof(buf)) == 3);
		CHECK(send(fd[1], "xyz", 3, 0) == 3);
		CHECK(ready(fd[0], POLLIN, 10000) == POLLIN);
		CHECK(read(fd[0], buf, 2) == 2 && memcmp(buf, "xy", 2) == 0);
		CHECK(recv(fd[0], buf, sizeof(buf), 0) == 1 && buf[0] == 'z');
		FAILS(EAGAIN, recv(fd[1], buf, sizeof(buf), MSG_DONTWAIT));
		/* and back: this one waits */
		set_nonblock(fd[0], false);
		CHECK(write(fd[1], "q", 1) == 1 && read(fd[0], buf, sizeof(buf)) == 1);
		CHECK(shutdown(fd[1], SHUT_WR) == 0);
		CHECK(read(fd[0], buf, sizeof(buf)) == 0);
		set_nonblock(fd[0], true);
		CHECK(read(fd[0], buf, sizeof(buf)) == 0 && recv(fd[0], buf, 1, 0) == 0);
		close_pair(fd);
	}
}

static void bad_memory(void)
{
	char *none = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd[2];
	char c;

	CHECK(none != MAP_FAILED);
	for (int nonblock = 0; nonblock < 2; nonblock++) {
		hosted_pair(fd);
		set_nonblock(fd[0], nonblock);
		CHECK(write(fd[1], "x", 1) == 1 && ready(fd[0], POLLIN, 10000) == POLLIN);
		FAILS(EFAULT, read(fd[0], none, 1));
		FAILS(EFAULT, recv(fd[0], none, 1, 0));
		FAILS(EFAULT, write(fd[0], none, 1));
		FAILS(EFAULT, send(fd[0], none, 1, MSG_NOSIGNAL));
		FAILS(EFAULT, read(fd[0], (void *)-4096L, 1));
		CHECK(read(fd[0], &c, 1) == 1 && c == 'x');
		close_pair(fd);
	}
	CHECK(munmap(none, 4096) == 0);
}

static void nobody_hears(void)
{
	struct sigaction sa = {.sa_handler = count_pipe};
	int fd[2];

	CHECK(sigaction(SIGPIPE, &sa, NULL) == 0);
	for (int nonblock = 0; nonblock < 2; nonblock++) {
		FOR_EACH_PAIR(make)
		{
			make(fd);
			set_nonblock(fd[0], nonblock);
			CHECK(shutdown(fd[0], SHUT_WR) == 0);
			pipes_broken = 0;
			FAILS(EPIPE, write(fd[0], "x", 1));
			CHECK(pipes_broken == 1);
			FAILS(EPIPE, send(fd[0], "x", 1, 0));
			CHECK(pipes_broken == 2);
			FAILS(EPIPE, send(fd[0], "x", 1, MSG_NOSIGNAL));
			CHECK(pipes_broken == 2);
			close_pair(fd);
		}
	}
}

enum { LARGE = 24 << 20 };

static void *drain(void *arg)
{
	static char part[65536];
	int fd = *(const int *)arg;
	size_t total = 0;
	ssize_t n;

	while ((n = read(fd, part, sizeof(part))) > 0)
		for (ssize_t i = 0; i < n; i++, total++)
			CHECK(part[i] == (char)(total % 251));
	CHECK(n == 0);
	return (void *)total;
}

/* One that waits sends all, in however many pieces; one that does not, what there is room
 * for. */
static void much_at_once(void)
{
	char *data = malloc(LARGE);
	pthread_t thread;
	void *got;
	int fd[2];

	CHECK(data);
	for (size_t i = 0; i < LARGE; i++)
		data[i] = (char)(i % 251);
	FOR_EACH_PAIR(make)
	{
		ssize_t first;

		make(fd);
		set_nonblock(fd[0], true);
		first = write(fd[0], data, LARGE);
		CHECK(first > 0 && first < LARGE);
		set_nonblock(fd[0], false);
		CHECK(pthread_create(&thread, NULL, drain, &fd[1]) == 0);
		CHECK(write(fd[0], data + first, (size_t)(LARGE - first)) ==
		      LARGE - first);
		CHECK(shutdown(fd[0], SHUT_WR) == 0);
		CHECK(pthread_join(thread, &got) == 0 && (size_t)got == LARGE);
		close_pair(fd);
	}
	free(data);
}

static void disconnect(int fd)
{
	struct sockaddr none = {.sa_family = AF_UNSPEC};

	CHECK(connect(fd, &none, sizeof(none)) == 0);
}

static void talk(const int fd[2], const char *word)
{
	char buf[16];
	size_t len = strlen(word);

	for (int k = 0; k < 2; k++) {
		CHECK(write(fd[k], word, len) == (ssize_t)len);
		CHECK(ready(fd[!k], POLLIN, 10000) == POLLIN);
		CHECK(read(fd[!k], buf, sizeof(buf)) == (ssize_t)len);
		CHECK(memcmp(buf, word, len) == 0);
		CHECK(send(fd[k], word, len, 0) == (ssize_t)len);
		CHECK(ready(fd[!k], POLLIN, 10000) == POLLIN);
		CHECK(recv(fd[!k], buf, sizeof(buf), 0) == (ssize_t)len);
		CHECK(memcmp(buf, word, len) == 0);
		FAILS(EAGAIN, recv(fd[!k], buf, sizeof(buf), MSG_DONTWAIT));
	}
}

/* A socket that does not wait, once connected by the host's TCP and once not. */
static void from_one_to_the_other(void)
{
	int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int fd[2];

	CHECK(s >= 0);
	for (int k = 0; k < 4; k++) {
		if (k % 2) {
			hosted_pair_of(s, fd);
		} else {
			int l = listener();

			fd[0] = s;
			CHECK(connect_to(s, port_of(l)) == 0);
			fd[1] = accept4(l, NULL, NULL, SOCK_CLOEXEC);
			CHECK(fd[1] >= 0 && close(l) == 0);
		}
		set_nonblock(fd[0], true);
		set_nonblock(fd[1], true);
		talk(fd, k % 2 ? "by the host" : "in memory");
		set_nonblock(fd[0], false);
		CHECK(close(fd[1]) == 0);
		disconnect(s);
	}
	CHECK(close(s) == 0);
}

/* Of datagrams one call moves one, also an empty one. */
static void datagrams(void)
{
	char buf[16];
	int fd[2];

	udp_pair(fd);
	set_nonblock(fd[0], true);
	FAILS(EAGAIN, read(fd[0], buf, sizeof(buf)));
	CHECK(write(fd[1], "first", 5) == 5 && send(fd[1], "", 0, 0) == 0);
	CHECK(send(fd[1], "third", 5, MSG_NOSIGNAL) == 5);
	CHECK(ready(fd[0], POLLIN, 10000) == POLLIN);
	CHECK(read(fd[0], buf, 3) == 3 && memcmp(buf, "fir", 3) == 0);
	CHECK(recv(fd[0], buf, sizeof(buf), 0) == 0);
	CHECK(recv(fd[0], buf, sizeof(buf), MSG_TRUNC) == 5);
	FAILS(EAGAIN, recv(fd[0], buf, sizeof(buf), 0));
	close_pair(fd);
}

static void counted(const char *name, long *out)
{
	FILE *f = fopen("/proc/self/io", "r");
	char line[64];

	CHECK(f);
	while (fgets(line, sizeof(line), f))
		if (strncmp(line, name, strlen(name)) == 0)
			*out = atol(line + strlen(name));
	CHECK(fclose(f) == 0);
}

static void they_are_counted(void)
{
	long before = -1, after = -1;
	char buf[64] = "";
	int fd[2];

	hosted_pair(fd);
	set_nonblock(fd[0], true);
	counted("wchar: ", &before);
	for (int i = 0; i < 100; i++)
		CHECK(write(fd[0], buf, 50) == 50);
	counted("wchar: ", &after);
	CHECK(after - before == 5000);
	close_pair(fd);
}

RUN(TEST(what_does_not_wait), TEST(bad_memory), TEST(nobody_hears), TEST(much_at_once),
    TEST(from_one_to_the_other), TEST(datagrams), TEST(they_are_counted))
