/* SPDX-License-Identifier: MIT */
/* net */
/* udp_many.c - sendmmsg and recvmmsg of datagram sockets: more than are moved at once,
 * what is told of each, where they end, and what they wait for. */
/* calls: sendmmsg recvmmsg */
#include "inet.h"

#include <stddef.h>

enum { MANY = 100, ROOM = 300 };

static struct mmsghdr m[MANY];
static struct iovec v[MANY][2];
static char data[MANY][ROOM];
static char control[MANY][64];
static struct sockaddr_in names[MANY];
static int fd[2];

/* Message i has i + 1 octets in two pieces. */
static void to_send(void)
{
	memset(m, 0, sizeof(m));
	for (int i = 0; i < MANY; i++) {
		memset(data[i], 'a' + i % 26, ROOM);
		v[i][0] = (struct iovec){data[i], (size_t)i / 2};
		v[i][1] = (struct iovec){data[i] + i / 2, (size_t)(i - i / 2) + 1};
		m[i].msg_hdr = (struct msghdr){.msg_iov = v[i], .msg_iovlen = 2};
	}
}

static void to_receive(void)
{
	memset(m, 0, sizeof(m));
	memset(data, 0, sizeof(data));
	for (int i = 0; i < MANY; i++) {
		v[i][0] = (struct iovec){data[i], 7};
		v[i][1] = (struct iovec){data[i] + 7, ROOM - 7};
		m[i].msg_hdr = (struct msghdr){.msg_name = &names[i],
					       .msg_namelen = sizeof(names[i]),
					       .msg_iov = v[i],
					       .msg_iovlen = 2};
	}
}

static bool is_message(int at, int i)
{
	for (int k = 0; k <= i; k++)
		if (data[at][k] != 'a' + i % 26)
			return false;
	return m[at].msg_len == (unsigned)i + 1 && !data[at][i + 1] &&
	       m[at].msg_hdr.msg_namelen == sizeof(names[at]) &&
	       ntohs(names[at].sin_port) == port_of(fd[0]);
}

static void all_arrive_in_order(void)
{
	int done = 0;

	udp_pair(fd);
	to_send();
	while (done < MANY) {
		int n = sendmmsg(fd[0], m + done, (unsigned)(MANY - done), 0);

		CHECK(n > 0);
		done += n;
	}
	for (int i = 0; i < MANY; i++)
		CHECK(m[i].msg_len == (unsigned)i + 1);
	to_receive();
	CHECK(recvmmsg(fd[1], m, MANY, 0, NULL) == MANY);
	for (int i = 0; i < MANY; i++)
		CHECK(is_message(i, i) && m[i].msg_hdr.msg_flags == 0);
	FAILS(EAGAIN, recvmmsg(fd[1], m, MANY, MSG_DONTWAIT, NULL));
	close_pair(fd);
}

static void send_some(int count)
{
	to_send();
	CHECK(sendmmsg(fd[0], m, (unsigned)count, 0) == count);
	to_receive();
}

static void what_there_is(void)
{
	udp_pair(fd);
	send_some(40);
	CHECK(recvmmsg(fd[1], m, MANY, MSG_DONTWAIT, NULL) == 40);
	CHECK(is_message(0, 0) && is_message(39, 39));
	CHECK(m[40].msg_len == 0 && m[40].msg_hdr.msg_namelen == sizeof(names[0]));
	send_some(3);
	set_nonblock(fd[1], true);
	CHECK(recvmmsg(fd[1], m, MANY, 0, NULL) == 3);
	FAILS(EAGAIN, recvmmsg(fd[1], m, MANY, MSG_WAITFORONE, NULL));
	set_nonblock(fd[1], false);
	send_some(33);
	CHECK(recvmmsg(fd[1], m, MANY, MSG_WAITFORONE, NULL) == 33);
	CHECK(is_message(32, 32));
	send_some(2);
	CHECK(recvmmsg(fd[1], m, 1, 0, NULL) == 1 && is_message(0, 0));
	CHECK(recvmmsg(fd[1], m, MANY, MSG_PEEK | MSG_WAITFORONE, NULL) == MANY);
	CHECK(is_message(0, 1) && is_message(MANY - 1, 1));
	CHECK(recvmmsg(fd[1], m, 1, 0, NULL) == 1);
	CHECK(recvmmsg(fd[1], m, 0, 0, NULL) == 0);
	close_pair(fd);
}

