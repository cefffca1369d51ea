/* SPDX-License-Identifier: MIT */
/* files */
/* Splicing between pipes, files and sockets: what waits, what is refused, and that
 * nothing is lost when the destination takes less. */
/* calls: splice tee vmsplice sendfile */
#include "fixture.h"

#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>

enum { FULL = 65536 };

static int p[2], q[2], sk[2];
static char big[4 * FULL] __attribute__((aligned(4096))), back[4 * FULL];

static void pipes_open(void)
{
	CHECK(pipe(p) == 0 && pipe(q) == 0);
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, sk) == 0);
	for (size_t i = 0; i < sizeof(big); i++)
		big[i] = (char)(i * 7 / 3);
}

static void pipes_close(void)
{
	for (int i = 0; i < 2; i++)
		CHECK(close(p[i]) == 0 && close(q[i]) == 0 && close(sk[i]) == 0);
}

static void a_destination_that_fails_loses_nothing(void)
{
	struct rlimit old, few = {10, RLIM_INFINITY};
	loff_t off = 4;
	int out = open("few", O_RDWR | O_CREAT | O_TRUNC, 0600);

	pipes_open();
	CHECK(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
	CHECK(write(p[1], "0123456789", 10) == 10);
	CHECK(getrlimit(RLIMIT_FSIZE, &old) == 0);
	few.rlim_max = old.rlim_max;
	CHECK(setrlimit(RLIMIT_FSIZE, &few) == 0);
	CHECK(splice(p[0], NULL, out, &off, 10, 0) == 6 && off == 10);
	FAILS(EFBIG, splice(p[0], NULL, out, &off, 10, 0));
	CHECK(setrlimit(RLIMIT_FSIZE, &old) == 0);
	CHECK(read(p[0], back, 20) == 4 && memcmp(back, "6789", 4) == 0);
	CHECK(close(out) == 0);
	pipes_close();
}

/* The socket takes what it has room for; the rest stays in the pipe, in order. */
static void a_full_socket_leaves_the_rest(void)
{
	size_t sent = 0, got = 0;
	ssize_t n;

	pipes_open();
	CHECK(fcntl(sk[0], F_SETFL, O_NONBLOCK) == 0 &&
	      fcntl(p[1], F_SETFL, O_NONBLOCK) == 0);
	for (int full = 0; !full && got < 64 * sizeof(big);) {
		size_t at = sent % sizeof(big);

		n = write(p[1], big + at, sizeof(big) - at);
		if (n > 0)
			sent += (size_t)n;
		n = splice(p[0], NULL, sk[0], NULL, 50000, SPLICE_F_NONBLOCK);
		full = n < 0;
		CHECK(n > 0 || errno == EAGAIN);
		got += n > 0 ? (size_t)n : 0;
	}
	CHECK(close(p[1]) == 0 && fcntl(sk[0], F_SETFL, 0) == 0);
	for (size_t seen = 0; seen < sent;) {
		size_t at = seen % sizeof(big);

		if (seen == got) {
			n = splice(p[0], NULL, sk[0], NULL, 1000, 0);
			CHECK(n > 0);
			got += (size_t)n;
		}
		n = read(sk[1], back,
			 sizeof(big) - at < got - seen ? sizeof(big) - at : got - seen);
		CHECK(n > 0 && memcmp(back, big + at, (size_t)n) == 0);
		seen += (size_t)n;
	}
	CHECK(splice(p[0], NULL, sk[0], NULL, 10, 0) == 0);
	CHECK(close(p[0]) == 0 && close(q[0]) == 0 && close(q[1]) == 0);
	CHECK(close(sk[0]) == 0 && close(sk[1]) == 0);
}

/* What a socket has given cannot go back to it. */
static void a_socket_gives_no_more_than_the_pipe_takes(void)
{
	size_t seen = 0;
	ssize_t n;

	pipes_open();
	CHECK(fcntl(p[1], F_SETFL, O_NONBLOCK) == 0);
	CHECK(write(sk[0], big, 100000) == 100000 && shutdown(sk[0], SHUT_WR) == 0);
	while (seen < 100000) {
		n = splice(sk[1], NULL, p[1], NULL, 100000, SPLICE_F_NONBLOCK);
		CHECK(n > 0 || errno == EAGAIN);
		n = read(p[0], back, 30011);
		CHECK(n > 0 && memcmp(back, big + seen, (size_t)n) == 0);
		seen += (size_t)n;
	}
	CHECK(splice(sk[1], NULL, p[1], NULL, 10, 0) == 0);
	pipes_close();
}

/* A limit of the socket's own ends the wait. */
static void a_send_timeout_ends_it(void)
{
	struct timeval t = {0, 20000};

	pipes_open();
	CHECK(setsockopt(sk[0], SOL_SOCKET, SO_SNDTIMEO, &t, sizeof(t)) == 0);
	while (send(sk[0], big, sizeof(big), MSG_DONTWAIT) > 0)
		;
	CHECK(write(p[1], "abc", 3) == 3);
	FAILS(EAGAIN, splice(p[0], NULL, sk[0], NULL, 3, 0));
	CHECK(read(p[0], back, 9) == 3 && memcmp(back, "abc", 3) == 0);
	pipes_close();
}

static void *splice_some(void *arg)
{
	(void)arg;
	CHECK(splice(p[0], NULL, q[1], NULL, 10, 0) == 3);
	return NULL;
}

static void an_empty_pipe_is_waited_for(void)
{
	pthread_t t;

	pipes_open();
	CHECK(pthread_create(&t, NULL, splice_some, NULL) == 0);
	sleep_ms(20);
	CHECK(write(p[1], "abc", 3) == 3 && pthread_join(t, NULL) == 0);
	CHECK(read(q[0], back, 10) == 3 && memcmp(back, "abc", 3) == 0);
	pipes_close();
}

static void o_nonblock_of_a_pipe_counts(void)
{
	pipes_open();
	CHECK(fcntl(p[0], F_SETFL, O_NONBLOCK) == 0);
	FAILS(EAGAIN, splice(p[0], NULL, q[1], NULL, 1, 0));
	FAILS(EAGAIN, tee(p[0], q[1], 1, 0));
	CHECK(close(p[1]) == 0);
	CHECK(splice(p[0], NULL, q[1], NULL, 1, 0) == 0 && tee(p[0], q[1], 1, 0) == 0);
	CHECK(pipe(p) == 0);
	pipes_close();
}

static void without_readers_it_is_epipe(void)
{
	int in = open("in", O_RDWR | O_CREAT | O_TRUNC, 0600);

	pipes_open();
	CHECK(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
	CHECK(write(in, "0123", 4) == 4 && lseek(in, 0, SEEK_SET) == 0);
	CHECK(write(p[1], "abc", 3) == 3 && close(q[0]) == 0);
	FAILS(EPIPE, splice(p[0], NULL, q[1], NULL, 3, 0));
	FAILS(EPIPE, tee(p[0], q[1], 3, 0));
	FAILS(EPIPE, splice(in, NULL, q[1], NULL, 3, 0));
	CHECK(lseek(in, 0, SEEK_CUR) == 0 && read(p[0], back, 10) == 3);
	CHECK(close(in) == 0 && dup2(p[0], q[0]) == q[0]);
	pipes_close();
}

/* It waits for the first byte of room, and then puts what fits. */
static void vmsplice_fills_and_returns(void)
{
	struct iovec all = {big, sizeof(big)}, none[2] = {{big, 0}, {big, 0}};
	struct iovec to = {back, sizeof(back)}, bad = {(void *)1, 5};

	pipes_open();
	CHECK(vmsplice(p[1], none, 2, 0) == 0 && vmsplice(p[1], NULL, 0, 0) == 0);
	CHECK(vmsplice(p[1], &all, 1, 0) == FULL);
	CHECK(fcntl(p[1], F_SETFL, O_NONBLOCK) == 0);
	FAILS(EAGAIN, vmsplice(p[1], &all, 1, SPLICE_F_NONBLOCK));
	CHECK(vmsplice(p[0], &to, 1, 0) == FULL && memcmp(back, big, FULL) == 0);
	FAILS(EAGAIN, vmsplice(p[0], &to, 1, SPLICE_F_NONBLOCK));
	FAILS(EFAULT, vmsplice(p[1], &bad, 1, SPLICE_F_NONBLOCK));
	FAILS(EFAULT, vmsplice(p[1], (void *)1, 1, 0));
	FAILS(EBADF, vmsplice(sk[0], &all, 1, 0));
	FAILS(EINVAL, vmsplice(p[1], &all, 1, 0x100));
	FAILS(EINVAL, vmsplice(p[1], &all, 1025, 0));
	pipes_close();
}

static void what_cannot_be_spliced_is_einval(void)
{
	loff_t far = INT64_MAX, before = -1, off = 0;
	int null = open("/dev/null", O_RDWR), zero = open("/dev/zero", O_RDONLY);
	int full = open("/dev/full", O_RDWR),
	    status = open("/proc/self/status", O_RDONLY);
	int dir = open(".", O_RDONLY), f = open("in", O_RDWR | O_CREAT, 0600);
	int append = open("in", O_RDWR | O_APPEND);

	pipes_open();
	CHECK(write(p[1], "abc", 3) == 3 && splice(zero, NULL, q[1], NULL, 9, 0) == 9);
	FAILS(EINVAL, splice(null, NULL, q[1], NULL, 1, 0));
	FAILS(EINVAL, splice(status, NULL, q[1], NULL, 1, 0));
	FAILS(EINVAL, splice(dir, NULL, q[1], NULL, 1, 0));
	FAILS(EINVAL, splice(p[0], NULL, full, NULL, 1, 0));
	FAILS(EINVAL, splice(p[0], NULL, append, NULL, 1, 0));
	FAILS(EINVAL, splice(f, &far, q[1], NULL, 1, 0));
	FAILS(EINVAL, splice(f, &before, q[1], NULL, 1, 0));
	FAILS(EINVAL, splice(p[0], NULL, f, &far, 1, 0));
	FAILS(ESPIPE, splice(p[0], &off, q[1], NULL, 1, 0));
	FAILS(ESPIPE, splice(p[0], NULL, q[1], &off, 1, 0));
	FAILS(EFAULT, splice(f, (void *)1, q[1], NULL, 1, 0));
	FAILS(EINVAL, sendfile(f, status, NULL, 1));
	FAILS(EINVAL, sendfile(f, p[0], NULL, 1));
	FAILS(EINVAL, sendfile(f, sk[0], NULL, 1));
	FAILS(EINVAL, sendfile(full, f, NULL, 1));
	FAILS(EINVAL, sendfile(f, zero, NULL, (size_t)-1));
	FAILS(EINVAL, sendfile(f, f, &far, 8));
	CHECK(splice(p[0], NULL, null, NULL, 9, 0) == 3);
	CHECK(close(null) == 0 && close(zero) == 0 && close(full) == 0);
	CHECK(close(status) == 0 && close(dir) == 0 && close(f) == 0);
	CHECK(close(append) == 0);
	pipes_close();
}

/* As Linux does even when there was nothing to copy. */
static void sendfile_writes_the_offset_back(void)
{
	int f = open("none", O_RDWR | O_CREAT | O_TRUNC, 0600);
	off_t *locked = page_with(PROT_READ);

	FAILS(EFAULT, sendfile(f, f, locked, 1));
	CHECK(munmap(locked, PAGE) == 0 && close(f) == 0);
}

static void a_pipe_takes_one_filling_of_sendfile(void)
{
	int f = open("in", O_RDWR | O_CREAT | O_TRUNC, 0600);

	pipes_open();
	CHECK(write(f, big, sizeof(big)) == sizeof(big) && lseek(f, 0, SEEK_SET) == 0);
	CHECK(sendfile(p[1], f, NULL, sizeof(big)) == FULL);
	CHECK(lseek(f, 0, SEEK_CUR) == FULL && read(p[0], back, FULL) == FULL);
	CHECK(memcmp(back, big, FULL) == 0 && close(f) == 0);
	pipes_close();
}

RUN(TEST(a_destination_that_fails_loses_nothing), TEST(a_full_socket_leaves_the_rest),
    TEST(a_socket_gives_no_more_than_the_pipe_takes), TEST(a_send_timeout_ends_it),
    TEST(an_empty_pipe_is_waited_for), TEST(o_nonblock_of_a_pipe_counts),
    TEST(without_readers_it_is_epipe), TEST(vmsplice_fills_and_returns),
    TEST(what_cannot_be_spliced_is_einval), TEST(sendfile_writes_the_offset_back),
    TEST(a_pipe_takes_one_filling_of_sendfile))
