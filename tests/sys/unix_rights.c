/* SPDX-License-Identifier: MIT */
/* Descriptors and credentials in messages: SCM_RIGHTS, SCM_CREDENTIALS; rings of sockets
 * in each other's queues. */
/* calls: sendmsg recvmsg */
#include "unix_socket.h"

#include <sys/resource.h>

static int s[2];

static void pair(int type)
{
	CHECK(socketpair(AF_UNIX, type, 0, s) == 0);
}

static void shut(void)
{
	CHECK(close(s[0]) == 0 && close(s[1]) == 0);
}

static ssize_t send_fds(int to, const char *text, const int *fds, size_t count)
{
	char room[CMSG_SPACE(253 * sizeof(int))] __attribute__((aligned(8))) = {0};
	struct iovec v = {(char *)text, strlen(text)};
	struct msghdr h = {.msg_iov = &v,
			   .msg_iovlen = 1,
			   .msg_control = room,
			   .msg_controllen = CMSG_SPACE(count * sizeof(int))};
	struct cmsghdr *c = CMSG_FIRSTHDR(&h);

	*c = (struct cmsghdr){CMSG_LEN(count * sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
	memcpy(CMSG_DATA(c), fds, count * sizeof(int));
	return sendmsg(to, &h, 0);
}

/* Receives up to size bytes and room descriptors; *count is how many came. */
static ssize_t get_fds(int from, char *b, size_t size, int *fds, size_t room,
		       size_t *count, int flags)
{
	char space[CMSG_SPACE(253 * sizeof(int))] __attribute__((aligned(8)));
	struct iovec v = {b, size};
	struct msghdr h = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = space};
	struct cmsghdr *c;
	ssize_t n;

	h.msg_controllen = room ? CMSG_LEN(room * sizeof(int)) : 0;
	n = recvmsg(from, &h, flags);
	*count = 0;
	if (n < 0)
		return n;
	c = CMSG_FIRSTHDR(&h);
	if (c) {
		CHECK(c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS);
		*count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(fds, CMSG_DATA(c), *count * sizeof(int));
	}
	CHECK(!(h.msg_flags & MSG_CTRUNC) || room < 3);
	return n;
}

static int next_fd(void)
{
	int fd = dup(0);

	CHECK(fd >= 0 && close(fd) == 0);
	return fd;
}

static void any_file_can_be_passed(void)
{
	int p[2], e, fds[3], got[3];
	size_t n;
	char b[8];

	pair(SOCK_STREAM);
	CHECK(pipe(p) == 0);
	file_put("file", "content");
	e = open("file", O_RDONLY | O_PATH);
	fds[0] = p[0];
	fds[1] = open("file", O_RDONLY);
	fds[2] = e;
	CHECK(lseek(fds[1], 3, SEEK_SET) == 3);
	CHECK(send_fds(s[0], "m", fds, 3) == 1);
	CHECK(close(fds[0]) == 0 && close(fds[1]) == 0 && close(fds[2]) == 0);
	CHECK(write(p[1], "pipe", 4) == 4);
	CHECK(get_fds(s[1], b, 8, got, 10, &n, MSG_CMSG_CLOEXEC) == 1 && n == 3);
	CHECK(fcntl(got[0], F_GETFD) == FD_CLOEXEC && read(got[0], b, 8) == 4);
	CHECK(read(got[1], b, 8) == 4 && memcmp(b, "tent", 4) == 0);
	CHECK(fcntl(got[2], F_GETFL) & O_PATH);
	CHECK(close(got[0]) == 0 && close(got[1]) == 0 && close(got[2]) == 0);
	CHECK(close(p[1]) == 0 && unlink("file") == 0);
	shut();
}

static void one_message_at_a_time(void)
{
	int fds[2] = {0, 1}, got[4];
	size_t n;
	char b[16];

	pair(SOCK_STREAM);
	CHECK(write(s[0], "ab", 2) == 2 && send_fds(s[0], "cde", fds, 1) == 3);
	CHECK(send_fds(s[0], "fg", fds, 2) == 2 && write(s[0], "hi", 2) == 2);
	/* What lies before may come with it, what lies behind not. */
	CHECK(get_fds(s[1], b, 16, got, 10, &n, 0) == 5 && n == 1);
	CHECK(memcmp(b, "abcde", 5) == 0 && close(got[0]) == 0);
	CHECK(get_fds(s[1], b, 1, got, 10, &n, 0) == 1 && n == 2 && b[0] == 'f');
	CHECK(close(got[0]) == 0 && close(got[1]) == 0);
	CHECK(get_fds(s[1], b, 16, got, 10, &n, 0) == 3 && n == 0);
	CHECK(memcmp(b, "ghi", 3) == 0);
	shut();
}

static void peeking_gives_copies(void)
{
	int fd = open("/dev/null", O_RDONLY), got[4];
	size_t n;
	char b[8];

	for (int type = SOCK_STREAM; type <= SOCK_DGRAM; type++) {
		pair(type);
		CHECK(send_fds(s[0], "abc", &fd, 1) == 3);
		for (int i = 0; i < 3; i++) {
			CHECK(get_fds(s[1], b, 2, got, 4, &n, MSG_PEEK) == 2 && n == 1);
			CHECK(close(got[0]) == 0);
		}
		CHECK(get_fds(s[1], b, 8, got, 4, &n, 0) == 3 && n == 1);
		CHECK(close(got[0]) == 0);
		shut();
	}
	CHECK(close(fd) == 0);
}

static void what_has_no_room_is_closed(void)
{
	int p[2], fds[2], got[4], before;
	size_t n;
	char b[8];

	pair(SOCK_STREAM);
	CHECK(pipe(p) == 0);
	before = next_fd();
	fds[0] = 0;
	fds[1] = p[1];
	CHECK(send_fds(s[0], "x", fds, 2) == 1 && close(p[1]) == 0);
	CHECK(get_fds(s[1], b, 8, got, 1, &n, 0) == 1 && n == 1 && close(got[0]) == 0);
	CHECK(read(p[0], b, 1) == 0); /* the other end is closed */
	CHECK(send_fds(s[0], "x", fds, 1) == 1 && read(s[1], b, 8) == 1);
	CHECK(send_fds(s[0], "x", fds, 1) == 1);
	CHECK(get_fds(s[1], b, 8, got, 0, &n, 0) == 1 && n == 0);
	before = before < p[1] ? before : p[1];
	CHECK(next_fd() == before && close(p[0]) == 0);
	shut();
}

static void the_limit_of_descriptors_cuts_too(void)
{
	struct rlimit old, few;
	int fds[3] = {0, 0, 0}, got[4];
	size_t n;
	char b[8];

	pair(SOCK_STREAM);
	CHECK(send_fds(s[0], "x", fds, 3) == 1);
	CHECK(getrlimit(RLIMIT_NOFILE, &old) == 0);
	few = (struct rlimit){(rlim_t)next_fd() + 1, old.rlim_max};
	CHECK(setrlimit(RLIMIT_NOFILE, &few) == 0);
	CHECK(get_fds(s[1], b, 8, got, 2, &n, 0) == 1 && n == 1);
	CHECK(setrlimit(RLIMIT_NOFILE, &old) == 0 && close(got[0]) == 0);
	shut();
}

static void unread_ones_are_closed(void)
{
	int p[2], fd;
	char b;

	for (int type = SOCK_STREAM; type <= SOCK_SEQPACKET; type += type == 1 ? 1 : 3) {
		pair(type);
		CHECK(pipe(p) == 0);
		fd = p[1];
		CHECK(send_fds(s[0], "x", &fd, 1) == 1 && close(p[1]) == 0);
		shut();
		CHECK(read(p[0], &b, 1) == 0 && close(p[0]) == 0);
	}
}

/* An empty message on a stream carries nothing. */
static void nothing_to_carry_them(void)
{
	int p[2], fd;
	char b;

	pair(SOCK_STREAM);
	CHECK(pipe(p) == 0);
	fd = p[1];
	CHECK(send_fds(s[0], "", &fd, 1) == 0 && close(p[1]) == 0);
	CHECK(read(p[0], &b, 1) == 0 && close(p[0]) == 0);
	shut();
}

/* A pipe's end that lies where nobody can reach it any more. */
static int hidden[2];

static void hide(int in)
{
	CHECK(pipe(hidden) == 0);
	CHECK(send_fds(in, "x", &hidden[1], 1) == 1 && close(hidden[1]) == 0);
}

static void is_found(void)
{
	struct pollfd p = {.fd = hidden[0], .events = POLLIN};
	char b;

	/* Linux collects in its own time, at the latest when the next socket closes. */
	CHECK(close(socket(AF_UNIX, SOCK_STREAM, 0)) == 0);
	CHECK(poll(&p, 1, 20000) == 1 && read(hidden[0], &b, 1) == 0);
	CHECK(close(hidden[0]) == 0);
}

static void a_socket_in_its_own_queue(void)
{
	pair(SOCK_STREAM);
	hide(s[0]);
	CHECK(send_fds(s[0], "x", &s[1], 1) == 1);
	CHECK(send_fds(s[1], "x", &s[0], 1) == 1);
	shut();
	is_found();
}

static void a_ring_of_many(void)
{
	enum { N = 20 };
	int ring[N][2];

	for (int i = 0; i < N; i++)
		CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, ring[i]) == 0);
	hide(ring[7][0]);
	/* Each receiver's queue holds the next receiver. */
	for (int i = 0; i < N; i++)
		CHECK(send_fds(ring[i][0], "x", &ring[(i + 1) % N][1], 1) == 1);
	for (int i = 0; i < N; i++)
		CHECK(close(ring[i][0]) == 0 && close(ring[i][1]) == 0);
	is_found();
}