static void each_is_told_what_was_cut_and_more(void)
{
	const int ttl = 7;

	udp_pair(fd);
	CHECK(set_option(fd[0], SOL_IP, IP_TTL, ttl) == 0);
	CHECK(set_option(fd[1], SOL_IP, IP_RECVTTL, 1) == 0);
	send_some(50);
	for (int i = 0; i < MANY; i++) {
		v[i][1].iov_len = 3;
		m[i].msg_hdr.msg_control = control[i];
		m[i].msg_hdr.msg_controllen = i % 2 ? sizeof(control[i]) : 0;
	}
	CHECK(recvmmsg(fd[1], m, MANY, MSG_WAITFORONE, NULL) == 50);
	for (int i = 0; i < 50; i++) {
		struct msghdr *h = &m[i].msg_hdr;
		struct cmsghdr *c = CMSG_FIRSTHDR(h);

		CHECK(m[i].msg_len == (i < 10 ? (unsigned)i + 1 : 10));
		CHECK(h->msg_flags ==
		      ((i < 10 ? 0 : MSG_TRUNC) | (i % 2 ? 0 : MSG_CTRUNC)));
		CHECK(i % 2 ? c && c->cmsg_level == SOL_IP && c->cmsg_type == IP_TTL &&
				      *(int *)(void *)CMSG_DATA(c) == ttl
			    : !h->msg_controllen);
	}
	close_pair(fd);
}

static void control_goes_with_each(void)
{
	udp_pair(fd);
	CHECK(set_option(fd[1], SOL_IP, IP_RECVTTL, 1) == 0);
	to_send();
	for (int i = 0; i < 10; i++) {
		struct cmsghdr *c = (struct cmsghdr *)(void *)control[i];

		*c = (struct cmsghdr){CMSG_LEN(sizeof(int)), SOL_IP, IP_TTL};
		*(int *)(void *)CMSG_DATA(c) = 20 + i;
		m[i].msg_hdr.msg_control = control[i];
		m[i].msg_hdr.msg_controllen = CMSG_SPACE(sizeof(int));
	}
	CHECK(sendmmsg(fd[0], m, 10, 0) == 10);
	to_receive();
	memset(control, 0, sizeof(control));
	for (int i = 0; i < 10; i++) {
		m[i].msg_hdr.msg_control = control[i];
		m[i].msg_hdr.msg_controllen = sizeof(control[i]);
	}
	CHECK(recvmmsg(fd[1], m, 10, 0, NULL) == 10);
	for (int i = 0; i < 10; i++) {
		struct cmsghdr *c = CMSG_FIRSTHDR(&m[i].msg_hdr);

		CHECK(is_message(i, i));
		CHECK(c && *(int *)(void *)CMSG_DATA(c) == 20 + i);
	}
	/* One that is not well formed ends it. */
	to_send();
	*(struct cmsghdr *)(void *)control[5] = (struct cmsghdr){1, SOL_IP, IP_TTL};
	m[5].msg_hdr.msg_control = control[5];
	m[5].msg_hdr.msg_controllen = CMSG_SPACE(sizeof(int));
	CHECK(sendmmsg(fd[0], m, 10, 0) == 5);
	FAILS(EINVAL, sendmmsg(fd[0], m + 5, 5, 0));
	CHECK(recvmmsg(fd[1], m, MANY, MSG_DONTWAIT, NULL) == 5);
	close_pair(fd);
}

static void the_first_error_ends_it(void)
{
	static char large[70000];
	struct iovec too_large = {large, sizeof(large)};

	udp_pair(fd);
	to_send();
	v[3][1].iov_base = bad_address(1);
	CHECK(sendmmsg(fd[0], m, MANY, 0) == 3);
	FAILS(EFAULT, sendmmsg(fd[0], m + 3, 2, 0));
	to_send();
	m[4].msg_hdr.msg_iov = &too_large;
	m[4].msg_hdr.msg_iovlen = 1;
	CHECK(sendmmsg(fd[0], m, MANY, 0) == 4);
	FAILS(EMSGSIZE, sendmmsg(fd[0], m + 4, 2, 0));
	to_send();
	m[2].msg_hdr.msg_iov = bad_address(1);
	CHECK(sendmmsg(fd[0], m, MANY, 0) == 2);
	FAILS(EFAULT, sendmmsg(fd[0], m + 2, 2, 0));
	to_receive();
	CHECK(recvmmsg(fd[1], m, MANY, MSG_DONTWAIT, NULL) == 9);
	close_pair(fd);
	udp_pair(fd);
	send_some(6);
	m[3].msg_hdr.msg_iov = bad_address(1);
	CHECK(recvmmsg(fd[1], m, MANY, MSG_DONTWAIT, NULL) == 3);
	CHECK(is_message(2, 2));
	close_pair(fd);
}

