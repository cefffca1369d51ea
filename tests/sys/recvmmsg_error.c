/* SPDX-License-Identifier: MIT */
/* net */
/* recvmmsg_error.c - an error after the first message: the call says how many there were,
 * and the next one is told of it. */
/* calls: recvmmsg sendmmsg sendfile */
#include "inet.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>

enum kind { DGRAM, STREAM, SEQPACKET, UDP, TCP, KINDS };

static int s[2]; /* the first sends to the second */
static char b[4][16];
static struct iovec v[4];
static struct mmsghdr m[4];

static bool is_stream(enum kind k)
{
	return k == STREAM || k == TCP;
}

static void headers(void)
{
	memset(m, 0, sizeof(m));
	for (int i = 0; i < 4; i++) {
		v[i] = (struct iovec){b[i], 16};
		m[i].msg_hdr = (struct msghdr){.msg_iov = &v[i], .msg_iovlen = 1};
	}
}

static void send_one(char c)
{
	CHECK(send(s[0], &c, 1, 0) == 1 && ready(s[1], POLLIN, 10000));
}

/* One is received, and the second ended with EFAULT; of messages two are there still. */
static void set_up_with(enum kind k, void (*make_tcp)(int fd[2]))
{
	static const int types[] = {SOCK_DGRAM, SOCK_STREAM, SOCK_SEQPACKET};

	if (k == UDP)
		udp_pair(s);
	else if (k == TCP)
		make_tcp(s);
	else
		CHECK(socketpair(AF_UNIX, types[k], 0, s) == 0);
	headers();
	send_one('1');
	if (!is_stream(k)) {
		send_one('2');
		send_one('3');
	}
	m[1].msg_hdr.msg_iov = (void *)bad_address(1);
	CHECK(recvmmsg(s[1], m, 3, MSG_DONTWAIT, NULL) == 1);
	CHECK(m[0].msg_len == 1 && b[0][0] == '1');
	headers();
}

static void set_up(enum kind k)
{
	set_up_with(k, tcp_pair);
}

static void shut(void)
{
	CHECK(close(s[0]) == 0 && close(s[1]) == 0);
}

static long receive(int flags)
{
	return recv(s[1], b[0], 16, MSG_DONTWAIT | flags);
}

/* It has been told of: what comes now is what there is. */
static void is_over(enum kind k)
{
	CHECK(option(s[1], SOL_SOCKET, SO_ERROR) == 0);
	CHECK(!(ready(s[1], POLLIN, 0) & POLLERR));
	if (is_stream(k))
		FAILS(EAGAIN, receive(0));
	else
		CHECK(receive(0) == 1 && b[0][0] == '2');
	shut();
}

static void is_told_once(void)
{
	for (enum kind k = 0; k < KINDS; k++) {
		set_up(k);
		CHECK(ready(s[1], POLLIN, 10000) & POLLERR);
		CHECK(option(s[1], SOL_SOCKET, SO_ERROR) == EFAULT);
		is_over(k);
		set_up(k);
		FAILS(EFAULT, receive(0));
		is_over(k);
		set_up(k);
		FAILS(EFAULT, read(s[1], b[0], 16)); /* which waits for nothing */
		is_over(k);
		set_up(k);
		FAILS(EFAULT, receive(MSG_PEEK));
		is_over(k);
		set_up(k);
		FAILS(EFAULT, recvmmsg(s[1], m, 3, MSG_DONTWAIT, NULL));
		is_over(k);
		set_up(k);
		FAILS(EFAULT, recvmmsg(s[1], m, 0, MSG_DONTWAIT, NULL));
		is_over(k);
	}
}

static void who_sends_is_told(void)
{
	struct sockaddr nowhere = {.sa_family = AF_UNSPEC};

	for (enum kind k = 0; k < KINDS; k++) {
		set_up(k);
		FAILS(EFAULT, send(s[1], "x", 1, MSG_NOSIGNAL));
		is_over(k);
		set_up(k);
		FAILS(EFAULT, sendmmsg(s[1], m, 2, MSG_NOSIGNAL));
		is_over(k);
	}
	/* Where to comes first. */
	set_up(UDP);
	CHECK(connect(s[1], &nowhere, sizeof(nowhere)) == 0);
	FAILS(EDESTADDRREQ, send(s[1], "x", 1, 0));
	CHECK(option(s[1], SOL_SOCKET, SO_ERROR) == EFAULT);
	is_over(UDP);
}

static void who_sends_a_file_is_told(void)
{
	int file = open("file", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	CHECK(file >= 0 && write(file, "f", 1) == 1 && lseek(file, 0, SEEK_SET) == 0);
	for (int is_shared = 0; is_shared < 2; is_shared++) {
		set_up_with(TCP, is_shared ? hosted_pair : tcp_pair);
		FAILS(EFAULT, sendfile(s[1], file, NULL, 1));
		CHECK(lseek(file, 0, SEEK_CUR) == 0);
		is_over(TCP);
	}
	CHECK(close(file) == 0 && unlink("file") == 0);
}

static void what_a_stream_has_comes_first(void)
{
	for (enum kind k = STREAM; k < KINDS; k++) {
		if (!is_stream(k))
			continue;
		set_up(k);
		send_one('4');
		CHECK(receive(0) == 1 && b[0][0] == '4');
		FAILS(EFAULT, receive(0));
		is_over(k);
	}
	set_up(UDP);
	FAILS(EAGAIN, receive(MSG_ERRQUEUE));
	FAILS(EFAULT, receive(0));
	is_over(UDP);
}

static void the_last_counts(void)
{
	set_up(DGRAM);
	CHECK(option(s[1], SOL_SOCKET, SO_ERROR) == EFAULT);
	m[1].msg_hdr.msg_iovlen = 5000;
	CHECK(recvmmsg(s[1], m, 3, MSG_DONTWAIT, NULL) == 1 && b[0][0] == '2');
	headers();
	FAILS(EMSGSIZE, receive(0));
	CHECK(receive(0) == 1 && b[0][0] == '3');
	/* That there is no more is no error. */
	send_one('5');
	CHECK(recvmmsg(s[1], m, 3, MSG_DONTWAIT, NULL) == 1);
	CHECK(option(s[1], SOL_SOCKET, SO_ERROR) == 0);
	FAILS(EAGAIN, receive(0));
	shut();
}

/* What could not be sent is said by the next call alone, if it cannot either. */
static void of_those_sent_nothing_is_kept(void)
{
	for (enum kind k = 0; k < KINDS; k++) {
		set_up(k);
		CHECK(option(s[1], SOL_SOCKET, SO_ERROR) == EFAULT);
		v[0].iov_len = v[2].iov_len = 1;
		m[1].msg_hdr.msg_iov = (void *)bad_address(1);
		CHECK(sendmmsg(s[0], m, 3, 0) == 1 && m[0].msg_len == 1);
		CHECK(option(s[0], SOL_SOCKET, SO_ERROR) == 0);
		CHECK(sendmmsg(s[0], m + 2, 1, 0) == 1);
		FAILS(EFAULT, sendmmsg(s[0], m + 1, 1, 0));
		shut();
	}
}

RUN(TEST(is_told_once), TEST(who_sends_is_told), TEST(who_sends_a_file_is_told),
    TEST(what_a_stream_has_comes_first), TEST(the_last_counts),
    TEST(of_those_sent_nothing_is_kept))