static void a_long_chain_is_closed_at_once(void)
{
	enum { N = 3000 };
	int prev, p[2];

	CHECK(pipe(hidden) == 0);
	prev = hidden[1];
	for (int i = 0; i < N; i++) {
		CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, p) == 0);
		CHECK(send_fds(p[0], "x", &prev, 1) == 1);
		CHECK(close(prev) == 0 && close(p[0]) == 0);
		prev = p[1];
	}
	CHECK(close(prev) == 0);
	is_found();
}

static void a_listener_in_its_own_embryo(void)
{
	int l = listener("@unix-rights-test", SOCK_STREAM, 5);
	int c = client("@unix-rights-test", SOCK_STREAM);

	hide(c);
	CHECK(send_fds(c, "x", &l, 1) == 1 && close(l) == 0 && close(c) == 0);
	is_found();
}

static void what_can_be_reached_stays(void)
{
	int a[2], b[2], got[4];
	size_t n;
	char m[8];

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, a) == 0);
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, b) == 0);
	/* b[1] lies in a[1]'s queue, and a[1] in b[1]'s; a[0] still leads to a[1]'s peer
	 * only, so that a copy of a[1] keeps both. */
	CHECK(send_fds(a[0], "x", &b[1], 1) == 1 && send_fds(b[0], "y", &a[1], 1) == 1);
	CHECK(close(b[1]) == 0 && close(b[0]) == 0);
	CHECK(close(socket(AF_UNIX, SOCK_STREAM, 0)) == 0);
	sleep_ms(20);
	CHECK(get_fds(a[1], m, 8, got, 4, &n, 0) == 1 && n == 1 && m[0] == 'x');
	CHECK(close(a[1]) == 0);
	CHECK(get_fds(got[0], m, 8, a + 1, 4, &n, 0) == 1 && n == 1 && m[0] == 'y');
	CHECK(write(a[0], "z", 1) == 1 && read(a[1], m, 8) == 1 && m[0] == 'z');
	CHECK(close(got[0]) == 0 && close(a[0]) == 0 && close(a[1]) == 0);
}