/* Two headers, the second of which cannot be written from `from` on. */
static struct mmsghdr *headers_with_one_const(size_t from)
{
	char *p = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct mmsghdr *h = (struct mmsghdr *)(void *)(p + PAGE - sizeof(m[0]) - from);

	CHECK(p != MAP_FAILED);
	memcpy(h, m, 10 * sizeof(m[0]));
	CHECK(mprotect(p + PAGE, PAGE, PROT_READ) == 0);
	return h;
}

/* The rest arrives still: Linux leaves what ended it as the socket's error. */
static void expect_the_last(int count, int of)
{
	(void)option(fd[1], SOL_SOCKET, SO_ERROR);
	to_receive();
	CHECK(recvmmsg(fd[1], m, MANY, MSG_DONTWAIT, NULL) == count);
	for (int i = 0; i < count; i++)
		CHECK(is_message(i, of - count + i));
}

static void one_that_cannot_be_told_takes_no_other(void)
{
	static const size_t from[] = {
		0,
		offsetof(struct mmsghdr, msg_len),
		offsetof(struct mmsghdr, msg_hdr.msg_controllen),
	};

	udp_pair(fd);
	send_some(10);
	m[1].msg_hdr.msg_name = bad_address(1);
	CHECK(recvmmsg(fd[1], m, 10, 0, NULL) == 1 && is_message(0, 0));
	expect_the_last(8, 10);
	send_some(60);
	m[50].msg_hdr.msg_name = page_with(PROT_READ);
	CHECK(recvmmsg(fd[1], m, MANY, MSG_DONTWAIT, NULL) == 50 && is_message(49, 49));
	expect_the_last(9, 60);
	for (size_t i = 0; i < sizeof(from) / sizeof(from[0]); i++) {
		send_some(10);
		CHECK(recvmmsg(fd[1], headers_with_one_const(from[i]), 10, 0, NULL) == 1);
		expect_the_last(8, 10);
		to_send();
		CHECK(sendmmsg(fd[0], headers_with_one_const(from[i]), 10, 0) == 1);
		expect_the_last(2, 2);
	}
	/* Room for a longer name than there is need not be there. */
	send_some(40);
	for (int i = 0; i < 40; i++) {
		m[i].msg_hdr.msg_name = page_edge() - sizeof(names[0]);
		m[i].msg_hdr.msg_namelen = 100;
	}
	CHECK(recvmmsg(fd[1], m, MANY, MSG_DONTWAIT, NULL) == 40);
	CHECK(m[39].msg_len == 40 && m[39].msg_hdr.msg_namelen == sizeof(names[0]));
	close_pair(fd);
}

static void an_error_of_before_comes_first(void)
{
	int there = socket_at(SOCK_DGRAM, 0);
	uint16_t port = port_of(there);

	fd[0] = socket_at(SOCK_DGRAM, 0);
	CHECK(connect_to(fd[0], port) == 0 && close(there) == 0);
	CHECK(send(fd[0], "x", 1, 0) == 1);
	CHECK(ready(fd[0], POLLIN, 5000) & POLLERR);
	to_receive();
	FAILS(ECONNREFUSED, recvmmsg(fd[0], m, 0, MSG_DONTWAIT, NULL));
	CHECK(send(fd[0], "x", 1, 0) == 1);
	CHECK(ready(fd[0], POLLIN, 5000) & POLLERR);
	FAILS(ECONNREFUSED, recvmmsg(fd[0], bad_address(1), MANY, 0, NULL));
	FAILS(EFAULT, recvmmsg(fd[0], bad_address(1), MANY, 0, NULL));
	CHECK(send(fd[0], "x", 1, 0) == 1);
	CHECK(ready(fd[0], POLLIN, 5000) & POLLERR);
	FAILS(ECONNREFUSED, recvmmsg(fd[0], m, MANY, 0, NULL));
	FAILS(EAGAIN, recvmmsg(fd[0], m, MANY, MSG_DONTWAIT, NULL));
	CHECK(close(fd[0]) == 0);
}