/* ---- credentials ---- */

static struct ucred creds_of_next(char *b, size_t size, ssize_t *n)
{
	char space[CMSG_SPACE(sizeof(struct ucred))] __attribute__((aligned(8)));
	struct iovec v = {b, size};
	struct msghdr h = {.msg_iov = &v,
			   .msg_iovlen = 1,
			   .msg_control = space,
			   .msg_controllen = sizeof(space)};
	struct cmsghdr *c;

	*n = recvmsg(s[1], &h, 0);
	c = CMSG_FIRSTHDR(&h);
	CHECK(c && c->cmsg_type == SCM_CREDENTIALS);
	return *(struct ucred *)CMSG_DATA(c);
}

static void child_writes(void)
{
	CHECK(write(s[0], "child", 5) == 5);
}

static void messages_of_two_do_not_mix(void)
{
	struct ucred u;
	char b[32];
	ssize_t n;
	pid_t pid;

	pair(SOCK_STREAM);
	CHECK(set_option(s[1], SO_PASSCRED, 1) == 0);
	CHECK(write(s[0], "pa", 2) == 2 && write(s[0], "rent", 4) == 4);
	pid = child_start(child_writes);
	CHECK(child_wait(pid) == 0 && write(s[0], "again", 5) == 5);
	u = creds_of_next(b, 32, &n);
	CHECK(n == 6 && u.pid == getpid() && u.uid == getuid());
	u = creds_of_next(b, 3, &n);
	CHECK(n == 3 && u.pid == pid);
	u = creds_of_next(b, 32, &n);
	CHECK(n == 2 && u.pid == pid);
	u = creds_of_next(b, 32, &n);
	CHECK(n == 5 && u.pid == getpid() && u.gid == getgid());
	shut();
}