static void *send_with_pauses(void *arg)
{
	(void)arg;
	for (int i = 0; i < 3; i++) {
		sleep_ms(20);
		CHECK(send(fd[0], "abc", (size_t)i + 1, 0) == i + 1);
	}
	return NULL;
}

static void it_waits_for_all(void)
{
	struct timespec t = {500, 0};
	pthread_t thread;

	udp_pair(fd);
	to_receive();
	CHECK(pthread_create(&thread, NULL, send_with_pauses, NULL) == 0);
	CHECK(recvmmsg(fd[1], m, 3, 0, NULL) == 3 && m[2].msg_len == 3);
	CHECK(pthread_join(thread, NULL) == 0);
	CHECK(pthread_create(&thread, NULL, send_with_pauses, NULL) == 0);
	CHECK(recvmmsg(fd[1], m, 3, 0, &t) == 3 && m[2].msg_len == 3);
	CHECK(t.tv_sec < 500 && pthread_join(thread, NULL) == 0);
	CHECK(pthread_create(&thread, NULL, send_with_pauses, NULL) == 0);
	CHECK(recvmmsg(fd[1], m, MANY, MSG_WAITFORONE, NULL) > 0);
	CHECK(pthread_join(thread, NULL) == 0);
	close_pair(fd);
}

static void the_time_is_looked_at_after_each(void)
{
	struct timeval short_time = {0, 80000};
	struct timespec t = {0, 1};
	long start;

	udp_pair(fd);
	send_some(3);
	CHECK(recvmmsg(fd[1], m, MANY, 0, &t) == 1 && t.tv_sec == 0 && t.tv_nsec == 0);
	t = (struct timespec){500, 0};
	CHECK(recvmmsg(fd[1], m, MANY, MSG_DONTWAIT, &t) == 2 && t.tv_sec > 0);
	CHECK(setsockopt(fd[1], SOL_SOCKET, SO_RCVTIMEO, &short_time,
			 sizeof(short_time)) == 0);
	start = now_ms();
	FAILS(EAGAIN, recvmmsg(fd[1], m, MANY, 0, NULL));
	CHECK(now_ms() - start >= 75);
	send_some(2);
	start = now_ms();
	CHECK(recvmmsg(fd[1], m, MANY, 0, NULL) == 2 && now_ms() - start >= 75);
	close_pair(fd);
}

static void signals_end_or_restart_it(void)
{
	struct interrupter in;

	udp_pair(fd);
	to_receive();
	interrupt_start(&in, 0, -1);
	for (int i = 0; i < 5; i++)
		FAILS(EINTR, recvmmsg(fd[1], m, MANY, 0, NULL));
	interrupt_stop(&in);
	FAILS(EAGAIN, recvmmsg(fd[1], m, MANY, MSG_DONTWAIT, NULL));
	interrupt_start(&in, SA_RESTART, fd[0]);
	CHECK(recvmmsg(fd[1], m, 1, 0, NULL) == 1 && data[0][0] == '!');
	interrupt_stop(&in);
	close_pair(fd);
}

static void wait_for_many(void)
{
	to_receive();
	(void)!recvmmsg(fd[1], m, MANY, 0, NULL);
}

static void it_is_killed(void)
{
	int status;
	pid_t pid;

	for (int i = 0; i < 3; i++) {
		udp_pair(fd);
		pid = child_start(wait_for_many);
		CHECK(send(fd[0], "x", 1, 0) == 1);
		sleep_ms(10 * i);
		CHECK(kill(pid, SIGKILL) == 0);
		status = child_wait(pid);
		CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
		close_pair(fd);
	}
}

RUN(TEST(all_arrive_in_order), TEST(what_there_is),
    TEST(each_is_told_what_was_cut_and_more), TEST(control_goes_with_each),
    TEST(the_first_error_ends_it), TEST(one_that_cannot_be_told_takes_no_other),
    TEST(an_error_of_before_comes_first), TEST(it_waits_for_all),
    TEST(the_time_is_looked_at_after_each), TEST(signals_end_or_restart_it),
    TEST(it_is_killed))