static void who_did_not_say(void)
{
	struct ucred u;
	char b[32];
	ssize_t n;

	for (int type = SOCK_STREAM; type <= SOCK_DGRAM; type++) {
		pair(type);
		CHECK(write(s[0], "early", 5) == 5);
		CHECK(set_option(s[1], SO_PASSCRED, 1) == 0);
		u = creds_of_next(b, 32, &n);
		CHECK(n == 5 && u.pid == 0 && u.uid == 65534 && u.gid == 65534);
		shut();
		/* The sender's own option will do. */
		pair(type);
		CHECK(set_option(s[0], SO_PASSCRED, 1) == 0 && write(s[0], "x", 1) == 1);
		CHECK(set_option(s[1], SO_PASSCRED, 1) == 0);
		u = creds_of_next(b, 32, &n);
		CHECK(u.pid == getpid());
		shut();
	}
}

static void a_sender_that_passes_creds_gets_a_name(void)
{
	int a = socket(AF_UNIX, SOCK_DGRAM, 0), r = socket(AF_UNIX, SOCK_DGRAM, 0);
	struct sockaddr_un n;
	socklen_t len = sizeof(n);

	CHECK(bind_to(r, "r") == 0 && set_option(a, SO_PASSCRED, 1) == 0);
	CHECK(send_to(a, "x", "r") == 1 && getsockname(a, (void *)&n, &len) == 0);
	CHECK(len == 8 && close(a) == 0 && close(r) == 0 && unlink("r") == 0);
}

RUN(TEST(any_file_can_be_passed), TEST(one_message_at_a_time), TEST(peeking_gives_copies),
    TEST(what_has_no_room_is_closed), TEST(the_limit_of_descriptors_cuts_too),
    TEST(unread_ones_are_closed), TEST(nothing_to_carry_them),
    TEST(a_socket_in_its_own_queue), TEST(a_ring_of_many),
    TEST(a_long_chain_is_closed_at_once), TEST(a_listener_in_its_own_embryo),
    TEST(what_can_be_reached_stays), TEST(messages_of_two_do_not_mix),
    TEST(who_did_not_say), TEST(a_sender_that_passes_creds_gets_a_name))
